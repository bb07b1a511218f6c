"""The picture of a sweep: lines with intervals, closed forms over them, gaps and infinities named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from distlab import _style, _units
from distlab._plot_plan import Line, Plan, make_lines, make_plan

FEW_POINTS = 5  # up to here intervals are bars, above a band
MANY_POINTS = 40  # above, points get no marker
LOG_SPREAD = 100.0  # largest over smallest value that asks for a logarithmic y axis


def plot_sweep(
    sweep: Any,
    x: str | None = None,
    y: str | Sequence[str] | None = None,
    hue: str | None = None,
    ax: Any = None,
    theory: bool = True,
    band: bool = True,
    logx: bool | None = None,
    logy: bool | None = None,
) -> Any:
    """Draw columns of a sweep against one of its dims, one colour for each value of a second."""
    _style.require()
    plan = make_plan(sweep, x, y, hue, logx)
    lines = make_lines(sweep, plan, theory)
    stochastic = not sweep.model.exact
    figure, ax = _style.canvas(ax)
    count = max(len(plan.hues), 1)
    drawn = False
    for line in lines:
        drawn |= _draw_line(ax, plan, line, count, band and stochastic)
    infinite = _mark_infinite(ax, plan, lines, count)
    with_theory = _draw_theory(ax, plan, lines)
    _scale(ax, plan, lines, logy)
    _label(ax, plan, with_theory, sweep.model.exact)
    if figure is not None:
        for line in (
            line for line in ax.lines if line.get_marker() in _style.MARKERS and len(line.get_xdata())
        ):
            line.set_clip_on(False)  # a marker on the edge is shown whole
            line.set_in_layout(False)
    note = _note(sweep, plan, lines, drawn, infinite)
    return _style.finish(figure, ax, note, _caption(sweep, plan))


def _shift(plan: Plan, line: Line, count: int) -> np.ndarray:
    """Positions along x; categories step aside for each other."""
    if plan.numeric:
        return plan.at
    total = count * len(plan.columns)
    return plan.at + (line.hue + count * line.column - (total - 1) / 2) * min(0.14, 0.7 / total)


def _look(plan: Plan, hue: int, column: int) -> _style.Look:
    """Colour and marker tell hues apart and line style columns; without hues colour tells columns apart.

    Where markers would crowd, line styles take their part.
    """
    many = len(plan.at) > MANY_POINTS
    if plan.hues:
        look = _style.look(hue, len(plan.hues))
        varied = column if len(plan.columns) > 1 else hue if many else 0
    else:
        look, varied = _style.look(column, len(plan.columns)), column if many else 0
    style = _style.LINES[varied % len(_style.LINES)] if varied else look.line
    joined = plan.numeric and len(plan.at) > 1
    return look._replace(line=style if joined else "none", marker="" if many else look.marker)


def _draw_line(ax: Any, plan: Plan, line: Line, count: int, band: bool) -> bool:
    """One series with its interval; says whether an interval was drawn."""
    look = _look(plan, line.hue, line.column)
    at = _shift(plan, line, count)
    order = np.argsort(at)
    at, mean = at[order], np.where(np.isfinite(line.mean), line.mean, np.nan)[order]
    low, high = line.low[order], line.high[order]
    joined = plan.numeric and len(at) > 1
    ax.plot(
        at,
        mean,
        color=look.colour,
        linestyle=look.line,
        linewidth=1.7,
        zorder=3,
        marker=look.marker,
        markersize=5.2,
        markeredgecolor="white",
        markeredgewidth=0.6,
    )
    known = np.isfinite(low) & np.isfinite(high) & np.isfinite(mean)
    if not band or not np.any(high[known] > low[known]):
        return False
    if joined and len(at) > FEW_POINTS:
        ax.fill_between(at, low, high, where=known, color=look.colour, alpha=0.2, linewidth=0, zorder=2)
    else:
        spread = np.maximum(np.where(known, [mean - low, high - mean], 0.0), 0.0)
        ax.errorbar(
            at, mean, yerr=spread, fmt="none", ecolor=look.colour, elinewidth=1.3, capsize=3.5, zorder=2
        )
    return True


def _mark_infinite(ax: Any, plan: Plan, lines: list[Line], count: int) -> int:
    """Arrows at the upper edge where a value is infinite."""
    found = 0
    for line in lines:
        endless = np.isposinf(line.mean)
        if endless.any():
            colour = _look(plan, line.hue, line.column).colour
            ax.plot(
                _shift(plan, line, count)[endless],
                np.full(endless.sum(), 0.975),
                marker="^",
                linestyle="none",
                markerfacecolor="none",
                markeredgecolor=colour,
                markersize=6.5,
                zorder=5,
                transform=ax.get_xaxis_transform(),
            )
            found += int(endless.sum())
    return found


def _draw_theory(ax: Any, plan: Plan, lines: list[Line]) -> bool:
    """Closed forms: dashed and dark, over everything; categories get a dash each."""
    drawn = False
    count = max(len(plan.hues), 1)
    for line in lines:
        if line.theory is None or not np.isfinite(line.theory).any():
            continue
        drawn = True
        values = np.where(np.isfinite(line.theory), line.theory, np.nan)
        at = _shift(plan, line, count)
        if plan.numeric and len(at) > 1:
            order = np.argsort(at)
            at, values = at[order], values[order]
            ax.plot(at, values, color=_style.INK, linestyle=(0, (4, 2.5)), linewidth=1.2, zorder=4)
            gap = np.isnan(np.concatenate([[np.nan], values, [np.nan]]))
            values = np.where(gap[:-2] & gap[2:], values, np.nan)  # a value between gaps has no line
        if np.isfinite(values).any():
            ax.plot(
                at,
                values,
                color=_style.INK,
                linestyle="none",
                marker="_",
                markersize=15,
                markeredgewidth=1.6,
                zorder=4,
            )
    return drawn


def _scale(ax: Any, plan: Plan, lines: list[Line], logy: bool | None) -> None:
    """Logarithmic where it helps, zero-based where it may be, plain numbers everywhere."""
    values = np.concatenate(
        [np.ravel([line.mean, *([line.theory] if line.theory is not None else [])]) for line in lines]
    )
    values = values[np.isfinite(values)]
    positive = bool(values.size) and values.min() > 0
    if logy is None:
        logy = positive and values.max() > LOG_SPREAD * values.min()
    if logy and positive:
        ax.set_yscale("log")
        _style.plain_log(ax.yaxis, values)
    else:
        _style.plain_ticks(ax.yaxis)
        if values.size and values.min() >= 0:
            ax.set_ylim(bottom=0)
            if values.max() == 0:
                ax.set_ylim(top=1)
    if plan.logx:
        ax.set_xscale("log")
        if len(plan.at) <= 9:
            from matplotlib.ticker import NullLocator

            ax.set_xticks(plan.at, plan.ticks)
            ax.xaxis.set_minor_locator(NullLocator())
        else:
            _style.plain_log(ax.xaxis, plan.at)
    elif plan.numeric:
        _style.plain_ticks(ax.xaxis)
        if len(plan.at) <= 6 and np.all(plan.at == np.round(plan.at)) and np.ptp(plan.at) <= 4 * len(plan.at):
            ax.set_xticks(plan.at, plan.ticks)
    else:
        _name_categories(ax, plan)
        ax.set_xlim(-0.5, len(plan.at) - 0.5)
        ax.grid(False, axis="x")


def _name_categories(ax: Any, plan: Plan) -> None:
    """The names of categories, folded where they are long, slanted where that is not enough."""
    import textwrap

    width = max(8, 80 // len(plan.ticks))
    folded = [
        "\n".join(textwrap.wrap(name.replace("(", " ("), width)).replace(" (", "(") for name in plan.ticks
    ]
    if max(len(line) for name in folded for line in name.split("\n")) <= width:
        ax.set_xticks(plan.at, folded)
    else:
        ax.set_xticks(plan.at, plan.ticks, rotation=25, ha="right")


def _label(ax: Any, plan: Plan, with_theory: bool, exact: bool) -> None:
    """Axis labels with units, and a legend made of what tells the series apart."""
    columns, first = plan.columns, plan.columns[0]
    bases = [_units.base_and_part(c)[0] for c in columns]
    same = len(set(bases)) == 1  # one metric, whose parts are told apart
    ax.set_xlabel(_units.axis_label(plan.field))
    if len(columns) == 1:
        ax.set_ylabel(_units.column_label(first))
    else:
        shared = _units.title(bases[0]) if same else _units.quantity_name(first.get("unit"))
        ax.set_ylabel(_units.with_unit(shared, _units.field_unit(first)))
    for i, name in enumerate(plan.hues):
        _entry(ax, _look(plan, i, 0), name)
    for k, column in enumerate(columns if len(columns) > 1 else ()):
        look = _look(plan, 0, k)
        if plan.hues:
            look = look._replace(colour=_style.QUIET, marker="" if look.line != "none" else look.marker)
        text = (
            _units.part_text(column) or _units.words(column["name"]) if same else _units.column_title(column)
        )
        _entry(ax, look, text)
    if with_theory and not plan.hues and len(columns) == 1:
        _entry(ax, _look(plan, 0, 0), "model" if exact else "simulation")
    if with_theory:
        joined = plan.numeric and len(plan.at) > 1
        look = _style.Look(_style.INK, (0, (4, 2.5)) if joined else "none", "" if joined else "_")
        _entry(ax, look, "closed form", 1.2, 15)
    if with_theory or plan.hues or len(columns) > 1:
        _style.legend(ax, _units.axis_label(plan.hue_field) if plan.hues else None)


def _entry(ax: Any, look: _style.Look, text: str, width: float = 1.7, size: float = 5.2) -> None:
    """A line of the legend."""
    style = {"color": look.colour, "linestyle": look.line, "linewidth": width}
    ax.plot([], [], **style, marker=look.marker, markersize=size, label=text)


def _note(sweep: Any, plan: Plan, lines: list[Line], drawn: bool, infinite: int) -> str:
    """The footnote: model, repetitions, what the interval means, what is missing and why."""
    parts = [sweep.model.name, *plan.fixed]
    level = _units.number(100 * float(sweep.confidence), 4)
    if sweep.model.exact:
        parts.append("exact, no interval")
    else:
        parts.append(f"{_units.number(sweep.reps)} repetition{'s' if sweep.reps != 1 else ''}")
        shape = "band" if plan.numeric and len(plan.at) > FEW_POINTS else "bars"
        if drawn and sweep.reps > 1:
            parts.append(f"{shape}: {level} % t interval over repetitions")
        elif drawn:
            parts.append(f"{shape}: {level} % interval from within the run")
        elif sweep.reps == 1:
            parts.append("no interval from one repetition")
    seed = dict(sweep.provenance or {}).get("seed")
    if seed is not None and not sweep.model.exact:
        parts.append(f"seed {seed}")
    if infinite:
        parts.append(f"△ {infinite} point{'s' if infinite != 1 else ''} infinite")
    missing = sum(int(np.isnan(line.mean).sum()) for line in lines)
    if missing:
        parts.append(f"{missing} point{'s' if missing != 1 else ''} without a value left out")
    failed = len(sweep.failures or ())
    if failed:
        parts.append(f"{failed} run{'s' if failed != 1 else ''} failed and left out")
    return " · ".join(parts)


def _caption(sweep: Any, plan: Plan) -> str:
    """The picture in words, for its repr and for readers who cannot see it."""
    what = ", ".join(_units.column_title(c) for c in plan.columns)
    each = f", one line for each value of {_units.words(plan.hue)}" if plan.hue else ""
    return f"{sweep.model.name}: {what} against {_units.words(plan.x)}{each}"
