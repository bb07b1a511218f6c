/* Fields as text, both ways: what the command line, a configuration file, plain C (dlab_set) and
 * Python strings all go through, so that "10ms", "fifo", "a|b", "none" mean the same everywhere. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "app/app.h"

static bool same_word(const char *text, const char *word)
{
    while (*text != '\0' && *word != '\0' && tolower((unsigned char)*text) == *word) text++, word++;
    return *text == '\0' && *word == '\0';
}

static int unknown_choice(const dlab_field *f, const char *text, dlab_error *err)
{
    char all[160] = "";
    size_t used = 0;
    const int n = dlab_choices_count(f);
    for (int i = 0; i < n && used < sizeof all; i++)
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", f->choices[i]);
    const char *near = dlab_nearest_name(text, f->choices, n);
    return dlab_fail(err, DLAB_ERANGE, "%s = '%s' is not one of %s%s%s%s%s", f->name, text, all,
                     used >= sizeof all ? " ..." : "", near ? "; did you mean '" : "", near ? near : "",
                     near ? "'?" : "");
}

static int find_choice(const dlab_field *f, const char *text)
{
    for (int i = 0; f->choices != NULL && f->choices[i] != NULL; i++)
        if (strcmp(text, f->choices[i]) == 0) return i;
    return -1;
}

static int parse_flags(const dlab_field *f, void *row, const char *text, dlab_error *err)
{
    double set = 0;
    while (*text != '\0') {
        char word[DLAB_NAME_MAX];
        const size_t length = strcspn(text, "|");
        if (length >= sizeof word)
            return dlab_fail(err, DLAB_ERANGE, "%s: '%.60s' is too long for a flag", f->name, text);
        memcpy(word, text, length);
        word[length] = '\0';
        const int i = find_choice(f, word);
        if (i < 0) return unknown_choice(f, word, err);
        if (((uint32_t)set >> i & 1u) == 0) set += ldexp(1, i);
        text += length;
        if (*text == '|') text++;
    }
    return dlab_field_set_number(f, row, set, err);
}

static int parse_bool(const dlab_field *f, void *row, const char *text, dlab_error *err)
{
    if (same_word(text, "true") || same_word(text, "yes") || same_word(text, "on") || same_word(text, "1"))
        return dlab_field_set_number(f, row, 1, err);
    if (same_word(text, "false") || same_word(text, "no") || same_word(text, "off") || same_word(text, "0"))
        return dlab_field_set_number(f, row, 0, err);
    return dlab_fail(err, DLAB_ETYPE, "%s = '%s' is neither true nor false", f->name, text);
}

int dlab_field_set_text(const dlab_field *f, void *row, const char *text, dlab_buffer *parts,
                        dlab_memory *memory, dlab_error *err)
{
    dlab_error inner = { .code = DLAB_OK };
    double number = 0;
    if (f->optional && (same_word(text, "none") || same_word(text, "off"))) {
        dlab_field_set_off(f, row);
        return DLAB_OK;
    }
    switch (f->type) {
    case DLAB_BOOL: return parse_bool(f, row, text, err);
    case DLAB_FLAGS:
        return same_word(text, "none") ? dlab_field_set_number(f, row, 0, err)
                                       : parse_flags(f, row, text, err);
    case DLAB_CHOICE: {
        const int i = find_choice(f, text);
        return i < 0 ? unknown_choice(f, text, err) : dlab_field_set_number(f, row, i, err);
    }
    case DLAB_DISTRIBUTION: {
        dlab_distribution d;
        if (dlab_distribution_parse(text, f->unit, parts, memory, &d, &inner))
            return dlab_fail(err, inner.code, "%s: %s", f->name, inner.text);
        memcpy((char *)row + f->offset, &d, sizeof d);
        return DLAB_OK; /* checked with its pool, by dlab_field_check */
    }
    case DLAB_DOUBLE:
    case DLAB_INT:
        if (dlab_quantity_parse(text, f->unit, &number, &inner))
            return dlab_fail(err, inner.code, "%s: %s", f->name, inner.text);
        return dlab_field_set_number(f, row, number, err);
    default: return dlab_fail(err, DLAB_ETYPE, "%s cannot be written as text", f->name);
    }
}

static int format_flags(const dlab_field *f, uint32_t set, char *text, size_t size)
{
    size_t used = 0;
    if (set == 0) return snprintf(text, size, "none");
    for (int i = 0; i < dlab_choices_count(f); i++)
        if ((set >> i & 1u) != 0) /* counts on where there is no room, as snprintf does */
            used += (size_t)snprintf(used < size ? text + used : NULL, used < size ? size - used : 0, "%s%s",
                                     used ? "|" : "", f->choices[i]);
    return (int)used;
}

int dlab_field_format(const dlab_field *f, const void *row, const dlab_pool *pool, char *text, size_t size)
{
    dlab_distribution d;
    dlab_ref ref;
    if (f->type != DLAB_TABLE && dlab_field_is_off(f, row)) return snprintf(text, size, "none");
    const double number = dlab_field_number(f, row);
    switch (f->type) {
    case DLAB_DISTRIBUTION:
        memcpy(&d, (const char *)row + f->offset, sizeof d);
        return dlab_distribution_format(&d, pool, text, size);
    case DLAB_TABLE:
        memcpy(&ref, (const char *)row + f->offset, sizeof ref);
        return snprintf(text, size, "%u rows", ref.count);
    case DLAB_BOOL: return snprintf(text, size, "%s", number != 0 ? "true" : "false");
    case DLAB_CHOICE:
        if (number < 0 || number >= dlab_choices_count(f)) return snprintf(text, size, "?");
        return snprintf(text, size, "%s", f->choices[(int)number]);
    case DLAB_FLAGS: return format_flags(f, (uint32_t)number, text, size);
    default: return snprintf(text, size, "%.17g", number);
    }
}
