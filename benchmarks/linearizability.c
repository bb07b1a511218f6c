/* Processor time, explored states and memory of the linearizability checker on made-up histories, beside
 * the goals:   linearizability [ROUNDS] Each line is the median over rounds of fresh histories; `unknown`
 * counts histories not decided. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <distlab/check.h>

#include "bench.h"

enum { ROUNDS_MAX = 99 };

typedef struct scenario {
    const char *name;
    dlab_generator g;
    int32_t specification;
    double goal_ms, goal_mb; /* 0: none stated */
    uint32_t switched_off;
} scenario;

static void measure(const scenario *s, int rounds)
{
    double times[ROUNDS_MAX];
    double states = 0, peak = 0;
    int no = 0, unknown = 0;
    for (int k = 0; k < rounds; k++) {
        dlab_memory memory = { 0 };
        dlab_history h;
        dlab_check_result r;
        dlab_error err = { 0 };
        dlab_rng rng;
        const dlab_check_options o = { .specification = s->specification,
                                       .fail_semantics = DLAB_FAIL_MISMATCH,
                                       .order = true,
                                       .switched_off = s->switched_off,
                                       .states_max = 5000000 };
        dlab_rng_open(&rng, 17, DLAB_PURPOSE_SAMPLE, (uint64_t)k);
        must(dlab_history_open(&h, &memory, &err), err.text);
        must(dlab_generate_history(&s->g, &rng, &h, NULL, &err), err.text);
        const double start = processor_s();
        must(dlab_check_history(&h, &o, &memory, &r, &err), err.text);
        times[k] = (processor_s() - start) * 1e3;
        states += (double)r.states / rounds;
        if ((double)r.peak_bytes > peak) peak = (double)r.peak_bytes;
        no += r.verdict == DLAB_VERDICT_NO;
        unknown += r.verdict == DLAB_VERDICT_UNKNOWN;
        dlab_check_result_free(&r);
        dlab_history_close(&h);
    }
    const double middle = median(times, rounds);
    printf("%-58s %9.3f ms (worst %9.3f)  goal %6g  %12.0f states  %8.2f MB  goal %3g  no %2d unknown %2d of "
           "%d\n",
           s->name, middle, times[rounds - 1], s->goal_ms, states, peak / 1e6, s->goal_mb, no, unknown,
           rounds);
}

#define MADE(kind_, ops_, clients_, keys_, values_, crash_, bug_)                              \
    {                                                                                          \
        .kind = DLAB_GENERATOR_##kind_, .ops = (ops_), .clients = (clients_), .keys = (keys_), \
        .values = (values_), .read_fraction = 0.5, .crash_rate = (crash_), .bug_rate = (bug_)  \
    }
#define ON(kind_) .specification = DLAB_SPECIFICATION_##kind_

static const scenario scenarios[] = {
    { "register, 5 values, 200 ops of 10, some 30 crashed", MADE(REGISTER, 200, 10, 1, 5, 0.15, 0),
      ON(REGISTER), 1, 0, 0 },
    { "register, unique, 200 ops of 10, some 30 crashed", MADE(REGISTER, 200, 10, 1, 0, 0.15, 0),
      ON(REGISTER), 1, 0, 0 },
    { "  the same by search", MADE(REGISTER, 200, 10, 1, 0, 0.15, 0), ON(REGISTER), 1, 0, DLAB_PRUNE_UNIQUE },
    { "cas register, 5 values, 200 ops of 10, some 30 crashed", MADE(CAS_REGISTER, 200, 10, 1, 5, 0.15, 0),
      ON(CAS_REGISTER), 1, 0, 0 },
    { "register, 5 values, 10 000 ops of 20, 1 % crashed", MADE(REGISTER, 10000, 20, 1, 5, 0.01, 0),
      ON(REGISTER), 20, 64, 0 },
    { "register, unique, 10 000 ops of 20, 1 % crashed", MADE(REGISTER, 10000, 20, 1, 0, 0.01, 0),
      ON(REGISTER), 20, 64, 0 },
    { "  the same by search", MADE(REGISTER, 10000, 20, 1, 0, 0.01, 0), ON(REGISTER), 20, 64,
      DLAB_PRUNE_UNIQUE },
    { "cas register, 5 values, 10 000 ops of 20, 1 % crashed", MADE(CAS_REGISTER, 10000, 20, 1, 5, 0.01, 0),
      ON(CAS_REGISTER), 20, 64, 0 },
    { "register, 5 values, 10 000 ops of 20, one in 2000 wrong",
      MADE(REGISTER, 10000, 20, 1, 5, 0.01, 0.0005), ON(REGISTER), 20, 64, 0 },
    { "cas register, 5 values, 10 000 ops of 20, 1 in 2000 wrong",
      MADE(CAS_REGISTER, 10000, 20, 1, 5, 0.01, 0.0005), ON(CAS_REGISTER), 20, 64, 0 },
    { "register, unique, 10 000 ops of 20, 1 in 100 wrong", MADE(REGISTER, 10000, 20, 1, 0, 0, 0.01),
      ON(REGISTER), 20, 64, 0 },
    { "cas register, unique, 10 000 ops of 20, 1 in 100 wrong", MADE(CAS_REGISTER, 10000, 20, 1, 0, 0, 0.01),
      ON(CAS_REGISTER), 20, 64, 0 },
    { "register, 5 values, 50 000 ops of 5, 1 in 1000 crashed", MADE(REGISTER, 50000, 5, 1, 5, 0.001, 0),
      ON(REGISTER), 10, 0, 0 },
    { "register, unique, 50 000 ops of 5, 1 in 1000 crashed", MADE(REGISTER, 50000, 5, 1, 0, 0.001, 0),
      ON(REGISTER), 10, 0, 0 },
    { "cas register, 5 values, 50 000 ops of 5, 1 in 1000 crashed",
      MADE(CAS_REGISTER, 50000, 5, 1, 5, 0.001, 0), ON(CAS_REGISTER), 10, 0, 0 },
    { "register, 5 values, 1e6 ops of 5, 1e-4 crashed", MADE(REGISTER, 1000000, 5, 1, 5, 0.0001, 0),
      ON(REGISTER), 500, 0, 0 },
    { "register, unique, 1e6 ops of 5, 1e-4 crashed", MADE(REGISTER, 1000000, 5, 1, 0, 0.0001, 0),
      ON(REGISTER), 500, 0, 0 },
    { "key-value with appends, 2 000 ops of 50, 10 keys", MADE(KEY_VALUE, 2000, 50, 10, 0, 0, 0),
      ON(KEY_VALUE), 5, 0, 0 },
    { "key-value with appends, 2 000 ops of 50, 1 key", MADE(KEY_VALUE, 2000, 50, 1, 0, 0, 0), ON(KEY_VALUE),
      5, 0, 0 },
    { "key-value with appends, 2 000 of 50, 10 keys, some wrong", MADE(KEY_VALUE, 2000, 50, 10, 0, 0, 0.001),
      ON(KEY_VALUE), 5, 0, 0 },
    { "key-value with appends, 2 000 of 50, 10 keys, 2 % crashed", MADE(KEY_VALUE, 2000, 50, 10, 0, 0.02, 0),
      ON(KEY_VALUE), 5, 0, 0 },
    { "list-append, 2 000 ops of 50, 1 key", MADE(LIST_APPEND, 2000, 50, 1, 0, 0, 0), ON(LIST_APPEND), 5, 0,
      0 },
    { "queue, 40 ops of 3", MADE(QUEUE, 40, 3, 1, 0, 0, 0), ON(QUEUE), 0, 0, 0 },
    { "stack, 40 ops of 3", MADE(STACK, 40, 3, 1, 0, 0, 0), ON(STACK), 0, 0, 0 },
    { "queue, 1 000 ops of 5", MADE(QUEUE, 1000, 5, 1, 0, 0, 0), ON(QUEUE), 0, 0, 0 },
    { "queue, 1 000 ops of 5, 1 % crashed", MADE(QUEUE, 1000, 5, 1, 0, 0.01, 0), ON(QUEUE), 0, 0, 0 },
    { "queue, 1 000 ops of 5, one in 500 wrong", MADE(QUEUE, 1000, 5, 1, 0, 0, 0.002), ON(QUEUE), 0, 0, 0 },
    { "queue, 1 000 ops of 5, 1 % crashed, 1 in 500 wrong", MADE(QUEUE, 1000, 5, 1, 0, 0.01, 0.002),
      ON(QUEUE), 0, 0, 0 },
    { "queue, 10 000 ops of 5", MADE(QUEUE, 10000, 5, 1, 0, 0, 0), ON(QUEUE), 0, 0, 0 },
    { "queue, 10 000 ops of 5, 1 % crashed", MADE(QUEUE, 10000, 5, 1, 0, 0.01, 0), ON(QUEUE), 0, 0, 0 },
    { "queue, 10 000 ops of 5, one in 500 wrong", MADE(QUEUE, 10000, 5, 1, 0, 0, 0.002), ON(QUEUE), 0, 0, 0 },
    { "queue, 10 000 ops of 5, 1 % crashed, 1 in 500 wrong", MADE(QUEUE, 10000, 5, 1, 0, 0.01, 0.002),
      ON(QUEUE), 0, 0, 0 },
    { "queue, 10 000 ops of 20", MADE(QUEUE, 10000, 20, 1, 0, 0, 0), ON(QUEUE), 0, 0, 0 },
    { "queue, 10 000 ops of 20, 1 % crashed", MADE(QUEUE, 10000, 20, 1, 0, 0.01, 0), ON(QUEUE), 0, 0, 0 },
    { "queue, 10 000 ops of 20, one in 500 wrong", MADE(QUEUE, 10000, 20, 1, 0, 0, 0.002), ON(QUEUE), 0, 0,
      0 },
    { "queue, 10 000 ops of 20, 1 % crashed, 1 in 500 wrong", MADE(QUEUE, 10000, 20, 1, 0, 0.01, 0.002),
      ON(QUEUE), 0, 0, 0 },
    { "stack, 1 000 ops of 5", MADE(STACK, 1000, 5, 1, 0, 0, 0), ON(STACK), 0, 0, 0 },
    { "stack, 1 000 ops of 5, 1 % crashed", MADE(STACK, 1000, 5, 1, 0, 0.01, 0), ON(STACK), 0, 0, 0 },
    { "stack, 1 000 ops of 5, one in 500 wrong", MADE(STACK, 1000, 5, 1, 0, 0, 0.002), ON(STACK), 0, 0, 0 },
    { "stack, 1 000 ops of 5, 1 % crashed, 1 in 500 wrong", MADE(STACK, 1000, 5, 1, 0, 0.01, 0.002),
      ON(STACK), 0, 0, 0 },
    { "stack, 10 000 ops of 5", MADE(STACK, 10000, 5, 1, 0, 0, 0), ON(STACK), 0, 0, 0 },
    { "stack, 10 000 ops of 5, 1 % crashed", MADE(STACK, 10000, 5, 1, 0, 0.01, 0), ON(STACK), 0, 0, 0 },
    { "stack, 10 000 ops of 5, one in 500 wrong", MADE(STACK, 10000, 5, 1, 0, 0, 0.002), ON(STACK), 0, 0, 0 },
    { "stack, 10 000 ops of 5, 1 % crashed, 1 in 500 wrong", MADE(STACK, 10000, 5, 1, 0, 0.01, 0.002),
      ON(STACK), 0, 0, 0 },
    { "stack, 10 000 ops of 20", MADE(STACK, 10000, 20, 1, 0, 0, 0), ON(STACK), 0, 0, 0 },
    { "stack, 10 000 ops of 20, 1 % crashed", MADE(STACK, 10000, 20, 1, 0, 0.01, 0), ON(STACK), 0, 0, 0 },
    { "stack, 10 000 ops of 20, one in 500 wrong", MADE(STACK, 10000, 20, 1, 0, 0, 0.002), ON(STACK), 0, 0,
      0 },
    { "stack, 10 000 ops of 20, 1 % crashed, 1 in 500 wrong", MADE(STACK, 10000, 20, 1, 0, 0.01, 0.002),
      ON(STACK), 0, 0, 0 },
    { "set, 1 000 ops of 5", MADE(SET, 1000, 5, 1, 0, 0, 0), ON(SET), 0, 0, 0 },
    { "counter, 1 000 ops of 5, 1 % crashed", MADE(COUNTER, 1000, 5, 1, 0, 0.01, 0), ON(COUNTER), 0, 0, 0 },
    { "mutex, 1 000 ops of 5", MADE(MUTEX, 1000, 5, 1, 0, 0, 0), ON(MUTEX), 0, 0, 0 },
    { "several registers, 1 000 ops of 5, 4 keys", MADE(MULTI_REGISTER, 1000, 5, 4, 5, 0, 0),
      ON(MULTI_REGISTER), 0, 0, 0 },
};

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 5;
    const char *only = argc > 2 ? argv[2] : "";
    if (rounds < 1 || rounds > ROUNDS_MAX) rounds = 5;
    for (size_t k = 0; k < sizeof scenarios / sizeof scenarios[0]; k++)
        if (strstr(scenarios[k].name, only) != NULL) measure(&scenarios[k], rounds);
    return 0;
}
