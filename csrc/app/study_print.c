/* A study as a table of text: axes on the left, columns with half the width of their intervals on the
 * right. */
#include <stdarg.h>
#include <string.h>

#include "app/study.h"

enum { CELL = 64, COLUMNS_MAX = 32 };

typedef struct page {
    dlab_column columns[COLUMNS_MAX];
    double scale[COLUMNS_MAX]; /* display units per SI unit */
    int count;
    bool numbered; /* base rows were given: the number of the point stands in front */
    dlab_buffer cells;
} page;

/* Characters, not bytes: the second and later bytes of one begin with 10. */
static int width(const char *text)
{
    int n = 0;
    for (; *text != '\0'; text++) n += (*text & 0xc0) != 0x80;
    return n;
}

/* What a value in SI units is multiplied with for display. */
static double scale_of(const dlab_field *f)
{
    char one[CELL];
    double si = 1;
    if (f->unit == NULL || f->display == NULL) return 1;
    (void)snprintf(one, sizeof one, "1%s", f->display[0] == '1' ? f->display + 1 : f->display);
    return dlab_quantity_parse(one, f->unit, &si, NULL) == DLAB_OK && si > 0 ? 1 / si : 1;
}

__attribute__((format(printf, 3, 4))) static void put(dlab_study *s, page *g, const char *format, ...)
{
    char cell[CELL] = "";
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(cell, sizeof cell, format, arguments);
    va_end(arguments);
    (void)dlab_buffer_push(&g->cells, &s->plan->memory, cell, 1, &s->err);
}

static void put_name(dlab_study *s, page *g, const char *name, const dlab_field *f, double scale)
{
    const char *unit = scale != 1 ? f->display : f->unit;
    put(s, g, "%s%s%s%s", name, unit != NULL ? " [" : "", unit != NULL ? unit : "", unit != NULL ? "]" : "");
}

static void put_head(dlab_study *s, page *g)
{
    const dlab_study_plan *p = s->plan;
    if (g->numbered) put(s, g, "point");
    for (int a = 0; a < p->axis_count; a++)
        put_name(s, g, p->axes[a].field->name, p->axes[a].field, scale_of(p->axes[a].field));
    for (int i = 0; i < g->count; i++)
        put_name(s, g, g->columns[i].name, &p->metrics.fields[g->columns[i].field], g->scale[i]);
}

static void put_axis(dlab_study *s, page *g, const dlab_field *f, const void *row)
{
    char text[CELL];
    if ((f->type == DLAB_DOUBLE || f->type == DLAB_INT) && !dlab_field_is_off(f, row))
        put(s, g, "%.6g", dlab_field_number(f, row) * scale_of(f));
    else if (dlab_get_field(f, row, &s->tables, text, sizeof text, &s->err) >= 0) put(s, g, "%s", text);
}

/* As many decimals as two digits of half the interval have; a value that is written better as a power of ten,
 * or has no interval, gets five digits. */
static void put_interval(dlab_study *s, page *g, double mean, double half)
{
    const double decimals = half > 0 ? 1 - floor(log10(half)) : NAN;
    if (isnan(half)) put(s, g, "%.5g", mean);
    else if (!(decimals <= 9 && fabs(mean) < 1e9)) put(s, g, "%.5g \xc2\xb1 %.2g", mean, half);
    else
        put(s, g, "%.*f \xc2\xb1 %.*f", decimals > 0 ? (int)decimals : 0, mean,
            decimals > 0 ? (int)decimals : 0, half);
}

static void put_line(dlab_study *s, page *g, size_t point)
{
    const dlab_study_plan *p = s->plan;
    if (g->numbered) put(s, g, "%zu", point);
    for (int a = 0; a < p->axis_count; a++)
        put_axis(s, g, p->axes[a].field, p->points.rows + point * p->points.row_size);
    for (int i = 0; i < g->count; i++) {
        const dlab_interval x = dlab_study_merge(s, point, &g->columns[i]);
        put_interval(s, g, x.mean * g->scale[i], (x.high - x.low) / 2 * g->scale[i]);
    }
}

static int read_columns(dlab_study *s, page *g, const char *columns)
{
    size_t size = 0;
    char *piece, *const copy = dlab_copy_text(columns, &s->plan->memory, &size, &s->err), *at = copy;
    while (s->err.code == DLAB_OK && (piece = dlab_next_piece(&at, ',')) != NULL) {
        dlab_column *c = &g->columns[g->count];
        if (g->count == COLUMNS_MAX)
            (void)dlab_fail(&s->err, DLAB_ELIMIT, "a table has at most %d columns", COLUMNS_MAX);
        else if (dlab_column_find(&s->plan->metrics, piece, s->model->name, c, &s->err) == DLAB_OK)
            g->scale[g->count++] = scale_of(&s->plan->metrics.fields[c->field]);
    }
    dlab_memory_free(&s->plan->memory, copy, size);
    return s->err.code;
}

static int write_cells(dlab_study *s, const page *g, int across, FILE *to)
{
    int widths[COLUMNS_MAX + DLAB_AXES_MAX + 1] = { 0 };
    for (size_t i = 0; i < g->cells.count; i++) {
        const int w = width(g->cells.rows + i * CELL);
        if (w > widths[i % (size_t)across]) widths[i % (size_t)across] = w;
    }
    for (size_t i = 0; i < g->cells.count; i++) {
        const char *cell = g->cells.rows + i * CELL;
        const int column = (int)(i % (size_t)across);
        const char *end = column == across - 1 ? "\n" : "  ";
        if (fprintf(to, "%*s%s%s", widths[column] - width(cell), "", cell, end) < 0)
            return dlab_fail(&s->err, DLAB_ELIMIT, "the table could not be written");
    }
    return DLAB_OK;
}

int dlab_study_print(dlab_study *s, FILE *to, const char *columns)
{
    const dlab_study_plan *p = dlab_study_ran(s, 0, 0);
    page g = { .cells = { .row_size = CELL } };
    if (p == NULL || read_columns(s, &g, columns)) return s->err.code;
    g.numbered = p->base.count > 1;
    put_head(s, &g);
    for (size_t point = 0; point < p->points.count && s->err.code == DLAB_OK; point++) put_line(s, &g, point);
    if (s->err.code == DLAB_OK) (void)write_cells(s, &g, g.count + p->axis_count + g.numbered, to);
    dlab_buffer_free(&g.cells, &s->plan->memory);
    return s->err.code;
}
