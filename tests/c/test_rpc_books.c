/* Remote calls: planted bugs break promises with the probability they must, runs replay, and the books of a
 * run add up, also where calls are late or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "links/rpc.h"
#include "rpc_lab.h"

enum { CALLS = 1 };

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

/* 200 ms of waiting three times; between them 50 ms, then twice as long. */
static void backoffs_grow(void **state)
{
    (void)state;
    params p = quiet_call();
    p.request_loss = 1;
    p.retries = 2;
    p.backoff = constant(50e-3);
    outcome o =
        run_rows(&(dlab_sweep){ .threads = 1, .wanted = 1u << CALLS }, &dlab_links_rpc_ambiguity, &p, 1, 1);
    const dlab_links_rpc_ambiguity_calls_row *row = (const void *)o.sweep.outputs[CALLS].rows.rows;
    assert_true(row->start == 0 && row->end == 0.75 && row->attempts == 3);
    drop(&o);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_bugs_break_promises),
        cmocka_unit_test(a_recorded_run_replays),
        cmocka_unit_test(the_table_of_calls_agrees_with_the_metrics),
        cmocka_unit_test(backoffs_grow),
        cmocka_unit_test(late_executions_count),
        cmocka_unit_test(a_full_server_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
