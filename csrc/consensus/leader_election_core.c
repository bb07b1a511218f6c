/* See leader_election.h. The core: who steps, what the algorithms share, names, the invariant. */
#include "consensus/leader_election.h"

#define X(code, name, a, b, purpose) { name, a, b },
static const dlab_label messages[] = { DLAB_ELECTION_MESSAGES(X){ NULL, NULL, NULL } };
#undef X
#define X(code, name, a, b) { name, a, b },
static const dlab_label timers[] = { DLAB_ELECTION_TIMERS(X){ NULL, NULL, NULL } };
static const dlab_label requests[] = { DLAB_ELECTION_REQUESTS(X){ NULL, NULL, NULL } };
static const dlab_label applies[] = { DLAB_ELECTION_APPLIES(X){ NULL, NULL, NULL } };
static const dlab_label states[] = { DLAB_ELECTION_STATES(X){ NULL, NULL, NULL } };
#undef X
#define X(code, name) name,
static const char *const roles[] = { DLAB_ELECTION_ROLES(X) NULL };
static const char *const invariants[] = { DLAB_ELECTION_INVARIANTS(X) NULL };
#undef X

const dlab_trace_schema dlab_election_schema = { .messages = messages,
                                                 .timers = timers,
                                                 .requests = requests,
                                                 .applies = applies,
                                                 .states = states,
                                                 .roles = roles,
                                                 .invariants = invariants };

int dlab_election_purpose(unsigned kind)
{
    static const int purposes[] = {
#define X(code, name, a, b, purpose) DLAB_ELECTION_##purpose,
        DLAB_ELECTION_MESSAGES(X)
#undef X
    };
    return purposes[kind];
}

void dlab_election_lead(const dlab_election_turn *t)
{
    t->v->leader = t->id;
    t->v->electing = 0;
    if (t->v->leads) return;
    t->v->leads = 1;
    dlab_apply(t->out, DLAB_ELECTION_APPLY_LEADS, t->id, 0);
}

void dlab_election_stop(const dlab_election_turn *t)
{
    if (!t->v->leads) return;
    t->v->leads = 0;
    dlab_apply(t->out, DLAB_ELECTION_APPLY_STOPS, t->id, 0);
}

void dlab_election_follow(const dlab_election_turn *t, uint32_t id)
{
    t->v->leader = id;
    t->v->electing = t->v->candidate = 0;
    dlab_cancel_timer(t->out, DLAB_ELECTION_TIMER_OUTCOME);
    dlab_election_stop(t);
}

/* Without messages: the best id that is not suspected leads. */
static void look_at_the_list(const dlab_election_turn *t)
{
    uint32_t best = t->e->nodes;
    while (best > t->id && t->v->suspects[t->e->owners[best]]) best--;
    if (best == t->id) dlab_election_lead(t);
    else dlab_election_follow(t, best);
}

static void begin(const dlab_election_turn *t)
{
    if (t->v->electing) return;
    switch (t->e->algorithm) {
    case DLAB_ELECTION_BULLY: dlab_election_bully_begin(t); break;
    case DLAB_ELECTION_RING:
    case DLAB_ELECTION_HIRSCHBERG_SINCLAIR: dlab_election_ring_begin(t); break;
    default: break; /* the others elect nobody by themselves */
    }
}

static void start(const dlab_election_turn *t, const dlab_input *in)
{
    const bool first = !in->restarted && !t->e->cold;
    if (t->e->algorithm == DLAB_ELECTION_STATIC_PRIORITY) look_at_the_list(t);
    else if (first && t->id == t->e->nodes && dlab_election_has_store(t->e))
        dlab_election_hold(t, in->now, in->now);
    else if (dlab_election_has_store(t->e)) dlab_election_ask(t, in->now);
    else if (first && t->id == t->e->nodes) dlab_election_lead(t);
    else if (first) t->v->leader = t->e->nodes;
    else if (in->restarted) begin(t);
}

/* The failure detector speaks. */
static void listen(const dlab_election_turn *t, const dlab_message *m)
{
    if (m->kind != DLAB_ELECTION_REQUEST_BEGIN)
        t->v->suspects[m->a] = m->kind == DLAB_ELECTION_REQUEST_SUSPECT;
    if (t->e->algorithm == DLAB_ELECTION_STATIC_PRIORITY) look_at_the_list(t);
    else if (m->b != 0) begin(t);
}

/* Who sends is alive. */
static void hear(const dlab_election_turn *t, const dlab_message *m, int64_t now)
{
    if (dlab_election_has_store(t->e)) {
        dlab_election_hear_store(t, m, now);
        return;
    }
    t->v->suspects[m->from] = 0;
    if (t->e->algorithm == DLAB_ELECTION_BULLY) dlab_election_bully_hear(t, m);
    else dlab_election_ring_hear(t, m);
}

static void ring(const dlab_election_turn *t, const dlab_input *in)
{
    if (in->timer != DLAB_ELECTION_TIMER_OUTCOME) {
        dlab_election_store_timer(t, in->timer, in->now);
    } else if (t->e->algorithm == DLAB_ELECTION_BULLY) {
        dlab_election_bully_timeout(t);
    } else {
        t->v->electing = 0; /* nobody was announced: again */
        begin(t);
    }
}

void dlab_election_step(const dlab_election *e, uint32_t node, void *state, const dlab_input *in,
                        dlab_outputs *out)
{
    if (node == e->nodes) {
        dlab_election_store_step(e, state, in, out);
        return;
    }
    const dlab_election_turn t = { e, state, node, e->ids[node], out };
    switch (in->kind) {
    case DLAB_ON_START: start(&t, in); break;
    case DLAB_ON_MESSAGE: hear(&t, in->message, in->now); break;
    case DLAB_ON_REQUEST: listen(&t, in->message); break;
    case DLAB_ON_TIMER: ring(&t, in); break;
    default: break;
    }
}

static void step(const dlab_core *core, uint32_t node, void *state, const dlab_input *in, dlab_outputs *out)
{
    dlab_election_step(core->config, node, state, in, out);
}

static uint32_t role(const dlab_core *core, uint32_t node)
{
    const dlab_election *e = core->config;
    return node < e->nodes ? DLAB_ELECTION_ROLE_NODE : DLAB_ELECTION_ROLE_STORE;
}

static uint32_t lane(const dlab_core *core, uint32_t node, const void *state, uint32_t *a, uint64_t *b)
{
    const dlab_election *e = core->config;
    (void)b;
    if (node == e->nodes) {
        const dlab_election_store *s = state;
        *a = s->holder > 0 ? e->ids[s->holder - 1] : 0;
        return s->holder > 0 ? DLAB_ELECTION_STATE_HELD : DLAB_ELECTION_STATE_FREE;
    }
    const dlab_election_node *v = state;
    *a = v->leads ? e->ids[node] : v->electing ? 0 : v->leader;
    return v->leads      ? DLAB_ELECTION_STATE_LEADS
           : v->electing ? DLAB_ELECTION_STATE_ELECTING
           : v->leader   ? DLAB_ELECTION_STATE_FOLLOWS
                         : DLAB_ELECTION_STATE_IDLE;
}

/* The best of those who lead. */
static uint32_t leader(const dlab_core *core, const dlab_view *view)
{
    const dlab_election *e = core->config;
    for (uint32_t id = e->nodes; id > 0; id--) {
        const dlab_election_node *v = dlab_view_node(view, e->owners[id]);
        if (v->leads && view->running[e->owners[id]]) return e->owners[id];
    }
    return DLAB_NO_NODE;
}

/* Only a lease promises it; a paused holder counts, because it will wake believing that it leads. */
static int check(const dlab_core *core, const dlab_view *view)
{
    const dlab_election *e = core->config;
    uint32_t leaders = 0;
    for (uint32_t i = 0; i < e->nodes; i++) {
        const dlab_election_node *v = dlab_view_node(view, i);
        leaders += v->leads && view->running[i];
    }
    return leaders > 1 ? DLAB_ELECTION_INVARIANT_ONE_LEADER : -1;
}

dlab_core dlab_election_core(const dlab_election *e)
{
    const bool store = dlab_election_has_store(e);
    const size_t node = sizeof(dlab_election_node) + e->nodes;
    const size_t more = store ? sizeof(dlab_election_store) + e->nodes * sizeof(uint16_t) : 0;
    return (dlab_core){ .name = "leader election",
                        .config = e,
                        .nodes = e->nodes + store,
                        .timers = DLAB_ELECTION_TIMER_COUNT,
                        .state_bytes = node > more ? node : more,
                        .outputs_max = e->nodes + 8, /* one message to each, and what goes with it */
                        .schema = &dlab_election_schema,
                        .step = step,
                        .check = e->algorithm == DLAB_ELECTION_LEASE ? check : NULL,
                        .role = role,
                        .lane = lane,
                        .leader = leader };
}
