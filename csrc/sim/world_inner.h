/* What the files of the world share: world.c (open, step, run), world_node.c (inputs, outputs),
 * world_flight.c (slots of messages), world_strike.c (crashes, pauses), world_choose.c (a chooser names the
 * next event). */
#ifndef DISTLAB_SIM_WORLD_INNER_H
#define DISTLAB_SIM_WORLD_INNER_H
#include "sim/scheduler_inline.h"
#include "sim/world.h"

enum { DLAB_FLIGHTS_MAX = 1 << 20, DLAB_INBOX_MAX = 1 << 20, DLAB_PLANNED_MAX = 1 << 14 };
#define DLAB_NONE UINT32_MAX

static inline bool dlab_world_picks(const dlab_world *w)
{
    return w->chooser != NULL && w->chooser->names_events;
}

/* An event at `time`; handle 0 with the error set when a limit is reached. */
dlab_handle dlab_world_plan_listed(dlab_world *w, int64_t time, uint32_t kind, uint32_t node, uint64_t a,
                                   uint64_t b);
bool dlab_world_unplan_listed(dlab_world *w, dlab_handle handle);

static inline dlab_handle dlab_world_plan(dlab_world *w, int64_t time, uint32_t kind, uint32_t node,
                                          uint64_t a, uint64_t b)
{
    if (__builtin_expect(dlab_world_picks(w), 0)) return dlab_world_plan_listed(w, time, kind, node, a, b);
    return dlab_schedule_inline(&w->scheduler, time, kind, node, a, b, 0);
}

static inline bool dlab_world_unplan(dlab_world *w, dlab_handle handle)
{
    if (__builtin_expect(dlab_world_picks(w), 0)) return dlab_world_unplan_listed(w, handle);
    return dlab_cancel_inline(&w->scheduler, handle);
}

/* Offer what could happen next and take what is picked: 1, or 0 when nothing is left, or < 0. A crash the
 * plan knows nothing of is carried out at once and gives an event of kind UINT32_MAX. */
int dlab_world_pick(dlab_world *w, int64_t until, dlab_event *event);

/* The name under which an event is recorded; 0: it is not recorded. */
dlab_choice dlab_world_name(const dlab_world *w, const dlab_event *event);

/* Text of an option, for a person. */
void dlab_world_describe(const void *arg, dlab_choice choice, char *text, size_t size);

/* Grow an array to hold one more; NULL with the error set at the limit. */
void *dlab_world_grow(dlab_world *w, void *old, uint32_t *capacity, size_t size, uint32_t most,
                      const char *what);

/* Room for what one step puts out. */
int dlab_world_open_outputs(dlab_world *w, dlab_outputs *out);

/* Messages. */
static inline dlab_flight *dlab_world_flight(const dlab_world *w, uint32_t slot)
{
    return (dlab_flight *)(void *)(w->flights + slot * w->flight_size);
}
/* A slot that was never used; DLAB_NONE with the error set. */
uint32_t dlab_world_more_flights(dlab_world *w);

/* A slot that holds a copy of the message; DLAB_NONE with the error set. */
static inline uint32_t dlab_world_new_flight(dlab_world *w, const dlab_message *message, uint64_t name)
{
    uint32_t slot = w->free_flight;
    if (__builtin_expect(slot != DLAB_NONE, 1)) w->free_flight = dlab_world_flight(w, slot)->next;
    else if ((slot = dlab_world_more_flights(w)) == DLAB_NONE) return DLAB_NONE;
    dlab_flight *f = dlab_world_flight(w, slot);
    f->message = *message;
    f->name = name;
    f->used = true;
    f->clogged = false;
    if (message->length > 0) memcpy(f + 1, message->body, message->length);
    return slot;
}
static inline void dlab_world_free_flight(dlab_world *w, uint32_t slot)
{
    dlab_flight *f = dlab_world_flight(w, slot);
    f->used = false;
    f->next = w->free_flight;
    w->free_flight = slot;
}
uint64_t dlab_message_name(const dlab_message *message);
void dlab_world_drop(dlab_world *w, uint32_t slot, int reason);
void dlab_world_check(dlab_world *w, const dlab_event *event);
int dlab_world_dispatch(dlab_world *w, const dlab_event *event);

/* The inbox: take the first input; forget one that its node, which is down, will never take; go on. */
dlab_event dlab_world_dequeue(dlab_world *w, dlab_node *node);
void dlab_world_discard(dlab_world *w, const dlab_event *event);
int dlab_world_go_on(dlab_world *w, uint32_t node);

/* Processing has ended, or the disk has answered: the process goes on where it stood. */
int dlab_world_resume(dlab_world *w, uint32_t node);

/* Nodes. An input for a node: it takes it now, or it waits in the inbox. */
int dlab_world_input(dlab_world *w, const dlab_event *event);
int dlab_world_start(dlab_world *w, uint32_t node, int32_t keep);
int dlab_world_ready(dlab_world *w, const dlab_event *event);
int dlab_world_persisted(dlab_world *w, const dlab_event *event);

#endif
