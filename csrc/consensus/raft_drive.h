/* What goes on around a cluster of Raft servers in a run: samples of its state, requests of an operator,
 * random changes of membership, and the paper's experiment with a leader that crashes (section 9.3). */
#ifndef DISTLAB_CONSENSUS_RAFT_DRIVE_H
#define DISTLAB_CONSENSUS_RAFT_DRIVE_H
#include "consensus/raft_watch.h"

/* One row of the table `changes`: what an operator asks of whoever leads then. */
typedef struct dlab_raft_change {
    double time;
    int32_t ask;
    int64_t node, voters;
} dlab_raft_change;

extern const dlab_table dlab_raft_changes_table;

/* Rows of the output tables cluster and servers. */
typedef struct dlab_raft_sample {
    double time;
    int64_t term, leader, commit, lag, running;
} dlab_raft_sample;
typedef struct dlab_raft_server_sample {
    double time;
    int64_t server, term;
    int32_t role;
    int64_t commit, applied, last, match, next;
} dlab_raft_server_sample;

/* Output tables, in this order; history holds rows of dlab_raft_event. */
enum { DLAB_RAFT_TRACE_TABLE, DLAB_RAFT_HISTORY_TABLE, DLAB_RAFT_CLUSTER_TABLE, DLAB_RAFT_SERVERS_TABLE };
extern const dlab_table dlab_raft_tables[];

/* Names of choices. */
extern const char *const dlab_raft_read_modes[], *const dlab_raft_verdicts[], *const dlab_raft_promises[];
enum { DLAB_RAFT_BACKTRACK_TERM, DLAB_RAFT_BACKTRACK_ONE };
enum { DLAB_RAFT_RESTART_NEW_TERM, DLAB_RAFT_RESTART_HEARD };
enum { DLAB_RAFT_STORAGE_SYNC, DLAB_RAFT_STORAGE_ASYNC };
extern const char *const dlab_raft_backtracks[], *const dlab_raft_restarts[], *const dlab_raft_storages[];

typedef struct dlab_raft_drive {
    const dlab_raft *raft;
    const dlab_core *core;
    dlab_world *world;
    dlab_ctx *ctx;
    dlab_raft_watch *watch;
    const dlab_raft_change *changes;
    size_t change_count;
    int64_t sample_interval; /* ns; 0: no samples */
    double change_rate;      /* 1/s; 0: none */
    int64_t leader_crash;    /* ns; INT64_MAX: none */
    uint32_t stale_followers;
    uint32_t doomed, behind; /* the leader that is to crash; how many followers already miss entries */
    bool leader_died;        /* as leader_crash says */
    dlab_rng rng;
} dlab_raft_drive;

/* Schedule the first of everything. */
int dlab_raft_drive_open(dlab_raft_drive *drive);

/* Hooks of the world: arg is the drive. */
void dlab_raft_drive_output(void *arg, dlab_world *w, uint32_t node, const dlab_output *output);
int dlab_raft_drive_event(void *arg, dlab_world *w, const dlab_event *event);

/* All that the driver does to the cluster ends: members stay as they are, followers hear the leader again,
 * and one that was crashed as leader_crash says is started. */
int dlab_raft_drive_heal(dlab_raft_drive *drive);

/* From now on the leader hears no other server, if the others are a quorum without it. */
void dlab_raft_drive_deafen(dlab_raft_drive *drive);

uint32_t dlab_raft_leader(const dlab_raft_drive *drive);

/* Put row n of a plan of faults that strike at a rate, every server by itself, or the cluster by
 * partitions. A rate of 0 puts nothing. How many rows there are then. */
size_t dlab_raft_add_fault(dlab_fault_row *rows, size_t n, double rate, int32_t kind,
                           const dlab_distribution *duration, int32_t disk);

#endif
