/* Memory of a run: what may be taken is written in one record, and every taker asks it first.
 *
 * The budget is charged with what is handed out, not with what lies in chunks: a worker that kept large
 * chunks from an earlier row must accept and refuse exactly what a fresh worker does, or the number of
 * threads would change results. Chunks double in size, so they cost at most about twice what was asked. */
#include <distlab/memory.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE = 64, /* alignment of every arena allocation: a cache line, and any vector register */
    CHUNK_FIRST = 64 * 1024,
    CHUNK_MAX = 16 * 1024 * 1024, /* a larger chunk is made only for a larger request */
    ROWS_FIRST = 16
};

/* A chunk holds its bytes behind itself, from the next cache line on. */
typedef struct dlab_chunk {
    struct dlab_chunk *next;
    char *bytes;
    size_t size, used;
    size_t dirty; /* bytes ever handed out: those must be zeroed again, the rest still is */
} chunk;

/* Count a request and see whether it may be granted; nothing is charged yet. */
static bool allowed(dlab_memory *memory, size_t more, dlab_error *err)
{
    memory->allocations++;
    if (memory->fail_at == memory->allocations) {
        (void)dlab_fail(err, DLAB_ENOMEM, "out of memory: request %" PRIu64 " (%zu bytes) was made to fail",
                        memory->allocations, more);
        return false;
    }
    if (memory->budget != 0 && (memory->used > memory->budget || more > memory->budget - memory->used)) {
        (void)dlab_fail(err, DLAB_ELIMIT, "%zu more bytes exceed the memory budget of %zu bytes (%zu in use)",
                        more, memory->budget, memory->used);
        return false;
    }
    return true;
}

static void note_peak(dlab_memory *memory)
{
    if (memory->used > memory->peak) memory->peak = memory->used;
}

static void *refused(size_t size, dlab_error *err)
{
    (void)dlab_fail(err, DLAB_ENOMEM, "out of memory: the system refused %zu bytes", size);
    return NULL;
}

static size_t rounded(size_t size) { return size == 0 ? LINE : (size + LINE - 1) / LINE * LINE; }

/* A chunk for at least size bytes; calloc gives zeroed pages without touching them. */
static chunk *make_chunk(dlab_arena *arena, size_t size, dlab_error *err)
{
    size_t room = CHUNK_FIRST;
    for (const chunk *c = arena->first; c != NULL; c = c->next)
        while (room < CHUNK_MAX && room <= c->size) room *= 2;
    if (room < size) room = size;
    size_t total;
    if (__builtin_add_overflow(room, sizeof(chunk) + LINE, &total)) return refused(size, err);
    if (!allowed(arena->memory, 0, err)) return NULL;
    chunk *const c = calloc(1, total);
    if (c == NULL) return refused(total, err);
    char *const after = (char *)(c + 1);
    c->bytes = after + (LINE - (uintptr_t)after % LINE) % LINE;
    c->size = room;
    return c;
}

/* The chunk to take size bytes from. Chunks before current are full, those behind it are empty; the
 * first of these that is large enough (or a new one) becomes the one right behind current. */
static chunk *find_chunk(dlab_arena *arena, size_t size, dlab_error *err)
{
    chunk *const current = arena->current;
    if (current != NULL && current->size - current->used >= size) return current;
    chunk **const here = current != NULL ? &current->next : &arena->first;
    chunk **link = here;
    while (*link != NULL && (*link)->size < size) link = &(*link)->next;
    chunk *found = *link;
    if (found != NULL) {
        *link = found->next;
    } else {
        found = make_chunk(arena, size, err);
        if (found == NULL) return NULL;
    }
    found->next = *here;
    *here = found;
    arena->current = found;
    return found;
}

void *dlab_arena_alloc(dlab_arena *arena, size_t count, size_t size, dlab_error *err)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX - LINE) {
        (void)dlab_fail(err, DLAB_ELIMIT, "%zu rows of %zu bytes are more than memory can hold", count, size);
        return NULL;
    }
    bytes = rounded(bytes);
    if (!allowed(arena->memory, bytes, err)) return NULL;
    chunk *const c = find_chunk(arena, bytes, err);
    if (c == NULL) return NULL;
    char *const out = c->bytes + c->used;
    if (c->used < c->dirty) memset(out, 0, bytes < c->dirty - c->used ? bytes : c->dirty - c->used);
    c->used += bytes;
    if (c->dirty < c->used) c->dirty = c->used;
    arena->memory->used += bytes;
    note_peak(arena->memory);
    return out;
}

void dlab_arena_reset(dlab_arena *arena)
{
    for (chunk *c = arena->first; c != NULL; c = c->next) {
        arena->memory->used -= c->used;
        c->used = 0;
    }
    arena->current = arena->first;
}

void dlab_arena_free(dlab_arena *arena)
{
    dlab_arena_reset(arena);
    while (arena->first != NULL) {
        chunk *const c = arena->first;
        arena->first = c->next;
        free(c);
    }
    arena->current = NULL;
}

void *dlab_memory_realloc(dlab_memory *memory, void *old, size_t old_size, size_t size, dlab_error *err)
{
    if (!allowed(memory, size > old_size ? size - old_size : 0, err)) return NULL;
    if (size > PTRDIFF_MAX) return refused(size, err);
    void *const out = realloc(old, size == 0 ? 1 : size);
    if (out == NULL) return refused(size, err);
    memory->used += size;
    memory->used -= old_size;
    note_peak(memory);
    return out;
}

void dlab_memory_free(dlab_memory *memory, void *old, size_t size)
{
    if (old == NULL) return;
    free(old);
    memory->used -= size;
}

static int grow(dlab_buffer *buffer, dlab_memory *memory, size_t count, dlab_error *err)
{
    size_t needed, bytes;
    if (__builtin_add_overflow(buffer->count, count, &needed) ||
        __builtin_mul_overflow(needed, 2 * buffer->row_size, &bytes))
        return dlab_fail(err, DLAB_ELIMIT, "%zu more rows of %zu bytes are more than memory can hold", count,
                         buffer->row_size);
    if (needed <= buffer->capacity) return DLAB_OK;
    size_t capacity = buffer->capacity < ROWS_FIRST / 2 ? ROWS_FIRST : 2 * buffer->capacity;
    if (capacity < needed) capacity = needed;
    dlab_error why = { .code = DLAB_OK };
    char *const rows = dlab_memory_realloc(memory, buffer->rows, buffer->capacity * buffer->row_size,
                                           capacity * buffer->row_size, &why);
    if (rows == NULL) return dlab_fail(err, why.code, "%s", why.text);
    buffer->rows = rows;
    buffer->capacity = capacity;
    return DLAB_OK;
}

int dlab_buffer_push(dlab_buffer *buffer, dlab_memory *memory, const void *row, size_t count, dlab_error *err)
{
    if (DLAB_CHECK(err, buffer->row_size > 0)) return DLAB_EBROKEN;
    const int code = grow(buffer, memory, count, err);
    if (code != DLAB_OK) return code;
    if (count == 0) return DLAB_OK;
    char *const at = buffer->rows + buffer->count * buffer->row_size;
    if (row != NULL) memcpy(at, row, count * buffer->row_size);
    else memset(at, 0, count * buffer->row_size);
    buffer->count += count;
    return DLAB_OK;
}

void dlab_buffer_free(dlab_buffer *buffer, dlab_memory *memory)
{
    dlab_memory_free(memory, buffer->rows, buffer->capacity * buffer->row_size);
    buffer->rows = NULL;
    buffer->count = buffer->capacity = 0;
}
