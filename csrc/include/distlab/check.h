/* Is this history linearizable: is there an order of its operations, one at a time, that the specification
 * allows and that keeps every operation between its call and its answer (Herlihy and Wing, ACM TOPLAS
 * 12(3), 1990)? Or sequentially consistent: an order that keeps only each process's own order (Lamport,
 * IEEE Trans. Comp. 28(9), 1979)? Three answers: yes with such an order, no with the shortest failing
 * window and a shrunk part of it, unknown when a budget ran out. */
#ifndef DISTLAB_CHECK_H
#define DISTLAB_CHECK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <distlab/error.h>
#include <distlab/history.h>
#include <distlab/memory.h>

/* X(CODE, name, functions it knows). Where operations name a key, each key is an object of its own. */
#define DLAB_SPECIFICATIONS(X)                                             \
    X(REGISTER, "register", "read, write")                                 \
    X(CAS_REGISTER, "cas_register", "read, write, cas")                    \
    X(MULTI_REGISTER, "multi_register", "read, write, txn of read, write") \
    X(KEY_VALUE, "key_value", "get, put, append, cas")                     \
    X(SET, "set", "add, remove, contains, read")                           \
    X(QUEUE, "queue", "enqueue, dequeue")                                  \
    X(STACK, "stack", "push, pop")                                         \
    X(COUNTER, "counter", "add, increment, decrement, read")               \
    X(MUTEX, "mutex", "acquire, release")                                  \
    X(LIST_APPEND, "list_append", "append, read")                          \
    X(USER, "user", "what its step function accepts")

enum {
#define X(code, name, functions) DLAB_SPECIFICATION_##code,
    DLAB_SPECIFICATIONS(X)
#undef X
        DLAB_SPECIFICATION_COUNT
};

#define DLAB_CRITERIA(X)                  \
    X(LINEARIZABILITY, "linearizability") \
    X(SEQUENTIAL, "sequential")

enum {
#define X(code, name) DLAB_CRITERION_##code,
    DLAB_CRITERIA(X)
#undef X
};

/* What `fail` says. NEVER: the operation did not happen, and nothing else. MISMATCH: it also saw why: the
 * value was not `old` (cas), there was nothing to take (dequeue, pop), the lock was held (acquire). MAYBE:
 * nothing is known, it may have happened. */
#define DLAB_FAIL_SEMANTICS(X) \
    X(NEVER, "never")          \
    X(MISMATCH, "mismatch")    \
    X(MAYBE, "maybe")

enum {
#define X(code, name) DLAB_FAIL_##code,
    DLAB_FAIL_SEMANTICS(X)
#undef X
};

#define DLAB_VERDICTS(X) \
    X(YES, "yes")        \
    X(NO, "no")          \
    X(UNKNOWN, "unknown")

enum {
#define X(code, name) DLAB_VERDICT_##code,
    DLAB_VERDICTS(X)
#undef X
};

/* Ways to search less; all are exact, so switching one off changes the work and never the verdict. */
enum {
    DLAB_PRUNE_WINDOW = 1,   /* a state is a prefix of the answers and a mask of what is open behind it */
    DLAB_PRUNE_READS = 2,    /* what only reads, by type, is taken as soon as it is legal */
    DLAB_PRUNE_EQUAL = 4,    /* of equal operations with unknown outcome only the earliest is tried */
    DLAB_PRUNE_EARLIEST = 8, /* the operation that is answered first is tried first */
    DLAB_PRUNE_FEWER = 16,   /* a state that failed with fewer unknown operations used up fails with more */
    DLAB_PRUNE_OUTLOOK =
        /* a value some read still needs is not given up when nothing can bring it back */
    32,
    DLAB_PRUNE_UNIQUE = 64, /* a register whose values are written once each is decided without search */
    DLAB_PRUNE_KEYS = 128,  /* objects are searched one by one (linearizability only) */
    DLAB_PRUNE_LINES = 256, /* nor need queues and stacks search, whose values are put in once each */
    DLAB_PRUNE_ALL = 511
};

/* Planted defects of the checker itself, for lessons and tests. */
#define DLAB_CHECK_BUGS(X)                                    \
    X(NONE, "none")                                           \
    X(UNKNOWN_TREATED_AS_FAILED, "unknown_treated_as_failed") \
    X(REAL_TIME_IGNORED, "real_time_ignored")                 \
    X(WRITE_TAKEN_AS_READ, "write_taken_as_read")

enum {
#define X(code, name) DLAB_CHECK_BUG_##code,
    DLAB_CHECK_BUGS(X)
#undef X
};

/* A specification of the user's own. States are ids the user gives out: equal states must have equal ids,
 * and 0 is the first one. The search asks once per (state, different operation): the answer may depend on
 * f, key, argument and result alone. */
typedef struct dlab_user_specification {
    void *self;
    bool by_key; /* each key is an object of its own, starting at state 0 */
    /* 1: legal, *next is set; 0: not legal; below 0: an error, err is set. An operation of unknown outcome
     * has outcome info and its result means nothing; one that failed comes only when failures say why. */
    int (*step)(void *self, const dlab_history *history, const dlab_operation *operation, uint32_t state,
                uint32_t *next, dlab_error *err);
    /* Does this operation, by its type, never change a state? Optional. */
    bool (*reads)(void *self, const dlab_history *history, const dlab_operation *operation);
    int (*describe)(void *self, uint32_t state, char *text, size_t size); /* optional */
} dlab_user_specification;

typedef struct dlab_check_options {
    int32_t specification, criterion, fail_semantics, bug;
    dlab_value initial;    /* of every register and key; nil: nil (sequences: empty; counter: 0) */
    uint32_t switched_off; /* DLAB_PRUNE_* */
    uint64_t states_max;   /* verdict unknown beyond; 0: no limit */
    size_t memory_max;     /* bytes, verdict unknown beyond; 0: no limit */
    bool order;            /* after a yes: keep the order found */
    bool explain;          /* after a no: the shortest failing window, and the states at its end */
    bool shrink;           /* with explain: delete operations while it stays no */
    const dlab_user_specification *user;
    /* Asked every 4096 states with the states since it was asked last; true: stop, verdict unknown;
     * optional. */
    bool (*poll)(void *arg, uint64_t states);
    void *poll_arg;
} dlab_check_options;

enum { DLAB_PENDING_MAX = 16 };

/* One state the search was in at its deepest point, as text. */
typedef struct dlab_pending_state {
    char text[80];
} dlab_pending_state;

/* Arrays are indices of the history's operations and belong to the result. */
typedef struct dlab_check_result {
    int32_t verdict;
    const char *reason;   /* of unknown: which budget ran out; else NULL */
    uint64_t states;      /* explored */
    uint64_t dead;        /* remembered as leading nowhere: entries of the cache */
    size_t peak_bytes;    /* most memory in use */
    uint32_t entry_bytes; /* one cache entry */
    uint32_t objects;     /* searched one by one */
    uint32_t window;      /* most operations open at once in one object */
    /* yes: every operation that took effect, in a legal order. no: the longest legal beginning found. */
    uint32_t *order;
    size_t order_count;
    /* no: the shortest beginning of the history that fails ends with the answer of `stuck`; these are the
     * operations of its object that were called before. */
    uint32_t stuck;
    uint32_t *window_operations;
    size_t window_count;
    /* no, when shrinking was asked for: a part of the window that still fails. Only operations nobody else
     * depends on were taken out, so that it fails shows that the history does. */
    uint32_t *shrunk;
    size_t shrunk_count;
    /* no: what the object's state was when `stuck` could not be placed. */
    dlab_pending_state pending[DLAB_PENDING_MAX];
    uint32_t pending_count;
    struct dlab_memory *memory; /* the arrays' */
} dlab_check_result;

/* Nonzero only for a user's mistake (an operation the specification does not know, a value of the wrong
 * kind), for an error of a user's step, and where the system has no memory left. */
int dlab_check_history(const dlab_history *history, const dlab_check_options *options, dlab_memory *memory,
                       dlab_check_result *result, dlab_error *err);
void dlab_check_result_free(dlab_check_result *result);

#endif
