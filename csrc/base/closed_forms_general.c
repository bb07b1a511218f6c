/* One server or many, laws beyond the exponential: what is exact (Pollaczek-Khinchine, GI/M/1, loss systems),
 * what is a bound (Kingman) and what is an approximation (VUT, Allen-Cunneen). Each function says which.
 *
 * Sources: Kleinrock 1 (1975), 5.6 (M/G/1), 6.4 (GI/M/1); Kleinrock 2 (1976), 2.1 (Kingman's bound);
 * Kingman, Proc. Camb. Phil. Soc. 57 (1961) (heavy traffic); Allen, Probability, Statistics and Queueing
 * Theory, 2nd ed., 5.3 (Allen-Cunneen); Takacs (1962) for E[W^2]; Cooper, 2nd ed., 5.10 (batch arrivals);
 * Little, Oper. Res. 9 (1961). */
#include <distlab/closed_forms.h>

#include <math.h>
#include <stdbool.h>

#include <distlab/numerics.h>

static const dlab_queue undefined = { NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };

static bool is_rate(double x) { return x > 0 && x < INFINITY; }

static bool is_law(dlab_law law) { return is_rate(law.mean) && law.scv >= 0 && law.scv < INFINITY; }

/* One server whose mean wait is known: the rest is Little's law. */
static dlab_queue single_server(double arrival_rate, double service_mean, double wait)
{
    const double load = arrival_rate * service_mean;
    const bool stable = load < 1;
    dlab_queue q = { .utilisation = fmin(load, 1), .throughput = fmin(arrival_rate, 1 / service_mean) };
    q.wait_probability = q.utilisation; /* Poisson arrivals see time averages; others overwrite it */
    q.wait = stable ? wait : INFINITY;
    q.latency = q.wait + service_mean;
    q.queue_length = arrival_rate * q.wait;
    q.in_system = q.queue_length + q.utilisation;
    return q;
}

dlab_queue dlab_mg1(double arrival_rate, dlab_law service)
{
    if (!is_rate(arrival_rate) || !is_law(service)) return undefined;
    const double load = arrival_rate * service.mean;
    return single_server(arrival_rate, service.mean,
                         load * service.mean * (1 + service.scv) / (2 * (1 - load)));
}

double dlab_mg1_wait_square(double arrival_rate, double mean, double square, double cube)
{
    const double idle = 1 - arrival_rate * mean;
    if (!is_rate(arrival_rate) || !(mean > 0) || !(square >= mean * mean) || !(cube > 0)) return NAN;
    if (!(idle > 0)) return INFINITY;
    const double wait = arrival_rate * square / (2 * idle);
    return 2 * wait * wait + arrival_rate * cube / (3 * idle);
}

dlab_queue dlab_mg1_batch_arrivals(double arrival_rate, dlab_law service, int64_t batch)
{
    if (!is_rate(arrival_rate) || !is_law(service) || batch < 1) return undefined;
    const double load = arrival_rate * service.mean, others = (double)(batch - 1);
    /* To the wait of M/G/1 the jobs of its own batch before it add (b - 1) E[S] / 2, amplified as all work
     * is: (b - 1) E[S] / (2 (1 - rho)). */
    const double wait = service.mean * (load * (1 + service.scv) + others) / (2 * (1 - load));
    dlab_queue q = single_server(arrival_rate, service.mean, wait);
    q.wait_probability = 1 - (1 - q.utilisation) / (double)batch; /* only the first of a batch can start */
    return q;
}

dlab_queue dlab_mgcc(double arrival_rate, double service_mean, int64_t servers)
{
    if (!is_rate(arrival_rate) || !is_rate(service_mean) || servers < 1) return undefined;
    /* The states know the service by its mean only: those of M/M/c/c. */
    dlab_queue q = dlab_mmck(arrival_rate, 1 / service_mean, servers, servers);
    if (!isnan(q.loss)) q.latency = service_mean;
    return q;
}

dlab_queue dlab_mginf(double arrival_rate, double service_mean)
{
    if (!is_rate(arrival_rate) || !is_rate(service_mean)) return undefined;
    return (dlab_queue){ .utilisation = NAN,
                         .throughput = arrival_rate,
                         .latency = service_mean,
                         .in_system = arrival_rate * service_mean };
}

typedef struct arrivals {
    dlab_law law;
    double service_rate;
} arrivals;

/* sigma = A*(mu (1 - sigma)) with delta = 1 - sigma, on the logarithmic scale, where it is concave. */
static double sigma_miss(double delta, void *data)
{
    const arrivals *a = data;
    return log1p(-delta) - dlab_law_log_laplace(a->law, a->service_rate * delta);
}

/* 1 - sigma, with all its digits near saturation too; 0 without a steady state. */
static double gim1_delta(dlab_law interarrival, double service_rate)
{
    arrivals a = { interarrival, service_rate };
    if (!is_law(interarrival) || !is_rate(service_rate)) return NAN;
    if (!(interarrival.mean * service_rate > 1)) return 0;
    if (interarrival.scv == 1) return 1 - 1 / (interarrival.mean * service_rate);
    double low = 0.5;
    while (sigma_miss(low, &a) <= 0 && low > 1e-16) low *= 0.5;
    return dlab_root(sigma_miss, &a, low, 1, 0);
}

double dlab_gim1_sigma(dlab_law interarrival, double service_rate)
{
    const double delta = gim1_delta(interarrival, service_rate);
    if (!(delta > 0)) return NAN;
    /* Where hardly anybody waits, the transform itself keeps the digits of sigma. */
    return delta < 0.9 ? 1 - delta : exp(dlab_law_log_laplace(interarrival, service_rate * delta));
}

dlab_queue dlab_gim1(dlab_law interarrival, double service_rate)
{
    const double delta = gim1_delta(interarrival, service_rate);
    if (isnan(delta)) return undefined;
    const double sigma = delta > 0 ? dlab_gim1_sigma(interarrival, service_rate) : 1;
    dlab_queue q = single_server(1 / interarrival.mean, 1 / service_rate, sigma / (service_rate * delta));
    q.wait_probability = sigma;
    return q;
}

double dlab_kingman_bound(double arrival_rate, double service_rate, double scv_arrival, double scv_service)
{
    if (!is_rate(arrival_rate) || !is_rate(service_rate) || !(scv_arrival >= 0) || !(scv_service >= 0))
        return NAN;
    const double load = arrival_rate / service_rate;
    if (!(load < 1)) return INFINITY;
    const double variances =
        scv_arrival / (arrival_rate * arrival_rate) + scv_service / (service_rate * service_rate);
    return arrival_rate * variances / (2 * (1 - load));
}

double dlab_vut_wait(double arrival_rate, double service_rate, double scv_arrival, double scv_service)
{
    if (!is_rate(arrival_rate) || !is_rate(service_rate) || !(scv_arrival >= 0) || !(scv_service >= 0))
        return NAN;
    const double spare = service_rate - arrival_rate;
    if (!(spare > 0)) return INFINITY;
    /* Variability, utilisation, time. */
    return (scv_arrival + scv_service) / 2 * (arrival_rate / spare) / service_rate;
}

dlab_queue dlab_ggc(double arrival_rate, double service_rate, int64_t servers, double scv_arrival,
                    double scv_service)
{
    if (!(scv_arrival >= 0) || !(scv_service >= 0)) return undefined;
    dlab_queue q = dlab_mmc(arrival_rate, service_rate, servers);
    if (isnan(q.wait) || isinf(q.wait)) return q;
    q.wait *= (scv_arrival + scv_service) / 2;
    q.latency = q.wait + 1 / service_rate;
    q.queue_length = arrival_rate * q.wait;
    q.in_system = q.queue_length + arrival_rate / service_rate;
    q.wait_probability = NAN; /* the approximation is one of the mean only */
    return q;
}

double dlab_little(double arrival_rate, double time)
{
    return arrival_rate >= 0 && time >= 0 ? arrival_rate * time : NAN;
}

dlab_fluid dlab_fluid_spike(double spike, double time, double capacity, double base)
{
    if (!(spike >= 0) || !(time >= 0) || !(capacity > 0) || !(base >= 0) || isinf(capacity))
        return (dlab_fluid){ NAN, NAN, NAN };
    const double backlog = fmax(0, (spike - capacity) * time);
    const double drain = base < capacity ? backlog / (capacity - base) : backlog > 0 ? INFINITY : 0;
    return (dlab_fluid){ .backlog = backlog, .drain_time = drain, .wait = backlog / capacity };
}
