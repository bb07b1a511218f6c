/* Remote calls told as stories: the four worlds behind one timeout, what retries, keys and brokers make of
 * them, the planted bugs, and a broker that loses what it must not lose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "links/rpc.h"
#include "rpc_lab.h"
#include "stage.h"

enum { TRACE };

/* --- Stories */

/* The trace of a run as text, lanes and setting of timers left out. */
static void tell(const params *p, const char *expected)
{
    static char text[1 << 15];
    size_t used = 0;
    outcome o = run_rows(&(dlab_sweep){ .threads = 1, .wanted = 1 }, &dlab_links_rpc_ambiguity, p, 1, 1);
    if (o.err.code) fail_msg("%s", o.err.text);
    const dlab_buffer *rows = &o.sweep.outputs[TRACE].rows;
    dlab_record *records = malloc(rows->count * sizeof *records);
    uint16_t roles[3];
    for (size_t k = 0; k < rows->count; k++)
        assert_int_equal(
            dlab_record_from_row((const dlab_trace_row *)(const void *)rows->rows + k, &records[k], NULL),
            DLAB_OK);
    dlab_trace_roles(records, rows->count, roles, 3);
    text[0] = '\0';
    for (size_t k = 0; k < rows->count; k++) {
        const dlab_record *r = &records[k];
        if (r->type == DLAB_TRACE_SET || r->type == DLAB_TRACE_CANCEL || r->type == DLAB_TRACE_STATE ||
            r->type == DLAB_TRACE_START)
            continue;
        used += (size_t)dlab_record_format(&dlab_rpc_schema, roles, 3, r, text + used, sizeof text - used);
        text[used++] = '\n';
        text[used] = '\0';
    }
    if (strcmp(text, expected) != 0) {
        printf("but it was\n%s\n", text);
        fail_msg("another story than\n%s", expected);
    }
    free(records);
    drop(&o);
}

/* To the client all four are the same 200 ms of silence. */
static void four_worlds_behind_one_timeout(void **state)
{
    (void)state;
    params p = quiet_call();
    p.request_loss = 1;
    tell(&p, "[    0.000 ms] client 0 is asked call (number 0, ticket 1)\n"
             "[    0.000 ms] client 0 > request to 1 (call 0, attempt 1)\n"
             "[    0.000 ms] client 0 x request to 1 (attempt 1): loss\n"
             "[  200.000 ms] client 0 timeout timer fires\n"
             "[  200.000 ms] client 0 answers timeout (call 0, attempts 1, ticket 1)\n");
    p = quiet_call();
    p.reply_loss = 1;
    tell(&p, "[    0.000 ms] client 0 is asked call (number 0, ticket 1)\n"
             "[    0.000 ms] client 0 > request to 1 (call 0, attempt 1)\n"
             "[    1.000 ms] server 1 < request from 0 (call 0, attempt 1)\n"
             "[   11.000 ms] server 1 service timer fires\n"
             "[   11.000 ms] server 1 applies operation (call 0)\n"
             "[   11.000 ms] server 1 > reply to 0 (call 0, attempt 1)\n"
             "[   11.000 ms] server 1 x reply to 0 (attempt 1): loss\n"
             "[  200.000 ms] client 0 timeout timer fires\n"
             "[  200.000 ms] client 0 answers timeout (call 0, attempts 1, ticket 1)\n");
    p = quiet_call();
    p.crash_before = 1;
    tell(&p, "[    0.000 ms] client 0 is asked call (number 0, ticket 1)\n"
             "[    0.000 ms] client 0 > request to 1 (call 0, attempt 1)\n"
             "[    1.000 ms] server 1 < request from 0 (call 0, attempt 1)\n"
             "[    1.000 ms] server 1 crashes (disk kept)\n"
             "[  101.000 ms] server 1 restarts (disk kept)\n"
             "[  200.000 ms] client 0 timeout timer fires\n"
             "[  200.000 ms] client 0 answers timeout (call 0, attempts 1, ticket 1)\n");
    p = quiet_call();
    p.crash_after = 1;
    tell(&p, "[    0.000 ms] client 0 is asked call (number 0, ticket 1)\n"
             "[    0.000 ms] client 0 > request to 1 (call 0, attempt 1)\n"
             "[    1.000 ms] server 1 < request from 0 (call 0, attempt 1)\n"
             "[   11.000 ms] server 1 service timer fires\n"
             "[   11.000 ms] server 1 applies operation (call 0)\n"
             "[   11.000 ms] server 1 crashes (disk kept)\n"
             "[  111.000 ms] server 1 restarts (disk kept)\n"
             "[  200.000 ms] client 0 timeout timer fires\n"
             "[  200.000 ms] client 0 answers timeout (call 0, attempts 1, ticket 1)\n");
}

/* A reset tells the client that the server died, not whether it had done its work. */
static void a_reset_is_as_ambiguous_as_silence(void **state)
{
    (void)state;
    params p = quiet_call();
    p.crash_after = 1;
    p.crash_visible = true;
    tell(&p, "[    0.000 ms] client 0 is asked call (number 0, ticket 1)\n"
             "[    0.000 ms] client 0 > request to 1 (call 0, attempt 1)\n"
             "[    1.000 ms] server 1 < request from 0 (call 0, attempt 1)\n"
             "[   11.000 ms] server 1 service timer fires\n"
             "[   11.000 ms] server 1 applies operation (call 0)\n"
             "[   11.000 ms] server 1 > reset to 0\n"
             "[   11.000 ms] server 1 crashes (disk kept)\n"
             "[   12.000 ms] client 0 < reset from 1\n"
             "[   12.000 ms] client 0 answers error (call 0, attempts 1, ticket 1)\n"
             "[  111.000 ms] server 1 restarts (disk kept)\n");
}

static void a_key_answers_a_retry_from_memory(void **state)
{
    (void)state;
    params p = quiet_call();
    p.reply_loss = 1;
    p.retries = 1;
    p.backoff = constant(50e-3);
    p.dedup = DLAB_LINKS_RPC_AMBIGUITY_DEDUP_KEY;
    tell(&p, "[    0.000 ms] client 0 is asked call (number 0, ticket 1)\n"
             "[    0.000 ms] client 0 > keyed request to 1 (call 0, attempt 1)\n"
             "[    1.000 ms] server 1 < keyed request from 0 (call 0, attempt 1)\n"
             "[   11.000 ms] server 1 service timer fires\n"
             "[   11.000 ms] server 1 writes 8 bytes\n"
             "[   11.000 ms] server 1 applies operation (call 0)\n"
             "[   11.000 ms] server 1 > reply to 0 (call 0, attempt 1)\n"
             "[   11.000 ms] server 1 x reply to 0 (attempt 1): loss\n"
             "[  200.000 ms] client 0 timeout timer fires\n"
             "[  250.000 ms] client 0 backoff timer fires\n"
             "[  250.000 ms] client 0 > keyed request to 1 (call 0, attempt 2)\n"
             "[  251.000 ms] server 1 < keyed request from 0 (call 0, attempt 2)\n"
             "[  251.000 ms] server 1 notes key is known (call 0)\n"
             "[  251.000 ms] server 1 > reply to 0 (call 0, attempt 2)\n"
             "[  251.000 ms] server 1 x reply to 0 (attempt 2): loss\n"
             "[  450.000 ms] client 0 timeout timer fires\n"
             "[  450.000 ms] client 0 answers timeout (call 0, attempts 2, ticket 1)\n");
}

/* The hand-over and the acknowledgement are ambiguous now: the call times out though the broker has it, and
 * is executed twice though it was done the first time. */
static void a_queue_moves_the_question(void **state)
{
    (void)state;
    params p = quiet_call();
    p.medium = DLAB_LINKS_RPC_AMBIGUITY_MEDIUM_QUEUE;
    p.reply_loss = 1;
    p.max_deliveries = 2;
    tell(&p, "[    0.000 ms] client 0 is asked call (number 0, ticket 1)\n"
             "[    0.000 ms] client 0 > request to 1 (call 0, attempt 1)\n"
             "[    1.000 ms] broker 1 < request from 0 (call 0, attempt 1)\n"
             "[    1.000 ms] broker 1 writes 32 bytes\n"
             "[    1.000 ms] broker 1 > accepted to 0 (call 0, attempt 1)\n"
             "[    1.000 ms] broker 1 x accepted to 0 (attempt 1): loss\n"
             "[    1.000 ms] broker 1 > delivery to 2 (call 0, position 0)\n"
             "[    2.000 ms] worker 2 < delivery from 1 (call 0, position 0)\n"
             "[   12.000 ms] worker 2 service timer fires\n"
             "[   12.000 ms] worker 2 applies operation (call 0)\n"
             "[   12.000 ms] worker 2 > ack to 1 (call 0, position 0)\n"
             "[   12.000 ms] worker 2 x ack to 1 (position 0): loss\n"
             "[  200.000 ms] client 0 timeout timer fires\n"
             "[  200.000 ms] client 0 answers timeout (call 0, attempts 1, ticket 1)\n"
             "[ 1001.000 ms] broker 1 visibility timer fires\n"
             "[ 1001.000 ms] broker 1 > delivery to 2 (call 0, position 0)\n"
             "[ 1002.000 ms] worker 2 < delivery from 1 (call 0, position 0)\n"
             "[ 1012.000 ms] worker 2 service timer fires\n"
             "[ 1012.000 ms] worker 2 applies operation (call 0)\n"
             "[ 1012.000 ms] worker 2 > ack to 1 (call 0, position 0)\n"
             "[ 1012.000 ms] worker 2 x ack to 1 (position 0): loss\n"
             "[ 2001.000 ms] broker 1 visibility timer fires\n"
             "[ 2001.000 ms] broker 1 writes 8 bytes\n"
             "[ 2001.000 ms] broker 1 applies dead letter (call 0)\n");
}

/* The same with a log: the worker knows the position, the lost acknowledgement does no harm. */
static void a_log_remembers_a_position(void **state)
{
    (void)state;
    params p = quiet_call();
    p.medium = DLAB_LINKS_RPC_AMBIGUITY_MEDIUM_LOG;
    p.reply_loss = 1;
    p.max_deliveries = 2;
    tell(&p, "[    0.000 ms] client 0 is asked call (number 0, ticket 1)\n"
             "[    0.000 ms] client 0 > request to 1 (call 0, attempt 1)\n"
             "[    1.000 ms] broker 1 < request from 0 (call 0, attempt 1)\n"
             "[    1.000 ms] broker 1 writes 32 bytes\n"
             "[    1.000 ms] broker 1 > accepted to 0 (call 0, attempt 1)\n"
             "[    1.000 ms] broker 1 x accepted to 0 (attempt 1): loss\n"
             "[    1.000 ms] broker 1 > delivery to 2 (call 0, position 0)\n"
             "[    2.000 ms] worker 2 < delivery from 1 (call 0, position 0)\n"
             "[   12.000 ms] worker 2 service timer fires\n"
             "[   12.000 ms] worker 2 applies operation (call 0)\n"
             "[   12.000 ms] worker 2 > ack to 1 (call 0, position 0)\n"
             "[   12.000 ms] worker 2 x ack to 1 (position 0): loss\n"
             "[  200.000 ms] client 0 timeout timer fires\n"
             "[  200.000 ms] client 0 answers timeout (call 0, attempts 1, ticket 1)\n"
             "[ 1001.000 ms] broker 1 visibility timer fires\n"
             "[ 1001.000 ms] broker 1 > delivery to 2 (call 0, position 0)\n"
             "[ 1002.000 ms] worker 2 < delivery from 1 (call 0, position 0)\n"
             "[ 1002.000 ms] worker 2 notes position passed (call 0)\n"
             "[ 1002.000 ms] worker 2 > ack to 1 (call 0, position 0)\n"
             "[ 1002.000 ms] worker 2 x ack to 1 (position 0): loss\n"
             "[ 2001.000 ms] broker 1 visibility timer fires\n"
             "[ 2001.000 ms] broker 1 writes 8 bytes\n"
             "[ 2001.000 ms] broker 1 applies dead letter (call 0)\n");
}

/* The planted bug: the client has been told ok when the server dies with the work undone. */
static void a_promise_is_broken(void **state)
{
    (void)state;
    params p = quiet_call();
    p.crash_before = 1;
    p.bug = DLAB_LINKS_RPC_AMBIGUITY_BUG_REPLY_BEFORE_EXECUTE;
    tell(&p, "[    0.000 ms] client 0 is asked call (number 0, ticket 1)\n"
             "[    0.000 ms] client 0 > request to 1 (call 0, attempt 1)\n"
             "[    1.000 ms] server 1 < request from 0 (call 0, attempt 1)\n"
             "[    1.000 ms] server 1 > reply to 0 (call 0, attempt 1)\n"
             "[    1.000 ms] server 1 crashes (disk kept)\n"
             "[    2.000 ms] client 0 < reply from 1 (call 0, attempt 1)\n"
             "[    2.000 ms] client 0 answers ok (call 0, attempts 1, ticket 1)\n"
             "[    2.000 ms] BROKEN: ok_means_executed\n"
             "[  101.000 ms] server 1 restarts (disk kept)\n");
}

/* The other one: a retry without its key is carried out again, though the key is known. */
static void a_key_is_forgotten(void **state)
{
    (void)state;
    params p = quiet_call();
    p.reply_loss = 1;
    p.retries = 1;
    p.backoff = constant(50e-3);
    p.dedup = DLAB_LINKS_RPC_AMBIGUITY_DEDUP_KEY;
    p.bug = DLAB_LINKS_RPC_AMBIGUITY_BUG_RETRY_WITHOUT_KEY;
    tell(&p, "[    0.000 ms] client 0 is asked call (number 0, ticket 1)\n"
             "[    0.000 ms] client 0 > keyed request to 1 (call 0, attempt 1)\n"
             "[    1.000 ms] server 1 < keyed request from 0 (call 0, attempt 1)\n"
             "[   11.000 ms] server 1 service timer fires\n"
             "[   11.000 ms] server 1 writes 8 bytes\n"
             "[   11.000 ms] server 1 applies operation (call 0)\n"
             "[   11.000 ms] server 1 > reply to 0 (call 0, attempt 1)\n"
             "[   11.000 ms] server 1 x reply to 0 (attempt 1): loss\n"
             "[  200.000 ms] client 0 timeout timer fires\n"
             "[  250.000 ms] client 0 backoff timer fires\n"
             "[  250.000 ms] client 0 > request to 1 (call 0, attempt 2)\n"
             "[  251.000 ms] server 1 < request from 0 (call 0, attempt 2)\n"
             "[  261.000 ms] server 1 service timer fires\n"
             "[  261.000 ms] server 1 applies operation (call 0)\n"
             "[  261.000 ms] server 1 > reply to 0 (call 0, attempt 2)\n"
             "[  261.000 ms] server 1 x reply to 0 (attempt 2): loss\n"
             "[  261.000 ms] BROKEN: key_means_once\n"
             "[  450.000 ms] client 0 timeout timer fires\n"
             "[  450.000 ms] client 0 answers timeout (call 0, attempts 2, ticket 1)\n");
}

/* --- The core on a stage of its own */

static dlab_rpc small(int32_t medium)
{
    dlab_rpc rpc = { .calls = 2,
                     .attempts = 1,
                     .deliveries = 10,
                     .medium = medium,
                     .timeout = 200000000,
                     .visibility = 1000000000,
                     .backoff_factor = 1 };
    const dlab_distribution zero = constant(0);
    dlab_memory memory = { 0 };
    dlab_arena arena = { .memory = &memory };
    assert_int_equal(dlab_sampler_init(&rpc.service, &zero, NULL, 0, &arena, NULL), DLAB_OK);
    rpc.restart = rpc.backoff = rpc.service;
    return rpc;
}

/* What a broker has confirmed survives it: it is delivered after the restart, though the first delivery met a
 * worker that was down. */
static void a_broker_keeps_what_it_has_confirmed(void **state)
{
    dlab_rpc rpc = small(DLAB_RPC_MEDIUM_QUEUE);
    dlab_core core;
    stage s;
    (void)state;
    dlab_rpc_open(&rpc, &core);
    set_stage(&s, core, "1ms", 1);
    open_stage(&s);
    assert_int_equal(dlab_world_crash(&s.world, 2, DLAB_KEEP_SYNCED), DLAB_OK);
    assert_int_equal(dlab_world_request(&s.world, 0, 0, 1, DLAB_RPC_ASK_CALL, 0, 0), DLAB_OK);
    run_to(&s, 0.1);
    assert_int_equal(dlab_world_crash(&s.world, 1, DLAB_KEEP_SYNCED), DLAB_OK);
    run_to(&s, 0.2);
    assert_int_equal(dlab_world_restart(&s.world, 2), DLAB_OK);
    assert_int_equal(dlab_world_restart(&s.world, 1), DLAB_OK);
    run_to(&s, 10);
    tells(&s, "[    0.000 ms] client 0 starts\n"
              "[    0.000 ms] broker 1 starts\n"
              "[    0.000 ms] worker 2 starts\n"
              "[    0.000 ms] worker 2 crashes (disk kept)\n"
              "[    0.000 ms] client 0 is asked call (number 0, ticket 1)\n"
              "[    0.000 ms] client 0 > request to 1 (call 0, attempt 1)\n"
              "[    1.000 ms] broker 1 < request from 0 (call 0, attempt 1)\n"
              "[    1.000 ms] broker 1 writes 32 bytes\n"
              "[    1.000 ms] broker 1 > accepted to 0 (call 0, attempt 1)\n"
              "[    1.000 ms] broker 1 > delivery to 2 (call 0, position 0)\n"
              "[    2.000 ms] client 0 < accepted from 1 (call 0, attempt 1)\n"
              "[    2.000 ms] client 0 answers ok (call 0, attempts 1, ticket 1)\n"
              "[    2.000 ms] broker 1 x delivery to 2 (position 0): node down\n"
              "[  100.000 ms] broker 1 crashes (disk kept)\n"
              "[  200.000 ms] worker 2 restarts (disk kept)\n"
              "[  200.000 ms] broker 1 restarts (disk kept)\n"
              "[  200.000 ms] broker 1 > delivery to 2 (call 0, position 0)\n"
              "[  201.000 ms] worker 2 < delivery from 1 (call 0, position 0)\n"
              "[  201.000 ms] worker 2 service timer fires\n"
              "[  201.000 ms] worker 2 applies operation (call 0)\n"
              "[  201.000 ms] worker 2 > ack to 1 (call 0, position 0)\n"
              "[  202.000 ms] broker 1 < ack from 2 (call 0, position 0)\n"
              "[  202.000 ms] broker 1 writes 8 bytes\n");
    assert_int_equal(s.world.broken, -1);
    conserves(&s);
    close_stage(&s);
}

/* A broker whose disk was lost has broken its promise, and the invariant says so. */
static void a_broker_without_its_disk_is_found_out(void **state)
{
    dlab_rpc rpc = small(DLAB_RPC_MEDIUM_LOG);
    dlab_core core;
    stage s;
    (void)state;
    dlab_rpc_open(&rpc, &core);
    set_stage(&s, core, "1ms", 1);
    open_stage(&s);
    assert_int_equal(dlab_world_crash(&s.world, 2, DLAB_KEEP_SYNCED), DLAB_OK);
    assert_int_equal(dlab_world_request(&s.world, 0, 0, 1, DLAB_RPC_ASK_CALL, 0, 0), DLAB_OK);
    run_to(&s, 0.1);
    assert_int_equal(s.world.broken, -1);
    assert_int_equal(dlab_world_crash(&s.world, 1, DLAB_KEEP_NOTHING), DLAB_OK);
    assert_int_equal(dlab_world_restart(&s.world, 1), DLAB_OK);
    assert_int_equal(dlab_world_request(&s.world, 0, 1000000000, 2, DLAB_RPC_ASK_CALL, 1, 0), DLAB_OK);
    run_to(&s, 1.0005);
    assert_int_equal(s.world.broken, DLAB_RPC_INVARIANT_OK_MEANS_EXECUTED);
    close_stage(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_worlds_behind_one_timeout),
        cmocka_unit_test(a_reset_is_as_ambiguous_as_silence),
        cmocka_unit_test(a_key_answers_a_retry_from_memory),
        cmocka_unit_test(a_queue_moves_the_question),
        cmocka_unit_test(a_log_remembers_a_position),
        cmocka_unit_test(a_promise_is_broken),
        cmocka_unit_test(a_key_is_forgotten),
        cmocka_unit_test(a_broker_keeps_what_it_has_confirmed),
        cmocka_unit_test(a_broker_without_its_disk_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
