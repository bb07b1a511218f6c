/* Statistics of simulation output: intervals, warm-up, batches, paired differences.
 * Every estimate comes with its standard error and the number of independent pieces behind it. */
#ifndef DISTLAB_STATISTICS_H
#define DISTLAB_STATISTICS_H
#include <stddef.h>
#include <stdint.h>

#include <distlab/error.h>
#include <distlab/memory.h>

typedef struct dlab_interval {
    double mean, low, high; /* point and interval; low = high = NaN where n is too small */
    double se;              /* standard error of the point */
    int64_t n;              /* independent pieces */
} dlab_interval;

/* Normal law and Student's t for any df > 0: quantiles to a relative 1e-12, and so are lower tails down to
 * 1e-50. */
double dlab_normal_cdf(double z);
double dlab_normal_quantile(double p);
double dlab_t_cdf(double t, double df);
double dlab_t_quantile(double p, double df);

/* t interval of a point whose standard error rests on n independent pieces (n - 1 degrees of freedom). */
dlab_interval dlab_t_interval(double mean, double se, int64_t n, double confidence);

/* t interval of the mean of n independent values; NaN values make the result NaN. */
dlab_interval dlab_mean_interval(const double *x, size_t n, double confidence);

/* Ratio of sums (sum of num / sum of den) over n independent pieces: delta method, t with n - 1
 * degrees of freedom (Law, Simulation Modeling and Analysis, section 9.5). */
dlab_interval dlab_ratio_interval(const double *num, const double *den, size_t n, double confidence);

/* Paired difference of means: interval of mean(b - a), common random numbers. */
dlab_interval dlab_paired_interval(const double *a, const double *b, size_t n, double confidence);

/* Wilson score interval of a proportion. */
dlab_interval dlab_proportion_interval(double successes, double trials, double confidence);

/* Bootstrap interval of the mean: bootstrap-t (Efron and Tibshirani, chapter 12), 200 <= resamples <= 1e6;
 * for skewed values, where the t interval covers too seldom. NaN ends below DLAB_BOOTSTRAP_VALUES values
 * or where too many resamples hold one value only. */
enum { DLAB_BOOTSTRAP_VALUES = 8, DLAB_RESAMPLES_MIN = 200, DLAB_RESAMPLES_MAX = 1000000 };
int dlab_bootstrap_interval(const double *x, size_t n, double confidence, size_t resamples, uint64_t key,
                            dlab_memory *memory, dlab_interval *out, dlab_error *err);

/* The rank (1 .. n) of the q-quantile of n values: ceil(q n), where a q written in decimal counts as that
 * decimal (0.07 of 100 is 7, although the double 0.07 is a little more). */
int64_t dlab_quantile_rank(int64_t n, double q);

/* Order statistics (0-based) whose interval covers the q-quantile of n independent values with at least
 * the confidence (binomial, conservative); low = -1 or high = n where the sample is too small. */
void dlab_quantile_ranks(size_t n, double q, double confidence, int64_t *low, int64_t *high);

/* The same on sorted values: the point is rank ceil(q n), an end is NaN where the sample is too small for
 * it, and so is se, which a quantile does not need. */
dlab_interval dlab_quantile_interval(const double *sorted, size_t n, double q, double confidence);

/* Streaming batch means: a fixed number of batches whose size doubles when they are full, so one pass of
 * unknown length ends with DLAB_BATCHES / 2 .. DLAB_BATCHES batches. */
enum { DLAB_BATCHES = 64 };
typedef struct dlab_batch_means {
    double sums[DLAB_BATCHES];
    int64_t size, filled; /* values per batch; complete batches */
    double current;
    int64_t in_current;
} dlab_batch_means;

void dlab_batch_means_add(dlab_batch_means *b, double x); /* start from zeroed memory */

/* The grand mean of the complete batches with its interval; lag1, where not NULL, is the lag-1
 * autocorrelation of the batch means, near 0 where the batches are long enough. */
dlab_interval dlab_batch_means_interval(const dlab_batch_means *b, double confidence, double *lag1);

/* MSER-5 (White, 1997): how many leading values of a series to cut; n where no cut in its first half
 * helps, that is, where the series is too short for its warm-up. */
size_t dlab_warmup_cut(const double *x, size_t n);

/* Kolmogorov-Smirnov distance of sorted values from a law given as its CDF at each value, and the
 * probability of a larger distance under the law (asymptotic, Stephens' correction). */
double dlab_ks_distance(const double *cdf_at_sorted, size_t n);
double dlab_ks_tail(double distance, size_t n);

/* Upper confidence bound of a rate after zero hits in n trials: 1 - (1 - confidence)^(1/n), about
 * -log(1 - confidence) / n, the rule of three at 95 %. */
double dlab_zero_bound(double n, double confidence);

#endif
