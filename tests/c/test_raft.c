/* Raft, one step at a time: situations in which a server must not say too much. Each was a fault of this
 * core once, found by random schedules (benchmarks/raft_schedules.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "consensus/raft_inner.h"
#include "raft_small.h"

/* One server, its state, and what its last step put out. */
typedef struct server {
    dlab_raft raft;
    dlab_core core;
    unsigned char *state;
    dlab_outputs out;
    dlab_rng rng;
} server;

static server *open_server(bool async)
{
    server *s = calloc(1, sizeof *s);
    s->raft = small_raft();
    s->raft.async_storage = async;
    s->raft.read_mode = DLAB_RAFT_READ_LEASE_MODE;
    dlab_raft_lay_out(&s->raft);
    s->core = dlab_raft_core(&s->raft);
    s->state = calloc(1, s->core.state_bytes);
    s->out.at = calloc(s->core.outputs_max, sizeof *s->out.at);
    s->out.count_max = s->core.outputs_max;
    s->out.bytes = calloc(1, s->core.bytes_max);
    s->out.bytes_max = s->core.bytes_max;
    return s;
}

static void close_server(server *s)
{
    free(s->state);
    free(s->out.at);
    free(s->out.bytes);
    free(s);
}

static void feed(server *s, dlab_input in)
{
    in.rng = &s->rng;
    s->out.count = s->out.bytes_used = 0;
    s->core.step(&s->core, 0, s->state, &in, &s->out);
    assert_false(s->out.overflow);
}

static void start(server *s) { feed(s, (dlab_input){ .kind = DLAB_ON_START }); }

static void deliver(server *s, const dlab_message *m)
{
    feed(s, (dlab_input){ .kind = DLAB_ON_MESSAGE, .message = m, .now = 1000000 });
}

/* An append of `count` no-ops behind `prev`, all of the leader's term. */
static void append(server *s, uint16_t from, uint32_t term, uint32_t prev, uint32_t prev_term, uint32_t count)
{
    struct {
        raft_append_body head;
        dlab_raft_entry entries[8];
    } body = { .head = { prev_term, 0, count, 0 } };
    for (uint32_t k = 0; k < count; k++)
        body.entries[k] = (dlab_raft_entry){ .term = term, .client = DLAB_NO_NODE, .wire = 64 };
    deliver(s, &(dlab_message){ .from = from,
                                .kind = DLAB_RAFT_APPEND,
                                .a = term,
                                .b = prev,
                                .body = &body,
                                .length = (uint32_t)(sizeof body.head + count * sizeof(dlab_raft_entry)) });
}

static void heartbeat(server *s, uint16_t from, uint32_t term)
{
    const uint32_t round = 1;
    deliver(
        s,
        &(dlab_message){
            .from = from, .kind = DLAB_RAFT_HEARTBEAT, .a = term, .body = &round, .length = sizeof round });
}

static const dlab_output *find(const server *s, dlab_output_kind kind, unsigned message)
{
    for (uint32_t k = 0; k < s->out.count; k++)
        if (s->out.at[k].kind == kind && (kind != DLAB_SEND || s->out.at[k].message.kind == message))
            return &s->out.at[k];
    return NULL;
}

/* The ticket of the asynchronous write of entries in the last step. */
static uint64_t write_of(const server *s)
{
    const dlab_output *o = find(s, DLAB_PERSIST, 0);
    while (!o->async) o++;
    assert_int_equal(o->kind, DLAB_PERSIST);
    return o->ticket;
}

static void persisted(server *s, uint64_t ticket, int status)
{
    feed(s, (dlab_input){ .kind = DLAB_ON_PERSISTED, .ticket = ticket, .status = status, .now = 1000000 });
}

/* Entries of a deposed leader become durable when another one leads: it may have other entries there. */
static void a_late_write_is_not_acknowledged_to_the_next_leader(void **state)
{
    (void)state;
    server *s = open_server(true);
    start(s);
    append(s, 1, 1, 0, 0, 3);
    assert_null(find(s, DLAB_SEND, DLAB_RAFT_APPENDED));
    const uint64_t ticket = write_of(s);
    heartbeat(s, 2, 2);
    persisted(s, ticket, DLAB_DISK_OK);
    assert_null(find(s, DLAB_SEND, DLAB_RAFT_APPENDED));
    /* What both have in common may be told, and no more. */
    append(s, 2, 2, 1, 1, 0);
    const dlab_output *told = find(s, DLAB_SEND, DLAB_RAFT_APPENDED);
    assert_non_null(told);
    assert_int_equal(told->message.b, 1);
    close_server(s);
}

static void a_write_is_acknowledged_to_the_leader_it_came_from(void **state)
{
    (void)state;
    server *s = open_server(true);
    start(s);
    append(s, 1, 1, 0, 0, 3);
    persisted(s, write_of(s), DLAB_DISK_OK);
    const dlab_output *told = find(s, DLAB_SEND, DLAB_RAFT_APPENDED);
    assert_non_null(told);
    assert_int_equal(told->message.to, 1);
    assert_int_equal(told->message.b, 3);
    close_server(s);
}

/* A snapshot whose last entry the log has keeps what follows it, also through a restart: those entries have
 * been acknowledged. */
static void entries_kept_by_a_snapshot_are_there_after_a_restart(void **state)
{
    (void)state;
    for (uint32_t index = 2; index <= 5; index += 3) {
        server *s = open_server(false);
        start(s);
        append(s, 1, 1, 0, 0, 4);
        unsigned char body[sizeof(raft_snapshot_body) + 4096] = { 0 };
        const raft_snapshot_body head = {
            .head = { .index = index, .term = 1, .members = { .voters = 7 }, .chain = 1 },
            .length = s->raft.machine_bytes
        };
        memcpy(body, &head, sizeof head);
        deliver(s, &(dlab_message){ .from = 1,
                                    .kind = DLAB_RAFT_SNAPSHOT,
                                    .a = 1,
                                    .b = index,
                                    .body = body,
                                    .length = (uint32_t)sizeof head + s->raft.machine_bytes });
        const dlab_raft_live *v = dlab_raft_live_of(&s->raft, s->state);
        assert_int_equal(v->snapshot, index);
        assert_int_equal(v->last, index < 4 ? 4 : index);
        memset(s->state + s->core.durable, 0, s->core.state_bytes - s->core.durable);
        start(s);
        assert_int_equal(v->snapshot, index);
        assert_int_equal(v->last, index < 4 ? 4 : index);
        close_server(s);
    }
}

static void a_server_whose_disk_fails_dies(void **state)
{
    (void)state;
    server *s = open_server(false);
    start(s);
    append(s, 1, 1, 0, 0, 1);
    persisted(s, 0, DLAB_DISK_ERROR);
    assert_non_null(find(s, DLAB_CRASH, 0));
    close_server(s);
}

static void a_message_with_flipped_bits_is_ignored(void **state)
{
    (void)state;
    server *s = open_server(false);
    start(s);
    deliver(s, &(dlab_message){ .from = 1, .kind = DLAB_RAFT_APPEND, .a = 7, .b = 1u << 31, .corrupt = 1 });
    assert_int_equal(s->out.count, 0);
    assert_int_equal(dlab_raft_hard_of(s->state)->term, 0);
    close_server(s);
}

/* Figure 7's follower: what it led and wrote alone is there when it starts for the first time, goes to disk
 * like any entry, and is found there, not written once more, after a restart. */
static void a_server_brings_its_past_once(void **state)
{
    (void)state;
    for (uint32_t stray = 0; stray < 2; stray++) {
        server *s = open_server(false);
        s->raft.members.voters = stray ? 1 : 7; /* this one, server 0, is the last voter, or another one */
        s->raft.past_stray = 5;
        s->raft.past_rival = 3;
        s->raft.past_terms = 2;
        start(s);
        const dlab_raft_live *v = dlab_raft_live_of(&s->raft, s->state);
        const uint32_t terms[2][6] = { { 1, 3, 3, 5 }, { 1, 2, 2, 2, 4, 4 } }, last = stray ? 6 : 4;
        assert_non_null(find(s, DLAB_PERSIST, 0));
        for (int life = 0; life < 2; life++) {
            assert_int_equal(dlab_raft_hard_of(s->state)->term, 5);
            assert_int_equal(v->last, last);
            assert_int_equal(v->stable, last);
            for (uint32_t i = 1; i <= last; i++)
                assert_int_equal(dlab_raft_entry_at(&s->raft, s->state, i)->term, terms[stray][i - 1]);
            memset(s->state + s->core.durable, 0, s->core.state_bytes - s->core.durable);
            feed(s, (dlab_input){ .kind = DLAB_ON_START, .restarted = true });
        }
        close_server(s);
    }
}

/* After a million operations numbers begin again; they do not run into the bits that say whose they are. */
static void no_client_writes_the_value_of_another(void **state)
{
    (void)state;
    server *s = open_server(false);
    dlab_raft_client *client = (void *)s->state; /* the second one, of two */
    const uint32_t node = s->raft.servers + 1, used = DLAB_RAFT_NUMBER_MASK - 1;
    s->raft.clients = 2;
    client->written = used;
    for (uint32_t k = 1; k <= 4; k++) {
        const dlab_input in = { .kind = DLAB_ON_TIMER, .timer = DLAB_RAFT_TIMER_THINK, .rng = &s->rng };
        s->out.count = s->out.bytes_used = 0;
        s->core.step(&s->core, node, s->state, &in, &s->out);
        assert_int_equal(client->kind, DLAB_RAFT_OP_WRITE);
        assert_int_equal(client->value >> DLAB_RAFT_NUMBER_BITS, 2);
        assert_int_equal(client->value & DLAB_RAFT_NUMBER_MASK, (used + k) % (DLAB_RAFT_NUMBER_MASK + 1));
    }
    close_server(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_late_write_is_not_acknowledged_to_the_next_leader),
        cmocka_unit_test(a_write_is_acknowledged_to_the_leader_it_came_from),
        cmocka_unit_test(entries_kept_by_a_snapshot_are_there_after_a_restart),
        cmocka_unit_test(a_server_whose_disk_fails_dies),
        cmocka_unit_test(a_message_with_flipped_bits_is_ignored),
        cmocka_unit_test(a_server_brings_its_past_once),
        cmocka_unit_test(no_client_writes_the_value_of_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
