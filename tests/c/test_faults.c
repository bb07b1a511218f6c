/* Faults in a world: availability against the law of alternating renewal, cuts against what each row means,
 * who is struck how often, and that a change of how long faults last moves neither when the next comes nor
 * whom it strikes. */
#include "faults_stage.h"

/* --- renewal --- */

static double total_down(const stage *s, double until)
{
    double sum = 0;
    for (uint32_t i = 0; i < NODES; i++) {
        const dlab_node *n = &s->world.nodes[i];
        sum += (double)n->down * 1e-9;
        if (n->status == DLAB_NODE_DOWN) sum += until - (double)n->down_since * 1e-9;
    }
    return sum;
}

/* Up for U (mean 10), down for D: the share of time up is E U / (E U + E D), with asymptotic variance
 * (E D^2 Var U + E U^2 Var D) / (E U + E D)^3 / T (here E D^2 is the square of the mean). */
static void availability_is_mtbf_over_mtbf_plus_mttr(void **state)
{
    static const struct {
        const char *lasts;
        double mean, variance;
    } cases[] = { { "exponential(2.5s)", 2.5, 6.25 },
                  { "4s", 4, 0 },
                  { "uniform(low=0s, high=30s)", 15, 75 } };
    const double up = 10, end = 20000;
    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        const double down = cases[k].mean, cycle = up + down;
        stage *s = new_stage();
        dlab_fault_row *row = add(s, DLAB_FAULT_CRASH, NAN, cases[k].lasts);
        row->rate = 1 / up;
        row->target = DLAB_TARGET_EACH;
        open_stage(s, 3);
        run_to(s, end);
        const double share = 1 - total_down(s, end) / (NODES * end);
        const double variance = (down * down * up * up + up * up * cases[k].variance) / pow(cycle, 3);
        const double se = sqrt(variance / (NODES * end));
        if (!(fabs(share - up / cycle) <= 4 * se))
            fail_msg("%s: available %g, expected %g +- %g", cases[k].lasts, share, up / cycle, se);
        close_stage(s);
    }
}

/* When each fault began and ended, and whom it struck. */
typedef struct episode {
    int64_t begin, end;
    uint32_t node;
} episode;

static size_t episodes(stage *s, episode *list, size_t most)
{
    bool down[NODES] = { false };
    size_t n = 0;
    open_stage(s, 11);
    while (n < most && dlab_world_step(&s->world, INT64_MAX) > 0)
        for (uint32_t i = 0; i < NODES; i++) {
            const bool now = s->world.nodes[i].status == DLAB_NODE_DOWN;
            if (now && !down[i]) list[n] = (episode){ .begin = dlab_world_now(&s->world), .node = i };
            if (!now && down[i]) list[n++].end = dlab_world_now(&s->world);
            down[i] = now;
        }
    close_world(s);
    return n;
}

static void how_long_moves_neither_when_nor_whom(void **state)
{
    enum { N = 2000 };
    static episode some[N], longer[N];
    double counts[NODES] = { 0 }, gaps = 0;
    stage *s = new_stage();
    (void)state;
    dlab_fault_row *row = add(s, DLAB_FAULT_CRASH, NAN, "exponential(1s)");
    row->rate = 0.5;
    row->target = DLAB_TARGET_RANDOM;
    assert_int_equal(episodes(s, some, N), N);
    row->duration = law("lognormal(mean=3s, scv=2)");
    assert_int_equal(episodes(s, longer, N), N);
    for (int i = 0; i < N; i++) {
        const int64_t gap = some[i].begin - (i > 0 ? some[i - 1].end : 0);
        assert_int_equal(some[i].node, longer[i].node);
        assert_int_equal(gap, longer[i].begin - (i > 0 ? longer[i - 1].end : 0));
        counts[some[i].node]++;
        gaps += (double)gap * 1e-9;
    }
    for (int i = 0; i < NODES; i++) assert_true(fabs(counts[i] - N / 5.0) < 4 * sqrt(N * 0.2 * 0.8));
    assert_true(fabs(gaps / N - 2) < 4 * 2 / sqrt(N));
    free(s);
}

static void a_row_with_time_and_rate_begins_at_its_time(void **state)
{
    static episode list[50];
    stage *s = new_stage();
    (void)state;
    strike(s, DLAB_FAULT_CRASH, 7, "1s", 2, NAN)->rate = 10;
    assert_int_equal(episodes(s, list, 50), 50);
    assert_int_equal(list[0].begin, INT64_C(7000000000));
    assert_int_equal(list[0].end, INT64_C(8000000000));
    for (int i = 1; i < 50; i++) assert_true(list[i].begin > list[i - 1].end && list[i].node == 2);
    free(s);
}

/* --- cuts --- */

/* Count by the meaning of the row how often each link must be cut at this time. */
typedef struct window {
    double from, to;
    bool (*cuts)(uint32_t from, uint32_t to);
} window;

static bool low_pair(uint32_t i) { return i < 2; }
static bool pair_alone(uint32_t a, uint32_t b) { return low_pair(a) != low_pair(b); }
static bool zero_alone(uint32_t a, uint32_t b) { return (a == 0) != (b == 0); }
static bool three_is_mute(uint32_t a, uint32_t b) { return a == 3 && b != 3; }
static bool three_to_four(uint32_t a, uint32_t b) { return a == 3 && b == 4; }
static bool one_and_four(uint32_t a, uint32_t b) { return (a == 1 && b == 4) || (a == 4 && b == 1); }
static bool only_two_between(uint32_t a, uint32_t b)
{
    return a != 2 && b != 2 && low_pair(a) != low_pair(b);
}
static bool ring(uint32_t a, uint32_t b) { return a != b && (a + 1) % 5 != b && (b + 1) % 5 != a; }

static void overlapping_cuts_are_counted(void **state)
{
    static const window windows[] = { { 1, 5, pair_alone },    { 3, 8, zero_alone },
                                      { 4, 9, three_is_mute }, { 4.5, 6, three_to_four },
                                      { 2, 7, one_and_four },  { 6, 11, only_two_between },
                                      { 8, 12, ring },         { 10, 13, zero_alone } };
    stage *s = new_stage();
    (void)state;
    add(s, DLAB_FAULT_PARTITION, 1, "4s")->members = 3;
    strike(s, DLAB_FAULT_ISOLATE, 3, "5s", 0, NAN);
    strike(s, DLAB_FAULT_ONE_WAY, 4, "5s", 3, NAN);
    strike(s, DLAB_FAULT_ONE_WAY, 4.5, "1.5s", 3, NAN)->peer = 4;
    strike(s, DLAB_FAULT_PARTIAL, 2, "5s", 1, NAN)->peer = 4;
    strike(s, DLAB_FAULT_BRIDGE, 6, "5s", 2, NAN);
    add(s, DLAB_FAULT_MAJORITY_RING, 8, "4s");
    strike(s, DLAB_FAULT_ISOLATE, 10, "3s", 0, NAN);
    open_stage(s, 1);
    for (double at = 0.25; at < 15; at += 0.5) {
        run_to(s, at);
        for (uint32_t from = 0; from < NODES; from++)
            for (uint32_t to = 0; to < NODES; to++) {
                int expected = 0;
                for (size_t k = 0; k < sizeof windows / sizeof windows[0]; k++)
                    expected += at > windows[k].from && at < windows[k].to && windows[k].cuts(from, to);
                assert_int_equal(link_of(s, from, to)->cut, expected);
            }
    }
    close_stage(s);
}

/* Cut at 1, 2.5, 4 (every other 0.75 s), healed for good at 4.5; from 6 on with another rhythm. */
static void a_flapping_node_comes_and_goes(void **state)
{
    stage *s = new_stage();
    (void)state;
    strike(s, DLAB_FAULT_FLAPPING, 1, "3.5s", 2, 0.75);
    strike(s, DLAB_FAULT_FLAPPING, 6, NULL, 2, 1);
    open_stage(s, 1);
    for (double at = 0.1; at < 20; at += 0.2) {
        const double one = (at - 1) / 0.75, two = at - 6;
        const int expected =
            (at > 1 && at < 4.5 && (int)floor(one) % 2 == 0) + (at > 6 && (int)floor(two) % 2 == 0);
        run_to(s, at);
        assert_int_equal(link_of(s, 2, 0)->cut, expected);
        assert_int_equal(link_of(s, 4, 2)->cut, expected);
        assert_int_equal(link_of(s, 4, 0)->cut, 0);
    }
    close_stage(s);
}

/* Every time it flaps it is cut for 1 s, whatever an earlier fault has left in the schedule: each fault lasts
 * 1.5 s, so its second change would come when the next is under way. */
static void a_later_fault_keeps_its_own_rhythm(void **state)
{
    stage *s = new_stage();
    int64_t since = 0, healed = 0;
    int seen = 0;
    (void)state;
    strike(s, DLAB_FAULT_FLAPPING, NAN, "1.5s", 2, 1)->rate = 20;
    open_stage(s, 5);
    while (seen < 200 && dlab_world_step(&s->world, INT64_MAX) > 0) {
        const bool cut = link_of(s, 2, 0)->cut > 0;
        const int64_t now = dlab_world_now(&s->world);
        if (cut && since == 0) {
            since = now;
            assert_true(seen == 0 || now > healed + 500000000);
        } else if (!cut && since > 0) {
            assert_int_equal(now - since, 1000000000);
            healed = now;
            since = 0;
            seen++;
        }
    }
    assert_int_equal(seen, 200);
    close_stage(s);
}

/* A random end of a link is any node but the other end. */
static void the_other_end_is_never_drawn(void **state)
{
    enum { N = 2000 };
    double counts[NODES] = { 0 };
    stage *s = new_stage();
    uint64_t begun = 0;
    (void)state;
    dlab_fault_row *row = add(s, DLAB_FAULT_ONE_WAY, NAN, "1s");
    row->rate = 1;
    row->target = DLAB_TARGET_RANDOM;
    row->peer = 1;
    open_stage(s, 5);
    while (begun < N && dlab_world_step(&s->world, INT64_MAX) > 0) {
        if (s->world.faults.begun == begun) continue;
        begun = s->world.faults.begun;
        for (uint32_t i = 0; i < NODES; i++) counts[i] += link_of(s, i, 1)->cut;
    }
    assert_true(counts[1] == 0);
    for (uint32_t i = 0; i < NODES; i++)
        if (i != 1) assert_true(fabs(counts[i] - N / 4.0) < 4 * sqrt(N * 0.25 * 0.75));
    close_world(s);
    row->target = DLAB_TARGET_EACH;
    open_stage(s, 5);
    assert_int_equal(s->world.faults.count, NODES - 1);
    close_stage(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(availability_is_mtbf_over_mtbf_plus_mttr),
        cmocka_unit_test(how_long_moves_neither_when_nor_whom),
        cmocka_unit_test(a_row_with_time_and_rate_begins_at_its_time),
        cmocka_unit_test(overlapping_cuts_are_counted),
        cmocka_unit_test(a_flapping_node_comes_and_goes),
        cmocka_unit_test(a_later_fault_keeps_its_own_rhythm),
        cmocka_unit_test(the_other_end_is_never_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
