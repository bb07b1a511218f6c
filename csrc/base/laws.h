/* What the files about distributions share and nobody else needs: which values a parameter may have,
 * how to reach what lies in the pool, and the interval of a truncated normal. */
#ifndef DISTLAB_LAWS_H
#define DISTLAB_LAWS_H
#include <distlab/distribution.h>

enum { DLAB_PARTS_MAX = 64, DLAB_LAW_PARAMETERS = 4 };

/* One canonical parameter: p[i] of a kind lies in min..max; a NULL name ends the list. */
typedef struct dlab_law_bound {
    const char *name;
    double min, max;
} dlab_law_bound;

extern const dlab_law_bound dlab_law_bounds[DLAB_DIST_KINDS][DLAB_LAW_PARAMETERS];

/* Check kind and parameters alone; references into the pool are not followed. */
int dlab_law_check(const dlab_distribution *d, dlab_error *err);

/* The rows a mixture or an empirical distribution refers to; NULL where they are not there, or where a
 * part is a mixture itself: nothing here goes round in circles, whatever a record says. */
const dlab_part *dlab_law_parts(const dlab_distribution *d, const dlab_pool *pool);
const double *dlab_law_samples(const dlab_distribution *d, const dlab_pool *pool);

/* Ends of the support, shift included. */
double dlab_law_low(const dlab_distribution *d, const dlab_pool *pool);
double dlab_law_high(const dlab_distribution *d, const dlab_pool *pool);

/* (1 - exp(-y)) / y, which is 1 at y = 0; with dlab_exp alone, hence the same bits everywhere. */
double dlab_law_decay(double y);

/* Gamma(x) for 1 <= x <= 110, built from dlab_pow and dlab_exp. */
double dlab_law_gamma(double x);

/* A truncated normal in standard units, turned round so that more of it lies to the right of 0 than to
 * the left: z runs from start over width (either may be infinite), the value is edge + scale * (z - start)
 * where start is finite, and mean + scale * z in any case. */
typedef struct dlab_truncation {
    double start, width, edge, scale;
} dlab_truncation;

dlab_truncation dlab_law_truncation(const dlab_distribution *d);

#endif
