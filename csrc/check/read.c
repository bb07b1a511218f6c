/* Forms become events of a history. What a log may say and what it may not is decided here and in
 * history.c, and every complaint names a line.
 *
 * Jepsen's conventions: processes are integers; `:nemesis` is the one that breaks things and asks nothing;
 * with independent keys a value is the pair [key value]; transactions are lists of [f key value] whose f is
 * a keyword. */
#include <distlab/history_text.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/notation.h"

enum { POLL_EVERY = 4096, SHOWN = 60 };

#define FIELDS(X) \
    X(PROCESS, "process") X(TYPE, "type") X(F, "f") X(KEY, "key") X(VALUE, "value") X(TIME, "time")
enum {
#define X(code, name) FIELD_##code,
    FIELDS(X)
#undef X
        FIELD_COUNT
};

static const char *const field_names[] = {
#define X(code, name) name,
    FIELDS(X)
#undef X
};

static const char *const type_names[] = {
#define X(code, name) name,
    DLAB_HISTORY_TYPES(X)
#undef X
};

static const char *const kind_names[] = {
#define X(code, name) name,
    DLAB_NODE_KINDS(X)
#undef X
};

/* An event to be sorted by time, and its place among the events of the text. */
typedef struct waiting {
    dlab_history_event event;
    uint64_t place;
} waiting;

typedef struct loader {
    dlab_history *history;
    const dlab_history_source *source;
    dlab_reader reader;
    dlab_buffer *nemesis;
    dlab_buffer waiting;
    dlab_buffer text; /* one value in print */
    int timed;        /* -1: no event yet */
    uint64_t events;  /* of clients */
    int64_t last;
    dlab_error *err;
} loader;

static const dlab_node *at(const loader *l, uint32_t k) { return &dlab_reader_nodes(&l->reader)[k]; }

/* A node as people would write it, cut; for error texts. */
static const char *shown(loader *l, uint32_t k, char text[SHOWN])
{
    l->text.count = 0;
    if (dlab_node_print(&l->reader, k, true, &l->text, NULL) != DLAB_OK) return "?";
    const bool cut = l->text.count >= SHOWN;
    const size_t length = cut ? SHOWN - 4 : l->text.count;
    memcpy(text, l->text.rows, length);
    (void)snprintf(text + length, SHOWN - length, "%s", cut ? "..." : "");
    return text;
}

/* A string is interned as it is, unless it could be taken for another kind of value. */
static int intern_string(loader *l, const char *text, size_t length, uint32_t *id)
{
    bool quote = false;
    dlab_error why = { .code = DLAB_OK };
    const int class = dlab_text_class(text, length, l->history->memory, &why);
    if (why.code != DLAB_OK) return dlab_fail(l->err, why.code, "%s", why.text);
    if (l->source->notation == DLAB_NOTATION_EDN) quote = class != DLAB_TEXT_PLAIN;
    else if (class == DLAB_TEXT_NUMBER) quote = dlab_text_is_json_number(text, length);
    else if (class == DLAB_TEXT_QUOTED) quote = dlab_text_needs_json_quotes(text, length);
    if (!quote) return dlab_history_intern(l->history, text, length, id, l->err);
    l->text.count = 0;
    const int code = dlab_print_string(&l->text, l->history->memory, text, length, l->err);
    return code != DLAB_OK ? code : dlab_history_intern(l->history, l->text.rows, l->text.count, id, l->err);
}

static int value_of(loader *l, uint32_t k, int micro, dlab_value *out);

/* Order of a set's elements: integers by size, then the rest by text. */
typedef struct element {
    dlab_value value;
    const char *texts;
    size_t start, length;
} element;

static int by_value(const void *x, const void *y)
{
    const element *a = x, *b = y;
    if (a->value.kind != b->value.kind) return a->value.kind < b->value.kind ? -1 : 1;
    if (a->value.kind < DLAB_VALUE_TEXT)
        return a->value.number < b->value.number ? -1 : a->value.number > b->value.number;
    const size_t both = a->length < b->length ? a->length : b->length;
    const int order = memcmp(a->texts + a->start, b->texts + b->start, both);
    return order != 0 ? order : a->length < b->length ? -1 : a->length > b->length;
}

/* The values of a set's elements, in the order of the text, are put in order. */
static int sort_set(loader *l, uint32_t k, dlab_value *values)
{
    const uint32_t count = at(l, k)->children;
    dlab_buffer buffer = { .row_size = sizeof(element) }, texts = { .row_size = 1 };
    int code = dlab_buffer_push(&buffer, l->history->memory, NULL, count, l->err);
    element *const e = (element *)(void *)buffer.rows;
    uint32_t child = k + 1;
    for (uint32_t i = 0; i < count && code == DLAB_OK; i++) {
        e[i].value = values[i];
        e[i].start = texts.count;
        if (values[i].kind >= DLAB_VALUE_TEXT)
            code = dlab_node_print(&l->reader, child, true, &texts, l->err);
        e[i].length = texts.count - e[i].start;
        child = at(l, child)->next;
    }
    for (uint32_t i = 0; i < count && code == DLAB_OK; i++) e[i].texts = texts.rows;
    if (count > 1 && code == DLAB_OK) qsort(e, count, sizeof *e, by_value);
    for (uint32_t i = 0; i < count && code == DLAB_OK; i++) {
        values[i] = e[i].value;
        if (i > 0 && by_value(&e[i - 1], &e[i]) == 0)
            code =
                dlab_reader_fail_at(&l->reader, at(l, k), "the set has an element twice; expected it once");
    }
    dlab_buffer_free(&buffer, l->history->memory);
    dlab_buffer_free(&texts, l->history->memory);
    return code;
}

/* A list, or a set as the sorted list of its elements. */
static int list_of(loader *l, uint32_t k, int micro, dlab_value *out)
{
    const uint32_t count = at(l, k)->children;
    dlab_buffer values = { .row_size = sizeof(dlab_value) };
    int code = dlab_buffer_push(&values, l->history->memory, NULL, count, l->err);
    dlab_value *const v = (dlab_value *)(void *)values.rows;
    uint32_t child = k + 1;
    for (uint32_t i = 0; i < count && code == DLAB_OK; i++) {
        code = value_of(l, child, micro == 2 ? 1 : micro == 1 && i == 0 ? 0 : -1, &v[i]);
        child = at(l, child)->next;
    }
    if (code == DLAB_OK && at(l, k)->kind == DLAB_NODE_SET) code = sort_set(l, k, v);
    if (code == DLAB_OK) code = dlab_history_list(l->history, v, count, out, l->err);
    dlab_buffer_free(&values, l->history->memory);
    return code;
}

/* A value of the history. micro: 2 for the list of a transaction, 1 for a part [f key value] of it, 0 for
 * that f, which is a name; -1 elsewhere. */
static int value_of(loader *l, uint32_t k, int micro, dlab_value *out)
{
    const dlab_node *node = at(l, k);
    uint32_t id = 0;
    int code;
    switch (node->kind) {
    case DLAB_NODE_NIL: *out = dlab_nil(); return DLAB_OK;
    case DLAB_NODE_BOOL: *out = dlab_bool(node->number != 0); return DLAB_OK;
    case DLAB_NODE_INT: *out = dlab_int(node->number); return DLAB_OK;
    case DLAB_NODE_LIST:
    case DLAB_NODE_SET: return list_of(l, k, micro, out);
    case DLAB_NODE_TEXT: code = intern_string(l, dlab_node_text(&l->reader, node), node->length, &id); break;
    case DLAB_NODE_KEYWORD:
        if (micro == 0) {
            code =
                dlab_history_intern(l->history, dlab_node_text(&l->reader, node), node->length, &id, l->err);
            break;
        }
        /* fall through */
    default:
        l->text.count = 0;
        code = dlab_node_print(&l->reader, k, false, &l->text, l->err);
        if (code == DLAB_OK) code = dlab_history_intern(l->history, l->text.rows, l->text.count, &id, l->err);
    }
    *out = dlab_text(id);
    return code;
}

static bool is_named(const dlab_node *node)
{
    return node->kind == DLAB_NODE_KEYWORD || node->kind == DLAB_NODE_TEXT || node->kind == DLAB_NODE_SYMBOL;
}

static bool is_text(const loader *l, const dlab_node *node, const char *text)
{
    return is_named(node) && node->length == strlen(text) &&
           memcmp(dlab_node_text(&l->reader, node), text, node->length) == 0;
}

/* The entries of an event by name; 0 where there is none. */
static int find_fields(loader *l, uint32_t map, uint32_t fields[FIELD_COUNT])
{
    uint32_t child = map + 1;
    memset(fields, 0, FIELD_COUNT * sizeof *fields);
    for (uint32_t i = 0; i < at(l, map)->children; i += 2) {
        const dlab_node *name = at(l, child);
        const uint32_t value = name->next;
        for (int f = 0; f < FIELD_COUNT; f++) {
            if (!is_text(l, name, field_names[f])) continue;
            if (fields[f] != 0)
                return dlab_reader_fail_at(&l->reader, name, "the event has %s twice; expected it once",
                                           field_names[f]);
            fields[f] = value;
        }
        child = at(l, value)->next;
    }
    return DLAB_OK;
}

/* An entry that must be there is not: say so, and which name may have been meant. */
static int missing(loader *l, uint32_t map, int field, const char *expected)
{
    uint32_t child = map + 1;
    char near[SHOWN] = "";
    for (uint32_t i = 0; i < at(l, map)->children && near[0] == '\0'; i += 2) {
        const dlab_node *name = at(l, child);
        char text[32];
        bool known = false;
        for (int f = 0; f < FIELD_COUNT; f++) known |= is_text(l, name, field_names[f]);
        if (is_named(name) && !known && name->length < sizeof text) {
            memcpy(text, dlab_node_text(&l->reader, name), name->length);
            text[name->length] = '\0';
            if (dlab_nearest_name(text, &field_names[field], 1) != NULL)
                (void)snprintf(near, sizeof near, "; is '%s' meant to be it?", text);
        }
        child = at(l, at(l, child)->next)->next;
    }
    return dlab_fail(l->err, DLAB_EINVAL, "line %" PRId64 ": the event has no %s; expected %s%s",
                     at(l, map)->line, field_names[field], expected, near);
}

static int type_of(loader *l, uint32_t map, uint32_t k, int32_t *out)
{
    char text[SHOWN];
    if (k == 0) return missing(l, map, FIELD_TYPE, "invoke, ok, fail or info");
    for (int32_t i = 0; i < 4; i++) {
        *out = i;
        if (is_text(l, at(l, k), type_names[i])) return DLAB_OK;
    }
    return dlab_reader_fail_at(&l->reader, at(l, k), "type is %s; expected invoke, ok, fail or info",
                               shown(l, k, text));
}

static int function_of(loader *l, uint32_t map, uint32_t k, uint32_t *out)
{
    char text[SHOWN];
    if (k == 0) return missing(l, map, FIELD_F, "the name of an operation such as read");
    const dlab_node *node = at(l, k);
    if (!is_named(node) || node->length == 0)
        return dlab_reader_fail_at(
            &l->reader, node, "f is %s; expected the name of an operation such as read", shown(l, k, text));
    return dlab_history_intern(l->history, dlab_node_text(&l->reader, node), node->length, out, l->err);
}

/* Either every event of a client has a time or none has; without, events are one nanosecond apart. */
static int time_of(loader *l, uint32_t map, uint32_t k, int64_t *out)
{
    char text[SHOWN];
    const bool there = k != 0 && at(l, k)->kind != DLAB_NODE_NIL;
    if (there && at(l, k)->kind != DLAB_NODE_INT)
        return dlab_reader_fail_at(&l->reader, at(l, k), "time is %s; expected a whole number of nanoseconds",
                                   shown(l, k, text));
    if (l->timed < 0) l->timed = there;
    if (there != (l->timed == 1))
        return dlab_fail(l->err, DLAB_EINVAL,
                         "line %" PRId64
                         ": the event has %s time while those before have %s; expected a time "
                         "in every event or in none",
                         at(l, map)->line, there ? "a" : "no", there ? "none" : "one");
    *out = there ? at(l, k)->number : (int64_t)l->events;
    return DLAB_OK;
}

static int key_and_value(loader *l, const uint32_t fields[FIELD_COUNT], dlab_history_event *e)
{
    uint32_t key = fields[FIELD_KEY], value = fields[FIELD_VALUE];
    int code = DLAB_OK;
    char text[SHOWN];
    if (l->source->independent) {
        const dlab_node *pair = value != 0 ? at(l, value) : NULL;
        if (key != 0)
            return dlab_reader_fail_at(&l->reader, at(l, key),
                                       "the event has a key; with independent keys expected it in the value, "
                                       "as [key value]");
        if (pair == NULL || pair->kind != DLAB_NODE_LIST || pair->children != 2)
            return dlab_fail(l->err, DLAB_EINVAL,
                             "line %" PRId64 ": value is %s; with independent keys expected [key value]",
                             e->line, pair != NULL ? shown(l, value, text) : "missing");
        key = value + 1;
        value = at(l, key)->next;
    }
    if (key != 0) code = value_of(l, key, -1, &e->key);
    if (code == DLAB_OK && value != 0) code = value_of(l, value, e->f == DLAB_F_TXN ? 2 : -1, &e->value);
    return code;
}

static int add(loader *l, dlab_history_event *e)
{
    l->events++;
    if (l->source->order == DLAB_TEXT_ORDER_TIMES && l->timed == 1)
        return dlab_buffer_push(&l->waiting, l->history->memory, &(waiting){ *e, l->events }, 1, l->err);
    if (l->source->order == DLAB_TEXT_ORDER_LINES && e->time < l->last) e->time = l->last;
    l->last = e->time;
    return dlab_history_event_add(l->history, e, l->err);
}

static int event(loader *l, uint32_t map)
{
    uint32_t fields[FIELD_COUNT];
    char text[SHOWN];
    if (at(l, map)->kind == DLAB_NODE_TAGGED) map++; /* #jepsen.history.Op{...} */
    if (at(l, map)->kind != DLAB_NODE_MAP)
        return dlab_reader_fail_at(&l->reader, at(l, map),
                                   "%s %s stands here; expected an event, a map with "
                                   "process, type, f and value",
                                   kind_names[at(l, map)->kind], shown(l, map, text));
    dlab_history_event e = { .line = at(l, map)->line };
    int code = find_fields(l, map, fields);
    const uint32_t process = fields[FIELD_PROCESS];
    if (code == DLAB_OK && process == 0) code = missing(l, map, FIELD_PROCESS, "an integer");
    if (code == DLAB_OK) code = type_of(l, map, fields[FIELD_TYPE], &e.type);
    if (code == DLAB_OK) code = function_of(l, map, fields[FIELD_F], &e.f);
    if (code != DLAB_OK) return code;
    if (is_text(l, at(l, process), "nemesis")) {
        const uint32_t time = fields[FIELD_TIME];
        e.process = (int64_t)l->events;
        e.time = time != 0 && at(l, time)->kind == DLAB_NODE_INT ? at(l, time)->number : 0;
        if (fields[FIELD_VALUE] != 0) code = value_of(l, fields[FIELD_VALUE], -1, &e.value);
        return code == DLAB_OK ? dlab_buffer_push(l->nemesis, l->history->memory, &e, 1, l->err) : code;
    }
    if (at(l, process)->kind != DLAB_NODE_INT)
        return dlab_reader_fail_at(&l->reader, at(l, process),
                                   "process is %s; expected an integer, or nemesis", shown(l, process, text));
    e.process = at(l, process)->number;
    code = time_of(l, map, fields[FIELD_TIME], &e.time);
    if (code == DLAB_OK) code = key_and_value(l, fields, &e);
    return code == DLAB_OK ? add(l, &e) : code;
}

static int by_time(const void *x, const void *y)
{
    const waiting *a = x, *b = y;
    if (a->event.time != b->event.time) return a->event.time < b->event.time ? -1 : 1;
    return a->place < b->place ? -1 : a->place > b->place;
}

static int add_sorted(loader *l)
{
    waiting *const w = (waiting *)(void *)l->waiting.rows;
    int code = DLAB_OK;
    if (l->waiting.count > 1) qsort(w, l->waiting.count, sizeof *w, by_time);
    for (size_t i = 0; i < l->waiting.count && code == DLAB_OK; i++)
        code = dlab_history_event_add(l->history, &w[i].event, l->err);
    return code;
}

static int load(loader *l)
{
    bool found = true;
    int code = DLAB_OK;
    while (code == DLAB_OK) {
        code = dlab_reader_next(&l->reader, &found);
        if (code != DLAB_OK || !found) break;
        code = event(l, 0);
        if (l->reader.forms % POLL_EVERY == 0 && l->source->poll != NULL &&
            l->source->poll(l->source->poll_arg, l->reader.forms))
            return dlab_fail(l->err, DLAB_ESTOP, "reading was stopped after %" PRIu64 " events",
                             l->reader.forms);
    }
    if (code == DLAB_OK) code = add_sorted(l);
    return code == DLAB_OK ? dlab_history_complete(l->history, l->err) : code;
}

int dlab_history_read(dlab_history *history, const dlab_history_source *source, dlab_buffer *nemesis,
                      bool *timed, dlab_error *err)
{
    loader l = { .history = history,
                 .source = source,
                 .nemesis = nemesis,
                 .waiting = { .row_size = sizeof(waiting) },
                 .text = { .row_size = 1 },
                 .timed = -1,
                 .last = INT64_MIN,
                 .err = err };
    int code =
        dlab_reader_open(&l.reader, source->text, source->length, source->notation, history->memory, err);
    if (code == DLAB_OK) code = load(&l);
    *timed = l.timed == 1;
    dlab_reader_close(&l.reader);
    dlab_buffer_free(&l.waiting, history->memory);
    dlab_buffer_free(&l.text, history->memory);
    return code;
}
