/* The checker on histories too large for trying every order: each way to search less switched off alone
 * gives the same verdict, good histories pass, orders found are legal, failing windows are shortest,
 * budgets give `unknown`, more than 64 clients and more than 64 crashed operations work, and known
 * histories are judged as published. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#define ITEMS_MAX 4096
#include "oracle.h"

static const char *const names[] = {
#define X(code, name) name,
    DLAB_GENERATORS(X)
#undef X
};
static const int32_t specification_of[] = {
#define X(code, name) DLAB_SPECIFICATION_##code,
    DLAB_GENERATORS(X)
#undef X
};
enum { GENERATORS = sizeof names / sizeof names[0], BUDGET = 300000 };

typedef struct bench {
    dlab_memory memory;
    dlab_history h;
    dlab_check_result r;
    uint64_t planted;
} bench;

static void make(bench *b, const dlab_generator *g, uint64_t seed)
{
    dlab_rng rng;
    dlab_error err = { 0 };
    *b = (bench){ 0 };
    dlab_rng_open(&rng, seed, DLAB_PURPOSE_SAMPLE, (uint64_t)g->kind);
    if (dlab_history_open(&b->h, &b->memory, &err) ||
        dlab_generate_history(g, &rng, &b->h, &b->planted, &err))
        fail_msg("%s", err.text);
}

static int32_t judge(bench *b, const dlab_check_options *o)
{
    dlab_error err = { 0 };
    dlab_check_result_free(&b->r);
    if (dlab_check_history(&b->h, o, &b->memory, &b->r, &err)) fail_msg("%s", err.text);
    return b->r.verdict;
}

static void drop(bench *b)
{
    dlab_check_result_free(&b->r);
    dlab_history_close(&b->h);
    assert_int_equal(b->memory.used, 0);
}

/* A legal order of a good history, replayed on the naive objects. */
static void check_order(const bench *b, const dlab_check_options *o)
{
    static world w;
    const size_t n = dlab_history_count(&b->h);
    bool *placed = calloc(n, sizeof *placed);
    uint32_t latest = 0; /* the latest call so far: nobody may come later who was answered before it */
    w = world_new(o->specification);
    for (size_t k = 0; k < b->r.order_count; k++) {
        const dlab_operation *op = dlab_history_at(&b->h, b->r.order[k]);
        const int known = knowledge_of(op, o->fail_semantics);
        assert_false(placed[b->r.order[k]]);
        if (known != OPEN) assert_true(op->returned > latest);
        if (op->called > latest) latest = op->called;
        assert_true(apply(&b->h, o->specification, &w, op, known));
        placed[b->r.order[k]] = true;
    }
    for (size_t i = 0; i < n; i++)
        assert_true(placed[i] || dlab_history_at(&b->h, i)->outcome != DLAB_HISTORY_OK);
    free(placed);
}

/* Good and bad histories of some dozens of operations; every pruning off alone, then half of them at
 * random. */
static void prunings_change_the_work_only(void **state)
{
    (void)state;
    for (int32_t kind = 0; kind < GENERATORS; kind++) {
        size_t decided = 0, refused = 0;
        uint64_t with = 0, without = 0;
        for (uint64_t seed = 0; seed < 24; seed++) {
            const dlab_generator g = { .kind = kind,
                                       .ops = kind == DLAB_GENERATOR_QUEUE || kind == DLAB_GENERATOR_STACK
                                                  ? 16
                                                  : 36,
                                       .clients = 2 + (int64_t)seed % 4,
                                       .keys = 1 + (int64_t)seed % 2,
                                       .values = seed % 3 ? 3 : 0,
                                       .read_fraction = 0.5,
                                       .crash_rate = 0.05,
                                       .bug_rate = seed % 2 ? 0.04 : 0,
                                       .think = (double)(seed % 5) * 0.5 };
            dlab_check_options o = { .specification = specification_of[kind],
                                     .criterion = seed % 4 == 3,
                                     .fail_semantics = DLAB_FAIL_MISMATCH,
                                     .order = true,
                                     .states_max = BUDGET };
            bench b;
            make(&b, &g, seed);
            const int32_t expected = judge(&b, &o);
            with += b.r.states;
            assert_int_not_equal(expected, DLAB_VERDICT_UNKNOWN);
            if (b.planted == 0) assert_int_equal(expected, DLAB_VERDICT_YES);
            if (expected == DLAB_VERDICT_YES && o.criterion == 0) check_order(&b, &o);
            refused += expected == DLAB_VERDICT_NO;
            for (uint32_t off = 0; off < 11; off++) {
                o.switched_off = off < 9    ? 1u << off
                                 : off == 9 ? DLAB_PRUNE_ALL
                                            : (uint32_t)(seed * 37 % 512);
                const int32_t verdict = judge(&b, &o);
                without += b.r.states;
                if (verdict != expected && verdict != DLAB_VERDICT_UNKNOWN)
                    fail_msg("%s, seed %d: verdict %d, with %u off %d", names[kind], (int)seed, expected,
                             o.switched_off, verdict);
                decided += verdict != DLAB_VERDICT_UNKNOWN;
            }
            drop(&b);
        }
        print_message(
            "%s: %zu of 264 decided again, %zu of 24 refused; %llu states, %llu with something off\n",
            names[kind], decided, refused, (unsigned long long)with, (unsigned long long)without);
        assert_true(decided > 120);
        assert_true(refused > 0 && refused < 24);
        assert_true(without > with);
    }
}

/* The shortest failing beginning: it fails, and without its last answer it does not. */
static void windows_are_shortest(void **state)
{
    (void)state;
    size_t seen = 0;
    for (int32_t kind = 0; kind < GENERATORS; kind++)
        for (uint64_t seed = 0; seed < 12; seed++) {
            const dlab_generator g = { .kind = kind,
                                       .ops = 120,
                                       .clients = 3,
                                       .keys = 2,
                                       .values = seed % 2 ? 4 : 0,
                                       .read_fraction = 0.5,
                                       .bug_rate = 0.02 };
            const dlab_check_options o = { .specification = specification_of[kind],
                                           .fail_semantics = DLAB_FAIL_MISMATCH,
                                           .explain = true,
                                           .shrink = true,
                                           .states_max = BUDGET };
            const dlab_check_options plain = { .specification = o.specification,
                                               .fail_semantics = o.fail_semantics };
            bench b;
            make(&b, &g, 100 + seed);
            if (judge(&b, &o) != DLAB_VERDICT_NO) {
                drop(&b);
                continue;
            }
            const uint32_t end = dlab_history_at(&b.h, b.r.stuck)->returned;
            assert_true(b.r.window_count > 0 && b.r.shrunk_count > 0 && b.r.shrunk_count <= b.r.window_count);
            assert_true(b.r.pending_count > 0);
            for (int cut = 0; cut < 3; cut++) { /* the beginning, one answer less, the shrunk part */
                bench part = { 0 };
                bool *keep = calloc(dlab_history_count(&b.h), sizeof *keep);
                for (size_t k = 0; k < b.r.shrunk_count; k++) keep[b.r.shrunk[k]] = true;
                part.h = b.h;
                part.h.operations = (dlab_buffer){ .row_size = sizeof(dlab_operation) };
                for (size_t i = 0; i < dlab_history_count(&b.h); i++) {
                    dlab_operation op = *dlab_history_at(&b.h, i);
                    if (op.called > end || (cut == 2 && !keep[i])) continue;
                    if (op.returned != DLAB_NO_EVENT && op.returned > end - (cut == 1)) {
                        op.outcome = DLAB_HISTORY_INFO;
                        op.returned = DLAB_NO_EVENT;
                        op.result = dlab_nil();
                    }
                    assert_int_equal(dlab_buffer_push(&part.h.operations, &part.memory, &op, 1, NULL),
                                     DLAB_OK);
                }
                const int32_t verdict = judge(&part, &plain);
                if (verdict != (cut == 1 ? DLAB_VERDICT_YES : DLAB_VERDICT_NO))
                    fail_msg("%s, seed %d, cut %d: verdict %d", names[kind], (int)seed, cut, verdict);
                dlab_check_result_free(&part.r);
                dlab_buffer_free(&part.h.operations, &part.memory);
                free(keep);
            }
            seen++;
            drop(&b);
        }
    print_message("%zu failing windows\n", seen);
    assert_true(seen > 20);
}

/* Masks wider than 64 bits: more clients, and more crashed operations, than that. */
static void wide_windows_work(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++) {
        const dlab_generator g = { .kind = seed % 2 ? DLAB_GENERATOR_CAS_REGISTER : DLAB_GENERATOR_REGISTER,
                                   .ops = 600,
                                   .clients = 100,
                                   .keys = 1,
                                   .values = 5,
                                   .read_fraction = 0.6,
                                   .crash_rate = 0.3 };
        dlab_check_options o = { .specification = specification_of[g.kind],
                                 .fail_semantics = DLAB_FAIL_MISMATCH,
                                 .order = true,
                                 .switched_off = seed < 4 ? 0 : DLAB_PRUNE_OUTLOOK,
                                 .states_max = 10 * BUDGET };
        bench b;
        make(&b, &g, seed);
        const int32_t verdict = judge(&b, &o);
        if (seed < 4) assert_int_equal(verdict, DLAB_VERDICT_YES);
        assert_int_not_equal(verdict, DLAB_VERDICT_NO);
        assert_true(b.r.window > 64);
        if (verdict == DLAB_VERDICT_YES) check_order(&b, &o);
        drop(&b);
    }
}

static bool stop_at_once(void *arg, uint64_t states)
{
    *(uint64_t *)arg += states;
    return true;
}

static void budgets_give_unknown(void **state)
{
    const dlab_generator g = {
        .kind = DLAB_GENERATOR_QUEUE, .ops = 400, .clients = 12, .keys = 1, .read_fraction = 0.4
    };
    uint64_t told = 0;
    (void)state;
    bench b;
    make(&b, &g, 1);
    dlab_check_options o = { .specification = DLAB_SPECIFICATION_QUEUE,
                             .switched_off = DLAB_PRUNE_LINES,
                             .states_max = 50 };
    assert_int_equal(judge(&b, &o), DLAB_VERDICT_UNKNOWN);
    assert_string_equal(b.r.reason, "budget of states");
    assert_true(b.r.states <= 51);
    o.states_max = 0;
    o.poll = stop_at_once;
    o.poll_arg = &told;
    assert_int_equal(judge(&b, &o), DLAB_VERDICT_UNKNOWN);
    assert_string_equal(b.r.reason, "stopped by the caller");
    assert_true(told >= 4096 && told == b.r.states);
    o.poll = NULL;
    o.memory_max = 200000;
    assert_int_equal(judge(&b, &o), DLAB_VERDICT_UNKNOWN);
    assert_string_equal(b.r.reason, "memory budget");
    assert_true(b.r.peak_bytes <= 200000);
    assert_int_equal(b.memory.budget, 0);
    drop(&b);
}

static void each_allocation_fails_once(void **state)
{
    (void)state;
    for (int32_t kind = 0; kind < GENERATORS; kind++) {
        const dlab_generator g = {
            .kind = kind, .ops = 30, .clients = 3, .keys = 2, .read_fraction = 0.5, .bug_rate = 0.2
        };
        bool passed = false;
        bench b;
        make(&b, &g, 5);
        const size_t used = b.memory.used;
        for (uint64_t at = 1; !passed; at++) {
            const dlab_check_options o = { .specification = specification_of[kind],
                                           .criterion = kind % 2,
                                           .order = true,
                                           .explain = true,
                                           .shrink = true };
            dlab_error err = { 0 };
            b.memory.fail_at = b.memory.allocations + at;
            passed = dlab_check_history(&b.h, &o, &b.memory, &b.r, &err) == DLAB_OK;
            assert_true(passed || err.code == DLAB_ENOMEM);
            dlab_check_result_free(&b.r);
            assert_int_equal(b.memory.used, used);
            assert_true(at < 100000);
        }
        b.memory.fail_at = 0;
        drop(&b);
    }
}

/* What a specification does not know, or cannot be, is a user's mistake with a text. */
static void mistakes_are_named(void **state)
{
    (void)state;
    bench b = { 0 };
    dlab_error err = { 0 };
    const dlab_check_options o = { .specification = DLAB_SPECIFICATION_REGISTER };
    const dlab_operation push = {
        .process = 3, .call = 1, .ret = 2, .f = DLAB_F_PUSH, .outcome = DLAB_HISTORY_OK
    };
    const dlab_operation cas = { .process = 4,
                                 .call = 1,
                                 .ret = 2,
                                 .f = DLAB_F_CAS,
                                 .outcome = DLAB_HISTORY_OK,
                                 .argument = dlab_int(3) };
    assert_int_equal(dlab_history_open(&b.h, &b.memory, NULL), DLAB_OK);
    assert_int_equal(dlab_history_operation_add(&b.h, &push, NULL), DLAB_OK);
    assert_int_equal(dlab_check_history(&b.h, &o, &b.memory, &b.r, &err), DLAB_EINVAL);
    assert_string_equal(err.text, "this history is not complete: dlab_history_complete comes first");
    err = (dlab_error){ 0 };
    assert_int_equal(dlab_history_complete(&b.h, NULL), DLAB_OK);
    assert_int_equal(dlab_check_history(&b.h, &o, &b.memory, &b.r, &err), DLAB_ENAME);
    assert_string_equal(err.text,
                        "operation 1: specification register does not know push; it knows read, write");
    drop(&b);
    err = (dlab_error){ 0 };
    const dlab_check_options with_cas = { .specification = DLAB_SPECIFICATION_CAS_REGISTER };
    assert_int_equal(dlab_history_open(&b.h, &b.memory, NULL), DLAB_OK);
    assert_int_equal(dlab_history_operation_add(&b.h, &cas, NULL), DLAB_OK);
    assert_int_equal(dlab_history_complete(&b.h, NULL), DLAB_OK);
    assert_int_equal(dlab_check_history(&b.h, &with_cas, &b.memory, &b.r, &err), DLAB_ETYPE);
    assert_string_equal(err.text, "operation 1, cas by process 4: its argument is 3; expected [old new]");
    drop(&b);
}

/* One operation of a history written down: function, argument, result, call, return (0: never). */
typedef struct line {
    uint32_t f;
    int64_t argument, result, call, ret;
} line;

static int32_t judge_lines(int32_t specification, int32_t criterion, const line *lines, size_t n)
{
    bench b = { 0 };
    const dlab_check_options o = { .specification = specification, .criterion = criterion };
    assert_int_equal(dlab_history_open(&b.h, &b.memory, NULL), DLAB_OK);
    for (size_t k = 0; k < n; k++) {
        const dlab_operation op = { .process = (int64_t)k,
                                    .call = lines[k].call,
                                    .ret = lines[k].ret ? lines[k].ret : DLAB_NEVER,
                                    .argument = dlab_int(lines[k].argument),
                                    .result =
                                        lines[k].result == ABSENT ? dlab_nil() : dlab_int(lines[k].result),
                                    .f = lines[k].f,
                                    .outcome = lines[k].ret ? DLAB_HISTORY_OK : DLAB_HISTORY_INFO };
        assert_int_equal(dlab_history_operation_add(&b.h, &op, NULL), DLAB_OK);
    }
    assert_int_equal(dlab_history_complete(&b.h, NULL), DLAB_OK);
    const int32_t verdict = judge(&b, &o);
    drop(&b);
    return verdict;
}

#define LINES(...) (const line[]){ __VA_ARGS__ }, sizeof((const line[]){ __VA_ARGS__ }) / sizeof(line)

/* Histories of the literature: the queues of Herlihy and Wing (1990, figure 1), the new-old inversion of
 * two reads during one write, and a crashed write that two reads see one after the other. */
static void known_histories(void **state)
{
    enum { E = DLAB_F_ENQUEUE, D = DLAB_F_DEQUEUE, W = DLAB_F_WRITE, R = DLAB_F_READ };
    const int32_t queue = DLAB_SPECIFICATION_QUEUE, reg = DLAB_SPECIFICATION_REGISTER;
    (void)state;
    /* H1: E(x) and E(y) overlap; y comes out first */
    assert_int_equal(
        judge_lines(queue, 0,
                    LINES({ E, 1, 1, 1, 5 }, { E, 2, 2, 2, 4 }, { D, 0, 2, 6, 7 }, { D, 0, 1, 8, 9 })),
        DLAB_VERDICT_YES);
    /* H2: E(x) ends before E(y) begins; y comes out first */
    assert_int_equal(judge_lines(queue, 0, LINES({ E, 1, 1, 1, 2 }, { E, 2, 2, 3, 4 }, { D, 0, 2, 5, 6 })),
                     DLAB_VERDICT_NO);
    /* H3: the dequeue overlaps the enqueue of what it takes */
    assert_int_equal(judge_lines(queue, 0, LINES({ E, 1, 1, 1, 4 }, { D, 0, 1, 2, 3 })), DLAB_VERDICT_YES);
    /* H4: one element comes out twice */
    assert_int_equal(
        judge_lines(queue, 0,
                    LINES({ E, 1, 1, 1, 6 }, { E, 2, 2, 2, 7 }, { D, 0, 2, 8, 9 }, { D, 0, 2, 10, 11 })),
        DLAB_VERDICT_NO);
    /* New, then old, while the write goes on; as sequential consistency by four processes it is fine. */
    assert_int_equal(
        judge_lines(reg, 0,
                    LINES({ W, 1, 1, 1, 2 }, { W, 2, 2, 3, 12 }, { R, 0, 2, 4, 5 }, { R, 0, 1, 6, 7 })),
        DLAB_VERDICT_NO);
    assert_int_equal(
        judge_lines(reg, 1,
                    LINES({ W, 1, 1, 1, 2 }, { W, 2, 2, 3, 12 }, { R, 0, 2, 4, 5 }, { R, 0, 1, 6, 7 })),
        DLAB_VERDICT_YES);
    /* A crashed write takes effect late, once. */
    assert_int_equal(judge_lines(reg, 0, LINES({ W, 1, 1, 1, 0 }, { R, 0, -1, 2, 3 }, { R, 0, 1, 40, 50 })),
                     DLAB_VERDICT_YES);
    assert_int_equal(judge_lines(reg, 0, LINES({ W, 1, 1, 1, 0 }, { R, 0, 1, 2, 3 }, { R, 0, -1, 40, 50 })),
                     DLAB_VERDICT_NO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prunings_change_the_work_only),
        cmocka_unit_test(windows_are_shortest),
        cmocka_unit_test(wide_windows_work),
        cmocka_unit_test(budgets_give_unknown),
        cmocka_unit_test(each_allocation_fails_once),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(known_histories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
