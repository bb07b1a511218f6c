/* See keys.h. The hat is the integral of x^-s, H(x) = (x^(1-s) - 1) / (1 - s), log x at s = 1; both it
 * and its inverse are written with expm1(t)/t and log1p(t)/t so that nothing is lost near s = 1. */
#include <math.h>

#include <distlab/real.h>

#include "sim/keys.h"

/* (exp(t) - 1) / t and log(1 + t) / t, by series near 0. */
static double expm1_over(double t)
{
    if (t > -1e-5 && t < 1e-5) return 1 + t / 2 * (1 + t / 3);
    return (dlab_exp(t) - 1) / t;
}

static double log1p_over(double t)
{
    if (t > -1e-5 && t < 1e-5) return 1 - t / 2 * (1 - 2 * t / 3);
    return dlab_log1p(t) / t;
}

static double hat(double s, double x)
{
    const double log_x = dlab_log(x);
    return expm1_over((1 - s) * log_x) * log_x;
}

static double hat_inverse(double s, double y)
{
    double t = (1 - s) * y;
    if (t < -1) t = -1; /* rounding at the far end */
    return dlab_exp(log1p_over(t) * y);
}

static double density(double s, double x) { return dlab_exp(-s * dlab_log(x)); }

int dlab_zipf_init(dlab_zipf *z, int64_t n, double s, dlab_error *err)
{
    if (n < 1) return dlab_fail(err, DLAB_ERANGE, "keys = %lld is below 1", (long long)n);
    if (!(s >= 0 && s <= 3)) return dlab_fail(err, DLAB_ERANGE, "zipf = %g is outside [0, 3]", s);
    *z = (dlab_zipf){ .n = n, .s = s };
    z->low = hat(s, 1.5) - 1; /* the first key's own share is 1 */
    z->high = hat(s, (double)n + 0.5);
    z->sure = 2 - hat_inverse(s, hat(s, 2.5) - density(s, 2));
    return DLAB_OK;
}

int64_t dlab_zipf_draw(const dlab_zipf *z, dlab_rng *rng)
{
    for (;;) {
        const double u = z->high + dlab_rng_unit(rng) * (z->low - z->high);
        const double x = hat_inverse(z->s, u);
        int64_t k = (int64_t)(x + 0.5);
        k = k < 1 ? 1 : k > z->n ? z->n : k;
        if ((double)k - x <= z->sure || u >= hat(z->s, (double)k + 0.5) - density(z->s, (double)k))
            return k - 1;
    }
}

/* Sum of k^-s over the `count` most popular keys, smallest terms first. */
static double harmonic(const dlab_zipf *z, int64_t count)
{
    double sum = 0;
    for (int64_t k = count; k >= 1; k--) sum += pow((double)k, -z->s);
    return sum;
}

double dlab_zipf_top(const dlab_zipf *z, int64_t count)
{
    if (count <= 0) return 0;
    return count >= z->n ? 1 : harmonic(z, count) / harmonic(z, z->n);
}

double dlab_zipf_share(const dlab_zipf *z, int64_t key)
{
    if (key < 0 || key >= z->n) return 0;
    return pow((double)key + 1, -z->s) / harmonic(z, z->n);
}

int dlab_mix_init(dlab_mix *mix, const double *weights, int count, dlab_error *err)
{
    double total = 0, sum = 0;
    if (count < 1 || count > DLAB_MIX_MAX)
        return dlab_fail(err, DLAB_ERANGE, "a mix of %d operations; 1 to %d fit", count, DLAB_MIX_MAX);
    for (int i = 0; i < count; i++) {
        if (!(weights[i] >= 0) || isinf(weights[i]))
            return dlab_fail(err, DLAB_ERANGE, "weight %d of the mix is %g; it must be 0 or more", i,
                             weights[i]);
        total += weights[i];
    }
    if (!(total > 0)) return dlab_fail(err, DLAB_ERANGE, "all weights of the mix are 0");
    mix->count = count;
    for (int i = 0; i < count; i++) mix->below[i] = (sum += weights[i]) / total;
    return DLAB_OK;
}

int dlab_mix_draw(const dlab_mix *mix, dlab_rng *rng)
{
    const double u = dlab_rng_unit(rng);
    int i = 0;
    while (i + 1 < mix->count && u >= mix->below[i]) i++;
    return i;
}
