/* A sweep on every core: waiting times of a queue against its load, for one, two and four servers, each
 * point run twenty times, with intervals and the closed form beside them.
 *
 *     sweep_threads           a table for people
 *     sweep_threads csv 2     every digit, for programs; on two threads, which changes none
 *
 * Keys come from the seed and the repetition alone, so all points see the same randomness, and the
 * numbers are those of  dl.sweep("queueing.station", arrival_rate=..., servers=..., reps=20, seed=1)  in
 * Python. */
#include <distlab/distlab.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_csv(dlab_study *study)
{
    puts("arrival_rate,servers,wait,wait_low,wait_high,latency_p99,latency_p99_low,latency_p99_high,theory");
    for (size_t i = 0; i < dlab_study_size(study); i++) {
        const dlab_queueing_station_params *p = dlab_study_params(study, i);
        const dlab_interval wait = dlab_study_interval(study, i, "wait");
        const dlab_interval p99 = dlab_study_interval(study, i, "latency_p99");
        printf("%.17g,%lld,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g,%.17g\n", p->arrival_rate,
               (long long)p->servers, wait.mean, wait.low, wait.high, p99.mean, p99.low, p99.high,
               dlab_study_theory(study, i, "wait"));
    }
}

/* How many intervals hold the closed form? About 95 of 100 should. */
static void print_coverage(dlab_study *study)
{
    size_t inside = 0, points = dlab_study_size(study);
    for (size_t i = 0; i < points; i++) {
        const dlab_interval wait = dlab_study_interval(study, i, "wait");
        const double exact = dlab_study_theory(study, i, "wait");
        inside += wait.low <= exact && exact <= wait.high;
    }
    printf("\n%zu of %zu intervals hold the closed form\n", inside, points);
}

int main(int argc, char **argv)
{
    const bool csv = argc > 1 && strcmp(argv[1], "csv") == 0;
    dlab_study study = { .model = &dlab_queueing_station, .reps = 20, .seed = 1 };
    study.sweep.threads = argc > 2 ? (unsigned)atoi(argv[2]) : 0; /* 0: every core this process may use */

    dlab_study_set(&study, "jobs", "10k");
    dlab_study_axis(&study, "arrival_rate", "10:95:6");
    dlab_study_axis(&study, "servers", "1, 2, 4");
    dlab_study_run(&study);

    if (study.err.code == DLAB_OK && csv) {
        print_csv(&study);
    } else if (study.err.code == DLAB_OK) {
        dlab_study_print(&study, stdout, "wait, latency_p99, utilisation");
        print_coverage(&study);
    }
    if (study.err.code != DLAB_OK) fprintf(stderr, "sweep_threads: %s\n", study.err.text);
    dlab_study_close(&study);
    return study.err.code == DLAB_OK ? 0 : 1;
}
