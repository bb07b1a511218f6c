/* See faults.h. A world without a plan; with one the run ends with an error that says so. */
#include "sim/world.h"

int dlab_faults_open(dlab_faults *f, dlab_ref plan, struct dlab_world *world)
{
    *f = (dlab_faults){ .rows = NULL };
    if (plan.count == 0) return DLAB_OK;
    return dlab_fail(&world->ctx->err, DLAB_EINVAL, "fault plans are not carried out by this version");
}

int dlab_faults_begin(dlab_faults *f, struct dlab_world *world, size_t k)
{
    (void)f;
    return DLAB_CHECK(&world->ctx->err, k == SIZE_MAX);
}

int dlab_faults_end(dlab_faults *f, struct dlab_world *world, size_t k)
{
    (void)f;
    return DLAB_CHECK(&world->ctx->err, k == SIZE_MAX);
}
