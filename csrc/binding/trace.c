/* Traces that went through Python: lines of text and vector clocks of rows of the output table "trace".
 *
 * Rows are read into records once, with the GIL held, and every number is checked on the way: the rest works
 * on memory that Python cannot change. */
#include "binding/binding.h"

#include <distlab/trace.h>

enum { LINE = 256 };

typedef struct records {
    dlab_record *at;
    size_t count;
} records;

static int convert(dlab_py_state *state, PyArrayObject *array, records *out)
{
    const dlab_trace_row *rows = PyArray_DATA(array);
    out->count = (size_t)PyArray_SIZE(array);
    out->at = PyMem_Malloc((out->count + 1) * sizeof(dlab_record));
    if (out->at == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t k = 0; k < out->count; k++) {
        dlab_error err = { 0 };
        if (dlab_record_from_row(&rows[k], &out->at[k], &err) == DLAB_OK) continue;
        (void)dlab_py_raise_at(state, &err, "row", (Py_ssize_t)k);
        PyMem_Free(out->at);
        return -1;
    }
    return 0;
}

/* 0 or -1 with an exception; then nothing is to be freed. */
static int records_open(dlab_py_state *state, PyObject *object, records *out)
{
    static const dlab_table table = DLAB_TRACE_TABLE;
    int result = -1;
    PyArray_Descr *dtype = dlab_py_dtype_of_table(state, &table);
    PyArrayObject *array = dtype != NULL ? dlab_py_structs(object, dtype, "rows") : NULL;
    if (array != NULL && PyArray_NDIM(array) != 1)
        PyErr_Format(PyExc_ValueError, "rows must have 1 dimension, not %d", PyArray_NDIM(array));
    else if (array != NULL) result = convert(state, array, out);
    Py_XDECREF((PyObject *)array);
    Py_XDECREF((PyObject *)dtype);
    return result;
}

static PyObject *line_of(const dlab_trace_schema *schema, const uint16_t *roles, uint32_t nodes,
                         const dlab_record *record)
{
    char text[LINE];
    const int length = dlab_record_format(schema, roles, nodes, record, text, sizeof text);
    if (length < LINE) return dlab_py_text(text);
    const size_t size = (size_t)length + 1;
    char *longer = PyMem_Malloc(size);
    if (longer == NULL) return PyErr_NoMemory();
    (void)dlab_record_format(schema, roles, nodes, record, longer, size);
    PyObject *line = dlab_py_text(longer);
    PyMem_Free(longer);
    return line;
}

static PyObject *lines_of(const dlab_trace_schema *schema, const records *r)
{
    uint32_t nodes = 0;
    for (size_t k = 0; k < r->count; k++)
        if (r->at[k].node != DLAB_NO_NODE && r->at[k].node >= nodes) nodes = r->at[k].node + 1u;
    uint16_t *roles = PyMem_Malloc((nodes + 1) * sizeof *roles);
    if (roles == NULL) return PyErr_NoMemory();
    dlab_trace_roles(r->at, r->count, roles, nodes);
    PyObject *list = PyList_New((Py_ssize_t)r->count);
    for (size_t k = 0; list != NULL && k < r->count; k++) {
        PyObject *line = line_of(schema, roles, nodes, &r->at[k]);
        if (line == NULL) Py_CLEAR(list);
        else PyList_SET_ITEM(list, (Py_ssize_t)k, line);
    }
    PyMem_Free(roles);
    return list;
}

static PyObject *core_trace_lines(PyObject *module, PyObject *args)
{
    dlab_py_state *state = dlab_py_state_of(module);
    const char *name;
    PyObject *object;
    records r;
    if (!PyArg_ParseTuple(args, "sO:trace_lines", &name, &object)) return NULL;
    const dlab_py_card *card = dlab_py_card_of(state, name);
    if (card == NULL) return NULL;
    if (card->model->trace == NULL) return PyErr_Format(PyExc_ValueError, "%s has no trace", name);
    if (records_open(state, object, &r) < 0) return NULL;
    PyObject *list = lines_of(card->model->trace, &r);
    PyMem_Free(r.at);
    return list;
}

/* Too many numbers are refused by the core before it looks at the array, which is not made then. */
static PyObject *clocks_of(dlab_py_state *state, const records *r, uint32_t nodes)
{
    const npy_intp dims[] = { (npy_intp)r->count, (npy_intp)nodes };
    const bool fits = nodes == 0 || r->count <= (size_t)DLAB_CLOCKS_MAX / nodes;
    PyArrayObject *array = fits ? (PyArrayObject *)PyArray_SimpleNew(2, dims, NPY_UINT32) : NULL;
    if (fits && array == NULL) return NULL;
    uint32_t *clocks = array != NULL ? PyArray_DATA(array) : NULL;
    dlab_memory memory = { 0 };
    dlab_error err = { 0 };
    PyThreadState *thread = PyEval_SaveThread();
    const int code = dlab_trace_clocks(r->at, r->count, nodes, clocks, &memory, &err);
    PyEval_RestoreThread(thread);
    if (code == DLAB_OK) return (PyObject *)array;
    Py_XDECREF((PyObject *)array);
    return dlab_py_raise(state, &err);
}

static PyObject *core_trace_clocks(PyObject *module, PyObject *args)
{
    dlab_py_state *state = dlab_py_state_of(module);
    PyObject *object, *nodes_in;
    uint64_t nodes = 0;
    records r;
    if (!PyArg_ParseTuple(args, "OO:trace_clocks", &object, &nodes_in)) return NULL;
    if (dlab_py_u64(nodes_in, "nodes", &nodes) < 0) return NULL;
    if (nodes > DLAB_NO_NODE)
        return PyErr_Format(PyExc_ValueError, "nodes = %llu is outside [0, %d]", (unsigned long long)nodes,
                            DLAB_NO_NODE);
    if (records_open(state, object, &r) < 0) return NULL;
    PyObject *clocks = clocks_of(state, &r, (uint32_t)nodes);
    PyMem_Free(r.at);
    return clocks;
}

PyMethodDef dlab_py_trace_methods[] = {
    { "trace_lines", core_trace_lines, METH_VARARGS,
      PyDoc_STR("trace_lines(model, rows, /)\n--\n\n"
                "A line of text for each row of the output table \"trace\": who did what, with whom.") },
    { "trace_clocks", core_trace_clocks, METH_VARARGS,
      PyDoc_STR("trace_clocks(rows, nodes, /)\n--\n\n"
                "Vector clocks, uint32 (rows, nodes): how many events of each node are known at each row.") },
    { NULL, NULL, 0, NULL },
};
