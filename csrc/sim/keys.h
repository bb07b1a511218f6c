/* Which key and which operation: components for workloads on data.
 *
 * Keys follow the exact finite Zipf law: of n keys the k-th most popular has share k^-s / H(n, s), for
 * any s >= 0 (also s <= 1, where samplers of the infinite law do not exist). Drawn by rejection-inversion
 * (Hörmann and Derflinger, ACM TOMACS 6(3), 1996): no table, a bounded number of tries, the same bits on
 * every platform. */
#ifndef DISTLAB_SIM_KEYS_H
#define DISTLAB_SIM_KEYS_H
#include <distlab/error.h>
#include <distlab/random.h>

typedef struct dlab_zipf {
    int64_t n;
    double s;
    double low, high; /* the hat's integral at both ends */
    double sure;      /* candidates this close above their rank are accepted at once */
} dlab_zipf;

/* n >= 1 keys, 0 <= s <= 3. */
int dlab_zipf_init(dlab_zipf *zipf, int64_t n, double s, dlab_error *err);

/* A key: 0 is the most popular, n - 1 the least. */
int64_t dlab_zipf_draw(const dlab_zipf *zipf, dlab_rng *rng);

/* Share of one key, and of the `count` most popular ones together; exact sums. */
double dlab_zipf_share(const dlab_zipf *zipf, int64_t key);
double dlab_zipf_top(const dlab_zipf *zipf, int64_t count);

/* A mix of up to 16 operations with weights. */
enum { DLAB_MIX_MAX = 16 };
typedef struct dlab_mix {
    int count;
    double below[DLAB_MIX_MAX];
} dlab_mix;

int dlab_mix_init(dlab_mix *mix, const double *weights, int count, dlab_error *err);
int dlab_mix_draw(const dlab_mix *mix, dlab_rng *rng);

#endif
