/* Distribution functions and quantiles. They serve plots, closed forms and tests, never a draw, so the C
 * library's functions are good enough here. A quantile is the least x with F(x) >= p; where no formula
 * gives it, bisection between two values that enclose it does. */
#include "base/laws.h"

#include <distlab/numerics.h>
#include <distlab/statistics.h>

#include <math.h>
#include <stdbool.h>

/* P(Z <= z) and P(Z > z) of the standard normal, both without cancellation. */
static double below(double z) { return 0.5 * erfc(-z * M_SQRT1_2); }

/* P(start < Z <= z) / P(start < Z <= start + width), as differences of upper tails when start >= 0. */
static double normal_cdf(const dlab_distribution *d, double x)
{
    if (x < d->p[2]) return 0;
    if (x >= d->p[3]) return 1;
    const dlab_truncation n = dlab_law_truncation(d);
    const double z = (x - d->p[0]) / n.scale;
    const double whole = below(-n.start) - (isinf(n.width) ? 0 : below(-n.start - n.width));
    const double left = (below(-n.start) - below(-z)) / whole;
    const double share = n.scale < 0 ? 1 - left : left;
    return share < 0 ? 0 : share > 1 ? 1 : share;
}

static double exponential_cdf(double mean, double x) { return x < 0 ? 0 : mean == 0 ? 1 : -expm1(-x / mean); }

static double gamma_cdf(double shape, double scale, double x)
{
    return x < 0 ? 0 : scale == 0 ? 1 : dlab_gamma_p(shape, x / scale);
}

static double lognormal_cdf(const double *p, double x)
{
    if (x < 0 || (x == 0 && p[0] > 0)) return 0;
    if (p[0] == 0 || p[1] == 0) return x >= p[0];
    return below(log(x / p[0]) / p[1]);
}

static double pareto_cdf(const double *p, double x)
{
    if (x < p[1]) return 0;
    if (x >= p[2]) return 1;
    const double all = isinf(p[2]) ? -1 : expm1(p[0] * log(p[1] / p[2]));
    return expm1(p[0] * log(p[1] / x)) / all;
}

static double empirical_cdf(const double *x, uint32_t n, double shift, double value)
{
    if (x == NULL) return NAN;
    uint32_t low = 0, high = n; /* x[i] + shift <= value for i < low, > value from high on */
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (x[middle] + shift <= value) low = middle + 1;
        else high = middle;
    }
    return (double)low / n;
}

static double mixture_cdf(const dlab_distribution *d, const dlab_pool *pool, double x)
{
    const dlab_part *const parts = dlab_law_parts(d, pool);
    double sum = 0, weight = 0;
    for (uint32_t i = 0; parts != NULL && i < d->count; i++) {
        weight += parts[i].weight;
        sum += parts[i].weight * dlab_distribution_cdf(&parts[i].distribution, pool, x);
    }
    return sum / weight;
}

double dlab_distribution_cdf(const dlab_distribution *d, const dlab_pool *pool, double value)
{
    const double *const p = d->p, x = value - d->shift;
    if (isnan(x)) return NAN;
    switch (d->kind) { /* atoms are compared as they are drawn, shift added */
    case DLAB_DIST_CONSTANT: return value >= p[0] + d->shift;
    case DLAB_DIST_UNIFORM: return x >= p[1] ? 1 : x < p[0] ? 0 : (x - p[0]) / (p[1] - p[0]);
    case DLAB_DIST_EXPONENTIAL: return exponential_cdf(p[0], x);
    case DLAB_DIST_HYPEREXPONENTIAL:
        return p[0] * exponential_cdf(p[1], x) + (1 - p[0]) * exponential_cdf(p[2], x);
    case DLAB_DIST_GAMMA: return gamma_cdf(p[0], p[1], x);
    case DLAB_DIST_ERLANG: return gamma_cdf(p[0], p[1] / p[0], x);
    case DLAB_DIST_NORMAL: return normal_cdf(d, x);
    case DLAB_DIST_LOGNORMAL: return lognormal_cdf(p, x);
    case DLAB_DIST_WEIBULL: return x < 0 ? 0 : p[1] == 0 ? 1 : -expm1(-pow(x / p[1], p[0]));
    case DLAB_DIST_PARETO: return pareto_cdf(p, x);
    case DLAB_DIST_BIMODAL:
        return (1 - p[2]) * (value >= p[0] + d->shift) + p[2] * (value >= p[1] + d->shift);
    case DLAB_DIST_EMPIRICAL: return empirical_cdf(dlab_law_samples(d, pool), d->count, d->shift, value);
    case DLAB_DIST_MIXTURE: return mixture_cdf(d, pool, x);
    default: return NAN;
    }
}

/* The least x in (low, high] with F(x) >= p, given F(low) < p <= F(high). */
static double bisect(const dlab_distribution *d, const dlab_pool *pool, double p, double low, double high)
{
    enum { HALVINGS = 2200 }; /* more than there are exponents and digits of a double */
    for (int i = 0; i < HALVINGS; i++) {
        const double middle = low + 0.5 * (high - low);
        if (!(middle > low && middle < high)) break;
        if (dlab_distribution_cdf(d, pool, middle) >= p) high = middle;
        else low = middle;
    }
    return high;
}

/* A quantile of a mixture lies between the least and the greatest of its parts' quantiles. */
static double mixture_quantile(const dlab_distribution *d, const dlab_pool *pool, double p)
{
    const dlab_part *const parts = dlab_law_parts(d, pool);
    double low = INFINITY, high = -INFINITY;
    for (uint32_t i = 0; parts != NULL && i < d->count; i++) {
        const double q = dlab_distribution_quantile(&parts[i].distribution, pool, p);
        low = fmin(low, q);
        high = fmax(high, q);
    }
    if (parts == NULL) return NAN;
    return dlab_distribution_cdf(d, pool, low) >= p ? low : bisect(d, pool, p, low, high);
}

/* Quantile without shift, 0 < p < 1. */
static double quantile(const dlab_distribution *d, const dlab_pool *pool, double q)
{
    const double *const p = d->p, exponential = -log1p(-q);
    switch (d->kind) {
    case DLAB_DIST_CONSTANT: return p[0];
    case DLAB_DIST_UNIFORM: return p[0] + q * (p[1] - p[0]);
    case DLAB_DIST_EXPONENTIAL: return p[0] * exponential;
    case DLAB_DIST_GAMMA: return p[1] * dlab_gamma_p_inverse(p[0], q);
    case DLAB_DIST_ERLANG: return p[1] / p[0] * dlab_gamma_p_inverse(p[0], q);
    case DLAB_DIST_LOGNORMAL: return p[0] * exp(p[1] * dlab_normal_quantile(q));
    case DLAB_DIST_WEIBULL: return p[1] * pow(exponential, 1 / p[0]);
    case DLAB_DIST_PARETO: {
        const double all = isinf(p[2]) ? -1 : expm1(p[0] * log(p[1] / p[2]));
        return fmin(p[2], p[1] * exp(-log1p(q * all) / p[0]));
    }
    case DLAB_DIST_BIMODAL: return (q <= (p[0] < p[1] ? 1 - p[2] : p[2])) == (p[0] < p[1]) ? p[0] : p[1];
    case DLAB_DIST_EMPIRICAL: {
        const double *const x = dlab_law_samples(d, pool);
        if (x == NULL) return NAN;
        const double rank = ceil(q * d->count);
        return x[rank < 1 ? 0 : (uint32_t)rank - 1];
    }
    default: return NAN;
    }
}

double dlab_distribution_quantile(const dlab_distribution *d, const dlab_pool *pool, double p)
{
    if (!(p >= 0 && p <= 1) || d->kind < 0 || d->kind >= DLAB_DIST_KINDS) return NAN;
    const double low = dlab_law_low(d, pool), high = dlab_law_high(d, pool);
    if (p == 0 || low == high) return low;
    if (p == 1) return high;
    if (d->kind != DLAB_DIST_MIXTURE && d->kind != DLAB_DIST_NORMAL && d->kind != DLAB_DIST_HYPEREXPONENTIAL)
        return quantile(d, pool, p) + d->shift;
    dlab_distribution plain = *d;
    plain.shift = 0;
    if (d->kind == DLAB_DIST_MIXTURE) return mixture_quantile(&plain, pool, p) + d->shift;
    double left = fmin(d->p[1], d->p[2]) * -log1p(-p), right = fmax(d->p[1], d->p[2]) * -log1p(-p);
    if (d->kind == DLAB_DIST_NORMAL) { /* beyond 45 standard deviations there is nothing left to find */
        left = fmax(d->p[2], d->p[0] - 45 * d->p[1]);
        right = fmin(d->p[3], d->p[0] + 45 * d->p[1]);
    }
    if (dlab_distribution_cdf(&plain, pool, left) >= p) return left + d->shift;
    return bisect(&plain, pool, p, left, right) + d->shift;
}
