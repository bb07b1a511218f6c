/* Distributions as records: names, accepted parameters, support, and the canonical text.
 *
 * Limits are generous but finite, so that no sum or power of accepted values overflows: a value is at most
 * 1e18 in size (10^18 s are 30 billion years), shapes stay where their moments can be computed. A truncated
 * normal may keep only what lies beyond 30 standard deviations at most: 10^-197 of its mass. */
#include "base/laws.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 1e18
#define NORMAL_REACH 30 /* standard deviations */

const char *const dlab_distribution_names[] = {
#define X(kind, name, meaning) name,
    DLAB_DISTRIBUTIONS(X)
#undef X
};

#define ANY(name)                   \
    {                               \
        name, -VALUE_MAX, VALUE_MAX \
    }
#define POSITIVE(name)     \
    {                      \
        name, 0, VALUE_MAX \
    }
#define SHARE(name) \
    {               \
        name, 0, 1  \
    }

const dlab_law_bound dlab_law_bounds[DLAB_DIST_KINDS][DLAB_LAW_PARAMETERS] = {
    [DLAB_DIST_CONSTANT] = { ANY("value") },
    [DLAB_DIST_UNIFORM] = { ANY("low"), ANY("high") },
    [DLAB_DIST_EXPONENTIAL] = { POSITIVE("mean") },
    [DLAB_DIST_HYPEREXPONENTIAL] = { SHARE("p"), POSITIVE("mean1"), POSITIVE("mean2") },
    [DLAB_DIST_GAMMA] = { { "shape", 1e-3, 1e9 }, POSITIVE("scale") },
    [DLAB_DIST_ERLANG] = { { "k", 1, 1e6 }, POSITIVE("mean") },
    [DLAB_DIST_NORMAL] = { ANY("mean"),
                           { "sd", 1e-18, VALUE_MAX },
                           { "low", -INFINITY, VALUE_MAX },
                           { "high", -VALUE_MAX, INFINITY } },
    [DLAB_DIST_LOGNORMAL] = { POSITIVE("median"), { "sigma", 0, 15 } },
    [DLAB_DIST_WEIBULL] = { { "shape", 0.02, 1000 }, POSITIVE("scale") },
    [DLAB_DIST_PARETO] = { { "alpha", 0.01, 1e4 }, { "low", 1e-18, VALUE_MAX }, { "high", 1e-18, INFINITY } },
    [DLAB_DIST_BIMODAL] = { ANY("fast"), ANY("slow"), SHARE("p") },
};

static int check_together(const dlab_distribution *d, dlab_error *err)
{
    const double *const p = d->p;
    switch (d->kind) {
    case DLAB_DIST_UNIFORM:
        if (p[0] <= p[1]) return DLAB_OK;
        return dlab_fail(err, DLAB_EINVAL, "uniform: low = %g is above high = %g", p[0], p[1]);
    case DLAB_DIST_ERLANG:
        if (p[0] == floor(p[0])) return DLAB_OK;
        return dlab_fail(err, DLAB_ERANGE, "erlang: k = %g is not whole; gamma takes any shape", p[0]);
    case DLAB_DIST_PARETO:
        if (!(p[1] < p[2]))
            return dlab_fail(err, DLAB_EINVAL, "pareto: low = %g is not below high = %g", p[1], p[2]);
        if (p[2] <= VALUE_MAX || isinf(p[2])) return DLAB_OK;
        return dlab_fail(err, DLAB_ERANGE, "pareto: high = %g is neither at most %g nor inf", p[2],
                         VALUE_MAX);
    case DLAB_DIST_NORMAL:
        if (!(p[2] < p[3]))
            return dlab_fail(err, DLAB_EINVAL, "normal: low = %g is not below high = %g", p[2], p[3]);
        if (p[2] <= p[0] + NORMAL_REACH * p[1] && p[3] >= p[0] - NORMAL_REACH * p[1]) return DLAB_OK;
        return dlab_fail(err, DLAB_EINVAL,
                         "normal: %g..%g lies more than %d standard deviations (sd = %g) "
                         "from mean = %g",
                         p[2], p[3], NORMAL_REACH, p[1], p[0]);
    default: return DLAB_OK;
    }
}

int dlab_law_check(const dlab_distribution *d, dlab_error *err)
{
    if (d->kind < 0 || d->kind >= DLAB_DIST_KINDS)
        return dlab_fail(err, DLAB_ERANGE, "distribution kind %" PRId32 " is outside [0, %d]", d->kind,
                         DLAB_DIST_KINDS - 1);
    const char *const name = dlab_distribution_names[d->kind];
    const dlab_law_bound *const bounds = dlab_law_bounds[d->kind];
    for (int i = 0; i < DLAB_LAW_PARAMETERS && bounds[i].name != NULL; i++)
        if (!(d->p[i] >= bounds[i].min && d->p[i] <= bounds[i].max))
            return dlab_fail(err, DLAB_ERANGE, "%s: %s = %g is outside [%g, %g]", name, bounds[i].name,
                             d->p[i], bounds[i].min, bounds[i].max);
    if (!(fabs(d->shift) <= VALUE_MAX))
        return dlab_fail(err, DLAB_ERANGE, "%s: shift = %g is outside [%g, %g]", name, d->shift, -VALUE_MAX,
                         VALUE_MAX);
    return check_together(d, err);
}

static const void *rows(const dlab_distribution *d, const dlab_pool *pool, size_t row_size)
{
    if (pool == NULL || d->table >= pool->count || d->count == 0) return NULL;
    const dlab_rows *const table = &pool->tables[d->table];
    if (table->row_size != row_size || table->rows == NULL) return NULL;
    if (d->first > table->count || d->count > table->count - d->first) return NULL;
    return (const char *)table->rows + d->first * row_size;
}

const dlab_part *dlab_law_parts(const dlab_distribution *d, const dlab_pool *pool)
{
    const dlab_part *const parts = d->count <= DLAB_PARTS_MAX ? rows(d, pool, sizeof(dlab_part)) : NULL;
    for (uint32_t i = 0; parts != NULL && i < d->count; i++)
        if (parts[i].distribution.kind == DLAB_DIST_MIXTURE) return NULL;
    return parts;
}

const double *dlab_law_samples(const dlab_distribution *d, const dlab_pool *pool)
{
    return rows(d, pool, sizeof(double));
}

static int missing(const dlab_distribution *d, const char *what, dlab_error *err)
{
    return dlab_fail(err, DLAB_ERANGE,
                     "%s: there are no %" PRIu32 " %s from row %" PRIu32 " of table %" PRIu32 " on",
                     dlab_distribution_names[d->kind], d->count, what, d->first, d->table);
}

/* Whoever fills the pool sorts the samples; looking at all of them in every row would cost more than
 * many a run, so only the ends are looked at here. */
static int check_samples(const dlab_distribution *d, const dlab_pool *pool, dlab_error *err)
{
    const double *const samples = dlab_law_samples(d, pool);
    if (samples == NULL) return missing(d, "samples", err);
    const double first = samples[0], last = samples[d->count - 1];
    if (first >= -VALUE_MAX && last <= VALUE_MAX && first <= last) return DLAB_OK;
    return dlab_fail(err, DLAB_EINVAL, "empirical: samples %g..%g are not sorted or not within [%g, %g]",
                     first, last, -VALUE_MAX, VALUE_MAX);
}

static int check_part(const dlab_part *part, const dlab_pool *pool, dlab_error *err)
{
    const dlab_distribution *const d = &part->distribution;
    if (!(part->weight > 0 && part->weight <= VALUE_MAX))
        return dlab_fail(err, DLAB_ERANGE, "mixture: weight = %g is outside (0, %g]", part->weight,
                         VALUE_MAX);
    if (d->kind == DLAB_DIST_MIXTURE)
        return dlab_fail(err, DLAB_EINVAL, "mixture: a part is a mixture itself; write its parts out");
    const int code = dlab_law_check(d, err);
    if (code != DLAB_OK || d->kind != DLAB_DIST_EMPIRICAL) return code;
    return check_samples(d, pool, err);
}

static int check_references(const dlab_distribution *d, const dlab_pool *pool, dlab_error *err)
{
    if (d->kind == DLAB_DIST_EMPIRICAL) return check_samples(d, pool, err);
    if (d->kind != DLAB_DIST_MIXTURE) return DLAB_OK;
    if (d->count > DLAB_PARTS_MAX)
        return dlab_fail(err, DLAB_ELIMIT, "mixture: %" PRIu32 " parts are more than %d", d->count,
                         DLAB_PARTS_MAX);
    const dlab_part *const parts = rows(d, pool, sizeof(dlab_part)); /* nested ones too, to say so */
    if (parts == NULL) return missing(d, "parts", err);
    for (uint32_t i = 0; i < d->count; i++) {
        const int code = check_part(&parts[i], pool, err);
        if (code != DLAB_OK) return code;
    }
    return DLAB_OK;
}

int dlab_distribution_check(const dlab_distribution *d, const dlab_pool *pool, const char *name, double low,
                            double min, double max, dlab_error *err)
{
    if (d->kind == -1) return DLAB_OK; /* off; whether a field may be off is its own affair */
    dlab_error why = { .code = DLAB_OK };
    int code = dlab_law_check(d, &why);
    if (code == DLAB_OK) code = check_references(d, pool, &why);
    if (code != DLAB_OK) return dlab_fail(err, code, "%s: %s", name, why.text);
    const char *const kind = dlab_distribution_names[d->kind];
    const double least = dlab_law_low(d, pool);
    if (least < low)
        return dlab_fail(err, DLAB_ERANGE, "%s: %s reaches down to %g, below %g", name, kind, least, low);
    if (isnan(min) && isnan(max)) return DLAB_OK;
    const double mean = dlab_distribution_mean(d, pool);
    if (mean < min || mean > max)
        return dlab_fail(err, DLAB_ERANGE, "%s: mean of %s = %g is outside [%g, %g]", name, kind, mean, min,
                         max);
    return DLAB_OK;
}

/* The text being written: counts what does not fit, as snprintf does. */
typedef struct writer {
    char *text;
    size_t size, length;
} writer;

__attribute__((format(printf, 2, 3))) static void put(writer *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const bool room = w->length < w->size;
    char *const at = room ? w->text + w->length : NULL;
    const int n = vsnprintf(at, room ? w->size - w->length : 0, format, arguments);
    va_end(arguments);
    if (n > 0) w->length += (size_t)n;
}

/* The shortest of 15, 16 or 17 digits that reads back to the same number, with a point in any locale. */
static void put_number(writer *w, double x)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x) break;
    }
    char *const point = strchr(text, localeconv()->decimal_point[0]);
    if (point != NULL) *point = '.';
    put(w, "%s", text);
}

static void put_law(writer *w, const dlab_distribution *d)
{
    const dlab_law_bound *const bounds = dlab_law_bounds[d->kind];
    for (int i = 0; i < DLAB_LAW_PARAMETERS && bounds[i].name != NULL; i++) {
        put(w, i == 0 ? "%s=" : ", %s=", bounds[i].name);
        put_number(w, d->p[i]);
    }
    if (d->kind == DLAB_DIST_EMPIRICAL)
        put(w, "table=%" PRIu32 ", first=%" PRIu32 ", count=%" PRIu32, d->table, d->first, d->count);
}

static void put_distribution(writer *w, const dlab_distribution *d, const dlab_pool *pool)
{
    if (d->kind < 0 || d->kind >= DLAB_DIST_KINDS) {
        put(w, "None");
        return;
    }
    put(w, "%s(", dlab_distribution_names[d->kind]);
    put_law(w, d);
    const dlab_part *const parts = d->kind == DLAB_DIST_MIXTURE ? dlab_law_parts(d, pool) : NULL;
    for (uint32_t i = 0; parts != NULL && i < d->count; i++) {
        if (i > 0) put(w, ", ");
        put_number(w, parts[i].weight);
        put(w, ": ");
        put_distribution(w, &parts[i].distribution, pool);
    }
    put(w, ")");
    if (d->shift == 0) return;
    put(w, d->shift < 0 ? " - " : " + ");
    put_number(w, fabs(d->shift));
}

int dlab_distribution_format(const dlab_distribution *d, const dlab_pool *pool, char *text, size_t size)
{
    writer w = { text, size, 0 };
    if (size > 0) text[0] = '\0';
    put_distribution(&w, d, pool);
    return (int)w.length;
}
