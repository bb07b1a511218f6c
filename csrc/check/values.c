/* Values by content: an open-addressing table over kinds, numbers and, for lists, the elements' own
 * hashes. */
#include <string.h>

#include "check/plan.h"

enum { TABLE_FIRST = 64 };

static uint64_t hash_value(const dlab_history *h, dlab_value v)
{
    if (v.kind != DLAB_VALUE_LIST) return dlab_hash_mix((uint64_t)v.number + ((uint64_t)v.kind << 60));
    uint64_t sum = v.count;
    const dlab_value *elements = dlab_history_elements(h, v);
    for (uint32_t i = 0; i < v.count; i++) sum = dlab_hash_mix(sum ^ hash_value(h, elements[i]));
    return sum + 1;
}

static const dlab_value *row(const dlab_value_ids *ids)
{
    return (const dlab_value *)(const void *)ids->values.rows;
}

static bool grow(dlab_value_ids *ids, dlab_error *err)
{
    const uint32_t count = ids->slot_count == 0 ? TABLE_FIRST : 4 * ids->slot_count;
    uint32_t *slots = dlab_memory_realloc(ids->memory, NULL, 0, count * sizeof *slots, err);
    if (slots == NULL) return false;
    uint32_t *hashes = dlab_memory_realloc(ids->memory, ids->hashes, ids->hash_capacity * sizeof *hashes,
                                           count / 2 * sizeof *hashes, err);
    if (hashes == NULL) {
        dlab_memory_free(ids->memory, slots, count * sizeof *slots);
        return false;
    }
    ids->hashes = hashes;
    ids->hash_capacity = count / 2;
    memset(slots, 0, count * sizeof *slots);
    for (uint32_t id = 0; id < ids->values.count; id++) {
        uint32_t at = hashes[id] & (count - 1);
        while (slots[at] != 0) at = (at + 1) & (count - 1);
        slots[at] = id + 1;
    }
    dlab_memory_free(ids->memory, ids->slots, ids->slot_count * sizeof *slots);
    ids->slots = slots;
    ids->slot_count = count;
    return true;
}

uint32_t dlab_value_id(dlab_value_ids *ids, dlab_value value, dlab_error *err)
{
    if (2 * (ids->values.count + 1) > ids->slot_count && !grow(ids, err)) return DLAB_NONE;
    const uint32_t hash = (uint32_t)(hash_value(ids->history, value) >> 16);
    uint32_t at = hash & (ids->slot_count - 1);
    for (; ids->slots[at] != 0; at = (at + 1) & (ids->slot_count - 1)) {
        const uint32_t id = ids->slots[at] - 1;
        if (ids->hashes[id] == hash && dlab_value_equal(ids->history, row(ids)[id], value)) return id;
    }
    const uint32_t id = (uint32_t)ids->values.count;
    if (dlab_buffer_push(&ids->values, ids->memory, &value, 1, err)) return DLAB_NONE;
    ids->hashes[id] = hash;
    ids->slots[at] = id + 1;
    return id;
}
