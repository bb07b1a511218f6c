/* Distributions as text and as records: what may be written, what it means, and what each mistake is told.
 * What is drawn from them: test_sampler.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <distlab/distribution.h>

static dlab_memory memory;
static dlab_buffer parts = { .row_size = sizeof(dlab_part) };
static dlab_rows table;

/* The parts read so far as a pool of one table. */
static dlab_pool pool(void)
{
    table = (dlab_rows){ parts.rows, parts.count, sizeof(dlab_part) };
    return (dlab_pool){ &table, 1 };
}

static int release(void **state)
{
    (void)state;
    dlab_buffer_free(&parts, &memory);
    assert_int_equal(memory.used, 0);
    return 0;
}

static dlab_distribution parsed(const char *text)
{
    dlab_distribution d;
    dlab_error err = { .code = DLAB_OK };
    if (dlab_distribution_parse(text, "s", &parts, &memory, &d, &err) != DLAB_OK)
        fail_msg("%s: %s", text, err.text);
    return d;
}

static const struct {
    const char *text;
    int kind;
    double p[4], shift;
} forms[] = {
    { "5ms", DLAB_DIST_CONSTANT, { 0.005 }, 0 },
    { "-5ms", DLAB_DIST_CONSTANT, { -0.005 }, 0 },
    { " constant( value = 2 ) ", DLAB_DIST_CONSTANT, { 2 }, 0 },
    { "5ms + 1ms", DLAB_DIST_CONSTANT, { 0.005 }, 0.001 },
    { "1e-3+2e-3", DLAB_DIST_CONSTANT, { 1e-3 }, 2e-3 },
    { "1s-200ms", DLAB_DIST_CONSTANT, { 1 }, -0.2 },
    { "uniform(1ms, 3ms)", DLAB_DIST_UNIFORM, { 0.001, 0.003 }, 0 },
    { "uniform(high=3ms, low=1ms)", DLAB_DIST_UNIFORM, { 0.001, 0.003 }, 0 },
    { "exponential(5ms) + 1ms", DLAB_DIST_EXPONENTIAL, { 0.005 }, 0.001 },
    { "hyperexponential(1, 1)", DLAB_DIST_HYPEREXPONENTIAL, { 0.5, 1, 1 }, 0 },
    { "hyperexponential(p=10%, mean1=1, mean2=2)", DLAB_DIST_HYPEREXPONENTIAL, { 0.1, 1, 2 }, 0 },
    { "hyperexponential(0.1, 1, 2)", DLAB_DIST_HYPEREXPONENTIAL, { 0.1, 1, 2 }, 0 },
    { "gamma(4ms, 0.5)", DLAB_DIST_GAMMA, { 2, 0.002 }, 0 },
    { "gamma(shape=2, scale=2ms)", DLAB_DIST_GAMMA, { 2, 0.002 }, 0 },
    { "erlang(3, 6ms)", DLAB_DIST_ERLANG, { 3, 0.006 }, 0 },
    { "normal(5ms, 1ms)", DLAB_DIST_NORMAL, { 0.005, 0.001, 0, INFINITY }, 0 },
    { "normal(5ms, sd=1ms, low=-inf)", DLAB_DIST_NORMAL, { 0.005, 0.001, -INFINITY, INFINITY }, 0 },
    { "normal(1, 2, 3, 4)", DLAB_DIST_NORMAL, { 1, 2, 3, 4 }, 0 },
    { "lognormal(5ms, 1.5)", DLAB_DIST_LOGNORMAL, { 0.005, 1.5 }, 0 },
    { "lognormal(5ms, p99=5ms)", DLAB_DIST_LOGNORMAL, { 0.005, 0 }, 0 },
    { "lognormal(mean=2, scv=0)", DLAB_DIST_LOGNORMAL, { 2, 0 }, 0 },
    { "lognormal(mean=2, scv=3)", DLAB_DIST_LOGNORMAL, { 1, 1.1774100225154747 }, 0 }, /* sqrt(log 4) */
    { "weibull(0.5, 5ms)", DLAB_DIST_WEIBULL, { 0.5, 0.005 }, 0 },
    { "weibull(shape=1, mean=7)", DLAB_DIST_WEIBULL, { 1, 7 }, 0 },
    { "pareto(1.5, 1ms)", DLAB_DIST_PARETO, { 1.5, 0.001, INFINITY }, 0 },
    { "pareto(1.5, 1ms, 1s)", DLAB_DIST_PARETO, { 1.5, 0.001, 1 }, 0 },
    { "bimodal(1ms, 100ms, 1%)", DLAB_DIST_BIMODAL, { 0.001, 0.1, 0.01 }, 0 },
    { "empirical(3, 10, 500)", DLAB_DIST_EMPIRICAL, { 0 }, 0 },
};

static void every_form_means_its_canonical_parameters(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const dlab_distribution d = parsed(forms[i].text);
        assert_int_equal(d.kind, forms[i].kind);
        for (int k = 0; k < 4; k++)
            if (!(d.p[k] == forms[i].p[k]) && !(fabs(d.p[k] - forms[i].p[k]) < 1e-15 * fabs(d.p[k])))
                fail_msg("%s: parameter %d is %.17g, not %.17g", forms[i].text, k, d.p[k], forms[i].p[k]);
        assert_true(d.shift == forms[i].shift);
    }
    const dlab_distribution d = parsed("empirical(table=3, first=10, count=500)");
    assert_true(d.table == 3 && d.first == 10 && d.count == 500);
}

static void derived_forms_have_the_property_they_name(void **state)
{
    (void)state;
    const dlab_pool none = { NULL, 0 };
    dlab_distribution d = parsed("lognormal(median=5ms, p99=80ms)");
    assert_true(fabs(dlab_distribution_quantile(&d, &none, 0.5) - 0.005) < 1e-17);
    assert_true(fabs(dlab_distribution_quantile(&d, &none, 0.99) - 0.08) < 1e-14);
    static const char *const texts[] = { "hyperexponential(mean=5ms, scv=7)", "gamma(mean=5ms, scv=7)",
                                         "lognormal(mean=5ms, scv=7)",
                                         "hyperexponential(mean=5ms, scv=1e6)" };
    for (size_t i = 0; i < 4; i++) {
        d = parsed(texts[i]);
        const double scv = i == 3 ? 1e6 : 7;
        assert_true(fabs(dlab_distribution_mean(&d, &none) - 0.005) < 1e-17);
        assert_true(fabs(dlab_distribution_scv(&d, &none) / scv - 1) < 1e-13);
    }
    d = parsed("hyperexponential(mean=6, scv=7)"); /* balanced: both branches carry half of the mean */
    assert_true(fabs(d.p[0] * d.p[1] - 3) < 1e-14 && fabs((1 - d.p[0]) * d.p[2] - 3) < 1e-14);
    d = parsed("weibull(shape=0.5, mean=4)"); /* Gamma(3) = 2 */
    assert_true(fabs(d.p[1] - 2) < 1e-14);
}

static void mixtures_are_rows_of_the_pool(void **state)
{
    (void)state;
    const dlab_distribution first = parsed("mixture(9: 1ms, 1: exponential(5ms) + 2ms) + 3ms");
    const dlab_distribution second = parsed("mixture(50%: empirical(0, 0, 3), 0.5: uniform(0, 1))");
    const dlab_part *const rows = (const dlab_part *)(void *)parts.rows;
    assert_true(first.kind == DLAB_DIST_MIXTURE && first.count == 2 && first.shift == 0.003);
    assert_int_equal(second.first, first.first + 2);
    assert_true(rows[first.first].weight == 9 && rows[first.first].distribution.p[0] == 0.001);
    assert_true(rows[first.first + 1].distribution.shift == 0.002);
    assert_true(rows[second.first].weight == 0.5);
    assert_int_equal(rows[second.first].distribution.kind, DLAB_DIST_EMPIRICAL);
}

static const struct {
    const char *text, *expected;
    int code;
} mistakes[] = {
    { "exponental(5ms)", "no distribution is called 'exponental'; the nearest is 'exponential'", DLAB_ENAME },
    { "zipf(1)", "no distribution is called 'zipf'; there are constant, uniform", DLAB_ENAME },
    { "nan", "no distribution is called 'nan'", DLAB_ENAME },
    { "exponential(nan)", "exponential: mean: 'nan' is not a number in s", DLAB_ETYPE },
    { "exponential(-5ms)", "exponential: mean = -0.005 is outside [0, 1e+18]", DLAB_ERANGE },
    { "exponential(inf)", "exponential: mean = inf is outside [0, 1e+18]", DLAB_ERANGE },
    { "inf", "constant: value = inf is outside", DLAB_ERANGE },
    { "exponential(5/s)", "exponential: mean: '5/s' is a rate, but a time is wanted", DLAB_ETYPE },
    { "exponential(5ms) nonsense", "'nonsense' stands where the end is expected", DLAB_ETYPE },
    { "exponential(5ms))", "')' stands where the end is expected", DLAB_ETYPE },
    { "exponential(5ms", "the text ends where ',' or ')' is expected", DLAB_ETYPE },
    { "exponential(5ms 3)", "no unit is called 'ms 3'", DLAB_ENAME },
    { "exponential 5ms", "'5ms' stands where '(' is expected", DLAB_ETYPE },
    { "exponential(mean=)", "')' stands where a value is expected", DLAB_ETYPE },
    { "exponential(,)", "',)' stands where a value is expected", DLAB_ETYPE },
    { "exponential(5ms) + ", "the text ends where a shift is expected", DLAB_ETYPE },
    { "", "the text ends where a distribution is expected", DLAB_ETYPE },
    { "5ms + 1e30", "constant: shift = 1e+30 is outside [-1e+18, 1e+18]", DLAB_ERANGE },
    { "exponential(maen=5ms)", "exponential has no parameter 'maen', the nearest is mean; it takes (mean)",
      DLAB_ENAME },
    { "exponential(rate=5)", "exponential has no parameter 'rate'; it takes (mean)", DLAB_ENAME },
    { "exponential(mean=1, mean=2)", "exponential is given mean twice", DLAB_EINVAL },
    { "exponential(1, 2)", "exponential takes (mean); the 2 parameters given do not fit", DLAB_EINVAL },
    { "exponential()", "exponential takes (mean); the 0 parameters given do not fit", DLAB_EINVAL },
    { "normal(1)", "normal takes (mean, sd, [low], [high]); the 1 parameter given does not fit",
      DLAB_EINVAL },
    { "normal(mean=1, 2)", "normal: a value without a name follows mean", DLAB_EINVAL },
    { "lognormal(median=1, scv=2)", "lognormal takes (median, sigma) or (median, p99) or (mean, scv)",
      DLAB_EINVAL },
    { "uniform(1,1,1,1,1,1,1,1,1)", "more than 8 parameters", DLAB_ELIMIT },
    { "uniform(3ms, 1ms)", "uniform: low = 0.003 is above high = 0.001", DLAB_EINVAL },
    { "hyperexponential(1, 0.5)", "hyperexponential: scv = 0.5 is outside [1, 1e+06]", DLAB_ERANGE },
    { "hyperexponential(2, 1, 1)", "hyperexponential: p = 2 is outside [0, 1]", DLAB_ERANGE },
    { "gamma(1, 0)", "gamma: scv = 0 is outside [1e-09, 1000]", DLAB_ERANGE },
    { "gamma(shape=0, scale=1)", "gamma: shape = 0 is outside [0.001, 1e+09]", DLAB_ERANGE },
    { "erlang(2.5, 1)", "erlang: k = 2.5 is not whole", DLAB_ERANGE },
    { "erlang(0, 1)", "erlang: k = 0 is outside [1, 1e+06]", DLAB_ERANGE },
    { "normal(1, 0)", "normal: sd = 0 is outside [1e-18, 1e+18]", DLAB_ERANGE },
    { "normal(1, 1, 5, 4)", "normal: low = 5 is not below high = 4", DLAB_EINVAL },
    { "normal(1, 1, 50)", "normal: 50..inf lies more than 30 standard deviations (sd = 1) from mean = 1",
      DLAB_EINVAL },
    { "lognormal(1, -1)", "lognormal: sigma = -1 is outside [0, 15]", DLAB_ERANGE },
    { "lognormal(5ms, p99=1ms)", "lognormal: p99 = 0.001 is outside [0.005, 1e+18]", DLAB_ERANGE },
    { "lognormal(0, p99=1ms)", "lognormal: median = 0 is outside [1e-18, 1e+18]", DLAB_ERANGE },
    { "lognormal(mean=1, scv=-1)", "lognormal: scv = -1 is outside [0, 1e+09]", DLAB_ERANGE },
    { "lognormal(5ms, 80ms)", "lognormal: sigma: '80ms' is a time, but a number without unit", DLAB_ETYPE },
    { "weibull(0, mean=1)", "weibull: shape = 0 is outside [0.02, 1000]", DLAB_ERANGE },
    { "weibull(2, -1)", "weibull: scale = -1 is outside [0, 1e+18]", DLAB_ERANGE },
    { "pareto(0, 1)", "pareto: alpha = 0 is outside [0.01, 10000]", DLAB_ERANGE },
    { "pareto(1, 0)", "pareto: low = 0 is outside [1e-18, 1e+18]", DLAB_ERANGE },
    { "pareto(1, 2, 2)", "pareto: low = 2 is not below high = 2", DLAB_EINVAL },
    { "pareto(1, 2, 1e300)", "pareto: high = 1e+300 is neither at most 1e+18 nor inf", DLAB_ERANGE },
    { "bimodal(1, 2, 1.5)", "bimodal: p = 1.5 is outside [0, 1]", DLAB_ERANGE },
    { "empirical(0, 0.5, 3)", "empirical: first = 0.5 is not a number of rows", DLAB_ERANGE },
    { "empirical(0, 0, 1e10)", "empirical: count = 1e+10 is not a number of rows", DLAB_ERANGE },
    { "mixture()", "')' stands where a weight is expected", DLAB_ETYPE },
    { "mixture(0.5 exponential(1))", "mixture: weight: '0.5 exponential'", DLAB_ENAME },
    { "mixture(0.5, 1)", "', 1)' stands where ':' between a weight and its distribution is expected",
      DLAB_ETYPE },
    { "mixture(0: 1ms)", "mixture: weight = 0 is outside (0, 1e18]", DLAB_ERANGE },
    { "mixture(1: mixture(1: 1ms))", "a part is a mixture itself; write its parts out", DLAB_EINVAL },
    { "mixture(1: expnential(1))", "the nearest is 'exponential'", DLAB_ENAME },
    { "mixture(1: exponential(1), 2: uniform(2, 1))", "uniform: low = 2 is above high = 1", DLAB_EINVAL },
    { "mixture(1: exponential(1)", "the text ends where ',' or ')' is expected", DLAB_ETYPE },
};

static void mistakes_in_the_text_name_what_was_meant(void **state)
{
    (void)state;
    const size_t before = parts.count;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        dlab_distribution d, untouched;
        memset(&d, 0x5a, sizeof d);
        memset(&untouched, 0x5a, sizeof d);
        dlab_error err = { .code = DLAB_OK };
        const int code = dlab_distribution_parse(mistakes[i].text, "s", &parts, &memory, &d, &err);
        if (strstr(err.text, mistakes[i].expected) == NULL || code != mistakes[i].code || err.code != code)
            fail_msg("%s gives %d '%s', not '%s'", mistakes[i].text, code, err.text, mistakes[i].expected);
        assert_memory_equal(&d, &untouched, sizeof d);
        assert_int_equal(parts.count, before);
    }
}

static void texts_have_limits(void **state)
{
    (void)state;
    static char text[20000];
    dlab_distribution d;
    dlab_error err = { .code = DLAB_OK };
    for (int n = 64; n <= 65; n++) {
        size_t used = (size_t)snprintf(text, sizeof text, "mixture(");
        for (int i = 0; i < n; i++)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s1: %dms", i > 0 ? ", " : "", i);
        snprintf(text + used, sizeof text - used, ")");
        const int code = dlab_distribution_parse(text, "s", &parts, &memory, &d, &err);
        assert_int_equal(code, n == 64 ? DLAB_OK : DLAB_ELIMIT);
    }
    assert_string_equal(err.text, "mixture: more than 64 parts");
    memset(text, ' ', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    err.code = DLAB_OK;
    assert_int_equal(dlab_distribution_parse(text, "s", &parts, &memory, &d, &err), DLAB_ELIMIT);
    memset(text, 'x', 200);
    text[200] = '\0';
    err.code = DLAB_OK;
    assert_int_equal(dlab_distribution_parse(text, "s", &parts, &memory, &d, &err), DLAB_ENAME);
    memcpy(text, "gamma(", 6);
    text[198] = '=', text[199] = '1';
    err.code = DLAB_OK;
    assert_int_equal(dlab_distribution_parse(text, "s", &parts, &memory, &d, &err), DLAB_ETYPE);
    memset(text, '1', 200);
    err.code = DLAB_OK;
    assert_int_equal(dlab_distribution_parse(text, "s", &parts, &memory, &d, &err), DLAB_ETYPE);
    assert_int_equal(dlab_distribution_parse("mixture(1: 1)", "s", NULL, &memory, &d, NULL), DLAB_EINVAL);
}

static void the_written_form_reads_back_to_the_same_record(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0.1",
        "uniform(0.1, 0.3) - 0.7",
        "exponential(3ms) + 1us",
        "hyperexponential(1.1, 3.3)",
        "gamma(0.3, 0.7)",
        "erlang(4, 0.3)",
        "normal(0.1, 0.2)",
        "normal(1, 2, -inf, 7)",
        "lognormal(median=5ms, p99=80ms)",
        "weibull(shape=0.7, mean=0.3)",
        "pareto(1.1, 0.3)",
        "pareto(1.1, 0.3, 1e7)",
        "bimodal(0.1, 0.3, 1ppm)",
        "empirical(1, 2, 3) + 0.1",
        "mixture(0.9: exponential(5ms) + 1ms, 0.1: lognormal(median=80ms, sigma=1))",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char once[400], twice[400];
        const dlab_distribution d = parsed(texts[i]);
        dlab_pool tables = pool();
        const int length = dlab_distribution_format(&d, &tables, once, sizeof once);
        assert_int_equal(length, strlen(once));
        dlab_distribution again = parsed(once);
        tables = pool();
        dlab_distribution_format(&again, &tables, twice, sizeof twice);
        assert_string_equal(once, twice);
        if (d.kind == DLAB_DIST_MIXTURE) again.first = d.first; /* the parts were pushed once more */
        assert_memory_equal(&d, &again, sizeof d);
    }
    char text[100];
    const dlab_distribution d = parsed("lognormal(5ms, 1) + 1ms");
    dlab_distribution_format(&d, NULL, text, sizeof text);
    assert_string_equal(text, "lognormal(median=0.005, sigma=1) + 0.001");
}

static void a_text_that_does_not_fit_is_cut_and_its_length_told(void **state)
{
    (void)state;
    const dlab_distribution d = parsed("uniform(1, 2)"), off = { .kind = -1 };
    char text[12] = "???????????";
    assert_int_equal(dlab_distribution_format(&d, NULL, text, 8), strlen("uniform(low=1, high=2)"));
    assert_memory_equal(text, "uniform\0???", 12);
    assert_int_equal(dlab_distribution_format(&d, NULL, NULL, 0), strlen("uniform(low=1, high=2)"));
    dlab_distribution_format(&off, NULL, text, sizeof text);
    assert_string_equal(text, "None");
}

static void checks_name_the_field_and_its_range(void **state)
{
    (void)state;
    const double samples[] = { 1, 2, 3 }, unsorted[] = { 3, 2, 1 }, broken[] = { 1, NAN };
    dlab_part rows[3] = { { 1, parsed("exponential(1)") },
                          { 2, parsed("empirical(1, 0, 3)") },
                          { -1, parsed("5") } };
    const dlab_rows tables[] = {
        { rows, 3, sizeof(dlab_part) }, { samples, 3, 8 }, { unsorted, 3, 8 }, { broken, 2, 8 }
    };
    const dlab_pool all = { tables, 4 };
    const dlab_distribution off = { .kind = -1 }, unknown = { .kind = 99 };
    const dlab_distribution nan_mean = { .kind = DLAB_DIST_EXPONENTIAL, .p = { NAN } };
    const dlab_distribution mixture = { .kind = DLAB_DIST_MIXTURE, .count = 2 };
    dlab_distribution crooked = mixture, crowded = mixture, beyond = mixture, nested = mixture;
    crooked.first = 1;
    crowded.count = 65;
    beyond.first = UINT32_MAX;
    const struct {
        dlab_distribution d;
        double low, min, max;
        const char *expected;
    } cases[] = {
        { off, 0, 0, 1, "" },
        { parsed("exponential(1)"), 0, 0, 1, "" },
        { parsed("pareto(0.5, 1)"), 0, NAN, NAN, "" },
        { parsed("empirical(1, 0, 3)"), 1, 2, 2, "" },
        { mixture, 0, 1, 2, "" },
        { unknown, 0, 0, 1, "x: distribution kind 99 is outside [0, 12]" },
        { nan_mean, 0, 0, 1, "x: exponential: mean = nan is outside [0, 1e+18]" },
        { parsed("exponential(2)"), 0, 0, 1, "x: mean of exponential = 2 is outside [0, 1]" },
        { parsed("pareto(0.5, 1)"), 0, 0, 1, "x: mean of pareto = inf is outside [0, 1]" },
        { parsed("uniform(-1, 5)"), 0, NAN, NAN, "x: uniform reaches down to -1, below 0" },
        { parsed("exponential(1) - 3"), 0, NAN, NAN, "x: exponential reaches down to -3, below 0" },
        { parsed("normal(1, 1, low=-inf)"), 0, NAN, NAN, "x: normal reaches down to -inf, below 0" },
        { parsed("bimodal(-1, 1, 0.5)"), 0, NAN, NAN, "x: bimodal reaches down to -1, below 0" },
        { parsed("empirical(1, 1, 3)"), 0, 0, 9,
          "x: empirical: there are no 3 samples from row 1 of table 1 on" },
        { parsed("empirical(7, 0, 3)"), 0, 0, 9,
          "x: empirical: there are no 3 samples from row 0 of table 7" },
        { parsed("empirical(0, 0, 1)"), 0, 0, 9,
          "x: empirical: there are no 1 samples from row 0 of table 0" },
        { parsed("empirical(1, 0, 0)"), 0, 0, 9, "x: empirical: there are no 0 samples" },
        { parsed("empirical(2, 0, 3)"), 0, 0, 9, "x: empirical: samples 3..1 are not sorted" },
        { parsed("empirical(3, 0, 2)"), 0, 0, 9, "x: empirical: samples 1..nan are not sorted" },
        { crooked, 0, 0, 9, "x: mixture: weight = -1 is outside (0, 1e+18]" },
        { crowded, 0, 0, 9, "x: mixture: 65 parts are more than 64" },
        { beyond, 0, 0, 9, "x: mixture: there are no 2 parts from row 4294967295 of table 0 on" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dlab_error err = { .code = DLAB_OK };
        const int code =
            dlab_distribution_check(&cases[i].d, &all, "x", cases[i].low, cases[i].min, cases[i].max, &err);
        if (strncmp(err.text, cases[i].expected, strlen(cases[i].expected)) != 0 || code != err.code ||
            (code == DLAB_OK) != (cases[i].expected[0] == '\0'))
            fail_msg("case %zu gives '%s', not '%s'", i, err.text, cases[i].expected);
    }
    rows[0].distribution = mixture;
    dlab_error err = { .code = DLAB_OK };
    assert_int_equal(dlab_distribution_check(&nested, &all, "x", 0, 0, 9, &err), DLAB_EINVAL);
    char text[200];
    dlab_distribution_format(&nested, &all, text, sizeof text); /* nothing goes round in circles */
    assert_string_equal(text, "mixture()");
    assert_true(isnan(dlab_distribution_cdf(&nested, &all, 1)) &&
                isnan(dlab_distribution_mean(&nested, &all)));
    assert_true(isnan(dlab_distribution_quantile(&nested, &all, 0.5)));
}

static void every_request_for_memory_fails_once(void **state)
{
    (void)state;
    uint64_t n = 1;
    for (;; n++) {
        dlab_memory own = { .fail_at = n };
        dlab_buffer rows = { .row_size = sizeof(dlab_part) };
        dlab_distribution d;
        dlab_error err = { .code = DLAB_OK };
        char text[600] = "mixture(1: 1ms";
        for (int i = 0; i < 30; i++) strcat(text, ", 2: 3ms");
        const int code = dlab_distribution_parse(strcat(text, ")"), "s", &rows, &own, &d, &err);
        if (code != DLAB_OK) assert_true(code == DLAB_ENOMEM && rows.count == 0);
        dlab_buffer_free(&rows, &own);
        assert_int_equal(own.used, 0);
        if (code == DLAB_OK) break;
    }
    assert_true(n > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_means_its_canonical_parameters),
        cmocka_unit_test(derived_forms_have_the_property_they_name),
        cmocka_unit_test(mixtures_are_rows_of_the_pool),
        cmocka_unit_test(mistakes_in_the_text_name_what_was_meant),
        cmocka_unit_test(texts_have_limits),
        cmocka_unit_test(the_written_form_reads_back_to_the_same_record),
        cmocka_unit_test(a_text_that_does_not_fit_is_cut_and_its_length_told),
        cmocka_unit_test(checks_name_the_field_and_its_range),
        cmocka_unit_test(every_request_for_memory_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
