/* Errors: recording the first one, saying what a code means, and guessing which name was meant.
 *
 * A suggestion helps only when it is probably right, so a name is near when a third of its letters or
 * fewer were mistyped (insertions, deletions, substitutions and swaps of neighbours, each counting one:
 * Damerau, CACM 7(3), 1964, in the restricted form where a swapped pair is not edited again), or when
 * one of the two texts begins with or contains the other. Upper and lower case are the same letter. */
#include <distlab/error.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum {
    NAME_MAX_LENGTH = 96, /* longer texts are compared by their beginning */
    COST_PREFIX = 1000,   /* any near spelling is better than a common beginning ... */
    COST_INSIDE = 2000,   /* ... and that is better than a common inside */
    COST_NONE = 3000
};

int dlab_fail(dlab_error *err, int code, const char *format, ...)
{
    if (err == NULL || err->code != DLAB_OK) return code;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(err->text, sizeof err->text, format, arguments);
    va_end(arguments);
    err->code = code;
    return code;
}

const char *dlab_error_meaning(int code)
{
    switch (code) {
#define X(name, text) \
    case name: return text;
        DLAB_ERRORS(X)
#undef X
    default: return "unknown error code";
    }
}

/* Copy at most NAME_MAX_LENGTH characters in lower case (ASCII: no locale); returns the length. */
static int lower(const char *text, char out[NAME_MAX_LENGTH + 1])
{
    int n = 0;
    for (; text[n] != '\0' && n < NAME_MAX_LENGTH; n++)
        out[n] = text[n] >= 'A' && text[n] <= 'Z' ? (char)(text[n] - 'A' + 'a') : text[n];
    out[n] = '\0';
    return n;
}

static int least(int a, int b) { return a < b ? a : b; }

/* Three rows of the table suffice: a swap looks back two rows, everything else one. */
static int edit_distance(const char *a, int na, const char *b, int nb)
{
    int rows[3][NAME_MAX_LENGTH + 1];
    int *before = rows[0], *above = rows[1], *row = rows[2];
    for (int j = 0; j <= nb; j++) before[j] = above[j] = j;
    for (int i = 1; i <= na; i++) {
        row[0] = i;
        for (int j = 1; j <= nb; j++) {
            const int replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(replaced, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        int *const oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[nb];
}

static int cost(const char *wanted, int nw, const char *name, int nn)
{
    const int distance = edit_distance(wanted, nw, name, nn);
    const int longer = nw > nn ? nw : nn, shorter = least(nw, nn);
    if (3 * distance <= longer) return distance;
    if (shorter >= 2 && strncmp(wanted, name, (size_t)shorter) == 0) return COST_PREFIX + longer - shorter;
    if (shorter >= 3 && (strstr(name, wanted) != NULL || strstr(wanted, name) != NULL))
        return COST_INSIDE + longer - shorter;
    return COST_NONE;
}

const char *dlab_nearest_name(const char *wanted, const char *const *names, int n)
{
    char want[NAME_MAX_LENGTH + 1], have[NAME_MAX_LENGTH + 1];
    const int length = lower(wanted, want);
    const char *nearest = NULL;
    int smallest = COST_NONE;
    for (int i = 0; i < n; i++) {
        const int c = cost(want, length, have, lower(names[i], have));
        if (c >= smallest) continue;
        smallest = c;
        nearest = names[i];
    }
    return nearest;
}
