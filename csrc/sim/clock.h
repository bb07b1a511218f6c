/* Node clocks: a monotonic clock that drifts, and a wall clock that is off, drifts and jumps, with the
 * error bound a clock service promises.
 *
 * Each clock's rate is constant between changes: a reading is base + (true - since) * (1 + ppb / 1e9), in
 * int64 ns, rounded down; what rounding cut off is carried over a change of rate, so readings are those of
 * the exact clock, however often its rate changes. A timer runs on the monotonic clock. Bounded error as in
 * Corbett et al., "Spanner" (OSDI 2012), section 3: the bound starts at clock_error after each
 * synchronisation and grows at the bound of the drift until the next. Jumps and rates that a fault brings
 * are not known to the service: they break its promise. */
#ifndef DISTLAB_SIM_CLOCK_H
#define DISTLAB_SIM_CLOCK_H
#include <distlab/model.h>

#define DLAB_CLOCK_SPREADS(X) \
    X(RANDOM, "random")       \
    X(WORST, "worst")

enum {
#define X(code, name) DLAB_CLOCK_SPREAD_##code,
    DLAB_CLOCK_SPREADS(X)
#undef X
};

enum { DLAB_DRIFT_MAX = 100000 }; /* ppm: the fastest and slowest clocks */

/* Parameters, as a model holds them (DLAB_GROUP). */
typedef struct dlab_clocks {
    double drift;         /* ppm: no node's rate is further off than this */
    double skew;          /* s: no wall clock is further off than this at the start */
    int32_t clock_spread; /* random: uniform within the bounds; worst: nodes alternate between both ends */
    double sync_interval; /* s between synchronisations of the wall clock with true time; off: never */
    double clock_error;   /* s: what is left of the wall clock's offset after one, and what is promised */
} dlab_clocks;

extern const dlab_field dlab_clock_fields[];

typedef struct dlab_clock {
    int64_t since, mono, wall; /* true time of the last change of rate, and both clocks then */
    int64_t fraction;          /* what the readings then lacked, in 1e-9 ns */
    int64_t ppb;               /* rate - 1, in 1e-9 */
    int64_t error, synced;     /* bound at true time `synced`; INT64_MAX: nothing is promised */
    int64_t bound_ppb;         /* how fast the bound grows */
} dlab_clock;

/* The clock of one node at true time 0; drift and skew are drawn from stream (CLOCK, node). p NULL: a
 * perfect clock. Without synchronisations nothing is promised; with them the skew, until the first. */
void dlab_clock_open(dlab_clock *c, const dlab_clocks *p, const dlab_ctx *ctx, uint32_t node);

/* Without drift, now and before, nothing needs 128 bits: the short way. */
int64_t dlab_clock_mono_drifting(const dlab_clock *c, int64_t now);
int64_t dlab_clock_wall_drifting(const dlab_clock *c, int64_t now);
int64_t dlab_clock_after_drifting(const dlab_clock *c, int64_t now, int64_t local);

static inline bool dlab_clock_is_even(const dlab_clock *c) { return (c->ppb | c->fraction) == 0; }
static inline int64_t dlab_clock_mono(const dlab_clock *c, int64_t now)
{
    return dlab_clock_is_even(c) ? now - c->since + c->mono : dlab_clock_mono_drifting(c, now);
}
static inline int64_t dlab_clock_wall(const dlab_clock *c, int64_t now)
{
    return dlab_clock_is_even(c) ? now - c->since + c->wall : dlab_clock_wall_drifting(c, now);
}

/* Half the width of the interval the clock service promises at that time. */
int64_t dlab_clock_error_grown(const dlab_clock *c, int64_t now);
static inline int64_t dlab_clock_error(const dlab_clock *c, int64_t now)
{
    return c->bound_ppb == 0 || c->error == INT64_MAX ? c->error : dlab_clock_error_grown(c, now);
}

/* The earliest true time, not before now, at which the monotonic clock reads at least `local` ns more than
 * now; at most DLAB_TIME_MAX. It holds while the rate does: a change of rate moves what is still due. */
static inline int64_t dlab_clock_after(const dlab_clock *c, int64_t now, int64_t local)
{
    if (!dlab_clock_is_even(c)) return dlab_clock_after_drifting(c, now, local);
    return local <= 0 ? now : local > DLAB_TIME_MAX - now ? DLAB_TIME_MAX : now + local;
}

/* The rate changes (ppm; DLAB_DRIFT_MAX at most, either way), the wall clock jumps (ns), the clock service
 * sets it `offset` off true time and promises `error` from then on. */
void dlab_clock_set_drift(dlab_clock *c, int64_t now, double ppm);
void dlab_clock_jump(dlab_clock *c, int64_t now, int64_t by);
void dlab_clock_sync(dlab_clock *c, int64_t now, int64_t offset, int64_t error);

/* What the count-th synchronisation (from 1) of a node leaves of its offset: within clock_error, from stream
 * (CLOCK, count << 16 | node). */
int64_t dlab_clock_leftover(const dlab_clocks *p, const dlab_ctx *ctx, uint32_t node, uint64_t count);

#endif
