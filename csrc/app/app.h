/* What the files of csrc/app share. */
#ifndef DISTLAB_APP_H
#define DISTLAB_APP_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <distlab/row.h>
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

/* Where a cell says nothing: it will take the parameter of the same name. */
int dlab_field_set_blank(const dlab_field *field, void *row, dlab_error *err);

/* dlab_set and dlab_get of a field somebody has found already. */
int dlab_set_field(const dlab_field *field, void *row, const char *text, dlab_tables *tables,
                   dlab_error *err);
int dlab_get_field(const dlab_field *field, const void *row, const dlab_tables *tables, char *text,
                   size_t size, dlab_error *err);

/* Cut the next piece off a list; pieces end at a separator outside of parentheses and are trimmed. *at is
 * where to go on, NULL behind the last piece, and so is what comes back then. */
char *dlab_next_piece(char **at, char separator);

/* Cut a piece "name=value" in two. */
int dlab_split_pair(char *piece, char **name, char **value, dlab_error *err);

/* Cut blanks off both ends, in place. */
char *dlab_trim(char *text);

/* A copy that may be cut up; *size is what to give back. */
char *dlab_copy_text(const char *text, dlab_memory *memory, size_t *size, dlab_error *err);

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
