/* Streams: the published vectors of Philox and sfc64, keys that never meet, and variates that follow their
 * laws up to the tail. All keys are fixed, so a test passes always or never. */
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

#include <distlab/numerics.h>
#include <distlab/random.h>
#include <distlab/statistics.h>

enum { SAMPLES = 100000 };

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int by_bits(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool all_different(uint64_t *x, size_t n)
{
    qsort(x, n, sizeof *x, by_bits);
    for (size_t i = 1; i < n; i++)
        if (x[i] == x[i - 1]) return false;
    return true;
}

static void philox_meets_the_known_answers_of_random123(void **state)
{
    (void)state;
    static const uint32_t rows[][10] = {
        /* counter, key, result */
        { 0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 },
        { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e,
          0xa20bc7c6, 0x6d5451fd },
        { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb,
          0x5001e420, 0x24126ea1 },
    };
    for (size_t i = 0; i < 3; i++) {
        uint32_t out[4];
        dlab_philox4x32(rows[i], rows[i] + 4, out);
        assert_memory_equal(out, rows[i] + 6, sizeof out);
    }
}

static void sfc64_draws_what_numpy_publishes(void **state)
{
    (void)state;
    /* numpy/random/tests/data/sfc64-testset-1.csv: draws 0-3 and 998-999 of seed 0xdeadbeaf, which
     * SeedSequence turns into these three words */
    dlab_rng rng;
    dlab_rng_seed(&rng, UINT64_C(0x50312a63d516e24a), UINT64_C(0x4063bc8bca44dc77),
                  UINT64_C(0xb780f022ab4ec9e2));
    static const uint64_t first[] = { UINT64_C(0xa475f55fbb6bc638), UINT64_C(0xb2d594b6c29d971c),
                                      UINT64_C(0x275bc4ece4484fb1), UINT64_C(0x569be72d9b3492fb) };
    for (int i = 0; i < 4; i++) assert_int_equal(dlab_rng_u64(&rng), first[i]);
    for (int i = 4; i < 998; i++) (void)dlab_rng_u64(&rng);
    assert_int_equal(dlab_rng_u64(&rng), UINT64_C(0xe15d3e2f33b735f8));
    assert_int_equal(dlab_rng_u64(&rng), UINT64_C(0x0f5433336eadef6e));
}

static void keys_and_streams_are_pinned(void **state)
{
    (void)state;
    assert_int_equal(dlab_row_key(1, DLAB_POINT_SHARED, 0), UINT64_C(0xc7a36ce90d9f67de));
    assert_int_equal(dlab_row_key(1, 0, 0), UINT64_C(0x24c34b4c6f043ab1));
    assert_int_equal(dlab_child_key(1, 2), UINT64_C(0xc83ca5a247570c00));
    dlab_rng rng;
    dlab_rng_open(&rng, 1, DLAB_PURPOSE_ARRIVAL, 5);
    assert_int_equal(dlab_rng_u64(&rng), UINT64_C(0xe11674c9600a37ef));
    assert_int_equal(dlab_rng_u64(&rng), UINT64_C(0x36c6a4ecf500d1c4));
}

static void every_part_of_a_name_gives_another_key(void **state)
{
    (void)state;
    static uint64_t keys[4 * 4096];
    size_t n = 0;
    for (uint64_t i = 0; i < 4096; i++) {
        keys[n++] = dlab_row_key(i, 7, 7);
        keys[n++] = dlab_row_key(7, i + 8, 7);
        keys[n++] = dlab_row_key(7, 7, i + 8);
        keys[n++] = dlab_row_key(7, 7 + (i + 1) * (UINT64_C(1) << 32), 7); /* the high halves count too */
    }
    assert_true(all_different(keys, n));
}

static void every_part_of_a_name_gives_another_stream(void **state)
{
    (void)state;
    static uint64_t first[5 * 1024];
    size_t n = 0;
    for (uint64_t i = 0; i < 1024; i++) {
        const uint64_t names[][3] = { { i + (i > 0), 1, 1 },
                                      { 1, 1, i + 2 },
                                      { 1, 1, (i + 1) << 32 },
                                      { (i + 1) << 32, 1, 1 },
                                      { 1, i + 2, 1 } };
        for (int k = 0; k < 5; k++) {
            dlab_rng rng;
            dlab_rng_open(&rng, names[k][0], (dlab_purpose)names[k][1], names[k][2]);
            first[n++] = dlab_rng_u64(&rng);
        }
    }
    assert_true(all_different(first, n));
}

/* A row key, a child key and the words that seed a stream come from Philox blocks that differ. */
static void row_keys_child_keys_and_seeds_come_from_different_blocks(void **state)
{
    (void)state;
    const uint64_t key = 12345, entity = UINT64_C(0x100000002);
    for (uint32_t purpose = 0; purpose < 8; purpose++) {
        const uint32_t k[2] = { (uint32_t)key, 0 };
        uint64_t words[2][2];
        for (uint32_t number = 0; number < 2; number++) {
            const uint32_t c[4] = { purpose, (uint32_t)entity, (uint32_t)(entity >> 32), number };
            uint32_t out[4];
            dlab_philox4x32(c, k, out);
            words[number][0] = out[0] | (uint64_t)out[1] << 32;
            words[number][1] = out[2] | (uint64_t)out[3] << 32;
        }
        dlab_rng opened, seeded;
        dlab_rng_open(&opened, key, (dlab_purpose)purpose, entity);
        dlab_rng_seed(&seeded, words[0][0], words[0][1], words[1][0]);
        assert_memory_equal(&opened, &seeded, sizeof opened);
        for (int i = 0; i < 4; i++) {
            assert_true(words[i / 2][i % 2] != dlab_child_key(key, entity));
            /* the row whose (point, rep) has the bits of this stream's counter, below the same root */
            const uint64_t point = purpose | entity << 32, rep = entity >> 32 | (uint64_t)(i / 2) << 32;
            assert_true(words[i / 2][i % 2] != dlab_row_key(key, point, rep));
        }
    }
}

/* P(chi-square >= x) with df degrees of freedom. */
static double chi_square_tail(const uint64_t *counts, size_t n, double expected)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ((double)counts[i] - expected) * ((double)counts[i] - expected) / expected;
    return dlab_gamma_q(0.5 * (double)(n - 1), 0.5 * sum);
}

static void below_n_is_uniform(void **state)
{
    (void)state;
    static const uint64_t ns[] = { 2, 3, 7, 10, 64, 1000 };
    static uint64_t counts[1000];
    dlab_rng rng;
    dlab_rng_open(&rng, 3, DLAB_PURPOSE_SAMPLE, 0);
    for (size_t k = 0; k < 6; k++) {
        memset(counts, 0, sizeof counts);
        for (int i = 0; i < SAMPLES; i++) {
            const uint64_t v = dlab_rng_below(&rng, ns[k]);
            assert_true(v < ns[k]);
            counts[v]++;
        }
        const double p = chi_square_tail(counts, ns[k], (double)SAMPLES / (double)ns[k]);
        if (!(p > 1e-4 && p < 1 - 1e-4)) fail_msg("below(%" PRIu64 "): p = %g", ns[k], p);
    }
    for (int i = 0; i < 100; i++) assert_int_equal(dlab_rng_below(&rng, 1), 0);
}

/* For n = 3/4 of 2^64, taking the high word without rejection would give half of the results to multiples of
 * three. */
static void below_n_is_unbiased_where_the_naive_way_is_worst(void **state)
{
    (void)state;
    const uint64_t n = UINT64_C(3) << 62;
    uint64_t counts[3] = { 0 };
    dlab_rng rng;
    dlab_rng_open(&rng, 4, DLAB_PURPOSE_SAMPLE, 0);
    for (int i = 0; i < SAMPLES; i++) {
        const uint64_t v = dlab_rng_below(&rng, n);
        assert_true(v < n);
        counts[v % 3]++;
    }
    assert_true(chi_square_tail(counts, 3, SAMPLES / 3.0) > 1e-4);
}

static double unit(dlab_rng *rng) { return dlab_rng_unit(rng); }
static double exponential(dlab_rng *rng) { return dlab_rng_exponential(rng); }
static double normal(dlab_rng *rng) { return dlab_rng_normal(rng); }
static double unit_cdf(double x) { return x < 0 ? 0 : x > 1 ? 1 : x; }
static double exponential_cdf(double x) { return -expm1(-x); }

static const struct law {
    const char *name;
    double (*draw)(dlab_rng *);
    double (*cdf)(double);
    double mean, variance, fourth; /* fourth central moment */
} laws[] = {
    { "unit", unit, unit_cdf, 0.5, 1.0 / 12, 1.0 / 80 },
    { "exponential", exponential, exponential_cdf, 1, 1, 9 },
    { "normal", normal, dlab_normal_cdf, 0, 1, 3 },
};

static void variates_follow_their_laws(void **state)
{
    (void)state;
    static double x[SAMPLES];
    for (const struct law *l = laws; l < laws + 3; l++) {
        dlab_rng rng;
        dlab_rng_open(&rng, 5, DLAB_PURPOSE_SAMPLE, (uint64_t)(l - laws));
        double sum = 0, squares = 0;
        for (int i = 0; i < SAMPLES; i++) {
            x[i] = l->draw(&rng);
            sum += x[i] - l->mean;
            squares += (x[i] - l->mean) * (x[i] - l->mean);
        }
        const double n = SAMPLES, off = sum / n, spread = squares / n;
        if (fabs(off) > 4 * sqrt(l->variance / n)) fail_msg("%s: mean off by %g", l->name, off);
        if (fabs(spread - l->variance) > 4 * sqrt((l->fourth - l->variance * l->variance) / n))
            fail_msg("%s: variance %g", l->name, spread);
        qsort(x, SAMPLES, sizeof *x, by_value);
        for (int i = 0; i < SAMPLES; i++) x[i] = l->cdf(x[i]);
        const double p = dlab_ks_tail(dlab_ks_distance(x, SAMPLES), SAMPLES);
        if (!(p > 1e-4)) fail_msg("%s: Kolmogorov-Smirnov p = %g", l->name, p);
    }
}

/* The inlined paths never return what the ziggurat's wedges and tails must add: hit counts in slices beyond
 * the base layer (7.697 and 3.654) and inside single layers agree with the law. */
static void tails_and_wedges_hold_their_share(void **state)
{
    (void)state;
    enum { N = 1000000, CUTS = 4 };
    static const double cuts[2][CUTS] = { { 7.6971, 9, 11, 0.01 }, { 3.6541, 4, 4.5, 0.2153 } };
    double hits[3][CUTS] = { { 0 } };
    dlab_rng rng;
    dlab_rng_open(&rng, 6, DLAB_PURPOSE_SAMPLE, 0);
    for (int i = 0; i < N; i++) {
        const double e = dlab_rng_exponential(&rng), z = dlab_rng_normal(&rng);
        for (int k = 0; k < CUTS; k++) {
            hits[0][k] += e > cuts[0][k];
            hits[1][k] += z > cuts[1][k];
            hits[2][k] += z < -cuts[1][k];
        }
    }
    for (int law = 0; law < 3; law++)
        for (int k = 0; k < CUTS; k++) {
            const double cut = cuts[law > 0][k], p = law == 0 ? exp(-cut) : dlab_normal_cdf(-cut);
            const double expected = N * p, sd = sqrt(N * p * (1 - p));
            if (fabs(hits[law][k] - expected) > 4 * sd + 1)
                fail_msg("law %d beyond %g: %g hits, expected %g +- %g", law, cut, hits[law][k], expected,
                         sd);
        }
}

static void the_place_in_a_layer_does_not_depend_on_the_layer(void **state)
{
    (void)state;
    enum { BINS = 16 };
    uint64_t counts[BINS * BINS] = { 0 };
    dlab_rng rng;
    dlab_rng_open(&rng, 7, DLAB_PURPOSE_SAMPLE, 0);
    for (int i = 0; i < SAMPLES; i++) {
        const uint64_t bits = dlab_rng_u64(&rng);
        counts[(bits & 255) / BINS * BINS + (bits >> 60)]++;
    }
    assert_true(chi_square_tail(counts, BINS * BINS, (double)SAMPLES / (BINS * BINS)) > 1e-4);
}

/* Every layer has the area v, the edges fall to 0, the heights are those of the density. */
static void ziggurat_layers_have_equal_areas(void **state)
{
    (void)state;
    const double *const tables[2][2] = { { dlab_zig_exp_x, dlab_zig_exp_y },
                                         { dlab_zig_normal_x, dlab_zig_normal_y } };
    for (int k = 0; k < 2; k++) {
        const double *const x = tables[k][0], *const y = tables[k][1];
        const double tail = k == 0 ? exp(-x[1]) : sqrt(2 * acos(-1)) * dlab_normal_cdf(-x[1]);
        const double v = x[1] * y[1] + tail;
        assert_true(fabs(x[0] * y[1] - v) < 1e-15 && y[0] == 0 && x[256] == 0 && y[256] == 1);
        for (int i = 1; i < 256; i++) {
            assert_true(x[i] < x[i - 1] && x[i + 1] < x[i]);
            assert_true(fabs(x[i] * (y[i + 1] - y[i]) - v) < 4e-16);
            assert_true(fabs(y[i] - (k == 0 ? exp(-x[i]) : exp(-0.5 * x[i] * x[i]))) < 2e-16);
        }
    }
}

static void the_rare_paths_agree_with_the_inlined_ones(void **state)
{
    (void)state;
    dlab_rng rng;
    dlab_rng_open(&rng, 8, DLAB_PURPOSE_SAMPLE, 0);
    for (int i = 0; i < SAMPLES; i++) {
        dlab_rng a = rng, b = rng, c = rng, d = rng;
        (void)dlab_rng_u64(&b);
        (void)dlab_rng_u64(&d);
        const uint64_t bits = dlab_rng_u64(&rng);
        assert_true(dlab_rng_exponential(&a) == dlab_rng_exponential_slow(&b, bits));
        assert_true(dlab_rng_normal(&c) == dlab_rng_normal_slow(&d, bits));
        assert_memory_equal(&a, &b, sizeof a);
        assert_memory_equal(&c, &d, sizeof c);
    }
}

static void extreme_words_stay_inside_the_law(void **state)
{
    (void)state;
    for (uint64_t layer = 0; layer < 256; layer++) {
        dlab_rng rng;
        dlab_rng_open(&rng, 9, DLAB_PURPOSE_SAMPLE, layer);
        const double most = dlab_rng_exponential_slow(&rng, ~UINT64_C(0xff) | layer);
        const double least = dlab_rng_normal_slow(&rng, UINT64_C(1) << 63 | layer); /* u = -1 */
        assert_true(most >= 0 && most < 60);
        assert_true(fabs(least) < 12);
    }
    dlab_rng rng;
    dlab_rng_seed(&rng, 0, 0, 0);
    assert_true(dlab_rng_exponential_slow(&rng, 0) == 0 && dlab_rng_normal_slow(&rng, 0) == 0);
}

static void the_first_100000_variates_are_pinned(void **state)
{
    (void)state;
    dlab_rng rng;
    dlab_rng_open(&rng, 1, DLAB_PURPOSE_ARRIVAL, 5);
    for (int i = 0; i < 3; i++) (void)dlab_rng_u64(&rng);
    static const double first[] = { 0x1.1205d55ebf746p+0, 0x1.b064afdb5573ap-8, 0x1.b60f48d040a58p-1,
                                    0x1.83218026b42abp+1, 0x1.fc1244e2a04b6p-3, 0x1.582165da14704p-1,
                                    0x1.e971a93a9aab6p+0, 0x1.451bab61e54fcp+0 };
    for (int i = 0; i < 8; i++)
        assert_true((i < 4 ? dlab_rng_exponential(&rng) : dlab_rng_normal(&rng)) == first[i]);
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (int i = 0; i < 100000; i++) {
        const double x = i % 2 ? dlab_rng_normal(&rng) : dlab_rng_exponential(&rng);
        uint64_t bits;
        memcpy(&bits, &x, sizeof bits);
        hash = (hash ^ bits) * UINT64_C(0x100000001b3);
    }
    assert_int_equal(hash, UINT64_C(0x0ac25dac71defcc4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_meets_the_known_answers_of_random123),
        cmocka_unit_test(sfc64_draws_what_numpy_publishes),
        cmocka_unit_test(keys_and_streams_are_pinned),
        cmocka_unit_test(every_part_of_a_name_gives_another_key),
        cmocka_unit_test(every_part_of_a_name_gives_another_stream),
        cmocka_unit_test(row_keys_child_keys_and_seeds_come_from_different_blocks),
        cmocka_unit_test(below_n_is_uniform),
        cmocka_unit_test(below_n_is_unbiased_where_the_naive_way_is_worst),
        cmocka_unit_test(variates_follow_their_laws),
        cmocka_unit_test(tails_and_wedges_hold_their_share),
        cmocka_unit_test(the_place_in_a_layer_does_not_depend_on_the_layer),
        cmocka_unit_test(ziggurat_layers_have_equal_areas),
        cmocka_unit_test(the_rare_paths_agree_with_the_inlined_ones),
        cmocka_unit_test(extreme_words_stay_inside_the_law),
        cmocka_unit_test(the_first_100000_variates_are_pinned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
