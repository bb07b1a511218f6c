/* Queues and stacks into which every value is put once: decided without search. */
#ifndef DISTLAB_CHECK_LINE_H
#define DISTLAB_CHECK_LINE_H
#include "check/search.h"

/* Places that never come: the answer to a call of unknown outcome; what was not taken is called at the
 * first and answered at the second. */
#define DLAB_LINE_OPEN (DLAB_NONE - 1)
#define DLAB_LINE_LEFT DLAB_NONE

/* One value: where it is put in and taken out. */
typedef struct dlab_item {
    uint32_t put, take; /* acts; take NONE: it stays */
    uint32_t put_called, put_returned, take_called, take_returned;
    uint32_t part; /* how many of the moments without any value lie before it */
    bool lost;     /* somebody of unknown outcome took it; who comes last (stacks) */
} dlab_item;

/* All of them. */
typedef struct dlab_line {
    const dlab_problem *p;
    dlab_arena *arena;
    dlab_error *err;
    bool queue;
    dlab_item *items; /* in the order of the answers to their puts */
    uint32_t count;
    uint32_t *of;     /* of each act: its item, NONE: it has none */
    uint32_t *spares; /* takes of unknown outcome not given to an item, by call */
    uint32_t spare_count, unknown_takes;
    /* acts that found nothing, by call; when: right after this place of the history */
    uint32_t *empties, *moments;
    uint32_t empty_count;
} dlab_line;

/* The events of a problem in their order. */
typedef struct dlab_walk {
    const dlab_problem *p;
    uint32_t called, optional, returned; /* how many are passed */
    uint32_t act, place;
    bool calls;
} dlab_walk;

bool dlab_walk_next(dlab_walk *walk);

/* Give an item to a take of unknown outcome. */
void dlab_line_give(dlab_line *line, uint32_t item, uint32_t act);

/* line.c: the verdict. False: not applicable, or left open. On yes, order (room for every act; NULL: not
 * wanted) holds a legal order. */
bool dlab_line_decide(const dlab_problem *problem, dlab_arena *arena, int32_t *verdict, uint32_t *order,
                      uint32_t *order_count, dlab_error *err);

/* lost.c: put what is lost into a legal order of everything else; false: the attempt fails. */
bool dlab_line_find_lost(dlab_line *line, uint32_t **order, uint32_t *count);

/* stack.c: the same for a stack whose moments are known. UNKNOWN: left open. */
int32_t dlab_stack_decide(dlab_line *line, uint32_t *order, uint32_t *order_count);

#endif
