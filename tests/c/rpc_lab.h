/* Helpers of the tests of links.rpc_ambiguity: quiet parameters, every way the coins can fall, and the law of
 * a call by brute force. */
#ifndef DISTLAB_TEST_RPC_LAB_H
#define DISTLAB_TEST_RPC_LAB_H
#include <math.h>

#include "walk.h"

#include <distlab/enumerate.h>

typedef dlab_links_rpc_ambiguity_params params;
typedef dlab_links_rpc_ambiguity_metrics metrics;

static inline dlab_distribution constant(double seconds)
{
    return (dlab_distribution){ .kind = DLAB_DIST_CONSTANT, .p = { seconds } };
}

/* One call, times that never vary, nothing lost, nobody dies. */
static inline params quiet_call(void)
{
    params p;
    (void)dlab_params_default(&dlab_links_rpc_ambiguity, &p, NULL);
    p.calls = 1;
    p.delay = constant(1e-3);
    p.service = constant(10e-3);
    p.request_loss = p.reply_loss = p.crash_before = p.crash_after = 0;
    return p;
}

/* What a call can come to: probabilities and means, sums of up to a million products. */
typedef struct call_law {
    long double ok, error, timeout, executed_and_timeout, executed_and_error, lost, duplicated, executions,
        attempts, violations, weight;
} call_law;

enum { LAW_NUMBERS = sizeof(call_law) / sizeof(long double) };

static inline void count_call(call_law *l, double weight, int outcome, double executions, double attempts,
                              double violations)
{
    l->weight += weight;
    l->ok += weight * (outcome == 0);
    l->error += weight * (outcome == 1);
    l->timeout += weight * (outcome == 2);
    l->executed_and_error += weight * (outcome == 1 && executions > 0);
    l->executed_and_timeout += weight * (outcome == 2 && executions > 0);
    l->lost += weight * (executions < 1);
    l->duplicated += weight * (executions > 1);
    l->executions += weight * executions;
    l->attempts += weight * attempts;
    l->violations += weight * violations;
}

/* The law of the one call of a run, over every way its coins can fall. */
static inline int enumerate_call(const params *p, call_law *l, size_t *ways, dlab_error *err)
{
    dlab_enumeration e = { .model = &dlab_links_rpc_ambiguity, .params = p, .key = 5 };
    memset(l, 0, sizeof *l);
    if (dlab_enumerate(&e, err)) return err->code;
    const metrics *m = (const metrics *)(const void *)e.metrics.rows;
    const double *weights = (const double *)(const void *)e.weights.rows;
    *ways = e.weights.count;
    for (size_t k = 0; k < e.weights.count; k++) {
        const int outcome = m[k].success_ratio.num > 0 ? 0 : m[k].error_ratio.num > 0 ? 1 : 2;
        count_call(l, weights[k], outcome, dlab_histogram_sum(&m[k].executions),
                   dlab_histogram_sum(&m[k].attempts), (double)m[k].violations);
    }
    dlab_enumeration_free(&e);
    return DLAB_OK;
}

/* The other way to the same law: every pattern of bits, each bit "this goes wrong", played naively. Bits that
 * nobody looks at add up to weight 1. */
typedef struct pattern {
    uint32_t bits, at;
    const params *p;
    int executions;
    bool known, passed;
} pattern;

static inline bool wrong(pattern *t, int bit) { return (t->bits >> bit & 1u) != 0; }

/* What the client sees of one attempt: 0 an answer, 1 an error, 2 nothing. Four bits of its own. */
static inline int play_attempt(pattern *t, int base)
{
    const params *p = t->p;
    const bool keyed = p->dedup == DLAB_LINKS_RPC_AMBIGUITY_DEDUP_KEY;
    const bool request_lost = wrong(t, base), back_lost = wrong(t, base + 3);
    if (request_lost) return 2;
    if (!(keyed && t->known)) {
        bool dead = wrong(t, base + 1);
        if (!dead) {
            t->executions++;
            t->known = true;
            dead = wrong(t, base + 2);
        }
        if (dead) {
            if (!p->dedup_durable) t->known = false;
            return p->crash_visible && !back_lost ? 1 : 2;
        }
    }
    return back_lost ? 2 : 0;
}

/* One delivery of a message: is it acknowledged? Four bits of its own. */
static inline bool play_delivery(pattern *t, int base)
{
    const params *p = t->p;
    const bool keyed = p->dedup == DLAB_LINKS_RPC_AMBIGUITY_DEDUP_KEY;
    const bool before = p->ack == DLAB_LINKS_RPC_AMBIGUITY_ACK_BEFORE;
    const bool log = p->medium == DLAB_LINKS_RPC_AMBIGUITY_MEDIUM_LOG;
    const bool delivered = !wrong(t, base), heard = !wrong(t, base + 3);
    bool dead = false, acknowledges = true;
    if (!delivered) return false;
    if (!(log && t->passed) && !(keyed && t->known)) {
        acknowledges = before;
        dead = wrong(t, base + 1);
        if (!dead) {
            t->executions++;
            t->known = true;
            dead = wrong(t, base + 2);
        }
        if (!dead) acknowledges = true;
    }
    t->passed = !dead;
    if (dead && !p->dedup_durable) t->known = false;
    return acknowledges && heard;
}

static inline int play_direct(pattern *t, int attempts, int *made)
{
    int outcome = 2;
    for (*made = 0; *made < attempts && outcome != 0; ++*made) outcome = play_attempt(t, 4 * *made);
    return outcome;
}

static inline int play_brokered(pattern *t, int attempts, int deliveries, int *made)
{
    int outcome = 2, messages = 0;
    for (*made = 0; *made < attempts && outcome != 0; ++*made) {
        const bool accepted = !wrong(t, 2 * *made), confirmed = !wrong(t, 2 * *made + 1);
        messages += accepted;
        if (accepted && confirmed) outcome = 0;
    }
    for (int m = 0; m < messages; m++) {
        t->passed = false;
        for (int d = 0; d < deliveries; d++)
            if (play_delivery(t, 2 * attempts + 4 * (m * deliveries + d))) break;
    }
    return outcome;
}

/* Bits: direct: four for each attempt (request, before, after, reply); brokered: two for each hand-over
 * (request, confirmation), then four for each delivery. */
static inline void brute_force(const params *p, call_law *l)
{
    const int attempts = (int)p->retries + 1, deliveries = (int)p->max_deliveries;
    const bool direct = p->medium == DLAB_LINKS_RPC_AMBIGUITY_MEDIUM_CALL;
    const double four[] = { p->request_loss, p->crash_before, p->crash_after, p->reply_loss };
    double odds[32];
    int bits = 0;
    for (int a = 0; a < attempts && !direct; a++)
        odds[bits++] = p->request_loss, odds[bits++] = p->reply_loss;
    for (int k = 0; k < (direct ? attempts : attempts * deliveries); k++)
        for (int j = 0; j < 4; j++) odds[bits++] = four[j];
    memset(l, 0, sizeof *l);
    for (uint32_t word = 0; word < UINT32_C(1) << bits; word++) {
        pattern t = { .bits = word, .p = p };
        double weight = 1;
        int made;
        for (int k = 0; k < bits; k++) weight *= wrong(&t, k) ? odds[k] : 1 - odds[k];
        const int outcome =
            direct ? play_direct(&t, attempts, &made) : play_brokered(&t, attempts, deliveries, &made);
        count_call(l, weight, outcome, t.executions, made, 0);
    }
}

/* theory() of the model as a law; false where it knows none. */
static inline bool theory_of(const params *p, call_law *l)
{
    double v[16];
    dlab_memory memory = { 0 };
    dlab_ctx ctx = { .model = &dlab_links_rpc_ambiguity,
                     .params = p,
                     .arena = { .memory = &memory },
                     .steps_max = UINT64_MAX,
                     .poll_at = UINT64_MAX,
                     .pool = &(dlab_pool){ 0 } };
    (void)dlab_links_rpc_ambiguity.theory(p, v, &ctx);
    dlab_arena_free(&ctx.arena);
    if (isnan(v[5])) return false;
    *l = (call_law){ .ok = v[5],
                     .error = v[6],
                     .timeout = v[7],
                     .executed_and_timeout = v[7] > 0 ? v[0] * v[7] : 0,
                     .executed_and_error = v[6] > 0 ? v[1] * v[6] : 0,
                     .lost = v[3],
                     .duplicated = v[4],
                     .executions = v[2],
                     .attempts = v[8],
                     .weight = 1 };
    return true;
}

#endif
