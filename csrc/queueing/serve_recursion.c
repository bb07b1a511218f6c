/* First come first served without events: a job starts when it has arrived and the earliest server is
 * free. With one server that is Lindley's recursion, with c servers Kiefer and Wolfowitz's (Trans. AMS
 * 78, 1955). Start times never decrease, so a full room is recognised by one start time: K or more are
 * present when the job that was accepted K - c acceptances ago has not started yet. All times are whole
 * nanoseconds, so sums are exact. */
#include <math.h>

#include "queueing/serve.h"

enum { BLOCK = 512 };

typedef struct station {
    const dlab_serve *what;
    dlab_measure *m;
    dlab_ctx *ctx;
    dlab_arrivals arrivals;
    dlab_sampler services;
    dlab_rng service_rng;
    int64_t gap[BLOCK], work[BLOCK], latency[BLOCK];
    int64_t now;               /* latest arrival */
    int64_t *free_at;          /* one a server; a heap with the earliest on top */
    int64_t *starts;           /* starts of the latest room accepted jobs, a ring; NULL without a capacity */
    int64_t room, accepted;    /* room = capacity - servers */
    dlab_queue_series *series; /* NULL: nobody wants it */
    bool plain;                /* one server, no capacity, nobody listens: the short loop */
} station;

bool dlab_serve_is_recursive(const dlab_serve *w)
{
    return w->discipline == DLAB_DISCIPLINE_FIFO && w->workload.load == DLAB_LOAD_OPEN &&
           w->patience.kind < 0 && w->pause.kind < 0 && !w->drop_late && isinf(w->codel_target) &&
           w->class_count == 0;
}

/* Put t in place of the earliest server's time. */
static void replace_earliest(int64_t *heap, int64_t n, int64_t t)
{
    int64_t i = 0;
    for (;;) {
        int64_t child = 2 * i + 1;
        if (child >= n) break;
        if (child + 1 < n && heap[child + 1] < heap[child]) child++;
        if (heap[child] >= t) break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = t;
}

/* Lindley's recursion over a block whose sums are known to fit (see block_fits); all of one batch. */
static void run_plain(station *s, int64_t job, int n)
{
    dlab_measure *m = s->m;
    int64_t now = s->now, free_at = s->free_at[0], waits = 0, works = 0, waited = 0;
    for (int i = 0; i < n; i++) {
        now += s->gap[i];
        const int64_t start = now > free_at ? now : free_at;
        waits += start - now;
        works += s->work[i];
        waited += start > now;
        free_at = start + s->work[i];
        s->latency[i] = free_at - now;
    }
    const int64_t first_departure = s->now + s->gap[0] + s->latency[0];
    s->now = now;
    s->free_at[0] = free_at;
    if (!m->on) return;
    if (m->served == 0) {
        m->first_job = job;
        m->first_departure = first_departure;
    }
    m->last_job = job + n - 1;
    m->last_departure = free_at;
    m->arrivals += n;
    m->served += n;
    m->waited += waited;
    m->wait_sum += waits;
    m->work_sum += works;
    m->batch_wait[m->batch] += waits;
    m->batch_served[m->batch] += n;
    if (m->deadline == INT64_MAX) m->in_time += n;
    else
        for (int i = 0; i < n; i++) m->in_time += s->latency[i] <= m->deadline;
}

/* A sum of BLOCK steps stays exact in 64 bits: every draw and the backlog are below 2^52 / BLOCK. The
 * bitwise or of all draws is at least their maximum and at most twice it. */
static bool block_fits(const station *s, int n)
{
    int64_t all = 0;
    const int64_t backlog = s->free_at[0] - s->now;
    for (int i = 0; i < n; i++) all |= s->gap[i] | s->work[i];
    return all < (INT64_C(1) << 52) / BLOCK && backlog < INT64_C(1) << 52 && s->now < DLAB_TIME_MAX / 2;
}

static bool room_is_full(const station *s)
{
    if (s->starts == NULL) return false;
    if (s->room == 0) return s->free_at[0] > s->now;
    return s->accepted >= s->room && s->starts[s->accepted % s->room] > s->now;
}

static int time_is_up(const station *s, int64_t job)
{
    return dlab_fail(&s->ctx->err, DLAB_ELIMIT, "simulated time passes 146 years at job %lld",
                     (long long)job);
}

/* One arrival with every feature; *latency is negative when the job is lost. */
static int run_job(station *s, int64_t job, int64_t gap, int64_t work, int64_t *latency)
{
    int64_t departure;
    *latency = -1;
    if (__builtin_add_overflow(s->now, gap, &s->now) || s->now > DLAB_TIME_MAX) return time_is_up(s, job);
    if (s->m->on) s->m->arrivals++;
    if (room_is_full(s)) {
        if (s->m->on) s->m->lost++;
        return dlab_serve_tell(s->ctx, job, 0, s->now, -1, 0, DLAB_OUTCOME_LOST);
    }
    const int64_t start = s->now > s->free_at[0] ? s->now : s->free_at[0];
    if (__builtin_add_overflow(start, work, &departure) || departure > DLAB_TIME_MAX)
        return time_is_up(s, job);
    replace_earliest(s->free_at, s->what->servers, departure);
    if (s->room > 0) s->starts[s->accepted % s->room] = start;
    s->accepted++;
    *latency = departure - s->now;
    if (s->m->on) dlab_measure_served(s->m, job, *latency, start - s->now, work, departure);
    if (s->series != NULL && dlab_queue_series_job(s->series, s->ctx, s->now, start, departure))
        return s->ctx->err.code;
    return dlab_serve_tell(s->ctx, job, 0, s->now, start, departure, DLAB_OUTCOME_SERVED);
}

/* Server time promised beyond now, in ns. Nothing promised leaves a gap, so all of it will be busy time. */
static dlab_i128 promised(const station *s)
{
    dlab_i128 sum = 0;
    for (int64_t i = 0; i < s->what->servers; i++)
        if (s->free_at[i] > s->now) sum += s->free_at[i] - s->now;
    return sum;
}

/* Draw and run the next n <= BLOCK arrivals; job is the number of the first. */
static int run_block(station *s, int64_t job, int n, dlab_histogram *latency)
{
    int kept = n;
    if (dlab_step(s->ctx, (uint64_t)n)) return s->ctx->err.code;
    if (dlab_arrivals_fill(&s->arrivals, s->ctx, s->gap, (size_t)n)) return s->ctx->err.code;
    dlab_sample_fill_ns(&s->services, &s->service_rng, s->work, (size_t)n);
    if (s->plain && block_fits(s, n)) {
        run_plain(s, job, n);
    } else {
        kept = 0;
        for (int i = 0; i < n; i++) {
            int64_t one;
            if (run_job(s, job + i, s->gap[i], s->work[i], &one)) return s->ctx->err.code;
            if (one >= 0) s->latency[kept++] = one;
        }
    }
    if (s->m->on) dlab_histogram_record_all(latency, s->latency, (size_t)kept);
    return DLAB_OK;
}

static int open_station(station *s)
{
    const dlab_serve *what = s->what;
    dlab_ctx *ctx = s->ctx;
    s->room = what->capacity > 0 ? what->capacity - what->servers : 0;
    if (dlab_arrivals_open(&s->arrivals, &what->workload, ctx) ||
        dlab_sampler_init(&s->services, &what->service, ctx->pool, 0, &ctx->arena, &ctx->err))
        return ctx->err.code;
    dlab_stream(ctx, &s->service_rng, DLAB_PURPOSE_SERVICE, 0);
    s->free_at = dlab_alloc(ctx, (size_t)what->servers, sizeof *s->free_at);
    if (s->free_at == NULL) return ctx->err.code;
    if (what->capacity > 0) {
        s->starts = dlab_alloc(ctx, (size_t)(s->room > 0 ? s->room : 1), sizeof *s->starts);
        if (s->starts == NULL) return ctx->err.code;
    }
    if (dlab_wants(ctx, DLAB_QUEUE_TABLE)) {
        s->series = dlab_queue_series_open(ctx, DLAB_QUEUE_TABLE);
        if (s->series == NULL) return ctx->err.code;
    }
    s->plain = what->servers == 1 && what->capacity == 0 && ctx->wanted == 0;
    return DLAB_OK;
}

int dlab_serve_by_recursion(const dlab_serve *what, dlab_measure *m, dlab_histogram *latency, dlab_ctx *ctx)
{
    station *s = dlab_alloc(ctx, 1, sizeof *s);
    if (s == NULL) return ctx->err.code;
    *s = (station){ .what = what, .m = m, .ctx = ctx };
    if (open_station(s)) return ctx->err.code;
    int64_t job = 0;
    for (m->batch = -1; m->batch < m->batches; m->batch++) { /* -1: the warm-up */
        const int64_t part = (int64_t)((dlab_i128)m->measured * (m->batch + 1) / m->batches);
        while (job < m->skip + part) {
            const int64_t left = m->skip + part - job;
            const int n = left < BLOCK ? (int)left : BLOCK;
            if (run_block(s, job, n, latency)) return ctx->err.code;
            job += n;
        }
        if (m->batch >= 0) continue;
        m->on = true;
        m->from = s->now;
        m->busy = promised(s);
    }
    m->until = s->now;
    m->busy += m->work_sum - promised(s);
    return s->series != NULL ? dlab_queue_series_close(s->series, ctx) : DLAB_OK;
}
