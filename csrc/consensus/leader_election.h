/* Electing a leader without agreeing on a log: five textbook protocols and one rule of thumb, as one step
 * function. Each node has an id, 1 .. nodes; the higher the better.
 *
 * bully (Garcia-Molina, "Elections in a Distributed Computing System", IEEE ToC C-31(1), 1982): a node that
 *   starts asks all higher ids. An answer: somebody better takes over, and it waits for the announcement;
 *   no answer within `timeout`: it leads and tells all lower ids. A better node that is asked starts too,
 *   unless it knows a leader whom it does not suspect; a leader that is asked says that it leads.
 *   Announcements are believed in the order in which they arrive.
 * ring (Chang and Roberts, CACM 22(5), 1979): nodes stand on a ring and send one way. A node that starts
 *   sends its id; a node lets higher ids pass, swallows lower ones, and leads when its own comes back.
 * hirschberg_sinclair (CACM 23(11), 1980): both ways, in phases: a candidate asks 2^k nodes on each side
 *   whether anybody there is better, and goes on to k + 1 when both ends reply.
 * lease: a store grants leadership for `ttl`, counted on its own clock from when it grants or renews. The
 *   holder counts a shorter time, on its clock, from when it asked (Gray and Cheriton, SOSP 1989), and stops
 *   by itself. When the lease runs out the store tells everybody who waits, and they all ask.
 * lock: the same store keeps a queue and hands the lock to the first in it when a session of `ttl` runs out.
 *   One that never renewed may not have heard of it, and goes to the end of the queue.
 *   The holder holds until it is told otherwise: it has no clock of its own in this.
 * static_priority: no messages at all; the highest id a node does not suspect leads, in that node's view.
 *
 * A failure detector says whom a node suspects and trusts; nodes on a ring skip whom they suspect. On a ring
 * who announces is told last; a message that has gone round once is dropped. */
#ifndef DISTLAB_CONSENSUS_LEADER_ELECTION_H
#define DISTLAB_CONSENSUS_LEADER_ELECTION_H
#include <distlab/core.h>

#define DLAB_ELECTION_ALGORITHMS(X)               \
    X(BULLY, "bully")                             \
    X(RING, "ring")                               \
    X(HIRSCHBERG_SINCLAIR, "hirschberg_sinclair") \
    X(LEASE, "lease")                             \
    X(LOCK, "lock")                               \
    X(STATIC_PRIORITY, "static_priority")
#define DLAB_ELECTION_ROLES(X) \
    X(NODE, "node")            \
    X(STORE, "store")

/* X(CODE, name, what a says, what b says, what it is counted as). */
#define DLAB_ELECTION_MESSAGES(X)                            \
    X(ELECTION, "election", "id", NULL, ELECTS)              \
    X(ANSWER, "answer", "id", NULL, ELECTS)                  \
    X(COORDINATOR, "coordinator", "id", NULL, ANNOUNCES)     \
    X(CANDIDATE, "candidate", "id", "hops", ELECTS)          \
    X(PROBE, "probe", "id", NULL, ELECTS)                    \
    X(PROBE_REPLY, "probe reply", "id", NULL, ELECTS)        \
    X(ANNOUNCEMENT, "announcement", "id", "hops", ANNOUNCES) \
    X(ASK, "ask", "id", NULL, ELECTS)                        \
    X(GRANTED, "granted", "id", NULL, ELECTS)                \
    X(HELD, "held", "by", NULL, ELECTS)                      \
    X(FREE, "free", NULL, NULL, ELECTS)                      \
    X(RENEW, "renew", "id", NULL, RENEWS)                    \
    X(RENEWED, "renewed", "id", NULL, RENEWS)                \
    X(REFUSED, "refused", "id", NULL, RENEWS)
#define DLAB_ELECTION_TIMERS(X)       \
    X(OUTCOME, "outcome", NULL, NULL) \
    X(RENEWAL, "renewal", NULL, NULL) \
    X(LEASE, "lease end", NULL, NULL) \
    X(RETRY, "retry", NULL, NULL)     \
    X(EXPIRY, "expiry", NULL, NULL)
/* What the failure detector tells a node; b: it starts an election. */
#define DLAB_ELECTION_REQUESTS(X)          \
    X(SUSPECT, "to suspect", "node", NULL) \
    X(TRUST, "to trust", "node", NULL)     \
    X(BEGIN, "to begin", NULL, NULL)
#define DLAB_ELECTION_APPLIES(X)  \
    X(LEADS, "leads", "id", NULL) \
    X(STOPS, "stops leading", "id", NULL)
#define DLAB_ELECTION_STATES(X)            \
    X(IDLE, "knows no leader", NULL, NULL) \
    X(FOLLOWS, "follows", "id", NULL)      \
    X(ELECTING, "electing", NULL, NULL)    \
    X(LEADS, "leads", "id", NULL)          \
    X(FREE, "free", NULL, NULL)            \
    X(HELD, "held", "by", NULL)
#define DLAB_ELECTION_INVARIANTS(X) X(ONE_LEADER, "one_leader")

#define X(code, ...) DLAB_ELECTION_##code,
enum { DLAB_ELECTION_ALGORITHMS(X) };
#undef X
#define X(code, ...) DLAB_ELECTION_ROLE_##code,
enum { DLAB_ELECTION_ROLES(X) };
#undef X
#define X(code, ...) DLAB_ELECTION_MESSAGE_##code,
enum { DLAB_ELECTION_MESSAGES(X) DLAB_ELECTION_MESSAGE_COUNT };
#undef X
#define X(code, ...) DLAB_ELECTION_TIMER_##code,
enum { DLAB_ELECTION_TIMERS(X) DLAB_ELECTION_TIMER_COUNT };
#undef X
#define X(code, ...) DLAB_ELECTION_REQUEST_##code,
enum { DLAB_ELECTION_REQUESTS(X) };
#undef X
#define X(code, ...) DLAB_ELECTION_APPLY_##code,
enum { DLAB_ELECTION_APPLIES(X) };
#undef X
#define X(code, ...) DLAB_ELECTION_STATE_##code,
enum { DLAB_ELECTION_STATES(X) };
#undef X
#define X(code, ...) DLAB_ELECTION_INVARIANT_##code,
enum { DLAB_ELECTION_INVARIANTS(X) };
#undef X

/* What a message is counted as. */
enum { DLAB_ELECTION_ELECTS, DLAB_ELECTION_ANNOUNCES, DLAB_ELECTION_RENEWS, DLAB_ELECTION_PURPOSES };

enum { DLAB_ELECTION_NODES_MAX = 512 };

/* The protocol's numbers, read-only during a run; times in ns. */
typedef struct dlab_election {
    uint32_t nodes; /* without the store, which is the node behind them */
    int32_t algorithm;
    bool cold;              /* nobody leads at the start; else the highest id does */
    int64_t timeout;        /* for an answer; a ring waits as long for each of its nodes */
    int64_t ttl, renew;     /* of the store */
    int64_t held;           /* how long a holder leads after it asked, on its clock */
    bool drops_own_id;      /* planted bug */
    const uint16_t *ids;    /* of each node */
    const uint16_t *owners; /* [id]: the node */
} dlab_election;

/* State of a node. */
typedef struct dlab_election_node {
    uint32_t leader; /* the id it follows, 0: it knows none */
    uint32_t leads, electing;
    uint32_t candidate; /* its own id is in the race */
    uint32_t answered;  /* bully: somebody better is there */
    uint32_t phase, replies;
    int64_t asked; /* local time at which it asked for the lease it holds */
    unsigned char suspects[];
} dlab_election_node;

/* State of the store. */
typedef struct dlab_election_store {
    uint32_t holder;  /* node + 1; 0: nobody */
    uint32_t renewed; /* the holder has renewed, so it has heard that it holds */
    uint32_t waiting;
    int64_t until; /* local time */
    uint16_t queue[];
} dlab_election_store;

extern const dlab_trace_schema dlab_election_schema;

/* What a kind of message is counted as. */
int dlab_election_purpose(unsigned kind);

/* Has it a store behind its nodes? */
static inline bool dlab_election_has_store(const dlab_election *e)
{
    return e->algorithm == DLAB_ELECTION_LEASE || e->algorithm == DLAB_ELECTION_LOCK;
}

/* The core of these numbers; both must outlive the run. A driver that watches what is sent may put its own
 * step and config in place, and call dlab_election_step. */
dlab_core dlab_election_core(const dlab_election *e);
void dlab_election_step(const dlab_election *e, uint32_t node, void *state, const dlab_input *in,
                        dlab_outputs *out);

/* Parts of it: by algorithm, and what they share. */
typedef struct dlab_election_turn { /* one step of one node */
    const dlab_election *e;
    dlab_election_node *v;
    uint32_t node, id;
    dlab_outputs *out;
} dlab_election_turn;

void dlab_election_lead(const dlab_election_turn *t);
void dlab_election_stop(const dlab_election_turn *t);
void dlab_election_follow(const dlab_election_turn *t, uint32_t id);

void dlab_election_bully_begin(const dlab_election_turn *t);
void dlab_election_bully_hear(const dlab_election_turn *t, const dlab_message *m);
void dlab_election_bully_timeout(const dlab_election_turn *t);
void dlab_election_ring_begin(const dlab_election_turn *t);
void dlab_election_ring_hear(const dlab_election_turn *t, const dlab_message *m);
void dlab_election_ask(const dlab_election_turn *t, int64_t now);
void dlab_election_hold(const dlab_election_turn *t, int64_t asked, int64_t now);
void dlab_election_hear_store(const dlab_election_turn *t, const dlab_message *m, int64_t now);
void dlab_election_store_timer(const dlab_election_turn *t, uint32_t timer, int64_t now);
void dlab_election_store_step(const dlab_election *e, dlab_election_store *s, const dlab_input *in,
                              dlab_outputs *out);

#endif
