/* Raft: commands of clients, and the four ways to read. Log: a read is an entry like any other. ReadIndex
 * (thesis 6.4): remember the commit index, make sure by a round of heartbeats that one still leads, wait
 * until it is applied. Lease (thesis 6.4.1): a round answered lately enough will do, given clocks of
 * bounded drift. Local: answer at once, which promises nothing. */
#include "consensus/raft_inner.h"

enum { WAITS_FOR_ROUND = 1, WAITS_FOR_INDEX, WAITS_TO_APPLY }; /* states of a read */

void dlab_raft_answer(raft *r, uint32_t client, uint32_t sequence, uint32_t status, uint64_t value)
{
    const raft_command_body body = { .client = (uint16_t)client,
                                     .status = (uint16_t)status,
                                     .leader = r->live->leader };
    dlab_send(r->out, client, DLAB_RAFT_RESULT, sequence, value, &body, sizeof body);
}

void dlab_raft_drop_reads(raft *r) { r->live->read_count = 0; /* their clients will ask again */ }

/* The latest round that a majority has answered, and when on the leader's clock the quorum's oldest answer
 * was asked for. */
static bool quorum_of_round(const raft *r, uint32_t round, int64_t asked_after)
{
    const dlab_raft_live *v = r->live;
    uint32_t set = raft_bit(r->me);
    for (uint32_t i = 0; i < r->c->servers; i++) {
        const dlab_raft_peer *p = &v->peers[i];
        if (i != r->me && p->round >= round && p->round > 0 && p->acked_at >= asked_after) set |= raft_bit(i);
    }
    return dlab_raft_is_quorum(&v->members, set);
}

/* "Once a leader's heartbeats were acknowledged by a majority of the cluster, the leader would extend its
 * lease to start + election timeout / clock drift bound" (thesis 6.4.1). A server that is told to stand for
 * election asks for votes in spite of any lease, also when the message comes late: once leadership was
 * offered, there is no lease for the rest of the term. */
static bool holds_lease(const raft *r)
{
    const double margin = raft_has_bug(r, DLAB_RAFT_BUG_LEASE_WITHOUT_MARGIN) ? 0 : r->c->lease_margin;
    const int64_t lease = (int64_t)((double)r->c->election_least * (1 - margin));
    return !r->live->offered && quorum_of_round(r, 0, r->in->now - lease);
}

/* "the leader must have the latest information on which entries are committed ... it needs to commit an entry
 * from its term" (section 8). */
static bool knows_commit(const raft *r)
{
    return r->live->commit >= r->live->term_start || raft_has_bug(r, DLAB_RAFT_BUG_READ_BEFORE_COMMIT);
}

static void answer_read(raft *r, const dlab_raft_read *read)
{
    dlab_raft_answer(r, read->client, read->sequence, DLAB_RAFT_RESULT_OK,
                     dlab_raft_read_register(r, read->key));
}

/* A read whose index is known: for the server that asked, or to be answered here once applied. */
static bool settle(raft *r, dlab_raft_read *read)
{
    if (read->from != r->me) {
        const raft_read_body body = { read->sequence, read->client, read->key };
        dlab_send(r->out, read->from, DLAB_RAFT_READ_INDEX, r->hard->term, read->index, &body, sizeof body);
        return true;
    }
    read->state = WAITS_TO_APPLY;
    if (r->live->applied < read->index) return false;
    answer_read(r, read);
    return true;
}

/* Reads that have become possible. */
void dlab_raft_serve_reads(raft *r)
{
    dlab_raft_live *v = r->live;
    uint32_t kept = 0, round = UINT32_MAX; /* neighbours wait for the same round: it is asked about once */
    bool wants_round = false, answered = false;
    for (uint32_t k = 0; k < v->read_count; k++) {
        dlab_raft_read *read = &v->reads[k];
        bool done = false;
        if (read->state == WAITS_FOR_ROUND && raft_leads(r)) {
            if (read->round != round) answered = quorum_of_round(r, read->round, INT64_MIN);
            round = read->round;
            if (answered) done = settle(r, read);
        } else if (read->state == WAITS_TO_APPLY && v->applied >= read->index) {
            answer_read(r, read);
            done = true;
        }
        if (done) continue;
        wants_round = wants_round || (read->state == WAITS_FOR_ROUND && read->round > v->round);
        v->reads[kept++] = *read;
    }
    v->read_count = kept;
    if (wants_round && raft_leads(r) && quorum_of_round(r, v->round, INT64_MIN)) dlab_raft_heartbeat(r);
}

/* The leader starts a ReadIndex or lease read for a server (itself or a follower). False: it cannot now. */
static bool begin_read(raft *r, dlab_raft_read *read)
{
    dlab_raft_live *v = r->live;
    if (!knows_commit(r) || v->read_count == DLAB_RAFT_READS_MAX) return false;
    read->index = v->commit;
    read->state = WAITS_FOR_ROUND;
    const bool sure = raft_has_bug(r, DLAB_RAFT_BUG_READ_WITHOUT_QUORUM) ||
                      (r->c->read_mode == DLAB_RAFT_READ_LEASE_MODE && holds_lease(r)) ||
                      dlab_raft_is_quorum(&v->members, raft_bit(r->me));
    if (sure && settle(r, read)) return true;
    if (!sure) {
        /* A read that comes while a round is out waits for the next one, and shares it with others. */
        const bool out = v->round > 0 && !quorum_of_round(r, v->round, INT64_MIN);
        if (!out) dlab_raft_heartbeat(r);
        read->round = v->round + (out ? 1 : 0);
    }
    v->reads[v->read_count++] = *read;
    return true;
}

static void send_elsewhere(raft *r, const dlab_message *m, const raft_command_body *body)
{
    const uint32_t leader = r->live->leader;
    if (r->c->forward && leader != 0 && leader != r->me + 1) {
        dlab_send(r->out, leader - 1, DLAB_RAFT_COMMAND, m->a, m->b, body, sizeof *body)->wire =
            r->c->command_bytes + 64;
        return;
    }
    dlab_raft_answer(r, body->client, m->a, DLAB_RAFT_RESULT_NOT_LEADER, 0);
}

static void read_at_follower(raft *r, const dlab_message *m, const raft_command_body *body)
{
    dlab_raft_live *v = r->live;
    if (v->leader == 0 || !r->c->reads_anywhere || r->c->read_mode == DLAB_RAFT_READ_LOG_MODE ||
        v->read_count == DLAB_RAFT_READS_MAX) {
        send_elsewhere(r, m, body);
        return;
    }
    v->reads[v->read_count++] = (dlab_raft_read){ .sequence = m->a,
                                                  .client = body->client,
                                                  .key = body->key,
                                                  .from = (uint16_t)r->me,
                                                  .state = WAITS_FOR_INDEX };
    dlab_send(r->out, v->leader - 1, DLAB_RAFT_READ_FORWARD, r->hard->term, m->a, body, sizeof *body);
}

static void take_read(raft *r, const dlab_message *m, const raft_command_body *body)
{
    if (r->c->read_mode == DLAB_RAFT_READ_LOCAL_MODE) {
        dlab_raft_answer(r, body->client, m->a, DLAB_RAFT_RESULT_OK, dlab_raft_read_register(r, body->key));
        return;
    }
    if (!raft_leads(r)) {
        read_at_follower(r, m, body);
        return;
    }
    dlab_raft_read read = {
        .sequence = m->a, .client = body->client, .key = body->key, .from = (uint16_t)r->me
    };
    if (!begin_read(r, &read)) dlab_raft_answer(r, body->client, m->a, DLAB_RAFT_RESULT_BUSY, 0);
}

void dlab_raft_take_command(raft *r, const dlab_message *m)
{
    const raft_command_body *body = m->body;
    if (body->kind == DLAB_RAFT_OP_READ && r->c->read_mode != DLAB_RAFT_READ_LOG_MODE) {
        take_read(r, m, body);
        return;
    }
    if (!raft_leads(r)) {
        send_elsewhere(r, m, body);
        return;
    }
    const dlab_raft_entry e = { .value = m->b,
                                .sequence = m->a,
                                .client = body->client,
                                .key = body->key,
                                .kind = body->kind,
                                .wire = r->c->command_bytes };
    if (r->live->transfer != 0 || !dlab_raft_propose(r, &e))
        dlab_raft_answer(r, body->client, m->a, DLAB_RAFT_RESULT_BUSY, 0);
}

/* A follower asks up to which index it must have applied before it may answer a read. */
void dlab_raft_take_read_forward(raft *r, const dlab_message *m)
{
    const raft_command_body *body = m->body;
    dlab_raft_read read = {
        .sequence = (uint32_t)m->b, .client = body->client, .key = body->key, .from = m->from
    };
    if (raft_leads(r)) (void)begin_read(r, &read);
}

void dlab_raft_take_read_index(raft *r, const dlab_message *m)
{
    dlab_raft_live *v = r->live;
    const raft_read_body *body = m->body;
    for (uint32_t k = 0; k < v->read_count; k++) {
        dlab_raft_read *read = &v->reads[k];
        if (read->state != WAITS_FOR_INDEX || read->client != body->client ||
            read->sequence != body->sequence)
            continue;
        read->index = (uint32_t)m->b;
        read->state = WAITS_TO_APPLY;
    }
    dlab_raft_serve_reads(r);
}
