/* Mean, variance and support of the distributions.
 *
 * A sampler may be rescaled to a given mean, so means (and what they need: the Gamma function, integrals of
 * a truncated normal) use the arithmetic of real.h alone: the same record is the same sampler everywhere.
 * Forms are chosen so that nothing cancels: those of the bounded Pareto go through (1 - exp(-y)) / y, which
 * has no special case at alpha = 1 or 2, those of the truncated normal are integrals of positive terms. */
#include "base/laws.h"

#include <distlab/real.h>

#include <math.h>
#include <stdbool.h>

double dlab_law_decay(double y)
{
    if (y > 1 || y < -1) return (1 - dlab_exp(-y)) / y;
    double term = 1, sum = 1; /* 1 - y/2! + y^2/3! - ... */
    for (int n = 2; n <= 20; n++) {
        term *= -y / n;
        sum += term;
    }
    return sum;
}

/* Stirling's series at y >= 16, brought down to x by the recurrence. Its first omitted term is 1e-16. */
double dlab_law_gamma(double x)
{
    double down = 1, y = x;
    while (y < 16) down *= y++;
    const double w = 1 / (y * y);
    const double series = (1.0 / 12 - w * (1.0 / 360 - w * (1.0 / 1260 - w * (1.0 / 1680 - w / 1188)))) / y;
    const double root_two_pi = 2.5066282746310005;
    return root_two_pi * dlab_pow(y, y - 0.5) * dlab_exp(series - y) / down;
}

dlab_truncation dlab_law_truncation(const dlab_distribution *d)
{
    const double mean = d->p[0], sd = d->p[1];
    const double a = (d->p[2] - mean) / sd, b = (d->p[3] - mean) / sd;
    if (a + b < 0) return (dlab_truncation){ -b, b - a, d->p[3], -sd };
    return (dlab_truncation){ a, b - a, d->p[2], sd };
}

/* Moments about the point `from` of a standard normal cut to z = start .. start + width, as integrals over
 * t = z - from of exp(-z^2 / 2) by the 8-point Gauss-Legendre rule on 64 panels. Where start >= 0 the
 * density is taken relative to that at start. What is 10^-20 of the peak is left out. */
static void normal_moments(const dlab_truncation *n, double *mean, double *variance)
{
    enum { PANELS = 64, HALF = 4 };
    static const double node[HALF] = { 0.18343464249564980494, 0.52553240991632898582, 0.79666647741362673959,
                                       0.96028985649753623168 };
    static const double weight[HALF] = { 0.36268378337836198297, 0.31370664587788728734,
                                         0.22238103445337447054, 0.10122853629037625915 };
    const double cut = 92; /* exp(-92 / 2) = 1e-20 */
    const bool tail = n->start >= 0;
    const double reach = sqrt(cut), end = n->start + n->width;
    const double from = tail ? n->start : 0;
    const double low = tail ? 0 : fmax(n->start, -reach);
    const double far = cut / (n->start + sqrt(n->start * n->start + cut)); /* t (2 start + t) = cut */
    const double high = tail ? fmin(n->width, far) : fmin(end, reach);
    const double half = (high - low) / (2 * PANELS);
    double m0 = 0, m1 = 0, m2 = 0;
    for (int i = 0; i < PANELS; i++) {
        const double middle = low + (2 * i + 1) * half;
        for (int k = -HALF; k < HALF; k++) {
            const int j = k < 0 ? -k - 1 : k;
            const double t = middle + (k < 0 ? -half : half) * node[j];
            const double mass = weight[j] * dlab_exp(-0.5 * t * (2 * from + t));
            m0 += mass;
            m1 += mass * t;
            m2 += mass * t * t;
        }
    }
    *mean = from + m1 / m0;
    *variance = m2 / m0 - (m1 / m0) * (m1 / m0);
}

/* E[X^m] of a Pareto law, bounded or not. */
static double pareto_moment(const double *p, int m)
{
    const double alpha = p[0], power = m == 1 ? p[1] : p[1] * p[1];
    if (isinf(p[2])) return alpha > m ? power * alpha / (alpha - m) : INFINITY;
    const double span = dlab_log(p[2] / p[1]);
    return power * dlab_law_decay((alpha - m) * span) / dlab_law_decay(alpha * span);
}

static double sample_mean(const double *x, uint32_t n)
{
    double sum = 0;
    for (uint32_t i = 0; x != NULL && i < n; i++) sum += x[i] - x[0];
    return x != NULL ? x[0] + sum / n : NAN;
}

static double sample_variance(const double *x, uint32_t n)
{
    const double mean = sample_mean(x, n);
    double sum = 0;
    for (uint32_t i = 0; x != NULL && i < n; i++) sum += (x[i] - mean) * (x[i] - mean);
    return x != NULL ? sum / n : NAN;
}

/* Mean or, where spread is set, variance; shift left out. A mixture asks for those of its parts. */
static double moment(const dlab_distribution *d, const dlab_pool *pool, bool spread);

static double mixture_moment(const dlab_distribution *d, const dlab_pool *pool, bool spread)
{
    const dlab_part *const parts = dlab_law_parts(d, pool);
    if (parts == NULL) return NAN;
    double weight = 0, mean = 0, variance = 0;
    for (uint32_t i = 0; i < d->count; i++) {
        const dlab_distribution *const part = &parts[i].distribution;
        weight += parts[i].weight;
        mean += parts[i].weight * (part->shift + moment(part, pool, false));
    }
    mean /= weight;
    for (uint32_t i = 0; spread && i < d->count; i++) {
        const dlab_distribution *const part = &parts[i].distribution;
        const double off = part->shift + moment(part, pool, false) - mean;
        variance += parts[i].weight * (moment(part, pool, true) + off * off);
    }
    return spread ? (isinf(mean) ? INFINITY : variance / weight) : mean;
}

static double moment(const dlab_distribution *d, const dlab_pool *pool, bool spread)
{
    const double *const p = d->p;
    double mean = NAN, variance = NAN;
    switch (d->kind) {
    case DLAB_DIST_CONSTANT: return spread ? 0 : p[0];
    case DLAB_DIST_UNIFORM: return spread ? (p[1] - p[0]) * (p[1] - p[0]) / 12 : 0.5 * (p[0] + p[1]);
    case DLAB_DIST_EXPONENTIAL: return spread ? p[0] * p[0] : p[0];
    case DLAB_DIST_HYPEREXPONENTIAL:
        mean = p[0] * p[1] + (1 - p[0]) * p[2];
        variance = mean * mean + 2 * p[0] * (1 - p[0]) * (p[1] - p[2]) * (p[1] - p[2]);
        break;
    case DLAB_DIST_GAMMA: return spread ? p[0] * p[1] * p[1] : p[0] * p[1];
    case DLAB_DIST_ERLANG: return spread ? p[1] * p[1] / p[0] : p[1];
    case DLAB_DIST_NORMAL: {
        const dlab_truncation n = dlab_law_truncation(d);
        normal_moments(&n, &mean, &variance);
        mean = p[0] + n.scale * mean;
        variance *= p[1] * p[1];
        break;
    }
    case DLAB_DIST_LOGNORMAL: {
        const double s2 = p[1] * p[1];
        mean = p[0] * dlab_exp(0.5 * s2);
        variance = mean * mean * s2 * dlab_law_decay(-s2);
        break;
    }
    case DLAB_DIST_WEIBULL: {
        const double first = dlab_law_gamma(1 + 1 / p[0]);
        mean = p[1] * first;
        variance = p[1] * p[1] * (dlab_law_gamma(1 + 2 / p[0]) - first * first);
        break;
    }
    case DLAB_DIST_PARETO:
        mean = pareto_moment(p, 1);
        variance = isinf(mean) ? INFINITY : pareto_moment(p, 2) - mean * mean;
        break;
    case DLAB_DIST_BIMODAL:
        mean = p[0] + p[2] * (p[1] - p[0]);
        variance = p[2] * (1 - p[2]) * (p[1] - p[0]) * (p[1] - p[0]);
        break;
    case DLAB_DIST_EMPIRICAL:
        return spread ? sample_variance(dlab_law_samples(d, pool), d->count)
                      : sample_mean(dlab_law_samples(d, pool), d->count);
    case DLAB_DIST_MIXTURE: return mixture_moment(d, pool, spread);
    default: break;
    }
    return spread ? variance : mean;
}

double dlab_distribution_mean(const dlab_distribution *d, const dlab_pool *pool)
{
    return moment(d, pool, false) + d->shift;
}

double dlab_distribution_variance(const dlab_distribution *d, const dlab_pool *pool)
{
    return moment(d, pool, true);
}

double dlab_distribution_scv(const dlab_distribution *d, const dlab_pool *pool)
{
    const double mean = dlab_distribution_mean(d, pool);
    return isinf(mean) ? NAN : dlab_distribution_variance(d, pool) / (mean * mean);
}

/* The ends of the support without shift: low in [0], high in [1]. */
static void support(const dlab_distribution *d, const dlab_pool *pool, double ends[2])
{
    const double *const p = d->p;
    ends[0] = 0;
    ends[1] = INFINITY;
    switch (d->kind) {
    case DLAB_DIST_CONSTANT: ends[0] = ends[1] = p[0]; break;
    case DLAB_DIST_UNIFORM: ends[0] = p[0], ends[1] = p[1]; break;
    case DLAB_DIST_NORMAL: ends[0] = p[2], ends[1] = p[3]; break;
    case DLAB_DIST_PARETO: ends[0] = p[1], ends[1] = p[2]; break;
    case DLAB_DIST_BIMODAL:
        ends[0] = p[2] == 0 ? p[0] : p[2] == 1 ? p[1] : fmin(p[0], p[1]);
        ends[1] = p[2] == 0 ? p[0] : p[2] == 1 ? p[1] : fmax(p[0], p[1]);
        break;
    case DLAB_DIST_EMPIRICAL: {
        const double *const x = dlab_law_samples(d, pool);
        ends[0] = x != NULL ? x[0] : NAN;
        ends[1] = x != NULL ? x[d->count - 1] : NAN;
        break;
    }
    case DLAB_DIST_MIXTURE: {
        const dlab_part *const parts = dlab_law_parts(d, pool);
        ends[0] = parts != NULL ? INFINITY : NAN;
        ends[1] = parts != NULL ? -INFINITY : NAN;
        for (uint32_t i = 0; parts != NULL && i < d->count; i++) {
            ends[0] = fmin(ends[0], dlab_law_low(&parts[i].distribution, pool));
            ends[1] = fmax(ends[1], dlab_law_high(&parts[i].distribution, pool));
        }
        break;
    }
    default: break;
    }
}

double dlab_law_low(const dlab_distribution *d, const dlab_pool *pool)
{
    double ends[2];
    support(d, pool, ends);
    return ends[0] + d->shift;
}

double dlab_law_high(const dlab_distribution *d, const dlab_pool *pool)
{
    double ends[2];
    support(d, pool, ends);
    return ends[1] + d->shift;
}
