"""One sweep, whoever runs it: `python scale_out.py [threads | processes | loky | dask] [FILE.sqlite]`.

The fingerprint it prints is the same for all of them. With a file, press Ctrl-C and start it again: it goes
on.
"""

import contextlib
import hashlib
import sys

import numpy as np

import distlab as dl


@contextlib.contextmanager
def executor_of(name):
    """What to pass as executor=."""
    if name == "loky":
        import loky

        yield loky.get_reusable_executor(max_workers=2)
    elif name == "dask":
        from dask.distributed import Client, LocalCluster

        options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
        with LocalCluster(**options) as cluster, Client(cluster) as client:
            yield client.get_executor()
    else:
        yield name


def main(name="threads", checkpoint=None):
    with executor_of(name) as executor:
        sweep = dl.sweep(
            "queueing.station",
            arrival_rate=np.linspace(50, 95, 10), servers=[1, 2], jobs=5000, method="events",
            reps=20, seed=1, executor=executor, checkpoint=checkpoint, progress=True,
        )  # fmt: skip
    print(sweep.summary())
    print("fingerprint", hashlib.sha256(sweep.array.tobytes()).hexdigest()[:16])


if __name__ == "__main__":  # processes import this file again
    main(*sys.argv[1:])
