/* Raft: replication as the leader sees it. Each peer is probed with one append at a time until it agrees,
 * then fed a window of appends, or a snapshot when what it lacks is gone (etcd-io/raft's progress states). */
#include "consensus/raft_inner.h"

void dlab_raft_reset_peer(raft *r, uint32_t peer, uint32_t next)
{
    dlab_raft_peer *p = &r->live->peers[peer];
    const uint32_t match = p->match;
    *p = (dlab_raft_peer){ .match = match, .next = next, .state = DLAB_RAFT_PROBE };
}

static void window_push(dlab_raft_peer *p, uint32_t last, uint32_t bytes)
{
    const uint32_t at = (p->window_first + p->window_count++) % DLAB_RAFT_WINDOW_MAX;
    p->last[at] = last;
    p->bytes[at] = bytes;
    p->window_bytes += bytes;
}

static void window_free(dlab_raft_peer *p, uint32_t match)
{
    while (p->window_count > 0 && p->last[p->window_first] <= match) {
        p->window_bytes -= p->bytes[p->window_first];
        p->window_first = (p->window_first + 1) % DLAB_RAFT_WINDOW_MAX;
        p->window_count--;
    }
}

static bool window_is_full(const raft *r, const dlab_raft_peer *p)
{
    return p->window_count >= r->c->window || p->window_bytes >= r->c->window_bytes;
}

/* The next chunk of the latest snapshot. */
static void send_snapshot(raft *r, uint32_t to)
{
    dlab_raft_live *v = r->live;
    dlab_raft_peer *p = &v->peers[to];
    const dlab_raft_snapshot *s = raft_slot(r, v->slot);
    unsigned char bytes[sizeof(raft_snapshot_body) + 4096];
    if (p->state != DLAB_RAFT_SNAPSHOTTING || p->snapshot_index != s->index) {
        p->state = DLAB_RAFT_SNAPSHOTTING;
        p->snapshot_index = s->index;
        p->sent_offset = 0;
    }
    raft_snapshot_body body = { .head = *s, .offset = p->sent_offset };
    body.length = r->c->machine_bytes - p->sent_offset;
    if (body.length > r->c->chunk) body.length = r->c->chunk;
    memcpy(bytes, &body, sizeof body);
    memcpy(bytes + sizeof body, (const unsigned char *)(s + 1) + body.offset, body.length);
    p->waits = true;
    dlab_send(r->out, to, DLAB_RAFT_SNAPSHOT, r->hard->term, s->index, bytes,
              (uint32_t)sizeof body + body.length);
}

/* How many entries from `next` on go into one append, and their bytes on the wire. */
static uint32_t measure_batch(const raft *r, uint32_t next, uint32_t *bytes)
{
    uint32_t count = 0;
    *bytes = 0;
    while (count < r->c->batch && next + count <= r->live->last) {
        const uint32_t wire = raft_at(r, next + count)->wire;
        if (count > 0 && *bytes + wire > r->c->batch_bytes) break;
        *bytes += wire;
        count++;
    }
    return count;
}

static void put_append(raft *r, uint32_t to, uint32_t next, uint32_t count, uint32_t wire)
{
    dlab_raft_live *v = r->live;
    unsigned char bytes[sizeof(raft_append_body) + DLAB_RAFT_BATCH_MAX * sizeof(dlab_raft_entry)];
    const raft_append_body body = { raft_term_at(r, next - 1), v->commit, count, 0 };
    memcpy(bytes, &body, sizeof body);
    for (uint32_t k = 0; k < count; k++)
        memcpy(bytes + sizeof body + k * sizeof(dlab_raft_entry), raft_at(r, next + k),
               sizeof(dlab_raft_entry));
    dlab_message *m = dlab_send(r->out, to, DLAB_RAFT_APPEND, r->hard->term, next - 1, bytes,
                                (uint32_t)(sizeof body + count * sizeof(dlab_raft_entry)));
    m->wire = 64 + wire;
}

void dlab_raft_send_append(raft *r, uint32_t to, bool even_empty)
{
    dlab_raft_live *v = r->live;
    dlab_raft_peer *p = &v->peers[to];
    uint32_t wire;
    if (p->next > v->last && !even_empty) return; /* it has, or is on its way to have, all there is */
    if (p->state == DLAB_RAFT_SNAPSHOTTING || p->waits) return;
    /* The entry before must be there too, or its term be the snapshot's: a follower compares it. */
    const uint32_t prev = p->next - 1;
    if (prev == 0 ? v->first > 1 : prev < v->first && prev != v->snapshot) {
        if (v->snapshot > 0) send_snapshot(r, to);
        return;
    }
    if (p->state == DLAB_RAFT_REPLICATE && window_is_full(r, p)) return;
    const uint32_t count = measure_batch(r, p->next, &wire);
    if (count == 0 && !even_empty) return;
    put_append(r, to, p->next, count, wire);
    if (p->state == DLAB_RAFT_PROBE) {
        p->waits = true;
        return;
    }
    p->next += count;
    if (count > 0) window_push(p, p->next - 1, wire);
}

/* As much as each peer's window takes. */
void dlab_raft_broadcast(raft *r, bool even_empty)
{
    dlab_raft_live *v = r->live;
    const uint32_t all = raft_everybody(r);
    for (uint32_t i = 0; i < r->c->servers; i++) {
        if (i == r->me || (all & raft_bit(i)) == 0) continue;
        dlab_raft_send_append(r, i, even_empty);
        if (v->peers[i].state == DLAB_RAFT_REPLICATE) dlab_raft_send_append(r, i, false);
    }
}

/* "the leader maintains a nextIndex for each follower ... initialized to the index just after the last one in
 * its log" (section 5.3). "a leader ... commit[s] a blank no-op entry into the log at the start of its term"
 * (section 8). */
void dlab_raft_become_leader(raft *r)
{
    dlab_raft_live *v = r->live;
    v->role = DLAB_RAFT_ROLE_LEADER;
    v->leader = r->me + 1;
    v->round = 0;
    v->transfer = 0;
    v->offered = false;
    v->uncommitted_bytes = 0;
    v->term_start = v->last + 1;
    dlab_raft_drop_reads(r);
    for (uint32_t i = 0; i < r->c->servers; i++) {
        v->peers[i] = (dlab_raft_peer){ .next = v->last + 1, .state = DLAB_RAFT_PROBE, .active = true };
    }
    dlab_cancel_timer(r->out, DLAB_RAFT_TIMER_ELECTION);
    dlab_set_timer(r->out, DLAB_RAFT_TIMER_HEARTBEAT_DUE, r->c->heartbeat, r->c->heartbeat);
    if (r->c->quorum_check)
        dlab_set_timer(r->out, DLAB_RAFT_TIMER_QUORUM_CHECK, r->c->election_least, r->c->election_least);
    if (!dlab_raft_propose_noop(r)) dlab_raft_heartbeat(r);
}

bool dlab_raft_propose_noop(raft *r)
{
    const dlab_raft_entry noop = { .kind = DLAB_RAFT_OP_NOOP, .client = DLAB_NO_NODE, .wire = 16 };
    return dlab_raft_propose(r, &noop);
}

/* "The leader appends the command to its log as a new entry, then issues AppendEntries RPCs in parallel"
 * (section 5.3); it writes its own disk meanwhile (thesis 10.2.1). False: there is no room. */
bool dlab_raft_propose(raft *r, const dlab_raft_entry *entry)
{
    dlab_raft_live *v = r->live;
    dlab_raft_entry e = *entry;
    const bool limited = e.kind != DLAB_RAFT_OP_NOOP && e.kind != DLAB_RAFT_OP_CONFIG;
    /* Room is left for the no-ops of later leaders: without them nothing could be committed or compacted. */
    const uint32_t left = r->c->log_capacity - (v->last + 1 - v->snapshot);
    if (dlab_raft_is_full(r) || (limited && left <= (r->c->log_capacity - r->c->snapshot_every) / 2) ||
        (limited && v->uncommitted_bytes > 0 && v->uncommitted_bytes + e.wire > r->c->uncommitted_bytes))
        return false;
    e.term = r->hard->term;
    v->uncommitted_bytes += e.wire;
    dlab_raft_put(r, &e);
    dlab_raft_broadcast(r, false);
    raft_persist(r);
    /* A leader that is a majority by itself commits only when the entry is durable: its next input. */
    if (!r->c->async_storage && dlab_raft_is_quorum(&v->members, raft_bit(r->me)))
        dlab_set_timer(r->out, DLAB_RAFT_TIMER_APPLY_DUE, 0, 0);
    return true;
}

void dlab_raft_heartbeat(raft *r)
{
    dlab_raft_live *v = r->live;
    const uint32_t all = raft_everybody(r);
    v->round++;
    v->round_at[v->round % DLAB_RAFT_WINDOW_MAX] = r->in->now;
    for (uint32_t i = 0; i < r->c->servers; i++) {
        const dlab_raft_peer *p = &v->peers[i];
        if (i == r->me || (all & raft_bit(i)) == 0) continue;
        /* Not more than the peer is known to hold: it may have other entries behind that. */
        const uint32_t known = p->match < v->commit ? p->match : v->commit;
        const uint32_t commit = raft_has_bug(r, DLAB_RAFT_BUG_HEARTBEAT_COMMIT) ? v->commit : known;
        dlab_send(r->out, i, DLAB_RAFT_HEARTBEAT, r->hard->term, commit, &v->round, sizeof v->round);
    }
}

/* The largest index that a majority of `set` has in its log. */
static uint32_t majority_match(const raft *r, uint32_t set)
{
    uint32_t sorted[DLAB_RAFT_SERVERS_MAX], n = 0;
    if (set == 0) return UINT32_MAX;
    for (uint32_t i = 0; i < r->c->servers; i++) {
        if ((set & raft_bit(i)) == 0) continue;
        const uint32_t match = i == r->me ? r->live->stable : r->live->peers[i].match;
        uint32_t k = n++;
        for (; k > 0 && sorted[k - 1] < match; k--) sorted[k] = sorted[k - 1];
        sorted[k] = match;
    }
    return sorted[n / 2];
}

/* "If there exists an N such that N > commitIndex, a majority of matchIndex[i] >= N, and log[N].term ==
 * currentTerm: set commitIndex = N" (figure 2); while the configuration is joint, majorities of both. */
void dlab_raft_advance_commit(raft *r)
{
    dlab_raft_live *v = r->live;
    const uint32_t new = majority_match(r, v->members.voters), old = majority_match(r, v->members.outgoing);
    uint32_t index = new < old ? new : old;
    if (index > v->last) index = v->last;
    if (index <= v->commit) return;
    if (raft_term_at(r, index) != r->hard->term && !raft_has_bug(r, DLAB_RAFT_BUG_COMMIT_OLD_TERM)) return;
    dlab_raft_set_commit(r, index);
    dlab_raft_serve_reads(r);
    if (raft_leads(r)) dlab_raft_broadcast(r, true); /* followers learn of the commit without delay */
}

void dlab_raft_take_appended(raft *r, const dlab_message *m)
{
    dlab_raft_live *v = r->live;
    dlab_raft_peer *p = &v->peers[m->from];
    const uint32_t match = (uint32_t)m->b;
    p->active = true;
    if (match > v->last) return;
    const bool news = match > p->match;
    bool learns = false; /* what was committed while its probe was out */
    if (news) p->match = match;
    if (p->state == DLAB_RAFT_REPLICATE) {
        window_free(p, match);
    } else if (p->state == DLAB_RAFT_PROBE ? match + 1 >= p->next : match + 1 >= v->first) {
        /* It agrees; so does one whose snapshot came another way: etcd's "snapshot succeeds through an
         * append response". */
        p->state = DLAB_RAFT_REPLICATE;
        p->waits = false;
        p->window_count = p->window_bytes = 0;
        learns = true;
    }
    if (p->next < p->match + 1) p->next = p->match + 1;
    const uint32_t commit = v->commit;
    if (news) dlab_raft_advance_commit(r);
    if (!raft_leads(r)) return;
    if (learns && commit == v->commit) dlab_raft_send_append(r, m->from, true);
    for (int k = 0; k < RAFT_BURST_MAX && p->state == DLAB_RAFT_REPLICATE; k++)
        dlab_raft_send_append(r, m->from, false);
    dlab_raft_go_on_transfer(r, m->from);
}

/* The largest index of the leader's log whose term is not above the follower's hint. */
static uint32_t back_off(const raft *r, uint32_t hint, uint32_t hint_term)
{
    uint32_t index = hint < r->live->last ? hint : r->live->last;
    while (index > r->live->snapshot && index >= r->live->first && raft_term_at(r, index) > hint_term)
        index--;
    return index;
}

/* "If AppendEntries fails because of log inconsistency: decrement nextIndex and retry" (figure 2); with
 * hints one refusal passes a whole term ("the follower can include the term of the conflicting entry and the
 * first index it stores for that term", section 5.3). */
void dlab_raft_take_refused(raft *r, const dlab_message *m)
{
    const raft_refused_body *body = m->body;
    dlab_raft_peer *p = &r->live->peers[m->from];
    p->active = true;
    if (body->prev <= p->match || body->prev >= p->next + (p->state == DLAB_RAFT_PROBE)) return;
    if (p->state == DLAB_RAFT_PROBE && body->prev != p->next - 1) return;
    uint32_t next = body->prev;
    if (r->c->hints) {
        const uint32_t after = back_off(r, (uint32_t)m->b, body->hint_term) + 1;
        if (after < next) next = after;
    }
    if (next < p->match + 1) next = p->match + 1;
    if (next < 1) next = 1;
    dlab_remark(r->out, DLAB_RAFT_NOTE_BACKS_OFF, m->from, next);
    dlab_raft_reset_peer(r, m->from, next);
    p->active = true;
    dlab_raft_send_append(r, m->from, true);
}

void dlab_raft_take_alive(raft *r, const dlab_message *m)
{
    dlab_raft_live *v = r->live;
    dlab_raft_peer *p = &v->peers[m->from];
    const uint32_t round = (uint32_t)m->b;
    p->active = true;
    if (round > p->round && round <= v->round) {
        p->round = round;
        if (v->round - round < DLAB_RAFT_WINDOW_MAX) p->acked_at = v->round_at[round % DLAB_RAFT_WINDOW_MAX];
    }
    dlab_raft_serve_reads(r);
    if (!raft_leads(r)) return;
    /* What went out may be lost: a heartbeat answered is a reason to try again. */
    if (p->state == DLAB_RAFT_SNAPSHOTTING) {
        if (p->waits) send_snapshot(r, m->from);
        return;
    }
    p->waits = false;
    if (p->match < v->last) {
        if (p->state == DLAB_RAFT_REPLICATE && window_is_full(r, p)) window_free(p, p->last[p->window_first]);
        dlab_raft_send_append(r, m->from, true);
    }
}

void dlab_raft_take_stored(raft *r, const dlab_message *m)
{
    dlab_raft_peer *p = &r->live->peers[m->from];
    p->active = true;
    if (p->state != DLAB_RAFT_SNAPSHOTTING || m->b < p->sent_offset) return;
    p->sent_offset = (uint32_t)m->b;
    if (p->sent_offset < r->c->machine_bytes) {
        send_snapshot(r, m->from);
        return;
    }
    if (p->match < p->snapshot_index) p->match = p->snapshot_index;
    dlab_raft_reset_peer(r, m->from, p->match + 1);
    p->active = true;
    dlab_raft_advance_commit(r);
    if (raft_leads(r)) dlab_raft_send_append(r, m->from, true);
}
