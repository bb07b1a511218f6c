"""Units and numbers for people: SI values become display units, names become titles, digits become sensible.

Inside distlab every value is in SI units. Only what people read (axes, tables, pages) is converted, by this
module alone, from the `unit` and `display` of a field or column.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

_TIME = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = {
    "byte": 1.0,
    "B": 1.0,
    "kB": 1e3,
    "MB": 1e6,
    "GB": 1e9,
    "TB": 1e12,
    "KiB": 1024.0,
    "MiB": 1024.0**2,
    "GiB": 1024.0**3,
    "TiB": 1024.0**4,
}
_PLAIN = {"%": 0.01, "ppm": 1e-6, "k": 1e3, "M": 1e6, "G": 1e9}
_SPELLED = {"us": "µs"}
_ACRONYMS = {"rtt", "scv", "ttl", "cpu", "io", "id", "lru", "lfu", "rps", "slo"}
_QUANTITY = {"s": "Time", "1/s": "Rate", "byte": "Size", "byte/s": "Throughput"}
_SMALL_NUMBERS = 9999.5  # above, thousands are set apart


def _in_si(name: str) -> float | None:
    """How many SI units one `name` is; None for a unit this module does not know."""
    for table in (_TIME, _SIZE, _PLAIN):
        if name in table:
            return table[name]
    top, slash, bottom = name.partition("/")
    if not slash or bottom not in _TIME:
        return None
    above = 1.0 if top in ("", "1") else _in_si(top)
    return None if above is None else above / _TIME[bottom]


def factor(unit: str | None, display: str | None) -> float:
    """What an SI value is multiplied with to be in its display unit."""
    if not display or display == unit:
        return 1.0
    shown = _in_si(display)
    base = 1.0 if unit is None else _in_si(unit)
    if unit == "ppm":
        base = 1e-6
    return 1.0 if shown is None or base is None else base / shown


def unit_text(unit: str | None, display: str | None = None) -> str:
    """The unit as it is written beside a number; empty for a plain number."""
    name = display or unit or ""
    return _SPELLED.get(name, name)


def field_factor(field: Mapping[str, Any]) -> float:
    """The factor of a field or column from SI to its display unit."""
    return factor(field.get("unit"), field.get("display"))


def field_unit(field: Mapping[str, Any]) -> str:
    """The display unit of a field or column."""
    return unit_text(field.get("unit"), field.get("display"))


def quantity_name(unit: str | None) -> str:
    """What is measured in this unit, for an axis that several metrics share."""
    return _QUANTITY.get(unit or "", "Value")


def words(name: str) -> str:
    """`arrival_rate` as words: "arrival rate"; acronyms stay capitals."""
    return " ".join(w.upper() if w in _ACRONYMS else w for w in name.split("_"))


def title(name: str) -> str:
    """`arrival_rate` as a heading: "Arrival rate"."""
    text = words(name)
    return text[:1].upper() + text[1:]


def base_and_part(column: Mapping[str, Any]) -> tuple[str, str]:
    """What a column is about and the part of it that it shows: ("latency", "p99.9"), ("wait", "").

    A number whose own name ends like that of a part (`latency_p99` of a closed form) is read the same way.
    """
    name = str(column["name"])
    metric = str(column.get("metric") or name)
    if metric != name and name.startswith(metric + "_"):
        base, part = metric, name[len(metric) + 1 :]
    else:
        found = re.fullmatch(r"(\w+?)_(p\d\d+|mean|max)", name)
        base, part = found.groups() if found else (name, "")
    if part[:1] == "p" and part[1:].isdigit():
        part = f"p{part[1:3]}.{part[3:]}" if len(part) > 3 else part
    return base, {"se": "standard error"}.get(part, words(part))


def part_text(column: Mapping[str, Any]) -> str:
    """The part of a metric that a column shows: "mean", "p99", "p99.9", "max"; empty for the whole."""
    return base_and_part(column)[1]


def column_title(column: Mapping[str, Any]) -> str:
    """A column as a heading: "Latency p99", "Mean latency", "Throughput"."""
    base, part = base_and_part(column)
    if part == "mean":
        return f"Mean {words(base)}"
    return f"{title(base)} {part}" if part else title(base)


def with_unit(text: str, unit: str) -> str:
    """A heading with its unit: "Arrival rate (1/s)"."""
    return f"{text} ({unit})" if unit else text


def axis_label(field: Mapping[str, Any]) -> str:
    """The axis label of a parameter: "Arrival rate (1/s)"."""
    return with_unit(title(str(field["name"])), field_unit(field))


def column_label(column: Mapping[str, Any]) -> str:
    """The axis label of a column: "Latency p99 (ms)"."""
    return with_unit(column_title(column), field_unit(column))


def number(value: float, digits: int = 4) -> str:
    """A number with sensible digits: 0.0123, 12.3, 12 340, 1.2e+09; ∞ and – where there is none."""
    value = float(value)
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e9 or size < 1e-4:
        mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        return f"{mantissa}e{int(power)}"
    places = max(0, digits - 1 - math.floor(math.log10(size)))
    text = f"{value:.{places}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return _thousands(text)


def _thousands(text: str) -> str:
    """Set thousands apart with a thin space where the number is long."""
    whole, dot, rest = text.partition(".")
    if abs(float(whole or "0")) > _SMALL_NUMBERS:
        whole = f"{int(whole):,}".replace(",", "\u202f")
    return whole + dot + rest


def with_error(value: float, half: float) -> str:
    """A value and the half-width of its interval, rounded alike: "12.34 ± 0.56"."""
    if not (math.isfinite(value) and math.isfinite(half)) or half < 0:
        return number(value)
    if half == 0:
        return f"{number(value)} ± 0"
    places = 1 - math.floor(math.log10(half))
    if max(half, abs(value)) >= 1e9 or max(half, abs(value)) < 1e-4:
        power = math.floor(math.log10(max(half, abs(value))))
        return f"({with_error(value / 10.0**power, half / 10.0**power)})e{power}"
    if places <= 0:
        step = 10.0**-places
        pair = (f"{round(v / step) * step:.0f}" for v in (value, half))
        return " ± ".join(map(_thousands, pair))
    return f"{_thousands(f'{value:.{places}f}')} ± {half:.{places}f}"


def quantity(value: float, unit: str | None, display: str | None = None, digits: int = 4) -> str:
    """A number with its unit in the display unit: "12.3 ms"."""
    return joined(number(value * factor(unit, display), digits), unit_text(unit, display))


def joined(text: str, unit: str) -> str:
    """A number and its unit: "12 ms", "90/s"."""
    if unit.startswith("1/"):
        return text + unit[1:]
    return f"{text} {unit}" if unit else text


def value_text(value: Any, field: Mapping[str, Any], digits: int = 4, unit: bool = True) -> str:
    """Any value of a parameter as people read it: "10 ms", "fifo", "off", "a | b"."""
    if value is None:
        return "none" if field.get("type") == "table" else "off"
    if type(value).__name__ in ("bool", "bool_"):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        return " | ".join(map(str, value)) or "none"
    if getattr(getattr(value, "dtype", None), "names", None):
        rows = int(getattr(value, "size", 0))
        return f"table of {rows} row{'s' if rows != 1 else ''}"
    try:
        size = float(value) * field_factor(field)
    except (TypeError, ValueError):
        return str(value)
    return joined(number(size, digits), field_unit(field) if unit else "")
