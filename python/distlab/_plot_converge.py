"""Are there enough repetitions? The estimate and its interval as they are added."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from distlab import _style, _units
from distlab._plot_plan import dim_field

CONVERGENCE_POINTS = 120


def plot_convergence(sweep: Any, column: str | None = None, point: Any = None, ax: Any = None) -> Any:
    """The estimate of a column and its interval as repetitions are added: are there enough of them?

    `point` is an index, a tuple of indices or a dict of coordinates; by default the point with the widest
    interval.
    """
    _style.require()
    about = sweep.column(column or sweep.model.main_column)
    name = about["name"]
    if sweep.model.exact or sweep.reps < 3:
        raise ValueError(
            f"{sweep.model.name}: convergence needs at least 3 repetitions, "
            f"{'and an exact model has none' if sweep.model.exact else f'not {sweep.reps}'}"
        )
    place = _point(sweep, name, point)
    counts = np.unique(np.geomspace(2, sweep.reps, CONVERGENCE_POINTS).round().astype(int))
    scale = _units.field_factor(about)
    mean, low, high = (_growing(sweep, name, place, counts) * scale).T
    figure, ax = _style.canvas(ax)
    colour = _style.COLOURS[0]
    ax.fill_between(counts, low, high, color=colour, alpha=0.2, linewidth=0, label="interval")
    ax.plot(counts, mean, color=colour, linewidth=1.8, label="estimate")
    known = sweep.theory(name)
    expected = math.nan if known is None else float(known.flat[place]) * scale
    if math.isfinite(expected):
        ax.axhline(expected, color=_style.INK, linestyle=(0, (4, 2.5)), linewidth=1.2, label="closed form")
    _clip_first(ax, low, high, expected)
    if sweep.reps >= 50:
        ax.set_xscale("log")
        _style.plain_log(ax.xaxis, counts)
    else:
        _style.plain_ticks(ax.xaxis)
    ax.set_xlim(counts[0], counts[-1])
    _style.plain_ticks(ax.yaxis)
    ax.set_xlabel("Repetitions")
    ax.set_ylabel(_units.column_label(about))
    _style.legend(ax)
    where = [
        f"{_units.words(d)} {_units.value_text(v, dim_field(sweep, d))}"
        for d, v in sweep.point(place).items()
    ]
    half = (high[-1] - low[-1]) / 2
    final = f"after {sweep.reps}: {_units.with_error(mean[-1], half)} {_units.field_unit(about)}".rstrip()
    level = _units.number(100 * sweep.confidence)
    note = " · ".join([sweep.model.name, *where, final, f"band: {level} % t interval so far"])
    return _style.finish(
        figure, ax, note, f"{sweep.model.name}: {_units.column_title(about)} as repetitions are added"
    )


def _point(sweep: Any, name: str, point: Any) -> int:
    """The flat index of the wanted point, or of the one with the widest relative interval."""
    if point is not None:
        from distlab._design import find_point

        return find_point(sweep.dims, sweep.coords, sweep.shape, point)
    s = sweep.stats(name)
    with np.errstate(divide="ignore", invalid="ignore"):
        width = np.ravel((s["high"] - s["low"]) / np.abs(s["mean"]))
    finite = np.isfinite(width)
    if not finite.any():
        raise ValueError(f"no point of this sweep has an interval for {name}")
    return int(np.argmax(np.where(finite, width, -np.inf)))


def _growing(sweep: Any, name: str, place: int, counts: np.ndarray) -> np.ndarray:
    """(len(counts), 3): mean low high of the first repetitions, merged as the core merges them."""
    from distlab import _core

    rows = sweep.array.dtype.names.index(name)
    good = place * sweep.reps + np.flatnonzero(~sweep._mask[place])
    index = np.concatenate([good[:n] for n in counts])
    offsets = np.concatenate([[0], np.cumsum([len(good[:n]) for n in counts])])
    merged = _core.merge(
        sweep.model.name, sweep._metrics.reshape(-1), sweep._buckets, index, offsets, sweep.confidence
    )
    return np.asarray(merged)[:, rows, :3]


def _clip_first(ax: Any, low: np.ndarray, high: np.ndarray, expected: float) -> None:
    """The interval of two repetitions is often huge; the axis is made for the later ones."""
    later = slice(min(2, len(low) - 1), None)
    ends = [float(np.nanmin(low[later])), float(np.nanmax(high[later]))]
    if math.isfinite(expected):
        ends = [min(ends[0], expected), max(ends[1], expected)]
    span = ends[1] - ends[0] or abs(ends[1]) or 1.0
    ax.set_ylim(ends[0] - 0.15 * span, ends[1] + 0.15 * span)
