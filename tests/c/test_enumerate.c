/* Every way the coins can fall, on a toy that tosses coins and counts. Witnesses: the binomial and the
 * geometric law, sampling, and the replay of each run from the choices it left. Then the walks that must be
 * refused: too many ways, too deep, coins that depend on what they may not. Choosers and records of sweeps,
 * and the fingerprints of rows, are tried on the same toy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "walk.h"

#include <distlab/enumerate.h>

typedef struct params {
    int64_t coins, fail_on; /* fail when so many fell loud */
    double chance;
    bool until_loud; /* stop tossing at the first loud one */
    int64_t cheat;   /* 1: odds, 2: number of coins change from run to run */
} params;

typedef struct metrics {
    int64_t loud, tossed;
    double noise;
    dlab_histogram places;
} metrics;

static const dlab_field param_fields[] = {
    DLAB_FIELD(params, coins, .dflt = 3, .min = 0, .max = 100, .doc = "Coins tossed."),
    DLAB_FIELD(params, fail_on, DLAB_OFF(-1), .dflt = -1, .min = 0, .max = 100, .doc = "Fails then."),
    DLAB_FIELD(params, chance, .dflt = 0.25, .min = 0, .max = 1, .doc = "Of falling loud."),
    DLAB_FIELD(params, until_loud, .doc = "Stop at the first loud one."),
    DLAB_FIELD(params, cheat, .min = 0, .max = 2, .doc = "Depend on what a run may not see."),
    DLAB_END,
};
static const dlab_field metric_fields[] = {
    DLAB_FIELD(metrics, loud, .max = 100, .doc = "Coins that fell loud."),
    DLAB_FIELD(metrics, tossed, .max = 100, .doc = "Coins tossed."),
    DLAB_FIELD(metrics, noise, .max = 1, .doc = "A draw that is no coin."),
    DLAB_FIELD(metrics, places, .max = INFINITY, .doc = "Which ones fell loud."),
    DLAB_END,
};

/* What the cheating toy remembers from run to run. */
static uint64_t runs_so_far;

static int run(const void *params_, void *metrics_, dlab_ctx *ctx)
{
    const params *p = params_;
    metrics *m = metrics_;
    dlab_rng rng;
    dlab_stream(ctx, &rng, DLAB_PURPOSE_ARRIVAL, 0);
    if (dlab_histogram_open(&m->places, &ctx->arena, &ctx->err)) return ctx->err.code;
    const uint64_t number = p->cheat ? runs_so_far++ : 0;
    const int64_t coins = p->cheat == 2 && number % 2 == 1 ? p->coins + 1 : p->coins;
    const double chance = p->cheat == 1 && number % 2 == 1 ? p->chance / 2 : p->chance;
    ctx->fingerprint = ctx->key;
    for (int64_t i = 0; i < coins; i++) {
        if (dlab_step(ctx, 1)) return ctx->err.code;
        const bool loud = dlab_coin(ctx->chooser, &rng, dlab_coin_name(DLAB_COIN_OWN, (uint64_t)i), chance);
        m->tossed++;
        m->loud += loud;
        if (loud) dlab_histogram_record(&m->places, i);
        ctx->fingerprint = ctx->fingerprint * 31 + (loud ? 2u : 1u);
        if (loud && p->until_loud) break;
    }
    m->noise = dlab_rng_unit(&rng);
    if (m->loud == p->fail_on) return dlab_fail(&ctx->err, DLAB_EINVAL, "%d fell loud", (int)m->loud);
    return ctx->err.code;
}

static const dlab_model toy = { .abi = DLAB_ABI,
                                .name = "lab.coins",
                                .title = "coins",
                                .doc = "Tosses coins.",
                                .source = "none",
                                .params = param_fields,
                                .metrics = metric_fields,
                                .params_size = sizeof(params),
                                .metrics_size = sizeof(metrics),
                                .run = run };

static params usual(int64_t coins)
{
    params p;
    assert_int_equal(dlab_params_default(&toy, &p, NULL), DLAB_OK);
    p.coins = coins;
    return p;
}

static dlab_enumeration of(const params *p)
{
    return (dlab_enumeration){ .model = &toy, .params = p, .key = 17 };
}

static const metrics *metrics_of(const dlab_enumeration *e)
{
    return (const metrics *)(const void *)e->metrics.rows;
}
static const double *weights_of(const dlab_enumeration *e)
{
    return (const double *)(const void *)e->weights.rows;
}
static const uint64_t *offsets_of(const dlab_enumeration *e)
{
    return (const uint64_t *)(const void *)e->offsets.rows;
}

static void loud_coins_are_binomial(void **state)
{
    (void)state;
    enum { N = 10 };
    const params p = usual(N);
    dlab_enumeration e = of(&p);
    double by_count[N + 1] = { 0 };
    assert_int_equal(dlab_enumerate(&e, NULL), DLAB_OK);
    assert_int_equal(e.weights.count, 1 << N);
    for (size_t k = 0; k < e.weights.count; k++) {
        const metrics *m = &metrics_of(&e)[k];
        by_count[m->loud] += weights_of(&e)[k];
        assert_true(m->noise == metrics_of(&e)[0].noise); /* the draws behind the coins are the same */
        assert_int_equal(m->places.count, (uint64_t)m->loud);
        assert_int_equal(offsets_of(&e)[k + 1] - offsets_of(&e)[k], (uint64_t)m->loud);
    }
    for (int k = 0; k <= N; k++) {
        const double expected = exp(lgamma(N + 1) - lgamma(k + 1) - lgamma(N - k + 1)) * pow(p.chance, k) *
                                pow(1 - p.chance, N - k);
        assert_true(fabs(by_count[k] - expected) < 1e-12);
    }
    dlab_enumeration_free(&e);
}

static void the_first_loud_coin_is_geometric(void **state)
{
    (void)state;
    params p = usual(40);
    p.until_loud = true;
    dlab_enumeration e = of(&p);
    double tossed = 0;
    assert_int_equal(dlab_enumerate(&e, NULL), DLAB_OK);
    assert_int_equal(e.weights.count, 41); /* the first, ..., the fortieth, none */
    for (size_t k = 0; k < 41; k++) tossed += weights_of(&e)[k] * (double)metrics_of(&e)[k].tossed;
    assert_true(fabs(tossed - (1 - pow(0.75, 40)) / 0.25) < 1e-12);
    dlab_enumeration_free(&e);
}

static void sampling_agrees(void **state)
{
    (void)state;
    enum { REPS = 20000 };
    params p = usual(6);
    p.until_loud = true;
    dlab_enumeration e = of(&p);
    double mean = 0, square = 0, sampled = 0;
    assert_int_equal(dlab_enumerate(&e, NULL), DLAB_OK);
    for (size_t k = 0; k < e.weights.count; k++) {
        const double x = (double)metrics_of(&e)[k].tossed;
        mean += weights_of(&e)[k] * x;
        square += weights_of(&e)[k] * x * x;
    }
    outcome o = run_rows(&(dlab_sweep){ .threads = 2 }, &toy, &p, 1, REPS);
    assert_int_equal(o.err.code, DLAB_OK);
    for (size_t k = 0; k < REPS; k++) sampled += (double)((const metrics *)o.sweep.metrics)[k].tossed / REPS;
    assert_true(fabs(sampled - mean) < 4 * sqrt((square - mean * mean) / REPS));
    drop(&o);
    dlab_enumeration_free(&e);
}

/* Each run again, from the choices it left: the same metrics, fingerprint and choices. */
static void every_run_replays(void **state)
{
    (void)state;
    const params p = usual(7);
    dlab_enumeration e = of(&p);
    assert_int_equal(dlab_enumerate(&e, NULL), DLAB_OK);
    const uint64_t *marks = (const uint64_t *)(const void *)e.fingerprints.rows;
    for (size_t k = 0; k < e.weights.count; k++) {
        const size_t first = offsets_of(&e)[k], count = offsets_of(&e)[k + 1] - first;
        const dlab_choice *list = dlab_choices_list(&e.choices) + first;
        dlab_memory memory = { 0 };
        dlab_choices again = { .memory = &memory };
        dlab_replay replay;
        metrics m;
        uint64_t mark;
        dlab_error err = { 0 };
        dlab_replay_open(&replay, list, count);
        dlab_sweep s = { .model = &toy, .params = &p, .keys = &e.key, .row_count = 1, .reps = 1 };
        s.chooser = &replay.base;
        s.record = &again;
        s.metrics = &m;
        s.fingerprints = &mark;
        assert_int_equal(dlab_sweep_run(&s, &err), DLAB_OK);
        assert_int_equal(m.loud, metrics_of(&e)[k].loud);
        assert_true(m.noise == metrics_of(&e)[k].noise);
        assert_true(mark == marks[k] && replay.skipped == 0 && replay.next == count);
        assert_int_equal(again.list.count, count);
        if (count > 0) assert_memory_equal(dlab_choices_list(&again), list, count * sizeof *list);
        const uint64_t *cells = (const uint64_t *)(const void *)e.buckets.rows;
        assert_memory_equal(s.buckets.rows + m.places.cells.at * sizeof *cells,
                            cells + metrics_of(&e)[k].places.cells.at, m.places.used * sizeof *cells);
        dlab_sweep_free(&s);
        dlab_choices_free(&again);
    }
    dlab_enumeration_free(&e);
}

static void expect_error(const params *p, uint64_t runs_max, int code, const char *part)
{
    dlab_enumeration e = of(p);
    dlab_error err = { 0 };
    runs_so_far = 0;
    e.runs_max = runs_max;
    assert_int_equal(dlab_enumerate(&e, &err), code);
    assert_non_null(strstr(err.text, part));
    assert_true(e.metrics.rows == NULL && e.weights.rows == NULL && e.memory.used == 0);
}

static void walks_that_would_say_nothing_are_refused(void **state)
{
    (void)state;
    params p = usual(10);
    expect_error(&p, 1023, DLAB_ELIMIT, "more than 1023 ways");
    dlab_enumeration e = of(&p);
    e.runs_max = 1024;
    assert_int_equal(dlab_enumerate(&e, NULL), DLAB_OK);
    dlab_enumeration_free(&e);
    e = of(&p);
    e.keep_max = 20000;
    dlab_error err = { 0 };
    assert_int_equal(dlab_enumerate(&e, &err), DLAB_ELIMIT);
    assert_non_null(strstr(err.text, "20000 bytes"));
    p = usual(65);
    p.until_loud = true;
    expect_error(&p, 0, DLAB_ELIMIT, "more than 64 coins");
    p = usual(3);
    p.cheat = 1;
    expect_error(&p, 0, DLAB_EBROKEN, "not to 1");
    p.cheat = 2;
    expect_error(&p, 0, DLAB_EBROKEN, "offered different choices");
    p = usual(3);
    p.fail_on = 2;
    expect_error(&p, 0, DLAB_EINVAL, "way 3: lab.coins: 2 fell loud");
    p.chance = 2;
    expect_error(&p, 0, DLAB_ERANGE, "chance = 2");
}

static void no_coins_one_run(void **state)
{
    (void)state;
    params p = usual(0);
    dlab_enumeration e = of(&p);
    assert_int_equal(dlab_enumerate(&e, NULL), DLAB_OK);
    assert_true(e.weights.count == 1 && weights_of(&e)[0] == 1);
    dlab_enumeration_free(&e);
    p = usual(5);
    p.chance = 1; /* certain: nobody is asked */
    assert_int_equal(dlab_enumerate(&e, NULL), DLAB_OK);
    assert_true(e.weights.count == 1 && metrics_of(&e)[0].loud == 5 && e.choices.list.count == 0);
    dlab_enumeration_free(&e);
}

static bool stop_at_third(void *polls, size_t done)
{
    (void)done;
    return ++*(int *)polls >= 3;
}

static void the_host_may_stop_it(void **state)
{
    (void)state;
    int polls = 0;
    const params p = usual(18);
    const dlab_host host = { stop_at_third, &polls };
    dlab_enumeration e = of(&p);
    dlab_error err = { 0 };
    e.host = &host;
    assert_int_equal(dlab_enumerate(&e, &err), DLAB_ESTOP);
    assert_true(polls == 3 && e.memory.used == 0);
    assert_non_null(strstr(err.text, "stopped after"));
}

static void each_allocation_fails_once(void **state)
{
    (void)state;
    const params p = usual(3);
    int failures = 0;
    dlab_enumeration e = of(&p);
    for (e.fail_at = 1; e.fail_at < 100; e.fail_at++) {
        e.memory = (dlab_memory){ 0 };
        e.memory.fail_at = e.fail_at;
        const int code = dlab_enumerate(&e, NULL);
        failures += code != DLAB_OK;
        assert_true(code == DLAB_OK || code == DLAB_ENOMEM || code == DLAB_ELIMIT);
        dlab_enumeration_free(&e);
        assert_int_equal(e.memory.used, 0);
    }
    assert_true(failures >= 8);
}

static void choices_belong_to_one_row(void **state)
{
    (void)state;
    const params p = usual(3);
    dlab_memory memory = { 0 };
    dlab_choices record = { .memory = &memory };
    outcome o = run_rows(&(dlab_sweep){ .record = &record }, &toy, &p, 1, 2);
    assert_int_equal(o.err.code, DLAB_EINVAL);
    assert_non_null(strstr(o.err.text, "not to 2 rows"));
    drop(&o);
    for (int rep = 0; rep < 50; rep++) { /* a drawn run is the same whether it is recorded or not */
        metrics alone, watched;
        const uint64_t key = dlab_row_key(1, DLAB_POINT_SHARED, (uint64_t)rep);
        dlab_sweep s = { .model = &toy, .params = &p, .keys = &key, .row_count = 1, .reps = 1 };
        s.metrics = &alone;
        assert_int_equal(dlab_sweep_run(&s, NULL), DLAB_OK);
        dlab_sweep_free(&s);
        s.metrics = &watched;
        s.record = &record;
        assert_int_equal(dlab_sweep_run(&s, NULL), DLAB_OK);
        dlab_sweep_free(&s);
        assert_true(alone.loud == watched.loud && alone.noise == watched.noise);
        assert_int_equal(record.list.count, (size_t)alone.loud);
        dlab_choices_free(&record);
    }
}

static void fingerprints_do_not_know_threads(void **state)
{
    (void)state;
    enum { ROWS = 500 };
    params p = usual(20);
    uint64_t one[ROWS], many[ROWS];
    p.fail_on = 5;
    for (unsigned threads = 1; threads <= 4; threads += 3) {
        const dlab_sweep like = { .threads = threads,
                                  .fingerprints = threads == 1 ? one : many,
                                  .mask_errors = true };
        outcome o = run_rows(&like, &toy, &p, 1, ROWS);
        assert_int_equal(o.err.code, DLAB_OK);
        drop(&o);
    }
    assert_memory_equal(one, many, sizeof one);
    size_t none = 0;
    for (size_t k = 0; k < ROWS; k++) none += one[k] == 0;
    assert_true(none > 65 && none < 138); /* five loud ones of twenty: 101 expected, sd 9 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loud_coins_are_binomial),
        cmocka_unit_test(the_first_loud_coin_is_geometric),
        cmocka_unit_test(sampling_agrees),
        cmocka_unit_test(every_run_replays),
        cmocka_unit_test(walks_that_would_say_nothing_are_refused),
        cmocka_unit_test(no_coins_one_run),
        cmocka_unit_test(the_host_may_stop_it),
        cmocka_unit_test(each_allocation_fails_once),
        cmocka_unit_test(choices_belong_to_one_row),
        cmocka_unit_test(fingerprints_do_not_know_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
