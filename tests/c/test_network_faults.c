/* Faults of links, and what always holds: the counters against a list of what is on its way under random
 * settings and random faults, shares of degraded links and gray nodes, settings back to what they were when
 * faults end, every way the coins can fall, every allocation failed once. */
#include "network_lab.h"

enum { MANY = 40000 };

/* --- conservation --- */

enum { FLIGHTS_MAX = 300 };

typedef struct books {
    dlab_message flights[FLIGHTS_MAX];
    uint64_t count, sent, copies, delivered, lost, bytes;
} books;

static void compare(const lab *l, const books *b)
{
    const dlab_net *n = &l->net;
    assert_int_equal(n->sent, b->sent);
    assert_int_equal(n->duplicated, b->copies);
    assert_int_equal(n->delivered, b->delivered);
    assert_int_equal(n->lost, b->lost);
    assert_int_equal(n->in_flight, b->count);
    assert_int_equal(n->bytes, b->bytes);
    assert_int_equal(n->sent + n->duplicated, n->delivered + n->lost + n->in_flight);
}

static void book_send(lab *l, books *b, dlab_rng *rng, int64_t now)
{
    const dlab_message m = { .from = (uint16_t)dlab_rng_below(rng, NODES),
                             .to = (uint16_t)dlab_rng_below(rng, NODES),
                             .kind = (uint16_t)dlab_rng_below(rng, 3),
                             .wire = (uint32_t)dlab_rng_below(rng, 2000) };
    dlab_fate f;
    if (b->count + 2 > FLIGHTS_MAX) return;
    if (dlab_net_send(&l->net, now, &m, b->sent, &f)) fail_msg("%s", l->ctx.err.text);
    b->sent++;
    b->bytes += m.wire;
    if (f.lost >= 0) {
        b->lost++;
        return;
    }
    assert_true(f.arrive >= now);
    b->flights[b->count++] = m;
    if (f.copy == 0) return;
    assert_true(f.copy >= now);
    b->flights[b->count++] = m;
    b->copies++;
}

static void book_arrive(lab *l, books *b, dlab_rng *rng)
{
    if (b->count == 0) return;
    const uint64_t k = dlab_rng_below(rng, b->count);
    if (dlab_net_arrive(&l->net, &b->flights[k]) < 0) dlab_net_delivered(&l->net), b->delivered++;
    else dlab_net_lost(&l->net), b->lost++;
    b->flights[k] = b->flights[--b->count];
}

static void some_fault(lab *l, dlab_rng *rng, bool *gray)
{
    const uint32_t from = (uint32_t)dlab_rng_below(rng, NODES), to = (uint32_t)dlab_rng_below(rng, NODES);
    const double amount = dlab_rng_unit(rng);
    switch (dlab_rng_below(rng, 6)) {
    case 0: dlab_net_cut(&l->net, from, to, dlab_net_link(&l->net, from, to)->cut > 0 ? -1 : 1); break;
    case 1: dlab_net_clog(&l->net, from, to, 1); break;
    case 2: assert_int_equal(dlab_net_slow(&l->net, from, to, 1 + amount), DLAB_OK); break;
    case 3: assert_int_equal(dlab_net_degrade(&l->net, from, to, amount < 0.5 ? 0 : amount), DLAB_OK); break;
    default:
        assert_int_equal(dlab_net_gray(&l->net, from, gray_of((int32_t)from % 3, 0.5), gray[from] ? -1 : 1),
                         DLAB_OK);
        gray[from] = !gray[from];
    }
}

static void nothing_is_lost_from_the_books(void **state)
{
    static books b;
    dlab_rng rng;
    (void)state;
    dlab_rng_open(&rng, 5, DLAB_PURPOSE_SAMPLE, 0);
    for (int run = 0; run < 60; run++) {
        lab l;
        dlab_network p = settings(run % 2 ? "exponential(1ms)" : "1ms");
        if (run % 3 > 0) p.loss = dlab_rng_unit(&rng), p.duplicate = dlab_rng_unit(&rng);
        if (run % 5 > 2) p.corrupt = dlab_rng_unit(&rng), p.reorder = dlab_rng_unit(&rng);
        if (run % 7 > 3) p.bandwidth = 1e6, p.link_queue = 1e4;
        p.checksum = run % 4 < 2;
        p.ordering = run % 8 < 4 ? DLAB_ORDERING_NONE : DLAB_ORDERING_FIFO;
        open_lab(&l, p, NULL, 0);
        bool gray[NODES] = { false };
        b = (books){ 0 };
        for (int64_t step = 0; step < 3000; step++) {
            const uint64_t what = dlab_rng_below(&rng, 20);
            if (what == 0) some_fault(&l, &rng, gray);
            else if (what < 11) book_send(&l, &b, &rng, step * 50000);
            else book_arrive(&l, &b, &rng);
            compare(&l, &b);
        }
        assert_true(b.delivered > 0 && b.lost > 0);
        close_lab(&l);
    }
}

/* --- shares --- */

static double lost_share(lab *l, unsigned from, unsigned to, unsigned kind, int reason)
{
    double lost = 0;
    for (int i = 0; i < MANY; i++) {
        const dlab_fate f = send_wire(l, i, from, to, kind, 100);
        lost += f.lost >= 0;
        if (f.lost >= 0 && reason >= 0) assert_int_equal(f.lost, reason);
    }
    return lost;
}

static void a_degraded_link_loses_more(void **state)
{
    lab l;
    dlab_network p = settings("exponential(1ms)");
    (void)state;
    p.loss = 0.1;
    open_lab(&l, p, NULL, 0);
    assert_int_equal(dlab_net_degrade(&l.net, 0, 1, 0.3), DLAB_OK);
    assert_share("degraded", lost_share(&l, 0, 1, 0, DLAB_DROP_LOSS), MANY, 1 - 0.9 * 0.7);
    assert_share("the way back", lost_share(&l, 1, 0, 0, DLAB_DROP_LOSS), MANY, 0.1);
    assert_int_equal(dlab_net_degrade(&l.net, 0, 1, 0), DLAB_OK);
    assert_share("after it", lost_share(&l, 0, 1, 0, DLAB_DROP_LOSS), MANY, 0.1);
    close_lab(&l);
}

static void a_gray_node_loses_one_kind_of_message(void **state)
{
    lab l;
    dlab_network p = settings("exponential(1ms)");
    (void)state;
    open_lab(&l, p, NULL, 0);
    (void)send(&l, 0, 2, 0);
    assert_true(dlab_net_link(&l.net, 2, 0)->plain);
    assert_int_equal(dlab_net_gray(&l.net, 2, gray_of(5, 0.4), 1), DLAB_OK);
    assert_share("the kind", lost_share(&l, 2, 0, 5, DLAB_DROP_GRAY), MANY, 0.4);
    assert_int_equal(lost_share(&l, 2, 0, 4, -1), 0);
    assert_int_equal(lost_share(&l, 1, 0, 5, -1), 0);
    assert_int_equal(dlab_net_gray(&l.net, 2, gray_of(-1, 0.5), 1), DLAB_OK);
    assert_share("both", lost_share(&l, 2, 0, 5, DLAB_DROP_GRAY), MANY, 1 - 0.6 * 0.5);
    assert_int_equal(dlab_net_gray(&l.net, 2, gray_of(5, 0.4), -1), DLAB_OK);
    assert_share("all kinds", lost_share(&l, 2, 0, 4, DLAB_DROP_GRAY), MANY, 0.5);
    assert_int_equal(dlab_net_gray(&l.net, 2, gray_of(4, 0.5), 1),
                     DLAB_OK); /* lies before the one of all kinds */
    assert_int_equal(dlab_net_gray(&l.net, 2, gray_of(-1, 0.5), -1),
                     DLAB_OK); /* the other one of the same share */
    assert_int_equal(lost_share(&l, 2, 0, 5, -1), 0);
    assert_int_equal(dlab_net_gray(&l.net, 2, gray_of(4, 0.5), -1), DLAB_OK);
    assert_true(dlab_net_link(&l.net, 2, 0)->plain);
    const dlab_gray deaf = { .kind = 5, .peer = 1, .share = 1 };
    assert_int_equal(dlab_net_gray(&l.net, 2, deaf, 1), DLAB_OK);
    assert_int_equal(lost_share(&l, 2, 1, 5, DLAB_DROP_GRAY), MANY);
    assert_int_equal(lost_share(&l, 2, 1, 4, -1) + lost_share(&l, 2, 0, 5, -1), 0);
    assert_int_equal(dlab_net_gray(&l.net, 2, deaf, -1), DLAB_OK);
    assert_int_equal(lost_share(&l, 2, 1, 5, -1), 0);
    close_lab(&l);
}

/* Loss and a gray node strike independently: neither hides behind the other. */
static void gray_and_loss_are_independent(void **state)
{
    lab l;
    dlab_network p = settings("exponential(1ms)");
    double gray = 0, lost = 0;
    (void)state;
    p.loss = 0.7;
    open_lab(&l, p, NULL, 0);
    assert_int_equal(dlab_net_gray(&l.net, 0, gray_of(-1, 0.6), 1), DLAB_OK);
    for (int i = 0; i < MANY; i++) {
        const dlab_fate f = send(&l, i, 0, 1);
        gray += f.lost == DLAB_DROP_GRAY;
        lost += f.lost == DLAB_DROP_LOSS;
    }
    assert_share("gray", gray, MANY, 0.6);
    assert_share("lost of the rest", lost, MANY - gray, 0.7);
    close_lab(&l);
}

static void a_node_has_room_for_few_gray_faults(void **state)
{
    lab l;
    (void)state;
    open_lab(&l, settings("1ms"), NULL, 0);
    for (int i = 0; i < DLAB_GRAYS_MAX; i++)
        assert_int_equal(dlab_net_gray(&l.net, 1, gray_of(i, 0.5), 1), DLAB_OK);
    assert_int_equal(dlab_net_gray(&l.net, 1, gray_of(DLAB_GRAYS_MAX, 0.5), 1), DLAB_ELIMIT);
    assert_string_equal(l.ctx.err.text, "node 1: more than 16 gray faults at once");
    dlab_arena_free(&l.ctx.arena);
}

/* --- cuts, clogs, slowness --- */

static void cuts_are_counted(void **state)
{
    lab l;
    const dlab_message m = { .from = 0, .to = 1 };
    (void)state;
    open_lab(&l, settings("1ms"), NULL, 0);
    for (int i = 0; i < 2; i++) dlab_net_cut(&l.net, 0, 1, 1);
    assert_int_equal(send(&l, 0, 0, 1).lost, DLAB_DROP_CUT);
    assert_int_equal(send(&l, 0, 1, 0).lost, -1);
    dlab_net_cut(&l.net, 0, 1, -1);
    assert_int_equal(dlab_net_arrive(&l.net, &m), DLAB_DROP_CUT);
    dlab_net_cut(&l.net, 0, 1, -1);
    assert_int_equal(dlab_net_arrive(&l.net, &m), -1);
    assert_int_equal(send(&l, 0, 0, 1).lost, -1);
    dlab_net_clog(&l.net, 0, 1, 1);
    assert_int_equal(dlab_net_link(&l.net, 0, 1)->clogged, 1);
    assert_int_equal(send(&l, 0, 0, 1).lost, -1);
    close_lab(&l);
    open_lab(&l, settings("1ms"), NULL, 0);
    dlab_net_cut(&l.net, 0, 1, -1);
    assert_int_equal(l.ctx.err.code, DLAB_EBROKEN);
    dlab_arena_free(&l.ctx.arena);
}

static void slow_links_stretch_the_same_draws(void **state)
{
    static int64_t delays[MANY];
    lab l;
    const dlab_network p = settings("lognormal(mean=1ms, scv=1)");
    (void)state;
    open_lab(&l, p, NULL, 0);
    for (int i = 0; i < MANY; i++) delays[i] = send(&l, 0, 0, 1).arrive;
    close_lab(&l);
    open_lab(&l, p, NULL, 0);
    assert_int_equal(dlab_net_slow(&l.net, 0, 1, 2.5), DLAB_OK);
    for (int i = 0; i < MANY; i++) {
        if (i == MANY / 2) assert_int_equal(dlab_net_slow(&l.net, 0, 1, 1), DLAB_OK);
        const int64_t want = i < MANY / 2 ? (int64_t)floor(2.5 * (double)delays[i] + 0.5) : delays[i];
        assert_int_equal(send(&l, 0, 0, 1).arrive, want);
    }
    assert_true(dlab_net_link(&l.net, 0, 1)->plain);
    close_lab(&l);
}

/* --- coins --- */

/* Two messages over a link that loses, flips, doubles and delays: each way their coins can fall, once, and
 * the weight of each outcome is its probability. */
static void every_way_the_coins_fall(void **state)
{
    enum { LOST, CORRUPT, ONCE, TWICE, OUTCOMES };
    double weight[OUTCOMES][OUTCOMES] = { { 0 } }, late = 0;
    const double odds[OUTCOMES] = { 0.1, 0.9 * 0.2, 0.9 * 0.8 * 0.7, 0.9 * 0.8 * 0.3 };
    dlab_enumerator e;
    (void)state;
    dlab_enumerator_open(&e);
    int runs = 0;
    while (dlab_enumerator_next(&e)) {
        int outcome[2];
        bool slow = false;
        lab l;
        dlab_network p = settings("1ms");
        p.loss = 0.1;
        p.corrupt = 0.2;
        p.duplicate = 0.3;
        p.reorder = 0.4;
        open_lab(&l, p, NULL, 0);
        l.net.chooser = &e.base;
        for (int i = 0; i < 2; i++) {
            const dlab_fate f = send(&l, 0, 0, 1);
            outcome[i] = f.lost == DLAB_DROP_LOSS      ? LOST
                         : f.lost == DLAB_DROP_CORRUPT ? CORRUPT
                         : f.copy > 0                  ? TWICE
                                                       : ONCE;
            slow = i == 0 && f.lost < 0 ? f.arrive == 2000000 : slow;
        }
        weight[outcome[0]][outcome[1]] += e.weight;
        if (slow) late += e.weight;
        runs++;
        close_lab(&l);
    }
    assert_int_equal(runs, 36); /* lost, flipped, or one of four: six each */
    for (int a = 0; a < OUTCOMES; a++)
        for (int b = 0; b < OUTCOMES; b++) assert_true(fabs(weight[a][b] - odds[a] * odds[b]) < 1e-12);
    assert_true(fabs(late - 0.9 * 0.8 * 0.4) < 1e-12);
}

/* What a drawn run recorded falls the same way when it is replayed with other seeds of its streams. */
static void a_recorded_run_replays(void **state)
{
    enum { N = 200 };
    static int lost[N], twice[N];
    dlab_choices list = { .memory = memory_of_tests() };
    dlab_chooser recorder = { .record = &list };
    dlab_replay replay;
    (void)state;
    for (int again = 0; again < 2; again++) {
        lab l;
        dlab_network p = settings("1ms");
        p.loss = 0.3;
        p.duplicate = 0.3;
        open_lab(&l, p, NULL, 0);
        if (again) dlab_replay_open(&replay, dlab_choices_list(&list), list.list.count);
        l.net.chooser = again ? &replay.base : &recorder;
        l.ctx.key += (uint64_t)again;
        for (int i = 0; i < N; i++) {
            const dlab_fate f = send(&l, 0, 0, 1);
            if (again) assert_true(lost[i] == f.lost && twice[i] == (f.copy > 0));
            lost[i] = f.lost;
            twice[i] = f.copy > 0;
        }
        assert_int_equal(l.ctx.err.code, DLAB_OK);
        dlab_arena_free(&l.ctx.arena);
    }
    assert_true(list.list.count > N / 4);
    assert_int_equal(replay.next, list.list.count);
    dlab_choices_free(&list);
}

/* --- limits --- */

static void every_allocation_may_fail(void **state)
{
    dlab_link_row row = blank_row(0, 1);
    dlab_memory *memory = memory_of_tests();
    bool whole = false;
    (void)state;
    for (uint64_t k = 1; !whole; k++) {
        lab l;
        dlab_fate f;
        const dlab_message m = { .from = 0, .to = 1 };
        memory->allocations = 0;
        memory->fail_at = k;
        whole =
            try_lab(&l, settings("1ms"), &row, 1) == DLAB_OK && dlab_net_slow(&l.net, 0, 1, 2) == DLAB_OK &&
            dlab_net_gray(&l.net, 0, gray_of(1, 1), 1) == DLAB_OK &&
            dlab_net_degrade(&l.net, 0, 1, 0.5) == DLAB_OK && dlab_net_send(&l.net, 0, &m, 0, &f) == DLAB_OK;
        assert_int_equal(l.ctx.err.code, whole ? DLAB_OK : DLAB_ENOMEM);
        dlab_arena_free(&l.ctx.arena);
        assert_int_equal(memory->used, 0);
        assert_true(k < 100);
    }
    memory->fail_at = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_from_the_books),
        cmocka_unit_test(a_degraded_link_loses_more),
        cmocka_unit_test(a_gray_node_loses_one_kind_of_message),
        cmocka_unit_test(gray_and_loss_are_independent),
        cmocka_unit_test(a_node_has_room_for_few_gray_faults),
        cmocka_unit_test(cuts_are_counted),
        cmocka_unit_test(slow_links_stretch_the_same_draws),
        cmocka_unit_test(every_way_the_coins_fall),
        cmocka_unit_test(a_recorded_run_replays),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
