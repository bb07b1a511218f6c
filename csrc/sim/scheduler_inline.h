/* The paths of the scheduler that every event takes, for cores to inline; scheduler.c offers the same as
 * functions. */
#ifndef DISTLAB_SIM_SCHEDULER_INLINE_H
#define DISTLAB_SIM_SCHEDULER_INLINE_H
#include "sim/far.h"

enum { DLAB_RUN_MAX = 64, DLAB_NEAR_MAX = 64, DLAB_DEAD_MIN = 16 };
#define DLAB_SEQUENCE_MAX ((UINT64_C(1) << DLAB_SEQUENCE_BITS) - 1)
#define DLAB_NO_SLOT UINT32_MAX

/* Room at the tail: slide everything to the front when half the array is behind the head, else grow. */
bool dlab_scheduler_make_room(dlab_scheduler *s);

/* Put an entry in its place in the run, which ends at the hole. */
void dlab_scheduler_insert_sorted(dlab_scheduler *s, size_t hole, dlab_entry entry);

/* Many are pending: all that is later than the run goes to buckets. */
bool dlab_scheduler_open_far(dlab_scheduler *s);

/* The run is used up: make another one; false when nothing is pending. */
bool dlab_scheduler_refill(dlab_scheduler *s);

/* Drop the dead. */
void dlab_scheduler_compact(dlab_scheduler *s);

uint32_t dlab_scheduler_new_slot(dlab_scheduler *s);
bool dlab_scheduler_refuse(dlab_scheduler *s, int64_t time);

static inline size_t dlab_run_end(const dlab_scheduler *s)
{
    return s->levels > 0 ? s->segments[s->levels - 1].start : s->tail;
}

static inline dlab_entry dlab_entry_of(int64_t time, uint64_t word)
{
    return (dlab_entry)(uint64_t)time << 64 | word;
}

static inline bool dlab_insert_near(dlab_scheduler *s, dlab_entry entry)
{
    if (__builtin_expect(s->tail == s->capacity, 0) && !dlab_scheduler_make_room(s)) return false;
    dlab_entry *const e = s->entries;
    size_t hole = s->tail++;
    for (int i = 0; i < s->levels; i++) {
        dlab_segment *segment = &s->segments[i];
        if (entry >= segment->pivot) {
            e[hole] = entry;
            return true;
        }
        e[hole] = e[segment->start];
        hole = segment->start++;
    }
    const size_t head = s->head;
    if (hole - head >= 4) {
        dlab_scheduler_insert_sorted(s, hole, entry);
        return true;
    }
    while (hole > head && entry < e[hole - 1]) e[hole] = e[hole - 1], hole--;
    e[hole] = entry;
    return true;
}

static inline bool dlab_insert(dlab_scheduler *s, dlab_entry entry)
{
    if ((int64_t)(uint64_t)(entry >> 64) >= s->far.near_end) return dlab_far_insert(s, entry);
    if (!dlab_insert_near(s, entry)) return false;
    if (__builtin_expect(s->tail - s->head > DLAB_NEAR_MAX, 0) && s->far.near_end == INT64_MAX)
        return dlab_scheduler_open_far(s);
    return true;
}

/* Bring a live entry to the head; false when nothing is pending. */
static inline bool dlab_settle(dlab_scheduler *s)
{
    for (;;) {
        if (__builtin_expect(s->head == dlab_run_end(s), 0)) {
            if (!dlab_scheduler_refill(s)) return false;
            continue;
        }
        if (__builtin_expect(dlab_entry_is_live(s, s->entries[s->head]), 1)) return true;
        s->head++;
        s->dead--;
    }
}

static inline bool dlab_may_schedule(dlab_scheduler *s, int64_t time)
{
    return __builtin_expect(time >= s->now && s->sequence < DLAB_SEQUENCE_MAX, 1)
               ? true
               : dlab_scheduler_refuse(s, time);
}

static inline void dlab_release(dlab_scheduler *s, uint64_t slot)
{
    s->slots[slot].word = 0;
    s->slots[slot].a = s->free_slot;
    s->free_slot = (uint32_t)slot;
    s->live--;
}

static inline bool dlab_matches(const dlab_scheduler *s, dlab_handle handle)
{
    const uint64_t slot = handle.word & DLAB_SLOT_MASK;
    return handle.word != 0 && slot < s->slot_count && s->slots[slot].word == handle.word;
}

static inline void dlab_bury(dlab_scheduler *s)
{
    if (__builtin_expect(s->dead > s->live + DLAB_DEAD_MIN, 0)) dlab_scheduler_compact(s);
}

static inline dlab_handle dlab_schedule_inline(dlab_scheduler *s, int64_t time, uint32_t kind, uint32_t node,
                                               uint64_t a, uint64_t b, unsigned priority)
{
    uint32_t slot = s->free_slot;
    if (!dlab_may_schedule(s, time)) return (dlab_handle){ 0 };
    if (slot != DLAB_NO_SLOT) s->free_slot = (uint32_t)s->slots[slot].a;
    else if ((slot = dlab_scheduler_new_slot(s)) == DLAB_NO_SLOT) return (dlab_handle){ 0 };
    const uint64_t word = (uint64_t)(priority & 15u) << (DLAB_SLOT_BITS + DLAB_SEQUENCE_BITS) |
                          (s->sequence + 1) << DLAB_SLOT_BITS | slot;
    if (!dlab_insert(s, dlab_entry_of(time, word))) {
        s->slots[slot] = (dlab_slot){ .a = s->free_slot };
        s->free_slot = slot;
        return (dlab_handle){ 0 };
    }
    s->sequence++;
    s->live++;
    s->slots[slot] = (dlab_slot){ .word = word, .kind = kind, .node = node, .a = a, .b = b };
    return (dlab_handle){ word };
}

static inline bool dlab_cancel_inline(dlab_scheduler *s, dlab_handle handle)
{
    if (!dlab_matches(s, handle)) return false;
    dlab_release(s, handle.word & DLAB_SLOT_MASK);
    s->dead++;
    dlab_bury(s);
    return true;
}

/* Count an event that did not come from the scheduler and is not later than what it holds. */
static inline void dlab_advance(dlab_scheduler *s, int64_t time, uint32_t kind, uint32_t node)
{
    s->now = time;
    s->fired++;
    s->fingerprint =
        (s->fingerprint ^ (uint64_t)time ^ (uint64_t)kind << 32 ^ node) * UINT64_C(0x9e3779b97f4a7c15);
    s->fingerprint ^= s->fingerprint >> 29;
}

static inline int64_t dlab_peek_inline(dlab_scheduler *s)
{
    return dlab_settle(s) ? (int64_t)(uint64_t)(s->entries[s->head] >> 64) : INT64_MAX;
}

static inline bool dlab_next_inline(dlab_scheduler *s, int64_t until, dlab_event *event)
{
    if (!dlab_settle(s)) return false;
    const dlab_entry entry = s->entries[s->head];
    const int64_t time = (int64_t)(uint64_t)(entry >> 64);
    if (time > until) return false;
    const uint64_t slot = (uint64_t)entry & DLAB_SLOT_MASK;
    const dlab_slot *payload = &s->slots[slot];
    *event = (dlab_event){ time, payload->kind, payload->node, payload->a, payload->b };
    s->head++;
    dlab_release(s, slot);
    dlab_bury(s);
    dlab_advance(s, time, event->kind, event->node);
    return true;
}

#endif
