"""From a descriptor to controls: one widget for each parameter, in display units, over its typical range.

Linear ranges become sliders whose number can be typed over. Logarithmic ones become sliders over round
values (10, 11, 12, 13, 15 ... of each decade). What can be off has a switch. Tables have no control: they are
given in the call.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from distlab import _params, _units
from distlab._common import short
from distlab._literal import literal
from distlab._model import accepted

STEPS, STEPS_MOST = 100, 1_000_000_000  # of a linear slider
LOG_SPREAD = 1e4  # a range wider than this is logarithmic whatever the field says
VALUES_MAX = 400  # positions of a slider over given values
ROUND = (10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91)
_NUMBERS = ("double", "int")
_WIDE = {"width": "auto"}


class Range:
    """The values a control runs over: low..high in SI, or explicit values."""

    def __init__(self, field: dict[str, Any], low: float, high: float, values: Any = None) -> None:
        self.field, self.low, self.high, self.values = field, low, high, values
        wide = low > 0 and high > LOG_SPREAD * low
        self.log = bool(low > 0 and (field["log_scale"] or wide))

    def axis(self, count: int) -> Any:
        """At most `count` values for the axis of a sweep, and the Python text that makes the same ones."""
        if self.values is not None:
            return list(self.values), "[" + ", ".join(literal(v) for v in self.values) + "]"
        make = "geomspace" if self.log else "linspace"
        made = getattr(np, make)(self.low, self.high, count)
        if self.field["type"] == "int":
            whole = sorted({int(v) for v in np.rint(made)})
            return whole, "[" + ", ".join(map(str, whole)) + "]"
        return made, f"np.{make}({literal(self.low)}, {literal(self.high)}, {count})"


def base_range(field: dict[str, Any]) -> Range | None:
    """The typical range of a numeric parameter, wide enough for its default; None where it has none."""
    if field["type"] not in _NUMBERS or not field["low"] < field["high"]:
        return None
    low, high = float(field["low"]), float(field["high"])
    if field["default"] is not None:
        low, high = min(low, field["default"]), max(high, field["default"])
    return Range(field, low, high)


def given_range(model: Any, field: dict[str, Any], given: Any) -> Range | list[Any]:
    """What a user gave for a parameter to vary over: (low, high), or several values."""
    name = field["name"]
    values = list(given.values()) if isinstance(given, dict) else list(given)
    stored = [_params.convert(model, field, v) for v in values]
    if field["type"] in _NUMBERS:
        if isinstance(given, tuple) and len(given) == 2:
            low, high = map(float, stored)
            if not low < high or not math.isfinite(high - low):
                raise ValueError(f"{name}: a range is (low, high) with low below high, not {short(given)}")
            check_ends(field, low, high)
            return Range(field, low, high)
        check_ends(field, *map(float, stored))
        if not 1 < len(set(stored)) <= VALUES_MAX:
            raise ValueError(f"{name}: give 2 to {VALUES_MAX} different values, not {short(given)}")
        ordered = sorted(set(stored))
        return Range(field, float(ordered[0]), float(ordered[-1]), ordered)
    if not values:
        raise ValueError(f"{name}: give at least one value, or (low, high) for numbers")
    return values


def check_ends(field: dict[str, Any], *values: float) -> None:
    """ValueError for a number that the parameter does not take."""
    for value in values:
        if not field["min"] <= value <= field["max"]:
            raise ValueError(f"{field['name']} = {value:g}: it takes {accepted(field)}")


def round_values(span: Range, start: float | None) -> list[float]:
    """Round values of a logarithmic range with its ends and the start among them, ascending."""
    if span.values is not None:
        found = set(span.values)
    else:
        factor = _units.field_factor(span.field)
        low, high = span.low * factor, span.high * factor
        decades = range(math.floor(math.log10(low)) - 2, math.ceil(math.log10(high)) + 1)
        series = ROUND if high < 1e5 * low else ROUND[::3]
        shown = {float(f"{m}e{d}") for d in decades for m in series}
        found = {float(f"{v / factor:.6g}") for v in shown if low < v < high} | {span.low, span.high}
    if start is not None:
        found.add(start)
    if span.field["type"] == "int":
        found = {round(v) for v in found if span.low <= round(v) <= span.high or v == start}
    return sorted(found)


def nice_step(low: float, high: float, value: float, whole: bool) -> float:
    """1, 2 or 5 times a power of ten, at least STEPS of which make the range, and some of which lead from low
    to value: front ends move a slider that stands between two steps, and say that a user did."""
    span = high - low
    for power in range(math.floor(math.log10(span / STEPS)), math.floor(math.log10(span / STEPS_MOST)), -1):
        for digit in (5, 2, 1):
            step = float(f"{digit}e{power}")
            steps = (value - low) / step
            if step * STEPS <= span * 1.0001 and abs(steps - round(steps)) < 1e-6:
                return max(1, round(step)) if whole else step
            if whole and step <= 1:
                return 1
    return float(f"{span / STEPS_MOST:.1g}")


class Control:
    """One parameter and its widgets: `value` as dl.run takes it, `widget` to show, `watch` to be told."""

    def __init__(
        self, field: dict[str, Any], widget: Any, parts: Iterable[Any], read: Any, write: Any, switch: Any
    ) -> None:
        self.field, self.widget, self.parts, self.switch = field, widget, tuple(parts), switch
        self._read, self._write = read, write

    @property
    def value(self) -> Any:
        """The value it stands at; None: off."""
        return None if self.switch is not None and not self.switch.value else self._read()

    def set(self, value: Any) -> None:
        """Move it; ValueError where the value is outside of what it can show."""
        if value is None:
            if self.switch is None:
                raise ValueError(f"{self.field['name']} cannot be off (None)")
            self.switch.value = False
            return
        self._write(value)
        if self.switch is not None:
            self.switch.value = True

    def watch(self, changed: Callable[[Any], None]) -> None:
        """Call this at every change."""
        for part in (*self.parts, *([self.switch] if self.switch is not None else [])):
            part.observe(changed, names="value")


def make(tools: Any, field: dict[str, Any], span: Any, start: Any) -> Control | None:
    """The control of a parameter that starts at a value; None for a kind that has none (tables)."""
    kind = field["type"]
    tip = tooltip(field)
    about = {"description": label(field), "tooltip": tip, "style": {"description_width": "150px"}}
    about["layout"] = {"width": "auto", "min_width": "0", "flex": "1 1 0"}
    off = field["optional"] and start is None
    if isinstance(span, list):
        made = _menu(tools, field, [(_units.value_text(v, field), v) for v in span], start, about)
    elif isinstance(span, Range):
        make_one = _positions if span.log or span.values is not None else _slider
        made = make_one(tools, span, middle(span) if off else start, about)
    elif kind == "choice":
        made = _menu(tools, field, [(c, c) for c in field["choices"]], start, about)
    elif kind == "bool":
        made = _box(tools, start, about)
    elif kind == "flags":
        made = _boxes(tools, field, start, tip)
    elif kind in (*_NUMBERS, "distribution"):
        made = _text(tools, field, None if off else start, about)
    else:
        return None
    widget, parts, read, write = made
    switch = None
    if field["optional"]:
        switch = tools.Checkbox(
            value=not off,
            indent=False,
            description="on",
            tooltip=f"Off: None. {tip}",
            layout={"width": "46px"},
        )
        for part in parts:
            part.disabled = off
        switch.observe(lambda change: [setattr(p, "disabled", not change["new"]) for p in parts], "value")
        widget = tools.HBox([widget, switch], layout=_WIDE)
    return Control(field, widget, parts, read, write, switch)


def label(field: dict[str, Any]) -> str:
    """Name and display unit."""
    return _units.with_unit(_units.words(field["name"]), _units.field_unit(field))


def tooltip(field: dict[str, Any]) -> str:
    """The sentence of the descriptor, what is accepted, and the name to use in code."""
    default = _units.value_text(field["default"], field)
    return f"{field['doc']} Takes {accepted(field)}. Default: {default}. In code: {field['name']}"


def middle(span: Range) -> float:
    """Where a slider that is off waits to be switched on."""
    middle = math.sqrt(span.low * span.high) if span.log else (span.low + span.high) / 2
    return float(round(middle)) if span.field["type"] == "int" else float(f"{middle:.2g}")


def _slider(tools: Any, span: Range, start: float, about: dict[str, Any]) -> Any:
    """A linear slider in display units."""
    field, factor = span.field, _units.field_factor(span.field)
    whole = field["type"] == "int" and factor == 1
    low, high = float(f"{span.low * factor:.12g}"), float(f"{span.high * factor:.12g}")
    shown = float(f"{min(max(start, span.low), span.high) * factor:.12g}")
    step = nice_step(low, high, shown, whole)
    if whole:
        widget = tools.IntSlider(value=round(shown), min=round(low), max=round(high), step=step, **about)
    else:
        digits = max(1, -math.floor(math.log10(step)))
        form = f".{digits}f" if high < 1e6 else ".4g"
        widget = tools.FloatSlider(value=shown, min=low, max=high, step=step, readout_format=form, **about)

    def read() -> Any:
        si = float(f"{widget.value / factor:.9g}")
        return round(si) if field["type"] == "int" else si

    def write(value: Any) -> None:
        if not span.low <= value <= span.high:
            raise ValueError(
                f"{field['name']} = {value:g}: its slider goes from {span.low:g} to {span.high:g}"
            )
        shown = round(value) if whole else float(f"{value * factor:.12g}")
        widget.step = nice_step(low, high, shown, whole)
        widget.value = shown

    return widget, (widget,), read, write


def _positions(tools: Any, span: Range, start: float, about: dict[str, Any]) -> Any:
    """A slider over values in SI units, shown in display units."""
    field, factor = span.field, _units.field_factor(span.field)

    def options(extra: Any) -> list[tuple[str, Any]]:
        return [(_units.number(v * factor), v) for v in round_values(span, extra)]

    if not span.low <= start <= span.high or (span.values and start not in span.values):
        start = min(span.values or (span.low, span.high), key=lambda v: abs(v - start))
    widget = tools.SelectionSlider(options=options(start), value=start, **about)

    def write(value: Any) -> None:
        known = [v for _, v in widget.options]
        if value not in known:
            if span.values is not None or not span.low <= value <= span.high:
                raise ValueError(
                    f"{field['name']} = {value:g}: its slider has {len(known)} positions from "
                    f"{known[0]:g} to {known[-1]:g}"
                )
            with widget.hold_trait_notifications():
                widget.options = options(value)
        widget.value = value

    return widget, (widget,), lambda: widget.value, write


def _menu(tools: Any, field: dict[str, Any], options: list[Any], start: Any, about: dict[str, Any]) -> Any:
    known = [v for _, v in options]
    first = start if start in known else known[0]
    widget = tools.Dropdown(options=options, value=first, **about)

    def write(value: Any) -> None:
        if value not in [v for _, v in widget.options]:
            raise ValueError(f"{field['name']} = {short(value)}: its menu has {', '.join(map(str, known))}")
        widget.value = value

    return widget, (widget,), lambda: widget.value, write


def _box(tools: Any, start: bool, about: dict[str, Any]) -> Any:
    widget = tools.Checkbox(value=bool(start), **about)
    return widget, (widget,), lambda: widget.value, lambda value: setattr(widget, "value", bool(value))


def _boxes(tools: Any, field: dict[str, Any], start: Any, tip: str) -> Any:
    """A set of names: one box each."""
    boxes = [
        tools.Checkbox(
            value=name in (start or ()), description=name, tooltip=tip, indent=False, layout={"width": "auto"}
        )
        for name in field["choices"]
    ]
    head = tools.HTML(
        f'<span title="{html.escape(tip)}">{html.escape(label(field))}</span>',
        layout={"width": "150px", "min_width": "150px"},
    ).add_class("dlab-name")
    row = tools.HBox(boxes, layout={"flex_flow": "row wrap"})

    def write(names: Any) -> None:
        for box in boxes:
            box.value = box.description in names

    widget = tools.HBox([head, row], layout=_WIDE)
    return widget, boxes, lambda: frozenset(b.description for b in boxes if b.value), write


def _text(tools: Any, field: dict[str, Any], start: Any, about: dict[str, Any]) -> Any:
    """A field for text: distributions, and numbers without a typical range."""
    law = field["type"] == "distribution"
    example = _units.value_text(start, field) if start is not None else _example(field) if law else ""
    hint = "such as lognormal(median=5ms, p99=80ms)" if law else ""
    widget = tools.Text(value=example, placeholder=hint, **about)
    widget.continuous_update = False
    held = {example: start} if start is not None else {}

    def read() -> Any:
        return held.get(widget.value, widget.value.strip())

    def write(value: Any) -> None:
        text = value if isinstance(value, str) else _units.value_text(value, field)
        held.clear()
        if not isinstance(value, str):
            held[text] = value
        widget.value = text

    return widget, (widget,), read, write


def _example(field: dict[str, Any]) -> str:
    """A distribution to begin with: exponential, in the middle of the typical range."""
    unit = field["display"] or field["unit"] or ""
    middle = math.sqrt(field["low"] * field["high"]) or field["high"] / 2
    shown = float(f"{middle * _units.field_factor(field):.2g}")
    return f"exponential({shown:g}{unit if '/' not in unit else ''})"
