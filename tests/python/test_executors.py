"""Executors: the same bits whoever runs the rows, the first failing row, and an end in time."""

import concurrent.futures
import functools
import itertools
import json
import os
import pickle
import shlex
import signal
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import numpy as np
import pytest

import distlab as dl
import probe
from distlab import _core, _executor
from sweep_driver import digest

STATION = "queueing.station"
ROOT = Path(__file__).resolve().parents[2]
EVERYTHING = {
    "arrival_rate": [50, 90, 95], "servers": [1, 2], "jobs": 600, "reps": 7, "method": "events", "seed": 3,
    "keep": {"queue_length": np.linspace(0, 3, 9), "jobs": None},
}  # fmt: skip


def sweep(**more):
    return dl.sweep(STATION, **(EVERYTHING | more))


@pytest.fixture(scope="module")
def expected():
    return digest(sweep(threads=1))


@pytest.fixture
def threads():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        yield pool


def environment():
    """The environment of a child that finds the package and these tests."""
    folders = [str(Path(dl.__file__).parents[1]), str(Path(__file__).parent)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}


def spawn(*words):
    """sweep_driver.py with these words, in a session of its own."""
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "sweep_driver.py"), *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(), start_new_session=True,
    )  # fmt: skip


def start(**given):
    """A driver in a process of its own, once it is about to sweep."""
    child = spawn(json.dumps(given))
    assert child.stdout.readline() == "ready\n"
    return child


def lines_of(log):
    """What the side channel holds: (moment, what, (p0, p1, r0, r1))."""
    text = Path(log).read_text() if Path(log).exists() else ""
    return [(at, what, tuple(where)) for at, what, *where in map(json.loads, text.splitlines())]


# The same bits


@pytest.mark.parametrize("count", [1, 2, 4])
def test_threads_of_the_core(expected, count):
    assert digest(sweep(threads=count)) == expected
    assert digest(sweep(threads=count, executor="threads")) == expected


@pytest.mark.parametrize("count", [1, 4])
def test_a_thread_pool(expected, count):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        assert digest(sweep(executor=pool)) == expected


def test_processes(expected):
    assert digest(sweep(executor="processes", threads=2)) == expected


def test_loky(expected):
    loky = pytest.importorskip("loky")
    pool = loky.get_reusable_executor(2)
    try:
        assert digest(sweep(executor=pool)) == expected
    finally:
        pool.shutdown(kill_workers=True)


def test_a_dask_cluster(expected):
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        assert _executor.count_workers(client.get_executor()) == 2
        assert digest(sweep(executor=client.get_executor())) == expected
        assert digest(sweep(executor=client)) == expected


class Elsewhere:
    """The documented adapter for what has futures but no submit: nothing known, all through pickle."""

    def __init__(self):
        self.pool = concurrent.futures.ThreadPoolExecutor(2)
        self.sizes = []

    def submit(self, fn, task):
        assert fn.__module__ == "distlab._executor" and fn.__qualname__ == "run_task"
        task = pickle.dumps(task)
        self.sizes.append(len(task))
        return self.pool.submit(lambda: pickle.loads(pickle.dumps(fn(pickle.loads(task)))))


@pytest.mark.filterwarnings("ignore:empirical")
def test_only_pickled_plain_data_crosses(expected):
    pool = Elsewhere()
    assert digest(sweep(executor=pool)) == expected and len(pool.sizes) >= 2
    service = dl.empirical(np.linspace(0.001, 0.02, 500))
    mixture = dl.mixture((0.5, "exponential(5ms)"), (0.5, "10ms"))
    for law in (service, mixture):
        pair = [digest(sweep(service=law, executor=e)) for e in (None, pool)]
        assert pair[0] == pair[1]


@pytest.mark.parametrize("rows", [1, 3, 7, 14, 10_000, "random"])
def test_any_size_of_task(expected, rows, threads, monkeypatch):
    rng, seen = np.random.default_rng(5), []

    def wanted(cutter):
        count = int(rng.integers(1, 20)) if rows == "random" else rows
        return count * float(cutter.weights[min(cutter._p, len(cutter.weights) - 1)])

    monkeypatch.setattr(_executor.Cutter, "wanted", wanted)
    monkeypatch.setattr(
        _executor.Cutter, "learn", lambda cutter, where, _: seen.append(where) or setattr(cutter, "pace", 1.0)
    )
    assert digest(sweep(executor=threads)) == expected
    covered = np.zeros((6, 7), int)
    for p0, p1, r0, r1 in seen:
        covered[p0:p1, r0:r1] += 1
    assert (covered == 1).all()
    assert rows != 1 or len(seen) == 42


@pytest.mark.filterwarnings("ignore:.*miss the precision")
def test_precision_and_masks(threads):
    how = {"precision": 1e-4, "reps_max": 9, "reps": 3, "keep": None}
    assert digest(sweep(executor=threads, **how)) == digest(sweep(**how))
    broken = {"servers": [0, 1], "errors": "mask", "keep": "jobs"}
    a, b = sweep(executor=threads, **broken), sweep(**broken)
    assert digest(a) == digest(b) and len(a.failures) == 21
    out = {"jobs": [600, 60_000], "errors": "mask", "budget": {"steps": 9000}}
    a, b = sweep(executor="processes", threads=1, **out), sweep(**out)
    assert digest(a) == digest(b) and {f["code"] for f in a.failures} == {"ELIMIT"}


def test_saved_files_are_equal_too(tmp_path, threads):
    names = [sweep(executor=e).save(tmp_path / f"{k}.npz") for k, e in enumerate((None, threads))]
    assert Path(names[0]).read_bytes() == Path(names[1]).read_bytes()


# The page and the example


def test_the_adapter_of_the_page_is_all_it_takes(expected, threads):
    """The class on the page, run on something shaped like Ray: remote(fn).remote(task).future()."""
    page = (ROOT / "docs" / "scaling_out.md").read_text()
    lines = page[page.index("class RayExecutor") :].partition("\n\ndl.sweep")[0]
    assert len([line for line in lines.split("\n") if line.strip()]) <= 6

    class Remote:
        def __init__(self, fn):
            self.fn = fn

        def remote(self, task):
            future = threads.submit(self.fn, task)
            return types.SimpleNamespace(future=lambda: future)

    names = {"functools": functools, "ray": types.SimpleNamespace(remote=Remote)}
    exec(lines, names)  # noqa: S102 - the code of our own page
    assert digest(sweep(executor=names["RayExecutor"](workers=2))) == expected


def test_slices_of_a_design_are_the_rows_of_the_whole():
    points = [{"arrival_rate": a, "servers": c} for a in (50, 70, 90) for c in (1, 2)]
    whole = dl.sweep(STATION, design=points, jobs=600, reps=3).array
    for k in range(4):
        part = dl.sweep(STATION, design=points[k::4], jobs=600, reps=3).array
        assert part.tobytes() == whole[k::4].tobytes()


def test_the_example_prints_one_fingerprint(tmp_path):
    said = set()
    for words in (["threads", "a.sqlite"], ["processes", "a.sqlite"], ["threads"]):
        out = subprocess.run(
            [sys.executable, str(ROOT / "examples" / "scale_out.py"), *words],
            cwd=tmp_path, env=environment(), check=True, capture_output=True, text=True,
        )  # fmt: skip
        said.add(out.stdout.strip().split("\n")[-1])
    assert len(said) == 1 and said.pop().startswith("fingerprint ")


# The size of tasks


def test_tasks_approach_half_a_second():
    weights = np.full(1000, 2.0)
    cutter = _executor.Cutter(np.zeros((1000, 100), bool), weights, 0, 2)
    rows, seconds = [], 1e-4
    while where := cutter.next():
        p0, p1, r0, r1 = where
        rows.append((p1 - p0) * (r1 - r0))
        cutter.learn(where, rows[-1] * seconds)
    assert rows[0] == 1 and sum(rows) == 100_000
    growth = [b / a for a, b in itertools.pairwise(rows)]
    assert max(growth) <= _executor.GROWTH and max(rows) == 5000  # 5000 rows of 0.1 ms: half a second
    assert rows[-2] <= 1000  # small ones at the end keep all workers busy


def test_slow_rows_go_one_by_one_and_what_slows_down_counts_at_once():
    cutter = _executor.Cutter(np.zeros((4, 50), bool), np.ones(4), 0, 1)
    for seconds in (3.0, 3.0):
        where = cutter.next()
        assert where[3] - where[2] == 1
        cutter.learn(where, seconds)
    cutter.learn((0, 1, 0, 40), 40 * 0.001)
    assert cutter.pace == pytest.approx(3.001 / 2)
    cutter.learn((0, 1, 0, 1), 9.0)
    assert cutter.pace == 9


# The first failing row

LONG = {"jobs": [600, 60_000, 70_000], "budget": {"steps": 9000}, "keep": None, "arrival_rate": 50}


@pytest.mark.parametrize("kind", ["pool", "threads", "processes"])
def test_the_first_failing_row_and_its_recipe(kind, threads):
    text = {}
    for name, executor in (("pool", None), (kind, threads if kind == "threads" else kind)):
        with pytest.raises(dl.BudgetError) as caught:
            sweep(**LONG, executor=None if executor == "pool" else executor)
        text[name] = str(caught.value)
    assert text["pool"] == text[kind]
    assert text[kind].startswith("row 7 (point 1, rep 0): queueing.station") and "\n" not in text[kind]
    recipe = text[kind].partition("to run it again: ")[2]
    again = subprocess.run(
        [sys.executable, "-m", *shlex.split(recipe)],
        check=False, capture_output=True, text=True, env=environment(),
    )  # fmt: skip
    what = text[kind].partition("): ")[2].partition("; to run")[0]
    assert again.returncode == 2 and what in again.stderr


def test_no_row_before_the_first_failing_one_is_left_out(threads, monkeypatch):
    """The task of row 8 fails long before that of row 7 does: the text names row 7."""
    inner, order, failed = _executor.run_task, [], threading.Event()

    def slow(task):
        if task["first"] == 7:
            assert failed.wait(60)
        result = inner(task)
        order.append((task["first"], "error" in result))
        if "error" in result:
            failed.set()
        return result

    monkeypatch.setattr(_executor, "run_task", slow)
    monkeypatch.setattr(_executor.Cutter, "wanted", lambda cutter: 7 * cutter.weights[0])
    with pytest.raises(dl.BudgetError, match=r"row 7 \(point 1"):
        sweep(**{**LONG, "servers": 1, "jobs": [600, *range(60_000, 60_005)]}, executor=threads)
    assert (8, True) in order[: order.index((7, True))] and len(order) < 8


# What goes wrong


def test_executors_that_are_none():
    for bad in (3, "thread", "loky", object(), concurrent.futures.ThreadPoolExecutor):
        with pytest.raises(TypeError, match=r"executor must be 'threads', 'processes' or an object with"):
            sweep(executor=bad)
    with pytest.raises(TypeError, match="did you mean 'processes'"):
        sweep(executor="proceses")
    with concurrent.futures.ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match="threads belongs"):
        sweep(executor=pool, threads=2)
    with pytest.raises(RuntimeError, match="shutdown"):
        sweep(executor=pool)


def test_another_version_in_the_worker(threads, monkeypatch):
    task = _executor.Crew._task
    monkeypatch.setattr(_executor.Crew, "_task", lambda crew, where: task(crew, where) | {"version": "0.0.9"})
    with pytest.raises(RuntimeError, match=r"this worker has distlab .*, the driver has 0.0.9: install"):
        sweep(executor=threads)


def test_a_model_the_worker_does_not_know():
    probe.register()
    with pytest.raises(KeyError, match=r"model 'lab.probe' is not known"):
        dl.sweep(probe.NAME, reps=3, executor="processes", threads=1)


def test_rows_kept_by_all_tasks_together(threads):
    with pytest.raises(dl.BudgetError, match=r"jobs.*keep_max|kept take more than"):
        sweep(keep="jobs", keep_max="10KiB", executor=threads)


def test_progress_and_tokens(threads):
    seen = []
    sweep(executor=threads, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (42, 42) and [d for d, _ in seen] == sorted(d for d, _ in seen)
    with pytest.raises(ZeroDivisionError):
        sweep(executor=threads, progress=lambda done, total: 1 / 0)
    token = dl.Token()
    token.cancel()
    with pytest.raises(dl.Cancelled):
        sweep(executor=threads, token=token)
    assert _core.Cancelled is dl.Cancelled


# Stopping


@pytest.mark.parametrize("kind", ["threads", "processes", "fork", "loky"])
def test_an_interrupt_stops_all_workers(tmp_path, kind):
    """SIGINT to the driver alone: workers idle and the driver back within 500 ms (best of five)."""
    if kind == "loky":
        pytest.importorskip("loky")
    best = np.inf
    for attempt in range(5):
        log = tmp_path / f"log{attempt}"
        child = start(executor=kind, log=str(log), jobs=10**9, method="events", reps=8)
        try:
            while sum(what == "begin" for _, what, _ in lines_of(log)) < 2:
                time.sleep(0.01)
            time.sleep(0.1)
            sent = time.monotonic()
            os.kill(child.pid, signal.SIGINT)
            back = float(child.stdout.readline())
            time.sleep(max(0.0, sent + 0.5 - time.monotonic()))
            lines = lines_of(log)
            left = [at for at, what, _ in lines if what == "left"]
            busy = sum(what == "begin" for _, what, _ in lines) - len(left)
            best = min(best, max([back, *left]) - sent if busy == 0 else np.inf)
        finally:
            end(child)
        if best <= 0.5:
            break
    assert best <= 0.5


def end(child):
    """Nothing of a driver's session stays behind."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()
    child.stdin.close()
    child.stdout.close()


def test_workers_end_with_their_driver(tmp_path):
    log = tmp_path / "log"
    child = start(executor="processes", log=str(log), jobs=10**9, method="events", reps=8)
    try:
        while sum(what == "begin" for _, what, _ in lines_of(log)) < 2:
            time.sleep(0.01)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        begin = time.monotonic()
        while members(child.pid) and time.monotonic() < begin + 20:
            time.sleep(0.02)
        assert not members(child.pid)
    finally:
        end(child)


def members(group):
    """Processes of a group that are alive."""
    out = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, pgrp = (folder / "stat").read_text().rpartition(") ")[2].split()[:3]
        except OSError:
            continue
        if int(pgrp) == group and state != "Z":
            out.append(int(folder.name))
    return out
