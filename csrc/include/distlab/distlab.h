/* Everything a user of the C core needs: #include <distlab/distlab.h>. */
#ifndef DISTLAB_DISTLAB_H
#define DISTLAB_DISTLAB_H
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
#include <distlab/scheduler.h>
#include <distlab/statistics.h>
#include <distlab/sweep.h>
#include <distlab/version.h>
#endif
