/* See world.h. A chooser that names events is offered everything that could happen next: each pending event
 * by its name (the earliest first: it is the quiet option), the loss of each message on its way, the crash
 * and the restart of each node. Time jumps to what it picks and never goes back. */
#include <stdio.h>
#include <string.h>

#include "sim/world_inner.h"

dlab_handle dlab_world_plan_listed(dlab_world *w, int64_t time, uint32_t kind, uint32_t node, uint64_t a,
                                   uint64_t b)
{
    if (w->planned_count == w->planned_capacity) {
        void *more = dlab_world_grow(w, w->planned, &w->planned_capacity, sizeof *w->planned,
                                     DLAB_PLANNED_MAX, "events pending in a run whose events are chosen");
        if (more == NULL) return (dlab_handle){ 0 };
        w->planned = more;
    }
    const uint64_t word = ++w->planned_last;
    w->planned[w->planned_count++] = (dlab_planned){ .event = { time, kind, node, a, b }, .word = word };
    return (dlab_handle){ word };
}

static void remove_planned(dlab_world *w, uint32_t at)
{
    memmove(&w->planned[at], &w->planned[at + 1], (w->planned_count - at - 1) * sizeof *w->planned);
    w->planned_count--;
}

bool dlab_world_unplan_listed(dlab_world *w, dlab_handle handle)
{
    for (uint32_t k = 0; k < w->planned_count; k++) {
        if (w->planned[k].word != handle.word) continue;
        remove_planned(w, k);
        return true;
    }
    return false;
}

/* A message whose node is down can only be lost. */
dlab_choice dlab_world_name(const dlab_world *w, const dlab_event *e)
{
    switch (e->kind) {
    case DLAB_EVENT_DELIVER:
        return dlab_choice_of(w->nodes[e->node].status == DLAB_NODE_DOWN ? DLAB_CHOICE_DROP
                                                                         : DLAB_CHOICE_DELIVER,
                              dlab_world_flight(w, (uint32_t)e->a)->name);
    case DLAB_EVENT_TIMER: return dlab_choice_at(DLAB_CHOICE_TIMER, e->node, e->a);
    case DLAB_EVENT_PERSISTED: return dlab_choice_at(DLAB_CHOICE_PERSISTED, e->node, e->b);
    case DLAB_EVENT_READY: return dlab_choice_at(DLAB_CHOICE_READY, e->node, 0);
    case DLAB_EVENT_REQUEST: return dlab_choice_at(DLAB_CHOICE_REQUEST, e->node, e->b);
    case DLAB_EVENT_RESTART: return dlab_choice_at(DLAB_CHOICE_RESTART, e->node, 0);
    case DLAB_EVENT_FAULT: return dlab_choice_of(DLAB_CHOICE_FAULT, e->a);
    case DLAB_EVENT_HEAL: return dlab_choice_of(DLAB_CHOICE_HEAL, e->a);
    case DLAB_EVENT_SYNC: return dlab_choice_at(DLAB_CHOICE_TICK, e->node, 0);
    default: return dlab_choice_at(DLAB_CHOICE_PRIVATE + (e->kind - DLAB_EVENT_MODEL) % 128, e->node, e->a);
    }
}

/* Put one more option on the list. */
static bool offer(dlab_world *w, uint32_t *n, dlab_choice choice)
{
    if (*n == w->options_capacity) {
        void *more = dlab_world_grow(w, w->options, &w->options_capacity, sizeof *w->options,
                                     4 * DLAB_PLANNED_MAX, "options to choose from");
        if (more == NULL) return false;
        w->options = more;
    }
    w->options[(*n)++] = choice;
    return true;
}

/* The pending event that comes first, of those not later than `until`; DLAB_NONE: none. */
static uint32_t earliest(const dlab_world *w, int64_t until)
{
    uint32_t best = DLAB_NONE;
    for (uint32_t k = 0; k < w->planned_count; k++)
        if (w->planned[k].event.time <= until &&
            (best == DLAB_NONE || w->planned[k].event.time < w->planned[best].event.time))
            best = k;
    return best;
}

/* Options: the earliest event, all others, then losses, crashes and restarts. */
static bool offer_all(dlab_world *w, int64_t until, uint32_t first, uint32_t *n)
{
    *n = 0;
    if (!offer(w, n, dlab_world_name(w, &w->planned[first].event))) return false;
    for (uint32_t k = 0; k < w->planned_count; k++)
        if (k != first && w->planned[k].event.time <= until &&
            !offer(w, n, dlab_world_name(w, &w->planned[k].event)))
            return false;
    for (uint32_t k = 0; k < w->planned_count; k++) {
        const dlab_event *e = &w->planned[k].event;
        if (e->kind == DLAB_EVENT_DELIVER && w->nodes[e->node].status != DLAB_NODE_DOWN &&
            !offer(w, n, dlab_choice_of(DLAB_CHOICE_DROP, dlab_world_flight(w, (uint32_t)e->a)->name)))
            return false;
    }
    for (uint32_t i = 0; i < w->fault_nodes; i++)
        if (!offer(w, n,
                   dlab_choice_at(
                       w->nodes[i].status == DLAB_NODE_DOWN ? DLAB_CHOICE_RESTART : DLAB_CHOICE_CRASH, i, 0)))
            return false;
    return true;
}

/* The pending event of a name: the earliest sent of equal ones, which stands first. */
static uint32_t find(const dlab_world *w, dlab_choice choice, int64_t until)
{
    for (uint32_t k = 0; k < w->planned_count; k++)
        if (w->planned[k].event.time <= until && dlab_world_name(w, &w->planned[k].event) == choice) return k;
    return DLAB_NONE;
}

/* A crash, restart or loss that no event stands for. */
static int carry_out(dlab_world *w, dlab_choice choice)
{
    const uint32_t node = (uint32_t)(dlab_choice_what(choice) & 0xffffu);
    if (dlab_choice_kind(choice) == DLAB_CHOICE_CRASH) return dlab_world_crash(w, node, DLAB_KEEP_SYNCED);
    if (dlab_choice_kind(choice) == DLAB_CHOICE_RESTART) return dlab_world_restart(w, node);
    const dlab_choice arrival = dlab_choice_of(DLAB_CHOICE_DELIVER, dlab_choice_what(choice));
    const uint32_t at = find(w, arrival, INT64_MAX);
    if (DLAB_CHECK(&w->ctx->err, at != DLAB_NONE)) return w->ctx->err.code;
    const uint32_t slot = (uint32_t)w->planned[at].event.a;
    remove_planned(w, at);
    dlab_world_drop(w, slot, DLAB_DROP_CHOSEN);
    return DLAB_OK;
}

int dlab_world_pick(dlab_world *w, int64_t until, dlab_event *event)
{
    uint32_t n;
    const uint32_t first = earliest(w, until);
    if (first == DLAB_NONE) return 0;
    if (!offer_all(w, until, first, &n)) return -1;
    const int picked = dlab_choose(w->chooser, w->options, NULL, n);
    if (picked < 0) return -dlab_fail(&w->ctx->err, DLAB_ESTOP, "the one who chooses ended the run");
    const dlab_choice choice = w->options[picked];
    const uint32_t at = picked == 0 ? first : find(w, choice, until);
    if (at == DLAB_NONE) {
        *event = (dlab_event){ .time = w->scheduler.now, .kind = UINT32_MAX };
        return carry_out(w, choice) ? -1 : 1;
    }
    *event = w->planned[at].event;
    remove_planned(w, at);
    if (event->time < w->scheduler.now) event->time = w->scheduler.now;
    dlab_advance(&w->scheduler, event->time, event->kind, event->node);
    return 1;
}

static void describe_message(const dlab_world *w, uint64_t name, char *text, size_t size)
{
    for (uint32_t slot = 0; slot < w->flight_count; slot++) {
        const dlab_flight *f = dlab_world_flight(w, slot);
        if (!f->used || f->name != name) continue;
        const dlab_record r = { .time = w->scheduler.now,
                                .type = DLAB_TRACE_DELIVER,
                                .label = f->message.kind,
                                .node = f->message.to,
                                .peer = f->message.from,
                                .id = f->message.id,
                                .a = f->message.a,
                                .b = f->message.b };
        (void)dlab_record_format(w->core->schema, NULL, 0, &r, text, size);
        return;
    }
    (void)snprintf(text, size, "a message");
}

/* A coin in words: what it decides, and whether this side of it says so. */
static void describe_coin(const dlab_world *w, uint64_t what, char *text, size_t size)
{
    static const char *const words[] = { "",
#define X(code, said) said,
                                         DLAB_COINS(X)
#undef X
    };
    const uint64_t decides = what >> 48;
    const char *const *own = w->core->schema != NULL ? w->core->schema->coins : NULL;
    const char *said = decides < sizeof words / sizeof words[0] ? words[decides] : NULL;
    for (uint64_t k = DLAB_COIN_OWN; own != NULL && *own != NULL && said == NULL; k++, own++)
        if (k == decides) said = *own;
    (void)snprintf(text, size, "%s: %s", said != NULL ? said : "a coin of the protocol",
                   (what & 1) != 0 ? "yes" : "no");
}

void dlab_world_describe(const void *arg, dlab_choice choice, char *text, size_t size)
{
    static const char *const kinds[] = { "",
#define X(name, word) word,
                                         DLAB_CHOICE_KINDS(X)
#undef X
    };
    const dlab_world *w = arg;
    const unsigned kind = dlab_choice_kind(choice);
    const uint64_t what = dlab_choice_what(choice);
    char about[160];
    if (kind == DLAB_CHOICE_DELIVER || kind == DLAB_CHOICE_DROP) {
        describe_message(w, what, about, sizeof about);
        (void)snprintf(text, size, "%s: %s", kinds[kind], about);
    } else if (kind == DLAB_CHOICE_TIMER && w->core->schema != NULL && w->core->schema->timers != NULL) {
        (void)snprintf(text, size, "timer of node %u: %s", (unsigned)(what & 0xffffu),
                       w->core->schema->timers[what >> 16].name);
    } else if (kind == DLAB_CHOICE_COIN) {
        describe_coin(w, what, text, size);
    } else if (kind < sizeof kinds / sizeof kinds[0]) {
        (void)snprintf(text, size, "%s: node %u", kinds[kind], (unsigned)(what & 0xffffu));
    } else {
        (void)snprintf(text, size, "event #%llx", (unsigned long long)what);
    }
}
