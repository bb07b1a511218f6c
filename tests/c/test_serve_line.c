/* The line of a station against a list that anybody can read: at every step the naive line looks at all who
 * wait, in the order they were put in, and applies the sentence of the discipline. Random operations (put in,
 * put back, take the next, take one out) grow both far beyond the first allocation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "queueing/serve_line.h"

enum { OPERATIONS = 20000, WAITING_MAX = 3000, CLASSES = 5, THRESHOLD = 7 };

typedef struct naive {
    uint32_t job[WAITING_MAX]; /* from the oldest place in line to the newest */
    int count;
} naive;

static int by_class(int discipline)
{
    return discipline == DLAB_DISCIPLINE_PRIORITY || discipline == DLAB_DISCIPLINE_PRIORITY_PREEMPTIVE;
}

/* Put back: ahead of its equals, which under "last come now" is behind everybody. */
static void naive_push(naive *n, int discipline, uint32_t job, bool again)
{
    int at = n->count++;
    if (again && discipline != DLAB_DISCIPLINE_LIFO_PREEMPTIVE)
        for (; at > 0; at--) n->job[at] = n->job[at - 1];
    n->job[at] = job;
}

static void naive_remove(naive *n, int at)
{
    for (n->count--; at < n->count; at++) n->job[at] = n->job[at + 1];
}

/* The place of who is next. */
static int naive_next(const naive *n, int discipline, const dlab_job *jobs)
{
    int best = 0;
    if (discipline == DLAB_DISCIPLINE_LIFO || discipline == DLAB_DISCIPLINE_LIFO_PREEMPTIVE)
        return n->count - 1;
    if (discipline == DLAB_DISCIPLINE_ADAPTIVE_LIFO) return n->count > THRESHOLD ? n->count - 1 : 0;
    for (int i = 1; i < n->count; i++) {
        const dlab_job *a = &jobs[n->job[i]], *b = &jobs[n->job[best]];
        if (by_class(discipline) && a->class < b->class) best = i;
        if (discipline == DLAB_DISCIPLINE_SRPT &&
            (a->left < b->left || (a->left == b->left && a->number < b->number)))
            best = i;
    }
    return best;
}

static int place_of(const naive *n, uint32_t job)
{
    for (int i = 0; i < n->count; i++)
        if (n->job[i] == job) return i;
    fail_msg("job %u does not wait", (unsigned)job);
    return -1;
}

static void take_next(dlab_line *line, naive *n, dlab_rng *rng, uint32_t *in_service)
{
    const int next = n->count > 0 ? naive_next(n, line->discipline, line->jobs) : -1;
    const uint32_t job = dlab_line_pop(line);
    if (next < 0) {
        assert_int_equal(job, DLAB_NO_JOB);
        return;
    }
    if (line->discipline != DLAB_DISCIPLINE_RANDOM) assert_int_equal(job, n->job[next]);
    naive_remove(n, place_of(n, job));
    if (*in_service != DLAB_NO_JOB) dlab_line_free_job(line, *in_service);
    *in_service = job; /* served a little, so it may come back */
    line->jobs[job].left -= (int64_t)dlab_rng_below(rng, (uint64_t)line->jobs[job].left);
}

static void put_in(dlab_line *line, naive *n, dlab_rng *rng, dlab_ctx *ctx, int64_t number)
{
    const uint32_t job = dlab_line_new_job(line, ctx);
    assert_int_not_equal(job, DLAB_NO_JOB);
    assert_int_equal(line->jobs[job].start, -1);
    assert_true(line->jobs[job].departure.word == 0 && line->jobs[job].patience.word == 0);
    line->jobs[job].number = number;
    line->jobs[job].left = 1 + (int64_t)dlab_rng_below(rng, 50); /* with ties */
    line->jobs[job].class = (int32_t)dlab_rng_below(rng, CLASSES);
    naive_push(n, line->discipline, job, false);
    dlab_line_push(line, job, false);
}

static void operate(int discipline, dlab_ctx *ctx)
{
    static naive n;
    dlab_line line;
    dlab_rng rng;
    const dlab_serve what = { .discipline = discipline, .lifo_threshold = THRESHOLD };
    uint32_t in_service = DLAB_NO_JOB;
    n.count = 0;
    dlab_rng_seed(&rng, 1, 2, (uint64_t)discipline);
    assert_int_equal(dlab_line_open(&line, &what, ctx), DLAB_OK);
    int most = 0;
    for (int i = 0; i < OPERATIONS; i++) {
        const uint64_t filling = i % 8000 < 4000 ? 6 : 2; /* it grows, and empties, and grows */
        const uint64_t dice = dlab_rng_below(&rng, 10);
        if (dice < filling && n.count < WAITING_MAX) {
            put_in(&line, &n, &rng, ctx, i);
        } else if (dice < 8) {
            take_next(&line, &n, &rng, &in_service);
        } else if (dice == 8 && n.count > 0) {
            const int at = (int)dlab_rng_below(&rng, (uint64_t)n.count);
            const uint32_t job = n.job[at];
            naive_remove(&n, at);
            dlab_line_remove(&line, job);
            dlab_line_free_job(&line, job);
        } else if (in_service != DLAB_NO_JOB && n.count < WAITING_MAX) {
            naive_push(&n, discipline, in_service, true);
            dlab_line_push(&line, in_service, true);
            in_service = DLAB_NO_JOB;
        }
        assert_int_equal(line.count, n.count);
        most = n.count > most ? n.count : most;
    }
    while (n.count > 0) take_next(&line, &n, &rng, &in_service);
    take_next(&line, &n, &rng, &in_service);
    assert_true(most > 500 && most < WAITING_MAX);
    assert_true(line.job_count <= (uint32_t)most + 1); /* places are used again */
    dlab_arena_reset(&ctx->arena);
}

static void every_discipline_keeps_its_word(void **state)
{
    dlab_memory memory = { 0 };
    dlab_ctx ctx = { .key = 7, .arena = { .memory = &memory } };
    (void)state;
    for (int d = 0; d < DLAB_DISCIPLINE_COUNT; d++) operate(d, &ctx);
    dlab_arena_free(&ctx.arena);
    assert_int_equal(memory.used, 0);
}

/* Ten wait; whoever is taken is put in again: each is taken alike often. */
static void random_takes_anybody_alike(void **state)
{
    enum { JOBS = 10, ROUNDS = 100000 };
    dlab_memory memory = { 0 };
    dlab_ctx ctx = { .key = 8, .arena = { .memory = &memory } };
    const dlab_serve what = { .discipline = DLAB_DISCIPLINE_RANDOM };
    dlab_line line;
    double taken[JOBS] = { 0 }, chi_square = 0;
    (void)state;
    assert_int_equal(dlab_line_open(&line, &what, &ctx), DLAB_OK);
    for (int i = 0; i < JOBS; i++) dlab_line_push(&line, dlab_line_new_job(&line, &ctx), false);
    for (int i = 0; i < ROUNDS; i++) {
        const uint32_t job = dlab_line_pop(&line);
        taken[job]++;
        dlab_line_push(&line, job, false);
    }
    for (int i = 0; i < JOBS; i++)
        chi_square += (taken[i] - ROUNDS / JOBS) * (taken[i] - ROUNDS / JOBS) / (ROUNDS / JOBS);
    assert_true(chi_square < 9 + 4 * 4.2426); /* nine degrees of freedom, four standard deviations */
    dlab_arena_free(&ctx.arena);
}

/* Every allocation fails once: an error, never a lost job. */
static void growth_that_fails_says_so(void **state)
{
    (void)state;
    for (uint64_t fail_at = 1;; fail_at++) {
        dlab_memory memory = { .fail_at = fail_at };
        dlab_ctx ctx = { .key = 9, .arena = { .memory = &memory } };
        const dlab_serve what = { .discipline = DLAB_DISCIPLINE_FIFO };
        dlab_line line;
        int64_t pushed = 0;
        bool failed = dlab_line_open(&line, &what, &ctx) != DLAB_OK;
        while (!failed && pushed < 1000) {
            const uint32_t job = dlab_line_new_job(&line, &ctx);
            failed = job == DLAB_NO_JOB;
            if (failed) break;
            line.jobs[job].number = pushed++;
            dlab_line_push(&line, job, false);
        }
        assert_int_equal(failed, ctx.err.code != DLAB_OK);
        for (int64_t i = 0; i < pushed; i++) assert_int_equal(line.jobs[dlab_line_pop(&line)].number, i);
        dlab_arena_free(&ctx.arena);
        if (!failed) break;
        assert_true(fail_at < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_discipline_keeps_its_word),
        cmocka_unit_test(random_takes_anybody_alike),
        cmocka_unit_test(growth_that_fails_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
