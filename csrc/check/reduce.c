/* What each operation means to its specification: a kind and operands, or nothing at all. A user's mistake
 * (a function the specification does not know, an argument of the wrong kind) is an error that shows the
 * operation. */
#include <inttypes.h>
#include <string.h>

#include "check/plan.h"

enum { SHOWN = 100 };

static const char *const functions_of[] = {
#define X(code, name, functions) functions,
    DLAB_SPECIFICATIONS(X)
#undef X
};
static const char *const name_of[] = {
#define X(code, name, functions) name,
    DLAB_SPECIFICATIONS(X)
#undef X
};

/* Short names of logs, and those of other specifications for the same thing. */
static uint32_t plain(uint32_t f)
{
    switch (f) {
    case DLAB_F_R:
    case DLAB_F_GET: return DLAB_F_READ;
    case DLAB_F_W:
    case DLAB_F_PUT: return DLAB_F_WRITE;
    case DLAB_F_ENQ: return DLAB_F_ENQUEUE;
    case DLAB_F_DEQ: return DLAB_F_DEQUEUE;
    case DLAB_F_LOCK: return DLAB_F_ACQUIRE;
    case DLAB_F_UNLOCK: return DLAB_F_RELEASE;
    default: return f;
    }
}

static bool refuse(const dlab_plan *p, const dlab_operation *op, const char *what, dlab_value value,
                   const char *expected, dlab_error *err)
{
    char text[SHOWN];
    (void)dlab_value_format(p->history, value, text, sizeof text);
    (void)dlab_fail(err, DLAB_ETYPE, "operation %zu, %s by process %" PRId64 ": %s is %s; expected %s",
                    (size_t)(op - dlab_history_at(p->history, 0)) + 1,
                    dlab_history_text(p->history, op->f, NULL), op->process, what, text, expected);
    return false;
}

static bool unknown_function(const dlab_plan *p, const dlab_operation *op, dlab_error *err)
{
    const int32_t s = p->options->specification;
    (void)dlab_fail(err, DLAB_ENAME, "operation %zu: specification %s does not know %s; it knows %s",
                    (size_t)(op - dlab_history_at(p->history, 0)) + 1, name_of[s],
                    dlab_history_text(p->history, op->f, NULL), functions_of[s]);
    return false;
}

static uint32_t id(dlab_plan *p, dlab_value v, dlab_error *err) { return dlab_value_id(&p->values, v, err); }

/* What a register holds. In a store of texts a key that was never written reads as the empty text. */
static uint32_t held(dlab_plan *p, dlab_value v, dlab_error *err)
{
    if (p->options->specification == DLAB_SPECIFICATION_KEY_VALUE && v.kind == DLAB_VALUE_TEXT) {
        size_t length;
        (void)dlab_history_text(p->history, (uint32_t)v.number, &length);
        if (length == 0) v = dlab_nil();
    }
    return id(p, v, err);
}

/* What is known of the answer. */
typedef enum knowledge { ANSWERED, REFUSED, OPEN, NOT_HAPPENED } knowledge;

static knowledge known(const dlab_plan *p, const dlab_operation *op)
{
    if (op->outcome == DLAB_HISTORY_OK) return ANSWERED;
    if (op->outcome == DLAB_HISTORY_INFO)
        return p->options->bug == DLAB_CHECK_BUG_UNKNOWN_TREATED_AS_FAILED ? NOT_HAPPENED : OPEN;
    if (p->options->fail_semantics == DLAB_FAIL_MAYBE) return OPEN;
    return p->options->fail_semantics == DLAB_FAIL_MISMATCH ? REFUSED : NOT_HAPPENED;
}

/* A compare-and-set of a to b: also what locks are made of. */
static bool cas(knowledge k, uint32_t a, uint32_t b, dlab_act *act)
{
    act->a = a;
    act->b = b;
    act->kind = k == REFUSED ? DLAB_ACT_NOT : a == b ? DLAB_ACT_READ : DLAB_ACT_CAS;
    act->reads = act->kind != DLAB_ACT_CAS;
    return k != OPEN || !act->reads;
}

static bool reduce_register(dlab_plan *p, const dlab_operation *op, knowledge k, dlab_act *act,
                            dlab_error *err)
{
    const int32_t s = p->options->specification;
    switch (plain(op->f)) {
    case DLAB_F_READ:
        act->kind = DLAB_ACT_READ;
        act->reads = true;
        act->a = held(p, op->result, err);
        return k == ANSWERED;
    case DLAB_F_WRITE:
        act->kind = DLAB_ACT_WRITE;
        act->a = held(p, op->argument, err);
        return k != REFUSED;
    case DLAB_F_CAS: {
        if (s == DLAB_SPECIFICATION_REGISTER) return unknown_function(p, op, err);
        if (op->argument.kind != DLAB_VALUE_LIST || op->argument.count != 2)
            return refuse(p, op, "its argument", op->argument, "[old new]", err);
        const dlab_value *pair = dlab_history_elements(p->history, op->argument);
        const uint32_t a = held(p, pair[0], err), b = held(p, pair[1], err);
        const bool said_no = op->result.kind == DLAB_VALUE_BOOL && op->result.number == 0;
        return cas(k == ANSWERED && said_no ? REFUSED : k, a, b, act);
    }
    default: return unknown_function(p, op, err);
    }
}

static bool reduce_mutex(dlab_plan *p, const dlab_operation *op, knowledge k, dlab_act *act, dlab_error *err)
{
    const uint32_t unlocked = id(p, dlab_bool(false), err), locked = id(p, dlab_bool(true), err);
    if (plain(op->f) == DLAB_F_ACQUIRE) return cas(k, unlocked, locked, act);
    if (plain(op->f) == DLAB_F_RELEASE) return cas(k, locked, unlocked, act);
    return unknown_function(p, op, err);
}

/* Members one by one: each is a register that holds true or false. */
static bool reduce_member(dlab_plan *p, const dlab_operation *op, knowledge k, dlab_act *act, dlab_error *err)
{
    act->kind = DLAB_ACT_WRITE;
    if (op->f == DLAB_F_ADD || op->f == DLAB_F_REMOVE) {
        act->a = id(p, dlab_bool(op->f == DLAB_F_ADD), err);
        return k != REFUSED;
    }
    if (op->f != DLAB_F_CONTAINS) return unknown_function(p, op, err);
    act->kind = DLAB_ACT_READ;
    act->reads = true;
    if (k != ANSWERED) return false;
    if (op->result.kind != DLAB_VALUE_BOOL)
        return refuse(p, op, "its result", op->result, "true or false", err);
    act->a = id(p, op->result, err);
    return true;
}

static bool reduce_set(dlab_plan *p, const dlab_operation *op, knowledge k, dlab_act *act, dlab_error *err)
{
    act->reads = op->f == DLAB_F_CONTAINS || plain(op->f) == DLAB_F_READ;
    act->kind = op->f == DLAB_F_ADD ? DLAB_ACT_ADD : DLAB_ACT_REMOVE;
    if (plain(op->f) == DLAB_F_READ) {
        act->kind = DLAB_ACT_READ;
        if (k != ANSWERED) return false;
        if (op->result.kind != DLAB_VALUE_LIST && op->result.kind != DLAB_VALUE_NIL)
            return refuse(p, op, "its result", op->result, "a list", err);
        const dlab_value *members = dlab_history_elements(p->history, op->result);
        for (uint32_t i = 0; i < op->result.count; i++)
            if (id(p, members[i], err) == DLAB_NONE) return false;
        act->a = id(p, op->result, err);
        return true;
    }
    act->a = id(p, op->argument, err);
    if (op->f == DLAB_F_ADD || op->f == DLAB_F_REMOVE) return k != REFUSED;
    if (op->f != DLAB_F_CONTAINS) return unknown_function(p, op, err);
    act->kind = DLAB_ACT_HAS;
    if (k != ANSWERED) return false;
    if (op->result.kind != DLAB_VALUE_BOOL)
        return refuse(p, op, "its result", op->result, "true or false", err);
    act->b = op->result.number != 0;
    return true;
}

static bool is_sequence(const dlab_plan *p, dlab_value v, bool whole)
{
    if (v.kind == DLAB_VALUE_NIL) return whole;
    if (p->family == DLAB_FAMILY_TEXT) return v.kind == DLAB_VALUE_TEXT;
    return whole ? v.kind == DLAB_VALUE_LIST : true;
}

static bool reduce_sequence(dlab_plan *p, const dlab_operation *op, knowledge k, dlab_act *act,
                            dlab_error *err)
{
    const uint32_t f = plain(op->f);
    const char *whole = p->family == DLAB_FAMILY_TEXT ? "text or nil" : "a list or nil";
    act->reads = f == DLAB_F_READ;
    act->kind = f == DLAB_F_READ ? DLAB_ACT_READ : f == DLAB_F_APPEND ? DLAB_ACT_APPEND : DLAB_ACT_WRITE;
    if (f == DLAB_F_READ) {
        if (k != ANSWERED) return false;
        if (!is_sequence(p, op->result, true)) return refuse(p, op, "its result", op->result, whole, err);
        act->a = act->source; /* what it saw stays in the history: it may be long */
        return true;
    }
    if (f == DLAB_F_APPEND) {
        if (!is_sequence(p, op->argument, false))
            return refuse(p, op, "its argument", op->argument,
                          p->family == DLAB_FAMILY_TEXT ? "text" : "a value", err);
    } else if (f != DLAB_F_WRITE || p->options->specification == DLAB_SPECIFICATION_LIST_APPEND) {
        return unknown_function(p, op, err);
    } else if (!is_sequence(p, op->argument, true)) {
        return refuse(p, op, "its argument", op->argument, whole, err);
    }
    act->a = id(p, op->argument, err);
    return k != REFUSED;
}

static bool reduce_line(dlab_plan *p, const dlab_operation *op, knowledge k, dlab_act *act, dlab_error *err)
{
    const bool queue = p->family == DLAB_FAMILY_QUEUE;
    const uint32_t f = plain(op->f);
    if (f == (queue ? DLAB_F_ENQUEUE : DLAB_F_PUSH)) {
        act->kind = DLAB_ACT_PUT_IN;
        act->a = id(p, op->argument, err);
        return k != REFUSED;
    }
    if (f != (queue ? DLAB_F_DEQUEUE : DLAB_F_POP)) return unknown_function(p, op, err);
    const bool empty = k == REFUSED || op->result.kind == DLAB_VALUE_NIL;
    act->kind = k == OPEN ? DLAB_ACT_TAKE_ANY : empty ? DLAB_ACT_EMPTY : DLAB_ACT_TAKE;
    act->reads = act->kind == DLAB_ACT_EMPTY;
    if (act->kind == DLAB_ACT_TAKE) act->a = id(p, op->result, err);
    return true;
}

static void put_number(dlab_act *act, uint64_t n)
{
    act->a = (uint32_t)n;
    act->b = (uint32_t)(n >> 32);
}

static bool reduce_counter(dlab_plan *p, const dlab_operation *op, knowledge k, dlab_act *act,
                           dlab_error *err)
{
    if (plain(op->f) == DLAB_F_READ) {
        act->kind = DLAB_ACT_READ;
        act->reads = true;
        if (k != ANSWERED) return false;
        if (op->result.kind != DLAB_VALUE_INT)
            return refuse(p, op, "its result", op->result, "an integer", err);
        put_number(act, (uint64_t)op->result.number);
        return true;
    }
    if (op->f != DLAB_F_ADD && op->f != DLAB_F_INCREMENT && op->f != DLAB_F_DECREMENT)
        return unknown_function(p, op, err);
    const bool by_one = op->f != DLAB_F_ADD && op->argument.kind == DLAB_VALUE_NIL;
    if (!by_one && op->argument.kind != DLAB_VALUE_INT)
        return refuse(p, op, "its argument", op->argument, "an integer", err);
    const uint64_t step = by_one ? 1 : (uint64_t)op->argument.number;
    act->kind = DLAB_ACT_COUNT;
    put_number(act, op->f == DLAB_F_DECREMENT ? 0 - step : step);
    return k != REFUSED && step != 0;
}

static bool add_part(dlab_plan *p, dlab_value key, dlab_value value, bool writes, dlab_act *act,
                     dlab_error *err)
{
    const dlab_part part = { .slot = dlab_value_id(&p->keys, key, err),
                             .value = id(p, value, err),
                             .writes = writes };
    act->reads &= !writes;
    act->b++;
    return !dlab_buffer_push(&p->parts, p->memory, &part, 1, err);
}

static bool reduce_parts(dlab_plan *p, const dlab_operation *op, knowledge k, dlab_act *act, dlab_error *err)
{
    const dlab_value list = k == ANSWERED && op->f == DLAB_F_TXN ? op->result : op->argument;
    const char *expected = "a list of [r key value] and [w key value]";
    act->kind = k == OPEN ? DLAB_ACT_PARTS_BLIND : DLAB_ACT_PARTS;
    act->reads = true;
    act->a = (uint32_t)p->parts.count;
    if (k == REFUSED) return false;
    if (plain(op->f) == DLAB_F_READ || plain(op->f) == DLAB_F_WRITE) {
        const bool writes = plain(op->f) == DLAB_F_WRITE;
        return add_part(p, op->key, writes ? op->argument : op->result, writes, act, err) &&
               (k == ANSWERED || !act->reads);
    }
    if (op->f != DLAB_F_TXN) return unknown_function(p, op, err);
    if (list.kind != DLAB_VALUE_LIST) return refuse(p, op, "its value", list, expected, err);
    for (uint32_t i = 0; i < list.count; i++) {
        const dlab_value row = dlab_history_elements(p->history, list)[i];
        if (row.kind != DLAB_VALUE_LIST || row.count != 3)
            return refuse(p, op, "its value", list, expected, err);
        const dlab_value *part = dlab_history_elements(p->history, row);
        const uint32_t f = part[0].kind == DLAB_VALUE_TEXT ? plain((uint32_t)part[0].number) : DLAB_F_COUNT;
        if (f != DLAB_F_READ && f != DLAB_F_WRITE) return refuse(p, op, "its value", list, expected, err);
        if (!add_part(p, part[1], part[2], f == DLAB_F_WRITE, act, err)) return false;
    }
    return k == ANSWERED || !act->reads;
}

/* Equal operations are of one class: the user's step is asked once for each. */
static uint32_t class_of(dlab_plan *p, const dlab_operation *op, int32_t outcome, dlab_error *err)
{
    const bool answered = outcome != DLAB_HISTORY_INFO;
    const uint32_t source = (uint32_t)(op - dlab_history_at(p->history, 0));
    const uint32_t content[] = { op->f, dlab_value_id(&p->keys, op->key, err), id(p, op->argument, err),
                                 answered ? id(p, op->result, err) : DLAB_NONE, (uint32_t)outcome };
    const uint32_t class = dlab_words_intern(&p->classes, content, sizeof content / sizeof content[0], err);
    if (class != UINT32_MAX && class == p->class_sources.count)
        (void)dlab_buffer_push(&p->class_sources, p->memory, &source, 1, err);
    return class;
}

static bool reduce_user(dlab_plan *p, const dlab_operation *op, knowledge k, dlab_act *act, dlab_error *err)
{
    const dlab_user_specification *u = p->options->user;
    act->kind = DLAB_ACT_USER;
    act->reads = u->reads != NULL && u->reads(u->self, p->history, op);
    act->b = class_of(p, op, DLAB_HISTORY_INFO, err);
    act->a = k == OPEN ? act->b : class_of(p, op, op->outcome, err);
    return k != OPEN || !act->reads;
}

bool dlab_plan_reduce(dlab_plan *plan, const dlab_operation *op, dlab_act *act, dlab_value *object,
                      dlab_error *err)
{
    const knowledge k = known(plan, op);
    if (k == NOT_HAPPENED) return false;
    act->returned = k == OPEN ? DLAB_NONE : op->returned;
    *object = op->key;
    switch (plan->family) {
    case DLAB_FAMILY_TEXT:
    case DLAB_FAMILY_LIST: return reduce_sequence(plan, op, k, act, err);
    case DLAB_FAMILY_SET: return reduce_set(plan, op, k, act, err);
    case DLAB_FAMILY_QUEUE:
    case DLAB_FAMILY_STACK: return reduce_line(plan, op, k, act, err);
    case DLAB_FAMILY_COUNTER: return reduce_counter(plan, op, k, act, err);
    case DLAB_FAMILY_PARTS: *object = dlab_nil(); return reduce_parts(plan, op, k, act, err);
    case DLAB_FAMILY_USER:
        if (!plan->options->user->by_key) *object = dlab_nil();
        return reduce_user(plan, op, k, act, err);
    default: break;
    }
    if (plan->options->specification == DLAB_SPECIFICATION_MUTEX) return reduce_mutex(plan, op, k, act, err);
    if (plan->options->specification != DLAB_SPECIFICATION_SET) return reduce_register(plan, op, k, act, err);
    const uint32_t member[] = { dlab_value_id(&plan->keys, op->key, err), id(plan, op->argument, err) };
    *object = dlab_int(dlab_words_intern(&plan->classes, member, 2, err));
    return reduce_member(plan, op, k, act, err);
}
