/* What the files of the Raft core share. */
#ifndef DISTLAB_CONSENSUS_RAFT_INNER_H
#define DISTLAB_CONSENSUS_RAFT_INNER_H
#include <distlab/checksum.h>

#include "consensus/raft.h"

/* One step of one server: where its state lies, what came in, what goes out. */
typedef struct raft {
    const dlab_raft *c;
    uint32_t me;
    unsigned char *state;
    dlab_raft_hard *hard;
    dlab_raft_live *live;
    dlab_raft_entry *log;
    uint64_t *chain;
    const dlab_input *in;
    dlab_outputs *out;
} raft;

typedef struct raft_read_body {
    uint32_t sequence;
    uint16_t client, key;
} raft_read_body;

/* Entries applied, and appends sent to one peer, in one step at most. */
enum { RAFT_APPLY_MAX = 64, RAFT_BURST_MAX = 2 };

/* Bodies of messages. */
typedef struct raft_vote_body {
    uint32_t last_term, transfer;
} raft_vote_body;
typedef struct raft_append_body {
    uint32_t prev_term, commit, count, round;
} raft_append_body; /* entries follow */
typedef struct raft_refused_body {
    uint32_t prev, hint_term;
} raft_refused_body;
typedef struct raft_snapshot_body {
    dlab_raft_snapshot head;
    uint32_t offset, length;
} raft_snapshot_body; /* bytes follow */
typedef struct raft_command_body {
    uint16_t client, key, kind, status; /* status: of a result */
    uint32_t leader;                    /* of a result: node + 1, whom to ask instead */
} raft_command_body;

static inline uint32_t raft_bit(uint32_t node) { return UINT32_C(1) << node; }
static inline bool raft_leads(const raft *r) { return r->live->role == DLAB_RAFT_ROLE_LEADER; }
static inline dlab_raft_entry *raft_at(const raft *r, uint32_t index)
{
    return &r->log[index & (r->c->log_capacity - 1)];
}
static inline bool raft_has_bug(const raft *r, int bug) { return r->c->bug == bug; }
static inline dlab_raft_snapshot *raft_slot(const raft *r, uint32_t slot)
{
    return (dlab_raft_snapshot *)(void *)(r->state + r->c->slot_offset[slot]);
}
/* 0: not in the log. */
static inline uint32_t raft_term_at(const raft *r, uint32_t index)
{
    const dlab_raft_live *v = r->live;
    if (index == v->snapshot) return v->snapshot == 0 ? 0 : raft_slot(r, v->slot)->term;
    return index < v->first || index > v->last ? 0 : raft_at(r, index)->term;
}
/* A hash of the log up to an index: equal chains, equal prefixes. Nothing but invariants reads it. */
static inline uint64_t raft_chain_at(const raft *r, uint32_t index)
{
    const dlab_raft_live *v = r->live;
    if (index == v->snapshot) return v->snapshot == 0 ? 0 : raft_slot(r, v->slot)->chain;
    return index < v->first || index > v->last ? 0 : r->chain[index & (r->c->log_capacity - 1)];
}
static inline uint32_t raft_everybody(const raft *r)
{
    const dlab_raft_members *m = &r->live->members;
    return m->voters | m->outgoing | m->learners;
}

/* raft_log.c: the log and what is durable. */
bool dlab_raft_is_full(const raft *r);
void dlab_raft_put(raft *r, const dlab_raft_entry *entry); /* at last + 1 */
void dlab_raft_cut(raft *r, uint32_t from);                /* entries from here on go */
void dlab_raft_find_members(raft *r);                      /* the latest in the log, else the snapshot's */
dlab_raft_members dlab_raft_members_at(const raft *r, uint32_t index, uint32_t *found);
void dlab_raft_set_hard(raft *r, uint32_t term, uint32_t vote);
void dlab_raft_persist(raft *r);
void dlab_raft_recover(raft *r);
uint32_t dlab_raft_snapshot_crc(const raft *r, uint32_t slot);

/* raft_past.c: entries that a server brings along when it starts for the first time. */
void dlab_raft_bring(raft *r);

/* What is dirty, if anything is; what follows waits for it, unless entries are asynchronous. */
static inline void raft_persist(raft *r)
{
    if (r->live->dirty_hard || r->live->dirty_from <= r->live->dirty_to) dlab_raft_persist(r);
}

/* raft_election.c */
uint32_t dlab_raft_idle_role(const raft *r); /* of a server that neither leads nor wants to */
void dlab_raft_arm_election(raft *r);
void dlab_raft_become_follower(raft *r, uint32_t term, uint32_t leader);
void dlab_raft_campaign(raft *r, bool transfer);
bool dlab_raft_win_alone(raft *r);
void dlab_raft_take_vote_request(raft *r, const dlab_message *m);
void dlab_raft_take_vote(raft *r, const dlab_message *m);
void dlab_raft_check_quorum(raft *r);
void dlab_raft_election_due(raft *r);
bool dlab_raft_may_campaign(const raft *r);

/* raft_leader.c: replication, as the leader sees it. */
void dlab_raft_become_leader(raft *r);
bool dlab_raft_propose(raft *r, const dlab_raft_entry *entry);
bool dlab_raft_propose_noop(raft *r);
void dlab_raft_broadcast(raft *r, bool even_empty);
void dlab_raft_heartbeat(raft *r);
void dlab_raft_take_appended(raft *r, const dlab_message *m);
void dlab_raft_take_refused(raft *r, const dlab_message *m);
void dlab_raft_take_alive(raft *r, const dlab_message *m);
void dlab_raft_take_stored(raft *r, const dlab_message *m);
void dlab_raft_advance_commit(raft *r);
void dlab_raft_reset_peer(raft *r, uint32_t peer, uint32_t next);
void dlab_raft_send_append(raft *r, uint32_t to, bool even_empty);

/* raft_follower.c */
void dlab_raft_take_append(raft *r, const dlab_message *m);
void dlab_raft_take_heartbeat(raft *r, const dlab_message *m);
void dlab_raft_take_snapshot(raft *r, const dlab_message *m);
void dlab_raft_entries_durable(raft *r, uint64_t ticket);
void dlab_raft_acknowledge(raft *r, uint32_t to, uint32_t match);
void dlab_raft_set_commit(raft *r, uint32_t index);

/* raft_machine.c: applying, snapshots of one's own. */
void dlab_raft_apply(raft *r);
void dlab_raft_snapshot_durable(raft *r);
uint64_t dlab_raft_read_register(const raft *r, uint32_t key);
void dlab_raft_load_machine(raft *r, const unsigned char *bytes);

/* raft_read.c */
void dlab_raft_take_command(raft *r, const dlab_message *m);
void dlab_raft_answer(raft *r, uint32_t client, uint32_t sequence, uint32_t status, uint64_t value);
void dlab_raft_take_read_forward(raft *r, const dlab_message *m);
void dlab_raft_take_read_index(raft *r, const dlab_message *m);
void dlab_raft_serve_reads(raft *r);
void dlab_raft_drop_reads(raft *r);

/* raft_member.c */
void dlab_raft_take_request(raft *r, const dlab_message *m);
void dlab_raft_members_committed(raft *r);
void dlab_raft_transfer_due(raft *r);
void dlab_raft_go_on_transfer(raft *r, uint32_t peer);

/* raft_client.c */
void dlab_raft_client_step(const dlab_raft *c, uint32_t node, void *state, const dlab_input *in,
                           dlab_outputs *out);

/* raft_check.c */
size_t dlab_raft_ghost_bytes(const dlab_raft *c);
void dlab_raft_observe(const dlab_core *core, void *ghost, uint32_t node, const dlab_output *o);
int dlab_raft_check(const dlab_core *core, const dlab_view *view);

#endif
