/* One chooser for every nondeterministic decision of a run: drawn, replayed from a list, enumerated, or
 * asked of a person.
 *
 * A choice is a name, never an index: "deliver this message", "fire this timer". Two drivers offer
 * different options in different orders but agree on names, so one list of choices replays in all of them.
 * Only the next event and coins are choices; loss, delays and timer draws are how a simulator picks the
 * next event. Option 0 is the quiet one (nothing unusual happens). A list holds every event and the coins
 * that did not fall quietly; entries not on offer are skipped and counted, so a list with entries deleted
 * still replays: shrinking is deleting. */
#ifndef DISTLAB_CHOOSER_H
#define DISTLAB_CHOOSER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <distlab/memory.h>
#include <distlab/random.h>

/* Kind in the upper 8 bits, what it happens to in the lower 56: the fingerprint of a message's content, or
 * a node and an index. */
typedef uint64_t dlab_choice;

#define DLAB_CHOICE_KINDS(X)  \
    X(DELIVER, "deliver")     \
    X(DROP, "drop")           \
    X(TIMER, "timer")         \
    X(PERSISTED, "persisted") \
    X(REQUEST, "request")     \
    X(READY, "ready")         \
    X(CRASH, "crash")         \
    X(RESTART, "restart")     \
    X(FAULT, "fault")         \
    X(HEAL, "heal")           \
    X(TICK, "tick")           \
    X(COIN, "coin")

enum {
    DLAB_CHOICE_NONE,
#define X(name, text) DLAB_CHOICE_##name,
    DLAB_CHOICE_KINDS(X)
#undef X
        DLAB_CHOICE_PRIVATE = 64 /* a hand-written machine numbers its own kinds from here */
};

#define DLAB_CHOICE_WHAT_MASK (UINT64_MAX >> 8)

/* A choice from its kind and what it happens to, and these two of a choice. */
static inline dlab_choice dlab_choice_of(unsigned kind, uint64_t what)
{
    return (uint64_t)kind << 56 | (what & DLAB_CHOICE_WHAT_MASK);
}
static inline unsigned dlab_choice_kind(dlab_choice c) { return (unsigned)(c >> 56); }
static inline uint64_t dlab_choice_what(dlab_choice c) { return c & DLAB_CHOICE_WHAT_MASK; }

/* A choice about a node: its timer, its crash, ... */
static inline dlab_choice dlab_choice_at(unsigned kind, uint32_t node, uint64_t index)
{
    return dlab_choice_of(kind, index << 16 | (node & 0xffffu));
}

/* What a coin decides when it falls loudly: the network's, then the disk's. The protocol's own coins begin at
 * OWN; their words are in its trace schema. */
#define DLAB_COINS(X)                                  \
    X(LOSE, "the message is lost")                     \
    X(AGAIN, "a copy of the message is made")          \
    X(CORRUPT, "bits of the message flip")             \
    X(REORDER, "the message is held back")             \
    X(GRAY, "the message is lost by a gray node")      \
    X(FSYNC_LIE, "the fsync lies")                     \
    X(WRITE_ERROR, "the write fails")                  \
    X(MISDIRECT, "the write lands in the wrong place") \
    X(TEAR, "the write is torn here")                  \
    X(CRASH_CORRUPT, "a bit flips in the crash")

enum {
    DLAB_COIN_NONE,
#define X(code, words) DLAB_COIN_##code,
    DLAB_COINS(X)
#undef X
        DLAB_COIN_OWN = 16
};

/* The name of a coin: what it decides (8 bits), about what (47 bits); the lowest bit is how it fell. No two
 * coins that one event asks have the same name: only the loud ones are kept, so a list could not tell which
 * of the two fell so. */
static inline dlab_choice dlab_coin_name(unsigned decides, uint64_t about)
{
    return dlab_choice_of(DLAB_CHOICE_COIN,
                          (uint64_t)(decides & 0xffu) << 48 | (about & UINT64_C(0x7fffffffffff)) << 1);
}

/* A recorded run, a counterexample, a learner's clicks: all the same list. Zero but for `memory` it is empty
 * and ready. What is kept is always a beginning of the run: after the first choice that found no room none
 * is kept any more. */
typedef struct dlab_choices {
    dlab_buffer list; /* of dlab_choice */
    dlab_memory *memory;
    size_t most;     /* entries; 0: DLAB_CHOICES_DEFAULT */
    bool incomplete; /* the run made more choices than were kept */
} dlab_choices;
enum { DLAB_CHOICES_DEFAULT = 1 << 20 };

/* The entries, choices->list.count of them. */
static inline const dlab_choice *dlab_choices_list(const dlab_choices *choices)
{
    return (const dlab_choice *)(const void *)choices->list.rows;
}

typedef struct dlab_chooser dlab_chooser;
struct dlab_chooser {
    /* The index of the option taken; n >= 1. odds weigh the options, NULL: no odds are known. Anything else:
     * the run ends. NULL pick: coins are drawn and time decides which event is next. */
    int (*pick)(dlab_chooser *c, const dlab_choice *options, const double *odds, uint32_t n);
    bool names_events;    /* asked for each next event; else time decides and only coins are asked */
    bool ended;           /* pick has said that the run ends: nobody is asked any more */
    dlab_choices *record; /* NULL: nobody keeps the list */
    /* Text of an option, for a person; set by the driver that offers the options. */
    void (*describe)(const void *arg, dlab_choice choice, char *text, size_t size);
    const void *describe_arg;
};

/* Add an entry; give the list back. */
void dlab_choices_note(dlab_choices *choices, dlab_choice choice);
void dlab_choices_free(dlab_choices *choices);

/* Write a choice down where somebody keeps the list. */
static inline void dlab_note(dlab_chooser *c, dlab_choice choice)
{
    if (c != NULL && c->record != NULL) dlab_choices_note(c->record, choice);
}

/* Does a coin fall on its loud side, which has probability p? Drawn from rng unless the chooser decides
 * coins; a draw is then made and thrown away (rng may be NULL), so that a replayed run finds the same numbers
 * behind it. p <= 0: never, p >= 1: always; then nobody is asked and nothing is recorded. */
bool dlab_coin_slow(dlab_chooser *c, dlab_rng *rng, dlab_choice name, double p);
static inline bool dlab_coin(dlab_chooser *c, dlab_rng *rng, dlab_choice name, double p)
{
    if (p <= 0) return false;
    if (c == NULL && p < 1) return dlab_rng_unit(rng) < p;
    return p >= 1 || dlab_coin_slow(c, rng, name, p);
}

/* Which of n options (n >= 1) happens next: noted; -1: the run ends. Without a chooser that picks: 0. */
int dlab_choose(dlab_chooser *c, const dlab_choice *options, const double *odds, uint32_t n);

/* Reads a list. The next event is the first entry from here on that is on offer; entries passed over are
 * counted. When none is, the quiet option is taken and the list waits: what it names may be on offer later. A
 * coin looks at the next entry only. Past the end everything is quiet. An event costs at most one look at
 * each remaining entry for each option. */
typedef struct dlab_replay {
    dlab_chooser base;
    const dlab_choice *list;
    size_t count, next, skipped;
} dlab_replay;
void dlab_replay_open(dlab_replay *r, const dlab_choice *list, size_t count);

/* Walks every way the coins of a run can fall, like an odometer; `weight` is the product of the odds of the
 * run under way. Between runs: while (dlab_enumerator_next(&e)). Events are quiet, unless base.names_events
 * is set: then they are walked as well. A choice too deep is quiet; the weights of all runs then add up to
 * the share of cases seen instead of 1. */
enum { DLAB_COINS_MAX = 64 };
typedef struct dlab_enumerator {
    dlab_chooser base;
    uint32_t depth, position;
    uint32_t digit[DLAB_COINS_MAX], limit[DLAB_COINS_MAX];
    double weight;
    bool started;
    bool too_deep; /* some run had more than DLAB_COINS_MAX choices: not every way was walked */
    bool unlike;   /* two runs that chose alike were offered differently: what is walked is not a function of
                      its choices, and the walk says nothing */
} dlab_enumerator;
void dlab_enumerator_open(dlab_enumerator *e);
bool dlab_enumerator_next(dlab_enumerator *e);

/* The 56-bit fingerprint of some bytes: the name of a message in a choice. */
uint64_t dlab_fingerprint56(uint64_t seed, const void *bytes, size_t size);

#endif
