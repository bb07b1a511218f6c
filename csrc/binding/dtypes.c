/* NumPy dtypes whose memory is the core's own structs: explicit offsets and item sizes, alignment of C.
 * NumPy itself refuses one whose offsets or size do not fit, which makes it a second witness of every
 * descriptor. */
#include "binding/binding.h"

typedef struct member {
    const char *name;
    PyArray_Descr *dtype; /* borrowed */
    size_t offset;
} member;

/* Three lists become the dict form of a dtype. */
static PyArray_Descr *dtype_of_lists(PyObject *names, PyObject *formats, PyObject *offsets, size_t size)
{
    PyArray_Descr *dtype = NULL;
    PyObject *spec = Py_BuildValue("{s:O,s:O,s:O,s:n,s:O}", "names", names, "formats", formats, "offsets",
                                   offsets, "itemsize", (Py_ssize_t)size, "aligned", Py_True);
    if (spec != NULL && PyArray_DescrConverter(spec, &dtype) != NPY_SUCCEED) dtype = NULL;
    Py_XDECREF(spec);
    return dtype;
}

static PyArray_Descr *dtype_of_members(const member *members, int count, size_t size)
{
    PyArray_Descr *dtype = NULL;
    PyObject *names = PyList_New(count), *formats = PyList_New(count), *offsets = PyList_New(count);
    if (names == NULL || formats == NULL || offsets == NULL) goto done;
    for (int i = 0; i < count; i++) {
        PyObject *name = PyUnicode_FromString(members[i].name);
        PyObject *offset = PyLong_FromSize_t(members[i].offset);
        if (name == NULL || offset == NULL) {
            Py_XDECREF(name);
            Py_XDECREF(offset);
            goto done;
        }
        PyList_SET_ITEM(names, i, name);
        PyList_SET_ITEM(formats, i, Py_NewRef((PyObject *)members[i].dtype));
        PyList_SET_ITEM(offsets, i, offset);
    }
    dtype = dtype_of_lists(names, formats, offsets, size);
done:
    Py_XDECREF(names);
    Py_XDECREF(formats);
    Py_XDECREF(offsets);
    return dtype;
}

/* The constant dtypes. number[] holds the plain ones for the time of building. */
enum { I4, U4, I8, U8, F8, PLAIN, F8_BY_4 = PLAIN, U8_BY_2, U8_BY_3, NUMBERS };

static int numbers_init(PyArray_Descr *number[NUMBERS])
{
    static const int types[] = { NPY_INT32, NPY_UINT32, NPY_INT64, NPY_UINT64, NPY_DOUBLE };
    static const int several[][2] = { { F8, 4 }, { U8, 2 }, { U8, 3 } };
    for (int i = 0; i < PLAIN; i++)
        if ((number[i] = PyArray_DescrFromType(types[i])) == NULL) return -1;
    for (int i = PLAIN; i < NUMBERS; i++) {
        PyObject *spec = Py_BuildValue("(O(i))", number[several[i - PLAIN][0]], several[i - PLAIN][1]);
        if (spec == NULL) return -1;
        const int ok = PyArray_DescrConverter(spec, &number[i]);
        Py_DECREF(spec);
        if (ok != NPY_SUCCEED) return -1;
    }
    return 0;
}

_Static_assert(sizeof(dlab_histogram) == 10 * sizeof(uint64_t),
               "describe every member of dlab_histogram below");
_Static_assert(sizeof(dlab_distribution) == 7 * sizeof(double),
               "describe every member of dlab_distribution below");

#define MEMBER(S, m, type)       \
    {                            \
#m, type, offsetof(S, m) \
    }
#define BUILD(members, S) dtype_of_members(members, (int)(sizeof(members) / sizeof(members)[0]), sizeof(S))

static int constants_init(dlab_py_state *state, PyArray_Descr *const n[NUMBERS])
{
    const member distribution[] = {
        MEMBER(dlab_distribution, kind, n[I4]),   MEMBER(dlab_distribution, table, n[U4]),
        MEMBER(dlab_distribution, first, n[U4]),  MEMBER(dlab_distribution, count, n[U4]),
        MEMBER(dlab_distribution, p, n[F8_BY_4]), MEMBER(dlab_distribution, shift, n[F8]),
    };
    const member ref[] = { MEMBER(dlab_ref, table, n[U4]), MEMBER(dlab_ref, first, n[U4]),
                           MEMBER(dlab_ref, count, n[U4]) };
    const member ratio[] = { MEMBER(dlab_ratio, num, n[F8]), MEMBER(dlab_ratio, den, n[F8]) };
    const member estimate[] = { MEMBER(dlab_estimate, mean, n[F8]), MEMBER(dlab_estimate, se, n[F8]),
                                MEMBER(dlab_estimate, n, n[I8]) };
    const member histogram[] = {
        MEMBER(dlab_histogram, count, n[I8]),        MEMBER(dlab_histogram, min, n[I8]),
        MEMBER(dlab_histogram, max, n[I8]),          MEMBER(dlab_histogram, sum, n[U8_BY_2]),
        MEMBER(dlab_histogram, squares, n[U8_BY_3]), MEMBER(dlab_histogram, first, n[U4]),
        MEMBER(dlab_histogram, used, n[U4]),         { "at", n[U8], offsetof(dlab_histogram, cells) },
    };
    if ((state->distribution = BUILD(distribution, dlab_distribution)) == NULL) return -1;
    const member part[] = { MEMBER(dlab_part, weight, n[F8]),
                            MEMBER(dlab_part, distribution, state->distribution) };
    if ((state->part = BUILD(part, dlab_part)) == NULL) return -1;
    if ((state->ref = BUILD(ref, dlab_ref)) == NULL) return -1;
    if ((state->ratio = BUILD(ratio, dlab_ratio)) == NULL) return -1;
    if ((state->estimate = BUILD(estimate, dlab_estimate)) == NULL) return -1;
    if ((state->histogram = BUILD(histogram, dlab_histogram)) == NULL) return -1;
    return 0;
}

int dlab_py_dtypes_init(PyObject *module, dlab_py_state *state)
{
    PyArray_Descr *number[NUMBERS] = { NULL };
    int result = numbers_init(number);
    if (result == 0) result = constants_init(state, number);
    if (result == 0) state->real = (PyArray_Descr *)Py_NewRef((PyObject *)number[F8]);
    for (int i = 0; i < NUMBERS; i++) Py_XDECREF((PyObject *)number[i]);
    if (result < 0 ||
        PyModule_AddObjectRef(module, "DISTRIBUTION_DTYPE", (PyObject *)state->distribution) < 0 ||
        PyModule_AddObjectRef(module, "PART_DTYPE", (PyObject *)state->part) < 0)
        return -1;
    return PyModule_AddObjectRef(module, "REF_DTYPE", (PyObject *)state->ref);
}

PyArray_Descr *dlab_py_dtype_of_field(dlab_py_state *state, const dlab_field *field)
{
    /* NumPy keeps one object for ever of each plain type, so a borrowed reference is safe. */
    PyArray_Descr *plain = NULL;
    switch (field->type) {
    case DLAB_DOUBLE: plain = PyArray_DescrFromType(NPY_DOUBLE); break;
    case DLAB_INT: plain = PyArray_DescrFromType(NPY_INT64); break;
    case DLAB_BOOL: plain = PyArray_DescrFromType(NPY_BOOL); break;
    case DLAB_CHOICE: plain = PyArray_DescrFromType(NPY_INT32); break;
    case DLAB_FLAGS: plain = PyArray_DescrFromType(NPY_UINT32); break;
    case DLAB_DISTRIBUTION: return state->distribution;
    case DLAB_TABLE: return state->ref;
    case DLAB_RATIO: return state->ratio;
    case DLAB_ESTIMATE: return state->estimate;
    case DLAB_HISTOGRAM: return state->histogram;
    case DLAB_COMPONENT: break;
    }
    if (plain == NULL) {
        PyErr_Format(PyExc_TypeError, "field %s has an unknown type (%d)", field->name, (int)field->type);
        return NULL;
    }
    Py_DECREF(plain);
    return plain;
}

PyArray_Descr *dlab_py_dtype_of_layout(dlab_py_state *state, const dlab_layout *layout, size_t size)
{
    member members[DLAB_FIELDS_MAX];
    for (int i = 0; i < layout->count; i++) {
        const dlab_field *field = &layout->fields[i];
        members[i] = (member){ field->name, dlab_py_dtype_of_field(state, field), field->offset };
        if (members[i].dtype == NULL) return NULL;
    }
    return dtype_of_members(members, layout->count, size);
}

PyArray_Descr *dlab_py_dtype_of_table(dlab_py_state *state, const dlab_table *table)
{
    PyArray_Descr *dtype = NULL;
    dlab_error err = { 0 };
    dlab_layout *layout = PyMem_Calloc(1, sizeof(dlab_layout));
    if (layout == NULL) return (PyArray_Descr *)PyErr_NoMemory();
    if (dlab_layout_init(layout, table->columns, &err) != DLAB_OK) (void)dlab_py_raise(state, &err);
    else dtype = dlab_py_dtype_of_layout(state, layout, table->row_size);
    PyMem_Free(layout);
    return dtype;
}

PyArray_Descr *dlab_py_dtype_of_columns(const dlab_column *columns, int count)
{
    member *members = PyMem_Calloc((size_t)count + 1, sizeof(member));
    PyArray_Descr *real = PyArray_DescrFromType(NPY_DOUBLE), *dtype = NULL;
    if (members == NULL) PyErr_NoMemory();
    if (members != NULL && real != NULL) {
        for (int i = 0; i < count; i++)
            members[i] = (member){ columns[i].name, real, (size_t)i * sizeof(double) };
        dtype = dtype_of_members(members, count, (size_t)count * sizeof(double));
    }
    Py_XDECREF((PyObject *)real);
    PyMem_Free(members);
    return dtype;
}
