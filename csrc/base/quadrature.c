/* Integrals and roots of a function given by a pointer.
 *
 * Integration bisects, again and again, the interval with the largest estimated error; each piece is
 * measured by the 21-point Kronrod rule and judged by its 10-point Gauss rule. Infinite ends are mapped to
 * finite ones. The list of intervals is a fixed array: where it runs full, the best value so far is returned
 * with the error it still has. Roots are bracketed first and never lost: Brent's mixture of bisection and
 * inverse interpolation.
 *
 * Sources: Piessens et al., QUADPACK (1983), sections 2.2 and 3.2 (rule 21, global strategy, error
 * heuristic); Laurie, Math. Comp. 66 (1997) for Kronrod nodes (these were recomputed with 60 digits);
 * R. P. Brent, Algorithms for Minimization without Derivatives (1973), section 4.2. */
#include <distlab/numerics.h>

#include <float.h>
#include <math.h>
#include <stdbool.h>

enum { INTERVALS_MAX = 400, ROOT_STEPS_MAX = 300 };

/* Kronrod nodes of the right half with both weights; a Gauss weight of 0: not a Gauss node. */
static const struct {
    double node, kronrod, gauss;
} rule[11] = {
    { 0.0, 0.14944555400291690566, 0 },
    { 0.14887433898163121088, 0.14773910490133849137, 0.29552422471475287017 },
    { 0.29439286270146019813, 0.1427759385770600808, 0 },
    { 0.4333953941292471908, 0.13470921731147332593, 0.26926671930999635509 },
    { 0.56275713466860468334, 0.12349197626206585108, 0 },
    { 0.67940956829902440623, 0.1093871588022976419, 0.219086362515982044 },
    { 0.78081772658641689706, 0.093125454583697605535, 0 },
    { 0.86506336668898451073, 0.075039674810919952767, 0.14945134915058059315 },
    { 0.930157491355708226, 0.054755896574351996031, 0 },
    { 0.97390652851717172008, 0.032558162307964727479, 0.066671344308688137594 },
    { 0.99565716302580808074, 0.011694638867371874278, 0 },
};

/* The function with its infinite ends folded: x = origin + scale * t / (1 - t), or t / (1 - t^2) for both. */
typedef struct integrand {
    dlab_function *f;
    void *data;
    double origin, scale; /* its sign is that of the infinite end */
    enum { FINITE, HALF, WHOLE } kind;
} integrand;

typedef struct piece {
    double low, high, value, error;
} piece;

static double integrand_at(const integrand *g, double t)
{
    if (g->kind == FINITE) return g->f(t, g->data);
    if (g->kind == HALF) {
        const double u = 1 - t;
        return g->f(g->origin + g->scale * (t / u), g->data) * (fabs(g->scale) / (u * u));
    }
    const double u = (1 - t) * (1 + t);
    return g->f(t / u, g->data) * ((1 + t * t) / (u * u));
}

static void piece_measure(const integrand *g, piece *p)
{
    const double middle = 0.5 * (p->low + p->high), half = 0.5 * (p->high - p->low);
    double value[21];
    double kronrod = rule[0].kronrod * (value[0] = integrand_at(g, middle)), gauss = 0;
    for (int i = 1; i < 11; i++) {
        const double a = value[2 * i - 1] = integrand_at(g, middle - half * rule[i].node);
        const double b = value[2 * i] = integrand_at(g, middle + half * rule[i].node);
        kronrod += rule[i].kronrod * (a + b);
        gauss += rule[i].gauss * (a + b);
    }
    /* QUADPACK, 2.2.4.1: the difference of the rules is far too pessimistic for smooth functions. */
    double spread = 0;
    for (int i = 0; i < 21; i++) spread += rule[(i + 1) / 2].kronrod * fabs(value[i] - 0.5 * kronrod);
    double error = fabs(kronrod - gauss);
    if (spread > 0 && error > 0) error = spread * fmin(1, pow(200 * error / spread, 1.5));
    p->value = kronrod * half;
    p->error = fabs(fmax(error, 2 * DBL_EPSILON * fabs(kronrod)) * half);
}

static double bisect_worst(const integrand *g, double low, double high, double tolerance, double *error)
{
    piece pieces[INTERVALS_MAX] = { { .low = low, .high = high } };
    piece_measure(g, &pieces[0]);
    double total = pieces[0].value, left = pieces[0].error;
    for (int n = 1; n < INTERVALS_MAX && left > tolerance * fabs(total); n++) {
        int worst = 0;
        for (int i = 1; i < n; i++) {
            if (pieces[i].error > pieces[worst].error) worst = i;
        }
        piece *const a = &pieces[worst], *const b = &pieces[n];
        const double middle = 0.5 * (a->low + a->high);
        if (!(middle > a->low) || !(middle < a->high)) break;
        *b = (piece){ .low = middle, .high = a->high };
        a->high = middle;
        piece_measure(g, a);
        piece_measure(g, b);
        /* Sums afresh: running differences would keep the rounding of the first, worst estimates. */
        total = 0, left = 0;
        for (int i = 0; i <= n; i++) total += pieces[i].value, left += pieces[i].error;
        if (isnan(total)) break;
    }
    if (error) *error = left;
    return total;
}

double dlab_integrate(dlab_function *f, void *data, double low, double high, double tolerance, double *error)
{
    if (error) *error = NAN;
    if (isnan(low) || isnan(high)) return NAN;
    if (low == high) return 0;
    if (low > high) return -dlab_integrate(f, data, high, low, tolerance, error);
    integrand g = { .f = f, .data = data, .kind = FINITE };
    tolerance = fmax(tolerance, 4 * DBL_EPSILON);
    if (isfinite(low) && isfinite(high)) return bisect_worst(&g, low, high, tolerance, error);
    if (isinf(low) && isinf(high)) {
        g.kind = WHOLE;
        return bisect_worst(&g, -1, 1, tolerance, error);
    }
    g.kind = HALF;
    g.origin = isfinite(low) ? low : high;
    g.scale = (isfinite(low) ? 1 : -1) * (g.origin == 0 ? 1 : fabs(g.origin));
    return bisect_worst(&g, 0, 1, tolerance, error);
}

/* The trial step of Brent: secant or inverse quadratic; returns false where bisection is safer. */
static bool interpolate(const double x[3], const double y[3], double tolerance, double last, double *step)
{
    const double half = 0.5 * (x[2] - x[1]), s = y[1] / y[0];
    double p, q;
    if (x[0] == x[2]) {
        p = 2 * half * s;
        q = 1 - s;
    } else {
        const double r = y[1] / y[2], t = y[0] / y[2];
        p = s * (2 * half * t * (t - r) - (x[1] - x[0]) * (r - 1));
        q = (t - 1) * (r - 1) * (s - 1);
    }
    if (p > 0) q = -q;
    p = fabs(p);
    if (!(2 * p < fmin(3 * half * q - fabs(tolerance * q), fabs(last * q)))) return false;
    *step = p / q;
    return true;
}

double dlab_root(dlab_function *f, void *data, double low, double high, double tolerance)
{
    /* x[1] is the best point, x[0] the one before, x[2] the other side of the root. */
    double x[3] = { low, high, low }, y[3] = { f(low, data), f(high, data), 0 };
    if (y[0] == 0) return low;
    if (y[1] == 0) return high;
    if (isnan(y[0]) || isnan(y[1]) || (y[0] > 0) == (y[1] > 0)) return NAN;
    y[2] = y[0];
    double step = high - low, last = step;
    for (int i = 0; i < ROOT_STEPS_MAX; i++) {
        if ((y[1] > 0) == (y[2] > 0)) {
            x[2] = x[0], y[2] = y[0];
            step = last = x[1] - x[0];
        }
        if (fabs(y[2]) < fabs(y[1])) {
            x[0] = x[1], x[1] = x[2], x[2] = x[0];
            y[0] = y[1], y[1] = y[2], y[2] = y[0];
        }
        const double near = 2 * DBL_EPSILON * fabs(x[1]) + 0.5 * tolerance, half = 0.5 * (x[2] - x[1]);
        if (fabs(half) <= near || y[1] == 0) return x[1];
        double trial = half;
        const bool hopeful = fabs(last) >= near && fabs(y[0]) > fabs(y[1]);
        const bool taken = hopeful && interpolate(x, y, near, last, &trial);
        last = taken ? step : half;
        step = trial;
        x[0] = x[1], y[0] = y[1];
        x[1] += fabs(step) > near ? step : copysign(near, half);
        y[1] = f(x[1], data);
        if (isnan(y[1])) return NAN;
    }
    return x[1];
}
