/* The text form of distributions, read into records.
 *
 *   distribution := law [("+" | "-") quantity]
 *   law          := quantity | name "(" [argument {"," argument}] ")" | "mixture(" part {"," part} ")"
 *   argument     := [name "="] quantity
 *   part         := quantity ":" distribution       (not a mixture itself)
 *
 * A law may be written in several forms ("lognormal(median=, p99=)"); each turns into the canonical
 * parameters with the arithmetic of real.h alone, so that the same text is the same record everywhere. */
#include "base/laws.h"

#include <distlab/real.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 16384, TOKEN_MAX = 80, ARGUMENTS_MAX = 8 };

#define NORMAL_P99 2.3263478740408408 /* the 99th percentile of the standard normal */

typedef int conversion(double p[DLAB_LAW_PARAMETERS], dlab_error *err);

/* A way to write a law: names in positional order; units: u that of the field, n none. */
typedef struct form {
    int kind, required, total;
    const char *names[DLAB_LAW_PARAMETERS];
    const char *units;
    conversion *convert; /* NULL: these are the canonical parameters */
    double defaults[DLAB_LAW_PARAMETERS];
} form;

static int outside(dlab_error *err, const char *name, double value, double min, double max)
{
    return dlab_fail(err, DLAB_ERANGE, "%s = %g is outside [%g, %g]", name, value, min, max);
}

/* Balanced means: the rare slow branch and the frequent fast one carry half of the mean each. */
static int hyperexponential_scv(double p[DLAB_LAW_PARAMETERS], dlab_error *err)
{
    const double mean = p[0], scv = p[1];
    if (!(scv >= 1 && scv <= 1e6)) return outside(err, "scv", scv, 1, 1e6);
    p[0] = 1 / ((scv + 1) * (1 + sqrt((scv - 1) / (scv + 1)))); /* (1 - root) / 2 without cancellation */
    p[1] = mean / (2 * p[0]);
    p[2] = mean / (2 * (1 - p[0]));
    return DLAB_OK;
}

static int gamma_scv(double p[DLAB_LAW_PARAMETERS], dlab_error *err)
{
    const double mean = p[0], scv = p[1];
    if (!(scv >= 1e-9 && scv <= 1e3)) return outside(err, "scv", scv, 1e-9, 1e3);
    p[0] = 1 / scv;
    p[1] = mean * scv;
    return DLAB_OK;
}

static int lognormal_p99(double p[DLAB_LAW_PARAMETERS], dlab_error *err)
{
    if (!(p[0] > 0)) return outside(err, "median", p[0], 1e-18, 1e18);
    if (!(p[1] >= p[0])) return outside(err, "p99", p[1], p[0], 1e18);
    p[1] = dlab_log(p[1] / p[0]) / NORMAL_P99;
    return DLAB_OK;
}

static int lognormal_scv(double p[DLAB_LAW_PARAMETERS], dlab_error *err)
{
    const double mean = p[0], scv = p[1];
    if (!(scv >= 0 && scv <= 1e9)) return outside(err, "scv", scv, 0, 1e9);
    p[0] = mean / sqrt(1 + scv);
    p[1] = sqrt(dlab_log1p(scv));
    return DLAB_OK;
}

static int weibull_mean(double p[DLAB_LAW_PARAMETERS], dlab_error *err)
{
    const dlab_law_bound *const shape = &dlab_law_bounds[DLAB_DIST_WEIBULL][0];
    if (!(p[0] >= shape->min && p[0] <= shape->max))
        return outside(err, shape->name, p[0], shape->min, shape->max);
    p[1] /= dlab_law_gamma(1 + 1 / p[0]);
    return DLAB_OK;
}

/* Forms of a law stand together, the one for positional arguments first. */
static const form forms[] = {
    { DLAB_DIST_CONSTANT, 1, 1, { "value" }, "u", NULL, { 0 } },
    { DLAB_DIST_UNIFORM, 2, 2, { "low", "high" }, "uu", NULL, { 0 } },
    { DLAB_DIST_EXPONENTIAL, 1, 1, { "mean" }, "u", NULL, { 0 } },
    { DLAB_DIST_HYPEREXPONENTIAL, 2, 2, { "mean", "scv" }, "un", hyperexponential_scv, { 0 } },
    { DLAB_DIST_HYPEREXPONENTIAL, 3, 3, { "p", "mean1", "mean2" }, "nuu", NULL, { 0 } },
    { DLAB_DIST_GAMMA, 2, 2, { "mean", "scv" }, "un", gamma_scv, { 0 } },
    { DLAB_DIST_GAMMA, 2, 2, { "shape", "scale" }, "nu", NULL, { 0 } },
    { DLAB_DIST_ERLANG, 2, 2, { "k", "mean" }, "nu", NULL, { 0 } },
    { DLAB_DIST_NORMAL, 2, 4, { "mean", "sd", "low", "high" }, "uuuu", NULL, { 0, 0, 0, INFINITY } },
    { DLAB_DIST_LOGNORMAL, 2, 2, { "median", "sigma" }, "un", NULL, { 0 } },
    { DLAB_DIST_LOGNORMAL, 2, 2, { "median", "p99" }, "uu", lognormal_p99, { 0 } },
    { DLAB_DIST_LOGNORMAL, 2, 2, { "mean", "scv" }, "un", lognormal_scv, { 0 } },
    { DLAB_DIST_WEIBULL, 2, 2, { "shape", "scale" }, "nu", NULL, { 0 } },
    { DLAB_DIST_WEIBULL, 2, 2, { "shape", "mean" }, "nu", weibull_mean, { 0 } },
    { DLAB_DIST_PARETO, 2, 3, { "alpha", "low", "high" }, "nuu", NULL, { 0, 0, INFINITY } },
    { DLAB_DIST_BIMODAL, 3, 3, { "fast", "slow", "p" }, "uun", NULL, { 0 } },
    { DLAB_DIST_EMPIRICAL, 3, 3, { "table", "first", "count" }, "nnn", NULL, { 0 } },
};
enum { FORMS = sizeof forms / sizeof forms[0] };

typedef struct argument {
    char name[TOKEN_MAX], value[TOKEN_MAX]; /* no name: positional */
} argument;

typedef struct reader {
    const char *at, *unit;
    dlab_buffer *parts;
    dlab_memory *memory;
    dlab_error *err;
} reader;

static void skip_space(reader *r)
{
    while (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r') r->at++;
}

static int expected(reader *r, const char *what)
{
    skip_space(r);
    if (*r->at == '\0') return dlab_fail(r->err, DLAB_ETYPE, "the text ends where %s is expected", what);
    return dlab_fail(r->err, DLAB_ETYPE, "'%.24s' stands where %s is expected", r->at, what);
}

static bool accept(reader *r, char c)
{
    skip_space(r);
    if (*r->at != c) return false;
    r->at++;
    return true;
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Length of the name that comes next, 0 where there is none; a name begins with a letter. */
static size_t name_length(reader *r)
{
    skip_space(r);
    size_t n = 0;
    if (*r->at < '0' || *r->at > '9')
        while (is_name(r->at[n])) n++;
    return n;
}

static bool ends_token(const char *text, size_t i)
{
    if (text[i] == '\0' || strchr(",():=", text[i]) != NULL) return true;
    if (text[i] != '+' && text[i] != '-') return false;
    if (i == 0) return false; /* a sign */
    const bool exponent = i >= 2 && (text[i - 1] == 'e' || text[i - 1] == 'E') &&
                          ((text[i - 2] >= '0' && text[i - 2] <= '9') || text[i - 2] == '.');
    return !exponent;
}

/* The text of a quantity, to be read once its unit is known. */
static int take_token(reader *r, char token[TOKEN_MAX], const char *what)
{
    skip_space(r);
    size_t n = 0;
    while (!ends_token(r->at, n)) n++;
    if (n == 0) return expected(r, what);
    if (n >= TOKEN_MAX) return dlab_fail(r->err, DLAB_ETYPE, "'%.24s...' is too long for %s", r->at, what);
    memcpy(token, r->at, n);
    token[n] = '\0';
    r->at += n;
    return DLAB_OK;
}

static int take_argument(reader *r, argument *a)
{
    a->name[0] = '\0';
    const size_t n = name_length(r);
    const char *after = r->at + n;
    while (*after == ' ') after++;
    if (n > 0 && *after == '=') {
        if (n >= TOKEN_MAX) return expected(r, "a parameter's name");
        memcpy(a->name, r->at, n);
        a->name[n] = '\0';
        r->at = after + 1;
    }
    return take_token(r, a->value, "a value");
}

static int take_arguments(reader *r, argument *arguments, int *count)
{
    *count = 0;
    if (accept(r, ')')) return DLAB_OK;
    do {
        if (*count == ARGUMENTS_MAX)
            return dlab_fail(r->err, DLAB_ELIMIT, "more than %d parameters", ARGUMENTS_MAX);
        const int code = take_argument(r, &arguments[*count]);
        if (code != DLAB_OK) return code;
        ++*count;
    } while (accept(r, ','));
    return accept(r, ')') ? DLAB_OK : expected(r, "',' or ')'");
}

static int position(const form *f, const char *name)
{
    for (int i = 0; i < f->total; i++)
        if (strcmp(f->names[i], name) == 0) return i;
    return -1;
}

/* Which argument is which parameter of a form; false where they do not fit. */
static bool assign(const form *f, const argument *arguments, int count, const argument *slots[])
{
    for (int i = 0; i < DLAB_LAW_PARAMETERS; i++) slots[i] = NULL;
    for (int i = 0; i < count; i++) {
        const bool named = arguments[i].name[0] != '\0';
        const int at = named ? position(f, arguments[i].name) : i;
        if (at < 0 || at >= f->total || slots[at] != NULL) return false;
        if (!named && i > 0 && arguments[i - 1].name[0] != '\0') return false;
        slots[at] = &arguments[i];
    }
    for (int i = 0; i < f->required; i++)
        if (slots[i] == NULL) return false;
    return true;
}

/* Every way to write a law, for people, and all its parameter names. */
static int list_forms(int kind, char *ways, size_t size, const char *names[])
{
    size_t used = 0;
    int n = 0;
    ways[0] = '\0';
    for (const form *f = forms; f < forms + FORMS; f++) {
        if (f->kind != kind) continue;
        for (int k = 0; k < f->total && used < size; k++) {
            const char *const before = k > 0 ? ", " : n > 0 ? " or (" : "(";
            const char *const format = k < f->required ? "%s%s%s" : "%s[%s]%s";
            const char *const after = k == f->total - 1 ? ")" : "";
            used += (size_t)snprintf(ways + used, size - used, format, before, f->names[k], after);
        }
        for (int k = 0; k < f->total; k++) names[n++] = f->names[k];
    }
    return n;
}

static bool is_among(const char *name, const char *const names[], int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

/* Say why no form of the law fits. */
static int misfit(const reader *r, int kind, const argument *arguments, int count)
{
    const char *const law = dlab_distribution_names[kind], *names[DLAB_LAW_PARAMETERS * 3];
    char ways[200];
    const int n = list_forms(kind, ways, sizeof ways, names);
    for (int i = 0; i < count; i++) {
        const char *const name = arguments[i].name, *const previous = i > 0 ? arguments[i - 1].name : "";
        if (name[0] == '\0' && previous[0] != '\0')
            return dlab_fail(r->err, DLAB_EINVAL, "%s: a value without a name follows %s", law, previous);
        if (name[0] == '\0') continue;
        if (!is_among(name, names, n)) {
            const char *const nearest = dlab_nearest_name(name, names, n), *const hint = ", the nearest is ";
            return dlab_fail(r->err, DLAB_ENAME, "%s has no parameter '%.30s'%s%s; it takes %s", law, name,
                             nearest != NULL ? hint : "", nearest != NULL ? nearest : "", ways);
        }
        for (int k = 0; k < i; k++)
            if (strcmp(arguments[k].name, name) == 0)
                return dlab_fail(r->err, DLAB_EINVAL, "%s is given %s twice", law, name);
    }
    return dlab_fail(r->err, DLAB_EINVAL, "%s takes %s; the %d parameter%s given do%s not fit", law, ways,
                     count, count == 1 ? "" : "s", count == 1 ? "es" : "");
}

static int read_form(const reader *r, const form *f, const argument *const slots[], dlab_distribution *out)
{
    const char *const law = dlab_distribution_names[f->kind];
    dlab_error why = { .code = DLAB_OK };
    for (int i = 0; i < f->total; i++) {
        out->p[i] = f->defaults[i];
        if (slots[i] == NULL) continue;
        const char *const unit = f->units[i] == 'u' ? r->unit : NULL;
        if (dlab_quantity_parse(slots[i]->value, unit, &out->p[i], &why) != DLAB_OK)
            return dlab_fail(r->err, why.code, "%s: %s: %s", law, f->names[i], why.text);
    }
    if (f->convert != NULL && f->convert(out->p, &why) != DLAB_OK)
        return dlab_fail(r->err, why.code, "%s: %s", law, why.text);
    if (f->kind != DLAB_DIST_EMPIRICAL) return DLAB_OK;
    uint32_t *const places[] = { &out->table, &out->first, &out->count };
    for (int i = 0; i < f->total; i++) {
        const double v = out->p[i];
        if (!(v >= 0 && v <= UINT32_MAX && v == floor(v)))
            return dlab_fail(r->err, DLAB_ERANGE, "empirical: %s = %g is not a number of rows", f->names[i],
                             v);
        *places[i] = (uint32_t)v;
        out->p[i] = 0;
    }
    return DLAB_OK;
}

static int take_law(reader *r, int kind, dlab_distribution *out)
{
    argument arguments[ARGUMENTS_MAX];
    const argument *slots[DLAB_LAW_PARAMETERS];
    int count;
    const int code = take_arguments(r, arguments, &count);
    if (code != DLAB_OK) return code;
    out->kind = kind;
    for (int i = 0; i < FORMS; i++)
        if (forms[i].kind == kind && assign(&forms[i], arguments, count, slots))
            return read_form(r, &forms[i], slots, out);
    return misfit(r, kind, arguments, count);
}

static int take_distribution(reader *r, bool is_part, dlab_distribution *out);

static int take_part(reader *r, dlab_part *part)
{
    char token[TOKEN_MAX];
    dlab_error why = { .code = DLAB_OK };
    const int code = take_token(r, token, "a weight");
    if (code != DLAB_OK) return code;
    if (dlab_quantity_parse(token, NULL, &part->weight, &why) != DLAB_OK)
        return dlab_fail(r->err, why.code, "mixture: weight: %s", why.text);
    if (!(part->weight > 0 && part->weight <= 1e18))
        return dlab_fail(r->err, DLAB_ERANGE, "mixture: weight = %g is outside (0, 1e18]", part->weight);
    if (!accept(r, ':')) return expected(r, "':' between a weight and its distribution");
    return take_distribution(r, true, &part->distribution);
}

static int take_mixture(reader *r, dlab_distribution *out)
{
    if (r->parts == NULL) return dlab_fail(r->err, DLAB_EINVAL, "a mixture is not accepted here");
    out->kind = DLAB_DIST_MIXTURE;
    out->first = (uint32_t)r->parts->count;
    do {
        dlab_part part;
        memset(&part, 0, sizeof part);
        if (out->count == DLAB_PARTS_MAX)
            return dlab_fail(r->err, DLAB_ELIMIT, "mixture: more than %d parts", DLAB_PARTS_MAX);
        int code = take_part(r, &part);
        if (code == DLAB_OK) code = dlab_buffer_push(r->parts, r->memory, &part, 1, r->err);
        if (code != DLAB_OK) return code;
        out->count++;
    } while (accept(r, ','));
    return accept(r, ')') ? DLAB_OK : expected(r, "',' or ')'");
}

static int take_named(reader *r, size_t n, bool is_part, dlab_distribution *out)
{
    char name[TOKEN_MAX] = "";
    memcpy(name, r->at, n < TOKEN_MAX ? n : TOKEN_MAX - 1);
    for (int kind = 0; kind < DLAB_DIST_KINDS; kind++) {
        if (strcmp(name, dlab_distribution_names[kind]) != 0) continue;
        r->at += n;
        if (!accept(r, '(')) return expected(r, "'('");
        if (kind != DLAB_DIST_MIXTURE) return take_law(r, kind, out);
        if (!is_part) return take_mixture(r, out);
        return dlab_fail(r->err, DLAB_EINVAL, "mixture: a part is a mixture itself; write its parts out");
    }
    const char *const nearest = dlab_nearest_name(name, dlab_distribution_names, DLAB_DIST_KINDS);
    if (nearest != NULL)
        return dlab_fail(r->err, DLAB_ENAME, "no distribution is called '%.40s'; the nearest is '%s'", name,
                         nearest);
    return dlab_fail(r->err, DLAB_ENAME,
                     "no distribution is called '%.40s'; there are constant, uniform, "
                     "exponential, hyperexponential, gamma, erlang, normal, lognormal, weibull, pareto, "
                     "bimodal and mixture",
                     name);
}

static int take_quantity(reader *r, const char *what, double *out)
{
    char token[TOKEN_MAX];
    const int code = take_token(r, token, what);
    return code != DLAB_OK ? code : dlab_quantity_parse(token, r->unit, out, r->err);
}

static int take_distribution(reader *r, bool is_part, dlab_distribution *out)
{
    const size_t n = name_length(r);
    const bool is_number = n == 0 || (n == 3 && strncmp(r->at, "inf", 3) == 0);
    out->kind = DLAB_DIST_CONSTANT;
    int code = is_number ? take_quantity(r, "a distribution", &out->p[0]) : take_named(r, n, is_part, out);
    if (code != DLAB_OK) return code;
    const bool plus = accept(r, '+');
    if (plus || accept(r, '-')) {
        code = take_quantity(r, "a shift", &out->shift);
        if (code != DLAB_OK) return code;
        if (!plus) out->shift = -out->shift;
    }
    return dlab_law_check(out, r->err);
}

int dlab_distribution_parse(const char *text, const char *unit, dlab_buffer *parts, dlab_memory *memory,
                            dlab_distribution *out, dlab_error *err)
{
    dlab_error why = { .code = DLAB_OK };
    reader r = { text, unit, parts, memory, &why };
    dlab_distribution d;
    memset(&d, 0, sizeof d); /* the padding too: records are compared and hashed as bytes by the host */
    const size_t before = parts != NULL ? parts->count : 0;
    int code = DLAB_OK;
    if (strnlen(text, TEXT_MAX + 1) > TEXT_MAX)
        code = dlab_fail(&why, DLAB_ELIMIT, "a distribution's text is longer than %d characters", TEXT_MAX);
    if (code == DLAB_OK) code = take_distribution(&r, false, &d);
    skip_space(&r);
    if (code == DLAB_OK && *r.at != '\0') code = expected(&r, "the end");
    if (code == DLAB_OK) {
        *out = d;
        return DLAB_OK;
    }
    if (parts != NULL) parts->count = before;
    return dlab_fail(err, code, "%s", why.text);
}
