"""The binding, function by function: descriptors, conversions, rows of parameters."""

import math
import pickle
import subprocess
import sys

import numpy as np
import pytest

import probe
from distlab import _core
from probe import NAME, address, class_rows, params


@pytest.fixture(autouse=True)
def registered():
    probe.register()


def test_import_is_light():
    code = """
import sys, distlab
heavy = {"xarray", "pandas", "matplotlib", "scipy", "IPython"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_constants():
    assert _core.DISTRIBUTION_NAMES[0] == "constant" and _core.DISTRIBUTION_NAMES[-1] == "mixture"
    assert _core.REPR_TIME_MAX == pytest.approx(2**62 / 1e9)
    assert _core.DISTRIBUTION_DTYPE.itemsize == 56 and _core.PART_DTYPE.itemsize == 64
    assert _core.REF_DTYPE.itemsize == 12
    assert _core.VERSION.count(".") == 2
    assert _core.cores() >= 1


def test_exceptions_belong_to_the_package():
    for name, base in [
        ("UnknownNameError", KeyError),
        ("BudgetError", RuntimeError),
        ("Cancelled", RuntimeError),
        ("BrokenInvariantError", RuntimeError),
    ]:
        kind = getattr(_core, name)
        assert kind.__module__ == "distlab" and kind.__name__ == name and issubclass(kind, base)
        assert kind.__doc__
        again = pickle.loads(pickle.dumps(kind("text")))
        assert type(again) is kind and again.args == ("text",)


def test_unknown_name_shows_the_sentence():
    with pytest.raises(_core.UnknownNameError) as caught:
        _core.describe("lab.prob")
    assert str(caught.value) == "no model is called 'lab.prob'; did you mean 'lab.probe'?"
    assert str(_core.UnknownNameError()) == "" and str(_core.UnknownNameError(1, 2)) == "(1, 2)"
    with pytest.raises(_core.UnknownNameError, match="did you mean 'queueing.station'"):
        _core.describe("queueing.staton")
    with pytest.raises(_core.UnknownNameError, match="no model is called 'zzzzzz'$"):
        _core.defaults("zzzzzz")


@pytest.mark.parametrize("call", [_core.describe, _core.defaults])
def test_wrong_arguments(call):
    with pytest.raises(TypeError):
        call()
    with pytest.raises(TypeError):
        call(1)
    with pytest.raises(ValueError):
        call("a\0b")


def test_text_that_is_not_a_text():
    with pytest.raises(_core.UnknownNameError, match="é"):
        _core.describe("é" * 20)
    with pytest.raises(_core.UnknownNameError):
        _core.describe("é" * 600)  # the error text is cut inside a character


@pytest.mark.parametrize(
    "symbol, message",
    [
        ("probe_old", "ABI 0"),
        ("probe_unnamed", "family.name"),
        ("probe_misnamed", "family.name"),
        ("probe_taken", "built-in"),
        ("probe_idle", "lacks run"),
        ("probe_blind", "theory"),
        ("probe_small", "lab.small|itemsize|dtype"),
    ],
)
def test_register_refuses(symbol, message):
    before = _core.models()
    with pytest.raises(ValueError, match=message):
        _core.register(address(symbol))
    assert _core.models() == before


def test_register_refuses_addresses():
    for bad in (0, address() + 1):
        with pytest.raises(ValueError, match="not that of a model"):
            _core.register(bad)
    with pytest.raises(ValueError):
        _core.register(-1)
    with pytest.raises(TypeError):
        _core.register("lab.probe")
    with pytest.raises(TypeError):
        _core.register(1.5)


def test_register_again():
    old = _core.describe(NAME)
    assert _core.register(address()) == NAME
    assert _core.models().count(NAME) == 1
    assert _core.describe(NAME)["params_dtype"] == old["params_dtype"]


def test_a_tiny_model():
    assert _core.register(address("probe_tiny")) == "lab.tiny"
    d = _core.describe("lab.tiny")
    assert d["exact"] is True and d["outputs"] == [] and d["bugs"] == [] and d["theory_columns"] == []
    row = _core.defaults("lab.tiny")
    assert _core.theory("lab.tiny", row).shape == (1, 0)
    assert np.isnan(_core.steps("lab.tiny", row)) and _core.warnings("lab.tiny", row) == []
    assert _core.sweep("lab.tiny", row, np.zeros(3, np.uint64))["metrics"]["x"].tolist() == [2, 2, 2]


def test_describe_has_every_key():
    for name in _core.models():
        d = _core.describe(name)
        assert list(d) == [
            "name",
            "title",
            "doc",
            "source",
            "exact",
            "params",
            "metrics",
            "outputs",
            "bugs",
            "columns",
            "theory_columns",
            "params_dtype",
            "metrics_dtype",
        ]
        fields = d["params"] + d["metrics"] + [c for o in d["outputs"] for c in o["columns"]]
        for f in fields:
            assert set(f) == {
                "name",
                "unit",
                "display",
                "doc",
                "group",
                "type",
                "choices",
                "table",
                "text",
                "log_scale",
                "optional",
                "may_be_nan",
                "default",
                "min",
                "max",
                "low",
                "high",
                "off",
                "scale",
            }
        assert list(d["params_dtype"].names) == [f["name"] for f in d["params"]]
        assert list(d["metrics_dtype"].names) == [f["name"] for f in d["metrics"]]
        assert d["params_dtype"].isalignedstruct and d["metrics_dtype"].isalignedstruct
        assert [set(c) for c in d["columns"]] == [
            {"name", "metric", "part", "q", "unit", "display", "doc"}
        ] * len(d["columns"])


def test_describe_values():
    d = _core.describe(NAME)
    assert d["title"] == "A model to look through" and d["exact"] is False
    types = {f["name"]: f["type"] for f in d["params"]}
    assert types == {
        "rate": "double",
        "timeout": "double",
        "jobs": "int",
        "capacity": "int",
        "verbose": "bool",
        "policy": "choice",
        "bug": "choice",
        "fail": "choice",
        "features": "flags",
        "service": "distribution",
        "pause": "distribution",
        "classes": "table",
        "retry_attempts": "int",
        "retry_delay": "double",
        "hedge_attempts": "int",
        "hedge_delay": "double",
        "cost": "int",
        "memory": "int",
    }
    defaults = {f["name"]: f["default"] for f in d["params"]}
    assert defaults == {
        "rate": 10.0,
        "timeout": None,
        "jobs": 100,
        "capacity": None,
        "verbose": False,
        "policy": "lifo",
        "bug": "none",
        "fail": "never",
        "features": ["alpha", "gamma"],
        "service": "exponential(20ms)",
        "pause": None,
        "classes": None,
        "retry_attempts": 3,
        "retry_delay": 0.1,
        "hedge_attempts": 3,
        "hedge_delay": 0.1,
        "cost": 1,
        "memory": 64,
    }
    rate, jobs, timeout = probe.field("rate"), probe.field("jobs"), probe.field("timeout")
    assert (rate["unit"], rate["display"], rate["group"], rate["log_scale"]) == ("1/s", None, "load", True)
    assert (rate["low"], rate["high"], rate["off"], rate["optional"]) == (1, 100, None, False)
    assert type(jobs["min"]) is int and type(jobs["default"]) is int and type(rate["min"]) is float
    assert timeout["optional"] and timeout["off"] == -1 and timeout["display"] == "ms"
    assert (timeout["low"], timeout["high"]) == (timeout["min"], timeout["max"])
    assert probe.field("policy")["choices"] == ["fifo", "lifo", "random"]
    assert probe.field("retry_delay")["group"] == probe.field("hedge_attempts")["group"] == "retry"
    assert probe.field("latency", "metrics")["scale"] == 1e-9 and probe.field("size", "metrics")["scale"] == 1
    assert (
        probe.field("timeout", "metrics")["may_be_nan"] and probe.field("total", "metrics")["max"] == math.inf
    )


def test_describe_tables_columns_and_bugs():
    d = _core.describe(NAME)
    classes = probe.field("classes")["table"]
    assert classes["name"] == "classes" and classes["series"] is False
    assert {c["name"]: c["default"] for c in classes["columns"]} == {
        "weight": 1.0,
        "rate": None,
        "jobs": None,
        "service": None,
        "policy": None,
        "fast": False,
    }
    assert classes["dtype"].names == ("weight", "rate", "jobs", "service", "policy", "fast")
    assert [(o["name"], o["series"]) for o in d["outputs"]] == [
        ("queue_length", True),
        ("jobs", False),
        ("trace", False),
    ]
    assert d["outputs"][1]["dtype"]["features"] == np.uint32 and d["outputs"][1]["dtype"]["last"] == bool
    assert d["bugs"][1] == {
        "name": "off_by_one",
        "doc": "Counts one job too many.",
        "violation": "theory.count",
        "scope": "jobs=10",
    }
    names = [c["name"] for c in d["columns"]]
    assert names[8:12] == ["share", "wait", "wait_se", "latency_mean"]
    p99 = next(c for c in d["columns"] if c["name"] == "latency_p99")
    assert (p99["metric"], p99["part"], p99["q"], p99["unit"], p99["display"]) == (
        "latency",
        "quantile",
        0.99,
        "s",
        "ms",
    )
    assert {c["part"] for c in d["columns"]} == {"whole", "se", "mean", "quantile", "max"}
    assert d["theory_columns"] == ["total", "count", "latency_mean", "class_rate"]


def test_descriptions_are_independent():
    _core.describe(NAME)["params"][0]["name"] = "changed"
    assert _core.describe(NAME)["params"][0]["name"] == "rate"


def test_defaults():
    row = _core.defaults(NAME)
    assert row.shape == () and row.dtype == _core.describe(NAME)["params_dtype"]
    assert row["jobs"] == 100 and row["timeout"] == -1 and row["features"] == 5 and row["pause"]["kind"] == -1
    assert row["service"]["kind"] == _core.DISTRIBUTION_NAMES.index("exponential")
    assert row["service"]["p"][0] == 0.02


def test_check():
    assert _core.check(NAME, params()) is None
    assert _core.check(NAME, params(0)) is None
    with pytest.raises(ValueError, match=r"^lab.probe: rate = -1 is outside"):
        _core.check(NAME, params(rate=-1))
    rows = params(5)
    rows["rate"][3:] = math.nan
    with pytest.raises(ValueError, match="^point 3: lab.probe: rate = nan"):
        _core.check(NAME, rows)
    with pytest.raises(ValueError, match="capacity = 2 holds fewer than retry_attempts = 3"):
        _core.check(NAME, params(capacity=2))
    bad = params(1)
    bad.view(np.uint8)[bad.dtype.fields["verbose"][1]] = 7
    with pytest.raises(TypeError, match="verbose holds 7"):
        _core.check(NAME, bad)


def test_rows_are_converted_or_refused():
    row = params(4, rate=np.arange(4) + 1.0)
    spaced = params(8)
    spaced[::2] = row
    packed = np.zeros(4, np.dtype([(n, row.dtype[n]) for n in row.dtype.names]))
    assert packed.dtype.itemsize < row.dtype.itemsize
    for name in row.dtype.names:
        packed[name] = row[name]
    swapped = row.astype(row.dtype.newbyteorder())
    raw = np.frombuffer(b"x" + row.tobytes(), np.dtype({**described(row.dtype), "aligned": False}), offset=1)
    assert raw.ctypes.data % 8 == 1
    layout = described(row.dtype)
    layout["offsets"][:2] = layout["offsets"][1::-1]
    crossed = np.zeros(4, np.dtype(layout))
    for name in row.dtype.names:
        crossed[name] = row[name]
    readonly = row.copy()
    readonly.flags.writeable = False
    for given in (
        row,
        spaced[::2],
        packed,
        swapped,
        raw,
        crossed,
        readonly,
        row.reshape(2, 2),
        row[::-1][::-1],
        row.view(np.recarray),
    ):
        assert _core.steps(NAME, given).ravel().tolist() == [100] * 4
        assert probe.sweep(given)["metrics"]["total"].tolist() == [100, 200, 300, 400]
    assert _core.steps(NAME, row[0]) == 100  # np.void
    for given in (
        None,
        1.0,
        np.zeros(4),
        np.zeros(4, row.dtype[["rate"]]),
        [1, 2],
        "text",
        np.zeros(4, _core.describe(NAME)["metrics_dtype"]),
        [tuple(row[0])],
        np.zeros(4, "V312"),
    ):
        with pytest.raises(TypeError, match="params must be a structured array"):
            _core.check(NAME, given)


def described(dtype):
    return {
        "names": dtype.names,
        "formats": [dtype[n] for n in dtype.names],
        "offsets": [dtype.fields[n][1] for n in dtype.names],
        "itemsize": dtype.itemsize,
    }


def test_saved_rows_come_back(tmp_path):
    np.save(tmp_path / "rows.npy", params(3, rate=2))
    rows = np.load(tmp_path / "rows.npy")
    assert probe.sweep(rows)["metrics"]["total"].tolist() == [200] * 3
    assert (
        probe.sweep(pickle.loads(pickle.dumps(params(3, rate=2))))["metrics"]["total"].tolist() == [200] * 3
    )


def test_warnings_and_steps():
    rows = params(6, rate=[1, 2000, 10, 3000, 5000, 1], verbose=[0, 0, 0, 0, 1, 0], jobs=7, cost=3)
    assert _core.warnings(NAME, rows) == [
        ("rate is above 1000 jobs a second", 1),
        ("rate is above 1000 by far", 4),
    ]
    assert _core.warnings(NAME, params()) == [] and _core.warnings(NAME, params(0)) == []
    assert _core.steps(NAME, rows.reshape(2, 3)).tolist() == [[21] * 3] * 2
    with pytest.raises(ValueError, match="point 5"):
        rows["rate"][5] = -1
        _core.warnings(NAME, rows)


def test_theory():
    rows = params(3, rate=[1, 2, 3], jobs=9)
    rows["classes"]["count"] = [0, 1, 2]
    rows["classes"]["first"] = [0, 1, 1]
    table = class_rows({"rate": 5}, {"rate": 7}, {})
    values = _core.theory(NAME, rows, [table])
    assert values.shape == (3, 4)
    assert values[:, :3].tolist() == [[9, 9, 0.005], [18, 9, 0.005], [27, 9, 0.005]]
    assert np.isnan(values[0, 3]) and values[1:, 3].tolist() == [7, 7 + 3]
    assert _core.theory(NAME, params(0)).shape == (0, 4)
    with pytest.raises(_core.BudgetError, match="point 1: .*used up its queue"):
        _core.theory(NAME, params(2, fail=[0, 2]))
    with pytest.raises(ValueError, match="refers to table 0 of 0"):
        _core.theory(NAME, rows)


def test_pool():
    samples = np.array([0.01, 0.02, 0.03])
    row = params()
    row["service"] = (_core.DISTRIBUTION_NAMES.index("empirical"), 1, 0, 3, [0] * 4, 0)
    table = class_rows({})
    _core.check(NAME, row, [table, samples])
    _core.check(NAME, row, (table, [0.01, 0.02, 0.03]))  # a list is converted
    wide = np.zeros(6)
    wide[::2] = samples
    _core.check(NAME, row, iter([table, wide[::2]]))
    for pool, error in [
        ([table], ValueError),
        ([table, samples[:2]], ValueError),
        ([samples, table], ValueError),
        ([table, samples.reshape(3, 1)], ValueError),
        (None, TypeError),
        ([table, None], TypeError),
        ([table, np.zeros(3, "U4")], TypeError),
        ([table, samples.astype(complex)], TypeError),
        ([table, np.zeros(3, _core.REF_DTYPE)], TypeError),
    ]:
        with pytest.raises((error, TypeError)):
            _core.check(NAME, row, pool)
