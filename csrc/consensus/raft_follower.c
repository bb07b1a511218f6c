/* Raft: replication as a follower sees it, and snapshots that arrive. */
#include "consensus/raft_inner.h"

void dlab_raft_acknowledge(raft *r, uint32_t to, uint32_t match)
{
    dlab_send(r->out, to, DLAB_RAFT_APPENDED, r->hard->term, match, NULL, 0);
}

/* A message from whoever leads this term. False: it comes from an older term; its sender is told. */
static bool accept_leader(raft *r, const dlab_message *m)
{
    dlab_raft_live *v = r->live;
    /* "Reply false if term < currentTerm" (figure 2). */
    if (m->a < r->hard->term && !raft_has_bug(r, DLAB_RAFT_BUG_STALE_TERM_APPEND)) {
        const raft_refused_body body = { (uint32_t)m->b, 0 };
        dlab_send(r->out, m->from, DLAB_RAFT_REFUSED, r->hard->term, 0, &body, sizeof body);
        return false;
    }
    if (m->a > r->hard->term || raft_leads(r) || v->leader != m->from + 1u ||
        v->role == DLAB_RAFT_ROLE_CANDIDATE || v->role == DLAB_RAFT_ROLE_PRE_CANDIDATE)
        dlab_raft_become_follower(r, m->a, m->from + 1u);
    else dlab_raft_arm_election(r);
    v->heard_at = r->in->now;
    return true;
}

/* "set commitIndex = min(leaderCommit, index of last new entry)" (figure 2). */
void dlab_raft_set_commit(raft *r, uint32_t index)
{
    dlab_raft_live *v = r->live;
    if (index > v->last) index = v->last;
    if (index <= v->commit) return;
    v->commit = index;
    dlab_remark(r->out, DLAB_RAFT_NOTE_COMMITS, r->hard->term, index);
    if (r->c->async_storage) dlab_set_timer(r->out, DLAB_RAFT_TIMER_APPLY_DUE, 0, 0);
    else dlab_raft_apply(r);
}

/* "Reply false if log doesn't contain an entry at prevLogIndex whose term matches prevLogTerm" (figure 2);
 * the hint is the last index before the conflicting term. */
static void refuse(raft *r, const dlab_message *m, uint32_t prev, uint32_t prev_term)
{
    const dlab_raft_live *v = r->live;
    uint32_t hint = prev < v->last ? prev : v->last;
    while (hint > v->snapshot && hint >= v->first && raft_term_at(r, hint) > prev_term) hint--;
    const raft_refused_body body = { prev, raft_term_at(r, hint) };
    raft_persist(r);
    dlab_send(r->out, m->from, DLAB_RAFT_REFUSED, r->hard->term, hint, &body, sizeof body);
}

/* "If an existing entry conflicts with a new one (same index but different terms), delete the existing entry
 * and all that follow it. Append any new entries not already in the log" (figure 2). An append that is late
 * and agrees must not delete anything. */
static void take_entries(raft *r, const dlab_raft_entry *entries, uint32_t prev, uint32_t count)
{
    const dlab_raft_live *v = r->live;
    if (raft_has_bug(r, DLAB_RAFT_BUG_TRUNCATE_ALWAYS) && prev + 1 > v->snapshot) dlab_raft_cut(r, prev + 1);
    for (uint32_t k = 0; k < count; k++) {
        const uint32_t index = prev + 1 + k;
        if (index <= v->snapshot) continue;
        if (index <= v->last) {
            if (raft_term_at(r, index) == entries[k].term) continue;
            dlab_raft_cut(r, index);
        }
        if (dlab_raft_is_full(r)) return;
        dlab_raft_put(r, &entries[k]);
    }
}

void dlab_raft_take_append(raft *r, const dlab_message *m)
{
    dlab_raft_live *v = r->live;
    const raft_append_body *body = m->body;
    const dlab_raft_entry *entries = (const dlab_raft_entry *)(const void *)(body + 1);
    const uint32_t prev = (uint32_t)m->b;
    if (!accept_leader(r, m)) return;
    if (prev < v->snapshot && prev + body->count < v->snapshot) {
        raft_persist(r);
        dlab_raft_acknowledge(r, m->from, v->snapshot < v->stable ? v->snapshot : v->stable);
        return;
    }
    if (prev > v->last || (prev >= v->snapshot && raft_term_at(r, prev) != body->prev_term)) {
        refuse(r, m, prev, body->prev_term);
        return;
    }
    take_entries(r, entries, prev, body->count);
    if (dlab_raft_is_full(r)) dlab_raft_apply(r);
    const uint32_t through = prev + body->count < v->last ? prev + body->count : v->last;
    const bool writes = v->dirty_from <= v->dirty_to;
    if (v->agreed_term != r->hard->term || v->agreed < through) v->agreed = through;
    v->agreed_term = r->hard->term;
    raft_persist(r);
    dlab_raft_set_commit(r, body->commit < through ? body->commit : through);
    /* With asynchronous storage the answer to new entries follows their write. */
    if (!writes || !r->c->async_storage)
        dlab_raft_acknowledge(r, m->from, through < v->stable ? through : v->stable);
}

/* An asynchronous write of entries has ended. One that was cut meanwhile says nothing about what stands there
 * now (etcd's append-ABA race), and entries of an earlier leader, not compared with this one's log yet, must
 * not be acknowledged to it. */
void dlab_raft_entries_durable(raft *r, uint64_t ticket)
{
    dlab_raft_live *v = r->live;
    const uint32_t version = (uint32_t)(ticket >> 32), last = (uint32_t)ticket;
    if (ticket == 0) return;
    if (version != v->version && !raft_has_bug(r, DLAB_RAFT_BUG_ACK_OF_TRUNCATED)) return;
    if (last <= v->stable) return;
    v->stable = last;
    if (raft_leads(r)) dlab_raft_advance_commit(r);
    else if (v->leader != 0 && v->agreed_term == r->hard->term)
        dlab_raft_acknowledge(r, v->leader - 1, last < v->agreed ? last : v->agreed);
}

void dlab_raft_take_heartbeat(raft *r, const dlab_message *m)
{
    uint32_t round;
    memcpy(&round, m->body, sizeof round);
    if (!accept_leader(r, m)) return;
    raft_persist(r);
    dlab_raft_set_commit(r, (uint32_t)m->b);
    dlab_send(r->out, m->from, DLAB_RAFT_ALIVE, r->hard->term, round, NULL, 0);
}

/* The last chunk is here and its checksum holds: the snapshot replaces the log, unless "existing log entry
 * has same index and term as snapshot's last included entry", then what follows it is kept (figure 13). */
static void install(raft *r, uint32_t slot, uint32_t from)
{
    dlab_raft_live *v = r->live;
    dlab_raft_snapshot *s = raft_slot(r, slot);
    const bool agrees = s->index <= v->last && raft_term_at(r, s->index) == s->term;
    const bool keeps = agrees || (raft_has_bug(r, DLAB_RAFT_BUG_SNAPSHOT_KEEPS_SUFFIX) && s->index < v->last);
    dlab_remark(r->out, DLAB_RAFT_NOTE_INSTALLS, r->hard->term, s->index);
    /* What is kept must be found behind the snapshot after a restart, what is not must not. */
    s->version = keeps ? raft_at(r, s->index)->version : v->version + 1;
    s->crc = dlab_raft_snapshot_crc(r, slot);
    v->snapshot = s->index;
    v->slot = slot;
    if (!keeps) {
        v->last = v->stable = s->index;
        v->first = s->index + 1;
        v->version++;
        v->dirty_from = 1;
        v->dirty_to = 0;
    }
    v->commit = v->applied = s->index;
    dlab_raft_load_machine(r, (const unsigned char *)(s + 1));
    dlab_raft_find_members(r);
    raft_persist(r);
    dlab_persist(r->out, r->c->slot_offset[slot], r->c->slot_bytes, false, 0);
    dlab_send(r->out, from, DLAB_RAFT_STORED, r->hard->term, r->c->machine_bytes, NULL, 0);
}

void dlab_raft_take_snapshot(raft *r, const dlab_message *m)
{
    dlab_raft_live *v = r->live;
    raft_snapshot_body body;
    memcpy(&body, m->body, sizeof body);
    if (!accept_leader(r, m)) return;
    raft_persist(r);
    if (body.head.index <= v->commit) {
        dlab_raft_acknowledge(r, m->from, v->commit < v->stable ? v->commit : v->stable);
        return;
    }
    const uint32_t slot = v->snapshot > 0 ? 1 - v->slot : 0;
    if (v->saving != 0) return; /* its own snapshot is on its way to the same slot */
    if (v->incoming_index != body.head.index || v->incoming_from != m->from) {
        v->incoming_index = body.head.index;
        v->incoming_from = m->from;
        v->incoming_bytes = 0;
    }
    if (body.offset == v->incoming_bytes) {
        unsigned char *image = (unsigned char *)(raft_slot(r, slot) + 1);
        memcpy(image + body.offset, (const unsigned char *)m->body + sizeof body, body.length);
        v->incoming_bytes += body.length;
    }
    if (v->incoming_bytes < r->c->machine_bytes) {
        dlab_send(r->out, m->from, DLAB_RAFT_STORED, r->hard->term, v->incoming_bytes, NULL, 0);
        return;
    }
    *raft_slot(r, slot) = body.head;
    v->incoming_index = 0;
    install(r, slot, m->from);
}
