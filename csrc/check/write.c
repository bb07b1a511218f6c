/* Histories as text: one event a line, in EDN as Jepsen writes it or in JSON. What is read back is the same
 * history: places, values, texts. */
#include <distlab/history_text.h>

#include <stdio.h>
#include <string.h>

#include "check/notation.h"

typedef struct writer {
    const dlab_history *history;
    const dlab_history_style *style;
    dlab_memory *memory;
    dlab_buffer *out;
    dlab_buffer classes; /* of each text: DLAB_TEXT_* and 1, 0 while nobody asked; uint8_t */
    dlab_error *err;
} writer;

static const char *const type_names[] = {
#define X(code, name) name,
    DLAB_HISTORY_TYPES(X)
#undef X
};

static int put(writer *w, const char *text, size_t length)
{
    return dlab_buffer_push(w->out, w->memory, text, length, w->err);
}

static int put_text(writer *w, const char *text) { return put(w, text, strlen(text)); }

static int put_number(writer *w, int64_t n)
{
    char text[24], *at = text + sizeof text;
    uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    do *--at = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (n < 0) *--at = '-';
    return put(w, at, (size_t)(text + sizeof text - at));
}

static bool is_edn(const writer *w) { return w->style->notation == DLAB_NOTATION_EDN; }

static int class_of(writer *w, uint32_t id, const char *text, size_t length, int *class)
{
    uint8_t *known = (uint8_t *)w->classes.rows + id;
    if (*known == 0) {
        dlab_error why = { .code = DLAB_OK };
        *known = (uint8_t)(dlab_text_class(text, length, w->memory, &why) + 1);
        if (why.code != DLAB_OK) return dlab_fail(w->err, why.code, "%s", why.text);
    }
    *class = *known - 1;
    return DLAB_OK;
}

static int put_interned(writer *w, uint32_t id)
{
    size_t length;
    const char *const text = dlab_history_text(w->history, id, &length);
    int class = DLAB_TEXT_PLAIN;
    const int code = class_of(w, id, text, length, &class);
    if (code != DLAB_OK) return code;
    if (is_edn(w)) {
        const bool special = length > 2 && length < 7 && (text[length - 1] == 'N' || text[length - 1] == 'f');
        if (class == DLAB_TEXT_PLAIN) return dlab_print_string(w->out, w->memory, text, length, w->err);
        const size_t sign = class == DLAB_TEXT_SYMBOL ? 1 : class == DLAB_TEXT_NUMBER && !special ? 2 : 0;
        return put(w, text + sign, length - sign);
    }
    if (class == DLAB_TEXT_NUMBER && dlab_text_is_json_number(text, length)) {
        if (strcmp(text, "##NaN") == 0) return put_text(w, "NaN");
        if (strcmp(text, "##Inf") == 0) return put_text(w, "Infinity");
        if (strcmp(text, "##-Inf") == 0) return put_text(w, "-Infinity");
        return put(w, text + 2, length - 2);
    }
    if (class == DLAB_TEXT_QUOTED && dlab_text_needs_json_quotes(text, length)) return put(w, text, length);
    return dlab_print_string(w->out, w->memory, text, length, w->err);
}

/* A name: keyword in EDN where it can be one, else a string. */
static int put_name(writer *w, uint32_t id)
{
    size_t length;
    const char *const text = dlab_history_text(w->history, id, &length);
    if (!is_edn(w) || !dlab_text_is_name(text, length))
        return dlab_print_string(w->out, w->memory, text, length, w->err);
    const int code = put(w, ":", 1);
    return code == DLAB_OK ? put(w, text, length) : code;
}

/* micro as in read.c. */
static int put_value(writer *w, dlab_value v, int micro)
{
    switch (v.kind) {
    case DLAB_VALUE_INT: return put_number(w, v.number);
    case DLAB_VALUE_BOOL: return put_text(w, v.number ? "true" : "false");
    case DLAB_VALUE_TEXT:
        return micro == 0 ? put_name(w, (uint32_t)v.number) : put_interned(w, (uint32_t)v.number);
    case DLAB_VALUE_LIST: break;
    default: return put_text(w, is_edn(w) ? "nil" : "null");
    }
    int code = put(w, "[", 1);
    for (uint32_t i = 0; i < v.count && code == DLAB_OK; i++) {
        if (i > 0) code = put_text(w, is_edn(w) ? " " : ", ");
        const dlab_value part = dlab_history_elements(w->history, v)[i];
        if (code == DLAB_OK) code = put_value(w, part, micro == 2 ? 1 : micro == 1 && i == 0 ? 0 : -1);
    }
    return code == DLAB_OK ? put(w, "]", 1) : code;
}

/* The name of an entry, behind a comma where one is due. */
static int put_field(writer *w, const char *name, bool first)
{
    int code = first ? DLAB_OK : put(w, ", ", 2);
    if (code == DLAB_OK) code = put_text(w, is_edn(w) ? ":" : "\"");
    if (code == DLAB_OK) code = put_text(w, name);
    return code == DLAB_OK ? put_text(w, is_edn(w) ? " " : "\": ") : code;
}

static int put_key_and_value(writer *w, const dlab_history_event *e)
{
    const int micro = e->f == DLAB_F_TXN ? 2 : -1;
    int code = DLAB_OK;
    const bool pair = w->style->independent;
    if (!pair && e->key.kind != DLAB_VALUE_NIL) {
        code = put_field(w, "key", false);
        if (code == DLAB_OK) code = put_value(w, e->key, -1);
    }
    if (code == DLAB_OK) code = put_field(w, "value", false);
    if (code == DLAB_OK && pair) code = put(w, "[", 1);
    if (code == DLAB_OK && pair) code = put_value(w, e->key, -1);
    if (code == DLAB_OK && pair) code = put_text(w, is_edn(w) ? " " : ", ");
    if (code == DLAB_OK) code = put_value(w, e->value, micro);
    return code == DLAB_OK && pair ? put(w, "]", 1) : code;
}

static int put_event(writer *w, const dlab_history_event *e, bool nemesis, int64_t index)
{
    int code = put(w, "{", 1);
    if (code == DLAB_OK) code = put_field(w, "process", true);
    if (code == DLAB_OK && nemesis) code = put_text(w, is_edn(w) ? ":nemesis" : "\"nemesis\"");
    else if (code == DLAB_OK) code = put_number(w, e->process);
    if (code == DLAB_OK) code = put_field(w, "type", false);
    if (code == DLAB_OK) code = put_text(w, is_edn(w) ? ":" : "\"");
    if (code == DLAB_OK) code = put_text(w, type_names[e->type]);
    if (code == DLAB_OK && !is_edn(w)) code = put(w, "\"", 1);
    if (code == DLAB_OK) code = put_field(w, "f", false);
    if (code == DLAB_OK) code = put_name(w, e->f);
    if (code == DLAB_OK && !nemesis) code = put_key_and_value(w, e);
    if (code == DLAB_OK && nemesis) code = put_field(w, "value", false);
    if (code == DLAB_OK && nemesis) code = put_value(w, e->value, -1);
    if (code == DLAB_OK && w->style->timed) code = put_field(w, "time", false);
    if (code == DLAB_OK && w->style->timed) code = put_number(w, e->time);
    if (code == DLAB_OK) code = put_field(w, "index", false);
    if (code == DLAB_OK) code = put_number(w, index);
    return code == DLAB_OK ? put(w, "}\n", 2) : code;
}

static int put_all(writer *w, const dlab_buffer *events, const dlab_buffer *nemesis)
{
    const dlab_history_event *const e = (const dlab_history_event *)(const void *)events->rows;
    const size_t others = nemesis != NULL ? nemesis->count : 0;
    const dlab_history_event *const n =
        others > 0 ? (const dlab_history_event *)(const void *)nemesis->rows : NULL;
    int64_t index = 0;
    int code = DLAB_OK;
    for (size_t k = 0, next = 0; k <= events->count && code == DLAB_OK; k++) {
        for (; next < others && (n[next].process <= (int64_t)k || k == events->count) && code == DLAB_OK;
             next++)
            code = put_event(w, &n[next], true, index++);
        if (k < events->count && code == DLAB_OK) code = put_event(w, &e[k], false, index++);
    }
    return code;
}

int dlab_history_write(const dlab_history *history, const dlab_buffer *nemesis,
                       const dlab_history_style *style, dlab_buffer *text, dlab_error *err)
{
    dlab_buffer events = { .row_size = sizeof(dlab_history_event) };
    writer w = { .history = history,
                 .style = style,
                 .memory = history->memory,
                 .out = text,
                 .classes = { .row_size = 1 },
                 .err = err };
    int code = dlab_history_events(history, &events, err);
    if (code == DLAB_OK) code = dlab_buffer_push(&w.classes, w.memory, NULL, history->texts.spans.count, err);
    if (code == DLAB_OK) code = put_all(&w, &events, nemesis);
    dlab_buffer_free(&events, w.memory);
    dlab_buffer_free(&w.classes, w.memory);
    return code;
}
