/* Closed forms beyond the exponential server, against second routes: fixed points, walks iterated step by
 * step, other formulas for the same number, and 200-digit values where doubles used to fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include <distlab/closed_forms.h>
#include <distlab/numerics.h>

static void near(double got, double want, double tolerance)
{
    if (got == want || fabs(got - want) <= tolerance * fabs(want)) return;
    fail_msg("%.17g instead of %.17g: off by %.2g", got, want, fabs(got - want) / fabs(want));
}

/* --- General laws --- */

static double density_times_power(double x, void *data)
{
    const double *k = data; /* mean, scv, moment, limit unused */
    return pow(x, k[2]) * dlab_law_pdf((dlab_law){ k[0], k[1] }, x);
}

static void laws_have_the_moments_they_promise(void **state)
{
    (void)state;
    const double scvs[] = { 0.04, 0.3, 1, 2.5, 40 };
    for (size_t i = 0; i < 5; i++) {
        const dlab_law law = { 0.7, scvs[i] };
        for (int moment = 0; moment <= 2; moment++) {
            double data[] = { law.mean, law.scv, moment };
            near(dlab_law_partial(law, moment, 0.9),
                 dlab_integrate(density_times_power, data, 0, 0.9, 1e-12, NULL), 1e-9);
        }
        near(dlab_law_partial(law, 1, 1e4), 0.7, 1e-12);
        near(dlab_law_partial(law, 2, 1e4), 0.49 * (1 + law.scv), 1e-12);
        near(dlab_law_partial(law, 0, 0.9) + dlab_law_tail(law, 0.9), 1, 1e-13);
        for (double p = 0.001; p < 1; p += 0.111)
            near(dlab_law_partial(law, 0, dlab_law_quantile(law, p)), p, 1e-11);
        const double h = 1e-6; /* minus the mean is the slope of the transform at 0 */
        near(-dlab_law_log_laplace(law, h) / h, 0.7, 1e-4);
    }
    assert_true(dlab_law_tail((dlab_law){ 2, 0 }, 1.9) == 1 && dlab_law_tail((dlab_law){ 2, 0 }, 2) == 0);
    assert_true(dlab_law_quantile((dlab_law){ 2, 0 }, 0.3) == 2 &&
                dlab_law_partial((dlab_law){ 2, 0 }, 2, 3) == 4);
}

static void pollaczek_khinchine_and_its_limits(void **state)
{
    (void)state;
    near(dlab_mg1(0.8, (dlab_law){ 1, 1 }).wait, dlab_mmc(0.8, 1, 1).wait, 1e-14);
    near(dlab_mg1(0.8, (dlab_law){ 1, 0 }).wait, 2, 1e-14);
    near(dlab_mg1(0.5092953759584194,
                  (dlab_law){ 0.9817485561479389, 17.924194333345106 / pow(0.9817485561479389, 2) - 1 })
             .wait,
         9.128709291752768, 1e-12);
    /* E[W^2] of M/M/1: 2 rho / (mu - lambda)^2. */
    near(dlab_mg1_wait_square(0.8, 1, 2, 6), 2 * 0.8 / 0.04, 1e-12);
    near(dlab_mg1_batch_arrivals(0.5, (dlab_law){ 1, 1 }, 1).wait, 1, 1e-14);
    /* Batches of b constant jobs: E[W] of the batch as one job of b D, plus (b - 1) D / 2 inside it. */
    near(dlab_mg1_batch_arrivals(0.5, (dlab_law){ 1, 0 }, 4).wait,
         dlab_mg1(0.125, (dlab_law){ 4, 0 }).wait + 1.5, 1e-13);
    near(dlab_mgcc(30, 1, 25).loss, dlab_erlang_b(25, 30), 1e-15);
    near(dlab_mginf(200, 0.35).in_system, 70, 1e-14);
    assert_true(isinf(dlab_mg1(1, (dlab_law){ 1, 0 }).wait) &&
                dlab_mg1(3, (dlab_law){ 1, 0 }).throughput == 1);
}

static void gim1_solves_its_equation(void **state)
{
    (void)state;
    near(dlab_gim1_sigma((dlab_law){ 2, 0 }, 1), 0.20318786997997995, 1e-13);
    near(dlab_gim1((dlab_law){ 1.25, 0 }, 1).wait, 1.6927308399198975, 1e-12);
    const double scvs[] = { 0, 0.05, 0.5, 1, 3, 50 };
    for (size_t i = 0; i < 6; i++)
        for (double load = 0.02; load < 1; load += 0.07) {
            const dlab_law gaps = { 1 / load, scvs[i] };
            const double sigma = dlab_gim1_sigma(gaps, 1);
            double fixed = 0.5;
            for (int k = 0; k < 5000; k++) fixed = exp(dlab_law_log_laplace(gaps, 1 - fixed));
            near(sigma, fixed, 1e-10);
            assert_true(dlab_kingman_bound(load, 1, scvs[i], 1) >= dlab_gim1(gaps, 1).wait * (1 - 1e-12));
        }
    near(dlab_gim1((dlab_law){ 1 / 0.8, 1 }, 1).wait, 4, 1e-13);
    /* Heavy traffic: the ratio to the bound tends to one. */
    near(dlab_gim1((dlab_law){ 1 / 0.99999, 0.25 }, 1).wait, dlab_kingman_bound(0.99999, 1, 0.25, 1), 1e-4);
    near(dlab_kingman_bound(0.5, 1, 0, 1), 0.5, 1e-15);
    near(dlab_vut_wait(0.9, 1, 0.25, 4), 19.125, 1e-13);
    near(dlab_ggc(4, 1, 5, 1, 1).wait, dlab_mmc(4, 1, 5).wait, 1e-15);
    near(dlab_ggc(0.8, 1, 1, 1, 3).wait, dlab_mg1(0.8, (dlab_law){ 1, 3 }).wait, 1e-13);
}

static void fluid_spike(void **state)
{
    (void)state;
    const dlab_fluid f = dlab_fluid_spike(1500, 60, 1000, 800);
    assert_true(f.backlog == 30000 && f.drain_time == 150 && f.wait == 30);
    assert_true(dlab_fluid_spike(500, 60, 1000, 800).backlog == 0);
    assert_true(isinf(dlab_fluid_spike(1500, 60, 1000, 1000).drain_time));
}

/* --- Constant service --- */

static const struct {
    double rho, t, cdf, tail;
} md1_waits[] = {
    { 0.5, 1, 8.2436063535006407342e-1, 1.7563936464993592658e-1 },
    { 0.8, 2.5, 7.0485235349161888647e-1, 2.9514764650838111353e-1 },
    { 0.8, 10, 9.883428917349865475e-1, 1.1657108265013452496e-2 },
    { 0.8, 20, 9.9984315636929862866e-1, 1.5684363070137134305e-4 },
    { 0.8, 40, 9.9999997160649534918e-1, 2.8393504650820622792e-8 },
    { 0.8, 60, 9.9999999999485990535e-1, 5.1400946455463779671e-12 },
    { 0.99, 100.25, 8.6713440643106698552e-1, 1.3286559356893301448e-1 },
    { 0.1, 3.7, 9.9999950071430873007e-1, 4.9928569126993279024e-7 },
    { 0.999, 30, 5.8882144569095639711e-2, 9.4111785543090436029e-1 },
    { 0.3, 50.5, 1.0, 2.6931311164821583403e-46 },
};

/* F7: Erlang's alternating sum returns +80 at rho = .8, t = 40 and 1.6e12 at t = 60. */
static void md1_wait_where_the_alternating_sum_explodes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof md1_waits / sizeof md1_waits[0]; i++) {
        const double rho = md1_waits[i].rho, t = md1_waits[i].t;
        near(dlab_md1_wait_cdf(rho, 1, t), md1_waits[i].cdf, 1e-12);
        near(dlab_md1_wait_tail(rho, 1, t), md1_waits[i].tail, 1e-11);
        near(dlab_md1_wait_tail(rho / 0.02, 0.02, t * 0.02), md1_waits[i].tail, 1e-10);
    }
    assert_true(dlab_md1_wait_cdf(0.8, 1, -1e-9) == 0 && dlab_md1_wait_tail(0.8, 1, 1e9) == 0);
    near(dlab_md1_wait_cdf(0.8, 1, 0), 0.2, 1e-15);
}

static double md1_tail(double t, void *data) { return dlab_md1_wait_tail(*(double *)data, 1, t); }

static void md1_wait_integrates_to_pollaczek_khinchine(void **state)
{
    (void)state;
    for (double rho = 0.1; rho < 0.9; rho += 0.26) {
        double mean = 0;
        /* The law has a corner at every whole t. */
        for (int k = 0; k < 120; k++) mean += dlab_integrate(md1_tail, &rho, k, k + 1, 1e-10, NULL);
        near(mean, dlab_mg1(rho, (dlab_law){ 1, 0 }).wait, 1e-9);
        for (double p = 1 - rho + 0.01; p < 1; p += 0.09)
            near(dlab_md1_wait_cdf(rho, 1, dlab_md1_wait_quantile(rho, 1, p)), p, 1e-11);
        assert_true(dlab_md1_wait_quantile(rho, 1, (1 - rho) / 2) == 0);
    }
}

static const struct {
    double rho;
    int64_t n;
    double p;
} md1_states[] = {
    { 0.5, 3, 3.7788103803777221831e-2 },    { 0.5, 80, 3.6938394311856044899e-44 },
    { 0.8, 10, 6.2779678857363441402e-3 },   { 0.8, 200, 1.7638602545892705695e-38 },
    { 0.99, 100, 2.7067056105914563315e-3 }, { 0.05, 5, 3.8396830889563443184e-9 },
};

static void md1_states_to_the_far_tail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof md1_states / sizeof md1_states[0]; i++)
        near(dlab_md1_state(md1_states[i].rho, 1, md1_states[i].n), md1_states[i].p, 1e-11);
    double sum = 0, mean = 0;
    for (int64_t n = 0; n < 3000; n++) {
        const double p = dlab_md1_state(0.97, 1, n);
        sum += p;
        mean += (double)n * p;
    }
    near(sum, 1, 1e-11);
    near(mean, dlab_mg1(0.97, (dlab_law){ 1, 0 }).in_system, 1e-10);
}

static const struct {
    double rho;
    int64_t k;
    double loss, queue;
} md1k_values[] = {
    { 0.9, 5, 6.4361897185502769118e-2, 1.2826261686951829175 },
    { 1.2, 10, 1.7091076854041363915e-1, 6.5967279008453533079 },
    { 1, 3, 1.7634276243494979971e-1, 6.9699343572775542217e-1 },
    { 0.5, 30, 4.9544732394848313151e-17, 2.4999999999999853616e-1 },
    { 3, 4, 6.6668591258660207124e-1, 2.6457122256219076253 },
    { 0.95, 100, 2.0445989595048241976e-6, 9.021122818232883153 },
    { 1, 200, 2.502085070892410342e-3, 9.9084931887684181262e+1 },
    { 20, 3, 9.5000000000000000001e-1, 1.9499999998969423146 },
};

/* F8: the same numbers refuse requests at a token bucket. */
static void md1_with_a_finite_room_is_the_token_bucket(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof md1k_values / sizeof md1k_values[0]; i++) {
        const dlab_queue q = dlab_md1k(md1k_values[i].rho, 1, md1k_values[i].k);
        near(q.loss, md1k_values[i].loss, 1e-11);
        near(q.queue_length, md1k_values[i].queue, 1e-10);
        near(q.throughput, md1k_values[i].rho * (1 - q.loss), 1e-11);
        near(dlab_token_bucket_loss(md1k_values[i].rho * 50, 50, md1k_values[i].k), md1k_values[i].loss,
             1e-10);
    }
    const double rooms[][2] = { { 0.9, 5 }, { 1.2, 10 }, { 1, 200 }, { 0.95, 100 }, { 3, 40 } };
    for (size_t i = 0; i < 5; i++) {
        double sum = 0, mean = 0;
        for (int64_t n = 0; n <= (int64_t)rooms[i][1]; n++) {
            const double p = dlab_md1k_state(rooms[i][0], 1, (int64_t)rooms[i][1], n);
            sum += p;
            mean += (double)n * p;
        }
        near(sum, 1, 1e-11);
        near(mean, dlab_md1k(rooms[i][0], 1, (int64_t)rooms[i][1]).in_system, 1e-10);
    }
    near(dlab_token_bucket_loss(0.9, 1, 5), 0.06436189718550277, 1e-12);
    /* Within rounding of saturation from below, and where the two forms of the loss meet. */
    near(dlab_md1k(1 - 1e-16, 1, 10).loss, dlab_md1k(1, 1, 10).loss, 1e-12);
    near(dlab_md1k(1 - 1e-9, 1, 1000).loss, dlab_md1k(1, 1, 1000).loss, 1e-5);
    for (double rho = 0.7; rho < 1; rho += 0.003) {
        const double loss = dlab_md1k(rho, 1, 40).loss, flow = 1 - (1 - dlab_md1k_state(rho, 1, 40, 0)) / rho;
        assert_true(fabs(loss - flow) < 1e-13);
        assert_true(loss < dlab_md1k(rho + 0.001, 1, 40).loss);
    }
    near(dlab_md1k(0.7, 2, 1).loss, 1.4 / 2.4, 1e-15);
    near(dlab_md1k(500, 1, 3).loss, 1 - 1 / 500.0, 1e-14);
    near(dlab_md1k(0.6, 1, 1000000).wait, dlab_mg1(0.6, (dlab_law){ 1, 0 }).wait, 1e-12);
    near(dlab_md1k(1, 1, 1000000).queue_length, 5e5, 1e-5);
}

static const struct {
    int64_t c;
    double rho, queue, wait_probability;
} mdc_values[] = {
    { 2, 0.5, 1.7674105711283688472e-1, 3.2325894288716311528e-1 },
    { 3, 0.8, 1.3293605403220926121, 6.3254224535066546172e-1 },
    { 10, 0.3, 3.8508798359567484293e-4, 1.1044770874984246095e-3 },
    { 10, 0.9, 3.1012384534171312524, 6.4686128393240778519e-1 },
    { 50, 0.95, 6.1944745692825797514, 6.0123338874688803902e-1 },
    { 100, 0.7, 8.6800352274989022533e-4, 4.3082286231854577641e-4 },
    { 2, 0.9, 3.8644617864884891862, 8.4710764270230241432e-1 },
};

/* Jobs left waiting when one service time has passed: Y' = (Y + arrivals - c)^+, iterated until still. */
static double mdc_queue_by_iteration(int64_t c, double load)
{
    enum { STATES = 400 };
    static double y[STATES], next[STATES], arrivals[STATES];
    for (int i = 0; i < STATES; i++) y[i] = i == 0, arrivals[i] = dlab_poisson_pmf(i, load);
    for (int round = 0; round < 1500; round++) {
        for (int i = 0; i < STATES; i++) next[i] = 0;
        for (int i = 0; i < STATES; i++)
            for (int a = 0; a < 60 && y[i] > 1e-30; a++) {
                const int left = i + a - (int)c;
                next[left < 0 ? 0 : left < STATES ? left : STATES - 1] += y[i] * arrivals[a];
            }
        for (int i = 0; i < STATES; i++) y[i] = next[i];
    }
    double mean = 0;
    for (int i = 0; i < STATES; i++) mean += i * y[i];
    return mean;
}

static void mdc_by_series_by_roots_and_by_iteration(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mdc_values / sizeof mdc_values[0]; i++) {
        const double c = (double)mdc_values[i].c;
        const dlab_queue q = dlab_mdc(mdc_values[i].rho * c, 1, mdc_values[i].c);
        near(q.queue_length, mdc_values[i].queue, 1e-11);
        near(q.wait_probability, mdc_values[i].wait_probability, 1e-11);
    }
    near(dlab_mdc(2.4, 1, 3).wait, 0.5539002251392171, 1e-10);
    near(dlab_mdc(2.4, 1, 3).queue_length, mdc_queue_by_iteration(3, 2.4), 1e-9);
    near(dlab_mdc(4.6, 1, 5).queue_length, mdc_queue_by_iteration(5, 4.6), 1e-9);
    near(dlab_mdc(0.8, 1, 1).wait, dlab_mg1(0.8, (dlab_law){ 1, 0 }).wait, 1e-14);
    /* Across the switch from series to roots nothing jumps, and saturation tends to half of M/M/c. */
    for (double rho = 0.9; rho < 0.97; rho += 0.0005) {
        const double a = dlab_mdc(10 * rho, 1, 10).queue_length,
                     b = dlab_mdc(10 * rho + 1e-7, 1, 10).queue_length;
        near(a, b, 1e-5);
        assert_true(b > a);
    }
    near(dlab_mdc(9.9999, 1, 10).wait, dlab_mmc(9.9999, 1, 10).wait / 2, 1e-3);
    near(dlab_mdc(9999.9, 1, 10000).wait, dlab_mmc(9999.9, 1, 10000).wait / 2, 0.05);
}

/* --- Batches and orders of service --- */

static void batches(void **state)
{
    (void)state;
    const dlab_law item = { 1e-4, 0 };
    /* CURRICULUM L01.02: 1 ms + 0.1 ms an item, 909 /s alone and 7619 /s in batches of 32. */
    near(dlab_batch_capacity(item, 1, 1e-3), 909.0909, 1e-6);
    near(dlab_batch_capacity(item, 32, 1e-3), 7619.0476, 1e-6);
    const dlab_batching alone = { 500, { 1e-3, 1 }, 1, 0 };
    near(dlab_batch_queue(&alone).latency, dlab_mmc(500, 1000, 1).latency, 1e-13);
    const dlab_batching idle = { 10, item, 32, 1e-3 };
    near(dlab_batch_queue(&idle).latency, 31 / 20.0 + 4.2e-3, 1e-9); /* waiting for company is all */
    for (double scv = 0; scv < 3; scv += 0.25) {
        const dlab_batching b = { 5000, { 1e-4, scv }, 16, 1e-3 };
        const double gather = dlab_batch_gather_time(5000, 16);
        assert_true(dlab_batch_queue(&b).wait - gather <= dlab_batch_wait_bound(&b));
    }
    /* E_b/M/1: one exponential batch service, where the interpolation must be GI/M/1. */
    const dlab_batching whole = { 8, { 0.25, 3 }, 3, 0 };
    near(dlab_batch_queue(&whole).wait - dlab_batch_gather_time(8, 3),
         dlab_gim1((dlab_law){ 0.375, 1 / 3.0 }, 1 / 0.75).wait, 1e-12);
    const dlab_batching full = { 8000, item, 32, 1e-3 };
    assert_true(isinf(dlab_batch_queue(&full).wait));
}

static double latency_of_size(double x, void *data)
{
    const double *k = data;
    const dlab_law law = { k[1], k[2] };
    return dlab_law_pdf(law, x) * dlab_mg1_srpt_latency(k[0], law, x);
}

static void srpt_and_processor_sharing(void **state)
{
    (void)state;
    near(dlab_mg1_srpt(0.5, (dlab_law){ 1, 1 }), 1.4253726638777857, 1e-10);
    near(dlab_mg1_srpt(0.8, (dlab_law){ 1, 1 }), 2.35277327029972, 1e-10);
    near(dlab_mg1_srpt(0.8, (dlab_law){ 1, 0 }), 3, 1e-14);
    const double scvs[] = { 0.25, 1, 4 };
    for (size_t i = 0; i < 3; i++) {
        /* The mean over all sizes before the order of integration was exchanged. */
        double data[] = { 1.4, 0.5, scvs[i] };
        const dlab_law law = { 0.5, scvs[i] };
        near(dlab_mg1_srpt(1.4, law), dlab_integrate(latency_of_size, data, 0, 60, 1e-9, NULL), 1e-7);
        assert_true(dlab_mg1_srpt(1.4, law) < dlab_mg1(1.4, law).latency);
        assert_true(dlab_mg1_srpt(1.4, law) < dlab_mg1_ps(1.4, 0.5).latency);
    }
    near(dlab_mg1_ps_latency(0.8, 1, 2), 10, 1e-14);
    near(dlab_mg1_ps(0.8, 1).latency, dlab_mmc(0.8, 1, 1).latency, 1e-14);
    /* Small jobs do not see the overload made by large ones. */
    assert_true(isfinite(dlab_mg1_srpt_latency(1.5, (dlab_law){ 1, 1 }, 0.5)));
    assert_true(isinf(dlab_mg1_srpt_latency(1.5, (dlab_law){ 1, 1 }, 5)) &&
                isinf(dlab_mg1_srpt(1.5, (dlab_law){ 1, 1 })));
}

static void priorities(void **state)
{
    (void)state;
    const double rates[] = { 0.2, 0.3, 0.4 };
    const dlab_law same[] = { { 1, 1 }, { 1, 1 }, { 1, 1 } };
    const dlab_law mixed[] = { { 0.5, 0 }, { 1, 1 }, { 1.2, 4 } };
    double wait[3], latency[3];
    assert_int_equal(dlab_priority_wait(3, rates, same, wait), 0);
    assert_int_equal(dlab_priority_latency(3, rates, same, latency), 0);
    near(wait[0], 1.125, 1e-14), near(wait[1], 2.25, 1e-14), near(wait[2], 18, 1e-13);
    near(latency[0], 1.25, 1e-14), near(latency[1], 2.5, 1e-14), near(latency[2], 20, 1e-13);
    /* Kleinrock's conservation law: the sum of rho W does not depend on the order. */
    assert_int_equal(dlab_priority_wait(3, rates, mixed, wait), 0);
    double work = 0, load = 0, rate = 0, square = 0;
    for (int i = 0; i < 3; i++) {
        work += rates[i] * mixed[i].mean * wait[i];
        load += rates[i] * mixed[i].mean;
        rate += rates[i];
        square += rates[i] * mixed[i].mean * mixed[i].mean * (1 + mixed[i].scv);
    }
    near(work, load * square / 2 / (1 - load), 1e-13);
    (void)rate;
    /* The first class of many with priority to interrupt does not know the others. */
    assert_int_equal(dlab_priority_latency(3, rates, mixed, latency), 0);
    near(latency[0], dlab_mg1(0.2, mixed[0]).latency, 1e-14);
    /* An overloaded last class holds the server whenever the first leaves it. */
    const double flood[] = { 0.5, 7 };
    assert_int_equal(dlab_priority_wait(2, flood, same, wait), 0);
    near(wait[0], (0.5 + 0.5) / 0.5, 1e-14);
    assert_true(isinf(wait[1]));
}

static void outside_the_domain(void **state)
{
    (void)state;
    double wait[1];
    assert_true(isnan(dlab_law_tail((dlab_law){ -1, 1 }, 1)) && isnan(dlab_law_pdf((dlab_law){ 1, 0 }, 1)));
    assert_true(isnan(dlab_law_partial((dlab_law){ 1, 1 }, 3, 1)) &&
                isnan(dlab_law_quantile((dlab_law){ 1, -1 }, 0)));
    assert_true(isnan(dlab_mg1(1, (dlab_law){ 0, 1 }).wait) && isnan(dlab_gim1_sigma((dlab_law){ 1, 1 }, 1)));
    assert_true(isnan(dlab_kingman_bound(1, 2, -1, 1)) && isinf(dlab_kingman_bound(2, 1, 1, 1)));
    assert_true(isnan(dlab_vut_wait(1, 2, NAN, 1)) && isinf(dlab_vut_wait(2, 1, 1, 1)));
    assert_true(isnan(dlab_little(-1, 1)) && isnan(dlab_fluid_spike(1, 1, 0, 1).wait));
    assert_true(isnan(dlab_md1_wait_cdf(1, -1, 1)) && dlab_md1_wait_tail(1, 1, 5) == 1);
    assert_true(isinf(dlab_md1_wait_quantile(1, 1, 0.5)) && isnan(dlab_md1_state(0.5, 1, -1)));
    assert_true(isnan(dlab_md1k(1, 1, 0).loss) && isnan(dlab_token_bucket_loss(1, 1, 10000000)));
    assert_true(isnan(dlab_mdc(1, 1, 0).wait) && isinf(dlab_mdc(5, 1, 5).wait));
    assert_true(isnan(dlab_mg1_srpt(1, (dlab_law){ NAN, 1 })) && isnan(dlab_mg1_ps_latency(1, 1, -1)));
    assert_int_equal(dlab_priority_wait(1, (double[]){ -1 }, (dlab_law[]){ { 1, 1 } }, wait), -1);
    assert_true(isnan(wait[0]));
}

static void nothing_cancels_far_from_a_balanced_load(void **state)
{
    (void)state;
    /* One place: busy is a / (1 + a) of the time, at any load. */
    const dlab_queue one = dlab_mmck(1.46e6, 1e-6, 1, 1), loss = dlab_mgcc(3.2e5, 1e6, 4340);
    near(one.utilisation, 1 - 1 / 1.46e12, 1e-15);
    near(one.throughput, 1e-6 * (1 - 1 / 1.46e12), 1e-15);
    assert_true(one.utilisation <= 1 && loss.utilisation <= 1 && loss.utilisation > 1 - 1e-7);
    assert_true(dlab_mmck(80, 10, 1, 200).utilisation <= 1);
    /* Hopeless overload with patience: the servers never rest. */
    const dlab_queue leaving = dlab_erlang_a(1e6, 1e-6, 3, 1);
    assert_true(leaving.utilisation <= 1);
    near(leaving.throughput, 3e-6, 1e-12);
    /* Light load: smaller jobs hardly ever interfere, but a wait is never below 0 nor above first come. */
    const dlab_law wild = { 0.01, 1000 };
    for (double rate = 1e-6; rate < 100; rate *= 10) {
        const double wait = dlab_mg1_srpt(rate, wild) - wild.mean;
        assert_true(wait >= 0 && wait <= dlab_mg1(rate, wild).wait);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(laws_have_the_moments_they_promise),
        cmocka_unit_test(pollaczek_khinchine_and_its_limits),
        cmocka_unit_test(gim1_solves_its_equation),
        cmocka_unit_test(fluid_spike),
        cmocka_unit_test(md1_wait_where_the_alternating_sum_explodes),
        cmocka_unit_test(md1_wait_integrates_to_pollaczek_khinchine),
        cmocka_unit_test(md1_states_to_the_far_tail),
        cmocka_unit_test(md1_with_a_finite_room_is_the_token_bucket),
        cmocka_unit_test(mdc_by_series_by_roots_and_by_iteration),
        cmocka_unit_test(batches),
        cmocka_unit_test(srpt_and_processor_sharing),
        cmocka_unit_test(priorities),
        cmocka_unit_test(nothing_cancels_far_from_a_balanced_load),
        cmocka_unit_test(outside_the_domain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
