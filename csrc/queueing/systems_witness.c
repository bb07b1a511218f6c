/* The means of a queueing system by a second route, which shares no formula with the closed forms:
 * - Markov chains are added up state by state, from the rates alone;
 * - M/G/1 finds its wait as work in service plus work in line, the former by integrating the residual;
 * - GI/M/1 iterates its fixed point;
 * - last come first served (preemptive) and processor sharing have M/M/1's chain; Little's law does the rest.
 * Where no such route is cheap the answer is NaN, and the tests of the closed forms are the witness. */
#include <math.h>

#include <distlab/numerics.h>

#include "queueing/systems.h"

enum { STATES_MAX = 4000000, CHARGE = 4000, ROUNDS_MAX = 2000000 };
static const double huge_weight = 1e250;

/* A birth-death chain: births at one rate below the limit, deaths min(n, servers) mu and what gives up. */
typedef struct chain {
    double birth, service_rate, abandon_rate, servers, limit;
} chain;

static double death(const chain *c, double n)
{
    return fmin(n, c->servers) * c->service_rate + fmax(0, n - c->servers) * c->abandon_rate;
}

static int chain_means(const chain *c, dlab_queue *q, dlab_ctx *ctx)
{
    double weight = 1, sum = 0, waiting = 0, serving = 0, busy = 0, gone = 0;
    for (double n = 0; n <= c->limit; n++) {
        if ((int)n % CHARGE == 0 && dlab_step(ctx, CHARGE / 100)) return ctx->err.code;
        if (n > STATES_MAX) return DLAB_OK; /* too near saturation to add up: no witness */
        sum += weight;
        serving += fmin(n, c->servers) * weight;
        waiting += fmax(0, n - c->servers) * weight;
        gone += fmax(0, n - c->servers) * c->abandon_rate * weight;
        if (n >= c->servers && n < c->limit) busy += weight;
        if (n == c->limit) break;
        const double ratio = c->birth / death(c, n + 1);
        const double waits = isinf(c->servers) ? sum : waiting;
        if (ratio < 1 && (n + 1) * weight <= 1e-18 * (1 - ratio) * (1 - ratio) * waits) {
            weight = 0; /* the rest is nothing: no state is at the limit */
            break;
        }
        weight *= ratio;
        if (weight > huge_weight) {
            weight /= huge_weight, sum /= huge_weight, waiting /= huge_weight, serving /= huge_weight;
            busy /= huge_weight, gone /= huge_weight;
        }
    }
    const double full = isinf(c->limit) ? 0 : weight / sum;
    q->throughput = serving / sum * c->service_rate;
    q->utilisation = isinf(c->servers) ? NAN : serving / sum / c->servers;
    q->loss = full + gone / sum / c->birth;
    q->wait_probability = busy / (sum * (1 - full));
    q->queue_length = waiting / sum;
    q->in_system = (waiting + serving) / sum;
    q->latency = q->in_system / (c->birth * (1 - full));
    q->wait = q->queue_length / (c->birth * (1 - full));
    return DLAB_OK;
}

static double residual_density(double x, void *data) { return x * dlab_law_tail(*(const dlab_law *)data, x); }

/* Work found in service is lambda E[S^2] / 2, here as an integral over the tail; work in line is rho times
 * the wait itself. */
static void residual_means(double arrival_rate, dlab_law service, dlab_queue *q)
{
    const double mean = service.mean, load = arrival_rate * mean;
    double half_square = 0;
    if (!(load < 1)) return;
    /* Cut where a narrow law falls, lest the rule steps over it. */
    const double spread = mean * fmin(sqrt(service.scv), 0.1);
    const double cuts[] = { 0, mean - 9 * spread, mean, mean + 9 * spread, 20 * mean, INFINITY };
    for (int i = 0; i < 5; i++)
        half_square += dlab_integrate(residual_density, &service, cuts[i], cuts[i + 1], 1e-12, NULL);
    q->wait = arrival_rate * half_square / (1 - load);
    q->latency = q->wait + mean;
    q->queue_length = arrival_rate * q->wait;
    q->in_system = arrival_rate * q->latency;
    q->throughput = arrival_rate;
    q->utilisation = q->wait_probability = load;
    q->loss = 0;
}

static int fixed_point_means(const dlab_system *s, dlab_queue *q, dlab_ctx *ctx)
{
    const dlab_law gaps = { 1 / s->arrival_rate, s->scv_arrival };
    const double mu = s->service_rate;
    double sigma = 0.5, last = 2;
    if (!(s->arrival_rate < mu)) return DLAB_OK;
    for (int i = 0; fabs(sigma - last) > 1e-16; i++) {
        if (i % CHARGE == 0 && dlab_step(ctx, CHARGE / 50)) return ctx->err.code;
        if (i > ROUNDS_MAX) return DLAB_OK;
        last = sigma;
        sigma = exp(dlab_law_log_laplace(gaps, mu * (1 - sigma)));
    }
    if (sigma > 0.999) return DLAB_OK; /* what is left of 1 - sigma has lost its digits */
    q->wait_probability = sigma;
    q->wait = sigma / (1 - sigma) / mu;
    q->latency = 1 / (mu * (1 - sigma));
    q->queue_length = s->arrival_rate * q->wait;
    q->in_system = s->arrival_rate * q->latency;
    q->throughput = s->arrival_rate;
    q->loss = 0;
    return DLAB_OK;
}

/* One server of M/M/1 whose order of service leaves the states alone. */
static int shared_means(const dlab_system *s, dlab_queue *q, dlab_ctx *ctx)
{
    const chain one = { s->arrival_rate, s->service_rate, 0, 1, INFINITY };
    if (chain_means(&one, q, ctx)) return ctx->err.code;
    q->wait_probability = NAN;
    if (s->kind == DLAB_SYSTEM_MG1_PS) q->wait = q->queue_length = NAN;
    return DLAB_OK;
}

int dlab_system_witness(const dlab_system *s, dlab_queue *q, dlab_ctx *ctx)
{
    const double lambda = s->arrival_rate, mu = s->service_rate, c = (double)s->servers;
    const double room = s->capacity > 0 ? (double)s->capacity : INFINITY;
    const dlab_law service = { 1 / mu, s->scv_service }, constant = { 1 / mu, 0 };
    *q = (dlab_queue){ NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
    chain many = { lambda, mu, 0, c, INFINITY };
    switch (s->kind) {
    case DLAB_SYSTEM_MMC_PATIENCE:
        if (!isinf(s->patience)) many.abandon_rate = 1 / s->patience;
        break;
    case DLAB_SYSTEM_MM1: many.servers = 1; break;
    case DLAB_SYSTEM_MMC: break;
    case DLAB_SYSTEM_MMCK: many.limit = room; break;
    case DLAB_SYSTEM_MGCC: many.limit = c; break;
    case DLAB_SYSTEM_MGINF: many.servers = INFINITY; break;
    case DLAB_SYSTEM_MG1_PS:
    case DLAB_SYSTEM_MM1_LIFO: return lambda < mu ? shared_means(s, q, ctx) : DLAB_OK;
    case DLAB_SYSTEM_MG1: residual_means(lambda, service, q); return DLAB_OK;
    case DLAB_SYSTEM_MD1:
        if (isinf(room)) residual_means(lambda, constant, q);
        return DLAB_OK;
    case DLAB_SYSTEM_GIM1: return fixed_point_means(s, q, ctx);
    case DLAB_SYSTEM_BATCH_ARRIVALS:
    case DLAB_SYSTEM_BATCH_SERVICE:
        if (s->batch == 1 && s->batch_overhead == 0) residual_means(lambda, service, q);
        return DLAB_OK;
    default: return DLAB_OK;
    }
    const bool stable = lambda < many.servers * mu || many.abandon_rate > 0 || isfinite(many.limit);
    return stable ? chain_means(&many, q, ctx) : DLAB_OK;
}
