/* Every way the coins of a run can fall, for Python. */
#include "binding/binding.h"

#include <distlab/enumerate.h>

#include <string.h>

typedef struct enumerate_args {
    const char *model;
    PyObject *params, *key, *pool, *runs_max, *steps_max, *memory_max, *keep_max, *token, *progress, *fail_at;
} enumerate_args;

typedef struct enumerate_call {
    dlab_py_state *state;
    const dlab_py_card *card;
    PyArrayObject *params;
    dlab_py_pool pool;
    dlab_py_away away;
    dlab_host host;
    dlab_enumeration walk;
} enumerate_call;

static int enumerate_limits(enumerate_call *call, const enumerate_args *a)
{
    dlab_enumeration *e = &call->walk;
    uint64_t memory_max = 0, keep_max = 0;
    if (dlab_py_u64(a->key, "key", &e->key) < 0 || dlab_py_u64(a->runs_max, "runs_max", &e->runs_max) < 0 ||
        dlab_py_u64(a->steps_max, "steps_max", &e->steps_max) < 0 ||
        dlab_py_u64(a->memory_max, "memory_max", &memory_max) < 0 ||
        dlab_py_u64(a->keep_max, "keep_max", &keep_max) < 0 ||
        dlab_py_u64(a->fail_at, "fail_at", &e->fail_at) < 0)
        return -1;
    e->memory_max = (size_t)memory_max;
    e->keep_max = (size_t)keep_max;
    return dlab_py_helpers(call->state, a->token, a->progress, &e->token, &call->away);
}

static int enumerate_open(enumerate_call *call, const enumerate_args *a)
{
    if (enumerate_limits(call, a) < 0) return -1;
    call->params = dlab_py_structs(a->params, call->card->params_dtype, "params");
    if (call->params == NULL) return -1;
    if (PyArray_SIZE(call->params) != 1) {
        PyErr_Format(PyExc_ValueError, "params must be one row, not %zd",
                     (Py_ssize_t)PyArray_SIZE(call->params));
        return -1;
    }
    if (dlab_py_pool_open(&call->pool, call->state, call->card, a->pool) < 0) return -1;
    call->walk.model = call->card->model;
    call->walk.params = PyArray_DATA(call->params);
    call->walk.pool = call->pool.pool;
    call->walk.host = &call->host;
    call->host = (dlab_host){ dlab_py_poll, &call->away };
    return 0;
}

/* The buffer as an array under this name; -1 with an exception. */
static int put(PyObject *dict, const char *name, dlab_buffer *buffer, PyArray_Descr *dtype)
{
    PyObject *array = dtype != NULL ? dlab_py_array_of(buffer, dtype) : NULL;
    const int code = array != NULL ? PyDict_SetItemString(dict, name, array) : -1;
    Py_XDECREF(array);
    return code;
}

static PyObject *enumerate_result(enumerate_call *call)
{
    dlab_enumeration *e = &call->walk;
    PyArray_Descr *u64 = PyArray_DescrFromType(NPY_UINT64), *real = PyArray_DescrFromType(NPY_DOUBLE);
    PyObject *dict = PyDict_New();
    if (dict != NULL &&
        (put(dict, "metrics", &e->metrics, call->card->metrics_dtype) < 0 ||
         put(dict, "weights", &e->weights, real) < 0 ||
         put(dict, "fingerprints", &e->fingerprints, u64) < 0 || put(dict, "buckets", &e->buckets, u64) < 0 ||
         put(dict, "choices", &e->choices.list, u64) < 0 || put(dict, "offsets", &e->offsets, u64) < 0))
        Py_CLEAR(dict);
    Py_XDECREF((PyObject *)u64);
    Py_XDECREF((PyObject *)real);
    return dict;
}

static PyObject *enumerate_run(enumerate_call *call)
{
    dlab_error err = { 0 };
    dlab_py_leave(&call->away);
    const int code = dlab_enumerate(&call->walk, &err);
    dlab_py_back(&call->away);
    if (call->away.raised) return NULL; /* an exception says more than "stopped" */
    return code != DLAB_OK ? dlab_py_raise(call->state, &err) : enumerate_result(call);
}

static PyObject *core_enumerate(PyObject *module, PyObject *args, PyObject *kwargs)
{
    char *names[] = { "model",      "params",   "key",   "pool",     "runs_max", "steps_max",
                      "memory_max", "keep_max", "token", "progress", "fail_at",  NULL };
    enumerate_args a = { 0 };
    PyObject *result = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "sOO|$OOOOOOOO:enumerate", names, &a.model, &a.params,
                                     &a.key, &a.pool, &a.runs_max, &a.steps_max, &a.memory_max, &a.keep_max,
                                     &a.token, &a.progress, &a.fail_at))
        return NULL;
    enumerate_call *call = PyMem_Calloc(1, sizeof(enumerate_call));
    if (call == NULL) return PyErr_NoMemory();
    call->state = dlab_py_state_of(module);
    call->card = dlab_py_card_of(call->state, a.model);
    if (call->card != NULL && enumerate_open(call, &a) == 0) result = enumerate_run(call);
    dlab_enumeration_free(&call->walk);
    dlab_py_pool_close(&call->pool);
    Py_XDECREF(call->params);
    PyMem_Free(call);
    return result;
}

PyMethodDef dlab_py_enumerate_methods[] = {
    { "enumerate", (PyCFunction)(void (*)(void))core_enumerate, METH_VARARGS | METH_KEYWORDS,
      PyDoc_STR(
          "enumerate(model, params, key, *, pool=(), runs_max=0, steps_max=0, memory_max=0, keep_max=0, "
          "token=None, progress=None, fail_at=0)\n--\n\n"
          "Run one row of params once for every way its coins can fall.\n\n"
          "Returns metrics, weights (float64, sum 1), fingerprints, buckets, and choices (uint64 of all "
          "runs,\nrun i has offsets[i]:offsets[i + 1]).") },
    { NULL, NULL, 0, NULL },
};
