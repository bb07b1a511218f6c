/* See rpc.h. The exact law of a call.
 *
 * Let p be the loss of a request, q that of a reply, b and a the probabilities to die before and after
 * execution. When each attempt is settled before the next one begins and the executor is up whenever
 * somebody reaches for it, attempts are independent but for what the executor remembers. One attempt then
 * ends
 *   not executed, in silence    p + (1 - p) b s         s = 1 where crashes are silent, else q
 *   not executed, by an error   (1 - p) b (1 - s)
 *   executed, with an answer    (1 - p)(1 - b)(1 - a)(1 - q)
 *   executed, in silence        (1 - p)(1 - b)(a s + (1 - a) q)
 *   executed, by an error       (1 - p)(1 - b) a (1 - s)
 * and, where the executor knows the key, with an answer by (1 - p)(1 - q), else in silence. A recursion
 * over the attempts, with how often the call was executed (0, 1, more) and whether the key is known, is the
 * law of the call. Without crashes and retries it says
 *   P(executed | timeout) = (1 - p) q / (1 - (1 - p)(1 - q)),
 * with f = 1 - P(answer) and n attempts, E[attempts] = (1 - f^n) / (1 - f) and P(ok) = 1 - f^n.
 *
 * Behind a broker the attempts of the client are hand-overs: lost p, accepted and the confirmation lost (1
 * - p) q, else ok. Each accepted message goes through at most `deliveries` rounds, and a round is lost with
 * p, acknowledged with 1 - q; the recursion over the rounds gives the law of how often one message is
 * executed. Without keys the messages of a call are executed independently of each other; with a durable
 * key the call is executed once unless every message of it fails to be.
 *
 * "Before the next one begins" is asked of all but one draw in 1e12 (EDGE). */
#include <math.h>

#include "links/rpc.h"

static const double EDGE = 1e-12;

enum { TIMES = 3 }; /* executed never, once, more often */

static int more(int times) { return times + 1 < TIMES ? times + 1 : times; }

/* Where calls end: [outcome][times]. */
typedef struct ends {
    double at[3][TIMES], executions, attempts;
} ends;

static void conclude(const ends *e, dlab_rpc_law *law)
{
    double by[3], lost = 0, duplicated = 0;
    for (int o = 0; o < 3; o++) {
        by[o] = e->at[o][0] + e->at[o][1] + e->at[o][2];
        lost += e->at[o][0];
        duplicated += e->at[o][2];
    }
    const double *timeout = e->at[DLAB_RPC_OUTCOME_TIMEOUT], *error = e->at[DLAB_RPC_OUTCOME_ERROR];
    *law = (dlab_rpc_law){
        .ok = by[DLAB_RPC_OUTCOME_OK],
        .error = by[DLAB_RPC_OUTCOME_ERROR],
        .timeout = by[DLAB_RPC_OUTCOME_TIMEOUT],
        .executed_given_timeout = (timeout[1] + timeout[2]) / (timeout[0] + timeout[1] + timeout[2]),
        .executed_given_error = (error[1] + error[2]) / (error[0] + error[1] + error[2]),
        .lost = lost,
        .duplicated = duplicated,
        .executions = e->executions,
        .attempts = e->attempts,
    };
}

/* A server answers the client itself. */
static void calls(const dlab_rpc *rpc, double p, double q, bool keyed, ends *e)
{
    const double b = rpc->crash_before, a = rpc->crash_after, s = rpc->crash_visible ? q : 1;
    const double reached = 1 - p, executed = reached * (1 - b);
    double now[TIMES][2] = { { 1, 0 } };
    for (uint32_t k = 1; k <= rpc->attempts; k++) {
        double next[TIMES][2] = { { 0 } };
        for (int t = 0; t < TIMES; t++)
            for (int known = 0; known < 2; known++) {
                const double w = now[t][known];
                const int u = known ? t : more(t), after_crash = keyed && rpc->dedup_durable;
                const double silent = known ? 0 : w * executed * a * s,
                             lost = known ? 0 : w * executed * (1 - a) * q;
                const double error_before = known ? 0 : w * reached * b * (1 - s);
                const double error_after = known ? 0 : w * executed * a * (1 - s);
                const double untouched = known ? w * (1 - reached * (1 - q)) : w * (p + reached * b * s);
                e->attempts += w;
                e->executions += known ? 0 : w * executed;
                e->at[DLAB_RPC_OUTCOME_OK][u] += w * (1 - q) * (known ? reached : executed * (1 - a));
                if (k == rpc->attempts) {
                    e->at[DLAB_RPC_OUTCOME_TIMEOUT][t] += untouched;
                    e->at[DLAB_RPC_OUTCOME_TIMEOUT][u] += silent + lost;
                    e->at[DLAB_RPC_OUTCOME_ERROR][t] += error_before;
                    e->at[DLAB_RPC_OUTCOME_ERROR][u] += error_after;
                }
                next[t][known] += untouched + error_before;
                next[u][after_crash] += silent + error_after;
                next[u][keyed] += lost;
            }
        memcpy(now, next, sizeof now);
    }
}

/* How often one accepted message is executed; the mean comes back. */
static double message(const dlab_rpc *rpc, double p, double q, bool keyed, double by_times[TIMES])
{
    const double b = rpc->crash_before, a = rpc->crash_after;
    const bool log = rpc->medium == DLAB_RPC_MEDIUM_LOG;
    double now[TIMES][2] = { { 1, 0 } }, mean = 0; /* [times][position passed] */
    memset(by_times, 0, TIMES * sizeof *by_times);
    for (uint32_t round = 0; round < rpc->deliveries; round++) {
        double next[TIMES][2] = { { 0 } };
        for (int t = 0; t < TIMES; t++)
            for (int passed = 0; passed < 2; passed++) {
                const double w = now[t][passed], reached = w * (1 - p);
                next[t][passed] += w * p;
                if ((log && passed) || (keyed && t > 0)) {
                    by_times[t] += reached * (1 - q);
                    next[t][1] += reached * q;
                    continue;
                }
                const double executed = reached * (1 - b), died = executed * a, lived = executed - died;
                const double acked = rpc->acks_first ? 1 - q : 0; /* of those that died */
                mean += executed;
                by_times[t] += reached * b * acked;
                next[t][0] += reached * b * (1 - acked);
                by_times[more(t)] += died * acked + lived * (1 - q);
                next[more(t)][0] += died * (1 - acked);
                next[more(t)][1] += lived * q;
            }
        memcpy(now, next, sizeof now);
    }
    for (int t = 0; t < TIMES; t++) by_times[t] += now[t][0] + now[t][1];
    return mean;
}

/* A call with `messages` accepted messages ends so with this probability. */
static void hand_over(ends *e, int outcome, uint32_t messages, double probability, bool keyed,
                      const double by_times[TIMES], double mean)
{
    const double never = pow(by_times[0], messages);
    const double once = keyed           ? 1 - never
                        : messages == 0 ? 0
                                        : messages * by_times[1] * pow(by_times[0], messages - 1);
    e->at[outcome][0] += probability * never;
    e->at[outcome][1] += probability * once;
    e->at[outcome][2] += keyed ? 0 : probability * fmax(0, 1 - never - once);
    e->executions += probability * (keyed ? 1 - never : messages * mean);
}

static void publications(const dlab_rpc *rpc, double p, double q, bool keyed, ends *e)
{
    double now[DLAB_RPC_RETRIES_MAX + 2] = { 1 }, by_times[TIMES]; /* by messages accepted */
    const double mean = message(rpc, p, q, keyed, by_times);
    for (uint32_t k = 1; k <= rpc->attempts; k++)
        for (uint32_t m = k; m-- > 0;) { /* from the top: m + 1 has been dealt with */
            const double w = now[m];
            e->attempts += w;
            hand_over(e, DLAB_RPC_OUTCOME_OK, m + 1, w * (1 - p) * (1 - q), keyed, by_times, mean);
            now[m + 1] += w * (1 - p) * q;
            now[m] = w * p;
        }
    for (uint32_t m = 0; m <= rpc->attempts; m++)
        hand_over(e, DLAB_RPC_OUTCOME_TIMEOUT, m, now[m], keyed, by_times, mean);
}

typedef struct span {
    double least, most; /* s */
} span;

static span span_of(const dlab_distribution *d, const dlab_pool *pool)
{
    if (d->kind < 0) return (span){ 0, 0 };
    return (span){ dlab_distribution_quantile(d, pool, EDGE), dlab_distribution_quantile(d, pool, 1 - EDGE) };
}

/* Is each attempt settled, and the server up again, before the next one reaches it? */
static bool calls_are_apart(const dlab_rpc *rpc, span delay, span service, span restart, double gap)
{
    const double timeout = (double)rpc->timeout / 1e9;
    if (!(timeout > 2 * delay.most + service.most)) return false;
    if (rpc->crash_before <= 0 && rpc->crash_after <= 0) return true;
    if (rpc->crash_visible && !(restart.most < gap + 2 * delay.least)) return false;
    return restart.most < timeout - delay.most - service.most + gap + delay.least;
}

/* The same behind a broker. A delivery that meets a dead worker is wasted: with crashes there must be
 * deliveries in plenty, unless only one message ever comes. */
static bool messages_are_apart(const dlab_rpc *rpc, const dlab_rpc_times *times, span delay, span service,
                               span restart, span think)
{
    const double again = (double)rpc->visibility / 1e9, messages = (double)rpc->calls * rpc->attempts;
    const double settled = (1 - times->request_loss) * (1 - times->reply_loss) * (1 - rpc->crash_before) *
                           (1 - rpc->crash_after);
    if (!((double)rpc->timeout / 1e9 > 2 * delay.most) || messages > DLAB_RPC_ROOM_MAX) return false;
    if (!(again > 2 * delay.most + (rpc->attempts + 1) * service.most)) return false;
    if (rpc->calls > 1 && !(think.least > service.most + delay.most)) return false;
    if (rpc->crash_before <= 0 && rpc->crash_after <= 0) return true;
    if (rpc->dedup != DLAB_RPC_DEDUP_NONE && !rpc->dedup_durable) return false;
    if (!(restart.most < again) || (rpc->crash_visible && !(restart.least > delay.most))) return false;
    return messages <= 1 || pow(1 - settled, rpc->deliveries) < 1e-9;
}

/* Does a key that expires outlive its call (1), or expire before it is asked for (0)? -1: in between. */
static int key_lives(const dlab_rpc *rpc, span delay, span service, span backoff)
{
    const double ttl = (double)rpc->dedup_ttl / 1e9, timeout = (double)rpc->timeout / 1e9;
    double call = 0, factor = 1;
    for (uint32_t k = 0; k < rpc->attempts; k++, factor *= rpc->backoff_factor)
        call += timeout + backoff.most * factor;
    if (ttl > call + delay.most) return 1;
    const bool silent = !rpc->crash_visible || rpc->crash_after <= 0 || !rpc->dedup_durable;
    return silent && ttl < timeout + backoff.least - delay.most - service.most ? 0 : -1;
}

bool dlab_rpc_exact(const dlab_rpc *rpc, const dlab_rpc_times *times, const dlab_pool *pool,
                    dlab_rpc_law *law)
{
    const span delay = span_of(times->delay, pool), service = span_of(times->service, pool);
    const span restart = span_of(times->restart, pool), backoff = span_of(times->backoff, pool);
    const span think = span_of(times->think_time, pool);
    const double gap = rpc->attempts > 1 ? fmin(backoff.least, think.least) : think.least;
    const bool call = rpc->medium == DLAB_RPC_MEDIUM_CALL;
    bool keyed = rpc->dedup != DLAB_RPC_DEDUP_NONE;
    ends e = { .executions = 0 };
    if (rpc->dedup == DLAB_RPC_DEDUP_KEY_TTL) {
        const int lives = call ? key_lives(rpc, delay, service, backoff) : -1;
        if (lives < 0) return false;
        keyed = lives == 1;
    }
    if (call ? !calls_are_apart(rpc, delay, service, restart, gap)
             : !messages_are_apart(rpc, times, delay, service, restart, think))
        return false;
    (call ? calls : publications)(rpc, times->request_loss, times->reply_loss, keyed, &e);
    conclude(&e, law);
    return true;
}
