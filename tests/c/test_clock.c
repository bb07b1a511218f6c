/* Clocks against a clock that ticks: a witness that adds one nanosecond's worth of ticks at a time, in whole
 * 1e-9 ns. Timers against their definition (not a nanosecond early, not one late), promised bounds against
 * what the wall clock shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

#include "sim/clock.h"

#define BILLION INT64_C(1000000000)
#define DAY (86400 * BILLION)

static const dlab_ctx ctx = { .key = 42 };

static dlab_rng stream(uint64_t entity)
{
    dlab_rng rng;
    dlab_rng_open(&rng, 7, DLAB_PURPOSE_SAMPLE, entity);
    return rng;
}

/* Uniform on -most .. most. */
static int64_t either(dlab_rng *rng, int64_t most)
{
    return (int64_t)dlab_rng_below(rng, 2 * (uint64_t)most + 1) - most;
}

static dlab_clocks parameters(double drift, double skew, int spread)
{
    return (dlab_clocks){
        .drift = drift, .skew = skew, .clock_spread = spread, .sync_interval = INFINITY, .clock_error = 1e-3
    };
}

/* The witness: ticks are 1e-9 ns of local time. */
typedef struct ticking {
    int64_t ticks, rate, ahead; /* wall reads `ahead` more */
} ticking;

static void a_clock_reads_what_a_ticking_one_reads(void **state)
{
    enum { RUNS = 60, NS = 4000 };
    (void)state;
    dlab_rng rng = stream(1);
    for (int run = 0; run < RUNS; run++) {
        dlab_clock c;
        dlab_clock_open(&c, NULL, &ctx, 0);
        ticking t = { .rate = BILLION };
        for (int64_t now = 0; now < NS; now++, t.ticks += t.rate) {
            const int64_t mono = t.ticks / BILLION;
            assert_int_equal(dlab_clock_mono(&c, now), mono);
            assert_int_equal(dlab_clock_wall(&c, now), mono + t.ahead);
            /* change something, now and then or (in half the runs) all the time */
            switch (dlab_rng_below(&rng, run % 2 ? 6 : 200)) {
            case 0: {
                const int64_t ppb = dlab_rng_below(&rng, 4) == 0 ? 100000000 : either(&rng, 100000000);
                dlab_clock_set_drift(&c, now, (double)ppb * 1e-3);
                t.rate = BILLION + ppb;
                break;
            }
            case 1: {
                const int64_t by = either(&rng, 50);
                dlab_clock_jump(&c, now, by);
                t.ahead += by;
                break;
            }
            case 2: {
                const int64_t offset = either(&rng, 50);
                dlab_clock_sync(&c, now, offset, 50);
                t.ahead = now + offset - mono;
                break;
            }
            default: break;
            }
        }
    }
}

static void a_timer_is_due_when_a_ticking_clock_says_so(void **state)
{
    static const int64_t rates[] = {
        -100000000, -99999999, -33333333, -1, 0, 1, 12345678, 99999999, 100000000
    };
    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        for (int64_t start = 0; start < 40; start++) {
            dlab_clock c;
            dlab_clock_open(&c, NULL, &ctx, 0);
            dlab_clock_set_drift(&c, 0, 77777); /* something is cut off when the rate changes */
            dlab_clock_set_drift(&c, 13, (double)rates[i] * 1e-3);
            const int64_t now = 13 + start;
            int64_t t = now;
            for (int64_t local = -2; local < 100; local++) {
                while (dlab_clock_mono(&c, t) - dlab_clock_mono(&c, now) < local) t++;
                assert_int_equal(dlab_clock_after(&c, now, local), t);
            }
        }
}

/* The definition, at any time, rate and length. */
static void a_timer_never_fires_early_on_its_own_clock(void **state)
{
    (void)state;
    dlab_rng rng = stream(2);
    for (int i = 0; i < 200000; i++) {
        dlab_clock c;
        dlab_clock_open(&c, NULL, &ctx, 0);
        const int64_t change = (int64_t)(dlab_rng_u64(&rng) >> (5 + dlab_rng_below(&rng, 55)));
        const int64_t now = change + (int64_t)(dlab_rng_u64(&rng) >> (5 + dlab_rng_below(&rng, 55)));
        const int64_t local = 1 + (int64_t)(dlab_rng_u64(&rng) >> (5 + dlab_rng_below(&rng, 58)));
        dlab_clock_set_drift(&c, 0, (double)either(&rng, 100000000) * 1e-3);
        dlab_clock_set_drift(&c, change, (double)either(&rng, 100000000) * 1e-3);
        const int64_t due = dlab_clock_after(&c, now, local), read = dlab_clock_mono(&c, now);
        assert_true(due > now);
        assert_true(dlab_clock_mono(&c, due) - read >= local);
        assert_true(dlab_clock_mono(&c, due - 1) - read < local);
    }
}

static void the_end_of_time_is_a_wall(void **state)
{
    (void)state;
    dlab_clock c;
    dlab_clock_open(&c, NULL, &ctx, 0);
    dlab_clock_set_drift(&c, 0, -1e5);
    assert_true(dlab_clock_after(&c, DLAB_TIME_MAX / 2, INT64_MAX) == DLAB_TIME_MAX);
    assert_true(dlab_clock_after(&c, 0, DLAB_TIME_MAX) == DLAB_TIME_MAX);
    dlab_clock_jump(&c, 0, INT64_MAX);
    assert_true(dlab_clock_wall(&c, DLAB_TIME_MAX) == INT64_MAX);
    dlab_clock_jump(&c, 0, INT64_MIN);
    dlab_clock_jump(&c, 0, INT64_MIN);
    assert_true(dlab_clock_wall(&c, 0) == INT64_MIN);
    /* rates beyond the range are its ends: a clock never stops or runs back */
    dlab_clock_set_drift(&c, 0, -1e300);
    assert_int_equal(c.ppb, -100000000);
    dlab_clock_set_drift(&c, 0, 1e300);
    assert_int_equal(c.ppb, 100000000);
    dlab_clock_set_drift(&c, 0, NAN);
    assert_int_equal(c.ppb, -100000000);
}

static int64_t off(const dlab_clock *c, int64_t now) { return llabs(dlab_clock_wall(c, now) - now); }

/* Section 3: "between synchronizations ... a slowly increasing time uncertainty"; the promise always holds,
 * and the worst clock comes within 2 ns of it (its reading is rounded down, its bound up). */
static void the_promised_bound_holds_and_is_tight(void **state)
{
    static const double drifts[] = { 0, 1e-3, 3.3, 200, 1e4, 1e5 };
    (void)state;
    dlab_rng rng = stream(3);
    for (size_t k = 0; k < sizeof drifts / sizeof drifts[0]; k++)
        for (int spread = DLAB_CLOCK_SPREAD_RANDOM; spread <= DLAB_CLOCK_SPREAD_WORST; spread++)
            for (uint32_t node = 0; node < 20; node++) {
                dlab_clocks p = parameters(drifts[k], 0.01, spread);
                p.sync_interval = 30;
                dlab_clock c;
                dlab_clock_open(&c, &p, &ctx, node);
                int64_t now = 0;
                for (uint64_t count = 1; count <= 50; count++) {
                    for (int look = 0; look < 5; look++) {
                        now += (int64_t)dlab_rng_below(&rng, look == 0 ? 20 : (uint64_t)DAY);
                        const int64_t error = dlab_clock_error(&c, now);
                        assert_true(off(&c, now) <= error);
                        if (spread == DLAB_CLOCK_SPREAD_WORST) assert_true(off(&c, now) >= error - 2);
                    }
                    const int64_t left = dlab_clock_leftover(&p, &ctx, node, count);
                    assert_true(llabs(left) <= 1000000);
                    if (spread == DLAB_CLOCK_SPREAD_WORST)
                        assert_int_equal(left, node % 2 == 0 ? 1000000 : -1000000);
                    dlab_clock_sync(&c, now, left, 1000000);
                    assert_int_equal(dlab_clock_wall(&c, now), now + left);
                    assert_int_equal(dlab_clock_error(&c, now), 1000000);
                }
            }
}

static void faults_break_the_promise(void **state)
{
    (void)state;
    dlab_clocks p = parameters(100, 0, DLAB_CLOCK_SPREAD_RANDOM);
    p.sync_interval = 30;
    dlab_clock c;
    dlab_clock_open(&c, &p, &ctx, 3);
    dlab_clock_sync(&c, 10 * BILLION, 0, 1000);
    assert_true(off(&c, 20 * BILLION) <= dlab_clock_error(&c, 20 * BILLION));
    assert_int_equal(dlab_clock_error(&c, 20 * BILLION), 1000 + 1000000); /* 100 ppm of 10 s */
    const dlab_clock before = c;
    const int64_t mono = dlab_clock_mono(&c, 20 * BILLION);
    dlab_clock_jump(&c, 20 * BILLION, 5 * BILLION);
    assert_int_equal(dlab_clock_mono(&c, 20 * BILLION), mono); /* it never jumps */
    assert_true(off(&c, 20 * BILLION) > dlab_clock_error(&c, 20 * BILLION));
    c = before;
    dlab_clock_set_drift(&c, 20 * BILLION, 1000);
    assert_int_equal(dlab_clock_mono(&c, 20 * BILLION), mono);
    assert_true(off(&c, 40 * BILLION) > dlab_clock_error(&c, 40 * BILLION));
}

static void clocks_spread_as_told(void **state)
{
    enum { NODES = 20000 };
    (void)state;
    const dlab_clocks p = parameters(1000, 0.5, DLAB_CLOCK_SPREAD_RANDOM);
    const dlab_clocks twice = parameters(2000, 1, DLAB_CLOCK_SPREAD_RANDOM);
    double sum[2] = { 0 }, squares[2] = { 0 }, both = 0;
    for (uint32_t node = 0; node < NODES; node++) {
        dlab_clock c, d;
        dlab_clock_open(&c, &p, &ctx, node);
        dlab_clock_open(&d, &twice, &ctx, node);
        assert_true(llabs(c.ppb) <= 1000000 && llabs(c.wall) <= BILLION / 2);
        assert_int_equal(c.mono, 0);
        assert_true(c.error == INT64_MAX && dlab_clock_error(&c, DAY) == INT64_MAX);
        assert_true(llabs(2 * c.ppb - d.ppb) <= 1 && llabs(2 * c.wall - d.wall) <= 1); /* same places */
        const double x[2] = { (double)c.ppb / 1e6, (double)c.wall / 5e8 };
        for (int i = 0; i < 2; i++) sum[i] += x[i], squares[i] += x[i] * x[i];
        both += x[0] * x[1];
    }
    /* uniform on [-1, 1]: mean 0, variance 1/3, fourth moment 1/5; and the two are independent */
    for (int i = 0; i < 2; i++) {
        assert_true(fabs(sum[i] / NODES) < 4 * sqrt(1.0 / 3 / NODES));
        assert_true(fabs(squares[i] / NODES - 1.0 / 3) < 4 * sqrt((1.0 / 5 - 1.0 / 9) / NODES));
    }
    assert_true(fabs(both / NODES) < 4.0 / 3 / sqrt(NODES));
}

static void worst_clocks_stand_at_both_ends(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        dlab_clocks p = parameters(sign * 200, sign * 0.25, DLAB_CLOCK_SPREAD_WORST);
        p.sync_interval = 1;
        for (uint32_t node = 0; node < 6; node++) {
            dlab_clock c;
            const int end = node % 2 == 0 ? sign : -sign;
            dlab_clock_open(&c, &p, &ctx, node);
            assert_int_equal(c.ppb, end * 200000);
            assert_int_equal(c.wall, end * (BILLION / 4));
            assert_int_equal(c.bound_ppb, 200000);
            assert_int_equal(dlab_clock_error(&c, 0), BILLION / 4);
        }
    }
    dlab_clock c;
    dlab_clock_open(&c, NULL, &ctx, 0);
    assert_int_equal(dlab_clock_wall(&c, DAY), DAY);
    assert_int_equal(dlab_clock_error(&c, DAY), 0);
}

static void the_fields_say_what_is_accepted(void **state)
{
    (void)state;
    static dlab_layout layout;
    dlab_clocks p;
    dlab_error err = { 0 };
    assert_int_equal(dlab_layout_init(&layout, dlab_clock_fields, &err), DLAB_OK);
    for (int i = 0; i < layout.count; i++) {
        const dlab_field *f = &layout.fields[i];
        assert_int_equal(dlab_field_set_default(f, &p, &err), DLAB_OK);
        assert_int_equal(dlab_field_check(f, &p, NULL, &err), DLAB_OK);
        assert_int_not_equal(dlab_field_set_number(f, &p, NAN, NULL), DLAB_OK);
        if (f->type == DLAB_CHOICE) continue;
        assert_int_equal(dlab_field_set_number(f, &p, f->min, &err), DLAB_OK);
        assert_int_equal(dlab_field_set_number(f, &p, f->max, &err), DLAB_OK);
        assert_int_not_equal(dlab_field_set_number(f, &p, f->max * 1.001, NULL), DLAB_OK);
        assert_int_equal(dlab_field_set_default(f, &p, &err), DLAB_OK);
    }
    assert_true(p.drift == 0 && p.skew == 0 && isinf(p.sync_interval));
    assert_int_equal(p.clock_spread, DLAB_CLOCK_SPREAD_RANDOM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_reads_what_a_ticking_one_reads),
        cmocka_unit_test(a_timer_is_due_when_a_ticking_clock_says_so),
        cmocka_unit_test(a_timer_never_fires_early_on_its_own_clock),
        cmocka_unit_test(the_end_of_time_is_a_wall),
        cmocka_unit_test(the_promised_bound_holds_and_is_tight),
        cmocka_unit_test(faults_break_the_promise),
        cmocka_unit_test(clocks_spread_as_told),
        cmocka_unit_test(worst_clocks_stand_at_both_ends),
        cmocka_unit_test(the_fields_say_what_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
