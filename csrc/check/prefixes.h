/* A compressed tree of prefixes, laid once and walked often. */
#ifndef DISTLAB_CHECK_PREFIXES_H
#define DISTLAB_CHECK_PREFIXES_H
#include <stdbool.h>
#include <string.h>

#include "check/plan.h"

/* One string of the tree, which leaves string `parent` behind its first `shared` elements. */
typedef struct dlab_string {
    const char *elements;
    uint32_t length, parent, shared;
    uint32_t base; /* its point of length n is base + n */
} dlab_string;

typedef struct dlab_branch {
    uint32_t string, at, child; /* child NONE: free */
    const char *first;          /* the element behind the branching */
} dlab_branch;

typedef struct dlab_prefixes {
    uint32_t width;       /* bytes of an element: 1, or 4 (ids of values) */
    dlab_string *strings; /* the first is the trunk */
    uint32_t string_count;
    dlab_branch *branches; /* open addressing */
    uint32_t branch_capacity;
} dlab_prefixes;

/* The string a point belongs to: the one that first had it. */
uint32_t dlab_prefixes_string(const dlab_prefixes *q, uint32_t point);

/* Walk from place *at of string *on as far as the elements fit: how many did. */
uint32_t dlab_prefixes_walk(const dlab_prefixes *q, uint32_t *on, uint32_t *at, const char *elements,
                            uint32_t count);

/* Lay a string into the tree (longer ones first); its point. */
uint32_t dlab_prefixes_lay(dlab_prefixes *q, const char *elements, uint32_t length);

/* Is one point on the way to another, or the same? */
bool dlab_prefixes_lead(const dlab_prefixes *q, uint32_t from, uint32_t to);

#endif
