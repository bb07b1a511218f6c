/* The scheduler: events in simulated time, int64 nanoseconds, in the total order (time, priority,
 * sequence).
 *
 * Order lives in 16-byte entries (time in the high word; priority, sequence and slot in the low one),
 * payloads lie in a slab of slots. Two layers, chosen by how many are pending:
 *
 * near: one array, a short sorted run in front and behind it unsorted segments bounded by pivots, split
 * only when the run reaches them (incremental quicksort: Paredes and Navarro, ALENEX 2006; as a heap:
 * Navarro and Paredes, Algorithmica 2010). With a few dozen pending it is just a sorted array, which
 * beats a heap; with any number and any pattern of times it stays O(log n) amortised. far: once more are
 * pending, those ahead lie in equal buckets of time and, behind the last bucket, in a heap of unsorted
 * entries (ladder queue: Tang, Goh and Thng, ACM TOMACS 15(3), 2005). A bucket is handed to the near
 * layer when its time comes; an uneven bucket costs more, never a wrong order.
 *
 * A cancelled or re-armed event leaves a dead entry behind, noticed by comparing the entry with its slot;
 * dead entries never exceed the live ones by more than a constant. Nothing is allocated once the arrays
 * have grown. A field that is exhausted is an error, never a wrap. */
#ifndef DISTLAB_SCHEDULER_H
#define DISTLAB_SCHEDULER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <distlab/error.h>
#include <distlab/memory.h>

enum {
    DLAB_SLOT_BITS = 24,     /* events pending at once: 16.7 million */
    DLAB_SEQUENCE_BITS = 36, /* events scheduled in a run: 68.7 billion */
    DLAB_PRIORITY_BITS = 4,  /* 0 (first) .. 15 */
    DLAB_LEVELS_MAX = 64
};

/* What happens: the model gives kind, node and two words their meaning. */
typedef struct dlab_event {
    int64_t time; /* ns */
    uint32_t kind, node;
    uint64_t a, b;
} dlab_event;

/* Names a pending event: slot and sequence, so a handle of an event that has happened matches nothing. */
typedef struct dlab_handle {
    uint64_t word; /* 0: none */
} dlab_handle;

__extension__ typedef unsigned __int128 dlab_entry; /* time << 64 | priority, sequence, slot */

typedef struct dlab_slot {
    uint64_t word; /* low word of its live entry; 0: the slot is free and `a` is the next free one */
    uint32_t kind, node;
    uint64_t a, b;
} dlab_slot;

typedef struct dlab_segment {
    dlab_entry pivot; /* no entry of this or a later segment is below */
    size_t start;
} dlab_segment;

/* Entries of one bucket, seven at a time: two cache lines. */
typedef struct dlab_chunk7 {
    uint32_t next, count; /* next: index of the chunk filled before, UINT32_MAX: none */
    uint64_t unused;
    dlab_entry entries[7];
} dlab_chunk7;

typedef struct dlab_far {
    int64_t near_end;   /* entries before this time are near; INT64_MAX: the far layer is not in use */
    int64_t start, end; /* what the buckets cover; later entries are in `rest` */
    unsigned shift;     /* a bucket is 2^shift ns wide */
    uint32_t current, buckets, buckets_capacity;
    uint32_t *heads;
    dlab_chunk7 *chunks;
    uint32_t chunk_count, chunk_capacity, free_chunk;
    dlab_entry *rest;
    size_t rest_count, rest_capacity;
    size_t in_buckets;
} dlab_far;

/* Counters that one function changes together lie apart. Side by side they become one vector, whose load has
 * to wait until the last change of either alone has left the store buffer. */
typedef struct dlab_scheduler {
    int64_t now;          /* time of the event being handled */
    uint64_t fired;       /* events handled */
    uint64_t fingerprint; /* rolling hash of (time, kind, node) of the events handled */
    uint64_t sequence;    /* the last one given out */
    dlab_entry *entries;
    size_t live, capacity, head, tail, dead;
    dlab_segment segments[DLAB_LEVELS_MAX]; /* the last one is in front; the run ends where it starts */
    int levels;
    dlab_far far;
    dlab_slot *slots;
    uint32_t slot_count, slot_capacity, free_slot; /* free_slot: UINT32_MAX when none */
    dlab_memory *memory;
    dlab_error *err;
} dlab_scheduler;

/* Start empty at time 0; arrays come from memory and go back with dlab_scheduler_close. */
int dlab_scheduler_open(dlab_scheduler *s, dlab_memory *memory, dlab_error *err);
void dlab_scheduler_close(dlab_scheduler *s);

/* Schedule an event at a time that is not past; handle 0 with the error set when a field is exhausted. */
dlab_handle dlab_schedule(dlab_scheduler *s, const dlab_event *event, unsigned priority);

/* The event will not happen; false when it already has, or was cancelled. */
bool dlab_cancel(dlab_scheduler *s, dlab_handle handle);

/* Move a pending event to another time; it takes a new place among equals and a new handle. A handle that
 * matches nothing is left alone and 0 comes back without an error. */
dlab_handle dlab_rearm(dlab_scheduler *s, dlab_handle handle, int64_t time);

/* Take the earliest event unless it lies after `until`; false then, and when nothing is pending. Advances
 * now. */
bool dlab_next(dlab_scheduler *s, int64_t until, dlab_event *event);

/* Time of the earliest event; INT64_MAX when nothing is pending. */
int64_t dlab_peek(dlab_scheduler *s);

/* Make `to` (opened) an exact copy of `from`: both go on alike; handles hold in both. */
int dlab_scheduler_copy(dlab_scheduler *to, const dlab_scheduler *from);

#endif
