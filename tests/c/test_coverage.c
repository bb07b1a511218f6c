/* The one property an interval must have: at 95 % it covers the truth in about 95 of 100 cases, also where
 * values are skewed (bootstrap-t), ratios, or one correlated run (batch means behind a warm-up). With 1000
 * cases the standard error of a coverage is 0.7 %, so 93 to 97 % is three of them to either side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include <distlab/numerics.h>
#include <distlab/random.h>
#include <distlab/statistics.h>

enum { CASES = 1000 };

static void assert_near(double value, double expected, double relative)
{
    if (fabs(value - expected) <= relative * fabs(expected)) return;
    fail_msg("%.17g is not within a relative %g of %.17g", value, relative, expected);
}

static void assert_within(double value, double low, double high)
{
    if (value >= low && value <= high) return;
    fail_msg("%.6g is outside [%g, %g]", value, low, high);
}

static dlab_rng stream(uint64_t claim, uint64_t number)
{
    dlab_rng rng;
    dlab_rng_open(&rng, claim, DLAB_PURPOSE_SAMPLE, number);
    return rng;
}

static bool covers(dlab_interval i, double truth) { return i.low <= truth && truth <= i.high; }

static int ascending(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void the_t_interval_covers_the_mean_of_normal_values(void **state)
{
    (void)state;
    static const size_t sizes[] = { 2, 5, 30 };
    for (size_t s = 0; s < 3; s++) {
        int covered = 0;
        for (uint64_t c = 0; c < CASES; c++) {
            dlab_rng rng = stream(11 + s, c);
            double x[30];
            for (size_t i = 0; i < sizes[s]; i++) x[i] = 7 + 3 * dlab_rng_normal(&rng);
            covered += covers(dlab_mean_interval(x, sizes[s], 0.95), 7);
        }
        print_message("t, n = %zu: %d of %d\n", sizes[s], covered, CASES);
        assert_within(covered, 0.93 * CASES, 0.97 * CASES);
    }
}

static void the_ratio_interval_covers_the_ratio_of_means(void **state)
{
    (void)state;
    enum { N = 100 };
    int covered = 0;
    for (uint64_t c = 0; c < CASES; c++) {
        dlab_rng rng = stream(21, c);
        double num[N], den[N];
        for (size_t i = 0; i < N; i++) { /* cycles whose length and content go together */
            den[i] = 1 + dlab_rng_exponential(&rng);
            num[i] = den[i] * (0.5 + dlab_rng_unit(&rng)) + dlab_rng_exponential(&rng);
        }
        covered += covers(dlab_ratio_interval(num, den, N, 0.95), 1.5); /* (2 + 1) / 2 */
    }
    print_message("ratio: %d of %d\n", covered, CASES);
    assert_within(covered, 0.93 * CASES, 0.97 * CASES);
}

static void the_quantile_interval_covers_at_least_as_promised(void **state)
{
    (void)state;
    enum { N = 120 };
    static const double qs[] = { 0.25, 0.5, 0.9 };
    for (size_t k = 0; k < 3; k++) {
        int covered = 0;
        for (uint64_t c = 0; c < CASES; c++) {
            dlab_rng rng = stream(31 + k, c);
            double x[N];
            for (size_t i = 0; i < N; i++) x[i] = dlab_rng_exponential(&rng);
            qsort(x, N, sizeof(double), ascending);
            covered += covers(dlab_quantile_interval(x, N, qs[k], 0.95), -log1p(-qs[k]));
        }
        print_message("quantile %g: %d of %d\n", qs[k], covered, CASES);
        assert_within(covered, 0.93 * CASES, 0.99 * CASES); /* conservative, but of use */
    }
}

static void the_wilson_interval_covers_whatever_the_proportion(void **state)
{
    (void)state;
    enum { N = 100 };
    double mean = 0, worst = 1;
    for (int percent = 1; percent < 100; percent++) { /* not simulated: the sum over every outcome */
        double covered = 0;
        for (int hits = 0; hits <= N; hits++)
            if (covers(dlab_proportion_interval(hits, N, 0.95), percent / 100.0))
                covered += dlab_binomial_pmf(hits, N, percent / 100.0);
        mean += covered / 99;
        if (covered < worst) worst = covered;
    }
    print_message("proportion: %.4f on average, %.4f at worst\n", mean, worst);
    assert_within(mean, 0.945, 0.96);
    assert_within(worst, 0.9, 0.95); /* binomial counts are coarse: no interval is exact everywhere */
}

static void bootstrap_t_covers_skewed_values_where_t_does_not(void **state)
{
    (void)state;
    enum { N = 30, RESAMPLES = 399 };
    int bootstrap = 0, plain = 0;
    dlab_memory memory = { .budget = 0 };
    for (uint64_t c = 0; c < CASES; c++) {
        dlab_rng rng = stream(51, c);
        double x[N];
        for (size_t i = 0; i < N; i++) { /* squared exponential: mean 2, standard deviation 4.5 */
            x[i] = dlab_rng_exponential(&rng);
            x[i] *= x[i];
        }
        dlab_interval i;
        assert_int_equal(dlab_bootstrap_interval(x, N, 0.95, RESAMPLES, c, &memory, &i, NULL), DLAB_OK);
        bootstrap += covers(i, 2);
        plain += covers(dlab_mean_interval(x, N, 0.95), 2);
    }
    print_message("skewed values: bootstrap-t %d, t %d of %d\n", bootstrap, plain, CASES);
    assert_within(bootstrap, 0.9 * CASES, 0.97 * CASES);
    assert_true(bootstrap > plain + 0.03 * CASES);
    assert_int_equal(memory.used, 0);
}

static void bootstrap_t_covers_normal_values_as_promised(void **state)
{
    (void)state;
    enum { N = 20, RESAMPLES = 399 };
    int covered = 0;
    dlab_memory memory = { .budget = 0 };
    for (uint64_t c = 0; c < CASES; c++) {
        dlab_rng rng = stream(52, c);
        double x[N];
        for (size_t i = 0; i < N; i++) x[i] = dlab_rng_normal(&rng);
        dlab_interval i;
        assert_int_equal(dlab_bootstrap_interval(x, N, 0.95, RESAMPLES, c, &memory, &i, NULL), DLAB_OK);
        covered += covers(i, 0);
    }
    print_message("bootstrap-t, normal: %d of %d\n", covered, CASES);
    assert_within(covered, 0.93 * CASES, 0.97 * CASES);
}

static void common_random_numbers_narrow_the_paired_interval(void **state)
{
    (void)state;
    enum { N = 20 };
    double a[N], shared[N], fresh[N];
    dlab_rng rng = stream(61, 0), other = stream(61, 1);
    for (size_t i = 0; i < N; i++) { /* b is 10 % slower, in one case on the same work */
        a[i] = dlab_rng_exponential(&rng);
        shared[i] = 1.1 * a[i] + 0.01 * dlab_rng_normal(&other);
        fresh[i] = 1.1 * dlab_rng_exponential(&other);
    }
    const dlab_interval paired = dlab_paired_interval(a, shared, N, 0.95);
    const dlab_interval unpaired = dlab_paired_interval(a, fresh, N, 0.95);
    assert_true(5 * (paired.high - paired.low) < unpaired.high - unpaired.low);
    assert_true(paired.low > 0);                        /* the difference is seen ... */
    assert_true(unpaired.low < 0 && unpaired.high > 0); /* ... and is lost in fresh noise */
}

/* One run of an AR(1) process of mean 3 and correlation phi, started in its steady state. */
static dlab_batch_means ar1(uint64_t claim, uint64_t c, double phi, int length)
{
    dlab_rng rng = stream(claim, c);
    dlab_batch_means b = { .size = 0 };
    double x = dlab_rng_normal(&rng) / sqrt(1 - phi * phi);
    for (int i = 0; i < length; i++) {
        x = phi * x + dlab_rng_normal(&rng);
        dlab_batch_means_add(&b, 3 + x);
    }
    return b;
}

static void batch_means_cover_the_mean_of_a_correlated_run(void **state)
{
    (void)state;
    int covered = 0;
    double lag = 0;
    for (uint64_t c = 0; c < CASES; c++) {
        const dlab_batch_means b = ar1(71, c, 0.8, 10000);
        double lag1;
        covered += covers(dlab_batch_means_interval(&b, 0.95, &lag1), 3);
        lag += lag1 / CASES;
    }
    print_message("batch means: %d of %d, mean lag-1 correlation %.3f\n", covered, CASES, lag);
    assert_within(covered, 0.93 * CASES, 0.97 * CASES);
    assert_within(lag, -0.06, 0.03);
}

static void lag1_shows_batches_that_are_too_short(void **state)
{
    (void)state;
    /* 256 values make 64 batches of m = 4. Of an AR(1) process the sum of one batch has variance
     * proportional to m + 2 sum (m - k) phi^k, and neighbours have covariance phi ((1 - phi^m)/(1 - phi))^2;
     * the estimate from n batches is low by about (1 + 4 rho) / n (Kendall, Biometrika 41, 1954). */
    enum { M = 4 };
    const double phi = 0.8;
    double variance = M, power = 1;
    for (int k = 1; k < M; k++) variance += 2 * (M - k) * (power *= phi);
    const double pairs = (1 - power * phi) / (1 - phi);
    const double rho = phi * pairs * pairs / variance;
    double lag = 0;
    int covered = 0;
    for (uint64_t c = 0; c < CASES; c++) {
        const dlab_batch_means b = ar1(72, c, phi, M * DLAB_BATCHES);
        assert_int_equal(b.size, M);
        double lag1;
        covered += covers(dlab_batch_means_interval(&b, 0.95, &lag1), 3);
        lag += lag1 / CASES;
    }
    assert_within(lag - (rho - (1 + 4 * rho) / DLAB_BATCHES), -0.015, 0.015);
    assert_true(covered < 0.85 * CASES); /* the harm lag1 warns of */
}

static void batches_double_and_keep_every_complete_value(void **state)
{
    (void)state;
    dlab_batch_means b = { .size = 0 };
    double lag1 = 0;
    assert_true(isnan(dlab_batch_means_interval(&b, 0.95, &lag1).mean) && isnan(lag1));
    for (int64_t n = 1; n <= 5000; n++) {
        dlab_batch_means_add(&b, (double)n);
        const int64_t kept = b.filled * b.size;
        assert_int_equal(kept + b.in_current, n);
        assert_true(b.filled <= DLAB_BATCHES && (n < DLAB_BATCHES || b.filled >= DLAB_BATCHES / 2));
        const dlab_interval i = dlab_batch_means_interval(&b, 0.95, NULL);
        assert_near(i.mean, 0.5 * (double)(kept + 1), 1e-14); /* mean of 1 .. kept */
        assert_int_equal(i.n, b.filled);
    }
}

static void mser_cuts_the_ramp_and_little_more(void **state)
{
    (void)state;
    enum { N = 3000, RAMP = 400 };
    double *const x = malloc(N * sizeof(double));
    assert_non_null(x);
    for (uint64_t c = 0; c < 20; c++) {
        dlab_rng rng = stream(81, c);
        for (int i = 0; i < N; i++) x[i] = (i < RAMP ? 10.0 * (RAMP - i) / RAMP : 0) + dlab_rng_normal(&rng);
        const size_t cut = dlab_warmup_cut(x, N);
        assert_within((double)cut, 0.8 * RAMP, 1.3 * RAMP);
        assert_int_equal(cut % 5, 0);
    }
    free(x);
}

static void mser_cuts_nothing_where_nothing_warms_up(void **state)
{
    (void)state;
    enum { N = 2000 };
    double *const x = malloc(N * sizeof(double));
    assert_non_null(x);
    double cut = 0;
    for (uint64_t c = 0; c < 50; c++) {
        dlab_rng rng = stream(82, c);
        for (int i = 0; i < N; i++) x[i] = dlab_rng_normal(&rng);
        cut += (double)dlab_warmup_cut(x, N) / 50;
    }
    assert_true(cut < 0.1 * N);
    for (int i = 0; i < N; i++) x[i] = 4.2;
    assert_int_equal(dlab_warmup_cut(x, N), 0);
    free(x);
}

static void mser_says_when_a_series_is_too_short(void **state)
{
    (void)state;
    double x[300];
    for (int i = 0; i < 300; i++) x[i] = i; /* never settles */
    assert_int_equal(dlab_warmup_cut(x, 300), 300);
    for (size_t n = 0; n < 10; n++) assert_int_equal(dlab_warmup_cut(x, n), n);
    for (int i = 0; i < 300; i++) x[i] = NAN;
    assert_int_equal(dlab_warmup_cut(x, 300), 300);
}

static void the_kolmogorov_test_rejects_five_in_a_hundred_and_a_wrong_law(void **state)
{
    (void)state;
    enum { N = 40 };
    int rejected = 0, wrong = 0;
    for (uint64_t c = 0; c < CASES; c++) {
        dlab_rng rng = stream(91, c);
        double u[N], v[N];
        for (size_t i = 0; i < N; i++) u[i] = -expm1(-dlab_rng_exponential(&rng));
        qsort(u, N, sizeof(double), ascending);
        for (size_t i = 0; i < N; i++) v[i] = u[i] * u[i];
        rejected += dlab_ks_tail(dlab_ks_distance(u, N), N) < 0.05;
        wrong += dlab_ks_tail(dlab_ks_distance(v, N), N) < 0.05;
    }
    assert_within(rejected, 0.03 * CASES, 0.07 * CASES);
    assert_true(wrong > 0.6 * CASES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_t_interval_covers_the_mean_of_normal_values),
        cmocka_unit_test(the_ratio_interval_covers_the_ratio_of_means),
        cmocka_unit_test(the_quantile_interval_covers_at_least_as_promised),
        cmocka_unit_test(the_wilson_interval_covers_whatever_the_proportion),
        cmocka_unit_test(bootstrap_t_covers_skewed_values_where_t_does_not),
        cmocka_unit_test(bootstrap_t_covers_normal_values_as_promised),
        cmocka_unit_test(common_random_numbers_narrow_the_paired_interval),
        cmocka_unit_test(batch_means_cover_the_mean_of_a_correlated_run),
        cmocka_unit_test(lag1_shows_batches_that_are_too_short),
        cmocka_unit_test(batches_double_and_keep_every_complete_value),
        cmocka_unit_test(mser_cuts_the_ramp_and_little_more),
        cmocka_unit_test(mser_cuts_nothing_where_nothing_warms_up),
        cmocka_unit_test(mser_says_when_a_series_is_too_short),
        cmocka_unit_test(the_kolmogorov_test_rejects_five_in_a_hundred_and_a_wrong_law),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
