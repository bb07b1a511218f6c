/* Statistics of simulation output: intervals, warm-up, batches, paired differences.
 * Every estimate comes with its standard error and the number of independent pieces behind it. */
#ifndef DISTLAB_STATISTICS_H
#define DISTLAB_STATISTICS_H
#include <stddef.h>
#include <stdint.h>

#include <distlab/error.h>

typedef struct dlab_interval {
    double mean, low, high; /* point and interval; low = high = NaN where n is too small */
    double se;              /* standard error of the point */
    int64_t n;              /* independent pieces */
} dlab_interval;

double dlab_normal_cdf(double z);
double dlab_normal_quantile(double p);
double dlab_t_cdf(double t, double df);
double dlab_t_quantile(double p, double df);

/* t interval of the mean of n independent values; NaN values make the result NaN. */
dlab_interval dlab_mean_interval(const double *x, size_t n, double confidence);

/* Ratio of sums (sum of num / sum of den) over n independent pieces: delta method, t with n - 1
 * degrees of freedom (Law, Simulation Modeling and Analysis, section 9.5). */
dlab_interval dlab_ratio_interval(const double *num, const double *den, size_t n, double confidence);

/* Paired difference of means: interval of mean(b - a), common random numbers. */
dlab_interval dlab_paired_interval(const double *a, const double *b, size_t n, double confidence);

/* Wilson score interval of a proportion. */
dlab_interval dlab_proportion_interval(double successes, double trials, double confidence);

/* Bootstrap interval of the mean: bootstrap-t (Efron and Tibshirani, chapter 12), resamples >= 200. */
int dlab_bootstrap_interval(const double *x, size_t n, double confidence, size_t resamples, uint64_t key,
                            dlab_interval *out, dlab_error *err);

/* Order statistics (0-based) whose interval covers the q-quantile of n independent values with at least
 * the confidence (binomial, conservative); low = -1 or high = n where the sample is too small. */
void dlab_quantile_ranks(size_t n, double q, double confidence, int64_t *low, int64_t *high);

/* The same on sorted values: the point is rank ceil(q n), NaN ends where the sample is too small. */
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

/* MSER-5 (White, 1997): how many leading values of a series to cut; n where no cut helps. */
size_t dlab_warmup_cut(const double *x, size_t n);

/* Kolmogorov-Smirnov distance of sorted values from a law given as its CDF at each value, and the
 * probability of a larger distance under the law (asymptotic, Stephens' correction). */
double dlab_ks_distance(const double *cdf_at_sorted, size_t n);
double dlab_ks_tail(double distance, size_t n);

/* Probability that the true rate exceeds the bound after zero hits in n trials stays below
 * 1 - confidence: the rule of three, exactly -log(1 - confidence) / n for small rates. */
double dlab_zero_bound(double n, double confidence);

#endif
