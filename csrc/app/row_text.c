/* Rows as text: the other way of row.c, and what it writes that reads back. */
#include <distlab/row.h>

#include <stdio.h>
#include <string.h>

#include "app/app.h"

/* Text that may be longer than where it goes, as snprintf counts it. */
typedef struct writer {
    char *text;
    size_t size, length;
} writer;

static void put(writer *w, const char *text)
{
    for (; *text != '\0'; text++, w->length++)
        if (w->length + 1 < w->size) w->text[w->length] = *text;
    if (w->size > 0) w->text[w->length < w->size ? w->length : w->size - 1] = '\0';
}

static void put_field(writer *w, const dlab_field *f, const void *row, const dlab_pool *pool)
{
    const size_t at = w->length < w->size ? w->length : w->size;
    char nowhere;
    char *to = at < w->size ? w->text + at : &nowhere;
    w->length += (size_t)dlab_field_format(f, row, pool, to, w->size - at);
}

/* Cells that hold their column's default are left out; a row never comes out empty. */
static void put_row(writer *w, const dlab_layout *columns, const char *row, const dlab_pool *pool,
                    const char *defaults)
{
    bool some = false;
    for (int i = 0; i < columns->count; i++) {
        const dlab_field *f = &columns->fields[i];
        const bool same = memcmp(row + f->offset, defaults + f->offset, dlab_type_size(f->type)) == 0;
        if (same && (some || i + 1 < columns->count)) continue;
        put(w, some ? ", " : "");
        put(w, f->name);
        put(w, "=");
        if (!dlab_field_is_blank(f, row)) put_field(w, f, row, pool);
        some = true;
    }
}

static int get_table(const dlab_field *f, const void *row, const dlab_tables *tables, writer *w,
                     dlab_error *err)
{
    dlab_layout columns;
    dlab_memory memory = { 0 };
    dlab_ref ref;
    const dlab_pool pool = dlab_tables_pool(tables);
    memcpy(&ref, (const char *)row + f->offset, sizeof ref);
    if (ref.count == 0) {
        put(w, "none");
        return DLAB_OK;
    }
    if (dlab_field_check(f, row, &pool, err) || dlab_layout_init(&columns, f->table->columns, err))
        return err->code;
    const size_t size = f->table->row_size;
    char *defaults = dlab_memory_realloc(&memory, NULL, 0, size, err);
    if (defaults == NULL) return err->code;
    memset(defaults, 0, size);
    for (int i = 0; i < columns.count; i++) (void)dlab_field_set_default(&columns.fields[i], defaults, err);
    for (uint32_t i = 0; i < ref.count; i++) {
        put(w, i > 0 ? "; " : "");
        put_row(w, &columns, (const char *)pool.tables[ref.table].rows + (ref.first + i) * size, &pool,
                defaults);
    }
    dlab_memory_free(&memory, defaults, size);
    return err->code;
}

int dlab_get_field(const dlab_field *f, const void *row, const dlab_tables *tables, char *text, size_t size,
                   dlab_error *err)
{
    dlab_error own = { .code = DLAB_OK };
    writer w = { text, size, 0 };
    if (size > 0) text[0] = '\0';
    if (f->type == DLAB_TABLE) {
        (void)get_table(f, row, tables, &w, &own);
    } else {
        const dlab_pool pool = dlab_tables_pool(tables);
        if (dlab_field_check(f, row, &pool, &own) == DLAB_OK) put_field(&w, f, row, &pool);
    }
    if (own.code == DLAB_OK) return (int)w.length;
    (void)dlab_fail(err, own.code, "%s", own.text);
    return -1;
}

int dlab_get(const dlab_model *model, const void *row, const char *name, const dlab_tables *tables,
             char *text, size_t size, dlab_error *err)
{
    dlab_layout layout;
    dlab_error own = { .code = DLAB_OK };
    const dlab_field *f = NULL;
    if (dlab_layout_init(&layout, model->params, &own) == DLAB_OK)
        f = dlab_layout_find(&layout, name, model->name, &own);
    if (f != NULL) return dlab_get_field(f, row, tables, text, size, err);
    (void)dlab_fail(err, own.code, "%s", own.text);
    return -1;
}
