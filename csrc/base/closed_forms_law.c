/* A law chosen from two numbers, mean and squared coefficient of variation (scv), as engineers know them:
 * constant at 0, gamma below 1, exponential at 1, hyperexponential with balanced means above 1 (both kinds of
 * job contribute half of the work). Formulas that need more than two moments (SRPT, GI/M/1) use it.
 *
 * Sources: Tijms, A First Course in Stochastic Models (2003), appendix B (two-moment fits). */
#include <distlab/closed_forms.h>

#include <math.h>
#include <stdbool.h>

#include <distlab/numerics.h>

static const double scv_min = 1e-9; /* below it a gamma law is a constant as far as doubles tell */

typedef struct mixed {
    double p[2], rate[2];
} mixed;

static mixed balanced(dlab_law law)
{
    const double root = sqrt((law.scv - 1) / (law.scv + 1));
    mixed h = { .p = { 0.5 * (1 + root), 1 / ((law.scv + 1) * (1 + root)) } };
    for (int i = 0; i < 2; i++) h.rate[i] = 2 * h.p[i] / law.mean;
    return h;
}

static bool is_law(dlab_law law)
{
    return law.mean > 0 && law.mean < INFINITY && law.scv >= 0 && law.scv < INFINITY;
}

double dlab_law_pdf(dlab_law law, double x)
{
    if (!is_law(law) || law.scv < scv_min || isnan(x)) return NAN;
    if (x < 0 || isinf(x)) return 0;
    if (law.scv > 1) {
        const mixed h = balanced(law);
        return h.p[0] * h.rate[0] * exp(-h.rate[0] * x) + h.p[1] * h.rate[1] * exp(-h.rate[1] * x);
    }
    const double shape = 1 / law.scv, scale = law.mean * law.scv;
    if (shape == 1) return exp(-x / scale) / scale;
    return x == 0 ? 0 : dlab_gamma_term(shape, x / scale) * shape / x;
}

double dlab_law_tail(dlab_law law, double x)
{
    if (!is_law(law) || isnan(x)) return NAN;
    if (x < 0) return 1;
    if (law.scv < scv_min) return x < law.mean;
    if (law.scv == 1) return exp(-x / law.mean);
    if (law.scv < 1) return dlab_gamma_q(1 / law.scv, x / (law.mean * law.scv));
    const mixed h = balanced(law);
    return h.p[0] * exp(-h.rate[0] * x) + h.p[1] * exp(-h.rate[1] * x);
}

typedef struct tail_target {
    dlab_law law;
    double log_tail;
} tail_target;

static double tail_miss(double x, void *data)
{
    const tail_target *t = data;
    return log(dlab_law_tail(t->law, x)) - t->log_tail;
}

double dlab_law_quantile(dlab_law law, double p)
{
    if (!is_law(law) || !(p >= 0) || !(p <= 1)) return NAN;
    if (law.scv < scv_min) return law.mean;
    if (law.scv == 1) return -law.mean * log1p(-p);
    if (law.scv < 1) return law.mean * law.scv * dlab_gamma_p_inverse(1 / law.scv, p);
    if (p == 0 || p == 1) return p == 0 ? 0 : INFINITY;
    const mixed h = balanced(law);
    tail_target t = { law, log1p(-p) };
    return dlab_root(tail_miss, &t, -t.log_tail / h.rate[0] * 0.999, -t.log_tail / h.rate[1] * 1.001, 0);
}

/* E[X^k; X <= x] of an exponential law with the given rate. */
static double exponential_partial(int k, double rate, double x)
{
    const double factor = k == 2 ? 2 / (rate * rate) : k == 1 ? 1 / rate : 1;
    return factor * dlab_gamma_p(k + 1, rate * x);
}

double dlab_law_partial(dlab_law law, int moment, double x)
{
    if (!is_law(law) || moment < 0 || moment > 2 || isnan(x)) return NAN;
    if (x <= 0) return 0;
    if (law.scv < scv_min) return x < law.mean ? 0 : pow(law.mean, moment);
    if (law.scv > 1) {
        const mixed h = balanced(law);
        return h.p[0] * exponential_partial(moment, h.rate[0], x) +
               h.p[1] * exponential_partial(moment, h.rate[1], x);
    }
    const double shape = 1 / law.scv, scale = law.mean * law.scv;
    double factor = 1;
    for (int i = 0; i < moment; i++) factor *= scale * (shape + i);
    return factor * dlab_gamma_p(shape + moment, x / scale);
}

double dlab_law_log_laplace(dlab_law law, double s)
{
    if (!is_law(law) || !(s >= 0)) return NAN;
    if (law.scv < scv_min) return -s * law.mean;
    if (law.scv <= 1) return -log1p(s * law.mean * law.scv) / law.scv;
    const mixed h = balanced(law);
    return log1p(-s * (h.p[0] / (h.rate[0] + s) + h.p[1] / (h.rate[1] + s)));
}
