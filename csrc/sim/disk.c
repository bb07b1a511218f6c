/* See disk.h. Writes wait in a ring, their bytes in another. What an honest fsync completes is always a
 * prefix of the ring, so what is volatile is always a suffix; a write leaves the ring when it is both
 * durable (or failed) and reported. Crashes and damage are in disk_faults.c. */
#include <string.h>

#include "sim/disk_inline.h"

enum { WRITES_FIRST = 16, BYTES_FIRST = 4096 };

const dlab_field dlab_disk_fields[] = {
    DLAB_FIELD(dlab_disks, fsync, .unit = "s", .display = "ms", .text = "1ms", .min = 0, .max = 1e3,
               .low = 1e-5, .high = 0.1, .log_scale = true, .group = "Disks",
               .doc = "Time an fsync takes; one runs at a time."),
    DLAB_FIELD(dlab_disks, fsync_lie, .min = 0, .max = 1, .low = 0, .high = 0.1,
               .doc = "Probability that an fsync reports success while its bytes stay volatile until a "
                      "later honest one."),
    DLAB_FIELD(dlab_disks, write_error, .min = 0, .max = 1, .low = 0, .high = 0.1,
               .doc = "Probability that a write fails, reports it and leaves the disk as it was."),
    DLAB_FIELD(dlab_disks, misdirect, .min = 0, .max = 1, .low = 0, .high = 0.1,
               .doc = "Probability that a write lands one or more sectors off and reports success."),
    DLAB_FIELD(dlab_disks, crash_corrupt, .min = 0, .max = 1, .low = 0, .high = 1,
               .doc = "Probability that a power failure flips a bit in a sector written since the last."),
    DLAB_FIELD(dlab_disks, group_commit, .dflt = 1,
               .doc = "Writes issued while an fsync runs share the next one; else each waits for its own."),
    DLAB_FIELD(dlab_disks, disk_capacity, .unit = "byte", .dflt = INFINITY, DLAB_OFF(INFINITY), .min = 1,
               .max = 1e15, .low = 1e4, .high = 1e9, .log_scale = true,
               .doc = "Bytes that may be written to a disk in all; more is refused as full. None: no limit."),
    DLAB_FIELD(dlab_disks, sector, .unit = "byte", .dflt = 4096, .min = 8, .max = 1 << 20, .low = 64,
               .high = 65536, .log_scale = true,
               .doc = "What the disk writes whole; a torn write ends between two of these."),
    DLAB_FIELD(dlab_disks, recoverable, .dflt = 1,
               .doc = "Damage (misdirect, crash_corrupt, rot) leaves a majority of nodes an intact copy of "
                      "every sector."),
    DLAB_END,
};

int dlab_disk_open(dlab_disk *d, const dlab_disks *p, const dlab_atlas *atlas, size_t size, uint32_t node,
                   dlab_ctx *ctx)
{
    if (size > DLAB_DISK_BYTES_MAX)
        return dlab_fail(&ctx->err, DLAB_ELIMIT, "a disk of %zu bytes; %d are the most", size,
                         DLAB_DISK_BYTES_MAX);
    const size_t sector = (size_t)p->sector;
    *d = (dlab_disk){ .p = p,
                      .atlas = atlas,
                      .chooser = ctx->chooser,
                      .node = node,
                      .size = size,
                      .sectors = (size + sector - 1) / sector,
                      .slow = 1 };
    dlab_stream(ctx, &d->rng, DLAB_PURPOSE_DISK, node);
    dlab_stream(ctx, &d->faults, DLAB_PURPOSE_DISK, UINT64_C(1) << 32 | node);
    if (dlab_sampler_init(&d->fsync, &p->fsync, ctx->pool, 0, &ctx->arena, &ctx->err)) return ctx->err.code;
    d->image = dlab_alloc(ctx, size, 1);
    if (d->image == NULL) return ctx->err.code;
    d->touched = dlab_alloc(ctx, d->sectors / 8 + 1, 1);
    return d->touched == NULL ? ctx->err.code : DLAB_OK;
}

/* Bytes go into the ring in at most two pieces, and come out of it so. */
static void into_ring(unsigned char *ring, size_t capacity, uint64_t begin, const unsigned char *from,
                      size_t length)
{
    const size_t at = (size_t)begin & (capacity - 1), left = capacity - at;
    const size_t piece = length < left ? length : left;
    memcpy(ring + at, from, piece);
    if (length > piece) memcpy(ring, from + piece, length - piece);
}

void dlab_disk_store(dlab_disk *d, const dlab_disk_write *w, uint32_t length)
{
    if (length == 0) return;
    const size_t at = (size_t)w->begin & (d->bytes_capacity - 1), left = d->bytes_capacity - at;
    const size_t piece = length < left ? length : left;
    memcpy(d->image + w->offset, d->bytes + at, piece);
    if (length > piece) memcpy(d->image + w->offset + piece, d->bytes, length - piece);
}

/* The oldest write leaves the ring. */
static void leave(dlab_disk *d)
{
    d->bytes_used -= dlab_disk_at(d, 0)->length;
    d->first = (d->first + 1) & (d->capacity - 1);
    d->count--;
    if (d->durable > 0) d->durable--;
    d->reported--;
}

/* The oldest write, of which an fsync lied, reaches the image because its room is needed. */
static bool push_out(dlab_disk *d)
{
    if (d->reported == 0) return false;
    dlab_disk_store(d, dlab_disk_at(d, 0), dlab_disk_at(d, 0)->length);
    leave(d);
    return true;
}

static int room_for_write(dlab_disk *d, dlab_ctx *ctx)
{
    if (d->count < d->capacity) return DLAB_OK;
    if (d->capacity == DLAB_DISK_WRITES_MAX) {
        if (push_out(d)) return DLAB_OK;
        return dlab_fail(&ctx->err, DLAB_ELIMIT, "%u writes wait for the disk of node %u; that is the most",
                         d->count, d->node);
    }
    const uint32_t capacity = d->capacity == 0 ? WRITES_FIRST : 2 * d->capacity;
    dlab_disk_write *writes = dlab_alloc(ctx, capacity, sizeof(dlab_disk_write));
    if (writes == NULL) return ctx->err.code;
    for (uint32_t k = 0; k < d->count; k++) writes[k] = *dlab_disk_at(d, k);
    d->writes = writes;
    d->first = 0;
    d->capacity = capacity;
    return DLAB_OK;
}

static int room_for_bytes(dlab_disk *d, uint32_t length, dlab_ctx *ctx)
{
    size_t capacity = d->bytes_capacity == 0 ? BYTES_FIRST : d->bytes_capacity;
    while (capacity < DLAB_DISK_BYTES_MAX && capacity - d->bytes_used < length) capacity *= 2;
    while (capacity - d->bytes_used < length)
        if (!push_out(d))
            return dlab_fail(&ctx->err, DLAB_ELIMIT,
                             "%zu bytes wait for the disk of node %u and %u more come; %d are the most",
                             d->bytes_used, d->node, length, DLAB_DISK_BYTES_MAX);
    if (capacity == d->bytes_capacity) return DLAB_OK;
    unsigned char *ring = dlab_alloc(ctx, capacity, 1);
    if (ring == NULL) return ctx->err.code;
    for (uint64_t begin = d->bytes_end - d->bytes_used; begin < d->bytes_end;) {
        const size_t at = (size_t)begin & (d->bytes_capacity - 1), left = d->bytes_capacity - at;
        const size_t more = (size_t)(d->bytes_end - begin), piece = more < left ? more : left;
        into_ring(ring, capacity, begin, d->bytes + at, piece);
        begin += piece;
    }
    d->bytes = ring;
    d->bytes_capacity = capacity;
    return DLAB_OK;
}

/* The end of an fsync that begins then. */
static int64_t fsync_from(dlab_disk *d, int64_t start)
{
    const double latency = (double)dlab_sample_ns(&d->fsync, &d->rng) * d->slow;
    d->fsyncs++;
    d->lie =
        dlab_coin(d->chooser, &d->faults, dlab_disk_coin(d, DLAB_COIN_FSYNC_LIE, d->count), d->p->fsync_lie);
    if (!(latency < (double)(DLAB_TIME_MAX - start))) return DLAB_TIME_MAX;
    return start + (latency > 0 ? (int64_t)(latency + 0.5) : 0);
}

/* The end of the fsync that a write issued now waits for. */
static int64_t join(dlab_disk *d, int64_t now)
{
    if (d->batch_until != 0 && now >= d->busy_until) {
        d->busy_until = d->batch_until;
        d->batch_until = 0;
    }
    if (now >= d->busy_until) return d->busy_until = fsync_from(d, now);
    if (!d->p->group_commit) return d->busy_until = fsync_from(d, d->busy_until);
    if (d->batch_until == 0) d->batch_until = fsync_from(d, d->busy_until);
    return d->batch_until;
}

/* The write's status; where it lands may change. */
static uint8_t attempt(dlab_disk *d, uint32_t *offset, uint32_t length)
{
    const dlab_disks *p = d->p;
    if (d->full || d->written + length > p->disk_capacity) return DLAB_DISK_FULL;
    if (d->failing ||
        dlab_coin(d->chooser, &d->faults, dlab_disk_coin(d, DLAB_COIN_WRITE_ERROR, d->count), p->write_error))
        return DLAB_DISK_ERROR;
    if (length > 0 &&
        dlab_coin(d->chooser, &d->faults, dlab_disk_coin(d, DLAB_COIN_MISDIRECT, d->count), p->misdirect))
        *offset = dlab_disk_stray(d, *offset, length);
    return DLAB_DISK_OK;
}

int dlab_disk_put(dlab_disk *d, int64_t now, uint32_t offset, const void *bytes, uint32_t length,
                  uint64_t ticket, int64_t *done, dlab_ctx *ctx)
{
    if (offset > d->size || length > d->size - offset)
        return dlab_fail(&ctx->err, DLAB_EINVAL,
                         "node %u writes %u bytes at %u, outside its disk of %zu bytes", d->node, length,
                         offset, d->size);
    if (room_for_write(d, ctx)) return ctx->err.code;
    const uint8_t status = attempt(d, &offset, length);
    if (status != DLAB_DISK_OK) length = 0;
    if (room_for_bytes(d, length, ctx)) return ctx->err.code;
    /* A full disk says so at once; that a write failed comes to light when it is synced. */
    *done = status == DLAB_DISK_FULL ? now : join(d, now);
    d->writes[(d->first + d->count) & (d->capacity - 1)] = (dlab_disk_write){ .ticket = ticket,
                                                                              .done = *done,
                                                                              .fsync = d->fsyncs,
                                                                              .begin = d->bytes_end,
                                                                              .offset = offset,
                                                                              .length = length,
                                                                              .status = status,
                                                                              .lie = d->lie };
    d->count++;
    if (length == 0) return DLAB_OK;
    into_ring(d->bytes, d->bytes_capacity, d->bytes_end, bytes, length);
    d->bytes_end += length;
    d->bytes_used += length;
    d->written += length;
    const dlab_sectors s = dlab_disk_sectors(d, offset, length);
    for (size_t k = s.first; k <= s.last; k++) d->touched[k / 8] |= (unsigned char)(1u << k % 8);
    return DLAB_OK;
}

/* An honest fsync has completed: everything up to its last write is durable. */
static void make_durable(dlab_disk *d, uint64_t fsync)
{
    for (; d->durable < d->count && dlab_disk_at(d, d->durable)->fsync <= fsync; d->durable++)
        dlab_disk_store(d, dlab_disk_at(d, d->durable), dlab_disk_at(d, d->durable)->length);
}

int dlab_disk_done(dlab_disk *d, int64_t now, uint64_t ticket)
{
    for (uint32_t k = d->reported; k < d->count; k++) {
        dlab_disk_write *w = dlab_disk_at(d, k);
        if (w->reported || w->ticket != ticket || w->done > now) continue;
        const int status = w->status;
        w->reported = true;
        if (status == DLAB_DISK_OK && !w->lie) make_durable(d, w->fsync);
        while (d->reported < d->count && dlab_disk_at(d, d->reported)->reported) d->reported++;
        while (d->reported > 0 && (d->durable > 0 || dlab_disk_at(d, 0)->status != DLAB_DISK_OK)) leave(d);
        return status;
    }
    return -1;
}
