/* Sequences that grow: text or lists with put, append and get. A get sees the whole value, and values get
 * long, so no value is ever hashed or copied while searching.
 *
 * The values that gets have seen are laid into a compressed tree of prefixes before the search begins. A
 * state is a point of that tree: a length along one of its strings. An append walks on from the point;
 * where the tree ends the state becomes ELSEWHERE, one state for all sequences nobody has seen, which no
 * get fits and no append leaves. A get is legal where its point is the state: one comparison. Nil and the
 * empty sequence are the same.
 *
 * The outlook: without a put in between a sequence only grows, so the next get to be answered must see an
 * extension of the state. */
#include <stdio.h>
#include <string.h>

#include "check/prefixes.h"
#include "check/search.h"

/* Where every act writes something of its own that can be told apart wherever it stands (each text begins
 * with a byte it does not have again, or each append is one value of a list), what a get saw says who
 * wrote it. */
typedef struct sequences {
    dlab_prefixes tree;
    uint32_t *point;       /* of each act that reads */
    const char **elements; /* of each other act: what it puts or appends */
    uint32_t *length;
    uint32_t *puts_in_time;          /* of each mandatory act: puts called before its answer */
    uint32_t *reads, *rank;          /* acts that read, by answer; the place of such an act among them */
    uint32_t read_count, first_read; /* first_read: those before it are placed */
    uint32_t puts_placed, elsewhere;
    bool told_apart;
    unsigned char *seen; /* of each act that writes: some get saw it */
    uint32_t *origin;    /* of each string: the put it begins with, else the beginning (0) */
    uint32_t *waiting;   /* of each origin: gets to come that see it */
} sequences;

/* Are the elements of every list plain, so that their rows can be compared as they are? */
static bool is_flat(const dlab_problem *p)
{
    const dlab_history *h = p->plan->history;
    for (uint32_t k = 0; k < p->mandatory + p->optional; k++) {
        const dlab_operation *op = dlab_history_at(h, p->acts[k].source);
        const dlab_value v = p->acts[k].kind == DLAB_ACT_READ ? op->result : op->argument;
        const dlab_value *rows = dlab_history_elements(h, v);
        if (v.kind != DLAB_VALUE_LIST) continue;
        if (p->acts[k].kind == DLAB_ACT_APPEND) return false;
        for (uint32_t e = 0; e < v.count; e++)
            if (rows[e].kind == DLAB_VALUE_LIST) return false;
    }
    return true;
}

/* The elements of a value: bytes of a text, rows of a list, or the one value that is appended to a list.
 * Lists of lists become lists of ids. */
static int elements_of(dlab_search *s, const sequences *q, const dlab_value *v, bool one,
                       const char **elements, uint32_t *length)
{
    dlab_plan *plan = s->problem->plan;
    *elements = "";
    *length = 0;
    if (v->kind == DLAB_VALUE_NIL && !one) return DLAB_OK;
    if (q->tree.width == 1) {
        size_t bytes;
        *elements = dlab_history_text(plan->history, (uint32_t)v->number, &bytes);
        *length = (uint32_t)bytes;
        return DLAB_OK;
    }
    *length = one ? 1 : v->count;
    const dlab_value *rows = one ? v : dlab_history_elements(plan->history, *v);
    *elements = (const char *)rows;
    if (q->tree.width == sizeof *rows) return DLAB_OK;
    uint32_t *ids = dlab_arena_alloc(s->arena, (size_t)*length + 1, sizeof *ids, s->err);
    if (ids == NULL) return DLAB_ENOMEM;
    for (uint32_t k = 0; k < *length; k++) ids[k] = dlab_value_id(&plan->values, rows[k], s->err);
    *elements = (const char *)ids;
    return s->err->code;
}

/* Reads by length, longest first: counting would need as many cells as elements, so a merge sort of
 * indices. */
static void sort_by_length(uint32_t *acts, uint32_t *spare, uint32_t n, const uint32_t *length)
{
    if (n < 2) return;
    const uint32_t half = n / 2;
    sort_by_length(acts, spare, half, length);
    sort_by_length(acts + half, spare, n - half, length);
    memcpy(spare, acts, half * sizeof *acts);
    for (uint32_t i = 0, k = half, out = 0; i < half; out++)
        acts[out] = k < n && length[acts[k]] > length[spare[i]] ? acts[k++] : spare[i++];
}

static int lay_reads(dlab_search *s, sequences *q, uint32_t n)
{
    uint32_t *reads = dlab_arena_alloc(s->arena, 2 * (size_t)n + 1, sizeof *reads, s->err), count = 0;
    if (reads == NULL) return DLAB_ENOMEM;
    for (uint32_t k = 0; k < n; k++)
        if (s->problem->acts[k].kind == DLAB_ACT_READ) reads[count++] = k;
    sort_by_length(reads, reads + n, count, q->length);
    dlab_prefixes *t = &q->tree;
    t->branch_capacity = 16;
    while (t->branch_capacity < 2 * (count + 1)) t->branch_capacity *= 2;
    t->strings = dlab_arena_alloc(s->arena, (size_t)count + 2, sizeof *t->strings, s->err);
    t->branches = dlab_arena_alloc(s->arena, t->branch_capacity, sizeof *t->branches, s->err);
    if (t->strings == NULL || t->branches == NULL) return DLAB_ENOMEM;
    for (uint32_t k = 0; k < t->branch_capacity; k++) t->branches[k].child = DLAB_NONE;
    t->strings[0] = (dlab_string){ .elements = "", .parent = DLAB_NONE };
    t->string_count = 1;
    if (count > 0) { /* the longest is the trunk */
        t->strings[0].elements = q->elements[reads[0]];
        t->strings[0].length = q->length[reads[0]];
    }
    for (uint32_t k = 0; k < count; k++) {
        q->point[reads[k]] = dlab_prefixes_lay(t, q->elements[reads[k]], q->length[reads[k]]);
        const dlab_string *last = &t->strings[t->string_count - 1];
        if ((uint64_t)last->base + last->length > UINT32_MAX / 2)
            return dlab_fail(s->err, DLAB_ELIMIT, "the values read have more than %u elements together",
                             UINT32_MAX / 2);
    }
    q->elsewhere = UINT32_MAX - 1;
    return DLAB_OK;
}

static uint32_t walk_from(const sequences *q, uint32_t point, const char *elements, uint32_t count)
{
    if (point == q->elsewhere) return point;
    const dlab_prefixes *t = &q->tree;
    uint32_t on = dlab_prefixes_string(t, point), at = point - t->strings[on].base;
    return dlab_prefixes_walk(t, &on, &at, elements, count) == count ? t->strings[on].base + at
                                                                     : q->elsewhere;
}

/* How many puts were called before each answer: one sweep. */
static void count_puts(const dlab_problem *p, sequences *q)
{
    uint32_t puts = 0, called = 0, optional = 0;
    for (uint32_t k = 0; k < p->mandatory; k++) {
        const uint32_t until = p->acts[k].returned;
        for (; called < p->mandatory && p->acts[p->by_call[called]].called < until; called++)
            puts += p->acts[p->by_call[called]].kind == DLAB_ACT_WRITE;
        for (; optional < p->optional && p->acts[p->mandatory + optional].called < until; optional++)
            puts += p->acts[p->mandatory + optional].kind == DLAB_ACT_WRITE;
        q->puts_in_time[k] = puts;
    }
}

/* One written text in the tree: from `from` to the next mark. Without marks each element is one. */
typedef struct writers {
    uint32_t *table; /* of writing acts by what they write; act + 1, 0: free */
    uint32_t capacity;
    int mark; /* the byte each text begins with, -1: none */
} writers;

static uint32_t piece(const writers *w, const char *elements, uint32_t left)
{
    if (w->mark < 0) return 1;
    const char *next = left > 1 ? memchr(elements + 1, w->mark, left - 1) : NULL;
    return next == NULL ? left : (uint32_t)(next - elements);
}

/* The cell of what is written there. */
static uint32_t *cell(const sequences *q, const writers *w, const char *elements, uint32_t length)
{
    const size_t bytes = (size_t)length * q->tree.width;
    uint64_t h = bytes;
    for (size_t k = 0; k < bytes; k++) h = (h ^ (unsigned char)elements[k]) * UINT64_C(0x100000001b3);
    for (h = dlab_hash_mix(h);; h++) {
        uint32_t *at = &w->table[h & (w->capacity - 1)];
        if (*at == 0) return at;
        if (q->length[*at - 1] == length && memcmp(q->elements[*at - 1], elements, bytes) == 0) return at;
    }
}

/* No written text may begin another one, or a get of the shorter could be half of the longer: laid into a
 * tree of their own, longest first, each must branch off. */
static bool is_prefix_free(dlab_search *s, const sequences *q, uint32_t *acts, uint32_t count)
{
    dlab_prefixes own = { .width = q->tree.width, .branch_capacity = 16, .string_count = 1 };
    if (count == 0) return true;
    while (own.branch_capacity < 2 * count) own.branch_capacity *= 2;
    own.strings = dlab_arena_alloc(s->arena, (size_t)count + 1, sizeof *own.strings, s->err);
    own.branches = dlab_arena_alloc(s->arena, own.branch_capacity, sizeof *own.branches, s->err);
    if (own.strings == NULL || own.branches == NULL) return false;
    for (uint32_t k = 0; k < own.branch_capacity; k++) own.branches[k].child = DLAB_NONE;
    sort_by_length(acts, acts + count, count, q->length);
    own.strings[0] = (dlab_string){ .elements = q->elements[acts[0]], .length = q->length[acts[0]] };
    for (uint32_t k = 1; k < count; k++) {
        (void)dlab_prefixes_lay(&own, q->elements[acts[k]], q->length[acts[k]]);
        if (own.string_count != k + 1) return false;
    }
    return true;
}

/* Enter every act that writes; false where they cannot be told apart within a longer value. */
static bool enter_writers(dlab_search *s, const sequences *q, writers *w)
{
    const dlab_problem *p = s->problem;
    const uint32_t n = p->mandatory + p->optional;
    uint32_t *acts = dlab_arena_alloc(s->arena, 2 * (size_t)n + 1, sizeof *acts, s->err), count = 0;
    if (acts == NULL) return false;
    for (uint32_t k = 0; k < n; k++) {
        if (p->acts[k].kind == DLAB_ACT_READ) continue;
        if (q->length[k] == 0) return false;
        if (q->tree.width == 1 && w->mark < 0) w->mark = (unsigned char)q->elements[k][0];
        if (q->tree.width == 1 && (unsigned char)q->elements[k][0] != w->mark) return false;
        if (piece(w, q->elements[k], q->length[k]) != q->length[k]) return false;
        acts[count++] = k;
    }
    if (!is_prefix_free(s, q, acts, count)) return false;
    for (uint32_t k = 0; k < count; k++) *cell(q, w, q->elements[acts[k]], q->length[acts[k]]) = acts[k] + 1;
    return true;
}

/* Who wrote what the strings of the tree consist of. */
static void find_writers(const dlab_search *s, sequences *q, const writers *w)
{
    for (uint32_t k = 0; k < q->tree.string_count; k++) {
        const dlab_string *t = &q->tree.strings[k];
        const size_t width = q->tree.width;
        uint32_t at = t->shared;
        while (w->mark >= 0 && at > 0 && (unsigned char)t->elements[at] != w->mark) at--;
        while (at < t->length) {
            const uint32_t length = piece(w, t->elements + at * width, t->length - at);
            const uint32_t act = *cell(q, w, t->elements + at * width, length);
            if (act != 0) q->seen[act - 1] = 1;
            at += length;
        }
        if (t->length == 0) continue;
        const uint32_t first = *cell(q, w, t->elements, piece(w, t->elements, t->length));
        q->origin[k] = first != 0 && s->problem->acts[first - 1].kind == DLAB_ACT_WRITE ? first : 0;
    }
}

/* What a state began with. */
static uint32_t origin_of(const sequences *q, uint32_t state)
{
    const uint32_t on = dlab_prefixes_string(&q->tree, state);
    return state == q->tree.strings[on].base ? 0 : q->origin[on];
}

static int tell_apart(dlab_search *s, sequences *q)
{
    const uint32_t n = s->problem->mandatory + s->problem->optional;
    writers w = { .capacity = 16, .mark = -1 };
    while (w.capacity < 2 * n) w.capacity *= 2;
    w.table = dlab_arena_alloc(s->arena, w.capacity, sizeof *w.table, s->err);
    q->seen = dlab_arena_alloc(s->arena, (size_t)n + 1, 1, s->err);
    q->origin = dlab_arena_alloc(s->arena, q->tree.string_count, sizeof *q->origin, s->err);
    q->waiting = dlab_arena_alloc(s->arena, (size_t)n + 1, sizeof *q->waiting, s->err);
    if (w.table == NULL || q->seen == NULL || q->origin == NULL || q->waiting == NULL) return DLAB_ENOMEM;
    q->told_apart = s->initial == 0 && enter_writers(s, q, &w);
    if (!q->told_apart) return s->err->code;
    find_writers(s, q, &w);
    for (uint32_t k = 0; k < q->read_count; k++) q->waiting[origin_of(q, q->point[q->reads[k]])]++;
    return DLAB_OK;
}

static int open_sequences(dlab_search *s)
{
    const dlab_problem *p = s->problem;
    const uint32_t n = p->mandatory + p->optional;
    sequences *q = s->self = dlab_arena_alloc(s->arena, 1, sizeof *q, s->err);
    if (q == NULL) return DLAB_ENOMEM;
    q->tree.width = p->plan->family == DLAB_FAMILY_TEXT ? 1
                    : is_flat(p)                        ? sizeof(dlab_value)
                                                        : sizeof(uint32_t);
    q->point = dlab_arena_alloc(s->arena, 5 * (size_t)n + 1, sizeof *q->point, s->err);
    q->elements = dlab_arena_alloc(s->arena, (size_t)n + 1, sizeof *q->elements, s->err);
    if (q->point == NULL || q->elements == NULL) return DLAB_ENOMEM;
    q->length = q->point + n;
    q->puts_in_time = q->length + n;
    q->reads = q->puts_in_time + n;
    q->rank = q->reads + n;
    for (uint32_t k = 0; k < n; k++) {
        const dlab_operation *op = dlab_history_at(p->plan->history, p->acts[k].source);
        const dlab_value *v = p->acts[k].kind == DLAB_ACT_READ ? &op->result : &op->argument;
        if (elements_of(s, q, v, p->acts[k].kind == DLAB_ACT_APPEND, &q->elements[k], &q->length[k]))
            return s->err->code;
        if (p->acts[k].kind != DLAB_ACT_READ) continue;
        q->rank[k] = q->read_count;
        q->reads[q->read_count++] = k;
    }
    if (lay_reads(s, q, n)) return s->err->code;
    const char *first;
    uint32_t length;
    if (elements_of(s, q, &p->plan->options->initial, false, &first, &length)) return s->err->code;
    s->initial = walk_from(q, 0, first, length);
    if (!p->sequential) count_puts(p, q);
    return tell_apart(s, q);
}

/* What is told apart is written once: a get to come must find it where it saw it. */
static bool may_become(const dlab_search *s, const sequences *q, uint32_t state, uint32_t act, uint32_t to)
{
    if (!q->told_apart || !(s->prunings & DLAB_PRUNE_OUTLOOK)) return true;
    if (to == q->elsewhere && q->seen[act]) return false;
    const bool leaves = s->problem->acts[act].kind == DLAB_ACT_WRITE || to == q->elsewhere;
    if (leaves && state != q->elsewhere && q->waiting[origin_of(q, state)] > 0) return false;
    /* What nobody saw waits until a put hides it, or its answer is due. */
    const bool due = s->problem->sequential || act == s->prefix || q->first_read == q->read_count;
    return q->seen[act] || due;
}

static uint32_t step(dlab_search *s, uint32_t state, uint32_t act)
{
    const sequences *q = s->self;
    const uint8_t kind = s->problem->acts[act].kind;
    if (kind == DLAB_ACT_READ) return q->point[act] == state ? state : DLAB_NONE;
    const uint32_t to = walk_from(q, kind == DLAB_ACT_WRITE ? 0 : state, q->elements[act], q->length[act]);
    return may_become(s, q, state, act, to) ? to : DLAB_NONE;
}

static void count_act(dlab_search *s, uint32_t act, int32_t by)
{
    sequences *q = s->self;
    if (s->problem->acts[act].kind == DLAB_ACT_WRITE) q->puts_placed += (uint32_t)by;
    if (s->problem->acts[act].kind != DLAB_ACT_READ) return;
    if (q->told_apart) q->waiting[origin_of(q, q->point[act])] -= (uint32_t)by;
    if (s->problem->sequential) return;
    if (by < 0 && q->rank[act] < q->first_read) q->first_read = q->rank[act];
    while (by > 0 && q->first_read < q->read_count && s->placed[q->reads[q->first_read]]) q->first_read++;
}

static bool hopeless(dlab_search *s, uint32_t state)
{
    const sequences *q = s->self;
    if (s->problem->sequential || q->first_read == q->read_count) return false;
    const uint32_t next = q->reads[q->first_read];
    if (q->puts_placed != q->puts_in_time[next]) return false;
    return state == q->elsewhere || !dlab_prefixes_lead(&q->tree, state, q->point[next]);
}

static bool useful(dlab_search *s, uint32_t act)
{
    const sequences *q = s->self;
    return !q->told_apart || q->seen[act];
}

static bool overwrites(dlab_search *s, uint32_t act) { return s->problem->acts[act].kind == DLAB_ACT_WRITE; }

static bool hidden(dlab_search *s, uint32_t act)
{
    const sequences *q = s->self;
    return q->told_apart && s->problem->acts[act].kind != DLAB_ACT_READ && !q->seen[act];
}

static int describe(dlab_search *s, uint32_t state, char *text, size_t size)
{
    const sequences *q = s->self;
    const dlab_plan *plan = s->problem->plan;
    if (state == q->elsewhere) return snprintf(text, size, "a value nobody has read");
    const uint32_t on = dlab_prefixes_string(&q->tree, state), length = state - q->tree.strings[on].base;
    if (q->tree.width == 1)
        return snprintf(text, size, "\"%.*s\"%s", length > 64 ? 61 : (int)length,
                        q->tree.strings[on].elements, length > 64 ? "..." : "");
    int used = snprintf(text, size, "[");
    for (uint32_t k = 0; k < length && (size_t)used + 24 < size; k++) {
        const char *at = q->tree.strings[on].elements + (size_t)k * q->tree.width;
        dlab_value v;
        uint32_t id;
        memcpy(&id, at, sizeof id);
        if (q->tree.width == sizeof v) memcpy(&v, at, sizeof v);
        else v = dlab_value_of(&plan->values, id);
        if (k > 0) used += snprintf(text + used, size - (size_t)used, " ");
        used += dlab_value_format(plan->history, v, text + used, size - (size_t)used);
        if ((size_t)used >= size) return used;
    }
    return used + snprintf(text + used, size - (size_t)used, "]");
}

const dlab_spec dlab_spec_sequence = {
    .open = open_sequences,
    .step = step,
    .count = count_act,
    .hopeless = hopeless,
    .useful = useful,
    .hidden = hidden,
    .overwrites = overwrites,
    .describe = describe,
};
