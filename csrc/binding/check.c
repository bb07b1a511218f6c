/* The checker as Python calls it: a history, a specification by name or as a function of the user's, budgets;
 * a verdict with its witness as plain numbers.
 *
 * The search runs without the GIL. It looks back about every 50 ms, for signals, a cancelled token and the
 * time that is left, and takes the GIL for each step of a user's specification; the core asks for every
 * (state, operation) once only. */
#include "binding/history.h"

#include <stdatomic.h>
#include <string.h>

#include <distlab/check.h>

typedef struct check_call {
    dlab_py_away away;
    const dlab_token *token;
    struct timespec start;
    double seconds; /* 0: no limit */
    bool expired, cancelled;
    PyObject *step, *describe;
    const bool *reads; /* by text: a function that never changes a state */
    dlab_user_specification user;
    dlab_check_options options;
    dlab_check_result result;
} check_call;

/* Is the time over, or the token cancelled? */
static bool over(check_call *c)
{
    struct timespec now;
    c->cancelled = c->token != NULL && atomic_load(&c->token->cancelled) != 0;
    if (c->seconds > 0 && clock_gettime(CLOCK_MONOTONIC, &now) == 0)
        c->expired =
            (double)(now.tv_sec - c->start.tv_sec) + 1e-9 * (double)(now.tv_nsec - c->start.tv_nsec) >=
            c->seconds;
    return c->cancelled || c->expired;
}

static bool poll(void *arg, uint64_t states)
{
    check_call *c = arg;
    return over(c) || dlab_py_poll(&c->away, (size_t)states);
}

static PyObject *value_of(dlab_value v)
{
    return Py_BuildValue("(LII)", (long long)v.number, (unsigned)v.count, (unsigned)v.kind);
}

static int user_step(void *self, const dlab_history *Py_UNUSED(history), const dlab_operation *op,
                     uint32_t state, uint32_t *next, dlab_error *err)
{
    check_call *c = self;
    if (c->away.raised) return -1;
    if (over(c)) { /* a step may take long: the core's own polls come too seldom */
        (void)dlab_fail(err, DLAB_ESTOP, "the check was stopped");
        return -1;
    }
    PyEval_RestoreThread(c->away.thread);
    PyObject *key = value_of(op->key), *argument = value_of(op->argument), *result = value_of(op->result);
    PyObject *answer = NULL;
    if (key != NULL && argument != NULL && result != NULL)
        answer = PyObject_CallFunction(c->step, "IIiOOO", (unsigned)state, (unsigned)op->f, (int)op->outcome,
                                       key, argument, result);
    const long id = answer != NULL ? PyLong_AsLong(answer) : -1;
    Py_XDECREF(key);
    Py_XDECREF(argument);
    Py_XDECREF(result);
    Py_XDECREF(answer);
    c->away.raised = PyErr_Occurred() != NULL;
    c->away.thread = PyEval_SaveThread();
    if (c->away.raised) {
        (void)dlab_fail(err, DLAB_EINVAL, "the specification's step raised an exception");
        return -1;
    }
    *next = id >= 0 ? (uint32_t)id : 0;
    return id >= 0 ? 1 : 0;
}

static bool user_reads(void *self, const dlab_history *history, const dlab_operation *op)
{
    const check_call *c = self;
    return op->f < history->texts.spans.count && c->reads[op->f];
}

static int user_describe(void *self, uint32_t state, char *text, size_t size)
{
    check_call *c = self;
    if (size > 0) text[0] = '\0';
    PyEval_RestoreThread(c->away.thread);
    PyObject *words = c->away.raised ? NULL : PyObject_CallFunction(c->describe, "I", (unsigned)state);
    const char *utf8 = words != NULL && PyUnicode_Check(words) ? PyUnicode_AsUTF8(words) : NULL;
    const int length = utf8 != NULL ? PyOS_snprintf(text, size, "%s", utf8) : 0;
    if (!c->away.raised) PyErr_Clear(); /* a picture of a state is no reason to lose a verdict */
    Py_XDECREF(words);
    c->away.thread = PyEval_SaveThread();
    return length;
}

static PyObject *indices(const uint32_t *values, size_t count)
{
    const npy_intp dims = (npy_intp)count;
    PyArrayObject *array = (PyArrayObject *)PyArray_SimpleNew(1, &dims, NPY_UINT32);
    if (array != NULL && count > 0) memcpy(PyArray_DATA(array), values, count * sizeof *values);
    return (PyObject *)array;
}

static PyObject *pending_of(const dlab_check_result *r)
{
    PyObject *list = PyList_New((Py_ssize_t)r->pending_count);
    for (uint32_t i = 0; list != NULL && i < r->pending_count; i++) {
        PyObject *text = dlab_py_text(r->pending[i].text);
        if (text == NULL) Py_CLEAR(list);
        else PyList_SET_ITEM(list, (Py_ssize_t)i, text);
    }
    return list;
}

static PyObject *result_of(const check_call *c)
{
    const dlab_check_result *r = &c->result;
    PyObject *valid = r->verdict == DLAB_VERDICT_YES  ? Py_True
                      : r->verdict == DLAB_VERDICT_NO ? Py_False
                                                      : Py_None;
    const char *reason = r->verdict != DLAB_VERDICT_UNKNOWN ? NULL : c->expired ? "seconds" : r->reason;
    PyObject *order = indices(r->order, r->order_count);
    PyObject *window = order != NULL ? indices(r->window_operations, r->window_count) : NULL;
    PyObject *shrunk = window != NULL ? indices(r->shrunk, r->shrunk_count) : NULL;
    PyObject *pending = shrunk != NULL ? pending_of(r) : NULL;
    PyObject *dict = NULL;
    if (pending != NULL)
        dict = Py_BuildValue("{sO sz sK sK sn sI sI sI sI sO sO sO sO}", "valid", valid, "reason", reason,
                             "states", (unsigned long long)r->states, "dead", (unsigned long long)r->dead,
                             "peak_bytes", (Py_ssize_t)r->peak_bytes, "entry_bytes", (unsigned)r->entry_bytes,
                             "objects", (unsigned)r->objects, "open", (unsigned)r->window, "stuck",
                             (unsigned)r->stuck, "order", order, "window", window, "shrunk", shrunk,
                             "pending", pending);
    Py_XDECREF(order);
    Py_XDECREF(window);
    Py_XDECREF(shrunk);
    Py_XDECREF(pending);
    return dict;
}

/* Words as places of the lists in check.h. */
#define X(code, ...) DLAB_WORD(__VA_ARGS__)
#define DLAB_WORD(name, ...) name,
static const char *const specifications[] = { DLAB_SPECIFICATIONS(X) };
static const char *const criteria[] = { DLAB_CRITERIA(X) };
static const char *const failures[] = { DLAB_FAIL_SEMANTICS(X) };
static const char *const bugs[] = { DLAB_CHECK_BUGS(X) };
#undef X
#define COUNT(words) ((int)(sizeof(words) / sizeof(words)[0]))

typedef struct check_args {
    PyObject *history, *initial, *token, *step, *describe, *reads;
    const char *specification, *criterion, *fail, *bug;
    unsigned long long states_max, memory_max;
    int explain, shrink, by_key;
    unsigned switched_off;
} check_args;

static int parse(check_args *a, check_call *c, PyObject *args, PyObject *kwargs)
{
    char *names[] = { "history", "spec",     "criterion", "fail",   "initial",      "states",
                      "memory",  "seconds",  "explain",   "shrink", "token",        "step",
                      "reads",   "describe", "by_key",    "bug",    "switched_off", NULL };

    *a = (check_args){
        .criterion = criteria[0], .fail = failures[0], .bug = bugs[0], .explain = 1, .shrink = 1
    };
    return PyArg_ParseTupleAndKeywords(args, kwargs, "Os|$ssOKKdppOOOOpsI:history_check", names, &a->history,
                                       &a->specification, &a->criterion, &a->fail, &a->initial,
                                       &a->states_max, &a->memory_max, &c->seconds, &a->explain, &a->shrink,
                                       &a->token, &a->step, &a->reads, &a->describe, &a->by_key, &a->bug,
                                       &a->switched_off)
               ? 0
               : -1;
}

static int choose(dlab_py_state *state, check_call *c, const check_args *a)
{
    dlab_check_options *o = &c->options;
    o->specification = dlab_py_choice(state, "spec", a->specification, specifications, COUNT(specifications));
    if (o->specification < 0) return -1;
    o->criterion = dlab_py_choice(state, "criterion", a->criterion, criteria, COUNT(criteria));
    if (o->criterion < 0) return -1;
    o->fail_semantics = dlab_py_choice(state, "fail", a->fail, failures, COUNT(failures));
    if (o->fail_semantics < 0) return -1;
    o->bug = dlab_py_choice(state, "bug", a->bug, bugs, COUNT(bugs));
    return o->bug < 0 ? -1 : 0;
}

/* The value every object starts with, as (number, count, kind); lists are made of texts and so refused. */
static int initial_of(const check_args *a, const dlab_history *h, dlab_value *out)
{
    long long number;
    unsigned count, kind;
    if (a->initial == NULL || a->initial == Py_None) return 0;
    if (!PyArg_ParseTuple(a->initial, "LII;initial is (number, count, kind)", &number, &count, &kind))
        return -1;
    *out = (dlab_value){ .number = number, .kind = kind };
    const bool text = kind == DLAB_VALUE_TEXT && number >= 0 && (uint64_t)number < h->texts.spans.count;
    if (count == 0 && (kind <= DLAB_VALUE_BOOL || text)) return 0;
    PyErr_SetString(PyExc_ValueError, "initial must be nil, an integer, a boolean or a text of the history");
    return -1;
}

/* The functions that only read, by text; NULL with an exception. */
static bool *reads_of(PyObject *ids, size_t texts)
{
    bool *reads = PyMem_Calloc(texts + 1, sizeof *reads);
    PyObject *items = ids != NULL && ids != Py_None ? PySequence_Tuple(ids) : PyTuple_New(0);
    if (reads == NULL) PyErr_NoMemory();
    for (Py_ssize_t i = 0; items != NULL && reads != NULL && i < PyTuple_GET_SIZE(items); i++) {
        const size_t id = PyLong_AsSize_t(PyTuple_GET_ITEM(items, i));
        if (PyErr_Occurred()) break;
        if (id < texts) reads[id] = true;
    }
    Py_XDECREF(items);
    if (!PyErr_Occurred()) return reads;
    PyMem_Free(reads);
    return NULL;
}

static int prepare(dlab_py_state *state, check_call *c, const check_args *a)
{
    dlab_check_options *o = &c->options;
    o->states_max = a->states_max;
    o->memory_max = (size_t)a->memory_max;
    o->order = o->explain = a->explain != 0;
    o->shrink = a->explain != 0 && a->shrink != 0;
    o->switched_off = a->switched_off;
    o->poll = poll;
    o->poll_arg = c;
    if (a->token != NULL && a->token != Py_None) {
        if (!Py_IS_TYPE(a->token, (PyTypeObject *)state->token)) {
            PyErr_Format(PyExc_TypeError, "token must be a distlab Token or None, not %R",
                         (PyObject *)Py_TYPE(a->token));
            return -1;
        }
        c->token = dlab_py_token_of(a->token);
    }
    if (o->specification != DLAB_SPECIFICATION_USER) return 0;
    if (a->step == NULL || !PyCallable_Check(a->step) || a->describe == NULL ||
        !PyCallable_Check(a->describe)) {
        PyErr_SetString(PyExc_TypeError, "spec 'user' needs the functions step and describe");
        return -1;
    }
    c->step = a->step;
    c->describe = a->describe;
    c->user = (dlab_user_specification){
        .self = c, .by_key = a->by_key != 0, .step = user_step, .reads = user_reads, .describe = user_describe
    };
    o->user = &c->user;
    return 0;
}

static PyObject *run(dlab_py_state *state, check_call *c, const dlab_history *history)
{
    dlab_memory memory = { 0 };
    dlab_error err = { 0 };
    PyObject *result = NULL;
    (void)clock_gettime(CLOCK_MONOTONIC, &c->start);
    dlab_py_leave(&c->away);
    int code = dlab_check_history(history, &c->options, &memory, &c->result, &err);
    dlab_py_back(&c->away);
    if (code == DLAB_ESTOP && (c->expired || c->cancelled)) {
        c->result = (dlab_check_result){ .verdict = DLAB_VERDICT_UNKNOWN, .stuck = UINT32_MAX };
        code = DLAB_OK;
    }
    if (!c->away.raised) {
        if (code != DLAB_OK) (void)dlab_py_raise(state, &err);
        else if (c->cancelled && c->result.verdict == DLAB_VERDICT_UNKNOWN) {
            (void)dlab_fail(&err, DLAB_ESTOP, "the check was cancelled");
            (void)dlab_py_raise(state, &err);
        } else result = result_of(c);
    }
    if (code == DLAB_OK) dlab_check_result_free(&c->result);
    return result;
}

static PyObject *core_history_check(PyObject *module, PyObject *args, PyObject *kwargs)
{
    dlab_py_state *state = dlab_py_state_of(module);
    check_args given;
    PyObject *result = NULL;
    check_call *c = PyMem_Calloc(1, sizeof *c);
    if (c == NULL) return PyErr_NoMemory();
    if (parse(&given, c, args, kwargs) == 0) {
        const dlab_py_history *h = dlab_py_history_of(given.history);
        bool *reads = h != NULL ? reads_of(given.reads, h->history.texts.spans.count) : NULL;
        c->reads = reads;
        if (reads != NULL && choose(state, c, &given) == 0 && prepare(state, c, &given) == 0 &&
            initial_of(&given, &h->history, &c->options.initial) == 0)
            result = run(state, c, &h->history);
        PyMem_Free(reads);
    }
    PyMem_Free(c);
    return result;
}

static PyObject *core_specifications(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
#define X(code, name, functions) name, functions,
    static const char *const words[] = { DLAB_SPECIFICATIONS(X) };
#undef X
    PyObject *dict = PyDict_New();
    for (int i = 0; dict != NULL && i < DLAB_SPECIFICATION_COUNT; i++) {
        PyObject *text = PyUnicode_FromString(words[2 * i + 1]);
        if (text == NULL || PyDict_SetItemString(dict, words[2 * i], text) < 0) Py_CLEAR(dict);
        Py_XDECREF(text);
    }
    return dict;
}

PyMethodDef dlab_py_check_methods[] = {
    { "history_check", (PyCFunction)(void (*)(void))core_history_check, METH_VARARGS | METH_KEYWORDS,
      PyDoc_STR(
          "history_check(history, spec, *, criterion='linearizability', fail='never', initial=None, "
          "states=0, memory=0, seconds=0, explain=True, shrink=True, token=None, step=None, reads=(), "
          "describe=None, "
          "by_key=False, bug='none', switched_off=0)\n--\n\n"
          "Is the history consistent? valid (True, False, None), reason, order, window, shrunk (places of\n"
          "operations), stuck, pending (texts of states), states, dead, peak_bytes, objects, open.\n"
          "GIL released; step(state, f, outcome, key, argument, result) gives the next state or -1.") },
    { "specifications", core_specifications, METH_NOARGS,
      PyDoc_STR("specifications()\n--\n\nNames of specifications and the functions each knows.") },
    { NULL, NULL, 0, NULL },
};
