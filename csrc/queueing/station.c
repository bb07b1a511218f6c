/* One station: jobs arrive, wait in one line, are served first come first served by one of c equal
 * servers and leave (G/G/c, with a capacity G/G/c/K, where a job that finds K others is lost).
 *
 * Such a station needs no event queue. A job starts when it has arrived and the earliest server is
 * free; with one server that is Lindley's recursion, with c servers Kiefer and Wolfowitz's (Trans. AMS
 * 78, 1955). Start times never decrease, so a full room is recognised by one start time: K or more are
 * present when the job that was accepted K - c acceptances ago has not started yet. All times are whole
 * nanoseconds, so sums are exact and an event simulation on the same draws gives the same answers to
 * the last bit.
 *
 * Limits: open load; independent interarrival and service times; jobs never give up. Lost jobs draw a
 * service time too, so that two capacities see the same jobs. Interarrival and service times are drawn
 * from streams of their own: changing one law never changes the other's draws. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <distlab/model.h>

#include "base/wide.h"
#include "queueing/exact.h"
#include "queueing/queue_series.h"

enum { BLOCK = 512, BATCHES = 32, SERVERS_MAX = 10000 };
enum { JOBS_TABLE, QUEUE_TABLE };

#define BUGS(X)                                                                                         \
    X(NONE, "none", "The station as it should be.", NULL, NULL)                                         \
    X(WARMUP_COUNTED, "warmup_counted",                                                                 \
      "Jobs of the warm-up are measured too, so the empty start pulls "                                 \
      "every mean down.",                                                                               \
      "theory.wait", "arrival_rate=80 jobs=500 warmup_fraction=0.9 reps=4000")                          \
    X(SERVICE_COUNTED_AS_WAIT, "service_counted_as_wait", "The time in service is counted as waiting.", \
      "theory.wait", "arrival_rate=50 jobs=5000 reps=20")

enum {
#define X(code, name, doc, violation, scope) BUG_##code,
    BUGS(X)
#undef X
};
static const char *const bug_names[] = {
#define X(code, name, doc, violation, scope) name,
    BUGS(X)
#undef X
        NULL
};
static const dlab_bug bugs[] = {
#define X(code, name, doc, violation, scope) { name, doc, violation, scope },
    BUGS(X)
#undef X
        { .name = NULL }
};

typedef struct params {
    double arrival_rate;
    dlab_distribution interarrival, service;
    int64_t servers, capacity;
    double deadline;
    int64_t jobs, warmup_jobs;
    double warmup_fraction;
    int32_t bug;
} params;

typedef struct metrics {
    dlab_histogram latency;
    dlab_estimate wait;
    dlab_ratio wait_probability, utilisation, offered, throughput, goodput, success_ratio, loss;
    dlab_ratio queue_length_mean, in_system_mean;
} metrics;

static const dlab_field param_fields[] = {
    DLAB_FIELD(params, arrival_rate, .unit = "1/s", .dflt = 80, .min = 1e-6, .max = 1e7, .low = 5, .high = 99,
               .group = "Load", .doc = "Mean arrivals per second."),
    DLAB_FIELD(params, interarrival, .unit = "s", .text = "exponential(1)", .min = 1e-9, .max = 1e9,
               .low = 0.1, .high = 10, .log_scale = true,
               .doc = "Shape of the time between arrivals, scaled to "
                      "1/arrival_rate: its own mean does not matter."),
    DLAB_FIELD(params, service, .unit = "s", .display = "ms", .text = "exponential(10ms)", .min = 1e-8,
               .max = 1e6, .low = 1e-3, .high = 0.1, .log_scale = true, .group = "Service",
               .doc = "Time one server spends on one job."),
    DLAB_FIELD(params, servers, .dflt = 1, .min = 1, .max = SERVERS_MAX, .low = 1, .high = 16,
               .doc = "Equal servers fed by one line."),
    DLAB_FIELD(params, capacity, .dflt = 0, DLAB_OFF(0), .min = 1, .max = 1e8, .low = 1, .high = 200,
               .log_scale = true,
               .doc = "Jobs that fit, those in service included; one more is lost. None: no "
                      "bound."),
    DLAB_FIELD(
        params, deadline, .unit = "s", .display = "ms", .dflt = INFINITY, DLAB_OFF(INFINITY), .min = 1e-9,
        .max = 1e6, .low = 0.01, .high = 10, .log_scale = true,
        .doc = "A job that leaves later than this after its arrival does not count as goodput; it is served "
               "all the same. None: every job counts."),
    DLAB_FIELD(params, jobs, .dflt = 100000, .min = 1, .max = 1e10, .low = 1000, .high = 1e6,
               .log_scale = true, .group = "Measurement", .doc = "Arrivals after the extra warm-up."),
    DLAB_FIELD(params, warmup_fraction, .dflt = 0.1, .min = 0, .max = 0.99, .low = 0, .high = 0.5,
               .doc = "Share of `jobs` at the start that is simulated but not measured."),
    DLAB_FIELD(params, warmup_jobs, .dflt = 0, .min = 0, .max = 1e10, .low = 0, .high = 20000,
               .doc = "Extra arrivals before `jobs`, simulated but not measured."),
    DLAB_FIELD(params, bug, .choices = bug_names, .group = "Planted bug",
               .doc = "A textbook mistake, on purpose."),
    DLAB_END,
};

static const dlab_field metric_fields[] = {
    DLAB_FIELD(metrics, latency, .unit = "s", .display = "ms", .max = INFINITY,
               .doc = "Time from arrival to departure."),
    DLAB_FIELD(metrics, wait, .unit = "s", .display = "ms", .max = INFINITY,
               .doc = "Mean time from arrival to start of service; its standard error is by batch means."),
    DLAB_FIELD(metrics, wait_probability, .max = 1, .may_be_nan = true,
               .doc = "Share of served jobs that waited."),
    DLAB_FIELD(metrics, utilisation, .max = 1, .may_be_nan = true,
               .doc = "Busy share of server time while the measured jobs arrived."),
    DLAB_FIELD(metrics, offered, .unit = "1/s", .max = INFINITY, .may_be_nan = true,
               .doc = "Arrivals per second, lost ones included."),
    DLAB_FIELD(metrics, throughput, .unit = "1/s", .max = INFINITY, .may_be_nan = true,
               .doc = "Departures per second, between those of the first and the last served job."),
    DLAB_FIELD(metrics, goodput, .unit = "1/s", .max = INFINITY, .may_be_nan = true,
               .doc = "Throughput of jobs that leave within the deadline."),
    DLAB_FIELD(metrics, success_ratio, .max = 1, .may_be_nan = true,
               .doc = "Share of arrivals that leave within the deadline."),
    DLAB_FIELD(metrics, loss, .max = 1, .may_be_nan = true, .doc = "Share of arrivals lost to a full room."),
    DLAB_FIELD(metrics, queue_length_mean, .max = INFINITY, .may_be_nan = true,
               .doc =
                   "Mean number waiting: waiting times of the measured jobs over the time they arrived in."),
    DLAB_FIELD(metrics, in_system_mean, .max = INFINITY, .may_be_nan = true,
               .doc = "Mean number waiting or in service, counted the same way."),
    DLAB_END,
};

/* Output tables. */
typedef struct job_row {
    int64_t job;
    double arrival, start, departure;
    bool lost;
} job_row;

static const dlab_field job_columns[] = {
    DLAB_FIELD(job_row, job, .max = INFINITY, .doc = "Number of the arrival, warm-up included."),
    DLAB_FIELD(job_row, arrival, .unit = "s", .max = INFINITY, .doc = "When it came."),
    DLAB_FIELD(job_row, start, .unit = "s", .max = INFINITY, .may_be_nan = true,
               .doc = "When its service began; NaN if lost."),
    DLAB_FIELD(job_row, departure, .unit = "s", .max = INFINITY, .may_be_nan = true,
               .doc = "When it left; NaN if lost."),
    DLAB_FIELD(job_row, lost, .doc = "Did it find a full room?"),
    DLAB_END,
};
static const dlab_field queue_columns[] = {
    DLAB_FIELD(dlab_queue_change, time, .unit = "s", .max = INFINITY, .doc = "When the numbers changed."),
    DLAB_FIELD(dlab_queue_change, queue_length, .max = INFINITY, .doc = "Jobs waiting from then on."),
    DLAB_FIELD(dlab_queue_change, in_system, .max = INFINITY,
               .doc = "Jobs waiting or in service from then on."),
    DLAB_END,
};
static const dlab_table output_tables[] = {
    { .name = "jobs",
      .doc = "Every job, warm-up included.",
      .columns = job_columns,
      .row_size = sizeof(job_row) },
    { .name = "queue_length",
      .doc = "The number of jobs over time, warm-up included.",
      .columns = queue_columns,
      .row_size = sizeof(dlab_queue_change),
      .series = true },
    { .name = NULL },
};

/* The station while it runs. Times are nanoseconds since the first draw. */
typedef struct station {
    const params *p;
    dlab_ctx *ctx;
    dlab_sampler gaps, services;
    dlab_rng gap_rng, service_rng;
    int64_t gap[BLOCK], work[BLOCK], latency[BLOCK];
    int64_t now;            /* latest arrival */
    int64_t *free_at;       /* one a server; a heap with the earliest on top */
    int64_t *starts;        /* starts of the latest room accepted jobs, a ring; NULL without a capacity */
    int64_t room, accepted; /* room = capacity - servers */
    int64_t deadline;
    dlab_queue_series *series; /* NULL: nobody wants it */
    bool plain;                /* one server, no capacity, nobody listens: the short loop */
    /* measured since `from` */
    bool measuring;
    int64_t from;
    double carried;                          /* s of server time already promised at `from` */
    int64_t first_departure, last_departure; /* of the first and the last served job */
    int64_t arrivals, served, waited, lost, in_time;
    dlab_i128 wait_sum, work_sum;
} station;

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

/* Lindley's recursion over a block whose sums are known to fit (see block_fits). */
static void run_plain(station *s, int n)
{
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
    s->now = now;
    s->free_at[0] = free_at;
    if (!s->measuring) return;
    if (s->served == 0) s->first_departure = s->from + s->gap[0] + s->latency[0];
    s->last_departure = free_at;
    s->arrivals += n;
    s->served += n;
    s->waited += waited;
    s->wait_sum += waits;
    s->work_sum += works;
    if (s->deadline == INT64_MAX) s->in_time += n;
    else
        for (int i = 0; i < n; i++) s->in_time += s->latency[i] <= s->deadline;
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

static int tell(station *s, int64_t job, int64_t start, int64_t departure, bool lost)
{
    const job_row row = { .job = job,
                          .arrival = (double)s->now * 1e-9,
                          .start = lost ? NAN : (double)start * 1e-9,
                          .departure = lost ? NAN : (double)departure * 1e-9,
                          .lost = lost };
    if (dlab_emit(s->ctx, JOBS_TABLE, &row)) return s->ctx->err.code;
    return s->series == NULL || lost ? DLAB_OK
                                     : dlab_queue_series_job(s->series, s->ctx, s->now, start, departure);
}

/* One arrival with every feature; *latency is negative when the job is lost. */
static int run_job(station *s, int64_t job, int64_t gap, int64_t work, int64_t *latency)
{
    int64_t start, departure;
    *latency = -1;
    if (__builtin_add_overflow(s->now, gap, &s->now) || s->now > DLAB_TIME_MAX)
        return dlab_fail(&s->ctx->err, DLAB_ELIMIT, "simulated time passes 146 years at job %lld",
                         (long long)job);
    if (s->measuring) s->arrivals++;
    if (room_is_full(s)) {
        if (s->measuring) s->lost++;
        return tell(s, job, 0, 0, true);
    }
    start = s->now > s->free_at[0] ? s->now : s->free_at[0];
    if (__builtin_add_overflow(start, work, &departure) || departure > DLAB_TIME_MAX)
        return dlab_fail(&s->ctx->err, DLAB_ELIMIT, "simulated time passes 146 years at job %lld",
                         (long long)job);
    replace_earliest(s->free_at, s->p->servers, departure);
    if (s->room > 0) s->starts[s->accepted % s->room] = start;
    s->accepted++;
    *latency = departure - s->now;
    if (s->measuring) {
        if (s->served++ == 0) s->first_departure = departure;
        s->last_departure = departure;
        s->waited += start > s->now;
        s->in_time += *latency <= s->deadline;
        s->wait_sum += start - s->now;
        s->work_sum += work;
    }
    return tell(s, job, start, departure, false);
}

/* Server time promised beyond now. Nothing promised leaves a gap, so all of it will be busy time. */
static double promised(const station *s)
{
    double sum = 0;
    for (int64_t i = 0; i < s->p->servers; i++)
        if (s->free_at[i] > s->now) sum += (double)(s->free_at[i] - s->now) * 1e-9;
    return sum;
}

/* From the next arrival on, everything counts. */
static void start_measuring(station *s)
{
    s->measuring = true;
    s->from = s->now;
    s->carried = promised(s);
}

/* Draw and run the next n <= BLOCK arrivals; job is the number of the first. */
static int run_block(station *s, int64_t job, int n, dlab_histogram *latency)
{
    if (dlab_step(s->ctx, (uint64_t)n)) return s->ctx->err.code;
    dlab_sample_fill_ns(&s->gaps, &s->gap_rng, s->gap, (size_t)n);
    dlab_sample_fill_ns(&s->services, &s->service_rng, s->work, (size_t)n);
    int kept = n;
    if (s->plain && block_fits(s, n)) {
        run_plain(s, n);
    } else {
        kept = 0;
        for (int i = 0; i < n; i++) {
            int64_t one;
            if (run_job(s, job + i, s->gap[i], s->work[i], &one)) return s->ctx->err.code;
            if (one >= 0) s->latency[kept++] = one;
        }
    }
    if (s->measuring) dlab_histogram_record_all(latency, s->latency, (size_t)kept);
    return DLAB_OK;
}

static int open_station(station *s, const params *p, dlab_ctx *ctx)
{
    *s = (station){ .p = p, .ctx = ctx, .room = p->capacity > 0 ? p->capacity - p->servers : 0 };
    s->deadline = isinf(p->deadline) ? INT64_MAX : (int64_t)(p->deadline * 1e9 + 0.5);
    if (dlab_sampler_init(&s->gaps, &p->interarrival, ctx->pool, 1 / p->arrival_rate, &ctx->arena,
                          &ctx->err) ||
        dlab_sampler_init(&s->services, &p->service, ctx->pool, 0, &ctx->arena, &ctx->err))
        return ctx->err.code;
    dlab_stream(ctx, &s->gap_rng, DLAB_PURPOSE_ARRIVAL, 0);
    dlab_stream(ctx, &s->service_rng, DLAB_PURPOSE_SERVICE, 0);
    s->free_at = dlab_alloc(ctx, (size_t)p->servers, sizeof *s->free_at);
    if (s->free_at == NULL) return ctx->err.code;
    if (p->capacity > 0) {
        s->starts = dlab_alloc(ctx, (size_t)(s->room > 0 ? s->room : 1), sizeof *s->starts);
        if (s->starts == NULL) return ctx->err.code;
    }
    if (dlab_wants(ctx, QUEUE_TABLE)) {
        s->series = dlab_queue_series_open(ctx, QUEUE_TABLE);
        if (s->series == NULL) return ctx->err.code;
    }
    s->plain = p->servers == 1 && p->capacity == 0 && ctx->wanted == 0;
    return DLAB_OK;
}

/* Mean wait with a standard error from up to BATCHES batches of consecutive jobs. */
static dlab_estimate wait_estimate(const station *s, const double *batch_mean, int batches)
{
    double mean = 0, squares = 0;
    for (int b = 0; b < batches; b++) mean += batch_mean[b] / batches;
    for (int b = 0; b < batches; b++) squares += (batch_mean[b] - mean) * (batch_mean[b] - mean);
    return (dlab_estimate){ .mean = s->served > 0 ? (double)s->wait_sum * 1e-9 / (double)s->served : 0,
                            .se = batches > 1 ? sqrt(squares / batches / (batches - 1)) : 0,
                            .n = batches > 1 ? batches : 1 };
}

static void fill_metrics(const station *s, metrics *out)
{
    const double arrived_in = (double)(s->now - s->from) * 1e-9;
    const double left_in = (double)(s->last_departure - s->first_departure) * 1e-9;
    const double waits = (double)s->wait_sum * 1e-9, work = (double)s->work_sum * 1e-9;
    const double served = (double)s->served, arrivals = (double)s->arrivals;
    const double after_first = served > 1 && left_in > 0 ? served - 1 : 0; /* departures in that time */
    const double busy = s->carried + work - promised(s);
    out->wait_probability = (dlab_ratio){ (double)s->waited, served };
    const double offered_time = arrived_in * (double)s->p->servers;
    out->utilisation = (dlab_ratio){ fmin(fmax(busy, 0), offered_time), offered_time };
    out->offered = (dlab_ratio){ arrivals, arrived_in };
    out->throughput = (dlab_ratio){ after_first, after_first > 0 ? left_in : 0 };
    out->goodput = (dlab_ratio){ after_first > 0 ? after_first * (double)s->in_time / served : 0,
                                 after_first > 0 ? left_in : 0 };
    out->success_ratio = (dlab_ratio){ (double)s->in_time, arrivals };
    out->loss = (dlab_ratio){ (double)s->lost, arrivals };
    out->queue_length_mean = (dlab_ratio){ waits, arrived_in };
    out->in_system_mean = (dlab_ratio){ waits + work, arrived_in };
}

static int run(const void *params_, void *metrics_, dlab_ctx *ctx)
{
    const params *p = params_;
    metrics *out = metrics_;
    station *s = dlab_alloc(ctx, 1, sizeof *s);
    double batch_mean[BATCHES];
    if (s == NULL || open_station(s, p, ctx) || dlab_histogram_open(&out->latency, &ctx->arena, &ctx->err))
        return ctx->err.code;
    const int64_t total = p->warmup_jobs + p->jobs;
    int64_t skip = p->warmup_jobs + (int64_t)(p->warmup_fraction * (double)p->jobs);
    if (p->bug == BUG_WARMUP_COUNTED) skip = 0;
    const int64_t measured = total - skip;
    const int batches = measured >= 2 * BATCHES ? BATCHES : 1;
    int64_t job = 0;
    for (int b = -1; b < batches; b++) { /* -1: the warm-up */
        const int64_t end = b < 0 ? skip : skip + measured * (b + 1) / batches;
        const dlab_i128 waits = s->wait_sum;
        const int64_t served = s->served;
        while (job < end) {
            const int n = end - job < BLOCK ? (int)(end - job) : BLOCK;
            if (run_block(s, job, n, &out->latency)) return ctx->err.code;
            job += n;
        }
        if (b < 0) start_measuring(s);
        else
            batch_mean[b] =
                (double)(s->wait_sum - waits) * 1e-9 / (double)(s->served > served ? s->served - served : 1);
    }
    if (s->series != NULL && dlab_queue_series_close(s->series, ctx)) return ctx->err.code;
    if (p->bug == BUG_SERVICE_COUNTED_AS_WAIT) s->wait_sum += s->work_sum;
    out->wait = wait_estimate(s, batch_mean, batches);
    fill_metrics(s, out);
    return DLAB_OK;
}

static int check(const void *params_, const dlab_pool *pool, dlab_error *err)
{
    const params *p = params_;
    (void)pool;
    if (p->capacity > 0 && p->capacity < p->servers)
        return dlab_fail(err, DLAB_EINVAL,
                         "capacity = %lld is below servers = %lld: those in service count too",
                         (long long)p->capacity, (long long)p->servers);
    return DLAB_OK;
}

static bool warn(const void *params_, const dlab_pool *pool, char *text, size_t size)
{
    const params *p = params_;
    const double mean = dlab_distribution_mean(&p->service, pool), load = p->arrival_rate * mean;
    if (p->capacity == 0 && load >= (double)p->servers)
        (void)snprintf(text, size,
                       "load %.4g on %lld server%s: no steady state exists, the line grows for ever and "
                       "results depend on how long the run is",
                       load, (long long)p->servers, p->servers == 1 ? "" : "s");
    else if (mean < 1e-6 || p->arrival_rate > 1e6)
        (void)snprintf(text, size,
                       "times are whole nanoseconds: below 1 us rounding exceeds 0.05 %% of a time");
    else return false;
    return true;
}

static double steps(const void *params_, const dlab_pool *pool)
{
    const params *p = params_;
    (void)pool;
    return (double)p->jobs + (double)p->warmup_jobs;
}

static const char *const theory_columns[] = { DLAB_STATION_EXACT_COLUMNS, NULL };

static int theory(const void *params_, double *values, dlab_ctx *ctx)
{
    const params *p = params_;
    const dlab_station_law law = { .arrival_rate = p->arrival_rate,
                                   .interarrival = &p->interarrival,
                                   .service = &p->service,
                                   .servers = p->servers,
                                   .capacity = p->capacity,
                                   .deadline = p->deadline,
                                   .pool = ctx->pool };
    dlab_station_exact(&law, values);
    return DLAB_OK;
}

const dlab_model dlab_queueing_station = {
    .abi = DLAB_ABI,
    .name = "queueing.station",
    .title = "One line, c servers, simulated job by job",
    .doc =
        "Jobs arrive at an open station, wait in one line and are served first come first served by one of c "
        "equal servers (G/G/c, with a capacity G/G/c/K). The exact recursions of Lindley and of Kiefer and "
        "Wolfowitz replace an event queue; every time is a whole number of nanoseconds.",
    .source = "Lindley (Proc. Camb. Phil. Soc. 48, 1952); Kiefer and Wolfowitz (Trans. AMS 78, 1955)",
    .params = param_fields,
    .metrics = metric_fields,
    .params_size = sizeof(params),
    .metrics_size = sizeof(metrics),
    .outputs = output_tables,
    .bugs = bugs,
    .theory_columns = theory_columns,
    .check = check,
    .warn = warn,
    .steps = steps,
    .run = run,
    .theory = theory,
};
