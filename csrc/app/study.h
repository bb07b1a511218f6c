/* What a study keeps beside its public struct, shared by the files that fill, read and print it. */
#ifndef DISTLAB_APP_STUDY_H
#define DISTLAB_APP_STUDY_H
#include <distlab/study.h>

#include "app/app.h"

typedef struct dlab_axis {
    const dlab_field *field;
    dlab_buffer values; /* of the bytes of the field */
} dlab_axis;

struct dlab_study_plan {
    dlab_memory memory;
    dlab_layout params, metrics;
    dlab_buffer base; /* rows of parameters the axes start from */
    dlab_axis axes[DLAB_AXES_MAX];
    int axis_count;
    bool ran;
    dlab_buffer points, keys, metrics_rows; /* of the run */
};
typedef struct dlab_study_plan dlab_study_plan;

/* The plan, made on first use; NULL once something has gone wrong. */
dlab_study_plan *dlab_study_open(dlab_study *study);

/* The plan of a study that has run; NULL with the error set, also where there is no such point or rep. */
dlab_study_plan *dlab_study_ran(dlab_study *study, size_t point, size_t rep);

/* One column of a point over its repetitions. */
dlab_interval dlab_study_merge(dlab_study *study, size_t point, const dlab_column *column);

#endif
