/* A model of your own, outside of distlab: a request over a link that loses messages is tried again until it
 * succeeds or its attempts are used up. One table of fields describes it; sweeps, intervals, units, checks of
 * ranges and error texts come from there.
 *
 *     cc own_model.c $(pkg-config --cflags --libs distlab) -o own_model          a program: see main
 *     cc -shared -fPIC own_model.c $(pkg-config ...) -o own_model.so             a model for Python:
 *
 *     import ctypes, distlab as dl
 *     library = ctypes.CDLL("./own_model.so")
 *     dl.register(ctypes.addressof(ctypes.c_char.in_dll(library, "example_retry")))
 *     dl.sweep("example.retry", loss=[0.1, 0.3, 0.5]).plot(y="latency_p99") */
#include <distlab/distlab.h>
#include <stdio.h>

typedef struct params {
    double loss, timeout;
    int64_t attempts, requests;
    dlab_distribution answer;
    int32_t bug;
} params;

typedef struct metrics {
    dlab_ratio success, tries;
    dlab_histogram latency;
} metrics;

/* name, what is wrong, what shows it, where */
#define BUGS(X)                 \
    X(NONE, "none", "", "", "") \
    X(EAGER, "eager", "Gives up one attempt too early.", "theory.success", "loss=0.5")
DLAB_DEFINE_BUGS(BUGS);

static const dlab_field param_fields[] = {
    DLAB_FIELD(params, loss, .dflt = 0.1, .min = 0, .max = 0.99, .low = 0.01, .high = 0.5,
               .doc = "Probability that an attempt is lost."),
    DLAB_FIELD(params, timeout, .unit = "s", .display = "ms", .dflt = 0.2, .min = 1e-6, .max = 1e3,
               .doc = "Time until an attempt counts as lost."),
    DLAB_FIELD(params, attempts, .dflt = 3, .min = 1, .max = 100, .doc = "Attempts in all."),
    DLAB_FIELD(params, requests, .dflt = 10000, .min = 1, .max = 1e9, .doc = "Requests of a run."),
    DLAB_FIELD(params, answer, .unit = "s", .display = "ms", .text = "exponential(20ms)", .min = 0,
               .max = 1e3, .doc = "Time until the answer to an attempt that is not lost."),
    DLAB_FIELD(params, bug, .choices = bug_names, .doc = "A mistake, on purpose."),
    DLAB_END,
};

static const dlab_field metric_fields[] = {
    DLAB_FIELD(metrics, success, .min = 0, .max = 1, .doc = "Share of requests that succeed."),
    DLAB_FIELD(metrics, tries, .min = 1, .max = 100, .doc = "Attempts of a request."),
    DLAB_FIELD(metrics, latency, .unit = "s", .display = "ms", .doc = "From first attempt to answer."),
    DLAB_END,
};

static int run(const void *params_, void *metrics_, dlab_ctx *ctx)
{
    const params *p = params_;
    metrics *m = metrics_;
    dlab_sampler answer;
    dlab_rng coins, times; /* two streams: another loss does not change the times drawn */
    if (dlab_sampler_init(&answer, &p->answer, ctx->pool, 0, &ctx->arena, &ctx->err) ||
        dlab_histogram_open(&m->latency, &ctx->arena, &ctx->err))
        return ctx->err.code;
    dlab_stream(ctx, &coins, DLAB_PURPOSE_CHANCE, 0);
    dlab_stream(ctx, &times, DLAB_PURPOSE_SERVICE, 0);
    const int64_t attempts = p->attempts - (p->bug == BUG_EAGER), timeout = (int64_t)(p->timeout * 1e9);
    for (int64_t i = 0; i < p->requests; i++) {
        int64_t lost = 0;
        while (lost < attempts && dlab_rng_unit(&coins) < p->loss) lost++;
        if (lost < attempts) {
            dlab_histogram_record(&m->latency, lost * timeout + dlab_sample_ns(&answer, &times));
            m->success.num++;
            m->tries.num++;
        }
        m->tries.num += (double)lost;
        if (dlab_step(ctx, 1)) return ctx->err.code; /* a run can be stopped */
    }
    m->success.den = m->tries.den = (double)p->requests;
    return DLAB_OK;
}

/* A second witness: of at most n attempts all are lost with probability loss^n. */
static const char *const theory_columns[] = { "success", NULL };
static int theory(const void *params_, double *values, dlab_ctx *ctx)
{
    const params *p = params_;
    values[0] = 1 - dlab_pow(p->loss, (double)p->attempts);
    return dlab_step(ctx, 1);
}

extern const dlab_model example_retry;
const dlab_model example_retry = { .abi = DLAB_ABI,
                                   .name = "example.retry",
                                   .title = "Retry over a lossy link",
                                   .doc = "Attempts are lost independently of each other.",
                                   .source = "none",
                                   .params = param_fields,
                                   .metrics = metric_fields,
                                   .params_size = sizeof(params),
                                   .metrics_size = sizeof(metrics),
                                   .bugs = bugs,
                                   .theory_columns = theory_columns,
                                   .run = run,
                                   .theory = theory };

int main(void)
{
    dlab_study study = { .model = &example_retry, .reps = 10, .seed = 7 };
    dlab_study_axis(&study, "bug", "none, eager");
    dlab_study_axis(&study, "loss", "0.1, 0.3, 50%");
    dlab_study_run(&study);
    dlab_study_print(&study, stdout, "success, tries, latency_p50, latency_p99");
    for (size_t i = 0; study.err.code == DLAB_OK && i < dlab_study_size(&study); i++) {
        const dlab_interval got = dlab_study_interval(&study, i, "success");
        const double exact = dlab_study_theory(&study, i, "success"), far = (got.mean - exact) / got.se;
        printf("%s%.6f by formula: %s\n", i > 0 ? "" : "\n", exact, far * far < 16 ? "agrees" : "BROKEN");
    }
    if (study.err.code != DLAB_OK) fprintf(stderr, "own_model: %s\n", study.err.text);
    dlab_study_close(&study);
    return study.err.code == DLAB_OK ? 0 : 1;
}
