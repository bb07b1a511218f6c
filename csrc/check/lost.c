/* Values of a stack that pops of unknown outcome may have taken. Given a legal order of everything else,
 * each such value is pushed where, of the places its call and answer allow, the stack is shallowest: there
 * it may stay longest, until what lies below it must come off or somebody finds the stack empty. It goes
 * right before that, so the pop need only be called before the answers of all that come after; the earliest
 * pops go to the values that have to go first. What nothing lies below needs no pop at all. */
#include "check/line.h"

/* Of each gap of the order: latest call before, earliest answer behind, and which act ends the stay of what
 * is pushed there (count: none does). */
typedef struct gaps {
    uint32_t *before, *after, *closed;
    uint32_t count;
} gaps;

static uint32_t *numbers(dlab_line *l, size_t count)
{
    return dlab_arena_alloc(l->arena, count + 1, sizeof(uint32_t), l->err);
}

static bool look_ahead(dlab_line *l, const uint32_t *order, gaps *g)
{
    const uint32_t n = g->count;
    const dlab_act *acts = l->p->acts;
    uint32_t *outer = numbers(l, n), depth = 0; /* what ends the stay below each level */
    g->before = numbers(l, n + 1);
    g->after = numbers(l, n + 1);
    g->closed = numbers(l, n + 1);
    if (outer == NULL || g->before == NULL || g->after == NULL || g->closed == NULL) return false;
    for (uint32_t k = 0; k < n; k++) {
        const uint32_t called = acts[order[k]].called;
        g->before[k + 1] = called > g->before[k] ? called : g->before[k];
    }
    g->after[n] = DLAB_NONE;
    g->closed[n] = n;
    for (uint32_t k = n; k-- > 0;) {
        const uint32_t returned = acts[order[k]].returned, i = l->of[order[k]];
        g->after[k] = returned < g->after[k + 1] ? returned : g->after[k + 1];
        g->closed[k] = k;
        if (i == DLAB_NONE) continue; /* it found nothing */
        if (l->items[i].take == order[k]) outer[depth++] = g->closed[k + 1];
        else if (l->items[i].take == DLAB_NONE) g->closed[k] = g->closed[k + 1];
        else g->closed[k] = outer[--depth];
    }
    return true;
}

/* The gap, among those its push allows, where it may stay longest; of equal ones the last. */
static uint32_t best_gap(const gaps *g, const dlab_item *item)
{
    uint32_t low = 0, high = g->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (g->after[middle] > item->put_called) high = middle;
        else low = middle + 1;
    }
    uint32_t best = low;
    for (uint32_t k = low; k <= g->count && g->before[k] < item->put_returned; k++)
        if (g->closed[k] >= g->closed[best]) best = k;
    return best;
}

/* The order with the lost ones in it; at: the gap of each, by the answers to their pushes and so rising. */
static uint32_t weave(dlab_line *l, const gaps *g, const uint32_t *order, const uint32_t *lost,
                      const uint32_t *at, uint32_t lost_count, uint32_t *out)
{
    uint32_t written = 0, next = 0, on = 0;
    uint32_t *open = numbers(l, lost_count);
    if (open == NULL) return 0;
    for (uint32_t k = 0; k <= g->count; k++) {
        for (; next < lost_count && at[next] == k; next++) {
            out[written++] = l->items[lost[next]].put;
            open[on++] = next;
        }
        for (; on > 0 && g->closed[at[open[on - 1]]] == k && k < g->count; on--)
            out[written++] = l->items[lost[open[on - 1]]].take;
        if (k < g->count) out[written++] = order[k];
    }
    return written;
}

static bool keeps_real_time(const dlab_line *l, const uint32_t *order, uint32_t count)
{
    uint32_t latest = 0;
    for (uint32_t k = 0; k < count; k++) {
        const dlab_act *act = &l->p->acts[order[k]];
        if (act->called > latest) latest = act->called;
        if (act->returned < latest) return false;
    }
    return true;
}

bool dlab_line_find_lost(dlab_line *line, uint32_t **order, uint32_t *count)
{
    gaps g = { .count = *count };
    uint32_t *lost = numbers(line, line->count), *at = numbers(line, line->count), lost_count = 0, given = 0;
    uint32_t *by_end = numbers(line, (size_t)*count + 2), *row = numbers(line, line->count);
    uint32_t *out = numbers(line, (size_t)*count + 2 * (size_t)line->count);
    if (lost == NULL || at == NULL || by_end == NULL || row == NULL || out == NULL) return false;
    if (!look_ahead(line, *order, &g)) return false;
    for (uint32_t i = 0; i < line->count; i++) {
        if (!line->items[i].lost) continue;
        at[lost_count] = best_gap(&g, &line->items[i]);
        by_end[g.closed[at[lost_count]] + 1]++;
        lost[lost_count++] = i;
    }
    if (lost_count == 0) return true;
    for (uint32_t k = 0; k < g.count; k++) by_end[k + 1] += by_end[k];
    for (uint32_t k = 0; k < lost_count; k++)
        if (g.closed[at[k]] < g.count) row[by_end[g.closed[at[k]]]++] = k;
    const uint32_t needed = g.count == 0 ? 0 : by_end[g.count - 1];
    for (uint32_t k = 0; k < needed; k++, given++) {
        if (given == line->spare_count) return false;
        const uint32_t act = line->spares[given];
        if (line->p->acts[act].called > g.after[g.closed[at[row[k]]]]) return false;
        dlab_line_give(line, lost[row[k]], act);
    }
    *count = weave(line, &g, *order, lost, at, lost_count, out);
    *order = out;
    return keeps_real_time(line, out, *count);
}
