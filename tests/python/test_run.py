"""One run: how it is asked for, what comes back, and that the package stays light until more is needed."""

import inspect
import os
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

import distlab as dl
import probe

STATION = "queueing.station"


def fresh(code):
    """Run code in a process of its own; what it printed."""
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


HEAVY = "[m for m in ('matplotlib', 'xarray', 'pandas', 'IPython', 'tqdm', 'numpy.ma') if m in sys.modules]"


def test_start_up_pulls_in_numpy_only():
    code = f"""
import sys, numpy
before = set(sys.modules)
import distlab as dl
own = {{m.partition('.')[0] for m in set(sys.modules) - before}} - {{'distlab'}}
print(sorted(own), sorted(m for m in sys.modules if m.startswith('distlab')))
dl.run('{STATION}', jobs=100); dl.sweep('{STATION}', jobs=100, servers=[1, 2], reps=2).stats('latency_mean')
print({HEAVY})"""
    first, second = fresh(code).split("\n")
    assert first == "[] ['distlab', 'distlab._core']"
    assert second == "[]"


def test_start_up_costs_next_to_nothing():
    code = """
import time, numpy
start = time.perf_counter()
import distlab
print(time.perf_counter() - start)"""
    assert min(float(fresh(code)) for _ in range(3)) < 0.015


def test_columns_in_every_way():
    run = dl.run(STATION, jobs=2000)
    assert run.latency_mean == run["latency_mean"] == run["latency"] == run.metrics["latency_mean"]
    assert run.metrics.latency_p99 == run.array["latency_p99"]
    assert run.array.shape == () and run.array.dtype.names == tuple(run.metrics)
    assert all(isinstance(value, float) for value in run.metrics.values())
    with pytest.raises(KeyError, match="latency_p90"):
        run["latency_p98"]
    with pytest.raises(KeyError, match="latency_p90"):
        run.metrics["latency_p98"]
    with pytest.raises(AttributeError, match="latency_mean"):
        _ = run.latency_maen
    assert "latency_p99" in dir(run)


def test_a_run_is_repetition_zero_of_a_sweep():
    run = dl.run(STATION, jobs=2000, seed=5)
    sweep = dl.sweep(STATION, jobs=2000, seed=5, reps=2)
    assert run.array == sweep.array[0]
    assert dl.run(STATION, jobs=2000, seed=6).array != run.array


def test_seed_none_draws_and_records():
    run = dl.run(STATION, jobs=500, seed=None)
    assert dl.run(STATION, jobs=500, seed=run.seed).array == run.array


def test_kept_tables_and_series():
    run = dl.run(STATION, jobs=500, keep=["queue_length"])
    assert list(run.series) == ["queue_length"] == list(run.tables)
    again = run.replay(keep=True)
    assert again.array == run.array and set(again.tables) == {"jobs", "queue_length"}
    assert len(again.tables["jobs"]) >= 500
    assert np.array_equal(again.series["queue_length"], run.series["queue_length"])
    assert set(dl.run(STATION, jobs=10, keep=True).tables) == {"jobs", "queue_length"}
    times, values, field = run.series_data("queue_length")
    assert len(times) == len(values) and field["name"] == "queue_length"
    with pytest.raises(KeyError, match="queue_length"):
        dl.run(STATION, keep="queue_lenght")


def test_theory_interval_histogram_and_quantiles():
    run = dl.run(STATION, jobs=20_000, arrival_rate=50)
    assert run.theory["latency_mean"] == pytest.approx(0.02)
    assert run.stats("wait")["low"] < run.stats("wait")["mean"] < run.stats("wait")["high"]
    assert np.isnan(run.stats("latency_mean")["low"])
    edges, counts = run.histogram("latency")
    assert len(edges) == len(counts) + 1 and counts.sum() == 18_000
    assert run.quantile("latency", 0.99) == pytest.approx(run.latency_p99)
    assert run.quantile("latency", [0.5, 0.99]).shape == (2,)
    with pytest.raises(ValueError, match="outside 0 to 1"):
        run.quantile("latency", 1.5)


def test_what_people_read():
    run = dl.run(STATION, jobs=2000, arrival_rate=60)
    assert len(repr(run)) <= 100
    text = run.summary()
    assert "arrival_rate=60/s" in text and "ms" in text and "closed form" in text
    assert len(run._repr_html_().encode()) <= 8192
    assert "ms" in repr(run.metrics)
    assert run.changed == {"jobs": 2000, "arrival_rate": 60}
    assert run.params["capacity"] is None and run.params["service"] == dl.exponential("10ms")


def test_one_warning_at_the_line_of_the_user():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dl.run(STATION, jobs=100, arrival_rate=120)
    assert [w.category for w in caught] == [dl.DistlabWarning]
    assert caught[0].filename == __file__ and "no steady state" in str(caught[0].message)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dl.sweep(STATION, jobs=100, reps=2, arrival_rate=[90, 120, 130])
    assert len(caught) == 1 and "at point 1 and 1 more" in str(caught[0].message)


def test_budget_and_token():
    with pytest.raises(dl.BudgetError, match="100 steps"):
        dl.run(STATION, budget={"steps": 100})
    with pytest.raises(KeyError, match="'steps'"):
        dl.run(STATION, budget={"stesp": 100})
    probe.register()
    with pytest.raises(dl.BudgetError):
        dl.run(probe.NAME, memory="1MiB", budget={"memory": "100KiB"})
    token = dl.Token()
    timer = threading.Timer(0.2, token.cancel)
    timer.start()
    with pytest.raises(dl.Cancelled):
        dl.run(STATION, jobs=10**10, token=token)
    timer.join()


def test_models_are_functions():
    station = dl.queueing.station
    assert station is dl.models()[STATION] is dl.queueing.station
    assert station(jobs=500).array == dl.run(STATION, jobs=500).array
    signature = inspect.signature(station)
    assert list(signature.parameters)[: len(station.fields)] == station.fields.names
    assert signature.parameters["servers"].default == 1 and signature.parameters["capacity"].default is None
    assert "station" in dir(dl.queueing) and "queueing" in dir(dl)
    doc = inspect.getdoc(station)
    for word in ("Parameters\n----------", "servers : int, default 1", "1/s", "latency_p99", "References"):
        assert word in doc
    assert "closed form" in doc and "A model of the core" in inspect.getdoc(type(station))
    with pytest.raises(AttributeError, match="'station'"):
        _ = dl.queueing.statoin
    with pytest.raises(AttributeError, match="'queueing'"):
        _ = dl.queueng


def test_the_catalogue():
    every = dl.models()
    assert STATION in every.names and STATION in repr(every) and STATION in every
    assert [m.name for m in dl.models("station")] == [STATION]
    assert len(every._repr_html_().encode()) <= 8192 and len(every[STATION]._repr_html_().encode()) <= 8192
    assert every.get("nothing") is None
    with pytest.raises(TypeError):
        dl.models(3)


def test_all_is_what_there_is():
    from distlab import _HOME

    assert set(_HOME) < set(dl.__all__)
    for name in set(dl.__all__) - {"lesson"}:
        assert getattr(dl, name) is not None


def test_a_model_from_outside():
    tiny = dl.register(probe.address("probe_tiny"))
    assert tiny.name == "lab.tiny" and tiny.exact and tiny(x=3).x == 6
    assert dl.lab.tiny is tiny
    with pytest.raises(ValueError):
        dl.register(probe.address("probe_old"))
    with pytest.raises(TypeError):
        dl.register("address")


def test_exports():
    pytest.importorskip("xarray")
    run = dl.run(STATION, jobs=500, keep=True)
    data = run.dataset
    assert data["latency_mean"].attrs["units"] == "s" and data.attrs["model"] == STATION
    frame = run.frame()
    assert frame.loc["latency_mean", "value"] == run.latency_mean and frame.loc["latency_mean", "unit"] == "s"


def test_missing_extras_say_which(monkeypatch):
    for name in ("xarray", "pandas"):
        monkeypatch.setitem(sys.modules, name, None)
    run = dl.run(STATION, jobs=100)
    with pytest.raises(ImportError, match=r'pip install "distlab\[sweep\]"'):
        _ = run.dataset
    with pytest.raises(ImportError, match=r'pip install "distlab\[sweep\]"'):
        run.frame()
