/* See scheduler.h. Layout of entries: [head, run_end) the sorted run, then segments from the front one
 * (the last of the array `segments`) to the far one (segments[0]), which ends at tail. */
#include <string.h>

#include <distlab/scheduler.h>

#include "sim/scheduler_inline.h"

enum { RUN = 24, FEW = 12, ENTRIES_FIRST = 256, SLOTS_FIRST = 64 };

int dlab_scheduler_open(dlab_scheduler *s, dlab_memory *memory, dlab_error *err)
{
    *s = (dlab_scheduler){ .free_slot = DLAB_NO_SLOT, .memory = memory, .err = err };
    s->far = (dlab_far){ .near_end = INT64_MAX, .free_chunk = UINT32_MAX };
    s->entries = dlab_memory_realloc(memory, NULL, 0, ENTRIES_FIRST * sizeof *s->entries, err);
    if (s->entries == NULL) return err->code;
    s->capacity = ENTRIES_FIRST;
    s->slots = dlab_memory_realloc(memory, NULL, 0, SLOTS_FIRST * sizeof *s->slots, err);
    if (s->slots == NULL) return err->code;
    s->slot_capacity = SLOTS_FIRST;
    return DLAB_OK;
}

void dlab_scheduler_close(dlab_scheduler *s)
{
    dlab_memory_free(s->memory, s->entries, s->capacity * sizeof *s->entries);
    dlab_memory_free(s->memory, s->slots, s->slot_capacity * sizeof *s->slots);
    dlab_far_close(s);
    s->entries = NULL;
    s->slots = NULL;
    s->capacity = s->slot_capacity = 0;
}

static void shift_segments(dlab_scheduler *s, size_t by)
{
    for (int i = 0; i < s->levels; i++) s->segments[i].start -= by;
}

/* Room at the tail: slide everything to the front when half the array is behind the head, else grow. */
bool dlab_scheduler_make_room(dlab_scheduler *s)
{
    const size_t count = s->tail - s->head;
    if (count > s->capacity / 2) {
        const size_t bytes = s->capacity * sizeof *s->entries;
        dlab_entry *bigger = dlab_memory_realloc(s->memory, s->entries, bytes, 2 * bytes, s->err);
        if (bigger == NULL) return false;
        s->entries = bigger;
        s->capacity *= 2;
    }
    memmove(s->entries, s->entries + s->head, count * sizeof *s->entries);
    shift_segments(s, s->head);
    s->head = 0;
    s->tail = count;
    return true;
}

/* The run grew long: its later part becomes the front segment. Segments that are not clearly smaller than
 * the one behind are joined to it (dropping a pivot is always allowed), so their number stays
 * logarithmic. */
static void cut_run(dlab_scheduler *s)
{
    const size_t cut = s->head + RUN;
    dlab_segment front = { s->entries[cut], cut };
    while (s->levels > 0) {
        const dlab_segment *behind = &s->segments[s->levels - 1];
        const size_t end = s->levels > 1 ? behind[-1].start : s->tail;
        if (2 * (behind->start - cut) <= end - behind->start && s->levels < DLAB_LEVELS_MAX) break;
        s->levels--;
    }
    s->segments[s->levels++] = front;
}

/* By fours, so that the place, which nobody
 * can foresee, costs one branch to guess in four; among the last four it is found without a branch. */
static void insert_sorted(dlab_entry *e, size_t head, size_t hole, dlab_entry entry)
{
    while (hole - head >= 4) {
        if (entry >= e[hole - 4]) {
            size_t at = hole;
            for (size_t k = 1; k < 4; k++) {
                const dlab_entry x = e[hole - k];
                const size_t later = entry < x;
                e[hole - k + later] = x;
                at -= later;
            }
            e[at] = entry;
            return;
        }
        for (size_t k = 0; k < 4; k++) e[hole - k] = e[hole - k - 1];
        hole -= 4;
    }
    while (hole > head && entry < e[hole - 1]) e[hole] = e[hole - 1], hole--;
    e[hole] = entry;
}

void dlab_scheduler_insert_sorted(dlab_scheduler *s, size_t hole, dlab_entry entry)
{
    const bool is_long = hole - s->head >= DLAB_RUN_MAX;
    insert_sorted(s->entries, s->head, hole, entry);
    if (__builtin_expect(is_long, 0)) cut_run(s);
}

/* Enough are pending for buckets to pay: all that is later than the run goes there. What shares its last
 * instant stays, for within an instant priority and sequence decide, and near comes before far. */
bool dlab_scheduler_open_far(dlab_scheduler *s)
{
    const size_t cut = dlab_run_end(s);
    const dlab_entry last = cut > s->head ? s->entries[cut - 1] : (dlab_entry)(uint64_t)s->now << 64;
    const int64_t near_end = (int64_t)(uint64_t)(last >> 64) + 1;
    size_t kept = cut;
    if (!dlab_far_open(s, near_end, s->tail - cut)) return false;
    for (size_t i = cut; i < s->tail; i++) {
        const dlab_entry entry = s->entries[i];
        if ((int64_t)(uint64_t)(entry >> 64) < near_end) s->entries[kept++] = entry;
        else (void)dlab_far_insert(s, entry);
    }
    s->tail = kept;
    s->levels = 0;
    if (kept > cut) s->segments[s->levels++] = (dlab_segment){ last + 1, cut };
    return true;
}

static inline dlab_entry median3(dlab_entry a, dlab_entry b, dlab_entry c)
{
    const dlab_entry low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

static dlab_entry choose_pivot(const dlab_entry *e, size_t n)
{
    const size_t step = n / 9;
    if (n < 128) return median3(e[0], e[n / 2], e[n - 1]);
    return median3(median3(e[0], e[step], e[2 * step]), median3(e[3 * step], e[4 * step], e[5 * step]),
                   median3(e[6 * step], e[7 * step], e[8 * step]));
}

/* Entries below the pivot first; how many they are. No branch depends on an entry. */
static size_t partition(dlab_entry *e, size_t n, dlab_entry pivot)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        const dlab_entry x = e[i];
        e[i] = e[m];
        e[m] = x;
        m += x < pivot;
    }
    return m;
}

/* By counting for each how many are below: no branch depends on an entry. */
static void sort_few(dlab_entry *e, size_t n)
{
    dlab_entry x[FEW];
    size_t rank[FEW] = { 0 };
    for (size_t i = 0; i < n; i++) {
        size_t below = 0;
        x[i] = e[i];
        for (size_t j = 0; j < i; j++) {
            const size_t first = x[i] < x[j];
            rank[j] += first;
            below += 1 - first;
        }
        rank[i] = below;
    }
    for (size_t i = 0; i < n; i++) e[rank[i]] = x[i];
}

static void sort_run(dlab_entry *e, size_t n)
{
    if (n <= FEW) {
        sort_few(e, n);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        const dlab_entry x = e[i];
        size_t at = i;
        while (at > 0 && x < e[at - 1]) e[at] = e[at - 1], at--;
        e[at] = x;
    }
}

/* The run is used up: split the front segment until its front part is short, and sort that. */
static __attribute__((noinline)) void refill(dlab_scheduler *s)
{
    while (s->levels > 0) {
        dlab_segment *front = &s->segments[s->levels - 1];
        const size_t start = front->start, end = s->levels > 1 ? front[-1].start : s->tail;
        const size_t n = end - start;
        if (n <= RUN || s->levels == DLAB_LEVELS_MAX) {
            sort_run(s->entries + start, n);
            s->levels--;
            if (n > 0) return;
            continue;
        }
        const dlab_entry pivot = choose_pivot(s->entries + start, n);
        const size_t below = partition(s->entries + start, n, pivot);
        if (below == 0) { /* the pivot is the least: it alone is the run */
            size_t least = start;
            while (s->entries[least] != pivot) least++;
            s->entries[least] = s->entries[start];
            s->entries[start] = pivot;
            front->start = start + 1;
            if (n == 1) s->levels--;
            return;
        }
        const dlab_segment lower = *front;
        *front = (dlab_segment){ pivot, start + below };
        s->segments[s->levels++] = lower;
    }
}

/* The near layer is used up: take the next bucket, or go on without a far layer when little is left. */
static __attribute__((noinline)) bool refill_from_far(dlab_scheduler *s)
{
    const size_t more = s->far.near_end == INT64_MAX ? 0 : dlab_far_advance(s);
    if (more == 0) return false;
    if (s->capacity < more) {
        const size_t bytes = s->capacity * sizeof *s->entries;
        dlab_entry *bigger =
            dlab_memory_realloc(s->memory, s->entries, bytes, 2 * more * sizeof *bigger, s->err);
        if (bigger == NULL) return false;
        s->entries = bigger;
        s->capacity = 2 * more;
    }
    s->head = 0;
    s->tail = dlab_far_take(s, s->entries);
    if (s->tail <= DLAB_RUN_MAX) {
        sort_run(s->entries, s->tail);
    } else {
        s->segments[0] = (dlab_segment){ 0, 0 };
        s->levels = 1;
    }
    return true;
}

/* Drop the dead: each segment and the run keep their order and their bounds. */
void dlab_scheduler_compact(dlab_scheduler *s)
{
    size_t to = 0, from = s->head;
    for (int i = s->levels; i >= 0; i--) {
        const size_t end = i > 0 ? s->segments[i - 1].start : s->tail;
        to += dlab_copy_live(s, s->entries + to, s->entries + from, end - from);
        from = end;
        if (i > 0) s->segments[i - 1].start = to;
    }
    s->head = 0;
    s->tail = to;
    dlab_far_compact(s);
    s->dead = 0;
}

uint32_t dlab_scheduler_new_slot(dlab_scheduler *s)
{
    if (s->slot_count == s->slot_capacity) {
        const size_t bytes = s->slot_capacity * sizeof *s->slots;
        if (s->slot_count > DLAB_SLOT_MASK) {
            (void)dlab_fail(s->err, DLAB_ELIMIT, "%u events are pending: no more fit", s->slot_count);
            return DLAB_NO_SLOT;
        }
        dlab_slot *bigger = dlab_memory_realloc(s->memory, s->slots, bytes, 2 * bytes, s->err);
        if (bigger == NULL) return DLAB_NO_SLOT;
        s->slots = bigger;
        s->slot_capacity *= 2;
    }
    return s->slot_count++;
}

bool dlab_scheduler_refuse(dlab_scheduler *s, int64_t time)
{
    if (s->sequence >= DLAB_SEQUENCE_MAX)
        (void)dlab_fail(s->err, DLAB_ELIMIT, "%llu events were scheduled: the sequence is used up",
                        (unsigned long long)s->sequence);
    else
        (void)dlab_fail(s->err, DLAB_EBROKEN, "an event at %lld ns is scheduled at %lld ns, in its past",
                        (long long)time, (long long)s->now);
    return false;
}

bool dlab_scheduler_refill(dlab_scheduler *s)
{
    if (s->levels == 0) return refill_from_far(s);
    refill(s);
    return true;
}

dlab_handle dlab_schedule(dlab_scheduler *s, const dlab_event *event, unsigned priority)
{
    return dlab_schedule_inline(s, event->time, event->kind, event->node, event->a, event->b, priority);
}

bool dlab_cancel(dlab_scheduler *s, dlab_handle handle) { return dlab_cancel_inline(s, handle); }

dlab_handle dlab_rearm(dlab_scheduler *s, dlab_handle handle, int64_t time)
{
    if (!dlab_matches(s, handle) || !dlab_may_schedule(s, time)) return (dlab_handle){ 0 };
    const uint64_t slot = handle.word & DLAB_SLOT_MASK;
    const uint64_t priority = handle.word >> (DLAB_SLOT_BITS + DLAB_SEQUENCE_BITS);
    const uint64_t word =
        priority << (DLAB_SLOT_BITS + DLAB_SEQUENCE_BITS) | (s->sequence + 1) << DLAB_SLOT_BITS | slot;
    if (!dlab_insert(s, dlab_entry_of(time, word))) return (dlab_handle){ 0 };
    s->sequence++;
    s->slots[slot].word = word;
    s->dead++;
    dlab_bury(s);
    return (dlab_handle){ word };
}

bool dlab_next(dlab_scheduler *s, int64_t until, dlab_event *event)
{
    return dlab_next_inline(s, until, event);
}

int64_t dlab_peek(dlab_scheduler *s) { return dlab_peek_inline(s); }

int dlab_scheduler_copy(dlab_scheduler *to, const dlab_scheduler *from)
{
    dlab_memory *memory = to->memory;
    dlab_error *err = to->err;
    const size_t entries = from->capacity * sizeof *from->entries,
                 slots = from->slot_capacity * sizeof *from->slots;
    dlab_entry *e = dlab_memory_realloc(memory, to->entries, to->capacity * sizeof *e, entries, err);
    if (e == NULL) return err->code;
    to->entries = e;
    to->capacity = from->capacity;
    dlab_slot *p = dlab_memory_realloc(memory, to->slots, to->slot_capacity * sizeof *p, slots, err);
    if (p == NULL) return err->code;
    to->slots = p;
    to->slot_capacity = from->slot_capacity;
    const dlab_far far = to->far;
    *to = *from;
    to->far = far;
    to->entries = e;
    to->slots = p;
    to->memory = memory;
    to->err = err;
    memcpy(e + from->head, from->entries + from->head, (from->tail - from->head) * sizeof *e);
    memcpy(p, from->slots, from->slot_count * sizeof *p);
    return dlab_far_copy(to, from);
}
