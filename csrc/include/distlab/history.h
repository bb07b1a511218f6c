/* A history: who asked for what, when, and what came back. Two forms of the same thing: events (invoke,
 * then ok, fail or info), as logs have them, and operations, as checkers want them. Events go in one by
 * one in real-time order and are paired by process; what does not fit is an error that names the line and
 * what was expected.
 *
 * An operation without an answer, and one whose answer is `info`, has an unknown outcome: it may take
 * effect at any time from its call to the end of the history, or never. Closing such an operation at the
 * moment its client gave up makes a checker refuse good histories; taking it as failed makes it accept bad
 * ones.
 *
 * Values are nil, integers, booleans, text (interned: equal texts have equal ids) and lists (rows of the
 * elements table; lists nest). A history owns its memory; ids and offsets stay valid until it is closed. */
#ifndef DISTLAB_HISTORY_H
#define DISTLAB_HISTORY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <distlab/error.h>
#include <distlab/memory.h>
#include <distlab/random.h>

#define DLAB_NEVER INT64_MAX           /* the time of an answer that did not come */
#define DLAB_NO_EVENT UINT32_MAX       /* the place of an event there is not */
#define DLAB_HISTORY_EVENTS 0x7fffffff /* events of one history */

#define DLAB_HISTORY_TYPES(X) \
    X(INVOKE, "invoke")       \
    X(OK, "ok")               \
    X(FAIL, "fail")           \
    X(INFO, "info")

/* DLAB_HISTORY_INVOKE ... An operation's outcome is one of the last three. */
enum {
#define X(code, name) DLAB_HISTORY_##code,
    DLAB_HISTORY_TYPES(X)
#undef X
};

#define DLAB_VALUE_KINDS(X) \
    X(NIL, "nil")           \
    X(INT, "an integer")    \
    X(BOOL, "a boolean")    \
    X(TEXT, "text")         \
    X(LIST, "a list")

enum {
#define X(code, name) DLAB_VALUE_##code,
    DLAB_VALUE_KINDS(X)
#undef X
};

typedef struct dlab_value {
    int64_t number; /* integer, 0 or 1 for a boolean, id of a text, first element of a list; nil: 0 */
    uint32_t count; /* elements of a list; else 0 */
    uint32_t kind;  /* DLAB_VALUE_* */
} dlab_value;
_Static_assert(sizeof(dlab_value) == 16, "values are compared as bytes: no padding");

/* Functions every checker knows; their texts have these ids in every history. Others are just text. */
#define DLAB_FUNCTIONS(X)     \
    X(READ, "read")           \
    X(WRITE, "write")         \
    X(CAS, "cas")             \
    X(GET, "get")             \
    X(PUT, "put")             \
    X(APPEND, "append")       \
    X(ADD, "add")             \
    X(REMOVE, "remove")       \
    X(CONTAINS, "contains")   \
    X(ENQUEUE, "enqueue")     \
    X(DEQUEUE, "dequeue")     \
    X(PUSH, "push")           \
    X(POP, "pop")             \
    X(ACQUIRE, "acquire")     \
    X(RELEASE, "release")     \
    X(TXN, "txn")             \
    X(R, "r")                 \
    X(W, "w")                 \
    X(ENQ, "enq")             \
    X(DEQ, "deq")             \
    X(LOCK, "lock")           \
    X(UNLOCK, "unlock")       \
    X(INCREMENT, "increment") \
    X(DECREMENT, "decrement")

enum {
#define X(code, name) DLAB_F_##code,
    DLAB_FUNCTIONS(X)
#undef X
        DLAB_F_COUNT
};

typedef struct dlab_history_event {
    int64_t time;          /* ns; never before that of the event in front */
    int64_t process;       /* one operation at a time */
    dlab_value key, value; /* invoke: what is asked; ok: what came back */
    uint32_t f;            /* id of the function's name */
    int32_t type;          /* DLAB_HISTORY_* */
    int64_t line;          /* where it was read, for error texts; 0: its place in the history, from 1 */
} dlab_history_event;

/* By argument and result: read: result; write, put, append, enqueue, push, add, remove: argument; cas:
 * argument is the list [old, new]; contains: argument, result a boolean; dequeue, pop: result, nil says
 * "empty"; txn: a list of lists [f, key, value], argument before and result after. */
typedef struct dlab_operation {
    int64_t process;
    int64_t call, ret; /* ns; ret of an info: when its client gave up, DLAB_NEVER if it never said so */
    dlab_value key, argument, result;
    uint32_t f;
    int32_t outcome; /* DLAB_HISTORY_OK, _FAIL or _INFO */
    /* Places of the two events in the order of the history: an operation is before another in real time
     * when its `returned` (ok or fail) is below the other's `called`. */
    uint32_t called, returned; /* returned: DLAB_NO_EVENT when no answer came */
} dlab_operation;

/* Interned texts. */
typedef struct dlab_texts {
    dlab_buffer bytes, spans; /* char; where text k starts and its length */
    uint32_t *slots;          /* open addressing; id + 1, 0: free */
    uint32_t slot_count;
} dlab_texts;

typedef struct dlab_history {
    dlab_memory *memory;
    dlab_buffer operations; /* dlab_operation, in the order of their calls once complete */
    dlab_buffer elements;   /* dlab_value */
    dlab_texts texts;
    dlab_buffer processes; /* hash table of the processes seen, while events come in */
    uint32_t process_count;
    uint32_t events; /* places given out */
    int64_t last_time;
    bool ordered; /* every operation has its places */
} dlab_history;

/* Start empty; memory outlives the history. */
int dlab_history_open(dlab_history *history, dlab_memory *memory, dlab_error *err);
void dlab_history_close(dlab_history *history);

/* The id of a text, equal for equal texts; and a text of an id (with a zero byte behind it). */
int dlab_history_intern(dlab_history *history, const char *text, size_t length, uint32_t *id,
                        dlab_error *err);
const char *dlab_history_text(const dlab_history *history, uint32_t id, size_t *length);

/* Values of each kind. */
static inline dlab_value dlab_nil(void) { return (dlab_value){ .kind = DLAB_VALUE_NIL }; }
static inline dlab_value dlab_int(int64_t n) { return (dlab_value){ .number = n, .kind = DLAB_VALUE_INT }; }
static inline dlab_value dlab_bool(bool b) { return (dlab_value){ .number = b, .kind = DLAB_VALUE_BOOL }; }
static inline dlab_value dlab_text(uint32_t id)
{
    return (dlab_value){ .number = id, .kind = DLAB_VALUE_TEXT };
}

/* A list of count values, copied into the elements table (where they may lie); an empty list is a list. */
int dlab_history_list(dlab_history *history, const dlab_value *values, size_t count, dlab_value *out,
                      dlab_error *err);
const dlab_value *dlab_history_elements(const dlab_history *history, dlab_value list);
bool dlab_value_equal(const dlab_history *history, dlab_value a, dlab_value b);

/* Write a value as people read it: nil, 3, true, "text", [1 2]. Returns its length. */
int dlab_value_format(const dlab_history *history, dlab_value value, char *text, size_t size);

/* One more event, in real-time order. */
int dlab_history_event_add(dlab_history *history, const dlab_history_event *event, dlab_error *err);

/* One more operation in completed form; its places are found by dlab_history_complete from the times: two
 * that only touch (one returns at the nanosecond another is called) count as concurrent. */
int dlab_history_operation_add(dlab_history *history, const dlab_operation *operation, dlab_error *err);

/* All is in: operations still open become info, places are set. A checker wants a complete history. */
int dlab_history_complete(dlab_history *history, dlab_error *err);

/* The events of a complete history in order, pushed to rows of dlab_history_event: the way back. */
int dlab_history_events(const dlab_history *history, dlab_buffer *events, dlab_error *err);

/* How many operations there are, and one of them. */
static inline size_t dlab_history_count(const dlab_history *history) { return history->operations.count; }
static inline const dlab_operation *dlab_history_at(const dlab_history *history, size_t k)
{
    return (const dlab_operation *)(const void *)history->operations.rows + k;
}

/* Histories made up. Clients ask one operation after another; each takes effect at one instant between its
 * call and its answer, drawn uniformly, so the history is linearizable; unless a defect is planted. */
#define DLAB_GENERATORS(X)              \
    X(REGISTER, "register")             \
    X(CAS_REGISTER, "cas_register")     \
    X(MULTI_REGISTER, "multi_register") \
    X(KEY_VALUE, "key_value")           \
    X(SET, "set")                       \
    X(QUEUE, "queue")                   \
    X(STACK, "stack")                   \
    X(COUNTER, "counter")               \
    X(MUTEX, "mutex")                   \
    X(LIST_APPEND, "list_append")

enum {
#define X(code, name) DLAB_GENERATOR_##code,
    DLAB_GENERATORS(X)
#undef X
};

typedef struct dlab_generator {
    int32_t kind;         /* DLAB_GENERATOR_* */
    int64_t ops, clients; /* operations; clients asking at the same time */
    int64_t keys;         /* objects; each operation picks one uniformly */
    int64_t values;       /* written values are drawn from 1 .. values; 0: each is written once */
    double read_fraction; /* share of operations that only read */
    double crash_rate; /* share whose outcome stays unknown: half of them take effect, at some later time */
    double bug_rate;   /* share with a planted defect: a read of the value before, an update that is lost, an
                             element given out twice, a lock given to two */
    double think;      /* mean pause between an answer and the next call, in mean durations */
} dlab_generator;

/* Fill an open, empty history; *planted counts the defects in it (NULL: not wanted). */
int dlab_generate_history(const dlab_generator *generator, dlab_rng *rng, dlab_history *history,
                          uint64_t *planted, dlab_error *err);

#endif
