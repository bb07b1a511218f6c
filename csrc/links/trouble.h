/* Trouble that comes and goes: an alternating renewal process, exponential times without it, then a length
 * drawn from its law. The same stream gives the same trouble to everybody who asks. */
#ifndef DISTLAB_LINKS_TROUBLE_H
#define DISTLAB_LINKS_TROUBLE_H
#include <distlab/model.h>

typedef struct dlab_trouble {
    double rate; /* 1/s, in the time without */
    dlab_sampler length;
    dlab_rng rng;
    int64_t from, to; /* ns: the one under way, or the next */
} dlab_trouble;

/* Rate 0: never any. */
int dlab_trouble_open(dlab_trouble *trouble, double rate, const dlab_distribution *length,
                      dlab_purpose purpose, uint64_t entity, dlab_ctx *ctx);

/* Is there trouble at this time? Times asked for never fall. */
bool dlab_trouble_at(dlab_trouble *trouble, int64_t at);

/* When what dlab_trouble_at said last will change. */
int64_t dlab_trouble_change(const dlab_trouble *trouble, int64_t at);

#endif
