/* The network: a directed link between any two nodes, with a delay law, loss, duplication, reordering,
 * corruption, a bandwidth with a queue, and order kept when asked. Faults cut, clog, slow or degrade links.
 *
 * A message waits for the wire, takes its time on it, then its delay. What is lost behind the wire (loss,
 * corruption, cuts) has used it; a full queue and a gray node lose a message before. A lost message has no
 * copy and keeps nobody waiting in a fifo link.
 *
 * Draws: delays of a link come from stream (LINK, from << 32 | to), one for each message, lost or not. Its
 * chances come from (CHANCE, same): two words a message, a quarter of them (32 bits) for each chance, which
 * therefore comes in steps of 2^-32. The delay of a copy and the second delay of a late message come from
 * streams seeded by these words. So nothing that happens to one message, and no change of a probability or
 * of another link, moves the draws of any other message (common random numbers).
 *
 * Conservation: sent + duplicated = delivered + lost + in flight, always. Whoever carries the messages says
 * what became of each: dlab_net_delivered or dlab_net_lost, once for each that send promised. */
#ifndef DISTLAB_SIM_NETWORK_H
#define DISTLAB_SIM_NETWORK_H
#include <distlab/core.h>
#include <distlab/model.h>

#include "base/sampler_inline.h"

#define DLAB_ORDERINGS(X) \
    X(NONE, "none")       \
    X(FIFO, "fifo")

enum {
#define X(code, name) DLAB_ORDERING_##code,
    DLAB_ORDERINGS(X)
#undef X
};

enum { DLAB_LINK_ROWS_MAX = 1 << 20, DLAB_GRAYS_MAX = 16 };

/* One row of the table `links`: what is different on some links. Blank cells take the parameter. */
typedef struct dlab_link_row {
    int64_t from, to; /* -1 (blank): any */
    dlab_distribution delay;
    double loss, duplicate, reorder, corrupt, bandwidth, link_queue;
    int32_t ordering;
} dlab_link_row;

/* Parameters, as a model holds them: DLAB_GROUP(params, network, dlab_network_fields). */
typedef struct dlab_network {
    dlab_distribution delay; /* one way, s */
    double loss, duplicate;  /* probability per message */
    double reorder;          /* probability of a second delay on top, which lets later ones overtake */
    double corrupt;          /* probability that bits flip */
    bool checksum;           /* a corrupted message is noticed and dropped; else it arrives as it is */
    double bandwidth;        /* byte/s; off: no limit */
    double link_queue;       /* bytes that may be ahead of a message at the wire; off: no limit */
    int32_t ordering;        /* fifo: never delivered before one sent earlier on the same link */
    dlab_ref links;          /* of dlab_link_row; the last row that fits a link counts */
} dlab_network;

extern const dlab_field dlab_network_fields[];
extern const dlab_table dlab_links_table;

/* What links with equal settings share. */
typedef struct dlab_link_law {
    dlab_sampler delay;
    int64_t constant; /* ns, of a delay that is always the same */
    double loss, duplicate, reorder, corrupt;
    double ns_per_byte;      /* 0: no limit of bandwidth */
    int64_t queue_ns;        /* how long a message may wait for the wire; INT64_MAX: no limit */
    bool fifo, chances;      /* chances: any probability is positive */
    bool plain;              /* nothing but a delay and chances */
    uint64_t falls_below[4]; /* chances in 2^-32, in the order of their quarters of the words */
} dlab_link_law;

/* One cache line each. */
typedef struct dlab_link {
    dlab_rng rng;             /* s[3] == 0: not open yet */
    int64_t free_at, last_at; /* when the wire is free; the latest arrival promised */
    uint32_t law;             /* index into the laws */
    uint32_t sent;            /* messages so far, modulo 2^32: where the stream of chances must be */
    uint16_t cut, clogged;    /* faults under way */
    bool plain;               /* open, and now nothing but a delay and chances: the short way */
} dlab_link;

/* The stream of chances of a link, opened and moved on only when a chance is asked for. */
typedef struct dlab_link_chances {
    dlab_rng rng;
    uint32_t drawn; /* messages it has been asked about or moved past */
} dlab_link_chances;

/* Faults of a link that are not counted: both 0 while there are none. */
typedef struct dlab_link_trouble {
    double slow, loss; /* factor on its delay (0 stands for 1); extra loss */
} dlab_link_trouble;

/* A node loses a share of the messages of one kind (-1: all) it sends to one peer (DLAB_NO_NODE: to all). */
typedef struct dlab_gray {
    int32_t kind;
    uint32_t peer;
    double share; /* 0: a free place */
} dlab_gray;

typedef struct dlab_net {
    const dlab_network *p;
    dlab_ctx *ctx;
    dlab_chooser *chooser;
    uint32_t nodes;
    dlab_link *links;            /* nodes * nodes, [from][to] */
    dlab_link_chances *chances;  /* alike; NULL: none was ever asked for */
    dlab_link_trouble *troubles; /* alike; NULL: there never were any */
    dlab_gray *grays;            /* DLAB_GRAYS_MAX for each node; NULL: there never were any */
    dlab_link_law *laws;         /* [0]: of the parameters, then one for each row, then set ones */
    uint32_t law_count;
    /* No two that every message changes lie side by side: see scheduler.h. */
    uint64_t sent, delivered, bytes, lost, in_flight, duplicated;
} dlab_net;

/* What becomes of one message: it arrives at `arrive`, or is lost for a reason; a copy may arrive too. */
typedef struct dlab_fate {
    int64_t arrive, copy; /* true time; copy 0: none (no copy ever arrives at 0) */
    int lost;             /* -1: not lost; else DLAB_DROP_* */
    bool corrupt;         /* of both */
} dlab_fate;

/* Do the rows of `links` name nodes that exist? For the check() of a model. */
int dlab_network_check(const dlab_network *p, uint32_t nodes, const dlab_pool *pool, dlab_error *err);

int dlab_net_open(dlab_net *net, const dlab_network *p, uint32_t nodes, dlab_ctx *ctx);

/* A link takes a loss of its own, whatever the parameters say: for models that name losses by what they hit
 * (requests, replies). Between open and the first message. */
int dlab_net_set_loss(dlab_net *net, uint32_t from, uint32_t to, double loss);

int dlab_net_send_slow(dlab_net *net, int64_t now, const dlab_message *m, uint64_t name, dlab_fate *fate);

static inline dlab_link *dlab_net_link(const dlab_net *net, uint32_t from, uint32_t to)
{
    return &net->links[(size_t)from * net->nodes + to];
}

/* One delay in ns: a draw unless it is always the same. */
static inline int64_t dlab_link_delay(const dlab_link_law *law, dlab_rng *rng)
{
    return law->delay.kind == DLAB_DIST_CONSTANT ? law->constant : dlab_sample_ns_inline(&law->delay, rng);
}

/* Nobody but the draws decides, and none of the four chances falls on its loud side: the usual case. Else
 * nothing is drawn yet. Of a link that is plain and has chances every message so far has drawn its two words,
 * the first, which opened the stream, among them: it stands where it must. */
static inline bool dlab_net_is_spared(dlab_net *net, const dlab_link *link, const dlab_link_law *law)
{
    if (net->chooser != NULL) return false;
    dlab_link_chances *c = &net->chances[link - net->links];
    dlab_rng rng = c->rng;
    const uint64_t one = dlab_rng_u64(&rng), two = dlab_rng_u64(&rng);
    if ((uint32_t)one < law->falls_below[0] || one >> 32 < law->falls_below[1] ||
        (uint32_t)two < law->falls_below[2] || two >> 32 < law->falls_below[3])
        return false;
    c->rng = rng;
    c->drawn++;
    return true;
}

/* The short way of a message sent now (before DLAB_TIME_MAX), which nearly all take: it arrives at *arrive,
 * and is counted. False: nothing has happened yet, and dlab_net_send_slow decides. */
static inline bool dlab_net_send_plain(dlab_net *net, int64_t now, const dlab_message *m, int64_t *arrive)
{
    dlab_link *link = dlab_net_link(net, m->from, m->to);
    const dlab_link_law *law = &net->laws[link->law];
    if (__builtin_expect(!link->plain || (law->chances && !dlab_net_is_spared(net, link, law)), 0))
        return false;
    link->sent++;
    net->sent++;
    net->in_flight++;
    net->bytes += m->wire;
    *arrive = now + dlab_link_delay(law, &link->rng);
    return true;
}

/* Decide the fate of a message sent now; `name` is its fingerprint, for the chooser. Counts it. */
static inline int dlab_net_send(dlab_net *net, int64_t now, const dlab_message *m, uint64_t name,
                                dlab_fate *fate)
{
    *fate = (dlab_fate){ .lost = -1 };
    return dlab_net_send_plain(net, now, m, &fate->arrive) ? DLAB_OK
                                                           : dlab_net_send_slow(net, now, m, name, fate);
}

/* A message that was on its way arrives now: the reason it is lost after all (DLAB_DROP_CUT), or -1. */
static inline int dlab_net_arrive(const dlab_net *net, const dlab_message *m)
{
    return dlab_net_link(net, m->from, m->to)->cut != 0 ? DLAB_DROP_CUT : -1;
}

/* A message or copy that was in flight has been delivered, or was lost after all. */
static inline void dlab_net_delivered(dlab_net *net)
{
    net->in_flight--;
    net->delivered++;
}
static inline void dlab_net_lost(dlab_net *net)
{
    net->in_flight--;
    net->lost++;
}

/* Faults: add (+1) or take back (-1) a cut or a clog of a directed link. The network only counts clogs:
 * whoever carries the messages holds them. */
void dlab_net_cut(dlab_net *net, uint32_t from, uint32_t to, int by);
void dlab_net_clog(dlab_net *net, uint32_t from, uint32_t to, int by);

/* Set the factor on a link's delay (1: none), or its extra loss (0: none). */
int dlab_net_slow(dlab_net *net, uint32_t from, uint32_t to, double factor);
int dlab_net_degrade(dlab_net *net, uint32_t from, uint32_t to, double loss);

/* Begin (+1) or end (-1) a gray fault of a node. */
int dlab_net_gray(dlab_net *net, uint32_t node, dlab_gray fault, int by);

#endif
