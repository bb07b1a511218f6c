/* See systems.h: which closed form answers which question of which system.
 *
 * Many systems share a law. M/G/1 with exponential service is M/M/1, processor sharing and preemptive last
 * come first served have the states of M/M/1, a full house of G servers keeps nobody waiting; so each
 * question is answered by the law, and the law is found once. */
#include <math.h>

#include <distlab/numerics.h>

#include "queueing/systems.h"

/* What is known about waits, latencies and states. */
typedef enum law {
    UNKNOWN,     /* means only */
    MARKOV,      /* M/M/c, first come first served */
    ROOM,        /* M/M/c/K */
    CONSTANT,    /* M/D/1 */
    GEOMETRIC,   /* GI/M/1 */
    SERVICE_ONLY /* nobody waits */
} law;

static law law_of(const dlab_system *s)
{
    switch (s->kind) {
    case DLAB_SYSTEM_MM1:
    case DLAB_SYSTEM_MMC: return MARKOV;
    case DLAB_SYSTEM_MMCK: return s->capacity > 0 ? ROOM : MARKOV;
    case DLAB_SYSTEM_MMC_PATIENCE: return isinf(s->patience) ? MARKOV : UNKNOWN;
    case DLAB_SYSTEM_MGCC:
    case DLAB_SYSTEM_MGINF: return SERVICE_ONLY;
    case DLAB_SYSTEM_MD1: return s->capacity > 0 ? UNKNOWN : CONSTANT;
    case DLAB_SYSTEM_MDC: return s->servers == 1 ? CONSTANT : UNKNOWN;
    case DLAB_SYSTEM_GIM1: return s->scv_arrival == 1 ? MARKOV : GEOMETRIC;
    case DLAB_SYSTEM_GGC: return s->scv_arrival == 1 && s->scv_service == 1 ? MARKOV : UNKNOWN;
    case DLAB_SYSTEM_BATCH_ARRIVALS:
    case DLAB_SYSTEM_BATCH_SERVICE:
        if (s->batch > 1 || s->batch_overhead > 0) return UNKNOWN;
        return s->scv_service == 1 ? MARKOV : s->scv_service == 0 ? CONSTANT : UNKNOWN;
    case DLAB_SYSTEM_MG1: return s->scv_service == 1 ? MARKOV : s->scv_service == 0 ? CONSTANT : UNKNOWN;
    default: return UNKNOWN;
    }
}

static dlab_law service_law(const dlab_system *s)
{
    return (dlab_law){ 1 / s->service_rate, s->scv_service };
}

static dlab_law interarrival_law(const dlab_system *s)
{
    return (dlab_law){ 1 / s->arrival_rate, s->scv_arrival };
}

static dlab_batching batching_of(const dlab_system *s)
{
    return (dlab_batching){ s->arrival_rate, service_law(s), s->batch, s->batch_overhead };
}

/* Preemptive: a job is served at once, its wait is what others take out of its stay. */
static dlab_queue lifo_queue(const dlab_system *s)
{
    dlab_queue q = dlab_mmc(s->arrival_rate, s->service_rate, 1);
    q.wait_probability = NAN;
    return q;
}

static dlab_queue srpt_queue(const dlab_system *s)
{
    dlab_queue q = dlab_mg1(s->arrival_rate, service_law(s));
    q.latency = dlab_mg1_srpt(s->arrival_rate, service_law(s));
    q.wait = q.latency - 1 / s->service_rate;
    q.queue_length = s->arrival_rate * q.wait;
    q.in_system = s->arrival_rate * q.latency;
    q.wait_probability = NAN;
    return q;
}

dlab_queue dlab_system_queue(const dlab_system *s)
{
    const double lambda = s->arrival_rate, mu = s->service_rate;
    const dlab_batching batching = batching_of(s);
    switch (s->kind) {
    case DLAB_SYSTEM_MM1: return dlab_mmc(lambda, mu, 1);
    case DLAB_SYSTEM_MMC: return dlab_mmc(lambda, mu, s->servers);
    case DLAB_SYSTEM_MMCK:
        if (s->capacity == 0) return dlab_mmc(lambda, mu, s->servers);
        return dlab_mmck(lambda, mu, s->servers, s->capacity);
    case DLAB_SYSTEM_MMC_PATIENCE:
        if (isinf(s->patience)) return dlab_mmc(lambda, mu, s->servers);
        return dlab_erlang_a(lambda, mu, s->servers, s->patience);
    case DLAB_SYSTEM_MGCC: return dlab_mgcc(lambda, 1 / mu, s->servers);
    case DLAB_SYSTEM_MGINF: return dlab_mginf(lambda, 1 / mu);
    case DLAB_SYSTEM_MG1: return dlab_mg1(lambda, service_law(s));
    case DLAB_SYSTEM_MD1:
        if (s->capacity == 0) return dlab_mg1(lambda, (dlab_law){ 1 / mu, 0 });
        return dlab_md1k(lambda, 1 / mu, s->capacity);
    case DLAB_SYSTEM_MDC: return dlab_mdc(lambda, 1 / mu, s->servers);
    case DLAB_SYSTEM_GIM1: return dlab_gim1(interarrival_law(s), mu);
    case DLAB_SYSTEM_GGC: return dlab_ggc(lambda, mu, s->servers, s->scv_arrival, s->scv_service);
    case DLAB_SYSTEM_MG1_PS: return dlab_mg1_ps(lambda, 1 / mu);
    case DLAB_SYSTEM_MG1_SRPT: return srpt_queue(s);
    case DLAB_SYSTEM_MM1_LIFO: return lifo_queue(s);
    case DLAB_SYSTEM_BATCH_ARRIVALS: return dlab_mg1_batch_arrivals(lambda, service_law(s), s->batch);
    case DLAB_SYSTEM_BATCH_SERVICE: return dlab_batch_queue(&batching);
    default: return (dlab_queue){ NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
    }
}

/* Averages over all jobs; the throughput of an overloaded set is what the server can do for the classes that
 * get it. */
static dlab_queue average_class(const dlab_priority_class *c, size_t n)
{
    dlab_queue q = { .wait_probability = NAN };
    double arrivals = 0, left = 1;
    for (size_t i = 0; i < n; i++) {
        const double load = c[i].arrival_rate * c[i].service.mean, got = fmin(load, left);
        q.utilisation += got;
        q.throughput += load <= left ? c[i].arrival_rate : got / c[i].service.mean;
        q.queue_length += c[i].arrival_rate * c[i].wait;
        q.in_system += c[i].arrival_rate * c[i].latency;
        arrivals += c[i].arrival_rate;
        left -= got;
    }
    q.utilisation = fmin(q.utilisation, 1); /* a sum of rounded shares of 1 */
    q.wait = q.queue_length / arrivals;
    q.latency = q.in_system / arrivals;
    return q;
}

dlab_queue dlab_system_priorities(const dlab_system *s, dlab_priority_class *c, size_t n)
{
    enum { MAX = 64 };
    double rates[MAX], times[MAX];
    dlab_law laws[MAX];
    if (n < 1 || n > MAX) return (dlab_queue){ NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
    for (size_t i = 0; i < n; i++) {
        rates[i] = c[i].arrival_rate;
        laws[i] = c[i].service;
    }
    const bool preemptive = s->kind == DLAB_SYSTEM_PRIORITY_PREEMPTIVE;
    if (preemptive) (void)dlab_priority_latency(n, rates, laws, times);
    else (void)dlab_priority_wait(n, rates, laws, times);
    for (size_t i = 0; i < n; i++) {
        c[i].wait = preemptive ? times[i] - laws[i].mean : times[i];
        c[i].latency = preemptive ? times[i] : times[i] + laws[i].mean;
    }
    dlab_queue q = average_class(c, n);
    /* Poisson arrivals of any class find the server busy that often; preemption lets some start at once. */
    if (!preemptive) q.wait_probability = q.utilisation;
    return q;
}

/* GI/M/1: the wait is 0 or exponential with rate mu (1 - sigma), the latency exponential with that rate; 0
 * without a steady state. */
static double geometric_rate(const dlab_system *s, double *sigma)
{
    *sigma = dlab_gim1_sigma(interarrival_law(s), s->service_rate);
    if (isnan(*sigma)) return 0;
    return *sigma / dlab_gim1(interarrival_law(s), s->service_rate).wait;
}

static int64_t servers_of(const dlab_system *s)
{
    const bool many = s->kind == DLAB_SYSTEM_MMC || s->kind == DLAB_SYSTEM_MMCK ||
                      s->kind == DLAB_SYSTEM_MMC_PATIENCE || s->kind == DLAB_SYSTEM_MGCC ||
                      s->kind == DLAB_SYSTEM_GGC;
    return many ? s->servers : 1;
}

double dlab_system_wait_tail(const dlab_system *s, double t)
{
    double sigma;
    switch (law_of(s)) {
    case MARKOV: return dlab_mmc_wait_tail(s->arrival_rate, s->service_rate, servers_of(s), t);
    case ROOM: return dlab_mmck_wait_tail(s->arrival_rate, s->service_rate, s->servers, s->capacity, t);
    case CONSTANT: return dlab_md1_wait_tail(s->arrival_rate, 1 / s->service_rate, t);
    case GEOMETRIC: {
        const double rate = geometric_rate(s, &sigma);
        return rate > 0 ? sigma * exp(-rate * t) : 1;
    }
    case SERVICE_ONLY: return 0;
    default: return NAN;
    }
}

double dlab_system_wait_quantile(const dlab_system *s, double p)
{
    double sigma;
    switch (law_of(s)) {
    case MARKOV: return dlab_mmc_wait_quantile(s->arrival_rate, s->service_rate, servers_of(s), p);
    case ROOM: return dlab_mmck_wait_quantile(s->arrival_rate, s->service_rate, s->servers, s->capacity, p);
    case CONSTANT: return dlab_md1_wait_quantile(s->arrival_rate, 1 / s->service_rate, p);
    case GEOMETRIC: {
        const double rate = geometric_rate(s, &sigma);
        if (!(rate > 0)) return INFINITY;
        return 1 - p >= sigma ? 0 : (log(sigma) - log1p(-p)) / rate;
    }
    case SERVICE_ONLY: return 0;
    default: return NAN;
    }
}

double dlab_system_latency_cdf(const dlab_system *s, double t)
{
    double sigma;
    if (s->kind == DLAB_SYSTEM_MM1_LIFO) return dlab_mm1_busy_cdf(s->arrival_rate, s->service_rate, t);
    switch (law_of(s)) {
    case MARKOV: return 1 - dlab_mmc_latency_tail(s->arrival_rate, s->service_rate, servers_of(s), t);
    case ROOM: return dlab_mmck_latency_cdf(s->arrival_rate, s->service_rate, s->servers, s->capacity, t);
    case CONSTANT: return dlab_md1_wait_cdf(s->arrival_rate, 1 / s->service_rate, t - 1 / s->service_rate);
    case GEOMETRIC: return -expm1(-geometric_rate(s, &sigma) * t);
    case SERVICE_ONLY: return 1 - dlab_law_tail(service_law(s), t);
    default: return NAN;
    }
}

double dlab_system_latency_quantile(const dlab_system *s, double p)
{
    double sigma;
    if (s->kind == DLAB_SYSTEM_MM1_LIFO) return dlab_mm1_busy_quantile(s->arrival_rate, s->service_rate, p);
    switch (law_of(s)) {
    case MARKOV: return dlab_mmc_latency_quantile(s->arrival_rate, s->service_rate, servers_of(s), p);
    case ROOM:
        return dlab_mmck_latency_quantile(s->arrival_rate, s->service_rate, s->servers, s->capacity, p);
    case CONSTANT:
        return dlab_md1_wait_quantile(s->arrival_rate, 1 / s->service_rate, p) + 1 / s->service_rate;
    case GEOMETRIC: return -log1p(-p) / geometric_rate(s, &sigma);
    case SERVICE_ONLY: return dlab_law_quantile(service_law(s), p);
    default: return NAN;
    }
}

/* GI/M/1 at any time: idle with 1 - rho, else the geometric law that arrivals see, shifted by one. */
static double geometric_state(const dlab_system *s, int64_t n)
{
    const double load = s->arrival_rate / s->service_rate;
    const double sigma = dlab_gim1_sigma(interarrival_law(s), s->service_rate);
    if (isnan(sigma)) return 0;
    return n == 0 ? 1 - load : load * (1 - sigma) * pow(sigma, (double)(n - 1));
}

double dlab_system_state(const dlab_system *s, int64_t n)
{
    const double lambda = s->arrival_rate, mu = s->service_rate;
    if (s->kind == DLAB_SYSTEM_MG1_PS || s->kind == DLAB_SYSTEM_MM1_LIFO)
        return dlab_mmc_state(lambda, mu, 1, n);
    if (s->kind == DLAB_SYSTEM_MGCC) return dlab_mmck_state(lambda, mu, s->servers, s->servers, n);
    if (s->kind == DLAB_SYSTEM_MGINF) return dlab_poisson_pmf(n, lambda / mu);
    if (s->kind == DLAB_SYSTEM_MD1 && s->capacity > 0) return dlab_md1k_state(lambda, 1 / mu, s->capacity, n);
    switch (law_of(s)) {
    case MARKOV: return dlab_mmc_state(lambda, mu, servers_of(s), n);
    case ROOM: return dlab_mmck_state(lambda, mu, s->servers, s->capacity, n);
    case CONSTANT: return dlab_md1_state(lambda, 1 / mu, n);
    case GEOMETRIC: return geometric_state(s, n);
    default: return NAN;
    }
}

double dlab_system_latency_of_size(const dlab_system *s, double size)
{
    switch (s->kind) {
    case DLAB_SYSTEM_MG1_PS:
    case DLAB_SYSTEM_MM1_LIFO: return dlab_mg1_ps_latency(s->arrival_rate, 1 / s->service_rate, size);
    case DLAB_SYSTEM_MG1_SRPT: return dlab_mg1_srpt_latency(s->arrival_rate, service_law(s), size);
    case DLAB_SYSTEM_MMC_PATIENCE:
    case DLAB_SYSTEM_GGC:
    case DLAB_SYSTEM_PRIORITY:
    case DLAB_SYSTEM_PRIORITY_PREEMPTIVE:
    case DLAB_SYSTEM_BATCH_SERVICE: return NAN;
    default: return dlab_system_queue(s).wait + size; /* in order of arrival the size changes no wait */
    }
}

double dlab_system_wait_bound(const dlab_system *s)
{
    const dlab_batching batching = batching_of(s);
    switch (s->kind) {
    case DLAB_SYSTEM_MM1: return dlab_kingman_bound(s->arrival_rate, s->service_rate, 1, 1);
    case DLAB_SYSTEM_MG1: return dlab_kingman_bound(s->arrival_rate, s->service_rate, 1, s->scv_service);
    case DLAB_SYSTEM_MD1:
        return s->capacity > 0 ? NAN : dlab_kingman_bound(s->arrival_rate, s->service_rate, 1, 0);
    case DLAB_SYSTEM_GIM1: return dlab_kingman_bound(s->arrival_rate, s->service_rate, s->scv_arrival, 1);
    case DLAB_SYSTEM_GGC:
        if (s->servers > 1) return NAN;
        return dlab_kingman_bound(s->arrival_rate, s->service_rate, s->scv_arrival, s->scv_service);
    case DLAB_SYSTEM_BATCH_SERVICE:
        return dlab_batch_gather_time(s->arrival_rate, s->batch) + dlab_batch_wait_bound(&batching);
    default: return NAN;
    }
}

/* A parameter that a system does not know would be ignored in silence: name it, and a system that has it. */
static int check_uses(const dlab_system *s, size_t classes, dlab_error *err)
{
    static const char *const names[] = {
#define X(code, name, uses) name,
        DLAB_SYSTEMS(X)
#undef X
    };
    static const int known[] = {
#define X(code, name, uses) uses,
        DLAB_SYSTEMS(X)
#undef X
    };
    const bool constant = s->kind == DLAB_SYSTEM_MD1 || s->kind == DLAB_SYSTEM_MDC;
    const struct {
        int use;
        bool set;
        const char *name;
        double value;
    } all[] = {
        { DLAB_USES_SERVERS, s->servers != 1, "servers", (double)s->servers },
        { DLAB_USES_CAPACITY, s->capacity != 0, "capacity", (double)s->capacity },
        { DLAB_USES_SCV_ARRIVAL, s->scv_arrival != 1, "scv_arrival", s->scv_arrival },
        { DLAB_USES_SCV_SERVICE, s->scv_service != (constant ? 0 : 1) && s->scv_service != 1, "scv_service",
          s->scv_service },
        { DLAB_USES_BATCH, s->batch != 1, "batch", (double)s->batch },
        { DLAB_USES_OVERHEAD, s->batch_overhead != 0, "batch_overhead", s->batch_overhead },
        { DLAB_USES_PATIENCE, !isinf(s->patience), "patience_mean", s->patience },
        { DLAB_USES_CLASSES, classes > 0, "classes", (double)classes },
    };
    enum { N = sizeof all / sizeof all[0] };
    int used = 0, other = 0, i = 0;
    for (int k = 0; k < N; k++) used |= all[k].set ? all[k].use : 0;
    while (i < N && (!all[i].set || (known[s->kind] & all[i].use) != 0)) i++;
    if (i == N) return DLAB_OK;
    while (other < DLAB_SYSTEM_KINDS && (known[other] & used) != used) other++;
    const bool found = other < DLAB_SYSTEM_KINDS;
    return dlab_fail(err, DLAB_EINVAL, "system = %s has no use for %s = %g%s%s%s", names[s->kind],
                     all[i].name, all[i].value, found ? "; " : "", found ? names[other] : "",
                     found ? " has" : "");
}

int dlab_system_check(const dlab_system *s, size_t classes, dlab_error *err)
{
    if (check_uses(s, classes, err)) return err->code;
    if (s->capacity > 0 && s->capacity < s->servers)
        return dlab_fail(err, DLAB_EINVAL,
                         "capacity = %lld is below servers = %lld: those in service count too",
                         (long long)s->capacity, (long long)s->servers);
    if (s->kind == DLAB_SYSTEM_MD1 && s->capacity > 1000000)
        return dlab_fail(err, DLAB_ERANGE, "capacity = %lld is outside [1, 1e6] with system = md1",
                         (long long)s->capacity);
    return DLAB_OK;
}
