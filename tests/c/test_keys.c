/* Keys and operations: every share of the finite Zipf law by chi-square, the hottest key of a million,
 * uniform at s = 0, smooth through s = 1, mixes with their weights, errors that name the range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "sim/keys.h"

enum { DRAWS = 200000 };

/* Sum over keys of (seen - expected)^2 / expected against its mean n - 1 and variance 2 (n - 1). */
static void check_law(int64_t n, double s)
{
    static int64_t seen[128];
    dlab_zipf z;
    dlab_rng rng;
    double chi = 0, total = 0;
    memset(seen, 0, sizeof seen);
    assert_int_equal(dlab_zipf_init(&z, n, s, NULL), DLAB_OK);
    dlab_rng_open(&rng, 5, DLAB_PURPOSE_SAMPLE, (uint64_t)(n * 1000) + (uint64_t)(s * 100));
    for (int i = 0; i < DRAWS; i++) {
        const int64_t key = dlab_zipf_draw(&z, &rng);
        assert_in_range(key, 0, n - 1);
        seen[key]++;
    }
    for (int64_t k = 0; k < n; k++) {
        const double expected = DRAWS * dlab_zipf_share(&z, k);
        chi += ((double)seen[k] - expected) * ((double)seen[k] - expected) / expected;
        total += dlab_zipf_share(&z, k);
    }
    assert_true(fabs(total - 1) < 1e-12);
    const double df = (double)n - 1;
    if (!(fabs(chi - df) <= 4 * sqrt(2 * df) + 1e-9))
        fail_msg("n=%lld s=%g: chi-square %g, df %g", (long long)n, s, chi, df);
}

static void shares_are_those_of_the_finite_law(void **state)
{
    static const double exponents[] = { 0, 0.5, 0.8, 0.99, 1 - 1e-9, 1, 1 + 1e-9, 1.2, 2, 3 };
    (void)state;
    for (size_t i = 0; i < sizeof exponents / sizeof exponents[0]; i++) {
        check_law(2, exponents[i]);
        check_law(7, exponents[i]);
        check_law(100, exponents[i]);
    }
}

static void one_key_is_always_drawn(void **state)
{
    (void)state;
    dlab_zipf z;
    dlab_rng rng;
    dlab_rng_open(&rng, 5, DLAB_PURPOSE_SAMPLE, 1);
    assert_int_equal(dlab_zipf_init(&z, 1, 1.3, NULL), DLAB_OK);
    for (int i = 0; i < 100; i++) assert_int_equal(dlab_zipf_draw(&z, &rng), 0);
}

/* "The hottest key's share is 1 / H(N) = 6.9 % of a million keys at s = 1": H(1e6) = 14.392726722865... */
static void the_hottest_of_a_million(void **state)
{
    (void)state;
    dlab_zipf z;
    dlab_rng rng;
    int64_t hits = 0, top = 0;
    assert_int_equal(dlab_zipf_init(&z, 1000000, 1, NULL), DLAB_OK);
    assert_true(fabs(dlab_zipf_share(&z, 0) - 1 / 14.392726722865724) < 1e-14);
    dlab_rng_open(&rng, 5, DLAB_PURPOSE_SAMPLE, 2);
    for (int i = 0; i < DRAWS; i++) {
        const int64_t key = dlab_zipf_draw(&z, &rng);
        hits += key == 0;
        top += key < 1000;
    }
    const double p = dlab_zipf_share(&z, 0), q = dlab_zipf_top(&z, 1000);
    assert_true(fabs((double)hits - DRAWS * p) < 4 * sqrt(DRAWS * p * (1 - p)));
    assert_true(fabs((double)top - DRAWS * q) < 4 * sqrt(DRAWS * q * (1 - q)));
    assert_true(dlab_zipf_top(&z, 1000000) == 1 && dlab_zipf_top(&z, 0) == 0);
}

static void mixes_keep_their_weights(void **state)
{
    (void)state;
    const double weights[] = { 3, 0, 1, 6 };
    int seen[4] = { 0 };
    dlab_mix mix;
    dlab_rng rng;
    dlab_rng_open(&rng, 5, DLAB_PURPOSE_SAMPLE, 3);
    assert_int_equal(dlab_mix_init(&mix, weights, 4, NULL), DLAB_OK);
    for (int i = 0; i < DRAWS; i++) seen[dlab_mix_draw(&mix, &rng)]++;
    assert_int_equal(seen[1], 0);
    for (int i = 0; i < 4; i++) {
        const double p = weights[i] / 10;
        assert_true(fabs(seen[i] - DRAWS * p) <= 4 * sqrt(DRAWS * p * (1 - p)));
    }
}

static void wrong_input_is_named(void **state)
{
    (void)state;
    const double bad[] = { 1, -1 }, none[] = { 0, 0 };
    dlab_zipf z;
    dlab_mix mix;
    dlab_error err = { 0 };
    assert_int_equal(dlab_zipf_init(&z, 0, 1, &err), DLAB_ERANGE);
    assert_string_equal(err.text, "keys = 0 is below 1");
    err.code = DLAB_OK;
    assert_int_equal(dlab_zipf_init(&z, 5, NAN, &err), DLAB_ERANGE);
    assert_non_null(strstr(err.text, "[0, 3]"));
    assert_int_equal(dlab_mix_init(&mix, bad, 2, NULL), DLAB_ERANGE);
    assert_int_equal(dlab_mix_init(&mix, none, 2, NULL), DLAB_ERANGE);
    assert_int_equal(dlab_mix_init(&mix, bad, 17, NULL), DLAB_ERANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_those_of_the_finite_law),
        cmocka_unit_test(one_key_is_always_drawn),
        cmocka_unit_test(the_hottest_of_a_million),
        cmocka_unit_test(mixes_keep_their_weights),
        cmocka_unit_test(wrong_input_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
