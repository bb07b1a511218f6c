/* Statistics, exactly: quantiles against published tables and scipy, intervals against worked examples,
 * and NaN or a clear error for whatever cannot be known. How often intervals cover: test_coverage.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include <distlab/random.h>
#include <distlab/statistics.h>

static void assert_near(double value, double expected, double relative)
{
    if (fabs(value - expected) <= relative * fabs(expected)) return;
    fail_msg("%.17g is not within a relative %g of %.17g", value, relative, expected);
}

static void assert_interval(dlab_interval i, double mean, double low, double high, int64_t n)
{
    assert_near(i.mean, mean, 1e-12);
    assert_near(i.low, low, 1e-11);
    assert_near(i.high, high, 1e-11);
    assert_int_equal(i.n, n);
}

static void assert_point_only(dlab_interval i) { assert_true(isnan(i.low) && isnan(i.high)); }

static void t_quantiles_agree_with_the_table(void **state)
{
    (void)state;
    static const struct {
        double p, df, t;
    } rows[] = {
        { 0.975, 1, 12.70620473617471 },
        { 0.975, 2, 4.302652729749462 },
        { 0.975, 9, 2.262157162798205 },
        { 0.95, 4, 2.131846786326649 },
        { 0.995, 30, 2.749995653567225 },
        { 0.9, 120, 1.288646233656378 },
        { 0.9999, 6, 8.024792773116536 },
        { 0.025, 2.5, -3.574654842003683 },
        { 0.6, 13, 0.2585908577117678 },
        { 0.975, 5000, 1.960438551706507 },
        { 0.999, 1e6, 3.09024045631652 },
        { 0.75, 1, 1 },
        { 0.5, 7, 0 },
        { 1e-200, 1, -3.183098861837907e199 },
        { 1e-30, 3500, -11.573328544328359 }, /* mpmath, 50 digits */
        { 1e-12, 20000, -7.038925322416715 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_near(dlab_t_quantile(rows[i].p, rows[i].df), rows[i].t, 1e-12);
    /* Two degrees of freedom have a closed form: t = (2p - 1) / sqrt(2 p (1 - p)). */
    for (double p = 1e-9; p < 0.5; p *= 1.7)
        assert_near(dlab_t_quantile(p, 2), (2 * p - 1) / sqrt(2 * p * (1 - p)), 1e-13);
}

static void t_quantile_and_cdf_invert_each_other_at_any_degree(void **state)
{
    (void)state;
    static const double dfs[] = { 0.5, 1, 2, 3.7, 10, 63, 1000, 2999, 3000, 3001, 1e5, 1e9, INFINITY };
    for (size_t d = 0; d < sizeof dfs / sizeof dfs[0]; d++) {
        double before = -INFINITY;
        for (double p = 1e-30; p < 0.5; p *= 1.9) {
            const double t = dlab_t_quantile(p, dfs[d]);
            assert_true(t > before);
            before = t;
            assert_near(dlab_t_cdf(t, dfs[d]), p, 1e-11);
            assert_near(dlab_t_cdf(-t, dfs[d]), 1 - p, 1e-13);
        }
    }
    assert_near(dlab_t_cdf(-3.183098861837907e199, 1), 1e-200, 1e-14);
    /* The two methods meet at 3000 degrees: the difference over one degree is that of the law. */
    const double step = dlab_t_quantile(0.975, 3001) - dlab_t_quantile(0.975, 3000);
    const double next = dlab_t_quantile(0.975, 3002) - dlab_t_quantile(0.975, 3001);
    assert_near(step, next, 2e-3);
}

static void normal_quantiles_agree_with_the_table(void **state)
{
    (void)state;
    static const struct {
        double p, z;
    } rows[] = {
        { 0.8413447460685429, 1 },      { 0.975, 1.959963984540054 },  { 0.995, 2.5758293035489004 },
        { 1e-10, -6.3613409024040557 }, { 0.3, -0.52440051270804089 }, { 5e-324, -38.467405617144344 },
    };
    for (size_t i = 0; i < 5; i++) assert_near(dlab_normal_quantile(rows[i].p), rows[i].z, 1e-14);
    /* The least double has no digits to speak of, but its quantile has. */
    assert_near(dlab_normal_quantile(rows[5].p), rows[5].z, 1e-4);
    assert_true(dlab_normal_quantile(0.5) == 0);
    for (double p = 1e-300; p < 1e-3; p *= 1e3)
        assert_near(dlab_normal_cdf(dlab_normal_quantile(p)), p, 1e-12);
    for (double p = 0.001; p < 0.5; p += 0.001)
        assert_near(dlab_normal_quantile(1 - p), -dlab_normal_quantile(p), 1e-12);
}

static void laws_refuse_what_is_no_probability(void **state)
{
    (void)state;
    static const double bad[] = { -0.1, 1.1, NAN };
    for (int i = 0; i < 3; i++) {
        assert_true(isnan(dlab_normal_quantile(bad[i])));
        assert_true(isnan(dlab_t_quantile(bad[i], 5)));
    }
    assert_true(isnan(dlab_t_quantile(0.4, 0)) && isnan(dlab_t_quantile(0.4, NAN)));
    assert_true(isnan(dlab_t_cdf(1, -1)) && isnan(dlab_t_cdf(NAN, 3)));
    assert_true(dlab_t_quantile(0, 5) == -INFINITY && dlab_t_quantile(1, 5) == INFINITY);
    assert_true(dlab_normal_quantile(0) == -INFINITY && dlab_normal_quantile(1) == INFINITY);
}

static int ascending(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static const double FEW_A[] = { 1.2, 3.4, 2.2, 5.9, 4.1, 3.3, 2.8, 9.7 };
static const double FEW_B[] = { 2.0, 3.0, 2.5, 4.0, 3.5, 3.1, 2.9, 6.0 };

static void intervals_agree_with_scipy(void **state)
{
    (void)state;
    const dlab_interval mean = dlab_mean_interval(FEW_A, 8, 0.9);
    assert_interval(mean, 4.075, 2.2949349045214413, 5.855065095478559, 8);
    assert_near(mean.se, 0.9395572665584876, 1e-13);
    const dlab_interval paired = dlab_paired_interval(FEW_A, FEW_B, 8, 0.95);
    assert_interval(paired, -0.7, -1.9106849777230623, 0.5106849777230625, 8);
    const dlab_interval ratio = dlab_ratio_interval(FEW_A, FEW_B, 8, 0.95);
    assert_interval(ratio, 1.2074074074074075, 0.9102332986440224, 1.5045815161707927, 8);
    assert_near(ratio.se, 0.12567498136890545, 1e-12);
    assert_interval(dlab_t_interval(4.075, 0.9395572665584876, 8, 0.9), 4.075, 2.2949349045214413,
                    5.855065095478559, 8);
}

static void what_cannot_be_known_is_nan(void **state)
{
    (void)state;
    assert_true(isnan(dlab_mean_interval(FEW_A, 0, 0.95).mean));
    const dlab_interval one = dlab_mean_interval(FEW_A, 1, 0.95);
    assert_true(one.mean == 1.2 && isnan(one.se));
    assert_point_only(one);
    static const double confidences[] = { 0, 1, -0.5, 95, NAN };
    for (int i = 0; i < 5; i++) {
        assert_point_only(dlab_mean_interval(FEW_A, 8, confidences[i]));
        assert_point_only(dlab_proportion_interval(3, 9, confidences[i]));
        assert_point_only(dlab_quantile_interval(FEW_B, 8, 0.5, confidences[i]));
        assert_true(isnan(dlab_zero_bound(10, confidences[i])));
    }
    const double hole[] = { 1, NAN, 3 }, nothing[] = { 0, 0, 0 }, same[] = { 0.1, 0.1, 0.1 };
    assert_true(isnan(dlab_mean_interval(hole, 3, 0.95).mean));
    assert_point_only(dlab_mean_interval(hole, 3, 0.95));
    assert_true(isnan(dlab_ratio_interval(same, nothing, 3, 0.95).mean));
    const dlab_interval flat = dlab_mean_interval(same, 3, 0.95);
    assert_true(flat.mean == 0.1 && flat.low == 0.1 && flat.high == 0.1 && flat.se == 0);
}

static void a_large_offset_costs_no_digits(void **state)
{
    (void)state;
    double shifted[8];
    for (int i = 0; i < 8; i++) shifted[i] = 0x1p40 + i; /* one-pass sums of squares would be all rounding */
    const dlab_interval i = dlab_mean_interval(shifted, 8, 0.95);
    assert_true(i.mean == 0x1p40 + 3.5);
    assert_near(i.se, sqrt(6.0 / 8), 1e-14);
}

static void wilson_intervals_agree_with_newcombe(void **state)
{
    (void)state;
    /* Newcombe, Statistics in Medicine 17 (1998), table I, method 3; more digits from scipy. */
    static const struct {
        double hits, n, low, high;
    } rows[] = {
        { 81, 263, 0.255288519878274, 0.3662095769828 },
        { 15, 148, 0.0623863995307363, 0.160487241723308 },
        { 0, 20, 0, 0.161125158052819 },
        { 1, 29, 0.00611321429276267, 0.171755218793203 },
        { 29, 29, 0.883030201500259, 1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const dlab_interval w = dlab_proportion_interval(rows[i].hits, rows[i].n, 0.95);
        assert_interval(w, rows[i].hits / rows[i].n, rows[i].low, rows[i].high, (int64_t)rows[i].n);
    }
    for (double n = 1; n < 1000; n++) { /* not even 1e-17 of a hit is left by rounding */
        assert_true(dlab_proportion_interval(0, n, 0.99).low == 0);
        assert_true(dlab_proportion_interval(n, n, 0.99).high == 1);
    }
    assert_true(isnan(dlab_proportion_interval(0, 0, 0.95).mean));
    assert_true(isnan(dlab_proportion_interval(5, 4, 0.95).mean));
    assert_true(isnan(dlab_proportion_interval(-1, 4, 0.95).mean));
}

static void quantile_ranks_are_the_binomial_ones(void **state)
{
    (void)state;
    /* Found by summing binomial probabilities in scipy. */
    static const struct {
        size_t n;
        double q, confidence;
        int64_t low, high;
    } rows[] = {
        { 100, 0.5, 0.95, 39, 60 }, { 1000, 0.99, 0.95, 982, 996 }, { 58, 0.5, 0.9, 22, 35 },
        { 10, 0.5, 0.99, 0, 9 },    { 20, 0.9, 0.95, 14, 20 },      { 500, 0.999, 0.95, 497, 500 },
        { 5, 0.5, 0.95, -1, 5 },    { 30, 0, 0.95, -1, 0 },         { 30, 1, 0.95, 29, 30 },
        { 0, 0.5, 0.95, -1, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t low, high;
        dlab_quantile_ranks(rows[i].n, rows[i].q, rows[i].confidence, &low, &high);
        assert_int_equal(low, rows[i].low);
        assert_int_equal(high, rows[i].high);
    }
}

static void a_rank_means_the_decimal_that_was_written(void **state)
{
    (void)state;
    for (int percent = 1; percent <= 100; percent++)
        assert_int_equal(dlab_quantile_rank(100, percent / 100.0), percent);
    assert_int_equal(dlab_quantile_rank(1000000000, 0.999999999), 999999999);
    assert_int_equal(dlab_quantile_rank(10, 0.51), 6);
    assert_int_equal(dlab_quantile_rank(10, 0), 1);
    assert_int_equal(dlab_quantile_rank(3, 1), 3);
}

static void an_extreme_quantile_has_one_end_only(void **state)
{
    (void)state;
    double sorted[500];
    for (int i = 0; i < 500; i++) sorted[i] = i;
    const dlab_interval i = dlab_quantile_interval(sorted, 500, 0.999, 0.95);
    assert_true(i.mean == 499 && i.low == 497 && isnan(i.high) && isnan(i.se));
}

static void the_rule_of_three_bounds_a_rate_never_seen(void **state)
{
    (void)state;
    assert_near(dlab_zero_bound(1e6, 0.95), 2.995732273553991e-6, 2e-6);
    assert_near(dlab_zero_bound(1, 0.95), 0.95, 1e-15);
    for (double n = 1; n < 1e5; n *= 3) /* at the bound, n misses in a row have probability 5 % */
        assert_near(exp(n * log1p(-dlab_zero_bound(n, 0.95))), 0.05, 1e-12);
    assert_true(dlab_zero_bound(0, 0.95) == 1);
}

static void bootstrap_depends_on_its_key_alone(void **state)
{
    (void)state;
    dlab_memory memory = { .budget = 0 };
    dlab_interval a, b, other;
    assert_int_equal(dlab_bootstrap_interval(FEW_A, 8, 0.9, 999, 7, &memory, &a, NULL), DLAB_OK);
    assert_int_equal(dlab_bootstrap_interval(FEW_A, 8, 0.9, 999, 7, &memory, &b, NULL), DLAB_OK);
    assert_int_equal(dlab_bootstrap_interval(FEW_A, 8, 0.9, 999, 8, &memory, &other, NULL), DLAB_OK);
    assert_true(a.low == b.low && a.high == b.high);
    assert_true(a.low != other.low);
    assert_true(a.low < a.mean && a.mean < a.high);
    assert_true(a.high - a.mean > a.mean - a.low); /* skewed to the right: the interval leans with it */
}

static void bootstrap_follows_the_recipe(void **state)
{
    (void)state;
    /* Chapter 12 done slowly: every resample written out, and the 50th of 999 from either side taken. */
    enum { N = 8, RESAMPLES = 999, RANK = 50 };
    dlab_rng rng;
    dlab_rng_open(&rng, 7, DLAB_PURPOSE_BOOTSTRAP, 0);
    const dlab_interval plain = dlab_mean_interval(FEW_A, N, 0.9);
    double t[RESAMPLES], resample[N];
    for (int i = 0; i < RESAMPLES; i++) {
        for (int j = 0; j < N; j++) resample[j] = FEW_A[dlab_rng_below(&rng, N)];
        const dlab_interval r = dlab_mean_interval(resample, N, 0.9);
        t[i] = (r.mean - plain.mean) / r.se;
    }
    qsort(t, RESAMPLES, sizeof(double), ascending);
    dlab_memory memory = { .budget = 0 };
    dlab_interval found;
    assert_int_equal(dlab_bootstrap_interval(FEW_A, N, 0.9, RESAMPLES, 7, &memory, &found, NULL), DLAB_OK);
    assert_near(found.low, plain.mean - t[RESAMPLES - RANK] * plain.se, 1e-12);
    assert_near(found.high, plain.mean - t[RANK - 1] * plain.se, 1e-12);
}

static void bootstrap_says_what_it_cannot_do(void **state)
{
    (void)state;
    dlab_memory memory = { .budget = 0 };
    dlab_interval i;
    static const struct {
        double confidence;
        size_t resamples;
        int code;
        const char *text;
    } rows[] = {
        { 0.95, 199, DLAB_ERANGE, "resamples = 199 is outside [200, 1000000]" },
        { 0.95, 1000001, DLAB_ERANGE, "resamples = 1000001 is outside [200, 1000000]" },
        { 1.5, 400, DLAB_ERANGE, "confidence = 1.5 is outside (0, 1)" },
        { NAN, 400, DLAB_ERANGE, "confidence = nan is outside (0, 1)" },
        { 0.999, 400, DLAB_EINVAL, "confidence = 0.999 needs at least 1999 resamples, not 400" },
    };
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        dlab_error err = { .code = DLAB_OK };
        const int code =
            dlab_bootstrap_interval(FEW_A, 8, rows[r].confidence, rows[r].resamples, 1, &memory, &i, &err);
        assert_int_equal(code, rows[r].code);
        assert_string_equal(err.text, rows[r].text);
    }
    assert_int_equal(dlab_bootstrap_interval(FEW_A, 8, 0.999, 1999, 1, &memory, &i, NULL), DLAB_OK);

    assert_int_equal(dlab_bootstrap_interval(FEW_A, 7, 0.95, 400, 1, &memory, &i, NULL), DLAB_OK);
    assert_point_only(i);
    const double rare[8] = { 0, 0, 0, 0, 0, 0, 0, 1 }, same[8] = { 2, 2, 2, 2, 2, 2, 2, 2 };
    assert_int_equal(dlab_bootstrap_interval(rare, 8, 0.95, 400, 1, &memory, &i, NULL), DLAB_OK);
    assert_point_only(i); /* a third of the resamples never see the 1 */
    assert_int_equal(dlab_bootstrap_interval(same, 8, 0.95, 400, 1, &memory, &i, NULL), DLAB_OK);
    assert_true(i.low == 2 && i.high == 2);
}

static void bootstrap_survives_a_refused_allocation(void **state)
{
    (void)state;
    dlab_memory memory = { .fail_at = 1 };
    dlab_error err = { .code = DLAB_OK };
    dlab_interval i;
    assert_int_equal(dlab_bootstrap_interval(FEW_A, 8, 0.95, 400, 1, &memory, &i, &err), DLAB_ENOMEM);
    assert_int_equal(err.code, DLAB_ENOMEM);
    assert_int_equal(dlab_bootstrap_interval(FEW_A, 8, 0.95, 400, 1, &memory, &i, NULL), DLAB_OK);
    assert_int_equal(memory.used, 0);
}

static void kolmogorov_tails_agree_with_the_table(void **state)
{
    (void)state;
    /* scipy.special.kolmogorov; 1.3581 is the well-known 5 % point. */
    static const struct {
        double lambda, tail;
    } rows[] = {
        { 0.05, 1 },
        { 0.2, 0.999999999999495 },
        { 0.3, 0.9999906941986655 },
        { 0.5, 0.963945243664875 },
        { 0.8, 0.544142411574198 },
        { 1, 0.269999671677355 },
        { 1.2238, 0.100023427835678 },
        { 1.3581, 0.0499996304316674 },
        { 1.6276, 0.0100015373330608 },
        { 2.5, 7.45330634415734e-06 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t n = 10; n <= 100000; n *= 100) {
            const double root = sqrt((double)n), d = rows[i].lambda / (root + 0.12 + 0.11 / root);
            assert_near(dlab_ks_tail(d, n), rows[i].tail, 1e-12);
        }
    const double almost = nextafter(1, 0), just = 1; /* the two series meet at lambda = 1 */
    const double r = sqrt(50) + 0.12 + 0.11 / sqrt(50);
    assert_near(dlab_ks_tail(almost / r, 50), dlab_ks_tail(just / r, 50), 1e-13);
    assert_true(dlab_ks_tail(0, 10) == 1 && isnan(dlab_ks_tail(0.1, 0)) && isnan(dlab_ks_tail(NAN, 9)));
}

static void kolmogorov_distance_is_the_largest_step_apart(void **state)
{
    (void)state;
    const double middle[] = { 0.125, 0.375, 0.625, 0.875 }, low[] = { 0.1, 0.2, 0.3, 0.4 },
                 high[] = { 0.9, 0.95 };
    assert_near(dlab_ks_distance(middle, 4), 0.125, 1e-15);
    assert_near(dlab_ks_distance(low, 4), 0.6, 1e-15);
    assert_near(dlab_ks_distance(high, 2), 0.9, 1e-15);
    const double hole[] = { 0.5, NAN };
    assert_true(isnan(dlab_ks_distance(hole, 2)) && isnan(dlab_ks_distance(hole, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(t_quantiles_agree_with_the_table),
        cmocka_unit_test(t_quantile_and_cdf_invert_each_other_at_any_degree),
        cmocka_unit_test(normal_quantiles_agree_with_the_table),
        cmocka_unit_test(laws_refuse_what_is_no_probability),
        cmocka_unit_test(intervals_agree_with_scipy),
        cmocka_unit_test(what_cannot_be_known_is_nan),
        cmocka_unit_test(a_large_offset_costs_no_digits),
        cmocka_unit_test(wilson_intervals_agree_with_newcombe),
        cmocka_unit_test(quantile_ranks_are_the_binomial_ones),
        cmocka_unit_test(a_rank_means_the_decimal_that_was_written),
        cmocka_unit_test(an_extreme_quantile_has_one_end_only),
        cmocka_unit_test(the_rule_of_three_bounds_a_rate_never_seen),
        cmocka_unit_test(bootstrap_depends_on_its_key_alone),
        cmocka_unit_test(bootstrap_follows_the_recipe),
        cmocka_unit_test(bootstrap_says_what_it_cannot_do),
        cmocka_unit_test(bootstrap_survives_a_refused_allocation),
        cmocka_unit_test(kolmogorov_tails_agree_with_the_table),
        cmocka_unit_test(kolmogorov_distance_is_the_largest_step_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
