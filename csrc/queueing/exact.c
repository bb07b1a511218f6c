/* See exact.h: which closed form answers which station. Shapes are recognised by kind, never by fitting:
 * a law that merely has the right mean and variance gets no exact quantile. */
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
    double offered, abandonment, goodput;
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

static void answer_mmc(const dlab_serve *s, double rate, answer *a)
{
    const double arrivals = s->workload.arrival_rate;
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
static void answer_mgcc(const dlab_serve *s, const dlab_pool *pool, double mean, answer *a)
{
    a->queue = dlab_mgcc(s->workload.arrival_rate, mean, s->servers);
    a->in_time = dlab_distribution_cdf(&s->service, pool, s->deadline);
    for (int i = 0; i < QUANTILES; i++)
        a->latency[i] = dlab_distribution_quantile(&s->service, pool, levels[i]);
}

static void answer_constant_service(const dlab_serve *s, double mean, answer *a)
{
    if (s->capacity > 0) {
        if (s->servers == 1) a->queue = dlab_md1k(s->workload.arrival_rate, mean, s->capacity);
        return;
    }
    a->queue = dlab_mdc(s->workload.arrival_rate, mean, s->servers);
    if (s->servers > 1) return;
    a->in_time =
        s->deadline < mean ? 0 : 1 - dlab_md1_wait_tail(s->workload.arrival_rate, mean, s->deadline - mean);
    for (int i = 0; i < QUANTILES; i++)
        a->latency[i] = mean + dlab_md1_wait_quantile(s->workload.arrival_rate, mean, levels[i]);
}

/* GI/M/1: the latency is exponential with rate (1 - sigma) times the service rate. */
static void answer_gim1(const dlab_serve *s, const dlab_pool *pool, double rate, answer *a)
{
    const dlab_law gaps = { 1 / s->workload.arrival_rate,
                            dlab_distribution_scv(&s->workload.interarrival, pool) };
    const double decay = rate * (1 - dlab_gim1_sigma(gaps, rate));
    a->queue = dlab_gim1(gaps, rate);
    a->in_time = -expm1(-decay * s->deadline);
    for (int i = 0; i < QUANTILES; i++) a->latency[i] = -log1p(-levels[i]) / decay;
}

/* What holds for any stable station without a capacity. */
static void answer_any(const dlab_serve *s, double mean, answer *a)
{
    a->queue.utilisation = s->workload.arrival_rate * mean / (double)s->servers;
    a->queue.throughput = s->workload.arrival_rate;
    a->queue.loss = 0;
}

/* Means follow from the mean latency alone (Little); a wait is the time not in service. */
static void answer_mean_latency(const dlab_serve *s, double mean, double latency, answer *a)
{
    answer_any(s, mean, a);
    a->queue.latency = latency;
    a->queue.wait = latency - mean;
    a->queue.queue_length = s->workload.arrival_rate * a->queue.wait;
    a->queue.in_system = s->workload.arrival_rate * latency;
}

static void answer_fifo(const dlab_serve *s, const dlab_pool *pool, double mean, answer *a)
{
    const bool poisson = is_exponential(&s->workload.interarrival), exponential = is_exponential(&s->service);
    if (poisson && exponential) {
        answer_mmc(s, 1 / mean, a);
    } else if (poisson && s->capacity == s->servers) {
        answer_mgcc(s, pool, mean, a);
    } else if (poisson && s->service.kind == DLAB_DIST_CONSTANT) {
        answer_constant_service(s, mean, a);
    } else if (s->capacity == 0) {
        const dlab_law law = { mean, dlab_distribution_scv(&s->service, pool) };
        if (poisson && s->servers == 1) a->queue = dlab_mg1(s->workload.arrival_rate, law);
        else if (exponential && s->servers == 1 && is_plain_law(&s->workload.interarrival))
            answer_gim1(s, pool, 1 / mean, a);
        else answer_any(s, mean, a);
    }
}

/* Orders that do not look at sizes and do not break service have the means of first come first served
 * (Kleinrock's conservation law); the laws differ. */
static void answer_blind(const dlab_serve *s, const dlab_pool *pool, double mean, answer *a)
{
    const bool exponential = is_exponential(&s->service);
    if (!is_exponential(&s->workload.interarrival) || (s->servers > 1 && !exponential)) return;
    if (s->capacity > 0 && !exponential) return;
    answer_fifo(s, pool, mean, a);
    a->in_time = NAN;
    for (int i = 0; i < QUANTILES; i++) a->latency[i] = NAN;
}

/* Orders that break service, one server: sharing and last come first served are insensitive to the law of
 * service. */
static void answer_preemptive(const dlab_serve *s, const dlab_pool *pool, double mean, answer *a)
{
    const double rate = s->workload.arrival_rate;
    const bool exponential = is_exponential(&s->service);
    if (!is_exponential(&s->workload.interarrival) || s->servers > 1 || s->capacity > 0) return;
    if (s->discipline == DLAB_DISCIPLINE_SRPT) {
        if (exponential) answer_mean_latency(s, mean, dlab_mg1_srpt(rate, (dlab_law){ mean, 1 }), a);
        return;
    }
    answer_mean_latency(s, mean, dlab_mg1_ps(rate, mean).latency, a);
    (void)pool;
    if (s->discipline != DLAB_DISCIPLINE_LIFO_PREEMPTIVE || !exponential) return;
    a->in_time = dlab_mm1_busy_cdf(rate, 1 / mean, s->deadline);
    for (int i = 0; i < QUANTILES; i++) a->latency[i] = dlab_mm1_busy_quantile(rate, 1 / mean, levels[i]);
}

/* No steady state, but a preempting newcomer's latency is a busy period that may never end, so the jobs
 * that leave in time have a rate. */
static void answer_overload(const dlab_serve *s, double mean, answer *a)
{
    if (s->discipline != DLAB_DISCIPLINE_LIFO_PREEMPTIVE || s->servers > 1 || isinf(s->deadline) ||
        !is_exponential(&s->workload.interarrival) || !is_exponential(&s->service))
        return;
    a->goodput = dlab_mm1_lifo_goodput(s->workload.arrival_rate, 1 / mean, s->deadline);
}

/* Exponential patience: Erlang A. Its waits count those who gave up too, so only shares are taken. */
static void answer_patience(const dlab_serve *s, const dlab_pool *pool, double mean, answer *a)
{
    if (!is_exponential(&s->workload.interarrival) || !is_exponential(&s->service) ||
        !is_exponential(&s->patience) || s->discipline != DLAB_DISCIPLINE_FIFO || s->capacity > 0)
        return;
    const dlab_queue q = dlab_erlang_a(s->workload.arrival_rate, 1 / mean, s->servers,
                                       dlab_distribution_mean(&s->patience, pool));
    a->queue.utilisation = q.utilisation;
    a->queue.throughput = q.throughput;
    a->queue.loss = 0;
    a->abandonment = q.loss;
}

static void find_answer(const dlab_serve *s, const dlab_pool *pool, answer *a)
{
    const double mean = dlab_distribution_mean(&s->service, pool);
    if (s->workload.load != DLAB_LOAD_OPEN || s->workload.profile != DLAB_PROFILE_STEADY) return;
    a->offered = s->workload.arrival_rate;
    if (s->pause.kind >= 0 || s->drop_late || !isinf(s->codel_target) || s->class_count > 0) return;
    if (s->patience.kind >= 0) {
        answer_patience(s, pool, mean, a);
        return;
    }
    a->abandonment = 0;
    if (s->capacity == 0 && !(s->workload.arrival_rate * mean < (double)s->servers)) {
        answer_overload(s, mean, a);
        return;
    }
    switch (s->discipline) {
    case DLAB_DISCIPLINE_FIFO: answer_fifo(s, pool, mean, a); break;
    case DLAB_DISCIPLINE_LIFO:
    case DLAB_DISCIPLINE_ADAPTIVE_LIFO:
    case DLAB_DISCIPLINE_RANDOM: answer_blind(s, pool, mean, a); break;
    case DLAB_DISCIPLINE_PS:
    case DLAB_DISCIPLINE_LIFO_PREEMPTIVE:
    case DLAB_DISCIPLINE_SRPT: answer_preemptive(s, pool, mean, a); break;
    default: break;
    }
}

void dlab_station_exact(const dlab_serve *what, const dlab_pool *pool, double values[DLAB_STATION_EXACT])
{
    answer a = { .queue = { NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN },
                 .in_time = NAN,
                 .offered = NAN,
                 .abandonment = NAN,
                 .goodput = NAN };
    for (int i = 0; i < QUANTILES; i++) a.latency[i] = NAN;
    find_answer(what, pool, &a);
    if (isinf(what->deadline)) a.in_time = 1;
    const double success = (1 - a.queue.loss - a.abandonment) * a.in_time;
    if (isnan(a.goodput)) a.goodput = a.queue.throughput * a.in_time;
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
        a.offered,
        a.queue.throughput,
        a.goodput,
        success,
        a.queue.loss,
        a.abandonment,
        a.queue.queue_length,
        a.queue.in_system,
    };
    for (int i = 0; i < DLAB_STATION_EXACT; i++) values[i] = all[i];
}
