/* Jobs of a station that is simulated event by event, and the line in which they wait: every discipline
 * is a way to put a job in and to take the next one out. */
#ifndef DISTLAB_QUEUEING_SERVE_LINE_H
#define DISTLAB_QUEUEING_SERVE_LINE_H
#include <distlab/scheduler.h>

#include "queueing/serve.h"

#define DLAB_NO_JOB UINT32_MAX

typedef struct dlab_job {
    int64_t number, intended, arrival, work;
    int64_t left;   /* service still needed, ns; while in service: when it last began */
    int64_t start;  /* first time in service; -1: not yet */
    int64_t leaves; /* when its service ends if nothing happens */
    double finish;  /* processor sharing: virtual time at which it has had its work */
    dlab_handle departure, patience;
    uint32_t previous, next; /* in a list; next also links free jobs */
    uint32_t place;          /* in an array */
    uint32_t client;
    int32_t class;
} dlab_job;

typedef struct dlab_line {
    int32_t discipline;
    int64_t threshold; /* adaptive lifo: newest first above this many */
    dlab_job *jobs;    /* the slab; moves when it grows, see dlab_line_jobs */
    uint32_t job_count, job_capacity, free_job;
    uint32_t first[DLAB_CLASSES_MAX], last[DLAB_CLASSES_MAX];
    uint32_t *array; /* random: any order; srpt: heap by remaining work */
    int64_t count;
    dlab_rng rng;
} dlab_line;

int dlab_line_open(dlab_line *line, const dlab_serve *what, dlab_ctx *ctx);

/* A job from the slab that nobody has served or put in line; whose it is remains to be said. DLAB_NO_JOB
 * with the context's error set. Field by field: clearing the whole record cost some 5 ns a job. */
uint32_t dlab_line_grow(dlab_line *line, dlab_ctx *ctx);
static inline uint32_t dlab_line_new_job(dlab_line *line, dlab_ctx *ctx)
{
    const uint32_t job = line->free_job != DLAB_NO_JOB ? line->free_job : dlab_line_grow(line, ctx);
    if (__builtin_expect(job == DLAB_NO_JOB, 0)) return job;
    dlab_job *const j = &line->jobs[job];
    line->free_job = j->next;
    j->start = -1;
    j->departure = j->patience = (dlab_handle){ 0 };
    j->previous = j->next = DLAB_NO_JOB;
    return job;
}

static inline void dlab_line_free_job(dlab_line *line, uint32_t job)
{
    line->jobs[job].next = line->free_job;
    line->free_job = job;
}

/* Put a job in; again: it was in service before and goes ahead of its equals. */
void dlab_line_push(dlab_line *line, uint32_t job, bool again);

/* Take the next one out; DLAB_NO_JOB when nobody waits. */
uint32_t dlab_line_pop(dlab_line *line);

/* Take this one out. */
void dlab_line_remove(dlab_line *line, uint32_t job);

#endif
