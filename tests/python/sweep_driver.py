"""A process that sweeps, for tests that kill it, interrupt it or take its disk away.

``python sweep_driver.py '{"executor": "threads", "log": FILE, ...}'`` prints "ready", sweeps, then prints the
digest of the result. Every task is written to the log, by whoever runs it, when it begins and when it ends.
Without an argument it reads such lines and forks a driver for each, which is faster than starting Python.
"""

import concurrent.futures
import contextlib
import hashlib
import json
import multiprocessing
import os
import resource
import sys
import time

import distlab as dl
from distlab import _checkpoint, _executor  # noqa: F401 - imported while it can be read

STATION = "queueing.station"


def note(log, what, task):
    """One line of the side channel: the moment (one clock for all processes), what, the rows."""
    line = json.dumps([time.monotonic(), what, *map(int, task["where"])]) + "\n"
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line.encode())
    os.close(file)


def run_noted(log, task):
    note(log, "begin", task)
    result = {}
    try:
        result = _executor.run_task(task)
    finally:
        note(log, "done" if "block" in result else "left", task)
    return result


class Noted:
    """An executor that writes down who runs what."""

    def __init__(self, inner, log):
        self.inner, self.log = inner, log
        self._max_workers = inner._max_workers

    def submit(self, _, task):
        return self.inner.submit(run_noted, self.log, task)


def digest(sweep):
    """Every bit of a result: metrics, histograms, fingerprints, kept tables and series, masked errors."""
    out = hashlib.sha256()
    for array in (sweep._metrics, sweep._buckets, sweep.fingerprints, *sweep.tables.values()):
        out.update(array.tobytes())
    for columns in sweep.series.values():
        for values in columns.values():
            out.update(values.tobytes())
    out.update(repr(sweep.failures).encode())
    return out.hexdigest()


@contextlib.contextmanager
def inner_of(name, workers):
    """A pool of this kind."""
    if name == "loky":
        import loky

        yield loky.get_reusable_executor(workers)
    elif name == "fork":
        context = multiprocessing.get_context("fork")
        with concurrent.futures.ProcessPoolExecutor(workers, context) as pool:
            yield pool
    else:
        with _executor.workers(name, workers) as pool:
            yield pool


def drive(given):
    name, workers, log = given.pop("executor"), given.pop("workers", 2), given.pop("log")
    _executor.TASK_SECONDS = given.pop("task", _executor.TASK_SECONDS)
    _executor.LEAST_SECONDS = min(_executor.TASK_SECONDS, _executor.LEAST_SECONDS)
    most = given.pop("file_size", None)
    user = given.pop("user", None)
    with inner_of(name, workers) as pool:
        pool.submit(os.getpid).result()
        if most:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        if user:
            os.seteuid(user)
        note(log, "ready", {"where": ()})
        print("ready", flush=True)
        try:
            print(digest(dl.sweep(STATION, executor=Noted(pool, log), **given)), flush=True)
        except KeyboardInterrupt:
            print(time.monotonic(), flush=True)
            os._exit(130)
        except (OSError, ValueError) as error:
            print(f"{type(error).__name__}: {error}", flush=True)
            os._exit(3)


def main():
    dl.sweep(STATION, reps=1, jobs=10, threads=1)  # whatever is imported then is imported now
    if len(sys.argv) > 1:
        drive(json.loads(sys.argv[1]))
        return
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            print(os.getpid(), flush=True)
            drive(json.loads(line))
            os._exit(0)
        os.waitpid(pid, 0)
        print("ended", flush=True)


if __name__ == "__main__":
    main()
