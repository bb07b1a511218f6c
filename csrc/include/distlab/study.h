/* A study: a model, the parameters it is swept over, repetitions and a seed; then its results by name. The
 * shortest way from C to a table with intervals, for built-in models and for one's own alike:
 *
 *     dlab_study study = { .model = &dlab_queueing_station, .reps = 20, .seed = 1 };
 *     dlab_study_axis(&study, "arrival_rate", "10:95:18");
 *     dlab_study_axis(&study, "servers", "1, 2, 4");
 *     dlab_study_run(&study);
 *     dlab_study_print(&study, stdout, "wait, latency_p99");
 *     if (study.err.code != DLAB_OK) fprintf(stderr, "%s\n", study.err.text);
 *     dlab_study_close(&study);
 *
 * The first mistake stays in `err` and the calls behind it do nothing, so one look at the end is enough; each
 * call returns err.code all the same. Points lie in the order of their axes, the last one runs fastest, and
 * keys, numbers and intervals are those of dl.sweep in Python with the same seed, bit for bit. */
#ifndef DISTLAB_STUDY_H
#define DISTLAB_STUDY_H
#include <stdio.h>

#include <distlab/row.h>
#include <distlab/sweep.h>

enum { DLAB_AXES_MAX = 16, DLAB_AXIS_VALUES_MAX = 1000000, DLAB_STUDY_ROWS_MAX = 1 << 28 };

typedef struct dlab_study {
    const dlab_model *model;
    size_t reps; /* repetitions of a point; 0: one */
    uint64_t seed;
    bool own_keys;     /* points have keys of their own; false: common random numbers */
    double confidence; /* of intervals; 0: 0.95 */
    /* Before the run: threads, budgets, mask_errors, host and token, if wanted. After it: the sweep as it
     * ran, with its buffers. */
    dlab_sweep sweep;
    dlab_error err; /* the first thing that went wrong */
    dlab_tables tables;
    struct dlab_study_plan *plan; /* axes, base rows, layouts */
} dlab_study;

/* Start from these rows of parameters (structs from models.h, or of one's own model) instead of from one
 * row of defaults. Axes multiply them. */
int dlab_study_points(dlab_study *study, const void *rows, size_t count);

/* Set a parameter of every point, see dlab_set; or several, see dlab_set_all; or rows, see dlab_set_rows. */
int dlab_study_set(dlab_study *study, const char *name, const char *text);
int dlab_study_set_all(dlab_study *study, const char *text);
int dlab_study_set_rows(dlab_study *study, const char *name, dlab_rows rows);

/* Sweep a parameter over "1, 2, 4", over "10:95:18" (18 values from 10 to 95) or "log:1ms:1s:10" (evenly on a
 * logarithmic scale; whole numbers are rounded, and each is taken once). */
int dlab_study_axis(dlab_study *study, const char *name, const char *values);

/* Add one value to an axis, which begins with its first one. */
int dlab_study_add(dlab_study *study, const char *name, const char *text);

/* Keep the rows of an output table or series; all of them where name is NULL. */
int dlab_study_keep(dlab_study *study, const char *name);

/* Run it: points x reps rows, on threads. A study runs once. */
int dlab_study_run(dlab_study *study);

/* Give everything back; err stays. */
void dlab_study_close(dlab_study *study);

/* Points there are, once it has run. */
size_t dlab_study_size(const dlab_study *study);

/* Parameters of a point and metrics of a run, as structs from models.h. */
const void *dlab_study_params(dlab_study *study, size_t point);
const void *dlab_study_metrics(dlab_study *study, size_t point, size_t rep);

/* One column ("latency_p99", see dlab_columns) of one run, in SI units. NaN with the error set. */
double dlab_study_value(dlab_study *study, size_t point, size_t rep, const char *column);

/* One column of a point, merged over its repetitions, with its interval, see dlab_column_merge. Rows that
 * failed under sweep.mask_errors are left out. */
dlab_interval dlab_study_interval(dlab_study *study, size_t point, const char *column);

/* Any quantile of a histogram metric ("latency", 0.75) the same way. */
dlab_interval dlab_study_quantile(dlab_study *study, size_t point, const char *metric, double q);

/* The closed form of a column at a point; NaN where the model knows none. */
double dlab_study_theory(dlab_study *study, size_t point, const char *column);

/* The rows that one run put into a kept table, as structs from models.h; NULL when there are none. */
const void *dlab_study_rows(dlab_study *study, const char *table, size_t point, size_t rep, size_t *count);

/* One column of those rows as numbers: at most `most` go to out; returns how many there are. */
size_t dlab_study_numbers(dlab_study *study, const char *table, const char *column, size_t point, size_t rep,
                          double *out, size_t most);

/* A kept series of one run on a grid of n growing times, see dlab_series_resample. */
int dlab_study_series(dlab_study *study, const char *table, const char *column, size_t point, size_t rep,
                      const double *times, size_t n, double *values);

/* Print a table: a line for each point, its axes, these columns ("wait, latency_p99") with half the width of
 * their intervals, in display units. */
int dlab_study_print(dlab_study *study, FILE *to, const char *columns);

#endif
