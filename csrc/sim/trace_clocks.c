/* Vector clocks of a trace (Fidge 1988, Mattern 1989): an event counts itself in its own node's component;
 * a message carries the clock of its sending, and its receiver takes the larger of both in every
 * component.
 *
 * The clock of a node's last record is the node's clock, and the clock of a sending is what the message
 * carries: both stand in the result already. What is left to keep is where: a place for each node, and the
 * sendings sorted by (id, place), in which a receipt looks for the last one before itself. So ids may come
 * round again, and copies, which share an id, find the same sending. */
#include <distlab/trace.h>

#include <string.h>

#define NOWHERE UINT32_MAX

static void sift(uint64_t *heap, size_t at, size_t n)
{
    for (size_t below; (below = 2 * at + 1) < n; at = below) {
        if (below + 1 < n && heap[below + 1] > heap[below]) below++;
        if (heap[at] >= heap[below]) return;
        const uint64_t held = heap[at];
        heap[at] = heap[below];
        heap[below] = held;
    }
}

/* In place and n log n at worst; a world counts its ids up, so mostly there is nothing to do. */
static void sort(uint64_t *keys, size_t n)
{
    size_t k = 1;
    while (k < n && keys[k - 1] <= keys[k]) k++;
    if (k >= n) return;
    for (k = n / 2; k-- > 0;) sift(keys, k, n);
    for (k = n; k-- > 1;) {
        const uint64_t largest = keys[0];
        keys[0] = keys[k];
        keys[k] = largest;
        sift(keys, 0, k);
    }
}

static uint64_t key_of(uint32_t id, size_t place) { return (uint64_t)id << 32 | place; }

/* The last sending of this id before a place; NOWHERE: none. */
static uint32_t sending_of(const uint64_t *sendings, size_t count, uint32_t id, size_t place)
{
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (sendings[middle] < key_of(id, place)) low = middle + 1;
        else high = middle;
    }
    return low > 0 && sendings[low - 1] >> 32 == id ? (uint32_t)sendings[low - 1] : NOWHERE;
}

/* Is it an event of its node's life, or something done to the node or its messages? */
static bool is_event(const dlab_record *r)
{
    switch (r->type) {
    case DLAB_TRACE_DROP:
    case DLAB_TRACE_DUPLICATE:
    case DLAB_TRACE_FAULT:
    case DLAB_TRACE_HEAL:
    case DLAB_TRACE_BROKEN: return false;
    default: return true;
    }
}

static int check(const dlab_record *records, size_t n, uint32_t nodes, dlab_error *err)
{
    if (nodes > 0 && n > (size_t)DLAB_CLOCKS_MAX / nodes)
        return dlab_fail(err, DLAB_ELIMIT, "clocks of %zu records of %u nodes are more than %d numbers", n,
                         nodes, DLAB_CLOCKS_MAX);
    for (size_t k = 0; k < n; k++)
        if (records[k].node != DLAB_NO_NODE && records[k].node >= nodes)
            return dlab_fail(err, DLAB_ERANGE, "record %zu is of node %u, but there are %u nodes", k,
                             records[k].node, nodes);
    return DLAB_OK;
}

static void tick(const dlab_record *r, uint32_t nodes, uint32_t *clock, const uint32_t *before,
                 const uint32_t *carried)
{
    if (before != NULL) memcpy(clock, before, nodes * sizeof *clock);
    else memset(clock, 0, nodes * sizeof *clock);
    for (uint32_t i = 0; carried != NULL && i < nodes; i++)
        if (carried[i] > clock[i]) clock[i] = carried[i];
    if (r->node != DLAB_NO_NODE && is_event(r)) clock[r->node]++;
}

int dlab_trace_clocks(const dlab_record *records, size_t n, uint32_t nodes, uint32_t *clocks,
                      dlab_memory *memory, dlab_error *err)
{
    size_t count = 0, filled = 0;
    const int code = check(records, n, nodes, err);
    if (code != DLAB_OK || n == 0 || nodes == 0) return code;
    for (size_t k = 0; k < n; k++) count += records[k].type == DLAB_TRACE_SEND;
    const size_t size = count * sizeof(uint64_t) + nodes * sizeof(uint32_t);
    uint64_t *const sendings = dlab_memory_realloc(memory, NULL, 0, size, err);
    if (sendings == NULL) return err != NULL ? err->code : DLAB_ENOMEM;
    uint32_t *const last = (uint32_t *)(sendings + count);
    for (uint32_t i = 0; i < nodes; i++) last[i] = NOWHERE;
    for (size_t k = 0; k < n; k++)
        if (records[k].type == DLAB_TRACE_SEND) sendings[filled++] = key_of(records[k].id, k);
    sort(sendings, count);
    for (size_t k = 0; k < n; k++) {
        const dlab_record *r = &records[k];
        uint32_t *const own = r->node != DLAB_NO_NODE ? &last[r->node] : NULL;
        const uint32_t from = r->type == DLAB_TRACE_DELIVER ? sending_of(sendings, count, r->id, k) : NOWHERE;
        tick(r, nodes, clocks + k * nodes,
             own != NULL && *own != NOWHERE ? clocks + (size_t)*own * nodes : NULL,
             own != NULL && from != NOWHERE ? clocks + (size_t)from * nodes : NULL);
        if (own != NULL) *own = (uint32_t)k;
    }
    dlab_memory_free(memory, sendings, size);
    return DLAB_OK;
}
