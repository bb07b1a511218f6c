/* lab.network: a network and a fault plan to be looked through. Node after node sends `messages` messages to
 * every node, one each second; the output "fates" says what became of them, "plan" holds the rows of the
 * fault plan as the core reads them. Compiled as a shared library by tests/python/test_network_py.py. */
#include "sim/faults.h"
#include "sim/network.h"

typedef struct params {
    dlab_network network;
    dlab_ref faults;
    int64_t nodes, messages;
} params;

static const dlab_field param_fields[] = {
    DLAB_GROUP(params, network, dlab_network_fields),
    DLAB_FIELD(params, faults, DLAB_FAULTS_FIELD),
    DLAB_FIELD(params, nodes, .dflt = 3, .min = 1, .max = DLAB_NODES_MAX, .doc = "Nodes."),
    DLAB_FIELD(params, messages, .dflt = 1, .min = 1, .max = 1e6, .doc = "Messages over each link."),
    DLAB_END,
};

typedef struct metrics {
    int64_t lost, rows;
} metrics;

static const dlab_field metric_fields[] = {
    DLAB_FIELD(metrics, lost, .max = INFINITY, .doc = "Messages lost."),
    DLAB_FIELD(metrics, rows, .max = INFINITY, .doc = "Rows of the plan."),
    DLAB_END,
};

typedef struct fate_row {
    int64_t from, to, lost;
    double delay, copy;
} fate_row;

static const dlab_field fate_columns[] = {
    DLAB_FIELD(fate_row, from, .max = INFINITY, .doc = "Sender."),
    DLAB_FIELD(fate_row, to, .max = INFINITY, .doc = "Receiver."),
    DLAB_FIELD(fate_row, lost, .min = -1, .max = INFINITY, .doc = "Reason, -1: not lost."),
    DLAB_FIELD(fate_row, delay, .unit = "s", .max = INFINITY, .doc = "Time on the way."),
    DLAB_FIELD(fate_row, copy, .unit = "s", .max = INFINITY, .doc = "Of its copy; 0: none."),
    DLAB_END,
};

typedef struct plan_row {
    double time, rate, amount, duration;
    int64_t kind, target, node, peer, members, message, disk;
} plan_row;

static const dlab_field plan_columns[] = {
    DLAB_FIELD(plan_row, time, .min = -1, .max = INFINITY, .doc = "As read."),
    DLAB_FIELD(plan_row, rate, .min = -1, .max = INFINITY, .doc = "As read."),
    DLAB_FIELD(plan_row, amount, .min = -INFINITY, .max = INFINITY, .doc = "As read."),
    DLAB_FIELD(plan_row, duration, .min = -1, .max = INFINITY, .doc = "Its mean; -1: off."),
    DLAB_FIELD(plan_row, kind, .max = INFINITY, .doc = "As read."),
    DLAB_FIELD(plan_row, target, .max = INFINITY, .doc = "As read."),
    DLAB_FIELD(plan_row, node, .min = -1, .max = INFINITY, .doc = "As read."),
    DLAB_FIELD(plan_row, peer, .min = -1, .max = INFINITY, .doc = "As read."),
    DLAB_FIELD(plan_row, members, .min = -1, .max = INFINITY, .doc = "As read."),
    DLAB_FIELD(plan_row, message, .min = -1, .max = INFINITY, .doc = "As read."),
    DLAB_FIELD(plan_row, disk, .max = INFINITY, .doc = "As read."),
    DLAB_END,
};

static const dlab_table outputs[] = {
    { .name = "fates", .doc = "Messages.", .columns = fate_columns, .row_size = sizeof(fate_row) },
    { .name = "plan", .doc = "Faults.", .columns = plan_columns, .row_size = sizeof(plan_row) },
    { .name = NULL },
};

static int send_all(const params *p, metrics *out, dlab_ctx *ctx)
{
    const uint32_t n = (uint32_t)p->nodes;
    const int64_t second = INT64_C(1000000000);
    dlab_net net;
    if (dlab_net_open(&net, &p->network, n, ctx)) return ctx->err.code;
    for (uint64_t k = 0; k < (uint64_t)n * n * (uint64_t)p->messages; k++) {
        const dlab_message m = { .from = (uint16_t)(k / n % n), .to = (uint16_t)(k % n), .wire = 1000 };
        const int64_t now = (int64_t)k * second;
        dlab_fate f;
        if (dlab_step(ctx, 1) || dlab_net_send(&net, now, &m, k, &f)) return ctx->err.code;
        const fate_row row = { m.from, m.to, f.lost, f.lost < 0 ? (double)(f.arrive - now) * 1e-9 : 0,
                               f.copy > 0 ? (double)(f.copy - now) * 1e-9 : 0 };
        if (dlab_emit(ctx, 0, &row)) return ctx->err.code;
    }
    out->lost = (int64_t)net.lost;
    return DLAB_OK;
}

static int run(const void *params_, void *metrics_, dlab_ctx *ctx)
{
    const params *p = params_;
    metrics *out = metrics_;
    size_t count = 0;
    const dlab_fault_row *rows = dlab_table_rows(ctx, &dlab_faults_table, p->faults, &count);
    if (ctx->err.code || dlab_faults_check(rows, count, (uint32_t)p->nodes, &ctx->err)) return ctx->err.code;
    out->rows = (int64_t)count;
    for (size_t i = 0; i < count; i++) {
        const dlab_fault_row *r = &rows[i];
        const double lasts = r->duration.kind < 0 ? -1 : dlab_distribution_mean(&r->duration, ctx->pool);
        const plan_row row = { r->time, r->rate, r->amount,  lasts,      r->kind, r->target,
                               r->node, r->peer, r->members, r->message, r->disk };
        if (dlab_emit(ctx, 1, &row)) return ctx->err.code;
    }
    return send_all(p, out, ctx);
}

static int check(const void *params_, const dlab_pool *pool, dlab_error *err)
{
    const params *p = params_;
    return dlab_network_check(&p->network, (uint32_t)p->nodes, pool, err);
}

__attribute__((visibility("default"))) extern const dlab_model network_probe;
const dlab_model network_probe = { .abi = DLAB_ABI,
                                   .name = "lab.network",
                                   .title = "network probe",
                                   .doc = "Sends messages over every link.",
                                   .source = "none",
                                   .params = param_fields,
                                   .metrics = metric_fields,
                                   .params_size = sizeof(params),
                                   .metrics_size = sizeof(metrics),
                                   .outputs = outputs,
                                   .check = check,
                                   .run = run };
