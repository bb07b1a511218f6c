/* Closed forms of exponential stations against second routes: birth-death sums, direct convolutions, chains
 * stepped by hand, and other formulas for the same number. */
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

/* --- Erlang --- */

static void erlang_b_by_recursion_equals_poisson_over_its_sum(void **state)
{
    (void)state;
    const int64_t servers[] = { 1, 5, 100, 170, 171, 1000, 10000 }; /* a^c / c! overflows at 171 */
    for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
        const double c = (double)servers[i];
        for (double a = 0.3 * c; a < 3 * c && (a - c) * (a - c) < 500 * c; a *= 1.13)
            near(dlab_erlang_b(servers[i], a),
                 dlab_poisson_pmf(servers[i], a) / dlab_poisson_cdf(servers[i], a), 1e-11);
    }
    near(dlab_erlang_b(100, 84), 0.009872528609200786, 1e-13);
    near(dlab_erlang_b(1, 3), 0.75, 1e-15);
    assert_true(dlab_erlang_b(0, 3) == 1 && dlab_erlang_b(3, 0) == 0 && dlab_erlang_b(1000000, 1) == 0);
}

static void erlang_inverses(void **state)
{
    (void)state;
    for (int64_t c = 1; c < 3000; c = 3 * c + 1)
        for (double loss = 1e-12; loss < 1; loss *= 50) {
            near(dlab_erlang_b(c, dlab_erlang_b_load(c, loss)), loss, 1e-11);
        }
    near(dlab_erlang_b_load(10, 0.01), 4.461176857577692, 1e-12); /* 4.46 in the printed tables */
    /* CURRICULUM, capacity planning: P(wait) < 20 %. */
    assert_int_equal(dlab_erlang_c_servers(10, 0.2), 14);
    assert_int_equal(dlab_erlang_c_servers(100, 0.2), 111);
    assert_int_equal(dlab_erlang_c_servers(1000, 0.2), 1034);
    near(dlab_erlang_c(30, dlab_erlang_c_load(30, 0.37)), 0.37, 1e-12);
    near(dlab_erlang_c_load(1, 0.37), 0.37, 1e-12);
    const int64_t c = dlab_erlang_b_servers(500, 1e-3);
    assert_true(dlab_erlang_b(c, 500) <= 1e-3 && dlab_erlang_b(c - 1, 500) > 1e-3);
    assert_true(dlab_erlang_b_servers(NAN, 0.1) == -1 && dlab_erlang_c_servers(5, 0) == -1);
}

static void erlang_c_and_its_limit(void **state)
{
    (void)state;
    near(dlab_erlang_c(100, 90), 0.2169404809063664, 1e-12);
    near(dlab_erlang_c(1, 0.7), 0.7, 1e-15);
    assert_true(dlab_erlang_c(5, 5) == 1 && dlab_erlang_c(5, 0) == 0 && dlab_erlang_c(3, 7) == 1);
    near(dlab_halfin_whitt(1), 0.22336127479826073, 1e-13);
    assert_true(dlab_halfin_whitt(0) == 1);
    for (double beta = 0.1; beta < 5; beta *= 2) {
        double last = INFINITY;
        near(dlab_halfin_whitt_beta(dlab_halfin_whitt(beta)), beta, 1e-12);
        for (int64_t c = 100; c <= 1000000; c *= 100) {
            const double limit = dlab_halfin_whitt(beta), n = (double)c;
            const double gap = fabs(dlab_erlang_c(c, n - beta * sqrt(n)) / limit - 1);
            assert_true(gap < last / 5); /* the correction is of order 1/sqrt(c) */
            last = gap;
        }
    }
}

/* Erlang A by adding up its birth-death chain. */
static void erlang_a_against_its_chain(void **state)
{
    (void)state;
    const double cases[][4] = { { 100, 1, 100, 1 }, { 12, 1, 10, 2 }, { 3, 1, 10, 0.5 }, { 50, 1, 10, 4 } };
    for (size_t i = 0; i < 4; i++) {
        const double lambda = cases[i][0], mu = cases[i][1], c = cases[i][2], theta = 1 / cases[i][3];
        long double p = 1, sum = 0, queue = 0, busy = 0;
        for (int n = 0; n < 3000; n++) {
            sum += p;
            if (n >= c) busy += p, queue += (n - (long double)c) * p;
            p *= lambda / (fmin(n + 1, c) * mu + fmax(0, n + 1 - c) * theta);
        }
        const dlab_queue q = dlab_erlang_a(lambda, mu, (int64_t)c, cases[i][3]);
        near(q.queue_length, (double)(queue / sum), 1e-11);
        near(q.wait_probability, (double)(busy / sum), 1e-11);
        near(q.loss * lambda, theta * q.queue_length, 1e-13);
    }
    near(dlab_erlang_a(12, 1, 10, 2).loss, 0.19565594401072317, 1e-12);
    /* Endless patience: M/M/c. Patience like the service: as many in the system as with infinite servers. */
    near(dlab_erlang_a(8, 1, 10, 1e8).wait, dlab_mmc(8, 1, 10).wait, 1e-6);
    near(dlab_erlang_a(12, 1, 10, 1).in_system, 12, 1e-12);
    /* Great patience at saturation: a queue of about sqrt(2 lambda patience / pi). */
    near(dlab_erlang_a(1, 1, 1, 1e12).queue_length, sqrt(2e12 / acos(-1)), 1e-5);
    near(dlab_erlang_a(1, 1, 1, 2e9).queue_length, sqrt(0.2) * dlab_erlang_a(1, 1, 1, 1e10).queue_length,
         1e-4);
}

/* --- M/M/c and M/M/c/K --- */

static void mmc_states_and_laws_are_one_story(void **state)
{
    (void)state;
    const double loads[] = { 0.05, 0.5, 0.75, 0.9, 0.99 };
    const int64_t servers[] = { 1, 4, 50, 10000 };
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 5; k++) {
            const int64_t c = servers[i];
            const double mu = 0.3, lambda = loads[k] * (double)c * mu;
            const dlab_queue q = dlab_mmc(lambda, mu, c);
            double sum = 0, below = 0, mean = 0;
            for (int64_t n = 0; n < c + 4000; n++) {
                const double p = dlab_mmc_state(lambda, mu, c, n);
                sum += p;
                mean += (double)n * p;
                if (n < c) below += p;
            }
            near(sum, 1, 1e-11);
            near(mean, q.in_system, 1e-10);
            assert_true(fabs(1 - below - q.wait_probability) < 1e-11);
            near(q.in_system, dlab_little(lambda, q.latency), 1e-12);
            for (double p = 0.01; p < 1; p += 0.09) {
                const double t = dlab_mmc_latency_quantile(lambda, mu, c, p);
                const double w = dlab_mmc_wait_quantile(lambda, mu, c, p);
                near(dlab_mmc_latency_tail(lambda, mu, c, t), 1 - p, 1e-12);
                if (w > 0) near(dlab_mmc_wait_tail(lambda, mu, c, w), 1 - p, 1e-12);
                else assert_true(1 - q.wait_probability >= p - 1e-12);
            }
        }
}

typedef struct tail_of {
    double lambda, mu;
    int64_t c, k;
} tail_of;
static double mmc_tail(double t, void *data)
{
    const tail_of *s = data;
    return dlab_mmc_latency_tail(s->lambda, s->mu, s->c, t);
}
static double mmck_tail(double t, void *data)
{
    const tail_of *s = data;
    return dlab_mmck_latency_tail(s->lambda, s->mu, s->c, s->k, t);
}

static void mmc_latency_tail_integrates_to_the_mean(void **state)
{
    (void)state;
    tail_of s = { 9, 1, 10, 0 }; /* c mu - lambda = mu: the removable singularity */
    near(dlab_integrate(mmc_tail, &s, 0, INFINITY, 1e-12, NULL), dlab_mmc(9, 1, 10).latency, 1e-10);
    near(dlab_mmc_latency_tail(9, 1, 10, 2), dlab_mmc_latency_tail(9 + 1e-9, 1, 10, 2), 1e-8);
    s = (tail_of){ 3, 1, 10, 0 };
    near(dlab_integrate(mmc_tail, &s, 0, INFINITY, 1e-12, NULL), dlab_mmc(3, 1, 10).latency, 1e-10);
    near(dlab_mmc_latency_quantile(0.9, 1, 1, 0.99), 46.051701859880914, 1e-13);
    near(dlab_mmc_wait_quantile(3, 1, 5, 0.99), 1.580944446747295, 1e-12);
    assert_true(isinf(dlab_mmc(5, 1, 5).wait) && isinf(dlab_mmc_latency_quantile(6, 1, 5, 0.5)));
}

/* Everything of M/M/c/K added up state by state. */
static void check_mmck(double lambda, double mu, int64_t c, int64_t k)
{
    const int64_t n_max = k;
    long double *p = calloc((size_t)n_max + 1, sizeof *p), sum = 0, mean = 0, waiting = 0, top = 0;
    p[0] = 1;
    for (int64_t n = 1; n <= n_max; n++) {
        p[n] = p[n - 1] * (lambda / ((double)(n < c ? n : c) * mu));
        if (p[n] > 1e3000L)
            for (int64_t i = 0; i <= n; i++) p[i] *= 1e-3000L;
    }
    for (int64_t n = 0; n <= n_max; n++) sum += p[n];
    for (int64_t n = 0; n <= n_max; n++) {
        p[n] /= sum;
        mean += (long double)n * p[n];
        if (n > c) waiting += (long double)(n - c) * p[n];
        if (n >= c && n < k) top += p[n];
        if (p[n] > 1e-290L) near(dlab_mmck_state(lambda, mu, c, k, n), (double)p[n], 1e-9);
    }
    const dlab_queue q = dlab_mmck(lambda, mu, c, k);
    if (p[k] > 1e-290L) near(q.loss, (double)p[k], 1e-10);
    near(q.in_system, (double)mean, 1e-10);
    near(q.queue_length, (double)waiting, 1e-9);
    near(q.throughput, lambda * (double)(1 - p[k]), 1e-11);
    near(q.wait_probability, (double)(top / (1 - p[k])), 1e-10);
    near(q.in_system, q.throughput * q.latency, 1e-11);
    for (double t = 0.1 / mu; t < 40 / mu && k < 3000; t *= 2.5) {
        double wait = 0, single = 0, late = 0;
        for (int64_t n = 0; n < k; n++) {
            const double seen = (double)(p[n] / (1 - p[k])), x = (double)c * mu * t;
            if (n >= c) wait += seen * dlab_gamma_q((double)(n - c + 1), x);
            single += seen * dlab_gamma_q((double)(n + 1), mu * t);
            late += seen * dlab_gamma_p((double)(n + 1), mu * t);
        }
        near(dlab_mmck_wait_tail(lambda, mu, c, k, t), wait, 1e-9);
        if (c == 1) near(dlab_mmck_latency_tail(lambda, mu, c, k, t), single, 1e-9);
        if (c == 1) near(dlab_mmck_latency_cdf(lambda, mu, c, k, t), late, 1e-9);
    }
    free(p);
}

static void mmck_against_its_chain(void **state)
{
    (void)state;
    const double loads[] = { 0.01, 0.5, 0.8, 0.999, 1 - 1e-9, 1, 1 + 1e-9, 1.001, 1.2, 3, 50 };
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++) {
        check_mmck(loads[i], 1, 1, 1);
        check_mmck(loads[i], 1, 1, 10);
        check_mmck(loads[i] * 5, 1, 5, 5);
        check_mmck(loads[i] * 5, 1, 5, 20);
        check_mmck(loads[i] * 60, 2, 30, 150);
        check_mmck(loads[i], 1, 1, 4000);
    }
    near(dlab_mmck(4, 1, 5, 20).loss, 0.0039609997008463035, 1e-12);
}

static void mmck_latency_with_several_servers(void **state)
{
    (void)state;
    const double loads[] = { 0.1, 0.8, 0.9, 1, 1.3, 4 }; /* 0.8 = (c - 1) / c: the singular one */
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++) {
        tail_of s = { 5 * loads[i], 1, 5, 40 };
        const dlab_queue q = dlab_mmck(s.lambda, s.mu, s.c, s.k);
        near(dlab_integrate(mmck_tail, &s, 0, INFINITY, 1e-11, NULL), q.latency, 1e-8);
        for (double p = 0.05; p < 1; p += 0.1) {
            const double t = dlab_mmck_latency_quantile(s.lambda, 1, 5, 40, p);
            const double w = dlab_mmck_wait_quantile(s.lambda, 1, 5, 40, p);
            near(dlab_mmck_latency_tail(s.lambda, 1, 5, 40, t), 1 - p, 1e-10);
            if (w > 0) near(dlab_mmck_wait_tail(s.lambda, 1, 5, 40, w), 1 - p, 1e-10);
        }
    }
    /* Room without end: M/M/c. A room of servers only: Erlang B. */
    near(dlab_mmck_latency_tail(40, 1, 50, 4000, 1.7), dlab_mmc_latency_tail(40, 1, 50, 1.7), 1e-11);
    near(dlab_mmck_wait_quantile(0.8, 1, 1, 4000, 0.99), dlab_mmc_wait_quantile(0.8, 1, 1, 0.99), 1e-11);
    near(dlab_mmck(30, 1, 25, 25).loss, dlab_erlang_b(25, 30), 1e-13);
    assert_true(dlab_mmck_wait_tail(30, 1, 25, 25, 0) == 0);
    near(dlab_mmck_latency_quantile(30, 1, 25, 25, 0.9), -log(0.1), 1e-14);
    /* A million places cost no more and lose no digits. */
    near(dlab_mmck(1, 1, 1, 1000000).queue_length, 500000.0 * 999999 / 1000001, 1e-9);
    near(dlab_mmck(2, 1, 1, 1000000).in_system, 999999, 1e-12);
}

/* F10: the three numbers of the lesson on overload, deadline ten services. */
static void goodput_of_fifo_and_lifo_under_overload(void **state)
{
    (void)state;
    near(dlab_mmck(1.5, 1, 1, 100).throughput * dlab_mmck_latency_cdf(1.5, 1, 1, 100, 10),
         3.625854293227692e-16, 1e-11);
    near(dlab_mmck(1.5, 1, 1, 10).throughput * dlab_mmck_latency_cdf(1.5, 1, 1, 10, 10), 0.7127520478435605,
         1e-12);
    near(dlab_mm1_lifo_goodput(1.5, 1, 10), 0.9595645760130632, 1e-11);
}

/* --- M/M/1 in time --- */

/* P(busy period <= t): the k-th return needs 2k + 1 events, Catalan(k) ways, P(so many events by t). */
static double busy_by_events(double lambda, double mu, double t)
{
    const double p = lambda / (lambda + mu), q = mu / (lambda + mu);
    double way = q, sum = 0;
    for (int k = 0; k < 800; k++) {
        sum += way * dlab_poisson_tail(2 * k, (lambda + mu) * t);
        way *= 2 * (2 * k + 1.0) / (k + 2) * p * q;
    }
    return sum;
}

/* E[N(t)] and P(N(t) = 0) by uniformisation: the chain's own steps, mixed by a Poisson number of them. */
static void transient_by_steps(double lambda, double mu, double t, double *mean, double *empty)
{
    enum { STATES = 2000 };
    static double p[STATES], next[STATES];
    const double up = lambda / (lambda + mu), down = mu / (lambda + mu), events = (lambda + mu) * t;
    for (int i = 0; i < STATES; i++) p[i] = i == 0;
    *mean = *empty = 0;
    for (int k = 0; k < STATES - 2; k++) {
        const double weight = dlab_poisson_pmf(k, events);
        double m = 0;
        for (int i = 0; i <= k; i++) m += i * p[i];
        *mean += weight * m;
        *empty += weight * p[0];
        next[0] = down * (p[0] + p[1]);
        for (int i = 1; i <= k + 1; i++) next[i] = up * p[i - 1] + down * p[i + 1];
        for (int i = 0; i <= k + 1; i++) p[i] = next[i];
    }
}

static void mm1_in_time_against_its_own_steps(void **state)
{
    (void)state;
    const double loads[] = { 0.2, 0.8, 0.99, 1, 1.3 };
    for (size_t i = 0; i < 5; i++)
        for (double t = 0.01; t < 300; t *= 6) {
            double mean, empty;
            transient_by_steps(loads[i], 1, t, &mean, &empty);
            near(dlab_mm1_in_system_after(loads[i], 1, t), mean, 1e-9);
            near(dlab_mm1_empty_after(loads[i], 1, t), empty, 1e-9);
            near(dlab_mm1_busy_cdf(loads[i], 1, t), busy_by_events(loads[i], 1, t), 1e-9);
        }
    near(dlab_mm1_in_system_after(0.9, 1, 1e6), 9, 1e-12);
    near(dlab_mm1_empty_after(0.8, 1, INFINITY), 0.2, 1e-15);
    near(dlab_mm1_in_system_after(1, 1, 1e8), 2 * sqrt(1e8 / acos(-1)), 1e-3); /* reflected Brownian motion */
}

static void busy_periods(void **state)
{
    (void)state;
    for (double rho = 0.1; rho < 2; rho += 0.3)
        for (double p = 1e-6; p < fmin(1, 1 / rho); p += 0.19)
            near(dlab_mm1_busy_cdf(rho, 1, dlab_mm1_busy_quantile(rho, 1, p)), p, 1e-10);
    assert_true(isinf(dlab_mm1_busy_quantile(2, 1, 0.6)) && isinf(dlab_mm1_busy_mean(1, 1)));
    near(dlab_mm1_busy_cdf(2, 1, INFINITY), 0.5, 1e-15);
    near(dlab_mm1_busy_mean(0.8, 1), 5, 1e-15);
    near(dlab_mm1_busy_variance(0.5, 1), 12, 1e-14); /* (1 + rho) / (mu^2 (1 - rho)^3) */
}

/* F9: how long to run for 1 % at 95 %. */
static void run_length(void **state)
{
    (void)state;
    near(dlab_mm1_asymptotic_variance(0.5, 1), 24, 1e-13);
    near(dlab_mm1_asymptotic_variance(0.8, 1), 1800, 1e-12);
    near(dlab_mm1_run_time(0.8, 1, 0.01, 0.95), 4.3e6, 0.01);
    near(dlab_mm1_run_time(0.9, 1, 0.01, 0.95), 1.6e7, 0.02);
}

static void outside_the_domain(void **state)
{
    (void)state;
    assert_true(isnan(dlab_erlang_b(-1, 1)) && isnan(dlab_erlang_b(3, -1)) && isnan(dlab_erlang_c(3, NAN)));
    assert_true(isnan(dlab_erlang_b_load(3, 0)) && isnan(dlab_halfin_whitt(-1)) &&
                isnan(dlab_halfin_whitt_beta(0)));
    assert_true(isnan(dlab_erlang_a(1, 1, 0, 1).wait) && isnan(dlab_erlang_a(1, 1, 1, -1).wait));
    assert_true(isnan(dlab_mmc(-1, 1, 1).wait) && isnan(dlab_mmc(1, NAN, 1).wait) &&
                isnan(dlab_mmc(1, 1, 0).wait));
    assert_true(isnan(dlab_mmc_state(1, 2, 1, -1)) && isnan(dlab_mmc_wait_quantile(1, 2, 1, 1.5)));
    assert_true(isnan(dlab_mmck(1, 1, 2, 1).loss) && isnan(dlab_mmck_wait_tail(1, 1, 1, 5, NAN)));
    assert_true(isnan(dlab_mmck_latency_quantile(1, 1, 1, 5, -0.1)) &&
                isnan(dlab_mmck_state(1, 1, 1, 5, -1)));
    assert_true(isnan(dlab_mm1_busy_cdf(1, 1, -1)) && isnan(dlab_mm1_empty_after(0, 1, 1)));
    assert_true(isnan(dlab_mm1_in_system_after(1, 0, 1)) && isnan(dlab_mm1_run_time(0.5, 1, 0, 0.95)));
    assert_true(isinf(dlab_mm1_asymptotic_variance(1, 1)) && isinf(dlab_mm1_run_time(1, 1, 0.1, 0.95)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(erlang_b_by_recursion_equals_poisson_over_its_sum),
        cmocka_unit_test(erlang_inverses),
        cmocka_unit_test(erlang_c_and_its_limit),
        cmocka_unit_test(erlang_a_against_its_chain),
        cmocka_unit_test(mmc_states_and_laws_are_one_story),
        cmocka_unit_test(mmc_latency_tail_integrates_to_the_mean),
        cmocka_unit_test(mmck_against_its_chain),
        cmocka_unit_test(mmck_latency_with_several_servers),
        cmocka_unit_test(goodput_of_fifo_and_lifo_under_overload),
        cmocka_unit_test(mm1_in_time_against_its_own_steps),
        cmocka_unit_test(busy_periods),
        cmocka_unit_test(run_length),
        cmocka_unit_test(outside_the_domain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
