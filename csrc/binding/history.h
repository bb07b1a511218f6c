/* A history as Python holds it: a capsule that owns its memory, and never changes once it is made. */
#ifndef DISTLAB_BINDING_HISTORY_H
#define DISTLAB_BINDING_HISTORY_H
#include "binding/binding.h"

#include <distlab/history.h>

typedef struct dlab_py_history {
    dlab_memory memory;
    dlab_history history;
    dlab_buffer nemesis; /* dlab_history_event; see dlab_history_read */
    bool timed;          /* its events came with times */
} dlab_py_history;

/* NULL with an exception where the object is none. */
dlab_py_history *dlab_py_history_of(PyObject *capsule);

/* The place of a word in a list of n; -1 with an exception that names the nearest. */
int dlab_py_choice(dlab_py_state *state, const char *what, const char *word, const char *const *names, int n);

#endif
