/* Erlang's formulas: how many servers a load needs when nobody waits (B), when everybody waits (C) and when
 * those who wait give up (A).
 *
 * B is computed by the recursion for its reciprocal, 1/B_k = 1 + (k/a) / B_(k-1), which adds and multiplies
 * positive numbers only: no factorial, no overflow that matters (a reciprocal beyond the largest double is a
 * loss of 0), and one multiply-add of latency a server. C follows from B; the limit of both for many servers
 * is Halfin and Whitt's.
 *
 * Sources: Erlang (1917); Cooper, Introduction to Queueing Theory, 2nd ed., 3.3-3.5; Halfin and Whitt, Oper.
 * Res. 29 (1981), theorem 1; Palm (1957) and Garnett, Mandelbaum and Reiman, MSOM 4 (2002), section 3, for
 * Erlang A. */
#include <distlab/closed_forms.h>

#include <math.h>
#include <stdbool.h>

#include <distlab/numerics.h>

enum { SERVERS_MAX = 10000000, SERIES_MAX = 10000000 };

/* 1 / B(c, a); inf where B is below every double. */
static double erlang_b_reciprocal(int64_t servers, double load)
{
    double reciprocal = 1;
    const int n = (int)servers;
    for (int k = 1; k <= n; k++) reciprocal = 1 + (k / load) * reciprocal;
    return reciprocal;
}

static bool is_load(int64_t servers, double load)
{
    return servers >= 0 && servers <= SERVERS_MAX && load >= 0 && load < INFINITY;
}

double dlab_erlang_b(int64_t servers, double load)
{
    if (!is_load(servers, load)) return NAN;
    if (load == 0) return servers == 0;
    return 1 / erlang_b_reciprocal(servers, load);
}

typedef struct loss_target {
    int64_t servers;
    double log_loss;
} loss_target;

static double log_loss_miss(double log_load, void *data)
{
    const loss_target *t = data;
    return -log(erlang_b_reciprocal(t->servers, exp(log_load))) - t->log_loss;
}

double dlab_erlang_b_load(int64_t servers, double loss)
{
    if (servers < 1 || servers > SERVERS_MAX || !(loss > 0) || !(loss < 1)) return NAN;
    loss_target t = { servers, log(loss) };
    /* The carried load a (1 - B) is below c. */
    const double high = log((double)servers) - log1p(-loss);
    double low = high - 1;
    while (log_loss_miss(low, &t) > 0 && low > -700) low = 2 * low - high;
    return exp(dlab_root(log_loss_miss, &t, low, high, 0));
}

int64_t dlab_erlang_b_servers(double load, double loss)
{
    if (!(load >= 0) || !(loss > 0) || isinf(load)) return -1;
    if (load == 0) return loss >= 1 ? 0 : 1;
    double reciprocal = 1;
    for (int64_t c = 0; c <= SERVERS_MAX; c++) {
        if (c > 0) reciprocal = 1 + ((double)c / load) * reciprocal;
        if (1 <= loss * reciprocal) return c;
    }
    return -1;
}

/* C from 1/B: B / (1 - rho (1 - B)) with numerator and denominator multiplied by c / B. */
static double erlang_c_from(double servers, double load, double reciprocal)
{
    return servers / ((servers - load) * reciprocal + load);
}

double dlab_erlang_c(int64_t servers, double load)
{
    if (!is_load(servers, load) || servers == 0) return NAN;
    if (load == 0) return 0;
    if (load >= (double)servers) return 1;
    return erlang_c_from((double)servers, load, erlang_b_reciprocal(servers, load));
}

static double log_wait_miss(double log_load, void *data)
{
    const loss_target *t = data;
    return log(dlab_erlang_c(t->servers, exp(log_load))) - t->log_loss;
}

double dlab_erlang_c_load(int64_t servers, double wait_probability)
{
    if (servers < 1 || servers > SERVERS_MAX || !(wait_probability > 0) || !(wait_probability < 1))
        return NAN;
    loss_target t = { servers, log(wait_probability) };
    const double high = log((double)servers);
    double low = high - 1;
    while (log_wait_miss(low, &t) > 0 && low > -700) low = 2 * low - high;
    return exp(dlab_root(log_wait_miss, &t, low, high, 0));
}

int64_t dlab_erlang_c_servers(double load, double wait_probability)
{
    if (!(load >= 0) || !(wait_probability > 0) || isinf(load)) return -1;
    if (load == 0) return 1;
    double reciprocal = 1;
    for (int64_t c = 1; c <= SERVERS_MAX; c++) {
        reciprocal = 1 + ((double)c / load) * reciprocal;
        if ((double)c > load && erlang_c_from((double)c, load, reciprocal) <= wait_probability) return c;
    }
    return -1;
}

double dlab_halfin_whitt(double beta)
{
    if (!(beta >= 0)) return NAN;
    /* 1 / (1 + beta Phi(beta) / phi(beta)), theorem 1, equation (2.3). */
    const double density = 0.39894228040143267794 * exp(-0.5 * beta * beta);
    const double below = 0.5 * erfc(-beta * 0.70710678118654752440);
    return density / (density + beta * below);
}

static double halfin_whitt_miss(double beta, void *data)
{
    return log(dlab_halfin_whitt(beta)) - *(const double *)data;
}

double dlab_halfin_whitt_beta(double wait_probability)
{
    if (!(wait_probability > 1e-290) || !(wait_probability <= 1)) return NAN;
    double log_p = log(wait_probability);
    return dlab_root(halfin_whitt_miss, &log_p, 0, 38, 0);
}

/* With x = lambda / theta and y = c mu / theta the states c, c + 1, ... weigh 1, x/(y+1), x^2/((y+1)(y+2)):
 * their sum s and, where the load is below c, their sum weighted by the number waiting, are series of
 * falling positive terms; above it the first is an incomplete gamma over its leading term. */
static void impatient_sums(double x, double y, double *reciprocal_s, double *weighted_over_s)
{
    if (x < y * (1 - 1e-5)) {
        double term = 1, s = 1, weighted = 0;
        for (int j = 1; j < SERIES_MAX && term > 1e-18 * s; j++) {
            term *= x / (y + j);
            s += term;
            weighted += j * term;
        }
        *reciprocal_s = 1 / s;
        *weighted_over_s = weighted / s;
    } else {
        *reciprocal_s = dlab_gamma_term(y, x) / dlab_gamma_p(y, x);
        /* Sum of j w_j with j = (y + j) - y and (y + j) w_j = x w_(j-1). */
        *weighted_over_s = (x - y) + y * *reciprocal_s;
    }
}

dlab_queue dlab_erlang_a(double arrival_rate, double service_rate, int64_t servers, double patience)
{
    dlab_queue q = { NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
    const double load = arrival_rate / service_rate, c = (double)servers;
    const double x = arrival_rate * patience, y = c * service_rate * patience;
    if (!(arrival_rate > 0) || !(service_rate > 0) || !is_load(servers, load) || servers < 1) return q;
    if (!(patience > 0) || !(y <= 1e14) || !(x < INFINITY)) return q;
    double reciprocal_s, waiting;
    impatient_sums(x, y, &reciprocal_s, &waiting);
    reciprocal_s = fmin(reciprocal_s, 1);
    /* States below c weigh 1/B_c - 1 = (c / a) / B_(c-1) against 1 for state c; the jobs in service there,
     * c (1/B_(c-1) - 1). */
    double serving = 0, below = 0;
    for (int k = 1; k <= (int)servers; k++) {
        serving = below;
        below = k / load * (1 + below);
    }
    q.wait_probability = 1 / (1 + below * reciprocal_s);
    q.queue_length = q.wait_probability * waiting;
    q.wait = q.queue_length / arrival_rate;
    q.loss = fmin(q.queue_length / x, 1);
    q.utilisation = fmin(load / c, 1);
    if (isfinite(below)) q.utilisation = fmin((1 + serving * reciprocal_s) * q.wait_probability, 1);
    q.throughput = fmin(arrival_rate, q.utilisation * c * service_rate);
    q.in_system = q.queue_length + q.utilisation * c;
    q.latency = q.in_system / arrival_rate;
    return q;
}
