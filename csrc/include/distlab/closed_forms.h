/* Closed forms of queueing: what theory knows, so that simulations can be held against it.
 *
 * Rates are per second, times seconds, loads Erlang (arrival rate times mean service time); p is a
 * probability, n a number of jobs. `_tail` is P(more than), `_quantile` its inverse at p = P(at most).
 * Outside its domain a function returns NaN; without a steady state waits and queues are INFINITY. Means and
 * tails of waits and latencies are those of accepted jobs. */
#ifndef DISTLAB_CLOSED_FORMS_H
#define DISTLAB_CLOSED_FORMS_H
#include <stddef.h>
#include <stdint.h>

/* The steady state of a station in one record. */
typedef struct dlab_queue {
    double utilisation;      /* busy share of one server's time; of infinitely many: NaN */
    double throughput;       /* 1/s, jobs that leave served */
    double loss;             /* share of arrivals that are refused or give up */
    double wait_probability; /* an accepted job does not start at once */
    double wait, latency;    /* s, means */
    double queue_length;     /* mean number waiting */
    double in_system;        /* mean number waiting or in service */
} dlab_queue;

/* --- Erlang's loss and delay formulas (closed_forms_erlang.c) ------------------------------------------- */

/* Loss of c servers without waiting room, any service law. */
double dlab_erlang_b(int64_t servers, double load);
/* The load (Erlang) at which that loss is reached; 0 < loss < 1. */
double dlab_erlang_b_load(int64_t servers, double loss);
/* Fewest servers that keep the loss at or below the target; -1 where 1e7 do not. */
int64_t dlab_erlang_b_servers(double load, double loss);
/* Probability of waiting for one of c servers, exponential service; 1 where load >= c. */
double dlab_erlang_c(int64_t servers, double load);
/* The load (Erlang, below c) at which that probability is reached; 0 < wait_probability < 1. */
double dlab_erlang_c_load(int64_t servers, double wait_probability);
/* Fewest servers that keep that probability at or below the target; -1 where 1e7 do not. */
int64_t dlab_erlang_c_servers(double load, double wait_probability);
/* Its limit for c -> infinity with (1 - load/c) sqrt(c) = beta >= 0, and the beta of a probability. */
double dlab_halfin_whitt(double beta);
double dlab_halfin_whitt_beta(double wait_probability);
/* M/M/c whose waiting jobs give up after an exponential patience (Erlang A); patience is its mean, s. wait
 * is over all arrivals, latency counts service only for those who stayed; c mu patience <= 1e14. */
dlab_queue dlab_erlang_a(double arrival_rate, double service_rate, int64_t servers, double patience);

/* --- Poisson arrivals, exponential service (closed_forms_mmc.c, closed_forms_mmck.c) -------------------- */

/* M/M/c, Erlang C: P(n jobs), tails P(> t) and quantiles of wait and latency. */
dlab_queue dlab_mmc(double arrival_rate, double service_rate, int64_t servers);
double dlab_mmc_state(double arrival_rate, double service_rate, int64_t servers, int64_t n);
double dlab_mmc_wait_tail(double arrival_rate, double service_rate, int64_t servers, double t);
double dlab_mmc_wait_quantile(double arrival_rate, double service_rate, int64_t servers, double p);
double dlab_mmc_latency_tail(double arrival_rate, double service_rate, int64_t servers, double t);
double dlab_mmc_latency_quantile(double arrival_rate, double service_rate, int64_t servers, double p);

/* With room for `capacity` jobs, those in service included; any load. */
dlab_queue dlab_mmck(double arrival_rate, double service_rate, int64_t servers, int64_t capacity);
double dlab_mmck_state(double arrival_rate, double service_rate, int64_t servers, int64_t capacity,
                       int64_t n);
double dlab_mmck_wait_tail(double arrival_rate, double service_rate, int64_t servers, int64_t capacity,
                           double t);
double dlab_mmck_wait_quantile(double arrival_rate, double service_rate, int64_t servers, int64_t capacity,
                               double p);
double dlab_mmck_latency_tail(double arrival_rate, double service_rate, int64_t servers, int64_t capacity,
                              double t);
double dlab_mmck_latency_cdf(double arrival_rate, double service_rate, int64_t servers, int64_t capacity,
                             double t);
double dlab_mmck_latency_quantile(double arrival_rate, double service_rate, int64_t servers, int64_t capacity,
                                  double p);

/* --- M/M/1 in time (closed_forms_transient.c) ----------------------------------------------------------- */

/* P(busy period <= t): also the latency law under preemptive last come first served; any load. */
double dlab_mm1_busy_cdf(double arrival_rate, double service_rate, double t);
double dlab_mm1_busy_quantile(double arrival_rate, double service_rate, double p);
double dlab_mm1_busy_mean(double arrival_rate, double service_rate);
double dlab_mm1_busy_variance(double arrival_rate, double service_rate);
/* Jobs per second that leave within the deadline under preemptive last come first served. */
double dlab_mm1_lifo_goodput(double arrival_rate, double service_rate, double deadline);
/* At time t after an empty start: P(empty) and the mean number in the system; any load. */
double dlab_mm1_empty_after(double arrival_rate, double service_rate, double t);
double dlab_mm1_in_system_after(double arrival_rate, double service_rate, double t);
/* Variance constant of the time average of the number in the system (s): variance of the average over a
 * long time T is this / T. */
double dlab_mm1_asymptotic_variance(double arrival_rate, double service_rate);
/* How long to simulate so that the half width of the interval is this share of the mean (s). */
double dlab_mm1_run_time(double arrival_rate, double service_rate, double relative_error, double confidence);

/* --- Laws known by mean and squared coefficient of variation (closed_forms_law.c) ----------------------- */

/* scv = 0: constant; below 1: gamma (Erlang where 1/scv is whole); 1: exponential; above 1: hyperexponential
 * with balanced means. */
typedef struct dlab_law {
    double mean, scv;
} dlab_law;

double dlab_law_pdf(dlab_law law, double x);  /* NaN for a constant */
double dlab_law_tail(dlab_law law, double x); /* P(X > x) */
double dlab_law_quantile(dlab_law law, double p);
double dlab_law_partial(dlab_law law, int moment, double x); /* E[X^moment; X <= x], moment 0, 1 or 2 */
double dlab_law_log_laplace(dlab_law law, double s);         /* log E[exp(-s X)], s >= 0 */

/* --- General laws (closed_forms_general.c) -------------------------------------------------------------- */

/* M/G/1, first come first served (Pollaczek and Khinchine); second moment of its wait given E[S^3]. */
dlab_queue dlab_mg1(double arrival_rate, dlab_law service);
double dlab_mg1_wait_square(double arrival_rate, double mean, double square, double cube);
/* M/G/1 whose arrivals come in batches of exactly b jobs; arrival_rate counts jobs. */
dlab_queue dlab_mg1_batch_arrivals(double arrival_rate, dlab_law service, int64_t batch);
/* M/G/c/c: loss and means depend on the mean of the service only; M/G/infinity: Poisson. */
dlab_queue dlab_mgcc(double arrival_rate, double service_mean, int64_t servers);
dlab_queue dlab_mginf(double arrival_rate, double service_mean);
/* GI/M/1: sigma, the probability that an arrival finds the server busy; NaN where load >= 1. */
double dlab_gim1_sigma(dlab_law interarrival, double service_rate);
dlab_queue dlab_gim1(dlab_law interarrival, double service_rate);
/* G/G/1: Kingman's upper bound of the mean wait, and his heavy-traffic approximation (VUT). */
double dlab_kingman_bound(double arrival_rate, double service_rate, double scv_arrival, double scv_service);
double dlab_vut_wait(double arrival_rate, double service_rate, double scv_arrival, double scv_service);
/* G/G/c: approximation of Allen and Cunneen; exact for M/M/c and M/G/1. */
dlab_queue dlab_ggc(double arrival_rate, double service_rate, int64_t servers, double scv_arrival,
                    double scv_service);
/* Little's law: mean number = rate * mean time. */
double dlab_little(double arrival_rate, double time);
/* A fluid queue: `spike` jobs/s for `time` against `capacity`, then `base`: largest backlog (jobs), time to
 * drain it afterwards (s) and the longest wait (s). */
typedef struct dlab_fluid {
    double backlog, drain_time, wait;
} dlab_fluid;
dlab_fluid dlab_fluid_spike(double spike, double time, double capacity, double base);

/* --- Constant service (closed_forms_deterministic.c) ---------------------------------------------------- */

/* M/D/1: P(wait <= t), P(wait > t), quantile of the wait and P(N = n); service is the constant time. */
double dlab_md1_wait_cdf(double arrival_rate, double service, double t);
double dlab_md1_wait_tail(double arrival_rate, double service, double t);
double dlab_md1_wait_quantile(double arrival_rate, double service, double p);
double dlab_md1_state(double arrival_rate, double service, int64_t n);
/* M/D/1 with room for `capacity` jobs; its loss is also that of a token bucket of that depth. */
dlab_queue dlab_md1k(double arrival_rate, double service, int64_t capacity);
double dlab_md1k_state(double arrival_rate, double service, int64_t capacity, int64_t n);
/* Share of Poisson arrivals that find less than one token; depth is whole. */
double dlab_token_bucket_loss(double arrival_rate, double fill_rate, int64_t depth);
/* M/D/c: exact means and probability of waiting. */
dlab_queue dlab_mdc(double arrival_rate, double service, int64_t servers);

/* --- Batches served together (closed_forms_batch.c) ----------------------------------------------------- */

/* A server that takes full batches of b jobs: constant overhead plus the sum of b service times. */
typedef struct dlab_batching {
    double arrival_rate;
    dlab_law service; /* of one job */
    int64_t batch;
    double overhead; /* s */
} dlab_batching;

double dlab_batch_capacity(dlab_law service, int64_t batch, double overhead); /* jobs per second */
/* Means of a job; exact for constant service and for batch = 1, else see dlab_batch_wait_bound. */
dlab_queue dlab_batch_queue(const dlab_batching *batching);
/* Mean time a job waits for its batch to fill, and Kingman's bound of what it then waits for the server. */
double dlab_batch_gather_time(double arrival_rate, int64_t batch);
double dlab_batch_wait_bound(const dlab_batching *batching);

/* --- Other orders of service (closed_forms_order.c) ----------------------------------------------------- */

/* Processor sharing: mean latency of all jobs and of jobs of one size (s of service). */
dlab_queue dlab_mg1_ps(double arrival_rate, double service_mean);
double dlab_mg1_ps_latency(double arrival_rate, double service_mean, double size);
/* Shortest remaining processing time first: the same two. */
double dlab_mg1_srpt(double arrival_rate, dlab_law service);
double dlab_mg1_srpt_latency(double arrival_rate, dlab_law service, double size);
/* Priorities, class 0 first: mean wait (nonpreemptive) or latency (preemptive resume) of each class. Returns
 * 0, or -1 with NaN in every place where an input is out of its domain. */
int dlab_priority_wait(size_t classes, const double *arrival_rate, const dlab_law *service, double *wait);
int dlab_priority_latency(size_t classes, const double *arrival_rate, const dlab_law *service,
                          double *latency);

#endif
