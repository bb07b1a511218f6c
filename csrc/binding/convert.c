/* Memory that comes from Python, made fit for C: contiguous, aligned, of the right type.
 *
 * Structured arrays must have the very fields of the dtype asked for; where only padding or byte order differ
 * they are converted. Everything C relies on for memory safety is checked on memory Python cannot change
 * meanwhile: rows of references are copied, rows of parameters are copied one by one before use. */
#include "binding/binding.h"

/* NumPy calls an array of an unaligned dtype aligned wherever it lies; C does not. */
static PyArrayObject *at_aligned_address(PyArrayObject *array)
{
    if (array == NULL || (uintptr_t)PyArray_DATA(array) % _Alignof(double) == 0) return array;
    PyArrayObject *copy = (PyArrayObject *)PyArray_NewCopy(array, NPY_CORDER);
    Py_DECREF(array);
    return copy;
}

static PyArrayObject *structs(PyObject *object, PyArray_Descr *dtype, const char *what, int flags)
{
    PyArrayObject *any = (PyArrayObject *)PyArray_FROM_OF(object, NPY_ARRAY_ENSUREARRAY);
    if (any == NULL) return NULL;
    if (!PyArray_CanCastTypeTo(PyArray_DESCR(any), dtype, NPY_EQUIV_CASTING)) {
        PyErr_Format(PyExc_TypeError, "%s must be a structured array with the fields of %R, not of dtype %R",
                     what, (PyObject *)dtype, (PyObject *)PyArray_DESCR(any));
        Py_DECREF(any);
        return NULL;
    }
    Py_INCREF((PyObject *)dtype); /* the call takes it */
    PyArrayObject *array = (PyArrayObject *)PyArray_FromArray(any, dtype, NPY_ARRAY_CARRAY_RO | flags);
    Py_DECREF(any);
    return at_aligned_address(array);
}

PyArrayObject *dlab_py_structs(PyObject *object, PyArray_Descr *dtype, const char *what)
{
    return structs(object, dtype, what, 0);
}

/* NumPy would cut a list of fractions to whole numbers without a word; for an array it asks for a safe cast.
 * So what is not whole goes the way of arrays. */
static PyArrayObject *converted(PyObject *object, int type, int flags)
{
    PyArrayObject *any = (PyArrayObject *)PyArray_FROM_O(object);
    if (any == NULL) return NULL;
    const bool whole = PyArray_ISINTEGER(any) || PyArray_SIZE(any) == 0;
    PyObject *from = whole && !PyArray_Check(object) ? object : (PyObject *)any;
    PyArrayObject *array = (PyArrayObject *)PyArray_FROMANY(from, type, 0, 0, NPY_ARRAY_CARRAY_RO | flags);
    Py_DECREF(any);
    return array;
}

static PyArrayObject *numbers(PyObject *object, int type, const char *what, int dims_max, int flags)
{
    PyArrayObject *array = converted(object, type, flags);
    if (array != NULL && dims_max > 0 && PyArray_NDIM(array) != dims_max) {
        PyErr_Format(PyExc_ValueError, "%s must have %d dimension, not %d", what, dims_max,
                     PyArray_NDIM(array));
        Py_CLEAR(array);
    }
    return array;
}

PyArrayObject *dlab_py_vector(PyObject *object, int type, const char *what)
{
    return numbers(object, type, what, 1, 0);
}

PyArrayObject *dlab_py_copied(PyObject *object, int type, const char *what)
{
    return numbers(object, type, what, 1, NPY_ARRAY_ENSURECOPY);
}

PyArrayObject *dlab_py_any(PyObject *object, int type) { return converted(object, type, 0); }

int dlab_py_u64(PyObject *object, const char *what, uint64_t *out)
{
    if (object == NULL) return 0;
    PyObject *number = PyNumber_Index(object);
    if (number == NULL) return -1;
    const unsigned long long value = PyLong_AsUnsignedLongLong(number);
    if (value == (unsigned long long)-1 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_Clear();
            PyErr_Format(PyExc_ValueError, "%s = %S is outside [0, 2**64 - 1]", what, number);
        }
        Py_DECREF(number);
        return -1;
    }
    Py_DECREF(number);
    *out = value;
    return 0;
}

int dlab_py_inside(double value, double low, double high, const char *what)
{
    if (value > low && value < high) return 0;
    char text[160];
    (void)PyOS_snprintf(text, sizeof text, "%s = %g must lie between %g and %g", what, value, low, high);
    PyErr_SetString(PyExc_ValueError, text);
    return -1;
}

/* What a table of the pool may be: samples, parts of a mixture, or rows of one of the model's tables. */
static PyArray_Descr *table_dtype(dlab_py_state *state, const dlab_py_card *card, PyArray_Descr *given)
{
    if (PyDataType_ISNUMBER(given) || PyDataType_ISBOOL(given)) return state->real;
    if (PyArray_CanCastTypeTo(given, state->part, NPY_EQUIV_CASTING)) return state->part;
    for (int i = 0; card != NULL && i < card->params.count; i++)
        if (card->tables[i] != NULL && PyArray_CanCastTypeTo(given, card->tables[i], NPY_EQUIV_CASTING))
            return card->tables[i];
    return NULL;
}

static PyArrayObject *table_of(dlab_py_state *state, const dlab_py_card *card, PyObject *item,
                               Py_ssize_t index)
{
    char what[48];
    (void)PyOS_snprintf(what, sizeof what, "pool[%zd]", index);
    PyArrayObject *any = (PyArrayObject *)PyArray_FROM_OF(item, NPY_ARRAY_ENSUREARRAY);
    if (any == NULL) return NULL;
    PyArray_Descr *dtype = table_dtype(state, card, PyArray_DESCR(any));
    PyArrayObject *array = NULL;
    if (dtype == NULL)
        PyErr_Format(PyExc_TypeError,
                     "%s has dtype %R: neither samples (float64), mixture parts nor rows of a table%s%s",
                     what, (PyObject *)PyArray_DESCR(any), card != NULL ? " of " : "",
                     card != NULL ? card->model->name : "");
    else if (PyArray_NDIM(any) != 1)
        PyErr_Format(PyExc_ValueError, "%s must have 1 dimension, not %d", what, PyArray_NDIM(any));
    else if (dtype == state->real) array = numbers((PyObject *)any, NPY_DOUBLE, what, 1, 0);
    else array = structs((PyObject *)any, dtype, what, NPY_ARRAY_ENSURECOPY);
    Py_DECREF(any);
    return array;
}

int dlab_py_pool_open(dlab_py_pool *pool, dlab_py_state *state, const dlab_py_card *card, PyObject *object)
{
    *pool = (dlab_py_pool){ .pool = { NULL, 0 } };
    if (object == NULL) return 0;
    PyObject *items = PySequence_Tuple(object);
    if (items == NULL) return -1;
    const Py_ssize_t count = PyTuple_GET_SIZE(items);
    pool->held = PyTuple_New(count);
    pool->rows = PyMem_Calloc((size_t)count + 1, sizeof(dlab_rows));
    if (pool->held != NULL && pool->rows == NULL) PyErr_NoMemory();
    for (Py_ssize_t i = 0; !PyErr_Occurred() && i < count; i++) {
        PyArrayObject *array = table_of(state, card, PyTuple_GET_ITEM(items, i), i);
        if (array == NULL) break;
        PyTuple_SET_ITEM(pool->held, i, (PyObject *)array);
        pool->rows[i] =
            (dlab_rows){ PyArray_DATA(array), (size_t)PyArray_SIZE(array), (size_t)PyArray_ITEMSIZE(array) };
    }
    Py_DECREF(items);
    pool->pool = (dlab_pool){ pool->rows, (size_t)count };
    if (!PyErr_Occurred()) return 0;
    dlab_py_pool_close(pool);
    return -1;
}

void dlab_py_pool_close(dlab_py_pool *pool)
{
    Py_CLEAR(pool->held);
    PyMem_Free(pool->rows);
    *pool = (dlab_py_pool){ .pool = { NULL, 0 } };
}
