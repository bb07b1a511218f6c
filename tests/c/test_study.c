/* A study is a sweep written shortly: the same rows, keys and numbers as one filled by hand; ranges,
 * outputs and closed forms by name; a model outside the tree; the first mistake wins and the rest does
 * nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <distlab/models.h>
#include <distlab/study.h>
#include <distlab/version.h>

#include "walk.h"

typedef dlab_queueing_station_params station;

/* A model outside of the tree: draws two numbers, fails where x is 13. */
typedef struct params {
    double x;
    int64_t n;
} params;
typedef struct metrics {
    double sum;
    dlab_histogram drawn;
} metrics;
typedef struct step_row {
    double time, twice;
} step_row;

static const dlab_field param_fields[] = {
    DLAB_FIELD(params, x, .unit = "s", .display = "ms", .dflt = 1, .min = 0, .max = 100, .doc = "x."),
    DLAB_FIELD(params, n, .dflt = 3, .min = 1, .max = 1000, .doc = "n."),
    DLAB_END,
};
static const dlab_field metric_fields[] = {
    DLAB_FIELD(metrics, sum, .unit = "s", .display = "ms", .max = INFINITY, .doc = "Sum."),
    DLAB_FIELD(metrics, drawn, .scale = 1, .doc = "Drawn."),
    DLAB_END,
};
static const dlab_field step_columns[] = {
    DLAB_FIELD(step_row, time, .unit = "s", .doc = "When."),
    DLAB_FIELD(step_row, twice, .doc = "Twice that."),
    DLAB_END,
};
static const dlab_table outputs[] = {
    { .name = "steps",
      .doc = "Steps.",
      .columns = step_columns,
      .row_size = sizeof(step_row),
      .series = true },
    { .name = NULL },
};
static const char *const theory_columns[] = { "sum", NULL };

static int run(const void *params_, void *metrics_, dlab_ctx *ctx)
{
    const params *p = params_;
    metrics *m = metrics_;
    dlab_rng rng;
    dlab_stream(ctx, &rng, DLAB_PURPOSE_SAMPLE, 0);
    if (p->x == 13) return dlab_fail(&ctx->err, DLAB_EINVAL, "x is thirteen");
    if (dlab_histogram_open(&m->drawn, &ctx->arena, &ctx->err)) return ctx->err.code;
    for (int64_t i = 0; i < p->n; i++) {
        const step_row row = { (double)i, 2 * (double)i };
        m->sum += p->x * dlab_rng_exponential(&rng);
        dlab_histogram_record(&m->drawn, (int64_t)dlab_rng_below(&rng, 100));
        if (dlab_emit(ctx, 0, &row) || dlab_step(ctx, 1)) return ctx->err.code;
    }
    return DLAB_OK;
}

static int theory(const void *params_, double *values, dlab_ctx *ctx)
{
    const params *p = params_;
    values[0] = p->x * (double)p->n;
    return dlab_step(ctx, 1);
}

static const dlab_model own = { .abi = DLAB_ABI,
                                .name = "lab.own",
                                .title = "own",
                                .doc = "Own.",
                                .source = "none",
                                .params = param_fields,
                                .metrics = metric_fields,
                                .params_size = sizeof(params),
                                .metrics_size = sizeof(metrics),
                                .outputs = outputs,
                                .theory_columns = theory_columns,
                                .run = run,
                                .theory = theory };

static void good(const dlab_study *s)
{
    if (s->err.code != DLAB_OK) fail_msg("%s", s->err.text);
}

static void says(dlab_study *s, const char *what)
{
    if (strstr(s->err.text, what) == NULL) fail_msg("'%s' lacks '%s'", s->err.text, what);
    dlab_study_close(s);
}

static void same_as_a_sweep_by_hand(void **state)
{
    (void)state;
    enum { POINTS = 6, REPS = 3 };
    station rows[POINTS];
    dlab_study s = { .model = &dlab_queueing_station, .reps = REPS, .seed = 1, .sweep.threads = 2 };
    dlab_study_set(&s, "jobs", "2000");
    dlab_study_axis(&s, "arrival_rate", "50, 90");
    dlab_study_axis(&s, "servers", "1, 2, 4");
    dlab_study_run(&s);
    good(&s);
    assert_int_equal(dlab_study_size(&s), POINTS);
    for (size_t i = 0; i < POINTS; i++) {
        assert_int_equal(dlab_params_default(&dlab_queueing_station, &rows[i], NULL), DLAB_OK);
        rows[i].jobs = 2000;
        rows[i].arrival_rate = i < 3 ? 50 : 90;
        rows[i].servers = (int64_t[]){ 1, 2, 4 }[i % 3];
        const station *mine = dlab_study_params(&s, i);
        assert_true(mine->arrival_rate == rows[i].arrival_rate && mine->servers == rows[i].servers);
    }
    outcome o = run_rows(&(dlab_sweep){ .threads = 1 }, &dlab_queueing_station, rows, POINTS, REPS);
    assert_int_equal(o.err.code, DLAB_OK);
    dlab_layout layout;
    dlab_column wait, p99;
    dlab_interval expected;
    assert_int_equal(dlab_layout_init(&layout, dlab_queueing_station.metrics, NULL), DLAB_OK);
    assert_int_equal(dlab_column_find(&layout, "wait", "", &wait, NULL), DLAB_OK);
    assert_int_equal(dlab_column_find(&layout, "latency_p99", "", &p99, NULL), DLAB_OK);
    for (size_t i = 0; i < POINTS; i++) {
        const void *reps[REPS];
        for (size_t r = 0; r < REPS; r++) {
            reps[r] = metrics_row(&o, i * REPS + r);
            assert_true(dlab_study_value(&s, i, r, "wait") ==
                        dlab_column_value(&layout, &wait, reps[r], cells(&o)));
        }
        assert_int_equal(dlab_column_merge(&layout, &wait, reps, REPS, cells(&o), 0.95, &expected, NULL), 0);
        dlab_interval got = dlab_study_interval(&s, i, "wait");
        assert_memory_equal(&got, &expected, sizeof got);
        assert_int_equal(dlab_column_merge(&layout, &p99, reps, REPS, cells(&o), 0.95, &expected, NULL), 0);
        got = dlab_study_quantile(&s, i, "latency", 0.99);
        assert_memory_equal(&got, &expected, sizeof got);
    }
    assert_true(fabs(dlab_study_theory(&s, 0, "latency_mean") - 1 / (100.0 - 50)) < 1e-12); /* M/M/1 */
    assert_true(isnan(dlab_study_theory(&s, 0, "latency_max")));
    good(&s);
    drop(&o);
    dlab_study_close(&s);
}

static double x_at(dlab_study *s, size_t point) { return ((const params *)dlab_study_params(s, point))->x; }

static void ranges_and_own_values(void **state)
{
    (void)state;
    dlab_study s = { .model = &own };
    dlab_study_axis(&s, "x", "0:1:4");
    dlab_study_axis(&s, "n", "log:1:4:9");
    dlab_study_run(&s);
    good(&s);
    assert_int_equal(dlab_study_size(&s), 16); /* n is 1, 2, 3, 4 */
    for (size_t i = 0; i < 4; i++) {
        assert_true(x_at(&s, 4 * i) == (i == 3 ? 1 : (double)i * (1.0 / 3)));
        assert_int_equal(((const params *)dlab_study_params(&s, i))->n, i + 1);
    }
    dlab_study_close(&s);
    s = (dlab_study){ .model = &own, .own_keys = true, .seed = 9 };
    dlab_study_axis(&s, "x", "log:1ms:1s:4");
    dlab_study_add(&s, "x", "2s");
    dlab_study_run(&s);
    good(&s);
    assert_int_equal(dlab_study_size(&s), 5);
    for (size_t i = 0; i < 4; i++) assert_true(fabs(x_at(&s, i) / pow(10, (double)i - 3) - 1) < 1e-14);
    assert_true(x_at(&s, 0) == 0.001 && x_at(&s, 3) == 1 && x_at(&s, 4) == 2);
    assert_true(s.sweep.keys[1] == dlab_row_key(9, 1, 0));
    dlab_study_close(&s);
    const params rows[] = { { 2, 5 }, { 3, 7 } }; /* points given, an axis and a value for both */
    s = (dlab_study){ .model = &own };
    dlab_study_points(&s, rows, 2);
    dlab_study_set_all(&s, "n = 8");
    dlab_study_axis(&s, "x", "1, 2, 4");
    dlab_study_run(&s);
    good(&s);
    assert_int_equal(dlab_study_size(&s), 6);
    assert_int_equal(((const params *)dlab_study_params(&s, 5))->n, 8);
    assert_true(x_at(&s, 5) == 4);
    dlab_study_close(&s);
}

static void outputs_by_name(void **state)
{
    (void)state;
    dlab_study s = { .model = &own, .reps = 2 };
    size_t count;
    double twice[2], held[3];
    dlab_study_axis(&s, "n", "2, 5");
    dlab_study_keep(&s, "steps");
    dlab_study_run(&s);
    good(&s);
    const step_row *rows = dlab_study_rows(&s, "steps", 1, 1, &count);
    assert_int_equal(count, 5);
    assert_true(rows[4].time == 4 && rows[4].twice == 8);
    assert_int_equal(dlab_study_numbers(&s, "steps", "twice", 1, 0, twice, 2), 5);
    assert_true(twice[0] == 0 && twice[1] == 2);
    assert_int_equal(dlab_study_series(&s, "steps", "twice", 1, 0, (double[]){ -1, 2.5, 9 }, 3, held),
                     DLAB_OK);
    assert_true(isnan(held[0]) && held[1] == 4 && held[2] == 8);
    assert_true(dlab_study_theory(&s, 1, "sum") == 5);
    dlab_study_numbers(&s, "steps", "thrice", 0, 0, twice, 2);
    says(&s, "'steps' has no column 'thrice'");
}

static void failed_rows_are_left_out(void **state)
{
    (void)state;
    dlab_study s = { .model = &own, .reps = 4, .sweep.mask_errors = true };
    dlab_study_axis(&s, "x", "1, 13, 2");
    dlab_study_run(&s);
    good(&s);
    assert_true(dlab_study_interval(&s, 1, "sum").n == 0 && isnan(dlab_study_interval(&s, 1, "sum").mean));
    assert_true(dlab_study_interval(&s, 2, "sum").n == 4);
    assert_true(dlab_study_interval(&s, 2, "sum").mean == 2 * dlab_study_interval(&s, 0, "sum").mean);
    dlab_study_close(&s);
    s = (dlab_study){ .model = &own };
    dlab_study_axis(&s, "x", "1, 13");
    dlab_study_run(&s);
    says(&s, "point 1, rep 0): lab.own: x is thirteen");
}

static void a_table_to_print(void **state)
{
    (void)state;
    char text[1000] = "";
    dlab_study s = { .model = &own, .reps = 20, .seed = 3, .sweep.threads = 1 };
    dlab_study_axis(&s, "x", "1ms, 100ms");
    dlab_study_axis(&s, "n", "1, 1000");
    dlab_study_run(&s);
    FILE *file = tmpfile();
    assert_int_equal(dlab_study_print(&s, file, "sum, drawn_p50"), DLAB_OK);
    rewind(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    good(&s);
    assert_int_equal(strncmp(text, "x [ms]     n  ", 14), 0);
    assert_non_null(strstr(text, "\n   100  1000  "));
    const dlab_interval sum = dlab_study_interval(&s, 1, "sum");
    char cell[64];
    (void)snprintf(cell, sizeof cell, "%.0f \xc2\xb1 %.0f", 1e3 * sum.mean, 1e3 * (sum.high - sum.low) / 2);
    if (strstr(text, cell) == NULL) fail_msg("'%s' lacks '%s'", text, cell);
    dlab_study_close(&s);
}

#define MISTAKE(what, ...)                \
    do {                                  \
        dlab_study s = { .model = &own }; \
        __VA_ARGS__;                      \
        dlab_study_run(&s);               \
        says(&s, what);                   \
    } while (0)

static void the_first_mistake_wins(void **state)
{
    (void)state;
    size_t count;
    MISTAKE("lab.own has no 'm'", dlab_study_set(&s, "m", "1"); dlab_study_set(&s, "k", "1"));
    MISTAKE("n = 0 is outside [1, 1000]", dlab_study_axis(&s, "n", "1, 0, 2"));
    MISTAKE("n is an axis already", dlab_study_axis(&s, "n", "1, 2"); dlab_study_set(&s, "n", "2"));
    MISTAKE("n is an axis already", dlab_study_axis(&s, "n", "1, 2"); dlab_study_axis(&s, "n", "2"));
    MISTAKE("a range is low:high:count", dlab_study_axis(&s, "n", "1:2"));
    MISTAKE("a range is low:high:count", dlab_study_axis(&s, "n", "1:2:3.5"));
    MISTAKE("must be finite and positive", dlab_study_axis(&s, "x", "log:0:1:3"));
    MISTAKE("x = 101 is outside", dlab_study_axis(&s, "x", "1:101:3"));
    MISTAKE("lab.own has no output 'step'; did you mean 'steps'?", dlab_study_keep(&s, "step"));
    MISTAKE("0 points are outside", dlab_study_points(&s, NULL, 0));
    MISTAKE("no results before", (void)dlab_study_metrics(&s, 0, 0));
    MISTAKE("no results before", dlab_study_print(&s, stdout, "sum"));
    MISTAKE("more than 268435456 rows", dlab_study_axis(&s, "x", "0:1:100000");
            dlab_study_axis(&s, "n", "1:1000:1000"); s.reps = 3);
    MISTAKE("this study has run", dlab_study_run(&s); dlab_study_set(&s, "n", "1"));
    MISTAKE("no point 1, rep 0", dlab_study_run(&s); (void)dlab_study_value(&s, 1, 0, "sum"));
    MISTAKE("lab.own has no column 'som'; did you mean 'sum'?", dlab_study_run(&s);
            (void)dlab_study_interval(&s, 0, "som"));
    MISTAKE("a histogram, not 0.5 of sum", dlab_study_run(&s); (void)dlab_study_quantile(&s, 0, "sum", 0.5));
    MISTAKE("were not kept", dlab_study_run(&s); (void)dlab_study_rows(&s, "steps", 0, 0, &count));
    MISTAKE("confidence = 2 is outside", s.confidence = 2);
    MISTAKE("there is no model", s.model = NULL);
    MISTAKE("no model is called 'lab.won'", s.model = dlab_model_find("lab.won", &s.err));
}

static void models_are_checked_before_they_run(void **state)
{
    (void)state;
    dlab_model old = own, unnamed = own, small = own;
    old.abi++;
    unnamed.name = "Own";
    small.metrics_size = 8;
    MISTAKE("compile it again with the headers of this version", s.model = &old);
    MISTAKE("a model is named family.name (lower case), not Own", s.model = &unnamed);
    MISTAKE("model lab.own: drawn ends at byte", s.model = &small);
    char version[40];
    (void)snprintf(version, sizeof version, "%d.%d.%d", DLAB_VERSION_MAJOR, DLAB_VERSION_MINOR,
                   DLAB_VERSION_PATCH);
    assert_string_equal(version, DLAB_VERSION);
    assert_string_equal(dlab_version(), DLAB_VERSION);
#if !DLAB_VERSION_AT_LEAST(0, 1, 0) || DLAB_VERSION_AT_LEAST(1000, 0, 0)
    fail();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_a_sweep_by_hand),
        cmocka_unit_test(ranges_and_own_values),
        cmocka_unit_test(outputs_by_name),
        cmocka_unit_test(failed_rows_are_left_out),
        cmocka_unit_test(a_table_to_print),
        cmocka_unit_test(the_first_mistake_wins),
        cmocka_unit_test(models_are_checked_before_they_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
