/* Workloads against second routes: blocks against single draws, the inversion of the rate against numeric
 * integration of dlab_workload_rate, the knots of a day against their sum, bursts against a walk through the
 * same phases one small step at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "sim/workload.h"

enum { GAPS = 5000 };

static dlab_memory memory;

static dlab_distribution law(const char *text)
{
    dlab_distribution d;
    assert_int_equal(dlab_distribution_parse(text, "s", NULL, NULL, &d, NULL), DLAB_OK);
    return d;
}

static dlab_workload workload(int profile, double rate, double peak, double period, const char *gaps)
{
    return (dlab_workload){ .load = DLAB_LOAD_OPEN,
                            .profile = profile,
                            .arrival_rate = rate,
                            .interarrival = law(gaps),
                            .peak_factor = peak,
                            .period = period,
                            .burst_share = 0.2,
                            .clients = 1,
                            .session_jobs = 1 };
}

static dlab_ctx context(void)
{
    return (dlab_ctx){
        .key = 42, .arena = { .memory = &memory }, .steps_max = UINT64_MAX, .poll_at = UINT64_MAX
    };
}

static void draw(const dlab_workload *w, int64_t *gaps, size_t block)
{
    dlab_ctx ctx = context();
    dlab_arrivals a;
    assert_int_equal(dlab_arrivals_open(&a, w, &ctx), DLAB_OK);
    for (size_t i = 0; i < GAPS; i += block)
        assert_int_equal(dlab_arrivals_fill(&a, &ctx, gaps + i, i + block < GAPS ? block : GAPS - i),
                         DLAB_OK);
    dlab_arena_free(&ctx.arena);
}

static void blocks_hold_what_single_draws_give(void **state)
{
    static int64_t one[GAPS], many[GAPS];
    static const char *const laws[] = { "exponential(1)", "gamma(mean=3, scv=2)", "1",
                                        "hyperexponential(mean=1, scv=5)", "lognormal(mean=1, scv=2)" };
    (void)state;
    for (int profile = DLAB_PROFILE_STEADY; profile <= DLAB_PROFILE_BURSTS; profile++)
        for (size_t k = 0; k < sizeof laws / sizeof laws[0]; k++) {
            const dlab_workload w = workload(profile, 30, 1.7, 11, laws[k]);
            draw(&w, one, 1);
            for (size_t block = 7; block < 1000; block *= 6) {
                draw(&w, many, block);
                assert_memory_equal(one, many, sizeof one);
            }
        }
}

/* The integral of the rate from one arrival to the next, by Simpson's rule in small steps (exact between the
 * knots, which a ramp and a day have on multiples of period / 24). */
static double numeric(const dlab_workload *w, double from, double until)
{
    double sum = 0;
    while (from < until) {
        const double piece = w->period / 24;
        const double knot = (floor(from / piece * (1 + 1e-12)) + 1) * piece;
        const double to = knot < until ? knot : until, h = to - from;
        sum += h / 6 *
               (dlab_workload_rate(w, from) + 4 * dlab_workload_rate(w, from + h / 2) +
                dlab_workload_rate(w, to));
        from = to;
    }
    return sum;
}

/* Each gap is rounded to a nanosecond, so the k-th arrival is off by at most k / 2 of them; in arrivals. */
static double rounding(int k, double rate) { return 0.51e-9 * (k + 1) * rate + 1e-9; }

/* The k-th gap is 1 in operational time, so the rate integrates to 1 over each gap. */
static void inversion_meets_numeric_integration(void **state)
{
    static const struct {
        int profile;
        double rate, peak, period;
    } cases[] = { { DLAB_PROFILE_STEADY, 5, 1, 60 },   { DLAB_PROFILE_RAMP, 5, 4, 60 },
                  { DLAB_PROFILE_RAMP, 0.1, 100, 7 },  { DLAB_PROFILE_RAMP, 5, 1, 60 },
                  { DLAB_PROFILE_DIURNAL, 5, 2, 60 },  { DLAB_PROFILE_DIURNAL, 50, 1.3, 86400 },
                  { DLAB_PROFILE_DIURNAL, 0.2, 2, 3 }, { DLAB_PROFILE_DIURNAL, 1000, 1.9, 0.1 } };
    static int64_t gaps[GAPS];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const dlab_workload w =
            workload(cases[i].profile, cases[i].rate, cases[i].peak, cases[i].period, "1");
        const double peak = w.arrival_rate * w.peak_factor;
        double now = 0;
        int64_t now_ns = 0;
        draw(&w, gaps, 64);
        for (int k = 0; k < GAPS; k++) {
            now_ns += gaps[k];
            const double next = (double)now_ns * 1e-9, counted = numeric(&w, now, next);
            if (fabs(counted - 1) > 2 * rounding(k, peak))
                fail_msg("case %zu: %.12g arrivals expected in gap %d", i, counted, k);
            now = next;
        }
    }
}

static void a_day_has_the_mean_it_is_given(void **state)
{
    (void)state;
    for (double peak = 1; peak <= 2; peak += 0.25) {
        const dlab_workload w = workload(DLAB_PROFILE_DIURNAL, 10, peak, 24, "1");
        double sum = 0;
        for (int k = 0; k < 24; k++) {
            const double knot = dlab_workload_rate(&w, k), mirrored = dlab_workload_rate(&w, (k + 12) % 24);
            const double sine = sin(2 * 3.14159265358979324 * k / 24);
            assert_true(fabs(knot - (10 + 10 * (peak - 1) * sine)) < 1e-14 * 20);
            assert_true(knot + mirrored == 20); /* the two halves cancel to the last bit */
            assert_true(knot >= 0);
            assert_true(fabs(dlab_workload_rate(&w, k + 24 * 1000) - knot) < 1e-12);
            sum += knot - 10;
        }
        assert_true(fabs(sum) < 1e-13);
        assert_true(dlab_workload_mean_rate(&w) == 10);
    }
    const dlab_workload ramp = workload(DLAB_PROFILE_RAMP, 10, 3, 60, "1");
    assert_true(dlab_workload_rate(&ramp, 0) == 10 && dlab_workload_rate(&ramp, 30) == 20);
    assert_true(dlab_workload_rate(&ramp, 60) == 30 && dlab_workload_rate(&ramp, 1e6) == 30);
    assert_true(dlab_workload_mean_rate(&ramp) == 30);
}

/* Bursts: the phases come from a stream of their own, so a walk through them finds the same arrivals. */
static void bursts_follow_their_phases(void **state)
{
    static int64_t gaps[GAPS];
    (void)state;
    for (int calm_is_silent = 0; calm_is_silent < 2; calm_is_silent++) {
        const double peak = calm_is_silent ? 5 : 3, share = 0.2, rate = 20, period = 2;
        const dlab_workload w = workload(DLAB_PROFILE_BURSTS, rate, peak, period, "1");
        dlab_ctx ctx = context();
        dlab_rng phases;
        draw(&w, gaps, 64);
        dlab_stream(&ctx, &phases, DLAB_PURPOSE_PROFILE, 0);
        bool burst = !(dlab_rng_unit(&phases) < share); /* the phase before the first */
        double end = 0, begin = 0, counted = 0, arrival = 0, until = 0;
        double now_rate = 0, time_in_bursts = 0;
        int64_t arrival_ns = 0;
        for (int k = 0; k < GAPS; k++) {
            arrival_ns += gaps[k];
            arrival = (double)arrival_ns * 1e-9;
            while (end < arrival) { /* all of the phase lies before the arrival */
                counted += now_rate * (end - until);
                time_in_bursts += burst ? end - begin : 0;
                until = begin = end;
                burst = !burst;
                now_rate = burst ? rate * peak : rate * (1 - share * peak) / (1 - share);
                end += (burst ? share : 1 - share) * period * dlab_rng_exponential(&phases);
            }
            counted += now_rate * (arrival - until);
            until = arrival;
            if (fabs(counted - (k + 1)) > rounding(k, rate * peak))
                fail_msg("arrival %d is number %.9g by its phases", k, counted);
        }
        assert_true(fabs(time_in_bursts / arrival - share) < 4 * share * sqrt(2 * period / arrival));
        assert_true(dlab_workload_mean_rate(&w) == rate);
    }
}

static void draws_do_not_depend_on_rate_or_profile(void **state)
{
    static int64_t a[GAPS], b[GAPS];
    const dlab_workload slow = workload(DLAB_PROFILE_STEADY, 1, 1, 60, "exponential(1)");
    const dlab_workload flat = workload(DLAB_PROFILE_DIURNAL, 4, 1, 60, "exponential(7)");
    (void)state;
    draw(&slow, a, 64);
    draw(&flat, b, 64);
    for (int k = 0; k < GAPS; k++) assert_true(llabs(a[k] - 4 * b[k]) <= 4);
}

static void rules_are_kept(void **state)
{
    dlab_error err = { 0 };
    dlab_workload w = workload(DLAB_PROFILE_DIURNAL, 10, 2.1, 60, "1");
    (void)state;
    assert_int_equal(dlab_workload_check(&w, NULL, &err), DLAB_EINVAL);
    assert_non_null(strstr(err.text, "below 0"));
    err = (dlab_error){ 0 };
    w = workload(DLAB_PROFILE_BURSTS, 10, 5.1, 60, "1");
    assert_int_equal(dlab_workload_check(&w, NULL, &err), DLAB_EINVAL);
    assert_non_null(strstr(err.text, "exceed"));
    for (int load = DLAB_LOAD_OPEN; load <= DLAB_LOAD_PACED; load++) {
        err = (dlab_error){ 0 };
        w = workload(DLAB_PROFILE_RAMP, 10, 5, 60, "1");
        w.load = load;
        const bool outside = load == DLAB_LOAD_OPEN || load == DLAB_LOAD_PARTLY_OPEN;
        assert_int_equal(dlab_workload_check(&w, NULL, &err), outside ? DLAB_OK : DLAB_EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_hold_what_single_draws_give),
        cmocka_unit_test(inversion_meets_numeric_integration),
        cmocka_unit_test(a_day_has_the_mean_it_is_given),
        cmocka_unit_test(bursts_follow_their_phases),
        cmocka_unit_test(draws_do_not_depend_on_rate_or_profile),
        cmocka_unit_test(rules_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
