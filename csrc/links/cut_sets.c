/* Sets of links: walked through one by one, each exactly once, or drawn. */
#include <math.h>

#include "links/cut.h"

static uint32_t zone_of(uint32_t node, uint32_t zones, uint32_t nodes) { return node * zones / nodes; }

uint32_t dlab_cuts_links(uint32_t nodes, uint32_t zones, bool directed)
{
    uint32_t links = 0;
    for (uint32_t a = 0; a < nodes; a++)
        for (uint32_t b = a + 1; b < nodes; b++)
            links += zone_of(a, zones, nodes) != zone_of(b, zones, nodes);
    return directed ? 2 * links : links;
}

double dlab_cuts_sets(const dlab_cuts *cuts)
{
    if (cuts->complete) return ldexp(1, (int)cuts->zones - 1) - 1;
    if (cuts->links < 0) return ldexp(1, (int)cuts->count);
    double sets = 1;
    const double left = cuts->count - (double)cuts->links;
    for (double k = 1; k <= (double)cuts->links; k++) sets = sets * (left + k) / k;
    return floor(sets + 0.5);
}

int dlab_cuts_open(dlab_cuts *cuts, dlab_ctx *ctx)
{
    const uint32_t n = cuts->nodes, z = cuts->zones;
    cuts->count = dlab_cuts_links(n, z, cuts->directed);
    cuts->ends = dlab_alloc(ctx, cuts->count + 1, sizeof *cuts->ends);
    cuts->order = dlab_alloc(ctx, cuts->count + 1, sizeof *cuts->order);
    if (cuts->ends == NULL || cuts->order == NULL) return ctx->err.code;
    uint32_t k = 0;
    for (uint8_t a = 0; a < n; a++)
        for (uint8_t b = cuts->directed ? 0 : (uint8_t)(a + 1); b < n; b++) {
            if (zone_of(a, z, n) == zone_of(b, z, n)) continue;
            cuts->ends[k][0] = a;
            cuts->ends[k++][1] = b;
        }
    dlab_cuts_first(cuts);
    return DLAB_OK;
}

void dlab_cuts_first(dlab_cuts *cuts)
{
    cuts->mask = cuts->complete ? 1 : 0; /* zone 0 stays on the side of the zeros: each split comes once */
    for (uint32_t k = 0; k < cuts->count; k++) cuts->order[k] = k;
}

bool dlab_cuts_next(dlab_cuts *cuts)
{
    if (cuts->complete) return ++cuts->mask < UINT64_C(1) << (cuts->zones - 1);
    if (cuts->links < 0) return ++cuts->mask < UINT64_C(1) << cuts->count;
    /* The next combination in dictionary order: move the last link that can move. */
    uint32_t k = (uint32_t)cuts->links;
    const uint32_t room = cuts->count - k;
    while (k > 0 && cuts->order[k - 1] == k - 1 + room) k--;
    if (k == 0) return false;
    uint32_t link = ++cuts->order[k - 1];
    for (; k < (uint32_t)cuts->links; k++) cuts->order[k] = ++link;
    return true;
}

static void take_link(const dlab_cuts *cuts, dlab_reach *reach, uint32_t link)
{
    const uint8_t a = cuts->ends[link][0], b = cuts->ends[link][1];
    reach->to[a] &= ~(UINT64_C(1) << b);
    if (!cuts->directed) reach->to[b] &= ~(UINT64_C(1) << a);
}

static void take_sides(const dlab_cuts *cuts, dlab_reach *reach, uint64_t sides)
{
    sides <<= 1;
    for (uint32_t a = 0; a < cuts->nodes; a++)
        for (uint32_t b = 0; b < cuts->nodes; b++)
            if ((sides >> zone_of(a, cuts->zones, cuts->nodes) ^
                 sides >> zone_of(b, cuts->zones, cuts->nodes)) &
                1u)
                reach->to[a] &= ~(UINT64_C(1) << b);
}

double dlab_cuts_take(const dlab_cuts *cuts, dlab_reach *reach)
{
    dlab_reach_whole(reach, cuts->nodes);
    if (cuts->complete) {
        take_sides(cuts, reach, cuts->mask);
        return 1;
    }
    if (cuts->links >= 0) {
        for (uint32_t k = 0; k < (uint32_t)cuts->links; k++) take_link(cuts, reach, cuts->order[k]);
        return 1;
    }
    double weight = 1;
    for (uint32_t k = 0; k < cuts->count; k++) {
        const bool cut = cuts->mask >> k & 1u;
        if (cut) take_link(cuts, reach, k);
        weight *= cut ? cuts->probability : 1 - cuts->probability;
    }
    return weight;
}

void dlab_cuts_draw(dlab_cuts *cuts, dlab_rng *rng, dlab_reach *reach)
{
    dlab_reach_whole(reach, cuts->nodes);
    if (cuts->complete) {
        take_sides(cuts, reach, 1 + dlab_rng_below(rng, (UINT64_C(1) << (cuts->zones - 1)) - 1));
    } else if (cuts->links < 0) {
        for (uint32_t k = 0; k < cuts->count; k++)
            if (dlab_rng_unit(rng) < cuts->probability) take_link(cuts, reach, k);
    } else {
        for (uint32_t k = 0; k < (uint32_t)cuts->links; k++) {
            const uint32_t other = k + (uint32_t)dlab_rng_below(rng, cuts->count - k);
            const uint32_t link = cuts->order[other];
            cuts->order[other] = cuts->order[k];
            cuts->order[k] = link;
            take_link(cuts, reach, link);
        }
    }
}
