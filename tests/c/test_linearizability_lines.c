/* Queues and stacks decided without search. Three witnesses: every order of histories of up to seven
 * operations tried; the search itself on larger ones; and, on histories of thousands of operations, the
 * published bad patterns of queues looked for pair by pair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#define ITEMS_MAX 4096
#include "oracle.h"

enum { SMALL_HISTORIES = 20000, LARGE = 2000 };
static const int32_t lines[] = { DLAB_SPECIFICATION_QUEUE, DLAB_SPECIFICATION_STACK };
static const char *const names[] = { "queue", "stack" };

/* Intervals and answers at random, whatever may become of them: up to seven operations, each value put in
 * once, answers drawn from values put in, nothing, or unknown. */
static void draw_any(dlab_history *h, dlab_rng *rng, bool queue)
{
    dlab_operation ops[SMALL_OPS];
    uint32_t place[SMALL_OPS] = { 0 };
    int64_t values = 0, taken = 0;
    const size_t n = 3 + dlab_rng_below(rng, SMALL_OPS - 2);
    const uint64_t width = 2 + dlab_rng_below(rng, 6), crashes = 2 + dlab_rng_below(rng, 8);
    for (size_t k = 0; k < n; k++) {
        const bool puts = k == 0 || dlab_rng_below(rng, 2) == 0;
        const int64_t call = (int64_t)(100 * k + dlab_rng_below(rng, 400));
        ops[k] = (dlab_operation){ .process = (int64_t)k, .call = call, .outcome = DLAB_HISTORY_OK };
        ops[k].ret = call + 1 + (int64_t)dlab_rng_below(rng, 100 * width);
        ops[k].key = dlab_int(0);
        ops[k].argument = ops[k].result = dlab_nil();
        ops[k].f = queue ? (puts ? DLAB_F_ENQUEUE : DLAB_F_DEQUEUE) : puts ? DLAB_F_PUSH : DLAB_F_POP;
        if (puts) ops[k].argument = dlab_int(++values);
    }
    /* what is taken: mostly each value once, in a drawn order */
    int64_t row[SMALL_OPS];
    for (int64_t v = 0; v < values; v++) {
        const int64_t at = (int64_t)dlab_rng_below(rng, (uint64_t)v + 1);
        row[v] = row[at];
        row[at] = v + 1;
    }
    for (size_t k = 0; k < n; k++) {
        const bool puts = ops[k].argument.kind != DLAB_VALUE_NIL;
        if (dlab_rng_below(rng, crashes) == 0) {
            ops[k].outcome = DLAB_HISTORY_INFO;
            ops[k].ret = DLAB_NEVER;
        } else if (!puts && taken < values && dlab_rng_below(rng, 4) > 0) {
            ops[k].result = dlab_int(row[taken]);
            taken += dlab_rng_below(rng, 30) > 0;
        }
    }
    for (size_t round = 0; round < n; round++) { /* in the order of their calls */
        size_t first = n;
        for (size_t k = 0; k < n; k++)
            if (!place[k] && (first == n || ops[k].call < ops[first].call)) first = k;
        place[first] = 1;
        assert_int_equal(dlab_history_operation_add(h, &ops[first], NULL), DLAB_OK);
    }
    assert_int_equal(dlab_history_complete(h, NULL), DLAB_OK);
}

static int32_t judge(dlab_memory *m, const dlab_history *h, const dlab_check_options *o, dlab_check_result *r)
{
    dlab_error err = { 0 };
    if (dlab_check_history(h, o, m, r, &err)) fail_msg("%s", err.text);
    return r->verdict;
}

/* A legal order, replayed on the naive objects. */
static void check_order(const dlab_history *h, const dlab_check_options *o, const dlab_check_result *r)
{
    static world w;
    const size_t n = dlab_history_count(h);
    bool *placed = calloc(n, sizeof *placed);
    uint32_t latest = 0;
    w = world_new(o->specification);
    for (size_t k = 0; k < r->order_count; k++) {
        const dlab_operation *op = dlab_history_at(h, r->order[k]);
        const int known = knowledge_of(op, o->fail_semantics);
        assert_false(placed[r->order[k]]);
        if (known != OPEN) assert_true(op->returned > latest);
        if (op->called > latest) latest = op->called;
        assert_true(apply(h, o->specification, &w, op, known));
        placed[r->order[k]] = true;
    }
    for (size_t i = 0; i < n; i++)
        assert_true(placed[i] || dlab_history_at(h, i)->outcome != DLAB_HISTORY_OK);
    free(placed);
}

static void small_ones_are_judged_as_defined(void **state)
{
    (void)state;
    for (int line = 0; line < 2; line++) {
        dlab_rng rng;
        size_t yes = 0, searched = 0;
        dlab_rng_open(&rng, 31, DLAB_PURPOSE_SAMPLE, (uint64_t)line);
        for (size_t k = 0; k < SMALL_HISTORIES; k++) {
            dlab_memory memory = { 0 };
            dlab_history h;
            dlab_check_result r;
            const dlab_check_options o = { .specification = lines[line], .order = true };
            assert_int_equal(dlab_history_open(&h, &memory, NULL), DLAB_OK);
            draw_any(&h, &rng, line == 0);
            const bool expected = oracle(&h, &o, DLAB_NO_EVENT, NULL);
            const int32_t verdict = judge(&memory, &h, &o, &r);
            if (verdict != (expected ? DLAB_VERDICT_YES : DLAB_VERDICT_NO))
                fail_msg("%s, history %zu: %d, expected %d", names[line], k, verdict, expected);
            if (expected) check_order(&h, &o, &r);
            yes += expected;
            searched += r.states > 0;
            dlab_check_result_free(&r);
            dlab_history_close(&h);
        }
        print_message("%s: %zu of %d have a legal order, %zu left to the search\n", names[line], yes,
                      SMALL_HISTORIES, searched);
        assert_true(yes > SMALL_HISTORIES / 5 && yes < SMALL_HISTORIES * 4 / 5);
        assert_true(line == 0 ? searched == 0 : searched < SMALL_HISTORIES / 200);
    }
}

typedef struct made {
    dlab_memory memory;
    dlab_history h;
    uint64_t planted;
} made;

static void make(made *m, int line, int64_t ops, int64_t clients, double crash, double bug, uint64_t seed)
{
    const dlab_generator g = { .kind = line == 0 ? DLAB_GENERATOR_QUEUE : DLAB_GENERATOR_STACK,
                               .ops = ops,
                               .clients = clients,
                               .keys = 1,
                               .read_fraction = 0.4 + 0.05 * (double)(seed % 4),
                               .crash_rate = crash,
                               .bug_rate = bug };
    dlab_rng rng;
    dlab_error err = { 0 };
    *m = (made){ 0 };
    dlab_rng_open(&rng, seed, DLAB_PURPOSE_SAMPLE, (uint64_t)line);
    if (dlab_history_open(&m->h, &m->memory, &err) ||
        dlab_generate_history(&g, &rng, &m->h, &m->planted, &err))
        fail_msg("%s", err.text);
}

/* What was shrunk from a failing history, as the history stood at the end of its window: by the search. */
static int32_t judge_shrunk(const made *m, const dlab_check_options *o, const dlab_check_result *r)
{
    const uint32_t end = dlab_history_at(&m->h, r->stuck)->returned;
    const dlab_check_options by_search = { .specification = o->specification,
                                           .fail_semantics = o->fail_semantics,
                                           .switched_off = DLAB_PRUNE_LINES,
                                           .states_max = 300000 };
    dlab_memory memory = { 0 };
    dlab_history part = m->h;
    dlab_check_result own;
    part.operations = (dlab_buffer){ .row_size = sizeof(dlab_operation) };
    for (size_t i = 0; i < dlab_history_count(&m->h); i++) {
        dlab_operation op = *dlab_history_at(&m->h, i);
        bool keep = false;
        for (size_t k = 0; k < r->shrunk_count && !keep; k++) keep = r->shrunk[k] == i;
        if (!keep) continue;
        if (op.returned != DLAB_NO_EVENT && op.returned > end) {
            op.outcome = DLAB_HISTORY_INFO;
            op.returned = DLAB_NO_EVENT;
            op.result = dlab_nil();
        }
        assert_int_equal(dlab_buffer_push(&part.operations, &memory, &op, 1, NULL), DLAB_OK);
    }
    const int32_t verdict = judge(&memory, &part, &by_search, &own);
    dlab_check_result_free(&own);
    dlab_buffer_free(&part.operations, &memory);
    assert_int_equal(memory.used, 0);
    return verdict;
}

/* Some dozens of operations: with and without search the same; thousands: a yes comes with an order that
 * is replayed, a no with a small part that the search refuses as well. */
static void larger_ones_have_proofs(void **state)
{
    static const struct {
        int64_t ops, clients;
        int seeds;
        double crash, bug;
    } sizes[] = { { 16, 3, 120, 0.1, 0.05 }, { 40, 3, 60, 0.05, 0.02 },     { 300, 8, 24, 0.02, 0.004 },
                  { 2000, 5, 16, 0, 0.001 }, { 2000, 20, 16, 0.01, 0.001 }, { 10000, 20, 6, 0.01, 0.0002 } };
    (void)state;
    for (int line = 0; line < 2; line++)
        for (size_t size = 0; size < sizeof sizes / sizeof sizes[0]; size++) {
            int count[3] = { 0 }, compared = 0;
            for (int seed = 0; seed < sizes[size].seeds; seed++) {
                dlab_check_options o = { .specification = lines[line],
                                         .fail_semantics = DLAB_FAIL_MISMATCH,
                                         .order = true,
                                         .explain = true,
                                         .shrink = true,
                                         .states_max = 3000 };
                dlab_check_result r;
                made m;
                make(&m, line, sizes[size].ops, sizes[size].clients, sizes[size].crash,
                     seed % 2 ? sizes[size].bug : 0, 500 + (uint64_t)seed);
                const int32_t verdict = judge(&m.memory, &m.h, &o, &r);
                count[verdict]++;
                if (line == 0) assert_int_not_equal(verdict, DLAB_VERDICT_UNKNOWN);
                if (m.planted == 0) assert_int_not_equal(verdict, DLAB_VERDICT_NO);
                if (verdict == DLAB_VERDICT_YES) check_order(&m.h, &o, &r);
                if (verdict == DLAB_VERDICT_NO) assert_int_equal(judge_shrunk(&m, &o, &r), DLAB_VERDICT_NO);
                dlab_check_result_free(&r);
                o.switched_off = DLAB_PRUNE_LINES;
                o.explain = o.shrink = false;
                const int32_t searched = judge(&m.memory, &m.h, &o, &r);
                if (searched != DLAB_VERDICT_UNKNOWN && verdict != DLAB_VERDICT_UNKNOWN) {
                    assert_int_equal(searched, verdict);
                    compared++;
                }
                dlab_check_result_free(&r);
                dlab_history_close(&m.h);
                assert_int_equal(m.memory.used, 0);
            }
            print_message("%s, %d operations: yes %d, no %d, left to the search %d; search agrees %d times\n",
                          names[line], (int)sizes[size].ops, count[0], count[1], count[2], compared);
            assert_true(count[DLAB_VERDICT_NO] > 0);
            assert_true(count[DLAB_VERDICT_YES] >= sizes[size].seeds / 2);
            if (sizes[size].ops <= 40) assert_true(compared > sizes[size].seeds * 3 / 4);
        }
}

/* The published bad patterns of a queue where every operation is answered, each value is put in once and
 * nothing is ever found empty: a value taken that nobody put in yet, one taken twice, and two put in one
 * after the other of which the second alone, or the second first, was taken. */
static bool has_bad_pattern(const dlab_history *h)
{
    const size_t n = dlab_history_count(h);
    const dlab_operation **take = calloc(n + 2, sizeof *take);
    bool bad = false;
    for (size_t i = 0; i < n; i++) {
        const dlab_operation *op = dlab_history_at(h, i);
        if (op->f != DLAB_F_DEQUEUE || op->result.kind == DLAB_VALUE_NIL) continue;
        bad |= take[op->result.number] != NULL;
        take[op->result.number] = op;
    }
    for (size_t x = 0; x < n && !bad; x++) {
        const dlab_operation *a = dlab_history_at(h, x);
        if (a->f != DLAB_F_ENQUEUE) continue;
        const dlab_operation *ta = take[a->argument.number];
        bad = ta != NULL && ta->returned < a->called;
        for (size_t y = 0; y < n && !bad; y++) {
            const dlab_operation *b = dlab_history_at(h, y);
            if (b->f != DLAB_F_ENQUEUE || a->returned > b->called) continue;
            const dlab_operation *tb = take[b->argument.number];
            bad = tb != NULL && (ta == NULL || tb->returned < ta->called);
        }
    }
    free(take);
    return bad;
}

static void queues_agree_with_the_patterns(void **state)
{
    int no = 0, yes = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        const dlab_check_options o = { .specification = DLAB_SPECIFICATION_QUEUE };
        dlab_check_result r;
        made m;
        make(&m, 0, LARGE, 8, 0, seed % 3 ? 0.0005 : 0, 2 + 4 * seed); /* half of them dequeues */
        dlab_operation *ops = (dlab_operation *)(void *)m.h.operations.rows;
        size_t kept = 0;
        for (size_t i = 0; i < m.h.operations.count; i++)
            if (ops[i].f == DLAB_F_ENQUEUE || ops[i].result.kind != DLAB_VALUE_NIL) ops[kept++] = ops[i];
        m.h.operations.count = kept; /* who found nothing is left out */
        const int32_t verdict = judge(&m.memory, &m.h, &o, &r);
        assert_int_equal(verdict, has_bad_pattern(&m.h) ? DLAB_VERDICT_NO : DLAB_VERDICT_YES);
        assert_int_equal(r.states, 0);
        no += verdict == DLAB_VERDICT_NO;
        yes += verdict == DLAB_VERDICT_YES;
        dlab_check_result_free(&r);
        dlab_history_close(&m.h);
    }
    print_message("%d with a bad pattern, %d without\n", no, yes);
    assert_true(no >= 10 && yes >= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_ones_are_judged_as_defined),
        cmocka_unit_test(larger_ones_have_proofs),
        cmocka_unit_test(queues_agree_with_the_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
