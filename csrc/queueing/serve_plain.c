/* The station event by event where nothing is asked of it but to serve in the order of arrival: open
 * load, no limits, no classes, and nobody wants to hear of single jobs. Scheduler, draws, order of events
 * and results are those of serve_events.c, which can run every such station too (tests compare the two).
 * What falls away is the job: of one that waits only its arrival is needed, and one in service is its
 * departure event. Jobs start in the order of their numbers, so the k-th start takes the k-th service
 * time, and what is measured of waits is summed batch after batch. */
#include <math.h>

#include "queueing/serve.h"
#include "queueing/serve_floor.h"
#include "sim/scheduler_inline.h"

enum { BLOCK = 256, LINE_FIRST = 64 };

typedef struct plain {
    dlab_scheduler scheduler;
    const dlab_serve *what;
    dlab_measure *m;
    dlab_histogram *latency;
    dlab_ctx *ctx;
    int64_t next_arrival;   /* INT64_MAX: none */
    int64_t arrived, begun; /* jobs that came; that have been in service */
    int64_t left;           /* measured jobs that have been served */
    int64_t next_mark;      /* the job whose arrival begins or ends the time measured */
    int64_t *line;          /* when jobs begun .. arrived - 1 arrived, a ring */
    uint64_t mask;          /* its size - 1 */
    int64_t busy;           /* servers at work */
    dlab_i128 used;         /* server time used, once busy * now is added: no work while busy stays */
    int batch;              /* the jobs that begin now are in; -1: the warm-up */
    int64_t batch_first, batch_end;
    dlab_i128 waits, works; /* of those of the batch that have begun */
    int64_t waited;
    int64_t leaves; /* when the job that began last does */
    int gap_next, work_next, latency_count;
    dlab_arrivals arrivals;
    dlab_sampler services;
    dlab_rng service_rng;
    int64_t gaps[BLOCK], service_times[BLOCK], latencies[BLOCK];
} plain;

bool dlab_serve_is_plain(const dlab_serve *what, const dlab_ctx *ctx)
{
    return dlab_serve_is_recursive(what) && what->capacity == 0 && ctx->wanted == 0;
}

static int next_arrival(plain *p)
{
    if (p->arrived == p->what->jobs) {
        p->next_arrival = INT64_MAX;
        return DLAB_OK;
    }
    if (p->gap_next == BLOCK) {
        if (dlab_arrivals_fill(&p->arrivals, p->ctx, p->gaps, BLOCK)) return p->ctx->err.code;
        p->gap_next = 0;
    }
    p->next_arrival = p->scheduler.now + p->gaps[p->gap_next++];
    if (p->next_arrival <= DLAB_TIME_MAX) return DLAB_OK;
    return dlab_fail(&p->ctx->err, DLAB_ELIMIT, "simulated time passes 146 years after %lld jobs",
                     (long long)p->arrived);
}

/* All jobs of the batch have begun: hand its sums over. */
static void close_batch(plain *p)
{
    dlab_measure *m = p->m;
    if (p->batch >= 0) {
        m->served += p->batch_end - p->batch_first;
        m->waited += p->waited;
        m->wait_sum += p->waits;
        m->work_sum += p->works;
        m->batch_wait[p->batch] = p->waits;
        m->batch_served[p->batch] = p->batch_end - p->batch_first;
    }
    p->waits = p->works = p->waited = 0;
    p->batch++;
    p->batch_first = p->batch_end;
    p->batch_end = m->skip + (int64_t)((dlab_i128)m->measured * (p->batch + 1) / m->batches);
}

static int64_t draw_service(plain *p)
{
    if (__builtin_expect(p->work_next == BLOCK, 0)) {
        dlab_sample_fill_ns(&p->services, &p->service_rng, p->service_times, BLOCK);
        p->work_next = 0;
    }
    return p->service_times[p->work_next++];
}

/* The next job in line, which came at this time, goes into service. */
static inline int begin(plain *p, int64_t arrival)
{
    const int64_t now = p->scheduler.now, work = draw_service(p), number = p->begun++;
    if (__builtin_expect(work > DLAB_TIME_MAX - now, 0))
        return dlab_fail(&p->ctx->err, DLAB_ELIMIT, "simulated time passes 146 years at job %lld",
                         (long long)number);
    p->leaves = now + work;
    if (__builtin_expect(number == p->batch_end, 0)) {
        close_batch(p);
        if (p->batch == 0) p->m->first_departure = p->leaves;
    }
    p->waits += now - arrival;
    p->works += work;
    p->waited += now > arrival;
    const dlab_handle departure =
        dlab_schedule_inline(&p->scheduler, p->leaves, DLAB_EVENT_DEPARTURE, 0, (uint64_t)arrival,
                             (uint64_t)number, DLAB_EVENT_DEPARTURE);
    return __builtin_expect(departure.word == 0, 0) ? p->ctx->err.code : DLAB_OK;
}

static __attribute__((noinline)) int grow_line(plain *p)
{
    const uint64_t size = 2 * (p->mask + 1);
    int64_t *line = dlab_alloc(p->ctx, size, sizeof *line);
    if (line == NULL) return p->ctx->err.code;
    for (int64_t i = p->begun; i < p->arrived; i++)
        line[(uint64_t)i & (size - 1)] = p->line[(uint64_t)i & p->mask];
    p->line = line;
    p->mask = size - 1;
    return DLAB_OK;
}

/* The time measured goes from the last arrival before the measured jobs to the last of theirs. */
static __attribute__((noinline)) void mark_window(plain *p, int64_t number)
{
    const int64_t now = p->scheduler.now;
    const dlab_i128 used = p->used + (dlab_i128)p->busy * now;
    if (number == p->m->skip - 1) {
        p->m->from = now;
        p->m->busy = -used;
    }
    if (number == p->what->jobs - 1) {
        p->m->until = now;
        p->m->busy += used;
    }
    p->next_mark = p->what->jobs - 1;
}

static inline int arrive(plain *p)
{
    const int64_t now = p->next_arrival, number = p->arrived;
    dlab_advance(&p->scheduler, now, DLAB_EVENT_ARRIVAL, 0);
    if (p->busy < p->what->servers) {
        p->busy++;
        p->used -= now;
        p->arrived++;
        if (begin(p, now)) return p->ctx->err.code;
    } else {
        if ((uint64_t)(number - p->begun) > p->mask && grow_line(p)) return p->ctx->err.code;
        p->line[(uint64_t)number & p->mask] = now;
        p->arrived++;
    }
    if (__builtin_expect(number == p->next_mark, 0)) mark_window(p, number);
    return next_arrival(p);
}

/* In blocks, which is faster; neither a histogram nor a count knows the order. */
static __attribute__((noinline)) void record_latencies(plain *p)
{
    dlab_measure *m = p->m;
    const int n = p->latency_count;
    dlab_histogram_record_all(p->latency, p->latencies, (size_t)n);
    if (m->deadline == INT64_MAX) m->in_time += n;
    else
        for (int i = 0; i < n; i++) m->in_time += p->latencies[i] <= m->deadline;
    p->left += n;
    p->latency_count = 0;
}

static inline int depart(plain *p, const dlab_event *e)
{
    p->latencies[p->latency_count] = e->time - (int64_t)e->a;
    p->latency_count += (int64_t)e->b >= p->m->skip;
    if (p->latency_count == BLOCK) record_latencies(p);
    if (p->begun < p->arrived) return begin(p, p->line[(uint64_t)p->begun & p->mask]);
    p->busy--;
    p->used += e->time;
    return DLAB_OK;
}

static int run(plain *p)
{
    dlab_scheduler *s = &p->scheduler;
    dlab_measure *m = p->m;
    dlab_event e;
    while (p->arrived < p->what->jobs || p->left + p->latency_count < m->measured) {
        if (dlab_step(p->ctx, 1)) return p->ctx->err.code;
        if (p->next_arrival < dlab_peek_inline(s)) {
            if (arrive(p)) return p->ctx->err.code;
        } else {
            if (!dlab_next_inline(s, INT64_MAX, &e))
                return DLAB_CHECK(&p->ctx->err, p->ctx->err.code != DLAB_OK);
            if (depart(p, &e)) return p->ctx->err.code;
        }
    }
    record_latencies(p);
    close_batch(p);
    m->arrivals = m->measured;
    m->first_job = m->skip;
    m->last_job = p->what->jobs - 1;
    m->last_departure = p->leaves;
    return DLAB_OK;
}

static int open_plain(plain *p)
{
    dlab_ctx *ctx = p->ctx;
    if (dlab_scheduler_open(&p->scheduler, ctx->arena.memory, &ctx->err) ||
        dlab_sampler_init(&p->services, &p->what->service, ctx->pool, 0, &ctx->arena, &ctx->err) ||
        dlab_arrivals_open(&p->arrivals, &p->what->workload, ctx))
        return ctx->err.code;
    dlab_stream(ctx, &p->service_rng, DLAB_PURPOSE_SERVICE, 0);
    p->line = dlab_alloc(ctx, LINE_FIRST, sizeof *p->line);
    return p->line == NULL ? ctx->err.code : next_arrival(p);
}

int dlab_serve_plainly(const dlab_serve *what, dlab_measure *m, dlab_histogram *latency, dlab_ctx *ctx)
{
    plain *p = dlab_alloc(ctx, 1, sizeof *p);
    if (p == NULL) return ctx->err.code;
    *p = (plain){ .what = what, .m = m, .latency = latency, .ctx = ctx };
    p->mask = LINE_FIRST - 1;
    p->next_mark = m->skip > 0 ? m->skip - 1 : what->jobs - 1;
    p->batch = -1;
    p->batch_end = m->skip; /* a warm-up of no jobs is closed by the first one */
    p->gap_next = p->work_next = BLOCK;
    if (open_plain(p) == DLAB_OK) (void)run(p);
    ctx->fingerprint = p->scheduler.fingerprint;
    dlab_scheduler_close(&p->scheduler);
    return ctx->err.code;
}
