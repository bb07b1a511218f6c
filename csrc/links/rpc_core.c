/* See rpc.h. The core: who steps, what lies where in a state, names, and the invariants. */
#include "links/rpc.h"

#define X(code, name, a, b) { name, a, b },
static const dlab_label messages[] = { DLAB_RPC_MESSAGES(X){ NULL, NULL, NULL } };
static const dlab_label timers[] = { DLAB_RPC_TIMERS(X){ NULL, NULL, NULL } };
static const dlab_label requests[] = { DLAB_RPC_REQUESTS(X){ NULL, NULL, NULL } };
static const dlab_label applies[] = { DLAB_RPC_APPLIES(X){ NULL, NULL, NULL } };
static const dlab_label notes[] = { DLAB_RPC_NOTES(X){ NULL, NULL, NULL } };
static const dlab_label states[] = { DLAB_RPC_STATES(X){ NULL, NULL, NULL } };
#undef X
#define X(code, name) name,
static const char *const roles[] = { DLAB_RPC_ROLES(X) NULL };
static const char *const invariants[] = { DLAB_RPC_INVARIANTS(X) NULL };
#undef X

static const char *const coins[] = { "the process dies before it carries the operation out",
                                     "the process dies after it has, before it answers", NULL };
const dlab_trace_schema dlab_rpc_schema = { .messages = messages,
                                            .timers = timers,
                                            .requests = requests,
                                            .applies = applies,
                                            .notes = notes,
                                            .states = states,
                                            .roles = roles,
                                            .invariants = invariants,
                                            .coins = coins };

static uint32_t role(const dlab_core *core, uint32_t node)
{
    const dlab_rpc *rpc = core->config;
    if (node == 0) return DLAB_RPC_ROLE_CLIENT;
    if (rpc->medium == DLAB_RPC_MEDIUM_CALL) return DLAB_RPC_ROLE_SERVER;
    return node == 1 ? DLAB_RPC_ROLE_BROKER : DLAB_RPC_ROLE_WORKER;
}

static void step(const dlab_core *core, uint32_t node, void *state, const dlab_input *in, dlab_outputs *out)
{
    const dlab_rpc *rpc = core->config;
    switch (role(core, node)) {
    case DLAB_RPC_ROLE_CLIENT: dlab_rpc_client_step(rpc, state, in, out); break;
    case DLAB_RPC_ROLE_BROKER: dlab_rpc_broker_step(rpc, state, in, out); break;
    default: dlab_rpc_executor_step(rpc, state, in, out); break;
    }
}

static const void *volatile_of(const dlab_rpc *rpc, const void *state)
{
    return (const unsigned char *)state + rpc->durable;
}

static uint32_t lane(const dlab_core *core, uint32_t node, const void *state, uint32_t *a, uint64_t *b)
{
    const dlab_rpc *rpc = core->config;
    const uint32_t part = role(core, node);
    if (part == DLAB_RPC_ROLE_CLIENT) {
        const dlab_rpc_client *c = volatile_of(rpc, state);
        *a = c->call;
        *b = c->attempt;
        return c->lane;
    }
    if (part == DLAB_RPC_ROLE_BROKER) {
        const dlab_rpc_broker *broker = state;
        *a = broker->count;
        return broker->count > 0 ? DLAB_RPC_STATE_HOLDING : DLAB_RPC_STATE_IDLE;
    }
    const dlab_rpc_executor *e = volatile_of(rpc, state);
    *a = e->executing ? e->jobs[e->first % rpc->room].call : 0;
    return e->executing ? DLAB_RPC_STATE_EXECUTING : DLAB_RPC_STATE_IDLE;
}

static void observe(const dlab_core *core, void *ghost, uint32_t node, const dlab_output *o)
{
    dlab_rpc_ghost *g = ghost;
    unsigned char *call = &g->calls[o->message.a];
    const unsigned times = *call & DLAB_RPC_GHOST_TIMES;
    const bool was_open = *call == DLAB_RPC_GHOST_OK;
    (void)core;
    (void)node;
    if (o->kind == DLAB_REPLY) {
        if (o->message.kind == DLAB_RPC_ASK_OK) *call |= DLAB_RPC_GHOST_OK;
    } else if (o->message.kind == DLAB_RPC_APPLY_SET_ASIDE) {
        *call |= DLAB_RPC_GHOST_ASIDE;
    } else if (times < DLAB_RPC_GHOST_TIMES) {
        *call = (unsigned char)(*call + 1);
    }
    if (times == 1 && (*call & DLAB_RPC_GHOST_TIMES) == 2) g->twice = 1;
    g->open += (uint32_t)(*call == DLAB_RPC_GHOST_OK) - (uint32_t)was_open;
}

bool dlab_rpc_promises(const dlab_rpc *rpc, int invariant)
{
    if (invariant == DLAB_RPC_INVARIANT_KEY_MEANS_ONCE)
        return rpc->dedup == DLAB_RPC_DEDUP_KEY && rpc->dedup_durable;
    return rpc->medium == DLAB_RPC_MEDIUM_CALL || !rpc->acks_first;
}

/* Each call that was told ok is executed, or somebody still holds it: so there are never more open ones than
 * jobs and messages held. */
static int check(const dlab_core *core, const dlab_view *view)
{
    const dlab_rpc *rpc = core->config;
    const dlab_rpc_ghost *g = view->ghost;
    const dlab_rpc_executor *e = volatile_of(rpc, dlab_view_node(view, dlab_rpc_executor_node(rpc)));
    uint32_t held = e->count;
    if (rpc->medium != DLAB_RPC_MEDIUM_CALL)
        held += ((const dlab_rpc_broker *)dlab_view_node(view, 1))->count;
    if (g->open > held && dlab_rpc_promises(rpc, DLAB_RPC_INVARIANT_OK_MEANS_EXECUTED))
        return DLAB_RPC_INVARIANT_OK_MEANS_EXECUTED;
    if (g->twice && dlab_rpc_promises(rpc, DLAB_RPC_INVARIANT_KEY_MEANS_ONCE))
        return DLAB_RPC_INVARIANT_KEY_MEANS_ONCE;
    return -1;
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

void dlab_rpc_open(dlab_rpc *rpc, dlab_core *core)
{
    const uint64_t most = (uint64_t)rpc->calls * rpc->attempts;
    rpc->room = most < DLAB_RPC_ROOM_MAX ? (uint32_t)most : DLAB_RPC_ROOM_MAX;
    const size_t keys = rpc->dedup != DLAB_RPC_DEDUP_NONE ? rpc->calls * sizeof(int64_t) : 0;
    const size_t jobs = (sizeof(dlab_rpc_executor) + rpc->room * sizeof(dlab_rpc_job) + 7u) & ~(size_t)7u;
    const size_t held = sizeof(dlab_rpc_broker) + rpc->room * sizeof(dlab_rpc_held);
    rpc->durable = larger(rpc->dedup_durable ? keys : 0, rpc->medium != DLAB_RPC_MEDIUM_CALL ? held : 0);
    rpc->volatile_keys = rpc->durable + jobs;
    const size_t executor = rpc->volatile_keys + (rpc->dedup_durable ? 0 : keys);
    *core = (dlab_core){ .name = "rpc",
                         .config = rpc,
                         .nodes = rpc->medium == DLAB_RPC_MEDIUM_CALL ? 2 : 3,
                         .timers = DLAB_RPC_TIMER_COUNT,
                         .state_bytes = larger(executor, rpc->durable + sizeof(dlab_rpc_client)),
                         .durable = rpc->durable,
                         .ghost_bytes = sizeof(dlab_rpc_ghost) + rpc->calls,
                         /* in the worst step: two outputs for each of a batch, and four around them */
                         .outputs_max = 2 * DLAB_RPC_BATCH + 8,
                         .schema = &dlab_rpc_schema,
                         .step = step,
                         .observe = observe,
                         .check = check,
                         .role = role,
                         .lane = lane };
}
