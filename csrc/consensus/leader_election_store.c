/* See leader_election.h. A store outside that grants leadership for a time: as a lease, whose holder watches
 * its own clock, or as a lock, whose holder believes the store alone. The store itself never fails.
 *
 * Two clocks count one lease. The store counts ttl from when it heard; the holder counts from when it asked,
 * which is earlier, and a share less: with both clocks within the drift d of true time the store's ttl lasts
 * at least ttl / (1 + d), the holder's share (1 - margin) ttl at most (1 - margin) ttl / (1 - d). So nobody
 * else leads before the holder has stopped if 1 - margin <= (1 - d) / (1 + d). */
#include "consensus/leader_election.h"

/* A request without an answer is repeated after the renewal interval. */
void dlab_election_ask(const dlab_election_turn *t, int64_t now)
{
    t->v->electing = 1;
    (void)dlab_send(t->out, t->e->nodes, DLAB_ELECTION_MESSAGE_ASK, t->id, (uint64_t)now, NULL, 0);
    dlab_set_timer(t->out, DLAB_ELECTION_TIMER_RETRY, t->e->renew, t->e->renew);
}

/* It may lead for a while from when it asked; if that has passed already it does not. */
static void extend(const dlab_election_turn *t, int64_t asked, int64_t now)
{
    if (asked > t->v->asked) t->v->asked = asked;
    const int64_t left = t->v->asked + t->e->held - now;
    if (t->e->algorithm == DLAB_ELECTION_LOCK) return;
    dlab_set_timer(t->out, DLAB_ELECTION_TIMER_LEASE, left > 0 ? left : 0, left > 0 ? left : 0);
}

void dlab_election_hold(const dlab_election_turn *t, int64_t asked, int64_t now)
{
    dlab_cancel_timer(t->out, DLAB_ELECTION_TIMER_RETRY);
    t->v->electing = 0;
    if (t->v->leads) return;
    t->v->asked = asked;
    if (t->e->algorithm == DLAB_ELECTION_LEASE && asked + t->e->held <= now) {
        dlab_election_ask(t, now);
        return;
    }
    dlab_election_lead(t);
    extend(t, asked, now);
    dlab_set_timer(t->out, DLAB_ELECTION_TIMER_RENEWAL, t->e->renew, t->e->renew);
}

static void let_go(const dlab_election_turn *t, int64_t now)
{
    dlab_election_stop(t);
    t->v->leader = 0;
    dlab_cancel_timer(t->out, DLAB_ELECTION_TIMER_RENEWAL);
    dlab_cancel_timer(t->out, DLAB_ELECTION_TIMER_LEASE);
    dlab_election_ask(t, now);
}

void dlab_election_hear_store(const dlab_election_turn *t, const dlab_message *m, int64_t now)
{
    switch (m->kind) {
    case DLAB_ELECTION_MESSAGE_GRANTED: dlab_election_hold(t, (int64_t)m->b, now); break;
    case DLAB_ELECTION_MESSAGE_HELD:
        if (t->v->leads) break;
        dlab_cancel_timer(t->out, DLAB_ELECTION_TIMER_RETRY);
        t->v->electing = 0;
        t->v->leader = m->a;
        break;
    case DLAB_ELECTION_MESSAGE_FREE:
        if (!t->v->leads) dlab_election_ask(t, now);
        break;
    case DLAB_ELECTION_MESSAGE_RENEWED:
        if (t->v->leads) extend(t, (int64_t)m->b, now);
        break;
    case DLAB_ELECTION_MESSAGE_REFUSED:
        if (t->v->leads) let_go(t, now);
        break;
    default: break;
    }
}

void dlab_election_store_timer(const dlab_election_turn *t, uint32_t timer, int64_t now)
{
    if (timer == DLAB_ELECTION_TIMER_RETRY) {
        dlab_election_ask(t, now);
    } else if (timer == DLAB_ELECTION_TIMER_LEASE) {
        let_go(t, now);
    } else if (timer == DLAB_ELECTION_TIMER_RENEWAL) {
        (void)dlab_send(t->out, t->e->nodes, DLAB_ELECTION_MESSAGE_RENEW, t->id, (uint64_t)now, NULL, 0);
        dlab_set_timer(t->out, DLAB_ELECTION_TIMER_RENEWAL, t->e->renew, t->e->renew);
    }
}

/* --- The store */

static void answer(const dlab_election *e, uint32_t node, unsigned kind, uint64_t b, dlab_outputs *out)
{
    (void)dlab_send(out, node, kind, e->ids[node], b, NULL, 0);
}

static void count_down(const dlab_election *e, dlab_election_store *s, int64_t now, dlab_outputs *out)
{
    s->until = now + e->ttl;
    dlab_set_timer(out, DLAB_ELECTION_TIMER_EXPIRY, e->ttl, e->ttl);
}

static void take_out(dlab_election_store *s, uint32_t node)
{
    for (uint32_t k = 0; k < s->waiting; k++) {
        if (s->queue[k] != node) continue;
        s->waiting--;
        memmove(&s->queue[k], &s->queue[k + 1], (s->waiting - k) * sizeof *s->queue);
        return;
    }
}

/* At the end, once. */
static void wait_in_line(dlab_election_store *s, uint32_t node)
{
    take_out(s, node);
    s->queue[s->waiting++] = (uint16_t)node;
}

static void grant(const dlab_election *e, dlab_election_store *s, uint32_t node, uint64_t asked, int64_t now,
                  dlab_outputs *out)
{
    s->holder = node + 1;
    s->renewed = 0;
    take_out(s, node);
    answer(e, node, DLAB_ELECTION_MESSAGE_GRANTED, asked, out);
    count_down(e, s, now, out);
}

/* A lease is granted again to whoever holds it; a lock belongs to a session, which a restart ends. */
static void asked(const dlab_election *e, dlab_election_store *s, const dlab_input *in, dlab_outputs *out)
{
    const dlab_message *m = in->message;
    const bool again = s->holder == m->from + 1u && e->algorithm == DLAB_ELECTION_LEASE;
    if (s->holder == 0 || again || in->now >= s->until) {
        grant(e, s, m->from, m->b, in->now, out);
        return;
    }
    wait_in_line(s, m->from);
    (void)dlab_send(out, m->from, DLAB_ELECTION_MESSAGE_HELD, e->ids[s->holder - 1], 0, NULL, 0);
}

static void expired(const dlab_election *e, dlab_election_store *s, int64_t now, dlab_outputs *out)
{
    const uint32_t last = s->holder;
    s->holder = 0;
    if (e->algorithm == DLAB_ELECTION_LOCK) {
        if (last > 0 && !s->renewed) wait_in_line(s, last - 1); /* it may not have heard */
        if (s->waiting > 0) grant(e, s, s->queue[0], (uint64_t)now, now, out);
        return;
    }
    for (uint32_t k = 0; k < s->waiting; k++)
        (void)dlab_send(out, s->queue[k], DLAB_ELECTION_MESSAGE_FREE, 0, 0, NULL, 0);
    if (s->waiting > 0) dlab_set_timer(out, DLAB_ELECTION_TIMER_EXPIRY, e->renew, e->renew);
}

void dlab_election_store_step(const dlab_election *e, dlab_election_store *s, const dlab_input *in,
                              dlab_outputs *out)
{
    if (in->kind == DLAB_ON_START && !e->cold) {
        s->holder = e->owners[e->nodes] + 1u;
        s->renewed = 1;
        count_down(e, s, in->now, out);
    } else if (in->kind == DLAB_ON_TIMER) {
        expired(e, s, in->now, out);
    } else if (in->kind == DLAB_ON_MESSAGE && in->message->kind == DLAB_ELECTION_MESSAGE_ASK) {
        asked(e, s, in, out);
    } else if (in->kind == DLAB_ON_MESSAGE && in->message->kind == DLAB_ELECTION_MESSAGE_RENEW) {
        const dlab_message *m = in->message;
        const bool holds = s->holder == m->from + 1u && in->now < s->until;
        s->renewed |= holds;
        if (holds) count_down(e, s, in->now, out);
        answer(e, m->from, holds ? DLAB_ELECTION_MESSAGE_RENEWED : DLAB_ELECTION_MESSAGE_REFUSED, m->b, out);
    }
}
