/* What the tests of disks share: a run's context, a disk in it, and a chooser whose coins the test throws. */
#ifndef DISTLAB_TEST_DISK_H
#define DISTLAB_TEST_DISK_H
#include <stdlib.h>
#include <string.h>

#include "sim/disk.h"

#define MS INT64_C(1000000)

/* Coins fall as the test's own stream says; what each decided last is kept. */
typedef struct thrower {
    dlab_chooser base;
    dlab_rng rng;
    bool last[256];
} thrower;

typedef struct rig {
    dlab_memory memory;
    dlab_ctx ctx;
    dlab_disks p;
    dlab_atlas atlas;
    dlab_disk disk;
    thrower thrower;
} rig;

static inline int throw_coin(dlab_chooser *c, const dlab_choice *options, const double *odds, uint32_t n)
{
    thrower *t = (thrower *)(void *)c;
    const bool loud = dlab_rng_unit(&t->rng) < odds[1];
    assert_int_equal(n, 2);
    t->last[dlab_choice_what(options[0]) >> 48 & 0xff] = loud;
    return loud;
}

static inline dlab_disks plain_disks(const char *fsync)
{
    dlab_disks p = { .group_commit = true, .disk_capacity = INFINITY, .sector = 64, .recoverable = true };
    assert_int_equal(dlab_distribution_parse(fsync, "s", NULL, NULL, &p.fsync, NULL), DLAB_OK);
    return p;
}

/* A disk of node 1 of 5 in a run of its own. */
static inline rig *open_rig(dlab_disks p, size_t size, uint64_t key, bool throws)
{
    rig *r = calloc(1, sizeof *r);
    r->ctx = (dlab_ctx){
        .key = key, .arena = { .memory = &r->memory }, .steps_max = UINT64_MAX, .poll_at = UINT64_MAX
    };
    r->thrower.base.pick = throw_coin;
    dlab_rng_open(&r->thrower.rng, key, DLAB_PURPOSE_SAMPLE, 1);
    if (throws) r->ctx.chooser = &r->thrower.base;
    r->p = p;
    dlab_atlas_open(&r->atlas, &r->ctx, 5, p.recoverable);
    assert_int_equal(dlab_disk_open(&r->disk, &r->p, &r->atlas, size, 1, &r->ctx), DLAB_OK);
    return r;
}

static inline void close_rig(rig *r)
{
    dlab_arena_free(&r->ctx.arena);
    free(r);
}

/* Write `length` times the byte `value`; when it is done. */
static inline int64_t put(rig *r, int64_t now, uint32_t offset, unsigned char value, uint32_t length,
                          uint64_t ticket)
{
    unsigned char bytes[4096];
    int64_t done = -1;
    assert_true(length <= sizeof bytes);
    memset(bytes, value, length);
    assert_int_equal(dlab_disk_put(&r->disk, now, offset, bytes, length, ticket, &done, &r->ctx), DLAB_OK);
    assert_true(done >= now);
    return done;
}

#endif
