/* Building a history: events are paired by process into operations, or completed operations get their
 * places from their times. Every way an input can be malformed is an error that names the line and what
 * was expected.
 *
 * A process asks one thing at a time. After an `info` it may go on (a client that gave up and tries the
 * next thing): what it left behind stays open, as an operation of nobody. */
#include <distlab/history.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/words.h"

enum { TABLE_FIRST = 32, VALUE_TEXT = 60 };

/* One process seen: the operation it has open, NONE between operations. */
#define NONE UINT32_MAX
typedef struct process_slot {
    int64_t process, line;
    uint32_t open;
    bool used;
} process_slot;

static const char *const type_names[] = {
#define X(code, name) name,
    DLAB_HISTORY_TYPES(X)
#undef X
};

static dlab_operation *operations_of(dlab_history *h) { return (dlab_operation *)(void *)h->operations.rows; }

int dlab_history_open(dlab_history *history, dlab_memory *memory, dlab_error *err)
{
    static const char *const names[] = {
#define X(code, name) name,
        DLAB_FUNCTIONS(X)
#undef X
    };
    *history = (dlab_history){ .memory = memory,
                               .operations = { .row_size = sizeof(dlab_operation) },
                               .elements = { .row_size = sizeof(dlab_value) },
                               .texts = { .bytes = { .row_size = 1 }, .spans = { .row_size = 16 } },
                               .processes = { .row_size = sizeof(process_slot) },
                               .last_time = INT64_MIN };
    for (uint32_t f = 0, id; f < DLAB_F_COUNT; f++) {
        const int code = dlab_history_intern(history, names[f], strlen(names[f]), &id, err);
        if (code != DLAB_OK) {
            dlab_history_close(history);
            return code;
        }
    }
    return DLAB_OK;
}

void dlab_history_close(dlab_history *history)
{
    dlab_memory *m = history->memory;
    dlab_buffer_free(&history->operations, m);
    dlab_buffer_free(&history->elements, m);
    dlab_buffer_free(&history->texts.bytes, m);
    dlab_buffer_free(&history->texts.spans, m);
    dlab_buffer_free(&history->processes, m);
    dlab_memory_free(m, history->texts.slots, history->texts.slot_count * sizeof *history->texts.slots);
    history->texts.slots = NULL;
    history->texts.slot_count = 0;
}

static process_slot *find_slot(process_slot *slots, size_t count, int64_t process)
{
    size_t at = (size_t)dlab_hash_mix((uint64_t)process) & (count - 1);
    while (slots[at].used && slots[at].process != process) at = (at + 1) & (count - 1);
    return &slots[at];
}

/* The slot of a process, made when it is new; NULL with the error set. */
static process_slot *slot_of(dlab_history *h, int64_t process, dlab_error *err)
{
    if (2 * ((size_t)h->process_count + 1) > h->processes.count) {
        const size_t count = h->processes.count == 0 ? TABLE_FIRST : 2 * h->processes.count;
        dlab_buffer bigger = { .row_size = sizeof(process_slot) };
        if (dlab_buffer_push(&bigger, h->memory, NULL, count, err)) return NULL;
        process_slot *to = (process_slot *)(void *)bigger.rows;
        const process_slot *from = (const process_slot *)(const void *)h->processes.rows;
        for (size_t i = 0; i < h->processes.count; i++)
            if (from[i].used) *find_slot(to, count, from[i].process) = from[i];
        dlab_buffer_free(&h->processes, h->memory);
        h->processes = bigger;
    }
    process_slot *slot = find_slot((process_slot *)(void *)h->processes.rows, h->processes.count, process);
    if (!slot->used) {
        *slot = (process_slot){ .process = process, .open = NONE, .used = true };
        h->process_count++;
    }
    return slot;
}

static int invoke(dlab_history *h, const dlab_history_event *e, process_slot *slot, int64_t line,
                  dlab_error *err)
{
    if (slot->open != NONE)
        return dlab_fail(err, DLAB_EINVAL,
                         "line %" PRId64 ": process %" PRId64 " invokes %s while its %s of line %" PRId64
                         " has no answer; expected ok, fail or info of that first",
                         line, e->process, dlab_history_text(h, e->f, NULL),
                         dlab_history_text(h, operations_of(h)[slot->open].f, NULL), slot->line);
    const dlab_operation op = { .process = e->process,
                                .call = e->time,
                                .ret = DLAB_NEVER,
                                .key = e->key,
                                .argument = e->value,
                                .f = e->f,
                                .outcome = DLAB_HISTORY_INFO,
                                .called = h->events,
                                .returned = DLAB_NO_EVENT };
    const int code = dlab_buffer_push(&h->operations, h->memory, &op, 1, err);
    if (code != DLAB_OK) return code;
    slot->open = (uint32_t)h->operations.count - 1;
    slot->line = line;
    return DLAB_OK;
}

static int answer(dlab_history *h, const dlab_history_event *e, process_slot *slot, int64_t line,
                  dlab_error *err)
{
    if (slot->open == NONE)
        return dlab_fail(err, DLAB_EINVAL,
                         "line %" PRId64 ": process %" PRId64
                         " has %s of %s but nothing open; expected an invoke "
                         "of that process before it",
                         line, e->process, type_names[e->type], dlab_history_text(h, e->f, NULL));
    dlab_operation *op = &operations_of(h)[slot->open];
    if (op->f != e->f)
        return dlab_fail(err, DLAB_EINVAL,
                         "line %" PRId64 ": process %" PRId64
                         " has %s of %s; expected %s, which it invoked in "
                         "line %" PRId64,
                         line, e->process, type_names[e->type], dlab_history_text(h, e->f, NULL),
                         dlab_history_text(h, op->f, NULL), slot->line);
    if (e->key.kind != DLAB_VALUE_NIL && !dlab_value_equal(h, op->key, e->key)) {
        char asked[VALUE_TEXT], got[VALUE_TEXT];
        (void)dlab_value_format(h, op->key, asked, sizeof asked);
        (void)dlab_value_format(h, e->key, got, sizeof got);
        return dlab_fail(err, DLAB_EINVAL,
                         "line %" PRId64 ": process %" PRId64
                         " has %s for key %s; expected key %s of line %" PRId64,
                         line, e->process, type_names[e->type], got, asked, slot->line);
    }
    op->result = e->value;
    op->outcome = e->type;
    op->ret = e->time;
    op->returned = h->events;
    slot->open = NONE;
    return DLAB_OK;
}

int dlab_history_event_add(dlab_history *history, const dlab_history_event *event, dlab_error *err)
{
    const int64_t line = event->line != 0 ? event->line : (int64_t)history->events + 1;
    if (event->type < DLAB_HISTORY_INVOKE || event->type > DLAB_HISTORY_INFO)
        return dlab_fail(err, DLAB_ERANGE, "line %" PRId64 ": type %d is none of invoke, ok, fail, info",
                         line, event->type);
    if (history->events >= DLAB_HISTORY_EVENTS)
        return dlab_fail(err, DLAB_ELIMIT, "line %" PRId64 ": a history holds %d events at most", line,
                         DLAB_HISTORY_EVENTS);
    if (event->f >= history->texts.spans.count)
        return dlab_fail(err, DLAB_ERANGE, "line %" PRId64 ": function %u is no text of this history", line,
                         event->f);
    if (event->time < history->last_time)
        return dlab_fail(err, DLAB_EINVAL,
                         "line %" PRId64 ": time %" PRId64
                         " ns lies before that of the event in front, %" PRId64
                         " ns; expected events in real-time order",
                         line, event->time, history->last_time);
    process_slot *slot = slot_of(history, event->process, err);
    if (slot == NULL) return err ? err->code : DLAB_ENOMEM;
    const int code = event->type == DLAB_HISTORY_INVOKE ? invoke(history, event, slot, line, err)
                                                        : answer(history, event, slot, line, err);
    if (code != DLAB_OK) return code;
    history->last_time = event->time;
    history->events++;
    history->ordered = true;
    return DLAB_OK;
}

int dlab_history_operation_add(dlab_history *history, const dlab_operation *operation, dlab_error *err)
{
    const size_t row = history->operations.count + 1;
    dlab_operation op = *operation;
    if (history->ordered)
        return dlab_fail(err, DLAB_EINVAL, "operation %zu: this history is made of events; expected an event",
                         row);
    if (op.outcome < DLAB_HISTORY_OK || op.outcome > DLAB_HISTORY_INFO)
        return dlab_fail(err, DLAB_ERANGE, "operation %zu: outcome %d is none of ok, fail, info", row,
                         op.outcome);
    if (op.ret < op.call)
        return dlab_fail(err, DLAB_EINVAL,
                         "operation %zu: it returns at %" PRId64 " ns, before its call at %" PRId64
                         " ns; expected a time from then on",
                         row, op.ret, op.call);
    if (op.ret == DLAB_NEVER && op.outcome != DLAB_HISTORY_INFO)
        return dlab_fail(err, DLAB_EINVAL, "operation %zu: %s without a time; expected one, or outcome info",
                         row, type_names[op.outcome]);
    if (op.f >= history->texts.spans.count)
        return dlab_fail(err, DLAB_ERANGE, "operation %zu: function %u is no text of this history", row,
                         op.f);
    if (row > DLAB_HISTORY_EVENTS / 2)
        return dlab_fail(err, DLAB_ELIMIT, "operation %zu: a history holds %d at most", row,
                         DLAB_HISTORY_EVENTS / 2);
    return dlab_buffer_push(&history->operations, history->memory, &op, 1, err);
}

/* An end of an operation; at equal times calls come first, so operations that touch are concurrent. */
typedef struct end {
    int64_t time;
    uint32_t operation;
    uint32_t is_return;
} end;

static int by_time(const void *x, const void *y)
{
    const end *a = x, *b = y;
    if (a->time != b->time) return a->time < b->time ? -1 : 1;
    if (a->is_return != b->is_return) return a->is_return ? 1 : -1;
    return a->operation < b->operation ? -1 : a->operation > b->operation;
}

static int by_call(const void *x, const void *y)
{
    const dlab_operation *a = x, *b = y;
    return a->called < b->called ? -1 : a->called > b->called;
}

/* Places from times, then operations in the order of their calls. */
static int place(dlab_history *h, dlab_error *err)
{
    const size_t n = h->operations.count;
    dlab_operation *ops = operations_of(h);
    dlab_buffer ends = { .row_size = sizeof(end) };
    const int code = dlab_buffer_push(&ends, h->memory, NULL, 2 * n, err);
    if (code != DLAB_OK) return code;
    end *const all = (end *)(void *)ends.rows;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        all[count++] = (end){ ops[i].call, (uint32_t)i, 0 };
        ops[i].returned = DLAB_NO_EVENT;
        if (ops[i].ret != DLAB_NEVER) all[count++] = (end){ ops[i].ret, (uint32_t)i, 1 };
    }
    if (count > 0) qsort(all, count, sizeof *all, by_time);
    for (size_t k = 0; k < count; k++) {
        if (all[k].is_return) ops[all[k].operation].returned = (uint32_t)k;
        else ops[all[k].operation].called = (uint32_t)k;
    }
    h->events = (uint32_t)count;
    dlab_buffer_free(&ends, h->memory);
    if (n > 0) qsort(ops, n, sizeof *ops, by_call);
    h->ordered = true;
    return DLAB_OK;
}

int dlab_history_complete(dlab_history *history, dlab_error *err)
{
    dlab_buffer_free(&history->processes, history->memory);
    history->process_count = 0;
    return history->ordered ? DLAB_OK : place(history, err);
}

int dlab_history_events(const dlab_history *history, dlab_buffer *events, dlab_error *err)
{
    const size_t first = events->count;
    int64_t last = INT64_MIN;
    if (history->events == 0) return DLAB_OK;
    int code = dlab_buffer_push(events, history->memory, NULL, history->events, err);
    if (code != DLAB_OK) return code;
    dlab_history_event *out = (dlab_history_event *)(void *)events->rows + first;
    for (size_t i = 0; i < history->operations.count; i++) {
        const dlab_operation *op = dlab_history_at(history, i);
        const dlab_history_event e = {
            .time = op->call, .process = op->process, .key = op->key, .value = op->argument, .f = op->f
        };
        out[op->called] = e;
        if (op->returned == DLAB_NO_EVENT) continue;
        out[op->returned] = e;
        out[op->returned].time = op->ret;
        out[op->returned].type = op->outcome;
        out[op->returned].value = op->result;
    }
    for (uint32_t k = 0; k < history->events; k++) {
        code = DLAB_CHECK(err, out[k].time >= last);
        if (code != DLAB_OK) return code;
        last = out[k].time;
        out[k].line = k + 1;
    }
    return DLAB_OK;
}
