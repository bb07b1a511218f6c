/* Raft as a step function (Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm",
 * extended version 2014: "the paper"; Ongaro's dissertation 2014: "the thesis"). Sentences in quotes above
 * the code are theirs.
 *
 * Servers are nodes 0 .. servers - 1, clients the nodes behind them. A node's state is one block: durable
 * bytes first (term and vote; two snapshot slots; the log as a ring of entries with checksums), volatile
 * ones behind. A write that a crash tore is noticed by its checksum, a left-over of an older log by its
 * version.
 *
 * Messages carry checksums of their own: one whose bits flipped on the way is ignored.
 *
 * Limits: servers <= 16 and clients <= 64 (sets of nodes are bit masks), terms and indexes below 2^32, a
 * ring of log_capacity entries: a leader whose ring is full of entries it may not yet compact refuses
 * proposals. */
#ifndef DISTLAB_CONSENSUS_RAFT_H
#define DISTLAB_CONSENSUS_RAFT_H
#include <distlab/core.h>

#include "consensus/raft_bugs.h"

enum { DLAB_RAFT_SERVERS_MAX = 16, DLAB_RAFT_CLIENTS_MAX = 64, DLAB_RAFT_KEYS_MAX = 64 };
/* A value says who wrote it and which of its operations that was: (client + 1) << bits | number. Numbers
 * begin again when they are used up, so that no client writes what another has written. */
enum { DLAB_RAFT_NUMBER_BITS = 20, DLAB_RAFT_NUMBER_MASK = (1 << DLAB_RAFT_NUMBER_BITS) - 1 };
enum { DLAB_RAFT_WINDOW_MAX = 64, DLAB_RAFT_READS_MAX = 64, DLAB_RAFT_BATCH_MAX = 1024 };

/* X(CODE, name, what a says, what b says) */
#define DLAB_RAFT_MESSAGES(X)                               \
    X(PRE_VOTE_REQUEST, "pre-vote request", "term", "last") \
    X(PRE_VOTE, "pre-vote", "term", "granted")              \
    X(VOTE_REQUEST, "vote request", "term", "last")         \
    X(VOTE, "vote", "term", "granted")                      \
    X(APPEND, "append", "term", "prev")                     \
    X(APPENDED, "appended", "term", "match")                \
    X(REFUSED, "append refused", "term", "hint")            \
    X(HEARTBEAT, "heartbeat", "term", "commit")             \
    X(ALIVE, "alive", "term", "round")                      \
    X(SNAPSHOT, "snapshot", "term", "index")                \
    X(STORED, "snapshot stored", "term", "bytes")           \
    X(TIMEOUT_NOW, "timeout now", "term", NULL)             \
    X(READ_FORWARD, "read index request", "term", "read")   \
    X(READ_INDEX, "read index", "term", "index")            \
    X(COMMAND, "command", "sequence", "value")              \
    X(RESULT, "result", "sequence", "value")
#define DLAB_RAFT_TIMERS(X)         \
    X(ELECTION, "election")         \
    X(HEARTBEAT_DUE, "heartbeat")   \
    X(QUORUM_CHECK, "quorum check") \
    X(TRANSFER_DUE, "transfer")     \
    X(APPLY_DUE, "apply")           \
    X(THINK, "think")               \
    X(RETRY, "retry")               \
    X(GIVE_UP, "give up")
#define DLAB_RAFT_ROLES(X)            \
    X(FOLLOWER, "follower")           \
    X(PRE_CANDIDATE, "pre-candidate") \
    X(CANDIDATE, "candidate")         \
    X(LEADER, "leader")               \
    X(LEARNER, "learner")             \
    X(OUTSIDER, "outsider")           \
    X(THINKING, "thinking")           \
    X(WAITING, "waiting")
/* What an operator asks of a server, and (the last three) of a client: requests with these kinds. */
#define DLAB_RAFT_REQUESTS(X)                     \
    X(ADD_VOTER, "add voter", "node", NULL)       \
    X(ADD_LEARNER, "add learner", "node", NULL)   \
    X(PROMOTE, "promote", "node", NULL)           \
    X(REMOVE, "remove", "node", NULL)             \
    X(JOINT, "change to", "voters", NULL)         \
    X(LEAVE_JOINT, "leave joint", NULL, NULL)     \
    X(TRANSFER, "transfer to", "node", NULL)      \
    X(FORGET_LEADER, "forget leader", NULL, NULL) \
    X(CAMPAIGN, "campaign", NULL, NULL)           \
    X(APPEND_NOOP, "append no-op", NULL, NULL)    \
    X(READ, "read", "server", NULL) X(WRITE, "write", "server", "value") X(CAS, "cas", "server", "value")
/* Operations of clients, and kinds of entries. */
#define DLAB_RAFT_OPERATIONS(X) \
    X(NOOP, "no-op") X(READ, "read") X(WRITE, "write") X(CAS, "cas") X(CONFIG, "config")
/* How a command ends: what RESULT says. */
#define DLAB_RAFT_RESULTS(X) X(OK, "ok") X(FAILED, "failed") X(NOT_LEADER, "not leader") X(BUSY, "busy")
#define DLAB_RAFT_READ_MODES(X) X(LOG, "log") X(INDEX, "read_index") X(LEASE, "lease") X(LOCAL, "local")
#define DLAB_RAFT_INVARIANTS(X)                       \
    X(ELECTION_SAFETY, "election safety")             \
    X(LEADER_APPEND_ONLY, "leader append-only")       \
    X(LOG_MATCHING, "log matching")                   \
    X(LEADER_COMPLETENESS, "leader completeness")     \
    X(STATE_MACHINE_SAFETY, "state machine safety")   \
    X(INDEX_ORDER, "applied <= commit <= last")       \
    X(MONOTONIC_TERM, "term never falls")             \
    X(COMMITTED_POP, "no committed entry is removed") \
    X(LOG_TERMS, "terms never fall along the log")    \
    X(EXACTLY_ONCE, "a command is executed once") X(LINEARIZABLE, "linearizable") X(PROGRESS, "progress")
/* Remarks of the trace. */
#define DLAB_RAFT_NOTES(X)                            \
    X(INVOKE, "invokes", "sequence", "value")         \
    X(ANSWERED, "answered", "sequence", "value")      \
    X(GAVE_UP, "gives up", "sequence", NULL)          \
    X(COMMITS, "commits", "term", "index")            \
    X(TRUNCATES, "truncates", "term", "from")         \
    X(STEPS_DOWN, "steps down", "term", NULL)         \
    X(COMPACTS, "compacts", "term", "through")        \
    X(INSTALLS, "installs snapshot", "term", "index") \
    X(CHANGES, "changes members", "voters", "index")  \
    X(BACKS_OFF, "backs off", "peer", "next")
enum {
#define X(code, ...) DLAB_RAFT_##code,
    DLAB_RAFT_MESSAGES(X)
#undef X
        DLAB_RAFT_MESSAGE_KINDS
};
enum {
#define X(code, ...) DLAB_RAFT_TIMER_##code,
    DLAB_RAFT_TIMERS(X)
#undef X
        DLAB_RAFT_TIMER_COUNT
};
enum {
#define X(code, ...) DLAB_RAFT_ROLE_##code,
    DLAB_RAFT_ROLES(X)
#undef X
};
enum {
#define X(code, ...) DLAB_RAFT_ASK_##code,
    DLAB_RAFT_REQUESTS(X)
#undef X
};
enum {
#define X(code, ...) DLAB_RAFT_OP_##code,
    DLAB_RAFT_OPERATIONS(X)
#undef X
};
enum {
#define X(code, ...) DLAB_RAFT_RESULT_##code,
    DLAB_RAFT_RESULTS(X)
#undef X
};
enum {
#define X(code, ...) DLAB_RAFT_READ_##code##_MODE,
    DLAB_RAFT_READ_MODES(X)
#undef X
};
enum {
#define X(code, ...) DLAB_RAFT_BROKEN_##code,
    DLAB_RAFT_INVARIANTS(X)
#undef X
};
enum {
#define X(code, ...) DLAB_RAFT_NOTE_##code,
    DLAB_RAFT_NOTES(X)
#undef X
};
enum {
#define X(code, ...) DLAB_RAFT_BUG_##code,
    DLAB_RAFT_BUGS(X)
#undef X
};

/* Who counts. While `outgoing` is not empty the configuration is joint: "agreement ... requires separate
 * majorities from both the old and new configurations" (the paper, section 6). */
typedef struct dlab_raft_members {
    uint32_t voters, outgoing, learners; /* bit i: server i */
    uint32_t leaves;                     /* 1: the leader ends the joint configuration by itself */
} dlab_raft_members;

/* The protocol's own settings: read-only during a run. */
typedef struct dlab_raft {
    uint32_t servers, clients, keys;
    dlab_raft_members members;             /* at the start */
    int64_t election_least, election_most; /* ns */
    int64_t heartbeat;
    bool pre_vote, quorum_check, async_storage, forward, hints;
    bool keeps_timeout;  /* a new term or a lost election is no reason to begin an election timeout anew */
    int32_t read_mode;   /* DLAB_RAFT_READ_*_MODE */
    double lease_margin; /* share by which a leader's lease is shorter than election_least */
    uint32_t batch, window, log_capacity,
        snapshot_every; /* entries, messages, entries (a power of two), entries */
    uint32_t batch_bytes, window_bytes, uncommitted_bytes, chunk; /* bytes */
    uint32_t command_bytes;                                       /* of one command on the wire */
    /* Clients: they send to whom they believe to lead. */
    int64_t think_least, think_most, retry, give_up; /* ns */
    double reads, compare; /* shares of reads and compare-and-sets; the rest writes */
    bool reads_anywhere;   /* reads go to any server */
    int32_t bug;
    /* Entries of the last voter and of all others behind the first one at the start, and their terms: see
     * raft_past.c. */
    uint32_t past_stray, past_rival, past_terms;
    /* Where things lie in a node's block, from dlab_raft_lay_out. */
    uint32_t slot_offset[2], slot_bytes, log_offset, durable, volatile_offset, chain_offset, machine_offset;
    uint32_t machine_bytes, state_bytes;
} dlab_raft;

typedef struct dlab_raft_hard {
    uint32_t term, vote; /* vote: node + 1, 0: none */
    uint32_t crc, unused;
} dlab_raft_hard;

/* One entry; `version` grows whenever the log is cut, so a left-over behind a cut is never taken for its
 * continuation after a restart. */
typedef struct dlab_raft_entry {
    uint64_t value; /* of a write; expected << 32 | new of a compare-and-set; members of a change */
    uint32_t term, index, version, sequence;
    uint16_t client, key; /* client: node, or DLAB_NO_NODE */
    uint16_t kind, unused;
    uint32_t wire;
    uint32_t sum; /* of all above */
} dlab_raft_entry;

/* A snapshot slot: this head, then the machine's bytes. */
typedef struct dlab_raft_snapshot {
    uint32_t index, term, version, crc;
    dlab_raft_members members;
    uint64_t chain; /* for the invariants */
} dlab_raft_snapshot;

/* What the leader knows of a peer (etcd's progress: probe, replicate, snapshot). */
enum { DLAB_RAFT_PROBE, DLAB_RAFT_REPLICATE, DLAB_RAFT_SNAPSHOTTING };
typedef struct dlab_raft_peer {
    uint32_t match, next, state, sent_offset; /* sent_offset: of a snapshot */
    uint32_t window_first, window_count, window_bytes;
    uint32_t snapshot_index;
    bool waits, active; /* waits: a probe is out; active: heard of since the last check */
    uint32_t round;     /* the latest heartbeat round it has answered */
    int64_t acked_at;   /* leader's clock when that round was sent */
    uint32_t last[DLAB_RAFT_WINDOW_MAX], bytes[DLAB_RAFT_WINDOW_MAX]; /* in flight */
} dlab_raft_peer;

typedef struct dlab_raft_read {
    uint32_t sequence, index, round;
    uint16_t client, key, from, state; /* from: the server that asked, or this one */
} dlab_raft_read;

/* Volatile state of a server. */
typedef struct dlab_raft_live {
    uint32_t role, leader; /* leader: node + 1 */
    bool damaged;          /* its durable term and vote cannot be read: it takes no part */
    uint32_t first, last, commit, applied, stable, version;
    uint32_t agreed, agreed_term; /* follower: so far its log is the log of that term's leader */
    uint32_t snapshot, slot;      /* index of the latest snapshot, and the slot it lies in */
    uint32_t saving;              /* index of a snapshot on its way to disk, 0: none */
    dlab_raft_members members;
    uint32_t members_index;
    uint32_t votes, refusals;
    int64_t heard_at;     /* own clock */
    int64_t silent_until; /* it grants no vote before, so that no lease ends that it may have granted */
    uint32_t term_start;  /* first index of the leader's term */
    uint32_t uncommitted_bytes;
    uint32_t transfer; /* node + 1 */
    bool offered;      /* leadership, in this term */
    uint32_t round;    /* of heartbeats */
    int64_t round_at[DLAB_RAFT_WINDOW_MAX];
    uint32_t read_count;
    uint32_t dirty_from, dirty_to; /* entries to be written, dirty_from > dirty_to: none */
    bool dirty_hard;
    uint32_t incoming_index, incoming_bytes; /* a snapshot that arrives */
    uint16_t incoming_from;
    dlab_raft_read reads[DLAB_RAFT_READS_MAX];
    dlab_raft_peer peers[DLAB_RAFT_SERVERS_MAX];
} dlab_raft_live;

typedef struct dlab_raft_session {
    uint32_t sequence, result;
    uint64_t value;
} dlab_raft_session;

/* State of a client: the operation under way, or the last one. */
typedef struct dlab_raft_client {
    uint32_t sequence, server, waiting, written;
    uint32_t kind, key;
    uint64_t value;
    uint32_t result, unused; /* DLAB_RAFT_RESULT_* of the last answer */
    uint64_t answer;
    uint32_t seen[DLAB_RAFT_KEYS_MAX]; /* what it last saw there */
} dlab_raft_client;

/* Sizes and offsets; the most outputs and bytes of one step. */
void dlab_raft_lay_out(dlab_raft *raft);
dlab_core dlab_raft_core(const dlab_raft *raft);

/* Views for models, tests and invariants. */
static inline const dlab_raft_live *dlab_raft_live_of(const dlab_raft *raft, const void *state)
{
    return (const dlab_raft_live *)(const void *)((const unsigned char *)state + raft->volatile_offset);
}
static inline const dlab_raft_hard *dlab_raft_hard_of(const void *state) { return state; }
static inline const dlab_raft_session *dlab_raft_session_of(const dlab_raft *raft, const void *state,
                                                            uint32_t client)
{
    const unsigned char *machine = (const unsigned char *)state + raft->machine_offset;
    return (const dlab_raft_session *)(const void *)(machine + raft->keys * sizeof(uint64_t)) + client;
}
const dlab_raft_entry *dlab_raft_entry_at(const dlab_raft *raft, const void *state, uint32_t index);
bool dlab_raft_is_quorum(const dlab_raft_members *members, uint32_t set);

extern const dlab_trace_schema dlab_raft_schema;

#endif
