/* What the rows of a sweep leave behind, put in row order, so that nothing in a result tells which thread
 * made it. */
#include <stdlib.h>
#include <string.h>

#include "app/job.h"

enum { PARALLEL_BYTES = 1 << 21 }; /* less is copied faster than threads start */

dlab_histogram *dlab_job_histogram(const job *j, int k, size_t row)
{
    return (dlab_histogram *)(void *)((char *)j->sweep->metrics + row * j->model->metrics_size +
                                      j->metrics.fields[j->histograms[k]].offset);
}

static int by_row(const void *a, const void *b)
{
    const uint64_t x = ((const dlab_failure *)a)->row, y = ((const dlab_failure *)b)->row;
    return (x > y) - (x < y);
}

int dlab_job_failures(job *j, dlab_error *err)
{
    dlab_sweep *s = j->sweep;
    const size_t fatal = atomic_load(&j->fatal_row);
    for (unsigned i = 0; i < j->n_workers; i++) {
        const worker *w = &j->workers[i];
        if (w->fatal.error.code != DLAB_OK && w->fatal.row == fatal) {
            s->failed_row = fatal;
            if (s->row_count == 1) return dlab_fail(err, w->fatal.error.code, "%s", w->fatal.error.text);
            return dlab_fail(err, w->fatal.error.code, "row %zu (point %zu, rep %zu): %s", fatal,
                             fatal / s->reps, fatal % s->reps, w->fatal.error.text);
        }
        if (w->failures.count > 0 &&
            dlab_buffer_push(&s->failures, &s->memory, w->failures.rows, w->failures.count, err))
            return err->code;
    }
    if (s->failures.count > 0) qsort(s->failures.rows, s->failures.count, sizeof(dlab_failure), by_row);
    if (atomic_load(&j->stop) != 0)
        return dlab_fail(err, DLAB_ESTOP, "%s: stopped after %zu of %zu rows", j->model->name,
                         (size_t)atomic_load(&j->done), s->row_count);
    return DLAB_OK;
}

/* Room for exactly count rows. */
static int reserve(dlab_buffer *b, dlab_memory *memory, size_t count, dlab_error *err)
{
    if (count == 0) return DLAB_OK;
    b->rows = dlab_memory_realloc(memory, NULL, 0, count * b->row_size, err);
    b->capacity = b->rows == NULL ? 0 : count;
    return b->rows == NULL ? err->code : DLAB_OK;
}

/* Copy the cells of the rows that worker `index` ran to where they belong; each worker its own. */
static void copy_cells(void *arg, unsigned index)
{
    job *j = arg;
    const dlab_buffer *from = &j->workers[index].buckets;
    for (size_t row = 0; row < j->sweep->row_count; row++) {
        uint64_t to = j->cells_at[row];
        if (j->owner[row] != index) continue;
        for (int k = 0; k < j->n_histograms; k++) {
            dlab_histogram *h = dlab_job_histogram(j, k, row);
            if (h->used == 0) {
                h->cells.at = 0; /* else it would tell how far this worker had come */
                continue;
            }
            memcpy(j->sweep->buckets.rows + to * sizeof(uint64_t),
                   from->rows + h->cells.at * sizeof(uint64_t), h->used * sizeof(uint64_t));
            h->cells.at = to;
            to += h->used;
        }
    }
}

static void nothing(void *arg) { (void)arg; }

static int gather_cells(job *j, dlab_error *err)
{
    dlab_sweep *s = j->sweep;
    const size_t bytes = s->row_count * sizeof *j->cells_at;
    size_t total = 0;
    if (j->n_histograms == 0) return DLAB_OK;
    j->cells_at = dlab_memory_realloc(&s->memory, NULL, 0, bytes, err);
    if (j->cells_at == NULL) return err->code;
    for (size_t row = 0; row < s->row_count; row++) {
        j->cells_at[row] = total;
        for (int k = 0; k < j->n_histograms; k++) total += dlab_job_histogram(j, k, row)->used;
    }
    if (reserve(&s->buckets, &s->memory, total, err) == DLAB_OK) {
        s->buckets.count = total;
        if (total * sizeof(uint64_t) >= PARALLEL_BYTES)
            dlab_parallel_run(j->n_workers, copy_cells, nothing, j);
        else
            for (unsigned w = 0; w < j->n_workers; w++) copy_cells(j, w);
    }
    dlab_memory_free(&s->memory, j->cells_at, bytes);
    return err->code;
}

static int gather_table(job *j, int t, dlab_error *err)
{
    dlab_sweep *s = j->sweep;
    dlab_kept *out = &s->outputs[t];
    const size_t size = out->rows.row_size;
    size_t total = 0;
    for (unsigned i = 0; i < j->n_workers; i++) total += j->workers[i].outputs[t].count;
    if (reserve(&out->rows, &s->memory, total, err)) return err->code;
    for (size_t row = 0; row < s->row_count; row++) {
        const dlab_span *p = &j->spans[row * (size_t)j->n_tables + (size_t)t];
        if (p->count > 0)
            memcpy(out->rows.rows + out->rows.count * size,
                   j->workers[j->owner[row]].outputs[t].rows + p->first * size, (size_t)p->count * size);
        out->rows.count += (size_t)p->count;
        out->offsets[row + 1] = out->rows.count;
    }
    return DLAB_OK;
}

int dlab_job_gather(job *j, dlab_error *err)
{
    if (gather_cells(j, err)) return err->code;
    for (int t = 0; t < j->n_tables; t++)
        if ((j->sweep->wanted >> t & 1u) != 0 && gather_table(j, t, err)) return err->code;
    return DLAB_OK;
}
