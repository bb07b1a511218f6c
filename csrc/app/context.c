/* What a run may ask of its context: work charged, rows emitted, table rows with their blanks
 * filled, and the two things every caller does with a row of parameters: defaults and checks. */
#include <string.h>

#include "app/app.h"

int dlab_watch_poll(struct dlab_watch *watch)
{
    if (atomic_load_explicit(watch->stop, memory_order_relaxed) != 0) return 1;
    const bool cancelled =
        watch->token != NULL && atomic_load_explicit(&watch->token->cancelled, memory_order_relaxed) != 0;
    if (!cancelled) {
        if (watch->host == NULL) return 0;
        if (!watch->host->poll(watch->host->arg,
                               atomic_load_explicit(watch->rows_done, memory_order_relaxed)))
            return 0;
    }
    atomic_store(watch->stop, 1);
    return 1;
}

int dlab_step_slow(dlab_ctx *ctx)
{
    if (ctx->steps >= ctx->steps_max)
        return dlab_fail(&ctx->err, DLAB_ELIMIT, "%s: the budget of %llu steps is spent", ctx->model->name,
                         (unsigned long long)ctx->steps_max);
    if (ctx->watch != NULL && dlab_watch_poll(ctx->watch) != 0)
        return dlab_fail(&ctx->err, DLAB_ESTOP, "%s: stopped", ctx->model->name);
    ctx->poll_at = ctx->steps + DLAB_POLL_STEPS;
    if (ctx->poll_at > ctx->steps_max) ctx->poll_at = ctx->steps_max;
    return DLAB_OK;
}

int dlab_emit(dlab_ctx *ctx, int k, const void *row)
{
    if (!dlab_wants(ctx, k)) return DLAB_OK;
    const size_t size = ctx->model->outputs[k].row_size;
    if (ctx->output_bytes + size > ctx->output_max) {
        ctx->output_full = true;
        return dlab_fail(&ctx->err, DLAB_ELIMIT, "%s: keeping '%s' takes more than %zu bytes",
                         ctx->model->name, ctx->model->outputs[k].name, ctx->output_max);
    }
    ctx->output_bytes += size;
    return dlab_buffer_push(&ctx->outputs[k], ctx->output_memory, row, 1, &ctx->err);
}

/* Fill the blank cells of one row and check every cell. */
static int fill_row(dlab_ctx *ctx, const dlab_table *table, const dlab_layout *params, void *row,
                    size_t number)
{
    for (const dlab_field *c = table->columns; c->name != NULL; c++) {
        if (dlab_field_is_blank(c, row)) {
            const dlab_field *same = NULL;
            for (int i = 0; i < params->count && same == NULL; i++)
                if (strcmp(params->names[i], c->name) == 0 && params->fields[i].type == c->type)
                    same = &params->fields[i];
            if (same != NULL) {
                dlab_field_copy(c, row, same, ctx->params);
            } else if (c->optional) {
                dlab_field_set_off(c, row);
            } else {
                return dlab_fail(&ctx->err, DLAB_ERANGE,
                                 "row %zu of table '%s': %s is blank and no parameter "
                                 "of that name stands in for it",
                                 number, table->name, c->name);
            }
        }
        dlab_error cell = { .code = DLAB_OK };
        if (dlab_field_check(c, row, ctx->pool, &cell))
            return dlab_fail(&ctx->err, cell.code, "row %zu of table '%s': %s", number, table->name,
                             cell.text);
    }
    return DLAB_OK;
}

const void *dlab_table_rows(dlab_ctx *ctx, const dlab_table *table, dlab_ref ref, size_t *count)
{
    *count = 0;
    if (ref.count == 0) return NULL;
    dlab_layout *params = dlab_alloc(ctx, 1, sizeof *params);
    char *rows = params == NULL ? NULL : dlab_alloc(ctx, ref.count, table->row_size);
    if (rows == NULL || dlab_layout_init(params, ctx->model->params, &ctx->err)) return NULL;
    const dlab_rows *from = &ctx->pool->tables[ref.table];
    memcpy(rows, (const char *)from->rows + ref.first * table->row_size, ref.count * table->row_size);
    for (uint32_t i = 0; i < ref.count; i++) {
        if (dlab_step(ctx, 1) || fill_row(ctx, table, params, rows + i * table->row_size, i)) return NULL;
    }
    *count = ref.count;
    return rows;
}

int dlab_params_default(const dlab_model *model, void *params, dlab_error *err)
{
    dlab_layout layout;
    memset(params, 0, model->params_size);
    if (dlab_layout_init(&layout, model->params, err)) return err != NULL ? err->code : DLAB_EBROKEN;
    for (int i = 0; i < layout.count; i++) {
        const int code = dlab_field_set_default(&layout.fields[i], params, err);
        if (code) return code;
    }
    return DLAB_OK;
}

int dlab_params_check(const dlab_model *model, const dlab_layout *layout, const void *params,
                      const dlab_pool *pool, dlab_error *err)
{
    for (int i = 0; i < layout->count; i++) {
        dlab_error field = { .code = DLAB_OK };
        if (dlab_field_check(&layout->fields[i], params, pool, &field))
            return dlab_fail(err, field.code, "%s: %s", model->name, field.text);
    }
    if (model->check == NULL) return DLAB_OK;
    dlab_error cross = { .code = DLAB_OK };
    if (model->check(params, pool, &cross))
        return dlab_fail(err, cross.code, "%s: %s", model->name, cross.text);
    return DLAB_OK;
}
