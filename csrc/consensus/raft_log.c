/* The log of a Raft server and what of it is durable. See raft.h for the layout. */
#include <stddef.h>

#include "consensus/raft_inner.h"

static uint64_t link_chain(uint64_t chain, const dlab_raft_entry *e)
{
    const uint64_t words[] = { chain, e->value, (uint64_t)e->term << 32 | e->index,
                               (uint64_t)e->client << 48 | (uint64_t)e->kind << 40 | (uint64_t)e->key << 32 |
                                   e->sequence };
    uint64_t hash = UINT64_C(0x9e3779b97f4a7c15);
    for (int i = 0; i < 4; i++) {
        hash = (hash ^ words[i]) * UINT64_C(0xbf58476d1ce4e5b9);
        hash ^= hash >> 31;
    }
    return hash | 1u;
}

/* Every entry is summed once at every server, so this is a sum over words rather than a CRC. */
static uint32_t entry_sum(const dlab_raft_entry *e)
{
    const uint64_t words[] = {
        e->value, (uint64_t)e->term << 32 | e->index, (uint64_t)e->version << 32 | e->sequence,
        (uint64_t)e->client << 48 | (uint64_t)e->key << 32 | (uint64_t)e->kind << 16 | e->unused, e->wire
    };
    uint64_t sum = UINT64_C(0x632be59bd9b4e019);
    for (int i = 0; i < 5; i++) {
        sum = (sum ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 29;
    }
    return (uint32_t)(sum >> 32);
}

/* No room: what is not applied yet must stay. */
bool dlab_raft_is_full(const raft *r) { return r->live->last + 1 - r->live->snapshot >= r->c->log_capacity; }

static void mark_dirty(raft *r, uint32_t index)
{
    dlab_raft_live *v = r->live;
    if (v->dirty_from > v->dirty_to) v->dirty_from = v->dirty_to = index;
    if (index < v->dirty_from) v->dirty_from = index;
    if (index > v->dirty_to) v->dirty_to = index;
}

void dlab_raft_put(raft *r, const dlab_raft_entry *entry)
{
    dlab_raft_live *v = r->live;
    const uint64_t before = raft_chain_at(r, v->last);
    dlab_raft_entry *e = raft_at(r, ++v->last);
    *e = *entry;
    e->index = v->last;
    e->version = v->version;
    e->unused = 0;
    e->sum = entry_sum(e);
    r->chain[v->last & (r->c->log_capacity - 1)] = link_chain(before, e);
    if (v->last - v->first >= r->c->log_capacity) v->first = v->last + 1 - r->c->log_capacity;
    if (e->kind == DLAB_RAFT_OP_CONFIG) dlab_raft_find_members(r);
    mark_dirty(r, v->last);
}

void dlab_raft_cut(raft *r, uint32_t from)
{
    dlab_raft_live *v = r->live;
    if (from > v->last) return;
    dlab_remark(r->out, DLAB_RAFT_NOTE_TRUNCATES, r->hard->term, from);
    v->last = from - 1;
    v->version++;
    if (v->stable > v->last) v->stable = v->last;
    if (v->dirty_to > v->last) v->dirty_to = v->last;
    if (v->members_index > v->last) dlab_raft_find_members(r);
}

static void unpack_members(const dlab_raft_entry *e, dlab_raft_members *m)
{
    m->voters = (uint32_t)(e->value & 0xffffu);
    m->outgoing = (uint32_t)(e->value >> 16 & 0xffffu);
    m->learners = (uint32_t)(e->value >> 32 & 0xffffu);
    m->leaves = (uint32_t)(e->value >> 48 & 1u);
}

/* Who counts once the log up to `index` does. */
dlab_raft_members dlab_raft_members_at(const raft *r, uint32_t index, uint32_t *found)
{
    const dlab_raft_live *v = r->live;
    dlab_raft_members members = r->c->members;
    for (uint32_t i = index; i >= v->first && i > v->snapshot; i--) {
        if (raft_at(r, i)->kind != DLAB_RAFT_OP_CONFIG) continue;
        unpack_members(raft_at(r, i), &members);
        *found = i;
        return members;
    }
    if (v->snapshot > 0 && !raft_has_bug(r, DLAB_RAFT_BUG_SNAPSHOT_DROPS_CONFIG))
        members = raft_slot(r, v->slot)->members;
    *found = v->snapshot;
    return members;
}

/* "A server always uses the latest configuration in its log, regardless of whether the entry is committed"
 * (the paper, section 6). */
void dlab_raft_find_members(raft *r)
{
    dlab_raft_live *v = r->live;
    const uint32_t counts = raft_has_bug(r, DLAB_RAFT_BUG_CONFIG_AT_APPLY) ? v->applied : v->last;
    v->members = dlab_raft_members_at(r, counts, &v->members_index);
    if (v->role == DLAB_RAFT_ROLE_FOLLOWER || v->role == DLAB_RAFT_ROLE_LEARNER ||
        v->role == DLAB_RAFT_ROLE_OUTSIDER)
        v->role = dlab_raft_idle_role(r);
}

void dlab_raft_set_hard(raft *r, uint32_t term, uint32_t vote)
{
    if (r->hard->term == term && r->hard->vote == vote) return;
    *r->hard = (dlab_raft_hard){ .term = term, .vote = vote };
    r->hard->crc = dlab_crc32c(r->hard, offsetof(dlab_raft_hard, crc));
    r->live->dirty_hard = !raft_has_bug(r, DLAB_RAFT_BUG_VOTE_NOT_PERSISTED);
}

/* A stretch of the ring is one write, or two where it wraps. */
static void persist_entries(raft *r, uint32_t from, uint32_t to)
{
    const uint32_t mask = r->c->log_capacity - 1, size = sizeof(dlab_raft_entry);
    const bool async = r->c->async_storage;
    const uint64_t ticket = (uint64_t)r->live->version << 32 | to;
    const uint32_t first = from & mask, count = to - from + 1, room = r->c->log_capacity - first;
    const size_t start = r->c->log_offset + (size_t)first * size;
    if (count <= room) {
        dlab_persist(r->out, start, (size_t)count * size, async, ticket);
        return;
    }
    dlab_persist(r->out, start, (size_t)room * size, async, 0);
    dlab_persist(r->out, r->c->log_offset, (size_t)(count - room) * size, async, ticket);
}

/* "Persistent state ... updated on stable storage before responding to RPCs" (the paper, figure 2). */
void dlab_raft_persist(raft *r)
{
    dlab_raft_live *v = r->live;
    if (v->dirty_hard) dlab_persist(r->out, 0, sizeof *r->hard, false, 0);
    if (v->dirty_from <= v->dirty_to) {
        persist_entries(r, v->dirty_from, v->dirty_to);
        if (!r->c->async_storage) v->stable = v->dirty_to;
    }
    v->dirty_hard = false;
    v->dirty_from = 1;
    v->dirty_to = 0;
}

uint32_t dlab_raft_snapshot_crc(const raft *r, uint32_t slot)
{
    const dlab_raft_snapshot *s = raft_slot(r, slot);
    dlab_raft_snapshot head = *s;
    head.crc = dlab_crc32c(s + 1, r->c->machine_bytes);
    return dlab_crc32c(&head, sizeof head) | 1u;
}

/* Follow the ring from the snapshot on while entries are whole and of one log. */
static void recover_log(raft *r)
{
    dlab_raft_live *v = r->live;
    uint32_t version = v->snapshot > 0 ? raft_slot(r, v->slot)->version : 0;
    for (uint32_t i = v->snapshot + 1; i - v->snapshot < r->c->log_capacity; i++) {
        const dlab_raft_entry *e = raft_at(r, i);
        const bool whole = raft_has_bug(r, DLAB_RAFT_BUG_TORN_TAIL) ? e->term != 0 : e->sum == entry_sum(e);
        if (e->index != i || !whole || e->version < version) break;
        version = e->version;
        const uint64_t before = raft_chain_at(r, v->last);
        v->last = i;
        r->chain[i & (r->c->log_capacity - 1)] = link_chain(before, e);
    }
    v->version = version + 1;
}

/* A node starts, for the first time or after a crash, from what its disk holds. */
void dlab_raft_recover(raft *r)
{
    dlab_raft_live *v = r->live;
    const dlab_raft_hard none = { 0 };
    v->damaged = memcmp(r->hard, &none, sizeof none) != 0 &&
                 r->hard->crc != dlab_crc32c(r->hard, offsetof(dlab_raft_hard, crc));
    for (uint32_t slot = 0; slot < 2; slot++) {
        const dlab_raft_snapshot *s = raft_slot(r, slot);
        if (s->crc == 0 || s->crc != dlab_raft_snapshot_crc(r, slot) || s->index < v->snapshot) continue;
        v->snapshot = s->index;
        v->slot = slot;
    }
    v->first = v->snapshot + 1;
    v->last = v->commit = v->applied = v->snapshot;
    v->dirty_from = 1;
    v->dirty_to = 0;
    if (v->snapshot > 0) dlab_raft_load_machine(r, (const unsigned char *)(raft_slot(r, v->slot) + 1));
    recover_log(r);
    v->stable = v->last;
    if (raft_has_bug(r, DLAB_RAFT_BUG_VOTE_NOT_PERSISTED)) r->hard->term = raft_term_at(r, v->last);
    dlab_raft_find_members(r);
}
