/* Numbers with units: what each suffix is worth, and what a wrong one is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include <distlab/distribution.h>

static void quantities_carry_units_of_the_field(void **state)
{
    (void)state;
    static const struct {
        const char *text, *unit;
        double value;
    } rows[] = {
        { "5ms", "s", 0.005 },
        { "5 ms ", "s", 0.005 },
        { "250us", "s", 250e-6 },
        { "3\xc2\xb5s", "s", 3e-6 },
        { "7ns", "s", 7e-9 },
        { "1.5s", "s", 1.5 },
        { "2min", "s", 120 },
        { "1h", "s", 3600 },
        { ".5d", "s", 43200 },
        { "-1e-3", "s", -1e-3 },
        { "+2.", "s", 2 },
        { "1e3ms", "s", 1 },
        { "2k/s", "1/s", 2000 },
        { "3M/s", "1/s", 3e6 },
        { "6/min", "1/s", 0.1 },
        { "36/h", "1/s", 0.01 },
        { "10/s", "1/s", 10 },
        { "1kHz", "1/s", 1000 },
        { "64KiB", "byte", 65536 },
        { "1MB", "byte", 1e6 },
        { "2GiB", "byte", 2147483648.0 },
        { "100B", "byte", 100 },
        { "8Gbit/s", "byte/s", 1e9 },
        { "1MiB/s", "byte/s", 1048576 },
        { "50ppm", "ppm", 50 },
        { "1%", "ppm", 10000 },
        { "50ppm", NULL, 50e-6 },
        { "5%", NULL, 0.05 },
        { "2k", NULL, 2000 },
        { "3M", NULL, 3e6 },
        { "1.5G", NULL, 1.5e9 },
        { "inf", "s", INFINITY },
        { "-inf", "s", -INFINITY },
        { "0.1", NULL, 0.1 },
        { "0.3ms", "s", 0.3e-3 },
        { "12", "events", 12 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double value = NAN;
        dlab_error err = { .code = DLAB_OK };
        if (dlab_quantity_parse(rows[i].text, rows[i].unit, &value, &err) != DLAB_OK)
            fail_msg("%s", err.text);
        if (value != rows[i].value) fail_msg("%s is %.17g, not %.17g", rows[i].text, value, rows[i].value);
    }
}

static void wrong_quantities_are_told_what_is_wanted(void **state)
{
    (void)state;
    static const struct {
        const char *text, *unit;
        int code;
        const char *expected;
    } rows[] = {
        { "5ms", "1/s", DLAB_ETYPE, "'5ms' is a time, but a rate is wanted (/s, k/s" },
        { "2k/s", "s", DLAB_ETYPE, "'2k/s' is a rate, but a time is wanted (ns, us, ms, s, min, h, d)" },
        { "5ms", NULL, DLAB_ETYPE, "'5ms' is a time, but a number without unit is wanted" },
        { "5k", "s", DLAB_ETYPE, "'5k' is a number without unit, but a time is wanted" },
        { "1MB", "byte/s", DLAB_ETYPE, "'1MB' is a number of bytes, but a speed in bytes is wanted" },
        { "5mins", "s", DLAB_ENAME, "no unit is called 'mins' for a time" },
        { "5mins", "s", DLAB_ENAME, "; the nearest is min" },
        { "5furlongs", "s", DLAB_ENAME,
          "no unit is called 'furlongs' for a time (ns, us, ms, s, min, h, d)" },
        { "5averyveryverylongunit", "s", DLAB_ENAME, "no unit is called 'averyveryverylon'" },
        { "", "s", DLAB_ETYPE, "'' is not a number in s" },
        { "ms", "s", DLAB_ETYPE, "'ms' is not a number in s" },
        { "nan", "s", DLAB_ETYPE, "'nan' is not a number in s" },
        { "0x10", "s", DLAB_ENAME, "no unit is called 'x10'" },
        { "-", NULL, DLAB_ETYPE, "'-' is not a number" },
        { ".", NULL, DLAB_ETYPE, "'.' is not a number" },
        { "1e999min", "s", DLAB_ERANGE, "'1e999min' is too large for a double" },
        { "1.2.3", "s", DLAB_ENAME, "'1.2.3': no unit is called '.3'" },
        { "5 ms 3", "s", DLAB_ENAME, "no unit is called 'ms 3'" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double value = 42;
        dlab_error err = { .code = DLAB_OK };
        assert_int_equal(dlab_quantity_parse(rows[i].text, rows[i].unit, &value, &err), rows[i].code);
        assert_int_equal(err.code, rows[i].code);
        if (strstr(err.text, rows[i].expected) == NULL)
            fail_msg("%s gives '%s', not '%s'", rows[i].text, err.text, rows[i].expected);
        assert_true(value == 42);
    }
    double value = 42;
    assert_int_equal(
        dlab_quantity_parse("1000000000000000000000000000000000000000000000000000000000000000001", NULL,
                            &value, NULL),
        DLAB_ETYPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantities_carry_units_of_the_field),
        cmocka_unit_test(wrong_quantities_are_told_what_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
