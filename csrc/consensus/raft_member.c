/* Raft: membership, leadership transfer, and what an operator may ask. One server at a time (thesis 4.1) or
 * any set by a joint configuration (the paper, section 6; left by itself or when told); learners (thesis
 * 4.2.1). */
#include "consensus/raft_inner.h"

_Static_assert(DLAB_RAFT_SERVERS_MAX <= 16, "a set of servers has 16 bits");

/* How many; in line, since many processors that this is compiled for have no instruction for it. */
static uint32_t size_of(uint32_t set)
{
    const uint32_t pairs = set - (set >> 1 & 0x5555u), fours = (pairs & 0x3333u) + (pairs >> 2 & 0x3333u);
    const uint32_t eights = (fours + (fours >> 4)) & 0x0f0fu;
    return (eights + (eights >> 8)) & 0x1fu;
}

static bool is_majority(uint32_t voters, uint32_t set)
{
    return voters == 0 || 2 * size_of(voters & set) > size_of(voters);
}

bool dlab_raft_is_quorum(const dlab_raft_members *members, uint32_t set)
{
    return members->voters != 0 && is_majority(members->voters, set) && is_majority(members->outgoing, set);
}

static bool propose_members(raft *r, const dlab_raft_members *m)
{
    dlab_raft_live *v = r->live;
    const dlab_raft_entry e = { .value = (uint64_t)m->leaves << 48 | (uint64_t)m->learners << 32 |
                                         (uint64_t)m->outgoing << 16 | m->voters,
                                .client = DLAB_NO_NODE,
                                .kind = DLAB_RAFT_OP_CONFIG,
                                .wire = 64 };
    const uint32_t before = raft_everybody(r);
    if (!dlab_raft_propose(r, &e)) return false;
    dlab_remark(r->out, DLAB_RAFT_NOTE_CHANGES, m->voters, v->last);
    const uint32_t joined = raft_everybody(r) & ~before;
    for (uint32_t i = 0; i < r->c->servers; i++) {
        if ((joined & raft_bit(i)) == 0) continue;
        dlab_raft_reset_peer(r, i, v->last + 1);
        v->peers[i].active = true;
        dlab_raft_send_append(r, i, true);
    }
    return true;
}

/* "leaders ... can't make another change until the previous one has committed" (thesis 4.1), and not before
 * an entry of their own term has (the bug of 2015: raft-dev, "bug in single-server membership changes"). */
static bool may_change(const raft *r)
{
    const dlab_raft_live *v = r->live;
    uint32_t latest = v->members_index;
    if (raft_has_bug(r, DLAB_RAFT_BUG_OVERLAPPING_CHANGE)) return v->members.outgoing == 0;
    if (raft_has_bug(r, DLAB_RAFT_BUG_CONFIG_AT_APPLY)) (void)dlab_raft_members_at(r, v->last, &latest);
    return latest <= v->commit && v->commit >= v->term_start && v->members.outgoing == 0;
}

static bool changed(const raft *r, unsigned ask, uint32_t what, dlab_raft_members *m)
{
    const uint32_t bit = what < r->c->servers ? raft_bit(what) : 0;
    switch (ask) {
    case DLAB_RAFT_ASK_ADD_VOTER:
    case DLAB_RAFT_ASK_PROMOTE:
        m->voters |= bit;
        m->learners &= ~bit;
        break;
    case DLAB_RAFT_ASK_ADD_LEARNER: m->learners |= bit & ~m->voters; break;
    case DLAB_RAFT_ASK_REMOVE:
        m->voters &= ~bit;
        m->learners &= ~bit;
        break;
    case DLAB_RAFT_ASK_JOINT:
        m->outgoing = m->voters;
        m->voters = what & ((UINT32_C(1) << r->c->servers) - 1);
        m->learners &= ~m->voters;
        m->leaves = 1;
        break;
    default: return false;
    }
    return m->voters != 0 && memcmp(m, &r->live->members, sizeof *m) != 0;
}

static void begin_transfer(raft *r, uint32_t to)
{
    dlab_raft_live *v = r->live;
    if (!raft_leads(r) || to == r->me || to >= r->c->servers || (v->members.voters & raft_bit(to)) == 0)
        return;
    v->transfer = to + 1;
    dlab_set_timer(r->out, DLAB_RAFT_TIMER_TRANSFER_DUE, r->c->election_least, r->c->election_least);
    dlab_raft_go_on_transfer(r, to);
    dlab_raft_send_append(r, to, true);
}

/* "The prior leader sends a TimeoutNow request to the target server" once the target's log is complete; it
 * takes no new requests meanwhile (thesis 3.10). */
void dlab_raft_go_on_transfer(raft *r, uint32_t peer)
{
    dlab_raft_live *v = r->live;
    if (v->transfer != peer + 1 || v->peers[peer].match != v->last) return;
    v->offered = true;
    dlab_send(r->out, peer, DLAB_RAFT_TIMEOUT_NOW, r->hard->term, 0, NULL, 0);
}

/* "If leadership transfer does not complete after about an election timeout, the prior leader aborts the
 * transfer and resumes accepting client requests" (thesis 3.10). */
void dlab_raft_transfer_due(raft *r) { r->live->transfer = 0; }

void dlab_raft_take_request(raft *r, const dlab_message *m)
{
    dlab_raft_members members = r->live->members;
    switch (m->kind) {
    case DLAB_RAFT_ASK_TRANSFER: begin_transfer(r, m->a); return;
    case DLAB_RAFT_ASK_FORGET_LEADER:
        if (!raft_leads(r)) r->live->leader = 0;
        return;
    case DLAB_RAFT_ASK_CAMPAIGN:
        if (!raft_leads(r) && dlab_raft_may_campaign(r)) dlab_raft_election_due(r);
        return;
    case DLAB_RAFT_ASK_APPEND_NOOP:
        if (raft_leads(r)) (void)dlab_raft_propose_noop(r);
        return;
    case DLAB_RAFT_ASK_LEAVE_JOINT:
        members.outgoing = 0;
        if (raft_leads(r) && r->live->members.outgoing != 0 && r->live->members_index <= r->live->commit)
            (void)propose_members(r, &members);
        return;
    default:
        if (raft_leads(r) && may_change(r) && changed(r, m->kind, m->a, &members))
            (void)propose_members(r, &members);
    }
}

/* The latest configuration is committed: a joint one is left; "in this case, the leader steps down (returns
 * to follower state) once it has committed the C_new log entry" without it (section 6). */
void dlab_raft_members_committed(raft *r)
{
    dlab_raft_live *v = r->live;
    dlab_raft_members members = v->members;
    if (!raft_leads(r)) {
        if (v->role == DLAB_RAFT_ROLE_FOLLOWER || v->role == DLAB_RAFT_ROLE_LEARNER ||
            v->role == DLAB_RAFT_ROLE_OUTSIDER)
            dlab_raft_become_follower(r, r->hard->term, v->leader);
        return;
    }
    if (members.outgoing != 0 && members.leaves) {
        members.outgoing = members.leaves = 0;
        (void)propose_members(r, &members);
    } else if (members.outgoing == 0 && (members.voters & raft_bit(r->me)) == 0) {
        dlab_raft_become_follower(r, r->hard->term, 0);
    }
}
