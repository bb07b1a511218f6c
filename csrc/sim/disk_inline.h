/* What the files of the disk share: its ring of writes, and which sectors some bytes lie in. */
#ifndef DISTLAB_SIM_DISK_INLINE_H
#define DISTLAB_SIM_DISK_INLINE_H
#include "sim/disk.h"

/* The k-th oldest write. Capacities are powers of two. */
static inline dlab_disk_write *dlab_disk_at(const dlab_disk *d, uint32_t k)
{
    return &d->writes[(d->first + k) & (d->capacity - 1)];
}

/* The sectors of `length` > 0 bytes at an offset: first .. last. */
typedef struct dlab_sectors {
    size_t first, last;
} dlab_sectors;
static inline dlab_sectors dlab_disk_sectors(const dlab_disk *d, size_t offset, size_t length)
{
    const size_t sector = (size_t)d->p->sector;
    return (dlab_sectors){ offset / sector, (offset + length - 1) / sector };
}

/* The first `length` bytes of a write reach the image. */
void dlab_disk_store(dlab_disk *d, const dlab_disk_write *w, uint32_t length);

/* Where a write that goes astray lands; the offset itself when the atlas allows nothing else. */
uint32_t dlab_disk_stray(dlab_disk *d, uint32_t offset, uint32_t length);

/* The name of a coin about this disk; `what` tells those of one event apart: for a write, how many waited
 * when it came. */
static inline dlab_choice dlab_disk_coin(const dlab_disk *d, unsigned decides, uint64_t what)
{
    return dlab_coin_name(decides, what << 16 | (d->node & 0xffffu));
}

#endif
