/* A register whose values are written once each needs no search (Gibbons and Korach, SIAM J. Comput.
 * 26(4), 1997).
 *
 * A value's operations form a cluster: its write and the reads that saw it. Between the earliest answer
 * and the latest call of a cluster, when that is an interval (a forward zone), the register must hold that
 * value all the time; a cluster without such an interval (its operations all overlap: a backward zone) can
 * take place at any one instant of theirs. So the history is linearizable exactly when no read is answered
 * before its value's write is called, no two forward zones overlap and no backward zone lies within a
 * forward one. */
#include <string.h>

#include "check/search.h"

typedef struct cluster {
    uint32_t write;                 /* act; NONE: the beginning */
    uint32_t first_end, last_start; /* places + 1; the beginning is written at 0 */
    uint32_t size, at;              /* acts of the order; when it takes place, then where it goes */
    bool read;
} cluster;

typedef struct clusters {
    const dlab_problem *p;
    cluster *all;
    uint32_t count;
    uint32_t *of;      /* cluster of each act */
    uint32_t *forward; /* forward zones by their beginning */
    uint32_t forwards;
} clusters;

/* Clusters by value; false when a value is written twice, or something else than reads and writes happens. */
static bool gather(clusters *c, bool *unread)
{
    const dlab_problem *p = c->p;
    uint32_t *scratch = p->plan->scratch;
    bool unique = true;
    *unread = false;
    c->all[c->count++] = (cluster){ .write = DLAB_NONE };
    scratch[p->plan->initial] = 0;
    for (uint32_t k = 0; k < p->mandatory + p->optional && unique; k++) {
        const dlab_act *act = &p->acts[k];
        if (act->kind == DLAB_ACT_READ) continue;
        unique = act->kind == DLAB_ACT_WRITE && scratch[act->a] == DLAB_NONE;
        if (!unique) break;
        scratch[act->a] = c->count;
        c->of[k] = c->count;
        const uint32_t end = act->returned == DLAB_NONE ? DLAB_NONE : act->returned + 1;
        c->all[c->count++] = (cluster){ .write = k, .first_end = end, .last_start = act->called + 1 };
    }
    for (uint32_t k = 0; k < p->mandatory && unique && !*unread; k++) {
        const dlab_act *act = &p->acts[k];
        if (act->kind != DLAB_ACT_READ) continue;
        c->of[k] = scratch[act->a];
        *unread = c->of[k] == DLAB_NONE; /* nobody ever wrote what it saw */
        if (*unread) break;
        cluster *own = &c->all[c->of[k]];
        own->read = true;
        if (act->returned + 1 < own->first_end) own->first_end = act->returned + 1;
        if (act->called + 1 > own->last_start) own->last_start = act->called + 1;
        /* answered before its value was asked to be written */
        if (own->write != DLAB_NONE && act->returned < p->acts[own->write].called) *unread = true;
    }
    for (uint32_t k = 0; k < p->mandatory + p->optional; k++) scratch[p->acts[k].a] = DLAB_NONE;
    scratch[p->plan->initial] = DLAB_NONE;
    return unique;
}

static bool needed(const clusters *c, const cluster *k)
{
    return k->read || (k->write != DLAB_NONE && k->write < c->p->mandatory);
}

/* The forward zone a place lies in, or the last one before it; NULL: none. */
static const cluster *zone_before(const clusters *c, uint32_t place)
{
    uint32_t low = 0, high = c->forwards;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (c->all[c->forward[middle]].first_end < place) low = middle + 1;
        else high = middle;
    }
    return low == 0 ? NULL : &c->all[c->forward[low - 1]];
}

/* Zones one after another; when each cluster takes place comes out. */
static bool fits(clusters *c)
{
    uint32_t free_from = 0;
    if (c->all[0].read) c->forward[c->forwards++] = 0, free_from = c->all[0].last_start;
    for (uint32_t k = 0; k < c->p->mandatory; k++) { /* by answer: zones come by their beginning */
        cluster *own = &c->all[c->of[k]];
        if (c->of[k] == 0 || own->first_end != c->p->acts[k].returned + 1 || own->first_end > own->last_start)
            continue;
        if (own->first_end < free_from) return false;
        free_from = own->last_start;
        c->forward[c->forwards++] = c->of[k];
    }
    for (uint32_t k = 0; k < c->count; k++) {
        cluster *own = &c->all[k];
        own->at = own->first_end;
        if (own->first_end <= own->last_start || !needed(c, own)) continue;
        const cluster *zone = zone_before(c, own->last_start);
        const bool inside = zone != NULL && zone->last_start > own->last_start;
        if (inside && zone->last_start > own->first_end) return false;
        own->at = inside ? zone->last_start : own->last_start;
    }
    return true;
}

/* Ids of clusters by `at`, stable: three passes of eleven bits. */
static void sort_clusters(const clusters *c, uint32_t *ids, uint32_t *spare)
{
    enum { DIGIT = 11, DIGITS = 1 << DIGIT, FEW = 64 };
    for (uint32_t k = 0; k < c->count; k++) ids[k] = k;
    if (c->count <= FEW) {
        for (uint32_t k = 1; k < c->count; k++) {
            uint32_t at = k;
            for (; at > 0 && c->all[ids[at - 1]].at > c->all[k].at; at--) ids[at] = ids[at - 1];
            ids[at] = k;
        }
        return;
    }
    for (unsigned shift = 0; shift < 32; shift += DIGIT) {
        uint32_t start[DIGITS + 1] = { 0 };
        for (uint32_t k = 0; k < c->count; k++) start[(c->all[ids[k]].at >> shift & (DIGITS - 1)) + 1]++;
        for (unsigned d = 1; d < DIGITS; d++) start[d] += start[d - 1];
        for (uint32_t k = 0; k < c->count; k++)
            spare[start[c->all[ids[k]].at >> shift & (DIGITS - 1)]++] = ids[k];
        memcpy(ids, spare, c->count * sizeof *ids);
    }
}

static int write_order(clusters *c, dlab_arena *arena, uint32_t *order, uint32_t *order_count,
                       dlab_error *err)
{
    uint32_t *ids = dlab_arena_alloc(arena, 2 * (size_t)c->count, sizeof *ids, err), next = 0;
    if (ids == NULL) return DLAB_ENOMEM;
    sort_clusters(c, ids, ids + c->count);
    for (uint32_t k = 0; k < c->p->mandatory; k++) c->all[c->of[k]].size += c->p->acts[k].reads;
    for (uint32_t k = 0; k < c->count; k++) {
        cluster *own = &c->all[ids[k]];
        if (!needed(c, own)) continue;
        own->at = next;
        if (own->write != DLAB_NONE) order[own->at++] = own->write, next++;
        next += own->size;
    }
    for (uint32_t k = 0; k < c->p->mandatory; k++)
        if (c->p->acts[k].reads) order[c->all[c->of[k]].at++] = k;
    *order_count = next;
    return DLAB_OK;
}

bool dlab_unique_decide(const dlab_problem *problem, dlab_arena *arena, int32_t *verdict, uint32_t *order,
                        uint32_t *order_count, dlab_error *err)
{
    const size_t n = (size_t)problem->mandatory + problem->optional;
    bool impossible;
    if (problem->plan->family != DLAB_FAMILY_REGISTER || problem->sequential || problem->objects != 1)
        return false;
    clusters c = { .p = problem };
    c.all = dlab_arena_alloc(arena, n + 1, sizeof *c.all, err);
    c.of = dlab_arena_alloc(arena, n + 1, sizeof *c.of, err);
    c.forward = dlab_arena_alloc(arena, n + 1, sizeof *c.forward, err);
    if (c.all == NULL || c.of == NULL || c.forward == NULL || !gather(&c, &impossible)) return false;
    *verdict = !impossible && fits(&c) ? DLAB_VERDICT_YES : DLAB_VERDICT_NO;
    if (*verdict == DLAB_VERDICT_YES && order != NULL && write_order(&c, arena, order, order_count, err))
        return false;
    return true;
}
