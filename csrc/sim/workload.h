/* Workloads: who sends when. A component that models splice in (DLAB_GROUP) and run as it is.
 *
 * open: jobs come whatever happens to earlier ones; the time between them has the shape of `interarrival`
 * and a rate that may change over time. The k-th gap is drawn in operational time (mean 1) and stretched
 * by the rate of the moment, so one stream of draws serves every rate and every profile (common random
 * numbers). closed: `clients` clients, each waits for its answer, thinks, and sends again. partly open:
 * sessions arrive as in the open case, each sends a geometric number of jobs one after another.
 *
 * Every job knows when it was meant to be sent. Measuring from when it could be sent instead is
 * coordinated omission, and never a default. Sources: Schroeder, Wierman and Harchol-Balter (NSDI 2006)
 * for the three loads; Cinlar's inversion for time-varying rates (Law, Simulation Modeling and Analysis,
 * 8.6.2). */
#ifndef DISTLAB_SIM_WORKLOAD_H
#define DISTLAB_SIM_WORKLOAD_H
#include <distlab/model.h>

#define DLAB_LOADS(X)             \
    X(OPEN, "open")               \
    X(CLOSED, "closed")           \
    X(PARTLY_OPEN, "partly_open") \
    X(PACED, "paced")
#define DLAB_PROFILES(X)  \
    X(STEADY, "steady")   \
    X(RAMP, "ramp")       \
    X(DIURNAL, "diurnal") \
    X(BURSTS, "bursts")

enum {
#define X(code, name) DLAB_LOAD_##code,
    DLAB_LOADS(X)
#undef X
};
enum {
#define X(code, name) DLAB_PROFILE_##code,
    DLAB_PROFILES(X)
#undef X
};

/* Parameters, as a model holds them. */
typedef struct dlab_workload {
    int32_t load, profile;
    double arrival_rate;
    dlab_distribution interarrival;
    double peak_factor; /* highest rate over arrival_rate; the mean stays arrival_rate but for a ramp */
    double period;      /* s: of a day, of a ramp, mean of one burst and the calm after it */
    double burst_share; /* share of time in bursts */
    int64_t clients;
    dlab_distribution think_time;
    double session_jobs; /* mean jobs of a session */
} dlab_workload;

extern const dlab_field dlab_workload_fields[];

/* The open side of a workload while it runs: times of arrivals (of sessions, when partly open). */
typedef struct dlab_arrivals {
    const dlab_workload *w;
    dlab_sampler gaps; /* operational time: mean 1 second at rate 1 */
    dlab_rng rng, phase_rng;
    bool steady;
    double now;                    /* s, within the current piece of the rate profile */
    double piece_end, rate, slope; /* of the piece: rate at its start, change per second */
    double piece_start;
    int piece;
    bool bursting;
} dlab_arrivals;

int dlab_arrivals_open(dlab_arrivals *a, const dlab_workload *w, dlab_ctx *ctx);

/* Fill gaps (ns) up to the next n arrivals; work on a changing rate is charged to the run. */
int dlab_arrivals_fill(dlab_arrivals *a, dlab_ctx *ctx, int64_t *gaps, size_t n);

/* Rules across the fields of a workload. */
int dlab_workload_check(const dlab_workload *w, const dlab_pool *pool, dlab_error *err);

/* The rate at a time (1/s) for a ramp or a day, and the long-run mean of any profile. */
double dlab_workload_rate(const dlab_workload *w, double time);
double dlab_workload_mean_rate(const dlab_workload *w);

#endif
