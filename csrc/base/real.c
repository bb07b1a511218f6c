/* Logarithm, exponential and power out of additions, multiplications and divisions.
 *
 * IEEE 754 fixes the bits of + - * / and of conversions, and nothing else: the C library's log differs
 * between platforms in the last bit, one bit decides which of two events comes first, and a whole run
 * diverges. So sampling uses these. They must be compiled without contraction into fused multiply-adds
 * (-ffp-contract=off); tests/c/test_real.c pins a fingerprint of 1e5 results that would notice.
 *
 * exp(x) = 2^k exp(r) with |r| <= ln(2) / 2 and the Taylor series of exp(r), the first sum kept exactly.
 * log(x) = k log(2) + log(1 + f) with sqrt(1/2) <= 1 + f < sqrt(2). With s = f / (2 + f), z = s^2,
 * log(1 + f) = 2 atanh(s) = 2 s (1 + z/3 + z^2/5 + ...), which equals f - f^2/2 + s (f^2/2 + R) for
 * R = 2 z/3 + 2 z^2/5 + ...; in this form the large terms are exact and s is needed only roughly.
 * pow carries log and the product in two doubles each (about 100 bits; Dekker, Numer. Math. 18, 1971).
 * Coefficients are the fractions of the series, no fitted numbers: |z| <= 0.0295 leaves 10 terms. */
#include <distlab/real.h>

#include <stdint.h>
#include <string.h>

#if defined(__FLT_EVAL_METHOD__) && __FLT_EVAL_METHOD__ != 0
#error "distlab needs doubles that are computed as doubles (x87 arithmetic is not)"
#endif
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

#define INFINITE ((double)__builtin_inff())
#define NOT_A_NUMBER ((double)__builtin_nanf(""))

/* ln(2) in two parts; the first has 42 bits, so that k times it is exact for |k| < 2048. */
#define LN2_HIGH 0x1.62e42fefa38p-1
#define LN2_LOW 0x1.ef35793c7673p-45
#define PER_LN2 0x1.71547652b82fep+0

/* 1/3 in two parts. */
#define THIRD_HIGH 0x1.5555555555555p-2
#define THIRD_LOW 0x1.5555555555555p-56

#define ROUNDER 0x1.8p52 /* adding it rounds a number below 2^51 to an integer */

static uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* exp(x + low) for -746 <= x <= 710 and a low far below x; no branch, so that a loop over it becomes
 * vector code. */
static inline double exp_kernel(double x, double low)
{
    const double shifted = x * PER_LN2 + ROUNDER, k = shifted - ROUNDER;
    const double high = x - k * LN2_HIGH, r = high - k * LN2_LOW;
    const double rest = ((high - r) - k * LN2_LOW) + low; /* what r lost */

    /* (exp(r) - 1 - r) / r^2 to r^11, in Estrin's order */
    const double r2 = r * r, r4 = r2 * r2;
    const double a = (1.0 / 2 + r * (1.0 / 6)) + r2 * (1.0 / 24 + r * (1.0 / 120));
    const double b = (1.0 / 720 + r * (1.0 / 5040)) + r2 * (1.0 / 40320 + r * (1.0 / 362880));
    const double c = (1.0 / 3628800 + r * (1.0 / 39916800)) + r2 * (1.0 / 479001600 + r * (1.0 / 6227020800));
    const double p = r2 * (a + r4 * (b + r4 * c));

    const double sum = 1.0 + r, lost = (1.0 - sum) + r;
    const double y = sum + (lost + p + rest * (sum + p));

    /* times 2^k in two steps, so that neither factor leaves the range and only the last one rounds */
    const uint64_t biased = bits_of(shifted) - bits_of(ROUNDER) + 2048; /* k + 2048 */
    const uint64_t half = biased >> 1, other = biased - half;
    return y * double_of((half - 1) << 52) * double_of((other - 1) << 52);
}

/* Where it is infinite or zero already, it may as well be so at the ends of the kernel's range. */
static double exp_clamped(double x, double low)
{
    if (x > 710) x = 710;
    if (x < -746) x = -746; /* NaN passes both */
    return exp_kernel(x, low);
}

double dlab_exp(double x) { return exp_clamped(x, 0); }

/* Bits of positive doubles are ordered as the doubles are: one subtraction a value finds those above 700,
 * and only where there are any is each looked at alone. */
void dlab_exp_all(double *x, size_t n)
{
    const uint64_t limit = bits_of(700.0), sign = UINT64_C(1) << 63;
    uint64_t over = 0;
    for (size_t i = 0; i < n; i++) over |= limit - (bits_of(x[i]) & ~sign);
    if (over & sign)
        for (size_t i = 0; i < n; i++) x[i] = dlab_exp(x[i]);
    else
        for (size_t i = 0; i < n; i++) x[i] = exp_kernel(x[i], 0);
}

/* x = 2^k (1 + f), sqrt(1/2) <= 1 + f < sqrt(2), for a positive finite x. */
static double split(double x, double *k)
{
    double scale = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        scale = -54;
    }
    const uint64_t bits = bits_of(x), above = bits - bits_of(0x1.6a09e667f3bcdp-1); /* sqrt(1/2) */
    const int64_t exponent = (int64_t)above >> 52;
    *k = (double)exponent + scale;
    return double_of(bits - ((uint64_t)exponent << 52)) - 1.0;
}

/* k ln(2) + log(1 + f) + extra, extra being far below the rest. */
static double log_kernel(double k, double f, double extra)
{
    const double s = f / (2.0 + f), z = s * s, z2 = z * z, z4 = z2 * z2, half_square = 0.5 * f * f;
    const double a = (2.0 / 3 + z * (2.0 / 5)) + z2 * (2.0 / 7 + z * (2.0 / 9));
    const double b = (2.0 / 11 + z * (2.0 / 13)) + z2 * (2.0 / 15 + z * (2.0 / 17));
    const double c = 2.0 / 19 + z * (2.0 / 21);
    const double series = z * (a + z4 * (b + z4 * c));
    const double base = k * LN2_HIGH, sum = base + f;
    const double lost = k == 0 ? 0 : (base - sum) + f;
    return sum + (lost + (s * (half_square + series) + (k * LN2_LOW + extra) - half_square));
}

double dlab_log(double x)
{
    if (!(x > 0)) return x == 0 ? -INFINITE : NOT_A_NUMBER;
    if (x == INFINITE) return x;
    double k;
    const double f = split(x, &k);
    return log_kernel(k, f, 0);
}

double dlab_log1p(double x)
{
    if (!(x > -1)) return x == -1 ? -INFINITE : NOT_A_NUMBER;
    if (x == INFINITE) return x;
    if (x > -0.25 && x < 0.375) return x == 0 ? x : log_kernel(0, x, 0);
    const double sum = 1.0 + x;
    const double lost = x > 1 ? 1.0 - (sum - x) : x - (sum - 1.0);
    double k;
    const double f = split(sum, &k);
    return log_kernel(k, f, lost / sum);
}

/* A sum of two doubles, the second at most half a unit in the last place of the first. */
typedef struct pair {
    double high, low;
} pair;

/* a + b where |a| >= |b| (or a = 0). */
static pair fast_sum(double a, double b)
{
    const double high = a + b;
    return (pair){ high, (a - high) + b };
}

/* a * b exactly (Dekker): halves of 26 bits each multiply without rounding. */
static pair product(double a, double b)
{
    const double splitter = 0x1p27 + 1;
    const double ga = splitter * a, a1 = ga - (ga - a), a2 = a - a1;
    const double gb = splitter * b, b1 = gb - (gb - b), b2 = b - b1;
    const double high = a * b;
    return (pair){ high, ((a1 * b1 - high) + a1 * b2 + a2 * b1) + a2 * b2 };
}

static pair times(pair a, pair b)
{
    const pair p = product(a.high, b.high);
    return fast_sum(p.high, p.low + (a.high * b.low + a.low * b.high));
}

/* log(x) in two doubles, x positive and finite. */
static pair log_pair(double x)
{
    double k;
    const double f = split(x, &k);
    const pair below = fast_sum(2.0, f);
    const double s1 = f / below.high;
    const pair back = product(s1, below.high);
    const pair s = { s1, (((f - back.high) - back.low) - s1 * below.low) / below.high };
    const pair z = times(s, s);

    /* z/3 in two doubles; the later terms are 2^-12 of the whole, one double carries them */
    const double y = z.high;
    double tail = 0; /* 1/5 + y/7 + ... + y^9/23 */
    for (int n = 23; n >= 5; n -= 2) tail = tail * y + 1.0 / n;
    const pair third = times(z, (pair){ THIRD_HIGH, THIRD_LOW });
    const pair grown = fast_sum(third.high, y * y * tail);
    const pair twice = { 2 * s.high, 2 * s.low };
    const pair more = times(twice, (pair){ grown.high, grown.low + third.low });
    const pair whole = fast_sum(twice.high, more.high);
    const double low = whole.low + (twice.low + more.low);
    if (k == 0) return fast_sum(whole.high, low);
    const pair sum = fast_sum(k * LN2_HIGH, whole.high);
    return fast_sum(sum.high, sum.low + (k * LN2_LOW + low));
}

double dlab_pow(double x, double y)
{
    if (y == 0 || x == 1) return 1; /* also where the other one is NaN, as C has it */
    if (!(x >= 0) || y != y) return NOT_A_NUMBER;
    if (x == 0 || x == INFINITE) return (x == 0) == (y > 0) ? 0 : INFINITE;
    const double size = y < 0 ? -y : y;
    if (size < 0x1p-65) return 1;                                /* |log x| < 746 */
    if (size > 0x1p65) return (x < 1) == (y > 0) ? 0 : INFINITE; /* |log x| > 2^-54 */
    const pair l = log_pair(x), p = product(y, l.high);
    return exp_clamped(p.high, p.low + y * l.low);
}
