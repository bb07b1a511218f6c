/* The checker: one object after the other, each decided without search where that is possible. */
#include <string.h>

#include "check/judge.h"
#include "check/line.h"

enum { EXPLAIN_STATES = 100000 };

static uint32_t later(uint32_t a, uint32_t b) { return a > b ? a : b; }

/* From acts of a problem to operations of the history, with the earliest place each can take effect at. */
static void hand_over(const dlab_problem *p, const uint32_t *acts, uint32_t count, dlab_question *q)
{
    uint32_t place = 0;
    for (uint32_t k = 0; k < count; k++) {
        place = later(place, p->acts[acts[k]].called);
        q->order[k] = p->acts[acts[k]].source;
        q->order_places[k] = place;
    }
    q->order_count = count;
}

static int keep_explanation(dlab_judge *j, dlab_search *s)
{
    dlab_check_result *r = j->result;
    r->pending_count = s->pending_count;
    for (uint32_t k = 0; k < s->pending_count; k++)
        (void)s->spec->describe(s, s->pending[k], r->pending[k].text, sizeof r->pending[k].text);
    const size_t size = s->deepest_count * sizeof *r->order;
    r->order = dlab_memory_realloc(j->memory, r->order, r->order_count * sizeof *r->order, size, j->err);
    r->order_count = r->order == NULL ? 0 : s->deepest_count;
    for (size_t k = 0; k < r->order_count; k++) r->order[k] = s->problem->acts[s->deepest_order[k]].source;
    return j->err->code;
}

static int32_t search(dlab_judge *j, const dlab_problem *p, dlab_question *q)
{
    dlab_check_result *r = j->result;
    dlab_search s = { .problem = p,
                      .arena = &j->arena,
                      .memory = j->memory,
                      .err = j->err,
                      .options = j->options,
                      .prunings = j->prunings,
                      .bug = j->options->bug,
                      .states = r->states,
                      .polled = j->polled,
                      .states_max = j->states_max };
    int32_t verdict = DLAB_VERDICT_UNKNOWN;
    if (q->explain) {
        s.explain = true;
        s.prunings &= ~(uint32_t)DLAB_PRUNE_OUTLOOK;
        s.states_max = r->states + EXPLAIN_STATES;
        s.deepest_order =
            dlab_arena_alloc(&j->arena, (size_t)p->mandatory + p->optional + 1, sizeof(uint32_t), j->err);
    }
    if (j->err->code == DLAB_OK && dlab_search_open(&s) == DLAB_OK) verdict = dlab_search_run(&s);
    r->states = s.states;
    r->dead += s.cache.count;
    r->window = later(r->window, s.slots);
    if (j->err->code == DLAB_OK && verdict == DLAB_VERDICT_YES && q->order != NULL)
        hand_over(p, s.order, s.placed_count, q);
    if (j->err->code == DLAB_OK && q->explain) (void)keep_explanation(j, &s);
    if (s.reason != NULL) r->reason = s.reason;
    j->polled = s.polled;
    dlab_search_close(&s);
    return verdict;
}

/* Without search, where a theorem says how. */
static bool decide_directly(dlab_judge *j, const dlab_problem *p, int32_t *verdict, dlab_question *q)
{
    uint32_t count = 0;
    bool decided = false;
    if (q->explain) return false;
    if (j->prunings & DLAB_PRUNE_UNIQUE)
        decided = dlab_unique_decide(p, &j->arena, verdict, q->order, &count, j->err);
    if (!decided && j->err->code == DLAB_OK && (j->prunings & DLAB_PRUNE_LINES))
        decided = dlab_line_decide(p, &j->arena, verdict, q->order, &count, j->err);
    if (decided && q->order != NULL) hand_over(p, q->order, count, q);
    return decided;
}

int32_t dlab_judge_ask(dlab_judge *judge, dlab_question *question)
{
    int32_t verdict = DLAB_VERDICT_UNKNOWN;
    dlab_problem p;
    question->order_count = 0;
    if (dlab_problem_make(&p, &judge->plan, question->object, question->until, question->keep, &judge->arena,
                          judge->err) == DLAB_OK) {
        p.sequential = judge->sequential;
        p.objects = question->object == DLAB_NONE ? judge->plan.objects : 1;
        if (!decide_directly(judge, &p, &verdict, question) && judge->err->code == DLAB_OK)
            verdict = search(judge, &p, question);
    }
    dlab_arena_reset(&judge->arena);
    return judge->err->code == DLAB_OK ? verdict : DLAB_VERDICT_UNKNOWN;
}

/* Orders of all objects, merged by the earliest place each operation can take effect at; within an object
 * places never fall, so a stable sort by place keeps its order. Places are below 2^32: four passes of
 * eight bits. */
static int merge_orders(dlab_judge *j, uint32_t *order, uint32_t *places, uint32_t count)
{
    uint32_t *spare = dlab_arena_alloc(&j->arena, 2 * (size_t)count + 1, sizeof *spare, j->err);
    if (spare == NULL) return DLAB_ENOMEM;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        uint32_t start[257] = { 0 };
        for (uint32_t k = 0; k < count; k++) start[(places[k] >> shift & 255) + 1]++;
        for (unsigned d = 1; d < 257; d++) start[d] += start[d - 1];
        for (uint32_t k = 0; k < count; k++) {
            const uint32_t to = start[places[k] >> shift & 255]++;
            spare[to] = order[k];
            spare[count + to] = places[k];
        }
        memcpy(order, spare, count * sizeof *order);
        memcpy(places, spare + count, count * sizeof *places);
    }
    dlab_arena_reset(&j->arena);
    return DLAB_OK;
}

/* Object by object, or all at once: the first no decides. */
static int32_t decide(dlab_judge *j, bool at_once, uint32_t *order, uint32_t *places, uint32_t *failed)
{
    const uint32_t questions = at_once ? j->plan.act_count > 0 : j->plan.objects;
    uint32_t count = 0;
    int32_t verdict = DLAB_VERDICT_YES;
    for (uint32_t k = 0; k < questions; k++) {
        dlab_question q = { .object = at_once ? DLAB_NONE : k, .until = DLAB_NONE };
        if (order != NULL) {
            q.order = order + count;
            q.order_places = places + count;
        }
        const int32_t one = dlab_judge_ask(j, &q);
        if (j->err->code != DLAB_OK) return DLAB_VERDICT_UNKNOWN;
        *failed = q.object;
        count += q.order_count;
        if (one == DLAB_VERDICT_NO) return one;
        if (one == DLAB_VERDICT_UNKNOWN) verdict = one;
    }
    j->result->order_count = count;
    if (verdict == DLAB_VERDICT_YES && order != NULL && !at_once && merge_orders(j, order, places, count))
        return DLAB_VERDICT_UNKNOWN;
    return verdict;
}

static int judge(dlab_judge *j)
{
    dlab_check_result *r = j->result;
    if (dlab_plan_open(&j->plan, j->plan.history, j->options, j->memory, j->err)) return j->err->code;
    const bool at_once =
        j->options->criterion == DLAB_CRITERION_SEQUENTIAL || !(j->prunings & DLAB_PRUNE_KEYS);
    const size_t size = (size_t)j->plan.act_count * sizeof(uint32_t);
    uint32_t *order = NULL, *places = NULL, failed = DLAB_NONE;
    if (j->options->order) {
        order = dlab_memory_realloc(j->memory, NULL, 0, size, j->err);
        places = order == NULL ? NULL : dlab_memory_realloc(j->memory, NULL, 0, size, j->err);
    }
    r->objects = j->plan.objects;
    if (j->err->code == DLAB_OK) r->verdict = decide(j, at_once, order, places, &failed);
    dlab_memory_free(j->memory, places, size);
    if (j->err->code == DLAB_OK && r->verdict == DLAB_VERDICT_YES && order != NULL) {
        const size_t used = r->order_count * sizeof *order;
        r->order = dlab_memory_realloc(j->memory, order, size, used, j->err);
        if (r->order == NULL) dlab_memory_free(j->memory, order, size);
    } else {
        r->order_count = 0;
        dlab_memory_free(j->memory, order, size);
    }
    if (j->err->code == DLAB_OK && r->verdict == DLAB_VERDICT_NO && j->options->explain)
        (void)dlab_judge_explain(j, failed);
    return j->err->code;
}

int dlab_check_history(const dlab_history *history, const dlab_check_options *options, dlab_memory *memory,
                       dlab_check_result *result, dlab_error *err)
{
    dlab_error own = { 0 };
    dlab_judge j = { .options = options,
                     .memory = memory,
                     .arena = { .memory = memory },
                     .result = result,
                     .err = &own,
                     .prunings = (uint32_t)DLAB_PRUNE_ALL & ~options->switched_off,
                     .states_max = options->states_max };
    const size_t before = memory->used, budget = memory->budget, peak = memory->peak;
    if (options->memory_max != 0 && (budget == 0 || before + options->memory_max < budget))
        memory->budget = before + options->memory_max;
    memory->peak = before;
    *result = (dlab_check_result){ .verdict = DLAB_VERDICT_UNKNOWN,
                                   .entry_bytes = sizeof(dlab_dead),
                                   .stuck = DLAB_NONE,
                                   .memory = memory };
    j.sequential =
        options->criterion == DLAB_CRITERION_SEQUENTIAL || options->bug == DLAB_CHECK_BUG_REAL_TIME_IGNORED;
    j.plan.history = history;
    (void)judge(&j);
    dlab_plan_close(&j.plan);
    dlab_arena_free(&j.arena);
    result->peak_bytes = memory->peak - before;
    if (memory->peak < peak) memory->peak = peak;
    memory->budget = budget;
    if (own.code == DLAB_ELIMIT) { /* a budget is no mistake: the answer is that there is none */
        if (result->verdict != DLAB_VERDICT_NO) result->verdict = DLAB_VERDICT_UNKNOWN;
        if (result->verdict == DLAB_VERDICT_UNKNOWN) result->reason = "memory budget";
        return DLAB_OK;
    }
    if (own.code == DLAB_OK) return DLAB_OK;
    dlab_check_result_free(result);
    return dlab_fail(err, own.code, "%s", own.text);
}

void dlab_check_result_free(dlab_check_result *result)
{
    dlab_memory *m = result->memory;
    if (m == NULL) return;
    dlab_memory_free(m, result->order, result->order_count * sizeof *result->order);
    dlab_memory_free(m, result->window_operations, result->window_count * sizeof *result->window_operations);
    dlab_memory_free(m, result->shrunk, result->shrunk_count * sizeof *result->shrunk);
    result->order = result->window_operations = result->shrunk = NULL;
    result->order_count = result->window_count = result->shrunk_count = 0;
}
