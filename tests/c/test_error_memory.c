/* Errors and memory: the first error stands, suggestions are the ones a person would make, the budget is
 * the same for a fresh and a used arena, and every request can be made to fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <distlab/error.h>
#include <distlab/memory.h>

static void the_first_error_wins(void **state)
{
    (void)state;
    dlab_error err = { .code = DLAB_OK };
    const int code = dlab_fail(&err, DLAB_ERANGE, "%s = %g is outside [%g, %g]", "x", 3.0, 0.0, 1.0);
    assert_int_equal(code, DLAB_ERANGE);
    assert_int_equal(dlab_fail(&err, DLAB_ENOMEM, "later"), DLAB_ENOMEM);
    assert_int_equal(err.code, DLAB_ERANGE);
    assert_string_equal(err.text, "x = 3 is outside [0, 1]");
    assert_int_equal(dlab_fail(NULL, DLAB_ESTOP, "nobody listens"), DLAB_ESTOP);
}

static void a_long_text_is_cut_not_overrun(void **state)
{
    (void)state;
    char text[2 * DLAB_ERROR_TEXT];
    memset(text, 'y', sizeof text);
    text[sizeof text - 1] = '\0';
    dlab_error err = { .code = DLAB_OK };
    dlab_fail(&err, DLAB_EINVAL, "%s", text);
    assert_int_equal(strlen(err.text), DLAB_ERROR_TEXT - 1);
}

static void a_broken_invariant_names_its_line(void **state)
{
    (void)state;
    dlab_error err = { .code = DLAB_OK };
    assert_int_equal(DLAB_CHECK(&err, 1 + 1 == 2), DLAB_OK);
    assert_int_equal(err.code, DLAB_OK);
    assert_int_equal(DLAB_CHECK(&err, 1 + 1 == 3), DLAB_EBROKEN);
    assert_non_null(strstr(err.text, "test_error_memory.c:"));
    assert_non_null(strstr(err.text, "1 + 1 == 3"));
}

static void every_code_has_its_own_meaning(void **state)
{
    (void)state;
    for (int a = DLAB_OK; a <= DLAB_EBROKEN; a++)
        for (int b = DLAB_OK; b < a; b++)
            assert_string_not_equal(dlab_error_meaning(a), dlab_error_meaning(b));
    assert_string_equal(dlab_error_meaning(-1), "unknown error code");
    assert_string_equal(dlab_error_meaning(DLAB_EBROKEN + 1), "unknown error code");
}

static void suggestions_are_those_a_person_would_make(void **state)
{
    (void)state;
    static const char *const names[] = {
        "exponential", "hyperexponential", "arrival_rate", "servers", "service_time", "timeout", "p"
    };
    static const struct {
        const char *wanted, *expected;
    } rows[] = {
        { "exponental", "exponential" },
        { "Exponential", "exponential" },
        { "hyperexp", "hyperexponential" },
        { "exp", "exponential" },
        { "rate", "arrival_rate" },
        { "arival_rate", "arrival_rate" },
        { "sevrers", "servers" },
        { "timeuot", "timeout" },
        { "timeout_seconds", "timeout" },
        { "service", "service_time" },
        { "p", "p" },
        { "q", NULL },
        { "zebra", NULL },
        { "", NULL },
        { "x", NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const got = dlab_nearest_name(rows[i].wanted, names, 7);
        if (rows[i].expected == NULL) assert_null(got);
        else assert_string_equal(got != NULL ? got : "(none)", rows[i].expected);
    }
    assert_null(dlab_nearest_name("servers", names, 0));
}

static void names_of_any_length_are_compared(void **state)
{
    (void)state;
    char text[4000];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    const char *const names[] = { text };
    assert_ptr_equal(dlab_nearest_name(text, names, 1), text);
}

static void arena_memory_is_zeroed_and_aligned_also_after_a_reset(void **state)
{
    (void)state;
    dlab_memory memory = { 0 };
    dlab_arena arena = { .memory = &memory };
    static const size_t sizes[] = { 1, 0, 64, 1000, 70000, 3, 300000, 65, 20000000, 8 };
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            /* another order each round, so that chunks are met in another order than they were made */
            const size_t size = sizes[(i * 3 + (size_t)round) % 10];
            unsigned char *const bytes = dlab_arena_alloc(&arena, size, 1, NULL);
            assert_non_null(bytes);
            assert_int_equal((uintptr_t)bytes % 64, 0);
            size_t nonzero = 0;
            for (size_t k = 0; k < size; k++) nonzero += bytes[k] != 0;
            assert_int_equal(nonzero, 0);
            memset(bytes, 0xa5, size);
        }
        dlab_arena_reset(&arena);
        assert_int_equal(memory.used, 0);
    }
    dlab_arena_free(&arena);
    assert_null(arena.first);
}

static void a_reset_arena_serves_the_same_run_without_new_chunks(void **state)
{
    (void)state;
    dlab_memory memory = { 0 };
    dlab_arena arena = { .memory = &memory };
    uint64_t requests[3];
    void *first[3];
    for (int round = 0; round < 3; round++) {
        const uint64_t before = memory.allocations;
        first[round] = dlab_arena_alloc(&arena, 100, 8, NULL);
        for (int i = 0; i < 50; i++) assert_non_null(dlab_arena_alloc(&arena, 10000, 1, NULL));
        requests[round] = memory.allocations - before;
        dlab_arena_reset(&arena);
    }
    assert_true(requests[0] > 51); /* 51 requests to the arena and its chunks */
    assert_int_equal(requests[1], 51);
    assert_int_equal(requests[2], 51);
    assert_ptr_equal(first[0], first[1]);
    assert_ptr_equal(first[0], first[2]);
    dlab_arena_free(&arena);
}

static void the_budget_is_the_same_for_a_fresh_and_a_used_arena(void **state)
{
    (void)state;
    dlab_memory memory = { .budget = 64000 };
    dlab_arena arena = { .memory = &memory };
    int granted[4];
    for (int round = 0; round < 4; round++) {
        dlab_error err = { .code = DLAB_OK };
        granted[round] = 0;
        while (dlab_arena_alloc(&arena, (size_t)(round == 2 ? 100 : 1000), 1, &err) != NULL) granted[round]++;
        assert_int_equal(err.code, DLAB_ELIMIT);
        assert_non_null(strstr(err.text, "budget of 64000 bytes"));
        dlab_arena_reset(&arena);
    }
    assert_int_equal(granted[0], 64000 / 1024);
    assert_int_equal(granted[1], granted[0]);
    assert_int_equal(granted[2], 64000 / 128);
    assert_int_equal(granted[3], granted[0]);
    dlab_arena_free(&arena);
}

static void sizes_that_overflow_are_refused_by_name(void **state)
{
    (void)state;
    dlab_memory memory = { 0 };
    dlab_arena arena = { .memory = &memory };
    dlab_error err = { .code = DLAB_OK };
    assert_null(dlab_arena_alloc(&arena, SIZE_MAX / 4, 8, &err));
    assert_int_equal(err.code, DLAB_ELIMIT);
    err.code = DLAB_OK;
    assert_null(dlab_arena_alloc(&arena, SIZE_MAX - 8, 1, &err));
    assert_int_equal(err.code, DLAB_ELIMIT);
    err.code = DLAB_OK;
    dlab_buffer buffer = { .row_size = 16 };
    assert_int_equal(dlab_buffer_push(&buffer, &memory, NULL, SIZE_MAX / 8, &err), DLAB_ELIMIT);
    err.code = DLAB_OK;
    assert_null(dlab_memory_realloc(&memory, NULL, 0, SIZE_MAX - 1, &err));
    assert_int_equal(err.code, DLAB_ENOMEM);
    assert_int_equal(memory.used, 0);
    dlab_arena_free(&arena);
}

/* A little run that takes memory in every way there is; returns its error code. */
static int little_run(dlab_memory *memory, dlab_error *err)
{
    dlab_arena arena = { .memory = memory };
    dlab_buffer buffer = { .row_size = sizeof(uint64_t) };
    void *block = NULL;
    int code = DLAB_ENOMEM;
    if (dlab_arena_alloc(&arena, 10, 100, err) == NULL) goto done;
    if (dlab_arena_alloc(&arena, 1, 200000, err) == NULL) goto done;
    for (uint64_t i = 0; i < 40; i++) {
        code = dlab_buffer_push(&buffer, memory, &i, 1, err);
        const uint64_t *const rows = (const uint64_t *)(void *)buffer.rows;
        for (uint64_t k = 0; k < buffer.count; k++) assert_int_equal(rows[k], k);
        if (code != DLAB_OK) goto done;
    }
    code = DLAB_ENOMEM;
    block = dlab_memory_realloc(memory, NULL, 0, 500, err);
    if (block != NULL) code = DLAB_OK;
done:
    dlab_memory_free(memory, block, 500);
    dlab_buffer_free(&buffer, memory);
    dlab_arena_free(&arena);
    return code;
}

static void every_request_fails_once_and_nothing_leaks(void **state)
{
    (void)state;
    int failures = 0;
    for (uint64_t n = 1;; n++) {
        dlab_memory memory = { .fail_at = n };
        dlab_error err = { .code = DLAB_OK };
        const int code = little_run(&memory, &err);
        assert_int_equal(memory.used, 0);
        assert_int_equal(code, err.code);
        if (code == DLAB_OK) {
            assert_int_equal(memory.allocations, n - 1);
            break;
        }
        assert_int_equal(code, DLAB_ENOMEM);
        char expected[40];
        snprintf(expected, sizeof expected, "request %d ", (int)n);
        assert_non_null(strstr(err.text, expected));
        failures++;
    }
    assert_int_equal(failures, 8); /* 2 arena + 2 chunks + 3 growths of the buffer + 1 block */
}

static void a_buffer_keeps_its_rows_when_a_push_fails(void **state)
{
    (void)state;
    dlab_memory memory = { .budget = 200 };
    dlab_buffer buffer = { .row_size = 8 };
    dlab_error err = { .code = DLAB_OK };
    uint64_t n = 0;
    while (dlab_buffer_push(&buffer, &memory, &n, 1, &err) == DLAB_OK) n++;
    assert_int_equal(err.code, DLAB_ELIMIT);
    assert_int_equal(buffer.count, 16);
    const uint64_t *const rows = (const uint64_t *)(void *)buffer.rows;
    for (uint64_t k = 0; k < 16; k++) assert_int_equal(rows[k], k);
    dlab_buffer_free(&buffer, &memory);
    assert_int_equal(memory.used, 0);
}

static void a_push_without_a_row_adds_zeroes(void **state)
{
    (void)state;
    dlab_memory memory = { 0 };
    dlab_buffer buffer = { .row_size = 1 };
    assert_int_equal(dlab_buffer_push(&buffer, &memory, "abc", 3, NULL), DLAB_OK);
    assert_int_equal(dlab_buffer_push(&buffer, &memory, NULL, 2, NULL), DLAB_OK);
    assert_int_equal(dlab_buffer_push(&buffer, &memory, "d", 1, NULL), DLAB_OK);
    assert_int_equal(buffer.count, 6);
    assert_memory_equal(buffer.rows, "abc\0\0d", 6);
    dlab_buffer_free(&buffer, &memory);

    dlab_error err = { .code = DLAB_OK };
    dlab_buffer shapeless = { 0 };
    assert_int_equal(dlab_buffer_push(&shapeless, &memory, "a", 1, &err), DLAB_EBROKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_error_wins),
        cmocka_unit_test(a_long_text_is_cut_not_overrun),
        cmocka_unit_test(a_broken_invariant_names_its_line),
        cmocka_unit_test(every_code_has_its_own_meaning),
        cmocka_unit_test(suggestions_are_those_a_person_would_make),
        cmocka_unit_test(names_of_any_length_are_compared),
        cmocka_unit_test(arena_memory_is_zeroed_and_aligned_also_after_a_reset),
        cmocka_unit_test(a_reset_arena_serves_the_same_run_without_new_chunks),
        cmocka_unit_test(the_budget_is_the_same_for_a_fresh_and_a_used_arena),
        cmocka_unit_test(sizes_that_overflow_are_refused_by_name),
        cmocka_unit_test(every_request_fails_once_and_nothing_leaks),
        cmocka_unit_test(a_buffer_keeps_its_rows_when_a_push_fails),
        cmocka_unit_test(a_push_without_a_row_adds_zeroes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
