/* Fault plans before any model takes them: what the columns of their table are, and whether a row is one. */
#include "binding/binding.h"

#include <string.h>

#include <distlab/core.h>

#include "sim/faults.h"

static PyObject *core_fault_table(PyObject *module, PyObject *Py_UNUSED(args))
{
    dlab_py_state *state = dlab_py_state_of(module);
    PyArray_Descr *dtype = dlab_py_dtype_of_table(state, &dlab_faults_table);
    if (dtype == NULL) return NULL;
    PyObject *table = dlab_py_describe_table(state, &dlab_faults_table, dtype);
    Py_DECREF((PyObject *)dtype);
    return table;
}

/* Each cell by itself, under the name that the caller knows it by, then the rules of its kind. */
static int check_row(const dlab_fault_row *row, PyObject *names, const dlab_pool *pool, dlab_error *err)
{
    for (const dlab_field *c = dlab_faults_table.columns; c->name != NULL; c++) {
        dlab_field cell = *c;
        PyObject *name = PyDict_GetItemString(names, c->name);
        if (name != NULL && (cell.name = PyUnicode_AsUTF8(name)) == NULL) return DLAB_EINVAL;
        if (dlab_field_check(&cell, row, pool, err)) return err->code;
    }
    return dlab_fault_check(row, DLAB_NODES_MAX, err);
}

static PyObject *core_fault_check(PyObject *module, PyObject *args)
{
    dlab_py_state *state = dlab_py_state_of(module);
    PyObject *row_in, *names, *pool_in = NULL;
    dlab_error err = { .code = DLAB_OK };
    dlab_py_pool pool;
    if (!PyArg_ParseTuple(args, "OO!|O:fault_check", &row_in, &PyDict_Type, &names, &pool_in)) return NULL;
    PyArray_Descr *dtype = dlab_py_dtype_of_table(state, &dlab_faults_table);
    PyArrayObject *array = dtype != NULL ? dlab_py_structs(row_in, dtype, "row") : NULL;
    Py_XDECREF((PyObject *)dtype);
    if (array == NULL) return NULL;
    if (PyArray_SIZE(array) != 1) {
        PyErr_Format(PyExc_ValueError, "row must be one fault, not %zd", (Py_ssize_t)PyArray_SIZE(array));
    } else if (dlab_py_pool_open(&pool, state, NULL, pool_in) == 0) {
        dlab_fault_row row;
        memcpy(&row, PyArray_DATA(array), sizeof row);
        if (check_row(&row, names, &pool.pool, &err) && !PyErr_Occurred()) (void)dlab_py_raise(state, &err);
        dlab_py_pool_close(&pool);
    }
    Py_DECREF(array);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

PyMethodDef dlab_py_plan_methods[] = {
    { "fault_table", core_fault_table, METH_NOARGS,
      PyDoc_STR("fault_table()\n--\n\nThe table of fault plans: name doc series columns dtype, as in a "
                "description of a model.") },
    { "fault_check", core_fault_check, METH_VARARGS,
      PyDoc_STR("fault_check(row, names, pool=(), /)\n--\n\n"
                "Refuse a fault that no model can take; names: {column: what the caller calls it}.") },
    { NULL, NULL, 0, NULL },
};
