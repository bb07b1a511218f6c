/* The state of a running sweep, shared by sweep.c (running), gather.c (collecting) and enumerate.c (one row
 * over and over). */
#ifndef DISTLAB_JOB_H
#define DISTLAB_JOB_H
#include "app/app.h"

/* Where one row's output rows lie in its worker's buffer. */
typedef struct dlab_span {
    uint64_t first, count;
} dlab_span;

typedef struct worker {
    dlab_memory memory;        /* of the run: its arena */
    dlab_memory kept;          /* of histogram cells and failures */
    dlab_memory output_memory; /* of output rows */
    dlab_ctx ctx;
    dlab_buffer buckets, failures, outputs[DLAB_TABLES_MAX];
    dlab_failure fatal; /* the failure that ends the sweep; code 0: none */
    struct dlab_watch watch;
    void *params;
    uint64_t since_poll;
} worker;

typedef struct job {
    dlab_sweep *sweep;
    const dlab_model *model;
    dlab_layout params, metrics;
    int histograms[DLAB_FIELDS_MAX], n_histograms, n_tables;
    unsigned n_workers;
    worker *workers;
    uint16_t *owner;                /* which worker ran a row */
    dlab_span *spans;               /* n_tables for each row */
    dlab_chooser *chooser, drawing; /* of the one row that has one; drawing: nobody decides, all is noted */
    uint64_t *cells_at;             /* while gathering: where the cells of each row begin */
    size_t keep_max;
    atomic_size_t next, done, kept_bytes;
    atomic_size_t fatal_row; /* lowest row whose failure ends the sweep */
    atomic_int stop;
} job;

/* Make a zeroed job ready to run rows; close it in any case. */
int dlab_job_open(job *j, dlab_sweep *sweep, dlab_error *err);
void dlab_job_close(job *j);

/* Run one row on a worker: metrics and output rows are written, histogram cells kept by the worker. The error
 * stays in the worker's context. */
int dlab_job_row(job *j, worker *w, size_t row);

/* Histogram metric k of a row. */
dlab_histogram *dlab_job_histogram(const job *j, int k, size_t row);

/* Collect failures in row order; nonzero when the sweep as a whole failed or was stopped. */
int dlab_job_failures(job *j, dlab_error *err);

/* Collect output rows and histogram cells in row order, whoever made them. */
int dlab_job_gather(job *j, dlab_error *err);

#endif
