/* Remote calls over links that lose and servers that die: a client that retries, and behind it either a
 * server (medium call: client 0, server 1) or a broker with a worker (medium queue or log: client 0, broker
 * 1, worker 2). Server and worker are one piece of code, the executor: what differs is whom it answers.
 *
 * The client makes one call at a time. Each attempt is a request with a timeout; after a timeout or an
 * error it waits a backoff and tries again, while attempts are left. The first answer of any attempt of the
 * call ends it.
 *
 * The executor takes its jobs one after another. Taking one up it may die (crash_before), having carried it
 * out it may die again (crash_after); what it only remembers dies with it. A dying process may reset its
 * connection (crash_visible): the peer then sees an error instead of silence, unless that packet is lost
 * too. A keyed job whose key is known is answered at once and not carried out again (dedup); a durable key
 * is stored atomically with the effect, as in RIFL (Lee et al., SOSP 2015).
 *
 * The broker accepts requests onto its disk, confirms them, and delivers each until it is acknowledged or
 * has been delivered `deliveries` times; then it is set aside (dead letters). queue: all messages are on
 * their way at once, each is delivered again when not acknowledged within `visibility`. log: one record at
 * a time in order; the worker remembers in memory the position it has passed. The worker acknowledges
 * before or after it carries a message out. The broker learns of a worker's death by the visibility
 * timeout, or, with crash_visible, when the worker connects again.
 *
 * Sources: Birrell and Nelson, "Implementing Remote Procedure Calls" (TOCS 2(1), 1984); Spector,
 * "Performing Remote Operations Efficiently" (CACM 25(4), 1982) for maybe, at-least-once and at-most-once;
 * Saltzer, Reed and Clark, "End-to-End Arguments" (TOCS 2(4), 1984). */
#ifndef DISTLAB_LINKS_RPC_H
#define DISTLAB_LINKS_RPC_H
#include <distlab/core.h>
#include <distlab/distribution.h>

#define DLAB_RPC_MEDIA(X) \
    X(CALL, "call")       \
    X(QUEUE, "queue")     \
    X(LOG, "log")
#define DLAB_RPC_DEDUPS(X) \
    X(NONE, "none")        \
    X(KEY, "key")          \
    X(KEY_TTL, "key_ttl")
#define DLAB_RPC_ACKS(X) \
    X(AFTER, "after")    \
    X(BEFORE, "before")
/* How a call ends. The core answers with the first three; a client that died answers nothing. */
#define DLAB_RPC_OUTCOMES(X) \
    X(OK, "ok")              \
    X(ERROR, "error")        \
    X(TIMEOUT, "timeout")    \
    X(ABANDONED, "abandoned")
#define DLAB_RPC_ROLES(X) \
    X(CLIENT, "client")   \
    X(SERVER, "server")   \
    X(BROKER, "broker")   \
    X(WORKER, "worker")

/* X(CODE, name, what a says, what b says). A keyed message carries the call's number as its key. */
#define DLAB_RPC_MESSAGES(X)                                \
    X(REQUEST, "request", "call", "attempt")                \
    X(KEYED_REQUEST, "keyed request", "call", "attempt")    \
    X(REPLY, "reply", "call", "attempt")                    \
    X(ACCEPTED, "accepted", "call", "attempt")              \
    X(REFUSED, "refused", "call", "attempt")                \
    X(RESET, "reset", NULL, NULL)                           \
    X(DELIVERY, "delivery", "call", "position")             \
    X(KEYED_DELIVERY, "keyed delivery", "call", "position") \
    X(ACK, "ack", "call", "position")
#define DLAB_RPC_TIMERS(X)            \
    X(TIMEOUT, "timeout", NULL, NULL) \
    X(BACKOFF, "backoff", NULL, NULL) \
    X(SERVICE, "service", NULL, NULL) \
    X(VISIBILITY, "visibility", NULL, NULL)
/* What is asked of the client, and what it answers: the outcomes, in their order. */
#define DLAB_RPC_REQUESTS(X)                  \
    X(OK, "ok", "call", "attempts")           \
    X(ERROR, "error", "call", "attempts")     \
    X(TIMEOUT, "timeout", "call", "attempts") \
    X(CALL, "call", "number", NULL)
#define DLAB_RPC_APPLIES(X)               \
    X(EXECUTE, "operation", "call", NULL) \
    X(SET_ASIDE, "dead letter", "call", NULL)
#define DLAB_RPC_NOTES(X)                      \
    X(KNOWN, "key is known", "call", NULL)     \
    X(PASSED, "position passed", "call", NULL) \
    X(FULL, "no room", "call", NULL)
#define DLAB_RPC_STATES(X)                           \
    X(IDLE, "idle", NULL, NULL)                      \
    X(WAITING, "waiting", "call", "attempt")         \
    X(BACKING_OFF, "backing off", "call", "attempt") \
    X(EXECUTING, "executing", "call", NULL)          \
    X(HOLDING, "holding", "messages", NULL)
#define DLAB_RPC_INVARIANTS(X)                \
    X(OK_MEANS_EXECUTED, "ok_means_executed") \
    X(KEY_MEANS_ONCE, "key_means_once")

#define X(code, ...) DLAB_RPC_MEDIUM_##code,
enum { DLAB_RPC_MEDIA(X) };
#undef X
#define X(code, ...) DLAB_RPC_DEDUP_##code,
enum { DLAB_RPC_DEDUPS(X) };
#undef X
#define X(code, ...) DLAB_RPC_ACK_##code,
enum { DLAB_RPC_ACKS(X) };
#undef X
#define X(code, ...) DLAB_RPC_OUTCOME_##code,
enum { DLAB_RPC_OUTCOMES(X) };
#undef X
#define X(code, ...) DLAB_RPC_ROLE_##code,
enum { DLAB_RPC_ROLES(X) };
#undef X
#define X(code, ...) DLAB_RPC_MESSAGE_##code,
enum { DLAB_RPC_MESSAGES(X) };
#undef X
#define X(code, ...) DLAB_RPC_TIMER_##code,
enum { DLAB_RPC_TIMERS(X) DLAB_RPC_TIMER_COUNT };
#undef X
#define X(code, ...) DLAB_RPC_ASK_##code,
enum { DLAB_RPC_REQUESTS(X) };
#undef X
#define X(code, ...) DLAB_RPC_APPLY_##code,
enum { DLAB_RPC_APPLIES(X) };
#undef X
#define X(code, ...) DLAB_RPC_NOTE_##code,
enum { DLAB_RPC_NOTES(X) };
#undef X
#define X(code, ...) DLAB_RPC_STATE_##code,
enum { DLAB_RPC_STATES(X) };
#undef X
#define X(code, ...) DLAB_RPC_INVARIANT_##code,
enum { DLAB_RPC_INVARIANTS(X) };
#undef X

/* Coins of the executor. */
enum { DLAB_RPC_COIN_BEFORE = DLAB_COIN_OWN, DLAB_RPC_COIN_AFTER };

enum {
    DLAB_RPC_CALLS_MAX = 100000,
    DLAB_RPC_RETRIES_MAX = 100,
    DLAB_RPC_DELIVERIES_MAX = 1000,
    DLAB_RPC_ROOM_MAX = 1024, /* jobs an executor, messages a broker holds; one more is refused */
    DLAB_RPC_BATCH = 16       /* messages sent again, or jobs answered from memory, in one step */
};

/* The protocol's numbers, read-only during a run; times in ns. */
typedef struct dlab_rpc {
    uint32_t calls, attempts, deliveries;
    int32_t medium, dedup;
    bool dedup_durable, acks_first, crash_visible;
    double crash_before, crash_after;
    int64_t timeout, visibility, dedup_ttl;
    dlab_sampler service, restart, backoff;
    double backoff_factor;
    bool replies_first, retries_unkeyed; /* planted bugs */
    uint32_t room;                       /* set by open, like what follows: where what lies in a state */
    size_t durable, volatile_keys;
} dlab_rpc;

/* What an executor has to do: the request of a client, or a delivery of the broker. */
typedef struct dlab_rpc_job {
    uint32_t call, position; /* position: of a delivery */
    uint16_t attempt;        /* of a request */
    uint16_t keyed;
} dlab_rpc_job;

/* Volatile states, behind the durable bytes. */
typedef struct dlab_rpc_client {
    uint64_t ticket;
    uint32_t call, attempt;
    uint32_t lane; /* idle, waiting, backing off */
} dlab_rpc_client;

typedef struct dlab_rpc_executor {
    uint32_t first, count; /* ring of jobs, the one under way in front */
    uint32_t passed;       /* log: positions below it have been passed in this life */
    uint32_t executing;
    dlab_rpc_job jobs[];
} dlab_rpc_executor;

/* Durable: keys (dedup_durable) of a server or worker, int64_t for each call: 1 + wall time at which its
 * operation was carried out, 0: it was not; and all that a broker has. */
typedef struct dlab_rpc_held {
    int64_t due; /* delivered: when it is delivered again */
    uint32_t call, position;
    uint16_t deliveries, attempt;
    uint16_t keyed, delivered;
} dlab_rpc_held;

typedef struct dlab_rpc_broker {
    uint32_t count, next; /* messages held, oldest first; the next position */
    dlab_rpc_held held[];
} dlab_rpc_broker;

/* What invariants remember: per call, how often it was executed, what the client was told. */
enum { DLAB_RPC_GHOST_TIMES = 3, DLAB_RPC_GHOST_OK = 4, DLAB_RPC_GHOST_ASIDE = 8 };
typedef struct dlab_rpc_ghost {
    uint32_t open;  /* calls told ok, neither executed nor set aside */
    uint32_t twice; /* 1: some call was executed twice */
    unsigned char calls[];
} dlab_rpc_ghost;

extern const dlab_trace_schema dlab_rpc_schema;

/* Make the core of these numbers; both must outlive the run. */
void dlab_rpc_open(dlab_rpc *rpc, dlab_core *core);

/* Is the invariant promised? ok_means_executed: unless acknowledged before execution; key_means_once: with
 * durable keys that never expire. */
bool dlab_rpc_promises(const dlab_rpc *rpc, int invariant);

/* Node of the server or worker, and the node it answers. */
static inline uint32_t dlab_rpc_executor_node(const dlab_rpc *rpc)
{
    return rpc->medium == DLAB_RPC_MEDIUM_CALL ? 1 : 2;
}

/* The steps of the roles: rpc_client.c, rpc_executor.c, rpc_broker.c. */
void dlab_rpc_client_step(const dlab_rpc *rpc, void *state, const dlab_input *in, dlab_outputs *out);
void dlab_rpc_executor_step(const dlab_rpc *rpc, void *state, const dlab_input *in, dlab_outputs *out);
void dlab_rpc_broker_step(const dlab_rpc *rpc, void *state, const dlab_input *in, dlab_outputs *out);

static inline void *dlab_rpc_volatile(const dlab_rpc *rpc, void *state)
{
    return (unsigned char *)state + rpc->durable;
}

/* A draw in ns, not negative and small enough to be added up; without a generator (time is chosen) 0. */
#define DLAB_RPC_TIME_MAX (INT64_C(1) << 52) /* 52 days */
static inline int64_t dlab_rpc_draw(const dlab_sampler *sampler, dlab_rng *rng, double factor)
{
    const double ns = rng != NULL ? (double)dlab_sample_ns(sampler, rng) * factor : 0;
    return ns > 0 ? ns < (double)DLAB_RPC_TIME_MAX ? (int64_t)ns : DLAB_RPC_TIME_MAX : 0;
}

/* What the exact law needs to know beside the protocol's numbers: losses and the laws of the times. */
typedef struct dlab_rpc_times {
    double request_loss, reply_loss;
    const dlab_distribution *delay, *service, *restart, *backoff, *think_time;
} dlab_rpc_times;

/* Probabilities of one call, and means. */
typedef struct dlab_rpc_law {
    double ok, error, timeout;                           /* how it ends */
    double executed_given_timeout, executed_given_error; /* NaN: it never ends so */
    double lost, duplicated, executions, attempts;
} dlab_rpc_law;

/* The exact law of a call; false where none is known: rpc_theory.c says when and why. */
bool dlab_rpc_exact(const dlab_rpc *rpc, const dlab_rpc_times *times, const dlab_pool *pool,
                    dlab_rpc_law *law);

#endif
