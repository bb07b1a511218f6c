/* Keys, streams, and the rare paths of the generators; the frequent paths are inlined in random.h.
 *
 * Three kinds of values come from Philox4x32-10, a keyed bijection of 128-bit counters, and may never meet:
 *   row key    key = root seed xor ROW_DOMAIN,  counter = (point, rep)            first 64 bits
 *   seed       key = row key,                   counter = (purpose, entity, block 0 and 1)   192 bits
 *   child key  key = row key,                   counter = (CHILD, entity, block 2)           first 64 bits
 * Seeds and child keys differ in the block number, so no stream reads the words of a child key, whatever
 * its purpose. Row keys are made under another Philox key: without the constant, somebody who opens
 * streams directly below a root seed would read the words of its row keys. For one root seed the
 * blocks of different (point, rep) differ; two of n row keys agree in their first 64 bits with
 * probability about n^2 / 2^65, 3e-8 for a million rows.
 *
 * Sources: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011);
 * Doty-Humphrey, PractRand (sfc64); Lemire, ACM TOMACS 29(1), 2019; Marsaglia and Tsang,
 * J. Stat. Softw. 5(8), 2000; Marsaglia, Technometrics 6(1), 1964, for the tail of the normal. */
#include <distlab/random.h>
#include <distlab/real.h>

#include <stdbool.h>

#define ROW_DOMAIN UINT64_C(0x646c61622f726f77) /* "dlab/row" */

enum { BLOCK_CHILD = 2, ROUNDS = 10, WARM_UP = 12 };

void dlab_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < ROUNDS; round++) {
        const uint64_t even = (uint64_t)c0 * 0xd2511f53u, odd = (uint64_t)c2 * 0xcd9e8d57u;
        c0 = (uint32_t)(odd >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)odd;
        c2 = (uint32_t)(even >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)even;
        k0 += 0x9e3779b9u; /* the golden ratio ... */
        k1 += 0xbb67ae85u; /* ... and sqrt(3) - 1 */
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* One block as two 64-bit words; words are put together by arithmetic, so byte order does not matter. */
static void block(uint64_t key, uint64_t low, uint64_t high, uint64_t out[2])
{
    const uint32_t k[2] = { (uint32_t)key, (uint32_t)(key >> 32) };
    const uint32_t c[4] = { (uint32_t)low, (uint32_t)(low >> 32), (uint32_t)high, (uint32_t)(high >> 32) };
    uint32_t words[4];
    dlab_philox4x32(c, k, words);
    out[0] = words[0] | (uint64_t)words[1] << 32;
    out[1] = words[2] | (uint64_t)words[3] << 32;
}

/* The counter (purpose, entity low, entity high, number). */
static void named_block(uint64_t key, dlab_purpose purpose, uint64_t entity, uint64_t number, uint64_t out[2])
{
    block(key, (uint64_t)(uint32_t)purpose | entity << 32, entity >> 32 | number << 32, out);
}

uint64_t dlab_row_key(uint64_t seed, uint64_t point, uint64_t rep)
{
    uint64_t words[2];
    block(seed ^ ROW_DOMAIN, point, rep, words);
    return words[0];
}

uint64_t dlab_child_key(uint64_t key, uint64_t entity)
{
    uint64_t words[2];
    named_block(key, DLAB_PURPOSE_CHILD, entity, BLOCK_CHILD, words);
    return words[0];
}

void dlab_rng_open(dlab_rng *rng, uint64_t key, dlab_purpose purpose, uint64_t entity)
{
    uint64_t first[2], second[2];
    named_block(key, purpose, entity, 0, first);
    named_block(key, purpose, entity, 1, second);
    dlab_rng_seed(rng, first[0], first[1], second[0]);
}

void dlab_rng_seed(dlab_rng *rng, uint64_t a, uint64_t b, uint64_t c)
{
    *rng = (dlab_rng){ { a, b, c, 1 } };
    for (int i = 0; i < WARM_UP; i++) (void)dlab_rng_u64(rng);
}

/* The high word of u64 * n, where every result has the same share of low words once the first
 * 2^64 mod n of them are thrown away (Lemire, algorithm 5). */
uint64_t dlab_rng_below(dlab_rng *rng, uint64_t n)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)dlab_rng_u64(rng) * n;
    if ((uint64_t)product >= n) return (uint64_t)(product >> 64);
    const uint64_t surplus = -n % n; /* 2^64 mod n */
    while ((uint64_t)product < surplus) product = (wide)dlab_rng_u64(rng) * n;
    return (uint64_t)(product >> 64);
}

/* exp(-x) is convex: it lies below its chord and above its tangent at the layer's right end, and these
 * two lines decide nearly every candidate without computing it. */
static bool below_exponential(dlab_rng *rng, unsigned layer, double x)
{
    const double *const xs = dlab_zig_exp_x + layer, *const ys = dlab_zig_exp_y + layer;
    const double u = dlab_rng_unit(rng), rise = u * (ys[1] - ys[0]), left = xs[0] - x;
    if (rise < ys[0] * left) return true;
    if (u * (xs[0] - xs[1]) > left) return false;
    return ys[0] + rise < dlab_exp(-x);
}

double dlab_rng_exponential_slow(dlab_rng *rng, uint64_t bits)
{
    double beyond = 0; /* the tail beyond r is r plus the same law again */
    for (;;) {
        const unsigned layer = (unsigned)(bits & 255u);
        const double x = (double)(bits >> 11) * 0x1p-53 * dlab_zig_exp_x[layer];
        if (x < dlab_zig_exp_x[layer + 1]) return beyond + x;
        if (layer == 0) beyond += dlab_zig_exp_x[1];
        else if (below_exponential(rng, layer, x)) return beyond + x;
        bits = dlab_rng_u64(rng);
    }
}

/* Beyond r: r + x with x exponential of rate r, kept with probability exp(-x^2 / 2). */
static double normal_tail(dlab_rng *rng)
{
    const double r = dlab_zig_normal_x[1];
    for (;;) {
        const double x = dlab_rng_exponential(rng) / r;
        if (2 * dlab_rng_exponential(rng) > x * x) return r + x;
    }
}

double dlab_rng_normal_slow(dlab_rng *rng, uint64_t bits)
{
    for (;;) {
        const unsigned layer = (unsigned)(bits & 255u);
        const double u = (double)(int64_t)(bits & ~UINT64_C(0x7ff)) * 0x1p-63;
        const double x = u * dlab_zig_normal_x[layer], size = x < 0 ? -x : x;
        if (size < dlab_zig_normal_x[layer + 1]) return x;
        if (layer == 0) return x < 0 ? -normal_tail(rng) : normal_tail(rng);
        const double low = dlab_zig_normal_y[layer], high = dlab_zig_normal_y[layer + 1];
        if (low + dlab_rng_unit(rng) * (high - low) < dlab_exp(-0.5 * x * x)) return x;
        bits = dlab_rng_u64(rng);
    }
}
