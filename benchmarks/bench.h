/* What the C benchmarks share: clocks, the median of some rounds, and the end of a benchmark that failed. */
#ifndef DISTLAB_BENCHMARKS_BENCH_H
#define DISTLAB_BENCHMARKS_BENCH_H
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline double seconds_of(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Wall time. */
static inline double now_s(void) { return seconds_of(CLOCK_MONOTONIC); }

/* Processor time of this process. */
static inline double processor_s(void) { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }

static inline int by_value(const void *x, const void *y)
{
    const double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* The middle one of some values, which are sorted on the way. */
static inline double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    return values[count / 2];
}

/* A figure of a run that failed would be worth nothing: it ends here, with the run's error. */
static inline void must(int code, const char *why)
{
    if (code == 0) return;
    (void)fprintf(stderr, "%s\n", why);
    exit(1);
}

#endif
