"""Sweeps: axes, keys, threads, precision, kept outputs, masks, progress, cost."""

import signal
import threading
import time
import warnings

import numpy as np
import pytest

import distlab as dl
import probe

STATION = "queueing.station"
FEW = {"jobs": 300, "reps": 3}


@pytest.fixture(autouse=True)
def registered():
    probe.register()


def sweep(*axes, **params):
    return dl.sweep(STATION, *axes, **{**FEW, **params})


def same_bits(a, b):
    return a.array.shape == b.array.shape and a.array.tobytes() == b.array.tobytes()


def test_axes_in_the_order_given():
    s = sweep(servers=[1, 2, 4], arrival_rate=np.linspace(10, 90, 5), deadline=("10ms", 0.1))
    assert s.dims == ("servers", "arrival_rate", "deadline") and s.shape == (3, 5, 2)
    assert s.array.shape == (3, 5, 2, 3)
    assert s.coords["deadline"].tolist() == [0.01, 0.1] and s.coords["servers"].dtype == np.int64
    alone = dl.run(STATION, servers=4, arrival_rate=50, deadline="100ms", jobs=300)
    assert s.array[2, 2, 1, 0] == alone.array
    assert "servers" not in s.params and s.params["jobs"] == 300 and s.changed == {"jobs": 300}


@pytest.mark.filterwarnings("ignore:.*no steady state")
def test_labels():
    s = sweep(service={"steady": "10ms", "wild": dl.lognormal(mean="10ms", scv=9)}, capacity=[5, None])
    assert s.coords["service"].tolist() == ["steady", "wild"] and s.coords["capacity"].tolist() == [
        "5",
        "off",
    ]
    assert sweep(service=[0.01, 0.02]).coords["service"].tolist() == [0.01, 0.02]
    assert sweep(service=["5ms", dl.exponential("2ms")]).coords["service"].tolist() == [
        "5ms",
        "exponential(mean=2ms)",
    ]
    bugs = [row["name"] for row in dl.models()[STATION].bugs]
    assert sweep(bug=bugs).coords["bug"].tolist() == bugs
    tables = {"one": dl.table([{"weight": 1}]), "two": dl.table([{"weight": 2}, {"weight": 3}])}
    p = dl.sweep(
        probe.NAME, classes=tables, features=[{"alpha"}, "beta|gamma"], verbose=[False, True], reps=1
    )
    assert p.mean("class_weight")[:, 0, 0].tolist() == [1, 5]
    assert p.coords["features"].tolist() == ["alpha", "beta|gamma"] and p.coords["verbose"].dtype == bool
    assert dl.sweep(probe.NAME, classes=[None, dl.table([{}], label="x")]).coords["classes"].tolist() == [
        "off",
        "x",
    ]


def test_one_coordinate_for_several_parameters():
    load = dl.axis(
        "load", [0.5, 0.9], lambda rho: {"arrival_rate": 100 * rho, "servers": 1}, doc="Offered load."
    )
    s = sweep(load, deadline=["20ms", "1s"])
    assert s.dims == ("load", "deadline") and s.field("load")["doc"] == "Offered load."
    assert s.aux["arrival_rate"][0] == "load" and s.aux["arrival_rate"][1].tolist() == [50, 90]
    assert same_bits(s, sweep(arrival_rate=[50, 90], deadline=["20ms", "1s"]))
    assert same_bits(
        s, sweep(arrival_rate=dl.axis("load", [0.5, 0.9], lambda rho: 100 * rho), deadline=["20ms", "1s"])
    )
    assert sweep(service=dl.axis("law", {"a": "5ms", "b": "6ms"})).dims == ("law",)
    with pytest.raises(TypeError, match="dict of parameters"):
        sweep(dl.axis("load", [0.5], lambda rho: rho))
    with pytest.raises(KeyError, match="'arrival_rate'"):
        sweep(dl.axis("load", [0.5], lambda rho: {"arival_rate": rho}))
    with pytest.raises(ValueError, match="set twice"):
        sweep(dl.axis("load", [0.5], lambda rho: {"servers": 1}), servers=2)
    with pytest.raises(ValueError, match="two axes"):
        sweep(dl.axis("load", [50], lambda r: {"servers": 1}), dl.axis("load", [50], lambda r: {"jobs": 10}))


def test_designs_from_any_sampler():
    pandas = pytest.importorskip("pandas")
    points = [{"arrival_rate": 10.0, "servers": 1}, {"arrival_rate": 150.0, "servers": 2}]
    array = np.array([(10.0, 1), (150.0, 2)], [("arrival_rate", "f8"), ("servers", "i8")])
    names = (["arrival_rate", "servers"], np.array([[10.0, 1], [150.0, 2]]))
    all_of_them = [sweep(design=d) for d in (points, array, pandas.DataFrame(points), names)]
    for s in all_of_them:
        assert s.dims == ("point",) and s.aux["servers"][1].tolist() == [1, 2]
        assert same_bits(s, all_of_them[0])
    assert sweep(design=points, deadline=["10ms", "1s"]).dims == ("point", "deadline")
    for bad in (3, [], [1], (["a"], np.ones((2, 3))), [{"servers": 1}, {"jobs": 1}]):
        with pytest.raises((TypeError, ValueError), match="design"):
            sweep(design=bad)


def test_threads_change_nothing():
    a = sweep(arrival_rate=np.linspace(10, 90, 9), threads=1)
    assert same_bits(a, sweep(arrival_rate=np.linspace(10, 90, 9), threads=2))


def test_common_random_numbers_and_independent_points():
    a = sweep(deadline=["1s", "2s"])
    assert a.array["latency_mean"][0].tolist() == a.array["latency_mean"][1].tolist()
    b = sweep(deadline=["1s", "2s"], crn=False)
    assert a.crn and not b.crn and len(set(b.array["latency_mean"].reshape(-1))) == 6
    assert "point" in b.provenance["keys"] and "point" not in a.provenance["keys"]


def test_repetitions_are_numbered_for_ever():
    assert sweep(reps=8).array[:3].tobytes() == sweep(reps=3).array.tobytes()
    assert dl.sweep(STATION, jobs=100).reps == 20
    assert sweep(seed=None).seed != sweep(seed=None).seed


def test_precision_adds_repetitions():
    s = dl.sweep(STATION, arrival_rate=[10, 50], jobs=1000, reps=5, precision=0.02)
    stats = s.stats("latency_mean")
    assert (
        s.reps in (10, 20, 40, 80, 160, 320)
        and ((stats["high"] - stats["low"]) / 2 <= 0.02 * stats["mean"]).all()
    )
    assert (
        dl.sweep(STATION, arrival_rate=[10, 50], jobs=1000, reps=s.reps).array.tobytes() == s.array.tobytes()
    )
    with pytest.warns(dl.DistlabWarning, match="miss the precision with 8 repetitions"):
        assert sweep(precision={"latency_p99": 1e-4}, reps_max=8).reps == 8
    with pytest.raises(KeyError, match="latency_mean"):
        sweep(precision={"latency_maen": 0.1})
    with pytest.raises(ValueError, match="precision"):
        sweep(precision=0)


def test_an_exact_model_runs_once_and_has_no_intervals():
    dl.register(probe.address("probe_tiny"))
    s = dl.sweep("lab.tiny", x=[1, 2, 3], precision=0.1)
    assert s.reps == 1 and s.mean("x").tolist() == [2, 4, 6]
    assert np.isnan(s.ci("x")).all()
    assert np.isnan(dl.sweep("lab.tiny", x=[1, 2], reps=3).stats("x")["se"]).all()


def test_kept_series_on_a_common_grid():
    s = sweep(arrival_rate=[50, 90], keep=["queue_length"])
    times = s.series["queue_length"]["time"]
    assert times.shape == (200,) and times[0] == 0
    values = s.series["queue_length"]["queue_length"]
    assert values.shape == (2, 3, 200)
    run = s.replay({"arrival_rate": 90}, 2, keep=True)
    raw = run.series["queue_length"]
    held = raw["queue_length"][np.searchsorted(raw["time"], times, side="right") - 1]
    assert np.array_equal(values[1, 2], held)
    chosen = sweep(arrival_rate=[50, 90], reps=40, keep={"queue_length": [0.5, 1.0]}, threads=1)
    assert chosen.series["queue_length"]["queue_length"].shape == (2, 40, 2)
    assert same_bits(chosen, sweep(arrival_rate=[50, 90], reps=40))
    assert sweep(keep={"queue_length": 7}).series["queue_length"]["time"].shape == (7,)


@pytest.mark.filterwarnings("ignore:.*miss the precision")
def test_blocks_and_precision_leave_no_seam():
    grid = np.linspace(0, 3, 5)
    a = sweep(arrival_rate=[50, 60, 70], reps=33, keep={"queue_length": grid, "jobs": None}, threads=1)
    b = sweep(arrival_rate=[50, 60, 70], reps=33, keep={"queue_length": grid, "jobs": None}, threads=2)
    c = sweep(
        arrival_rate=[50, 60, 70],
        reps=11,
        keep={"queue_length": grid, "jobs": None},
        precision=1e-4,
        reps_max=33,
    )
    for other in (b, c):
        assert same_bits(a, other)
        for column in ("queue_length", "in_system"):
            assert np.array_equal(a.series["queue_length"][column], other.series["queue_length"][column])
        assert a.tables["jobs"].tobytes() == other.tables["jobs"].tobytes()
        assert np.array_equal(a.quantile("latency", [0.1, 0.9]), other.quantile("latency", [0.1, 0.9]))
        assert repr(a.stats("latency_p99")) == repr(other.stats("latency_p99"))


def test_kept_tables_with_their_rows():
    s = sweep(arrival_rate=[50, 90], keep="jobs")
    table = s.tables["jobs"]
    assert table.dtype.names[:3] == ("row", "point", "rep")
    assert (
        np.array_equal(table["row"], table["point"] * 3 + table["rep"]) and (np.diff(table["row"]) >= 0).all()
    )
    run = s.replay(1, 2, keep="jobs")
    mine = table[(table["point"] == 1) & (table["rep"] == 2)]
    assert np.array_equal(mine["departure"], run.tables["jobs"]["departure"])
    with pytest.raises(dl.BudgetError, match="jobs"):
        sweep(keep="jobs", jobs=10_000, keep_max="10KiB")
    for bad, words in ((3, "keep"), ({"jobs": 5}, "no series"), ({"queue_length": [2, 1]}, "ascending")):
        with pytest.raises((TypeError, ValueError), match=words):
            sweep(keep=bad)


def test_masked_failures():
    with pytest.raises(ValueError, match="servers = 0"):
        sweep(servers=[0, 1])
    s = sweep(servers=[0, 1], errors="mask")
    assert len(s.failures) == 3 and s.failures[0]["code"] == "ERANGE" and s.failures[0]["servers"] == 0
    assert np.isnan(s.array["latency_mean"][0]).all() and np.isfinite(s.array["latency_mean"][1]).all()
    assert np.isnan(s.mean("latency_mean")[0]) and np.isnan(s.theory("latency_mean")[0])
    assert s.stats("latency_mean")["n"].tolist() == [0, 3] and "failed" in repr(s)
    assert "3 rows failed" in s.summary() and len(s._repr_html_().encode()) <= 8192
    fail = dl.models()[probe.NAME].field("fail")["choices"]
    failing = dl.sweep(probe.NAME, fail=fail[:3], reps=2, errors="mask")
    assert [f["code"] for f in failing.failures] == ["ERANGE"] * 2 + ["ELIMIT"] * 2


def test_progress():
    seen = []
    sweep(
        arrival_rate=np.linspace(10, 90, 50),
        jobs=20_000,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen[-1] == (150, 150) and [d for d, _ in seen] == sorted(d for d, _ in seen)
    sweep(progress=True)
    with pytest.raises(RuntimeError, match="enough"):
        dl.sweep(STATION, reps=500, progress=_stop)
    with pytest.raises(TypeError, match="progress"):
        sweep(progress=3)


def test_a_bar_appears_only_where_it_is_worth_it(monkeypatch):
    tqdm = pytest.importorskip("tqdm.auto")
    from distlab import _progress

    made = []
    monkeypatch.setattr(tqdm, "tqdm", lambda **options: made.append(options) or _Bar())
    for visible, spent, done, expected in (
        (True, 2, 1, 1),
        (False, 2, 1, 0),
        (True, 0.5, 1, 0),
        (True, 2, 50, 0),
    ):
        made.clear()
        monkeypatch.setattr(_progress, "_visible", lambda visible=visible: visible)
        with _progress.Progress(None) as bar:
            bar.more(100)
            bar._start -= spent
            bar.block()(done, 100)
        assert len(made) == expected


class _Bar:
    n = 0

    def update(self, count):
        self.n += count

    def close(self):
        pass


def _stop(done, total):
    raise RuntimeError("enough")


def test_a_token_stops_a_sweep():
    token = dl.Token()
    timer = threading.Timer(0.2, token.cancel)
    timer.start()
    start = time.perf_counter()
    with pytest.raises(dl.Cancelled):
        dl.sweep(STATION, jobs=10**8, reps=50, token=token)
    assert time.perf_counter() - start < 2
    with pytest.raises(TypeError, match="token"):
        sweep(token=3)


def test_cost_before_it_is_paid():
    cost = dl.estimate(STATION, arrival_rate=np.linspace(10, 90, 9), jobs=2000, reps=4)
    assert (cost.points, cost.reps, cost.rows) == (9, 4, 36) and cost.steps >= 36 * 2000
    assert 0 < cost.seconds < 60 and cost.bytes > 36 * 200 and len(repr(cost)) < 160
    with pytest.raises(ValueError, match=r"GiB.*fewer points or reps.*budget"):
        dl.sweep(STATION, arrival_rate=np.linspace(10, 90, 5000), reps=10_000)
    with pytest.raises(ValueError, match="budget"):
        sweep(reps=1000, budget={"total": "1KiB"})
    assert dl.estimate(STATION, jobs=10**9).seconds > 1


@pytest.mark.parametrize(
    ("words", "params"),
    [
        ("at least|1 to", {"servers": []}),
        ("twice", {"servers": [1, 1]}),
        ("one dimension", {"servers": np.ones((2, 2))}),
        ("label", {"servers": {1: 1}}),
        ("reps", {"reps": 0}),
        ("reps", {"reps": True}),
        ("threads", {"threads": 0}),
        ("confidence", {"confidence": 1}),
        ("'mask'", {"errors": "maks"}),
        ("crn", {"crn": 1}),
        ("keep_max", {"keep_max": "much"}),
        ("1.5", {"servers": np.array([1, 1.5])}),
        ("servers", {"servers": [1, "two"]}),
    ],
)
def test_what_a_sweep_refuses(words, params):
    with pytest.raises((TypeError, ValueError), match=words):
        sweep(**params)


def test_no_warning_without_reason():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sweep(arrival_rate=[10, 50])


def test_kept_rows_are_refused_before_they_are_made():
    start = time.perf_counter()
    with pytest.raises(dl.BudgetError, match=r"jobs.*keep_max = 1 GiB.*raise keep_max"):
        dl.sweep(STATION, keep="jobs", jobs=500_000, reps=2000)
    with pytest.raises(ValueError, match=r"keep fewer outputs.*budget="):
        dl.sweep(STATION, keep="jobs", jobs=500_000, reps=200, keep_max="1TiB", budget={"total": "1GiB"})
    assert time.perf_counter() - start < 5
    few, many = (dl.estimate(STATION, jobs=n, reps=100, keep="jobs").bytes for n in (1000, 100_000))
    assert many > 50 * few


def test_precision_stops_where_the_memory_ends():
    with pytest.warns(dl.DistlabWarning, match="keep_max.*the result has 8 repetitions"):
        s = dl.sweep(
            STATION, jobs=2000, reps=4, keep="jobs", keep_max="1MiB", precision=1e-6, reps_max=64, seed=2
        )
    assert s.reps == 8 and s.tables["jobs"]["rep"].max() == 7


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")
def test_planning_a_large_sweep_hears_an_interrupt():
    def stop(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, stop)
    rates = np.linspace(1, 90, 2_000_000)
    start = time.perf_counter()
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            dl.sweep(STATION, arrival_rate=rates, jobs=10, reps=1)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.perf_counter() - start < 1


def test_names_and_mistakes_of_mapped_axes():
    with pytest.raises(ValueError, match=r"axis load: fn failed at 0: ZeroDivisionError") as caught:
        sweep(dl.axis("load", [1, 0], lambda v: {"arrival_rate": 1 / v}))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(ValueError, match="'latency_mean'.*column"):
        sweep(dl.axis("latency_mean", [1, 2], lambda v: {"arrival_rate": v}))
    with pytest.raises(ValueError, match="does not set the parameter servers"):
        sweep(dl.axis("servers", [1, 2], lambda v: {"arrival_rate": v}))
    assert sweep(dl.axis("servers", [1, 2], lambda v: {"servers": v, "arrival_rate": v})).shape == (2,)
