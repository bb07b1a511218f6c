/* What happens to the nodes of an election and what becomes of their leadership: the failure, what detectors
 * say about it and what they say wrongly, and the books. */
#ifndef DISTLAB_CONSENSUS_LEADER_ELECTION_DRIVE_H
#define DISTLAB_CONSENSUS_LEADER_ELECTION_DRIVE_H
#include "consensus/leader_election.h"
#include "sim/world.h"

#define DLAB_ELECTION_FAILURES(X) \
    X(CRASH, "crash")             \
    X(CUT_OFF, "cut_off")         \
    X(COLD_START, "cold_start")   \
    X(NONE, "none")
#define DLAB_ELECTION_STARTERS(X) \
    X(ALL, "all")                 \
    X(HIGHEST, "highest")         \
    X(LOWEST, "lowest")           \
    X(RANDOM, "random")
#define DLAB_ELECTION_ORDERS(X) \
    X(RANDOM, "random")         \
    X(ASCENDING, "ascending")   \
    X(DESCENDING, "descending")

#define X(code, ...) DLAB_ELECTION_FAILURE_##code,
enum { DLAB_ELECTION_FAILURES(X) };
#undef X
#define X(code, ...) DLAB_ELECTION_STARTERS_##code,
enum { DLAB_ELECTION_STARTERS(X) };
#undef X
#define X(code, ...) DLAB_ELECTION_ORDER_##code,
enum { DLAB_ELECTION_ORDERS(X) };
#undef X

typedef struct dlab_election_drive {
    dlab_election *election;
    dlab_ctx *ctx;
    int32_t failure, starters;
    double false_suspicion; /* 1/s at each node */
    dlab_sampler failure_time, outage, detection, mistake;
    bool returns;           /* the outage ends */
    dlab_rng rng;           /* of the failure */
    dlab_rng *rngs;         /* of each node's detector */
    uint16_t *ids, *owners; /* of the election */
    uint32_t struck;        /* who has failed; DLAB_NO_NODE: nobody */
    int64_t at, unavailable, double_led;
    int64_t gap_since; /* when the last leader ended; -1: somebody leads */
    uint32_t *leading, leading_count;
    uint64_t reigns;
    uint64_t sent[DLAB_ELECTION_PURPOSES];
    dlab_histogram *downtime;
} dlab_election_drive;

/* Draw ids, open streams. Before the core is made. */
int dlab_election_drive_open(dlab_election_drive *d, int32_t order, dlab_ctx *ctx);

/* Plan the failure, the suspicions and, in a cold start, the beginning. After the world is open. */
int dlab_election_drive_plan(dlab_election_drive *d, dlab_world *w);

/* Hooks of the world. */
void dlab_election_drive_output(void *arg, dlab_world *w, uint32_t node, const dlab_output *o);
int dlab_election_drive_event(void *arg, dlab_world *w, const dlab_event *event);

/* Count what a step sends. */
void dlab_election_drive_tally(dlab_election_drive *d, const dlab_outputs *out, uint32_t from);

/* After each event: leaders that are down lead no more. Until `now` the books are complete. */
void dlab_election_drive_watch(dlab_election_drive *d, const dlab_world *w);
void dlab_election_drive_advance(dlab_election_drive *d, int64_t now);

#endif
