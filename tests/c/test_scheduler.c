/* The scheduler against a sorted oracle: an indexed binary heap that knows nothing of runs, segments or
 * buckets. Ten million random operations (schedule, take, cancel, re-arm) over patterns of times that are
 * hard on one or the other structure: ties, equal steps, two scales, falling times, all at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <distlab/random.h>
#include <distlab/scheduler.h>

enum { IDS = 1 << 17, OPERATIONS = 10000000 };

/* An event as the oracle sees it: order by (time, priority, sequence). */
typedef struct known {
    int64_t time;
    uint32_t priority, at; /* at: place in the heap plus one; 0: not pending */
    uint64_t sequence;
    dlab_handle handle;
} known;

typedef struct oracle {
    known events[IDS];
    uint32_t heap[IDS], count, idle[IDS], idle_count;
    uint64_t sequence;
} oracle;

static bool before(const oracle *o, uint32_t a, uint32_t b)
{
    const known *x = &o->events[a], *y = &o->events[b];
    if (x->time != y->time) return x->time < y->time;
    return x->priority != y->priority ? x->priority < y->priority : x->sequence < y->sequence;
}

static void place(oracle *o, uint32_t at, uint32_t id)
{
    o->heap[at] = id;
    o->events[id].at = at + 1;
}

static void sift(oracle *o, uint32_t at)
{
    const uint32_t id = o->heap[at];
    while (at > 0 && before(o, id, o->heap[(at - 1) / 2])) {
        place(o, at, o->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= o->count) break;
        if (child + 1 < o->count && before(o, o->heap[child + 1], o->heap[child])) child++;
        if (!before(o, o->heap[child], id)) break;
        place(o, at, o->heap[child]);
        at = child;
    }
    place(o, at, id);
}

static void oracle_add(oracle *o, uint32_t id, int64_t time, uint32_t priority)
{
    o->events[id].time = time;
    o->events[id].priority = priority;
    o->events[id].sequence = ++o->sequence;
    place(o, o->count++, id);
    sift(o, o->count - 1);
}

static void oracle_remove(oracle *o, uint32_t id)
{
    const uint32_t at = o->events[id].at - 1, last = o->heap[--o->count];
    o->events[id].at = 0;
    o->idle[o->idle_count++] = id;
    if (at == o->count) return;
    place(o, at, last);
    sift(o, at);
}

/* Delays by pattern. */
static int64_t delay(dlab_rng *rng, int pattern)
{
    switch (pattern) {
    case 0: return (int64_t)(1e9 * dlab_rng_exponential(rng));
    case 1: return (int64_t)dlab_rng_below(rng, 4); /* ties everywhere */
    case 2: return 1000;                            /* equal steps */
    case 3: return dlab_rng_below(rng, 10) ? (int64_t)dlab_rng_below(rng, 1000) : INT64_C(1) << 50;
    case 4: return (int64_t)dlab_rng_below(rng, 3) * 1000000; /* a clock tick */
    case 5: return INT64_C(1) << dlab_rng_below(rng, 40);     /* every scale */
    default: return 0;                                        /* all at once */
    }
}

typedef struct fixture {
    dlab_memory memory;
    dlab_error err;
    dlab_scheduler s;
    oracle *o;
    dlab_rng rng;
} fixture;

static void open_fixture(fixture *f)
{
    *f = (fixture){ .o = calloc(1, sizeof *f->o) };
    dlab_rng_open(&f->rng, 11, DLAB_PURPOSE_SAMPLE, 0);
    assert_int_equal(dlab_scheduler_open(&f->s, &f->memory, &f->err), DLAB_OK);
    for (uint32_t id = IDS; id-- > 0;) f->o->idle[f->o->idle_count++] = id;
}

static void close_fixture(fixture *f)
{
    dlab_scheduler_close(&f->s);
    assert_int_equal(f->memory.used, 0);
    free(f->o);
}

static void add(fixture *f, int64_t time)
{
    oracle *o = f->o;
    const uint32_t id = o->idle[--o->idle_count], priority = (uint32_t)dlab_rng_below(&f->rng, 3);
    const dlab_event e = { .time = time, .kind = 7, .node = id, .a = ~(uint64_t)id, .b = (uint64_t)time };
    o->events[id].handle = dlab_schedule(&f->s, &e, priority);
    assert_true(o->events[id].handle.word != 0);
    oracle_add(o, id, time, priority);
}

static void take(fixture *f)
{
    dlab_event e;
    oracle *o = f->o;
    assert_int_equal(dlab_peek(&f->s), o->count ? o->events[o->heap[0]].time : INT64_MAX);
    if (o->count == 0) {
        assert_false(dlab_next(&f->s, INT64_MAX, &e));
        return;
    }
    const uint32_t id = o->heap[0];
    if (o->events[id].time > 0) assert_false(dlab_next(&f->s, o->events[id].time - 1, &e));
    assert_true(dlab_next(&f->s, INT64_MAX, &e));
    assert_int_equal(e.node, id);
    assert_int_equal(e.time, o->events[id].time);
    assert_true(e.kind == 7 && e.a == ~(uint64_t)id);
    assert_int_equal(f->s.now, e.time);
    oracle_remove(o, id);
    assert_false(dlab_cancel(&f->s, o->events[id].handle)); /* its handle matches nothing any more */
}

static void operate(fixture *f, int pattern, uint64_t operations, uint32_t wanted)
{
    oracle *o = f->o;
    for (uint64_t k = 0; k < operations; k++) {
        const uint64_t choice = dlab_rng_below(&f->rng, 100);
        const uint64_t grow = o->count < wanted ? 60 : 30;
        if (choice < grow && o->idle_count > 0) {
            const int64_t d = pattern == 7 ? INT64_C(1) << 40 : delay(&f->rng, pattern);
            add(f, pattern == 7 ? f->s.now + d - (int64_t)o->count : f->s.now + d); /* 7: falling times */
        } else if (choice < 80 || o->count == 0) {
            take(f);
        } else {
            const uint32_t id = o->heap[dlab_rng_below(&f->rng, o->count)];
            if (choice < 87) {
                assert_true(dlab_cancel(&f->s, o->events[id].handle));
                oracle_remove(o, id);
            } else {
                const int64_t time = f->s.now + delay(&f->rng, pattern % 7);
                const dlab_handle old = o->events[id].handle;
                o->events[id].handle = dlab_rearm(&f->s, old, time);
                assert_true(o->events[id].handle.word != 0);
                assert_int_equal(dlab_rearm(&f->s, old, time).word, 0);
                o->events[id].time = time;
                o->events[id].sequence = ++o->sequence;
                sift(o, o->events[id].at - 1);
            }
        }
        assert_int_equal(f->s.live, o->count);
        assert_true(f->s.dead <= f->s.live + 64);
    }
}

static void ten_million_operations_agree_with_the_oracle(void **state)
{
    static const uint32_t sizes[] = { 6, 40, 150, 400, 5000, 100000 };
    (void)state;
    fixture *f = malloc(sizeof *f);
    open_fixture(f);
    for (int round = 0; round < 48; round++)
        operate(f, round % 8, OPERATIONS / 48, sizes[(round * 5 + round / 8) % 6]);
    while (f->o->count > 0) take(f);
    take(f);
    close_fixture(f);
    free(f);
}

static void a_copy_goes_on_exactly_alike(void **state)
{
    (void)state;
    for (uint32_t size = 20; size <= 20000; size *= 10) {
        fixture *f = malloc(sizeof *f);
        dlab_scheduler copy;
        open_fixture(f);
        operate(f, 0, 5 * size, size);
        assert_int_equal(dlab_scheduler_open(&copy, &f->memory, &f->err), DLAB_OK);
        assert_int_equal(dlab_scheduler_copy(&copy, &f->s), DLAB_OK);
        for (uint32_t k = 0; k < 3 * size; k++) {
            dlab_event a, b;
            const bool more = dlab_next(&f->s, INT64_MAX, &a);
            assert_true(dlab_next(&copy, INT64_MAX, &b) == more);
            if (!more) break;
            assert_memory_equal(&a, &b, sizeof a);
            if (k % 3 == 0) continue;
            a.time += 1 + k % 1000;
            const dlab_handle x = dlab_schedule(&f->s, &a, 1), y = dlab_schedule(&copy, &a, 1);
            assert_true(x.word == y.word);
            if (k % 7 == 0) assert_true(dlab_cancel(&f->s, x) && dlab_cancel(&copy, y));
        }
        assert_true(copy.fingerprint == f->s.fingerprint && copy.fired == f->s.fired);
        dlab_scheduler_close(&copy);
        close_fixture(f);
        free(f);
    }
}

static void nothing_is_allocated_after_warm_up(void **state)
{
    (void)state;
    for (uint32_t size = 2; size <= 2000; size *= 10) {
        fixture *f = malloc(sizeof *f);
        dlab_event e;
        open_fixture(f);
        for (uint32_t i = 0; i < size; i++) add(f, delay(&f->rng, 0));
        uint64_t requests = 0;
        const uint32_t warm = 100 * size + 20000;
        for (uint32_t k = 0; k < 2 * warm; k++) {
            assert_true(dlab_next(&f->s, INT64_MAX, &e));
            e.time += delay(&f->rng, 0);
            assert_true(dlab_schedule(&f->s, &e, 0).word != 0);
            if (k == warm) requests = f->memory.allocations;
        }
        assert_int_equal(f->memory.allocations, requests);
        close_fixture(f);
        free(f);
    }
}

static void misuse_is_an_error_with_a_name(void **state)
{
    (void)state;
    fixture *f = malloc(sizeof *f);
    dlab_event e = { .time = 10 };
    open_fixture(f);
    assert_true(dlab_schedule(&f->s, &e, 0).word != 0);
    assert_true(dlab_next(&f->s, INT64_MAX, &e));
    e.time = 9;
    assert_int_equal(dlab_schedule(&f->s, &e, 0).word, 0);
    assert_int_equal(f->err.code, DLAB_EBROKEN);
    assert_non_null(strstr(f->err.text, "in its past"));
    f->err = (dlab_error){ 0 };
    f->s.sequence = (UINT64_C(1) << DLAB_SEQUENCE_BITS) - 1;
    e.time = 11;
    assert_int_equal(dlab_schedule(&f->s, &e, 0).word, 0);
    assert_int_equal(f->err.code, DLAB_ELIMIT);
    assert_false(dlab_cancel(&f->s, (dlab_handle){ 0 }));
    assert_false(dlab_cancel(&f->s, (dlab_handle){ 12345 }));
    close_fixture(f);
    free(f);
}

/* Whatever request for memory fails: an error, and nothing that was pending is lost. */
static void each_allocation_fails_once(void **state)
{
    (void)state;
    bool all = false;
    for (uint64_t n = 1; !all && n < 200; n++) {
        dlab_memory memory = { .fail_at = n };
        dlab_error err = { 0 };
        dlab_scheduler s;
        dlab_event e = { 0 };
        size_t scheduled = 0, taken = 0;
        int64_t last = 0;
        all = dlab_scheduler_open(&s, &memory, &err) == DLAB_OK;
        for (int i = 0; i < 3000 && all; i++) {
            e.time = (i * INT64_C(7919)) % 10007;
            all = dlab_schedule(&s, &e, 0).word != 0;
            scheduled += all;
        }
        if (!all) assert_int_equal(err.code, DLAB_ENOMEM);
        while (s.slots != NULL && dlab_next(&s, INT64_MAX, &e)) {
            assert_true(e.time >= last);
            last = e.time;
            taken++;
        }
        if (taken != scheduled) assert_int_equal(err.code, DLAB_ENOMEM); /* taking may need memory once */
        else all = all && err.code == DLAB_OK;
        dlab_scheduler_close(&s);
        assert_int_equal(memory.used, 0);
    }
    assert_true(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_million_operations_agree_with_the_oracle),
        cmocka_unit_test(a_copy_goes_on_exactly_alike),
        cmocka_unit_test(nothing_is_allocated_after_warm_up),
        cmocka_unit_test(misuse_is_an_error_with_a_name),
        cmocka_unit_test(each_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
