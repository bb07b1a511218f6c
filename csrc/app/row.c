/* Rows by name and text. Everything is read into a copy of the field, checked together with what it
 * refers to, and only then put into the row: a mistake changes nothing. */
#include <distlab/row.h>

#include <stdlib.h>
#include <string.h>

#include "app/app.h"

static dlab_rows *table_at(const dlab_tables *tables, size_t i)
{
    return (dlab_rows *)(void *)tables->list.rows + i;
}

/* Table 0 holds the parts of mixtures wherever the buffer has moved them. */
static int update_parts(dlab_tables *tables, dlab_error *err)
{
    const dlab_rows parts = { tables->parts.rows, tables->parts.count, sizeof(dlab_part) };
    if (tables->list.count > 0) {
        *table_at(tables, 0) = parts;
        return DLAB_OK;
    }
    tables->parts.row_size = sizeof(dlab_part);
    tables->list.row_size = sizeof(dlab_rows);
    return dlab_buffer_push(&tables->list, &tables->memory, &parts, 1, err);
}

dlab_pool dlab_tables_pool(const dlab_tables *tables)
{
    if (tables == NULL || tables->list.count == 0) return (dlab_pool){ NULL, 0 };
    return (dlab_pool){ table_at(tables, 0), tables->list.count };
}

void dlab_tables_free(dlab_tables *tables)
{
    for (size_t i = 1; i < tables->list.count; i++) {
        const dlab_rows *t = table_at(tables, i);
        dlab_memory_free(&tables->memory, (void *)(uintptr_t)t->rows, t->count * t->row_size);
    }
    dlab_buffer_free(&tables->parts, &tables->memory);
    dlab_buffer_free(&tables->list, &tables->memory);
}

/* A table of the pool with room for these rows; NULL with the error set. */
static void *add_table(dlab_tables *tables, size_t count, size_t row_size, const char *name, dlab_ref *ref,
                       dlab_error *err)
{
    if (count > DLAB_TABLE_ROWS_MAX || tables->list.count >= DLAB_POOL_TABLES_MAX) {
        (void)dlab_fail(err, DLAB_ELIMIT, "%s: more than %d rows or %d tables", name, DLAB_TABLE_ROWS_MAX,
                        DLAB_POOL_TABLES_MAX);
        return NULL;
    }
    dlab_rows table = { NULL, count, row_size };
    void *rows = dlab_memory_realloc(&tables->memory, NULL, 0, count * row_size, err);
    if (rows == NULL) return NULL;
    table.rows = rows;
    if (dlab_buffer_push(&tables->list, &tables->memory, &table, 1, err)) {
        dlab_memory_free(&tables->memory, rows, count * row_size);
        return NULL;
    }
    *ref = (dlab_ref){ .table = (uint32_t)(tables->list.count - 1), .count = (uint32_t)count };
    return rows;
}

/* One field that is no table: the text is read, the value checked. */
static int set_value(const dlab_field *f, void *row, const char *text, dlab_tables *tables, dlab_error *err)
{
    char *const at = (char *)row + f->offset;
    unsigned char old[sizeof(dlab_distribution)];
    const size_t size = dlab_type_size(f->type), parts = tables != NULL ? tables->parts.count : 0;
    memcpy(old, at, size);
    dlab_error why = { .code = DLAB_OK };
    if (tables != NULL && update_parts(tables, err)) return err->code;
    int code = dlab_field_set_text(f, row, text, tables != NULL ? &tables->parts : NULL,
                                   tables != NULL ? &tables->memory : NULL, &why);
    if (code == DLAB_OK && tables != NULL) code = update_parts(tables, &why);
    if (code == DLAB_OK && f->type == DLAB_DISTRIBUTION) {
        const dlab_pool pool = dlab_tables_pool(tables);
        code = dlab_field_check(f, row, &pool, &why);
    }
    if (code == DLAB_OK) return DLAB_OK;
    memcpy(at, old, size);
    if (tables != NULL) tables->parts.count = parts;
    if (tables != NULL) (void)update_parts(tables, NULL);
    return dlab_fail(err, code, "%s", why.text);
}

/* One row of a table: "share=0.9, service=2ms". */
static int read_cells(const dlab_layout *columns, const dlab_table *table, void *row, char *text,
                      dlab_tables *tables, dlab_error *err)
{
    char *piece, *name, *value;
    while ((piece = dlab_next_piece(&text, ',')) != NULL) {
        if (dlab_split_pair(piece, &name, &value, err)) return err->code;
        const dlab_field *f = dlab_layout_find(columns, name, table->name, err);
        if (f == NULL) return err->code;
        if (*value == '\0' ? dlab_field_set_blank(f, row, err) : set_value(f, row, value, tables, err))
            return err->code;
    }
    return DLAB_OK;
}

static int read_table(const dlab_field *f, char *text, dlab_buffer *rows, dlab_tables *tables,
                      dlab_error *err)
{
    dlab_layout columns;
    char *piece;
    if (dlab_layout_init(&columns, f->table->columns, err)) return err->code;
    while ((piece = dlab_next_piece(&text, ';')) != NULL) {
        dlab_error why = { .code = DLAB_OK };
        if (*piece == '\0' && text == NULL && rows->count > 0) break; /* a semicolon behind the last row */
        if (dlab_buffer_push(rows, &tables->memory, NULL, 1, err)) return err->code;
        char *row = rows->rows + (rows->count - 1) * rows->row_size;
        for (int i = 0; i < columns.count; i++)
            if (dlab_field_set_default(&columns.fields[i], row, err)) return err->code;
        if (read_cells(&columns, f->table, row, piece, tables, &why))
            return dlab_fail(err, why.code, "%s, row %zu: %s", f->name, rows->count - 1, why.text);
    }
    return DLAB_OK;
}

static int set_table(const dlab_field *f, void *row, const char *text, dlab_tables *tables, dlab_error *err)
{
    dlab_ref ref = { .count = 0 };
    dlab_buffer rows = { .row_size = f->table->row_size };
    size_t size = 0;
    if (tables == NULL || update_parts(tables, err))
        return dlab_fail(err, DLAB_EINVAL, "%s: a table needs a dlab_tables to lie in", f->name);
    const size_t parts = tables->parts.count;
    char *const copy = dlab_copy_text(text, &tables->memory, &size, err);
    if (copy == NULL) return err->code;
    const char *trimmed = dlab_trim(copy);
    if (*trimmed != '\0' && strcmp(trimmed, "none") != 0 && strcmp(trimmed, "None") != 0 &&
        read_table(f, copy, &rows, tables, err) == DLAB_OK) {
        void *kept = add_table(tables, rows.count, rows.row_size, f->name, &ref, err);
        if (kept != NULL) memcpy(kept, rows.rows, rows.count * rows.row_size);
    }
    dlab_buffer_free(&rows, &tables->memory);
    dlab_memory_free(&tables->memory, copy, size);
    if (err->code == DLAB_OK) memcpy((char *)row + f->offset, &ref, sizeof ref);
    else tables->parts.count = parts;
    (void)update_parts(tables, NULL);
    return err->code;
}

/* A layout is too big for a small stack, so callers that set many fields keep one and come in here. */
int dlab_set_field(const dlab_field *f, void *row, const char *text, dlab_tables *tables, dlab_error *err)
{
    dlab_error own = { .code = DLAB_OK };
    const int code =
        f->type == DLAB_TABLE ? set_table(f, row, text, tables, &own) : set_value(f, row, text, tables, &own);
    return code == DLAB_OK ? code : dlab_fail(err, code, "%s", own.text);
}

int dlab_set(const dlab_model *model, void *row, const char *name, const char *text, dlab_tables *tables,
             dlab_error *err)
{
    dlab_layout layout;
    dlab_error own = { .code = DLAB_OK };
    const dlab_field *f = NULL;
    if (dlab_layout_init(&layout, model->params, &own) == DLAB_OK)
        f = dlab_layout_find(&layout, name, model->name, &own);
    if (f != NULL) (void)dlab_set_field(f, row, text, tables, &own);
    return own.code == DLAB_OK ? DLAB_OK : dlab_fail(err, own.code, "%s", own.text);
}

int dlab_set_all(const dlab_model *model, void *row, const char *text, dlab_tables *tables, dlab_error *err)
{
    dlab_memory memory = { 0 };
    dlab_error own = { .code = DLAB_OK };
    size_t size = 0;
    char *piece, *name, *value, *const copy = dlab_copy_text(text, &memory, &size, &own);
    char *at = copy != NULL && *dlab_trim(copy) != '\0' ? copy : NULL;
    while (own.code == DLAB_OK && (piece = dlab_next_piece(&at, ',')) != NULL)
        if (dlab_split_pair(piece, &name, &value, &own) == DLAB_OK)
            (void)dlab_set(model, row, name, value, tables, &own);
    dlab_memory_free(&memory, copy, size);
    return own.code == DLAB_OK ? DLAB_OK : dlab_fail(err, own.code, "%s", own.text);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Samples become the table of an empirical distribution, sorted. */
static int set_samples(const dlab_field *f, void *row, dlab_rows rows, dlab_tables *tables, dlab_error *err)
{
    dlab_ref ref;
    for (size_t i = 0; i < rows.count; i++)
        if (!isfinite(((const double *)rows.rows)[i]))
            return dlab_fail(err, DLAB_ERANGE, "%s: sample %zu is not a finite number", f->name, i);
    double *kept = add_table(tables, rows.count, rows.row_size, f->name, &ref, err);
    if (kept == NULL) return err->code;
    memcpy(kept, rows.rows, rows.count * rows.row_size);
    qsort(kept, rows.count, sizeof *kept, by_size);
    const dlab_distribution old = *(const dlab_distribution *)(const void *)((char *)row + f->offset);
    const dlab_distribution d = { .kind = DLAB_DIST_EMPIRICAL, .table = ref.table, .count = ref.count };
    const dlab_pool pool = dlab_tables_pool(tables);
    memcpy((char *)row + f->offset, &d, sizeof d);
    if (dlab_field_check(f, row, &pool, err)) memcpy((char *)row + f->offset, &old, sizeof old);
    return err->code;
}

static int set_rows(const dlab_field *f, void *row, dlab_rows rows, dlab_tables *tables, dlab_error *err)
{
    dlab_ref ref = { .count = 0 };
    if (f->type != DLAB_TABLE && f->type != DLAB_DISTRIBUTION)
        return dlab_fail(err, DLAB_ETYPE, "%s is neither a table nor a distribution", f->name);
    const size_t size = f->type == DLAB_TABLE ? f->table->row_size : sizeof(double);
    if (rows.count > 0 && (rows.rows == NULL || rows.row_size != size))
        return dlab_fail(err, DLAB_ETYPE, "%s takes rows of %zu bytes, not of %zu", f->name, size,
                         rows.rows == NULL ? 0 : rows.row_size);
    if (tables == NULL || update_parts(tables, err))
        return dlab_fail(err, DLAB_EINVAL, "%s: a table needs a dlab_tables to lie in", f->name);
    if (f->type == DLAB_DISTRIBUTION) {
        if (rows.count == 0) return dlab_fail(err, DLAB_ERANGE, "%s: there are no samples", f->name);
        return set_samples(f, row, rows, tables, err);
    }
    if (rows.count > 0) {
        void *kept = add_table(tables, rows.count, size, f->name, &ref, err);
        if (kept == NULL) return err->code;
        memcpy(kept, rows.rows, rows.count * size);
    }
    memcpy((char *)row + f->offset, &ref, sizeof ref);
    return DLAB_OK;
}

int dlab_set_rows(const dlab_model *model, void *row, const char *name, dlab_rows rows, dlab_tables *tables,
                  dlab_error *err)
{
    dlab_layout layout;
    dlab_error own = { .code = DLAB_OK };
    const dlab_field *f = NULL;
    if (dlab_layout_init(&layout, model->params, &own) == DLAB_OK)
        f = dlab_layout_find(&layout, name, model->name, &own);
    if (f != NULL) (void)set_rows(f, row, rows, tables, &own);
    return own.code == DLAB_OK ? DLAB_OK : dlab_fail(err, own.code, "%s", own.text);
}
