/* See workload.h. A rate profile is a chain of pieces, each linear in time; the gap in operational time
 * is used up piece by piece, which needs no more than a square root, so arrival times have the same bits
 * everywhere. */
#include <math.h>

#include "sim/workload.h"

static const char *const loads[] = {
#define X(code, name) name,
    DLAB_LOADS(X)
#undef X
        NULL
};
static const char *const profiles[] = {
#define X(code, name) name,
    DLAB_PROFILES(X)
#undef X
        NULL
};

const dlab_field dlab_workload_fields[] = {
    DLAB_FIELD(
        dlab_workload, load, .choices = loads, .group = "Load",
        .doc =
            "open: jobs come whatever happens; closed: clients wait for answers; partly_open: sessions come, "
            "jobs of a session follow each other."),
    DLAB_FIELD(dlab_workload, arrival_rate, .unit = "1/s", .dflt = 80, .min = 1e-6, .max = 1e7, .low = 5,
               .high = 99,
               .doc = "Mean arrivals per second (of sessions, when partly open; unused when closed)."),
    DLAB_FIELD(
        dlab_workload, interarrival, .unit = "s", .text = "exponential(1)", .min = 1e-9, .max = 1e9,
        .low = 0.1, .high = 10, .log_scale = true,
        .doc = "Shape of the time between arrivals, scaled to 1/arrival_rate: its own mean does not matter."),
    DLAB_FIELD(
        dlab_workload, profile, .choices = profiles,
        .doc =
            "How the rate changes: not; once, up to peak_factor times, over a period; as a day; in bursts."),
    DLAB_FIELD(dlab_workload, peak_factor, .dflt = 2, .min = 1, .max = 1000, .low = 1, .high = 10,
               .doc = "Highest rate over arrival_rate; days and bursts keep arrival_rate as their mean."),
    DLAB_FIELD(dlab_workload, period, .unit = "s", .dflt = 60, .min = 1e-3, .max = 1e7, .low = 1,
               .high = 3600, .log_scale = true,
               .doc = "Length of the ramp, of a day, or mean of a burst and the calm after it."),
    DLAB_FIELD(dlab_workload, burst_share, .dflt = 0.1, .min = 1e-6, .max = 0.999, .low = 0.01, .high = 0.5,
               .doc = "Share of time spent in bursts."),
    DLAB_FIELD(dlab_workload, clients, .dflt = 10, .min = 1, .max = 1e6, .low = 1, .high = 500,
               .log_scale = true, .doc = "Clients of a closed load."),
    DLAB_FIELD(dlab_workload, think_time, .unit = "s", .display = "ms", .text = "exponential(1s)", .min = 0,
               .max = 1e6, .low = 0.01, .high = 10, .log_scale = true,
               .doc = "Pause between an answer and the same client's next job (closed, partly open)."),
    DLAB_FIELD(dlab_workload, session_jobs, .dflt = 3, .min = 1, .max = 1e6, .low = 1, .high = 20,
               .log_scale = true, .doc = "Mean number of jobs of a session, geometric (partly open)."),
    DLAB_END,
};

enum { DAY_PIECES = 24 };

/* sin(2 pi k / 24): knots of a day whose rate is linear in between, so its mean is exact. */
static double day_knot(int k)
{
    static const double quarter[] = {
        0, 0.25881904510252074, 0.5, 0.70710678118654757, 0.8660254037844386, 0.96592582628906831, 1
    };
    k = ((k % DAY_PIECES) + DAY_PIECES) % DAY_PIECES;
    const int half = k % 12, mirrored = half <= 6 ? half : 12 - half;
    return k < 12 ? quarter[mirrored] : -quarter[mirrored];
}

int dlab_workload_check(const dlab_workload *w, const dlab_pool *pool, dlab_error *err)
{
    (void)pool;
    if (w->profile == DLAB_PROFILE_DIURNAL && w->peak_factor > 2)
        return dlab_fail(err, DLAB_EINVAL,
                         "peak_factor = %g is above 2: the rate of a day would fall below 0", w->peak_factor);
    if (w->profile == DLAB_PROFILE_BURSTS && w->peak_factor * w->burst_share > 1)
        return dlab_fail(
            err, DLAB_EINVAL,
            "peak_factor * burst_share = %g is above 1: bursts alone exceed the mean arrival_rate",
            w->peak_factor * w->burst_share);
    if ((w->load == DLAB_LOAD_CLOSED || w->load == DLAB_LOAD_PACED) && w->profile != DLAB_PROFILE_STEADY)
        return dlab_fail(err, DLAB_EINVAL, "profile = %s needs arrivals from outside, load = %s has none",
                         profiles[w->profile], loads[w->load]);
    return DLAB_OK;
}

static double calm_rate(const dlab_workload *w)
{
    return w->arrival_rate * (1 - w->burst_share * w->peak_factor) / (1 - w->burst_share);
}

double dlab_workload_mean_rate(const dlab_workload *w)
{
    return w->profile == DLAB_PROFILE_RAMP ? w->arrival_rate * w->peak_factor : w->arrival_rate;
}

double dlab_workload_rate(const dlab_workload *w, double time)
{
    const double peak = w->arrival_rate * w->peak_factor;
    if (w->profile == DLAB_PROFILE_RAMP)
        return time >= w->period ? peak : w->arrival_rate + (peak - w->arrival_rate) * time / w->period;
    if (w->profile != DLAB_PROFILE_DIURNAL) return w->arrival_rate;
    const double at = time / w->period * DAY_PIECES, whole = floor(at);
    const int k = (int)fmod(whole, DAY_PIECES);
    const double knot = day_knot(k) + (day_knot(k + 1) - day_knot(k)) * (at - whole);
    return w->arrival_rate + (peak - w->arrival_rate) * knot;
}

/* The next piece of the profile, from the end of this one. */
static void next_piece(dlab_arrivals *a)
{
    const dlab_workload *w = a->w;
    const double swing = w->arrival_rate * (w->peak_factor - 1);
    a->piece_start = a->piece_end;
    a->slope = 0;
    if (w->profile == DLAB_PROFILE_RAMP) {
        const bool rising = a->piece++ == 0;
        a->rate = rising ? w->arrival_rate : w->arrival_rate + swing;
        a->slope = rising ? swing / w->period : 0;
        a->piece_end = rising ? w->period : INFINITY;
    } else if (w->profile == DLAB_PROFILE_DIURNAL) {
        const double length = w->period / DAY_PIECES;
        a->rate = w->arrival_rate + swing * day_knot(a->piece);
        a->slope = swing * (day_knot(a->piece + 1) - day_knot(a->piece)) / length;
        a->piece = (a->piece + 1) % DAY_PIECES;
        a->piece_end = a->piece_start + length;
    } else {
        const double share = a->bursting ? 1 - w->burst_share : w->burst_share;
        a->bursting = !a->bursting;
        a->rate = a->bursting ? w->arrival_rate * w->peak_factor : calm_rate(w);
        a->piece_end = a->piece_start + share * w->period * dlab_rng_exponential(&a->phase_rng);
    }
}

int dlab_arrivals_open(dlab_arrivals *a, const dlab_workload *w, dlab_ctx *ctx)
{
    *a = (dlab_arrivals){ .w = w, .steady = w->profile == DLAB_PROFILE_STEADY };
    dlab_stream(ctx, &a->rng, DLAB_PURPOSE_ARRIVAL, 0);
    dlab_stream(ctx, &a->phase_rng, DLAB_PURPOSE_PROFILE, 0);
    if (dlab_sampler_init(&a->gaps, &w->interarrival, ctx->pool, a->steady ? 1 / w->arrival_rate : 1,
                          &ctx->arena, &ctx->err))
        return ctx->err.code;
    if (a->steady) return DLAB_OK;
    a->bursting = w->profile == DLAB_PROFILE_BURSTS && dlab_rng_unit(&a->phase_rng) >= w->burst_share;
    next_piece(a); /* bursts: into the phase that a random moment would find, the other one having ended */
    return DLAB_OK;
}

/* At the beginning of a day: skip the whole days that an operational gap of x spans. Returns what is left
 * of it. */
static double skip_days(dlab_arrivals *a, double x)
{
    const double day = a->w->arrival_rate * a->w->period, whole = floor(x / day);
    if (!(whole >= 1)) return x;
    a->now += whole * a->w->period;
    a->piece_start += whole * a->w->period;
    a->piece_end += whole * a->w->period;
    x -= whole * day;
    return x > 0 ? x : 0;
}

/* Move on to the arrival whose operational gap is x. */
static int stretch(dlab_arrivals *a, dlab_ctx *ctx, double x)
{
    for (;;) {
        const double rate = a->rate + a->slope * (a->now - a->piece_start);
        const double left = a->piece_end - a->now;
        const double within = isinf(left) ? INFINITY : left * (rate + 0.5 * a->slope * left);
        if (x <= within) {
            /* "slope/2 dt^2 + rate dt = x", the root in its stable form */
            const double root = rate * rate + 2 * a->slope * x;
            a->now += x > 0 ? 2 * x / (rate + sqrt(root > 0 ? root : 0)) : 0;
            return DLAB_OK;
        }
        if (dlab_step(ctx, 1)) return ctx->err.code;
        x -= within > 0 ? within : 0;
        a->now = a->piece_end;
        next_piece(a);
        if (a->w->profile == DLAB_PROFILE_DIURNAL && a->piece == 1) x = skip_days(a, x);
        if (a->now * 1e9 > (double)DLAB_TIME_MAX)
            return dlab_fail(&ctx->err, DLAB_ELIMIT,
                             "simulated time passes 146 years before the next arrival");
        if (!(a->piece_end > a->now))
            return dlab_fail(&ctx->err, DLAB_ELIMIT,
                             "period = %g s is too short to be told apart at %g s of "
                             "simulated time",
                             a->w->period, a->now);
    }
}

int dlab_arrivals_fill(dlab_arrivals *a, dlab_ctx *ctx, int64_t *gaps, size_t n)
{
    if (a->steady) {
        dlab_sample_fill_ns(&a->gaps, &a->rng, gaps, n);
        return DLAB_OK;
    }
    for (size_t i = 0; i < n; i++) {
        const double before = a->now;
        if (stretch(a, ctx, dlab_sample(&a->gaps, &a->rng))) return ctx->err.code;
        const double gap = (a->now - before) * 1e9;
        gaps[i] = gap < (double)DLAB_TIME_MAX ? (int64_t)(gap + 0.5) : DLAB_TIME_MAX;
    }
    return DLAB_OK;
}
