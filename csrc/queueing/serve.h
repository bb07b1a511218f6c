/* One station as a core: what it serves, how it is measured, and the two ways to run it. The exact
 * recursion and the event simulation take the same draws and give the same numbers wherever both apply. */
#ifndef DISTLAB_QUEUEING_SERVE_H
#define DISTLAB_QUEUEING_SERVE_H
#include <distlab/model.h>

#include "base/wide.h"
#include "queueing/queue_series.h"
#include "sim/workload.h"

/* Who is next. code, name, meaning */
#define DLAB_DISCIPLINES(X)                                                         \
    X(FIFO, "fifo")                       /* first come, first served */            \
    X(LIFO, "lifo")                       /* last come next, service unbroken */    \
    X(LIFO_PREEMPTIVE, "lifo_preemptive") /* last come now, the other resumes */    \
    X(ADAPTIVE_LIFO, "adaptive_lifo")     /* fifo while short, lifo while long */   \
    X(RANDOM, "random")                   /* any of those waiting */                \
    X(PS, "ps")                           /* all at once, servers shared equally */ \
    X(SRPT, "srpt")                       /* shortest remaining time, preemptive */ \
    X(PRIORITY, "priority")               /* best class next, service unbroken */   \
    X(PRIORITY_PREEMPTIVE, "priority_preemptive")

enum {
#define X(code, name) DLAB_DISCIPLINE_##code,
    DLAB_DISCIPLINES(X)
#undef X
        DLAB_DISCIPLINE_COUNT
};

enum { DLAB_CLASSES_MAX = 16, DLAB_BATCH_COUNT = 32 };

/* One class of jobs: first row is served first under the priority disciplines. */
typedef struct dlab_job_class {
    double share;              /* of the arrivals; normalised */
    dlab_distribution service; /* blank: the station's */
} dlab_job_class;

/* What a station is asked to do. Times in seconds as in the parameters; 0 or INFINITY is off as noted. */
typedef struct dlab_serve {
    dlab_workload workload;
    dlab_distribution service, patience, pause; /* patience, pause: kind -1 is off */
    int64_t servers, capacity;                  /* capacity 0: off */
    int32_t discipline;
    int64_t lifo_threshold;
    double deadline;                     /* INFINITY: off */
    bool drop_late;                      /* a job past its deadline is dropped when its turn comes */
    double codel_target, codel_interval; /* target INFINITY: off */
    double pause_interval;
    bool from_intended; /* latency counts from when a job was meant to be sent */
    int64_t jobs, skip; /* arrivals in all; the first `skip` are not measured */
    const dlab_job_class *classes;
    size_t class_count;
} dlab_serve;

/* Measured over jobs skip .. jobs - 1; exact integers until the end. */
typedef struct dlab_measure {
    int64_t skip, measured, deadline;
    bool on;             /* the next job counts */
    int64_t from, until; /* the time measured jobs arrived in */
    int64_t arrivals, served, waited, lost, abandoned, dropped, in_time;
    int64_t first_job, last_job, first_departure, last_departure; /* of served jobs */
    bool by_window; /* departures are counted in the window of arrivals, whoever leaves in it */
    int64_t left, left_in_time;
    int batches,
        batch; /* the batch of the latest job, which holds jobs batch_first .. batch_end - 1 of them */
    int64_t batch_first, batch_end;
    dlab_i128 wait_sum, work_sum, busy;
    dlab_i128 batch_wait[DLAB_BATCH_COUNT];
    int64_t batch_served[DLAB_BATCH_COUNT];
} dlab_measure;

/* The metrics of a station. */
typedef struct dlab_serve_metrics {
    dlab_histogram latency;
    dlab_estimate wait;
    dlab_ratio wait_probability, utilisation, offered, throughput, goodput, success_ratio;
    dlab_ratio loss, abandonment, drop_ratio, queue_length_mean, in_system_mean;
} dlab_serve_metrics;

/* A row of the output table `jobs`. */
typedef struct dlab_served_job {
    int64_t job, priority;
    double arrival, start, departure;
    int32_t outcome;
} dlab_served_job;

#define DLAB_OUTCOMES(X) X(SERVED, "served") X(LOST, "lost") X(ABANDONED, "abandoned") X(DROPPED, "dropped")
enum {
#define X(code, name) DLAB_OUTCOME_##code,
    DLAB_OUTCOMES(X)
#undef X
};

/* Where output goes: table numbers of the model. */
enum { DLAB_JOBS_TABLE, DLAB_QUEUE_TABLE };

void dlab_measure_open(dlab_measure *m, const dlab_serve *what);

/* The batch of a measured job, by its number. */
int dlab_measure_batch(dlab_measure *m, int64_t job);

/* One measured job was served; departures are remembered by job number. */
void dlab_measure_served(dlab_measure *m, int64_t job, int64_t latency, int64_t wait, int64_t work,
                         int64_t departure);

/* Metrics of a finished run; busy, from and until are set by then. */
void dlab_measure_close(const dlab_measure *m, int64_t servers, bool service_is_wait,
                        dlab_serve_metrics *out);

/* Does the recursion cover this station? */
bool dlab_serve_is_recursive(const dlab_serve *what);

/* Run it by Lindley's and Kiefer and Wolfowitz's recursion, or event by event. */
int dlab_serve_by_recursion(const dlab_serve *what, dlab_measure *m, dlab_histogram *latency, dlab_ctx *ctx);
int dlab_serve_by_events(const dlab_serve *what, dlab_measure *m, dlab_histogram *latency, dlab_ctx *ctx);

/* Event by event where nothing but the order of arrival matters and nobody listens to single jobs; the
 * event simulation uses it by itself. */
bool dlab_serve_is_plain(const dlab_serve *what, const dlab_ctx *ctx);
int dlab_serve_plainly(const dlab_serve *what, dlab_measure *m, dlab_histogram *latency, dlab_ctx *ctx);

/* Tell the tables of one job; arrivals never decrease for the series of the recursion. */
int dlab_serve_tell(dlab_ctx *ctx, int64_t job, int64_t priority, int64_t arrival, int64_t start,
                    int64_t departure, int outcome);

#endif
