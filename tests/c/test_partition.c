/* Cuts against witnesses that know nothing of them: every set of links of up to six nodes by plain search,
 * the law of G(n, p) by Gilbert's recursion and by summing over sets, walks that meet each set once, draws
 * that meet each alike, and windows of probes counted out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "walk.h"

#include "links/cut.h"
#include "links/probes.h"

enum { WITNESS_MAX = 7 };

static dlab_ctx context(dlab_memory *memory)
{
    return (
        dlab_ctx){ .key = 7, .arena = { .memory = memory }, .steps_max = UINT64_MAX, .poll_at = UINT64_MAX };
}

/* Reachability by Warshall's algorithm over two-way links, and everything else by looking at all pairs. */
static dlab_survival by_hand(const dlab_reach *reach)
{
    bool direct[WITNESS_MAX][WITNESS_MAX], path[WITNESS_MAX][WITNESS_MAX];
    const uint32_t n = reach->nodes;
    dlab_survival s = { .leader = -1, .transitive = true };
    for (uint32_t a = 0; a < n; a++)
        for (uint32_t b = 0; b < n; b++)
            path[a][b] = direct[a][b] = (reach->to[a] >> b & 1u) && (reach->to[b] >> a & 1u);
    for (uint32_t via = 0; via < n; via++)
        for (uint32_t a = 0; a < n; a++)
            for (uint32_t b = 0; b < n; b++) {
                s.transitive &= !(direct[a][via] && direct[via][b] && !direct[a][b]);
                path[a][b] |= path[a][via] && path[via][b];
            }
    for (uint32_t a = 0; a < n; a++) {
        uint32_t links = 0, group = 0, first = n;
        for (uint32_t b = 0; b < n; b++) {
            links += direct[a][b];
            group += path[a][b];
            if (path[a][b] && b < first) first = b;
        }
        s.components += first == a;
        if (group > s.largest) s.largest = group;
        s.quorum_nodes += 2 * links > n;
        if (2 * links > n && links > s.served) s.leader = (int32_t)a, s.served = links;
    }
    return s;
}

static void same_survival(const dlab_survival *x, const dlab_survival *y)
{
    assert_int_equal(x->components, y->components);
    assert_int_equal(x->largest, y->largest);
    assert_int_equal(x->quorum_nodes, y->quorum_nodes);
    assert_int_equal(x->leader, y->leader);
    assert_int_equal(x->served, y->served);
    assert_int_equal(x->transitive, y->transitive);
}

typedef struct counts {
    uint64_t sets, connected, majority, leader, transitive;
} counts;

/* Take each set of links of a mesh away, link by link from the bits of a number. */
static counts over_all_sets(uint32_t n, double q, dlab_cut_law *law)
{
    counts c = { 0 };
    const uint32_t links = n * (n - 1) / 2;
    *law = (dlab_cut_law){ 0 };
    for (uint64_t mask = 0; mask < UINT64_C(1) << links; mask++) {
        dlab_reach reach;
        dlab_reach_whole(&reach, n);
        uint32_t k = 0;
        for (uint32_t a = 0; a < n; a++)
            for (uint32_t b = 0; b < a; b++, k++)
                if (mask >> k & 1u) reach.to[a] &= ~(UINT64_C(1) << b), reach.to[b] &= ~(UINT64_C(1) << a);
        const dlab_survival seen = dlab_reach_survival(&reach), known = by_hand(&reach);
        same_survival(&seen, &known);
        const int down = __builtin_popcountll(mask);
        const double weight = pow(q, down) * pow(1 - q, (int)links - down);
        c.sets++;
        c.connected += known.components == 1;
        c.majority += 2 * known.largest > n;
        c.leader += known.leader >= 0;
        c.transitive += known.transitive;
        law->connected += weight * (known.components == 1);
        law->majority += weight * (2 * known.largest > n);
        law->quorum += weight * known.quorum_nodes / n;
        const int32_t shape = dlab_reach_shape(&reach);
        assert_int_equal(shape == DLAB_CUT_SHAPE_WHOLE, mask == 0);
        assert_int_equal(shape == DLAB_CUT_SHAPE_COMPLETE, mask != 0 && known.transitive);
        assert_int_not_equal(shape, DLAB_CUT_SHAPE_ONE_WAY);
    }
    return c;
}

/* Connected labelled graphs (OEIS A001187) and partitions of a set (Bell numbers) are in every handbook; a
 * connected majority of five always has a node with two links, of six it may be a path without a leader. */
static void every_set_of_links_is_judged_as_by_hand(void **state)
{
    static const uint64_t connected[] = { 0, 1, 1, 4, 38, 728, 26704 }, bell[] = { 1, 1, 2, 5, 15, 52, 203 };
    (void)state;
    for (uint32_t n = 2; n <= 6; n++) {
        dlab_cut_law unused;
        const counts c = over_all_sets(n, 0.5, &unused);
        print_message(
            "%u nodes: %llu sets, %llu connected, %llu with a connected majority, %llu with a leader\n", n,
            (unsigned long long)c.sets, (unsigned long long)c.connected, (unsigned long long)c.majority,
            (unsigned long long)c.leader);
        assert_int_equal(c.connected, connected[n]);
        assert_int_equal(c.transitive, bell[n]);
        if (n == 5) assert_int_equal(c.majority, 998);
        if (n <= 5) assert_int_equal(c.leader, c.majority);
        else assert_true(c.leader < c.majority);
    }
}

/* Gilbert (1959): P(n) = 1 - sum over the sizes m of the first node's component. */
static double gilbert(uint32_t nodes, double q)
{
    long double known[WITNESS_MAX + 8] = { 0, 1 };
    for (uint32_t n = 2; n <= nodes; n++) {
        long double choose = 1, sum = 0; /* C(n - 1, m - 1) */
        for (uint32_t m = 1; m < n; m++) {
            sum += choose * known[m] * powl(q, (long double)m * (n - m));
            choose = choose * (n - m) / m;
        }
        known[n] = 1 - sum;
    }
    return (double)known[nodes];
}

static void the_law_of_random_links_has_two_witnesses(void **state)
{
    static const double qs[] = { 0, 0.1, 0.5, 0.9, 1 };
    (void)state;
    for (size_t k = 0; k < sizeof qs / sizeof qs[0]; k++) {
        dlab_memory memory = { 0 };
        dlab_ctx ctx = context(&memory);
        dlab_cut_law law, sum;
        for (uint32_t n = 2; n <= 14; n++) {
            assert_int_equal(dlab_cut_law_of(n, qs[k], &law, &ctx), DLAB_OK);
            assert_true(fabs(law.connected - gilbert(n, qs[k])) < 1e-12);
            if (n > 5) continue;
            (void)over_all_sets(n, qs[k], &sum);
            assert_true(fabs(law.connected - sum.connected) < 1e-12);
            assert_true(fabs(law.majority - sum.majority) < 1e-12);
            assert_true(fabs(law.quorum - sum.quorum) < 1e-12);
        }
        /* The largest cluster the model takes: still probabilities, and in order. */
        assert_int_equal(dlab_cut_law_of(DLAB_CUT_NODES_MAX, qs[k], &law, &ctx), DLAB_OK);
        assert_true(law.connected >= 0 && law.majority <= 1 + 1e-12 && law.connected <= law.majority + 1e-12);
        dlab_arena_free(&ctx.arena);
    }
}

/* A number for a matrix, to see that each comes once. */
static uint64_t digest(const dlab_reach *reach)
{
    uint64_t all = 0;
    for (uint32_t a = 0; a < reach->nodes; a++) all |= reach->to[a] << (a * reach->nodes);
    return all;
}

static void walk(dlab_cuts *cuts, double expected, double weight)
{
    static uint64_t seen[1 << 13];
    dlab_memory memory = { 0 };
    dlab_ctx ctx = context(&memory);
    size_t count = 0;
    double sum = 0;
    assert_int_equal(dlab_cuts_open(cuts, &ctx), DLAB_OK);
    assert_true(dlab_cuts_sets(cuts) == expected);
    do {
        dlab_reach reach;
        sum += dlab_cuts_take(cuts, &reach);
        seen[count] = digest(&reach);
        for (size_t k = 0; k < count; k++) assert_true(seen[k] != seen[count]);
        count++;
    } while (dlab_cuts_next(cuts));
    assert_true((double)count == expected);
    assert_true(fabs(sum - weight) < 1e-9);
    dlab_arena_free(&ctx.arena);
}

static void walks_meet_each_set_once(void **state)
{
    (void)state;
    /* Four nodes in zones of their own have 6 links and 12 directions; in two zones 4 links. */
    walk(&(dlab_cuts){ .nodes = 4, .zones = 4, .links = -1, .probability = 0.3 }, 64, 1);
    walk(&(dlab_cuts){ .nodes = 4, .zones = 4, .links = -1, .probability = 0.3, .directed = true }, 4096, 1);
    walk(&(dlab_cuts){ .nodes = 4, .zones = 4, .links = 3 }, 20, 20);
    walk(&(dlab_cuts){ .nodes = 4, .zones = 4, .links = 0 }, 1, 1);
    walk(&(dlab_cuts){ .nodes = 4, .zones = 4, .links = 6 }, 1, 1);
    walk(&(dlab_cuts){ .nodes = 4, .zones = 4, .links = 5, .directed = true }, 792, 792);
    walk(&(dlab_cuts){ .nodes = 4, .zones = 2, .links = 2 }, 6, 6);
    walk(&(dlab_cuts){ .nodes = 6, .zones = 3, .complete = true }, 3, 3);
    walk(&(dlab_cuts){ .nodes = 6, .zones = 6, .complete = true }, 31, 31);
    assert_int_equal(dlab_cuts_links(6, 3, false), 12);
    assert_int_equal(dlab_cuts_links(5, 5, true), 20);
}

/* Both sides of a complete partition are whole inside, and nothing crosses. */
static void a_complete_partition_leaves_two_groups(void **state)
{
    dlab_memory memory = { 0 };
    dlab_ctx ctx = context(&memory);
    dlab_cuts cuts = { .nodes = 5, .zones = 5, .complete = true };
    int with_majority = 0;
    (void)state;
    assert_int_equal(dlab_cuts_open(&cuts, &ctx), DLAB_OK);
    do {
        dlab_reach reach;
        (void)dlab_cuts_take(&cuts, &reach);
        const dlab_survival s = by_hand(&reach);
        assert_int_equal(s.components, 2);
        assert_true(s.transitive);
        assert_int_equal(s.quorum_nodes,
                         s.largest); /* of five one side has a majority, and all of it leads */
        with_majority += s.largest > 2;
    } while (dlab_cuts_next(&cuts));
    assert_int_equal(with_majority, 15);
    dlab_arena_free(&ctx.arena);
}

/* Two of six links: fifteen sets, each as often as the others, by chi-square. */
static void draws_meet_each_set_alike(void **state)
{
    enum { DRAWS = 30000, SETS = 15 };
    dlab_memory memory = { 0 };
    dlab_ctx ctx = context(&memory);
    dlab_cuts cuts = { .nodes = 4, .zones = 4, .links = 2 };
    uint64_t names[SETS];
    double often[SETS] = { 0 }, chi = 0;
    int known = 0;
    dlab_rng rng;
    (void)state;
    assert_int_equal(dlab_cuts_open(&cuts, &ctx), DLAB_OK);
    dlab_rng_open(&rng, 5, DLAB_PURPOSE_SAMPLE, 1);
    for (int i = 0; i < DRAWS; i++) {
        dlab_reach reach;
        int k = 0;
        dlab_cuts_draw(&cuts, &rng, &reach);
        while (k < known && names[k] != digest(&reach)) k++;
        assert_true(k < SETS);
        if (k == known) names[known++] = digest(&reach);
        often[k]++;
    }
    assert_int_equal(known, SETS);
    for (int k = 0; k < SETS; k++) chi += pow(often[k] - DRAWS / SETS, 2) / (DRAWS / SETS);
    assert_true(fabs(chi - 14) <= 4 * sqrt(2 * 14));
    dlab_arena_free(&ctx.arena);
}

/* Windows of k probes: false alarms loss^k, the mean wait, and what a quiet network does exactly. */
static void verdicts_follow_their_law(void **state)
{
    enum { RUNS = 200000 };
    (void)state;
    for (int64_t k = 1; k <= 3; k++) {
        const dlab_probes p = { .interval = 2, .timeout = 0.5, .duration = 20, .loss = 0.2, .needed = k };
        const double expected = pow(p.loss, (double)k);
        double alarms = 0, sum = 0, squares = 0, first;
        dlab_rng rng;
        dlab_rng_open(&rng, 5, DLAB_PURPOSE_SAMPLE, (uint64_t)k);
        for (int i = 0; i < RUNS; i++) {
            alarms += dlab_probes_watch(&p, false, 0, &rng, &first);
            assert_true(dlab_probes_watch(&p, true, 0, &rng, &first));
            sum += first;
            squares += first * first;
        }
        const double mean = sum / RUNS, se = sqrt((squares / RUNS - mean * mean) / RUNS);
        assert_true(fabs(alarms / RUNS - expected) <= 4 * sqrt(expected * (1 - expected) / RUNS));
        assert_true(fabs(mean - dlab_probes_wait(&p)) <= 4 * se);
    }
    const dlab_probes quiet = { .interval = 1, .timeout = 0.5, .duration = 30, .needed = 3 };
    dlab_rng rng;
    double first;
    dlab_rng_open(&rng, 5, DLAB_PURPOSE_SAMPLE, 9);
    assert_true(dlab_probes_watch(&quiet, true, 0, &rng, &first));
    assert_true(first >= 2.5 && first < 3.5);
    assert_false(dlab_probes_watch(&quiet, false, 0, &rng, &first));
    assert_true(isnan(first));
    assert_true(dlab_probes_wait(&quiet) == 3);
    /* Down for 2 s at a time: three probes in a row never fall into one gap; up to 3 s they may. */
    const dlab_probes flapping = { .interval = 1, .timeout = 0.5, .duration = 30, .needed = 3, .period = 4 };
    for (int i = 0; i < 100; i++) {
        assert_false(dlab_probes_watch(&flapping, true, 4 * dlab_rng_unit(&rng), &rng, &first));
        assert_true(isnan(first));
    }
    assert_true(dlab_probes_down(&flapping, 1.9) && !dlab_probes_down(&flapping, 2.1));
    assert_true(dlab_probes_down(&quiet, 1e6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_set_of_links_is_judged_as_by_hand),
        cmocka_unit_test(the_law_of_random_links_has_two_witnesses),
        cmocka_unit_test(walks_meet_each_set_once),
        cmocka_unit_test(a_complete_partition_leaves_two_groups),
        cmocka_unit_test(draws_meet_each_set_alike),
        cmocka_unit_test(verdicts_follow_their_law),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
