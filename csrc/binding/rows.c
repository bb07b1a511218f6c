/* Functions that go through rows of parameters: check, warnings, steps, theory.
 *
 * Each row is copied to memory of our own and checked there, so that neither another thread nor a row of
 * wild references can lead the model's functions astray. The loop runs outside the interpreter. */
#include "binding/binding.h"

#include <math.h>
#include <string.h>

#include "app/app.h"

typedef struct rows_call {
    dlab_py_state *state;
    const dlab_py_card *card;
    PyArrayObject *params;
    dlab_py_pool pool;
    dlab_py_away away;
    dlab_error err;
    size_t count;
    void *row; /* the copy */
    bool raised;
} rows_call;

/* What to do with a row that passed its check; nonzero ends the loop, with err or raised set. */
typedef int rows_visit(rows_call *call, size_t index, void *data);

static int rows_open(rows_call *call, PyObject *module, PyObject *args)
{
    const char *model;
    PyObject *params, *pool = NULL;
    *call = (rows_call){ .state = dlab_py_state_of(module) };
    if (!PyArg_ParseTuple(args, "sO|O", &model, &params, &pool)) return -1;
    call->card = dlab_py_card_of(call->state, model);
    if (call->card == NULL) return -1;
    call->params = dlab_py_structs(params, call->card->params_dtype, "params");
    if (call->params == NULL) return -1;
    call->count = (size_t)PyArray_SIZE(call->params);
    call->row = PyMem_Malloc(call->card->model->params_size);
    if (call->row == NULL) PyErr_NoMemory();
    if (call->row != NULL && dlab_py_pool_open(&call->pool, call->state, call->card, pool) == 0) return 0;
    PyMem_Free(call->row);
    Py_CLEAR(call->params);
    return -1;
}

static void rows_close(rows_call *call)
{
    dlab_py_pool_close(&call->pool);
    PyMem_Free(call->row);
    Py_CLEAR(call->params);
}

/* Zero, or -1 with an exception. */
static int rows_each(rows_call *call, rows_visit *visit, void *data)
{
    const dlab_model *model = call->card->model;
    const char *from = PyArray_DATA(call->params);
    size_t i = 0;
    dlab_py_leave(&call->away);
    for (; i < call->count && !dlab_py_poll(&call->away, i); i++) {
        memcpy(call->row, from + i * model->params_size, model->params_size);
        if (dlab_params_check(model, &call->card->params, call->row, &call->pool.pool, &call->err) != DLAB_OK)
            break;
        if (visit != NULL && visit(call, i, data) != 0) break;
    }
    dlab_py_back(&call->away);
    if (call->away.raised || call->raised) return -1;
    if (call->err.code == DLAB_OK) return 0;
    (void)dlab_py_raise_at(call->state, &call->err, call->count > 1 ? "point" : NULL, (Py_ssize_t)i);
    return -1;
}

static PyObject *core_check(PyObject *module, PyObject *args)
{
    rows_call call;
    if (rows_open(&call, module, args) < 0) return NULL;
    const int result = rows_each(&call, NULL, NULL);
    rows_close(&call);
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

/* Models warn seldom, so going back to the interpreter for each warning is cheap enough. */
static int visit_warn(rows_call *call, size_t index, void *first_rows)
{
    char text[DLAB_ERROR_TEXT] = "";
    const dlab_model *model = call->card->model;
    if (model->warn == NULL || !model->warn(call->row, &call->pool.pool, text, sizeof text)) return 0;
    PyEval_RestoreThread(call->away.thread);
    PyObject *sentence = dlab_py_text(text);
    PyObject *row = PyLong_FromSize_t(index);
    if (sentence == NULL || row == NULL || PyDict_SetDefault(first_rows, sentence, row) == NULL)
        call->raised = true;
    Py_XDECREF(sentence);
    Py_XDECREF(row);
    call->away.thread = PyEval_SaveThread();
    return call->raised ? -1 : 0;
}

static PyObject *core_warnings(PyObject *module, PyObject *args)
{
    rows_call call;
    PyObject *result = NULL;
    if (rows_open(&call, module, args) < 0) return NULL;
    PyObject *first_rows = PyDict_New(); /* keeps the order of the rows */
    if (first_rows != NULL && rows_each(&call, visit_warn, first_rows) == 0)
        result = PyDict_Items(first_rows);
    Py_XDECREF(first_rows);
    rows_close(&call);
    return result;
}

static int visit_steps(rows_call *call, size_t index, void *out)
{
    const dlab_model *model = call->card->model;
    ((double *)out)[index] = model->steps != NULL ? model->steps(call->row, &call->pool.pool) : NAN;
    return 0;
}

static PyObject *core_steps(PyObject *module, PyObject *args)
{
    rows_call call;
    if (rows_open(&call, module, args) < 0) return NULL;
    PyArrayObject *result =
        (PyArrayObject *)PyArray_SimpleNew(PyArray_NDIM(call.params), PyArray_DIMS(call.params), NPY_DOUBLE);
    if (result != NULL && rows_each(&call, visit_steps, PyArray_DATA(result)) < 0) Py_CLEAR(result);
    rows_close(&call);
    return (PyObject *)result;
}

/* What theory() needs for its rows: a context with memory, and a way to be stopped. */
typedef struct theory_call {
    dlab_ctx ctx;
    dlab_memory memory;
    dlab_host host;
    struct dlab_watch watch;
    atomic_int stop;
    atomic_size_t rows_done;
    double *out;
} theory_call;

static int visit_theory(rows_call *call, size_t index, void *data)
{
    theory_call *t = data;
    const dlab_model *model = call->card->model;
    double *values = t->out + index * (size_t)call->card->theory_count;
    for (int i = 0; i < call->card->theory_count; i++) values[i] = NAN;
    dlab_arena_reset(&t->ctx.arena);
    t->ctx.steps = 0;
    t->ctx.poll_at = DLAB_POLL_STEPS;
    const int code = model->theory(call->row, values, &t->ctx);
    if (code == DLAB_OK && t->ctx.err.code == DLAB_OK) return 0;
    call->err = t->ctx.err;
    return dlab_fail(&call->err, code != DLAB_OK ? code : DLAB_EBROKEN, "%s: theory failed", model->name);
}

static int theory_rows(rows_call *call, double *out)
{
    const dlab_model *model = call->card->model;
    if (call->card->theory_count == 0) return 0;
    theory_call *t = PyMem_Calloc(1, sizeof(theory_call));
    if (t == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    t->out = out;
    t->memory.budget = (size_t)1 << 30;
    t->host = (dlab_host){ dlab_py_poll, &call->away };
    t->watch = (struct dlab_watch){ .host = &t->host, .stop = &t->stop, .rows_done = &t->rows_done };
    t->ctx = (dlab_ctx){ .arena = { .memory = &t->memory },
                         .pool = &call->pool.pool,
                         .model = model,
                         .params = call->row,
                         .steps_max = UINT64_MAX,
                         .watch = &t->watch };
    const int result = rows_each(call, visit_theory, t);
    dlab_arena_free(&t->ctx.arena);
    PyMem_Free(t);
    return result;
}

static PyObject *core_theory(PyObject *module, PyObject *args)
{
    rows_call call;
    if (rows_open(&call, module, args) < 0) return NULL;
    const npy_intp dims[] = { (npy_intp)call.count, call.card->theory_count };
    PyArrayObject *result = (PyArrayObject *)PyArray_SimpleNew(2, dims, NPY_DOUBLE);
    if (result != NULL && theory_rows(&call, (double *)PyArray_DATA(result)) < 0) Py_CLEAR(result);
    rows_close(&call);
    return (PyObject *)result;
}

PyMethodDef dlab_py_rows_methods[] = {
    { "check", core_check, METH_VARARGS,
      PyDoc_STR("check(model, params, pool=(), /)\n--\n\n"
                "Every row: ranges and the model's own rules; the first bad one raises ('point 3: ...' if "
                "several).") },
    { "warnings", core_warnings, METH_VARARGS,
      PyDoc_STR("warnings(model, params, pool=(), /)\n--\n\n"
                "(sentence, first row) for each thing the model warns about.") },
    { "steps", core_steps, METH_VARARGS,
      PyDoc_STR("steps(model, params, pool=(), /)\n--\n\n"
                "About how many steps each row takes; NaN where the model does not say.") },
    { "theory", core_theory, METH_VARARGS,
      PyDoc_STR("theory(model, params, pool=(), /)\n--\n\n"
                "(rows, len(theory_columns)); NaN where no closed form holds.") },
    { NULL, NULL, 0, NULL },
};
