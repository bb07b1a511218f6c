/* Distributions as values: written as text, stored in a parameter struct, compiled into a sampler.
 *
 * Text forms (names and positions both work; every parameter in the unit of the field, or with its
 * own unit suffix such as 5ms, 250us, 1.5s, 2min, 64KiB):
 *   constant(5ms)  5ms                        uniform(low=, high=)
 *   exponential(mean=)                        hyperexponential(mean=, scv=)  (balanced means, scv >= 1)
 *   hyperexponential(p=, mean1=, mean2=)      gamma(mean=, scv=) or gamma(shape=, scale=)
 *   erlang(k=, mean=)                         normal(mean=, sd=, low=0, high=inf)  (truncated)
 *   lognormal(median=, sigma=), lognormal(median=, p99=), lognormal(mean=, scv=)
 *   weibull(shape=, scale=) or weibull(shape=, mean=)
 *   pareto(alpha=, low=, high=inf)            (bounded where high is finite)
 *   bimodal(fast=, slow=, p=)                 (constant slow with probability p, else constant fast)
 *   mixture(0.9: exponential(5ms), 0.1: lognormal(median=80ms, sigma=1))
 *   empirical(<table>)                        (made from samples by the host; drawn with equal odds)
 * each optionally followed by  + shift, for example "exponential(5ms) + 1ms".
 *
 * The record is plain data that NumPy can hold; what does not fit (mixture parts, samples) lies in
 * the read-only pool of tables of the call and is referred to by table, first and count. */
#ifndef DISTLAB_DISTRIBUTION_H
#define DISTLAB_DISTRIBUTION_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <distlab/error.h>
#include <distlab/memory.h>
#include <distlab/random.h>

/* kind, name, meaning of p[0..3] */
#define DLAB_DISTRIBUTIONS(X)                                     \
    X(CONSTANT, "constant", "value")                              \
    X(UNIFORM, "uniform", "low, high")                            \
    X(EXPONENTIAL, "exponential", "mean")                         \
    X(HYPEREXPONENTIAL, "hyperexponential", "p, mean1, mean2")    \
    X(GAMMA, "gamma", "shape, scale")                             \
    X(ERLANG, "erlang", "k, mean")                                \
    X(NORMAL, "normal", "mean, sd, low, high")                    \
    X(LOGNORMAL, "lognormal", "median, sigma")                    \
    X(WEIBULL, "weibull", "shape, scale")                         \
    X(PARETO, "pareto", "alpha, low, high")                       \
    X(BIMODAL, "bimodal", "fast, slow, p")                        \
    X(EMPIRICAL, "empirical", "none: sorted samples in the pool") \
    X(MIXTURE, "mixture", "none: parts in the pool")

typedef enum dlab_distribution_kind {
#define X(kind, name, meaning) DLAB_DIST_##kind,
    DLAB_DISTRIBUTIONS(X)
#undef X
        DLAB_DIST_KINDS
} dlab_distribution_kind;

typedef struct dlab_distribution {
    int32_t kind;          /* a dlab_distribution_kind; -1: off (written None) */
    uint32_t table;        /* empirical and mixture: which table of the pool */
    uint32_t first, count; /* and which of its rows */
    double p[4];           /* canonical parameters, SI units */
    double shift;          /* added to every draw */
} dlab_distribution;

/* One row of a table of mixture parts; a part is never a mixture itself. */
typedef struct dlab_part {
    double weight; /* any positive number; weights are normalised */
    dlab_distribution distribution;
} dlab_part;

/* Read-only tables of one call. Samples are sorted doubles, parts are dlab_part rows. */
typedef struct dlab_rows {
    const void *rows;
    size_t count, row_size;
} dlab_rows;

typedef struct dlab_pool {
    const dlab_rows *tables;
    size_t count;
} dlab_pool;

/* Names of the kinds, DLAB_DIST_KINDS of them. */
extern const char *const dlab_distribution_names[];

/* A number with an optional unit suffix of the same dimension as unit ("s", "1/s", "byte",
 * "byte/s", "ppm", NULL): "10ms", "1.5", "2k/s", "5%", "inf". out is untouched on an error. */
int dlab_quantity_parse(const char *text, const char *unit, double *out, dlab_error *err);

/* Read a text form. Parts of a mixture are pushed to parts (rows of dlab_part), and the record's
 * first and count refer to them, with table 0; the caller gives the table its number. Nothing is pushed
 * and out is untouched on an error. parts may be NULL where no mixture is accepted. */
int dlab_distribution_parse(const char *text, const char *unit, dlab_buffer *parts, dlab_memory *memory,
                            dlab_distribution *out, dlab_error *err);

/* Write the canonical text form, which parses back to the same record; "None" where it is off. Returns the
 * length of the whole text as snprintf does: what did not fit is left out. */
int dlab_distribution_format(const dlab_distribution *d, const dlab_pool *pool, char *text, size_t size);

/* Parameters sensible, references inside the pool, support at or above low, mean within min..max
 * (a NaN bound is no bound); name is the field's, for the error text. */
int dlab_distribution_check(const dlab_distribution *d, const dlab_pool *pool, const char *name, double low,
                            double min, double max, dlab_error *err);

/* Exact moments; infinite where they are (Pareto), NaN where a reference leads nowhere. Pools are read
 * only by empirical and mixture. The quantile is the least x with cdf(x) >= p. */
double dlab_distribution_mean(const dlab_distribution *d, const dlab_pool *pool);
double dlab_distribution_variance(const dlab_distribution *d, const dlab_pool *pool);
double dlab_distribution_scv(const dlab_distribution *d, const dlab_pool *pool); /* variance / mean^2 */
double dlab_distribution_cdf(const dlab_distribution *d, const dlab_pool *pool, double x);
double dlab_distribution_quantile(const dlab_distribution *d, const dlab_pool *pool, double p);

/* A distribution made ready to draw from: constants worked out once, references resolved. */
typedef struct dlab_sampler {
    int32_t kind;      /* how to draw; finer than the kinds of distributions */
    double a, b, c, d; /* per kind, already scaled */
    double shift;
    double ns;                        /* nanoseconds per unit of a draw: 1e9 for seconds */
    const double *samples;            /* empirical */
    const struct dlab_sampler *parts; /* mixture */
    const double *thresholds;         /* mixture: cumulative weights */
    size_t count;
} dlab_sampler;

/* Compile. mean > 0 rescales the distribution (shift included) to that mean: only its shape counts.
 * The arena is used by mixtures only. */
int dlab_sampler_init(dlab_sampler *sampler, const dlab_distribution *d, const dlab_pool *pool, double mean,
                      dlab_arena *arena, dlab_error *err);

/* The same of a law that may be left out (an optional parameter): then every draw is 0. */
int dlab_sampler_init_optional(dlab_sampler *sampler, const dlab_distribution *d, const dlab_pool *pool,
                               dlab_arena *arena, dlab_error *err);

/* One draw in SI units. */
double dlab_sample(const dlab_sampler *sampler, dlab_rng *rng);

/* Largest time a draw may return: about 146 years in nanoseconds. */
#define DLAB_TIME_MAX (INT64_C(1) << 62)

/* Seconds as the nearest whole nanosecond; not negative, below DLAB_TIME_MAX. */
static inline int64_t dlab_ns(double seconds) { return (int64_t)(seconds * 1e9 + 0.5); }

/* One draw as nanoseconds, rounded to nearest, saturated at +-DLAB_TIME_MAX. */
int64_t dlab_sample_ns(const dlab_sampler *sampler, dlab_rng *rng);

/* n draws, exactly those of n calls of dlab_sample_ns. */
void dlab_sample_fill_ns(const dlab_sampler *sampler, dlab_rng *rng, int64_t *out, size_t n);

#endif
