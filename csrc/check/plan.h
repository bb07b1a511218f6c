/* From a history to what a search works on. An act is one operation a legal order must contain (mandatory:
 * it has an answer) or may contain (optional: its outcome is unknown), reduced to a kind and two operands;
 * what says nothing (reads of unknown outcome, operations that did not happen) is left out. Acts of one
 * object form a problem: mandatory ones in the order of their answers, then optional ones in the order of
 * their calls. */
#ifndef DISTLAB_CHECK_PLAN_H
#define DISTLAB_CHECK_PLAN_H
#include <distlab/check.h>

#include "check/words.h"

#define DLAB_NONE UINT32_MAX

/* What an act does; operands are ids of values unless said otherwise. */
typedef enum dlab_act_kind {
    DLAB_ACT_READ,        /* sees a */
    DLAB_ACT_NOT,         /* sees anything but a (a compare-and-set of a to b that failed) */
    DLAB_ACT_WRITE,       /* register := a; sequence := the elements of a */
    DLAB_ACT_CAS,         /* sees a, then := b */
    DLAB_ACT_APPEND,      /* sequence: the elements of a go behind */
    DLAB_ACT_ADD,         /* set: a goes in */
    DLAB_ACT_REMOVE,      /* set: a goes out */
    DLAB_ACT_HAS,         /* set: a is in (b = 1) or not */
    DLAB_ACT_PUT_IN,      /* queue, stack: a goes in */
    DLAB_ACT_TAKE,        /* queue, stack: a comes out */
    DLAB_ACT_TAKE_ANY,    /* whatever comes out: the answer is not known */
    DLAB_ACT_EMPTY,       /* there was nothing to take */
    DLAB_ACT_COUNT,       /* counter += the integer a */
    DLAB_ACT_PARTS,       /* several registers: the b parts from a on */
    DLAB_ACT_PARTS_BLIND, /* the same, what its reads saw is not known */
    DLAB_ACT_USER         /* class a of the user's operations; b: the class when the answer is not known */
} dlab_act_kind;

typedef struct dlab_act {
    uint32_t called, returned; /* places; returned: DLAB_NONE when optional */
    uint32_t source;           /* index of the operation */
    uint32_t object;
    uint32_t a, b;
    uint32_t process; /* dense number */
    uint8_t kind;
    bool reads; /* by its type it never changes a state */
} dlab_act;

/* Which states and transitions there are. */
typedef enum dlab_family {
    DLAB_FAMILY_REGISTER, /* register, cas, mutex, members of a set one by one */
    DLAB_FAMILY_TEXT,     /* sequences of bytes */
    DLAB_FAMILY_LIST,     /* sequences of values */
    DLAB_FAMILY_SET,
    DLAB_FAMILY_QUEUE,
    DLAB_FAMILY_STACK,
    DLAB_FAMILY_COUNTER,
    DLAB_FAMILY_PARTS,
    DLAB_FAMILY_USER
} dlab_family;

/* Values by content: equal values get equal ids, from 0 up. */
typedef struct dlab_value_ids {
    const dlab_history *history;
    dlab_memory *memory;
    dlab_buffer values; /* dlab_value */
    uint32_t *slots, *hashes;
    uint32_t slot_count, hash_capacity;
} dlab_value_ids;

uint32_t dlab_value_id(dlab_value_ids *ids, dlab_value value, dlab_error *err); /* DLAB_NONE: error */
static inline dlab_value dlab_value_of(const dlab_value_ids *ids, uint32_t id)
{
    return ((const dlab_value *)(const void *)ids->values.rows)[id];
}

/* One part of a transaction over several registers. */
typedef struct dlab_part {
    uint32_t slot, value; /* which register; seen or written */
    bool writes;
} dlab_part;

/* The whole history, reduced. */
typedef struct dlab_plan {
    const dlab_history *history;
    const dlab_check_options *options;
    dlab_memory *memory;
    dlab_arena arena; /* what lives as long as the plan */
    dlab_family family;
    dlab_value_ids values, keys, object_ids;
    dlab_words classes; /* USER: f, key, argument, result, outcome; SET: key, member */
    dlab_buffer parts;  /* dlab_part */
    uint32_t initial;   /* id of the initial value */
    dlab_act *acts;     /* in the order of their calls */
    uint32_t act_count;
    uint32_t objects, processes, registers;
    uint32_t *object_start;          /* objects + 1 places in the two below */
    uint32_t *by_call, *by_return;   /* acts of each object; the second: mandatory ones */
    uint32_t *return_start;          /* objects + 1 */
    uint32_t *all_returns, answered; /* mandatory ones of all objects by answer */
    uint32_t *local;                 /* of each act: its place in the problem being made */
    /* of each value: its place in the problem being made; DLAB_NONE between */
    uint32_t *scratch;
    dlab_buffer class_sources; /* USER: uint32_t, an operation of each class */
} dlab_plan;

int dlab_plan_open(dlab_plan *plan, const dlab_history *history, const dlab_check_options *options,
                   dlab_memory *memory, dlab_error *err);
void dlab_plan_close(dlab_plan *plan);

/* Reduce one operation (reduce.c): false when it says nothing. */
bool dlab_plan_reduce(dlab_plan *plan, const dlab_operation *op, dlab_act *act, dlab_value *object,
                      dlab_error *err);

/* A set of acts to be ordered. */
typedef struct dlab_problem {
    dlab_plan *plan;
    dlab_act *acts;    /* mandatory by answer, optional by call */
    uint32_t *by_call; /* mandatory ones by call */
    uint32_t mandatory, optional;
    uint32_t objects; /* 1, or all of them at once */
    bool sequential;
} dlab_problem;

/* The acts of one object (DLAB_NONE: of all), as the history stood right after the event at place `until`
 * (DLAB_NONE: complete); acts with keep[act] == 0 left out (keep NULL: none). Memory comes from arena. */
int dlab_problem_make(dlab_problem *problem, dlab_plan *plan, uint32_t object, uint32_t until,
                      const unsigned char *keep, dlab_arena *arena, dlab_error *err);

#endif
