/* The laws behind intervals and tests: normal, Student's t, Kolmogorov's.
 *
 * An interval at 99.9999 % asks for a tail of 5e-7, so every function works from the smaller tail, or near
 * the median from the distance to it, and never subtracts from one. Up to 3000 degrees of freedom t is a
 * regularised incomplete beta function; above, the argument 1 / (1 + t^2/df) would round away the answer
 * and the normal approximation of Hill (CACM 13(10), 1970, algorithm 395) is exact to a double. */
#include <distlab/statistics.h>

#include <math.h>

#include <distlab/numerics.h>

enum {
    NEWTON_MAX = 60, /* 3 to 6 suffice */
    KS_TERMS = 20,
    DF_BETA_MAX = 3000
};

static const double PI = 3.141592653589793, SQRT_HALF = 0.7071067811865476, SQRT_2PI = 2.5066282746310002;

/* Beyond this tail a quantile is found from its distance to the median. */
static const double TAIL_WIDE = 0.25;

double dlab_normal_cdf(double z) { return 0.5 * erfc(-z * SQRT_HALF); }

/* Abramowitz and Stegun 26.2.23 (error 4.5e-4), then Halley's method on the tail or on the middle. */
double dlab_normal_quantile(double p)
{
    if (!(p >= 0 && p <= 1)) return NAN;
    if (p == 0 || p == 1) return p == 0 ? -INFINITY : INFINITY;
    const double tail = p < 0.5 ? p : 1 - p;
    const double w = sqrt(-2 * log(tail));
    double z =
        w - (2.515517 + w * (0.802853 + w * 0.010328)) / (1 + w * (1.432788 + w * (0.189269 + w * 0.001308)));
    for (int i = 0; i < NEWTON_MAX; i++) {
        /* (tail(z) - tail) / density(z), arranged so that neither factor overflows in the far tail */
        const double miss = tail < TAIL_WIDE
                                ? (0.5 * erfc(z * SQRT_HALF) / tail - 1) * exp(0.5 * z * z + log(tail))
                                : (0.5 - tail - 0.5 * erf(z * SQRT_HALF)) * exp(0.5 * z * z);
        const double step = miss * SQRT_2PI / (1 - 0.5 * z * miss * SQRT_2PI);
        z += step;
        if (fabs(step) <= 1e-15 * fabs(z)) break;
    }
    return p < 0.5 ? -z : z;
}

/* The normal deviate with the same tail as t >= 0. */
static double hill(double t, double df)
{
    const double a = df - 0.5, b = 48 * a * a, y = a * log1p(t / df * t);
    const double inner = ((-0.4 * y - 3.3) * y - 24) * y - 85.5;
    return ((inner / (0.8 * y * y + 100 + b) + y + 3) / b + 1) * sqrt(y);
}

static double t_tail(double t, double df)
{
    if (df == 1) return (t < 1 ? 0.5 * PI - atan(t) : atan(1 / t)) / PI;
    if (df > DF_BETA_MAX) return 0.5 * erfc(hill(t, df) * SQRT_HALF);
    if (t < 1) return 0.5 - 0.5 * dlab_beta_i(0.5, 0.5 * df, t * t / (df + t * t));
    const double r = sqrt(df) / t; /* t * t may overflow */
    return 0.5 * dlab_beta_i(0.5 * df, 0.5, r * r / (1 + r * r));
}

double dlab_t_cdf(double t, double df)
{
    if (!(df > 0) || isnan(t)) return NAN;
    if (isinf(df)) return dlab_normal_cdf(t);
    return t < 0 ? t_tail(-t, df) : 1 - t_tail(t, df);
}

/* Many degrees of freedom: Newton's method on Hill's deviate, from the first term of the Cornish-Fisher
 * expansion; the slope is that of the leading term sqrt((df - 1/2) log(1 + t^2/df)). */
static double t_near_normal(double tail, double df)
{
    const double z = -dlab_normal_quantile(tail);
    double t = z + z * (z * z + 1) / (4 * df);
    for (int i = 0; i < NEWTON_MAX; i++) {
        const double step = (z - hill(t, df)) * z * (df + t * t) / ((df - 0.5) * t);
        t += step;
        if (fabs(step) <= 1e-15 * fabs(t)) break;
    }
    return t;
}

static double t_few_degrees(double tail, double df)
{
    /* Cauchy's quantiles outrun the range of x below. */
    if (df == 1) return tail < TAIL_WIDE ? 1 / tan(PI * tail) : tan(PI * (0.5 - tail));
    if (tail < TAIL_WIDE) {
        const double x = dlab_beta_i_inverse(0.5 * df, 0.5, 2 * tail);
        return sqrt(df) * sqrt((1 - x) / x);
    }
    const double y = dlab_beta_i_inverse(0.5, 0.5 * df, 2 * (0.5 - tail));
    return sqrt(df) * sqrt(y / (1 - y));
}

double dlab_t_quantile(double p, double df)
{
    if (!(p >= 0 && p <= 1) || !(df > 0)) return NAN;
    if (isinf(df)) return dlab_normal_quantile(p);
    if (p == 0 || p == 1) return p == 0 ? -INFINITY : INFINITY;
    if (p == 0.5) return 0;
    const double tail = p < 0.5 ? p : 1 - p;
    const double t = df > DF_BETA_MAX ? t_near_normal(tail, df) : t_few_degrees(tail, df);
    return p < 0.5 ? -t : t;
}

double dlab_ks_distance(const double *cdf_at_sorted, size_t n)
{
    if (n == 0) return NAN;
    double distance = 0;
    for (size_t i = 0; i < n; i++) {
        const double below = cdf_at_sorted[i] - (double)i / (double)n;
        const double above = (double)(i + 1) / (double)n - cdf_at_sorted[i];
        if (isnan(below)) return NAN;
        if (below > distance) distance = below;
        if (above > distance) distance = above;
    }
    return distance;
}

/* Kolmogorov's law in the two forms of its theta function: each converges in a few terms where the other
 * does not. Stephens (JRSS B 32, 1970): sqrt(n) + 0.12 + 0.11 / sqrt(n) for sqrt(n). */
double dlab_ks_tail(double distance, size_t n)
{
    if (n == 0 || isnan(distance)) return NAN;
    if (distance <= 0) return 1;
    const double root = sqrt((double)n);
    const double lambda = distance * (root + 0.12 + 0.11 / root);
    double sum = 0;
    if (lambda < 1) {
        for (int j = 1; j <= KS_TERMS; j++) {
            const double k = (2 * j - 1) * PI / lambda;
            sum += exp(-k * k / 8);
        }
        return 1 - SQRT_2PI / lambda * sum;
    }
    for (int j = 1; j <= KS_TERMS; j++) {
        const double term = exp(-2 * j * j * lambda * lambda);
        sum += j % 2 == 1 ? term : -term;
    }
    return 2 * sum;
}
