/* A small world whose faults come from a table, for the tests of faults. */
#ifndef DISTLAB_TEST_FAULTS_STAGE_H
#define DISTLAB_TEST_FAULTS_STAGE_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "sim/faults_plan.h"
#include "sim/world.h"

enum { NODES = 5, ROWS_MAX = 64 };

/* Node 0 sends a beat to node 1 every 100 ms of its clock; everybody counts what arrives. The node that
 * leads is one more than the least that runs. */
typedef struct beat_state {
    uint64_t durable, beats;
} beat_state;

static inline void step(const dlab_core *core, uint32_t node, void *state, const dlab_input *in,
                        dlab_outputs *out)
{
    beat_state *s = state;
    (void)core;
    if (in->kind == DLAB_ON_MESSAGE) s->beats++;
    if (node != 0 || in->kind == DLAB_ON_MESSAGE) return;
    if (in->kind == DLAB_ON_TIMER) dlab_send(out, 1, 3, 0, 0, NULL, 0);
    dlab_set_timer(out, 0, 100000000, 100000000);
}

static inline uint32_t leader(const dlab_core *core, const dlab_view *view)
{
    (void)core;
    for (uint32_t i = 0; i + 1 < view->nodes; i++)
        if (view->running[i]) return i + 1;
    return DLAB_NO_NODE;
}

static const dlab_model model = { .name = "test.faults", .params = dlab_network_fields };

typedef struct stage {
    dlab_memory memory;
    dlab_fault_row rows[ROWS_MAX];
    uint32_t count;
    dlab_rows table;
    dlab_pool pool;
    dlab_ctx ctx;
    dlab_core core;
    dlab_network network;
    dlab_disks disks;
    dlab_world_setup setup;
    dlab_world world;
} stage;

static inline dlab_distribution law(const char *text)
{
    dlab_distribution d;
    assert_int_equal(dlab_distribution_parse(text, "s", NULL, NULL, &d, NULL), DLAB_OK);
    return d;
}

static inline dlab_fault_row *add(stage *s, int32_t kind, double time, const char *lasts)
{
    dlab_fault_row *row = &s->rows[s->count++];
    *row = (dlab_fault_row){ .time = time,
                             .rate = NAN,
                             .kind = kind,
                             .node = DLAB_INT_BLANK,
                             .peer = DLAB_INT_BLANK,
                             .members = DLAB_INT_BLANK,
                             .duration = { .kind = -1 },
                             .amount = NAN,
                             .message = DLAB_INT_BLANK };
    if (lasts != NULL) row->duration = law(lasts);
    return row;
}

static inline dlab_fault_row *strike(stage *s, int32_t kind, double time, const char *lasts, int64_t node,
                                     double amount)
{
    dlab_fault_row *row = add(s, kind, time, lasts);
    row->node = node;
    row->amount = amount;
    return row;
}

static inline stage *new_stage(void)
{
    stage *s = calloc(1, sizeof *s);
    s->core = (dlab_core){ .name = "beats",
                           .nodes = NODES,
                           .timers = 1,
                           .state_bytes = sizeof(beat_state),
                           .durable = 8,
                           .outputs_max = 4,
                           .bytes_max = 8,
                           .step = step,
                           .leader = leader };
    s->network = (dlab_network){
        .delay = law("1ms"), .checksum = true, .bandwidth = INFINITY, .link_queue = INFINITY
    };
    s->disks = (dlab_disks){ .fsync = law("1ms"), .disk_capacity = INFINITY, .sector = 4096 };
    s->setup =
        (dlab_world_setup){ .core = &s->core, .network = &s->network, .disks = &s->disks, .trace_table = -1 };
    return s;
}

static inline int try_open(stage *s, uint64_t key)
{
    s->table = (dlab_rows){ s->rows, s->count, sizeof s->rows[0] };
    s->pool = (dlab_pool){ &s->table, 1 };
    s->setup.faults = (dlab_ref){ 0, 0, s->count };
    s->ctx = (dlab_ctx){ .key = key,
                         .arena = { .memory = &s->memory },
                         .pool = &s->pool,
                         .model = &model,
                         .params = &s->network,
                         .wanted = s->setup.trace_table == 0 ? 1 : 0,
                         .steps_max = UINT64_MAX,
                         .poll_at = UINT64_MAX };
    return dlab_world_open(&s->world, &s->setup, &s->ctx);
}

static inline void open_stage(stage *s, uint64_t key)
{
    if (try_open(s, key)) fail_msg("%s", s->ctx.err.text);
}

static inline void close_world(stage *s)
{
    dlab_world_close(&s->world);
    dlab_arena_free(&s->ctx.arena);
    assert_int_equal(s->memory.used, 0);
}

static inline void close_stage(stage *s)
{
    close_world(s);
    free(s);
}

static inline void run_to(stage *s, double seconds)
{
    if (dlab_world_run(&s->world, (int64_t)(seconds * 1e9), false)) fail_msg("%s", s->ctx.err.text);
}

static inline const dlab_link *link_of(const stage *s, uint32_t from, uint32_t to)
{
    return dlab_net_link(&s->world.net, from, to);
}

#endif
