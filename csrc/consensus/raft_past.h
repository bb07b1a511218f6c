/* What a cluster brings along: logs that were torn apart before the run begins. */
#ifndef DISTLAB_CONSENSUS_RAFT_PAST_H
#define DISTLAB_CONSENSUS_RAFT_PAST_H
#include <distlab/model.h>

typedef struct dlab_raft_past {
    int64_t divergence, divergent_terms, rival_entries; /* rival_entries -1: as many as divergence */
} dlab_raft_past;

extern const dlab_field dlab_raft_past_fields[];

/* Can `voters` servers with logs of this capacity have got there? */
int dlab_raft_past_check(const dlab_raft_past *past, int64_t voters, int64_t log_capacity, dlab_error *err);

#endif
