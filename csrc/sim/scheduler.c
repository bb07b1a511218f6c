/* See scheduler.h. Layout of entries: [head, run_end) the sorted run, then segments from the front one
 * (the last of the array `segments`) to the far one (segments[0]), which ends at tail. */
#include <string.h>

#include <distlab/scheduler.h>

#include "sim/far.h"

enum { RUN = 24, RUN_MAX = 64, ENTRIES_FIRST = 256, SLOTS_FIRST = 64, DEAD_MIN = 64, NEAR_MAX = 96 };

#define SEQUENCE_MAX ((UINT64_C(1) << DLAB_SEQUENCE_BITS) - 1)
#define NO_SLOT UINT32_MAX

static inline size_t run_end(const dlab_scheduler *s)
{
    return s->levels > 0 ? s->segments[s->levels - 1].start : s->tail;
}

static inline dlab_entry entry_of(int64_t time, uint64_t word)
{
    return (dlab_entry)(uint64_t)time << 64 | word;
}

int dlab_scheduler_open(dlab_scheduler *s, dlab_memory *memory, dlab_error *err)
{
    *s = (dlab_scheduler){ .free_slot = NO_SLOT, .memory = memory, .err = err };
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
static __attribute__((noinline)) bool make_room(dlab_scheduler *s)
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
static __attribute__((noinline)) void cut_run(dlab_scheduler *s)
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

static inline bool insert_near(dlab_scheduler *s, dlab_entry entry)
{
    if (__builtin_expect(s->tail == s->capacity, 0) && !make_room(s)) return false;
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
    if (__builtin_expect(hole - head >= RUN_MAX, 0)) {
        size_t at = hole;
        while (at > head && entry < e[at - 1]) e[at] = e[at - 1], at--;
        e[at] = entry;
        cut_run(s);
        return true;
    }
    while (hole > head && entry < e[hole - 1]) e[hole] = e[hole - 1], hole--;
    e[hole] = entry;
    return true;
}

/* Enough are pending for buckets to pay: all that is later than the run goes there. What shares its last instant
 * stays, for within an instant priority and sequence decide, and near comes before far. */
static __attribute__((noinline)) bool open_far(dlab_scheduler *s)
{
    const size_t cut = run_end(s);
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

static inline bool insert(dlab_scheduler *s, dlab_entry entry)
{
    if ((int64_t)(uint64_t)(entry >> 64) >= s->far.near_end) return dlab_far_insert(s, entry);
    if (!insert_near(s, entry)) return false;
    if (__builtin_expect(s->tail - s->head > NEAR_MAX, 0) && s->far.near_end == INT64_MAX) return open_far(s);
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

static void sort_run(dlab_entry *e, size_t n)
{
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
    if (s->tail <= RUN_MAX) {
        sort_run(s->entries, s->tail);
    } else {
        s->segments[0] = (dlab_segment){ 0, 0 };
        s->levels = 1;
    }
    return true;
}

/* Bring a live entry to the head; false when nothing is pending. */
static inline bool settle(dlab_scheduler *s)
{
    for (;;) {
        if (__builtin_expect(s->head == run_end(s), 0)) {
            if (s->levels > 0) refill(s);
            else if (!refill_from_far(s)) return false;
            continue;
        }
        if (__builtin_expect(dlab_entry_is_live(s, s->entries[s->head]), 1)) return true;
        s->head++;
        s->dead--;
    }
}

/* Drop the dead: each segment and the run keep their order and their bounds. */
static __attribute__((noinline)) void compact(dlab_scheduler *s)
{
    size_t to = 0, from = s->head;
    for (int i = s->levels; i >= 0; i--) {
        const size_t end = i > 0 ? s->segments[i - 1].start : s->tail;
        for (; from < end; from++)
            if (dlab_entry_is_live(s, s->entries[from])) s->entries[to++] = s->entries[from];
        if (i > 0) s->segments[i - 1].start = to;
    }
    s->head = 0;
    s->tail = to;
    dlab_far_compact(s);
    s->dead = 0;
}

static __attribute__((noinline)) uint32_t new_slot(dlab_scheduler *s)
{
    if (s->slot_count == s->slot_capacity) {
        const size_t bytes = s->slot_capacity * sizeof *s->slots;
        if (s->slot_count > DLAB_SLOT_MASK) {
            (void)dlab_fail(s->err, DLAB_ELIMIT, "%u events are pending: no more fit", s->slot_count);
            return NO_SLOT;
        }
        dlab_slot *bigger = dlab_memory_realloc(s->memory, s->slots, bytes, 2 * bytes, s->err);
        if (bigger == NULL) return NO_SLOT;
        s->slots = bigger;
        s->slot_capacity *= 2;
    }
    return s->slot_count++;
}

static __attribute__((noinline)) bool refuse(dlab_scheduler *s, int64_t time)
{
    if (s->sequence >= SEQUENCE_MAX)
        (void)dlab_fail(s->err, DLAB_ELIMIT, "%llu events were scheduled: the sequence is used up",
                        (unsigned long long)s->sequence);
    else
        (void)dlab_fail(s->err, DLAB_EBROKEN, "an event at %lld ns is scheduled at %lld ns, in its past",
                        (long long)time, (long long)s->now);
    return false;
}

static inline bool allowed(dlab_scheduler *s, int64_t time)
{
    return __builtin_expect(time >= s->now && s->sequence < SEQUENCE_MAX, 1) ? true : refuse(s, time);
}

dlab_handle dlab_schedule(dlab_scheduler *s, const dlab_event *event, unsigned priority)
{
    uint32_t slot = s->free_slot;
    if (!allowed(s, event->time)) return (dlab_handle){ 0 };
    if (slot != NO_SLOT) s->free_slot = (uint32_t)s->slots[slot].a;
    else if ((slot = new_slot(s)) == NO_SLOT) return (dlab_handle){ 0 };
    const uint64_t word = (uint64_t)(priority & 15u) << (DLAB_SLOT_BITS + DLAB_SEQUENCE_BITS) |
                          (s->sequence + 1) << DLAB_SLOT_BITS | slot;
    if (!insert(s, entry_of(event->time, word))) {
        s->slots[slot] = (dlab_slot){ .a = s->free_slot };
        s->free_slot = slot;
        return (dlab_handle){ 0 };
    }
    s->sequence++;
    s->live++;
    s->slots[slot] =
        (dlab_slot){ .word = word, .kind = event->kind, .node = event->node, .a = event->a, .b = event->b };
    return (dlab_handle){ word };
}

static void release(dlab_scheduler *s, uint64_t slot)
{
    s->slots[slot].word = 0;
    s->slots[slot].a = s->free_slot;
    s->free_slot = (uint32_t)slot;
    s->live--;
}

static inline bool matches(const dlab_scheduler *s, dlab_handle handle)
{
    const uint64_t slot = handle.word & DLAB_SLOT_MASK;
    return handle.word != 0 && slot < s->slot_count && s->slots[slot].word == handle.word;
}

static inline void bury(dlab_scheduler *s)
{
    if (__builtin_expect(s->dead > s->live + DEAD_MIN, 0)) compact(s);
}

bool dlab_cancel(dlab_scheduler *s, dlab_handle handle)
{
    if (!matches(s, handle)) return false;
    release(s, handle.word & DLAB_SLOT_MASK);
    s->dead++;
    bury(s);
    return true;
}

dlab_handle dlab_rearm(dlab_scheduler *s, dlab_handle handle, int64_t time)
{
    if (!matches(s, handle) || !allowed(s, time)) return (dlab_handle){ 0 };
    const uint64_t slot = handle.word & DLAB_SLOT_MASK;
    const uint64_t priority = handle.word >> (DLAB_SLOT_BITS + DLAB_SEQUENCE_BITS);
    const uint64_t word =
        priority << (DLAB_SLOT_BITS + DLAB_SEQUENCE_BITS) | (s->sequence + 1) << DLAB_SLOT_BITS | slot;
    if (!insert(s, entry_of(time, word))) return (dlab_handle){ 0 };
    s->sequence++;
    s->slots[slot].word = word;
    s->dead++;
    bury(s);
    return (dlab_handle){ word };
}

int64_t dlab_peek(dlab_scheduler *s)
{
    return settle(s) ? (int64_t)(uint64_t)(s->entries[s->head] >> 64) : INT64_MAX;
}

bool dlab_next(dlab_scheduler *s, int64_t until, dlab_event *event)
{
    if (!settle(s)) return false;
    const dlab_entry entry = s->entries[s->head];
    const int64_t time = (int64_t)(uint64_t)(entry >> 64);
    if (time > until) return false;
    const uint64_t slot = (uint64_t)entry & DLAB_SLOT_MASK;
    const dlab_slot *payload = &s->slots[slot];
    *event = (dlab_event){ time, payload->kind, payload->node, payload->a, payload->b };
    s->head++;
    release(s, slot);
    bury(s);
    s->now = time;
    s->fired++;
    s->fingerprint = (s->fingerprint ^ (uint64_t)time ^ (uint64_t)event->kind << 32 ^ event->node) *
                     UINT64_C(0x9e3779b97f4a7c15);
    s->fingerprint ^= s->fingerprint >> 29;
    return true;
}

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
