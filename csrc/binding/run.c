/* Sweeps: arrays of parameters and keys in, arrays of metrics, buckets and output rows out.
 *
 * What the core allocated is wrapped, not copied: the array owns a capsule, the capsule the buffer. */
#include "binding/binding.h"

#include <stdatomic.h>
#include <string.h>

static const char *const OWNED = "distlab._core.owned";
enum { THREADS_MAX = 4096 };

typedef struct owned {
    dlab_buffer buffer;
    dlab_memory memory;
} owned;

static void owned_release(PyObject *capsule)
{
    owned *o = PyCapsule_GetPointer(capsule, OWNED);
    dlab_buffer_free(&o->buffer, &o->memory);
    PyMem_Free(o);
}

/* Move the buffer out of the sweep into a capsule, giving back what it has too much. */
static PyObject *own(dlab_buffer *buffer)
{
    owned *o = PyMem_Calloc(1, sizeof(owned));
    if (o == NULL) return PyErr_NoMemory();
    PyObject *capsule = PyCapsule_New(o, OWNED, owned_release);
    if (capsule == NULL) {
        PyMem_Free(o);
        return NULL;
    }
    o->buffer = *buffer;
    o->memory.used = buffer->capacity * buffer->row_size;
    *buffer = (dlab_buffer){ .row_size = buffer->row_size };
    if (o->buffer.count < o->buffer.capacity) {
        char *less = dlab_memory_realloc(&o->memory, o->buffer.rows, o->buffer.capacity * o->buffer.row_size,
                                         o->buffer.count * o->buffer.row_size, NULL);
        if (less != NULL) {
            o->buffer.rows = less;
            o->buffer.capacity = o->buffer.count;
        }
    }
    return capsule;
}

/* A 1-D array over the rows of the buffer, which is empty afterwards. */
PyObject *dlab_py_array_of(dlab_buffer *buffer, PyArray_Descr *dtype)
{
    const npy_intp count = (npy_intp)buffer->count;
    Py_INCREF((PyObject *)dtype); /* both calls below take it */
    if (count == 0) return PyArray_Zeros(1, &count, dtype, 0);
    PyObject *capsule = own(buffer);
    if (capsule == NULL) {
        Py_DECREF((PyObject *)dtype);
        return NULL;
    }
    const owned *o = PyCapsule_GetPointer(capsule, OWNED);
    PyObject *array =
        PyArray_NewFromDescr(&PyArray_Type, dtype, 1, &count, NULL, o->buffer.rows, NPY_ARRAY_CARRAY, NULL);
    if (array == NULL) Py_DECREF(capsule);
    else if (PyArray_SetBaseObject((PyArrayObject *)array, capsule) < 0) /* takes the capsule either way */
        Py_CLEAR(array);
    return array;
}

static PyObject *u64_array(const uint64_t *values, npy_intp count)
{
    PyArrayObject *array = (PyArrayObject *)PyArray_SimpleNew(1, &count, NPY_UINT64);
    if (array != NULL) memcpy(PyArray_DATA(array), values, (size_t)count * sizeof(uint64_t));
    return (PyObject *)array;
}

static PyObject *outputs_of(dlab_sweep *sweep, const dlab_py_card *card)
{
    PyObject *dict = PyDict_New();
    for (int k = 0; dict != NULL && k < card->output_count; k++) {
        if ((sweep->wanted >> k & 1u) == 0) continue;
        dlab_kept *output = &sweep->outputs[k];
        PyObject *offsets = u64_array(output->offsets, (npy_intp)sweep->row_count + 1);
        PyObject *rows = offsets != NULL ? dlab_py_array_of(&output->rows, card->outputs[k]) : NULL;
        PyObject *pair = rows != NULL ? PyTuple_Pack(2, rows, offsets) : NULL;
        if (pair == NULL || PyDict_SetItemString(dict, card->model->outputs[k].name, pair) < 0)
            Py_CLEAR(dict);
        Py_XDECREF(offsets);
        Py_XDECREF(rows);
        Py_XDECREF(pair);
    }
    return dict;
}

static PyObject *failures_of(const dlab_sweep *sweep)
{
    const dlab_failure *failures = (const dlab_failure *)(const void *)sweep->failures.rows;
    PyObject *list = PyList_New((Py_ssize_t)sweep->failures.count);
    for (size_t i = 0; list != NULL && i < sweep->failures.count; i++) {
        PyObject *text = dlab_py_text(failures[i].error.text);
        PyObject *item = text == NULL ? NULL
                                      : Py_BuildValue("(KsN)", (unsigned long long)failures[i].row,
                                                      dlab_py_code_name(failures[i].error.code), text);
        if (item == NULL) Py_CLEAR(list);
        else PyList_SET_ITEM(list, (Py_ssize_t)i, item);
    }
    return list;
}

/* Everything one sweep needs from Python, alive until it ends. */
typedef struct sweep_call {
    dlab_py_state *state;
    const dlab_py_card *card;
    PyArrayObject *params, *keys, *metrics, *fingerprints;
    dlab_py_pool pool;
    dlab_py_away away;
    dlab_py_chooser chooser;
    dlab_sweep sweep;
    dlab_host host;
} sweep_call;

typedef struct sweep_args {
    const char *model;
    PyObject *params, *keys, *pool, *wanted, *threads, *steps_max, *memory_max, *keep_max, *token, *progress,
        *fail_at, *choices, *ask;
    int mask_errors, record;
} sweep_args;

static int sweep_parse(sweep_args *a, PyObject *args, PyObject *kwargs)
{
    char *names[] = { "model",     "params",     "keys",     "pool",        "wanted", "threads",
                      "steps_max", "memory_max", "keep_max", "mask_errors", "token",  "progress",
                      "fail_at",   "choices",    "record",   "ask",         NULL };
    return PyArg_ParseTupleAndKeywords(args, kwargs, "sOO|$OOOOOOpOOOOpO:sweep", names, &a->model, &a->params,
                                       &a->keys, &a->pool, &a->wanted, &a->threads, &a->steps_max,
                                       &a->memory_max, &a->keep_max, &a->mask_errors, &a->token, &a->progress,
                                       &a->fail_at, &a->choices, &a->record, &a->ask)
               ? 0
               : -1;
}

/* Names of output tables as a mask. */
static int wanted_of(sweep_call *call, PyObject *wanted)
{
    const dlab_model *model = call->card->model;
    const char *names[DLAB_TABLES_MAX];
    if (wanted == NULL) return 0;
    if (PyUnicode_Check(wanted)) {
        PyErr_SetString(PyExc_TypeError, "wanted must be a sequence of names, not one text");
        return -1;
    }
    PyObject *items = PySequence_Tuple(wanted);
    if (items == NULL) return -1;
    for (int k = 0; k < call->card->output_count; k++) names[k] = model->outputs[k].name;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items) && !PyErr_Occurred(); i++) {
        const char *name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(items, i));
        int k = 0;
        if (name == NULL) break;
        while (k < call->card->output_count && strcmp(names[k], name) != 0) k++;
        if (k < call->card->output_count) {
            call->sweep.wanted |= UINT32_C(1) << k;
            continue;
        }
        dlab_error err = { 0 };
        const char *near = dlab_nearest_name(name, names, call->card->output_count);
        (void)dlab_fail(&err, DLAB_ENAME, "%s has no output '%s'%s%s%s", model->name, name,
                        near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        (void)dlab_py_raise(call->state, &err);
    }
    Py_DECREF(items);
    return PyErr_Occurred() ? -1 : 0;
}

static int sweep_limits(sweep_call *call, const sweep_args *a)
{
    dlab_sweep *s = &call->sweep;
    uint64_t threads = 0, memory_max = 0, keep_max = 0;
    if (dlab_py_u64(a->threads, "threads", &threads) < 0 ||
        dlab_py_u64(a->steps_max, "steps_max", &s->steps_max) < 0 ||
        dlab_py_u64(a->memory_max, "memory_max", &memory_max) < 0 ||
        dlab_py_u64(a->keep_max, "keep_max", &keep_max) < 0 ||
        dlab_py_u64(a->fail_at, "fail_at", &s->fail_at) < 0)
        return -1;
    if (threads > THREADS_MAX) {
        PyErr_Format(PyExc_ValueError, "threads = %llu is outside [0, %d]", (unsigned long long)threads,
                     THREADS_MAX);
        return -1;
    }
    s->threads = (unsigned)threads;
    s->memory_max = (size_t)memory_max;
    s->keep_max = (size_t)keep_max;
    s->mask_errors = a->mask_errors != 0;
    s->memory.fail_at = s->fail_at;
    return 0;
}

int dlab_py_helpers(dlab_py_state *state, PyObject *token, PyObject *progress, dlab_token **out,
                    dlab_py_away *away)
{
    if (token != NULL && token != Py_None) {
        if (!Py_IS_TYPE(token, (PyTypeObject *)state->token)) {
            PyErr_Format(PyExc_TypeError, "token must be a distlab Token or None, not %R",
                         (PyObject *)Py_TYPE(token));
            return -1;
        }
        *out = dlab_py_token_of(token);
    }
    if (progress != NULL && progress != Py_None) {
        if (!PyCallable_Check(progress)) {
            PyErr_Format(PyExc_TypeError, "progress must be a function of (done, total) or None, not %R",
                         (PyObject *)Py_TYPE(progress));
            return -1;
        }
        away->progress = progress;
    }
    return 0;
}

static int sweep_arrays(sweep_call *call, const sweep_args *a)
{
    dlab_sweep *s = &call->sweep;
    call->params = dlab_py_structs(a->params, call->card->params_dtype, "params");
    if (call->params == NULL) return -1;
    call->keys = dlab_py_any(a->keys, NPY_UINT64);
    if (call->keys == NULL) return -1;
    const npy_intp points = PyArray_SIZE(call->params), rows = PyArray_SIZE(call->keys);
    if (rows != 0 && (points == 0 || rows % points != 0)) {
        PyErr_Format(PyExc_ValueError, "%zd keys cannot be shared out evenly among %zd rows of params",
                     (Py_ssize_t)rows, (Py_ssize_t)points);
        return -1;
    }
    Py_INCREF((PyObject *)call->card->metrics_dtype); /* the call takes it */
    call->metrics = (PyArrayObject *)PyArray_Zeros(1, &rows, call->card->metrics_dtype, 0);
    if (call->metrics == NULL) return -1;
    call->fingerprints = (PyArrayObject *)PyArray_ZEROS(1, &rows, NPY_UINT64, 0);
    if (call->fingerprints == NULL) return -1;
    s->fingerprints = (uint64_t *)PyArray_DATA(call->fingerprints);
    s->params = PyArray_DATA(call->params);
    s->keys = (const uint64_t *)PyArray_DATA(call->keys);
    s->metrics = PyArray_DATA(call->metrics);
    s->row_count = (size_t)rows;
    s->reps = rows == 0 ? 1 : (size_t)(rows / points);
    call->away.total = rows;
    return dlab_py_pool_open(&call->pool, call->state, call->card, a->pool);
}

static PyObject *sweep_result(sweep_call *call)
{
    PyObject *buckets = NULL, *outputs = NULL, *failures = NULL, *result = NULL;
    PyArray_Descr *u64 = PyArray_DescrFromType(NPY_UINT64);
    if (u64 != NULL) buckets = dlab_py_array_of(&call->sweep.buckets, u64);
    if (buckets != NULL) outputs = outputs_of(&call->sweep, call->card);
    if (outputs != NULL) failures = failures_of(&call->sweep);
    if (failures != NULL)
        result =
            Py_BuildValue("{s:O,s:O,s:O,s:O,s:O}", "metrics", call->metrics, "fingerprints",
                          call->fingerprints, "buckets", buckets, "outputs", outputs, "failures", failures);
    if (result != NULL && dlab_py_chooser_result(&call->chooser, &call->sweep, result) < 0) Py_CLEAR(result);
    Py_XDECREF((PyObject *)u64);
    Py_XDECREF(buckets);
    Py_XDECREF(outputs);
    Py_XDECREF(failures);
    return result;
}

static PyObject *sweep_run(sweep_call *call)
{
    dlab_error err = { 0 };
    call->sweep.model = call->card->model;
    call->sweep.pool = call->pool.pool;
    call->sweep.host = &call->host;
    call->host = (dlab_host){ dlab_py_poll, &call->away };
    if (call->sweep.token != NULL && atomic_load(&call->sweep.token->cancelled) != 0) {
        (void)dlab_fail(&err, DLAB_ESTOP, "%s: the token was cancelled before the sweep began",
                        call->card->model->name);
        return dlab_py_raise(call->state, &err);
    }
    dlab_py_leave(&call->away);
    const int code = dlab_sweep_run(&call->sweep, &err);
    dlab_py_back(&call->away);
    if (call->away.raised) return NULL; /* an exception says more than "stopped" */
    if (code != DLAB_OK && call->sweep.failed_row != SIZE_MAX)
        return dlab_py_raise_row(call->state, &err, call->sweep.failed_row);
    if (code != DLAB_OK) return dlab_py_raise(call->state, &err);
    if (dlab_py_report(&call->away, call->sweep.row_count) < 0) return NULL;
    return sweep_result(call);
}

static PyObject *core_sweep(PyObject *module, PyObject *args, PyObject *kwargs)
{
    sweep_args given = { 0 };
    PyObject *result = NULL;
    if (sweep_parse(&given, args, kwargs) < 0) return NULL;
    sweep_call *call = PyMem_Calloc(1, sizeof(sweep_call));
    if (call == NULL) return PyErr_NoMemory();
    call->state = dlab_py_state_of(module);
    call->card = dlab_py_card_of(call->state, given.model);
    if (call->card != NULL && wanted_of(call, given.wanted) == 0 && sweep_limits(call, &given) == 0 &&
        dlab_py_helpers(call->state, given.token, given.progress, &call->sweep.token, &call->away) == 0 &&
        dlab_py_chooser_open(&call->chooser, &call->sweep, &call->away, given.choices, given.record,
                             given.ask) == 0 &&
        sweep_arrays(call, &given) == 0)
        result = sweep_run(call);
    dlab_sweep_free(&call->sweep);
    dlab_py_pool_close(&call->pool);
    dlab_py_chooser_close(&call->chooser);
    Py_XDECREF(call->params);
    Py_XDECREF(call->keys);
    Py_XDECREF(call->metrics);
    Py_XDECREF(call->fingerprints);
    PyMem_Free(call);
    return result;
}

static PyObject *core_row_keys(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *seed_in, *first_point_in = NULL, *first_rep_in = NULL;
    Py_ssize_t points, reps;
    int crn;
    uint64_t seed = 0, first_point = 0, first_rep = 0;
    if (!PyArg_ParseTuple(args, "Onnp|OO:row_keys", &seed_in, &points, &reps, &crn, &first_point_in,
                          &first_rep_in))
        return NULL;
    if (dlab_py_u64(seed_in, "seed", &seed) < 0 ||
        dlab_py_u64(first_point_in, "first_point", &first_point) < 0 ||
        dlab_py_u64(first_rep_in, "first_rep", &first_rep) < 0)
        return NULL;
    if (points < 0 || reps < 0)
        return PyErr_Format(PyExc_ValueError, "points = %zd and reps = %zd must not be negative", points,
                            reps);
    const npy_intp dims[] = { points, reps };
    PyArrayObject *keys = (PyArrayObject *)PyArray_SimpleNew(2, dims, NPY_UINT64);
    if (keys == NULL) return NULL;
    uint64_t *out = (uint64_t *)PyArray_DATA(keys);
    for (npy_intp p = 0; p < points; p++) {
        const uint64_t point = crn ? DLAB_POINT_SHARED : first_point + (uint64_t)p;
        for (npy_intp r = 0; r < reps; r++) *out++ = dlab_row_key(seed, point, first_rep + (uint64_t)r);
    }
    return (PyObject *)keys;
}

static PyObject *core_cores(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromUnsignedLong(dlab_cores());
}

PyMethodDef dlab_py_run_methods[] = {
    { "row_keys", core_row_keys, METH_VARARGS,
      PyDoc_STR("row_keys(seed, points, reps, crn, first_point=0, first_rep=0, /)\n--\n\nKeys of shape "
                "(points, reps).") },
    { "sweep", (PyCFunction)(void (*)(void))core_sweep, METH_VARARGS | METH_KEYWORDS,
      PyDoc_STR(
          "sweep(model, params, keys, *, pool=(), wanted=(), threads=0, steps_max=0, memory_max=0, "
          "keep_max=0, mask_errors=False, token=None, progress=None, fail_at=0, choices=None, record=False, "
          "ask=None)\n--\n\n"
          "Run keys.size rows; row i takes params[i // reps] with reps = keys.size // params.size.\n"
          "One row may be decided by choices (uint64, replayed) or ask (a function of a list of texts), and\n"
          "recorded; then choices, skipped and incomplete are returned too.\n\n"
          "Returns metrics (1-D, metrics_dtype), fingerprints (uint64, one a row; 0: none), buckets "
          "(uint64),\n"
          "outputs {name: (rows, offsets)} and\n"
          "failures [(row, code name, text)]. GIL released; signals and progress(done, total) about\n"
          "every 50 ms, and progress once more when all rows are done.") },
    { "cores", core_cores, METH_NOARGS,
      PyDoc_STR("cores()\n--\n\nCores this process may use: affinity and cgroup quota, at least 1.") },
    { NULL, NULL, 0, NULL },
};
