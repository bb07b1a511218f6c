/* The fault atlas: which copies of a sector may be damaged at all. See disk.h.
 *
 * For each sector the nodes draw lots, and the holders of the `most` lowest may be damaged: every set of
 * that size is equally likely, and nothing is stored. The lots are words of Philox under a key of stream
 * (DISK, 2 << 32). With n replicas at most floor((n - 1) / 2) copies may go, so a majority holds an
 * intact one and any majority that answers holds at least one (Alagappan et al., FAST 2018, section 2.3;
 * tigerbeetle/tigerbeetle src/testing/storage.zig). */
#include "sim/disk.h"

void dlab_atlas_open(dlab_atlas *atlas, const dlab_ctx *ctx, uint32_t nodes, bool recoverable)
{
    dlab_rng rng;
    dlab_stream(ctx, &rng, DLAB_PURPOSE_DISK, UINT64_C(2) << 32);
    *atlas = (dlab_atlas){ .key = dlab_rng_u64(&rng), .nodes = nodes, .most = nodes };
    if (recoverable) atlas->most = nodes == 0 ? 0 : (nodes - 1) / 2;
}

static uint64_t lot(const dlab_atlas *atlas, uint32_t node, uint64_t sector)
{
    const uint32_t key[2] = { (uint32_t)atlas->key, (uint32_t)(atlas->key >> 32) };
    const uint32_t counter[4] = { (uint32_t)sector, (uint32_t)(sector >> 32), node, 0 };
    uint32_t out[4];
    dlab_philox4x32(counter, key, out);
    return out[0] | (uint64_t)out[1] << 32;
}

bool dlab_atlas_allows(const dlab_atlas *atlas, uint32_t node, uint64_t sector)
{
    if (node >= atlas->nodes || atlas->most == 0) return false;
    if (atlas->most >= atlas->nodes) return true;
    const uint64_t mine = lot(atlas, node, sector);
    uint32_t lower = 0;
    for (uint32_t other = 0; other < atlas->nodes && lower < atlas->most; other++) {
        const uint64_t theirs = other == node ? mine : lot(atlas, other, sector);
        lower += theirs < mine || (theirs == mine && other < node);
    }
    return lower < atlas->most;
}
