/* What theory knows exactly about a first come first served station, for any laws it covers. */
#ifndef DISTLAB_QUEUEING_EXACT_H
#define DISTLAB_QUEUEING_EXACT_H
#include <distlab/distribution.h>

/* A station as theory sees it; interarrival counts by its shape only, capacity 0 means none. */
typedef struct dlab_station_law {
    double arrival_rate;
    const dlab_distribution *interarrival, *service;
    int64_t servers, capacity;
    double deadline; /* INFINITY: none */
    const dlab_pool *pool;
} dlab_station_law;

/* The columns of queueing.station that have a closed form, in the order of dlab_station_exact. */
#define DLAB_STATION_EXACT_COLUMNS                                                                      \
    "latency_mean", "latency_p50", "latency_p90", "latency_p95", "latency_p99", "latency_p999", "wait", \
        "wait_probability", "utilisation", "offered", "throughput", "goodput", "success_ratio", "loss", \
        "queue_length_mean", "in_system_mean"
enum { DLAB_STATION_EXACT = 16 };

/* Steady-state values; NaN where no closed form is known or no steady state exists. */
void dlab_station_exact(const dlab_station_law *law, double values[DLAB_STATION_EXACT]);

#endif
