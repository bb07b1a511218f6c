/* Probes of one direction of a link, one each interval, and the verdict "cut" after so many lost in a row. */
#ifndef DISTLAB_LINKS_PROBES_H
#define DISTLAB_LINKS_PROBES_H
#include <distlab/model.h>

typedef struct dlab_probes {
    double interval, timeout, duration; /* s; the cut comes at 0, the last probe that counts at `duration` */
    double loss;                        /* of a probe on a link that is up */
    int64_t needed;                     /* losses in a row for a verdict */
    double period; /* s; of a link that flaps: down in the first half; 0: down for good */
} dlab_probes;

/* Is a cut link down at this time since it began to flap? */
bool dlab_probes_down(const dlab_probes *probes, double since);

/* Probe from before the cut to the end: true when the last probes were all lost. `blocked`: probes do not
 * pass while the link is down, `shift` into its period at time 0. *first becomes the time of the first
 * verdict "cut", NaN when there was none; one from before the cut counts as 0. */
bool dlab_probes_watch(const dlab_probes *probes, bool blocked, double shift, dlab_rng *rng, double *first);

/* Mean time from a cut for good to the verdict, when the run is long enough to reach it. */
double dlab_probes_wait(const dlab_probes *probes);

#endif
