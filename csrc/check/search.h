/* The search for a legal order (Wing and Gong, J. Par. Distr. Comp. 17, 1993; Lowe, Concurrency Pract.
 * Exp. 29, 2017), depth first. A configuration is which acts are placed, and the state they led to. */
#ifndef DISTLAB_CHECK_SEARCH_H
#define DISTLAB_CHECK_SEARCH_H
#include "check/plan.h"

typedef struct dlab_search dlab_search;

/* What a family of objects must know. States are ids below DLAB_NONE. */
typedef struct dlab_spec {
    int (*open)(dlab_search *s); /* sets self and initial */
    void (*close)(dlab_search *s);
    /* The state after an act, DLAB_NONE where it is not legal (or on an error: s->err). */
    uint32_t (*step)(dlab_search *s, uint32_t state, uint32_t act);
    /* An act was placed (by = 1) or taken back (-1); optional, like all below. */
    void (*count)(dlab_search *s, uint32_t act, int32_t by);
    bool (*hopeless)(dlab_search *s, uint32_t state); /* no legal order can go on from here */
    /* Does this act bring about what the first answer not yet placed needs? Such are tried first. */
    bool (*answers)(dlab_search *s, uint32_t state, uint32_t act);
    bool (*useful)(dlab_search *s, uint32_t act);     /* is this optional act worth placing? */
    bool (*hidden)(dlab_search *s, uint32_t act);     /* a write nobody will see, so far */
    bool (*overwrites)(dlab_search *s, uint32_t act); /* it hides what was written before it */
    int (*describe)(dlab_search *s, uint32_t state, char *text, size_t size);
} dlab_spec;

extern const dlab_spec dlab_spec_register, dlab_spec_sequence, dlab_spec_store, dlab_spec_user,
    dlab_spec_product;
const dlab_spec *dlab_spec_of(dlab_family family);

/* Configurations that lead nowhere. `window` and `used` are masks, or ids of interned masks where those
 * have more than 64 bits. */
typedef struct dlab_dead {
    uint64_t window, used;
    uint32_t prefix, state; /* state DLAB_NONE: free */
} dlab_dead;
_Static_assert(sizeof(dlab_dead) == 24, "24 bytes an entry");

typedef struct dlab_cache {
    dlab_dead *entries;
    size_t count, capacity; /* a power of two */
    dlab_memory *memory;
    const dlab_words *masks; /* wide used masks; NULL: they are bits */
    bool fewer;              /* an entry with fewer used acts answers too */
} dlab_cache;

bool dlab_cache_has(const dlab_cache *cache, const dlab_dead *key);
int dlab_cache_add(dlab_cache *cache, const dlab_dead *key, dlab_error *err);
void dlab_cache_close(dlab_cache *cache);

typedef struct dlab_frame {
    uint32_t state, prefix, placed;
    uint32_t tried; /* the act tried last, DLAB_NONE: none in this round */
    uint32_t round; /* 0: acts that answer what comes first, 1: the others */
} dlab_frame;

struct dlab_search {
    const dlab_problem *problem;
    const dlab_spec *spec;
    void *self;
    uint32_t initial;
    dlab_arena *arena;
    dlab_memory *memory;
    dlab_error *err;
    uint32_t prunings; /* DLAB_PRUNE_* in force */
    int32_t bug;

    /* The frontier (frontier.c): which acts may come next. Real time: acts open at the first answer not yet
     * placed, each in a slot of its own. Program order: the next act of each process. */
    uint32_t prefix;                  /* mandatory acts before this one are all placed */
    uint32_t admitted, optional_open; /* called before that answer: of by_call, of the optional ones */
    uint32_t slots, words, used_words;
    uint32_t *slot_of, *current, *next; /* of mandatory acts; act in a slot; next of a process */
    /* program order: what comes before an optional act in its process */
    uint32_t *after;
    uint32_t *equal;                /* the equal optional act in front, DLAB_NONE: none */
    uint64_t *open, *taken, *reads; /* slots: may be placed, is placed, only reads */
    uint64_t *used;                 /* optional acts placed */
    unsigned char *placed;          /* of each act */
    uint32_t *order, placed_count, placed_mandatory;
    dlab_words wide_windows, wide_used;
    uint32_t *key_words;

    dlab_cache cache;
    dlab_frame *frames;
    size_t frame_count, frame_capacity;
    uint64_t states, states_max; /* explored; budget */
    uint64_t polled;             /* states the host was told of */
    const char *reason;          /* why it stopped without a verdict */
    const dlab_check_options *options;

    bool explain; /* keep the deepest order and the states there */
    uint32_t deepest, *deepest_order, deepest_count;
    uint32_t pending[DLAB_PENDING_MAX], pending_count;
};

/* frontier.c */
int dlab_frontier_open(dlab_search *s);
void dlab_frontier_place(dlab_search *s, uint32_t act);
/* Place what only reads and is legal in this state; move the prefix on. */
void dlab_frontier_settle(dlab_search *s, uint32_t state);
/* Back to `placed` acts placed and this prefix. */
void dlab_frontier_rewind(dlab_search *s, uint32_t placed, uint32_t prefix);
/* The act to try after those the frame has tried; DLAB_NONE: no more. */
uint32_t dlab_frontier_next(dlab_search *s, dlab_frame *frame);
/* May an equal act come instead that is answered earlier? */
bool dlab_frontier_equal_ahead(const dlab_search *s, uint32_t act);
/* Place hidden writes ahead of one that overwrites them. */
void dlab_frontier_hide(dlab_search *s, uint32_t act);
int dlab_frontier_key(dlab_search *s, uint32_t state, dlab_dead *key);
static inline bool dlab_frontier_done(const dlab_search *s)
{
    return s->placed_mandatory == s->problem->mandatory;
}

/* search.c: a verdict; memory and other errors are in err. s->problem, arena, memory, err, options,
 * prunings and states_max are set by the caller, states counts on. */
int dlab_search_open(dlab_search *s);
int32_t dlab_search_run(dlab_search *s);
void dlab_search_close(dlab_search *s);

/* unique.c: a register whose values are written once each, decided without search. False: not applicable.
 * On yes, order (room for every act) holds a legal order. */
bool dlab_unique_decide(const dlab_problem *problem, dlab_arena *arena, int32_t *verdict, uint32_t *order,
                        uint32_t *order_count, dlab_error *err);

#endif
