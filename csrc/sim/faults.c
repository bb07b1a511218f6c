/* See faults.h. Processes that begin and end faults in a world, and what each kind does there.
 *
 * What can be counted (cuts, clogs, crashes, pauses) is. Factors, shares and refusals are worked out anew
 * from the faults under way whenever one begins or ends, in the order of the plan, so that nothing is left
 * of a fault that has ended, not even a rounding. */
#include <math.h>
#include <string.h>

#include "sim/faults_plan.h"
#include "sim/world.h"

struct dlab_fault {
    uint32_t row, node; /* node: DLAB_NO_NODE unless the row or its target each names it */
    bool active, cut;   /* cut: its links are cut now (a flapping one, every other time) */
    int64_t toggle_at;  /* when a flapping one changes; -1: not flapping */
    uint64_t order;     /* the how many-th fault of the run it is */
    dlab_rng rng;
    uint64_t words[2]; /* of this fault */
    dlab_blow blow;
};

/* Streams seeded by the words of a fault. */
enum { WHEN = 1, WHOM, HOW_LONG };

static dlab_rng stream_of(const dlab_fault *p, uint64_t purpose)
{
    dlab_rng rng;
    dlab_rng_seed(&rng, p->words[0], p->words[1], purpose);
    return rng;
}

static bool is_instant(int32_t kind) { return kind == DLAB_FAULT_CLOCK_JUMP || kind == DLAB_FAULT_DISK_ROT; }
static bool is_of_disk(int32_t kind)
{
    return kind == DLAB_FAULT_DISK_FULL || kind == DLAB_FAULT_DISK_ERROR || kind == DLAB_FAULT_DISK_SLOW ||
           kind == DLAB_FAULT_DISK_ROT;
}

/* An event so many seconds from now, unless that is beyond all time. */
static int after(dlab_world *w, double seconds, uint32_t event, const dlab_fault *p, size_t a)
{
    const double at = (double)dlab_world_now(w) + seconds * 1e9;
    if (!(at < (double)DLAB_TIME_MAX)) return DLAB_OK;
    const uint32_t node = p->node == DLAB_NO_NODE ? 0 : p->node;
    return dlab_world_at(w, dlab_world_now(w) + dlab_ns(seconds), event, node, a, 0);
}

/* The next fault of a process, if there is one. */
static int plan_next(dlab_faults *f, dlab_world *w, size_t k)
{
    dlab_fault *p = &f->processes[k];
    const dlab_fault_row *row = &f->rows[p->row];
    const bool first = p->order == 0 && row->time >= 0;
    if (f->healed || (!first && row->rate < 0)) return DLAB_OK;
    p->words[0] = dlab_rng_u64(&p->rng);
    p->words[1] = dlab_rng_u64(&p->rng);
    dlab_rng rng = stream_of(p, WHEN);
    const double gap = first ? row->time : dlab_rng_exponential(&rng) / row->rate;
    return after(w, gap, DLAB_EVENT_FAULT, p, k);
}

static int fits_world(const dlab_fault_row *row, size_t number, const dlab_world *w, dlab_error *err)
{
    if (is_of_disk(row->kind) && w->disks == NULL)
        return dlab_fail(err, DLAB_EINVAL, "row %zu of table 'faults': %s needs disks, which %s has not",
                         number, dlab_fault_names[row->kind], w->core->name);
    if (row->target == DLAB_TARGET_LEADER && w->core->leader == NULL)
        return dlab_fail(err, DLAB_EINVAL, "row %zu of table 'faults': target = leader, but %s has none",
                         number, w->core->name);
    return DLAB_OK;
}

static int add_process(dlab_faults *f, dlab_world *w, size_t row, uint32_t node)
{
    dlab_fault *p = &f->processes[f->count++];
    p->row = (uint32_t)row;
    p->node = node;
    p->toggle_at = -1;
    dlab_stream(w->ctx, &p->rng, DLAB_PURPOSE_FAULT, (uint64_t)row << 16 | node);
    return plan_next(f, w, f->count - 1);
}

/* The rows of the plan, then those of the model. */
static int all_rows(dlab_faults *f, dlab_ref plan, dlab_world *w)
{
    const size_t more = w->setup->more_fault_count;
    f->rows = dlab_table_rows(w->ctx, &dlab_faults_table, plan, &f->row_count);
    if (w->ctx->err.code || more == 0) return w->ctx->err.code;
    dlab_fault_row *all = dlab_alloc(w->ctx, f->row_count + more, sizeof *all);
    if (all == NULL) return w->ctx->err.code;
    if (f->row_count > 0) memcpy(all, f->rows, f->row_count * sizeof *all);
    memcpy(all + f->row_count, w->setup->more_faults, more * sizeof *all);
    f->rows = all;
    f->row_count += more;
    return DLAB_OK;
}

/* Rows that fit the world, their durations made ready. *count: how many processes they make. */
static int read_rows(dlab_faults *f, dlab_ref plan, dlab_world *w, size_t *count)
{
    dlab_ctx *ctx = w->ctx;
    *f = (dlab_faults){ .rows = NULL };
    if (all_rows(f, plan, w) || dlab_faults_check(f->rows, f->row_count, w->fault_nodes, &ctx->err))
        return ctx->err.code;
    f->durations = dlab_alloc(ctx, f->row_count, sizeof *f->durations);
    if (f->durations == NULL) return ctx->err.code;
    for (size_t i = 0; i < f->row_count; i++) {
        const dlab_fault_row *row = &f->rows[i];
        if (fits_world(row, i, w, &ctx->err) ||
            (row->duration.kind >= 0 &&
             dlab_sampler_init(&f->durations[i], &row->duration, ctx->pool, 0, &ctx->arena, &ctx->err)))
            return ctx->err.code;
        *count += row->target == DLAB_TARGET_EACH ? w->fault_nodes : 1;
    }
    return DLAB_OK;
}

int dlab_faults_open(dlab_faults *f, dlab_ref plan, dlab_world *w)
{
    size_t count = 0;
    if (read_rows(f, plan, w, &count)) return w->ctx->err.code;
    f->processes = dlab_alloc(w->ctx, count, sizeof *f->processes);
    if (f->processes == NULL) return w->ctx->err.code;
    for (size_t i = 0; i < f->row_count; i++) {
        const dlab_fault_row *row = &f->rows[i];
        if (row->target != DLAB_TARGET_EACH) {
            if (add_process(f, w, i, row->node < 0 ? DLAB_NO_NODE : (uint32_t)row->node))
                return w->ctx->err.code;
            continue;
        }
        for (uint32_t node = 0; node < w->fault_nodes; node++)
            if ((int64_t)node != row->peer && add_process(f, w, i, node)) return w->ctx->err.code;
    }
    return DLAB_OK;
}

/* --- Effects */

/* Do something to each directed link a fault strikes. */
static int each_link(dlab_faults *f, dlab_world *w, const dlab_fault *p, int by,
                     int (*act)(dlab_faults *, dlab_world *, const dlab_fault *, uint32_t, uint32_t, int))
{
    const uint32_t n = w->fault_nodes, v = p->blow.victim;
    const bool local = dlab_blow_is_local(&p->blow);
    for (uint32_t from = 0; from < n; from++) {
        const bool one = local && from != v;
        if (dlab_step(w->ctx, 1 + (one ? 0 : n / 64))) return w->ctx->err.code;
        for (uint32_t to = one ? v : 0; to < (one ? v + 1 : n); to++)
            if (dlab_blow_strikes(&p->blow, from, to) && act(f, w, p, from, to, by)) return w->ctx->err.code;
    }
    return DLAB_OK;
}

static int cut_link(dlab_faults *f, dlab_world *w, const dlab_fault *p, uint32_t from, uint32_t to, int by)
{
    (void)f, (void)p;
    dlab_net_cut(&w->net, from, to, by);
    return w->ctx->err.code;
}

static int clog_link(dlab_faults *f, dlab_world *w, const dlab_fault *p, uint32_t from, uint32_t to, int by)
{
    (void)f, (void)p;
    dlab_net_clog(&w->net, from, to, by);
    return by < 0 ? dlab_world_unclog(w, from, to) : w->ctx->err.code;
}

/* All faults of this kind under way on the link together. */
static int settle_link(dlab_faults *f, dlab_world *w, const dlab_fault *p, uint32_t from, uint32_t to, int by)
{
    const bool slow = p->blow.kind == DLAB_FAULT_SLOW_LINK;
    double product = 1;
    (void)by;
    if (dlab_step(w->ctx, f->count / 64)) return w->ctx->err.code;
    for (size_t k = 0; k < f->count; k++) {
        const dlab_fault *q = &f->processes[k];
        if (!q->active || q->blow.kind != p->blow.kind || !dlab_blow_strikes(&q->blow, from, to)) continue;
        product *= slow ? f->rows[q->row].amount : 1 - f->rows[q->row].amount;
    }
    return slow ? dlab_net_slow(&w->net, from, to, product)
                : dlab_net_degrade(&w->net, from, to, 1 - product);
}

static int set_cut(dlab_faults *f, dlab_world *w, dlab_fault *p, bool cut)
{
    const uint32_t victim = p->blow.victim;
    if (p->cut == cut) return DLAB_OK;
    p->cut = cut;
    dlab_world_tell(w, cut ? DLAB_TRACE_FAULT : DLAB_TRACE_HEAL, (unsigned)p->blow.kind, victim, p->blow.peer,
                    0, p->row, 0);
    return each_link(f, w, p, cut ? 1 : -1, cut_link);
}

/* Everything about a node that is worked out from the faults under way there. */
static int settle_node(dlab_faults *f, dlab_world *w, uint32_t node)
{
    double slow = 1, disk = 1;
    bool full = false, failing = false;
    if (dlab_step(w->ctx, f->count / 64)) return w->ctx->err.code;
    for (size_t k = 0; k < f->count; k++) {
        const dlab_fault *q = &f->processes[k];
        const double amount = f->rows[q->row].amount;
        if (!q->active || q->blow.victim != node) continue;
        if (q->blow.kind == DLAB_FAULT_SLOW) slow *= amount;
        if (q->blow.kind == DLAB_FAULT_DISK_SLOW) disk *= amount;
        full = full || q->blow.kind == DLAB_FAULT_DISK_FULL;
        failing = failing || q->blow.kind == DLAB_FAULT_DISK_ERROR;
    }
    w->nodes[node].slow = slow;
    if (w->disks == NULL) return DLAB_OK;
    w->disks[node].slow = slow * disk;
    w->disks[node].full = full;
    w->disks[node].failing = failing;
    return DLAB_OK;
}

/* The latest drift under way counts; after the last one the clock has the rate it had before. */
static int settle_drift(dlab_faults *f, dlab_world *w, uint32_t node, int by)
{
    const dlab_fault *latest = NULL;
    size_t under_way = 0;
    if (f->rates == NULL) f->rates = dlab_alloc(w->ctx, w->fault_nodes, sizeof *f->rates);
    if (f->rates == NULL || dlab_step(w->ctx, f->count / 64)) return w->ctx->err.code;
    for (size_t k = 0; k < f->count; k++) {
        const dlab_fault *q = &f->processes[k];
        if (!q->active || q->blow.victim != node || q->blow.kind != DLAB_FAULT_CLOCK_DRIFT) continue;
        if (latest == NULL || q->order > latest->order) latest = q;
        under_way++;
    }
    if (by > 0 && under_way == 1) f->rates[node] = w->nodes[node].clock.ppb;
    return dlab_world_drift(w, node,
                            latest != NULL ? f->rows[latest->row].amount : (double)f->rates[node] / 1000);
}

/* A fault of this kind begins (by = 1) or ends (-1). */
static int strike(dlab_faults *f, dlab_world *w, dlab_fault *p, int by)
{
    const dlab_fault_row *row = &f->rows[p->row];
    const uint32_t node = p->blow.victim;
    switch (p->blow.kind) {
    case DLAB_FAULT_CRASH: return by > 0 ? dlab_world_crash(w, node, row->disk) : dlab_world_restart(w, node);
    case DLAB_FAULT_PAUSE: return by > 0 ? dlab_world_pause(w, node) : dlab_world_wake(w, node);
    case DLAB_FAULT_PARTITION:
    case DLAB_FAULT_ISOLATE:
    case DLAB_FAULT_ONE_WAY:
    case DLAB_FAULT_PARTIAL:
    case DLAB_FAULT_BRIDGE:
    case DLAB_FAULT_MAJORITY_RING:
    case DLAB_FAULT_FLAPPING: return set_cut(f, w, p, by > 0);
    case DLAB_FAULT_CLOG: return each_link(f, w, p, by, clog_link);
    case DLAB_FAULT_SLOW_LINK:
    case DLAB_FAULT_DEGRADE: return each_link(f, w, p, by, settle_link);
    case DLAB_FAULT_GRAY:
        return dlab_net_gray(&w->net, node,
                             (dlab_gray){ .kind = (int32_t)row->message,
                                          .peer = row->peer < 0 ? DLAB_NO_NODE : (uint32_t)row->peer,
                                          .share = row->amount },
                             by);
    case DLAB_FAULT_CLOCK_JUMP:
        dlab_clock_jump(&w->nodes[node].clock, dlab_world_now(w), (int64_t)nearbyint(row->amount * 1e9));
        return DLAB_OK;
    case DLAB_FAULT_CLOCK_DRIFT: return settle_drift(f, w, node, by);
    case DLAB_FAULT_DISK_ROT: (void)dlab_disk_rot(&w->disks[node], (uint32_t)row->amount); return DLAB_OK;
    default: return settle_node(f, w, node);
    }
}

/* --- Beginning and ending */

/* Whom a fault that begins now strikes; false: nobody. */
static bool find_victim(const dlab_faults *f, dlab_world *w, const dlab_fault *p, dlab_rng *rng,
                        uint32_t *victim)
{
    const dlab_fault_row *row = &f->rows[p->row];
    const bool spared = row->peer >= 0; /* the other end is not drawn */
    *victim = p->node;
    if (row->target == DLAB_TARGET_RANDOM) {
        *victim = (uint32_t)dlab_rng_below(rng, w->fault_nodes - (spared ? 1 : 0));
        if (spared && *victim >= (uint64_t)row->peer) ++*victim;
    } else if (row->target == DLAB_TARGET_LEADER) {
        dlab_view view;
        dlab_world_view(w, &view);
        *victim = w->core->leader(w->core, &view);
        return *victim != DLAB_NO_NODE && *victim != (uint64_t)row->peer;
    }
    return true;
}

/* Cuts tell the trace themselves, crashes and pauses are told by the world. */
static void tell(dlab_world *w, const dlab_fault *p, unsigned type)
{
    const int32_t kind = p->blow.kind;
    if (kind >= DLAB_FAULT_PARTITION && kind <= DLAB_FAULT_FLAPPING) return;
    if (kind == DLAB_FAULT_CRASH || kind == DLAB_FAULT_PAUSE) return;
    dlab_world_tell(w, type, (unsigned)kind, p->blow.victim, p->blow.peer, 0, p->row, 0);
}

static int plan_toggle(dlab_faults *f, dlab_world *w, size_t k)
{
    dlab_fault *p = &f->processes[k];
    const double half = f->rows[p->row].amount;
    p->toggle_at = dlab_world_now(w) + dlab_ns(half);
    return after(w, half, DLAB_EVENT_FAULT, p, f->count + k);
}

/* A flapping node is cut off or comes back; an event left over from an earlier fault is none of its own. */
static int toggle(dlab_faults *f, dlab_world *w, size_t k)
{
    dlab_fault *p = &f->processes[k];
    if (!p->active || p->toggle_at != dlab_world_now(w)) return DLAB_OK;
    return set_cut(f, w, p, !p->cut) ? w->ctx->err.code : plan_toggle(f, w, k);
}

int dlab_faults_begin(dlab_faults *f, dlab_world *w, size_t k)
{
    if (DLAB_CHECK(&w->ctx->err, k < 2 * f->count)) return w->ctx->err.code;
    if (k >= f->count) return toggle(f, w, k - f->count);
    dlab_fault *p = &f->processes[k];
    const dlab_fault_row *row = &f->rows[p->row];
    dlab_rng whom = stream_of(p, WHOM), how_long = stream_of(p, HOW_LONG);
    uint32_t victim;
    if (f->healed || p->active) return DLAB_OK;
    p->order = ++f->begun;
    if (!find_victim(f, w, p, &whom, &victim)) return plan_next(f, w, k);
    dlab_blow_aim(&p->blow, row, w->fault_nodes, victim, &whom);
    p->active = true;
    tell(w, p, DLAB_TRACE_FAULT);
    if (strike(f, w, p, 1)) return w->ctx->err.code;
    if (is_instant(row->kind)) {
        p->active = false;
        return plan_next(f, w, k);
    }
    if (row->kind == DLAB_FAULT_FLAPPING && plan_toggle(f, w, k)) return w->ctx->err.code;
    if (row->duration.kind < 0) return DLAB_OK;
    return after(w, dlab_sample(&f->durations[p->row], &how_long), DLAB_EVENT_HEAL, p, k);
}

int dlab_faults_end(dlab_faults *f, dlab_world *w, size_t k)
{
    if (DLAB_CHECK(&w->ctx->err, k < f->count)) return w->ctx->err.code;
    dlab_fault *p = &f->processes[k];
    if (!p->active) return DLAB_OK;
    p->active = false;
    tell(w, p, DLAB_TRACE_HEAL);
    return strike(f, w, p, -1) ? w->ctx->err.code : plan_next(f, w, k);
}

int dlab_faults_heal(dlab_faults *f, dlab_world *w)
{
    f->healed = true;
    for (size_t k = 0; k < f->count; k++)
        if (dlab_faults_end(f, w, k)) return w->ctx->err.code;
    return DLAB_OK;
}
