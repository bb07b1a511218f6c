/* Metrics as columns, and their merging over repetitions. The type of a metric alone decides:
 * numbers average, ratios and estimates merge by parts, histograms by buckets; a quantile is read
 * from the merged histogram and is never an average of quantiles. Its interval is the t interval of
 * the repetitions' own quantiles, moved onto the merged point; with one repetition only an estimate
 * knows its own error. */
#include <stdio.h>
#include <string.h>

#include "app/app.h"

static const struct {
    const char *suffix;
    dlab_part_of part;
    double q;
} histogram_parts[] = {
    { "_mean", DLAB_MEAN, 0 },       { "_p50", DLAB_QUANTILE, 0.5 },  { "_p90", DLAB_QUANTILE, 0.9 },
    { "_p95", DLAB_QUANTILE, 0.95 }, { "_p99", DLAB_QUANTILE, 0.99 }, { "_p999", DLAB_QUANTILE, 0.999 },
    { "_max", DLAB_MAX, 0 },
};
enum { HISTOGRAM_PARTS = sizeof histogram_parts / sizeof histogram_parts[0] };

static int add(dlab_column *columns, int *n, const char *name, const char *suffix, int field,
               dlab_part_of part, double q, dlab_error *err)
{
    if (DLAB_CHECK(err, *n < DLAB_COLUMNS_MAX)) return -1;
    dlab_column *c = &columns[(*n)++];
    *c = (dlab_column){ .field = field, .part = part, .q = q };
    (void)snprintf(c->name, sizeof c->name, "%s%s", name, suffix);
    return 0;
}

int dlab_columns(const dlab_layout *metrics, dlab_column *columns, dlab_error *err)
{
    int n = 0;
    for (int i = 0; i < metrics->count; i++) {
        const dlab_field *f = &metrics->fields[i];
        if (f->type == DLAB_HISTOGRAM) {
            for (int k = 0; k < HISTOGRAM_PARTS; k++)
                if (add(columns, &n, f->name, histogram_parts[k].suffix, i, histogram_parts[k].part,
                        histogram_parts[k].q, err))
                    return -1;
            continue;
        }
        if (add(columns, &n, f->name, "", i, DLAB_WHOLE, 0, err)) return -1;
        if (f->type == DLAB_ESTIMATE && add(columns, &n, f->name, "_se", i, DLAB_SE, 0, err)) return -1;
    }
    return n;
}

int dlab_column_find(const dlab_layout *metrics, const char *name, const char *owner, dlab_column *column,
                     dlab_error *err)
{
    dlab_column columns[DLAB_COLUMNS_MAX];
    const char *names[DLAB_COLUMNS_MAX];
    dlab_error own = { .code = DLAB_OK };
    const int n = dlab_columns(metrics, columns, &own);
    if (n < 0) return dlab_fail(err, own.code, "%s", own.text);
    for (int i = 0; i < n; i++) {
        if (strcmp(columns[i].name, name) == 0) {
            *column = columns[i];
            return DLAB_OK;
        }
        names[i] = columns[i].name;
    }
    const char *near = dlab_nearest_name(name, names, n);
    return dlab_fail(err, DLAB_ENAME, "%s has no column '%s'%s%s%s", owner, name,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static double histogram_value(const dlab_column *c, const dlab_histogram *h, const uint64_t *buckets)
{
    if (h->count == 0) return NAN;
    if (c->part == DLAB_MEAN) return dlab_histogram_mean(h);
    if (c->part == DLAB_MAX) return (double)h->max;
    return dlab_histogram_quantile(h, buckets, c->q);
}

double dlab_column_value(const dlab_layout *metrics, const dlab_column *c, const void *row,
                         const uint64_t *buckets)
{
    const dlab_field *f = &metrics->fields[c->field];
    const char *at = (const char *)row + f->offset;
    switch (f->type) {
    case DLAB_RATIO: {
        dlab_ratio r;
        memcpy(&r, at, sizeof r);
        return r.den != 0 ? r.num / r.den : NAN;
    }
    case DLAB_ESTIMATE: {
        dlab_estimate e;
        memcpy(&e, at, sizeof e);
        return c->part == DLAB_SE ? e.se : e.mean;
    }
    case DLAB_HISTOGRAM: {
        dlab_histogram h;
        memcpy(&h, at, sizeof h);
        return f->scale * histogram_value(c, &h, buckets);
    }
    default: return dlab_field_number(f, row);
    }
}

/* The quantile of all repetitions' values together. */
static double merged_quantile(const dlab_layout *metrics, const dlab_column *c, const void *const *rows,
                              size_t n, const uint64_t *buckets, dlab_arena *arena, dlab_error *err)
{
    const dlab_field *f = &metrics->fields[c->field];
    dlab_memory memory = { 0 };
    dlab_buffer pool = { .row_size = sizeof(uint64_t) };
    dlab_histogram all, one;
    double q = NAN;
    if (dlab_histogram_open(&all, arena, err)) return NAN;
    for (size_t i = 0; i < n; i++) {
        memcpy(&one, (const char *)rows[i] + f->offset, sizeof one);
        if (one.count > 0) dlab_histogram_merge(&all, &one, buckets);
    }
    if (dlab_histogram_pack(&all, &pool, &memory, err) == DLAB_OK)
        q = f->scale * dlab_histogram_quantile(&all, (const uint64_t *)(const void *)pool.rows, c->q);
    dlab_buffer_free(&pool, &memory);
    return q;
}

/* Numerator and denominator of everything that merges by parts. */
static void parts_of(const dlab_field *f, const void *row, double *num, double *den)
{
    const char *at = (const char *)row + f->offset;
    if (f->type == DLAB_RATIO) {
        dlab_ratio r;
        memcpy(&r, at, sizeof r);
        *num = r.num;
        *den = r.den;
    } else if (f->type == DLAB_ESTIMATE) {
        dlab_estimate e;
        memcpy(&e, at, sizeof e);
        *num = e.n > 0 ? e.mean * (double)e.n : 0;
        *den = (double)e.n;
    } else {
        dlab_histogram h;
        memcpy(&h, at, sizeof h);
        *num = h.count > 0 ? f->scale * dlab_histogram_sum(&h) : 0;
        *den = (double)h.count;
    }
}

/* One repetition: an estimate brings its own standard error; anything else has no interval. */
static dlab_interval single(const dlab_layout *metrics, const dlab_column *c, const void *row,
                            const uint64_t *buckets, double confidence)
{
    const dlab_field *f = &metrics->fields[c->field];
    dlab_interval out = {
        .mean = dlab_column_value(metrics, c, row, buckets), .low = NAN, .high = NAN, .se = NAN, .n = 1
    };
    if (f->type == DLAB_ESTIMATE && c->part == DLAB_WHOLE) {
        dlab_estimate e;
        memcpy(&e, (const char *)row + f->offset, sizeof e);
        if (e.n > 1 && e.se >= 0) {
            const double half = e.se * dlab_t_quantile(0.5 + confidence / 2, (double)e.n - 1);
            out.se = e.se;
            out.low = e.mean - half;
            out.high = e.mean + half;
        }
    }
    return out;
}

int dlab_column_merge(const dlab_layout *metrics, const dlab_column *c, const void *const *rows, size_t n,
                      const uint64_t *buckets, double confidence, dlab_interval *out, dlab_error *err)
{
    const dlab_field *f = &metrics->fields[c->field];
    dlab_error own = { .code = DLAB_OK };
    dlab_memory memory = { 0 };
    dlab_arena arena = { .memory = &memory };
    if (err == NULL) err = &own;
    *out = (dlab_interval){ .mean = NAN, .low = NAN, .high = NAN, .se = NAN };
    if (n == 0) return DLAB_OK;
    if (n == 1) {
        *out = single(metrics, c, rows[0], buckets, confidence);
        return DLAB_OK;
    }
    double *a = dlab_arena_alloc(&arena, n, sizeof *a, err);
    double *b = a == NULL ? NULL : dlab_arena_alloc(&arena, n, sizeof *b, err);
    if (b == NULL) goto done;
    const bool by_parts = f->type == DLAB_RATIO || (f->type == DLAB_ESTIMATE && c->part == DLAB_WHOLE) ||
                          (f->type == DLAB_HISTOGRAM && c->part == DLAB_MEAN);
    for (size_t i = 0; i < n; i++) {
        if (by_parts) parts_of(f, rows[i], &a[i], &b[i]);
        else a[i] = dlab_column_value(metrics, c, rows[i], buckets);
    }
    *out = by_parts ? dlab_ratio_interval(a, b, n, confidence) : dlab_mean_interval(a, n, confidence);
    if (c->part == DLAB_QUANTILE) {
        const double q = merged_quantile(metrics, c, rows, n, buckets, &arena, err);
        out->low += q - out->mean;
        out->high += q - out->mean;
        out->mean = q;
    }
done:
    dlab_arena_free(&arena);
    return err->code;
}
