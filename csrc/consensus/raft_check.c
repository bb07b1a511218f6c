/* Raft: the promises, looked at after every event. The five of the paper's figure 3, and what the fuzzers
 * of public Raft libraries check besides (index order, terms that never fall, no committed entry removed, a
 * command executed once).
 *
 * Only the server that acted can have broken anything, and a hash over the log's prefix (its chain) makes
 * two logs comparable at one index in constant time. The ghost remembers what was promised: who led each
 * term, the chain of each committed index, what each server had. */
#include "consensus/raft_inner.h"

enum { TERMS = 1024, INDEXES = 4096 };

typedef struct seen {
    uint32_t term, role, first, last, commit, snapshot;
    uint64_t last_chain, commit_chain;
    bool fine; /* nothing was broken then */
} seen;

typedef struct ghost {
    uint32_t commit; /* the highest index ever committed anywhere */
    uint32_t leader_term[TERMS];
    uint16_t leader[TERMS];
    uint32_t chain_index[INDEXES], committed_in[INDEXES]; /* committed_in: the term */
    uint64_t chain[INDEXES];
    uint32_t executed_index[DLAB_RAFT_CLIENTS_MAX], executed[DLAB_RAFT_CLIENTS_MAX];
    uint32_t twice; /* commands executed twice */
    seen servers[DLAB_RAFT_SERVERS_MAX];
} ghost;

size_t dlab_raft_ghost_bytes(const dlab_raft *c)
{
    (void)c;
    return sizeof(ghost);
}

/* A command is executed at one index only, the same at every server. */
void dlab_raft_observe(const dlab_core *core, void *memory, uint32_t node, const dlab_output *o)
{
    const dlab_raft *c = core->config;
    ghost *g = memory;
    if (o->kind != DLAB_APPLY || node >= c->servers) return;
    const uint32_t client = (uint32_t)(o->message.b >> 32) - c->servers, sequence = (uint32_t)o->message.b;
    if (client >= DLAB_RAFT_CLIENTS_MAX || sequence < g->executed[client]) return;
    if (sequence == g->executed[client] && o->message.a != g->executed_index[client]) g->twice++;
    g->executed[client] = sequence;
    g->executed_index[client] = o->message.a;
}

/* A server's state for reading: what reads the log takes it. */
static raft reader(const dlab_core *core, const dlab_view *view, uint32_t node)
{
    const dlab_raft *c = core->config;
    unsigned char *state = (unsigned char *)(uintptr_t)dlab_view_node(view, node);
    return (raft){ .c = c,
                   .me = node,
                   .state = state,
                   .hard = (dlab_raft_hard *)(void *)state,
                   .live = (dlab_raft_live *)(void *)(state + c->volatile_offset),
                   .log = (dlab_raft_entry *)(void *)(state + c->log_offset),
                   .chain = (uint64_t *)(void *)(state + c->chain_offset) };
}

static bool holds(const raft *r, uint32_t index)
{
    return index == r->live->snapshot || (index >= r->live->first && index <= r->live->last);
}

/* "If two logs contain an entry with the same index and term, then the logs are identical in all entries up
 * through the given index." The highest index at which the terms agree decides. */
static bool logs_match(const raft *a, const raft *b)
{
    uint32_t index = a->live->last < b->live->last ? a->live->last : b->live->last;
    for (; index > 0 && holds(a, index) && holds(b, index); index--)
        if (raft_term_at(a, index) == raft_term_at(b, index))
            return raft_chain_at(a, index) == raft_chain_at(b, index);
    return true;
}

/* "If a log entry is committed in a given term, then that entry will be present in the logs of the leaders
 * for all higher-numbered terms." A candidate that slept over a later leader's term may count its votes when
 * it wakes; what was committed in that later term it need not know. */
static bool is_complete(const ghost *g, const raft *r)
{
    uint32_t index = g->commit;
    while (index > 0 && g->chain_index[index % INDEXES] == index &&
           g->committed_in[index % INDEXES] >= r->hard->term)
        index--;
    if (index == 0 || g->chain_index[index % INDEXES] != index) return true;
    return holds(r, index) ? raft_chain_at(r, index) == g->chain[index % INDEXES] : r->live->last >= index;
}

static int check_leader(ghost *g, const raft *r, const seen *before)
{
    const uint32_t term = r->hard->term, at = term % TERMS;
    if (g->leader_term[at] == term && g->leader[at] != r->me) return DLAB_RAFT_BROKEN_ELECTION_SAFETY;
    const bool new = g->leader_term[at] != term;
    g->leader_term[at] = term;
    g->leader[at] = (uint16_t)r->me;
    if (!new && before->role == DLAB_RAFT_ROLE_LEADER && before->term == term) {
        if (r->live->last < before->last ||
            (holds(r, before->last) && raft_chain_at(r, before->last) != before->last_chain))
            return DLAB_RAFT_BROKEN_LEADER_APPEND_ONLY;
    }
    if (new && !is_complete(g, r)) return DLAB_RAFT_BROKEN_LEADER_COMPLETENESS;
    return -1;
}

/* "If a server has applied a log entry at a given index to its state machine, no other server will ever apply
 * a different log entry for the same index": what is committed is what was committed there before. */
static int check_commit(ghost *g, const raft *r, const seen *before)
{
    const dlab_raft_live *v = r->live;
    uint32_t index = before->commit < v->commit ? before->commit + 1 : v->commit;
    for (; index <= v->commit && index > 0; index++) {
        if (!holds(r, index)) continue;
        const uint32_t at = index % INDEXES;
        const uint64_t chain = raft_chain_at(r, index);
        if (g->chain_index[at] == index && g->chain[at] != chain)
            return DLAB_RAFT_BROKEN_STATE_MACHINE_SAFETY;
        if (g->chain_index[at] < index) {
            g->chain_index[at] = index;
            g->chain[at] = chain;
            g->committed_in[at] = r->hard->term;
        }
    }
    if (v->commit > g->commit) g->commit = v->commit;
    return -1;
}

/* Everything that may be broken has been compared, and nothing it depends on has changed: equal chains at an
 * equal last index are equal logs. Leadership depends on what other servers did, too. */
static bool is_as_it_was(const raft *r, const seen *was)
{
    const dlab_raft_live *v = r->live;
    return was->fine && r->hard->term == was->term && v->role == was->role && v->first == was->first &&
           v->last == was->last && v->commit == was->commit && v->snapshot == was->snapshot &&
           v->applied <= v->commit && raft_chain_at(r, v->last) == was->last_chain;
}

static int check_changes(const dlab_core *core, const dlab_view *view, ghost *g, const raft *r,
                         const seen *was)
{
    const dlab_raft *c = core->config;
    const dlab_raft_live *v = r->live;
    const uint32_t term = r->hard->term;
    if (v->applied > v->commit || v->commit > v->last) return DLAB_RAFT_BROKEN_INDEX_ORDER;
    if (term < was->term) return DLAB_RAFT_BROKEN_MONOTONIC_TERM;
    if (v->last > v->snapshot && raft_term_at(r, v->last) > term) return DLAB_RAFT_BROKEN_LOG_TERMS;
    if (was->commit > 0 && (v->last < was->commit ||
                            (holds(r, was->commit) && raft_chain_at(r, was->commit) != was->commit_chain)))
        return DLAB_RAFT_BROKEN_COMMITTED_POP;
    int broken = check_commit(g, r, was);
    if (broken >= 0) return broken;
    if (v->role == DLAB_RAFT_ROLE_LEADER && (broken = check_leader(g, r, was)) >= 0) return broken;
    if (v->last == was->last && raft_chain_at(r, v->last) == was->last_chain) return -1;
    for (uint32_t j = 0; j < c->servers; j++) {
        const raft other = reader(core, view, j);
        if (j != r->me && view->running[j] && !logs_match(r, &other)) return DLAB_RAFT_BROKEN_LOG_MATCHING;
    }
    return -1;
}

static int check_server(const dlab_core *core, const dlab_view *view, ghost *g, uint32_t i)
{
    const raft r = reader(core, view, i);
    const dlab_raft_live *v = r.live;
    seen *before = &g->servers[i];
    if (!view->running[i]) {
        *before = (seen){ .term = 0 };
        return -1;
    }
    if (is_as_it_was(&r, before)) {
        const int broken = v->role == DLAB_RAFT_ROLE_LEADER ? check_leader(g, &r, before) : -1;
        before->fine = broken < 0;
        return broken;
    }
    const seen was = *before;
    *before = (seen){ .term = r.hard->term,
                      .role = v->role,
                      .first = v->first,
                      .last = v->last,
                      .commit = v->commit,
                      .snapshot = v->snapshot,
                      .last_chain = raft_chain_at(&r, v->last),
                      .commit_chain = raft_chain_at(&r, v->commit) };
    const int broken = check_changes(core, view, g, &r, &was);
    before->fine = broken < 0;
    return broken;
}

int dlab_raft_check(const dlab_core *core, const dlab_view *view)
{
    const dlab_raft *c = core->config;
    ghost *g = view->ghost;
    if (g->twice > 0) return DLAB_RAFT_BROKEN_EXACTLY_ONCE;
    if (view->actor != DLAB_NO_NODE)
        return view->actor < c->servers ? check_server(core, view, g, view->actor) : -1;
    for (uint32_t i = 0; i < c->servers; i++) {
        const int broken = check_server(core, view, g, i);
        if (broken >= 0) return broken;
    }
    return -1;
}
