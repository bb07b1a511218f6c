/* JSON (RFC 8259) as it occurs in histories: objects one after another, or one array of them. NaN, Infinity
 * and -Infinity are read too, because Python's json writes them. */
#include "check/notation.h"

#include <inttypes.h>
#include <string.h>

static void skip(dlab_reader *r)
{
    while (r->at < r->end) {
        const char c = *r->at;
        if (c != ' ' && c != '\n' && c != '\t' && c != '\r') return;
        r->at++;
        if (c == '\n') dlab_reader_new_line(r);
    }
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static const char *past_digits(const char *at, const char *end)
{
    while (at < end && is_digit(*at)) at++;
    return at;
}

static int bad_number(dlab_reader *r)
{
    return dlab_reader_fail(r, "this is no number of JSON; expected digits, a fraction or a power of ten");
}

static int number(dlab_reader *r, bool *form)
{
    dlab_node node = dlab_reader_node(r, DLAB_NODE_INT);
    const char *const text = r->at, *at = text + (*text == '-');
    const char *rest = past_digits(at, r->end);
    if (rest == at || (*at == '0' && rest - at > 1)) return bad_number(r);
    bool whole = true;
    if (rest < r->end && *rest == '.') {
        at = rest + 1;
        rest = past_digits(at, r->end);
        whole = false;
        if (rest == at) return bad_number(r);
    }
    if (rest < r->end && (*rest == 'e' || *rest == 'E')) {
        at = rest + 1 + (r->end - rest > 1 && (rest[1] == '+' || rest[1] == '-'));
        rest = past_digits(at, r->end);
        whole = false;
        if (rest == at) return bad_number(r);
    }
    const int code = dlab_reader_number(r, &node, text, (size_t)(rest - text), whole);
    r->at = rest;
    return code != DLAB_OK ? code : dlab_reader_leaf(r, &node, form);
}

static int word(dlab_reader *r, bool *form)
{
    static const struct {
        const char *text;
        dlab_node node;
    } words[] = {
        { "null", { .kind = DLAB_NODE_NIL } },
        { "true", { .kind = DLAB_NODE_BOOL, .number = 1 } },
        { "false", { .kind = DLAB_NODE_BOOL } },
        { "NaN", { .kind = DLAB_NODE_REAL, .real = __builtin_nan("") } },
        { "Infinity", { .kind = DLAB_NODE_REAL, .real = __builtin_inf() } },
        { "-Infinity", { .kind = DLAB_NODE_REAL, .real = -__builtin_inf() } },
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const size_t length = strlen(words[i].text);
        if ((size_t)(r->end - r->at) < length || memcmp(r->at, words[i].text, length) != 0) continue;
        const char after = (size_t)(r->end - r->at) > length ? r->at[length] : ' ';
        if (strchr(" \t\r\n,]}:", after) == NULL) break;
        dlab_node node = dlab_reader_node(r, words[i].node.kind);
        node.number = words[i].node.number;
        node.real = words[i].node.real;
        r->at += length;
        return dlab_reader_leaf(r, &node, form);
    }
    if (*r->at == '-' || is_digit(*r->at)) return number(r, form);
    const char c = *r->at;
    return dlab_reader_fail(r, "the character '%c' (0x%02x); expected a value of JSON",
                            c >= ' ' && c < 127 ? c : '?', (unsigned char)c);
}

static int value(dlab_reader *r, bool *form)
{
    const char c = *r->at;
    if (c == '[' || c == '{') {
        const dlab_node node = dlab_reader_node(r, c == '[' ? DLAB_NODE_LIST : DLAB_NODE_MAP);
        r->at++;
        return dlab_reader_push_frame(r, &node, DLAB_FRAME_CONTAINER, c == '[' ? ']' : '}');
    }
    if (c != '"') return word(r, form);
    dlab_node node = dlab_reader_node(r, DLAB_NODE_TEXT);
    const int code = dlab_reader_string(r, &node);
    return code != DLAB_OK ? code : dlab_reader_leaf(r, &node, form);
}

/* Between the parts of an array or object: its end, a comma, a colon, and a name where one is due. */
static int inside(dlab_reader *r, bool *form, bool *closed)
{
    const dlab_frame *top = &r->stack[r->depth - 1];
    const dlab_node *node = &dlab_reader_nodes(r)[top->node];
    const bool map = node->kind == DLAB_NODE_MAP, behind_name = map && node->children % 2 != 0;
    *closed = *r->at == top->closer && !behind_name;
    if (*closed) {
        r->at++;
        return dlab_reader_pop_container(r, form);
    }
    if (behind_name || node->children > 0) {
        const char wanted = behind_name ? ':' : ',';
        if (*r->at != wanted)
            return behind_name ? dlab_reader_fail(r, "expected ':' and the value of the name before")
                               : dlab_reader_fail(r, "expected ',' or '%c'", top->closer);
        r->at++;
        skip(r);
        if (r->at == r->end) return DLAB_OK;
    }
    if (map && !behind_name && *r->at != '"') return dlab_reader_fail(r, "expected a name in quotes");
    return DLAB_OK;
}

/* The array around the whole text: its end, or the comma before its next element. */
static int between(dlab_reader *r, bool *finished)
{
    *finished = false;
    if (!r->inside) return DLAB_OK;
    if (r->at == r->end) return dlab_reader_end_inside(r);
    if (*r->at == ']') {
        *finished = true;
        r->at++;
        skip(r);
        return r->at == r->end ? DLAB_OK
                               : dlab_reader_fail(r, "something follows the array; expected the end");
    }
    if (r->forms == 0) return DLAB_OK;
    if (*r->at != ',') return dlab_reader_fail(r, "expected ',' or ']'");
    r->at++;
    skip(r);
    return r->at == r->end ? dlab_reader_end_inside(r) : DLAB_OK;
}

int dlab_json_form(dlab_reader *reader, bool *found)
{
    bool finished = false;
    skip(reader);
    if (!reader->started) {
        reader->started = true;
        if (reader->at < reader->end && *reader->at == '[') {
            const dlab_node here = dlab_reader_node(reader, DLAB_NODE_LIST);
            reader->inside = true;
            reader->opened_line = here.line;
            reader->opened_column = here.column;
            reader->closer = ']';
            reader->at++;
            skip(reader);
        }
    }
    int code = between(reader, &finished);
    if (code != DLAB_OK || finished) return code;
    if (reader->at == reader->end) return DLAB_OK;
    do {
        skip(reader);
        bool closed = false;
        if (reader->at < reader->end && reader->depth > 0) code = inside(reader, found, &closed);
        if (code != DLAB_OK) return code;
        if (closed) continue;
        if (reader->at == reader->end) return dlab_reader_end_inside(reader);
        code = value(reader, found);
        if (code != DLAB_OK) return code;
    } while (!*found);
    return DLAB_OK;
}
