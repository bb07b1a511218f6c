"""Distributions as Python values: constructors, text, equality, moments and draws."""

import math
import pickle

import numpy as np
import pytest

import distlab as dl
from distlab import _core

MADE = [
    (dl.constant("10ms"), 0.01, 0.0),
    (dl.uniform(0, 2), 1.0, 1 / 3),
    (dl.exponential("10ms"), 0.01, 1.0),
    (dl.hyperexponential(0.01, 4), 0.01, 4.0),
    (dl.hyperexponential(p=0.5, mean1=1, mean2=1), 1.0, 1.0),
    (dl.gamma(mean=2, scv=0.5), 2.0, 0.5),
    (dl.gamma(shape=4, scale=0.5), 2.0, 0.25),
    (dl.erlang(4, "8ms"), 0.008, 0.25),
    (dl.normal(10, 1), 10.0, 0.01),
    (dl.lognormal(mean=3, scv=2), 3.0, 2.0),
    (dl.lognormal(median=1, sigma=0), 1.0, 0.0),
    (dl.weibull(1, mean=5), 5.0, 1.0),
    (dl.pareto(3, 2), 3.0, 1 / 3),
    (dl.bimodal("1ms", "101ms", 0.1), 0.011, 0.09 * 0.01 / 0.011**2),
    (dl.mixture((1, 1), (3, "5")), 4.0, 3 / 16),
]


@pytest.mark.parametrize(
    ("d", "mean", "scv"), MADE, ids=lambda v: str(v) if isinstance(v, dl.Distribution) else None
)
def test_moments_quantiles_and_draws(d, mean, scv):
    assert d.mean == pytest.approx(mean, rel=1e-6) and d.scv == pytest.approx(scv, rel=1e-6, abs=1e-12)
    assert d.variance == pytest.approx(d.scv * d.mean**2, abs=1e-18)
    draws = d.sample(4000, seed=7)
    assert draws.shape == (4000,) and np.array_equal(draws, d.sample(4000, seed=7))
    assert draws.mean() == pytest.approx(mean, rel=0.25)
    p = np.array([[0.1, 0.5], [0.9, 1.0]])
    assert d.quantile(p).shape == (2, 2) and d.cdf(d.quantile(0.5)) >= 0.5 - 1e-9
    assert isinstance(d.cdf(mean), float)


@pytest.mark.parametrize("d", [d for d, _, _ in MADE], ids=str)
def test_text_and_copies_are_the_same_value(d):
    assert dl.distribution(d.text, d.unit) == d and hash(dl.distribution(d.text, d.unit)) == hash(d)
    assert pickle.loads(pickle.dumps(d)) == d and dl.distribution(d) is d
    assert "dl.distribution(" in repr(d) and len(d._repr_html_().encode()) <= 8192
    canonical = _core.format_distribution(d.record, d._pool)
    assert dl.distribution(canonical, d.unit) == d


def test_equal_laws_are_equal_however_written():
    assert dl.exponential("10ms") == dl.exponential(0.01) == dl.distribution("exponential(0.01)")
    assert dl.exponential("10ms") != dl.exponential("11ms") and dl.exponential(1) != dl.constant(1)
    assert dl.exponential(1) != "exponential(1)"
    assert len({dl.exponential("10ms"), dl.exponential(0.01)}) == 1


def test_shifts():
    d = dl.exponential("5ms") + "1ms"
    assert d == dl.exponential("5ms", shift="1ms") == dl.distribution("exponential(5ms) + 1ms")
    assert d.mean == pytest.approx(0.006) and d.sample(100).min() >= 0.001
    assert dl.distribution(d.text) == d
    with pytest.raises(TypeError):
        _ = d + [1]
    with pytest.raises(TypeError, match="shift"):
        dl.exponential(1, shift=True)
    with pytest.raises(ValueError):
        _ = d + math.inf


def test_units():
    assert dl.exponential("10ms").unit == "s" and dl.exponential(10).unit is None
    assert dl.exponential("10KiB", unit="byte").mean == 10240
    with pytest.raises(TypeError, match="a time is wanted"):
        dl.exponential("10KiB")
    with pytest.raises(ValueError, match="unit"):
        dl.exponential(1, unit="parsec")
    with pytest.raises(ValueError, match="differ in unit"):
        dl.mixture((1, dl.exponential("1ms")), (1, dl.exponential("1KiB", unit="byte")))


def test_samples():
    values = np.random.default_rng(5).gamma(2, 1, 3000)
    d = dl.empirical(values)
    assert np.array_equal(d.samples, np.sort(values)) and d.mean == pytest.approx(values.mean())
    assert set(d.sample(500).tolist()) <= set(values.tolist())
    assert d == dl.empirical(values[::-1]) and d != dl.empirical(values[1:]) and d.parts is None
    assert "3000 samples" in d.text and pickle.loads(pickle.dumps(d)) == d
    with pytest.raises(ValueError):
        d.samples[0] = 1
    with pytest.raises(AttributeError):
        d.text = "x"
    with pytest.warns(dl.DistlabWarning, match=r"50 samples say nothing above p98"):
        dl.empirical(values[:50])
    pandas = pytest.importorskip("pandas")
    assert dl.empirical(pandas.Series(values)) == d


@pytest.mark.filterwarnings("ignore:empirical")
@pytest.mark.parametrize(
    "bad", [[], [[1]], [1, math.nan], [1, math.inf], ["a"], "1, 2", 3, None, {"a": 1}, [1j]]
)
def test_samples_that_are_none(bad):
    with pytest.raises((TypeError, ValueError), match="samples"):
        dl.empirical(bad)


def test_mixtures():
    values = dl.empirical(np.linspace(1, 2, 2000))
    d = dl.mixture((9, dl.constant(1)), (1, values), (10, "exponential(2)"))
    assert d.mean == pytest.approx((9 + 1.5 + 20) / 20) and len(d.parts) == 3
    assert d == dl.mixture((9, 1), (1, dl.empirical(np.linspace(1, 2, 2000))), (10, dl.exponential(2)))
    assert d != dl.mixture((9, 1), (1, dl.empirical(np.linspace(1, 3, 2000))), (10, dl.exponential(2)))
    assert d.sample(2000).mean() == pytest.approx(d.mean, rel=0.2) and pickle.loads(pickle.dumps(d)) == d
    for bad in (
        (),
        ((1,),),
        ((-1, "1ms"),),
        ((0, 1),),
        ((1, d),),
        ((math.nan, 1),),
        ("ab",),
        ((1, "nothing(1)"),),
    ):
        with pytest.raises((TypeError, ValueError, KeyError)):
            dl.mixture(*bad)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: dl.exponential(-1), "exponential"),
        (lambda: dl.exponential(math.nan), "exponential|nan"),
        (lambda: dl.exponential(True), "number or text"),
        (lambda: dl.exponential("5ms, 3"), "one quantity"),
        (lambda: dl.exponential(10**400), "too large"),
        (lambda: dl.lognormal(median=1), "lognormal"),
        (lambda: dl.lognormal(median=1, scv=2), "lognormal"),
        (lambda: dl.pareto(-1, 1), "pareto"),
        (lambda: dl.distribution("exponentia(1)"), "'exponential'"),
        (lambda: dl.distribution([1, 2]), "dl.empirical"),
        (lambda: dl.distribution(None), "text"),
        (lambda: dl.exponential(1).sample(0), "n = 0"),
        (lambda: dl.exponential(1).quantile(1.5), "outside 0 to 1"),
        (lambda: dl.exponential(1).quantile("a"), "p must be"),
        (lambda: dl.exponential(1).cdf(math.nan), "NaN"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises((TypeError, ValueError, KeyError), match=words):
        call()
