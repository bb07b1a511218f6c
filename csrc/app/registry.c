/* Every model of this build: one line each. */
#include <string.h>

#include <distlab/sweep.h>
#include <distlab/version.h>

#define DLAB_MODELS(X)                \
    X(dlab_check_linearizability)     \
    X(dlab_consensus_leader_election) \
    X(dlab_consensus_raft)            \
    X(dlab_links_failure_detector)    \
    X(dlab_links_partition_probe)     \
    X(dlab_links_rpc_ambiguity)       \
    X(dlab_queueing_analytic)         \
    X(dlab_queueing_station)

#define X(model) extern const dlab_model model;
DLAB_MODELS(X)
#undef X

const dlab_model *const dlab_models[] = {
#define X(model) &model,
    DLAB_MODELS(X)
#undef X
        NULL
};

const dlab_model *dlab_model_find(const char *name, dlab_error *err)
{
    enum { MODELS = sizeof dlab_models / sizeof dlab_models[0] - 1 };
    const char *names[MODELS];
    for (int i = 0; i < MODELS; i++) {
        if (strcmp(dlab_models[i]->name, name) == 0) return dlab_models[i];
        names[i] = dlab_models[i]->name;
    }
    const char *near = dlab_nearest_name(name, names, MODELS);
    (void)dlab_fail(err, DLAB_ENAME, "no model is called '%s'%s%s%s", name, near ? "; did you mean '" : "",
                    near ? near : "", near ? "'?" : "");
    return NULL;
}

const char *dlab_version(void) { return DLAB_VERSION; }
