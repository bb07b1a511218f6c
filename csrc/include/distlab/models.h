/* The models of this build as C structs. Generated from the descriptors by tools/generate.py: do not edit.
 *
 * Every struct has the memory of the model's own: fill one with dlab_params_default, change what you like and
 * give it to a dlab_sweep. Units are SI; "off" is the number that switches a parameter off. */
#ifndef DISTLAB_MODELS_H
#define DISTLAB_MODELS_H
#include <distlab/sweep.h>

/* clang-format off */

/* queueing.station: One line, c servers, simulated job by job */
enum {
    DLAB_QUEUEING_STATION_BUG_NONE = 0, DLAB_QUEUEING_STATION_BUG_WARMUP_COUNTED = 1,
    DLAB_QUEUEING_STATION_BUG_SERVICE_COUNTED_AS_WAIT = 2,
};
typedef struct dlab_queueing_station_params {
    /* [1/s, 1e-06 .. 1e+07] Mean arrivals per second. */
    double arrival_rate;
    /* [s, 1e-09 .. 1e+09] Shape of the time between arrivals, scaled to 1/arrival_rate: its own mean does
     * not matter. */
    dlab_distribution interarrival;
    /* [s, 1e-08 .. 1e+06] Time one server spends on one job. */
    dlab_distribution service;
    /* [1 .. 10000] Equal servers fed by one line. */
    int64_t servers;
    /* [1 .. 1e+08, 0: off] Jobs that fit, those in service included; one more is lost. None: no bound. */
    int64_t capacity;
    /* [s, 1e-09 .. 1e+06, inf: off] A job that leaves later than this after its arrival does not count as
     * goodput; it is served all the same. None: every job counts. */
    double deadline;
    /* [1 .. 1e+10] Arrivals after the extra warm-up. */
    int64_t jobs;
    /* [0 .. 1e+10] Extra arrivals before `jobs`, simulated but not measured. */
    int64_t warmup_jobs;
    /* [0 .. 0.99] Share of `jobs` at the start that is simulated but not measured. */
    double warmup_fraction;
    /* A textbook mistake, on purpose. */
    int32_t bug;
} dlab_queueing_station_params;
_Static_assert(offsetof(dlab_queueing_station_params, arrival_rate) == 0, "arrival_rate");
_Static_assert(offsetof(dlab_queueing_station_params, interarrival) == 8, "interarrival");
_Static_assert(offsetof(dlab_queueing_station_params, service) == 64, "service");
_Static_assert(offsetof(dlab_queueing_station_params, servers) == 120, "servers");
_Static_assert(offsetof(dlab_queueing_station_params, capacity) == 128, "capacity");
_Static_assert(offsetof(dlab_queueing_station_params, deadline) == 136, "deadline");
_Static_assert(offsetof(dlab_queueing_station_params, jobs) == 144, "jobs");
_Static_assert(offsetof(dlab_queueing_station_params, warmup_jobs) == 152, "warmup_jobs");
_Static_assert(offsetof(dlab_queueing_station_params, warmup_fraction) == 160, "warmup_fraction");
_Static_assert(offsetof(dlab_queueing_station_params, bug) == 168, "bug");
_Static_assert(sizeof(dlab_queueing_station_params) == 176, "dlab_queueing_station_params");
typedef struct dlab_queueing_station_metrics {
    /* [s, 0 .. inf] Time from arrival to departure. */
    dlab_histogram latency;
    /* [s, 0 .. inf] Mean time from arrival to start of service; its standard error is by batch means. */
    dlab_estimate wait;
    /* [0 .. 1] Share of served jobs that waited. */
    dlab_ratio wait_probability;
    /* [0 .. 1] Busy share of server time while the measured jobs arrived. */
    dlab_ratio utilisation;
    /* [1/s, 0 .. inf] Arrivals per second, lost ones included. */
    dlab_ratio offered;
    /* [1/s, 0 .. inf] Departures per second, between those of the first and the last served job. */
    dlab_ratio throughput;
    /* [1/s, 0 .. inf] Throughput of jobs that leave within the deadline. */
    dlab_ratio goodput;
    /* [0 .. 1] Share of arrivals that leave within the deadline. */
    dlab_ratio success_ratio;
    /* [0 .. 1] Share of arrivals lost to a full room. */
    dlab_ratio loss;
    /* [0 .. inf] Mean number waiting: waiting times of the measured jobs over the time they arrived in. */
    dlab_ratio queue_length_mean;
    /* [0 .. inf] Mean number waiting or in service, counted the same way. */
    dlab_ratio in_system_mean;
} dlab_queueing_station_metrics;
_Static_assert(offsetof(dlab_queueing_station_metrics, latency) == 0, "latency");
_Static_assert(offsetof(dlab_queueing_station_metrics, wait) == 80, "wait");
_Static_assert(offsetof(dlab_queueing_station_metrics, wait_probability) == 104, "wait_probability");
_Static_assert(offsetof(dlab_queueing_station_metrics, utilisation) == 120, "utilisation");
_Static_assert(offsetof(dlab_queueing_station_metrics, offered) == 136, "offered");
_Static_assert(offsetof(dlab_queueing_station_metrics, throughput) == 152, "throughput");
_Static_assert(offsetof(dlab_queueing_station_metrics, goodput) == 168, "goodput");
_Static_assert(offsetof(dlab_queueing_station_metrics, success_ratio) == 184, "success_ratio");
_Static_assert(offsetof(dlab_queueing_station_metrics, loss) == 200, "loss");
_Static_assert(offsetof(dlab_queueing_station_metrics, queue_length_mean) == 216, "queue_length_mean");
_Static_assert(offsetof(dlab_queueing_station_metrics, in_system_mean) == 232, "in_system_mean");
_Static_assert(sizeof(dlab_queueing_station_metrics) == 248, "dlab_queueing_station_metrics");
typedef struct dlab_queueing_station_jobs_row {
    /* [0 .. inf] Number of the arrival, warm-up included. */
    int64_t job;
    /* [s, 0 .. inf] When it came. */
    double arrival;
    /* [s, 0 .. inf] When its service began; NaN if lost. */
    double start;
    /* [s, 0 .. inf] When it left; NaN if lost. */
    double departure;
    /* Did it find a full room? */
    bool lost;
} dlab_queueing_station_jobs_row;
_Static_assert(offsetof(dlab_queueing_station_jobs_row, job) == 0, "job");
_Static_assert(offsetof(dlab_queueing_station_jobs_row, arrival) == 8, "arrival");
_Static_assert(offsetof(dlab_queueing_station_jobs_row, start) == 16, "start");
_Static_assert(offsetof(dlab_queueing_station_jobs_row, departure) == 24, "departure");
_Static_assert(offsetof(dlab_queueing_station_jobs_row, lost) == 32, "lost");
_Static_assert(sizeof(dlab_queueing_station_jobs_row) == 40, "dlab_queueing_station_jobs_row");
typedef struct dlab_queueing_station_queue_length_row {
    /* [s, 0 .. inf] When the numbers changed. */
    double time;
    /* [0 .. inf] Jobs waiting from then on. */
    int64_t queue_length;
    /* [0 .. inf] Jobs waiting or in service from then on. */
    int64_t in_system;
} dlab_queueing_station_queue_length_row;
_Static_assert(offsetof(dlab_queueing_station_queue_length_row, time) == 0, "time");
_Static_assert(offsetof(dlab_queueing_station_queue_length_row, queue_length) == 8, "queue_length");
_Static_assert(offsetof(dlab_queueing_station_queue_length_row, in_system) == 16, "in_system");
_Static_assert(sizeof(dlab_queueing_station_queue_length_row) == 24, "dlab_queueing_station_queue_length_row");
extern const dlab_model dlab_queueing_station;

#endif
