/* Faults as a table: rows that say when, what, to whom and for how long; explicit (`time`) or drawn
 * (`rate`). A drawn row is an alternating renewal process: time to the next fault is exponential with the
 * rate, counted from the end of the last; the share of time without the fault is MTBF / (MTBF + MTTR).
 * With both, the first comes at `time`. Draws come from stream (FAULT, row << 16 | node), two words for each
 * fault; when, whom and how long are drawn from streams seeded by these words, so that a change of one moves
 * none of the others. Faults overlap: cuts and crashes are counted, factors multiply, shares add up as
 * independent losses, and what is left after the last one has ended is exactly what was there before. */
#ifndef DISTLAB_SIM_FAULTS_H
#define DISTLAB_SIM_FAULTS_H
#include <distlab/model.h>

struct dlab_world;

/* X(CODE, name): what `node`, `peer`, `members` and `amount` mean:
 *   crash: power fails, restart after the duration with the disk as `disk` says.
 *   pause: the node stops (garbage collection, a suspended machine) and wakes believing old time.
 *   slow: its processing and its disk take `amount` times as long.
 *   partition: `members` on one side, everybody else on the other; members blank: a random minority, the
 *   node in it if there is one.
 *   isolate: the node against everybody else. one_way: nothing from node to peer (peer blank: to anybody).
 *   partial: node and peer cannot talk (peer blank: one drawn), everybody else can.
 *   bridge: two halves that only `node` can reach; members blank: half of the others in order of ids.
 *   majority_ring: nodes on a ring in order of ids; each hears a majority around it, no two the same (as
 *   Jepsen's majorities-ring).
 *   flapping: like isolate, cut and healed again every `amount` seconds.
 *   clog: messages from node to peer are held until it ends. slow_link: node to peer takes `amount` times as
 *   long. degrade: node to peer loses a share `amount` more. Peer blank: to all others.
 *   gray: the node loses a share `amount` of the messages of kind `message` it sends. Peer blank: to anybody.
 *   clock_jump: the wall clock jumps by `amount` s. clock_drift: the rate is `amount` ppm for the duration.
 *   disk_full, disk_error: every write is refused, or fails. disk_slow: fsync takes `amount` times as long.
 *   disk_rot: a bit flips in each of `amount` sectors. */
#define DLAB_FAULTS(X)                \
    X(CRASH, "crash")                 \
    X(PAUSE, "pause")                 \
    X(SLOW, "slow")                   \
    X(PARTITION, "partition")         \
    X(ISOLATE, "isolate")             \
    X(ONE_WAY, "one_way")             \
    X(PARTIAL, "partial")             \
    X(BRIDGE, "bridge")               \
    X(MAJORITY_RING, "majority_ring") \
    X(FLAPPING, "flapping")           \
    X(CLOG, "clog")                   \
    X(SLOW_LINK, "slow_link")         \
    X(DEGRADE, "degrade")             \
    X(GRAY, "gray")                   \
    X(CLOCK_JUMP, "clock_jump")       \
    X(CLOCK_DRIFT, "clock_drift")     \
    X(DISK_FULL, "disk_full")         \
    X(DISK_ERROR, "disk_error")       \
    X(DISK_SLOW, "disk_slow")         \
    X(DISK_ROT, "disk_rot")

enum {
#define X(code, name) DLAB_FAULT_##code,
    DLAB_FAULTS(X)
#undef X
};

/* Whom a row strikes: the node it names, one drawn for each fault, each node by a process of its own, or
 * whoever leads at that moment (nobody when nobody does). */
#define DLAB_TARGETS(X) X(NODE, "node") X(RANDOM, "random") X(EACH, "each") X(LEADER, "leader")
enum {
#define X(code, name) DLAB_TARGET_##code,
    DLAB_TARGETS(X)
#undef X
};

enum { DLAB_FAULT_ROWS_MAX = 10000 };

/* One row of the table `faults`; blank cells: -1, amount INFINITY (a table not yet read: NaN, INT64_MIN). */
typedef struct dlab_fault_row {
    double time; /* s; blank: drawn with `rate` */
    double rate; /* 1/s, in the time without the fault; blank: once, at `time` */
    int32_t kind, target;
    int64_t node;               /* blank: the target says */
    int64_t peer;               /* blank: all others */
    int64_t members;            /* bit i: node i (of the first 62); blank: see above */
    dlab_distribution duration; /* s; off: until the run ends */
    double amount;
    int64_t message; /* kind of message that a gray node loses; blank: all */
    int32_t disk;    /* what a crash leaves: DLAB_KEEPS */
} dlab_fault_row;

extern const dlab_table dlab_faults_table;

/* A field of type table reference that a model holds: DLAB_FIELD(params, faults, DLAB_FAULTS_FIELD). */
#define DLAB_FAULTS_FIELD                                                                        \
    .table = &dlab_faults_table,                                                                 \
    .doc = "What goes wrong and when: rows of kind, time or rate, target and duration; none by " \
           "default.",                                                                           \
    .group = "Faults"

typedef struct dlab_fault dlab_fault; /* one process: a row, for one node when its target is each */

typedef struct dlab_faults {
    const dlab_fault_row *rows;
    size_t row_count;
    dlab_sampler *durations; /* of the rows */
    dlab_fault *processes;
    size_t count;
    uint64_t begun; /* faults so far */
    int64_t *rates; /* per node: the clock's ppb before a clock_drift; NULL: there never was one */
    bool healed;
} dlab_faults;

/* Rules for one row, and for the rows of a plan, against a world of `nodes` nodes (node and peer exist,
 * amount fits kind). What a row refuses whatever the world, it refuses for DLAB_NODES_MAX. */
int dlab_fault_check(const dlab_fault_row *row, uint32_t nodes, dlab_error *err);
int dlab_faults_check(const dlab_fault_row *rows, size_t count, uint32_t nodes, dlab_error *err);

/* The same for the rows a parameter refers to: for the check() of a model. */
int dlab_faults_check_plan(dlab_ref plan, uint32_t nodes, const dlab_pool *pool, dlab_error *err);

/* Schedule the first fault of each process. */
int dlab_faults_open(dlab_faults *f, dlab_ref plan, struct dlab_world *world);

/* Process k begins its fault now, or ends it (the world calls this for its events FAULT and HEAL). A fault
 * that flaps has events FAULT of its own, with numbers from f->count on. */
int dlab_faults_begin(dlab_faults *f, struct dlab_world *world, size_t k);
int dlab_faults_end(dlab_faults *f, struct dlab_world *world, size_t k);

/* End everything now and begin nothing more: the second phase of a run, which demands progress. */
int dlab_faults_heal(dlab_faults *f, struct dlab_world *world);

#endif
