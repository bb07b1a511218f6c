"""What a reader asks of a what-if: ``latency_p99 < 200ms``, ``wait <= 1.05 * base``, ``loss < base + 1%``.

The answer is about the interval, not the point: it holds where the whole interval lies on the right side,
fails where the whole interval lies on the wrong side, and is undecided where the limit lies inside it. Asked
against the base, the interval is that of the paired difference (or ratio), which common random numbers make
narrow.
"""

import math
import re
from typing import NamedTuple

from . import _core, _units
from ._common import naming, short, unknown

TEXT = re.compile(r"\s*(?:([^<>]+?)\s*:\s*)?([A-Za-z_][A-Za-z0-9_]*)\s*(<=|>=|<|>)\s*(\S.*?)\s*")
AGAINST = re.compile(r"(?:([0-9.eE+-]+)\s*\*\s*)?base(?:\s*([+-])\s*(.+))?")
SHAPE = 'an assert is "[VARIANT:] COLUMN < LIMIT"; the limit is a quantity, "1.05 * base" or "base + 5ms"'


class Assert(NamedTuple):
    """One question: which variant (None: every one), column, operator, what is compared with which limit."""

    text: str
    label: str | None
    column: str
    sign: str
    what: str  # "value", "difference" or "ratio"
    limit: float


class Answer(NamedTuple):
    """The answer for one variant; low and high are the interval of what was asked about (SI units)."""

    text: str
    variant: str
    column: str
    what: str
    value: float
    low: float
    high: float
    limit: float
    verdict: str


def parse(model, text, labels):
    """An Assert out of its text."""
    found = TEXT.fullmatch(text) if isinstance(text, str) else None
    if not found:
        raise ValueError(f"{short(text)} cannot be read: {SHAPE}")
    label, name, sign, limit = found.groups()
    if label is not None and label not in labels:
        raise unknown(f"{short(text)}: variant", label, labels)
    with naming(repr(text)):
        column = model.column(name)
        against = AGAINST.fullmatch(limit)
        what, number = _against(model, text, column, against) if against else ("value", None)
        if number is None:
            number = _core.quantity(limit, column.get("unit"))
    if not math.isfinite(number):
        raise ValueError(f"{text!r}: the limit must be finite")
    return Assert(" ".join(text.split()), label, column["name"], sign, what, float(number))


def _against(model, text, column, found):
    factor, sign, more = found.groups()
    if factor is None or float(factor) == 1:
        return "difference", 0.0 if more is None else float(f"{sign}1") * _core.quantity(
            more, column.get("unit")
        )
    if more is not None:
        raise ValueError(f"{text!r}: a factor and a sum at once: {SHAPE}")
    if not 0 < float(factor) < math.inf:
        raise ValueError(f"{text!r}: the factor must be positive")
    return "ratio", float(factor)


def judge(asked, interval):
    """A verdict from (value, low, high)."""
    value, low, high = interval
    if math.isinf(value):
        low = high = value
    if asked.sign in (">", ">="):
        low, high, limit = -high, -low, -asked.limit
    else:
        limit = asked.limit
    strict = asked.sign in ("<", ">")
    if math.isnan(low) or math.isnan(high):
        return "undecided"
    if high < limit or (high == limit and not strict):
        return "holds"
    return "fails" if low > limit or (low == limit and strict) else "undecided"


def interval_text(verdict, column):
    """The interval a verdict is about, for people: "41.2 to 43.9 ms"."""
    if verdict.what == "ratio":
        return f"{_units.number(verdict.low, 4)} to {_units.number(verdict.high, 4)} times base"
    scale, unit = _units.field_factor(column), _units.field_unit(column)
    text = f"{_units.number(verdict.low * scale, 4)} to {_units.number(verdict.high * scale, 4)}"
    if verdict.low == verdict.high:
        text = _units.number(verdict.value * scale, 4)
    more = " more than base" if verdict.what == "difference" else ""
    return _units.joined(text, unit) + more
