/* Memory of a run: an arena with a byte budget, reset between runs and reusable, whose n-th
 * allocation can be made to fail (tests walk n until nothing fails any more). */
#ifndef DISTLAB_MEMORY_H
#define DISTLAB_MEMORY_H
#include <stddef.h>
#include <stdint.h>

#include <distlab/error.h>

/* What may be taken; shared by the arena and the growing buffers of one worker. */
typedef struct dlab_memory {
    size_t budget;        /* bytes; 0: no limit */
    size_t used;          /* bytes taken now */
    uint64_t allocations; /* requests so far */
    uint64_t fail_at;     /* this request (counted from 1) fails; 0: none */
    size_t peak;          /* most bytes ever taken */
} dlab_memory;

typedef struct dlab_arena {
    dlab_memory *memory;
    struct dlab_chunk *first, *current;
} dlab_arena;

/* A zeroed array of count * size bytes, 64-byte aligned; NULL with DLAB_ENOMEM or DLAB_ELIMIT. */
void *dlab_arena_alloc(dlab_arena *arena, size_t count, size_t size, dlab_error *err);

/* Forget every allocation but keep the chunks for the next run. */
void dlab_arena_reset(dlab_arena *arena);

/* Give everything back. */
void dlab_arena_free(dlab_arena *arena);

/* malloc, realloc and free that obey a dlab_memory; sizes are given again when freed. */
void *dlab_memory_realloc(dlab_memory *memory, void *old, size_t old_size, size_t size, dlab_error *err);
void dlab_memory_free(dlab_memory *memory, void *old, size_t size);

/* A growing array of equal rows; push copies count rows in (zeroed ones where row is NULL). A failed push
 * leaves the buffer as it was. */
typedef struct dlab_buffer {
    char *rows;
    size_t count, capacity, row_size;
} dlab_buffer;

/* Append rows; give the buffer back. */
int dlab_buffer_push(dlab_buffer *buffer, dlab_memory *memory, const void *row, size_t count,
                     dlab_error *err);
void dlab_buffer_free(dlab_buffer *buffer, dlab_memory *memory);

#endif
