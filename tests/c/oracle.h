/* The second witness of the linearizability checker: objects written down naively, histories of a few
 * operations drawn at random, and every order of them tried. Nothing is shared with the checker but the
 * history itself. */
#ifndef DISTLAB_TEST_ORACLE_H
#define DISTLAB_TEST_ORACLE_H
#include <stdio.h>
#include <string.h>

#include <distlab/check.h>

#ifndef ITEMS_MAX
#define ITEMS_MAX 64 /* of one sequence; bytes of a text */
#endif
enum { SMALL_OPS = 7, SMALL_KEYS = 2, LARGE_OPS = 64 };
#define ABSENT (-1) /* nil */

/* Every object there is, for every key. */
typedef struct world {
    int64_t value[SMALL_KEYS];
    int64_t items[SMALL_KEYS][ITEMS_MAX];
    int count[SMALL_KEYS];
} world;

static inline world world_new(int32_t specification)
{
    world w = { .count = { 0 } };
    const bool nil = specification != DLAB_SPECIFICATION_COUNTER && specification != DLAB_SPECIFICATION_MUTEX;
    for (int k = 0; k < SMALL_KEYS; k++) w.value[k] = nil ? ABSENT : 0;
    return w;
}

static inline int64_t plain_value(dlab_value v) { return v.kind == DLAB_VALUE_NIL ? ABSENT : v.number; }

static inline bool same_list(const dlab_history *h, dlab_value list, const int64_t *items, int count)
{
    if (list.kind == DLAB_VALUE_NIL) return count == 0;
    if (list.kind == DLAB_VALUE_TEXT) {
        size_t length;
        const char *text = dlab_history_text(h, (uint32_t)list.number, &length);
        for (size_t i = 0; i < length; i++)
            if (i >= (size_t)count || items[i] != text[i]) return false;
        return length == (size_t)count;
    }
    for (uint32_t i = 0; i < list.count; i++)
        if (i >= (uint32_t)count || dlab_history_elements(h, list)[i].number != items[i]) return false;
    return list.count == (uint32_t)count;
}

static inline int find_item(const world *w, int key, int64_t item)
{
    for (int i = 0; i < w->count[key]; i++)
        if (w->items[key][i] == item) return i;
    return -1;
}

/* How much is known of an operation's answer. */
enum { ANSWERED, REFUSED, OPEN, NOTHING };

static inline int knowledge_of(const dlab_operation *op, int32_t fail_semantics)
{
    if (op->outcome == DLAB_HISTORY_OK) return ANSWERED;
    if (op->outcome == DLAB_HISTORY_INFO || fail_semantics == DLAB_FAIL_MAYBE) return OPEN;
    if (fail_semantics == DLAB_FAIL_NEVER) return NOTHING;
    const bool says = op->f == DLAB_F_CAS || op->f == DLAB_F_DEQUEUE || op->f == DLAB_F_POP ||
                      op->f == DLAB_F_ACQUIRE || op->f == DLAB_F_RELEASE;
    return says ? REFUSED : NOTHING;
}

static inline void append_text(const dlab_history *h, world *w, int key, dlab_value v, bool put)
{
    size_t length = 0;
    const char *text = v.kind == DLAB_VALUE_TEXT ? dlab_history_text(h, (uint32_t)v.number, &length) : "";
    if (put) w->count[key] = 0;
    for (size_t i = 0; i < length; i++) w->items[key][w->count[key]++] = text[i];
}

static inline bool apply_parts(const dlab_history *h, world *w, const dlab_operation *op, int known)
{
    const dlab_value list = known == ANSWERED ? op->result : op->argument;
    for (uint32_t i = 0; i < list.count; i++) {
        const dlab_value *part = dlab_history_elements(h, dlab_history_elements(h, list)[i]);
        int64_t *value = &w->value[part[1].number];
        if (part[0].number == DLAB_F_W) *value = part[2].number;
        else if (known == ANSWERED && *value != plain_value(part[2])) return false;
    }
    return true;
}

static inline bool apply_taking(world *w, int key, const dlab_operation *op, int known)
{
    const int at = op->f == DLAB_F_POP ? w->count[key] - 1 : 0;
    if (known == REFUSED || (known == ANSWERED && op->result.kind == DLAB_VALUE_NIL))
        return w->count[key] == 0;
    if (w->count[key] == 0) return known == OPEN;
    if (known == ANSWERED && w->items[key][at] != op->result.number) return false;
    memmove(&w->items[key][at], &w->items[key][at + 1], (size_t)(w->count[key] - at - 1) * sizeof(int64_t));
    w->count[key]--;
    return true;
}

static inline bool swap_if(int64_t *value, int64_t old, int64_t new, int known)
{
    if (known == REFUSED) return *value != old;
    if (*value != old) return false;
    *value = new;
    return true;
}

/* The operation takes effect; false where the specification does not allow what it answered. */
static inline bool apply(const dlab_history *h, int32_t specification, world *w, const dlab_operation *op,
                         int known)
{
    const int key = op->key.kind == DLAB_VALUE_INT ? (int)op->key.number : 0;
    int64_t *value = &w->value[key];
    const bool list = specification == DLAB_SPECIFICATION_LIST_APPEND;
    switch (op->f) {
    case DLAB_F_READ:
        if (known == OPEN) return true;
        if (list) return same_list(h, op->result, w->items[key], w->count[key]);
        if (specification != DLAB_SPECIFICATION_SET) return *value == plain_value(op->result);
        for (uint32_t i = 0; i < op->result.count; i++)
            if (find_item(w, key, dlab_history_elements(h, op->result)[i].number) < 0) return false;
        return op->result.count == (uint32_t)w->count[key];
    case DLAB_F_GET: return known == OPEN || same_list(h, op->result, w->items[key], w->count[key]);
    case DLAB_F_WRITE: *value = op->argument.number; return true;
    case DLAB_F_CAS: {
        const dlab_value *pair = dlab_history_elements(h, op->argument);
        return swap_if(value, pair[0].number, pair[1].number, known);
    }
    case DLAB_F_PUT: append_text(h, w, key, op->argument, true); return true;
    case DLAB_F_APPEND:
        if (list) w->items[key][w->count[key]++] = op->argument.number;
        else append_text(h, w, key, op->argument, false);
        return true;
    case DLAB_F_ADD:
        if (specification == DLAB_SPECIFICATION_COUNTER) *value += op->argument.number;
        else if (find_item(w, key, op->argument.number) < 0)
            w->items[key][w->count[key]++] = op->argument.number;
        return true;
    case DLAB_F_REMOVE: {
        const int at = find_item(w, key, op->argument.number);
        if (at >= 0) w->items[key][at] = w->items[key][--w->count[key]];
        return true;
    }
    case DLAB_F_CONTAINS:
        return known == OPEN || (find_item(w, key, op->argument.number) >= 0) == (op->result.number != 0);
    case DLAB_F_ENQUEUE:
    case DLAB_F_PUSH: w->items[key][w->count[key]++] = op->argument.number; return true;
    case DLAB_F_DEQUEUE:
    case DLAB_F_POP: return apply_taking(w, key, op, known);
    case DLAB_F_ACQUIRE: return swap_if(value, 0, 1, known);
    case DLAB_F_RELEASE: return swap_if(value, 1, 0, known);
    default: return apply_parts(h, w, op, known);
    }
}

/* Try every order. */
typedef struct permuter {
    const dlab_history *h;
    const dlab_check_options *o;
    uint32_t until; /* as the history stood right after this place; DLAB_NO_EVENT: complete */
    const bool *keep;
    size_t n;
    bool placed[LARGE_OPS];
} permuter;

static inline int known_now(const permuter *p, const dlab_operation *op)
{
    const int known = knowledge_of(op, p->o->fail_semantics);
    if (op->called > p->until || (p->keep != NULL && !p->keep[op - dlab_history_at(p->h, 0)])) return NOTHING;
    return known != NOTHING && op->returned > p->until ? OPEN : known;
}

/* An operation that must be in the order, and what comes before it. */
static inline bool blocked(const permuter *p, size_t by, const dlab_operation *op)
{
    const dlab_operation *other = dlab_history_at(p->h, by);
    const int known = known_now(p, other);
    if (p->placed[by] || known == OPEN || known == NOTHING) return false;
    if (p->o->criterion == DLAB_CRITERION_SEQUENTIAL)
        return other->process == op->process && other->called < op->called;
    return other->returned < op->called;
}

static inline bool any_order(permuter *p, const world *w)
{
    bool done = true;
    for (size_t i = 0; i < p->n && done; i++) {
        const int known = known_now(p, dlab_history_at(p->h, i));
        done = p->placed[i] || known == OPEN || known == NOTHING;
    }
    if (done) return true;
    for (size_t i = 0; i < p->n; i++) {
        const dlab_operation *op = dlab_history_at(p->h, i);
        const int known = known_now(p, op);
        bool free = !p->placed[i] && known != NOTHING;
        for (size_t k = 0; k < p->n && free; k++) free = k == i || !blocked(p, k, op);
        world next = *w;
        if (!free || !apply(p->h, p->o->specification, &next, op, known)) continue;
        p->placed[i] = true;
        const bool found = any_order(p, &next);
        p->placed[i] = false;
        if (found) return true;
    }
    return false;
}

static inline bool oracle(const dlab_history *h, const dlab_check_options *o, uint32_t until,
                          const bool *keep)
{
    permuter p = { .h = h, .o = o, .until = until, .keep = keep, .n = dlab_history_count(h) };
    const world w = world_new(o->specification);
    return any_order(&p, &w);
}

/* A random operation with small arguments; serial: what it writes is written once (0: drawn from two
 * values). */
static inline void draw_operation(dlab_history *h, dlab_rng *rng, int32_t s, int64_t serial,
                                  dlab_history_event *e)
{
    const int64_t v = serial > 0 ? serial : 1 + (int64_t)dlab_rng_below(rng, 2);
    const char text[3] = { 'x', (char)('a' + serial), '\0' };
    const uint64_t pick = dlab_rng_below(rng, 5);
    const dlab_value pair[2] = {
        dlab_int(1 + (int64_t)dlab_rng_below(rng, serial > 0 ? (uint64_t)serial : 2)), dlab_int(v)
    };
    e->key = dlab_int((int64_t)dlab_rng_below(rng, 4) / 3);
    e->value = dlab_int(v);
    uint32_t id;
    switch (s) {
    case DLAB_SPECIFICATION_CAS_REGISTER:
        e->f = pick < 2 ? DLAB_F_READ : pick < 3 ? DLAB_F_WRITE : DLAB_F_CAS;
        if (e->f == DLAB_F_CAS) (void)dlab_history_list(h, pair, 2, &e->value, NULL);
        break;
    case DLAB_SPECIFICATION_MULTI_REGISTER: {
        dlab_value parts[2];
        for (int i = 0; i < 2; i++) {
            const bool reads = dlab_rng_below(rng, 2) == 0;
            const dlab_value part[3] = { dlab_text(reads ? DLAB_F_R : DLAB_F_W),
                                         dlab_int((int64_t)dlab_rng_below(rng, SMALL_KEYS)),
                                         reads ? dlab_nil() : dlab_int(serial > 0 ? 2 * serial + i : v) };
            (void)dlab_history_list(h, part, 3, &parts[i], NULL);
        }
        e->f = DLAB_F_TXN;
        (void)dlab_history_list(h, parts, 1 + dlab_rng_below(rng, 2), &e->value, NULL);
        break;
    }
    case DLAB_SPECIFICATION_KEY_VALUE:
        e->f = pick < 2 ? DLAB_F_GET : pick < 4 ? DLAB_F_APPEND : DLAB_F_PUT;
        if (serial > 0) (void)dlab_history_intern(h, text, 2, &id, NULL);
        else (void)dlab_history_intern(h, v == 1 ? "a" : "ab", (size_t)v, &id, NULL);
        e->value = dlab_text(id);
        break;
    case DLAB_SPECIFICATION_SET:
        e->f = pick < 2 ? DLAB_F_ADD : pick < 3 ? DLAB_F_REMOVE : DLAB_F_CONTAINS;
        if (pick == 4 && dlab_rng_below(rng, 2) == 0) e->f = DLAB_F_READ;
        break;
    case DLAB_SPECIFICATION_QUEUE: e->f = pick < 3 ? DLAB_F_ENQUEUE : DLAB_F_DEQUEUE; break;
    case DLAB_SPECIFICATION_STACK: e->f = pick < 3 ? DLAB_F_PUSH : DLAB_F_POP; break;
    case DLAB_SPECIFICATION_COUNTER: e->f = pick < 2 ? DLAB_F_READ : DLAB_F_ADD; break;
    case DLAB_SPECIFICATION_MUTEX: e->f = pick < 3 ? DLAB_F_ACQUIRE : DLAB_F_RELEASE; break;
    case DLAB_SPECIFICATION_LIST_APPEND: e->f = pick < 3 ? DLAB_F_READ : DLAB_F_APPEND; break;
    default: e->f = pick < 3 ? DLAB_F_READ : DLAB_F_WRITE;
    }
}

/* What the operation answers in this world; a wrong answer now and then. */
static inline void draw_answer(dlab_history *h, dlab_rng *rng, int32_t s, world *w, dlab_history_event *e)
{
    const int key = (int)e->key.number;
    const bool lie = dlab_rng_below(rng, 4) == 0;
    dlab_operation op = { .f = e->f, .key = e->key, .argument = e->value, .outcome = DLAB_HISTORY_OK };
    dlab_value items[ITEMS_MAX];
    char text[ITEMS_MAX];
    const int count = w->count[key] - (lie && w->count[key] > 0);
    uint32_t id;
    e->type = DLAB_HISTORY_OK;
    for (int i = 0; i < count; i++) {
        items[i] = dlab_int(w->items[key][i]);
        text[i] = (char)w->items[key][i];
    }
    switch (e->f) {
    case DLAB_F_READ:
        e->value = w->value[key] == ABSENT ? dlab_nil() : dlab_int(w->value[key]);
        if (lie) e->value = dlab_int((int64_t)dlab_rng_below(rng, 4));
        if (s == DLAB_SPECIFICATION_LIST_APPEND || s == DLAB_SPECIFICATION_SET)
            (void)dlab_history_list(h, items, (size_t)count, &e->value, NULL);
        return;
    case DLAB_F_GET:
        (void)dlab_history_intern(h, text, (size_t)count, &id, NULL);
        e->value = dlab_text(id);
        return;
    case DLAB_F_CONTAINS: e->value = dlab_bool((find_item(w, key, op.argument.number) >= 0) != lie); return;
    case DLAB_F_DEQUEUE:
    case DLAB_F_POP:
        e->value = dlab_nil();
        if (w->count[key] > 0) e->value = dlab_int(w->items[key][e->f == DLAB_F_POP ? w->count[key] - 1 : 0]);
        if (w->count[key] > 0 && !lie) (void)apply_taking(w, key, &op, OPEN);
        return;
    case DLAB_F_TXN: {
        dlab_value parts[2], part[3];
        const uint32_t n = e->value.count;
        for (uint32_t i = 0; i < n; i++) {
            memcpy(part, dlab_history_elements(h, dlab_history_elements(h, op.argument)[i]), sizeof part);
            int64_t *value = &w->value[part[1].number];
            if (part[0].number == DLAB_F_W) *value = part[2].number;
            else part[2] = *value == ABSENT ? dlab_nil() : dlab_int(lie ? 1 : *value);
            (void)dlab_history_list(h, part, 3, &parts[i], NULL);
        }
        (void)dlab_history_list(h, parts, n, &e->value, NULL);
        return;
    }
    default:
        if (!apply(h, s, w, &op, ANSWERED) != lie) e->type = DLAB_HISTORY_FAIL;
    }
}

/* A history of up to n operations by up to four processes; answers come from one world, each at its call
 * or at its answer, so that about half of the histories are fine. */
static inline void draw_history(dlab_history *h, dlab_rng *rng, int32_t s, size_t n)
{
    dlab_history_event open[4];
    bool busy[4] = { false }, early[4];
    world w = world_new(s);
    const uint64_t processes = 1 + dlab_rng_below(rng, 4);
    const bool once = dlab_rng_below(rng, 2) == 0;
    size_t called = 0;
    int64_t names[4] = { 0, 1, 2, 3 };
    for (int64_t time = 0; time < 60; time++) {
        const uint64_t p = dlab_rng_below(rng, processes);
        if (!busy[p]) {
            if (called == n) continue;
            called++;
            dlab_history_event e = { .process = names[p], .time = time, .type = DLAB_HISTORY_INVOKE };
            draw_operation(h, rng, s, once ? (int64_t)called : 0, &e);
            (void)dlab_history_event_add(h, &e, NULL);
            early[p] = dlab_rng_below(rng, 2) == 0;
            if (early[p]) draw_answer(h, rng, s, &w, &e);
            open[p] = e;
            busy[p] = true;
            continue;
        }
        if (dlab_rng_below(rng, 3) == 0) continue;
        if (!early[p]) draw_answer(h, rng, s, &w, &open[p]);
        open[p].time = time;
        if (dlab_rng_below(rng, 6) == 0) {
            open[p].type = DLAB_HISTORY_INFO;
            open[p].value = dlab_nil();
            if (dlab_rng_below(rng, 2)) names[p] += 4;
        }
        (void)dlab_history_event_add(h, &open[p], NULL);
        busy[p] = false;
    }
    (void)dlab_history_complete(h, NULL);
}

#endif
