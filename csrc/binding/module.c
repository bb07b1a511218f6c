/* The module: its state, its constants and its functions. The C core knows nothing of Python, this binding
 * nothing of any model, and neither has global state: two imports share nothing but code. */
#define DLAB_PY_MODULE
#include "binding/binding.h"

#include <distlab/version.h>

static int add_constants(PyObject *module)
{
    PyObject *names = PyTuple_New(DLAB_DIST_KINDS);
    for (int kind = 0; names != NULL && kind < DLAB_DIST_KINDS; kind++) {
        PyObject *name = PyUnicode_FromString(dlab_distribution_names[kind]);
        if (name == NULL) Py_CLEAR(names);
        else PyTuple_SET_ITEM(names, kind, name);
    }
    const int added = PyModule_AddObjectRef(module, "DISTRIBUTION_NAMES", names);
    Py_XDECREF(names);
    if (added < 0) return -1;
    PyObject *kinds = dlab_py_choice_kinds();
    const int named = PyModule_AddObjectRef(module, "CHOICE_KINDS", kinds);
    Py_XDECREF(kinds);
    if (named < 0) return -1;
    PyObject *longest = PyFloat_FromDouble((double)DLAB_TIME_MAX * 1e-9);
    const int result = PyModule_AddObjectRef(module, "REPR_TIME_MAX", longest);
    Py_XDECREF(longest);
    return result < 0 ? -1 : PyModule_AddStringConstant(module, "VERSION", DLAB_VERSION);
}

static int add_functions(PyObject *module)
{
    PyMethodDef *const all[] = {
        dlab_py_card_methods,      dlab_py_describe_methods,     dlab_py_text_methods,
        dlab_py_rows_methods,      dlab_py_run_methods,          dlab_py_columns_methods,
        dlab_py_series_methods,    dlab_py_distribution_methods, dlab_py_statistics_methods,
        dlab_py_trace_methods,     dlab_py_history_methods,      dlab_py_check_methods,
        dlab_py_enumerate_methods, dlab_py_plan_methods,
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (PyModule_AddFunctions(module, all[i]) < 0) return -1;
    return 0;
}

static int core_exec(PyObject *module)
{
    dlab_py_state *state = dlab_py_state_of(module);
    if (PyArray_ImportNumPyAPI() < 0) return -1;
    if ((state->cards = PyDict_New()) == NULL || (state->registered = PyList_New(0)) == NULL ||
        (state->retired = PyList_New(0)) == NULL)
        return -1;
    if (dlab_py_errors_init(module, state) < 0 || dlab_py_dtypes_init(module, state) < 0 ||
        dlab_py_token_init(module, state) < 0)
        return -1;
    return add_constants(module) < 0 ? -1 : add_functions(module);
}

static int core_traverse(PyObject *module, visitproc visit, void *arg)
{
    const dlab_py_state *state = dlab_py_state_of(module);
    Py_VISIT(state->unknown_name);
    Py_VISIT(state->budget);
    Py_VISIT(state->cancelled);
    Py_VISIT(state->broken);
    Py_VISIT(state->token);
    Py_VISIT(state->cards);
    Py_VISIT(state->registered);
    Py_VISIT(state->retired);
    return 0;
}

static int core_clear(PyObject *module)
{
    dlab_py_state *state = dlab_py_state_of(module);
    Py_CLEAR(state->unknown_name);
    Py_CLEAR(state->budget);
    Py_CLEAR(state->cancelled);
    Py_CLEAR(state->broken);
    Py_CLEAR(state->token);
    Py_CLEAR(state->cards);
    Py_CLEAR(state->registered);
    Py_CLEAR(state->retired);
    Py_CLEAR(state->distribution);
    Py_CLEAR(state->part);
    Py_CLEAR(state->ref);
    Py_CLEAR(state->ratio);
    Py_CLEAR(state->estimate);
    Py_CLEAR(state->histogram);
    Py_CLEAR(state->real);
    return 0;
}

static void core_free(void *module) { (void)core_clear(module); }

static PyModuleDef_Slot core_slots[] = {
    { Py_mod_exec, DLAB_PY_SLOT(core_exec) },
#ifdef Py_mod_multiple_interpreters /* as NumPy itself declares */
    { Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED },
#endif
    { 0, NULL },
};

static struct PyModuleDef core_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "distlab._core",
    .m_doc = "The C core as Python sees it: a few functions that know descriptors and never a model.",
    .m_size = sizeof(dlab_py_state),
    .m_slots = core_slots,
    .m_traverse = core_traverse,
    .m_clear = core_clear,
    .m_free = core_free,
};

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&core_module); }
