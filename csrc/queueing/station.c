/* One station: jobs arrive, wait in one line, are served by c equal servers and leave (G/G/c, with a
 * capacity G/G/c/K, where a job that finds K others is lost). Who is next, how long jobs are patient,
 * what is dropped, when servers pause and who sends the jobs are parameters.
 *
 * Where first come first served meets arrivals that do not depend on the answers, no event queue is
 * needed: the exact recursion runs, some ten times faster (serve_recursion.c). Everything else is
 * simulated event by event (serve_events.c). Both take the same draws, and `method` can force the slow
 * way to see that they agree.
 *
 * All times are whole nanoseconds. Jobs that are lost draw a service time too, and each kind of draw has
 * a stream of its own, so two stations that differ in one parameter see the same jobs. */
#include <math.h>
#include <stdio.h>

#include "queueing/exact.h"
#include "queueing/serve.h"

enum { SERVERS_MAX = 10000 };

#define BUGS(X)                                                                                         \
    X(NONE, "none", "The station as it should be.", NULL, NULL)                                         \
    X(WARMUP_COUNTED, "warmup_counted",                                                                 \
      "Jobs of the warm-up are measured too, so the empty start pulls every mean down.", "theory.wait", \
      "arrival_rate=80 jobs=500 warmup_fraction=0.9 reps=4000")                                         \
    X(SERVICE_COUNTED_AS_WAIT, "service_counted_as_wait", "The time in service is counted as waiting.", \
      "theory.wait", "arrival_rate=50 jobs=5000 reps=20")

DLAB_DEFINE_BUGS(BUGS);

static const char *const disciplines[] = {
#define X(code, name) name,
    DLAB_DISCIPLINES(X)
#undef X
        NULL
};
static const char *const outcomes[] = {
#define X(code, name) name,
    DLAB_OUTCOMES(X)
#undef X
        NULL
};
enum { METHOD_AUTO, METHOD_RECURSION, METHOD_EVENTS };
static const char *const methods[] = { "auto", "recursion", "events", NULL };
enum { FROM_INTENDED, FROM_SENT };
static const char *const measure_froms[] = { "intended", "sent", NULL };

typedef struct params {
    dlab_workload workload;
    dlab_distribution service;
    int64_t servers, capacity;
    int32_t discipline;
    int64_t lifo_threshold;
    dlab_ref classes;
    double deadline;
    bool drop_late;
    dlab_distribution patience;
    double codel_target, codel_interval;
    dlab_distribution pause;
    double pause_interval;
    int64_t jobs, warmup_jobs;
    double warmup_fraction;
    int32_t measure_from, method, bug;
} params;

typedef dlab_serve_metrics metrics;

static const dlab_field class_columns[] = {
    DLAB_FIELD(dlab_job_class, share, .dflt = 1, .min = 1e-9, .max = 1e9,
               .doc = "Share of the arrivals; "
                      "the shares are made to add up to 1."),
    DLAB_FIELD(dlab_job_class, service, .unit = "s", .display = "ms", .min = 1e-8, .max = 1e6,
               .doc = "Service time of this class; blank: the station's."),
    DLAB_END,
};
static const dlab_table class_table = { .name = "classes",
                                        .doc = "Classes of jobs, the one to serve first on top.",
                                        .columns = class_columns,
                                        .row_size = sizeof(dlab_job_class) };

static const dlab_field param_fields[] = {
    DLAB_GROUP(params, workload, dlab_workload_fields, .group = "Load"),
    DLAB_FIELD(params, service, .unit = "s", .display = "ms", .text = "exponential(10ms)", .min = 1e-8,
               .max = 1e6, .low = 1e-3, .high = 0.1, .log_scale = true, .group = "Service",
               .doc = "Time one server spends on one job."),
    DLAB_FIELD(params, servers, .dflt = 1, .min = 1, .max = SERVERS_MAX, .low = 1, .high = 16,
               .doc = "Equal servers fed by one line."),
    DLAB_FIELD(params, capacity, .dflt = 0, DLAB_OFF(0), .min = 1, .max = 1e8, .low = 1, .high = 200,
               .log_scale = true,
               .doc = "Jobs that fit, those in service included; one more is lost. None: no bound."),
    DLAB_FIELD(params, discipline, .choices = disciplines, .group = "Order", .doc = "Who is served next."),
    DLAB_FIELD(params, lifo_threshold, .dflt = 10, .min = 0, .max = 1e8, .low = 0, .high = 100,
               .doc =
                   "adaptive_lifo: with more than this many waiting the newest goes first, else the oldest."),
    DLAB_FIELD(params, classes, .table = &class_table,
               .doc = "Classes for the priority disciplines; empty: all jobs are of one class."),
    DLAB_FIELD(
        params, deadline, .unit = "s", .display = "ms", .dflt = INFINITY, DLAB_OFF(INFINITY), .min = 1e-9,
        .max = 1e6, .low = 0.01, .high = 10, .log_scale = true, .group = "Patience and drops",
        .doc = "A job that leaves later than this after it was sent is no goodput. None: every job counts."),
    DLAB_FIELD(params, drop_late,
               .doc = "Drop a job whose deadline has passed when its turn comes, unserved."),
    DLAB_FIELD(params, patience, .unit = "s", .display = "ms", .min = 1e-9, .max = 1e6, .low = 0.01,
               .high = 10, .log_scale = true, .optional = true,
               .doc = "How long a job waits for its service to begin before it gives up. None: for ever."),
    DLAB_FIELD(params, codel_target, .unit = "s", .display = "ms", .dflt = INFINITY, DLAB_OFF(INFINITY),
               .min = 1e-6, .max = 1e3, .low = 1e-3, .high = 0.1, .log_scale = true,
               .doc =
                   "CoDel: drop at the head while waits stay above this for codel_interval. None: no CoDel."),
    DLAB_FIELD(params, codel_interval, .unit = "s", .display = "ms", .dflt = 0.1, .min = 1e-6, .max = 1e3,
               .low = 0.01, .high = 1, .log_scale = true,
               .doc = "CoDel: how long waits may stay above the target."),
    DLAB_FIELD(
        params, pause, .unit = "s", .display = "ms", .min = 1e-9, .max = 1e6, .low = 0.01, .high = 10,
        .log_scale = true, .optional = true, .group = "Pauses",
        .doc =
            "Length of a pause of all servers at once (garbage collection); work resumes. None: no pauses."),
    DLAB_FIELD(params, pause_interval, .unit = "s", .dflt = 60, .min = 1e-6, .max = 1e6, .low = 1,
               .high = 600, .log_scale = true,
               .doc = "Mean time from the end of a pause to the next, exponential."),
    DLAB_FIELD(params, jobs, .dflt = 100000, .min = 1, .max = 1e10, .low = 1000, .high = 1e6,
               .log_scale = true, .group = "Measurement", .doc = "Arrivals after the extra warm-up."),
    DLAB_FIELD(params, warmup_fraction, .dflt = 0.1, .min = 0, .max = 0.99, .low = 0, .high = 0.5,
               .doc = "Share of `jobs` at the start that is simulated but not measured."),
    DLAB_FIELD(params, warmup_jobs, .dflt = 0, .min = 0, .max = 1e10, .low = 0, .high = 20000,
               .doc = "Extra arrivals before `jobs`, simulated but not measured."),
    DLAB_FIELD(
        params, measure_from, .choices = measure_froms,
        .doc = "Latency from when a job was meant to be sent, or from when it was: the latter is coordinated "
               "omission where clients are held up (load = paced)."),
    DLAB_FIELD(params, method, .choices = methods,
               .doc = "auto: the exact recursion where there is one, else events; the numbers are the same."),
    DLAB_FIELD(params, bug, .choices = bug_names, .group = "Planted bug",
               .doc = "A textbook mistake, on purpose."),
    DLAB_END,
};

#define RATIO_1 .max = 1, .may_be_nan = true
#define RATE .unit = "1/s", .max = INFINITY, .may_be_nan = true
static const dlab_field metric_fields[] = {
    DLAB_FIELD(metrics, latency, .unit = "s", .display = "ms", .max = INFINITY,
               .doc = "Time from arrival to departure of served jobs."),
    DLAB_FIELD(metrics, wait, .unit = "s", .display = "ms", .max = INFINITY, .may_be_nan = true,
               .doc = "Mean time not in service of served jobs; its standard error is by batch means."),
    DLAB_FIELD(metrics, wait_probability, RATIO_1, .doc = "Share of served jobs that waited."),
    DLAB_FIELD(metrics, utilisation, RATIO_1,
               .doc = "Busy share of server time while the measured jobs arrived."),
    DLAB_FIELD(metrics, offered, RATE, .doc = "Arrivals per second, lost ones included."),
    DLAB_FIELD(metrics, throughput, RATE,
               .doc = "Departures per second while the measured jobs arrived; where the recursion applies, "
                      "between those of the first and the last served job."),
    DLAB_FIELD(metrics, goodput, RATE, .doc = "Throughput of jobs that leave within the deadline."),
    DLAB_FIELD(metrics, success_ratio, RATIO_1, .doc = "Share of arrivals that leave within the deadline."),
    DLAB_FIELD(metrics, loss, RATIO_1, .doc = "Share of arrivals lost to a full room."),
    DLAB_FIELD(metrics, abandonment, RATIO_1, .doc = "Share of arrivals that gave up waiting."),
    DLAB_FIELD(metrics, drop_ratio, RATIO_1, .doc = "Share of arrivals dropped when their turn came."),
    DLAB_FIELD(
        metrics, queue_length_mean, .max = INFINITY, .may_be_nan = true,
        .doc = "Mean number waiting: waits of the served jobs over the time the measured ones arrived in."),
    DLAB_FIELD(metrics, in_system_mean, .max = INFINITY, .may_be_nan = true,
               .doc = "Mean number waiting or in service, counted the same way."),
    DLAB_END,
};

static const dlab_field job_columns[] = {
    DLAB_FIELD(dlab_served_job, job, .max = INFINITY, .doc = "Number of the arrival, warm-up included."),
    DLAB_FIELD(dlab_served_job, priority, .max = DLAB_CLASSES_MAX,
               .doc = "Row of its class, 0 without classes."),
    DLAB_FIELD(dlab_served_job, arrival, .unit = "s", .max = INFINITY, .doc = "When it came."),
    DLAB_FIELD(dlab_served_job, start, .unit = "s", .max = INFINITY, .may_be_nan = true,
               .doc = "When its service first began; NaN if it never did."),
    DLAB_FIELD(dlab_served_job, departure, .unit = "s", .max = INFINITY, .may_be_nan = true,
               .doc = "When it left; NaN if lost."),
    DLAB_FIELD(dlab_served_job, outcome, .choices = outcomes, .doc = "How it left."),
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
    /* in the order of DLAB_JOBS_TABLE, DLAB_QUEUE_TABLE */
    { .name = "jobs",
      .doc = "Every job that left, warm-up included.",
      .columns = job_columns,
      .row_size = sizeof(dlab_served_job) },
    { .name = "queue_length",
      .doc = "The number of jobs over time, warm-up included.",
      .columns = queue_columns,
      .row_size = sizeof(dlab_queue_change),
      .series = true },
    { .name = NULL },
};

static dlab_serve serve_of(const params *p)
{
    dlab_serve s = { .workload = p->workload,
                     .service = p->service,
                     .patience = p->patience,
                     .pause = p->pause,
                     .servers = p->servers,
                     .capacity = p->capacity,
                     .discipline = p->discipline,
                     .lifo_threshold = p->lifo_threshold,
                     .deadline = p->deadline,
                     .drop_late = p->drop_late,
                     .codel_target = p->codel_target,
                     .codel_interval = p->codel_interval,
                     .pause_interval = p->pause_interval,
                     .from_intended = p->measure_from == FROM_INTENDED,
                     .jobs = p->warmup_jobs + p->jobs,
                     .class_count = p->classes.count };
    s.skip =
        p->bug == BUG_WARMUP_COUNTED ? 0 : p->warmup_jobs + (int64_t)(p->warmup_fraction * (double)p->jobs);
    return s;
}

static int run(const void *params_, void *metrics_, dlab_ctx *ctx)
{
    const params *p = params_;
    metrics *out = metrics_;
    dlab_serve what = serve_of(p);
    dlab_measure measure;
    what.classes = dlab_table_rows(ctx, &class_table, p->classes, &what.class_count);
    if (ctx->err.code || dlab_histogram_open(&out->latency, &ctx->arena, &ctx->err)) return ctx->err.code;
    dlab_measure_open(&measure, &what);
    const bool recursion = p->method != METHOD_EVENTS && dlab_serve_is_recursive(&what);
    if (recursion ? dlab_serve_by_recursion(&what, &measure, &out->latency, ctx)
                  : dlab_serve_by_events(&what, &measure, &out->latency, ctx))
        return ctx->err.code;
    dlab_measure_close(&measure, p->servers, p->bug == BUG_SERVICE_COUNTED_AS_WAIT, out);
    return DLAB_OK;
}

static int check(const void *params_, const dlab_pool *pool, dlab_error *err)
{
    const params *p = params_;
    const dlab_serve what = serve_of(p);
    const bool by_class =
        p->discipline == DLAB_DISCIPLINE_PRIORITY || p->discipline == DLAB_DISCIPLINE_PRIORITY_PREEMPTIVE;
    if (p->capacity > 0 && p->capacity < p->servers)
        return dlab_fail(err, DLAB_EINVAL,
                         "capacity = %lld is below servers = %lld: those in service count too",
                         (long long)p->capacity, (long long)p->servers);
    if (p->method == METHOD_RECURSION && !dlab_serve_is_recursive(&what))
        return dlab_fail(err, DLAB_EINVAL,
                         "method = recursion covers fifo under open load without patience, drops, "
                         "pauses and classes; use auto or events");
    if (p->classes.count > DLAB_CLASSES_MAX)
        return dlab_fail(err, DLAB_ERANGE, "classes has %u rows; at most %d", p->classes.count,
                         DLAB_CLASSES_MAX);
    if (by_class && p->classes.count == 0)
        return dlab_fail(err, DLAB_EINVAL, "discipline = %s needs the table classes",
                         disciplines[p->discipline]);
    if (p->drop_late && isinf(p->deadline)) return dlab_fail(err, DLAB_EINVAL, "drop_late needs a deadline");
    if (p->discipline == DLAB_DISCIPLINE_PS &&
        (p->patience.kind >= 0 || p->drop_late || !isinf(p->codel_target)))
        return dlab_fail(err, DLAB_EINVAL,
                         "nobody waits under ps: patience, drop_late and codel_target have no "
                         "meaning there");
    return dlab_workload_check(&p->workload, pool, err);
}

/* Mean service time over the classes, by their shares; a blank service is the station's. */
static double mean_service(const params *p, const dlab_pool *pool)
{
    const double mean = dlab_distribution_mean(&p->service, pool);
    double sum = 0, shares = 0;
    if (p->classes.count == 0 || p->classes.table >= pool->count) return mean;
    const dlab_job_class *classes = pool->tables[p->classes.table].rows;
    for (uint32_t c = p->classes.first; c < p->classes.first + p->classes.count; c++) {
        const dlab_distribution *own = &classes[c].service;
        sum += classes[c].share * (own->kind < 0 ? mean : dlab_distribution_mean(own, pool));
        shares += classes[c].share;
    }
    return shares > 0 ? sum / shares : mean;
}

static bool warn(const void *params_, const dlab_pool *pool, char *text, size_t size)
{
    const params *p = params_;
    const double mean = mean_service(p, pool);
    const double jobs = p->workload.load == DLAB_LOAD_PARTLY_OPEN ? p->workload.session_jobs : 1;
    const double paused = p->pause.kind >= 0 ? dlab_distribution_mean(&p->pause, pool) : 0;
    const double working = p->pause_interval / (p->pause_interval + paused); /* share of time */
    const double load = dlab_workload_mean_rate(&p->workload) * jobs * mean / working;
    const bool bounded = p->capacity > 0 || p->patience.kind >= 0 || p->drop_late ||
                         !isinf(p->codel_target) || p->workload.load == DLAB_LOAD_CLOSED;
    if (!bounded && load >= (double)p->servers)
        (void)snprintf(text, size,
                       "load %.4g on %lld server%s: no steady state exists, the line grows for ever and "
                       "results depend on how long the run is",
                       load, (long long)p->servers, p->servers == 1 ? "" : "s");
    else if (mean < 1e-6 || p->workload.arrival_rate > 1e6)
        (void)snprintf(text, size,
                       "times are whole nanoseconds: below 1 us rounding exceeds 0.05 %% of a time");
    else return false;
    return true;
}

static double steps(const void *params_, const dlab_pool *pool)
{
    const params *p = params_;
    const dlab_serve what = serve_of(p);
    const bool recursion = p->method != METHOD_EVENTS && dlab_serve_is_recursive(&what);
    (void)pool;
    return (recursion ? 1 : 2) * (double)what.jobs; /* an arrival and a departure each */
}

static const char *const theory_columns[] = { DLAB_STATION_EXACT_COLUMNS, NULL };

static int theory(const void *params_, double *values, dlab_ctx *ctx)
{
    const params *p = params_;
    const dlab_serve what = serve_of(p);
    dlab_station_exact(&what, ctx->pool, values);
    return DLAB_OK;
}

const dlab_model dlab_queueing_station = {
    .abi = DLAB_ABI,
    .name = "queueing.station",
    .title = "One line, c servers, simulated job by job",
    .doc = "Jobs come from an open, closed, partly open or paced load, wait in one line and are served by c "
           "equal "
           "servers in the order of a discipline (G/G/c, with a capacity G/G/c/K), with deadlines, patience, "
           "CoDel and "
           "pauses. Where an exact recursion exists it replaces the events, with the same numbers.",
    .source = "Kleinrock, Queueing Systems; Lindley (Proc. Camb. Phil. Soc. 48, 1952); Kiefer and Wolfowitz "
              "(Trans. "
              "AMS 78, 1955); Nichols and Jacobson (RFC 8289) for CoDel",
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
