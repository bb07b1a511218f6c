/* Rows by name and text: what dlab_set reads dlab_get writes, a mistake changes nothing and names what is
 * near, and no text, however hostile, does worse than that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <distlab/models.h>
#include <distlab/row.h>
#include <stdio.h>

#include "walk.h"

enum { TEXT = 4096 };
typedef dlab_queueing_station_params station;
static const dlab_model *const model = &dlab_queueing_station;

static station defaults(void)
{
    station p;
    assert_int_equal(dlab_params_default(model, &p, NULL), DLAB_OK);
    return p;
}

static void says(const dlab_error *err, const char *what)
{
    if (strstr(err->text, what) == NULL) fail_msg("'%s' lacks '%s'", err->text, what);
}

static void text_and_back(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        { "arrival_rate", "2k/s", "2000" },
        { "deadline", "none", "none" },
        { "deadline", "250ms", "0.25" },
        { "capacity", "7", "7" },
        { "capacity", "None", "none" },
        { "drop_late", "yes", "true" },
        { "load", "partly_open", "partly_open" },
        { "service", "erlang(k=3, mean=9ms)", "erlang(3, 0.0089999999999999993)" },
        { "patience", "none", "None" },
        { "classes", "none", "none" },
        { "classes", "share=0.9, service=2ms; share=0.1",
          "share=0.90000000000000002, "
          "service=constant(0.002); share=0.10000000000000001" },
    };
    station p = defaults();
    dlab_tables tables = { 0 };
    char text[TEXT], again[TEXT];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dlab_error err = { 0 };
        if (dlab_set(model, &p, cases[i][0], cases[i][1], &tables, &err)) fail_msg("%s", err.text);
        const int n = dlab_get(model, &p, cases[i][0], &tables, text, sizeof text, &err);
        assert_int_equal(n, (int)strlen(text));
        if (strcmp(cases[i][0], "service") != 0 && strcmp(cases[i][0], "patience") != 0 && i < 10)
            assert_string_equal(text, cases[i][2]);
        assert_int_equal(dlab_set(model, &p, cases[i][0], text, &tables, &err), DLAB_OK);
        (void)dlab_get(model, &p, cases[i][0], &tables, again, sizeof again, &err);
        assert_string_equal(text, again);
        char little[5]; /* what does not fit is left out, its length is not */
        assert_int_equal(dlab_get(model, &p, cases[i][0], &tables, little, sizeof little, &err), n);
        assert_memory_equal(little, text, n < 4 ? (size_t)n + 1 : 4);
    }
    dlab_tables_free(&tables);
    assert_int_equal(tables.memory.used, 0);
}

/* The same row by struct and by text runs the same. */
static void text_is_the_struct(void **state)
{
    (void)state;
    static const double samples[] = { 0.03, 0.01, 0.02 };
    station by_text = defaults(), by_struct = defaults();
    dlab_tables tables = { 0 };
    dlab_error err = { 0 };
    (void)dlab_set_all(model, &by_text,
                       "arrival_rate=40, jobs=2000, discipline=priority_preemptive, service=10ms, "
                       "classes=share=0.25, method=events",
                       &tables, &err);
    assert_int_equal(err.code, DLAB_OK);
    (void)dlab_set(model, &by_text, "classes", "share=0.25; share=0.75, service=mixture(1: 5ms, 1: 15ms);",
                   &tables, &err);
    assert_int_equal(err.code, DLAB_OK);
    by_struct.arrival_rate = 40;
    by_struct.jobs = 2000;
    by_struct.method = DLAB_QUEUEING_STATION_METHOD_EVENTS;
    by_struct.discipline = DLAB_QUEUEING_STATION_DISCIPLINE_PRIORITY_PREEMPTIVE;
    by_struct.service = (dlab_distribution){ .kind = DLAB_DIST_CONSTANT, .p = { 0.01 } };
    const dlab_queueing_station_classes_cell rows[] = {
        { .share = 0.25, .service = { .kind = -1 } },
        { .share = 0.75, .service = { .kind = DLAB_DIST_MIXTURE, .first = 0, .count = 2 } },
    };
    (void)dlab_set_rows(model, &by_struct, "classes", (dlab_rows){ rows, 2, sizeof rows[0] }, &tables, &err);
    if (err.code != DLAB_OK) fail_msg("%s", err.text);
    station both[2] = { by_text, by_struct };
    const dlab_sweep like = { .pool = dlab_tables_pool(&tables) };
    outcome o = run_rows(&like, model, both, 2, 1);
    if (o.err.code != DLAB_OK) fail_msg("%s", o.err.text);
    int n;
    double *columns = all_columns(&o, &n);
    for (int i = 0; i < n; i++)
        assert_true(columns[i] == columns[n + i] || (isnan(columns[i]) && isnan(columns[n + i])));
    free(columns);
    drop(&o);
    (void)dlab_set_rows(model, &by_text, "service", (dlab_rows){ samples, 3, sizeof samples[0] }, &tables,
                        &err);
    const dlab_pool pool = dlab_tables_pool(&tables);
    assert_true(fabs(dlab_distribution_mean(&by_text.service, &pool) - 0.02) < 1e-15);
    assert_true(dlab_distribution_quantile(&by_text.service, &pool, 0.3) == 0.01); /* sorted */
    dlab_tables_free(&tables);
}

static void mistakes_change_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *says;
    } cases[] = {
        { "sevrers", "2", "queueing.station has no 'sevrers'; did you mean 'servers'?" },
        { "servers", "0", "servers = 0 is outside [1, 10000]" },
        { "load", "opne", "did you mean 'open'?" },
        { "service", "exponental(5ms)", "exponential" },
        { "service", "exponential(-5ms)", "service" },
        { "service", "none", "service" },
        { "classes", "shaer=0.5", "classes, row 0: classes has no 'shaer'; did you mean 'share'?" },
        { "classes", "share=0.5; share=-1", "classes, row 1: share = -1 is outside" },
        { "classes", "share", "name=value" },
        { "classes", "share=1, service=mixture(1: 5ms, x)", "classes, row 0: service" },
        { "classes", "; share=1", "name=value" },
    };
    dlab_tables tables = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        station p = defaults();
        const station before = p;
        dlab_error err = { 0 };
        assert_int_not_equal(dlab_set(model, &p, cases[i].name, cases[i].text, &tables, &err), DLAB_OK);
        says(&err, cases[i].says);
        assert_memory_equal(&before, &p, sizeof p);
    }
    station p = defaults();
    dlab_error err = { 0 };
    assert_int_equal(dlab_set(model, &p, "classes", "share=1", NULL, &err), DLAB_EINVAL);
    says(&err, "needs a dlab_tables");
    err = (dlab_error){ 0 };
    assert_int_not_equal(dlab_set(model, &p, "service", "mixture(1: 5ms, 2: 1ms)", NULL, &err), DLAB_OK);
    says(&err, "service");
    err = (dlab_error){ 0 };
    assert_int_equal(dlab_set_rows(model, &p, "classes", (dlab_rows){ &p, 1, 8 }, &tables, &err), DLAB_ETYPE);
    says(&err, "classes takes rows of 64 bytes, not of 8");
    err = (dlab_error){ 0 };
    assert_int_equal(dlab_set_rows(model, &p, "jobs", (dlab_rows){ 0 }, &tables, &err), DLAB_ETYPE);
    err = (dlab_error){ 0 };
    assert_int_equal(dlab_set_all(model, &p, "jobs=7, jobz=8", &tables, &err), DLAB_ENAME);
    assert_int_equal(p.jobs, 7);
    char text[8];
    assert_int_equal(dlab_get(model, &p, "jobz", &tables, text, sizeof text, NULL), -1);
    dlab_tables_free(&tables);
    assert_int_equal(tables.memory.used, 0);
}

/* Valid texts with bytes changed, cut out, doubled and swapped between each other, and plain noise. */
static size_t hostile(dlab_rng *rng, char *text)
{
    static const char *const seeds[] = {
        "10ms",
        "1e308",
        "-inf",
        "lognormal(median=5ms, p99=80ms)",
        "mixture(0.9: exponential(5ms), 0.1: 3s) + 1ms",
        "share=0.9, service=exponential(5ms); share=0.1",
        "none",
        "fifo",
        "true",
        "empirical(1, 0, 4294967295)",
        "share=1, service=empirical(0, 0, 3)",
        "((((((((((((((((((((",
        "share=;share=;share=",
        "1k/s|2k/s",
    };
    static const char bytes[] = "(),;=:+-|. e%\x01\xff\xc2\xb5"
                                "0919nsmhd";
    size_t n = 0;
    if (dlab_rng_below(rng, 3) == 0) { /* one of them with another digit */
        strcpy(text, seeds[dlab_rng_below(rng, sizeof seeds / sizeof seeds[0])]);
        n = strcspn(text, "0123456789");
        if (text[n] != '\0') text[n] = (char)('0' + dlab_rng_below(rng, 10));
        return strlen(text);
    }
    for (uint64_t pieces = 1 + dlab_rng_below(rng, 3); pieces > 0; pieces--) {
        const char *seed = seeds[dlab_rng_below(rng, sizeof seeds / sizeof seeds[0])];
        const size_t length = strlen(seed), from = (size_t)dlab_rng_below(rng, length);
        const size_t take =
            dlab_rng_below(rng, 2) ? length - from : 1 + (size_t)dlab_rng_below(rng, length - from);
        memcpy(text + n, seed + from, take);
        n += take;
    }
    for (uint64_t changes = dlab_rng_below(rng, 5); changes > 0; changes--)
        text[dlab_rng_below(rng, n)] = bytes[dlab_rng_below(rng, sizeof bytes - 1)];
    if (dlab_rng_below(rng, 64) == 0) { /* very long */
        while (n * 2 < 65536) memcpy(text + n, text, n), n *= 2;
    }
    text[n] = '\0';
    return n;
}

static void hostile_text_is_refused_or_reads_back(void **state)
{
    (void)state;
    dlab_layout layout;
    dlab_rng rng;
    dlab_tables tables = { 0 };
    char *text = malloc(65537), *out = malloc(1 << 22), *again = malloc(1 << 22);
    size_t accepted = 0;
    dlab_rng_open(&rng, 5, DLAB_PURPOSE_SAMPLE, 0);
    assert_int_equal(dlab_layout_init(&layout, model->params, NULL), DLAB_OK);
    for (int i = 0; i < 30000; i++) {
        station p = defaults();
        const station before = p;
        dlab_error err = { 0 };
        const char *name = layout.names[dlab_rng_below(&rng, (uint64_t)layout.count)];
        if (dlab_rng_below(&rng, 3) == 0) name = dlab_rng_below(&rng, 2) ? "classes" : "service";
        char *exact = malloc(hostile(&rng, text) + 1); /* so that reading past the end is seen */
        strcpy(exact, text);
        const int code = dlab_set(model, &p, name, exact, &tables, &err);
        assert_int_equal(code, err.code);
        if (code != DLAB_OK) {
            assert_true(err.text[0] != '\0');
            assert_int_not_equal(code, DLAB_EBROKEN);
            assert_memory_equal(&before, &p, sizeof p);
        } else if (dlab_get(model, &p, name, &tables, out, 1 << 22, &err) >= 0) {
            accepted++;
            if (dlab_set(model, &p, name, out, &tables, &err)) fail_msg("%s=%s: %s", name, out, err.text);
            assert_true(dlab_get(model, &p, name, &tables, again, 1 << 22, &err) >= 0);
            assert_string_equal(out, again);
        } else {
            says(&err, name); /* cells that are checked when the run reads them */
        }
        if (i % 100 == 99) dlab_tables_free(&tables);
        err = (dlab_error){ 0 };
        (void)dlab_set_all(model, &p, exact, &tables, &err);
        free(exact);
    }
    assert_true(accepted > 1000);
    dlab_tables_free(&tables);
    assert_int_equal(tables.memory.used, 0);
    free(text);
    free(out);
    free(again);
}

static void every_allocation_fails_once(void **state)
{
    (void)state;
    int failures = 0;
    for (uint64_t n = 1;; n++) {
        station p = defaults();
        dlab_tables tables = { .memory = { .fail_at = n } };
        dlab_error err = { 0 };
        const double samples[] = { 1, 2 };
        (void)dlab_set(model, &p, "service", "mixture(1: 5ms, 2: 1ms)", &tables, &err);
        if (err.code == DLAB_OK)
            (void)dlab_set(model, &p, "classes", "share=1; share=2, service=mixture(1: 1ms, 2: 2ms)", &tables,
                           &err);
        if (err.code == DLAB_OK)
            (void)dlab_set_rows(model, &p, "think_time", (dlab_rows){ samples, 2, 8 }, &tables, &err);
        const int code = err.code;
        if (code != DLAB_OK) assert_int_equal(code, DLAB_ENOMEM);
        dlab_tables_free(&tables);
        assert_int_equal(tables.memory.used, 0);
        if (code == DLAB_OK) break;
        failures++;
    }
    assert_true(failures >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_back),
        cmocka_unit_test(text_is_the_struct),
        cmocka_unit_test(mistakes_change_nothing),
        cmocka_unit_test(hostile_text_is_refused_or_reads_back),
        cmocka_unit_test(every_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
