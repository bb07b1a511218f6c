/* See rpc.h. The broker: what it has confirmed is on its disk, and it goes on delivering it until somebody
 * says that it is done, or it has been delivered too often. */
#include "links/rpc.h"

static size_t occupied(const dlab_rpc_broker *b) { return sizeof *b + b->count * sizeof *b->held; }

static void deliver(const dlab_rpc *rpc, dlab_rpc_held *h, int64_t now, dlab_outputs *out)
{
    h->delivered = 1;
    h->deliveries++;
    h->due = now + rpc->visibility;
    (void)dlab_send(out, 2, h->keyed ? DLAB_RPC_MESSAGE_KEYED_DELIVERY : DLAB_RPC_MESSAGE_DELIVERY, h->call,
                    h->position, NULL, 0);
}

static void take_out(dlab_rpc_broker *b, uint32_t k)
{
    b->count--;
    memmove(&b->held[k], &b->held[k + 1], (b->count - k) * sizeof *b->held);
}

/* Deliver what is to be delivered now: of a log only the first record, once it is due again. What has been
 * delivered too often is set aside. Then wait for the next that will be due. */
static void go_on(const dlab_rpc *rpc, dlab_rpc_broker *b, int64_t now, dlab_outputs *out)
{
    uint32_t sent = 0;
    int64_t next = INT64_MAX;
    for (uint32_t k = 0; k < b->count && !(k > 0 && rpc->medium == DLAB_RPC_MEDIUM_LOG);) {
        dlab_rpc_held *h = &b->held[k];
        if (!h->delivered || h->due <= now) {
            if (sent == DLAB_RPC_BATCH) {
                next = now;
                break;
            }
            sent++;
            if (h->deliveries == rpc->deliveries) {
                const uint32_t call = h->call;
                take_out(b, k);
                dlab_persist(out, 0, occupied(b), false, 0);
                dlab_apply(out, DLAB_RPC_APPLY_SET_ASIDE, call, 0);
                continue;
            }
            deliver(rpc, h, now, out);
        }
        if (h->due < next) next = h->due;
        k++;
    }
    if (next != INT64_MAX) dlab_set_timer(out, DLAB_RPC_TIMER_VISIBILITY, next - now, next - now);
    else dlab_cancel_timer(out, DLAB_RPC_TIMER_VISIBILITY);
}

static void accept(const dlab_rpc *rpc, dlab_rpc_broker *b, const dlab_message *m, dlab_outputs *out)
{
    if (b->count == rpc->room) {
        dlab_remark(out, DLAB_RPC_NOTE_FULL, m->a, 0);
        (void)dlab_send(out, 0, DLAB_RPC_MESSAGE_REFUSED, m->a, m->b, NULL, 0);
        return;
    }
    b->held[b->count++] = (dlab_rpc_held){ .call = m->a,
                                           .position = b->next++,
                                           .attempt = (uint16_t)m->b,
                                           .keyed = m->kind == DLAB_RPC_MESSAGE_KEYED_REQUEST };
    dlab_persist(out, 0, occupied(b), false, 0);
    (void)dlab_send(out, 0, DLAB_RPC_MESSAGE_ACCEPTED, m->a, m->b, NULL, 0);
}

/* A message is done. One that is not held has been acknowledged, or set aside, before. */
static void acknowledge(dlab_rpc_broker *b, uint64_t position, dlab_outputs *out)
{
    for (uint32_t k = 0; k < b->count; k++) {
        if (b->held[k].position != position) continue;
        take_out(b, k);
        dlab_persist(out, 0, occupied(b), false, 0);
        return;
    }
}

void dlab_rpc_broker_step(const dlab_rpc *rpc, void *state, const dlab_input *in, dlab_outputs *out)
{
    dlab_rpc_broker *b = state;
    if (in->kind == DLAB_ON_MESSAGE) {
        const dlab_message *m = in->message;
        if (m->kind == DLAB_RPC_MESSAGE_ACK) acknowledge(b, m->b, out);
        else if (m->kind != DLAB_RPC_MESSAGE_RESET) accept(rpc, b, m, out);
        else
            for (uint32_t k = 0; k < b->count; k++) b->held[k].delivered = 0;
    } else if (in->kind == DLAB_ON_START) {
        for (uint32_t k = 0; k < b->count; k++) b->held[k].delivered = 0; /* connections are gone */
        if (b->count == 0) return;
    }
    go_on(rpc, b, in->now, out);
}
