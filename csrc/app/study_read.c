/* Reading a study that has run: single runs, points merged over their repetitions, closed forms, output
 * rows. */
#include <string.h>

#include "app/study.h"

dlab_study_plan *dlab_study_ran(dlab_study *s, size_t point, size_t rep)
{
    if (s->err.code != DLAB_OK) return NULL;
    if (s->plan == NULL || !s->plan->ran) {
        (void)dlab_fail(&s->err, DLAB_EINVAL, "a study has no results before dlab_study_run");
        return NULL;
    }
    if (point < s->plan->points.count && rep < s->reps) return s->plan;
    (void)dlab_fail(&s->err, DLAB_ERANGE, "%s: there is no point %zu, rep %zu among %zu points of %zu reps",
                    s->model->name, point, rep, s->plan->points.count, s->reps);
    return NULL;
}

size_t dlab_study_size(const dlab_study *s)
{
    return s->plan != NULL && s->plan->ran ? s->plan->points.count : 0;
}

static const void *metrics_row(const dlab_study *s, size_t row)
{
    return s->plan->metrics_rows.rows + row * s->plan->metrics_rows.row_size;
}

static const uint64_t *buckets(const dlab_study *s)
{
    return (const uint64_t *)(const void *)s->sweep.buckets.rows;
}

const void *dlab_study_params(dlab_study *s, size_t point)
{
    const dlab_study_plan *p = dlab_study_ran(s, point, 0);
    return p != NULL ? p->points.rows + point * p->points.row_size : NULL;
}

const void *dlab_study_metrics(dlab_study *s, size_t point, size_t rep)
{
    return dlab_study_ran(s, point, rep) != NULL ? metrics_row(s, point * s->reps + rep) : NULL;
}

double dlab_study_value(dlab_study *s, size_t point, size_t rep, const char *column)
{
    const dlab_study_plan *p = dlab_study_ran(s, point, rep);
    dlab_column c;
    if (p == NULL || dlab_column_find(&p->metrics, column, s->model->name, &c, &s->err)) return NAN;
    return dlab_column_value(&p->metrics, &c, metrics_row(s, point * s->reps + rep), buckets(s));
}

/* Failures lie in row order. */
static bool has_failed(const dlab_study *s, size_t row)
{
    const dlab_failure *all = (const dlab_failure *)(const void *)s->sweep.failures.rows;
    size_t low = 0, high = s->sweep.failures.count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (all[middle].row < row) low = middle + 1;
        else high = middle;
    }
    return low < s->sweep.failures.count && all[low].row == row;
}

dlab_interval dlab_study_merge(dlab_study *s, size_t point, const dlab_column *column)
{
    dlab_study_plan *p = s->plan;
    dlab_interval out = { .mean = NAN, .low = NAN, .high = NAN, .se = NAN };
    const size_t bytes = s->reps * sizeof(const void *);
    const void **rows = dlab_memory_realloc(&p->memory, NULL, 0, bytes, &s->err);
    size_t n = 0;
    if (rows == NULL) return out;
    for (size_t row = point * s->reps; row < (point + 1) * s->reps; row++)
        if (!has_failed(s, row)) rows[n++] = metrics_row(s, row);
    (void)dlab_column_merge(&p->metrics, column, rows, n, buckets(s), s->confidence, &out, &s->err);
    dlab_memory_free(&p->memory, rows, bytes);
    return out;
}

static const dlab_interval nothing = { .mean = NAN, .low = NAN, .high = NAN, .se = NAN };

dlab_interval dlab_study_interval(dlab_study *s, size_t point, const char *column)
{
    const dlab_study_plan *p = dlab_study_ran(s, point, 0);
    dlab_column c;
    if (p == NULL || dlab_column_find(&p->metrics, column, s->model->name, &c, &s->err)) return nothing;
    return dlab_study_merge(s, point, &c);
}

dlab_interval dlab_study_quantile(dlab_study *s, size_t point, const char *metric, double q)
{
    const dlab_study_plan *p = dlab_study_ran(s, point, 0);
    const dlab_field *f = p != NULL ? dlab_layout_find(&p->metrics, metric, s->model->name, &s->err) : NULL;
    if (f == NULL) return nothing;
    if (f->type != DLAB_HISTOGRAM || !(q >= 0 && q <= 1)) {
        (void)dlab_fail(&s->err, DLAB_ERANGE, "%s: a quantile in [0, 1] of a histogram, not %g of %s",
                        s->model->name, q, metric);
        return nothing;
    }
    const dlab_column c = { .field = (int)(f - p->metrics.fields), .part = DLAB_QUANTILE, .q = q };
    return dlab_study_merge(s, point, &c);
}

/* theory() in a context of its own, with memory but without randomness. */
static double theory(dlab_study *s, const void *params, int column, int count)
{
    double values[DLAB_COLUMNS_MAX];
    dlab_memory memory = { .budget = (size_t)1 << 30 };
    dlab_ctx ctx = { .arena = { .memory = &memory },
                     .pool = &s->sweep.pool,
                     .model = s->model,
                     .params = params,
                     .steps_max = UINT64_MAX,
                     .poll_at = UINT64_MAX };
    for (int i = 0; i < count; i++) values[i] = NAN;
    const int code = s->model->theory(params, values, &ctx);
    dlab_arena_free(&ctx.arena);
    if (code == DLAB_OK && ctx.err.code == DLAB_OK) return values[column];
    (void)dlab_fail(&s->err, code != DLAB_OK ? code : ctx.err.code, "%s: theory: %s", s->model->name,
                    ctx.err.text);
    return NAN;
}

double dlab_study_theory(dlab_study *s, size_t point, const char *column)
{
    const dlab_study_plan *p = dlab_study_ran(s, point, 0);
    dlab_column c;
    int at = -1, n = 0;
    if (p == NULL || dlab_column_find(&p->metrics, column, s->model->name, &c, &s->err)) return NAN;
    for (; s->model->theory_columns != NULL && s->model->theory_columns[n] != NULL; n++)
        if (strcmp(s->model->theory_columns[n], column) == 0) at = n;
    const void *params = dlab_study_params(s, point);
    if (at < 0 || n > DLAB_COLUMNS_MAX ||
        dlab_params_check(s->model, &p->params, params, &s->sweep.pool, NULL) != DLAB_OK)
        return NAN; /* none is known, or the point has failed */
    return theory(s, params, at, n);
}

/* A kept output table by name: its number, or -1 with the error set. */
static int find_table(dlab_study *s, const char *name)
{
    const char *names[DLAB_TABLES_MAX];
    int n = 0;
    for (; s->model->outputs != NULL && s->model->outputs[n].name != NULL && n < DLAB_TABLES_MAX; n++) {
        names[n] = s->model->outputs[n].name;
        if (strcmp(name, names[n]) != 0) continue;
        if ((s->sweep.wanted >> n & 1u) != 0) return n;
        (void)dlab_fail(&s->err, DLAB_EINVAL,
                        "%s: the rows of '%s' were not kept: dlab_study_keep before the run", s->model->name,
                        name);
        return -1;
    }
    const char *near = dlab_nearest_name(name, names, n);
    (void)dlab_fail(&s->err, DLAB_ENAME, "%s has no output '%s'%s%s%s", s->model->name, name,
                    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return -1;
}

const void *dlab_study_rows(dlab_study *s, const char *table, size_t point, size_t rep, size_t *count)
{
    *count = 0;
    const int t = dlab_study_ran(s, point, rep) != NULL ? find_table(s, table) : -1;
    if (t < 0) return NULL;
    const dlab_kept *out = &s->sweep.outputs[t];
    const uint64_t *at = out->offsets + point * s->reps + rep;
    *count = (size_t)(at[1] - at[0]);
    return *count > 0 ? out->rows.rows + at[0] * out->rows.row_size : NULL;
}

/* A column of an output table: its number, or -1 with the error set. */
static int find_column(dlab_study *s, const dlab_table *table, const char *name)
{
    const char *names[DLAB_FIELDS_MAX];
    int n = 0;
    for (; table->columns[n].name != NULL && n < DLAB_FIELDS_MAX; n++) {
        names[n] = table->columns[n].name;
        if (strcmp(name, names[n]) == 0) return n;
    }
    const char *near = dlab_nearest_name(name, names, n);
    (void)dlab_fail(&s->err, DLAB_ENAME, "'%s' has no column '%s'%s%s%s", table->name, name,
                    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return -1;
}

size_t dlab_study_numbers(dlab_study *s, const char *table, const char *column, size_t point, size_t rep,
                          double *out, size_t most)
{
    size_t count;
    const char *rows = dlab_study_rows(s, table, point, rep, &count);
    if (s->err.code != DLAB_OK) return 0;
    const dlab_table *about = &s->model->outputs[find_table(s, table)];
    const int c = find_column(s, about, column);
    if (c < 0) return 0;
    for (size_t i = 0; i < count && i < most; i++)
        out[i] = dlab_field_number(&about->columns[c], rows + i * about->row_size);
    return count;
}

int dlab_study_series(dlab_study *s, const char *table, const char *column, size_t point, size_t rep,
                      const double *times, size_t n, double *values)
{
    size_t count;
    const char *rows = dlab_study_rows(s, table, point, rep, &count);
    if (s->err.code != DLAB_OK) return s->err.code;
    const dlab_table *about = &s->model->outputs[find_table(s, table)];
    const int c = find_column(s, about, column);
    if (c < 0) return s->err.code;
    char none = 0; /* never read: an output without rows still has an address */
    uint64_t offsets[2] = { 0, count };
    const dlab_kept one = { .rows = { .rows = count > 0 ? (char *)(uintptr_t)rows : &none, .count = count },
                            .offsets = offsets };
    return dlab_series_resample(about, &one, 1, c, times, n, values, &s->err);
}
