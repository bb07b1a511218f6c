/* The number of jobs over time, from jobs told in order of arrival: a min-heap holds the starts and
 * departures that still lie ahead, so changes come out in order of time without an event queue. */
#ifndef DISTLAB_QUEUE_SERIES_H
#define DISTLAB_QUEUE_SERIES_H
#include <distlab/model.h>

/* A row of a series table: the numbers from this time on. */
typedef struct dlab_queue_change {
    double time;
    int64_t queue_length, in_system;
} dlab_queue_change;

typedef struct dlab_queue_series dlab_queue_series;

/* Emit to output table k; NULL with the context's error set. */
dlab_queue_series *dlab_queue_series_open(dlab_ctx *ctx, int k);

/* Tell of one accepted job; arrivals never decrease. Times in nanoseconds. */
int dlab_queue_series_job(dlab_queue_series *s, dlab_ctx *ctx, int64_t arrival, int64_t start,
                          int64_t departure);

/* Tell of a change that happens now; times never decrease. */
int dlab_queue_series_change(dlab_queue_series *s, dlab_ctx *ctx, int64_t time, int queue, int system);

/* Emit what lies ahead. */
int dlab_queue_series_close(dlab_queue_series *s, dlab_ctx *ctx);

#endif
