/* The plan of faults without a world: which links each kind strikes against a definition by sets, minorities
 * that are drawn, and what the rules of the table refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "sim/faults_plan.h"

enum { NODES_MAX = 12 };

static dlab_fault_row row_of(int32_t kind, int64_t node)
{
    return (dlab_fault_row){ .time = 1,
                             .rate = -1,
                             .kind = kind,
                             .node = node,
                             .peer = -1,
                             .members = -1,
                             .duration = { .kind = -1 },
                             .amount = INFINITY,
                             .message = -1 };
}

/* The links that still work, as the set each node hears: bit j of row i says that j reaches i. */
static void hears(const dlab_blow *b, uint32_t *set)
{
    for (uint32_t to = 0; to < b->nodes; to++) {
        set[to] = 0;
        for (uint32_t from = 0; from < b->nodes; from++)
            if (!dlab_blow_strikes(b, from, to)) set[to] |= 1u << from;
    }
}

static dlab_blow aim(const dlab_fault_row *row, uint32_t nodes, uint32_t victim, uint64_t seed)
{
    dlab_rng rng;
    dlab_blow b;
    dlab_rng_open(&rng, seed, DLAB_PURPOSE_FAULT, 0);
    dlab_blow_aim(&b, row, nodes, victim, &rng);
    return b;
}

/* --- shapes --- */

static void a_partition_has_two_whole_sides(void **state)
{
    uint32_t set[NODES_MAX];
    (void)state;
    for (uint32_t n = 2; n <= 6; n++)
        for (uint32_t members = 1; members + 1 < 1u << n; members++) {
            dlab_fault_row row = row_of(DLAB_FAULT_PARTITION, -1);
            row.members = members;
            const dlab_blow b = aim(&row, n, DLAB_NO_NODE, 1);
            hears(&b, set);
            for (uint32_t i = 0; i < n; i++) {
                const uint32_t others = ((1u << n) - 1) & ~members;
                assert_int_equal(set[i], (members >> i & 1u) != 0 ? members : others);
            }
        }
}

/* Every size from 1 to (n - 1) / 2 and every node comes up, and a victim is always in it. */
static void a_blank_partition_is_a_minority(void **state)
{
    (void)state;
    for (uint32_t n = 2; n <= NODES_MAX; n++) {
        const dlab_fault_row row = row_of(DLAB_FAULT_PARTITION, -1);
        const uint32_t most = n > 2 ? (n - 1) / 2 : 1;
        uint32_t sizes = 0, seen = 0;
        for (uint64_t seed = 0; seed < 400; seed++) {
            const uint32_t victim = seed % 2 == 0 ? DLAB_NO_NODE : (uint32_t)(seed % n);
            const dlab_blow b = aim(&row, n, victim, seed);
            const uint32_t side = (uint32_t)b.side[0], size = (uint32_t)__builtin_popcount(side);
            assert_true(size >= 1 && size <= most && side >> n == 0);
            if (victim != DLAB_NO_NODE) assert_true((side >> victim & 1u) != 0);
            sizes |= 1u << size;
            seen |= side;
        }
        assert_int_equal(sizes, (2u << most) - 2);
        assert_int_equal(seen, (1u << n) - 1);
    }
}

static void links_of_one_node(void **state)
{
    uint32_t set[NODES_MAX];
    (void)state;
    for (uint32_t n = 2; n <= 7; n++)
        for (uint32_t v = 0; v < n; v++)
            for (uint32_t i = 0; i < n; i++) {
                const uint32_t all = (1u << n) - 1;
                dlab_fault_row row = row_of(DLAB_FAULT_ISOLATE, v);
                dlab_blow b = aim(&row, n, v, 1);
                hears(&b, set);
                assert_int_equal(set[i], i == v ? 1u << v : all & ~(1u << v));
                row.kind = DLAB_FAULT_ONE_WAY;
                b = aim(&row, n, v, 1);
                hears(&b, set);
                assert_int_equal(set[i], i == v ? all : all & ~(1u << v));
                if (i == v) continue;
                row.peer = i;
                b = aim(&row, n, v, 1);
                hears(&b, set);
                for (uint32_t k = 0; k < n; k++) assert_int_equal(set[k], k == i ? all & ~(1u << v) : all);
                row.kind = DLAB_FAULT_PARTIAL;
                b = aim(&row, n, v, 1);
                hears(&b, set);
                for (uint32_t k = 0; k < n; k++)
                    assert_int_equal(set[k], k == i ? all & ~(1u << v) : k == v ? all & ~(1u << i) : all);
            }
}

static void a_blank_peer_of_a_partial_partition_is_drawn(void **state)
{
    const dlab_fault_row row = row_of(DLAB_FAULT_PARTIAL, 2);
    uint32_t seen = 0;
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) seen |= 1u << aim(&row, 5, 2, seed).peer;
    assert_int_equal(seen, 0x1f & ~(1u << 2));
}

/* "Bridge": cut the network in half, but leave one node in the middle that can talk to both. */
static void a_bridge_is_heard_by_two_halves(void **state)
{
    uint32_t set[NODES_MAX];
    (void)state;
    for (uint32_t n = 3; n <= NODES_MAX; n++)
        for (uint32_t v = 0; v < n; v++) {
            const dlab_fault_row row = row_of(DLAB_FAULT_BRIDGE, v);
            const dlab_blow b = aim(&row, n, v, 1);
            const uint32_t all = (1u << n) - 1;
            hears(&b, set);
            assert_int_equal(set[v], all);
            const uint32_t one = set[v == 0 ? 1 : 0], other = (all & ~one) | 1u << v;
            for (uint32_t i = 0; i < n; i++)
                if (i != v) assert_int_equal(set[i], (one >> i & 1u) != 0 ? one : other);
            const int sizes = __builtin_popcount(one) - __builtin_popcount(other);
            assert_true(sizes >= -1 && sizes <= 1);
        }
}

/* By its definition: everybody hears itself and exactly a majority, and no two hear the same one. */
static void a_ring_has_a_majority_for_each(void **state)
{
    uint32_t set[NODES_MAX];
    (void)state;
    for (uint32_t n = 3; n <= NODES_MAX; n++) {
        const dlab_fault_row row = row_of(DLAB_FAULT_MAJORITY_RING, -1);
        const dlab_blow b = aim(&row, n, DLAB_NO_NODE, 1);
        hears(&b, set);
        for (uint32_t i = 0; i < n; i++) {
            assert_int_equal(__builtin_popcount(set[i]), n / 2 + 1);
            assert_true((set[i] >> i & 1u) != 0);
            for (uint32_t j = 0; j < i; j++) assert_true(set[i] != set[j]);
            if (n % 2 == 1 && (n / 2 + 1) % 2 == 1) /* then the ring is the same in both directions */
                for (uint32_t j = 0; j < n; j++) assert_int_equal(set[i] >> j & 1u, set[j] >> i & 1u);
        }
    }
}

static void local_blows_strike_no_other_links(void **state)
{
    (void)state;
    for (int32_t kind = DLAB_FAULT_CRASH; kind <= DLAB_FAULT_DISK_ROT; kind++) {
        const dlab_fault_row row = row_of(kind, 1);
        const dlab_blow b = aim(&row, 7, 1, 3);
        int beyond = 0, struck = 0;
        for (uint32_t from = 0; from < 7; from++)
            for (uint32_t to = 0; to < 7; to++) {
                beyond += from != 1 && to != 1 && dlab_blow_strikes(&b, from, to);
                struck += dlab_blow_strikes(&b, from, to);
                if (from == to) assert_false(dlab_blow_strikes(&b, from, to));
            }
        assert_int_equal(beyond == 0, dlab_blow_is_local(&b));
        assert_int_equal(struck > 0, kind >= DLAB_FAULT_PARTITION && kind <= DLAB_FAULT_DEGRADE);
    }
}

/* --- rules --- */

static dlab_fault_row with_amount(int32_t kind, int64_t node, double amount)
{
    dlab_fault_row row = row_of(kind, node);
    row.amount = amount;
    return row;
}

static void assert_refused(dlab_fault_row row, const char *text)
{
    dlab_error err = { .code = DLAB_OK };
    const dlab_fault_row rows[] = { row_of(DLAB_FAULT_CRASH, 0), row };
    if (text == NULL) {
        if (dlab_faults_check(rows, 2, 5, &err)) fail_msg("%s", err.text);
        return;
    }
    assert_int_not_equal(dlab_faults_check(rows, 2, 5, &err), DLAB_OK);
    assert_memory_equal(err.text, "row 1 of table 'faults'", 23);
    if (strstr(err.text, text) == NULL) fail_msg("'%s' is not in: %s", text, err.text);
}

static void rows_are_checked(void **state)
{
    dlab_fault_row row = row_of(DLAB_FAULT_CRASH, 4);
    (void)state;
    assert_refused(row, NULL);
    row.node = 5;
    assert_refused(row, "node = 5, but nodes are 0 .. 4");
    row.node = -1;
    assert_refused(row, "crash needs a node, or a target: random, each, leader");
    row.target = DLAB_TARGET_EACH;
    assert_refused(row, NULL);
    row.node = 1;
    assert_refused(row, "crash has a node and another target");
    row = row_of(DLAB_FAULT_CRASH, 1);
    row.time = NAN;
    assert_refused(row, "crash needs a time or a rate");
    row.rate = 0.1;
    assert_refused(row, NULL);
    row.peer = 2;
    assert_refused(row, "crash takes no peer");
    row = row_of(DLAB_FAULT_CRASH, 1);
    row.members = 3;
    assert_refused(row, "crash takes no members");
    row = row_of(DLAB_FAULT_CRASH, 1);
    row.message = 3;
    assert_refused(row, "crash takes no message: only gray does");
    row = row_of(DLAB_FAULT_PAUSE, 1);
    row.disk = 1;
    assert_refused(row, "pause takes no disk: only crash does");
    row = row_of(DLAB_FAULT_CLOG, 1);
    row.peer = 1;
    assert_refused(row, "clog has its node as peer");
    row.peer = 5;
    assert_refused(row, "peer = 5, but nodes are 0 .. 4");
    row = row_of(20, 1);
    assert_refused(row, "has no kind");
}

static void sides_and_amounts_are_checked(void **state)
{
    dlab_fault_row row = row_of(DLAB_FAULT_PARTITION, -1);
    (void)state;
    row.members = 0x20;
    assert_refused(row, "members has node 5, but nodes are 0 .. 4");
    row.members = 0x1f;
    assert_refused(row, "partition needs members that are neither nobody nor everybody");
    row.members = 0x1e;
    assert_refused(row, NULL);
    row.target = DLAB_TARGET_EACH;
    assert_refused(row, "its target cannot be each");
    row.target = DLAB_TARGET_LEADER;
    assert_refused(row, NULL);
    assert_refused(with_amount(DLAB_FAULT_CRASH, 1, 2), "crash takes no amount");
    assert_refused(row_of(DLAB_FAULT_SLOW, 1), "slow needs an amount (a factor)");
    assert_refused(with_amount(DLAB_FAULT_SLOW, 1, NAN), "slow needs an amount (a factor)");
    assert_refused(with_amount(DLAB_FAULT_SLOW, 1, 0), "slow: amount = 0 is outside [1e-06, 1e+06]");
    assert_refused(with_amount(DLAB_FAULT_GRAY, 1, 1.5), "gray: amount = 1.5 is outside [0, 1] (a share)");
    assert_refused(with_amount(DLAB_FAULT_CLOCK_JUMP, 1, -3), NULL);
    assert_refused(with_amount(DLAB_FAULT_DISK_ROT, 1, 0.5), "outside [1, 1e+06] (sectors)");
}

static void shapes_need_enough_nodes(void **state)
{
    dlab_error err = { .code = DLAB_OK };
    const dlab_fault_row ring = row_of(DLAB_FAULT_MAJORITY_RING, -1), crash = row_of(DLAB_FAULT_CRASH, 0);
    (void)state;
    assert_int_equal(dlab_faults_check(&crash, 1, 1, &err), DLAB_OK);
    assert_int_equal(dlab_faults_check(&ring, 1, 3, &err), DLAB_OK);
    assert_int_equal(dlab_faults_check(&ring, 1, 2, &err), DLAB_EINVAL);
    assert_string_equal(err.text, "row 0 of table 'faults': majority_ring needs 3 nodes, not 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partition_has_two_whole_sides),
        cmocka_unit_test(a_blank_partition_is_a_minority),
        cmocka_unit_test(links_of_one_node),
        cmocka_unit_test(a_blank_peer_of_a_partial_partition_is_drawn),
        cmocka_unit_test(a_bridge_is_heard_by_two_halves),
        cmocka_unit_test(a_ring_has_a_majority_for_each),
        cmocka_unit_test(local_blows_strike_no_other_links),
        cmocka_unit_test(rows_are_checked),
        cmocka_unit_test(sides_and_amounts_are_checked),
        cmocka_unit_test(shapes_need_enough_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
