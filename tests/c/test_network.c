/* The network against second witnesses: counters against a list of what is on its way, delays against the
 * sampler and the moments of their law, shares against their probabilities, the wire against a schedule by
 * hand and a clockwork that moves one byte at a time, common random numbers bit by bit, coins against every
 * way they can fall. */
#include "network_lab.h"

enum { MANY = 40000 };

/* --- delays --- */

static void delays_are_the_draws_of_the_link(void **state)
{
    static const char *const laws[] = { "exponential(2ms)", "lognormal(mean=0.5ms, scv=0.1)", "3ms",
                                        "uniform(low=1ms, high=4ms)", "exponential(1ms) + 5ms" };
    (void)state;
    for (size_t k = 0; k < sizeof laws / sizeof laws[0]; k++) {
        lab l;
        dlab_sampler sampler;
        dlab_rng rng;
        double sum = 0;
        open_lab(&l, settings(laws[k]), NULL, 0);
        assert_int_equal(dlab_sampler_init(&sampler, &l.p.delay, &l.pool, 0, &l.ctx.arena, NULL), DLAB_OK);
        dlab_stream(&l.ctx, &rng, DLAB_PURPOSE_LINK, UINT64_C(2) << 32 | 3);
        for (int i = 0; i < MANY; i++) {
            const int64_t now = 1000 * i;
            const dlab_fate f = send(&l, now, 2, 3);
            assert_int_equal(f.lost, -1);
            assert_int_equal(f.copy, 0);
            assert_int_equal(f.arrive - now, dlab_sample_ns(&sampler, &rng));
            sum += (double)(f.arrive - now) * 1e-9;
        }
        const double mean = dlab_distribution_mean(&l.p.delay, &l.pool);
        const double se = sqrt(dlab_distribution_variance(&l.p.delay, &l.pool) / MANY);
        assert_true(fabs(sum / MANY - mean) <= 4 * se + 1e-9);
        close_lab(&l);
    }
}

/* --- chances --- */

static void chances_have_their_shares(void **state)
{
    lab l;
    dlab_network p = settings("exponential(1ms)");
    double lost = 0, copies = 0, flipped = 0, sum = 0, arrived = 0;
    (void)state;
    p.loss = 0.1;
    p.duplicate = 0.2;
    p.reorder = 0.3;
    p.corrupt = 0.05;
    p.checksum = false;
    open_lab(&l, p, NULL, 0);
    for (int i = 0; i < MANY; i++) {
        const dlab_fate f = send(&l, i, 0, 1);
        if (f.lost >= 0) {
            assert_int_equal(f.lost, DLAB_DROP_LOSS);
            lost++;
            continue;
        }
        arrived++;
        copies += f.copy > 0;
        flipped += f.corrupt;
        sum += (double)(f.arrive - i) * 1e-6;
        if (f.copy > 0) assert_true(f.copy > i);
    }
    assert_share("loss", lost, MANY, 0.1);
    assert_share("duplicate", copies, arrived, 0.2);
    assert_share("corrupt", flipped, arrived, 0.05);
    /* The delay is E + B E': mean 1.3, variance 1 + 0.3 * 2 - 0.09 = 1.51 (ms). */
    assert_true(fabs(sum / arrived - 1.3) <= 4 * sqrt(1.51 / arrived));
    assert_int_equal(l.net.duplicated, (uint64_t)copies);
    close_lab(&l);
}

static void a_checksum_turns_corruption_into_loss(void **state)
{
    lab l;
    dlab_network p = settings("1ms");
    (void)state;
    p.corrupt = 1;
    p.duplicate = 1;
    open_lab(&l, p, NULL, 0);
    assert_int_equal(send(&l, 0, 0, 1).lost, DLAB_DROP_CORRUPT);
    assert_int_equal(l.net.duplicated, 0);
    close_lab(&l);
    p.checksum = false;
    open_lab(&l, p, NULL, 0);
    const dlab_fate f = send(&l, 0, 0, 1);
    assert_true(f.corrupt && f.lost == -1 && f.arrive == 1000000 && f.copy == 1000000);
    close_lab(&l);
}

static void a_copy_never_arrives_at_the_time_that_means_none(void **state)
{
    lab l;
    dlab_network p = settings("0ms");
    (void)state;
    p.duplicate = 1;
    open_lab(&l, p, NULL, 0);
    const dlab_fate f = send(&l, 0, 0, 1);
    assert_int_equal(f.arrive, 0);
    assert_int_equal(f.copy, 1);
    close_lab(&l);
}

/* --- common random numbers --- */

/* Send the same messages in round robin; fates in order. */
static void round_robin(dlab_network p, dlab_link_row *rows, uint32_t count, dlab_fate *fates, int n)
{
    lab l;
    open_lab(&l, p, rows, count);
    for (int i = 0; i < n; i++) fates[i] = send(&l, 0, (unsigned)i % NODES, (unsigned)(i / NODES) % NODES);
    close_lab(&l);
}

static bool on_link(int i, int from, int to) { return i % NODES == from && i / NODES % NODES == to; }

static void a_probability_moves_no_other_draw(void **state)
{
    enum { N = 8000 };
    static dlab_fate without[N], with[N], more[N];
    const dlab_network p = settings("lognormal(mean=1ms, scv=1)");
    dlab_link_row row = blank_row(1, 2);
    int lost = 0, kept = 0, copies = 0;
    (void)state;
    round_robin(p, NULL, 0, without, N);
    row.loss = 0.3;
    row.duplicate = 0.2;
    round_robin(p, &row, 1, with, N);
    row.loss = 0.5;
    row.corrupt = 0.2;
    row.reorder = 0.4;
    round_robin(p, &row, 1, more, N);
    for (int i = 0; i < N; i++) {
        if (!on_link(i, 1, 2)) {
            assert_int_equal(with[i].arrive, without[i].arrive);
            assert_int_equal(more[i].arrive, without[i].arrive);
            assert_int_equal(with[i].lost, -1);
            continue;
        }
        if (with[i].lost >= 0) {
            assert_true(more[i].lost >= 0); /* what a smaller loss takes, a larger one takes too */
            lost++;
            continue;
        }
        assert_int_equal(with[i].arrive, without[i].arrive);
        if (more[i].lost >= 0) continue;
        kept++;
        copies += with[i].copy > 0;
        assert_int_equal(more[i].copy, with[i].copy);
        assert_true(more[i].arrive >= with[i].arrive);
    }
    assert_true(lost > 100 && kept > 100 && copies > 20);
}

static void a_fault_finds_the_chances_where_they_would_be(void **state)
{
    lab lossy, degraded;
    dlab_network p = settings("exponential(1ms)");
    (void)state;
    open_lab(&degraded, p, NULL, 0);
    p.loss = 0.2;
    open_lab(&lossy, p, NULL, 0);
    for (int i = 0; i < 3000; i++) {
        const bool fault = i / 500 % 2 == 1;
        if (i % 500 == 0) assert_int_equal(dlab_net_degrade(&degraded.net, 0, 1, fault ? 0.2 : 0), DLAB_OK);
        const dlab_fate a = send(&lossy, i, 0, 1), b = send(&degraded, i, 0, 1);
        assert_int_equal(b.lost, fault ? a.lost : -1);
        if (b.lost < 0 && a.lost < 0) assert_int_equal(a.arrive, b.arrive);
    }
    dlab_arena_free(&lossy.ctx.arena);
    close_lab(&degraded);
}

/* --- order and the wire --- */

static void fifo_waits_for_the_latest_before(void **state)
{
    static dlab_fate loose[MANY];
    lab l;
    dlab_network p = settings("exponential(5ms)");
    int64_t latest = 0, overtakings = 0;
    (void)state;
    open_lab(&l, p, NULL, 0);
    for (int i = 0; i < MANY; i++) loose[i] = send(&l, 1000000 * (int64_t)i, 3, 0);
    close_lab(&l);
    p.ordering = DLAB_ORDERING_FIFO;
    open_lab(&l, p, NULL, 0);
    for (int i = 0; i < MANY; i++) {
        overtakings += loose[i].arrive < latest;
        if (loose[i].arrive > latest) latest = loose[i].arrive;
        assert_int_equal(send(&l, 1000000 * (int64_t)i, 3, 0).arrive, latest);
    }
    assert_true(overtakings > MANY / 10);
    close_lab(&l);
}

/* 1 MB/s is 1 us a byte; the delay is 1 ms. Three at once leave one after the other; a fourth finds 600 bytes
 * ahead of it, which is more than 500. */
static void the_wire_follows_a_schedule_by_hand(void **state)
{
    static const struct {
        int64_t at, arrive; /* us; arrive -1: the queue is full */
        uint32_t bytes;
    } rows[] = { { 0, 1100, 100 },   { 0, 1300, 200 },   { 0, 1600, 300 },   { 50, -1, 10 },
                 { 100, 1700, 100 }, { 500, 1850, 150 }, { 900, 2000, 100 }, { 900, 2001, 1 } };
    lab l;
    dlab_network p = settings("1ms");
    (void)state;
    p.bandwidth = 1e6;
    p.link_queue = 500;
    open_lab(&l, p, NULL, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const dlab_fate f = send_wire(&l, rows[i].at * 1000, 0, 1, 0, rows[i].bytes);
        if (rows[i].arrive < 0) assert_int_equal(f.lost, DLAB_DROP_QUEUE);
        else assert_int_equal(f.arrive, rows[i].arrive * 1000);
    }
    assert_int_equal(send_wire(&l, 0, 1, 0, 0, 5).arrive, 1005000); /* the way back has a wire of its own */
    close_lab(&l);
}

/* One byte leaves in each microsecond; who finds more than `room` bytes there is sent away. */
static void the_wire_meets_a_clockwork_of_bytes(void **state)
{
    enum { N = 3000, ROOM = 2000 };
    static int64_t at[N], arrive[N];
    static uint32_t bytes[N];
    dlab_rng rng;
    lab l;
    int64_t now = 0, ahead = 0, full = 0;
    dlab_network p = settings("0ms");
    (void)state;
    p.bandwidth = 1e6;
    p.link_queue = ROOM;
    dlab_rng_open(&rng, 3, DLAB_PURPOSE_SAMPLE, 0);
    for (int i = 0; i < N; i++) {
        const int64_t then = now + (int64_t)dlab_rng_below(&rng, 600);
        for (; now < then; now++) ahead -= ahead > 0;
        at[i] = now;
        bytes[i] = (uint32_t)dlab_rng_below(&rng, 700);
        arrive[i] = -1;
        if (ahead > ROOM) continue;
        ahead += bytes[i];
        arrive[i] = now + ahead;
    }
    open_lab(&l, p, NULL, 0);
    for (int i = 0; i < N; i++) {
        const dlab_fate f = send_wire(&l, at[i] * 1000, 2, 1, 0, bytes[i]);
        full += f.lost == DLAB_DROP_QUEUE;
        assert_int_equal(f.lost == DLAB_DROP_QUEUE, arrive[i] < 0);
        if (arrive[i] >= 0) assert_int_equal(f.arrive, arrive[i] * 1000);
    }
    assert_true(full > N / 50 && full < N / 2);
    close_lab(&l);
}

static void losses_behind_the_wire_have_used_it(void **state)
{
    lab l;
    dlab_network p = settings("0ms");
    (void)state;
    p.bandwidth = 1e6;
    open_lab(&l, p, NULL, 0);
    dlab_net_cut(&l.net, 0, 1, 1);
    assert_int_equal(send(&l, 0, 0, 1).lost, DLAB_DROP_CUT);
    dlab_net_cut(&l.net, 0, 1, -1);
    assert_int_equal(send(&l, 0, 0, 1).arrive, 200000);
    assert_int_equal(dlab_net_gray(&l.net, 0, gray_of(-1, 1), 1), DLAB_OK);
    assert_int_equal(send(&l, 0, 0, 1).lost, DLAB_DROP_GRAY);
    assert_int_equal(dlab_net_gray(&l.net, 0, gray_of(-1, 1), -1), DLAB_OK);
    assert_int_equal(send(&l, 0, 0, 1).arrive, 300000);
    close_lab(&l);
}

static void times_saturate(void **state)
{
    lab l;
    dlab_network p = settings("1000000s");
    (void)state;
    p.bandwidth = 1;
    open_lab(&l, p, NULL, 0);
    assert_int_equal(dlab_net_slow(&l.net, 0, 1, 1e9), DLAB_OK);
    for (int i = 0; i < 10; i++) assert_true(send_wire(&l, 0, 0, 1, 0, UINT32_MAX).arrive == DLAB_TIME_MAX);
    close_lab(&l);
}

/* --- rows --- */

static void the_last_row_that_fits_counts(void **state)
{
    lab l;
    dlab_link_row rows[] = { blank_row(-1, -1), blank_row(1, DLAB_INT_BLANK), blank_row(DLAB_INT_BLANK, 2),
                             blank_row(1, 2), blank_row(3, 0) };
    (void)state;
    for (int i = 0; i < 5; i++) rows[i].delay = law("1ms"), rows[i].delay.p[0] *= i + 1;
    rows[0].from = rows[0].to = DLAB_INT_BLANK;
    rows[4].delay.kind = -1;
    open_lab(&l, settings("9ms"), rows, 5);
    for (unsigned from = 0; from < NODES; from++)
        for (unsigned to = 0; to < NODES; to++) {
            const int64_t ms = from == 1 && to == 2   ? 4
                               : to == 2              ? 3
                               : from == 1            ? 2
                               : from == 3 && to == 0 ? 9
                                                      : 1;
            assert_int_equal(send(&l, 0, from, to).arrive, ms * 1000000);
        }
    close_lab(&l);
}

static void rows_name_nodes_that_exist(void **state)
{
    lab l;
    dlab_link_row rows[] = { blank_row(0, 1), blank_row(0, NODES) };
    dlab_error err = { .code = DLAB_OK };
    (void)state;
    assert_int_equal(try_lab(&l, settings("1ms"), rows, 2), DLAB_ERANGE);
    assert_string_equal(l.ctx.err.text, "row 1 of table 'links': to = 4, but nodes are 0 .. 3");
    assert_int_equal(dlab_network_check(&l.p, NODES, &l.pool, &err), DLAB_ERANGE);
    assert_int_equal(dlab_network_check(&l.p, NODES + 1, &l.pool, &err), DLAB_OK);
    dlab_arena_free(&l.ctx.arena);
    rows[1] = blank_row(-2, 1);
    assert_int_equal(try_lab(&l, settings("1ms"), rows, 2), DLAB_ERANGE);
    assert_non_null(strstr(l.ctx.err.text, "row 1 of table 'links': from"));
    dlab_arena_free(&l.ctx.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_are_the_draws_of_the_link),
        cmocka_unit_test(chances_have_their_shares),
        cmocka_unit_test(a_checksum_turns_corruption_into_loss),
        cmocka_unit_test(a_copy_never_arrives_at_the_time_that_means_none),
        cmocka_unit_test(a_probability_moves_no_other_draw),
        cmocka_unit_test(a_fault_finds_the_chances_where_they_would_be),
        cmocka_unit_test(fifo_waits_for_the_latest_before),
        cmocka_unit_test(the_wire_follows_a_schedule_by_hand),
        cmocka_unit_test(the_wire_meets_a_clockwork_of_bytes),
        cmocka_unit_test(losses_behind_the_wire_have_used_it),
        cmocka_unit_test(times_saturate),
        cmocka_unit_test(the_last_row_that_fits_counts),
        cmocka_unit_test(rows_name_nodes_that_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
