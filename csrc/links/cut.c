/* What nodes can do over the links they still have, and how likely that is when links fail by themselves.
 *
 * The law of G(n, p) follows the spread from one node: with `a` nodes newly reached and u not yet, each of
 * the u is reached next with probability 1 - q^a. Every term is positive, so small probabilities keep their
 * digits, which Gilbert's recursion over the complement (Annals of Mathematical Statistics 30, 1959) loses.
 * At most one component can hold a majority, so its sizes are disjoint events and add up. */
#include "links/cut.h"

#include <math.h>

#include <distlab/numerics.h>

static uint32_t bits(uint64_t set) { return (uint32_t)__builtin_popcountll(set); }

void dlab_reach_whole(dlab_reach *reach, uint32_t nodes)
{
    reach->nodes = nodes;
    for (uint32_t a = 0; a < nodes; a++) reach->to[a] = ~UINT64_C(0) >> (64 - nodes);
}

bool dlab_reach_same(const dlab_reach *x, const dlab_reach *y)
{
    for (uint32_t a = 0; a < x->nodes; a++)
        if (x->to[a] != y->to[a]) return false;
    return x->nodes == y->nodes;
}

/* Everybody a node reaches reaches the very same nodes: groups, and no link between groups. */
static bool grouped(const dlab_reach *reach)
{
    for (uint32_t a = 0; a < reach->nodes; a++)
        for (uint64_t left = reach->to[a]; left != 0; left &= left - 1)
            if (reach->to[__builtin_ctzll(left)] != reach->to[a]) return false;
    return true;
}

/* The links that work both ways. */
static dlab_reach both_ways(const dlab_reach *reach)
{
    dlab_reach both = { .nodes = reach->nodes };
    for (uint32_t a = 0; a < reach->nodes; a++)
        for (uint64_t left = reach->to[a]; left != 0; left &= left - 1) {
            const int b = __builtin_ctzll(left);
            if (reach->to[b] >> a & 1u) both.to[a] |= UINT64_C(1) << b;
        }
    return both;
}

int32_t dlab_reach_shape(const dlab_reach *reach)
{
    dlab_reach whole;
    const dlab_reach both = both_ways(reach);
    dlab_reach_whole(&whole, reach->nodes);
    if (dlab_reach_same(reach, &whole)) return DLAB_CUT_SHAPE_WHOLE;
    if (!dlab_reach_same(reach, &both)) return DLAB_CUT_SHAPE_ONE_WAY;
    return grouped(reach) ? DLAB_CUT_SHAPE_COMPLETE : DLAB_CUT_SHAPE_PARTIAL;
}

/* Everybody that can be reached from a node over others. */
static uint64_t component(const dlab_reach *both, uint32_t from)
{
    uint64_t found = UINT64_C(1) << from, fresh = found;
    while (fresh != 0) {
        const int a = __builtin_ctzll(fresh);
        fresh &= fresh - 1;
        const uint64_t more = both->to[a] & ~found;
        found |= more;
        fresh |= more;
    }
    return found;
}

dlab_survival dlab_reach_survival(const dlab_reach *reach)
{
    const dlab_reach both = both_ways(reach);
    const uint32_t majority = reach->nodes / 2 + 1;
    dlab_survival s = { .leader = -1, .transitive = grouped(&both) };
    uint64_t placed = 0;
    for (uint32_t a = 0; a < reach->nodes; a++) {
        const uint32_t links = bits(both.to[a]);
        s.quorum_nodes += links >= majority;
        if (links >= majority && links > s.served) s.leader = (int32_t)a, s.served = links;
        if (placed >> a & 1u) continue;
        const uint64_t group = component(&both, a);
        placed |= group;
        s.components++;
        if (bits(group) > s.largest) s.largest = bits(group);
    }
    return s;
}

int dlab_cut_law_of(uint32_t nodes, double q, dlab_cut_law *law, dlab_ctx *ctx)
{
    enum { N = DLAB_CUT_NODES_MAX };
    const uint32_t majority = nodes / 2 + 1;
    /* all[u * N + a]: the u nodes not yet reached are all reached in the end, after `a` new ones. */
    double *all = dlab_alloc(ctx, (size_t)N * N, sizeof *all);
    if (all == NULL) return ctx->err.code;
    for (uint32_t a = 1; a < nodes; a++) all[a] = 1;
    for (uint32_t u = 1; u < nodes; u++)
        for (uint32_t a = 1; a + u <= nodes; a++) {
            const double hit = 1 - pow(q, a);
            double sum = 0;
            if (dlab_step(ctx, 1 + u / 8)) return ctx->err.code;
            for (uint32_t j = 1; j <= u; j++) sum += dlab_binomial_pmf(j, u, hit) * all[(u - j) * N + j];
            all[u * N + a] = sum;
        }
    *law = (dlab_cut_law){ .connected = nodes > 1 ? all[(nodes - 1) * N + 1] : 1 };
    double ways = 1; /* to choose a component of m nodes */
    for (uint32_t m = 1; m <= nodes; m++) {
        ways *= (double)(nodes - m + 1) / m;
        if (m < majority) continue;
        const double inside = m > 1 ? all[(m - 1) * N + 1] : 1;
        law->majority += ways * inside * pow(q, (double)m * (nodes - m));
    }
    law->quorum = 1 - (majority > 1 ? dlab_binomial_cdf(majority - 2, nodes - 1, 1 - q) : 0);
    return DLAB_OK;
}
