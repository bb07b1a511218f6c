/* See serve_floor.h. Processor sharing keeps one clock of virtual time that runs at the rate of service
 * each job gets, min(1, c / n): a job is done when that clock has advanced by its work (Kleinrock,
 * Queueing Systems II, 4.4). */
#include <math.h>
#include <string.h>

#include "queueing/serve_floor.h"
#include "sim/scheduler_inline.h"

int dlab_floor_open(dlab_floor *f, const dlab_serve *what, dlab_ctx *ctx)
{
    *f = (dlab_floor){ .what = what, .ctx = ctx, .serving_capacity = 64 };
    f->deadline = isinf(what->deadline) ? INT64_MAX : (int64_t)(what->deadline * 1e9 + 0.5);
    f->codel.target = isinf(what->codel_target) ? INT64_MAX : (int64_t)(what->codel_target * 1e9);
    f->codel.interval = (int64_t)(what->codel_interval * 1e9);
    if (dlab_scheduler_open(&f->scheduler, ctx->arena.memory, &ctx->err) ||
        dlab_line_open(&f->line, what, ctx))
        return ctx->err.code;
    f->serving = dlab_alloc(ctx, f->serving_capacity, sizeof *f->serving);
    return f->serving == NULL ? ctx->err.code : DLAB_OK;
}

static int grow_serving(dlab_floor *f)
{
    if (f->in_service < f->serving_capacity) return DLAB_OK;
    uint32_t *more = dlab_alloc(f->ctx, 2 * (size_t)f->serving_capacity, sizeof *more);
    if (more == NULL) return f->ctx->err.code;
    memcpy(more, f->serving, f->in_service * sizeof *more);
    f->serving = more;
    f->serving_capacity *= 2;
    return DLAB_OK;
}

static void put(dlab_floor *f, uint32_t at, uint32_t job)
{
    f->serving[at] = job;
    f->line.jobs[job].place = at;
}

/* --- Processor sharing
 * ------------------------------------------------------------------------------------ */

static double share(const dlab_floor *f)
{
    if (f->paused || f->in_service == 0) return 0;
    return f->in_service > f->what->servers ? (double)f->what->servers / f->in_service : 1;
}

static void advance_virtual(dlab_floor *f)
{
    f->virtual += share(f) * (double)(f->scheduler.now - f->updated);
    f->updated = f->scheduler.now;
}

static bool finishes_before(const dlab_floor *f, uint32_t a, uint32_t b)
{
    const dlab_job *x = &f->line.jobs[a], *y = &f->line.jobs[b];
    return x->finish != y->finish ? x->finish < y->finish : x->number < y->number;
}

static void share_sift(dlab_floor *f, uint32_t at)
{
    const uint32_t job = f->serving[at];
    for (; at > 0 && finishes_before(f, job, f->serving[(at - 1) / 2]); at = (at - 1) / 2)
        put(f, at, f->serving[(at - 1) / 2]);
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= f->in_service) break;
        if (child + 1 < f->in_service && finishes_before(f, f->serving[child + 1], f->serving[child]))
            child++;
        if (!finishes_before(f, f->serving[child], job)) break;
        put(f, at, f->serving[child]);
        at = child;
    }
    put(f, at, job);
}

/* The one event of processor sharing: the first of those present is done, rounded up to a whole
 * nanosecond. */
static int arm_share(dlab_floor *f)
{
    const double rate = share(f);
    (void)dlab_cancel(&f->scheduler, f->share_event);
    f->share_event = (dlab_handle){ 0 };
    if (rate <= 0) return DLAB_OK;
    const double left = (f->line.jobs[f->serving[0]].finish - f->virtual) / rate;
    const double wait = left > 0 ? ceil(left) : 0;
    if (wait >= (double)(DLAB_TIME_MAX - f->scheduler.now))
        return dlab_fail(&f->ctx->err, DLAB_ELIMIT, "simulated time passes 146 years");
    f->share_event = dlab_schedule_inline(&f->scheduler, f->scheduler.now + (int64_t)wait,
                                          DLAB_EVENT_DEPARTURE, 0, 0, 0, DLAB_EVENT_DEPARTURE);
    return f->ctx->err.code;
}

static int admit_shared(dlab_floor *f, uint32_t job)
{
    advance_virtual(f);
    if (grow_serving(f)) return f->ctx->err.code;
    f->line.jobs[job].start = f->paused ? -1 : f->scheduler.now;
    f->line.jobs[job].finish = f->virtual + (double)f->line.jobs[job].work;
    put(f, f->in_service++, job);
    share_sift(f, f->in_service - 1);
    return arm_share(f);
}

static uint32_t finish_shared(dlab_floor *f)
{
    advance_virtual(f);
    f->share_event = (dlab_handle){ 0 };
    const uint32_t job = f->serving[0];
    if (f->line.jobs[job].finish > f->virtual)
        f->virtual = f->line.jobs[job].finish; /* rounding of the event */
    const uint32_t last = f->serving[--f->in_service];
    if (f->in_service > 0) {
        put(f, 0, last);
        share_sift(f, 0);
    } else {
        f->virtual = 0; /* small numbers keep the nanoseconds of long runs */
    }
    (void)arm_share(f);
    return job;
}

/* --- One job a server
 * --------------------------------------------------------------------------------------- */

static int schedule_departure(dlab_floor *f, uint32_t job)
{
    dlab_job *j = &f->line.jobs[job];
    if (j->left > DLAB_TIME_MAX - f->scheduler.now)
        return dlab_fail(&f->ctx->err, DLAB_ELIMIT, "simulated time passes 146 years at job %lld",
                         (long long)j->number);
    j->leaves = f->scheduler.now + j->left;
    j->departure =
        dlab_schedule_inline(&f->scheduler, j->leaves, DLAB_EVENT_DEPARTURE, 0, job, 0, DLAB_EVENT_DEPARTURE);
    return f->ctx->err.code;
}

/* Service begins, or goes on. */
static int begin(dlab_floor *f, uint32_t job)
{
    dlab_job *j = &f->line.jobs[job];
    (void)dlab_cancel(&f->scheduler, j->patience);
    if (j->start < 0) j->start = f->scheduler.now;
    return schedule_departure(f, job);
}

static int start(dlab_floor *f, uint32_t job)
{
    if (grow_serving(f)) return f->ctx->err.code;
    put(f, f->in_service++, job);
    if (!f->paused) return begin(f, job);
    f->held += f->line.jobs[job].start < 0;
    return DLAB_OK;
}

static void take_off(dlab_floor *f, uint32_t job)
{
    const uint32_t at = f->line.jobs[job].place;
    f->held -= f->line.jobs[job].start < 0;
    put(f, at, f->serving[--f->in_service]);
}

void dlab_floor_abandon(dlab_floor *f, uint32_t job)
{
    const uint32_t at = f->line.jobs[job].place;
    if (f->held == 0 || at >= f->in_service || f->serving[at] != job) {
        dlab_line_remove(&f->line, job);
        return;
    }
    dlab_floor_count(f);
    take_off(f, job);
}

/* Remaining service of a job in service. */
static int64_t remaining(const dlab_floor *f, const dlab_job *j)
{
    return f->paused ? j->left : j->leaves - f->scheduler.now;
}

/* Would the newcomer rather be served than this one, and is this the best one to displace? */
static bool worse(const dlab_floor *f, uint32_t a, uint32_t b)
{
    const dlab_job *x = &f->line.jobs[a], *y = &f->line.jobs[b];
    switch (f->what->discipline) {
    case DLAB_DISCIPLINE_SRPT: return remaining(f, x) > remaining(f, y);
    case DLAB_DISCIPLINE_PRIORITY_PREEMPTIVE:
        return x->class != y->class ? x->class > y->class : x->number > y->number;
    default: return x->number < y->number; /* last come first served: the oldest */
    }
}

static uint32_t to_displace(const dlab_floor *f, uint32_t newcomer)
{
    const dlab_job *n = &f->line.jobs[newcomer];
    const int32_t d = f->what->discipline;
    if (d != DLAB_DISCIPLINE_SRPT && d != DLAB_DISCIPLINE_PRIORITY_PREEMPTIVE &&
        d != DLAB_DISCIPLINE_LIFO_PREEMPTIVE)
        return DLAB_NO_JOB;
    uint32_t victim = f->serving[0];
    for (uint32_t i = 1; i < f->in_service; i++)
        if (worse(f, f->serving[i], victim)) victim = f->serving[i];
    const dlab_job *v = &f->line.jobs[victim];
    if (d == DLAB_DISCIPLINE_SRPT && remaining(f, v) <= n->left) return DLAB_NO_JOB;
    if (d == DLAB_DISCIPLINE_PRIORITY_PREEMPTIVE && v->class <= n->class) return DLAB_NO_JOB;
    return victim;
}

int dlab_floor_admit(dlab_floor *f, uint32_t job)
{
    dlab_floor_count(f);
    if (dlab_floor_shares(f)) return admit_shared(f, job);
    if (f->in_service < f->what->servers) {
        f->codel.first_above = 0; /* "if (r.p == NULL) first_above_time_ = 0": nobody waited */
        return start(f, job);
    }
    const uint32_t victim = to_displace(f, job);
    if (victim == DLAB_NO_JOB) {
        dlab_line_push(&f->line, job, false);
        return DLAB_OK;
    }
    dlab_job *v = &f->line.jobs[victim];
    v->left = remaining(f, v);
    (void)dlab_cancel(&f->scheduler, v->departure);
    take_off(f, victim);
    dlab_line_push(&f->line, victim, true);
    return start(f, job);
}

uint32_t dlab_floor_finish(dlab_floor *f, const dlab_event *event)
{
    dlab_floor_count(f);
    if (dlab_floor_shares(f)) return finish_shared(f);
    const uint32_t job = (uint32_t)event->a; /* its place; the event's node is the station */
    take_off(f, job);
    return job;
}

/* RFC 8289, section 5.5: "t + interval / sqrt(count)". */
static int64_t control_law(const dlab_codel *c, int64_t t)
{
    return t + (int64_t)((double)c->interval / sqrt((double)c->count));
}

/* "dodequeue" of RFC 8289, 5.6: the one job left is never dropped, as the last packet's worth is not. */
static bool ok_to_drop(dlab_codel *c, int64_t now, int64_t sojourn, bool others_wait)
{
    if (sojourn < c->target || !others_wait) c->first_above = 0;
    else if (c->first_above == 0) c->first_above = now + c->interval;
    else return now >= c->first_above;
    return false;
}

/* "dequeue" of RFC 8289, 5.5, for one job: should it be dropped? */
static bool codel_drops(dlab_codel *c, int64_t now, int64_t sojourn, bool others_wait)
{
    if (c->target == INT64_MAX) return false;
    const bool ok = ok_to_drop(c, now, sojourn, others_wait), dropped = c->dropped;
    c->dropped = false;
    if (c->dropping) {
        c->dropping = ok;
        if (ok && dropped) c->drop_next = control_law(c, c->drop_next); /* "schedule the next drop" */
        if (!ok || now < c->drop_next) return false;
        c->count++;
        return c->dropped = true;
    }
    if (!ok) return false;
    /* "If min went above TARGET close to when it last went below it, assume that the drop rate that
     * controlled the queue on the last cycle is a good starting point to control it now." */
    const uint64_t delta = c->count - c->last_count;
    c->count = delta > 1 && now - c->drop_next < 16 * c->interval ? delta : 1;
    c->drop_next = control_law(c, now);
    c->last_count = c->count;
    return c->dropping = true;
}

int dlab_floor_next(dlab_floor *f, uint32_t *dropped)
{
    const int64_t now = f->scheduler.now;
    *dropped = DLAB_NO_JOB;
    while (!dlab_floor_shares(f) && f->in_service < f->what->servers) {
        const uint32_t job = dlab_line_pop(&f->line);
        if (job == DLAB_NO_JOB) return DLAB_OK;
        dlab_job *j = &f->line.jobs[job];
        const bool fresh = j->start < 0;
        const bool late = f->what->drop_late && f->deadline != INT64_MAX && now - j->intended > f->deadline;
        if (fresh && (late || codel_drops(&f->codel, now, now - j->arrival, f->line.count > 0))) {
            (void)dlab_cancel(&f->scheduler, j->patience);
            *dropped = job;
            return DLAB_OK;
        }
        if (start(f, job)) return f->ctx->err.code;
    }
    return DLAB_OK;
}

int dlab_floor_pause(dlab_floor *f, bool pause)
{
    dlab_floor_count(f);
    if (dlab_floor_shares(f)) advance_virtual(f);
    for (uint32_t i = 0; i < f->in_service && !dlab_floor_shares(f) && pause; i++) {
        dlab_job *j = &f->line.jobs[f->serving[i]];
        j->left = j->leaves - f->scheduler.now;
        (void)dlab_cancel(&f->scheduler, j->departure);
    }
    f->paused = pause;
    f->held = 0;
    if (dlab_floor_shares(f)) {
        for (uint32_t i = 0; i < f->in_service && !pause; i++)
            if (f->line.jobs[f->serving[i]].start < 0) f->line.jobs[f->serving[i]].start = f->scheduler.now;
        return arm_share(f);
    }
    for (uint32_t i = 0; i < f->in_service && !pause; i++)
        if (begin(f, f->serving[i])) return f->ctx->err.code;
    return DLAB_OK;
}
