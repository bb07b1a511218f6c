/* The one file that knows threads. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "app/app.h"

enum { WORKERS_MAX = 256 };

typedef struct crew {
    void (*work)(void *arg, unsigned worker);
    void *arg;
    atomic_uint live;
} crew;

typedef struct member {
    crew *crew;
    unsigned worker;
    pthread_t thread;
} member;

static void *start(void *arg)
{
    member *m = arg;
    m->crew->work(m->crew->arg, m->worker);
    atomic_fetch_sub(&m->crew->live, 1);
    return NULL;
}

void dlab_parallel_run(unsigned n, void (*work)(void *arg, unsigned worker), void (*idle)(void *arg),
                       void *arg)
{
    crew c = { .work = work, .arg = arg };
    member members[WORKERS_MAX];
    unsigned started = 0;
    if (n > WORKERS_MAX) n = WORKERS_MAX;
    for (unsigned w = 1; w < n; w++) {
        member *m = &members[started];
        *m = (member){ .crew = &c, .worker = w };
        atomic_fetch_add(&c.live, 1);
        if (pthread_create(&m->thread, NULL, start, m) != 0) {
            atomic_fetch_sub(&c.live, 1);
            break;
        }
        started++;
    }
    work(arg, 0);
    for (unsigned w = started + 1; w < n; w++) work(arg, w);
    while (atomic_load(&c.live) != 0) {
        const struct timespec pause = { .tv_nsec = 500000 };
        (void)nanosleep(&pause, NULL);
        idle(arg);
    }
    for (unsigned t = 0; t < started; t++) (void)pthread_join(members[t].thread, NULL);
}

/* A quota of the control group as whole cores, or `cores` where there is none. Version 2 of the interface
 * first (one file "quota period"), then version 1 (two files). */
static unsigned cgroup_cores(unsigned cores)
{
    long long quota = -1, period = 0;
    char word[32] = "";
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "re");
    if (f != NULL) {
        if (fscanf(f, "%31s %lld", word, &period) == 2 && word[0] != 'm') quota = atoll(word);
        (void)fclose(f);
    } else if ((f = fopen("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "re")) != NULL) {
        if (fscanf(f, "%lld", &quota) != 1) quota = -1;
        (void)fclose(f);
        f = fopen("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "re");
        if (f != NULL) {
            if (fscanf(f, "%lld", &period) != 1) period = 0;
            (void)fclose(f);
        }
    }
    if (quota <= 0 || period <= 0) return cores;
    const long long whole = (quota + period - 1) / period;
    return whole < (long long)cores ? (unsigned)whole : cores;
}

unsigned dlab_cores(void)
{
    unsigned cores = 1;
#ifdef __linux__
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0) cores = (unsigned)CPU_COUNT(&set);
#else
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    if (online > 0) cores = (unsigned)online;
#endif
    cores = cgroup_cores(cores);
    return cores == 0 ? 1 : cores;
}
