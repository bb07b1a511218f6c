/* The model contract: a model is one descriptor. run() turns one row of parameters and a key into one row of
 * metrics and, when somebody asked, rows of output tables. It knows nothing of threads, Python or files and
 * keeps no state: everything it may touch is in its dlab_ctx. */
#ifndef DISTLAB_MODEL_H
#define DISTLAB_MODEL_H
#include <distlab/chooser.h>
#include <distlab/distribution.h>
#include <distlab/error.h>
#include <distlab/field.h>
#include <distlab/histogram.h>
#include <distlab/memory.h>
#include <distlab/random.h>

enum { DLAB_ABI = 1 };

/* A planted bug: a choice of the parameter `bug`. Row 0 is none. The registry walk runs each in its scope and
 * demands the violation: "theory.COLUMN" (the simulated column leaves the closed form's) or the name of an
 * invariant that the metric `violations` counts. */
typedef struct dlab_bug {
    const char *name, *doc, *violation;
    const char *scope; /* parameters that show it: "arrival_rate=95 jobs=20000" */
} dlab_bug;

/* A model writes its bugs once, as a list of X(CODE, name, doc, violation, scope) that begins with none; this
 * expands it to the codes BUG_CODE, the names for the field `bug` (bug_names) and the rows (bugs). */
#define DLAB_BUG_CODE(code, name, doc, violation, scope) BUG_##code,
#define DLAB_BUG_NAME(code, name, doc, violation, scope) name,
#define DLAB_BUG_ROW(code, name, doc, violation, scope) { name, doc, violation, scope },
#define DLAB_DEFINE_BUGS(LIST)                                           \
    enum { LIST(DLAB_BUG_CODE) };                                        \
    static const char *const bug_names[] = { LIST(DLAB_BUG_NAME) NULL }; \
    static const dlab_bug bugs[] = { LIST(DLAB_BUG_ROW){ NULL, NULL, NULL, NULL } }

/* One run's world. */
typedef struct dlab_ctx {
    uint64_t key; /* everything random below this row derives from it */
    dlab_error err;
    dlab_arena arena;      /* memory of this run, budgeted, forgotten afterwards */
    const dlab_pool *pool; /* read-only tables of the call */
    const struct dlab_model *model;
    const void *params;   /* the row being run, for blank cells of tables */
    dlab_buffer *outputs; /* one per output table; their bytes are charged to: */
    dlab_memory *output_memory;
    size_t output_bytes, output_max; /* rows kept by this worker, and at most */
    bool output_full;                /* the run ended because of that */
    uint32_t wanted;                 /* bit k: output table k is wanted */
    uint64_t steps, steps_max, poll_at;
    dlab_chooser *chooser;    /* who decides; NULL: everything is drawn */
    uint64_t fingerprint;     /* of the events of this run, in order; 0: the run had none */
    struct dlab_watch *watch; /* how the core learns that it must stop; NULL: never */
} dlab_ctx;

typedef struct dlab_model {
    uint32_t abi;       /* DLAB_ABI */
    const char *name;   /* "queueing.station" */
    const char *title;  /* a few words */
    const char *doc;    /* what it models and assumes, a short paragraph */
    const char *source; /* literature */
    const dlab_field *params, *metrics;
    size_t params_size, metrics_size;
    const dlab_table *outputs;             /* ended by a NULL name; NULL: none */
    const dlab_bug *bugs;                  /* ended by a NULL name; NULL: none */
    const struct dlab_trace_schema *trace; /* names behind the output table "trace"; NULL: no trace */
    bool exact;                            /* no randomness: one repetition, no interval */
    /* Columns (expanded names such as latency_mean) for which theory() knows a second witness. */
    const char *const *theory_columns; /* NULL-terminated; NULL: none */
    /* Cross-field rules; optional. */
    int (*check)(const void *params, const dlab_pool *pool, dlab_error *err);
    /* Something a user should know before believing the result; true and a sentence, or false; optional. */
    bool (*warn)(const void *params, const dlab_pool *pool, char *text, size_t size);
    /* About how many dlab_steps a run takes, for the estimate before a large sweep; optional. */
    double (*steps)(const void *params, const dlab_pool *pool);
    int (*run)(const void *params, void *metrics, dlab_ctx *ctx);
    /* Closed form: values[i] for theory_columns[i], NaN where none holds; optional. */
    int (*theory)(const void *params, double *values, dlab_ctx *ctx);
} dlab_model;

/* Charge work: one unit is at most about 1 us. Nonzero when the run must end (budget, stop). */
int dlab_step_slow(dlab_ctx *ctx);
static inline int dlab_step(dlab_ctx *ctx, uint64_t units)
{
    ctx->steps += units;
    return __builtin_expect(ctx->steps >= ctx->poll_at, 0) ? dlab_step_slow(ctx) : DLAB_OK;
}

/* A zeroed array that lives until the run ends; NULL with the error set. */
static inline void *dlab_alloc(dlab_ctx *ctx, size_t count, size_t size)
{
    return dlab_arena_alloc(&ctx->arena, count, size, &ctx->err);
}

/* Open the stream (purpose, entity) of this run. */
static inline void dlab_stream(const dlab_ctx *ctx, dlab_rng *rng, dlab_purpose purpose, uint64_t entity)
{
    dlab_rng_open(rng, ctx->key, purpose, entity);
}

/* Does anybody want output table k? Emitting to an unwanted table costs one test. */
static inline bool dlab_wants(const dlab_ctx *ctx, int k) { return (ctx->wanted >> k & 1u) != 0; }
int dlab_emit(dlab_ctx *ctx, int k, const void *row);

/* The rows a table parameter refers to, blank cells filled from the parameters; they live until the run
 * ends. *count is set; NULL with the error set, or when there are none. */
const void *dlab_table_rows(dlab_ctx *ctx, const dlab_table *table, dlab_ref ref, size_t *count);

#endif
