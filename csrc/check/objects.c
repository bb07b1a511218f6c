/* The objects behind made-up histories: registers, sequences, sets, queues, stacks, counters and locks,
 * and the textbook way each goes wrong: a read of what was there before, an update that is acknowledged
 * and lost, an element handed out twice, a lock granted while somebody holds it. */
#include "check/objects.h"

#include <string.h>

int dlab_objects_open(dlab_objects *objects, const dlab_generator *generator, dlab_history *history,
                      dlab_error *err)
{
    *objects = (dlab_objects){ .count = (size_t)generator->keys,
                               .kind = generator->kind,
                               .memory = history->memory,
                               .history = history,
                               .err = err };
    objects->at = dlab_memory_realloc(history->memory, NULL, 0, objects->count * sizeof *objects->at, err);
    if (objects->at == NULL) {
        objects->count = 0;
        return err ? err->code : DLAB_ENOMEM;
    }
    memset(objects->at, 0, objects->count * sizeof *objects->at);
    for (size_t k = 0; k < objects->count; k++)
        objects->at[k].items.row_size = generator->kind == DLAB_GENERATOR_KEY_VALUE ? 1 : sizeof(int64_t);
    return DLAB_OK;
}

void dlab_objects_close(dlab_objects *objects)
{
    for (size_t k = 0; k < objects->count; k++) dlab_buffer_free(&objects->at[k].items, objects->memory);
    dlab_memory_free(objects->memory, objects->at, objects->count * sizeof *objects->at);
}

static int64_t *items_of(const dlab_object *o) { return (int64_t *)(void *)o->items.rows; }

static void set_value(dlab_object *o, int64_t value)
{
    o->before = o->value;
    o->was_set = o->is_set;
    o->value = value;
    o->is_set = true;
}

static int register_apply(dlab_object *o, const dlab_history *h, dlab_operation *op, bool defect,
                          bool *planted)
{
    if (op->f == DLAB_F_WRITE) {
        if (!defect) set_value(o, op->argument.number);
        else *planted = !o->is_set || o->value != op->argument.number;
    } else if (op->f == DLAB_F_CAS) {
        const dlab_value *pair = dlab_history_elements(h, op->argument);
        if (!o->is_set || o->value != pair[0].number) op->outcome = DLAB_HISTORY_FAIL;
        else if (!defect) set_value(o, pair[1].number);
        else *planted = pair[0].number != pair[1].number;
    } else {
        const bool differs = o->is_set != o->was_set || o->value != o->before;
        const bool stale = defect && differs;
        op->result = (stale ? o->was_set : o->is_set) ? dlab_int(stale ? o->before : o->value) : dlab_nil();
        *planted = stale;
    }
    return DLAB_OK;
}

/* A transaction over several registers: its parts in order. */
static int transaction_apply(dlab_objects *s, dlab_operation *op, bool defect, bool *planted)
{
    dlab_value after = op->argument;
    int code = dlab_history_list(s->history, dlab_history_elements(s->history, op->argument),
                                 op->argument.count, &after, s->err);
    for (uint32_t i = 0; i < op->argument.count && code == DLAB_OK; i++) {
        dlab_value part[3];
        memcpy(part, dlab_history_elements(s->history, dlab_history_elements(s->history, op->argument)[i]),
               sizeof part);
        dlab_operation one = { .f = part[0].number == DLAB_F_W ? DLAB_F_WRITE : DLAB_F_READ,
                               .argument = part[2],
                               .result = part[2] };
        bool went_wrong = false;
        code = register_apply(&s->at[part[1].number], s->history, &one, defect, &went_wrong);
        *planted |= went_wrong;
        part[2] = one.result;
        dlab_value whole;
        if (code == DLAB_OK) code = dlab_history_list(s->history, part, 3, &whole, s->err);
        if (code == DLAB_OK)
            memcpy(s->history->elements.rows + ((size_t)after.number + i) * sizeof whole, &whole,
                   sizeof whole);
    }
    op->result = after;
    return code;
}

/* Text that grows, or is replaced by a put. */
static int text_apply(dlab_objects *s, dlab_object *o, dlab_operation *op, bool defect, bool *planted)
{
    if (op->f == DLAB_F_GET) {
        const size_t length = defect ? o->shorter : o->items.count;
        uint32_t id = 0;
        *planted = length != o->items.count;
        const char *text = o->items.rows != NULL ? o->items.rows : "";
        const int code = dlab_history_intern(s->history, text, length, &id, s->err);
        op->result = o->is_set ? dlab_text(id) : dlab_nil();
        return code;
    }
    *planted = defect;
    if (defect) return DLAB_OK;
    size_t length;
    const char *text = dlab_history_text(s->history, (uint32_t)op->argument.number, &length);
    o->is_set = true;
    o->shorter = op->f == DLAB_F_PUT ? 0 : o->items.count;
    if (op->f == DLAB_F_PUT) o->items.count = 0;
    return dlab_buffer_push(&o->items, s->memory, text, length, s->err);
}

/* A list of everything from `head` on, less the last `without`. */
static int list_result(dlab_objects *s, const dlab_object *o, size_t without, dlab_value *out)
{
    dlab_buffer *elements = &s->history->elements;
    const size_t first = elements->count, count = o->items.count - without;
    const int code = dlab_buffer_push(elements, s->memory, NULL, count, s->err);
    if (code != DLAB_OK) return code;
    dlab_value *to = (dlab_value *)(void *)elements->rows + first;
    for (size_t i = 0; i < count; i++) to[i] = dlab_int(items_of(o)[i]);
    *out = (dlab_value){ .number = (int64_t)first, .count = (uint32_t)count, .kind = DLAB_VALUE_LIST };
    return DLAB_OK;
}

static int list_apply(dlab_objects *s, dlab_object *o, dlab_operation *op, bool defect, bool *planted)
{
    if (op->f == DLAB_F_READ) {
        *planted = defect && o->items.count > 0;
        return list_result(s, o, *planted ? 1 : 0, &op->result);
    }
    *planted = defect;
    return defect ? DLAB_OK : dlab_buffer_push(&o->items, s->memory, &op->argument.number, 1, s->err);
}

static int set_apply(dlab_objects *s, dlab_object *o, dlab_operation *op, bool defect, bool *planted)
{
    size_t at = 0;
    while (at < o->items.count && items_of(o)[at] != op->argument.number) at++;
    const bool found = at < o->items.count;
    if (op->f == DLAB_F_CONTAINS) {
        op->result = dlab_bool(found != defect);
        *planted = defect;
    } else if (op->f == DLAB_F_READ) {
        *planted = defect && o->items.count > 0;
        return list_result(s, o, *planted ? 1 : 0, &op->result);
    } else if (op->f == DLAB_F_ADD ? !found : found) {
        *planted = defect;
        if (defect) return DLAB_OK;
        if (!found) return dlab_buffer_push(&o->items, s->memory, &op->argument.number, 1, s->err);
        items_of(o)[at] = items_of(o)[--o->items.count];
    }
    return DLAB_OK;
}

static int line_apply(dlab_objects *s, dlab_object *o, dlab_operation *op, bool defect, bool *planted)
{
    *planted = defect;
    if (op->f == DLAB_F_ENQUEUE || op->f == DLAB_F_PUSH)
        return defect ? DLAB_OK : dlab_buffer_push(&o->items, s->memory, &op->argument.number, 1, s->err);
    op->result = dlab_nil();
    *planted = defect && o->items.count > o->head;
    if (o->items.count == o->head) return DLAB_OK;
    const bool queue = op->f == DLAB_F_DEQUEUE;
    op->result = dlab_int(items_of(o)[queue ? o->head : o->items.count - 1]);
    if (defect) return DLAB_OK;
    if (queue) o->head++;
    else o->items.count--;
    return DLAB_OK;
}

static int counter_apply(dlab_object *o, dlab_operation *op, bool defect, bool *planted)
{
    if (op->f == DLAB_F_ADD) {
        *planted = defect;
        if (!defect) set_value(o, o->value + op->argument.number);
        return DLAB_OK;
    }
    *planted = defect && o->value != o->before;
    op->result = dlab_int(*planted ? o->before : o->value);
    return DLAB_OK;
}

static int mutex_apply(dlab_object *o, dlab_operation *op, bool defect, bool *planted)
{
    if (op->f == DLAB_F_RELEASE) {
        o->is_set = false;
    } else if (o->is_set && !defect) {
        op->outcome = DLAB_HISTORY_FAIL;
    } else {
        *planted = o->is_set;
        o->is_set = true;
    }
    return DLAB_OK;
}

int dlab_objects_apply(dlab_objects *objects, dlab_operation *operation, bool defect, bool *planted)
{
    dlab_object *o = objects->at;
    if (operation->key.kind == DLAB_VALUE_INT) o += operation->key.number;
    operation->outcome = DLAB_HISTORY_OK;
    *planted = false;
    switch (objects->kind) {
    case DLAB_GENERATOR_MULTI_REGISTER: return transaction_apply(objects, operation, defect, planted);
    case DLAB_GENERATOR_KEY_VALUE: return text_apply(objects, o, operation, defect, planted);
    case DLAB_GENERATOR_LIST_APPEND: return list_apply(objects, o, operation, defect, planted);
    case DLAB_GENERATOR_SET: return set_apply(objects, o, operation, defect, planted);
    case DLAB_GENERATOR_QUEUE:
    case DLAB_GENERATOR_STACK: return line_apply(objects, o, operation, defect, planted);
    case DLAB_GENERATOR_COUNTER: return counter_apply(o, operation, defect, planted);
    case DLAB_GENERATOR_MUTEX: return mutex_apply(o, operation, defect, planted);
    default: return register_apply(o, objects->history, operation, defect, planted);
    }
}
