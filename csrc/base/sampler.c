/* Samplers: a distribution with its constants worked out, and the draws.
 *
 * Every draw uses random.h, real.h and the four basic operations (sqrt, which IEEE 754 fixes too, only while
 * compiling), so it has the same bits on every platform. How many words a draw takes from the stream depends
 * on the kind alone or on the words themselves, never on the parameters of another stream.
 *
 * Sources: gamma by Marsaglia and Tsang, ACM TOMS 26(3), 2000, with their power of a uniform below shape 1;
 * truncated normal by Robert, Statistics and Computing 5, 1995; the rest by inversion of the distribution
 * function applied to an exponential variate (which is -log of a uniform) or to a uniform. */
#include "base/laws.h"
#include "base/sampler_inline.h"

#include <distlab/real.h>

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { BLOCK = 256 }; /* draws worked on at once: 2 KiB */

/* Kinds of samplers beside the kinds of distributions: cases that are drawn in another way. */
enum { NORMAL_TAIL = DLAB_DIST_KINDS, NORMAL_BAND, NORMAL_WHOLE, GAMMA_BOOSTED, PARETO_BOUNDED };

static inline double draw_constant(const dlab_sampler *s, dlab_rng *rng)
{
    (void)rng;
    return s->a;
}

static inline double draw_uniform(const dlab_sampler *s, dlab_rng *rng)
{
    return s->a + s->b * dlab_rng_unit(rng);
}

static inline double draw_exponential(const dlab_sampler *s, dlab_rng *rng)
{
    return s->a * dlab_rng_exponential(rng);
}

static inline double draw_hyperexponential(const dlab_sampler *s, dlab_rng *rng)
{
    const double mean = dlab_rng_unit(rng) < s->a ? s->b : s->c;
    return mean * dlab_rng_exponential(rng);
}

/* "Generate x normal and v = (1 + c x)^3; if log(u) < x^2/2 + d - d v + d log(v), return d v"; the first
 * test accepts most candidates without a logarithm. a = d = shape - 1/3, b = c = 1 / sqrt(9 d). */
static inline double draw_gamma(const dlab_sampler *s, dlab_rng *rng)
{
    for (;;) {
        const double x = dlab_rng_normal(rng), root = 1 + s->b * x;
        if (root <= 0) continue;
        const double v = root * root * root, x2 = x * x, u = dlab_rng_unit(rng);
        if (u < 1 - 0.0331 * x2 * x2 || dlab_log(u) < 0.5 * x2 + s->a * (1 - v + dlab_log(v)))
            return s->c * (s->a * v);
    }
}

/* Gamma(k) = Gamma(k + 1) U^(1/k); the power is exp(-E / k) for an exponential E. d = 1 / k. */
static inline double draw_gamma_boosted(const dlab_sampler *s, dlab_rng *rng)
{
    const double larger = draw_gamma(s, rng);
    return larger * dlab_exp(-(dlab_rng_exponential(rng) * s->d));
}

static inline double draw_normal_whole(const dlab_sampler *s, dlab_rng *rng)
{
    return s->a + s->b * dlab_rng_normal(rng);
}

static inline double draw_normal(const dlab_sampler *s, dlab_rng *rng)
{
    for (;;) {
        const double x = draw_normal_whole(s, rng);
        if (x >= s->c && x <= s->d) return x;
    }
}

/* Exponential candidates t beyond the cut at z = start, with the best rate r: r (r - start) = 1. They are
 * kept with probability exp(-(t - c)^2 / 2), c = 1 / r = r - start, d = width. */
static inline double draw_normal_tail(const dlab_sampler *s, dlab_rng *rng)
{
    for (;;) {
        const double t = s->c * dlab_rng_exponential(rng), off = t - s->c;
        if (t <= s->d && 0.5 * off * off < dlab_rng_exponential(rng)) return s->a + s->b * t;
    }
}

/* Uniform candidates z = c + t, t in [0, d], kept with probability exp(-z^2 / 2) relative to its greatest
 * value in the band, which is at z = c or, where the band holds 0, at 0. */
static inline double draw_normal_band(const dlab_sampler *s, dlab_rng *rng)
{
    const double peak = s->c < 0 ? -0.5 * s->c * s->c : 0;
    for (;;) {
        const double t = s->d * dlab_rng_unit(rng);
        if (0.5 * t * (2 * s->c + t) - peak < dlab_rng_exponential(rng)) return s->a + s->b * t;
    }
}

static inline double draw_lognormal(const dlab_sampler *s, dlab_rng *rng)
{
    return s->a * dlab_exp(s->b * dlab_rng_normal(rng));
}

static inline double draw_weibull(const dlab_sampler *s, dlab_rng *rng)
{
    return s->b * dlab_exp(s->a * dlab_log(dlab_rng_exponential(rng)));
}

static inline double draw_pareto(const dlab_sampler *s, dlab_rng *rng)
{
    return s->b * dlab_exp(s->a * dlab_rng_exponential(rng));
}

/* low (1 - u (1 - (low/high)^alpha))^(-1/alpha); rounding may step over high. */
static inline double draw_pareto_bounded(const dlab_sampler *s, dlab_rng *rng)
{
    const double x = s->b * dlab_exp(-s->a * dlab_log1p(-s->c * dlab_rng_unit(rng)));
    return x < s->d ? x : s->d;
}

static inline double draw_bimodal(const dlab_sampler *s, dlab_rng *rng)
{
    return dlab_rng_unit(rng) < s->c ? s->b : s->a;
}

static inline double draw_empirical(const dlab_sampler *s, dlab_rng *rng)
{
    return s->a * s->samples[dlab_rng_below(rng, s->count)];
}

static double draw_mixture(const dlab_sampler *s, dlab_rng *rng)
{
    const double u = dlab_rng_unit(rng);
    size_t i = 0;
    while (i + 1 < s->count && u >= s->thresholds[i]) i++;
    return dlab_sample(&s->parts[i], rng);
}

#define DRAWS(X)                                         \
    X(DLAB_DIST_CONSTANT, draw_constant)                 \
    X(DLAB_DIST_UNIFORM, draw_uniform)                   \
    X(DLAB_DIST_EXPONENTIAL, draw_exponential)           \
    X(DLAB_DIST_HYPEREXPONENTIAL, draw_hyperexponential) \
    X(DLAB_DIST_GAMMA, draw_gamma)                       \
    X(GAMMA_BOOSTED, draw_gamma_boosted)                 \
    X(DLAB_DIST_NORMAL, draw_normal)                     \
    X(NORMAL_WHOLE, draw_normal_whole)                   \
    X(NORMAL_TAIL, draw_normal_tail)                     \
    X(NORMAL_BAND, draw_normal_band)                     \
    X(DLAB_DIST_LOGNORMAL, draw_lognormal)               \
    X(DLAB_DIST_WEIBULL, draw_weibull)                   \
    X(DLAB_DIST_PARETO, draw_pareto)                     \
    X(PARETO_BOUNDED, draw_pareto_bounded)               \
    X(DLAB_DIST_BIMODAL, draw_bimodal)                   \
    X(DLAB_DIST_EMPIRICAL, draw_empirical)               \
    X(DLAB_DIST_MIXTURE, draw_mixture)

double dlab_sample(const dlab_sampler *s, dlab_rng *rng)
{
    switch (s->kind) {
#define X(kind, draw) \
    case kind: return draw(s, rng) + s->shift;
        DRAWS(X)
#undef X
    default: return NAN;
    }
}

int64_t dlab_round_far(double x)
{
    if (!(x < (double)DLAB_TIME_MAX)) return DLAB_TIME_MAX;
    if (x <= -(double)DLAB_TIME_MAX) return -DLAB_TIME_MAX;
    return (int64_t)nearbyint(x);
}

int64_t dlab_sample_ns(const dlab_sampler *s, dlab_rng *rng)
{
    if (s->kind == DLAB_DIST_EXPONENTIAL) return dlab_sample_ns_inline(s, rng);
    return dlab_to_ns(dlab_sample(s, rng) * s->ns);
}

/* The same for a block, without branches: one look at all exponents, and again if one was too large. */
static void block_to_ns(const double *x, double ns, int64_t *out, size_t n)
{
    uint64_t differ = 0;
    for (size_t i = 0; i < n; i++) {
        const uint64_t bits = dlab_rounded_bits(x[i] * ns);
        differ |= bits ^ DLAB_ROUNDER_BITS;
        out[i] = (int64_t)(bits - DLAB_ROUNDER_BITS);
    }
    if (differ >> 52 == 0) return;
    for (size_t i = 0; i < n; i++) out[i] = dlab_to_ns(x[i] * ns);
}

/* A loop for each kind, over a local generator and local constants, which stay in registers. */
#define X(kind, draw)                                                                         \
    static void draw##_block(const dlab_sampler *sampler, dlab_rng *rng, double *x, size_t n) \
    {                                                                                         \
        const dlab_sampler s = *sampler;                                                      \
        dlab_rng local = *rng;                                                                \
        for (size_t i = 0; i < n; i++) x[i] = draw(&s, &local) + s.shift;                     \
        *rng = local;                                                                         \
    }
DRAWS(X)
#undef X

/* Normals first, then all exponentials at once, as vector code. */
static void lognormal_block(const dlab_sampler *sampler, dlab_rng *rng, double *x, size_t n)
{
    const dlab_sampler s = *sampler;
    dlab_rng local = *rng;
    for (size_t i = 0; i < n; i++) x[i] = s.b * dlab_rng_normal(&local);
    *rng = local;
    dlab_exp_all(x, n);
    for (size_t i = 0; i < n; i++) x[i] = s.a * x[i] + s.shift;
}

static void draw_block(const dlab_sampler *s, dlab_rng *rng, double *x, size_t n)
{
    if (s->kind == DLAB_DIST_LOGNORMAL) {
        lognormal_block(s, rng, x, n);
        return;
    }
    switch (s->kind) {
#define X(kind, draw) \
    case kind: draw##_block(s, rng, x, n); return;
        DRAWS(X)
#undef X
    default: return;
    }
}

void dlab_sample_fill_ns(const dlab_sampler *s, dlab_rng *rng, int64_t *out, size_t n)
{
    double x[BLOCK];
    if (s->kind == DLAB_DIST_CONSTANT) {
        const int64_t value = dlab_sample_ns(s, rng);
        for (size_t i = 0; i < n; i++) out[i] = value;
        return;
    }
    for (size_t done = 0; done < n; done += BLOCK) {
        const size_t some = n - done < BLOCK ? n - done : BLOCK;
        draw_block(s, rng, x, some);
        block_to_ns(x, s->ns, out + done, some);
    }
}

static void set(dlab_sampler *s, int kind, double a, double b, double c, double d)
{
    s->kind = kind;
    s->a = a;
    s->b = b;
    s->c = c;
    s->d = d;
}

static void set_gamma(dlab_sampler *s, double shape, double scale)
{
    const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
    set(s, shape < 1 ? GAMMA_BOOSTED : DLAB_DIST_GAMMA, d, 1 / sqrt(9 * d), scale, 1 / shape);
}

/* Half of the candidates or more are kept in every case: the bell itself where the cut leaves its middle
 * (more than 2.5 wide), a uniform where little is left or the density hardly falls, else the tail. */
static void set_normal(dlab_sampler *s, const dlab_distribution *d, double scale)
{
    const dlab_truncation n = dlab_law_truncation(d);
    const double edge = scale * n.edge, sd = scale * n.scale;
    const double step = 2 / (n.start + sqrt(n.start * n.start + 4)); /* 1 / r */
    if (isinf(n.start) || (n.start < 0 && n.width > 2.5)) {
        const bool whole = isinf(n.start) && isinf(n.width) && isinf(d->p[2]) && isinf(d->p[3]);
        set(s, whole ? NORMAL_WHOLE : DLAB_DIST_NORMAL, scale * d->p[0], scale * d->p[1], scale * d->p[2],
            scale * d->p[3]);
    } else if (n.start < 0 || n.width < 1.5 * step) {
        set(s, NORMAL_BAND, edge, sd, n.start, n.width);
    } else {
        set(s, NORMAL_TAIL, edge, sd, step, n.width);
    }
}

static void set_pareto(dlab_sampler *s, const double *p, double scale)
{
    const double step = 1 / p[0];
    if (isinf(p[2])) {
        set(s, DLAB_DIST_PARETO, step, scale * p[1], 0, 0);
        return;
    }
    const double span = p[0] * dlab_log(p[2] / p[1]); /* the share below high is 1 - exp(-span) */
    set(s, PARETO_BOUNDED, step, scale * p[1], span * dlab_law_decay(span), scale * p[2]);
}

/* Everything but mixtures; the values are multiplied by scale. */
static void set_law(dlab_sampler *s, const dlab_distribution *d, const dlab_pool *pool, double scale)
{
    const double *const p = d->p;
    set(s, d->kind, scale * p[0], scale * p[1], 0, 0);
    s->shift = scale * d->shift;
    switch (d->kind) {
    case DLAB_DIST_UNIFORM: set(s, d->kind, scale * p[0], scale * (p[1] - p[0]), 0, 0); break;
    case DLAB_DIST_HYPEREXPONENTIAL: set(s, d->kind, p[0], scale * p[1], scale * p[2], 0); break;
    case DLAB_DIST_GAMMA: set_gamma(s, p[0], scale * p[1]); break;
    case DLAB_DIST_ERLANG: set_gamma(s, p[0], scale * p[1] / p[0]); break;
    case DLAB_DIST_NORMAL: set_normal(s, d, scale); break;
    case DLAB_DIST_LOGNORMAL: set(s, d->kind, scale * p[0], p[1], 0, 0); break;
    case DLAB_DIST_WEIBULL: set(s, d->kind, 1 / p[0], scale * p[1], 0, 0); break;
    case DLAB_DIST_PARETO: set_pareto(s, p, scale); break;
    case DLAB_DIST_BIMODAL: set(s, d->kind, scale * p[0], scale * p[1], p[2], 0); break;
    case DLAB_DIST_EMPIRICAL:
        set(s, d->kind, scale, 0, 0, 0);
        s->samples = dlab_law_samples(d, pool);
        s->count = d->count;
        break;
    default: break; /* constant, exponential */
    }
}

static int set_mixture(dlab_sampler *s, const dlab_distribution *d, const dlab_pool *pool, double scale,
                       dlab_arena *arena, dlab_error *err)
{
    const dlab_part *const parts = dlab_law_parts(d, pool);
    dlab_error why = { .code = DLAB_OK };
    dlab_sampler *const samplers = dlab_arena_alloc(arena, d->count, sizeof(dlab_sampler), &why);
    double *const thresholds = dlab_arena_alloc(arena, d->count, sizeof(double), &why);
    if (samplers == NULL || thresholds == NULL) return dlab_fail(err, why.code, "%s", why.text);
    double sum = 0, total = 0;
    for (uint32_t i = 0; i < d->count; i++) total += parts[i].weight;
    for (uint32_t i = 0; i < d->count; i++) {
        sum += parts[i].weight;
        thresholds[i] = sum / total;
        set_law(&samplers[i], &parts[i].distribution, pool, scale);
        samplers[i].ns = s->ns;
    }
    s->kind = DLAB_DIST_MIXTURE;
    s->shift = scale * d->shift;
    s->parts = samplers;
    s->thresholds = thresholds;
    s->count = d->count;
    return DLAB_OK;
}

int dlab_sampler_init(dlab_sampler *s, const dlab_distribution *d, const dlab_pool *pool, double mean,
                      dlab_arena *arena, dlab_error *err)
{
    memset(s, 0, sizeof *s);
    s->ns = 1e9;
    if (d->kind == -1) return dlab_fail(err, DLAB_EINVAL, "a distribution that is off (None) has no draws");
    const int code = dlab_distribution_check(d, pool, "distribution", NAN, NAN, NAN, err);
    if (code != DLAB_OK) return code;
    double scale = 1;
    if (mean > 0) {
        const double own = dlab_distribution_mean(d, pool);
        if (!(own > 0 && own < INFINITY))
            return dlab_fail(err, DLAB_EINVAL, "%s: its mean, %g, cannot be scaled to %g",
                             dlab_distribution_names[d->kind], own, mean);
        scale = mean / own;
    }
    if (d->kind == DLAB_DIST_MIXTURE) return set_mixture(s, d, pool, scale, arena, err);
    set_law(s, d, pool, scale);
    return DLAB_OK;
}

int dlab_sampler_init_optional(dlab_sampler *sampler, const dlab_distribution *d, const dlab_pool *pool,
                               dlab_arena *arena, dlab_error *err)
{
    static const dlab_distribution none = { .kind = DLAB_DIST_CONSTANT };
    return dlab_sampler_init(sampler, d->kind < 0 ? &none : d, pool, 0, arena, err);
}
