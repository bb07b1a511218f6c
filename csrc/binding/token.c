/* A cancel token: one atomic flag that any thread may set while a sweep reads it. */
#include "binding/binding.h"

#include <stdatomic.h>

typedef struct token_object {
    PyObject_HEAD dlab_token token;
} token_object;

static PyObject *token_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_GET_SIZE(args) != 0 || (kwargs != NULL && PyDict_GET_SIZE(kwargs) != 0)) {
        PyErr_SetString(PyExc_TypeError, "Token() takes no arguments");
        return NULL;
    }
    token_object *self = (token_object *)type->tp_alloc(type, 0);
    if (self != NULL) atomic_init(&self->token.cancelled, 0);
    return (PyObject *)self;
}

static void token_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *token_cancel(PyObject *self, PyObject *Py_UNUSED(ignored))
{
    atomic_store(&((token_object *)self)->token.cancelled, 1);
    Py_RETURN_NONE;
}

static PyObject *token_cancelled(PyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(atomic_load(&((token_object *)self)->token.cancelled) != 0);
}

static PyObject *token_repr(PyObject *self)
{
    const int set = atomic_load(&((token_object *)self)->token.cancelled);
    return PyUnicode_FromFormat("<distlab token%s>", set ? ", cancelled" : "");
}

static PyMethodDef token_methods[] = {
    { "cancel", token_cancel, METH_NOARGS,
      PyDoc_STR(
          "cancel($self, /)\n--\n\nStop every sweep that holds this token, now and later; any thread may.") },
    { NULL, NULL, 0, NULL },
};

static PyGetSetDef token_properties[] = {
    { "cancelled", token_cancelled, NULL, PyDoc_STR("Was cancel() called?"), NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

int dlab_py_token_init(PyObject *module, dlab_py_state *state)
{
    PyType_Slot slots[] = {
        { Py_tp_doc,
          DLAB_PY_SLOT("Token()\n--\n\nA cancel token: any thread may cancel; the sweep that holds it stops "
                       "within 100 ms.") },
        { Py_tp_new, DLAB_PY_SLOT(token_new) },
        { Py_tp_dealloc, DLAB_PY_SLOT(token_dealloc) },
        { Py_tp_repr, DLAB_PY_SLOT(token_repr) },
        { Py_tp_methods, token_methods },
        { Py_tp_getset, token_properties },
        { 0, NULL },
    };
    PyType_Spec spec = {
        .name = "distlab._core.Token",
        .basicsize = sizeof(token_object),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };
    state->token = PyType_FromModuleAndSpec(module, &spec, NULL);
    return PyModule_AddObjectRef(module, "Token", state->token);
}

dlab_token *dlab_py_token_of(PyObject *token) { return &((token_object *)token)->token; }
