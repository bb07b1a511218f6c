/* Special functions against values computed with 60 digits and more, quadrature and roots against integrals
 * known in closed form. The values were made with mpmath from the defining series; the traps are those that
 * ruined textbook forms: huge factorials, tails next to one, birthdays among 2^122 values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include <distlab/numerics.h>

static void near(double got, double want, double tolerance)
{
    if (got == want || fabs(got - want) <= tolerance * fabs(want)) return;
    fail_msg("%.17g instead of %.17g: off by %.2g", got, want, fabs(got - want) / fabs(want));
}

static const struct {
    double a, x, p, q;
} gamma_values[] = {
    { 1e-10, 0.1, 9.9999999981770760417e-1, 1.8229239583260838159e-10 },
    { 0.01, 1e-5, 8.9633679826719720097e-1, 1.0366320173280279903e-1 },
    { 0.5, 0.001, 3.5670591729679885417e-2, 9.6432940827032011458e-1 },
    { 0.5, 25, 9.9999999999846254021e-1, 1.5374597944280348502e-12 },
    { 1, 700, 1.0, 9.8596765437597708567e-305 },
    { 2.5, 1e-100, 3.0090111122547003474e-251, 1.0 },
    { 10, 3, 1.1024881301154797421e-3, 9.9889751186988452026e-1 },
    { 10, 40, 9.9999999607406777371e-1, 3.9259322262861881947e-9 },
    { 100, 99.5, 4.9332666031996355242e-1, 5.0667333968003644758e-1 },
    { 100, 200, 9.9999999999999815611e-1, 1.8438936497115741514e-15 },
    { 1000, 700, 1.0158583345333216375e-26, 1.0 },
    { 1000, 1300, 9.9999999999999999813e-1, 1.8736155715785551242e-18 },
    { 100000, 100500, 9.428967300239712886e-1, 5.7103269976028711396e-2 },
    { 1e6, 995000, 2.7495803592700707538e-7, 9.9999972504196407299e-1 },
    { 2e10, 2e10, 5.0000094031597258e-1, 4.9999905968402742e-1 },
    { 2e10, 19999700000, 1.69470798815910989e-2, 9.83052920118408901e-1 },
    { 5e12, 5000004000000, 9.63180838524571962e-1, 3.68191614754280383e-2 },
};

static void incomplete_gamma_keeps_both_tails(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof gamma_values / sizeof gamma_values[0]; i++) {
        const double a = gamma_values[i].a, x = gamma_values[i].x;
        near(dlab_gamma_p(a, x), gamma_values[i].p, 1e-12);
        near(dlab_gamma_q(a, x), gamma_values[i].q, 1e-12);
        if (gamma_values[i].p < 0.9) near(dlab_gamma_p_inverse(a, gamma_values[i].p), x, 1e-12);
        if (gamma_values[i].q < 0.9 && a > 1e-3) near(dlab_gamma_q_inverse(a, gamma_values[i].q), x, 1e-12);
    }
    near(dlab_gamma_p(0.5, 2), erf(sqrt(2)), 1e-14);
    near(dlab_gamma_q(1, 3), exp(-3), 1e-15);
}

static void inverses_return_where_they_came_from(void **state)
{
    (void)state;
    for (double a = 0.01; a < 1e5; a *= 3) {
        for (double p = 1e-30; p < 0.5; p *= 7) {
            const double low = dlab_gamma_p_inverse(a, p), high = dlab_gamma_q_inverse(a, p);
            if (low > 1e-290) near(dlab_gamma_p(a, low), p, 1e-10);
            near(dlab_gamma_q(a, high), p, 1e-10);
            const double x = dlab_beta_i_inverse(a, 3.5, p);
            if (x > 1e-290 && x < 0.9) near(dlab_beta_i(a, 3.5, x), p, 1e-10);
        }
    }
    assert_true(dlab_gamma_p_inverse(3, 0) == 0 && isinf(dlab_gamma_p_inverse(3, 1)));
    assert_true(dlab_beta_i_inverse(3, 2, 0) == 0 && dlab_beta_i_inverse(3, 2, 1) == 1);
}

static const struct {
    double a, b, x, i;
} beta_values[] = {
    { 0.5, 0.5, 0.1, 2.0483276469913345754e-1 },   { 2, 3, 0.4, 5.2480000000000003837e-1 },
    { 1e-3, 5, 0.2, 9.9978344564642765807e-1 },    { 5, 1e-3, 0.2, 7.7030764156206655899e-8 },
    { 30, 0.5, 0.99, 4.3933436890525101195e-1 },   { 1000, 2000, 0.3, 4.0738279160507714984e-5 },
    { 1000, 2000, 0.4, 9.9999999999997652762e-1 }, { 50, 60, 1e-4, 3.4034100134636507784e-169 },
    { 1e5, 1e5, 0.497, 3.6449523647139962953e-3 }, { 4, 200, 0.9, 1.0 },
};

static void incomplete_beta(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof beta_values / sizeof beta_values[0]; i++)
        near(dlab_beta_i(beta_values[i].a, beta_values[i].b, beta_values[i].x), beta_values[i].i, 2e-12);
    /* At the very mean both sides ask for each other's fraction; rounding must not send them in circles. */
    for (double a = 1; a < 1e4; a *= 1.37) near(dlab_beta_i(a, a, 0.5), 0.5, 1e-13);
    for (double a = 1; a < 1e4; a *= 1.37) assert_true(dlab_beta_i(a, 20, (a + 1) / (a + 22)) < 1);
}

static const struct {
    int64_t k, n;
    double p, pmf, cdf, tail;
} binomial_values[] = {
    { 0, 10, 0.3, 2.824752490000000448e-2, 2.824752490000000448e-2, 9.7175247509999999552e-1 },
    { 3, 10, 0.3, 2.66827932e-1, 6.4961071840000002962e-1, 3.5038928159999997038e-1 },
    { 171, 400, 0.5, 5.9235627233641865555e-4, 2.1568643357436804229e-3, 9.9784313566425631958e-1 },
    { 30, 1000, 0.01, 1.4179959906581918595e-7, 9.9999993580071396862e-1, 6.4199286031376667703e-8 },
    { 990, 1000, 0.999, 9.7828383499421278849e-8, 1.0742833868464958316e-7, 9.9999989257166131535e-1 },
    { 5, 1000000, 1e-6, 3.0656451486279906096e-3, 9.9940582131372572099e-1, 5.9417868627427900784e-4 },
    { 60, 500, 0.25, 2.0849034921636076257e-13, 3.4927432714710902091e-13, 9.9999999999965072567e-1 },
};

static void binomial(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof binomial_values / sizeof binomial_values[0]; i++) {
        const int64_t k = binomial_values[i].k, n = binomial_values[i].n;
        near(dlab_binomial_pmf(k, n, binomial_values[i].p), binomial_values[i].pmf, 1e-12);
        near(dlab_binomial_cdf(k, n, binomial_values[i].p), binomial_values[i].cdf, 1e-12);
        near(dlab_binomial_tail(k, n, binomial_values[i].p), binomial_values[i].tail, 1e-12);
    }
    assert_true(dlab_binomial_pmf(3, 3, 1) == 1 && dlab_binomial_pmf(2, 3, 1) == 0);
    assert_true(dlab_binomial_cdf(-1, 3, 0.5) == 0 && dlab_binomial_cdf(3, 3, 0.5) == 1);
    assert_true(dlab_binomial_tail(-1, 3, 0.5) == 1 && dlab_binomial_tail(0, 3, 0) == 0);
}

static const struct {
    int64_t k;
    double mean, pmf, cdf, tail;
} poisson_values[] = {
    { 0, 3, 4.9787068367863942979e-2, 4.9787068367863942979e-2, 9.5021293163213605702e-1 },
    { 5, 3, 1.0081881344492448453e-1, 9.1608205796869655082e-1, 8.391794203130344918e-2 },
    { 100, 60, 6.1298870107773809914e-7, 9.9999913146106843169e-1, 8.6853893156830868977e-7 },
    { 1000, 1100, 1.1590731420657794735e-4, 1.1752305681365552962e-3, 9.988247694318634447e-1 },
    { 10000, 9500, 9.6427362230720586766e-9, 9.9999982339727104356e-1, 1.766027289564434499e-7 },
};

static void poisson(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof poisson_values / sizeof poisson_values[0]; i++) {
        const int64_t k = poisson_values[i].k;
        const double mean = poisson_values[i].mean;
        near(dlab_poisson_pmf(k, mean), poisson_values[i].pmf, 1e-12);
        near(exp(dlab_poisson_log_pmf(k, mean)), poisson_values[i].pmf, 1e-12);
        near(dlab_poisson_cdf(k, mean), poisson_values[i].cdf, 1e-12);
        near(dlab_poisson_tail(k, mean), poisson_values[i].tail, 1e-12);
    }
    assert_true(dlab_poisson_pmf(0, 0) == 1 && dlab_poisson_pmf(1, 0) == 0 && dlab_poisson_cdf(-1, 2) == 0);
}

static const struct {
    double n, values, p;
} birthdays[] = {
    { 23, 365, 5.0729723432398540723e-1 },
    { 70, 365, 9.9915957596515709135e-1 },
    { 365, 365, 1.0 },
    { 1000, 1e6, 3.932670285585206475e-1 },
    { 100000, 1e6, 1.0 },
    { 1000000, 18446744073709551616.0, 2.7105026839742541872e-8 },
    { 1000000000, 18446744073709551616.0, 2.674100887443135899e-2 },
    { 1000000000, 5.316911983139663e36, 9.4039547971743463008e-20 },
};

static void birthday(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof birthdays / sizeof birthdays[0]; i++)
        near(dlab_birthday(birthdays[i].n, birthdays[i].values), birthdays[i].p, 1e-12);
    assert_true(dlab_birthday(1, 365) == 0 && dlab_birthday(366, 365) == 1 && dlab_birthday(0, 1) == 0);
    /* The direct product and Stirling's form meet where one hands over to the other. */
    double log_apart = 0;
    for (int i = 1; i < 65; i++) log_apart += log1p(-i / 1e5);
    near(dlab_birthday(65, 1e5), -expm1(log_apart), 1e-13);
}

static void logarithms(void **state)
{
    (void)state;
    static const double stirling[][2] = {
        { 1e-3, 2.5422704679670945415 },    { 1, 8.106146679532725822e-2 },
        { 9.99, 8.338896797734330091e-3 },  { 10.5, 7.9341145643140205472e-3 },
        { 1000, 8.3333330555556349206e-5 },
    };
    for (size_t i = 0; i < sizeof stirling / sizeof stirling[0]; i++)
        near(dlab_stirling_rest(stirling[i][0]), stirling[i][1], 1e-12);
    static const double log1mexp[][2] = {
        { 1e-20, -4.6051701859880913735e+1 },
        { 0.5, -9.3275212956718857189e-1 },
        { 0.7, -6.863410028083851535e-1 },
        { 50, -1.928749847963917783e-22 },
        { 800, 0 },
    };
    for (size_t i = 0; i < sizeof log1mexp / sizeof log1mexp[0]; i++)
        near(dlab_log1mexp(log1mexp[i][0]), log1mexp[i][1], 1e-14);
    const double large[] = { 1000, 1001, -INFINITY, 999 };
    near(dlab_log_sum_exp(large, 4), 1001 + log(1 + exp(-1) + exp(-2)), 1e-15);
    near(dlab_log_add_exp(-1000, -1001), -1000 + log1p(exp(-1)), 1e-15);
    assert_true(dlab_log_sum_exp(large, 0) == -INFINITY);
    near(dlab_deviance(101, 100, 1), 101 * log(1.01) - 1, 1e-12);
    near(dlab_deviance(1e15 + 1, 1e15, 1), 0.5e-15, 1e-12);
    near(dlab_deviance(0, 7, -7), 7, 1e-15);
}

/* f(x) = x^data, a sharp peak at data, and a slow tail. */
static double power(double x, void *data) { return pow(x, *(double *)data); }
static double peak(double x, void *data) { return exp(-0.5 * pow((x - *(double *)data) / 1e-3, 2)); }
static double cauchy(double x, void *data)
{
    (void)data;
    return 1 / (1 + x * x);
}

static void integrals(void **state)
{
    (void)state;
    double error, k = -0.5, at = 0.3;
    near(dlab_integrate(power, &k, 0, 1, 1e-10, &error), 2, 1e-9);
    assert_true(error < 1e-8);
    k = 7;
    near(dlab_integrate(power, &k, 0, 2, 1e-12, NULL), 32, 1e-14);
    near(dlab_integrate(power, &k, 2, 0, 1e-12, NULL), -32, 1e-14);
    near(dlab_integrate(peak, &at, 0, 1, 1e-12, NULL), 1e-3 * sqrt(2 * acos(-1)), 1e-11);
    near(dlab_integrate(cauchy, NULL, -INFINITY, INFINITY, 1e-12, &error), acos(-1), 1e-11);
    near(dlab_integrate(cauchy, NULL, 1, INFINITY, 1e-12, NULL), acos(-1) / 4, 1e-11);
    near(dlab_integrate(cauchy, NULL, -INFINITY, 1, 1e-12, NULL), 3 * acos(-1) / 4, 1e-11);
    assert_true(dlab_integrate(cauchy, NULL, 2, 2, 1e-12, NULL) == 0);
    assert_true(isnan(dlab_integrate(cauchy, NULL, NAN, 2, 1e-12, NULL)));
}

static double cubic(double x, void *data) { return x * x * x - *(double *)data; }
static double flat(double x, void *data)
{
    (void)data;
    return x <= 0 ? -1e-300 : -expm1(-1e9 * x);
}
static double cliff(double x, void *data)
{
    (void)data;
    return x < 2 ? -INFINITY : x - 2.5;
}

static void roots(void **state)
{
    (void)state;
    double c = 2;
    near(dlab_root(cubic, &c, 0, 2, 0), cbrt(2), 1e-15);
    near(dlab_root(cubic, &c, -10, 1e6, 0), cbrt(2), 1e-15);
    c = 0;
    assert_true(dlab_root(cubic, &c, 0, 2, 0) == 0);
    assert_true(fabs(dlab_root(flat, NULL, -1, 1, 1e-12)) < 1e-11);
    near(dlab_root(cliff, NULL, 0, 3, 0), 2.5, 1e-14);
    c = 100;
    assert_true(isnan(dlab_root(cubic, &c, 0, 2, 0)));
}

static void outside_its_domain_a_function_says_so(void **state)
{
    (void)state;
    assert_true(isnan(dlab_gamma_p(0, 1)) && isnan(dlab_gamma_p(1, -1)) && isnan(dlab_gamma_q(NAN, 1)));
    assert_true(isnan(dlab_gamma_q(1, NAN)) && isnan(dlab_gamma_p(1e15, 1)));
    assert_true(isnan(dlab_gamma_p_inverse(2, -0.1)) && isnan(dlab_gamma_p_inverse(2, 1.1)));
    assert_true(isnan(dlab_beta_i(0, 1, 0.5)) && isnan(dlab_beta_i(1, 1, 1.5)) &&
                isnan(dlab_beta_i(1, 1, NAN)));
    assert_true(isnan(dlab_beta_i_inverse(1, 1, NAN)) && isnan(dlab_beta_i_inverse(-1, 1, 0.5)));
    assert_true(isnan(dlab_binomial_pmf(0, -1, 0.5)) && isnan(dlab_binomial_cdf(1, 3, 1.5)));
    assert_true(isnan(dlab_poisson_pmf(0, -1)) && isnan(dlab_poisson_tail(0, NAN)));
    assert_true(isnan(dlab_birthday(2.5, 365)) && isnan(dlab_birthday(3, 0)) &&
                isnan(dlab_birthday(NAN, 10)));
    assert_true(isnan(dlab_log1mexp(-1)) && isnan(dlab_stirling_rest(0)) && isnan(dlab_gamma_term(-1, 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(incomplete_gamma_keeps_both_tails),
        cmocka_unit_test(inverses_return_where_they_came_from),
        cmocka_unit_test(incomplete_beta),
        cmocka_unit_test(binomial),
        cmocka_unit_test(poisson),
        cmocka_unit_test(birthday),
        cmocka_unit_test(logarithms),
        cmocka_unit_test(integrals),
        cmocka_unit_test(roots),
        cmocka_unit_test(outside_its_domain_a_function_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
