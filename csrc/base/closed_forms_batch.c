/* Batching: wait until b jobs are there, then serve them together at the cost of one overhead.
 *
 * With Poisson arrivals of jobs, full batches arrive like every b-th job: Erlang-b interarrival times. A job
 * waits for the rest of its batch ((b - 1) / (2 lambda) on average), then with its batch for the server
 * (E_b/G/1), then for the whole batch to be served.
 * Exact: batch = 1 (M/G/1); constant service, where E_b/D/1 has the waits of M/D/b (each server of M/D/b sees
 * every b-th job); exponential service of the whole batch (E_b/M/1). In between the mean wait is interpolated
 * in the scv of the batch's service, above it scaled as Kingman's approximation says; Kingman's bound holds
 * for all.
 *
 * Sources: Tijms (2003), 9.6.1 (M/D/c and E_c/D/1), 9.6.2 (interpolation); Kleinrock 2 (1976), 2.1. */
#include <distlab/closed_forms.h>

#include <math.h>
#include <stdbool.h>

enum { BATCH_MAX = 100000 };

static bool is_batching(const dlab_batching *b)
{
    return b->arrival_rate > 0 && b->arrival_rate < INFINITY && b->service.mean > 0 &&
           b->service.mean < INFINITY && b->service.scv >= 0 && b->service.scv < INFINITY && b->batch >= 1 &&
           b->batch <= BATCH_MAX && b->overhead >= 0 && b->overhead < INFINITY;
}

/* The law of the time one batch takes. */
static dlab_law batch_service(const dlab_batching *b)
{
    const double n = (double)b->batch, mean = b->overhead + n * b->service.mean;
    return (dlab_law){ mean, n * b->service.scv * (b->service.mean / mean) * (b->service.mean / mean) };
}

double dlab_batch_capacity(dlab_law service, int64_t batch, double overhead)
{
    if (!(service.mean > 0) || batch < 1 || !(overhead >= 0)) return NAN;
    return (double)batch / (overhead + (double)batch * service.mean);
}

double dlab_batch_gather_time(double arrival_rate, int64_t batch)
{
    if (!(arrival_rate > 0) || batch < 1) return NAN;
    return (double)(batch - 1) / (2 * arrival_rate);
}

double dlab_batch_wait_bound(const dlab_batching *b)
{
    if (!is_batching(b)) return NAN;
    const dlab_law whole = batch_service(b);
    const double n = (double)b->batch;
    return dlab_kingman_bound(b->arrival_rate / n, 1 / whole.mean, 1 / n, whole.scv);
}

/* Mean wait of a batch for the server. */
static double batch_wait(const dlab_batching *b, dlab_law whole)
{
    const double n = (double)b->batch;
    if (b->batch == 1) return dlab_mg1(b->arrival_rate, whole).wait;
    const double constant = whole.scv < 1 ? dlab_mdc(b->arrival_rate, whole.mean, b->batch).wait : 0;
    if (whole.scv == 0) return constant;
    const dlab_law gaps = { n / b->arrival_rate, 1 / n };
    const double exponential = dlab_gim1(gaps, 1 / whole.mean).wait;
    if (whole.scv > 1) return exponential * (1 / n + whole.scv) / (1 / n + 1);
    return (1 - whole.scv) * constant + whole.scv * exponential;
}

dlab_queue dlab_batch_queue(const dlab_batching *b)
{
    if (!is_batching(b)) return (dlab_queue){ NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
    const dlab_law whole = batch_service(b);
    const double n = (double)b->batch, load = b->arrival_rate * whole.mean / n;
    const bool stable = load < 1;
    dlab_queue q = { .utilisation = fmin(load, 1), .wait_probability = NAN };
    q.throughput = stable ? b->arrival_rate : n / whole.mean;
    q.wait = stable ? dlab_batch_gather_time(b->arrival_rate, b->batch) + batch_wait(b, whole) : INFINITY;
    if (b->batch == 1) q.wait_probability = q.utilisation;
    /* Only the job that fills a batch can start at once, if the server is free then. */
    else if (whole.scv == 0)
        q.wait_probability = 1 - (1 - dlab_mdc(b->arrival_rate, whole.mean, b->batch).wait_probability) / n;
    q.latency = q.wait + whole.mean;
    q.queue_length = b->arrival_rate * q.wait;
    q.in_system = b->arrival_rate * q.latency;
    return q;
}
