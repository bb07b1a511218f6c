/* A histogram with a guaranteed relative error, for times from 1 ns to 146 years and for any other
 * count: 128 linear sub-buckets an octave, so a bucket is at most 1/128 of its lower edge wide and its
 * middle is within 1/256 (0.4 %) of every value in it. Values below 128 are exact. Buckets of two
 * histograms add, so merging is exact, associative and commutative. Count, sum, least and greatest value
 * are kept exactly. Design after HdrHistogram (Tene); written here. */
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

/* A metric of this type: while a run records, `counts` points at DLAB_HISTOGRAM_BUCKETS cells of the
 * run's arena; afterwards the sweep packs the cells first .. first + used - 1 into the call's bucket pool
 * and `at` says where. Values are integers (ns for times); the field's scale makes them SI. */
typedef struct dlab_histogram {
    int64_t count;        /* recorded values */
    int64_t min, max;     /* least and greatest value; min > max when empty */
    double sum, sum_squares;
    uint32_t first, used; /* packed: the range of cells that are not all zero */
    union {
        uint64_t *counts; /* recording */
        uint64_t at;      /* packed: index of the first cell in the pool */
    } cells;
} dlab_histogram;

static inline uint32_t dlab_histogram_index(int64_t value)
{
    const uint64_t v = value < 0 ? 0 : (uint64_t)value;
    if (v < DLAB_HISTOGRAM_SUB) return (uint32_t)v;
    const unsigned shift = 63u - (unsigned)__builtin_clzll(v) - DLAB_HISTOGRAM_BITS;
    return (shift << DLAB_HISTOGRAM_BITS) + (uint32_t)(v >> shift);
}

/* Lower edge of a bucket, and of the one above it. */
int64_t dlab_histogram_edge(uint32_t index);

/* Start recording; the cells come from the arena. */
int dlab_histogram_open(dlab_histogram *h, dlab_arena *arena, dlab_error *err);

static inline void dlab_histogram_record(dlab_histogram *h, int64_t value)
{
    const double x = (double)value;
    h->cells.counts[dlab_histogram_index(value)]++;
    h->count++;
    h->sum += x;
    h->sum_squares += x * x;
    if (value < h->min) h->min = value;
    if (value > h->max) h->max = value;
}

/* Record n values at once; the same result as n calls of dlab_histogram_record, faster. */
void dlab_histogram_record_all(dlab_histogram *h, const int64_t *values, size_t n);

/* Pack: push the non-zero range to pool (rows of uint64_t) and replace the pointer by an index. */
int dlab_histogram_pack(dlab_histogram *h, dlab_buffer *pool, dlab_memory *memory, dlab_error *err);

/* Add packed `from` (cells in pool) to recording `into`. */
void dlab_histogram_merge(dlab_histogram *into, const dlab_histogram *from, const uint64_t *pool);

/* The q-quantile, 0 <= q <= 1, of a packed histogram: rank ceil(q n), linear inside a bucket, never
 * outside min..max; NaN when empty. In the recorded integer unit. */
double dlab_histogram_quantile(const dlab_histogram *h, const uint64_t *pool, double q);

/* Share of values at or below x (x in the recorded unit), linear inside a bucket. */
double dlab_histogram_cdf(const dlab_histogram *h, const uint64_t *pool, double x);

#endif
