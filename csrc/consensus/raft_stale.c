/* See raft_stale.h. */
#include <string.h>

#include "consensus/raft_stale.h"

enum { ROOM_FIRST = 64 };

int dlab_raft_versions_open(dlab_raft_versions *v, const dlab_raft *raft, dlab_ctx *ctx)
{
    const size_t clients = raft->clients + 1u;
    *v = (dlab_raft_versions){ .raft = raft, .ctx = ctx };
    v->current = dlab_alloc(ctx, raft->keys, sizeof *v->current);
    v->known = dlab_alloc(ctx, raft->keys, sizeof *v->known);
    v->least = dlab_alloc(ctx, clients, sizeof *v->least);
    v->of = dlab_alloc(ctx, clients, sizeof *v->of);
    v->room = dlab_alloc(ctx, clients, sizeof *v->room);
    return ctx->err.code;
}

/* Where the version of a value is kept; NULL: of the value registers begin with. */
static uint32_t *place(dlab_raft_versions *v, uint32_t value, bool makes)
{
    const uint32_t client = (value >> DLAB_RAFT_NUMBER_BITS) - 1, number = value & DLAB_RAFT_NUMBER_MASK;
    if (value == 0 || client >= v->raft->clients) return NULL;
    if (number < v->room[client]) return &v->of[client][number];
    if (!makes) return NULL;
    uint32_t room = v->room[client] > 0 ? v->room[client] : ROOM_FIRST;
    while (room <= number) room *= 2;
    uint32_t *wider = dlab_alloc(v->ctx, room, sizeof *wider);
    if (wider == NULL) return NULL;
    if (v->room[client] > 0) memcpy(wider, v->of[client], v->room[client] * sizeof *wider);
    v->of[client] = wider;
    v->room[client] = room;
    return &wider[number];
}

static uint32_t version_of(dlab_raft_versions *v, uint64_t value)
{
    const uint32_t *at = place(v, (uint32_t)value, false);
    return at == NULL ? 0 : *at;
}

void dlab_raft_versions_apply(dlab_raft_versions *v, const void *server, const dlab_message *applied)
{
    const uint32_t index = (uint32_t)applied->a, client = (uint32_t)(applied->b >> 32);
    if (index <= v->applied) return;
    v->applied = index;
    const dlab_raft_entry *e = dlab_raft_entry_at(v->raft, server, index);
    if (e == NULL || e->kind == DLAB_RAFT_OP_READ) return;
    const dlab_raft_session *s = dlab_raft_session_of(v->raft, server, client);
    const bool refused = s->sequence == (uint32_t)applied->b && s->result != DLAB_RAFT_RESULT_OK;
    uint32_t *at = refused ? NULL : place(v, (uint32_t)e->value, true);
    if (at != NULL) *at = ++v->current[e->key];
}

void dlab_raft_versions_invoke(dlab_raft_versions *v, uint32_t client, const dlab_raft_client *s)
{
    v->least[client] = v->known[s->key];
}

bool dlab_raft_versions_answer(dlab_raft_versions *v, uint32_t client, const dlab_raft_client *s)
{
    if (s->result != DLAB_RAFT_RESULT_OK) return false;
    if (s->kind == DLAB_RAFT_OP_READ) return version_of(v, s->answer) < v->least[client];
    const uint32_t written = version_of(v, s->value);
    if (written > v->known[s->key]) v->known[s->key] = written;
    return false;
}
