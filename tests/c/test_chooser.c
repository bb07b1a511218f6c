/* The chooser: drawn coins by their frequency, enumeration against recursion, lists that find no room,
 * fingerprints. Replay has a file of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <distlab/chooser.h>

/* --- coins --- */

static void coins_fall_as_often_as_they_should(void **state)
{
    enum { N = 200000 };
    static const double ps[] = { 0.001, 0.3, 0.5, 0.98 };
    (void)state;
    for (int recorded = 0; recorded < 2; recorded++) {
        for (size_t i = 0; i < sizeof ps / sizeof ps[0]; i++) {
            dlab_memory memory = { 0 };
            dlab_choices list = { .memory = &memory };
            dlab_chooser chooser = { .record = &list };
            dlab_rng rng;
            int64_t loud = 0;
            dlab_rng_open(&rng, 11, DLAB_PURPOSE_NODE, i);
            for (uint64_t n = 0; n < N; n++)
                loud += dlab_coin(recorded ? &chooser : NULL, &rng, dlab_coin_name(DLAB_COIN_LOSE, n), ps[i]);
            assert_true(fabs((double)loud - N * ps[i]) < 4 * sqrt(N * ps[i] * (1 - ps[i])));
            assert_int_equal(list.list.count, recorded ? loud : 0);
            for (size_t k = 0; k < list.list.count; k++) assert_int_equal(dlab_choices_list(&list)[k] & 1, 1);
            dlab_choices_free(&list);
            assert_int_equal(memory.used, 0);
        }
    }
}

static int never_asked(dlab_chooser *c, const dlab_choice *options, const double *odds, uint32_t n)
{
    (void)c, (void)options, (void)odds;
    fail_msg("asked about %u options", n);
    return 0;
}

static void certain_coins_ask_nobody(void **state)
{
    (void)state;
    dlab_memory memory = { 0 };
    dlab_choices list = { .memory = &memory };
    dlab_chooser chooser = { .pick = never_asked, .record = &list };
    dlab_rng rng, same;
    dlab_rng_open(&rng, 1, DLAB_PURPOSE_NODE, 0);
    same = rng;
    const dlab_choice name = dlab_coin_name(DLAB_COIN_AGAIN, 7);
    assert_false(dlab_coin(&chooser, &rng, name, 0));
    assert_false(dlab_coin(&chooser, &rng, name, -1));
    assert_true(dlab_coin(&chooser, &rng, name, 1));
    assert_true(dlab_coin(NULL, &rng, name, 1));
    assert_memory_equal(&rng, &same, sizeof rng);
    assert_int_equal(list.list.count, 0);
}

static void names_are_taken_apart_again(void **state)
{
    (void)state;
    const dlab_choice timer = dlab_choice_at(DLAB_CHOICE_TIMER, 1023, 15);
    assert_int_equal(dlab_choice_kind(timer), DLAB_CHOICE_TIMER);
    assert_int_equal(dlab_choice_what(timer), 15 << 16 | 1023);
    const dlab_choice coin = dlab_coin_name(255, UINT64_MAX);
    assert_int_equal(dlab_choice_kind(coin), DLAB_CHOICE_COIN);
    assert_int_equal(dlab_choice_what(coin), DLAB_CHOICE_WHAT_MASK - 1); /* all but how it fell */
}

/* --- an end said by whoever picks --- */

typedef struct stubborn {
    dlab_chooser base;
    int answer, asked;
} stubborn;

static int answer(dlab_chooser *c, const dlab_choice *options, const double *odds, uint32_t n)
{
    (void)options, (void)odds, (void)n;
    ((stubborn *)(void *)c)->asked++;
    return ((stubborn *)(void *)c)->answer;
}

static void the_run_ends_when_told_or_answered_nonsense(void **state)
{
    static const int answers[] = { -1, INT32_MIN, 2, 1000 };
    const dlab_choice options[] = { dlab_choice_at(DLAB_CHOICE_TIMER, 0, 0),
                                    dlab_choice_at(DLAB_CHOICE_TIMER, 1, 0) };
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        stubborn s = { .base = { .pick = answer }, .answer = answers[i] };
        assert_int_equal(dlab_choose(&s.base, options, NULL, 2), -1);
        assert_true(s.base.ended);
        assert_int_equal(dlab_choose(&s.base, options, NULL, 2), -1);
        assert_false(dlab_coin(&s.base, NULL, dlab_coin_name(16, 0), 0.5));
        assert_int_equal(s.asked, 1);
    }
    stubborn fine = { .base = { .pick = answer }, .answer = 1 };
    assert_int_equal(dlab_choose(&fine.base, options, NULL, 2), 1);
    assert_false(fine.base.ended);
    dlab_chooser drawn = { .pick = NULL };
    assert_int_equal(dlab_choose(&drawn, options, NULL, 2), 0);
    assert_int_equal(dlab_choose(NULL, options, NULL, 2), 0);
}

/* --- enumeration --- */

/* A tree whose shape depends on what was chosen: at a prefix (a hash of the choices so far) it ends, or asks
 * an event of 1..3 options or a coin of some odds, some of them certain. */
typedef struct leaf {
    uint64_t prefix;
    double weight;
} leaf;

typedef struct leaves {
    leaf at[1 << 16];
    size_t count;
} leaves;

enum { DEPTH_MAX = 12 };

static uint64_t child(uint64_t prefix, uint64_t taken)
{
    const uint64_t pair[] = { prefix, taken };
    return dlab_fingerprint56(3, pair, sizeof pair);
}
static bool is_leaf(uint64_t prefix, int depth) { return depth == DEPTH_MAX || (prefix >> 8) % 8 == 0; }
static bool is_event(uint64_t prefix) { return (prefix >> 16) % 4 == 0; }
static uint32_t width(uint64_t prefix) { return 1 + (uint32_t)((prefix >> 24) % 3); }
static double odds_of(uint64_t prefix)
{
    static const double ps[] = { 0, 1, 0.25, 0.01, 0.9, 0.5, 0.75, 1.0 / 3 };
    return ps[(prefix >> 32) % 8];
}

static leaf walk(dlab_chooser *c, uint64_t prefix, int *depth)
{
    dlab_choice options[3];
    for (*depth = 0; !is_leaf(prefix, *depth); ++*depth) {
        if (!is_event(prefix)) {
            prefix = child(prefix, dlab_coin(c, NULL, dlab_coin_name(16, prefix), odds_of(prefix)));
            continue;
        }
        for (uint32_t i = 0; i < 3; i++) options[i] = dlab_choice_at(DLAB_CHOICE_TIMER, i, 0);
        prefix = child(prefix, (uint64_t)dlab_choose(c, options, NULL, width(prefix)));
    }
    return (leaf){ .prefix = prefix };
}

static void brute_force(leaves *out, uint64_t prefix, int depth, double weight, bool events)
{
    if (is_leaf(prefix, depth)) {
        assert_true(out->count < sizeof out->at / sizeof out->at[0]);
        out->at[out->count++] = (leaf){ prefix, weight };
    } else if (is_event(prefix)) {
        for (uint32_t i = 0; i < (events ? width(prefix) : 1); i++)
            brute_force(out, child(prefix, i), depth + 1, weight, events);
    } else {
        const double p = odds_of(prefix);
        if (p < 1) brute_force(out, child(prefix, 0), depth + 1, weight * (1 - p), events);
        if (p > 0) brute_force(out, child(prefix, 1), depth + 1, weight * p, events);
    }
}

static int by_prefix(const void *a, const void *b)
{
    const uint64_t x = ((const leaf *)a)->prefix, y = ((const leaf *)b)->prefix;
    return (x > y) - (x < y);
}

static void every_combination_once(void **state)
{
    leaves *expected = malloc(sizeof *expected), *seen = malloc(sizeof *seen);
    size_t largest = 0;
    int depth, deepest = 0;
    (void)state;
    for (uint64_t tree = 0; tree < 200; tree++) {
        const bool events = tree % 2 == 1;
        const uint64_t root = child(99, tree);
        dlab_enumerator e;
        double total = 0;
        expected->count = seen->count = 0;
        brute_force(expected, root, 0, 1, events);
        dlab_enumerator_open(&e);
        e.base.names_events = events;
        while (dlab_enumerator_next(&e)) {
            leaf at = walk(&e.base, root, &depth);
            at.weight = e.weight;
            total += at.weight;
            if (depth > deepest) deepest = depth;
            assert_true(seen->count < expected->count);
            seen->at[seen->count++] = at;
        }
        assert_int_equal(seen->count, expected->count);
        qsort(expected->at, expected->count, sizeof(leaf), by_prefix);
        qsort(seen->at, seen->count, sizeof(leaf), by_prefix);
        for (size_t i = 0; i < seen->count; i++) {
            assert_int_equal(seen->at[i].prefix, expected->at[i].prefix);
            assert_true(fabs(seen->at[i].weight - expected->at[i].weight) < 1e-12);
        }
        if (!events) assert_true(fabs(total - 1) < 1e-9);
        assert_false(e.too_deep || e.unlike);
        if (seen->count > largest) largest = seen->count;
    }
    assert_true(largest > 100 && deepest == DEPTH_MAX); /* else the trees were too small to show anything */
    free(expected);
    free(seen);
}

/* Coins until one is loud, 80 at most: the walk stops at 64 and says which share of the cases it saw. */
static void too_deep_is_told(void **state)
{
    const double p = 0.05;
    dlab_enumerator e;
    double total = 0, quiet = 1;
    int runs = 0;
    (void)state;
    dlab_enumerator_open(&e);
    for (; dlab_enumerator_next(&e); runs++) {
        for (uint64_t i = 0; i < 80; i++)
            if (dlab_coin(&e.base, NULL, dlab_coin_name(16, i), p)) break;
        total += e.weight;
    }
    assert_int_equal(runs, DLAB_COINS_MAX + 1);
    assert_true(e.too_deep);
    for (int i = 0; i < 80; i++) quiet *= 1 - p;
    assert_true(fabs(total - (1 - pow(1 - p, 64) + quiet)) < 1e-12);
}

static void a_run_that_is_no_function_is_told(void **state)
{
    const dlab_choice options[] = { dlab_choice_at(DLAB_CHOICE_TIMER, 0, 0), 1, 2 };
    (void)state;
    for (int how = 0; how < 2; how++) {
        dlab_enumerator e;
        uint32_t run = 0;
        dlab_enumerator_open(&e);
        e.base.names_events = true;
        while (dlab_enumerator_next(&e) && run < 100) {
            /* The second run is offered less, or ends at once. */
            const uint32_t n = how == 0 && run++ == 1 ? 2 : 3;
            if (how == 1 && run++ == 1) continue;
            assert_in_range(dlab_choose(&e.base, options, NULL, n), 0, n - 1);
        }
        assert_true(e.unlike);
        assert_true(run < 100);
    }
}

/* --- lists without room --- */

static void notes_are_bounded(void **state)
{
    (void)state;
    dlab_memory memory = { 0 };
    dlab_choices list = { .memory = &memory, .most = 10 };
    for (uint64_t k = 0; k < 10; k++) dlab_choices_note(&list, k);
    assert_false(list.incomplete);
    for (uint64_t k = 10; k < 50; k++) dlab_choices_note(&list, k);
    assert_true(list.incomplete);
    assert_int_equal(list.list.count, 10);
    for (uint64_t k = 0; k < 10; k++) assert_int_equal(dlab_choices_list(&list)[k], k);
    dlab_choices_free(&list);
    assert_false(list.incomplete);

    list.most = 0;
    for (uint64_t k = 0; k <= DLAB_CHOICES_DEFAULT; k++) dlab_choices_note(&list, k);
    assert_int_equal(list.list.count, DLAB_CHOICES_DEFAULT);
    assert_true(list.incomplete);
    dlab_choices_free(&list);
    assert_int_equal(memory.used, 0);
}

/* Whatever allocation fails, what is kept is a beginning of the run. */
static void notes_survive_a_lack_of_memory(void **state)
{
    (void)state;
    size_t kept = 0;
    for (uint64_t fail = 1;; fail++) {
        dlab_memory memory = { .fail_at = fail };
        dlab_choices list = { .memory = &memory };
        dlab_chooser chooser = { .record = &list };
        for (uint64_t k = 0; k < 1000; k++) dlab_note(&chooser, k);
        const bool whole = !list.incomplete;
        assert_true(list.list.count >= kept);
        kept = list.list.count;
        for (size_t k = 0; k < kept; k++) assert_int_equal(dlab_choices_list(&list)[k], k);
        dlab_choices_free(&list);
        assert_int_equal(memory.used, 0);
        if (whole) break;
    }
    assert_int_equal(kept, 1000);
    dlab_note(NULL, 1); /* nobody listens */
}

/* --- fingerprints --- */

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void fingerprints_differ(void **state)
{
    enum { N = 1 << 17 }; /* 2^33 pairs of 2^56 values: a collision has probability 1e-7 */
    static uint64_t seen[N];
    (void)state;
    for (uint64_t i = 0; i < N; i++) {
        const uint64_t half = i / 2;
        seen[i] = dlab_fingerprint56(i % 2, &half, 1 + i % 8 + (half > 255 ? 7 - i % 8 : 0));
        assert_true(seen[i] <= DLAB_CHOICE_WHAT_MASK);
    }
    qsort(seen, N, sizeof *seen, by_value);
    for (size_t i = 1; i < N; i++) assert_true(seen[i] != seen[i - 1]);
}

/* A flipped bit of the bytes flips half of the fingerprint; trailing zeros and the place in memory count
 * and do not count. */
static void fingerprints_avalanche(void **state)
{
    unsigned char bytes[48 + 8] = "what a node says to another, some words of it", shifted[48 + 16];
    double flips = 0, cases = 0;
    (void)state;
    for (size_t size = 1; size <= 48; size++) {
        const uint64_t plain = dlab_fingerprint56(1, bytes, size);
        memcpy(shifted + size % 8, bytes, size);
        assert_true(dlab_fingerprint56(1, shifted + size % 8, size) == plain);
        for (size_t bit = 0; bit < 8 * size; bit++) {
            bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
            flips += __builtin_popcountll(plain ^ dlab_fingerprint56(1, bytes, size));
            bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
            cases += 56;
        }
    }
    assert_true(fabs(flips / cases - 0.5) < 4 * 0.5 / sqrt(cases));
    const unsigned char zeros[16] = { 0 };
    for (size_t a = 0; a < 16; a++)
        for (size_t b = 0; b < a; b++)
            assert_true(dlab_fingerprint56(0, zeros, a) != dlab_fingerprint56(0, zeros, b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coins_fall_as_often_as_they_should),
        cmocka_unit_test(certain_coins_ask_nobody),
        cmocka_unit_test(names_are_taken_apart_again),
        cmocka_unit_test(the_run_ends_when_told_or_answered_nonsense),
        cmocka_unit_test(every_combination_once),
        cmocka_unit_test(too_deep_is_told),
        cmocka_unit_test(a_run_that_is_no_function_is_told),
        cmocka_unit_test(notes_are_bounded),
        cmocka_unit_test(notes_survive_a_lack_of_memory),
        cmocka_unit_test(fingerprints_differ),
        cmocka_unit_test(fingerprints_avalanche),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
