"""Comparisons and solving: pairs under common random numbers, Welch without, brackets for exact models."""

import math

import numpy as np
import pytest

import distlab as dl
import probe
from distlab import _core

STATION = "queueing.station"


@pytest.fixture(scope="module")
def sweep():
    return dl.sweep(STATION, servers=[1, 2, 4], arrival_rate=[50, 80], jobs=2000, reps=12)


def test_paired_differences(sweep):
    c = dl.compare(sweep, over="servers")
    assert c.paired and c.dims == ("servers", "arrival_rate") and c.shape == (2, 2) and c.baseline == 1
    d = c.difference("latency_mean")
    a, b = (np.ascontiguousarray(sweep.array["latency_mean"][k, 1]) for k in (0, 2))
    assert [d[k][1, 1] for k in ("mean", "low", "high")] == pytest.approx(
        _core.paired_interval(a, b, 0.95)[:3]
    )
    assert d["mean"][1, 1] == pytest.approx((b - a).mean()) and (d["mean"] < 0).all()
    assert c.differs("latency").all()
    r = c.ratio("latency_mean")
    assert r["mean"][1, 1] == pytest.approx(b.mean() / a.mean()) and (r["low"] < r["mean"]).all()


def test_pairs_are_sharper_than_no_pairs(sweep):
    paired = dl.compare(sweep, over="servers").difference("latency_mean")
    welch = dl.compare(sweep, over="servers", paired=False)
    wide = welch.difference("latency_mean")
    assert not welch.paired and "Welch" in welch.summary()
    assert wide["mean"] == pytest.approx(paired["mean"])
    same = dl.sweep(STATION, deadline=["1s", "2s"], jobs=500, reps=5)
    zero = dl.compare(same, over="deadline").difference("latency_mean")
    assert zero["mean"] == [0] and zero["low"] == [0] and zero["high"] == [0]
    assert dl.compare(same, over="deadline", paired=False).difference("latency_mean")["high"] > 0


def test_independent_points_are_compared_unpaired():
    scipy = pytest.importorskip("scipy.stats")
    s = dl.sweep(STATION, arrival_rate=[50, 60], jobs=2000, reps=15, crn=False)
    c = dl.compare(s, over="arrival_rate", baseline=60, confidence=0.9)
    assert not c.paired and c.baseline == 60 and c.labels.tolist() == [50]
    d = c.difference("latency_mean")
    a, b = s.array["latency_mean"]
    want = scipy.ttest_ind(a, b, equal_var=False).confidence_interval(0.9)
    assert (d["low"][0], d["high"][0]) == pytest.approx((want.low, want.high), rel=1e-6)
    with pytest.raises(ValueError, match="no pairs"):
        dl.compare(s, over="arrival_rate", paired=True)


def test_two_sweeps(sweep):
    other = dl.sweep(
        STATION, servers=[1, 2, 4], arrival_rate=[50, 80], jobs=2000, reps=12, service="exponential(9ms)"
    )
    c = dl.compare(sweep, other)
    assert (
        c.paired
        and c.over == "sweep"
        and c.shape == (1, 3, 2)
        and (c.difference("latency")["mean"] < 0).all()
    )
    shifted = dl.sweep(STATION, servers=[1, 2, 4], arrival_rate=[50, 80], jobs=2000, reps=6, seed=2)
    assert not dl.compare(sweep, shifted).paired
    with pytest.raises(ValueError, match="grids differ"):
        dl.compare(sweep, sweep.sel(servers=2))


def test_what_compare_refuses(sweep):
    with pytest.raises(KeyError, match="'servers'"):
        dl.compare(sweep, over="server")
    with pytest.raises(KeyError, match="over"):
        dl.compare(sweep)
    with pytest.raises(ValueError, match="servers = 3"):
        dl.compare(sweep, over="servers", baseline=3)
    with pytest.raises(ValueError, match="one value only"):
        dl.compare(sweep.sel(servers=[1]), over="servers")
    with pytest.raises(TypeError, match="Sweep"):
        dl.compare(3)
    with pytest.raises(TypeError, match="Sweep"):
        dl.compare(sweep, 3)
    with pytest.raises(ValueError, match="one sweep only"):
        dl.compare(sweep, sweep, over="servers")
    with pytest.raises(KeyError, match="latency_mean"):
        dl.compare(sweep, over="servers").difference("latency_maen")


def test_what_people_see(sweep):
    c = sweep.compare("servers")
    rows = c.table("latency_p99")
    assert (
        len(rows) == 4
        and rows[0]["servers"] == 2
        and rows[0]["arrival_rate"] == 50
        and rows[0]["differs"] is True
    )
    assert rows[0]["value"] - rows[0]["baseline"] == pytest.approx(rows[0]["difference"])
    assert len(repr(c)) <= 100 and "paired" in c.summary() and len(c._repr_html_().encode()) <= 8192
    pandas = pytest.importorskip("pandas")
    assert isinstance(c.frame(), pandas.DataFrame) and len(c.frame()) == 4
    pytest.importorskip("matplotlib")
    assert c.plot() is not None


def test_one_repetition_has_no_interval():
    s = dl.sweep(STATION, servers=[1, 2], jobs=500, reps=1)
    for paired in (True, False):
        d = dl.compare(s, over="servers", paired=paired).difference("latency_mean")
        assert np.isnan(d["low"]).all() and np.isfinite(d["mean"]).all()


@pytest.fixture
def tiny():
    return dl.register(probe.address("probe_tiny"))


def test_solving_a_bracketed_equation(tiny):
    found = dl.solve(tiny, vary="x", between=(0, 10), column="x", target=7)
    assert float(found) == pytest.approx(3.5, rel=1e-15) and found.reached == pytest.approx(7)
    assert found.run.params["x"] == found.value and len(repr(found)) <= 100
    assert dl.solve("lab.tiny", vary="x", between=(3.5, 10), column="x", target=7).value == 3.5


def test_what_solve_refuses(tiny):
    with pytest.raises(ValueError, match=r"does not reach 30.*0 at 0.*20 at 10"):
        dl.solve(tiny, vary="x", between=(0, 10), column="x", target=30)
    with pytest.raises(ValueError, match="random"):
        dl.solve(STATION, vary="arrival_rate", between=(1, 2), column="loss", target=0.1)
    with pytest.raises(KeyError):
        dl.solve(tiny, vary="y", between=(0, 10), column="x", target=3)
    with pytest.raises(KeyError):
        dl.solve(tiny, vary="x", between=(0, 10), column="y", target=3)
    for between in ((2, 1), (1,), 3, (math.nan, 1), ("a", 2)):
        with pytest.raises((TypeError, ValueError)):
            dl.solve(tiny, vary="x", between=between, column="x", target=3)
    with pytest.raises(ValueError, match="outside"):
        dl.solve(tiny, vary="x", between=(0, 20), column="x", target=3)
    with pytest.raises(ValueError, match="cannot be given"):
        dl.solve(tiny, vary="x", between=(0, 10), column="x", target=3, x=1)


def test_points_are_those_of_the_merged_columns():
    s = dl.sweep(STATION, servers=[1, 2], jobs=300, reps=8, capacity=3)
    for paired in (True, False):
        c = dl.compare(s, over="servers", paired=paired)
        for name in ("latency_p99", "loss", "latency_mean"):
            base, value = s.mean(name)
            d, r = c.difference(name), c.ratio(name)
            assert c.means(name)[0] == base and c.means(name)[1][0] == value
            assert d["mean"][0] == value - base and r["mean"][0] == value / base
            a, b = s.array[name]
            if paired:
                _, low, high, _, _ = _core.paired_interval(a.copy(), b.copy(), 0.95)
                assert d["high"][0] - d["low"][0] == pytest.approx(high - low)
            assert (d["low"] + d["high"]) / 2 == pytest.approx(d["mean"])
            assert (r["low"] + r["high"]) / 2 == pytest.approx(r["mean"])
        row = c.table("latency_p99")[0]
        assert row["value"] - row["baseline"] == row["difference"]


def test_exact_models_differ_or_are_equal(tiny):
    s = dl.sweep(tiny, x=[1, 2, 3])
    c = dl.compare(s, over="x")
    d = c.difference("x")
    assert d["mean"].tolist() == d["low"].tolist() == d["high"].tolist() == [2, 4]
    assert c.differs("x").all() and "not told apart" not in c.summary() and "exact" in c.summary()
    other = dl.compare(s, s)
    assert not other.differs("x").any() and "equal" in other.summary()
