/* See scheduler.h and far.h. An epoch is a set of buckets over the nearer part of what was unsorted; what
 * lies behind the last bucket stays unsorted until the next epoch, so each entry is moved a constant
 * number of times. */
#include <string.h>

#include "sim/far.h"

enum { REST_FIRST = 256, FEW = 32, PER_BUCKET = 4, PER_CHUNK = 7 };
enum { SAMPLES = 64, SAMPLES_FEW = 16, SAMPLES_FROM = 1024 };
#define NONE UINT32_MAX

static inline int64_t time_of(dlab_entry entry) { return (int64_t)(uint64_t)(entry >> 64); }

/* Make room for `needed` of `size` bytes in *array; *capacity counts them. */
static bool grow(dlab_scheduler *s, void *array, size_t *capacity, size_t needed, size_t size)
{
    void *old;
    size_t more = *capacity;
    if (needed <= *capacity) return true;
    while (more < needed) more = more ? 2 * more : REST_FIRST;
    memcpy(&old, array, sizeof old);
    void *bigger = dlab_memory_realloc(s->memory, old, *capacity * size, more * size, s->err);
    if (bigger == NULL) return false;
    memcpy(array, &bigger, sizeof bigger);
    *capacity = more;
    return true;
}

static bool grow32(dlab_scheduler *s, void *array, uint32_t *capacity, size_t needed, size_t size)
{
    size_t wide = *capacity;
    if (!grow(s, array, &wide, needed, size)) return false;
    *capacity = (uint32_t)wide;
    return true;
}

static inline bool push_rest(dlab_scheduler *s, dlab_entry entry)
{
    dlab_far *f = &s->far;
    if (__builtin_expect(f->rest_count == f->rest_capacity, 0) &&
        !grow(s, &f->rest, &f->rest_capacity, f->rest_count + 1, sizeof entry))
        return false;
    f->rest[f->rest_count++] = entry;
    return true;
}

static __attribute__((noinline)) bool new_chunk(dlab_scheduler *s, uint32_t bucket)
{
    dlab_far *f = &s->far;
    uint32_t at = f->free_chunk;
    if (at != NONE) {
        f->free_chunk = f->chunks[at].next;
    } else {
        if (!grow32(s, &f->chunks, &f->chunk_capacity, (size_t)f->chunk_count + 1, sizeof *f->chunks))
            return false;
        at = f->chunk_count++;
    }
    f->chunks[at].next = f->heads[bucket];
    f->chunks[at].count = 0;
    f->heads[bucket] = at;
    return true;
}

static inline bool push_bucket(dlab_scheduler *s, uint32_t bucket, dlab_entry entry)
{
    dlab_far *f = &s->far;
    const uint32_t head = f->heads[bucket];
    if (head == NONE || f->chunks[head].count == PER_CHUNK) {
        if (!new_chunk(s, bucket)) return false;
    }
    dlab_chunk7 *chunk = &f->chunks[f->heads[bucket]];
    chunk->entries[chunk->count++] = entry;
    f->in_buckets++;
    return true;
}

bool dlab_far_insert(dlab_scheduler *s, dlab_entry entry)
{
    const dlab_far *f = &s->far;
    const int64_t time = time_of(entry);
    if (time >= f->end) return push_rest(s, entry);
    return push_bucket(s, (uint32_t)((uint64_t)(time - f->start) >> f->shift), entry);
}

bool dlab_far_open(dlab_scheduler *s, int64_t near_end, size_t count)
{
    dlab_far *f = &s->far;
    if (!grow(s, &f->rest, &f->rest_capacity, count, sizeof *f->rest)) return false;
    f->near_end = f->start = f->end = near_end;
    f->buckets = f->current = 0;
    return true;
}

/* Choose what the buckets cover: from the earliest to about the upper quartile of the unsorted entries,
 * as wide that a bucket gets PER_BUCKET of them. A sample decides: extremes do not. It is small below
 * SAMPLES_FROM entries, which pay for sorting it. */
static void choose_epoch(dlab_far *f)
{
    int64_t sample[SAMPLES], least = INT64_MAX;
    const size_t n = f->rest_count, samples = n < SAMPLES_FROM ? SAMPLES_FEW : SAMPLES;
    for (size_t i = 0; i < n; i++)
        if (time_of(f->rest[i]) < least) least = time_of(f->rest[i]);
    for (size_t k = 0; k < samples; k++) {
        const int64_t t = time_of(f->rest[k * n / samples]);
        size_t at = k;
        for (; at > 0 && sample[at - 1] > t; at--) sample[at] = sample[at - 1];
        sample[at] = t;
    }
    const uint64_t span = (uint64_t)(sample[samples * 3 / 4] - least) + 1;
    const uint64_t wanted = n * 3 / 4 / PER_BUCKET + 1;
    f->shift = 0;
    while (span >> f->shift > wanted) f->shift++;
    f->start = least;
    f->current = 0;
    f->buckets = (uint32_t)(span >> f->shift) + 1;
    const uint64_t covered = (uint64_t)f->buckets << f->shift;
    f->end = covered > (uint64_t)(INT64_MAX - least) ? INT64_MAX : least + (int64_t)covered;
    f->near_end = f->start;
}

static bool new_epoch(dlab_scheduler *s)
{
    dlab_far *f = &s->far;
    choose_epoch(f);
    if (!grow32(s, &f->heads, &f->buckets_capacity, f->buckets, sizeof *f->heads)) return false;
    memset(f->heads, 0xff, f->buckets * sizeof *f->heads);
    size_t kept = 0;
    for (size_t i = 0; i < f->rest_count; i++) {
        const dlab_entry entry = f->rest[i];
        if (time_of(entry) >= f->end) f->rest[kept++] = entry;
        else if (!push_bucket(s, (uint32_t)((uint64_t)(time_of(entry) - f->start) >> f->shift), entry))
            return false;
    }
    f->rest_count = kept;
    return true;
}

/* Once, before they are moved twice more; not for the sake of a few, since the slots of many are not in
 * the cache. */
static void drop_dead_of_rest(dlab_scheduler *s)
{
    dlab_far *f = &s->far;
    const size_t kept = dlab_copy_live(s, f->rest, f->rest, f->rest_count);
    s->dead -= f->rest_count - kept;
    f->rest_count = kept;
}

size_t dlab_far_advance(dlab_scheduler *s)
{
    dlab_far *f = &s->far;
    for (;;) {
        while (f->in_buckets > 0 && f->heads[f->current] == NONE) f->current++;
        if (f->in_buckets > 0) {
            size_t count = 0;
            for (uint32_t at = f->heads[f->current]; at != NONE; at = f->chunks[at].next)
                count += f->chunks[at].count;
            return count;
        }
        if (s->dead > s->live / 8) drop_dead_of_rest(s);
        if (f->rest_count == 0) f->near_end = INT64_MAX;
        if (f->rest_count <= FEW) return f->rest_count;
        if (!new_epoch(s)) return 0;
    }
}

size_t dlab_far_take(dlab_scheduler *s, dlab_entry *to)
{
    dlab_far *f = &s->far;
    size_t n = 0, taken = 0;
    if (f->in_buckets == 0) { /* few are left: no buckets for them */
        n = f->rest_count;
        memcpy(to, f->rest, n * sizeof *to);
        f->rest_count = 0;
        f->near_end = INT64_MAX;
        return n;
    }
    for (uint32_t at = f->heads[f->current], next; at != NONE; at = next) {
        const dlab_chunk7 *chunk = &f->chunks[at];
        taken += chunk->count;
        if (s->dead > 0) {
            n += dlab_copy_live(s, to + n, chunk->entries, chunk->count);
        } else { /* the slots are wanted a little later */
            for (uint32_t i = 0; i < chunk->count; i++) {
                to[n++] = chunk->entries[i];
                __builtin_prefetch(&s->slots[(uint64_t)chunk->entries[i] & DLAB_SLOT_MASK]);
            }
        }
        next = chunk->next;
        f->chunks[at].next = f->free_chunk;
        f->free_chunk = at;
    }
    f->heads[f->current++] = NONE;
    f->in_buckets -= taken;
    s->dead -= taken - n;
    f->near_end = f->current < f->buckets ? f->start + (int64_t)((uint64_t)f->current << f->shift) : f->end;
    return n;
}

void dlab_far_compact(dlab_scheduler *s)
{
    dlab_far *f = &s->far;
    f->rest_count = dlab_copy_live(s, f->rest, f->rest, f->rest_count);
    if (f->in_buckets == 0) return;
    for (uint32_t b = f->current; b < f->buckets; b++) {
        uint32_t *link = &f->heads[b];
        while (*link != NONE) {
            dlab_chunk7 *chunk = &f->chunks[*link];
            const uint32_t live = (uint32_t)dlab_copy_live(s, chunk->entries, chunk->entries, chunk->count);
            f->in_buckets -= chunk->count - live;
            chunk->count = live;
            if (live > 0) {
                link = &chunk->next;
                continue;
            }
            const uint32_t empty = *link;
            *link = chunk->next;
            f->chunks[empty].next = f->free_chunk;
            f->free_chunk = empty;
        }
    }
}

int dlab_far_copy(dlab_scheduler *to, const dlab_scheduler *from)
{
    dlab_far *f = &to->far;
    const dlab_far *g = &from->far;
    if (!grow32(to, &f->heads, &f->buckets_capacity, g->buckets, sizeof *f->heads) ||
        !grow32(to, &f->chunks, &f->chunk_capacity, g->chunk_count, sizeof *f->chunks) ||
        !grow(to, &f->rest, &f->rest_capacity, g->rest_count, sizeof *f->rest))
        return to->err->code;
    if (g->buckets > 0) memcpy(f->heads, g->heads, g->buckets * sizeof *f->heads);
    if (g->chunk_count > 0) memcpy(f->chunks, g->chunks, g->chunk_count * sizeof *f->chunks);
    if (g->rest_count > 0) memcpy(f->rest, g->rest, g->rest_count * sizeof *f->rest);
    const dlab_far own = *f;
    *f = *g;
    f->heads = own.heads;
    f->chunks = own.chunks;
    f->rest = own.rest;
    f->buckets_capacity = own.buckets_capacity;
    f->chunk_capacity = own.chunk_capacity;
    f->rest_capacity = own.rest_capacity;
    return DLAB_OK;
}

void dlab_far_close(dlab_scheduler *s)
{
    dlab_far *f = &s->far;
    dlab_memory_free(s->memory, f->heads, f->buckets_capacity * sizeof *f->heads);
    dlab_memory_free(s->memory, f->chunks, f->chunk_capacity * sizeof *f->chunks);
    dlab_memory_free(s->memory, f->rest, f->rest_capacity * sizeof *f->rest);
    *f = (dlab_far){ .near_end = INT64_MAX, .free_chunk = NONE };
}
