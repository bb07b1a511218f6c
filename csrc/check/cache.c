/* Dead configurations: open addressing with linear probing, 24 bytes an entry, three quarters full at
 * most.
 *
 * An unknown operation that was used up cannot be used again, so a configuration that failed fails also
 * with more of them used up. Entries are therefore found by prefix, window and state alone and compared by
 * "used no more than". Should one place collect many incomparable entries, later ones are found by all
 * their bits. */
#include <string.h>

#include "check/search.h"

enum { TABLE_FIRST = 256, ALIKE_MAX = 32 };

static uint64_t hash_place(const dlab_dead *key)
{
    return dlab_hash_mix(dlab_hash_mix(key->window) + ((uint64_t)key->prefix << 32 | key->state));
}

static bool same_place(const dlab_dead *a, const dlab_dead *b)
{
    return a->window == b->window && a->prefix == b->prefix && a->state == b->state;
}

/* Is everything used in a used in b? */
static bool no_more(const dlab_cache *cache, uint64_t a, uint64_t b)
{
    if (a == b) return true;
    if (!cache->fewer) return false;
    if (cache->masks == NULL) return (a & ~b) == 0;
    uint32_t na, nb;
    const uint32_t *x = dlab_words_at(cache->masks, (uint32_t)a, &na);
    const uint32_t *y = dlab_words_at(cache->masks, (uint32_t)b, &nb);
    for (uint32_t i = 0; i < na; i++)
        if ((x[i] & ~y[i]) != 0) return false;
    return true;
}

bool dlab_cache_has(const dlab_cache *cache, const dlab_dead *key)
{
    if (cache->count == 0) return false;
    const size_t mask = cache->capacity - 1;
    const uint64_t place = hash_place(key);
    unsigned alike = 0;
    for (size_t at = (size_t)place & mask; cache->entries[at].state != DLAB_NONE; at = (at + 1) & mask) {
        const dlab_dead *e = &cache->entries[at];
        if (!same_place(e, key)) continue;
        if (no_more(cache, e->used, key->used)) return true;
        if (++alike == ALIKE_MAX) break;
    }
    if (alike < ALIKE_MAX) return false;
    for (size_t at = (size_t)dlab_hash_mix(place + key->used) & mask; cache->entries[at].state != DLAB_NONE;
         at = (at + 1) & mask) {
        const dlab_dead *e = &cache->entries[at];
        if (e->used == key->used && same_place(e, key)) return true;
    }
    return false;
}

static void put(dlab_cache *cache, const dlab_dead *key)
{
    const size_t mask = cache->capacity - 1;
    const uint64_t place = hash_place(key);
    unsigned alike = 0;
    size_t at = (size_t)place & mask;
    for (; cache->entries[at].state != DLAB_NONE && alike < ALIKE_MAX; at = (at + 1) & mask)
        alike += same_place(&cache->entries[at], key);
    if (alike == ALIKE_MAX)
        for (at = (size_t)dlab_hash_mix(place + key->used) & mask; cache->entries[at].state != DLAB_NONE;)
            at = (at + 1) & mask;
    cache->entries[at] = *key;
    cache->count++;
}

int dlab_cache_add(dlab_cache *cache, const dlab_dead *key, dlab_error *err)
{
    if (4 * (cache->count + 1) > 3 * cache->capacity) {
        dlab_cache bigger = *cache;
        bigger.capacity = cache->capacity == 0 ? TABLE_FIRST : 2 * cache->capacity;
        bigger.count = 0;
        bigger.entries =
            dlab_memory_realloc(cache->memory, NULL, 0, bigger.capacity * sizeof *bigger.entries, err);
        if (bigger.entries == NULL) return DLAB_ENOMEM;
        memset(bigger.entries, 0xff, bigger.capacity * sizeof *bigger.entries);
        for (size_t i = 0; i < cache->capacity; i++)
            if (cache->entries[i].state != DLAB_NONE) put(&bigger, &cache->entries[i]);
        dlab_cache_close(cache);
        *cache = bigger;
    }
    put(cache, key);
    return DLAB_OK;
}

void dlab_cache_close(dlab_cache *cache)
{
    dlab_memory_free(cache->memory, cache->entries, cache->capacity * sizeof *cache->entries);
    cache->entries = NULL;
    cache->count = cache->capacity = 0;
}
