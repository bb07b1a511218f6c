/* See world.h. Messages on their way: a slab of slots, each with its body behind it. */
#include <stdlib.h>
#include <string.h>

#include "sim/world_inner.h"

uint32_t dlab_world_new_flight(dlab_world *w, const dlab_message *message)
{
    uint32_t slot = w->free_flight;
    if (slot != DLAB_NONE) {
        w->free_flight = dlab_world_flight(w, slot)->next;
    } else {
        if (w->flight_count == w->flight_capacity) {
            void *more = dlab_world_grow(w, w->flights, &w->flight_capacity, w->flight_size, DLAB_FLIGHTS_MAX,
                                         "messages on their way");
            if (more == NULL) return DLAB_NONE;
            w->flights = more;
        }
        slot = w->flight_count++;
    }
    dlab_flight *f = dlab_world_flight(w, slot);
    f->message = *message;
    f->name = 0;
    f->used = true;
    f->clogged = false;
    if (message->length > 0) memcpy(f + 1, message->body, message->length);
    return slot;
}

/* What a message is called in a list of choices: its content, not its number. */
static uint64_t name_of(const dlab_message *m)
{
    const uint64_t head[] = { (uint64_t)m->from << 48 | (uint64_t)m->to << 32 | (uint64_t)m->kind << 16, m->a,
                              m->b };
    const uint64_t name = dlab_fingerprint56(0, head, sizeof head);
    return m->length > 0 ? dlab_fingerprint56(name, m->body, m->length) : name;
}

/* Bits flip: one of the body, or one of the payload where there is no body. */
static void flip_bit(dlab_world *w, dlab_flight *f)
{
    dlab_message *m = &f->message;
    dlab_rng *rng = &w->nodes[m->from].rng;
    m->corrupt = 1;
    if (m->length == 0) {
        m->b ^= UINT64_C(1) << dlab_rng_below(rng, 64);
        return;
    }
    const uint64_t bit = dlab_rng_below(rng, (uint64_t)m->length * 8);
    unsigned char *byte = (unsigned char *)(f + 1) + bit / 8;
    *byte = (unsigned char)(*byte ^ 1u << bit % 8);
}

static int launch(dlab_world *w, const dlab_message *m, uint64_t name, int64_t arrive, bool corrupt)
{
    const uint32_t slot = dlab_world_new_flight(w, m);
    if (slot == DLAB_NONE) return w->ctx->err.code;
    dlab_flight *f = dlab_world_flight(w, slot);
    f->name = name;
    if (corrupt) flip_bit(w, f);
    if (dlab_world_plan(w, arrive, DLAB_EVENT_DELIVER, m->to, slot, 0).word == 0) return w->ctx->err.code;
    return DLAB_OK;
}

int dlab_world_transmit(dlab_world *w, uint32_t node, dlab_message *m)
{
    dlab_fate fate;
    m->from = (uint16_t)node;
    if (DLAB_CHECK(&w->ctx->err, m->to < w->core->nodes && m->length <= w->core->body_max))
        return w->ctx->err.code;
    if (++w->last_id == UINT32_MAX)
        return dlab_fail(&w->ctx->err, DLAB_ELIMIT, "more than %u messages in one run", UINT32_MAX - 1);
    m->id = w->last_id;
    const uint64_t name = w->names ? name_of(m) : 0;
    if (dlab_net_send(&w->net, w->scheduler.now, m, name, &fate)) return w->ctx->err.code;
    dlab_world_tell(w, DLAB_TRACE_SEND, m->kind, node, m->to, m->id, m->a, m->b);
    if (fate.copy != 0) {
        dlab_world_tell(w, DLAB_TRACE_DUPLICATE, m->kind, node, m->to, m->id, m->a, m->b);
        if (launch(w, m, name, fate.copy, fate.corrupt)) return w->ctx->err.code;
    }
    if (fate.lost >= 0) {
        dlab_world_tell(w, DLAB_TRACE_DROP, m->kind, node, m->to, m->id, (uint32_t)fate.lost, m->b);
        return DLAB_OK;
    }
    return launch(w, m, name, fate.arrive, fate.corrupt);
}

void dlab_world_drop(dlab_world *w, uint32_t slot, int reason)
{
    const dlab_message *m = &dlab_world_flight(w, slot)->message;
    if (m->from != DLAB_NO_NODE) {
        dlab_world_tell(w, DLAB_TRACE_DROP, m->kind, m->to, m->from, m->id, (uint32_t)reason, m->b);
        dlab_net_lost(&w->net);
    }
    dlab_world_free_flight(w, slot);
}

/* Arrival at the machine. What a node is too busy for, or asleep for, waits in its inbox. */
int dlab_world_deliver(dlab_world *w, const dlab_event *event)
{
    const uint32_t slot = (uint32_t)event->a;
    dlab_flight *f = dlab_world_flight(w, slot);
    const dlab_message *m = &f->message;
    if (dlab_net_link(&w->net, m->from, m->to)->clogged != 0) {
        f->clogged = true;
        return DLAB_OK;
    }
    const int reason = w->nodes[event->node].status == DLAB_NODE_DOWN ? DLAB_DROP_DOWN
                       : m->corrupt && w->net.p->checksum             ? DLAB_DROP_CORRUPT
                                                                      : dlab_net_arrive(&w->net, m);
    if (reason >= 0) {
        dlab_world_drop(w, slot, reason);
        return DLAB_OK;
    }
    return dlab_world_input(w, event);
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
