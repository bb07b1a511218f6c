/* A record as a line of text: who, what, with whom, and what it said. One grammar for all protocols, so that
 * a test reads as the story of a run and two runs can be compared by diff:
 *
 *   [    0.000 ms] client 0 > write to 1 (key 3, value 9)        sent
 *   [    2.000 ms] server 1 < write from 0 (key 3, value 9)      arrived
 *   [    2.000 ms] server 1 x ok to 0: loss                      the network lost it
 *   [    2.000 ms] server 1 + ok to 0                            the network made a copy
 *
 * and words for what a node does by itself. Names come from the schema; a label it does not name is #k, with
 * its payload as a and b. */
#include <distlab/trace.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

typedef struct line {
    char *text;
    size_t size, length; /* length goes on counting when the text is cut */
} line;

__attribute__((format(printf, 2, 3))) static void say(line *l, const char *format, ...)
{
    va_list args;
    const size_t room = l->length < l->size ? l->size - l->length : 0;
    va_start(args, format);
    const int more = vsnprintf(room > 0 ? l->text + l->length : NULL, room, format, args);
    va_end(args);
    if (more > 0) l->length += (size_t)more;
}

/* "  110.000 ms": whole microseconds, rounded towards zero. */
static void say_time(line *l, const char *format, int64_t ns)
{
    const uint64_t us = (ns < 0 ? -(uint64_t)ns : (uint64_t)ns) / 1000;
    char text[32];
    (void)snprintf(text, sizeof text, "%s%" PRIu64 ".%03u", ns < 0 && us > 0 ? "-" : "", us / 1000,
                   (unsigned)(us % 1000));
    say(l, format, text);
}

static const char *name_of(const char *const *names, uint64_t k)
{
    for (uint64_t i = 0; names != NULL && names[i] != NULL; i++)
        if (i == k) return names[i];
    return NULL;
}

static void say_name(line *l, const char *const *names, uint64_t k)
{
    const char *name = name_of(names, k);
    if (name != NULL) say(l, "%s", name);
    else say(l, "#%" PRIu64, k);
}

/* The label, and in *found how its payload is named. */
static void say_label(line *l, const dlab_label *labels, uint16_t k, dlab_label *found)
{
    *found = (dlab_label){ NULL, "a", "b" };
    for (uint16_t i = 0; labels != NULL && labels[i].name != NULL; i++) {
        if (i != k) continue;
        *found = labels[i];
        say(l, "%s", found->name);
        return;
    }
    say(l, "#%u", k);
}

static void say_part(line *l, bool *open, const char *name, uint64_t value)
{
    say(l, "%s%s %" PRIu64, *open ? ", " : " (", name, value);
    *open = true;
}

/* " (term 2, index 5, ticket 7)", or nothing. */
static void say_payload(line *l, const dlab_label *label, const dlab_record *r, bool ticket)
{
    bool open = false;
    if (label->a != NULL) say_part(l, &open, label->a, r->a);
    if (label->b != NULL) say_part(l, &open, label->b, r->b);
    if (ticket && r->id != 0) say_part(l, &open, "ticket", r->id);
    if (open) say(l, ")");
}

static void say_peer(line *l, const char *word, const dlab_record *r)
{
    if (r->peer != DLAB_NO_NODE) say(l, " %s %u", word, r->peer);
}

static void say_message(line *l, const dlab_trace_schema *s, const dlab_record *r, const char *sign,
                        const char *word)
{
    dlab_label label;
    say(l, "%s ", sign);
    say_label(l, s->messages, r->label, &label);
    say_peer(l, word, r);
    if (r->type == DLAB_TRACE_DROP) label.a = NULL; /* a is the reason */
    say_payload(l, &label, r, false);
    if (r->type != DLAB_TRACE_DROP) return;
    say(l, ": ");
    say_name(l, dlab_trace_drops, r->a);
}

static void say_timer(line *l, const dlab_trace_schema *s, const dlab_record *r)
{
    dlab_label label;
    say(l, "%s", r->type == DLAB_TRACE_SET ? "sets " : r->type == DLAB_TRACE_CANCEL ? "cancels " : "");
    say_label(l, s->timers, r->label, &label);
    say(l, " timer%s", r->type == DLAB_TRACE_FIRE ? " fires" : "");
    if (r->type == DLAB_TRACE_SET) say_time(l, ", due at %s ms", (int64_t)r->b);
}

static void say_life(line *l, const char *verb, const dlab_record *r)
{
    say(l, "%s (disk ", verb);
    say_name(l, dlab_trace_keeps, r->a);
    say(l, ")");
}

static void say_disk(line *l, const dlab_record *r)
{
    if (r->type == DLAB_TRACE_PERSIST) {
        say(l, "writes %" PRIu32 " bytes", r->a);
    } else {
        say(l, "disk ");
        say_name(l, dlab_trace_statuses, r->b);
        if (r->a > 0) say(l, ", %" PRIu32 " bytes", r->a);
    }
    if (r->id != 0) say(l, " (ticket %" PRIu32 ")", r->id);
}

static void say_own(line *l, const char *verb, const dlab_label *labels, const dlab_record *r)
{
    dlab_label label;
    say(l, "%s ", verb);
    say_label(l, labels, r->label, &label);
    say_payload(l, &label, r, true);
}

static void say_fault(line *l, const dlab_record *r)
{
    say(l, "%s ", r->type == DLAB_TRACE_FAULT ? "fault" : "heal");
    say_name(l, dlab_trace_faults, r->label);
    say_peer(l, "to", r);
    say(l, " (row %" PRIu32 ")", r->a);
}

static void say_broken(line *l, const dlab_trace_schema *s, const dlab_record *r)
{
    say(l, "BROKEN: ");
    say_name(l, s->invariants, r->label);
}

static void say_node(line *l, const dlab_trace_schema *s, const uint16_t *roles, uint32_t nodes,
                     uint16_t node)
{
    const bool one = s->roles != NULL && s->roles[0] != NULL && s->roles[1] == NULL;
    const char *role = NULL;
    if (node == DLAB_NO_NODE) return;
    if (roles != NULL && node < nodes && roles[node] != DLAB_NO_ROLE) role = name_of(s->roles, roles[node]);
    if (role == NULL && one) role = s->roles[0];
    say(l, "%s %u ", role != NULL ? role : "node", node);
}

int dlab_record_format(const dlab_trace_schema *schema, const uint16_t *roles, uint32_t nodes,
                       const dlab_record *r, char *text, size_t size)
{
    static const dlab_trace_schema nameless = { .messages = NULL };
    const dlab_trace_schema *s = schema != NULL ? schema : &nameless;
    line l = { .text = text, .size = size };
    if (size > 0) text[0] = '\0';
    say_time(&l, "[%9s ms] ", r->time);
    say_node(&l, s, roles, nodes, r->node);
    switch (r->type) {
    case DLAB_TRACE_SEND: say_message(&l, s, r, ">", "to"); break;
    case DLAB_TRACE_DELIVER: say_message(&l, s, r, "<", "from"); break;
    case DLAB_TRACE_DROP: say_message(&l, s, r, "x", "to"); break;
    case DLAB_TRACE_DUPLICATE: say_message(&l, s, r, "+", "to"); break;
    case DLAB_TRACE_SET:
    case DLAB_TRACE_CANCEL:
    case DLAB_TRACE_FIRE: say_timer(&l, s, r); break;
    case DLAB_TRACE_START: say(&l, "starts"); break;
    case DLAB_TRACE_CRASH: say_life(&l, "crashes", r); break;
    case DLAB_TRACE_RESTART: say_life(&l, "restarts", r); break;
    case DLAB_TRACE_PAUSE: say(&l, "pauses"); break;
    case DLAB_TRACE_WAKE: say(&l, "wakes"); break;
    case DLAB_TRACE_PERSIST:
    case DLAB_TRACE_PERSISTED: say_disk(&l, r); break;
    case DLAB_TRACE_APPLY: say_own(&l, "applies", s->applies, r); break;
    case DLAB_TRACE_REQUEST: say_own(&l, "is asked", s->requests, r); break;
    case DLAB_TRACE_REPLY: say_own(&l, "answers", s->requests, r); break;
    case DLAB_TRACE_NOTE: say_own(&l, "notes", s->notes, r); break;
    case DLAB_TRACE_STATE: say_own(&l, "is", s->states, r); break;
    case DLAB_TRACE_FAULT:
    case DLAB_TRACE_HEAL: say_fault(&l, r); break;
    case DLAB_TRACE_BROKEN: say_broken(&l, s, r); break;
    default: say(&l, "#%u", r->type); break;
    }
    return (int)l.length;
}
