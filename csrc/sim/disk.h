/* A disk: an image of bytes, writes on their way to it, and what can go wrong.
 *
 * A write is durable when its fsync has completed; one fsync runs at a time, and writes issued meanwhile
 * share the next (group commit) or queue up. A power failure loses exactly the un-synced suffix of the
 * writes; `torn` keeps a random part of it: whole writes in order, then a prefix of sectors of the next.
 * Faults: an fsync that lies (reports success, the bytes stay volatile until some later honest fsync),
 * bits that rot, a write that lands in the wrong place, errors, a full disk. Sources: Rebello et al., "Can
 * Applications Recover from fsync Failures?" (ATC 2020); Alagappan et al., "Protocol-Aware Recovery"
 * (FAST 2018). */
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

/* Parameters, as a model holds them (DLAB_GROUP). */
typedef struct dlab_disks {
    dlab_distribution fsync; /* latency, s */
    double fsync_lie;        /* probability that an fsync reports success without being one */
    double write_error;      /* probability that a write fails with an error */
    double misdirect;        /* probability that a write lands one or more sectors off */
    double corrupt;          /* probability that a crash flips a bit in a sector written since the last */
    bool group_commit;
    double disk_capacity; /* bytes that may be written to it in all; off: no limit */
    int64_t sector;       /* bytes */
    bool recoverable;     /* the fault atlas: a majority keeps an intact copy of every sector */
} dlab_disks;

extern const dlab_field dlab_disk_fields[];

/* The fault atlas: for each sector the nodes whose copy may be damaged; never so many that fewer than a
 * majority keep it intact (after tigerbeetle's ClusterFaultAtlas). */
typedef struct dlab_atlas {
    uint64_t key;
    uint32_t nodes, most; /* most: damaged copies of one sector */
} dlab_atlas;
void dlab_atlas_open(dlab_atlas *atlas, const dlab_ctx *ctx, uint32_t nodes, bool recoverable);
bool dlab_atlas_allows(const dlab_atlas *atlas, uint32_t node, uint64_t sector);

typedef struct dlab_disk_write {
    uint64_t ticket;
    int64_t done; /* true time at which its fsync completes */
    uint32_t offset, length;
    int status;
    bool lie;
    size_t bytes; /* where its bytes begin in the ring of bytes */
} dlab_disk_write;

typedef struct dlab_disk {
    const dlab_disks *p;
    const dlab_atlas *atlas;
    dlab_sampler fsync;
    dlab_rng rng;
    dlab_chooser *chooser;
    uint32_t node;
    unsigned char *image; /* durable bytes */
    size_t size;
    dlab_disk_write *writes; /* not yet durable, oldest first */
    uint32_t first, count, capacity;
    unsigned char *bytes; /* of those writes: a ring */
    size_t bytes_first, bytes_used, bytes_capacity;
    unsigned char *touched; /* bit per sector: written since the last crash */
    int64_t busy_until;     /* the fsync under way ends */
    int64_t batch_until;    /* the one behind it ends; 0: nobody waits */
    double slow;            /* factor on latency */
    double written;
    bool full, failing; /* faults under way: every write is refused, or fails */
} dlab_disk;

/* `size` bytes, all zero and durable; memory comes from the run's arena. */
int dlab_disk_open(dlab_disk *d, const dlab_disks *p, const dlab_atlas *atlas, size_t size, uint32_t node,
                   dlab_ctx *ctx);

/* Write bytes at an offset and sync. *done: the true time at which completion (or the error) is reported,
 * never before now. The write joins the ones not yet durable. */
int dlab_disk_put(dlab_disk *d, int64_t now, uint32_t offset, const void *bytes, uint32_t length,
                  uint64_t ticket, int64_t *done, dlab_ctx *ctx);

/* The completion due at `now` for this ticket is reported: status, and the honest ones reach the image. */
int dlab_disk_done(dlab_disk *d, int64_t now, uint64_t ticket);

/* The machine stops: the image becomes what `keep` says, nothing is on its way any more. */
void dlab_disk_crash(dlab_disk *d, int32_t keep);

/* Flip one bit in each of `sectors` random sectors that the atlas allows; how many were damaged. */
uint32_t dlab_disk_rot(dlab_disk *d, uint32_t sectors);

#endif
