/* Recording, packing, merging and reading histograms with a guaranteed relative error.
 *
 * After HdrHistogram (Tene, 2012): the leading bit of a value picks an octave, the next seven bits one of
 * its 128 linear sub-buckets. Two things differ. The sums are exact integers of 128 and 192 bits, so the
 * variance has no cancellation and neither the order of recording nor that of merging can change a bit.
 * And blocks are recorded through the double format, which already is a leading bit and the bits behind
 * it: below 2^53 the conversion is exact, so exponent and seven bits of mantissa are the bucket. */
#include <distlab/histogram.h>

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <distlab/statistics.h>

enum {
    BLOCK_MAX = 1024, /* values below 2^53: their sum stays below 2^63, that of their squares below 2^116 */
    EXACT_BITS = 53,
    MANTISSA = 52,
    BIAS = 1023
};

/* What exponent and leading mantissa bits of 128.0 exceed its bucket by. */
#define BUCKET_OFFSET ((uint64_t)(BIAS + DLAB_HISTOGRAM_BITS - 1) << DLAB_HISTOGRAM_BITS)

int64_t dlab_histogram_edge(uint32_t index)
{
    if (index < DLAB_HISTOGRAM_SUB) return (int64_t)index;
    if (index >= DLAB_HISTOGRAM_BUCKETS) return INT64_MAX;
    const unsigned shift = (index >> DLAB_HISTOGRAM_BITS) - 1;
    return (int64_t)((index & (DLAB_HISTOGRAM_SUB - 1)) + DLAB_HISTOGRAM_SUB) << shift;
}

int dlab_histogram_open(dlab_histogram *h, dlab_arena *arena, dlab_error *err)
{
    dlab_error why = { .code = DLAB_OK };
    uint64_t *const counts = dlab_arena_alloc(arena, DLAB_HISTOGRAM_BUCKETS, sizeof(uint64_t), &why);
    if (counts == NULL) return dlab_fail(err, why.code, "%s", why.text);
    *h = (dlab_histogram){ .min = INT64_MAX, .max = INT64_MIN, .cells.counts = counts };
    return DLAB_OK;
}

/* The bucket of 0 <= value < 2^53; the choice compiles to a conditional move, because waiting times are
 * an unpredictable mix of zeros and large values. */
static inline uint64_t bucket(int64_t value)
{
    const double x = (double)value;
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = (bits >> (MANTISSA - DLAB_HISTOGRAM_BITS)) - BUCKET_OFFSET;
    return value < DLAB_HISTOGRAM_SUB ? (uint64_t)value : bits;
}

static void record_block(dlab_histogram *h, const int64_t *values, size_t n)
{
    uint64_t any = 0, sum = 0;
    for (size_t i = 0; i < n; i++) {
        any |= (uint64_t)values[i];
        sum += (uint64_t)values[i];
    }
    if (any >> EXACT_BITS != 0) { /* too large to convert exactly, or negative */
        for (size_t i = 0; i < n; i++) dlab_histogram_record(h, values[i]);
        return;
    }
    uint64_t *const counts = h->cells.counts;
    int64_t min = h->min, max = h->max;
    dlab_u128 squares = 0;
    for (size_t i = 0; i < n; i++) {
        const int64_t v = values[i];
        counts[bucket(v)]++;
        squares += (dlab_u128)(uint64_t)v * (uint64_t)v;
        if (__builtin_expect(v < min, 0)) min = v;
        if (__builtin_expect(v > max, 0)) max = v;
    }
    h->min = min;
    h->max = max;
    h->count += (int64_t)n;
    dlab_histogram_add(h, sum, squares);
}

void dlab_histogram_record_all(dlab_histogram *h, const int64_t *values, size_t n)
{
    for (; n > BLOCK_MAX; n -= BLOCK_MAX, values += BLOCK_MAX) record_block(h, values, BLOCK_MAX);
    record_block(h, values, n);
}

/* Four words, low first, as the nearest double but for the last bit. */
static double wide_double(const uint64_t w[4])
{
    double out = 0;
    for (int i = 3; i >= 0; i--) out = out * 0x1p64 + (double)w[i];
    return out;
}

/* out += a * b * 2^(64 at); what does not fit in four words is zero by the bounds in variance. */
static void wide_add_product(uint64_t out[4], int at, uint64_t a, uint64_t b)
{
    dlab_u128 carry = (dlab_u128)a * b;
    for (int i = at; i < 4 && carry != 0; i++) {
        carry += out[i];
        out[i] = (uint64_t)carry;
        carry >>= 64;
    }
}

/* The magnitude of the sum; returns whether it is negative. */
static bool sum_size(const dlab_histogram *h, uint64_t size[2])
{
    const bool negative = h->sum[1] >> 63 != 0;
    dlab_u128 sum = ((dlab_u128)h->sum[1] << 64) | h->sum[0];
    if (negative) sum = 0 - sum;
    size[0] = (uint64_t)sum;
    size[1] = (uint64_t)(sum >> 64);
    return negative;
}

double dlab_histogram_sum(const dlab_histogram *h)
{
    uint64_t size[4] = { 0 };
    const bool negative = sum_size(h, size);
    return negative ? -wide_double(size) : wide_double(size);
}

double dlab_histogram_mean(const dlab_histogram *h)
{
    return h->count > 0 ? dlab_histogram_sum(h) / (double)h->count : NAN;
}

/* (n sum of squares - square of sum) / (n (n - 1)). With n < 2^63 values below 2^63 in size both terms
 * are below 2^252, and the difference is never negative (Cauchy-Schwarz). */
double dlab_histogram_variance(const dlab_histogram *h)
{
    if (h->count < 2) return NAN;
    uint64_t left[4] = { 0 }, right[4] = { 0 }, size[2];
    for (int i = 0; i < 3; i++) wide_add_product(left, i, h->squares[i], (uint64_t)h->count);
    (void)sum_size(h, size);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) wide_add_product(right, i + j, size[i], size[j]);
    uint64_t borrow = 0;
    for (int i = 0; i < 4; i++) {
        const dlab_u128 d = (dlab_u128)left[i] - right[i] - borrow;
        left[i] = (uint64_t)d;
        borrow = (uint64_t)(d >> 64) & 1;
    }
    const double n = (double)h->count;
    return wide_double(left) / n / (n - 1);
}

int dlab_histogram_pack(dlab_histogram *h, dlab_buffer *pool, dlab_memory *memory, dlab_error *err)
{
    if (DLAB_CHECK(err, pool->row_size == sizeof(uint64_t))) return DLAB_EBROKEN;
    const uint32_t first = h->count > 0 ? dlab_histogram_index(h->min) : 0;
    const uint32_t used = h->count > 0 ? dlab_histogram_index(h->max) - first + 1 : 0;
    const uint64_t at = pool->count;
    if (used > 0) {
        const int code = dlab_buffer_push(pool, memory, h->cells.counts + first, used, err);
        if (code != DLAB_OK) return code;
    }
    h->first = first;
    h->used = used;
    h->cells.at = at;
    return DLAB_OK;
}

void dlab_histogram_merge(dlab_histogram *into, const dlab_histogram *from, const uint64_t *pool)
{
    for (uint32_t i = 0; i < from->used; i++) into->cells.counts[from->first + i] += pool[from->cells.at + i];
    into->count += from->count;
    if (from->min < into->min) into->min = from->min;
    if (from->max > into->max) into->max = from->max;
    dlab_histogram_add(into, ((dlab_u128)from->sum[1] << 64) | from->sum[0],
                       ((dlab_u128)from->squares[1] << 64) | from->squares[0]);
    into->squares[2] += from->squares[2];
}

/* The least and greatest value a bucket can hold in this histogram. */
static void bucket_range(const dlab_histogram *h, uint32_t index, double *low, double *high)
{
    const int64_t edge = dlab_histogram_edge(index);
    const int64_t last = index + 1 < DLAB_HISTOGRAM_BUCKETS ? dlab_histogram_edge(index + 1) - 1 : INT64_MAX;
    *low = (double)(h->min > edge || index == 0 ? h->min : edge); /* bucket 0 holds what is negative */
    *high = (double)(h->max < last ? h->max : last);
}

double dlab_histogram_quantile(const dlab_histogram *h, const uint64_t *pool, double q)
{
    if (h->count <= 0 || !(q >= 0 && q <= 1)) return NAN;
    const uint64_t rank = (uint64_t)dlab_quantile_rank(h->count, q);
    if (rank == 1) return (double)h->min;
    if (rank == (uint64_t)h->count) return (double)h->max;
    const uint64_t *const cells = pool + h->cells.at;
    uint64_t below = 0;
    uint32_t i = 0;
    while (i + 1 < h->used && below + cells[i] < rank) below += cells[i++];
    double low, high;
    bucket_range(h, h->first + i, &low, &high);
    return low + (high - low) * (((double)(rank - below) - 0.5) / (double)cells[i]);
}

double dlab_histogram_cdf(const dlab_histogram *h, const uint64_t *pool, double x)
{
    if (h->count <= 0 || isnan(x)) return NAN;
    if (x < (double)h->min) return 0;
    if (x >= (double)h->max) return 1;
    const uint64_t *const cells = pool + h->cells.at;
    const uint32_t index = dlab_histogram_index((int64_t)floor(x));
    uint64_t below = 0;
    for (uint32_t i = 0; i + h->first < index; i++) below += cells[i];
    double low, high;
    bucket_range(h, index, &low, &high);
    /* Integers low .. high are taken as equally frequent; floor(x) - low + 1 of them are at or below x. */
    const double share = (floor(x) - low + 1) / (high - low + 1);
    return ((double)below + share * (double)cells[index - h->first]) / (double)h->count;
}
