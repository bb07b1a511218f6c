/* Disks against a naive one: a list of everything ever written, from which the image is worked out anew each
 * time. Then times by hand, lies by hand, limits, and allocations that fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "disk_test.h"

enum { SIZE = 700, PUTS_MAX = 4000 };

/* The naive disk. */
typedef struct entry {
    uint64_t ticket;
    int64_t done;
    uint32_t offset, length;
    int fsync, status;
    bool reported;
    unsigned char bytes[400];
} entry;

typedef struct naive {
    unsigned char base[SIZE]; /* since the last crash */
    entry all[PUTS_MAX];      /* likewise */
    int count;
    bool lies[PUTS_MAX]; /* per fsync */
    int64_t start[PUTS_MAX], end[PUTS_MAX];
    int fsyncs;
    double written;
    dlab_sampler latency;
    dlab_rng rng;
    int honest; /* the last fsync that was honest and reported */
    unsigned char image[SIZE];
} naive;

/* The fsync that a write issued now belongs to; a new one begins when the last one in line is over, and not
 * before the write. */
static int fsync_of(naive *n, const rig *r, int64_t now)
{
    const int last = n->fsyncs - 1;
    const bool line_ended = last < 0 || n->end[last] <= now;
    if (!line_ended && r->p.group_commit && n->start[last] > now) return last; /* it has not begun */
    n->start[n->fsyncs] = line_ended ? now : n->end[last];
    n->end[n->fsyncs] = n->start[n->fsyncs] + dlab_sample_ns(&n->latency, &n->rng);
    n->lies[n->fsyncs] = r->thrower.last[DLAB_COIN_FSYNC_LIE];
    return n->fsyncs++;
}

static void naive_put(naive *n, const rig *r, int64_t now, uint32_t offset, const unsigned char *bytes,
                      uint32_t length, uint64_t ticket)
{
    assert_true(n->count < PUTS_MAX);
    entry *e = &n->all[n->count++];
    *e = (entry){ .ticket = ticket, .done = now, .offset = offset, .length = length, .fsync = -1 };
    memcpy(e->bytes, bytes, length);
    if (r->disk.full || n->written + length > r->p.disk_capacity) {
        e->status = DLAB_DISK_FULL;
        return;
    }
    if (r->disk.failing || r->thrower.last[DLAB_COIN_WRITE_ERROR]) e->status = DLAB_DISK_ERROR;
    else n->written += length;
    e->fsync = fsync_of(n, r, now);
    e->done = n->end[e->fsync];
}

static void apply(unsigned char *image, const entry *e, uint32_t length)
{
    memcpy(image + e->offset, e->bytes, length);
}

/* The image: everything up to the last fsync that was honest and reported; how many writes are not in it. */
static int work_out(naive *n, bool everything)
{
    int left = 0;
    n->honest = -1;
    memcpy(n->image, n->base, SIZE);
    for (int i = 0; i < n->count; i++)
        if (n->all[i].reported && n->all[i].status == DLAB_DISK_OK && !n->lies[n->all[i].fsync] &&
            n->all[i].fsync > n->honest)
            n->honest = n->all[i].fsync;
    for (int i = 0; i < n->count; i++) {
        if (n->all[i].status != DLAB_DISK_OK) continue;
        if (everything || n->all[i].fsync <= n->honest) apply(n->image, &n->all[i], n->all[i].length);
        else left++;
    }
    return left;
}

/* Is the image what some number of whole writes, and some sectors of the next, leave? */
static bool may_be_torn(naive *n, const unsigned char *image, int sector)
{
    const int volatiles = work_out(n, false);
    int seen = 0;
    if (memcmp(image, n->image, SIZE) == 0) return true;
    for (int i = 0; i < n->count; i++) {
        const entry *e = &n->all[i];
        if (e->status != DLAB_DISK_OK || e->fsync <= n->honest) continue;
        seen++;
        for (uint32_t b = 1; b <= e->length; b++) {
            if (b < e->length && (e->offset + b) % (uint32_t)sector != 0) continue;
            apply(n->image, e, b);
            if (memcmp(image, n->image, SIZE) == 0) return true;
        }
        apply(n->image, e, e->length);
    }
    assert_int_equal(seen, volatiles);
    return false;
}

static void crash(naive *n, rig *r, int keep)
{
    dlab_disk_crash(&r->disk, keep);
    if (keep == DLAB_KEEP_TORN) {
        assert_true(may_be_torn(n, r->disk.image, (int)r->p.sector));
    } else {
        (void)work_out(n, keep == DLAB_KEEP_WRITTEN);
        if (keep == DLAB_KEEP_NOTHING) memset(n->image, 0, SIZE);
        assert_memory_equal(r->disk.image, n->image, SIZE);
    }
    for (int i = 0; i < n->count; i++)
        assert_int_equal(dlab_disk_done(&r->disk, INT64_MAX, n->all[i].ticket), -1);
    memcpy(n->base, r->disk.image, SIZE);
    if (keep == DLAB_KEEP_NOTHING) n->written = 0;
    n->count = n->fsyncs = 0;
}

/* Report one completion: mostly the next that is due, sometimes any (a chooser may call them in any order),
 * sometimes one that is not due yet. */
static void report(naive *n, rig *r, dlab_rng *rng, int64_t *now)
{
    int pick = -1;
    const bool any = dlab_rng_below(rng, 4) == 0;
    for (int i = 0, seen = 0; i < n->count; i++) {
        if (n->all[i].reported) continue;
        seen++;
        if (pick < 0 || (any ? dlab_rng_below(rng, (uint64_t)seen) == 0 : n->all[i].done < n->all[pick].done))
            pick = i;
    }
    if (pick < 0) return;
    entry *e = &n->all[pick];
    if (e->done > *now) assert_int_equal(dlab_disk_done(&r->disk, e->done - 1, e->ticket), -1);
    if (*now < e->done) *now = e->done;
    assert_int_equal(dlab_disk_done(&r->disk, *now, e->ticket), e->status);
    assert_int_equal(dlab_disk_done(&r->disk, *now, e->ticket), -1);
    e->reported = true;
}

static void a_naive_disk_holds_the_same_bytes(void **state)
{
    enum { RUNS = 24, OPERATIONS = 3000 };
    static naive n;
    (void)state;
    int crashes = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        dlab_disks p = plain_disks(run % 3 == 0 ? "1ms" : "exponential(1ms)");
        p.group_commit = run % 2 == 0;
        p.fsync_lie = run % 4 < 2 ? 0.3 : 0;
        p.write_error = run % 5 == 0 ? 0.1 : 0;
        p.sector = run % 3 == 1 ? 64 : 100;
        if (run % 6 == 5) p.disk_capacity = 20000;
        rig *r = open_rig(p, SIZE, run, true);
        dlab_rng rng;
        dlab_rng_open(&rng, run, DLAB_PURPOSE_SAMPLE, 2);
        memset(&n, 0, sizeof n);
        dlab_stream(&r->ctx, &n.rng, DLAB_PURPOSE_DISK, 1);
        assert_int_equal(dlab_sampler_init(&n.latency, &p.fsync, NULL, 0, NULL, NULL), DLAB_OK);
        int64_t now = 0;
        uint64_t ticket = 0;
        for (int i = 0; i < OPERATIONS; i++) {
            const uint64_t dice = dlab_rng_below(&rng, 1000);
            if (dice < 700 || (i > 1000 && i < 1400)) { /* in between, a long rush */
                unsigned char bytes[400];
                const uint32_t length = (uint32_t)dlab_rng_below(&rng, sizeof bytes + 1);
                const uint32_t offset = (uint32_t)dlab_rng_below(&rng, SIZE - length + 1);
                for (uint32_t b = 0; b < length; b++) bytes[b] = (unsigned char)dlab_rng_u64(&rng);
                int64_t done;
                memset(r->thrower.last, 0, sizeof r->thrower.last);
                assert_int_equal(
                    dlab_disk_put(&r->disk, now, offset, bytes, length, ++ticket, &done, &r->ctx), DLAB_OK);
                naive_put(&n, r, now, offset, bytes, length, ticket);
                assert_int_equal(done, n.all[n.count - 1].done);
            } else if (dice < 980) {
                report(&n, r, &rng, &now);
                report(&n, r, &rng, &now);
                report(&n, r, &rng, &now);
            } else if (dice < 990) {
                r->disk.full = run % 2 == 1 && !r->disk.full;
                r->disk.failing = run % 3 == 1 && !r->disk.failing;
            } else {
                crash(&n, r, (int)dlab_rng_below(&rng, 4));
                crashes++;
            }
            now += dlab_rng_below(&rng, 3) == 0 ? (int64_t)dlab_rng_below(&rng, 2 * MS) : 0;
            (void)work_out(&n, false);
            assert_memory_equal(r->disk.image, n.image, SIZE);
        }
        close_rig(r);
    }
    assert_true(crashes > 100);
}

static void writes_that_come_meanwhile_share_the_next_fsync(void **state)
{
    (void)state;
    rig *r = open_rig(plain_disks("10ms"), SIZE, 1, false);
    assert_int_equal(put(r, 0, 0, 1, 8, 1), 10 * MS);           /* alone */
    assert_int_equal(put(r, 1 * MS, 8, 2, 8, 2), 20 * MS);      /* waits for the first, then 10 ms */
    assert_int_equal(put(r, 10 * MS - 1, 0, 3, 8, 3), 20 * MS); /* the same fsync */
    assert_int_equal(put(r, 10 * MS, 0, 4, 8, 4), 30 * MS);     /* that one has begun without it */
    assert_int_equal(put(r, 45 * MS, 0, 5, 8, 5), 55 * MS);     /* nobody was before it */
    r->disk.slow = 3;
    assert_int_equal(put(r, 46 * MS, 0, 6, 8, 6), 85 * MS); /* a slow disk */
    r->disk.slow = 1;
    assert_int_equal(put(r, 47 * MS, 0, 7, 0, 7), 85 * MS); /* no bytes: only the fsync */
    assert_int_equal(dlab_disk_done(&r->disk, 10 * MS, 2), -1);
    assert_int_equal(dlab_disk_done(&r->disk, 10 * MS, 1), DLAB_DISK_OK);
    assert_int_equal(r->disk.image[8], 0);
    assert_int_equal(dlab_disk_done(&r->disk, 20 * MS, 3), DLAB_DISK_OK);
    assert_int_equal(r->disk.image[0], 3);
    assert_int_equal(r->disk.image[8], 2); /* its fsync too has completed, though nobody has told yet */
    dlab_disk_crash(&r->disk, DLAB_KEEP_SYNCED);
    assert_int_equal(r->disk.image[0], 3);
    assert_int_equal(put(r, 50 * MS, 0, 9, 8, 9), 60 * MS); /* nothing is under way any more */
    close_rig(r);

    dlab_disks p = plain_disks("10ms");
    p.group_commit = false;
    r = open_rig(p, SIZE, 1, false);
    assert_int_equal(put(r, 0, 0, 1, 8, 1), 10 * MS);
    assert_int_equal(put(r, 1 * MS, 0, 2, 8, 2), 20 * MS);
    assert_int_equal(put(r, 2 * MS, 0, 3, 8, 3), 30 * MS);
    assert_int_equal(put(r, 35 * MS, 0, 4, 8, 4), 45 * MS);
    close_rig(r);
}

static void a_lie_lasts_until_an_honest_fsync(void **state)
{
    (void)state;
    dlab_disks p = plain_disks("10ms");
    rig *r = open_rig(p, SIZE, 1, false);
    r->p.fsync_lie = 1;
    put(r, 0, 0, 1, 8, 1);
    r->p.fsync_lie = 0;
    put(r, 5 * MS, 8, 2, 8, 2);
    assert_int_equal(dlab_disk_done(&r->disk, 10 * MS, 1), DLAB_DISK_OK); /* so it says */
    assert_int_equal(r->disk.image[0], 0);
    put(r, 15 * MS, 16, 3, 8, 3); /* comes while the honest one runs: not covered by it */
    assert_int_equal(dlab_disk_done(&r->disk, 20 * MS, 2), DLAB_DISK_OK);
    assert_int_equal(r->disk.image[0], 1);
    assert_int_equal(r->disk.image[8], 2);
    assert_int_equal(r->disk.image[16], 0);
    r->p.fsync_lie = 1;
    put(r, 40 * MS, 0, 4, 8, 4);
    assert_int_equal(dlab_disk_done(&r->disk, 50 * MS, 4), DLAB_DISK_OK);
    dlab_disk_crash(&r->disk, DLAB_KEEP_SYNCED);
    assert_int_equal(r->disk.image[0], 1); /* reported as synced, and lost */
    put(r, 60 * MS, 0, 5, 8, 5);
    dlab_disk_crash(&r->disk, DLAB_KEEP_WRITTEN);
    assert_int_equal(r->disk.image[0], 5); /* only the process died */
    close_rig(r);
}

static void full_and_failing_disks_say_so(void **state)
{
    (void)state;
    dlab_disks p = plain_disks("10ms");
    p.disk_capacity = 20;
    rig *r = open_rig(p, SIZE, 1, false);
    put(r, 0, 0, 1, 16, 1);
    assert_int_equal(put(r, 1, 0, 2, 5, 2), 1); /* refused at once */
    put(r, 2, 0, 3, 4, 3);                      /* 20 bytes fit */
    r->disk.failing = true;
    assert_int_equal(put(r, 3, 0, 4, 0, 4), 20 * MS); /* comes to light at the fsync */
    r->disk.failing = false;
    assert_int_equal(dlab_disk_done(&r->disk, 1, 2), DLAB_DISK_FULL);
    assert_int_equal(dlab_disk_done(&r->disk, 20 * MS, 4), DLAB_DISK_ERROR);
    assert_int_equal(r->disk.image[0], 0); /* a failed fsync makes nothing durable */
    assert_int_equal(dlab_disk_done(&r->disk, 20 * MS, 3), DLAB_DISK_OK);
    assert_int_equal(r->disk.image[0], 3);
    assert_int_equal(r->disk.image[4], 1);
    dlab_disk_crash(&r->disk, DLAB_KEEP_NOTHING); /* a new disk has room again */
    put(r, 0, 0, 7, 20, 9);
    assert_int_equal(dlab_disk_done(&r->disk, 10 * MS, 9), DLAB_DISK_OK);
    r->disk.full = true;
    put(r, 30 * MS, 0, 8, 0, 10);
    assert_int_equal(dlab_disk_done(&r->disk, 30 * MS, 10), DLAB_DISK_FULL);
    close_rig(r);
}

static void latencies_do_not_depend_on_what_goes_wrong(void **state)
{
    (void)state;
    dlab_disks p = plain_disks("lognormal(median=1ms, sigma=1)");
    rig *honest = open_rig(p, SIZE, 3, false);
    p.fsync_lie = 0.5;
    p.write_error = 0.5;
    p.misdirect = 0.5;
    rig *bad = open_rig(p, SIZE, 3, false);
    for (int64_t i = 0; i < 2000; i++) {
        const int64_t now = i * MS / 3;
        assert_int_equal(put(honest, now, 0, 1, 64, (uint64_t)i), put(bad, now, 0, 1, 64, (uint64_t)i));
    }
    close_rig(honest);
    close_rig(bad);
}

static void limits_are_named(void **state)
{
    (void)state;
    rig *r = open_rig(plain_disks("1ms"), SIZE, 1, false);
    unsigned char byte = 1;
    int64_t done;
    assert_int_equal(dlab_disk_put(&r->disk, 0, SIZE, &byte, 1, 1, &done, &r->ctx), DLAB_EINVAL);
    assert_non_null(strstr(r->ctx.err.text, "outside its disk of 700 bytes"));
    r->ctx.err.code = DLAB_OK;
    assert_int_equal(dlab_disk_put(&r->disk, 0, UINT32_MAX, &byte, UINT32_MAX, 1, &done, &r->ctx),
                     DLAB_EINVAL);
    r->ctx.err.code = DLAB_OK;
    for (uint64_t i = 0; i < DLAB_DISK_WRITES_MAX; i++) (void)put(r, 0, 0, 1, 1, i);
    assert_int_equal(dlab_disk_put(&r->disk, 0, 0, &byte, 1, 1, &done, &r->ctx), DLAB_ELIMIT);
    assert_non_null(strstr(r->ctx.err.text, "65536 writes wait for the disk of node 1"));
    r->ctx.err.code = DLAB_OK;
    dlab_disk big;
    assert_int_equal(dlab_disk_open(&big, &r->p, &r->atlas, DLAB_DISK_BYTES_MAX + 1, 0, &r->ctx),
                     DLAB_ELIMIT);
    r->ctx.err.code = DLAB_OK;
    const uint32_t half = DLAB_DISK_BYTES_MAX / 2;
    assert_int_equal(dlab_disk_open(&big, &r->p, &r->atlas, half, 0, &r->ctx), DLAB_OK);
    unsigned char *bytes = calloc(half, 1);
    assert_int_equal(dlab_disk_put(&big, 0, 0, bytes, half, 1, &done, &r->ctx), DLAB_OK);
    assert_int_equal(dlab_disk_put(&big, 0, 0, bytes, half, 2, &done, &r->ctx), DLAB_OK);
    assert_int_equal(dlab_disk_put(&big, 0, 0, bytes, 1, 3, &done, &r->ctx), DLAB_ELIMIT);
    assert_non_null(strstr(r->ctx.err.text, "67108864 are the most"));
    free(bytes);
    close_rig(r);
}

/* A disk that always lies has a cache that ends some time: the oldest bytes reach the image after all. */
static void old_lies_are_pushed_out(void **state)
{
    enum { WRITES = DLAB_DISK_WRITES_MAX + 1000 };
    (void)state;
    dlab_disks p = plain_disks("0s");
    p.fsync_lie = 1;
    rig *r = open_rig(p, SIZE, 1, false);
    for (uint32_t i = 0; i < WRITES; i++) {
        (void)put(r, i, i % SIZE, (unsigned char)(1 + i / SIZE), 1, i);
        assert_int_equal(dlab_disk_done(&r->disk, i, i), DLAB_DISK_OK);
    }
    unsigned char image[SIZE] = { 0 };
    for (uint32_t i = 0; i < 1000; i++) image[i % SIZE] = (unsigned char)(1 + i / SIZE);
    dlab_disk_crash(&r->disk, DLAB_KEEP_SYNCED);
    assert_memory_equal(r->disk.image, image, SIZE);
    close_rig(r);
}

static int small_run(dlab_memory *memory)
{
    dlab_ctx ctx = {
        .key = 1, .arena = { .memory = memory }, .steps_max = UINT64_MAX, .poll_at = UINT64_MAX
    };
    const dlab_disks p = plain_disks("1ms");
    dlab_atlas atlas;
    dlab_disk d;
    unsigned char bytes[400] = { 0 };
    dlab_atlas_open(&atlas, &ctx, 3, true);
    int code = dlab_disk_open(&d, &p, &atlas, SIZE, 0, &ctx);
    for (uint64_t i = 0; i < 40 && code == DLAB_OK; i++) {
        int64_t done;
        code = dlab_disk_put(&d, 0, 0, bytes, sizeof bytes, i, &done, &ctx);
    }
    assert_int_equal(ctx.err.code, code);
    dlab_arena_free(&ctx.arena);
    return code;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    dlab_memory memory = { 0 };
    uint64_t failures = 0;
    for (;; failures++) {
        memory = (dlab_memory){ .fail_at = failures + 1 };
        const int code = small_run(&memory);
        assert_int_equal(memory.used, 0);
        if (code == DLAB_OK) break;
        assert_int_equal(code, DLAB_ENOMEM);
    }
    assert_true(failures >= 7); /* image, marks, and each ring as it grows */
    memory = (dlab_memory){ .budget = 20000 };
    assert_int_equal(small_run(&memory), DLAB_ELIMIT);
}

static void the_fields_say_what_is_accepted(void **state)
{
    (void)state;
    static dlab_layout layout;
    dlab_disks p;
    dlab_error err = { 0 };
    assert_int_equal(dlab_layout_init(&layout, dlab_disk_fields, &err), DLAB_OK);
    for (int i = 0; i < layout.count; i++) {
        const dlab_field *f = &layout.fields[i];
        assert_int_equal(dlab_field_set_default(f, &p, &err), DLAB_OK);
        assert_int_equal(dlab_field_check(f, &p, NULL, &err), DLAB_OK);
        assert_int_not_equal(dlab_field_set_number(f, &p, NAN, NULL), DLAB_OK);
        assert_int_not_equal(dlab_field_set_number(f, &p, -1, NULL), DLAB_OK);
        assert_int_equal(dlab_field_set_default(f, &p, &err), DLAB_OK);
    }
    assert_true(p.fsync_lie == 0 && p.write_error == 0 && p.misdirect == 0 && p.crash_corrupt == 0);
    assert_true(p.group_commit && p.recoverable && p.sector == 4096 && isinf(p.disk_capacity));
    assert_true(dlab_distribution_mean(&p.fsync, NULL) == 1e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_naive_disk_holds_the_same_bytes),
        cmocka_unit_test(writes_that_come_meanwhile_share_the_next_fsync),
        cmocka_unit_test(a_lie_lasts_until_an_honest_fsync),
        cmocka_unit_test(full_and_failing_disks_say_so),
        cmocka_unit_test(latencies_do_not_depend_on_what_goes_wrong),
        cmocka_unit_test(limits_are_named),
        cmocka_unit_test(old_lies_are_pushed_out),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(the_fields_say_what_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
