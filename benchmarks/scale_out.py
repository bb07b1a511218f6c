"""What it costs to hand rows out: `python benchmarks/scale_out.py`.

Every row is a task of its own and takes next to nothing, so the time is overhead: of starting the workers,
and of one task (pickled, sent, run, sent back, put in its place). An executor that is not installed is left
out.
"""

import contextlib
import os
import tempfile
import time

import distlab as dl
from distlab import _executor

STATION, ROWS, ROUNDS = "queueing.station", 400, 3


@contextlib.contextmanager
def dask():
    import distributed

    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield client.get_executor()


@contextlib.contextmanager
def loky():
    from loky import get_reusable_executor

    pool = get_reusable_executor(2)
    yield pool
    pool.shutdown()


KINDS = {
    "threads": lambda: _executor.workers("threads", 2),
    "processes": lambda: _executor.workers("processes", 2),
    "loky": loky,
    "Dask LocalCluster": dask,
}


def seconds(**how):
    start = time.perf_counter()
    dl.sweep(STATION, jobs=10, seed=1, **how)
    return time.perf_counter() - start


def main():
    seconds(reps=1)
    _executor.TASK_SECONDS = _executor.LEAST_SECONDS = 1e-9
    print(f"two workers, {ROWS} tasks of one row, best of {ROUNDS}")
    print(f"{'executor':20} {'start, s':>10} {'one task, ms':>14}")
    for name, make in KINDS.items():
        start = time.perf_counter()
        try:
            with make() as pool:
                seconds(reps=2, executor=pool)
                begun = time.perf_counter() - start
                each = min(seconds(reps=ROWS, executor=pool) for _ in range(ROUNDS)) / ROWS
        except ImportError as error:
            print(f"{name:20} not installed: {error.name}")
            continue
        print(f"{name:20} {begun:10.2f} {1000 * each:14.2f}")
    with tempfile.TemporaryDirectory() as folder, _executor.workers("threads", 2) as pool:
        each = min(
            seconds(reps=ROWS, executor=pool, checkpoint=os.path.join(folder, f"{k}.sqlite"))
            for k in range(ROUNDS)
        )
    print(f"{'threads, checkpoint':20} {'':10} {1000 * each / ROWS:14.2f}")


if __name__ == "__main__":
    main()
