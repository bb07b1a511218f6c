/* The sweep: workers claim rows from one counter, each row runs in a fresh context on its own key,
 * and what the rows leave behind (histogram cells, output rows, failures) is gathered in row order
 * at the end. So no result can know which thread ran it. Each worker copies its row of parameters
 * and checks the copy, because the caller's memory may change while the sweep runs. */
#include <string.h>

#include "app/job.h"

enum { CLAIM_MAX = 256, WORKERS_MAX = 256 };

static int count_tables(const dlab_model *m)
{
    int n = 0;
    while (m->outputs != NULL && m->outputs[n].name != NULL) n++;
    return n;
}

/* Note where each table stands before a row, or how far the row has brought it. */
static void mark_tables(job *j, worker *w, size_t row, bool before)
{
    for (int t = 0; t < j->n_tables; t++) {
        dlab_span *s = &j->spans[row * (size_t)j->n_tables + (size_t)t];
        if (before) s->first = w->outputs[t].count;
        else s->count = w->outputs[t].count - s->first;
    }
}

/* Rows kept by all workers together must fit: whether they do depends on the sweep alone, not on threads. */
static int count_kept(job *j, worker *w, size_t row)
{
    size_t bytes = 0;
    for (int t = 0; t < j->n_tables; t++)
        bytes += (size_t)j->spans[row * (size_t)j->n_tables + (size_t)t].count * w->outputs[t].row_size;
    if (bytes == 0 || atomic_fetch_add(&j->kept_bytes, bytes) + bytes <= j->keep_max) return DLAB_OK;
    w->ctx.output_full = true;
    return dlab_fail(&w->ctx.err, DLAB_ELIMIT, "%s: the output rows kept take more than %zu bytes",
                     j->model->name, j->keep_max);
}

/* Move the cells of the row's histograms out of the arena. */
static int pack_histograms(job *j, worker *w, size_t row)
{
    for (int k = 0; k < j->n_histograms; k++) {
        dlab_histogram *h = dlab_job_histogram(j, k, row);
        if (h->cells.counts != NULL && dlab_histogram_pack(h, &w->buckets, &w->kept, &w->ctx.err))
            return w->ctx.err.code;
    }
    return DLAB_OK;
}

/* Whatever part of the core complained, the text says which model was running. */
static int name_model(dlab_ctx *ctx, int code)
{
    const char *name = ctx->model->name;
    if (ctx->err.code == DLAB_OK) return dlab_fail(&ctx->err, code, "%s: failed without a reason", name);
    if (strncmp(ctx->err.text, name, strlen(name)) != 0) {
        const dlab_error told = ctx->err;
        ctx->err.code = DLAB_OK;
        (void)dlab_fail(&ctx->err, told.code, "%s: %s", name, told.text);
    }
    return ctx->err.code;
}

int dlab_job_row(job *j, worker *w, size_t row)
{
    const dlab_sweep *s = j->sweep;
    dlab_ctx *ctx = &w->ctx;
    char *metrics = (char *)s->metrics + row * j->model->metrics_size;
    dlab_arena_reset(&ctx->arena);
    mark_tables(j, w, row, true);
    ctx->key = s->keys[row];
    ctx->err.code = DLAB_OK;
    ctx->err.text[0] = '\0';
    ctx->output_full = false;
    ctx->fingerprint = 0;
    ctx->steps = 0;
    ctx->poll_at = ctx->steps_max < DLAB_POLL_STEPS ? ctx->steps_max : DLAB_POLL_STEPS;
    memcpy(w->params, (const char *)s->params + row / s->reps * j->model->params_size, j->model->params_size);
    memset(metrics, 0, j->model->metrics_size);
    if (dlab_params_check(j->model, &j->params, w->params, &s->pool, &ctx->err)) return ctx->err.code;
    const int code = j->model->run(w->params, metrics, ctx);
    if (code != DLAB_OK || ctx->err.code != DLAB_OK) return name_model(ctx, code ? code : DLAB_EBROKEN);
    if (s->fingerprints != NULL) s->fingerprints[row] = ctx->fingerprint;
    mark_tables(j, w, row, false);
    if (count_kept(j, w, row)) return ctx->err.code;
    return pack_histograms(j, w, row) ? name_model(ctx, ctx->err.code) : DLAB_OK;
}

/* End the sweep with this row's error, unless a lower row already does. */
static void end_sweep(job *j, worker *w, const dlab_failure *failure)
{
    const size_t row = (size_t)failure->row;
    size_t lowest = atomic_load(&j->fatal_row);
    if (w->fatal.error.code == DLAB_OK || failure->row < w->fatal.row) w->fatal = *failure;
    while (row < lowest && !atomic_compare_exchange_weak(&j->fatal_row, &lowest, row)) {}
}

/* A failed row is zeroed. Under a mask it is recorded; without one no row behind the lowest failing row
 * matters any more, but every row before it still runs, so that the error reported does not depend on
 * timing. */
static void fail_row(job *j, worker *w, size_t row)
{
    dlab_failure failure = { .row = row, .error = w->ctx.err };
    const bool full = w->ctx.output_full;
    memset((char *)j->sweep->metrics + row * j->model->metrics_size, 0, j->model->metrics_size);
    if (j->sweep->fingerprints != NULL) j->sweep->fingerprints[row] = 0;
    for (int t = 0; t < j->n_tables; t++) {
        dlab_span *s = &j->spans[row * (size_t)j->n_tables + (size_t)t];
        w->ctx.output_bytes -= (w->outputs[t].count - s->first) * w->outputs[t].row_size;
        w->outputs[t].count = s->first;
        s->count = 0;
    }
    if (failure.error.code == DLAB_ESTOP) {
        atomic_store(&j->stop, 1);
    } else if (!j->sweep->mask_errors || full) {
        end_sweep(j, w, &failure);
    } else {
        dlab_failure lost = { .row = row };
        if (dlab_buffer_push(&w->failures, &w->kept, &failure, 1, &lost.error)) end_sweep(j, w, &lost);
    }
}

/* Rows to claim at once: many when they are plenty, one near the end. */
static size_t claim(job *j, size_t *first)
{
    const size_t total = j->sweep->row_count, seen = atomic_load(&j->next);
    size_t n = seen < total ? (total - seen) / (8u * j->n_workers) : 0;
    n = n < 1 ? 1 : n > CLAIM_MAX ? CLAIM_MAX : n;
    *first = atomic_fetch_add(&j->next, n);
    if (*first >= total) return 0;
    return *first + n > total ? total - *first : n;
}

static void work(void *arg, unsigned index)
{
    job *j = arg;
    worker *w = &j->workers[index];
    size_t first, n;
    while (atomic_load(&j->stop) == 0 && (n = claim(j, &first)) > 0 && first < atomic_load(&j->fatal_row)) {
        for (size_t row = first; row < first + n; row++) {
            if (atomic_load(&j->stop) != 0 || row >= atomic_load(&j->fatal_row)) break;
            j->owner[row] = (uint16_t)index;
            if (dlab_job_row(j, w, row) != DLAB_OK) fail_row(j, w, row);
            atomic_fetch_add_explicit(&j->done, 1, memory_order_relaxed);
            w->since_poll += w->ctx.steps + 64; /* short rows never reach a poll of their own */
            if (w->since_poll >= DLAB_POLL_STEPS) {
                w->since_poll = 0;
                (void)dlab_watch_poll(&w->watch);
            }
        }
    }
}

static void idle(void *arg) { (void)dlab_watch_poll(&((job *)arg)->workers[0].watch); }

static int open_workers(job *j, dlab_error *err)
{
    dlab_sweep *s = j->sweep;
    j->workers = dlab_memory_realloc(&s->memory, NULL, 0, j->n_workers * sizeof(worker), err);
    if (j->workers == NULL) return err->code;
    memset(j->workers, 0, j->n_workers * sizeof(worker));
    for (unsigned i = 0; i < j->n_workers; i++) {
        worker *w = &j->workers[i];
        w->memory =
            (dlab_memory){ .budget = s->memory_max ? s->memory_max : (size_t)1 << 30, .fail_at = s->fail_at };
        w->kept = (dlab_memory){ .fail_at = s->fail_at };
        w->output_memory = (dlab_memory){ .fail_at = s->fail_at };
        w->watch = (struct dlab_watch){
            .token = s->token, .host = i == 0 ? s->host : NULL, .stop = &j->stop, .rows_done = &j->done
        };
        w->buckets.row_size = sizeof(uint64_t);
        w->failures.row_size = sizeof(dlab_failure);
        for (int t = 0; t < j->n_tables; t++) w->outputs[t].row_size = j->model->outputs[t].row_size;
        w->ctx = (dlab_ctx){ .arena = { .memory = &w->memory },
                             .pool = &s->pool,
                             .model = j->model,
                             .outputs = w->outputs,
                             .output_memory = &w->output_memory,
                             .output_max = j->keep_max,
                             .wanted = s->wanted,
                             .watch = &w->watch,
                             .chooser = j->chooser,
                             .steps_max = s->steps_max ? s->steps_max : UINT64_MAX };
        w->params = dlab_memory_realloc(&s->memory, NULL, 0, j->model->params_size, err);
        if (w->params == NULL) return err->code;
        w->ctx.params = w->params;
    }
    return DLAB_OK;
}

void dlab_job_close(job *j)
{
    dlab_memory *memory = &j->sweep->memory;
    for (unsigned i = 0; j->workers != NULL && i < j->n_workers; i++) {
        worker *w = &j->workers[i];
        dlab_arena_free(&w->ctx.arena);
        dlab_buffer_free(&w->buckets, &w->kept);
        dlab_buffer_free(&w->failures, &w->kept);
        for (int t = 0; t < j->n_tables; t++) dlab_buffer_free(&w->outputs[t], &w->output_memory);
        if (w->params != NULL) dlab_memory_free(memory, w->params, j->model->params_size);
    }
    if (j->workers != NULL) dlab_memory_free(memory, j->workers, j->n_workers * sizeof(worker));
    if (j->owner != NULL) dlab_memory_free(memory, j->owner, j->sweep->row_count * sizeof *j->owner);
    if (j->spans != NULL)
        dlab_memory_free(memory, j->spans, j->sweep->row_count * (size_t)j->n_tables * sizeof *j->spans);
}

/* A list of choices is one run's: whoever decides, or writes them down, sees one row. */
static int open_chooser(job *j, dlab_error *err)
{
    const dlab_sweep *s = j->sweep;
    if (s->chooser == NULL && s->record == NULL) return DLAB_OK;
    if (s->row_count > 1)
        return dlab_fail(err, DLAB_EINVAL, "%s: choices belong to one run, not to %zu rows", s->model->name,
                         s->row_count);
    j->drawing = (dlab_chooser){ .pick = NULL };
    j->chooser = s->chooser != NULL ? s->chooser : &j->drawing;
    if (s->record != NULL) j->chooser->record = s->record;
    return DLAB_OK;
}

int dlab_job_open(job *j, dlab_sweep *s, dlab_error *err)
{
    j->sweep = s;
    j->model = s->model;
    const size_t rows = s->row_count;
    const unsigned cores = s->threads ? s->threads : dlab_cores();
    j->n_workers = cores > rows ? (unsigned)(rows ? rows : 1) : cores > WORKERS_MAX ? WORKERS_MAX : cores;
    j->keep_max = s->keep_max ? s->keep_max : (size_t)1 << 30;
    atomic_store(&j->fatal_row, SIZE_MAX);
    j->n_tables = count_tables(j->model);
    if (DLAB_CHECK(err, j->n_tables <= DLAB_TABLES_MAX) ||
        DLAB_CHECK(err, s->reps >= 1 && rows % s->reps == 0) ||
        dlab_layout_init(&j->params, j->model->params, err) ||
        dlab_layout_init(&j->metrics, j->model->metrics, err) || open_chooser(j, err))
        return err->code;
    for (int i = 0; i < j->metrics.count; i++)
        if (j->metrics.fields[i].type == DLAB_HISTOGRAM) j->histograms[j->n_histograms++] = i;
    s->buckets = (dlab_buffer){ .row_size = sizeof(uint64_t) };
    s->failures = (dlab_buffer){ .row_size = sizeof(dlab_failure) };
    for (int t = 0; t < j->n_tables; t++) {
        s->outputs[t] = (dlab_kept){ .rows = { .row_size = j->model->outputs[t].row_size } };
        if ((s->wanted >> t & 1u) == 0) continue;
        s->outputs[t].offsets = dlab_memory_realloc(&s->memory, NULL, 0, (rows + 1) * sizeof(uint64_t), err);
        if (s->outputs[t].offsets == NULL) return err->code;
        s->outputs[t].offsets[0] = 0;
    }
    if (rows == 0) return DLAB_OK;
    j->owner = dlab_memory_realloc(&s->memory, NULL, 0, rows * sizeof *j->owner, err);
    if (j->owner != NULL && j->n_tables > 0)
        j->spans =
            dlab_memory_realloc(&s->memory, NULL, 0, rows * (size_t)j->n_tables * sizeof *j->spans, err);
    return j->owner == NULL || (j->n_tables > 0 && j->spans == NULL) ? err->code : open_workers(j, err);
}

int dlab_sweep_run(dlab_sweep *s, dlab_error *err)
{
    dlab_error own = { .code = DLAB_OK };
    if (err == NULL) err = &own;
    job *j =
        dlab_memory_realloc(&s->memory, NULL, 0, sizeof *j, err); /* layouts are too big for a small stack */
    if (j == NULL) return err->code;
    memset(j, 0, sizeof *j);
    s->failed_row = SIZE_MAX;
    if (dlab_job_open(j, s, err) == DLAB_OK && s->row_count > 0) {
        dlab_parallel_run(j->n_workers, work, idle, j);
        if (dlab_job_failures(j, err) == DLAB_OK) (void)dlab_job_gather(j, err);
    }
    dlab_job_close(j);
    dlab_memory_free(&s->memory, j, sizeof *j);
    if (err->code != DLAB_OK) dlab_sweep_free(s);
    return err->code;
}

void dlab_sweep_free(dlab_sweep *s)
{
    dlab_buffer_free(&s->buckets, &s->memory);
    dlab_buffer_free(&s->failures, &s->memory);
    for (int t = 0; t < DLAB_TABLES_MAX; t++) {
        dlab_buffer_free(&s->outputs[t].rows, &s->memory);
        if (s->outputs[t].offsets != NULL)
            dlab_memory_free(&s->memory, s->outputs[t].offsets, (s->row_count + 1) * sizeof(uint64_t));
        s->outputs[t].offsets = NULL;
    }
}
