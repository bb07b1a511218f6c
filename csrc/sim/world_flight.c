/* See world.h. Messages on their way: a slab of slots, each with its body behind it. */
#include <stdlib.h>
#include <string.h>

#include "sim/world_inner.h"

uint32_t dlab_world_more_flights(dlab_world *w)
{
    if (w->flight_count == w->flight_capacity) {
        void *more = dlab_world_grow(w, w->flights, &w->flight_capacity, w->flight_size, DLAB_FLIGHTS_MAX,
                                     "messages on their way");
        if (more == NULL) return DLAB_NONE;
        w->flights = more;
    }
    return w->flight_count++;
}

/* What a message is called in a list of choices: its content, not its number. */
uint64_t dlab_message_name(const dlab_message *m)
{
    const uint64_t head[] = { (uint64_t)m->from << 48 | (uint64_t)m->to << 32 | (uint64_t)m->kind << 16, m->a,
                              m->b };
    const uint64_t name = dlab_fingerprint56(0, head, sizeof head);
    return m->length > 0 ? dlab_fingerprint56(name, m->body, m->length) : name;
}

void dlab_world_drop(dlab_world *w, uint32_t slot, int reason)
{
    const dlab_message *m = &dlab_world_flight(w, slot)->message;
    if (m->from != DLAB_NO_NODE) {
        dlab_world_tell(w, DLAB_TRACE_DROP, m->kind, m->from, m->to, m->id, (uint32_t)reason, m->b);
        dlab_net_lost(&w->net);
    }
    dlab_world_free_flight(w, slot);
}

static int by_id(const void *x, const void *y)
{
    const uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return a < b ? -1 : a > b;
}

/* Held messages go on in the order in which they were sent. */
int dlab_world_unclog(dlab_world *w, uint32_t from, uint32_t to)
{
    if (dlab_net_link(&w->net, from, to)->clogged != 0) return DLAB_OK;
    uint64_t *held = dlab_alloc(w->ctx, (size_t)w->flight_count + 1, sizeof *held);
    size_t n = 0;
    if (held == NULL) return w->ctx->err.code;
    for (uint32_t slot = 0; slot < w->flight_count; slot++) {
        dlab_flight *f = dlab_world_flight(w, slot);
        if (!f->used || !f->clogged || f->message.from != from || f->message.to != to) continue;
        f->clogged = false;
        held[n++] = (uint64_t)f->message.id << 32 | slot;
    }
    if (n > 1) qsort(held, n, sizeof *held, by_id);
    for (size_t k = 0; k < n; k++)
        if (dlab_world_plan(w, w->scheduler.now, DLAB_EVENT_DELIVER, to, (uint32_t)held[k], 0).word == 0)
            return w->ctx->err.code;
    return DLAB_OK;
}
