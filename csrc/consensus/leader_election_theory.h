/* What is known exactly about an election. */
#ifndef DISTLAB_CONSENSUS_LEADER_ELECTION_THEORY_H
#define DISTLAB_CONSENSUS_LEADER_ELECTION_THEORY_H
#include <stdbool.h>
#include <stdint.h>

/* A run in which nothing is random but ids, starters and the moment of the failure; times in s. */
typedef struct dlab_election_case {
    int32_t algorithm, failure, starters, order;
    int64_t nodes;
    double delay, detection, timeout;
    double ttl, renew;
    bool any_moment; /* the failure comes with equal chance at any moment between two renewals */
} dlab_election_case;

/* Means; NaN where none is known. */
typedef struct dlab_election_law {
    double messages, announcements; /* of one election */
    double downtime;                /* s from the failure, or the start, to a leader */
} dlab_election_law;

dlab_election_law dlab_election_theory(const dlab_election_case *c);

/* The time in [0, duration] in which a node is wrong, on average, that begins so at `rate` and stays so for
 * an exponential time of mean `mistake`. */
double dlab_election_time_wrong(double rate, double mistake, double duration);

#endif
