/* Elections: every order of ids on small rings against counts made by hand, every set of starters of the
 * bully, short stories, and a lease at the very edge of its margin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "consensus/leader_election.h"
#include "stage.h"
#include "walk.h"

enum { MOST = 6 };

typedef struct place {
    stage s;
    dlab_election e;
    uint16_t ids[64], owners[65];
} place;

static void set_place(place *x, int32_t algorithm, const uint16_t *ids, uint32_t n, bool cold)
{
    for (uint32_t i = 0; i < n; i++) {
        x->ids[i] = ids[i];
        x->owners[ids[i]] = (uint16_t)i;
    }
    x->e = (dlab_election){ .nodes = n,
                            .algorithm = algorithm,
                            .cold = cold,
                            .timeout = 50000000,
                            .ttl = INT64_C(10000000000),
                            .renew = INT64_C(3000000000),
                            .held = INT64_C(9000000000),
                            .ids = x->ids,
                            .owners = x->owners };
    set_stage(&x->s, dlab_election_core(&x->e), "5ms", 1);
    open_stage(&x->s);
}

static void ask(place *x, uint32_t node, unsigned kind, uint32_t about, bool starts)
{
    const int64_t now = dlab_world_now(&x->s.world);
    assert_int_equal(dlab_world_request(&x->s.world, node, now, 0, kind, about, starts), DLAB_OK);
}

/* Messages of a kind sent so far, from the trace. */
static uint32_t sent(const place *x, unsigned kind)
{
    uint32_t count = 0;
    for (size_t k = 0; k < dlab_trace_count(&x->s.world.trace); k++) {
        const dlab_record *r = dlab_trace_at(&x->s.world.trace, k);
        count += r->type == DLAB_TRACE_SEND && r->label == kind;
    }
    return count;
}

static const dlab_election_node *node(const place *x, uint32_t i) { return dlab_world_state(&x->s.world, i); }

/* Everybody follows the highest id, which leads alone. */
static void agree(const place *x)
{
    for (uint32_t i = 0; i < x->e.nodes; i++) {
        assert_int_equal(node(x, i)->leader, x->e.nodes);
        assert_int_equal(node(x, i)->leads, x->ids[i] == x->e.nodes);
        assert_int_equal(node(x, i)->electing, 0);
    }
}

/* --- Every order of ids */

/* The next permutation in lexical order; false after the last. */
static bool next_order(uint16_t *ids, uint32_t n)
{
    uint32_t i = n - 1, k = n - 1;
    while (i > 0 && ids[i - 1] >= ids[i]) i--;
    if (i == 0) return false;
    while (ids[k] <= ids[i - 1]) k--;
    const uint16_t id = ids[i - 1];
    ids[i - 1] = ids[k];
    ids[k] = id;
    for (uint32_t a = i, b = n - 1; a < b; a++, b--) {
        const uint16_t other = ids[a];
        ids[a] = ids[b];
        ids[b] = other;
    }
    return true;
}

/* An id travels until it meets a better one, or itself. */
static uint32_t hops_by_hand(const uint16_t *ids, uint32_t n)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t hops = 1;
        while (ids[(i + hops) % n] < ids[i]) hops++;
        sum += hops;
    }
    return sum;
}

/* A candidate at phase k sends to each side as far as 2^k, or to the first better one; replies come back from
 * those that got to the end. Round the ring it meets itself. */
static uint32_t probes_by_hand(const uint16_t *ids, uint32_t n)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t right = 1, left = 1;
        while (ids[(i + right) % n] < ids[i]) right++;
        while (ids[(i + n - left) % n] < ids[i]) left++;
        for (uint32_t reach = 1;; reach *= 2) {
            sum += reach < right ? 2 * reach : right;
            sum += reach < left ? 2 * reach : left;
            if (reach >= right || reach >= left) break;
        }
    }
    return sum;
}

static uint32_t phases(uint32_t n)
{
    uint32_t k = 0;
    while (UINT32_C(1) << k < n) k++;
    return k;
}

static void each_order_on_a_ring(void **state)
{
    (void)state;
    for (uint32_t n = 2; n <= MOST; n++) {
        uint16_t ids[MOST];
        uint64_t sum = 0, orders = 0, least = UINT64_MAX, most = 0;
        for (uint32_t i = 0; i < n; i++) ids[i] = (uint16_t)(i + 1);
        do {
            place x;
            set_place(&x, DLAB_ELECTION_RING, ids, n, true);
            for (uint32_t i = 0; i < n; i++) ask(&x, i, DLAB_ELECTION_REQUEST_BEGIN, 0, true);
            run_to(&x.s, 1);
            agree(&x);
            const uint32_t count = sent(&x, DLAB_ELECTION_MESSAGE_CANDIDATE);
            assert_int_equal(count, hops_by_hand(ids, n));
            assert_int_equal(sent(&x, DLAB_ELECTION_MESSAGE_ANNOUNCEMENT), n);
            close_stage(&x.s);
            sum += count;
            orders++;
            least = count < least ? count : least;
            most = count > most ? count : most;
        } while (next_order(ids, n));
        /* n H_n for the mean over all n! orders, as whole numbers: n! n (1 + 1/2 + ... + 1/n) */
        uint64_t expected = 0;
        for (uint32_t k = 1; k <= n; k++) expected += orders * n / k;
        assert_int_equal(sum, expected);
        assert_int_equal(least, 2 * n - 1);
        assert_int_equal(most, n * (n + 1) / 2);
    }
}

static void each_order_both_ways(void **state)
{
    (void)state;
    for (uint32_t n = 2; n <= MOST; n++) {
        uint16_t ids[MOST];
        for (uint32_t i = 0; i < n; i++) ids[i] = (uint16_t)(i + 1);
        do {
            place x;
            set_place(&x, DLAB_ELECTION_HIRSCHBERG_SINCLAIR, ids, n, true);
            for (uint32_t i = 0; i < n; i++) ask(&x, i, DLAB_ELECTION_REQUEST_BEGIN, 0, true);
            run_to(&x.s, 1);
            agree(&x);
            const uint32_t count =
                sent(&x, DLAB_ELECTION_MESSAGE_PROBE) + sent(&x, DLAB_ELECTION_MESSAGE_PROBE_REPLY);
            assert_int_equal(count, probes_by_hand(ids, n));
            assert_true(count <= 8 * n * (1 + phases(n)));
            close_stage(&x.s);
        } while (next_order(ids, n));
    }
}

/* Whoever begins, in any combination: one leader, the best, and nobody waits for ever. Each node that is in
 * it, the lowest that begins and all above, asks all above it once; each that is asked answers. */
static void each_set_of_starters_of_the_bully(void **state)
{
    (void)state;
    const uint32_t n = 5;
    const uint16_t ids[] = { 3, 1, 5, 2, 4 };
    for (uint32_t set = 1; set < 1u << n; set++) {
        place x;
        uint32_t lowest = n;
        set_place(&x, DLAB_ELECTION_BULLY, ids, n, true);
        for (uint32_t i = 0; i < n; i++) {
            if ((set >> i & 1u) == 0) continue;
            ask(&x, i, DLAB_ELECTION_REQUEST_BEGIN, 0, true);
            lowest = ids[i] < lowest ? ids[i] : lowest;
        }
        run_to(&x.s, 1);
        agree(&x);
        const uint32_t k = n - lowest + 1;
        if (sent(&x, DLAB_ELECTION_MESSAGE_ELECTION) > k * (k - 1) / 2) fail_msg("set %u", set);
        assert_int_equal(sent(&x, DLAB_ELECTION_MESSAGE_ELECTION), sent(&x, DLAB_ELECTION_MESSAGE_ANSWER));
        close_stage(&x.s);
    }
}

/* --- Stories */

static void a_bully_takes_over(void **state)
{
    (void)state;
    const uint16_t ids[] = { 1, 2, 3 };
    place x;
    set_place(&x, DLAB_ELECTION_BULLY, ids, 3, false);
    run_to(&x.s, 1);
    assert_int_equal(dlab_world_crash(&x.s.world, 2, 0), DLAB_OK);
    ask(&x, 0, DLAB_ELECTION_REQUEST_SUSPECT, 2, true);
    ask(&x, 1, DLAB_ELECTION_REQUEST_SUSPECT, 2, false);
    run_to(&x.s, 2);
    tells(&x.s, "[    0.000 ms] node 0 starts\n"
                "[    0.000 ms] node 1 starts\n"
                "[    0.000 ms] node 2 starts\n"
                "[    0.000 ms] node 2 applies leads (id 3)\n"
                "[ 1000.000 ms] node 2 crashes (disk kept)\n"
                "[ 1000.000 ms] node 0 is asked to suspect (node 2)\n"
                "[ 1000.000 ms] node 0 > election to 1 (id 1)\n"
                "[ 1000.000 ms] node 0 > election to 2 (id 1)\n"
                "[ 1000.000 ms] node 1 is asked to suspect (node 2)\n"
                "[ 1005.000 ms] node 1 < election from 0 (id 1)\n"
                "[ 1005.000 ms] node 1 > answer to 0 (id 2)\n"
                "[ 1005.000 ms] node 1 > election to 2 (id 2)\n"
                "[ 1005.000 ms] node 0 x election to 2: node down\n"
                "[ 1010.000 ms] node 0 < answer from 1 (id 2)\n"
                "[ 1010.000 ms] node 1 x election to 2: node down\n"
                "[ 1055.000 ms] node 1 outcome timer fires\n"
                "[ 1055.000 ms] node 1 applies leads (id 2)\n"
                "[ 1055.000 ms] node 1 > coordinator to 0 (id 2)\n"
                "[ 1060.000 ms] node 0 < coordinator from 1 (id 2)\n");
    close_stage(&x.s);
}

static void worse_ids_are_swallowed(void **state)
{
    (void)state;
    const uint16_t ids[] = { 3, 1, 2 };
    place x;
    set_place(&x, DLAB_ELECTION_RING, ids, 3, true);
    ask(&x, 1, DLAB_ELECTION_REQUEST_BEGIN, 0, true);
    ask(&x, 0, DLAB_ELECTION_REQUEST_BEGIN, 0, true);
    run_to(&x.s, 1);
    tells(&x.s, "[    0.000 ms] node 0 starts\n"
                "[    0.000 ms] node 1 starts\n"
                "[    0.000 ms] node 2 starts\n"
                "[    0.000 ms] node 1 is asked to begin\n"
                "[    0.000 ms] node 1 > candidate to 2 (id 1, hops 1)\n"
                "[    0.000 ms] node 0 is asked to begin\n"
                "[    0.000 ms] node 0 > candidate to 1 (id 3, hops 1)\n"
                "[    5.000 ms] node 2 < candidate from 1 (id 1, hops 1)\n"
                "[    5.000 ms] node 2 > candidate to 0 (id 2, hops 1)\n"
                "[    5.000 ms] node 1 < candidate from 0 (id 3, hops 1)\n"
                "[    5.000 ms] node 1 > candidate to 2 (id 3, hops 2)\n"
                "[   10.000 ms] node 0 < candidate from 2 (id 2, hops 1)\n"
                "[   10.000 ms] node 2 < candidate from 1 (id 3, hops 2)\n"
                "[   10.000 ms] node 2 > candidate to 0 (id 3, hops 3)\n"
                "[   15.000 ms] node 0 < candidate from 2 (id 3, hops 3)\n"
                "[   15.000 ms] node 0 applies leads (id 3)\n"
                "[   15.000 ms] node 0 > announcement to 1 (id 3, hops 1)\n"
                "[   20.000 ms] node 1 < announcement from 0 (id 3, hops 1)\n"
                "[   20.000 ms] node 1 > announcement to 2 (id 3, hops 2)\n"
                "[   25.000 ms] node 2 < announcement from 1 (id 3, hops 2)\n"
                "[   25.000 ms] node 2 > announcement to 0 (id 3, hops 3)\n"
                "[   30.000 ms] node 0 < announcement from 2 (id 3, hops 3)\n");
    close_stage(&x.s);
}

/* The lock's old holder is cut off and hears nothing: it leads on until it is told, long after
 * another does. */
static void a_lock_holder_believes_the_store_alone(void **state)
{
    (void)state;
    const uint16_t ids[] = { 1, 2 };
    place x;
    set_place(&x, DLAB_ELECTION_LOCK, ids, 2, false);
    run_to(&x.s, 4);
    for (uint32_t i = 0; i < 3; i += 2) {
        dlab_net_cut(&x.s.world.net, 1, i, 1);
        dlab_net_cut(&x.s.world.net, i, 1, 1);
    }
    run_to(&x.s, 14);
    assert_int_equal(node(&x, 0)->leads + node(&x, 1)->leads, 2);
    for (uint32_t i = 0; i < 3; i += 2) {
        dlab_net_cut(&x.s.world.net, 1, i, -1);
        dlab_net_cut(&x.s.world.net, i, 1, -1);
    }
    run_to(&x.s, 16);
    assert_int_equal(node(&x, 0)->leads, 1);
    assert_int_equal(node(&x, 1)->leads, 0);
    tells(&x.s, "[    0.000 ms] node 0 starts\n"
                "[    0.000 ms] node 0 > ask to 2 (id 1)\n"
                "[    0.000 ms] node 1 starts\n"
                "[    0.000 ms] node 1 applies leads (id 2)\n"
                "[    0.000 ms] store 2 starts\n"
                "[    5.000 ms] store 2 < ask from 0 (id 1)\n"
                "[    5.000 ms] store 2 > held to 0 (by 2)\n"
                "[   10.000 ms] node 0 < held from 2 (by 2)\n"
                "[ 3000.000 ms] node 1 renewal timer fires\n"
                "[ 3000.000 ms] node 1 > renew to 2 (id 2)\n"
                "[ 3005.000 ms] store 2 < renew from 1 (id 2)\n"
                "[ 3005.000 ms] store 2 > renewed to 1 (id 2)\n"
                "[ 3010.000 ms] node 1 < renewed from 2 (id 2)\n"
                "[ 6000.000 ms] node 1 renewal timer fires\n"
                "[ 6000.000 ms] node 1 > renew to 2 (id 2)\n"
                "[ 6000.000 ms] node 1 x renew to 2: partition\n"
                "[ 9000.000 ms] node 1 renewal timer fires\n"
                "[ 9000.000 ms] node 1 > renew to 2 (id 2)\n"
                "[ 9000.000 ms] node 1 x renew to 2: partition\n"
                "[12000.000 ms] node 1 renewal timer fires\n"
                "[12000.000 ms] node 1 > renew to 2 (id 2)\n"
                "[12000.000 ms] node 1 x renew to 2: partition\n"
                "[13005.000 ms] store 2 expiry timer fires\n"
                "[13005.000 ms] store 2 > granted to 0 (id 1)\n"
                "[13010.000 ms] node 0 < granted from 2 (id 1)\n"
                "[13010.000 ms] node 0 applies leads (id 1)\n"
                "[15000.000 ms] node 1 renewal timer fires\n"
                "[15000.000 ms] node 1 > renew to 2 (id 2)\n"
                "[15005.000 ms] store 2 < renew from 1 (id 2)\n"
                "[15005.000 ms] store 2 > refused to 1 (id 2)\n"
                "[15010.000 ms] node 1 < refused from 2 (id 2)\n"
                "[15010.000 ms] node 1 applies stops leading (id 2)\n"
                "[15010.000 ms] node 1 > ask to 2 (id 2)\n"
                "[15015.000 ms] store 2 < ask from 1 (id 2)\n"
                "[15015.000 ms] store 2 > held to 1 (by 1)\n"
                "[15020.000 ms] node 1 < held from 2 (by 1)\n");
    close_stage(&x.s);
}

/* --- The edge of a lease */

typedef dlab_consensus_leader_election_params params;
typedef dlab_consensus_leader_election_metrics metrics;

/* The largest overlap of some runs without delays whose holder is cut off, and how many events broke the
 * promise. Slow holders (odd nodes) against a fast store (node 10) are among them. */
static double overlap(double drift, double margin, int64_t *violations)
{
    params p;
    double most = 0;
    assert_int_equal(dlab_params_default(&dlab_consensus_leader_election, &p, NULL), DLAB_OK);
    p.algorithm = DLAB_CONSENSUS_LEADER_ELECTION_ALGORITHM_LEASE;
    p.failure = DLAB_CONSENSUS_LEADER_ELECTION_FAILURE_CUT_OFF;
    p.delay = law("0s");
    p.drift = drift;
    p.clock_spread = DLAB_CONSENSUS_LEADER_ELECTION_CLOCK_SPREAD_WORST;
    p.lease_margin = margin;
    outcome o = run_rows(&(dlab_sweep){ .threads = 1 }, &dlab_consensus_leader_election, &p, 1, 20);
    if (o.err.code) fail_msg("%s", o.err.text);
    *violations = 0;
    for (size_t r = 0; r < 20; r++) {
        const metrics *m = metrics_row(&o, r);
        most = m->overlap > most ? m->overlap : most;
        *violations += m->violations;
    }
    drop(&o);
    return most;
}

static void a_lease_is_safe_exactly_up_to_its_margin(void **state)
{
    (void)state;
    const double ppm[] = { 100, 10000, 100000 };
    for (size_t k = 0; k < 3; k++) {
        const double d = ppm[k] * 1e-6, needed = 2 * d / (1 + d);
        int64_t violations;
        assert_true(overlap(ppm[k], needed + 1e-8, &violations) == 0);
        assert_int_equal(violations, 0);
        assert_true(overlap(ppm[k], needed * 0.999, &violations) > 0);
        assert_true(violations > 0);
        const double none = overlap(ppm[k], 0, &violations); /* both count ttl = 10 s */
        assert_true(fabs(none - (10 / (1 - d) - 10 / (1 + d))) < 1e-6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_order_on_a_ring),
        cmocka_unit_test(each_order_both_ways),
        cmocka_unit_test(each_set_of_starters_of_the_bully),
        cmocka_unit_test(a_bully_takes_over),
        cmocka_unit_test(worse_ids_are_swallowed),
        cmocka_unit_test(a_lock_holder_believes_the_store_alone),
        cmocka_unit_test(a_lease_is_safe_exactly_up_to_its_margin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
