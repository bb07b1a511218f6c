/* M/M/c: Poisson arrivals, c exponential servers, one line without end.
 *
 * State probabilities are Poisson terms over their sum, the latter by the incomplete gamma, so nothing
 * overflows for any c. The wait is 0 or, with Erlang's C, exponential with rate c mu - lambda; the latency
 * adds an independent service, and the removable singularity where both rates are equal is taken out with
 * expm1.
 *
 * Sources: Kleinrock, Queueing Systems 1 (1975), 3.5; Gross and Harris, Fundamentals of Queueing Theory, 3rd
 * ed., 2.3 (waiting-time laws). */
#include <distlab/closed_forms.h>

#include <math.h>
#include <stdbool.h>

#include <distlab/numerics.h>

static bool is_station(double arrival_rate, double service_rate, int64_t servers)
{
    return arrival_rate > 0 && arrival_rate < INFINITY && service_rate > 0 && service_rate < INFINITY &&
           servers >= 1 && servers <= 10000000;
}

dlab_queue dlab_mmc(double arrival_rate, double service_rate, int64_t servers)
{
    if (!is_station(arrival_rate, service_rate, servers))
        return (dlab_queue){ NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
    const double load = arrival_rate / service_rate, c = (double)servers;
    const double spare = c * service_rate - arrival_rate;
    if (!(spare > 0))
        return (dlab_queue){ .utilisation = 1,
                             .throughput = c * service_rate,
                             .wait_probability = 1,
                             .wait = INFINITY,
                             .latency = INFINITY,
                             .queue_length = INFINITY,
                             .in_system = INFINITY };
    dlab_queue q = { .utilisation = load / c, .throughput = arrival_rate };
    q.wait_probability = dlab_erlang_c(servers, load);
    q.wait = q.wait_probability / spare;
    q.latency = q.wait + 1 / service_rate;
    q.queue_length = arrival_rate * q.wait;
    q.in_system = q.queue_length + load;
    return q;
}

double dlab_mmc_state(double arrival_rate, double service_rate, int64_t servers, int64_t n)
{
    if (!is_station(arrival_rate, service_rate, servers) || n < 0) return NAN;
    const double load = arrival_rate / service_rate, c = (double)servers;
    if (!(load < c)) return 0;
    const double at_c = dlab_poisson_pmf(servers, load);
    const double sum = dlab_poisson_cdf(servers - 1, load) + at_c * (c / (c - load));
    if (n <= servers) return dlab_poisson_pmf(n, load) / sum;
    return at_c / sum * exp((double)(n - servers) * log1p((load - c) / c));
}

double dlab_mmc_wait_tail(double arrival_rate, double service_rate, int64_t servers, double t)
{
    const dlab_queue q = dlab_mmc(arrival_rate, service_rate, servers);
    if (isnan(t) || isnan(q.utilisation)) return NAN;
    if (t < 0) return 1;
    if (isinf(q.wait)) return 1;
    return q.wait_probability * exp(-((double)servers * service_rate - arrival_rate) * t);
}

double dlab_mmc_wait_quantile(double arrival_rate, double service_rate, int64_t servers, double p)
{
    const dlab_queue q = dlab_mmc(arrival_rate, service_rate, servers);
    if (isnan(q.utilisation) || !(p >= 0) || !(p <= 1)) return NAN;
    if (isinf(q.wait)) return INFINITY;
    if (1 - p >= q.wait_probability) return 0;
    return (log(q.wait_probability) - log1p(-p)) / ((double)servers * service_rate - arrival_rate);
}

/* P(X + Y > t) of independent exponentials: exp(-b t) + b exp(-b t) (1 - exp(-(a - b) t)) / (a - b). */
static double two_exponentials_tail(double a, double b, double t)
{
    const double slow = fmin(a, b), gap = fabs(a - b);
    const double overlap = gap * t > 1e-300 ? -expm1(-gap * t) / gap : t;
    return exp(-slow * t) * (1 + slow * overlap);
}

static double latency_tail(const dlab_queue *q, double service_rate, double spare, double t)
{
    if (isinf(t)) return 0;
    const double waited = two_exponentials_tail(spare, service_rate, t);
    return q->wait_probability * waited + (1 - q->wait_probability) * exp(-service_rate * t);
}

double dlab_mmc_latency_tail(double arrival_rate, double service_rate, int64_t servers, double t)
{
    const dlab_queue q = dlab_mmc(arrival_rate, service_rate, servers);
    if (isnan(t) || isnan(q.utilisation)) return NAN;
    if (t < 0 || isinf(q.wait)) return 1;
    if (servers == 1) return exp(-(service_rate - arrival_rate) * t);
    return latency_tail(&q, service_rate, (double)servers * service_rate - arrival_rate, t);
}

typedef struct latency_target {
    dlab_queue q;
    double service_rate, spare, log_tail;
} latency_target;

static double latency_miss(double t, void *data)
{
    const latency_target *target = data;
    return log(latency_tail(&target->q, target->service_rate, target->spare, t)) - target->log_tail;
}

double dlab_mmc_latency_quantile(double arrival_rate, double service_rate, int64_t servers, double p)
{
    const dlab_queue q = dlab_mmc(arrival_rate, service_rate, servers);
    const double spare = (double)servers * service_rate - arrival_rate;
    if (isnan(q.utilisation) || !(p >= 0) || !(p <= 1)) return NAN;
    if (isinf(q.wait)) return INFINITY;
    if (p == 0) return 0;
    if (p == 1) return INFINITY;
    if (servers == 1) return -log1p(-p) / spare;
    latency_target target = { q, service_rate, spare, log1p(-p) };
    /* A job takes at least its service; a little less, lest rounding puts the root outside. */
    const double low = -log1p(-p) / service_rate * (1 - 1e-9);
    double high = low + 1 / fmin(spare, service_rate);
    while (latency_miss(high, &target) > 0) high *= 2;
    return dlab_root(latency_miss, &target, low, high, 0);
}
