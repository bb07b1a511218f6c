/* Raft: elections. Pre-vote: thesis 9.6. Quorum check and stickiness: thesis 6.2 and 4.2.3. */
#include "consensus/raft_inner.h"

/* Voters of the latest configuration; and "a server that is not part of its own latest configuration should
 * still start new elections, as it might still be needed until the C_new entry is committed. It does not
 * count its own vote in elections unless it is part of its latest configuration" (thesis 4.2.2). */
bool dlab_raft_may_campaign(const raft *r)
{
    const dlab_raft_live *v = r->live;
    uint32_t found;
    if (raft_has_bug(r, DLAB_RAFT_BUG_LEARNER_NEVER_VOTES) && (r->c->members.voters & raft_bit(r->me)) == 0)
        return false;
    if (((v->members.voters | v->members.outgoing) & raft_bit(r->me)) != 0) return true;
    if (v->members_index <= v->commit) return false;
    const dlab_raft_members before = dlab_raft_members_at(r, v->members_index - 1, &found);
    return ((before.voters | before.outgoing) & raft_bit(r->me)) != 0;
}

/* "Raft uses randomized election timeouts ... chosen randomly from a fixed interval" (section 5.2). */
void dlab_raft_arm_election(raft *r)
{
    dlab_set_timer(r->out, DLAB_RAFT_TIMER_ELECTION, r->c->election_least, r->c->election_most);
}

uint32_t dlab_raft_idle_role(const raft *r)
{
    const dlab_raft_members *m = &r->live->members;
    if (((m->voters | m->outgoing) & raft_bit(r->me)) != 0) return DLAB_RAFT_ROLE_FOLLOWER;
    return (m->learners & raft_bit(r->me)) != 0 ? DLAB_RAFT_ROLE_LEARNER : DLAB_RAFT_ROLE_OUTSIDER;
}

/* "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to follower"
 * (figure 2). */
void dlab_raft_become_follower(raft *r, uint32_t term, uint32_t leader)
{
    dlab_raft_live *v = r->live;
    const bool idle = raft_leads(r) || r->in->kind == DLAB_ON_START; /* no timeout runs */
    if (raft_leads(r)) {
        dlab_remark(r->out, DLAB_RAFT_NOTE_STEPS_DOWN, r->hard->term, 0);
        dlab_cancel_timer(r->out, DLAB_RAFT_TIMER_HEARTBEAT_DUE);
        dlab_cancel_timer(r->out, DLAB_RAFT_TIMER_QUORUM_CHECK);
        dlab_cancel_timer(r->out, DLAB_RAFT_TIMER_TRANSFER_DUE);
        v->transfer = 0;
        dlab_raft_drop_reads(r);
    }
    if (term > r->hard->term) dlab_raft_set_hard(r, term, 0);
    v->leader = leader;
    v->role = dlab_raft_idle_role(r);
    /* "If election timeout elapses without receiving AppendEntries RPC from current leader or granting vote
     * to candidate: convert to candidate" (figure 2): nothing else begins it anew. Others (etcd) also do so
     * when the term rises or the election is lost, which spreads the timeouts of rivals. */
    if (idle || leader != 0 || !r->c->keeps_timeout) dlab_raft_arm_election(r);
}

/* A vote is asked of every voter; a server's own is cast by asking. */
static void ask_votes(raft *r, unsigned kind, uint32_t term, bool transfer)
{
    dlab_raft_live *v = r->live;
    const raft_vote_body body = { raft_term_at(r, v->last), transfer };
    const uint32_t voters = v->members.voters | v->members.outgoing;
    for (uint32_t i = 0; i < r->c->servers; i++)
        if (i != r->me && (voters & raft_bit(i)) != 0)
            dlab_send(r->out, i, kind, term, v->last, &body, sizeof body);
}

static void pre_campaign(raft *r)
{
    dlab_raft_live *v = r->live;
    v->role = DLAB_RAFT_ROLE_PRE_CANDIDATE;
    v->votes = raft_bit(r->me);
    v->refusals = 0;
    v->leader = 0;
    dlab_raft_arm_election(r);
    ask_votes(r, DLAB_RAFT_PRE_VOTE_REQUEST, r->hard->term + 1, false);
    if (dlab_raft_is_quorum(&v->members, v->votes)) dlab_raft_campaign(r, false);
}

/* "To begin an election, a follower increments its current term and transitions to candidate state. It then
 * votes for itself and issues RequestVote RPCs in parallel" (section 5.2). */
void dlab_raft_campaign(raft *r, bool transfer)
{
    dlab_raft_live *v = r->live;
    v->role = DLAB_RAFT_ROLE_CANDIDATE;
    v->leader = 0;
    v->votes = raft_bit(r->me);
    v->refusals = 0;
    dlab_raft_set_hard(r, r->hard->term + 1, r->me + 1);
    dlab_raft_arm_election(r);
    raft_persist(r);
    ask_votes(r, DLAB_RAFT_VOTE_REQUEST, r->hard->term, transfer);
    /* A majority by itself leads when its vote is durable: its next input. */
    if (dlab_raft_is_quorum(&v->members, v->votes)) dlab_set_timer(r->out, DLAB_RAFT_TIMER_APPLY_DUE, 0, 0);
}

bool dlab_raft_win_alone(raft *r)
{
    const dlab_raft_live *v = r->live;
    if (v->role != DLAB_RAFT_ROLE_CANDIDATE || !dlab_raft_is_quorum(&v->members, v->votes)) return false;
    dlab_raft_become_leader(r);
    return true;
}

void dlab_raft_election_due(raft *r)
{
    if (raft_leads(r)) return;
    if (!dlab_raft_may_campaign(r)) {
        r->live->leader = 0; /* a hint that old would send clients in circles */
        dlab_raft_arm_election(r);
        return;
    }
    if (r->c->pre_vote) pre_campaign(r);
    else dlab_raft_campaign(r, false);
}

/* "If two logs have last entries with different terms, then the log with the later term is more up-to-date.
 * If the logs end with the same term, then whichever log is longer is more up-to-date" (section 5.4.1). */
static bool is_up_to_date(const raft *r, uint32_t last_term, uint32_t last)
{
    const uint32_t mine = raft_term_at(r, r->live->last);
    if (raft_has_bug(r, DLAB_RAFT_BUG_SKIP_UP_TO_DATE)) return true;
    if (raft_has_bug(r, DLAB_RAFT_BUG_LENGTH_BEFORE_TERM))
        return last != r->live->last ? last > r->live->last : last_term >= mine;
    return last_term != mine ? last_term > mine : last >= r->live->last;
}

/* "if a server receives a RequestVote request within the minimum election timeout of hearing from a current
 * leader, it does not update its term or grant its vote" (thesis 4.2.3); a transfer is exempt (3.10). A
 * restarted server has forgotten whom it heard: where reads rely on leases it waits that long. */
static bool hears_a_leader(const raft *r)
{
    const dlab_raft_live *v = r->live;
    if (r->in->now < v->silent_until) return true;
    if (!r->c->quorum_check || v->leader == 0) return false;
    return raft_leads(r) || r->in->now - v->heard_at < r->c->election_least;
}

static void answer_vote(raft *r, const dlab_message *m, unsigned kind, uint32_t term, bool granted)
{
    raft_persist(r);
    dlab_send(r->out, m->from, kind, term, granted, NULL, 0);
}

void dlab_raft_take_vote_request(raft *r, const dlab_message *m)
{
    const raft_vote_body *body = m->body;
    const bool pre = m->kind == DLAB_RAFT_PRE_VOTE_REQUEST;
    const bool fresh = is_up_to_date(r, body->last_term, (uint32_t)m->b);
    if (hears_a_leader(r) && !body->transfer) return;
    if (pre) {
        /* It promises nothing: neither term nor vote changes. */
        const bool granted = m->a > r->hard->term && fresh;
        answer_vote(r, m, DLAB_RAFT_PRE_VOTE, granted ? m->a : r->hard->term, granted);
        return;
    }
    if (m->a > r->hard->term) dlab_raft_become_follower(r, m->a, 0);
    /* "If votedFor is null or candidateId, and candidate's log is at least as up-to-date as receiver's log,
     * grant vote" (figure 2). */
    const bool free = r->hard->vote == 0 || r->hard->vote == m->from + 1u;
    const bool granted = m->a == r->hard->term && free && fresh;
    if (granted) {
        dlab_raft_set_hard(r, r->hard->term, m->from + 1u);
        dlab_raft_arm_election(r);
    }
    answer_vote(r, m, DLAB_RAFT_VOTE, r->hard->term, granted);
}

/* Can the votes not cast yet still make a quorum? */
static bool is_lost(const dlab_raft_members *m, uint32_t refusals)
{
    return !dlab_raft_is_quorum(m, (m->voters | m->outgoing) & ~refusals);
}

void dlab_raft_take_vote(raft *r, const dlab_message *m)
{
    dlab_raft_live *v = r->live;
    const bool pre = m->kind == DLAB_RAFT_PRE_VOTE;
    const uint32_t wanted = pre ? DLAB_RAFT_ROLE_PRE_CANDIDATE : DLAB_RAFT_ROLE_CANDIDATE;
    const uint32_t term = r->hard->term + (pre ? 1 : 0);
    if (m->a > r->hard->term && !(pre && m->b != 0)) {
        dlab_raft_become_follower(r, m->a, 0);
        raft_persist(r);
        return;
    }
    if (v->role != wanted || (m->b != 0 && m->a != term)) return;
    if (m->b != 0) v->votes |= raft_bit(m->from);
    else v->refusals |= raft_bit(m->from);
    if (dlab_raft_is_quorum(&v->members, v->votes)) {
        if (pre) dlab_raft_campaign(r, false);
        else dlab_raft_become_leader(r);
    } else if (is_lost(&v->members, v->refusals)) {
        dlab_raft_become_follower(r, r->hard->term, 0);
    }
}

/* "a leader steps down if an election timeout elapses without a successful round of heartbeats to a majority
 * of its cluster" (thesis 6.2). */
void dlab_raft_check_quorum(raft *r)
{
    dlab_raft_live *v = r->live;
    uint32_t heard = raft_bit(r->me);
    if (!raft_leads(r)) return;
    for (uint32_t i = 0; i < r->c->servers; i++) {
        if (v->peers[i].active) heard |= raft_bit(i);
        v->peers[i].active = false;
    }
    if (!dlab_raft_is_quorum(&v->members, heard)) dlab_raft_become_follower(r, r->hard->term, 0);
    else dlab_set_timer(r->out, DLAB_RAFT_TIMER_QUORUM_CHECK, r->c->election_least, r->c->election_least);
}
