/* The world, told as stories: who did what, when and why. A small protocol (a client that asks a server to
 * add, again until it is answered) runs through losses, slow disks, crashes, pauses and wrong clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "sim/world.h"

enum { ADD = 0, ADDED = 1 };
enum { AGAIN = 0 };
static const dlab_label messages[] = { { "add", "key", NULL }, { "added", "key", "total" }, { NULL, NULL, NULL } };
static const dlab_label timers[] = { { "again", NULL, NULL }, { NULL, NULL, NULL } };
static const dlab_label states[] = { { "idle", NULL, NULL }, { "asking", "key", NULL }, { NULL, NULL, NULL } };
static const dlab_label requests[] = { { "please", NULL, NULL }, { NULL, NULL, NULL } };
static const char *const roles[] = { "client", "server", NULL };
static const char *const invariants[] = { "never above two", NULL };
static const dlab_trace_schema schema = { .messages = messages,
                                          .timers = timers,
                                          .states = states,
                                          .requests = requests,
                                          .applies = messages,
                                          .roles = roles,
                                          .invariants = invariants };

typedef struct adder {
    int64_t repeat;    /* ns */
    bool persists, async, limited;
    uint32_t asks;     /* how many keys the client asks for */
} adder;

/* The first eight bytes are durable: the server's total. */
typedef struct adder_state {
    uint64_t total;
    uint32_t key, waiting;
    int64_t stepped_at;
    uint64_t reply_to;
} adder_state;

static void ask(const adder *a, adder_state *s, dlab_outputs *out)
{
    dlab_send(out, 1, ADD, s->key, 0, NULL, 0);
    dlab_set_timer(out, AGAIN, a->repeat, a->repeat);
}

static void serve(const adder *a, adder_state *s, const dlab_input *in, dlab_outputs *out)
{
    s->stepped_at = in->now;
    if (in->kind == DLAB_ON_REQUEST) {
        dlab_reply(out, in->ticket, ADDED, 0, s->total);
    } else if (in->kind == DLAB_ON_MESSAGE) {
        s->total++;
        if (a->persists) dlab_persist(out, 0, 8, a->async, s->total);
        dlab_send(out, 0, ADDED, in->message->a, s->total, NULL, 0);
        dlab_apply(out, ADDED, in->message->a, s->total);
    }
}

static void step(const dlab_core *core, uint32_t node, void *state, const dlab_input *in, dlab_outputs *out)
{
    const adder *a = core->config;
    adder_state *s = state;
    if (node == 1) {
        serve(a, s, in, out);
        return;
    }
    if (in->kind == DLAB_ON_MESSAGE && in->message->a == s->key) {
        s->waiting = 0;
        dlab_cancel_timer(out, AGAIN);
        if (s->key >= a->asks) return;
    } else if (in->kind != DLAB_ON_START && in->kind != DLAB_ON_TIMER) {
        return;
    }
    if (s->waiting == 0) s->key++;
    s->waiting = 1;
    ask(a, s, out);
}

static int check(const dlab_core *core, const dlab_view *view)
{
    const adder *a = core->config;
    return a->limited && ((const adder_state *)dlab_view_node(view, 1))->total > 2 ? 0 : -1;
}

static uint32_t role(const dlab_core *core, uint32_t node)
{
    (void)core;
    return node;
}

static uint32_t lane(const dlab_core *core, uint32_t node, const void *state, uint32_t *a, uint64_t *b)
{
    const adder_state *s = state;
    (void)core;
    (void)b;
    *a = node == 0 ? s->key : 0;
    return node == 0 && s->waiting ? 1 : 0;
}

static dlab_core core_of(const adder *a)
{
    return (dlab_core){ .name = "adder",
                        .config = a,
                        .nodes = 2,
                        .timers = 1,
                        .state_bytes = sizeof(adder_state),
                        .durable = 8,
                        .outputs_max = 4,
                        .schema = &schema,
                        .step = step,
                        .check = check,
                        .role = role,
                        .lane = lane };
}

/* --- A world to run in */

static dlab_distribution law(const char *text)
{
    dlab_distribution d;
    assert_int_equal(dlab_distribution_parse(text, "s", NULL, NULL, &d, NULL), DLAB_OK);
    return d;
}

static dlab_network quiet_network(const char *delay)
{
    return (dlab_network){
        .delay = law(delay), .checksum = true, .bandwidth = INFINITY, .link_queue = INFINITY
    };
}

static dlab_disks good_disk(const char *fsync)
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
} stage;

static void set_stage(stage *s, const adder *a, const char *delay, uint64_t key)
{
    memset(s, 0, sizeof *s);
    s->ctx = (dlab_ctx){ .key = key,
                         .arena = { .memory = &s->memory },
                         .pool = &s->pool,
                         .steps_max = UINT64_MAX,
                         .poll_at = UINT64_MAX,
                         .wanted = 1 };
    s->core = core_of(a);
    s->network = quiet_network(delay);
    s->setup = (dlab_world_setup){ .core = &s->core, .network = &s->network, .check = true };
}

static void open_stage(stage *s)
{
    const int code = dlab_world_open(&s->world, &s->setup, &s->ctx);
    if (code != DLAB_OK) fail_msg("%s", s->ctx.err.text);
}

static void close_stage(stage *s)
{
    dlab_world_close(&s->world);
    dlab_arena_free(&s->ctx.arena);
    assert_int_equal(s->memory.used, 0);
}

static void run_to(stage *s, double seconds)
{
    const int code = dlab_world_run(&s->world, (int64_t)(seconds * 1e9), false);
    if (code != DLAB_OK) fail_msg("%s", s->ctx.err.text);
}

/* Everything told so far, a line a record; timers left out. */
static const char *story(const stage *s)
{
    static char text[1 << 16];
    size_t used = 0;
    text[0] = '\0';
    for (size_t k = 0; k < dlab_trace_count(&s->world.trace); k++) {
        const dlab_record *r = dlab_trace_at(&s->world.trace, k);
        if (r->type == DLAB_TRACE_SET || r->type == DLAB_TRACE_CANCEL || r->type == DLAB_TRACE_STATE) continue;
        used += (size_t)dlab_record_format(&schema, r, text + used, sizeof text - used);
        text[used++] = '\n';
        text[used] = '\0';
    }
    return text;
}

static void tells(const stage *s, const char *expected)
{
    if (strcmp(story(s), expected) != 0) fail_msg("expected\n%s\nbut it was\n%s", expected, story(s));
}

static const adder_state *node(const stage *s, uint32_t i) { return dlab_world_state(&s->world, i); }

static void conserves(const stage *s)
{
    const dlab_net *n = &s->world.net;
    assert_true(n->sent + n->duplicated == n->delivered + n->lost + n->in_flight);
}

/* --- Stories */

static void asked_and_answered(void **state)
{
    const adder a = { .repeat = 10000000, .asks = 2 };
    stage s;
    (void)state;
    set_stage(&s, &a, "1ms", 1);
    open_stage(&s);
    run_to(&s, 1);
    tells(&s, "");
    conserves(&s);
    close_stage(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asked_and_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
