/* Series of a sweep on a common grid of times. */
#include "binding/binding.h"

#include <string.h>

/* The output table of this name, or NULL with an exception. */
static const dlab_table *output_named(dlab_py_state *state, const dlab_py_card *card, const char *name,
                                      int *which)
{
    const char *names[DLAB_TABLES_MAX];
    for (int k = 0; k < card->output_count; k++) {
        names[k] = card->model->outputs[k].name;
        if (strcmp(names[k], name) != 0) continue;
        *which = k;
        return &card->model->outputs[k];
    }
    dlab_error err = { 0 };
    const char *near = dlab_nearest_name(name, names, card->output_count);
    (void)dlab_fail(&err, DLAB_ENAME, "%s has no output '%s'%s%s%s", card->model->name, name,
                    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    (void)dlab_py_raise(state, &err);
    return NULL;
}

/* The number of the column, or -1 with an exception. */
static int column_named(dlab_py_state *state, const dlab_table *table, const char *name)
{
    const char *names[DLAB_FIELDS_MAX];
    int count = 0;
    for (; count < DLAB_FIELDS_MAX && table->columns[count].name != NULL; count++) {
        const dlab_field *column = &table->columns[count];
        names[count] = column->name;
        if (strcmp(column->name, name) == 0 && column->type < DLAB_DISTRIBUTION) return count;
    }
    dlab_error err = { 0 };
    const char *near = dlab_nearest_name(name, names, count);
    (void)dlab_fail(&err, DLAB_ENAME, "table '%s' has no column of numbers '%s'%s%s%s", table->name, name,
                    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    (void)dlab_py_raise(state, &err);
    return -1;
}

static int offsets_check(const uint64_t *offsets, npy_intp count, uint64_t rows)
{
    if (count < 1) {
        PyErr_SetString(PyExc_ValueError, "offsets must have one entry more than the sweep has rows");
        return -1;
    }
    for (npy_intp i = 0; i < count; i++) {
        const uint64_t least = i == 0 ? 0 : offsets[i - 1];
        if (offsets[i] >= least && offsets[i] <= rows) continue;
        PyErr_Format(PyExc_ValueError, "offsets[%zd] = %llu is outside [%llu, %llu]", (Py_ssize_t)i,
                     (unsigned long long)offsets[i], (unsigned long long)least, (unsigned long long)rows);
        return -1;
    }
    return 0;
}

static PyObject *resample(dlab_py_state *state, const dlab_table *table, int column, PyArrayObject *rows,
                          PyArrayObject *offsets, PyArrayObject *times)
{
    const npy_intp dims[] = { PyArray_SIZE(offsets) - 1, PyArray_SIZE(times) };
    dlab_error err = { 0 };
    const size_t count = (size_t)PyArray_SIZE(rows);
    if (offsets_check(PyArray_DATA(offsets), PyArray_SIZE(offsets), count) < 0) return NULL;
    PyArrayObject *result = (PyArrayObject *)PyArray_SimpleNew(2, dims, NPY_DOUBLE);
    if (result == NULL) return NULL;
    const dlab_kept output = { .rows = { PyArray_DATA(rows), count, count, table->row_size },
                               .offsets = PyArray_DATA(offsets) };
    double *values = (double *)PyArray_DATA(result);
    PyThreadState *thread = PyEval_SaveThread();
    const int code = dlab_series_resample(table, &output, (size_t)dims[0], column, dlab_py_doubles(times),
                                          (size_t)dims[1], values, &err);
    PyEval_RestoreThread(thread);
    if (code == DLAB_OK) return (PyObject *)result;
    Py_DECREF(result);
    return dlab_py_raise(state, &err);
}

static PyObject *core_resample(PyObject *module, PyObject *args)
{
    dlab_py_state *state = dlab_py_state_of(module);
    const char *model, *name, *column_name;
    PyObject *rows_in, *offsets_in, *times_in, *result = NULL;
    int which = 0;
    if (!PyArg_ParseTuple(args, "ssOOsO:resample", &model, &name, &rows_in, &offsets_in, &column_name,
                          &times_in))
        return NULL;
    const dlab_py_card *card = dlab_py_card_of(state, model);
    const dlab_table *table = card != NULL ? output_named(state, card, name, &which) : NULL;
    const int column = table != NULL ? column_named(state, table, column_name) : -1;
    if (column < 0) return NULL;
    PyArrayObject *rows = dlab_py_structs(rows_in, card->outputs[which], "rows");
    PyArrayObject *offsets = rows != NULL ? dlab_py_copied(offsets_in, NPY_UINT64, "offsets") : NULL;
    PyArrayObject *times = offsets != NULL ? dlab_py_vector(times_in, NPY_DOUBLE, "times") : NULL;
    if (times != NULL) result = resample(state, table, column, rows, offsets, times);
    Py_XDECREF(rows);
    Py_XDECREF(offsets);
    Py_XDECREF(times);
    return result;
}

PyMethodDef dlab_py_series_methods[] = {
    { "resample", core_resample, METH_VARARGS,
      PyDoc_STR("resample(model, output, rows, offsets, column, times, /)\n--\n\n"
                "(rows of the sweep, len(times)): a series held on a common grid.") },
    { NULL, NULL, 0, NULL },
};
