/* M/M/c/K: a station with room for K jobs, at any load.
 *
 * Everything is written relative to the state with all servers busy and nobody waiting. The states below it
 * weigh r = 1/B - 1 (Erlang's recursion), the m = K - c states above it are a truncated geometric series
 * whose sum and mean have closed forms; for a load above c the series is summed from its other, larger end.
 * So no state probability is ever added up one by one: K = 1e6 costs as much as K = 10, and near load = c,
 * where the textbook formula divides zero by zero, expm1 keeps all digits.
 *
 * An accepted job finds the system as it is with room K - 1. It still waits at time t when fewer jobs have
 * left by then than would let it in, so P(wait > t) is a sum over the Poisson number i of departures of
 * P(N >= c + i): positive terms, summed outward from the largest.
 *
 * Sources: Kleinrock, Queueing Systems 1 (1975), 3.6; Gross and Harris, 3rd ed., 2.4 (waiting times of the
 * accepted). The sum over departures is ours. */
#include <distlab/closed_forms.h>

#include <math.h>
#include <stdbool.h>

#include <distlab/numerics.h>

enum { SERVERS_MAX = 10000000 };
static const double capacity_max = 1e10, negligible = 1e-18;

typedef struct room {
    double arrival_rate, service_rate, c, m; /* m places to wait */
    double load, d;                          /* d = log(load / c), the step of the geometric series */
    double below;                            /* weight of the states below c, where state c weighs 1 */
    int64_t servers;
} room;

static const dlab_queue undefined = { NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };

static bool room_init(room *s, double arrival_rate, double service_rate, int64_t servers, int64_t capacity)
{
    if (!(arrival_rate > 0) || !(service_rate > 0) || servers < 1 || servers > SERVERS_MAX) return false;
    if (capacity < servers || !((double)capacity <= capacity_max)) return false;
    *s = (room){ .arrival_rate = arrival_rate, .service_rate = service_rate, .servers = servers };
    s->c = (double)servers;
    s->m = (double)(capacity - servers);
    s->load = arrival_rate / service_rate;
    if (!(s->load < INFINITY) || !(s->load > 0)) return false;
    const double excess = (s->load - s->c) / s->c;
    s->d = fabs(excess) < 0.5 ? log1p(excess) : log(s->load / s->c);
    /* Not 1 / B - 1, which has lost its digits where B is near 1. */
    for (int k = 1; k <= (int)servers; k++) s->below = k / s->load * (1 + s->below);
    return true;
}

/* Sum of the first n terms of a geometric series, the largest of them 1: n terms of exp(-|d| j). */
static double series(double d, double n)
{
    if (n <= 0) return 0;
    return d == 0 ? n : expm1(-n * fabs(d)) / expm1(-fabs(d));
}

/* Mean of j under weights exp(d j), j = 0 .. n - 1. With g(x) = 1 / (exp(x) - 1) it is g(-d) - n g(-n d);
 * where n d is small the poles 1/x of both parts are taken out first. */
static double series_mean(double d, double n)
{
    const double x = -d, nx = n * x;
    if (fabs(nx) > 1) return 1 / expm1(x) - n / expm1(nx);
    /* B_2i / (2i)! of 1/x - 1/2 + sum of B_2i / (2i)! x^(2i - 1). */
    static const double k[] = { 1.0 / 12,
                                -1.0 / 720,
                                1.0 / 30240,
                                -1.0 / 1209600,
                                1.0 / 47900160,
                                -691.0 / 1307674368000.0,
                                1.0 / 74724249600.0,
                                -3617.0 / 10670622842880000.0 };
    double hx = 0, hnx = 0;
    for (int i = 7; i >= 0; i--) {
        hx = k[i] + x * x * hx;
        hnx = k[i] + nx * nx * hnx;
    }
    return (n - 1) / 2 + x * hx - n * nx * hnx;
}

/* Weight of all states with n places filled or free to fill (n terms from c on), scaled so that the largest
 * term of the series is 1. */
static double scaled_total(const room *s, double n)
{
    const double scale = s->d > 0 ? exp(-(n - 1) * s->d) : 1;
    return (scale > 0 ? s->below * scale : 0) + series(s->d, n);
}

static double queue_state(const room *s, double j)
{
    return exp((s->d > 0 ? j - s->m : j) * s->d) / scaled_total(s, s->m + 1);
}

dlab_queue dlab_mmck(double arrival_rate, double service_rate, int64_t servers, int64_t capacity)
{
    room s;
    if (!room_init(&s, arrival_rate, service_rate, servers, capacity)) return undefined;
    const double n = s.m + 1, all = scaled_total(&s, n);
    dlab_queue q = { .loss = queue_state(&s, s.m) };
    /* Accepted share: the total without its last state over the total; both on the scale of the total. */
    double accepted = 1;
    if (s.m > 0 && isfinite(s.below)) accepted = scaled_total(&s, s.m) * (s.d > 0 ? exp(-s.d) : 1) / all;
    else if (s.m == 0) accepted = s.below / all;
    if (!isfinite(s.below)) accepted = 1;
    /* Overloaded with room to wait, load / c and exp(-d) cancel. */
    q.utilisation = fmin(s.m > 0 && s.d > 0 ? scaled_total(&s, s.m) / all : s.load / s.c * accepted, 1);
    q.throughput = fmin(arrival_rate, q.utilisation * s.c * service_rate);
    q.queue_length = series(s.d, n) / all * series_mean(s.d, n);
    if (s.m == 0) q.queue_length = 0;
    else q.wait_probability = series(s.d, s.m) / scaled_total(&s, s.m);
    q.wait = q.queue_length / q.throughput;
    q.latency = q.wait + 1 / service_rate;
    q.in_system = q.queue_length + q.utilisation * s.c;
    return q;
}

double dlab_mmck_state(double arrival_rate, double service_rate, int64_t servers, int64_t capacity, int64_t n)
{
    room s;
    if (!room_init(&s, arrival_rate, service_rate, servers, capacity) || n < 0) return NAN;
    if (n > capacity) return 0;
    if (n >= servers) return queue_state(&s, (double)(n - servers));
    if (s.load <= s.c) {
        const double above = dlab_poisson_pmf(servers, s.load) * series(s.d, s.m + 1);
        return dlab_poisson_pmf(n, s.load) / (dlab_poisson_cdf(servers - 1, s.load) + above);
    }
    const double ratio = dlab_poisson_log_pmf(n, s.load) - dlab_poisson_log_pmf(servers, s.load);
    return exp(ratio - s.m * s.d) / scaled_total(&s, s.m + 1);
}

/* Sum over i of Poisson(mean) weights times exp(tilt min(i, bend)) times factor(i), 0 <= i <= last, outward
 * from `start`; all log-concave in i, so a side ends where its terms are negligible. */
typedef struct departures {
    double mean, tilt, bend, last, start;
    double (*factor)(const struct departures *sum, double i);
    double step, places; /* for factor */
} departures;

static double departures_sum(const departures *s, double log_scale)
{
    const double i0 = floor(fmax(0, fmin(s->start, s->last)));
    const double first = dlab_poisson_log_pmf((int64_t)i0, s->mean) + s->tilt * fmin(i0, s->bend) + log_scale;
    double weight = 1, sum = s->factor(s, i0);
    const double lift = exp(s->tilt);
    for (double i = i0; i > 0;) {
        weight *= i / (s->mean * (i <= s->bend ? lift : 1));
        const double term = weight * s->factor(s, --i);
        sum += term;
        if (term <= negligible * sum) break;
    }
    weight = 1;
    for (double i = i0; i < s->last;) {
        weight *= s->mean * (i < s->bend ? lift : 1) / (i + 1);
        const double term = weight * s->factor(s, ++i);
        sum += term;
        if (term <= negligible * sum) break;
    }
    return sum > 0 ? exp(first + log(sum)) : 0;
}

static double places_left(const departures *s, double i) { return series(s->step, s->places - i); }

static double places_passed(const departures *s, double i) { return series(s->step, fmin(i, s->places)); }

/* P(wait > t) of an accepted job; m > 0. */
static double wait_tail(const room *s, double t)
{
    const double x = s->c * s->service_rate * t;
    if (x == 0) return series(s->d, s->m) / scaled_total(s, s->m);
    const departures sum = { .mean = x,
                             .tilt = fmin(s->d, 0),
                             .bend = INFINITY,
                             .last = s->m - 1,
                             .start = x * exp(fmin(s->d, 0)),
                             .factor = places_left,
                             .step = s->d,
                             .places = s->m };
    return departures_sum(&sum, -log(scaled_total(s, s->m)));
}

/* What the own service adds to P(latency > t) of those who waited and have started: with k - 1 ahead in line,
 * a factor (c / (c - 1))^k times the chance of k departures at rate (c - 1) mu. */
static double started_tail(const room *s, double t)
{
    const double y = (s->c - 1) * s->service_rate * t;
    if (y == 0) return 0;
    const double r = log(s->load / (s->c - 1)), up = fmax(r, 0);
    /* series() counts a rising series from its top: r^(k-1), k <= i, is r^(i-1) times the scaled sum. */
    departures sum = { .mean = y,
                       .tilt = up,
                       .bend = s->m,
                       .last = INFINITY,
                       .factor = places_passed,
                       .step = r,
                       .places = s->m };
    sum.start = fmax(fmin(y * exp(up), s->m), fmax(y, 1));
    double scale = -(s->d > 0 ? (s->m - 1) * s->d : 0) - log(scaled_total(s, s->m));
    scale += log(s->c / (s->c - 1)) - up - s->service_rate * t;
    /* Long after the last of m could have left, every chance is 1. */
    if (y > 4 * (s->m + 300)) return exp(scale + up * s->m) * places_passed(&sum, s->m);
    return departures_sum(&sum, scale);
}

static double latency_tail(const room *s, double t)
{
    const double own = exp(-s->service_rate * t);
    if (s->m == 0) return own;
    if (s->servers == 1) {
        /* N ahead in an M/M/1/K - 1: one more departure than N is needed. */
        const double x = s->service_rate * t;
        if (x == 0) return 1;
        const departures sum = { .mean = x,
                                 .tilt = fmin(s->d, 0),
                                 .bend = INFINITY,
                                 .last = s->m,
                                 .start = x * exp(fmin(s->d, 0)),
                                 .factor = places_left,
                                 .step = s->d,
                                 .places = s->m + 1 };
        return departures_sum(&sum, -log(series(s->d, s->m + 1)));
    }
    const double waited = series(s->d, s->m) / scaled_total(s, s->m);
    const double at_once = isfinite(s->below) ? 1 - waited : 1;
    return wait_tail(s, t) + at_once * own + started_tail(s, t);
}

/* P(latency <= t) with one server: more departures than jobs ahead. Positive terms, so that the few in time
 * behind a long line are counted exactly. */
static double single_latency_cdf(const room *s, double t)
{
    const double x = s->service_rate * t, up = fmax(s->d, 0), places = s->m + 1;
    if (x == 0) return 0;
    departures sum = { .mean = x,
                       .tilt = up,
                       .bend = places,
                       .last = INFINITY,
                       .factor = places_passed,
                       .step = s->d,
                       .places = places };
    sum.start = fmax(fmin(x * exp(up), places), fmax(x, 1));
    if (x > 4 * (places + 300)) return 1;
    return fmin(1, departures_sum(&sum, -log(series(s->d, places)) - up * places));
}

double dlab_mmck_latency_cdf(double arrival_rate, double service_rate, int64_t servers, int64_t capacity,
                             double t)
{
    room s;
    if (!room_init(&s, arrival_rate, service_rate, servers, capacity) || isnan(t)) return NAN;
    if (t < 0) return 0;
    if (isinf(t)) return 1;
    if (s.m == 0 || !isfinite(s.below)) return -expm1(-service_rate * t);
    return servers == 1 ? single_latency_cdf(&s, t) : 1 - fmin(1, latency_tail(&s, t));
}

double dlab_mmck_wait_tail(double arrival_rate, double service_rate, int64_t servers, int64_t capacity,
                           double t)
{
    room s;
    if (!room_init(&s, arrival_rate, service_rate, servers, capacity) || isnan(t)) return NAN;
    if (t < 0) return 1;
    return s.m == 0 || isinf(t) || !isfinite(s.below) ? 0 : fmin(1, wait_tail(&s, t));
}

double dlab_mmck_latency_tail(double arrival_rate, double service_rate, int64_t servers, int64_t capacity,
                              double t)
{
    room s;
    if (!room_init(&s, arrival_rate, service_rate, servers, capacity) || isnan(t)) return NAN;
    if (t < 0) return 1;
    if (isinf(t)) return 0;
    return isfinite(s.below) ? fmin(1, latency_tail(&s, t)) : exp(-service_rate * t);
}

typedef struct target {
    room s;
    double (*tail)(const room *s, double t);
    double log_tail;
} target;

static double target_miss(double t, void *data)
{
    const target *a = data;
    return log(a->tail(&a->s, t)) - a->log_tail;
}

static double tail_inverse(target *a, double low)
{
    double high = fmax(2 * low, 1 / (a->s.c * a->s.service_rate));
    while (target_miss(high, a) > 0) {
        low = high;
        high *= 2;
    }
    return dlab_root(target_miss, a, low, high, 1e-15 * high);
}

double dlab_mmck_wait_quantile(double arrival_rate, double service_rate, int64_t servers, int64_t capacity,
                               double p)
{
    target a = { .tail = wait_tail, .log_tail = log1p(-p) };
    if (!room_init(&a.s, arrival_rate, service_rate, servers, capacity) || !(p >= 0) || !(p <= 1)) return NAN;
    if (a.s.m == 0 || !isfinite(a.s.below) || 1 - p >= wait_tail(&a.s, 0)) return 0;
    return p == 1 ? INFINITY : tail_inverse(&a, 0);
}

double dlab_mmck_latency_quantile(double arrival_rate, double service_rate, int64_t servers, int64_t capacity,
                                  double p)
{
    target a = { .tail = latency_tail, .log_tail = log1p(-p) };
    if (!room_init(&a.s, arrival_rate, service_rate, servers, capacity) || !(p >= 0) || !(p <= 1)) return NAN;
    if (p == 0 || p == 1) return p == 0 ? 0 : INFINITY;
    if (a.s.m == 0 || !isfinite(a.s.below)) return -log1p(-p) / service_rate;
    return tail_inverse(&a, -log1p(-p) / service_rate * (1 - 1e-9)); /* at least the service itself */
}
