/* Draws: every way to draw follows its law (Kolmogorov-Smirnov, moments), blocks equal single draws bit for
 * bit, and the first draws of each are pinned as nanoseconds. Fixed keys: a test passes always or never. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <distlab/distribution.h>
#include <distlab/numerics.h>
#include <distlab/statistics.h>

enum { SAMPLES = 50000, FIRST = 4 };

/* A law, whether its sample variance may be judged by its sample fourth moment, and its first draws in ns
 * from key 1. One or more for every branch of the sampler. */
static const struct law {
    const char *text;
    bool continuous, light;
    int64_t first[FIRST];
} laws[] = {
    { "constant(5ms)", false, true, { 5000000, 5000000, 5000000, 5000000 } },
    { "uniform(1ms, 9ms)", true, true, { 4848079, 4318657, 6191733, 8035183 } },
    { "exponential(5ms)", true, true, { 1762812, 3260807, 6371693, 11729295 } },
    { "exponential(5ms) + 2ms", true, true, { 3762812, 5260807, 8371693, 13729295 } },
    { "hyperexponential(5ms, 4)", true, true, { 1837492, 6609555, 885318, 1885680 } },
    { "gamma(5ms, 0.5)", true, true, { 7802923, 1392534, 3562091, 7169811 } },
    { "gamma(5ms, 4)", true, true, { 254049, 2990009, 12941713, 142122 } },
    { "gamma(5ms, 20)", true, false, { 0, 70647, 793513, 0 } },
    { "gamma(5ms, 1e-6)", true, true, { 5004504, 4994074, 4999012, 5003840 } },
    { "erlang(1, 5ms)", true, true, { 8529503, 458280, 2591374, 7555107 } },
    { "erlang(12, 5ms)", true, true, { 6259228, 3361858, 4585838, 6038237 } },
    { "normal(5ms, 1ms)", true, true, { 5900864, 6229060, 3814741, 4513628 } },
    { "normal(5ms, 1ms, -inf)", true, true, { 5900864, 6229060, 3814741, 4513628 } },
    { "normal(5ms, 4ms)", true, true, { 8603454, 9916239, 258962, 3054511 } },
    { "normal(1ms, 1ms, 5ms)", true, true, { 5083229, 5300831, 5152287, 5077509 } },
    { "normal(9ms, 1ms, 0, 5ms)", true, true, { 4916771, 4699169, 4847713, 4922491 } },
    { "normal(5ms, 9ms, 4ms, 6ms)", true, true, { 4962020, 5297933, 5787444, 4715466 } },
    { "normal(0, 1ms, 1ms, 1.5ms)", true, true, { 1240505, 1324483, 1178867, 1142593 } },
    { "normal(0, 1ms, 20ms, 30ms)", true, true, { 20017584, 20063558, 20032175, 20016376 } },
    { "lognormal(5ms, 0.5)", true, true, { 7844948, 9243936, 2764357, 3920628 } },
    { "lognormal(median=5ms, p99=80ms)", true, false, { 14630458, 21633785, 1217527, 2800421 } },
    { "weibull(0.5, 5ms)", true, false, { 621501, 2126572, 8119694, 27515272 } },
    { "weibull(3, 5ms)", true, true, { 3532227, 4335991, 5420819, 6643608 } },
    { "pareto(3, 1ms)", true, false, { 1124705, 1242825, 1529253, 2185737 } },
    { "pareto(0.8, 1ms)", true, false, { 1553799, 2259631, 4918105, 18771199 } },
    { "pareto(1.5, 1ms, 1s)", true, false, { 1548408, 1429354, 2009482, 4096032 } },
    { "pareto(4, 1ms, 2ms)", true, true, { 1161706, 1131027, 1264128, 1544866 } },
    { "bimodal(1ms, 100ms, 10%)", false, true, { 1000000, 1000000, 1000000, 1000000 } },
    { "empirical(1, 0, 5) + 1ms", false, true, { 3000000, 3000000, 6000000, 101000000 } },
    { "mixture(0.9: exponential(5ms), 0.1: lognormal(median=80ms, sigma=0.3)) + 1ms",
      true,
      true,
      { 4260807, 12729295, 2571082, 4346322 } },
    { "mixture(1: 2ms, 2: uniform(0, 4ms), 1: empirical(1, 1, 3))",
      false,
      true,
      { 1659328, 3517592, 2000000, 3444647 } },
};
enum { LAWS = sizeof laws / sizeof laws[0] };

static const double samples[] = { 0.001, 0.002, 0.002, 0.005, 0.1 };

/* Everything a sampler needs, made from text. Table 0 holds the parts, table 1 the samples above. */
typedef struct bench {
    dlab_memory memory;
    dlab_buffer parts;
    dlab_arena arena;
    dlab_rows tables[2];
    dlab_pool pool;
    dlab_distribution d;
    dlab_sampler sampler;
    dlab_rng rng;
    dlab_error err;
} bench;

static int try_setup(bench *b, const char *text, double mean, uint64_t fail_at)
{
    memset(b, 0, sizeof *b);
    b->parts.row_size = sizeof(dlab_part);
    b->arena.memory = &b->memory;
    if (dlab_distribution_parse(text, "s", &b->parts, &b->memory, &b->d, &b->err) != DLAB_OK)
        fail_msg("%s: %s", text, b->err.text);
    b->tables[0] = (dlab_rows){ b->parts.rows, b->parts.count, sizeof(dlab_part) };
    b->tables[1] = (dlab_rows){ samples, sizeof samples / sizeof samples[0], sizeof(double) };
    b->pool = (dlab_pool){ b->tables, 2 };
    b->memory.allocations = 0;
    b->memory.fail_at = fail_at;
    dlab_rng_open(&b->rng, 1, DLAB_PURPOSE_SAMPLE, 0);
    return dlab_sampler_init(&b->sampler, &b->d, &b->pool, mean, &b->arena, &b->err);
}

static void setup(bench *b, const char *text, double mean)
{
    if (try_setup(b, text, mean, 0) != DLAB_OK) fail_msg("%s: %s", text, b->err.text);
}

static void teardown(bench *b)
{
    dlab_buffer_free(&b->parts, &b->memory);
    dlab_arena_free(&b->arena);
    assert_int_equal(b->memory.used, 0);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void the_first_draws_are_pinned(void **state)
{
    (void)state;
    for (const struct law *l = laws; l < laws + LAWS; l++) {
        bench b;
        int64_t ns[FIRST];
        setup(&b, l->text, 0);
        for (int i = 0; i < FIRST; i++) ns[i] = dlab_sample_ns(&b.sampler, &b.rng);
        if (memcmp(ns, l->first, sizeof ns) != 0)
            fail_msg("%s: %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64, l->text, ns[0], ns[1], ns[2],
                     ns[3]);
        teardown(&b);
    }
}

static void a_block_has_the_bits_of_single_draws_and_leaves_the_same_stream(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 255, 256, 257, 1000 };
    for (const struct law *l = laws; l < laws + LAWS; l++) {
        bench b;
        setup(&b, l->text, 0);
        dlab_rng single = b.rng;
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
            int64_t block[1001];
            block[sizes[k]] = 77;
            dlab_sample_fill_ns(&b.sampler, &b.rng, block, sizes[k]);
            for (size_t i = 0; i < sizes[k]; i++)
                if (block[i] != dlab_sample_ns(&b.sampler, &single)) fail_msg("%s, draw %zu", l->text, i);
            assert_int_equal(block[sizes[k]], 77);
            if (strncmp(l->text, "constant", 8) != 0) assert_memory_equal(&b.rng, &single, sizeof single);
        }
        teardown(&b);
    }
}

static void draws_follow_the_distribution_function(void **state)
{
    (void)state;
    static double x[SAMPLES];
    for (const struct law *l = laws; l < laws + LAWS; l++) {
        if (!l->continuous) continue;
        bench b;
        setup(&b, l->text, 0);
        for (int i = 0; i < SAMPLES; i++) x[i] = dlab_sample(&b.sampler, &b.rng);
        qsort(x, SAMPLES, sizeof *x, by_value);
        for (int i = 0; i < SAMPLES; i++) x[i] = dlab_distribution_cdf(&b.d, &b.pool, x[i]);
        const double p = dlab_ks_tail(dlab_ks_distance(x, SAMPLES), SAMPLES);
        if (!(p > 1e-4)) fail_msg("%s: p = %g", l->text, p);
        teardown(&b);
    }
}

static void draws_have_the_moments_and_stay_in_the_support(void **state)
{
    (void)state;
    for (const struct law *l = laws; l < laws + LAWS; l++) {
        bench b;
        setup(&b, l->text, 0);
        const double mean = dlab_distribution_mean(&b.d, &b.pool);
        const double variance = dlab_distribution_variance(&b.d, &b.pool);
        const double low = dlab_distribution_quantile(&b.d, &b.pool, 0);
        const double high = dlab_distribution_quantile(&b.d, &b.pool, 1);
        double sum = 0, squares = 0, fourth = 0;
        for (int i = 0; i < SAMPLES; i++) {
            const double x = dlab_sample(&b.sampler, &b.rng), off = x - mean;
            if (!(x >= low && x <= high)) fail_msg("%s: %g lies outside %g..%g", l->text, x, low, high);
            sum += off;
            squares += off * off;
            fourth += off * off * off * off;
        }
        const double n = SAMPLES, spread = squares / n, tiny = 1e-14 * fabs(mean);
        if (isfinite(variance) && fabs(sum / n) > 4 * sqrt(variance / n) + tiny)
            fail_msg("%s: the mean %g is off by %g", l->text, mean, sum / n);
        if (l->light && fabs(spread - variance) > 4 * sqrt((fourth / n - spread * spread) / n) + tiny * tiny)
            fail_msg("%s: the variance is %g, not %g", l->text, spread, variance);
        teardown(&b);
    }
}

/* Integrands for E[X - low] and E[(X - low)^2] / 2, from the distribution function alone. */
static double first_moment(double x, void *data)
{
    const bench *const b = data;
    return 1 - dlab_distribution_cdf(&b->d, &b->pool, x);
}

static double second_moment(double x, void *data)
{
    const bench *const b = data;
    return (x - dlab_distribution_quantile(&b->d, &b->pool, 0)) * first_moment(x, data);
}

static void moments_are_the_integrals_of_the_distribution_function(void **state)
{
    (void)state;
    for (const struct law *l = laws; l < laws + LAWS; l++) {
        if (!l->continuous || !l->light) continue;
        bench b;
        setup(&b, l->text, 0);
        const double low = dlab_distribution_quantile(&b.d, &b.pool, 0);
        const double high = dlab_distribution_quantile(&b.d, &b.pool, 1 - 1e-15);
        const double first = dlab_integrate(first_moment, &b, low, high, 1e-11, NULL);
        const double second = 2 * dlab_integrate(second_moment, &b, low, high, 1e-11, NULL);
        const double mean = dlab_distribution_mean(&b.d, &b.pool);
        const double variance = dlab_distribution_variance(&b.d, &b.pool);
        if (fabs(low + first - mean) > 1e-9 * fabs(mean))
            fail_msg("%s: mean %.17g, by integration %.17g", l->text, mean, low + first);
        if (fabs(second - first * first - variance) > 1e-8 * second)
            fail_msg("%s: variance %.17g, by integration %.17g", l->text, variance, second - first * first);
        teardown(&b);
    }
}

static void quantiles_are_the_least_values_that_reach_the_probability(void **state)
{
    (void)state;
    static const double ps[] = { 1e-12, 1e-4, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.9999, 1 - 1e-9 };
    for (const struct law *l = laws; l < laws + LAWS; l++) {
        bench b;
        setup(&b, l->text, 0);
        for (size_t i = 0; i < sizeof ps / sizeof ps[0]; i++) {
            const double q = dlab_distribution_quantile(&b.d, &b.pool, ps[i]), step = 1e-6 * fabs(q) + 1e-15;
            const double at = dlab_distribution_cdf(&b.d, &b.pool, q);
            const double below = dlab_distribution_cdf(&b.d, &b.pool, q - step);
            const double above = dlab_distribution_cdf(&b.d, &b.pool, q + step);
            if (!(below < ps[i] && above >= ps[i]))
                fail_msg("%s at %g: %g is no quantile", l->text, ps[i], q);
            if (l->continuous && fabs(at - ps[i]) > 1e-10 + 1e-9 * ps[i])
                fail_msg("%s: F(%g) = %g, not %g", l->text, q, at, ps[i]);
        }
        assert_true(isnan(dlab_distribution_quantile(&b.d, &b.pool, -0.1)));
        assert_true(isnan(dlab_distribution_quantile(&b.d, &b.pool, NAN)));
        assert_true(isnan(dlab_distribution_cdf(&b.d, &b.pool, NAN)));
        assert_true(dlab_distribution_cdf(&b.d, &b.pool, INFINITY) == 1);
        assert_true(dlab_distribution_cdf(&b.d, &b.pool, -INFINITY) == 0);
        teardown(&b);
    }
}

static void moments_that_are_infinite_are_infinite(void **state)
{
    (void)state;
    bench b;
    setup(&b, "mixture(1: exponential(1), 1: pareto(1, 1))", 0);
    assert_true(isinf(dlab_distribution_mean(&b.d, &b.pool)));
    assert_true(isinf(dlab_distribution_variance(&b.d, &b.pool)));
    assert_true(isnan(dlab_distribution_scv(&b.d, &b.pool)));
    teardown(&b);
    setup(&b, "pareto(2, 1)", 0);
    assert_true(fabs(dlab_distribution_mean(&b.d, &b.pool) - 2) < 1e-15);
    assert_true(isinf(dlab_distribution_variance(&b.d, &b.pool)));
    teardown(&b);
    /* the bounded law has them at alpha = 1 and 2 as well: E X = log(h) / (1 - 1/h), E X^2 = h */
    setup(&b, "pareto(1, 1, 100)", 0);
    const double mean = log(100) / 0.99;
    assert_true(fabs(dlab_distribution_mean(&b.d, &b.pool) - mean) < 1e-14);
    assert_true(fabs(dlab_distribution_variance(&b.d, &b.pool) - (100 - mean * mean)) < 1e-12);
    teardown(&b);
}

static void atoms_have_their_shares(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value, share;
    } rows[] = {
        { "bimodal(1ms, 100ms, 1%)", 0.1, 0.01 },
        { "bimodal(1ms, 100ms, 100%)", 0.1, 1 },
        { "bimodal(1ms, 100ms, 0)", 0.1, 0 },
        { "mixture(3: 1ms, 1: 2ms, 4: 3ms)", 0.002, 0.125 },
        { "mixture(3: 1ms, 1: 2ms, 4: 3ms)", 0.003, 0.5 },
        { "empirical(1, 0, 5)", 0.002, 0.4 },
        { "empirical(1, 3, 2)", 0.1, 0.5 },
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        bench b;
        setup(&b, rows[k].text, 0);
        double hits = 0;
        for (int i = 0; i < SAMPLES; i++) hits += dlab_sample(&b.sampler, &b.rng) == rows[k].value;
        const double p = rows[k].share, sd = sqrt(p * (1 - p) / SAMPLES);
        if (fabs(hits / SAMPLES - p) > 4 * sd)
            fail_msg("%s: %g in place of %g", rows[k].text, hits / SAMPLES, p);
        teardown(&b);
    }
}

static void degenerate_laws_are_constants(void **state)
{
    (void)state;
    static const char *const texts[] = { "5ms",
                                         "uniform(5ms, 5ms)",
                                         "exponential(0) + 5ms",
                                         "gamma(0, 1) + 5ms",
                                         "lognormal(5ms, 0)",
                                         "weibull(2, 0) + 5ms",
                                         "lognormal(0, 3) + 5ms",
                                         "bimodal(5ms, 5ms, 0.5)",
                                         "hyperexponential(0.5, 0, 0) + 5ms" };
    for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
        bench b;
        setup(&b, texts[k], 0);
        for (int i = 0; i < 100; i++) assert_int_equal(dlab_sample_ns(&b.sampler, &b.rng), 5000000);
        assert_true(dlab_distribution_mean(&b.d, &b.pool) == 0.005);
        assert_true(dlab_distribution_variance(&b.d, &b.pool) == 0);
        assert_true(dlab_distribution_cdf(&b.d, &b.pool, 0.0051) == 1);
        assert_true(dlab_distribution_cdf(&b.d, &b.pool, 0.0049) == 0);
        teardown(&b);
    }
}

/* A sampler scaled to a mean draws the unscaled draws times one factor, from the same words. */
static void only_the_shape_counts_when_a_mean_is_given(void **state)
{
    (void)state;
    for (const struct law *l = laws; l < laws + LAWS; l++) {
        bench plain, scaled;
        setup(&plain, l->text, 0);
        const double own = dlab_distribution_mean(&plain.d, &plain.pool);
        if (isinf(own)) {
            assert_int_equal(try_setup(&scaled, l->text, 3, 0), DLAB_EINVAL);
            assert_non_null(strstr(scaled.err.text, "its mean, inf, cannot be scaled to 3"));
        } else {
            setup(&scaled, l->text, 3);
            for (int i = 0; i < 200; i++) {
                const double expected = dlab_sample(&plain.sampler, &plain.rng) * 3 / own;
                const double x = dlab_sample(&scaled.sampler, &scaled.rng);
                if (fabs(x - expected) > 1e-12 * (fabs(expected) + 3)) fail_msg("%s: %g", l->text, x);
            }
        }
        teardown(&plain);
        teardown(&scaled);
    }
}

/* sfc64 counts its words, so the cost of rejection can be read from its state. */
static void truncated_normals_reject_less_than_half_wherever_they_are_cut(void **state)
{
    (void)state;
    for (double low = -6; low <= 29; low += 0.37)
        for (double width = 1e-6; width < 100; width *= 2.3)
            for (int mirrored = 0; mirrored < 2; mirrored++) {
                bench b;
                setup(&b, "1", 0);
                b.d = (dlab_distribution){ .kind = DLAB_DIST_NORMAL, .p = { 0, 1, low, low + width } };
                if (mirrored) b.d.p[2] = -(low + width), b.d.p[3] = -low;
                assert_int_equal(dlab_sampler_init(&b.sampler, &b.d, &b.pool, 0, &b.arena, NULL),
                                 low + width < -30 ? DLAB_EINVAL : DLAB_OK);
                const uint64_t before = b.rng.s[3];
                for (int i = 0; i < 200; i++) {
                    const double x = dlab_sample(&b.sampler, &b.rng);
                    assert_true(x >= b.d.p[2] && x <= b.d.p[3]);
                }
                if (b.rng.s[3] - before > 200 * 5) /* two words a candidate, twice, and some luck */
                    fail_msg("normal in %g..%g: %g words a draw", b.d.p[2], b.d.p[3],
                             (double)(b.rng.s[3] - before) / 200);
                teardown(&b);
            }
}

static void nanoseconds_are_rounded_to_nearest_and_saturate(void **state)
{
    (void)state;
    static const struct {
        double value;
        int64_t ns;
    } rows[] = {
        { 0, 0 },
        { 0.5, 0 },
        { 1.5, 2 },
        { 2.5, 2 },
        { 0.49999999999999994, 0 },
        { -0.5, 0 },
        { -1.5, -2 },
        { 1234567.4, 1234567 },
        { 0x1p51 - 0.5, (INT64_C(1) << 51) },
        { 0x1p51 - 0.75, (INT64_C(1) << 51) - 1 },
        { 0x1p51 + 1.5, (INT64_C(1) << 51) + 2 },
        { -0x1p51 - 1.5, -(INT64_C(1) << 51) - 2 },
        { 0x1p52 + 1, (INT64_C(1) << 52) + 1 },
        { 0x1p61 + 512, (INT64_C(1) << 61) + 512 },
        { 0x1p62, DLAB_TIME_MAX },
        { 1e300, DLAB_TIME_MAX },
        { INFINITY, DLAB_TIME_MAX },
        { -1e300, -DLAB_TIME_MAX },
        { -INFINITY, -DLAB_TIME_MAX },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bench b;
        setup(&b, "bimodal(1, 1, 0.5)", 0);
        b.sampler.ns = 1;
        b.sampler.a = b.sampler.b = rows[i].value;
        int64_t block[3];
        dlab_sample_fill_ns(&b.sampler, &b.rng, block, 3);
        if (block[0] != rows[i].ns) fail_msg("%.17g ns gives %" PRId64, rows[i].value, block[0]);
        assert_true(block[1] == rows[i].ns && block[2] == rows[i].ns);
        assert_int_equal(dlab_sample_ns(&b.sampler, &b.rng), rows[i].ns);
        teardown(&b);
    }
}

static void what_cannot_be_drawn_is_refused(void **state)
{
    (void)state;
    const dlab_distribution off = { .kind = -1 }, astray = { .kind = DLAB_DIST_EMPIRICAL, .count = 1 };
    const dlab_distribution wrong = { .kind = DLAB_DIST_EXPONENTIAL, .p = { -1 } };
    dlab_sampler s;
    dlab_error err = { .code = DLAB_OK };
    assert_int_equal(dlab_sampler_init(&s, &off, NULL, 0, NULL, &err), DLAB_EINVAL);
    assert_string_equal(err.text, "a distribution that is off (None) has no draws");
    assert_int_equal(dlab_sampler_init(&s, &astray, NULL, 0, NULL, NULL), DLAB_ERANGE);
    assert_int_equal(dlab_sampler_init(&s, &wrong, NULL, 0, NULL, NULL), DLAB_ERANGE);
    bench b;
    assert_int_equal(try_setup(&b, "exponential(0)", 3, 0), DLAB_EINVAL);
    assert_string_equal(b.err.text, "exponential: its mean, 0, cannot be scaled to 3");
    teardown(&b);
}

static void every_request_for_memory_fails_once(void **state)
{
    (void)state;
    uint64_t n = 1;
    for (;; n++) {
        bench b;
        const int code = try_setup(&b, "mixture(1: 1ms, 2: exponential(1ms))", 0, n);
        assert_int_equal(code, b.err.code);
        teardown(&b);
        if (code == DLAB_OK) break;
        assert_int_equal(code, DLAB_ENOMEM);
    }
    assert_int_equal(n, 4); /* two arrays and a chunk */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_draws_are_pinned),
        cmocka_unit_test(a_block_has_the_bits_of_single_draws_and_leaves_the_same_stream),
        cmocka_unit_test(draws_follow_the_distribution_function),
        cmocka_unit_test(draws_have_the_moments_and_stay_in_the_support),
        cmocka_unit_test(moments_are_the_integrals_of_the_distribution_function),
        cmocka_unit_test(quantiles_are_the_least_values_that_reach_the_probability),
        cmocka_unit_test(moments_that_are_infinite_are_infinite),
        cmocka_unit_test(atoms_have_their_shares),
        cmocka_unit_test(degenerate_laws_are_constants),
        cmocka_unit_test(only_the_shape_counts_when_a_mean_is_given),
        cmocka_unit_test(truncated_normals_reject_less_than_half_wherever_they_are_cut),
        cmocka_unit_test(nanoseconds_are_rounded_to_nearest_and_saturate),
        cmocka_unit_test(what_cannot_be_drawn_is_refused),
        cmocka_unit_test(every_request_for_memory_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
