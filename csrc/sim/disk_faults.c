/* Crashes and damage of a disk. See disk.h.
 *
 * What a power failure tears is decided by coins, so that a chooser can replay, enumerate or click them: the
 * power lasts for one more write, for one more sector, or ends there. The odds are such that every number of
 * whole writes is equally likely, and then every number of sectors of the next. All quiet: all is kept. */
#include <string.h>

#include "sim/disk_inline.h"

static bool allowed(const dlab_disk *d, size_t offset, size_t length)
{
    const dlab_sectors s = dlab_disk_sectors(d, offset, length);
    for (size_t k = s.first; k <= s.last; k++)
        if (!dlab_atlas_allows(d->atlas, d->node, k)) return false;
    return true;
}

/* Both places are damaged: the one that is overwritten and the one that keeps its old bytes. The nearest
 * place that the atlas allows, from a random one on and round. */
uint32_t dlab_disk_stray(dlab_disk *d, uint32_t offset, uint32_t length)
{
    const size_t sector = (size_t)d->p->sector, below = offset / sector;
    const size_t places = below + (d->size - length - offset) / sector;
    if (places == 0 || !allowed(d, offset, length)) return offset;
    const size_t start = (size_t)dlab_rng_below(&d->faults, places), lowest = offset % sector;
    for (size_t k = 0; k < places; k++) {
        const size_t place = (start + k) % places;
        const size_t landed = lowest + (place < below ? place : place + 1) * sector;
        if (allowed(d, landed, length)) return (uint32_t)landed;
    }
    return offset;
}

static void flip(dlab_disk *d, size_t sector)
{
    const size_t from = sector * (size_t)d->p->sector, left = d->size - from;
    const size_t length = left < (size_t)d->p->sector ? left : (size_t)d->p->sector;
    const uint64_t bit = dlab_rng_below(&d->faults, 8 * length);
    d->image[from + bit / 8] ^= (unsigned char)(1u << bit % 8);
}

static bool may_damage(const dlab_disk *d, size_t sector, bool touched)
{
    if (touched && (d->touched[sector / 8] & 1u << sector % 8) == 0) return false;
    return dlab_atlas_allows(d->atlas, d->node, sector);
}

/* Damage `most` sectors, or all there are, each set of them equally likely: a sector is taken with odds
 * needed / left (Knuth, TAOCP 2, section 3.4.2, algorithm S). */
static uint32_t damage(dlab_disk *d, uint32_t most, bool touched)
{
    size_t left = 0;
    for (size_t k = 0; k < d->sectors; k++) left += may_damage(d, k, touched);
    const uint32_t all = left < most ? (uint32_t)left : most;
    uint32_t needed = all;
    for (size_t k = 0; needed > 0; k++) {
        if (!may_damage(d, k, touched)) continue;
        if (dlab_rng_below(&d->faults, left--) >= needed) continue;
        flip(d, k);
        needed--;
    }
    return all;
}

uint32_t dlab_disk_rot(dlab_disk *d, uint32_t sectors) { return damage(d, sectors, false); }

static bool power_ends(dlab_disk *d, uint64_t what, uint64_t ways)
{
    return dlab_coin(d->chooser, &d->faults, dlab_disk_coin(d, DLAB_COIN_TEAR, what), 1 / (double)ways);
}

/* The power ends within this write: some of its sectors, never all, have been written. */
static void tear(dlab_disk *d, const dlab_disk_write *w)
{
    const dlab_sectors s = dlab_disk_sectors(d, w->offset, w->length);
    size_t end = s.first; /* p = 1 in the last one: nobody is asked */
    while (!power_ends(d, (uint64_t)end << 1 | 1, s.last - end + 1)) end++;
    const size_t until = end * (size_t)d->p->sector;
    if (until > w->offset) dlab_disk_store(d, w, (uint32_t)(until - w->offset));
}

/* Volatile writes reach the image in order, until the power ends. */
static void drain(dlab_disk *d, bool torn)
{
    uint64_t left = 0, done = 0;
    for (uint32_t k = d->durable; k < d->count; k++) left += dlab_disk_at(d, k)->length > 0;
    for (uint32_t k = d->durable; k < d->count; k++) {
        const dlab_disk_write *w = dlab_disk_at(d, k);
        if (w->length == 0) continue;
        if (torn && power_ends(d, done << 1, left - done + 1)) {
            tear(d, w);
            return;
        }
        dlab_disk_store(d, w, w->length);
        done++;
    }
}

void dlab_disk_crash(dlab_disk *d, int32_t keep)
{
    const bool power = keep == DLAB_KEEP_SYNCED || keep == DLAB_KEEP_TORN;
    if (keep == DLAB_KEEP_TORN || keep == DLAB_KEEP_WRITTEN) drain(d, keep == DLAB_KEEP_TORN);
    if (keep == DLAB_KEEP_NOTHING) {
        memset(d->image, 0, d->size);
        d->written = 0;
    }
    if (power &&
        dlab_coin(d->chooser, &d->faults, dlab_disk_coin(d, DLAB_COIN_CRASH_CORRUPT, 0), d->p->crash_corrupt))
        (void)damage(d, 1, true);
    if (keep != DLAB_KEEP_WRITTEN) memset(d->touched, 0, d->sectors / 8 + 1);
    d->first = d->count = d->reported = d->durable = 0;
    d->bytes_used = 0;
    d->busy_until = d->batch_until = 0;
}
