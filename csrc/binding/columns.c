/* Metrics as columns: expanded, merged over repetitions, read as quantiles and as bucket counts. The core
 * computes; here arrays are made and long loops leave the interpreter. */
#include "binding/binding.h"

#include <string.h>

/* Rows copied out of the metrics for one group at a time. */
typedef struct copies {
    char *rows;
    const void **pointers;
} copies;

static int copies_open(copies *c, size_t longest, size_t size)
{
    c->rows = PyMem_Malloc(longest > 0 && size > SIZE_MAX / longest ? SIZE_MAX : longest * size + 1);
    c->pointers = PyMem_Calloc(longest + 1, sizeof *c->pointers);
    if (c->rows != NULL && c->pointers != NULL) return 0;
    PyErr_NoMemory();
    return -1;
}

static void copies_close(copies *c)
{
    PyMem_Free(c->rows);
    PyMem_Free(c->pointers);
}

static int copies_load(const copies *c, const dlab_py_metrics *m, const int64_t *index, size_t n,
                       dlab_error *err)
{
    const size_t size = m->card->model->metrics_size;
    for (size_t i = 0; i < n; i++) {
        const int code = dlab_py_metrics_load(m, (size_t)index[i], c->rows + i * size, err);
        if (code != DLAB_OK) return code;
        c->pointers[i] = c->rows + i * size;
    }
    return DLAB_OK;
}

/* After a loop outside the interpreter: the result, or the exception. */
static PyObject *finished(const dlab_py_metrics *m, PyArrayObject *result, const dlab_error *err, bool raised)
{
    if (err->code == DLAB_OK && !raised) return (PyObject *)result;
    Py_DECREF(result);
    return raised ? NULL : dlab_py_raise(m->state, err);
}

static PyObject *expand(const dlab_py_metrics *m, void *row)
{
    const dlab_py_card *card = m->card;
    Py_INCREF((PyObject *)card->columns_dtype); /* the call takes it */
    PyArrayObject *result =
        (PyArrayObject *)PyArray_Zeros(PyArray_NDIM(m->rows), PyArray_DIMS(m->rows), card->columns_dtype, 0);
    if (result == NULL) return NULL;
    const size_t rows = (size_t)PyArray_SIZE(m->rows);
    double *out = (double *)PyArray_DATA(result);
    dlab_error err = { 0 };
    dlab_py_away away = { 0 };
    dlab_py_leave(&away);
    for (size_t i = 0; i < rows && !dlab_py_poll(&away, i); i++) {
        if (dlab_py_metrics_load(m, i, row, &err) != DLAB_OK) break;
        for (int c = 0; c < card->column_count; c++)
            *out++ = dlab_column_value(&card->metrics, &card->columns[c], row, dlab_py_metrics_buckets(m));
    }
    dlab_py_back(&away);
    return finished(m, result, &err, away.raised);
}

static PyObject *core_columns(PyObject *module, PyObject *args)
{
    const char *model;
    PyObject *rows, *buckets, *result = NULL;
    dlab_py_metrics m;
    if (!PyArg_ParseTuple(args, "sOO:columns", &model, &rows, &buckets)) return NULL;
    if (dlab_py_metrics_open(&m, module, model, rows, buckets) < 0) return NULL;
    void *row = PyMem_Malloc(m.card->model->metrics_size);
    if (row == NULL) PyErr_NoMemory();
    if (row != NULL) result = expand(&m, row);
    PyMem_Free(row);
    dlab_py_metrics_close(&m);
    return result;
}

/* One group: every column merged, five numbers each. */
static int merge_group(const dlab_py_metrics *m, const copies *c, size_t n, double confidence,
                       dlab_py_away *away, double *out, dlab_error *err)
{
    const dlab_py_card *card = m->card;
    for (int i = 0; i < card->column_count && !dlab_py_poll(away, 0); i++) {
        dlab_interval v;
        const int code = dlab_column_merge(&card->metrics, &card->columns[i], c->pointers, n,
                                           dlab_py_metrics_buckets(m), confidence, &v, err);
        if (code != DLAB_OK) return code;
        const double five[] = { v.mean, v.low, v.high, v.se, (double)v.n };
        memcpy(out + 5 * i, five, sizeof five);
    }
    return DLAB_OK;
}

static PyObject *merge(const dlab_py_metrics *m, const dlab_py_groups *groups, double confidence)
{
    const size_t size = m->card->model->metrics_size, stride = 5 * (size_t)m->card->column_count;
    const npy_intp dims[] = { (npy_intp)groups->count, m->card->column_count, 5 };
    PyArrayObject *result = (PyArrayObject *)PyArray_ZEROS(3, dims, NPY_DOUBLE, 0);
    copies c = { NULL, NULL };
    dlab_error err = { 0 };
    dlab_py_away away = { 0 };
    if (result == NULL || copies_open(&c, groups->longest, size) < 0) {
        copies_close(&c);
        Py_XDECREF(result);
        return NULL;
    }
    double *out = (double *)PyArray_DATA(result);
    dlab_py_leave(&away);
    for (size_t g = 0; g < groups->count && !dlab_py_poll(&away, g); g++) {
        const size_t n = (size_t)(groups->offsets[g + 1] - groups->offsets[g]);
        if (copies_load(&c, m, groups->index + groups->offsets[g], n, &err) != DLAB_OK ||
            merge_group(m, &c, n, confidence, &away, out + g * stride, &err) != DLAB_OK)
            break;
    }
    dlab_py_back(&away);
    copies_close(&c);
    return finished(m, result, &err, away.raised);
}

static PyObject *core_merge(PyObject *module, PyObject *args)
{
    const char *model;
    PyObject *rows, *buckets, *index, *offsets, *result = NULL;
    double confidence;
    dlab_py_metrics m;
    dlab_py_groups groups;
    if (!PyArg_ParseTuple(args, "sOOOOd:merge", &model, &rows, &buckets, &index, &offsets, &confidence))
        return NULL;
    if (dlab_py_inside(confidence, 0, 1, "confidence") < 0) return NULL;
    if (dlab_py_metrics_open(&m, module, model, rows, buckets) < 0) return NULL;
    if (dlab_py_groups_open(&groups, index, offsets, (size_t)PyArray_SIZE(m.rows)) == 0) {
        result = merge(&m, &groups, confidence);
        dlab_py_groups_close(&groups);
    }
    dlab_py_metrics_close(&m);
    return result;
}

/* The metric of this name, which must be a histogram. */
static const dlab_field *histogram_named(const dlab_py_metrics *m, const char *name)
{
    dlab_error err = { 0 };
    const dlab_field *field = dlab_layout_find(&m->card->metrics, name, m->card->model->name, &err);
    if (field == NULL) {
        (void)dlab_py_raise(m->state, &err);
    } else if (field->type != DLAB_HISTOGRAM) {
        PyErr_Format(PyExc_TypeError, "metric %s of %s is not a histogram", name, m->card->model->name);
        return NULL;
    }
    return field;
}

/* All rows of a group in one recording histogram, whose cells live in the arena. */
static int gather(const dlab_py_metrics *m, const dlab_field *field, const int64_t *index, size_t n,
                  char *row, dlab_arena *arena, dlab_histogram *all, dlab_error *err)
{
    if (dlab_histogram_open(all, arena, err) != DLAB_OK) return err->code;
    for (size_t i = 0; i < n; i++) {
        dlab_histogram one;
        if (dlab_py_metrics_load(m, (size_t)index[i], row, err) != DLAB_OK) return err->code;
        memcpy(&one, row + field->offset, sizeof one);
        if (one.count > 0) dlab_histogram_merge(all, &one, dlab_py_metrics_buckets(m));
    }
    return DLAB_OK;
}

/* The quantiles of one group; what the arena and cells hold is used again by the next. */
static int group_quantiles(const dlab_py_metrics *m, const dlab_field *field, const int64_t *index, size_t n,
                           char *row, dlab_arena *arena, dlab_buffer *cells, PyArrayObject *q, double *out,
                           dlab_error *err)
{
    dlab_histogram all;
    dlab_arena_reset(arena);
    cells->count = 0;
    if (gather(m, field, index, n, row, arena, &all, err) != DLAB_OK ||
        dlab_histogram_pack(&all, cells, arena->memory, err) != DLAB_OK)
        return err->code;
    const uint64_t *pool = (const uint64_t *)(const void *)cells->rows;
    for (npy_intp i = 0; i < PyArray_SIZE(q); i++)
        out[i] = field->scale * dlab_histogram_quantile(&all, pool, dlab_py_doubles(q)[i]);
    return DLAB_OK;
}

static PyObject *quantiles(const dlab_py_metrics *m, const dlab_field *field, PyArrayObject *q,
                           const dlab_py_groups *groups)
{
    const npy_intp dims[] = { (npy_intp)groups->count, PyArray_SIZE(q) };
    PyArrayObject *result = (PyArrayObject *)PyArray_ZEROS(2, dims, NPY_DOUBLE, 0);
    char *row = PyMem_Malloc(m->card->model->metrics_size);
    dlab_memory memory = { 0 };
    dlab_arena arena = { .memory = &memory };
    dlab_buffer cells = { .row_size = sizeof(uint64_t) };
    dlab_error err = { 0 };
    dlab_py_away away = { 0 };
    if (row == NULL) PyErr_NoMemory();
    if (result == NULL || row == NULL) {
        PyMem_Free(row);
        Py_XDECREF(result);
        return NULL;
    }
    double *out = (double *)PyArray_DATA(result);
    dlab_py_leave(&away);
    for (size_t g = 0; g < groups->count && !dlab_py_poll(&away, g); g++, out += dims[1]) {
        const size_t n = (size_t)(groups->offsets[g + 1] - groups->offsets[g]);
        if (group_quantiles(m, field, groups->index + groups->offsets[g], n, row, &arena, &cells, q, out,
                            &err) != DLAB_OK)
            break;
    }
    dlab_arena_free(&arena);
    dlab_buffer_free(&cells, &memory);
    dlab_py_back(&away);
    PyMem_Free(row);
    return finished(m, result, &err, away.raised);
}

static PyArrayObject *probabilities(PyObject *object)
{
    PyArrayObject *q = dlab_py_copied(object, NPY_DOUBLE, "q");
    for (npy_intp i = 0; q != NULL && i < PyArray_SIZE(q); i++) {
        const double p = dlab_py_doubles(q)[i];
        if (p >= 0 && p <= 1) continue;
        PyErr_Format(PyExc_ValueError, "q[%zd] is outside [0, 1]", (Py_ssize_t)i);
        Py_CLEAR(q);
    }
    return q;
}

static PyObject *core_quantiles(PyObject *module, PyObject *args)
{
    const char *model, *metric;
    PyObject *rows, *buckets, *q_in, *index, *offsets, *result = NULL;
    dlab_py_metrics m;
    dlab_py_groups groups;
    if (!PyArg_ParseTuple(args, "sOOsOOO:quantiles", &model, &rows, &buckets, &metric, &q_in, &index,
                          &offsets))
        return NULL;
    if (dlab_py_metrics_open(&m, module, model, rows, buckets) < 0) return NULL;
    const dlab_field *field = histogram_named(&m, metric);
    PyArrayObject *q = field != NULL ? probabilities(q_in) : NULL;
    if (q != NULL && dlab_py_groups_open(&groups, index, offsets, (size_t)PyArray_SIZE(m.rows)) == 0) {
        result = quantiles(&m, field, q, &groups);
        dlab_py_groups_close(&groups);
    }
    Py_XDECREF(q);
    dlab_py_metrics_close(&m);
    return result;
}

/* Edges and counts between the first and the last cell in use. */
static PyObject *edges_and_counts(const dlab_histogram *all, double scale)
{
    const uint32_t first = all->count > 0 ? dlab_histogram_index(all->min) : 0;
    const uint32_t used = all->count > 0 ? dlab_histogram_index(all->max) - first + 1 : 0;
    const npy_intp n_edges = (npy_intp)used + 1, n_counts = used;
    PyArrayObject *edges = (PyArrayObject *)PyArray_SimpleNew(1, &n_edges, NPY_DOUBLE);
    PyArrayObject *counts = (PyArrayObject *)PyArray_SimpleNew(1, &n_counts, NPY_UINT64);
    if (edges == NULL || counts == NULL) {
        Py_XDECREF(edges);
        Py_XDECREF(counts);
        return NULL;
    }
    for (uint32_t i = 0; i <= used; i++)
        ((double *)PyArray_DATA(edges))[i] = scale * (double)dlab_histogram_edge(first + i);
    memcpy(PyArray_DATA(counts), all->cells.counts + first, used * sizeof(uint64_t));
    return Py_BuildValue("(NN)", edges, counts);
}

static PyObject *whole_histogram(const dlab_py_metrics *m, const dlab_field *field,
                                 const dlab_py_groups *groups)
{
    dlab_memory memory = { 0 };
    dlab_arena arena = { .memory = &memory };
    dlab_histogram all;
    dlab_error err = { 0 };
    char *row = PyMem_Malloc(m->card->model->metrics_size);
    if (row == NULL) return PyErr_NoMemory();
    PyThreadState *thread = PyEval_SaveThread();
    const int code = gather(m, field, groups->index, (size_t)groups->offsets[1], row, &arena, &all, &err);
    PyEval_RestoreThread(thread);
    PyObject *result = code == DLAB_OK ? edges_and_counts(&all, field->scale) : dlab_py_raise(m->state, &err);
    dlab_arena_free(&arena);
    PyMem_Free(row);
    return result;
}

static PyObject *core_buckets(PyObject *module, PyObject *args)
{
    const char *model, *metric;
    PyObject *rows, *buckets, *index, *result = NULL;
    dlab_py_metrics m;
    dlab_py_groups groups;
    if (!PyArg_ParseTuple(args, "sOOsO:buckets", &model, &rows, &buckets, &metric, &index)) return NULL;
    const Py_ssize_t entries = PyObject_Size(index);
    PyObject *offsets = entries < 0 ? NULL : Py_BuildValue("[nn]", (Py_ssize_t)0, entries);
    if (offsets == NULL) return NULL;
    if (dlab_py_metrics_open(&m, module, model, rows, buckets) == 0) {
        const dlab_field *field = histogram_named(&m, metric);
        if (field != NULL &&
            dlab_py_groups_open(&groups, index, offsets, (size_t)PyArray_SIZE(m.rows)) == 0) {
            result = whole_histogram(&m, field, &groups);
            dlab_py_groups_close(&groups);
        }
        dlab_py_metrics_close(&m);
    }
    Py_DECREF(offsets);
    return result;
}

PyMethodDef dlab_py_columns_methods[] = {
    { "columns", core_columns, METH_VARARGS,
      PyDoc_STR("columns(model, metrics, buckets, /)\n--\n\n"
                "Expanded columns, one float64 field each, same shape as metrics.") },
    { "merge", core_merge, METH_VARARGS,
      PyDoc_STR("merge(model, metrics, buckets, index, offsets, confidence, /)\n--\n\n"
                "(groups, columns, 5): mean low high se n over the rows index[offsets[g]:offsets[g + 1]].") },
    { "quantiles", core_quantiles, METH_VARARGS,
      PyDoc_STR("quantiles(model, metrics, buckets, metric, q, index, offsets, /)\n--\n\n"
                "(groups, len(q)) quantiles of merged histograms, SI units.") },
    { "buckets", core_buckets, METH_VARARGS,
      PyDoc_STR("buckets(model, metrics, buckets, metric, index, /)\n--\n\n"
                "(edges, counts) of the merged histogram, SI units, len(edges) == len(counts) + 1.") },
    { NULL, NULL, 0, NULL },
};
