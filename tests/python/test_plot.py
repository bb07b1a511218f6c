"""What a picture owes its reader: units, intervals only where there is chance, closed forms, named gaps."""

import subprocess
import sys

import numpy as np
import pytest

import distlab as dl

pytest.importorskip("matplotlib")
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from distlab import _plot

STATION = "queueing.station"
RATES = [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0]


@pytest.fixture(scope="module")
def sweep():
    return dl.sweep(STATION, arrival_rate=RATES, servers=[1, 2], jobs=2000, reps=4, seed=1)


@pytest.fixture(scope="module")
def run():
    return dl.run(STATION, arrival_rate=80, jobs=2000, seed=1, keep="queue_length")


class Changed:
    """A result with some of its answers replaced."""

    def __init__(self, inner, **answers):
        self._inner, self._answers = inner, answers

    def __getattr__(self, name):
        return self._answers[name] if name in self._answers else getattr(self._inner, name)


def bands(ax):
    return [c for c in ax.collections if isinstance(c, PolyCollection)]


def footnote(picture):
    return picture.figure._supxlabel.get_text()


def labels(ax):
    legend = ax.get_legend()
    return [t.get_text() for t in legend.get_texts()] if legend else []


EVERY_PICTURE = """
import sys
import distlab as dl
from distlab import _plot
s = dl.sweep("queueing.station", arrival_rate=[10, 50, 80], servers=[1, 2], jobs=500, reps=3)
r = dl.run("queueing.station", jobs=500, keep="queue_length")
d = dl.distribution("lognormal(median=5ms, p99=80ms)")
pictures = [s.plot(), r.plot(), r.plot("queue_length"), r.plot(tail=True), d.plot(),
            dl.compare(s, over="servers").plot(), _plot.plot_convergence(s)]
assert all(p._repr_png_()[0][:4] == b"\\x89PNG" for p in pictures)
bad = [m for m in sys.modules if m.startswith("matplotlib.pyplot")]
assert not bad, bad
"""


def test_no_picture_touches_pyplot():
    done = subprocess.run([sys.executable, "-c", EVERY_PICTURE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_axes_carry_display_units(sweep):
    ax = sweep.plot().axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Arrival rate (1/s)", "Mean latency (ms)")
    assert sweep.plot(y="latency_p99").axes.get_ylabel() == "Latency p99 (ms)"
    assert sweep.plot(y=["latency_p50", "latency_p999"]).axes.get_ylabel() == "Latency (ms)"
    assert sweep.plot(y="utilisation").axes.get_ylabel() == "Utilisation"


def test_values_are_in_display_units(sweep):
    one = sweep.sel(servers=1)
    line = one.plot(theory=False).axes.lines[0]
    assert np.allclose(line.get_xdata(), RATES)
    assert np.allclose(line.get_ydata(), 1e3 * one.mean("latency_mean"))


def test_band_is_the_interval(sweep):
    one = sweep.sel(servers=1)
    (band,) = bands(one.plot().axes)
    s, corners = one.stats("latency_mean"), band.get_paths()[0].vertices
    assert np.isclose(corners[:, 1].max(), 1e3 * s["high"].max())
    assert np.isclose(corners[:, 1].min(), 1e3 * s["low"].min())
    assert not bands(one.plot(band=False).axes)


def test_footnote_says_what_the_band_is(sweep):
    note = footnote(sweep.plot())
    for words in (STATION, "4 repetitions", "95 % t interval over repetitions", "jobs 2000", "seed 1"):
        assert words in note.replace("\n", " · "), note


def test_exact_results_have_no_band():
    s = dl.sweep("queueing.analytic", arrival_rate=RATES)
    picture = s.plot()
    assert not bands(picture.axes) and not picture.axes.containers
    assert "exact" in footnote(picture) and "simulation" not in labels(picture.axes)
    assert s.plot(y=["latency_mean", "latency_p999"]).axes.get_ylabel() == "Latency (ms)"
    over = dl.sweep("queueing.analytic", arrival_rate=[50, 90, 110]).plot()
    assert "1 point infinite" in footnote(over)


def test_one_repetition_has_no_band():
    s = dl.sweep(STATION, arrival_rate=RATES, jobs=500, reps=1)
    picture = s.plot()
    assert not bands(picture.axes) and "no interval" in footnote(picture)


def test_an_estimate_brings_its_interval_even_once():
    s = dl.sweep(STATION, arrival_rate=RATES, jobs=5000, reps=1)
    picture = s.plot(y="wait")
    assert bands(picture.axes) and "within the run" in footnote(picture)


def test_few_points_have_bars():
    s = dl.sweep(STATION, arrival_rate=[50, 60, 80], jobs=500, reps=4)
    picture = s.plot()
    assert not bands(picture.axes) and picture.axes.containers and "bars:" in footnote(picture)


def test_closed_form_is_dashed_dark_and_right(sweep):
    one = sweep.sel(servers=1)
    ax = one.plot().axes
    assert labels(ax) == ["simulation", "closed form"]
    dashed = [
        line
        for line in ax.lines
        if line.get_color() == "#1a1a1a" and line.is_dashed() and len(line.get_xdata())
    ]
    assert np.allclose(dashed[0].get_ydata(), 1e3 * one.theory("latency_mean"))
    assert np.allclose(dashed[0].get_ydata(), 1e3 / (100 - np.array(RATES)))  # M/M/1: 1 / (mu - lambda)
    assert labels(one.plot(theory=False).axes) == []


def test_hues_differ_in_colour_and_marker(sweep):
    ax = sweep.plot().axes
    assert labels(ax)[:2] == ["1", "2"] and ax.get_legend().get_title().get_text() == "Servers"
    first, second = (
        line for line in ax.lines if len(line.get_xdata()) == len(RATES) and not line.is_dashed()
    )
    assert first.get_color() != second.get_color() and first.get_marker() != second.get_marker()


def test_given_axes_are_drawn_on_and_returned(sweep, run):
    for draw in (
        sweep.plot,
        run.plot,
        lambda ax: run.plot("queue_length", ax=ax),
        dl.exponential("5ms").plot,
        dl.compare(sweep, over="servers").plot,
        lambda ax: _plot.plot_convergence(sweep, ax=ax),
    ):
        ax = Figure().add_subplot()
        assert draw(ax=ax) is ax and isinstance(ax, Axes)
        assert ax.get_xlabel() and ax.get_ylabel() or ax.get_yticklabels()
        assert ax.has_data()


def test_same_result_same_bytes(sweep):
    assert sweep.plot()._repr_png_()[0] == sweep.plot()._repr_png_()[0]
    assert dl.exponential("5ms").plot().png() == dl.exponential("5ms").plot().png()


def test_notebooks_show_a_png(sweep):
    formatters = pytest.importorskip("IPython.core.formatters")
    picture = sweep.plot()
    data, metadata = formatters.DisplayFormatter().format(picture)
    assert data["image/png"][:4] == b"\x89PNG" and "image/svg+xml" not in data
    assert metadata["image/png"]["width"] == 700 and "against arrival rate" in metadata["image/png"]["alt"]
    picture.svg = True
    data, _ = formatters.DisplayFormatter().format(picture)
    assert data["image/svg+xml"].startswith("<?xml") and "image/png" not in data


def test_save(sweep, tmp_path):
    for name in ("a.png", "a.svg", "a.pdf"):
        assert sweep.plot().save(tmp_path / name).stat().st_size > 1000
    with pytest.raises(ValueError, match=r"\.png, \.svg or \.pdf"):
        sweep.plot().save(tmp_path / "a.gif")


def test_masked_points_are_gaps_that_are_named():
    s = dl.sweep(
        STATION, jobs=[1000, 2000, 4000, 100_000, 200_000, 500_000], reps=2, errors="mask", budget=50_000
    )
    assert np.isnan(s.mean("latency_mean")).any()
    picture = s.plot()
    note = footnote(picture)
    assert "without a value left out" in note and "runs failed" in note
    assert np.isnan(picture.axes.lines[0].get_ydata()).sum() == np.isnan(s.mean("latency_mean")).sum()


def test_infinite_points_are_marked(sweep):
    one = sweep.sel(servers=1)
    stats = {k: v.copy() for k, v in one.stats("latency_mean").items()}
    stats["mean"][-2:] = np.inf
    stats["low"][-2:] = stats["high"][-2:] = np.nan
    picture = _plot.plot_sweep(Changed(one, stats=lambda name: stats))
    assert "2 points infinite" in footnote(picture)
    marks = [line for line in picture.axes.lines if line.get_marker() == "^" and len(line.get_xdata()) == 2]
    assert np.allclose(marks[0].get_xdata(), RATES[-2:])


def test_categories_stand_side_by_side():
    s = dl.sweep(STATION, service=["constant(10ms)", "exponential(10ms)"], servers=[1, 2], jobs=500, reps=4)
    ax = s.plot(x="service").axes
    assert [t.get_text() for t in ax.get_xticklabels()] == ["constant(10ms)", "exponential(10ms)"]
    assert all(line.get_linestyle() == "None" for line in ax.lines if len(line.get_xdata()) > 1)
    assert s.plot().axes.get_xlabel() == "Servers"  # the first dim with numbers


@pytest.mark.parametrize(
    ("values", "scale"),
    [(np.linspace(10, 90, 9), "linear"), (np.geomspace(1, 90, 9), "log"), ([1, 2, 4, 8], "log")],
)
def test_spacing_chooses_the_scale(values, scale):
    s = dl.sweep(STATION, arrival_rate=values, jobs=500, reps=2)
    assert s.plot().axes.get_xscale() == scale
    assert s.plot(logx=scale == "linear").axes.get_xscale() != scale


def test_more_than_two_dims_say_what_to_choose():
    s = dl.sweep(STATION, arrival_rate=[10, 20], servers=[1, 2], jobs=[100, 200], reps=2)
    with pytest.raises(ValueError, match=r"sweep\.sel\(jobs=100\)\.plot\(\)"):
        s.plot()
    assert s.sel(jobs=100).plot() and "jobs 100" in footnote(s.sel(jobs=100).plot())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"x": "arival_rate"}, "did you mean 'arrival_rate'"),
        ({"hue": "server"}, "did you mean 'servers'"),
        ({"x": "servers", "hue": "servers"}, "different dims"),
        ({"y": ["latency_mean", "utilisation"]}, "one unit"),
        ({"y": []}, "no column"),
    ],
)
def test_mistakes_are_named(sweep, options, words):
    with pytest.raises(ValueError, match=words):
        sweep.plot(**options)


def test_unknown_column_is_a_key_error(sweep):
    with pytest.raises(KeyError, match="latency_p9"):
        sweep.plot(y="latency_p98")


def test_nothing_to_draw_along():
    with pytest.raises(ValueError, match="no dim"):
        dl.sweep(STATION, jobs=100, reps=2).plot()


def test_run_shows_its_distribution(run):
    ax = run.plot().axes
    assert ax.get_xlabel() == "Latency (ms)" and "Fraction" in ax.get_ylabel()
    texts = [t.get_text() for t in ax.texts]
    assert any(t.startswith("p99 = ") and t.endswith(" ms") for t in texts)
    assert run.plot("queue_length").axes.get_xlabel() == "Time (s)"
    with pytest.raises(ValueError, match="did you mean 'latency'"):
        run.plot("latencie")


def test_exact_run_shows_bars():
    ax = dl.run("queueing.analytic").plot().axes
    assert ax.patches and ax.get_xlabel()


@pytest.mark.parametrize(
    "text",
    [
        "constant(5ms)",
        "exponential(5ms)",
        "bimodal(5ms, 100ms, 0.02)",
        "pareto(alpha=0.9, low=1ms)",
        "normal(mean=10ms, sd=2ms)",
        "uniform(1ms, 3ms)",
        "lognormal(median=5ms, p99=80ms) + 1ms",
    ],
)
def test_distribution_marks_its_quantiles(text):
    law = dl.distribution(text, unit="s")
    for tail in (False, True):
        ax = law.plot(tail=tail).axes
        assert ax.get_xlabel().startswith("Time (") and len(ax.texts) >= 3
        curve = ax.lines[0]
        assert np.isfinite(curve.get_ydata()).all() and np.all(np.diff(curve.get_xdata()) > 0)


def test_forest_shows_differences_and_zero(sweep):
    c = dl.compare(sweep.sel(arrival_rate=[10.0, 80.0]), over="servers")
    picture = c.plot()
    ax = picture.axes
    assert ax.get_xlabel() == "Mean latency: difference from servers 1 (ms)"
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        "servers 2, arrival rate 10/s",
        "servers 2, arrival rate 80/s",
    ]
    assert np.allclose(ax.lines[0].get_xdata(), 0) and "paired" in footnote(picture)
    drawn = np.concatenate([line.get_xdata() for line in ax.lines if line.get_marker() == "o"])
    assert np.allclose(np.sort(drawn), np.sort(1e3 * c.difference("latency_mean")["mean"].ravel()))


def test_convergence_ends_at_the_estimate(sweep):
    ax = _plot.plot_convergence(sweep, "latency_mean", point=3).axes
    line = next(line for line in ax.lines if line.get_label() == "estimate")
    assert line.get_xdata()[-1] == 4 and ax.get_xlabel() == "Repetitions"
    assert np.isclose(line.get_ydata()[-1], 1e3 * sweep.mean("latency_mean").flat[3])
    with pytest.raises(ValueError, match="at least 3 repetitions"):
        _plot.plot_convergence(dl.sweep("queueing.analytic", arrival_rate=RATES))
