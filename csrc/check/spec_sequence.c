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

#include "check/search.h"

#define NOWHERE DLAB_NONE
enum { AHEAD = 16 };

/* One string of the tree, which leaves string `parent` behind its first `shared` elements. */
typedef struct string {
    const char *elements;
    uint32_t length, parent, shared;
    uint32_t base; /* its point of length n is base + n */
} string;

typedef struct branch {
    uint32_t string, at, child; /* child NONE: free */
    uint64_t first;             /* the element behind the branching */
} branch;

typedef struct sequences {
    uint32_t width; /* bytes of an element: 1, or 4 (ids of values) */
    string *strings;
    uint32_t string_count;
    branch *branches; /* open addressing */
    uint32_t branch_capacity;
    uint32_t *point;       /* of each act that reads */
    const char **elements; /* of each other act: what it puts or appends */
    uint32_t *length;
    uint32_t *puts_in_time; /* of each mandatory act: puts called before its answer */
    uint32_t puts_placed, elsewhere;
} sequences;

static uint64_t element(const sequences *q, const char *elements, uint32_t k)
{
    if (q->width == 1) return (unsigned char)elements[k];
    uint32_t id;
    memcpy(&id, elements + (size_t)k * q->width, sizeof id);
    return id;
}

static branch *find_branch(const sequences *q, uint32_t from, uint32_t at, uint64_t first)
{
    uint64_t h = dlab_hash_mix(((uint64_t)from << 32 | at) ^ dlab_hash_mix(first));
    for (;; h++) {
        branch *b = &q->branches[h & (q->branch_capacity - 1)];
        if (b->child == NOWHERE || (b->string == from && b->at == at && b->first == first)) return b;
    }
}

/* How many elements agree. */
static uint32_t agree(const sequences *q, const char *x, const char *y, uint32_t count)
{
    if (memcmp(x, y, (size_t)count * q->width) == 0) return count;
    uint32_t k = 0;
    while (element(q, x, k) == element(q, y, k)) k++;
    return k;
}

/* The string a point belongs to: the last one whose base is not above it. */
static uint32_t string_of(const sequences *q, uint32_t point)
{
    uint32_t low = 0, high = q->string_count;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (q->strings[middle].base <= point) low = middle;
        else high = middle;
    }
    return low;
}

/* Walk from a place in the tree; *string and *at become the place reached, the elements that fitted come
 * back. A place is named by the string that first had it. */
static uint32_t walk(const sequences *q, uint32_t *on, uint32_t *at, const char *elements, uint32_t count)
{
    uint32_t done = 0;
    while (done < count) {
        const string *t = &q->strings[*on];
        const uint32_t left = t->length - *at, want = count - done < left ? count - done : left;
        const uint32_t fit =
            agree(q, t->elements + (size_t)*at * q->width, elements + (size_t)done * q->width, want);
        done += fit;
        *at += fit;
        if (done == count) break;
        const branch *b = find_branch(q, *on, *at, element(q, elements, done));
        if (b->child == NOWHERE) break;
        *on = b->child; /* its element behind the branching fits, so the walk goes on there */
    }
    return done;
}

/* Lay a string into the tree; its point comes back. Longer strings first, so most lie on one already
 * there. */
static uint32_t lay(sequences *q, const char *elements, uint32_t length)
{
    uint32_t on = 0, at = 0;
    const uint32_t done = walk(q, &on, &at, elements, length);
    if (done == length) return q->strings[on].base + at;
    const string *last = &q->strings[q->string_count - 1];
    string *new = &q->strings[q->string_count];
    *new = (string){ .elements = elements,
                     .length = length,
                     .parent = on,
                     .shared = at,
                     .base = last->base + last->length + 1 };
    *find_branch(q, on, at, element(q, elements, done)) =
        (branch){ .string = on, .at = at, .child = q->string_count++, .first = element(q, elements, done) };
    return new->base + length;
}

/* The elements of a value: bytes of a text, ids of a list's elements, or of the one value appended to a
 * list. */
static int elements_of(dlab_search *s, const sequences *q, dlab_value v, bool one, const char **elements,
                       uint32_t *length)
{
    dlab_plan *plan = s->problem->plan;
    *elements = "";
    *length = 0;
    if (v.kind == DLAB_VALUE_NIL && !one) return DLAB_OK;
    if (q->width == 1) {
        size_t bytes;
        *elements = dlab_history_text(plan->history, (uint32_t)v.number, &bytes);
        *length = (uint32_t)bytes;
        return DLAB_OK;
    }
    const uint32_t count = one ? 1 : v.count;
    uint32_t *ids = dlab_arena_alloc(s->arena, (size_t)count + 1, sizeof *ids, s->err);
    if (ids == NULL) return DLAB_ENOMEM;
    for (uint32_t k = 0; k < count; k++) {
        const dlab_value value = one ? v : dlab_history_elements(plan->history, v)[k];
        ids[k] = dlab_value_id(&plan->values, value, s->err);
    }
    *elements = (const char *)ids;
    *length = count;
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
    q->branch_capacity = 16;
    while (q->branch_capacity < 2 * (count + 1)) q->branch_capacity *= 2;
    q->strings = dlab_arena_alloc(s->arena, (size_t)count + 2, sizeof *q->strings, s->err);
    q->branches = dlab_arena_alloc(s->arena, q->branch_capacity, sizeof *q->branches, s->err);
    if (q->strings == NULL || q->branches == NULL) return DLAB_ENOMEM;
    for (uint32_t k = 0; k < q->branch_capacity; k++) q->branches[k].child = NOWHERE;
    q->strings[0] = (string){ .elements = "", .parent = NOWHERE };
    q->string_count = 1;
    if (count > 0) { /* the longest is the trunk */
        q->strings[0].elements = q->elements[reads[0]];
        q->strings[0].length = q->length[reads[0]];
    }
    uint64_t points = 0;
    for (uint32_t k = 0; k < count; k++) {
        q->point[reads[k]] = lay(q, q->elements[reads[k]], q->length[reads[k]]);
        const string *last = &q->strings[q->string_count - 1];
        points = (uint64_t)last->base + last->length + 1;
        if (points > UINT32_MAX / 2)
            return dlab_fail(s->err, DLAB_ELIMIT, "the values read have more than %u elements together",
                             UINT32_MAX / 2);
    }
    q->elsewhere = UINT32_MAX - 1;
    return DLAB_OK;
}

static uint32_t walk_from(const sequences *q, uint32_t point, const char *elements, uint32_t count)
{
    if (point == q->elsewhere) return point;
    uint32_t on = string_of(q, point), at = point - q->strings[on].base;
    return walk(q, &on, &at, elements, count) == count ? q->strings[on].base + at : q->elsewhere;
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

static int open_sequences(dlab_search *s)
{
    const dlab_problem *p = s->problem;
    const uint32_t n = p->mandatory + p->optional;
    sequences *q = s->self = dlab_arena_alloc(s->arena, 1, sizeof *q, s->err);
    if (q == NULL) return DLAB_ENOMEM;
    q->width = p->plan->family == DLAB_FAMILY_TEXT ? 1 : sizeof(uint32_t);
    q->point = dlab_arena_alloc(s->arena, 3 * (size_t)n + 1, sizeof *q->point, s->err);
    q->elements = dlab_arena_alloc(s->arena, (size_t)n + 1, sizeof *q->elements, s->err);
    if (q->point == NULL || q->elements == NULL) return DLAB_ENOMEM;
    q->length = q->point + n;
    q->puts_in_time = q->length + n;
    for (uint32_t k = 0; k < n; k++) {
        const dlab_value v = dlab_value_of(&p->plan->values, p->acts[k].a);
        if (elements_of(s, q, v, p->acts[k].kind == DLAB_ACT_APPEND, &q->elements[k], &q->length[k]))
            return s->err->code;
    }
    if (lay_reads(s, q, n)) return s->err->code;
    const char *first;
    uint32_t length;
    if (elements_of(s, q, p->plan->options->initial, false, &first, &length)) return s->err->code;
    s->initial = walk_from(q, 0, first, length);
    if (!p->sequential) count_puts(p, q);
    return DLAB_OK;
}

static uint32_t step(dlab_search *s, uint32_t state, uint32_t act)
{
    const sequences *q = s->self;
    switch (s->problem->acts[act].kind) {
    case DLAB_ACT_READ: return q->point[act] == state ? state : DLAB_NONE;
    case DLAB_ACT_WRITE: return walk_from(q, 0, q->elements[act], q->length[act]);
    default: return walk_from(q, state, q->elements[act], q->length[act]);
    }
}

static void count_act(dlab_search *s, uint32_t act, int32_t by)
{
    sequences *q = s->self;
    if (s->problem->acts[act].kind == DLAB_ACT_WRITE) q->puts_placed += (uint32_t)by;
}

/* Is one point on the way to another? */
static bool leads_to(const sequences *q, uint32_t from, uint32_t to)
{
    if (from == q->elsewhere) return false;
    const uint32_t on = string_of(q, from), at = from - q->strings[on].base;
    uint32_t end = string_of(q, to);
    if (to - q->strings[end].base < at) return false;
    while (end != on && at <= q->strings[end].shared && end != 0) end = q->strings[end].parent;
    return end == on;
}

static bool hopeless(dlab_search *s, uint32_t state)
{
    const sequences *q = s->self;
    const dlab_problem *p = s->problem;
    if (p->sequential) return false;
    for (uint32_t k = s->prefix; k < p->mandatory && k < s->prefix + AHEAD; k++) {
        if (s->placed[k] || p->acts[k].kind != DLAB_ACT_READ) continue;
        return q->puts_placed == q->puts_in_time[k] && !leads_to(q, state, q->point[k]);
    }
    return false;
}

static int describe(dlab_search *s, uint32_t state, char *text, size_t size)
{
    const sequences *q = s->self;
    const dlab_plan *plan = s->problem->plan;
    if (state == q->elsewhere) return snprintf(text, size, "a value nobody has read");
    const uint32_t on = string_of(q, state), length = state - q->strings[on].base;
    if (q->width == 1)
        return snprintf(text, size, "\"%.*s\"%s", length > 64 ? 61 : (int)length, q->strings[on].elements,
                        length > 64 ? "..." : "");
    int used = snprintf(text, size, "[");
    for (uint32_t k = 0; k < length && (size_t)used + 24 < size; k++) {
        const dlab_value v = dlab_value_of(&plan->values, (uint32_t)element(q, q->strings[on].elements, k));
        if (k > 0) used += snprintf(text + used, size - (size_t)used, " ");
        used += dlab_value_format(plan->history, v, text + used, size - (size_t)used);
        if ((size_t)used >= size) return used;
    }
    return used + snprintf(text + used, size - (size_t)used, "]");
}

const dlab_spec dlab_spec_sequence = {
    .open = open_sequences, .step = step, .count = count_act, .hopeless = hopeless, .describe = describe
};
