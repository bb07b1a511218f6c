/* Objects whose state is a vector of words: queues and stacks (ids of the values in them, the end to take
 * from last or first), sets (ids in rising order), counters (the two halves of a number), several
 * registers at once (the id of each one's value). Vectors are interned, so that a state is one number. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check/search.h"

typedef struct store {
    dlab_words states;
    uint32_t *wanted; /* of each read of a set or a counter: the state it saw */
    uint32_t *spare;  /* room for one vector */
} store;

static uint32_t intern(dlab_search *s, const uint32_t *words, uint32_t count)
{
    store *t = s->self;
    return dlab_words_intern(&t->states, words, count, s->err);
}

static const uint32_t *words_of(const dlab_search *s, uint32_t state, uint32_t *count)
{
    const store *t = s->self;
    return dlab_words_at(&t->states, state, count);
}

/* Where a value is in a rising vector, or would be. */
static uint32_t place_of(const uint32_t *words, uint32_t count, uint32_t value)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (words[middle] < value) low = middle + 1;
        else high = middle;
    }
    return low;
}

static uint32_t set_with(dlab_search *s, const uint32_t *words, uint32_t count, uint32_t value, bool with)
{
    store *t = s->self;
    const uint32_t at = place_of(words, count, value);
    const bool there = at < count && words[at] == value;
    memmove(t->spare, words, count * sizeof *words);
    if (there == with) return intern(s, t->spare, count);
    if (with) {
        memmove(t->spare + at + 1, t->spare + at, (count - at) * sizeof *words);
        t->spare[at] = value;
        return intern(s, t->spare, count + 1);
    }
    memmove(t->spare + at, t->spare + at + 1, (count - at - 1) * sizeof *words);
    return intern(s, t->spare, count - 1);
}

/* What a whole read of a set saw; an element listed twice counts once. */
static uint32_t set_seen(dlab_search *s, dlab_value list)
{
    store *t = s->self;
    dlab_plan *plan = s->problem->plan;
    uint32_t count = 0;
    for (uint32_t k = 0; k < list.count; k++) {
        const uint32_t id =
            dlab_value_id(&plan->values, dlab_history_elements(plan->history, list)[k], s->err);
        const uint32_t at = place_of(t->spare, count, id);
        if (at < count && t->spare[at] == id) continue;
        memmove(t->spare + at + 1, t->spare + at, (count - at) * sizeof *t->spare);
        t->spare[at] = id;
        count++;
    }
    return intern(s, t->spare, count);
}

static uint32_t room_for(const dlab_search *s)
{
    const dlab_problem *p = s->problem;
    uint32_t room = 2 > p->plan->registers ? 2 : p->plan->registers;
    const uint32_t n = p->mandatory + p->optional, values = (uint32_t)p->plan->values.values.count;
    if (p->plan->family == DLAB_FAMILY_SET && values + 1 > room) room = values + 1;
    if ((p->plan->family == DLAB_FAMILY_QUEUE || p->plan->family == DLAB_FAMILY_STACK) && n + 1 > room)
        room = n + 1;
    return room;
}

static int open_store(dlab_search *s)
{
    const dlab_problem *p = s->problem;
    const dlab_plan *plan = p->plan;
    const uint32_t n = p->mandatory + p->optional;
    store *t = s->self = dlab_arena_alloc(s->arena, 1, sizeof *t, s->err);
    if (t == NULL) return DLAB_ENOMEM;
    dlab_words_open(&t->states, s->memory);
    t->spare = dlab_arena_alloc(s->arena, room_for(s), sizeof *t->spare, s->err);
    t->wanted = dlab_arena_alloc(s->arena, (size_t)n + 1, sizeof *t->wanted, s->err);
    if (t->spare == NULL || t->wanted == NULL) return DLAB_ENOMEM;
    uint32_t count = 0;
    if (plan->family == DLAB_FAMILY_COUNTER) {
        const int64_t from =
            plan->options->initial.kind == DLAB_VALUE_INT ? plan->options->initial.number : 0;
        t->spare[0] = (uint32_t)(uint64_t)from;
        t->spare[1] = (uint32_t)((uint64_t)from >> 32);
        count = 2;
    } else if (plan->family == DLAB_FAMILY_PARTS) {
        for (; count < plan->registers; count++) t->spare[count] = plan->initial;
    }
    s->initial = intern(s, t->spare, count);
    for (uint32_t k = 0; k < n && s->err->code == DLAB_OK; k++) {
        const dlab_act *act = &p->acts[k];
        if (act->kind != DLAB_ACT_READ) continue;
        const uint32_t number[2] = { act->a, act->b };
        t->wanted[k] = plan->family == DLAB_FAMILY_SET ? set_seen(s, dlab_value_of(&plan->values, act->a))
                                                       : intern(s, number, 2);
    }
    return s->err->code;
}

static void close_store(dlab_search *s)
{
    store *t = s->self;
    if (t != NULL) dlab_words_close(&t->states);
}

static uint32_t step_line(dlab_search *s, uint32_t state, const dlab_act *act)
{
    store *t = s->self;
    uint32_t count;
    const uint32_t *words = words_of(s, state, &count);
    const bool queue = s->problem->plan->family == DLAB_FAMILY_QUEUE;
    if (act->kind == DLAB_ACT_EMPTY) return count == 0 ? state : DLAB_NONE;
    if (act->kind == DLAB_ACT_PUT_IN) {
        memcpy(t->spare, words, count * sizeof *words);
        t->spare[count] = act->a;
        return intern(s, t->spare, count + 1);
    }
    if (count == 0) return DLAB_NONE;
    if (act->kind == DLAB_ACT_TAKE && words[queue ? 0 : count - 1] != act->a) return DLAB_NONE;
    memcpy(t->spare, words + queue, (count - 1) * sizeof *words);
    return intern(s, t->spare, count - 1);
}

static uint32_t step_parts(dlab_search *s, uint32_t state, const dlab_act *act)
{
    store *t = s->self;
    uint32_t count;
    const uint32_t *words = words_of(s, state, &count);
    const dlab_part *parts = (const dlab_part *)(const void *)s->problem->plan->parts.rows + act->a;
    memcpy(t->spare, words, count * sizeof *words);
    for (uint32_t k = 0; k < act->b; k++) {
        if (parts[k].writes) t->spare[parts[k].slot] = parts[k].value;
        else if (act->kind == DLAB_ACT_PARTS && t->spare[parts[k].slot] != parts[k].value) return DLAB_NONE;
    }
    return act->reads ? state : intern(s, t->spare, count);
}

static uint32_t step(dlab_search *s, uint32_t state, uint32_t which)
{
    store *t = s->self;
    const dlab_act *act = &s->problem->acts[which];
    uint32_t count;
    const uint32_t *words = words_of(s, state, &count);
    switch (act->kind) {
    case DLAB_ACT_READ: return t->wanted[which] == state ? state : DLAB_NONE;
    case DLAB_ACT_ADD: return set_with(s, words, count, act->a, true);
    case DLAB_ACT_REMOVE: return set_with(s, words, count, act->a, false);
    case DLAB_ACT_HAS: {
        const uint32_t at = place_of(words, count, act->a);
        return (at < count && words[at] == act->a) == (act->b != 0) ? state : DLAB_NONE;
    }
    case DLAB_ACT_COUNT: {
        const uint64_t sum = (words[0] | (uint64_t)words[1] << 32) + (act->a | (uint64_t)act->b << 32);
        const uint32_t number[2] = { (uint32_t)sum, (uint32_t)(sum >> 32) };
        return intern(s, number, 2);
    }
    case DLAB_ACT_PARTS:
    case DLAB_ACT_PARTS_BLIND: return step_parts(s, state, act);
    default: return step_line(s, state, act);
    }
}

static int describe(dlab_search *s, uint32_t state, char *text, size_t size)
{
    const dlab_plan *plan = s->problem->plan;
    uint32_t count;
    const uint32_t *words = words_of(s, state, &count);
    if (plan->family == DLAB_FAMILY_COUNTER)
        return snprintf(text, size, "%" PRId64, (int64_t)(words[0] | (uint64_t)words[1] << 32));
    int used = snprintf(text, size, "[");
    for (uint32_t k = 0; k < count && (size_t)used + 2 < size; k++) {
        if (k > 0) used += snprintf(text + used, size - (size_t)used, " ");
        used += dlab_value_format(plan->history, dlab_value_of(&plan->values, words[k]), text + used,
                                  size - (size_t)used);
    }
    return (size_t)used < size ? used + snprintf(text + used, size - (size_t)used, "]") : used;
}

const dlab_spec dlab_spec_store = {
    .open = open_store, .close = close_store, .step = step, .describe = describe
};
