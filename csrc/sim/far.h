/* The far layer of the scheduler: see scheduler.h. */
#ifndef DISTLAB_SIM_FAR_H
#define DISTLAB_SIM_FAR_H
#include <distlab/scheduler.h>

#define DLAB_SLOT_MASK ((UINT64_C(1) << DLAB_SLOT_BITS) - 1)

static inline bool dlab_entry_is_live(const dlab_scheduler *s, dlab_entry entry)
{
    const uint64_t word = (uint64_t)entry;
    return s->slots[word & DLAB_SLOT_MASK].word == word;
}

/* Copy the live ones of n entries; how many they are. No branch depends on which: after many re-arms that
 * is a coin toss. `to` may be `from` or before it. */
static inline size_t dlab_copy_live(const dlab_scheduler *s, dlab_entry *to, const dlab_entry *from, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        const dlab_entry entry = from[i];
        to[kept] = entry;
        kept += dlab_entry_is_live(s, entry);
    }
    return kept;
}

/* An entry at or after near_end. */
bool dlab_far_insert(dlab_scheduler *s, dlab_entry entry);

/* Open the layer from near_end on, with room for this many entries; they are then inserted. */
bool dlab_far_open(dlab_scheduler *s, int64_t near_end, size_t count);

/* Find the next entries to hand over: how many, 0 when none are left (the layer is then not in use). */
size_t dlab_far_advance(dlab_scheduler *s);

/* Hand them over, unsorted and without those found dead; how many they are. Moves near_end. */
size_t dlab_far_take(dlab_scheduler *s, dlab_entry *to);

/* Drop the dead. */
void dlab_far_compact(dlab_scheduler *s);

int dlab_far_copy(dlab_scheduler *to, const dlab_scheduler *from);
void dlab_far_close(dlab_scheduler *s);

#endif
