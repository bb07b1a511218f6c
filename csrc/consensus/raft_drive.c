/* See raft_drive.h. */
#include <math.h>

#include "consensus/raft_drive.h"

static const char *const asks[] = {
#define X(code, name, a, b) name,
    DLAB_RAFT_REQUESTS(X)
#undef X
        NULL
};

static const dlab_field change_columns[] = {
    DLAB_FIELD(dlab_raft_change, time, .unit = "s", .min = 0, .max = 1e6, .doc = "When."),
    DLAB_FIELD(dlab_raft_change, ask, .choices = asks, .doc = "What the leader is asked to do."),
    DLAB_FIELD(dlab_raft_change, node, .dflt = -1, DLAB_OFF(-1), .min = 0, .max = DLAB_RAFT_SERVERS_MAX - 1,
               .doc = "Which server it is about."),
    DLAB_FIELD(dlab_raft_change, voters, .dflt = -1, DLAB_OFF(-1), .min = 1, .max = 65535,
               .doc = "change to: the new voters, server i as 2^i."),
    DLAB_END,
};
const dlab_table dlab_raft_changes_table = { .name = "changes",
                                             .doc =
                                                 "Changes of membership and other requests of an operator.",
                                             .columns = change_columns,
                                             .row_size = sizeof(dlab_raft_change) };

static const char *const role_names[] = {
#define X(code, name) name,
    DLAB_RAFT_ROLES(X)
#undef X
        NULL
};
static const char *const type_names[] = {
#define X(code, name) name,
    DLAB_HISTORY_TYPES(X)
#undef X
        NULL
};
static const char *const function_names[] = { "read", "write", "cas", NULL };
#define AT .unit = "s", .max = INFINITY, .doc = "When."
#define NUMBER .min = -1, .max = INFINITY
static const dlab_field cluster_columns[] = {
    DLAB_FIELD(dlab_raft_sample, time, AT),
    DLAB_FIELD(dlab_raft_sample, term, NUMBER, .doc = "The highest term of a running server."),
    DLAB_FIELD(dlab_raft_sample, leader, NUMBER, .doc = "Who leads it; -1: nobody."),
    DLAB_FIELD(dlab_raft_sample, commit, NUMBER, .doc = "The highest commit index."),
    DLAB_FIELD(dlab_raft_sample, lag, NUMBER,
               .doc = "Entries by which the last running follower is behind the leader."),
    DLAB_FIELD(dlab_raft_sample, running, NUMBER, .doc = "Servers that run."),
    DLAB_END,
};
static const dlab_field server_columns[] = {
    DLAB_FIELD(dlab_raft_server_sample, time, AT),
    DLAB_FIELD(dlab_raft_server_sample, server, NUMBER, .doc = "Which server."),
    DLAB_FIELD(dlab_raft_server_sample, term, NUMBER, .doc = "Its term."),
    DLAB_FIELD(dlab_raft_server_sample, role, .choices = role_names, .doc = "What it is."),
    DLAB_FIELD(dlab_raft_server_sample, commit, NUMBER, .doc = "Its commit index."),
    DLAB_FIELD(dlab_raft_server_sample, applied, NUMBER, .doc = "Entries it has applied."),
    DLAB_FIELD(dlab_raft_server_sample, last, NUMBER, .doc = "The last entry of its log."),
    DLAB_FIELD(dlab_raft_server_sample, match, NUMBER,
               .doc = "How far the leader knows its log to agree; -1: nobody leads."),
    DLAB_FIELD(dlab_raft_server_sample, next, NUMBER,
               .doc = "The entry the leader would send it next; -1: nobody leads, or it does itself."),
    DLAB_END,
};
static const dlab_field history_columns[] = {
    DLAB_FIELD(dlab_raft_event, time, AT),
    DLAB_FIELD(dlab_raft_event, process, NUMBER, .doc = "Who asks; a new number after an unknown outcome."),
    DLAB_FIELD(dlab_raft_event, type, .choices = type_names, .doc = "What happens to the operation."),
    DLAB_FIELD(dlab_raft_event, f, .choices = function_names, .doc = "The operation."),
    DLAB_FIELD(dlab_raft_event, key, NUMBER, .doc = "The register."),
    DLAB_FIELD(dlab_raft_event, value, NUMBER,
               .doc = "Written, or read; -1: not known. Registers begin at 0."),
    DLAB_FIELD(dlab_raft_event, expected, NUMBER, .doc = "cas: the value it replaces; else -1."),
    DLAB_END,
};
const dlab_table dlab_raft_tables[] = {
    DLAB_TRACE_TABLE,
    { .name = "history",
      .doc = "What clients asked and saw, in order.",
      .columns = history_columns,
      .row_size = sizeof(dlab_raft_event) },
    { .name = "cluster",
      .doc = "The cluster over time.",
      .columns = cluster_columns,
      .row_size = sizeof(dlab_raft_sample),
      .series = true },
    { .name = "servers",
      .doc = "Each server over time.",
      .columns = server_columns,
      .row_size = sizeof(dlab_raft_server_sample) },
    { .name = NULL },
};
enum { EVENT_SAMPLE = DLAB_EVENT_MODEL, EVENT_CHANGE, EVENT_CHURN, EVENT_LEADER_CRASH };
enum { AWAIT_BEAT, BEAT, CRASH }; /* what a leader that is to crash does next */

uint32_t dlab_raft_leader(const dlab_raft_drive *x)
{
    dlab_view view;
    dlab_world_view(x->world, &view);
    return x->core->leader(x->core, &view);
}

static int sample(dlab_raft_drive *x, const dlab_event *e)
{
    const uint32_t leader = dlab_raft_leader(x), servers = x->raft->servers;
    const double time = (double)e->time * 1e-9;
    dlab_raft_sample c = { .time = time, .leader = leader == DLAB_NO_NODE ? -1 : (int64_t)leader };
    const dlab_raft_live *lead =
        leader == DLAB_NO_NODE ? NULL : dlab_raft_live_of(x->raft, dlab_world_state(x->world, leader));
    for (uint32_t i = 0; i < servers; i++) {
        const void *state = dlab_world_state(x->world, i);
        const dlab_raft_live *v = dlab_raft_live_of(x->raft, state);
        const dlab_raft_server_sample row = { .time = time,
                                              .server = i,
                                              .term = dlab_raft_hard_of(state)->term,
                                              .role = (int32_t)v->role,
                                              .commit = v->commit,
                                              .applied = v->applied,
                                              .last = v->last,
                                              .match = lead == NULL  ? -1
                                                       : i == leader ? (int64_t)lead->stable
                                                                     : (int64_t)lead->peers[i].match,
                                              .next = lead == NULL || i == leader
                                                          ? -1
                                                          : (int64_t)lead->peers[i].next };
        if (dlab_emit(x->ctx, DLAB_RAFT_SERVERS_TABLE, &row)) return x->ctx->err.code;
        if (row.commit > c.commit) c.commit = row.commit;
        if (x->world->nodes[i].status == DLAB_NODE_DOWN) continue;
        c.running++;
        if (row.term > c.term) c.term = row.term;
        if (lead != NULL && (int64_t)lead->last - row.last > c.lag) c.lag = (int64_t)lead->last - row.last;
    }
    if (dlab_emit(x->ctx, DLAB_RAFT_CLUSTER_TABLE, &c)) return x->ctx->err.code;
    return dlab_world_at(x->world, e->time + x->sample_interval, EVENT_SAMPLE, 0, 0, 0);
}

static int ask_leader(dlab_raft_drive *x, unsigned ask, uint32_t what)
{
    const uint32_t leader = dlab_raft_leader(x);
    if (leader == DLAB_NO_NODE) return DLAB_OK;
    return dlab_world_request(x->world, leader, dlab_world_now(x->world), 0, ask, what, 0);
}

/* A random change that leaves a voter: somebody out comes in, a learner is promoted, a voter goes. */
static int churn(dlab_raft_drive *x, const dlab_event *e)
{
    const uint32_t leader = dlab_raft_leader(x), node = (uint32_t)dlab_rng_below(&x->rng, x->raft->servers);
    const uint64_t kind = dlab_rng_below(&x->rng, 3);
    if (x->change_rate <= 0) return DLAB_OK;
    const int64_t next = e->time + (int64_t)(dlab_rng_exponential(&x->rng) / x->change_rate * 1e9);
    if (dlab_world_at(x->world, next, EVENT_CHURN, 0, 0, 0)) return x->ctx->err.code;
    if (leader == DLAB_NO_NODE) return DLAB_OK;
    const dlab_raft_members *m = &dlab_raft_live_of(x->raft, dlab_world_state(x->world, leader))->members;
    const uint32_t bit = UINT32_C(1) << node;
    if ((m->voters & bit) != 0)
        return kind > 0 || __builtin_popcount(m->voters) > 2 ? ask_leader(x, DLAB_RAFT_ASK_REMOVE, node)
                                                             : DLAB_OK;
    if ((m->learners & bit) != 0) return ask_leader(x, DLAB_RAFT_ASK_PROMOTE, node);
    return ask_leader(x, kind == 0 ? DLAB_RAFT_ASK_ADD_LEARNER : DLAB_RAFT_ASK_ADD_VOTER, node);
}

/* Those that vote at the start; outsiders come after them. */
static uint32_t voters(const dlab_raft_drive *x)
{
    return (uint32_t)__builtin_popcount(x->raft->members.voters);
}

/* Follower number k, from the last voter on, loses the appends of the leader, or none any more. */
static int set_behind(dlab_raft_drive *x, uint32_t k, int by)
{
    const uint32_t last = voters(x) - 1 - k, follower = last - (last <= x->doomed);
    return dlab_net_gray(&x->world->net, x->doomed,
                         (dlab_gray){ .kind = DLAB_RAFT_APPEND, .peer = follower, .share = 1 }, by);
}

static int let_catch_up(dlab_raft_drive *x)
{
    for (; x->behind > 0; x->behind--)
        if (set_behind(x, x->behind - 1, -1)) return x->ctx->err.code;
    return DLAB_OK;
}

/* Before anything else has happened, or when the leader has changed. */
static int begin_crash(dlab_raft_drive *x, int64_t when)
{
    if (let_catch_up(x)) return x->ctx->err.code;
    return dlab_world_at(x->world, when, EVENT_LEADER_CRASH, 0, AWAIT_BEAT, 0);
}

/* The paper's experiment (section 9.3): "the servers in each trial had different log lengths", so in each
 * interval before one more follower misses an entry; after a "synchronized broadcast of heartbeat RPCs" "the
 * leader was crashed uniformly randomly within its heartbeat interval". */
static int crash_leader(dlab_raft_drive *x, const dlab_event *e)
{
    dlab_world *w = x->world;
    const uint32_t leader = dlab_raft_leader(x);
    const uint32_t behind = x->stale_followers < voters(x) ? x->stale_followers : voters(x) - 1;
    if (x->leader_crash == INT64_MAX) return DLAB_OK; /* healed meanwhile */
    if (leader == DLAB_NO_NODE || (leader != x->doomed && (x->behind > 0 || e->a == CRASH)))
        return begin_crash(x, e->time + x->raft->heartbeat);
    const dlab_node *node = &w->nodes[leader];
    const int64_t beat =
        node->timer_local[DLAB_RAFT_TIMER_HEARTBEAT_DUE] - dlab_clock_mono(&node->clock, e->time);
    x->doomed = leader;
    if (e->a == AWAIT_BEAT && beat > 0)
        return dlab_world_at(w, e->time + beat + 1, EVENT_LEADER_CRASH, 0, BEAT, 0);
    if (e->a == CRASH) {
        x->leader_died = true;
        return dlab_world_crash(w, leader, DLAB_KEEP_SYNCED);
    }
    if (x->behind < behind) {
        if (set_behind(x, x->behind++, 1) || ask_leader(x, DLAB_RAFT_ASK_APPEND_NOOP, 0))
            return x->ctx->err.code;
        return dlab_world_at(w, e->time + 1, EVENT_LEADER_CRASH, 0, AWAIT_BEAT, 0);
    }
    const int64_t dies = e->time + (int64_t)(dlab_rng_unit(&x->rng) * (double)x->raft->heartbeat);
    return dlab_world_at(w, dies, EVENT_LEADER_CRASH, 0, CRASH, 0);
}

int dlab_raft_drive_event(void *arg, dlab_world *w, const dlab_event *e)
{
    dlab_raft_drive *x = arg;
    const dlab_raft_change *change;
    (void)w;
    switch (e->kind) {
    case EVENT_SAMPLE: return sample(x, e);
    case EVENT_CHURN: return churn(x, e);
    case EVENT_LEADER_CRASH: return crash_leader(x, e);
    default:
        change = &x->changes[e->a];
        return ask_leader(x, (unsigned)change->ask,
                          (uint32_t)(change->ask == DLAB_RAFT_ASK_JOINT ? change->voters : change->node));
    }
}

void dlab_raft_drive_output(void *arg, dlab_world *w, uint32_t node, const dlab_output *output)
{
    dlab_raft_watch_output(((dlab_raft_drive *)arg)->watch, w, node, output);
}

int dlab_raft_drive_heal(dlab_raft_drive *x)
{
    x->change_rate = 0;
    x->leader_crash = INT64_MAX;
    if (let_catch_up(x)) return x->ctx->err.code;
    if (!x->leader_died || x->world->nodes[x->doomed].status != DLAB_NODE_DOWN) return DLAB_OK;
    return dlab_world_restart(x->world, x->doomed);
}

void dlab_raft_drive_deafen(dlab_raft_drive *x)
{
    const uint32_t leader = dlab_raft_leader(x);
    if (leader == DLAB_NO_NODE) return;
    const dlab_raft_live *v = dlab_raft_live_of(x->raft, dlab_world_state(x->world, leader));
    const uint32_t others = (v->members.voters | v->members.outgoing) & ~(UINT32_C(1) << leader);
    if (!dlab_raft_is_quorum(&v->members, others) || v->members_index > v->commit) return;
    for (uint32_t i = 0; i < x->raft->servers; i++)
        if (i != leader) dlab_net_cut(&x->world->net, i, leader, 1);
}

int dlab_raft_drive_open(dlab_raft_drive *x)
{
    dlab_world *w = x->world;
    dlab_stream(x->ctx, &x->rng, DLAB_PURPOSE_CLIENT, 1);
    const bool samples =
        dlab_wants(x->ctx, DLAB_RAFT_CLUSTER_TABLE) || dlab_wants(x->ctx, DLAB_RAFT_SERVERS_TABLE);
    if (samples && dlab_world_at(w, 0, EVENT_SAMPLE, 0, 0, 0)) return x->ctx->err.code;
    if (x->change_rate > 0 &&
        dlab_world_at(w, (int64_t)(dlab_rng_exponential(&x->rng) / x->change_rate * 1e9), EVENT_CHURN, 0, 0,
                      0))
        return x->ctx->err.code;
    if (x->leader_crash != INT64_MAX && begin_crash(x, x->leader_crash)) return x->ctx->err.code;
    for (size_t k = 0; k < x->change_count; k++)
        if (dlab_world_at(w, (int64_t)(x->changes[k].time * 1e9), EVENT_CHANGE, 0, k, 0))
            return x->ctx->err.code;
    return DLAB_OK;
}

size_t dlab_raft_add_fault(dlab_fault_row *rows, size_t n, double rate, int32_t kind,
                           const dlab_distribution *duration, int32_t disk)
{
    if (rate <= 0) return n;
    rows[n] = (dlab_fault_row){ .time = -1,
                                .rate = rate,
                                .kind = kind,
                                .target = kind == DLAB_FAULT_PARTITION ? DLAB_TARGET_NODE : DLAB_TARGET_EACH,
                                .node = -1,
                                .peer = -1,
                                .members = -1,
                                .duration = *duration,
                                .amount = INFINITY,
                                .message = -1,
                                .disk = disk };
    return n + 1;
}
