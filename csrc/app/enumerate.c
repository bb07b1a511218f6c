/* Every way the coins can fall. One worker of a sweep runs its one row over and over, while the enumerator of
 * chooser.h turns the coins like an odometer. The product of the odds is the weight of a run; since every run
 * is some way of falling and no two are the same, the weights add up to 1, and whether they do is checked: a
 * model that asks coins depending on anything but parameters, key and earlier coins would be found out. */
#include <distlab/enumerate.h>

#include <math.h>
#include <string.h>

#include "app/job.h"

static const double WEIGHT_ERROR = 1e-9;

/* Sums of up to a million products of odds, so with the rounding errors carried along (Kahan 1965). */
typedef struct total {
    double sum, carried;
} total;

static void add(total *t, double x)
{
    const double y = x - t->carried, sum = t->sum + y;
    t->carried = (sum - t->sum) - y;
    t->sum = sum;
}

typedef struct walk {
    dlab_enumeration *e;
    dlab_sweep sweep; /* of the one row */
    job j;
    dlab_enumerator coins;
    uint64_t fingerprint;
    total weight;
} walk;

static size_t kept_bytes(const walk *w)
{
    return w->e->memory.used + w->j.workers[0].buckets.count * sizeof(uint64_t);
}

static int push(walk *w, dlab_buffer *buffer, const void *row, dlab_error *err)
{
    return dlab_buffer_push(buffer, &w->e->memory, row, 1, err);
}

/* What would make the walk say nothing, or too much. */
static int check_walk(const walk *w, dlab_error *err)
{
    const dlab_enumeration *e = w->e;
    const size_t keep = e->keep_max ? e->keep_max : (size_t)1 << 30;
    const char *name = e->model->name;
    if (w->coins.too_deep)
        return dlab_fail(err, DLAB_ELIMIT, "%s: a run tosses more than %d coins, too many to walk every way",
                         name, DLAB_COINS_MAX);
    if (w->coins.unlike)
        return dlab_fail(err, DLAB_EBROKEN, "%s: runs that chose alike were offered different choices", name);
    if (e->choices.incomplete || kept_bytes(w) > keep)
        return dlab_fail(err, DLAB_ELIMIT, "%s: the %zu runs so far take more than %zu bytes", name,
                         e->weights.count, keep);
    return DLAB_OK;
}

static int check_count(const walk *w, dlab_error *err)
{
    const uint64_t most = w->e->runs_max ? w->e->runs_max : DLAB_WAYS_DEFAULT;
    if (w->e->weights.count < most) return DLAB_OK;
    return dlab_fail(err, DLAB_ELIMIT,
                     "%s: the coins can fall in more than %llu ways; those seen have probability %g",
                     w->e->model->name, (unsigned long long)most, w->weight.sum);
}

/* The coins lie as they are to fall: run, and keep what the run leaves behind. */
static int one_way(walk *w, dlab_error *err)
{
    dlab_enumeration *e = w->e;
    worker *own = &w->j.workers[0];
    const uint64_t number = e->weights.count;
    if (push(w, &e->metrics, NULL, err)) return err->code;
    w->sweep.metrics = e->metrics.rows + number * e->model->metrics_size;
    if (dlab_job_row(&w->j, own, 0) != DLAB_OK) {
        const dlab_error told = own->ctx.err;
        if (told.code == DLAB_ESTOP || number == 0) return dlab_fail(err, told.code, "%s", told.text);
        return dlab_fail(err, told.code, "way %llu: %s", (unsigned long long)number, told.text);
    }
    add(&w->weight, w->coins.weight);
    const uint64_t noted = e->choices.list.count;
    if (push(w, &e->weights, &w->coins.weight, err) || push(w, &e->fingerprints, &w->fingerprint, err) ||
        push(w, &e->offsets, &noted, err))
        return err->code;
    atomic_fetch_add_explicit(&w->j.done, 1, memory_order_relaxed);
    own->since_poll += own->ctx.steps + 64;
    if (own->since_poll < DLAB_POLL_STEPS) return DLAB_OK;
    own->since_poll = 0;
    if (dlab_watch_poll(&own->watch) == 0) return DLAB_OK;
    return dlab_fail(err, DLAB_ESTOP, "%s: stopped after %llu runs", e->model->name,
                     (unsigned long long)number + 1);
}

static int every_way(walk *w, dlab_error *err)
{
    dlab_enumeration *e = w->e;
    const uint64_t none = 0;
    if (push(w, &e->offsets, &none, err)) return err->code;
    while (dlab_enumerator_next(&w->coins))
        if (check_walk(w, err) || check_count(w, err) || one_way(w, err)) return err->code;
    if (check_walk(w, err)) return err->code;
    if (!(fabs(w->weight.sum - 1) <= WEIGHT_ERROR))
        return dlab_fail(err, DLAB_EBROKEN, "%s: the weights of %zu runs add up to %.12g, not to 1",
                         e->model->name, e->weights.count, w->weight.sum);
    return DLAB_OK;
}

static void open_walk(walk *w, dlab_enumeration *e)
{
    memset(w, 0, sizeof *w);
    dlab_enumerator_open(&w->coins);
    e->metrics = (dlab_buffer){ .row_size = e->model->metrics_size };
    e->weights = (dlab_buffer){ .row_size = sizeof(double) };
    e->fingerprints = e->offsets = e->buckets = (dlab_buffer){ .row_size = sizeof(uint64_t) };
    e->choices = (dlab_choices){ .memory = &e->memory, .most = SIZE_MAX / sizeof(dlab_choice) };
    e->memory.fail_at = e->fail_at;
    w->e = e;
    w->sweep = (dlab_sweep){ .model = e->model,
                             .params = e->params,
                             .keys = &e->key,
                             .row_count = 1,
                             .reps = 1,
                             .pool = e->pool,
                             .threads = 1,
                             .steps_max = e->steps_max,
                             .memory_max = e->memory_max,
                             .fail_at = e->fail_at,
                             .host = e->host,
                             .token = e->token,
                             .chooser = &w->coins.base,
                             .record = &e->choices,
                             .fingerprints = &w->fingerprint };
}

int dlab_enumerate(dlab_enumeration *e, dlab_error *err)
{
    dlab_error own = { .code = DLAB_OK };
    if (err == NULL) err = &own;
    walk *w = dlab_memory_realloc(&e->memory, NULL, 0, sizeof *w, err); /* too big for a small stack */
    if (w == NULL) return err->code;
    open_walk(w, e);
    if (dlab_job_open(&w->j, &w->sweep, err) == DLAB_OK && every_way(w, err) == DLAB_OK) {
        e->buckets = w->j.workers[0].buckets; /* moved, with what accounts for it */
        e->memory.used += e->buckets.capacity * e->buckets.row_size;
        w->j.workers[0].buckets = (dlab_buffer){ .row_size = sizeof(uint64_t) };
    }
    dlab_job_close(&w->j);
    dlab_sweep_free(&w->sweep);
    dlab_memory_free(&e->memory, w, sizeof *w);
    if (err->code != DLAB_OK) dlab_enumeration_free(e);
    return err->code;
}

void dlab_enumeration_free(dlab_enumeration *e)
{
    dlab_buffer *const all[] = { &e->metrics, &e->weights, &e->fingerprints, &e->buckets, &e->offsets };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) dlab_buffer_free(all[i], &e->memory);
    dlab_choices_free(&e->choices);
}
