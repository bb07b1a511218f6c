/* Rows by name and text: how a C program sets and reads any field of any model without knowing its
 * struct, from a command line, a file or a person.
 *
 * dlab_set(model, row, "service", "lognormal(median=5ms, p99=80ms)", ...) accepts what Python accepts as
 * text: numbers with units ("10ms", "2k/s", "64KiB"), names of choices, flags as "a|b", "true" and
 * "false", distributions, "none" for off. A table is written as its rows, "share=0.9, service=2ms;
 * share=0.1": cells that are not mentioned keep the column's default, an empty one ("service=") is blank.
 * What does not fit into a row (parts of mixtures, samples, rows of tables) is kept by a dlab_tables,
 * which must live as long as the row is used. An error leaves the row as it was and names the nearest
 * name. */
#ifndef DISTLAB_ROW_H
#define DISTLAB_ROW_H
#include <distlab/model.h>

/* Keeps what rows of parameters refer to; zero is empty and ready. */
typedef struct dlab_tables {
    dlab_buffer parts; /* of mixtures, dlab_part: table 0 of the pool */
    dlab_buffer list;  /* dlab_rows: every table of the pool */
    dlab_memory memory;
} dlab_tables;

enum { DLAB_TABLE_ROWS_MAX = 10000000, DLAB_POOL_TABLES_MAX = 1 << 20 };

/* The pool that rows set with these tables need in a sweep; it holds until the next dlab_set. */
dlab_pool dlab_tables_pool(const dlab_tables *tables);

/* Give everything back. */
void dlab_tables_free(dlab_tables *tables);

/* Set one field of a row of parameters from text. tables may be NULL where no mixture and no table is set. */
int dlab_set(const dlab_model *model, void *row, const char *name, const char *text, dlab_tables *tables,
             dlab_error *err);

/* Set several fields: "arrival_rate=90, service=exponential(10ms) + 1ms, jobs=20k". Those before the first
 * mistake are set. A table of more than one cell has commas of its own: dlab_set takes it. */
int dlab_set_all(const dlab_model *model, void *row, const char *text, dlab_tables *tables, dlab_error *err);

/* Give a table parameter these rows (structs from models.h), or a distribution these samples (doubles in SI
 * units, in any order). They are copied. */
int dlab_set_rows(const dlab_model *model, void *row, const char *name, dlab_rows rows, dlab_tables *tables,
                  dlab_error *err);

/* Write one field of a row as text that dlab_set reads back to the same. Returns the length of the whole text
 * as snprintf does (what did not fit is left out), or -1 with the error set. */
int dlab_get(const dlab_model *model, const void *row, const char *name, const dlab_tables *tables,
             char *text, size_t size, dlab_error *err);

#endif
