/* Failure detectors: from the heartbeats that arrive to the moment from which their sender is suspected.
 * A component: it knows no network and no faults; whoever holds it says what arrived and when.
 *
 * fixed, timer from the send time: heartbeat i vouches for its sender until a timeout after heartbeat i + 1
 * was due (detector NFD-S of Chen, Toueg and Aguilera, IEEE Transactions on Computers 51(5), 2002; sender and
 * observer share a clock). fixed, timer from the last arrival: until a timeout after it arrived.
 * chen: until a margin after the next heartbeat is expected, by the mean offset of the last ones (NFD-E).
 * phi: until it is ten to the minus phi likely that an interval between arrivals is so long, by a normal law
 * with the mean and deviation of the last ones (Hayashibara et al., SRDS 2004). */
#ifndef DISTLAB_LINKS_DETECTOR_H
#define DISTLAB_LINKS_DETECTOR_H
#include <distlab/model.h>

#define DLAB_DETECTORS(X) X(FIXED, "fixed") X(CHEN, "chen") X(PHI, "phi")
#define DLAB_TIMER_FROMS(X) X(SEND, "send") X(LAST_ARRIVAL, "last_arrival")

enum {
#define X(code, name) DLAB_DETECTOR_##code,
    DLAB_DETECTORS(X)
#undef X
};
enum {
#define X(code, name) DLAB_TIMER_FROM_##code,
    DLAB_TIMER_FROMS(X)
#undef X
};

enum { DLAB_DETECTOR_WINDOW_MAX = 1000 };

/* Settings; times in ns. Heartbeat i is due at i intervals. */
typedef struct dlab_detector_rule {
    int32_t kind, timer_from;
    int64_t interval, timeout, margin, deviation_min;
    double phi;
    uint32_t window;  /* arrivals that chen and phi look back at */
    bool old_revives; /* planted bug: a heartbeat that comes too late counts as if it were the next */
} dlab_detector_rule;

typedef struct dlab_detector {
    dlab_detector_rule rule;
    double z;         /* phi in standard deviations */
    int64_t newest;   /* number of the newest heartbeat heard; 0: none yet */
    int64_t deadline; /* the sender is trusted before this moment */
    int64_t arrival;  /* of the heartbeat heard last */
    int64_t *samples; /* ring of offsets (chen) or intervals (phi) */
    uint32_t count, next;
    int64_t sum;
    dlab_u128 squares;
} dlab_detector;

/* Nothing heard yet: suspected. */
int dlab_detector_open(dlab_detector *d, const dlab_detector_rule *rule, dlab_ctx *ctx);

/* Heartbeat `number` arrives at `at` ns; calls come in the order of arrivals. */
void dlab_detector_heard(dlab_detector *d, int64_t number, int64_t at);

/* Theorem 5 of Chen et al. for the fixed timeout from the send time, losses and delays independent: the
 * probability that a heartbeat's deadline finds its sender suspected, mistakes per second, their mean length
 * in seconds, and the share of time without. */
typedef struct dlab_detector_qos {
    double false_suspicion, mistake_rate, mistake_duration, accuracy;
} dlab_detector_qos;

/* Nonzero: the budget is spent. */
int dlab_detector_theory(const dlab_detector_rule *rule, double loss, const dlab_distribution *delay,
                         dlab_detector_qos *qos, dlab_ctx *ctx);

#endif
