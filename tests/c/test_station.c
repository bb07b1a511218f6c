/* The station against a second witness that shares nothing with it but the draws: for each arrival, look
 * at the departures of all jobs so far. K of them ahead: lost. Else the job starts when fewer than c are
 * still there, at the c-th largest departure. Times must agree to the last nanosecond, metrics with what
 * the jobs say, and the series with counting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "walk.h"

extern const dlab_model dlab_queueing_station;

enum { JOBS = 1500, WARMUP = 150 };

/* As the model writes them. */
typedef struct job_row {
    int64_t job, priority;
    double arrival, start, departure;
    int32_t outcome; /* 0 served, 1 lost */
} job_row;

typedef struct change_row {
    double time;
    int64_t queue_length, in_system;
} change_row;

typedef struct witness {
    int64_t arrival[JOBS], start[JOBS], departure[JOBS]; /* start < 0: lost */
} witness;

static void set(void *params, const char *name, const char *text)
{
    static dlab_layout layout;
    dlab_error err = { 0 };
    dlab_memory memory = { 0 };
    dlab_buffer parts = { .row_size = sizeof(dlab_part) };
    assert_int_equal(dlab_layout_init(&layout, dlab_queueing_station.params, &err), DLAB_OK);
    const dlab_field *f = dlab_layout_find(&layout, name, "station", &err);
    if (f == NULL || dlab_field_set_text(f, params, text, &parts, &memory, &err)) fail_msg("%s", err.text);
}

static void *station(const char *const (*settings)[2])
{
    dlab_error err = { 0 };
    void *params = calloc(1, dlab_queueing_station.params_size);
    assert_int_equal(dlab_params_default(&dlab_queueing_station, params, &err), DLAB_OK);
    set(params, "jobs", "1500");
    for (; (*settings)[0] != NULL; settings++) set(params, (*settings)[0], (*settings)[1]);
    return params;
}

static int largest_first(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

static void simulate(witness *w, const char *gaps, double rate, const char *works, int servers, int capacity)
{
    dlab_distribution law;
    dlab_sampler gap, work;
    dlab_rng gap_rng, work_rng;
    static int64_t sorted[JOBS];
    int accepted = 0;
    int64_t now = 0;
    const uint64_t key = dlab_row_key(1, DLAB_POINT_SHARED, 0);
    assert_int_equal(dlab_distribution_parse(gaps, "s", NULL, NULL, &law, NULL), DLAB_OK);
    assert_int_equal(dlab_sampler_init(&gap, &law, NULL, 1 / rate, NULL, NULL), DLAB_OK);
    assert_int_equal(dlab_distribution_parse(works, "s", NULL, NULL, &law, NULL), DLAB_OK);
    assert_int_equal(dlab_sampler_init(&work, &law, NULL, 0, NULL, NULL), DLAB_OK);
    dlab_rng_open(&gap_rng, key, DLAB_PURPOSE_ARRIVAL, 0);
    dlab_rng_open(&work_rng, key, DLAB_PURPOSE_SERVICE, 0);
    for (int i = 0; i < JOBS; i++) {
        const int64_t service = dlab_sample_ns(&work, &work_rng);
        int present = 0;
        now += dlab_sample_ns(&gap, &gap_rng);
        w->arrival[i] = now;
        qsort(sorted, (size_t)accepted, sizeof sorted[0], largest_first);
        while (present < accepted && sorted[present] > now) present++;
        if (capacity > 0 && present >= capacity) {
            w->start[i] = -1;
            continue;
        }
        w->start[i] = present >= servers ? sorted[servers - 1] : now;
        w->departure[i] = sorted[accepted++] = w->start[i] + service;
    }
}

static void check_jobs(const witness *w, const outcome *o)
{
    const job_row *rows = (const job_row *)(const void *)o->sweep.outputs[0].rows.rows;
    assert_int_equal(o->sweep.outputs[0].rows.count, JOBS);
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(rows[i].job, i);
        assert_true(rows[i].arrival == (double)w->arrival[i] * 1e-9);
        assert_int_equal(rows[i].outcome, w->start[i] < 0);
        if (rows[i].outcome) continue;
        assert_true(rows[i].start == (double)w->start[i] * 1e-9);
        assert_true(rows[i].departure == (double)w->departure[i] * 1e-9);
    }
}

/* The series at each of its times, by counting jobs. */
static void check_series(const witness *w, const outcome *o)
{
    const change_row *rows = (const change_row *)(const void *)o->sweep.outputs[1].rows.rows;
    const size_t n = o->sweep.outputs[1].rows.count;
    assert_true(n > JOBS / 4);
    for (size_t k = 0; k < n; k += 7) {
        int queue = 0, system = 0;
        for (int i = 0; i < JOBS; i++) {
            if (w->start[i] < 0 || (double)w->arrival[i] * 1e-9 > rows[k].time) continue;
            queue += (double)w->start[i] * 1e-9 > rows[k].time;
            system += (double)w->departure[i] * 1e-9 > rows[k].time;
        }
        assert_int_equal(rows[k].queue_length, queue);
        assert_int_equal(rows[k].in_system, system);
        if (k > 0) assert_true(rows[k].time > rows[k - 1].time);
    }
    assert_int_equal(rows[n - 1].in_system, 0);
}

static double value(const outcome *o, const char *name)
{
    static dlab_layout layout;
    static dlab_column columns[DLAB_COLUMNS_MAX];
    assert_int_equal(dlab_layout_init(&layout, dlab_queueing_station.metrics, NULL), DLAB_OK);
    const int n = dlab_columns(&layout, columns, NULL);
    for (int c = 0; c < n; c++)
        if (strcmp(columns[c].name, name) == 0)
            return dlab_column_value(&layout, &columns[c], metrics_row(o, 0), cells(o));
    fail_msg("no column %s", name);
    return 0;
}

static void check_close(double got, double expected)
{
    if (!(fabs(got - expected) <= 1e-11 * fabs(expected))) fail_msg("%.17g is not %.17g", got, expected);
}

static void check_metrics(const witness *w, const outcome *o, int servers, double deadline)
{
    const int64_t from = w->arrival[WARMUP - 1], until = w->arrival[JOBS - 1];
    double waits = 0, sojourns = 0, busy = 0, first = -1, last = 0;
    int served = 0, waited = 0, in_time = 0;
    for (int i = 0; i < JOBS; i++) {
        if (w->start[i] < 0) continue;
        const int64_t begin = w->start[i] > from ? w->start[i] : from;
        const int64_t end = w->departure[i] < until ? w->departure[i] : until;
        if (end > begin) busy += (double)(end - begin) * 1e-9;
        if (i < WARMUP) continue;
        last = (double)w->departure[i] * 1e-9;
        if (served++ == 0) first = last;
        waited += w->start[i] > w->arrival[i];
        waits += (double)(w->start[i] - w->arrival[i]) * 1e-9;
        sojourns += (double)(w->departure[i] - w->arrival[i]) * 1e-9;
        in_time += (double)(w->departure[i] - w->arrival[i]) * 1e-9 <= deadline;
    }
    const double throughput = (served - 1) / (last - first);
    check_close(value(o, "wait"), waits / served);
    check_close(value(o, "latency_mean"), sojourns / served);
    check_close(value(o, "wait_probability"), (double)waited / served);
    check_close(value(o, "loss"), (double)(JOBS - WARMUP - served) / (JOBS - WARMUP));
    check_close(value(o, "success_ratio"), (double)in_time / (JOBS - WARMUP));
    check_close(value(o, "throughput"), throughput);
    check_close(value(o, "goodput"), throughput * in_time / served);
    check_close(value(o, "utilisation"), busy / ((double)(until - from) * 1e-9) / servers);
    check_close(value(o, "offered"), (JOBS - WARMUP) / ((double)(until - from) * 1e-9));
    check_close(value(o, "queue_length_mean"), waits / ((double)(until - from) * 1e-9));
    check_close(value(o, "in_system_mean"), sojourns / ((double)(until - from) * 1e-9));
}

static void the_recursion_is_the_station(void **state)
{
    static const struct {
        const char *gaps, *works, *rate, *servers, *capacity;
        double deadline;
    } cases[] = {
        { "exponential(1)", "exponential(10ms)", "95", "1", "none", INFINITY },
        { "exponential(1)", "exponential(10ms)", "95", "1", "5", 0.03 },
        { "exponential(1)", "exponential(10ms)", "300", "1", "1", INFINITY },
        { "constant(1)", "lognormal(median=5ms, sigma=1.5)", "400", "4", "none", 0.02 },
        { "gamma(mean=1, scv=4)", "constant(10ms)", "290", "3", "3", INFINITY },
        { "exponential(1)", "hyperexponential(mean=10ms, scv=9)", "900", "8", "20", 0.05 },
        { "uniform(low=0, high=2)", "pareto(alpha=1.5, low=1ms)", "250", "2", "50", 0.01 },
    };
    witness *w = calloc(1, sizeof *w);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char deadline[40];
        (void)snprintf(deadline, sizeof deadline, isinf(cases[i].deadline) ? "none" : "%.17gs",
                       cases[i].deadline);
        const char *const settings[][2] = { { "interarrival", cases[i].gaps },
                                            { "service", cases[i].works },
                                            { "arrival_rate", cases[i].rate },
                                            { "servers", cases[i].servers },
                                            { "capacity", cases[i].capacity },
                                            { "deadline", deadline },
                                            { NULL, NULL } };
        void *params = station(settings);
        const int servers = atoi(cases[i].servers);
        simulate(w, cases[i].gaps, atof(cases[i].rate), cases[i].works, servers, atoi(cases[i].capacity));
        outcome told = run_rows(&(dlab_sweep){ .wanted = 3 }, &dlab_queueing_station, params, 1, 1);
        outcome quiet = run_rows(&(dlab_sweep){ .wanted = 0 }, &dlab_queueing_station, params, 1, 1);
        if (told.err.code) fail_msg("%s", told.err.text);
        check_jobs(w, &told);
        check_series(w, &told);
        check_metrics(w, &told, servers, cases[i].deadline);
        int n;
        double *a = all_columns(&told, &n), *b = all_columns(&quiet, &n);
        assert_memory_equal(a, b, (size_t)n * sizeof *a); /* nobody listening changes nothing */
        set(params, "method", "events");
        outcome events = run_rows(&(dlab_sweep){ .wanted = 0 }, &dlab_queueing_station, params, 1, 1);
        double *c = all_columns(&events, &n);
        assert_memory_equal(a, c, (size_t)n * sizeof *a); /* event by event: the same to the last bit */
        free(a);
        free(b);
        free(c);
        drop(&told);
        drop(&quiet);
        drop(&events);
        free(params);
    }
    free(w);
}

/* Draws so long that the short loop's sums would not fit take the careful way and end in a named error. */
static void time_has_an_end(void **state)
{
    (void)state;
    const char *const settings[][2] = {
        { "service", "1e6" }, { "arrival_rate", "1e-6" }, { "jobs", "100000" }, { NULL, NULL }
    };
    void *params = station(settings);
    outcome o = run_rows(&(dlab_sweep){ 0 }, &dlab_queueing_station, params, 1, 1);
    assert_int_equal(o.err.code, DLAB_ELIMIT);
    assert_non_null(strstr(o.err.text, "146 years"));
    drop(&o);
    set(params, "jobs", "4000"); /* 4000 jobs a million seconds long: 126 years fit */
    o = run_rows(&(dlab_sweep){ 0 }, &dlab_queueing_station, params, 1, 1);
    if (o.err.code) fail_msg("%s", o.err.text);
    assert_true(value(&o, "utilisation") <= 1 && value(&o, "latency_mean") >= 1e6);
    drop(&o);
    set(params, "method", "events");
    for (uint32_t wanted = 0; wanted < 2; wanted++) { /* the short loop of events, and the long one */
        set(params, "jobs", "100000");
        o = run_rows(&(dlab_sweep){ .wanted = wanted }, &dlab_queueing_station, params, 1, 1);
        assert_int_equal(o.err.code, DLAB_ELIMIT);
        assert_non_null(strstr(o.err.text, "146 years"));
        drop(&o);
    }
    free(params);
}

static void warmup_is_cut_where_it_should_be(void **state)
{
    (void)state;
    const char *const settings[][2] = { { "warmup_fraction", "0.5" },
                                        { "warmup_jobs", "1000" },
                                        { NULL, NULL } };
    void *params = station(settings);
    outcome o = run_rows(&(dlab_sweep){ .wanted = 1 }, &dlab_queueing_station, params, 1, 1);
    const job_row *rows = (const job_row *)(const void *)o.sweep.outputs[0].rows.rows;
    double sum = 0;
    assert_int_equal(o.sweep.outputs[0].rows.count, 2500);
    for (int i = 1750; i < 2500; i++) sum += rows[i].departure - rows[i].arrival;
    assert_true(fabs(value(&o, "latency_mean") - sum / 750) < 1e-9);
    drop(&o);
    free(params);
}

/* Without tables and limits, events run in a loop of their own; a capacity never reached or a listener
 * takes the loop that knows everything. Warm-ups, batches, a line that outgrows its ring, many servers. */
static void the_short_loop_of_events_is_the_long_one(void **state)
{
    static const char *const cases[][4] = { /* rate, servers, warmup_jobs, jobs */
                                            { "95", "1", "0", "1500" },      { "95", "1", "700", "1500" },
                                            { "400", "1", "0", "3000" },     { "290", "3", "1", "1000" },
                                            { "19000", "200", "9", "2000" }, { "90", "1", "0", "1" },
                                            { "90", "2", "1", "63" },        { "50", "1", "0", "64" }
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const settings[][2] = { { "arrival_rate", cases[i][0] },
                                            { "servers", cases[i][1] },
                                            { "warmup_jobs", cases[i][2] },
                                            { "jobs", cases[i][3] },
                                            { "warmup_fraction", "0" },
                                            { "method", "events" },
                                            { NULL, NULL } };
        void *params = station(settings);
        int n;
        outcome quick = run_rows(&(dlab_sweep){ .wanted = 0 }, &dlab_queueing_station, params, 1, 1);
        outcome told = run_rows(&(dlab_sweep){ .wanted = 3 }, &dlab_queueing_station, params, 1, 1);
        set(params, "capacity", "1000000");
        outcome roomy = run_rows(&(dlab_sweep){ .wanted = 0 }, &dlab_queueing_station, params, 1, 1);
        if (quick.err.code) fail_msg("%s", quick.err.text);
        double *a = all_columns(&quick, &n), *b = all_columns(&told, &n), *c = all_columns(&roomy, &n);
        assert_memory_equal(a, b, (size_t)n * sizeof *a);
        assert_memory_equal(a, c, (size_t)n * sizeof *a);
        free(a);
        free(b);
        free(c);
        drop(&quick);
        drop(&told);
        drop(&roomy);
        free(params);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_recursion_is_the_station),
        cmocka_unit_test(the_short_loop_of_events_is_the_long_one),
        cmocka_unit_test(time_has_an_end),
        cmocka_unit_test(warmup_is_cut_where_it_should_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
