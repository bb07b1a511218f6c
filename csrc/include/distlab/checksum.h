/* A checksum for records on disk: what a core writes beside its bytes to notice those that rotted, were torn
 * or landed elsewhere. */
#ifndef DISTLAB_CHECKSUM_H
#define DISTLAB_CHECKSUM_H
#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli, as iSCSI uses it): finds every burst of errors of up to 32 bits. */
uint32_t dlab_crc32c(const void *bytes, size_t size);

#endif
