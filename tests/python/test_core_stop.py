"""The binding under stress: sweeps stopped, interrupted, run at once and scribbled over; nothing leaks."""

import gc
import signal
import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest

import probe
from distlab import _core
from probe import NAME, class_rows, keys, params, sweep

LONG = {"jobs": 100_000_000}  # about a second
ATTEMPTS = 5


@pytest.fixture(autouse=True)
def registered():
    probe.register()


def test_token():
    token = _core.Token()
    assert token.cancelled is False and token.cancel() is None and token.cancelled is True
    assert "cancelled" in repr(token)
    with pytest.raises(_core.Cancelled):
        sweep(params(4), token=token)
    with pytest.raises(AttributeError):
        token.cancelled = False
    with pytest.raises(TypeError):
        _core.Token(1)
    with pytest.raises(TypeError):
        type("Mine", (_core.Token,), {})
    assert sweep(params(), token=_core.Token())["metrics"].size == 1
    assert sweep(params(), token=None, progress=None)["metrics"].size == 1


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("mask", [False, True])
def test_cancel_from_another_thread(threads, mask):
    """Within 100 ms; a busy machine may spoil an attempt or two, never all of them."""

    def attempt():
        token, when = _core.Token(), []

        def cancel():
            when.append(time.perf_counter())
            token.cancel()

        timer = threading.Timer(0.15, cancel)
        timer.start()
        with pytest.raises(_core.Cancelled):
            sweep(params(8, **LONG), threads=threads, token=token, mask_errors=mask)
        took = time.perf_counter() - when[0]
        timer.join()
        return took

    assert any(attempt() < 0.1 for _ in range(ATTEMPTS))


def test_sweep_in_a_thread_is_cancelled():
    token, seen = _core.Token(), []

    def work():
        try:
            sweep(params(4, **LONG), token=token, progress=lambda done, total: seen.append((done, total)))
        except _core.Cancelled:
            seen.append("cancelled")

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.2)
    token.cancel()
    thread.join(60)
    assert not thread.is_alive() and seen[-1] == "cancelled" and seen[0] == (0, 4)


@pytest.mark.skipif(sys.platform == "win32", reason="needs interval timers")
def test_keyboard_interrupt():
    def attempt():
        old = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
        signal.setitimer(signal.ITIMER_REAL, 0.15)
        start = time.perf_counter()
        try:
            with pytest.raises(KeyboardInterrupt):
                sweep(params(8, **LONG), threads=2, mask_errors=True)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, old)
        return time.perf_counter() - start

    assert any(attempt() < 0.65 for _ in range(ATTEMPTS))  # 500 ms after the alarm


def test_theory_is_interrupted():
    rows = params(100_000)
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(KeyError("alarm")))
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(KeyError, match="alarm"):
            while True:
                _core.theory(NAME, rows)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def test_progress():
    seen = []
    sweep(params(60, jobs=2_000_000), threads=2, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (60, 60) and seen == sorted(seen) and len(seen) > 2
    assert all(total == 60 for _, total in seen)


@pytest.mark.parametrize("rows", [{"n": 40, "jobs": 3_000_000}, {"n": 1}])
def test_progress_raises(rows):
    """Both in the middle of a long sweep and at the end of a short one."""

    def progress(done, total):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        sweep(params(**rows), threads=2, progress=progress)


def test_progress_may_sweep_itself():
    inner = []
    sweep(
        params(20, jobs=2_000_000),
        threads=2,
        progress=lambda *_: inner.append(sweep(params())["metrics"].size),
    )
    assert inner and set(inner) == {1}


def test_sweeps_at_once():
    expected = sweep(params(50))["metrics"].tobytes()
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(sweep(params(50), threads=2)["metrics"].tobytes()))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 8


def test_memory_that_changes_meanwhile():
    """Another thread scribbles over everything that was handed in; nothing crashes."""
    rows = params(200, jobs=20_000)
    rows["classes"] = (0, 0, 2)
    table, samples, k = class_rows({}, {}), np.arange(1.0, 100.0), keys(200).copy()
    rows["service"] = (_core.DISTRIBUTION_NAMES.index("empirical"), 1, 0, 99, [0] * 4, 0)
    stop = threading.Event()

    def scribble():
        noise = np.random.default_rng(1)
        while not stop.is_set():
            for array in (rows, table, samples, k):
                bytes_ = array.view(np.uint8).reshape(-1)
                bytes_[noise.integers(0, bytes_.size, 64)] = noise.integers(0, 256, 64)
            time.sleep(0.001)

    thread = threading.Thread(target=scribble)
    thread.start()
    try:
        for _ in range(5):
            for call in (
                lambda: _core.sweep(
                    NAME,
                    rows,
                    k,
                    pool=[table, samples],
                    threads=2,
                    mask_errors=True,
                    steps_max=10**6,
                    memory_max=10**7,
                ),
                lambda: _core.theory(NAME, rows, [table, samples]),
                lambda: _core.warnings(NAME, rows, [table, samples]),
            ):
                try:
                    call()
                except (ValueError, TypeError, _core.BudgetError):
                    pass
    finally:
        stop.set()
        thread.join()


def everything():
    """Each function of the binding, with good input and with bad."""
    rows = params(3, jobs=[1, 2, 3])
    rows["classes"] = (0, 0, 1)
    pool = [class_rows({}), np.array([1.0, 2.0])]
    result = sweep(
        rows, reps=2, pool=pool, wanted=["jobs", "queue_length", "trace"], progress=lambda *_: None
    )
    m, b = result["metrics"], result["buckets"]
    _core.sweep(NAME, params(2, fail=1), keys(2), mask_errors=True)
    series = result["outputs"]["queue_length"]
    mixture = _core.parse_distribution("mixture(1: constant(1), 3: constant(5))")
    _core.columns(NAME, m, b), _core.merge(NAME, m, b, [0, 1], [0, 2], 0.9)
    _core.quantiles(NAME, m, b, "size", [0.5], [0, 1], [0, 2]), _core.buckets(NAME, m, b, "size", [0, 1])
    _core.resample(NAME, "queue_length", *series, "length", [0.0, 1.0])
    trace = result["outputs"]["trace"][0]
    _core.trace_schema(NAME), _core.trace_lines(NAME, trace), _core.trace_clocks(trace, 2)
    _core.describe(NAME), _core.models(), _core.defaults(NAME), _core.row_keys(1, 2, 3, False)
    (
        _core.parse(NAME, "service", "mixture(1: constant(1), 3: constant(5))"),
        _core.format(NAME, "rate", params()),
    )
    _core.check(NAME, rows, pool), _core.theory(NAME, rows, pool), _core.steps(NAME, rows, pool)
    _core.warnings(NAME, params(2, rate=2000)), _core.nearest("a", ["ab"]), _core.quantity("1ms", "s")
    (
        _core.distribution_moments(mixture[0], [mixture[1]]),
        _core.distribution_sample(mixture[0], 9, 1, [mixture[1]]),
    )
    (
        _core.distribution_cdf(mixture[0], [1.0], [mixture[1]]),
        _core.format_distribution(mixture[0], [mixture[1]]),
    )
    _core.distribution_quantile(mixture[0], [0.5], [mixture[1]])
    x = np.arange(20.0)
    (
        _core.mean_interval(x),
        _core.paired_interval(x, x),
        _core.ratio_interval(x, x + 1),
        _core.batch_means(x),
    )
    _core.bootstrap_interval(x), _core.quantile_interval(x, 0.5), _core.warmup_cut(x)
    for call, *arguments in [
        (_core.describe, "lab.nothing"),
        (_core.sweep, NAME, params(2), keys(3)),
        (_core.check, NAME, params(2, rate=-1)),
        (_core.sweep, NAME, params(fail=1), keys()),
        (_core.columns, NAME, m, b[:1]),
        (_core.parse, NAME, "rate", "x"),
        (_core.merge, NAME, m, b, [9], [0, 1], 0.9),
        (_core.theory, NAME, rows),
        (_core.register, 0),
        (_core.register, probe.address("probe_small")),
        (_core.format, NAME, "service", rows),
        (_core.resample, NAME, "jobs", *series, "took", [1.0]),
        (_core.trace_lines, NAME, series[0]),
        (_core.trace_clocks, trace, 1),
        (_core.distribution_cdf, mixture[0], [1.0]),
        (_core.quantiles, NAME, m, b, "size", [2.0], [0], [0, 1]),
        (_core.buckets, NAME, m, b, "total", [0]),
        (_core.parse_distribution, "mixture(1: constant(1), 3: constant(-)"),
        (_core.Token, 1),
    ]:
        with pytest.raises((ValueError, TypeError, KeyError)):
            call(*arguments)


def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * 4096


def test_nothing_leaks():
    """Neither Python memory nor that of the core: half a kilobyte a round would show."""
    for _ in range(20):
        everything()
    gc.collect()
    tracemalloc.start()
    everything()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(30):
        everything()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 30 * 500, f"{grown} bytes after 30 rounds"
    if sys.platform == "linux":
        before = resident()
        for _ in range(100):
            everything()
        assert resident() - before < 2_000_000


def test_references_come_back():
    rows, k, pool, progress = params(4), keys(4), [class_rows({}), np.arange(3.0)], lambda *_: None
    dtype, token = rows.dtype, _core.Token()
    held = [rows, k, pool, pool[0], pool[1], progress, token, dtype]
    before = [sys.getrefcount(x) for x in held]
    for _ in range(50):
        _core.sweep(NAME, rows, k, pool=pool, token=token, progress=progress)
        _core.theory(NAME, rows, pool), _core.check(NAME, rows, pool)
        with pytest.raises(_core.UnknownNameError):
            _core.sweep(NAME, rows, k, pool=pool, token=token, progress=progress, wanted=["x"])
    assert [sys.getrefcount(x) for x in held] == before
