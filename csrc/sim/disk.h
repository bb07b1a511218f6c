/* A disk: an image of bytes, writes on their way to it, and what can go wrong.
 *
 * A write is durable when its fsync has completed; one fsync runs at a time, and writes issued meanwhile
 * share the next (group commit) or each queue for one. A power failure loses exactly the un-synced suffix of
 * the writes; `torn` keeps a random part of it: whole writes in order, then a prefix of sectors of the next.
 * Faults: an fsync that lies (reports success, the bytes stay volatile until some later honest fsync),
 * bits that rot, a write that lands in the wrong place, errors, a full disk. A write that fails or is
 * refused leaves the bytes as they were. Sources: Rebello et al., "Can Applications Recover from fsync
 * Failures?" (ATC 2020); Alagappan et al., "Protocol-Aware Recovery" (FAST 2018).
 *
 * Latencies come from stream (DISK, node), what goes wrong from (DISK, 1 << 32 | node): a probability that
 * is changed never reshuffles the latencies (common random numbers). */
#ifndef DISTLAB_SIM_DISK_H
#define DISTLAB_SIM_DISK_H
#include <distlab/core.h>
#include <distlab/model.h>

/* What survives a crash. */
#define DLAB_KEEPS(X)  \
    X(SYNCED, "kept")  \
    X(NOTHING, "lost") \
    X(TORN, "torn")    \
    X(WRITTEN, "cached")
/* kept: exactly what was synced; lost: nothing, the disk is new; torn: also a random part of the rest;
 * cached: everything written, because only the process died. */
enum {
#define X(code, name) DLAB_KEEP_##code,
    DLAB_KEEPS(X)
#undef X
};

/* Limits of one disk: its size and the bytes on their way to it, and the writes that are. */
enum { DLAB_DISK_BYTES_MAX = 1 << 26, DLAB_DISK_WRITES_MAX = 1 << 16 };

/* Parameters, as a model holds them (DLAB_GROUP). */
typedef struct dlab_disks {
    dlab_distribution fsync; /* latency, s */
    double fsync_lie;        /* probability that an fsync reports success without being one */
    double write_error;      /* probability that a write fails with an error */
    double misdirect;        /* probability that a write lands one or more sectors off */
    double crash_corrupt;    /* probability that a crash flips a bit in a sector written since the last */
    bool group_commit;
    double disk_capacity; /* bytes that may be written to it in all; off: no limit */
    int64_t sector;       /* bytes */
    bool recoverable;     /* the fault atlas: a majority keeps an intact copy of every sector */
} dlab_disks;

extern const dlab_field dlab_disk_fields[];

/* The fault atlas: for each sector the nodes whose copy may be damaged (rot, corruption, misdirected
 * writes); never so many that fewer than a majority keep it intact (after tigerbeetle's ClusterFaultAtlas).
 * What an honest disk loses in a crash is no damage, nor is what a lying one loses. */
typedef struct dlab_atlas {
    uint64_t key;
    uint32_t nodes, most; /* most: damaged copies of one sector */
} dlab_atlas;
void dlab_atlas_open(dlab_atlas *atlas, const dlab_ctx *ctx, uint32_t nodes, bool recoverable);
bool dlab_atlas_allows(const dlab_atlas *atlas, uint32_t node, uint64_t sector);

typedef struct dlab_disk_write {
    uint64_t ticket;
    int64_t done;            /* true time at which its fsync completes */
    uint64_t fsync;          /* which one that is, counted from 1 */
    uint64_t begin;          /* of its bytes, counted over all bytes that ever came */
    uint32_t offset, length; /* where it lands; length 0: it failed */
    uint8_t status;
    bool lie, reported;
} dlab_disk_write;

typedef struct dlab_disk {
    const dlab_disks *p;
    const dlab_atlas *atlas;
    dlab_sampler fsync;
    dlab_rng rng, faults;
    dlab_chooser *chooser;
    uint32_t node;
    unsigned char *image; /* durable bytes */
    size_t size, sectors;
    unsigned char *touched;  /* bit per sector: written since the last crash */
    dlab_disk_write *writes; /* a ring: those not yet durable or not yet reported, oldest first */
    uint32_t first, count, capacity;
    uint32_t reported, durable; /* so many of the oldest have been reported, are in the image or failed */
    unsigned char *bytes;       /* of those writes: a ring */
    size_t bytes_used, bytes_capacity;
    uint64_t bytes_end;  /* bytes that ever came */
    int64_t busy_until;  /* the fsync under way ends; without group commit: the last one in line */
    int64_t batch_until; /* the one behind it ends; 0: nobody waits */
    uint64_t fsyncs;     /* begun or waited for, so far */
    bool lie;            /* the last of them does */
    double slow;         /* factor on latency */
    double written;      /* bytes */
    bool full, failing;  /* faults under way: every write is refused, or fails */
} dlab_disk;

/* `size` bytes, all zero and durable; memory comes from the run's arena. */
int dlab_disk_open(dlab_disk *d, const dlab_disks *p, const dlab_atlas *atlas, size_t size, uint32_t node,
                   dlab_ctx *ctx);

/* Write bytes at an offset and sync. *done: the true time at which completion (or the error) is reported,
 * never before now. The write joins the ones not yet durable. When no more fit, the oldest bytes of which an
 * fsync lied reach the image after all; when there are none, the run ends. */
int dlab_disk_put(dlab_disk *d, int64_t now, uint32_t offset, const void *bytes, uint32_t length,
                  uint64_t ticket, int64_t *done, dlab_ctx *ctx);

/* The oldest completion with this ticket that is due by `now` is reported: its status; -1: there is none (a
 * crash took it). An honest one brings its fsync's writes, and all before them, to the image. */
int dlab_disk_done(dlab_disk *d, int64_t now, uint64_t ticket);

/* The machine stops: the image becomes what `keep` says, nothing is on its way any more. */
void dlab_disk_crash(dlab_disk *d, int32_t keep);

/* Flip one bit in each of `sectors` random sectors that the atlas allows; how many were damaged. */
uint32_t dlab_disk_rot(dlab_disk *d, uint32_t sectors);

#endif
