/* See exact.h. */
#include <math.h>

#include "queueing/exact.h"

void dlab_station_exact(const dlab_station_law *law, double values[DLAB_STATION_EXACT])
{
    const double mean = dlab_distribution_mean(law->service, law->pool);
    const double scv = dlab_distribution_scv(law->service, law->pool);
    const double load = law->arrival_rate * mean / (double)law->servers;
    for (int i = 0; i < DLAB_STATION_EXACT; i++) values[i] = NAN;
    if (law->capacity != 0 || !(load < 1) || law->servers != 1 ||
        law->interarrival->kind != DLAB_DIST_EXPONENTIAL || law->interarrival->shift != 0)
        return;
    values[6] = load * mean * (1 + scv) / 2 / (1 - load);
    values[0] = values[6] + mean;
}
