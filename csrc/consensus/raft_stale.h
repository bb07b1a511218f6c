/* Reads that miss a write: every write to a register has a version, its place in the log. A read is stale if
 * its value is older than the newest write to that register that had been acknowledged, to whomever, when the
 * read was invoked. The checker says whether a history is right; this says how often a reader is misled. */
#ifndef DISTLAB_CONSENSUS_RAFT_STALE_H
#define DISTLAB_CONSENSUS_RAFT_STALE_H
#include <distlab/model.h>

#include "consensus/raft.h"

typedef struct dlab_raft_versions {
    const dlab_raft *raft;
    dlab_ctx *ctx;
    uint32_t applied;  /* highest index that any server has applied */
    uint32_t *current; /* by key: its version */
    uint32_t *known;   /* by key: newest version that was acknowledged */
    uint32_t *least;   /* by client: what its read has to see at least */
    uint32_t **of;     /* by client: versions of the values it wrote, by their number; 0: not applied */
    uint32_t *room;    /* by client */
    uint64_t stale;
} dlab_raft_versions;

int dlab_raft_versions_open(dlab_raft_versions *v, const dlab_raft *raft, dlab_ctx *ctx);

/* A server has applied a command; a client invokes an operation, or has an answer to it (true: stale). */
void dlab_raft_versions_apply(dlab_raft_versions *v, const void *server, const dlab_message *applied);
void dlab_raft_versions_invoke(dlab_raft_versions *v, uint32_t client, const dlab_raft_client *s);
bool dlab_raft_versions_answer(dlab_raft_versions *v, uint32_t client, const dlab_raft_client *s);

#endif
