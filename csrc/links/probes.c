/* A run of lost probes is a geometric wait cut short: what is lost by chance just before a cut counts, too.
 * With loss p a window of k probes is lost on a healthy link with probability p^k, whatever came before, and
 * j losses in a row stand before the cut with probability p^j (1 - p), j < k; then k - j more are needed. */
#include "links/probes.h"

#include <math.h>

bool dlab_probes_down(const dlab_probes *probes, double since)
{
    return probes->period == 0 || fmod(since, probes->period) < probes->period / 2;
}

bool dlab_probes_watch(const dlab_probes *probes, bool blocked, double shift, dlab_rng *rng, double *first)
{
    const double phase = dlab_rng_unit(rng);
    const int64_t last = (int64_t)floor(probes->duration / probes->interval - phase);
    int64_t lost = 0;
    *first = NAN;
    for (int64_t i = -probes->needed; i <= last; i++) {
        const double at = (phase + (double)i) * probes->interval;
        const bool chance = dlab_rng_unit(rng) < probes->loss;
        lost = chance || (i >= 0 && blocked && dlab_probes_down(probes, at + shift)) ? lost + 1 : 0;
        if (lost >= probes->needed && isnan(*first)) *first = i < 0 ? 0 : at + probes->timeout;
    }
    return lost >= probes->needed;
}

double dlab_probes_wait(const dlab_probes *probes)
{
    double mean = 0;
    for (int64_t j = 0; j < probes->needed; j++)
        mean += pow(probes->loss, (double)j) * (1 - probes->loss) *
                (((double)(probes->needed - j) - 0.5) * probes->interval + probes->timeout);
    return mean;
}
