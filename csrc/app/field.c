/* Reading, writing and checking one field of one row. Numbers go through double: every int parameter
 * stays below 2^53 (a larger bound does not pass the registry walk). */
#include <string.h>

#include <distlab/field.h>

#include "app/app.h"

int dlab_choices_count(const dlab_field *field)
{
    int n = 0;
    while (field->choices != NULL && field->choices[n] != NULL) n++;
    return n;
}

size_t dlab_type_size(dlab_type type)
{
    switch (type) {
    case DLAB_DOUBLE: return sizeof(double);
    case DLAB_INT: return sizeof(int64_t);
    case DLAB_BOOL: return sizeof(bool);
    case DLAB_CHOICE: return sizeof(int32_t);
    case DLAB_FLAGS: return sizeof(uint32_t);
    case DLAB_DISTRIBUTION: return sizeof(dlab_distribution);
    case DLAB_TABLE: return sizeof(dlab_ref);
    case DLAB_RATIO: return sizeof(dlab_ratio);
    case DLAB_ESTIMATE: return sizeof(dlab_estimate);
    case DLAB_HISTOGRAM: return sizeof(dlab_histogram);
    case DLAB_COMPONENT: break;
    }
    return 0;
}

double dlab_field_number(const dlab_field *field, const void *row)
{
    const char *at = (const char *)row + field->offset;
    switch (field->type) {
    case DLAB_DOUBLE: {
        double v;
        memcpy(&v, at, sizeof v);
        return v;
    }
    case DLAB_INT: {
        int64_t v;
        memcpy(&v, at, sizeof v);
        return (double)v;
    }
    case DLAB_BOOL: {
        bool v;
        memcpy(&v, at, sizeof v);
        return v ? 1 : 0;
    }
    case DLAB_CHOICE: {
        int32_t v;
        memcpy(&v, at, sizeof v);
        return v;
    }
    case DLAB_FLAGS: {
        uint32_t v;
        memcpy(&v, at, sizeof v);
        return v;
    }
    default: return NAN;
    }
}

/* Store without checking; the caller knows that the number fits. */
static void store(const dlab_field *field, void *row, double value)
{
    char *at = (char *)row + field->offset;
    switch (field->type) {
    case DLAB_DOUBLE: memcpy(at, &value, sizeof value); break;
    case DLAB_INT: {
        const int64_t v = (int64_t)value;
        memcpy(at, &v, sizeof v);
        break;
    }
    case DLAB_BOOL: {
        const bool v = value != 0;
        memcpy(at, &v, sizeof v);
        break;
    }
    case DLAB_CHOICE: {
        const int32_t v = (int32_t)value;
        memcpy(at, &v, sizeof v);
        break;
    }
    case DLAB_FLAGS: {
        const uint32_t v = (uint32_t)value;
        memcpy(at, &v, sizeof v);
        break;
    }
    default: break;
    }
}

static int outside(const dlab_field *f, double value, dlab_error *err)
{
    return dlab_fail(err, DLAB_ERANGE, "%s = %.12g is outside [%.12g, %.12g]%s%s%s", f->name, value, f->min,
                     f->max, f->unit ? " " : "", f->unit ? f->unit : "",
                     f->optional ? " (or None for off)" : "");
}

/* May this number stand in the field? */
static int check_number(const dlab_field *f, double value, dlab_error *err)
{
    switch (f->type) {
    case DLAB_DOUBLE:
    case DLAB_INT:
        if (f->optional && value == f->off) return DLAB_OK;
        if (f->type == DLAB_INT && value != floor(value) && value == value)
            return dlab_fail(err, DLAB_ETYPE, "%s = %.12g is not a whole number", f->name, value);
        return value >= f->min && value <= f->max ? DLAB_OK : outside(f, value, err); /* NaN fails too */
    case DLAB_BOOL:
        if (value == 0 || value == 1) return DLAB_OK;
        return dlab_fail(err, DLAB_ETYPE, "%s = %.12g is neither true (1) nor false (0)", f->name, value);
    case DLAB_CHOICE:
        if (value == floor(value) && value >= 0 && value < dlab_choices_count(f)) return DLAB_OK;
        return dlab_fail(err, DLAB_ERANGE, "%s = %.12g is not the number of a choice (0 .. %d)", f->name,
                         value, dlab_choices_count(f) - 1);
    case DLAB_FLAGS:
        if (value == floor(value) && value >= 0 && value < ldexp(1, dlab_choices_count(f))) return DLAB_OK;
        return dlab_fail(err, DLAB_ERANGE, "%s = %.12g is not a set of its %d flags", f->name, value,
                         dlab_choices_count(f));
    default: return dlab_fail(err, DLAB_ETYPE, "%s does not take a bare number", f->name);
    }
}

int dlab_field_set_number(const dlab_field *f, void *row, double value, dlab_error *err)
{
    if (f->type == DLAB_DISTRIBUTION) { /* a bare number is a constant */
        const dlab_distribution d = { .kind = DLAB_DIST_CONSTANT, .p = { value } };
        memcpy((char *)row + f->offset, &d, sizeof d);
        return dlab_field_check(f, row, NULL, err);
    }
    if (check_number(f, value, err)) return err != NULL ? err->code : DLAB_ERANGE;
    store(f, row, value);
    return DLAB_OK;
}

static int check_ref(const dlab_field *f, const void *row, const dlab_pool *pool, dlab_error *err)
{
    dlab_ref ref;
    memcpy(&ref, (const char *)row + f->offset, sizeof ref);
    if (ref.count == 0) return DLAB_OK;
    if (pool == NULL || ref.table >= pool->count)
        return dlab_fail(err, DLAB_ERANGE, "%s refers to table %u of %zu", f->name, ref.table,
                         pool == NULL ? (size_t)0 : pool->count);
    const dlab_rows *t = &pool->tables[ref.table];
    if (t->row_size != f->table->row_size)
        return dlab_fail(err, DLAB_ETYPE, "%s refers to rows of %zu bytes, not to '%s' rows of %zu", f->name,
                         t->row_size, f->table->name, f->table->row_size);
    if ((uint64_t)ref.first + ref.count > t->count)
        return dlab_fail(err, DLAB_ERANGE, "%s refers to rows %u .. %llu of a table of %zu", f->name,
                         ref.first, (unsigned long long)ref.first + ref.count - 1, t->count);
    return DLAB_OK;
}

bool dlab_field_is_off(const dlab_field *f, const void *row)
{
    if (f->type == DLAB_DISTRIBUTION) {
        dlab_distribution d;
        memcpy(&d, (const char *)row + f->offset, sizeof d);
        return d.kind < 0;
    }
    if (f->type == DLAB_TABLE) {
        dlab_ref ref;
        memcpy(&ref, (const char *)row + f->offset, sizeof ref);
        return ref.count == 0;
    }
    return f->optional && dlab_field_number(f, row) == f->off;
}

int dlab_field_check(const dlab_field *f, const void *row, const dlab_pool *pool, dlab_error *err)
{
    if (f->type == DLAB_TABLE) return check_ref(f, row, pool, err);
    if (f->type == DLAB_BOOL) { /* any other byte in a C bool is undefined behaviour: look at it first */
        const unsigned char byte = *((const unsigned char *)row + f->offset);
        return byte <= 1 ? DLAB_OK : dlab_fail(err, DLAB_ETYPE, "%s holds %u, not a bool", f->name, byte);
    }
    if (f->type != DLAB_DISTRIBUTION) return check_number(f, dlab_field_number(f, row), err);
    dlab_distribution d;
    memcpy(&d, (const char *)row + f->offset, sizeof d);
    if (d.kind < 0) {
        if (f->optional) return DLAB_OK;
        return dlab_fail(err, DLAB_ERANGE, "%s cannot be off (None)", f->name);
    }
    return dlab_distribution_check(&d, pool, f->name, f->min < 0 ? -INFINITY : 0, f->min, f->max, err);
}

int dlab_field_set_default(const dlab_field *f, void *row, dlab_error *err)
{
    char *at = (char *)row + f->offset;
    if (f->type == DLAB_TABLE) {
        memset(at, 0, sizeof(dlab_ref));
    } else if (f->type == DLAB_DISTRIBUTION) {
        dlab_distribution d = { .kind = -1 };
        dlab_memory none = { .budget = 1 }; /* a default is never a mixture */
        dlab_buffer parts = { .row_size = sizeof(dlab_part) };
        if (f->text != NULL && dlab_distribution_parse(f->text, f->unit, &parts, &none, &d, err))
            return err != NULL ? err->code : DLAB_EBROKEN;
        memcpy(at, &d, sizeof d);
    } else {
        store(f, row, f->dflt);
    }
    return DLAB_OK;
}

bool dlab_field_is_blank(const dlab_field *f, const void *row)
{
    switch (f->type) {
    case DLAB_DOUBLE: return isnan(dlab_field_number(f, row));
    case DLAB_INT: {
        int64_t v;
        memcpy(&v, (const char *)row + f->offset, sizeof v);
        return v == DLAB_INT_BLANK;
    }
    case DLAB_CHOICE: return dlab_field_number(f, row) < 0;
    case DLAB_DISTRIBUTION: return dlab_field_is_off(f, row);
    default: return false;
    }
}

void dlab_field_copy(const dlab_field *to, void *to_row, const dlab_field *from, const void *from_row)
{
    memcpy((char *)to_row + to->offset, (const char *)from_row + from->offset, dlab_type_size(to->type));
}

void dlab_field_set_off(const dlab_field *f, void *row)
{
    if (f->type == DLAB_DISTRIBUTION) {
        const dlab_distribution off = { .kind = -1 };
        memcpy((char *)row + f->offset, &off, sizeof off);
    } else if (f->type == DLAB_TABLE) {
        memset((char *)row + f->offset, 0, sizeof(dlab_ref));
    } else {
        store(f, row, f->off);
    }
}

int dlab_field_set_blank(const dlab_field *f, void *row, dlab_error *err)
{
    const int64_t none = DLAB_INT_BLANK;
    switch (f->type) {
    case DLAB_DOUBLE: store(f, row, NAN); return DLAB_OK;
    case DLAB_INT: memcpy((char *)row + f->offset, &none, sizeof none); return DLAB_OK;
    case DLAB_CHOICE: store(f, row, -1); return DLAB_OK;
    case DLAB_DISTRIBUTION: dlab_field_set_off(f, row); return DLAB_OK;
    default: return dlab_fail(err, DLAB_ETYPE, "%s cannot be left empty", f->name);
    }
}
