/* Special functions in the form that keeps its digits.
 *
 * One idea serves gamma, beta, binomial and Poisson alike: a probability near its mode is a square root
 * times the exponential of a small number, and Loader computes that small number (Stirling's rest and the
 * deviance) without ever forming the large logarithms whose difference it is. The tails are then a power
 * series or a continued fraction times such a term, so their relative precision survives down to the
 * smallest double.
 *
 * Sources: C. Loader, Fast and Accurate Computation of Binomial Probabilities (2000), sections 2-3; NIST
 * DLMF 8.7.1 (series), 8.9.2 (fraction), 8.12.4 (large a), 8.17.22 (fraction of the incomplete beta), 5.11.1
 * (Stirling), 5.7.3 (log Gamma near 1); Lentz's evaluation of fractions as in Thompson and Barnett (1986, J.
 * Comput. Phys. 64); M. Maechler, Accurately computing log(1 - exp(-|a|)) (2012). */
#include <distlab/numerics.h>

#include <float.h>
#include <math.h>
#include <stdbool.h>

static const double half_log_2pi = 0.91893853320467274178;
static const double two_pi = 6.28318530717958647693;
/* Series and fractions need about sqrt(a) terms near the mean; beyond, gamma has another form. */
static const double fraction_max = 1e10, gamma_max = 1e14;
enum { TERMS_MAX = 4000000, INVERSE_STEPS_MAX = 200 };

double dlab_log_sum_exp(const double *x, size_t n)
{
    double max = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i])) return NAN;
        if (x[i] > max) max = x[i];
    }
    if (isinf(max)) return max;
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += exp(x[i] - max);
    return max + log(sum);
}

double dlab_log_add_exp(double a, double b)
{
    if (a == b) return a + 0.69314718055994530942;
    return a > b ? a + log1p(exp(b - a)) : b + log1p(exp(a - b));
}

double dlab_log1mexp(double x)
{
    if (!(x >= 0)) return NAN;
    /* Maechler: below log 2 expm1 keeps the digits, above it log1p does. */
    return x < 0.69314718055994530942 ? log(-expm1(-x)) : log1p(-exp(-x));
}

double dlab_log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

double dlab_stirling_rest(double x)
{
    if (!(x > 0)) return NAN;
    if (x < 10) return dlab_log_gamma(x + 1) - (x + 0.5) * log(x) + x - half_log_2pi;
    const double y = 1 / (x * x);
    return (1.0 / 12 -
            y * (1.0 / 360 -
                 y * (1.0 / 1260 - y * (1.0 / 1680 - y * (1.0 / 1188 - y * (691.0 / 360360 - y / 156)))))) /
           x;
}

double dlab_deviance(double x, double mean, double difference)
{
    if (x == 0) return mean;
    if (isnan(x + mean + difference)) return NAN;
    if (fabs(difference) >= 0.1 * (x + mean)) return x * log(x / mean) - difference;
    /* x / mean = (1 + v) / (1 - v), so the logarithm is 2 artanh v; its first term joins the difference. */
    const double v = difference / (x + mean), v2 = v * v;
    double sum = difference * v, power = 2 * x * v;
    for (int j = 3;; j += 2) {
        power *= v2;
        const double next = sum + power / j;
        if (next == sum) return sum;
        sum = next;
    }
}

double dlab_gamma_term(double a, double x)
{
    if (!(a >= 0) || !(x >= 0)) return NAN;
    if (x == 0) return a == 0;
    if (a == 0) return exp(-x);
    if (a < 1) return exp(a * log(x) - x - dlab_log_gamma(a + 1));
    return exp(-dlab_stirling_rest(a) - dlab_deviance(a, x, a - x)) / sqrt(two_pi * a);
}

/* Gamma(a + b + 1) / (Gamma(a + 1) Gamma(b + 1)) x^a y^b with y = 1 - x: the binomial term. */
static double binomial_term(double a, double b, double x, double y)
{
    if (x == 0) return a == 0;
    if (y == 0) return b == 0;
    const double n = a + b;
    if (a == 0) return exp(n * (x < 0.5 ? log1p(-x) : log(y)));
    if (b == 0) return exp(n * (y < 0.5 ? log1p(-y) : log(x)));
    if (n < 2) {
        const double ways = dlab_log_gamma(n + 1) - dlab_log_gamma(a + 1) - dlab_log_gamma(b + 1);
        return exp(ways + a * log(x) + b * log(y));
    }
    /* a - n x = a y - b x; the smaller of x and y is the exact one. */
    const double d = x < y ? a - n * x : n * y - b;
    const double rest = dlab_stirling_rest(n) - dlab_stirling_rest(a) - dlab_stirling_rest(b);
    return exp(rest - dlab_deviance(a, n * x, d) - dlab_deviance(b, n * y, -d)) * sqrt(n / (two_pi * a * b));
}

/* log Gamma(1 + a) for |a| <= 0.1 by DLMF 5.7.3, where 1 + a would round the digits of a away. */
static double log_gamma_1p(double a)
{
    static const double zeta[] = {
        /* zeta(k), k = 2.. */
        1.6449340668482264365, 1.2020569031595942854, 1.0823232337111381915, 1.0369277551433699263,
        1.0173430619844491397, 1.0083492773819228268, 1.0040773561979443394, 1.0020083928260822144,
        1.0009945751278180853, 1.0004941886041194646, 1.0002460865533080483, 1.0001227133475784891,
        1.0000612481350587048, 1.0000305882363070205, 1.0000152822594086519, 1.0000076371976378998,
    };
    double sum = 0;
    for (int k = 17; k >= 2; k--) sum = zeta[k - 2] / k - a * sum;
    return a * (a * sum - 0.57721566490153286061);
}

static double gamma_p_series(double a, double x)
{
    double sum = 1, term = 1;
    for (int n = 1; n < TERMS_MAX; n++) {
        term *= x / (a + n);
        sum += term;
        if (term < sum * (DBL_EPSILON / 4)) return sum * dlab_gamma_term(a, x);
    }
    return NAN;
}

/* DLMF 8.9.2 in its even part, by the modified Lentz method. */
static double gamma_q_fraction(double a, double x)
{
    const double tiny = DBL_MIN / DBL_EPSILON;
    double b = x + 1 - a, c = 1 / tiny, d = 1 / b, h = d;
    for (int n = 1; n < TERMS_MAX; n++) {
        const double an = -n * (n - a);
        b += 2;
        d = an * d + b;
        if (fabs(d) < tiny) d = tiny;
        c = b + an / c;
        if (fabs(c) < tiny) c = tiny;
        d = 1 / d;
        h *= d * c;
        if (fabs(d * c - 1) <= 2 * DBL_EPSILON) return h * a * dlab_gamma_term(a, x);
    }
    return NAN;
}

/* Q for small a and x: 1 - P would leave nothing of a result of the size of a. */
static double gamma_q_small(double a, double x)
{
    double sum = 0, term = 1;
    for (int n = 1; n < 100; n++) {
        term *= -x / n;
        const double next = sum + term / (a + n);
        if (next == sum) break;
        sum = next;
    }
    const double log_power = a * log(x) - log_gamma_1p(a);
    return -expm1(log_power) - a * sum * exp(log_power);
}

/* Temme's uniform expansion, DLMF 8.12.4, whose second term is below 1e-15 here: a > 1e10, x near a. */
static double gamma_uniform(double a, double x, bool upper)
{
    const double deviance = dlab_deviance(a, x, a - x), z = x < a ? -sqrt(deviance) : sqrt(deviance);
    const double eta = z * sqrt(2 / a), c0 = -1.0 / 3 + eta / 12;
    const double rest = exp(-deviance) / sqrt(two_pi * a) * c0;
    return upper ? 0.5 * erfc(z) + rest : 0.5 * erfc(-z) - rest;
}

static double gamma_tail(double a, double x, bool upper)
{
    if (!(a > 0) || !(a <= gamma_max) || !(x >= 0)) return NAN;
    if (a > fraction_max && fabs(x - a) < 1e-4 * a) return gamma_uniform(a, x, upper);
    if (x == 0) return upper ? 1 : 0;
    if (isinf(x)) return upper ? 0 : 1;
    if (x < a + 1) {
        if (upper && a < 0.1 && x < 1.1) return gamma_q_small(a, x);
        const double p = gamma_p_series(a, x);
        return upper ? 1 - p : p;
    }
    const double q = gamma_q_fraction(a, x);
    return upper ? q : 1 - q;
}

double dlab_gamma_p(double a, double x) { return gamma_tail(a, x, false); }

double dlab_gamma_q(double a, double x) { return gamma_tail(a, x, true); }

/* Continued fraction DLMF 8.17.22, good below the mean. */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = DBL_MIN / DBL_EPSILON;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    if (fabs(d) < tiny) d = tiny;
    d = 1 / d;
    double h = d;
    for (int m = 1; m < TERMS_MAX; m++) {
        for (int odd = 0; odd < 2; odd++) {
            const double e = odd ? -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1))
                                 : m * (b - m) * x / ((a + 2.0 * m - 1) * (a + 2.0 * m));
            d = 1 + e * d;
            if (fabs(d) < tiny) d = tiny;
            c = 1 + e / c;
            if (fabs(c) < tiny) c = tiny;
            d = 1 / d;
            h *= d * c;
        }
        if (fabs(d * c - 1) <= 2 * DBL_EPSILON) return h;
    }
    return NAN;
}

static bool is_parameter(double a) { return a > 0 && a <= fraction_max; }

/* I_x(a, b) or its complement; y = 1 - x is given so that neither end rounds. */
static double beta_tail(double a, double b, double x, double y, bool upper)
{
    if (!is_parameter(a) || !is_parameter(b) || !(x >= 0) || !(y >= 0)) return NAN;
    if (x == 0 || y == 0) return (x == 0) == upper ? 1 : 0;
    /* The fraction converges fast below (a + 1) / (a + b + 2); written so that both sides cannot hold. */
    if (x * (b + 1) > y * (a + 1)) return beta_tail(b, a, y, x, !upper);
    /* x^a y^b / (a B(a, b)) is the binomial term times b / (a + b). */
    const double below = beta_fraction(a, b, x) * binomial_term(a, b, x, y) * (b / (a + b));
    return upper ? 1 - below : below;
}

double dlab_beta_i(double a, double b, double x) { return beta_tail(a, b, x, 1 - x, false); }

/* What an inverse solves: log F(u) = log p over a variable u that runs over the whole line; F is the
 * smaller tail. */
typedef struct target {
    double a, b; /* b = 0: gamma over log x, else beta over the logit */
    double log_p;
    bool upper;
} target;

static double target_miss(const target *t, double u, double *slope)
{
    double tail, density;
    if (t->b == 0) {
        const double x = exp(u);
        tail = gamma_tail(t->a, x, t->upper);
        density = t->a * dlab_gamma_term(t->a, x);
    } else {
        const double x = 1 / (1 + exp(-u)), y = 1 / (1 + exp(u));
        tail = beta_tail(t->a, t->b, x, y, t->upper);
        density = binomial_term(t->a, t->b, x, y) * (t->a * (t->b / (t->a + t->b)));
    }
    *slope = (t->upper ? -density : density) / tail;
    return log(tail) - t->log_p;
}

/* Newton on the logarithm of a tail, which is concave, kept inside what is known to enclose the root. */
static double target_solve(const target *t, double u)
{
    double low = -INFINITY, high = INFINITY;
    for (int i = 0; i < INVERSE_STEPS_MAX; i++) {
        double slope;
        const double miss = target_miss(t, u, &slope);
        if (isnan(miss)) return NAN;
        if (miss == 0) return u;
        if ((miss < 0) == t->upper) high = u;
        else low = u;
        const double far = 4 + fabs(u);
        double next = u - miss / slope;
        if (fabs(next - u) <= 4 * DBL_EPSILON * fmax(1, fabs(u))) return next;
        if (!(fabs(next - u) <= far)) next = (miss < 0) == t->upper ? u - far : u + far;
        const bool outside = next <= low || next >= high;
        if (outside) next = isfinite(low + high) ? 0.5 * (low + high) : u + (next - u) / 2;
        u = next;
    }
    return u;
}

static double gamma_inverse(double a, double p, double q)
{
    if (!(a > 0) || !(a <= gamma_max) || !(p >= 0) || !(q >= 0)) return NAN;
    if (p == 0) return 0;
    if (q == 0) return INFINITY;
    const target t = { .a = a, .log_p = log(fmin(p, q)), .upper = q < p };
    /* P(a, x) <= x^a / Gamma(a + 1) gives a lower bound that is sharp for small x. */
    const double floor = (log(p) + dlab_log_gamma(a + 1)) / a;
    if (floor < -745) return 0;
    const double u = target_solve(&t, a < 1 ? floor : fmax(floor, log(a)));
    return exp(u);
}

double dlab_gamma_p_inverse(double a, double p) { return gamma_inverse(a, p, 1 - p); }

double dlab_gamma_q_inverse(double a, double q) { return gamma_inverse(a, 1 - q, q); }

double dlab_beta_i_inverse(double a, double b, double p)
{
    const double q = 1 - p;
    if (!is_parameter(a) || !is_parameter(b) || !(p >= 0) || !(q >= 0)) return NAN;
    if (p == 0 || q == 0) return p;
    const target t = { .a = a, .b = b, .log_p = log(fmin(p, q)), .upper = q < p };
    return 1 / (1 + exp(-target_solve(&t, log(a / b))));
}

double dlab_binomial_pmf(int64_t k, int64_t n, double p)
{
    if (n < 0 || !(p >= 0) || !(p <= 1)) return NAN;
    if (k < 0 || k > n) return 0;
    return binomial_term((double)k, (double)(n - k), p, 1 - p);
}

static double binomial_side(int64_t k, int64_t n, double p, bool upper)
{
    if (n < 0 || !(p >= 0) || !(p <= 1)) return NAN;
    if (k < 0) return upper ? 1 : 0;
    if (k >= n) return upper ? 0 : 1;
    /* P(X > k) = I_p(k + 1, n - k), DLMF 8.17.5. */
    return beta_tail((double)(k + 1), (double)(n - k), p, 1 - p, !upper);
}

double dlab_binomial_cdf(int64_t k, int64_t n, double p) { return binomial_side(k, n, p, false); }

double dlab_binomial_tail(int64_t k, int64_t n, double p) { return binomial_side(k, n, p, true); }

double dlab_poisson_pmf(int64_t k, double mean)
{
    if (!(mean >= 0) || isinf(mean)) return NAN;
    return k < 0 ? 0 : dlab_gamma_term((double)k, mean);
}

double dlab_poisson_log_pmf(int64_t k, double mean)
{
    if (!(mean >= 0) || isinf(mean)) return NAN;
    if (k < 0) return -INFINITY;
    if (k == 0) return -mean;
    if (mean == 0) return -INFINITY;
    const double x = (double)k;
    return -dlab_stirling_rest(x) - dlab_deviance(x, mean, x - mean) - 0.5 * log(two_pi * x);
}

double dlab_poisson_cdf(int64_t k, double mean)
{
    return k < 0 ? (mean >= 0 ? 0 : NAN) : dlab_gamma_q((double)k + 1, mean);
}

double dlab_poisson_tail(int64_t k, double mean)
{
    return k < 0 ? (mean >= 0 ? 1 : NAN) : dlab_gamma_p((double)k + 1, mean);
}

double dlab_birthday(double n, double values)
{
    if (!(values >= 1) || !(n >= 0) || isinf(values) || n != floor(n)) return NAN;
    if (n <= 1) return 0;
    if (n > values) return 1;
    if (n <= 64) {
        double log_apart = 0;
        for (double i = 1; i < n; i++) log_apart += log1p(-i / values);
        return -expm1(log_apart);
    }
    /* log of values! / ((values - n)! values^n) by Stirling with its rest; the large parts are one
     * deviance. */
    const double left = values - n;
    if (left < 1) return -expm1(dlab_stirling_rest(values) + 0.5 * log(two_pi * values) - values);
    const double rest = dlab_stirling_rest(values) - dlab_stirling_rest(left);
    return -expm1(rest - dlab_deviance(left, values, -n) - 0.5 * log1p(-n / values));
}
