/* Pauses, cuts and gray times, one interval at a time. */
#include "links/trouble.h"

#include <math.h>

static int64_t later(int64_t at, double ns)
{
    return ns < (double)(DLAB_TIME_MAX - at) ? at + (int64_t)ns : DLAB_TIME_MAX;
}

static void next(dlab_trouble *t)
{
    t->from = later(t->to, 1e9 * dlab_rng_exponential(&t->rng) / t->rate);
    t->to = later(t->from, fmax((double)dlab_sample_ns(&t->length, &t->rng), 1));
}

int dlab_trouble_open(dlab_trouble *trouble, double rate, const dlab_distribution *length,
                      dlab_purpose purpose, uint64_t entity, dlab_ctx *ctx)
{
    *trouble = (dlab_trouble){ .rate = rate, .from = DLAB_TIME_MAX, .to = DLAB_TIME_MAX };
    if (rate == 0) return DLAB_OK;
    if (dlab_sampler_init(&trouble->length, length, ctx->pool, 0, &ctx->arena, &ctx->err))
        return ctx->err.code;
    dlab_stream(ctx, &trouble->rng, purpose, entity);
    trouble->to = 0;
    next(trouble);
    return DLAB_OK;
}

bool dlab_trouble_at(dlab_trouble *trouble, int64_t at)
{
    while (at >= trouble->to && trouble->to < DLAB_TIME_MAX) next(trouble);
    return at >= trouble->from;
}

int64_t dlab_trouble_change(const dlab_trouble *trouble, int64_t at)
{
    return at >= trouble->from ? trouble->to : trouble->from;
}
