/* lab.probe: a model made to be looked through. Every type of field, metric and table occurs in it, and
 * every metric is a simple function of the parameters, so that a test can follow a value from Python into a
 * C struct and back. A job i = 0, 1, ... takes (i + 1) ms and has size i mod 10; nothing else happens.
 *
 * Compiled as a shared library by tests/python/test_core.py and registered by address; the descriptors after
 * probe_model are wrong on purpose, each in one way. */
#include <stdio.h>

#include <distlab/model.h>
#include <distlab/trace.h>

enum { JOBS_MAX = 100000000, SERIES_MAX = 50, TRACE_MAX = 20, MS = 1000000 };

/* A component: its field table is spliced into the model's. */
typedef struct retry {
    int64_t attempts;
    double delay;
} retry;

static const dlab_field retry_fields[] = {
    DLAB_FIELD(retry, attempts, .dflt = 3, .min = 1, .max = 10, .doc = "Attempts in all."),
    DLAB_FIELD(retry, delay, .unit = "s", .display = "ms", .dflt = 0.1, .min = 0, .max = 10,
               .doc = "Pause before the next."),
    DLAB_END,
};

typedef struct class_row {
    double weight, rate;
    int64_t jobs;
    dlab_distribution service;
    int32_t policy;
    bool fast;
} class_row;

static const char *const policies[] = { "fifo", "lifo", "random", NULL };
static const char *const features[] = { "alpha", "beta", "gamma", NULL };
static const char *const bug_names[] = { "none", "off_by_one", NULL };
static const char *const failures[] = { "never", "range", "limit", "broken", NULL };

static const dlab_field class_columns[] = {
    DLAB_FIELD(class_row, weight, .dflt = 1, .min = 0, .max = 1e6, .doc = "Share of the class."),
    DLAB_FIELD(class_row, rate, .unit = "1/s", .dflt = NAN, .min = 0, .max = 1e6,
               .doc = "Blank: the model's."),
    DLAB_FIELD(class_row, jobs, .dflt = (double)DLAB_INT_BLANK, .min = 1, .max = JOBS_MAX,
               .doc = "Blank: the model's."),
    DLAB_FIELD(class_row, service, .unit = "s", .min = 0, .max = 1e3, .doc = "Blank: the model's."),
    DLAB_FIELD(class_row, policy, .choices = policies, .dflt = -1, .doc = "Blank: the model's."),
    DLAB_FIELD(class_row, fast, .doc = "Is it fast?"),
    DLAB_END,
};

static const dlab_table class_table = {
    .name = "classes",
    .doc = "Classes of jobs.",
    .columns = class_columns,
    .row_size = sizeof(class_row),
};

typedef struct params {
    double rate, timeout;
    int64_t jobs, capacity;
    bool verbose;
    int32_t policy, bug, fail;
    uint32_t features;
    dlab_distribution service, pause;
    dlab_ref classes;
    retry retry, hedge;
    int64_t cost, memory;
} params;

static const dlab_field param_fields[] = {
    DLAB_FIELD(params, rate, .unit = "1/s", .dflt = 10, .min = 1e-3, .max = 1e6, .low = 1, .high = 100,
               .log_scale = true, .group = "load", .doc = "Jobs a second."),
    DLAB_FIELD(params, timeout, .unit = "s", .display = "ms", DLAB_OFF(-1), .dflt = -1, .min = 1e-6,
               .max = 1e6, .doc = "Give up after this."),
    DLAB_FIELD(params, jobs, .dflt = 100, .min = 1, .max = JOBS_MAX, .low = 10, .high = 1000,
               .doc = "Jobs of a run."),
    DLAB_FIELD(params, capacity, DLAB_OFF(-1), .dflt = -1, .min = 1, .max = 1e6,
               .doc = "Places; None: no limit."),
    DLAB_FIELD(params, verbose, .dflt = 0, .group = "behaviour", .doc = "Say more."),
    DLAB_FIELD(params, policy, .choices = policies, .dflt = 1, .doc = "Order of service."),
    DLAB_FIELD(params, bug, .choices = bug_names, .doc = "Planted defect."),
    DLAB_FIELD(params, fail, .choices = failures, .doc = "How the run ends itself."),
    DLAB_FIELD(params, features, .choices = features, .dflt = 5, .doc = "What is switched on."),
    DLAB_FIELD(params, service, .unit = "s", .display = "ms", .text = "exponential(20ms)", .min = 1e-9,
               .max = 1e3, .doc = "Time a job takes."),
    DLAB_FIELD(params, pause, .unit = "s", .optional = true, .min = 0, .max = 1e3, .doc = "Pauses, if any."),
    DLAB_FIELD(params, classes, .table = &class_table, .doc = "Classes, if any."),
    DLAB_GROUP(params, retry, retry_fields, .prefix = "retry_", .group = "retry"),
    DLAB_GROUP(params, hedge, retry_fields, .prefix = "hedge_"),
    DLAB_FIELD(params, cost, .dflt = 1, .min = 0, .max = 1e9, .group = "budget",
               .doc = "Steps charged for a job."),
    DLAB_FIELD(params, memory, .unit = "byte", .dflt = 64, .min = 0, .max = 1e15, .doc = "Memory of a run."),
    DLAB_END,
};

typedef struct metrics {
    double total, drawn, timeout, pause_mean;
    int64_t count, mask, violations;
    bool verbose;
    dlab_ratio share;
    dlab_estimate wait;
    dlab_histogram latency, size;
    double class_weight, class_rate, class_jobs, class_service, class_policy, retry_delay;
} metrics;

static const dlab_field metric_fields[] = {
    DLAB_FIELD(metrics, total, .min = 0, .max = INFINITY, .doc = "rate * jobs."),
    DLAB_FIELD(metrics, drawn, .unit = "s", .display = "ms", .min = 0, .max = INFINITY,
               .doc = "Mean of ten draws."),
    DLAB_FIELD(metrics, timeout, .unit = "s", .may_be_nan = true, .min = 0, .max = INFINITY,
               .doc = "NaN: off."),
    DLAB_FIELD(metrics, pause_mean, .unit = "s", .may_be_nan = true, .min = 0, .max = INFINITY,
               .doc = "NaN: off."),
    DLAB_FIELD(metrics, count, .min = 0, .max = INFINITY, .doc = "jobs, one more with the bug."),
    DLAB_FIELD(metrics, mask, .min = 0, .max = 7, .doc = "features."),
    DLAB_FIELD(metrics, violations, .min = 0, .max = 1, .doc = "Counts of the bug."),
    DLAB_FIELD(metrics, verbose, .min = 0, .max = 1, .doc = "verbose."),
    DLAB_FIELD(metrics, share, .min = 0, .max = INFINITY, .may_be_nan = true, .doc = "attempts / jobs."),
    DLAB_FIELD(metrics, wait, .unit = "s", .min = 0, .max = INFINITY,
               .doc = "mean 1/rate, se a tenth of it."),
    DLAB_FIELD(metrics, latency, .unit = "s", .display = "ms", .doc = "1, 2, 3 ... ms."),
    DLAB_FIELD(metrics, size, .doc = "0, 1 ... 9, 0, 1 ..."),
    DLAB_FIELD(metrics, class_weight, .min = 0, .max = INFINITY, .doc = "Sum of weights."),
    DLAB_FIELD(metrics, class_rate, .unit = "1/s", .min = 0, .max = INFINITY, .doc = "Sum of rates."),
    DLAB_FIELD(metrics, class_jobs, .min = 0, .max = INFINITY, .doc = "Sum of jobs."),
    DLAB_FIELD(metrics, class_service, .unit = "s", .min = 0, .max = INFINITY,
               .doc = "Sum of means of service."),
    DLAB_FIELD(metrics, class_policy, .min = 0, .max = INFINITY, .doc = "Sum of policies."),
    DLAB_FIELD(metrics, retry_delay, .unit = "s", .min = 0, .max = INFINITY,
               .doc = "retry delay + 10 hedge delays."),
    DLAB_END,
};

typedef struct length_row {
    double time, length;
    int64_t level;
} length_row;

typedef struct job_row {
    int64_t job;
    double took;
    int32_t policy;
    uint32_t features;
    bool last;
} job_row;

static const dlab_field length_columns[] = {
    DLAB_FIELD(length_row, time, .unit = "s", .doc = "When."),
    DLAB_FIELD(length_row, length, .doc = "The number of the row, squared."),
    DLAB_FIELD(length_row, level, .doc = "The number of the row."),
    DLAB_END,
};

static const dlab_field job_columns[] = {
    DLAB_FIELD(job_row, job, .doc = "Number of the job."),
    DLAB_FIELD(job_row, took, .unit = "s", .display = "ms", .doc = "Its time."),
    DLAB_FIELD(job_row, policy, .choices = policies, .doc = "policy."),
    DLAB_FIELD(job_row, features, .choices = features, .doc = "features."),
    DLAB_FIELD(job_row, last, .doc = "Is it the last?"),
    DLAB_END,
};

static const dlab_table output_tables[] = {
    { .name = "queue_length",
      .doc = "A series.",
      .columns = length_columns,
      .row_size = sizeof(length_row),
      .series = true },
    { .name = "jobs", .doc = "A row for each job.", .columns = job_columns, .row_size = sizeof(job_row) },
    DLAB_TRACE_TABLE,
    { .name = NULL },
};

/* What the trace says: a client sends each of the first jobs to a worker, which notes it and answers; job 1
 * is lost on its way back. */
enum { MESSAGE_JOB, MESSAGE_DONE };
static const dlab_label messages[] = { { "job", "number", "size" }, { "done", "number", NULL }, { NULL } };
static const dlab_label notes[] = { { "worked", NULL, "size" }, { NULL } };
static const char *const roles[] = { "client", "worker", NULL };
static const char *const invariants[] = { "every job is done", NULL };
static const dlab_trace_schema schema = {
    .messages = messages, .notes = notes, .roles = roles, .invariants = invariants
};

static const dlab_bug bugs[] = {
    { .name = "none" },
    { .name = "off_by_one",
      .doc = "Counts one job too many.",
      .violation = "theory.count",
      .scope = "jobs=10" },
    { .name = NULL },
};

static int check(const void *params_, const dlab_pool *pool, dlab_error *err)
{
    const params *p = params_;
    (void)pool;
    if (p->capacity >= 0 && p->capacity < p->retry.attempts)
        return dlab_fail(err, DLAB_EINVAL, "capacity = %lld holds fewer than retry_attempts = %lld",
                         (long long)p->capacity, (long long)p->retry.attempts);
    return DLAB_OK;
}

static bool warn(const void *params_, const dlab_pool *pool, char *text, size_t size)
{
    const params *p = params_;
    (void)pool;
    if (p->rate <= 1000) return false;
    (void)snprintf(text, size, "rate is above 1000 %s", p->verbose ? "by far" : "jobs a second");
    return true;
}

static double steps(const void *params_, const dlab_pool *pool)
{
    const params *p = params_;
    (void)pool;
    return (double)p->jobs * (double)p->cost;
}

static int read_classes(const params *p, metrics *m, dlab_ctx *ctx)
{
    size_t count = 0;
    const class_row *rows = dlab_table_rows(ctx, &class_table, p->classes, &count);
    for (size_t i = 0; i < count; i++) {
        m->class_weight += rows[i].weight;
        m->class_rate += rows[i].rate;
        m->class_jobs += (double)rows[i].jobs;
        m->class_service += dlab_distribution_mean(&rows[i].service, ctx->pool);
        m->class_policy += rows[i].policy;
    }
    return ctx->err.code;
}

static int draw(const params *p, metrics *m, dlab_ctx *ctx)
{
    dlab_sampler sampler;
    dlab_rng rng;
    const int code = dlab_sampler_init(&sampler, &p->service, ctx->pool, 0, &ctx->arena, &ctx->err);
    if (code != DLAB_OK) return code;
    dlab_stream(ctx, &rng, DLAB_PURPOSE_SERVICE, 0);
    for (int i = 0; i < 10; i++) m->drawn += dlab_sample(&sampler, &rng) / 10;
    m->pause_mean = p->pause.kind < 0 ? NAN : dlab_distribution_mean(&p->pause, ctx->pool);
    return DLAB_OK;
}

static int fail(const params *p, dlab_ctx *ctx)
{
    switch (p->fail) {
    case 1:
        return dlab_fail(&ctx->err, DLAB_ERANGE, "the run found jobs = %lld out of range",
                         (long long)p->jobs);
    case 2: return dlab_fail(&ctx->err, DLAB_ELIMIT, "the run used up its queue");
    case 3: return DLAB_CHECK(&ctx->err, p->fail < 3);
    default: return DLAB_OK;
    }
}

static int emit(const params *p, int64_t job, dlab_ctx *ctx)
{
    const length_row length = { .time = 0.1 * (double)job, .length = (double)(job * job), .level = job };
    const job_row row = { .job = job,
                          .took = 1e-3 * (double)(job + 1),
                          .policy = p->policy,
                          .features = p->features,
                          .last = job + 1 == p->jobs };
    int code = job < SERIES_MAX ? dlab_emit(ctx, 0, &length) : DLAB_OK;
    if (code == DLAB_OK && dlab_wants(ctx, 1)) code = dlab_emit(ctx, 1, &row);
    return code;
}

static int tell(dlab_ctx *ctx, dlab_record record)
{
    dlab_trace_row row;
    dlab_record_to_row(&record, &row);
    return dlab_emit(ctx, 2, &row);
}

static int trace(const params *p, dlab_ctx *ctx)
{
    int code = DLAB_OK;
    if (!dlab_wants(ctx, 2)) return code;
    for (uint16_t i = 0; code == DLAB_OK && i < 2; i++)
        code =
            tell(ctx, (dlab_record){ .type = DLAB_TRACE_START, .label = i, .node = i, .peer = DLAB_NO_NODE });
    for (uint32_t i = 0; code == DLAB_OK && i < p->jobs && i < TRACE_MAX; i++) {
        dlab_record record = { .time = (int64_t)i * 10 * MS,
                               .type = DLAB_TRACE_SEND,
                               .label = MESSAGE_JOB,
                               .node = 0,
                               .peer = 1,
                               .id = 2 * i + 1,
                               .a = i,
                               .b = i % 10 };
        dlab_record answer = record;
        answer.label = MESSAGE_DONE;
        answer.id++;
        answer.node = 1;
        answer.peer = 0;
        answer.time += (i + 1) * MS;
        code = tell(ctx, record);
        record.type = DLAB_TRACE_DELIVER;
        record.node = 1;
        record.peer = 0;
        if (code == DLAB_OK) code = tell(ctx, record);
        record = answer;
        record.type = DLAB_TRACE_NOTE;
        record.peer = DLAB_NO_NODE;
        record.label = 0;
        record.id = 0;
        if (code == DLAB_OK) code = tell(ctx, record);
        if (code == DLAB_OK) code = tell(ctx, answer);
        answer.type = i == 1 ? DLAB_TRACE_DROP : DLAB_TRACE_DELIVER;
        if (i == 1) answer.a = DLAB_DROP_LOSS;
        else answer.node = 0, answer.peer = 1;
        if (code == DLAB_OK) code = tell(ctx, answer);
    }
    return code;
}

static int run(const void *params_, void *metrics_, dlab_ctx *ctx)
{
    const params *p = params_;
    metrics *m = metrics_;
    if (p->memory > 0 && dlab_alloc(ctx, (size_t)p->memory, 1) == NULL) return ctx->err.code;
    int code = dlab_histogram_open(&m->latency, &ctx->arena, &ctx->err);
    if (code == DLAB_OK) code = dlab_histogram_open(&m->size, &ctx->arena, &ctx->err);
    for (int64_t i = 0; code == DLAB_OK && i < p->jobs; i++) {
        dlab_histogram_record(&m->latency, (i + 1) * MS);
        dlab_histogram_record(&m->size, i % 10);
        code = emit(p, i, ctx);
        if (code == DLAB_OK) code = dlab_step(ctx, (uint64_t)p->cost);
    }
    if (code == DLAB_OK) code = trace(p, ctx);
    if (code == DLAB_OK) code = read_classes(p, m, ctx);
    if (code == DLAB_OK) code = draw(p, m, ctx);
    if (code == DLAB_OK) code = fail(p, ctx);
    m->total = p->rate * (double)p->jobs;
    m->timeout = p->timeout < 0 ? NAN : p->timeout;
    m->count = p->jobs + (p->bug != 0);
    m->mask = p->features;
    m->violations = p->bug != 0;
    m->verbose = p->verbose;
    m->share = (dlab_ratio){ (double)p->retry.attempts, (double)p->jobs };
    m->wait = (dlab_estimate){ 1 / p->rate, 0.1 / p->rate, p->jobs };
    m->retry_delay = p->retry.delay + 10 * p->hedge.delay;
    return code;
}

static const char *const theory_columns[] = { "total", "count", "latency_mean", "class_rate", NULL };

static int theory(const void *params_, double *values, dlab_ctx *ctx)
{
    const params *p = params_;
    metrics m = { .total = 0 };
    if (read_classes(p, &m, ctx) != DLAB_OK) return ctx->err.code;
    if (p->fail != 0) return fail(p, ctx);
    values[0] = p->rate * (double)p->jobs;
    values[1] = (double)p->jobs;
    values[2] = 1e-3 * ((double)p->jobs + 1) / 2;
    if (p->classes.count > 0) values[3] = m.class_rate; /* else NaN: none holds */
    return dlab_step(ctx, (uint64_t)p->cost);
}

#define PROBE(version, name_, run_, columns_)                                                      \
    {                                                                                              \
        .abi = (version), .name = (name_), .title = "A model to look through",                     \
        .doc = "Every type of field, metric and table.", .source = "none", .params = param_fields, \
        .metrics = metric_fields, .params_size = sizeof(params), .metrics_size = sizeof(metrics),  \
        .outputs = output_tables, .trace = &schema, .bugs = bugs, .theory_columns = (columns_),    \
        .check = check, .warn = warn, .steps = steps, .run = (run_), .theory = theory,             \
    }

extern const dlab_model probe_model, probe_old, probe_unnamed, probe_misnamed, probe_taken, probe_idle,
    probe_blind;
const dlab_model probe_model = PROBE(DLAB_ABI, "lab.probe", run, theory_columns);
const dlab_model probe_old = PROBE(DLAB_ABI - 1, "lab.probe", run, theory_columns);
const dlab_model probe_unnamed = PROBE(DLAB_ABI, NULL, run, theory_columns);
const dlab_model probe_misnamed = PROBE(DLAB_ABI, "lab.Probe model", run, theory_columns);
const dlab_model probe_taken = PROBE(DLAB_ABI, "queueing.station", run, theory_columns);
const dlab_model probe_idle = PROBE(DLAB_ABI, "lab.idle", NULL, theory_columns);
const dlab_model probe_blind = PROBE(DLAB_ABI, "lab.blind", run, NULL);

/* A descriptor whose layout cannot be made: the size is too small for its fields. */
extern const dlab_model probe_small;
const dlab_model probe_small = {
    .abi = DLAB_ABI,
    .name = "lab.small",
    .title = "Too small",
    .doc = "Too small.",
    .source = "none",
    .params = param_fields,
    .metrics = metric_fields,
    .params_size = 8,
    .metrics_size = sizeof(metrics),
    .run = run,
};

/* The smallest model there can be: one parameter, one metric, none of the optional functions. */
typedef struct tiny {
    double x;
} tiny;

static const dlab_field tiny_fields[] = {
    DLAB_FIELD(tiny, x, .dflt = 1, .min = 0, .max = 10, .doc = "A number."),
    DLAB_END,
};

static int tiny_run(const void *params_, void *metrics_, dlab_ctx *ctx)
{
    ((tiny *)metrics_)->x = 2 * ((const tiny *)params_)->x;
    return ctx->err.code;
}

extern const dlab_model probe_tiny;
const dlab_model probe_tiny = {
    .abi = DLAB_ABI,
    .name = "lab.tiny",
    .title = "Tiny",
    .doc = "Doubles.",
    .source = "none",
    .exact = true,
    .params = tiny_fields,
    .metrics = tiny_fields,
    .params_size = sizeof(tiny),
    .metrics_size = sizeof(tiny),
    .run = tiny_run,
};

/* Its trace names a message by more than any line has room for. */
#define TEN(text) text text text text text text text text text text
static const dlab_label long_messages[] = { { TEN(TEN("long ")), "\xc3\xa4", "\xff" }, { NULL } };
static const dlab_trace_schema long_schema = { .messages = long_messages };
static const dlab_table long_tables[] = { DLAB_TRACE_TABLE, { .name = NULL } };

extern const dlab_model probe_wordy;
const dlab_model probe_wordy = {
    .abi = DLAB_ABI,
    .name = "lab.wordy",
    .title = "Wordy",
    .doc = "Doubles.",
    .source = "none",
    .exact = true,
    .params = tiny_fields,
    .metrics = tiny_fields,
    .params_size = sizeof(tiny),
    .metrics_size = sizeof(tiny),
    .outputs = long_tables,
    .trace = &long_schema,
    .run = tiny_run,
};
