/* Results that come back from Python: arrays of metrics with their buckets, and groups of their rows.
 *
 * They may have been saved, sliced, edited or made up, and NumPy lets another thread write to them. So each
 * row is copied first, and the copy must satisfy what the histogram code relies on. */
#include "binding/binding.h"

#include <string.h>

int dlab_py_metrics_open(dlab_py_metrics *metrics, PyObject *module, const char *model, PyObject *rows,
                         PyObject *buckets)
{
    *metrics = (dlab_py_metrics){ .state = dlab_py_state_of(module) };
    metrics->card = dlab_py_card_of(metrics->state, model);
    if (metrics->card == NULL) return -1;
    metrics->rows = dlab_py_structs(rows, metrics->card->metrics_dtype, "metrics");
    if (metrics->rows == NULL) return -1;
    metrics->buckets = dlab_py_vector(buckets, NPY_UINT64, "buckets");
    if (metrics->buckets == NULL) Py_CLEAR(metrics->rows);
    return metrics->buckets == NULL ? -1 : 0;
}

void dlab_py_metrics_close(dlab_py_metrics *metrics)
{
    Py_CLEAR(metrics->rows);
    Py_CLEAR(metrics->buckets);
}

const uint64_t *dlab_py_metrics_buckets(const dlab_py_metrics *metrics)
{
    return (const uint64_t *)PyArray_DATA(metrics->buckets);
}

/* Does the packed histogram lie inside the buckets, and do its header and its cells agree? Results of several
 * sweeps put together without their buckets are found here. */
static bool histogram_is_good(const dlab_histogram *h, const uint64_t *buckets, uint64_t cells)
{
    if (h->count == 0) return h->used == 0;
    if (h->count < 0 || h->min > h->max || h->used == 0) return false;
    if (h->first != dlab_histogram_index(h->min)) return false;
    if (h->used - 1 != dlab_histogram_index(h->max) - h->first) return false;
    if (h->cells.at > cells || h->used > cells - h->cells.at) return false;
    uint64_t count = 0;
    for (uint32_t i = 0; i < h->used; i++) count += buckets[h->cells.at + i];
    return count == (uint64_t)h->count;
}

int dlab_py_metrics_load(const dlab_py_metrics *metrics, size_t row, void *to, dlab_error *err)
{
    const dlab_layout *layout = &metrics->card->metrics;
    const size_t size = metrics->card->model->metrics_size;
    const uint64_t cells = (uint64_t)PyArray_SIZE(metrics->buckets);
    memcpy(to, (const char *)PyArray_DATA(metrics->rows) + row * size, size);
    for (int i = 0; i < layout->count; i++) {
        const dlab_field *field = &layout->fields[i];
        char *at = (char *)to + field->offset;
        if (field->type == DLAB_BOOL) *at = *at != 0; /* any other byte is no bool to C */
        if (field->type != DLAB_HISTOGRAM) continue;
        dlab_histogram h;
        memcpy(&h, at, sizeof h);
        if (!histogram_is_good(&h, dlab_py_metrics_buckets(metrics), cells))
            return dlab_fail(err, DLAB_ERANGE,
                             "metrics[%zu].%s does not belong to these buckets (%llu of them)", row,
                             field->name, (unsigned long long)cells);
    }
    return DLAB_OK;
}

static int groups_check(dlab_py_groups *groups, size_t rows)
{
    const int64_t entries = PyArray_SIZE(groups->held_index);
    for (int64_t i = 0; i < entries; i++) {
        if (groups->index[i] >= 0 && (uint64_t)groups->index[i] < rows) continue;
        PyErr_Format(PyExc_ValueError, "index[%lld] = %lld is outside [0, %lld]", (long long)i,
                     (long long)groups->index[i], (long long)rows - 1);
        return -1;
    }
    for (size_t g = 0; g <= groups->count; g++) {
        const int64_t least = g == 0 ? 0 : groups->offsets[g - 1];
        if (groups->offsets[g] < least || groups->offsets[g] > entries) {
            PyErr_Format(PyExc_ValueError, "offsets[%zu] = %lld is outside [%lld, %lld]", g,
                         (long long)groups->offsets[g], (long long)least, (long long)entries);
            return -1;
        }
        const size_t length = g == 0 ? 0 : (size_t)(groups->offsets[g] - least);
        if (length > groups->longest) groups->longest = length;
    }
    return 0;
}

int dlab_py_groups_open(dlab_py_groups *groups, PyObject *index, PyObject *offsets, size_t rows)
{
    *groups = (dlab_py_groups){ .held_index = dlab_py_copied(index, NPY_INT64, "index") };
    if (groups->held_index == NULL) return -1;
    groups->held_offsets = dlab_py_copied(offsets, NPY_INT64, "offsets");
    if (groups->held_offsets == NULL) goto failed;
    if (PyArray_SIZE(groups->held_offsets) < 1) {
        PyErr_SetString(PyExc_ValueError, "offsets must have one entry more than there are groups");
        goto failed;
    }
    groups->index = (const int64_t *)PyArray_DATA(groups->held_index);
    groups->offsets = (const int64_t *)PyArray_DATA(groups->held_offsets);
    groups->count = (size_t)PyArray_SIZE(groups->held_offsets) - 1;
    if (groups_check(groups, rows) == 0) return 0;
failed:
    dlab_py_groups_close(groups);
    return -1;
}

void dlab_py_groups_close(dlab_py_groups *groups)
{
    Py_CLEAR(groups->held_index);
    Py_CLEAR(groups->held_offsets);
}
