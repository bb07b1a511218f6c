/* The plain-C limits that distlab is measured against, in the same run on the same machine: M/M/1 by
 * Lindley's recursion in double with nothing else (no statistics, no budget, no units), one stream,
 * ziggurat exponentials; event by event through a generic heap; and rows of either on threads that share
 * an atomic counter. Usage: limits lindley|heap CUSTOMERS SEED | limits sweep|heap_sweep ROWS THREADS
 * SEED; prints seconds and a mean. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { LAYERS = 256, ROW_CUSTOMERS = 10000 };

typedef struct rng {
    uint64_t s[4]; /* xoshiro256+ */
} rng;

static double edge[LAYERS + 1], height[LAYERS + 1];

static inline uint64_t next_u64(rng *r)
{
    uint64_t *s = r->s;
    const uint64_t out = s[0] + s[3], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return out;
}

static void seed_rng(rng *r, uint64_t z)
{
    for (int i = 0; i < 4; i++) {
        uint64_t x = z += UINT64_C(0x9e3779b97f4a7c15);
        x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
        r->s[i] = x ^ (x >> 31);
    }
}

/* 256 layers of equal area under exp(-x); the lowest one holds the tail. */
static void build_ziggurat(void)
{
    const double tail = 7.69711747013104972, area = 0.0039496598225815571993;
    edge[0] = area / exp(-tail);
    edge[1] = tail;
    height[0] = 0;
    height[1] = exp(-tail);
    for (int i = 2; i < LAYERS; i++) {
        height[i] = height[i - 1] + area / edge[i - 1];
        edge[i] = -log(height[i]);
    }
    edge[LAYERS] = 0;
    height[LAYERS] = 1;
}

static double unit(rng *r) { return (double)((next_u64(r) >> 11) + 1) * 0x1p-53; }

static __attribute__((noinline)) double exponential_slow(rng *r, unsigned i, double x)
{
    for (;;) {
        if (i == 0) return edge[1] - log(unit(r));
        if (height[i] + unit(r) * (height[i + 1] - height[i]) < exp(-x)) return x;
        const uint64_t u = next_u64(r);
        i = (unsigned)(u >> 3) & 255u;
        x = (double)(u >> 11) * 0x1p-53 * edge[i];
        if (x < edge[i + 1]) return x;
    }
}

static inline double exponential(rng *r)
{
    const uint64_t u = next_u64(r);
    const unsigned i = (unsigned)(u >> 3) & 255u;
    const double x = (double)(u >> 11) * 0x1p-53 * edge[i];
    return __builtin_expect(x < edge[i + 1], 1) ? x : exponential_slow(r, i, x);
}

static double lindley(uint64_t customers, double load, uint64_t seed)
{
    const double gap = 1 / load;
    double wait = 0, sum = 0;
    rng r;
    seed_rng(&r, seed);
    for (uint64_t i = 0; i < customers; i++) {
        const double service = exponential(&r), arrival = exponential(&r) * gap;
        sum += wait + service;
        wait = wait + service - arrival;
        wait = wait > 0 ? wait : 0;
    }
    return sum / (double)customers;
}

/* The same queue event by event: a generic 4-ary heap of plain events with handlers, a ring of arrival
 * times. */
typedef struct world world;
typedef struct event {
    double time;
    uint64_t sequence;
    void (*handler)(world *, uint64_t);
    uint64_t argument;
} event;

enum { RING = 1 << 20 };

struct world {
    event heap[64];
    uint64_t count, sequence, head, tail, left, done;
    double now, sum, gap, *ring;
    rng r;
};

static inline bool earlier(const event *a, const event *b)
{
    return a->time < b->time || (a->time == b->time && a->sequence < b->sequence);
}

static inline void push(world *w, double time, void (*handler)(world *, uint64_t))
{
    const event e = { time, w->sequence++, handler, 0 };
    uint64_t i = w->count++;
    for (; i > 0 && earlier(&e, &w->heap[(i - 1) / 4]); i = (i - 1) / 4) w->heap[i] = w->heap[(i - 1) / 4];
    w->heap[i] = e;
}

static inline event pop(world *w)
{
    const event top = w->heap[0], e = w->heap[--w->count];
    uint64_t i = 0;
    for (;;) {
        const uint64_t c = 4 * i + 1, end = c + 4 < w->count ? c + 4 : w->count;
        if (c >= w->count) break;
        uint64_t least = c;
        for (uint64_t j = c + 1; j < end; j++)
            if (earlier(&w->heap[j], &w->heap[least])) least = j;
        if (!earlier(&w->heap[least], &e)) break;
        w->heap[i] = w->heap[least];
        i = least;
    }
    w->heap[i] = e;
    return top;
}

static void depart(world *w, uint64_t unused)
{
    (void)unused;
    w->sum += w->now - w->ring[w->head++ & (RING - 1)];
    w->done++;
    if (w->head < w->tail) push(w, w->now + exponential(&w->r), depart);
}

static void arrive(world *w, uint64_t unused)
{
    (void)unused;
    w->ring[w->tail++ & (RING - 1)] = w->now;
    if (w->tail - w->head == 1) push(w, w->now + exponential(&w->r), depart);
    if (--w->left > 0) push(w, w->now + exponential(&w->r) * w->gap, arrive);
}

static world *make_world(void)
{
    world *w = calloc(1, sizeof *w);
    w->ring = malloc(RING * sizeof *w->ring);
    return w;
}

static void free_world(world *w)
{
    free(w->ring);
    free(w);
}

static double heap(world *w, uint64_t customers, double load, uint64_t seed)
{
    w->count = w->sequence = w->head = w->tail = w->done = 0;
    w->sum = 0;
    w->gap = 1 / load;
    w->left = customers;
    seed_rng(&w->r, seed);
    push(w, exponential(&w->r) * w->gap, arrive);
    while (w->done < customers) {
        const event e = pop(w);
        w->now = e.time;
        e.handler(w, e.argument);
    }
    return w->sum / (double)customers;
}

static double heap_once(uint64_t customers, double load, uint64_t seed)
{
    world *w = make_world();
    const double mean = heap(w, customers, load, seed);
    free_world(w);
    return mean;
}

typedef struct sweep {
    atomic_int next;
    int rows;
    bool by_events;
    uint64_t seed;
    double *out;
} sweep;

static void *work(void *arg)
{
    sweep *s = arg;
    world *w = make_world(); /* one for all rows of a thread: a row costs its events and no allocation */
    int i;
    while ((i = atomic_fetch_add(&s->next, 1)) < s->rows) {
        const double load = 0.5 + 0.45 * (i % 64) / 63.0;
        const uint64_t seed = (s->seed << 32) + (uint64_t)i;
        s->out[i] = s->by_events ? heap(w, ROW_CUSTOMERS, load, seed) : lindley(ROW_CUSTOMERS, load, seed);
    }
    free_world(w);
    return NULL;
}

static double run_sweep(int rows, int threads, uint64_t seed, bool by_events)
{
    sweep s = {
        .rows = rows, .by_events = by_events, .seed = seed, .out = calloc((size_t)rows, sizeof(double))
    };
    pthread_t thread[64];
    double sum = 0;
    for (int t = 0; t < threads && t < 64; t++) (void)pthread_create(&thread[t], NULL, work, &s);
    for (int t = 0; t < threads && t < 64; t++) (void)pthread_join(thread[t], NULL);
    for (int i = 0; i < rows; i++) sum += s.out[i];
    free(s.out);
    return sum / rows;
}

static double one_pass(int count, char **words)
{
    const uint64_t size = strtoull(words[1], NULL, 10), seed = strtoull(words[count - 1], NULL, 10);
    if (count == 4) return run_sweep((int)size, atoi(words[2]), seed, strcmp(words[0], "heap_sweep") == 0);
    return strcmp(words[0], "heap") == 0 ? heap_once(size, 0.9, seed) : lindley(size, 0.9, seed);
}

int main(int argc, char **argv)
{
    if (argc != 4 && argc != 5) return 2;
    build_ziggurat();
    double start = 0, mean = 0;
    for (int pass = 0; pass < 2; pass++) { /* the first one warms up */
        start = now_s();
        mean = one_pass(argc - 1, argv + 1);
    }
    printf("%.9f %.6f\n", now_s() - start, mean);
    return 0;
}
