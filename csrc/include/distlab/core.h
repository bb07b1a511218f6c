/* A protocol core: one pure step function. State and one input in; state and a list of outputs out. The same
 * core is simulated at scale, explored exhaustively, replayed in text tests and stepped by hand.
 *
 * A node's state is one block of bytes without pointers: clone is memcpy. Its first `durable` bytes are what
 * the disk holds: a restarted node is zero bytes, plus the durable bytes as its disk has them, plus a START
 * input. A core reads clocks only from its input. Outputs are carried out in order. */
#ifndef DISTLAB_CORE_H
#define DISTLAB_CORE_H
#include <string.h>

#include <distlab/chooser.h>
#include <distlab/trace.h>

enum { DLAB_NODES_MAX = 1024, DLAB_TIMERS_MAX = 16, DLAB_BODY_MAX = 1 << 16 };

/* A message between nodes, or an operation asked of a node. Small protocols say all in a and b (the trace
 * names and shows them); `body` carries the rest. */
typedef struct dlab_message {
    uint16_t from, to, kind;
    uint16_t corrupt; /* 1: bits have flipped on the way */
    uint32_t length;  /* bytes of the body */
    uint32_t wire;    /* bytes it takes on the wire */
    uint32_t id;      /* given by the world: the trace pairs sending and arrival by it */
    uint32_t a;
    uint64_t b;
    const void *body;
} dlab_message;

typedef enum dlab_input_kind {
    DLAB_ON_START,     /* the first input of a node's life; `restarted` after a crash */
    DLAB_ON_MESSAGE,   /* message */
    DLAB_ON_TIMER,     /* timer */
    DLAB_ON_PERSISTED, /* ticket of an asynchronous PERSIST, status */
    DLAB_ON_REQUEST    /* message is an operation for this node; answer by a REPLY with this ticket */
} dlab_input_kind;

/* Status of a write to disk. */
enum { DLAB_DISK_OK, DLAB_DISK_ERROR, DLAB_DISK_FULL };

typedef struct dlab_input {
    dlab_input_kind kind;
    uint32_t timer;
    bool restarted;
    int status;
    uint64_t ticket;
    const dlab_message *message;
    int64_t now;   /* ns of the node's monotonic clock: it drifts but never jumps; timers run on it */
    int64_t wall;  /* ns of its wall clock: it is off, drifts and jumps */
    int64_t error; /* ns: the clock service promises |wall - true time| <= error; INT64_MAX: nothing */
    dlab_chooser *chooser; /* for the protocol's own coins: dlab_coin(chooser, rng, ...) */
    dlab_rng *rng;
} dlab_input;

typedef enum dlab_output_kind {
    DLAB_SEND,      /* message */
    DLAB_SET_TIMER, /* timer fires in least .. most ns of the node's clock from now; replaces an armed one */
    DLAB_CANCEL_TIMER, /* timer */
    DLAB_PERSIST,      /* offset, length: these bytes of the state go to disk. What follows in the same list,
                          and the node's next input, wait until they are durable; with `async` nothing waits
                          and PERSISTED comes with the ticket. When a waiting write fails, what follows is
                          dropped and PERSISTED comes with the status */
    DLAB_APPLY,        /* message.kind, a, b: something is decided, in this order, at this node */
    DLAB_REPLY,        /* ticket, message.kind, a, b, body: the answer to a REQUEST */
    DLAB_NOTE,         /* message.kind, a, b: a remark for the trace */
    DLAB_CRASH         /* the node's process dies here: what follows in the list is not carried out; it starts
                          again after least .. most ns of true time (most < 0: never), its disk kept */
} dlab_output_kind;

typedef struct dlab_output {
    dlab_output_kind kind;
    uint32_t timer;
    bool async;
    uint32_t offset, length;
    int64_t least, most;
    uint64_t ticket;
    dlab_message message;
} dlab_output;

/* The list a step fills. Bodies are copied into `bytes`. Overflow is a limit of the core's own numbers
 * (outputs_max, bytes_max): the run ends with an error. */
typedef struct dlab_outputs {
    dlab_output *at;
    unsigned char *bytes;
    uint32_t count, count_max, bytes_used, bytes_max;
    bool overflow;
} dlab_outputs;

/* What an invariant may look at: every node's state and clock, and the ghost that remembers promises, which a
 * check may bring up to date. */
typedef struct dlab_view {
    const unsigned char *states;
    size_t stride;
    void *ghost;
    const int64_t *now;  /* ns, each node's monotonic clock; NULL unless the core's check reads clocks */
    const bool *running; /* false: crashed */
    uint32_t nodes;
    uint32_t actor; /* the one node whose state may have changed since the last look; DLAB_NO_NODE: any */
} dlab_view;

/* The state of one node. */
static inline const void *dlab_view_node(const dlab_view *v, uint32_t node)
{
    return v->states + node * v->stride;
}

typedef struct dlab_core dlab_core;
struct dlab_core {
    const char *name;
    const void *config; /* of this run: read-only */
    uint32_t nodes;
    uint32_t timers;             /* ids 0 .. timers - 1 */
    size_t state_bytes, durable; /* of one node */
    size_t ghost_bytes;
    uint32_t outputs_max, bytes_max; /* most one step can put out: outputs, bytes of all bodies together */
    uint32_t body_max;               /* most bytes of one body */
    const dlab_trace_schema *schema;
    void (*step)(const dlab_core *core, uint32_t node, void *state, const dlab_input *in, dlab_outputs *out);
    /* Every APPLY and REPLY passes here before the next event; optional. */
    void (*observe)(const dlab_core *core, void *ghost, uint32_t node, const dlab_output *o);
    /* -1: every invariant holds; k: the schema's invariant k does not; optional. */
    int (*check)(const dlab_core *core, const dlab_view *view);
    bool check_reads_clocks; /* it looks at the view's `now`, which is NULL otherwise */
    /* Index into the schema's roles; NULL: 0. */
    uint32_t (*role)(const dlab_core *core, uint32_t node);
    /* The lane of the diagram a node is in (index into the schema's states), its payload in *a and *b; NULL:
     * no lanes. */
    uint32_t (*lane)(const dlab_core *core, uint32_t node, const void *state, uint32_t *a, uint64_t *b);
    /* The node that leads, DLAB_NO_NODE: none; whom a fault with target `leader` strikes; NULL: none. */
    uint32_t (*leader)(const dlab_core *core, const dlab_view *view);
};

/* The next output of the list, to be filled in. */
static inline dlab_output *dlab_put(dlab_outputs *out, dlab_output_kind kind)
{
    if (out->count == out->count_max) {
        out->overflow = true;
        return &out->at[out->count_max - 1];
    }
    dlab_output *o = &out->at[out->count++];
    o->kind = kind;
    return o;
}

/* Fill the message of an output; the body is copied. */
static inline dlab_message *dlab_put_message(dlab_outputs *out, dlab_output *o, unsigned kind, uint32_t a,
                                             uint64_t b, const void *body, uint32_t length)
{
    dlab_message *m = &o->message;
    if (length > out->bytes_max - out->bytes_used) {
        out->overflow = true;
        length = 0;
    }
    m->kind = (uint16_t)kind;
    m->corrupt = 0;
    m->length = length;
    m->wire = length + 64; /* what headers take */
    m->a = a;
    m->b = b;
    m->body = out->bytes + out->bytes_used;
    if (length > 0) memcpy(out->bytes + out->bytes_used, body, length);
    out->bytes_used += length;
    return m;
}

/* Send a message; its `wire` may be changed in what comes back. */
static inline dlab_message *dlab_send(dlab_outputs *out, uint32_t to, unsigned kind, uint32_t a, uint64_t b,
                                      const void *body, uint32_t length)
{
    dlab_message *m = dlab_put_message(out, dlab_put(out, DLAB_SEND), kind, a, b, body, length);
    m->to = (uint16_t)to;
    return m;
}

/* The timer fires in least .. most ns of the node's clock; an armed one is replaced. */
static inline void dlab_set_timer(dlab_outputs *out, uint32_t timer, int64_t least, int64_t most)
{
    dlab_output *o = dlab_put(out, DLAB_SET_TIMER);
    o->timer = timer;
    o->least = least;
    o->most = most;
}

/* The timer does not fire. */
static inline void dlab_cancel_timer(dlab_outputs *out, uint32_t timer)
{
    dlab_put(out, DLAB_CANCEL_TIMER)->timer = timer;
}

/* The node's process dies here; it starts again after least .. most ns (most < 0: never). */
static inline void dlab_die(dlab_outputs *out, int64_t least, int64_t most)
{
    dlab_output *o = dlab_put(out, DLAB_CRASH);
    o->least = least;
    o->most = most;
}

/* Bytes offset .. offset + length - 1 of the state go to disk; ticket names an asynchronous write. */
static inline void dlab_persist(dlab_outputs *out, size_t offset, size_t length, bool async, uint64_t ticket)
{
    dlab_output *o = dlab_put(out, DLAB_PERSIST);
    o->offset = (uint32_t)offset;
    o->length = (uint32_t)length;
    o->async = async;
    o->ticket = ticket;
}

/* Something is decided, in this order, at this node. */
static inline void dlab_apply(dlab_outputs *out, unsigned kind, uint32_t a, uint64_t b)
{
    dlab_put_message(out, dlab_put(out, DLAB_APPLY), kind, a, b, NULL, 0);
}

/* The answer to a request. */
static inline void dlab_reply(dlab_outputs *out, uint64_t ticket, unsigned kind, uint32_t a, uint64_t b)
{
    dlab_output *o = dlab_put(out, DLAB_REPLY);
    o->ticket = ticket;
    dlab_put_message(out, o, kind, a, b, NULL, 0);
}

/* A note for the trace. */
static inline void dlab_remark(dlab_outputs *out, unsigned kind, uint32_t a, uint64_t b)
{
    dlab_put_message(out, dlab_put(out, DLAB_NOTE), kind, a, b, NULL, 0);
}

#endif
