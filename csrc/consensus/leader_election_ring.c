/* See leader_election.h. Two elections on a ring: one way (Chang and Roberts) and both ways in phases
 * (Hirschberg and Sinclair). Ids alone decide what passes, so how many messages an election takes depends
 * on their order around the ring and not on delays, when all begin at the same time. */
#include "consensus/leader_election.h"

/* A probe says how far it may go (2^phase), how far it has come, and which way it goes. */
#define PHASE_SHIFT 40
#define RIGHT (UINT64_C(1) << 32)
#define HOPS UINT64_C(0xffffffff)

/* Whom a whole ring is waited for, in nodes: an id goes round once and its announcement too; phases go to
 * and fro over twice the ring each, and double. */
enum { ROUNDS = 2, PHASED_ROUNDS = 10 };

/* The neighbour in a direction that is not suspected; the node itself when it suspects all others. */
static uint32_t neighbour(const dlab_election_turn *t, bool right)
{
    const uint32_t n = t->e->nodes, step = right ? 1 : n - 1;
    uint32_t next = (t->node + step) % n;
    while (next != t->node && t->v->suspects[next]) next = (next + step) % n;
    return next;
}

static void put(const dlab_election_turn *t, bool right, unsigned kind, uint32_t id, uint64_t b)
{
    (void)dlab_send(t->out, neighbour(t, right), kind, id, b, NULL, 0);
}

static void wait_for_outcome(const dlab_election_turn *t)
{
    const bool phased = t->e->algorithm == DLAB_ELECTION_HIRSCHBERG_SINCLAIR;
    const int64_t wait = (phased ? PHASED_ROUNDS : ROUNDS) * (int64_t)t->e->nodes * t->e->timeout;
    dlab_set_timer(t->out, DLAB_ELECTION_TIMER_OUTCOME, wait, wait);
}

static void win(const dlab_election_turn *t)
{
    if (t->e->drops_own_id || !t->v->candidate) return;
    t->v->candidate = 0;
    dlab_cancel_timer(t->out, DLAB_ELECTION_TIMER_OUTCOME);
    dlab_election_lead(t);
    if (neighbour(t, true) != t->node) put(t, true, DLAB_ELECTION_MESSAGE_ANNOUNCEMENT, t->id, 1);
}

static void probe(const dlab_election_turn *t)
{
    const uint64_t b = (uint64_t)t->v->phase << PHASE_SHIFT | 1;
    put(t, true, DLAB_ELECTION_MESSAGE_PROBE, t->id, b | RIGHT);
    put(t, false, DLAB_ELECTION_MESSAGE_PROBE, t->id, b);
}

void dlab_election_ring_begin(const dlab_election_turn *t)
{
    t->v->electing = t->v->candidate = 1;
    t->v->phase = t->v->replies = 0;
    if (neighbour(t, true) == t->node) {
        win(t);
        return;
    }
    wait_for_outcome(t);
    if (t->e->algorithm == DLAB_ELECTION_RING) put(t, true, DLAB_ELECTION_MESSAGE_CANDIDATE, t->id, 1);
    else probe(t);
}

/* A better id comes by: this node is out of the race, or never enters it. */
static void give_way(const dlab_election_turn *t)
{
    if (!t->v->electing) wait_for_outcome(t);
    t->v->electing = 1;
}

static void hear_candidate(const dlab_election_turn *t, const dlab_message *m)
{
    if (m->a == t->id) {
        win(t);
    } else if (m->a > t->id) {
        give_way(t);
        if (m->b < t->e->nodes) put(t, true, DLAB_ELECTION_MESSAGE_CANDIDATE, m->a, m->b + 1);
    } else if (!t->v->electing) {
        dlab_election_ring_begin(t); /* a worse one is swallowed; its own id goes instead */
    }
}

static void hear_probe(const dlab_election_turn *t, const dlab_message *m)
{
    const uint64_t hops = m->b & HOPS, phase = m->b >> PHASE_SHIFT;
    const bool right = (m->b & RIGHT) != 0;
    if (m->a == t->id) {
        win(t);
    } else if (m->a < t->id) {
        if (!t->v->electing) dlab_election_ring_begin(t);
    } else {
        give_way(t);
        if (hops < UINT64_C(1) << phase) put(t, right, DLAB_ELECTION_MESSAGE_PROBE, m->a, m->b + 1);
        else put(t, !right, DLAB_ELECTION_MESSAGE_PROBE_REPLY, m->a, ((m->b ^ RIGHT) & ~HOPS) | 1);
    }
}

static void hear_reply(const dlab_election_turn *t, const dlab_message *m)
{
    if (m->a != t->id) {
        if ((m->b & HOPS) < t->e->nodes)
            put(t, (m->b & RIGHT) != 0, DLAB_ELECTION_MESSAGE_PROBE_REPLY, m->a, m->b + 1);
    } else if (t->v->candidate && m->b >> PHASE_SHIFT == t->v->phase && ++t->v->replies == 2) {
        t->v->phase++;
        t->v->replies = 0;
        probe(t);
    }
}

static void hear_announcement(const dlab_election_turn *t, const dlab_message *m)
{
    if (m->a == t->id) return;
    dlab_election_follow(t, m->a);
    if (m->b < t->e->nodes) put(t, true, DLAB_ELECTION_MESSAGE_ANNOUNCEMENT, m->a, m->b + 1);
}

void dlab_election_ring_hear(const dlab_election_turn *t, const dlab_message *m)
{
    switch (m->kind) {
    case DLAB_ELECTION_MESSAGE_CANDIDATE: hear_candidate(t, m); break;
    case DLAB_ELECTION_MESSAGE_PROBE: hear_probe(t, m); break;
    case DLAB_ELECTION_MESSAGE_PROBE_REPLY: hear_reply(t, m); break;
    case DLAB_ELECTION_MESSAGE_ANNOUNCEMENT: hear_announcement(t, m); break;
    default: break;
    }
}
