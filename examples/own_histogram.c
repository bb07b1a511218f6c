/* Latencies of your own: a histogram for each run, merged exactly, quantiles with intervals.
 *
 *     own_histogram run1.txt run2.txt ...     one latency in ms on each line, a file for each run
 *     own_histogram                           twenty runs drawn from an exponential law with mean 10 ms
 *
 * A quantile of many runs is that of all their values together, never the average of their quantiles: the
 * average of p99s is not a p99. How far it may be off is seen from how much the runs differ among
 * themselves. */
#include <distlab/distlab.h>
#include <stdio.h>

enum { RUNS_MAX = 1000, DRAWN_RUNS = 20, DRAWN_VALUES = 50000 };
#define NS_PER_MS 1e6 /* a histogram counts whole numbers: nanoseconds */
#define MEAN_MS 10.0

static int record_file(dlab_histogram *h, const char *path, dlab_error *err)
{
    double ms = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL) return dlab_fail(err, DLAB_EINVAL, "cannot read %s", path);
    while (fscanf(file, "%lf", &ms) == 1)
        if (ms >= 0 && ms < 1e12) dlab_histogram_record(h, (int64_t)(ms * NS_PER_MS));
    const bool whole = feof(file) != 0;
    fclose(file);
    return whole ? DLAB_OK : dlab_fail(err, DLAB_ETYPE, "%s holds something that is not a number", path);
}

static void record_drawn(dlab_histogram *h, uint64_t run)
{
    dlab_rng rng;
    dlab_rng_open(&rng, dlab_row_key(1, DLAB_POINT_SHARED, run), DLAB_PURPOSE_SAMPLE, 0);
    for (int i = 0; i < DRAWN_VALUES; i++)
        dlab_histogram_record(h, (int64_t)(MEAN_MS * NS_PER_MS * dlab_rng_exponential(&rng)));
}

/* Each run becomes a packed histogram whose cells lie in one shared pool. */
static int record(dlab_histogram *h, int run, const char *path, dlab_arena *arena, dlab_buffer *pool,
                  dlab_memory *memory, dlab_error *err)
{
    if (dlab_histogram_open(h, arena, err)) return err->code;
    if (path == NULL) record_drawn(h, (uint64_t)run);
    else if (record_file(h, path, err)) return err->code;
    if (h->count == 0)
        return dlab_fail(err, DLAB_EINVAL, "%s has no latencies", path != NULL ? path : "a run");
    return dlab_histogram_pack(h, pool, memory, err);
}

/* The quantile of all values, with the spread of the runs' own quantiles around it. */
static void report(const dlab_histogram *all, const dlab_histogram *runs, int n, const uint64_t *cells,
                   double q)
{
    double own[RUNS_MAX];
    for (int i = 0; i < n; i++) own[i] = dlab_histogram_quantile(&runs[i], cells, q) / NS_PER_MS;
    const double point = dlab_histogram_quantile(all, cells, q) / NS_PER_MS;
    const dlab_interval among = dlab_mean_interval(own, (size_t)n, 0.95);
    printf("p%-5g %9.3f ms  +- %.3f\n", 100 * q, point, (among.high - among.low) / 2);
}

int main(int argc, char **argv)
{
    static const double quantiles[] = { 0.5, 0.9, 0.99, 0.999 };
    dlab_histogram runs[RUNS_MAX], all;
    dlab_error err = { .code = DLAB_OK };
    dlab_memory memory = { 0 };
    dlab_arena arena = { .memory = &memory };
    dlab_buffer pool = { .row_size = sizeof(uint64_t) };
    const int n = argc > 1 ? argc - 1 : DRAWN_RUNS;

    if (n > RUNS_MAX) (void)dlab_fail(&err, DLAB_ELIMIT, "%d runs; at most %d", n, RUNS_MAX);
    for (int i = 0; i < n && err.code == DLAB_OK; i++)
        (void)record(&runs[i], i, argc > 1 ? argv[i + 1] : NULL, &arena, &pool, &memory, &err);

    if (err.code == DLAB_OK && dlab_histogram_open(&all, &arena, &err) == DLAB_OK) {
        for (int i = 0; i < n; i++) dlab_histogram_merge(&all, &runs[i], (const uint64_t *)(void *)pool.rows);
        (void)dlab_histogram_pack(&all, &pool, &memory, &err);
    }
    if (err.code == DLAB_OK) {
        const uint64_t *cells = (const uint64_t *)(void *)pool.rows;
        printf("%lld latencies of %d runs, mean %.3f ms, longest %.3f ms\n", (long long)all.count, n,
               dlab_histogram_mean(&all) / NS_PER_MS, (double)all.max / NS_PER_MS);
        for (int k = 0; k < 4; k++) report(&all, runs, n, cells, quantiles[k]);
        printf("%.4f of them take at most 20 ms\n", dlab_histogram_cdf(&all, cells, 20 * NS_PER_MS));
    } else {
        fprintf(stderr, "own_histogram: %s\n", err.text);
    }
    dlab_buffer_free(&pool, &memory);
    dlab_arena_free(&arena);
    return err.code == DLAB_OK ? 0 : 1;
}
