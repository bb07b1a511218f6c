/* Exact sums of 64-bit numbers: order does not matter and nothing is lost to rounding. */
#ifndef DISTLAB_WIDE_H
#define DISTLAB_WIDE_H
#include <stdint.h>

__extension__ typedef __int128 dlab_i128;

#endif
