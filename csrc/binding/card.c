/* Looking models up, and adding them from outside.
 *
 * A card is made when a model is first used, so that importing the package costs nothing, and then lives as
 * long as the module: a running sweep may hold a pointer to it. A model registered again (recompiled in a
 * notebook) gets a new card; the old one is retired, not freed. */
#include "binding/binding.h"

#include <string.h>

static const char *const CARD = "distlab._core.card";

static void card_free(dlab_py_card *card)
{
    if (card == NULL) return;
    Py_XDECREF((PyObject *)card->params_dtype);
    Py_XDECREF((PyObject *)card->metrics_dtype);
    Py_XDECREF((PyObject *)card->columns_dtype);
    for (int i = 0; i < DLAB_FIELDS_MAX; i++) Py_XDECREF((PyObject *)card->tables[i]);
    for (int i = 0; i < DLAB_TABLES_MAX; i++) Py_XDECREF((PyObject *)card->outputs[i]);
    PyMem_Free(card->columns);
    PyMem_Free(card);
}

static void card_release(PyObject *capsule) { card_free(PyCapsule_GetPointer(capsule, CARD)); }

static int card_columns(dlab_py_card *card, dlab_error *err)
{
    card->columns = PyMem_Calloc(DLAB_COLUMNS_MAX, sizeof(dlab_column));
    if (card->columns == NULL)
        return dlab_fail(err, DLAB_ENOMEM, "no memory for the columns of %s", card->model->name);
    card->column_count = dlab_columns(&card->metrics, card->columns, err);
    if (card->column_count < 0) return err->code;
    const size_t size = ((size_t)card->column_count + 1) * sizeof(dlab_column);
    dlab_column *less = PyMem_Realloc(card->columns, size);
    if (less != NULL) card->columns = less;
    return DLAB_OK;
}

static int card_layouts(dlab_py_card *card, dlab_error *err)
{
    const dlab_model *model = card->model;
    int code = dlab_layout_init(&card->params, model->params, err);
    if (code == DLAB_OK) code = dlab_layout_init(&card->metrics, model->metrics, err);
    if (code == DLAB_OK) code = card_columns(card, err);
    while (code == DLAB_OK && model->theory_columns != NULL &&
           model->theory_columns[card->theory_count] != NULL)
        card->theory_count++;
    while (code == DLAB_OK && model->outputs != NULL && model->outputs[card->output_count].name != NULL) {
        if (card->output_count >= DLAB_TABLES_MAX)
            return dlab_fail(err, DLAB_EINVAL, "%s has more than %d output tables", model->name,
                             DLAB_TABLES_MAX);
        card->output_count++;
    }
    return code;
}

static int card_dtypes(dlab_py_card *card, dlab_py_state *state)
{
    const dlab_model *model = card->model;
    card->params_dtype = dlab_py_dtype_of_layout(state, &card->params, model->params_size);
    if (card->params_dtype == NULL) return -1;
    card->metrics_dtype = dlab_py_dtype_of_layout(state, &card->metrics, model->metrics_size);
    if (card->metrics_dtype == NULL) return -1;
    card->columns_dtype = dlab_py_dtype_of_columns(card->columns, card->column_count);
    if (card->columns_dtype == NULL) return -1;
    for (int i = 0; i < card->params.count; i++) {
        const dlab_field *field = &card->params.fields[i];
        if (field->type != DLAB_TABLE || field->table == NULL) continue;
        if ((card->tables[i] = dlab_py_dtype_of_table(state, field->table)) == NULL) return -1;
    }
    for (int i = 0; i < card->output_count; i++)
        if ((card->outputs[i] = dlab_py_dtype_of_table(state, &model->outputs[i])) == NULL) return -1;
    return 0;
}

static PyObject *card_make(dlab_py_state *state, const dlab_model *model)
{
    dlab_error err = { 0 };
    dlab_py_card *card = PyMem_Calloc(1, sizeof(dlab_py_card));
    if (card == NULL) return PyErr_NoMemory();
    card->model = model;
    if (card_layouts(card, &err) != DLAB_OK) {
        (void)dlab_py_raise(state, &err);
        card_free(card);
        return NULL;
    }
    PyObject *capsule = card_dtypes(card, state) == 0 ? PyCapsule_New(card, CARD, card_release) : NULL;
    if (capsule == NULL) card_free(card);
    return capsule;
}

/* As dlab_model_find would say it, with the registered names among those that may be near. */
static void raise_unknown(dlab_py_state *state, const char *name)
{
    size_t built_in = 0;
    while (dlab_models[built_in] != NULL) built_in++;
    const size_t count = built_in + (size_t)PyList_GET_SIZE(state->registered);
    const char **names = PyMem_Calloc(count + 1, sizeof *names);
    if (names == NULL) {
        PyErr_NoMemory();
        return;
    }
    for (size_t i = 0; i < built_in; i++) names[i] = dlab_models[i]->name;
    for (size_t i = built_in; i < count && !PyErr_Occurred(); i++)
        names[i] = PyUnicode_AsUTF8(PyList_GET_ITEM(state->registered, (Py_ssize_t)(i - built_in)));
    if (!PyErr_Occurred()) {
        dlab_error err = { 0 };
        const char *near = dlab_nearest_name(name, names, (int)count);
        (void)dlab_fail(&err, DLAB_ENAME, "no model is called '%s'%s%s%s", name,
                        near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        (void)dlab_py_raise(state, &err);
    }
    PyMem_Free(names);
}

dlab_py_card *dlab_py_card_of(dlab_py_state *state, const char *name)
{
    PyObject *key = PyUnicode_FromString(name);
    if (key == NULL) return NULL;
    PyObject *capsule = PyDict_GetItemWithError(state->cards, key);
    if (capsule == NULL && !PyErr_Occurred()) {
        const dlab_model *model = dlab_model_find(name, NULL);
        PyObject *made = model != NULL ? card_make(state, model) : NULL;
        if (model == NULL) raise_unknown(state, name);
        /* Another thread may have been faster: its card stays. */
        if (made != NULL) capsule = PyDict_SetDefault(state->cards, key, made);
        Py_XDECREF(made);
    }
    Py_DECREF(key);
    return capsule != NULL ? PyCapsule_GetPointer(capsule, CARD) : NULL;
}

const dlab_field *dlab_py_param(dlab_py_state *state, const dlab_py_card *card, const char *name)
{
    dlab_error err = { 0 };
    const dlab_field *field = dlab_layout_find(&card->params, name, card->model->name, &err);
    if (field == NULL) (void)dlab_py_raise(state, &err);
    return field;
}

static PyObject *core_models(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    dlab_py_state *state = dlab_py_state_of(module);
    PyObject *names = PyList_New(0);
    for (size_t i = 0; names != NULL && dlab_models[i] != NULL; i++) {
        PyObject *name = PyUnicode_FromString(dlab_models[i]->name);
        if (name == NULL || PyList_Append(names, name) < 0) Py_CLEAR(names);
        Py_XDECREF(name);
    }
    if (names == NULL) return NULL;
    const Py_ssize_t end = PyList_GET_SIZE(names);
    PyObject *result = PyList_SetSlice(names, end, end, state->registered) < 0 ? NULL : PyList_AsTuple(names);
    Py_DECREF(names);
    return result;
}

static int model_is_good(dlab_py_state *state, const dlab_model *model)
{
    dlab_error err = { 0 };
    if (model == NULL || (uintptr_t)model % _Alignof(dlab_model) != 0)
        PyErr_Format(PyExc_ValueError, "address %p is not that of a model", (const void *)model);
    else if (dlab_model_check(model, &err) == DLAB_OK) return 0;
    else (void)dlab_py_raise(state, &err);
    return -1;
}

static int is_built_in(const char *name)
{
    for (size_t i = 0; dlab_models[i] != NULL; i++) {
        if (strcmp(dlab_models[i]->name, name) != 0) continue;
        PyErr_Format(PyExc_ValueError, "the name %s belongs to a built-in model", name);
        return -1;
    }
    return 0;
}

static PyObject *core_register(PyObject *module, PyObject *address)
{
    dlab_py_state *state = dlab_py_state_of(module);
    uint64_t number = 0;
    if (dlab_py_u64(address, "address", &number) < 0) return NULL;
    const dlab_model *model = (const dlab_model *)(uintptr_t)number;
    if (model_is_good(state, model) < 0 || is_built_in(model->name) < 0) return NULL;
    PyObject *name = PyUnicode_FromString(model->name);
    PyObject *capsule = name != NULL ? card_make(state, model) : NULL;
    if (capsule == NULL) goto failed;
    PyObject *old = PyDict_GetItemWithError(state->cards, name);
    if (old == NULL && PyErr_Occurred()) goto failed;
    if (old != NULL && PyList_Append(state->retired, old) < 0) goto failed;
    if (old == NULL && PyList_Append(state->registered, name) < 0) goto failed;
    if (PyDict_SetItem(state->cards, name, capsule) < 0) goto failed;
    Py_DECREF(capsule);
    return name;
failed:
    Py_XDECREF(capsule);
    Py_XDECREF(name);
    return NULL;
}

PyMethodDef dlab_py_card_methods[] = {
    { "models", core_models, METH_NOARGS, PyDoc_STR("models()\n--\n\nNames of all models.") },
    { "register", core_register, METH_O,
      PyDoc_STR("register(address, /)\n--\n\nAdd a dlab_model at this address (of a loaded library, which "
                "must stay "
                "loaded)\nfor this process; returns its name. A model registered earlier under the name is "
                "replaced.") },
    { NULL, NULL, 0, NULL },
};
