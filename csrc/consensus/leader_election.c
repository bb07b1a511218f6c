/* Who leads when the leader is gone: elections with messages (bully, Chang and Roberts, Hirschberg and
 * Sinclair), a lease or a lock in a store outside, and a plain list of priorities. One run has at most one
 * failure of the leader and any number of wrong suspicions; it counts messages, the time in which nobody
 * led, and the time in which two did.
 *
 * Assumptions: a failure detector tells each node, `detection` after the fact, that the leader is gone or
 * back; the ring is mended by skipping whom a node suspects; ids do not change. Without a cold start the
 * highest id leads from the beginning. The store never fails, and of the faults in the plan only links
 * between nodes are cut; cut_off cuts the leader off from the store too. A paused leader counts as one that
 * leads: it will wake believing it. Protocols and sources are in leader_election.h, closed forms in
 * leader_election_theory.c. */
#include <math.h>
#include <stdio.h>

#include "consensus/leader_election_drive.h"
#include "consensus/leader_election_theory.h"

#define BUGS(X)                                                                                            \
    X(NONE, "none", "The protocol as it should be.", NULL, NULL)                                           \
    X(RING_DROPS_OWN_ID, "ring_drops_own_id", "A node whose own id comes back drops it like a worse one.", \
      "theory.election_messages", "algorithm=ring failure=cold_start reps=200")                            \
    X(EXPIRY_WITHOUT_DRIFT_MARGIN, "expiry_without_drift_margin",                                          \
      "A holder leads for the whole ttl on its own clock, however clocks drift.", "one_leader",            \
      "algorithm=lease failure=cut_off drift=50000 clock_spread=worst lease_margin=0.1 reps=20")

DLAB_DEFINE_BUGS(BUGS);

#define X(code, name) name,
static const char *const algorithms[] = { DLAB_ELECTION_ALGORITHMS(X) NULL };
static const char *const failures[] = { DLAB_ELECTION_FAILURES(X) NULL };
static const char *const starters[] = { DLAB_ELECTION_STARTERS(X) NULL };
static const char *const orders[] = { DLAB_ELECTION_ORDERS(X) NULL };
#undef X

typedef struct params {
    int64_t nodes;
    int32_t algorithm, id_order;
    double timeout;
    dlab_distribution delay;
    double loss;
    int32_t failure;
    dlab_distribution failure_time, outage;
    int32_t starters;
    dlab_distribution detection;
    double false_suspicion;
    dlab_distribution mistake;
    double ttl, renew, lease_margin;
    dlab_clocks clocks;
    double duration;
    dlab_ref faults;
    int32_t bug;
} params;

typedef struct metrics {
    int64_t messages, election_messages, announcements;
    double unavailability, overlap;
    dlab_histogram downtime;
    int64_t churn;
    dlab_ratio agreed;
    int64_t violations;
} metrics;

#define TIME .unit = "s", .min = 0, .max = 1e6, .log_scale = true
#define SETTING .unit = "s", .min = 1e-6, .max = 1e6, .log_scale = true
static const dlab_field param_fields[] = {
    DLAB_FIELD(params, nodes, .dflt = 10, .min = 2, .max = DLAB_ELECTION_NODES_MAX, .low = 3, .high = 100,
               .log_scale = true, .group = "Election", .doc = "Nodes that may lead; a store is not counted."),
    DLAB_FIELD(params, algorithm, .choices = algorithms,
               .doc = "How a leader is found: by messages, in a store outside, or by a list alone."),
    DLAB_FIELD(params, id_order, .choices = orders,
               .doc = "Ids around the ring, in the direction in which messages go."),
    DLAB_FIELD(params, timeout, SETTING, .display = "ms", .dflt = 0.05, .low = 0.005, .high = 1,
               .doc = "How long a node waits for an answer; on a ring, for each of its nodes."),
    DLAB_FIELD(params, delay, TIME, .display = "ms", .text = "5ms", .low = 1e-4, .high = 0.1,
               .group = "Network", .doc = "One-way delay of a message."),
    DLAB_FIELD(params, loss, .max = 1, .high = 0.1, .doc = "Probability that a message is lost."),
    DLAB_FIELD(params, failure, .choices = failures, .group = "Failure",
               .doc =
                   "What happens to the leader: it crashes, or hears nobody and is heard by nobody but runs "
                   "on; cold_start: nobody leads at the start."),
    DLAB_FIELD(params, failure_time, TIME, .text = "uniform(low=20s, high=23s)", .low = 1, .high = 60,
               .doc = "When the leader fails, if anybody leads then."),
    DLAB_FIELD(params, outage, TIME, .optional = true, .low = 1, .high = 600,
               .doc = "How long the failure lasts. None: until the run ends."),
    DLAB_FIELD(params, starters, .choices = starters,
               .doc = "Which of those left start an election when they notice, or in a cold start."),
    DLAB_FIELD(params, detection, TIME, .text = "1s", .low = 0.01, .high = 60, .group = "Detector",
               .doc = "From a failure, or its end, until a node's detector notices."),
    DLAB_FIELD(params, false_suspicion, .unit = "1/s", .max = 1e3, .high = 0.1,
               .doc = "Rate at which a node's detector suspects a leader that is well."),
    DLAB_FIELD(params, mistake, TIME, .text = "exponential(1s)", .low = 0.1, .high = 60,
               .doc = "How long such a mistake lasts."),
    DLAB_FIELD(params, ttl, SETTING, .dflt = 10, .low = 1, .high = 60, .group = "Store",
               .doc = "lease, lock: how long the store waits for a renewal, on its clock."),
    DLAB_FIELD(params, renew, SETTING, .dflt = 3, .low = 0.5, .high = 20,
               .doc = "lease, lock: time between renewals, and until a request without answer is repeated."),
    DLAB_FIELD(params, lease_margin, .dflt = 0.01, .max = 1, .high = 0.5,
               .doc = "Share of ttl by which a holder stops earlier than the store."),
    DLAB_GROUP(params, clocks, dlab_clock_fields),
    DLAB_FIELD(params, duration, .unit = "s", .dflt = 60, .min = 1e-3, .max = 1e6, .low = 30, .high = 3600,
               .log_scale = true, .group = "Run", .doc = "Simulated time."),
    DLAB_FIELD(params, faults, DLAB_FAULTS_FIELD),
    DLAB_FIELD(params, bug, .choices = bug_names, .group = "Planted bug",
               .doc = "A textbook mistake, on purpose."),
    DLAB_END,
};

#define COUNT .max = 9e15
static const dlab_field metric_fields[] = {
    DLAB_FIELD(metrics, messages, COUNT, .doc = "Messages sent, lost ones included."),
    DLAB_FIELD(metrics, election_messages, COUNT,
               .doc = "Those of elections: candidacies and answers, requests to the store and what it says."),
    DLAB_FIELD(metrics, announcements, COUNT,
               .doc = "Those that announce who leads; the rest of all messages are renewals."),
    DLAB_FIELD(metrics, unavailability, .unit = "s", .max = INFINITY, .doc = "Time in which nobody led."),
    DLAB_FIELD(metrics, overlap, .unit = "s", .max = INFINITY, .doc = "Time in which two or more led."),
    DLAB_FIELD(metrics, downtime, .unit = "s", .display = "ms", .max = INFINITY,
               .doc = "From the end of one leader, or the start, to the next one."),
    DLAB_FIELD(metrics, churn, COUNT, .doc = "Times a node began to lead, the first one not counted."),
    DLAB_FIELD(metrics, agreed, .max = 1, .may_be_nan = true,
               .doc = "Share of the nodes running at the end that follow the best leader there is then; who "
                      "waits for a lock knows only the holder it was told."),
    DLAB_FIELD(metrics, violations, COUNT,
               .doc =
                   "Events after which one_leader did not hold: two lead at once. Only a lease promises it."),
    DLAB_END,
};

enum { TRACE_TABLE };
static const dlab_table output_tables[] = { DLAB_TRACE_TABLE, { .name = NULL } };

typedef struct site {
    dlab_election election; /* first: the config of the core is one of these */
    dlab_election_drive *books;
    dlab_election_drive drive;
    dlab_core core;
    dlab_world world;
} site;

static void counted_step(const dlab_core *core, uint32_t node, void *state, const dlab_input *in,
                         dlab_outputs *out)
{
    const site *x = core->config;
    const uint32_t before = out->count;
    dlab_election_step(&x->election, node, state, in, out);
    dlab_election_drive_tally(x->books, out, before);
}

static int open_site(site *x, const params *p, metrics *m, dlab_ctx *ctx)
{
    const bool cold = p->failure == DLAB_ELECTION_FAILURE_COLD_START;
    const double held = p->bug == BUG_EXPIRY_WITHOUT_DRIFT_MARGIN ? p->ttl : p->ttl * (1 - p->lease_margin);
    x->election = (dlab_election){ .nodes = (uint32_t)p->nodes,
                                   .algorithm = p->algorithm,
                                   .cold = cold,
                                   .timeout = dlab_ns(p->timeout),
                                   .ttl = dlab_ns(p->ttl),
                                   .renew = dlab_ns(p->renew),
                                   .held = (int64_t)(held * 1e9),
                                   .drops_own_id = p->bug == BUG_RING_DROPS_OWN_ID };
    x->drive = (dlab_election_drive){ .election = &x->election,
                                      .failure = p->failure,
                                      .starters = p->starters,
                                      .false_suspicion = p->false_suspicion,
                                      .returns = p->outage.kind >= 0,
                                      .downtime = &m->downtime };
    if (dlab_sampler_init_optional(&x->drive.failure_time, &p->failure_time, ctx->pool, &ctx->arena,
                                   &ctx->err) ||
        dlab_sampler_init_optional(&x->drive.outage, &p->outage, ctx->pool, &ctx->arena, &ctx->err) ||
        dlab_sampler_init_optional(&x->drive.detection, &p->detection, ctx->pool, &ctx->arena, &ctx->err) ||
        dlab_sampler_init_optional(&x->drive.mistake, &p->mistake, ctx->pool, &ctx->arena, &ctx->err) ||
        dlab_histogram_open(&m->downtime, &ctx->arena, &ctx->err) ||
        dlab_election_drive_open(&x->drive, p->id_order, ctx))
        return ctx->err.code;
    x->core = dlab_election_core(&x->election);
    x->core.config = x;
    x->core.step = counted_step;
    x->books = &x->drive;
    return DLAB_OK;
}

static int run_world(site *x, int64_t until)
{
    for (;;) {
        const int taken = dlab_world_step(&x->world, until);
        if (taken < 0) return x->drive.ctx->err.code;
        if (taken == 0) break;
        dlab_election_drive_watch(&x->drive, &x->world);
    }
    dlab_election_drive_advance(&x->drive, until);
    return DLAB_OK;
}

static void measure(const site *x, metrics *m)
{
    const dlab_world *w = &x->world;
    dlab_ratio agreed = { 0, 0 };
    uint32_t best = 0;
    for (uint32_t i = 0; i < x->election.nodes; i++) {
        const dlab_election_node *v = dlab_world_state(w, i);
        if (w->running[i] && v->leads && x->election.ids[i] > best) best = x->election.ids[i];
    }
    for (uint32_t i = 0; i < x->election.nodes; i++) {
        const dlab_election_node *v = dlab_world_state(w, i);
        agreed.den += w->running[i];
        agreed.num += w->running[i] && best > 0 && v->leader == best;
    }
    m->agreed = agreed;
    m->messages = (int64_t)w->net.sent;
    m->election_messages = (int64_t)x->drive.sent[DLAB_ELECTION_ELECTS];
    m->announcements = (int64_t)x->drive.sent[DLAB_ELECTION_ANNOUNCES];
    m->unavailability = (double)x->drive.unavailable / 1e9;
    m->overlap = (double)x->drive.double_led / 1e9;
    m->churn = x->drive.reigns > 0 ? (int64_t)x->drive.reigns - 1 : 0;
    m->violations = (int64_t)w->broken_count;
}

static int run(const void *params_, void *metrics_, dlab_ctx *ctx)
{
    const params *p = params_;
    metrics *m = metrics_;
    site x;
    const dlab_network network = {
        .delay = p->delay, .loss = p->loss, .bandwidth = INFINITY, .link_queue = INFINITY
    };
    const dlab_world_setup setup = { .core = &x.core,
                                     .network = &network,
                                     .clocks = &p->clocks,
                                     .faults = p->faults,
                                     .fault_nodes = (uint32_t)p->nodes,
                                     .check = true,
                                     .trace_table = TRACE_TABLE,
                                     .arg = &x.drive,
                                     .on_output = dlab_election_drive_output,
                                     .on_event = dlab_election_drive_event };
    if (open_site(&x, p, m, ctx)) return ctx->err.code;
    int code = dlab_world_open(&x.world, &setup, ctx);
    if (code == DLAB_OK) code = dlab_election_drive_plan(&x.drive, &x.world);
    if (code == DLAB_OK) code = run_world(&x, dlab_ns(p->duration));
    if (code == DLAB_OK) measure(&x, m);
    if (code == DLAB_OK) code = dlab_world_finish(&x.world);
    dlab_world_close(&x.world);
    return code;
}

static int check(const void *params_, const dlab_pool *pool, dlab_error *err)
{
    const params *p = params_;
    if (p->renew >= p->ttl)
        return dlab_fail(err, DLAB_EINVAL, "renew = %g s must be below ttl = %g s", p->renew, p->ttl);
    if (p->algorithm == DLAB_ELECTION_LEASE && p->ttl * (1 - p->lease_margin) <= p->renew)
        return dlab_fail(
            err, DLAB_EINVAL,
            "lease_margin = %g leaves the holder %g s of ttl = %g s: renew = %g s must be below that",
            p->lease_margin, p->ttl * (1 - p->lease_margin), p->ttl, p->renew);
    return dlab_faults_check_plan(p->faults, (uint32_t)p->nodes, pool, err);
}

/* Does the plan crash nodes, which no detector notices? */
static bool plan_crashes(const params *p, const dlab_pool *pool)
{
    if (p->faults.count == 0 || p->faults.table >= pool->count) return false;
    const dlab_fault_row *rows = pool->tables[p->faults.table].rows;
    for (uint32_t k = 0; k < p->faults.count; k++)
        if (rows[p->faults.first + k].kind == DLAB_FAULT_CRASH) return true;
    return false;
}

static bool warn(const void *params_, const dlab_pool *pool, char *text, size_t size)
{
    const params *p = params_;
    const double delay = dlab_distribution_mean(&p->delay, pool);
    const bool bully = p->algorithm == DLAB_ELECTION_BULLY;
    const bool ring = p->algorithm == DLAB_ELECTION_RING || p->algorithm == DLAB_ELECTION_HIRSCHBERG_SINCLAIR;
    const double when = dlab_distribution_mean(&p->failure_time, pool);
    const double need = bully ? 2 * delay : delay, d = fabs(p->clocks.drift) * 1e-6;
    if ((bully || ring) && need >= p->timeout) {
        (void)snprintf(text, size,
                       "timeout = %g s is not above %g s: elections are begun again before they end",
                       p->timeout, need);
        return true;
    }
    if (p->failure <= DLAB_ELECTION_FAILURE_CUT_OFF && when >= p->duration) {
        (void)snprintf(text, size,
                       "failure_time, %g s on average, is not before duration = %g s: little fails", when,
                       p->duration);
        return true;
    }
    if (!dlab_election_has_store(&(dlab_election){ .algorithm = p->algorithm }) && plan_crashes(p, pool)) {
        (void)snprintf(text, size,
                       "no detector notices a crash of the fault plan: failure = crash is noticed");
        return true;
    }
    if (p->algorithm != DLAB_ELECTION_LEASE || p->lease_margin >= 2 * d / (1 + d)) return false;
    (void)snprintf(text, size,
                   "lease_margin = %g is below 2 d / (1 + d) = %g for clocks that drift by d: two may lead",
                   p->lease_margin, 2 * d / (1 + d));
    return true;
}

/* The failure and what detectors say, renewals, and wrong suspicions with a few messages each. */
static double steps(const void *params_, const dlab_pool *pool)
{
    const params *p = params_;
    const double wrong = p->false_suspicion * (double)p->nodes * p->duration;
    const bool store = p->algorithm == DLAB_ELECTION_LEASE || p->algorithm == DLAB_ELECTION_LOCK;
    (void)pool;
    return 2 * (double)p->nodes + wrong * 4 + (store ? 3 * p->duration / p->renew : 0);
}

static const char *const theory_columns[] = { "election_messages", "announcements", "unavailability",
                                              "overlap", NULL };

/* Does the failure come with equal chance at any moment between two renewals? */
static bool is_any_moment(const params *p)
{
    const dlab_distribution *d = &p->failure_time;
    const double periods = (d->p[1] - d->p[0]) / p->renew;
    return d->kind == DLAB_DIST_UNIFORM && fabs(periods - round(periods)) < 1e-9 &&
           d->p[0] + d->shift >= p->renew;
}

static double latest_failure(const params *p)
{
    const dlab_distribution *d = &p->failure_time;
    if (p->failure == DLAB_ELECTION_FAILURE_COLD_START) return 0;
    return d->kind == DLAB_DIST_CONSTANT  ? d->p[0] + d->shift
           : d->kind == DLAB_DIST_UNIFORM ? d->p[1] + d->shift
                                          : INFINITY;
}

static int theory(const void *params_, double *values, dlab_ctx *ctx)
{
    const params *p = params_;
    const bool cold = p->failure == DLAB_ELECTION_FAILURE_COLD_START;
    const bool plain = p->loss == 0 && p->faults.count == 0 && p->clocks.drift == 0;
    const bool certain = plain && p->false_suspicion == 0 && p->outage.kind < 0 &&
                         p->delay.kind == DLAB_DIST_CONSTANT && p->detection.kind == DLAB_DIST_CONSTANT;
    const dlab_election_case c = { .algorithm = p->algorithm,
                                   .failure = p->failure,
                                   .starters = p->starters,
                                   .order = p->id_order,
                                   .nodes = p->nodes,
                                   .delay = dlab_distribution_mean(&p->delay, ctx->pool),
                                   .detection = cold ? 0 : dlab_distribution_mean(&p->detection, ctx->pool),
                                   .timeout = p->timeout,
                                   .ttl = p->ttl,
                                   .renew = p->renew,
                                   .any_moment = is_any_moment(p) };
    const dlab_election_law l = dlab_election_theory(&c);
    const bool over = latest_failure(p) + 2 * l.downtime + p->renew < p->duration;
    for (int k = 0; theory_columns[k] != NULL; k++) values[k] = NAN;
    if (p->algorithm == DLAB_ELECTION_STATIC_PRIORITY && p->failure == DLAB_ELECTION_FAILURE_NONE && plain &&
        p->false_suspicion > 0 && p->mistake.kind == DLAB_DIST_EXPONENTIAL && p->mistake.shift == 0)
        values[3] = dlab_election_time_wrong(p->false_suspicion,
                                             dlab_distribution_mean(&p->mistake, ctx->pool), p->duration);
    if (!certain || !(over || isnan(l.downtime))) return DLAB_OK;
    values[0] = l.messages;
    values[1] =
        dlab_election_has_store(&(dlab_election){ .algorithm = p->algorithm }) ? NAN : l.announcements;
    values[2] = l.downtime;
    values[3] = isnan(l.messages) ? NAN : 0;
    return DLAB_OK;
}

const dlab_model dlab_consensus_leader_election = {
    .abi = DLAB_ABI,
    .name = "consensus.leader_election",
    .title = "Electing a leader: messages, time without one, time with two",
    .doc =
        "A leader fails and the others find a new one: by the bully, Chang-Roberts or Hirschberg-Sinclair "
        "algorithm, through a lease or a lock in a store, or by a list of priorities. Detectors need time "
        "and "
        "make mistakes, clocks drift; they tell of the failure, not of what the fault plan does. The model "
        "counts messages and the time in which nobody or two led.",
    .source = "Garcia-Molina (IEEE ToC C-31(1), 1982); Chang and Roberts (CACM 22(5), 1979); Hirschberg and "
              "Sinclair (CACM 23(11), 1980); Gray and Cheriton, Leases (SOSP 1989)",
    .params = param_fields,
    .metrics = metric_fields,
    .params_size = sizeof(params),
    .metrics_size = sizeof(metrics),
    .outputs = output_tables,
    .bugs = bugs,
    .trace = &dlab_election_schema,
    .theory_columns = theory_columns,
    .check = check,
    .warn = warn,
    .steps = steps,
    .run = run,
    .theory = theory,
};
