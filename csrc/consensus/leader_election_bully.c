/* See leader_election.h. The bully: whoever is better takes over, and whoever hears nothing from anybody
 * better leads. */
#include "consensus/leader_election.h"

/* How many answers' time a node waits for the announcement of a better one, which may itself have to wait
 * for an answer first. */
enum { PATIENCE = 3 };

static void win(const dlab_election_turn *t)
{
    dlab_cancel_timer(t->out, DLAB_ELECTION_TIMER_OUTCOME);
    dlab_election_lead(t);
    for (uint32_t id = 1; id < t->id; id++)
        (void)dlab_send(t->out, t->e->owners[id], DLAB_ELECTION_MESSAGE_COORDINATOR, t->id, 0, NULL, 0);
}

void dlab_election_bully_begin(const dlab_election_turn *t)
{
    t->v->electing = 1;
    t->v->answered = 0;
    if (t->id == t->e->nodes) {
        win(t);
        return;
    }
    for (uint32_t id = t->id + 1; id <= t->e->nodes; id++)
        (void)dlab_send(t->out, t->e->owners[id], DLAB_ELECTION_MESSAGE_ELECTION, t->id, 0, NULL, 0);
    dlab_set_timer(t->out, DLAB_ELECTION_TIMER_OUTCOME, t->e->timeout, t->e->timeout);
}

/* Does it know a leader whom it does not suspect, and nobody better that it does not suspect either? */
static bool is_content(const dlab_election_turn *t)
{
    uint32_t best = t->e->nodes;
    while (best > t->id && t->v->suspects[t->e->owners[best]]) best--;
    return t->v->leader == best && (best > t->id || t->v->leads);
}

/* Somebody worse asks. Who leads says so again, to the one that has missed it. */
static void is_asked(const dlab_election_turn *t, uint32_t by)
{
    (void)dlab_send(t->out, by, DLAB_ELECTION_MESSAGE_ANSWER, t->id, 0, NULL, 0);
    if (t->v->electing) return;
    if (!is_content(t)) dlab_election_bully_begin(t);
    else if (t->v->leads) (void)dlab_send(t->out, by, DLAB_ELECTION_MESSAGE_COORDINATOR, t->id, 0, NULL, 0);
}

void dlab_election_bully_hear(const dlab_election_turn *t, const dlab_message *m)
{
    switch (m->kind) {
    case DLAB_ELECTION_MESSAGE_ELECTION: is_asked(t, m->from); break;
    case DLAB_ELECTION_MESSAGE_ANSWER:
        if (!t->v->electing || t->v->answered) break;
        t->v->answered = 1;
        dlab_set_timer(t->out, DLAB_ELECTION_TIMER_OUTCOME, PATIENCE * t->e->timeout,
                       PATIENCE * t->e->timeout);
        break;
    case DLAB_ELECTION_MESSAGE_COORDINATOR:
        if (m->a > t->id) dlab_election_follow(t, m->a);
        else if (!t->v->electing) dlab_election_bully_begin(t); /* a worse one leads: bully it */
        break;
    default: break;
    }
}

void dlab_election_bully_timeout(const dlab_election_turn *t)
{
    if (!t->v->electing) return;
    if (t->v->answered) dlab_election_bully_begin(t); /* the better one was lost: again */
    else win(t);
}
