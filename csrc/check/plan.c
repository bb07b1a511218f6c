/* The plan: every operation reduced, grouped by object, in the order of calls and in that of answers; and
 * the problems made from it. Everything here is linear in the history. */
#include <string.h>

#include "check/plan.h"

static bool happens(const dlab_history *h, uint32_t f, uint32_t kind)
{
    for (size_t i = 0; i < dlab_history_count(h); i++) {
        const dlab_operation *op = dlab_history_at(h, i);
        if (op->f == f && (kind == DLAB_NONE || op->argument.kind == kind)) return true;
    }
    return false;
}

static dlab_family family_of(const dlab_history *h, int32_t specification)
{
    switch (specification) {
    case DLAB_SPECIFICATION_MULTI_REGISTER: return DLAB_FAMILY_PARTS;
    case DLAB_SPECIFICATION_KEY_VALUE:
        if (!happens(h, DLAB_F_APPEND, DLAB_NONE)) return DLAB_FAMILY_REGISTER;
        return happens(h, DLAB_F_APPEND, DLAB_VALUE_TEXT) ? DLAB_FAMILY_TEXT : DLAB_FAMILY_LIST;
    case DLAB_SPECIFICATION_SET:
        /* While nobody asks for the whole set, each member is an object of its own. */
        return happens(h, DLAB_F_READ, DLAB_NONE) || happens(h, DLAB_F_R, DLAB_NONE) ? DLAB_FAMILY_SET
                                                                                     : DLAB_FAMILY_REGISTER;
    case DLAB_SPECIFICATION_QUEUE: return DLAB_FAMILY_QUEUE;
    case DLAB_SPECIFICATION_STACK: return DLAB_FAMILY_STACK;
    case DLAB_SPECIFICATION_COUNTER: return DLAB_FAMILY_COUNTER;
    case DLAB_SPECIFICATION_LIST_APPEND: return DLAB_FAMILY_LIST;
    case DLAB_SPECIFICATION_USER: return DLAB_FAMILY_USER;
    default: return DLAB_FAMILY_REGISTER;
    }
}

static int check_options(const dlab_history *h, const dlab_check_options *o, dlab_error *err)
{
    if (!h->ordered && h->operations.count > 0)
        return dlab_fail(err, DLAB_EINVAL, "this history is not complete: dlab_history_complete comes first");
    if (o->specification < 0 || o->specification >= DLAB_SPECIFICATION_COUNT)
        return dlab_fail(err, DLAB_ERANGE, "specification %d is outside [0, %d]", o->specification,
                         DLAB_SPECIFICATION_COUNT - 1);
    if (o->specification == DLAB_SPECIFICATION_USER && (o->user == NULL || o->user->step == NULL))
        return dlab_fail(err, DLAB_EINVAL, "specification user needs a step function");
    if (o->criterion < 0 || o->criterion > DLAB_CRITERION_SEQUENTIAL)
        return dlab_fail(err, DLAB_ERANGE, "criterion %d is outside [0, 1]", o->criterion);
    if (o->fail_semantics < 0 || o->fail_semantics > DLAB_FAIL_MAYBE)
        return dlab_fail(err, DLAB_ERANGE, "fail_semantics %d is outside [0, 2]", o->fail_semantics);
    if (o->bug < 0 || o->bug > DLAB_CHECK_BUG_WRITE_TAKEN_AS_READ)
        return dlab_fail(err, DLAB_ERANGE, "bug %d is outside [0, 3]", o->bug);
    return DLAB_OK;
}

/* The beginning of a sequence is one, that of a counter a number. */
static int check_initial(const dlab_plan *p, dlab_error *err)
{
    const uint32_t kind = p->options->initial.kind;
    const char *wanted = p->family == DLAB_FAMILY_TEXT      ? "text"
                         : p->family == DLAB_FAMILY_LIST    ? "a list"
                         : p->family == DLAB_FAMILY_COUNTER ? "an integer"
                                                            : NULL;
    const uint32_t right = p->family == DLAB_FAMILY_TEXT   ? DLAB_VALUE_TEXT
                           : p->family == DLAB_FAMILY_LIST ? DLAB_VALUE_LIST
                                                           : DLAB_VALUE_INT;
    if (wanted == NULL || kind == DLAB_VALUE_NIL || kind == right) return DLAB_OK;
    char text[80];
    (void)dlab_value_format(p->history, p->options->initial, text, sizeof text);
    return dlab_fail(err, DLAB_ETYPE, "the initial value is %s; expected %s or nil", text, wanted);
}

static void *take(dlab_arena *arena, size_t count, size_t size, dlab_error *err)
{
    return dlab_arena_alloc(arena, count, size, err);
}

/* The register every object starts with. */
static dlab_value initial_of(const dlab_plan *p)
{
    const int32_t s = p->options->specification;
    if (s == DLAB_SPECIFICATION_MUTEX) return dlab_bool(false);
    if (s == DLAB_SPECIFICATION_SET && p->family == DLAB_FAMILY_REGISTER) return dlab_bool(false);
    return p->options->initial;
}

static int reduce_all(dlab_plan *p, dlab_error *err)
{
    const size_t n = dlab_history_count(p->history);
    dlab_value_ids processes = { .history = p->history,
                                 .memory = p->memory,
                                 .values = { .row_size = sizeof(dlab_value) } };
    dlab_error own = { 0 };
    const bool by_process = p->options->criterion == DLAB_CRITERION_SEQUENTIAL ||
                            p->options->bug == DLAB_CHECK_BUG_REAL_TIME_IGNORED;
    for (size_t i = 0; i < n && own.code == DLAB_OK; i++) {
        const dlab_operation *op = dlab_history_at(p->history, i);
        dlab_act *act = &p->acts[p->act_count];
        dlab_value object;
        *act = (dlab_act){ .called = op->called, .source = (uint32_t)i };
        if (!dlab_plan_reduce(p, op, act, &object, &own)) continue;
        act->object = dlab_value_id(&p->object_ids, object, &own);
        if (by_process) act->process = dlab_value_id(&processes, dlab_int(op->process), &own);
        p->act_count++;
    }
    p->objects = (uint32_t)p->object_ids.values.count;
    p->processes = (uint32_t)processes.values.count;
    p->registers = (uint32_t)p->keys.values.count;
    dlab_buffer_free(&processes.values, p->memory);
    dlab_memory_free(p->memory, processes.slots, processes.slot_count * sizeof *processes.slots);
    dlab_memory_free(p->memory, processes.hashes, processes.hash_capacity * sizeof *processes.hashes);
    return own.code == DLAB_OK ? DLAB_OK : dlab_fail(err, own.code, "%s", own.text);
}

/* Counting sort by object, twice: in the order of calls, and of answers. */
static int group(dlab_plan *p, dlab_error *err)
{
    const uint32_t n = p->act_count, events = p->history->events;
    p->object_start = take(&p->arena, (size_t)p->objects + 2, sizeof(uint32_t), err);
    p->return_start = take(&p->arena, (size_t)p->objects + 2, sizeof(uint32_t), err);
    p->by_call = take(&p->arena, n, sizeof(uint32_t), err);
    p->by_return = take(&p->arena, n, sizeof(uint32_t), err);
    p->all_returns = take(&p->arena, n, sizeof(uint32_t), err);
    p->local = take(&p->arena, n, sizeof(uint32_t), err);
    p->scratch = take(&p->arena, p->values.values.count, sizeof(uint32_t), err);
    uint32_t *at_place = take(&p->arena, events, sizeof(uint32_t), err);
    if (p->object_start == NULL || p->return_start == NULL || p->by_call == NULL || p->by_return == NULL ||
        p->all_returns == NULL || p->local == NULL || p->scratch == NULL || at_place == NULL)
        return DLAB_ENOMEM;
    memset(p->scratch, 0xff, p->values.values.count * sizeof(uint32_t));
    for (uint32_t i = 0; i < n; i++) {
        p->object_start[p->acts[i].object + 2]++;
        if (p->acts[i].returned == DLAB_NONE) continue;
        p->return_start[p->acts[i].object + 2]++;
        at_place[p->acts[i].returned] = i + 1;
    }
    for (uint32_t k = 2; k < p->objects + 2; k++) {
        p->object_start[k] += p->object_start[k - 1];
        p->return_start[k] += p->return_start[k - 1];
    }
    for (uint32_t i = 0; i < n; i++) p->by_call[p->object_start[p->acts[i].object + 1]++] = i;
    for (uint32_t e = 0; e < events; e++) {
        if (at_place[e] == 0) continue;
        const uint32_t i = at_place[e] - 1;
        p->by_return[p->return_start[p->acts[i].object + 1]++] = i;
        p->all_returns[p->answered++] = i;
    }
    return DLAB_OK;
}

int dlab_plan_open(dlab_plan *plan, const dlab_history *history, const dlab_check_options *options,
                   dlab_memory *memory, dlab_error *err)
{
    const dlab_value_ids ids = { .history = history,
                                 .memory = memory,
                                 .values = { .row_size = sizeof(dlab_value) } };
    *plan = (dlab_plan){ .history = history,
                         .options = options,
                         .memory = memory,
                         .arena = { .memory = memory },
                         .values = ids,
                         .keys = ids,
                         .object_ids = ids,
                         .parts = { .row_size = sizeof(dlab_part) },
                         .class_sources = { .row_size = sizeof(uint32_t) } };
    dlab_words_open(&plan->classes, memory);
    dlab_error own = { 0 };
    if (check_options(history, options, &own) == DLAB_OK) {
        plan->family = family_of(history, options->specification);
        (void)check_initial(plan, &own);
        plan->initial = dlab_value_id(&plan->values, initial_of(plan), &own);
        plan->acts = take(&plan->arena, dlab_history_count(history), sizeof(dlab_act), &own);
        if (own.code == DLAB_OK && reduce_all(plan, &own) == DLAB_OK) (void)group(plan, &own);
    }
    return own.code == DLAB_OK ? DLAB_OK : dlab_fail(err, own.code, "%s", own.text);
}

static void free_ids(dlab_value_ids *ids, dlab_memory *memory)
{
    dlab_buffer_free(&ids->values, memory);
    dlab_memory_free(memory, ids->slots, ids->slot_count * sizeof *ids->slots);
    dlab_memory_free(memory, ids->hashes, ids->hash_capacity * sizeof *ids->hashes);
}

void dlab_plan_close(dlab_plan *plan)
{
    free_ids(&plan->values, plan->memory);
    free_ids(&plan->keys, plan->memory);
    free_ids(&plan->object_ids, plan->memory);
    dlab_words_close(&plan->classes);
    dlab_buffer_free(&plan->parts, plan->memory);
    dlab_buffer_free(&plan->class_sources, plan->memory);
    dlab_arena_free(&plan->arena);
}

/* An answer that has not come yet says nothing: what remains of the act, if anything. */
static bool reopen(dlab_act *act)
{
    act->returned = DLAB_NONE;
    switch (act->kind) {
    case DLAB_ACT_NOT: act->kind = DLAB_ACT_CAS; break;
    case DLAB_ACT_TAKE:
    case DLAB_ACT_EMPTY: act->kind = DLAB_ACT_TAKE_ANY; break;
    case DLAB_ACT_PARTS: act->kind = DLAB_ACT_PARTS_BLIND; return !act->reads;
    case DLAB_ACT_USER: act->a = act->b; return !act->reads;
    default: return !act->reads;
    }
    act->reads = false;
    return act->kind != DLAB_ACT_CAS || act->a != act->b;
}

int dlab_problem_make(dlab_problem *problem, dlab_plan *plan, uint32_t object, uint32_t until,
                      const unsigned char *keep, dlab_arena *arena, dlab_error *err)
{
    const bool all = object == DLAB_NONE;
    const uint32_t first = all ? 0 : plan->object_start[object];
    const uint32_t count = all ? plan->act_count : plan->object_start[object + 1] - first;
    const uint32_t *by_return = all ? plan->all_returns : plan->by_return + plan->return_start[object];
    const uint32_t returns =
        all ? plan->answered : plan->return_start[object + 1] - plan->return_start[object];
    dlab_act *acts = take(arena, count, sizeof *acts, err);
    uint32_t *by_call = take(arena, count, sizeof *by_call, err), n = 0, optional = 0;
    if (acts == NULL || by_call == NULL) return DLAB_ENOMEM;
    for (uint32_t k = 0; k < returns; k++) {
        const uint32_t i = by_return[k];
        const dlab_act *a = &plan->acts[i];
        if (a->returned > until || (keep != NULL && !keep[i])) continue;
        plan->local[i] = n;
        acts[n++] = *a;
    }
    uint32_t calls = 0;
    for (uint32_t k = 0; k < count; k++) {
        const uint32_t i = all ? k : plan->by_call[first + k];
        dlab_act a = plan->acts[i];
        if (a.called > until || (keep != NULL && !keep[i])) continue;
        if (a.returned != DLAB_NONE && a.returned <= until) by_call[calls++] = plan->local[i];
        else if (a.returned == DLAB_NONE || reopen(&a)) acts[n + optional++] = a;
    }
    *problem = (dlab_problem){
        .plan = plan, .acts = acts, .by_call = by_call, .mandatory = n, .optional = optional
    };
    return DLAB_OK;
}
