/* The detectors, and the quality of service of the one whose law is known.
 *
 * With timeout T and interval h, the deadline of heartbeat i is i h + T. A time x after it (0 <= x < h) the
 * sender is suspected if none of the heartbeats i, i + 1, ... sent so far has arrived; of heartbeat i + j
 * that is so with probability p_j(x) = loss + (1 - loss) P(delay > T + x - j h), and u(x) is the product of
 * the p_j. A mistake begins at a deadline that finds nothing new although heartbeat i - 1 has arrived. */
#include "links/detector.h"

#include <math.h>

#include <distlab/numerics.h>
#include <distlab/real.h>
#include <distlab/statistics.h>

enum { TERMS_MAX = 10000 };

/* Offsets and intervals above a hundred days count as that: the sum of a window must fit. */
#define SAMPLE_MAX (INT64_C(1) << 53)

int dlab_detector_open(dlab_detector *d, const dlab_detector_rule *rule, dlab_ctx *ctx)
{
    *d = (dlab_detector){ .rule = *rule, .deadline = INT64_MIN };
    d->z = -dlab_normal_quantile(dlab_pow(10, -rule->phi));
    d->samples = dlab_alloc(ctx, rule->window, sizeof *d->samples);
    return ctx->err.code;
}

static void remember(dlab_detector *d, int64_t sample)
{
    if (sample > SAMPLE_MAX) sample = SAMPLE_MAX;
    if (d->count == d->rule.window) {
        const int64_t old = d->samples[d->next];
        d->sum -= old;
        d->squares -= (dlab_u128)old * (dlab_u128)old;
    } else {
        d->count++;
    }
    d->samples[d->next] = sample;
    d->next = (d->next + 1) % d->rule.window;
    d->sum += sample;
    d->squares += (dlab_u128)sample * (dlab_u128)sample;
}

/* Mean and deviation of the intervals seen; before the first one the interval itself and a quarter of it. */
static double phi_limit(const dlab_detector *d)
{
    double mean = (double)d->rule.interval, deviation = mean / 4;
    if (d->count > 0) {
        const double n = d->count;
        mean = (double)d->sum / n;
        deviation = sqrt(fmax((double)d->squares / n - mean * mean, 0));
    }
    return mean + d->z * fmax(deviation, (double)d->rule.deviation_min);
}

static int64_t limited(double ns) { return ns < (double)DLAB_TIME_MAX ? (int64_t)ns : DLAB_TIME_MAX; }

static void hear_fixed(dlab_detector *d, int64_t number, int64_t at)
{
    const dlab_detector_rule *r = &d->rule;
    int64_t until = at + r->timeout;
    if (r->timer_from == DLAB_TIMER_FROM_SEND) until = (number + 1) * r->interval + r->timeout;
    if (r->old_revives && until <= at) until = at + r->interval;
    if (until > d->deadline) d->deadline = until;
}

void dlab_detector_heard(dlab_detector *d, int64_t number, int64_t at)
{
    const dlab_detector_rule *r = &d->rule;
    const bool first = d->newest == 0, fresh = number > d->newest;
    if (fresh) d->newest = number;
    if (r->kind == DLAB_DETECTOR_FIXED) {
        hear_fixed(d, number, at);
    } else if (r->kind == DLAB_DETECTOR_CHEN && fresh) {
        remember(d, at - number * r->interval);
        d->deadline = (number + 1) * r->interval + d->sum / d->count + r->margin;
    } else if (r->kind == DLAB_DETECTOR_PHI) {
        if (!first) remember(d, at - d->arrival);
        d->deadline = limited((double)at + phi_limit(d));
    }
    d->arrival = at;
}

typedef struct chances {
    double timeout, interval, loss;
    const dlab_distribution *delay;
    const dlab_pool *pool;
} chances;

static double missing(const chances *c, double after)
{
    return after < 0 ? 1 : c->loss + (1 - c->loss) * (1 - dlab_distribution_cdf(c->delay, c->pool, after));
}

static double suspected(double x, void *data)
{
    const chances *c = data;
    double product = 1;
    for (double after = c->timeout + x; after >= 0 && product > 1e-300; after -= c->interval)
        product *= missing(c, after);
    return product;
}

int dlab_detector_theory(const dlab_detector_rule *rule, double loss, const dlab_distribution *delay,
                         dlab_detector_qos *qos, dlab_ctx *ctx)
{
    chances c = { 1e-9 * (double)rule->timeout, 1e-9 * (double)rule->interval, loss, delay, ctx->pool };
    *qos = (dlab_detector_qos){ NAN, NAN, NAN, NAN };
    if (rule->kind != DLAB_DETECTOR_FIXED || rule->timer_from != DLAB_TIMER_FROM_SEND) return DLAB_OK;
    if (c.timeout / c.interval > TERMS_MAX) return DLAB_OK;
    if (dlab_step(ctx, 1000)) return ctx->err.code;
    /* A term more comes in where x passes the next multiple of the interval. */
    const double kink = c.interval * ceil(c.timeout / c.interval) - c.timeout;
    const double late = dlab_integrate(suspected, &c, 0, kink, 1e-10, NULL) +
                        dlab_integrate(suspected, &c, kink, c.interval, 1e-10, NULL);
    qos->false_suspicion = suspected(0, &c);
    const double begins = (1 - missing(&c, c.timeout + c.interval)) * qos->false_suspicion;
    qos->mistake_rate = begins / c.interval;
    qos->mistake_duration = begins > 0 ? late / begins : NAN;
    qos->accuracy = 1 - late / c.interval;
    return DLAB_OK;
}
