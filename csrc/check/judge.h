/* The verdict on one problem at a time, and what is made of a no. */
#ifndef DISTLAB_CHECK_JUDGE_H
#define DISTLAB_CHECK_JUDGE_H
#include "check/search.h"

typedef struct dlab_judge {
    dlab_plan plan;
    const dlab_check_options *options;
    dlab_memory *memory;
    dlab_arena arena; /* of the problem at hand */
    dlab_check_result *result;
    dlab_error *err;
    bool sequential;
    uint32_t prunings;
    uint64_t states_max; /* 0: no limit */
    uint64_t polled;     /* states the host was told of */
} dlab_judge;

/* One question: these acts, in some legal order? */
typedef struct dlab_question {
    uint32_t object, until;    /* DLAB_NONE: all; to the end */
    const unsigned char *keep; /* of each act of the plan; NULL: all */
    bool explain;              /* write what the deepest point was into the result */
    /* room for every act of the object: operations in a legal order; NULL: not wanted */
    uint32_t *order;
    uint32_t *order_places; /* beside it: the earliest place in the history each can be at */
    uint32_t order_count;
} dlab_question;

int32_t dlab_judge_ask(dlab_judge *judge, dlab_question *question);

/* window.c: the shortest beginning that fails, and a part of it that still does. */
int dlab_judge_explain(dlab_judge *judge, uint32_t object);

#endif
