/* Series of a sweep on one grid of times: each row's step function read at each time. */
#include <string.h>

#include <distlab/sweep.h>

int dlab_series_resample(const dlab_table *table, const dlab_kept *output, size_t row_count, int column,
                         const double *times, size_t n_times, double *values, dlab_error *err)
{
    const dlab_field *time = &table->columns[0], *value = &table->columns[column];
    const size_t size = table->row_size;
    if (!table->series) return dlab_fail(err, DLAB_ETYPE, "table '%s' is not a series", table->name);
    for (size_t k = 1; k < n_times; k++)
        if (!(times[k] > times[k - 1]))
            return dlab_fail(err, DLAB_ERANGE, "times must grow: %g follows %g", times[k], times[k - 1]);
    for (size_t row = 0; row < row_count; row++) {
        const char *at = output->rows.rows + output->offsets[row] * size;
        const char *end = output->rows.rows + output->offsets[row + 1] * size;
        double held = NAN;
        for (size_t k = 0; k < n_times; k++) {
            for (; at < end && dlab_field_number(time, at) <= times[k]; at += size)
                held = dlab_field_number(value, at);
            values[row * n_times + k] = held;
        }
    }
    return DLAB_OK;
}
