/* The models of this build as C structs. Generated from the descriptors by tools/generate.py: do not edit.
 *
 * Every struct has the memory of the model's own: fill one with dlab_params_default, change what you like and
 * give it to a dlab_sweep. Units are SI; "off" is the number that switches a parameter off. */
#ifndef DISTLAB_MODELS_H
#define DISTLAB_MODELS_H
#include <distlab/sweep.h>

/* clang-format off */

/* check.linearizability: A linearizability checker on made-up histories */
enum {
    DLAB_CHECK_LINEARIZABILITY_GENERATOR_REGISTER = 0, DLAB_CHECK_LINEARIZABILITY_GENERATOR_CAS_REGISTER = 1,
    DLAB_CHECK_LINEARIZABILITY_GENERATOR_MULTI_REGISTER = 2,
    DLAB_CHECK_LINEARIZABILITY_GENERATOR_KEY_VALUE = 3, DLAB_CHECK_LINEARIZABILITY_GENERATOR_SET = 4,
    DLAB_CHECK_LINEARIZABILITY_GENERATOR_QUEUE = 5, DLAB_CHECK_LINEARIZABILITY_GENERATOR_STACK = 6,
    DLAB_CHECK_LINEARIZABILITY_GENERATOR_COUNTER = 7, DLAB_CHECK_LINEARIZABILITY_GENERATOR_MUTEX = 8,
    DLAB_CHECK_LINEARIZABILITY_GENERATOR_LIST_APPEND = 9,
};
enum {
    DLAB_CHECK_LINEARIZABILITY_SPECIFICATION_AS_GENERATED = 0,
    DLAB_CHECK_LINEARIZABILITY_SPECIFICATION_REGISTER = 1,
    DLAB_CHECK_LINEARIZABILITY_SPECIFICATION_CAS_REGISTER = 2,
    DLAB_CHECK_LINEARIZABILITY_SPECIFICATION_MULTI_REGISTER = 3,
    DLAB_CHECK_LINEARIZABILITY_SPECIFICATION_KEY_VALUE = 4, DLAB_CHECK_LINEARIZABILITY_SPECIFICATION_SET = 5,
    DLAB_CHECK_LINEARIZABILITY_SPECIFICATION_QUEUE = 6, DLAB_CHECK_LINEARIZABILITY_SPECIFICATION_STACK = 7,
    DLAB_CHECK_LINEARIZABILITY_SPECIFICATION_COUNTER = 8, DLAB_CHECK_LINEARIZABILITY_SPECIFICATION_MUTEX = 9,
    DLAB_CHECK_LINEARIZABILITY_SPECIFICATION_LIST_APPEND = 10,
    DLAB_CHECK_LINEARIZABILITY_SPECIFICATION_USER = 11,
};
enum {
    DLAB_CHECK_LINEARIZABILITY_CRITERION_LINEARIZABILITY = 0,
    DLAB_CHECK_LINEARIZABILITY_CRITERION_SEQUENTIAL = 1,
};
enum {
    DLAB_CHECK_LINEARIZABILITY_FAIL_SEMANTICS_NEVER = 0,
    DLAB_CHECK_LINEARIZABILITY_FAIL_SEMANTICS_MISMATCH = 1,
    DLAB_CHECK_LINEARIZABILITY_FAIL_SEMANTICS_MAYBE = 2,
};
enum {
    DLAB_CHECK_LINEARIZABILITY_SWITCHED_OFF_WINDOW = 1 << 0,
    DLAB_CHECK_LINEARIZABILITY_SWITCHED_OFF_READS = 1 << 1,
    DLAB_CHECK_LINEARIZABILITY_SWITCHED_OFF_EQUAL = 1 << 2,
    DLAB_CHECK_LINEARIZABILITY_SWITCHED_OFF_EARLIEST = 1 << 3,
    DLAB_CHECK_LINEARIZABILITY_SWITCHED_OFF_FEWER = 1 << 4,
    DLAB_CHECK_LINEARIZABILITY_SWITCHED_OFF_OUTLOOK = 1 << 5,
    DLAB_CHECK_LINEARIZABILITY_SWITCHED_OFF_UNIQUE = 1 << 6,
    DLAB_CHECK_LINEARIZABILITY_SWITCHED_OFF_KEYS = 1 << 7,
    DLAB_CHECK_LINEARIZABILITY_SWITCHED_OFF_LINES = 1 << 8,
};
enum {
    DLAB_CHECK_LINEARIZABILITY_BUG_NONE = 0, DLAB_CHECK_LINEARIZABILITY_BUG_UNKNOWN_TREATED_AS_FAILED = 1,
    DLAB_CHECK_LINEARIZABILITY_BUG_REAL_TIME_IGNORED = 2,
    DLAB_CHECK_LINEARIZABILITY_BUG_WRITE_TAKEN_AS_READ = 3,
};
typedef struct dlab_check_linearizability_params {
    /* What the clients work on. */
    int32_t generator;
    /* What the objects promise. */
    int32_t specification;
    /* Linearizability keeps real time, sequential consistency only each process's own order. */
    int32_t criterion;
    /* What a failed operation says: it did not happen; it also saw why (a compare-and-set its mismatch, a
     * lock its holder); or nothing, it may have happened. */
    int32_t fail_semantics;
    /* [1 .. 100000] Operations of the history. */
    int64_t ops;
    /* [1 .. 10000] Clients, each with one operation open at a time. */
    int64_t clients;
    /* [1 .. 10000] Objects; each operation picks one uniformly. */
    int64_t keys;
    /* [1 .. 1e+06, 0: off] Written values are drawn from so many. None: each value is written once. */
    int64_t values;
    /* [0 .. 1] Share of operations that read. */
    double read_fraction;
    /* [0 .. 1] Share of operations that never answer; half of them take effect. */
    double crash_fraction;
    /* [0 .. 1000] Mean pause between an answer and the next call, in mean durations. */
    double idle_ratio;
    /* [0 .. 1] Share of operations that go wrong: a stale read, a lost update, an element given out twice,
     * a lock given to two. */
    double bug_rate;
    /* [1 .. 1e+12] Budget of states; the verdict is unknown beyond. */
    int64_t states_max;
    /* After a no, find the shortest failing window and shrink it. */
    bool explain;
    /* Ways to search less that are switched off; the verdict stays, the work grows. */
    uint32_t switched_off;
    /* A textbook mistake of the checker, on purpose. */
    int32_t bug;
} dlab_check_linearizability_params;
_Static_assert(offsetof(dlab_check_linearizability_params, generator) == 0, "generator");
_Static_assert(offsetof(dlab_check_linearizability_params, specification) == 4, "specification");
_Static_assert(offsetof(dlab_check_linearizability_params, criterion) == 8, "criterion");
_Static_assert(offsetof(dlab_check_linearizability_params, fail_semantics) == 12, "fail_semantics");
_Static_assert(offsetof(dlab_check_linearizability_params, ops) == 16, "ops");
_Static_assert(offsetof(dlab_check_linearizability_params, clients) == 24, "clients");
_Static_assert(offsetof(dlab_check_linearizability_params, keys) == 32, "keys");
_Static_assert(offsetof(dlab_check_linearizability_params, values) == 40, "values");
_Static_assert(offsetof(dlab_check_linearizability_params, read_fraction) == 48, "read_fraction");
_Static_assert(offsetof(dlab_check_linearizability_params, crash_fraction) == 56, "crash_fraction");
_Static_assert(offsetof(dlab_check_linearizability_params, idle_ratio) == 64, "idle_ratio");
_Static_assert(offsetof(dlab_check_linearizability_params, bug_rate) == 72, "bug_rate");
_Static_assert(offsetof(dlab_check_linearizability_params, states_max) == 80, "states_max");
_Static_assert(offsetof(dlab_check_linearizability_params, explain) == 88, "explain");
_Static_assert(offsetof(dlab_check_linearizability_params, switched_off) == 92, "switched_off");
_Static_assert(offsetof(dlab_check_linearizability_params, bug) == 96, "bug");
_Static_assert(sizeof(dlab_check_linearizability_params) == 104, "dlab_check_linearizability_params");
typedef struct dlab_check_linearizability_metrics {
    /* [0 .. 1] Share of the decided histories that pass. */
    dlab_ratio linearizable;
    /* [0 .. 1] Share of histories the budget was too small for. */
    dlab_ratio undecided;
    /* [0 .. 1] Share of histories without a defect that are refused. */
    dlab_ratio false_alarms;
    /* [0 .. 1] Share of histories proven bad by a stale read that are accepted (registers whose values are
     * written once). */
    dlab_ratio missed;
    /* [0 .. inf] States explored, explaining included. */
    int64_t states;
    /* [0 .. inf] States remembered as leading nowhere, 24 bytes each. */
    int64_t dead_states;
    /* [byte, 0 .. inf] Most memory the check held. */
    int64_t peak_memory;
    /* [0 .. inf] Most answered operations of one object open at once. */
    int64_t open_ops;
    /* [0 .. inf] Defects planted. */
    int64_t planted;
    /* [0 .. inf] Operations of the shortest failing window; NaN after a yes. */
    double window_ops;
    /* [0 .. inf] Operations left after shrinking it; NaN after a yes. */
    double shrunk_ops;
} dlab_check_linearizability_metrics;
_Static_assert(offsetof(dlab_check_linearizability_metrics, linearizable) == 0, "linearizable");
_Static_assert(offsetof(dlab_check_linearizability_metrics, undecided) == 16, "undecided");
_Static_assert(offsetof(dlab_check_linearizability_metrics, false_alarms) == 32, "false_alarms");
_Static_assert(offsetof(dlab_check_linearizability_metrics, missed) == 48, "missed");
_Static_assert(offsetof(dlab_check_linearizability_metrics, states) == 64, "states");
_Static_assert(offsetof(dlab_check_linearizability_metrics, dead_states) == 72, "dead_states");
_Static_assert(offsetof(dlab_check_linearizability_metrics, peak_memory) == 80, "peak_memory");
_Static_assert(offsetof(dlab_check_linearizability_metrics, open_ops) == 88, "open_ops");
_Static_assert(offsetof(dlab_check_linearizability_metrics, planted) == 96, "planted");
_Static_assert(offsetof(dlab_check_linearizability_metrics, window_ops) == 104, "window_ops");
_Static_assert(offsetof(dlab_check_linearizability_metrics, shrunk_ops) == 112, "shrunk_ops");
_Static_assert(sizeof(dlab_check_linearizability_metrics) == 120, "dlab_check_linearizability_metrics");
typedef struct dlab_check_linearizability_history_row {
    /* [0 .. inf] Its number, in the order of calls. */
    int64_t operation;
    /* [0 .. inf] Who asked; a client that got no answer goes on under a new number. */
    int64_t process;
    /* What was asked. */
    int32_t function;
    /* [-1 .. inf] Of which object; -1: of several. */
    int64_t key;
    /* What came with it: a number; the length of a list or a text; NaN: nothing. */
    double argument;
    /* What came back, in the same way. */
    double result;
    /* [s, 0 .. inf] When it was asked. */
    double call;
    /* [s, 0 .. inf] When it was answered; NaN: never. */
    double answer;
    /* How. */
    int32_t outcome;
    /* [-1 .. inf] Its place in the order found; -1: in none. */
    int64_t place;
    /* Its part in the shortest failing window. */
    int32_t role;
} dlab_check_linearizability_history_row;
_Static_assert(offsetof(dlab_check_linearizability_history_row, operation) == 0, "operation");
_Static_assert(offsetof(dlab_check_linearizability_history_row, process) == 8, "process");
_Static_assert(offsetof(dlab_check_linearizability_history_row, function) == 16, "function");
_Static_assert(offsetof(dlab_check_linearizability_history_row, key) == 24, "key");
_Static_assert(offsetof(dlab_check_linearizability_history_row, argument) == 32, "argument");
_Static_assert(offsetof(dlab_check_linearizability_history_row, result) == 40, "result");
_Static_assert(offsetof(dlab_check_linearizability_history_row, call) == 48, "call");
_Static_assert(offsetof(dlab_check_linearizability_history_row, answer) == 56, "answer");
_Static_assert(offsetof(dlab_check_linearizability_history_row, outcome) == 64, "outcome");
_Static_assert(offsetof(dlab_check_linearizability_history_row, place) == 72, "place");
_Static_assert(offsetof(dlab_check_linearizability_history_row, role) == 80, "role");
_Static_assert(sizeof(dlab_check_linearizability_history_row) == 88, "dlab_check_linearizability_history_row");
extern const dlab_model dlab_check_linearizability;

/* consensus.leader_election: Electing a leader: messages, time without one, time with two */
enum {
    DLAB_CONSENSUS_LEADER_ELECTION_ALGORITHM_BULLY = 0, DLAB_CONSENSUS_LEADER_ELECTION_ALGORITHM_RING = 1,
    DLAB_CONSENSUS_LEADER_ELECTION_ALGORITHM_HIRSCHBERG_SINCLAIR = 2,
    DLAB_CONSENSUS_LEADER_ELECTION_ALGORITHM_LEASE = 3, DLAB_CONSENSUS_LEADER_ELECTION_ALGORITHM_LOCK = 4,
    DLAB_CONSENSUS_LEADER_ELECTION_ALGORITHM_STATIC_PRIORITY = 5,
};
enum {
    DLAB_CONSENSUS_LEADER_ELECTION_ID_ORDER_RANDOM = 0, DLAB_CONSENSUS_LEADER_ELECTION_ID_ORDER_ASCENDING = 1,
    DLAB_CONSENSUS_LEADER_ELECTION_ID_ORDER_DESCENDING = 2,
};
enum {
    DLAB_CONSENSUS_LEADER_ELECTION_FAILURE_CRASH = 0, DLAB_CONSENSUS_LEADER_ELECTION_FAILURE_CUT_OFF = 1,
    DLAB_CONSENSUS_LEADER_ELECTION_FAILURE_COLD_START = 2, DLAB_CONSENSUS_LEADER_ELECTION_FAILURE_NONE = 3,
};
enum {
    DLAB_CONSENSUS_LEADER_ELECTION_STARTERS_ALL = 0, DLAB_CONSENSUS_LEADER_ELECTION_STARTERS_HIGHEST = 1,
    DLAB_CONSENSUS_LEADER_ELECTION_STARTERS_LOWEST = 2, DLAB_CONSENSUS_LEADER_ELECTION_STARTERS_RANDOM = 3,
};
enum {
    DLAB_CONSENSUS_LEADER_ELECTION_CLOCK_SPREAD_RANDOM = 0,
    DLAB_CONSENSUS_LEADER_ELECTION_CLOCK_SPREAD_WORST = 1,
};
enum {
    DLAB_CONSENSUS_LEADER_ELECTION_BUG_NONE = 0, DLAB_CONSENSUS_LEADER_ELECTION_BUG_RING_DROPS_OWN_ID = 1,
    DLAB_CONSENSUS_LEADER_ELECTION_BUG_EXPIRY_WITHOUT_DRIFT_MARGIN = 2,
};
typedef struct dlab_consensus_leader_election_params {
    /* [2 .. 512] Nodes that may lead; a store is not counted. */
    int64_t nodes;
    /* How a leader is found: by messages, in a store outside, or by a list alone. */
    int32_t algorithm;
    /* Ids around the ring, in the direction in which messages go. */
    int32_t id_order;
    /* [s, 1e-06 .. 1e+06] How long a node waits for an answer; on a ring, for each of its nodes. */
    double timeout;
    /* [s, 0 .. 1e+06] One-way delay of a message. */
    dlab_distribution delay;
    /* [0 .. 1] Probability that a message is lost. */
    double loss;
    /* What happens to the leader: it crashes, or hears nobody and is heard by nobody but runs on;
     * cold_start: nobody leads at the start. */
    int32_t failure;
    /* [s, 0 .. 1e+06] When the leader fails, if anybody leads then. */
    dlab_distribution failure_time;
    /* [s, 0 .. 1e+06] How long the failure lasts. None: until the run ends. */
    dlab_distribution outage;
    /* Which of those left start an election when they notice, or in a cold start. */
    int32_t starters;
    /* [s, 0 .. 1e+06] From a failure, or its end, until a node's detector notices. */
    dlab_distribution detection;
    /* [1/s, 0 .. 1000] Rate at which a node's detector suspects a leader that is well. */
    double false_suspicion;
    /* [s, 0 .. 1e+06] How long such a mistake lasts. */
    dlab_distribution mistake;
    /* [s, 1e-06 .. 1e+06] lease, lock: how long the store waits for a renewal, on its clock. */
    double ttl;
    /* [s, 1e-06 .. 1e+06] lease, lock: time between renewals, and until a request without answer is
     * repeated. */
    double renew;
    /* [0 .. 1] Share of ttl by which a holder stops earlier than the store. */
    double lease_margin;
    /* [ppm, -100000 .. 100000] No clock's rate is further off than this; its sign matters to clock_spread
     * = worst. */
    double drift;
    /* [s, -1000 .. 1000] No wall clock is further off than this at the start; its sign matters to
     * clock_spread = worst. */
    double skew;
    /* random: each clock's drift and skew uniform within both bounds; worst: even nodes at one end, odd
     * nodes at the other. */
    int32_t clock_spread;
    /* [s, 0.001 .. 1e+06, inf: off] Time between synchronisations of the wall clocks with true time. None:
     * never, and no error bound is promised. */
    double sync_interval;
    /* [s, 0 .. 1000] A synchronisation leaves a wall clock off by at most this, and promises this. */
    double clock_error;
    /* [s, 0.001 .. 1e+06] Simulated time. */
    double duration;
    /* What goes wrong and when: rows of kind, time or rate, target and duration; none by default. */
    dlab_ref faults;
    /* A textbook mistake, on purpose. */
    int32_t bug;
} dlab_consensus_leader_election_params;
_Static_assert(offsetof(dlab_consensus_leader_election_params, nodes) == 0, "nodes");
_Static_assert(offsetof(dlab_consensus_leader_election_params, algorithm) == 8, "algorithm");
_Static_assert(offsetof(dlab_consensus_leader_election_params, id_order) == 12, "id_order");
_Static_assert(offsetof(dlab_consensus_leader_election_params, timeout) == 16, "timeout");
_Static_assert(offsetof(dlab_consensus_leader_election_params, delay) == 24, "delay");
_Static_assert(offsetof(dlab_consensus_leader_election_params, loss) == 80, "loss");
_Static_assert(offsetof(dlab_consensus_leader_election_params, failure) == 88, "failure");
_Static_assert(offsetof(dlab_consensus_leader_election_params, failure_time) == 96, "failure_time");
_Static_assert(offsetof(dlab_consensus_leader_election_params, outage) == 152, "outage");
_Static_assert(offsetof(dlab_consensus_leader_election_params, starters) == 208, "starters");
_Static_assert(offsetof(dlab_consensus_leader_election_params, detection) == 216, "detection");
_Static_assert(offsetof(dlab_consensus_leader_election_params, false_suspicion) == 272, "false_suspicion");
_Static_assert(offsetof(dlab_consensus_leader_election_params, mistake) == 280, "mistake");
_Static_assert(offsetof(dlab_consensus_leader_election_params, ttl) == 336, "ttl");
_Static_assert(offsetof(dlab_consensus_leader_election_params, renew) == 344, "renew");
_Static_assert(offsetof(dlab_consensus_leader_election_params, lease_margin) == 352, "lease_margin");
_Static_assert(offsetof(dlab_consensus_leader_election_params, drift) == 360, "drift");
_Static_assert(offsetof(dlab_consensus_leader_election_params, skew) == 368, "skew");
_Static_assert(offsetof(dlab_consensus_leader_election_params, clock_spread) == 376, "clock_spread");
_Static_assert(offsetof(dlab_consensus_leader_election_params, sync_interval) == 384, "sync_interval");
_Static_assert(offsetof(dlab_consensus_leader_election_params, clock_error) == 392, "clock_error");
_Static_assert(offsetof(dlab_consensus_leader_election_params, duration) == 400, "duration");
_Static_assert(offsetof(dlab_consensus_leader_election_params, faults) == 408, "faults");
_Static_assert(offsetof(dlab_consensus_leader_election_params, bug) == 420, "bug");
_Static_assert(sizeof(dlab_consensus_leader_election_params) == 424, "dlab_consensus_leader_election_params");
typedef struct dlab_consensus_leader_election_metrics {
    /* [0 .. 9e+15] Messages sent, lost ones included. */
    int64_t messages;
    /* [0 .. 9e+15] Those of elections: candidacies and answers, requests to the store and what it says. */
    int64_t election_messages;
    /* [0 .. 9e+15] Those that announce who leads; the rest of all messages are renewals. */
    int64_t announcements;
    /* [s, 0 .. inf] Time in which nobody led. */
    double unavailability;
    /* [s, 0 .. inf] Time in which two or more led. */
    double overlap;
    /* [s, 0 .. inf] From the end of one leader, or the start, to the next one. */
    dlab_histogram downtime;
    /* [0 .. 9e+15] Times a node began to lead, the first one not counted. */
    int64_t churn;
    /* [0 .. 1] Share of the nodes running at the end that follow the best leader there is then; who waits
     * for a lock knows only the holder it was told. */
    dlab_ratio agreed;
    /* [0 .. 9e+15] Events after which one_leader did not hold: two lead at once. Only a lease promises it. */
    int64_t violations;
} dlab_consensus_leader_election_metrics;
_Static_assert(offsetof(dlab_consensus_leader_election_metrics, messages) == 0, "messages");
_Static_assert(offsetof(dlab_consensus_leader_election_metrics, election_messages) == 8, "election_messages");
_Static_assert(offsetof(dlab_consensus_leader_election_metrics, announcements) == 16, "announcements");
_Static_assert(offsetof(dlab_consensus_leader_election_metrics, unavailability) == 24, "unavailability");
_Static_assert(offsetof(dlab_consensus_leader_election_metrics, overlap) == 32, "overlap");
_Static_assert(offsetof(dlab_consensus_leader_election_metrics, downtime) == 40, "downtime");
_Static_assert(offsetof(dlab_consensus_leader_election_metrics, churn) == 120, "churn");
_Static_assert(offsetof(dlab_consensus_leader_election_metrics, agreed) == 128, "agreed");
_Static_assert(offsetof(dlab_consensus_leader_election_metrics, violations) == 144, "violations");
_Static_assert(sizeof(dlab_consensus_leader_election_metrics) == 152, "dlab_consensus_leader_election_metrics");
typedef struct dlab_consensus_leader_election_trace_row {
    /* [s] When (true time). */
    double time;
    /* What happened. */
    int32_t type;
    /* Which message, timer, role, fault, state ...: index into the schema's list. */
    int64_t label;
    /* Where it happened; -1: at no node. */
    int64_t node;
    /* The other end of a message or fault; -1: none. */
    int64_t peer;
    /* The message (its copies have the same), or a ticket; 0: none. */
    int64_t id;
    /* First word of what it says, as the schema names it. */
    int64_t a;
    /* Second word. */
    int64_t b;
} dlab_consensus_leader_election_trace_row;
_Static_assert(offsetof(dlab_consensus_leader_election_trace_row, time) == 0, "time");
_Static_assert(offsetof(dlab_consensus_leader_election_trace_row, type) == 8, "type");
_Static_assert(offsetof(dlab_consensus_leader_election_trace_row, label) == 16, "label");
_Static_assert(offsetof(dlab_consensus_leader_election_trace_row, node) == 24, "node");
_Static_assert(offsetof(dlab_consensus_leader_election_trace_row, peer) == 32, "peer");
_Static_assert(offsetof(dlab_consensus_leader_election_trace_row, id) == 40, "id");
_Static_assert(offsetof(dlab_consensus_leader_election_trace_row, a) == 48, "a");
_Static_assert(offsetof(dlab_consensus_leader_election_trace_row, b) == 56, "b");
_Static_assert(sizeof(dlab_consensus_leader_election_trace_row) == 64, "dlab_consensus_leader_election_trace_row");
typedef struct dlab_consensus_leader_election_faults_cell {
    /* [s, 0 .. 1e+09, -1: off] When the (first) fault begins; blank: drawn with rate. */
    double time;
    /* [1/s, 1e-12 .. 1e+06, -1: off] Faults per second of the time without it; blank: one fault, at time. */
    double rate;
    /* What goes wrong. */
    int32_t kind;
    /* Whom: the node of the row, one drawn for each fault, each node by a process of its own, or whoever
     * leads at that moment. */
    int32_t target;
    /* [0 .. 1023, -1: off] The node; blank: the target says. */
    int64_t node;
    /* [0 .. 1023, -1: off] The other end of a link; blank: all others (partial: one drawn). */
    int64_t peer;
    /* [1 .. 4.61169e+18, -1: off] One side of a partition or bridge: bit i is node i; blank: a random
     * minority (bridge: half of the others). */
    int64_t members;
    /* [s, 0 .. 1e+09] How long it lasts; blank: until the run ends. */
    dlab_distribution duration;
    /* [-1e+09 .. 1e+09, inf: off] How much: a factor (slow, slow_link, disk_slow), a share (degrade,
     * gray), seconds (flapping, clock_jump), ppm (clock_drift) or sectors (disk_rot). */
    double amount;
    /* [0 .. 65535, -1: off] Kind of message that a gray node loses; blank: all kinds. */
    int64_t message;
    /* What a crash leaves: exactly what was synced, nothing, also a random part of the rest, or everything
     * written. */
    int32_t disk;
} dlab_consensus_leader_election_faults_cell;
_Static_assert(offsetof(dlab_consensus_leader_election_faults_cell, time) == 0, "time");
_Static_assert(offsetof(dlab_consensus_leader_election_faults_cell, rate) == 8, "rate");
_Static_assert(offsetof(dlab_consensus_leader_election_faults_cell, kind) == 16, "kind");
_Static_assert(offsetof(dlab_consensus_leader_election_faults_cell, target) == 20, "target");
_Static_assert(offsetof(dlab_consensus_leader_election_faults_cell, node) == 24, "node");
_Static_assert(offsetof(dlab_consensus_leader_election_faults_cell, peer) == 32, "peer");
_Static_assert(offsetof(dlab_consensus_leader_election_faults_cell, members) == 40, "members");
_Static_assert(offsetof(dlab_consensus_leader_election_faults_cell, duration) == 48, "duration");
_Static_assert(offsetof(dlab_consensus_leader_election_faults_cell, amount) == 104, "amount");
_Static_assert(offsetof(dlab_consensus_leader_election_faults_cell, message) == 112, "message");
_Static_assert(offsetof(dlab_consensus_leader_election_faults_cell, disk) == 120, "disk");
_Static_assert(sizeof(dlab_consensus_leader_election_faults_cell) == 128, "dlab_consensus_leader_election_faults_cell");
extern const dlab_model dlab_consensus_leader_election;

/* consensus.raft: Raft under every fault */
enum {
    DLAB_CONSENSUS_RAFT_READ_MODE_LOG = 0, DLAB_CONSENSUS_RAFT_READ_MODE_READ_INDEX = 1,
    DLAB_CONSENSUS_RAFT_READ_MODE_LEASE = 2, DLAB_CONSENSUS_RAFT_READ_MODE_LOCAL = 3,
};
enum {
    DLAB_CONSENSUS_RAFT_TIMEOUT_RESTART_NEW_TERM = 0, DLAB_CONSENSUS_RAFT_TIMEOUT_RESTART_HEARD = 1,
};
enum {
    DLAB_CONSENSUS_RAFT_LOG_BACKTRACK_BY_TERM = 0, DLAB_CONSENSUS_RAFT_LOG_BACKTRACK_ONE_BY_ONE = 1,
};
enum {
    DLAB_CONSENSUS_RAFT_STORAGE_SYNC = 0, DLAB_CONSENSUS_RAFT_STORAGE_ASYNC = 1,
};
enum {
    DLAB_CONSENSUS_RAFT_ORDERING_NONE = 0, DLAB_CONSENSUS_RAFT_ORDERING_FIFO = 1,
};
enum {
    DLAB_CONSENSUS_RAFT_CLOCK_SPREAD_RANDOM = 0, DLAB_CONSENSUS_RAFT_CLOCK_SPREAD_WORST = 1,
};
enum {
    DLAB_CONSENSUS_RAFT_CRASH_DISK_KEPT = 0, DLAB_CONSENSUS_RAFT_CRASH_DISK_LOST = 1,
    DLAB_CONSENSUS_RAFT_CRASH_DISK_TORN = 2, DLAB_CONSENSUS_RAFT_CRASH_DISK_CACHED = 3,
};
enum {
    DLAB_CONSENSUS_RAFT_BUG_NONE = 0, DLAB_CONSENSUS_RAFT_BUG_COMMIT_OLD_TERM_BY_COUNT = 1,
    DLAB_CONSENSUS_RAFT_BUG_VOTE_NOT_PERSISTED = 2, DLAB_CONSENSUS_RAFT_BUG_SKIP_LOG_UP_TO_DATE_CHECK = 3,
    DLAB_CONSENSUS_RAFT_BUG_LOG_LENGTH_BEFORE_TERM = 4, DLAB_CONSENSUS_RAFT_BUG_ACCEPT_STALE_TERM_APPEND = 5,
    DLAB_CONSENSUS_RAFT_BUG_TRUNCATE_ON_DELAYED_APPEND = 6, DLAB_CONSENSUS_RAFT_BUG_APPLY_BEFORE_COMMIT = 7,
    DLAB_CONSENSUS_RAFT_BUG_READ_INDEX_WITHOUT_QUORUM = 8,
    DLAB_CONSENSUS_RAFT_BUG_READ_INDEX_BEFORE_FIRST_COMMIT = 9,
    DLAB_CONSENSUS_RAFT_BUG_LEASE_WITHOUT_DRIFT_MARGIN = 10,
    DLAB_CONSENSUS_RAFT_BUG_OVERLAPPING_MEMBERSHIP_CHANGE = 11,
    DLAB_CONSENSUS_RAFT_BUG_CONFIG_EFFECTIVE_WHEN_APPLIED = 12,
    DLAB_CONSENSUS_RAFT_BUG_SNAPSHOT_DROPS_CONFIG = 13,
    DLAB_CONSENSUS_RAFT_BUG_SNAPSHOT_KEEPS_CONFLICTING_SUFFIX = 14,
    DLAB_CONSENSUS_RAFT_BUG_HEARTBEAT_COMMIT_NOT_CLAMPED = 15,
    DLAB_CONSENSUS_RAFT_BUG_LATE_ACK_OF_TRUNCATED_ENTRY = 16,
    DLAB_CONSENSUS_RAFT_BUG_RETRY_WITHOUT_SESSION = 17,
    DLAB_CONSENSUS_RAFT_BUG_PROMOTED_LEARNER_NEVER_VOTES = 18,
    DLAB_CONSENSUS_RAFT_BUG_PRE_VOTE_WITHOUT_QUORUM_CHECK = 19,
    DLAB_CONSENSUS_RAFT_BUG_TORN_TAIL_TAKEN_AS_DURABLE = 20,
};
typedef struct dlab_consensus_raft_params {
    /* [1 .. 16] Servers that vote at the start. */
    int64_t nodes;
    /* [0 .. 15] Servers that run but are no members yet; see changes and change_rate. */
    int64_t outsiders;
    /* [0 .. 64] Clients; each has at most one operation under way. */
    int64_t clients;
    /* [1 .. 64] Registers they read and write. */
    int64_t keys;
    /* [1/s, 0.001 .. 1e+07] Operations all clients would begin per second if answers took no time. */
    double client_rate;
    /* [0 .. 1] Share of reads. */
    double read_fraction;
    /* [0 .. 1] Share of compare-and-sets; the rest are writes of values never written before. */
    double cas_fraction;
    /* [s, 0.001 .. 1e+06] A client gives an operation up after this; its outcome is then unknown. */
    double op_timeout;
    /* [s, 0.001 .. 1e+06] Without an answer for this long a client asks the next server. */
    double retry_timeout;
    /* log: a read is an entry; read_index: a round of heartbeats; lease: a recent round; local: no
     * promise. */
    int32_t read_mode;
    /* Reads go to any server, which asks the leader for the index. */
    bool reads_anywhere;
    /* [s, 0.0001 .. 1000] Shortest election timeout. */
    double election_timeout;
    /* [s, 0 .. 1000] Election timeouts are uniform between election_timeout and this much more. */
    double election_spread;
    /* [s, 1e-05 .. 1000] Time between a leader's heartbeats. */
    double heartbeat_interval;
    /* [0 .. 1] Share by which a leader's read lease is shorter than election_timeout. */
    double lease_margin;
    /* A server asks whether it would win before it raises its term. */
    bool pre_vote;
    /* A leader that hears no majority steps down; votes are refused while a leader is heard. */
    bool check_quorum;
    /* Followers pass commands on to the leader instead of refusing them. */
    bool forward;
    /* [1 .. 1024] Entries of one append at most. */
    int64_t batch;
    /* [1 .. 64] Appends on their way to one follower at most. */
    int64_t pipeline;
    /* [1 .. 131072] A snapshot is taken after so many applied entries. */
    int64_t snapshot_every;
    /* [16 .. 131072] Entries a log has room for (rounded up to a power of two). */
    int64_t log_capacity;
    /* [0 .. 65536] Entries that the last voter alone has at the start: it led, wrote them and reached
     * nobody. */
    int64_t divergence;
    /* [1 .. 65536] Terms in which it wrote them, as many in each. */
    int64_t divergent_terms;
    /* [0 .. 65536, -1: off] Entries that all other voters have in their place, of terms in between. None:
     * as many. */
    int64_t rival_entries;
    /* [byte, 1 .. 1e+09] Bytes of one append at most (one entry always goes). */
    double batch_bytes;
    /* [byte, 1 .. 1e+09] Bytes on their way to one follower at most. */
    double pipeline_bytes;
    /* [byte, 1 .. 1e+09] A leader with more than this uncommitted refuses commands. */
    double uncommitted_bytes;
    /* [byte, 1 .. 1e+06] Bytes of one command. */
    double command_bytes;
    /* [byte, 16 .. 4096] Bytes of a snapshot in one message. */
    double chunk_bytes;
    /* How a leader finds where a follower's log agrees: by_term: a term per refusal; one_by_one: an entry. */
    int32_t log_backtrack;
    /* sync: a server waits for its disk; async: writes of entries and applying run beside. */
    int32_t storage;
    /* heard: a timeout begins anew when a leader is heard or a vote is granted (the paper); new_term: also
     * in a new term and after a lost election (etcd). */
    int32_t timeout_restart;
    /* [s, 0 .. 1e+06] One-way delay of a message; the default makes a round trip of 1 ms. */
    dlab_distribution delay;
    /* [0 .. 1] Probability that a message is lost. */
    double loss;
    /* [0 .. 1] Probability that a message arrives twice, the copy after a delay of its own. */
    double duplicate;
    /* [0 .. 1] Probability that a message takes a second delay, so that later ones overtake it. */
    double reorder;
    /* [0 .. 1] Probability that bits of a message flip on the way. */
    double corrupt;
    /* Corrupted messages are noticed and dropped; without, they arrive as they are. */
    bool checksum;
    /* [byte/s, 1 .. 1e+12, inf: off] Bandwidth of each directed link; messages wait for the wire. None: no
     * limit. */
    double bandwidth;
    /* [byte, 0 .. 1e+15, inf: off] A message that finds more bytes than this ahead of it at the wire is
     * lost. None: no limit. */
    double link_queue;
    /* fifo: never delivered before one sent earlier on the same link, as over TCP. */
    int32_t ordering;
    /* Links that differ: rows of from, to and what is different; see dl.topology. */
    dlab_ref links;
    /* [s, 0 .. 1e+06] Time a node takes for each message and timer. None: no time. */
    dlab_distribution processing;
    /* [s, 0 .. 1000] Time an fsync takes; one runs at a time. */
    dlab_distribution fsync;
    /* [0 .. 1] Probability that an fsync reports success while its bytes stay volatile until a later
     * honest one. */
    double fsync_lie;
    /* [0 .. 1] Probability that a write fails, reports it and leaves the disk as it was. */
    double write_error;
    /* [0 .. 1] Probability that a write lands one or more sectors off and reports success. */
    double misdirect;
    /* [0 .. 1] Probability that a power failure flips a bit in a sector written since the last. */
    double crash_corrupt;
    /* Writes issued while an fsync runs share the next one; else each waits for its own. */
    bool group_commit;
    /* [byte, 1 .. 1e+15, inf: off] Bytes that may be written to a disk in all; more is refused as full.
     * None: no limit. */
    double disk_capacity;
    /* [byte, 8 .. 1.04858e+06] What the disk writes whole; a torn write ends between two of these. */
    int64_t sector;
    /* Damage (misdirect, crash_corrupt, rot) leaves a majority of nodes an intact copy of every sector. */
    bool recoverable;
    /* [ppm, -100000 .. 100000] No clock's rate is further off than this; its sign matters to clock_spread
     * = worst. */
    double drift;
    /* [s, -1000 .. 1000] No wall clock is further off than this at the start; its sign matters to
     * clock_spread = worst. */
    double skew;
    /* random: each clock's drift and skew uniform within both bounds; worst: even nodes at one end, odd
     * nodes at the other. */
    int32_t clock_spread;
    /* [s, 0.001 .. 1e+06, inf: off] Time between synchronisations of the wall clocks with true time. None:
     * never, and no error bound is promised. */
    double sync_interval;
    /* [s, 0 .. 1000] A synchronisation leaves a wall clock off by at most this, and promises this. */
    double clock_error;
    /* [1/s, 0 .. 1000] Crashes of each server while it runs. */
    double crash_rate;
    /* [1/s, 0 .. 1000] Partitions of the servers while there is none. */
    double partition_rate;
    /* [1/s, 0 .. 1000] Pauses of each server while it runs. */
    double pause_rate;
    /* [1/s, 0 .. 1000] Changes of membership: a random server is added, promoted or removed. */
    double change_rate;
    /* [s, 0 .. 1e+06] How long a crashed server is down. */
    dlab_distribution restart;
    /* [s, 0 .. 1e+06] How long a partition lasts; it cuts off a random minority. */
    dlab_distribution partition;
    /* [s, 0 .. 1e+06] How long a paused server sleeps; it wakes believing old time. */
    dlab_distribution pause;
    /* What a crash leaves of the disk. */
    int32_t crash_disk;
    /* [s, 0 .. 1e+06, inf: off] The leader crashes in the heartbeat interval that begins then, until
     * faults end. */
    double leader_crash;
    /* [0 .. 16] leader_crash: so many followers miss an entry before, each one more than the next, so logs
     * differ. */
    int64_t stale_followers;
    /* leader_crash: the run ends when somebody leads again. */
    bool stop_at_leader;
    /* What goes wrong and when: rows of kind, time or rate, target and duration; none by default. */
    dlab_ref faults;
    /* What an operator asks and when: members added, removed or replaced, transfers. */
    dlab_ref changes;
    /* [s, 0.001 .. 1e+06] Simulated time under faults. */
    double duration;
    /* [s, 0 .. 1e+06] Simulated time before anything is measured. */
    double warmup;
    /* [s, 0 .. 1e+06] Then all faults end and there must be progress; halfway the leader hears nobody any
     * more, and there must be progress again. 0: no such phase. */
    double heal_time;
    /* [s, 0.0001 .. 1000] Time between rows of the tables cluster and servers. */
    double sample_interval;
    /* End the run at the first broken promise. */
    bool stop_on_violation;
    /* Judge whether what clients saw is linearizable. */
    bool check_history;
    /* A rule of the protocol that is left out, on purpose. */
    int32_t bug;
} dlab_consensus_raft_params;
_Static_assert(offsetof(dlab_consensus_raft_params, nodes) == 0, "nodes");
_Static_assert(offsetof(dlab_consensus_raft_params, outsiders) == 8, "outsiders");
_Static_assert(offsetof(dlab_consensus_raft_params, clients) == 16, "clients");
_Static_assert(offsetof(dlab_consensus_raft_params, keys) == 24, "keys");
_Static_assert(offsetof(dlab_consensus_raft_params, client_rate) == 32, "client_rate");
_Static_assert(offsetof(dlab_consensus_raft_params, read_fraction) == 40, "read_fraction");
_Static_assert(offsetof(dlab_consensus_raft_params, cas_fraction) == 48, "cas_fraction");
_Static_assert(offsetof(dlab_consensus_raft_params, op_timeout) == 56, "op_timeout");
_Static_assert(offsetof(dlab_consensus_raft_params, retry_timeout) == 64, "retry_timeout");
_Static_assert(offsetof(dlab_consensus_raft_params, read_mode) == 72, "read_mode");
_Static_assert(offsetof(dlab_consensus_raft_params, reads_anywhere) == 76, "reads_anywhere");
_Static_assert(offsetof(dlab_consensus_raft_params, election_timeout) == 80, "election_timeout");
_Static_assert(offsetof(dlab_consensus_raft_params, election_spread) == 88, "election_spread");
_Static_assert(offsetof(dlab_consensus_raft_params, heartbeat_interval) == 96, "heartbeat_interval");
_Static_assert(offsetof(dlab_consensus_raft_params, lease_margin) == 104, "lease_margin");
_Static_assert(offsetof(dlab_consensus_raft_params, pre_vote) == 112, "pre_vote");
_Static_assert(offsetof(dlab_consensus_raft_params, check_quorum) == 113, "check_quorum");
_Static_assert(offsetof(dlab_consensus_raft_params, forward) == 114, "forward");
_Static_assert(offsetof(dlab_consensus_raft_params, batch) == 120, "batch");
_Static_assert(offsetof(dlab_consensus_raft_params, pipeline) == 128, "pipeline");
_Static_assert(offsetof(dlab_consensus_raft_params, snapshot_every) == 136, "snapshot_every");
_Static_assert(offsetof(dlab_consensus_raft_params, log_capacity) == 144, "log_capacity");
_Static_assert(offsetof(dlab_consensus_raft_params, divergence) == 152, "divergence");
_Static_assert(offsetof(dlab_consensus_raft_params, divergent_terms) == 160, "divergent_terms");
_Static_assert(offsetof(dlab_consensus_raft_params, rival_entries) == 168, "rival_entries");
_Static_assert(offsetof(dlab_consensus_raft_params, batch_bytes) == 176, "batch_bytes");
_Static_assert(offsetof(dlab_consensus_raft_params, pipeline_bytes) == 184, "pipeline_bytes");
_Static_assert(offsetof(dlab_consensus_raft_params, uncommitted_bytes) == 192, "uncommitted_bytes");
_Static_assert(offsetof(dlab_consensus_raft_params, command_bytes) == 200, "command_bytes");
_Static_assert(offsetof(dlab_consensus_raft_params, chunk_bytes) == 208, "chunk_bytes");
_Static_assert(offsetof(dlab_consensus_raft_params, log_backtrack) == 216, "log_backtrack");
_Static_assert(offsetof(dlab_consensus_raft_params, storage) == 220, "storage");
_Static_assert(offsetof(dlab_consensus_raft_params, timeout_restart) == 224, "timeout_restart");
_Static_assert(offsetof(dlab_consensus_raft_params, delay) == 232, "delay");
_Static_assert(offsetof(dlab_consensus_raft_params, loss) == 288, "loss");
_Static_assert(offsetof(dlab_consensus_raft_params, duplicate) == 296, "duplicate");
_Static_assert(offsetof(dlab_consensus_raft_params, reorder) == 304, "reorder");
_Static_assert(offsetof(dlab_consensus_raft_params, corrupt) == 312, "corrupt");
_Static_assert(offsetof(dlab_consensus_raft_params, checksum) == 320, "checksum");
_Static_assert(offsetof(dlab_consensus_raft_params, bandwidth) == 328, "bandwidth");
_Static_assert(offsetof(dlab_consensus_raft_params, link_queue) == 336, "link_queue");
_Static_assert(offsetof(dlab_consensus_raft_params, ordering) == 344, "ordering");
_Static_assert(offsetof(dlab_consensus_raft_params, links) == 348, "links");
_Static_assert(offsetof(dlab_consensus_raft_params, processing) == 360, "processing");
_Static_assert(offsetof(dlab_consensus_raft_params, fsync) == 416, "fsync");
_Static_assert(offsetof(dlab_consensus_raft_params, fsync_lie) == 472, "fsync_lie");
_Static_assert(offsetof(dlab_consensus_raft_params, write_error) == 480, "write_error");
_Static_assert(offsetof(dlab_consensus_raft_params, misdirect) == 488, "misdirect");
_Static_assert(offsetof(dlab_consensus_raft_params, crash_corrupt) == 496, "crash_corrupt");
_Static_assert(offsetof(dlab_consensus_raft_params, group_commit) == 504, "group_commit");
_Static_assert(offsetof(dlab_consensus_raft_params, disk_capacity) == 512, "disk_capacity");
_Static_assert(offsetof(dlab_consensus_raft_params, sector) == 520, "sector");
_Static_assert(offsetof(dlab_consensus_raft_params, recoverable) == 528, "recoverable");
_Static_assert(offsetof(dlab_consensus_raft_params, drift) == 536, "drift");
_Static_assert(offsetof(dlab_consensus_raft_params, skew) == 544, "skew");
_Static_assert(offsetof(dlab_consensus_raft_params, clock_spread) == 552, "clock_spread");
_Static_assert(offsetof(dlab_consensus_raft_params, sync_interval) == 560, "sync_interval");
_Static_assert(offsetof(dlab_consensus_raft_params, clock_error) == 568, "clock_error");
_Static_assert(offsetof(dlab_consensus_raft_params, crash_rate) == 576, "crash_rate");
_Static_assert(offsetof(dlab_consensus_raft_params, partition_rate) == 584, "partition_rate");
_Static_assert(offsetof(dlab_consensus_raft_params, pause_rate) == 592, "pause_rate");
_Static_assert(offsetof(dlab_consensus_raft_params, change_rate) == 600, "change_rate");
_Static_assert(offsetof(dlab_consensus_raft_params, restart) == 608, "restart");
_Static_assert(offsetof(dlab_consensus_raft_params, partition) == 664, "partition");
_Static_assert(offsetof(dlab_consensus_raft_params, pause) == 720, "pause");
_Static_assert(offsetof(dlab_consensus_raft_params, crash_disk) == 776, "crash_disk");
_Static_assert(offsetof(dlab_consensus_raft_params, leader_crash) == 784, "leader_crash");
_Static_assert(offsetof(dlab_consensus_raft_params, stale_followers) == 792, "stale_followers");
_Static_assert(offsetof(dlab_consensus_raft_params, stop_at_leader) == 800, "stop_at_leader");
_Static_assert(offsetof(dlab_consensus_raft_params, faults) == 804, "faults");
_Static_assert(offsetof(dlab_consensus_raft_params, changes) == 816, "changes");
_Static_assert(offsetof(dlab_consensus_raft_params, duration) == 832, "duration");
_Static_assert(offsetof(dlab_consensus_raft_params, warmup) == 840, "warmup");
_Static_assert(offsetof(dlab_consensus_raft_params, heal_time) == 848, "heal_time");
_Static_assert(offsetof(dlab_consensus_raft_params, sample_interval) == 856, "sample_interval");
_Static_assert(offsetof(dlab_consensus_raft_params, stop_on_violation) == 864, "stop_on_violation");
_Static_assert(offsetof(dlab_consensus_raft_params, check_history) == 865, "check_history");
_Static_assert(offsetof(dlab_consensus_raft_params, bug) == 868, "bug");
_Static_assert(sizeof(dlab_consensus_raft_params) == 872, "dlab_consensus_raft_params");
typedef struct dlab_consensus_raft_metrics {
    /* [1/s, 0 .. inf] Operations answered per second. */
    double throughput;
    /* [s, 0 .. inf] From the invocation of an operation to its answer, retries included. */
    dlab_histogram latency;
    /* [s, 0 .. inf] The same, of reads. */
    dlab_histogram read_latency;
    /* [s, 0 .. inf] From an entry's way into the leader's log until it is committed there. */
    dlab_histogram commit_latency;
    /* [0 .. 1] Share of operations answered. */
    dlab_ratio success_ratio;
    /* [s, 0 .. inf] Time without answers: silences longer than election_timeout + election_spread. */
    double unavailability;
    /* [s, 0 .. inf] From the end of one leader to the next one. */
    dlab_histogram downtime;
    /* [s, 0 .. inf] From the election of a leader until it knew that the logs of all voters agree with its
     * own up to its first entry; of the first leader that got there. */
    double repair_time;
    /* [0 .. 9e+15] Times a leader went back in its log because a follower refused an append. */
    int64_t back_offs;
    /* [0 .. 9e+15] Entries that servers cut from their logs again. */
    int64_t divergent_entries;
    /* [0 .. 9e+15] Times a server became leader. */
    int64_t leaders;
    /* [0 .. 9e+15] The highest term. */
    int64_t terms;
    /* [0 .. 9e+15] The highest commit index. */
    int64_t commits;
    /* [0 .. 9e+15] Messages sent, lost ones included. */
    int64_t messages;
    /* [byte, 0 .. inf] Bytes sent. */
    double bytes;
    /* [0 .. 9e+15] Clients whose last acknowledged write no server knows at the end. */
    int64_t lost;
    /* [0 .. 9e+15] Reads that miss a write acknowledged, to whomever, before they were invoked. */
    int64_t stale_reads;
    /* [0 .. 9e+15] Broken promises: after events, of the history, and of progress after healing. */
    int64_t violations;
    /* [0 .. 1] 1: no progress within heal_time after every fault had ended. */
    int64_t stuck;
    /* Whether the history of what clients saw is linearizable; unknown: not checked, or too hard. */
    int32_t linearizable;
    /* The first promise that was broken. */
    int32_t broken;
    /* [s, 0 .. inf] When the first promise was broken. */
    double broken_at;
} dlab_consensus_raft_metrics;
_Static_assert(offsetof(dlab_consensus_raft_metrics, throughput) == 0, "throughput");
_Static_assert(offsetof(dlab_consensus_raft_metrics, latency) == 8, "latency");
_Static_assert(offsetof(dlab_consensus_raft_metrics, read_latency) == 88, "read_latency");
_Static_assert(offsetof(dlab_consensus_raft_metrics, commit_latency) == 168, "commit_latency");
_Static_assert(offsetof(dlab_consensus_raft_metrics, success_ratio) == 248, "success_ratio");
_Static_assert(offsetof(dlab_consensus_raft_metrics, unavailability) == 264, "unavailability");
_Static_assert(offsetof(dlab_consensus_raft_metrics, downtime) == 272, "downtime");
_Static_assert(offsetof(dlab_consensus_raft_metrics, repair_time) == 352, "repair_time");
_Static_assert(offsetof(dlab_consensus_raft_metrics, back_offs) == 360, "back_offs");
_Static_assert(offsetof(dlab_consensus_raft_metrics, divergent_entries) == 368, "divergent_entries");
_Static_assert(offsetof(dlab_consensus_raft_metrics, leaders) == 376, "leaders");
_Static_assert(offsetof(dlab_consensus_raft_metrics, terms) == 384, "terms");
_Static_assert(offsetof(dlab_consensus_raft_metrics, commits) == 392, "commits");
_Static_assert(offsetof(dlab_consensus_raft_metrics, messages) == 400, "messages");
_Static_assert(offsetof(dlab_consensus_raft_metrics, bytes) == 408, "bytes");
_Static_assert(offsetof(dlab_consensus_raft_metrics, lost) == 416, "lost");
_Static_assert(offsetof(dlab_consensus_raft_metrics, stale_reads) == 424, "stale_reads");
_Static_assert(offsetof(dlab_consensus_raft_metrics, violations) == 432, "violations");
_Static_assert(offsetof(dlab_consensus_raft_metrics, stuck) == 440, "stuck");
_Static_assert(offsetof(dlab_consensus_raft_metrics, linearizable) == 448, "linearizable");
_Static_assert(offsetof(dlab_consensus_raft_metrics, broken) == 452, "broken");
_Static_assert(offsetof(dlab_consensus_raft_metrics, broken_at) == 456, "broken_at");
_Static_assert(sizeof(dlab_consensus_raft_metrics) == 464, "dlab_consensus_raft_metrics");
typedef struct dlab_consensus_raft_trace_row {
    /* [s] When (true time). */
    double time;
    /* What happened. */
    int32_t type;
    /* Which message, timer, role, fault, state ...: index into the schema's list. */
    int64_t label;
    /* Where it happened; -1: at no node. */
    int64_t node;
    /* The other end of a message or fault; -1: none. */
    int64_t peer;
    /* The message (its copies have the same), or a ticket; 0: none. */
    int64_t id;
    /* First word of what it says, as the schema names it. */
    int64_t a;
    /* Second word. */
    int64_t b;
} dlab_consensus_raft_trace_row;
_Static_assert(offsetof(dlab_consensus_raft_trace_row, time) == 0, "time");
_Static_assert(offsetof(dlab_consensus_raft_trace_row, type) == 8, "type");
_Static_assert(offsetof(dlab_consensus_raft_trace_row, label) == 16, "label");
_Static_assert(offsetof(dlab_consensus_raft_trace_row, node) == 24, "node");
_Static_assert(offsetof(dlab_consensus_raft_trace_row, peer) == 32, "peer");
_Static_assert(offsetof(dlab_consensus_raft_trace_row, id) == 40, "id");
_Static_assert(offsetof(dlab_consensus_raft_trace_row, a) == 48, "a");
_Static_assert(offsetof(dlab_consensus_raft_trace_row, b) == 56, "b");
_Static_assert(sizeof(dlab_consensus_raft_trace_row) == 64, "dlab_consensus_raft_trace_row");
typedef struct dlab_consensus_raft_history_row {
    /* [s, 0 .. inf] When. */
    double time;
    /* [-1 .. inf] Who asks; a new number after an unknown outcome. */
    int64_t process;
    /* What happens to the operation. */
    int32_t type;
    /* The operation. */
    int32_t f;
    /* [-1 .. inf] The register. */
    int64_t key;
    /* [-1 .. inf] Written, or read; -1: not known. Registers begin at 0. */
    int64_t value;
    /* [-1 .. inf] cas: the value it replaces; else -1. */
    int64_t expected;
} dlab_consensus_raft_history_row;
_Static_assert(offsetof(dlab_consensus_raft_history_row, time) == 0, "time");
_Static_assert(offsetof(dlab_consensus_raft_history_row, process) == 8, "process");
_Static_assert(offsetof(dlab_consensus_raft_history_row, type) == 16, "type");
_Static_assert(offsetof(dlab_consensus_raft_history_row, f) == 20, "f");
_Static_assert(offsetof(dlab_consensus_raft_history_row, key) == 24, "key");
_Static_assert(offsetof(dlab_consensus_raft_history_row, value) == 32, "value");
_Static_assert(offsetof(dlab_consensus_raft_history_row, expected) == 40, "expected");
_Static_assert(sizeof(dlab_consensus_raft_history_row) == 48, "dlab_consensus_raft_history_row");
typedef struct dlab_consensus_raft_cluster_row {
    /* [s, 0 .. inf] When. */
    double time;
    /* [-1 .. inf] The highest term of a running server. */
    int64_t term;
    /* [-1 .. inf] Who leads it; -1: nobody. */
    int64_t leader;
    /* [-1 .. inf] The highest commit index. */
    int64_t commit;
    /* [-1 .. inf] Entries by which the last running follower is behind the leader. */
    int64_t lag;
    /* [-1 .. inf] Servers that run. */
    int64_t running;
} dlab_consensus_raft_cluster_row;
_Static_assert(offsetof(dlab_consensus_raft_cluster_row, time) == 0, "time");
_Static_assert(offsetof(dlab_consensus_raft_cluster_row, term) == 8, "term");
_Static_assert(offsetof(dlab_consensus_raft_cluster_row, leader) == 16, "leader");
_Static_assert(offsetof(dlab_consensus_raft_cluster_row, commit) == 24, "commit");
_Static_assert(offsetof(dlab_consensus_raft_cluster_row, lag) == 32, "lag");
_Static_assert(offsetof(dlab_consensus_raft_cluster_row, running) == 40, "running");
_Static_assert(sizeof(dlab_consensus_raft_cluster_row) == 48, "dlab_consensus_raft_cluster_row");
typedef struct dlab_consensus_raft_servers_row {
    /* [s, 0 .. inf] When. */
    double time;
    /* [-1 .. inf] Which server. */
    int64_t server;
    /* [-1 .. inf] Its term. */
    int64_t term;
    /* What it is. */
    int32_t role;
    /* [-1 .. inf] Its commit index. */
    int64_t commit;
    /* [-1 .. inf] Entries it has applied. */
    int64_t applied;
    /* [-1 .. inf] The last entry of its log. */
    int64_t last;
    /* [-1 .. inf] How far the leader knows its log to agree; -1: nobody leads. */
    int64_t match;
    /* [-1 .. inf] The entry the leader would send it next; -1: nobody leads, or it does itself. */
    int64_t next;
} dlab_consensus_raft_servers_row;
_Static_assert(offsetof(dlab_consensus_raft_servers_row, time) == 0, "time");
_Static_assert(offsetof(dlab_consensus_raft_servers_row, server) == 8, "server");
_Static_assert(offsetof(dlab_consensus_raft_servers_row, term) == 16, "term");
_Static_assert(offsetof(dlab_consensus_raft_servers_row, role) == 24, "role");
_Static_assert(offsetof(dlab_consensus_raft_servers_row, commit) == 32, "commit");
_Static_assert(offsetof(dlab_consensus_raft_servers_row, applied) == 40, "applied");
_Static_assert(offsetof(dlab_consensus_raft_servers_row, last) == 48, "last");
_Static_assert(offsetof(dlab_consensus_raft_servers_row, match) == 56, "match");
_Static_assert(offsetof(dlab_consensus_raft_servers_row, next) == 64, "next");
_Static_assert(sizeof(dlab_consensus_raft_servers_row) == 72, "dlab_consensus_raft_servers_row");
typedef struct dlab_consensus_raft_links_cell {
    /* [0 .. 1023, -1: off] Sending node; blank: any. */
    int64_t from;
    /* [0 .. 1023, -1: off] Receiving node; blank: any. */
    int64_t to;
    /* [s, 0 .. 1e+06] One-way delay on these links; blank: the parameter. */
    dlab_distribution delay;
    /* [0 .. 1] Loss on these links; blank: the parameter. */
    double loss;
    /* [0 .. 1] Duplication on these links; blank: the parameter. */
    double duplicate;
    /* [0 .. 1] Reordering on these links; blank: the parameter. */
    double reorder;
    /* [0 .. 1] Corruption on these links; blank: the parameter. */
    double corrupt;
    /* [byte/s, 1 .. 1e+12, inf: off] Bandwidth of each of these links; blank: the parameter. */
    double bandwidth;
    /* [byte, 0 .. 1e+15, inf: off] Queue of each of these links; blank: the parameter. */
    double link_queue;
    /* Ordering on these links; blank: the parameter. */
    int32_t ordering;
} dlab_consensus_raft_links_cell;
_Static_assert(offsetof(dlab_consensus_raft_links_cell, from) == 0, "from");
_Static_assert(offsetof(dlab_consensus_raft_links_cell, to) == 8, "to");
_Static_assert(offsetof(dlab_consensus_raft_links_cell, delay) == 16, "delay");
_Static_assert(offsetof(dlab_consensus_raft_links_cell, loss) == 72, "loss");
_Static_assert(offsetof(dlab_consensus_raft_links_cell, duplicate) == 80, "duplicate");
_Static_assert(offsetof(dlab_consensus_raft_links_cell, reorder) == 88, "reorder");
_Static_assert(offsetof(dlab_consensus_raft_links_cell, corrupt) == 96, "corrupt");
_Static_assert(offsetof(dlab_consensus_raft_links_cell, bandwidth) == 104, "bandwidth");
_Static_assert(offsetof(dlab_consensus_raft_links_cell, link_queue) == 112, "link_queue");
_Static_assert(offsetof(dlab_consensus_raft_links_cell, ordering) == 120, "ordering");
_Static_assert(sizeof(dlab_consensus_raft_links_cell) == 128, "dlab_consensus_raft_links_cell");
typedef struct dlab_consensus_raft_faults_cell {
    /* [s, 0 .. 1e+09, -1: off] When the (first) fault begins; blank: drawn with rate. */
    double time;
    /* [1/s, 1e-12 .. 1e+06, -1: off] Faults per second of the time without it; blank: one fault, at time. */
    double rate;
    /* What goes wrong. */
    int32_t kind;
    /* Whom: the node of the row, one drawn for each fault, each node by a process of its own, or whoever
     * leads at that moment. */
    int32_t target;
    /* [0 .. 1023, -1: off] The node; blank: the target says. */
    int64_t node;
    /* [0 .. 1023, -1: off] The other end of a link; blank: all others (partial: one drawn). */
    int64_t peer;
    /* [1 .. 4.61169e+18, -1: off] One side of a partition or bridge: bit i is node i; blank: a random
     * minority (bridge: half of the others). */
    int64_t members;
    /* [s, 0 .. 1e+09] How long it lasts; blank: until the run ends. */
    dlab_distribution duration;
    /* [-1e+09 .. 1e+09, inf: off] How much: a factor (slow, slow_link, disk_slow), a share (degrade,
     * gray), seconds (flapping, clock_jump), ppm (clock_drift) or sectors (disk_rot). */
    double amount;
    /* [0 .. 65535, -1: off] Kind of message that a gray node loses; blank: all kinds. */
    int64_t message;
    /* What a crash leaves: exactly what was synced, nothing, also a random part of the rest, or everything
     * written. */
    int32_t disk;
} dlab_consensus_raft_faults_cell;
_Static_assert(offsetof(dlab_consensus_raft_faults_cell, time) == 0, "time");
_Static_assert(offsetof(dlab_consensus_raft_faults_cell, rate) == 8, "rate");
_Static_assert(offsetof(dlab_consensus_raft_faults_cell, kind) == 16, "kind");
_Static_assert(offsetof(dlab_consensus_raft_faults_cell, target) == 20, "target");
_Static_assert(offsetof(dlab_consensus_raft_faults_cell, node) == 24, "node");
_Static_assert(offsetof(dlab_consensus_raft_faults_cell, peer) == 32, "peer");
_Static_assert(offsetof(dlab_consensus_raft_faults_cell, members) == 40, "members");
_Static_assert(offsetof(dlab_consensus_raft_faults_cell, duration) == 48, "duration");
_Static_assert(offsetof(dlab_consensus_raft_faults_cell, amount) == 104, "amount");
_Static_assert(offsetof(dlab_consensus_raft_faults_cell, message) == 112, "message");
_Static_assert(offsetof(dlab_consensus_raft_faults_cell, disk) == 120, "disk");
_Static_assert(sizeof(dlab_consensus_raft_faults_cell) == 128, "dlab_consensus_raft_faults_cell");
typedef struct dlab_consensus_raft_changes_cell {
    /* [s, 0 .. 1e+06] When. */
    double time;
    /* What the leader is asked to do. */
    int32_t ask;
    /* [0 .. 15, -1: off] Which server it is about. */
    int64_t node;
    /* [1 .. 65535, -1: off] change to: the new voters, server i as 2^i. */
    int64_t voters;
} dlab_consensus_raft_changes_cell;
_Static_assert(offsetof(dlab_consensus_raft_changes_cell, time) == 0, "time");
_Static_assert(offsetof(dlab_consensus_raft_changes_cell, ask) == 8, "ask");
_Static_assert(offsetof(dlab_consensus_raft_changes_cell, node) == 16, "node");
_Static_assert(offsetof(dlab_consensus_raft_changes_cell, voters) == 24, "voters");
_Static_assert(sizeof(dlab_consensus_raft_changes_cell) == 32, "dlab_consensus_raft_changes_cell");
extern const dlab_model dlab_consensus_raft;

/* links.failure_detector: Dead, slow or unreachable: heartbeats and suspicions */
enum {
    DLAB_LINKS_FAILURE_DETECTOR_DETECTOR_FIXED = 0, DLAB_LINKS_FAILURE_DETECTOR_DETECTOR_CHEN = 1,
    DLAB_LINKS_FAILURE_DETECTOR_DETECTOR_PHI = 2,
};
enum {
    DLAB_LINKS_FAILURE_DETECTOR_TIMER_FROM_SEND = 0, DLAB_LINKS_FAILURE_DETECTOR_TIMER_FROM_LAST_ARRIVAL = 1,
};
enum {
    DLAB_LINKS_FAILURE_DETECTOR_BUG_NONE = 0, DLAB_LINKS_FAILURE_DETECTOR_BUG_TIMER_FROM_LAST_ARRIVAL = 1,
    DLAB_LINKS_FAILURE_DETECTOR_BUG_OLD_HEARTBEAT_REVIVES = 2,
};
typedef struct dlab_links_failure_detector_params {
    /* [s, 0.0001 .. 1e+06] Time between two heartbeats. */
    double heartbeat_interval;
    /* [s, 0 .. 1e+06] One-way delay of a heartbeat. */
    dlab_distribution delay;
    /* [0 .. 1] Probability that a heartbeat is lost. */
    double loss;
    /* [1 .. 16] Observers, each with a detector and a link of its own. */
    int64_t observers;
    /* [0 .. 16] How many of them, the last ones, watch answers to their own requests instead. */
    int64_t client_observers;
    /* fixed timeout; chen: adapts to the delays; phi: accrual, adapts to mean and deviation. */
    int32_t detector;
    /* fixed: the timeout counts from when a heartbeat was due, or from the last arrival. */
    int32_t timer_from;
    /* [s, 1e-06 .. 1e+06] fixed: how long a heartbeat is waited for. */
    double timeout;
    /* [s, 1e-06 .. 1e+06] chen: how long the next heartbeat is waited for after it is expected. */
    double margin;
    /* [0.5 .. 100] phi: suspected from a chance of ten to the minus this on. */
    double phi;
    /* [s, 0 .. 1e+06] phi: a deviation below this counts as this. */
    double deviation_min;
    /* [1 .. 1000] chen, phi: arrivals looked back at. */
    int64_t window;
    /* [1/s, 0 .. 1000] Pauses of the process in the time without; none of its heartbeats is sent. */
    double pause_rate;
    /* [s, 0 .. 1e+06] How long a pause lasts. */
    dlab_distribution pause;
    /* [1/s, 0 .. 1000] Cuts of each observer's link, by itself. */
    double link_cut_rate;
    /* [s, 0 .. 1e+06] How long a cut lasts. */
    dlab_distribution link_cut;
    /* [1/s, 0 .. 1000] How often the process turns gray. */
    double gray_rate;
    /* [s, 0 .. 1e+06] How long it stays gray: heartbeats go on, its work does not. */
    dlab_distribution gray;
    /* [0 .. 1] Share of the requests that a gray process does not answer. */
    double gray_loss;
    /* [s, 0.001 .. 1e+09] Time to the crash, less than an interval more. */
    double duration;
    /* [s, 0 .. 1e+06] Time before mistakes are counted. */
    double warmup;
    /* A textbook mistake, on purpose. */
    int32_t bug;
} dlab_links_failure_detector_params;
_Static_assert(offsetof(dlab_links_failure_detector_params, heartbeat_interval) == 0, "heartbeat_interval");
_Static_assert(offsetof(dlab_links_failure_detector_params, delay) == 8, "delay");
_Static_assert(offsetof(dlab_links_failure_detector_params, loss) == 64, "loss");
_Static_assert(offsetof(dlab_links_failure_detector_params, observers) == 72, "observers");
_Static_assert(offsetof(dlab_links_failure_detector_params, client_observers) == 80, "client_observers");
_Static_assert(offsetof(dlab_links_failure_detector_params, detector) == 88, "detector");
_Static_assert(offsetof(dlab_links_failure_detector_params, timer_from) == 92, "timer_from");
_Static_assert(offsetof(dlab_links_failure_detector_params, timeout) == 96, "timeout");
_Static_assert(offsetof(dlab_links_failure_detector_params, margin) == 104, "margin");
_Static_assert(offsetof(dlab_links_failure_detector_params, phi) == 112, "phi");
_Static_assert(offsetof(dlab_links_failure_detector_params, deviation_min) == 120, "deviation_min");
_Static_assert(offsetof(dlab_links_failure_detector_params, window) == 128, "window");
_Static_assert(offsetof(dlab_links_failure_detector_params, pause_rate) == 136, "pause_rate");
_Static_assert(offsetof(dlab_links_failure_detector_params, pause) == 144, "pause");
_Static_assert(offsetof(dlab_links_failure_detector_params, link_cut_rate) == 200, "link_cut_rate");
_Static_assert(offsetof(dlab_links_failure_detector_params, link_cut) == 208, "link_cut");
_Static_assert(offsetof(dlab_links_failure_detector_params, gray_rate) == 264, "gray_rate");
_Static_assert(offsetof(dlab_links_failure_detector_params, gray) == 272, "gray");
_Static_assert(offsetof(dlab_links_failure_detector_params, gray_loss) == 328, "gray_loss");
_Static_assert(offsetof(dlab_links_failure_detector_params, duration) == 336, "duration");
_Static_assert(offsetof(dlab_links_failure_detector_params, warmup) == 344, "warmup");
_Static_assert(offsetof(dlab_links_failure_detector_params, bug) == 352, "bug");
_Static_assert(sizeof(dlab_links_failure_detector_params) == 360, "dlab_links_failure_detector_params");
typedef struct dlab_links_failure_detector_metrics {
    /* [s, 0 .. inf] From the crash to the suspicion that stays. */
    dlab_histogram detection_time;
    /* [0 .. 1] Share of the deadlines (a timeout after a heartbeat is due) that find it suspected. */
    dlab_ratio false_suspicion;
    /* [1/s, 0 .. inf] Suspicions of the living process per second and observer. */
    dlab_ratio mistake_rate;
    /* [s, 0 .. inf] How long each lasts. */
    dlab_histogram mistake_duration;
    /* [0 .. 1] Share of its life in which an observer trusts the process. */
    dlab_ratio accuracy;
    /* [0 .. 1] Share of its life in which observers disagree. */
    dlab_ratio disagreement;
    /* [0 .. 1] Share of its life in which all suspect it. */
    dlab_ratio suspected_by_all;
    /* [0 .. 1] Share of the gray time in which a client suspects and no monitor does. */
    dlab_ratio gray_hidden;
    /* [0 .. 9e+15] Heartbeats and answers sent, lost ones included. */
    int64_t messages;
} dlab_links_failure_detector_metrics;
_Static_assert(offsetof(dlab_links_failure_detector_metrics, detection_time) == 0, "detection_time");
_Static_assert(offsetof(dlab_links_failure_detector_metrics, false_suspicion) == 80, "false_suspicion");
_Static_assert(offsetof(dlab_links_failure_detector_metrics, mistake_rate) == 96, "mistake_rate");
_Static_assert(offsetof(dlab_links_failure_detector_metrics, mistake_duration) == 112, "mistake_duration");
_Static_assert(offsetof(dlab_links_failure_detector_metrics, accuracy) == 192, "accuracy");
_Static_assert(offsetof(dlab_links_failure_detector_metrics, disagreement) == 208, "disagreement");
_Static_assert(offsetof(dlab_links_failure_detector_metrics, suspected_by_all) == 224, "suspected_by_all");
_Static_assert(offsetof(dlab_links_failure_detector_metrics, gray_hidden) == 240, "gray_hidden");
_Static_assert(offsetof(dlab_links_failure_detector_metrics, messages) == 256, "messages");
_Static_assert(sizeof(dlab_links_failure_detector_metrics) == 264, "dlab_links_failure_detector_metrics");
typedef struct dlab_links_failure_detector_beats_row {
    /* [0 .. inf] Who hears it. */
    int64_t observer;
    /* [0 .. inf] Number of the heartbeat. */
    int64_t number;
    /* [s, 0 .. inf] When it was due and sent. */
    double sent;
    /* [s, 0 .. inf] When it arrived; NaN: never. */
    double arrived;
} dlab_links_failure_detector_beats_row;
_Static_assert(offsetof(dlab_links_failure_detector_beats_row, observer) == 0, "observer");
_Static_assert(offsetof(dlab_links_failure_detector_beats_row, number) == 8, "number");
_Static_assert(offsetof(dlab_links_failure_detector_beats_row, sent) == 16, "sent");
_Static_assert(offsetof(dlab_links_failure_detector_beats_row, arrived) == 24, "arrived");
_Static_assert(sizeof(dlab_links_failure_detector_beats_row) == 32, "dlab_links_failure_detector_beats_row");
typedef struct dlab_links_failure_detector_suspicions_row {
    /* [0 .. inf] Who suspects the process. */
    int64_t observer;
    /* [s, 0 .. inf] From when. */
    double start;
    /* [s, 0 .. inf] Until when; NaN: for ever. */
    double end;
} dlab_links_failure_detector_suspicions_row;
_Static_assert(offsetof(dlab_links_failure_detector_suspicions_row, observer) == 0, "observer");
_Static_assert(offsetof(dlab_links_failure_detector_suspicions_row, start) == 8, "start");
_Static_assert(offsetof(dlab_links_failure_detector_suspicions_row, end) == 16, "end");
_Static_assert(sizeof(dlab_links_failure_detector_suspicions_row) == 24, "dlab_links_failure_detector_suspicions_row");
extern const dlab_model dlab_links_failure_detector;

/* links.partition_probe: Which links are cut, and who can still work */
enum {
    DLAB_LINKS_PARTITION_PROBE_KIND_COMPLETE = 0, DLAB_LINKS_PARTITION_PROBE_KIND_PARTIAL = 1,
    DLAB_LINKS_PARTITION_PROBE_KIND_ONE_WAY = 2, DLAB_LINKS_PARTITION_PROBE_KIND_FLAPPING = 3,
    DLAB_LINKS_PARTITION_PROBE_KIND_MTU = 4,
};
enum {
    DLAB_LINKS_PARTITION_PROBE_METHOD_SAMPLE = 0, DLAB_LINKS_PARTITION_PROBE_METHOD_EXHAUSTIVE = 1,
};
enum {
    DLAB_LINKS_PARTITION_PROBE_BUG_NONE = 0, DLAB_LINKS_PARTITION_PROBE_BUG_CUT_ASSUMED_SYMMETRIC = 1,
    DLAB_LINKS_PARTITION_PROBE_BUG_ONE_LOSS_IS_A_CUT = 2,
};
typedef struct dlab_links_partition_probe_params {
    /* [2 .. 64] Nodes, each joined to each other one. */
    int64_t nodes;
    /* [2 .. 64, 0: off] Zones, as equal as can be; links inside a zone are never cut. None: each node is a
     * zone. */
    int64_t zones;
    /* complete: the zones fall into two sides; else some links are cut: both ways (partial), one way,
     * again and again (flapping), for large messages (mtu). */
    int32_t kind;
    /* [0 .. 4032, -1: off] Links cut, but for complete; one_way: directions of links. None: each link by
     * itself with cut_probability. */
    int64_t cut_links;
    /* [0 .. 1] Probability that a link is cut, where cut_links is None. */
    double cut_probability;
    /* [s, 0.001 .. 1e+06] flapping: half of this down, half of it up, and so on. */
    double flap_period;
    /* [byte, 1 .. 1e+09] mtu: what a cut link loses is larger than this. */
    int64_t mtu;
    /* [byte, 1 .. 1e+09] mtu: size of the messages that the nodes live by. */
    int64_t message_size;
    /* [s, 0.001 .. 1e+06] Time between two probes of a direction of a link. */
    double probe_interval;
    /* [0 .. 1] Probability that a probe is lost on a link that is up. */
    double probe_loss;
    /* [byte, 1 .. 1e+09] mtu: size of a probe. */
    int64_t probe_size;
    /* [1 .. 64] Probes lost in a row that make the verdict "cut". */
    int64_t probes_per_verdict;
    /* [s, 1e-06 .. 1e+06] A probe that has not arrived within this time is lost. */
    double timeout;
    /* [1 .. 64, 0: off] Agents, at the first nodes; each watches both directions of its node's links.
     * None: one at each node. */
    int64_t vantage_points;
    /* [s, 0.001 .. 1e+06] Time from the beginning of the cut to the last probe that counts. */
    double duration;
    /* sample: cuts are drawn; exhaustive: every set of links once, at most 2^20. */
    int32_t method;
    /* [1 .. 1e+06] sample: cuts drawn. */
    int64_t trials;
    /* A textbook mistake, on purpose. */
    int32_t bug;
} dlab_links_partition_probe_params;
_Static_assert(offsetof(dlab_links_partition_probe_params, nodes) == 0, "nodes");
_Static_assert(offsetof(dlab_links_partition_probe_params, zones) == 8, "zones");
_Static_assert(offsetof(dlab_links_partition_probe_params, kind) == 16, "kind");
_Static_assert(offsetof(dlab_links_partition_probe_params, cut_links) == 24, "cut_links");
_Static_assert(offsetof(dlab_links_partition_probe_params, cut_probability) == 32, "cut_probability");
_Static_assert(offsetof(dlab_links_partition_probe_params, flap_period) == 40, "flap_period");
_Static_assert(offsetof(dlab_links_partition_probe_params, mtu) == 48, "mtu");
_Static_assert(offsetof(dlab_links_partition_probe_params, message_size) == 56, "message_size");
_Static_assert(offsetof(dlab_links_partition_probe_params, probe_interval) == 64, "probe_interval");
_Static_assert(offsetof(dlab_links_partition_probe_params, probe_loss) == 72, "probe_loss");
_Static_assert(offsetof(dlab_links_partition_probe_params, probe_size) == 80, "probe_size");
_Static_assert(offsetof(dlab_links_partition_probe_params, probes_per_verdict) == 88, "probes_per_verdict");
_Static_assert(offsetof(dlab_links_partition_probe_params, timeout) == 96, "timeout");
_Static_assert(offsetof(dlab_links_partition_probe_params, vantage_points) == 104, "vantage_points");
_Static_assert(offsetof(dlab_links_partition_probe_params, duration) == 112, "duration");
_Static_assert(offsetof(dlab_links_partition_probe_params, method) == 120, "method");
_Static_assert(offsetof(dlab_links_partition_probe_params, trials) == 128, "trials");
_Static_assert(offsetof(dlab_links_partition_probe_params, bug) == 136, "bug");
_Static_assert(sizeof(dlab_links_partition_probe_params) == 144, "dlab_links_partition_probe_params");
typedef struct dlab_links_partition_probe_metrics {
    /* [0 .. 1] Share of the watched directions judged rightly. */
    dlab_ratio verdict_accuracy;
    /* [0 .. 1] Share of the watched directions that are up called cut. */
    dlab_ratio false_cut;
    /* [0 .. 1] Share of the watched directions that are cut called up. */
    dlab_ratio missed_cut;
    /* [0 .. 1] Share of all directions that are cut called cut. */
    dlab_ratio cuts_found;
    /* [0 .. 1] Share of all directions that somebody watches. */
    dlab_ratio coverage;
    /* [0 .. 1] Share of the cuts of which every direction is right; what nobody watches counts as up. */
    dlab_ratio recovered;
    /* [0 .. 1] Share of the cuts whose matrix has the right shape: whole, complete, partial, one_way. */
    dlab_ratio diagnosed;
    /* [s, 0 .. inf] From the cut to the first verdict "cut", of the directions that got one. */
    dlab_histogram time_to_verdict;
    /* [0 .. 64] Groups of nodes joined by two-way links, over any number of hops: mean. */
    dlab_ratio components;
    /* [0 .. 1] Share of the cuts that leave one component. */
    dlab_ratio connected;
    /* [0 .. 1] Share of the cuts that leave clean groups: if A reaches B and B reaches C, A reaches C. */
    dlab_ratio transitive;
    /* [0 .. 1] Share of the cuts that leave a majority in one component. */
    dlab_ratio majority;
    /* [0 .. 1] Share of the cuts that leave a node with two-way links to a majority. */
    dlab_ratio leader;
    /* [0 .. 1] Share of the nodes that reach a majority directly. */
    dlab_ratio quorum_nodes;
    /* [0 .. 1] Share of the clients, one at each node, whose node reaches the best leader directly. */
    dlab_ratio clients_served;
    /* [0 .. 9e+15] Cuts that were tried. */
    int64_t link_sets;
} dlab_links_partition_probe_metrics;
_Static_assert(offsetof(dlab_links_partition_probe_metrics, verdict_accuracy) == 0, "verdict_accuracy");
_Static_assert(offsetof(dlab_links_partition_probe_metrics, false_cut) == 16, "false_cut");
_Static_assert(offsetof(dlab_links_partition_probe_metrics, missed_cut) == 32, "missed_cut");
_Static_assert(offsetof(dlab_links_partition_probe_metrics, cuts_found) == 48, "cuts_found");
_Static_assert(offsetof(dlab_links_partition_probe_metrics, coverage) == 64, "coverage");
_Static_assert(offsetof(dlab_links_partition_probe_metrics, recovered) == 80, "recovered");
_Static_assert(offsetof(dlab_links_partition_probe_metrics, diagnosed) == 96, "diagnosed");
_Static_assert(offsetof(dlab_links_partition_probe_metrics, time_to_verdict) == 112, "time_to_verdict");
_Static_assert(offsetof(dlab_links_partition_probe_metrics, components) == 192, "components");
_Static_assert(offsetof(dlab_links_partition_probe_metrics, connected) == 208, "connected");
_Static_assert(offsetof(dlab_links_partition_probe_metrics, transitive) == 224, "transitive");
_Static_assert(offsetof(dlab_links_partition_probe_metrics, majority) == 240, "majority");
_Static_assert(offsetof(dlab_links_partition_probe_metrics, leader) == 256, "leader");
_Static_assert(offsetof(dlab_links_partition_probe_metrics, quorum_nodes) == 272, "quorum_nodes");
_Static_assert(offsetof(dlab_links_partition_probe_metrics, clients_served) == 288, "clients_served");
_Static_assert(offsetof(dlab_links_partition_probe_metrics, link_sets) == 304, "link_sets");
_Static_assert(sizeof(dlab_links_partition_probe_metrics) == 312, "dlab_links_partition_probe_metrics");
typedef struct dlab_links_partition_probe_matrix_row {
    /* [0 .. inf] Number of the cut. */
    int64_t cut;
    /* [0 .. inf] Who sends. */
    int64_t from;
    /* [0 .. inf] Who receives. */
    int64_t to;
    /* Messages get there, in truth. */
    bool reachable;
    /* What the agents say. */
    int32_t verdict;
} dlab_links_partition_probe_matrix_row;
_Static_assert(offsetof(dlab_links_partition_probe_matrix_row, cut) == 0, "cut");
_Static_assert(offsetof(dlab_links_partition_probe_matrix_row, from) == 8, "from");
_Static_assert(offsetof(dlab_links_partition_probe_matrix_row, to) == 16, "to");
_Static_assert(offsetof(dlab_links_partition_probe_matrix_row, reachable) == 24, "reachable");
_Static_assert(offsetof(dlab_links_partition_probe_matrix_row, verdict) == 28, "verdict");
_Static_assert(sizeof(dlab_links_partition_probe_matrix_row) == 32, "dlab_links_partition_probe_matrix_row");
typedef struct dlab_links_partition_probe_cuts_row {
    /* [0 .. inf] Number of the cut. */
    int64_t cut;
    /* [0 .. inf] Directions that are cut. */
    int64_t missing;
    /* [0 .. inf] Groups joined by two-way links. */
    int64_t components;
    /* [0 .. inf] Nodes of the largest group. */
    int64_t largest;
    /* [0 .. inf] Nodes that reach a majority directly. */
    int64_t quorum_nodes;
    /* [-1 .. inf] The best leader; -1: nobody can lead. */
    int64_t leader;
    /* [0 .. inf] Nodes the leader reaches, itself included. */
    int64_t served;
    /* Clean groups are left. */
    bool transitive;
    /* A group has a majority. */
    bool majority;
    /* What the true matrix looks like. */
    int32_t shape;
    /* What the reported matrix looks like. */
    int32_t diagnosis;
} dlab_links_partition_probe_cuts_row;
_Static_assert(offsetof(dlab_links_partition_probe_cuts_row, cut) == 0, "cut");
_Static_assert(offsetof(dlab_links_partition_probe_cuts_row, missing) == 8, "missing");
_Static_assert(offsetof(dlab_links_partition_probe_cuts_row, components) == 16, "components");
_Static_assert(offsetof(dlab_links_partition_probe_cuts_row, largest) == 24, "largest");
_Static_assert(offsetof(dlab_links_partition_probe_cuts_row, quorum_nodes) == 32, "quorum_nodes");
_Static_assert(offsetof(dlab_links_partition_probe_cuts_row, leader) == 40, "leader");
_Static_assert(offsetof(dlab_links_partition_probe_cuts_row, served) == 48, "served");
_Static_assert(offsetof(dlab_links_partition_probe_cuts_row, transitive) == 56, "transitive");
_Static_assert(offsetof(dlab_links_partition_probe_cuts_row, majority) == 57, "majority");
_Static_assert(offsetof(dlab_links_partition_probe_cuts_row, shape) == 60, "shape");
_Static_assert(offsetof(dlab_links_partition_probe_cuts_row, diagnosis) == 64, "diagnosis");
_Static_assert(sizeof(dlab_links_partition_probe_cuts_row) == 72, "dlab_links_partition_probe_cuts_row");
extern const dlab_model dlab_links_partition_probe;

/* links.rpc_ambiguity: What really happened behind ok, error and timeout */
enum {
    DLAB_LINKS_RPC_AMBIGUITY_MEDIUM_CALL = 0, DLAB_LINKS_RPC_AMBIGUITY_MEDIUM_QUEUE = 1,
    DLAB_LINKS_RPC_AMBIGUITY_MEDIUM_LOG = 2,
};
enum {
    DLAB_LINKS_RPC_AMBIGUITY_DEDUP_NONE = 0, DLAB_LINKS_RPC_AMBIGUITY_DEDUP_KEY = 1,
    DLAB_LINKS_RPC_AMBIGUITY_DEDUP_KEY_TTL = 2,
};
enum {
    DLAB_LINKS_RPC_AMBIGUITY_ACK_AFTER = 0, DLAB_LINKS_RPC_AMBIGUITY_ACK_BEFORE = 1,
};
enum {
    DLAB_LINKS_RPC_AMBIGUITY_BUG_NONE = 0, DLAB_LINKS_RPC_AMBIGUITY_BUG_REPLY_BEFORE_EXECUTE = 1,
    DLAB_LINKS_RPC_AMBIGUITY_BUG_RETRY_WITHOUT_KEY = 2,
};
typedef struct dlab_links_rpc_ambiguity_params {
    /* [1 .. 100000] Calls the client makes, one after another. */
    int64_t calls;
    /* [s, 0 .. 1e+06] From the end of a call to the next one. */
    dlab_distribution think_time;
    /* call: the server answers the client; queue, log: a broker confirms and delivers to a worker. */
    int32_t medium;
    /* [s, 0 .. 1e+06] One-way delay of a message. */
    dlab_distribution delay;
    /* [0 .. 1] Probability that a message on the way to the server, broker or worker is lost. */
    double request_loss;
    /* [0 .. 1] Probability that a message on the way back is lost. */
    double reply_loss;
    /* [s, 0 .. 1e+06] Time it takes to carry an operation out. */
    dlab_distribution service;
    /* [0 .. 1] Probability that the server or worker dies having taken an operation up, before its effect. */
    double crash_before;
    /* [0 .. 1] Probability that it dies after the effect, before it answers. */
    double crash_after;
    /* A dying process resets its connection: the client sees an error, a broker learns of it at the
     * restart. */
    bool crash_visible;
    /* [s, 0 .. 1e+06] How long a dead process is down. */
    dlab_distribution restart;
    /* [s, 1e-06 .. 1e+06] How long the client waits for the answer to an attempt. */
    double timeout;
    /* [0 .. 100] Attempts after the first one. */
    int64_t retries;
    /* [s, 0 .. 1e+06] From a failed attempt to the next; a constant has no jitter. None: at once. */
    dlab_distribution backoff;
    /* [1 .. 10] The k-th backoff is this factor to the power k - 1 times as long. */
    double backoff_factor;
    /* key: an operation whose key is known is answered, not carried out again; key_ttl: keys are forgotten
     * after dedup_ttl. */
    int32_t dedup;
    /* [s, 1e-06 .. 1e+06] key_ttl: how long a key is remembered. */
    double dedup_ttl;
    /* Keys are stored atomically with the effect; else in memory, which a crash loses. */
    bool dedup_durable;
    /* When the worker acknowledges: after or before it carries a message out. */
    int32_t ack;
    /* [s, 1e-06 .. 1e+06] A message not acknowledged within this time is delivered again. */
    double visibility;
    /* [1 .. 1000] A message delivered so often in vain is set aside (dead letter). */
    int64_t max_deliveries;
    /* What goes wrong and when: rows of kind, time or rate, target and duration; none by default. */
    dlab_ref faults;
    /* A textbook mistake, on purpose. */
    int32_t bug;
} dlab_links_rpc_ambiguity_params;
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, calls) == 0, "calls");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, think_time) == 8, "think_time");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, medium) == 64, "medium");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, delay) == 72, "delay");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, request_loss) == 128, "request_loss");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, reply_loss) == 136, "reply_loss");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, service) == 144, "service");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, crash_before) == 200, "crash_before");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, crash_after) == 208, "crash_after");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, crash_visible) == 216, "crash_visible");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, restart) == 224, "restart");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, timeout) == 280, "timeout");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, retries) == 288, "retries");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, backoff) == 296, "backoff");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, backoff_factor) == 352, "backoff_factor");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, dedup) == 360, "dedup");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, dedup_ttl) == 368, "dedup_ttl");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, dedup_durable) == 376, "dedup_durable");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, ack) == 380, "ack");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, visibility) == 384, "visibility");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, max_deliveries) == 392, "max_deliveries");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, faults) == 400, "faults");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_params, bug) == 412, "bug");
_Static_assert(sizeof(dlab_links_rpc_ambiguity_params) == 416, "dlab_links_rpc_ambiguity_params");
typedef struct dlab_links_rpc_ambiguity_metrics {
    /* [0 .. 1] Share of the calls that timed out whose operation was carried out. */
    dlab_ratio executed_given_timeout;
    /* [0 .. 1] Share of the calls that ended in an error whose operation was carried out. */
    dlab_ratio executed_given_error;
    /* [0 .. inf] How often the operation of a call was carried out. */
    dlab_histogram executions;
    /* [0 .. 1] Share of calls whose operation was never carried out. */
    dlab_ratio lost;
    /* [0 .. 1] Share of calls whose operation was carried out more than once. */
    dlab_ratio duplicated;
    /* [0 .. 1] Share of calls that ended ok. */
    dlab_ratio success_ratio;
    /* [0 .. 1] Share of calls that ended in an error. */
    dlab_ratio error_ratio;
    /* [0 .. 1] Share of calls that timed out. */
    dlab_ratio timeout_ratio;
    /* [0 .. inf] Attempts of a call. */
    dlab_histogram attempts;
    /* [s, 0 .. inf] From the beginning to the end of a call that ended ok. */
    dlab_histogram latency;
    /* [0 .. 9e+15] Messages sent, lost ones included. */
    int64_t messages;
    /* [0 .. 9e+15] Messages the broker gave up delivering. */
    int64_t set_aside;
    /* [0 .. 9e+15] Calls that broke a promise: ok_means_executed (told ok, never carried out nor set
     * aside), key_means_once (carried out twice though its key is durable). */
    int64_t violations;
} dlab_links_rpc_ambiguity_metrics;
_Static_assert(offsetof(dlab_links_rpc_ambiguity_metrics, executed_given_timeout) == 0, "executed_given_timeout");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_metrics, executed_given_error) == 16, "executed_given_error");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_metrics, executions) == 32, "executions");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_metrics, lost) == 112, "lost");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_metrics, duplicated) == 128, "duplicated");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_metrics, success_ratio) == 144, "success_ratio");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_metrics, error_ratio) == 160, "error_ratio");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_metrics, timeout_ratio) == 176, "timeout_ratio");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_metrics, attempts) == 192, "attempts");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_metrics, latency) == 272, "latency");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_metrics, messages) == 352, "messages");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_metrics, set_aside) == 360, "set_aside");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_metrics, violations) == 368, "violations");
_Static_assert(sizeof(dlab_links_rpc_ambiguity_metrics) == 376, "dlab_links_rpc_ambiguity_metrics");
typedef struct dlab_links_rpc_ambiguity_trace_row {
    /* [s] When (true time). */
    double time;
    /* What happened. */
    int32_t type;
    /* Which message, timer, role, fault, state ...: index into the schema's list. */
    int64_t label;
    /* Where it happened; -1: at no node. */
    int64_t node;
    /* The other end of a message or fault; -1: none. */
    int64_t peer;
    /* The message (its copies have the same), or a ticket; 0: none. */
    int64_t id;
    /* First word of what it says, as the schema names it. */
    int64_t a;
    /* Second word. */
    int64_t b;
} dlab_links_rpc_ambiguity_trace_row;
_Static_assert(offsetof(dlab_links_rpc_ambiguity_trace_row, time) == 0, "time");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_trace_row, type) == 8, "type");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_trace_row, label) == 16, "label");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_trace_row, node) == 24, "node");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_trace_row, peer) == 32, "peer");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_trace_row, id) == 40, "id");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_trace_row, a) == 48, "a");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_trace_row, b) == 56, "b");
_Static_assert(sizeof(dlab_links_rpc_ambiguity_trace_row) == 64, "dlab_links_rpc_ambiguity_trace_row");
typedef struct dlab_links_rpc_ambiguity_calls_row {
    /* [0 .. inf] Number of the call. */
    int64_t id;
    /* [s, 0 .. inf] When the client began. */
    double start;
    /* [s, 0 .. inf] When it ended for the client. */
    double end;
    /* What the client saw; abandoned: it was down or died itself. */
    int32_t outcome;
    /* [0 .. inf] Attempts, 0 when abandoned. */
    int64_t attempts;
    /* [0 .. inf] How often it was really carried out. */
    int64_t executions;
} dlab_links_rpc_ambiguity_calls_row;
_Static_assert(offsetof(dlab_links_rpc_ambiguity_calls_row, id) == 0, "id");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_calls_row, start) == 8, "start");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_calls_row, end) == 16, "end");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_calls_row, outcome) == 24, "outcome");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_calls_row, attempts) == 32, "attempts");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_calls_row, executions) == 40, "executions");
_Static_assert(sizeof(dlab_links_rpc_ambiguity_calls_row) == 48, "dlab_links_rpc_ambiguity_calls_row");
typedef struct dlab_links_rpc_ambiguity_faults_cell {
    /* [s, 0 .. 1e+09, -1: off] When the (first) fault begins; blank: drawn with rate. */
    double time;
    /* [1/s, 1e-12 .. 1e+06, -1: off] Faults per second of the time without it; blank: one fault, at time. */
    double rate;
    /* What goes wrong. */
    int32_t kind;
    /* Whom: the node of the row, one drawn for each fault, each node by a process of its own, or whoever
     * leads at that moment. */
    int32_t target;
    /* [0 .. 1023, -1: off] The node; blank: the target says. */
    int64_t node;
    /* [0 .. 1023, -1: off] The other end of a link; blank: all others (partial: one drawn). */
    int64_t peer;
    /* [1 .. 4.61169e+18, -1: off] One side of a partition or bridge: bit i is node i; blank: a random
     * minority (bridge: half of the others). */
    int64_t members;
    /* [s, 0 .. 1e+09] How long it lasts; blank: until the run ends. */
    dlab_distribution duration;
    /* [-1e+09 .. 1e+09, inf: off] How much: a factor (slow, slow_link, disk_slow), a share (degrade,
     * gray), seconds (flapping, clock_jump), ppm (clock_drift) or sectors (disk_rot). */
    double amount;
    /* [0 .. 65535, -1: off] Kind of message that a gray node loses; blank: all kinds. */
    int64_t message;
    /* What a crash leaves: exactly what was synced, nothing, also a random part of the rest, or everything
     * written. */
    int32_t disk;
} dlab_links_rpc_ambiguity_faults_cell;
_Static_assert(offsetof(dlab_links_rpc_ambiguity_faults_cell, time) == 0, "time");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_faults_cell, rate) == 8, "rate");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_faults_cell, kind) == 16, "kind");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_faults_cell, target) == 20, "target");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_faults_cell, node) == 24, "node");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_faults_cell, peer) == 32, "peer");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_faults_cell, members) == 40, "members");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_faults_cell, duration) == 48, "duration");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_faults_cell, amount) == 104, "amount");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_faults_cell, message) == 112, "message");
_Static_assert(offsetof(dlab_links_rpc_ambiguity_faults_cell, disk) == 120, "disk");
_Static_assert(sizeof(dlab_links_rpc_ambiguity_faults_cell) == 128, "dlab_links_rpc_ambiguity_faults_cell");
extern const dlab_model dlab_links_rpc_ambiguity;

/* queueing.analytic: Queueing systems by formula */
enum {
    DLAB_QUEUEING_ANALYTIC_SYSTEM_MM1 = 0, DLAB_QUEUEING_ANALYTIC_SYSTEM_MMC = 1,
    DLAB_QUEUEING_ANALYTIC_SYSTEM_MMCK = 2, DLAB_QUEUEING_ANALYTIC_SYSTEM_MMC_PATIENCE = 3,
    DLAB_QUEUEING_ANALYTIC_SYSTEM_MGCC = 4, DLAB_QUEUEING_ANALYTIC_SYSTEM_MGINF = 5,
    DLAB_QUEUEING_ANALYTIC_SYSTEM_MG1 = 6, DLAB_QUEUEING_ANALYTIC_SYSTEM_MD1 = 7,
    DLAB_QUEUEING_ANALYTIC_SYSTEM_MDC = 8, DLAB_QUEUEING_ANALYTIC_SYSTEM_GIM1 = 9,
    DLAB_QUEUEING_ANALYTIC_SYSTEM_GGC = 10, DLAB_QUEUEING_ANALYTIC_SYSTEM_MG1_PS = 11,
    DLAB_QUEUEING_ANALYTIC_SYSTEM_MG1_SRPT = 12, DLAB_QUEUEING_ANALYTIC_SYSTEM_MM1_LIFO = 13,
    DLAB_QUEUEING_ANALYTIC_SYSTEM_PRIORITY_NONPREEMPTIVE = 14,
    DLAB_QUEUEING_ANALYTIC_SYSTEM_PRIORITY_PREEMPTIVE = 15, DLAB_QUEUEING_ANALYTIC_SYSTEM_BATCH_ARRIVALS = 16,
    DLAB_QUEUEING_ANALYTIC_SYSTEM_BATCH_SERVICE = 17,
};
enum {
    DLAB_QUEUEING_ANALYTIC_BUG_NONE = 0, DLAB_QUEUEING_ANALYTIC_BUG_ERLANG_B_FOR_C = 1,
};
typedef struct dlab_queueing_analytic_params {
    /* Arrivals, service, servers and order: Markov (M), general (G), constant (D). */
    int32_t system;
    /* [1/s, 1e-06 .. 1e+07] Mean arrivals per second, of all jobs. */
    double arrival_rate;
    /* [1/s, 1e-06 .. 1e+09] Jobs per second one busy server completes. */
    double service_rate;
    /* [1 .. 10000] Equal servers fed by one line (mmc, mmck, mmc_patience, mgcc, mdc, ggc). */
    int64_t servers;
    /* [1 .. 1e+08, 0: off] Jobs that fit, those in service included (mmck, md1; md1 at most 1e6). None: no
     * bound. */
    int64_t capacity;
    /* [0 .. 1000] Squared coefficient of variation of the time between arrivals (gim1, ggc). */
    double scv_arrival;
    /* [0 .. 1000] Squared coefficient of variation of the service time, where the system is not Markov. */
    double scv_service;
    /* [1 .. 10000] Jobs that arrive together, or that are gathered and served together. */
    int64_t batch;
    /* [s, 0 .. 1e+06] Fixed time a batch costs on top of its jobs' services (batch_service). */
    double batch_overhead;
    /* [s, 1e-09 .. 1e+06, inf: off] Mean of the exponential time a job waits before it gives up
     * (mmc_patience). None: for ever. */
    double patience_mean;
    /* Classes for the priority systems, most urgent first; empty: all jobs are of one class. */
    dlab_ref classes;
    /* [s, 1e-09 .. 1e+06, inf: off] Limit for wait_within, latency_within and goodput. None: every job
     * counts. */
    double deadline;
    /* [0 .. 1e+08] Number of jobs whose probability is asked for. */
    int64_t state;
    /* [s, 1e-09 .. 1e+06, inf: off] Service a job needs whose mean latency is asked for. None: not asked. */
    double job_size;
    /* [s, 0 .. 1e+06, inf: off] Time since the system was empty, for in_system_after and empty_after
     * (mm1). None: for ever. */
    double elapsed;
    /* [1e-12 .. 0.999] Loss (mgcc) or probability of waiting (mm1, mmc) for load_at_target and
     * servers_at_target. */
    double target;
    /* [1e-06 .. 1] Half width of the 95 % interval for run_time, as a share of the mean (mm1). */
    double relative_error;
    /* A textbook mistake, on purpose. */
    int32_t bug;
} dlab_queueing_analytic_params;
_Static_assert(offsetof(dlab_queueing_analytic_params, system) == 0, "system");
_Static_assert(offsetof(dlab_queueing_analytic_params, arrival_rate) == 8, "arrival_rate");
_Static_assert(offsetof(dlab_queueing_analytic_params, service_rate) == 16, "service_rate");
_Static_assert(offsetof(dlab_queueing_analytic_params, servers) == 24, "servers");
_Static_assert(offsetof(dlab_queueing_analytic_params, capacity) == 32, "capacity");
_Static_assert(offsetof(dlab_queueing_analytic_params, scv_arrival) == 40, "scv_arrival");
_Static_assert(offsetof(dlab_queueing_analytic_params, scv_service) == 48, "scv_service");
_Static_assert(offsetof(dlab_queueing_analytic_params, batch) == 56, "batch");
_Static_assert(offsetof(dlab_queueing_analytic_params, batch_overhead) == 64, "batch_overhead");
_Static_assert(offsetof(dlab_queueing_analytic_params, patience_mean) == 72, "patience_mean");
_Static_assert(offsetof(dlab_queueing_analytic_params, classes) == 80, "classes");
_Static_assert(offsetof(dlab_queueing_analytic_params, deadline) == 96, "deadline");
_Static_assert(offsetof(dlab_queueing_analytic_params, state) == 104, "state");
_Static_assert(offsetof(dlab_queueing_analytic_params, job_size) == 112, "job_size");
_Static_assert(offsetof(dlab_queueing_analytic_params, elapsed) == 120, "elapsed");
_Static_assert(offsetof(dlab_queueing_analytic_params, target) == 128, "target");
_Static_assert(offsetof(dlab_queueing_analytic_params, relative_error) == 136, "relative_error");
_Static_assert(offsetof(dlab_queueing_analytic_params, bug) == 144, "bug");
_Static_assert(sizeof(dlab_queueing_analytic_params) == 152, "dlab_queueing_analytic_params");
typedef struct dlab_queueing_analytic_metrics {
    /* [s, 0 .. inf] Mean time from arrival to departure of accepted jobs. */
    double latency_mean;
    /* [s, 0 .. inf] Median latency. */
    double latency_p50;
    /* [s, 0 .. inf] 90 % of latencies are at most this. */
    double latency_p90;
    /* [s, 0 .. inf] 95 % of latencies are at most this. */
    double latency_p95;
    /* [s, 0 .. inf] 99 % of latencies are at most this. */
    double latency_p99;
    /* [s, 0 .. inf] 99.9 % of latencies are at most this. */
    double latency_p999;
    /* [s, 0 .. inf] Mean time not in service of accepted jobs. */
    double wait;
    /* [s, 0 .. inf] Median wait. */
    double wait_p50;
    /* [s, 0 .. inf] 90 % of waits are at most this. */
    double wait_p90;
    /* [s, 0 .. inf] 95 % of waits are at most this. */
    double wait_p95;
    /* [s, 0 .. inf] 99 % of waits are at most this. */
    double wait_p99;
    /* [s, 0 .. inf] 99.9 % of waits are at most this. */
    double wait_p999;
    /* [0 .. 1] Share of accepted jobs that wait (gim1: sigma). */
    double wait_probability;
    /* [0 .. 1] Share of accepted jobs that wait at most the deadline. */
    double wait_within;
    /* [0 .. 1] Share of accepted jobs that leave within the deadline. */
    double latency_within;
    /* [0 .. 1] Busy share of the servers' time. */
    double utilisation;
    /* [0 .. inf] Offered load in Erlang: servers the arrivals would keep busy. */
    double offered_load;
    /* [1/s, 0 .. inf] Arrivals per second, lost ones included. */
    double offered;
    /* [1/s, 0 .. inf] Departures per second. */
    double throughput;
    /* [1/s, 0 .. inf] Departures per second of jobs that leave within the deadline. */
    double goodput;
    /* [0 .. 1] Share of arrivals that leave within the deadline. */
    double success_ratio;
    /* [0 .. 1] Share of arrivals lost to a full room. */
    double loss;
    /* [0 .. 1] Share of arrivals that give up waiting. */
    double abandonment;
    /* [0 .. inf] Mean number waiting. */
    double queue_length_mean;
    /* [0 .. inf] Mean number waiting or in service. */
    double in_system_mean;
    /* [0 .. 1] Probability of exactly `state` jobs in the system. */
    double state_probability;
    /* [s, 0 .. inf] Mean latency of a job that needs `job_size` of service. */
    double latency_of_size;
    /* [s, 0 .. inf] Kingman's upper bound of the mean wait (one server, in order). */
    double wait_bound;
    /* [0 .. 1] Halfin and Whitt's limit of wait_probability for many servers (mmc). */
    double wait_probability_limit;
    /* [0 .. inf] Load in Erlang at which these servers reach the target. */
    double load_at_target;
    /* [0 .. inf] Fewest servers that keep this load within the target. */
    double servers_at_target;
    /* [0 .. inf] Mean number in the system `elapsed` after it was empty. */
    double in_system_after;
    /* [0 .. 1] Probability that it is empty then. */
    double empty_after;
    /* [s, 0 .. inf] Mean time from a first arrival until empty again (mm1). */
    double busy_period_mean;
    /* [s, 0 .. inf] Variance of the average number in the system over a long time, times that time (mm1). */
    double in_system_variance_rate;
    /* [s, 0 .. inf] Simulated time that brings the mean number in the system to relative_error (mm1). */
    double run_time;
} dlab_queueing_analytic_metrics;
_Static_assert(offsetof(dlab_queueing_analytic_metrics, latency_mean) == 0, "latency_mean");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, latency_p50) == 8, "latency_p50");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, latency_p90) == 16, "latency_p90");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, latency_p95) == 24, "latency_p95");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, latency_p99) == 32, "latency_p99");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, latency_p999) == 40, "latency_p999");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, wait) == 48, "wait");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, wait_p50) == 56, "wait_p50");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, wait_p90) == 64, "wait_p90");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, wait_p95) == 72, "wait_p95");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, wait_p99) == 80, "wait_p99");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, wait_p999) == 88, "wait_p999");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, wait_probability) == 96, "wait_probability");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, wait_within) == 104, "wait_within");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, latency_within) == 112, "latency_within");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, utilisation) == 120, "utilisation");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, offered_load) == 128, "offered_load");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, offered) == 136, "offered");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, throughput) == 144, "throughput");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, goodput) == 152, "goodput");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, success_ratio) == 160, "success_ratio");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, loss) == 168, "loss");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, abandonment) == 176, "abandonment");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, queue_length_mean) == 184, "queue_length_mean");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, in_system_mean) == 192, "in_system_mean");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, state_probability) == 200, "state_probability");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, latency_of_size) == 208, "latency_of_size");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, wait_bound) == 216, "wait_bound");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, wait_probability_limit) == 224, "wait_probability_limit");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, load_at_target) == 232, "load_at_target");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, servers_at_target) == 240, "servers_at_target");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, in_system_after) == 248, "in_system_after");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, empty_after) == 256, "empty_after");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, busy_period_mean) == 264, "busy_period_mean");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, in_system_variance_rate) == 272, "in_system_variance_rate");
_Static_assert(offsetof(dlab_queueing_analytic_metrics, run_time) == 280, "run_time");
_Static_assert(sizeof(dlab_queueing_analytic_metrics) == 288, "dlab_queueing_analytic_metrics");
typedef struct dlab_queueing_analytic_states_row {
    /* [0 .. inf] Jobs in the system. */
    int64_t n;
    /* [0 .. 1] Share of time with exactly that many. */
    double probability;
} dlab_queueing_analytic_states_row;
_Static_assert(offsetof(dlab_queueing_analytic_states_row, n) == 0, "n");
_Static_assert(offsetof(dlab_queueing_analytic_states_row, probability) == 8, "probability");
_Static_assert(sizeof(dlab_queueing_analytic_states_row) == 16, "dlab_queueing_analytic_states_row");
typedef struct dlab_queueing_analytic_class_latency_row {
    /* [0 .. 16] Row of the class, 0 the most urgent. */
    int64_t priority;
    /* [1/s, 0 .. inf] Its arrivals per second. */
    double arrival_rate;
    /* [0 .. inf] Work it brings, as a share of the server. */
    double utilisation;
    /* [s, 0 .. inf] Its mean time not in service. */
    double wait;
    /* [s, 0 .. inf] Its mean time from arrival to departure. */
    double latency;
} dlab_queueing_analytic_class_latency_row;
_Static_assert(offsetof(dlab_queueing_analytic_class_latency_row, priority) == 0, "priority");
_Static_assert(offsetof(dlab_queueing_analytic_class_latency_row, arrival_rate) == 8, "arrival_rate");
_Static_assert(offsetof(dlab_queueing_analytic_class_latency_row, utilisation) == 16, "utilisation");
_Static_assert(offsetof(dlab_queueing_analytic_class_latency_row, wait) == 24, "wait");
_Static_assert(offsetof(dlab_queueing_analytic_class_latency_row, latency) == 32, "latency");
_Static_assert(sizeof(dlab_queueing_analytic_class_latency_row) == 40, "dlab_queueing_analytic_class_latency_row");
typedef struct dlab_queueing_analytic_classes_cell {
    /* [1e-09 .. 1e+09] Share of the arrivals; the shares are made to add up to 1. */
    double share;
    /* [1/s, 1e-06 .. 1e+09] Services per second of this class; blank: the parameter. */
    double service_rate;
    /* [0 .. 1000] Squared coefficient of variation of its service time; blank: the parameter. */
    double scv_service;
} dlab_queueing_analytic_classes_cell;
_Static_assert(offsetof(dlab_queueing_analytic_classes_cell, share) == 0, "share");
_Static_assert(offsetof(dlab_queueing_analytic_classes_cell, service_rate) == 8, "service_rate");
_Static_assert(offsetof(dlab_queueing_analytic_classes_cell, scv_service) == 16, "scv_service");
_Static_assert(sizeof(dlab_queueing_analytic_classes_cell) == 24, "dlab_queueing_analytic_classes_cell");
extern const dlab_model dlab_queueing_analytic;

/* queueing.station: One line, c servers, simulated job by job */
enum {
    DLAB_QUEUEING_STATION_LOAD_OPEN = 0, DLAB_QUEUEING_STATION_LOAD_CLOSED = 1,
    DLAB_QUEUEING_STATION_LOAD_PARTLY_OPEN = 2, DLAB_QUEUEING_STATION_LOAD_PACED = 3,
};
enum {
    DLAB_QUEUEING_STATION_PROFILE_STEADY = 0, DLAB_QUEUEING_STATION_PROFILE_RAMP = 1,
    DLAB_QUEUEING_STATION_PROFILE_DIURNAL = 2, DLAB_QUEUEING_STATION_PROFILE_BURSTS = 3,
};
enum {
    DLAB_QUEUEING_STATION_DISCIPLINE_FIFO = 0, DLAB_QUEUEING_STATION_DISCIPLINE_LIFO = 1,
    DLAB_QUEUEING_STATION_DISCIPLINE_LIFO_PREEMPTIVE = 2, DLAB_QUEUEING_STATION_DISCIPLINE_ADAPTIVE_LIFO = 3,
    DLAB_QUEUEING_STATION_DISCIPLINE_RANDOM = 4, DLAB_QUEUEING_STATION_DISCIPLINE_PS = 5,
    DLAB_QUEUEING_STATION_DISCIPLINE_SRPT = 6, DLAB_QUEUEING_STATION_DISCIPLINE_PRIORITY = 7,
    DLAB_QUEUEING_STATION_DISCIPLINE_PRIORITY_PREEMPTIVE = 8,
};
enum {
    DLAB_QUEUEING_STATION_MEASURE_FROM_INTENDED = 0, DLAB_QUEUEING_STATION_MEASURE_FROM_SENT = 1,
};
enum {
    DLAB_QUEUEING_STATION_METHOD_AUTO = 0, DLAB_QUEUEING_STATION_METHOD_RECURSION = 1,
    DLAB_QUEUEING_STATION_METHOD_EVENTS = 2,
};
enum {
    DLAB_QUEUEING_STATION_BUG_NONE = 0, DLAB_QUEUEING_STATION_BUG_WARMUP_COUNTED = 1,
    DLAB_QUEUEING_STATION_BUG_SERVICE_COUNTED_AS_WAIT = 2,
};
typedef struct dlab_queueing_station_params {
    /* open: jobs come whatever happens; closed: clients wait for answers; partly_open: sessions come, jobs
     * of a session follow each other. */
    int32_t load;
    /* How the rate changes: not; once, up to peak_factor times, over a period; as a day; in bursts. */
    int32_t profile;
    /* [1/s, 1e-06 .. 1e+07] Mean arrivals per second (of sessions, when partly open; unused when closed). */
    double arrival_rate;
    /* [s, 1e-09 .. 1e+09] Shape of the time between arrivals, scaled to 1/arrival_rate: its own mean does
     * not matter. */
    dlab_distribution interarrival;
    /* [1 .. 1000] Highest rate over arrival_rate; days and bursts keep arrival_rate as their mean. */
    double peak_factor;
    /* [s, 0.001 .. 1e+07] Length of the ramp, of a day, or mean of a burst and the calm after it. */
    double period;
    /* [1e-06 .. 0.999] Share of time spent in bursts. */
    double burst_share;
    /* [1 .. 1e+06] Clients of a closed load. */
    int64_t clients;
    /* [s, 0 .. 1e+06] Pause between an answer and the same client's next job (closed, partly open). */
    dlab_distribution think_time;
    /* [1 .. 1e+06] Mean number of jobs of a session, geometric (partly open). */
    double session_jobs;
    /* [s, 1e-08 .. 1e+06] Time one server spends on one job. */
    dlab_distribution service;
    /* [1 .. 10000] Equal servers fed by one line. */
    int64_t servers;
    /* [1 .. 1e+08, 0: off] Jobs that fit, those in service included; one more is lost. None: no bound. */
    int64_t capacity;
    /* Who is served next. */
    int32_t discipline;
    /* [0 .. 1e+08] adaptive_lifo: with more than this many waiting the newest goes first, else the oldest. */
    int64_t lifo_threshold;
    /* Classes for the priority disciplines; empty: all jobs are of one class. */
    dlab_ref classes;
    /* [s, 1e-09 .. 1e+06, inf: off] A job that leaves later than this after it was sent is no goodput.
     * None: every job counts. */
    double deadline;
    /* Drop a job whose deadline has passed when its turn comes, unserved. */
    bool drop_late;
    /* [s, 1e-09 .. 1e+06] How long a job waits for its service to begin before it gives up. None: for
     * ever. */
    dlab_distribution patience;
    /* [s, 1e-06 .. 1000, inf: off] CoDel: drop at the head while waits stay above this for codel_interval.
     * None: no CoDel. */
    double codel_target;
    /* [s, 1e-06 .. 1000] CoDel: how long waits may stay above the target. */
    double codel_interval;
    /* [s, 1e-09 .. 1e+06] Length of a pause of all servers at once (garbage collection); work resumes.
     * None: no pauses. */
    dlab_distribution pause;
    /* [s, 1e-06 .. 1e+06] Mean time from the end of a pause to the next, exponential. */
    double pause_interval;
    /* [1 .. 1e+10] Arrivals after the extra warm-up. */
    int64_t jobs;
    /* [0 .. 1e+10] Extra arrivals before `jobs`, simulated but not measured. */
    int64_t warmup_jobs;
    /* [0 .. 0.99] Share of `jobs` at the start that is simulated but not measured. */
    double warmup_fraction;
    /* Latency from when a job was meant to be sent, or from when it was: the latter is coordinated
     * omission where clients are held up (load = paced). */
    int32_t measure_from;
    /* auto: the exact recursion where there is one, else events; the numbers are the same. */
    int32_t method;
    /* A textbook mistake, on purpose. */
    int32_t bug;
} dlab_queueing_station_params;
_Static_assert(offsetof(dlab_queueing_station_params, load) == 0, "load");
_Static_assert(offsetof(dlab_queueing_station_params, profile) == 4, "profile");
_Static_assert(offsetof(dlab_queueing_station_params, arrival_rate) == 8, "arrival_rate");
_Static_assert(offsetof(dlab_queueing_station_params, interarrival) == 16, "interarrival");
_Static_assert(offsetof(dlab_queueing_station_params, peak_factor) == 72, "peak_factor");
_Static_assert(offsetof(dlab_queueing_station_params, period) == 80, "period");
_Static_assert(offsetof(dlab_queueing_station_params, burst_share) == 88, "burst_share");
_Static_assert(offsetof(dlab_queueing_station_params, clients) == 96, "clients");
_Static_assert(offsetof(dlab_queueing_station_params, think_time) == 104, "think_time");
_Static_assert(offsetof(dlab_queueing_station_params, session_jobs) == 160, "session_jobs");
_Static_assert(offsetof(dlab_queueing_station_params, service) == 168, "service");
_Static_assert(offsetof(dlab_queueing_station_params, servers) == 224, "servers");
_Static_assert(offsetof(dlab_queueing_station_params, capacity) == 232, "capacity");
_Static_assert(offsetof(dlab_queueing_station_params, discipline) == 240, "discipline");
_Static_assert(offsetof(dlab_queueing_station_params, lifo_threshold) == 248, "lifo_threshold");
_Static_assert(offsetof(dlab_queueing_station_params, classes) == 256, "classes");
_Static_assert(offsetof(dlab_queueing_station_params, deadline) == 272, "deadline");
_Static_assert(offsetof(dlab_queueing_station_params, drop_late) == 280, "drop_late");
_Static_assert(offsetof(dlab_queueing_station_params, patience) == 288, "patience");
_Static_assert(offsetof(dlab_queueing_station_params, codel_target) == 344, "codel_target");
_Static_assert(offsetof(dlab_queueing_station_params, codel_interval) == 352, "codel_interval");
_Static_assert(offsetof(dlab_queueing_station_params, pause) == 360, "pause");
_Static_assert(offsetof(dlab_queueing_station_params, pause_interval) == 416, "pause_interval");
_Static_assert(offsetof(dlab_queueing_station_params, jobs) == 424, "jobs");
_Static_assert(offsetof(dlab_queueing_station_params, warmup_jobs) == 432, "warmup_jobs");
_Static_assert(offsetof(dlab_queueing_station_params, warmup_fraction) == 440, "warmup_fraction");
_Static_assert(offsetof(dlab_queueing_station_params, measure_from) == 448, "measure_from");
_Static_assert(offsetof(dlab_queueing_station_params, method) == 452, "method");
_Static_assert(offsetof(dlab_queueing_station_params, bug) == 456, "bug");
_Static_assert(sizeof(dlab_queueing_station_params) == 464, "dlab_queueing_station_params");
typedef struct dlab_queueing_station_metrics {
    /* [s, 0 .. inf] Time from arrival to departure of served jobs. */
    dlab_histogram latency;
    /* [s, 0 .. inf] Mean time not in service of served jobs; its standard error is by batch means. */
    dlab_estimate wait;
    /* [0 .. 1] Share of served jobs that waited. */
    dlab_ratio wait_probability;
    /* [0 .. 1] Busy share of server time while the measured jobs arrived. */
    dlab_ratio utilisation;
    /* [1/s, 0 .. inf] Arrivals per second, lost ones included. */
    dlab_ratio offered;
    /* [1/s, 0 .. inf] Departures per second while the measured jobs arrived; where the recursion applies,
     * between those of the first and the last served job. */
    dlab_ratio throughput;
    /* [1/s, 0 .. inf] Throughput of jobs that leave within the deadline. */
    dlab_ratio goodput;
    /* [0 .. 1] Share of arrivals that leave within the deadline. */
    dlab_ratio success_ratio;
    /* [0 .. 1] Share of arrivals lost to a full room. */
    dlab_ratio loss;
    /* [0 .. 1] Share of arrivals that gave up waiting. */
    dlab_ratio abandonment;
    /* [0 .. 1] Share of arrivals dropped when their turn came. */
    dlab_ratio drop_ratio;
    /* [0 .. inf] Mean number waiting: waits of the served jobs over the time the measured ones arrived in. */
    dlab_ratio queue_length_mean;
    /* [0 .. inf] Mean number waiting or in service, counted the same way. */
    dlab_ratio in_system_mean;
} dlab_queueing_station_metrics;
_Static_assert(offsetof(dlab_queueing_station_metrics, latency) == 0, "latency");
_Static_assert(offsetof(dlab_queueing_station_metrics, wait) == 80, "wait");
_Static_assert(offsetof(dlab_queueing_station_metrics, wait_probability) == 104, "wait_probability");
_Static_assert(offsetof(dlab_queueing_station_metrics, utilisation) == 120, "utilisation");
_Static_assert(offsetof(dlab_queueing_station_metrics, offered) == 136, "offered");
_Static_assert(offsetof(dlab_queueing_station_metrics, throughput) == 152, "throughput");
_Static_assert(offsetof(dlab_queueing_station_metrics, goodput) == 168, "goodput");
_Static_assert(offsetof(dlab_queueing_station_metrics, success_ratio) == 184, "success_ratio");
_Static_assert(offsetof(dlab_queueing_station_metrics, loss) == 200, "loss");
_Static_assert(offsetof(dlab_queueing_station_metrics, abandonment) == 216, "abandonment");
_Static_assert(offsetof(dlab_queueing_station_metrics, drop_ratio) == 232, "drop_ratio");
_Static_assert(offsetof(dlab_queueing_station_metrics, queue_length_mean) == 248, "queue_length_mean");
_Static_assert(offsetof(dlab_queueing_station_metrics, in_system_mean) == 264, "in_system_mean");
_Static_assert(sizeof(dlab_queueing_station_metrics) == 280, "dlab_queueing_station_metrics");
typedef struct dlab_queueing_station_jobs_row {
    /* [0 .. inf] Number of the arrival, warm-up included. */
    int64_t job;
    /* [0 .. 16] Row of its class, 0 without classes. */
    int64_t priority;
    /* [s, 0 .. inf] When it came. */
    double arrival;
    /* [s, 0 .. inf] When its service first began; NaN if it never did. */
    double start;
    /* [s, 0 .. inf] When it left; NaN if lost. */
    double departure;
    /* How it left. */
    int32_t outcome;
} dlab_queueing_station_jobs_row;
_Static_assert(offsetof(dlab_queueing_station_jobs_row, job) == 0, "job");
_Static_assert(offsetof(dlab_queueing_station_jobs_row, priority) == 8, "priority");
_Static_assert(offsetof(dlab_queueing_station_jobs_row, arrival) == 16, "arrival");
_Static_assert(offsetof(dlab_queueing_station_jobs_row, start) == 24, "start");
_Static_assert(offsetof(dlab_queueing_station_jobs_row, departure) == 32, "departure");
_Static_assert(offsetof(dlab_queueing_station_jobs_row, outcome) == 40, "outcome");
_Static_assert(sizeof(dlab_queueing_station_jobs_row) == 48, "dlab_queueing_station_jobs_row");
typedef struct dlab_queueing_station_queue_length_row {
    /* [s, 0 .. inf] When the numbers changed. */
    double time;
    /* [0 .. inf] Jobs waiting from then on. */
    int64_t queue_length;
    /* [0 .. inf] Jobs waiting or in service from then on. */
    int64_t in_system;
} dlab_queueing_station_queue_length_row;
_Static_assert(offsetof(dlab_queueing_station_queue_length_row, time) == 0, "time");
_Static_assert(offsetof(dlab_queueing_station_queue_length_row, queue_length) == 8, "queue_length");
_Static_assert(offsetof(dlab_queueing_station_queue_length_row, in_system) == 16, "in_system");
_Static_assert(sizeof(dlab_queueing_station_queue_length_row) == 24, "dlab_queueing_station_queue_length_row");
typedef struct dlab_queueing_station_classes_cell {
    /* [1e-09 .. 1e+09] Share of the arrivals; the shares are made to add up to 1. */
    double share;
    /* [s, 1e-08 .. 1e+06] Service time of this class; blank: the station's. */
    dlab_distribution service;
} dlab_queueing_station_classes_cell;
_Static_assert(offsetof(dlab_queueing_station_classes_cell, share) == 0, "share");
_Static_assert(offsetof(dlab_queueing_station_classes_cell, service) == 8, "service");
_Static_assert(sizeof(dlab_queueing_station_classes_cell) == 64, "dlab_queueing_station_classes_cell");
extern const dlab_model dlab_queueing_station;

#endif
