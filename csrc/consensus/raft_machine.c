/* Raft: the replicated state machine (registers and client sessions), applying, and snapshots of it. */
#include "consensus/raft_inner.h"

static unsigned char *machine(const raft *r) { return r->state + r->c->machine_offset; }
static uint64_t *registers(const raft *r) { return (uint64_t *)(void *)machine(r); }
static dlab_raft_session *sessions(const raft *r)
{
    return (dlab_raft_session *)(void *)(machine(r) + r->c->keys * sizeof(uint64_t));
}

void dlab_raft_load_machine(raft *r, const unsigned char *bytes)
{
    memcpy(machine(r), bytes, r->c->machine_bytes);
}

uint64_t dlab_raft_read_register(const raft *r, uint32_t key) { return registers(r)[key]; }

/* One command on the registers: its result. */
static uint32_t execute(raft *r, const dlab_raft_entry *e, uint64_t *value)
{
    uint64_t *reg = &registers(r)[e->key];
    *value = *reg;
    if (e->kind == DLAB_RAFT_OP_WRITE) {
        *reg = *value = e->value;
    } else if (e->kind == DLAB_RAFT_OP_CAS) {
        if (*reg != e->value >> 32) return DLAB_RAFT_RESULT_FAILED;
        *reg = *value = e->value & UINT32_MAX;
    }
    return DLAB_RAFT_RESULT_OK;
}

/* "The state machine tracks the latest serial number processed for each client, along with the associated
 * response. If it receives a command whose serial number has already been executed, it responds immediately
 * without re-executing the request" (section 8). */
static void apply_command(raft *r, const dlab_raft_entry *e)
{
    dlab_raft_session *s = &sessions(r)[e->client - r->c->servers];
    if (e->sequence > s->sequence || raft_has_bug(r, DLAB_RAFT_BUG_NO_SESSION)) {
        s->result = execute(r, e, &s->value);
        s->sequence = e->sequence;
        dlab_apply(r->out, e->kind, e->index, (uint64_t)e->client << 32 | e->sequence);
    }
    if (raft_leads(r) && e->sequence == s->sequence)
        dlab_raft_answer(r, e->client, e->sequence, s->result, s->value);
}

/* Without a look at checksums (a planted bug) a torn entry may name anything. */
static bool is_command(const raft *r, const dlab_raft_entry *e)
{
    return e->client - r->c->servers < r->c->clients && e->key < r->c->keys;
}

/* "Once a follower learns that a log entry is committed, it applies the entry to its local state machine (in
 * log order)" (section 5.3). */
static void apply_one(raft *r, uint32_t index)
{
    dlab_raft_live *v = r->live;
    const dlab_raft_entry *e = raft_at(r, index);
    v->applied = index;
    if (e->kind == DLAB_RAFT_OP_CONFIG && raft_has_bug(r, DLAB_RAFT_BUG_CONFIG_AT_APPLY))
        dlab_raft_find_members(r);
    if (raft_leads(r) && index >= v->term_start)
        v->uncommitted_bytes -= e->wire < v->uncommitted_bytes ? e->wire : v->uncommitted_bytes;
    if (is_command(r, e)) apply_command(r, e);
    else if (e->kind == DLAB_RAFT_OP_CONFIG && index == v->members_index) dlab_raft_members_committed(r);
}

/* Take a snapshot into the other slot; it counts when it is durable. */
static void compact(raft *r)
{
    dlab_raft_live *v = r->live;
    const uint32_t slot = v->snapshot > 0 ? 1 - v->slot : 0;
    dlab_raft_snapshot *s = raft_slot(r, slot);
    v->incoming_index = 0;
    uint32_t found;
    *s = (dlab_raft_snapshot){ .index = v->applied,
                               .term = raft_term_at(r, v->applied),
                               .version = raft_at(r, v->applied)->version,
                               .members = dlab_raft_members_at(r, v->applied, &found),
                               .chain = raft_chain_at(r, v->applied) };
    memcpy(s + 1, machine(r), r->c->machine_bytes);
    s->crc = dlab_raft_snapshot_crc(r, slot);
    v->saving = v->applied;
    dlab_persist(r->out, r->c->slot_offset[slot], r->c->slot_bytes, true, UINT64_C(1) << 63 | slot);
}

void dlab_raft_snapshot_durable(raft *r)
{
    dlab_raft_live *v = r->live;
    const uint32_t slot = (uint32_t)(r->in->ticket & 1u);
    if (v->saving == 0 || raft_slot(r, slot)->index != v->saving) return;
    if (r->in->status == DLAB_DISK_OK && v->saving > v->snapshot) {
        v->snapshot = v->saving;
        v->slot = slot;
        dlab_remark(r->out, DLAB_RAFT_NOTE_COMPACTS, raft_slot(r, slot)->term, v->snapshot);
    }
    v->saving = 0;
}

void dlab_raft_apply(raft *r)
{
    dlab_raft_live *v = r->live;
    const uint32_t until = raft_has_bug(r, DLAB_RAFT_BUG_APPLY_BEFORE_COMMIT) ? v->last : v->commit;
    for (int k = 0; k < RAFT_APPLY_MAX && v->applied < until; k++) apply_one(r, v->applied + 1);
    if (v->applied < until) dlab_set_timer(r->out, DLAB_RAFT_TIMER_APPLY_DUE, 0, 0);
    /* A log that is full takes nothing more, and may wait for what comes to be committed: it is compacted at
     * once. */
    const uint32_t due = dlab_raft_is_full(r) ? 1 : r->c->snapshot_every;
    if (r->c->snapshot_every > 0 && v->saving == 0 && v->applied - v->snapshot >= due) compact(r);
}
