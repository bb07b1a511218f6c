/* Dead, slow or unreachable? One process sends heartbeats to some observers until it crashes at the end of
 * the run; each observer has a failure detector of its own. Counted are the mistakes while the process lives
 * (how often, how long, what share of the time), the time to detect the crash, and who disagrees.
 *
 * What may go wrong before the crash: heartbeats are lost and late; the process pauses (what falls due in a
 * pause is not sent); the link to one observer is cut for a while, the others' are not (asymmetric); the
 * process turns gray: its heartbeats go on, its work does not. The last `client_observers` observers do not
 * get heartbeats but the answers to requests of their own, one each interval, so they see gray where
 * monitors see health (differential observability: Huang et al., Gray Failure, HotOS 2017).
 *
 * Assumptions: heartbeat i is due at i intervals on a clock that all share; pauses, cuts and gray times are
 * alternating renewal processes; a suspicion of a paused or gray process counts as a mistake, for it is
 * alive. The detectors and their law are in detector.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "links/detector.h"
#include "links/trouble.h"

#define BUGS(X)                                                                                          \
    X(NONE, "none", "Detectors as they should be.", NULL, NULL)                                          \
    X(TIMER_FROM_LAST_ARRIVAL, "timer_from_last_arrival",                                                \
      "The timeout counts from the last arrival although timer_from says from the send time.",           \
      "theory.accuracy", "timeout=0.2 pause_rate=0 duration=500")                                        \
    X(OLD_HEARTBEAT_REVIVES, "old_heartbeat_revives",                                                    \
      "A heartbeat that arrives after its time is over makes its sender trusted for one more interval.", \
      "theory.accuracy",                                                                                 \
      "heartbeat_interval=0.1 timeout=0.05 delay=exponential(100ms) pause_rate=0 duration=200")

DLAB_DEFINE_BUGS(BUGS);

#define X(code, name) name,
static const char *const detectors[] = { DLAB_DETECTORS(X) NULL };
static const char *const timer_froms[] = { DLAB_TIMER_FROMS(X) NULL };
#undef X

enum { OBSERVERS_MAX = 16, BEATS_MAX = 200000, PURPOSE_GRAY = 1000, PURPOSE_CRASH = 1001 };

typedef struct params {
    double heartbeat_interval;
    dlab_distribution delay;
    double loss;
    int64_t observers, client_observers;
    int32_t detector, timer_from;
    double timeout, margin, phi, deviation_min;
    int64_t window;
    double pause_rate;
    dlab_distribution pause;
    double link_cut_rate;
    dlab_distribution link_cut;
    double gray_rate;
    dlab_distribution gray;
    double gray_loss, duration, warmup;
    int32_t bug;
} params;

typedef struct metrics {
    dlab_histogram detection_time;
    dlab_ratio false_suspicion, mistake_rate;
    dlab_histogram mistake_duration;
    dlab_ratio accuracy, disagreement, suspected_by_all, gray_hidden;
    int64_t messages;
} metrics;

#define TIME .unit = "s", .display = "ms", .log_scale = true
#define LAW .unit = "s", .min = 0, .max = 1e6, .log_scale = true
#define OFTEN .unit = "1/s", .min = 0, .max = 1000, .low = 0, .high = 0.1
static const dlab_field param_fields[] = {
    DLAB_FIELD(params, heartbeat_interval, TIME, .dflt = 1, .min = 1e-4, .max = 1e6, .low = 0.05, .high = 10,
               .group = "Heartbeats", .doc = "Time between two heartbeats."),
    DLAB_FIELD(params, delay, LAW, .display = "ms", .text = "lognormal(median=20ms, sigma=1)", .low = 1e-3,
               .high = 1, .doc = "One-way delay of a heartbeat."),
    DLAB_FIELD(params, loss, .dflt = 0.01, .min = 0, .max = 1, .low = 0, .high = 0.2,
               .doc = "Probability that a heartbeat is lost."),
    DLAB_FIELD(params, observers, .dflt = 3, .min = 1, .max = OBSERVERS_MAX, .low = 1, .high = 5,
               .doc = "Observers, each with a detector and a link of its own."),
    DLAB_FIELD(params, client_observers, .dflt = 0, .min = 0, .max = OBSERVERS_MAX, .low = 0, .high = 3,
               .doc = "How many of them, the last ones, watch answers to their own requests instead."),
    DLAB_FIELD(params, detector, .choices = detectors, .group = "Detector",
               .doc =
                   "fixed timeout; chen: adapts to the delays; phi: accrual, adapts to mean and deviation."),
    DLAB_FIELD(params, timer_from, .choices = timer_froms,
               .doc = "fixed: the timeout counts from when a heartbeat was due, or from the last arrival."),
    DLAB_FIELD(params, timeout, TIME, .dflt = 3, .min = 1e-6, .max = 1e6, .low = 0.04, .high = 10,
               .doc = "fixed: how long a heartbeat is waited for."),
    DLAB_FIELD(params, margin, TIME, .dflt = 0.5, .min = 1e-6, .max = 1e6, .low = 0.01, .high = 5,
               .doc = "chen: how long the next heartbeat is waited for after it is expected."),
    DLAB_FIELD(params, phi, .dflt = 8, .min = 0.5, .max = 100, .low = 1, .high = 16,
               .doc = "phi: suspected from a chance of ten to the minus this on."),
    DLAB_FIELD(params, deviation_min, TIME, .dflt = 0.1, .min = 0, .max = 1e6, .low = 0, .high = 1,
               .doc = "phi: a deviation below this counts as this."),
    DLAB_FIELD(params, window, .dflt = 100, .min = 1, .max = DLAB_DETECTOR_WINDOW_MAX, .low = 10,
               .high = 1000, .log_scale = true, .doc = "chen, phi: arrivals looked back at."),
    DLAB_FIELD(params, pause_rate, OFTEN, .dflt = 3e-5, .group = "Trouble",
               .doc = "Pauses of the process in the time without; none of its heartbeats is sent."),
    DLAB_FIELD(params, pause, LAW, .text = "pareto(alpha=1.5, low=1s, high=600s)", .low = 0.01, .high = 60,
               .doc = "How long a pause lasts."),
    DLAB_FIELD(params, link_cut_rate, OFTEN, .doc = "Cuts of each observer's link, by itself."),
    DLAB_FIELD(params, link_cut, LAW, .text = "exponential(10s)", .low = 1, .high = 600,
               .doc = "How long a cut lasts."),
    DLAB_FIELD(params, gray_rate, OFTEN, .doc = "How often the process turns gray."),
    DLAB_FIELD(params, gray, LAW, .text = "exponential(60s)", .low = 1, .high = 600,
               .doc = "How long it stays gray: heartbeats go on, its work does not."),
    DLAB_FIELD(params, gray_loss, .dflt = 1, .min = 0, .max = 1, .low = 0.5, .high = 1,
               .doc = "Share of the requests that a gray process does not answer."),
    DLAB_FIELD(params, duration, .unit = "s", .dflt = 1000, .min = 1e-3, .max = 1e9, .low = 100,
               .high = 10000, .log_scale = true, .group = "Run",
               .doc = "Time to the crash, less than an interval more."),
    DLAB_FIELD(params, warmup, .unit = "s", .dflt = 10, .min = 0, .max = 1e6, .low = 0, .high = 100,
               .doc = "Time before mistakes are counted."),
    DLAB_FIELD(params, bug, .choices = bug_names, .group = "Planted bug",
               .doc = "A textbook mistake, on purpose."),
    DLAB_END,
};

#define SHARE .max = 1, .may_be_nan = true
static const dlab_field metric_fields[] = {
    DLAB_FIELD(metrics, detection_time, .unit = "s", .max = INFINITY,
               .doc = "From the crash to the suspicion that stays."),
    DLAB_FIELD(metrics, false_suspicion, SHARE,
               .doc = "Share of the deadlines (a timeout after a heartbeat is due) that find it suspected."),
    DLAB_FIELD(metrics, mistake_rate, .unit = "1/s", .max = INFINITY, .may_be_nan = true,
               .doc = "Suspicions of the living process per second and observer."),
    DLAB_FIELD(metrics, mistake_duration, .unit = "s", .max = INFINITY, .doc = "How long each lasts."),
    DLAB_FIELD(metrics, accuracy, SHARE, .doc = "Share of its life in which an observer trusts the process."),
    DLAB_FIELD(metrics, disagreement, SHARE, .doc = "Share of its life in which observers disagree."),
    DLAB_FIELD(metrics, suspected_by_all, SHARE, .doc = "Share of its life in which all suspect it."),
    DLAB_FIELD(metrics, gray_hidden, SHARE,
               .doc = "Share of the gray time in which a client suspects and no monitor does."),
    DLAB_FIELD(metrics, messages, .max = 9e15, .doc = "Heartbeats and answers sent, lost ones included."),
    DLAB_END,
};

typedef struct beat_row {
    int64_t observer, number;
    double sent, arrived;
} beat_row;
typedef struct suspicion_row {
    int64_t observer;
    double start, end;
} suspicion_row;

static const dlab_field beat_columns[] = {
    DLAB_FIELD(beat_row, observer, .max = INFINITY, .doc = "Who hears it."),
    DLAB_FIELD(beat_row, number, .max = INFINITY, .doc = "Number of the heartbeat."),
    DLAB_FIELD(beat_row, sent, .unit = "s", .max = INFINITY, .doc = "When it was due and sent."),
    DLAB_FIELD(beat_row, arrived, .unit = "s", .max = INFINITY, .may_be_nan = true,
               .doc = "When it arrived; NaN: never."),
    DLAB_END,
};
static const dlab_field suspicion_columns[] = {
    DLAB_FIELD(suspicion_row, observer, .max = INFINITY, .doc = "Who suspects the process."),
    DLAB_FIELD(suspicion_row, start, .unit = "s", .max = INFINITY, .doc = "From when."),
    DLAB_FIELD(suspicion_row, end, .unit = "s", .max = INFINITY, .may_be_nan = true,
               .doc = "Until when; NaN: for ever."),
    DLAB_END,
};
enum { BEATS_TABLE, SUSPICIONS_TABLE };
static const dlab_table output_tables[] = {
    { .name = "beats",
      .doc = "Every heartbeat (or answer) to every observer.",
      .columns = beat_columns,
      .row_size = sizeof(beat_row) },
    { .name = "suspicions",
      .doc = "Every suspicion of every observer, the last one for ever.",
      .columns = suspicion_columns,
      .row_size = sizeof(suspicion_row) },
    { .name = NULL },
};

typedef struct span {
    int64_t from, to;
} span;

/* Suspicions of one observer. */
typedef struct spans {
    span *rows;
    size_t count, next;
} spans;

typedef struct beat {
    int64_t at, number;
} beat;

typedef struct watch {
    const params *p;
    metrics *m;
    dlab_ctx *ctx;
    int64_t interval, begin, crash; /* mistakes count from begin to crash */
    int64_t beats;                  /* due before the crash */
    beat *arrivals;
    spans seen[OBSERVERS_MAX];
} watch;

static double seconds_of(int64_t ns) { return 1e-9 * (double)ns; }

static int by_arrival(const void *x, const void *y)
{
    const beat *a = x, *b = y;
    if (a->at != b->at) return a->at < b->at ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* What arrives at one observer, in order; -1 with the error set. Each heartbeat draws a delay and two chances
 * whether it is sent or not, so that no trouble moves the luck of another heartbeat. */
static int64_t arrivals_of(watch *w, uint32_t observer)
{
    const params *p = w->p;
    const bool client = observer >= (uint32_t)(p->observers - p->client_observers);
    dlab_trouble pause, cut, gray;
    dlab_sampler delay;
    dlab_rng delays, chances;
    int64_t count = 0;
    if (dlab_trouble_open(&pause, p->pause_rate, &p->pause, DLAB_PURPOSE_PAUSE, 0, w->ctx) ||
        dlab_trouble_open(&cut, p->link_cut_rate, &p->link_cut, DLAB_PURPOSE_FAULT, observer, w->ctx) ||
        dlab_trouble_open(&gray, p->gray_rate, &p->gray, DLAB_PURPOSE_FAULT, PURPOSE_GRAY, w->ctx) ||
        dlab_sampler_init(&delay, &p->delay, w->ctx->pool, 0, &w->ctx->arena, &w->ctx->err))
        return -1;
    dlab_stream(w->ctx, &delays, DLAB_PURPOSE_LINK, observer);
    dlab_stream(w->ctx, &chances, DLAB_PURPOSE_CHANCE, observer);
    for (int64_t i = 1; i <= w->beats; i++) {
        const int64_t due = i * w->interval, delayed = dlab_sample_ns(&delay, &delays);
        const bool lost = dlab_rng_unit(&chances) < p->loss,
                   unanswered = dlab_rng_unit(&chances) < p->gray_loss;
        if (i % 256 == 1 && dlab_step(w->ctx, 77)) return -1;
        if (dlab_trouble_at(&pause, due)) continue;
        w->m->messages++;
        const bool arrives =
            !(dlab_trouble_at(&cut, due) || lost || (client && dlab_trouble_at(&gray, due) && unanswered));
        if (arrives) w->arrivals[count++] = (beat){ due + delayed, i };
        const beat_row row = { observer, i, seconds_of(due), arrives ? seconds_of(due + delayed) : NAN };
        if (dlab_emit(w->ctx, BEATS_TABLE, &row)) return -1;
    }
    qsort(w->arrivals, (size_t)count, sizeof *w->arrivals, by_arrival);
    return count;
}

static int suspect(watch *w, uint32_t observer, int64_t from, int64_t to)
{
    spans *s = &w->seen[observer];
    const suspicion_row row = { observer, seconds_of(from), to == INT64_MAX ? NAN : seconds_of(to) };
    s->rows[s->count++] = (span){ from, to };
    return dlab_emit(w->ctx, SUSPICIONS_TABLE, &row);
}

/* Was heartbeat i, whose deadline comes at `until`, or a later one there by then? Counts false suspicions. */
static void count_deadlines(watch *w, const beat *arrivals, int64_t count)
{
    const int64_t timeout = dlab_ns(w->p->timeout);
    int64_t newest = 0, k = 0;
    for (int64_t i = 1; i <= w->beats; i++) {
        const int64_t until = i * w->interval + timeout;
        if (until >= w->crash) return;
        for (; k < count && arrivals[k].at <= until; k++)
            if (arrivals[k].number > newest) newest = arrivals[k].number;
        if (until < w->begin) continue;
        w->m->false_suspicion.num += newest < i;
        w->m->false_suspicion.den += 1;
    }
}

/* One observer from the first heartbeat to the suspicion that stays. */
static int observe(watch *w, uint32_t observer, const dlab_detector_rule *rule)
{
    dlab_detector d;
    int64_t since = 0; /* suspected since then; -1: trusted */
    const int64_t count = arrivals_of(w, observer);
    if (count < 0 || dlab_detector_open(&d, rule, w->ctx)) return w->ctx->err.code;
    w->seen[observer].rows = dlab_alloc(w->ctx, (size_t)count + 2, sizeof(span));
    if (w->seen[observer].rows == NULL) return w->ctx->err.code;
    for (int64_t k = 0; k < count; k++) {
        const beat *b = &w->arrivals[k];
        if (k % 256 == 0 && dlab_step(w->ctx, 13)) return w->ctx->err.code;
        if (since < 0 && d.deadline < b->at) since = d.deadline;
        dlab_detector_heard(&d, b->number, b->at);
        if (since >= 0 && d.deadline > b->at) {
            if (b->at > since && suspect(w, observer, since, b->at)) return w->ctx->err.code;
            since = -1;
        } else if (since < 0 && d.deadline <= b->at) {
            since = b->at;
        }
    }
    if (since < 0) since = d.deadline;
    if (suspect(w, observer, since, INT64_MAX)) return w->ctx->err.code;
    dlab_histogram_record(&w->m->detection_time, since > w->crash ? since - w->crash : 0);
    if (rule->kind == DLAB_DETECTOR_FIXED && w->p->timer_from == DLAB_TIMER_FROM_SEND)
        count_deadlines(w, w->arrivals, count);
    return DLAB_OK;
}

static int64_t overlap(const span *s, int64_t from, int64_t to)
{
    const int64_t low = s->from > from ? s->from : from, high = s->to < to ? s->to : to;
    return high > low ? high - low : 0;
}

/* Mistakes: those that begin in the counted part of the life, and the share of it that all of them take. */
static void count_mistakes(watch *w, const spans *s)
{
    metrics *m = w->m;
    double bad = 0;
    for (size_t k = 0; k < s->count; k++) {
        const span *row = &s->rows[k];
        bad += seconds_of(overlap(row, w->begin, w->crash));
        if (row->from < w->begin || row->from >= w->crash) continue;
        m->mistake_rate.num += 1;
        if (row->to <= w->crash) dlab_histogram_record(&m->mistake_duration, row->to - row->from);
    }
    m->mistake_rate.den += seconds_of(w->crash - w->begin);
    m->accuracy.num += seconds_of(w->crash - w->begin) - bad;
    m->accuracy.den += seconds_of(w->crash - w->begin);
}

/* Is this list inside a span at this time, and when does that change? Times never fall. */
static bool inside(spans *s, int64_t at, int64_t *change)
{
    while (s->next < s->count && s->rows[s->next].to <= at) s->next++;
    if (s->next == s->count) return false;
    const span *row = &s->rows[s->next];
    const bool in = at >= row->from;
    const int64_t edge = in ? row->to : row->from;
    if (edge < *change) *change = edge;
    return in;
}

/* All observers at once, from change to change. */
static int compare(watch *w)
{
    const uint32_t n = (uint32_t)w->p->observers, monitors = n - (uint32_t)w->p->client_observers;
    metrics *m = w->m;
    dlab_trouble gray;
    if (dlab_trouble_open(&gray, w->p->gray_rate, &w->p->gray, DLAB_PURPOSE_FAULT, PURPOSE_GRAY, w->ctx))
        return w->ctx->err.code;
    for (int64_t now = w->begin; now < w->crash;) {
        int64_t change = w->crash;
        uint32_t by_monitors = 0, by_clients = 0;
        for (uint32_t k = 0; k < n; k++)
            *(k < monitors ? &by_monitors : &by_clients) += inside(&w->seen[k], now, &change);
        const bool is_gray = dlab_trouble_at(&gray, now);
        if (dlab_trouble_change(&gray, now) < change) change = dlab_trouble_change(&gray, now);
        const uint32_t suspicious = by_monitors + by_clients;
        const double long_for = seconds_of(change - now);
        if (dlab_step(w->ctx, 1)) return w->ctx->err.code;
        m->disagreement.num += suspicious > 0 && suspicious < n ? long_for : 0;
        m->suspected_by_all.num += suspicious == n ? long_for : 0;
        m->disagreement.den += long_for;
        m->suspected_by_all.den += long_for;
        m->gray_hidden.num += is_gray && by_clients > 0 && by_monitors == 0 ? long_for : 0;
        m->gray_hidden.den += is_gray ? long_for : 0;
        now = change;
    }
    return DLAB_OK;
}

static dlab_detector_rule rule_of(const params *p)
{
    return (dlab_detector_rule){ .kind = p->detector,
                                 .timer_from = p->timer_from,
                                 .interval = dlab_ns(p->heartbeat_interval),
                                 .timeout = dlab_ns(p->timeout),
                                 .margin = dlab_ns(p->margin),
                                 .deviation_min = dlab_ns(p->deviation_min),
                                 .phi = p->phi,
                                 .window = (uint32_t)p->window,
                                 .old_revives = p->bug == BUG_OLD_HEARTBEAT_REVIVES };
}

static int run(const void *params_, void *metrics_, dlab_ctx *ctx)
{
    const params *p = params_;
    metrics *m = metrics_;
    dlab_detector_rule rule = rule_of(p);
    watch w = { .p = p, .m = m, .ctx = ctx, .interval = rule.interval, .begin = dlab_ns(p->warmup) };
    dlab_rng rng;
    if (p->bug == BUG_TIMER_FROM_LAST_ARRIVAL) rule.timer_from = DLAB_TIMER_FROM_LAST_ARRIVAL;
    dlab_stream(ctx, &rng, DLAB_PURPOSE_FAULT, PURPOSE_CRASH);
    w.crash = dlab_ns(p->duration) + (int64_t)(dlab_rng_unit(&rng) * (double)w.interval);
    w.beats = w.crash / w.interval;
    w.arrivals = dlab_alloc(ctx, (size_t)w.beats + 1, sizeof *w.arrivals);
    if (w.arrivals == NULL || dlab_histogram_open(&m->detection_time, &ctx->arena, &ctx->err) ||
        dlab_histogram_open(&m->mistake_duration, &ctx->arena, &ctx->err))
        return ctx->err.code;
    for (uint32_t k = 0; k < (uint32_t)p->observers; k++) {
        if (dlab_step(ctx, 2) || observe(&w, k, &rule)) return ctx->err.code;
        count_mistakes(&w, &w.seen[k]);
    }
    return compare(&w);
}

static int check(const void *params_, const dlab_pool *pool, dlab_error *err)
{
    const params *p = params_;
    const double most = fmax(fmax(p->pause_rate, p->link_cut_rate), p->gray_rate);
    (void)pool;
    if (p->client_observers > p->observers)
        return dlab_fail(err, DLAB_EINVAL, "client_observers = %lld is above observers = %lld",
                         (long long)p->client_observers, (long long)p->observers);
    if (p->duration / p->heartbeat_interval > BEATS_MAX)
        return dlab_fail(err, DLAB_EINVAL, "duration / heartbeat_interval = %g heartbeats; at most %d",
                         p->duration / p->heartbeat_interval, BEATS_MAX);
    if (most * p->duration > BEATS_MAX)
        return dlab_fail(err, DLAB_EINVAL, "%g pauses, cuts or gray times are to be expected; at most %d",
                         most * p->duration, BEATS_MAX);
    if (p->warmup >= p->duration)
        return dlab_fail(err, DLAB_EINVAL, "warmup = %g s must be below duration = %g s", p->warmup,
                         p->duration);
    return DLAB_OK;
}

static bool warn(const void *params_, const dlab_pool *pool, char *text, size_t size)
{
    const params *p = params_;
    (void)pool;
    if (p->detector != DLAB_DETECTOR_FIXED || p->timer_from != DLAB_TIMER_FROM_LAST_ARRIVAL ||
        p->timeout > p->heartbeat_interval)
        return false;
    (void)snprintf(
        text, size,
        "timeout = %.4g s from the last arrival is over before the next heartbeat is due (%.4g s): "
        "suspected again and again",
        p->timeout, p->heartbeat_interval);
    return true;
}

static double steps(const void *params_, const dlab_pool *pool)
{
    const params *p = params_;
    (void)pool;
    return (double)p->observers * (2 + 0.35 * p->duration / p->heartbeat_interval);
}

static const char *const theory_columns[] = { "false_suspicion", "mistake_rate", "mistake_duration_mean",
                                              "accuracy", NULL };

/* Mistakes too rare to be seen in a run of this size have no witness: a simulated zero would mean nothing. */
static int theory(const void *params_, double *values, dlab_ctx *ctx)
{
    const params *p = params_;
    const dlab_detector_rule rule = rule_of(p);
    const bool quiet = p->pause_rate == 0 && p->link_cut_rate == 0 && p->gray_rate == 0;
    dlab_detector_qos qos;
    if (dlab_detector_theory(&rule, p->loss, &p->delay, &qos, ctx)) return ctx->err.code;
    const double mistakes = qos.mistake_rate * (p->duration - p->warmup) * (double)p->observers;
    const bool seen = quiet && mistakes >= 1 && p->warmup >= p->timeout + p->heartbeat_interval;
    values[0] = seen ? qos.false_suspicion : NAN;
    values[1] = seen ? qos.mistake_rate : NAN;
    values[2] = seen ? qos.mistake_duration : NAN;
    values[3] = seen ? qos.accuracy : NAN;
    return DLAB_OK;
}

const dlab_model dlab_links_failure_detector = {
    .abi = DLAB_ABI,
    .name = "links.failure_detector",
    .title = "Dead, slow or unreachable: heartbeats and suspicions",
    .doc = "A process sends heartbeats to observers until it crashes; each observer suspects it by a fixed "
           "timeout, "
           "by Chen's adaptive estimate or by phi accrual. Losses, delays, pauses, cut links and gray "
           "failures make "
           "mistakes; counted are how often, how long, how soon a crash is seen, and who disagrees.",
    .source = "Chen, Toueg and Aguilera (IEEE Transactions on Computers 51(5), 2002); Hayashibara et al. "
              "(SRDS 2004); "
              "Huang et al., Gray Failure (HotOS 2017)",
    .params = param_fields,
    .metrics = metric_fields,
    .params_size = sizeof(params),
    .metrics_size = sizeof(metrics),
    .outputs = output_tables,
    .bugs = bugs,
    .theory_columns = theory_columns,
    .check = check,
    .warn = warn,
    .steps = steps,
    .run = run,
    .theory = theory,
};
