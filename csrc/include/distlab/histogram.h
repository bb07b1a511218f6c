/* A histogram with a guaranteed relative error, for times from 1 ns to 146 years and for any other
 * count: 128 linear sub-buckets an octave, so a bucket is at most 1/128 of its lower edge wide and its
 * middle is within 1/256 (0.4 %) of every value in it. Values below 256 are exact. Negative values lie in
 * bucket 0. Buckets of two histograms add, so merging is exact, associative and commutative, and that
 * holds for every other field too: count, least and greatest value, sum and sum of squares are exact
 * integers. Design after HdrHistogram (Tene); written here. */
#ifndef DISTLAB_HISTOGRAM_H
#define DISTLAB_HISTOGRAM_H
#include <stddef.h>
#include <stdint.h>

#include <distlab/error.h>
#include <distlab/memory.h>

enum {
    DLAB_HISTOGRAM_BITS = 7,
    DLAB_HISTOGRAM_SUB = 1 << DLAB_HISTOGRAM_BITS,
    DLAB_HISTOGRAM_BUCKETS = (63 - DLAB_HISTOGRAM_BITS + 1) * DLAB_HISTOGRAM_SUB
};

/* Sums are wider than a word; the compilers we use have the type, ISO C does not. */
__extension__ typedef unsigned __int128 dlab_u128;

/* A metric of this type: while a run records, `counts` points at DLAB_HISTOGRAM_BUCKETS cells of the
 * run's arena; afterwards the sweep packs the cells first .. first + used - 1 into the call's bucket pool
 * and `at` says where. Values are integers (ns for times); the field's scale makes them SI. */
typedef struct dlab_histogram {
    int64_t count;        /* recorded values */
    int64_t min, max;     /* least and greatest value; min > max when empty */
    uint64_t sum[2];      /* low word first, two's complement */
    uint64_t squares[3];  /* sum of squares, low word first */
    uint32_t first, used; /* packed: the range of cells that are not all zero */
    union {
        uint64_t *counts; /* recording */
        uint64_t at;      /* packed: index of the first cell in the pool */
    } cells;
} dlab_histogram;

/* Setting bit 7 changes no shift above 0 and makes the shift of smaller values 0: no branch. */
static inline uint32_t dlab_histogram_index(int64_t value)
{
    const uint64_t v = value < 0 ? 0 : (uint64_t)value;
    const unsigned shift = 63u - DLAB_HISTOGRAM_BITS - (unsigned)__builtin_clzll(v | DLAB_HISTOGRAM_SUB);
    return (shift << DLAB_HISTOGRAM_BITS) + (uint32_t)(v >> shift);
}

/* Lower edge of a bucket, and of the one above it. */
int64_t dlab_histogram_edge(uint32_t index);

/* Start recording; the cells come from the arena. */
int dlab_histogram_open(dlab_histogram *h, dlab_arena *arena, dlab_error *err);

/* Add to the exact sums; total is two's complement, of one value or of many. */
static inline void dlab_histogram_add(dlab_histogram *h, dlab_u128 total, dlab_u128 squares)
{
    const dlab_u128 sum = (((dlab_u128)h->sum[1] << 64) | h->sum[0]) + total;
    h->sum[0] = (uint64_t)sum;
    h->sum[1] = (uint64_t)(sum >> 64);
    const dlab_u128 low = (((dlab_u128)h->squares[1] << 64) | h->squares[0]) + squares;
    h->squares[0] = (uint64_t)low;
    h->squares[1] = (uint64_t)(low >> 64);
    h->squares[2] += low < squares;
}

/* Record one value. */
static inline void dlab_histogram_record(dlab_histogram *h, int64_t value)
{
    const uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    h->cells.counts[dlab_histogram_index(value)]++;
    h->count++;
    dlab_histogram_add(h, value < 0 ? 0 - (dlab_u128)size : size, (dlab_u128)size * size);
    if (value < h->min) h->min = value;
    if (value > h->max) h->max = value;
}

/* Record n values at once; the same result as n calls of dlab_histogram_record, faster. */
void dlab_histogram_record_all(dlab_histogram *h, const int64_t *values, size_t n);

/* Sum, mean and variance (divisor n - 1) from the exact sums, rounded only at the end, of a recording or
 * packed histogram; NaN where there are too few values. In the recorded unit, the variance in its square. */
double dlab_histogram_sum(const dlab_histogram *h);
double dlab_histogram_mean(const dlab_histogram *h);
double dlab_histogram_variance(const dlab_histogram *h);

/* Pack: push the non-zero range to pool (rows of uint64_t) and replace the pointer by an index. */
int dlab_histogram_pack(dlab_histogram *h, dlab_buffer *pool, dlab_memory *memory, dlab_error *err);

/* Add packed `from` (cells in pool) to recording `into`. */
void dlab_histogram_merge(dlab_histogram *into, const dlab_histogram *from, const uint64_t *pool);

/* The q-quantile, 0 <= q <= 1, of a packed histogram: rank ceil(q n), linear inside a bucket, never
 * outside the bucket of the true value or min..max, so within 1/128 of it; NaN when empty. */
double dlab_histogram_quantile(const dlab_histogram *h, const uint64_t *pool, double q);

/* Share of values at or below x (x in the recorded unit), linear inside a bucket. */
double dlab_histogram_cdf(const dlab_histogram *h, const uint64_t *pool, double x);

#endif
