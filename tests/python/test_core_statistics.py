"""The binding: distributions outside any model, and statistics."""

import math

import numpy as np
import pytest

from distlab import _core


def test_distribution_functions():
    record, parts = _core.parse_distribution("uniform(low=1, high=3)")
    assert parts is None and record.dtype == _core.DISTRIBUTION_DTYPE and record.shape == ()
    assert _core.distribution_moments(record) == (2, pytest.approx(1 / 3))
    assert _core.distribution_cdf(record, [[0, 1.5], [2, 9]]).tolist() == [[0, 0.25], [0.5, 1]]
    assert _core.distribution_quantile(record, 0.25).tolist() == 1.5
    draws = _core.distribution_sample(record, 10_000, 7)
    assert draws.shape == (10_000,) and draws.min() >= 1 and draws.max() <= 3 and abs(draws.mean() - 2) < 0.03
    assert np.array_equal(draws[:10], _core.distribution_sample(record, 10, 7))
    assert not np.array_equal(draws[:10], _core.distribution_sample(record, 10, 8))
    assert _core.distribution_sample(record, 0, 7).shape == (0,)
    assert _core.parse_distribution("64KiB", "byte")[0]["p"][0] == 65536
    assert _core.parse_distribution("3", None)[0]["p"][0] == 3
    mixture, parts = _core.parse_distribution("mixture(1: constant(1), 3: constant(5))")
    assert _core.distribution_moments(mixture, [parts])[0] == 4
    assert _core.distribution_cdf(mixture, [2.0], [parts]).tolist() == [0.25]
    assert set(_core.distribution_sample(mixture, 100, 1, [parts])) == {1, 5}


def test_distribution_functions_refuse():
    good = _core.parse_distribution("1s")[0]
    off, alien, two = good.copy(), good.copy(), np.stack([good, good])
    off["kind"], alien["kind"] = -1, 99
    for bad in (off, alien, two):
        with pytest.raises(ValueError):
            _core.distribution_moments(bad)
        with pytest.raises(ValueError):
            _core.format_distribution(bad)
    for call in (
        lambda: _core.distribution_moments(np.zeros(1)),
        lambda: _core.distribution_cdf(good, "x"),
        lambda: _core.distribution_sample(good, 1.5, 1),
        lambda: _core.distribution_cdf(good, [1j]),
        lambda: _core.parse_distribution(b"1s"),
        lambda: _core.distribution_sample(good, 1, "k"),
    ):
        with pytest.raises((TypeError, ValueError)):
            call()
    for call in (
        lambda: _core.distribution_sample(good, -1, 1),
        lambda: _core.distribution_sample(good, 1, -1),
        lambda: _core.distribution_sample(good, 1, 2**64),
        lambda: _core.distribution_quantile(good, 1.1),
        lambda: _core.distribution_quantile(good, math.nan),
    ):
        with pytest.raises(ValueError):
            call()
    with pytest.raises(_core.UnknownNameError, match="gauss"):
        _core.parse_distribution("gauss(1)")
    mixture = _core.parse_distribution("mixture(1: constant(1), 3: constant(5))")[0]
    with pytest.raises(ValueError):
        _core.distribution_moments(mixture)
    with pytest.raises((MemoryError, ValueError)):
        _core.distribution_sample(good, 2**60, 1)


X = np.array([1.0, 2, 3, 4, 10])


def test_intervals():
    mean, low, high, se, n = _core.mean_interval(X)
    assert (mean, n) == (4, 5) and type(n) is int
    assert se == pytest.approx(np.std(X, ddof=1) / math.sqrt(5))
    assert high - mean == pytest.approx(_core.t_quantile(0.975, 4) * se) == mean - low
    assert _core.mean_interval(X, 0.5)[2] < high
    assert _core.mean_interval([1, 2, 3]) == _core.mean_interval(np.array([1, 9, 2, 9, 3])[::2])
    assert _core.paired_interval(X, X + 1)[0] == 1
    assert _core.ratio_interval(X, [2] * 5)[0] == 2
    low, high = _core.proportion_interval(0, 100)[1:3]
    assert low == 0 and 0.02 < high < 0.05
    assert all(math.isnan(v) for v in _core.mean_interval([])[:3])
    assert _core.normal_quantile(0.975) == pytest.approx(1.959963984540054)
    assert _core.t_quantile(0.5, 3) == 0


def test_bootstrap_quantile_batches_and_warmup():
    rng = np.random.default_rng(1)
    x = rng.exponential(size=4096)
    point, low, high, _, n = _core.bootstrap_interval(x)
    assert low < 1 < high and n == 4096 and point == pytest.approx(x.mean())
    assert _core.bootstrap_interval(x, 0.95, 1000, 1) == _core.bootstrap_interval(x)
    assert _core.bootstrap_interval(x, 0.95, 1000, 2) != _core.bootstrap_interval(x)
    before = x.copy()
    point, low, high, _, _ = _core.quantile_interval(x, 0.5)
    assert low < math.log(2) < high and np.array_equal(x, before)
    assert point == np.sort(x)[2047] and math.isnan(_core.quantile_interval([1, math.nan, 2], 0.5)[0])
    interval, lag1 = _core.batch_means(x)
    assert interval[1] < 1 < interval[2] and abs(lag1) < 0.6
    assert _core.warmup_cut(np.r_[np.full(500, 50.0), x]) == pytest.approx(500, abs=5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: _core.mean_interval(X, 0),
        lambda: _core.mean_interval(X, 1.0),
        lambda: _core.mean_interval(X, math.nan),
        lambda: _core.mean_interval(X.reshape(5, 1)),
        lambda: _core.mean_interval(3.0),
        lambda: _core.batch_means(X, 2),
        lambda: _core.paired_interval(X, X[:2]),
        lambda: _core.ratio_interval(X[:2], X),
        lambda: _core.proportion_interval(5, 4),
        lambda: _core.proportion_interval(-1, 4),
        lambda: _core.proportion_interval(math.nan, 4),
        lambda: _core.quantile_interval(X, 1.5),
        lambda: _core.bootstrap_interval(X, 0.95, 10),
        lambda: _core.bootstrap_interval(X, 0.95, -1),
        lambda: _core.bootstrap_interval(X, 0.95, 1000, -1),
        lambda: _core.t_quantile(1.5, 3),
        lambda: _core.t_quantile(0.5, 0),
        lambda: _core.t_quantile(0.5, math.nan),
        lambda: _core.normal_quantile(-0.1),
        lambda: _core.warmup_cut(X[None]),
        lambda: _core.row_keys(-1, 1, 1, True),
        lambda: _core.row_keys(1, -1, 1, True),
        lambda: _core.row_keys(2**64, 1, 1, True),
        lambda: _core.row_keys(1, 2**31, 2**33, True),
    ],
)
def test_statistics_refuse_values(call):
    with pytest.raises((ValueError, MemoryError)):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: _core.mean_interval("x"),
        lambda: _core.mean_interval([1j]),
        lambda: _core.mean_interval(None),
        lambda: _core.mean_interval(),
        lambda: _core.mean_interval(X, confidence=0.9),
        lambda: _core.cores(1),
        lambda: _core.proportion_interval("1", 2),
        lambda: _core.row_keys(1.5, 1, 1, True),
        lambda: _core.quantile_interval(X),
        lambda: _core.t_quantile("p", 1),
        lambda: _core.models(1),
    ],
)
def test_statistics_refuse_types(call):
    with pytest.raises((TypeError, ValueError)):
        call()


def test_row_keys():
    shared = _core.row_keys(7, 3, 2, True)
    own = _core.row_keys(7, 3, 2, False)
    assert shared.shape == own.shape == (3, 2) and shared.dtype == np.uint64
    assert (shared == shared[0]).all() and len(set(own.ravel())) == 6
    assert np.array_equal(_core.row_keys(7, 2, 1, False, 1, 1), own[1:, 1:])
    assert np.array_equal(_core.row_keys(7, 1, 1, True, 5, 1), shared[:1, 1:])
    assert _core.row_keys(np.uint64(2**64 - 1), 0, 3, True).shape == (0, 3)
    assert np.array_equal(_core.row_keys(np.int32(7), 3, 2, True), shared)
