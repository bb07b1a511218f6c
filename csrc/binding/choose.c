/* Who decides in the one run of a sweep: a list that is replayed, a person who is asked, or nobody, and what
 * was chosen written down.
 *
 * A person is a Python function that is called in the middle of the run, on the thread that started it: the
 * interpreter is entered for each question and left again. What it raises ends the run: nobody is asked any
 * more, the next poll stops it, and the exception is what the caller sees. */
#include "binding/binding.h"

#include <stdio.h>
#include <string.h>

static const char *const kinds[] = { "none",
#define X(name, text) text,
                                     DLAB_CHOICE_KINDS(X)
#undef X
};
enum { KINDS = sizeof kinds / sizeof kinds[0], TEXT = 256 };

PyObject *dlab_py_choice_kinds(void)
{
    PyObject *names = PyTuple_New(KINDS);
    for (int k = 0; names != NULL && k < KINDS; k++) {
        PyObject *name = PyUnicode_FromString(kinds[k]);
        if (name == NULL) Py_CLEAR(names);
        else PyTuple_SET_ITEM(names, k, name);
    }
    return names;
}

/* In words: a coin by its two sides, and options whose driver has no words for them. */
static void describe_plainly(dlab_choice choice, char *text, size_t size)
{
    const unsigned kind = dlab_choice_kind(choice);
    const unsigned long long what = dlab_choice_what(choice);
    if (kind == DLAB_CHOICE_COIN)
        (void)snprintf(text, size, "coin %llu about %llx: %s", what >> 48,
                       (what & UINT64_C(0xffffffffffff)) >> 1, (what & 1) != 0 ? "loud" : "quiet");
    else if (kind < KINDS) (void)snprintf(text, size, "%s %llx", kinds[kind], what);
    else (void)snprintf(text, size, "%u %llx", kind, what);
}

static PyObject *texts_of(const dlab_chooser *c, const dlab_choice *options, const double *odds, uint32_t n)
{
    PyObject *list = PyList_New((Py_ssize_t)n);
    for (uint32_t k = 0; list != NULL && k < n; k++) {
        char text[TEXT] = "", more[TEXT + 32];
        if (c->describe != NULL) c->describe(c->describe_arg, options[k], text, sizeof text);
        if (text[0] == '\0') describe_plainly(options[k], text, sizeof text);
        if (odds != NULL) (void)snprintf(more, sizeof more, "%s (probability %.4g)", text, odds[k]);
        PyObject *item = dlab_py_text(odds != NULL ? more : text);
        if (item == NULL) Py_CLEAR(list);
        else PyList_SET_ITEM(list, (Py_ssize_t)k, item);
    }
    return list;
}

/* The index answered; -1: the run ends, by None or with an exception. */
static int answer_of(PyObject *answer, uint32_t n)
{
    if (answer == NULL || answer == Py_None) return -1;
    PyObject *index = PyNumber_Index(answer);
    int overflow = 0;
    const long k = index != NULL ? PyLong_AsLongAndOverflow(index, &overflow) : -1;
    Py_XDECREF(index);
    if (index == NULL && !PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
    PyErr_Clear();
    if (index != NULL && overflow == 0 && k >= 0 && k < (long)n) return (int)k;
    PyErr_Format(index == NULL ? PyExc_TypeError : PyExc_ValueError,
                 "ask must return an index from 0 to %u, or None to end the run, not %R", n - 1, answer);
    return -1;
}

static int ask_person(dlab_chooser *base, const dlab_choice *options, const double *odds, uint32_t n)
{
    dlab_py_chooser *c = (dlab_py_chooser *)(void *)base;
    if (c->away->raised) return -1;
    PyEval_RestoreThread(c->away->thread);
    PyObject *texts = texts_of(base, options, odds, n);
    PyObject *answer = texts != NULL ? PyObject_CallOneArg(c->ask, texts) : NULL;
    const int k = answer_of(answer, n);
    Py_XDECREF(texts);
    Py_XDECREF(answer);
    c->away->raised = PyErr_Occurred() != NULL || PyErr_CheckSignals() < 0;
    c->away->thread = PyEval_SaveThread();
    return c->away->raised ? -1 : k;
}

int dlab_py_chooser_open(dlab_py_chooser *c, dlab_sweep *sweep, dlab_py_away *away, PyObject *choices,
                         int record, PyObject *ask)
{
    const bool listed = choices != NULL && choices != Py_None, asked = ask != NULL && ask != Py_None;
    c->away = away;
    c->record.memory = &c->memory;
    if (listed && asked) {
        PyErr_SetString(PyExc_TypeError, "choices and ask exclude each other: either a list decides or a "
                                         "person does");
        return -1;
    }
    if (listed) {
        c->list = dlab_py_copied(choices, NPY_UINT64, "choices");
        if (c->list == NULL) return -1;
        dlab_replay_open(&c->replay, (const dlab_choice *)PyArray_DATA(c->list),
                         (size_t)PyArray_SIZE(c->list));
        sweep->chooser = &c->replay.base;
    }
    if (asked) {
        if (!PyCallable_Check(ask)) {
            PyErr_Format(PyExc_TypeError, "ask must be a function of a list of texts or None, not %R",
                         (PyObject *)Py_TYPE(ask));
            return -1;
        }
        c->ask = ask;
        c->person = (dlab_chooser){ .pick = ask_person, .names_events = true };
        sweep->chooser = &c->person;
    }
    if (record != 0) sweep->record = &c->record;
    return 0;
}

int dlab_py_chooser_result(dlab_py_chooser *c, const dlab_sweep *sweep, PyObject *result)
{
    if (sweep->chooser == NULL && sweep->record == NULL) return 0;
    /* What was not even reached was passed over too. */
    const size_t skipped = c->replay.skipped + (c->replay.count - c->replay.next);
    const npy_intp count = (npy_intp)c->record.list.count;
    PyObject *list = PyArray_SimpleNew(1, &count, NPY_UINT64);
    if (list != NULL && count > 0)
        memcpy(PyArray_DATA((PyArrayObject *)list), c->record.list.rows, (size_t)count * sizeof(dlab_choice));
    PyObject *three = list != NULL
                          ? Py_BuildValue("{s:N,s:n,s:O}", "choices", list, "skipped", (Py_ssize_t)skipped,
                                          "incomplete", c->record.incomplete ? Py_True : Py_False)
                          : NULL;
    const int code = three != NULL ? PyDict_Update(result, three) : -1;
    Py_XDECREF(three);
    return code;
}

void dlab_py_chooser_close(dlab_py_chooser *c)
{
    if (c->record.memory != NULL) dlab_choices_free(&c->record);
    Py_XDECREF(c->list);
}
