/* Any bytes as a history: read or refused with a line, never a crash; and what was read is written and read
 * again to the same operations. libFuzzer drives it: build with clang -fsanitize=fuzzer,address,undefined. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <distlab/history_text.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool condition)
{
    if (!condition) abort();
}

static void same_operations(const dlab_history *a, const dlab_history *b)
{
    demand(dlab_history_count(a) == dlab_history_count(b));
    for (size_t k = 0; k < dlab_history_count(a); k++) {
        const dlab_operation *p = dlab_history_at(a, k), *q = dlab_history_at(b, k);
        demand(p->process == q->process && p->outcome == q->outcome && p->called == q->called &&
               p->returned == q->returned && p->call == q->call && p->ret == q->ret);
        demand(p->argument.kind == q->argument.kind && p->argument.count == q->argument.count);
        demand(p->argument.kind != DLAB_VALUE_INT || p->argument.number == q->argument.number);
    }
}

static void come_back(const dlab_history *history, bool timed, bool independent, int32_t notation)
{
    dlab_memory memory = { 0 };
    dlab_history again;
    dlab_error err = { 0 };
    dlab_buffer text = { .row_size = 1 }, nemesis = { .row_size = sizeof(dlab_history_event) };
    const dlab_history_style style = { .notation = notation, .timed = timed, .independent = independent };
    bool has_times;
    demand(dlab_history_write(history, NULL, &style, &text, &err) == DLAB_OK);
    const dlab_history_source source = {
        .text = text.rows, .length = text.count, .notation = notation, .independent = independent
    };
    demand(dlab_history_open(&again, &memory, &err) == DLAB_OK);
    demand(dlab_history_read(&again, &source, &nemesis, &has_times, &err) == DLAB_OK);
    same_operations(history, &again);
    dlab_buffer_free(&text, history->memory);
    dlab_buffer_free(&nemesis, &memory);
    dlab_history_close(&again);
    demand(memory.used == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dlab_memory memory = { 0 };
    dlab_history history;
    dlab_error err = { 0 };
    dlab_buffer nemesis = { .row_size = sizeof(dlab_history_event) };
    bool timed = false;
    if (size < 1) return 0;
    const dlab_history_source source = { .text = (const char *)data + 1,
                                         .length = size - 1,
                                         .notation = data[0] & 1,
                                         .independent = (data[0] & 2) != 0,
                                         .order = (data[0] >> 2) % 3 };
    demand(dlab_history_open(&history, &memory, &err) == DLAB_OK);
    const int code = dlab_history_read(&history, &source, &nemesis, &timed, &err);
    if (code == DLAB_OK) {
        come_back(&history, timed, source.independent, DLAB_NOTATION_EDN);
        come_back(&history, timed, source.independent, DLAB_NOTATION_JSON);
    } else {
        demand(strncmp(err.text, "line ", 5) == 0);
    }
    dlab_buffer_free(&nemesis, &memory);
    dlab_history_close(&history);
    demand(memory.used == 0);
    return 0;
}
