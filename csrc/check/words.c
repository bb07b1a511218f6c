/* Interned vectors of words: one long array of words, one row per vector, an open-addressing table of ids. */
#include "check/words.h"

#include <stdbool.h>
#include <string.h>

enum { TABLE_FIRST = 64 };

typedef struct span {
    uint64_t start;
    uint32_t count, hash;
} span;

void dlab_words_open(dlab_words *set, dlab_memory *memory)
{
    *set = (dlab_words){ .memory = memory,
                         .words = { .row_size = sizeof(uint32_t) },
                         .spans = { .row_size = sizeof(span) } };
}

void dlab_words_close(dlab_words *set)
{
    dlab_buffer_free(&set->words, set->memory);
    dlab_buffer_free(&set->spans, set->memory);
    dlab_memory_free(set->memory, set->slots, set->slot_count * sizeof *set->slots);
    set->slots = NULL;
    set->slot_count = 0;
}

static const span *spans_of(const dlab_words *set) { return (const span *)(const void *)set->spans.rows; }

const uint32_t *dlab_words_at(const dlab_words *set, uint32_t id, uint32_t *count)
{
    const span *s = &spans_of(set)[id];
    static const uint32_t nothing[1];
    *count = s->count;
    if (s->count == 0) return nothing;
    return (const uint32_t *)(const void *)set->words.rows + s->start;
}

static bool grow(dlab_words *set, dlab_error *err)
{
    const uint32_t count = set->slot_count == 0 ? TABLE_FIRST : 2 * set->slot_count;
    uint32_t *slots = dlab_memory_realloc(set->memory, NULL, 0, count * sizeof *slots, err);
    if (slots == NULL) return false;
    memset(slots, 0, count * sizeof *slots);
    for (uint32_t id = 0; id < set->spans.count; id++) {
        uint32_t at = spans_of(set)[id].hash & (count - 1);
        while (slots[at] != 0) at = (at + 1) & (count - 1);
        slots[at] = id + 1;
    }
    dlab_memory_free(set->memory, set->slots, set->slot_count * sizeof *slots);
    set->slots = slots;
    set->slot_count = count;
    return true;
}

static uint32_t hash_words(const uint32_t *words, uint32_t count)
{
    uint64_t h = count;
    for (uint32_t i = 0; i < count; i++) h = (h ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15), h ^= h >> 29;
    return (uint32_t)(dlab_hash_mix(h) >> 32);
}

uint32_t dlab_words_intern(dlab_words *set, const uint32_t *words, uint32_t count, dlab_error *err)
{
    if (set->spans.count >= UINT32_MAX / 4) {
        (void)dlab_fail(err, DLAB_ELIMIT, "%zu states are more than a search holds", set->spans.count);
        return UINT32_MAX;
    }
    if (2 * (set->spans.count + 1) > set->slot_count && !grow(set, err)) return UINT32_MAX;
    const uint32_t hash = hash_words(words, count);
    const uint32_t *const all = (const uint32_t *)(const void *)set->words.rows;
    uint32_t at = hash & (set->slot_count - 1);
    for (; set->slots[at] != 0; at = (at + 1) & (set->slot_count - 1)) {
        const span *s = &spans_of(set)[set->slots[at] - 1];
        if (s->hash == hash && s->count == count &&
            (count == 0 || memcmp(all + s->start, words, count * sizeof *words) == 0))
            return set->slots[at] - 1;
    }
    const span new = { .start = set->words.count, .count = count, .hash = hash };
    if (dlab_buffer_push(&set->words, set->memory, words, count, err)) return UINT32_MAX;
    if (dlab_buffer_push(&set->spans, set->memory, &new, 1, err)) return UINT32_MAX;
    set->slots[at] = (uint32_t)set->spans.count;
    return (uint32_t)set->spans.count - 1;
}
