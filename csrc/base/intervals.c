/* Intervals from independent pieces: repetitions of a run, trials, sorted values.
 *
 * Law, Simulation Modeling and Analysis (4th ed.), sections 4.5 and 9.5, for means, ratios and paired
 * differences; Wilson (JASA 22, 1927) for proportions; order statistics for quantiles (David and Nagaraja,
 * Order Statistics, section 7.1). What cannot be known from the values given is NaN, never a guess. */
#include <distlab/statistics.h>

#include <math.h>
#include <stdbool.h>

#include <distlab/numerics.h>

static bool sensible(double confidence) { return confidence > 0 && confidence < 1; }

dlab_interval dlab_t_interval(double mean, double se, int64_t n, double confidence)
{
    dlab_interval out = { .mean = mean, .low = NAN, .high = NAN, .se = se, .n = n };
    if (n < 2 || !sensible(confidence)) return out;
    const double half = -dlab_t_quantile(0.5 * (1 - confidence), (double)(n - 1)) * se;
    out.low = mean - half;
    out.high = mean + half;
    return out;
}

/* Mean of x - k y (y may be NULL) and its standard error, in two passes: the second one corrects the
 * rounding of the first. */
static void mean_error(const double *x, const double *y, double k, size_t n, double *mean, double *se)
{
    const double count = (double)n;
    double sum = 0, rest = 0, squares = 0;
    for (size_t i = 0; i < n; i++) sum += y != NULL ? x[i] - k * y[i] : x[i];
    const double first = sum / count;
    for (size_t i = 0; i < n; i++) {
        const double d = (y != NULL ? x[i] - k * y[i] : x[i]) - first;
        rest += d;
        squares += d * d;
    }
    const double variance = (squares - rest * rest / count) / (count - 1);
    *mean = first + rest / count;
    *se = n < 2 ? NAN : sqrt(variance > 0 || isnan(variance) ? variance : 0) / sqrt(count);
}

dlab_interval dlab_mean_interval(const double *x, size_t n, double confidence)
{
    double mean, se;
    mean_error(x, NULL, 0, n, &mean, &se);
    return dlab_t_interval(mean, se, (int64_t)n, confidence);
}

dlab_interval dlab_paired_interval(const double *a, const double *b, size_t n, double confidence)
{
    double mean, se;
    mean_error(b, a, 1, n, &mean, &se);
    return dlab_t_interval(mean, se, (int64_t)n, confidence);
}

/* Delta method: num/den - r is about (mean of num - r den) / mean of den. */
dlab_interval dlab_ratio_interval(const double *num, const double *den, size_t n, double confidence)
{
    double top, bottom, rest, se, unused;
    mean_error(num, NULL, 0, n, &top, &unused);
    mean_error(den, NULL, 0, n, &bottom, &unused);
    const double ratio = bottom != 0 ? top / bottom : NAN;
    mean_error(num, den, ratio, n, &rest, &se);
    return dlab_t_interval(ratio, se / fabs(bottom), (int64_t)n, confidence);
}

dlab_interval dlab_proportion_interval(double successes, double trials, double confidence)
{
    dlab_interval out = { .mean = NAN, .low = NAN, .high = NAN, .se = NAN, .n = 0 };
    if (!(trials > 0 && trials < 0x1p63 && successes >= 0 && successes <= trials)) return out;
    out.mean = successes / trials;
    out.se = sqrt(out.mean * (1 - out.mean) / trials);
    out.n = (int64_t)trials;
    if (!sensible(confidence)) return out;
    const double z = -dlab_normal_quantile(0.5 * (1 - confidence)), zz = z * z;
    const double middle = (successes + 0.5 * zz) / (trials + zz);
    const double half = z / (trials + zz) * sqrt(successes * (1 - out.mean) + 0.25 * zz);
    /* At the ends the two terms are equal; rounding must not leave 1e-17 of a possible success. */
    out.low = successes > 0 ? middle - half : 0;
    out.high = successes < trials ? middle + half : 1;
    return out;
}

int64_t dlab_quantile_rank(int64_t n, double q)
{
    const double exact = q * (double)n, near = rint(exact);
    const double rank = fabs(exact - near) <= 4e-16 * near ? near : ceil(exact);
    if (!(rank > 1)) return 1;
    return rank < (double)n ? (int64_t)rank : n;
}

/* The least k in 0 .. n with P(X <= k) >= level, by halving. */
static int64_t binomial_quantile(int64_t n, double q, double level)
{
    int64_t low = 0, high = n;
    while (low < high) {
        const int64_t k = low + (high - low) / 2;
        if (dlab_binomial_cdf(k, n, q) >= level) high = k;
        else low = k + 1;
    }
    return low;
}

/* With X the number of values below the quantile, value i (from 0) is at or below it when X > i, and value
 * j is at or above it when X <= j. So low is the greatest i with P(X <= i) < alpha/2 and high the least j
 * with P(X <= j) >= 1 - alpha/2; X = n means that no value is above it. */
void dlab_quantile_ranks(size_t n, double q, double confidence, int64_t *low, int64_t *high)
{
    const int64_t count = (int64_t)n;
    *low = -1;
    *high = count;
    if (n == 0 || !(q >= 0 && q <= 1) || !sensible(confidence)) return;
    const double tail = 0.5 * (1 - confidence);
    *low = binomial_quantile(count, q, tail) - 1;
    *high = binomial_quantile(count, q, 1 - tail);
}

dlab_interval dlab_quantile_interval(const double *sorted, size_t n, double q, double confidence)
{
    dlab_interval out = { .mean = NAN, .low = NAN, .high = NAN, .se = NAN, .n = (int64_t)n };
    if (n == 0 || !(q >= 0 && q <= 1)) return out;
    int64_t low, high;
    dlab_quantile_ranks(n, q, confidence, &low, &high);
    out.mean = sorted[dlab_quantile_rank(out.n, q) - 1];
    if (low >= 0) out.low = sorted[low];
    if (high < out.n) out.high = sorted[high];
    return out;
}

double dlab_zero_bound(double n, double confidence)
{
    if (!(n >= 0) || !sensible(confidence)) return NAN;
    return n > 0 ? -expm1(log1p(-confidence) / n) : 1;
}
