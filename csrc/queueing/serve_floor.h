/* The servers of a station that is simulated event by event: who is in service, when they finish, pauses. */
#ifndef DISTLAB_QUEUEING_SERVE_FLOOR_H
#define DISTLAB_QUEUEING_SERVE_FLOOR_H
#include "queueing/serve_line.h"

/* Kinds of events; at one instant services end before pauses, pauses before sends of clients, these
 * before patience; arrivals from outside, which need no place in the scheduler, come last. */
enum {
    DLAB_EVENT_DEPARTURE,
    DLAB_EVENT_PAUSE,
    DLAB_EVENT_RESUME,
    DLAB_EVENT_ARRIVAL,
    DLAB_EVENT_CLIENT,
    DLAB_EVENT_PATIENCE
};

/* Controlled delay (Nichols and Jacobson, ACM Queue 10(5), 2012; RFC 8289): state of the drop law. */
typedef struct dlab_codel {
    int64_t target, interval; /* ns; target INT64_MAX: off */
    int64_t first_above, drop_next;
    uint64_t count, last_count;
    bool dropping, dropped; /* dropped: the job before this one, while dropping */
} dlab_codel;

typedef struct dlab_floor {
    const dlab_serve *what;
    dlab_ctx *ctx;
    dlab_scheduler scheduler;
    dlab_line line;
    uint32_t *serving; /* jobs in service, any order; processor sharing: a heap by finish */
    uint32_t in_service, serving_capacity;
    uint32_t held; /* of those in service: took a paused server, service has not begun */
    bool paused;
    double virtual;  /* processor sharing: service each job present has had since the start */
    int64_t updated; /* when virtual was last brought up to date */
    dlab_handle share_event;
    int64_t busy_since;
    dlab_i128 busy; /* server time used so far, ns */
    dlab_codel codel;
    int64_t deadline;
} dlab_floor;

int dlab_floor_open(dlab_floor *floor, const dlab_serve *what, dlab_ctx *ctx);

/* Bring the busy time up to date. */
static inline void dlab_floor_count(dlab_floor *f)
{
    const int64_t now = f->scheduler.now, servers = f->what->servers;
    const int64_t busy = f->paused ? 0 : f->in_service < servers ? f->in_service : servers;
    f->busy += (dlab_i128)busy * (now - f->busy_since);
    f->busy_since = now;
}

/* Is a server free for a job whose deadline has passed, so that its turn has come only to be dropped? */
static inline bool dlab_floor_drops(const dlab_floor *f, uint32_t job)
{
    return f->what->drop_late && f->in_service < f->what->servers &&
           f->scheduler.now - f->line.jobs[job].intended > f->deadline;
}

/* A job comes to the servers: it starts, preempts or waits. */
int dlab_floor_admit(dlab_floor *floor, uint32_t job);

/* The job whose service ends with this event, taken off the floor; DLAB_NO_JOB when none does. */
uint32_t dlab_floor_finish(dlab_floor *floor, const dlab_event *event);

/* Start whoever is next while a server is free. A job that must be dropped instead comes back through
 * *dropped (call again); DLAB_NO_JOB when there is none. */
int dlab_floor_next(dlab_floor *floor, uint32_t *dropped);

/* A job whose service has not begun gives up, wherever it waits; a server may be free afterwards. */
void dlab_floor_abandon(dlab_floor *floor, uint32_t job);

/* Freeze or continue all service. A job may take a paused server, but its service begins after the pause. */
int dlab_floor_pause(dlab_floor *floor, bool pause);

static inline bool dlab_floor_shares(const dlab_floor *floor)
{
    return floor->what->discipline == DLAB_DISCIPLINE_PS;
}

#endif
