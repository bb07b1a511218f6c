/* What the files of the binding share. They are the only ones that know Python; they know descriptors and
 * never a model. Nothing here is global: everything lives in the state of the module. */
#ifndef DISTLAB_BINDING_BINDING_H
#define DISTLAB_BINDING_BINDING_H
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL dlab_array_api
#ifndef DLAB_PY_MODULE
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

#include <stdbool.h>
#include <time.h>

#include <distlab/sweep.h>

/* A model as Python needs it: made when first asked for, kept as long as the module. */
typedef struct dlab_py_card {
    const dlab_model *model;
    dlab_layout params, metrics;
    PyArray_Descr *params_dtype, *metrics_dtype, *columns_dtype;
    PyArray_Descr *tables[DLAB_FIELDS_MAX]; /* rows of table parameters, by field; NULL elsewhere */
    PyArray_Descr *outputs[DLAB_TABLES_MAX];
    dlab_column *columns;
    int column_count, output_count, theory_count;
} dlab_py_card;

typedef struct dlab_py_state {
    PyObject *unknown_name, *budget, *cancelled, *broken; /* exceptions */
    PyObject *token;                                      /* type */
    PyObject *cards;                                      /* {name: capsule of a dlab_py_card} */
    PyObject *registered;                                 /* names added from outside, in order */
    PyObject *retired; /* cards replaced by a newer one, still in use perhaps */
    PyArray_Descr *distribution, *part, *ref, *ratio, *estimate, *histogram, *real;
} dlab_py_state;

static inline dlab_py_state *dlab_py_state_of(PyObject *module)
{
    return (dlab_py_state *)PyModule_GetState(module);
}

/* A function or a text as a slot's value, which C says is neither. */
#define DLAB_PY_SLOT(value) ((void *)(uintptr_t)(value))

/* Functions by file; the module adds them all. */
extern PyMethodDef dlab_py_card_methods[], dlab_py_describe_methods[], dlab_py_text_methods[],
    dlab_py_rows_methods[], dlab_py_run_methods[], dlab_py_columns_methods[], dlab_py_distribution_methods[],
    dlab_py_statistics_methods[], dlab_py_series_methods[], dlab_py_trace_methods[],
    dlab_py_enumerate_methods[], dlab_py_history_methods[], dlab_py_check_methods[], dlab_py_plan_methods[];

/* errors.c: the exceptions, and an error of the core as one of them; raise returns NULL. */
int dlab_py_errors_init(PyObject *module, dlab_py_state *state);
PyObject *dlab_py_raise(dlab_py_state *state, const dlab_error *err);
PyObject *dlab_py_raise_at(dlab_py_state *state, const dlab_error *err, const char *what, Py_ssize_t index);
PyObject *dlab_py_raise_row(dlab_py_state *state, const dlab_error *err, size_t row); /* as its `row` */
const char *dlab_py_code_name(int code);
PyObject *dlab_py_text(const char *text); /* UTF-8, cut characters replaced */

/* dtypes.c: the NumPy dtype whose memory is a C struct. */
int dlab_py_dtypes_init(PyObject *module, dlab_py_state *state);
PyArray_Descr *dlab_py_dtype_of_field(dlab_py_state *state,
                                      const dlab_field *field); /* borrowed; NULL: none */
PyArray_Descr *dlab_py_dtype_of_layout(dlab_py_state *state, const dlab_layout *layout, size_t size);
PyArray_Descr *dlab_py_dtype_of_table(dlab_py_state *state, const dlab_table *table);
PyArray_Descr *dlab_py_dtype_of_columns(const dlab_column *columns, int count);

/* describe.c */
PyObject *dlab_py_describe_table(dlab_py_state *state, const dlab_table *table, PyArray_Descr *dtype);

/* card.c */
dlab_py_card *dlab_py_card_of(dlab_py_state *state, const char *name);
const dlab_field *dlab_py_param(dlab_py_state *state, const dlab_py_card *card, const char *name);

/* token.c */
int dlab_py_token_init(PyObject *module, dlab_py_state *state);
dlab_token *dlab_py_token_of(PyObject *token);

/* text.c */
PyObject *dlab_py_scalar(PyArray_Descr *dtype, const void *value); /* a new 0-d array */
PyObject *dlab_py_with_parts(PyObject *value, const dlab_buffer *parts,
                             dlab_py_state *state); /* takes value */

/* convert.c: what was handed in, as contiguous aligned memory of the right type; NULL with an exception. */
PyArrayObject *dlab_py_structs(PyObject *object, PyArray_Descr *dtype, const char *what);
PyArrayObject *dlab_py_vector(PyObject *object, int type, const char *what); /* 1-D of a number type */
PyArrayObject *dlab_py_copied(PyObject *object, int type,
                              const char *what);                    /* the same, never the caller's */
PyArrayObject *dlab_py_any(PyObject *object, int type);             /* the same, any shape */
int dlab_py_u64(PyObject *object, const char *what, uint64_t *out); /* NULL object: out stays */
int dlab_py_inside(double value, double low, double high, const char *what); /* open interval */

/* Values of an array; never NULL. */
static inline const double *dlab_py_doubles(PyArrayObject *array)
{
    return (const double *)PyArray_DATA(array);
}

typedef struct dlab_py_pool {
    dlab_pool pool;
    dlab_rows *rows;
    PyObject *held; /* tuple that keeps the memory alive */
} dlab_py_pool;

/* Rows of references are copied: they are checked once and must not change afterwards. */
int dlab_py_pool_open(dlab_py_pool *pool, dlab_py_state *state, const dlab_py_card *card, PyObject *object);
void dlab_py_pool_close(dlab_py_pool *pool);

/* metrics.c: results handed back to be read. A row is copied before it is used, and its histograms must lie
 * inside the buckets. */
typedef struct dlab_py_metrics {
    dlab_py_state *state;
    const dlab_py_card *card;
    PyArrayObject *rows, *buckets;
} dlab_py_metrics;

int dlab_py_metrics_open(dlab_py_metrics *metrics, PyObject *module, const char *model, PyObject *rows,
                         PyObject *buckets);
void dlab_py_metrics_close(dlab_py_metrics *metrics);
int dlab_py_metrics_load(const dlab_py_metrics *metrics, size_t row, void *to, dlab_error *err);
const uint64_t *dlab_py_metrics_buckets(const dlab_py_metrics *metrics);

/* Groups of rows: group g is index[offsets[g]] .. index[offsets[g + 1] - 1], all checked against rows. */
typedef struct dlab_py_groups {
    PyArrayObject *held_index, *held_offsets;
    const int64_t *index, *offsets;
    size_t count, longest;
} dlab_py_groups;

int dlab_py_groups_open(dlab_py_groups *groups, PyObject *index, PyObject *offsets, size_t rows);
void dlab_py_groups_close(dlab_py_groups *groups);

/* poll.c: time away from the interpreter. Between leave and back the GIL is released; poll may be called at
 * any rate and looks at signals, and reports progress, about every 50 ms. True: stop, an exception is set. */
typedef struct dlab_py_away {
    PyThreadState *thread;
    PyObject *progress; /* borrowed; NULL: nobody asked */
    Py_ssize_t total;
    struct timespec last;
    bool raised;
} dlab_py_away;

void dlab_py_leave(dlab_py_away *away);
bool dlab_py_poll(void *away, size_t done);
void dlab_py_back(dlab_py_away *away);
int dlab_py_report(dlab_py_away *away, size_t done); /* with the GIL held */

/* run.c: a 1-D array over the rows of a buffer, which is empty afterwards; token and progress of a call. */
PyObject *dlab_py_array_of(dlab_buffer *buffer, PyArray_Descr *dtype);
int dlab_py_helpers(dlab_py_state *state, PyObject *token, PyObject *progress, dlab_token **out,
                    dlab_py_away *away);

/* choose.c: who decides in the one run of a sweep; open sets the sweep's chooser and record, result adds what
 * they left to a dict: choices, skipped, incomplete. */
typedef struct dlab_py_chooser {
    dlab_chooser person; /* first: the core hands it back */
    dlab_py_away *away;
    PyObject *ask; /* borrowed */
    dlab_replay replay;
    PyArrayObject *list; /* what is replayed */
    dlab_choices record;
    dlab_memory memory;
} dlab_py_chooser;

int dlab_py_chooser_open(dlab_py_chooser *c, dlab_sweep *sweep, dlab_py_away *away, PyObject *choices,
                         int record, PyObject *ask);
int dlab_py_chooser_result(dlab_py_chooser *c, const dlab_sweep *sweep, PyObject *result);
void dlab_py_chooser_close(dlab_py_chooser *c);
PyObject *dlab_py_choice_kinds(void); /* names of the kinds, by number */

#endif
