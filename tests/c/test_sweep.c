/* The sweep, on a toy model whose every result can be said beforehand: rows do not depend on threads,
 * reps share their point's parameters, the lowest failing row is the one reported, masks keep the rest,
 * whoever stops a sweep is obeyed, budgets hold, each allocation may fail, and merging goes by type. Runs
 * under the thread sanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "walk.h"

typedef struct params {
    int64_t draws, fail_on; /* fail when the key's low byte equals fail_on */
    double scale;
    bool endless;
} params;

typedef struct metrics {
    double mean;
    int64_t first_byte;
    dlab_ratio above;
    dlab_estimate estimate;
    dlab_histogram values;
} metrics;

typedef struct event {
    double time;
    int64_t value;
} event;

static const dlab_field param_fields[] = {
    DLAB_FIELD(params, draws, .dflt = 100, .min = 1, .max = 1e9, .doc = "Draws a run makes."),
    DLAB_FIELD(params, fail_on, .dflt = -1, DLAB_OFF(-1), .min = 0, .max = 255,
               .doc = "Low byte of keys that fail."),
    DLAB_FIELD(params, scale, .unit = "s", .dflt = 1, .min = 1e-3, .max = 1e3, .doc = "Mean of a draw."),
    DLAB_FIELD(params, endless, .doc = "Never end by itself."),
    DLAB_END,
};
static const dlab_field metric_fields[] = {
    DLAB_FIELD(metrics, mean, .unit = "s", .max = INFINITY, .doc = "Mean draw."),
    DLAB_FIELD(metrics, first_byte, .max = 255, .doc = "Low byte of the key."),
    DLAB_FIELD(metrics, above, .max = 1, .doc = "Share of draws above the mean."),
    DLAB_FIELD(metrics, estimate, .max = INFINITY, .doc = "Two halves."),
    DLAB_FIELD(metrics, values, .unit = "s", .max = INFINITY, .doc = "All draws."),
    DLAB_END,
};
static const dlab_field event_columns[] = {
    DLAB_FIELD(event, time, .unit = "s", .doc = "When."),
    DLAB_FIELD(event, value, .doc = "What."),
    DLAB_END,
};
static const dlab_table outputs[] = {
    { .name = "events",
      .doc = "One a draw.",
      .columns = event_columns,
      .row_size = sizeof(event),
      .series = true },
    { .name = NULL },
};

static int run(const void *params_, void *metrics_, dlab_ctx *ctx)
{
    const params *p = params_;
    metrics *out = metrics_;
    dlab_rng rng;
    double sum = 0, above = 0;
    dlab_stream(ctx, &rng, DLAB_PURPOSE_ARRIVAL, 0);
    if (dlab_histogram_open(&out->values, &ctx->arena, &ctx->err)) return ctx->err.code;
    if (p->fail_on == (int64_t)(ctx->key & 255u))
        return dlab_fail(&ctx->err, DLAB_EINVAL, "toy: key %02x fails", (unsigned)(ctx->key & 255u));
    for (int64_t i = 0; i < p->draws || p->endless; i++) {
        if (dlab_step(ctx, 1)) return ctx->err.code;
        const double x = p->scale * dlab_rng_exponential(&rng);
        sum += x;
        above += x > p->scale;
        dlab_histogram_record(&out->values, (int64_t)(x * 1e9));
        const event e = { (double)i, i + 1 };
        if (dlab_wants(ctx, 0) && dlab_emit(ctx, 0, &e)) return ctx->err.code;
    }
    out->mean = sum / (double)p->draws;
    out->first_byte = (int64_t)(ctx->key & 255u);
    out->above = (dlab_ratio){ above, (double)p->draws };
    out->estimate = (dlab_estimate){ out->mean, 0.1, 4 };
    return DLAB_OK;
}

static const dlab_model toy = { .abi = DLAB_ABI,
                                .name = "lab.toy",
                                .title = "toy",
                                .doc = "Draws.",
                                .source = "none",
                                .params = param_fields,
                                .metrics = metric_fields,
                                .params_size = sizeof(params),
                                .metrics_size = sizeof(metrics),
                                .outputs = outputs,
                                .run = run };

static params one_point(void)
{
    params p;
    dlab_error err = { 0 };
    assert_int_equal(dlab_params_default(&toy, &p, &err), DLAB_OK);
    return p;
}

static void any_number_of_threads_gives_the_same_rows(void **state)
{
    (void)state;
    params points[7];
    for (int i = 0; i < 7; i++) {
        points[i] = one_point();
        points[i].scale = i + 1;
        points[i].draws = 50 + 300 * (i % 3);
    }
    outcome base = run_rows(&(dlab_sweep){ .threads = 1, .wanted = 1 }, &toy, points, 7, 30);
    assert_int_equal(base.err.code, DLAB_OK);
    int n, m;
    double *expected = all_columns(&base, &n);
    for (unsigned threads = 2; threads <= 8; threads *= 2) {
        outcome o = run_rows(&(dlab_sweep){ .threads = threads, .wanted = 1 }, &toy, points, 7, 30);
        double *got = all_columns(&o, &m);
        assert_memory_equal(expected, got, 210 * (size_t)n * sizeof *got);
        assert_int_equal(o.sweep.buckets.count, base.sweep.buckets.count);
        assert_memory_equal(o.sweep.buckets.rows, base.sweep.buckets.rows,
                            o.sweep.buckets.count * sizeof(uint64_t));
        assert_memory_equal(o.sweep.outputs[0].offsets, base.sweep.outputs[0].offsets,
                            211 * sizeof(uint64_t));
        assert_memory_equal(o.sweep.outputs[0].rows.rows, base.sweep.outputs[0].rows.rows,
                            o.sweep.outputs[0].rows.count * sizeof(event));
        free(got);
        drop(&o);
    }
    free(expected);
    drop(&base);
}

static void common_random_numbers_scale_exactly(void **state)
{
    (void)state;
    params points[2] = { one_point(), one_point() };
    points[1].scale = 2;
    outcome o = run_rows(&(dlab_sweep){ 0 }, &toy, points, 2, 10);
    const metrics *m = o.sweep.metrics;
    for (int rep = 0; rep < 10; rep++) {
        assert_true(m[10 + rep].mean == 2 * m[rep].mean); /* the same draws, twice as long */
        assert_int_equal(m[10 + rep].first_byte, (int64_t)(o.keys[rep] & 255u));
    }
    drop(&o);
}

static void the_lowest_failing_row_is_reported_whatever_the_threads(void **state)
{
    (void)state;
    params p = one_point();
    p.draws = 2000;
    for (unsigned threads = 1; threads <= 4; threads++) {
        size_t expected = SIZE_MAX;
        p.fail_on = (int64_t)(dlab_row_key(1, DLAB_POINT_SHARED, 37) & 255u);
        outcome o = run_rows(&(dlab_sweep){ .threads = threads, .wanted = 1 }, &toy, &p, 1, 200);
        for (size_t i = 200; i-- > 0;)
            if ((int64_t)(o.keys[i] & 255u) == p.fail_on) expected = i;
        assert_int_equal(o.err.code, DLAB_EINVAL);
        assert_int_equal(o.sweep.failed_row, expected);
        assert_non_null(strstr(o.err.text, "toy: key"));
        assert_null(o.sweep.buckets.rows);
        drop(&o);
    }
}

static void a_mask_keeps_the_other_rows(void **state)
{
    (void)state;
    params p = one_point();
    p.fail_on = (int64_t)(dlab_row_key(1, DLAB_POINT_SHARED, 3) & 255u);
    outcome o = run_rows(&(dlab_sweep){ .threads = 3, .mask_errors = true, .wanted = 1 }, &toy, &p, 1, 300);
    assert_int_equal(o.err.code, DLAB_OK);
    const dlab_failure *f = (const dlab_failure *)(const void *)o.sweep.failures.rows;
    const metrics *m = o.sweep.metrics;
    size_t next = 0;
    for (size_t row = 0; row < 300; row++) {
        const bool failing = (int64_t)(o.keys[row] & 255u) == p.fail_on;
        const uint64_t *offset = o.sweep.outputs[0].offsets + row;
        assert_int_equal(offset[1] - offset[0], failing ? 0 : 100);
        if (failing) {
            assert_int_equal(f[next].row, row);
            assert_int_equal(f[next++].error.code, DLAB_EINVAL);
            assert_int_equal(m[row].values.count, 0);
        } else {
            assert_int_equal(m[row].values.count, 100);
        }
    }
    assert_int_equal(o.sweep.failures.count, next);
    assert_true(next >= 1);
    drop(&o);
}

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *cancel_soon(void *arg)
{
    const struct timespec pause = { .tv_nsec = 30000000 };
    (void)nanosleep(&pause, NULL);
    atomic_store(&((dlab_token *)arg)->cancelled, 1);
    return NULL;
}

static void a_token_stops_endless_runs(void **state)
{
    (void)state;
    params p = one_point();
    dlab_token token = { 0 };
    pthread_t other;
    p.endless = true;
    assert_int_equal(pthread_create(&other, NULL, cancel_soon, &token), 0);
    const double start = now_s();
    outcome o = run_rows(&(dlab_sweep){ .threads = 3, .token = &token }, &toy, &p, 1, 20);
    assert_int_equal(o.err.code, DLAB_ESTOP);
    assert_non_null(strstr(o.err.text, "stopped after"));
    assert_true(now_s() - start < 60); /* it ended; how fast is not a test's business */
    (void)pthread_join(other, NULL);
    drop(&o);
}

typedef struct counter {
    size_t polls, stop_at, most_done;
} counter;

static bool count_polls(void *arg, size_t done)
{
    counter *c = arg;
    if (done > c->most_done) c->most_done = done;
    return ++c->polls >= c->stop_at;
}

static void the_host_is_polled_and_may_stop(void **state)
{
    (void)state;
    params p = one_point();
    counter c = { .stop_at = SIZE_MAX };
    const dlab_host host = { count_polls, &c };
    outcome o = run_rows(&(dlab_sweep){ .threads = 1, .host = &host }, &toy, &p, 1, 5000);
    assert_int_equal(o.err.code, DLAB_OK);
    assert_true(c.polls >= 20 && c.most_done > 4000); /* short rows: polled between them */
    drop(&o);
    p.endless = true;
    c = (counter){ .stop_at = 3 };
    o = run_rows(&(dlab_sweep){ .threads = 2, .host = &host }, &toy, &p, 1, 2);
    assert_int_equal(o.err.code, DLAB_ESTOP);
    assert_true(c.polls >= 3);
    drop(&o);
}

static void budgets_hold(void **state)
{
    (void)state;
    params p = one_point();
    p.endless = true;
    outcome o = run_rows(&(dlab_sweep){ .steps_max = 1000000 }, &toy, &p, 1, 2);
    assert_int_equal(o.err.code, DLAB_ELIMIT);
    assert_non_null(strstr(o.err.text, "1000000 steps"));
    drop(&o);
    o = run_rows(&(dlab_sweep){ .wanted = 1, .keep_max = 1 << 20, .mask_errors = true }, &toy, &p, 1, 2);
    assert_int_equal(o.err.code, DLAB_ELIMIT); /* the keep budget is the sweep's: a mask does not hide it */
    assert_non_null(strstr(o.err.text, "keeping 'events'"));
    drop(&o);
    p.endless = false;
    o = run_rows(&(dlab_sweep){ .memory_max = 1000 }, &toy, &p, 1, 1);
    assert_int_equal(o.err.code, DLAB_ELIMIT);
    drop(&o);
}

static void each_allocation_of_a_worker_fails_once(void **state)
{
    (void)state;
    const params p = one_point();
    dlab_sweep like = { .threads = 1, .wanted = 1 };
    int failures = 0;
    for (like.fail_at = 1; like.fail_at < 100; like.fail_at++) {
        outcome o = run_rows(&like, &toy, &p, 1, 2);
        if (o.err.code == DLAB_ENOMEM) failures++;
        else assert_int_equal(o.err.code, DLAB_OK);
        drop(&o);
    }
    assert_true(failures >= 4);
}

static void empty_sweeps_are_fine(void **state)
{
    (void)state;
    outcome o = run_rows(&(dlab_sweep){ .wanted = 1 }, &toy, NULL, 0, 1);
    assert_int_equal(o.err.code, DLAB_OK);
    assert_int_equal(o.sweep.outputs[0].offsets[0], 0);
    drop(&o);
}

static const dlab_column *column(const dlab_layout *layout, const char *name)
{
    static dlab_column columns[DLAB_COLUMNS_MAX];
    const int n = dlab_columns(layout, columns, NULL);
    for (int c = 0; c < n; c++)
        if (strcmp(columns[c].name, name) == 0) return &columns[c];
    fail_msg("no column %s", name);
    return NULL;
}

/* Unequal runs show which average is taken. */
static void merging_goes_by_type(void **state)
{
    (void)state;
    params points[2] = { one_point(), one_point() };
    points[0].draws = 10;
    points[1].draws = 990;
    points[1].scale = 5;
    outcome o = run_rows(&(dlab_sweep){ 0 }, &toy, points, 2, 1);
    dlab_layout layout;
    dlab_interval v;
    const metrics *m = o.sweep.metrics;
    const void *rows[2] = { &m[0], &m[1] };
    assert_int_equal(dlab_layout_init(&layout, toy.metrics, NULL), DLAB_OK);
    assert_int_equal(dlab_column_merge(&layout, column(&layout, "mean"), rows, 2, cells(&o), 0.95, &v, NULL),
                     0);
    assert_true(fabs(v.mean - (m[0].mean + m[1].mean) / 2) < 1e-12);
    assert_int_equal(dlab_column_merge(&layout, column(&layout, "above"), rows, 2, cells(&o), 0.95, &v, NULL),
                     0);
    assert_true(fabs(v.mean - (m[0].above.num + m[1].above.num) / 1000) < 1e-12);
    assert_int_equal(
        dlab_column_merge(&layout, column(&layout, "values_mean"), rows, 2, cells(&o), 0.95, &v, NULL), 0);
    const double together =
        (dlab_histogram_sum(&m[0].values) + dlab_histogram_sum(&m[1].values)) / 1000 * 1e-9;
    assert_true(fabs(v.mean - together) < 1e-9 * together);
    /* a quantile of all values together: the small run hardly moves it, an average would halve it */
    assert_int_equal(
        dlab_column_merge(&layout, column(&layout, "values_p50"), rows, 2, cells(&o), 0.95, &v, NULL), 0);
    assert_true(v.mean > 5 * 0.6931 * 0.85 && v.mean < 5 * 0.6931 * 1.1);
    assert_true(v.low < v.mean && v.mean < v.high);
    /* one repetition: only the estimate knows its error */
    assert_int_equal(dlab_column_merge(&layout, column(&layout, "mean"), rows, 1, cells(&o), 0.95, &v, NULL),
                     0);
    assert_true(isnan(v.low));
    assert_int_equal(
        dlab_column_merge(&layout, column(&layout, "estimate"), rows, 1, cells(&o), 0.95, &v, NULL), 0);
    assert_true(fabs(v.high - m[0].mean - 0.1 * 3.182446305284263) < 1e-9); /* t, 3 degrees of freedom */
    drop(&o);
}

static void series_are_held_on_a_grid(void **state)
{
    (void)state;
    params p = one_point();
    p.draws = 3; /* values 1, 2, 3 from times 0, 1, 2 */
    outcome o = run_rows(&(dlab_sweep){ .wanted = 1 }, &toy, &p, 1, 2);
    const double times[] = { -1, 0, 0.5, 1, 1.9, 2, 50 };
    double got[14];
    assert_int_equal(dlab_series_resample(&outputs[0], &o.sweep.outputs[0], 2, 1, times, 7, got, NULL),
                     DLAB_OK);
    assert_true(isnan(got[0]) && isnan(got[7]));
    const double expected[] = { 1, 1, 2, 2, 3, 3 };
    assert_memory_equal(got + 1, expected, sizeof expected);
    const double backwards[] = { 1, 1 };
    dlab_error err = { 0 };
    assert_int_equal(dlab_series_resample(&outputs[0], &o.sweep.outputs[0], 2, 1, backwards, 2, got, &err),
                     DLAB_ERANGE);
    drop(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_threads_gives_the_same_rows),
        cmocka_unit_test(common_random_numbers_scale_exactly),
        cmocka_unit_test(the_lowest_failing_row_is_reported_whatever_the_threads),
        cmocka_unit_test(a_mask_keeps_the_other_rows),
        cmocka_unit_test(a_token_stops_endless_runs),
        cmocka_unit_test(the_host_is_polled_and_may_stop),
        cmocka_unit_test(budgets_hold),
        cmocka_unit_test(each_allocation_of_a_worker_fails_once),
        cmocka_unit_test(empty_sweeps_are_fine),
        cmocka_unit_test(merging_goes_by_type),
        cmocka_unit_test(series_are_held_on_a_grid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
