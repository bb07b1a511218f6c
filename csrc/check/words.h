/* Vectors of 32-bit words, interned: equal vectors get equal ids, from 0 up. What a checker's state is
 * made of (contents of a queue, values of several registers, positions of processes) becomes one number. */
#ifndef DISTLAB_CHECK_WORDS_H
#define DISTLAB_CHECK_WORDS_H
#include <stddef.h>
#include <stdint.h>

#include <distlab/memory.h>

/* A bijection of 64-bit words that spreads every bit. */
static inline uint64_t dlab_hash_mix(uint64_t x)
{
    x = (x ^ (x >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    x = (x ^ (x >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    return x ^ (x >> 32);
}

typedef struct dlab_words {
    dlab_memory *memory;
    dlab_buffer words, spans; /* uint32_t; where vector k starts, its length and hash */
    uint32_t *slots;
    uint32_t slot_count;
} dlab_words;

void dlab_words_open(dlab_words *set, dlab_memory *memory);
void dlab_words_close(dlab_words *set);

/* The id of a vector; UINT32_MAX with the error set. The vector may not lie in the set itself. */
uint32_t dlab_words_intern(dlab_words *set, const uint32_t *words, uint32_t count, dlab_error *err);

/* The vector of an id; valid until the next intern. */
const uint32_t *dlab_words_at(const dlab_words *set, uint32_t id, uint32_t *count);

#endif
