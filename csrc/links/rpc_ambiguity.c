/* What really happened behind each outcome a caller saw. One client makes calls one after another over links
 * that lose messages to a server that dies now and then; a call ends ok, in an error or in a timeout, and the
 * model counts how often its operation was carried out, however late: the run ends only when nothing is on
 * its way any more. The medium may also be a queue or a log: then ok means that the broker has the message,
 * and the same question is asked at the hand-over and at the worker's acknowledgement.
 *
 * Assumptions: the operation has an effect each time it is carried out; whoever carries it out does one at a
 * time; a dead process starts again after `restart`; request_loss holds on the way to whom carries out
 * (requests, deliveries), reply_loss on the way back (replies, confirmations, acknowledgements). The protocol
 * is rpc.h, the closed forms are derived in rpc_theory.c. */
#include <math.h>
#include <stdio.h>

#include "links/rpc.h"
#include "sim/world.h"

#define BUGS(X)                                                                               \
    X(NONE, "none", "The protocol as it should be.", NULL, NULL)                              \
    X(REPLY_BEFORE_EXECUTE, "reply_before_execute",                                           \
      "The server answers, or the worker acknowledges, before it carries the operation out.", \
      "ok_means_executed", "crash_before=0.2 calls=200 reps=5")                               \
    X(RETRY_WITHOUT_KEY, "retry_without_key",                                                 \
      "The client's retries do not carry the key of the first attempt.", "key_means_once",    \
      "dedup=key retries=2 reply_loss=0.3 calls=200 reps=5")

DLAB_DEFINE_BUGS(BUGS);

#define X(code, name) name,
static const char *const media[] = { DLAB_RPC_MEDIA(X) NULL };
static const char *const dedups[] = { DLAB_RPC_DEDUPS(X) NULL };
static const char *const acks[] = { DLAB_RPC_ACKS(X) NULL };
static const char *const outcomes[] = { DLAB_RPC_OUTCOMES(X) NULL };
#undef X

typedef struct params {
    int64_t calls;
    dlab_distribution think_time;
    int32_t medium;
    dlab_distribution delay;
    double request_loss, reply_loss;
    dlab_distribution service;
    double crash_before, crash_after;
    bool crash_visible;
    dlab_distribution restart;
    double timeout;
    int64_t retries;
    dlab_distribution backoff;
    double backoff_factor;
    int32_t dedup;
    double dedup_ttl;
    bool dedup_durable;
    int32_t ack;
    double visibility;
    int64_t max_deliveries;
    dlab_ref faults;
    int32_t bug;
} params;

typedef struct metrics {
    dlab_ratio executed_given_timeout, executed_given_error;
    dlab_histogram executions;
    dlab_ratio lost, duplicated, success_ratio, error_ratio, timeout_ratio;
    dlab_histogram attempts, latency;
    int64_t messages, set_aside, violations;
} metrics;

#define PROBABILITY .min = 0, .max = 1, .low = 0, .high = 0.2
#define TIME .unit = "s", .display = "ms", .min = 0, .max = 1e6, .log_scale = true
static const dlab_field param_fields[] = {
    DLAB_FIELD(params, calls, .dflt = 1000, .min = 1, .max = DLAB_RPC_CALLS_MAX, .low = 100, .high = 10000,
               .log_scale = true, .group = "Client", .doc = "Calls the client makes, one after another."),
    DLAB_FIELD(params, think_time, TIME, .text = "1s", .low = 0.01, .high = 10,
               .doc = "From the end of a call to the next one."),
    DLAB_FIELD(params, medium, .choices = media, .group = "Medium",
               .doc = "call: the server answers the client; queue, log: a broker confirms and delivers to a "
                      "worker."),
    DLAB_FIELD(params, delay, TIME, .text = "lognormal(mean=0.5ms, scv=0.1)", .low = 1e-4, .high = 0.2,
               .doc = "One-way delay of a message."),
    DLAB_FIELD(params, request_loss, .dflt = 0.01, PROBABILITY,
               .doc = "Probability that a message on the way to the server, broker or worker is lost."),
    DLAB_FIELD(params, reply_loss, .dflt = 0.01, PROBABILITY,
               .doc = "Probability that a message on the way back is lost."),
    DLAB_FIELD(params, service, TIME, .text = "exponential(5ms)", .low = 1e-3, .high = 0.1, .group = "Server",
               .doc = "Time it takes to carry an operation out."),
    DLAB_FIELD(params, crash_before, .dflt = 0.001, PROBABILITY,
               .doc = "Probability that the server or worker dies having taken an operation up, before its "
                      "effect."),
    DLAB_FIELD(params, crash_after, .dflt = 0.001, PROBABILITY,
               .doc = "Probability that it dies after the effect, before it answers."),
    DLAB_FIELD(params, crash_visible,
               .doc =
                   "A dying process resets its connection: the client sees an error, a broker learns of it "
                   "at the restart."),
    DLAB_FIELD(params, restart, TIME, .text = "100ms", .low = 0.01, .high = 60,
               .doc = "How long a dead process is down."),
    DLAB_FIELD(params, timeout, .unit = "s", .display = "ms", .dflt = 0.2, .min = 1e-6, .max = 1e6,
               .low = 0.01, .high = 10, .log_scale = true, .group = "Retry",
               .doc = "How long the client waits for the answer to an attempt."),
    DLAB_FIELD(params, retries, .dflt = 0, .min = 0, .max = DLAB_RPC_RETRIES_MAX, .low = 0, .high = 5,
               .doc = "Attempts after the first one."),
    DLAB_FIELD(params, backoff, TIME, .text = "uniform(low=100ms, high=300ms)", .low = 0.01, .high = 10,
               .optional = true,
               .doc = "From a failed attempt to the next; a constant has no jitter. None: at once."),
    DLAB_FIELD(params, backoff_factor, .dflt = 2, .min = 1, .max = 10, .low = 1, .high = 4,
               .doc = "The k-th backoff is this factor to the power k - 1 times as long."),
    DLAB_FIELD(params, dedup, .choices = dedups, .group = "Deduplication",
               .doc =
                   "key: an operation whose key is known is answered, not carried out again; key_ttl: keys "
                   "are forgotten after dedup_ttl."),
    DLAB_FIELD(params, dedup_ttl, .unit = "s", .dflt = 60, .min = 1e-6, .max = 1e6, .low = 0.1, .high = 3600,
               .log_scale = true, .doc = "key_ttl: how long a key is remembered."),
    DLAB_FIELD(params, dedup_durable, .dflt = 1,
               .doc = "Keys are stored atomically with the effect; else in memory, which a crash loses."),
    DLAB_FIELD(params, ack, .choices = acks, .group = "Queue and log",
               .doc = "When the worker acknowledges: after or before it carries a message out."),
    DLAB_FIELD(params, visibility, .unit = "s", .dflt = 1, .min = 1e-6, .max = 1e6, .low = 0.1, .high = 60,
               .log_scale = true, .doc = "A message not acknowledged within this time is delivered again."),
    DLAB_FIELD(params, max_deliveries, .dflt = 100, .min = 1, .max = DLAB_RPC_DELIVERIES_MAX, .low = 1,
               .high = 100, .log_scale = true,
               .doc = "A message delivered so often in vain is set aside (dead letter)."),
    DLAB_FIELD(params, faults, DLAB_FAULTS_FIELD),
    DLAB_FIELD(params, bug, .choices = bug_names, .group = "Planted bug",
               .doc = "A textbook mistake, on purpose."),
    DLAB_END,
};

#define SHARE .max = 1, .may_be_nan = true
#define COUNT .max = 9e15
static const dlab_field metric_fields[] = {
    DLAB_FIELD(metrics, executed_given_timeout, SHARE,
               .doc = "Share of the calls that timed out whose operation was carried out."),
    DLAB_FIELD(metrics, executed_given_error, SHARE,
               .doc = "Share of the calls that ended in an error whose operation was carried out."),
    DLAB_FIELD(metrics, executions, .max = INFINITY,
               .doc = "How often the operation of a call was carried out."),
    DLAB_FIELD(metrics, lost, SHARE, .doc = "Share of calls whose operation was never carried out."),
    DLAB_FIELD(metrics, duplicated, SHARE,
               .doc = "Share of calls whose operation was carried out more than once."),
    DLAB_FIELD(metrics, success_ratio, SHARE, .doc = "Share of calls that ended ok."),
    DLAB_FIELD(metrics, error_ratio, SHARE, .doc = "Share of calls that ended in an error."),
    DLAB_FIELD(metrics, timeout_ratio, SHARE, .doc = "Share of calls that timed out."),
    DLAB_FIELD(metrics, attempts, .max = INFINITY, .doc = "Attempts of a call."),
    DLAB_FIELD(metrics, latency, .unit = "s", .display = "ms", .max = INFINITY,
               .doc = "From the beginning to the end of a call that ended ok."),
    DLAB_FIELD(metrics, messages, COUNT, .doc = "Messages sent, lost ones included."),
    DLAB_FIELD(metrics, set_aside, COUNT, .doc = "Messages the broker gave up delivering."),
    DLAB_FIELD(metrics, violations, COUNT,
               .doc = "Calls that broke a promise: ok_means_executed (told ok, never carried out nor set "
                      "aside), key_means_once (carried out twice though its key is durable)."),
    DLAB_END,
};

typedef struct call_row {
    int64_t id;
    double start, end;
    int32_t outcome;
    int64_t attempts, executions;
} call_row;

static const dlab_field call_columns[] = {
    DLAB_FIELD(call_row, id, .max = INFINITY, .doc = "Number of the call."),
    DLAB_FIELD(call_row, start, .unit = "s", .max = INFINITY, .doc = "When the client began."),
    DLAB_FIELD(call_row, end, .unit = "s", .max = INFINITY, .doc = "When it ended for the client."),
    DLAB_FIELD(call_row, outcome, .choices = outcomes,
               .doc = "What the client saw; abandoned: it was down or died itself."),
    DLAB_FIELD(call_row, attempts, .max = INFINITY, .doc = "Attempts, 0 when abandoned."),
    DLAB_FIELD(call_row, executions, .max = INFINITY, .doc = "How often it was really carried out."),
    DLAB_END,
};
enum { TRACE_TABLE, CALLS_TABLE };
static const dlab_table output_tables[] = {
    DLAB_TRACE_TABLE,
    { .name = "calls",
      .doc = "Every call: what the client saw and what really happened.",
      .columns = call_columns,
      .row_size = sizeof(call_row) },
    { .name = NULL },
};

/* One call, as it was. */
typedef struct made {
    int64_t start, end; /* ns */
    uint32_t executions, attempts;
    int32_t outcome;
    bool aside;
} made;

/* The run: the client's user, and the books. */
typedef struct books {
    dlab_ctx *ctx;
    made *calls;
    uint32_t count, current; /* calls wanted; the one being made, or next to be made */
    bool open;               /* it is being made ... */
    uint32_t lives;          /* ... in this life of the client */
    uint64_t set_aside;
    dlab_sampler think;
    dlab_rng rng;
} books;

enum { EVENT_CALL = DLAB_EVENT_MODEL };

static void close_call(books *b, dlab_world *w, int32_t outcome, uint32_t attempts)
{
    made *call = &b->calls[b->current++];
    call->end = dlab_world_now(w);
    call->outcome = outcome;
    call->attempts = attempts;
    b->open = false;
    if (b->current == b->count) return;
    const int64_t at = call->end + dlab_rpc_draw(&b->think, &b->rng, 1);
    (void)dlab_world_at(w, at < DLAB_TIME_MAX ? at : DLAB_TIME_MAX, EVENT_CALL, 0, b->current, 0);
}

static int begin_call(void *arg, dlab_world *w, const dlab_event *event)
{
    books *b = arg;
    b->calls[b->current].start = event->time;
    if (w->nodes[0].status == DLAB_NODE_DOWN) {
        close_call(b, w, DLAB_RPC_OUTCOME_ABANDONED, 0);
        return b->ctx->err.code;
    }
    b->open = true;
    b->lives = (uint32_t)w->nodes[0].lives;
    return dlab_world_request(w, 0, event->time, b->current + 1, DLAB_RPC_ASK_CALL, b->current, 0);
}

static void note(void *arg, dlab_world *w, uint32_t node, const dlab_output *o)
{
    books *b = arg;
    const uint32_t call = o->message.a;
    (void)node;
    if (o->kind == DLAB_APPLY && o->message.kind == DLAB_RPC_APPLY_EXECUTE) {
        b->calls[call].executions++;
    } else if (o->kind == DLAB_APPLY) {
        b->calls[call].aside = true;
        b->set_aside++;
    } else if (o->kind == DLAB_REPLY && b->open && call == b->current) {
        close_call(b, w, o->message.kind, (uint32_t)o->message.b);
    }
}

/* Make all calls, end the faults, and wait for what is still on its way. */
static int run_world(dlab_world *w, books *b)
{
    if (dlab_world_at(w, 0, EVENT_CALL, 0, 0, 0)) return b->ctx->err.code;
    while (b->current < b->count) {
        const int taken = dlab_world_step(w, INT64_MAX);
        if (taken <= 0) return taken == 0 ? DLAB_OK : b->ctx->err.code;
        if (b->open && (w->nodes[0].status == DLAB_NODE_DOWN || w->nodes[0].lives != b->lives))
            close_call(b, w, DLAB_RPC_OUTCOME_ABANDONED, 0);
    }
    if (b->ctx->err.code || dlab_faults_heal(&w->faults, w)) return b->ctx->err.code;
    return dlab_world_run(w, INT64_MAX, false);
}

static dlab_rpc rpc_of(const params *p)
{
    return (dlab_rpc){ .calls = (uint32_t)p->calls,
                       .attempts = (uint32_t)p->retries + 1,
                       .deliveries = (uint32_t)p->max_deliveries,
                       .medium = p->medium,
                       .dedup = p->dedup,
                       .dedup_durable = p->dedup_durable,
                       .acks_first = p->ack == DLAB_RPC_ACK_BEFORE,
                       .crash_visible = p->crash_visible,
                       .crash_before = p->crash_before,
                       .crash_after = p->crash_after,
                       .timeout = dlab_ns(p->timeout),
                       .visibility = dlab_ns(p->visibility),
                       .dedup_ttl = dlab_ns(p->dedup_ttl),
                       .backoff_factor = p->backoff_factor,
                       .replies_first = p->bug == BUG_REPLY_BEFORE_EXECUTE,
                       .retries_unkeyed = p->bug == BUG_RETRY_WITHOUT_KEY };
}

static int set_losses(dlab_world *w, const params *p, const dlab_core *core)
{
    for (uint32_t node = 0; node + 1 < core->nodes; node++)
        if (dlab_net_set_loss(&w->net, node, node + 1, p->request_loss) ||
            dlab_net_set_loss(&w->net, node + 1, node, p->reply_loss))
            return w->ctx->err.code;
    return DLAB_OK;
}

static void add(dlab_ratio *ratio, bool is) { ratio->num += is, ratio->den += 1; }

static int measure(const dlab_rpc *rpc, const dlab_world *w, const books *b, metrics *m)
{
    const bool ok_means_executed = dlab_rpc_promises(rpc, DLAB_RPC_INVARIANT_OK_MEANS_EXECUTED);
    const bool key_means_once = dlab_rpc_promises(rpc, DLAB_RPC_INVARIANT_KEY_MEANS_ONCE);
    for (uint32_t k = 0; k < b->current; k++) {
        const made *c = &b->calls[k];
        const bool executed = c->executions > 0, ok = c->outcome == DLAB_RPC_OUTCOME_OK;
        const call_row row = { k,           (double)c->start / 1e9, (double)c->end / 1e9, c->outcome,
                               c->attempts, c->executions };
        if (dlab_step(b->ctx, 1) || dlab_emit(b->ctx, CALLS_TABLE, &row)) return b->ctx->err.code;
        if (c->outcome == DLAB_RPC_OUTCOME_TIMEOUT) add(&m->executed_given_timeout, executed);
        if (c->outcome == DLAB_RPC_OUTCOME_ERROR) add(&m->executed_given_error, executed);
        add(&m->lost, !executed);
        add(&m->duplicated, c->executions > 1);
        add(&m->success_ratio, ok);
        add(&m->error_ratio, c->outcome == DLAB_RPC_OUTCOME_ERROR);
        add(&m->timeout_ratio, c->outcome == DLAB_RPC_OUTCOME_TIMEOUT);
        dlab_histogram_record(&m->executions, c->executions);
        dlab_histogram_record(&m->attempts, c->attempts);
        if (ok) dlab_histogram_record(&m->latency, c->end - c->start);
        m->violations += ok_means_executed && ok && !executed && !c->aside;
        m->violations += key_means_once && c->executions > 1;
    }
    m->messages = (int64_t)w->net.sent;
    m->set_aside = (int64_t)b->set_aside;
    return DLAB_OK;
}

static int run(const void *params_, void *metrics_, dlab_ctx *ctx)
{
    const params *p = params_;
    metrics *m = metrics_;
    dlab_rpc rpc = rpc_of(p);
    books b = { .ctx = ctx, .count = rpc.calls };
    dlab_core core;
    dlab_world w;
    const dlab_network network = { .delay = p->delay, .bandwidth = INFINITY, .link_queue = INFINITY };
    const dlab_world_setup setup = { .core = &core,
                                     .network = &network,
                                     .faults = p->faults,
                                     .check = dlab_wants(ctx, TRACE_TABLE) || ctx->chooser != NULL,
                                     .trace_table = TRACE_TABLE,
                                     .arg = &b,
                                     .on_output = note,
                                     .on_event = begin_call };
    b.calls = dlab_alloc(ctx, rpc.calls, sizeof *b.calls);
    if (b.calls == NULL ||
        dlab_sampler_init_optional(&b.think, &p->think_time, ctx->pool, &ctx->arena, &ctx->err) ||
        dlab_sampler_init_optional(&rpc.service, &p->service, ctx->pool, &ctx->arena, &ctx->err) ||
        dlab_sampler_init_optional(&rpc.restart, &p->restart, ctx->pool, &ctx->arena, &ctx->err) ||
        dlab_sampler_init_optional(&rpc.backoff, &p->backoff, ctx->pool, &ctx->arena, &ctx->err) ||
        dlab_histogram_open(&m->executions, &ctx->arena, &ctx->err) ||
        dlab_histogram_open(&m->attempts, &ctx->arena, &ctx->err) ||
        dlab_histogram_open(&m->latency, &ctx->arena, &ctx->err))
        return ctx->err.code;
    dlab_stream(ctx, &b.rng, DLAB_PURPOSE_CLIENT, 0);
    dlab_rpc_open(&rpc, &core);
    int code = dlab_world_open(&w, &setup, ctx);
    if (code == DLAB_OK) code = set_losses(&w, p, &core);
    if (code == DLAB_OK) code = run_world(&w, &b);
    if (code == DLAB_OK) code = measure(&rpc, &w, &b, m);
    if (code == DLAB_OK) code = dlab_world_finish(&w);
    dlab_world_close(&w);
    return code;
}

static int check(const void *params_, const dlab_pool *pool, dlab_error *err)
{
    const params *p = params_;
    const uint32_t nodes = p->medium == DLAB_RPC_MEDIUM_CALL ? 2 : 3;
    return dlab_faults_check_plan(p->faults, nodes, pool, err);
}

static bool warn(const void *params_, const dlab_pool *pool, char *text, size_t size)
{
    const params *p = params_;
    const double service = p->medium == DLAB_RPC_MEDIUM_CALL ? dlab_distribution_mean(&p->service, pool) : 0;
    const double mean = 2 * dlab_distribution_mean(&p->delay, pool) + service;
    if (mean < p->timeout) return false;
    (void)snprintf(
        text, size,
        "an answer takes %.4g s on average, timeout is %.4g s: calls time out although nothing is lost", mean,
        p->timeout);
    return true;
}

/* The beginning of a call, its message to and fro, and the execution, when nothing goes wrong. */
static double steps(const void *params_, const dlab_pool *pool)
{
    const params *p = params_;
    (void)pool;
    return (p->medium == DLAB_RPC_MEDIUM_CALL ? 6 : 8) * (double)p->calls;
}

static const char *const theory_columns[] = {
    "executed_given_timeout", "executed_given_error", "executions_mean", "lost",          "duplicated",
    "success_ratio",          "error_ratio",          "timeout_ratio",   "attempts_mean", NULL
};

static int theory(const void *params_, double *values, dlab_ctx *ctx)
{
    const params *p = params_;
    const dlab_rpc rpc = rpc_of(p);
    const dlab_rpc_times times = { p->request_loss, p->reply_loss, &p->delay,     &p->service,
                                   &p->restart,     &p->backoff,   &p->think_time };
    dlab_rpc_law law;
    const bool exact = p->faults.count == 0 && dlab_rpc_exact(&rpc, &times, ctx->pool, &law);
    const double known[] = { law.executed_given_timeout,
                             law.executed_given_error,
                             law.executions,
                             law.lost,
                             law.duplicated,
                             law.ok,
                             law.error,
                             law.timeout,
                             law.attempts };
    for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) values[k] = exact ? known[k] : NAN;
    return DLAB_OK;
}

const dlab_model dlab_links_rpc_ambiguity = {
    .abi = DLAB_ABI,
    .name = "links.rpc_ambiguity",
    .title = "What really happened behind ok, error and timeout",
    .doc =
        "One client calls one server over links that lose messages; the server dies now and then. A call "
        "ends ok, in an error or in a timeout; the model counts how often its operation was really carried "
        "out, with and without retries and keys, directly or through a queue or a log.",
    .source =
        "Birrell and Nelson (TOCS 2(1), 1984); Spector (CACM 25(4), 1982); Saltzer, Reed and Clark (TOCS "
        "2(4), 1984); Lee et al., RIFL (SOSP 2015)",
    .params = param_fields,
    .metrics = metric_fields,
    .params_size = sizeof(params),
    .metrics_size = sizeof(metrics),
    .outputs = output_tables,
    .bugs = bugs,
    .trace = &dlab_rpc_schema,
    .theory_columns = theory_columns,
    .check = check,
    .warn = warn,
    .steps = steps,
    .run = run,
    .theory = theory,
};
