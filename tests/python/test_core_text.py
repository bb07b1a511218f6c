"""The binding: values as text and back."""

import numpy as np
import pytest

import probe
from distlab import _core
from probe import NAME, params


@pytest.fixture(autouse=True)
def registered():
    probe.register()


@pytest.mark.parametrize(
    "field, text, value",
    [
        ("rate", "2k/s", 2000),
        ("timeout", "10ms", 0.01),
        ("timeout", "none", -1),
        ("jobs", "12", 12),
        ("verbose", "true", True),
        ("policy", "random", 2),
        ("features", "alpha|beta", 3),
        ("features", "none", 0),
    ],
)
def test_parse(field, text, value):
    parsed, parts = _core.parse(NAME, field, text)
    assert parsed.shape == () and parsed == value and parts is None
    assert parsed.dtype == _core.describe(NAME)["params_dtype"][field]
    row = params(**{field: parsed})
    assert _core.parse(NAME, field, _core.format(NAME, field, row))[0] == parsed


def test_parse_mixture():
    text = "mixture(0.9: exponential(5ms), 0.1: lognormal(median=80ms, sigma=1))"
    record, parts = _core.parse(NAME, "service", text)
    assert parts.dtype == _core.PART_DTYPE and parts["weight"].tolist() == [0.9, 0.1]
    assert record["table"] == 0 and record["count"] == 2
    again = _core.format(NAME, "service", params(service=record), [parts])
    second, second_parts = _core.parse(NAME, "service", again)
    assert second == record and np.array_equal(second_parts, parts)


def test_format_writes_any_length():
    text = "mixture(" + ", ".join(f"0.{i + 1}: exponential({i + 1}ms)" for i in range(60)) + ")"
    record, parts = _core.parse(NAME, "service", text)
    for long in (
        _core.format(NAME, "service", params(service=record), [parts]),
        _core.format_distribution(record, [parts]),
    ):
        assert len(long) > 600 and np.array_equal(_core.parse_distribution(long)[1], parts)


@pytest.mark.parametrize(
    "field, text, error",
    [
        ("rate", "fast", TypeError),
        ("rate", "1e9", ValueError),
        ("rate", "nan", TypeError),
        ("jobs", "1.5", TypeError),
        ("policy", "lifoo", ValueError),
        ("service", "exponential(0)", ValueError),
        ("classes", "x", TypeError),
        ("rat", "1", _core.UnknownNameError),
        ("service", "none", _core.UnknownNameError),
        ("timeout", "\udcff", UnicodeEncodeError),
        ("verbose", "perhaps", TypeError),
    ],
)
def test_parse_refuses(field, text, error):
    with pytest.raises(error):
        _core.parse(NAME, field, text)


def test_format_refuses():
    with pytest.raises(ValueError, match="one row"):
        _core.format(NAME, "rate", params(2))
    record = _core.parse(NAME, "service", "mixture(1: constant(1), 1: constant(2))")[0]
    with pytest.raises(ValueError):
        _core.format(NAME, "service", params(service=record))  # without its parts
    with pytest.raises(_core.UnknownNameError, match="rate"):
        _core.format(NAME, "rte", params())


def test_quantity_and_nearest():
    assert _core.quantity("10ms", "s") == pytest.approx(0.01) and _core.quantity("5") == 5
    with pytest.raises(TypeError, match="is a time"):
        _core.quantity("10ms", "byte")
    assert _core.nearest("arival_rate", ["arrival_rate", "servers"]) == "arrival_rate"
    assert _core.nearest("zzz", ("arrival_rate",)) is None and _core.nearest("a", []) is None
    with pytest.raises(TypeError):
        _core.nearest("a", [1])
    with pytest.raises(TypeError):
        _core.nearest("a", 1)
