/* Histories made up: a closed loop of clients. Each calls, its operation takes effect at one instant drawn
 * uniformly between call and answer, it answers, and the client goes on. So the history is linearizable,
 * by the order of those instants, unless a defect is planted.
 *
 * Some operations never answer. Half of them take effect, up to some ten durations later; their client
 * goes on under a new process number. Durations and pauses are exponential; the mean duration is 1 ms. */
#include <stdio.h>
#include <string.h>

#include <distlab/scheduler.h>

#include "check/objects.h"

enum { CALL, EFFECT, ANSWER };
enum { CLIENTS_MAX = 10000, OPS_MAX = 100000000, KEYS_MAX = 10000000, SET_DOMAIN = 16 };
static const double mean_duration = 1e6; /* ns */

typedef struct maker {
    const dlab_generator *g;
    dlab_rng *rng;
    dlab_history *history;
    dlab_objects objects;
    dlab_scheduler events;
    int64_t *process, *holds; /* of each client: its number, the lock it holds or -1 */
    int64_t made, written;    /* operations called; values used up */
    uint64_t planted;
    dlab_error *err;
} maker;

static bool chance(maker *m, double p) { return dlab_rng_unit(m->rng) < p; }

static int64_t below(maker *m, int64_t n) { return (int64_t)dlab_rng_below(m->rng, (uint64_t)n); }

static int64_t new_value(maker *m) { return m->g->values > 0 ? 1 + below(m, m->g->values) : ++m->written; }

/* A value that may well be there now, for the first half of a compare-and-set. */
static int64_t guess(maker *m, const dlab_object *o)
{
    if (m->g->values > 0 && chance(m, 0.5)) return 1 + below(m, m->g->values);
    return o->value;
}

static dlab_operation *at(maker *m, uint64_t k)
{
    return (dlab_operation *)(void *)m->history->operations.rows + k;
}

static int ask_cas(maker *m, dlab_operation *op, const dlab_object *o)
{
    const dlab_value pair[2] = { dlab_int(guess(m, o)), dlab_int(new_value(m)) };
    op->f = DLAB_F_CAS;
    return dlab_history_list(m->history, pair, 2, &op->argument, m->err);
}

static int ask_text(maker *m, dlab_operation *op)
{
    char text[40];
    uint32_t id = 0;
    const int length =
        snprintf(text, sizeof text, "x %lld %lld y", (long long)op->process, (long long)m->made);
    op->f = chance(m, 0.1) ? DLAB_F_PUT : DLAB_F_APPEND;
    const int code = dlab_history_intern(m->history, text, (size_t)length, &id, m->err);
    op->argument = dlab_text(id);
    return code;
}

/* A transaction of two parts, on two registers where there are two. */
static int ask_transaction(maker *m, dlab_operation *op)
{
    dlab_value parts[2];
    int64_t key = below(m, m->g->keys);
    for (int i = 0; i < 2; i++) {
        const bool reads = chance(m, m->g->read_fraction);
        const dlab_value part[3] = { dlab_text(reads ? DLAB_F_R : DLAB_F_W), dlab_int(key),
                                     reads ? dlab_nil() : dlab_int(new_value(m)) };
        const int code = dlab_history_list(m->history, part, 3, &parts[i], m->err);
        if (code != DLAB_OK) return code;
        key = (key + 1) % m->g->keys;
    }
    op->f = DLAB_F_TXN;
    op->key = dlab_nil();
    return dlab_history_list(m->history, parts, 2, &op->argument, m->err);
}

/* What a client asks next, of an object picked uniformly. */
static int ask(maker *m, uint32_t client, dlab_operation *op)
{
    const bool reads = chance(m, m->g->read_fraction);
    const int64_t key = below(m, m->g->keys);
    op->key = dlab_int(key);
    switch (m->g->kind) {
    case DLAB_GENERATOR_MULTI_REGISTER: return ask_transaction(m, op);
    case DLAB_GENERATOR_KEY_VALUE: op->f = DLAB_F_GET; return reads ? DLAB_OK : ask_text(m, op);
    case DLAB_GENERATOR_SET:
        op->f = !reads ? (chance(m, 0.6) ? DLAB_F_ADD : DLAB_F_REMOVE)
                       : (chance(m, 0.5) ? DLAB_F_READ : DLAB_F_CONTAINS);
        if (op->f != DLAB_F_READ)
            op->argument = dlab_int(1 + below(m, m->g->values > 0 ? m->g->values : SET_DOMAIN));
        return DLAB_OK;
    case DLAB_GENERATOR_QUEUE:
    case DLAB_GENERATOR_STACK:
        op->f = m->g->kind == DLAB_GENERATOR_QUEUE ? (reads ? DLAB_F_DEQUEUE : DLAB_F_ENQUEUE)
                                                   : (reads ? DLAB_F_POP : DLAB_F_PUSH);
        break;
    case DLAB_GENERATOR_COUNTER:
        op->f = reads ? DLAB_F_READ : DLAB_F_ADD;
        if (!reads) op->argument = dlab_int(1 + below(m, m->g->values > 0 ? m->g->values : 3));
        return DLAB_OK;
    case DLAB_GENERATOR_MUTEX:
        op->f = m->holds[client] >= 0 ? DLAB_F_RELEASE : DLAB_F_ACQUIRE;
        if (m->holds[client] >= 0) op->key = dlab_int(m->holds[client]);
        return DLAB_OK;
    case DLAB_GENERATOR_LIST_APPEND: op->f = reads ? DLAB_F_READ : DLAB_F_APPEND; break;
    default:
        op->f = reads ? DLAB_F_READ : DLAB_F_WRITE;
        if (m->g->kind == DLAB_GENERATOR_CAS_REGISTER && !reads && chance(m, 0.5))
            return ask_cas(m, op, &m->objects.at[key]);
    }
    if (!reads) op->argument = dlab_int(new_value(m));
    return DLAB_OK;
}

static bool schedule(maker *m, uint32_t kind, uint32_t client, double after, uint64_t k, uint64_t lost)
{
    const dlab_event e = {
        .time = m->events.now + (int64_t)after, .kind = kind, .node = client, .a = k, .b = lost
    };
    return dlab_schedule(&m->events, &e, 0).word != 0;
}

static double pause(maker *m) { return dlab_rng_exponential(m->rng) * mean_duration; }

static int call(maker *m, uint32_t client)
{
    const uint64_t k = m->history->operations.count;
    if (m->made >= m->g->ops) return DLAB_OK;
    m->made++;
    dlab_operation op = { .process = m->process[client],
                          .call = m->events.now,
                          .ret = DLAB_NEVER,
                          .outcome = DLAB_HISTORY_INFO,
                          .called = m->history->events++,
                          .returned = DLAB_NO_EVENT };
    int code = ask(m, client, &op);
    if (code == DLAB_OK) code = dlab_buffer_push(&m->history->operations, m->history->memory, &op, 1, m->err);
    if (code != DLAB_OK) return code;
    const bool lost = chance(m, m->g->crash_rate);
    const double duration = pause(m), effect = dlab_rng_unit(m->rng);
    if (lost) {
        m->process[client] += m->g->clients;
        m->holds[client] = -1;
        if (chance(m, 0.5) && !schedule(m, EFFECT, client, 10 * duration * effect, k, 1)) return m->err->code;
        return schedule(m, CALL, client, duration, 0, 0) ? DLAB_OK : m->err->code;
    }
    if (!schedule(m, EFFECT, client, duration * effect, k, 0)) return m->err->code;
    return schedule(m, ANSWER, client, duration, k, 0) ? DLAB_OK : m->err->code;
}

static int effect(maker *m, const dlab_event *e)
{
    bool planted;
    const int code = dlab_objects_apply(&m->objects, at(m, e->a), chance(m, m->g->bug_rate), &planted);
    if (e->b) {
        at(m, e->a)->outcome = DLAB_HISTORY_INFO;
        at(m, e->a)->result = dlab_nil();
    }
    m->planted += planted;
    return code;
}

static int answer(maker *m, const dlab_event *e)
{
    dlab_operation *op = at(m, e->a);
    op->ret = m->events.now;
    op->returned = m->history->events++;
    if (op->f == DLAB_F_ACQUIRE && op->outcome == DLAB_HISTORY_OK) m->holds[e->node] = op->key.number;
    if (op->f == DLAB_F_RELEASE) m->holds[e->node] = -1;
    const double think = m->g->think > 0 ? m->g->think * pause(m) : 0;
    return schedule(m, CALL, e->node, think, 0, 0) ? DLAB_OK : m->err->code;
}

static int make(maker *m)
{
    dlab_event e;
    int code = DLAB_OK;
    for (int64_t c = 0; c < m->g->clients; c++) {
        m->process[c] = c;
        m->holds[c] = -1;
        if (!schedule(m, CALL, (uint32_t)c, pause(m), 0, 0)) return m->err->code;
    }
    while (code == DLAB_OK && dlab_next(&m->events, INT64_MAX, &e))
        code = e.kind == CALL ? call(m, e.node) : e.kind == EFFECT ? effect(m, &e) : answer(m, &e);
    return code;
}

static int check_number(dlab_error *err, const char *name, double value, double least, double most)
{
    if (value >= least && value <= most) return DLAB_OK;
    return dlab_fail(err, DLAB_ERANGE, "%s = %g is outside [%g, %g]", name, value, least, most);
}

static int check(const dlab_generator *g, const dlab_history *h, dlab_error *err)
{
    if (h->operations.count != 0)
        return dlab_fail(err, DLAB_EINVAL, "a made-up history needs an empty one to fill");
    if (g->kind < 0 || g->kind > DLAB_GENERATOR_LIST_APPEND)
        return dlab_fail(err, DLAB_ERANGE, "generator %d is outside [0, %d]", g->kind,
                         DLAB_GENERATOR_LIST_APPEND);
    int code = check_number(err, "ops", (double)g->ops, 0, OPS_MAX);
    if (code == DLAB_OK) code = check_number(err, "clients", (double)g->clients, 1, CLIENTS_MAX);
    if (code == DLAB_OK) code = check_number(err, "keys", (double)g->keys, 1, KEYS_MAX);
    if (code == DLAB_OK) code = check_number(err, "values", (double)g->values, 0, 1e9);
    if (code == DLAB_OK) code = check_number(err, "read_fraction", g->read_fraction, 0, 1);
    if (code == DLAB_OK) code = check_number(err, "crash_rate", g->crash_rate, 0, 1);
    if (code == DLAB_OK) code = check_number(err, "bug_rate", g->bug_rate, 0, 1);
    if (code == DLAB_OK) code = check_number(err, "think", g->think, 0, 1e6);
    return code;
}

int dlab_generate_history(const dlab_generator *generator, dlab_rng *rng, dlab_history *history,
                          uint64_t *planted, dlab_error *err)
{
    dlab_error own = { 0 };
    maker m = { .g = generator, .rng = rng, .history = history, .err = err != NULL ? err : &own };
    int code = check(generator, history, m.err);
    if (code != DLAB_OK) return code;
    const size_t bytes = 2 * (size_t)generator->clients * sizeof *m.process;
    m.process = dlab_memory_realloc(history->memory, NULL, 0, bytes, m.err);
    if (m.process == NULL) return m.err->code;
    m.holds = m.process + generator->clients;
    code = dlab_scheduler_open(&m.events, history->memory, m.err);
    if (code == DLAB_OK) code = dlab_objects_open(&m.objects, generator, history, m.err);
    if (code == DLAB_OK) code = make(&m);
    dlab_objects_close(&m.objects);
    dlab_scheduler_close(&m.events);
    dlab_memory_free(history->memory, m.process, bytes);
    history->ordered = true;
    if (planted != NULL) *planted = m.planted;
    return code;
}
