/* Closed forms of elections, with m = the nodes that are there: all in a cold start, all but one after a
 * crash. Delay and detection are constant and equal for all.
 *
 * ring (Chang and Roberts 1979): all start. The i-th best id goes k hops if the k - 1 nodes behind it are
 *   worse and the k-th is better; over all orders the mean of the sum is m H_m. Ids that rise in the
 *   direction of travel go one hop each but for the best: 2m - 1. Ids that fall: 1 + 2 + ... + m. One
 *   starts: one id at a time is under way, to the best node and then once round. The announcement goes
 *   round once: m more.
 * bully (Garcia-Molina 1982): k nodes are in it, the starter and all better ones; they ask each other and
 *   the dead one, and answer: k (k + 1) / 2 + k (k - 1) / 2 = k^2; without a dead one k (k - 1). The best
 *   tells the m - 1 others. It leads when no answer comes from the dead one; in a cold start, at once, and
 *   so is asked by others when it leads already, and tells each of them again.
 * lease, lock: u, the time from the last renewal's sending to the crash, is uniform on (0, renew). The store
 *   hears a delay later and waits ttl; then one message (lock) or three (tell, ask, grant) follow. */
#include "consensus/leader_election_theory.h"

#include <math.h>

#include "consensus/leader_election_drive.h"

static double harmonic(double m)
{
    double sum = 0;
    for (double k = m; k >= 1; k--) sum += 1 / k;
    return sum;
}

/* Hops from the one that starts to the best, on average. */
static double way_to_the_best(const dlab_election_case *c, double m)
{
    switch (c->starters) {
    case DLAB_ELECTION_STARTERS_HIGHEST: return 0;
    case DLAB_ELECTION_STARTERS_RANDOM: return (m - 1) / 2; /* in any order */
    default:
        return c->order == DLAB_ELECTION_ORDER_RANDOM      ? m / 2
               : c->order == DLAB_ELECTION_ORDER_ASCENDING ? m - 1
                                                           : 1;
    }
}

static dlab_election_law ring(const dlab_election_case *c, double m)
{
    dlab_election_law l = { .announcements = m, .downtime = c->detection + m * c->delay };
    if (m < 2) return (dlab_election_law){ 0, 0, c->detection };
    if (c->delay >= c->timeout) return (dlab_election_law){ NAN, NAN, NAN };
    if (c->starters != DLAB_ELECTION_STARTERS_ALL) {
        l.messages = way_to_the_best(c, m) + m;
        l.downtime = c->detection + l.messages * c->delay;
    } else {
        l.messages = c->order == DLAB_ELECTION_ORDER_RANDOM      ? m * harmonic(m)
                     : c->order == DLAB_ELECTION_ORDER_ASCENDING ? 2 * m - 1
                                                                 : m * (m + 1) / 2;
    }
    return l;
}

static dlab_election_law bully(const dlab_election_case *c, double m)
{
    const bool dead = c->failure == DLAB_ELECTION_FAILURE_CRASH;
    const double wait = dead ? c->timeout : 0;
    dlab_election_law l = { .announcements = m - 1, .downtime = c->detection + wait };
    if (2 * c->delay >= c->timeout) return (dlab_election_law){ NAN, NAN, NAN };
    switch (c->starters) {
    case DLAB_ELECTION_STARTERS_HIGHEST: l.messages = dead; break;
    case DLAB_ELECTION_STARTERS_RANDOM: /* the means of k^2, k (k - 1) and max(k - 2, 0) for k = 1 .. m */
        l.messages = dead ? (m + 1) * (2 * m + 1) / 6 : (m * m - 1) / 3;
        l.announcements += dead ? 0 : (m - 1) * (m - 2) / (2 * m);
        l.downtime += (m - 1) / m * c->delay;
        break;
    case DLAB_ELECTION_STARTERS_LOWEST:
        l.messages = dead ? m * m : m * (m - 1);
        l.announcements += dead ? 0 : m - 2;
        if (m > 1) l.downtime += c->delay;
        break;
    default:
        l.messages = dead ? m * m : m * (m - 1);
        l.announcements += dead ? 0 : m - 1;
        break;
    }
    return l;
}

/* From the start everybody but the holder has asked and heard that it is held. A cold start is a race. */
static dlab_election_law store(const dlab_election_case *c, double m)
{
    const bool lock = c->algorithm == DLAB_ELECTION_LOCK;
    if (c->failure != DLAB_ELECTION_FAILURE_CRASH || m < 1 || 2 * c->delay >= c->renew)
        return (dlab_election_law){ NAN, NAN, NAN };
    return (dlab_election_law){
        .messages = lock ? 2 * m + 1 : 5 * m,
        .downtime = c->any_moment ? c->ttl + (lock ? 2 : 4) * c->delay - c->renew / 2 : NAN,
    };
}

dlab_election_law dlab_election_theory(const dlab_election_case *c)
{
    const double m = (double)c->nodes - (c->failure == DLAB_ELECTION_FAILURE_CRASH);
    if (c->failure != DLAB_ELECTION_FAILURE_CRASH && c->failure != DLAB_ELECTION_FAILURE_COLD_START)
        return (dlab_election_law){ NAN, NAN, NAN };
    switch (c->algorithm) {
    case DLAB_ELECTION_BULLY: return bully(c, m);
    case DLAB_ELECTION_RING: return ring(c, m);
    case DLAB_ELECTION_HIRSCHBERG_SINCLAIR: return (dlab_election_law){ NAN, m > 1 ? m : 0, NAN };
    case DLAB_ELECTION_STATIC_PRIORITY: return (dlab_election_law){ 0, 0, c->detection };
    default: return store(c, m);
    }
}

/* Two states with rates a and b, right at first: P(wrong at t) = a / (a + b) (1 - e^-(a + b) t). */
double dlab_election_time_wrong(double rate, double mistake, double duration)
{
    const double b = 1 / mistake, sum = rate + b;
    return rate / sum * (duration + expm1(-sum * duration) / sum);
}
