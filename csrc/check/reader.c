/* What both notations share: place in the text, the stack of unfinished forms, strings, numbers, errors.
 *
 * A history is often one long vector of a million maps. It is never held as a tree: when a text begins with
 * a bracket, its elements are handed out one by one. */
#include "check/notation.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <distlab/history_text.h>

enum { MESSAGE = 320, NUMBER_MAX = 400 };

static uint32_t column_of(const dlab_reader *r)
{
    const ptrdiff_t column = r->at - r->line_start + 1;
    return column > INT32_MAX ? INT32_MAX : (uint32_t)column;
}

static int fail_v(dlab_reader *r, int64_t line, uint32_t column, const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));

static int fail_v(dlab_reader *r, int64_t line, uint32_t column, const char *format, va_list args)
{
    char text[MESSAGE];
    (void)vsnprintf(text, sizeof text, format, args);
    return dlab_fail(r->err, DLAB_EINVAL, "line %" PRId64 ", column %" PRIu32 ": %s", line, column, text);
}

int dlab_reader_fail(dlab_reader *reader, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int code = fail_v(reader, reader->line, column_of(reader), format, args);
    va_end(args);
    return code;
}

int dlab_reader_fail_at(dlab_reader *reader, const dlab_node *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int code = fail_v(reader, node->line, node->column, format, args);
    va_end(args);
    return code;
}

void dlab_reader_new_line(dlab_reader *reader)
{
    reader->line++;
    reader->line_start = reader->at;
}

/* Bytes of the UTF-8 character here, 0 where there is none (RFC 3629: no surrogates, nothing longer than
 * needed). */
static int character_bytes(const unsigned char *at, const unsigned char *end)
{
    const unsigned char c = *at;
    const int bytes = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if (bytes == 0 || end - at < bytes) return 0;
    for (int i = 1; i < bytes; i++)
        if ((at[i] & 0xc0) != 0x80) return 0;
    if (c == 0xe0 && at[1] < 0xa0) return 0;
    if (c == 0xed && at[1] > 0x9f) return 0;
    if (c == 0xf0 && at[1] < 0x90) return 0;
    return c == 0xf4 && at[1] > 0x8f ? 0 : bytes;
}

static int check_utf8(dlab_reader *r)
{
    const unsigned char *at = (const unsigned char *)r->at;
    const unsigned char *const end = (const unsigned char *)r->end, *line = at;
    int64_t lines = 1;
    while (at < end) {
        if (*at == '\n') {
            lines++;
            line = at + 1;
        }
        const int bytes = *at < 0x80 ? 1 : character_bytes(at, end);
        if (bytes == 0)
            return dlab_fail(r->err, DLAB_EINVAL,
                             "line %" PRId64 ", column %td: the byte 0x%02x; expected text in UTF-8", lines,
                             at - line + 1, *at);
        at += bytes;
    }
    return DLAB_OK;
}

int dlab_reader_open(dlab_reader *reader, const char *text, size_t length, int32_t notation,
                     dlab_memory *memory, dlab_error *err)
{
    if (text == NULL) text = "";
    *reader = (dlab_reader){ .at = text,
                             .end = text + length,
                             .line_start = text,
                             .line = 1,
                             .notation = notation,
                             .nodes = { .row_size = sizeof(dlab_node) },
                             .text = { .row_size = 1 },
                             .memory = memory,
                             .err = err };
    if (length == 0) return DLAB_OK;
    const int code = check_utf8(reader);
    if (code == DLAB_OK && length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        reader->at += 3; /* the mark some editors put in front */
    return code;
}

void dlab_reader_close(dlab_reader *reader)
{
    dlab_buffer_free(&reader->nodes, reader->memory);
    dlab_buffer_free(&reader->text, reader->memory);
}

int dlab_reader_next(dlab_reader *reader, bool *found)
{
    reader->nodes.count = reader->text.count = 0;
    reader->depth = 0;
    *found = false;
    if (reader->finished) return DLAB_OK;
    const int code =
        reader->notation == DLAB_NOTATION_EDN ? dlab_edn_form(reader, found) : dlab_json_form(reader, found);
    if (code == DLAB_OK && *found) reader->forms++;
    if (code == DLAB_OK && !*found) reader->finished = true;
    return code;
}

dlab_node dlab_reader_node(const dlab_reader *reader, uint32_t kind)
{
    return (dlab_node){
        .line = reader->line, .column = column_of(reader), .kind = kind, .start = reader->text.count
    };
}

/* A node and all it holds is there: it counts as a child, ends the tag in front, or is dropped. */
static bool completed(dlab_reader *r)
{
    dlab_node *const nodes = dlab_reader_nodes(r);
    while (r->depth > 0) {
        const dlab_frame *top = &r->stack[r->depth - 1];
        if (top->what == DLAB_FRAME_CONTAINER) {
            nodes[top->node].children++;
            return false;
        }
        r->depth--;
        if (top->what == DLAB_FRAME_DROP) {
            r->nodes.count = top->nodes;
            r->text.count = top->text;
            return false;
        }
        nodes[top->node].children = 1;
        nodes[top->node].next = (uint32_t)r->nodes.count;
    }
    return true;
}

static int push(dlab_reader *r, const dlab_node *node)
{
    if (r->nodes.count >= DLAB_HISTORY_EVENTS)
        return dlab_fail(r->err, DLAB_ELIMIT, "line %" PRId64 ": a single value has more than %d parts",
                         node->line, DLAB_HISTORY_EVENTS);
    const int code = dlab_buffer_push(&r->nodes, r->memory, node, 1, r->err);
    if (code == DLAB_OK) dlab_reader_nodes(r)[r->nodes.count - 1].next = (uint32_t)r->nodes.count;
    return code;
}

int dlab_reader_leaf(dlab_reader *reader, const dlab_node *node, bool *form)
{
    const int code = push(reader, node);
    if (code == DLAB_OK) *form = completed(reader);
    return code;
}

int dlab_reader_push_frame(dlab_reader *reader, const dlab_node *node, uint32_t what, char closer)
{
    if (reader->depth == DLAB_DEPTH_MAX)
        return dlab_reader_fail_at(reader, node, "values nest deeper than %d; expected fewer levels",
                                   DLAB_DEPTH_MAX);
    const dlab_frame frame = { .node = (uint32_t)reader->nodes.count,
                               .what = what,
                               .nodes = reader->nodes.count,
                               .text = node->start,
                               .closer = closer };
    const int code = push(reader, node); /* what drops has a node too: it knows where it began */
    if (code == DLAB_OK) reader->stack[reader->depth++] = frame;
    return code;
}

int dlab_reader_pop_container(dlab_reader *reader, bool *form)
{
    const dlab_frame *top = &reader->stack[--reader->depth];
    dlab_reader_nodes(reader)[top->node].next = (uint32_t)reader->nodes.count;
    *form = completed(reader);
    return DLAB_OK;
}

int dlab_reader_keep(dlab_reader *reader, dlab_node *node, const char *text, size_t length)
{
    node->start = reader->text.count;
    if (length > INT32_MAX)
        return dlab_reader_fail_at(reader, node, "a text of %zu bytes; expected fewer than 2^31", length);
    node->length = (uint32_t)length;
    return dlab_buffer_push(&reader->text, reader->memory, text, length, reader->err);
}

int dlab_reader_end_inside(dlab_reader *reader)
{
    static const char *const waiting[] = { "list", "tagged value", "value dropped by #_" };
    if (reader->depth == 0)
        return dlab_reader_fail(reader,
                                "the text ends inside the list that began in line %" PRId64
                                ", column %" PRIu32 "; expected '%c'",
                                reader->opened_line, reader->opened_column, reader->closer);
    const dlab_frame *top = &reader->stack[reader->depth - 1];
    const dlab_node *node = &dlab_reader_nodes(reader)[top->node];
    const bool map = top->what == DLAB_FRAME_CONTAINER && top->closer == '}';
    const char closer[] = { '\'', top->closer, '\'', 0 };
    return dlab_reader_fail(
        reader, "the text ends inside the %s that began in line %" PRId64 ", column %" PRIu32 "; expected %s",
        map ? node->kind == DLAB_NODE_SET ? "set" : "map" : waiting[top->what], node->line, node->column,
        top->what == DLAB_FRAME_CONTAINER ? closer : "a value");
}

int dlab_reader_hex(dlab_reader *reader, const char *at, uint32_t *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++) {
        const int c = at + i < reader->end ? at[i] : 0;
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) return dlab_reader_fail(reader, "expected four hexadecimal digits behind \\u");
        *code = *code << 4 | (uint32_t)digit;
    }
    return DLAB_OK;
}

static int push_code(dlab_reader *r, uint32_t c)
{
    unsigned char b[4];
    size_t n = 1;
    if (c < 0x80) {
        b[0] = (unsigned char)c;
    } else if (c < 0x800) {
        b[0] = (unsigned char)(0xc0 | c >> 6);
        n = 2;
    } else if (c < 0x10000) {
        b[0] = (unsigned char)(0xe0 | c >> 12);
        n = 3;
    } else {
        b[0] = (unsigned char)(0xf0 | c >> 18);
        n = 4;
    }
    for (size_t i = 1; i < n; i++) b[i] = (unsigned char)(0x80 | (c >> (6 * (n - 1 - i)) & 0x3f));
    return dlab_buffer_push(&r->text, r->memory, b, n, r->err);
}

/* `at` stands behind the backslash. */
static int escape(dlab_reader *r)
{
    static const char names[] = "\"\\/nrtbf", means[] = "\"\\/\n\r\t\b\f";
    const char c = r->at < r->end ? *r->at : '\0';
    const char *known = c != '\0' ? strchr(names, c) : NULL;
    uint32_t code = known != NULL ? (uint32_t)means[known - names] : 0;
    if (known == NULL && c != 'u')
        return dlab_reader_fail(r, "the escape \\%c; expected \\\" \\\\ \\n \\r \\t \\b \\f or \\u0000",
                                c >= ' ' && c < 127 ? c : '?');
    if (c == 'u') {
        int failed = dlab_reader_hex(r, r->at + 1, &code);
        if (failed) return failed;
        r->at += 4;
        if (code >= 0xd800 && code < 0xe000) { /* half of a pair (RFC 8259, section 7) */
            uint32_t low = 0;
            const bool pair = code < 0xdc00 && r->end - r->at > 2 && r->at[1] == '\\' && r->at[2] == 'u';
            if (pair) failed = dlab_reader_hex(r, r->at + 3, &low);
            if (failed) return failed;
            if (low < 0xdc00 || low > 0xdfff)
                return dlab_reader_fail(r, "half a surrogate pair \\u%04x; expected the other half", code);
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            r->at += 6;
        }
    }
    r->at++;
    return push_code(r, code);
}

int dlab_reader_string(dlab_reader *reader, dlab_node *node)
{
    const size_t start = reader->text.count;
    for (reader->at++; reader->at < reader->end;) {
        const char *from = reader->at;
        while (reader->at < reader->end && *reader->at != '"' && *reader->at != '\\' && *reader->at != '\n')
            reader->at++;
        int code = DLAB_OK;
        if (reader->at > from)
            code = dlab_buffer_push(&reader->text, reader->memory, from, (size_t)(reader->at - from),
                                    reader->err);
        if (code != DLAB_OK) return code;
        if (reader->at == reader->end) break;
        const char c = *reader->at++;
        if (c == '"') {
            const size_t length = reader->text.count - start;
            node->start = start;
            node->length = (uint32_t)length;
            return length <= INT32_MAX ? DLAB_OK : dlab_reader_fail_at(reader, node, "a string too long");
        }
        if (c == '\\') {
            code = escape(reader);
        } else {
            if (reader->notation != DLAB_NOTATION_EDN) {
                reader->at--;
                return dlab_reader_fail(reader, "the line ends inside a string; expected '\"'");
            }
            dlab_reader_new_line(reader);
            code = dlab_buffer_push(&reader->text, reader->memory, "\n", 1, reader->err);
        }
        if (code != DLAB_OK) return code;
    }
    return dlab_reader_fail(reader,
                            "the text ends inside the string that began in line %" PRId64 ", column %" PRIu32
                            "; expected '\"'",
                            node->line, node->column);
}

/* Decimal text to a double, the same in every locale. */
static double real_of(const char *text, size_t length)
{
    char copy[NUMBER_MAX + 1];
    const struct lconv *local = localeconv();
    memcpy(copy, text, length);
    copy[length] = '\0';
    char *point = memchr(copy, '.', length);
    if (point != NULL && local->decimal_point[0] != '\0' && local->decimal_point[1] == '\0')
        *point = local->decimal_point[0];
    return strtod(copy, NULL);
}

int dlab_reader_number(dlab_reader *reader, dlab_node *node, const char *text, size_t length, bool whole)
{
    if (length > NUMBER_MAX)
        return dlab_reader_fail_at(reader, node, "a number of %zu digits; expected at most %d", length,
                                   NUMBER_MAX);
    if (!whole) {
        node->kind = DLAB_NODE_REAL;
        node->real = real_of(text, length);
        return isfinite(node->real)
                   ? DLAB_OK
                   : dlab_reader_fail_at(reader, node, "%.*s; expected a number below 1.8e308", (int)length,
                                         text);
    }
    char copy[NUMBER_MAX + 1];
    const size_t plus = length > 0 && text[0] == '+' ? 1 : 0;
    memcpy(copy, text + plus, length - plus);
    copy[length - plus] = '\0';
    errno = 0;
    node->number = strtoll(copy, NULL, 10);
    node->kind = errno == ERANGE ? DLAB_NODE_BIG : DLAB_NODE_INT;
    return node->kind == DLAB_NODE_INT ? DLAB_OK : dlab_reader_keep(reader, node, copy, length - plus);
}
