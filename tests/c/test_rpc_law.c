/* The law of a call, four ways: every way the coins of the model can fall, every pattern of bits played
 * naively (rpc_lab.h), the closed forms, and simulation. Scopes and counts are printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rpc_lab.h"

static const char *const media[] = { "call", "queue", "log" };

static void same_law(const call_law *a, const call_law *b, const char *what, const params *p)
{
    const long double *x = (const long double *)(const void *)a, *y = (const long double *)(const void *)b;
    for (int k = 0; k < LAW_NUMBERS; k++)
        if (!(fabsl(x[k] - y[k]) <= 1e-12L))
            fail_msg(
                "%s: number %d of the law is %.15Lg against %.15Lg (medium %s, retries %d, deliveries %d, "
                "dedup %d, durable %d, visible %d, before %d)",
                what, k, x[k], y[k], media[p->medium], (int)p->retries, (int)p->max_deliveries, p->dedup,
                p->dedup_durable, p->crash_visible, p->ack);
}

static params troubled(int32_t medium, int64_t retries)
{
    params p = quiet_call();
    p.medium = medium;
    p.retries = retries;
    p.request_loss = 0.1;
    p.reply_loss = 0.2;
    p.crash_before = 0.05;
    p.crash_after = 0.07;
    return p;
}

typedef struct tally {
    size_t scopes, ways, with_theory;
} tally;

/* Enumeration against brute force, and against theory where there is one. */
static void try_scope(const params *p, tally *t)
{
    call_law walked, played, known;
    size_t ways = 0;
    dlab_error err = { 0 };
    if (enumerate_call(p, &walked, &ways, &err)) fail_msg("%s", err.text);
    brute_force(p, &played);
    assert_true(fabsl(walked.weight - 1) <= 1e-12);
    assert_true(walked.violations == 0);
    same_law(&walked, &played, "enumeration against brute force", p);
    t->scopes++;
    t->ways += ways;
    if (!theory_of(p, &known)) return;
    same_law(&walked, &known, "enumeration against theory", p);
    t->with_theory++;
}

static void a_direct_call_has_its_law(void **state)
{
    tally t = { 0 };
    (void)state;
    for (int retries = 0; retries <= 3; retries++)
        for (int dedup = 0; dedup < 2; dedup++)
            for (int durable = 0; durable < 2; durable++)
                for (int visible = 0; visible < 2; visible++) {
                    params p = troubled(DLAB_LINKS_RPC_AMBIGUITY_MEDIUM_CALL, retries);
                    p.dedup = dedup;
                    p.dedup_durable = durable;
                    p.crash_visible = visible;
                    try_scope(&p, &t);
                }
    print_message("call: %zu scopes, %zu ways the coins can fall\n", t.scopes, t.ways);
    assert_int_equal(t.with_theory, t.scopes);
}

/* A key that outlives the call is a key; one that dies between two attempts is none. */
static void a_key_that_expires_is_a_key_or_none(void **state)
{
    (void)state;
    for (int retries = 0; retries <= 3; retries++)
        for (int k = 0; k < 2; k++) {
            call_law expiring, other, known;
            size_t ways;
            dlab_error err = { 0 };
            params p = troubled(DLAB_LINKS_RPC_AMBIGUITY_MEDIUM_CALL, retries);
            p.dedup = DLAB_LINKS_RPC_AMBIGUITY_DEDUP_KEY_TTL;
            p.dedup_ttl = k == 0 ? 60 : 0.05;
            assert_int_equal(enumerate_call(&p, &expiring, &ways, &err), DLAB_OK);
            assert_true(theory_of(&p, &known));
            same_law(&expiring, &known, "expiring keys against theory", &p);
            p.dedup = k == 0 ? DLAB_LINKS_RPC_AMBIGUITY_DEDUP_KEY : DLAB_LINKS_RPC_AMBIGUITY_DEDUP_NONE;
            assert_int_equal(enumerate_call(&p, &other, &ways, &err), DLAB_OK);
            same_law(&expiring, &other, "expiring keys", &p);
        }
}

static void brokered_calls_have_their_law(void **state)
{
    static const int sizes[][2] = { { 0, 1 }, { 0, 3 }, { 1, 2 }, { 2, 1 } }; /* retries, deliveries */
    tally t = { 0 };
    (void)state;
    for (size_t size = 0; size < sizeof sizes / sizeof sizes[0]; size++)
        for (int medium = 1; medium < 3; medium++)
            for (int dedup = 0; dedup < 2; dedup++)
                for (int before = 0; before < 2; before++)
                    for (int way = 0; way < 4; way++) { /* visible crashes, volatile keys */
                        params p = troubled(medium, sizes[size][0]);
                        p.max_deliveries = sizes[size][1];
                        p.dedup = dedup;
                        p.ack = before;
                        p.crash_visible = way & 1;
                        p.dedup_durable = !(way & 2);
                        /* What one message does to another is no matter of patterns: a dead worker
                         * cannot be reached, a new connection delivers everything again. */
                        if (p.retries > 0 && (way != 0 || (medium == 2 && before))) continue;
                        try_scope(&p, &t);
                    }
    print_message("queue and log: %zu scopes, %zu ways; theory knows %zu\n", t.scopes, t.ways, t.with_theory);
    assert_true(t.with_theory >= t.scopes / 3);
}

/* Without crashes the theory of retries through a broker is exact as well. */
static void brokered_retries_without_crashes_have_a_theory(void **state)
{
    tally t = { 0 };
    (void)state;
    for (int size = 0; size < 2; size++)
        for (int medium = 1; medium < 3; medium++)
            for (int dedup = 0; dedup < 2; dedup++)
                for (int before = 0; before < 2; before++) {
                    params p = troubled(medium, size == 0 ? 1 : 2);
                    p.max_deliveries = size == 0 ? 2 : 1;
                    p.crash_before = p.crash_after = 0;
                    p.dedup = dedup;
                    p.ack = before;
                    try_scope(&p, &t);
                }
    assert_int_equal(t.with_theory, t.scopes);
}

/* The formulas people quote, written out once more. */
static void textbook_formulas_come_out(void **state)
{
    static const double losses[] = { 0.001, 0.01, 0.1, 0.2, 0.5 };
    (void)state;
    for (int medium = 0; medium < 3; medium++)
        for (size_t k = 0; k < sizeof losses / sizeof losses[0]; k++) {
            const double loss = losses[k];
            call_law known;
            params p = quiet_call();
            p.medium = medium;
            p.request_loss = p.reply_loss = loss;
            assert_true(theory_of(&p, &known));
            const double given = (1 - loss) * loss / (1 - (1 - loss) * (1 - loss));
            assert_true(fabsl(known.executed_and_timeout / known.timeout - given) < 1e-12);
            assert_true(fabsl(known.ok - (1 - loss) * (1 - loss)) < 1e-12);
            const double fails = 1 - (1 - loss) * (1 - loss);
            p.retries = 9;
            assert_true(theory_of(&p, &known));
            assert_true(fabsl(known.ok - (1 - pow(fails, 10))) < 1e-12);
            assert_true(fabsl(known.attempts - (1 - pow(fails, 10)) / (1 - fails)) < 1e-11);
            if (medium > 0) continue;
            assert_true(fabsl(known.executions - known.attempts * (1 - loss)) < 1e-11);
            assert_true(fabsl(known.lost - pow(loss, 10)) < 1e-12);
        }
}

/* Crashes only: a message behind a broker is executed 1 / ((1 - a)(1 - q)) times, a record of a log, whose
 * lost acknowledgements do no harm, 1 / (1 - a) times. */
static void the_ambiguity_moves_to_the_acknowledgement(void **state)
{
    (void)state;
    for (int medium = 1; medium < 3; medium++) {
        call_law known;
        params p = troubled(medium, 0);
        p.max_deliveries = 1000;
        p.calls = 100;
        assert_true(theory_of(&p, &known));
        const double again = 1 / (1 - p.crash_after) / (medium == 1 ? 1 - p.reply_loss : 1);
        assert_true(fabsl(known.executions - (1 - p.request_loss) * again) < 1e-12);
        assert_true(fabsl(known.duplicated - (1 - p.request_loss) * (1 - 1 / again)) < 1e-12);
        assert_true(fabsl(known.lost - p.request_loss) < 1e-12);
        /* The client's own coin toss is where it was. */
        const double timeout = 1 - (1 - p.request_loss) * (1 - p.reply_loss);
        assert_true(fabsl(known.timeout - timeout) < 1e-12);
        assert_true(fabsl(known.executed_and_timeout - (1 - p.request_loss) * p.reply_loss) < 1e-12);
    }
}

/* Is a share of `n` calls within four standard errors of what theory says? */
static void near(const dlab_ratio *r, long double is, const char *what)
{
    const double p = (double)is, se = sqrt(p * (1 - p) / r->den);
    if (!(fabs(r->num / r->den - p) <= 4 * se + 1e-12))
        fail_msg("%s: %g of %g calls, theory says %g", what, r->num, r->den, p);
}

static void add(dlab_ratio *to, const dlab_ratio *r) { to->num += r->num, to->den += r->den; }

static void simulate(const params *p)
{
    enum { REPS = 20 };
    call_law known;
    metrics all;
    outcome o = run_rows(&(dlab_sweep){ .threads = 1 }, &dlab_links_rpc_ambiguity, p, 1, REPS);
    if (o.err.code) fail_msg("%s", o.err.text);
    assert_true(theory_of(p, &known));
    memset(&all, 0, sizeof all);
    for (size_t rep = 0; rep < REPS; rep++) {
        const metrics *m = metrics_row(&o, rep);
        add(&all.success_ratio, &m->success_ratio);
        add(&all.error_ratio, &m->error_ratio);
        add(&all.lost, &m->lost);
        add(&all.duplicated, &m->duplicated);
        add(&all.executed_given_timeout, &m->executed_given_timeout);
        add(&all.executed_given_error, &m->executed_given_error);
        assert_int_equal(m->violations, 0);
    }
    near(&all.success_ratio, known.ok, "ok");
    near(&all.error_ratio, known.error, "error");
    near(&all.lost, known.lost, "lost");
    near(&all.duplicated, known.duplicated, "duplicated");
    near(&all.executed_given_timeout, known.executed_and_timeout / known.timeout, "executed given timeout");
    if (known.error > 0)
        near(&all.executed_given_error, known.executed_and_error / known.error, "executed given error");
    drop(&o);
}

static void simulation_agrees_with_theory(void **state)
{
    (void)state;
    for (int medium = 0; medium < 3; medium++)
        for (int retries = 0; retries <= 2; retries += 2)
            for (int dedup = 0; dedup < 2; dedup++)
                for (int visible = 0; visible < 2; visible++) {
                    params p = troubled(medium, retries);
                    p.calls = medium == 0 ? 1000 : 300;
                    p.dedup = dedup;
                    p.crash_visible = visible;
                    p.delay = (dlab_distribution){ .kind = DLAB_DIST_EXPONENTIAL, .p = { 0.5e-3 } };
                    p.service = (dlab_distribution){ .kind = DLAB_DIST_EXPONENTIAL, .p = { 2e-3 } };
                    p.backoff = (dlab_distribution){ .kind = DLAB_DIST_UNIFORM, .p = { 0.12, 0.3 } };
                    simulate(&p);
                }
}

/* Where attempts may overlap there is no theory, and it says so. */
static void theory_is_silent_where_it_does_not_hold(void **state)
{
    call_law known;
    (void)state;
    params p = troubled(DLAB_LINKS_RPC_AMBIGUITY_MEDIUM_CALL, 2);
    assert_true(theory_of(&p, &known));
    p.timeout = 0.011;
    assert_false(theory_of(&p, &known));
    p = troubled(DLAB_LINKS_RPC_AMBIGUITY_MEDIUM_CALL, 2);
    p.restart = constant(5);
    assert_false(theory_of(&p, &known));
    p.crash_before = p.crash_after = 0;
    assert_true(theory_of(&p, &known));
    p.faults.count = 1;
    assert_false(theory_of(&p, &known));
    p = troubled(DLAB_LINKS_RPC_AMBIGUITY_MEDIUM_QUEUE, 0);
    p.visibility = 0.01;
    assert_false(theory_of(&p, &known));
    p = troubled(DLAB_LINKS_RPC_AMBIGUITY_MEDIUM_CALL, 2);
    p.dedup = DLAB_LINKS_RPC_AMBIGUITY_DEDUP_KEY_TTL;
    p.dedup_ttl = 0.5;
    assert_false(theory_of(&p, &known));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_direct_call_has_its_law),
        cmocka_unit_test(a_key_that_expires_is_a_key_or_none),
        cmocka_unit_test(brokered_calls_have_their_law),
        cmocka_unit_test(brokered_retries_without_crashes_have_a_theory),
        cmocka_unit_test(textbook_formulas_come_out),
        cmocka_unit_test(the_ambiguity_moves_to_the_acknowledgement),
        cmocka_unit_test(simulation_agrees_with_theory),
        cmocka_unit_test(theory_is_silent_where_it_does_not_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
