/* The world, told as stories: who did what, when and why. A small protocol (a client that asks a server to
 * add, again until it is answered) runs through losses, slow disks, crashes, pauses and wrong clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stage.h"

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

static const adder_state *node(const stage *s, uint32_t i) { return dlab_world_state(&s->world, i); }

/* --- Stories */

static void asked_and_answered(void **state)
{
    const adder a = { .repeat = 10000000, .asks = 2 };
    stage s;
    (void)state;
    set_stage(&s, core_of(&a), "1ms", 1);
    open_stage(&s);
    run_to(&s, 1);
    tells(&s, "[    0.000 ms] client 0 starts\n"
              "[    0.000 ms] client 0 > add to 1 (key 1)\n"
              "[    0.000 ms] server 1 starts\n"
              "[    1.000 ms] server 1 < add from 0 (key 1)\n"
              "[    1.000 ms] server 1 > added to 0 (key 1, total 1)\n"
              "[    1.000 ms] server 1 applies added (key 1, total 1)\n"
              "[    2.000 ms] client 0 < added from 1 (key 1, total 1)\n"
              "[    2.000 ms] client 0 > add to 1 (key 2)\n"
              "[    3.000 ms] server 1 < add from 0 (key 2)\n"
              "[    3.000 ms] server 1 > added to 0 (key 2, total 2)\n"
              "[    3.000 ms] server 1 applies added (key 2, total 2)\n"
              "[    4.000 ms] client 0 < added from 1 (key 2, total 2)\n");
    conserves(&s);
    close_stage(&s);
}

/* The reply leaves when the total is durable, 5 ms later; a crash before that loses the addition. */
static void slow_disk(stage *s, const adder *a, const char *fsync)
{
    set_stage(s, core_of(a), "1ms", 1);
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
    tells(&s, "[    0.000 ms] client 0 starts\n"
              "[    0.000 ms] client 0 > add to 1 (key 1)\n"
              "[    0.000 ms] server 1 starts\n"
              "[    1.000 ms] server 1 < add from 0 (key 1)\n"
              "[    1.000 ms] server 1 writes 8 bytes (ticket 1)\n"
              "[    6.000 ms] server 1 disk ok (ticket 1)\n"
              "[    6.000 ms] server 1 > added to 0 (key 1, total 1)\n"
              "[    6.000 ms] server 1 applies added (key 1, total 1)\n"
              "[    7.000 ms] client 0 < added from 1 (key 1, total 1)\n");
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
    tells(&s, "[    0.000 ms] client 0 starts\n"
              "[    0.000 ms] client 0 > add to 1 (key 1)\n"
              "[    0.000 ms] server 1 starts\n"
              "[    1.000 ms] server 1 < add from 0 (key 1)\n"
              "[    1.000 ms] server 1 writes 8 bytes (ticket 1)\n"
              "[    6.000 ms] server 1 disk ok (ticket 1)\n"
              "[    6.000 ms] server 1 > added to 0 (key 1, total 1)\n"
              "[    6.000 ms] server 1 applies added (key 1, total 1)\n"
              "[    7.000 ms] client 0 < added from 1 (key 1, total 1)\n"
              "[    7.000 ms] client 0 > add to 1 (key 2)\n"
              "[    8.000 ms] server 1 < add from 0 (key 2)\n"
              "[    8.000 ms] server 1 writes 8 bytes (ticket 2)\n"
              "[    8.500 ms] server 1 crashes (disk kept)\n"
              "[   27.000 ms] client 0 again timer fires\n"
              "[   27.000 ms] client 0 > add to 1 (key 2)\n"
              "[   28.000 ms] client 0 x add to 1: node down\n"
              "[   30.000 ms] server 1 restarts (disk kept)\n"
              "[   47.000 ms] client 0 again timer fires\n"
              "[   47.000 ms] client 0 > add to 1 (key 2)\n"
              "[   48.000 ms] server 1 < add from 0 (key 2)\n"
              "[   48.000 ms] server 1 writes 8 bytes (ticket 2)\n"
              "[   53.000 ms] server 1 disk ok (ticket 2)\n"
              "[   53.000 ms] server 1 > added to 0 (key 2, total 2)\n"
              "[   53.000 ms] server 1 applies added (key 2, total 2)\n"
              "[   54.000 ms] client 0 < added from 1 (key 2, total 2)\n");
    conserves(&s);
    close_stage(&s);
}

/* A paused node keeps its packets, and steps the first of them at the time it believed. */
static void a_pause_ends_in_the_past(void **state)
{
    const adder a = { .repeat = 4000000, .asks = 1 };
    stage s;
    (void)state;
    set_stage(&s, core_of(&a), "1ms", 1);
    open_stage(&s);
    run_to(&s, 0.0005);
    assert_int_equal(dlab_world_pause(&s.world, 1), DLAB_OK);
    run_to(&s, 0.0100);
    assert_int_equal(s.world.net.in_flight, 3); /* sent at 0, 4 and 8 ms */
    assert_int_equal(dlab_world_wake(&s.world, 1), DLAB_OK);
    assert_int_equal(node(&s, 1)->total, 3);
    assert_int_equal(node(&s, 1)->stepped_at, 10000000); /* the last one; the first was at 0.5 ms */
    run_to(&s, 1);
    tells(&s, "[    0.000 ms] client 0 starts\n"
              "[    0.000 ms] client 0 > add to 1 (key 1)\n"
              "[    0.000 ms] server 1 starts\n"
              "[    0.500 ms] server 1 pauses\n"
              "[    4.000 ms] client 0 again timer fires\n"
              "[    4.000 ms] client 0 > add to 1 (key 1)\n"
              "[    8.000 ms] client 0 again timer fires\n"
              "[    8.000 ms] client 0 > add to 1 (key 1)\n"
              "[   10.000 ms] server 1 wakes\n"
              "[   10.000 ms] server 1 < add from 0 (key 1)\n"
              "[   10.000 ms] server 1 > added to 0 (key 1, total 1)\n"
              "[   10.000 ms] server 1 applies added (key 1, total 1)\n"
              "[   10.000 ms] server 1 < add from 0 (key 1)\n"
              "[   10.000 ms] server 1 > added to 0 (key 1, total 2)\n"
              "[   10.000 ms] server 1 applies added (key 1, total 2)\n"
              "[   10.000 ms] server 1 < add from 0 (key 1)\n"
              "[   10.000 ms] server 1 > added to 0 (key 1, total 3)\n"
              "[   10.000 ms] server 1 applies added (key 1, total 3)\n"
              "[   11.000 ms] client 0 < added from 1 (key 1, total 1)\n"
              "[   11.000 ms] client 0 < added from 1 (key 1, total 2)\n"
              "[   11.000 ms] client 0 < added from 1 (key 1, total 3)\n");
    conserves(&s);
    close_stage(&s);
}

static void the_first_step_after_a_pause_reads_an_old_clock(void **state)
{
    const adder a = { .repeat = 40000000, .asks = 1 };
    stage s;
    (void)state;
    set_stage(&s, core_of(&a), "1ms", 1);
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
    set_stage(&s, core_of(&a), "10ms", 1);
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
    set_stage(&s, core_of(&a), "1ms", 1);
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
    set_stage(&s, core_of(&a), "1ms", 1);
    open_stage(&s);
    assert_int_equal(dlab_world_run(&s.world, 1000000000, true), DLAB_OK);
    assert_int_equal(s.world.broken, 0);
    assert_int_equal(s.world.broken_time, 5000000);
    tells(&s, "[    0.000 ms] client 0 starts\n"
              "[    0.000 ms] client 0 > add to 1 (key 1)\n"
              "[    0.000 ms] server 1 starts\n"
              "[    1.000 ms] server 1 < add from 0 (key 1)\n"
              "[    1.000 ms] server 1 > added to 0 (key 1, total 1)\n"
              "[    1.000 ms] server 1 applies added (key 1, total 1)\n"
              "[    2.000 ms] client 0 < added from 1 (key 1, total 1)\n"
              "[    2.000 ms] client 0 > add to 1 (key 2)\n"
              "[    3.000 ms] server 1 < add from 0 (key 2)\n"
              "[    3.000 ms] server 1 > added to 0 (key 2, total 2)\n"
              "[    3.000 ms] server 1 applies added (key 2, total 2)\n"
              "[    4.000 ms] client 0 < added from 1 (key 2, total 2)\n"
              "[    4.000 ms] client 0 > add to 1 (key 3)\n"
              "[    5.000 ms] server 1 < add from 0 (key 3)\n"
              "[    5.000 ms] server 1 > added to 0 (key 3, total 3)\n"
              "[    5.000 ms] server 1 applies added (key 3, total 3)\n"
              "[    5.000 ms] BROKEN: never above two\n");
    close_stage(&s);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
