/* Histories: from text and from arrays into the core, and back.
 *
 * Arrays handed in are copied and checked before the core sees them: texts are interned again, lists must
 * lie inside the elements, nest only so deep and never hold themselves. */
#include "binding/history.h"

#include <stdlib.h>
#include <string.h>

#include <distlab/history_text.h>

static const char *const CAPSULE = "distlab._core.history";
enum { NESTING_MAX = 64, PARTS_MAX = 100000000 };

_Static_assert(sizeof(dlab_operation) == 88 && sizeof(dlab_history_event) == 64, "rows have no padding");

static void release(PyObject *capsule)
{
    dlab_py_history *h = PyCapsule_GetPointer(capsule, CAPSULE);
    dlab_buffer_free(&h->nemesis, &h->memory);
    dlab_history_close(&h->history);
    PyMem_Free(h);
}

dlab_py_history *dlab_py_history_of(PyObject *capsule)
{
    if (PyCapsule_IsValid(capsule, CAPSULE)) return PyCapsule_GetPointer(capsule, CAPSULE);
    PyErr_Format(PyExc_TypeError, "expected a history, not %R", (PyObject *)Py_TYPE(capsule));
    return NULL;
}

/* An empty history in a capsule; NULL with an exception. */
static PyObject *new_history(dlab_py_state *state, dlab_py_history **out)
{
    dlab_error err = { 0 };
    dlab_py_history *h = PyMem_Calloc(1, sizeof *h);
    if (h == NULL) return PyErr_NoMemory();
    h->nemesis.row_size = sizeof(dlab_history_event);
    if (dlab_history_open(&h->history, &h->memory, &err) != DLAB_OK) {
        PyMem_Free(h);
        return dlab_py_raise(state, &err);
    }
    PyObject *capsule = PyCapsule_New(h, CAPSULE, release);
    if (capsule == NULL) {
        dlab_history_close(&h->history);
        PyMem_Free(h);
    }
    *out = h;
    return capsule;
}

int dlab_py_choice(dlab_py_state *state, const char *what, const char *word, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], word) == 0) return i;
    dlab_error err = { 0 };
    const char *near = dlab_nearest_name(word, names, n);
    (void)dlab_fail(&err, DLAB_ENAME, "%s '%.60s' is not known%s%s%s", what, word,
                    near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    (void)dlab_py_raise(state, &err);
    return -1;
}

static const char *const notations[] = {
#define X(code, name) name,
    DLAB_NOTATIONS(X)
#undef X
};

static const char *const orders[] = {
#define X(code, name) name,
    DLAB_TEXT_ORDERS(X)
#undef X
};

enum { NOTATIONS = sizeof notations / sizeof notations[0], ORDERS = sizeof orders / sizeof orders[0] };

static bool poll(void *arg, uint64_t events) { return dlab_py_poll(arg, (size_t)events); }

static PyObject *core_history_read(PyObject *module, PyObject *args)
{
    dlab_py_state *state = dlab_py_state_of(module);
    Py_buffer data;
    const char *notation, *order;
    int independent;
    dlab_py_history *h;
    dlab_error err = { 0 };
    if (!PyArg_ParseTuple(args, "y*sps:history_read", &data, &notation, &independent, &order)) return NULL;
    dlab_history_source source = { .text = data.buf,
                                   .length = (size_t)data.len,
                                   .notation =
                                       dlab_py_choice(state, "notation", notation, notations, NOTATIONS),
                                   .independent = independent != 0,
                                   .poll = poll };
    if (source.notation >= 0) source.order = dlab_py_choice(state, "order", order, orders, ORDERS);
    const bool known = source.notation >= 0 && source.order >= 0;
    PyObject *capsule = known ? new_history(state, &h) : NULL;
    if (capsule != NULL) {
        dlab_py_away away = { .total = 0 };
        source.poll_arg = &away;
        dlab_py_leave(&away);
        const int code = dlab_history_read(&h->history, &source, &h->nemesis, &h->timed, &err);
        dlab_py_back(&away);
        if (away.raised || code != DLAB_OK) Py_CLEAR(capsule);
        if (!away.raised && code != DLAB_OK) (void)dlab_py_raise(state, &err);
    }
    PyBuffer_Release(&data);
    return capsule;
}

static PyObject *core_history_write(PyObject *module, PyObject *args)
{
    dlab_py_state *state = dlab_py_state_of(module);
    PyObject *capsule;
    const char *notation;
    int independent;
    dlab_error err = { 0 };
    if (!PyArg_ParseTuple(args, "Osp:history_write", &capsule, &notation, &independent)) return NULL;
    const dlab_py_history *h = dlab_py_history_of(capsule);
    if (h == NULL) return NULL;
    const dlab_history_style style = { .notation =
                                           dlab_py_choice(state, "notation", notation, notations, NOTATIONS),
                                       .independent = independent != 0,
                                       .timed = h->timed };
    if (style.notation < 0) return NULL;
    /* Memory of its own: several threads may write the same history. */
    dlab_memory memory = { 0 };
    dlab_history own = h->history;
    own.memory = &memory;
    dlab_buffer text = { .row_size = 1 };
    PyThreadState *thread = PyEval_SaveThread();
    const int code = dlab_history_write(&own, &h->nemesis, &style, &text, &err);
    PyEval_RestoreThread(thread);
    PyObject *bytes = code == DLAB_OK ? PyBytes_FromStringAndSize(text.rows, (Py_ssize_t)text.count)
                                      : dlab_py_raise(state, &err);
    dlab_buffer_free(&text, &memory);
    return bytes;
}

/* The dtypes of a value, an operation and an event, from the list NumPy takes. */
static PyArray_Descr *descr_of(PyObject *list)
{
    PyArray_Descr *descr = NULL;
    if (list != NULL) (void)PyArray_DescrConverter(list, &descr);
    Py_XDECREF(list);
    return descr;
}

static PyArray_Descr *value_descr(void)
{
    return descr_of(Py_BuildValue("[(ss)(ss)(ss)]", "number", "i8", "count", "u4", "kind", "u4"));
}

static PyArray_Descr *operation_descr(void)
{
    PyArray_Descr *v = value_descr();
    if (v == NULL) return NULL;
    PyObject *list = Py_BuildValue("[(ss)(ss)(ss)(sO)(sO)(sO)(ss)(ss)(ss)(ss)]", "process", "i8", "call",
                                   "i8", "ret", "i8", "key", v, "argument", v, "result", v, "f", "u4",
                                   "outcome", "i4", "called", "u4", "returned", "u4");
    Py_DECREF((PyObject *)v);
    return descr_of(list);
}

static PyArray_Descr *event_descr(void)
{
    PyArray_Descr *v = value_descr();
    if (v == NULL) return NULL;
    PyObject *list = Py_BuildValue("[(ss)(ss)(sO)(sO)(ss)(ss)(ss)]", "time", "i8", "process", "i8", "key", v,
                                   "value", v, "f", "u4", "type", "i4", "line", "i8");
    Py_DECREF((PyObject *)v);
    return descr_of(list);
}

/* A copy of rows as an array; takes the dtype. */
static PyObject *copy_of(const dlab_buffer *buffer, PyArray_Descr *descr)
{
    const npy_intp count = (npy_intp)buffer->count;
    if (descr == NULL) return NULL;
    PyArrayObject *array = (PyArrayObject *)PyArray_Zeros(1, &count, descr, 0);
    if (array != NULL && count > 0)
        memcpy(PyArray_DATA(array), buffer->rows, buffer->count * buffer->row_size);
    return (PyObject *)array;
}

static PyObject *texts_of(const dlab_history *h)
{
    const size_t count = h->texts.spans.count;
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t k = 0; list != NULL && k < count; k++) {
        size_t length;
        const char *text = dlab_history_text(h, (uint32_t)k, &length);
        PyObject *item = PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, "replace");
        if (item == NULL) Py_CLEAR(list);
        else PyList_SET_ITEM(list, (Py_ssize_t)k, item);
    }
    return list;
}

static PyObject *core_history_parts(PyObject *Py_UNUSED(module), PyObject *capsule)
{
    const dlab_py_history *h = dlab_py_history_of(capsule);
    if (h == NULL) return NULL;
    PyObject *operations = copy_of(&h->history.operations, operation_descr());
    PyObject *elements = operations != NULL ? copy_of(&h->history.elements, value_descr()) : NULL;
    PyObject *nemesis = elements != NULL ? copy_of(&h->nemesis, event_descr()) : NULL;
    PyObject *texts = nemesis != NULL ? texts_of(&h->history) : NULL;
    PyObject *parts = NULL;
    if (texts != NULL)
        parts = Py_BuildValue("{sOsOsOsOsOsI}", "operations", operations, "elements", elements, "nemesis",
                              nemesis, "texts", texts, "timed", h->timed ? Py_True : Py_False, "events",
                              (unsigned)h->history.events);
    Py_XDECREF(operations);
    Py_XDECREF(elements);
    Py_XDECREF(nemesis);
    Py_XDECREF(texts);
    return parts;
}

/* Arrays being made a history. */
typedef struct intake {
    dlab_py_history *h;
    const dlab_value *elements;
    size_t element_count, text_count;
    uint32_t *ids;   /* of each text, interned again */
    uint32_t *sizes; /* parts of each element, all levels; 0: not looked at, UINT32_MAX: being looked at */
    dlab_error err;
} intake;

static int check_value(intake *in, dlab_value *v, int depth, uint32_t *size);

static int check_elements(intake *in, const dlab_value *v, int depth, uint32_t *size)
{
    if (v->number < 0 || (uint64_t)v->number + v->count > in->element_count)
        return dlab_fail(&in->err, DLAB_ERANGE, "a list has elements %lld to %lld; there are %zu",
                         (long long)v->number, (long long)v->number + v->count, in->element_count);
    if (depth == NESTING_MAX)
        return dlab_fail(&in->err, DLAB_ELIMIT, "lists nest deeper than %d, or hold themselves", NESTING_MAX);
    uint64_t total = 1;
    for (uint32_t i = 0; i < v->count; i++) {
        const size_t at = (size_t)v->number + i;
        uint32_t part = in->sizes[at];
        if (part == UINT32_MAX) return dlab_fail(&in->err, DLAB_EINVAL, "element %zu holds itself", at);
        if (part == 0) {
            in->sizes[at] = UINT32_MAX;
            dlab_value inner = in->elements[at];
            const int code = check_value(in, &inner, depth + 1, &part);
            if (code != DLAB_OK) return code;
            in->sizes[at] = part;
        }
        total += part;
    }
    if (total > PARTS_MAX)
        return dlab_fail(&in->err, DLAB_ELIMIT, "a list has more than %d parts", PARTS_MAX);
    *size = (uint32_t)total;
    return DLAB_OK;
}

/* A value is one of the five kinds, and what it refers to is there; its text gets its new id. */
static int check_value(intake *in, dlab_value *v, int depth, uint32_t *size)
{
    *size = 1;
    switch (v->kind) {
    case DLAB_VALUE_NIL: *v = dlab_nil(); return DLAB_OK;
    case DLAB_VALUE_INT: *v = dlab_int(v->number); return DLAB_OK;
    case DLAB_VALUE_BOOL: *v = dlab_bool(v->number != 0); return DLAB_OK;
    case DLAB_VALUE_TEXT:
        if (v->number < 0 || (uint64_t)v->number >= in->text_count)
            return dlab_fail(&in->err, DLAB_ERANGE, "text %lld is none of the %zu there are",
                             (long long)v->number, in->text_count);
        *v = dlab_text(in->ids[v->number]);
        return DLAB_OK;
    case DLAB_VALUE_LIST: return check_elements(in, v, depth, size);
    default: return dlab_fail(&in->err, DLAB_ERANGE, "kind %u is outside [0, 4]", v->kind);
    }
}

static int intern_texts(intake *in, PyObject *texts)
{
    for (size_t k = 0; k < in->text_count; k++) {
        Py_ssize_t length;
        PyObject *item = PyList_GET_ITEM(texts, (Py_ssize_t)k);
        const char *text = PyUnicode_Check(item) ? PyUnicode_AsUTF8AndSize(item, &length) : NULL;
        if (text == NULL && !PyErr_Occurred())
            PyErr_Format(PyExc_TypeError, "texts[%zu] must be text, not %R", k, (PyObject *)Py_TYPE(item));
        if (text == NULL) return -1;
        if (dlab_history_intern(&in->h->history, text, (size_t)length, &in->ids[k], &in->err)) return -1;
    }
    return 0;
}

/* Every element of the table, with its text's new id. */
static int take_elements(intake *in)
{
    for (size_t k = 0; k < in->element_count; k++) {
        dlab_value v = in->elements[k];
        uint32_t size;
        int code = check_value(in, &v, 0, &size);
        if (code == DLAB_OK)
            code = dlab_buffer_push(&in->h->history.elements, &in->h->memory, &v, 1, &in->err);
        if (code != DLAB_OK) return code;
    }
    return DLAB_OK;
}

/* One end of an operation, in the order of places. */
typedef struct end {
    uint32_t place, operation, is_return;
} end;

static int by_place(const void *x, const void *y)
{
    const end *a = x, *b = y;
    if (a->place != b->place) return a->place < b->place ? -1 : 1;
    return a->is_return < b->is_return ? -1 : a->is_return > b->is_return;
}

static int add_events(intake *in, const dlab_operation *ops, size_t count)
{
    dlab_buffer ends = { .row_size = sizeof(end) };
    int code = DLAB_OK;
    for (size_t k = 0; k < count && code == DLAB_OK; k++) {
        const end e[] = { { ops[k].called, (uint32_t)k, 0 }, { ops[k].returned, (uint32_t)k, 1 } };
        code = dlab_buffer_push(&ends, &in->h->memory, e, ops[k].returned == DLAB_NO_EVENT ? 1 : 2, &in->err);
    }
    end *const all = (end *)(void *)ends.rows;
    if (ends.count > 1) qsort(all, ends.count, sizeof *all, by_place);
    for (size_t i = 0; i < ends.count && code == DLAB_OK; i++) {
        const dlab_operation *op = &ops[all[i].operation];
        dlab_history_event e = {
            .time = op->call, .process = op->process, .key = op->key, .value = op->argument, .f = op->f
        };
        if (all[i].is_return) {
            e.time = op->ret;
            e.value = op->result;
            e.type = op->outcome;
        }
        code = i > 0 && all[i].place == all[i - 1].place
                   ? dlab_fail(&in->err, DLAB_EINVAL, "two events have place %u; expected each once",
                               all[i].place)
                   : dlab_history_event_add(&in->h->history, &e, &in->err);
    }
    dlab_buffer_free(&ends, &in->h->memory);
    return code;
}

static int take_operations(intake *in, PyArrayObject *array, bool placed)
{
    const size_t count = (size_t)PyArray_SIZE(array);
    dlab_buffer copy = { .row_size = sizeof(dlab_operation) };
    int code = dlab_buffer_push(&copy, &in->h->memory, PyArray_DATA(array), count, &in->err);
    dlab_operation *const ops = (dlab_operation *)(void *)copy.rows;
    for (size_t k = 0; k < count && code == DLAB_OK; k++) {
        uint32_t size;
        dlab_value *const values[] = { &ops[k].key, &ops[k].argument, &ops[k].result };
        for (int i = 0; i < 3 && code == DLAB_OK; i++) code = check_value(in, values[i], 0, &size);
        if (code == DLAB_OK && ops[k].f >= in->text_count)
            code = dlab_fail(&in->err, DLAB_ERANGE, "operation %zu: function %u is none of the %zu texts",
                             k + 1, ops[k].f, in->text_count);
        if (code == DLAB_OK) ops[k].f = in->ids[ops[k].f];
        if (code == DLAB_OK && !placed) code = dlab_history_operation_add(&in->h->history, &ops[k], &in->err);
    }
    if (code == DLAB_OK && placed) code = add_events(in, ops, count);
    dlab_buffer_free(&copy, &in->h->memory);
    return code == DLAB_OK ? dlab_history_complete(&in->h->history, &in->err) : code;
}

/* The capsule, or NULL with an exception; the arrays are what the caller made of its arguments. */
static PyObject *take(dlab_py_state *state, PyArrayObject *operations, PyArrayObject *elements,
                      PyObject *texts, bool placed, bool timed)
{
    intake in = { .elements = PyArray_DATA(elements),
                  .element_count = (size_t)PyArray_SIZE(elements),
                  .text_count = (size_t)PyList_GET_SIZE(texts) };
    PyObject *capsule = new_history(state, &in.h);
    in.ids = PyMem_Calloc(in.text_count + 1, sizeof *in.ids);
    in.sizes = PyMem_Calloc(in.element_count + 1, sizeof *in.sizes);
    if (capsule != NULL && (in.ids == NULL || in.sizes == NULL)) {
        PyErr_NoMemory();
        Py_CLEAR(capsule);
    }
    if (capsule != NULL) {
        const bool good = intern_texts(&in, texts) == 0 && take_elements(&in) == DLAB_OK &&
                          take_operations(&in, operations, placed) == DLAB_OK;
        in.h->timed = timed;
        if (!good) {
            Py_CLEAR(capsule);
            (void)dlab_py_raise(state, &in.err);
        }
    }
    PyMem_Free(in.ids);
    PyMem_Free(in.sizes);
    return capsule;
}

static PyArrayObject *rows_of(PyObject *object, PyArray_Descr *descr, const char *what)
{
    if (descr == NULL) return NULL;
    PyArrayObject *array = dlab_py_structs(object, descr, what);
    Py_DECREF((PyObject *)descr);
    if (array != NULL && PyArray_NDIM(array) != 1) {
        PyErr_Format(PyExc_ValueError, "%s must have 1 dimension, not %d", what, PyArray_NDIM(array));
        Py_CLEAR(array);
    }
    /* Python may change what it handed in; what is checked must be what is used. */
    PyArrayObject *copy = array != NULL ? (PyArrayObject *)PyArray_NewCopy(array, NPY_CORDER) : NULL;
    Py_XDECREF((PyObject *)array);
    return copy;
}

static PyObject *core_history_open(PyObject *module, PyObject *args)
{
    PyObject *operations_in, *elements_in, *texts_in, *capsule = NULL;
    int placed, timed;
    if (!PyArg_ParseTuple(args, "OOOpp:history_open", &operations_in, &elements_in, &texts_in, &placed,
                          &timed))
        return NULL;
    PyArrayObject *operations = rows_of(operations_in, operation_descr(), "operations");
    PyArrayObject *elements = operations != NULL ? rows_of(elements_in, value_descr(), "elements") : NULL;
    PyObject *texts = elements != NULL ? PySequence_List(texts_in) : NULL;
    if (texts != NULL)
        capsule = take(dlab_py_state_of(module), operations, elements, texts, placed != 0, timed != 0);
    Py_XDECREF((PyObject *)operations);
    Py_XDECREF((PyObject *)elements);
    Py_XDECREF(texts);
    return capsule;
}

static const char *const generators[] = {
#define X(code, name) name,
    DLAB_GENERATORS(X)
#undef X
};

static PyObject *core_history_generate(PyObject *module, PyObject *args)
{
    dlab_py_state *state = dlab_py_state_of(module);
    const char *kind;
    unsigned long long seed;
    long long ops, clients, keys, values;
    dlab_generator g = { 0 };
    dlab_rng rng;
    dlab_py_history *h;
    uint64_t planted = 0;
    dlab_error err = { 0 };
    if (!PyArg_ParseTuple(args, "sKLLLLdddd:history_generate", &kind, &seed, &ops, &clients, &keys, &values,
                          &g.read_fraction, &g.crash_rate, &g.bug_rate, &g.think))
        return NULL;
    g.kind = dlab_py_choice(state, "kind", kind, generators, (int)(sizeof generators / sizeof generators[0]));
    g.ops = ops;
    g.clients = clients;
    g.keys = keys;
    g.values = values;
    PyObject *capsule = g.kind >= 0 ? new_history(state, &h) : NULL;
    if (capsule == NULL) return NULL;
    dlab_rng_open(&rng, seed, DLAB_PURPOSE_SAMPLE, 0);
    h->timed = true;
    PyThreadState *thread = PyEval_SaveThread();
    const int code = dlab_generate_history(&g, &rng, &h->history, &planted, &err);
    PyEval_RestoreThread(thread);
    if (code == DLAB_OK) return Py_BuildValue("(NK)", capsule, (unsigned long long)planted);
    Py_DECREF(capsule);
    return dlab_py_raise(state, &err);
}

PyMethodDef dlab_py_history_methods[] = {
    { "history_read", core_history_read, METH_VARARGS,
      PyDoc_STR("history_read(data, notation, independent, order, /)\n--\n\n"
                "A history from bytes of text; GIL released. Errors name the line and what was expected.") },
    { "history_write", core_history_write, METH_VARARGS,
      PyDoc_STR("history_write(history, notation, independent, /)\n--\n\nA history as bytes of text.") },
    { "history_parts", core_history_parts, METH_O,
      PyDoc_STR("history_parts(history, /)\n--\n\n"
                "Copies of its tables: operations, elements, nemesis (events), texts; timed; events.") },
    { "history_open", core_history_open, METH_VARARGS,
      PyDoc_STR(
          "history_open(operations, elements, texts, placed, timed, /)\n--\n\n"
          "A history from tables as history_parts gives them; unless placed, order comes from times.") },
    { "history_generate", core_history_generate, METH_VARARGS,
      PyDoc_STR(
          "history_generate(kind, seed, ops, clients, keys, values, read_fraction, crash_rate, bug_rate, "
          "think, /)\n--\n\nA made-up history and the number of defects planted in it.") },
    { NULL, NULL, 0, NULL },
};
