"""A sweep as tasks for anything with ``.submit``: threads, processes, loky, Dask, Ray.

A task is a rectangle of rows in plain versioned data, and so is what comes back: only this module's name,
NumPy arrays, text and numbers cross the boundary. Keys are cut from the column the driver made, so neither
executors nor the sizes of tasks can change a row. Tasks are cut so that one takes about half a second: long
enough to forget the overhead, short enough to stop and to be written to a checkpoint.
"""

import concurrent.futures
import contextlib
import os
import queue
import signal
import threading
import time

import numpy as np

from . import _block, _core
from ._common import nearest, short
from ._estimate import row_steps
from ._model import find
from ._run import Job
from ._stop import Stop, Stopped, Watch

FORMAT = 1
SHORTHANDS = ("threads", "processes")
TASK_SECONDS, LEAST_SECONDS = 0.5, 0.05
GROWTH = 16  # a task may be so many times as large as the largest one that was measured
LOOK_SECONDS, LEAVE_SECONDS = 0.05, 0.4
WORKERS_UNKNOWN, LANES_UNKNOWN = 128, 16
WRONG = (ValueError, TypeError, KeyError, MemoryError, RuntimeError)
KINDS = {
    kind.__name__: kind
    for kind in (ValueError, TypeError, MemoryError, _core.UnknownNameError, _core.BudgetError,
                 _core.BrokenInvariantError)
}  # fmt: skip


# The worker


def run_task(task):
    """Run the rows of one task on one thread; returns {"block", "seconds"}, {"error"} or {"stopped"}."""
    began = time.perf_counter()
    if (task["format"], task["version"]) != (FORMAT, _core.VERSION):
        text = f"this worker has distlab {_core.VERSION}, the driver has {task['version']}: install the same"
        return {"error": ("RuntimeError", text, None)}
    model, (p0, p1, r0, r1) = find(task["model"]), task["where"]
    job = Job(model, task["rows"], task["pool"], task["keys"], task["keep"], task["budget"],
              threads=1, keep_max=task["keep_max"], mask=task["mask"])  # fmt: skip
    watch = Watch(task["stop"], task["first"])
    try:
        watch.look()
        block = _block.run_block(job, (0, p1 - p0, 0, r1 - r0), watch.look)
    except Stopped:
        return {"stopped": True}
    except WRONG as error:
        if not hasattr(error, "row"):
            raise
        return {"error": (type(error).__name__, str(error), error.row)}
    for name, grid in job.keep.items():
        if isinstance(grid, np.ndarray):
            _block.resample(model, block, name, grid)
    block.where = task["where"]
    block.failures = [(p0 + p, r0 + r, code, text) for p, r, code, text in block.failures]
    return {"block": _block.to_plain(block), "seconds": time.perf_counter() - began}


def begin_process():
    """First thing in a worker process of ours: Ctrl-C is the driver's business, and no driver, no worker."""
    import multiprocessing

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()


def _leave_with(parent):
    parent.join()
    os._exit(1)


# Who works


def check_executor(executor, threads):
    """None (the core's own threads), a shorthand, or an object with .submit; threads belongs to the first
    two."""
    if executor is None or (isinstance(executor, str) and executor in SHORTHANDS):
        return executor
    if callable(getattr(executor, "submit", None)) and not isinstance(executor, type):
        if threads:
            raise ValueError(
                "threads belongs to executor='threads' or 'processes'; yours has its own workers"
            )
        return executor.get_executor() if hasattr(executor, "get_executor") else executor
    near = nearest(executor, SHORTHANDS)
    raise TypeError(
        f"executor must be 'threads', 'processes' or an object with .submit, such as client.get_executor(), "
        f"not {short(executor)}" + (f"; did you mean {near!r}?" if near else "")
    )


@contextlib.contextmanager
def workers(executor, threads):
    """The executor of a sweep; what a shorthand started ends with it, at once when the sweep failed."""
    if not (executor is None or isinstance(executor, str)):
        yield executor
        return
    count = threads or _core.cores()
    if executor == "processes":
        import multiprocessing

        context = multiprocessing.get_context("spawn")
        pool = concurrent.futures.ProcessPoolExecutor(count, context, begin_process)
    else:
        pool = concurrent.futures.ThreadPoolExecutor(count, "distlab")
    try:
        yield pool
        pool.shutdown()
    except concurrent.futures.BrokenExecutor as error:
        if executor == "processes":
            error.add_note("a script that starts processes does so under `if __name__ == '__main__':`")
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def count_workers(executor):
    """How many tasks an executor runs at once, or None where it does not say."""
    known = getattr(executor, "_max_workers", None)
    client = getattr(executor, "_client", None)  # Dask
    if not isinstance(known, int) and hasattr(client, "nthreads"):
        with contextlib.suppress(Exception):
            known = sum(client.nthreads().values())
    return known if isinstance(known, int) and known > 0 else None


# How much at once


class Cutter:
    """Cuts what is left of a round (repetitions r0..r1 of all points) into rectangles, in row order.

    done (points, reps) says what is there already; weights (points,) how long a row takes, in any unit.
    """

    def __init__(self, done, weights, r0, lanes):
        self.done, self.weights, self.r0, self.lanes = done, weights, r0, lanes
        free = ~done
        self._barriers = np.flatnonzero(done.any(axis=1))
        self._sums = np.concatenate([[0], np.cumsum(weights * done.shape[1])])
        self.left = float((weights * free.sum(axis=1)).sum())
        self.pace, self._most = None, 0.0  # seconds per weight; the largest weight measured
        self._p = self._r = 0

    def first(self, where):
        """The number of the first row of a rectangle, in row order."""
        return where[0] * self.done.shape[1] + where[2] - self.r0

    def learn(self, where, seconds):
        """A rectangle took so long. What turns out slower counts at once, what is faster half."""
        weight = self.weight(where)
        pace = seconds / weight
        self.pace = pace if self.pace is None else max(pace, (pace + self.pace) / 2)
        self._most = max(self._most, weight)

    def weight(self, where):
        """The weight of a rectangle."""
        return float(self.weights[where[0] : where[1]].sum()) * (where[3] - where[2])

    def wanted(self):
        """The weight of the next task: half a second, less near the end, one row before anything is known."""
        if self.pace is None:
            return 0.0
        share = max(self.left / (2 * self.lanes), LEAST_SECONDS / self.pace)
        return min(TASK_SECONDS / self.pace, share, GROWTH * self._most)

    def next(self):
        """The next rectangle (p0, p1, r0, r1), or None: nothing is left."""
        points, reps = self.done.shape
        while self._p < points and (self._r >= reps or self.done[self._p, self._r :].all()):
            self._p, self._r = self._p + 1, 0
        if self._p >= points:
            return None
        wanted = self.wanted()
        where = self._points(wanted) if self._r == 0 else None
        where = where or self._reps(wanted)
        self.left -= self.weight(where)
        return where

    def _points(self, wanted):
        """Several whole points, where nothing of them is done and they are wanted."""
        p = self._p
        k = np.searchsorted(self._barriers, p)
        end = int(self._barriers[k]) if k < len(self._barriers) else len(self.done)
        end = min(end, int(np.searchsorted(self._sums, self._sums[p] + wanted, side="right")) - 1)
        if end <= p:
            return None
        self._p = end
        return (p, end, self.r0, self.r0 + self.done.shape[1])

    def _reps(self, wanted):
        """Some repetitions of one point."""
        p, free = self._p, ~self.done[self._p]
        start = self._r + int(np.argmax(free[self._r :]))
        stop = min(len(free), start + max(1, int(wanted / self.weights[p])))
        run = free[start:stop]
        stop = stop if run.all() else start + int(np.argmin(run))
        self._r = stop
        return (p, p + 1, self.r0 + start, self.r0 + stop)


def row_weights(job):
    """Steps of a row at each point where the model says, else the same for all."""
    steps = row_steps(job.model, job.rows, job.pool)
    return np.maximum(steps, 1.0) if np.isfinite(steps).all() else np.ones(len(job.rows))


# The driver


class Crew:
    """One round of a sweep on an executor: hands out tasks, gathers blocks, stops everyone when it must."""

    def __init__(self, job, cutter, tick, before):
        self.job, self.cutter, self.tick, self.before = job, cutter, tick, before
        self.blocks, self.unsaved, self.flying = [], [], {}
        self.arrived = queue.SimpleQueue()
        self.fatal = None  # (first row, where, (type, text, row)) of the lowest row known to fail
        self.rows_done = self.kept = 0

    def run(self):
        """The blocks of everything the cutter gives."""
        lanes = count_workers(self.job.executor)
        window = 2 * (lanes or WORKERS_UNKNOWN)
        with Stop() as stop:
            self.stop = stop
            try:
                self._submit(lanes or 4)
                while self.flying:
                    self._collect(LOOK_SECONDS)
                    if self.job.token is not None and self.job.token.cancelled:
                        raise _core.Cancelled(f"{self.job.model.name}: stopped after {self.rows_done} rows")
                    if self.cutter.pace is not None:
                        self._submit(window)
            except BaseException:
                self._leave()
                raise
        return self.blocks

    def _submit(self, most):
        while len(self.flying) < most and self.fatal is None and (where := self.cutter.next()):
            future = self.job.executor.submit(run_task, self._task(where))
            self.flying[future] = where
            future.add_done_callback(self.arrived.put)

    def _task(self, where):
        job, (p0, p1, r0, r1) = self.job, where
        return {
            "format": FORMAT, "version": _core.VERSION, "model": job.model.name, "where": where,
            "rows": job.rows[p0:p1], "keys": np.ascontiguousarray(job.keys[p0:p1, r0:r1]), "pool": job.pool,
            "keep": job.keep, "budget": job.budget, "keep_max": job.keep_max, "mask": job.mask,
            "stop": self.stop.name, "first": self.cutter.first(where),
        }  # fmt: skip

    def _collect(self, seconds):
        """Take what has arrived, waiting so long for the first of it."""
        try:
            futures = [self.arrived.get(timeout=seconds)]
        except queue.Empty:
            return
        while not self.arrived.empty():
            futures.append(self.arrived.get())
        for future in futures:
            self._take(future)
        self._save()
        if self.fatal is not None and not any(self._matters(w) for w in self.flying.values()):
            self._fail()

    def _matters(self, where):
        return self.fatal is None or self.cutter.first(where) < self.fatal[0]

    def _take(self, future):
        """One task that ended: its block, its error, or nothing because it was not wanted any more."""
        where = self.flying[future]
        if future.cancelled():
            result = {"stopped": True}
        elif future.exception() is not None:
            raise future.exception()
        else:
            result = future.result()
        if "block" in result:
            block = _block.from_plain(result["block"])
            self.unsaved.append(block)
            self.cutter.learn(where, result["seconds"])
            self._count(block)
        elif "error" in result:
            self._wrong(where, result["error"])
        elif self._matters(where) and self.stop.row is None:
            raise RuntimeError("the executor cancelled a task that the sweep needs")
        del self.flying[future]

    def _count(self, block):
        self.rows_done += block.metrics.size
        self.kept += sum(rows.nbytes for rows, _ in block.outputs.values())
        if self.kept > self.job.keep_max:
            raise _core.BudgetError(
                f"{self.job.model.name}: the output rows kept take more than {self.job.keep_max} bytes"
            )
        if self.tick is not None:
            self.tick(self.before + self.rows_done, None)

    def _wrong(self, where, error):
        """A row failed. No task behind it matters any more; those before it may hold one that fails too."""
        if error[2] is None:
            raise RuntimeError(error[1])
        first = self.cutter.first(where)
        if self.fatal is not None and self.fatal[0] <= first:
            return
        self.fatal = (first, where, error)
        self.stop.tell(first)
        for future, other in list(self.flying.items()):
            if other != where and not self._matters(other):
                future.cancel()

    def _fail(self):
        """Raise the error of the first row that failed."""
        from ._sweep import named

        _, where, (kind, text, row) = self.fatal
        error = KINDS.get(kind, RuntimeError)(text)
        error.row = row
        raise named(self.job, where, error)

    def _save(self):
        if self.job.store is not None and self.unsaved:
            self.job.store.add(self.unsaved)
        self.blocks += self.unsaved
        self.unsaved = []

    def _leave(self):
        """Stop every worker, wait a moment for those who can hear it, keep what is finished."""
        self.stop.tell()
        for future in self.flying:
            future.cancel()
        end = time.monotonic() + LEAVE_SECONDS
        while time.monotonic() < end and not all(future.done() for future in self.flying):
            time.sleep(0.005)
        for future in self.flying:
            if future.done() and not future.cancelled() and future.exception() is None:
                result = future.result()
                if "block" in result:
                    self.unsaved.append(_block.from_plain(result["block"]))
        with contextlib.suppress(OSError, ValueError):  # the first error is the one to tell
            self._save()


def run_round(job, r0, r1, bar):
    """Blocks of repetitions r0..r1 of every point: those of the checkpoint, the rest from the executor."""
    points = len(job.rows)
    blocks = job.store.blocks(r0, r1) if job.store is not None else []
    done = np.zeros((points, r1 - r0), bool)
    for block in blocks:
        p0, p1, b0, b1 = block.where
        done[p0:p1, b0 - r0 : b1 - r0] = True
    tick, before = bar.block(), int(done.sum())
    bar.find(before)
    cutter = Cutter(done, row_weights(job), r0, count_workers(job.executor) or LANES_UNKNOWN)
    blocks = blocks + Crew(job, cutter, tick, before).run()
    bar.block_done(done.size)
    return blocks
