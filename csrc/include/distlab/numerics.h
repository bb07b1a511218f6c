/* Numerics: functions whose textbook form overflows, cancels or loses the tail, in a form that does not.
 * Probabilities keep their relative precision in the small tail: ask for the tail you need (P or Q, cdf or
 * tail) instead of subtracting from one. Outside its domain a function returns NaN. */
#ifndef DISTLAB_NUMERICS_H
#define DISTLAB_NUMERICS_H
#include <stddef.h>
#include <stdint.h>

/* log of the sum of exp(x[i]) without overflow; -inf for n = 0. */
double dlab_log_sum_exp(const double *x, size_t n);

/* log(exp(a) + exp(b)). */
double dlab_log_add_exp(double a, double b);

/* log(1 - exp(-x)) for x >= 0. */
double dlab_log1mexp(double x);

/* log|Gamma(x)| without the global sign variable of the C library. */
double dlab_log_gamma(double x);

/* Rest of Stirling's formula: log(x!) - (x + 1/2) log x + x - log(2 pi)/2, for x > 0. */
double dlab_stirling_rest(double x);

/* x log(x/mean) + mean - x, given also the exact difference x - mean: the deviance of Loader (2000). */
double dlab_deviance(double x, double mean, double difference);

/* Regularised incomplete gamma, P(a, x) below and Q(a, x) = 1 - P above; 0 < a <= 1e14, x >= 0. */
double dlab_gamma_p(double a, double x);
double dlab_gamma_q(double a, double x);

/* The x with P(a, x) = p, and the x with Q(a, x) = q. */
double dlab_gamma_p_inverse(double a, double p);
double dlab_gamma_q_inverse(double a, double q);

/* Regularised incomplete beta I_x(a, b), 0 < a, b <= 1e10, and the x with I_x(a, b) = p. */
double dlab_beta_i(double a, double b, double x);
double dlab_beta_i_inverse(double a, double b, double p);

/* Binomial: P(X = k), P(X <= k) and P(X > k) of n trials of probability p. */
double dlab_binomial_pmf(int64_t k, int64_t n, double p);
double dlab_binomial_cdf(int64_t k, int64_t n, double p);
double dlab_binomial_tail(int64_t k, int64_t n, double p);

/* Poisson: P(X = k) and its logarithm, P(X <= k) and P(X > k) for the given mean. */
double dlab_poisson_pmf(int64_t k, double mean);
double dlab_poisson_log_pmf(int64_t k, double mean);
double dlab_poisson_cdf(int64_t k, double mean);
double dlab_poisson_tail(int64_t k, double mean);

/* Probability that n draws from `values` equally likely values collide, exact for 1 <= n <= values. */
double dlab_birthday(double n, double values);

/* x^a exp(-x) / Gamma(a + 1): the Poisson probability of a where a is whole, a >= 0, x >= 0. */
double dlab_gamma_term(double a, double x);

/* A function of one variable with its context. */
typedef double dlab_function(double x, void *data);

/* Integral of f over low..high by adaptive Gauss-Kronrod to about the given relative tolerance; *error, where
 * not NULL, receives the estimated absolute error. Either end may be infinite; it is approached on the scale
 * of the other end (1 where that is 0 or infinite), so f should not be much narrower. */
double dlab_integrate(dlab_function *f, void *data, double low, double high, double tolerance, double *error);

/* A root of f between low and high, where f changes sign, to about the given absolute tolerance (0: as
 * near as doubles come) by Brent's method; NaN where the signs at the ends agree. */
double dlab_root(dlab_function *f, void *data, double low, double high, double tolerance);

#endif
