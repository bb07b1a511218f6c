/* The texts and values of a history. A text is interned: kept once, named by its place, found by its
 * content through an open-addressing table, so that equal texts have equal ids and values compare as
 * numbers. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <distlab/history.h>

#include "check/words.h"

enum { TABLE_FIRST = 64, NESTING_MAX = 8 };

typedef struct span {
    uint64_t start;
    uint32_t length, hash;
} span;

static uint32_t hash_text(const char *text, size_t length)
{
    uint64_t h = length, word = 0;
    for (; length >= sizeof word; length -= sizeof word, text += sizeof word) {
        memcpy(&word, text, sizeof word);
        h = dlab_hash_mix(h ^ word);
    }
    word = 0;
    if (length > 0) memcpy(&word, text, length);
    return (uint32_t)(dlab_hash_mix(h ^ word) >> 32);
}

static const span *spans_of(const dlab_texts *t) { return (const span *)(const void *)t->spans.rows; }

static int grow_table(dlab_history *history, dlab_error *err)
{
    dlab_texts *t = &history->texts;
    const uint32_t count = t->slot_count == 0 ? TABLE_FIRST : 2 * t->slot_count;
    dlab_error why = { 0 };
    uint32_t *slots = dlab_memory_realloc(history->memory, NULL, 0, count * sizeof *slots, &why);
    if (slots == NULL) return dlab_fail(err, why.code, "%s", why.text);
    memset(slots, 0, count * sizeof *slots);
    for (uint32_t id = 0; id < t->spans.count; id++) {
        uint32_t at = spans_of(t)[id].hash & (count - 1);
        while (slots[at] != 0) at = (at + 1) & (count - 1);
        slots[at] = id + 1;
    }
    dlab_memory_free(history->memory, t->slots, t->slot_count * sizeof *slots);
    t->slots = slots;
    t->slot_count = count;
    return DLAB_OK;
}

int dlab_history_intern(dlab_history *history, const char *text, size_t length, uint32_t *id, dlab_error *err)
{
    dlab_texts *t = &history->texts;
    if (length > UINT32_MAX / 2 || t->spans.count >= DLAB_HISTORY_EVENTS)
        return dlab_fail(err, DLAB_ELIMIT,
                         "a text of %zu bytes, or text number %zu, is more than a history holds", length,
                         t->spans.count);
    if (2 * (t->spans.count + 1) > t->slot_count && grow_table(history, err))
        return err ? err->code : DLAB_ENOMEM;
    const uint32_t hash = hash_text(text, length);
    uint32_t at = hash & (t->slot_count - 1);
    for (; t->slots[at] != 0; at = (at + 1) & (t->slot_count - 1)) {
        const span *s = &spans_of(t)[t->slots[at] - 1];
        if (s->hash != hash || s->length != length) continue;
        if (length > 0 && memcmp(t->bytes.rows + s->start, text, length) != 0) continue;
        *id = t->slots[at] - 1;
        return DLAB_OK;
    }
    const span new = { .start = t->bytes.count, .length = (uint32_t)length, .hash = hash };
    int code = dlab_buffer_push(&t->bytes, history->memory, text, length, err);
    if (code == DLAB_OK) code = dlab_buffer_push(&t->bytes, history->memory, "", 1, err);
    if (code == DLAB_OK) code = dlab_buffer_push(&t->spans, history->memory, &new, 1, err);
    if (code != DLAB_OK) {
        t->bytes.count = (size_t) new.start;
        return code;
    }
    *id = (uint32_t)t->spans.count - 1;
    t->slots[at] = *id + 1;
    return DLAB_OK;
}

const char *dlab_history_text(const dlab_history *history, uint32_t id, size_t *length)
{
    if (id >= history->texts.spans.count) {
        if (length != NULL) *length = 0;
        return "";
    }
    const span *s = &spans_of(&history->texts)[id];
    if (length != NULL) *length = s->length;
    return history->texts.bytes.rows + s->start;
}

int dlab_history_list(dlab_history *history, const dlab_value *values, size_t count, dlab_value *out,
                      dlab_error *err)
{
    if (count > UINT32_MAX) return dlab_fail(err, DLAB_ELIMIT, "a list of %zu elements is too long", count);
    *out = (dlab_value){ .number = (int64_t)history->elements.count,
                         .count = (uint32_t)count,
                         .kind = DLAB_VALUE_LIST };
    /* The values may lie in the elements table itself, which moves when it grows. */
    dlab_buffer *elements = &history->elements;
    const uintptr_t start = (uintptr_t)elements->rows, from = (uintptr_t)values;
    const bool inside = start != 0 && from >= start && from < start + elements->count * sizeof *values;
    const int code = dlab_buffer_push(elements, history->memory, NULL, count, err);
    if (code != DLAB_OK || count == 0) return code;
    memcpy(elements->rows + (size_t)out->number * sizeof *values,
           inside ? elements->rows + (from - start) : (const char *)values, count * sizeof *values);
    return DLAB_OK;
}

const dlab_value *dlab_history_elements(const dlab_history *history, dlab_value list)
{
    return (const dlab_value *)(const void *)history->elements.rows + list.number;
}

bool dlab_value_equal(const dlab_history *history, dlab_value a, dlab_value b)
{
    if (a.kind != b.kind || a.count != b.count) return false;
    if (a.kind != DLAB_VALUE_LIST) return a.number == b.number;
    const dlab_value *x = dlab_history_elements(history, a), *y = dlab_history_elements(history, b);
    for (uint32_t i = 0; i < a.count; i++)
        if (!dlab_value_equal(history, x[i], y[i])) return false;
    return true;
}

static int format(const dlab_history *h, dlab_value v, char *text, size_t size, int depth)
{
    switch (v.kind) {
    case DLAB_VALUE_INT: return snprintf(text, size, "%" PRId64, v.number);
    case DLAB_VALUE_BOOL: return snprintf(text, size, "%s", v.number ? "true" : "false");
    case DLAB_VALUE_TEXT:
        return snprintf(text, size, "\"%s\"", dlab_history_text(h, (uint32_t)v.number, NULL));
    case DLAB_VALUE_LIST: break;
    default: return snprintf(text, size, "nil");
    }
    if (depth == NESTING_MAX) return snprintf(text, size, "[...]");
    int used = snprintf(text, size, "[");
    for (uint32_t i = 0; i < v.count; i++) {
        const size_t at = (size_t)used < size ? (size_t)used : size;
        if (i > 0) used += snprintf(text + at, size - at, " ");
        const size_t next = (size_t)used < size ? (size_t)used : size;
        used += format(h, dlab_history_elements(h, v)[i], text + next, size - next, depth + 1);
    }
    const size_t at = (size_t)used < size ? (size_t)used : size;
    return used + snprintf(text + at, size - at, "]");
}

int dlab_value_format(const dlab_history *history, dlab_value value, char *text, size_t size)
{
    return format(history, value, text, size, 0);
}
