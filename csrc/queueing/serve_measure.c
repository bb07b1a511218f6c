/* What a station reports, shared by the recursion and the event simulation: the same sums of the same
 * integers, so the same doubles at the end. */
#include <math.h>

#include "queueing/serve.h"

void dlab_measure_open(dlab_measure *m, const dlab_serve *what)
{
    *m = (dlab_measure){ .skip = what->skip, .measured = what->jobs - what->skip, .first_job = -1 };
    m->by_window = !dlab_serve_is_recursive(what);
    m->deadline = isinf(what->deadline) ? INT64_MAX : (int64_t)(what->deadline * 1e9 + 0.5);
    m->batches = m->measured >= 2 * DLAB_BATCH_COUNT ? DLAB_BATCH_COUNT : 1;
}

int dlab_measure_batch(dlab_measure *m, int64_t job)
{
    const int64_t i = job - m->skip;
    if (i >= m->batch_first && i < m->batch_end) return m->batch;
    int b = (int)((dlab_i128)i * m->batches / m->measured);
    while (i >= (int64_t)((dlab_i128)m->measured * (b + 1) / m->batches)) b++;
    m->batch = b;
    m->batch_first = (int64_t)((dlab_i128)m->measured * b / m->batches);
    m->batch_end = (int64_t)((dlab_i128)m->measured * (b + 1) / m->batches);
    return b;
}

void dlab_measure_served(dlab_measure *m, int64_t job, int64_t latency, int64_t wait, int64_t work,
                         int64_t departure)
{
    const int b = dlab_measure_batch(m, job);
    if (m->first_job < 0 || job < m->first_job) {
        m->first_job = job;
        m->first_departure = departure;
    }
    if (m->served == 0 || job > m->last_job) {
        m->last_job = job;
        m->last_departure = departure;
    }
    m->served++;
    m->waited += wait > 0;
    m->in_time += latency <= m->deadline;
    m->wait_sum += wait;
    m->work_sum += work;
    m->batch_wait[b] += wait;
    m->batch_served[b]++;
}

/* Mean wait; its standard error comes from batches of consecutive jobs. */
static dlab_estimate wait_estimate(const dlab_measure *m, dlab_i128 wait_sum)
{
    double mean = 0, squares = 0, batch[DLAB_BATCH_COUNT];
    int n = 0;
    for (int b = 0; b < m->batches; b++)
        if (m->batch_served[b] > 0) batch[n++] = (double)m->batch_wait[b] * 1e-9 / (double)m->batch_served[b];
    for (int b = 0; b < n; b++) mean += batch[b] / n;
    for (int b = 0; b < n; b++) squares += (batch[b] - mean) * (batch[b] - mean);
    return (dlab_estimate){ .mean = m->served > 0 ? (double)wait_sum * 1e-9 / (double)m->served : NAN,
                            .se = n > 1 ? sqrt(squares / n / (n - 1)) : NAN,
                            .n = m->served == 0 ? 0
                                 : n > 1        ? n
                                                : 1 };
}

void dlab_measure_close(const dlab_measure *m, int64_t servers, bool service_is_wait, dlab_serve_metrics *out)
{
    const dlab_i128 wait_sum = service_is_wait ? m->wait_sum + m->work_sum : m->wait_sum;
    const double arrived_in = (double)(m->until - m->from) * 1e-9;
    const double left_in = (double)(m->last_departure - m->first_departure) * 1e-9;
    const double waits = (double)wait_sum * 1e-9, work = (double)m->work_sum * 1e-9;
    const double served = (double)m->served, arrivals = (double)m->arrivals;
    const double after_first = m->served > 1 && left_in > 0 ? served - 1 : 0; /* departures in that time */
    const double capacity = arrived_in * (double)servers;
    out->wait = wait_estimate(m, wait_sum);
    out->wait_probability = (dlab_ratio){ (double)m->waited, served };
    out->utilisation = (dlab_ratio){ fmin((double)m->busy * 1e-9, capacity), capacity };
    out->offered = (dlab_ratio){ arrivals, arrived_in };
    out->throughput = (dlab_ratio){ after_first, after_first > 0 ? left_in : 0 };
    out->goodput = (dlab_ratio){ after_first > 0 ? after_first * (double)m->in_time / served : 0,
                                 after_first > 0 ? left_in : 0 };
    if (m->by_window) {
        out->throughput = (dlab_ratio){ (double)m->left, arrived_in };
        out->goodput = (dlab_ratio){ (double)m->left_in_time, arrived_in };
    }
    out->success_ratio = (dlab_ratio){ (double)m->in_time, arrivals };
    out->loss = (dlab_ratio){ (double)m->lost, arrivals };
    out->abandonment = (dlab_ratio){ (double)m->abandoned, arrivals };
    out->drop_ratio = (dlab_ratio){ (double)m->dropped, arrivals };
    out->queue_length_mean = (dlab_ratio){ waits, arrived_in };
    out->in_system_mean = (dlab_ratio){ waits + work, arrived_in };
}

int dlab_serve_tell(dlab_ctx *ctx, int64_t job, int64_t priority, int64_t arrival, int64_t start,
                    int64_t departure, int outcome)
{
    if (!dlab_wants(ctx, DLAB_JOBS_TABLE)) return DLAB_OK;
    const dlab_served_job row = { .job = job,
                                  .priority = priority,
                                  .arrival = (double)arrival * 1e-9,
                                  .start = start < 0 ? NAN : (double)start * 1e-9,
                                  .departure = outcome == DLAB_OUTCOME_LOST ? NAN : (double)departure * 1e-9,
                                  .outcome = outcome };
    return dlab_emit(ctx, DLAB_JOBS_TABLE, &row);
}
