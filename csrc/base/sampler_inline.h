/* Draws made one by one, for cores to inline; sampler.c offers the same as functions. */
#ifndef DISTLAB_BASE_SAMPLER_INLINE_H
#define DISTLAB_BASE_SAMPLER_INLINE_H
#include <string.h>

#include <distlab/distribution.h>

/* Rounding to nearest, ties to even: a double between 2^52 and 2^53 has steps of 1, so adding 1.5 * 2^52
 * rounds and leaves the integer in the low bits. The exponent shows whether the sum stayed in that range,
 * which it does for |x| < 2^51 ns, 26 days. */
#define DLAB_ROUNDER 0x1.8p52
#define DLAB_ROUNDER_BITS UINT64_C(0x4338000000000000)

static inline uint64_t dlab_rounded_bits(double x)
{
    const double y = x + DLAB_ROUNDER;
    uint64_t bits;
    memcpy(&bits, &y, sizeof bits);
    return bits;
}

/* Beyond that range. */
int64_t dlab_round_far(double x);

static inline int64_t dlab_to_ns(double x)
{
    const uint64_t bits = dlab_rounded_bits(x);
    if (__builtin_expect(bits >> 52 == DLAB_ROUNDER_BITS >> 52, 1))
        return (int64_t)(bits - DLAB_ROUNDER_BITS);
    return dlab_round_far(x);
}

/* dlab_sample_ns: delays of messages are drawn one by one, most of them exponential. */
static inline int64_t dlab_sample_ns_inline(const dlab_sampler *s, dlab_rng *rng)
{
    if (__builtin_expect(s->kind == DLAB_DIST_EXPONENTIAL, 1))
        return dlab_to_ns((s->a * dlab_rng_exponential(rng) + s->shift) * s->ns);
    return dlab_sample_ns(s, rng);
}

#endif
