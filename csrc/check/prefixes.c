/* A compressed tree of prefixes: strings of bytes or of words, each leaving another one behind a shared
 * beginning. A point is one length of one string; equal prefixes are one point. */
#include <string.h>

#include "check/prefixes.h"

static uint64_t hash_element(const char *element, uint32_t width)
{
    uint64_t h = 0;
    for (uint32_t k = 0; k < width; k++) h = (h ^ (unsigned char)element[k]) * UINT64_C(0x100000001b3);
    return h;
}

static dlab_branch *find_branch(const dlab_prefixes *q, uint32_t from, uint32_t at, const char *first)
{
    uint64_t h = dlab_hash_mix(((uint64_t)from << 32 | at) ^ dlab_hash_mix(hash_element(first, q->width)));
    for (;; h++) {
        dlab_branch *b = &q->branches[h & (q->branch_capacity - 1)];
        if (b->child == DLAB_NONE) return b;
        if (b->string == from && b->at == at && memcmp(b->first, first, q->width) == 0) return b;
    }
}

/* How many elements agree. */
static uint32_t agree(const dlab_prefixes *q, const char *x, const char *y, uint32_t count)
{
    const size_t width = q->width;
    if (count == 0 || memcmp(x, y, count * width) == 0) return count;
    uint32_t low = 0, high = count; /* the first low agree, the first high do not */
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (memcmp(x + low * width, y + low * width, (middle - low) * width) == 0) low = middle;
        else high = middle;
    }
    return low;
}

/* The string a point belongs to: the last one whose base is not above it. */
uint32_t dlab_prefixes_string(const dlab_prefixes *q, uint32_t point)
{
    uint32_t low = 0, high = q->string_count;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (q->strings[middle].base <= point) low = middle;
        else high = middle;
    }
    return low;
}

/* Walk from a place in the tree; *string and *at become the place reached, the elements that fitted come
 * back. A place is named by the string that first had it. */
uint32_t dlab_prefixes_walk(const dlab_prefixes *q, uint32_t *on, uint32_t *at, const char *elements,
                            uint32_t count)
{
    uint32_t done = 0;
    while (done < count) {
        const dlab_string *t = &q->strings[*on];
        const uint32_t left = t->length - *at, want = count - done < left ? count - done : left;
        const uint32_t fit =
            agree(q, t->elements + (size_t)*at * q->width, elements + (size_t)done * q->width, want);
        done += fit;
        *at += fit;
        if (done == count) break;
        const dlab_branch *b = find_branch(q, *on, *at, elements + (size_t)done * q->width);
        if (b->child == DLAB_NONE) break;
        *on = b->child; /* its element behind the branching fits, so the walk goes on there */
    }
    return done;
}

/* Lay a string into the tree; its point comes back. Longer strings first, so most lie on one already
 * there. */
uint32_t dlab_prefixes_lay(dlab_prefixes *q, const char *elements, uint32_t length)
{
    uint32_t on = 0, at = 0;
    const uint32_t done = dlab_prefixes_walk(q, &on, &at, elements, length);
    if (done == length) return q->strings[on].base + at;
    const dlab_string *last = &q->strings[q->string_count - 1];
    dlab_string *new = &q->strings[q->string_count];
    *new = (dlab_string){ .elements = elements,
                          .length = length,
                          .parent = on,
                          .shared = at,
                          .base = last->base + last->length + 1 };
    *find_branch(q, on, at, elements + (size_t)done * q->width) = (dlab_branch){
        .string = on, .at = at, .child = q->string_count++, .first = elements + (size_t)done * q->width
    };
    return new->base + length;
}

/* Is one point on the way to another? */
bool dlab_prefixes_lead(const dlab_prefixes *q, uint32_t from, uint32_t to)
{
    const uint32_t on = dlab_prefixes_string(q, from), at = from - q->strings[on].base;
    uint32_t end = dlab_prefixes_string(q, to);
    if (to - q->strings[end].base < at) return false;
    while (end != on && at <= q->strings[end].shared && end != 0) end = q->strings[end].parent;
    return end == on;
}
