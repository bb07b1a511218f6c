"""What a user may write for a parameter, what it becomes in C, and what is refused in which words."""

import math
import subprocess
import sys

import numpy as np
import pytest

import distlab as dl
import probe
from distlab import _design, _model, _params

STATION = "queueing.station"


@pytest.fixture(autouse=True)
def registered():
    probe.register()


def one(**params):
    """The row of parameters that dl.run would pass to C, and its pool."""
    plan = _design.plan(_model.find(probe.NAME), (), params)
    return plan.rows.reshape(()), plan.pool


def refused(kind, *words, model=probe.NAME, call=dl.run, **params):
    """The call raises this kind of error, and its text has all these words."""
    with pytest.raises(kind) as caught:
        call(model, **params)
    for word in words:
        assert word in str(caught.value), f"{word!r} not in {caught.value}"


@pytest.mark.parametrize(
    ("value", "stored"),
    [(7, 7), (7.0, 7), (np.int32(7), 7), (np.float64(7), 7), (np.array(7), 7), ("7", 7), ("7k", 7000)],
)
def test_integers_in_any_clothes(value, stored):
    assert one(jobs=value)[0]["jobs"] == stored


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (0.25, 0.25),
        (1, 1.0),
        ("250ms", 0.25),
        ("0.25", 0.25),
        (np.float32(0.25), 0.25),
        (None, -1),
        ("none", -1),
    ],
)
def test_numbers_with_units_and_off(value, stored):
    assert one(timeout=value)[0]["timeout"] == stored


def test_choices_flags_and_booleans():
    field = _model.find(probe.NAME).field("features")
    a, b, c = field["choices"]
    for value, word in (({a, c}, 5), ([b], 2), (f"{a}|{b}", 3), (frozenset(), 0), ("none", 0), ((c,), 4)):
        assert one(features=value)[0]["features"] == word
    row, pool = one(features={a, c}, verbose=True, policy="lifo", bug="off_by_one")
    decoded = {
        f["name"]: _params.decode(_model.find(probe.NAME), f, row, pool)
        for f in _model.find(probe.NAME).fields
    }
    assert decoded["features"] == {a, c} and decoded["verbose"] is True and decoded["policy"] == "lifo"
    assert decoded["timeout"] is None and decoded["bug"] == "off_by_one"


def test_distributions_from_text_object_and_number():
    for value in ("exponential(20ms)", dl.exponential("20ms"), dl.exponential(0.02)):
        row, _ = one(service=value)
        assert row["service"]["p"][0] == 0.02
    assert one(service=0.02)[0]["service"]["kind"] == 0
    assert one(service="20ms")[0]["service"]["p"][0] == 0.02
    assert one(pause=None)[0]["pause"]["kind"] == -1


def test_mixtures_and_samples_go_to_the_pool_once():
    samples = dl.empirical(np.linspace(0.001, 0.002, 5000))
    mixed = dl.mixture((0.9, "exponential(5ms)"), (0.1, samples))
    row, pool = one(service=mixed, pause=samples)
    assert len(pool) == 3
    parts = pool[int(row["service"]["table"])]
    assert parts["weight"].tolist() == [0.9, 0.1]
    assert np.array_equal(pool[int(row["pause"]["table"])], samples.samples)
    run = dl.run(probe.NAME, service=mixed, pause=samples)
    assert run.params["service"] == mixed and run.params["pause"] == samples
    assert run.pause_mean == pytest.approx(samples.mean)
    assert run.drawn > 0


def test_tables_fill_blanks_with_parameters():
    rows = [
        {"weight": 1, "rate": 5},
        {"weight": 2, "service": "3ms", "policy": "lifo", "fast": True},
        {"jobs": "1k"},
    ]
    run = dl.run(probe.NAME, classes=dl.table(rows), rate=10, jobs=100, service=dl.constant("1ms"))
    weight = _model.find(probe.NAME).field("classes")["table"]["columns"][0]["default"]
    assert run.class_weight == 3 + (weight or 0)
    assert run.class_rate == 5 + 10 + 10
    assert run.class_jobs == 100 + 100 + 1000
    assert run.class_service == pytest.approx(0.005)
    assert run.theory["class_rate"] == 25
    assert len(run.params["classes"]) == 3


def test_tables_from_every_shape_of_rows():
    pandas = pytest.importorskip("pandas")
    want = dl.run(probe.NAME, classes=dl.table([{"weight": 1.0, "rate": 5.0}, {"weight": 2.0}])).array
    array = np.array([(1.0, 5.0), (2.0, math.nan)], [("weight", "f8"), ("rate", "f8")])
    for rows in (
        array,
        pandas.DataFrame({"weight": [1.0, 2.0], "rate": [5.0, math.nan]}),
        {"weight": [1.0, 2.0], "rate": [5.0, None]},
    ):
        assert dl.run(probe.NAME, classes=dl.table(rows)).array.tobytes() == want.tobytes()


def test_tables_refuse_what_they_cannot_hold():
    refused(KeyError, "wieght", "weight", classes=dl.table([{"wieght": 1}]))
    refused(TypeError, "classes", "dl.table", classes=[{"weight": 1}])
    refused(KeyError, "policy", "lifo", classes=dl.table([{"policy": "lfio"}]))
    refused(TypeError, "weight", classes=dl.table([{"weight": 1j}]))
    for rows in ([], [1], 3, {"a": [1], "b": [1, 2]}, {"a": "text"}):
        with pytest.raises((TypeError, ValueError)):
            dl.table(rows)
    assert "3 rows" in repr(dl.table({"weight": [1, 2, 3]}, label="all"))


def test_names_that_are_not_there():
    refused(KeyError, "servrs", "'servers'", model=STATION, servrs=1)
    refused(KeyError, "'queueing.station'", model="queueing.statoin")
    refused(KeyError, "reps", "dl.sweep", model=STATION, reps=3)
    refused(TypeError, "model", model=3)
    refused(ValueError, "lfio", "'lifo'", policy="lfio")
    with pytest.raises(KeyError, match="queueing"):
        dl.models()["queueing.statoin"]


def test_types_that_do_not_fit():
    refused(TypeError, "servers", "integer", "10000", "True", model=STATION, servers=True)
    refused(ValueError, "servers", "1.5", model=STATION, servers=1.5)
    refused(ValueError, "jobs", str(10**30), jobs=10**30)
    refused(ValueError, "None for no limit", model=STATION, capacity=math.inf)
    refused(TypeError, "arrival_rate", "a rate is wanted", model=STATION, arrival_rate="10ms")
    refused(TypeError, "verbose", "True or False", verbose=1)
    refused(ValueError, "cannot be off", model=STATION, servers=None)
    refused(TypeError, "policy", policy=1)
    refused(KeyError, "features", features={"nothing like it"})
    refused(TypeError, "dl.sweep", "dl.empirical", model=STATION, service=[0.1, 0.2])
    refused(ValueError, "byte", model=STATION, service=dl.exponential(5, unit="byte"))
    refused(TypeError, "a time is wanted", model=STATION, service="exponential(5KiB)")
    refused(KeyError, "exponential", model=STATION, service="exponentia(5ms)")


def test_ranges_are_the_core_s_business():
    refused(ValueError, "servers", "[1, 10000]", model=STATION, servers=0)
    refused(ValueError, "arrival_rate", "nan", "1/s", model=STATION, arrival_rate=math.nan)
    refused(ValueError, "capacity", "retry_attempts", capacity=2, retry_attempts=3)
    refused(ValueError, "point 1", call=dl.sweep, rate=[1.0, -1.0])


def mutated(value, model, **params):
    """Run in a fresh process with DISTLAB_MUTANT set; its last line of output or error."""
    code = f"""
import distlab as dl
run = dl.run({model!r}, **{params!r})
print(run.params["bug"], run.provenance.get("mutant"))"""
    import os

    env = dict(os.environ, DISTLAB_MUTANT=value, PYTHONPATH=os.pathsep.join(sys.path))
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().split("\n")[-1]


def test_a_mutant_from_the_environment_and_an_explicit_bug():
    bug = _model.find(STATION).bugs[1]["name"]
    assert mutated(f"{STATION}:{bug}", STATION, jobs=100) == f"{bug} {STATION}:{bug}"
    assert mutated(f"{STATION}:{bug}", STATION, jobs=100, bug="none") == "none None"
    assert "did you mean" in mutated(f"queueing.statoin:{bug}", STATION, jobs=100)
    assert "did you mean" in mutated(f"{STATION}:{bug[:-1]}", STATION, jobs=100)
    assert "model:bug" in mutated("nonsense", STATION, jobs=100)


def test_a_text_that_is_too_long():
    text = f"exponential({' ' * 20_000}1ms)"
    with pytest.raises(ValueError, match="longer than 16384"):
        dl.distribution(text)
    refused(ValueError, "service", "longer than 16384", model=STATION, service=text)


def test_nan_in_a_table_without_a_parameter_behind_it():
    table = dl.table([{"share": 1.0}, {"share": math.nan}])
    refused(ValueError, "classes", "row 1", "share", "nan", model=STATION, classes=table)
    dl.run(probe.NAME, classes=dl.table([{"rate": math.nan, "weight": 1.0}]))
