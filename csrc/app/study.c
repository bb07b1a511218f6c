/* Filling a study and running it. Values of axes are read into a copy of the first row, so that they are
 * checked like any parameter, and only the bytes of their field are kept; the run then writes out the product
 * of base rows and axes. */
#include <string.h>

#include <distlab/real.h>

#include "app/study.h"

dlab_study_plan *dlab_study_open(dlab_study *s)
{
    if (s->err.code != DLAB_OK) return NULL;
    if (s->plan != NULL) return s->plan;
    if (dlab_model_check(s->model, &s->err)) return NULL;
    dlab_memory memory = { 0 };
    dlab_study_plan *p = dlab_memory_realloc(&memory, NULL, 0, sizeof *p, &s->err);
    if (p == NULL) return NULL;
    memset(p, 0, sizeof *p);
    s->plan = p;
    p->base.row_size = p->points.row_size = s->model->params_size;
    p->metrics_rows.row_size = s->model->metrics_size;
    p->keys.row_size = sizeof(uint64_t);
    if (dlab_layout_init(&p->params, s->model->params, &s->err) ||
        dlab_layout_init(&p->metrics, s->model->metrics, &s->err) ||
        dlab_buffer_push(&p->base, &p->memory, NULL, 1, &s->err) ||
        dlab_params_default(s->model, p->base.rows, &s->err))
        return NULL;
    return p;
}

/* The plan of a study that may still be changed. */
static dlab_study_plan *open_before(dlab_study *s)
{
    dlab_study_plan *p = dlab_study_open(s);
    if (p == NULL || !p->ran) return p;
    (void)dlab_fail(&s->err, DLAB_EINVAL, "%s: this study has run; take a new one", s->model->name);
    return NULL;
}

int dlab_study_points(dlab_study *s, const void *rows, size_t count)
{
    dlab_study_plan *p = open_before(s);
    if (p == NULL) return s->err.code;
    if (count < 1 || count > DLAB_STUDY_ROWS_MAX)
        return dlab_fail(&s->err, DLAB_ERANGE, "%s: %zu points are outside [1, %d]", s->model->name, count,
                         DLAB_STUDY_ROWS_MAX);
    p->base.count = 0;
    return dlab_buffer_push(&p->base, &p->memory, rows, count, &s->err);
}

static dlab_axis *find_axis(dlab_study_plan *p, const dlab_field *f)
{
    for (int i = 0; i < p->axis_count; i++)
        if (p->axes[i].field == f) return &p->axes[i];
    return NULL;
}

/* A parameter that is not an axis yet. */
static const dlab_field *free_field(dlab_study *s, dlab_study_plan *p, const char *name)
{
    const dlab_field *f = p != NULL ? dlab_layout_find(&p->params, name, s->model->name, &s->err) : NULL;
    if (f == NULL || find_axis(p, f) == NULL) return f;
    (void)dlab_fail(&s->err, DLAB_EINVAL, "%s: %s is an axis already", s->model->name, name);
    return NULL;
}

/* The first base row has the new value: so have the others. */
static void spread(dlab_study_plan *p, const dlab_field *f)
{
    for (size_t i = 1; i < p->base.count; i++)
        dlab_field_copy(f, p->base.rows + i * p->base.row_size, f, p->base.rows);
}

int dlab_study_set(dlab_study *s, const char *name, const char *text)
{
    dlab_study_plan *p = open_before(s);
    const dlab_field *f = free_field(s, p, name);
    if (f != NULL && dlab_set_field(f, p->base.rows, text, &s->tables, &s->err) == DLAB_OK) spread(p, f);
    return s->err.code;
}

int dlab_study_set_all(dlab_study *s, const char *text)
{
    dlab_memory memory = { 0 };
    size_t size = 0;
    char *piece, *name, *value;
    if (open_before(s) == NULL) return s->err.code;
    char *const copy = dlab_copy_text(text, &memory, &size, &s->err);
    char *at = copy != NULL && *dlab_trim(copy) != '\0' ? copy : NULL;
    while (s->err.code == DLAB_OK && (piece = dlab_next_piece(&at, ',')) != NULL)
        if (dlab_split_pair(piece, &name, &value, &s->err) == DLAB_OK) (void)dlab_study_set(s, name, value);
    dlab_memory_free(&memory, copy, size);
    return s->err.code;
}

int dlab_study_set_rows(dlab_study *s, const char *name, dlab_rows rows)
{
    dlab_study_plan *p = open_before(s);
    const dlab_field *f = free_field(s, p, name);
    if (f != NULL && dlab_set_rows(s->model, p->base.rows, name, rows, &s->tables, &s->err) == DLAB_OK)
        spread(p, f);
    return s->err.code;
}

/* The axis of a parameter, made where there is none; NULL with the error set. */
static dlab_axis *open_axis(dlab_study *s, dlab_study_plan *p, const char *name)
{
    const dlab_field *f = dlab_layout_find(&p->params, name, s->model->name, &s->err);
    dlab_axis *axis = f != NULL ? find_axis(p, f) : NULL;
    if (f == NULL || axis != NULL) return axis;
    if (p->axis_count == DLAB_AXES_MAX) {
        (void)dlab_fail(&s->err, DLAB_ELIMIT, "%s: more than %d axes", s->model->name, DLAB_AXES_MAX);
        return NULL;
    }
    axis = &p->axes[p->axis_count++];
    axis->field = f;
    axis->values = (dlab_buffer){ .row_size = dlab_type_size(f->type) };
    return axis;
}

/* The value lies in the first base row for as long as it takes to read it. */
static int add_value(dlab_study *s, dlab_axis *axis, const char *text, double number)
{
    dlab_study_plan *p = s->plan;
    unsigned char old[sizeof(dlab_distribution)];
    char *const at = p->base.rows + axis->field->offset;
    if (axis->values.count >= DLAB_AXIS_VALUES_MAX)
        return dlab_fail(&s->err, DLAB_ELIMIT, "%s has more than %d values", axis->field->name,
                         DLAB_AXIS_VALUES_MAX);
    memcpy(old, at, axis->values.row_size);
    const int code = text != NULL ? dlab_set_field(axis->field, p->base.rows, text, &s->tables, &s->err)
                                  : dlab_field_set_number(axis->field, p->base.rows, number, &s->err);
    if (code == DLAB_OK) (void)dlab_buffer_push(&axis->values, &p->memory, at, 1, &s->err);
    memcpy(at, old, axis->values.row_size);
    return s->err.code;
}

int dlab_study_add(dlab_study *s, const char *name, const char *text)
{
    dlab_study_plan *p = open_before(s);
    dlab_axis *axis = p != NULL ? open_axis(s, p, name) : NULL;
    return axis == NULL ? s->err.code : add_value(s, axis, text, 0);
}

/* Values from low to high, evenly spaced as numpy.linspace does it, to the bit. */
static double even(double low, double high, long i, long count)
{
    const double step = (high - low) / (double)(count - 1);
    return i == count - 1 ? high : (double)i * step + low;
}

static double geometric(double low, double high, long i, long count)
{
    if (i == 0 || i == count - 1) return i == 0 ? low : high;
    return low * dlab_exp((double)i / (double)(count - 1) * dlab_log(high / low));
}

/* "low:high:count" or "log:low:high:count". */
static int add_range(dlab_study *s, dlab_axis *axis, char *text)
{
    const dlab_field *f = axis->field;
    char *parts[5] = { NULL }, *at = text;
    int n = 0;
    double low = 0, high = 0, count = 0, before = NAN;
    dlab_error why = { .code = DLAB_OK };
    while (n < 5 && (parts[n] = dlab_next_piece(&at, ':')) != NULL) n++;
    const int log_scale = strcmp(parts[0], "log") == 0;
    if (n != 3 + log_scale || dlab_quantity_parse(parts[log_scale + 2], NULL, &count, &why) ||
        !(count >= 2 && count <= DLAB_AXIS_VALUES_MAX) || count != floor(count))
        return dlab_fail(&s->err, DLAB_ETYPE,
                         "%s: a range is low:high:count or log:low:high:count, count from 2 to %d", f->name,
                         DLAB_AXIS_VALUES_MAX);
    if (dlab_quantity_parse(parts[log_scale], f->unit, &low, &why) ||
        dlab_quantity_parse(parts[log_scale + 1], f->unit, &high, &why))
        return dlab_fail(&s->err, why.code, "%s: %s", f->name, why.text);
    if (!isfinite(low) || !isfinite(high) || (log_scale && !(low > 0 && high > 0)))
        return dlab_fail(&s->err, DLAB_ERANGE, "%s: the ends of a %srange must be finite%s", f->name,
                         log_scale ? "log " : "", log_scale ? " and positive" : "");
    if (f->type == DLAB_INT && low > high) { /* whole numbers grow: each is taken once */
        const double other = low;
        low = high;
        high = other;
    }
    for (long i = 0; i < (long)count; i++) {
        double x = log_scale ? geometric(low, high, i, (long)count) : even(low, high, i, (long)count);
        if (f->type == DLAB_INT) x = rint(x);
        if (f->type == DLAB_INT && x == before) continue;
        if (add_value(s, axis, NULL, x)) return s->err.code;
        before = x;
    }
    return DLAB_OK;
}

int dlab_study_axis(dlab_study *s, const char *name, const char *values)
{
    dlab_study_plan *p = open_before(s);
    const dlab_field *f = free_field(s, p, name);
    if (f == NULL) return s->err.code;
    if (f->type == DLAB_TABLE)
        return dlab_fail(&s->err, DLAB_ETYPE, "%s: give the tables of an axis one by one, dlab_study_add",
                         name);
    dlab_axis *axis = open_axis(s, p, name);
    size_t size = 0;
    char *const copy = axis != NULL ? dlab_copy_text(values, &p->memory, &size, &s->err) : NULL;
    if (copy == NULL) return s->err.code;
    char *at = copy, *piece;
    if ((f->type == DLAB_DOUBLE || f->type == DLAB_INT) && strchr(copy, ':') != NULL) {
        (void)add_range(s, axis, copy);
        at = NULL;
    }
    while (s->err.code == DLAB_OK && (piece = dlab_next_piece(&at, ',')) != NULL)
        (void)add_value(s, axis, piece, 0);
    dlab_memory_free(&p->memory, copy, size);
    return s->err.code;
}

int dlab_study_keep(dlab_study *s, const char *name)
{
    const char *names[DLAB_TABLES_MAX];
    int n = 0;
    if (open_before(s) == NULL) return s->err.code;
    for (; s->model->outputs != NULL && s->model->outputs[n].name != NULL && n < DLAB_TABLES_MAX; n++) {
        names[n] = s->model->outputs[n].name;
        if (name != NULL && strcmp(name, names[n]) != 0) continue;
        s->sweep.wanted |= 1u << n;
        if (name != NULL) return DLAB_OK;
    }
    if (name == NULL) return DLAB_OK;
    const char *near = dlab_nearest_name(name, names, n);
    return dlab_fail(&s->err, DLAB_ENAME, "%s has no output '%s'%s%s%s", s->model->name, name,
                     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* Every base row with every combination of values, the last axis fastest. */
static int write_points(dlab_study *s, dlab_study_plan *p, size_t count)
{
    if (dlab_buffer_push(&p->points, &p->memory, NULL, count, &s->err)) return s->err.code;
    for (size_t i = 0; i < count; i++) {
        char *row = p->points.rows + i * p->points.row_size;
        size_t values[DLAB_AXES_MAX], rest = i;
        for (int a = p->axis_count - 1; a >= 0; a--) {
            values[a] = rest % p->axes[a].values.count;
            rest /= p->axes[a].values.count;
        }
        memcpy(row, p->base.rows + rest * p->base.row_size, p->base.row_size);
        for (int a = 0; a < p->axis_count; a++) {
            const dlab_buffer *all = &p->axes[a].values;
            memcpy(row + p->axes[a].field->offset, all->rows + values[a] * all->row_size, all->row_size);
        }
    }
    return DLAB_OK;
}

static int write_keys(dlab_study *s, dlab_study_plan *p, size_t points)
{
    if (dlab_buffer_push(&p->keys, &p->memory, NULL, points * s->reps, &s->err)) return s->err.code;
    uint64_t *keys = (uint64_t *)(void *)p->keys.rows;
    for (size_t i = 0; i < points; i++)
        for (size_t r = 0; r < s->reps; r++)
            *keys++ = dlab_row_key(s->seed, s->own_keys ? i : DLAB_POINT_SHARED, r);
    return DLAB_OK;
}

int dlab_study_run(dlab_study *s)
{
    dlab_study_plan *p = open_before(s);
    if (p == NULL) return s->err.code;
    if (s->reps == 0) s->reps = 1;
    if (s->confidence == 0) s->confidence = 0.95;
    if (!(s->confidence > 0 && s->confidence < 1))
        return dlab_fail(&s->err, DLAB_ERANGE, "confidence = %g is outside (0, 1)", s->confidence);
    size_t points = p->base.count;
    bool many = s->reps > DLAB_STUDY_ROWS_MAX;
    for (int a = 0; a < p->axis_count && !many; a++) {
        points *= p->axes[a].values.count;
        many = points > DLAB_STUDY_ROWS_MAX;
    }
    if (many || points * s->reps > DLAB_STUDY_ROWS_MAX)
        return dlab_fail(&s->err, DLAB_ELIMIT, "%s: points times %zu repetitions are more than %d rows",
                         s->model->name, s->reps, DLAB_STUDY_ROWS_MAX);
    if (write_points(s, p, points) || write_keys(s, p, points) ||
        dlab_buffer_push(&p->metrics_rows, &p->memory, NULL, points * s->reps, &s->err))
        return s->err.code;
    p->ran = true;
    s->sweep.model = s->model;
    s->sweep.params = p->points.rows;
    s->sweep.keys = (const uint64_t *)(const void *)p->keys.rows;
    s->sweep.row_count = points * s->reps;
    s->sweep.reps = s->reps;
    s->sweep.pool = dlab_tables_pool(&s->tables);
    s->sweep.metrics = p->metrics_rows.rows;
    return dlab_sweep_run(&s->sweep, &s->err);
}

void dlab_study_close(dlab_study *s)
{
    dlab_study_plan *p = s->plan;
    dlab_tables_free(&s->tables);
    if (p == NULL) return;
    if (p->ran) dlab_sweep_free(&s->sweep);
    for (int a = 0; a < p->axis_count; a++) dlab_buffer_free(&p->axes[a].values, &p->memory);
    dlab_buffer_free(&p->base, &p->memory);
    dlab_buffer_free(&p->points, &p->memory);
    dlab_buffer_free(&p->keys, &p->memory);
    dlab_buffer_free(&p->metrics_rows, &p->memory);
    dlab_memory memory = { .used = sizeof *p };
    dlab_memory_free(&memory, p, sizeof *p);
    s->plan = NULL;
}
