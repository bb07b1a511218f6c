/* Queueing systems that theory solves, under one roof: the same questions asked of each, answered by the
 * closed forms, and by a second route that shares no formula with the first. */
#ifndef DISTLAB_QUEUEING_SYSTEMS_H
#define DISTLAB_QUEUEING_SYSTEMS_H
#include <stdbool.h>

#include <distlab/closed_forms.h>
#include <distlab/model.h>

/* What a system looks at beside arrival_rate and service_rate; the rest must keep its default. */
enum {
    DLAB_USES_SERVERS = 1,
    DLAB_USES_CAPACITY = 2,
    DLAB_USES_SCV_ARRIVAL = 4,
    DLAB_USES_SCV_SERVICE = 8,
    DLAB_USES_BATCH = 16,
    DLAB_USES_OVERHEAD = 32,
    DLAB_USES_PATIENCE = 64,
    DLAB_USES_CLASSES = 128
};

/* code, name, uses */
#define DLAB_SYSTEMS(X)                                                                      \
    X(MM1, "mm1", 0)                                                                         \
    X(MMC, "mmc", DLAB_USES_SERVERS)                                                         \
    X(MMCK, "mmck", DLAB_USES_SERVERS | DLAB_USES_CAPACITY)                                  \
    X(MMC_PATIENCE, "mmc_patience", DLAB_USES_SERVERS | DLAB_USES_PATIENCE)                  \
    X(MGCC, "mgcc", DLAB_USES_SERVERS | DLAB_USES_SCV_SERVICE)                               \
    X(MGINF, "mginf", DLAB_USES_SCV_SERVICE)                                                 \
    X(MG1, "mg1", DLAB_USES_SCV_SERVICE)                                                     \
    X(MD1, "md1", DLAB_USES_CAPACITY)                                                        \
    X(MDC, "mdc", DLAB_USES_SERVERS)                                                         \
    X(GIM1, "gim1", DLAB_USES_SCV_ARRIVAL)                                                   \
    X(GGC, "ggc", DLAB_USES_SERVERS | DLAB_USES_SCV_ARRIVAL | DLAB_USES_SCV_SERVICE)         \
    X(MG1_PS, "mg1_ps", DLAB_USES_SCV_SERVICE)                                               \
    X(MG1_SRPT, "mg1_srpt", DLAB_USES_SCV_SERVICE)                                           \
    X(MM1_LIFO, "mm1_lifo", 0)                                                               \
    X(PRIORITY, "priority_nonpreemptive", DLAB_USES_SCV_SERVICE | DLAB_USES_CLASSES)         \
    X(PRIORITY_PREEMPTIVE, "priority_preemptive", DLAB_USES_SCV_SERVICE | DLAB_USES_CLASSES) \
    X(BATCH_ARRIVALS, "batch_arrivals", DLAB_USES_SCV_SERVICE | DLAB_USES_BATCH)             \
    X(BATCH_SERVICE, "batch_service", DLAB_USES_SCV_SERVICE | DLAB_USES_BATCH | DLAB_USES_OVERHEAD)

typedef enum dlab_system_kind {
#define X(code, name, uses) DLAB_SYSTEM_##code,
    DLAB_SYSTEMS(X)
#undef X
        DLAB_SYSTEM_KINDS
} dlab_system_kind;

typedef struct dlab_system {
    int32_t kind; /* a dlab_system_kind */
    double arrival_rate, service_rate;
    int64_t servers, capacity; /* capacity 0: none */
    double scv_arrival, scv_service;
    int64_t batch;
    double batch_overhead;
    double patience; /* mean; INFINITY: for ever */
} dlab_system;

/* One class of jobs; the most urgent comes first. */
typedef struct dlab_priority_class {
    double arrival_rate;
    dlab_law service;
    double wait, latency; /* filled by dlab_system_priorities: means */
} dlab_priority_class;

/* Does every parameter that is set mean something to this system? A parameter left at its default (servers 1,
 * capacity 0, scv 1, batch 1, no overhead, endless patience, no classes) always does. */
int dlab_system_check(const dlab_system *system, size_t classes, dlab_error *err);

/* Means; fields that a system does not define are NaN. loss counts those who give up, too. Priority systems
 * are answered by dlab_system_priorities instead, which fills the classes and returns their average. */
dlab_queue dlab_system_queue(const dlab_system *system);
dlab_queue dlab_system_priorities(const dlab_system *system, dlab_priority_class *classes, size_t n);

/* Laws of accepted jobs and of the state, NaN where no exact one is known. */
double dlab_system_wait_tail(const dlab_system *system, double t);
double dlab_system_wait_quantile(const dlab_system *system, double p);
double dlab_system_latency_cdf(const dlab_system *system, double t);
double dlab_system_latency_quantile(const dlab_system *system, double p);
double dlab_system_state(const dlab_system *system, int64_t n);

/* Mean latency of a job that needs this much service. */
double dlab_system_latency_of_size(const dlab_system *system, double size);

/* Upper bound of the mean wait for a server (Kingman); single servers in order of arrival only. */
double dlab_system_wait_bound(const dlab_system *system);

/* The means by other routes: adding up the birth-death chain, integrating the residual service, iterating a
 * fixed point. NaN where there is none. Nonzero when the run must end. */
int dlab_system_witness(const dlab_system *system, dlab_queue *queue, dlab_ctx *ctx);

#endif
