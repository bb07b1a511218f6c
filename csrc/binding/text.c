/* Values as text and back: defaults, one parameter parsed or written, quantities, names that are near. */
#include "binding/binding.h"

#include <string.h>

PyObject *dlab_py_scalar(PyArray_Descr *dtype, const void *value)
{
    Py_INCREF((PyObject *)dtype); /* the call takes it */
    PyArrayObject *array = (PyArrayObject *)PyArray_Zeros(0, NULL, dtype, 0);
    if (array != NULL) memcpy(PyArray_DATA(array), value, (size_t)PyArray_ITEMSIZE(array));
    return (PyObject *)array;
}

PyObject *dlab_py_with_parts(PyObject *value, const dlab_buffer *parts, dlab_py_state *state)
{
    if (value == NULL) return NULL;
    if (parts->count == 0) return Py_BuildValue("(NO)", value, Py_None);
    const npy_intp count = (npy_intp)parts->count;
    Py_INCREF((PyObject *)state->part); /* the call takes it */
    PyArrayObject *rows = (PyArrayObject *)PyArray_Zeros(1, &count, state->part, 0);
    if (rows == NULL) {
        Py_DECREF(value);
        return NULL;
    }
    memcpy(PyArray_DATA(rows), parts->rows, parts->count * parts->row_size);
    return Py_BuildValue("(NN)", value, rows);
}

static PyObject *core_defaults(PyObject *module, PyObject *args)
{
    dlab_py_state *state = dlab_py_state_of(module);
    const char *model;
    dlab_error err = { 0 };
    if (!PyArg_ParseTuple(args, "s:defaults", &model)) return NULL;
    const dlab_py_card *card = dlab_py_card_of(state, model);
    if (card == NULL) return NULL;
    Py_INCREF((PyObject *)card->params_dtype); /* the call takes it */
    PyArrayObject *row = (PyArrayObject *)PyArray_Zeros(0, NULL, card->params_dtype, 0);
    if (row == NULL || dlab_params_default(card->model, PyArray_DATA(row), &err) == DLAB_OK)
        return (PyObject *)row;
    Py_DECREF(row);
    return dlab_py_raise(state, &err);
}

static PyObject *core_parse(PyObject *module, PyObject *args)
{
    dlab_py_state *state = dlab_py_state_of(module);
    const char *model, *name, *text;
    dlab_memory memory = { 0 };
    dlab_buffer parts = { .row_size = sizeof(dlab_part) };
    dlab_error err = { 0 };
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "sss:parse", &model, &name, &text)) return NULL;
    const dlab_py_card *card = dlab_py_card_of(state, model);
    const dlab_field *field = card != NULL ? dlab_py_param(state, card, name) : NULL;
    PyArray_Descr *dtype = field != NULL ? dlab_py_dtype_of_field(state, field) : NULL;
    if (dtype == NULL) return NULL;
    char *row = PyMem_Calloc(1, card->model->params_size);
    if (row == NULL) return PyErr_NoMemory();
    int code = dlab_field_set_text(field, row, text, &parts, &memory, &err);
    if (code == DLAB_OK && field->type == DLAB_DISTRIBUTION) {
        const dlab_rows table = { parts.rows, parts.count, parts.row_size };
        const dlab_pool pool = { &table, 1 };
        code = dlab_field_check(field, row, &pool, &err);
    }
    if (code == DLAB_OK)
        result = dlab_py_with_parts(dlab_py_scalar(dtype, row + field->offset), &parts, state);
    else (void)dlab_py_raise(state, &err);
    dlab_buffer_free(&parts, &memory);
    PyMem_Free(row);
    return result;
}

/* snprintf-like formatting of any length. */
static PyObject *formatted(const dlab_field *field, const void *row, const dlab_pool *pool)
{
    char few[256];
    const int length = dlab_field_format(field, row, pool, few, sizeof few);
    if (length < 0) return PyErr_Format(PyExc_ValueError, "%s cannot be written as text", field->name);
    if ((size_t)length < sizeof few) return dlab_py_text(few);
    char *many = PyMem_Malloc((size_t)length + 1);
    if (many == NULL) return PyErr_NoMemory();
    (void)dlab_field_format(field, row, pool, many, (size_t)length + 1);
    PyObject *text = dlab_py_text(many);
    PyMem_Free(many);
    return text;
}

static PyObject *core_format(PyObject *module, PyObject *args)
{
    dlab_py_state *state = dlab_py_state_of(module);
    const char *model, *name;
    PyObject *params_in, *pool_in = NULL, *result = NULL;
    dlab_error err = { 0 };
    dlab_py_pool pool;
    if (!PyArg_ParseTuple(args, "ssO|O:format", &model, &name, &params_in, &pool_in)) return NULL;
    const dlab_py_card *card = dlab_py_card_of(state, model);
    const dlab_field *field = card != NULL ? dlab_py_param(state, card, name) : NULL;
    PyArrayObject *params = field != NULL ? dlab_py_structs(params_in, card->params_dtype, "params") : NULL;
    if (params == NULL) return NULL;
    if (PyArray_SIZE(params) != 1)
        PyErr_Format(PyExc_ValueError, "params must be one row, not %zd", (Py_ssize_t)PyArray_SIZE(params));
    else if (dlab_py_pool_open(&pool, state, card, pool_in) == 0) {
        if (dlab_field_check(field, PyArray_DATA(params), &pool.pool, &err) == DLAB_OK)
            result = formatted(field, PyArray_DATA(params), &pool.pool);
        else (void)dlab_py_raise(state, &err);
        dlab_py_pool_close(&pool);
    }
    Py_DECREF(params);
    return result;
}

static PyObject *core_quantity(PyObject *module, PyObject *args)
{
    const char *text, *unit = NULL;
    double value = 0;
    dlab_error err = { 0 };
    if (!PyArg_ParseTuple(args, "s|z:quantity", &text, &unit)) return NULL;
    if (dlab_quantity_parse(text, unit, &value, &err) != DLAB_OK)
        return dlab_py_raise(dlab_py_state_of(module), &err);
    return PyFloat_FromDouble(value);
}

static PyObject *core_nearest(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *wanted;
    PyObject *names_in, *result = NULL;
    if (!PyArg_ParseTuple(args, "sO:nearest", &wanted, &names_in)) return NULL;
    PyObject *items = PySequence_Tuple(names_in);
    if (items == NULL) return NULL;
    const Py_ssize_t count = PyTuple_GET_SIZE(items);
    const char **names = PyMem_Calloc((size_t)count + 1, sizeof *names);
    if (names == NULL || count > INT_MAX) PyErr_NoMemory();
    for (Py_ssize_t i = 0; i < count && !PyErr_Occurred(); i++)
        names[i] = PyUnicode_AsUTF8(PyTuple_GET_ITEM(items, i));
    if (!PyErr_Occurred()) {
        const char *near = dlab_nearest_name(wanted, names, (int)count);
        result = near != NULL ? PyUnicode_FromString(near) : Py_NewRef(Py_None);
    }
    PyMem_Free(names);
    Py_DECREF(items);
    return result;
}

PyMethodDef dlab_py_text_methods[] = {
    { "defaults", core_defaults, METH_VARARGS,
      PyDoc_STR("defaults(model, /)\n--\n\nOne row (shape ()) of default parameters.") },
    { "parse", core_parse, METH_VARARGS,
      PyDoc_STR("parse(model, field, text, /)\n--\n\n"
                "A parameter from text: (0-d array of the field's dtype, mixture parts or None).\n"
                "A mixture refers to its parts as table 0.") },
    { "format", core_format, METH_VARARGS,
      PyDoc_STR("format(model, field, params, pool=(), /)\n--\n\n"
                "One parameter of one row as text that parses back.") },
    { "quantity", core_quantity, METH_VARARGS,
      PyDoc_STR("quantity(text, unit=None, /)\n--\n\n"
                "A number with an optional unit suffix of the dimension of unit, in SI units.") },
    { "nearest", core_nearest, METH_VARARGS,
      PyDoc_STR(
          "nearest(wanted, names, /)\n--\n\nThe name that was probably meant, or None where none is near.") },
    { NULL, NULL, 0, NULL },
};
