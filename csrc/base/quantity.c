/* Numbers with units: "10ms", "2k/s", "64KiB", "5%", "inf".
 *
 * A suffix belongs to a dimension; a bare number is in the unit of the field. A suffix of another
 * dimension is an error and never a guess: "5m" for a time could mean minutes or milli, so it means
 * nothing. The number itself is decimal (no hexadecimal, no NaN) and read the same in every locale. */
#include <distlab/distribution.h>

#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 64, SUFFIX_MAX = 16 };

typedef enum dimension { TIME, RATE, SIZE, SPEED, PARTS_PER_MILLION, PLAIN, DIMENSIONS } dimension;

/* unit of the field, what a value of it is called, what may be written */
static const struct {
    const char *unit, *name, *suffixes;
} dimensions[DIMENSIONS] = {
    [TIME] = { "s", "a time", "ns, us, ms, s, min, h, d" },
    [RATE] = { "1/s", "a rate", "/s, k/s, M/s, G/s, /ms, /min, /h, /d, Hz, kHz, MHz" },
    [SIZE] = { "byte", "a number of bytes", "B, kB, MB, GB, TB, KiB, MiB, GiB, TiB" },
    [SPEED] = { "byte/s", "a speed in bytes", "B/s, kB/s, MB/s, GB/s, KiB/s, MiB/s, GiB/s, Gbit/s" },
    [PARTS_PER_MILLION] = { "ppm", "a share in ppm", "ppm, %" },
    [PLAIN] = { NULL, "a number without unit", "%, ppm, k, M, G" },
};

/* Exact powers of ten that divide are written with division, so that 5ms is the double nearest to 0.005. */
typedef struct suffix {
    const char *text;
    dimension of;
    double times, by;
} suffix;

static const suffix suffixes[] = {
    { "ns", TIME, 1, 1e9 },
    { "us", TIME, 1, 1e6 },
    { "\xc2\xb5s", TIME, 1, 1e6 },
    { "\xce\xbcs", TIME, 1, 1e6 },
    { "ms", TIME, 1, 1e3 },
    { "s", TIME, 1, 1 },
    { "min", TIME, 60, 1 },
    { "h", TIME, 3600, 1 },
    { "d", TIME, 86400, 1 },
    { "/s", RATE, 1, 1 },
    { "k/s", RATE, 1e3, 1 },
    { "M/s", RATE, 1e6, 1 },
    { "G/s", RATE, 1e9, 1 },
    { "/us", RATE, 1e6, 1 },
    { "/ms", RATE, 1e3, 1 },
    { "/min", RATE, 1, 60 },
    { "/h", RATE, 1, 3600 },
    { "/d", RATE, 1, 86400 },
    { "Hz", RATE, 1, 1 },
    { "kHz", RATE, 1e3, 1 },
    { "MHz", RATE, 1e6, 1 },
    { "GHz", RATE, 1e9, 1 },
    { "B", SIZE, 1, 1 },
    { "byte", SIZE, 1, 1 },
    { "bytes", SIZE, 1, 1 },
    { "kB", SIZE, 1e3, 1 },
    { "MB", SIZE, 1e6, 1 },
    { "GB", SIZE, 1e9, 1 },
    { "TB", SIZE, 1e12, 1 },
    { "KiB", SIZE, 0x1p10, 1 },
    { "MiB", SIZE, 0x1p20, 1 },
    { "GiB", SIZE, 0x1p30, 1 },
    { "TiB", SIZE, 0x1p40, 1 },
    { "B/s", SPEED, 1, 1 },
    { "byte/s", SPEED, 1, 1 },
    { "kB/s", SPEED, 1e3, 1 },
    { "MB/s", SPEED, 1e6, 1 },
    { "GB/s", SPEED, 1e9, 1 },
    { "KiB/s", SPEED, 0x1p10, 1 },
    { "MiB/s", SPEED, 0x1p20, 1 },
    { "GiB/s", SPEED, 0x1p30, 1 },
    { "kbit/s", SPEED, 1e3, 8 },
    { "Mbit/s", SPEED, 1e6, 8 },
    { "Gbit/s", SPEED, 1e9, 8 },
    { "ppm", PARTS_PER_MILLION, 1, 1 },
    { "%", PARTS_PER_MILLION, 1e4, 1 },
    { "%", PLAIN, 1, 100 },
    { "ppm", PLAIN, 1, 1e6 },
    { "k", PLAIN, 1e3, 1 },
    { "M", PLAIN, 1e6, 1 },
    { "G", PLAIN, 1e9, 1 },
};

static dimension dimension_of(const char *unit)
{
    for (int i = 0; unit != NULL && i < PLAIN; i++)
        if (strcmp(unit, dimensions[i].unit) == 0) return (dimension)i;
    return PLAIN;
}

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static size_t digits(const char *text)
{
    size_t n = 0;
    while (text[n] >= '0' && text[n] <= '9') n++;
    return n;
}

/* Length of the number a text begins with: sign, digits with a point, exponent; or [sign] inf. */
static size_t number_length(const char *text)
{
    const size_t sign = *text == '-' || *text == '+';
    if (strncmp(text + sign, "inf", 3) == 0) return sign + 3;
    size_t n = sign + digits(text + sign), mantissa = n - sign;
    if (text[n] == '.') {
        const size_t fraction = digits(text + n + 1);
        mantissa += fraction;
        n += 1 + fraction;
    }
    if (mantissa == 0) return 0;
    if (text[n] != 'e' && text[n] != 'E') return n;
    const size_t exponent_sign = text[n + 1] == '-' || text[n + 1] == '+';
    const size_t exponent = digits(text + n + 1 + exponent_sign);
    return exponent == 0 ? n : n + 1 + exponent_sign + exponent;
}

static bool read_number(const char *text, size_t length, double *out)
{
    char copy[NUMBER_MAX + 1];
    if (length == 0 || length > NUMBER_MAX) return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    char *const point = strchr(copy, '.'), *end = NULL;
    if (point != NULL) *point = localeconv()->decimal_point[0];
    *out = strtod(copy, &end);
    return end == copy + length;
}

static int wrong_suffix(const char *whole, const char *text, dimension wanted, dlab_error *err)
{
    const char *names[sizeof suffixes / sizeof suffixes[0]];
    const suffix *other = NULL;
    int n = 0;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        if (suffixes[i].of == wanted) names[n++] = suffixes[i].text;
        if (strcmp(suffixes[i].text, text) == 0) other = &suffixes[i];
    }
    const char *const expected = dimensions[wanted].name, *const list = dimensions[wanted].suffixes;
    if (other != NULL)
        return dlab_fail(err, DLAB_ETYPE, "'%.40s' is %s, but %s is wanted (%s)", whole,
                         dimensions[other->of].name, expected, list);
    const char *const nearest = dlab_nearest_name(text, names, n), *const hint = "; the nearest is ";
    return dlab_fail(err, DLAB_ENAME, "'%.40s': no unit is called '%.16s' for %s (%s)%s%s", whole, text,
                     expected, list, nearest != NULL ? hint : "", nearest != NULL ? nearest : "");
}

int dlab_quantity_parse(const char *text, const char *unit, double *out, dlab_error *err)
{
    while (is_space(*text)) text++;
    const size_t length = number_length(text);
    double number;
    if (!read_number(text, length, &number))
        return dlab_fail(err, DLAB_ETYPE, "'%.40s' is not a number%s%s", text, unit != NULL ? " in " : "",
                         unit != NULL ? unit : "");
    if (isinf(number) && text[length - 1] != 'f')
        return dlab_fail(err, DLAB_ERANGE, "'%.40s' is too large for a double", text);
    const char *rest = text + length;
    while (is_space(*rest)) rest++;
    size_t n = strlen(rest);
    while (n > 0 && is_space(rest[n - 1])) n--;
    if (n == 0) {
        *out = number;
        return DLAB_OK;
    }
    char name[SUFFIX_MAX + 1] = "";
    memcpy(name, rest, n <= SUFFIX_MAX ? n : SUFFIX_MAX);
    const dimension wanted = dimension_of(unit);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        if (suffixes[i].of != wanted || n > SUFFIX_MAX || strcmp(suffixes[i].text, name) != 0) continue;
        *out = number * suffixes[i].times / suffixes[i].by;
        return DLAB_OK;
    }
    return wrong_suffix(text, name, wanted, err);
}
