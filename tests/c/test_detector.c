/* Failure detectors: arrivals written by hand and the deadlines that follow, and the law of the fixed timeout
 * against the formula for one heartbeat, against a plain sum, and against its own identity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "walk.h"

#include "links/detector.h"
#include "links/trouble.h"

enum { MS = 1000000 };

static const dlab_pool no_tables;

static dlab_ctx context(dlab_memory *memory)
{
    return (dlab_ctx){ .key = 7,
                       .arena = { .memory = memory },
                       .pool = &no_tables,
                       .steps_max = UINT64_MAX,
                       .poll_at = UINT64_MAX };
}

static dlab_detector_rule rule(int32_t kind, int32_t timer_from)
{
    return (dlab_detector_rule){ .kind = kind,
                                 .timer_from = timer_from,
                                 .interval = 1000 * MS,
                                 .timeout = 200 * MS,
                                 .margin = 300 * MS,
                                 .deviation_min = 10 * MS,
                                 .phi = 8,
                                 .window = 3 };
}

/* Deadlines in ms after arrivals (number, ms). */
static void expect(const dlab_detector_rule *r, const int64_t (*heard)[3], size_t n)
{
    dlab_memory memory = { 0 };
    dlab_ctx ctx = context(&memory);
    dlab_detector d;
    assert_int_equal(dlab_detector_open(&d, r, &ctx), DLAB_OK);
    assert_true(d.deadline == INT64_MIN);
    for (size_t k = 0; k < n; k++) {
        dlab_detector_heard(&d, heard[k][0], heard[k][1] * MS);
        assert_int_equal(d.deadline / MS, heard[k][2]);
    }
    dlab_arena_free(&ctx.arena);
}

static void a_fixed_timeout_follows_the_clock_or_the_last_arrival(void **state)
{
    /* Heartbeat i vouches until (i + 1) s + 200 ms; number 2 overtakes number 3 and changes nothing. */
    static const int64_t sent[][3] = {
        { 1, 1020, 2200 }, { 3, 3010, 4200 }, { 2, 3050, 4200 }, { 4, 4900, 5200 }
    };
    static const int64_t last[][3] = {
        { 1, 1020, 1220 }, { 3, 3010, 3210 }, { 2, 3050, 3250 }, { 4, 4900, 5100 }
    };
    (void)state;
    dlab_detector_rule r = rule(DLAB_DETECTOR_FIXED, DLAB_TIMER_FROM_SEND);
    expect(&r, sent, 4);
    r.timer_from = DLAB_TIMER_FROM_LAST_ARRIVAL;
    expect(&r, last, 4);
    /* The planted bug: number 1 arrives when its time is over, and vouches all the same. */
    static const int64_t late[][3] = { { 1, 2500, 3500 } };
    static const int64_t stale[][3] = { { 1, 2500, 2200 } };
    r = rule(DLAB_DETECTOR_FIXED, DLAB_TIMER_FROM_SEND);
    expect(&r, stale, 1);
    r.old_revives = true;
    expect(&r, late, 1);
}

static void chen_expects_the_next_heartbeat_after_the_mean_offset(void **state)
{
    /* Offsets 20, 40, 60, then 100 over a window of three: means 20, 30, 40, 66. */
    static const int64_t heard[][3] = {
        { 1, 1020, 2320 }, { 2, 2040, 3330 }, { 3, 3060, 4340 }, { 2, 3070, 4340 }, { 4, 4100, 5366 }
    };
    (void)state;
    const dlab_detector_rule r = rule(DLAB_DETECTOR_CHEN, 0);
    expect(&r, heard, 5);
}

/* P(Z > z) = 10^-8 at z = 5.612001; mean and deviation of what was heard, 250 ms before anything was. */
static void phi_waits_for_its_share_of_a_normal_law(void **state)
{
    static const int64_t heard[][3] = {
        { 1, 1000, 1000 + 1000 + 1403 }, /* deviation a quarter of the interval */
        { 2, 2000, 2000 + 1000 + 56 },   /* one interval: deviation 0, so 10 ms */
        { 3, 3200, 3200 + 1100 + 561 },  /* 1000, 1200: mean 1100, deviation 100 */
    };
    (void)state;
    const dlab_detector_rule r = rule(DLAB_DETECTOR_PHI, 0);
    expect(&r, heard, 3);
}

static double tail(const dlab_distribution *delay, double loss, double x)
{
    return x < 0 ? 1 : loss + (1 - loss) * (1 - dlab_distribution_cdf(delay, &no_tables, x));
}

/* The theorem by a plain sum over the interval. */
static void the_law_is_that_of_chen_toueg_and_aguilera(void **state)
{
    static const double timeouts[] = { 0.04, 0.2, 1, 2.5 }, losses[] = { 0, 0.01, 0.3 };
    const dlab_distribution laws[] = { { .kind = DLAB_DIST_LOGNORMAL, .p = { 0.02, 1 } },
                                       { .kind = DLAB_DIST_EXPONENTIAL, .p = { 0.7 } } };
    (void)state;
    for (size_t law = 0; law < 2; law++)
        for (size_t t = 0; t < 4; t++)
            for (size_t l = 0; l < 3; l++) {
                enum { PIECES = 20000 };
                dlab_memory memory = { 0 };
                dlab_ctx ctx = context(&memory);
                dlab_detector_rule r = rule(DLAB_DETECTOR_FIXED, DLAB_TIMER_FROM_SEND);
                dlab_detector_qos q;
                double late = 0;
                r.timeout = (int64_t)(timeouts[t] * 1e9);
                assert_int_equal(dlab_detector_theory(&r, losses[l], &laws[law], &q, &ctx), DLAB_OK);
                for (int k = 0; k < PIECES; k++) {
                    double all = 1;
                    for (int j = 0; j <= 3; j++)
                        all *= tail(&laws[law], losses[l], timeouts[t] + (k + 0.5) / PIECES - j);
                    late += all / PIECES;
                }
                assert_true(fabs(1 - q.accuracy - late) < 1e-6);
                if (timeouts[t] < 1)
                    assert_true(fabs(q.false_suspicion - tail(&laws[law], losses[l], timeouts[t])) < 1e-12);
                if (q.mistake_rate > 0)
                    assert_true(fabs(q.mistake_rate * q.mistake_duration - (1 - q.accuracy)) < 1e-9);
            }
    /* Ten medians are wrong once in 94 heartbeats. */
    dlab_memory memory = { 0 };
    dlab_ctx ctx = context(&memory);
    const dlab_detector_rule r = rule(DLAB_DETECTOR_FIXED, DLAB_TIMER_FROM_SEND);
    dlab_detector_qos q;
    assert_int_equal(dlab_detector_theory(&r, 0, &laws[0], &q, &ctx), DLAB_OK);
    assert_true(fabs(1 / q.false_suspicion - 94) < 0.5);
    const dlab_detector_rule other = rule(DLAB_DETECTOR_PHI, 0);
    assert_int_equal(dlab_detector_theory(&other, 0, &laws[0], &q, &ctx), DLAB_OK);
    assert_true(isnan(q.accuracy));
}

/* Trouble takes the share of time that renewal theory says, and everybody sees the same. */
static void trouble_takes_its_share_of_time(void **state)
{
    enum { TIMES = 400000 };
    const dlab_distribution length = { .kind = DLAB_DIST_EXPONENTIAL, .p = { 2 } };
    dlab_memory memory = { 0 };
    dlab_ctx ctx = context(&memory);
    dlab_trouble a, b, never;
    double bad = 0;
    (void)state;
    assert_int_equal(dlab_trouble_open(&a, 0.1, &length, DLAB_PURPOSE_PAUSE, 0, &ctx), DLAB_OK);
    assert_int_equal(dlab_trouble_open(&b, 0.1, &length, DLAB_PURPOSE_PAUSE, 0, &ctx), DLAB_OK);
    assert_int_equal(dlab_trouble_open(&never, 0, &length, DLAB_PURPOSE_PAUSE, 0, &ctx), DLAB_OK);
    for (int64_t i = 0; i < TIMES; i++) {
        const int64_t at = i * 500 * MS;
        const bool is = dlab_trouble_at(&a, at);
        bad += is;
        if (i % 7 == 0) assert_int_equal(dlab_trouble_at(&b, at), is);
        assert_true(dlab_trouble_change(&a, at) > at);
        assert_false(dlab_trouble_at(&never, at));
    }
    /* 2 of 12 s; a cycle's two exponential parts give the variance of the share over so many cycles. */
    const double cycles = TIMES * 0.5 / 12, share = bad / TIMES;
    const double se = 2.0 / 12 * (10.0 / 12) * sqrt(2 / cycles);
    assert_true(fabs(share - 2.0 / 12) <= 4 * se);
    dlab_arena_free(&ctx.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fixed_timeout_follows_the_clock_or_the_last_arrival),
        cmocka_unit_test(chen_expects_the_next_heartbeat_after_the_mean_offset),
        cmocka_unit_test(phi_waits_for_its_share_of_a_normal_law),
        cmocka_unit_test(the_law_is_that_of_chen_toueg_and_aguilera),
        cmocka_unit_test(trouble_takes_its_share_of_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
