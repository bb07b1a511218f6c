/* What the files of csrc/app share. */
#ifndef DISTLAB_APP_H
#define DISTLAB_APP_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <distlab/sweep.h>

/* Names of a choice or flags field. */
int dlab_choices_count(const dlab_field *field);

/* Bytes a field takes in its row. */
size_t dlab_type_size(dlab_type type);

/* A cell of a table that was left blank. */
bool dlab_field_is_blank(const dlab_field *field, const void *row);

/* Copy a value between fields of one type. */
void dlab_field_copy(const dlab_field *to, void *to_row, const dlab_field *from, const void *from_row);

/* Write `off`, or the empty table. */
void dlab_field_set_off(const dlab_field *field, void *row);

/* How one worker learns that it must stop: the caller's token, the sweep's own flag and, on the calling
 * thread only, the host's poll. */
struct dlab_watch {
    dlab_token *token;
    const dlab_host *host; /* NULL on all but the calling thread */
    atomic_int *stop;
    atomic_size_t *rows_done;
};

/* Nonzero when somebody wants the sweep to end. */
int dlab_watch_poll(struct dlab_watch *watch);

/* Steps between two polls: at most 1 us each, so a poll comes at least every 16 ms. */
enum { DLAB_POLL_STEPS = 1 << 14 };

/* Run work(arg, worker) for worker 0 .. n - 1; worker 0 is the calling thread, which then calls
 * idle(arg) every few milliseconds until the others end. What a thread that cannot be
 * started would do, the caller does. */
void dlab_parallel_run(unsigned n, void (*work)(void *arg, unsigned worker), void (*idle)(void *arg),
                       void *arg);

#endif
