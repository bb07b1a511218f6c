/* See clock.h. Readings are whole nanoseconds worked out in 128 bits: time in ns times a rate in 1e-9 needs
 * about 93 bits. Nothing is rounded twice, so the time at which a timer is due can be inverted exactly, and
 * a run has the same bits everywhere.
 *
 * Both clocks of a node tick alike and differ by a constant between jumps and synchronisations, so neither of
 * these needs a new starting point: they change the constant. */
#include "base/wide.h"
#include "sim/clock.h"

#define BILLION INT64_C(1000000000)

static const char *const spreads[] = {
#define X(code, name) name,
    DLAB_CLOCK_SPREADS(X)
#undef X
        NULL
};

const dlab_field dlab_clock_fields[] = {
    DLAB_FIELD(dlab_clocks, drift, .unit = "ppm", .dflt = 0, .min = -DLAB_DRIFT_MAX, .max = DLAB_DRIFT_MAX,
               .low = 0, .high = 1000, .group = "Clocks",
               .doc = "No clock's rate is further off than this; its sign matters to clock_spread = worst."),
    DLAB_FIELD(dlab_clocks, skew, .unit = "s", .display = "ms", .dflt = 0, .min = -1e3, .max = 1e3, .low = 0,
               .high = 1,
               .doc = "No wall clock is further off than this at the start; its sign matters to "
                      "clock_spread = worst."),
    DLAB_FIELD(dlab_clocks, clock_spread, .choices = spreads,
               .doc = "random: each clock's drift and skew uniform within both bounds; worst: even nodes at "
                      "one end, odd nodes at the other."),
    DLAB_FIELD(dlab_clocks, sync_interval, .unit = "s", .dflt = INFINITY, DLAB_OFF(INFINITY), .min = 1e-3,
               .max = 1e6, .low = 1, .high = 600, .log_scale = true,
               .doc = "Time between synchronisations of the wall clocks with true time. None: never, and no "
                      "error bound is promised."),
    DLAB_FIELD(dlab_clocks, clock_error, .unit = "s", .display = "ms", .dflt = 1e-3, .min = 0, .max = 1e3,
               .low = 1e-5, .high = 0.1, .log_scale = true,
               .doc = "A synchronisation leaves a wall clock off by at most this, and promises this."),
    DLAB_END,
};

/* Clocks far off the end of time stand still there. */
static int64_t fit(dlab_i128 t) { return t > INT64_MAX ? INT64_MAX : t < INT64_MIN ? INT64_MIN : (int64_t)t; }

static int64_t rounded(double x) { return (int64_t)(x < 0 ? x - 0.5 : x + 0.5); }

/* ppm to 1e-9; NaN is taken as the slowest clock rather than as undefined behaviour. */
static int64_t parts(double ppm)
{
    if (!(ppm > -DLAB_DRIFT_MAX)) ppm = -DLAB_DRIFT_MAX;
    return rounded((ppm < DLAB_DRIFT_MAX ? ppm : DLAB_DRIFT_MAX) * 1e3);
}

/* A point within +-bound: drawn, or this node's end. Draws scale with the bound, so a sweep over it keeps
 * each node's place (common random numbers). */
static double within(const dlab_clocks *p, double bound, uint32_t node, dlab_rng *rng)
{
    const double place = 2 * dlab_rng_unit(rng) - 1;
    if (p->clock_spread == DLAB_CLOCK_SPREAD_WORST) return node % 2 == 0 ? bound : -bound;
    return bound * place;
}

void dlab_clock_open(dlab_clock *c, const dlab_clocks *p, const dlab_ctx *ctx, uint32_t node)
{
    *c = (dlab_clock){ .since = 0 };
    if (p == NULL) return;
    dlab_rng rng;
    dlab_stream(ctx, &rng, DLAB_PURPOSE_CLOCK, node);
    c->ppb = parts(within(p, p->drift, node, &rng));
    c->wall = rounded(within(p, p->skew, node, &rng) * 1e9);
    c->bound_ppb = parts(p->drift < 0 ? -p->drift : p->drift);
    c->error = isinf(p->sync_interval) ? INT64_MAX : rounded((p->skew < 0 ? -p->skew : p->skew) * 1e9);
}

/* Local time since the last change of rate, in 1e-9 ns. */
static dlab_i128 fine(const dlab_clock *c, int64_t now)
{
    return ((dlab_i128)now - c->since) * (BILLION + c->ppb) + c->fraction;
}

/* Rounded down, before the last change too. */
static dlab_i128 whole(dlab_i128 fine_time)
{
    const dlab_i128 q = fine_time / BILLION;
    return q - (fine_time % BILLION < 0);
}

int64_t dlab_clock_mono_drifting(const dlab_clock *c, int64_t now)
{
    return fit(whole(fine(c, now)) + c->mono);
}
int64_t dlab_clock_wall_drifting(const dlab_clock *c, int64_t now)
{
    return fit(whole(fine(c, now)) + c->wall);
}

/* Rounded up: a bound that were rounded down would be broken by the clock at the end of its range. */
int64_t dlab_clock_error_grown(const dlab_clock *c, int64_t now)
{
    const dlab_i128 growth = ((dlab_i128)now - c->synced) * c->bound_ppb;
    return fit(c->error - whole(-growth));
}

/* The reading is r from the first t on at which fine(t) >= (r - mono) * 1e9. */
int64_t dlab_clock_after_drifting(const dlab_clock *c, int64_t now, int64_t local)
{
    if (local <= 0) return now;
    const dlab_i128 elapsed = whole(fine(c, now)) + local;
    const dlab_i128 short_of = elapsed * BILLION - c->fraction, rate = BILLION + c->ppb;
    const dlab_i128 due = c->since + (short_of + rate - 1) / rate; /* short_of > 0: it lies ahead */
    return due > DLAB_TIME_MAX ? DLAB_TIME_MAX : (int64_t)due;
}

void dlab_clock_set_drift(dlab_clock *c, int64_t now, double ppm)
{
    const dlab_i128 elapsed = fine(c, now), ticks = whole(elapsed);
    c->mono = fit(ticks + c->mono);
    c->wall = fit(ticks + c->wall);
    c->fraction = (int64_t)(elapsed - ticks * BILLION);
    c->since = now;
    c->ppb = parts(ppm);
}

void dlab_clock_jump(dlab_clock *c, int64_t now, int64_t by)
{
    (void)now; /* both readings before and after it have the same starting point */
    c->wall = fit((dlab_i128)c->wall + by);
}

void dlab_clock_sync(dlab_clock *c, int64_t now, int64_t offset, int64_t error)
{
    c->wall = fit((dlab_i128)now + offset - whole(fine(c, now)));
    c->error = error;
    c->synced = now;
}

int64_t dlab_clock_leftover(const dlab_clocks *p, const dlab_ctx *ctx, uint32_t node, uint64_t count)
{
    dlab_rng rng;
    dlab_stream(ctx, &rng, DLAB_PURPOSE_CLOCK, count << 16 | (node & 0xffffu));
    return rounded(within(p, p->clock_error, node, &rng) * 1e9);
}
