/* See raft_watch.h. */
#include <distlab/check.h>

#include "consensus/raft_watch.h"

int dlab_raft_watch_open(dlab_raft_watch *x, const dlab_raft *raft, dlab_ctx *ctx)
{
    x->raft = raft;
    x->ctx = ctx;
    x->invoked = dlab_alloc(ctx, raft->clients + 1, sizeof *x->invoked);
    x->process = dlab_alloc(ctx, raft->clients + 1, sizeof *x->process);
    x->acknowledged = dlab_alloc(ctx, raft->clients + 1, sizeof *x->acknowledged);
    x->put_at = dlab_alloc(ctx, raft->log_capacity, sizeof *x->put_at);
    if (ctx->err.code || dlab_raft_versions_open(&x->versions, raft, ctx)) return ctx->err.code;
    for (uint32_t k = 0; k < raft->clients; k++) x->process[k] = k;
    x->last_answer = x->from;
    x->repaired = -1;
    return x->keeps_history ? dlab_history_open(&x->history, ctx->arena.memory, &ctx->err) : DLAB_OK;
}

void dlab_raft_watch_close(dlab_raft_watch *x)
{
    if (x->keeps_history && x->history.memory != NULL) dlab_history_close(&x->history);
}

/* The functions of the history table, in its order. */
static const uint32_t checked_as[] = { DLAB_F_READ, DLAB_F_WRITE, DLAB_F_CAS };

static int put_history(dlab_raft_watch *x, const dlab_raft_event *e, int64_t now)
{
    dlab_history_event h = { .time = now,
                             .process = e->process,
                             .key = dlab_int(e->key),
                             .value = e->value < 0 ? dlab_nil() : dlab_int(e->value),
                             .f = checked_as[e->f],
                             .type = e->type };
    if (e->f == 2) {
        const dlab_value pair[] = { dlab_int(e->expected), dlab_int(e->value) };
        if (dlab_history_list(&x->history, pair, 2, &h.value, &x->ctx->err)) return x->ctx->err.code;
    }
    return dlab_history_event_add(&x->history, &h, &x->ctx->err);
}

/* One row of the history. */
static void tell(dlab_raft_watch *x, dlab_world *w, uint32_t client, const dlab_raft_client *s, int type)
{
    const int64_t now = dlab_world_now(w);
    dlab_raft_event e = { .time = (double)now * 1e-9,
                          .process = x->process[client],
                          .type = type,
                          .f = s->kind == DLAB_RAFT_OP_READ    ? 0
                               : s->kind == DLAB_RAFT_OP_WRITE ? 1
                                                               : 2,
                          .key = s->key,
                          .value = (int64_t)(s->value & UINT32_MAX),
                          .expected = -1 };
    if (e.f == 0) e.value = type == DLAB_HISTORY_OK ? (int64_t)s->answer : -1;
    if (e.f == 2) e.expected = (int64_t)(s->value >> 32);
    if (x->history_table >= 0) (void)dlab_emit(x->ctx, x->history_table, &e);
    if (x->keeps_history) (void)put_history(x, &e, now);
}

static void note_answer(dlab_raft_watch *x, dlab_world *w, uint32_t client, const dlab_raft_client *s)
{
    const int64_t now = dlab_world_now(w);
    const bool stale = dlab_raft_versions_answer(&x->versions, client, s);
    tell(x, w, client, s, s->result == DLAB_RAFT_RESULT_OK ? DLAB_HISTORY_OK : DLAB_HISTORY_FAIL);
    if (s->kind != DLAB_RAFT_OP_READ) x->acknowledged[client] = s->sequence;
    /* Any server alone answers a local read. */
    x->served += s->kind != DLAB_RAFT_OP_READ || x->raft->read_mode != DLAB_RAFT_READ_LOCAL_MODE;
    if (now < x->from) return;
    x->answered++;
    x->versions.stale += stale;
    const int64_t begun = x->invoked[client];
    if (begun >= x->from) {
        dlab_histogram_record(x->latency, now - begun);
        if (s->kind == DLAB_RAFT_OP_READ) dlab_histogram_record(x->read_latency, now - begun);
    }
    if (now - x->last_answer > x->gap) x->outage += now - x->last_answer;
    x->last_answer = now;
}

void dlab_raft_watch_output(void *arg, dlab_world *w, uint32_t node, const dlab_output *o)
{
    dlab_raft_watch *x = arg;
    if (o->kind == DLAB_APPLY) dlab_raft_versions_apply(&x->versions, dlab_world_state(w, node), &o->message);
    if (o->kind != DLAB_NOTE) return;
    if (node < x->raft->servers) {
        x->back_offs += o->message.kind == DLAB_RAFT_NOTE_BACKS_OFF;
        if (o->message.kind == DLAB_RAFT_NOTE_TRUNCATES)
            x->divergent += x->last[node] + 1 - (uint32_t)o->message.b;
        return;
    }
    const uint32_t client = node - x->raft->servers;
    const dlab_raft_client *s = dlab_world_state(w, node);
    switch (o->message.kind) {
    case DLAB_RAFT_NOTE_INVOKE:
        x->invoked[client] = dlab_world_now(w);
        dlab_raft_versions_invoke(&x->versions, client, s);
        tell(x, w, client, s, DLAB_HISTORY_INVOKE);
        return;
    case DLAB_RAFT_NOTE_ANSWERED: note_answer(x, w, client, s); return;
    default:
        /* Its outcome stays open to the end; who goes on is another process (Jepsen's rule). */
        x->given_up += dlab_world_now(w) >= x->from;
        x->abandoned++;
        tell(x, w, client, s, DLAB_HISTORY_INFO);
        x->process[client] += x->raft->clients;
    }
}

/* Does the leader know that every other voter has its first entry? Then their logs agree up to there. */
static bool all_agree(const dlab_raft *c, const dlab_world *w, uint32_t leader)
{
    const dlab_raft_live *v = dlab_raft_live_of(c, dlab_world_state(w, leader));
    for (uint32_t i = 0; i < c->servers; i++)
        if (i != leader && (v->members.voters >> i & 1u) != 0 && v->peers[i].match < v->term_start)
            return false;
    return true;
}

/* How long entries of the leader's own term wait to be committed. */
static void note_commits(dlab_raft_watch *x, const dlab_world *w, bool new_leader)
{
    const uint32_t mask = x->raft->log_capacity - 1;
    const int64_t now = dlab_world_now(w);
    const dlab_raft_live *v = dlab_raft_live_of(x->raft, dlab_world_state(w, x->leader - 1));
    if (new_leader) x->put = x->committed = v->term_start - 1;
    while (x->put < v->last) x->put_at[++x->put & mask] = now;
    while (x->committed < v->commit && x->committed < x->put) {
        const int64_t since = x->put_at[++x->committed & mask];
        if (since >= x->from) dlab_histogram_record(x->commit_latency, now - since);
    }
}

/* Who leads the highest term, after every event. Downtime is from the moment a leader stops leading, or
 * running, to the moment another one, or the same in a later term, leads. */
void dlab_raft_watch_leader(dlab_raft_watch *x, dlab_world *w)
{
    const dlab_raft *c = x->raft;
    uint32_t leader = 0, term = 0;
    for (uint32_t i = 0; i < c->servers; i++) {
        const void *state = dlab_world_state(w, i);
        x->last[i] = dlab_raft_live_of(c, state)->last;
        if (w->nodes[i].status == DLAB_NODE_DOWN ||
            dlab_raft_live_of(c, state)->role != DLAB_RAFT_ROLE_LEADER ||
            dlab_raft_hard_of(state)->term <= term)
            continue;
        term = dlab_raft_hard_of(state)->term;
        leader = i + 1;
    }
    const int64_t now = dlab_world_now(w);
    if (leader == x->leader && term == x->leader_term) {
        if (x->repaired < 0 && leader != 0 && all_agree(c, w, leader - 1)) x->repaired = now - x->led_since;
        if (leader != 0) note_commits(x, w, false);
        return;
    }
    if (leader == 0) {
        x->leaderless_since = now;
    } else {
        x->leaders++;
        x->led_since = now;
        if (x->leaderless_since > 0 && now >= x->from)
            dlab_histogram_record(x->downtime, now - x->leaderless_since);
        x->leaderless_since = -1;
    }
    x->leader = leader;
    x->leader_term = term;
    if (leader != 0) note_commits(x, w, true);
}

dlab_raft_progress dlab_raft_watch_progress(const dlab_raft_watch *x, const dlab_world *w)
{
    dlab_raft_progress p = { .time = dlab_world_now(w), .served = x->served, .abandoned = x->abandoned };
    for (uint32_t i = 0; i < x->raft->servers; i++) {
        const dlab_raft_live *v = dlab_raft_live_of(x->raft, dlab_world_state(w, i));
        if (v->commit > p.commit) p.commit = v->commit;
    }
    return p;
}

bool dlab_raft_watch_in_vain(const dlab_raft_watch *x, const dlab_world *w, const dlab_raft_progress *before)
{
    const dlab_raft_progress now = dlab_raft_watch_progress(x, w);
    bool waits = now.abandoned > before->abandoned;
    for (uint32_t k = 0; k < x->raft->clients; k++) {
        const dlab_raft_client *s = dlab_world_state(w, x->raft->servers + k);
        waits = waits || (s->waiting && x->invoked[k] <= before->time + (now.time - before->time) / 2);
    }
    return waits && now.commit <= before->commit && now.served == before->served;
}

/* The server that knows most of what is committed. */
static uint32_t best_server(const dlab_raft_watch *x, const dlab_world *w)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < x->raft->servers; i++)
        if (dlab_raft_live_of(x->raft, dlab_world_state(w, i))->applied >
            dlab_raft_live_of(x->raft, dlab_world_state(w, best))->applied)
            best = i;
    return best;
}

void dlab_raft_watch_end(dlab_raft_watch *x, const dlab_world *w, int64_t *lost)
{
    const int64_t now = dlab_world_now(w);
    const dlab_raft *c = x->raft;
    const void *state = dlab_world_state(w, best_server(x, w));
    if (now - x->last_answer > x->gap) x->outage += now - x->last_answer;
    *lost = 0;
    for (uint32_t k = 0; k < c->clients; k++)
        *lost += dlab_raft_session_of(c, state, k)->sequence < x->acknowledged[k];
}

/* One check charges its states to the run: 1 us is about ten of them. */
static bool charge(void *arg, uint64_t states)
{
    dlab_raft_watch *x = arg;
    return dlab_step(x->ctx, states / 8 + 1) != DLAB_OK;
}

static int judge_history(dlab_raft_watch *x, int32_t *verdict)
{
    dlab_check_result result = { 0 };
    const dlab_check_options options = { .specification = DLAB_SPECIFICATION_CAS_REGISTER,
                                         .criterion = DLAB_CRITERION_LINEARIZABILITY,
                                         .fail_semantics = DLAB_FAIL_MISMATCH,
                                         .initial = dlab_int(0),
                                         .states_max = 10000000,
                                         .poll = charge,
                                         .poll_arg = x };
    if (dlab_history_complete(&x->history, &x->ctx->err) ||
        dlab_check_history(&x->history, &options, x->ctx->arena.memory, &result, &x->ctx->err))
        return x->ctx->err.code;
    *verdict = result.verdict;
    dlab_check_result_free(&result);
    return x->ctx->err.code;
}

/* A promise that is judged at the end of the run is broken. */
static void note_broken(dlab_world *w, unsigned invariant)
{
    if (w->broken_count++ == 0) w->broken_time = dlab_world_now(w);
    if (w->broken < 0) w->broken = (int)invariant;
    dlab_world_tell(w, DLAB_TRACE_BROKEN, invariant, DLAB_NO_NODE, DLAB_NO_NODE, 0, 0, 0);
}

int dlab_raft_watch_judge(dlab_raft_watch *x, dlab_world *w, bool promised, bool stuck, int32_t *verdict)
{
    *verdict = DLAB_VERDICT_UNKNOWN;
    if (x->keeps_history && judge_history(x, verdict)) return x->ctx->err.code;
    if (*verdict == DLAB_VERDICT_NO && promised) note_broken(w, DLAB_RAFT_BROKEN_LINEARIZABLE);
    if (stuck) note_broken(w, DLAB_RAFT_BROKEN_PROGRESS);
    return DLAB_OK;
}
