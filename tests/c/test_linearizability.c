/* The checker against the definition: more than 1e5 random histories of up to seven operations, crashed
 * ones among them, over every specification, every order of each tried. Verdicts, witnesses, shortest
 * windows and shrunk parts must all be right, with any prunings switched off; and a checker with a planted
 * defect must be caught. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oracle.h"

enum { HISTORIES = 11000, MUTANT_HISTORIES = 1500, OPS_OF_WRITES = 32 };

static const char *const names[] = {
#define X(code, name, functions) name,
    DLAB_SPECIFICATIONS(X)
#undef X
};

static void show(const dlab_history *h, const dlab_check_options *o, const dlab_check_result *r)
{
    print_message("%s, criterion %d, fail %d, switched off %u, verdict %d\n", names[o->specification],
                  o->criterion, o->fail_semantics, o->switched_off, r->verdict);
    for (size_t i = 0; i < dlab_history_count(h); i++) {
        const dlab_operation *op = dlab_history_at(h, i);
        char key[40], argument[80], result[80];
        (void)dlab_value_format(h, op->key, key, sizeof key);
        (void)dlab_value_format(h, op->argument, argument, sizeof argument);
        (void)dlab_value_format(h, op->result, result, sizeof result);
        print_message("  %zu: process %lld %s %s %s -> %s outcome %d [%u, %u]\n", i, (long long)op->process,
                      dlab_history_text(h, op->f, NULL), key, argument, result, op->outcome, op->called,
                      op->returned);
    }
}

/* The order must be legal, keep what must be kept, and hold everything that has an answer. */
static bool order_is_right(const dlab_history *h, const dlab_check_options *o, const dlab_check_result *r)
{
    permuter p = { .h = h, .o = o, .until = DLAB_NO_EVENT, .n = dlab_history_count(h) };
    world w = world_new(o->specification);
    for (size_t k = 0; k < r->order_count; k++) {
        const uint32_t i = r->order[k];
        const dlab_operation *op = dlab_history_at(h, i);
        for (size_t other = 0; other < p.n; other++)
            if (other != i && blocked(&p, other, op)) {
                const int says = known_now(&p, dlab_history_at(h, other));
                /* what failed without saying why it failed may be left out */
                if (says == ANSWERED || says == REFUSED) return false;
            }
        if (p.placed[i] || !apply(h, o->specification, &w, op, known_now(&p, op))) return false;
        p.placed[i] = true;
    }
    for (size_t i = 0; i < p.n; i++)
        if (!p.placed[i] && dlab_history_at(h, i)->outcome == DLAB_HISTORY_OK &&
            !(dlab_history_at(h, i)->f == DLAB_F_ADD && dlab_history_at(h, i)->argument.number == 0))
            return false;
    return true;
}

/* The window ends at the first answer after which no order is left; what was shrunk still has none. */
static bool explanation_is_right(const dlab_history *h, const dlab_check_options *o,
                                 const dlab_check_result *r)
{
    bool keep[LARGE_OPS] = { false };
    if (r->window_count == 0 || r->shrunk_count == 0 || r->shrunk_count > r->window_count) return false;
    if (o->criterion == DLAB_CRITERION_LINEARIZABILITY) {
        const uint32_t end = dlab_history_at(h, r->stuck)->returned;
        if (oracle(h, o, end, NULL) || !oracle(h, o, end - 1, NULL)) return false;
        for (size_t k = 0; k < r->shrunk_count; k++) keep[r->shrunk[k]] = true;
        return !oracle(h, o, end, keep);
    }
    for (size_t k = 0; k < r->shrunk_count; k++) keep[r->shrunk[k]] = true;
    return !oracle(h, o, DLAB_NO_EVENT, keep);
}

/* The user's own register, per key: states are values + 1, nil is 0. */
static int user_step(void *self, const dlab_history *h, const dlab_operation *op, uint32_t state,
                     uint32_t *next, dlab_error *err)
{
    (void)self;
    (void)h;
    (void)err;
    *next = state;
    if (op->f == DLAB_F_WRITE) *next = (uint32_t)op->argument.number + 1;
    else if (op->outcome == DLAB_HISTORY_OK) return state == (uint32_t)(plain_value(op->result) + 1);
    return 1;
}
static bool user_reads(void *self, const dlab_history *h, const dlab_operation *op)
{
    (void)self;
    (void)h;
    return op->f == DLAB_F_READ;
}
static const dlab_user_specification user = { .by_key = true, .step = user_step, .reads = user_reads };

/* One random history under random options; returns the verdict the definition gives. */
static bool compare(dlab_rng *rng, int32_t specification, const dlab_user_specification *own, int32_t bug,
                    bool *differs)
{
    dlab_memory memory = { 0 };
    dlab_history h;
    dlab_check_result r;
    dlab_error err = { 0 };
    dlab_check_options o = { .specification = specification,
                             .criterion = dlab_rng_below(rng, 4) == 0 && bug == 0,
                             .fail_semantics = (int32_t)dlab_rng_below(rng, 3),
                             .bug = bug,
                             .order = true,
                             .explain = true,
                             .shrink = true,
                             .switched_off =
                                 dlab_rng_below(rng, 2) ? 0 : (uint32_t)dlab_rng_below(rng, 512) };
    if (own != NULL && o.fail_semantics == DLAB_FAIL_MISMATCH) o.fail_semantics = DLAB_FAIL_MAYBE;
    assert_int_equal(dlab_history_open(&h, &memory, NULL), DLAB_OK);
    draw_history(&h, rng, specification, 3 + dlab_rng_below(rng, SMALL_OPS - 2));
    const bool expected = oracle(&h, &o, DLAB_NO_EVENT, NULL);
    if (own != NULL) o.specification = DLAB_SPECIFICATION_USER, o.user = own;
    if (dlab_check_history(&h, &o, &memory, &r, &err)) fail_msg("%s", err.text);
    o.specification = specification;
    *differs = r.verdict != (expected ? DLAB_VERDICT_YES : DLAB_VERDICT_NO);
    bool right = !*differs;
    if (right && bug == 0) right = expected ? order_is_right(&h, &o, &r) : explanation_is_right(&h, &o, &r);
    if (bug == DLAB_CHECK_BUG_NONE && !right) {
        show(&h, &o, &r);
        fail_msg("expected %s; %s", expected ? "yes" : "no", *differs ? "wrong verdict" : "wrong witness");
    }
    dlab_check_result_free(&r);
    dlab_history_close(&h);
    assert_int_equal(memory.used, 0);
    return expected;
}

static void verdicts_are_those_of_the_definition(void **state)
{
    size_t all = 0;
    (void)state;
    for (int32_t s = 0; s < DLAB_SPECIFICATION_COUNT; s++) {
        dlab_rng rng;
        size_t yes = 0;
        bool differs;
        const bool own = s == DLAB_SPECIFICATION_USER;
        dlab_rng_open(&rng, 11, DLAB_PURPOSE_SAMPLE, (uint64_t)s);
        for (size_t k = 0; k < HISTORIES; k++)
            yes += compare(&rng, own ? DLAB_SPECIFICATION_REGISTER : s, own ? &user : NULL, 0, &differs);
        print_message("%s: %zu of %d histories have a legal order\n", names[s], yes, HISTORIES);
        assert_true(yes > HISTORIES / 10 && yes < HISTORIES * 19 / 20);
        all += HISTORIES;
    }
    assert_true(all >= 100000);
}

/* A defect in the checker is noticed by the very comparison above. */
static void mutants_are_caught(void **state)
{
    static const char *const bugs[] = {
#define X(code, name) name,
        DLAB_CHECK_BUGS(X)
#undef X
    };
    (void)state;
    for (int32_t bug = 1; bug <= DLAB_CHECK_BUG_WRITE_TAKEN_AS_READ; bug++) {
        size_t caught = 0, all = 0;
        dlab_rng rng;
        dlab_rng_open(&rng, 12, DLAB_PURPOSE_SAMPLE, (uint64_t)bug);
        for (int32_t s = 0; s < DLAB_SPECIFICATION_USER; s++)
            for (int k = 0; k < MUTANT_HISTORIES; k++, all++) {
                bool differs;
                (void)compare(&rng, s, NULL, bug, &differs);
                caught += differs;
            }
        print_message("%s: %zu of %zu histories judged wrongly\n", bugs[bug], caught, all);
        assert_true(caught > 0);
    }
}

/* Long writes of few values to one register; what reads see follows from an instant drawn for each
 * operation, so every history is fine. Many a write that changes nothing now is needed later. */
static void draw_writes(dlab_history *h, dlab_rng *rng)
{
    dlab_operation ops[OPS_OF_WRITES];
    int64_t at[OPS_OF_WRITES], held = ABSENT;
    bool done[OPS_OF_WRITES] = { false };
    int64_t call = 0;
    for (int k = 0; k < OPS_OF_WRITES; k++) {
        call += (int64_t)dlab_rng_below(rng, 12);
        const int64_t length = 2 + (int64_t)dlab_rng_below(rng, 80);
        const bool reads = dlab_rng_below(rng, 2) == 0;
        ops[k] = (dlab_operation){ .process = k, .call = call, .ret = call + length };
        ops[k].outcome = DLAB_HISTORY_OK;
        ops[k].key = ops[k].result = dlab_nil();
        ops[k].f = reads ? DLAB_F_READ : DLAB_F_WRITE;
        ops[k].argument = reads ? dlab_nil() : dlab_int(1 + (int64_t)dlab_rng_below(rng, 2));
        at[k] = call + (int64_t)dlab_rng_below(rng, (uint64_t)length);
    }
    for (int round = 0; round < OPS_OF_WRITES; round++) {
        int first = -1;
        for (int k = 0; k < OPS_OF_WRITES; k++)
            if (!done[k] && (first < 0 || at[k] < at[first])) first = k;
        done[first] = true;
        if (ops[first].f == DLAB_F_WRITE) held = ops[first].argument.number;
        else ops[first].result = held == ABSENT ? dlab_nil() : dlab_int(held);
    }
    for (int k = 0; k < OPS_OF_WRITES; k++) assert_int_equal(dlab_history_operation_add(h, &ops[k], NULL), 0);
    assert_int_equal(dlab_history_complete(h, NULL), DLAB_OK);
}

/* A write placed like a read: where such writes abound it is noticed again and again; the checker as it
 * should be refuses none. */
static void writes_are_not_reads(void **state)
{
    size_t refused[2] = { 0 };
    dlab_rng rng;
    (void)state;
    dlab_rng_open(&rng, 13, DLAB_PURPOSE_SAMPLE, 0);
    for (int k = 0; k < 2 * MUTANT_HISTORIES; k++) {
        dlab_memory memory = { 0 };
        dlab_history h;
        assert_int_equal(dlab_history_open(&h, &memory, NULL), DLAB_OK);
        draw_writes(&h, &rng);
        for (int wrong = 0; wrong < 2; wrong++) {
            const dlab_check_options o = { .specification = DLAB_SPECIFICATION_REGISTER,
                                           .bug = wrong ? DLAB_CHECK_BUG_WRITE_TAKEN_AS_READ : 0 };
            dlab_check_result r;
            assert_int_equal(dlab_check_history(&h, &o, &memory, &r, NULL), DLAB_OK);
            refused[wrong] += r.verdict == DLAB_VERDICT_NO;
            dlab_check_result_free(&r);
        }
        dlab_history_close(&h);
    }
    print_message("of %d good histories refused: %zu, with writes taken as reads %zu\n", 2 * MUTANT_HISTORIES,
                  refused[0], refused[1]);
    assert_int_equal(refused[0], 0);
    assert_true(refused[1] > 2 * MUTANT_HISTORIES / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_are_those_of_the_definition),
        cmocka_unit_test(mutants_are_caught),
        cmocka_unit_test(writes_are_not_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
