"""Results in a notebook: small, escaped, self-contained, well-formed."""

import html.parser
import re

import numpy as np
import pytest

import distlab as dl
import probe
from distlab import _core, _html, _units

VOID = {"br", "hr", "path", "meta"}
ODD = "<b>&\"'</script>"


class Balance(html.parser.HTMLParser):
    """Every tag that opens closes, in order."""

    def __init__(self):
        super().__init__()
        self.open, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        self.texts.append(data)


def words(page):
    """The text of a page, after checking what holds for every page."""
    assert len(page.encode()) <= 8192
    assert "http" not in page and "<script" not in page and "url(" not in page
    assert not re.search(r"#[0-9a-fA-F]{3,6}\b|rgb\(", page), "colours come from the page around it"
    parser = Balance()
    parser.feed(page)
    assert not parser.open
    return " ".join(" ".join(parser.texts).split())


def shown(result):
    assert max(map(len, repr(result).split("\n"))) <= 100
    return words(result._repr_html_())


@pytest.mark.parametrize("name", sorted({*_core.models(), probe.NAME}))
def test_every_model(name):
    if name == probe.NAME:
        probe.register()
    model = dl.models()[name]
    text = shown(model)
    for field in model.fields[:10]:
        assert field["name"] in text
    fast = {f["name"]: 200 for f in model.fields if f["name"] == "jobs"}
    run = dl.run(name, **fast)
    text = shown(run)
    for metric in model.metrics[:10]:
        assert metric["name"] in text
    shown(dl.sweep(name, reps=2, **fast))
    numeric = next(f for f in model.fields if f["type"] in ("double", "int") and f["name"] != "jobs")
    kind = int if numeric["type"] == "int" else float
    values = np.unique(np.linspace(numeric["low"], numeric["high"], 3).astype(kind))
    shown(dl.sweep(name, reps=2, errors="mask", **fast, **{numeric["name"]: values}))


def test_catalogue_and_family():
    assert "queueing.station" in shown(dl.models())
    assert "queueing.station" in words(dl.queueing._repr_html_())


def test_run_shows_units_interval_and_closed_form():
    text = shown(dl.run("queueing.station", arrival_rate=90, jobs=2000))
    for part in ("arrival_rate 90/s", "latency (ms)", "p99.9", "closed form", "±", "seed 1"):
        assert part in text, part


def test_sweep_shows_dims_rows_and_a_spark_line():
    s = dl.sweep("queueing.station", arrival_rate=[10, 50, 80, 90], servers=[1, 2], jobs=500, reps=3)
    text, page = shown(s), s._repr_html_()
    assert "8 points" in text and "3 repetitions" in text and "arrival_rate (1/s) : 4 values" in text
    assert "<svg" in page and "currentColor" in page and "latency_mean (ms)" in text


def test_large_sweep_stays_small():
    s = dl.sweep("queueing.station", arrival_rate=np.linspace(1, 90, 400), servers=[1, 2, 3], jobs=10, reps=2)
    assert "and 1192 more" in shown(s)


def test_failures_are_counted():
    s = dl.sweep("queueing.station", jobs=[100, 100_000], reps=2, errors="mask", budget=50_000)
    assert "2 runs failed" in shown(s)


def test_compare_says_what_is_told_apart():
    s = dl.sweep("queueing.station", arrival_rate=[10, 80], servers=[1, 2], jobs=500, reps=5)
    text = shown(dl.compare(s, over="servers"))
    assert "difference from servers 1" in text and "told apart" in text and "paired" in text
    many = dl.sweep("queueing.station", arrival_rate=np.linspace(1, 90, 100), servers=[1, 2], jobs=10, reps=3)
    shown(dl.compare(many, over="servers"))


@pytest.mark.parametrize("text", ["constant(5ms)", "exponential(5ms)", "pareto(alpha=0.9, low=1ms)"])
def test_distribution(text):
    assert text.partition("(")[0] in shown(dl.distribution(text, unit="s"))


def test_text_of_the_user_is_escaped():
    laws = {ODD: "exponential(5ms)", "plain": "constant(5ms)"}
    s = dl.sweep("queueing.station", service=laws, jobs=100, reps=2)
    page = s._repr_html_()
    assert "<b>&" not in page and "&lt;b&gt;&amp;" in page
    words(page)
    words(dl.compare(s, over="service", baseline="plain")._repr_html_())


class FakeModel:
    """A model with far too many parameters and long texts."""

    def __init__(self, count):
        field = {
            "type": "double", "unit": "s", "display": "ms", "default": 0.01, "min": 0.0, "max": 1.0,
            "group": ODD, "doc": "A sentence with `code` and " + 30 * "many words " + ODD,
        }  # fmt: skip
        self.name, self.title, self.doc, self.source = "lab.fake", ODD, ODD * 100, ODD
        self.fields = [{**field, "name": f"parameter_{k}"} for k in range(count)]
        self.metrics = [{**field, "name": f"metric_{k}"} for k in range(count)]
        self.outputs, self.bugs, self.theory_columns, self.exact = (), (), (), False


@pytest.mark.parametrize("count", [1, 10, 40, 160])
def test_large_models_are_cut_not_broken(count):
    text = words(_html.model_html(FakeModel(count)))
    assert "parameter_0" in text
    words(_html.models_html([FakeModel(2)] * count))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (0.012345, "0.01235"), (12.3, "12.3"), (12345.6, "12\u202f346"), (1e12, "1e12"),
        (2e-7, "2e-7"), (float("nan"), "–"), (float("inf"), "∞"), (-1.5, "-1.5"),
    ],
)  # fmt: skip
def test_numbers(value, text):
    assert _units.number(value) == text


@pytest.mark.parametrize(
    ("value", "half", "text"),
    [
        (12.345, 0.56, "12.35 ± 0.56"), (1234.5, 67.0, "1234 ± 67"), (123456, 2345, "123\u202f500 ± 2300"),
        (2e-5, 2.3e-5, "(2.0 ± 2.3)e-5"), (3.0, 0.0, "3 ± 0"), (3.0, float("nan"), "3"),
    ],
)  # fmt: skip
def test_numbers_with_errors(value, half, text):
    assert _units.with_error(value, half) == text


@pytest.mark.parametrize(
    ("unit", "display", "factor", "text"),
    [
        ("s", "ms", 1e3, "ms"), ("s", "us", 1e6, "µs"), ("s", None, 1.0, "s"), ("byte", "MiB", 2**-20, "MiB"),
        ("byte/s", "MB/s", 1e-6, "MB/s"), ("1/s", "1/min", 60.0, "1/min"), (None, "%", 100.0, "%"),
        (None, None, 1.0, ""), ("1/s", "k/s", 1e-3, "k/s"),
    ],
)  # fmt: skip
def test_display_units(unit, display, factor, text):
    assert np.isclose(_units.factor(unit, display), factor) and _units.unit_text(unit, display) == text


def test_display_units_agree_with_the_core():
    for name in _core.models():
        for row in (*_core.describe(name)["params"], *_core.describe(name)["metrics"]):
            if row["display"] and row["unit"]:
                one = 1 / _units.field_factor(row)
                assert np.isclose(_core.quantity(f"1{row['display']}", row["unit"]), one), row["name"]
