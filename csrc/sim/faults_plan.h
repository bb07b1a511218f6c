/* What a fault of the plan strikes: decided once when it begins, without the world. */
#ifndef DISTLAB_SIM_FAULTS_PLAN_H
#define DISTLAB_SIM_FAULTS_PLAN_H
#include <distlab/core.h>

#include "sim/faults.h"

extern const char *const dlab_fault_names[];

typedef struct dlab_blow {
    int32_t kind;
    uint32_t nodes, victim, peer; /* DLAB_NO_NODE: none, all others */
    uint64_t side[DLAB_NODES_MAX / 64];
} dlab_blow;

/* Aim a fault of this row at a victim (DLAB_NO_NODE: none); what is blank in the row is drawn from rng. */
void dlab_blow_aim(dlab_blow *b, const dlab_fault_row *row, uint32_t nodes, uint32_t victim, dlab_rng *rng);

/* Does it strike the directed link? Never a node's link to itself. */
bool dlab_blow_strikes(const dlab_blow *b, uint32_t from, uint32_t to);

/* Are all the links it strikes links of its victim? */
bool dlab_blow_is_local(const dlab_blow *b);

#endif
