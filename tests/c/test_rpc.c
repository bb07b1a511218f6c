/* Remote calls told as stories: the four worlds behind one timeout, what retries, keys and brokers make of
 * them, and the planted bugs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "links/rpc.h"
#include "rpc_lab.h"
#include "stage.h"

enum { TRACE, CALLS };

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

/* --- Planted bugs */

/* Both are caught in every way that matters, with the probability they must have; without them no pattern
 * breaks a promise. */
static void planted_bugs_break_promises(void **state)
{
    call_law l;
    size_t ways;
    (void)state;
    for (int medium = 0; medium < 3; medium++) {
        params p = quiet_call();
        p.medium = medium;
        p.max_deliveries = 1;
        p.request_loss = 0.1;
        p.reply_loss = 0.2;
        p.crash_before = 0.3;
        p.bug = DLAB_LINKS_RPC_AMBIGUITY_BUG_REPLY_BEFORE_EXECUTE;
        assert_int_equal(enumerate_call(&p, &l, &ways, NULL), DLAB_OK);
        /* Told ok, and the server, or a worker whose acknowledgement was heard, died before its work. */
        const double broken = 0.9 * 0.8 * 0.3 * (medium == 0 ? 1 : 0.9 * 0.8);
        assert_true(fabsl(l.violations - broken) < 1e-12L);
        p.bug = DLAB_LINKS_RPC_AMBIGUITY_BUG_NONE;
        assert_int_equal(enumerate_call(&p, &l, &ways, NULL), DLAB_OK);
        assert_true(l.violations == 0);

        p = quiet_call();
        p.medium = medium;
        p.max_deliveries = 1;
        p.retries = 1;
        p.reply_loss = 0.2;
        p.dedup = DLAB_LINKS_RPC_AMBIGUITY_DEDUP_KEY;
        p.bug = DLAB_LINKS_RPC_AMBIGUITY_BUG_RETRY_WITHOUT_KEY;
        assert_int_equal(enumerate_call(&p, &l, &ways, NULL), DLAB_OK);
        assert_true(fabsl(l.violations - 0.2L) < 1e-12L);
        p.bug = DLAB_LINKS_RPC_AMBIGUITY_BUG_NONE;
        assert_int_equal(enumerate_call(&p, &l, &ways, NULL), DLAB_OK);
        assert_true(l.violations == 0);
    }
}

/* --- Books */

static params busy(int32_t medium)
{
    params p = quiet_call();
    p.calls = 200;
    p.medium = medium;
    p.retries = 2;
    p.request_loss = p.reply_loss = 0.1;
    p.crash_before = p.crash_after = 0.05;
    p.delay = (dlab_distribution){ .kind = DLAB_DIST_EXPONENTIAL, .p = { 1e-3 } };
    return p;
}

/* What a run left behind: the choices, when they are named by events, replay to the same run. */
static void a_recorded_run_replays(void **state)
{
    (void)state;
    for (int medium = 0; medium < 3; medium++) {
        const params p = busy(medium);
        const dlab_model *m = &dlab_links_rpc_ambiguity;
        dlab_memory memory = { 0 };
        dlab_choices choices = { .memory = &memory };
        uint64_t drawn = 0, again = 0;
        int n;
        outcome o =
            run_rows(&(dlab_sweep){ .threads = 1, .record = &choices, .fingerprints = &drawn }, m, &p, 1, 1);
        assert_int_equal(o.err.code, DLAB_OK);
        assert_true(choices.list.count > 1000 && !choices.incomplete);
        dlab_replay replay;
        dlab_replay_open(&replay, dlab_choices_list(&choices), choices.list.count);
        outcome r = run_rows(&(dlab_sweep){ .threads = 1, .chooser = &replay.base, .fingerprints = &again },
                             m, &p, 1, 1);
        if (r.err.code) fail_msg("%s", r.err.text);
        assert_int_equal(replay.skipped, 0);
        assert_int_equal(replay.next, choices.list.count);
        assert_true(drawn == again && drawn != 0);
        double *a = all_columns(&o, &n), *b = all_columns(&r, &n);
        assert_memory_equal(a, b, (size_t)n * sizeof *a);
        free(a);
        free(b);
        drop(&o);
        drop(&r);
        dlab_choices_free(&choices);
    }
}

/* The table of calls adds up to the metrics. */
static void the_table_of_calls_agrees_with_the_metrics(void **state)
{
    (void)state;
    for (int medium = 0; medium < 3; medium++) {
        const params p = busy(medium);
        outcome o = run_rows(&(dlab_sweep){ .threads = 1, .wanted = 1u << CALLS }, &dlab_links_rpc_ambiguity,
                             &p, 1, 1);
        const dlab_buffer *table = &o.sweep.outputs[CALLS].rows;
        const dlab_links_rpc_ambiguity_calls_row *row = (const void *)table->rows;
        const metrics *m = metrics_row(&o, 0);
        double executions = 0, attempts = 0, executed = 0, timeouts = 0, free_at = 0;
        assert_int_equal(table->count, p.calls);
        for (int64_t k = 0; k < p.calls; k++) {
            assert_int_equal(row[k].id, k);
            assert_true(row[k].start >= free_at && row[k].end >= row[k].start);
            assert_true(row[k].outcome == DLAB_RPC_OUTCOME_TIMEOUT || row[k].outcome == DLAB_RPC_OUTCOME_OK);
            free_at = row[k].end;
            executions += (double)row[k].executions;
            attempts += (double)row[k].attempts;
            timeouts += row[k].outcome == DLAB_RPC_OUTCOME_TIMEOUT;
            executed += row[k].outcome == DLAB_RPC_OUTCOME_TIMEOUT && row[k].executions > 0;
        }
        assert_true(executions == dlab_histogram_sum(&m->executions));
        assert_true(attempts == dlab_histogram_sum(&m->attempts));
        assert_true(executed == m->executed_given_timeout.num && timeouts == m->executed_given_timeout.den);
        assert_true(timeouts > 0);
        drop(&o);
    }
}

/* A slow server does the work of every attempt, long after the client has given up, and all of it counts. */
static void late_executions_count(void **state)
{
    (void)state;
    for (int dedup = 0; dedup < 2; dedup++) {
        params p = quiet_call();
        p.calls = 5;
        p.service = constant(10);
        p.retries = 3;
        p.dedup = dedup;
        outcome o = run_rows(&(dlab_sweep){ .threads = 1 }, &dlab_links_rpc_ambiguity, &p, 1, 1);
        const metrics *m = metrics_row(&o, 0);
        assert_true(m->timeout_ratio.num == 5 && m->executed_given_timeout.num == 5);
        assert_true(dlab_histogram_sum(&m->executions) == (dedup ? 5 : 20));
        drop(&o);
    }
}

/* A server whose room is full refuses: an error that means what it says. */
static void a_full_server_refuses(void **state)
{
    (void)state;
    for (int medium = 0; medium < 3; medium++) {
        params p = quiet_call();
        p.calls = DLAB_RPC_ROOM_MAX + 76;
        p.medium = medium;
        p.think_time = constant(0);
        p.service = constant(100);
        p.timeout = 10e-3;
        p.visibility = 1e6;
        outcome o = run_rows(&(dlab_sweep){ .threads = 1 }, &dlab_links_rpc_ambiguity, &p, 1, 1);
        if (o.err.code) fail_msg("%s", o.err.text);
        const metrics *m = metrics_row(&o, 0);
        assert_true(m->error_ratio.num == 76 && m->executed_given_error.num == 0);
        assert_true(m->lost.num == 76 && m->duplicated.num == 0);
        assert_int_equal(m->violations, 0);
        drop(&o);
    }
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
        cmocka_unit_test(planted_bugs_break_promises),
        cmocka_unit_test(a_recorded_run_replays),
        cmocka_unit_test(the_table_of_calls_agrees_with_the_metrics),
        cmocka_unit_test(late_executions_count),
        cmocka_unit_test(a_full_server_refuses),
        cmocka_unit_test(a_broker_keeps_what_it_has_confirmed),
        cmocka_unit_test(a_broker_without_its_disk_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
