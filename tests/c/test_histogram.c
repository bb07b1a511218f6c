/* Histograms: every value lies in a bucket at most 1/128 of itself wide, sums are exact, and how values
 * were recorded, grouped or merged leaves no trace in any bit of the result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <distlab/histogram.h>
#include <distlab/random.h>

typedef struct fixture {
    dlab_memory memory;
    dlab_arena arena;
    dlab_buffer pool;
    dlab_error err;
} fixture;

static fixture *begin(void)
{
    fixture *const f = calloc(1, sizeof(fixture));
    assert_non_null(f);
    f->arena.memory = &f->memory;
    f->pool.row_size = sizeof(uint64_t);
    return f;
}

static void end(fixture *f)
{
    dlab_buffer_free(&f->pool, &f->memory);
    dlab_arena_free(&f->arena);
    assert_int_equal(f->memory.used, 0);
    free(f);
}

static const uint64_t *pool_of(const fixture *f) { return (const uint64_t *)(const void *)f->pool.rows; }

static dlab_histogram opened(fixture *f)
{
    dlab_histogram h;
    assert_int_equal(dlab_histogram_open(&h, &f->arena, &f->err), DLAB_OK);
    return h;
}

static dlab_histogram packed(fixture *f, const int64_t *values, size_t n)
{
    dlab_histogram h = opened(f);
    dlab_histogram_record_all(&h, values, n);
    assert_int_equal(dlab_histogram_pack(&h, &f->pool, &f->memory, &f->err), DLAB_OK);
    return h;
}

static void assert_same_fields(const dlab_histogram *a, const dlab_histogram *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->min, b->min);
    assert_int_equal(a->max, b->max);
    assert_memory_equal(a->sum, b->sum, sizeof a->sum);
    assert_memory_equal(a->squares, b->squares, sizeof a->squares);
}

static void assert_same_recording(const dlab_histogram *a, const dlab_histogram *b)
{
    assert_same_fields(a, b);
    assert_memory_equal(a->cells.counts, b->cells.counts, DLAB_HISTOGRAM_BUCKETS * sizeof(uint64_t));
}

static void assert_same_packed(const fixture *f, const dlab_histogram *a, const dlab_histogram *b)
{
    assert_same_fields(a, b);
    assert_int_equal(a->first, b->first);
    assert_int_equal(a->used, b->used);
    if (a->used > 0)
        assert_memory_equal(pool_of(f) + a->cells.at, pool_of(f) + b->cells.at, a->used * sizeof(uint64_t));
}

/* All magnitudes equally likely. */
static int64_t any_value(dlab_rng *rng)
{
    return (int64_t)(dlab_rng_u64(rng) >> (1 + dlab_rng_below(rng, 63)));
}

static int ascending(const void *left, const void *right)
{
    const int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static void buckets_tile_all_of_int64_without_gap_or_overlap(void **state)
{
    (void)state;
    assert_int_equal(dlab_histogram_edge(0), 0);
    for (uint32_t i = 0; i < DLAB_HISTOGRAM_BUCKETS; i++) {
        const int64_t low = dlab_histogram_edge(i), next = dlab_histogram_edge(i + 1);
        const int64_t last = i + 1 < DLAB_HISTOGRAM_BUCKETS ? next - 1 : INT64_MAX;
        assert_true(low <= last);
        assert_int_equal(dlab_histogram_index(low), i);
        assert_int_equal(dlab_histogram_index(last), i);
    }
    assert_int_equal(dlab_histogram_edge(DLAB_HISTOGRAM_BUCKETS), INT64_MAX);
    assert_int_equal(dlab_histogram_index(INT64_MAX), DLAB_HISTOGRAM_BUCKETS - 1);
}

static void the_middle_of_a_bucket_is_within_one_in_256_of_its_values(void **state)
{
    (void)state;
    dlab_rng rng;
    dlab_rng_open(&rng, 1, DLAB_PURPOSE_SAMPLE, 0);
    for (int n = 0; n < 200000; n++) {
        const int64_t v = any_value(&rng);
        const uint32_t i = dlab_histogram_index(v);
        const double low = (double)dlab_histogram_edge(i);
        const double high = i + 1 < DLAB_HISTOGRAM_BUCKETS ? (double)dlab_histogram_edge(i + 1) - 1 : 0x1p63;
        assert_true(fabs(0.5 * (low + high) - (double)v) <= (double)v / 256);
    }
}

static void small_values_are_exact(void **state)
{
    (void)state;
    for (int64_t v = 0; v < 256; v++) {
        assert_int_equal(dlab_histogram_index(v), v);
        assert_int_equal(dlab_histogram_edge((uint32_t)v), v);
    }
    assert_int_equal(dlab_histogram_index(257), dlab_histogram_index(256));
}

static void recording_blocks_equals_recording_one_by_one(void **state)
{
    (void)state;
    enum { N = 5000 };
    static const size_t sizes[] = { 0, 1, 2, 3, 511, 512, 1023, 1024, 1025, 2048, N };
    int64_t *const values = malloc(N * sizeof(int64_t));
    assert_non_null(values);
    /* Kinds of block: small; below 2^53 with zeros; just below an octave that doubles round up to;
     * everything; everything and negative; the greatest values whose block sums fit a word. */
    for (int kind = 0; kind < 6; kind++) {
        dlab_rng rng;
        dlab_rng_open(&rng, 2, DLAB_PURPOSE_SAMPLE, (uint64_t)kind);
        for (size_t i = 0; i < N; i++) {
            const int64_t v = any_value(&rng);
            values[i] = kind == 0   ? v % 200
                        : kind == 1 ? (v & 1) * (v >> 10)
                        : kind == 2 ? (INT64_C(1) << (52 + v % 4)) - 1
                        : kind == 3 ? v
                        : kind == 4 ? ((v & 2) ? -v : v)
                                    : (INT64_C(1) << 53) - 1;
        }
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            fixture *const f = begin();
            dlab_histogram one = opened(f), all = opened(f);
            for (size_t i = 0; i < sizes[s]; i++) dlab_histogram_record(&one, values[i]);
            dlab_histogram_record_all(&all, values, sizes[s]);
            assert_same_recording(&one, &all);
            assert_int_equal(all.count, sizes[s]);
            end(f);
        }
    }
    free(values);
}

static void merging_is_associative_commutative_and_equal_to_recording_all(void **state)
{
    (void)state;
    enum { PART = 700, PARTS = 3 };
    fixture *const f = begin();
    dlab_rng rng;
    dlab_rng_open(&rng, 3, DLAB_PURPOSE_SAMPLE, 0);
    int64_t values[PARTS * PART];
    for (size_t i = 0; i < PARTS * PART; i++) values[i] = any_value(&rng) * (i % 50 == 0 ? -1 : 1);
    dlab_histogram parts[PARTS];
    for (size_t p = 0; p < PARTS; p++) parts[p] = packed(f, values + p * PART, PART);
    const dlab_histogram whole = packed(f, values, PARTS * PART);

    static const int orders[6][PARTS] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                          { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    for (int o = 0; o < 6; o++) {
        dlab_histogram left = opened(f); /* ((a b) c) */
        for (int p = 0; p < PARTS; p++) dlab_histogram_merge(&left, &parts[orders[o][p]], pool_of(f));
        assert_int_equal(dlab_histogram_pack(&left, &f->pool, &f->memory, &f->err), DLAB_OK);
        assert_same_packed(f, &whole, &left);

        dlab_histogram last = opened(f), right = opened(f); /* (a (b c)) */
        dlab_histogram_merge(&last, &parts[orders[o][1]], pool_of(f));
        dlab_histogram_merge(&last, &parts[orders[o][2]], pool_of(f));
        assert_int_equal(dlab_histogram_pack(&last, &f->pool, &f->memory, &f->err), DLAB_OK);
        dlab_histogram_merge(&right, &parts[orders[o][0]], pool_of(f));
        dlab_histogram_merge(&right, &last, pool_of(f));
        assert_int_equal(dlab_histogram_pack(&right, &f->pool, &f->memory, &f->err), DLAB_OK);
        assert_same_packed(f, &whole, &right);
    }
    end(f);
}

static void packing_keeps_only_the_range_in_use(void **state)
{
    (void)state;
    fixture *const f = begin();
    const int64_t values[] = { 5000, 5040, 1000 };
    const dlab_histogram a = packed(f, values, 3), b = packed(f, values, 2);
    assert_int_equal(a.first, dlab_histogram_index(1000));
    assert_int_equal(a.first + a.used - 1, dlab_histogram_index(5040));
    assert_int_equal(b.cells.at, a.used); /* one histogram lies behind the other */
    assert_int_equal(f->pool.count, a.used + b.used);
    uint64_t total = 0;
    for (uint32_t i = 0; i < a.used; i++) total += pool_of(f)[a.cells.at + i];
    assert_int_equal(total, 3);
    end(f);
}

static void quantiles_are_within_one_in_128_of_the_sorted_values(void **state)
{
    (void)state;
    enum { N = 20001 };
    static const double qs[] = { 0, 1e-4, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1 };
    int64_t *const values = malloc(N * sizeof(int64_t));
    assert_non_null(values);
    for (int kind = 0; kind < 3; kind++) {
        fixture *const f = begin();
        dlab_rng rng;
        dlab_rng_open(&rng, 4, DLAB_PURPOSE_SAMPLE, (uint64_t)kind);
        const double mean = kind == 1 ? 1e8 : 40;
        for (size_t i = 0; i < N; i++)
            values[i] = kind == 0 ? any_value(&rng) : (int64_t)(mean * dlab_rng_exponential(&rng));
        const dlab_histogram h = packed(f, values, N);
        qsort(values, N, sizeof(int64_t), ascending);
        for (size_t i = 0; i < sizeof qs / sizeof qs[0]; i++) {
            const double rank = ceil(qs[i] * N);
            const double exact = (double)values[rank < 1 ? 0 : (size_t)rank - 1];
            const double found = dlab_histogram_quantile(&h, pool_of(f), qs[i]);
            assert_true(fabs(found - exact) <= exact / 128);
            assert_true(found >= (double)h.min && found <= (double)h.max);
            if (exact < 256) assert_true(found == exact);
        }
        assert_true(dlab_histogram_quantile(&h, pool_of(f), 0) == (double)values[0]);
        assert_true(dlab_histogram_quantile(&h, pool_of(f), 1) == (double)values[N - 1]);
        assert_true(isnan(dlab_histogram_quantile(&h, pool_of(f), 1.01)));
        assert_true(isnan(dlab_histogram_quantile(&h, pool_of(f), NAN)));
        end(f);
    }
    free(values);
}

static void a_decimal_quantile_means_that_decimal(void **state)
{
    (void)state;
    fixture *const f = begin();
    int64_t values[100];
    for (int i = 0; i < 100; i++) values[i] = i + 1;
    const dlab_histogram h = packed(f, values, 100);
    for (int percent = 1; percent <= 100; percent++) /* 0.07 * 100 is a little above 7 in doubles */
        assert_true(dlab_histogram_quantile(&h, pool_of(f), percent / 100.0) == percent);
    end(f);
}

static void the_share_below_rises_from_zero_to_one_and_inverts_the_quantile(void **state)
{
    (void)state;
    enum { N = 5000 };
    fixture *const f = begin();
    dlab_rng rng;
    dlab_rng_open(&rng, 5, DLAB_PURPOSE_SAMPLE, 0);
    int64_t values[N];
    for (size_t i = 0; i < N; i++) values[i] = (int64_t)(1e6 * dlab_rng_exponential(&rng));
    const dlab_histogram h = packed(f, values, N);
    double before = 0;
    for (double x = 0; x < 1.2e7; x += 1e3) {
        const double share = dlab_histogram_cdf(&h, pool_of(f), x);
        assert_true(share >= before && share <= 1);
        before = share;
    }
    assert_true(dlab_histogram_cdf(&h, pool_of(f), (double)h.min - 1) == 0);
    assert_true(dlab_histogram_cdf(&h, pool_of(f), (double)h.max) == 1);
    assert_true(dlab_histogram_cdf(&h, pool_of(f), INFINITY) == 1);
    assert_true(dlab_histogram_cdf(&h, pool_of(f), -INFINITY) == 0);
    assert_true(isnan(dlab_histogram_cdf(&h, pool_of(f), NAN)));
    for (double q = 0.01; q < 1; q += 0.01) {
        const double back = dlab_histogram_cdf(&h, pool_of(f), dlab_histogram_quantile(&h, pool_of(f), q));
        assert_true(fabs(back - q) <= 1.5 / N);
    }
    end(f);
}

static void the_share_below_small_values_is_exact(void **state)
{
    (void)state;
    fixture *const f = begin();
    const int64_t values[] = { 0, 0, 1, 3, 3, 3, 200, 255 };
    const dlab_histogram h = packed(f, values, 8);
    static const struct {
        double x, share;
    } rows[] = { { 0, 2 / 8.0 }, { 0.5, 2 / 8.0 }, { 1, 3 / 8.0 },  { 2.99, 3 / 8.0 },
                 { 3, 6 / 8.0 }, { 199, 6 / 8.0 }, { 200, 7 / 8.0 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_true(dlab_histogram_cdf(&h, pool_of(f), rows[i].x) == rows[i].share);
    end(f);
}

static void mean_and_variance_do_not_cancel(void **state)
{
    (void)state;
    fixture *const f = begin();
    dlab_rng rng;
    dlab_rng_open(&rng, 6, DLAB_PURPOSE_SAMPLE, 0);
    for (int n = 0; n < 100; n++) {
        /* In doubles the squares, up to 2^125, would have swallowed a spread of one nanosecond. */
        const int64_t c = n == 0 ? INT64_C(1) << 62 : any_value(&rng) / 2;
        const int64_t spread = n % 2 == 0 ? 1 : INT64_C(1) << 31;
        const int64_t values[] = { c - spread, c, c + spread };
        const dlab_histogram h = packed(f, values, 3);
        assert_true(fabs(dlab_histogram_mean(&h) - (double)c) <= 4e-16 * (double)c);
        assert_true(dlab_histogram_variance(&h) == (double)spread * (double)spread);
    }
    const int64_t signs[] = { -4, -2, 0, 2, INT64_MIN };
    const dlab_histogram g = packed(f, signs, 4);
    assert_true(dlab_histogram_sum(&g) == -4);
    assert_true(dlab_histogram_mean(&g) == -1);
    assert_true(fabs(dlab_histogram_variance(&g) - 20.0 / 3) < 1e-14);
    const dlab_histogram least = packed(f, signs + 4, 1);
    assert_true(dlab_histogram_sum(&least) == -0x1p63);
    end(f);
}

static void sums_carry_through_every_word(void **state)
{
    (void)state;
    fixture *const f = begin();
    dlab_histogram h = opened(f);
    enum { N = 1000 };
    for (int i = 0; i < N; i++) dlab_histogram_record(&h, i % 2 == 0 ? INT64_MAX : INT64_MIN);
    /* Half the values are 2^63 - 1, half -2^63: the sum is -N/2, the variance N/(N-1) (2^63 - 1/2)^2. */
    assert_true(dlab_histogram_sum(&h) == -N / 2);
    assert_true(dlab_histogram_mean(&h) == -0.5);
    assert_true(fabs(dlab_histogram_variance(&h) / (0x1p126 * N / (N - 1.0)) - 1) < 1e-14);
    assert_true(h.squares[2] > 0);
    end(f);
}

static void an_empty_histogram_knows_nothing(void **state)
{
    (void)state;
    fixture *const f = begin();
    const dlab_histogram h = packed(f, NULL, 0);
    assert_int_equal(h.used, 0);
    assert_int_equal(f->pool.count, 0);
    assert_true(h.min > h.max);
    assert_true(isnan(dlab_histogram_quantile(&h, pool_of(f), 0.5)));
    assert_true(isnan(dlab_histogram_cdf(&h, pool_of(f), 0)));
    assert_true(isnan(dlab_histogram_mean(&h)));
    assert_true(isnan(dlab_histogram_variance(&h)));
    assert_true(dlab_histogram_sum(&h) == 0);

    const int64_t values[] = { 7, 300 };
    dlab_histogram into = opened(f);
    const dlab_histogram other = packed(f, values, 2);
    dlab_histogram_merge(&into, &h, pool_of(f));
    dlab_histogram_merge(&into, &other, pool_of(f));
    dlab_histogram_merge(&into, &h, pool_of(f));
    assert_int_equal(dlab_histogram_pack(&into, &f->pool, &f->memory, &f->err), DLAB_OK);
    assert_same_packed(f, &other, &into);
    end(f);
}

static void a_single_value_is_every_quantile(void **state)
{
    (void)state;
    static const int64_t values[] = { 0, 1, 255, 1000003, INT64_C(1) << 52, -9 };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        fixture *const f = begin();
        const dlab_histogram h = packed(f, &values[i], 1);
        assert_int_equal(h.used, 1);
        for (double q = 0; q <= 1; q += 0.125)
            assert_true(dlab_histogram_quantile(&h, pool_of(f), q) == (double)values[i]);
        assert_true(dlab_histogram_mean(&h) == (double)values[i]);
        assert_true(isnan(dlab_histogram_variance(&h)));
        end(f);
    }
}

static void equal_values_are_every_quantile(void **state)
{
    (void)state;
    fixture *const f = begin();
    const int64_t values[] = { 1000, 1000, 1000, 1000 }; /* of a bucket that reaches to 1003 */
    const dlab_histogram h = packed(f, values, 4);
    for (double q = 0; q <= 1; q += 0.125) assert_true(dlab_histogram_quantile(&h, pool_of(f), q) == 1000);
    assert_true(dlab_histogram_cdf(&h, pool_of(f), 999) == 0);
    assert_true(dlab_histogram_cdf(&h, pool_of(f), 1000) == 1);
    end(f);
}

static void negative_values_spread_between_the_least_and_zero(void **state)
{
    (void)state;
    fixture *const f = begin();
    const int64_t values[] = { -4, -2, 5, 6 };
    const dlab_histogram h = packed(f, values, 4);
    assert_true(dlab_histogram_quantile(&h, pool_of(f), 0) == -4);
    assert_true(dlab_histogram_quantile(&h, pool_of(f), 0.5) == -1);
    assert_true(dlab_histogram_quantile(&h, pool_of(f), 0.75) == 5);
    assert_true(dlab_histogram_cdf(&h, pool_of(f), -1) == 0.4); /* 4 of the 5 integers -4 .. 0, of 2 values */
    end(f);
}

static void the_ends_saturate_and_say_so(void **state)
{
    (void)state;
    fixture *const f = begin();
    const int64_t values[] = { INT64_MIN, -1, 0, INT64_MAX, DLAB_HISTOGRAM_BUCKETS };
    const dlab_histogram h = packed(f, values, 5);
    assert_int_equal(h.min, INT64_MIN);
    assert_int_equal(h.max, INT64_MAX);
    assert_int_equal(h.first, 0);
    assert_int_equal(h.used, DLAB_HISTOGRAM_BUCKETS);
    assert_int_equal(pool_of(f)[0], 3); /* both negative values and zero */
    assert_int_equal(pool_of(f)[DLAB_HISTOGRAM_BUCKETS - 1], 1);
    assert_true(dlab_histogram_cdf(&h, pool_of(f), 0) == 3 / 5.0);
    end(f);
}

static void every_refused_allocation_is_an_error_and_leaves_the_recording(void **state)
{
    (void)state;
    const int64_t values[] = { 10, 1000, 100000 };
    uint64_t fail_at = 1;
    for (bool done = false; !done; fail_at++) {
        fixture *const f = begin();
        f->memory.fail_at = fail_at;
        dlab_histogram h;
        int code = dlab_histogram_open(&h, &f->arena, &f->err);
        if (code == DLAB_OK) {
            dlab_histogram_record_all(&h, values, 3);
            code = dlab_histogram_pack(&h, &f->pool, &f->memory, &f->err);
            if (code != DLAB_OK) { /* the same histogram can be packed once there is memory */
                assert_int_equal(f->pool.count, 0);
                assert_int_equal(dlab_histogram_pack(&h, &f->pool, &f->memory, NULL), DLAB_OK);
            }
            assert_true(dlab_histogram_quantile(&h, pool_of(f), 1) == 100000);
        }
        done = code == DLAB_OK;
        assert_int_equal(f->err.code, done ? DLAB_OK : DLAB_ENOMEM);
        end(f);
    }
    assert_true(fail_at > 3); /* opening and packing ask at least once each */
}

static void a_pool_of_other_rows_is_refused(void **state)
{
    (void)state;
    fixture *const f = begin();
    f->pool.row_size = 4;
    dlab_histogram h = opened(f);
    dlab_histogram_record(&h, 1);
    assert_int_equal(dlab_histogram_pack(&h, &f->pool, &f->memory, &f->err), DLAB_EBROKEN);
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_tile_all_of_int64_without_gap_or_overlap),
        cmocka_unit_test(the_middle_of_a_bucket_is_within_one_in_256_of_its_values),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(recording_blocks_equals_recording_one_by_one),
        cmocka_unit_test(merging_is_associative_commutative_and_equal_to_recording_all),
        cmocka_unit_test(packing_keeps_only_the_range_in_use),
        cmocka_unit_test(quantiles_are_within_one_in_128_of_the_sorted_values),
        cmocka_unit_test(a_decimal_quantile_means_that_decimal),
        cmocka_unit_test(the_share_below_rises_from_zero_to_one_and_inverts_the_quantile),
        cmocka_unit_test(the_share_below_small_values_is_exact),
        cmocka_unit_test(mean_and_variance_do_not_cancel),
        cmocka_unit_test(sums_carry_through_every_word),
        cmocka_unit_test(an_empty_histogram_knows_nothing),
        cmocka_unit_test(a_single_value_is_every_quantile),
        cmocka_unit_test(equal_values_are_every_quantile),
        cmocka_unit_test(negative_values_spread_between_the_least_and_zero),
        cmocka_unit_test(the_ends_saturate_and_say_so),
        cmocka_unit_test(every_refused_allocation_is_an_error_and_leaves_the_recording),
        cmocka_unit_test(a_pool_of_other_rows_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
