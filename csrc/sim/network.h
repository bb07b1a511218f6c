/* The network: a directed link between any two nodes, with a delay law, loss, duplication, reordering,
 * corruption, a bandwidth with a queue, and order kept when asked. Faults cut, clog, slow or degrade links.
 *
 * Draws: delays of a link come from stream (LINK, from << 32 | to), its chances from (CHANCE, same), two
 * words a message whether or not any chance is positive, so that changing one link, or a probability, never
 * reshuffles the rest (common random numbers). Conservation: sent + duplicated = delivered + lost + in
 * flight, always. */
#ifndef DISTLAB_SIM_NETWORK_H
#define DISTLAB_SIM_NETWORK_H
#include <distlab/core.h>
#include <distlab/model.h>

#define DLAB_ORDERINGS(X) \
    X(NONE, "none")       \
    X(FIFO, "fifo")

enum {
#define X(code, name) DLAB_ORDERING_##code,
    DLAB_ORDERINGS(X)
#undef X
};

/* One row of the table `links`: what is different on some links. Blank cells take the parameter. */
typedef struct dlab_link_row {
    int64_t from, to; /* -1: any */
    dlab_distribution delay;
    double loss, duplicate, reorder, corrupt, bandwidth, link_queue;
    int32_t ordering;
} dlab_link_row;

/* Parameters, as a model holds them (DLAB_GROUP). */
typedef struct dlab_network {
    dlab_distribution delay; /* one way, s */
    double loss, duplicate;  /* probability per message */
    double reorder;          /* probability of a second delay on top, which lets later ones overtake */
    double corrupt;          /* probability that bits flip */
    bool checksum;           /* a corrupted message is noticed and dropped; else it arrives as it is */
    double bandwidth;        /* byte/s; off: no limit */
    double link_queue;       /* bytes that may wait for the wire; off: no limit */
    int32_t ordering;        /* fifo: never delivered before one sent earlier on the same link */
    dlab_ref links;          /* of dlab_link_row; the last row that fits a link counts */
} dlab_network;

extern const dlab_field dlab_network_fields[];
extern const dlab_table dlab_links_table;

/* What links with equal settings share. */
typedef struct dlab_link_law {
    dlab_sampler delay;
    double loss, duplicate, reorder, corrupt;
    double ns_per_byte; /* 0: no limit of bandwidth */
    int64_t queue_ns;   /* how long a message may wait for the wire; INT64_MAX: no limit */
    bool fifo, chances; /* chances: any probability is positive */
} dlab_link_law;

/* One cache line each. */
typedef struct dlab_link {
    dlab_rng rng;
    const dlab_link_law *law; /* NULL: not used yet */
    int64_t free_at, last_at; /* when the wire is free; the latest arrival promised */
    uint16_t cut, clogged;    /* faults under way */
    float slow;               /* factor on delay; 0 stands for 1 */
} dlab_link;

typedef struct dlab_net {
    const dlab_network *p;
    dlab_ctx *ctx;
    dlab_chooser *chooser;
    uint32_t nodes;
    dlab_link *links;    /* nodes * nodes, [from][to] */
    dlab_rng *chance;    /* streams of chances, alike; s[3] == 0: not open */
    float *extra_loss;   /* degraded links, alike; NULL: none ever was */
    uint16_t (*gray)[2]; /* per node: kind of message + 1 that suffers (0: none), share in 1 / 65535 */
    const dlab_link_row *rows;
    size_t row_count;
    dlab_link_law *laws; /* [0]: of the parameters, then one for each row */
    uint64_t sent, duplicated, delivered, lost, in_flight, bytes;
} dlab_net;

/* What becomes of one message: it arrives at `arrive`, or is lost for a reason; a copy may arrive too. */
typedef struct dlab_fate {
    int64_t arrive, copy; /* true time; copy 0: none */
    int lost;             /* -1: not lost; else DLAB_DROP_* */
    bool corrupt;
} dlab_fate;

int dlab_net_open(dlab_net *net, const dlab_network *p, uint32_t nodes, dlab_ctx *ctx);

/* Decide the fate of a message sent now; `name` is its fingerprint, for the chooser. Counts it. */
int dlab_net_send(dlab_net *net, int64_t now, const dlab_message *m, uint64_t name, dlab_fate *fate);

static inline dlab_link *dlab_net_link(const dlab_net *net, uint32_t from, uint32_t to)
{
    return &net->links[(size_t)from * net->nodes + to];
}

/* A message that was on its way arrives now: the reason it is lost after all (DLAB_DROP_CUT), or -1. */
static inline int dlab_net_arrive(const dlab_net *net, const dlab_message *m)
{
    return dlab_net_link(net, m->from, m->to)->cut != 0 ? DLAB_DROP_CUT : -1;
}

/* Faults: add (+1) or take back (-1) a cut or a clog of a directed link. */
void dlab_net_cut(dlab_net *net, uint32_t from, uint32_t to, int by);
void dlab_net_clog(dlab_net *net, uint32_t from, uint32_t to, int by);
void dlab_net_slow(dlab_net *net, uint32_t from, uint32_t to,
                   double factor); /* multiplies; 1 / factor undoes */
int dlab_net_degrade(dlab_net *net, uint32_t from, uint32_t to, double loss); /* extra loss; 0 ends it */

#endif
