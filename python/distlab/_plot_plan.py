"""What a picture of a sweep shows: which dim goes along x, which one the colours tell apart, the numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from distlab import _units

LINES_MAX = 40


class Line(NamedTuple):
    """One drawn series in display units: the hue it belongs to, its column, and its numbers along x."""

    hue: int
    column: int
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    theory: np.ndarray | None


class Plan(NamedTuple):
    """What goes where: names of dims and columns, positions along x, labels of the hues."""

    x: str
    field: dict[str, Any]
    hue: str | None
    hue_field: dict[str, Any]
    columns: list[dict[str, Any]]
    at: np.ndarray
    numeric: bool
    ticks: list[str]
    hues: list[str]
    logx: bool
    fixed: list[str]


def _names(items: Any) -> str:
    return ", ".join(map(str, items))


def dim_field(sweep: Any, dim: str) -> dict[str, Any]:
    """The field behind a dim; a dim that is no parameter (a mapped axis, a design) has only its name."""
    try:
        return dict(sweep.field(dim))
    except (KeyError, ValueError):
        return {"name": dim, "unit": None, "display": None}


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, (int, float, np.integer, np.floating))
        and not isinstance(value, bool)
        and math.isfinite(value)
    )


def _numeric(values: Sequence[Any]) -> bool:
    return all(_is_number(v) for v in values)


def _choose(wanted: str | None, among: Sequence[str], what: str, sweep: Any) -> str | None:
    """Check that a dim exists."""
    if wanted is not None and wanted not in among:
        from distlab import _core

        near = _core.nearest(str(wanted), list(among))
        hint = f"; did you mean {near!r}?" if near else ""
        raise ValueError(
            f"{what} = {wanted!r} is not a dim of this sweep ({_names(sweep.dims) or 'it has none'}){hint}"
        )
    return wanted


def make_plan(sweep: Any, x: str | None, y: Any, hue: str | None, logx: bool | None) -> Plan:
    dims = list(sweep.dims)
    size = {d: len(sweep.coords[d]) for d in dims}
    x, hue = _choose(x, dims, "x", sweep), _choose(hue, dims, "hue", sweep)
    if not dims:
        raise ValueError("this sweep has one point and no dim to draw along; give a parameter several values")
    if x is not None and x == hue:
        raise ValueError(f"x and hue are both {x!r}; they must be different dims")
    wide = [d for d in dims if size[d] > 1 and d != hue] or [d for d in dims if d != hue] or dims
    x = x or next((d for d in wide if _numeric(sweep.coords[d])), wide[0])
    if x == hue:
        hue = None
    rest = [d for d in dims if d not in (x, hue)]
    if hue is None:
        hue = next((d for d in rest if size[d] > 1), None)
        rest = [d for d in rest if d != hue]
    left = [d for d in rest if size[d] > 1]
    if left:
        picks = _names(f"{d}={_literal(sweep.coords[d][0])}" for d in left)
        raise ValueError(
            f"a plot shows two dims, x = {x!r} and hue = {hue!r}; choose one value of "
            f"{_names(left)}, for example sweep.sel({picks}).plot()"
        )
    field, values = dim_field(sweep, x), list(sweep.coords[x])
    numeric = _numeric(values)
    at = (
        np.array(values, float) * _units.field_factor(field)
        if numeric
        else np.arange(len(values), dtype=float)
    )
    hue_field = dim_field(sweep, hue) if hue else {}
    hues = [_units.value_text(v, hue_field, unit=False) for v in sweep.coords[hue]] if hue else []
    ticks = [_units.value_text(v, field, unit=False) for v in values]
    fixed = [f"{_units.words(d)} {_units.value_text(sweep.coords[d][0], dim_field(sweep, d))}" for d in rest]
    others = {**sweep.picked, **sweep.changed}
    fixed += [
        f"{_units.words(d)} {_units.value_text(v, dim_field(sweep, d))}" for d, v in list(others.items())[:5]
    ]
    return Plan(
        x,
        field,
        hue,
        hue_field,
        _columns(sweep, y),
        at,
        numeric,
        ticks,
        hues,
        numeric and _log_x(field, at, logx),
        fixed,
    )


def _literal(value: Any) -> str:
    return repr(value.item() if isinstance(value, np.generic) else value)


def _columns(sweep: Any, y: Any) -> list[dict[str, Any]]:
    if y is not None and not isinstance(y, (str, list, tuple)):
        raise TypeError(f"y must be the name of a column or a list of names, not {y!r:.60}")
    names = [y] if isinstance(y, str) else list(y) if y is not None else [sweep.model.main_column]
    if not names:
        raise ValueError("y names no column")
    columns = [sweep.column(name) for name in names]
    units = {(c.get("unit"), c.get("display") or c.get("unit")) for c in columns}
    if len(units) > 1:
        shown = _names(f"{c['name']} in {_units.field_unit(c) or 'no unit'}" for c in columns)
        raise ValueError(f"columns of one plot need one unit, but here are {shown}; draw one plot for each")
    return columns


def _log_x(field: dict[str, Any], at: np.ndarray, wanted: bool | None) -> bool:
    """The spacing of the values says how they were meant; the field decides where it does not."""
    if len(at) == 0 or at.min() <= 0:
        return False
    if wanted is not None:
        return wanted
    if len(at) < 3 or at.max() < 4 * at.min():
        return False
    steps = np.diff(np.sort(at))
    if np.allclose(steps, steps[0], rtol=0.02):
        return False
    ratios = np.diff(np.log(np.sort(at)))
    return bool(field.get("log_scale")) or bool(np.allclose(ratios, ratios[0], rtol=0.35))


def make_lines(sweep: Any, plan: Plan, theory: bool) -> list[Line]:
    """Every series of the plot, in display units."""
    if max(len(plan.hues), 1) * len(plan.columns) > LINES_MAX:
        raise ValueError(
            f"{max(len(plan.hues), 1) * len(plan.columns)} lines are too many for a plot "
            f"(at most {LINES_MAX}); choose fewer values of {plan.hue!r} with sweep.sel(...)"
        )
    dims = list(sweep.dims)
    lines = []
    for k, column in enumerate(plan.columns):
        scale = _units.field_factor(column)

        def grid(values: Any, scale: float = scale) -> np.ndarray:
            a = np.asarray(values, float).reshape([len(sweep.coords[d]) for d in dims]) * scale
            keep = [d for d in dims if d in (plan.hue, plan.x)]
            a = a[tuple(slice(None) if d in keep else 0 for d in dims)]
            return a.T if plan.hue and keep[0] == plan.x else a if plan.hue else a[None]

        stats = sweep.stats(column["name"])
        known = sweep.theory(column["name"]) if theory else None
        expected = None if known is None else grid(known)
        parts = [grid(stats[key]) for key in ("mean", "low", "high")]
        for h in range(max(len(plan.hues), 1)):
            lines.append(
                Line(h, k, parts[0][h], parts[1][h], parts[2][h], None if expected is None else expected[h])
            )
    return lines
