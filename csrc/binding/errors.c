/* Errors of the core as Python exceptions, mapped in one place.
 *
 * The classes belong to the package (`distlab.Cancelled`), not to this module, because that is where people
 * catch and pickle them. A KeyError shows the repr of its argument; ours shows the sentence. */
#include "binding/binding.h"

#include <string.h>

static PyObject *unknown_name_str(PyObject *self)
{
    return ((PyTypeObject *)PyExc_BaseException)->tp_str(self);
}

static PyObject *make_unknown_name(PyObject *module)
{
    PyType_Slot slots[] = {
        { Py_tp_doc,
          DLAB_PY_SLOT("No model, field, column or table has this name; the text says which is near.") },
        { Py_tp_str, DLAB_PY_SLOT(unknown_name_str) },
        { 0, NULL },
    };
    PyType_Spec spec = {
        .name = "distlab.UnknownNameError",
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
        .slots = slots,
    };
    return PyType_FromModuleAndSpec(module, &spec, PyExc_KeyError);
}

int dlab_py_errors_init(PyObject *module, dlab_py_state *state)
{
    state->unknown_name = make_unknown_name(module);
    if (PyModule_AddObjectRef(module, "UnknownNameError", state->unknown_name) < 0) return -1;
    state->budget = PyErr_NewExceptionWithDoc("distlab.BudgetError",
                                              "A budget of steps, memory or capacity is exhausted.",
                                              PyExc_RuntimeError, NULL);
    if (PyModule_AddObjectRef(module, "BudgetError", state->budget) < 0) return -1;
    state->cancelled = PyErr_NewExceptionWithDoc("distlab.Cancelled", "The caller's token was cancelled.",
                                                 PyExc_RuntimeError, NULL);
    if (PyModule_AddObjectRef(module, "Cancelled", state->cancelled) < 0) return -1;
    state->broken = PyErr_NewExceptionWithDoc(
        "distlab.BrokenInvariantError", "An invariant of distlab itself does not hold; please report it.",
        PyExc_RuntimeError, NULL);
    return PyModule_AddObjectRef(module, "BrokenInvariantError", state->broken);
}

const char *dlab_py_code_name(int code)
{
    switch (code) {
#define X(name, text) \
    case name: return &#name[sizeof "DLAB_" - 1];
        DLAB_ERRORS(X)
#undef X
    default: return "UNKNOWN";
    }
}

PyObject *dlab_py_text(const char *text)
{
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

static PyObject *exception_for(const dlab_py_state *state, int code)
{
    switch (code) {
    case DLAB_ENOMEM: return PyExc_MemoryError;
    case DLAB_ERANGE: return PyExc_ValueError;
    case DLAB_EINVAL: return PyExc_ValueError;
    case DLAB_ETYPE: return PyExc_TypeError;
    case DLAB_ENAME: return state->unknown_name;
    case DLAB_ELIMIT: return state->budget;
    case DLAB_ESTOP: return state->cancelled;
    default: return state->broken;
    }
}

PyObject *dlab_py_raise_at(dlab_py_state *state, const dlab_error *err, const char *what, Py_ssize_t index)
{
    if (PyErr_Occurred()) return NULL; /* a KeyboardInterrupt, or what the progress function raised */
    PyObject *text = dlab_py_text(err->text[0] != '\0' ? err->text : dlab_error_meaning(err->code));
    if (text != NULL && what != NULL) {
        PyObject *longer = PyUnicode_FromFormat("%s %zd: %U", what, index, text);
        Py_SETREF(text, longer);
    }
    if (text == NULL) return NULL;
    PyErr_SetObject(exception_for(state, err->code), text);
    Py_DECREF(text);
    return NULL;
}

PyObject *dlab_py_raise_row(dlab_py_state *state, const dlab_error *err, size_t row)
{
    if (PyErr_Occurred()) return NULL;
    PyObject *type = exception_for(state, err->code), *text = dlab_py_text(err->text);
    PyObject *error = text != NULL ? PyObject_CallOneArg(type, text) : NULL;
    PyObject *number = error != NULL ? PyLong_FromSize_t(row) : NULL;
    if (number != NULL && PyObject_SetAttrString(error, "row", number) == 0) PyErr_SetObject(type, error);
    Py_XDECREF(number);
    Py_XDECREF(error);
    Py_XDECREF(text);
    return NULL;
}

PyObject *dlab_py_raise(dlab_py_state *state, const dlab_error *err)
{
    return dlab_py_raise_at(state, err, NULL, 0);
}
