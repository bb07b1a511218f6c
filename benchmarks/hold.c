/* The scheduler against the best plain-C structures, in the same run. One hold: take the earliest of n
 * pending events, read its payload, put it back at an exponential distance; "re-arm" moves one random
 * timer as well (the pattern of election timeouts). The limits do the same work with a payload in a slab:
 * a branch-free 4-ary heap and a ladder of buckets for plain holds, an indexed 4-ary heap for re-arming.
 * Usage: hold N HOLDS REARM(0|1) [limit-only name] prints "name ns" for each. */
#include <distlab/random.h>
#include <distlab/scheduler.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

typedef unsigned __int128 entry; /* time << 64 | sequence << 24 | slot */

typedef struct payload {
    uint64_t word;
    uint32_t kind, node;
    uint64_t a, b;
} payload;

static dlab_rng rng;
static uint64_t sequence, sink;

static inline int64_t step(void) { return (int64_t)(1e9 * dlab_rng_exponential(&rng)); }

static inline entry make(int64_t time, uint32_t slot)
{
    return (entry)(uint64_t)time << 64 | (++sequence << 24 | slot);
}

static inline int64_t time_of(entry e) { return (int64_t)(uint64_t)(e >> 64); }

static payload *make_slab(size_t n)
{
    payload *slab = calloc(n, sizeof *slab);
    for (size_t i = 0; i < n; i++) slab[i] = (payload){ .kind = 1, .node = (uint32_t)i };
    return slab;
}

static inline void use(payload *slab, uint32_t slot, uint64_t word)
{
    sink += slab[slot].node + slab[slot].kind;
    slab[slot].word = word;
}

/* Replace the top of a 4-ary heap whose children share a cache line, with conditional moves. */
static void heap_down(entry *h, size_t n, entry e)
{
    size_t i = 0;
    for (;;) {
        const size_t c = 4 * i + 1;
        size_t least = c;
        if (c + 4 <= n) {
            const size_t low = c + (h[c + 1] < h[c]), high = c + 2 + (h[c + 3] < h[c + 2]);
            least = h[high] < h[low] ? high : low;
        } else {
            if (c >= n) break;
            for (size_t j = c + 1; j < n; j++)
                if (h[j] < h[least]) least = j;
        }
        if (e <= h[least]) break;
        h[i] = h[least];
        i = least;
    }
    h[i] = e;
}

static void heap_up(entry *h, size_t i, entry e)
{
    for (; i > 0 && e < h[(i - 1) / 4]; i = (i - 1) / 4) h[i] = h[(i - 1) / 4];
    h[i] = e;
}

static double limit_heap(size_t n, uint64_t holds)
{
    entry *raw = aligned_alloc(64, ((n + 16) * sizeof(entry) + 127) / 64 * 64), *h = raw + 3;
    payload *slab = make_slab(n);
    for (size_t i = 0; i < n; i++) heap_up(h, i, make(step(), (uint32_t)i));
    const double start = now_s();
    for (uint64_t k = 0; k < holds; k++) {
        const uint32_t slot = (uint32_t)h[0] & 0xffffff;
        const entry e = make(time_of(h[0]) + step(), slot);
        use(slab, slot, (uint64_t)e);
        heap_down(h, n, e);
    }
    const double took = now_s() - start;
    free(raw);
    free(slab);
    return took;
}

/* Buckets of equal width over the nearer part of what is pending, the earliest bucket sorted, the rest in
 * a heap of unsorted entries: tuned by hand for this distribution. */
typedef struct vector {
    entry *at;
    uint32_t count, capacity;
} vector;

typedef struct ladder {
    vector *bucket, rest;
    size_t buckets, current;
    int64_t start, width, end, sorted_until, least, greatest;
    entry sorted[8192];
    uint32_t head, tail;
} ladder;

static void push(vector *v, entry e)
{
    if (v->count == v->capacity) {
        v->capacity = v->capacity ? 2 * v->capacity : 8;
        v->at = realloc(v->at, v->capacity * sizeof *v->at);
    }
    v->at[v->count++] = e;
}

static void insert_sorted(ladder *l, entry e)
{
    if (l->tail == 8192) {
        memmove(l->sorted, l->sorted + l->head, (l->tail - l->head) * sizeof e);
        l->tail -= l->head;
        l->head = 0;
    }
    uint32_t i = l->tail++;
    for (; i > l->head && e < l->sorted[i - 1]; i--) l->sorted[i] = l->sorted[i - 1];
    l->sorted[i] = e;
}

static void ladder_insert(ladder *l, entry e)
{
    const int64_t t = time_of(e);
    if (t < l->sorted_until) {
        insert_sorted(l, e);
    } else if (t < l->end) {
        push(&l->bucket[(t - l->start) / l->width], e);
    } else {
        if (t < l->least) l->least = t;
        if (t > l->greatest) l->greatest = t;
        push(&l->rest, e);
    }
}

static void ladder_fill(ladder *l)
{
    l->head = l->tail = 0;
    for (;;) {
        while (l->current < l->buckets) {
            vector *v = &l->bucket[l->current++];
            l->sorted_until = l->start + (int64_t)l->current * l->width;
            if (v->count == 0) continue;
            for (uint32_t i = 0; i < v->count; i++) insert_sorted(l, v->at[i]);
            v->count = 0;
            return;
        }
        const size_t wanted = l->rest.count / 2 + 16;
        if (wanted > l->buckets) {
            l->bucket = realloc(l->bucket, wanted * sizeof *l->bucket);
            memset(l->bucket + l->buckets, 0, (wanted - l->buckets) * sizeof *l->bucket);
            l->buckets = wanted;
        }
        l->start = l->sorted_until = l->least;
        l->width = (int64_t)((double)(l->greatest - l->least) * 0.35 / (double)l->buckets) + 1;
        l->end = l->start + l->width * (int64_t)l->buckets;
        l->current = 0;
        const vector old = l->rest;
        l->rest = (vector){ 0 };
        l->least = INT64_MAX;
        l->greatest = 0;
        for (uint32_t i = 0; i < old.count; i++) ladder_insert(l, old.at[i]);
        free(old.at);
    }
}

static double limit_ladder(size_t n, uint64_t holds)
{
    ladder *l = calloc(1, sizeof *l);
    payload *slab = make_slab(n);
    l->least = INT64_MAX;
    for (size_t i = 0; i < n; i++) ladder_insert(l, make(step(), (uint32_t)i));
    double start = now_s();
    for (uint64_t k = 0; k < holds + 2 * n; k++) {
        if (k == 2 * n) start = now_s();
        if (l->head == l->tail) ladder_fill(l);
        const entry top = l->sorted[l->head++];
        const uint32_t slot = (uint32_t)top & 0xffffff;
        const entry e = make(time_of(top) + step(), slot);
        use(slab, slot, (uint64_t)e);
        ladder_insert(l, e);
    }
    const double took = now_s() - start;
    for (size_t i = 0; i < l->buckets; i++) free(l->bucket[i].at);
    free(l->bucket);
    free(l->rest.at);
    free(l);
    free(slab);
    return took;
}

static entry *indexed;
static uint32_t *place;

static void set(size_t i, entry e)
{
    indexed[i] = e;
    place[(uint32_t)e & 0xffffff] = (uint32_t)i;
}

static void indexed_sift(size_t i, size_t n, entry e)
{
    for (; i > 0 && e < indexed[(i - 1) / 4]; i = (i - 1) / 4) set(i, indexed[(i - 1) / 4]);
    for (;;) {
        const size_t c = 4 * i + 1, end = c + 4 < n ? c + 4 : n;
        if (c >= n) break;
        size_t least = c;
        for (size_t j = c + 1; j < end; j++)
            if (indexed[j] < indexed[least]) least = j;
        if (e <= indexed[least]) break;
        set(i, indexed[least]);
        i = least;
    }
    set(i, e);
}

static double limit_indexed(size_t n, uint64_t holds)
{
    payload *slab = make_slab(n);
    indexed = malloc(n * sizeof *indexed);
    place = malloc(n * sizeof *place);
    for (size_t i = 0; i < n; i++) indexed_sift(i, i + 1, make(step(), (uint32_t)i));
    const double start = now_s();
    for (uint64_t k = 0; k < holds; k++) {
        const int64_t now = time_of(indexed[0]);
        const uint32_t slot = (uint32_t)indexed[0] & 0xffffff, other = (uint32_t)dlab_rng_below(&rng, n);
        entry e = make(now + step(), slot);
        use(slab, slot, (uint64_t)e);
        indexed_sift(0, n, e);
        e = make(now + step(), other);
        slab[other].word = (uint64_t)e;
        indexed_sift(place[other], n, e);
    }
    const double took = now_s() - start;
    free(indexed);
    free(place);
    free(slab);
    return took;
}

static double scheduler(size_t n, uint64_t holds, bool rearm)
{
    dlab_memory memory = { 0 };
    dlab_error err = { 0 };
    dlab_scheduler s;
    dlab_handle *handles = calloc(n, sizeof *handles);
    must(dlab_scheduler_open(&s, &memory, &err), err.text);
    for (size_t i = 0; i < n; i++)
        handles[i] = dlab_schedule(&s, &(dlab_event){ .time = step(), .kind = 1, .node = (uint32_t)i }, 0);
    double start = now_s();
    for (uint64_t k = 0; k < holds + 2 * n; k++) {
        dlab_event e;
        if (k == 2 * n) start = now_s();
        if (!dlab_next(&s, INT64_MAX, &e)) must(1, "nothing is pending");
        sink += e.node + e.kind;
        e.time += step();
        handles[e.node] = dlab_schedule(&s, &e, 0);
        if (!rearm) continue;
        const uint32_t other = (uint32_t)dlab_rng_below(&rng, n);
        handles[other] = dlab_rearm(&s, handles[other], s.now + step());
    }
    const double took = now_s() - start;
    dlab_scheduler_close(&s);
    free(handles);
    return took;
}

int main(int argc, char **argv)
{
    if (argc != 4) return 2;
    const size_t n = strtoull(argv[1], NULL, 10);
    const uint64_t holds = strtoull(argv[2], NULL, 10);
    const bool rearm = argv[3][0] == '1';
    dlab_rng_open(&rng, 7, DLAB_PURPOSE_SAMPLE, 0);
    const double ns = 1e9 / (double)holds;
    printf("scheduler %.2f\n", scheduler(n, holds, rearm) * ns);
    if (rearm) {
        printf("indexed %.2f\n", limit_indexed(n, holds) * ns);
    } else {
        printf("heap %.2f\n", limit_heap(n, holds) * ns);
        printf("ladder %.2f\n", limit_ladder(n, holds) * ns);
    }
    return sink == 1;
}
