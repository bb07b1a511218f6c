/* See raft.h. One step: which rule answers which input. */
#include <stddef.h>

#include "consensus/raft_inner.h"

static raft open_step(const dlab_core *core, uint32_t node, void *state, const dlab_input *in,
                      dlab_outputs *out)
{
    const dlab_raft *c = core->config;
    unsigned char *bytes = state;
    return (raft){ .c = c,
                   .me = node,
                   .state = bytes,
                   .hard = state,
                   .live = (dlab_raft_live *)(void *)(bytes + c->volatile_offset),
                   .log = (dlab_raft_entry *)(void *)(bytes + c->log_offset),
                   .chain = (uint64_t *)(void *)(bytes + c->chain_offset),
                   .in = in,
                   .out = out };
}

static void start(raft *r)
{
    dlab_raft_recover(r);
    if (!r->in->restarted) dlab_raft_bring(r);
    r->live->role = DLAB_RAFT_ROLE_OUTSIDER;
    if (r->in->restarted && r->c->read_mode == DLAB_RAFT_READ_LEASE_MODE)
        r->live->silent_until = r->in->now + r->c->election_least;
    if (!r->live->damaged) dlab_raft_become_follower(r, r->hard->term, 0);
}

/* Messages that only a leader of this very term listens to. */
static void take_answer(raft *r, const dlab_message *m)
{
    if (m->a > r->hard->term) {
        dlab_raft_become_follower(r, m->a, 0);
        raft_persist(r);
        return;
    }
    if (m->a != r->hard->term || !raft_leads(r)) return;
    switch (m->kind) {
    case DLAB_RAFT_APPENDED: dlab_raft_take_appended(r, m); return;
    case DLAB_RAFT_REFUSED: dlab_raft_take_refused(r, m); return;
    case DLAB_RAFT_ALIVE: dlab_raft_take_alive(r, m); return;
    case DLAB_RAFT_STORED: dlab_raft_take_stored(r, m); return;
    default: dlab_raft_take_read_forward(r, m); return;
    }
}

static void take_message(raft *r, const dlab_message *m)
{
    switch (m->kind) {
    case DLAB_RAFT_PRE_VOTE_REQUEST:
    case DLAB_RAFT_VOTE_REQUEST: dlab_raft_take_vote_request(r, m); return;
    case DLAB_RAFT_PRE_VOTE:
    case DLAB_RAFT_VOTE: dlab_raft_take_vote(r, m); return;
    case DLAB_RAFT_APPEND: dlab_raft_take_append(r, m); return;
    case DLAB_RAFT_HEARTBEAT: dlab_raft_take_heartbeat(r, m); return;
    case DLAB_RAFT_SNAPSHOT: dlab_raft_take_snapshot(r, m); return;
    case DLAB_RAFT_COMMAND: dlab_raft_take_command(r, m); return;
    case DLAB_RAFT_READ_INDEX: dlab_raft_take_read_index(r, m); return;
    case DLAB_RAFT_TIMEOUT_NOW:
        if (m->a == r->hard->term && !raft_leads(r) && dlab_raft_may_campaign(r)) dlab_raft_campaign(r, true);
        return;
    default: take_answer(r, m);
    }
}

static void take_timer(raft *r, uint32_t timer)
{
    switch (timer) {
    case DLAB_RAFT_TIMER_ELECTION: dlab_raft_election_due(r); return;
    case DLAB_RAFT_TIMER_HEARTBEAT_DUE:
        if (!raft_leads(r)) return;
        dlab_raft_heartbeat(r);
        dlab_set_timer(r->out, DLAB_RAFT_TIMER_HEARTBEAT_DUE, r->c->heartbeat, r->c->heartbeat);
        return;
    case DLAB_RAFT_TIMER_QUORUM_CHECK: dlab_raft_check_quorum(r); return;
    case DLAB_RAFT_TIMER_TRANSFER_DUE: dlab_raft_transfer_due(r); return;
    default: break;
    }
    if (dlab_raft_win_alone(r)) return; /* its first entry is not durable yet */
    if (raft_leads(r)) dlab_raft_advance_commit(r);
    dlab_raft_apply(r);
    dlab_raft_serve_reads(r);
}

/* A write has ended. A server whose disk fails dies rather than go on with a log in memory that its disk does
 * not have (Rebello et al., ATC 2020); a snapshot of its own that failed is only missing. */
static void take_persisted(raft *r)
{
    const bool snapshot = r->in->ticket >> 63 != 0;
    if (snapshot) {
        dlab_raft_snapshot_durable(r);
    } else if (r->in->status == DLAB_DISK_OK) {
        dlab_raft_entries_durable(r, r->in->ticket);
    } else {
        dlab_die(r->out, r->c->election_least, r->c->election_most);
    }
}

static void step(const dlab_core *core, uint32_t node, void *state, const dlab_input *in, dlab_outputs *out)
{
    raft r = open_step(core, node, state, in, out);
    if (in->kind == DLAB_ON_MESSAGE && in->message->corrupt) return; /* every message carries a checksum */
    if (node >= r.c->servers) {
        dlab_raft_client_step(r.c, node, state, in, out);
        return;
    }
    if (in->kind == DLAB_ON_START) start(&r);
    if (r.live->damaged) return;
    if (in->kind == DLAB_ON_MESSAGE) take_message(&r, in->message);
    else if (in->kind == DLAB_ON_TIMER) take_timer(&r, in->timer);
    else if (in->kind == DLAB_ON_REQUEST) dlab_raft_take_request(&r, in->message);
    else if (in->kind == DLAB_ON_PERSISTED) take_persisted(&r);
    if (in->kind == DLAB_ON_MESSAGE && r.live->read_count > 0) dlab_raft_serve_reads(&r);
    raft_persist(&r);
}

static uint32_t role_of(const dlab_core *core, uint32_t node)
{
    return node >= ((const dlab_raft *)core->config)->servers;
}

static uint32_t lane_of(const dlab_core *core, uint32_t node, const void *state, uint32_t *a, uint64_t *b)
{
    const dlab_raft *c = core->config;
    if (node >= c->servers)
        return ((const dlab_raft_client *)state)->waiting ? DLAB_RAFT_ROLE_WAITING : DLAB_RAFT_ROLE_THINKING;
    const dlab_raft_live *v = dlab_raft_live_of(c, state);
    *a = dlab_raft_hard_of(state)->term;
    *b = v->commit;
    return v->role;
}

static uint32_t leader_of(const dlab_core *core, const dlab_view *view)
{
    const dlab_raft *c = core->config;
    uint32_t best = DLAB_NO_NODE, term = 0;
    for (uint32_t i = 0; i < c->servers; i++) {
        const void *state = dlab_view_node(view, i);
        if (!view->running[i] || dlab_raft_live_of(c, state)->role != DLAB_RAFT_ROLE_LEADER) continue;
        if (best != DLAB_NO_NODE && dlab_raft_hard_of(state)->term <= term) continue;
        best = i;
        term = dlab_raft_hard_of(state)->term;
    }
    return best;
}

const dlab_raft_entry *dlab_raft_entry_at(const dlab_raft *c, const void *state, uint32_t index)
{
    const dlab_raft_live *v = dlab_raft_live_of(c, state);
    const unsigned char *log = (const unsigned char *)state + c->log_offset;
    if (index < v->first || index > v->last) return NULL;
    return (const dlab_raft_entry *)(const void *)log + (index & (c->log_capacity - 1));
}

static uint32_t aligned(size_t bytes) { return (uint32_t)((bytes + 15u) & ~(size_t)15u); }

void dlab_raft_lay_out(dlab_raft *c)
{
    c->machine_bytes = (uint32_t)(c->keys * sizeof(uint64_t) + c->clients * sizeof(dlab_raft_session));
    c->slot_bytes = aligned(sizeof(dlab_raft_snapshot) + c->machine_bytes);
    c->slot_offset[0] = aligned(sizeof(dlab_raft_hard));
    c->slot_offset[1] = c->slot_offset[0] + c->slot_bytes;
    c->log_offset = c->slot_offset[1] + c->slot_bytes;
    c->durable = aligned(c->log_offset + c->log_capacity * sizeof(dlab_raft_entry));
    c->volatile_offset = c->durable;
    c->machine_offset = aligned(c->volatile_offset + sizeof(dlab_raft_live));
    c->chain_offset = aligned(c->machine_offset + c->machine_bytes);
    c->state_bytes = aligned(c->chain_offset + c->log_capacity * sizeof(uint64_t));
}

dlab_core dlab_raft_core(const dlab_raft *c)
{
    const uint32_t append = (uint32_t)(sizeof(raft_append_body) + c->batch * sizeof(dlab_raft_entry));
    const uint32_t chunk = (uint32_t)sizeof(raft_snapshot_body) + c->chunk;
    const uint32_t body = append > chunk ? append : chunk;
    return (dlab_core){ .name = "raft",
                        .config = c,
                        .nodes = c->servers + c->clients,
                        .timers = DLAB_RAFT_TIMER_COUNT,
                        .state_bytes = c->state_bytes,
                        .durable = c->durable,
                        .ghost_bytes = dlab_raft_ghost_bytes(c),
                        /* Two bursts to each peer, a round of heartbeats, applied entries with their answers,
                         * reads answered, timers and writes. */
                        .outputs_max = 6 * c->servers + 3 * RAFT_APPLY_MAX + DLAB_RAFT_READS_MAX + 32,
                        .bytes_max = 2 * c->servers * RAFT_BURST_MAX * body + 16384,
                        .body_max = body,
                        .schema = &dlab_raft_schema,
                        .step = step,
                        .observe = dlab_raft_observe,
                        .check = dlab_raft_check,
                        .role = role_of,
                        .lane = lane_of,
                        .leader = leader_of };
}
