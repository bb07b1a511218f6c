/* Histories: events become operations, every malformed line is an error that names it and what was
 * expected, times become places, what goes in comes out again, and made-up histories are what they claim
 * to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <distlab/history.h>

static dlab_history_event event(int64_t time, int64_t process, int32_t type, uint32_t f, dlab_value value)
{
    return (dlab_history_event){ .time = time, .process = process, .type = type, .f = f, .value = value };
}

static void events_become_operations(void **state)
{
    dlab_memory memory = { 0 };
    dlab_history h;
    dlab_error err = { 0 };
    const dlab_history_event lines[] = {
        event(10, 7, DLAB_HISTORY_INVOKE, DLAB_F_WRITE, dlab_int(3)),
        event(20, -1, DLAB_HISTORY_INVOKE, DLAB_F_READ, dlab_nil()),
        event(30, 7, DLAB_HISTORY_INFO, DLAB_F_WRITE, dlab_int(3)),
        event(30, -1, DLAB_HISTORY_OK, DLAB_F_READ, dlab_int(3)),
        event(40, 7, DLAB_HISTORY_INVOKE, DLAB_F_READ, dlab_nil()), /* after info a process may go on */
    };
    (void)state;
    assert_int_equal(dlab_history_open(&h, &memory, &err), DLAB_OK);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_int_equal(dlab_history_event_add(&h, &lines[i], &err), DLAB_OK);
    assert_int_equal(dlab_history_complete(&h, &err), DLAB_OK);
    assert_int_equal(dlab_history_count(&h), 3);
    const dlab_operation *w = dlab_history_at(&h, 0), *r = dlab_history_at(&h, 1),
                         *open = dlab_history_at(&h, 2);
    assert_int_equal(w->outcome, DLAB_HISTORY_INFO);
    assert_int_equal(w->ret, 30);
    assert_int_equal(w->returned, 2);
    assert_int_equal(r->outcome, DLAB_HISTORY_OK);
    assert_int_equal(r->result.number, 3);
    assert_int_equal(r->called, 1);
    assert_int_equal(open->outcome, DLAB_HISTORY_INFO);
    assert_true(open->ret == DLAB_NEVER);
    assert_true(open->returned == DLAB_NO_EVENT);
    dlab_history_close(&h);
    assert_int_equal(memory.used, 0);
}

/* Feed one good line and one bad one; the text of the error comes back. */
static void refuse(const dlab_history_event *first, const dlab_history_event *bad, int code,
                   const char *expected)
{
    dlab_memory memory = { 0 };
    dlab_history h;
    dlab_error err = { 0 };
    assert_int_equal(dlab_history_open(&h, &memory, &err), DLAB_OK);
    if (first != NULL) assert_int_equal(dlab_history_event_add(&h, first, &err), DLAB_OK);
    assert_int_equal(dlab_history_event_add(&h, bad, &err), code);
    assert_string_equal(err.text, expected);
    dlab_history_close(&h);
    assert_int_equal(memory.used, 0);
}

static void malformed_lines_are_named(void **state)
{
    (void)state;
    const dlab_history_event write = event(10, 4, DLAB_HISTORY_INVOKE, DLAB_F_WRITE, dlab_int(1));
    dlab_history_event bad = event(20, 4, DLAB_HISTORY_INVOKE, DLAB_F_READ, dlab_nil());
    refuse(&write, &bad, DLAB_EINVAL,
           "line 2: process 4 invokes read while its write of line 1 has no answer; expected ok, fail or "
           "info of "
           "that first");
    bad.line = 31;
    bad.type = DLAB_HISTORY_OK;
    refuse(
        NULL, &bad, DLAB_EINVAL,
        "line 31: process 4 has ok of read but nothing open; expected an invoke of that process before it");
    refuse(&write, &bad, DLAB_EINVAL,
           "line 31: process 4 has ok of read; expected write, which it invoked in line 1");
    bad.f = DLAB_F_WRITE;
    bad.key = dlab_int(2);
    refuse(&write, &bad, DLAB_EINVAL, "line 31: process 4 has ok for key 2; expected key nil of line 1");
    bad.key = dlab_nil();
    bad.time = 9;
    refuse(&write, &bad, DLAB_EINVAL,
           "line 31: time 9 ns lies before that of the event in front, 10 ns; expected events in real-time "
           "order");
    bad.time = 10;
    bad.type = 4;
    refuse(&write, &bad, DLAB_ERANGE, "line 31: type 4 is none of invoke, ok, fail, info");
    bad.type = DLAB_HISTORY_OK;
    bad.f = 5000;
    refuse(&write, &bad, DLAB_ERANGE, "line 31: function 5000 is no text of this history");
}

static void operations_get_places_from_times(void **state)
{
    dlab_memory memory = { 0 };
    dlab_history h;
    dlab_error err = { 0 };
    dlab_operation op = { .process = 1, .call = 5, .ret = 9, .f = DLAB_F_READ, .outcome = DLAB_HISTORY_OK };
    (void)state;
    assert_int_equal(dlab_history_open(&h, &memory, &err), DLAB_OK);
    assert_int_equal(dlab_history_operation_add(&h, &op, &err), DLAB_OK);
    op.call = 1, op.ret = 5, op.process = 2; /* touches the one above: concurrent */
    assert_int_equal(dlab_history_operation_add(&h, &op, &err), DLAB_OK);
    op.call = 10, op.ret = DLAB_NEVER, op.outcome = DLAB_HISTORY_INFO;
    assert_int_equal(dlab_history_operation_add(&h, &op, &err), DLAB_OK);
    op.outcome = DLAB_HISTORY_OK;
    assert_int_equal(dlab_history_operation_add(&h, &op, &err), DLAB_EINVAL);
    assert_string_equal(err.text, "operation 4: ok without a time; expected one, or outcome info");
    err = (dlab_error){ 0 };
    op.ret = 3;
    assert_int_equal(dlab_history_operation_add(&h, &op, &err), DLAB_EINVAL);
    assert_string_equal(
        err.text, "operation 4: it returns at 3 ns, before its call at 10 ns; expected a time from then on");
    err = (dlab_error){ 0 };
    assert_int_equal(dlab_history_complete(&h, &err), DLAB_OK);
    assert_int_equal(dlab_history_at(&h, 0)->process, 2);
    assert_true(dlab_history_at(&h, 1)->called < dlab_history_at(&h, 0)->returned);
    assert_int_equal(dlab_history_at(&h, 2)->called, 4);
    assert_int_equal(dlab_history_operation_add(&h, &op, &err), DLAB_EINVAL);
    dlab_history_close(&h);
}

static void values_and_texts(void **state)
{
    dlab_memory memory = { 0 };
    dlab_history h;
    uint32_t a, b, c;
    char text[64], word[16];
    (void)state;
    assert_int_equal(dlab_history_open(&h, &memory, NULL), DLAB_OK);
    assert_int_equal(dlab_history_intern(&h, "alpha", 5, &a, NULL), DLAB_OK);
    assert_int_equal(dlab_history_intern(&h, "alph", 4, &b, NULL), DLAB_OK);
    assert_int_equal(dlab_history_intern(&h, "cas", 3, &c, NULL), DLAB_OK);
    assert_int_not_equal(a, b);
    assert_int_equal(c, DLAB_F_CAS);
    for (int i = 0; i < 3000; i++) {
        const int length = snprintf(word, sizeof word, "w%d", i % 1500);
        assert_int_equal(dlab_history_intern(&h, word, (size_t)length, &c, NULL), DLAB_OK);
        assert_int_equal(c, b + 1 + (uint32_t)(i % 1500));
    }
    assert_string_equal(dlab_history_text(&h, a, NULL), "alpha");
    dlab_value inner, list, other, empty;
    const dlab_value pair[2] = { dlab_int(-3), dlab_nil() };
    assert_int_equal(dlab_history_list(&h, pair, 2, &inner, NULL), DLAB_OK);
    const dlab_value rows[3] = { dlab_text(a), inner, dlab_bool(true) };
    assert_int_equal(dlab_history_list(&h, rows, 3, &list, NULL), DLAB_OK);
    assert_int_equal(dlab_history_list(&h, rows, 3, &other, NULL), DLAB_OK);
    assert_int_equal(dlab_history_list(&h, NULL, 0, &empty, NULL), DLAB_OK);
    assert_true(dlab_value_equal(&h, list, other));
    assert_false(dlab_value_equal(&h, list, inner));
    assert_false(dlab_value_equal(&h, dlab_nil(), dlab_int(0)));
    assert_false(dlab_value_equal(&h, dlab_nil(), empty));
    const int length = dlab_value_format(&h, list, text, sizeof text);
    assert_string_equal(text, "[\"alpha\" [-3 nil] true]");
    assert_int_equal(length, strlen(text));
    assert_int_equal(dlab_value_format(&h, list, text, 5), length);
    assert_string_equal(text, "[\"al");
    dlab_history_close(&h);
    assert_int_equal(memory.used, 0);
}

static const char *const generators[] = {
#define X(code, name) name,
    DLAB_GENERATORS(X)
#undef X
};
enum { GENERATORS = sizeof generators / sizeof generators[0] };

static dlab_generator generator_of(int32_t kind)
{
    return (dlab_generator){ .kind = kind,
                             .ops = 300,
                             .clients = 6,
                             .keys = 2,
                             .values = kind % 2 ? 4 : 0,
                             .read_fraction = 0.5,
                             .crash_rate = 0.05 };
}

static void same_operations(const dlab_history *x, const dlab_history *y)
{
    assert_int_equal(dlab_history_count(x), dlab_history_count(y));
    for (size_t i = 0; i < dlab_history_count(x); i++) {
        const dlab_operation *a = dlab_history_at(x, i), *b = dlab_history_at(y, i);
        assert_true(a->process == b->process && a->call == b->call && a->ret == b->ret && a->f == b->f);
        assert_true(a->outcome == b->outcome && a->called == b->called && a->returned == b->returned);
        assert_true(dlab_value_equal(x, a->argument, b->argument) &&
                    dlab_value_equal(x, a->result, b->result));
        assert_true(dlab_value_equal(x, a->key, b->key));
    }
}

/* Made up, taken apart into events, put together again: nothing is lost. A copy of the texts and elements
 * makes the ids of the two the same. */
static void what_goes_in_comes_out(void **state)
{
    (void)state;
    for (int32_t kind = 0; kind < GENERATORS; kind++) {
        dlab_memory memory = { 0 };
        dlab_history made, again, twin;
        dlab_rng rng;
        dlab_buffer events = { .row_size = sizeof(dlab_history_event) };
        const dlab_generator g = generator_of(kind);
        assert_int_equal(dlab_history_open(&made, &memory, NULL), DLAB_OK);
        assert_int_equal(dlab_history_open(&again, &memory, NULL), DLAB_OK);
        assert_int_equal(dlab_history_open(&twin, &memory, NULL), DLAB_OK);
        dlab_rng_open(&rng, 3, DLAB_PURPOSE_SAMPLE, (uint64_t)kind);
        assert_int_equal(dlab_generate_history(&g, &rng, &made, NULL, NULL), DLAB_OK);
        dlab_rng_open(&rng, 3, DLAB_PURPOSE_SAMPLE, (uint64_t)kind);
        assert_int_equal(dlab_generate_history(&g, &rng, &twin, NULL, NULL), DLAB_OK);
        same_operations(&made, &twin);
        assert_int_equal(dlab_history_count(&made), g.ops);
        assert_int_equal(dlab_history_events(&made, &events, NULL), DLAB_OK);
        assert_int_equal(events.count, made.events);
        for (size_t k = DLAB_F_COUNT; k < made.texts.spans.count; k++) {
            uint32_t id;
            size_t length;
            const char *text = dlab_history_text(&made, (uint32_t)k, &length);
            assert_int_equal(dlab_history_intern(&again, text, length, &id, NULL), DLAB_OK);
            assert_int_equal(id, k);
        }
        assert_int_equal(
            dlab_buffer_push(&again.elements, &memory, made.elements.rows, made.elements.count, NULL),
            DLAB_OK);
        for (size_t k = 0; k < events.count; k++)
            assert_int_equal(
                dlab_history_event_add(&again, (const dlab_history_event *)(void *)events.rows + k, NULL),
                DLAB_OK);
        assert_int_equal(dlab_history_complete(&again, NULL), DLAB_OK);
        same_operations(&made, &again);
        dlab_buffer_free(&events, &memory);
        dlab_history_close(&made);
        dlab_history_close(&again);
        dlab_history_close(&twin);
        assert_int_equal(memory.used, 0);
    }
}

static void generators_refuse_what_they_cannot(void **state)
{
    dlab_memory memory = { 0 };
    dlab_history h;
    dlab_rng rng;
    (void)state;
    dlab_rng_open(&rng, 3, DLAB_PURPOSE_SAMPLE, 0);
    assert_int_equal(dlab_history_open(&h, &memory, NULL), DLAB_OK);
    const struct {
        dlab_generator g;
        const char *text;
    } bad[] = {
        { { .kind = 77, .clients = 1, .keys = 1 }, "generator 77 is outside [0, 9]" },
        { { .clients = 0, .keys = 1 }, "clients = 0 is outside [1, 10000]" },
        { { .clients = 1, .keys = 0 }, "keys = 0 is outside [1, 1e+07]" },
        { { .clients = 1, .keys = 1, .crash_rate = 1.5 }, "crash_rate = 1.5 is outside [0, 1]" },
        { { .clients = 1, .keys = 1, .ops = -1 }, "ops = -1 is outside [0, 1e+08]" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        dlab_error err = { 0 };
        assert_int_equal(dlab_generate_history(&bad[i].g, &rng, &h, NULL, &err), DLAB_ERANGE);
        assert_string_equal(err.text, bad[i].text);
    }
    dlab_history_close(&h);
}

/* Every allocation of building a history fails once; nothing leaks and nothing is half there. */
static void each_allocation_fails_once(void **state)
{
    (void)state;
    for (int32_t kind = 0; kind < GENERATORS; kind++) {
        bool passed = false;
        for (uint64_t at = 1; !passed; at++) {
            dlab_memory memory = { .fail_at = at };
            dlab_history h;
            dlab_rng rng;
            dlab_error err = { 0 };
            dlab_generator g = generator_of(kind);
            g.ops = 40;
            dlab_rng_open(&rng, 3, DLAB_PURPOSE_SAMPLE, 0);
            if (dlab_history_open(&h, &memory, &err) == DLAB_OK) {
                passed = dlab_generate_history(&g, &rng, &h, NULL, &err) == DLAB_OK;
                dlab_history_close(&h);
            }
            assert_true(passed || err.code == DLAB_ENOMEM);
            assert_int_equal(memory.used, 0);
            assert_true(at < 1000);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_become_operations),
        cmocka_unit_test(malformed_lines_are_named),
        cmocka_unit_test(operations_get_places_from_times),
        cmocka_unit_test(values_and_texts),
        cmocka_unit_test(what_goes_in_comes_out),
        cmocka_unit_test(generators_refuse_what_they_cannot),
        cmocka_unit_test(each_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
