/* See serve_line.h. First and last come first served, adaptive lifo and the priorities are lists (one a
 * class), so that a job that gives up leaves in constant time; random order is an unordered array;
 * shortest remaining time is a binary heap. */
#include <string.h>

#include "queueing/serve_line.h"

enum { JOBS_FIRST = 64 };

int dlab_line_open(dlab_line *line, const dlab_serve *what, dlab_ctx *ctx)
{
    *line = (dlab_line){ .discipline = what->discipline,
                         .threshold = what->lifo_threshold,
                         .free_job = DLAB_NO_JOB };
    for (int c = 0; c < DLAB_CLASSES_MAX; c++) line->first[c] = line->last[c] = DLAB_NO_JOB;
    dlab_stream(ctx, &line->rng, DLAB_PURPOSE_LINE, 0);
    line->job_capacity = JOBS_FIRST;
    line->jobs = dlab_alloc(ctx, JOBS_FIRST, sizeof *line->jobs);
    line->array = line->jobs == NULL ? NULL : dlab_alloc(ctx, JOBS_FIRST, sizeof *line->array);
    return line->array == NULL ? ctx->err.code : DLAB_OK;
}

static bool grow(dlab_line *line, dlab_ctx *ctx)
{
    dlab_job *jobs = dlab_alloc(ctx, 2 * (size_t)line->job_capacity, sizeof *jobs);
    uint32_t *array = jobs == NULL ? NULL : dlab_alloc(ctx, 2 * (size_t)line->job_capacity, sizeof *array);
    if (array == NULL) return false;
    memcpy(jobs, line->jobs, line->job_count * sizeof *jobs);
    memcpy(array, line->array, line->job_capacity * sizeof *array);
    line->jobs = jobs;
    line->array = array;
    line->job_capacity *= 2;
    return true;
}

uint32_t dlab_line_grow(dlab_line *line, dlab_ctx *ctx)
{
    if (line->job_count == line->job_capacity && !grow(line, ctx)) return DLAB_NO_JOB;
    line->jobs[line->job_count].next = DLAB_NO_JOB;
    return line->job_count++;
}

static int list_of(const dlab_line *line, const dlab_job *job)
{
    const bool by_class = line->discipline == DLAB_DISCIPLINE_PRIORITY ||
                          line->discipline == DLAB_DISCIPLINE_PRIORITY_PREEMPTIVE;
    return by_class ? job->class : 0;
}

static void list_push(dlab_line *line, uint32_t job, bool front)
{
    dlab_job *j = &line->jobs[job];
    const int c = list_of(line, j);
    uint32_t *near = front ? &line->first[c] : &line->last[c],
             *far = front ? &line->last[c] : &line->first[c];
    j->previous = front ? DLAB_NO_JOB : *near;
    j->next = front ? *near : DLAB_NO_JOB;
    if (*near == DLAB_NO_JOB) *far = job;
    else if (front) line->jobs[*near].previous = job;
    else line->jobs[*near].next = job;
    *near = job;
}

static void list_remove(dlab_line *line, uint32_t job)
{
    const dlab_job *j = &line->jobs[job];
    const int c = list_of(line, j);
    if (j->previous == DLAB_NO_JOB) line->first[c] = j->next;
    else line->jobs[j->previous].next = j->next;
    if (j->next == DLAB_NO_JOB) line->last[c] = j->previous;
    else line->jobs[j->next].previous = j->previous;
}

static bool shorter(const dlab_line *line, uint32_t a, uint32_t b)
{
    const dlab_job *x = &line->jobs[a], *y = &line->jobs[b];
    return x->left != y->left ? x->left < y->left : x->number < y->number;
}

static void put(dlab_line *line, uint32_t at, uint32_t job)
{
    line->array[at] = job;
    line->jobs[job].place = at;
}

static void heap_sift(dlab_line *line, uint32_t at)
{
    const uint32_t job = line->array[at];
    for (; at > 0 && shorter(line, job, line->array[(at - 1) / 2]); at = (at - 1) / 2)
        put(line, at, line->array[(at - 1) / 2]);
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= line->count) break;
        if (child + 1 < line->count && shorter(line, line->array[child + 1], line->array[child])) child++;
        if (!shorter(line, line->array[child], job)) break;
        put(line, at, line->array[child]);
        at = child;
    }
    put(line, at, job);
}

static bool in_array(const dlab_line *line)
{
    return line->discipline == DLAB_DISCIPLINE_RANDOM || line->discipline == DLAB_DISCIPLINE_SRPT;
}

void dlab_line_push(dlab_line *line, uint32_t job, bool again)
{
    if (!in_array(line)) {
        list_push(line, job, again && line->discipline != DLAB_DISCIPLINE_LIFO_PREEMPTIVE);
        line->count++;
        return;
    }
    put(line, (uint32_t)line->count++, job);
    if (line->discipline == DLAB_DISCIPLINE_SRPT) heap_sift(line, (uint32_t)line->count - 1);
}

void dlab_line_remove(dlab_line *line, uint32_t job)
{
    if (!in_array(line)) {
        list_remove(line, job);
        line->count--;
        return;
    }
    const uint32_t at = line->jobs[job].place, last = line->array[--line->count];
    if (at == line->count) return;
    put(line, at, last);
    if (line->discipline == DLAB_DISCIPLINE_SRPT) heap_sift(line, at);
}

static uint32_t next_job(dlab_line *line)
{
    switch (line->discipline) {
    case DLAB_DISCIPLINE_LIFO:
    case DLAB_DISCIPLINE_LIFO_PREEMPTIVE: return line->last[0];
    case DLAB_DISCIPLINE_ADAPTIVE_LIFO: return line->count > line->threshold ? line->last[0] : line->first[0];
    case DLAB_DISCIPLINE_RANDOM: return line->array[dlab_rng_below(&line->rng, (uint64_t)line->count)];
    case DLAB_DISCIPLINE_SRPT: return line->array[0];
    default: break;
    }
    for (int c = 0; c < DLAB_CLASSES_MAX; c++)
        if (line->first[c] != DLAB_NO_JOB) return line->first[c];
    return DLAB_NO_JOB;
}

uint32_t dlab_line_pop(dlab_line *line)
{
    if (line->count == 0) return DLAB_NO_JOB;
    const uint32_t job = next_job(line);
    dlab_line_remove(line, job);
    return job;
}
