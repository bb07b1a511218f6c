/* M/M/1 in time: busy periods, the way from an empty start, and how long to watch.
 *
 * The textbook forms are sums of modified Bessel functions. Writing the Bessel function as its integral over
 * an angle turns all of them into one family,
 *     integral over 0..pi of (2/pi) sin^2(a) h(g(a)) da,  g(a) = lambda + mu - 2 sqrt(lambda mu) cos(a),
 * with h positive and smooth: g is the continuous spectrum of the chain. So every quantity here is a sum of
 * positive parts and correct at any load, stable or not.
 *
 * Preemptive last come first served: a new job is served at once, and what arrives later delays it exactly as
 * a busy period it starts, so its latency is a busy period (Kleinrock, vol. 1, 5.8).
 *
 * Sources: Kleinrock 1 (1975), 2.8 and 5.8; Karlin and McGregor, Pacific J. Math. 8 (1958) for the spectral
 * form; Abate and Whitt, Adv. Appl. Prob. 19 (1987) for P(empty) and busy periods; Whitt, Manag. Sci. 35
 * (1989) for the run length. */
#include <distlab/closed_forms.h>

#include <math.h>
#include <stdbool.h>

#include <distlab/numerics.h>
#include <distlab/statistics.h>

static const double pi = 3.14159265358979323846, tolerance = 1e-13;

typedef struct spectrum {
    double arrival_rate, service_rate, t;
    double gap;   /* g(0) = (sqrt mu - sqrt lambda)^2 */
    double cross; /* sqrt(lambda mu) */
    double (*h)(double g, double t);
} spectrum;

static bool spectrum_init(spectrum *s, double arrival_rate, double service_rate, double t)
{
    if (!(arrival_rate > 0) || !(service_rate > 0) || !(t >= 0)) return false;
    if (isinf(arrival_rate) || isinf(service_rate)) return false;
    const double root = (service_rate - arrival_rate) / (sqrt(arrival_rate) + sqrt(service_rate));
    *s = (spectrum){ .arrival_rate = arrival_rate, .service_rate = service_rate, .t = t };
    s->gap = root * root;
    s->cross = sqrt(arrival_rate) * sqrt(service_rate);
    return true;
}

static double at_angle(double a, void *data)
{
    const spectrum *s = data;
    const double half = sin(0.5 * a), sine = sin(a);
    return sine * sine * s->h(s->gap + 4 * s->cross * half * half, s->t);
}

/* The integrand may change where g leaves its least value, and it ends where g t is above about 40: pieces
 * grow from the first of these angles to the second, so that neither is stepped over. */
static double integral(spectrum *s, double (*h)(double g, double t))
{
    s->h = h;
    const double width = 40 / (s->t * 4 * s->cross), least = 3 * sqrt(s->gap / s->cross);
    const double bend = width < 1 ? 2 * asin(sqrt(width)) : pi;
    double sum = 0, low = 0;
    for (double high = fmax(least, 1e-9 * bend); low < bend; high *= 8) {
        const double end = fmin(high, bend);
        sum += dlab_integrate(at_angle, s, low, end, tolerance, NULL);
        low = end;
    }
    if (bend < pi) sum += dlab_integrate(at_angle, s, bend, pi, tolerance, NULL);
    return 2 / pi * sum;
}

static double decayed(double g, double t) /* (1 - exp(-g t)) / g */
{
    return g * t > 1e-300 ? -expm1(-g * t) / g : t;
}

static double left(double g, double t) /* exp(-g t) / g */
{
    return g > 0 ? exp(-g * t) / g : 0; /* sin^2 vanishes there faster than g */
}

static double decayed_by_g(double g, double t) /* (1 - exp(-g t)) / g^2 */
{
    return g > 0 ? decayed(g, t) / g : 0;
}

double dlab_mm1_busy_cdf(double arrival_rate, double service_rate, double t)
{
    spectrum s;
    if (!spectrum_init(&s, arrival_rate, service_rate, t)) return NAN;
    if (t == 0) return 0;
    if (isinf(t)) return fmin(1, service_rate / arrival_rate);
    /* Density (1/(t sqrt rho)) exp(-(lambda + mu) t) I_1(2 t sqrt(lambda mu)), Kleinrock (5.157). */
    return fmin(1, service_rate * integral(&s, decayed));
}

/* P(busy period > t), with what never ends. */
static double busy_tail(double arrival_rate, double service_rate, double t)
{
    spectrum s;
    if (!spectrum_init(&s, arrival_rate, service_rate, t)) return NAN;
    const double never = arrival_rate > service_rate ? 1 - service_rate / arrival_rate : 0;
    return never + service_rate * integral(&s, left);
}

typedef struct busy_target {
    double arrival_rate, service_rate, p;
} busy_target;

static double busy_miss(double t, void *data)
{
    const busy_target *b = data;
    if (b->p < 0.5) return log(dlab_mm1_busy_cdf(b->arrival_rate, b->service_rate, t)) - log(b->p);
    return log1p(-b->p) - log(busy_tail(b->arrival_rate, b->service_rate, t));
}

double dlab_mm1_busy_quantile(double arrival_rate, double service_rate, double p)
{
    busy_target b = { arrival_rate, service_rate, p };
    const double ends = dlab_mm1_busy_cdf(arrival_rate, service_rate, INFINITY);
    if (isnan(ends) || !(p >= 0) || !(p <= 1)) return NAN;
    if (p == 0) return 0;
    if (p >= ends) return INFINITY;
    /* A busy period is at least one service; a little less, lest rounding puts the root outside. */
    double low = -log1p(-p) / service_rate * (1 - 1e-9), high = 2 * low;
    while (busy_miss(high, &b) < 0 && high < 1e300) {
        low = high;
        high *= 2;
    }
    return dlab_root(busy_miss, &b, low, high, 1e-14 * high);
}

static bool is_stable(double arrival_rate, double service_rate)
{
    return arrival_rate > 0 && service_rate > arrival_rate && service_rate < INFINITY;
}

double dlab_mm1_busy_mean(double arrival_rate, double service_rate)
{
    if (!(arrival_rate > 0) || !(service_rate > 0)) return NAN;
    return is_stable(arrival_rate, service_rate) ? 1 / (service_rate - arrival_rate) : INFINITY;
}

double dlab_mm1_busy_variance(double arrival_rate, double service_rate)
{
    if (!(arrival_rate > 0) || !(service_rate > 0)) return NAN;
    if (!is_stable(arrival_rate, service_rate)) return INFINITY;
    const double spare = service_rate - arrival_rate;
    return (service_rate + arrival_rate) / (spare * spare * spare);
}

double dlab_mm1_lifo_goodput(double arrival_rate, double service_rate, double deadline)
{
    return arrival_rate * dlab_mm1_busy_cdf(arrival_rate, service_rate, deadline);
}

double dlab_mm1_empty_after(double arrival_rate, double service_rate, double t)
{
    spectrum s;
    if (!spectrum_init(&s, arrival_rate, service_rate, t)) return NAN;
    const double stays = arrival_rate < service_rate ? 1 - arrival_rate / service_rate : 0;
    if (isinf(t)) return stays;
    return t == 0 ? 1 : stays + arrival_rate * integral(&s, left);
}

double dlab_mm1_in_system_after(double arrival_rate, double service_rate, double t)
{
    spectrum s;
    if (!spectrum_init(&s, arrival_rate, service_rate, t)) return NAN;
    if (t == 0) return 0;
    const bool stable = is_stable(arrival_rate, service_rate);
    if (isinf(t)) return stable ? arrival_rate / (service_rate - arrival_rate) : INFINITY;
    /* dE[N]/dt = lambda - mu (1 - P(empty)), integrated. */
    const double drift = stable ? 0 : (arrival_rate - service_rate) * t;
    return drift + arrival_rate * service_rate * integral(&s, decayed_by_g);
}

double dlab_mm1_asymptotic_variance(double arrival_rate, double service_rate)
{
    if (!(arrival_rate > 0) || !(service_rate > 0)) return NAN;
    if (!is_stable(arrival_rate, service_rate)) return INFINITY;
    const double rho = arrival_rate / service_rate, idle = (service_rate - arrival_rate) / service_rate;
    return 2 * rho * (1 + rho) / (service_rate * idle * idle * idle * idle);
}

double dlab_mm1_run_time(double arrival_rate, double service_rate, double relative_error, double confidence)
{
    if (!(relative_error > 0) || !(confidence > 0) || !(confidence < 1)) return NAN;
    const double z = dlab_normal_quantile(0.5 + 0.5 * confidence);
    const double mean = arrival_rate / (service_rate - arrival_rate);
    const double variance = dlab_mm1_asymptotic_variance(arrival_rate, service_rate);
    if (isinf(variance)) return INFINITY;
    return z * z * variance / (relative_error * relative_error * mean * mean);
}
