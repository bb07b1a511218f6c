/* See world.h. This file opens the world, takes events one by one and looks at the invariants. */
#include <math.h>
#include <string.h>

#include "sim/world_inner.h"

void *dlab_world_grow(dlab_world *w, void *old, uint32_t *capacity, size_t size, uint32_t most,
                      const char *what)
{
    if (*capacity >= most) {
        (void)dlab_fail(&w->ctx->err, DLAB_ELIMIT, "more than %u %s at once", most, what);
        return NULL;
    }
    const uint32_t wanted = *capacity < 32 ? 64 : 2 * *capacity;
    void *more =
        dlab_memory_realloc(w->ctx->arena.memory, old, *capacity * size, wanted * size, &w->ctx->err);
    if (more != NULL) *capacity = wanted;
    return more;
}

int dlab_world_open_outputs(dlab_world *w, dlab_outputs *out)
{
    *out = (dlab_outputs){ .count_max = w->core->outputs_max, .bytes_max = w->core->bytes_max };
    out->at = dlab_alloc(w->ctx, out->count_max, sizeof *out->at);
    out->bytes = dlab_alloc(w->ctx, out->bytes_max + 1, 1);
    return out->at == NULL || out->bytes == NULL ? w->ctx->err.code : DLAB_OK;
}

static int open_nodes(dlab_world *w)
{
    const dlab_core *core = w->core;
    const dlab_world_setup *setup = w->setup;
    const size_t n = core->nodes;
    w->stride = (core->state_bytes + 15u) & ~(size_t)15u;
    w->nodes = dlab_alloc(w->ctx, n, sizeof *w->nodes);
    w->states = dlab_alloc(w->ctx, n, w->stride);
    w->ghost = dlab_alloc(w->ctx, core->ghost_bytes + 1, 1);
    w->local = dlab_alloc(w->ctx, n, sizeof *w->local);
    w->running = dlab_alloc(w->ctx, n, sizeof *w->running);
    if (w->ctx->err.code != DLAB_OK || dlab_world_open_outputs(w, &w->outputs)) return w->ctx->err.code;
    if (core->durable > 0 && setup->disks == NULL) {
        w->stable = dlab_alloc(w->ctx, n, core->durable);
        if (w->stable == NULL) return w->ctx->err.code;
    } else if (core->durable > 0) {
        w->disks = dlab_alloc(w->ctx, n, sizeof *w->disks);
        if (w->disks == NULL) return w->ctx->err.code;
        dlab_atlas_open(&w->atlas, w->ctx, core->nodes, setup->disks->recoverable);
    }
    for (uint32_t i = 0; i < core->nodes; i++) {
        dlab_node *node = &w->nodes[i];
        node->slow = 1;
        w->running[i] = true;
        node->inbox_first = node->inbox_last = DLAB_NONE;
        dlab_stream(w->ctx, &node->rng, DLAB_PURPOSE_NODE, i);
        dlab_stream(w->ctx, &node->timer_rng, DLAB_PURPOSE_TIMER, i);
        dlab_clock_open(&node->clock, setup->clocks, w->ctx, i);
        if (w->disks != NULL &&
            dlab_disk_open(&w->disks[i], setup->disks, &w->atlas, core->durable, i, w->ctx))
            return w->ctx->err.code;
    }
    return DLAB_OK;
}

static int open_trace(dlab_world *w)
{
    if (w->setup->trace_table < 0 || !dlab_wants(w->ctx, w->setup->trace_table)) return DLAB_OK;
    w->trace.ring = dlab_alloc(w->ctx, DLAB_TRACE_DEFAULT, sizeof *w->trace.ring);
    if (w->trace.ring == NULL) return w->ctx->err.code;
    w->trace.capacity = DLAB_TRACE_DEFAULT;
    return DLAB_OK;
}

int dlab_world_open(dlab_world *w, const dlab_world_setup *setup, dlab_ctx *ctx)
{
    const dlab_core *core = setup->core;
    *w = (dlab_world){ .setup = setup,
                       .core = core,
                       .ctx = ctx,
                       .chooser = ctx->chooser,
                       .fault_nodes = setup->fault_nodes ? setup->fault_nodes : core->nodes,
                       .broken = -1,
                       .free_flight = DLAB_NONE,
                       .free_entry = DLAB_NONE,
                       .processes = setup->processing != NULL && setup->processing->kind >= 0,
                       .names = ctx->chooser != NULL };
    w->flight_size = (sizeof(dlab_flight) + core->body_max + 15u) & ~(size_t)15u;
    if (dlab_scheduler_open(&w->scheduler, ctx->arena.memory, &ctx->err)) return ctx->err.code;
    if (core->nodes < 1 || core->nodes > DLAB_NODES_MAX)
        return dlab_fail(&ctx->err, DLAB_ERANGE, "nodes = %u is outside [1, %d]", core->nodes,
                         DLAB_NODES_MAX);
    if (DLAB_CHECK(&ctx->err, core->timers <= DLAB_TIMERS_MAX) ||
        DLAB_CHECK(&ctx->err, core->durable <= core->state_bytes && core->outputs_max > 0) ||
        DLAB_CHECK(&ctx->err, core->body_max <= DLAB_BODY_MAX) || open_trace(w) || open_nodes(w) ||
        dlab_net_open(&w->net, setup->network, core->nodes, ctx))
        return ctx->err.code;
    if (w->processes &&
        dlab_sampler_init(&w->processing, setup->processing, ctx->pool, 0, &ctx->arena, &ctx->err))
        return ctx->err.code;
    w->net.chooser = w->chooser;
    if (w->chooser != NULL) {
        w->chooser->describe = dlab_world_describe;
        w->chooser->describe_arg = w;
    }
    for (uint32_t i = 0; i < core->nodes; i++) {
        if (dlab_world_start(w, i, 0)) return ctx->err.code;
        if (setup->clocks != NULL && isfinite(setup->clocks->sync_interval) &&
            dlab_world_at(w, (int64_t)(setup->clocks->sync_interval * 1e9), DLAB_EVENT_SYNC, i, 1, 0))
            return ctx->err.code;
    }
    return dlab_faults_open(&w->faults, setup->faults, w);
}

void dlab_world_close(dlab_world *w)
{
    dlab_memory *memory = w->ctx->arena.memory;
    if (w->chooser != NULL) w->chooser->describe = NULL;
    dlab_scheduler_close(&w->scheduler);
    if (w->flights != NULL) dlab_memory_free(memory, w->flights, w->flight_capacity * w->flight_size);
    if (w->inbox != NULL) dlab_memory_free(memory, w->inbox, w->inbox_capacity * sizeof *w->inbox);
    if (w->planned != NULL) dlab_memory_free(memory, w->planned, w->planned_capacity * sizeof *w->planned);
    if (w->options != NULL) dlab_memory_free(memory, w->options, w->options_capacity * sizeof *w->options);
}

void dlab_world_tell_slow(dlab_world *w, unsigned type, unsigned label, uint32_t node, uint32_t peer,
                          uint32_t id, uint32_t a, uint64_t b)
{
    const dlab_record record = { .time = w->scheduler.now,
                                 .type = (uint16_t)type,
                                 .label = (uint16_t)label,
                                 .node = (uint16_t)node,
                                 .peer = (uint16_t)peer,
                                 .id = id,
                                 .a = a,
                                 .b = b };
    dlab_trace_put(&w->trace, &record);
}

void dlab_world_view(dlab_world *w, dlab_view *view)
{
    const bool clocks = w->core->check_reads_clocks;
    for (uint32_t i = 0; clocks && i < w->core->nodes; i++)
        w->local[i] = dlab_clock_mono(&w->nodes[i].clock, w->scheduler.now);
    *view = (dlab_view){ .states = w->states,
                         .stride = w->stride,
                         .ghost = w->ghost,
                         .now = clocks ? w->local : NULL,
                         .running = w->running,
                         .nodes = w->core->nodes,
                         .actor = DLAB_NO_NODE };
}

/* Faults and the model's own events may touch any node. */
static uint32_t actor_of(const dlab_event *event)
{
    return event->kind == DLAB_EVENT_FAULT || event->kind == DLAB_EVENT_HEAL ||
                   event->kind >= DLAB_EVENT_MODEL
               ? DLAB_NO_NODE
               : event->node;
}

void dlab_world_check(dlab_world *w, const dlab_event *event)
{
    dlab_view view;
    dlab_world_view(w, &view);
    view.actor = actor_of(event);
    const int broken = w->core->check(w->core, &view);
    if (broken < 0) return;
    if (w->broken_count++ == 0) {
        w->broken = broken;
        w->broken_time = w->scheduler.now;
    }
    if (w->broken_count == 1 || broken != w->broken)
        dlab_world_tell(w, DLAB_TRACE_BROKEN, (unsigned)broken, DLAB_NO_NODE, DLAB_NO_NODE, 0, 0, 0);
}

/* The clock service sets the wall clock of a node for the event->a-th time. */
static int sync_clock(dlab_world *w, const dlab_event *event)
{
    const dlab_clocks *p = w->setup->clocks;
    const int64_t left = dlab_clock_leftover(p, w->ctx, event->node, event->a);
    dlab_clock_sync(&w->nodes[event->node].clock, event->time, left, (int64_t)(p->clock_error * 1e9));
    return dlab_world_at(w, event->time + (int64_t)(p->sync_interval * 1e9), DLAB_EVENT_SYNC, event->node,
                         event->a + 1, 0);
}

int dlab_world_dispatch(dlab_world *w, const dlab_event *event)
{
    switch (event->kind) {
    case DLAB_EVENT_TIMER: w->nodes[event->node].timers[event->a].word = 0; return dlab_world_input(w, event);
    case DLAB_EVENT_PERSISTED: return dlab_world_persisted(w, event);
    case DLAB_EVENT_READY: return dlab_world_ready(w, event);
    case DLAB_EVENT_REQUEST: return dlab_world_input(w, event);
    case DLAB_EVENT_RESTART: return dlab_world_restart(w, event->node);
    case DLAB_EVENT_FAULT: return dlab_faults_begin(&w->faults, w, event->a);
    case DLAB_EVENT_HEAL: return dlab_faults_end(&w->faults, w, event->a);
    case DLAB_EVENT_SYNC: return sync_clock(w, event);
    case UINT32_MAX: return DLAB_OK;
    default:
        if (DLAB_CHECK(&w->ctx->err, w->setup->on_event != NULL)) return w->ctx->err.code;
        return w->setup->on_event(w->setup->arg, w, event);
    }
}

int dlab_world_run(dlab_world *w, int64_t until, bool stop_broken)
{
    for (;;) {
        const int taken = dlab_world_step(w, until);
        if (taken < 0) return w->ctx->err.code;
        if (taken == 0) break;
        if (stop_broken && w->broken >= 0) return DLAB_OK;
    }
    if (until != INT64_MAX && w->scheduler.now < until) w->scheduler.now = until;
    return DLAB_OK;
}

int dlab_world_at(dlab_world *w, int64_t at, uint32_t kind, uint32_t node, uint64_t a, uint64_t b)
{
    return dlab_world_plan(w, at, kind, node, a, b).word != 0 ? DLAB_OK : w->ctx->err.code;
}

int dlab_world_request(dlab_world *w, uint32_t node, int64_t at, uint64_t ticket, unsigned kind, uint32_t a,
                       uint64_t b)
{
    const dlab_message m = {
        .from = DLAB_NO_NODE, .to = (uint16_t)node, .kind = (uint16_t)kind, .a = a, .b = b
    };
    const uint32_t slot = dlab_world_new_flight(w, &m, 0);
    if (slot == DLAB_NONE) return w->ctx->err.code;
    return dlab_world_at(w, at, DLAB_EVENT_REQUEST, node, slot, ticket);
}

/* The ring has lost its beginning: at least say who the nodes are, which their starts told. */
static int tell_starts(dlab_world *w)
{
    for (uint32_t i = 0; i < w->core->nodes; i++) {
        const dlab_record start = { .type = DLAB_TRACE_START,
                                    .label =
                                        (uint16_t)(w->core->role != NULL ? w->core->role(w->core, i) : 0),
                                    .node = (uint16_t)i,
                                    .peer = DLAB_NO_NODE };
        dlab_trace_row row;
        dlab_record_to_row(&start, &row);
        if (dlab_emit(w->ctx, w->setup->trace_table, &row)) return w->ctx->err.code;
    }
    return DLAB_OK;
}

int dlab_world_finish(dlab_world *w)
{
    w->ctx->fingerprint = w->scheduler.fingerprint | 1u;
    const size_t n = dlab_trace_count(&w->trace);
    if (dlab_tracing(&w->trace) && w->trace.written > w->trace.capacity && tell_starts(w))
        return w->ctx->err.code;
    for (size_t k = 0; k < n; k++) {
        dlab_trace_row row;
        dlab_record_to_row(dlab_trace_at(&w->trace, k), &row);
        if (dlab_step(w->ctx, 1) || dlab_emit(w->ctx, w->setup->trace_table, &row)) return w->ctx->err.code;
    }
    return DLAB_OK;
}
