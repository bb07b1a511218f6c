/* Everything a user of the C core needs: #include <distlab/distlab.h>.
 *
 * C++ (17 or later) includes this header and none of the others by itself: it brings the linkage, and the C
 * headers that must stand outside of it. Models are written in C: the macros for their fields are not C++. */
#ifndef DISTLAB_DISTLAB_H
#define DISTLAB_DISTLAB_H
#ifdef __cplusplus
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
extern "C" {
#define _Static_assert static_assert
#define _Atomic /* dlab_token: write it with __atomic_store_n */
#endif
#include <distlab/check.h>
#include <distlab/checksum.h>
#include <distlab/closed_forms.h>
#include <distlab/distribution.h>
#include <distlab/enumerate.h>
#include <distlab/error.h>
#include <distlab/field.h>
#include <distlab/histogram.h>
#include <distlab/history.h>
#include <distlab/history_text.h>
#include <distlab/memory.h>
#include <distlab/model.h>
#include <distlab/models.h>
#include <distlab/numerics.h>
#include <distlab/random.h>
#include <distlab/real.h>
#include <distlab/row.h>
#include <distlab/scheduler.h>
#include <distlab/statistics.h>
#include <distlab/study.h>
#include <distlab/sweep.h>
#include <distlab/version.h>
#ifdef __cplusplus
#undef _Atomic
#undef _Static_assert
}
#endif
#endif
