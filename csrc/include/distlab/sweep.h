/* A sweep: rows of parameter structs and a column of keys in, rows of metric structs out, on threads.
 * A row's result depends on its parameters and its key alone: never on threads, order or chunks. */
#ifndef DISTLAB_SWEEP_H
#define DISTLAB_SWEEP_H
#include <distlab/model.h>
#include <distlab/statistics.h>

/* Every model of this build, NULL-terminated, and one of them by name (NULL with DLAB_ENAME). */
extern const dlab_model *const dlab_models[];
const dlab_model *dlab_model_find(const char *name, dlab_error *err);

/* Is this the descriptor of a model, built for this version of the library? One's own models pass here before
 * they run: ABI, name, what is missing, fields outside of their structs. */
int dlab_model_check(const dlab_model *model, dlab_error *err);

/* Fill a row with defaults; check a row (ranges, then the model's own rules). */
int dlab_params_default(const dlab_model *model, void *params, dlab_error *err);
int dlab_params_check(const dlab_model *model, const dlab_layout *layout, const void *params,
                      const dlab_pool *pool, dlab_error *err);

/* What the caller lends: poll is called on the calling thread often (it limits itself); true: stop. */
typedef struct dlab_host {
    bool (*poll)(void *arg, size_t rows_done);
    void *arg;
} dlab_host;

/* A cancel token: any thread may set it; the sweep stops within 100 ms. */
typedef struct dlab_token {
    _Atomic int cancelled;
} dlab_token;

/* A row that failed (only with mask_errors). */
typedef struct dlab_failure {
    uint64_t row;
    dlab_error error;
} dlab_failure;

/* Rows of one output table over all rows of the sweep; row i owns offsets[i] .. offsets[i + 1] - 1. */
typedef struct dlab_kept {
    dlab_buffer rows;
    uint64_t *offsets; /* row_count + 1 of them; NULL: not wanted */
} dlab_kept;

typedef struct dlab_sweep {
    /* in */
    const dlab_model *model;
    const void *params;   /* row_count / reps rows of model->params_size bytes */
    const uint64_t *keys; /* row_count keys: row i runs params[i / reps] with keys[i] */
    size_t row_count, reps;
    dlab_pool pool;
    uint32_t wanted;       /* output tables to keep */
    unsigned threads;      /* 0: one for each core this process may use */
    uint64_t steps_max;    /* per row; 0: no limit */
    size_t memory_max;     /* bytes of one run; 0: 1 GiB */
    size_t keep_max;       /* bytes of all kept output rows; 0: 1 GiB */
    bool mask_errors;      /* a failing row is recorded and zeroed instead of ending the sweep */
    uint64_t fail_at;      /* tests: the n-th allocation of a worker fails */
    const dlab_host *host; /* may be NULL */
    dlab_token *token;     /* may be NULL */
    dlab_chooser *chooser; /* who decides, of one row alone; NULL: everything is drawn */
    dlab_choices *record;  /* gets the choices of one row alone; NULL: nobody asks */
    /* out */
    void *metrics;          /* row_count rows of model->metrics_size bytes, the caller's */
    uint64_t *fingerprints; /* row_count of them, the caller's; 0: no events; NULL: nobody asks */
    dlab_buffer buckets;    /* uint64_t cells of all histograms, in row order */
    dlab_kept outputs[DLAB_TABLES_MAX];
    dlab_buffer failures; /* dlab_failure rows in row order */
    size_t failed_row;    /* with DLAB_OK != result: the lowest failing row, or SIZE_MAX */
    dlab_memory memory;   /* accounts for the out buffers */
} dlab_sweep;

/* Run it. Nonzero with *err set; the out buffers are then empty. */
int dlab_sweep_run(dlab_sweep *sweep, dlab_error *err);

/* Give the out buffers back. */
void dlab_sweep_free(dlab_sweep *sweep);

/* Cores this process may use: affinity mask and cgroup quota, at least 1. */
unsigned dlab_cores(void);

/* Metrics as columns: a ratio is one column, an estimate NAME and NAME_se, a histogram NAME_mean,
 * NAME_p50, _p90, _p95, _p99, _p999 and _max. */
typedef enum dlab_part_of { DLAB_WHOLE, DLAB_SE, DLAB_MEAN, DLAB_QUANTILE, DLAB_MAX } dlab_part_of;
typedef struct dlab_column {
    char name[DLAB_NAME_MAX + 8];
    int field; /* index into the layout of the metrics */
    dlab_part_of part;
    double q; /* quantile */
} dlab_column;
enum { DLAB_COLUMNS_MAX = 512 };

int dlab_columns(const dlab_layout *metrics, dlab_column *columns,
                 dlab_error *err); /* how many; < 0: error */

/* A column by name; nonzero with DLAB_ENAME that names the nearest one. owner is for the text. */
int dlab_column_find(const dlab_layout *metrics, const char *name, const char *owner, dlab_column *column,
                     dlab_error *err);

/* One column of one row, in SI units. */
double dlab_column_value(const dlab_layout *metrics, const dlab_column *column, const void *row,
                         const uint64_t *buckets);

/* One column merged over the n repetitions rows[0 .. n - 1]: ratios by parts, histograms by buckets; the
 * interval is Student's t over repetitions (for a quantile: over the repetitions' own quantiles around the
 * quantile of the merged histogram). One repetition: an estimate brings its own, all else has none (NaN). */
int dlab_column_merge(const dlab_layout *metrics, const dlab_column *column, const void *const *rows,
                      size_t n, const uint64_t *buckets, double confidence, dlab_interval *out,
                      dlab_error *err);

/* Resample a series table: for each row of the sweep the value column at each of n_times, holding the last
 * value (NaN before the first). values is row_count x n_times. */
int dlab_series_resample(const dlab_table *table, const dlab_kept *output, size_t row_count, int column,
                         const double *times, size_t n_times, double *values, dlab_error *err);

#endif
