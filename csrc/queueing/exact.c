/* See exact.h: which closed form answers which station. Shapes are recognised by kind, never by fitting: a law that
 * merely has the right mean and variance gets no exact quantile. */
#include <math.h>

#include <distlab/closed_forms.h>

#include "queueing/exact.h"

enum { QUANTILES = 5 };
static const double levels[QUANTILES] = { 0.5, 0.9, 0.95, 0.99, 0.999 };

/* What one closed form says; NaN where it is silent. */
typedef struct answer {
    dlab_queue queue;
    double latency[QUANTILES];
    double in_time; /* P(latency <= deadline) of an accepted job */
} answer;

static bool is_exponential(const dlab_distribution *d)
{
    if (d->shift != 0) return false;
    return d->kind == DLAB_DIST_EXPONENTIAL || (d->kind == DLAB_DIST_GAMMA && d->p[0] == 1) ||
           (d->kind == DLAB_DIST_ERLANG && d->p[0] == 1) || (d->kind == DLAB_DIST_WEIBULL && d->p[0] == 1);
}

/* Laws that dlab_law describes completely by mean and scv: constants and Erlang or gamma of shape >= 1. */
static bool is_plain_law(const dlab_distribution *d)
{
    return d->kind == DLAB_DIST_CONSTANT ||
           (d->shift == 0 && (d->kind == DLAB_DIST_ERLANG || (d->kind == DLAB_DIST_GAMMA && d->p[0] >= 1)));
}

static void answer_mmc(const dlab_station_law *s, double rate, answer *a)
{
    const double arrivals = s->arrival_rate;
    if (s->capacity > 0) {
        a->queue = dlab_mmck(arrivals, rate, s->servers, s->capacity);
        a->in_time = 1 - dlab_mmck_latency_tail(arrivals, rate, s->servers, s->capacity, s->deadline);
        for (int i = 0; i < QUANTILES; i++)
            a->latency[i] = dlab_mmck_latency_quantile(arrivals, rate, s->servers, s->capacity, levels[i]);
    } else {
        a->queue = dlab_mmc(arrivals, rate, s->servers);
        a->in_time = 1 - dlab_mmc_latency_tail(arrivals, rate, s->servers, s->deadline);
        for (int i = 0; i < QUANTILES; i++)
            a->latency[i] = dlab_mmc_latency_quantile(arrivals, rate, s->servers, levels[i]);
    }
}

/* No waiting room: an accepted job's latency is its service. */
static void answer_mgcc(const dlab_station_law *s, double mean, answer *a)
{
    a->queue = dlab_mgcc(s->arrival_rate, mean, s->servers);
    a->in_time = dlab_distribution_cdf(s->service, s->pool, s->deadline);
    for (int i = 0; i < QUANTILES; i++)
        a->latency[i] = dlab_distribution_quantile(s->service, s->pool, levels[i]);
}

static void answer_constant_service(const dlab_station_law *s, double mean, answer *a)
{
    if (s->capacity > 0) {
        if (s->servers == 1) a->queue = dlab_md1k(s->arrival_rate, mean, s->capacity);
        return;
    }
    a->queue = dlab_mdc(s->arrival_rate, mean, s->servers);
    if (s->servers > 1) return;
    a->in_time = s->deadline < mean ? 0 : 1 - dlab_md1_wait_tail(s->arrival_rate, mean, s->deadline - mean);
    for (int i = 0; i < QUANTILES; i++)
        a->latency[i] = mean + dlab_md1_wait_quantile(s->arrival_rate, mean, levels[i]);
}

/* GI/M/1: the latency is exponential with rate (1 - sigma) times the service rate. */
static void answer_gim1(const dlab_station_law *s, double rate, answer *a)
{
    const dlab_law gaps = { 1 / s->arrival_rate, dlab_distribution_scv(s->interarrival, s->pool) };
    const double decay = rate * (1 - dlab_gim1_sigma(gaps, rate));
    a->queue = dlab_gim1(gaps, rate);
    a->in_time = -expm1(-decay * s->deadline);
    for (int i = 0; i < QUANTILES; i++) a->latency[i] = -log1p(-levels[i]) / decay;
}

/* What holds for any stable station without a capacity. */
static void answer_any(const dlab_station_law *s, double mean, answer *a)
{
    a->queue.utilisation = s->arrival_rate * mean / (double)s->servers;
    a->queue.throughput = s->arrival_rate;
    a->queue.loss = 0;
}

static void find_answer(const dlab_station_law *s, answer *a)
{
    const double mean = dlab_distribution_mean(s->service, s->pool);
    const bool poisson = is_exponential(s->interarrival), exponential = is_exponential(s->service);
    if (s->capacity == 0 && !(s->arrival_rate * mean < (double)s->servers)) return; /* no steady state */
    if (poisson && exponential) {
        answer_mmc(s, 1 / mean, a);
    } else if (poisson && s->capacity == s->servers) {
        answer_mgcc(s, mean, a);
    } else if (poisson && s->service->kind == DLAB_DIST_CONSTANT) {
        answer_constant_service(s, mean, a);
    } else if (s->capacity == 0) {
        if (poisson && s->servers == 1)
            a->queue =
                dlab_mg1(s->arrival_rate, (dlab_law){ mean, dlab_distribution_scv(s->service, s->pool) });
        else if (exponential && s->servers == 1 && is_plain_law(s->interarrival)) answer_gim1(s, 1 / mean, a);
        else answer_any(s, mean, a);
    }
}

void dlab_station_exact(const dlab_station_law *law, double values[DLAB_STATION_EXACT])
{
    answer a = { .queue = { NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN }, .in_time = NAN };
    for (int i = 0; i < QUANTILES; i++) a.latency[i] = NAN;
    find_answer(law, &a);
    if (isinf(law->deadline)) a.in_time = 1;
    const double success = (1 - a.queue.loss) * a.in_time;
    const double all[DLAB_STATION_EXACT] = {
        a.queue.latency,
        a.latency[0],
        a.latency[1],
        a.latency[2],
        a.latency[3],
        a.latency[4],
        a.queue.wait,
        a.queue.wait_probability,
        a.queue.utilisation,
        law->arrival_rate,
        a.queue.throughput,
        a.queue.throughput * a.in_time,
        success,
        a.queue.loss,
        a.queue.queue_length,
        a.queue.in_system,
    };
    for (int i = 0; i < DLAB_STATION_EXACT; i++) values[i] = all[i];
}
