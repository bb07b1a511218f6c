/* What faults do beside cutting links, how they overlap, what a plan of everything leaves behind (nothing),
 * and what is said when a plan does not fit its world. */
#include "faults_stage.h"

/* --- other effects --- */

static uint64_t beats(const stage *s) { return ((const beat_state *)dlab_world_state(&s->world, 1))->beats; }

static void a_clogged_link_holds_its_messages(void **state)
{
    stage *s = new_stage();
    (void)state;
    strike(s, DLAB_FAULT_CLOG, 1.05, "0.9s", 0, NAN)->peer = 1;
    open_stage(s, 1);
    run_to(s, 1.94);
    assert_int_equal(beats(s), 10);
    run_to(s, 1.96);
    assert_int_equal(beats(s), 19);
    assert_int_equal(s->world.net.lost, 0);
    close_stage(s);
}

static void a_gray_node_loses_its_beats(void **state)
{
    stage *s = new_stage();
    (void)state;
    strike(s, DLAB_FAULT_GRAY, 1.05, "1s", 0, 1)->message = 3;
    strike(s, DLAB_FAULT_GRAY, 3.05, "1s", 0, 1)->message = 4;
    strike(s, DLAB_FAULT_GRAY, 5.05, "1s", 0, 1)->peer = 1;
    strike(s, DLAB_FAULT_GRAY, 7.05, "1s", 0, 1)->peer = 2;
    open_stage(s, 1);
    run_to(s, 2.95);
    assert_int_equal(beats(s), 19);
    run_to(s, 5.05);
    assert_int_equal(beats(s), 40);
    run_to(s, 7.05);
    assert_int_equal(beats(s), 50);
    run_to(s, 9.05);
    assert_int_equal(beats(s), 70);
    close_stage(s);
}

static void factors_multiply_and_shares_add_up(void **state)
{
    stage *s = new_stage();
    (void)state;
    strike(s, DLAB_FAULT_SLOW, 1, "4s", 1, 3);
    strike(s, DLAB_FAULT_SLOW, 2, "5s", 1, 1.1);
    strike(s, DLAB_FAULT_DISK_SLOW, 3, "1s", 1, 7);
    strike(s, DLAB_FAULT_SLOW_LINK, 1, "4s", 0, 3)->peer = 1;
    strike(s, DLAB_FAULT_SLOW_LINK, 2, "5s", 0, 1.1);
    strike(s, DLAB_FAULT_DEGRADE, 1, "4s", 0, 0.3);
    strike(s, DLAB_FAULT_DEGRADE, 2, "5s", 0, 0.1)->peer = 1;
    strike(s, DLAB_FAULT_DISK_FULL, 1, "4s", 1, NAN);
    strike(s, DLAB_FAULT_DISK_FULL, 2, "5s", 1, NAN);
    open_stage(s, 1);
    static const double node_slow[] = { 1, 3, 3 * 1.1, 3 * 1.1, 3 * 1.1, 1.1, 1.1, 1, 1 };
    static const double first_slow[] = { 0, 3, 3 * 1.1, 3 * 1.1, 3 * 1.1, 1.1, 1.1, 0, 0 };
    static const double other_slow[] = { 0, 0, 1.1, 1.1, 1.1, 1.1, 1.1, 0, 0 };
    static const double first_loss[] = { 0, 0.3, 0.37, 0.37, 0.37, 0.1, 0.1, 0, 0 };
    for (int i = 0; i < 9; i++) {
        run_to(s, i + 0.5);
        const dlab_link_trouble *t = s->world.net.troubles;
        assert_true(s->world.nodes[1].slow == node_slow[i]);
        assert_true(s->world.disks[1].slow == node_slow[i] * (i == 3 ? 7 : 1));
        assert_int_equal(s->world.disks[1].full, i >= 1 && i < 7);
        assert_true((t == NULL ? 0 : t[1].slow) == first_slow[i]);
        assert_true((t == NULL ? 0 : t[2].slow) == other_slow[i]);
        assert_true(fabs((t == NULL ? 0 : t[1].loss) - first_loss[i]) < 1e-15);
    }
    close_stage(s);
}

static void the_latest_drift_counts(void **state)
{
    static const int64_t nested[] = { 0, 100, 100, 200, 200, 100, 100, 0, 0, 0 };
    static const int64_t later_row[] = { 0, 7, 7, 500, 500, 500, 500, 7, 7, 0 };
    static const int64_t crossed[] = { 0, 300, 300, -50, -50, -50, -50, -50, 0, 0 };
    stage *s = new_stage();
    (void)state;
    strike(s, DLAB_FAULT_CLOCK_DRIFT, 1, "6s", 0, 100);
    strike(s, DLAB_FAULT_CLOCK_DRIFT, 3, "2s", 0, 200);
    strike(s, DLAB_FAULT_CLOCK_DRIFT, 1, "4s", 1, 300);
    strike(s, DLAB_FAULT_CLOCK_DRIFT, 3, "5s", 1, -50);
    strike(s, DLAB_FAULT_CLOCK_JUMP, 2, NULL, 2, -0.25);
    strike(s, DLAB_FAULT_CLOCK_DRIFT, 3, "4s", 3, 500); /* begins after the row below */
    strike(s, DLAB_FAULT_CLOCK_DRIFT, 1, "8s", 3, 7);
    open_stage(s, 1);
    for (int i = 0; i < 10; i++) {
        const int64_t now = i * INT64_C(1000000000) + 500000000;
        run_to(s, i + 0.5);
        assert_int_equal(s->world.nodes[0].clock.ppb, nested[i] * 1000);
        assert_int_equal(s->world.nodes[1].clock.ppb, crossed[i] * 1000);
        assert_int_equal(s->world.nodes[3].clock.ppb, later_row[i] * 1000);
        assert_int_equal(dlab_clock_wall(&s->world.nodes[2].clock, now), now - (i < 2 ? 0 : 250000000));
    }
    close_stage(s);
}

static void the_leader_is_struck_or_nobody(void **state)
{
    stage *s = new_stage();
    (void)state;
    for (int i = 0; i < 3; i++) add(s, DLAB_FAULT_PAUSE, 2 + i, NULL)->target = DLAB_TARGET_LEADER;
    strike(s, DLAB_FAULT_CRASH, 1.5, NULL, 0, NAN);
    strike(s, DLAB_FAULT_CRASH, 2.5, NULL, 1, NAN);
    for (int i = 2; i < 4; i++) strike(s, DLAB_FAULT_CRASH, 3.5, NULL, i, NAN);
    open_stage(s, 1);
    run_to(s, 10);
    assert_int_equal(s->world.nodes[2].pauses, 1); /* at 2: nodes 1 .. 4 run */
    assert_int_equal(s->world.nodes[3].pauses, 1); /* at 3: nodes 2 .. 4 */
    for (int i = 0; i < NODES; i++) assert_int_equal(s->world.nodes[i].pauses, i == 2 || i == 3);
    close_stage(s);
}

/* --- the trace --- */

/* A fault and its end are told once each, crashes and pauses as what they are. */
static void faults_are_told(void **state)
{
    static const struct {
        int64_t ms;
        uint16_t type, label, node, peer;
        uint32_t row;
    } expected[] = {
        { 1000, DLAB_TRACE_FAULT, DLAB_FAULT_PARTITION, DLAB_NO_NODE, DLAB_NO_NODE, 0 },
        { 1500, DLAB_TRACE_FAULT, DLAB_FAULT_CLOG, 2, 3, 1 },
        { 2000, DLAB_TRACE_HEAL, DLAB_FAULT_PARTITION, DLAB_NO_NODE, DLAB_NO_NODE, 0 },
        { 2500, DLAB_TRACE_HEAL, DLAB_FAULT_CLOG, 2, 3, 1 },
        { 3000, DLAB_TRACE_FAULT, DLAB_FAULT_FLAPPING, 4, DLAB_NO_NODE, 2 },
        { 3400, DLAB_TRACE_HEAL, DLAB_FAULT_FLAPPING, 4, DLAB_NO_NODE, 2 },
        { 3800, DLAB_TRACE_FAULT, DLAB_FAULT_FLAPPING, 4, DLAB_NO_NODE, 2 },
        { 4000, DLAB_TRACE_HEAL, DLAB_FAULT_FLAPPING, 4, DLAB_NO_NODE, 2 },
        { 5000, DLAB_TRACE_CRASH, 0, 3, DLAB_NO_NODE, DLAB_KEEP_TORN },
        { 6000, DLAB_TRACE_RESTART, 0, 3, DLAB_NO_NODE, DLAB_KEEP_TORN },
        { 7000, DLAB_TRACE_FAULT, DLAB_FAULT_CLOCK_JUMP, 1, DLAB_NO_NODE, 4 },
    };
    stage *s = new_stage();
    size_t told = 0;
    (void)state;
    add(s, DLAB_FAULT_PARTITION, 1, "1s")->members = 1;
    strike(s, DLAB_FAULT_CLOG, 1.5, "1s", 2, NAN)->peer = 3;
    strike(s, DLAB_FAULT_FLAPPING, 3, "1s", 4, 0.4);
    strike(s, DLAB_FAULT_CRASH, 5, "1s", 3, NAN)->disk = DLAB_KEEP_TORN;
    strike(s, DLAB_FAULT_CLOCK_JUMP, 7, "1s", 1, 2);
    s->setup.trace_table = 0;
    open_stage(s, 1);
    run_to(s, 10);
    for (size_t k = 0; k < dlab_trace_count(&s->world.trace); k++) {
        const dlab_record *r = dlab_trace_at(&s->world.trace, k);
        if (r->type < DLAB_TRACE_CRASH || (r->type > DLAB_TRACE_WAKE && r->type < DLAB_TRACE_FAULT)) continue;
        assert_true(told < sizeof expected / sizeof expected[0]);
        assert_int_equal(r->time, expected[told].ms * 1000000);
        assert_int_equal(r->type, expected[told].type);
        assert_int_equal(r->label, expected[told].label);
        assert_int_equal(r->node, expected[told].node);
        assert_int_equal(r->peer, expected[told].peer);
        assert_int_equal(r->a, expected[told].row);
        told++;
    }
    assert_int_equal(told, sizeof expected / sizeof expected[0]);
    close_stage(s);
}

/* --- what is left --- */

/* All a fault may touch and must put back. */
typedef struct remains {
    uint16_t cut[NODES][NODES], clogged[NODES][NODES];
    double slow[NODES][NODES], loss[NODES][NODES], node_slow[NODES], disk_slow[NODES];
    bool gray[NODES], full[NODES], failing[NODES];
    int64_t ppb[NODES];
    int status[NODES];
    uint32_t pauses[NODES], crashes[NODES];
} remains;

static remains look(const stage *s)
{
    const dlab_net *net = &s->world.net;
    remains r;
    memset(&r, 0, sizeof r);
    for (uint32_t i = 0; i < NODES; i++) {
        const dlab_node *n = &s->world.nodes[i];
        for (uint32_t j = 0; j < NODES; j++) {
            const dlab_link_trouble *t = net->troubles == NULL ? NULL : &net->troubles[i * NODES + j];
            r.cut[i][j] = link_of(s, i, j)->cut;
            r.clogged[i][j] = link_of(s, i, j)->clogged;
            r.slow[i][j] = t == NULL ? 0 : t->slow;
            r.loss[i][j] = t == NULL ? 0 : t->loss;
        }
        for (uint32_t k = 0; net->grays != NULL && k < DLAB_GRAYS_MAX; k++)
            r.gray[i] = r.gray[i] || net->grays[i * DLAB_GRAYS_MAX + k].share > 0;
        r.node_slow[i] = n->slow;
        r.disk_slow[i] = s->world.disks[i].slow;
        r.full[i] = s->world.disks[i].full;
        r.failing[i] = s->world.disks[i].failing;
        r.ppb[i] = n->clock.ppb;
        r.status[i] = n->status;
        r.pauses[i] = n->pauses;
        r.crashes[i] = n->crashes;
    }
    return r;
}

/* Every kind, for every target it takes, often and long, so that they overlap; amounts that no product of
 * floating point numbers leaves unharmed. */
static void plan_everything(stage *s)
{
    static const double amounts[] = {
        [DLAB_FAULT_SLOW] = 3.3,       [DLAB_FAULT_FLAPPING] = 0.37, [DLAB_FAULT_SLOW_LINK] = 1.7,
        [DLAB_FAULT_DEGRADE] = 0.3,    [DLAB_FAULT_GRAY] = 0.2,      [DLAB_FAULT_CLOCK_JUMP] = 0.1,
        [DLAB_FAULT_CLOCK_DRIFT] = 70, [DLAB_FAULT_DISK_SLOW] = 1.3, [DLAB_FAULT_DISK_ROT] = 1
    };
    for (int32_t kind = DLAB_FAULT_CRASH; kind <= DLAB_FAULT_DISK_ROT; kind++)
        for (int32_t target = DLAB_TARGET_RANDOM; target <= DLAB_TARGET_LEADER; target++) {
            const bool whole = kind == DLAB_FAULT_PARTITION || kind == DLAB_FAULT_MAJORITY_RING;
            if (whole && target == DLAB_TARGET_EACH) continue;
            dlab_fault_row *row = add(s, kind, NAN, "exponential(2s)");
            row->rate = 0.5;
            row->target = target;
            if (amounts[kind] > 0) row->amount = amounts[kind];
        }
}

static void healing_restores_everything(void **state)
{
    remains seen;
    memset(&seen, 0, sizeof seen);
    (void)state;
    for (uint64_t key = 1; key <= 12; key++) {
        stage *s = new_stage();
        plan_everything(s);
        open_stage(s, key);
        const remains before = look(s);
        run_to(s, 3 + 2 * (double)key);
        const remains during = look(s);
        for (size_t i = 0; i < sizeof seen; i++)
            ((unsigned char *)&seen)[i] |=
                ((const unsigned char *)&during)[i] ^ ((const unsigned char *)&before)[i];
        if (dlab_faults_heal(&s->world.faults, &s->world)) fail_msg("%s", s->ctx.err.text);
        remains after = look(s);
        assert_memory_equal(&after, &before, sizeof after);
        const uint64_t begun = s->world.faults.begun, had = beats(s);
        run_to(s, 100 + 2 * (double)key);
        after = look(s);
        assert_memory_equal(&after, &before, sizeof after);
        assert_int_equal(s->world.faults.begun, begun);
        assert_true(begun > 30 && beats(s) > had + 900);
        close_stage(s);
    }
    /* ... and everything had been struck in one run or another. */
    for (uint32_t i = 0; i < NODES; i++) {
        assert_true(seen.gray[i] && seen.full[i] && seen.failing[i] && seen.ppb[i] != 0);
        assert_true(seen.status[i] != 0 && seen.pauses[i] != 0 && seen.crashes[i] != 0);
        for (uint32_t j = 0; j < NODES; j++)
            if (i != j) assert_true(seen.cut[i][j] != 0 && seen.clogged[i][j] != 0);
    }
}

/* --- mistakes and limits --- */

static void what_a_world_lacks_is_said(void **state)
{
    stage *s = new_stage();
    (void)state;
    strike(s, DLAB_FAULT_CRASH, 1, NULL, 9, NAN);
    assert_int_equal(try_open(s, 1), DLAB_ERANGE);
    assert_string_equal(s->ctx.err.text, "row 0 of table 'faults': node = 9, but nodes are 0 .. 4");
    close_world(s);
    s->rows[0].node = 1;
    s->rows[0].kind = DLAB_FAULT_DISK_FULL;
    s->setup.disks = NULL;
    assert_int_equal(try_open(s, 1), DLAB_EINVAL);
    assert_string_equal(s->ctx.err.text,
                        "row 0 of table 'faults': disk_full needs disks, which beats has not");
    close_world(s);
    s->rows[0].kind = DLAB_FAULT_CRASH;
    s->rows[0].node = -1;
    s->rows[0].target = DLAB_TARGET_LEADER;
    s->core.leader = NULL;
    assert_int_equal(try_open(s, 1), DLAB_EINVAL);
    assert_string_equal(s->ctx.err.text, "row 0 of table 'faults': target = leader, but beats has none");
    close_stage(s);
}

static void every_allocation_may_fail(void **state)
{
    bool whole = false;
    (void)state;
    for (uint64_t k = 1; !whole; k++) {
        stage *s = new_stage();
        plan_everything(s);
        s->memory.fail_at = k;
        whole = try_open(s, 2) == DLAB_OK && dlab_world_run(&s->world, 5000000000, false) == DLAB_OK;
        assert_int_equal(s->ctx.err.code, whole ? DLAB_OK : DLAB_ENOMEM);
        close_stage(s);
        assert_true(k < 500);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clogged_link_holds_its_messages),  cmocka_unit_test(a_gray_node_loses_its_beats),
        cmocka_unit_test(factors_multiply_and_shares_add_up), cmocka_unit_test(the_latest_drift_counts),
        cmocka_unit_test(the_leader_is_struck_or_nobody),     cmocka_unit_test(faults_are_told),
        cmocka_unit_test(healing_restores_everything),        cmocka_unit_test(what_a_world_lacks_is_said),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
