"""Pictures of one run, one distribution, one comparison."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from distlab import _style, _units

MARKED = ((0.5, "p50"), (0.9, "p90"), (0.99, "p99"))
TAIL_MARKED = ((0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p99.9"))
GRID_POINTS = 400
LOG_SPREAD = 30.0
FOREST_MAX = 60  # rows of a forest plot


def plot_run(run: Any, what: str | None = None, ax: Any = None, tail: bool = False) -> Any:
    """Draw one run: the distribution of a histogram metric, or a kept series over time.

    `what` names a histogram metric or a series; without it the first histogram is drawn, else the first
    series, else the columns that share the unit of the main one. `tail=True` draws the fraction above each
    value on a logarithmic axis, where p99 and p99.9 can be told apart.
    """
    _style.require()
    histograms = [m["name"] for m in run.model.metrics if m["type"] == "histogram"]
    series = list(run.series or {})
    if what is None:
        what = next(iter([*histograms, *series]), None)
    if what in histograms:
        return _run_histogram(run, str(what), ax, tail)
    if what in series:
        return _run_series(run, str(what), ax)
    if what is None:
        return _run_bars(run, ax)
    from distlab import _core

    near = _core.nearest(str(what), [*histograms, *series])
    hint = f"; did you mean {near!r}?" if near else ""
    have = ", ".join([*histograms, *series]) or "none"
    raise ValueError(f"what = {what!r} is no histogram metric or kept series of this run ({have}){hint}")


def _metric(run: Any, name: str) -> dict[str, Any]:
    return next(m for m in run.model.metrics if m["name"] == name)


def _run_note(run: Any) -> str:
    given = list(run.changed.items())
    parts = [f"{_units.words(k)} {_units.value_text(v, run.field(k))}" for k, v in given[:5]]
    return " · ".join([run.model.name, *parts, "exact" if run.model.exact else f"one run, seed {run.seed}"])


def _run_histogram(run: Any, name: str, ax: Any, tail: bool) -> Any:
    edges, counts = run.histogram(name)
    field = _metric(run, name)
    total = float(np.sum(counts))
    if total == 0:
        raise ValueError(f"the histogram {name!r} of this run is empty")
    figure, ax = _style.canvas(ax)
    scale = _units.field_factor(field)
    below = np.concatenate([[0.0], np.cumsum(np.asarray(counts, float))]) / total
    marks = [
        (q, label, float(run.metrics[f"{name}_{label.replace('.', '')}"]) * scale)
        for q, label in (TAIL_MARKED if tail else MARKED)
    ]
    _draw_cumulative(ax, np.asarray(edges, float) * scale, below, marks, tail, _units.field_unit(field))
    word = _units.words(name)
    ax.set_xlabel(_units.axis_label(field))
    ax.set_ylabel(f"Fraction with a larger {word}" if tail else f"Fraction with at most this {word}")
    note = f"{_run_note(run)} · {_units.number(total, 9)} values"
    return _style.finish(figure, ax, note, f"{run.model.name}: distribution of {word} in one run")


def _run_series(run: Any, name: str, ax: Any) -> Any:
    """A kept series holds each value until the next one."""
    times, values, field = run.series_data(name)
    figure, ax = _style.canvas(ax)
    scale = _units.field_factor(field)
    ax.step(times, np.asarray(values, float) * scale, where="post", color=_style.COLOURS[0], linewidth=1.4)
    ax.set_xlabel("Time (s)")
    ax.set_ylabel(_units.axis_label({**field, "name": name}))
    _style.plain_ticks(ax.xaxis)
    _style.plain_ticks(ax.yaxis)
    if np.nanmin(values) >= 0:
        ax.set_ylim(bottom=0)
    return _style.finish(figure, ax, _run_note(run), f"{run.model.name}: {_units.words(name)} over time")


def _run_bars(run: Any, ax: Any) -> Any:
    """Columns that share the unit of the main one, side by side."""
    main = run.model.column(run.model.main_column)
    unit, theory = (main.get("unit"), main.get("display")), dict(run.theory or {})
    shown = [c for c in run.model.columns if (c.get("unit"), c.get("display")) == unit]
    shown = [c for c in shown if math.isfinite(run.metrics[c["name"]])]
    if not shown:
        raise ValueError("this run has no finite metric to draw")
    figure, ax = _style.canvas(ax, (_style.SIZE[0], max(2.0, 1.2 + 0.42 * len(shown))))
    scale, places = _units.field_factor(main), np.arange(len(shown))[::-1]
    ax.barh(places, [run.metrics[c["name"]] * scale for c in shown], height=0.55, color=_style.COLOURS[0])
    for place, column in zip(places, shown, strict=True):
        value = run.metrics[column["name"]] * scale
        known = theory.get(column["name"], math.nan) * scale
        text = _units.number(value)
        if math.isfinite(known):
            ax.plot([known], [place], color=_style.INK, marker="|", markersize=20, markeredgewidth=1.8)
            text += f"  (closed form {_units.number(known)})"
        at = (max(value, known) if math.isfinite(known) else value, place)
        ax.annotate(text, at, xytext=(6, 0), textcoords="offset points", va="center", fontsize=9.5)
    ax.set_yticks(places, [_units.column_title(c) for c in shown])
    ax.set_ylim(-0.6, len(shown) - 0.4)
    ax.grid(False, axis="y")
    ax.margins(x=0.12)
    _style.plain_ticks(ax.xaxis)
    ax.set_xlabel(_units.with_unit(_units.quantity_name(main.get("unit")), _units.field_unit(main)))
    return _style.finish(figure, ax, _run_note(run), f"{run.model.name}: metrics of one run")


def plot_distribution(distribution: Any, ax: Any = None, tail: bool = False) -> Any:
    """Draw a distribution as its cumulative curve with median, p90, p99 and mean marked.

    A density would need a choice of bins or bandwidth, and has none where values have odds of their own.
    """
    _style.require()
    figure, ax = _style.canvas(ax)
    ends = [float(distribution.quantile(p)) for p in (0.0, 0.001, 0.9995 if tail else 0.997)]
    unit = getattr(distribution, "unit", "s")
    display = _best_unit(unit, ends[2])
    scale = _units.factor(unit, display)
    low, high = ends[0], ends[2]
    span = high - low or 0.5 * abs(high) or 1.0
    low, high = max(low - 0.06 * span, 0.0) if low >= 0 else low - 0.06 * span, high + 0.06 * span
    wide = ends[1] > 0 and high > LOG_SPREAD * ends[1]
    if wide and low <= 0:
        low = ends[1]
    x = np.geomspace(low, high, GRID_POINTS) if wide and low > 0 else np.linspace(low, high, GRID_POINTS)
    marked = [(q, label, float(distribution.quantile(q))) for q, label in (TAIL_MARKED if tail else MARKED)]
    x = np.unique(
        np.concatenate([x, [v for _, _, v in marked], np.nextafter([v for _, _, v in marked], -np.inf)])
    )
    x = x[(x >= low) & (x <= high)]
    below = np.asarray(distribution.cdf(x), float)
    marks = [(q, label, v * scale) for q, label, v in marked]
    name = _units.unit_text(unit, display)
    _draw_cumulative(ax, x * scale, below, marks, tail, name)
    mean = float(distribution.mean)
    if math.isfinite(mean) and low <= mean <= high:
        ax.axvline(
            mean * scale,
            color=_style.COLOURS[1],
            linestyle=(0, (6, 2)),
            linewidth=1.4,
            label=f"mean {_units.number(mean * scale, 3)} {name}".rstrip(),
        )
        _style.legend(ax)
    ax.set_xlabel(_units.with_unit(_units.quantity_name(unit), name))
    ax.set_ylabel("Fraction above" if tail else "Fraction at or below")
    note = str(distribution) if math.isfinite(mean) else f"{distribution} · its mean is infinite"
    return _style.finish(figure, ax, note, f"cumulative curve of {distribution}")


def _best_unit(unit: str | None, size: float) -> str | None:
    """Seconds are shown in the unit that gives numbers between 1 and 1000."""
    if unit != "s" or not math.isfinite(size) or size <= 0:
        return unit
    return "s" if size >= 2 else "ms" if size >= 2e-3 else "us" if size >= 2e-6 else "ns"


def _draw_cumulative(
    ax: Any, x: np.ndarray, below: np.ndarray, marks: list[tuple[float, str, float]], tail: bool, unit: str
) -> None:
    """A cumulative curve (or the tail above it) with marked quantiles."""
    y = 1.0 - below if tail else below
    colour = _style.COLOURS[0]
    ax.plot(x, y, color=colour, linewidth=1.9, zorder=3)
    if not tail:
        ax.fill_between(x, 0, y, color=colour, alpha=0.08, linewidth=0)
    top = x[below < 0.9995]
    right = max([*(v for _, _, v in marks), top[-1] if top.size else x[-1]])
    positive = x[x > 0]
    start = (
        positive[np.searchsorted(below[x > 0], 0.05 if tail else 0.005).clip(max=positive.size - 1)]
        if positive.size
        else 0.0
    )
    if start > 0 and right > LOG_SPREAD * start:
        ax.set_xscale("log")
        ax.set_xlim(start, right * 1.25)
        _style.plain_log(ax.xaxis, [start, right])
    else:
        span = right - x[0]
        ax.set_xlim(0.0 if 0 <= x[0] < 0.1 * span else x[0], right + 0.06 * span)
        _style.plain_ticks(ax.xaxis)
    if tail:
        ax.set_yscale("log")
        ax.set_ylim(max(5e-4, float(y[y > 0].min())) if (y > 0).any() else 5e-4, 1.15)
        _style.plain_log(ax.yaxis, [5e-4, 1.0])
    else:
        ax.set_ylim(0, 1.04)
        _style.plain_ticks(ax.yaxis)
    _mark_quantiles(ax, marks, tail, unit)


def _mark_quantiles(ax: Any, marks: list[tuple[float, str, float]], tail: bool, unit: str) -> None:
    """A dot on the curve, a dotted line down to the axis, and the value beside it."""
    for q, label, value in marks:
        height = 1.0 - q if tail else q
        ax.plot([value, value], [ax.get_ylim()[0], height], color=_style.QUIET, linestyle=":", linewidth=1.1)
        ax.plot([value], [height], color=_style.INK, marker="o", markersize=5, linestyle="none", zorder=5)
        text = f"{label} = {_units.joined(_units.number(value, 3), unit)}"
        room = ax.transAxes.inverted().transform(ax.transData.transform((value, height)))[0] > 0.25
        left = room and not tail
        ax.annotate(
            text,
            (value, height),
            xytext=(-6, 3) if left else (8, 5) if tail else (8, -5),
            textcoords="offset points",
            fontsize=9.5,
            color=_style.INK,
            zorder=6,
            ha="right" if left else "left",
            va="bottom" if left or tail else "top",
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "alpha": 0.8, "linewidth": 0},
        )


def plot_compare(comparison: Any, column: str | None = None, ax: Any = None) -> Any:
    """A forest plot: each difference with its interval, and the line of no difference."""
    _style.require()
    about = comparison.column(column or comparison.model.main_column)
    rows = comparison.table(about["name"])
    if len(rows) > FOREST_MAX:
        raise ValueError(
            f"this comparison has {len(rows)} differences, more than a picture can hold ({FOREST_MAX}); "
            "choose a part of the sweep first, with sweep.sel(...)"
        )
    figure, ax = _style.canvas(ax, (_style.SIZE[0], max(2.4, 1.5 + 0.32 * len(rows))))
    scale, unit = _units.field_factor(about), _units.field_unit(about)
    places = np.arange(len(rows))[::-1]
    ax.axvline(0, color=_style.INK, linewidth=1.2, linestyle=(0, (4, 2.5)), zorder=1)
    for told in (True, False):
        chosen = [(p, r) for p, r in zip(places, rows, strict=True) if r["differs"] is told]
        if chosen:
            _forest(ax, chosen, scale, told)
    for place, row in zip(places, rows, strict=True):
        half = (row["high"] - row["low"]) / 2 * scale
        ax.annotate(
            _style.minus(_units.with_error(row["difference"] * scale, half)),
            (1.01, place),
            va="center",
            fontsize=9.5,
            xycoords=("axes fraction", "data"),
            color=_style.INK,
            annotation_clip=False,
        )
    ax.set_yticks(places, [_row_name(comparison, row) for row in rows])
    ax.set_ylim(-0.7, len(rows) - 0.3)
    ax.grid(False, axis="y")
    _style.plain_ticks(ax.xaxis)
    base = _units.value_text(comparison.baseline, comparison.field(comparison.over))
    ax.set_xlabel(
        _units.with_unit(f"{_units.column_title(about)}: difference from {_over(comparison, base)}", unit)
    )
    if not all(row["differs"] for row in rows):
        _style.legend(ax)
    kind = (
        "paired by common random numbers" if comparison.paired else "Welch interval, no common random numbers"
    )
    note = f"{comparison.model.name} · exact, no interval"
    if not comparison.model.exact:
        note = (
            f"{comparison.model.name} · {comparison.reps} repetitions · bars: "
            f"{_units.number(100 * comparison.confidence)} % interval of the difference, {kind}"
        )
    return _style.finish(figure, ax, note, f"{comparison.model.name}: differences over {comparison.over}")


def _over(comparison: Any, base: str) -> str:
    return base if comparison.over == "sweep" else f"{_units.words(comparison.over)} {base}"


def _row_name(comparison: Any, row: dict[str, Any]) -> str:
    """The variant and the other coordinates of a difference."""
    parts = []
    for dim in comparison.dims:
        text = _units.value_text(row[dim], comparison.field(dim))
        short = dim in ("sweep", comparison.over) and isinstance(row[dim], str)
        parts.append(text if short else f"{_units.words(dim)} {text}")
    name = ", ".join(parts)
    return name if len(name) <= 44 else name[:43] + "…"


def _forest(ax: Any, chosen: list[tuple[int, dict[str, Any]]], scale: float, told: bool) -> None:
    """Differences that exclude zero are filled, the others hollow and grey."""
    colour = _style.COLOURS[0] if told else _style.QUIET
    at = [r["difference"] * scale for _, r in chosen]
    sides = np.array(
        [[(r["difference"] - r["low"]) * scale, (r["high"] - r["difference"]) * scale] for _, r in chosen]
    ).T
    sides = np.where(np.isfinite(sides), np.maximum(sides, 0.0), 0.0)
    ax.errorbar(
        at,
        [p for p, _ in chosen],
        xerr=sides,
        fmt="o",
        color=colour,
        markersize=6,
        capsize=3.5,
        elinewidth=1.6,
        markerfacecolor=colour if told else "white",
        zorder=3,
        label="interval excludes zero" if told else "interval includes zero: not told apart",
    )
