/* See network.h. What nearly every message takes, a link with nothing but a delay, is inlined there; here
 * are the settings, everything that can go wrong with a message, and the faults. */
#include <math.h>
#include <string.h>

#include "sim/network.h"

_Static_assert(sizeof(dlab_link) == 64, "a link is one cache line");

static const char *const orderings[] = {
#define X(code, name) name,
    DLAB_ORDERINGS(X)
#undef X
        NULL
};

#define CHANCE .min = 0, .max = 1, .low = 0, .high = 0.2
#define DELAY .unit = "s", .display = "ms", .min = 0, .max = 1e6, .low = 1e-4, .high = 0.2, .log_scale = true
#define BANDWIDTH \
    .unit = "byte/s", DLAB_OFF(INFINITY), .min = 1, .max = 1e12, .low = 1e4, .high = 1e9, .log_scale = true
#define QUEUE \
    .unit = "byte", DLAB_OFF(INFINITY), .min = 0, .max = 1e15, .low = 1e3, .high = 1e7, .log_scale = true

static const dlab_field link_columns[] = {
    DLAB_FIELD(dlab_link_row, from, .dflt = -1, DLAB_OFF(-1), .min = 0, .max = DLAB_NODES_MAX - 1,
               .doc = "Sending node; blank: any."),
    DLAB_FIELD(dlab_link_row, to, .dflt = -1, DLAB_OFF(-1), .min = 0, .max = DLAB_NODES_MAX - 1,
               .doc = "Receiving node; blank: any."),
    DLAB_FIELD(dlab_link_row, delay, DELAY, .doc = "One-way delay on these links; blank: the parameter."),
    DLAB_FIELD(dlab_link_row, loss, CHANCE, .dflt = NAN, .doc = "Loss on these links; blank: the parameter."),
    DLAB_FIELD(dlab_link_row, duplicate, CHANCE, .dflt = NAN,
               .doc = "Duplication on these links; blank: the parameter."),
    DLAB_FIELD(dlab_link_row, reorder, CHANCE, .dflt = NAN,
               .doc = "Reordering on these links; blank: the parameter."),
    DLAB_FIELD(dlab_link_row, corrupt, CHANCE, .dflt = NAN,
               .doc = "Corruption on these links; blank: the parameter."),
    DLAB_FIELD(dlab_link_row, bandwidth, BANDWIDTH, .dflt = NAN,
               .doc = "Bandwidth of each of these links; blank: the parameter."),
    DLAB_FIELD(dlab_link_row, link_queue, QUEUE, .dflt = NAN,
               .doc = "Queue of each of these links; blank: the parameter."),
    DLAB_FIELD(dlab_link_row, ordering, .choices = orderings, .dflt = -1,
               .doc = "Ordering on these links; blank: the parameter."),
    DLAB_END,
};

const dlab_table dlab_links_table = {
    .name = "links",
    .doc = "Directed links that differ; of several rows that fit a link the last counts.",
    .columns = link_columns,
    .row_size = sizeof(dlab_link_row),
};

const dlab_field dlab_network_fields[] = {
    DLAB_FIELD(dlab_network, delay, DELAY, .text = "lognormal(mean=0.5ms, scv=0.1)", .group = "Network",
               .doc = "One-way delay of a message; the default makes a round trip of 1 ms."),
    DLAB_FIELD(dlab_network, loss, CHANCE, .doc = "Probability that a message is lost."),
    DLAB_FIELD(dlab_network, duplicate, CHANCE,
               .doc = "Probability that a message arrives twice, the copy after a delay of its own."),
    DLAB_FIELD(dlab_network, reorder, CHANCE,
               .doc = "Probability that a message takes a second delay, so that later ones overtake it."),
    DLAB_FIELD(dlab_network, corrupt, CHANCE, .doc = "Probability that bits of a message flip on the way."),
    DLAB_FIELD(dlab_network, checksum, .dflt = 1,
               .doc = "Corrupted messages are noticed and dropped; without, they arrive as they are."),
    DLAB_FIELD(dlab_network, bandwidth, BANDWIDTH, .dflt = INFINITY,
               .doc = "Bandwidth of each directed link; messages wait for the wire. None: no limit."),
    DLAB_FIELD(dlab_network, link_queue, QUEUE, .dflt = INFINITY,
               .doc = "A message that finds more bytes than this ahead of it at the wire is lost. None: no "
                      "limit."),
    DLAB_FIELD(dlab_network, ordering, .choices = orderings,
               .doc = "fifo: never delivered before one sent earlier on the same link, as over TCP."),
    DLAB_FIELD(dlab_network, links, .table = &dlab_links_table,
               .doc = "Links that differ: rows of from, to and what is different; see dl.topology."),
    DLAB_END,
};

static int check_end(const char *column, int64_t node, uint32_t nodes, size_t row, dlab_error *err)
{
    if (node < 0 || node < (int64_t)nodes) return DLAB_OK;
    return dlab_fail(err, DLAB_ERANGE, "row %zu of table 'links': %s = %lld, but nodes are 0 .. %u", row,
                     column, (long long)node, nodes - 1);
}

static int check_rows(const dlab_link_row *rows, size_t count, uint32_t nodes, dlab_error *err)
{
    if (count > DLAB_LINK_ROWS_MAX)
        return dlab_fail(err, DLAB_ERANGE, "table 'links' has %zu rows; at most %d", count,
                         DLAB_LINK_ROWS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (check_end("from", rows[i].from, nodes, i, err)) return DLAB_ERANGE;
        if (check_end("to", rows[i].to, nodes, i, err)) return DLAB_ERANGE;
    }
    return DLAB_OK;
}

int dlab_network_check(const dlab_network *p, uint32_t nodes, const dlab_pool *pool, dlab_error *err)
{
    if (p->links.count == 0 || p->links.table >= pool->count) return DLAB_OK;
    const dlab_link_row *rows = pool->tables[p->links.table].rows;
    return check_rows(rows + p->links.first, p->links.count, nodes, err);
}

/* What can a message of these links skip? */
static void classify(dlab_link_law *law)
{
    const double odds[] = { law->loss, law->duplicate, law->reorder, law->corrupt };
    law->chances = false;
    law->plain = !law->fifo && law->ns_per_byte == 0;
    for (int k = 0; k < 4; k++) {
        law->chances = law->chances || odds[k] > 0;
        law->falls_below[k] = (uint64_t)ceil(odds[k] * 0x1p32);
    }
}

static int law_of(dlab_link_law *law, const dlab_link_row *row, dlab_ctx *ctx)
{
    if (dlab_sampler_init(&law->delay, &row->delay, ctx->pool, 0, &ctx->arena, &ctx->err))
        return ctx->err.code;
    dlab_rng none = { { 0 } };
    if (law->delay.kind == DLAB_DIST_CONSTANT) law->constant = dlab_sample_ns(&law->delay, &none);
    law->loss = row->loss;
    law->duplicate = row->duplicate;
    law->reorder = row->reorder;
    law->corrupt = row->corrupt;
    law->ns_per_byte = isinf(row->bandwidth) ? 0 : 1e9 / row->bandwidth;
    const double queue = row->link_queue * law->ns_per_byte;
    law->queue_ns = queue < (double)DLAB_TIME_MAX ? (int64_t)queue : INT64_MAX; /* NaN: no limit of either */
    law->fifo = row->ordering == DLAB_ORDERING_FIFO;
    classify(law);
    return DLAB_OK;
}

/* The links that row k fits take its law. */
static int lay(dlab_net *net, const dlab_link_row *row, uint32_t k)
{
    const uint32_t n = net->nodes;
    const uint32_t from = row->from < 0 ? 0 : (uint32_t)row->from, to = row->to < 0 ? 0 : (uint32_t)row->to;
    const uint32_t from_end = row->from < 0 ? n : from + 1, to_end = row->to < 0 ? n : to + 1;
    for (uint32_t i = from; i < from_end; i++) {
        if (dlab_step(net->ctx, 1 + (to_end - to) / 256)) return net->ctx->err.code;
        for (uint32_t j = to; j < to_end; j++) dlab_net_link(net, i, j)->law = k + 1;
    }
    return DLAB_OK;
}

int dlab_net_open(dlab_net *net, const dlab_network *p, uint32_t nodes, dlab_ctx *ctx)
{
    const dlab_link_row all = { .from = -1,
                                .to = -1,
                                .delay = p->delay,
                                .loss = p->loss,
                                .duplicate = p->duplicate,
                                .reorder = p->reorder,
                                .corrupt = p->corrupt,
                                .bandwidth = p->bandwidth,
                                .link_queue = p->link_queue,
                                .ordering = p->ordering };
    size_t count = 0;
    *net = (dlab_net){ .p = p, .ctx = ctx, .chooser = ctx->chooser, .nodes = nodes };
    if (nodes < 1 || nodes > DLAB_NODES_MAX)
        return dlab_fail(&ctx->err, DLAB_ERANGE, "a network of %u nodes: 1 .. %d are possible", nodes,
                         DLAB_NODES_MAX);
    const dlab_link_row *rows = dlab_table_rows(ctx, &dlab_links_table, p->links, &count);
    if (ctx->err.code || check_rows(rows, count, nodes, &ctx->err)) return ctx->err.code;
    net->links = dlab_alloc(ctx, (size_t)nodes * nodes, sizeof *net->links);
    net->laws = dlab_alloc(ctx, count + 1, sizeof *net->laws);
    net->law_count = (uint32_t)count + 1;
    if (net->links == NULL || net->laws == NULL || law_of(&net->laws[0], &all, ctx)) return ctx->err.code;
    for (size_t k = 0; k < count; k++)
        if (law_of(&net->laws[k + 1], &rows[k], ctx) || lay(net, &rows[k], (uint32_t)k)) return ctx->err.code;
    return DLAB_OK;
}

int dlab_net_set_loss(dlab_net *net, uint32_t from, uint32_t to, double loss)
{
    const uint32_t n = net->law_count;
    dlab_link *link = dlab_net_link(net, from, to);
    dlab_link_law *laws = dlab_alloc(net->ctx, (size_t)n + 1, sizeof *laws);
    if (laws == NULL || DLAB_CHECK(&net->ctx->err, link->sent == 0)) return net->ctx->err.code;
    memcpy(laws, net->laws, n * sizeof *laws);
    laws[n] = laws[link->law];
    laws[n].loss = loss;
    classify(&laws[n]);
    link->law = n;
    net->laws = laws;
    net->law_count = n + 1;
    return DLAB_OK;
}

static bool is_gray(const dlab_net *net, uint32_t node)
{
    if (net->grays == NULL) return false;
    const dlab_gray *g = &net->grays[(size_t)node * DLAB_GRAYS_MAX];
    for (int i = 0; i < DLAB_GRAYS_MAX; i++)
        if (g[i].share > 0) return true;
    return false;
}

static const dlab_link_trouble *trouble_of(const dlab_net *net, uint32_t from, uint32_t to)
{
    static const dlab_link_trouble none = { 0 };
    return net->troubles == NULL ? &none : &net->troubles[(size_t)from * net->nodes + to];
}

/* May messages of this link go the short way? */
static void refresh(dlab_net *net, uint32_t from, uint32_t to)
{
    dlab_link *link = dlab_net_link(net, from, to);
    const dlab_link_trouble *t = trouble_of(net, from, to);
    link->plain = link->rng.s[3] != 0 && net->laws[link->law].plain && link->cut == 0 && t->slow == 0 &&
                  t->loss == 0 && !is_gray(net, from);
}

/* The two words of chances of the message counted last: the stream is moved past those that did not ask. */
static int draw_chances(dlab_net *net, const dlab_message *m, uint64_t words[2])
{
    const size_t at = (size_t)m->from * net->nodes + m->to;
    if (net->chances == NULL) {
        net->chances = dlab_alloc(net->ctx, (size_t)net->nodes * net->nodes, sizeof *net->chances);
        if (net->chances == NULL) return net->ctx->err.code;
    }
    dlab_link_chances *c = &net->chances[at];
    if (c->rng.s[3] == 0)
        dlab_stream(net->ctx, &c->rng, DLAB_PURPOSE_CHANCE, (uint64_t)m->from << 32 | m->to);
    while (c->drawn + 1 != net->links[at].sent) {
        (void)dlab_rng_u64(&c->rng);
        (void)dlab_rng_u64(&c->rng);
        c->drawn++;
        if ((c->drawn & 127u) == 0 && dlab_step(net->ctx, 1)) return net->ctx->err.code;
    }
    words[0] = dlab_rng_u64(&c->rng);
    words[1] = dlab_rng_u64(&c->rng);
    c->drawn++;
    return DLAB_OK;
}

/* Streams seeded by the words of chances. */
enum { OF_REORDER = 1, OF_COPY, OF_GRAY };

enum { LOSE, AGAIN, REORDER, CORRUPT, NO_QUARTER };

/* Does a coin fall on its loud side? By its quarter of the words, unless the chooser decides. */
static bool falls(dlab_net *net, const uint64_t words[2], int quarter, unsigned decides, uint64_t name,
                  double p)
{
    dlab_chooser *chooser = net->chooser;
    const dlab_choice coin = dlab_coin_name(decides, name);
    dlab_rng own;
    if (p <= 0) return false;
    if (quarter == NO_QUARTER || chooser != NULL) dlab_rng_seed(&own, words[0], words[1], OF_GRAY);
    if (chooser != NULL && chooser->pick != NULL) return dlab_coin(chooser, &own, coin, p);
    const uint32_t bits = quarter == NO_QUARTER ? (uint32_t)dlab_rng_u64(&own)
                                                : (uint32_t)(words[quarter / 2] >> quarter % 2 * 32);
    const bool loud = bits * 0x1p-32 < p;
    if (loud && p < 1) dlab_note(chooser, coin | 1);
    return loud;
}

static double gray_share(const dlab_net *net, const dlab_message *m)
{
    double kept = 1;
    if (net->grays == NULL) return 0;
    const dlab_gray *g = &net->grays[(size_t)m->from * DLAB_GRAYS_MAX];
    for (int i = 0; i < DLAB_GRAYS_MAX; i++)
        if (g[i].share > 0 && (g[i].kind < 0 || g[i].kind == m->kind) &&
            (g[i].peer == DLAB_NO_NODE || g[i].peer == m->to))
            kept *= 1 - g[i].share;
    return 1 - kept;
}

/* a + b for times that are not negative, never past DLAB_TIME_MAX by addition. */
static int64_t later(int64_t a, int64_t b) { return a < DLAB_TIME_MAX - b ? a + b : DLAB_TIME_MAX; }

static int64_t one_delay(const dlab_link_law *law, const dlab_link_trouble *t, dlab_rng *rng)
{
    const int64_t delay = dlab_link_delay(law, rng);
    if (t->slow == 0) return delay;
    const double slowed = (double)delay * t->slow;
    return slowed < (double)DLAB_TIME_MAX ? (int64_t)(slowed + 0.5) : DLAB_TIME_MAX;
}

/* A delay beside the link's own stream. */
static int64_t extra_delay(const dlab_link_law *law, const dlab_link_trouble *t, const uint64_t words[2],
                           uint64_t purpose)
{
    dlab_rng rng;
    dlab_rng_seed(&rng, words[0], words[1], purpose);
    return one_delay(law, t, &rng);
}

/* When the last byte of a message sent now has left the wire; -1: the queue is full. */
static int64_t leave(dlab_link *link, const dlab_link_law *law, int64_t now, uint32_t bytes)
{
    if (law->ns_per_byte == 0) return now;
    const int64_t start = now > link->free_at ? now : link->free_at;
    if (start - now > law->queue_ns) return -1;
    link->free_at = later(start, (int64_t)(bytes * law->ns_per_byte + 0.5));
    return link->free_at;
}

/* An arrival is promised; on a fifo link not before an earlier one. */
static int64_t promise(dlab_link *link, const dlab_link_law *law, int64_t arrive)
{
    if (!law->fifo) return arrive;
    if (link->last_at < arrive) link->last_at = arrive;
    return link->last_at;
}

static int fate_of(dlab_net *net, int64_t now, const dlab_message *m, uint64_t name, dlab_fate *fate)
{
    dlab_link *link = dlab_net_link(net, m->from, m->to);
    const dlab_link_law *law = &net->laws[link->law];
    const dlab_link_trouble *t = trouble_of(net, m->from, m->to);
    const double gray = gray_share(net, m), loss = 1 - (1 - law->loss) * (1 - t->loss);
    const int64_t delay = one_delay(law, t, &link->rng);
    uint64_t words[2] = { 0, 0 };
    if ((law->chances || loss > 0 || gray > 0) && draw_chances(net, m, words)) return net->ctx->err.code;

    const bool sends = !falls(net, words, NO_QUARTER, DLAB_COIN_GRAY, name, gray);
    const int64_t left = sends ? leave(link, law, now, m->wire) : 0;
    if (!sends) fate->lost = DLAB_DROP_GRAY;
    else if (left < 0) fate->lost = DLAB_DROP_QUEUE;
    else if (link->cut != 0) fate->lost = DLAB_DROP_CUT;
    else if (falls(net, words, LOSE, DLAB_COIN_LOSE, name, loss)) fate->lost = DLAB_DROP_LOSS;
    else fate->corrupt = falls(net, words, CORRUPT, DLAB_COIN_CORRUPT, name, law->corrupt);
    if (fate->corrupt && net->p->checksum) fate->lost = DLAB_DROP_CORRUPT;
    if (fate->lost >= 0) return DLAB_OK;

    fate->arrive = later(left, delay);
    if (falls(net, words, REORDER, DLAB_COIN_REORDER, name, law->reorder))
        fate->arrive = later(fate->arrive, extra_delay(law, t, words, OF_REORDER));
    fate->arrive = promise(link, law, fate->arrive);
    if (falls(net, words, AGAIN, DLAB_COIN_AGAIN, name, law->duplicate)) {
        fate->copy = promise(link, law, later(left, extra_delay(law, t, words, OF_COPY)));
        if (fate->copy == 0) fate->copy = 1;
    }
    return DLAB_OK;
}

int dlab_net_send_slow(dlab_net *net, int64_t now, const dlab_message *m, uint64_t name, dlab_fate *fate)
{
    dlab_link *link = dlab_net_link(net, m->from, m->to);
    if (link->rng.s[3] == 0) {
        dlab_stream(net->ctx, &link->rng, DLAB_PURPOSE_LINK, (uint64_t)m->from << 32 | m->to);
        refresh(net, m->from, m->to);
    }
    *fate = (dlab_fate){ .lost = -1 };
    link->sent++;
    if (fate_of(net, now, m, name, fate)) return net->ctx->err.code;
    net->sent++;
    net->bytes += m->wire;
    if (fate->lost >= 0) {
        net->lost++;
        return DLAB_OK;
    }
    net->in_flight++;
    if (fate->copy > 0) {
        net->duplicated++;
        net->in_flight++;
    }
    return DLAB_OK;
}

static void count_fault(dlab_net *net, uint16_t *count, int by)
{
    const int after = *count + by;
    if (DLAB_CHECK(&net->ctx->err, after >= 0 && after <= UINT16_MAX)) return;
    *count = (uint16_t)after;
}

void dlab_net_cut(dlab_net *net, uint32_t from, uint32_t to, int by)
{
    count_fault(net, &dlab_net_link(net, from, to)->cut, by);
    refresh(net, from, to);
}

void dlab_net_clog(dlab_net *net, uint32_t from, uint32_t to, int by)
{
    count_fault(net, &dlab_net_link(net, from, to)->clogged, by);
}

static dlab_link_trouble *own_trouble(dlab_net *net, uint32_t from, uint32_t to)
{
    if (net->troubles == NULL)
        net->troubles = dlab_alloc(net->ctx, (size_t)net->nodes * net->nodes, sizeof *net->troubles);
    return net->troubles == NULL ? NULL : &net->troubles[(size_t)from * net->nodes + to];
}

int dlab_net_slow(dlab_net *net, uint32_t from, uint32_t to, double factor)
{
    dlab_link_trouble *t = own_trouble(net, from, to);
    if (t == NULL) return net->ctx->err.code;
    t->slow = factor == 1 ? 0 : factor;
    refresh(net, from, to);
    return DLAB_OK;
}

int dlab_net_degrade(dlab_net *net, uint32_t from, uint32_t to, double loss)
{
    dlab_link_trouble *t = own_trouble(net, from, to);
    if (t == NULL) return net->ctx->err.code;
    t->loss = loss;
    refresh(net, from, to);
    return DLAB_OK;
}

static bool same_gray(const dlab_gray *a, const dlab_gray *b)
{
    return a->share == b->share && a->kind == b->kind && a->peer == b->peer;
}

int dlab_net_gray(dlab_net *net, uint32_t node, dlab_gray fault, int by)
{
    int at = 0;
    if (net->grays == NULL)
        net->grays = dlab_alloc(net->ctx, (size_t)net->nodes * DLAB_GRAYS_MAX, sizeof *net->grays);
    if (net->grays == NULL) return net->ctx->err.code;
    dlab_gray *g = &net->grays[(size_t)node * DLAB_GRAYS_MAX];
    if (fault.share <= 0) return DLAB_OK;
    while (at < DLAB_GRAYS_MAX && (by > 0 ? g[at].share > 0 : !same_gray(&g[at], &fault))) at++;
    if (at == DLAB_GRAYS_MAX)
        return dlab_fail(&net->ctx->err, DLAB_ELIMIT, "node %u: more than %d gray faults at once", node,
                         DLAB_GRAYS_MAX);
    g[at] = by > 0 ? fault : (dlab_gray){ 0 };
    for (uint32_t to = 0; to < net->nodes; to++) refresh(net, node, to);
    return DLAB_OK;
}
