/* Leaving the interpreter for a long loop and looking back now and then.
 *
 * Only the thread that left may look back. PyErr_CheckSignals can run any Python code (a handler, the garbage
 * collector), so nothing half-built may be alive across it; outside the main thread it does nothing, which is
 * why sweeps take tokens as well. */
#include "binding/binding.h"

#ifdef CLOCK_MONOTONIC_COARSE
#define POLL_CLOCK CLOCK_MONOTONIC_COARSE
#else
#define POLL_CLOCK CLOCK_MONOTONIC
#endif

enum { POLL_NS = 50 * 1000 * 1000 };

void dlab_py_leave(dlab_py_away *away)
{
    away->raised = false;
    (void)clock_gettime(POLL_CLOCK, &away->last);
    away->thread = PyEval_SaveThread();
}

void dlab_py_back(dlab_py_away *away)
{
    PyEval_RestoreThread(away->thread);
    away->thread = NULL;
}

int dlab_py_report(dlab_py_away *away, size_t done)
{
    if (away->progress == NULL) return 0;
    PyObject *result = PyObject_CallFunction(away->progress, "nn", (Py_ssize_t)done, away->total);
    if (result == NULL) return -1;
    Py_DECREF(result);
    return 0;
}

bool dlab_py_poll(void *arg, size_t done)
{
    dlab_py_away *away = arg;
    struct timespec now;
    if (away->raised) return true;
    if (clock_gettime(POLL_CLOCK, &now) != 0) return false;
    const int64_t passed =
        (int64_t)(now.tv_sec - away->last.tv_sec) * 1000000000 + (now.tv_nsec - away->last.tv_nsec);
    if (passed < POLL_NS) return false;
    PyEval_RestoreThread(away->thread);
    away->raised = PyErr_CheckSignals() < 0 || dlab_py_report(away, done) < 0;
    away->thread = PyEval_SaveThread();
    (void)clock_gettime(POLL_CLOCK, &away->last);
    return away->raised;
}
