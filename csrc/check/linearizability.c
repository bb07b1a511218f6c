/* How a linearizability checker fares: histories are made up, with known defects or without, and judged.
 *
 * A closed loop of clients works on a few objects; each operation takes effect at one instant between its
 * call and its answer, so the history is linearizable unless a defect is planted (a stale read, a lost
 * update, an element given out twice, a lock given to two). The verdict comes with the number of states
 * explored and, for a no, the size of the shortest failing window and of what is left after shrinking.
 *
 * Two witnesses watch the checker. A history without a planted defect must not be refused (false_alarms).
 * A read that returns a value which was overwritten by a write that began after the first had ended and
 * ended before the read began proves a history bad, without any search, where each value is written once:
 * such a history must not be accepted (missed). */
#include <stdio.h>
#include <string.h>

#include <distlab/check.h>
#include <distlab/model.h>

enum { OPS_MAX = 100000 };

#define BUGS(X)                                                                                             \
    X(NONE, "none", "The checker as it should be.", NULL, NULL)                                             \
    X(UNKNOWN_TREATED_AS_FAILED, "unknown_treated_as_failed",                                               \
      "An operation without an answer is taken as one that did not happen, so good histories are refused.", \
      "theory.false_alarms", "crash_fraction=0.2 ops=100 keys=1 reps=60")                                   \
    X(REAL_TIME_IGNORED, "real_time_ignored",                                                               \
      "Only the order within each process is kept, not that of answers and later calls, so stale reads "    \
      "pass.",                                                                                              \
      "theory.missed", "values=none bug_rate=0.05 ops=16 keys=1 reps=1000")                                 \
    X(WRITE_TAKEN_AS_READ, "write_taken_as_read",                                                           \
      "A write of the value already there is placed at once, like a read: it may be needed later.",         \
      "theory.false_alarms", "values=2 ops=60 clients=8 keys=1 reps=60")

DLAB_DEFINE_BUGS(BUGS);

static const char *const generators[] = {
#define X(code, name) name,
    DLAB_GENERATORS(X)
#undef X
        NULL
};
static const char *const specifications[] = { "as_generated",
#define X(code, name, functions) name,
                                              DLAB_SPECIFICATIONS(X)
#undef X
                                                  NULL };
static const char *const criteria[] = {
#define X(code, name) name,
    DLAB_CRITERIA(X)
#undef X
        NULL
};
static const char *const fail_semantics[] = {
#define X(code, name) name,
    DLAB_FAIL_SEMANTICS(X)
#undef X
        NULL
};
static const char *const prunings[] = { "window",  "reads",  "equal", "earliest", "fewer",
                                        "outlook", "unique", "keys",  "lines",    NULL };
static const char *const functions[] = {
#define X(code, name) name,
    DLAB_FUNCTIONS(X)
#undef X
        NULL
};
static const char *const outcomes[] = { "ok", "fail", "info", NULL };
enum { ROLE_OUTSIDE, ROLE_WINDOW, ROLE_SHRUNK, ROLE_STUCK };
static const char *const roles[] = { "outside", "window", "shrunk", "stuck", NULL };

typedef struct params {
    int32_t generator, specification, criterion, fail_semantics;
    int64_t ops, clients, keys, values;
    double read_fraction, crash_fraction, idle_ratio, bug_rate;
    int64_t states_max;
    bool explain;
    uint32_t switched_off;
    int32_t bug;
} params;

typedef struct metrics {
    dlab_ratio linearizable, undecided, false_alarms, missed;
    int64_t states, dead_states, peak_memory, open_ops, planted;
    double window_ops, shrunk_ops;
} metrics;

/* One operation with what the verdict says of it. */
typedef struct row {
    int64_t operation, process;
    int32_t function;
    int64_t key;
    double argument, result, call, answer;
    int32_t outcome;
    int64_t place;
    int32_t role;
} row;

static const dlab_field param_fields[] = {
    DLAB_FIELD(params, generator, .choices = generators, .group = "History",
               .doc = "What the clients work on."),
    DLAB_FIELD(params, ops, .dflt = 200, .min = 1, .max = OPS_MAX, .low = 10, .high = 5000, .log_scale = true,
               .doc = "Operations of the history."),
    DLAB_FIELD(params, clients, .dflt = 5, .min = 1, .max = 10000, .low = 1, .high = 30,
               .doc = "Clients, each with one operation open at a time."),
    DLAB_FIELD(params, keys, .dflt = 5, .min = 1, .max = 10000, .low = 1, .high = 20,
               .doc = "Objects; each operation picks one uniformly."),
    DLAB_FIELD(params, values, .dflt = 5, DLAB_OFF(0), .min = 1, .max = 1e6, .low = 1, .high = 20,
               .doc = "Written values are drawn from so many. None: each value is written once."),
    DLAB_FIELD(params, read_fraction, .dflt = 0.5, .max = 1, .doc = "Share of operations that read."),
    DLAB_FIELD(params, crash_fraction, .dflt = 0, .max = 1, .high = 0.3,
               .doc = "Share of operations that never answer; half of them take effect."),
    DLAB_FIELD(params, idle_ratio, .dflt = 0, .max = 1000, .high = 10,
               .doc = "Mean pause between an answer and the next call, in mean durations."),
    DLAB_FIELD(params, bug_rate, .dflt = 0, .max = 1, .high = 0.1,
               .doc = "Share of operations that go wrong: a stale read, a lost update, an element given out "
                      "twice, a lock given to two."),
    DLAB_FIELD(params, specification, .choices = specifications, .group = "Check",
               .doc = "What the objects promise."),
    DLAB_FIELD(params, criterion, .choices = criteria,
               .doc =
                   "Linearizability keeps real time, sequential consistency only each process's own order."),
    DLAB_FIELD(params, fail_semantics, .choices = fail_semantics, .dflt = DLAB_FAIL_MISMATCH,
               .doc =
                   "What a failed operation says: it did not happen; it also saw why (a compare-and-set its "
                   "mismatch, a lock its holder); or nothing, it may have happened."),
    DLAB_FIELD(params, states_max, .dflt = 1e6, .min = 1, .max = 1e12, .low = 1e3, .high = 1e7,
               .log_scale = true, .doc = "Budget of states; the verdict is unknown beyond."),
    DLAB_FIELD(params, explain, .dflt = 1,
               .doc = "After a no, find the shortest failing window and shrink it."),
    DLAB_FIELD(params, switched_off, .choices = prunings,
               .doc = "Ways to search less that are switched off; the verdict stays, the work grows."),
    DLAB_FIELD(params, bug, .choices = bug_names, .group = "Planted bug",
               .doc = "A textbook mistake of the checker, on purpose."),
    DLAB_END,
};

#define COUNT .max = INFINITY
#define SHARE .max = 1, .may_be_nan = true
static const dlab_field metric_fields[] = {
    DLAB_FIELD(metrics, linearizable, SHARE, .doc = "Share of the decided histories that pass."),
    DLAB_FIELD(metrics, undecided, SHARE, .doc = "Share of histories the budget was too small for."),
    DLAB_FIELD(metrics, false_alarms, SHARE, .doc = "Share of histories without a defect that are refused."),
    DLAB_FIELD(metrics, missed, SHARE,
               .doc =
                   "Share of histories proven bad by a stale read that are accepted (registers whose values "
                   "are written once)."),
    DLAB_FIELD(metrics, planted, COUNT, .doc = "Defects planted."),
    DLAB_FIELD(metrics, states, COUNT, .doc = "States explored, explaining included."),
    DLAB_FIELD(metrics, dead_states, COUNT, .doc = "States remembered as leading nowhere, 24 bytes each."),
    DLAB_FIELD(metrics, peak_memory, .unit = "byte", COUNT, .doc = "Most memory the check held."),
    DLAB_FIELD(metrics, open_ops, COUNT, .doc = "Most answered operations of one object open at once."),
    DLAB_FIELD(metrics, window_ops, COUNT, .may_be_nan = true,
               .doc = "Operations of the shortest failing window; NaN after a yes."),
    DLAB_FIELD(metrics, shrunk_ops, COUNT, .may_be_nan = true,
               .doc = "Operations left after shrinking it; NaN after a yes."),
    DLAB_END,
};

static const dlab_field row_columns[] = {
    DLAB_FIELD(row, operation, COUNT, .doc = "Its number, in the order of calls."),
    DLAB_FIELD(row, process, COUNT,
               .doc = "Who asked; a client that got no answer goes on under a new number."),
    DLAB_FIELD(row, function, .choices = functions, .doc = "What was asked."),
    DLAB_FIELD(row, key, .min = -1, COUNT, .doc = "Of which object; -1: of several."),
    DLAB_FIELD(row, argument, .min = -INFINITY, COUNT, .may_be_nan = true,
               .doc = "What came with it: a number; the length of a list or a text; NaN: nothing."),
    DLAB_FIELD(row, result, .min = -INFINITY, COUNT, .may_be_nan = true,
               .doc = "What came back, in the same way."),
    DLAB_FIELD(row, call, .unit = "s", .display = "ms", COUNT, .doc = "When it was asked."),
    DLAB_FIELD(row, answer, .unit = "s", .display = "ms", COUNT, .may_be_nan = true,
               .doc = "When it was answered; NaN: never."),
    DLAB_FIELD(row, outcome, .choices = outcomes, .doc = "How."),
    DLAB_FIELD(row, place, .min = -1, COUNT, .doc = "Its place in the order found; -1: in none."),
    DLAB_FIELD(row, role, .choices = roles, .doc = "Its part in the shortest failing window."),
    DLAB_END,
};
enum { HISTORY_TABLE };
static const dlab_table output_tables[] = {
    { .name = "history",
      .doc = "The history, with the order that shows it is fine or the part that shows it is not.",
      .columns = row_columns,
      .row_size = sizeof(row) },
    { .name = NULL },
};

static int32_t specification_of(const params *p)
{
    static const int32_t same[] = {
#define X(code, name) [DLAB_GENERATOR_##code] = DLAB_SPECIFICATION_##code,
        DLAB_GENERATORS(X)
#undef X
    };
    return p->specification == 0 ? same[p->generator] : p->specification - 1;
}

/* A read of a value that was certainly gone, found by one sweep over calls and answers. */
static bool proven_bad(const dlab_history *h, const params *p, dlab_ctx *ctx)
{
    const size_t n = dlab_history_count(h);
    /* latest call of a write answered before */
    uint32_t *gone = dlab_alloc(ctx, n, sizeof *gone);
    uint32_t *last = dlab_alloc(ctx, (size_t)p->keys, sizeof *last); /* the same for each key, so far */
    /* when the write of a value was answered */
    uint32_t *written = dlab_alloc(ctx, n + 1, sizeof *written);
    uint32_t *at = dlab_alloc(ctx, h->events, sizeof *at);
    bool bad = false;
    if (gone == NULL || last == NULL || written == NULL || at == NULL) return false;
    for (size_t i = 0; i < n; i++) {
        const dlab_operation *op = dlab_history_at(h, i);
        at[op->called] = (uint32_t)i + 1;
        if (op->returned != DLAB_NO_EVENT) at[op->returned] = (uint32_t)i + 1;
        if (op->f == DLAB_F_WRITE) written[op->argument.number] = op->returned;
    }
    for (uint32_t e = 0; e < h->events; e++) {
        const dlab_operation *op = dlab_history_at(h, at[e] - 1);
        uint32_t *latest = &last[op->key.number];
        if (op->f == DLAB_F_READ && e == op->called) gone[at[e] - 1] = *latest;
        if (op->f == DLAB_F_WRITE && e == op->returned && op->called > *latest) *latest = op->called;
    }
    for (size_t i = 0; i < n && !bad; i++) {
        const dlab_operation *op = dlab_history_at(h, i);
        if (op->f != DLAB_F_READ || op->outcome != DLAB_HISTORY_OK) continue;
        bad = op->result.kind == DLAB_VALUE_NIL ? gone[i] > 0 : written[op->result.number] < gone[i];
    }
    return bad;
}

static double shown(const dlab_history *h, dlab_value v)
{
    size_t length;
    if (v.kind == DLAB_VALUE_NIL) return NAN;
    if (v.kind == DLAB_VALUE_LIST) return v.count;
    if (v.kind != DLAB_VALUE_TEXT) return (double)v.number;
    (void)dlab_history_text(h, (uint32_t)v.number, &length);
    return (double)length;
}

static int emit_history(const dlab_history *h, const dlab_check_result *r, dlab_ctx *ctx)
{
    const size_t n = dlab_history_count(h);
    int64_t *place = dlab_alloc(ctx, n, sizeof *place);
    int32_t *role = dlab_alloc(ctx, n, sizeof *role);
    if (place == NULL || role == NULL) return ctx->err.code;
    for (size_t k = 0; k < r->order_count; k++) place[r->order[k]] = (int64_t)k + 1;
    for (size_t k = 0; k < r->window_count; k++) role[r->window_operations[k]] = ROLE_WINDOW;
    for (size_t k = 0; k < r->shrunk_count; k++) role[r->shrunk[k]] = ROLE_SHRUNK;
    if (r->stuck < n) role[r->stuck] = ROLE_STUCK;
    for (size_t i = 0; i < n; i++) {
        const dlab_operation *op = dlab_history_at(h, i);
        const row one = { .operation = (int64_t)i,
                          .process = op->process,
                          .function = (int32_t)op->f,
                          .key = op->key.kind == DLAB_VALUE_INT ? op->key.number : -1,
                          .argument = shown(h, op->argument),
                          .result = shown(h, op->result),
                          .call = (double)op->call * 1e-9,
                          .answer = op->ret == DLAB_NEVER ? NAN : (double)op->ret * 1e-9,
                          .outcome = op->outcome - DLAB_HISTORY_OK,
                          .place = place[i] - 1,
                          .role = role[i] };
        if (dlab_emit(ctx, HISTORY_TABLE, &one)) return ctx->err.code;
    }
    return DLAB_OK;
}

static void write_metrics(const dlab_check_result *r, uint64_t planted, bool bad, metrics *out)
{
    const bool yes = r->verdict == DLAB_VERDICT_YES, no = r->verdict == DLAB_VERDICT_NO;
    out->linearizable = (dlab_ratio){ yes, yes || no };
    out->undecided = (dlab_ratio){ !yes && !no, 1 };
    out->false_alarms = (dlab_ratio){ no && planted == 0, planted == 0 };
    out->missed = (dlab_ratio){ yes && bad, bad };
    out->states = (int64_t)r->states;
    out->dead_states = (int64_t)r->dead;
    out->peak_memory = (int64_t)r->peak_bytes;
    out->open_ops = r->window;
    out->planted = (int64_t)planted;
    out->window_ops = r->window_count > 0 ? (double)r->window_count : NAN;
    out->shrunk_ops = r->shrunk_count > 0 ? (double)r->shrunk_count : NAN;
}

static bool poll(void *ctx, uint64_t states) { return dlab_step(ctx, states) != DLAB_OK; }

static int judge(const params *p, const dlab_history *h, uint64_t planted, metrics *out, dlab_ctx *ctx)
{
    const dlab_check_options options = { .specification = specification_of(p),
                                         .criterion = p->criterion,
                                         .fail_semantics = p->fail_semantics,
                                         .bug = p->bug,
                                         .switched_off = p->switched_off,
                                         .states_max = (uint64_t)p->states_max,
                                         .order = dlab_wants(ctx, HISTORY_TABLE),
                                         .explain = p->explain,
                                         .shrink = p->explain,
                                         .poll = poll,
                                         .poll_arg = ctx };
    dlab_check_result r;
    if (dlab_check_history(h, &options, ctx->arena.memory, &r, &ctx->err)) return ctx->err.code;
    const bool registers = p->generator == DLAB_GENERATOR_REGISTER && p->values == 0;
    const bool bad = registers && p->criterion == DLAB_CRITERION_LINEARIZABILITY && proven_bad(h, p, ctx);
    write_metrics(&r, planted, bad, out);
    if (ctx->err.code == DLAB_OK && dlab_wants(ctx, HISTORY_TABLE)) (void)emit_history(h, &r, ctx);
    dlab_check_result_free(&r);
    return ctx->err.code;
}

static int run(const void *params_, void *metrics_, dlab_ctx *ctx)
{
    const params *p = params_;
    const dlab_generator g = { .kind = p->generator,
                               .ops = p->ops,
                               .clients = p->clients,
                               .keys = p->keys,
                               .values = p->values,
                               .read_fraction = p->read_fraction,
                               .crash_rate = p->crash_fraction,
                               .bug_rate = p->bug_rate,
                               .think = p->idle_ratio };
    dlab_history h;
    dlab_rng rng;
    uint64_t planted = 0;
    if (dlab_step(ctx, (uint64_t)p->ops)) return ctx->err.code;
    if (dlab_history_open(&h, ctx->arena.memory, &ctx->err)) return ctx->err.code;
    dlab_stream(ctx, &rng, DLAB_PURPOSE_CLIENT, 0);
    if (dlab_generate_history(&g, &rng, &h, &planted, &ctx->err) == DLAB_OK)
        (void)judge(p, &h, planted, metrics_, ctx);
    dlab_history_close(&h);
    return ctx->err.code;
}

static int check(const void *params_, const dlab_pool *pool, dlab_error *err)
{
    const params *p = params_;
    const int32_t s = specification_of(p);
    const bool plain = p->generator == DLAB_GENERATOR_REGISTER,
               cas = p->generator == DLAB_GENERATOR_CAS_REGISTER;
    const bool fits =
        s == specification_of(&(params){ .generator = p->generator }) ||
        ((plain || cas) && (s == DLAB_SPECIFICATION_CAS_REGISTER || s == DLAB_SPECIFICATION_KEY_VALUE)) ||
        (plain && s == DLAB_SPECIFICATION_MULTI_REGISTER);
    (void)pool;
    if (fits) return DLAB_OK;
    return dlab_fail(
        err, DLAB_EINVAL,
        "specification = %s does not fit generator = %s: they have other operations; use as_generated",
        specifications[p->specification], generators[p->generator]);
}

static double steps(const void *params_, const dlab_pool *pool)
{
    const params *p = params_;
    (void)pool;
    return (double)p->ops;
}

static const char *const theory_columns[] = { "false_alarms", "missed", NULL };

/* What a right checker does, whatever the parameters. */
static int theory(const void *params_, double *values, dlab_ctx *ctx)
{
    (void)params_;
    (void)ctx;
    values[0] = values[1] = 0;
    return DLAB_OK;
}

const dlab_model dlab_check_linearizability = {
    .abi = DLAB_ABI,
    .name = "check.linearizability",
    .title = "A linearizability checker on made-up histories",
    .doc =
        "Clients work on registers, stores, sets, queues, stacks, counters or locks; their history, with "
        "operations of unknown outcome and planted defects, is searched for a legal order, object by object. "
        "Three verdicts; a no comes with its shortest failing window.",
    .source =
        "Herlihy and Wing (ACM TOPLAS 12(3), 1990); Wing and Gong (J. Par. Distr. Comp. 17, 1993); Lowe "
        "(Concurrency Pract. Exp. 29, 2017); Horn and Kroening (FORTE 2015); Gibbons and Korach (SIAM J. "
        "Comput. 26(4), 1997)",
    .params = param_fields,
    .metrics = metric_fields,
    .params_size = sizeof(params),
    .metrics_size = sizeof(metrics),
    .outputs = output_tables,
    .bugs = bugs,
    .theory_columns = theory_columns,
    .check = check,
    .steps = steps,
    .run = run,
    .theory = theory,
};
