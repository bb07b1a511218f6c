/* lab.letters: letters that want an answer, sent again until it comes or the attempts are spent. Every
 * request and every answer is a coin; whose turn it is is an event, which a chooser may decide. Compiled into
 * one shared library with probe_model.c. */
#include <distlab/model.h>

typedef struct letters_params {
    int64_t letters, attempts;
    double loss;
    bool insist; /* an unknown outcome is an error */
} letters_params;

typedef struct letters_metrics {
    int64_t delivered, answered, unknown, sent;
    double noise;
    dlab_histogram tries;
} letters_metrics;

enum { LETTERS_MAX = 20 };

static const dlab_field letters_param_fields[] = {
    DLAB_FIELD(letters_params, letters, .dflt = 2, .min = 1, .max = LETTERS_MAX, .doc = "Letters."),
    DLAB_FIELD(letters_params, attempts, .dflt = 2, .min = 1, .max = 100, .doc = "Attempts of each."),
    DLAB_FIELD(letters_params, loss, .dflt = 0.2, .min = 0, .max = 1, .doc = "Chance of being lost."),
    DLAB_FIELD(letters_params, insist, .doc = "Fail when an outcome is unknown."),
    DLAB_END,
};

static const dlab_field letters_metric_fields[] = {
    DLAB_FIELD(letters_metrics, delivered, .max = LETTERS_MAX, .doc = "Letters that arrived."),
    DLAB_FIELD(letters_metrics, answered, .max = LETTERS_MAX, .doc = "Letters whose answer arrived."),
    DLAB_FIELD(letters_metrics, unknown, .max = LETTERS_MAX, .doc = "Arrived, but nobody knows."),
    DLAB_FIELD(letters_metrics, sent, .max = INFINITY, .doc = "Letters sent, again included."),
    DLAB_FIELD(letters_metrics, noise, .max = 1, .doc = "A draw behind all coins."),
    DLAB_FIELD(letters_metrics, tries, .max = INFINITY, .doc = "Attempts of the answered."),
    DLAB_END,
};

typedef struct letter {
    int64_t tries;
    bool arrived, done;
} letter;

/* Send letter k once. */
static void send(const letters_params *p, letters_metrics *m, letter *l, uint64_t k, dlab_rng *rng,
                 dlab_ctx *ctx)
{
    const uint64_t about = k << 16 | (uint64_t)l->tries << 1;
    const bool lost = dlab_coin(ctx->chooser, rng, dlab_coin_name(DLAB_COIN_LOSE, about), p->loss);
    const bool mute =
        lost || dlab_coin(ctx->chooser, rng, dlab_coin_name(DLAB_COIN_LOSE, about | 1), p->loss);
    l->tries++;
    m->sent++;
    if (!lost && !l->arrived) m->delivered++;
    if (!lost) l->arrived = true;
    if (!mute) {
        m->answered++;
        dlab_histogram_record(&m->tries, l->tries);
    }
    l->done = !mute || l->tries == p->attempts;
    m->unknown += mute && l->done && l->arrived;
    ctx->fingerprint = dlab_fingerprint56(ctx->fingerprint, (const uint64_t[]){ about, lost, mute }, 24);
}

/* Whose turn it is: asked, or the first that is not done; -1: nobody's any more. */
static int whose_turn(const letter *letters, int64_t n, dlab_ctx *ctx)
{
    dlab_choice options[LETTERS_MAX];
    uint32_t count = 0;
    for (int64_t k = 0; k < n; k++)
        if (!letters[k].done) options[count++] = dlab_choice_of(DLAB_CHOICE_DELIVER, (uint64_t)k);
    if (count == 0) return -1;
    const bool asked = ctx->chooser != NULL && ctx->chooser->names_events;
    const int taken = asked ? dlab_choose(ctx->chooser, options, NULL, count) : 0;
    if (!asked) dlab_note(ctx->chooser, options[0]);
    return taken < 0 ? -1 : (int)dlab_choice_what(options[taken]);
}

static int letters_run(const void *params_, void *metrics_, dlab_ctx *ctx)
{
    const letters_params *p = params_;
    letters_metrics *m = metrics_;
    letter letters[LETTERS_MAX] = { 0 };
    dlab_rng rng;
    int k;
    dlab_stream(ctx, &rng, DLAB_PURPOSE_SERVICE, 0);
    if (dlab_histogram_open(&m->tries, &ctx->arena, &ctx->err)) return ctx->err.code;
    while ((k = whose_turn(letters, p->letters, ctx)) >= 0) {
        if (dlab_step(ctx, 1)) return ctx->err.code;
        send(p, m, &letters[k], (uint64_t)k, &rng, ctx);
    }
    dlab_stream(ctx, &rng, DLAB_PURPOSE_ARRIVAL, 0);
    m->noise = dlab_rng_unit(&rng);
    if (p->insist && m->unknown > 0)
        return dlab_fail(&ctx->err, DLAB_EINVAL, "%d outcomes are unknown", (int)m->unknown);
    return ctx->err.code;
}

extern const dlab_model probe_letters;
const dlab_model probe_letters = {
    .abi = DLAB_ABI,
    .name = "lab.letters",
    .title = "Letters that want an answer",
    .doc = "Coins and events to choose.",
    .source = "none",
    .params = letters_param_fields,
    .metrics = letters_metric_fields,
    .params_size = sizeof(letters_params),
    .metrics_size = sizeof(letters_metrics),
    .run = letters_run,
};
