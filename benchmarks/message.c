/* The cost of a message through the network: a delay drawn, a loss drawn, partitions looked at, the node's
 * step function called; trace off and on; against one bare event of the kernel (take the earliest of as many
 * pending, schedule it again at an exponential distance). Nodes pass tokens on, so one message is one
 * delivery and one sending. Rounds alternate. Usage: message MESSAGES ROUNDS prints "name ns". */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "sim/scheduler_inline.h"
#include "sim/world.h"

enum { NODES = 8, TOKENS = 8, ROUNDS_MAX = 64 };

/* Start: one token each. A token goes to the next node. */
static void pass_on(const dlab_core *core, uint32_t node, void *state, const dlab_input *in,
                    dlab_outputs *out)
{
    const uint64_t hops = in->kind == DLAB_ON_MESSAGE ? in->message->b + 1 : 0;
    (void)state;
    dlab_send(out, node + 1 == core->nodes ? 0 : node + 1, 0, 0, hops, NULL, 0);
}

static double message_ns(uint64_t messages, double loss, bool trace)
{
    static const dlab_label labels[] = { { "token", NULL, "hops" }, { NULL, NULL, NULL } };
    static const dlab_trace_schema schema = { .messages = labels };
    const dlab_core core = { .name = "pass on",
                             .nodes = NODES,
                             .state_bytes = 8,
                             .outputs_max = 1,
                             .schema = &schema,
                             .step = pass_on };
    dlab_network network = { .loss = loss, .checksum = true, .bandwidth = INFINITY, .link_queue = INFINITY };
    const dlab_world_setup setup = { .core = &core, .network = &network, .trace_table = trace ? 0 : -1 };
    dlab_memory memory = { 0 };
    dlab_pool pool = { 0 };
    dlab_ctx ctx = { .key = 1,
                     .arena = { .memory = &memory },
                     .pool = &pool,
                     .wanted = 1,
                     .steps_max = UINT64_MAX,
                     .poll_at = UINT64_MAX };
    dlab_world world;
    must(dlab_distribution_parse("exponential(1ms)", "s", NULL, NULL, &network.delay, &ctx.err),
         ctx.err.text);
    must(dlab_world_open(&world, &setup, &ctx), ctx.err.text);
    const double start = now_s();
    while (world.events < messages)
        if (dlab_world_step(&world, INT64_MAX) <= 0) must(1, ctx.err.text);
    const double seconds = now_s() - start;
    dlab_world_close(&world);
    dlab_arena_free(&ctx.arena);
    return seconds / (double)messages * 1e9;
}

static double event_ns(uint64_t events)
{
    dlab_memory memory = { 0 };
    dlab_error err = { 0 };
    dlab_scheduler s;
    dlab_event event;
    dlab_rng rng;
    uint64_t sink = 0;
    dlab_rng_open(&rng, 1, DLAB_PURPOSE_SAMPLE, 0);
    must(dlab_scheduler_open(&s, &memory, &err), err.text);
    for (uint32_t k = 0; k < TOKENS; k++)
        (void)dlab_schedule_inline(&s, (int64_t)(1e6 * dlab_rng_exponential(&rng)), 0, k, 0, 0, 0);
    const double start = now_s();
    for (uint64_t k = 0; k < events && dlab_next_inline(&s, INT64_MAX, &event); k++) {
        sink += event.b;
        (void)dlab_schedule_inline(&s, event.time + (int64_t)(1e6 * dlab_rng_exponential(&rng)), 0,
                                   event.node, 0, event.b + 1, 0);
    }
    const double seconds = now_s() - start;
    dlab_scheduler_close(&s);
    if (sink == 1) (void)puts("");
    return seconds / (double)events * 1e9;
}

int main(int argc, char **argv)
{
    static const char *const names[] = { "event", "message", "message_loss", "message_trace" };
    static double ns[4][ROUNDS_MAX];
    const uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    const int rounds = argc > 2 ? atoi(argv[2]) : 9;
    if (n == 0 || rounds < 1 || rounds > ROUNDS_MAX) return 2;
    for (int r = 0; r < rounds; r++) {
        ns[0][r] = event_ns(n);
        ns[1][r] = message_ns(n, 0, false);
        ns[2][r] = message_ns(n, 1e-12, false); /* drawn, and never lost: a lost token would not come back */
        ns[3][r] = message_ns(n, 1e-12, true);
    }
    for (int k = 0; k < 4; k++) (void)printf("%s %.2f\n", names[k], median(ns[k], rounds));
    return 0;
}
