/* Registers: read, write, compare-and-set. A state is the value held. Locks and single members of sets are
 * registers too.
 *
 * The outlook counts, for every value, the reads still to come and the writes that may still bring it
 * about. A value that is still to be read is not given up when nothing can bring it back; a configuration
 * whose next answers need a value nothing can produce in time leads nowhere; a write nobody will read is
 * placed right before another write, where nobody can see it; a write of unknown outcome is tried only
 * while somebody may read it. */
#include <string.h>

#include "check/search.h"

enum { AHEAD = 8 };

typedef struct registers {
    uint32_t *a, *b;     /* operands of each act as values of this problem */
    uint32_t *need;      /* of each value: mandatory acts to come that see it */
    uint32_t *watchers;  /* the same with optional ones */
    uint32_t *producers; /* acts to come that bring it about */
    uint32_t *produced;  /* such acts already placed */
    /* of each mandatory act that sees a value: acts that produce it, called before its answer */
    uint32_t *in_time;
    uint32_t *global;            /* of each value: its id in the plan */
    uint32_t values, mismatches; /* mismatches: acts to come that see "anything but" */
} registers;

static bool sees(const dlab_act *act) { return act->kind == DLAB_ACT_READ || act->kind == DLAB_ACT_CAS; }
static bool produces(const dlab_act *act) { return act->kind == DLAB_ACT_WRITE || act->kind == DLAB_ACT_CAS; }

static uint32_t local_value(registers *r, uint32_t *scratch, uint32_t global)
{
    if (scratch[global] == DLAB_NONE) {
        scratch[global] = r->values;
        r->global[r->values++] = global;
    }
    return scratch[global];
}

/* What an act brings about. */
static uint32_t product(const registers *r, const dlab_act *acts, uint32_t act)
{
    return acts[act].kind == DLAB_ACT_WRITE ? r->a[act] : r->b[act];
}

/* How many acts that produce what an answer needs were called before it: one sweep. */
static void count_in_time(dlab_search *s, registers *r)
{
    const dlab_problem *p = s->problem;
    uint32_t called = 0, optional = 0;
    for (uint32_t k = 0; k < p->mandatory; k++) {
        const uint32_t until = p->acts[k].returned;
        for (; called < p->mandatory && p->acts[p->by_call[called]].called < until; called++)
            if (produces(&p->acts[p->by_call[called]]))
                r->produced[product(r, p->acts, p->by_call[called])]++;
        for (; optional < p->optional && p->acts[p->mandatory + optional].called < until; optional++)
            if (produces(&p->acts[p->mandatory + optional]))
                r->produced[product(r, p->acts, p->mandatory + optional)]++;
        if (sees(&p->acts[k])) r->in_time[k] = r->produced[r->a[k]];
    }
    memset(r->produced, 0, r->values * sizeof *r->produced);
}

static void count_act(dlab_search *s, uint32_t act, int32_t by)
{
    registers *r = s->self;
    const dlab_act *what = &s->problem->acts[act];
    const uint32_t one = (uint32_t)by;
    if (what->kind == DLAB_ACT_NOT) r->mismatches -= one;
    if (sees(what)) {
        r->watchers[r->a[act]] -= one;
        if (act < s->problem->mandatory) r->need[r->a[act]] -= one;
    }
    if (produces(what)) {
        const uint32_t value = product(r, s->problem->acts, act);
        r->producers[value] -= one;
        r->produced[value] += one;
    }
}

static int open_registers(dlab_search *s)
{
    const dlab_problem *p = s->problem;
    const size_t n = (size_t)p->mandatory + p->optional;
    uint32_t *scratch = p->plan->scratch;
    registers *r = s->self = dlab_arena_alloc(s->arena, 1, sizeof *r, s->err);
    uint32_t *operands = dlab_arena_alloc(s->arena, 4 * n + 2, sizeof *operands, s->err);
    if (r == NULL || operands == NULL) return DLAB_ENOMEM;
    r->a = operands;
    r->b = operands + n;
    r->global = operands + 2 * n; /* each act names two values at most, the beginning is one more */
    s->initial = local_value(r, scratch, p->plan->initial);
    for (size_t k = 0; k < n; k++) {
        r->a[k] = local_value(r, scratch, p->acts[k].a);
        if (p->acts[k].kind == DLAB_ACT_CAS) r->b[k] = local_value(r, scratch, p->acts[k].b);
    }
    for (uint32_t v = 0; v < r->values; v++) scratch[r->global[v]] = DLAB_NONE;
    r->need = dlab_arena_alloc(s->arena, 4 * (size_t)r->values + p->mandatory + 1, sizeof *r->need, s->err);
    if (r->need == NULL) return DLAB_ENOMEM;
    r->watchers = r->need + r->values;
    r->producers = r->watchers + r->values;
    r->produced = r->producers + r->values;
    r->in_time = r->produced + r->values;
    for (uint32_t k = 0; k < n; k++) count_act(s, k, -1);
    memset(r->produced, 0, r->values * sizeof *r->produced);
    if (!p->sequential) count_in_time(s, r);
    return DLAB_OK;
}

/* May the value held be given up for another by this act? */
static bool may_leave(const dlab_search *s, const registers *r, uint32_t held, uint32_t act)
{
    if (!(s->prunings & DLAB_PRUNE_OUTLOOK) || r->producers[held] > 0) return true;
    const bool saw_it = act < s->problem->mandatory && s->problem->acts[act].kind == DLAB_ACT_CAS;
    return r->need[held] == saw_it;
}

static uint32_t step(dlab_search *s, uint32_t state, uint32_t act)
{
    const registers *r = s->self;
    uint32_t to;
    switch (s->problem->acts[act].kind) {
    case DLAB_ACT_READ: return state == r->a[act] ? state : DLAB_NONE;
    case DLAB_ACT_NOT: return state != r->a[act] ? state : DLAB_NONE;
    case DLAB_ACT_CAS:
        if (state != r->a[act]) return DLAB_NONE;
        to = r->b[act];
        break;
    default: to = r->a[act]; break;
    }
    return to == state || may_leave(s, r, state, act) ? to : DLAB_NONE;
}

static bool hopeless(dlab_search *s, uint32_t state)
{
    const registers *r = s->self;
    const dlab_problem *p = s->problem;
    if (p->sequential) return false;
    for (uint32_t k = s->prefix; k < p->mandatory && k < s->prefix + AHEAD; k++) {
        if (s->placed[k] || !sees(&p->acts[k]) || r->a[k] == state) continue;
        if (r->produced[r->a[k]] == r->in_time[k]) return true;
    }
    return false;
}

static bool answers(dlab_search *s, uint32_t state, uint32_t act)
{
    const registers *r = s->self;
    const dlab_problem *p = s->problem;
    if (p->sequential || !sees(&p->acts[s->prefix]) || r->a[s->prefix] == state) return act == s->prefix;
    return produces(&p->acts[act]) && product(r, p->acts, act) == r->a[s->prefix];
}

static bool useful(dlab_search *s, uint32_t act)
{
    const registers *r = s->self;
    return r->mismatches > 0 || r->watchers[product(r, s->problem->acts, act)] > 0;
}

static bool overwrites(dlab_search *s, uint32_t act) { return s->problem->acts[act].kind == DLAB_ACT_WRITE; }

static bool hidden(dlab_search *s, uint32_t act)
{
    const registers *r = s->self;
    return overwrites(s, act) && r->mismatches == 0 && r->watchers[r->a[act]] == 0;
}

static int describe(dlab_search *s, uint32_t state, char *text, size_t size)
{
    const registers *r = s->self;
    const dlab_plan *plan = s->problem->plan;
    return dlab_value_format(plan->history, dlab_value_of(&plan->values, r->global[state]), text, size);
}

const dlab_spec dlab_spec_register = { .open = open_registers,
                                       .step = step,
                                       .count = count_act,
                                       .hopeless = hopeless,
                                       .answers = answers,
                                       .useful = useful,
                                       .hidden = hidden,
                                       .overwrites = overwrites,
                                       .describe = describe };
