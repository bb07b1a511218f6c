"""Every public function against nonsense: wrong types, NaN, huge, empty, unknown.

Whatever comes in, the answer is a result or a TypeError, ValueError or KeyError that names what was wrong; a
run cut short by its budget is a result too. DISTLAB_EXAMPLES=n
tries n examples of each instead of a few dozen.
"""

import fractions
import math
import os
import string
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import distlab as dl
import probe
from distlab import _recipe

STATION = "queueing.station"
MISTAKES = (TypeError, ValueError, KeyError)
BUDGET = {"steps": 20_000, "memory": "16MiB"}
EXAMPLES = int(os.environ.get("DISTLAB_EXAMPLES", "60"))

several = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="DISTLAB_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
pytestmark = pytest.mark.filterwarnings("ignore::distlab.DistlabWarning")


class Rude:
    """An object that resists."""

    def __eq__(self, other):
        raise RuntimeError("no comparison")

    def __bool__(self):
        raise RuntimeError("no truth")

    __hash__ = None


def test_a_broken_repr_does_not_hide_the_message():
    class Speechless:
        def __repr__(self):
            raise RuntimeError("no repr")

    with pytest.raises(TypeError, match="servers takes an integer.*not <Speechless>"):
        dl.run(STATION, servers=Speechless())


numbers = st.one_of(
    st.integers(-(10**25), 10**25),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from(
        [0, -1, 2**63, 2**64, 10**400, math.nan, math.inf, -math.inf, 5e-324, 1.7e308, True, False]
    ),
    st.sampled_from(
        [np.float32(1.5), np.int8(3), np.uint64(2**63), np.bool_(True), np.array(3.0), np.array([])]
    ),
)
words = st.one_of(
    st.text(max_size=12),
    st.text(string.printable, max_size=30),
    st.sampled_from(
        ["", "10ms", "none", "nan", "inf", "1e999", "5KiB", "\0", "a|b", "exponential(1", "x" * 300, "١٢"]
    ),
)
scalars = st.one_of(
    numbers,
    words,
    st.sampled_from(
        [None, b"bytes", 1j, object(), Rude(), Ellipsis, len, fractions.Fraction(1, 3), np.datetime64(1, "s")]
    ),
    st.sampled_from([dl.exponential("1ms"), dl.table([{"a": 1}]), dl.queueing.station, np.void(b"ab")]),
)
junk = st.one_of(
    scalars,
    st.lists(scalars, max_size=3),
    st.tuples(scalars, scalars),
    st.dictionaries(words, scalars, max_size=2),
    st.sets(st.one_of(words, st.integers()), max_size=2),
    st.sampled_from(
        [np.ones((2, 2)), np.array([None, 1]), np.array(["a"]), np.zeros(2, "M8[s]"), range(0), iter([1])]
    ),
)
texts = st.builds(
    "{}({}={}, {})".format,
    st.sampled_from(
        ["exponential", "lognormal", "mixture", "pareto", "constant", "normal", "empirical", "gama"]
    ),
    st.sampled_from(["mean", "median", "alpha", "low", "0.9: exponential", "x"]),
    words,
    words,
)


@pytest.fixture(autouse=True, scope="module")
def registered():
    probe.register()
    dl.register(probe.address("probe_tiny"))


def attempt(call, *names, also=()):
    """Call it; a mistake is answered by the right kind of error, whose text has one of these names."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return call()
    except MISTAKES as error:
        text = str(error)
        assert text and len(text) < 3000, text
        assert not names or any(name in text for name in names), f"none of {names} in {text!r}"
    except (dl.BudgetError, *also):
        pass
    return None


@pytest.mark.parametrize("model", [STATION, probe.NAME])
@several
@given(st.data(), st.one_of(junk, texts))
def test_every_parameter(model, data, value):
    field = data.draw(st.sampled_from(dl.models()[model].fields))
    few = {"jobs": 50} if field["name"] != "jobs" else {}
    given = {**few, field["name"]: value}
    attempt(lambda: dl.run(model, budget=BUDGET, **given), field["name"], "budget", "rate")
    attempt(
        lambda: dl.sweep(model, budget=BUDGET, reps=2, errors="mask", threads=1, **given),
        field["name"],
        "grid",
    )


@several
@given(st.data(), junk)
def test_every_option(data, value):
    one = ["seed", "keep", "trace", "budget", "token", "record", "choices", "ask"]
    name = data.draw(st.sampled_from(one))
    assume(not (name == "budget" and value is None) and not callable(value))
    attempt(lambda: dl.run(STATION, jobs=20, **{name: value}), name)
    more = [
        "reps",
        "crn",
        "threads",
        "confidence",
        "errors",
        "precision",
        "reps_max",
        "keep_max",
        "design",
        "progress",
    ]
    name = data.draw(st.sampled_from([*more, "seed", "keep", "token", "budget"]))
    given = {"reps": 2, "threads": 1, name: value}
    assume(not callable(value))
    if name == "reps" and isinstance(value, (int, np.integer)):
        given["budget"] = {"total": "10MiB"}
    attempt(lambda: dl.sweep(STATION, jobs=20, **given), name, "point", "column", "queueing.station")


@several
@given(st.one_of(junk, texts))
def test_lines_and_choices(value):
    attempt(lambda: dl.Choices(value), "choices")
    attempt(lambda: dl.enumerate(STATION, jobs=20, runs_max=value), "runs_max")
    if isinstance(value, str):
        attempt(lambda: _recipe.run_recipe(f"lab.tiny x={value}"))
        attempt(lambda: _recipe.run_recipe(f"lab.tiny rep={value}"))


@several
@given(junk, junk)
def test_models_names_and_families(name, value):
    attempt(lambda: dl.run(name), "model", "is not known")
    attempt(lambda: dl.models(value), "models")
    attempt(lambda: dl.models()[name], "model", "indices", "integer", "out of range", also=(IndexError,))
    attempt(lambda: dl.queueing.station.field(name), "parameter", "argument")
    attempt(lambda: dl.queueing.station.column(name), "column")
    attempt(
        lambda: dl.register(name if isinstance(name, str) else value if isinstance(value, str) else None),
        "address",
    )
    if isinstance(name, str) and name not in dl.queueing.station.fields:
        attempt(
            lambda: dl.run(STATION, **{name: value}),
            "not known",
            "argument",
            "seed",
            "keep",
            "trace",
            "budget",
            "token",
        )


@several
@given(words, junk, junk)
def test_axes_and_designs(name, values, other):
    attempt(lambda: dl.axis(name, values), "axis", name)
    attempt(lambda: dl.axis("load", values, other), "load")
    attempt(lambda: dl.axis("load", [1], unit=values), "unit")
    attempt(lambda: dl.sweep(STATION, values, jobs=10, reps=1, threads=1), "dl.axis")
    made = attempt(lambda: dl.axis("load", values, lambda v: {"servers": v}))
    if made is not None:
        attempt(lambda: dl.sweep(STATION, made, jobs=10, reps=1, threads=1), "servers", "load")
    attempt(
        lambda: dl.sweep(STATION, design=values, jobs=10, reps=1, threads=1),
        "design",
        "parameter",
        "argument",
        "point",
    )
    attempt(lambda: dl.estimate(STATION, servers=values, reps=1), "servers")


@several
@given(junk, st.one_of(junk, texts))
def test_tables(cell, rows):
    attempt(lambda: dl.table(rows), "table", "column")
    attempt(lambda: dl.table([{"weight": 1}], label=cell), "label")
    for name in ("weight", "jobs", "policy", "service", "fast", "nothing"):
        made = attempt(lambda name=name: dl.table([{name: cell}]))
        if made is not None:
            attempt(
                lambda m=made: dl.run(probe.NAME, classes=m),
                name,
                "quantity",
                "number",
                "distribution",
                "classes",
            )


@several
@given(st.data(), junk, st.one_of(junk, texts))
def test_distributions(data, first, second):
    attempt(lambda: dl.distribution(second))
    attempt(lambda: dl.distribution("exponential(1)", unit=first), "unit")
    attempt(lambda: dl.empirical(first), "samples")
    attempt(lambda: dl.mixture((first, second)), "mixture", "weight", "distribution")
    attempt(lambda: dl.mixture(first), "mixture", "weight", "distribution")
    name = data.draw(
        st.sampled_from(["constant", "exponential", "uniform", "erlang", "pareto", "weibull", "normal"])
    )
    arguments = {"constant": 1, "exponential": 1}.get(name, 2)
    made = attempt(lambda: getattr(dl, name)(*(first, second)[:arguments]), name)
    attempt(lambda: dl.lognormal(median=first, p99=second), "lognormal")
    made = made or dl.exponential(1)
    for use in (made.cdf, made.quantile, made.sample, lambda v: made.sample(3, seed=v), lambda v: made + v):
        attempt(lambda use=use: use(first))


@pytest.fixture(scope="module")
def result():
    return dl.sweep(STATION, servers=[1, 2], capacity=[3, None], jobs=100, reps=3, keep=True)


@several
@given(value=junk, other=junk)
def test_results(result, value, other):
    attempt(lambda: result.sel(servers=value), "servers", "ambiguous")
    attempt(lambda: result.sel(capacity=value), "capacity")
    for use in (result.stats, result.ci, result.theory, result.column, result.histogram):
        attempt(lambda use=use: use(value), "column", "histogram")
    attempt(lambda: result.quantile(value, 0.5), "histogram")
    attempt(lambda: result.stats("latency", value), "confidence")
    attempt(lambda: result.quantile("latency", value), "q")
    attempt(lambda: result.histogram("latency", value), "point", "dimension", "servers", "capacity")
    attempt(lambda: result.replay(value, 0), "point", "dimension", "servers", "capacity")
    attempt(lambda: result.replay(0, value), "rep")
    attempt(lambda: result.replay(0, 0, keep=value), "keep")
    attempt(lambda: result.field(value), "parameter", "argument")
    attempt(lambda: result.frame(value), "per")
    run = result.replay(0)
    for use in (run.__getitem__, run.stats, run.histogram, run.series_data):
        attempt(lambda use=use: use(value), "column", "histogram", "series")
    attempt(lambda: run.quantile("latency", value), "q")


@several
@given(value=junk, other=junk)
def test_comparing_solving_loading(result, value, other):
    attempt(lambda: dl.compare(value), "compare")
    attempt(lambda: dl.compare(result, value), "compare")
    attempt(lambda: dl.compare(result, over=value), "over")
    attempt(lambda: dl.compare(result, over="servers", baseline=value), "servers")
    attempt(lambda: dl.compare(result, over="servers", confidence=value), "confidence")
    attempt(lambda: dl.compare(result, over="servers", paired=value), "paired")
    solve = {"vary": "x", "between": (0, 10), "column": "x", "target": 3}
    said = {"vary": ("parameter", "argument"), "between": ("between", "x"), "column": ("column",)}
    for name, words in {**said, "target": ("target", "reach")}.items():
        attempt(lambda name=name: dl.solve("lab.tiny", **{**solve, name: value}), *words)
    attempt(lambda: dl.load(value), "path", "distlab", also=(OSError,))
