/* Every model at random parameters: a run ends with metrics inside their declared
 * ranges or with an error that names the model, never with one that says the engine itself is broken. Rows
 * are drawn jointly, so that extremes meet that no sweep over one parameter brings together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "walk.h"

enum { ROWS = 300, STEPS_MAX = 3000, TABLE_ROWS = 2, ROW_BYTES_MAX = 8192, TEXT_MAX = 16384 };
static const size_t memory_max = (size_t)64 << 20;

/* One random row: its parameters, the tables they refer to, and how to write it down. */
typedef struct scene {
    dlab_rng rng;
    uint64_t kept; /* of 8 numbers, how many stay at their defaults */
    const dlab_model *model;
    dlab_layout layout;
    char *params;
    dlab_rows tables[DLAB_TABLES_MAX];
    _Alignas(16) char cells[DLAB_TABLES_MAX][TABLE_ROWS * ROW_BYTES_MAX];
    size_t table_count;
    char text[TEXT_MAX];
} scene;

static uint64_t below(scene *s, uint64_t n) { return dlab_rng_below(&s->rng, n); }

/* Between two bounds, over decades where both are positive and one coin says so. */
static double between(scene *s, double low, double high)
{
    if (low > 0 && (high / low > 1e3 || below(s, 2) == 0))
        return low * exp(dlab_rng_unit(&s->rng) * log(high / low));
    return low + dlab_rng_unit(&s->rng) * (high - low);
}

static double number(scene *s, const dlab_field *f)
{
    const bool typical = f->low != 0 || f->high != 0;
    const double low = typical ? f->low : f->min, high = typical ? f->high : f->max;
    switch (below(s, 6)) {
    case 0: return f->min;
    case 1: return f->max;
    case 2: return low;
    case 3: return high;
    case 4: return between(s, low, high);
    default: return between(s, f->min, f->max);
    }
}

/* Runs that fit into the budget most of the time: few jobs, where a model counts jobs. */
static void shorten(scene *s)
{
    static const char *const names[] = { "jobs", "warmup_jobs" };
    for (int k = 0; k < 2 && below(s, 8) > 0; k++)
        for (int i = 0; i < s->layout.count; i++) {
            const dlab_field *f = &s->layout.fields[i];
            if (strcmp(f->name, names[k]) != 0) continue;
            assert_int_equal(dlab_field_set_number(f, s->params, (double)(1 + below(s, 300)), NULL), DLAB_OK);
        }
}

/* A law of any kind whose scale is a number of the field's range. */
static dlab_distribution law(scene *s, const dlab_field *f)
{
    const double x = number(s, f);
    const dlab_distribution all[] = {
        { .kind = DLAB_DIST_CONSTANT, .p = { x } },
        { .kind = DLAB_DIST_UNIFORM, .p = { 0.5 * x, 1.5 * x } },
        { .kind = DLAB_DIST_EXPONENTIAL, .p = { x } },
        { .kind = DLAB_DIST_HYPEREXPONENTIAL, .p = { 0.9, 0.5 * x, 5.5 * x } },
        { .kind = DLAB_DIST_GAMMA, .p = { 0.5, 2 * x } },
        { .kind = DLAB_DIST_ERLANG, .p = { 3, x } },
        { .kind = DLAB_DIST_NORMAL, .p = { x, 0.3 * x, 0, INFINITY } },
        { .kind = DLAB_DIST_LOGNORMAL, .p = { x, 2 } },
        { .kind = DLAB_DIST_WEIBULL, .p = { 0.7, x } },
        { .kind = DLAB_DIST_PARETO, .p = { 1.5, x, INFINITY } },
        { .kind = DLAB_DIST_BIMODAL, .p = { 0.5 * x, 10 * x, 0.05 } },
    };
    return all[below(s, sizeof all / sizeof all[0])];
}

static uint64_t choices_of(const dlab_field *f)
{
    uint64_t n = 0;
    while (f->choices[n] != NULL) n++;
    return n;
}

static void fill(scene *s, const dlab_field *f, char *row);

/* A table of two rows, all cells drawn like parameters; a cell may stay blank where the default is. */
static void fill_table(scene *s, const dlab_field *f, char *row)
{
    dlab_layout columns;
    dlab_error err = { 0 };
    const size_t size = f->table->row_size;
    if (below(s, 3) != 0 || s->table_count == DLAB_TABLES_MAX || size > ROW_BYTES_MAX) return;
    assert_int_equal(dlab_layout_init(&columns, f->table->columns, &err), DLAB_OK);
    char *cells_ = s->cells[s->table_count];
    memset(cells_, 0, TABLE_ROWS * size);
    for (int r = 0; r < TABLE_ROWS; r++)
        for (int i = 0; i < columns.count; i++) {
            char *cell = cells_ + (size_t)r * size;
            assert_int_equal(dlab_field_set_default(&columns.fields[i], cell, &err), DLAB_OK);
            fill(s, &columns.fields[i], cell);
        }
    s->tables[s->table_count] = (dlab_rows){ cells_, TABLE_ROWS, size };
    const dlab_ref ref = { .table = (uint32_t)s->table_count++, .count = TABLE_ROWS };
    memcpy(row + f->offset, &ref, sizeof ref);
}

/* One field of one row. */
static void fill(scene *s, const dlab_field *f, char *row)
{
    dlab_error err = { 0 };
    const bool keep = below(s, 8) < s->kept;
    switch (f->type) {
    case DLAB_DOUBLE:
    case DLAB_INT:
        if (keep) return;
        (void)dlab_field_set_number(f, row, f->type == DLAB_INT ? floor(number(s, f)) : number(s, f), &err);
        return;
    case DLAB_BOOL: (void)dlab_field_set_number(f, row, (double)below(s, 2), &err); return;
    case DLAB_CHOICE: (void)dlab_field_set_number(f, row, (double)below(s, choices_of(f)), &err); return;
    case DLAB_FLAGS:
        (void)dlab_field_set_number(f, row, (double)below(s, UINT64_C(1) << choices_of(f)), &err);
        return;
    case DLAB_DISTRIBUTION:
        if (!keep) {
            const dlab_distribution d = law(s, f);
            memcpy(row + f->offset, &d, sizeof d);
        }
        return;
    case DLAB_TABLE: fill_table(s, f, row); return;
    default: fail_msg("%s: no parameter has such a type", f->name);
    }
}

/* What differs from the defaults, to repeat a failure by hand. */
static void tell(scene *s)
{
    const dlab_pool pool = { s->tables, s->table_count };
    size_t at = (size_t)snprintf(s->text, sizeof s->text, "%s", s->model->name);
    dlab_error err = { 0 };
    char *plain = calloc(1, s->model->params_size), value[256], usual[256];
    assert_int_equal(dlab_params_default(s->model, plain, &err), DLAB_OK);
    for (int i = 0; i < s->layout.count && at + 400 < sizeof s->text; i++) {
        const dlab_field *f = &s->layout.fields[i];
        (void)dlab_field_format(f, s->params, &pool, value, sizeof value);
        (void)dlab_field_format(f, plain, &pool, usual, sizeof usual);
        if (strcmp(value, usual) != 0)
            at += (size_t)snprintf(s->text + at, sizeof s->text - at, " %s=%s", f->name, value);
    }
    free(plain);
}

static int faults;

static void fault(scene *s, const char *what, double value)
{
    tell(s);
    faults++;
    print_error("%s = %.17g: %s\n", what, value, s->text);
}

static void check_metrics(scene *s, const outcome *o)
{
    static dlab_column columns[DLAB_COLUMNS_MAX];
    dlab_layout metrics;
    dlab_error err = { 0 };
    int n;
    double *values = all_columns(o, &n);
    assert_int_equal(dlab_layout_init(&metrics, o->sweep.model->metrics, &err), DLAB_OK);
    assert_int_equal(dlab_columns(&metrics, columns, &err), n);
    for (int i = 0; i < n; i++) {
        const dlab_field *f = &metrics.fields[columns[i].field];
        if (columns[i].part == DLAB_SE) continue;
        const bool good = isnan(values[i]) ? f->may_be_nan || f->type == DLAB_HISTOGRAM
                                           : values[i] >= f->min && values[i] <= metric_max(f);
        if (!good) fault(s, columns[i].name, values[i]);
    }
    free(values);
}

static bool is_named(const scene *s, const dlab_error *err)
{
    const bool known = err->code == DLAB_ELIMIT || err->code == DLAB_ERANGE || err->code == DLAB_EINVAL;
    return known && strncmp(err->text, s->model->name, strlen(s->model->name)) == 0;
}

/* Draw all parameters; 0: the model's own rules let them pass. */
static int draw(scene *s)
{
    dlab_error err = { 0 };
    s->table_count = 0;
    s->kept = 1 + below(s, 7);
    memset(s->params, 0, s->model->params_size);
    assert_int_equal(dlab_params_default(s->model, s->params, &err), DLAB_OK);
    for (int i = 0; i < s->layout.count; i++) fill(s, &s->layout.fields[i], s->params);
    shorten(s);
    const dlab_pool pool = { s->tables, s->table_count };
    return dlab_params_check(s->model, &s->layout, s->params, &pool, &err);
}

/* One row; true: it ran to its end. Most rows are drawn again while they contradict themselves; the rest
 * show that the sweep refuses them. */
static bool one_row(scene *s, uint64_t key)
{
    dlab_rng_open(&s->rng, key, DLAB_PURPOSE_SAMPLE, 0);
    uint64_t tries = 1 + below(s, 40);
    while (draw(s) != DLAB_OK && --tries > 0) continue;
    const dlab_sweep like = { .threads = 1,
                              .steps_max = STEPS_MAX,
                              .memory_max = memory_max,
                              .wanted = below(s, 3) == 0 ? 0xff : 0,
                              .pool = { s->tables, s->table_count } };
    outcome o = run_rows(&like, s->model, s->params, 1, 1);
    const bool done = o.err.code == DLAB_OK;
    if (done) check_metrics(s, &o);
    else if (!is_named(s, &o.err)) fault(s, o.err.text, o.err.code);
    drop(&o);
    return done;
}

static void results_keep_their_ranges(void **state)
{
    static scene s;
    (void)state;
    faults = 0;
    for (int m = 0; dlab_models[m] != NULL; m++) {
        dlab_error err = { 0 };
        int done = 0;
        s.model = dlab_models[m];
        assert_int_equal(dlab_layout_init(&s.layout, s.model->params, &err), DLAB_OK);
        s.params = malloc(s.model->params_size);
        for (uint64_t row = 0; row < ROWS; row++) done += one_row(&s, dlab_row_key(7, (uint64_t)m, row));
        free(s.params);
        print_message("%s: %d of %d rows ran to their end\n", s.model->name, done, ROWS);
        assert_true(done > 0);
    }
    assert_int_equal(faults, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(results_keep_their_ranges) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
