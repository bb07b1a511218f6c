/* Every way the coins of a run can fall, each run once: probabilities instead of samples. What is not a coin
 * (delays, service times) is drawn from the one key, so a model whose only randomness is coins gets exact
 * expectations, and any other its expectations given those draws. */
#ifndef DISTLAB_ENUMERATE_H
#define DISTLAB_ENUMERATE_H
#include <distlab/sweep.h>

enum { DLAB_WAYS_DEFAULT = 1000000 };

typedef struct dlab_enumeration {
    /* in */
    const dlab_model *model;
    const void *params; /* one row of model->params_size bytes */
    uint64_t key;
    dlab_pool pool;
    uint64_t runs_max;     /* more ways than this are an error; 0: DLAB_WAYS_DEFAULT */
    uint64_t steps_max;    /* per run; 0: no limit */
    size_t memory_max;     /* bytes of one run; 0: 1 GiB */
    size_t keep_max;       /* bytes of the out buffers; 0: 1 GiB */
    uint64_t fail_at;      /* tests: the n-th allocation fails */
    const dlab_host *host; /* may be NULL */
    dlab_token *token;     /* may be NULL */
    /* out: a row for each run, in the order walked, which begins with the run where everything is quiet */
    dlab_buffer metrics;      /* of model->metrics_size bytes */
    dlab_buffer weights;      /* double: the probability of the run; they add up to 1 */
    dlab_buffer fingerprints; /* uint64_t; 0: no events */
    dlab_buffer buckets;      /* uint64_t cells of all histograms */
    dlab_choices choices;     /* of all runs, one after another ... */
    dlab_buffer offsets;      /* ... those of run i from uint64_t offsets[i] to offsets[i + 1] - 1 */
    dlab_memory memory;       /* accounts for the out buffers */
} dlab_enumeration;

/* Walk them. Nonzero with *err set, among others when there are more than runs_max ways, more than
 * DLAB_COINS_MAX coins in a run, or when the weights do not add up to 1 within 1e-9. The out buffers are then
 * empty. */
int dlab_enumerate(dlab_enumeration *e, dlab_error *err);

/* Give the out buffers back. */
void dlab_enumeration_free(dlab_enumeration *e);

#endif
