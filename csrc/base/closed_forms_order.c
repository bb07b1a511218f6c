/* The order of service: sharing, shortest first, priorities. Same work, other waits.
 *
 * Processor sharing depends on the mean of the service only and treats a job of size x in proportion,
 * x / (1 - rho). Shortest remaining processing time first has the least mean latency of all orders; its
 * formula needs the partial moments of the service law, and the mean over all sizes is one integral once the
 * order of integration is exchanged. With priorities, the first overloaded class takes all the time the
 * classes above leave: those above still have finite waits, which only see it as one job in service.
 *
 * Sources: Kleinrock 2 (1976), 4.4 (processor sharing), 3.2-3.4 (priorities; Cobham 1954); Schrage and
 * Miller, Oper. Res. 14 (1966), equation (5), and Harchol-Balter (2013), chapter 33 (SRPT). */
#include <distlab/closed_forms.h>

#include <math.h>
#include <stdbool.h>

#include <distlab/numerics.h>

static const double tolerance = 1e-12;

static bool is_law(dlab_law law)
{
    return law.mean > 0 && law.mean < INFINITY && law.scv >= 0 && law.scv < INFINITY;
}

dlab_queue dlab_mg1_ps(double arrival_rate, double service_mean)
{
    dlab_queue q = { NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
    if (!(arrival_rate > 0) || !(service_mean > 0) || isinf(arrival_rate) || isinf(service_mean)) return q;
    q.utilisation = fmin(arrival_rate * service_mean, 1);
    q.throughput = fmin(arrival_rate, 1 / service_mean);
    q.loss = 0;
    q.latency = dlab_mg1_ps_latency(arrival_rate, service_mean, service_mean);
    q.in_system = arrival_rate * q.latency;
    return q; /* everybody is served at once and slowly: there is no wait to speak of */
}

double dlab_mg1_ps_latency(double arrival_rate, double service_mean, double size)
{
    if (!(arrival_rate > 0) || !(service_mean > 0) || !(size >= 0)) return NAN;
    const double load = arrival_rate * service_mean;
    return load < 1 ? size / (1 - load) : INFINITY;
}

typedef struct srpt {
    double arrival_rate;
    dlab_law service;
} srpt;

/* 1 - rho(x), what jobs of at most size x leave free. */
static double free_above(const srpt *s, double x)
{
    return 1 - s->arrival_rate * dlab_law_partial(s->service, 1, x);
}

/* Until a job of size x first gets the server: lambda (E[X^2; X <= x] + x^2 P(X > x)) over
 * 2 (1 - rho(x))^2. */
static double srpt_wait(const srpt *s, double x)
{
    const double left = free_above(s, x);
    const double square = dlab_law_partial(s->service, 2, x) + x * x * dlab_law_tail(s->service, x);
    return s->arrival_rate * square / (2 * left * left);
}

static double slowness(double x, void *data) { return 1 / free_above(data, x); }

/* Until the first service, and what smaller jobs take out of the stay after that: positive terms. */
static double wait_density(double x, void *data)
{
    const srpt *s = data;
    const double density = dlab_law_pdf(s->service, x);
    const double taken = s->arrival_rate * dlab_law_partial(s->service, 1, x);
    return (density > 0 ? density * srpt_wait(s, x) : 0) + dlab_law_tail(s->service, x) * taken / (1 - taken);
}

/* The integral in pieces between quantiles, so that no law is too narrow for the rule to find it. */
static double over_sizes(dlab_function *f, srpt *s, double end)
{
    static const double cuts[] = { 0, 1e-9, 0.01, 0.25, 0.75, 0.99, 1 - 1e-6 };
    double low = 0, sum = 0;
    for (size_t i = 1; i < sizeof cuts / sizeof cuts[0]; i++) {
        const double high = fmin(dlab_law_quantile(s->service, cuts[i]), end);
        if (high > low) sum += dlab_integrate(f, s, low, high, tolerance, NULL);
        low = fmax(low, high);
    }
    return end > low ? sum + dlab_integrate(f, s, low, end, tolerance, NULL) : sum;
}

double dlab_mg1_srpt(double arrival_rate, dlab_law service)
{
    if (!(arrival_rate > 0) || isinf(arrival_rate) || !is_law(service)) return NAN;
    if (!(arrival_rate * service.mean < 1)) return INFINITY;
    if (isnan(dlab_law_pdf(service, service.mean))) return dlab_mg1(arrival_rate, service).latency;
    srpt s = { arrival_rate, service };
    /* The sum of both, not one integral: latency less mean is then never below 0. */
    return service.mean + over_sizes(wait_density, &s, INFINITY);
}

double dlab_mg1_srpt_latency(double arrival_rate, dlab_law service, double size)
{
    if (!(arrival_rate > 0) || isinf(arrival_rate) || !is_law(service) || !(size >= 0)) return NAN;
    srpt s = { arrival_rate, service };
    if (isinf(size) || !(free_above(&s, size) > 0)) return INFINITY;
    return srpt_wait(&s, size) + over_sizes(slowness, &s, size);
}

/* Checks the classes; false leaves NaN everywhere. */
static bool are_classes(size_t n, const double *arrival_rate, const dlab_law *service, double *out)
{
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        out[i] = NAN;
        good = good && arrival_rate[i] >= 0 && arrival_rate[i] < INFINITY && is_law(service[i]);
    }
    return good;
}

static double half_square(double arrival_rate, dlab_law service)
{
    return arrival_rate * service.mean * service.mean * (1 + service.scv) / 2;
}

int dlab_priority_wait(size_t n, const double *arrival_rate, const dlab_law *service, double *wait)
{
    if (!are_classes(n, arrival_rate, service, wait)) return -1;
    /* The work in service that an arrival finds. */
    double residual = 0, left = 1;
    for (size_t i = 0; i < n && left > 0; i++) {
        const double load = arrival_rate[i] * service[i].mean;
        /* The first class that finds too little is in service whenever those above leave time. */
        residual += load < left ? half_square(arrival_rate[i], service[i])
                                : left * service[i].mean * (1 + service[i].scv) / 2;
        left -= load;
    }
    double before = 1;
    for (size_t i = 0; i < n; i++) {
        const double after = before - arrival_rate[i] * service[i].mean;
        wait[i] = after > 0 ? residual / (before * after) : INFINITY;
        before = after;
    }
    return 0;
}

int dlab_priority_latency(size_t n, const double *arrival_rate, const dlab_law *service, double *latency)
{
    if (!are_classes(n, arrival_rate, service, latency)) return -1;
    double residual = 0, before = 1;
    for (size_t i = 0; i < n; i++) {
        const double after = before - arrival_rate[i] * service[i].mean;
        residual += half_square(arrival_rate[i], service[i]);
        latency[i] = after > 0 ? service[i].mean / before + residual / (before * after) : INFINITY;
        before = after;
    }
    return 0;
}
