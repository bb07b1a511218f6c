/* CRC-32C against published values, against long division one bit at a time, and against what it promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <distlab/checksum.h>
#include <distlab/random.h>

/* RFC 3720, appendix B.4 (printed there byte by byte, the lowest first), and the check value of the
 * catalogues of CRCs for "123456789". */
static void published_values(void **state)
{
    static const unsigned char read_command[48] = {
        [0] = 0x01, [1] = 0xc0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02
    };
    unsigned char zeros[32] = { 0 }, ones[32], up[32], down[32];
    (void)state;
    for (unsigned i = 0; i < 32; i++) {
        ones[i] = 0xff;
        up[i] = (unsigned char)i;
        down[i] = (unsigned char)(31 - i);
    }
    assert_true(dlab_crc32c("123456789", 9) == 0xe3069283);
    assert_true(dlab_crc32c(zeros, 32) == 0x8a9136aa);
    assert_true(dlab_crc32c(ones, 32) == 0x62a8ab43);
    assert_true(dlab_crc32c(up, 32) == 0x46dd794e);
    assert_true(dlab_crc32c(down, 32) == 0x113fdb5c);
    assert_true(dlab_crc32c(read_command, 48) == 0xd9963a56);
    assert_true(dlab_crc32c("", 0) == 0);
}

/* Division by the generator x^32 + ..., bit by bit. */
static uint32_t division(const unsigned char *bytes, size_t size)
{
    uint32_t rest = UINT32_MAX;
    for (size_t bit = 0; bit < 8 * size; bit++) {
        const unsigned in = bytes[bit / 8] >> bit % 8 & 1u;
        rest = (rest & 1u) != in ? rest >> 1 ^ 0x82f63b78u : rest >> 1;
    }
    return ~rest;
}

static void long_division_agrees(void **state)
{
    (void)state;
    dlab_rng rng;
    dlab_rng_open(&rng, 1, DLAB_PURPOSE_SAMPLE, 0);
    for (size_t size = 0; size < 300; size++) {
        unsigned char bytes[300];
        for (size_t i = 0; i < size; i++) bytes[i] = (unsigned char)dlab_rng_u64(&rng);
        assert_true(dlab_crc32c(bytes, size) == division(bytes, size));
    }
}

static void every_short_burst_is_found(void **state)
{
    (void)state;
    dlab_rng rng;
    dlab_rng_open(&rng, 2, DLAB_PURPOSE_SAMPLE, 0);
    unsigned char bytes[64];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)dlab_rng_u64(&rng);
    const uint32_t good = dlab_crc32c(bytes, sizeof bytes);
    for (int i = 0; i < 20000; i++) {
        unsigned char wrong[64];
        const uint32_t burst = (uint32_t)dlab_rng_u64(&rng) | 1u;
        const size_t start = (size_t)dlab_rng_below(&rng, 8 * sizeof bytes - 31);
        for (size_t k = 0; k < sizeof bytes; k++) wrong[k] = bytes[k];
        for (size_t k = 0; k < 32; k++)
            if ((burst >> k & 1u) != 0) wrong[(start + k) / 8] ^= (unsigned char)(1u << (start + k) % 8);
        assert_true(dlab_crc32c(wrong, sizeof wrong) != good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_values),
        cmocka_unit_test(long_division_agrees),
        cmocka_unit_test(every_short_burst_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
