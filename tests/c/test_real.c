/* The core's own log, log1p, exp and pow: against values computed with 300 bits, against the C library on a
 * million random points, and against their own fingerprint, which another compiler must reproduce. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <distlab/random.h>
#include <distlab/real.h>

static int64_t bits_of(double x)
{
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* How many doubles lie between two of the same sign; equal ones (and two NaN) are 0 apart. */
static int64_t steps(double a, double b)
{
    if (a == b || (isnan(a) && isnan(b))) return 0;
    if (isnan(a) || isnan(b) || (a < 0) != (b < 0)) return INT64_MAX;
    const int64_t d = bits_of(a) - bits_of(b);
    return d < 0 ? -d : d;
}

typedef enum function { LOG, LOG1P, EXP, POW } function;

static double ours(function f, double x, double y)
{
    return f == LOG ? dlab_log(x) : f == LOG1P ? dlab_log1p(x) : f == EXP ? dlab_exp(x) : dlab_pow(x, y);
}

static double library(function f, double x, double y)
{
    return f == LOG ? log(x) : f == LOG1P ? log1p(x) : f == EXP ? exp(x) : pow(x, y);
}

static const char *const names[] = { "log", "log1p", "exp", "pow" };

static void values_of_300_bit_arithmetic_are_met_within_one_step(void **state)
{
    (void)state;
    /* computed by mpmath with 300 bits, rounded once */
    static const struct {
        function f;
        double x, y, value;
    } rows[] = {
        { LOG, 5e-324, 0.0, -0x1.74385446d71c3p+9 },
        { LOG, 2.2250738585072014e-308, 0.0, -0x1.6232bdd7abcd2p+9 },
        { LOG, 1e-300, 0.0, -0x1.5963447f87fb5p+9 },
        { LOG, 1e-09, 0.0, -0x1.4b927f32bffb8p+4 },
        { LOG, 0.1, 0.0, -0x1.26bb1bbb55515p+1 },
        { LOG, 0.5, 0.0, -0x1.62e42fefa39efp-1 },
        { LOG, 0.7, 0.0, -0x1.6d3c324e13f5p-2 },
        { LOG, 0.7071067811865475, 0.0, -0x1.62e42fefa39f1p-2 },
        { LOG, 0.7071067811865476, 0.0, -0x1.62e42fefa39eep-2 },
        { LOG, 0.9999999999999999, 0.0, -0x1p-53 },
        { LOG, 1.0000000000000002, 0.0, 0x1.fffffffffffffp-53 },
        { LOG, 1.4142135623730951, 0.0, 0x1.62e42fefa39fp-2 },
        { LOG, 2.0, 0.0, 0x1.62e42fefa39efp-1 },
        { LOG, 10.0, 0.0, 0x1.26bb1bbb55516p+1 },
        { LOG, 1000000000.0, 0.0, 0x1.4b927f32bffb8p+4 },
        { LOG, 1e+300, 0.0, 0x1.5963447f87fb5p+9 },
        { LOG, 1.7976931348623157e+308, 0.0, 0x1.62e42fefa39efp+9 },
        { LOG1P, -0.9999999999999999, 0.0, -0x1.25e4f7b2737fap+5 },
        { LOG1P, -0.5, 0.0, -0x1.62e42fefa39efp-1 },
        { LOG1P, -0.29, 0.0, -0x1.5eb5c7907e4c8p-2 },
        { LOG1P, -1e-09, 0.0, -0x1.12e0be84bbb51p-30 },
        { LOG1P, 5e-324, 0.0, 0x0.0000000000001p-1022 },
        { LOG1P, 1e-300, 0.0, 0x1.56e1fc2f8f359p-997 },
        { LOG1P, 1e-17, 0.0, 0x1.70ef54646d497p-57 },
        { LOG1P, 1e-05, 0.0, 0x1.4f8aea9ae7317p-17 },
        { LOG1P, 0.25, 0.0, 0x1.c8ff7c79a9a22p-3 },
        { LOG1P, 0.4, 0.0, 0x1.588c2d913349p-2 },
        { LOG1P, 1.0, 0.0, 0x1.62e42fefa39efp-1 },
        { LOG1P, 1e+16, 0.0, 0x1.26bb1bbb55516p+5 },
        { LOG1P, 1e+300, 0.0, 0x1.5963447f87fb5p+9 },
        { EXP, -745.1, 0.0, 0x0.0000000000001p-1022 },
        { EXP, -744.4400719213812, 0.0, 0x0.0000000000001p-1022 },
        { EXP, -708.5, 0.0, 0x0.e6cf6d08897acp-1022 },
        { EXP, -100.0, 0.0, 0x1.a8c1f14e2af5dp-145 },
        { EXP, -1.0, 0.0, 0x1.78b56362cef38p-2 },
        { EXP, -1e-17, 0.0, 0x1p+0 },
        { EXP, 1e-05, 0.0, 0x1.0000a7c5e340ep+0 },
        { EXP, 0.34657359027997264, 0.0, 0x1.6a09e667f3bccp+0 },
        { EXP, 0.5, 0.0, 0x1.a61298e1e069cp+0 },
        { EXP, 1.0, 0.0, 0x1.5bf0a8b145769p+1 },
        { EXP, 10.0, 0.0, 0x1.5829dcf95056p+14 },
        { EXP, 100.0, 0.0, 0x1.3494a9b171bf5p+144 },
        { EXP, 709.782712893384, 0.0, 0x1.fffffffffff2ap+1023 },
        { POW, 2.0, 0.5, 0x1.6a09e667f3bcdp+0 },
        { POW, 2.0, -1074.0, 0x0.0000000000001p-1022 },
        { POW, 0.5, 1022.5, 0x0.b504f333f9de6p-1022 },
        { POW, 10.0, 308.0, 0x1.1ccf385ebc8ap+1023 },
        { POW, 1.0000000000000002, 3e+18, 0x1.0502174a9bef1p+961 },
        { POW, 0.9999999999999999, -6e+18, 0x1.0502174a9c0efp+961 },
        { POW, 1e-300, 1.01, 0x1.5f1ca8205119ep-1007 },
        { POW, 1e+300, -1.05, 0x0.000000c1069cdp-1022 },
        { POW, 3.0, 0.3333333333333333, 0x1.7137449123ef6p+0 },
        { POW, 5e-324, 0.1, 0x1.8406003b2ae4p-108 },
        { POW, 0.7, -1000.25, 0x1.a065a6af348b7p+514 },
        { POW, 1.7976931348623157e+308, 0.999, 0x1.f78d9576fb57dp+1022 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const double value = ours(rows[i].f, rows[i].x, rows[i].y);
        if (steps(value, rows[i].value) > 1)
            fail_msg("%s(%.17g, %g) = %a, not %a", names[rows[i].f], rows[i].x, rows[i].y, value,
                     rows[i].value);
    }
}

/* A double of either sign whose exponent is uniform between two powers of two. */
static double scattered(dlab_rng *rng, int low, int high)
{
    const int exponent = low + (int)dlab_rng_below(rng, (uint64_t)(high - low + 1));
    const double x = ldexp(1 + dlab_rng_unit(rng), exponent);
    return dlab_rng_u64(rng) & 1 ? x : -x;
}

/* Arguments over the whole range of each function, half of them where it is delicate. */
static void argument(function f, dlab_rng *rng, double *x, double *y)
{
    const bool delicate = dlab_rng_u64(rng) & 1;
    *y = 0;
    switch (f) {
    case LOG: *x = delicate ? 1 + scattered(rng, -52, -1) * 0.5 : fabs(scattered(rng, -1074, 1022)); break;
    case LOG1P: *x = delicate ? scattered(rng, -1074, -2) : fabs(scattered(rng, -3, 1022)); break;
    case EXP: *x = delicate ? scattered(rng, -1074, -1) : -746 + 1456 * dlab_rng_unit(rng); break;
    case POW:
        *x = delicate ? 1 + scattered(rng, -52, -1) * 0.5 : fabs(scattered(rng, -1074, 1022));
        *y = (-746 + 1456 * dlab_rng_unit(rng)) / log(*x);
        break;
    }
}

static void a_million_random_points_agree_with_the_c_library_within_two_steps(void **state)
{
    (void)state;
    dlab_rng rng;
    dlab_rng_open(&rng, 1, DLAB_PURPOSE_SAMPLE, 0);
    for (int f = LOG; f <= POW; f++) {
        int64_t different = 0;
        for (int i = 0; i < 250000; i++) {
            double x, y;
            argument((function)f, &rng, &x, &y);
            const int64_t apart = steps(ours((function)f, x, y), library((function)f, x, y));
            different += apart > 0;
            if (apart > 2) fail_msg("%s(%a, %a) is %" PRId64 " steps off", names[f], x, y, apart);
        }
        assert_true(different < 250000 / 4); /* nearly all have the very bits */
    }
}

static void special_arguments_give_what_the_c_standard_says(void **state)
{
    (void)state;
    static const double special[] = { 0.0,   -0.0,     1.0,       -1.0,        0.5,
                                      2.0,   INFINITY, -INFINITY, (double)NAN, 0x1p-1074,
                                      1e300, -1e300,   1e-300,    -1e-300,     0x1.fffffffffffffp1023 };
    const size_t n = sizeof special / sizeof special[0];
    for (size_t i = 0; i < n; i++) {
        const double x = special[i];
        for (int f = LOG; f <= EXP; f++)
            if (steps(ours((function)f, x, 0), library((function)f, x, 0)) > 1)
                fail_msg("%s(%g) = %g", names[f], x, ours((function)f, x, 0));
        for (size_t k = 0; x >= 0 && k < n; k++)
            if (steps(dlab_pow(x, special[k]), pow(fabs(x), special[k])) > 1)
                fail_msg("pow(%g, %g) = %g", x, special[k], dlab_pow(x, special[k]));
    }
    assert_true(isnan(dlab_pow(-1, 2)) && isnan(dlab_pow(-0x1p-1074, 0.5)));
    assert_true(signbit(dlab_log1p(-0.0)));
    assert_true(isinf(dlab_exp(709.7827128933841)) && dlab_exp(-745.2) == 0);
}

static void neighbours_of_one_keep_their_order(void **state)
{
    (void)state;
    double x = 1 - 2000 * 0x1p-53, before = dlab_log(x);
    for (int i = 0; i < 4000; i++) {
        x = nextafter(x, 2);
        assert_true(dlab_log(x) > before);
        before = dlab_log(x);
    }
}

static void exp_of_an_array_has_the_bits_of_single_calls(void **state)
{
    (void)state;
    dlab_rng rng;
    dlab_rng_open(&rng, 2, DLAB_PURPOSE_SAMPLE, 0);
    for (int wild = 0; wild < 2; wild++) {
        double x[257], single[257];
        for (int i = 0; i < 257; i++)
            x[i] = wild ? scattered(&rng, -1074, 1022) : 690 * (2 * dlab_rng_unit(&rng) - 1);
        if (wild) x[3] = NAN, x[4] = INFINITY, x[5] = -INFINITY, x[6] = 709.9, x[7] = -745.0;
        for (int i = 0; i < 257; i++) single[i] = dlab_exp(x[i]);
        dlab_exp_all(x, 257);
        for (int i = 0; i < 257; i++) assert_int_equal(steps(x[i], single[i]), 0);
    }
    dlab_exp_all(NULL, 0);
}

/* FNV-1a over the bits of 1e5 results. A compiler that contracts, another rounding or x87 arithmetic changes
 * it; so would a better formula, and then every golden draw changes with it. */
static void the_fingerprint_of_100000_results_is_the_same_everywhere(void **state)
{
    (void)state;
    dlab_rng rng;
    dlab_rng_seed(&rng, 1, 2, 3);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (int i = 0; i < 25000; i++) {
        const double u = dlab_rng_unit(&rng), v = dlab_rng_unit(&rng), big = (u - 0.5) * 1400;
        const double results[] = { dlab_log(u + 0x1p-60), dlab_log1p(big > -1 ? big : -u), dlab_exp(big),
                                   dlab_pow(u * 4, (v - 0.5) * 600) };
        for (int k = 0; k < 4; k++) hash = (hash ^ (uint64_t)bits_of(results[k])) * UINT64_C(0x100000001b3);
    }
    if (hash != UINT64_C(0x1a61740a7813b828)) fail_msg("the fingerprint is 0x%016" PRIx64, hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_300_bit_arithmetic_are_met_within_one_step),
        cmocka_unit_test(a_million_random_points_agree_with_the_c_library_within_two_steps),
        cmocka_unit_test(special_arguments_give_what_the_c_standard_says),
        cmocka_unit_test(neighbours_of_one_keep_their_order),
        cmocka_unit_test(exp_of_an_array_has_the_bits_of_single_calls),
        cmocka_unit_test(the_fingerprint_of_100000_results_is_the_same_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
