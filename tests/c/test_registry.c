/* The registry walk: what every model promises, asked of every model, so that none escapes and a new one
 * is tested before its author writes a test. Runs are small: the step budget is part of what is tested. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "walk.h"

#include <distlab/trace.h>

enum { SMALL_STEPS = 20000, SMALL_BYTES = 64 << 20 };

static const dlab_sweep small = { .threads = 1, .steps_max = SMALL_STEPS, .memory_max = SMALL_BYTES };

static const char *const reserved[] = { "seed",     "reps",       "crn",        "trace",
                                        "keep",     "threads",    "executor",   "errors",
                                        "progress", "checkpoint", "confidence", "precision",
                                        "budget",   "design",     "token",      "model" };

static void *defaults(const dlab_model *m)
{
    dlab_error err = { 0 };
    void *params = calloc(1, m->params_size);
    if (dlab_params_default(m, params, &err)) fail_msg("%s: %s", m->name, err.text);
    return params;
}

static dlab_layout *layout_of(const dlab_field *fields)
{
    dlab_error err = { 0 };
    dlab_layout *layout = malloc(sizeof *layout);
    if (dlab_layout_init(layout, fields, &err)) fail_msg("%s", err.text);
    return layout;
}

static void check_in_range(const dlab_model *m, const outcome *o)
{
    dlab_layout *layout = layout_of(m->metrics);
    int n;
    double *values = all_columns(o, &n);
    static dlab_column columns[DLAB_COLUMNS_MAX];
    (void)dlab_columns(layout, columns, NULL);
    for (size_t row = 0; row < o->sweep.row_count; row++)
        for (int c = 0; c < n; c++) {
            const dlab_field *f = &layout->fields[columns[c].field];
            const double v = values[row * (size_t)n + (size_t)c];
            const bool excused = isnan(v) && (f->may_be_nan || f->type == DLAB_HISTOGRAM);
            const double max = metric_max(f);
            if (!excused && !(v >= f->min && v <= max))
                fail_msg("%s: metric %s = %g is outside %g .. %g", m->name, columns[c].name, v, f->min, max);
        }
    free(values);
    free(layout);
}

static void each_descriptor_is_complete(void **state)
{
    (void)state;
    for (int i = 0; dlab_models[i] != NULL; i++) {
        const dlab_model *m = dlab_models[i];
        const dlab_field *tables[] = { m->params, m->metrics };
        assert_int_equal(m->abi, DLAB_ABI);
        assert_non_null(strchr(m->name, '.'));
        assert_true(m->title && m->doc && m->source && m->run);
        assert_true(dlab_model_find(m->name, NULL) == m);
        for (int t = 0; t < 2; t++) {
            dlab_layout *layout = layout_of(tables[t]);
            for (int k = 0; k < layout->count; k++) {
                const dlab_field *f = &layout->fields[k];
                if (f->doc == NULL || f->doc[0] == '\0' || f->doc[strlen(f->doc) - 1] != '.')
                    fail_msg("%s: %s needs a sentence", m->name, f->name);
                for (size_t r = 0; t == 0 && r < sizeof reserved / sizeof reserved[0]; r++)
                    if (strcmp(f->name, reserved[r]) == 0) fail_msg("%s: %s is reserved", m->name, f->name);
                if (t == 0 && f->type <= DLAB_INT &&
                    (f->low < f->min || f->high > f->max || fabs(f->max) > 0x1p53))
                    fail_msg("%s: typical range of %s leaves its range", m->name, f->name);
                for (int other = 0; other < k; other++)
                    assert_string_not_equal(f->name, layout->names[other]);
            }
            free(layout);
        }
    }
}

/* One name, one unit, one type, whatever the model. */
static void names_mean_the_same_everywhere(void **state)
{
    (void)state;
    for (int a = 0; dlab_models[a] != NULL; a++)
        for (int b = 0; b < a; b++) {
            dlab_layout *x = layout_of(dlab_models[a]->params), *y = layout_of(dlab_models[b]->params);
            for (int i = 0; i < x->count; i++)
                for (int k = 0; k < y->count; k++) {
                    const dlab_field *f = &x->fields[i], *g = &y->fields[k];
                    if (strcmp(f->name, g->name) != 0) continue;
                    assert_int_equal(f->type, g->type);
                    assert_string_equal(f->unit ? f->unit : "", g->unit ? g->unit : "");
                }
            free(x);
            free(y);
        }
}

static void defaults_run_in_range_and_threads_do_not_matter(void **state)
{
    (void)state;
    for (int i = 0; dlab_models[i] != NULL; i++) {
        const dlab_model *m = dlab_models[i];
        void *params = defaults(m);
        outcome once = run_rows(&(dlab_sweep){ .threads = 1 }, m, params, 1, 1);
        if (once.err.code) fail_msg("%s: %s", m->name, once.err.text);
        check_in_range(m, &once);
        drop(&once);
        int n, n3;
        outcome one =
            run_rows(&(dlab_sweep){ .threads = 1, .mask_errors = true, .steps_max = SMALL_STEPS * 10 }, m,
                     params, 1, 12);
        outcome three =
            run_rows(&(dlab_sweep){ .threads = 3, .mask_errors = true, .steps_max = SMALL_STEPS * 10 }, m,
                     params, 1, 12);
        double *a = all_columns(&one, &n), *b = all_columns(&three, &n3);
        assert_memory_equal(a, b, 12 * (size_t)n * sizeof *a);
        free(a);
        free(b);
        drop(&one);
        drop(&three);
        free(params);
    }
}

/* A result in range or an error that says what it is; nothing else. */
static void try_row(const dlab_model *m, const void *params, const char *name)
{
    outcome o = run_rows(&small, m, params, 1, 1);
    const int code = o.err.code;
    if (code == DLAB_OK) check_in_range(m, &o);
    else if ((code != DLAB_ELIMIT && code != DLAB_ERANGE && code != DLAB_EINVAL) ||
             strncmp(o.err.text, m->name, strlen(m->name)) != 0)
        fail_msg("%s with %s at a bound: %d %s", m->name, name, code, o.err.text);
    drop(&o);
}

static void refuse_row(const dlab_model *m, const void *params, const dlab_field *f)
{
    outcome o = run_rows(&small, m, params, 1, 1);
    if ((o.err.code != DLAB_ERANGE && o.err.code != DLAB_ETYPE) || strstr(o.err.text, f->name) == NULL)
        fail_msg("%s: %s outside its range: %d %s", m->name, f->name, o.err.code, o.err.text);
    drop(&o);
}

static void put_double(void *row, const dlab_field *f, double v)
{
    memcpy((char *)row + f->offset, &v, sizeof v);
}

static void put_int(void *row, const dlab_field *f, int64_t v)
{
    memcpy((char *)row + f->offset, &v, sizeof v);
}

static void try_numbers(const dlab_model *m, const dlab_field *f, char *params)
{
    const double inside[] = { f->min, f->max, f->low, f->high };
    for (size_t k = 0; k < sizeof inside / sizeof inside[0]; k++) {
        if (f->type == DLAB_DOUBLE) put_double(params, f, inside[k]);
        else put_int(params, f, (int64_t)inside[k]);
        try_row(m, params, f->name);
    }
    if (f->type == DLAB_DOUBLE) {
        const double bad[] = { nextafter(f->min, -INFINITY), nextafter(f->max, INFINITY), NAN, -INFINITY };
        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            if (f->optional && bad[k] == f->off) continue;
            put_double(params, f, bad[k]);
            refuse_row(m, params, f);
        }
    } else {
        const int64_t bad[] = { (int64_t)f->min - 1, (int64_t)f->max + 1, INT64_MIN };
        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            if (f->optional && bad[k] == (int64_t)f->off) continue;
            put_int(params, f, bad[k]);
            refuse_row(m, params, f);
        }
    }
}

static void try_distributions(const dlab_model *m, const dlab_field *f, char *params)
{
    const dlab_distribution good[] = {
        { .kind = DLAB_DIST_CONSTANT, .p = { f->min } },
        { .kind = DLAB_DIST_EXPONENTIAL, .p = { f->low } },
        { .kind = DLAB_DIST_LOGNORMAL, .p = { f->low, 2 } },
        { .kind = DLAB_DIST_CONSTANT, .p = { f->max } },
        { .kind = DLAB_DIST_GAMMA, .p = { 0.5, f->low } },
        { .kind = DLAB_DIST_UNIFORM, .p = { f->low, f->high } },
    };
    const dlab_distribution bad[] = {
        { .kind = DLAB_DIST_CONSTANT, .p = { NAN } },
        { .kind = DLAB_DIST_EXPONENTIAL, .p = { -1 } },
        { .kind = DLAB_DIST_PARETO, .p = { 0.5, f->low, INFINITY } },
        { .kind = DLAB_DIST_KINDS },
        { .kind = DLAB_DIST_EMPIRICAL, .count = 3 },
        { .kind = DLAB_DIST_MIXTURE, .table = 7, .count = 1 },
    };
    for (size_t k = 0; k < sizeof good / sizeof good[0]; k++) {
        memcpy(params + f->offset, &good[k], sizeof good[k]);
        try_row(m, params, f->name);
    }
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        memcpy(params + f->offset, &bad[k], sizeof bad[k]);
        refuse_row(m, params, f);
    }
}

static void every_parameter_is_tried_at_and_beyond_its_bounds(void **state)
{
    (void)state;
    for (int i = 0; dlab_models[i] != NULL; i++) {
        const dlab_model *m = dlab_models[i];
        dlab_layout *layout = layout_of(m->params);
        for (int k = 0; k < layout->count; k++) {
            const dlab_field *f = &layout->fields[k];
            char *params = defaults(m);
            if (f->type == DLAB_DOUBLE || f->type == DLAB_INT) {
                try_numbers(m, f, params);
            } else if (f->type == DLAB_DISTRIBUTION) {
                try_distributions(m, f, params);
            } else if (f->type == DLAB_CHOICE) {
                int32_t choice = 0;
                for (; f->choices[choice] != NULL; choice++) {
                    memcpy(params + f->offset, &choice, sizeof choice);
                    try_row(m, params, f->name);
                }
                memcpy(params + f->offset, &choice, sizeof choice);
                refuse_row(m, params, f);
            } else if (f->type == DLAB_BOOL) {
                params[f->offset] = 2;
                refuse_row(m, params, f);
            } else if (f->type == DLAB_TABLE) {
                const dlab_ref ref = { .table = 9, .count = 1 };
                memcpy(params + f->offset, &ref, sizeof ref);
                refuse_row(m, params, f);
            }
            free(params);
        }
        free(layout);
    }
}

static bool always_stop(void *arg, size_t done)
{
    (void)arg;
    (void)done;
    return true;
}

static void a_run_can_be_stopped_half_way(void **state)
{
    (void)state;
    for (int i = 0; dlab_models[i] != NULL; i++) {
        const dlab_model *m = dlab_models[i];
        void *params = defaults(m);
        const double total = m->steps != NULL ? m->steps(params, &(dlab_pool){ 0 }) : 0;
        if (total >= 2) {
            outcome half =
                run_rows(&(dlab_sweep){ .threads = 1, .steps_max = (uint64_t)(total / 2) }, m, params, 1, 1);
            assert_int_equal(half.err.code, DLAB_ELIMIT);
            drop(&half);
        }
        const dlab_host host = { .poll = always_stop };
        outcome stopped = run_rows(&(dlab_sweep){ .threads = 1, .host = &host }, m, params, 1, 2000);
        assert_int_equal(stopped.err.code, DLAB_ESTOP);
        assert_int_equal(stopped.sweep.buckets.count, 0);
        drop(&stopped);
        free(params);
    }
}

static void each_allocation_fails_once(void **state)
{
    (void)state;
    for (int i = 0; dlab_models[i] != NULL; i++) {
        const dlab_model *m = dlab_models[i];
        void *params = defaults(m);
        dlab_sweep like = { .threads = 1, .wanted = 0xff };
        int n = 0;
        while (m->outputs != NULL && m->outputs[n].name != NULL) n++;
        like.wanted = n ? (1u << n) - 1 : 0;
        bool passed = false;
        for (like.fail_at = 1; like.fail_at < 500 && !passed; like.fail_at++) {
            outcome o = run_rows(&like, m, params, 1, 1);
            passed = o.err.code == DLAB_OK;
            if (!passed) assert_int_equal(o.err.code, DLAB_ENOMEM);
            drop(&o);
        }
        assert_true(passed);
        free(params);
    }
}

/* Parameters from "name=value name=value"; reps comes back. */
static size_t apply_scope(const dlab_model *m, const char *scope, void *params)
{
    dlab_layout *layout = layout_of(m->params);
    dlab_memory memory = { 0 };
    dlab_buffer parts = { .row_size = sizeof(dlab_part) };
    size_t reps = 30;
    char text[512];
    (void)snprintf(text, sizeof text, "%s", scope);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        dlab_error err = { 0 };
        char *value = strchr(word, '=');
        assert_non_null(value);
        *value++ = '\0';
        if (strcmp(word, "reps") == 0) {
            reps = (size_t)atol(value);
            continue;
        }
        const dlab_field *f = dlab_layout_find(layout, word, m->name, &err);
        if (f == NULL || dlab_field_set_text(f, params, value, &parts, &memory, &err))
            fail_msg("%s", err.text);
    }
    free(layout);
    return reps;
}

/* How far a column is from theory: standard errors for a simulation, 1e-9ths for an exact model. */
static double distance(const dlab_model *m, const void *params, size_t reps, const char *wanted)
{
    outcome o = run_rows(&(dlab_sweep){ 0 }, m, params, 1, m->exact ? 1 : reps);
    dlab_layout *layout = layout_of(m->metrics);
    static dlab_column columns[DLAB_COLUMNS_MAX];
    double values[64], worst = NAN;
    dlab_memory memory = { 0 };
    dlab_ctx ctx = { .model = m,
                     .params = params,
                     .arena = { .memory = &memory },
                     .steps_max = UINT64_MAX,
                     .poll_at = UINT64_MAX,
                     .pool = &(dlab_pool){ 0 } };
    const int n = dlab_columns(layout, columns, NULL);
    const void *rows[8192];
    if (o.err.code) fail_msg("%s: %s", m->name, o.err.text);
    assert_true(o.sweep.row_count <= 8192);
    for (size_t r = 0; r < o.sweep.row_count; r++) rows[r] = metrics_row(&o, r);
    assert_int_equal(m->theory(params, values, &ctx), DLAB_OK);
    for (int t = 0; m->theory_columns[t] != NULL; t++) {
        if (wanted != NULL && strcmp(wanted, m->theory_columns[t]) != 0) continue;
        int found = 0;
        for (int c = 0; c < n; c++) {
            if (strcmp(columns[c].name, m->theory_columns[t]) != 0) continue;
            dlab_interval v;
            found = 1;
            assert_int_equal(
                dlab_column_merge(layout, &columns[c], rows, o.sweep.row_count, cells(&o), 0.95, &v, NULL),
                0);
            if (isnan(values[t]) || isnan(v.mean) || values[t] == v.mean) continue;
            const double scale =
                m->exact ? 1e-9 * fmax(fabs(values[t]), 1e-3) : v.se + 1e-12 * fabs(values[t]);
            const double d = fabs(v.mean - values[t]) / scale;
            if (!(d <= worst)) worst = d;
            if (wanted == NULL && d > 4.5)
                print_message("%s: %s is %.10g, theory says %.10g\n", m->name, columns[c].name, v.mean,
                              values[t]);
        }
        assert_int_equal(found, 1);
    }
    dlab_arena_free(&ctx.arena);
    free(layout);
    drop(&o);
    return isnan(worst) ? 0 : worst;
}

static void theory_agrees_at_the_defaults(void **state)
{
    (void)state;
    for (int i = 0; dlab_models[i] != NULL; i++) {
        const dlab_model *m = dlab_models[i];
        void *params = defaults(m);
        if (m->theory != NULL) assert_true(distance(m, params, 24, NULL) < 4.5);
        free(params);
    }
}

/* What the metric `violations` counts over some runs. */
static double violations(const dlab_model *m, const void *params, size_t reps)
{
    static dlab_column columns[DLAB_COLUMNS_MAX];
    outcome o = run_rows(&(dlab_sweep){ 0 }, m, params, 1, reps);
    dlab_layout *layout = layout_of(m->metrics);
    double sum = NAN;
    int n;
    if (o.err.code) fail_msg("%s: %s", m->name, o.err.text);
    double *values = all_columns(&o, &n);
    (void)dlab_columns(layout, columns, NULL);
    for (int c = 0; c < n; c++) {
        if (strcmp(columns[c].name, "violations") != 0) continue;
        sum = 0;
        for (size_t row = 0; row < reps; row++) sum += values[row * (size_t)n + (size_t)c];
    }
    free(values);
    free(layout);
    drop(&o);
    return sum;
}

static bool is_invariant(const dlab_model *m, const char *name)
{
    const char *const *names = m->trace != NULL ? m->trace->invariants : NULL;
    for (; names != NULL && *names != NULL; names++)
        if (strcmp(*names, name) == 0) return true;
    return false;
}

/* The model with the bug or without it, in the bug's scope. */
static void try_bug(const dlab_model *m, const dlab_bug *bug, void *params, size_t reps, bool planted)
{
    const bool by_theory = strncmp(bug->violation, "theory.", 7) == 0;
    if (!by_theory && !is_invariant(m, bug->violation))
        fail_msg("%s: no invariant is called %s", m->name, bug->violation);
    const double seen =
        by_theory ? distance(m, params, reps, bug->violation + 7) : violations(m, params, reps);
    print_message("%s %s: %s %.1f %s the bug\n", m->name, bug->name, bug->violation, seen,
                  planted ? "with" : "without");
    if (planted) assert_true(seen > (by_theory ? 5 : 0));
    else assert_true(by_theory ? seen < 4 : seen == 0);
}

/* Every planted bug is seen by what its row names, and the model without it is not. */
static void planted_bugs_are_caught(void **state)
{
    (void)state;
    for (int i = 0; dlab_models[i] != NULL; i++) {
        const dlab_model *m = dlab_models[i];
        dlab_layout *layout = layout_of(m->params);
        assert_non_null(m->bugs);
        assert_string_equal(m->bugs[0].name, "none");
        assert_non_null(m->bugs[1].name);
        for (int b = 1; m->bugs[b].name != NULL; b++) {
            dlab_error err = { 0 };
            void *params = defaults(m);
            const size_t reps = apply_scope(m, m->bugs[b].scope, params);
            const dlab_field *f = dlab_layout_find(layout, "bug", m->name, &err);
            assert_non_null(f);
            assert_string_equal(f->choices[b], m->bugs[b].name);
            try_bug(m, &m->bugs[b], params, reps, false);
            assert_int_equal(dlab_field_set_number(f, params, b, &err), DLAB_OK);
            try_bug(m, &m->bugs[b], params, reps, true);
            free(params);
        }
        free(layout);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_descriptor_is_complete),
        cmocka_unit_test(names_mean_the_same_everywhere),
        cmocka_unit_test(defaults_run_in_range_and_threads_do_not_matter),
        cmocka_unit_test(every_parameter_is_tried_at_and_beyond_its_bounds),
        cmocka_unit_test(a_run_can_be_stopped_half_way),
        cmocka_unit_test(each_allocation_fails_once),
        cmocka_unit_test(theory_agrees_at_the_defaults),
        cmocka_unit_test(planted_bugs_are_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
