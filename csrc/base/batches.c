/* One long run instead of many short ones: batch means, and how much of its beginning to forget.
 *
 * Values of one run depend on each other, so their variance says too little. Means of long batches are
 * nearly independent (Law, Simulation Modeling and Analysis, section 9.5.3). The length of a run is not
 * known in advance, so batches are merged in pairs whenever all are full: 32 to 64 remain at any length,
 * in which Schmeiser (Operations Research 30, 1982) sees little to gain from more. */
#include <distlab/statistics.h>

#include <math.h>

enum { MSER_BATCH = 5 };

void dlab_batch_means_add(dlab_batch_means *b, double x)
{
    if (b->size == 0) b->size = 1;
    if (b->filled == DLAB_BATCHES) { /* only now: a run that ends here keeps all its batches */
        for (int i = 0; i < DLAB_BATCHES / 2; i++) b->sums[i] = b->sums[2 * i] + b->sums[2 * i + 1];
        b->filled = DLAB_BATCHES / 2;
        b->size *= 2;
    }
    b->current += x;
    if (++b->in_current < b->size) return;
    b->sums[b->filled++] = b->current;
    b->current = 0;
    b->in_current = 0;
}

dlab_interval dlab_batch_means_interval(const dlab_batch_means *b, double confidence, double *lag1)
{
    double means[DLAB_BATCHES];
    for (int i = 0; i < b->filled; i++) means[i] = b->sums[i] / (double)b->size;
    const dlab_interval out = dlab_mean_interval(means, (size_t)b->filled, confidence);
    if (lag1 == NULL) return out;
    double squares = 0, products = 0;
    for (int i = 0; i < b->filled; i++) {
        const double d = means[i] - out.mean;
        squares += d * d;
        if (i > 0) products += d * (means[i - 1] - out.mean);
    }
    *lag1 = squares > 0 ? products / squares : NAN;
    return out;
}

/* White (Simulation 69(6), 1997): cut where the standard error of the mean of what remains, here its
 * square times one constant, is least. Walking backwards makes each candidate one update (Welford).
 * Candidates in the second half rest on too few values, so the least at the half means: too short. */
size_t dlab_warmup_cut(const double *x, size_t n)
{
    const size_t batches = n / MSER_BATCH, half = batches / 2;
    double mean = 0, squares = 0, least = INFINITY;
    size_t cut = half, count = 0;
    for (size_t j = batches; j-- > 0;) {
        double sum = 0;
        for (size_t i = 0; i < MSER_BATCH; i++) sum += x[MSER_BATCH * j + i];
        const double d = sum / MSER_BATCH - mean;
        count++;
        mean += d / (double)count;
        squares += d * (sum / MSER_BATCH - mean);
        const double statistic = squares / ((double)count * (double)count);
        if (j > half || !(statistic <= least)) continue;
        least = statistic;
        cut = j;
    }
    return cut < half ? MSER_BATCH * cut : n;
}
