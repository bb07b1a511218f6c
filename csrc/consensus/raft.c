/* A cluster that runs Raft, with clients, on the network, the disks and the clocks of a world that fails.
 *
 * Servers keep registers; clients ask one operation after another (read, write, compare-and-set), again under
 * the same number until they are answered or give up. Faults strike servers and the links between servers;
 * clients reach every server that runs. Every promise of the protocol is looked at after every event
 * (raft_check.c); at the end all faults are healed and progress is demanded. What clients saw is a history,
 * which a checker can judge. The protocol itself is raft_step.c and the files beside it: the paper is Ongaro
 * and Ousterhout (2014), the thesis Ongaro (2014). */
#include <math.h>
#include <stdio.h>

#include "consensus/raft_drive.h"
#include "consensus/raft_past.h"

DLAB_DEFINE_BUGS(DLAB_RAFT_BUGS);

typedef struct params {
    int64_t nodes, outsiders, clients, keys;
    double client_rate, read_fraction, cas_fraction, op_timeout, retry_timeout;
    int32_t read_mode;
    bool reads_anywhere;
    double election_timeout, election_spread, heartbeat_interval, lease_margin;
    bool pre_vote, check_quorum, forward;
    int64_t batch, pipeline, snapshot_every, log_capacity;
    dlab_raft_past past;
    double batch_bytes, pipeline_bytes, uncommitted_bytes, command_bytes, chunk_bytes;
    int32_t log_backtrack, storage, timeout_restart;
    dlab_network network;
    dlab_distribution processing;
    dlab_disks disks;
    dlab_clocks clocks;
    double crash_rate, partition_rate, pause_rate, change_rate;
    dlab_distribution restart, partition, pause;
    int32_t crash_disk;
    double leader_crash;
    int64_t stale_followers;
    bool stop_at_leader;
    dlab_ref faults, changes;
    double duration, warmup, heal_time, sample_interval;
    bool stop_on_violation, check_history;
    int32_t bug;
} params;

typedef struct metrics {
    double throughput;
    dlab_histogram latency, read_latency, commit_latency;
    dlab_ratio success_ratio;
    double unavailability;
    dlab_histogram downtime;
    double repair_time;
    int64_t back_offs, divergent_entries, leaders, terms, commits, messages;
    double bytes;
    int64_t lost, stale_reads, violations, stuck;
    int32_t linearizable, broken;
    double broken_at;
} metrics;

#define SECONDS .unit = "s", .display = "ms", .log_scale = true
#define LAW .unit = "s", .min = 0, .max = 1e6, .log_scale = true
#define RATE .unit = "1/s", .min = 0, .max = 1000, .low = 0, .high = 1
#define BYTES .unit = "byte", .max = 1e9, .log_scale = true
#define RATIO .min = 0, .max = 1, .low = 0, .high = 1
static const dlab_field param_fields[] = {
    DLAB_FIELD(params, nodes, .dflt = 5, .min = 1, .max = DLAB_RAFT_SERVERS_MAX, .low = 3, .high = 9,
               .group = "Cluster", .doc = "Servers that vote at the start."),
    DLAB_FIELD(params, outsiders, .dflt = 0, .min = 0, .max = DLAB_RAFT_SERVERS_MAX - 1, .low = 0, .high = 4,
               .doc = "Servers that run but are no members yet; see changes and change_rate."),
    DLAB_FIELD(params, clients, .dflt = 10, .min = 0, .max = DLAB_RAFT_CLIENTS_MAX, .low = 1, .high = 50,
               .log_scale = true, .group = "Clients",
               .doc = "Clients; each has at most one operation under way."),
    DLAB_FIELD(params, client_rate, .unit = "1/s", .dflt = 100, .min = 1e-3, .max = 1e7, .low = 1,
               .high = 10000, .log_scale = true,
               .doc = "Operations all clients would begin per second if answers took no time."),
    DLAB_FIELD(params, keys, .dflt = 5, .min = 1, .max = DLAB_RAFT_KEYS_MAX, .low = 1, .high = 50,
               .doc = "Registers they read and write."),
    DLAB_FIELD(params, read_fraction, .dflt = 0.5, RATIO, .doc = "Share of reads."),
    DLAB_FIELD(params, cas_fraction, .dflt = 0, RATIO,
               .doc = "Share of compare-and-sets; the rest are writes of values never written before."),
    DLAB_FIELD(params, op_timeout, SECONDS, .dflt = 2, .min = 1e-3, .max = 1e6, .low = 0.1, .high = 60,
               .doc = "A client gives an operation up after this; its outcome is then unknown."),
    DLAB_FIELD(params, retry_timeout, SECONDS, .dflt = 0.3, .min = 1e-3, .max = 1e6, .low = 0.05, .high = 10,
               .doc = "Without an answer for this long a client asks the next server."),
    DLAB_FIELD(
        params, read_mode, .choices = dlab_raft_read_modes, .dflt = DLAB_RAFT_READ_INDEX_MODE,
        .doc = "log: a read is an entry; read_index: a round of heartbeats; lease: a recent round; local: "
               "no promise."),
    DLAB_FIELD(params, reads_anywhere, .doc = "Reads go to any server, which asks the leader for the index."),
    DLAB_FIELD(params, election_timeout, SECONDS, .dflt = 0.15, .min = 1e-4, .max = 1e3, .low = 0.01,
               .high = 2, .group = "Elections", .doc = "Shortest election timeout."),
    DLAB_FIELD(params, election_spread, SECONDS, .dflt = 0.15, .min = 0, .max = 1e3, .low = 0, .high = 1,
               .doc = "Election timeouts are uniform between election_timeout and this much more."),
    DLAB_FIELD(params, timeout_restart, .choices = dlab_raft_restarts,
               .doc = "heard: a timeout begins anew when a leader is heard or a vote is granted (the paper); "
                      "new_term: also in a new term and after a lost election (etcd)."),
    DLAB_FIELD(params, heartbeat_interval, SECONDS, .dflt = 0.05, .min = 1e-5, .max = 1e3, .low = 0.005,
               .high = 0.5, .doc = "Time between a leader's heartbeats."),
    DLAB_FIELD(params, pre_vote, .dflt = 1,
               .doc = "A server asks whether it would win before it raises its term."),
    DLAB_FIELD(params, check_quorum, .dflt = 1,
               .doc =
                   "A leader that hears no majority steps down; votes are refused while a leader is heard."),
    DLAB_FIELD(params, lease_margin, .dflt = 0.1, .min = 0, .max = 1, .low = 0, .high = 0.5,
               .doc = "Share by which a leader's read lease is shorter than election_timeout."),
    DLAB_FIELD(params, batch, .dflt = 64, .min = 1, .max = DLAB_RAFT_BATCH_MAX, .low = 1, .high = 1024,
               .log_scale = true, .group = "Replication", .doc = "Entries of one append at most."),
    DLAB_FIELD(params, batch_bytes, BYTES, .dflt = 1 << 20, .min = 1, .low = 1e3, .high = 1e7,
               .doc = "Bytes of one append at most (one entry always goes)."),
    DLAB_FIELD(params, pipeline, .dflt = 8, .min = 1, .max = DLAB_RAFT_WINDOW_MAX, .low = 1, .high = 64,
               .log_scale = true, .doc = "Appends on their way to one follower at most."),
    DLAB_FIELD(params, pipeline_bytes, BYTES, .dflt = 1 << 24, .min = 1, .low = 1e4, .high = 1e8,
               .doc = "Bytes on their way to one follower at most."),
    DLAB_FIELD(params, uncommitted_bytes, BYTES, .dflt = 1 << 24, .min = 1, .low = 1e4, .high = 1e8,
               .doc = "A leader with more than this uncommitted refuses commands."),
    DLAB_FIELD(params, command_bytes, .unit = "byte", .log_scale = true, .dflt = 64, .min = 1, .max = 1e6,
               .low = 16, .high = 1e5, .doc = "Bytes of one command."),
    DLAB_FIELD(
        params, log_backtrack, .choices = dlab_raft_backtracks,
        .doc = "How a leader finds where a follower's log agrees: by_term: a term per refusal; one_by_one: "
               "an entry."),
    DLAB_FIELD(params, forward, .doc = "Followers pass commands on to the leader instead of refusing them."),
    DLAB_FIELD(params, storage, .choices = dlab_raft_storages, .group = "Log",
               .doc = "sync: a server waits for its disk; async: writes of entries and applying run beside."),
    DLAB_FIELD(params, log_capacity, .dflt = 4096, .min = 16, .max = 1 << 17, .low = 256, .high = 65536,
               .log_scale = true, .doc = "Entries a log has room for (rounded up to a power of two)."),
    DLAB_FIELD(params, snapshot_every, .dflt = 1000, .min = 1, .max = 1 << 17, .low = 100, .high = 10000,
               .log_scale = true, .doc = "A snapshot is taken after so many applied entries."),
    DLAB_FIELD(params, chunk_bytes, .unit = "byte", .dflt = 1024, .min = 16, .max = 4096, .low = 64,
               .high = 4096, .log_scale = true, .doc = "Bytes of a snapshot in one message."),
    DLAB_GROUP(params, past, dlab_raft_past_fields, .group = "Logs at the start"),
    DLAB_GROUP(params, network, dlab_network_fields, .group = "Network"),
    DLAB_FIELD(params, processing, LAW, .optional = true, .low = 1e-6, .high = 1e-2, .group = "Servers",
               .doc = "Time a node takes for each message and timer. None: no time."),
    DLAB_GROUP(params, disks, dlab_disk_fields, .group = "Disks"),
    DLAB_GROUP(params, clocks, dlab_clock_fields, .group = "Clocks"),
    DLAB_FIELD(params, crash_rate, RATE, .group = "Faults", .doc = "Crashes of each server while it runs."),
    DLAB_FIELD(params, restart, LAW, .text = "exponential(500ms)", .low = 0.01, .high = 60,
               .doc = "How long a crashed server is down."),
    DLAB_FIELD(params, crash_disk, .choices = dlab_trace_keeps, .doc = "What a crash leaves of the disk."),
    DLAB_FIELD(params, partition_rate, RATE, .doc = "Partitions of the servers while there is none."),
    DLAB_FIELD(params, partition, LAW, .text = "exponential(500ms)", .low = 0.01, .high = 60,
               .doc = "How long a partition lasts; it cuts off a random minority."),
    DLAB_FIELD(params, pause_rate, RATE, .doc = "Pauses of each server while it runs."),
    DLAB_FIELD(params, pause, LAW, .text = "exponential(300ms)", .low = 0.01, .high = 60,
               .doc = "How long a paused server sleeps; it wakes believing old time."),
    DLAB_FIELD(params, change_rate, RATE,
               .doc = "Changes of membership: a random server is added, promoted or removed."),
    DLAB_FIELD(params, leader_crash, .unit = "s", .dflt = INFINITY, DLAB_OFF(INFINITY), .min = 0, .max = 1e6,
               .low = 0.5, .high = 5,
               .doc = "The leader crashes in the heartbeat interval that begins then, until faults end."),
    DLAB_FIELD(
        params, stale_followers, .dflt = 0, .min = 0, .max = DLAB_RAFT_SERVERS_MAX, .low = 0, .high = 2,
        .doc = "leader_crash: so many followers miss an entry before, each one more than the next, so logs "
               "differ."),
    DLAB_FIELD(params, stop_at_leader, .doc = "leader_crash: the run ends when somebody leads again."),
    DLAB_FIELD(params, faults, DLAB_FAULTS_FIELD),
    DLAB_FIELD(params, changes, .table = &dlab_raft_changes_table,
               .doc = "What an operator asks and when: members added, removed or replaced, transfers."),
    DLAB_FIELD(params, duration, .unit = "s", .dflt = 10, .min = 1e-3, .max = 1e6, .low = 1, .high = 60,
               .group = "Run", .doc = "Simulated time under faults."),
    DLAB_FIELD(params, warmup, .unit = "s", .dflt = 1, .min = 0, .max = 1e6, .low = 0, .high = 5,
               .doc = "Simulated time before anything is measured."),
    DLAB_FIELD(params, heal_time, .unit = "s", .dflt = 5, .min = 0, .max = 1e6, .low = 0, .high = 10,
               .doc = "Then all faults end and there must be progress; halfway the leader hears nobody any "
                      "more, and there must be progress again. 0: no such phase."),
    DLAB_FIELD(params, sample_interval, SECONDS, .dflt = 0.05, .min = 1e-4, .max = 1e3, .low = 0.01,
               .high = 1, .doc = "Time between rows of the tables cluster and servers."),
    DLAB_FIELD(params, stop_on_violation, .dflt = 1, .doc = "End the run at the first broken promise."),
    DLAB_FIELD(params, check_history, .dflt = 1, .doc = "Judge whether what clients saw is linearizable."),
    DLAB_FIELD(params, bug, .choices = bug_names, .group = "Planted bug",
               .doc = "A rule of the protocol that is left out, on purpose."),
    DLAB_END,
};

#define COUNT .max = 9e15
static const dlab_field metric_fields[] = {
    DLAB_FIELD(metrics, throughput, .unit = "1/s", .max = INFINITY, .doc = "Operations answered per second."),
    DLAB_FIELD(metrics, latency, .unit = "s", .display = "ms", .max = INFINITY,
               .doc = "From the invocation of an operation to its answer, retries included."),
    DLAB_FIELD(metrics, read_latency, .unit = "s", .display = "ms", .max = INFINITY,
               .doc = "The same, of reads."),
    DLAB_FIELD(metrics, commit_latency, .unit = "s", .display = "ms", .max = INFINITY,
               .doc = "From an entry's way into the leader's log until it is committed there."),
    DLAB_FIELD(metrics, success_ratio, .max = 1, .may_be_nan = true, .doc = "Share of operations answered."),
    DLAB_FIELD(metrics, unavailability, .unit = "s", .max = INFINITY, .may_be_nan = true,
               .doc = "Time without answers: silences longer than election_timeout + election_spread."),
    DLAB_FIELD(metrics, downtime, .unit = "s", .display = "ms", .max = INFINITY,
               .doc = "From the end of one leader to the next one."),
    DLAB_FIELD(metrics, repair_time, .unit = "s", .display = "ms", .max = INFINITY, .may_be_nan = true,
               .doc =
                   "From the election of a leader until it knew that the logs of all voters agree with its "
                   "own up to its first entry; of the first leader that got there."),
    DLAB_FIELD(metrics, back_offs, COUNT,
               .doc = "Times a leader went back in its log because a follower refused an append."),
    DLAB_FIELD(metrics, divergent_entries, COUNT, .doc = "Entries that servers cut from their logs again."),
    DLAB_FIELD(metrics, leaders, COUNT, .doc = "Times a server became leader."),
    DLAB_FIELD(metrics, terms, COUNT, .doc = "The highest term."),
    DLAB_FIELD(metrics, commits, COUNT, .doc = "The highest commit index."),
    DLAB_FIELD(metrics, messages, COUNT, .doc = "Messages sent, lost ones included."),
    DLAB_FIELD(metrics, bytes, .unit = "byte", .max = INFINITY, .doc = "Bytes sent."),
    DLAB_FIELD(metrics, lost, COUNT,
               .doc = "Clients whose last acknowledged write no server knows at the end."),
    DLAB_FIELD(metrics, stale_reads, COUNT,
               .doc = "Reads that miss a write acknowledged, to whomever, before they were invoked."),
    DLAB_FIELD(metrics, violations, COUNT,
               .doc = "Broken promises: after events, of the history, and of progress after healing."),
    DLAB_FIELD(
        metrics, linearizable, .choices = dlab_raft_verdicts,
        .doc = "Whether the history of what clients saw is linearizable; unknown: not checked, or too hard."),
    DLAB_FIELD(metrics, stuck, .max = 1,
               .doc = "1: no progress within heal_time after every fault had ended."),
    DLAB_FIELD(metrics, broken, .choices = dlab_raft_promises, .doc = "The first promise that was broken."),
    DLAB_FIELD(metrics, broken_at, .unit = "s", .max = INFINITY, .may_be_nan = true,
               .doc = "When the first promise was broken."),
    DLAB_END,
};

static uint32_t power_of_two(int64_t n)
{
    uint32_t size = 16;
    while (size < n) size *= 2;
    return size;
}

static dlab_raft raft_of(const params *p)
{
    const double think = p->clients > 0 ? (double)p->clients / p->client_rate : 0;
    return (dlab_raft){ .servers = (uint32_t)(p->nodes + p->outsiders),
                        .clients = (uint32_t)p->clients,
                        .keys = (uint32_t)p->keys,
                        .members = { .voters = (UINT32_C(1) << p->nodes) - 1 },
                        .election_least = dlab_ns(p->election_timeout),
                        .election_most = dlab_ns(p->election_timeout + p->election_spread),
                        .heartbeat = dlab_ns(p->heartbeat_interval),
                        .keeps_timeout = p->timeout_restart == DLAB_RAFT_RESTART_HEARD,
                        .pre_vote = p->pre_vote,
                        .quorum_check = p->check_quorum && p->bug != DLAB_RAFT_BUG_PRE_VOTE_ALONE,
                        .async_storage = p->storage == DLAB_RAFT_STORAGE_ASYNC,
                        .forward = p->forward,
                        .hints = p->log_backtrack == DLAB_RAFT_BACKTRACK_TERM,
                        .read_mode = p->read_mode,
                        .reads_anywhere = p->reads_anywhere,
                        .lease_margin = p->lease_margin,
                        .batch = (uint32_t)p->batch,
                        .window = (uint32_t)p->pipeline,
                        .log_capacity = power_of_two(p->log_capacity),
                        .snapshot_every = (uint32_t)p->snapshot_every,
                        .batch_bytes = (uint32_t)p->batch_bytes,
                        .window_bytes = (uint32_t)p->pipeline_bytes,
                        .uncommitted_bytes = (uint32_t)p->uncommitted_bytes,
                        .chunk = (uint32_t)p->chunk_bytes,
                        .command_bytes = (uint32_t)p->command_bytes,
                        .think_least = 0,
                        .think_most = dlab_ns(2 * think),
                        .retry = dlab_ns(p->retry_timeout),
                        .give_up = dlab_ns(p->op_timeout),
                        .reads = p->read_fraction,
                        .compare = p->cas_fraction,
                        .past_stray = (uint32_t)p->past.divergence,
                        .past_rival = (uint32_t)(p->past.rival_entries < 0 ? p->past.divergence
                                                                           : p->past.rival_entries),
                        .past_terms = (uint32_t)p->past.divergent_terms,
                        .bug = p->bug };
}

typedef struct cluster {
    const params *p;
    dlab_raft raft;
    dlab_core core;
    dlab_world world;
    dlab_raft_watch watch;
    dlab_raft_drive drive;
} cluster;

static bool is_over(const cluster *x)
{
    if (x->p->stop_on_violation && x->world.broken >= 0) return true;
    return x->p->stop_at_leader && x->drive.leader_died && x->watch.leader != 0;
}

static int step_until(cluster *x, int64_t until)
{
    for (;;) {
        const int taken = dlab_world_step(&x->world, until);
        if (taken < 0) return x->watch.ctx->err.code;
        if (taken == 0) return DLAB_OK;
        dlab_raft_watch_leader(&x->watch, &x->world);
        if (is_over(x)) return DLAB_OK;
    }
}

/* Time goes on to `until`: does somebody wait in vain? */
static int demand(cluster *x, int64_t until, metrics *m)
{
    const dlab_raft_progress before = dlab_raft_watch_progress(&x->watch, &x->world);
    if (step_until(x, until)) return x->watch.ctx->err.code;
    m->stuck = x->world.broken < 0 && dlab_raft_watch_in_vain(&x->watch, &x->world, &before);
    return DLAB_OK;
}

/* Safety under faults first, then liveness (two phases, as tigerbeetle's simulator runs them): all faults
 * end, and in half of heal_time a command must be committed. Then whoever leads hears nobody any more, and in
 * the other half the others, if they are a quorum, must commit one, and so must the old leader if they are
 * none. */
static int heal(cluster *x, metrics *m)
{
    const int64_t end = dlab_ns(x->p->duration) + dlab_ns(x->p->heal_time);
    if (x->p->heal_time <= 0 || x->world.broken >= 0 || is_over(x)) return DLAB_OK;
    if (dlab_raft_drive_heal(&x->drive) || dlab_faults_heal(&x->world.faults, &x->world) ||
        demand(x, dlab_ns(x->p->duration + x->p->heal_time / 2), m) || m->stuck || x->world.broken >= 0)
        return x->watch.ctx->err.code;
    dlab_raft_drive_deafen(&x->drive);
    return demand(x, end, m);
}

static void measure(cluster *x, metrics *m)
{
    const dlab_world *w = &x->world;
    const double measured = (double)(dlab_world_now(w) - x->watch.from) * 1e-9;
    dlab_raft_watch_end(&x->watch, w, &m->lost);
    m->throughput = measured > 0 ? (double)x->watch.answered / measured : 0;
    m->success_ratio =
        (dlab_ratio){ (double)x->watch.answered, (double)(x->watch.answered + x->watch.given_up) };
    m->unavailability = x->raft.clients > 0 ? (double)x->watch.outage * 1e-9 : NAN; /* nobody asks */
    m->repair_time = x->watch.repaired < 0 ? NAN : (double)x->watch.repaired * 1e-9;
    m->back_offs = (int64_t)x->watch.back_offs;
    m->divergent_entries = (int64_t)x->watch.divergent;
    m->stale_reads = (int64_t)x->watch.versions.stale;
    m->leaders = (int64_t)x->watch.leaders;
    m->commits = dlab_raft_watch_progress(&x->watch, w).commit;
    m->messages = (int64_t)w->net.sent;
    m->bytes = (double)w->net.bytes;
    m->violations = (int64_t)w->broken_count;
    m->broken = w->broken + 1;
    m->broken_at = w->broken >= 0 ? (double)w->broken_time * 1e-9 : NAN;
    for (uint32_t i = 0; i < x->raft.servers; i++) {
        const int64_t term = dlab_raft_hard_of(dlab_world_state(w, i))->term;
        if (term > m->terms) m->terms = term;
    }
}

static int open_cluster(cluster *x, metrics *m, dlab_ctx *ctx)
{
    const params *p = x->p;
    size_t changes;
    x->raft = raft_of(p);
    dlab_raft_lay_out(&x->raft);
    x->core = dlab_raft_core(&x->raft);
    x->watch = (dlab_raft_watch){ .from = dlab_ns(p->warmup),
                                  .gap = x->raft.election_most,
                                  .history_table = DLAB_RAFT_HISTORY_TABLE,
                                  .keeps_history = p->check_history,
                                  .latency = &m->latency,
                                  .read_latency = &m->read_latency,
                                  .commit_latency = &m->commit_latency,
                                  .downtime = &m->downtime };
    x->drive =
        (dlab_raft_drive){ .raft = &x->raft,
                           .core = &x->core,
                           .world = &x->world,
                           .ctx = ctx,
                           .sample_interval = dlab_ns(p->sample_interval),
                           .change_rate = p->change_rate,
                           .leader_crash = isinf(p->leader_crash) ? INT64_MAX : dlab_ns(p->leader_crash),
                           .stale_followers = (uint32_t)p->stale_followers };
    x->drive.changes = dlab_table_rows(ctx, &dlab_raft_changes_table, p->changes, &changes);
    x->drive.change_count = changes;
    if (ctx->err.code || dlab_histogram_open(&m->latency, &ctx->arena, &ctx->err) ||
        dlab_histogram_open(&m->read_latency, &ctx->arena, &ctx->err) ||
        dlab_histogram_open(&m->commit_latency, &ctx->arena, &ctx->err) ||
        dlab_histogram_open(&m->downtime, &ctx->arena, &ctx->err))
        return ctx->err.code;
    return dlab_raft_watch_open(&x->watch, &x->raft, ctx);
}

static int run(const void *params_, void *metrics_, dlab_ctx *ctx)
{
    const params *p = params_;
    metrics *m = metrics_;
    cluster x = { .p = p };
    dlab_fault_row rows[3];
    size_t n = dlab_raft_add_fault(rows, 0, p->crash_rate, DLAB_FAULT_CRASH, &p->restart, p->crash_disk);
    n = dlab_raft_add_fault(rows, n, p->partition_rate, DLAB_FAULT_PARTITION, &p->partition, 0);
    n = dlab_raft_add_fault(rows, n, p->pause_rate, DLAB_FAULT_PAUSE, &p->pause, 0);
    const dlab_world_setup setup = { .core = &x.core,
                                     .network = &p->network,
                                     .clocks = &p->clocks,
                                     .disks = &p->disks,
                                     .faults = p->faults,
                                     .more_faults = rows,
                                     .more_fault_count = n,
                                     .fault_nodes = (uint32_t)(p->nodes + p->outsiders),
                                     .processing = &p->processing,
                                     .check = true,
                                     .trace_table = DLAB_RAFT_TRACE_TABLE,
                                     .arg = &x.drive,
                                     .on_output = dlab_raft_drive_output,
                                     .on_event = dlab_raft_drive_event };
    if (open_cluster(&x, m, ctx)) return ctx->err.code;
    x.drive.watch = &x.watch;
    int code = dlab_world_open(&x.world, &setup, ctx);
    if (code == DLAB_OK) code = dlab_raft_drive_open(&x.drive);
    if (code == DLAB_OK) code = step_until(&x, dlab_ns(p->duration));
    if (code == DLAB_OK) code = heal(&x, m);
    if (code == DLAB_OK)
        code = dlab_raft_watch_judge(&x.watch, &x.world, p->read_mode != DLAB_RAFT_READ_LOCAL_MODE,
                                     m->stuck != 0, &m->linearizable);
    if (code == DLAB_OK) measure(&x, m);
    if (code == DLAB_OK) code = dlab_world_finish(&x.world);
    dlab_world_close(&x.world);
    dlab_raft_watch_close(&x.watch);
    return code;
}

static int check(const void *params_, const dlab_pool *pool, dlab_error *err)
{
    const params *p = params_;
    const int64_t servers = p->nodes + p->outsiders;
    if (servers > DLAB_RAFT_SERVERS_MAX)
        return dlab_fail(err, DLAB_EINVAL, "nodes + outsiders = %lld; at most %d servers", (long long)servers,
                         DLAB_RAFT_SERVERS_MAX);
    if (p->read_fraction + p->cas_fraction > 1)
        return dlab_fail(err, DLAB_EINVAL, "read_fraction + cas_fraction = %g is above 1",
                         p->read_fraction + p->cas_fraction);
    if (p->read_mode == DLAB_RAFT_READ_LEASE_MODE && !p->check_quorum)
        return dlab_fail(
            err, DLAB_EINVAL,
            "read_mode = lease needs check_quorum: votes must be refused while a leader is heard");
    if (dlab_raft_past_check(&p->past, p->nodes, p->log_capacity, err)) return err->code;
    if (p->snapshot_every >= p->log_capacity)
        return dlab_fail(err, DLAB_EINVAL, "snapshot_every = %lld must be below log_capacity = %lld",
                         (long long)p->snapshot_every, (long long)p->log_capacity);
    if (dlab_network_check(&p->network, (uint32_t)(servers + p->clients), pool, err)) return err->code;
    return dlab_faults_check_plan(p->faults, (uint32_t)servers, pool, err);
}

static bool warn(const void *params_, const dlab_pool *pool, char *text, size_t size)
{
    const params *p = params_;
    (void)pool;
    if (!isfinite(p->leader_crash) && (p->stop_at_leader || p->stale_followers > 0)) {
        (void)snprintf(text, size, "stop_at_leader and stale_followers do nothing without leader_crash");
        return true;
    }
    if (isfinite(p->leader_crash) && p->leader_crash >= p->duration) {
        (void)snprintf(text, size, "leader_crash = %g s is not before duration = %g s: no leader crashes",
                       p->leader_crash, p->duration);
        return true;
    }
    if (p->heartbeat_interval < p->election_timeout) return false;
    (void)snprintf(
        text, size,
        "heartbeat_interval = %g s is not below election_timeout = %g s: leaders are deposed for ever",
        p->heartbeat_interval, p->election_timeout);
    return true;
}

static double steps(const void *params_, const dlab_pool *pool)
{
    const params *p = params_;
    const double servers = (double)(p->nodes + p->outsiders), seconds = p->duration + p->heal_time;
    (void)pool;
    return seconds * (servers * 2 / p->heartbeat_interval + p->client_rate * (3 + 2.4 * servers));
}

const dlab_model dlab_consensus_raft = {
    .abi = DLAB_ABI,
    .name = "consensus.raft",
    .title = "Raft under every fault",
    .doc =
        "A cluster runs the complete Raft protocol (elections with pre-vote and quorum check, replication "
        "with a window, membership changes, snapshots, four kinds of reads, client sessions) on a network, "
        "disks and clocks that fail. Its promises are looked at after every event, and progress is demanded "
        "once all faults have ended.",
    .source =
        "Ongaro and Ousterhout, In Search of an Understandable Consensus Algorithm (extended version, 2014); "
        "Ongaro, Consensus: Bridging Theory and Practice (2014)",
    .params = param_fields,
    .metrics = metric_fields,
    .params_size = sizeof(params),
    .metrics_size = sizeof(metrics),
    .outputs = dlab_raft_tables,
    .bugs = bugs,
    .trace = &dlab_raft_schema,
    .check = check,
    .warn = warn,
    .steps = steps,
    .run = run,
};
