/* EDN, the notation of Clojure's data (github.com/edn-format/edn), as it occurs in histories: nil, booleans,
 * integers, fractions, strings, characters, keywords, symbols, lists, vectors, maps, sets, tagged values,
 * comments, `#_` and, beyond the standard, what Clojure prints all the same: ##NaN, ratios 1/3, namespaced
 * maps, hexadecimal numbers inside #object. */
#include "check/notation.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == ',' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* What ends a token: space and brackets, quotes, comments. */
static bool is_end(char c)
{
    static const bool ends[256] = {
        [' '] = true,  [','] = true,  ['\n'] = true, ['\t'] = true, ['\r'] = true,
        ['\f'] = true, ['\v'] = true, ['('] = true,  [')'] = true,  ['['] = true,
        [']'] = true,  ['{'] = true,  ['}'] = true,  ['"'] = true,  [';'] = true
    };
    return ends[(unsigned char)c];
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

/* Symbols: "alphanumeric characters and . * + ! - _ ? $ % & = < >", then also : # / and, as Clojure prints
 * them, ' and |. */
static bool is_symbolic(char c)
{
    return is_letter(c) || is_digit(c) || (c != '\0' && strchr(".*+!-_?$%&=<>:#/'|", c) != NULL);
}

static void skip(dlab_reader *r)
{
    while (r->at < r->end) {
        const char c = *r->at;
        if (c == ';') {
            while (r->at < r->end && *r->at != '\n') r->at++;
        } else if (is_space(c)) {
            r->at++;
            if (c == '\n') dlab_reader_new_line(r);
        } else {
            return;
        }
    }
}

static size_t token_length(const dlab_reader *r, const char *from)
{
    const char *at = from;
    while (at < r->end && !is_end(*at)) at++;
    return (size_t)(at - from);
}

/* Digits from here on; how many. */
static size_t digits(const char *at, const char *end)
{
    const char *from = at;
    while (at < end && is_digit(*at)) at++;
    return (size_t)(at - from);
}

static int bad_number(dlab_reader *r, const dlab_node *node, const char *text, size_t length)
{
    return dlab_reader_fail_at(r, node, "%.*s is no number", (int)(length < 60 ? length : 60), text);
}

static int number(dlab_reader *r, const char *text, size_t length, bool *form)
{
    dlab_node node = dlab_reader_node(r, DLAB_NODE_INT);
    const char *const end = text + length;
    const char *at = text + (*text == '+' || *text == '-');
    int code;
    if (end - at > 2 && end - at < 18 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
        char copy[20] = { 0 }, *rest;
        memcpy(copy, at, (size_t)(end - at));
        node.number = (int64_t)strtoll(copy, &rest, 16) * (*text == '-' ? -1 : 1);
        code = *rest == '\0' ? DLAB_OK : bad_number(r, &node, text, length);
        r->at = end;
        return code != DLAB_OK ? code : dlab_reader_leaf(r, &node, form);
    }
    const size_t whole = digits(at, end);
    if (whole > 1 && *at == '0') return bad_number(r, &node, text, length);
    at += whole;
    bool is_whole = true;
    if (at < end && *at == '/' && digits(at + 1, end) > 0 && at + 1 + digits(at + 1, end) == end) {
        node.kind = DLAB_NODE_BIG;
        code = dlab_reader_keep(r, &node, text, length);
        r->at = end;
        return code != DLAB_OK ? code : dlab_reader_leaf(r, &node, form);
    }
    if (at < end && *at == '.') {
        is_whole = false;
        at += 1 + digits(at + 1, end);
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        is_whole = false;
        const char *power = at + 1 + (at + 1 < end && (at[1] == '+' || at[1] == '-'));
        if (digits(power, end) == 0) return bad_number(r, &node, text, length);
        at = power + digits(power, end);
    }
    if (at + 1 == end && *at == 'M') { /* a decimal is exact: kept as it is written */
        node.kind = DLAB_NODE_BIG;
        code = dlab_reader_keep(r, &node, text + (*text == '+'), length - (*text == '+'));
    } else if (at == end || (at + 1 == end && *at == 'N' && is_whole)) {
        code = dlab_reader_number(r, &node, text, (size_t)(at - text), is_whole);
    } else {
        return bad_number(r, &node, text, length);
    }
    r->at = end;
    return code != DLAB_OK ? code : dlab_reader_leaf(r, &node, form);
}

static bool is_word(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

static int symbolic(dlab_reader *r, dlab_node *node, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!is_symbolic(text[i]))
            return dlab_reader_fail(r, "the character '%c' (0x%02x); expected a value of EDN",
                                    text[i] >= ' ' && text[i] < 127 ? text[i] : '?', (unsigned char)text[i]);
    return dlab_reader_keep(r, node, text, length);
}

/* A keyword, a symbol, nil, true or false. */
static int word(dlab_reader *r, bool *form)
{
    const char *const text = r->at;
    const size_t length = token_length(r, text);
    dlab_node node = dlab_reader_node(r, DLAB_NODE_SYMBOL);
    int code = DLAB_OK;
    if (is_word(text, length, "nil")) {
        node.kind = DLAB_NODE_NIL;
    } else if (is_word(text, length, "true") || is_word(text, length, "false")) {
        node.kind = DLAB_NODE_BOOL;
        node.number = *text == 't';
    } else if (*text == ':') {
        node.kind = DLAB_NODE_KEYWORD;
        if (length < 2 || text[1] == ':')
            return dlab_reader_fail(r, "':' without a name; expected a keyword");
        code = symbolic(r, &node, text + 1, length - 1);
    } else if (*text == '\'' || *text == '#') {
        return dlab_reader_fail(r, "%.*s; expected a value of EDN", (int)(length < 20 ? length : 20), text);
    } else {
        code = symbolic(r, &node, text, length);
    }
    if (code != DLAB_OK) return code;
    r->at += length;
    return dlab_reader_leaf(r, &node, form);
}

/* \a, \newline, \u0041: the node's text is the character itself. */
static int character(dlab_reader *r, bool *form)
{
    static const struct {
        const char *name, *text;
    } named[] = { { "newline", "\n" }, { "space", " " },     { "tab", "\t" },
                  { "return", "\r" },  { "formfeed", "\f" }, { "backspace", "\b" } };
    dlab_node node = dlab_reader_node(r, DLAB_NODE_CHARACTER);
    const char *const text = r->at + 1;
    if (text >= r->end || is_space(*text)) return dlab_reader_fail(r, "'\\' without a character behind it");
    size_t first = 1;
    while (text + first < r->end && ((unsigned char)text[first] & 0xc0) == 0x80) first++;
    const size_t length = first + token_length(r, text + first);
    int code = DLAB_EINVAL;
    if (length == first) {
        code = dlab_reader_keep(r, &node, text, length);
    } else if (*text == 'u' && length == 5) {
        uint32_t unit = 0;
        code = dlab_reader_hex(r, text + 1, &unit);
        if (code == DLAB_OK && unit >= 0xd800 && unit < 0xe000)
            return dlab_reader_fail(r, "\\u%04x is half a character", unit);
        char utf8[4] = { (char)(unit < 0x800 ? 0xc0 | unit >> 6 : 0xe0 | unit >> 12),
                         (char)(0x80 | (unit < 0x800 ? unit : unit >> 6) % 64), (char)(0x80 | unit % 64), 0 };
        if (unit < 0x80) utf8[0] = (char)unit;
        if (code == DLAB_OK) code = dlab_reader_keep(r, &node, utf8, unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3);
    } else {
        for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
            if (is_word(text, length, named[i].name)) code = dlab_reader_keep(r, &node, named[i].text, 1);
        if (code == DLAB_EINVAL)
            return dlab_reader_fail(r, "\\%.*s is no character", (int)(length < 40 ? length : 40), text);
    }
    if (code != DLAB_OK) return code;
    r->at = text + length;
    return dlab_reader_leaf(r, &node, form);
}

static int open_container(dlab_reader *r, uint32_t kind, size_t skipped, char closer)
{
    const dlab_node node = dlab_reader_node(r, kind);
    r->at += skipped;
    return dlab_reader_push_frame(r, &node, DLAB_FRAME_CONTAINER, closer);
}

/* What begins with '#'. */
static int dispatch(dlab_reader *r, bool *form)
{
    const char next = r->end - r->at > 1 ? r->at[1] : '\0';
    if (next == '{') return open_container(r, DLAB_NODE_SET, 2, '}');
    if (next == '_') {
        const dlab_node node = dlab_reader_node(r, DLAB_NODE_TAGGED);
        r->at += 2;
        return dlab_reader_push_frame(r, &node, DLAB_FRAME_DROP, '\0');
    }
    if (next == '#') {
        dlab_node node = dlab_reader_node(r, DLAB_NODE_REAL);
        const size_t length = token_length(r, r->at);
        if (is_word(r->at, length, "##NaN")) node.real = __builtin_nan("");
        else if (is_word(r->at, length, "##Inf")) node.real = __builtin_inf();
        else if (is_word(r->at, length, "##-Inf")) node.real = -__builtin_inf();
        else return dlab_reader_fail(r, "'##'; expected ##NaN, ##Inf or ##-Inf");
        r->at += length;
        return dlab_reader_leaf(r, &node, form);
    }
    if (!is_letter(next) && next != ':')
        return dlab_reader_fail(r, "'#%c'; expected a set, a tag or #_",
                                next >= ' ' && next < 127 ? next : '?');
    dlab_node node = dlab_reader_node(r, DLAB_NODE_TAGGED);
    const size_t length = token_length(r, r->at + 1);
    const int code = symbolic(r, &node, r->at + 1, length);
    if (code != DLAB_OK) return code;
    r->at += 1 + length;
    return dlab_reader_push_frame(r, &node, DLAB_FRAME_TAG, '\0');
}

static int close_container(dlab_reader *r, bool *form)
{
    const char c = *r->at;
    if (r->depth == 0) return dlab_reader_fail(r, "'%c' closes nothing; expected a value", c);
    const dlab_frame *top = &r->stack[r->depth - 1];
    const dlab_node *node = &dlab_reader_nodes(r)[top->node];
    if (top->what != DLAB_FRAME_CONTAINER)
        return dlab_reader_fail(r, "'%c' right behind a tag or #_; expected the value it is for", c);
    if (c != top->closer)
        return dlab_reader_fail(
            r, "'%c'; expected '%c', which ends what began in line %" PRId64 ", column %" PRIu32, c,
            top->closer, node->line, node->column);
    if (node->kind == DLAB_NODE_MAP && node->children % 2 != 0)
        return dlab_reader_fail(r,
                                "the map that began in line %" PRId64 ", column %" PRIu32
                                " has a key without a value; expected one more value",
                                node->line, node->column);
    r->at++;
    return dlab_reader_pop_container(r, form);
}

static int token(dlab_reader *r, bool *form)
{
    const char c = *r->at;
    switch (c) {
    case '[': return open_container(r, DLAB_NODE_LIST, 1, ']');
    case '(': return open_container(r, DLAB_NODE_LIST, 1, ')');
    case '{': return open_container(r, DLAB_NODE_MAP, 1, '}');
    case ']':
    case ')':
    case '}': return close_container(r, form);
    case '#': return dispatch(r, form);
    case '\\': return character(r, form);
    case '"': {
        dlab_node node = dlab_reader_node(r, DLAB_NODE_TEXT);
        const int code = dlab_reader_string(r, &node);
        return code != DLAB_OK ? code : dlab_reader_leaf(r, &node, form);
    }
    default: break;
    }
    const bool sign = (c == '+' || c == '-') && r->end - r->at > 1 && is_digit(r->at[1]);
    if (is_digit(c) || sign) return number(r, r->at, token_length(r, r->at), form);
    return word(r, form);
}

/* The bracket around the whole text closes here: nothing may follow. */
static int finish(dlab_reader *r)
{
    r->at++;
    skip(r);
    return r->at == r->end ? DLAB_OK : dlab_reader_fail(r, "something follows the list; expected the end");
}

int dlab_edn_form(dlab_reader *reader, bool *found)
{
    skip(reader);
    if (!reader->started) {
        reader->started = true;
        if (reader->at < reader->end && (*reader->at == '[' || *reader->at == '(')) {
            const dlab_node here = dlab_reader_node(reader, DLAB_NODE_LIST);
            reader->inside = true;
            reader->opened_line = here.line;
            reader->opened_column = here.column;
            reader->closer = *reader->at++ == '[' ? ']' : ')';
        }
    }
    for (;;) {
        skip(reader);
        if (reader->at == reader->end)
            return reader->depth > 0 || reader->inside ? dlab_reader_end_inside(reader) : DLAB_OK;
        if (reader->depth == 0 && reader->inside && *reader->at == reader->closer) return finish(reader);
        const int code = token(reader, found);
        if (code != DLAB_OK || *found) return code;
    }
}
