/* What a run of Raft is measured by: answers to clients, elections, downtime, the history of operations. */
#ifndef DISTLAB_CONSENSUS_RAFT_WATCH_H
#define DISTLAB_CONSENSUS_RAFT_WATCH_H
#include <distlab/history.h>

#include "consensus/raft_stale.h"
#include "sim/world.h"

/* An operation as the history tells it: one row when it is invoked, one when it ends. */
typedef struct dlab_raft_event {
    double time; /* s */
    int64_t process;
    int32_t type, f;              /* DLAB_HISTORY_*; 0 read, 1 write, 2 cas */
    int64_t key, value, expected; /* value: written, read or put in place; expected: of a cas; -1: none */
} dlab_raft_event;

typedef struct dlab_raft_watch {
    const dlab_raft *raft;
    dlab_ctx *ctx;
    int64_t from;       /* measure from this time on: ns */
    int64_t gap;        /* a silence longer than this is an outage: ns */
    int history_table;  /* output table; its rows are kept in `events` too */
    bool keeps_history; /* to be judged at the end */
    dlab_history history;
    int64_t *invoked;       /* when each client's operation began */
    uint32_t *process;      /* its process: a new one after an operation that was given up */
    uint32_t *acknowledged; /* sequence of the last write or cas that was answered ok */
    dlab_raft_versions versions;
    dlab_histogram *latency, *read_latency, *commit_latency, *downtime;
    int64_t *put_at;                      /* ring: when the leader put each entry into its log */
    uint32_t put, committed;              /* last entries of its that were looked at; */
    uint32_t last[DLAB_RAFT_SERVERS_MAX]; /* where each log ended after the event before */
    uint64_t divergent;
    int64_t last_answer, outage; /* ns */
    uint64_t answered, given_up, leaders;
    uint64_t served, abandoned;   /* operations answered by the cluster, or given up, warmup included */
    uint32_t leader, leader_term; /* node + 1 */
    int64_t leaderless_since;     /* -1: somebody leads */
    int64_t led_since, repaired;  /* ns; repaired: how long it took, -1: not yet */
    uint64_t back_offs;
} dlab_raft_watch;

int dlab_raft_watch_open(dlab_raft_watch *watch, const dlab_raft *raft, dlab_ctx *ctx);
void dlab_raft_watch_close(dlab_raft_watch *watch);

/* Hooks of the world. */
void dlab_raft_watch_output(void *arg, dlab_world *w, uint32_t node, const dlab_output *o);
void dlab_raft_watch_leader(dlab_raft_watch *watch, dlab_world *w);

/* The end of the run: silences that last are counted, acknowledged writes that nobody holds are lost. */
void dlab_raft_watch_end(dlab_raft_watch *watch, const dlab_world *w, int64_t *lost);

/* How far a cluster has come. */
typedef struct dlab_raft_progress {
    int64_t time;
    uint32_t commit; /* the highest commit index */
    uint64_t served, abandoned;
} dlab_raft_progress;
dlab_raft_progress dlab_raft_watch_progress(const dlab_raft_watch *watch, const dlab_world *w);

/* Has nothing been committed or answered since, although clients gave up or wait for half of that time? */
bool dlab_raft_watch_in_vain(const dlab_raft_watch *watch, const dlab_world *w,
                             const dlab_raft_progress *before);

/* The last promises: is what clients saw linearizable, every register by itself (*verdict: DLAB_VERDICT_*;
 * `promised`: a no breaks a promise), and was there progress? */
int dlab_raft_watch_judge(dlab_raft_watch *watch, dlab_world *w, bool promised, bool stuck, int32_t *verdict);

#endif
