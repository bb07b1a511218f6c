/* CRC-32C: generator 0x11edc6f41 (Castagnoli, Braeuer, Herrmann, IEEE Trans. Commun. 41(6), 1993), in the
 * convention of RFC 3720, section 12.1: bits reflected, the register all ones at the start, complemented at
 * the end. Records are short, so a table of 16 entries that stays in two cache lines will do: half a byte a
 * step. */
#include <distlab/checksum.h>

/* Entry n: the register after 4 steps from n, each x -> x / 2, xor 0x82f63b78 where the lost bit was 1. */
static const uint32_t nibbles[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t dlab_crc32c(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= at[i];
        crc = crc >> 4 ^ nibbles[crc & 15];
        crc = crc >> 4 ^ nibbles[crc & 15];
    }
    return ~crc;
}
