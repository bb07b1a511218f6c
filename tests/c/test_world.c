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
static const dlab_label messages[] = { { "add", "key", NULL },
                                       { "added", "key", "total" },
                                       { NULL, NULL, NULL } };
static const dlab_label timers[] = { { "again", NULL, NULL }, { NULL, NULL, NULL } };
static const dlab_label states[] = { { "idle", NULL, NULL },
                                     { "asking", "key", NULL },
                                     { NULL, NULL, NULL } };
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
    int64_t repeat; /* ns */
    bool persists, async, limited;
    uint32_t asks; /* how many keys the client asks for */
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
    return (
        dlab_network){ .delay = law(delay), .checksum = true, .bandwidth = INFINITY, .link_queue = INFINITY };
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
    static const uint16_t both[] = { 0, 1 };
    size_t used = 0;
    text[0] = '\0';
    for (size_t k = 0; k < dlab_trace_count(&s->world.trace); k++) {
        const dlab_record *r = dlab_trace_at(&s->world.trace, k);
        if (r->type == DLAB_TRACE_SET || r->type == DLAB_TRACE_CANCEL || r->type == DLAB_TRACE_STATE)
            continue;
        used += (size_t)dlab_record_format(&schema, both, 2, r, text + used, sizeof text - used);
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

/* The reply leaves when the total is durable, 5 ms later; a crash before that loses the addition. */
static void slow_disk(stage *s, const adder *a, const char *fsync)
{
    set_stage(s, a, "1ms", 1);
    s->disks = good_disk(fsync);
    s->setup.disks = &s->disks;
    open_stage(s);
}

static void what_follows_a_write_waits_for_the_disk(void **state)
{
    const adder a = { .repeat = 100000000, .asks = 1, .persists = true };
    stage s;
    (void)state;
    slow_disk(&s, &a, "5ms");
    run_to(&s, 0.0055);
    assert_int_equal(s.world.net.sent, 1);
    run_to(&s, 0.0065);
    assert_int_equal(s.world.net.sent, 2);
    run_to(&s, 1);
    tells(&s, "");
    close_stage(&s);
}

static void a_crash_loses_exactly_what_was_not_synced(void **state)
{
    const adder a = { .repeat = 20000000, .asks = 2, .persists = true };
    stage s;
    (void)state;
    slow_disk(&s, &a, "5ms");
    run_to(&s, 0.0075); /* the first total is durable since 6 ms, the second is on its way to the server */
    assert_int_equal(node(&s, 1)->total, 1);
    run_to(&s, 0.0085);
    assert_int_equal(node(&s, 1)->total, 2);
    assert_int_equal(dlab_world_crash(&s.world, 1, DLAB_KEEP_SYNCED), DLAB_OK);
    run_to(&s, 0.0300);
    assert_int_equal(dlab_world_restart(&s.world, 1), DLAB_OK);
    assert_int_equal(node(&s, 1)->total, 1);
    run_to(&s, 1);
    assert_int_equal(node(&s, 1)->total, 2);
    tells(&s, "");
    conserves(&s);
    close_stage(&s);
}

/* A paused node keeps its packets, and steps the first of them at the time it believed. */
static void a_pause_ends_in_the_past(void **state)
{
    const adder a = { .repeat = 4000000, .asks = 1 };
    stage s;
    (void)state;
    set_stage(&s, &a, "1ms", 1);
    open_stage(&s);
    run_to(&s, 0.0005);
    assert_int_equal(dlab_world_pause(&s.world, 1), DLAB_OK);
    run_to(&s, 0.0100);
    assert_int_equal(s.world.net.in_flight, 3); /* sent at 0, 4 and 8 ms */
    assert_int_equal(dlab_world_wake(&s.world, 1), DLAB_OK);
    assert_int_equal(node(&s, 1)->total, 3);
    assert_int_equal(node(&s, 1)->stepped_at, 10000000); /* the last one; the first was at 0.5 ms */
    run_to(&s, 1);
    tells(&s, "");
    conserves(&s);
    close_stage(&s);
}

static void the_first_step_after_a_pause_reads_an_old_clock(void **state)
{
    const adder a = { .repeat = 40000000, .asks = 1 };
    stage s;
    (void)state;
    set_stage(&s, &a, "1ms", 1);
    open_stage(&s);
    run_to(&s, 0.0005);
    assert_int_equal(dlab_world_pause(&s.world, 1), DLAB_OK);
    run_to(&s, 0.0100);
    assert_int_equal(dlab_world_wake(&s.world, 1), DLAB_OK);
    assert_int_equal(node(&s, 1)->stepped_at, 500000);
    close_stage(&s);
}

/* A client whose clock runs 10 % fast asks again after 4 ms of its time: 3.636364 ms. */
static void timers_run_on_the_clock_of_their_node(void **state)
{
    const adder a = { .repeat = 4000000, .asks = 1 };
    stage s;
    (void)state;
    set_stage(&s, &a, "10ms", 1);
    s.clocks =
        (dlab_clocks){ .drift = 100000, .clock_spread = DLAB_CLOCK_SPREAD_WORST, .sync_interval = INFINITY };
    s.setup.clocks = &s.clocks;
    open_stage(&s);
    const int64_t ppb = s.world.nodes[0].clock.ppb;
    assert_true(ppb == 100000000 || ppb == -100000000);
    const int64_t due = dlab_clock_after(&s.world.nodes[0].clock, 0, 4000000);
    assert_int_equal(due, ppb > 0 ? 3636364 : 4444445);
    assert_int_equal(dlab_world_run(&s.world, due - 1, false), DLAB_OK);
    assert_int_equal(s.world.net.sent, 1);
    assert_int_equal(dlab_world_run(&s.world, due, false), DLAB_OK);
    assert_int_equal(s.world.net.sent, 2);
    /* From now on it runs true: the timer set at `due` is moved to where 4 ms of a true clock end. */
    assert_int_equal(dlab_world_drift(&s.world, 0, 0), DLAB_OK);
    assert_int_equal(dlab_world_run(&s.world, due + 3999998, false), DLAB_OK);
    assert_int_equal(s.world.net.sent, 2);
    assert_int_equal(dlab_world_run(&s.world, due + 4000001, false), DLAB_OK);
    assert_int_equal(s.world.net.sent, 3);
    close_stage(&s);
}

/* Held messages go on their way in the order in which they were sent. */
static void a_clogged_link_holds_and_releases(void **state)
{
    const adder a = { .repeat = 2000000, .asks = 1 };
    stage s;
    (void)state;
    set_stage(&s, &a, "1ms", 1);
    open_stage(&s);
    dlab_net_clog(&s.world.net, 0, 1, 1);
    run_to(&s, 0.0090);
    assert_int_equal(s.world.net.in_flight, 5);
    assert_int_equal(node(&s, 1)->total, 0);
    dlab_net_clog(&s.world.net, 0, 1, -1);
    assert_int_equal(dlab_world_unclog(&s.world, 0, 1), DLAB_OK);
    run_to(&s, 0.0091);
    assert_int_equal(node(&s, 1)->total, 5);
    conserves(&s);
    close_stage(&s);
}

static void a_broken_promise_is_a_result_with_a_witness(void **state)
{
    const adder a = { .repeat = 20000000, .asks = 5, .limited = true };
    stage s;
    (void)state;
    set_stage(&s, &a, "1ms", 1);
    open_stage(&s);
    assert_int_equal(dlab_world_run(&s.world, 1000000000, true), DLAB_OK);
    assert_int_equal(s.world.broken, 0);
    assert_int_equal(s.world.broken_time, 5000000);
    tells(&s, "");
    close_stage(&s);
}

/* A node that takes an exponential time for each request, asked by a Poisson process, is M/M/1: the mean
 * time in it is 1 / (mu - lambda) = 20 ms (load 0.5), with the variance of Daley's correlated sojourns. */
typedef struct sojourns {
    int64_t asked[1 << 16];
    double sum, batch_sum, batches[64];
    uint64_t count;
} sojourns;

static void note_reply(void *arg, dlab_world *w, uint32_t i, const dlab_output *o)
{
    sojourns *s = arg;
    (void)i;
    if (o->kind != DLAB_REPLY) return;
    const double t = (double)(dlab_world_now(w) - s->asked[o->ticket]) * 1e-9;
    s->batches[s->count++ / 1024 % 64] += t / 1024;
    s->sum += t;
}

static void a_busy_node_is_a_queue(void **state)
{
    const adder a = { .repeat = 1000000000, .asks = 0 };
    sojourns *seen = calloc(1, sizeof *seen);
    stage s;
    dlab_rng rng;
    int64_t at = 0;
    (void)state;
    assert_non_null(seen);
    set_stage(&s, &a, "1ms", 7);
    s.processing = law("exponential(10ms)");
    s.setup.processing = &s.processing;
    s.setup.on_output = note_reply;
    s.setup.arg = seen;
    s.ctx.wanted = 0;
    open_stage(&s);
    dlab_rng_open(&rng, 7, DLAB_PURPOSE_ARRIVAL, 0);
    for (uint64_t k = 0; k < 1 << 16; k++) {
        at += (int64_t)(dlab_rng_exponential(&rng) * 20e6);
        seen->asked[k] = at;
        assert_int_equal(dlab_world_request(&s.world, 1, at, k, 0, 0, 0), DLAB_OK);
    }
    dlab_net_cut(&s.world.net, 0, 1, 1); /* the client stays out of it */
    assert_int_equal(dlab_world_run(&s.world, at + 10000000000, false), DLAB_OK);
    assert_int_equal(seen->count, 1 << 16);
    double mean = seen->sum / (1 << 16), square = 0;
    for (int b = 0; b < 64; b++) square += (seen->batches[b] - mean) * (seen->batches[b] - mean);
    const double se = sqrt(square / 63 / 64);
    assert_true(se < 0.001);
    assert_true(fabs(mean - 0.020) < 4 * se);
    close_stage(&s);
    free(seen);
}

/* --- A crowd: every node sends to whom it likes, faults strike at random; nothing is lost from the books,
 * and a recorded run replays to the same events. */

enum { CROWD = 6 };

static void crowd_step(const dlab_core *core, uint32_t i, void *state, const dlab_input *in,
                       dlab_outputs *out)
{
    adder_state *s = state;
    (void)core;
    s->total++;
    if (in->kind == DLAB_ON_START || in->kind == DLAB_ON_TIMER) {
        const uint32_t to = (i + 1 + (uint32_t)dlab_rng_below(in->rng, CROWD - 1)) % CROWD;
        dlab_persist(out, 0, 8, dlab_rng_below(in->rng, 2) == 0, s->total);
        dlab_send(out, to, ADD, (uint32_t)s->total, s->total << 8 | i, &s->total, 8);
        dlab_set_timer(out, AGAIN, 1000000, 5000000);
        if (dlab_coin(in->chooser, in->rng, dlab_coin_name(DLAB_COIN_OWN, s->total << 8 | i), 0.02))
            dlab_die(out, 1000000, 9000000);
    } else if (in->kind == DLAB_ON_MESSAGE && in->message->kind == ADD) {
        dlab_send(out, in->message->from, ADDED, in->message->a, in->message->b ^ (uint64_t)i << 40, NULL, 0);
    }
}

static void crowd_stage(stage *s, uint64_t key)
{
    static const adder unused;
    set_stage(s, &unused, "exponential(3ms)", key);
    s->core.nodes = CROWD;
    s->core.step = crowd_step;
    s->core.body_max = s->core.bytes_max = 8;
    s->core.role = NULL;
    s->core.check = NULL;
    s->network.loss = 0.1;
    s->network.duplicate = 0.1;
    s->network.reorder = 0.1;
    s->network.corrupt = 0.05;
    s->disks = good_disk("exponential(1ms)");
    s->setup.disks = &s->disks;
    s->processing = law("exponential(500us)");
    s->setup.processing = &s->processing;
    s->setup.trace_table = -1;
}

enum { STRIKE = DLAB_EVENT_MODEL };

/* One fault begins or ends; the event says which. */
static int strike(void *arg, dlab_world *w, const dlab_event *e)
{
    const uint32_t peer = (e->node + 1) % CROWD;
    (void)arg;
    switch (e->a) {
    case 0: return dlab_world_pause(w, e->node);
    case 1: return dlab_world_wake(w, e->node);
    case 2: return dlab_world_crash(w, e->node, (int32_t)(e->time % 4));
    case 3: return dlab_world_restart(w, e->node);
    case 4: dlab_net_cut(&w->net, e->node, peer, 1); return DLAB_OK;
    case 5: dlab_net_cut(&w->net, e->node, peer, -1); return DLAB_OK;
    case 6: dlab_net_clog(&w->net, peer, e->node, 1); return DLAB_OK;
    default: dlab_net_clog(&w->net, peer, e->node, -1); return dlab_world_unclog(w, peer, e->node);
    }
}

static void plan_strikes(stage *s)
{
    dlab_rng rng;
    dlab_rng_open(&rng, s->ctx.key, DLAB_PURPOSE_FAULT, 0);
    for (int k = 0; k < 40; k++) {
        const uint64_t kind = 2 * dlab_rng_below(&rng, 4);
        const uint32_t i = (uint32_t)dlab_rng_below(&rng, CROWD);
        const int64_t at = (int64_t)dlab_rng_below(&rng, 200000000),
                      lasts = (int64_t)dlab_rng_below(&rng, 30000000);
        assert_int_equal(dlab_world_at(&s->world, at, STRIKE, i, kind, 0), DLAB_OK);
        assert_int_equal(dlab_world_at(&s->world, at + lasts, STRIKE, i, kind + 1, 0), DLAB_OK);
    }
}

static void nothing_leaves_the_books(void **state)
{
    (void)state;
    for (uint64_t key = 0; key < 40; key++) {
        stage s;
        crowd_stage(&s, key);
        s.setup.on_event = strike;
        open_stage(&s);
        plan_strikes(&s);
        int taken;
        while ((taken = dlab_world_step(&s.world, 250000000)) == 1) conserves(&s);
        assert_int_equal(taken, 0);
        assert_true(s.world.net.delivered > 100 && s.world.net.lost > 20 && s.world.net.duplicated > 5);
        close_stage(&s);
    }
}

static void a_recorded_run_replays(void **state)
{
    (void)state;
    for (uint64_t key = 0; key < 20; key++) {
        dlab_memory memory = { 0 };
        dlab_choices choices = { .memory = &memory };
        dlab_chooser recorder = { .record = &choices };
        stage drawn, again;
        crowd_stage(&drawn, key);
        drawn.setup.on_event = strike;
        drawn.ctx.chooser = &recorder;
        open_stage(&drawn);
        plan_strikes(&drawn);
        run_to(&drawn, 0.25);
        assert_int_equal(dlab_world_finish(&drawn.world), DLAB_OK);

        dlab_replay replay;
        dlab_replay_open(&replay, dlab_choices_list(&choices), choices.list.count);
        crowd_stage(&again, key);
        again.setup.on_event = strike;
        again.ctx.chooser = &replay.base;
        open_stage(&again);
        plan_strikes(&again);
        while (replay.next < replay.count) assert_int_equal(dlab_world_step(&again.world, INT64_MAX), 1);
        assert_int_equal(dlab_world_finish(&again.world), DLAB_OK);
        assert_int_equal(replay.skipped, 0);
        assert_int_equal(again.world.events, drawn.world.events);
        assert_true(again.ctx.fingerprint == drawn.ctx.fingerprint);
        for (uint32_t i = 0; i < CROWD; i++)
            assert_memory_equal(dlab_world_state(&again.world, i), dlab_world_state(&drawn.world, i),
                                drawn.world.stride);
        close_stage(&drawn);
        close_stage(&again);
        dlab_choices_free(&choices);
    }
}

/* Shrinking is deleting: with any entries gone the list still is a run. */
static void a_list_with_holes_still_runs(void **state)
{
    dlab_memory memory = { 0 };
    dlab_choices choices = { .memory = &memory };
    dlab_chooser recorder = { .record = &choices };
    stage s;
    (void)state;
    crowd_stage(&s, 3);
    s.ctx.chooser = &recorder;
    open_stage(&s);
    run_to(&s, 0.05);
    close_stage(&s);
    for (size_t every = 2; every < 9; every++) {
        static dlab_choice list[1 << 14];
        size_t n = 0;
        dlab_replay replay;
        for (size_t k = 0; k < choices.list.count; k++)
            if (k % every != 0) list[n++] = dlab_choices_list(&choices)[k];
        dlab_replay_open(&replay, list, n);
        crowd_stage(&s, 3);
        s.ctx.chooser = &replay.base;
        open_stage(&s);
        for (size_t k = 0; k < n && replay.next < n; k++)
            assert_int_equal(dlab_world_step(&s.world, INT64_MAX), 1);
        assert_true(replay.skipped < n);
        conserves(&s);
        close_stage(&s);
    }
    dlab_choices_free(&choices);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (uint64_t nth = 1;; nth++) {
        stage s;
        crowd_stage(&s, 1);
        s.memory.fail_at = nth;
        int code = dlab_world_open(&s.world, &s.setup, &s.ctx);
        if (code == DLAB_OK) code = dlab_world_run(&s.world, 50000000, false);
        if (code == DLAB_OK) code = dlab_world_finish(&s.world);
        const bool failed = s.memory.allocations >= nth;
        assert_int_equal(code, failed ? DLAB_ENOMEM : DLAB_OK);
        close_stage(&s);
        if (!failed) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asked_and_answered),
        cmocka_unit_test(what_follows_a_write_waits_for_the_disk),
        cmocka_unit_test(a_crash_loses_exactly_what_was_not_synced),
        cmocka_unit_test(a_pause_ends_in_the_past),
        cmocka_unit_test(the_first_step_after_a_pause_reads_an_old_clock),
        cmocka_unit_test(timers_run_on_the_clock_of_their_node),
        cmocka_unit_test(a_clogged_link_holds_and_releases),
        cmocka_unit_test(a_broken_promise_is_a_result_with_a_witness),
        cmocka_unit_test(a_busy_node_is_a_queue),
        cmocka_unit_test(nothing_leaves_the_books),
        cmocka_unit_test(a_recorded_run_replays),
        cmocka_unit_test(a_list_with_holes_still_runs),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
