/* See rpc.h. The executor: a server that answers its client, or a worker that acknowledges to its broker.
 * Jobs wait in a ring in memory and are done one after another; what is not durable dies with the process. */
#include "links/rpc.h"

static dlab_rpc_job *front(const dlab_rpc *rpc, dlab_rpc_executor *e)
{
    return &e->jobs[e->first % rpc->room];
}

static int64_t *key_of(const dlab_rpc *rpc, void *state, uint32_t call)
{
    unsigned char *keys = (unsigned char *)state + (rpc->dedup_durable ? 0 : rpc->volatile_keys);
    return (int64_t *)(void *)keys + call;
}

/* Has the operation of this key been carried out, as far as memory goes? */
static bool known(const dlab_rpc *rpc, void *state, const dlab_rpc_job *job, int64_t wall)
{
    if (rpc->dedup == DLAB_RPC_DEDUP_NONE || !job->keyed) return false;
    const int64_t stored = *key_of(rpc, state, job->call);
    return stored != 0 && (rpc->dedup == DLAB_RPC_DEDUP_KEY || wall - (stored - 1) < rpc->dedup_ttl);
}

/* Tell whoever sent the job that it is done. */
static void answer(const dlab_rpc *rpc, const dlab_rpc_job *job, dlab_outputs *out)
{
    if (rpc->medium == DLAB_RPC_MEDIUM_CALL)
        (void)dlab_send(out, 0, DLAB_RPC_MESSAGE_REPLY, job->call, job->attempt, NULL, 0);
    else (void)dlab_send(out, 1, DLAB_RPC_MESSAGE_ACK, job->call, job->position, NULL, 0);
}

static bool answers_first(const dlab_rpc *rpc)
{
    return rpc->replies_first || (rpc->acks_first && rpc->medium != DLAB_RPC_MEDIUM_CALL);
}

/* The process may die here. A draw is made whatever the probability, so that later draws stay alike. */
static bool dies(const dlab_rpc *rpc, const dlab_rpc_job *job, unsigned coin, double p, const dlab_input *in,
                 dlab_outputs *out)
{
    const uint64_t about = (uint64_t)job->call << 16 | (job->attempt + job->position % 65536);
    if ((p <= 0 || p >= 1) && in->rng != NULL) (void)dlab_rng_unit(in->rng);
    if (!dlab_coin(in->chooser, in->rng, dlab_coin_name(coin, about), p)) return false;
    const int64_t down = dlab_rpc_draw(&rpc->restart, in->rng, 1);
    if (rpc->crash_visible && rpc->medium == DLAB_RPC_MEDIUM_CALL)
        (void)dlab_send(out, 0, DLAB_RPC_MESSAGE_RESET, 0, 0, NULL, 0);
    dlab_die(out, down, down);
    return true;
}

static void drop_front(dlab_rpc_executor *e)
{
    e->first++;
    e->count--;
}

/* Take up jobs until one keeps the executor busy. Those that memory answers cost nothing. */
static void take_up(const dlab_rpc *rpc, void *state, const dlab_input *in, dlab_outputs *out)
{
    dlab_rpc_executor *e = dlab_rpc_volatile(rpc, state);
    const bool log = rpc->medium == DLAB_RPC_MEDIUM_LOG;
    for (uint32_t done = 0; e->count > 0; done++) {
        const dlab_rpc_job *job = front(rpc, e);
        const bool passed = log && job->position < e->passed, key = known(rpc, state, job, in->wall);
        if (done == DLAB_RPC_BATCH) {
            dlab_set_timer(out, DLAB_RPC_TIMER_SERVICE, 0, 0);
            return;
        }
        if (!passed && !key) break;
        dlab_remark(out, passed ? DLAB_RPC_NOTE_PASSED : DLAB_RPC_NOTE_KNOWN, job->call, 0);
        if (!passed && log) e->passed = job->position + 1;
        answer(rpc, job, out);
        drop_front(e);
    }
    if (e->count == 0) return;
    const dlab_rpc_job *job = front(rpc, e);
    if (answers_first(rpc)) {
        answer(rpc, job, out);
        e->passed = job->position + 1;
    }
    if (dies(rpc, job, DLAB_RPC_COIN_BEFORE, rpc->crash_before, in, out)) return;
    const int64_t service = dlab_rpc_draw(&rpc->service, in->rng, 1);
    e->executing = 1;
    dlab_set_timer(out, DLAB_RPC_TIMER_SERVICE, service, service);
}

/* The service time is over: the effect happens, its key with it. */
static void carry_out(const dlab_rpc *rpc, void *state, const dlab_input *in, dlab_outputs *out)
{
    dlab_rpc_executor *e = dlab_rpc_volatile(rpc, state);
    const dlab_rpc_job *job = front(rpc, e);
    e->executing = 0;
    if (rpc->dedup != DLAB_RPC_DEDUP_NONE && job->keyed) {
        int64_t *key = key_of(rpc, state, job->call);
        *key = (in->wall > 0 ? in->wall : 0) + 1;
        if (rpc->dedup_durable)
            dlab_persist(out, (size_t)((unsigned char *)key - (unsigned char *)state), sizeof *key, false, 0);
    }
    dlab_apply(out, DLAB_RPC_APPLY_EXECUTE, job->call, 0);
    if (dies(rpc, job, DLAB_RPC_COIN_AFTER, rpc->crash_after, in, out)) return;
    if (!answers_first(rpc)) {
        answer(rpc, job, out);
        e->passed = job->position + 1;
    }
    drop_front(e);
    take_up(rpc, state, in, out);
}

static void receive(const dlab_rpc *rpc, void *state, const dlab_input *in, dlab_outputs *out)
{
    dlab_rpc_executor *e = dlab_rpc_volatile(rpc, state);
    const dlab_message *m = in->message;
    const bool keyed =
        m->kind == DLAB_RPC_MESSAGE_KEYED_REQUEST || m->kind == DLAB_RPC_MESSAGE_KEYED_DELIVERY;
    const bool call = rpc->medium == DLAB_RPC_MEDIUM_CALL;
    if (e->count == rpc->room) {
        dlab_remark(out, DLAB_RPC_NOTE_FULL, m->a, 0);
        if (call) (void)dlab_send(out, 0, DLAB_RPC_MESSAGE_REFUSED, m->a, m->b, NULL, 0);
        return;
    }
    e->jobs[(e->first + e->count++) % rpc->room] = (dlab_rpc_job){ .call = m->a,
                                                                   .position = call ? 0 : (uint32_t)m->b,
                                                                   .attempt = call ? (uint16_t)m->b : 0,
                                                                   .keyed = keyed };
    if (!e->executing && e->count == 1) take_up(rpc, state, in, out);
}

void dlab_rpc_executor_step(const dlab_rpc *rpc, void *state, const dlab_input *in, dlab_outputs *out)
{
    const dlab_rpc_executor *e = dlab_rpc_volatile(rpc, state);
    const bool worker = rpc->medium != DLAB_RPC_MEDIUM_CALL;
    if (in->kind == DLAB_ON_START && in->restarted && worker && rpc->crash_visible)
        (void)dlab_send(out, 1, DLAB_RPC_MESSAGE_RESET, 0, 0, NULL,
                        0); /* a new connection: the old one is gone */
    else if (in->kind == DLAB_ON_MESSAGE) receive(rpc, state, in, out);
    else if (in->kind == DLAB_ON_TIMER && e->executing) carry_out(rpc, state, in, out);
    else if (in->kind == DLAB_ON_TIMER) take_up(rpc, state, in, out);
}
