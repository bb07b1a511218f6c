/* See world.h. What faults do to a node: crash, restart, pause, wake, slow it down, change its clock. */
#include <string.h>

#include "sim/world_inner.h"

/* What a process finds when it starts: its durable bytes, and nothing else. */
static int load_durable(dlab_world *w, uint32_t i)
{
    unsigned char *state = dlab_world_state(w, i);
    const size_t durable = w->core->durable;
    const unsigned char *kept = w->disks != NULL    ? w->disks[i].image
                                : w->stable != NULL ? w->stable + i * durable
                                                    : NULL;
    if (kept != NULL) memcpy(state, kept, durable);
    memset(state + durable, 0, w->stride - durable);
    return dlab_step(w->ctx, w->stride >> 14); /* 16 KiB take about 1 us */
}

int dlab_world_crash(dlab_world *w, uint32_t i, int32_t keep)
{
    dlab_node *node = &w->nodes[i];
    node->crashes++;
    if (node->status == DLAB_NODE_DOWN) return DLAB_OK;
    dlab_world_tell(w, DLAB_TRACE_CRASH, 0, i, DLAB_NO_NODE, 0, (uint32_t)keep, 0);
    node->status = DLAB_NODE_DOWN;
    w->running[i] = false;
    node->busy = node->waits_for_disk = node->ready = node->believes = false;
    node->keep = keep;
    node->down_since = w->scheduler.now;
    for (uint32_t t = 0; t < w->core->timers; t++) {
        node->generation[t]++;
        if (node->timers[t].word != 0) (void)dlab_world_unplan(w, node->timers[t]);
        node->timers[t].word = 0;
    }
    while (node->inbox_first != DLAB_NONE) {
        const dlab_event event = dlab_world_dequeue(w, node);
        dlab_world_discard(w, &event);
    }
    if (w->disks != NULL) dlab_disk_crash(&w->disks[i], keep);
    else if (w->stable != NULL && keep == DLAB_KEEP_NOTHING)
        memset(w->stable + i * w->core->durable, 0, w->core->durable);
    return load_durable(w, i);
}

int dlab_world_restart(dlab_world *w, uint32_t i)
{
    dlab_node *node = &w->nodes[i];
    if (node->status != DLAB_NODE_DOWN || --node->crashes > 0) return DLAB_OK;
    node->status = DLAB_NODE_UP;
    w->running[i] = true;
    node->down += w->scheduler.now - node->down_since;
    if (load_durable(w, i) || dlab_world_start(w, i, node->keep)) return w->ctx->err.code;
    if (node->pauses > 0 && node->status == DLAB_NODE_UP) {
        node->status = DLAB_NODE_PAUSED;
        node->believed = w->scheduler.now;
    }
    return DLAB_OK;
}

int dlab_world_pause(dlab_world *w, uint32_t i)
{
    dlab_node *node = &w->nodes[i];
    node->pauses++;
    if (node->status != DLAB_NODE_UP) return DLAB_OK;
    dlab_world_tell(w, DLAB_TRACE_PAUSE, DLAB_FAULT_PAUSE, i, DLAB_NO_NODE, 0, 0, 0);
    node->status = DLAB_NODE_PAUSED;
    node->believed = w->scheduler.now;
    return DLAB_OK;
}

int dlab_world_wake(dlab_world *w, uint32_t i)
{
    dlab_node *node = &w->nodes[i];
    if (node->pauses > 0) node->pauses--;
    if (node->pauses > 0 || node->status != DLAB_NODE_PAUSED) return DLAB_OK;
    dlab_world_tell(w, DLAB_TRACE_WAKE, DLAB_FAULT_PAUSE, i, DLAB_NO_NODE, 0, 0, 0);
    node->status = DLAB_NODE_UP;
    node->believes = true;
    return node->ready ? dlab_world_resume(w, i) : dlab_world_go_on(w, i);
}

int dlab_world_drift(dlab_world *w, uint32_t i, double ppm)
{
    dlab_node *node = &w->nodes[i];
    const int64_t now = w->scheduler.now;
    dlab_clock_set_drift(&node->clock, now, ppm);
    for (uint32_t t = 0; t < w->core->timers; t++) {
        if (node->timers[t].word == 0) continue;
        const int64_t left = node->timer_local[t] - dlab_clock_mono(&node->clock, now);
        const int64_t at = dlab_clock_after(&node->clock, now, left > 0 ? left : 0);
        (void)dlab_world_unplan(w, node->timers[t]);
        node->timers[t] = dlab_world_plan(w, at, DLAB_EVENT_TIMER, i, t, node->generation[t]);
        if (node->timers[t].word == 0) return w->ctx->err.code;
    }
    return DLAB_OK;
}
