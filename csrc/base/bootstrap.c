/* Bootstrap-t interval of a mean (Efron and Tibshirani, An Introduction to the Bootstrap, chapter 12).
 *
 * Each resample draws n of the n values with replacement and is studentised by its own standard error:
 * t* = (mean* - mean) / se*. The interval is mean - t*_high se .. mean - t*_low se: the tails of t* change
 * places, which is what lets the interval lean the way skewed values do. A resample of one value only has
 * se* = 0 and t* = -inf or inf; it counts as such, and an interval that would end there ends in NaN. */
#include <distlab/statistics.h>

#include <math.h>
#include <stdlib.h>

#include <distlab/random.h>

static int ascending(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* t* of one resample, from sums of differences to the mean: no cancellation. */
static double studentised(const double *x, size_t n, double mean, dlab_rng *rng)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = x[dlab_rng_below(rng, n)] - mean;
        sum += d;
        squares += d * d;
    }
    const double count = (double)n;
    const double variance = (squares - sum * sum / count) / (count - 1);
    /* n equal values leave a rounding error of n * 2^-52 of the squares, not a spread. */
    if (variance * count <= squares * 0x1p-50) return sum > 0 ? INFINITY : -INFINITY;
    return sum / count / sqrt(variance / count);
}

static int check(double confidence, size_t resamples, size_t *rank, dlab_error *err)
{
    if (!(confidence > 0 && confidence < 1))
        return dlab_fail(err, DLAB_ERANGE, "confidence = %g is outside (0, 1)", confidence);
    if (resamples < DLAB_RESAMPLES_MIN || resamples > DLAB_RESAMPLES_MAX)
        return dlab_fail(err, DLAB_ERANGE, "resamples = %zu is outside [%d, %d]", resamples,
                         DLAB_RESAMPLES_MIN, DLAB_RESAMPLES_MAX);
    /* 12.5: with B resamples the ends are t* of rank (B + 1) alpha/2 from either side. */
    *rank = (size_t)((double)(resamples + 1) * 0.5 * (1 - confidence) + 1e-9);
    if (*rank > 0) return DLAB_OK;
    return dlab_fail(err, DLAB_EINVAL, "confidence = %g needs at least %.0f resamples, not %zu", confidence,
                     ceil(2 / (1 - confidence)) - 1, resamples);
}

int dlab_bootstrap_interval(const double *x, size_t n, double confidence, size_t resamples, uint64_t key,
                            dlab_memory *memory, dlab_interval *out, dlab_error *err)
{
    size_t rank;
    const int wrong = check(confidence, resamples, &rank, err);
    if (wrong != DLAB_OK) return wrong;
    *out = dlab_mean_interval(x, n, confidence);
    /* Equal values: the t interval is the point already. Infinite values: se is NaN. */
    if (n >= DLAB_BOOTSTRAP_VALUES && !(out->se > 0)) return DLAB_OK;
    out->low = out->high = NAN;
    if (n < DLAB_BOOTSTRAP_VALUES) return DLAB_OK;
    dlab_error why = { .code = DLAB_OK };
    double *const t = dlab_memory_realloc(memory, NULL, 0, resamples * sizeof(double), &why);
    if (t == NULL) return dlab_fail(err, why.code, "%s", why.text);
    dlab_rng rng;
    dlab_rng_open(&rng, key, DLAB_PURPOSE_BOOTSTRAP, 0);
    for (size_t i = 0; i < resamples; i++) t[i] = studentised(x, n, out->mean, &rng);
    qsort(t, resamples, sizeof(double), ascending);
    const double first = t[rank - 1], last = t[resamples - rank];
    if (isfinite(first) && isfinite(last)) {
        out->low = out->mean - last * out->se;
        out->high = out->mean - first * out->se;
    }
    dlab_memory_free(memory, t, resamples * sizeof(double));
    return DLAB_OK;
}
