/* Statistics of simulation output, number for number as the core computes them. */
#include "binding/binding.h"

#include <math.h>

static PyObject *interval(const dlab_interval *v)
{
    return Py_BuildValue("(ddddL)", v->mean, v->low, v->high, v->se, (long long)v->n);
}

/* One vector and a confidence. */
static PyArrayObject *vector_and_confidence(PyObject *args, double *confidence, const char *format)
{
    PyObject *x;
    if (!PyArg_ParseTuple(args, format, &x, confidence)) return NULL;
    if (dlab_py_inside(*confidence, 0, 1, "confidence") < 0) return NULL;
    return dlab_py_vector(x, NPY_DOUBLE, "x");
}

static PyObject *core_mean_interval(PyObject *Py_UNUSED(module), PyObject *args)
{
    double confidence = 0.95;
    PyArrayObject *x = vector_and_confidence(args, &confidence, "O|d:mean_interval");
    if (x == NULL) return NULL;
    const dlab_interval v = dlab_mean_interval(dlab_py_doubles(x), (size_t)PyArray_SIZE(x), confidence);
    Py_DECREF(x);
    return interval(&v);
}

/* Two vectors of one length. */
static PyObject *two(PyObject *args, const char *format, const char *first, const char *second,
                     dlab_interval (*f)(const double *a, const double *b, size_t n, double confidence))
{
    PyObject *a_in, *b_in, *result = NULL;
    double confidence = 0.95;
    if (!PyArg_ParseTuple(args, format, &a_in, &b_in, &confidence)) return NULL;
    if (dlab_py_inside(confidence, 0, 1, "confidence") < 0) return NULL;
    PyArrayObject *a = dlab_py_vector(a_in, NPY_DOUBLE, first);
    PyArrayObject *b = a != NULL ? dlab_py_vector(b_in, NPY_DOUBLE, second) : NULL;
    if (b != NULL && PyArray_SIZE(a) != PyArray_SIZE(b)) {
        PyErr_Format(PyExc_ValueError, "%s has %zd values and %s has %zd", first, (Py_ssize_t)PyArray_SIZE(a),
                     second, (Py_ssize_t)PyArray_SIZE(b));
    } else if (b != NULL) {
        const dlab_interval v =
            f(dlab_py_doubles(a), dlab_py_doubles(b), (size_t)PyArray_SIZE(a), confidence);
        result = interval(&v);
    }
    Py_XDECREF(a);
    Py_XDECREF(b);
    return result;
}

static PyObject *core_paired_interval(PyObject *Py_UNUSED(module), PyObject *args)
{
    return two(args, "OO|d:paired_interval", "a", "b", dlab_paired_interval);
}

static PyObject *core_ratio_interval(PyObject *Py_UNUSED(module), PyObject *args)
{
    return two(args, "OO|d:ratio_interval", "num", "den", dlab_ratio_interval);
}

static PyObject *core_proportion_interval(PyObject *Py_UNUSED(module), PyObject *args)
{
    double successes, trials, confidence = 0.95;
    if (!PyArg_ParseTuple(args, "dd|d:proportion_interval", &successes, &trials, &confidence)) return NULL;
    if (dlab_py_inside(confidence, 0, 1, "confidence") < 0) return NULL;
    if (!(trials >= 0 && isfinite(trials) && successes >= 0 && successes <= trials)) {
        PyErr_SetString(PyExc_ValueError, "0 <= successes <= trials does not hold");
        return NULL;
    }
    const dlab_interval v = dlab_proportion_interval(successes, trials, confidence);
    return interval(&v);
}

static PyObject *core_bootstrap_interval(PyObject *module, PyObject *args)
{
    PyObject *x_in, *resamples_in = NULL, *key_in = NULL;
    double confidence = 0.95;
    uint64_t resamples = 1000, key = 1;
    dlab_memory memory = { 0 };
    dlab_interval v;
    dlab_error err = { 0 };
    if (!PyArg_ParseTuple(args, "O|dOO:bootstrap_interval", &x_in, &confidence, &resamples_in, &key_in))
        return NULL;
    if (dlab_py_inside(confidence, 0, 1, "confidence") < 0 ||
        dlab_py_u64(resamples_in, "resamples", &resamples) < 0 || dlab_py_u64(key_in, "key", &key) < 0)
        return NULL;
    PyArrayObject *x = dlab_py_vector(x_in, NPY_DOUBLE, "x");
    if (x == NULL) return NULL;
    PyThreadState *thread = PyEval_SaveThread();
    const int code = dlab_bootstrap_interval(dlab_py_doubles(x), (size_t)PyArray_SIZE(x), confidence,
                                             (size_t)resamples, key, &memory, &v, &err);
    PyEval_RestoreThread(thread);
    Py_DECREF(x);
    return code == DLAB_OK ? interval(&v) : dlab_py_raise(dlab_py_state_of(module), &err);
}

static PyObject *core_quantile_interval(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *x_in, *result = NULL;
    double q, confidence = 0.95;
    if (!PyArg_ParseTuple(args, "Od|d:quantile_interval", &x_in, &q, &confidence)) return NULL;
    if (dlab_py_inside(confidence, 0, 1, "confidence") < 0 || dlab_py_inside(q, 0, 1, "q") < 0) return NULL;
    PyArrayObject *x = dlab_py_copied(x_in, NPY_DOUBLE, "x");
    if (x == NULL) return NULL;
    const npy_intp n = PyArray_SIZE(x);
    if (PyArray_Sort(x, 0, NPY_QUICKSORT) == 0) {
        /* NaN values sort to the end: one there means one anywhere. */
        dlab_interval v = { .mean = NAN, .low = NAN, .high = NAN, .se = NAN, .n = n };
        if (n == 0 || !isnan(dlab_py_doubles(x)[n - 1]))
            v = dlab_quantile_interval(dlab_py_doubles(x), (size_t)n, q, confidence);
        result = interval(&v);
    }
    Py_DECREF(x);
    return result;
}

static PyObject *core_batch_means(PyObject *Py_UNUSED(module), PyObject *args)
{
    double confidence = 0.95, lag1 = NAN;
    dlab_batch_means batches = { .size = 0 };
    PyArrayObject *x = vector_and_confidence(args, &confidence, "O|d:batch_means");
    if (x == NULL) return NULL;
    const size_t n = (size_t)PyArray_SIZE(x);
    for (size_t i = 0; i < n; i++) dlab_batch_means_add(&batches, dlab_py_doubles(x)[i]);
    Py_DECREF(x);
    const dlab_interval v = dlab_batch_means_interval(&batches, confidence, &lag1);
    return Py_BuildValue("(Nd)", interval(&v), lag1);
}

static PyObject *core_warmup_cut(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *x_in;
    if (!PyArg_ParseTuple(args, "O:warmup_cut", &x_in)) return NULL;
    PyArrayObject *x = dlab_py_vector(x_in, NPY_DOUBLE, "x");
    if (x == NULL) return NULL;
    const size_t cut = dlab_warmup_cut(dlab_py_doubles(x), (size_t)PyArray_SIZE(x));
    Py_DECREF(x);
    return PyLong_FromSize_t(cut);
}

static int probability(double p)
{
    if (p >= 0 && p <= 1) return 0;
    PyErr_SetString(PyExc_ValueError, "p is outside [0, 1]");
    return -1;
}

static PyObject *core_t_quantile(PyObject *Py_UNUSED(module), PyObject *args)
{
    double p, df;
    if (!PyArg_ParseTuple(args, "dd:t_quantile", &p, &df)) return NULL;
    if (probability(p) < 0) return NULL;
    if (dlab_py_inside(df, 0, INFINITY, "df") < 0) return NULL;
    return PyFloat_FromDouble(dlab_t_quantile(p, df));
}

static PyObject *core_normal_quantile(PyObject *Py_UNUSED(module), PyObject *args)
{
    double p;
    if (!PyArg_ParseTuple(args, "d:normal_quantile", &p)) return NULL;
    return probability(p) < 0 ? NULL : PyFloat_FromDouble(dlab_normal_quantile(p));
}

PyMethodDef dlab_py_statistics_methods[] = {
    { "mean_interval", core_mean_interval, METH_VARARGS,
      PyDoc_STR("mean_interval(x, confidence=0.95, /)\n--\n\nt interval of the mean: mean low high se n.") },
    { "paired_interval", core_paired_interval, METH_VARARGS,
      PyDoc_STR("paired_interval(a, b, confidence=0.95, /)\n--\n\nt interval of mean(b - a), common random "
                "numbers.") },
    { "ratio_interval", core_ratio_interval, METH_VARARGS,
      PyDoc_STR("ratio_interval(num, den, confidence=0.95, /)\n--\n\nInterval of sum(num) / sum(den), delta "
                "method.") },
    { "proportion_interval", core_proportion_interval, METH_VARARGS,
      PyDoc_STR("proportion_interval(successes, trials, confidence=0.95, /)\n--\n\nWilson interval of a "
                "proportion.") },
    { "bootstrap_interval", core_bootstrap_interval, METH_VARARGS,
      PyDoc_STR("bootstrap_interval(x, confidence=0.95, resamples=1000, key=1, /)\n--\n\n"
                "Bootstrap-t interval of the mean.") },
    { "quantile_interval", core_quantile_interval, METH_VARARGS,
      PyDoc_STR("quantile_interval(x, q, confidence=0.95, /)\n--\n\nInterval of the q-quantile; x need not "
                "be sorted.") },
    { "batch_means", core_batch_means, METH_VARARGS,
      PyDoc_STR("batch_means(x, confidence=0.95, /)\n--\n\n(interval, lag-1 autocorrelation of the batch "
                "means).") },
    { "warmup_cut", core_warmup_cut, METH_VARARGS,
      PyDoc_STR(
          "warmup_cut(x, /)\n--\n\nMSER-5: how many leading values to cut; len(x) where no cut helps.") },
    { "t_quantile", core_t_quantile, METH_VARARGS,
      PyDoc_STR("t_quantile(p, df, /)\n--\n\nQuantile of Student's t.") },
    { "normal_quantile", core_normal_quantile, METH_VARARGS,
      PyDoc_STR("normal_quantile(p, /)\n--\n\nQuantile of the standard normal.") },
    { NULL, NULL, 0, NULL },
};
