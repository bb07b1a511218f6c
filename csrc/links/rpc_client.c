/* See rpc.h. The client: one call at a time, attempts with timeouts, backoff between them. It cannot know
 * what became of an attempt it heard nothing of; that is the whole subject. */
#include "links/rpc.h"

static void send_request(const dlab_rpc *rpc, const dlab_rpc_client *c, dlab_outputs *out)
{
    const bool keyed = rpc->dedup != DLAB_RPC_DEDUP_NONE && !(rpc->retries_unkeyed && c->attempt > 1);
    (void)dlab_send(out, 1, keyed ? DLAB_RPC_MESSAGE_KEYED_REQUEST : DLAB_RPC_MESSAGE_REQUEST, c->call,
                    c->attempt, NULL, 0);
    dlab_set_timer(out, DLAB_RPC_TIMER_TIMEOUT, rpc->timeout, rpc->timeout);
}

static void attempt(const dlab_rpc *rpc, dlab_rpc_client *c, dlab_outputs *out)
{
    c->attempt++;
    c->lane = DLAB_RPC_STATE_WAITING;
    send_request(rpc, c, out);
}

static void end(dlab_rpc_client *c, unsigned outcome, dlab_outputs *out)
{
    c->lane = DLAB_RPC_STATE_IDLE;
    dlab_reply(out, c->ticket, outcome, c->call, c->attempt);
}

/* The attempt under way has failed: wait before the next one, or give up. */
static void fail(const dlab_rpc *rpc, dlab_rpc_client *c, unsigned outcome, dlab_rng *rng, dlab_outputs *out)
{
    if (c->attempt == rpc->attempts) {
        end(c, outcome, out);
        return;
    }
    double factor = 1;
    for (uint32_t k = 1; k < c->attempt; k++) factor *= rpc->backoff_factor;
    const int64_t wait = dlab_rpc_draw(&rpc->backoff, rng, factor);
    c->lane = DLAB_RPC_STATE_BACKING_OFF;
    dlab_set_timer(out, DLAB_RPC_TIMER_BACKOFF, wait, wait);
}

static void hear(const dlab_rpc *rpc, dlab_rpc_client *c, const dlab_input *in, dlab_outputs *out)
{
    const dlab_message *m = in->message;
    const bool waiting = c->lane == DLAB_RPC_STATE_WAITING;
    switch (m->kind) {
    case DLAB_RPC_MESSAGE_REPLY:
    case DLAB_RPC_MESSAGE_ACCEPTED: /* also of an earlier attempt that was given up: it is good news */
        if (c->lane == DLAB_RPC_STATE_IDLE || m->a != c->call) return;
        dlab_cancel_timer(out, waiting ? DLAB_RPC_TIMER_TIMEOUT : DLAB_RPC_TIMER_BACKOFF);
        end(c, DLAB_RPC_ASK_OK, out);
        return;
    case DLAB_RPC_MESSAGE_REFUSED:
        if (m->a != c->call || m->b != c->attempt) return;
        break;
    case DLAB_RPC_MESSAGE_RESET: break; /* the one connection there is: whatever attempt is under way ends */
    default: return;
    }
    if (!waiting) return;
    dlab_cancel_timer(out, DLAB_RPC_TIMER_TIMEOUT);
    fail(rpc, c, DLAB_RPC_ASK_ERROR, in->rng, out);
}

void dlab_rpc_client_step(const dlab_rpc *rpc, void *state, const dlab_input *in, dlab_outputs *out)
{
    dlab_rpc_client *c = dlab_rpc_volatile(rpc, state);
    if (in->kind == DLAB_ON_REQUEST) {
        *c = (dlab_rpc_client){ .ticket = in->ticket, .call = in->message->a };
        attempt(rpc, c, out);
    } else if (in->kind == DLAB_ON_MESSAGE) {
        hear(rpc, c, in, out);
    } else if (in->kind == DLAB_ON_TIMER && in->timer == DLAB_RPC_TIMER_TIMEOUT) {
        fail(rpc, c, DLAB_RPC_ASK_TIMEOUT, in->rng, out);
    } else if (in->kind == DLAB_ON_TIMER && in->timer == DLAB_RPC_TIMER_BACKOFF) {
        attempt(rpc, c, out);
    }
}
