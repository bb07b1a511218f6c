/* Distributions outside any model: text, moments, laws and samples, for people who want to look at one. */
#include "binding/binding.h"

#include <math.h>
#include <string.h>

/* One record with the pool it refers to, checked. */
typedef struct record_call {
    dlab_py_state *state;
    dlab_py_pool pool;
    dlab_distribution d;
} record_call;

static int check_distribution(dlab_py_state *state, const dlab_distribution *d, const dlab_pool *pool)
{
    dlab_error err = { 0 };
    if (d->kind < 0) {
        PyErr_SetString(PyExc_ValueError, "this distribution is off (None)");
        return -1;
    }
    if (dlab_distribution_check(d, pool, "distribution", -INFINITY, NAN, NAN, &err) == DLAB_OK) return 0;
    (void)dlab_py_raise(state, &err);
    return -1;
}

static int record_open(record_call *call, PyObject *module, PyObject *record, PyObject *pool)
{
    *call = (record_call){ .state = dlab_py_state_of(module) };
    PyArrayObject *array = dlab_py_structs(record, call->state->distribution, "record");
    if (array == NULL) return -1;
    if (PyArray_SIZE(array) != 1)
        PyErr_Format(PyExc_ValueError, "record must be one distribution, not %zd",
                     (Py_ssize_t)PyArray_SIZE(array));
    else memcpy(&call->d, PyArray_DATA(array), sizeof call->d);
    Py_DECREF(array);
    if (PyErr_Occurred() || dlab_py_pool_open(&call->pool, call->state, NULL, pool) < 0) return -1;
    if (check_distribution(call->state, &call->d, &call->pool.pool) == 0) return 0;
    dlab_py_pool_close(&call->pool);
    return -1;
}

static PyObject *core_parse_distribution(PyObject *module, PyObject *args)
{
    dlab_py_state *state = dlab_py_state_of(module);
    const char *text, *unit = "s";
    dlab_memory memory = { 0 };
    dlab_buffer parts = { .row_size = sizeof(dlab_part) };
    dlab_distribution d = { 0 };
    dlab_error err = { 0 };
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "s|z:parse_distribution", &text, &unit)) return NULL;
    if (dlab_distribution_parse(text, unit, &parts, &memory, &d, &err) != DLAB_OK) {
        (void)dlab_py_raise(state, &err);
    } else {
        const dlab_rows table = { parts.rows, parts.count, parts.row_size };
        const dlab_pool pool = { &table, 1 };
        if (check_distribution(state, &d, &pool) == 0)
            result = dlab_py_with_parts(dlab_py_scalar(state->distribution, &d), &parts, state);
    }
    dlab_buffer_free(&parts, &memory);
    return result;
}

static PyObject *core_format_distribution(PyObject *module, PyObject *args)
{
    PyObject *record, *pool = NULL, *result = NULL;
    record_call call;
    if (!PyArg_ParseTuple(args, "O|O:format_distribution", &record, &pool)) return NULL;
    if (record_open(&call, module, record, pool) < 0) return NULL;
    char few[512], *text = few;
    const int length = dlab_distribution_format(&call.d, &call.pool.pool, few, sizeof few);
    if (length >= (int)sizeof few && (text = PyMem_Malloc((size_t)length + 1)) != NULL)
        (void)dlab_distribution_format(&call.d, &call.pool.pool, text, (size_t)length + 1);
    if (text == NULL) PyErr_NoMemory();
    else if (length < 0) PyErr_SetString(PyExc_ValueError, "this distribution cannot be written as text");
    else result = dlab_py_text(text);
    if (text != few) PyMem_Free(text);
    dlab_py_pool_close(&call.pool);
    return result;
}

static PyObject *core_distribution_moments(PyObject *module, PyObject *args)
{
    PyObject *record, *pool = NULL;
    record_call call;
    if (!PyArg_ParseTuple(args, "O|O:distribution_moments", &record, &pool)) return NULL;
    if (record_open(&call, module, record, pool) < 0) return NULL;
    const double mean = dlab_distribution_mean(&call.d, &call.pool.pool);
    const double variance = dlab_distribution_variance(&call.d, &call.pool.pool);
    dlab_py_pool_close(&call.pool);
    return Py_BuildValue("(dd)", mean, variance);
}

typedef double distribution_function(const dlab_distribution *d, const dlab_pool *pool, double x);

/* The function at every value, outside the interpreter. */
static PyObject *map(record_call *call, PyArrayObject *x, distribution_function *f)
{
    dlab_py_away away = { 0 };
    PyArrayObject *result = (PyArrayObject *)PyArray_SimpleNew(PyArray_NDIM(x), PyArray_DIMS(x), NPY_DOUBLE);
    if (result == NULL) return NULL;
    const size_t count = (size_t)PyArray_SIZE(x);
    const double *in = dlab_py_doubles(x);
    double *out = (double *)PyArray_DATA(result);
    dlab_py_leave(&away);
    for (size_t i = 0; i < count && !dlab_py_poll(&away, i); i++)
        out[i] = f(&call->d, &call->pool.pool, in[i]);
    dlab_py_back(&away);
    if (away.raised) Py_CLEAR(result);
    return (PyObject *)result;
}

static PyObject *core_distribution_cdf(PyObject *module, PyObject *args)
{
    PyObject *record, *x_in, *pool = NULL, *result = NULL;
    record_call call;
    if (!PyArg_ParseTuple(args, "OO|O:distribution_cdf", &record, &x_in, &pool)) return NULL;
    PyArrayObject *x = dlab_py_any(x_in, NPY_DOUBLE);
    if (x != NULL && record_open(&call, module, record, pool) == 0) {
        result = map(&call, x, dlab_distribution_cdf);
        dlab_py_pool_close(&call.pool);
    }
    Py_XDECREF(x);
    return result;
}

static PyObject *core_distribution_quantile(PyObject *module, PyObject *args)
{
    PyObject *record, *p_in, *pool = NULL, *result = NULL;
    record_call call;
    if (!PyArg_ParseTuple(args, "OO|O:distribution_quantile", &record, &p_in, &pool)) return NULL;
    PyArrayObject *p = dlab_py_any(p_in, NPY_DOUBLE);
    for (npy_intp i = 0; p != NULL && i < PyArray_SIZE(p); i++) {
        if (dlab_py_doubles(p)[i] >= 0 && dlab_py_doubles(p)[i] <= 1) continue;
        PyErr_Format(PyExc_ValueError, "p[%zd] is outside [0, 1]", (Py_ssize_t)i);
        Py_CLEAR(p);
    }
    if (p != NULL && record_open(&call, module, record, pool) == 0) {
        result = map(&call, p, dlab_distribution_quantile);
        dlab_py_pool_close(&call.pool);
    }
    Py_XDECREF(p);
    return result;
}

static PyObject *sample(record_call *call, npy_intp n, uint64_t key)
{
    dlab_memory memory = { 0 };
    dlab_arena arena = { .memory = &memory };
    dlab_sampler sampler;
    dlab_error err = { 0 };
    dlab_py_away away = { 0 };
    dlab_rng rng;
    PyArrayObject *result = (PyArrayObject *)PyArray_SimpleNew(1, &n, NPY_DOUBLE);
    if (result == NULL) return NULL;
    if (dlab_sampler_init(&sampler, &call->d, &call->pool.pool, 0, &arena, &err) != DLAB_OK) {
        (void)dlab_py_raise(call->state, &err);
        Py_CLEAR(result);
    } else {
        double *out = (double *)PyArray_DATA(result);
        dlab_rng_open(&rng, key, DLAB_PURPOSE_SAMPLE, 0);
        dlab_py_leave(&away);
        for (npy_intp i = 0; i < n && !dlab_py_poll(&away, (size_t)i); i++)
            out[i] = dlab_sample(&sampler, &rng);
        dlab_py_back(&away);
        if (away.raised) Py_CLEAR(result);
    }
    dlab_arena_free(&arena);
    return (PyObject *)result;
}

static PyObject *core_distribution_sample(PyObject *module, PyObject *args)
{
    PyObject *record, *key_in, *pool = NULL;
    Py_ssize_t n;
    uint64_t key = 0;
    record_call call;
    if (!PyArg_ParseTuple(args, "OnO|O:distribution_sample", &record, &n, &key_in, &pool)) return NULL;
    if (dlab_py_u64(key_in, "key", &key) < 0) return NULL;
    if (n < 0) return PyErr_Format(PyExc_ValueError, "n = %zd must not be negative", n);
    if (record_open(&call, module, record, pool) < 0) return NULL;
    PyObject *result = sample(&call, n, key);
    dlab_py_pool_close(&call.pool);
    return result;
}

PyMethodDef dlab_py_distribution_methods[] = {
    { "parse_distribution", core_parse_distribution, METH_VARARGS,
      PyDoc_STR("parse_distribution(text, unit='s', /)\n--\n\n"
                "A distribution from text: (0-d record, mixture parts or None).") },
    { "format_distribution", core_format_distribution, METH_VARARGS,
      PyDoc_STR("format_distribution(record, pool=(), /)\n--\n\nThe text that parses back to this record.") },
    { "distribution_moments", core_distribution_moments, METH_VARARGS,
      PyDoc_STR("distribution_moments(record, pool=(), /)\n--\n\n(mean, variance).") },
    { "distribution_cdf", core_distribution_cdf, METH_VARARGS,
      PyDoc_STR("distribution_cdf(record, x, pool=(), /)\n--\n\nP(X <= x) for each x.") },
    { "distribution_quantile", core_distribution_quantile, METH_VARARGS,
      PyDoc_STR("distribution_quantile(record, p, pool=(), /)\n--\n\nThe least x with P(X <= x) >= p, for "
                "each p.") },
    { "distribution_sample", core_distribution_sample, METH_VARARGS,
      PyDoc_STR("distribution_sample(record, n, key, pool=(), /)\n--\n\n"
                "n draws from the stream of samples of this key.") },
    { NULL, NULL, 0, NULL },
};
