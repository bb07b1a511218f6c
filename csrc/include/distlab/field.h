/* Fields: one row per parameter, metric or table column says everything about it once. The NumPy dtype,
 * the Python signature, the docstring, the stub, the slider, the CLI flag, the reference page and the
 * generated C header are derived from these rows. Name, offset and type come from the struct member. */
#ifndef DISTLAB_FIELD_H
#define DISTLAB_FIELD_H
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <distlab/distribution.h>
#include <distlab/error.h>
#include <distlab/histogram.h>

typedef enum dlab_type {
    /* parameters and columns; the first four are metrics too */
    DLAB_DOUBLE,       /* double */
    DLAB_INT,          /* int64_t */
    DLAB_BOOL,         /* bool */
    DLAB_CHOICE,       /* int32_t: index of one name */
    DLAB_FLAGS,        /* uint32_t: a set of names, bit i is choice i */
    DLAB_DISTRIBUTION, /* dlab_distribution */
    DLAB_TABLE,        /* dlab_ref: rows of a table of the call */
    /* metrics only; the type says how repetitions merge */
    DLAB_RATIO,     /* dlab_ratio: by parts */
    DLAB_ESTIMATE,  /* dlab_estimate: by weight, t interval over repetitions */
    DLAB_HISTOGRAM, /* dlab_histogram: by buckets, quantiles never averaged */
    DLAB_COMPONENT  /* a spliced field table; never seen after flattening */
} dlab_type;

/* Rows first .. first + count - 1 of one table of the call's pool. */
typedef struct dlab_ref {
    uint32_t table, first, count;
} dlab_ref;

typedef struct dlab_ratio {
    double num, den;
} dlab_ratio;

/* A mean with its standard error over n independent pieces (batches, cycles). */
typedef struct dlab_estimate {
    double mean, se;
    int64_t n;
} dlab_estimate;

typedef struct dlab_field {
    const char *name;
    const char *unit;                /* SI: "s", "1/s", "byte", "byte/s", "ppm"; NULL: dimensionless */
    const char *display;             /* preferred display unit, such as "ms"; NULL: unit */
    const char *doc;                 /* one sentence */
    const char *group;               /* heading in help and sliders; NULL: that of the field above */
    const char *const *choices;      /* choice and flags: NULL-terminated names */
    const struct dlab_table *table;  /* table reference: what the rows look like */
    const struct dlab_field *fields; /* component: its own field table */
    const char *prefix;              /* component: put before each of its names; NULL: nothing */
    const char *text;                /* distribution: default in text form; NULL: off */
    size_t offset;
    dlab_type type;
    bool log_scale;        /* sliders and default sweeps step geometrically */
    bool optional;         /* may be off: no capacity, no deadline; written None */
    bool may_be_nan;       /* metric: NaN says "not defined for these parameters" */
    double dflt, min, max; /* valid min..max (distribution: of its mean); metric: an invariant */
    double low, high;      /* typical range: sliders and default sweeps; both 0: min..max */
    double off;            /* the number that means off; lies outside min..max */
    double scale;          /* histogram: SI units per recorded integer; 0: 1e-9 for unit "s", else 1 */
} dlab_field;

#define DLAB_TYPE_OF(S, m)                   \
    _Generic(((S *)0)->m, double             \
             : DLAB_DOUBLE, int64_t          \
             : DLAB_INT, bool                \
             : DLAB_BOOL, int32_t            \
             : DLAB_CHOICE, uint32_t         \
             : DLAB_FLAGS, dlab_distribution \
             : DLAB_DISTRIBUTION, dlab_ref   \
             : DLAB_TABLE, dlab_ratio        \
             : DLAB_RATIO, dlab_estimate     \
             : DLAB_ESTIMATE, dlab_histogram \
             : DLAB_HISTOGRAM)

/* One field; what follows the member's name are the initialisers above, for example .unit = "s". */
#define DLAB_FIELD(S, m, ...)                                                         \
    {                                                                                 \
        .name = #m, .offset = offsetof(S, m), .type = DLAB_TYPE_OF(S, m), __VA_ARGS__ \
    }

/* Splice the field table of a component that the model holds as member m. */
#define DLAB_GROUP(S, m, table_, ...)                                                                 \
    {                                                                                                 \
        .name = #m, .offset = offsetof(S, m), .type = DLAB_COMPONENT, .fields = (table_), __VA_ARGS__ \
    }

/* Shorthand for "may be written None, then the member holds this number". */
#define DLAB_OFF(number) .optional = true, .off = (number)

#define DLAB_END     \
    {                \
        .name = NULL \
    }

/* A kind of rows that go in (classes, topologies, fault plans) or come out (series, traces). A blank cell of
 * an input column (NaN, DLAB_INT_BLANK, choice -1, distribution off) takes the parameter of the same name. */
typedef struct dlab_table {
    const char *name, *doc;
    const dlab_field *columns;
    size_t row_size;
    bool series; /* first column is `time` (s); the others hold until the next row */
} dlab_table;

#define DLAB_INT_BLANK INT64_MIN

enum { DLAB_FIELDS_MAX = 160, DLAB_NAME_MAX = 48, DLAB_TABLES_MAX = 8, DLAB_CHOICES_MAX = 64 };

/* A field table with its components spliced in: absolute offsets, full names, groups filled. */
typedef struct dlab_layout {
    int count;
    dlab_field fields[DLAB_FIELDS_MAX];
    char names[DLAB_FIELDS_MAX][DLAB_NAME_MAX];
} dlab_layout;

/* Make the layout of a table of fields. */
int dlab_layout_init(dlab_layout *layout, const dlab_field *fields, dlab_error *err);

/* A field by name; NULL with DLAB_ENAME that names the nearest one. owner is for the text. */
const dlab_field *dlab_layout_find(const dlab_layout *layout, const char *name, const char *owner,
                                   dlab_error *err);

/* The number in a field (double, int, bool, choice, flags), and putting one there with every check. */
double dlab_field_number(const dlab_field *field, const void *row);
int dlab_field_set_number(const dlab_field *field, void *row, double value, dlab_error *err);

/* Read any parameter or column from text: "10ms", "fifo", "a|b" (flags), "none" (off), a distribution.
 * Parts of mixtures are pushed to parts, see dlab_distribution_parse. */
int dlab_field_set_text(const dlab_field *field, void *row, const char *text, dlab_buffer *parts,
                        dlab_memory *memory, dlab_error *err);

/* Write a value as text that reads back the same. */
int dlab_field_format(const dlab_field *field, const void *row, const dlab_pool *pool, char *text,
                      size_t size);

/* One value within its range, references inside the pool; NaN is refused. */
int dlab_field_check(const dlab_field *field, const void *row, const dlab_pool *pool, dlab_error *err);

/* Is the field off in this row? */
bool dlab_field_is_off(const dlab_field *field, const void *row);

/* Put the field's default there. */
int dlab_field_set_default(const dlab_field *field, void *row, dlab_error *err);

#endif
