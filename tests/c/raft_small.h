/* The small Raft cluster of the tests: three servers, one client, tight limits. A test changes what it needs
 * and lays the cluster out (dlab_raft_lay_out). */
#ifndef DISTLAB_TEST_RAFT_SMALL_H
#define DISTLAB_TEST_RAFT_SMALL_H
#include "consensus/raft.h"

static inline dlab_raft small_raft(void)
{
    return (dlab_raft){ .servers = 3,
                        .clients = 1,
                        .keys = 4,
                        .members = { .voters = 7 },
                        .election_least = 150000000,
                        .election_most = 300000000,
                        .heartbeat = 50000000,
                        .quorum_check = true,
                        .lease_margin = 0.1,
                        .batch = 16,
                        .window = 4,
                        .log_capacity = 64,
                        .snapshot_every = 32,
                        .batch_bytes = 1 << 20,
                        .window_bytes = 1 << 20,
                        .uncommitted_bytes = 1 << 20,
                        .chunk = 4096,
                        .command_bytes = 64 };
}

#endif
