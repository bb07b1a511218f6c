/* Histories as text: what EDN and JSON say becomes events and values, what goes out comes in again, and
 * broken text is refused with the line and what was expected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <distlab/history_text.h>

enum { GENERATORS = DLAB_GENERATOR_LIST_APPEND + 1, EDN = DLAB_NOTATION_EDN, JSON = DLAB_NOTATION_JSON };

typedef struct room {
    dlab_memory memory;
    dlab_history history;
    dlab_buffer nemesis;
    dlab_error err;
    bool timed;
} room;

static int enter(room *r, const char *text, size_t length, dlab_history_source source)
{
    const uint64_t fail_at = r->memory.fail_at;
    *r = (room){ .memory = { .fail_at = fail_at }, .nemesis = { .row_size = sizeof(dlab_history_event) } };
    source.text = text;
    source.length = length;
    const int code = dlab_history_open(&r->history, &r->memory, &r->err);
    if (code != DLAB_OK) return code;
    return dlab_history_read(&r->history, &source, &r->nemesis, &r->timed, &r->err);
}

static void leave(room *r)
{
    dlab_history_close(&r->history);
    dlab_buffer_free(&r->nemesis, &r->memory);
    assert_int_equal(r->memory.used, 0);
}

static void refused(const char *text, dlab_history_source source, const char *expected)
{
    room r = { .timed = false };
    assert_int_not_equal(enter(&r, text, strlen(text), source), DLAB_OK);
    assert_string_equal(r.err.text, expected);
    leave(&r);
}

/* The values of a text "v1 v2 ..." inside a list, as the history shows them. */
static void value_reads(const char *value, int32_t notation, const char *expected)
{
    char text[600], seen[200];
    room r = { .timed = false };
    (void)snprintf(text, sizeof text,
                   notation == EDN
                       ? "{:process 0 :type :invoke :f :write :value %s}"
                       : "{\"process\": 0, \"type\": \"invoke\", \"f\": \"write\", \"value\": %s}",
                   value);
    assert_int_equal(enter(&r, text, strlen(text), (dlab_history_source){ .notation = notation }), DLAB_OK);
    (void)dlab_value_format(&r.history, dlab_history_at(&r.history, 0)->argument, seen, sizeof seen);
    assert_string_equal(seen, expected);
    leave(&r);
}

static void a_vector_and_lines_are_the_same(void **state)
{
    static const char *const texts[] = {
        "[{:process 0, :type :invoke, :f :write, :value 3, :time 10}\n"
        " {:process :nemesis, :type :info, :f :kill, :value [\"n1\"], :time 12}\n"
        " {:process 0, :type :ok, :f :write, :value 3, :time 20}]\n",
        "; a comment\n#jepsen.history.Op{:process 0 :type :invoke :f :write :value 3 :time 10 :extra {:a "
        "#{1}}}\n"
        "#_ {:process 0 :type 1} {:process :nemesis :type :info :f :kill :value [\"n1\"] :time 12}\n"
        "{:process 0, :type :ok, :f write, :value 3N, :time 20}",
        "{\"process\": 0, \"type\": \"invoke\", \"f\": \"write\", \"value\": 3, \"time\": 10}\n\n"
        "{\"process\": \"nemesis\", \"type\": \"info\", \"f\": \"kill\", \"value\": [\"n1\"], \"time\": 12}\n"
        "{\"process\": 0, \"type\": \"ok\", \"f\": \"write\", \"value\": 3, \"time\": 20}\n",
    };
    (void)state;
    for (int i = 0; i < 3; i++) {
        room r = { .timed = false };
        const dlab_history_source source = { .notation = i == 2 ? JSON : EDN };
        const int code = enter(&r, texts[i], strlen(texts[i]), source);
        assert_string_equal(r.err.text, "");
        assert_int_equal(code, DLAB_OK);
        assert_true(r.timed);
        assert_int_equal(dlab_history_count(&r.history), 1);
        const dlab_operation *op = dlab_history_at(&r.history, 0);
        assert_int_equal(op->f, DLAB_F_WRITE);
        assert_int_equal(op->outcome, DLAB_HISTORY_OK);
        assert_int_equal(op->argument.number, 3);
        assert_int_equal(op->call, 10);
        assert_int_equal(op->ret, 20);
        assert_int_equal(r.nemesis.count, 1);
        const dlab_history_event *kill = (const dlab_history_event *)(const void *)r.nemesis.rows;
        assert_int_equal(kill->process, 1);
        assert_int_equal(kill->value.kind, DLAB_VALUE_LIST);
        leave(&r);
    }
}

static void values_of_both_notations(void **state)
{
    (void)state;
    static const char *const edn[][2] = {
        { "-7", "-7" },
        { "0x1f", "31" },
        { "[1 nil true]", "[1 nil true]" },
        { "(1, 2)", "[1 2]" },
        { "#{30 4 -1}", "[-1 4 30]" },
        { "#{:b [2 1] 4 \"a\"}", "[4 \"a\" \":b\" [2 1]]" },
        { ":a/b", "\":a/b\"" },
        { "x", "\"'x\"" },
        { "1.50", "\"##1.5\"" },
        { "1e3", "\"##1000.0\"" },
        { "##Inf", "\"##Inf\"" },
        { "1/3", "\"##1/3\"" },
        { "1.10M", "\"##1.10M\"" },
        { "123456789012345678901", "\"##123456789012345678901\"" },
        { "9223372036854775807", "9223372036854775807" },
        { "{:b 1, :a {2 \"x\"}}", "\"{:a {2 \"x\"}, :b 1}\"" },
        { "#inst  \"2024-01-01\"", "\"#inst \"2024-01-01\"\"" },
        { "#:n{:a 1}", "\"#:n {:a 1}\"" },
        { "\\newline", "\"\\newline\"" },
        { "\\u00e9", "\"\\\xc3\xa9\"" },
        { "\"a\\u00e9\\n\"", "\"a\xc3\xa9\n\"" },
        { "\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"" },
        { "\":a\"", "\"\":a\"\"" }, /* a string that looks like a keyword keeps its quotes */
        { "\":a b\"", "\":a b\"" },
    };
    static const char *const json[][2] = {
        { "[1, null, true, []]", "[1 nil true []]" },
        { "-1.5e2", "\"##-150.0\"" },
        { "NaN", "\"##NaN\"" },
        { "\"##1.5\"", "\"\"##1.5\"\"" },
        { "\":a\"", "\":a\"" },
        { "{\"b\": 1, \"a\": [2]}", "\"{\"a\" [2], \"b\" 1}\"" },
        { "\"\\/\\u0041\"", "\"/A\"" },
    };
    for (size_t i = 0; i < sizeof edn / sizeof edn[0]; i++) value_reads(edn[i][0], EDN, edn[i][1]);
    for (size_t i = 0; i < sizeof json / sizeof json[0]; i++) value_reads(json[i][0], JSON, json[i][1]);
}

#define E "{:process 0 :type :invoke :f :read :value nil"

static void broken_edn_is_refused(void **state)
{
    const dlab_history_source edn = { .notation = EDN }, pairs = { .notation = EDN, .independent = true };
    static const char *const bad[][2] = {
        { E "\n",
          "line 2, column 1: the text ends inside the map that began in line 1, column 1; expected '}'" },
        { "[" E "}\n",
          "line 2, column 1: the text ends inside the list that began in line 1, column 1; expected "
          "']'" },
        { "[" E "}]\n3", "line 2, column 1: something follows the list; expected the end" },
        { E "]", "line 1, column 46: ']'; expected '}', which ends what began in line 1, column 1" },
        { E " :x}", "line 1, column 49: the map that began in line 1, column 1 has a key without a value; "
                    "expected one more value" },
        { "}", "line 1, column 1: '}' closes nothing; expected a value" },
        { "{:a #_}", "line 1, column 7: '}' right behind a tag or #_; expected the value it is for" },
        { "{:a \"b", "line 1, column 7: the text ends inside the string that began in line 1, column 5; "
                     "expected '\"'" },
        { "\n{:a \"\\q\"}",
          "line 2, column 7: the escape \\q; expected \\\" \\\\ \\n \\r \\t \\b \\f or \\u0000" },
        { "{:a 012}", "line 1, column 5: 012 is no number" },
        { "{:a 1.2.3}", "line 1, column 5: 1.2.3 is no number" },
        { "{:a 1e999}", "line 1, column 5: 1e999; expected a number below 1.8e308" },
        { "{:a @b}", "line 1, column 5: the character '@' (0x40); expected a value of EDN" },
        { "{:a #<Object>}", "line 1, column 5: '#<'; expected a set, a tag or #_" },
        { "{: 1}", "line 1, column 2: ':' without a name; expected a keyword" },
        { "{:a \\abc}", "line 1, column 5: \\abc is no character" },
        { "{:a \xff}", "line 1, column 5: the byte 0xff; expected text in UTF-8" },
        { "{:a \"\\ud800\"}", "line 1, column 11: half a surrogate pair \\ud800; expected the other half" },
        { E "}\n:x",
          "line 2, column 1: a keyword :x stands here; expected an event, a map with process, type, f "
          "and value" },
        { "{:process 0 :f :read}", "line 1: the event has no type; expected invoke, ok, fail or info" },
        { "{:proces 0 :type :ok :f :read}",
          "line 1: the event has no process; expected an integer; is 'proces' meant to be it?" },
        { "{:process \"a\" :type :ok :f :read}",
          "line 1, column 11: process is \"a\"; expected an integer, or nemesis" },
        { "{:process 0 :type :okay :f :read}",
          "line 1, column 19: type is :okay; expected invoke, ok, fail or info" },
        { "{:process 0 :type :ok :f 3}",
          "line 1, column 26: f is 3; expected the name of an operation such as read" },
        { E " :type :ok}", "line 1, column 47: the event has type twice; expected it once" },
        { "{:process 0 :type :invoke :f :read :value #{1 1}}",
          "line 1, column 43: the set has an element twice; expected it once" },
        { "{:process 0 :type :invoke :f :read :value {1 2 1 3}}",
          "line 1, column 43: the map has 1 twice; expected it once" },
        { E " :time 1.5}", "line 1, column 53: time is 1.5; expected a whole number of nanoseconds" },
        { E " :time 5}\n{:process 0 :type :ok :f :read :value 1}",
          "line 2: the event has no time while those before have one; expected a time in every event or in "
          "none" },
        { E " :time 5}\n{:process 0 :type :ok :f :read :time 4}",
          "line 2: time 4 ns lies before that of the event in front, 5 ns; expected events in real-time "
          "order" },
        { "\n{:process 3 :type :ok :f :read :value 1}",
          "line 2: process 3 has ok of read but nothing open; expected an invoke of that process before it" },
        { E "}\n" E "}",
          "line 2: process 0 invokes read while its read of line 1 has no answer; expected ok, fail "
          "or info of that first" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) refused(bad[i][0], edn, bad[i][1]);
    refused(E "}", pairs, "line 1: value is nil; with independent keys expected [key value]");
    char deep[200] = "{:process ";
    memset(deep + 10, '[', 100);
    refused(deep, edn, "line 1, column 74: values nest deeper than 64; expected fewer levels");
}

static void broken_json_is_refused(void **state)
{
    const dlab_history_source json = { .notation = JSON };
    static const char *const bad[][2] = {
        { "{\"a\": 1",
          "line 1, column 8: the text ends inside the map that began in line 1, column 1; expected "
          "'}'" },
        { "{\"a\" 1}", "line 1, column 6: expected ':' and the value of the name before" },
        { "{\"a\": 1,}", "line 1, column 9: expected a name in quotes" },
        { "{\"a\": 1 \"b\": 2}", "line 1, column 9: expected ',' or '}'" },
        { "{a: 1}", "line 1, column 2: expected a name in quotes" },
        { "[{}}", "line 1, column 2: the event has no process" },
        { "{\"a\": 01}",
          "line 1, column 7: this is no number of JSON; expected digits, a fraction or a power of "
          "ten" },
        { "{\"a\": 1.}",
          "line 1, column 7: this is no number of JSON; expected digits, a fraction or a power of "
          "ten" },
        { "{\"a\": nil}", "line 1, column 7: the character 'n' (0x6e); expected a value of JSON" },
        { "{\"a\": \"x\ny\"}", "line 1, column 9: the line ends inside a string; expected '\"'" },
        { "{\"process\": 0, \"typ\": \"ok\", \"f\": \"read\"}",
          "line 1: the event has no type; expected invoke, ok, fail or info; is 'typ' meant to be it?" },
        { "7",
          "line 1, column 1: an integer 7 stands here; expected an event, a map with process, type, f and "
          "value" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (i == 5) refused(bad[i][0], json, "line 1: the event has no process; expected an integer");
        else refused(bad[i][0], json, bad[i][1]);
    }
}

static void orders_of_lines_and_times(void **state)
{
    static const char text[] = "{:process 1 :type :invoke :f :read :time 5}\n"
                               "{:process 0 :type :invoke :f :write :value 1 :time 4}\n"
                               "{:process 1 :type :ok :f :read :value nil :time 7}\n";
    room r = { .timed = false };
    (void)state;
    dlab_history_source source = { .notation = EDN, .order = DLAB_TEXT_ORDER_LINES };
    assert_int_equal(enter(&r, text, strlen(text), source), DLAB_OK);
    assert_int_equal(dlab_history_at(&r.history, 0)->f, DLAB_F_READ);
    assert_int_equal(dlab_history_at(&r.history, 1)->call, 5);
    leave(&r);
    source.order = DLAB_TEXT_ORDER_TIMES;
    assert_int_equal(enter(&r, text, strlen(text), source), DLAB_OK);
    assert_int_equal(dlab_history_at(&r.history, 0)->f, DLAB_F_WRITE);
    assert_int_equal(dlab_history_at(&r.history, 0)->call, 4);
    leave(&r);
}

static void transactions_and_independent_keys(void **state)
{
    static const char text[] = "{:process 0 :type :invoke :f :txn :value [7 [[:r :x nil] [:w :x :r]]]}\n"
                               "{:process 0 :type :ok :f :txn :value [7 [[:r :x 3] [:w :x :r]]]}\n";
    room r = { .timed = false };
    char seen[100];
    dlab_buffer out = { .row_size = 1 };
    (void)state;
    const dlab_history_source source = { .notation = EDN, .independent = true };
    assert_int_equal(enter(&r, text, strlen(text), source), DLAB_OK);
    const dlab_operation *op = dlab_history_at(&r.history, 0);
    assert_int_equal(op->key.number, 7);
    (void)dlab_value_format(&r.history, op->result, seen, sizeof seen);
    assert_string_equal(seen, "[[\"r\" \":x\" 3] [\"w\" \":x\" \":r\"]]");
    const dlab_history_style style = { .notation = EDN, .independent = true };
    assert_int_equal(dlab_history_write(&r.history, NULL, &style, &out, NULL), DLAB_OK);
    static const char expected[] =
        "{:process 0, :type :invoke, :f :txn, :value [7 [[:r :x nil] [:w :x :r]]], :index 0}\n"
        "{:process 0, :type :ok, :f :txn, :value [7 [[:r :x 3] [:w :x :r]]], :index 1}\n";
    assert_int_equal(out.count, strlen(expected));
    assert_memory_equal(out.rows, expected, out.count);
    dlab_buffer_free(&out, &r.memory);
    leave(&r);
}

/* Made-up histories of every kind, and one with every kind of value, survive both notations. */
static void same(const dlab_history *a, const dlab_history *b)
{
    char x[400], y[400];
    assert_int_equal(dlab_history_count(a), dlab_history_count(b));
    for (size_t k = 0; k < dlab_history_count(a); k++) {
        const dlab_operation *p = dlab_history_at(a, k), *q = dlab_history_at(b, k);
        assert_string_equal(dlab_history_text(a, p->f, NULL), dlab_history_text(b, q->f, NULL));
        assert_true(p->process == q->process && p->call == q->call && p->ret == q->ret &&
                    p->outcome == q->outcome && p->called == q->called && p->returned == q->returned);
        const dlab_value mine[] = { p->key, p->argument, p->result },
                         other[] = { q->key, q->argument, q->result };
        for (int i = 0; i < 3; i++) {
            (void)dlab_value_format(a, mine[i], x, sizeof x);
            (void)dlab_value_format(b, other[i], y, sizeof y);
            assert_string_equal(x, y);
        }
    }
}

static void round_trip(const dlab_history *h, int32_t notation)
{
    dlab_buffer text = { .row_size = 1 };
    room r = { .timed = false };
    const dlab_history_style style = { .notation = notation, .timed = true };
    assert_int_equal(dlab_history_write(h, NULL, &style, &text, NULL), DLAB_OK);
    const int code = enter(&r, text.rows, text.count, (dlab_history_source){ .notation = notation });
    assert_string_equal(r.err.text, "");
    assert_int_equal(code, DLAB_OK);
    same(h, &r.history);
    leave(&r);
    dlab_buffer_free(&text, h->memory);
}

static void what_goes_out_comes_in(void **state)
{
    room none = { .timed = false };
    (void)state;
    assert_int_equal(enter(&none, NULL, 0, (dlab_history_source){ .notation = EDN }), DLAB_OK);
    round_trip(&none.history, EDN);
    round_trip(&none.history, JSON);
    leave(&none);
    for (int32_t kind = 0; kind < GENERATORS; kind++) {
        dlab_memory memory = { 0 };
        dlab_history made;
        dlab_rng rng;
        const dlab_generator g = {
            .kind = kind, .ops = 300, .clients = 5, .keys = 3, .read_fraction = 0.5, .crash_rate = 0.05
        };
        dlab_rng_open(&rng, 9, DLAB_PURPOSE_SAMPLE, 0);
        assert_int_equal(dlab_history_open(&made, &memory, NULL), DLAB_OK);
        assert_int_equal(dlab_generate_history(&g, &rng, &made, NULL, NULL), DLAB_OK);
        round_trip(&made, EDN);
        round_trip(&made, JSON);
        dlab_history_close(&made);
        assert_int_equal(memory.used, 0);
    }
    static const char values[] = "{:process 0 :type :invoke :f :write :time 1 :key :k :value [:a \":a\" x "
                                 "1.5 \"##1.5\" \"'x\" #{3 1} {:a 1}"
                                 " #t [1] \\a ##NaN ##-Inf 1/2 1.5M 99999999999999999999 "
                                 "\"\\\"\\\":a\\\"\\\"\" \"{\" -0.1 1e300 \"##NaN\""
                                 " \"\\u0001\" \"\" [] -9223372036854775808]}\n";
    room r = { .timed = false };
    assert_int_equal(enter(&r, values, strlen(values), (dlab_history_source){ .notation = EDN }), DLAB_OK);
    round_trip(&r.history, EDN);
    round_trip(&r.history, JSON);
    leave(&r);
}

static void each_allocation_fails_once(void **state)
{
    static const char text[] =
        "[{:process 0 :type :invoke :f :x :key 1 :value {:a #{2 :b [3]} \"q\" [1 \":k\"]}}\n"
        " {:process :nemesis :type :info :f :y :value #{1.5 :c}}]";
    const dlab_history_source source = { .notation = EDN };
    bool passed = false;
    (void)state;
    for (uint64_t at = 1; !passed; at++) {
        room r = { .memory = { .fail_at = at } };
        const int code = enter(&r, text, strlen(text), source);
        passed = code == DLAB_OK;
        if (!passed) assert_int_equal(r.err.code, DLAB_ENOMEM);
        dlab_history_close(&r.history);
        dlab_buffer_free(&r.nemesis, &r.memory);
        assert_int_equal(r.memory.used, 0);
        assert_true(at < 1000);
    }
}

/* Every prefix of a good text and every text with one byte changed is read or refused, and never crashes. */
static void prefixes_and_changed_bytes(void **state)
{
    static const char text[] =
        "[{:process 0, :type :invoke, :f :write, :value [1 {:a #{2 \\a}} \"x\\u0041\"]}\n"
        "#t{:process 0, :type :ok #_ [1], :f :write, :value 1.5e3 ; c\n}]";
    static const char bytes[] = "\"\\[]{}()#:;_ \n0-9aN/\x80\xff";
    char copy[sizeof text];
    const dlab_history_source source = { .notation = EDN };
    size_t good = 0;
    (void)state;
    for (size_t length = 0; length < sizeof text; length++) {
        room r = { .timed = false };
        good += enter(&r, text, length, source) == DLAB_OK;
        leave(&r);
    }
    assert_int_equal(good, 2); /* nothing at all, and all of it: never a half */
    for (size_t k = 0; k + 1 < sizeof text; k++)
        for (size_t b = 0; b + 1 < sizeof bytes; b++) {
            room r = { .timed = false };
            memcpy(copy, text, sizeof text);
            copy[k] = bytes[b];
            const int code = enter(&r, copy, sizeof text - 1, source);
            if (code != DLAB_OK) assert_true(strncmp(r.err.text, "line ", 5) == 0);
            leave(&r);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vector_and_lines_are_the_same),
        cmocka_unit_test(values_of_both_notations),
        cmocka_unit_test(broken_edn_is_refused),
        cmocka_unit_test(broken_json_is_refused),
        cmocka_unit_test(orders_of_lines_and_times),
        cmocka_unit_test(transactions_and_independent_keys),
        cmocka_unit_test(what_goes_out_comes_in),
        cmocka_unit_test(each_allocation_fails_once),
        cmocka_unit_test(prefixes_and_changed_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
