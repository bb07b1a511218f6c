/* The trace: a story with every type of record as text, rows and back, the ring, and vector clocks against
 * the transitive closure of happened-before on random computations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <distlab/random.h>
#include <distlab/trace.h>

#include "sim/disk.h"
#include "sim/faults.h"

/* --- text --- */

static const dlab_label messages[] = {
    { "write", "key", "value" }, { "vote", "term", NULL }, { "ok" }, { NULL }
};
static const dlab_label timers[] = { { "election" }, { "heartbeat" }, { NULL } };
static const dlab_label requests[] = { { "read", "key", NULL }, { NULL } };
static const dlab_label applies[] = { { "command", "index", "value" }, { NULL } };
static const dlab_label notes[] = { { "stale term", NULL, "term" }, { NULL } };
static const dlab_label states[] = { { "follower", "term", NULL }, { "leader", "term", NULL }, { NULL } };
static const char *const roles[] = { "client", "server", NULL };
static const char *const invariants[] = { "one leader", "nothing lost", NULL };
static const dlab_trace_schema schema = {
    .messages = messages,
    .timers = timers,
    .requests = requests,
    .applies = applies,
    .notes = notes,
    .states = states,
    .roles = roles,
    .invariants = invariants,
};

enum { NONE = DLAB_NO_NODE, MS = 1000000 };
#define RECORD(ms, type_, ...)                                                          \
    {                                                                                   \
        .time = (int64_t)(ms)*MS, .type = DLAB_TRACE_##type_, .peer = NONE, __VA_ARGS__ \
    }

static const dlab_record story[] = {
    RECORD(0, START, .node = 0, .label = 0),
    RECORD(0, START, .node = 1, .label = 1),
    RECORD(0, START, .node = 2, .label = 1),
    RECORD(0, STATE, .node = 1, .label = 0, .a = 1),
    RECORD(0, SET, .node = 1, .label = 0, .b = 110 * MS),
    RECORD(5, REQUEST, .node = 1, .label = 0, .id = 77, .a = 3),
    RECORD(6, REPLY, .node = 1, .label = 0, .id = 77, .a = 3),
    RECORD(10, FAULT, .node = 1, .peer = 2, .label = DLAB_FAULT_DEGRADE, .a = 4),
    RECORD(11, FAULT, .node = NONE, .label = DLAB_FAULT_PARTITION, .a = 5),
    RECORD(110, FIRE, .node = 1, .label = 0, .b = 110 * MS),
    RECORD(110, PERSIST, .node = 1, .id = 9, .a = 16),
    RECORD(112, PERSISTED, .node = 1, .id = 9, .b = DLAB_DISK_OK),
    RECORD(112, SEND, .node = 1, .peer = 2, .label = 1, .id = 1, .a = 2),
    RECORD(112, DUPLICATE, .node = 1, .peer = 2, .label = 1, .id = 1, .a = 2),
    RECORD(114, DELIVER, .node = 2, .peer = 1, .label = 1, .id = 1, .a = 2),
    RECORD(114, SEND, .node = 2, .peer = 1, .label = 2, .id = 2),
    RECORD(114, DROP, .node = 2, .peer = 1, .label = 2, .id = 2, .a = DLAB_DROP_LOSS),
    RECORD(115, DELIVER, .node = 2, .peer = 1, .label = 1, .id = 1, .a = 2),
    RECORD(115, NOTE, .node = 2, .label = 0, .a = 5, .b = 2),
    RECORD(116, STATE, .node = 1, .label = 1, .a = 2),
    RECORD(116, CANCEL, .node = 1, .label = 0),
    RECORD(120, SEND, .node = 0, .peer = 1, .label = 0, .id = 3, .a = 3, .b = UINT64_MAX),
    RECORD(121, DROP, .node = 0, .peer = 1, .label = 0, .id = 3, .a = DLAB_DROP_CUT, .b = 9),
    RECORD(122, APPLY, .node = 1, .label = 0, .a = 1, .b = 9),
    RECORD(123, PERSIST, .node = 1, .a = 8),
    RECORD(124, PERSISTED, .node = 1, .a = 8, .b = DLAB_DISK_FULL),
    RECORD(130, PAUSE, .node = 2, .label = DLAB_FAULT_PAUSE),
    RECORD(131, CRASH, .node = 1, .a = DLAB_KEEP_TORN),
    RECORD(140, WAKE, .node = 2, .label = DLAB_FAULT_PAUSE),
    RECORD(150, RESTART, .node = 1, .label = 1, .a = DLAB_KEEP_SYNCED),
    RECORD(160, HEAL, .node = 1, .peer = 2, .label = DLAB_FAULT_DEGRADE, .a = 4),
    RECORD(1234567, BROKEN, .node = NONE, .label = 1),
    { .time = 1234567899999, .type = DLAB_TRACE_BROKEN, .node = 2, .peer = NONE, .label = 0 },
};
enum { STORY = sizeof story / sizeof story[0] };

static const char *const told = "[    0.000 ms] client 0 starts\n"
                                "[    0.000 ms] server 1 starts\n"
                                "[    0.000 ms] server 2 starts\n"
                                "[    0.000 ms] server 1 is follower (term 1)\n"
                                "[    0.000 ms] server 1 sets election timer, due at 110.000 ms\n"
                                "[    5.000 ms] server 1 is asked read (key 3, ticket 77)\n"
                                "[    6.000 ms] server 1 answers read (key 3, ticket 77)\n"
                                "[   10.000 ms] server 1 fault degrade to 2 (row 4)\n"
                                "[   11.000 ms] fault partition (row 5)\n"
                                "[  110.000 ms] server 1 election timer fires\n"
                                "[  110.000 ms] server 1 writes 16 bytes (ticket 9)\n"
                                "[  112.000 ms] server 1 disk ok (ticket 9)\n"
                                "[  112.000 ms] server 1 > vote to 2 (term 2)\n"
                                "[  112.000 ms] server 1 + vote to 2 (term 2)\n"
                                "[  114.000 ms] server 2 < vote from 1 (term 2)\n"
                                "[  114.000 ms] server 2 > ok to 1\n"
                                "[  114.000 ms] server 2 x ok to 1: loss\n"
                                "[  115.000 ms] server 2 < vote from 1 (term 2)\n"
                                "[  115.000 ms] server 2 notes stale term (term 2)\n"
                                "[  116.000 ms] server 1 is leader (term 2)\n"
                                "[  116.000 ms] server 1 cancels election timer\n"
                                "[  120.000 ms] client 0 > write to 1 (key 3, value 18446744073709551615)\n"
                                "[  121.000 ms] client 0 x write to 1 (value 9): partition\n"
                                "[  122.000 ms] server 1 applies command (index 1, value 9)\n"
                                "[  123.000 ms] server 1 writes 8 bytes\n"
                                "[  124.000 ms] server 1 disk full, 8 bytes\n"
                                "[  130.000 ms] server 2 pauses\n"
                                "[  131.000 ms] server 1 crashes (disk torn)\n"
                                "[  140.000 ms] server 2 wakes\n"
                                "[  150.000 ms] server 1 restarts (disk kept)\n"
                                "[  160.000 ms] server 1 heal degrade to 2 (row 4)\n"
                                "[1234567.000 ms] BROKEN: nothing lost\n"
                                "[1234567.899 ms] server 2 BROKEN: one leader\n";

static void tell(const dlab_record *records, size_t n, const dlab_trace_schema *names, bool with_roles,
                 char *out)
{
    uint16_t role[4];
    dlab_trace_roles(records, n, role, 4);
    for (size_t k = 0; k < n; k++) {
        out += dlab_record_format(names, with_roles ? role : NULL, 4, &records[k], out, 200);
        *out++ = '\n';
    }
    *out = '\0';
}

static void every_type_has_a_line(void **state)
{
    char text[STORY * 200];
    bool seen[sizeof story] = { false };
    (void)state;
    tell(story, STORY, &schema, true, text);
    assert_string_equal(text, told);
    for (size_t k = 0; k < STORY; k++) seen[story[k].type] = true;
    for (int type = 0; dlab_trace_types[type] != NULL; type++)
        if (!seen[type]) fail_msg("no %s in the story", dlab_trace_types[type]);
}

static void check_line(const dlab_trace_schema *names, dlab_record r, const char *expected)
{
    char text[200];
    const int length = dlab_record_format(names, NULL, 0, &r, text, sizeof text);
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
}

static void what_has_no_name_is_a_number(void **state)
{
    static const char *const only[] = { "replica", NULL };
    static const dlab_trace_schema one = { .roles = only };
    (void)state;
    check_line(&one, (dlab_record)RECORD(1, PAUSE, .node = 3), "[    1.000 ms] replica 3 pauses");
    check_line(&schema, (dlab_record)RECORD(1, PAUSE, .node = 3), "[    1.000 ms] node 3 pauses");
    check_line(NULL, (dlab_record)RECORD(1, SEND, .node = 3, .peer = 4, .label = 7, .a = 5, .b = 6),
               "[    1.000 ms] node 3 > #7 to 4 (a 5, b 6)");
    check_line(&schema, (dlab_record)RECORD(1, DELIVER, .node = 3, .label = 3),
               "[    1.000 ms] node 3 < #3 (a 0, b 0)");
    check_line(&schema, (dlab_record)RECORD(1, DROP, .node = 3, .peer = 0, .label = 65535, .a = 99, .b = 1),
               "[    1.000 ms] node 3 x #65535 to 0 (b 1): #99");
    check_line(NULL, (dlab_record)RECORD(1, FIRE, .node = 3, .label = 2),
               "[    1.000 ms] node 3 #2 timer fires");
    check_line(NULL, (dlab_record)RECORD(1, CRASH, .node = 3, .a = UINT32_MAX),
               "[    1.000 ms] node 3 crashes (disk #4294967295)");
    check_line(NULL, (dlab_record)RECORD(1, PERSISTED, .node = 3, .b = UINT64_MAX),
               "[    1.000 ms] node 3 disk #18446744073709551615");
    check_line(NULL, (dlab_record)RECORD(1, FAULT, .node = 3, .label = 500),
               "[    1.000 ms] node 3 fault #500 (row 0)");
    check_line(NULL, (dlab_record)RECORD(1, BROKEN, .node = NONE, .label = 2), "[    1.000 ms] BROKEN: #2");
    check_line(NULL, (dlab_record){ .time = -1500000, .type = 400, .node = 0 }, "[   -1.500 ms] node 0 #400");
    check_line(NULL, (dlab_record){ .time = INT64_MIN, .type = DLAB_TRACE_WAKE, .node = NONE },
               "[-9223372036854.775 ms] wakes");
}

/* Any bytes make a line, with any names missing. */
static void no_record_crashes_it(void **state)
{
    (void)state;
    dlab_rng rng;
    char text[300];
    dlab_rng_open(&rng, 2, DLAB_PURPOSE_SAMPLE, 0);
    for (int i = 0; i < 20000; i++) {
        dlab_trace_schema some = schema;
        const uint16_t role[2] = { (uint16_t)dlab_rng_below(&rng, 4), DLAB_NO_ROLE };
        dlab_record r;
        uint64_t words[4];
        for (int k = 0; k < 4; k++) words[k] = dlab_rng_u64(&rng);
        memcpy(&r, words, sizeof r);
        r.type %= 24;
        if (i % 2 == 0) r.label %= 4, r.node %= 3, r.a %= 4, r.b %= 4;
        if (i % 3 == 0) some.messages = some.timers = some.requests = NULL, some.roles = NULL;
        if (i % 5 == 0) some.applies = some.notes = some.states = NULL, some.invariants = NULL;
        const int length = dlab_record_format(&some, role, 2, &r, text, sizeof text);
        assert_in_range(length, 20, sizeof text - 1);
        assert_int_equal(strlen(text), length);
        /* Cut anywhere it is a beginning of the whole. */
        const size_t cut = (size_t)dlab_rng_below(&rng, 80);
        char less[80] = "untouched";
        assert_int_equal(dlab_record_format(&some, role, 2, &r, less, cut), length);
        if (cut == 0) assert_string_equal(less, "untouched");
        else assert_true(strlen(less) <= cut - 1 && strncmp(less, text, strlen(less)) == 0);
    }
}

/* --- rows --- */

static void rows_come_back(void **state)
{
    (void)state;
    dlab_rng rng;
    dlab_rng_open(&rng, 3, DLAB_PURPOSE_SAMPLE, 0);
    for (int i = 0; i < 50000; i++) {
        dlab_record r = { .time = (int64_t)(dlab_rng_u64(&rng) >> (13 + i % 50)),
                          .type = (uint16_t)dlab_rng_below(&rng, DLAB_TRACE_BROKEN + 1),
                          .label = (uint16_t)dlab_rng_u64(&rng),
                          .node = (uint16_t)dlab_rng_u64(&rng),
                          .peer = i % 3 == 0 ? NONE : (uint16_t)dlab_rng_u64(&rng),
                          .id = (uint32_t)dlab_rng_u64(&rng),
                          .a = (uint32_t)dlab_rng_u64(&rng),
                          .b = dlab_rng_u64(&rng) };
        dlab_trace_row row;
        dlab_record back;
        dlab_record_to_row(&r, &row);
        assert_int_equal(dlab_record_from_row(&row, &back, NULL), DLAB_OK);
        assert_memory_equal(&r, &back, sizeof r);
        if (r.peer == NONE) assert_int_equal(row.peer, -1);
    }
}

static void check_refused(dlab_trace_row row, const char *expected)
{
    dlab_record record;
    dlab_error err = { 0 };
    assert_int_equal(dlab_record_from_row(&row, &record, &err), DLAB_ERANGE);
    assert_non_null(strstr(err.text, expected));
}

static void rows_that_hold_no_record_are_refused(void **state)
{
    (void)state;
    check_refused((dlab_trace_row){ .time = NAN }, "time = nan s is outside [");
    check_refused((dlab_trace_row){ .time = 1e10 }, "time = 1e+10 s is outside [");
    check_refused((dlab_trace_row){ .type = 22 }, "type = 22 is outside [0, 21]");
    check_refused((dlab_trace_row){ .type = -1 }, "type = -1 is outside [0, 21]");
    check_refused((dlab_trace_row){ .label = 65536 }, "label = 65536 is outside [0, 65535]");
    check_refused((dlab_trace_row){ .node = 65535 }, "node = 65535 is outside [-1, 65534]");
    check_refused((dlab_trace_row){ .peer = -2 }, "peer = -2 is outside [-1, 65534]");
    check_refused((dlab_trace_row){ .id = -1 }, "id = -1 is outside [0, 4294967295]");
    check_refused((dlab_trace_row){ .a = INT64_C(1) << 32 }, "a = 4294967296 is outside [0, 4294967295]");
}

/* --- the ring --- */

static void the_ring_keeps_the_last(void **state)
{
    enum { CAPACITY = 8 };
    dlab_record ring[CAPACITY];
    dlab_trace t = { .ring = ring, .capacity = CAPACITY }, off = { .ring = NULL };
    (void)state;
    assert_true(dlab_tracing(&t));
    assert_false(dlab_tracing(&off));
    assert_int_equal(dlab_trace_count(&off), 0);
    for (uint32_t written = 0; written <= 100; written++) {
        const uint32_t kept = written < CAPACITY ? written : CAPACITY;
        assert_int_equal(dlab_trace_count(&t), kept);
        for (uint32_t k = 0; k < kept; k++) assert_int_equal(dlab_trace_at(&t, k)->id, written - kept + k);
        dlab_trace_put(&t, &(dlab_record){ .id = written });
    }
}

/* --- vector clocks --- */

enum { EVENTS = 64, NODES = 6, FLIGHTS = 32 };

/* A random computation that remembers by itself which sending each receipt belongs to. */
typedef struct computation {
    dlab_record records[EVENTS];
    int sent_at[EVENTS]; /* of a receipt: the record of its sending; -1: nothing, or not a receipt */
    size_t n;
    uint32_t nodes;
} computation;

typedef struct flight {
    uint32_t id;
    int sent_at, copies;
    uint16_t from, to;
} flight;

static const uint16_t idle[] = {
    DLAB_TRACE_SET,     DLAB_TRACE_FIRE,  DLAB_TRACE_NOTE,   DLAB_TRACE_CRASH,
    DLAB_TRACE_RESTART, DLAB_TRACE_STATE, DLAB_TRACE_FAULT,  DLAB_TRACE_PERSIST,
    DLAB_TRACE_APPLY,   DLAB_TRACE_HEAL,  DLAB_TRACE_BROKEN,
};

/* Half of the computations number their messages upwards, the others at random from few numbers, used again
 * only when no copy is left. */
static uint32_t fresh_id(const flight *flights, int count, uint32_t *last, bool upwards, dlab_rng *rng)
{
    if (upwards) return ++*last;
    for (;;) {
        const uint32_t id = (uint32_t)dlab_rng_below(rng, 2 * FLIGHTS);
        bool used = false;
        for (int i = 0; i < count; i++) used = used || flights[i].id == id;
        if (!used) return id;
    }
}

static void compute(computation *c, uint64_t key)
{
    flight flights[FLIGHTS];
    dlab_rng rng;
    int count = 0;
    uint32_t last = 0;
    dlab_rng_open(&rng, key, DLAB_PURPOSE_SAMPLE, 0);
    c->n = 1 + dlab_rng_below(&rng, EVENTS);
    c->nodes = 1 + (uint32_t)dlab_rng_below(&rng, NODES);
    for (size_t k = 0; k < c->n; k++) {
        const uint16_t node = (uint16_t)dlab_rng_below(&rng, c->nodes);
        const double what = dlab_rng_unit(&rng);
        dlab_record *r = &c->records[k];
        *r = (dlab_record){ .time = (int64_t)k, .node = node, .peer = NONE };
        c->sent_at[k] = -1;
        if (what < 0.35 && count < FLIGHTS) {
            flight *f = &flights[count];
            *f = (flight){ .id = fresh_id(flights, count, &last, key % 2 == 0, &rng),
                           .sent_at = (int)k,
                           .copies = 1,
                           .from = node,
                           .to = (uint16_t)dlab_rng_below(&rng, c->nodes) };
            count++;
            *r = (dlab_record){ .type = DLAB_TRACE_SEND, .node = node, .peer = f->to, .id = f->id };
        } else if (what < 0.8 && count > 0) {
            flight *f = &flights[dlab_rng_below(&rng, (uint64_t)count)];
            const double fate = dlab_rng_unit(&rng);
            *r = (dlab_record){ .type = DLAB_TRACE_DROP, .node = f->from, .peer = f->to, .id = f->id };
            if (fate < 0.15) {
                r->type = DLAB_TRACE_DUPLICATE;
                f->copies += 2;
            } else if (fate < 0.8) {
                *r = (dlab_record){ .type = DLAB_TRACE_DELIVER, .node = f->to, .peer = f->from, .id = f->id };
                c->sent_at[k] = f->sent_at;
            }
            if (--f->copies == 0) *f = flights[--count];
        } else {
            r->type = idle[dlab_rng_below(&rng, sizeof idle / sizeof idle[0])];
            if (r->type == DLAB_TRACE_BROKEN && dlab_rng_unit(&rng) < 0.5) r->node = NONE;
        }
    }
    /* What was sent before the first record: cut off a beginning. */
    const size_t cut = key % 3 == 0 ? dlab_rng_below(&rng, c->n) : 0;
    for (size_t k = cut; k < c->n; k++) {
        c->records[k - cut] = c->records[k];
        c->sent_at[k - cut] = c->sent_at[k] >= (int)cut ? c->sent_at[k] - (int)cut : -1;
    }
    c->n -= cut;
}

static bool counts(const dlab_record *r)
{
    return r->type != DLAB_TRACE_DROP && r->type != DLAB_TRACE_DUPLICATE && r->type != DLAB_TRACE_FAULT &&
           r->type != DLAB_TRACE_HEAL && r->type != DLAB_TRACE_BROKEN;
}

/* Bit j of past[k]: record j, an event, is k or happened before k; the closure by Warshall's rule. */
static void closure(const computation *c, uint64_t past[EVENTS])
{
    for (size_t k = 0; k < c->n; k++) {
        past[k] = counts(&c->records[k]) ? UINT64_C(1) << k : 0;
        for (size_t j = 0; j < k; j++)
            if (counts(&c->records[j]) && c->records[j].node == c->records[k].node)
                past[k] |= UINT64_C(1) << j;
        if (c->sent_at[k] >= 0) past[k] |= UINT64_C(1) << c->sent_at[k];
    }
    for (size_t m = 0; m < c->n; m++)
        for (size_t k = 0; k < c->n; k++)
            if ((past[k] >> m & 1) != 0) past[k] |= past[m];
}

static void clocks_are_the_closure(void **state)
{
    (void)state;
    size_t receipts = 0, nowhere = 0;
    for (uint64_t key = 0; key < 5000; key++) {
        computation c;
        uint64_t past[EVENTS];
        uint32_t clocks[EVENTS * NODES];
        dlab_memory memory = { 0 };
        dlab_error err = { 0 };
        compute(&c, key);
        closure(&c, past);
        memset(clocks, 0xa5, sizeof clocks);
        assert_int_equal(dlab_trace_clocks(c.records, c.n, c.nodes, clocks, &memory, &err), DLAB_OK);
        assert_int_equal(memory.used, 0);
        for (size_t k = 0; k < c.n; k++) {
            for (uint32_t i = 0; i < c.nodes; i++) {
                uint32_t known = 0;
                for (size_t j = 0; j < c.n; j++) known += (past[k] >> j & 1) != 0 && c.records[j].node == i;
                if (clocks[k * c.nodes + i] != known)
                    fail_msg("computation %d, record %zu, node %u: %u, not %u", (int)key, k, i,
                             clocks[k * c.nodes + i], known);
            }
            /* The rule of the header, for every pair of events. */
            for (size_t j = 0; j < c.n; j++) {
                const dlab_record *r = &c.records[j];
                if (j == k || !counts(r) || !counts(&c.records[k])) continue;
                const bool before = clocks[j * c.nodes + r->node] <= clocks[k * c.nodes + r->node];
                assert_int_equal(before, past[k] >> j & 1);
            }
            if (c.records[k].type == DLAB_TRACE_DELIVER) {
                receipts++;
                nowhere += c.sent_at[k] < 0;
            }
        }
    }
    assert_true(receipts > 10000 && nowhere > 500); /* else it showed little */
}

/* Sixteen nodes in a ring pass on what they know: after a full round the clock of the one that began is known
 * everywhere; ids that count down make the sorting work. */
static void a_long_ring_is_known_in_closed_form(void **state)
{
    enum { ROUNDS = 2000, RING = 16, N = 2 * ROUNDS * RING };
    dlab_record *records = calloc(N, sizeof *records);
    uint32_t *clocks = calloc((size_t)N * RING, sizeof *clocks);
    dlab_memory memory = { .budget = 8 * ROUNDS * RING + 4 * RING };
    (void)state;
    for (uint32_t k = 0; k < ROUNDS * RING; k++) {
        const uint16_t from = (uint16_t)(k % RING), to = (uint16_t)((k + 1) % RING);
        records[2 * k] =
            (dlab_record){ .type = DLAB_TRACE_SEND, .node = from, .peer = to, .id = UINT32_MAX - k };
        records[2 * k + 1] = records[2 * k];
        records[2 * k + 1].type = DLAB_TRACE_DELIVER;
        records[2 * k + 1].node = to;
        records[2 * k + 1].peer = from;
    }
    assert_int_equal(dlab_trace_clocks(records, N, RING, clocks, &memory, NULL), DLAB_OK);
    for (uint32_t k = 0; k < N; k++)
        for (uint32_t i = 0; i < RING; i++) {
            /* One chain of all records: every record knows all before it. Node i sends in records 2 m and
             * receives in 2 m - 1, where m mod RING = i. */
            const uint32_t sends = k / 2 >= i ? (k / 2 - i) / RING + 1 : 0;
            const uint32_t last = (k + 1) / 2; /* receipts: m = 1 .. last */
            const uint32_t receipts = last >= i ? (last - i) / RING + (i > 0) : 0;
            assert_int_equal(clocks[(size_t)k * RING + i], sends + receipts);
        }
    free(records);
    free(clocks);
}

static void what_cannot_be_clocked_is_named(void **state)
{
    const dlab_record records[] = { RECORD(0, SEND, .node = 0, .id = 1),
                                    RECORD(1, DELIVER, .node = 2, .id = 1) };
    uint32_t clocks[6] = { 0 };
    dlab_memory memory = { 0 };
    dlab_error err = { 0 };
    (void)state;
    assert_int_equal(dlab_trace_clocks(records, 2, 2, clocks, &memory, &err), DLAB_ERANGE);
    assert_string_equal(err.text, "record 1 is of node 2, but there are 2 nodes");
    err = (dlab_error){ 0 };
    assert_int_equal(dlab_trace_clocks(records, (size_t)1 << 28, 2, clocks, &memory, &err), DLAB_ELIMIT);
    assert_non_null(strstr(err.text, "268435456"));
    err = (dlab_error){ 0 };
    assert_int_equal(dlab_trace_clocks(records, 0, 2, clocks, &memory, &err), DLAB_OK);
    for (uint64_t fail = 1; fail <= 2; fail++) {
        memory = (dlab_memory){ .fail_at = fail };
        err = (dlab_error){ 0 };
        const int code = dlab_trace_clocks(records, 2, 3, clocks, &memory, &err);
        assert_int_equal(code, fail == 1 ? DLAB_ENOMEM : DLAB_OK);
        assert_int_equal(code, err.code);
        memory = (dlab_memory){ .fail_at = fail };
        assert_int_equal(dlab_trace_clocks(records, 2, 3, clocks, &memory, NULL), code);
    }
    assert_int_equal(clocks[3], 1);
    assert_int_equal(clocks[5], 1);
    memory = (dlab_memory){ .budget = 19 }; /* 8 for the sending, 12 for the nodes */
    assert_int_equal(dlab_trace_clocks(records, 2, 3, clocks, &memory, &err), DLAB_ELIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_a_line),
        cmocka_unit_test(what_has_no_name_is_a_number),
        cmocka_unit_test(no_record_crashes_it),
        cmocka_unit_test(rows_come_back),
        cmocka_unit_test(rows_that_hold_no_record_are_refused),
        cmocka_unit_test(the_ring_keeps_the_last),
        cmocka_unit_test(clocks_are_the_closure),
        cmocka_unit_test(a_long_ring_is_known_in_closed_form),
        cmocka_unit_test(what_cannot_be_clocked_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
