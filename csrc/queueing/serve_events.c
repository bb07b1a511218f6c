/* A station event by event: every load, discipline, patience, pauses, drops. Arrivals and service times
 * are drawn from the streams the recursion uses, in the same order, and at one instant services end
 * before jobs arrive; so for first come first served under open load both give the same numbers to the
 * last bit. */
#include <math.h>

#include <distlab/real.h>

#include "queueing/serve_floor.h"
#include "sim/scheduler_inline.h"

enum { BLOCK = 256 };

/* A client of a closed or paced load, or a session of a partly open one. */
typedef struct client {
    int64_t jobs_left;     /* session: jobs after the one under way */
    int64_t next_intended; /* paced: when it means to send next */
    uint32_t next_free;
} client;

typedef struct events {
    const dlab_serve *what;
    dlab_measure *m;
    dlab_histogram *latency;
    dlab_ctx *ctx;
    dlab_floor floor;
    dlab_arrivals arrivals;
    dlab_sampler services[DLAB_CLASSES_MAX], think, patience, pause, pace;
    double class_below[DLAB_CLASSES_MAX];
    dlab_rng service_rng, class_rng, client_rng, patience_rng, pause_rng;
    int64_t gaps[BLOCK], works[BLOCK], latencies[BLOCK];
    int gap_next, work_next, latency_count;
    int64_t next_arrival;                       /* from outside; INT64_MAX: none */
    int64_t started, present, measured_present; /* jobs that arrived; in the station; of these measured */
    client *clients;
    uint32_t client_count, client_capacity, free_client;
    dlab_queue_series *series;
    int64_t told_queue, told_system;
} events;

static int time_is_up(const events *v)
{
    return dlab_fail(&v->ctx->err, DLAB_ELIMIT, "simulated time passes 146 years after %lld jobs",
                     (long long)v->started);
}

static int schedule(events *v, int64_t time, uint32_t kind, uint32_t node, dlab_handle *handle)
{
    if (time > DLAB_TIME_MAX) return time_is_up(v);
    const dlab_handle h = dlab_schedule_inline(&v->floor.scheduler, time, kind, node, 0, 0, kind);
    if (handle != NULL) *handle = h;
    return v->ctx->err.code;
}

static int64_t now_of(const events *v) { return v->floor.scheduler.now; }

/* --- Where jobs come from
 * ------------------------------------------------------------------------------------- */

static bool from_outside(const events *v)
{
    return v->what->workload.load == DLAB_LOAD_OPEN || v->what->workload.load == DLAB_LOAD_PARTLY_OPEN;
}

/* Arrivals from outside come one after the other, so they need no place in the scheduler. */
static int next_arrival(events *v)
{
    if (v->gap_next == BLOCK) {
        if (dlab_arrivals_fill(&v->arrivals, v->ctx, v->gaps, BLOCK)) return v->ctx->err.code;
        v->gap_next = 0;
    }
    v->next_arrival = now_of(v) + v->gaps[v->gap_next++];
    return v->next_arrival > DLAB_TIME_MAX ? time_is_up(v) : DLAB_OK;
}

static uint32_t new_client(events *v)
{
    if (v->free_client != UINT32_MAX) {
        const uint32_t c = v->free_client;
        v->free_client = v->clients[c].next_free;
        return c;
    }
    if (v->client_count == v->client_capacity) {
        const uint32_t more = v->client_capacity ? 2 * v->client_capacity : 64;
        client *clients = dlab_alloc(v->ctx, more, sizeof *clients);
        if (clients == NULL) return UINT32_MAX;
        for (uint32_t i = 0; i < v->client_count; i++) clients[i] = v->clients[i];
        v->clients = clients;
        v->client_capacity = more;
    }
    return v->client_count++;
}

/* A geometric number of jobs after the first, mean session_jobs - 1: "at least k more" has (1 - 1/mean)^k. */
static int64_t draw_session(events *v)
{
    const double rate = -dlab_log1p(-1 / v->what->workload.session_jobs); /* infinite for one job a session */
    const double more = dlab_rng_exponential(&v->client_rng) / rate;
    return more < (double)INT64_MAX / 2 ? (int64_t)more : INT64_MAX / 2;
}

/* The job of a client left the station: what does the client do? */
static int client_goes_on(events *v, uint32_t index)
{
    const int32_t load = v->what->workload.load;
    client *c = &v->clients[index];
    if (load == DLAB_LOAD_PACED)
        return schedule(v, c->next_intended > now_of(v) ? c->next_intended : now_of(v), DLAB_EVENT_CLIENT,
                        index, NULL);
    if (load == DLAB_LOAD_PARTLY_OPEN && c->jobs_left-- == 0) {
        c->next_free = v->free_client;
        v->free_client = index;
        return DLAB_OK;
    }
    return schedule(v, now_of(v) + dlab_sample_ns(&v->think, &v->client_rng), DLAB_EVENT_CLIENT, index, NULL);
}

static int open_clients(events *v)
{
    const dlab_workload *w = &v->what->workload;
    v->free_client = UINT32_MAX;
    v->next_arrival = INT64_MAX;
    if (from_outside(v)) return next_arrival(v);
    for (int64_t i = 0; i < w->clients; i++) {
        const uint32_t c = new_client(v);
        if (c == UINT32_MAX) return v->ctx->err.code;
        const bool paced = w->load == DLAB_LOAD_PACED;
        const double cycle =
            (double)w->clients / w->arrival_rate * 1e9; /* paced: they begin spread over one cycle */
        const double phase = paced ? dlab_rng_unit(&v->client_rng) * cycle : 0;
        const int64_t first = !paced                          ? dlab_sample_ns(&v->think, &v->client_rng)
                              : phase < (double)DLAB_TIME_MAX ? (int64_t)phase
                                                              : INT64_MAX;
        v->clients[c] = (client){ .next_intended = first };
        if (schedule(v, first, DLAB_EVENT_CLIENT, c, NULL)) return v->ctx->err.code;
    }
    return DLAB_OK;
}

/* --- What happens to jobs
 * --------------------------------------------------------------------------------------- */

static __attribute__((noinline)) int tell_series(events *v)
{
    const dlab_floor *f = &v->floor;
    const int64_t serving = f->in_service < f->what->servers ? f->in_service : f->what->servers;
    const int64_t queue = dlab_floor_shares(f) ? v->present - serving : f->line.count + f->held;
    if (queue == v->told_queue && v->present == v->told_system) return DLAB_OK;
    const int code = dlab_queue_series_change(v->series, v->ctx, now_of(v), (int)(queue - v->told_queue),
                                              (int)(v->present - v->told_system));
    v->told_queue = queue;
    v->told_system = v->present;
    return code;
}

/* In blocks, which is faster; a histogram does not know the order. */
static void record_latencies(events *v)
{
    dlab_histogram_record_all(v->latency, v->latencies, (size_t)v->latency_count);
    v->latency_count = 0;
}

/* A job leaves, one way or another. */
static int leave(events *v, uint32_t job, int outcome)
{
    const dlab_job *const j = &v->floor.line.jobs[job]; /* good until the next job is made */
    const int64_t now = now_of(v), since = v->what->from_intended ? j->intended : j->arrival;
    if (outcome != DLAB_OUTCOME_LOST) v->present--;
    if (outcome == DLAB_OUTCOME_SERVED && v->m->on) {
        v->m->left++;
        v->m->left_in_time += now - since <= v->m->deadline;
    }
    if (j->number >= v->m->skip) {
        dlab_measure *m = v->m;
        if (outcome != DLAB_OUTCOME_LOST) v->measured_present--;
        m->lost += outcome == DLAB_OUTCOME_LOST;
        m->abandoned += outcome == DLAB_OUTCOME_ABANDONED;
        m->dropped += outcome == DLAB_OUTCOME_DROPPED;
        if (outcome == DLAB_OUTCOME_SERVED) {
            const int64_t wait = now - since - j->work; /* sharing rounds its events up: never below 0 */
            dlab_measure_served(m, j->number, now - since, wait > 0 ? wait : 0, j->work, now);
            v->latencies[v->latency_count++] = now - since;
            if (v->latency_count == BLOCK) record_latencies(v);
        }
    }
    dlab_line_free_job(&v->floor.line, job);
    if (dlab_serve_tell(v->ctx, j->number, j->class, j->arrival, j->start, now, outcome))
        return v->ctx->err.code;
    return v->what->workload.load == DLAB_LOAD_OPEN ? DLAB_OK : client_goes_on(v, j->client);
}

static int serve_waiting(events *v)
{
    uint32_t dropped;
    if (v->floor.line.count == 0) return DLAB_OK;
    do {
        if (dlab_floor_next(&v->floor, &dropped)) return v->ctx->err.code;
        if (dropped != DLAB_NO_JOB && leave(v, dropped, DLAB_OUTCOME_DROPPED)) return v->ctx->err.code;
    } while (dropped != DLAB_NO_JOB);
    return DLAB_OK;
}

static int32_t draw_class(events *v)
{
    int32_t c = 0;
    if (v->what->class_count == 0) return 0;
    const double u = dlab_rng_unit(&v->class_rng);
    while (c + 1 < (int32_t)v->what->class_count && u >= v->class_below[c]) c++;
    return c;
}

/* Without classes in blocks, which is faster; the draws are the same. */
static int64_t draw_work(events *v, int32_t class)
{
    if (v->what->class_count > 0) return dlab_sample_ns(&v->services[class], &v->service_rng);
    if (v->work_next == BLOCK) {
        dlab_sample_fill_ns(&v->services[0], &v->service_rng, v->works, BLOCK);
        v->work_next = 0;
    }
    return v->works[v->work_next++];
}

/* Time the measured jobs arrived in: from the last arrival before them to the last of them. */
static void mark_window(events *v, int64_t number)
{
    if (number == v->m->skip - 1) {
        dlab_floor_count(&v->floor);
        v->m->on = true;
        v->m->from = now_of(v);
        v->m->busy = -v->floor.busy;
    }
    if (number == v->what->jobs - 1) {
        dlab_floor_count(&v->floor);
        v->m->on = false;
        v->m->until = now_of(v);
        v->m->busy += v->floor.busy;
    }
}

static int arrive(events *v, uint32_t client_index, int64_t intended)
{
    if (v->started >= v->what->jobs) return DLAB_OK; /* the run is being emptied */
    const uint32_t job = dlab_line_new_job(&v->floor.line, v->ctx);
    if (job == DLAB_NO_JOB) return v->ctx->err.code;
    dlab_job *j = &v->floor.line.jobs[job];
    j->number = v->started++;
    j->arrival = now_of(v);
    j->intended = intended;
    j->client = client_index;
    j->class = draw_class(v);
    j->work = j->left = draw_work(v, j->class);
    const int64_t number = j->number;
    v->m->arrivals += number >= v->m->skip;
    if (v->what->capacity > 0 && v->present >= v->what->capacity) {
        mark_window(v, number);
        return leave(v, job, DLAB_OUTCOME_LOST);
    }
    v->present++;
    v->measured_present += number >= v->m->skip;
    if (dlab_floor_drops(&v->floor, job)) {
        mark_window(v, number);
        return leave(v, job, DLAB_OUTCOME_DROPPED);
    }
    if (v->what->patience.kind >= 0 && !dlab_floor_shares(&v->floor)) {
        const int64_t patience = dlab_sample_ns(&v->patience, &v->patience_rng);
        if (schedule(v, now_of(v) + patience, DLAB_EVENT_PATIENCE, job, &j->patience))
            return v->ctx->err.code;
    }
    if (dlab_floor_admit(&v->floor, job)) return v->ctx->err.code;
    mark_window(v, number);
    return DLAB_OK;
}

static int arrive_from_outside(events *v)
{
    uint32_t session = 0;
    if (v->what->workload.load == DLAB_LOAD_PARTLY_OPEN) {
        session = new_client(v);
        if (session == UINT32_MAX) return v->ctx->err.code;
        v->clients[session] = (client){ .jobs_left = draw_session(v) };
    }
    if (arrive(v, session, now_of(v))) return v->ctx->err.code;
    if (v->started < v->what->jobs) return next_arrival(v);
    v->next_arrival = INT64_MAX;
    return DLAB_OK;
}

static int arrive_from_client(events *v, uint32_t index)
{
    client *c = &v->clients[index];
    if (v->what->workload.load != DLAB_LOAD_PACED) return arrive(v, index, now_of(v));
    const int64_t intended = c->next_intended;
    c->next_intended += dlab_sample_ns(&v->pace, &v->client_rng);
    return arrive(v, index, intended);
}

static int pause_or_resume(events *v, bool pause)
{
    if (dlab_floor_pause(&v->floor, pause)) return v->ctx->err.code;
    const int64_t until =
        pause ? dlab_sample_ns(&v->pause, &v->pause_rng)
              : (int64_t)(v->what->pause_interval * 1e9 * dlab_rng_exponential(&v->pause_rng));
    return schedule(v, now_of(v) + until, pause ? DLAB_EVENT_RESUME : DLAB_EVENT_PAUSE, 0, NULL);
}

static int handle(events *v, const dlab_event *e)
{
    switch (e->kind) {
    case DLAB_EVENT_DEPARTURE: {
        const uint32_t job = dlab_floor_finish(&v->floor, e);
        if (v->ctx->err.code) return v->ctx->err.code;
        if (leave(v, job, DLAB_OUTCOME_SERVED)) return v->ctx->err.code;
        return serve_waiting(v);
    }
    case DLAB_EVENT_CLIENT: return arrive_from_client(v, e->node);
    case DLAB_EVENT_PAUSE: return pause_or_resume(v, true);
    case DLAB_EVENT_RESUME: return pause_or_resume(v, false);
    default: /* patience */
        dlab_floor_abandon(&v->floor, e->node);
        if (leave(v, e->node, DLAB_OUTCOME_ABANDONED)) return v->ctx->err.code;
        return serve_waiting(v);
    }
}

static int open_classes(events *v)
{
    const dlab_serve *w = v->what;
    double total = 0, sum = 0;
    for (size_t c = 0; c < w->class_count; c++) total += w->classes[c].share;
    for (size_t c = 0; c < (w->class_count ? w->class_count : 1); c++) {
        const dlab_distribution *law = w->class_count ? &w->classes[c].service : &w->service;
        if (dlab_sampler_init(&v->services[c], law, v->ctx->pool, 0, &v->ctx->arena, &v->ctx->err))
            return v->ctx->err.code;
        sum += w->class_count ? w->classes[c].share / total : 1;
        v->class_below[c] = sum;
    }
    return DLAB_OK;
}

static int open_events(events *v)
{
    const dlab_serve *w = v->what;
    dlab_ctx *ctx = v->ctx;
    const struct {
        dlab_sampler *sampler;
        const dlab_distribution *law;
        double mean;
    } laws[] = { { &v->think, &w->workload.think_time, 0 },
                 { &v->patience, &w->patience, 0 },
                 { &v->pause, &w->pause, 0 },
                 { &v->pace, &w->workload.interarrival,
                   (double)w->workload.clients / w->workload.arrival_rate } };
    for (size_t i = 0; i < sizeof laws / sizeof laws[0]; i++)
        if (laws[i].law->kind >= 0 &&
            dlab_sampler_init(laws[i].sampler, laws[i].law, ctx->pool, laws[i].mean, &ctx->arena, &ctx->err))
            return ctx->err.code;
    dlab_stream(ctx, &v->service_rng, DLAB_PURPOSE_SERVICE, 0);
    dlab_stream(ctx, &v->class_rng, DLAB_PURPOSE_CLASS, 0);
    dlab_stream(ctx, &v->client_rng, DLAB_PURPOSE_CLIENT, 0);
    dlab_stream(ctx, &v->patience_rng, DLAB_PURPOSE_PATIENCE, 0);
    dlab_stream(ctx, &v->pause_rng, DLAB_PURPOSE_PAUSE, 0);
    v->gap_next = v->work_next = BLOCK;
    if (open_classes(v) || dlab_arrivals_open(&v->arrivals, &w->workload, ctx) || open_clients(v))
        return ctx->err.code;
    if (dlab_wants(ctx, DLAB_QUEUE_TABLE)) {
        v->series = dlab_queue_series_open(ctx, DLAB_QUEUE_TABLE);
        if (v->series == NULL) return ctx->err.code;
    }
    if (w->pause.kind < 0) return DLAB_OK;
    const double first = w->pause_interval * 1e9 * dlab_rng_exponential(&v->pause_rng);
    return schedule(v, (int64_t)first, DLAB_EVENT_PAUSE, 0, NULL);
}

/* The next event of the station; arrivals from outside are last within an instant. */
static inline int one_event(events *v)
{
    dlab_scheduler *s = &v->floor.scheduler;
    dlab_event e;
    if (v->next_arrival < dlab_peek_inline(s)) {
        dlab_advance(s, v->next_arrival, DLAB_EVENT_ARRIVAL, 0);
        return arrive_from_outside(v);
    }
    if (!dlab_next_inline(s, INT64_MAX, &e)) return DLAB_CHECK(&v->ctx->err, v->ctx->err.code != DLAB_OK);
    return handle(v, &e);
}

static int run(events *v)
{
    while (v->started < v->what->jobs || v->measured_present > 0)
        if (dlab_step(v->ctx, 1) || one_event(v) || (v->series != NULL && tell_series(v)))
            return v->ctx->err.code;
    record_latencies(v);
    return v->series != NULL ? dlab_queue_series_close(v->series, v->ctx) : DLAB_OK;
}

int dlab_serve_by_events(const dlab_serve *what, dlab_measure *m, dlab_histogram *latency, dlab_ctx *ctx)
{
    if (dlab_serve_is_plain(what, ctx)) return dlab_serve_plainly(what, m, latency, ctx);
    events *v = dlab_alloc(ctx, 1, sizeof *v);
    if (v == NULL) return ctx->err.code;
    *v = (events){ .what = what, .m = m, .latency = latency, .ctx = ctx };
    m->on = m->skip == 0;
    if (dlab_floor_open(&v->floor, what, ctx) == DLAB_OK && open_events(v) == DLAB_OK) (void)run(v);
    ctx->fingerprint = v->floor.scheduler.fingerprint;
    dlab_scheduler_close(&v->floor.scheduler);
    return ctx->err.code;
}
