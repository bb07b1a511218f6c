/* Replay of whole, pruned and foreign lists against a second reading of the rule, and shrinking by
 * deleting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <distlab/chooser.h>

static uint64_t child(uint64_t prefix, uint64_t taken)
{
    const uint64_t pair[] = { prefix, taken };
    return dlab_fingerprint56(3, pair, sizeof pair);
}

/* A toy: tokens on a ring of SPOTS places. An event moves token t; each move asks a coin whether it slips one
 * further. A token is on offer while it has moves left. The state is a hash of the whole history, so that
 * two runs agree only when they did the same. */
enum { TOKENS = 5, MOVES = 8, SPOTS = 7 };

typedef struct toy {
    int left[TOKENS], spot[TOKENS];
    uint64_t history;
    bool turned; /* offers its options in reverse */
} toy;

static toy toy_open(bool turned)
{
    toy t = { .turned = turned };
    for (int i = 0; i < TOKENS; i++) t.left[i] = MOVES;
    return t;
}

static dlab_choice token(uint32_t t) { return dlab_choice_at(DLAB_CHOICE_PRIVATE, t, 1); }

static bool toy_step(toy *t, dlab_chooser *c, dlab_rng *rng)
{
    dlab_choice options[TOKENS];
    uint32_t n = 0;
    for (uint32_t k = 0; k < TOKENS; k++) {
        const uint32_t i = t->turned ? TOKENS - 1 - k : k;
        if (t->left[i] > 0) options[n++] = token(i);
    }
    if (n == 0) return false;
    const dlab_choice taken = options[dlab_choose(c, options, NULL, n)];
    const uint32_t which = dlab_choice_what(taken) & 0xffff;
    const uint64_t about = dlab_fingerprint56(0, &t->left[which], sizeof(int)) ^ which;
    const bool slip = dlab_coin(c, rng, dlab_coin_name(DLAB_COIN_OWN, about), 0.3);
    t->left[which]--;
    t->spot[which] = (t->spot[which] + 1 + slip) % SPOTS;
    t->history = child(t->history, taken << 1 | slip);
    return true;
}

/* Picks at random. */
typedef struct walker {
    dlab_chooser base;
    dlab_rng rng;
} walker;

static int wander(dlab_chooser *c, const dlab_choice *options, const double *odds, uint32_t n)
{
    walker *w = (walker *)(void *)c;
    (void)options;
    if (odds != NULL) return dlab_rng_unit(&w->rng) < odds[1];
    return (int)dlab_rng_below(&w->rng, n);
}

static toy record(dlab_choices *list, uint64_t key, dlab_rng *rng)
{
    walker w = { .base = { .pick = wander, .names_events = true, .record = list } };
    toy t = toy_open(false);
    dlab_rng_open(&w.rng, key, DLAB_PURPOSE_SAMPLE, 0);
    while (toy_step(&t, &w.base, rng)) continue;
    return t;
}

static toy run_list(dlab_replay *r, const dlab_choice *list, size_t count, bool turned, dlab_rng *rng)
{
    toy t = toy_open(turned);
    dlab_replay_open(r, list, count);
    while (toy_step(&t, &r->base, rng)) continue;
    return t;
}

static void a_list_replays_in_any_order_of_options(void **state)
{
    (void)state;
    for (uint64_t key = 0; key < 200; key++) {
        dlab_memory memory = { 0 };
        dlab_choices list = { .memory = &memory }, again = { .memory = &memory };
        dlab_rng rng, other;
        dlab_replay r;
        dlab_rng_open(&rng, key, DLAB_PURPOSE_NODE, 0);
        other = rng;
        const toy t = record(&list, key, &rng);
        assert_in_range(list.list.count, TOKENS * MOVES, 2 * TOKENS * MOVES);
        toy u = toy_open(true);
        dlab_replay_open(&r, dlab_choices_list(&list), list.list.count);
        r.base.record = &again;
        while (toy_step(&u, &r.base, &other)) continue;
        assert_true(t.history == u.history);
        assert_int_equal(r.next, list.list.count);
        assert_int_equal(r.skipped, 0);
        /* What a replay records is what it read, and the streams behind both runs stand alike. */
        assert_int_equal(again.list.count, list.list.count);
        assert_memory_equal(again.list.rows, list.list.rows, list.list.count * sizeof(dlab_choice));
        assert_memory_equal(&rng, &other, sizeof rng);
        dlab_choices_free(&list);
        dlab_choices_free(&again);
    }
}

static bool same_toys(const toy *a, const toy *b) { return a->history == b->history; }

/* The rule read a second time: a list is a text from which words are struck as they are used up. */
static toy naive(const dlab_choice *given, size_t count, size_t *skipped)
{
    dlab_choice list[3 * 2 * TOKENS * MOVES];
    toy t = toy_open(false);
    memcpy(list, given, count * sizeof *list);
    *skipped = 0;
    for (;;) {
        int first = -1;
        size_t at = count;
        for (uint32_t i = 0; i < TOKENS; i++) {
            if (t.left[i] == 0) continue;
            if (first < 0) first = (int)i;
            for (size_t k = 0; k < at; k++)
                if (list[k] == token(i)) at = k;
        }
        if (first < 0) return t;
        uint32_t which = (uint32_t)first;
        if (at < count) {
            which = dlab_choice_what(list[at]) & 0xffff;
            *skipped += at;
            count -= at + 1;
            memmove(list, list + at + 1, count * sizeof *list);
        }
        const uint64_t about = dlab_fingerprint56(0, &t.left[which], sizeof(int)) ^ which;
        const bool slip = count > 0 && list[0] == (dlab_coin_name(DLAB_COIN_OWN, about) | 1);
        if (slip) memmove(list, list + 1, --count * sizeof *list);
        t.left[which]--;
        t.history = child(t.history, token(which) << 1 | slip);
    }
}

static void pruned_and_foreign_lists_replay(void **state)
{
    enum { MOST = 3 * 2 * TOKENS * MOVES };
    size_t skipped_ever = 0;
    (void)state;
    for (uint64_t key = 0; key < 2000; key++) {
        dlab_memory memory = { 0 };
        dlab_choices list = { .memory = &memory };
        dlab_choice changed[MOST];
        dlab_rng rng;
        size_t count = 0, skipped, foreign = 0;
        (void)record(&list, key, NULL);
        dlab_rng_open(&rng, key, DLAB_PURPOSE_SAMPLE, 1);
        for (size_t k = 0; k < list.list.count; k++) {
            if (key % 2 == 0 && dlab_rng_unit(&rng) < 0.2) {
                changed[count++] = dlab_choice_at(DLAB_CHOICE_CRASH, (uint32_t)k, 0);
                foreign++;
            }
            if (key % 4 >= 2 && dlab_rng_unit(&rng) < 0.3) continue;
            changed[count++] = dlab_choices_list(&list)[k];
        }
        dlab_replay r;
        const toy t = run_list(&r, changed, count, false, NULL), u = naive(changed, count, &skipped);
        assert_true(same_toys(&t, &u));
        assert_int_equal(r.skipped, skipped);
        assert_true(r.next <= count);
        if (key % 4 == 1) assert_int_equal(skipped, 0);
        if (foreign > 0) skipped_ever += skipped;
        dlab_choices_free(&list);
    }
    assert_true(skipped_ever > 1000);
}

/* Foreign events before whole events change nothing but the count. */
static void foreign_events_are_counted(void **state)
{
    (void)state;
    dlab_memory memory = { 0 };
    dlab_choices list = { .memory = &memory };
    dlab_choice changed[3 * 2 * TOKENS * MOVES];
    size_t count = 0, foreign = 0;
    dlab_replay r;
    const toy t = record(&list, 5, NULL);
    for (size_t k = 0; k < list.list.count; k++) {
        const dlab_choice c = dlab_choices_list(&list)[k];
        if (dlab_choice_kind(c) != DLAB_CHOICE_COIN) {
            changed[count++] = dlab_choice_at(DLAB_CHOICE_TIMER, (uint32_t)k, 3);
            foreign++;
        }
        changed[count++] = c;
    }
    const toy u = run_list(&r, changed, count, true, NULL);
    assert_true(same_toys(&t, &u));
    assert_int_equal(r.skipped, foreign);
    dlab_choices_free(&list);
}

/* The list waits while nothing of it is on offer, and a loud coin is quiet unless it comes next. */
static void a_list_waits(void **state)
{
    const dlab_choice a = token(0), b = token(1), x = token(3), coin = dlab_coin_name(16, 9);
    const dlab_choice list[] = { a, coin | 1, b };
    const dlab_choice both[] = { x, b, a };
    dlab_replay r;
    (void)state;
    dlab_replay_open(&r, list, 3);
    assert_true(r.base.names_events);
    assert_int_equal(dlab_choose(&r.base, both, NULL, 1), 0);
    assert_false(dlab_coin(&r.base, NULL, coin, 0.5));
    assert_int_equal(r.next, 0);
    assert_int_equal(dlab_choose(&r.base, both, NULL, 3), 2);
    assert_false(dlab_coin(&r.base, NULL, dlab_coin_name(16, 8), 0.5));
    assert_true(dlab_coin(&r.base, NULL, coin, 0.5));
    assert_false(dlab_coin(&r.base, NULL, coin, 0.5));
    assert_int_equal(dlab_choose(&r.base, both, NULL, 2), 1);
    assert_int_equal(dlab_choose(&r.base, both, NULL, 3), 0);
    assert_false(dlab_coin(&r.base, NULL, coin, 0.5));
    assert_int_equal(r.skipped, 0);
    assert_int_equal(r.next, 3);
}

/* A defect: token 2 moves while token 4 has moved twice and slipped both times. */
static bool broken(const dlab_choice *list, size_t count)
{
    toy t = toy_open(false);
    dlab_replay r;
    dlab_replay_open(&r, list, count);
    for (int i = 0; i < TOKENS * MOVES; i++) {
        const int before = t.spot[2];
        if (!toy_step(&t, &r.base, NULL)) break;
        if (t.spot[2] != before && t.left[4] == MOVES - 2 && t.spot[4] == 4) return true;
    }
    return false;
}

static void shrinking_is_deleting(void **state)
{
    size_t shrunk = 0;
    (void)state;
    for (uint64_t key = 0; key < 400; key++) {
        dlab_memory memory = { 0 };
        dlab_choices list = { .memory = &memory };
        (void)record(&list, key, NULL);
        dlab_choice at[2 * TOKENS * MOVES], less[2 * TOKENS * MOVES];
        size_t count = list.list.count;
        memcpy(at, list.list.rows, count * sizeof *at);
        dlab_choices_free(&list);
        if (!broken(at, count)) continue;
        for (size_t k = 0; k < count;) {
            memcpy(less, at, k * sizeof *at);
            memcpy(less + k, at + k + 1, (count - k - 1) * sizeof *at);
            if (!broken(less, count - 1)) {
                k++;
                continue;
            }
            memcpy(at, less, --count * sizeof *at);
            k = 0;
        }
        shrunk++;
        /* Two moves of token 4, each with its loud coin, then the quiet events carry on: tokens 0 and 1 use
         * up their moves and token 2 is next. Whatever the run was, only this is left. */
        assert_int_equal(count, 4);
        assert_true(at[0] == token(4) && at[2] == token(4));
        assert_true((at[1] & 1) != 0 && dlab_choice_kind(at[3]) == DLAB_CHOICE_COIN);
    }
    assert_true(shrunk > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_replays_in_any_order_of_options),
        cmocka_unit_test(pruned_and_foreign_lists_replay),
        cmocka_unit_test(foreign_events_are_counted),
        cmocka_unit_test(a_list_waits),
        cmocka_unit_test(shrinking_is_deleting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
