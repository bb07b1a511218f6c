/* Cut links: which sets of links a partition takes away, and what the nodes can still do without them.
 *
 * Nodes are joined by a full mesh; node i lies in zone i * zones / nodes, and only links between zones are
 * ever cut. A matrix says who reaches whom directly; a link serves a protocol only if both directions do. */
#ifndef DISTLAB_LINKS_CUT_H
#define DISTLAB_LINKS_CUT_H
#include <distlab/model.h>

enum { DLAB_CUT_NODES_MAX = 64, DLAB_CUT_SETS_MAX = 1 << 20 };

/* What a matrix looks like: nothing missing; groups without any link between them, everybody in a group
 * reaching everybody in it; some pair that reaches one another over a third node only; some pair where one
 * hears the other and is not heard. */
#define DLAB_CUT_SHAPES(X)  \
    X(WHOLE, "whole")       \
    X(COMPLETE, "complete") \
    X(PARTIAL, "partial")   \
    X(ONE_WAY, "one_way")

enum {
#define X(code, name) DLAB_CUT_SHAPE_##code,
    DLAB_CUT_SHAPES(X)
#undef X
};

/* Bit b of to[a]: what a sends, b receives, without help from others. Everybody reaches itself. */
typedef struct dlab_reach {
    uint32_t nodes;
    uint64_t to[DLAB_CUT_NODES_MAX];
} dlab_reach;

void dlab_reach_whole(dlab_reach *reach, uint32_t nodes);
bool dlab_reach_same(const dlab_reach *x, const dlab_reach *y);
int32_t dlab_reach_shape(const dlab_reach *reach);

/* What is left to a protocol. A client sits at each node and talks to nobody but the leader: of the nodes
 * with two-way links to a majority (themselves counted) the one with most links, the first of equals. */
typedef struct dlab_survival {
    uint32_t components, largest; /* by two-way links, over any number of hops */
    uint32_t quorum_nodes;        /* nodes that reach a majority directly */
    int32_t leader;               /* -1: nobody can lead */
    uint32_t served;              /* clients whose node reaches the leader directly */
    bool transitive; /* whoever reaches a friend of his reaches him too: no third node is needed */
} dlab_survival;

dlab_survival dlab_reach_survival(const dlab_reach *reach);

/* A family of link sets. complete: the zones fall into two sides, and all links between the sides go; else
 * `links` links, or, when negative, each with `probability`. directed: a link is one direction of a pair. */
typedef struct dlab_cuts {
    uint32_t nodes, zones;
    bool complete, directed;
    int64_t links;
    double probability;
    uint32_t count;     /* links that may be cut */
    uint8_t (*ends)[2]; /* of each of them */
    uint32_t *order;    /* of the links; the first ones are cut when their number is given */
    uint64_t mask;      /* sides of the zones, or links cut, while all sets are walked through */
} dlab_cuts;

/* Links that may be cut, and how many sets the family has (as a double: there may be very many). */
uint32_t dlab_cuts_links(uint32_t nodes, uint32_t zones, bool directed);
double dlab_cuts_sets(const dlab_cuts *cuts);

/* Fill in what is derived from nodes, zones, complete, directed, links, probability. */
int dlab_cuts_open(dlab_cuts *cuts, dlab_ctx *ctx);

/* Take a set away from a whole mesh; its weight is returned. first, then next until it says false, walk
 * through all sets; draw takes one at random (each of the same number of links alike), its weight is 1. */
void dlab_cuts_first(dlab_cuts *cuts);
bool dlab_cuts_next(dlab_cuts *cuts);
double dlab_cuts_take(const dlab_cuts *cuts, dlab_reach *reach);
void dlab_cuts_draw(dlab_cuts *cuts, dlab_rng *rng, dlab_reach *reach);

/* n nodes, each link down with probability q, by itself: probabilities that all are connected, that some
 * majority is, and that a given node reaches a majority directly. */
typedef struct dlab_cut_law {
    double connected, majority, quorum;
} dlab_cut_law;

int dlab_cut_law_of(uint32_t nodes, double q, dlab_cut_law *law, dlab_ctx *ctx);

#endif
