/* A loaded cluster of five Raft servers with sixteen clients on a network with random delays and loss:
 * messages a second of wall time, with no invariant looked at and with all of them after every event. Rounds
 * alternate. Usage: raft SECONDS_SIMULATED ROUNDS prints "name messages_per_second". */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "consensus/raft.h"
#include "sim/world.h"

enum { ROUNDS_MAX = 64 };

static dlab_raft loaded(void)
{
    dlab_raft c = { .servers = 5,
                    .clients = 16,
                    .keys = 4,
                    .members = { .voters = 31 },
                    .election_least = 150000000,
                    .election_most = 300000000,
                    .heartbeat = 50000000,
                    .pre_vote = true,
                    .quorum_check = true,
                    .hints = true,
                    .lease_margin = 0.1,
                    .batch = 64,
                    .window = 8,
                    .log_capacity = 1024,
                    .snapshot_every = 500,
                    .batch_bytes = 1 << 20,
                    .window_bytes = 1 << 22,
                    .uncommitted_bytes = 1 << 22,
                    .chunk = 1024,
                    .command_bytes = 64,
                    .retry = 200000000,
                    .give_up = 2000000000,
                    .reads = 0.3 };
    dlab_raft_lay_out(&c);
    return c;
}

static double messages_per_second(double simulated, bool check)
{
    const dlab_raft c = loaded();
    const dlab_core core = dlab_raft_core(&c);
    dlab_network network = { .loss = 0.01, .checksum = true, .bandwidth = INFINITY, .link_queue = INFINITY };
    const dlab_world_setup setup = { .core = &core, .network = &network, .check = check, .trace_table = -1 };
    dlab_memory memory = { 0 };
    dlab_pool pool = { 0 };
    dlab_ctx ctx = { .key = 1,
                     .arena = { .memory = &memory },
                     .pool = &pool,
                     .steps_max = UINT64_MAX,
                     .poll_at = UINT64_MAX };
    dlab_world world;
    must(dlab_distribution_parse("exponential(500us) + 200us", "s", NULL, NULL, &network.delay, &ctx.err),
         ctx.err.text);
    must(dlab_world_open(&world, &setup, &ctx), ctx.err.text);
    const double start = now_s();
    must(dlab_world_run(&world, (int64_t)(simulated * 1e9), false), ctx.err.text);
    const double seconds = now_s() - start;
    const double messages = (double)world.net.sent;
    if (world.broken >= 0) must(1, "an invariant is broken");
    dlab_world_close(&world);
    dlab_arena_free(&ctx.arena);
    return messages / seconds;
}

int main(int argc, char **argv)
{
    static double figures[2][ROUNDS_MAX];
    const double simulated = argc > 1 ? atof(argv[1]) : 20;
    const int rounds = argc > 2 ? atoi(argv[2]) : 5;
    if (simulated <= 0 || rounds < 1 || rounds > ROUNDS_MAX) return 2;
    for (int r = 0; r < rounds; r++)
        for (int check = 0; check < 2; check++)
            figures[check][r] = messages_per_second(simulated, check != 0);
    for (int check = 0; check < 2; check++)
        (void)printf("%s %.0f\n", check ? "invariants" : "bare", median(figures[check], rounds));
    return 0;
}
