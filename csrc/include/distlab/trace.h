/* The trace: what happened in a run, as 32-byte records in a ring. Off costs one test. The names of what a
 * record shows come from the protocol's own lists (X-macros), through its schema. From a trace come the
 * text that tests compare and people read, the causal order (vector clocks), the space-time diagram and
 * the exports. */
#ifndef DISTLAB_TRACE_H
#define DISTLAB_TRACE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <distlab/field.h>
#include <distlab/memory.h>

/* What a record says: X(CODE, name). `label` and `peer`, `id`, `a`, `b` by type:
 *   send, deliver: label = kind of message, peer = the other end, id = the message, a and b its payload
 *     (named by the schema).
 *   drop, duplicate: what the network did to a message, wherever that was: node = its sender, peer = whom it
 *     was for, the rest alike, but a = reason of a drop. A copy keeps the id of its message.
 *   set, cancel, fire: label = timer; of set b = when it is due (ns, true time, at its clock's present rate).
 *   start, restart: label = role of the node, a = what the disk kept (DLAB_KEEPS). crash: a likewise.
 *   pause, wake, fault, heal: label = kind of fault; a = row of the plan, peer = other end (or none).
 *   persist, persisted: id = ticket, a = bytes, b = status.
 *   apply, note, request, reply: label = kind, id = ticket (0: none), a and b = payload.
 *   state: label = the lane the node is in from now on (role in the protocol), a, b = payload.
 *   broken: label = the invariant that does not hold (from 0). */
#define DLAB_TRACE_TYPES(X)   \
    X(SEND, "send")           \
    X(DELIVER, "deliver")     \
    X(DROP, "drop")           \
    X(DUPLICATE, "duplicate") \
    X(SET, "set")             \
    X(CANCEL, "cancel")       \
    X(FIRE, "fire")           \
    X(START, "start")         \
    X(CRASH, "crash")         \
    X(RESTART, "restart")     \
    X(PAUSE, "pause")         \
    X(WAKE, "wake")           \
    X(PERSIST, "persist")     \
    X(PERSISTED, "persisted") \
    X(APPLY, "apply")         \
    X(REQUEST, "request")     \
    X(REPLY, "reply")         \
    X(NOTE, "note")           \
    X(STATE, "state")         \
    X(FAULT, "fault")         \
    X(HEAL, "heal")           \
    X(BROKEN, "broken")

enum {
#define X(code, name) DLAB_TRACE_##code,
    DLAB_TRACE_TYPES(X)
#undef X
};

/* Why a message was lost. */
#define DLAB_DROPS(X)      \
    X(LOSS, "loss")        \
    X(CUT, "partition")    \
    X(DOWN, "node down")   \
    X(CORRUPT, "corrupt")  \
    X(QUEUE, "queue full") \
    X(GRAY, "gray")        \
    X(CHOSEN, "chosen")

enum {
#define X(code, name) DLAB_DROP_##code,
    DLAB_DROPS(X)
#undef X
};

enum { DLAB_NO_NODE = 0xffff };

typedef struct dlab_record {
    int64_t time;         /* ns, true time */
    uint16_t type, label; /* DLAB_TRACE_*, index into the schema's list for that type */
    uint16_t node, peer;  /* DLAB_NO_NODE: none */
    uint32_t id, a;
    uint64_t b;
} dlab_record;
_Static_assert(sizeof(dlab_record) == 32, "32 bytes a record");

/* One name of a list, with the names of what a and b say; NULL: not shown. */
typedef struct dlab_label {
    const char *name, *a, *b;
} dlab_label;

/* The names a protocol gives; lists are ended by a NULL name, a list may be NULL. */
typedef struct dlab_trace_schema {
    const dlab_label *messages, *timers, *requests, *applies, *notes, *states; /* requests: replies too */
    const char *const *roles;      /* "client", "server": each node has one */
    const char *const *invariants; /* what `broken` names */
    const char *const *coins;      /* what the protocol's own coins decide, from DLAB_COIN_OWN on */
} dlab_trace_schema;

/* The last `capacity` records (a power of two); capacity 0: off. */
typedef struct dlab_trace {
    dlab_record *ring;
    uint64_t written, capacity;
} dlab_trace;

enum { DLAB_TRACE_DEFAULT = 1 << 16 };

/* Names behind the numbers that every trace has, each list ended by NULL: types, reasons of drops, what disks
 * keep, kinds of faults, status of a write. */
extern const char *const dlab_trace_types[], *const dlab_trace_drops[], *const dlab_trace_keeps[],
                                                                            *const dlab_trace_faults[],
                                                                                *const dlab_trace_statuses[];

/* Rows of the output table "trace": a record in public types. Every model with a schema has this table. */
typedef struct dlab_trace_row {
    double time;                         /* s */
    int32_t type;                        /* choice of DLAB_TRACE_TYPES */
    int64_t label, node, peer, id, a, b; /* node, peer -1: none */
} dlab_trace_row;
extern const dlab_field dlab_trace_columns[];
#define DLAB_TRACE_TABLE                                                          \
    {                                                                             \
        .name = "trace",                                                          \
        .doc = "What happened, in order; the names behind label, a and b are in " \
               "the model's trace schema.",                                       \
        .columns = dlab_trace_columns, .row_size = sizeof(dlab_trace_row)         \
    }

/* Keep a record; is anybody tracing? */
static inline void dlab_trace_put(dlab_trace *t, const dlab_record *r)
{
    t->ring[t->written++ & (t->capacity - 1)] = *r;
}
static inline bool dlab_tracing(const dlab_trace *t) { return t->capacity != 0; }

/* Records kept, and the k-th of them (0 is the oldest). */
static inline size_t dlab_trace_count(const dlab_trace *t)
{
    return (size_t)(t->written < t->capacity ? t->written : t->capacity);
}
static inline const dlab_record *dlab_trace_at(const dlab_trace *t, size_t k)
{
    const uint64_t first = t->written < t->capacity ? 0 : t->written - t->capacity;
    return &t->ring[(first + k) & (t->capacity - 1)];
}

/* A record as a row of the output table. */
void dlab_record_to_row(const dlab_record *record, dlab_trace_row *row);

/* The same record again, its time exact below 2^51 ns (26 days); a number that no record holds is an
 * error. */
int dlab_record_from_row(const dlab_trace_row *row, dlab_record *record, dlab_error *err);

/* The role each node started in, DLAB_NO_ROLE where these records do not say. */
enum { DLAB_NO_ROLE = 0xffff };
void dlab_trace_roles(const dlab_record *records, size_t n, uint16_t *roles, uint32_t nodes);

/* One line of text without a newline, such as
 *   "[  110.000 ms] server 2 < request vote from 1 (term 2)"
 * and its length, like snprintf: text is cut at size, the length is that of the whole line. roles of `nodes`
 * nodes may be NULL; a node whose role is unknown is called "node", unless the schema has one role only. A
 * label that the schema does not name is shown as #k. schema may be NULL. */
int dlab_record_format(const dlab_trace_schema *schema, const uint16_t *roles, uint32_t nodes,
                       const dlab_record *record, char *text, size_t size);

/* Vector clocks of n records of `nodes` nodes: clocks[k * nodes + i] is how many events of node i are
 * known at record k (itself included). Event j happened before event k when clocks[j][node of j] <=
 * clocks[k][node of j] and j is not k (Fidge 1988, Mattern 1989). What is done to a node or to its
 * messages (drop, duplicate, fault, heal, broken) is no event of its life: such a record shows what its
 * node knows and counts nothing; one of no node shows zeros. Messages are matched by id, with the latest
 * sending before; a message sent before the first record is taken as coming from nowhere. Memory for ids
 * (8 bytes a sending) and nodes comes from memory; n * nodes is at most DLAB_CLOCKS_MAX. */
enum { DLAB_CLOCKS_MAX = 1 << 28 };
int dlab_trace_clocks(const dlab_record *records, size_t n, uint32_t nodes, uint32_t *clocks,
                      dlab_memory *memory, dlab_error *err);

#endif
