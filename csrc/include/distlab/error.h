/* Errors: a code is returned, the text stands in a dlab_error, the first one wins.
 * Zero is success. A user's mistake names the value, the accepted range and the nearest
 * valid name. A protocol that breaks its promise is a result, never an error. */
#ifndef DISTLAB_ERROR_H
#define DISTLAB_ERROR_H

#define DLAB_ERRORS(X)                                 \
    X(DLAB_OK, "ok")                                   \
    X(DLAB_ENOMEM, "out of memory")                    \
    X(DLAB_ERANGE, "value outside its accepted range") \
    X(DLAB_EINVAL, "parameters contradict each other") \
    X(DLAB_ETYPE, "value of the wrong type")           \
    X(DLAB_ENAME, "unknown name")                      \
    X(DLAB_ELIMIT, "budget or capacity exhausted")     \
    X(DLAB_ESTOP, "stopped by the caller")             \
    X(DLAB_EBROKEN, "an invariant of distlab itself is broken")

typedef enum dlab_code {
#define X(code, text) code,
    DLAB_ERRORS(X)
#undef X
} dlab_code;

enum { DLAB_ERROR_TEXT = 400 };

typedef struct dlab_error {
    int code; /* a dlab_code; DLAB_OK while nothing went wrong */
    char text[DLAB_ERROR_TEXT];
} dlab_error;

/* Record an error unless one stands already (err may be NULL); returns code. */
__attribute__((format(printf, 3, 4))) int dlab_fail(dlab_error *err, int code, const char *format, ...);

/* The general meaning of a code, for people. */
const char *dlab_error_meaning(int code);

/* The nearest of n names by edit distance, or NULL where none is near; for error texts. */
const char *dlab_nearest_name(const char *wanted, const char *const *names, int n);

/* Our own invariant: nonzero, with file and line, when the condition does not hold. */
#define DLAB_CHECK(err, condition) \
    ((condition) ? DLAB_OK         \
                 : dlab_fail((err), DLAB_EBROKEN, "%s:%d: not so: %s", __FILE__, __LINE__, #condition))

#endif
