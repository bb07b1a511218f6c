/* Fields: every type from text and back, every wrong value with its one clear error, components spliced
 * in, blank cells of tables filled from the parameters of the same name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "walk.h"

typedef struct backoff {
    double base;
    int64_t attempts;
} backoff;

static const dlab_field backoff_fields[] = {
    DLAB_FIELD(backoff, base, .unit = "s", .dflt = 0.1, .min = 1e-3, .max = 10, .doc = "First pause."),
    DLAB_FIELD(backoff, attempts, .dflt = 3, .min = 1, .max = 100, .doc = "Tries."),
    DLAB_END,
};

static const char *const colours[] = { "red", "green", "blue", NULL };

typedef struct edge {
    double delay;
    int64_t width;
    int32_t colour;
    dlab_distribution law;
} edge;

static const dlab_field edge_columns[] = {
    DLAB_FIELD(edge, delay, .unit = "s", .min = 0, .max = 10, .doc = "Delay."),
    DLAB_FIELD(edge, width, DLAB_OFF(-1), .min = 0, .max = 9, .doc = "Width."),
    DLAB_FIELD(edge, colour, .choices = colours, .doc = "Colour."),
    DLAB_FIELD(edge, law, .unit = "s", .min = 0, .max = 10, .doc = "Law."),
    DLAB_END,
};
static const dlab_table edges_table = {
    .name = "edges", .doc = "Links.", .columns = edge_columns, .row_size = sizeof(edge)
};

typedef struct params {
    double delay, deadline;
    int64_t servers;
    bool eager;
    int32_t colour;
    uint32_t paints;
    dlab_distribution law, hedge;
    dlab_ref edges;
    backoff client, server;
} params;

static const dlab_field fields[] = {
    DLAB_FIELD(params, delay, .unit = "s", .display = "ms", .dflt = 0.01, .min = 1e-6, .max = 10, .low = 1e-3,
               .high = 1, .group = "Net", .doc = "Delay."),
    DLAB_FIELD(params, deadline, .unit = "s", .dflt = INFINITY, DLAB_OFF(INFINITY), .min = 1e-3, .max = 60,
               .doc = "Deadline."),
    DLAB_FIELD(params, servers, .dflt = 2, .min = 1, .max = 64, .group = "Nodes", .doc = "Servers."),
    DLAB_FIELD(params, eager, .dflt = 1, .doc = "Eager."),
    DLAB_FIELD(params, colour, .choices = colours, .dflt = 1, .doc = "Colour."),
    DLAB_FIELD(params, paints, .choices = colours, .dflt = 5, .doc = "Paints."),
    DLAB_FIELD(params, law, .unit = "s", .text = "exponential(10ms)", .min = 1e-6, .max = 10, .doc = "Law."),
    DLAB_FIELD(params, hedge, .unit = "s", .min = 1e-6, .max = 10, .optional = true, .doc = "Hedge."),
    DLAB_FIELD(params, edges, .table = &edges_table, .doc = "Edges."),
    DLAB_GROUP(params, client, backoff_fields, .group = "Retry"),
    DLAB_GROUP(params, server, backoff_fields, .prefix = "server_"),
    DLAB_END,
};

typedef struct metrics {
    double delay_sum;
    int64_t width_sum, off_widths;
    double law_sum;
} metrics;

static const dlab_field metric_fields[] = {
    DLAB_FIELD(metrics, delay_sum, .max = INFINITY, .doc = "Sum."),
    DLAB_FIELD(metrics, width_sum, .max = INFINITY, .doc = "Sum."),
    DLAB_FIELD(metrics, off_widths, .max = INFINITY, .doc = "Count."),
    DLAB_FIELD(metrics, law_sum, .max = INFINITY, .doc = "Sum of means."),
    DLAB_END,
};

static int run(const void *params_, void *metrics_, dlab_ctx *ctx)
{
    const params *p = params_;
    metrics *out = metrics_;
    size_t n;
    const edge *e = dlab_table_rows(ctx, &edges_table, p->edges, &n);
    for (size_t i = 0; i < n; i++) {
        out->delay_sum += e[i].delay;
        if (dlab_field_is_off(&edge_columns[1], &e[i])) out->off_widths++;
        else out->width_sum += e[i].width;
        out->law_sum += dlab_distribution_mean(&e[i].law, ctx->pool);
    }
    return ctx->err.code;
}

static int check(const void *params_, const dlab_pool *pool, dlab_error *err)
{
    const params *p = params_;
    (void)pool;
    return p->delay > p->deadline ? dlab_fail(err, DLAB_EINVAL, "delay exceeds deadline") : DLAB_OK;
}

static const dlab_model toy = { .abi = DLAB_ABI,
                                .name = "lab.toy",
                                .title = "toy",
                                .doc = "Adds up.",
                                .source = "none",
                                .params = fields,
                                .metrics = metric_fields,
                                .params_size = sizeof(params),
                                .metrics_size = sizeof(metrics),
                                .check = check,
                                .run = run };

typedef struct fixture {
    dlab_layout layout;
    params p;
    dlab_memory memory;
    dlab_buffer parts;
    dlab_error err;
} fixture;

static fixture *open_fixture(void)
{
    fixture *f = calloc(1, sizeof *f);
    f->parts.row_size = sizeof(dlab_part);
    assert_int_equal(dlab_layout_init(&f->layout, fields, &f->err), DLAB_OK);
    assert_int_equal(dlab_params_default(&toy, &f->p, &f->err), DLAB_OK);
    return f;
}

static void close_fixture(fixture *f)
{
    dlab_buffer_free(&f->parts, &f->memory);
    free(f);
}

static int set(fixture *f, const char *name, const char *text)
{
    f->err = (dlab_error){ 0 };
    const dlab_field *field = dlab_layout_find(&f->layout, name, "lab.toy", &f->err);
    return field == NULL ? f->err.code
                         : dlab_field_set_text(field, &f->p, text, &f->parts, &f->memory, &f->err);
}

static void components_are_spliced_in(void **state)
{
    (void)state;
    fixture *f = open_fixture();
    assert_int_equal(f->layout.count, 13);
    assert_string_equal(f->layout.names[9], "base");
    assert_string_equal(f->layout.names[12], "server_attempts");
    assert_string_equal(f->layout.fields[1].group, "Net"); /* that of the field above */
    assert_string_equal(f->layout.fields[12].group, "Retry");
    assert_int_equal(set(f, "server_attempts", "7"), DLAB_OK);
    assert_int_equal(f->p.server.attempts, 7);
    assert_int_equal(f->p.client.attempts, 3);
    close_fixture(f);
}

static void text_reads_and_writes_every_type(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        { "delay", "250us", "0.00025000000000000001" },
        { "deadline", "2s", "2" },
        { "deadline", "None", "none" },
        { "servers", "4", "4" },
        { "eager", "no", "false" },
        { "eager", "True", "true" },
        { "colour", "blue", "blue" },
        { "paints", "red|green", "red|green" },
        { "paints", "none", "none" },
        { "hedge", "none", "none" },
        { "base", "50ms", "0.050000000000000003" },
    };
    fixture *f = open_fixture();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[200];
        if (set(f, cases[i][0], cases[i][1])) fail_msg("%s", f->err.text);
        const dlab_field *field = dlab_layout_find(&f->layout, cases[i][0], "lab.toy", NULL);
        (void)dlab_field_format(field, &f->p, NULL, text, sizeof text);
        assert_string_equal(text, cases[i][2]);
        assert_int_equal(set(f, cases[i][0], text), DLAB_OK); /* and back */
    }
    assert_int_equal(set(f, "law", "lognormal(median=5ms, sigma=1)"), DLAB_OK);
    assert_int_equal(f->p.law.kind, DLAB_DIST_LOGNORMAL);
    assert_int_equal(set(f, "law", "3ms"), DLAB_OK);
    assert_int_equal(f->p.law.kind, DLAB_DIST_CONSTANT);
    assert_true(f->p.law.p[0] == 0.003);
    close_fixture(f);
}

static void wrong_text_has_one_clear_error(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        int code;
        const char *says;
    } cases[] = {
        { "delay", "20", DLAB_ERANGE, "delay = 20 is outside [1e-06, 10] s" },
        { "delay", "nan", DLAB_ERANGE, "delay" },
        { "delay", "fast", DLAB_ETYPE, "delay" },
        { "deadline", "1h", DLAB_ERANGE, "(or None for off)" },
        { "servers", "2.5", DLAB_ETYPE, "servers = 2.5 is not a whole number" },
        { "servers", "0", DLAB_ERANGE, "[1, 64]" },
        { "eager", "perhaps", DLAB_ETYPE, "neither true nor false" },
        { "colour", "blu", DLAB_ERANGE, "did you mean 'blue'?" },
        { "paints", "red|grene", DLAB_ERANGE, "did you mean 'green'?" },
        { "law", "exponental(5ms)", DLAB_ENAME, "law" },
        { "law", "none", DLAB_ENAME, "law" },
        { "edges", "x", DLAB_ETYPE, "edges cannot be written as text" },
        { "sevrers", "1", DLAB_ENAME, "lab.toy has no 'sevrers'; did you mean 'servers'?" },
    };
    fixture *f = open_fixture();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const params before = f->p;
        const int code = set(f, cases[i].name, cases[i].text);
        if (code != cases[i].code && !(code == DLAB_ETYPE || code == DLAB_ERANGE || code == DLAB_ENAME))
            fail_msg("%s=%s: %d %s", cases[i].name, cases[i].text, code, f->err.text);
        if (strstr(f->err.text, cases[i].says) == NULL)
            fail_msg("'%s' lacks '%s'", f->err.text, cases[i].says);
        assert_memory_equal(&before, &f->p, sizeof before); /* nothing half-written */
    }
    close_fixture(f);
}

static void cross_field_rules_come_after_ranges(void **state)
{
    (void)state;
    fixture *f = open_fixture();
    const dlab_pool none = { 0 };
    f->p.delay = 5;
    f->p.deadline = 1;
    assert_int_equal(dlab_params_check(&toy, &f->layout, &f->p, &none, &f->err), DLAB_EINVAL);
    assert_string_equal(f->err.text, "lab.toy: delay exceeds deadline");
    f->err = (dlab_error){ 0 };
    f->p.delay = -1;
    assert_int_equal(dlab_params_check(&toy, &f->layout, &f->p, &none, &f->err), DLAB_ERANGE);
    close_fixture(f);
}

static const dlab_distribution off = { .kind = -1 };

static void blank_cells_take_the_parameter_of_the_same_name(void **state)
{
    (void)state;
    fixture *f = open_fixture();
    edge rows[3] = {
        { .delay = 0.5, .width = 4, .colour = 0, .law = { .kind = DLAB_DIST_CONSTANT, .p = { 2 } } },
        { .delay = NAN, .width = DLAB_INT_BLANK, .colour = -1, .law = off },
        { .delay = 1, .width = 1, .colour = 2, .law = { .kind = DLAB_DIST_CONSTANT, .p = { 3 } } },
    };
    const dlab_rows table = { rows, 3, sizeof rows[0] };
    dlab_sweep like = { .pool = { &table, 1 } };
    f->p.edges = (dlab_ref){ 0, 0, 2 };
    outcome o = run_rows(&like, &toy, &f->p, 1, 1);
    if (o.err.code) fail_msg("%s", o.err.text);
    const metrics *m = o.sweep.metrics;
    assert_true(m->delay_sum == 0.5 + 0.01); /* the parameter's default */
    assert_int_equal(m->width_sum, 4);       /* no such parameter: off */
    assert_int_equal(m->off_widths, 1);
    assert_true(fabs(m->law_sum - 2.01) < 1e-12);
    drop(&o);
    rows[0].delay = 11; /* a cell out of range names row, table and column */
    o = run_rows(&like, &toy, &f->p, 1, 1);
    assert_int_equal(o.err.code, DLAB_ERANGE);
    assert_non_null(strstr(o.err.text, "row 0 of table 'edges': delay = 11"));
    drop(&o);
    f->p.edges.count = 4; /* beyond the table */
    o = run_rows(&like, &toy, &f->p, 1, 1);
    assert_int_equal(o.err.code, DLAB_ERANGE);
    drop(&o);
    close_fixture(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(components_are_spliced_in),
        cmocka_unit_test(text_reads_and_writes_every_type),
        cmocka_unit_test(wrong_text_has_one_clear_error),
        cmocka_unit_test(cross_field_rules_come_after_ranges),
        cmocka_unit_test(blank_cells_take_the_parameter_of_the_same_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
