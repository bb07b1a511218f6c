/* See queue_series.h. Changes of one instant are emitted as one row. */
#include <string.h>

#include "queueing/queue_series.h"

/* A change that lies ahead: a start takes one from the line, a departure one from the station. */
typedef struct change {
    int64_t at;
    bool departure;
} change;

struct dlab_queue_series {
    int table;
    change *heap;
    size_t count, capacity;
    dlab_queue_change now;
    int64_t at; /* instant of the row not yet emitted; -1: none */
};

dlab_queue_series *dlab_queue_series_open(dlab_ctx *ctx, int k)
{
    dlab_queue_series *s = dlab_alloc(ctx, 1, sizeof *s);
    if (s == NULL) return NULL;
    s->table = k;
    s->capacity = 64;
    s->heap = dlab_alloc(ctx, s->capacity, sizeof *s->heap);
    return s->heap == NULL ? NULL : s;
}

static int push(dlab_queue_series *s, dlab_ctx *ctx, change c)
{
    if (s->count == s->capacity) {
        change *bigger = dlab_alloc(ctx, 2 * s->capacity, sizeof *bigger);
        if (bigger == NULL) return ctx->err.code;
        memcpy(bigger, s->heap, s->count * sizeof *bigger);
        s->heap = bigger;
        s->capacity *= 2;
    }
    size_t i = s->count++;
    for (; i > 0 && s->heap[(i - 1) / 2].at > c.at; i = (i - 1) / 2) s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = c;
    return DLAB_OK;
}

static change pop(dlab_queue_series *s)
{
    const change top = s->heap[0], last = s->heap[--s->count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= s->count) break;
        if (child + 1 < s->count && s->heap[child + 1].at < s->heap[child].at) child++;
        if (s->heap[child].at >= last.at) break;
        s->heap[i] = s->heap[child];
        i = child;
    }
    s->heap[i] = last;
    return top;
}

static int emit(dlab_queue_series *s, dlab_ctx *ctx)
{
    s->now.time = (double)s->at * 1e-9;
    return dlab_emit(ctx, s->table, &s->now);
}

/* Count a change at this instant; the instant before it is complete. */
int dlab_queue_series_change(dlab_queue_series *s, dlab_ctx *ctx, int64_t at, int queue, int system)
{
    if (at != s->at && s->at >= 0 && emit(s, ctx)) return ctx->err.code;
    s->at = at;
    s->now.queue_length += queue;
    s->now.in_system += system;
    return DLAB_OK;
}

static int apply_until(dlab_queue_series *s, dlab_ctx *ctx, int64_t limit)
{
    while (s->count > 0 && s->heap[0].at <= limit) {
        const change c = pop(s);
        if (dlab_queue_series_change(s, ctx, c.at, c.departure ? 0 : -1, c.departure ? -1 : 0))
            return ctx->err.code;
    }
    return DLAB_OK;
}

int dlab_queue_series_job(dlab_queue_series *s, dlab_ctx *ctx, int64_t arrival, int64_t start,
                          int64_t departure)
{
    const bool waits = start > arrival;
    if (apply_until(s, ctx, arrival) || dlab_queue_series_change(s, ctx, arrival, waits, 1))
        return ctx->err.code;
    if (waits && push(s, ctx, (change){ start, false })) return ctx->err.code;
    return push(s, ctx, (change){ departure, true });
}

int dlab_queue_series_close(dlab_queue_series *s, dlab_ctx *ctx)
{
    if (apply_until(s, ctx, INT64_MAX)) return ctx->err.code;
    return s->at >= 0 ? emit(s, ctx) : DLAB_OK;
}
