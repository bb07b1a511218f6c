/* Constant service: M/D/1, M/D/1/K (which is also the token bucket) and M/D/c.
 *
 * Erlang's formula for the M/D/1 wait alternates in sign; in doubles it is off by 5e-8 at 20 service times
 * and returns +80 instead of a probability at 40. Here nothing is ever subtracted:
 * - State probabilities follow from balancing the flow across a level (Tijms 2.5): sums of positive terms.
 *   They are kept relative to their geometric decay exp(-eta n), eta the root of eta = rho (exp(eta) - 1),
 *   which they reach within a few dozen states; so LEVELS numbers describe all of them, at any load (eta is
 *   negative above 1, where the same numbers serve the finite room).
 * - P(wait <= t) is a short Poisson mixture of state probabilities (Franx 2001); likewise P(wait > t), so the
 *   far tail keeps its digits too.
 * M/D/c: jobs assigned to servers in turn wait as long, so its wait is that of the random walk with steps
 * D - Erlang-c. Spitzer's identity gives mean and P(0) as positive series, quick at low load; near saturation
 * Crommelin's roots of z^c = exp(lambda D (z - 1)) give the same numbers without slow convergence.
 *
 * Sources: Erlang (1909); Crommelin, P.O. Elec. Eng. J. 25 (1932); Franx, Oper. Res. Lett. 29 (2001), theorem
 * 1 with c = 1; Tijms (2003), 2.5, 9.5.2 (finite room), 9.6.1; Spitzer, Trans. AMS 82 (1956). */
#include <distlab/closed_forms.h>

#include <complex.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <distlab/numerics.h>

enum { LEVELS = 64, CAPACITY_MAX = 1000000, SERVERS_MAX = 100000, SPITZER_TERMS_MAX = 4000 };
static const dlab_queue undefined = { NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };

/* P(N = n) = (1 - rho) level[n] exp(-eta n), P(N > n) = (1 - rho) above[n] exp(-eta n); beyond LEVELS both
 * stay what they are there. below[n]: P(N <= n). above and below only for rho < 1. */
typedef struct md1 {
    double rho, eta;
    double level[LEVELS + 1], above[LEVELS + 1], below[LEVELS + 1];
} md1;

/* log of rho (exp(eta) - 1) / eta, near 0 by its series so that eta keeps its digits near saturation. */
static double decay_miss(double eta, void *data)
{
    const double y = eta * eta;
    const double ratio =
        fabs(eta) < 0.05 ? eta / 2 + y * (1.0 / 24 - y * (1.0 / 2880 - y / 181440)) : log(expm1(eta) / eta);
    return ratio + *(const double *)data;
}

static double decay(double rho)
{
    double log_rho = fabs(rho - 1) < 0.5 ? log1p(rho - 1) : log(rho);
    if (rho == 1) return 0;
    /* exp(eta / 2) < (exp(eta) - 1) / eta bounds the root by -2 log rho; above 1 it is also above -rho. */
    if (rho < 1) return dlab_root(decay_miss, &log_rho, 0, -2 * log_rho, 0);
    return dlab_root(decay_miss, &log_rho, -rho, 0, 0);
}

static void md1_init(md1 *q, double rho)
{
    double above[LEVELS + 1], factor[LEVELS + 1]; /* above[k] = P(A > k), A arrivals in one service */
    q->rho = rho;
    q->eta = decay(rho);
    above[LEVELS] = dlab_poisson_tail(LEVELS, rho);
    for (int k = LEVELS - 1; k >= 0; k--) above[k] = above[k + 1] + dlab_poisson_pmf(k + 1, rho);
    for (int k = 0; k <= LEVELS; k++) factor[k] = above[k] > 0 ? exp(log(above[k]) + q->eta * k + rho) : 0;
    /* p[n+1] P(A = 0) = p[0] P(A > n) + sum over i = 1..n of p[i] P(A > n + 1 - i), with the decay taken
     * out of each p. */
    q->level[0] = 1;
    for (int n = 0; n < LEVELS; n++) {
        double sum = factor[n] * exp(q->eta);
        for (int i = 1; i <= n; i++) sum += q->level[i] * factor[n + 1 - i];
        q->level[n + 1] = sum;
    }
    if (!(rho < 1)) return;
    q->above[LEVELS] = q->level[LEVELS] / expm1(q->eta);
    for (int n = LEVELS - 1; n >= 0; n--) q->above[n] = exp(-q->eta) * (q->level[n + 1] + q->above[n + 1]);
    double sum = 0;
    for (int n = 0; n <= LEVELS; n++) {
        sum += q->level[n] * exp(-q->eta * n);
        q->below[n] = (1 - rho) * sum;
    }
}

/* A number of the table scaled by its decay, any n >= 0. */
static double table_at(const md1 *q, const double *table, double n)
{
    return table[n < LEVELS ? (int)n : LEVELS] * exp(-q->eta * n);
}

/* Franx: between service k - 1 and k of the wait, of the j arrivals of the last part y all but those that fit
 * under level k - j. Everything in units of one service: x = t / D. */
static double wait_tail(const md1 *q, double x)
{
    const double k = floor(x) + 1, y = q->rho * (k - x);
    double pmf = exp(-y), sum = 0;
    for (double j = 0; j < k; j++) {
        const double term = pmf * (1 - q->rho) * table_at(q, q->above, k - j);
        sum += term;
        pmf *= y / (j + 1);
        if (term <= 1e-18 * sum && j > 100) break;
    }
    return sum + (k < 200 ? dlab_poisson_tail((int64_t)k - 1, y) : 0);
}

static double wait_cdf(const md1 *q, double x)
{
    const double k = floor(x) + 1, y = q->rho * (k - x);
    if (k > LEVELS) return 1 - wait_tail(q, x);
    double pmf = exp(-y), sum = 0;
    for (int j = 0; j < (int)k; j++) {
        sum += pmf * q->below[(int)k - j];
        pmf *= y / (j + 1);
    }
    return fmin(sum, 1);
}

static bool is_md1(double arrival_rate, double service)
{
    return arrival_rate > 0 && arrival_rate < INFINITY && service > 0 && service < INFINITY;
}

double dlab_md1_wait_tail(double arrival_rate, double service, double t)
{
    md1 q;
    if (!is_md1(arrival_rate, service) || isnan(t)) return NAN;
    if (t < 0 || !(arrival_rate * service < 1)) return 1;
    if (isinf(t)) return 0;
    md1_init(&q, arrival_rate * service);
    return wait_tail(&q, t / service);
}

double dlab_md1_wait_cdf(double arrival_rate, double service, double t)
{
    md1 q;
    if (!is_md1(arrival_rate, service) || isnan(t)) return NAN;
    if (t < 0 || !(arrival_rate * service < 1)) return 0;
    if (isinf(t)) return 1;
    md1_init(&q, arrival_rate * service);
    return wait_cdf(&q, t / service);
}

typedef struct wait_target {
    md1 q;
    double log_tail;
} wait_target;

static double wait_miss(double x, void *data)
{
    const wait_target *t = data;
    return log(wait_tail(&t->q, x)) - t->log_tail;
}

double dlab_md1_wait_quantile(double arrival_rate, double service, double p)
{
    wait_target t = { .log_tail = log1p(-p) };
    if (!is_md1(arrival_rate, service) || !(p >= 0) || !(p <= 1)) return NAN;
    if (!(arrival_rate * service < 1)) return INFINITY;
    md1_init(&t.q, arrival_rate * service);
    if (p <= 1 - t.q.rho) return 0;
    if (p == 1) return INFINITY;
    double low = 0, high = 1;
    while (wait_miss(high, &t) > 0) {
        low = high;
        high *= 2;
    }
    return service * dlab_root(wait_miss, &t, low, high, 1e-15 * high);
}

double dlab_md1_state(double arrival_rate, double service, int64_t n)
{
    md1 q;
    if (!is_md1(arrival_rate, service) || n < 0) return NAN;
    if (!(arrival_rate * service < 1)) return 0;
    md1_init(&q, arrival_rate * service);
    return (1 - q.rho) * table_at(&q, q.level, (double)n);
}

/* What the states 0 .. K - 1 weigh in sum and in number waiting, scaled so that the largest weighs about 1;
 * `empty` is state 0 on that scale. */
typedef struct finite_sums {
    double sum, waiting, empty;
} finite_sums;

static finite_sums finite_room(const md1 *q, int64_t capacity)
{
    const int k = (int)capacity;
    const bool falling = q->eta > 0;
    const double top = falling ? 0 : k - 1, step = exp(-fabs(q->eta));
    finite_sums f = { .empty = exp(q->eta * top) };
    double scale = 1;
    for (int i = 0; i < k; i++) {
        const int n = falling ? i : k - 1 - i;
        const double weight = q->level[n < LEVELS ? n : LEVELS] * scale;
        f.sum += weight;
        if (n > 1) f.waiting += (n - 1) * weight;
        scale *= step;
        if (scale < 1e-25 && i > LEVELS) break;
    }
    return f;
}

dlab_queue dlab_md1k(double arrival_rate, double service, int64_t capacity)
{
    md1 table;
    if (!is_md1(arrival_rate, service) || capacity < 1 || capacity > CAPACITY_MAX) return undefined;
    const double rho = arrival_rate * service, k = (double)capacity;
    dlab_queue q = { .loss = rho / (1 + rho), .latency = service };
    double accepted = 1 / (1 + rho);
    if (capacity > 1) {
        /* Above 30 an empty system is rarer than 1e-13: the server never rests, excess is lost. */
        md1_init(&table, fmin(rho, 30));
        const finite_sums f = finite_room(&table, capacity);
        const double all = f.empty + rho * f.sum;
        /* 1 - 1 / (p0 + rho) directly, unless it cancels: then by the tail of the endless room (Tijms). */
        const double flow = f.empty + (rho - 1) * f.sum;
        q.loss = flow / all;
        if (flow < 0.01 * f.empty && rho < 1) {
            const double beyond = (1 - rho) * table_at(&table, table.above, k - 1);
            q.loss = (1 - rho) * beyond / (1 - rho * beyond);
        }
        accepted = fmin(f.sum / all, 1);
        q.queue_length = f.waiting / all + (k - 1) * q.loss;
        q.wait_probability = fmax(0, 1 - f.empty / f.sum);
    }
    q.utilisation = fmin(rho * accepted, 1);
    q.throughput = fmin(arrival_rate, q.utilisation / service);
    q.wait = q.queue_length / q.throughput;
    q.latency = q.wait + service;
    q.in_system = q.queue_length + q.utilisation;
    return q;
}

double dlab_md1k_state(double arrival_rate, double service, int64_t capacity, int64_t n)
{
    md1 table;
    const dlab_queue q = dlab_md1k(arrival_rate, service, capacity);
    const double rho = arrival_rate * service;
    if (isnan(q.loss) || n < 0) return NAN;
    if (n == 0 || n > capacity) return n == 0 ? 1 - q.utilisation : 0;
    if (n == capacity) return q.loss;
    md1_init(&table, fmin(rho, 30));
    const finite_sums f = finite_room(&table, capacity);
    const double top = table.eta > 0 ? 0 : (double)(capacity - 1);
    const double weight = table.level[n < LEVELS ? n : LEVELS] * exp(table.eta * (top - (double)n));
    return weight / (f.empty + rho * f.sum);
}

double dlab_token_bucket_loss(double arrival_rate, double fill_rate, int64_t depth)
{
    /* The missing tokens are the unfinished work of M/D/1 with one service a token; an arrival is refused
     * exactly when depth jobs would still be there. */
    return dlab_md1k(arrival_rate, 1 / fill_rate, depth).loss;
}

/* One term of Spitzer's series: with N Poisson of the given mean, E[(N - n)^+] and P(N >= n). */
static double excess(double mean, double n, double *reached)
{
    double pmf = dlab_gamma_term(n, mean), sum = 0;
    *reached = pmf;
    for (double i = 1; i < 1e7; i++) {
        pmf *= mean / (n + i);
        *reached += pmf;
        sum += i * pmf;
        if (i * pmf <= 1e-18 * sum) break;
    }
    return sum;
}

static void mdc_by_spitzer(double c, double rho, double *queue_length, double *log_no_wait)
{
    *queue_length = *log_no_wait = 0;
    for (double k = 1; k <= SPITZER_TERMS_MAX; k++) {
        double reached;
        const double term = excess(k * c * rho, k * c, &reached) / k;
        *queue_length += term;
        *log_no_wait -= reached / k;
        if (!(term > 1e-18 * *queue_length)) break;
    }
}

/* The root z = 1 - s of z = exp(i angle + rho (z - 1)) inside the unit circle. */
static double complex crommelin_root(double angle, double rho)
{
    const double spare = 1 - rho;
    double complex s = 1;
    /* Near 1 the equation is s^2/2 + (1 - rho) s + i angle = 0; elsewhere iterating it contracts. */
    if (angle < 0.5) s = csqrt(spare * spare - 2 * I * angle) - spare;
    else
        for (int i = 0; i < 12; i++) s = 1 - cexp(I * angle - rho * s);
    for (int i = 0; i < 60; i++) {
        const double complex e = cexp(I * angle - rho * s), step = (1 - s - e) / (rho * e - 1);
        s -= step;
        if (cabs(step) < 1e-15 * cabs(s)) break;
    }
    return s;
}

static void mdc_by_roots(double c, double rho, double *queue_length, double *log_no_wait)
{
    double inverse = 0, log_product = 0;
    for (double j = 1; j <= c / 2; j++) {
        const double complex s = crommelin_root(6.28318530717958647693 * j / c, rho);
        const double pair = 2 * j < c ? 2 : 1; /* roots come with their conjugates, but for z < 0 */
        inverse += pair * creal(1 / s);
        log_product += pair * log(cabs(s));
    }
    const double load = c * rho;
    *queue_length = (load * load - c * (c - 1)) / (2 * c * (1 - rho)) + inverse;
    *log_no_wait = log(c * (1 - rho)) - log_product;
}

dlab_queue dlab_mdc(double arrival_rate, double service, int64_t servers)
{
    if (!is_md1(arrival_rate, service) || servers < 1 || servers > SERVERS_MAX) return undefined;
    const double c = (double)servers, rho = arrival_rate * service / c;
    dlab_queue q = { .utilisation = fmin(rho, 1), .throughput = fmin(arrival_rate, c / service) };
    if (servers == 1 || !(rho < 1)) {
        q.wait_probability = q.utilisation;
        q.queue_length = rho < 1 ? rho * rho / (2 * (1 - rho)) : INFINITY;
    } else {
        double log_no_wait;
        /* How fast Spitzer's terms fall: Chernoff's exponent of a step of the walk. */
        const double rate = c * (rho - 1 - log(rho));
        if (rate > 0.3) mdc_by_spitzer(c, rho, &q.queue_length, &log_no_wait);
        else mdc_by_roots(c, rho, &q.queue_length, &log_no_wait);
        q.wait_probability = -expm1(log_no_wait);
    }
    q.wait = q.queue_length / arrival_rate;
    q.latency = q.wait + service;
    q.in_system = q.queue_length + c * q.utilisation;
    return q;
}
