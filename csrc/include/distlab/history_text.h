/* Histories as text: EDN as Jepsen and Knossos write it (one map a line, or one vector of maps) and JSON
 * (one object a line, or one array of objects). An event has process, type (invoke, ok, fail, info), f,
 * value, and where there are such things key and time; other entries are ignored.
 *
 * Integers, booleans, nil, text and lists become values of the history; a set becomes the sorted list of its
 * elements; anything else (keywords, fractions, maps, tagged values) becomes text in EDN, written so that
 * equal values have equal texts and no string is taken for one of them. Broken text, a missing entry, an
 * answer without a question: an error that names the line and says what was expected. */
#ifndef DISTLAB_HISTORY_TEXT_H
#define DISTLAB_HISTORY_TEXT_H
#include <distlab/history.h>

#define DLAB_NOTATIONS(X) \
    X(EDN, "edn")         \
    X(JSON, "jsonl")

enum {
#define X(code, name) DLAB_NOTATION_##code,
    DLAB_NOTATIONS(X)
#undef X
};

/* What decides the order of events: STRICT: both lines and times, which must agree; LINES: the lines, times
 * that go back are raised; TIMES: the times, lines where they are equal. */
#define DLAB_TEXT_ORDERS(X) \
    X(STRICT, "strict")     \
    X(LINES, "lines")       \
    X(TIMES, "times")

enum {
#define X(code, name) DLAB_TEXT_ORDER_##code,
    DLAB_TEXT_ORDERS(X)
#undef X
};

typedef struct dlab_history_source {
    const char *text;
    size_t length;
    int32_t notation, order;
    bool independent;                         /* values are pairs [key value] */
    bool (*poll)(void *arg, uint64_t events); /* true: stop; optional */
    void *poll_arg;
} dlab_history_source;

/* Fill an open, empty history and complete it. Events of the nemesis go to their own buffer (rows of
 * dlab_history_event; `process` says how many events of clients stand before). *timed: the text had times. */
int dlab_history_read(dlab_history *history, const dlab_history_source *source, dlab_buffer *nemesis,
                      bool *timed, dlab_error *err);

/* The way back, pushed to rows of char. nemesis may be NULL. */
typedef struct dlab_history_style {
    int32_t notation;
    bool independent, timed;
} dlab_history_style;

/* Write it in this style. */
int dlab_history_write(const dlab_history *history, const dlab_buffer *nemesis,
                       const dlab_history_style *style, dlab_buffer *text, dlab_error *err);

#endif
