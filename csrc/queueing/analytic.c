/* Queueing systems by formula: what the simulated station is held against, and what a designer asks first.
 *
 * The Markov systems (mm1, mmc, mmck, mm1_lifo) are exact in everything: means, states, laws of waits and
 * latencies. Loss systems (mgcc, mginf), processor sharing and M/G/1 know the service by its mean and scv;
 * where more is needed (latency of a loss system, SRPT, GI/M/1) the law is the usual one of those two
 * numbers: constant at 0, gamma below 1, exponential at 1, hyperexponential with balanced means above. ggc is
 * an approximation, and batch_service is one between constant and exponential service of a batch; all else is
 * exact. A column that no theory knows is NaN, and a load without a steady state has infinite waits.
 *
 * Limits: one station, Poisson arrivals but for gim1 and ggc, independent services, no retries. The closed
 * forms and their sources are in distlab/closed_forms.h. */
#include <math.h>
#include <stdio.h>

#include "queueing/systems.h"

enum { SERVERS_MAX = 10000, CLASSES_MAX = 16, STATES_MAX = 1000 };
enum { STATES_TABLE, CLASSES_TABLE };

#define BUGS(X)                                                                                          \
    X(NONE, "none", "The formulas as they should be.", NULL, NULL)                                       \
    X(ERLANG_B_FOR_C, "erlang_b_for_c",                                                                  \
      "Erlang's loss formula where the delay formula belongs: as if those who wait went away, so waits " \
      "come out too short (mm1, mmc).",                                                                  \
      "theory.wait", "system=mmc servers=5 arrival_rate=400")

DLAB_DEFINE_BUGS(BUGS);

static const char *const system_names[] = {
#define X(code, name, uses) name,
    DLAB_SYSTEMS(X)
#undef X
        NULL
};
typedef struct params {
    int32_t system;
    double arrival_rate, service_rate;
    int64_t servers, capacity;
    double scv_arrival, scv_service;
    int64_t batch;
    double batch_overhead, patience_mean;
    dlab_ref classes;
    double deadline;
    int64_t state;
    double job_size, elapsed, target, relative_error;
    int32_t bug;
} params;

typedef struct metrics {
    double latency_mean, latency_p50, latency_p90, latency_p95, latency_p99, latency_p999;
    double wait, wait_p50, wait_p90, wait_p95, wait_p99, wait_p999;
    double wait_probability, wait_within, latency_within, utilisation, offered_load, offered, throughput,
        goodput;
    double success_ratio, loss, abandonment, queue_length_mean, in_system_mean, state_probability;
    double latency_of_size, wait_bound, wait_probability_limit, load_at_target, servers_at_target;
    double in_system_after, empty_after, busy_period_mean, in_system_variance_rate, run_time;
} metrics;

typedef struct class_row {
    double share, service_rate, scv_service;
} class_row;

static const dlab_field class_columns[] = {
    DLAB_FIELD(class_row, share, .dflt = 1, .min = 1e-9, .max = 1e9,
               .doc = "Share of the arrivals; the shares are made to add up to 1."),
    DLAB_FIELD(class_row, service_rate, .unit = "1/s", .dflt = NAN, .min = 1e-6, .max = 1e9,
               .doc = "Services per second of this class; blank: the parameter."),
    DLAB_FIELD(class_row, scv_service, .dflt = NAN, .min = 0, .max = 1000,
               .doc = "Squared coefficient of variation of its service time; blank: the parameter."),
    DLAB_END,
};
static const dlab_table class_table = { .name = "classes",
                                        .doc = "Classes of jobs, the one to serve first on top.",
                                        .columns = class_columns,
                                        .row_size = sizeof(class_row) };

static const dlab_field param_fields[] = {
    DLAB_FIELD(params, system, .choices = system_names, .group = "System",
               .doc = "Arrivals, service, servers and order: Markov (M), general (G), constant (D)."),
    DLAB_FIELD(params, arrival_rate, .unit = "1/s", .dflt = 80, .min = 1e-6, .max = 1e7, .low = 5, .high = 99,
               .doc = "Mean arrivals per second, of all jobs."),
    DLAB_FIELD(params, service_rate, .unit = "1/s", .dflt = 100, .min = 1e-6, .max = 1e9, .low = 10,
               .high = 1000, .log_scale = true, .doc = "Jobs per second one busy server completes."),
    DLAB_FIELD(params, servers, .dflt = 1, .min = 1, .max = SERVERS_MAX, .low = 1, .high = 16,
               .doc = "Equal servers fed by one line (mmc, mmck, mmc_patience, mgcc, mdc, ggc)."),
    DLAB_FIELD(params, capacity, .dflt = 0, DLAB_OFF(0), .min = 1, .max = 1e8, .low = 1, .high = 200,
               .log_scale = true,
               .doc =
                   "Jobs that fit, those in service included (mmck, md1; md1 at most 1e6). None: no bound."),
    DLAB_FIELD(params, scv_arrival, .dflt = 1, .min = 0, .max = 1000, .low = 0, .high = 4,
               .doc = "Squared coefficient of variation of the time between arrivals (gim1, ggc)."),
    DLAB_FIELD(params, scv_service, .dflt = 1, .min = 0, .max = 1000, .low = 0, .high = 4,
               .doc =
                   "Squared coefficient of variation of the service time, where the system is not Markov."),
    DLAB_FIELD(params, batch, .dflt = 1, .min = 1, .max = 10000, .low = 1, .high = 64, .log_scale = true,
               .group = "Batches",
               .doc = "Jobs that arrive together, or that are gathered and served together."),
    DLAB_FIELD(params, batch_overhead, .unit = "s", .display = "ms", .dflt = 0, .min = 0, .max = 1e6,
               .low = 0, .high = 0.01,
               .doc = "Fixed time a batch costs on top of its jobs' services (batch_service)."),
    DLAB_FIELD(
        params, patience_mean, .unit = "s", .display = "ms", .dflt = INFINITY, DLAB_OFF(INFINITY),
        .min = 1e-9, .max = 1e6, .low = 0.01, .high = 10, .log_scale = true, .group = "Order and patience",
        .doc = "Mean of the exponential time a job waits before it gives up (mmc_patience). None: for ever."),
    DLAB_FIELD(params, classes, .table = &class_table,
               .doc =
                   "Classes for the priority systems, most urgent first; empty: all jobs are of one class."),
    DLAB_FIELD(params, deadline, .unit = "s", .display = "ms", .dflt = INFINITY, DLAB_OFF(INFINITY),
               .min = 1e-9, .max = 1e6, .low = 0.01, .high = 10, .log_scale = true, .group = "Questions",
               .doc = "Limit for wait_within, latency_within and goodput. None: every job counts."),
    DLAB_FIELD(params, state, .dflt = 0, .min = 0, .max = 1e8, .low = 0, .high = 50,
               .doc = "Number of jobs whose probability is asked for."),
    DLAB_FIELD(params, job_size, .unit = "s", .display = "ms", .dflt = INFINITY, DLAB_OFF(INFINITY),
               .min = 1e-9, .max = 1e6, .low = 1e-3, .high = 1, .log_scale = true,
               .doc = "Service a job needs whose mean latency is asked for. None: not asked."),
    DLAB_FIELD(
        params, elapsed, .unit = "s", .dflt = INFINITY, DLAB_OFF(INFINITY), .min = 0, .max = 1e6, .low = 0.01,
        .high = 100, .log_scale = true,
        .doc = "Time since the system was empty, for in_system_after and empty_after (mm1). None: for ever."),
    DLAB_FIELD(
        params, target, .dflt = 0.01, .min = 1e-12, .max = 0.999, .low = 1e-4, .high = 0.5, .log_scale = true,
        .doc = "Loss (mgcc) or probability of waiting (mm1, mmc) for load_at_target and servers_at_target."),
    DLAB_FIELD(params, relative_error, .dflt = 0.01, .min = 1e-6, .max = 1, .low = 1e-3, .high = 0.1,
               .log_scale = true,
               .doc = "Half width of the 95 % interval for run_time, as a share of the mean (mm1)."),
    DLAB_FIELD(params, bug, .choices = bug_names, .group = "Planted bug",
               .doc = "A textbook mistake, on purpose."),
    DLAB_END,
};

#define TIME .unit = "s", .display = "ms", .max = INFINITY, .may_be_nan = true
#define RATE .unit = "1/s", .max = INFINITY, .may_be_nan = true
#define SHARE .max = 1, .may_be_nan = true
#define NUMBER .max = INFINITY, .may_be_nan = true
static const dlab_field metric_fields[] = {
    DLAB_FIELD(metrics, latency_mean, TIME, .doc = "Mean time from arrival to departure of accepted jobs."),
    DLAB_FIELD(metrics, latency_p50, TIME, .doc = "Median latency."),
    DLAB_FIELD(metrics, latency_p90, TIME, .doc = "90 % of latencies are at most this."),
    DLAB_FIELD(metrics, latency_p95, TIME, .doc = "95 % of latencies are at most this."),
    DLAB_FIELD(metrics, latency_p99, TIME, .doc = "99 % of latencies are at most this."),
    DLAB_FIELD(metrics, latency_p999, TIME, .doc = "99.9 % of latencies are at most this."),
    DLAB_FIELD(metrics, wait, TIME, .doc = "Mean time not in service of accepted jobs."),
    DLAB_FIELD(metrics, wait_p50, TIME, .doc = "Median wait."),
    DLAB_FIELD(metrics, wait_p90, TIME, .doc = "90 % of waits are at most this."),
    DLAB_FIELD(metrics, wait_p95, TIME, .doc = "95 % of waits are at most this."),
    DLAB_FIELD(metrics, wait_p99, TIME, .doc = "99 % of waits are at most this."),
    DLAB_FIELD(metrics, wait_p999, TIME, .doc = "99.9 % of waits are at most this."),
    DLAB_FIELD(metrics, wait_probability, SHARE, .doc = "Share of accepted jobs that wait (gim1: sigma)."),
    DLAB_FIELD(metrics, wait_within, SHARE, .doc = "Share of accepted jobs that wait at most the deadline."),
    DLAB_FIELD(metrics, latency_within, SHARE,
               .doc = "Share of accepted jobs that leave within the deadline."),
    DLAB_FIELD(metrics, utilisation, SHARE, .doc = "Busy share of the servers' time."),
    DLAB_FIELD(metrics, offered_load, NUMBER,
               .doc = "Offered load in Erlang: servers the arrivals would keep busy."),
    DLAB_FIELD(metrics, offered, RATE, .doc = "Arrivals per second, lost ones included."),
    DLAB_FIELD(metrics, throughput, RATE, .doc = "Departures per second."),
    DLAB_FIELD(metrics, goodput, RATE,
               .doc = "Departures per second of jobs that leave within the deadline."),
    DLAB_FIELD(metrics, success_ratio, SHARE, .doc = "Share of arrivals that leave within the deadline."),
    DLAB_FIELD(metrics, loss, SHARE, .doc = "Share of arrivals lost to a full room."),
    DLAB_FIELD(metrics, abandonment, SHARE, .doc = "Share of arrivals that give up waiting."),
    DLAB_FIELD(metrics, queue_length_mean, NUMBER, .doc = "Mean number waiting."),
    DLAB_FIELD(metrics, in_system_mean, NUMBER, .doc = "Mean number waiting or in service."),
    DLAB_FIELD(metrics, state_probability, SHARE,
               .doc = "Probability of exactly `state` jobs in the system."),
    DLAB_FIELD(metrics, latency_of_size, TIME,
               .doc = "Mean latency of a job that needs `job_size` of service."),
    DLAB_FIELD(metrics, wait_bound, TIME,
               .doc = "Kingman's upper bound of the mean wait (one server, in order)."),
    DLAB_FIELD(metrics, wait_probability_limit, SHARE,
               .doc = "Halfin and Whitt's limit of wait_probability for many servers (mmc)."),
    DLAB_FIELD(metrics, load_at_target, NUMBER,
               .doc = "Load in Erlang at which these servers reach the target."),
    DLAB_FIELD(metrics, servers_at_target, NUMBER,
               .doc = "Fewest servers that keep this load within the target."),
    DLAB_FIELD(metrics, in_system_after, NUMBER,
               .doc = "Mean number in the system `elapsed` after it was empty."),
    DLAB_FIELD(metrics, empty_after, SHARE, .doc = "Probability that it is empty then."),
    DLAB_FIELD(metrics, busy_period_mean, TIME,
               .doc = "Mean time from a first arrival until empty again (mm1)."),
    DLAB_FIELD(metrics, in_system_variance_rate, .unit = "s", .max = INFINITY, .may_be_nan = true,
               .doc =
                   "Variance of the average number in the system over a long time, times that time (mm1)."),
    DLAB_FIELD(metrics, run_time, .unit = "s", .max = INFINITY, .may_be_nan = true,
               .doc = "Simulated time that brings the mean number in the system to relative_error (mm1)."),
    DLAB_END,
};

typedef struct state_row {
    int64_t n;
    double probability;
} state_row;
typedef struct class_result {
    int64_t priority;
    double arrival_rate, utilisation, wait, latency;
} class_result;

static const dlab_field state_columns[] = {
    DLAB_FIELD(state_row, n, .max = INFINITY, .doc = "Jobs in the system."),
    DLAB_FIELD(state_row, probability, .max = 1, .doc = "Share of time with exactly that many."),
    DLAB_END,
};
static const dlab_field class_result_columns[] = {
    DLAB_FIELD(class_result, priority, .max = CLASSES_MAX, .doc = "Row of the class, 0 the most urgent."),
    DLAB_FIELD(class_result, arrival_rate, .unit = "1/s", .max = INFINITY, .doc = "Its arrivals per second."),
    DLAB_FIELD(class_result, utilisation, .max = INFINITY,
               .doc = "Work it brings, as a share of the server."),
    DLAB_FIELD(class_result, wait, TIME, .doc = "Its mean time not in service."),
    DLAB_FIELD(class_result, latency, TIME, .doc = "Its mean time from arrival to departure."),
    DLAB_END,
};
static const dlab_table output_tables[] = {
    { .name = "states",
      .doc = "Probabilities of the first 1000 numbers of jobs, as far as they differ from 0.",
      .columns = state_columns,
      .row_size = sizeof(state_row) },
    { .name = "class_latency",
      .doc = "Waits and latencies of the priority classes.",
      .columns = class_result_columns,
      .row_size = sizeof(class_result) },
    { .name = NULL },
};

static dlab_system system_of(const params *p)
{
    return (dlab_system){ .kind = p->system,
                          .arrival_rate = p->arrival_rate,
                          .service_rate = p->service_rate,
                          .servers = p->servers,
                          .capacity = p->capacity,
                          .scv_arrival = p->scv_arrival,
                          .scv_service = p->scv_service,
                          .batch = p->batch,
                          .batch_overhead = p->batch_overhead,
                          .patience = p->patience_mean };
}

static bool by_class(const params *p)
{
    return p->system == DLAB_SYSTEM_PRIORITY || p->system == DLAB_SYSTEM_PRIORITY_PREEMPTIVE;
}

/* The rows of the table as classes; without a table one class has all jobs. */
static size_t read_classes(const params *p, dlab_ctx *ctx, dlab_priority_class *classes)
{
    size_t n;
    double shares = 0;
    const class_row alone = { 1, p->service_rate, p->scv_service };
    const class_row *rows = dlab_table_rows(ctx, &class_table, p->classes, &n);
    if (ctx->err.code) return 0;
    if (rows == NULL) rows = &alone, n = 1;
    for (size_t i = 0; i < n; i++) shares += rows[i].share;
    for (size_t i = 0; i < n; i++)
        classes[i] = (dlab_priority_class){ .arrival_rate = p->arrival_rate * (rows[i].share / shares),
                                            .service = { 1 / rows[i].service_rate, rows[i].scv_service } };
    return n;
}

static int tell_classes(const dlab_priority_class *c, size_t n, dlab_ctx *ctx)
{
    for (size_t i = 0; i < n && dlab_wants(ctx, CLASSES_TABLE); i++) {
        const class_result row = { (int64_t)i, c[i].arrival_rate, c[i].arrival_rate * c[i].service.mean,
                                   c[i].wait, c[i].latency };
        if (dlab_emit(ctx, CLASSES_TABLE, &row)) return ctx->err.code;
    }
    return DLAB_OK;
}

static int tell_states(const dlab_system *s, dlab_ctx *ctx)
{
    double left = 1;
    for (int64_t n = 0; n < STATES_MAX && left > 1e-15 && dlab_wants(ctx, STATES_TABLE); n++) {
        const state_row row = { n, dlab_system_state(s, n) };
        if (isnan(row.probability)) return DLAB_OK;
        left -= row.probability;
        if (dlab_step(ctx, 10 + (uint64_t)s->servers / 300) || dlab_emit(ctx, STATES_TABLE, &row))
            return ctx->err.code;
    }
    return DLAB_OK;
}

/* One quantile: that of a room sums a few Poisson widths of departures some ten times over. */
static double quantile_cost(const params *p)
{
    const bool room = p->system == DLAB_SYSTEM_MMCK && p->capacity > 0;
    return (double)p->servers / 200 + (room ? 6 * sqrt((double)p->capacity) : 0) +
           (p->system == DLAB_SYSTEM_MM1_LIFO ? 100 : 5);
}

/* Everything that is not a quantile. */
static double base_cost(const params *p)
{
    return 20 + (double)p->servers / 5 + (p->system == DLAB_SYSTEM_MG1_SRPT ? 2000 : 0) +
           (p->system == DLAB_SYSTEM_MD1 ? (double)p->capacity / 200 : 0);
}

static void fill_means(const params *p, const dlab_queue *q, metrics *out)
{
    const bool patient = p->system == DLAB_SYSTEM_MMC_PATIENCE;
    out->latency_mean = q->latency;
    out->wait = q->wait;
    out->wait_probability = q->wait_probability;
    out->utilisation = q->utilisation;
    out->offered = p->arrival_rate;
    out->throughput = q->throughput;
    out->loss = patient ? 0 : q->loss;
    out->abandonment = patient ? q->loss : 0;
    out->queue_length_mean = q->queue_length;
    out->in_system_mean = q->in_system;
}

static int fill_laws(const params *p, const dlab_system *s, const dlab_queue *q, metrics *out, dlab_ctx *ctx)
{
    const double levels[] = { 0.5, 0.9, 0.95, 0.99, 0.999 };
    double *const latency[] = { &out->latency_p50, &out->latency_p90, &out->latency_p95, &out->latency_p99,
                                &out->latency_p999 };
    double *const wait[] = { &out->wait_p50, &out->wait_p90, &out->wait_p95, &out->wait_p99,
                             &out->wait_p999 };
    for (int i = 0; i < 5; i++) {
        if (dlab_step(ctx, 2 * (uint64_t)quantile_cost(p))) return ctx->err.code;
        *latency[i] = dlab_system_latency_quantile(s, levels[i]);
        *wait[i] = dlab_system_wait_quantile(s, levels[i]);
    }
    const bool always = isinf(p->deadline);
    out->wait_within = always ? 1 : 1 - dlab_system_wait_tail(s, p->deadline);
    out->latency_within = always ? 1 : dlab_system_latency_cdf(s, p->deadline);
    /* Overloaded last come first served: those who ever leave are the departures. */
    out->goodput =
        always ? q->throughput : (q->loss == 0 ? p->arrival_rate : q->throughput) * out->latency_within;
    /* Rates that went through their reciprocals may be an ulp above. */
    out->success_ratio = out->goodput > p->arrival_rate ? 1 : out->goodput / p->arrival_rate;
    return DLAB_OK;
}

static void fill_questions(const params *p, const dlab_system *s, metrics *out)
{
    const double lambda = p->arrival_rate, mu = p->service_rate;
    const bool markov = p->system == DLAB_SYSTEM_MM1 || p->system == DLAB_SYSTEM_MMC;
    const bool single = p->system == DLAB_SYSTEM_MM1, full = p->system == DLAB_SYSTEM_MGCC;
    out->state_probability = dlab_system_state(s, p->state);
    out->latency_of_size = isinf(p->job_size) ? NAN : dlab_system_latency_of_size(s, p->job_size);
    out->wait_bound = dlab_system_wait_bound(s);
    const double c = (double)p->servers, beta = (1 - lambda / (c * mu)) * sqrt(c);
    out->wait_probability_limit = markov ? dlab_halfin_whitt(fmax(beta, 0)) : NAN;
    out->load_at_target = full     ? dlab_erlang_b_load(p->servers, p->target)
                          : markov ? dlab_erlang_c_load(p->servers, p->target)
                                   : NAN;
    int64_t fewest = -1;
    if (full) fewest = dlab_erlang_b_servers(lambda / mu, p->target);
    else if (markov && lambda / mu < 1e6) fewest = dlab_erlang_c_servers(lambda / mu, p->target);
    out->servers_at_target = fewest >= 0 ? (double)fewest : NAN;
    out->in_system_after = single ? dlab_mm1_in_system_after(lambda, mu, p->elapsed) : NAN;
    out->empty_after = single ? dlab_mm1_empty_after(lambda, mu, p->elapsed) : NAN;
    out->busy_period_mean = single ? dlab_mm1_busy_mean(lambda, mu) : NAN;
    out->in_system_variance_rate = single ? dlab_mm1_asymptotic_variance(lambda, mu) : NAN;
    out->run_time = single ? dlab_mm1_run_time(lambda, mu, p->relative_error, 0.95) : NAN;
}

/* The planted bug: the loss formula's number everywhere the delay formula's belongs. */
static void mistake_loss_for_delay(const params *p, metrics *out)
{
    const double c = (double)p->servers, spare = c * p->service_rate - p->arrival_rate;
    if ((p->system != DLAB_SYSTEM_MM1 && p->system != DLAB_SYSTEM_MMC) || !(spare > 0)) return;
    out->wait_probability = dlab_erlang_b(p->servers, p->arrival_rate / p->service_rate);
    out->wait = out->wait_probability / spare;
    out->latency_mean = out->wait + 1 / p->service_rate;
    out->queue_length_mean = p->arrival_rate * out->wait;
    out->in_system_mean = p->arrival_rate * out->latency_mean;
}

static int run(const void *params_, void *metrics_, dlab_ctx *ctx)
{
    const params *p = params_;
    metrics *out = metrics_;
    const dlab_system s = system_of(p);
    dlab_priority_class classes[CLASSES_MAX];
    dlab_queue q;
    if (dlab_step(ctx, (uint64_t)base_cost(p))) return ctx->err.code;
    out->offered_load = p->arrival_rate / p->service_rate;
    if (by_class(p)) {
        const size_t n = read_classes(p, ctx, classes);
        if (n == 0) return ctx->err.code;
        q = dlab_system_priorities(&s, classes, n);
        if (tell_classes(classes, n, ctx)) return ctx->err.code;
        out->offered_load = 0;
        for (size_t i = 0; i < n; i++) out->offered_load += classes[i].arrival_rate * classes[i].service.mean;
    } else {
        q = dlab_system_queue(&s);
    }
    fill_means(p, &q, out);
    if (fill_laws(p, &s, &q, out, ctx)) return ctx->err.code;
    fill_questions(p, &s, out);
    if (p->bug == BUG_ERLANG_B_FOR_C) mistake_loss_for_delay(p, out);
    return tell_states(&s, ctx);
}

static int check(const void *params_, const dlab_pool *pool, dlab_error *err)
{
    const params *p = params_;
    (void)pool;
    const dlab_system system = system_of(p);
    if (dlab_system_check(&system, p->classes.count, err)) return err->code;
    if (p->classes.count > CLASSES_MAX)
        return dlab_fail(err, DLAB_ERANGE, "classes has %u rows; at most %d", p->classes.count, CLASSES_MAX);
    return DLAB_OK;
}

static bool warn(const void *params_, const dlab_pool *pool, char *text, size_t size)
{
    const params *p = params_;
    const dlab_system s = system_of(p);
    (void)pool;
    if (by_class(p)) return false; /* an overloaded class is told by its infinite wait */
    const dlab_queue q = dlab_system_queue(&s);
    if (!isinf(q.latency)) return false;
    (void)snprintf(text, size, "load %.4g on %lld server%s: no steady state exists, waits are infinite",
                   p->arrival_rate / p->service_rate, (long long)p->servers, p->servers == 1 ? "" : "s");
    return true;
}

static double steps(const void *params_, const dlab_pool *pool)
{
    (void)pool;
    return floor(base_cost(params_)) + 10 * floor(quantile_cost(params_));
}

static const char *const theory_columns[] = {
    "wait",           "latency_mean", "wait_probability", "queue_length_mean",
    "in_system_mean", "throughput",   "utilisation",      NULL
};

static int theory(const void *params_, double *values, dlab_ctx *ctx)
{
    const dlab_system s = system_of(params_);
    dlab_queue q;
    if (dlab_system_witness(&s, &q, ctx)) return ctx->err.code;
    const double all[] = { q.wait,      q.latency,    q.wait_probability, q.queue_length,
                           q.in_system, q.throughput, q.utilisation };
    for (int i = 0; i < 7; i++) values[i] = all[i];
    return DLAB_OK;
}

const dlab_model dlab_queueing_analytic = {
    .abi = DLAB_ABI,
    .name = "queueing.analytic",
    .title = "Queueing systems by formula",
    .doc =
        "Steady-state means, laws and probabilities of eighteen queueing systems, from M/M/1 to priorities, "
        "sharing and batches, exact but for ggc (Allen-Cunneen) and batch_service between its exact ends. "
        "What no theory knows is NaN; without a steady state waits are infinite.",
    .source = "Kleinrock, Queueing Systems 1-2 (1975-76); Tijms, A First Course in Stochastic Models (2003); "
              "Harchol-Balter, Performance Modeling and Design of Computer Systems (2013)",
    .params = param_fields,
    .metrics = metric_fields,
    .params_size = sizeof(params),
    .metrics_size = sizeof(metrics),
    .outputs = output_tables,
    .bugs = bugs,
    .exact = true,
    .theory_columns = theory_columns,
    .check = check,
    .warn = warn,
    .steps = steps,
    .run = run,
    .theory = theory,
};
