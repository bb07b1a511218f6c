/* Which cable is cut, and who can still work? A partition strikes a full mesh of nodes at time 0; agents
 * probe the links at an interval, call a link cut after so many losses in a row, and report a matrix. The
 * model says how often the matrix is right, how long a verdict takes, and what the cut leaves to a protocol:
 * components, majorities, a leader, its clients. One run tries many cuts: all sets of links, or a sample.
 *
 * Assumptions: a probe goes one way and is counted where it arrives, so that the directions are told apart
 * (an echo could not); reports travel on a network of their own; probes are lost independently; a probe that
 * has not arrived after the timeout is lost; agents never fail. Verdicts are read when the last probe sent
 * within `duration` has had its timeout, and judged by the truth at `duration`. Links between zones only are
 * cut. What a link is worth to a protocol is judged both ways, and for a flapping link while it is down.
 *
 * Kinds follow Alquraan et al., An Analysis of Network-Partitioning Failures in Cloud Systems (OSDI 2018)
 * and Alfatafta et al., Toward a Generic Fault Tolerance Technique for Partial Network Partitioning (OSDI
 * 2020); a black hole of large packets is that of RFC 2923, section 2.1. */
#include <math.h>
#include <stdio.h>

#include "links/cut.h"
#include "links/probes.h"

#define BUGS(X)                                                                                          \
    X(NONE, "none", "Verdicts as they should be.", NULL, NULL)                                           \
    X(CUT_ASSUMED_SYMMETRIC, "cut_assumed_symmetric",                                                    \
      "A link that is cut in one direction is reported as cut in both.", "theory.false_cut",             \
      "kind=one_way cut_links=3 probe_loss=0.2 probes_per_verdict=2")                                    \
    X(ONE_LOSS_IS_A_CUT, "one_loss_is_a_cut", "The first lost probe already makes the verdict \"cut\".", \
      "theory.false_cut", "probe_loss=0.1 probes_per_verdict=2")

DLAB_DEFINE_BUGS(BUGS);

enum { KIND_COMPLETE, KIND_PARTIAL, KIND_ONE_WAY, KIND_FLAPPING, KIND_MTU };
enum { METHOD_SAMPLE, METHOD_EXHAUSTIVE };
enum { VERDICT_UP, VERDICT_CUT, VERDICT_UNSEEN };
static const char *const kinds[] = { "complete", "partial", "one_way", "flapping", "mtu", NULL };
static const char *const methods[] = { "sample", "exhaustive", NULL };
static const char *const verdicts[] = { "up", "cut", "unseen", NULL };
#define X(code, name) name,
static const char *const shapes[] = { DLAB_CUT_SHAPES(X) NULL };
#undef X

enum { TRIALS_MAX = 1000000, PROBES_MAX = 1000000, VERDICT_MAX = 64 };

typedef struct params {
    int64_t nodes, zones;
    int32_t kind;
    int64_t cut_links;
    double cut_probability, flap_period;
    int64_t mtu, message_size;
    double probe_interval, probe_loss;
    int64_t probe_size, probes_per_verdict;
    double timeout;
    int64_t vantage_points;
    double duration;
    int32_t method;
    int64_t trials;
    int32_t bug;
} params;

typedef struct metrics {
    dlab_ratio verdict_accuracy, false_cut, missed_cut, cuts_found, coverage, recovered, diagnosed;
    dlab_histogram time_to_verdict;
    dlab_ratio components, connected, transitive, majority, leader, quorum_nodes, clients_served;
    int64_t link_sets;
} metrics;

static const dlab_field param_fields[] = {
    DLAB_FIELD(params, nodes, .dflt = 6, .min = 2, .max = DLAB_CUT_NODES_MAX, .low = 3, .high = 9,
               .group = "Topology", .doc = "Nodes, each joined to each other one."),
    DLAB_FIELD(
        params, zones, .dflt = 3, DLAB_OFF(0), .min = 2, .max = DLAB_CUT_NODES_MAX, .low = 2, .high = 6,
        .doc = "Zones, as equal as can be; links inside a zone are never cut. None: each node is a zone."),
    DLAB_FIELD(params, kind, .choices = kinds, .dflt = KIND_PARTIAL, .group = "Cut",
               .doc = "complete: the zones fall into two sides; else some links are cut: both ways "
                      "(partial), one way, again and again (flapping), for large messages (mtu)."),
    DLAB_FIELD(params, cut_links, .dflt = 1, DLAB_OFF(-1), .min = 0,
               .max = DLAB_CUT_NODES_MAX * (DLAB_CUT_NODES_MAX - 1), .low = 0, .high = 12,
               .doc = "Links cut, but for complete; one_way: directions of links. None: each link by itself "
                      "with cut_probability."),
    DLAB_FIELD(params, cut_probability, .dflt = 0.5, .min = 0, .max = 1,
               .doc = "Probability that a link is cut, where cut_links is None."),
    DLAB_FIELD(params, flap_period, .unit = "s", .dflt = 10, .min = 1e-3, .max = 1e6, .low = 0.5, .high = 60,
               .log_scale = true, .doc = "flapping: half of this down, half of it up, and so on."),
    DLAB_FIELD(params, mtu, .unit = "byte", .dflt = 1280, .min = 1, .max = 1e9, .low = 576, .high = 9000,
               .doc = "mtu: what a cut link loses is larger than this."),
    DLAB_FIELD(params, message_size, .unit = "byte", .dflt = 1460, .min = 1, .max = 1e9, .low = 64,
               .high = 9000, .doc = "mtu: size of the messages that the nodes live by."),
    DLAB_FIELD(params, probe_interval, .unit = "s", .dflt = 1, .min = 1e-3, .max = 1e6, .low = 0.1,
               .high = 30, .log_scale = true, .group = "Probes",
               .doc = "Time between two probes of a direction of a link."),
    DLAB_FIELD(params, probe_loss, .dflt = 0.01, .min = 0, .max = 1, .low = 0, .high = 0.3,
               .doc = "Probability that a probe is lost on a link that is up."),
    DLAB_FIELD(params, probe_size, .unit = "byte", .dflt = 64, .min = 1, .max = 1e9, .low = 64, .high = 9000,
               .doc = "mtu: size of a probe."),
    DLAB_FIELD(params, probes_per_verdict, .dflt = 3, .min = 1, .max = VERDICT_MAX, .low = 1, .high = 6,
               .doc = "Probes lost in a row that make the verdict \"cut\"."),
    DLAB_FIELD(params, timeout, .unit = "s", .display = "ms", .dflt = 0.5, .min = 1e-6, .max = 1e6,
               .low = 0.01, .high = 5, .log_scale = true,
               .doc = "A probe that has not arrived within this time is lost."),
    DLAB_FIELD(params, vantage_points, .dflt = 0, DLAB_OFF(0), .min = 1, .max = DLAB_CUT_NODES_MAX, .low = 1,
               .high = 6,
               .doc = "Agents, at the first nodes; each watches both directions of its node's links. None: "
                      "one at each node."),
    DLAB_FIELD(params, duration, .unit = "s", .dflt = 30, .min = 1e-3, .max = 1e6, .low = 5, .high = 120,
               .doc = "Time from the beginning of the cut to the last probe that counts."),
    DLAB_FIELD(params, method, .choices = methods, .group = "Cuts tried",
               .doc = "sample: cuts are drawn; exhaustive: every set of links once, at most 2^20."),
    DLAB_FIELD(params, trials, .dflt = 200, .min = 1, .max = TRIALS_MAX, .low = 10, .high = 10000,
               .log_scale = true, .doc = "sample: cuts drawn."),
    DLAB_FIELD(params, bug, .choices = bug_names, .group = "Planted bug",
               .doc = "A textbook mistake, on purpose."),
    DLAB_END,
};

#define SHARE .max = 1, .may_be_nan = true
static const dlab_field metric_fields[] = {
    DLAB_FIELD(metrics, verdict_accuracy, SHARE, .doc = "Share of the watched directions judged rightly."),
    DLAB_FIELD(metrics, false_cut, SHARE, .doc = "Share of the watched directions that are up called cut."),
    DLAB_FIELD(metrics, missed_cut, SHARE, .doc = "Share of the watched directions that are cut called up."),
    DLAB_FIELD(metrics, cuts_found, SHARE, .doc = "Share of all directions that are cut called cut."),
    DLAB_FIELD(metrics, coverage, SHARE, .doc = "Share of all directions that somebody watches."),
    DLAB_FIELD(metrics, recovered, SHARE,
               .doc =
                   "Share of the cuts of which every direction is right; what nobody watches counts as up."),
    DLAB_FIELD(metrics, diagnosed, SHARE,
               .doc =
                   "Share of the cuts whose matrix has the right shape: whole, complete, partial, one_way."),
    DLAB_FIELD(metrics, time_to_verdict, .unit = "s", .max = INFINITY,
               .doc = "From the cut to the first verdict \"cut\", of the directions that got one."),
    DLAB_FIELD(metrics, components, .max = DLAB_CUT_NODES_MAX, .may_be_nan = true,
               .doc = "Groups of nodes joined by two-way links, over any number of hops: mean."),
    DLAB_FIELD(metrics, connected, SHARE, .doc = "Share of the cuts that leave one component."),
    DLAB_FIELD(metrics, transitive, SHARE,
               .doc =
                   "Share of the cuts that leave clean groups: if A reaches B and B reaches C, A reaches C."),
    DLAB_FIELD(metrics, majority, SHARE, .doc = "Share of the cuts that leave a majority in one component."),
    DLAB_FIELD(metrics, leader, SHARE,
               .doc = "Share of the cuts that leave a node with two-way links to a majority."),
    DLAB_FIELD(metrics, quorum_nodes, SHARE, .doc = "Share of the nodes that reach a majority directly."),
    DLAB_FIELD(metrics, clients_served, SHARE,
               .doc = "Share of the clients, one at each node, whose node reaches the best leader directly."),
    DLAB_FIELD(metrics, link_sets, .max = 9e15, .doc = "Cuts that were tried."),
    DLAB_END,
};

typedef struct matrix_row {
    int64_t cut, from, to;
    bool reachable;
    int32_t verdict;
} matrix_row;

typedef struct cut_row {
    int64_t cut, missing, components, largest, quorum_nodes, leader, served;
    bool transitive, majority;
    int32_t shape, diagnosis;
} cut_row;

static const dlab_field matrix_columns[] = {
    DLAB_FIELD(matrix_row, cut, .max = INFINITY, .doc = "Number of the cut."),
    DLAB_FIELD(matrix_row, from, .max = INFINITY, .doc = "Who sends."),
    DLAB_FIELD(matrix_row, to, .max = INFINITY, .doc = "Who receives."),
    DLAB_FIELD(matrix_row, reachable, .doc = "Messages get there, in truth."),
    DLAB_FIELD(matrix_row, verdict, .choices = verdicts, .doc = "What the agents say."),
    DLAB_END,
};
static const dlab_field cut_columns[] = {
    DLAB_FIELD(cut_row, cut, .max = INFINITY, .doc = "Number of the cut."),
    DLAB_FIELD(cut_row, missing, .max = INFINITY, .doc = "Directions that are cut."),
    DLAB_FIELD(cut_row, components, .max = INFINITY, .doc = "Groups joined by two-way links."),
    DLAB_FIELD(cut_row, largest, .max = INFINITY, .doc = "Nodes of the largest group."),
    DLAB_FIELD(cut_row, quorum_nodes, .max = INFINITY, .doc = "Nodes that reach a majority directly."),
    DLAB_FIELD(cut_row, leader, .min = -1, .max = INFINITY, .doc = "The best leader; -1: nobody can lead."),
    DLAB_FIELD(cut_row, served, .max = INFINITY, .doc = "Nodes the leader reaches, itself included."),
    DLAB_FIELD(cut_row, transitive, .doc = "Clean groups are left."),
    DLAB_FIELD(cut_row, majority, .doc = "A group has a majority."),
    DLAB_FIELD(cut_row, shape, .choices = shapes, .doc = "What the true matrix looks like."),
    DLAB_FIELD(cut_row, diagnosis, .choices = shapes, .doc = "What the reported matrix looks like."),
    DLAB_END,
};
enum { MATRIX_TABLE, CUTS_TABLE };
static const dlab_table output_tables[] = {
    { .name = "matrix",
      .doc = "Every direction of every cut: the truth and the verdict.",
      .columns = matrix_columns,
      .row_size = sizeof(matrix_row) },
    { .name = "cuts",
      .doc = "Every cut: what it leaves to a protocol.",
      .columns = cut_columns,
      .row_size = sizeof(cut_row) },
    { .name = NULL },
};

static bool directed(const params *p) { return p->kind == KIND_ONE_WAY; }
static uint32_t zones_of(const params *p) { return (uint32_t)(p->zones > 0 ? p->zones : p->nodes); }
static uint32_t agents_of(const params *p)
{
    return (uint32_t)(p->vantage_points > 0 ? p->vantage_points : p->nodes);
}

/* Does a message of this size miss the other end of a cut link? */
static bool stopped(const params *p, int64_t size) { return p->kind != KIND_MTU || size > p->mtu; }

static dlab_probes probes_of(const params *p)
{
    return (dlab_probes){ .interval = p->probe_interval,
                          .timeout = p->timeout,
                          .duration = p->duration,
                          .loss = p->probe_loss,
                          .needed = p->probes_per_verdict,
                          .period = p->kind == KIND_FLAPPING ? p->flap_period : 0 };
}

static dlab_cuts cuts_of(const params *p)
{
    return (dlab_cuts){ .nodes = (uint32_t)p->nodes,
                        .zones = zones_of(p),
                        .complete = p->kind == KIND_COMPLETE,
                        .directed = directed(p),
                        .links = p->cut_links,
                        .probability = p->cut_probability,
                        .count = dlab_cuts_links((uint32_t)p->nodes, zones_of(p), directed(p)) };
}

static double sets_of(const params *p)
{
    const dlab_cuts cuts = cuts_of(p);
    return p->method == METHOD_EXHAUSTIVE ? dlab_cuts_sets(&cuts) : (double)p->trials;
}

/* Units of work: the probes of all directions from one node. */
static uint64_t work_of_node(const params *p)
{
    const double probes = p->duration / p->probe_interval + (double)p->probes_per_verdict;
    return (uint64_t)((double)(p->nodes - 1) * (50 + probes) / 200);
}

/* The same of one cut, with what is left. */
static uint64_t work_of(const params *p) { return 2 + (uint64_t)p->nodes * work_of_node(p); }

/* One cut under trial: the links that are left, as the protocol sees them and as they are at `duration`; what
 * the agents say (what nobody watches counts as up). */
typedef struct trial {
    const params *p;
    metrics *m;
    dlab_ctx *ctx;
    int64_t number;
    double weight;
    dlab_reach left, truth, said;
    uint64_t watched[DLAB_CUT_NODES_MAX];
} trial;

/* Where in its period a flapping link is when the trouble begins; the same for both directions. */
static double shift_of(const trial *t, uint32_t a, uint32_t b)
{
    dlab_rng rng;
    if (t->p->kind != KIND_FLAPPING) return 0;
    const uint32_t low = a < b ? a : b, high = a < b ? b : a;
    dlab_stream(t->ctx, &rng, DLAB_PURPOSE_TIMER, (uint64_t)t->number << 12 | low << 6 | high);
    return dlab_rng_unit(&rng) * t->p->flap_period;
}

static int probe_all(trial *t)
{
    const params *p = t->p;
    const uint32_t n = (uint32_t)p->nodes, agents = agents_of(p);
    const uint64_t work = work_of_node(p);
    dlab_probes probes = probes_of(p);
    if (p->bug == BUG_ONE_LOSS_IS_A_CUT) probes.needed = 1;
    dlab_reach_whole(&t->truth, n);
    dlab_reach_whole(&t->said, n);
    for (uint32_t a = 0; a < n; a++) {
        t->watched[a] = 0;
        if (dlab_step(t->ctx, work)) return t->ctx->err.code;
        for (uint32_t b = 0; b < n; b++) {
            if (a == b) continue;
            const bool cut = !(t->left.to[a] >> b & 1u);
            const bool blocked = cut && stopped(p, p->probe_size);
            const double shift = cut ? shift_of(t, a, b) : 0;
            const bool down = cut && dlab_probes_down(&probes, p->duration + shift);
            if (down && stopped(p, p->message_size)) t->truth.to[a] &= ~(UINT64_C(1) << b);
            if (a >= agents && b >= agents) continue;
            double first;
            dlab_rng rng;
            dlab_stream(t->ctx, &rng, DLAB_PURPOSE_CHANCE, (uint64_t)t->number << 12 | a << 6 | b);
            t->watched[a] |= UINT64_C(1) << b;
            if (dlab_probes_watch(&probes, blocked, shift, &rng, &first))
                t->said.to[a] &= ~(UINT64_C(1) << b);
            if (cut && !isnan(first) && t->weight > 0)
                dlab_histogram_record(&t->m->time_to_verdict, dlab_ns(first));
        }
    }
    for (uint32_t a = 0; a < n && p->bug == BUG_CUT_ASSUMED_SYMMETRIC; a++)
        for (uint32_t b = 0; b < n; b++)
            if (!(t->said.to[b] >> a & 1u)) t->said.to[a] &= ~(UINT64_C(1) << b);
    return DLAB_OK;
}

static void add(dlab_ratio *ratio, double weight, double value)
{
    ratio->num += weight * value;
    ratio->den += weight;
}

static int judge_verdicts(trial *t)
{
    metrics *m = t->m;
    const int64_t n = t->p->nodes;
    for (int64_t a = 0; a < n; a++)
        for (int64_t b = 0; b < n; b++) {
            if (a == b) continue;
            const bool up = t->truth.to[a] >> b & 1u, said_up = t->said.to[a] >> b & 1u;
            const bool watched = t->watched[a] >> b & 1u;
            add(&m->coverage, t->weight, watched);
            if (!up) add(&m->cuts_found, t->weight, !said_up);
            if (watched) add(&m->verdict_accuracy, t->weight, up == said_up);
            if (watched) add(up ? &m->false_cut : &m->missed_cut, t->weight, up != said_up);
            if (!dlab_wants(t->ctx, MATRIX_TABLE)) continue;
            const int32_t verdict = watched ? (said_up ? VERDICT_UP : VERDICT_CUT) : VERDICT_UNSEEN;
            const matrix_row row = { t->number, a, b, up, verdict };
            if (dlab_emit(t->ctx, MATRIX_TABLE, &row)) return t->ctx->err.code;
        }
    return DLAB_OK;
}

static int judge_survival(trial *t)
{
    const params *p = t->p;
    metrics *m = t->m;
    const double n = (double)p->nodes, w = t->weight;
    const int32_t shape = dlab_reach_shape(&t->truth), diagnosis = dlab_reach_shape(&t->said);
    dlab_reach left = t->left;
    if (!stopped(p, p->message_size)) dlab_reach_whole(&left, left.nodes);
    const dlab_survival s = dlab_reach_survival(&left);
    const bool majority = s.largest > left.nodes / 2;
    add(&m->recovered, w, dlab_reach_same(&t->truth, &t->said));
    add(&m->diagnosed, w, shape == diagnosis);
    add(&m->components, w, s.components);
    add(&m->connected, w, s.components == 1);
    add(&m->transitive, w, s.transitive);
    add(&m->majority, w, majority);
    add(&m->leader, w, s.leader >= 0);
    add(&m->quorum_nodes, w, s.quorum_nodes / n);
    add(&m->clients_served, w, s.served / n);
    int64_t missing = 0;
    for (uint32_t a = 0; a < left.nodes; a++) missing += p->nodes - __builtin_popcountll(left.to[a]);
    const cut_row row = { t->number, missing,      s.components, s.largest, s.quorum_nodes, s.leader,
                          s.served,  s.transitive, majority,     shape,     diagnosis };
    return dlab_emit(t->ctx, CUTS_TABLE, &row);
}

static int run(const void *params_, void *metrics_, dlab_ctx *ctx)
{
    const params *p = params_;
    metrics *m = metrics_;
    trial t = { .p = p, .m = m, .ctx = ctx };
    dlab_cuts cuts = cuts_of(p);
    const bool all = p->method == METHOD_EXHAUSTIVE;
    if (dlab_histogram_open(&m->time_to_verdict, &ctx->arena, &ctx->err) || dlab_cuts_open(&cuts, ctx))
        return ctx->err.code;
    do {
        dlab_rng rng;
        if (dlab_step(ctx, 2)) return ctx->err.code;
        t.weight = 1;
        if (all) {
            t.weight = dlab_cuts_take(&cuts, &t.left);
        } else {
            dlab_stream(ctx, &rng, DLAB_PURPOSE_FAULT, (uint64_t)t.number);
            dlab_cuts_draw(&cuts, &rng, &t.left);
        }
        if (probe_all(&t) || judge_verdicts(&t) || judge_survival(&t)) return ctx->err.code;
        t.number++;
    } while (all ? dlab_cuts_next(&cuts) : t.number < p->trials);
    m->link_sets = t.number;
    return DLAB_OK;
}

static int check(const void *params_, const dlab_pool *pool, dlab_error *err)
{
    const params *p = params_;
    const dlab_cuts cuts = cuts_of(p);
    (void)pool;
    if (p->zones > p->nodes)
        return dlab_fail(err, DLAB_EINVAL, "zones = %lld is above nodes = %lld", (long long)p->zones,
                         (long long)p->nodes);
    if (p->vantage_points > p->nodes)
        return dlab_fail(err, DLAB_EINVAL, "vantage_points = %lld is above nodes = %lld",
                         (long long)p->vantage_points, (long long)p->nodes);
    if (p->kind != KIND_COMPLETE && p->cut_links > (int64_t)cuts.count)
        return dlab_fail(err, DLAB_EINVAL, "cut_links = %lld; between these zones are %u %s that can be cut",
                         (long long)p->cut_links, cuts.count,
                         cuts.directed ? "directions of links" : "links");
    if (p->duration / p->probe_interval > PROBES_MAX)
        return dlab_fail(err, DLAB_EINVAL, "duration / probe_interval = %g probes of a link; at most %d",
                         p->duration / p->probe_interval, PROBES_MAX);
    if (p->method == METHOD_EXHAUSTIVE && dlab_cuts_sets(&cuts) > DLAB_CUT_SETS_MAX)
        return dlab_fail(
            err, DLAB_EINVAL,
            "method = exhaustive has %.4g sets of links to try, at most %d: take method = sample",
            dlab_cuts_sets(&cuts), DLAB_CUT_SETS_MAX);
    return DLAB_OK;
}

static bool warn(const void *params_, const dlab_pool *pool, char *text, size_t size)
{
    const params *p = params_;
    const double run_of_probes = (double)(p->probes_per_verdict - 1) * p->probe_interval;
    (void)pool;
    if (p->kind == KIND_MTU && stopped(p, p->message_size) && !stopped(p, p->probe_size)) {
        (void)snprintf(text, size, "probes of %lld byte pass where messages of %lld byte vanish (mtu = %lld)",
                       (long long)p->probe_size, (long long)p->message_size, (long long)p->mtu);
        return true;
    }
    if (p->kind == KIND_FLAPPING && p->flap_period / 2 < run_of_probes) {
        (void)snprintf(text, size, "a link is down for %.4g s at a time; %lld probes in a row take %.4g s",
                       p->flap_period / 2, (long long)p->probes_per_verdict, run_of_probes);
        return true;
    }
    return false;
}

static double steps(const void *params_, const dlab_pool *pool)
{
    (void)pool;
    return sets_of(params_) * (double)work_of(params_);
}

static const char *const theory_columns[] = { "false_cut",    "missed_cut",
                                              "coverage",     "time_to_verdict_mean",
                                              "connected",    "majority",
                                              "quorum_nodes", NULL };

/* A share that a run of this size is expected to see at all: else a zero, or nothing, would be seen. */
static double seen_share(double share, double cases)
{
    return cases > 0 && (share == 0 || share * cases >= 1) ? share : NAN;
}

static void theory_of_verdicts(const params *p, double *false_cut, double *missed, double *time)
{
    const dlab_probes probes = probes_of(p);
    const double n = (double)p->nodes, k = (double)p->probes_per_verdict, r = n - agents_of(p);
    const double chance = pow(p->probe_loss, k), sets = sets_of(p);
    const double links = p->cut_links < 0 ? p->cut_probability * cuts_of(p).count : (double)p->cut_links;
    const double cut = directed(p) ? links : 2 * links, seen = n * (n - 1) - r * (r - 1);
    if (p->kind == KIND_FLAPPING || !stopped(p, p->message_size)) return;
    const double up = p->kind != KIND_COMPLETE ? seen - cut : n > 2 ? seen / 2 : 0;
    *false_cut = seen_share(chance, sets * fmax(up, 0));
    if (!stopped(p, p->probe_size)) {
        *missed = seen_share(1 - chance, sets * cut);
    } else if (p->duration >= k * p->probe_interval && (cut > 0 || p->kind == KIND_COMPLETE)) {
        *missed = 0;
        *time = dlab_probes_wait(&probes);
    }
}

static int theory(const void *params_, double *values, dlab_ctx *ctx)
{
    const params *p = params_;
    const double n = (double)p->nodes, r = n - agents_of(p);
    dlab_cut_law law;
    for (int i = 0; theory_columns[i] != NULL; i++) values[i] = NAN;
    values[2] = 1 - r * (r - 1) / (n * (n - 1));
    theory_of_verdicts(p, &values[0], &values[1], &values[3]);
    const bool all_alike = zones_of(p) == p->nodes && p->kind != KIND_COMPLETE && p->cut_links < 0;
    if (!all_alike || !stopped(p, p->message_size)) return DLAB_OK;
    const double one = p->cut_probability, down = directed(p) ? 1 - (1 - one) * (1 - one) : one;
    if (dlab_cut_law_of((uint32_t)p->nodes, down, &law, ctx)) return ctx->err.code;
    values[4] = law.connected, values[5] = law.majority, values[6] = law.quorum;
    return DLAB_OK;
}

const dlab_model dlab_links_partition_probe = {
    .abi = DLAB_ABI,
    .name = "links.partition_probe",
    .title = "Which links are cut, and who can still work",
    .doc =
        "A partition strikes a full mesh of nodes: complete, partial, one way, flapping or for large "
        "messages only. Agents probe the links and report a matrix of verdicts; the model judges the matrix, "
        "and counts the components, majorities, leaders and clients that the cut leaves, over all sets of "
        "links or over a sample.",
    .source = "Alquraan et al. (OSDI 2018); Alfatafta et al. (OSDI 2020); Gilbert (Annals of Mathematical "
              "Statistics 30, 1959); RFC 2923",
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
