/* Clients of a Raft cluster: one operation at a time, sent again under the same sequence number until it is
 * answered (thesis 6.3) or given up, whose outcome is then unknown. No value is ever written twice. */
#include "consensus/raft_inner.h"

static void send_command(const dlab_raft *c, uint32_t node, dlab_raft_client *s, dlab_outputs *out)
{
    const raft_command_body body = { .client = (uint16_t)node,
                                     .key = (uint16_t)s->key,
                                     .kind = (uint16_t)s->kind };
    dlab_send(out, s->server, DLAB_RAFT_COMMAND, s->sequence, s->value, &body, sizeof body)->wire =
        c->command_bytes + 64;
    dlab_set_timer(out, DLAB_RAFT_TIMER_RETRY, c->retry, c->retry);
}

static void think(const dlab_raft *c, dlab_raft_client *s, dlab_outputs *out)
{
    s->waiting = 0;
    dlab_cancel_timer(out, DLAB_RAFT_TIMER_RETRY);
    dlab_cancel_timer(out, DLAB_RAFT_TIMER_GIVE_UP);
    dlab_set_timer(out, DLAB_RAFT_TIMER_THINK, c->think_least, c->think_most);
}

/* Begin an operation. */
static void begin(const dlab_raft *c, uint32_t node, dlab_raft_client *s, dlab_outputs *out)
{
    s->sequence++;
    s->waiting = 1;
    dlab_remark(out, DLAB_RAFT_NOTE_INVOKE, s->sequence, s->value);
    send_command(c, node, s, out);
    dlab_set_timer(out, DLAB_RAFT_TIMER_GIVE_UP, c->give_up, c->give_up);
}

/* Somebody else says what to ask, and whom: a the server, b the value with the key in its upper 16 bits. */
static void take_order(const dlab_raft *c, uint32_t node, dlab_raft_client *s, const dlab_message *m,
                       dlab_outputs *out)
{
    const uint64_t value = m->b & UINT32_MAX;
    s->kind = m->kind == DLAB_RAFT_ASK_READ    ? DLAB_RAFT_OP_READ
              : m->kind == DLAB_RAFT_ASK_WRITE ? DLAB_RAFT_OP_WRITE
                                               : DLAB_RAFT_OP_CAS;
    s->server = m->a % c->servers;
    s->key = (uint32_t)(m->b >> 48) % c->keys;
    s->value = s->kind == DLAB_RAFT_OP_CAS ? (uint64_t)s->seen[s->key] << 32 | value : value;
    dlab_cancel_timer(out, DLAB_RAFT_TIMER_THINK);
    begin(c, node, s, out);
}

static void invoke(const dlab_raft *c, uint32_t node, dlab_raft_client *s, const dlab_input *in,
                   dlab_outputs *out)
{
    const double u = dlab_rng_unit(in->rng);
    const uint32_t fresh =
        (node - c->servers + 1) << DLAB_RAFT_NUMBER_BITS | (++s->written & DLAB_RAFT_NUMBER_MASK);
    s->kind = u < c->reads                ? DLAB_RAFT_OP_READ
              : u < c->reads + c->compare ? DLAB_RAFT_OP_CAS
                                          : DLAB_RAFT_OP_WRITE;
    s->key = (uint32_t)dlab_rng_below(in->rng, c->keys);
    s->value = s->kind == DLAB_RAFT_OP_READ  ? 0
               : s->kind == DLAB_RAFT_OP_CAS ? (uint64_t)s->seen[s->key] << 32 | fresh
                                             : fresh;
    if (c->reads_anywhere && s->kind == DLAB_RAFT_OP_READ)
        s->server = (uint32_t)dlab_rng_below(in->rng, c->servers);
    begin(c, node, s, out);
}

static void take_result(const dlab_raft *c, uint32_t node, dlab_raft_client *s, const dlab_message *m,
                        dlab_outputs *out)
{
    const raft_command_body *body = m->body;
    if (s->waiting == 0 || m->a != s->sequence) return;
    switch (body->status) {
    case DLAB_RAFT_RESULT_OK:
    case DLAB_RAFT_RESULT_FAILED:
        s->result = body->status;
        s->answer = m->b;
        s->server = m->from;
        s->seen[s->key] = (uint32_t)m->b;
        dlab_remark(out, DLAB_RAFT_NOTE_ANSWERED, s->sequence, m->b);
        think(c, s, out);
        return;
    case DLAB_RAFT_RESULT_NOT_LEADER:
        if (body->leader == 0 || body->leader - 1 == s->server) return; /* the timer asks another server */
        s->server = body->leader - 1;
        send_command(c, node, s, out);
        return;
    default: return;
    }
}

void dlab_raft_client_step(const dlab_raft *c, uint32_t node, void *state, const dlab_input *in,
                           dlab_outputs *out)
{
    dlab_raft_client *s = state;
    if (in->kind == DLAB_ON_START) {
        s->server = node % c->servers;
        dlab_set_timer(out, DLAB_RAFT_TIMER_THINK, c->think_least, c->think_most);
    } else if (in->kind == DLAB_ON_MESSAGE && in->message->kind == DLAB_RAFT_RESULT) {
        take_result(c, node, s, in->message, out);
    } else if (in->kind == DLAB_ON_REQUEST) {
        take_order(c, node, s, in->message, out);
    } else if (in->kind == DLAB_ON_TIMER && in->timer == DLAB_RAFT_TIMER_THINK) {
        invoke(c, node, s, in, out);
    } else if (in->kind == DLAB_ON_TIMER && in->timer == DLAB_RAFT_TIMER_RETRY) {
        s->server = (s->server + 1) % c->servers;
        send_command(c, node, s, out);
    } else if (in->kind == DLAB_ON_TIMER && in->timer == DLAB_RAFT_TIMER_GIVE_UP) {
        dlab_remark(out, DLAB_RAFT_NOTE_GAVE_UP, s->sequence, 0);
        think(c, s, out);
    }
}
