/* A descriptor as plain Python data: what signatures, docstrings, stubs, sliders, command line and reference
 * pages are made from. */
#include "binding/binding.h"

#include <math.h>
#include <string.h>

#include <distlab/trace.h>

#include "app/app.h"

enum { TABLE_DEPTH_MAX = 4 };

static const char *const type_names[] = {
    [DLAB_DOUBLE] = "double",       [DLAB_INT] = "int",
    [DLAB_BOOL] = "bool",           [DLAB_CHOICE] = "choice",
    [DLAB_FLAGS] = "flags",         [DLAB_DISTRIBUTION] = "distribution",
    [DLAB_TABLE] = "table",         [DLAB_RATIO] = "ratio",
    [DLAB_ESTIMATE] = "estimate",   [DLAB_HISTOGRAM] = "histogram",
    [DLAB_COMPONENT] = "component",
};

/* Append and release; 0 or -1. item may be NULL (an exception stands). */
static int append(PyObject *list, PyObject *item)
{
    const int result = item == NULL ? -1 : PyList_Append(list, item);
    Py_XDECREF(item);
    return result;
}

/* Put and release; 0 or -1. */
static int put(PyObject *dict, const char *key, PyObject *value)
{
    const int result = value == NULL ? -1 : PyDict_SetItemString(dict, key, value);
    Py_XDECREF(value);
    return result;
}

static PyObject *text_or_none(const char *text)
{
    return text != NULL ? PyUnicode_FromString(text) : Py_NewRef(Py_None);
}

/* The names of a NULL-terminated list, or of those whose bit is set. */
static PyObject *names_of(const char *const *names, uint32_t mask)
{
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && names != NULL && names[i] != NULL; i++)
        if ((i >= 32 || (mask >> i & 1u) != 0) && append(list, PyUnicode_FromString(names[i])) < 0)
            Py_CLEAR(list);
    return list;
}

/* A bound of a field: whole numbers of int fields stay whole. */
static PyObject *number_of(const dlab_field *field, double value)
{
    const bool whole = field->type == DLAB_INT || field->type == DLAB_CHOICE || field->type == DLAB_FLAGS;
    if (whole && isfinite(value)) return PyLong_FromDouble(value);
    return PyFloat_FromDouble(value);
}

static PyObject *value_of(const dlab_field *field, const void *row)
{
    if (field->type != DLAB_FLAGS && dlab_field_is_off(field, row)) return Py_NewRef(Py_None);
    if (field->type == DLAB_DISTRIBUTION) return text_or_none(field->text);
    if (field->type == DLAB_TABLE || dlab_field_is_blank(field, row)) return Py_NewRef(Py_None);
    const double number = dlab_field_number(field, row);
    if (field->type == DLAB_BOOL) return PyBool_FromLong(number != 0);
    if (field->type == DLAB_FLAGS) return names_of(field->choices, (uint32_t)number);
    if (field->type == DLAB_CHOICE && number < dlab_choices_count(field))
        return PyUnicode_FromString(field->choices[(int)number]);
    return number_of(field, number);
}

/* The default as a run would see it. Metrics have none. */
static PyObject *default_of(dlab_py_state *state, const dlab_field *field)
{
    if (field->type >= DLAB_RATIO) return Py_NewRef(Py_None);
    dlab_error err = { 0 };
    char *row = PyMem_Calloc(1, field->offset + sizeof(dlab_distribution));
    if (row == NULL) return PyErr_NoMemory();
    PyObject *value = dlab_field_set_default(field, row, &err) == DLAB_OK ? value_of(field, row)
                                                                          : dlab_py_raise(state, &err);
    PyMem_Free(row);
    return value;
}

static PyObject *describe_table(dlab_py_state *state, const dlab_table *table, PyArray_Descr *dtype,
                                int depth);

static PyObject *table_of(dlab_py_state *state, const dlab_field *field, int depth)
{
    if (field->type != DLAB_TABLE || field->table == NULL || depth >= TABLE_DEPTH_MAX)
        return Py_NewRef(Py_None);
    PyArray_Descr *dtype = dlab_py_dtype_of_table(state, field->table);
    if (dtype == NULL) return NULL;
    PyObject *table = describe_table(state, field->table, dtype, depth + 1);
    Py_DECREF((PyObject *)dtype);
    return table;
}

static int put_numbers(PyObject *dict, const dlab_field *field)
{
    PyObject *off = field->optional && field->type < DLAB_DISTRIBUTION ? number_of(field, field->off)
                                                                       : Py_NewRef(Py_None);
    return put(dict, "off", off) < 0 || put(dict, "min", number_of(field, field->min)) < 0 ||
                   put(dict, "max", number_of(field, field->max)) < 0 ||
                   put(dict, "low", number_of(field, field->low)) < 0 ||
                   put(dict, "high", number_of(field, field->high)) < 0 ||
                   put(dict, "scale",
                       field->type == DLAB_HISTOGRAM ? PyFloat_FromDouble(field->scale)
                                                     : Py_NewRef(Py_None)) < 0
               ? -1
               : 0;
}

static PyObject *describe_field(dlab_py_state *state, const dlab_field *field, bool metric, int depth)
{
    PyObject *dict = PyDict_New();
    if (dict == NULL) return NULL;
    if (put(dict, "name", text_or_none(field->name)) < 0 ||
        put(dict, "unit", text_or_none(field->unit)) < 0 ||
        put(dict, "display", text_or_none(field->display)) < 0 ||
        put(dict, "doc", text_or_none(field->doc)) < 0 ||
        put(dict, "group", text_or_none(field->group)) < 0 ||
        put(dict, "type", PyUnicode_FromString(type_names[field->type])) < 0 ||
        put(dict, "choices",
            field->choices != NULL ? names_of(field->choices, UINT32_MAX) : Py_NewRef(Py_None)) < 0 ||
        put(dict, "table", table_of(state, field, depth)) < 0 ||
        put(dict, "text", text_or_none(field->text)) < 0 ||
        put(dict, "log_scale", PyBool_FromLong(field->log_scale)) < 0 ||
        put(dict, "optional", PyBool_FromLong(field->optional)) < 0 ||
        put(dict, "may_be_nan", PyBool_FromLong(field->may_be_nan)) < 0 ||
        put(dict, "default", metric ? Py_NewRef(Py_None) : default_of(state, field)) < 0 ||
        put_numbers(dict, field) < 0)
        Py_CLEAR(dict);
    return dict;
}

static PyObject *describe_layout(dlab_py_state *state, const dlab_layout *layout, bool metric, int depth)
{
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && i < layout->count; i++)
        if (append(list, describe_field(state, &layout->fields[i], metric, depth)) < 0) Py_CLEAR(list);
    return list;
}

static PyObject *describe_table(dlab_py_state *state, const dlab_table *table, PyArray_Descr *dtype,
                                int depth)
{
    dlab_error err = { 0 };
    PyObject *columns = NULL;
    dlab_layout *layout = PyMem_Calloc(1, sizeof(dlab_layout));
    if (layout == NULL) return PyErr_NoMemory();
    if (dlab_layout_init(layout, table->columns, &err) == DLAB_OK)
        columns = describe_layout(state, layout, false, depth);
    else (void)dlab_py_raise(state, &err);
    PyMem_Free(layout);
    if (columns == NULL) return NULL;
    return Py_BuildValue("{s:s,s:z,s:O,s:N,s:O}", "name", table->name, "doc", table->doc, "series",
                         table->series ? Py_True : Py_False, "columns", columns, "dtype", (PyObject *)dtype);
}

PyObject *dlab_py_describe_table(dlab_py_state *state, const dlab_table *table, PyArray_Descr *dtype)
{
    return describe_table(state, table, dtype, 0);
}

static PyObject *describe_outputs(dlab_py_state *state, const dlab_py_card *card)
{
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && i < card->output_count; i++)
        if (append(list, describe_table(state, &card->model->outputs[i], card->outputs[i], 0)) < 0)
            Py_CLEAR(list);
    return list;
}

static PyObject *describe_bugs(const dlab_model *model)
{
    PyObject *list = PyList_New(0);
    for (const dlab_bug *bug = model->bugs; list != NULL && bug != NULL && bug->name != NULL; bug++)
        if (append(list, Py_BuildValue("{s:s,s:z,s:z,s:z}", "name", bug->name, "doc", bug->doc, "violation",
                                       bug->violation, "scope", bug->scope)) < 0)
            Py_CLEAR(list);
    return list;
}

static PyObject *describe_column(const dlab_py_card *card, const dlab_column *column)
{
    static const char *const parts[] = {
        [DLAB_WHOLE] = "whole",       [DLAB_SE] = "se",   [DLAB_MEAN] = "mean",
        [DLAB_QUANTILE] = "quantile", [DLAB_MAX] = "max",
    };
    const dlab_field *field = &card->metrics.fields[column->field];
    PyObject *q = column->part == DLAB_QUANTILE ? PyFloat_FromDouble(column->q) : Py_NewRef(Py_None);
    if (q == NULL) return NULL;
    return Py_BuildValue("{s:s,s:s,s:s,s:N,s:z,s:z,s:z}", "name", column->name, "metric", field->name, "part",
                         parts[column->part], "q", q, "unit", field->unit, "display", field->display, "doc",
                         field->doc);
}

static PyObject *describe_columns(const dlab_py_card *card)
{
    PyObject *list = PyList_New(0);
    for (int i = 0; list != NULL && i < card->column_count; i++)
        if (append(list, describe_column(card, &card->columns[i])) < 0) Py_CLEAR(list);
    return list;
}

static PyObject *core_describe(PyObject *module, PyObject *args)
{
    dlab_py_state *state = dlab_py_state_of(module);
    const char *name;
    if (!PyArg_ParseTuple(args, "s:describe", &name)) return NULL;
    const dlab_py_card *card = dlab_py_card_of(state, name);
    PyObject *dict = card != NULL ? PyDict_New() : NULL;
    if (dict == NULL) return NULL;
    const dlab_model *model = card->model;
    if (put(dict, "name", text_or_none(model->name)) < 0 ||
        put(dict, "title", text_or_none(model->title)) < 0 ||
        put(dict, "doc", text_or_none(model->doc)) < 0 ||
        put(dict, "source", text_or_none(model->source)) < 0 ||
        put(dict, "exact", PyBool_FromLong(model->exact)) < 0 ||
        put(dict, "params", describe_layout(state, &card->params, false, 0)) < 0 ||
        put(dict, "metrics", describe_layout(state, &card->metrics, true, 0)) < 0 ||
        put(dict, "outputs", describe_outputs(state, card)) < 0 ||
        put(dict, "bugs", describe_bugs(model)) < 0 || put(dict, "columns", describe_columns(card)) < 0 ||
        put(dict, "theory_columns", names_of(model->theory_columns, UINT32_MAX)) < 0 ||
        put(dict, "params_dtype", Py_NewRef((PyObject *)card->params_dtype)) < 0 ||
        put(dict, "metrics_dtype", Py_NewRef((PyObject *)card->metrics_dtype)) < 0)
        Py_CLEAR(dict);
    return dict;
}

/* As the lines of a trace have it: bytes that are no UTF-8 are replaced. */
static PyObject *lenient_text(const char *text)
{
    if (text == NULL) Py_RETURN_NONE;
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

/* (name, name of a, name of b) of each label; a list that is NULL is empty. */
static PyObject *labels_of(const dlab_label *labels)
{
    PyObject *list = PyList_New(0);
    for (; list != NULL && labels != NULL && labels->name != NULL; labels++)
        if (append(list, Py_BuildValue("(NNN)", lenient_text(labels->name), lenient_text(labels->a),
                                       lenient_text(labels->b))) < 0)
            Py_CLEAR(list);
    return list;
}

static PyObject *core_trace_schema(PyObject *module, PyObject *args)
{
    const char *name;
    if (!PyArg_ParseTuple(args, "s:trace_schema", &name)) return NULL;
    const dlab_py_card *card = dlab_py_card_of(dlab_py_state_of(module), name);
    if (card == NULL) return NULL;
    const dlab_trace_schema *schema = card->model->trace;
    if (schema == NULL) Py_RETURN_NONE;
    PyObject *dict = PyDict_New();
    if (dict == NULL) return NULL;
    if (put(dict, "types", names_of(dlab_trace_types, UINT32_MAX)) < 0 ||
        put(dict, "drops", names_of(dlab_trace_drops, UINT32_MAX)) < 0 ||
        put(dict, "keeps", names_of(dlab_trace_keeps, UINT32_MAX)) < 0 ||
        put(dict, "faults", names_of(dlab_trace_faults, UINT32_MAX)) < 0 ||
        put(dict, "statuses", names_of(dlab_trace_statuses, UINT32_MAX)) < 0 ||
        put(dict, "messages", labels_of(schema->messages)) < 0 ||
        put(dict, "timers", labels_of(schema->timers)) < 0 ||
        put(dict, "requests", labels_of(schema->requests)) < 0 ||
        put(dict, "applies", labels_of(schema->applies)) < 0 ||
        put(dict, "notes", labels_of(schema->notes)) < 0 ||
        put(dict, "states", labels_of(schema->states)) < 0 ||
        put(dict, "roles", names_of(schema->roles, UINT32_MAX)) < 0 ||
        put(dict, "invariants", names_of(schema->invariants, UINT32_MAX)) < 0)
        Py_CLEAR(dict);
    return dict;
}

PyMethodDef dlab_py_describe_methods[] = {
    { "describe", core_describe, METH_VARARGS,
      PyDoc_STR(
          "describe(model, /)\n--\n\nname title doc source exact params metrics outputs bugs columns "
          "theory_columns params_dtype metrics_dtype.\n\n"
          "A field: name unit display doc group type choices table text log_scale optional may_be_nan "
          "default\n"
          "min max low high off scale; type is one of double int bool choice flags distribution table ratio\n"
          "estimate histogram; default is a number, bool, text (choice, distribution), list (flags) or None\n"
          "(off, blank, no table).\n"
          "A column: name metric part q unit display doc.  An output: name doc series columns dtype.\n"
          "A bug: name doc violation scope. A table parameter's `table` is {name doc series columns "
          "dtype}.") },
    { "trace_schema", core_trace_schema, METH_VARARGS,
      PyDoc_STR(
          "trace_schema(model, /)\n--\n\n"
          "Names behind the numbers of the output table \"trace\": types drops keeps faults statuses roles "
          "invariants\n(lists of names), messages timers requests applies notes states (lists of (name, "
          "name of a or None,\nname of b or None)). None: the model has no trace.") },
    { NULL, NULL, 0, NULL },
};
