/* Text read form by form: EDN (Clojure's notation, as Jepsen and Knossos write it) and JSON. A form becomes
 * a flat tree of nodes in the order of the text; nothing recurses, depth has a limit, and every error names
 * line and column and says what was expected. */
#ifndef DISTLAB_CHECK_NOTATION_H
#define DISTLAB_CHECK_NOTATION_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <distlab/history.h>
#include <distlab/memory.h>

#define DLAB_NODE_KINDS(X)         \
    X(NIL, "nil")                  \
    X(BOOL, "a boolean")           \
    X(INT, "an integer")           \
    X(REAL, "a fraction")          \
    X(BIG, "a number out of size") \
    X(TEXT, "a string")            \
    X(KEYWORD, "a keyword")        \
    X(SYMBOL, "a symbol")          \
    X(CHARACTER, "a character")    \
    X(LIST, "a list")              \
    X(SET, "a set")                \
    X(MAP, "a map")                \
    X(TAGGED, "a tagged value")

enum {
#define X(code, name) DLAB_NODE_##code,
    DLAB_NODE_KINDS(X)
#undef X
};

enum { DLAB_DEPTH_MAX = 64 };

/* Children follow their parent; a map's are key, value, key, value. */
typedef struct dlab_node {
    int64_t line, number; /* number: of an integer or boolean */
    double real;
    size_t start; /* of a string, keyword, symbol, tag, character or large number: its text in the reader */
    uint32_t length, column, kind, children;
    uint32_t next; /* the node behind this one and all it holds */
} dlab_node;

/* A form that is not complete: a container, or a tag or `#_` that waits for its form. */
typedef struct dlab_frame {
    uint32_t node, what;
    size_t nodes, text; /* where to cut when the form is dropped */
    char closer;
} dlab_frame;

enum { DLAB_FRAME_CONTAINER, DLAB_FRAME_TAG, DLAB_FRAME_DROP };

typedef struct dlab_reader {
    const char *at, *end, *line_start;
    int64_t line;
    int32_t notation; /* DLAB_NOTATION_* */
    /* A text that is one list: its elements are read as if they stood alone. */
    bool started, inside, finished;
    char closer;
    int64_t opened_line;
    uint32_t opened_column;
    uint64_t forms;
    dlab_frame stack[DLAB_DEPTH_MAX];
    int depth;
    dlab_buffer nodes, text; /* of the form read last */
    dlab_memory *memory;
    dlab_error *err;
} dlab_reader;

/* The text must outlive the reader; it is checked to be UTF-8. */
int dlab_reader_open(dlab_reader *reader, const char *text, size_t length, int32_t notation,
                     dlab_memory *memory, dlab_error *err);
void dlab_reader_close(dlab_reader *reader);

/* Read the next form; *found is false at the end of the text. */
int dlab_reader_next(dlab_reader *reader, bool *found);

static inline dlab_node *dlab_reader_nodes(const dlab_reader *reader)
{
    return (dlab_node *)(void *)reader->nodes.rows;
}

static inline const char *dlab_node_text(const dlab_reader *reader, const dlab_node *node)
{
    return reader->text.rows != NULL ? reader->text.rows + node->start : "";
}

/* What the notations share. */
__attribute__((format(printf, 2, 3))) int dlab_reader_fail(dlab_reader *reader, const char *format, ...);
__attribute__((format(printf, 3, 4))) int dlab_reader_fail_at(dlab_reader *reader, const dlab_node *node,
                                                              const char *format, ...);
dlab_node dlab_reader_node(const dlab_reader *reader, uint32_t kind); /* a node that begins here */
int dlab_reader_leaf(dlab_reader *reader, const dlab_node *node, bool *form);
int dlab_reader_push_frame(dlab_reader *reader, const dlab_node *node, uint32_t what, char closer);
int dlab_reader_pop_container(dlab_reader *reader, bool *form);
int dlab_reader_keep(dlab_reader *reader, dlab_node *node, const char *text, size_t length);
int dlab_reader_string(dlab_reader *reader, dlab_node *node); /* at the opening quote */
int dlab_reader_end_inside(dlab_reader *reader);              /* the error of a text that ends too early */
void dlab_reader_new_line(dlab_reader *reader);               /* `at` is behind a line's end */
int dlab_reader_hex(dlab_reader *reader, const char *at, uint32_t *code);

/* A number's text, whose shape was checked: an integer, a fraction, or too large for either. */
int dlab_reader_number(dlab_reader *reader, dlab_node *node, const char *text, size_t length, bool whole);

/* edn.c, json.c: one form from the first character on; at the end of the list around them *found is false. */
int dlab_edn_form(dlab_reader *reader, bool *found);
int dlab_json_form(dlab_reader *reader, bool *found);

/* notation.c: a node in EDN, maps and sets sorted, so that equal values give equal text. With `bare`
 * (inside another value) as EDN has it; else as it is interned: a fraction 1.5 as ##1.5, a symbol x as 'x. */
int dlab_node_print(const dlab_reader *reader, uint32_t node, bool bare, dlab_buffer *out, dlab_error *err);

/* Text with quotes around it and escapes both notations know. */
int dlab_print_string(dlab_buffer *out, dlab_memory *memory, const char *text, size_t length,
                      dlab_error *err);
int dlab_print_real(dlab_buffer *out, dlab_memory *memory, double value, dlab_error *err);

/* What an interned text stands for. A string that could be taken for something else is kept with quotes
 * around it, so texts and values correspond one to one. */
enum {
    DLAB_TEXT_PLAIN,  /* itself */
    DLAB_TEXT_QUOTED, /* a string with quotes around it */
    DLAB_TEXT_NUMBER, /* ##1.5: the number behind the signs */
    DLAB_TEXT_SYMBOL, /* 'x: the symbol behind the sign */
    DLAB_TEXT_RAW     /* a keyword, character, map or tagged value as EDN writes it */
};
int dlab_text_class(const char *text, size_t length, dlab_memory *memory, dlab_error *err);

/* Is a text of class NUMBER one that JSON can write too (or NaN, Inf, -Inf)? In JSON only such numbers are
 * told from strings: a string of these looks is kept with quotes. */
bool dlab_text_is_json_number(const char *text, size_t length);
bool dlab_text_needs_json_quotes(const char *text, size_t length);

/* May this stand behind the colon of a keyword? */
bool dlab_text_is_name(const char *text, size_t length);

#endif
