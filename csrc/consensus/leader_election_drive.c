/* See leader_election_drive.h. Detectors are abstract: a failure is noticed by each node after a draw of the
 * detection time, and so is its end. A wrong suspicion comes at a rate while the node suspects nobody, and
 * is taken back after a draw of the mistake's length, unless it has come true meanwhile. */
#include <math.h>

#include "consensus/leader_election_drive.h"

enum { EVENT_FAIL = DLAB_EVENT_MODEL, EVENT_BACK, EVENT_TELL, EVENT_WRONG, EVENT_RIGHT };

/* Entities of the streams of detectors: nodes, and two of the whole run. */
#define STREAM_IDS (UINT64_C(1) << 32)
#define STREAM_FAILURE (UINT64_C(2) << 32)

static int64_t draw(const dlab_sampler *sampler, dlab_rng *rng)
{
    const int64_t ns = dlab_sample_ns(sampler, rng);
    return ns > 0 ? ns : 0;
}

static int64_t later(const dlab_world *w, int64_t ns)
{
    const int64_t now = dlab_world_now(w);
    return ns < DLAB_TIME_MAX - now ? now + ns : DLAB_TIME_MAX;
}

static void deal_ids(dlab_election_drive *d, int32_t order)
{
    const uint32_t n = d->election->nodes;
    dlab_rng rng;
    dlab_stream(d->ctx, &rng, DLAB_PURPOSE_DETECTOR, STREAM_IDS);
    for (uint32_t i = 0; i < n; i++)
        d->ids[i] = (uint16_t)(order == DLAB_ELECTION_ORDER_DESCENDING ? n - i : i + 1);
    for (uint32_t i = n - 1; order == DLAB_ELECTION_ORDER_RANDOM && i > 0; i--) { /* Fisher and Yates */
        const uint32_t k = (uint32_t)dlab_rng_below(&rng, i + 1);
        const uint16_t id = d->ids[i];
        d->ids[i] = d->ids[k];
        d->ids[k] = id;
    }
    for (uint32_t i = 0; i < n; i++) d->owners[d->ids[i]] = (uint16_t)i;
}

int dlab_election_drive_open(dlab_election_drive *d, int32_t order, dlab_ctx *ctx)
{
    const uint32_t n = d->election->nodes;
    d->ctx = ctx;
    d->struck = DLAB_NO_NODE;
    d->ids = dlab_alloc(ctx, n, sizeof *d->ids);
    d->owners = dlab_alloc(ctx, n + 1, sizeof *d->owners);
    d->rngs = dlab_alloc(ctx, n, sizeof *d->rngs);
    d->leading = dlab_alloc(ctx, n, sizeof *d->leading);
    if (ctx->err.code) return ctx->err.code;
    dlab_stream(ctx, &d->rng, DLAB_PURPOSE_DETECTOR, STREAM_FAILURE);
    for (uint32_t i = 0; i < n; i++) dlab_stream(ctx, &d->rngs[i], DLAB_PURPOSE_DETECTOR, i);
    deal_ids(d, order);
    d->election->ids = d->ids;
    d->election->owners = d->owners;
    return DLAB_OK;
}

/* --- The failure and what is said about it */

/* The one that starts an election among those that have not failed; DLAB_NO_NODE: each does. */
static uint32_t starter(dlab_election_drive *d)
{
    const uint32_t n = d->election->nodes;
    const uint32_t out = d->struck == DLAB_NO_NODE ? 0 : d->ids[d->struck]; /* this id is not in it */
    const uint32_t all = n - (out > 0);
    if (d->starters == DLAB_ELECTION_STARTERS_ALL || all == 0) return DLAB_NO_NODE;
    uint32_t rank = d->starters == DLAB_ELECTION_STARTERS_HIGHEST ? all
                    : d->starters == DLAB_ELECTION_STARTERS_LOWEST
                        ? 1
                        : 1 + (uint32_t)dlab_rng_below(&d->rng, all);
    if (out > 0 && rank >= out) rank++;
    return d->owners[rank];
}

/* The detectors of all others notice, each in its time, that the struck one is gone or back. */
static int tell_all(dlab_election_drive *d, dlab_world *w, unsigned kind)
{
    const uint32_t first = starter(d), n = d->election->nodes;
    for (uint32_t i = 0; i < n; i++) {
        const bool starts = first == DLAB_NO_NODE || i == first;
        const int64_t at = later(w, draw(&d->detection, &d->rngs[i]));
        if (i != d->struck && dlab_world_at(w, at, EVENT_TELL, i, (uint64_t)d->struck << 1 | starts, kind))
            return d->ctx->err.code;
    }
    return DLAB_OK;
}

static int tell(dlab_world *w, uint32_t node, unsigned kind, uint32_t about, bool starts)
{
    return dlab_world_request(w, node, dlab_world_now(w), 0, kind, about, starts);
}

/* In the trace it is a row behind those of the fault plan. */
static void cut(dlab_world *w, uint32_t node, int by)
{
    dlab_world_tell(w, by > 0 ? DLAB_TRACE_FAULT : DLAB_TRACE_HEAL, DLAB_FAULT_ISOLATE, node, DLAB_NO_NODE, 0,
                    (uint32_t)w->faults.row_count, 0);
    for (uint32_t i = 0; i < w->core->nodes; i++) {
        if (i == node) continue;
        dlab_net_cut(&w->net, node, i, by);
        dlab_net_cut(&w->net, i, node, by);
    }
}

/* Who leads now, the best of them. */
static uint32_t who_leads(const dlab_election_drive *d)
{
    uint32_t best = DLAB_NO_NODE;
    for (uint32_t k = 0; k < d->leading_count; k++)
        if (best == DLAB_NO_NODE || d->ids[d->leading[k]] > d->ids[best]) best = d->leading[k];
    return best;
}

static int fail(dlab_election_drive *d, dlab_world *w)
{
    d->struck = who_leads(d);
    if (d->struck == DLAB_NO_NODE) return DLAB_OK;
    if (d->failure == DLAB_ELECTION_FAILURE_CUT_OFF) cut(w, d->struck, 1);
    else if (dlab_world_crash(w, d->struck, DLAB_KEEP_NOTHING)) return d->ctx->err.code;
    if (d->returns && dlab_world_at(w, later(w, draw(&d->outage, &d->rng)), EVENT_BACK, d->struck, 0, 0))
        return d->ctx->err.code;
    return tell_all(d, w, DLAB_ELECTION_REQUEST_SUSPECT);
}

static int come_back(dlab_election_drive *d, dlab_world *w)
{
    if (tell_all(d, w, DLAB_ELECTION_REQUEST_TRUST)) return d->ctx->err.code;
    const uint32_t node = d->struck;
    d->struck = DLAB_NO_NODE;
    const int64_t at = later(w, draw(&d->detection, &d->rngs[node])); /* it sees the others again */
    if (dlab_world_at(w, at, EVENT_TELL, node, (uint64_t)node << 1 | 1, DLAB_ELECTION_REQUEST_BEGIN))
        return d->ctx->err.code;
    if (d->failure != DLAB_ELECTION_FAILURE_CUT_OFF) return dlab_world_restart(w, node);
    cut(w, node, -1);
    return DLAB_OK;
}

/* --- What is said wrongly */

static int plan_wrong(dlab_election_drive *d, dlab_world *w, uint32_t node)
{
    const double ns = dlab_rng_exponential(&d->rngs[node]) / d->false_suspicion * 1e9;
    return dlab_world_at(w, later(w, ns < 9e18 ? (int64_t)ns : INT64_MAX), EVENT_WRONG, node, 0, 0);
}

static int suspect_wrongly(dlab_election_drive *d, dlab_world *w, uint32_t node)
{
    const uint32_t leader = who_leads(d);
    if (leader == DLAB_NO_NODE || leader == node || leader == d->struck) return plan_wrong(d, w, node);
    if (tell(w, node, DLAB_ELECTION_REQUEST_SUSPECT, leader, true)) return d->ctx->err.code;
    return dlab_world_at(w, later(w, draw(&d->mistake, &d->rngs[node])), EVENT_RIGHT, node, leader, 0);
}

static int trust_again(dlab_election_drive *d, dlab_world *w, const dlab_event *event)
{
    const uint32_t about = (uint32_t)event->a;
    if (about != d->struck && tell(w, event->node, DLAB_ELECTION_REQUEST_TRUST, about, true))
        return d->ctx->err.code;
    return plan_wrong(d, w, event->node);
}

int dlab_election_drive_plan(dlab_election_drive *d, dlab_world *w)
{
    const uint32_t n = d->election->nodes;
    if (d->failure <= DLAB_ELECTION_FAILURE_CUT_OFF &&
        dlab_world_at(w, later(w, draw(&d->failure_time, &d->rng)), EVENT_FAIL, 0, 0, 0))
        return d->ctx->err.code;
    const uint32_t first = starter(d);
    for (uint32_t i = 0; d->failure == DLAB_ELECTION_FAILURE_COLD_START && i < n; i++)
        if ((first == DLAB_NO_NODE || i == first) && tell(w, i, DLAB_ELECTION_REQUEST_BEGIN, 0, true))
            return d->ctx->err.code;
    for (uint32_t i = 0; d->false_suspicion > 0 && i < n; i++)
        if (plan_wrong(d, w, i)) return d->ctx->err.code;
    return DLAB_OK;
}

int dlab_election_drive_event(void *arg, dlab_world *w, const dlab_event *event)
{
    dlab_election_drive *d = arg;
    switch (event->kind) {
    case EVENT_FAIL: return fail(d, w);
    case EVENT_BACK: return come_back(d, w);
    case EVENT_WRONG: return suspect_wrongly(d, w, event->node);
    case EVENT_RIGHT: return trust_again(d, w, event);
    default: break;
    }
    const uint32_t about = (uint32_t)(event->a >> 1);
    const bool gone = event->b == DLAB_ELECTION_REQUEST_SUSPECT;
    if (gone != (about == d->struck)) return DLAB_OK; /* no longer true */
    return tell(w, event->node, (unsigned)event->b, about, (event->a & 1u) != 0);
}

/* --- The books */

void dlab_election_drive_advance(dlab_election_drive *d, int64_t now)
{
    if (d->leading_count == 0) d->unavailable += now - d->at;
    if (d->leading_count > 1) d->double_led += now - d->at;
    d->at = now;
}

static void end_reign(dlab_election_drive *d, int64_t now, uint32_t k)
{
    dlab_election_drive_advance(d, now);
    d->leading[k] = d->leading[--d->leading_count];
    if (d->leading_count == 0) d->gap_since = now;
}

static void begin_reign(dlab_election_drive *d, int64_t now, uint32_t node)
{
    dlab_election_drive_advance(d, now);
    if (d->leading_count == 0 && now > d->gap_since) dlab_histogram_record(d->downtime, now - d->gap_since);
    d->leading[d->leading_count++] = node;
    d->reigns++;
}

void dlab_election_drive_output(void *arg, dlab_world *w, uint32_t node, const dlab_output *o)
{
    dlab_election_drive *d = arg;
    const int64_t now = dlab_world_now(w);
    if (o->kind != DLAB_APPLY) return;
    dlab_election_drive_watch(d, w); /* a crash and a restart may lie behind one event */
    if (o->message.kind == DLAB_ELECTION_APPLY_LEADS) {
        begin_reign(d, now, node);
        return;
    }
    for (uint32_t k = 0; k < d->leading_count; k++)
        if (d->leading[k] == node) {
            end_reign(d, now, k);
            return;
        }
}

void dlab_election_drive_watch(dlab_election_drive *d, const dlab_world *w)
{
    for (uint32_t k = d->leading_count; k-- > 0;)
        if (w->nodes[d->leading[k]].status == DLAB_NODE_DOWN) end_reign(d, dlab_world_now(w), k);
}

void dlab_election_drive_tally(dlab_election_drive *d, const dlab_outputs *out, uint32_t from)
{
    for (uint32_t k = from; k < out->count; k++)
        if (out->at[k].kind == DLAB_SEND) d->sent[dlab_election_purpose(out->at[k].message.kind)]++;
}
