/* See world.h. Nodes: inputs and the inbox, outputs carried out in order, crashes and pauses. What nearly
 * every message takes is inlined into its delivery, whatever the compiler thinks of the size: arguments and
 * registers handed from call to call were a tenth of a message. */
#include <string.h>

#include "sim/world_inner.h"

/* A write waiting for its disk is an event: whose life it belongs to, its ticket, whether the node waits. */
enum { LIFE_SHIFT = 40 };

static uint64_t life_word(const dlab_node *node, uint64_t what)
{
    return (uint64_t)node->lives << LIFE_SHIFT | what;
}
static bool of_this_life(const dlab_node *node, uint64_t word)
{
    return node->status != DLAB_NODE_DOWN && word >> LIFE_SHIFT == node->lives;
}

/* --- Messages */

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

/* Put it on its way: its slot, or DLAB_NONE with the error set at a limit. */
static inline __attribute__((always_inline)) uint32_t launch(dlab_world *w, const dlab_message *m,
                                                             uint64_t name, int64_t arrive)
{
    const uint32_t slot = dlab_world_new_flight(w, m, name);
    return slot != DLAB_NONE && dlab_world_plan(w, arrive, DLAB_EVENT_DELIVER, m->to, slot, 0).word != 0
               ? slot
               : DLAB_NONE;
}

/* What may be lost, late, doubled or damaged. */
static __attribute__((noinline)) int transmit_slow(dlab_world *w, const dlab_message *m, uint64_t name)
{
    dlab_fate fate;
    if (dlab_net_send_slow(&w->net, w->scheduler.now, m, name, &fate)) return w->ctx->err.code;
    dlab_world_tell(w, DLAB_TRACE_SEND, m->kind, m->from, m->to, m->id, m->a, m->b);
    if (fate.copy != 0) {
        dlab_world_tell(w, DLAB_TRACE_DUPLICATE, m->kind, m->from, m->to, m->id, m->a, m->b);
        const uint32_t copy = launch(w, m, name, fate.copy);
        if (copy == DLAB_NONE) return w->ctx->err.code;
        if (fate.corrupt) flip_bit(w, dlab_world_flight(w, copy));
    }
    if (fate.lost >= 0) {
        dlab_world_tell(w, DLAB_TRACE_DROP, m->kind, m->from, m->to, m->id, (uint32_t)fate.lost, m->b);
        return DLAB_OK;
    }
    const uint32_t slot = launch(w, m, name, fate.arrive);
    if (slot == DLAB_NONE) return w->ctx->err.code;
    if (fate.corrupt) flip_bit(w, dlab_world_flight(w, slot));
    return DLAB_OK;
}

static inline __attribute__((always_inline)) int transmit(dlab_world *w, uint32_t node, dlab_message *m)
{
    int64_t arrive;
    m->from = (uint16_t)node;
    if (DLAB_CHECK(&w->ctx->err, m->to < w->core->nodes && m->length <= w->core->body_max))
        return w->ctx->err.code;
    if (__builtin_expect(++w->last_id == UINT32_MAX, 0))
        return dlab_fail(&w->ctx->err, DLAB_ELIMIT, "more than %u messages in one run", UINT32_MAX - 1);
    m->id = w->last_id;
    const uint64_t name = __builtin_expect(w->names, 0) ? dlab_message_name(m) : 0;
    if (!dlab_net_send_plain(&w->net, w->scheduler.now, m, &arrive)) return transmit_slow(w, m, name);
    dlab_world_tell(w, DLAB_TRACE_SEND, m->kind, node, m->to, m->id, m->a, m->b);
    return launch(w, m, name, arrive) != DLAB_NONE ? DLAB_OK : w->ctx->err.code;
}

/* --- Outputs */

static int set_timer(dlab_world *w, uint32_t i, const dlab_output *o)
{
    dlab_node *node = &w->nodes[i];
    const int64_t now = w->scheduler.now;
    if (DLAB_CHECK(&w->ctx->err, o->timer < w->core->timers && o->least >= 0 && o->most >= o->least))
        return w->ctx->err.code;
    int64_t local = o->least;
    if (o->most > o->least)
        local += (int64_t)(dlab_rng_unit(&node->timer_rng) * (double)(o->most - o->least));
    const int64_t at = dlab_clock_after(&node->clock, now, local);
    if (node->timers[o->timer].word != 0) (void)dlab_world_unplan(w, node->timers[o->timer]);
    node->generation[o->timer]++;
    node->timer_local[o->timer] = dlab_clock_mono(&node->clock, now) + local;
    node->timers[o->timer] =
        dlab_world_plan(w, at, DLAB_EVENT_TIMER, i, o->timer, node->generation[o->timer]);
    dlab_world_tell(w, DLAB_TRACE_SET, o->timer, i, DLAB_NO_NODE, 0, 0, (uint64_t)at);
    return node->timers[o->timer].word != 0 ? DLAB_OK : w->ctx->err.code;
}

static void cancel_timer(dlab_world *w, uint32_t i, uint32_t timer)
{
    dlab_node *node = &w->nodes[i];
    node->generation[timer]++; /* one that is due already may lie in the inbox */
    if (node->timers[timer].word == 0) return;
    (void)dlab_world_unplan(w, node->timers[timer]);
    node->timers[timer].word = 0;
    dlab_world_tell(w, DLAB_TRACE_CANCEL, timer, i, DLAB_NO_NODE, 0, 0, 0);
}

/* Bytes go to the disk. *done: durable at once; else a PERSISTED event will tell. */
static int persist(dlab_world *w, uint32_t i, const dlab_output *o, bool *done)
{
    dlab_node *node = &w->nodes[i];
    const unsigned char *state = dlab_world_state(w, i);
    int64_t at = w->scheduler.now;
    if (DLAB_CHECK(&w->ctx->err, (size_t)o->offset + o->length <= w->core->durable)) return w->ctx->err.code;
    const uint64_t write = ++node->writes;
    dlab_world_tell(w, DLAB_TRACE_PERSIST, 0, i, DLAB_NO_NODE, (uint32_t)o->ticket, o->length, 0);
    if (w->disks == NULL) {
        memcpy(w->stable + i * w->core->durable + o->offset, state + o->offset, o->length);
        *done = !o->async;
        if (*done) return DLAB_OK;
    } else if (dlab_disk_put(&w->disks[i], w->scheduler.now, o->offset, state + o->offset, o->length, write,
                             &at, w->ctx)) {
        return w->ctx->err.code;
    }
    *done = false;
    return dlab_world_at(w, at, DLAB_EVENT_PERSISTED, i, life_word(node, write << 1 | o->async), o->ticket);
}

/* Keep what follows output `next` until the disk has answered. */
static int hold(dlab_world *w, uint32_t i, const dlab_outputs *out, uint32_t next)
{
    dlab_node *node = &w->nodes[i];
    if (node->held.at == NULL && dlab_world_open_outputs(w, &node->held)) return w->ctx->err.code;
    node->busy = node->waits_for_disk = true;
    if (out == &node->held) {
        node->held_next = next;
        return DLAB_OK;
    }
    node->held_next = 0;
    node->held.count = out->count - next;
    memcpy(node->held.bytes, out->bytes, out->bytes_used);
    for (uint32_t k = next; k < out->count; k++) {
        dlab_output *to = &node->held.at[k - next];
        *to = out->at[k];
        if ((to->kind == DLAB_SEND || to->kind == DLAB_REPLY) && to->message.length > 0)
            to->message.body =
                node->held.bytes + ((const unsigned char *)out->at[k].message.body - out->bytes);
    }
    return DLAB_OK;
}

/* Something happened that people and invariants may want to know. */
static void announce(dlab_world *w, uint32_t i, const dlab_output *o)
{
    const unsigned type = o->kind == DLAB_APPLY   ? DLAB_TRACE_APPLY
                          : o->kind == DLAB_REPLY ? DLAB_TRACE_REPLY
                                                  : DLAB_TRACE_NOTE;
    const uint32_t ticket = o->kind == DLAB_REPLY ? (uint32_t)o->ticket : 0;
    dlab_world_tell(w, type, o->message.kind, i, DLAB_NO_NODE, ticket, o->message.a, o->message.b);
    if (o->kind != DLAB_NOTE && w->core->observe != NULL) w->core->observe(w->core, w->ghost, i, o);
    if (w->setup->on_output != NULL) w->setup->on_output(w->setup->arg, w, i, o);
}

static int die(dlab_world *w, uint32_t i, const dlab_output *o)
{
    const double u = dlab_rng_unit(&w->nodes[i].rng);
    if (dlab_world_crash(w, i, DLAB_KEEP_SYNCED)) return w->ctx->err.code;
    if (o->most < 0) return DLAB_OK;
    const int64_t down = o->least + (int64_t)(u * (double)(o->most - o->least));
    const int64_t now = w->scheduler.now, room = DLAB_TIME_MAX - now;
    return dlab_world_at(w, now + (down < room ? down : room), DLAB_EVENT_RESTART, i, 0, 0);
}

/* Carry out output k, which sends nothing. *done: what follows may be carried out. */
static __attribute__((noinline)) int carry_one(dlab_world *w, uint32_t i, const dlab_outputs *out, uint32_t k,
                                               bool *done)
{
    const dlab_output *o = &out->at[k];
    switch (o->kind) {
    case DLAB_SEND: break;
    case DLAB_SET_TIMER: return set_timer(w, i, o);
    case DLAB_CANCEL_TIMER: cancel_timer(w, i, o->timer); break;
    case DLAB_PERSIST:
        if (persist(w, i, o, done)) return w->ctx->err.code;
        if (*done || o->async) *done = true;
        else return hold(w, i, out, k + 1);
        break;
    case DLAB_APPLY:
    case DLAB_REPLY:
    case DLAB_NOTE: announce(w, i, o); break;
    case DLAB_CRASH: *done = false; return die(w, i, o);
    }
    return DLAB_OK;
}

/* Carry out outputs from `next` on, in order. */
static inline __attribute__((always_inline)) int carry_inline(dlab_world *w, uint32_t i,
                                                              const dlab_outputs *out, uint32_t next)
{
    for (uint32_t k = next; k < out->count; k++) {
        dlab_output *o = &out->at[k];
        bool done = true;
        if (o->kind == DLAB_SEND ? transmit(w, i, &o->message) : carry_one(w, i, out, k, &done))
            return w->ctx->err.code;
        if (!done) return DLAB_OK;
    }
    return DLAB_OK;
}

static int carry(dlab_world *w, uint32_t i, const dlab_outputs *out, uint32_t next)
{
    return carry_inline(w, i, out, next);
}

static void tell_lane(dlab_world *w, uint32_t i)
{
    dlab_node *node = &w->nodes[i];
    uint32_t a = 0;
    uint64_t b = 0;
    if (w->core->lane == NULL || node->status == DLAB_NODE_DOWN) return;
    const uint32_t lane = w->core->lane(w->core, i, dlab_world_state(w, i), &a, &b);
    if (lane + 1 == node->lane && a == node->lane_a) return;
    node->lane = lane + 1;
    node->lane_a = a;
    dlab_world_tell(w, DLAB_TRACE_STATE, lane, i, DLAB_NO_NODE, 0, a, b);
}

/* One step of a node. */
static inline __attribute__((always_inline)) int feed(dlab_world *w, uint32_t i, dlab_input *in)
{
    dlab_node *node = &w->nodes[i];
    const int64_t now = node->believes ? node->believed : w->scheduler.now;
    node->believes = false;
    in->now = dlab_clock_mono(&node->clock, now);
    in->wall = dlab_clock_wall(&node->clock, now);
    in->error = dlab_clock_error(&node->clock, now);
    in->chooser = w->chooser;
    in->rng = &node->rng;
    w->outputs.count = w->outputs.bytes_used = 0;
    w->core->step(w->core, i, dlab_world_state(w, i), in, &w->outputs);
    if (w->outputs.overflow)
        return dlab_fail(&w->ctx->err, DLAB_EBROKEN, "a step of %s puts out more than %u outputs or %u bytes",
                         w->core->name, w->core->outputs_max, w->core->bytes_max);
    if (dlab_tracing(&w->trace)) tell_lane(w, i);
    return DLAB_OK;
}

/* --- Inputs */

/* A step for a message, or an operation; its slot is free again before the outputs go out. */
static inline __attribute__((always_inline)) int feed_message(dlab_world *w, const dlab_event *event)
{
    const uint32_t i = event->node, slot = (uint32_t)event->a;
    dlab_flight *f = dlab_world_flight(w, slot);
    dlab_message *m = &f->message;
    dlab_input in = { .kind = DLAB_ON_MESSAGE, .message = m };
    m->body = f + 1;
    if (event->kind == DLAB_EVENT_REQUEST) {
        in.kind = DLAB_ON_REQUEST;
        in.ticket = event->b;
        dlab_world_tell(w, DLAB_TRACE_REQUEST, m->kind, i, DLAB_NO_NODE, (uint32_t)event->b, m->a, m->b);
    } else {
        dlab_world_tell(w, DLAB_TRACE_DELIVER, m->kind, i, m->from, m->id, m->a, m->b);
        dlab_net_delivered(&w->net);
    }
    const int code = feed(w, i, &in);
    dlab_world_free_flight(w, slot);
    return code;
}

/* A step for a timer, or for what the disk says. */
static int feed_event(dlab_world *w, const dlab_event *event)
{
    const uint32_t i = event->node;
    dlab_input in = { .kind = DLAB_ON_TIMER };
    if (event->kind == DLAB_EVENT_TIMER) {
        in.timer = (uint32_t)event->a;
        dlab_world_tell(w, DLAB_TRACE_FIRE, in.timer, i, DLAB_NO_NODE, 0, 0, (uint64_t)w->scheduler.now);
    } else {
        in.kind = DLAB_ON_PERSISTED;
        in.status = (int)event->a;
        in.ticket = event->b;
    }
    return feed(w, i, &in);
}

/* The node takes an input: a step, then its outputs. */
static int take(dlab_world *w, const dlab_event *event)
{
    const uint32_t i = event->node;
    const bool message = event->kind == DLAB_EVENT_DELIVER || event->kind == DLAB_EVENT_REQUEST;
    /* A timer that was due may have been set anew or cancelled since. */
    if (event->kind == DLAB_EVENT_TIMER && event->b != w->nodes[i].generation[event->a]) return DLAB_OK;
    const int code = message ? feed_message(w, event) : feed_event(w, event);
    return code ? code : carry(w, i, &w->outputs, 0);
}

/* An input for a node that is down. */
void dlab_world_discard(dlab_world *w, const dlab_event *event)
{
    if (event->kind == DLAB_EVENT_DELIVER) dlab_world_drop(w, (uint32_t)event->a, DLAB_DROP_DOWN);
    else if (event->kind == DLAB_EVENT_REQUEST) dlab_world_free_flight(w, (uint32_t)event->a);
}

static int enqueue(dlab_world *w, const dlab_event *event, bool in_front)
{
    dlab_node *node = &w->nodes[event->node];
    uint32_t entry = w->free_entry;
    if (entry != DLAB_NONE) {
        w->free_entry = w->inbox[entry].next;
    } else {
        if (w->inbox_count == w->inbox_capacity) {
            void *more = dlab_world_grow(w, w->inbox, &w->inbox_capacity, sizeof *w->inbox, DLAB_INBOX_MAX,
                                         "inputs waiting for nodes");
            if (more == NULL) return w->ctx->err.code;
            w->inbox = more;
        }
        entry = w->inbox_count++;
    }
    w->inbox[entry] = (dlab_inbox_entry){ .event = *event, .next = in_front ? node->inbox_first : DLAB_NONE };
    if (node->inbox_first == DLAB_NONE || in_front) {
        if (node->inbox_first == DLAB_NONE) node->inbox_last = entry;
        node->inbox_first = entry;
    } else {
        w->inbox[node->inbox_last].next = entry;
        node->inbox_last = entry;
    }
    return DLAB_OK;
}

dlab_event dlab_world_dequeue(dlab_world *w, dlab_node *node)
{
    const uint32_t entry = node->inbox_first;
    const dlab_event event = w->inbox[entry].event;
    node->inbox_first = w->inbox[entry].next;
    w->inbox[entry].next = w->free_entry;
    w->free_entry = entry;
    return event;
}

/* Go on with the inbox: at once, or after the time the next input takes. */
int dlab_world_go_on(dlab_world *w, uint32_t i)
{
    dlab_node *node = &w->nodes[i];
    while (node->status == DLAB_NODE_UP && !node->busy && node->inbox_first != DLAB_NONE) {
        if (!w->processes) {
            const dlab_event event = dlab_world_dequeue(w, node);
            if (dlab_step(w->ctx, 1) || take(w, &event)) return w->ctx->err.code;
            continue;
        }
        const double ns = (double)dlab_sample_ns(&w->processing, &node->rng) * node->slow;
        node->busy = true;
        if (dlab_world_at(w, w->scheduler.now + (int64_t)(ns > 0 ? ns : 0), DLAB_EVENT_READY, i,
                          life_word(node, 0), 0))
            return w->ctx->err.code;
    }
    return DLAB_OK;
}

/* Does the node take an input as it comes? */
static inline bool is_free(const dlab_world *w, const dlab_node *node)
{
    return !w->processes && node->status == DLAB_NODE_UP && !node->busy && node->inbox_first == DLAB_NONE;
}

int dlab_world_input(dlab_world *w, const dlab_event *event)
{
    dlab_node *node = &w->nodes[event->node];
    if (node->status == DLAB_NODE_DOWN) {
        dlab_world_discard(w, event);
        return DLAB_OK;
    }
    if (is_free(w, node)) return take(w, event);
    return enqueue(w, event, false) ? w->ctx->err.code : dlab_world_go_on(w, event->node);
}

/* Processing has ended, or the disk has answered: the process goes on where it stood. */
int dlab_world_resume(dlab_world *w, uint32_t i)
{
    dlab_node *node = &w->nodes[i];
    node->busy = node->ready = false;
    if (node->waits_for_disk) {
        node->waits_for_disk = false;
        if (carry(w, i, &node->held, node->held_next)) return w->ctx->err.code;
    } else if (node->inbox_first != DLAB_NONE) {
        const dlab_event event = dlab_world_dequeue(w, node);
        if (take(w, &event)) return w->ctx->err.code;
    }
    return dlab_world_go_on(w, i);
}

int dlab_world_ready(dlab_world *w, const dlab_event *event)
{
    dlab_node *node = &w->nodes[event->node];
    if (!of_this_life(node, event->a)) return DLAB_OK;
    node->ready = node->status == DLAB_NODE_PAUSED;
    return node->ready ? DLAB_OK : dlab_world_resume(w, event->node);
}

int dlab_world_persisted(dlab_world *w, const dlab_event *event)
{
    const uint32_t i = event->node;
    dlab_node *node = &w->nodes[i];
    const uint64_t word = event->a & ((UINT64_C(1) << LIFE_SHIFT) - 1);
    if (!of_this_life(node, event->a)) return DLAB_OK;
    const int status =
        w->disks == NULL ? DLAB_DISK_OK : dlab_disk_done(&w->disks[i], w->scheduler.now, word >> 1);
    if (status < 0) return DLAB_OK; /* a crash took the write */
    const dlab_event answer = { event->time, DLAB_EVENT_PERSISTED, i, (uint64_t)status, event->b };
    dlab_world_tell(w, DLAB_TRACE_PERSISTED, 0, i, DLAB_NO_NODE, (uint32_t)event->b, 0, (uint64_t)status);
    if ((word & 1u) != 0) return dlab_world_input(w, &answer);
    if (status != DLAB_DISK_OK) {
        node->held_next = node->held.count;
        if (enqueue(w, &answer, true)) return w->ctx->err.code;
    }
    node->ready = node->status == DLAB_NODE_PAUSED;
    return node->ready ? DLAB_OK : dlab_world_resume(w, i);
}

int dlab_world_start(dlab_world *w, uint32_t i, int32_t keep)
{
    dlab_node *node = &w->nodes[i];
    dlab_input in = { .kind = DLAB_ON_START, .restarted = node->lives > 0 };
    const unsigned role = w->core->role != NULL ? w->core->role(w->core, i) : 0;
    node->lives++;
    node->lane = 0;
    dlab_world_tell(w, in.restarted ? DLAB_TRACE_RESTART : DLAB_TRACE_START, role, i, DLAB_NO_NODE, 0,
                    (uint32_t)keep, 0);
    return feed(w, i, &in) ? w->ctx->err.code : carry(w, i, &w->outputs, 0);
}

/* Arrival at the machine. What a node is too busy for, or asleep for, waits in its inbox. */
static inline __attribute__((always_inline)) int deliver(dlab_world *w, const dlab_event *event)
{
    const uint32_t slot = (uint32_t)event->a;
    dlab_flight *f = dlab_world_flight(w, slot);
    const dlab_message *m = &f->message;
    const dlab_node *node = &w->nodes[event->node];
    const dlab_link *link = dlab_net_link(&w->net, m->from, m->to);
    if (__builtin_expect((link->clogged | link->cut | m->corrupt) == 0 && is_free(w, node), 1))
        return feed_message(w, event) ? w->ctx->err.code : carry_inline(w, event->node, &w->outputs, 0);
    if (link->clogged != 0) {
        f->clogged = true;
        return DLAB_OK;
    }
    const int reason = node->status == DLAB_NODE_DOWN     ? DLAB_DROP_DOWN
                       : m->corrupt && w->net.p->checksum ? DLAB_DROP_CORRUPT
                                                          : dlab_net_arrive(&w->net, m);
    if (reason < 0) return dlab_world_input(w, event);
    dlab_world_drop(w, slot, reason);
    return DLAB_OK;
}

int dlab_world_step(dlab_world *w, int64_t until)
{
    dlab_event event;
    if (__builtin_expect(dlab_world_picks(w), 0)) {
        const int picked = dlab_world_pick(w, until, &event);
        if (picked <= 0) return picked;
    } else {
        if (!dlab_next_inline(&w->scheduler, until, &event)) return w->ctx->err.code != DLAB_OK ? -1 : 0;
        if (w->names) dlab_note(w->chooser, dlab_world_name(w, &event));
    }
    w->events++;
    if (dlab_step(w->ctx, 1) ||
        (event.kind == DLAB_EVENT_DELIVER ? deliver(w, &event) : dlab_world_dispatch(w, &event)) ||
        w->ctx->err.code != DLAB_OK)
        return -1;
    if (w->setup->check && w->core->check != NULL) dlab_world_check(w, &event);
    return 1;
}
