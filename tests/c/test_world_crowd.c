/* The world against second witnesses: a busy node is a queue; a crowd of nodes that send to whom they like,
 * struck by faults at random, loses nothing from the books; a recorded run replays to the same events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stage.h"

enum { ADD = 0, ADDED = 1, AGAIN = 0 };

/* Durable are the first eight bytes. */
typedef struct counter {
    uint64_t total;
} counter;

/* A node that takes an exponential time for each request, asked by a Poisson process, is M/M/1: the mean
 * time in it is 1 / (mu - lambda) = 20 ms (load 0.5), with the variance of Daley's correlated sojourns. */
typedef struct sojourns {
    int64_t asked[1 << 16];
    double sum, batches[64];
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

static void answer(const dlab_core *core, uint32_t i, void *state, const dlab_input *in, dlab_outputs *out)
{
    (void)core;
    (void)i;
    (void)state;
    if (in->kind == DLAB_ON_REQUEST) dlab_reply(out, in->ticket, 0, 0, 0);
}

static void a_busy_node_is_a_queue(void **state)
{
    const dlab_core server = {
        .name = "server", .nodes = 1, .outputs_max = 1, .state_bytes = 8, .step = answer
    };
    sojourns *seen = calloc(1, sizeof *seen);
    stage s;
    dlab_rng rng;
    int64_t at = 0;
    (void)state;
    assert_non_null(seen);
    set_stage(&s, server, "1ms", 7);
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
        assert_int_equal(dlab_world_request(&s.world, 0, at, k, 0, 0, 0), DLAB_OK);
    }
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
    counter *s = state;
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
    const dlab_core crowd = { .name = "crowd",
                              .nodes = CROWD,
                              .timers = 1,
                              .state_bytes = sizeof(counter),
                              .durable = 8,
                              .outputs_max = 4,
                              .body_max = 8,
                              .bytes_max = 8,
                              .step = crowd_step };
    set_stage(s, crowd, "exponential(3ms)", key);
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
        cmocka_unit_test(a_busy_node_is_a_queue),    cmocka_unit_test(nothing_leaves_the_books),
        cmocka_unit_test(a_recorded_run_replays),    cmocka_unit_test(a_list_with_holes_still_runs),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
