/* Two specifications made of others: the user's own, asked once per state and different operation; and
 * several objects at once, each with its own specification, for criteria that cannot be checked object by
 * object. */
#include <stdio.h>
#include <string.h>

#include "check/search.h"

/* What the user's step said: pairs (state, class) interned, the answer of each. */
typedef struct asked {
    dlab_words pairs;
    dlab_buffer answers; /* uint32_t */
} asked;

static int open_user(dlab_search *s)
{
    asked *u = s->self = dlab_arena_alloc(s->arena, 1, sizeof *u, s->err);
    if (u == NULL) return DLAB_ENOMEM;
    dlab_words_open(&u->pairs, s->memory);
    u->answers.row_size = sizeof(uint32_t);
    return DLAB_OK;
}

static void close_user(dlab_search *s)
{
    asked *u = s->self;
    if (u == NULL) return;
    dlab_words_close(&u->pairs);
    dlab_buffer_free(&u->answers, s->memory);
}

static uint32_t ask(dlab_search *s, uint32_t state, uint32_t class)
{
    const dlab_plan *plan = s->problem->plan;
    const dlab_user_specification *user = plan->options->user;
    uint32_t words, next = 0;
    const uint32_t *content = dlab_words_at(&plan->classes, class, &words);
    dlab_operation op =
        *dlab_history_at(plan->history, ((const uint32_t *)(const void *)plan->class_sources.rows)[class]);
    op.outcome = (int32_t)content[words - 1];
    if (op.outcome == DLAB_HISTORY_INFO) op.result = dlab_nil();
    const int said = user->step(user->self, plan->history, &op, state, &next, s->err);
    if (said < 0)
        (void)dlab_fail(s->err, DLAB_EINVAL, "the step of the user's specification failed on %s",
                        dlab_history_text(plan->history, op.f, NULL));
    if (said == 1 && next == DLAB_NONE)
        (void)dlab_fail(s->err, DLAB_ERANGE, "a state of the user's specification is %u; at most %u", next,
                        next - 1);
    return said == 1 ? next : DLAB_NONE;
}

static uint32_t step_user(dlab_search *s, uint32_t state, uint32_t act)
{
    asked *u = s->self;
    const uint32_t pair[2] = { state, s->problem->acts[act].a };
    const uint32_t id = dlab_words_intern(&u->pairs, pair, 2, s->err);
    if (id == UINT32_MAX) return DLAB_NONE;
    if (id == u->answers.count) {
        const uint32_t answer = ask(s, pair[0], pair[1]);
        if (dlab_buffer_push(&u->answers, s->memory, &answer, 1, s->err)) return DLAB_NONE;
    }
    return ((const uint32_t *)(const void *)u->answers.rows)[id];
}

static int describe_user(dlab_search *s, uint32_t state, char *text, size_t size)
{
    const dlab_user_specification *user = s->problem->plan->options->user;
    if (user->describe != NULL) return user->describe(user->self, state, text, size);
    return snprintf(text, size, "state %u", state);
}

const dlab_spec dlab_spec_user = {
    .open = open_user, .close = close_user, .step = step_user, .describe = describe_user
};

/* Several objects: a state is the vector of theirs. */
typedef struct together {
    dlab_search *parts; /* opened for their states; never run */
    dlab_problem *problems;
    uint32_t objects;
    uint32_t *local; /* of each act: its number within its object */
    dlab_words states;
    uint32_t *spare;
} together;

/* Deal the acts out to their objects; mandatory ones stay first within each. */
static int deal(dlab_search *s, together *t)
{
    const dlab_problem *p = s->problem;
    const uint32_t n = p->mandatory + p->optional;
    uint32_t *ends = dlab_arena_alloc(s->arena, (size_t)p->objects + 1, sizeof *ends, s->err);
    dlab_act *acts = dlab_arena_alloc(s->arena, (size_t)n + 1, sizeof *acts, s->err);
    if (ends == NULL || acts == NULL) return DLAB_ENOMEM;
    for (uint32_t k = 0; k < n; k++) ends[p->acts[k].object]++;
    for (uint32_t o = 0, start = 0; o < p->objects; o++) {
        t->problems[o] = (dlab_problem){ .plan = p->plan, .acts = acts + start, .objects = 1 };
        t->problems[o].sequential = true; /* nothing is known of real time within one object */
        start += ends[o];
    }
    for (uint32_t k = 0; k < n; k++) {
        dlab_problem *own = &t->problems[p->acts[k].object];
        t->local[k] = own->mandatory + own->optional;
        own->acts[t->local[k]] = p->acts[k];
        if (k < p->mandatory) own->mandatory++;
        else own->optional++;
    }
    return DLAB_OK;
}

static int open_together(dlab_search *s)
{
    const dlab_problem *p = s->problem;
    together *t = s->self = dlab_arena_alloc(s->arena, 1, sizeof *t, s->err);
    if (t == NULL) return DLAB_ENOMEM;
    dlab_words_open(&t->states, s->memory);
    t->parts = dlab_arena_alloc(s->arena, (size_t)p->objects + 1, sizeof *t->parts, s->err);
    t->problems = dlab_arena_alloc(s->arena, (size_t)p->objects + 1, sizeof *t->problems, s->err);
    t->local = dlab_arena_alloc(s->arena, (size_t)p->mandatory + p->optional + 1, sizeof *t->local, s->err);
    t->spare = dlab_arena_alloc(s->arena, (size_t)p->objects + 1, sizeof *t->spare, s->err);
    if (t->parts == NULL || t->problems == NULL || t->local == NULL || t->spare == NULL) return DLAB_ENOMEM;
    if (deal(s, t)) return s->err->code;
    for (; t->objects < p->objects; t->objects++) {
        dlab_search *part = &t->parts[t->objects];
        part->problem = &t->problems[t->objects];
        part->spec = dlab_spec_of(p->plan->family);
        part->arena = s->arena;
        part->memory = s->memory;
        part->err = s->err;
        part->prunings = s->prunings;
        part->options = s->options;
        if (part->spec->open(part)) {
            t->objects++;
            return s->err->code;
        }
        t->spare[t->objects] = part->initial;
    }
    s->initial = dlab_words_intern(&t->states, t->spare, t->objects, s->err);
    return s->err->code;
}

static void close_together(dlab_search *s)
{
    together *t = s->self;
    if (t == NULL) return;
    for (uint32_t k = 0; k < t->objects; k++)
        if (t->parts[k].spec->close != NULL) t->parts[k].spec->close(&t->parts[k]);
    dlab_words_close(&t->states);
}

static uint32_t step_together(dlab_search *s, uint32_t state, uint32_t act)
{
    together *t = s->self;
    const uint32_t o = s->problem->acts[act].object;
    uint32_t count;
    const uint32_t *words = dlab_words_at(&t->states, state, &count);
    const uint32_t own = t->parts[o].spec->step(&t->parts[o], words[o], t->local[act]);
    if (own == DLAB_NONE || own == words[o]) return own == DLAB_NONE ? own : state;
    memcpy(t->spare, words, count * sizeof *words);
    t->spare[o] = own;
    return dlab_words_intern(&t->states, t->spare, count, s->err);
}

static void count_together(dlab_search *s, uint32_t act, int32_t by)
{
    together *t = s->self;
    dlab_search *part = &t->parts[s->problem->acts[act].object];
    if (part->spec->count != NULL) part->spec->count(part, t->local[act], by);
}

static bool useful_together(dlab_search *s, uint32_t act)
{
    together *t = s->self;
    dlab_search *part = &t->parts[s->problem->acts[act].object];
    return part->spec->useful == NULL || part->spec->useful(part, t->local[act]);
}

static int describe_together(dlab_search *s, uint32_t state, char *text, size_t size)
{
    together *t = s->self;
    uint32_t count;
    const uint32_t *words = dlab_words_at(&t->states, state, &count);
    int used = 0;
    for (uint32_t k = 0; k < count && (size_t)used + 2 < size; k++) {
        if (k > 0) used += snprintf(text + used, size - (size_t)used, ", ");
        used += t->parts[k].spec->describe(&t->parts[k], words[k], text + used, size - (size_t)used);
        if (used < 0) return used;
    }
    return used;
}

const dlab_spec dlab_spec_product = { .open = open_together,
                                      .close = close_together,
                                      .step = step_together,
                                      .count = count_together,
                                      .useful = useful_together,
                                      .describe = describe_together };
