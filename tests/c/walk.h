/* Helpers of the tests that run models: one sweep in one call. */
#ifndef DISTLAB_TEST_WALK_H
#define DISTLAB_TEST_WALK_H
#include <stdlib.h>
#include <string.h>

#include <distlab/distlab.h>

/* A sweep of `points` rows of parameters times `reps`, keys from seed 1 with common random numbers. */
typedef struct outcome {
    dlab_sweep sweep;
    dlab_error err;
    uint64_t *keys;
} outcome;

/* The largest value a metric may have: of a choice, its last name. */
static inline double metric_max(const dlab_field *f)
{
    int last = -1;
    if (f->type != DLAB_CHOICE) return f->max;
    while (f->choices[last + 1] != NULL) last++;
    return last;
}

static inline outcome run_rows(const dlab_sweep *like, const dlab_model *model, const void *params,
                               size_t points, size_t reps)
{
    outcome o = { .sweep = *like };
    o.keys = malloc((points * reps + 1) * sizeof *o.keys);
    for (size_t i = 0; i < points * reps; i++) o.keys[i] = dlab_row_key(1, DLAB_POINT_SHARED, i % reps);
    o.sweep.model = model;
    o.sweep.params = params;
    o.sweep.keys = o.keys;
    o.sweep.row_count = points * reps;
    o.sweep.reps = reps;
    o.sweep.metrics = calloc(points * reps + 1, model->metrics_size);
    (void)dlab_sweep_run(&o.sweep, &o.err);
    return o;
}

static inline void drop(outcome *o)
{
    dlab_sweep_free(&o->sweep);
    free(o->keys);
    free(o->sweep.metrics);
}

static inline const uint64_t *cells(const outcome *o)
{
    return (const uint64_t *)(const void *)o->sweep.buckets.rows;
}

static inline const void *metrics_row(const outcome *o, size_t row)
{
    return (const char *)o->sweep.metrics + row * o->sweep.model->metrics_size;
}

/* Every expanded column of every row: what a user can see of a result, without addresses and padding. */
static inline double *all_columns(const outcome *o, int *n_columns)
{
    static dlab_column columns[DLAB_COLUMNS_MAX];
    dlab_layout layout;
    dlab_error err = { 0 };
    (void)dlab_layout_init(&layout, o->sweep.model->metrics, &err);
    *n_columns = dlab_columns(&layout, columns, &err);
    double *out = malloc((o->sweep.row_count * (size_t)*n_columns + 1) * sizeof *out);
    for (size_t row = 0; row < o->sweep.row_count; row++)
        for (int c = 0; c < *n_columns; c++)
            out[row * (size_t)*n_columns + (size_t)c] =
                dlab_column_value(&layout, &columns[c], metrics_row(o, row), cells(o));
    return out;
}

#endif
