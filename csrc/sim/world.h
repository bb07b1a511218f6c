/* The world: nodes running a protocol core, between them the network, under them disks and clocks, over all
 * of them faults. One event at a time: feed an input to a node's step function, carry out its outputs, tell
 * the trace, look at the invariants.
 *
 * A node takes one input at a time. While it is busy (processing, or waiting for a disk), or paused, inputs
 * wait in its inbox in order of arrival; a paused node keeps its packets and its due timers, and the first
 * input after it wakes is still stepped at the time it believed when it stopped. A crashed node loses inbox
 * and timers and what its disk says; messages that arrive for it are lost.
 *
 * The chooser of the run decides: a drawn run takes the earliest event; a chooser that names events is
 * offered everything that could happen next (arrivals and losses of messages, timers, completions, crashes)
 * and time jumps to what it picks. */
#ifndef DISTLAB_SIM_WORLD_H
#define DISTLAB_SIM_WORLD_H
#include <distlab/core.h>
#include <distlab/model.h>
#include <distlab/scheduler.h>

#include "sim/clock.h"
#include "sim/disk.h"
#include "sim/faults.h"
#include "sim/network.h"

typedef enum dlab_node_status { DLAB_NODE_UP, DLAB_NODE_PAUSED, DLAB_NODE_DOWN } dlab_node_status;

/* An input that waits for its node; entries are reused. */
typedef struct dlab_inbox_entry {
    dlab_event event;
    uint32_t next, unused;
} dlab_inbox_entry;

typedef struct dlab_node {
    dlab_node_status status;
    uint32_t pauses, crashes; /* faults under way */
    bool busy;                /* processes an input, or waits for its disk */
    bool waits_for_disk;      /* outputs in `held` follow when the write is durable */
    bool ready;               /* processing ended during a pause */
    bool believes;            /* the next input is stepped at the time `believed` */
    int64_t believed;         /* true time at which it was paused */
    double slow;              /* factor on processing */
    uint32_t inbox_first, inbox_last;
    uint32_t lane, lane_a;
    uint32_t lives;           /* started so often */
    uint64_t writes;          /* to disk, of this life */
    int64_t down_since, down; /* true time of the crash; ns down before */
    dlab_rng rng, timer_rng;
    dlab_clock clock;
    dlab_handle timers[DLAB_TIMERS_MAX];
    int64_t timer_local[DLAB_TIMERS_MAX]; /* when it fires, on the node's clock */
    uint32_t generation[DLAB_TIMERS_MAX];
    int32_t keep; /* what the last crash left of its disk */
    dlab_outputs held;
    uint32_t held_next; /* of those outputs, the first to be carried out */
} dlab_node;

/* A message on its way, or an operation for a node; slots are reused and the body lies behind them. */
typedef struct dlab_flight {
    dlab_message message;
    uint64_t name;      /* fingerprint of the content, when somebody chooses or records */
    uint32_t next;      /* free list */
    bool used, clogged; /* clogged: held on its link */
} dlab_flight;

/* An event that waits to be picked by a chooser that names events. */
typedef struct dlab_planned {
    dlab_event event;
    uint64_t word; /* its handle */
} dlab_planned;

/* What a model hands over. */
typedef struct dlab_world_setup {
    const dlab_core *core;
    const dlab_network *network;
    const dlab_clocks *clocks;         /* NULL: perfect clocks */
    const dlab_disks *disks;           /* NULL: writes are durable at once */
    dlab_ref faults;                   /* count 0: none */
    const dlab_fault_row *more_faults; /* rows of the model's own, without blanks */
    size_t more_fault_count;
    uint32_t fault_nodes;                /* nodes 0 .. fault_nodes - 1 alone are struck or cut off from each
                                            other; 0: all */
    const dlab_distribution *processing; /* s a node takes for an input; NULL: none */
    bool check;                          /* look at the invariants after every event */
    int trace_table;                     /* which output table is "trace"; -1: none */
    void *arg;                           /* of the hooks */
    /* Every APPLY, REPLY and NOTE, after the core's own observe; optional. */
    void (*on_output)(void *arg, struct dlab_world *world, uint32_t node, const dlab_output *output);
    /* An event of the model's own (dlab_world_at); optional. */
    int (*on_event)(void *arg, struct dlab_world *world, const dlab_event *event);
} dlab_world_setup;

typedef struct dlab_world {
    const dlab_world_setup *setup;
    const dlab_core *core;
    dlab_ctx *ctx;
    dlab_chooser *chooser;
    dlab_scheduler scheduler;
    dlab_net net;
    dlab_faults faults;
    dlab_atlas atlas;
    dlab_sampler processing;
    bool processes; /* inputs take time */
    dlab_node *nodes;
    dlab_disk *disks; /* NULL: none */
    unsigned char *states;
    size_t stride;
    unsigned char *ghost;
    unsigned char *stable; /* durable bytes of worlds without disks, `durable` bytes a node */
    int64_t *local;        /* monotonic clocks, for the view */
    bool *running;
    unsigned char *flights;
    size_t flight_size;
    uint32_t flight_count, flight_capacity, free_flight;
    dlab_inbox_entry *inbox;
    uint32_t inbox_count, inbox_capacity, free_entry;
    dlab_outputs outputs;
    dlab_planned *planned; /* instead of the scheduler, when a chooser names events */
    uint32_t planned_count, planned_capacity;
    uint64_t planned_last;
    dlab_choice *options;
    uint32_t options_capacity;
    dlab_trace trace;
    uint32_t last_id;
    bool names; /* messages need their names */
    uint32_t fault_nodes;
    uint64_t events, broken_count;
    int broken;          /* first broken invariant, -1: none */
    int64_t broken_time; /* ns */
} dlab_world;

/* Events of the world's own; a model's own kinds begin at DLAB_EVENT_MODEL. */
enum {
    DLAB_EVENT_DELIVER,
    DLAB_EVENT_TIMER,
    DLAB_EVENT_PERSISTED,
    DLAB_EVENT_READY,
    DLAB_EVENT_REQUEST,
    DLAB_EVENT_RESTART,
    DLAB_EVENT_FAULT,
    DLAB_EVENT_HEAL,
    DLAB_EVENT_SYNC,
    DLAB_EVENT_MODEL = 32
};

/* Open at time 0: every node gets its START. The world's memory is the run's. */
int dlab_world_open(dlab_world *w, const dlab_world_setup *setup, dlab_ctx *ctx);
void dlab_world_close(dlab_world *w);

/* Take the next event, not later than `until`: 1 when one was taken, 0 when none is left, < 0: the run must
 * end with the error in the context. Charges the run. */
int dlab_world_step(dlab_world *w, int64_t until);

/* Take all events up to `until`, or until an invariant breaks when stop_broken. The clock then stands at
 * `until`. */
int dlab_world_run(dlab_world *w, int64_t until, bool stop_broken);

/* An operation reaches a node (a client asks): it gets ON_REQUEST with this ticket, at true time `at`. */
int dlab_world_request(dlab_world *w, uint32_t node, int64_t at, uint64_t ticket, unsigned kind, uint32_t a,
                       uint64_t b);

/* An event of the model's own. */
int dlab_world_at(dlab_world *w, int64_t at, uint32_t kind, uint32_t node, uint64_t a, uint64_t b);

/* Faults. A node crashes or pauses as often as it is told and comes back when each has ended. */
int dlab_world_crash(dlab_world *w, uint32_t node, int32_t keep);
int dlab_world_restart(dlab_world *w, uint32_t node);
int dlab_world_pause(dlab_world *w, uint32_t node);
int dlab_world_wake(dlab_world *w, uint32_t node);
int dlab_world_drift(dlab_world *w, uint32_t node, double ppm);   /* armed timers follow the new rate */
int dlab_world_unclog(dlab_world *w, uint32_t from, uint32_t to); /* held messages go on their way */

/* The view of the invariants, now. */
void dlab_world_view(dlab_world *w, dlab_view *view);

static inline void *dlab_world_state(const dlab_world *w, uint32_t node)
{
    return w->states + node * w->stride;
}
static inline int64_t dlab_world_now(const dlab_world *w) { return w->scheduler.now; }

/* Write the trace to the output table and hand over the fingerprint: once, at the end of a run. */
int dlab_world_finish(dlab_world *w);

/* A record for the trace; costs one test when nobody wants it. */
void dlab_world_tell_slow(dlab_world *w, unsigned type, unsigned label, uint32_t node, uint32_t peer,
                          uint32_t id, uint32_t a, uint64_t b);
static inline void dlab_world_tell(dlab_world *w, unsigned type, unsigned label, uint32_t node, uint32_t peer,
                                   uint32_t id, uint32_t a, uint64_t b)
{
    if (dlab_tracing(&w->trace)) dlab_world_tell_slow(w, type, label, node, peer, id, a, b);
}

#endif
