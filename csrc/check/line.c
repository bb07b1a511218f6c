/* A queue into which every value is put once needs no search; stacks share the first half (and go on in
 * stack.c).
 *
 * Seen empty: a value lies in the queue for certain from the answer to its put to the call of its take.
 * Where an operation found nothing, some instant of it must be free of all such spans; any will do, for
 * each value can then be wholly before it or wholly after it (the condition of Henzinger, Sezgin and
 * Vafeiadis, CONCUR 2013, and Bouajjani, Emmi, Enea and Hamza, ICALP 2015, on covered empty dequeues).
 *
 * First in, first out: x must come before y when x's put is answered before y's is called, x's take before
 * y's take is called, or x's take before y's put is called. Each is necessary. Where these do not go in a
 * circle, any order of values that keeps them is a queue: put and take each as early as the order and
 * their calls allow, and none comes after its answer. So values are laid in a row, one after another,
 * whichever has nothing before it; when none is left without, the history has no order.
 *
 * Unknown outcomes: a put that may not have happened, of a value nobody took, did not happen. Takes of
 * unknown outcome are never answered, so which value each took matters by its call alone: the values that
 * were left, in the order of the answers to their puts, are given to them in the order of their calls. A
 * value put in earlier is needed gone no later than the next, so an exchange turns any working choice into
 * this one. */
#include <string.h>

#include "check/line.h"

static uint32_t *numbers(dlab_line *l, size_t count)
{
    return dlab_arena_alloc(l->arena, count + 1, sizeof(uint32_t), l->err);
}

bool dlab_walk_next(dlab_walk *walk)
{
    const dlab_problem *p = walk->p;
    const uint32_t r = walk->returned, c = walk->called, o = p->mandatory + walk->optional;
    const uint32_t answer = r < p->mandatory ? p->acts[r].returned : DLAB_NONE;
    const uint32_t call = c < p->mandatory ? p->acts[p->by_call[c]].called : DLAB_NONE;
    const uint32_t unknown = walk->optional < p->optional ? p->acts[o].called : DLAB_NONE;
    if (answer < call && answer < unknown) {
        walk->act = r;
        walk->place = answer;
        walk->calls = false;
        walk->returned++;
        return true;
    }
    walk->calls = true;
    walk->place = call < unknown ? call : unknown;
    if (walk->place == DLAB_NONE) return false;
    if (call < unknown) walk->act = p->by_call[walk->called++];
    else walk->act = p->mandatory + walk->optional++;
    return true;
}

void dlab_line_give(dlab_line *line, uint32_t item, uint32_t act)
{
    line->items[item].take = act;
    line->items[item].take_called = line->p->acts[act].called;
    line->items[item].take_returned = DLAB_LINE_OPEN;
    line->of[act] = item;
}

static void put_in(dlab_line *l, uint32_t act)
{
    const dlab_act *a = &l->p->acts[act];
    l->of[act] = l->count;
    l->items[l->count++] =
        (dlab_item){ .put = act,
                     .take = DLAB_NONE,
                     .put_called = a->called,
                     .put_returned = a->returned == DLAB_NONE ? DLAB_LINE_OPEN : a->returned,
                     .take_called = DLAB_LINE_OPEN,
                     .take_returned = DLAB_LINE_LEFT };
}

/* Items by value. False: a value is put in twice. Impossible: taken twice, never put in, or taken before
 * its put was called. */
static bool gather(dlab_line *l, bool *impossible)
{
    const dlab_problem *p = l->p;
    const uint32_t n = p->mandatory + p->optional;
    uint32_t *scratch = p->plan->scratch;
    bool once = true;
    for (uint32_t k = 0; k < n && once; k++) {
        l->of[k] = DLAB_NONE;
        if (p->acts[k].kind != DLAB_ACT_PUT_IN) continue;
        once = scratch[p->acts[k].a] == DLAB_NONE;
        scratch[p->acts[k].a] = l->count;
        put_in(l, k);
    }
    for (uint32_t k = 0; k < p->mandatory && once && !*impossible; k++) {
        const dlab_act *a = &p->acts[k];
        if (a->kind != DLAB_ACT_TAKE) continue;
        const uint32_t item = scratch[a->a];
        *impossible =
            item == DLAB_NONE || l->items[item].take != DLAB_NONE || a->returned < l->items[item].put_called;
        if (*impossible) break;
        dlab_line_give(l, item, k);
        l->items[item].take_returned = a->returned;
    }
    for (uint32_t k = 0; k < n; k++)
        if (p->acts[k].kind == DLAB_ACT_PUT_IN) scratch[p->acts[k].a] = DLAB_NONE;
    return once;
}

/* Puts that did not happen, and takes that are free. */
static void settle_unknown(dlab_line *l)
{
    const dlab_problem *p = l->p;
    for (uint32_t k = p->mandatory; k < p->mandatory + p->optional; k++)
        if (p->acts[k].kind == DLAB_ACT_TAKE_ANY) l->spares[l->spare_count++] = k;
    l->unknown_takes = l->spare_count;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < l->count; i++) {
        const dlab_item item = l->items[i];
        if (item.put >= p->mandatory && item.take == DLAB_NONE) {
            l->of[item.put] = DLAB_NONE;
            continue;
        }
        l->items[kept] = item;
        l->of[item.put] = kept;
        if (item.take != DLAB_NONE) l->of[item.take] = kept;
        kept++;
    }
    l->count = kept;
    if (!l->queue) return;
    uint32_t given = 0;
    for (uint32_t i = 0; i < l->count && given < l->spare_count; i++)
        if (l->items[i].take == DLAB_NONE) dlab_line_give(l, i, l->spares[given++]);
    l->spare_count -= given;
    memmove(l->spares, l->spares + given, l->spare_count * sizeof *l->spares);
}

/* What a sweep for moments knows. */
typedef struct sweep {
    uint32_t inside;        /* items with a take that are in for certain */
    uint32_t *left, lefts;  /* items without, put in for certain; they need a take of unknown outcome */
    uint32_t spares, due;   /* such takes called; empties that have their moment */
    uint32_t found, latest; /* empties called; where the latest moment is */
    uint32_t parts;         /* different moments */
} sweep;

/* Everything that is in is taken by somebody of whom nothing is known. */
static void lose_all(dlab_line *l, sweep *w)
{
    for (uint32_t k = 0; k < w->lefts; k++) l->items[w->left[k]].lost = true;
    w->spares -= w->lefts;
    w->lefts = 0;
}

/* One event. */
static void pass(dlab_line *l, sweep *w, const dlab_walk *walk)
{
    const uint8_t kind = l->p->acts[walk->act].kind;
    const uint32_t i = l->of[walk->act];
    if (kind == DLAB_ACT_EMPTY) {
        if (walk->calls) l->empties[w->found++] = walk->act;
        return;
    }
    if (i == DLAB_NONE) {
        w->spares += kind == DLAB_ACT_TAKE_ANY;
        return;
    }
    dlab_item *item = &l->items[i];
    if (walk->calls) item->part = w->parts;
    if (kind == DLAB_ACT_PUT_IN && !walk->calls && item->take == DLAB_NONE) w->left[w->lefts++] = i;
    if (item->take == DLAB_NONE || item->put_returned > item->take_called) return;
    if (kind == DLAB_ACT_PUT_IN) w->inside += !walk->calls;
    else w->inside -= walk->calls;
}

/* A moment without any value for everyone who found nothing, as early as there is one. False: one has
 * none. Each needs only as many takes of unknown outcome called as values were left, so none is in the
 * way of another. */
static bool find_moments(dlab_line *l)
{
    sweep w = { .left = numbers(l, l->count) };
    dlab_walk walk = { .p = l->p };
    if (w.left == NULL) return false;
    while (dlab_walk_next(&walk)) {
        if (!walk.calls && l->p->acts[walk.act].kind == DLAB_ACT_EMPTY) {
            uint32_t k = w.due;
            while (k < w.found && l->empties[k] != walk.act) k++;
            if (k < w.found) return false;
        }
        pass(l, &w, &walk);
        if (w.due == w.found || w.inside > 0 || w.lefts > w.spares) continue;
        lose_all(l, &w);
        for (; w.due < w.found; w.due++) l->moments[w.due] = walk.place;
        w.parts++;
    }
    l->empty_count = w.found;
    for (uint32_t i = 0; i < l->count; i++)
        if (l->items[i].take == DLAB_NONE) l->items[i].part = w.parts;
    return true;
}

/* Items by each of their four places. */
typedef struct lists {
    uint32_t *put_calls, *take_calls, *take_returns; /* (by the answers to their puts: as they are) */
    uint32_t put_called, take_called, taken;
} lists;

static bool list_items(dlab_line *l, lists *x)
{
    dlab_walk walk = { .p = l->p };
    x->put_calls = numbers(l, l->count);
    x->take_calls = numbers(l, l->count);
    x->take_returns = numbers(l, l->count);
    if (x->put_calls == NULL || x->take_calls == NULL || x->take_returns == NULL) return false;
    while (dlab_walk_next(&walk)) {
        const uint32_t i = l->of[walk.act];
        if (i == DLAB_NONE) continue;
        const bool puts = walk.act == l->items[i].put;
        if (puts && walk.calls) x->put_calls[x->put_called++] = i;
        if (!puts && walk.calls) x->take_calls[x->take_called++] = i;
        if (!puts && !walk.calls) x->take_returns[x->taken++] = i;
    }
    for (int stays = 0; stays < 2; stays++)
        for (uint32_t i = 0; i < l->count; i++) {
            if (l->items[i].take_returned != (stays ? DLAB_LINE_LEFT : DLAB_LINE_OPEN)) continue;
            x->take_returns[x->taken++] = i;
            if (stays) x->take_calls[x->take_called++] = i;
        }
    return true;
}

/* Lay the items in a row; false: they go in a circle. */
static bool lay(dlab_line *l, uint32_t *row)
{
    lists x = { 0 };
    uint32_t *ready = numbers(l, l->count), *free_of = numbers(l, l->count), *laid = numbers(l, l->count);
    if (ready == NULL || free_of == NULL || laid == NULL || !list_items(l, &x)) return false;
    uint32_t puts = 0, takes = 0, put_left = 0, take_left = 0, count = 0;
    for (uint32_t n = 0; n < l->count; n++) {
        while (laid[put_left]) put_left++;
        while (laid[x.take_returns[take_left]]) take_left++;
        const uint32_t next_put = l->items[put_left].put_returned;
        const uint32_t next_take = l->items[x.take_returns[take_left]].take_returned;
        const uint32_t limit = next_put < next_take ? next_put : next_take;
        for (; puts < l->count && l->items[x.put_calls[puts]].put_called < limit; puts++)
            if (++free_of[x.put_calls[puts]] == 2) ready[count++] = x.put_calls[puts];
        for (; takes < l->count && l->items[x.take_calls[takes]].take_called < next_take; takes++)
            if (++free_of[x.take_calls[takes]] == 2) ready[count++] = x.take_calls[takes];
        if (count == 0) return false;
        row[n] = ready[--count];
        laid[row[n]] = 1;
    }
    return true;
}

static uint32_t later(uint32_t a, uint32_t b) { return a > b ? a : b; }

/* Puts and takes of a part of the row, each as early as its call and those before it allow. */
static uint32_t write_part(const dlab_line *l, const uint32_t *row, uint32_t count, uint32_t *spare,
                           uint32_t *order)
{
    uint32_t written = 0, at = 0, latest_put = 0, latest_take = 0;
    for (uint32_t k = 0; k < count; k++) { /* when each is put in */
        latest_put = later(latest_put, l->items[row[k]].put_called);
        spare[k] = latest_put;
    }
    for (uint32_t k = 0; k < count; k++) {
        const dlab_item *item = &l->items[row[k]];
        if (item->take == DLAB_NONE) continue;
        latest_take = later(latest_take, later(spare[k], item->take_called));
        while (at < count && spare[at] <= latest_take) order[written++] = l->items[row[at++]].put;
        order[written++] = item->take;
    }
    while (at < count) order[written++] = l->items[row[at++]].put;
    return written;
}

/* The row part by part, and who found nothing between the parts. */
static uint32_t write_order(dlab_line *l, const uint32_t *row, uint32_t *order)
{
    uint32_t *start = numbers(l, (size_t)l->empty_count + 2), *sorted = numbers(l, l->count);
    uint32_t *spare = numbers(l, l->count), written = 0, empty = 0;
    if (start == NULL || sorted == NULL || spare == NULL) return 0;
    for (uint32_t i = 0; i < l->count; i++) start[l->items[i].part + 1]++;
    for (uint32_t k = 0; k <= l->empty_count; k++) start[k + 1] += start[k];
    for (uint32_t k = 0; k < l->count; k++) sorted[start[l->items[row[k]].part]++] = row[k];
    for (uint32_t k = 0, first = 0; k <= l->empty_count; first = start[k++]) {
        written += write_part(l, sorted + first, start[k] - first, spare, order + written);
        if (empty == l->empty_count) continue;
        const uint32_t moment = l->moments[empty];
        for (; empty < l->empty_count && l->moments[empty] == moment; empty++)
            order[written++] = l->empties[empty];
    }
    return written;
}

static int32_t decide_queue(dlab_line *l, uint32_t *order, uint32_t *order_count)
{
    uint32_t *row = numbers(l, l->count);
    if (row == NULL || !lay(l, row)) return DLAB_VERDICT_NO;
    if (order != NULL) *order_count = write_order(l, row, order);
    return DLAB_VERDICT_YES;
}

bool dlab_line_decide(const dlab_problem *problem, dlab_arena *arena, int32_t *verdict, uint32_t *order,
                      uint32_t *order_count, dlab_error *err)
{
    const dlab_family family = problem->plan->family;
    const size_t n = (size_t)problem->mandatory + problem->optional;
    bool impossible = false;
    if ((family != DLAB_FAMILY_QUEUE && family != DLAB_FAMILY_STACK) || problem->sequential ||
        problem->objects != 1)
        return false;
    dlab_line l = { .p = problem, .arena = arena, .err = err, .queue = family == DLAB_FAMILY_QUEUE };
    l.items = dlab_arena_alloc(arena, n + 1, sizeof *l.items, err);
    l.of = numbers(&l, 4 * n);
    if (l.items == NULL || l.of == NULL) return false;
    l.spares = l.of + n;
    l.empties = l.spares + n;
    l.moments = l.empties + n;
    if (!gather(&l, &impossible)) return false;
    *verdict = DLAB_VERDICT_NO;
    if (impossible) return true;
    settle_unknown(&l);
    if (!find_moments(&l)) return err->code == DLAB_OK;
    *verdict = l.queue ? decide_queue(&l, order, order_count) : dlab_stack_decide(&l, order, order_count);
    return err->code == DLAB_OK && *verdict != DLAB_VERDICT_UNKNOWN;
}
