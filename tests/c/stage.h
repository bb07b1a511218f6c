/* A world to run in, for tests that have included cmocka: quiet unless told otherwise, and its story
 * as text. A story that is not the expected one is printed whole, ready to be reviewed and taken over. */
#ifndef DISTLAB_TEST_STAGE_H
#define DISTLAB_TEST_STAGE_H
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world.h"

static inline dlab_distribution law(const char *text)
{
    dlab_distribution d;
    assert_int_equal(dlab_distribution_parse(text, "s", NULL, NULL, &d, NULL), DLAB_OK);
    return d;
}

static inline dlab_network quiet_network(const char *delay)
{
    return (
        dlab_network){ .delay = law(delay), .checksum = true, .bandwidth = INFINITY, .link_queue = INFINITY };
}

static inline dlab_disks good_disk(const char *fsync)
{
    return (dlab_disks){ .fsync = law(fsync),
                         .group_commit = true,
                         .disk_capacity = INFINITY,
                         .sector = 4096,
                         .recoverable = true };
}

typedef struct stage {
    dlab_memory memory;
    dlab_pool pool;
    dlab_ctx ctx;
    dlab_core core;
    dlab_network network;
    dlab_disks disks;
    dlab_clocks clocks;
    dlab_distribution processing;
    dlab_world_setup setup;
    dlab_world world;
    uint16_t roles[64];
} stage;

static inline void set_stage(stage *s, dlab_core core, const char *delay, uint64_t key)
{
    memset(s, 0, sizeof *s);
    s->ctx = (dlab_ctx){ .key = key,
                         .arena = { .memory = &s->memory },
                         .pool = &s->pool,
                         .steps_max = UINT64_MAX,
                         .poll_at = UINT64_MAX,
                         .wanted = 1 };
    s->core = core;
    s->network = quiet_network(delay);
    s->setup = (dlab_world_setup){ .core = &s->core, .network = &s->network, .check = true };
}

static inline void open_stage(stage *s)
{
    const int code = dlab_world_open(&s->world, &s->setup, &s->ctx);
    if (code != DLAB_OK) fail_msg("%s", s->ctx.err.text);
    for (uint32_t i = 0; i < s->core.nodes && i < 64; i++)
        s->roles[i] = (uint16_t)(s->core.role != NULL ? s->core.role(&s->core, i) : 0);
}

static inline void close_stage(stage *s)
{
    dlab_world_close(&s->world);
    dlab_arena_free(&s->ctx.arena);
    assert_int_equal(s->memory.used, 0);
}

static inline void run_to(stage *s, double seconds)
{
    const int code = dlab_world_run(&s->world, (int64_t)(seconds * 1e9), false);
    if (code != DLAB_OK) fail_msg("%s", s->ctx.err.text);
}

static inline void conserves(const stage *s)
{
    const dlab_net *n = &s->world.net;
    assert_true(n->sent + n->duplicated == n->delivered + n->lost + n->in_flight);
}

/* Everything told so far, a line a record; timers left out. */
static inline const char *story(const stage *s)
{
    static char text[1 << 16];
    size_t used = 0;
    text[0] = '\0';
    for (size_t k = 0; k < dlab_trace_count(&s->world.trace); k++) {
        const dlab_record *r = dlab_trace_at(&s->world.trace, k);
        if (r->type == DLAB_TRACE_SET || r->type == DLAB_TRACE_CANCEL || r->type == DLAB_TRACE_STATE)
            continue;
        used += (size_t)dlab_record_format(s->core.schema, s->roles, s->core.nodes, r, text + used,
                                           sizeof text - used);
        text[used++] = '\n';
        text[used] = '\0';
    }
    return text;
}

static inline void tells(const stage *s, const char *expected)
{
    if (strcmp(story(s), expected) != 0) {
        printf("but it was\n%s\n", story(s));
        fail_msg("another story than\n%s", expected);
    }
}

#endif
