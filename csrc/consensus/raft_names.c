/* Raft: the names behind a trace, and those of choices. */
#include <distlab/check.h>

#include "consensus/raft_drive.h"

#define NONE_LEFT        \
    {                    \
        NULL, NULL, NULL \
    }
static const dlab_label messages[] = {
#define X(code, name, a, b) { name, a, b },
    DLAB_RAFT_MESSAGES(X) NONE_LEFT
#undef X
};
static const dlab_label timers[] = {
#define X(code, name) { name, NULL, NULL },
    DLAB_RAFT_TIMERS(X) NONE_LEFT
#undef X
};
static const dlab_label requests[] = {
#define X(code, name, a, b) { name, a, b },
    DLAB_RAFT_REQUESTS(X) NONE_LEFT
#undef X
};
static const dlab_label applies[] = {
#define X(code, name) { name, "index", "command" },
    DLAB_RAFT_OPERATIONS(X) NONE_LEFT
#undef X
};
static const dlab_label notes[] = {
#define X(code, name, a, b) { name, a, b },
    DLAB_RAFT_NOTES(X) NONE_LEFT
#undef X
};
static const dlab_label states[] = {
#define X(code, name) { name, "term", "commit" },
    DLAB_RAFT_ROLES(X) NONE_LEFT
#undef X
};
static const char *const roles[] = { "server", "client", NULL };
static const char *const invariants[] = {
#define X(code, name) name,
    DLAB_RAFT_INVARIANTS(X)
#undef X
        NULL
};

const dlab_trace_schema dlab_raft_schema = { .messages = messages,
                                             .timers = timers,
                                             .requests = requests,
                                             .applies = applies,
                                             .notes = notes,
                                             .states = states,
                                             .roles = roles,
                                             .invariants = invariants };

const char *const dlab_raft_backtracks[] = { "by_term", "one_by_one", NULL };
const char *const dlab_raft_restarts[] = { "new_term", "heard", NULL };
const char *const dlab_raft_storages[] = { "sync", "async", NULL };
const char *const dlab_raft_read_modes[] = {
#define X(code, name) name,
    DLAB_RAFT_READ_MODES(X)
#undef X
        NULL
};
const char *const dlab_raft_verdicts[] = {
#define X(code, name) name,
    DLAB_VERDICTS(X)
#undef X
        NULL
};
const char *const dlab_raft_promises[] = { "none",
#define X(code, name) name,
                                           DLAB_RAFT_INVARIANTS(X)
#undef X
                                               NULL };
