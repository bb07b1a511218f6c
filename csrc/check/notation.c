/* Values as text in EDN, one text for each value: entries of maps and elements of sets are sorted, fractions
 * have the fewest digits that read back to them. So what a history has no kind for (keywords, fractions,
 * maps) is interned as text and still compares by content. */
#include "check/notation.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <distlab/history_text.h>

/* Where an entry of a map or set stands; the key is its beginning. */
typedef struct entry {
    const char *text;
    size_t start, key, length;
} entry;

static int put(dlab_buffer *out, dlab_memory *m, const char *text, dlab_error *err)
{
    return dlab_buffer_push(out, m, text, strlen(text), err);
}

int dlab_print_string(dlab_buffer *out, dlab_memory *memory, const char *text, size_t length, dlab_error *err)
{
    int code = put(out, memory, "\"", err);
    for (size_t i = 0; i < length && code == DLAB_OK;) {
        size_t plain = i;
        while (plain < length && (unsigned char)text[plain] >= ' ' && text[plain] != '"' &&
               text[plain] != '\\' && text[plain] != 127)
            plain++;
        if (plain > i) {
            code = dlab_buffer_push(out, memory, text + i, plain - i, err);
            i = plain;
            continue;
        }
        char escape[8] = { '\\', text[i], '\0' };
        if (text[i] == '\n') escape[1] = 'n';
        else if (text[i] == '\r') escape[1] = 'r';
        else if (text[i] == '\t') escape[1] = 't';
        else if (text[i] != '"' && text[i] != '\\')
            (void)snprintf(escape, sizeof escape, "\\u%04x", (unsigned char)text[i]);
        code = put(out, memory, escape, err);
        i++;
    }
    return code == DLAB_OK ? put(out, memory, "\"", err) : code;
}

int dlab_print_real(dlab_buffer *out, dlab_memory *memory, double value, dlab_error *err)
{
    char text[40];
    if (isnan(value)) return put(out, memory, "##NaN", err);
    if (isinf(value)) return put(out, memory, value > 0 ? "##Inf" : "##-Inf", err);
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text - 4, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    const struct lconv *local = localeconv();
    char *point = local->decimal_point[0] != '\0' ? strstr(text, local->decimal_point) : NULL;
    if (point != NULL) *point = '.';
    if (strpbrk(text, ".e") == NULL) (void)memcpy(text + strlen(text), ".0", 3);
    return put(out, memory, text, err);
}

static int by_text(const void *x, const void *y)
{
    const entry *a = x, *b = y;
    const int order = memcmp(a->text + a->start, b->text + b->start, a->key < b->key ? a->key : b->key);
    return order != 0 ? order : a->key < b->key ? -1 : a->key > b->key;
}

/* Entries that stand in `text` go to `out` in order; equal keys are an error. */
static int put_sorted(const dlab_reader *r, const dlab_node *node, const dlab_buffer *text,
                      dlab_buffer *entries, dlab_buffer *out, dlab_error *err)
{
    entry *const e = (entry *)(void *)entries->rows;
    int code = DLAB_OK;
    for (size_t i = 0; i < entries->count; i++) e[i].text = text->rows;
    if (entries->count > 1) qsort(e, entries->count, sizeof *e, by_text);
    for (size_t i = 0; i < entries->count && code == DLAB_OK; i++) {
        if (i > 0 && by_text(&e[i - 1], &e[i]) == 0)
            return dlab_fail(err, DLAB_EINVAL,
                             "line %lld, column %u: the %s has %.*s twice; expected it once",
                             (long long)node->line, node->column, node->kind == DLAB_NODE_MAP ? "map" : "set",
                             (int)(e[i].key < 60 ? e[i].key : 60), e[i].text + e[i].start);
        if (i > 0) code = put(out, r->memory, node->kind == DLAB_NODE_MAP ? ", " : " ", err);
        if (code == DLAB_OK)
            code = dlab_buffer_push(out, r->memory, e[i].text + e[i].start, e[i].length, err);
    }
    return code;
}

static int put_entries(const dlab_reader *r, uint32_t at, dlab_buffer *out, dlab_error *err)
{
    const dlab_node *const nodes = dlab_reader_nodes(r), *const node = &nodes[at];
    dlab_buffer text = { .row_size = 1 }, entries = { .row_size = sizeof(entry) };
    const uint32_t parts = node->kind == DLAB_NODE_MAP ? 2 : 1;
    uint32_t child = at + 1;
    int code = DLAB_OK;
    for (uint32_t i = 0; i < node->children && code == DLAB_OK; i += parts) {
        entry e = { .start = text.count };
        code = dlab_node_print(r, child, true, &text, err);
        child = nodes[child].next;
        e.key = text.count - e.start;
        if (code == DLAB_OK && parts == 2) {
            code = put(&text, r->memory, " ", err);
            if (code == DLAB_OK) code = dlab_node_print(r, child, true, &text, err);
            child = nodes[child].next;
        }
        e.length = text.count - e.start;
        if (code == DLAB_OK) code = dlab_buffer_push(&entries, r->memory, &e, 1, err);
    }
    if (code == DLAB_OK) code = put(out, r->memory, node->kind == DLAB_NODE_MAP ? "{" : "#{", err);
    if (code == DLAB_OK) code = put_sorted(r, node, &text, &entries, out, err);
    if (code == DLAB_OK) code = put(out, r->memory, "}", err);
    dlab_buffer_free(&text, r->memory);
    dlab_buffer_free(&entries, r->memory);
    return code;
}

static int put_list(const dlab_reader *r, uint32_t at, dlab_buffer *out, dlab_error *err)
{
    const dlab_node *const nodes = dlab_reader_nodes(r);
    int code = put(out, r->memory, "[", err);
    uint32_t child = at + 1;
    for (uint32_t i = 0; i < nodes[at].children && code == DLAB_OK; i++) {
        if (i > 0) code = put(out, r->memory, " ", err);
        if (code == DLAB_OK) code = dlab_node_print(r, child, true, out, err);
        child = nodes[child].next;
    }
    return code == DLAB_OK ? put(out, r->memory, "]", err) : code;
}

static int put_character(const dlab_reader *r, const dlab_node *node, dlab_buffer *out, dlab_error *err)
{
    static const char *const names[] = {
        ['\n'] = "\\newline", [' '] = "\\space",     ['\t'] = "\\tab",
        ['\r'] = "\\return",  ['\f'] = "\\formfeed", ['\b'] = "\\backspace"
    };
    const char *const text = dlab_node_text(r, node);
    const unsigned char c = (unsigned char)*text;
    char unit[8];
    if (c <= ' ' || c == 127) {
        (void)snprintf(unit, sizeof unit, "\\u%04x", c);
        return put(out, r->memory, c <= ' ' && names[c] != NULL ? names[c] : unit, err);
    }
    const int code = put(out, r->memory, "\\", err);
    return code == DLAB_OK ? dlab_buffer_push(out, r->memory, text, node->length, err) : code;
}

int dlab_node_print(const dlab_reader *reader, uint32_t node, bool bare, dlab_buffer *out, dlab_error *err)
{
    const dlab_node *const n = &dlab_reader_nodes(reader)[node];
    const char *const text = dlab_node_text(reader, n);
    char number[24];
    int code = DLAB_OK;
    switch (n->kind) {
    case DLAB_NODE_NIL: return put(out, reader->memory, "nil", err);
    case DLAB_NODE_BOOL: return put(out, reader->memory, n->number ? "true" : "false", err);
    case DLAB_NODE_INT:
        (void)snprintf(number, sizeof number, "%lld", (long long)n->number);
        return put(out, reader->memory, number, err);
    case DLAB_NODE_REAL:
        if (!bare && isfinite(n->real)) code = put(out, reader->memory, "##", err);
        return code == DLAB_OK ? dlab_print_real(out, reader->memory, n->real, err) : code;
    case DLAB_NODE_TEXT: return dlab_print_string(out, reader->memory, text, n->length, err);
    case DLAB_NODE_CHARACTER: return put_character(reader, n, out, err);
    case DLAB_NODE_LIST: return put_list(reader, node, out, err);
    case DLAB_NODE_SET:
    case DLAB_NODE_MAP: return put_entries(reader, node, out, err);
    case DLAB_NODE_KEYWORD: code = put(out, reader->memory, ":", err); break;
    case DLAB_NODE_TAGGED: code = put(out, reader->memory, "#", err); break;
    case DLAB_NODE_SYMBOL: code = bare ? DLAB_OK : put(out, reader->memory, "'", err); break;
    default: code = bare ? DLAB_OK : put(out, reader->memory, "##", err); break;
    }
    if (code == DLAB_OK) code = dlab_buffer_push(out, reader->memory, text, n->length, err);
    if (code != DLAB_OK || n->kind != DLAB_NODE_TAGGED) return code;
    code = put(out, reader->memory, " ", err);
    return code == DLAB_OK ? dlab_node_print(reader, node + 1, true, out, err) : code;
}

/* Is `form` one value of EDN whose interned text is `whole`? Its kind, or -1; the error only where there is
 * no memory. A string's own text goes to `inner`. */
static int kind_of(const char *form, size_t form_length, const char *whole, size_t length,
                   dlab_memory *memory, dlab_buffer *inner, dlab_error *err)
{
    dlab_error why = { .code = DLAB_OK };
    dlab_reader r;
    dlab_buffer printed = { .row_size = 1 };
    bool found = false, more = false;
    int kind = -1;
    int code = dlab_reader_open(&r, form, form_length, DLAB_NOTATION_EDN, memory, &why);
    if (code == DLAB_OK) code = dlab_reader_next(&r, &found);
    if (code == DLAB_OK && found) code = dlab_node_print(&r, 0, false, &printed, &why);
    if (code == DLAB_OK && found && printed.count == length && memcmp(printed.rows, whole, length) == 0) {
        const dlab_node root = *dlab_reader_nodes(&r);
        if (root.kind == DLAB_NODE_TEXT)
            code = dlab_buffer_push(inner, memory, dlab_node_text(&r, &root), root.length, &why);
        if (code == DLAB_OK) code = dlab_reader_next(&r, &more);
        if (code == DLAB_OK && !more) kind = (int)root.kind;
    }
    dlab_buffer_free(&printed, memory);
    dlab_reader_close(&r);
    if (code == DLAB_ENOMEM || code == DLAB_ELIMIT) (void)dlab_fail(err, code, "%s", why.text);
    return kind;
}

int dlab_text_class(const char *text, size_t length, dlab_memory *memory, dlab_error *err)
{
    if (length < 2 || strchr("\"#':{\\", *text) == NULL) return DLAB_TEXT_PLAIN;
    const bool number = text[0] == '#' && text[1] == '#', symbol = *text == '\'';
    const bool special = number && ((length == 5 && memcmp(text, "##NaN", 5) == 0) ||
                                    (length == 5 && memcmp(text, "##Inf", 5) == 0) ||
                                    (length == 6 && memcmp(text, "##-Inf", 6) == 0));
    const size_t skipped = special ? 0 : number ? 2 : symbol ? 1 : 0;
    const char *const form = text + skipped;
    dlab_buffer inner = { .row_size = 1 };
    int class = DLAB_TEXT_PLAIN;
    if (*form == '(' || *form == '[') return class; /* a list would be taken for the whole text */
    switch (kind_of(form, length - skipped, text, length, memory, &inner, err)) {
    case DLAB_NODE_REAL:
    case DLAB_NODE_BIG: class = DLAB_TEXT_NUMBER; break;
    case DLAB_NODE_SYMBOL: class = symbol ? DLAB_TEXT_SYMBOL : DLAB_TEXT_PLAIN; break;
    case DLAB_NODE_KEYWORD:
    case DLAB_NODE_CHARACTER:
    case DLAB_NODE_MAP:
    case DLAB_NODE_TAGGED: class = DLAB_TEXT_RAW; break;
    case DLAB_NODE_TEXT:
        if (dlab_text_class(inner.rows, inner.count, memory, err) != DLAB_TEXT_PLAIN)
            class = DLAB_TEXT_QUOTED;
        break;
    default: break;
    }
    dlab_buffer_free(&inner, memory);
    return class;
}

bool dlab_text_is_json_number(const char *text, size_t length)
{
    return length > 2 && text[0] == '#' && text[1] == '#' && text[length - 1] != 'M' &&
           memchr(text, '/', length) == NULL;
}

bool dlab_text_needs_json_quotes(const char *text, size_t length)
{
    size_t at = 0;
    while (at < length && (text[at] == '"' || text[at] == '\\')) at++;
    return length - at > 2 && text[at] == '#' && text[at + 1] == '#';
}

bool dlab_text_is_name(const char *text, size_t length)
{
    if (length == 0 || *text == ':') return false;
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)text[i];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c < 0x80 && (c == 0 || strchr(".*+!-_?$%&=<>:#/'|", c) == NULL)) return false;
    }
    return true;
}
