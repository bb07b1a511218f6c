/* What theory knows exactly about a station, for any laws, orders and loads it covers. */
#ifndef DISTLAB_QUEUEING_EXACT_H
#define DISTLAB_QUEUEING_EXACT_H
#include "queueing/serve.h"

/* The columns of queueing.station that have a closed form, in the order of dlab_station_exact. */
#define DLAB_STATION_EXACT_COLUMNS                                                                      \
    "latency_mean", "latency_p50", "latency_p90", "latency_p95", "latency_p99", "latency_p999", "wait", \
        "wait_probability", "utilisation", "offered", "throughput", "goodput", "success_ratio", "loss", \
        "abandonment", "queue_length_mean", "in_system_mean"
enum { DLAB_STATION_EXACT = 17 };

/* Steady-state values; NaN where no closed form is known or no steady state exists. */
void dlab_station_exact(const dlab_serve *what, const dlab_pool *pool, double values[DLAB_STATION_EXACT]);

#endif
