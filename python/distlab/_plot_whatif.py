"""Pictures of a what-if: the relative change of every metric, and the tails side by side."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from distlab import _style, _units

CHANGES_MAX = 60
TAIL_LEAST = 1e-4


def plot_change(result: Any, ax: Any = None) -> Any:
    """A forest plot: variant / base of every metric, in per cent, with its interval."""
    _style.require()
    if not result.labels:
        raise ValueError("there is no variant to compare with the base")
    names, labels = result.metrics, result.labels
    points = [
        (i, k, tuple(100 * (v - 1) for v in result.ratio(name, label)))
        for i, name in enumerate(names)
        for k, label in enumerate(labels)
    ]
    points = [p for p in points if math.isfinite(p[2][0])][:CHANGES_MAX]
    figure, ax = _style.canvas(ax, (_style.SIZE[0], max(2.2, 1.3 + len(names) * (0.16 + 0.2 * len(labels)))))
    ax.axvline(0, color=_style.INK, linewidth=1.2, linestyle=(0, (4, 2.5)), zorder=1)
    for k, label in enumerate(labels):
        look, mine = _style.look(k, len(labels)), [p for p in points if p[1] == k]
        at = [-i - (k - (len(labels) - 1) / 2) * 0.8 / max(len(labels), 2) for i, _, _ in mine]
        sides = np.array([[v[0] - v[1], v[2] - v[0]] for _, _, v in mine]).reshape(-1, 2).T
        sides = np.where(np.isfinite(sides), np.maximum(sides, 0.0), 0.0)
        ax.errorbar(
            [v[0] for _, _, v in mine], at, xerr=sides, fmt=look.marker, color=look.colour, markersize=6,
            capsize=3, elinewidth=1.6, zorder=3, label=label if len(label) <= 44 else label[:43] + "…",
        )  # fmt: skip
    ax.set_yticks(
        [-i for i in range(len(names))], [_units.column_title(result.model.column(n)) for n in names]
    )
    ax.set_ylim(-len(names) + 0.4, 0.6)
    ax.grid(False, axis="y")
    _style.plain_ticks(ax.xaxis)
    ax.set_xlabel("Change from the base (%)")
    _style.legend(ax)
    level = _units.number(100 * result.confidence)
    note = "exact, no interval" if result.model.exact else f"bars: {level} % interval of the paired ratio"
    return _style.finish(figure, ax, note, f"{result.model.name}: relative change of each metric")


def tail_metric(result: Any) -> str | None:
    """The first histogram with values in it; None where the model has none."""
    if result.model.exact:
        return None
    for metric in result.model.metrics:
        if metric["type"] == "histogram" and result.sweep.histogram(metric["name"])[1].sum() > 0:
            return str(metric["name"])
    return None


def plot_tail(result: Any, ax: Any = None) -> Any:
    """The share of values above each one, base and variants, with the limits of asserts."""
    _style.require()
    name = tail_metric(result)
    if name is None:
        raise ValueError(f"{result.model.name} has no histogram to draw")
    field = next(m for m in result.model.metrics if m["name"] == name)
    scale, unit = _units.field_factor(field), _units.field_unit(field)
    figure, ax = _style.canvas(ax)
    labels, low, high = ["base", *result.labels], math.inf, 0.0
    for k, label in enumerate(labels):
        edges, counts = result.sweep.histogram(name, k)
        above = 1 - np.cumsum(counts) / counts.sum()
        x = np.asarray(edges[1:], float) * scale
        kept = above >= TAIL_LEAST
        inside = x[kept & (above < 0.9) & (x > 0)]
        if inside.size:
            low, high = min(low, float(inside[0])), max(high, float(inside[-1]))
        look = _style.look(k - 1, len(labels) - 1) if k else _style.Look(_style.INK, (0, (5, 2)), "")
        text = label if len(label) <= 44 else label[:43] + "…"
        ax.plot(x[kept], above[kept], color=look.colour, linestyle=look.line, linewidth=1.9, label=text)
    for limit in dict.fromkeys(v.limit for v in result.verdicts if _asks(v, name)):
        ax.axvline(limit * scale, color=_style.QUIET, linewidth=1.2, linestyle=":")
        text = f"limit {_units.joined(_units.number(limit * scale), unit)}"
        ax.annotate(
            text, (limit * scale, 0.02), xycoords=("data", "axes fraction"), xytext=(-4, 0), rotation=90,
            textcoords="offset points", ha="right", va="bottom", fontsize=9, color=_style.QUIET,
        )  # fmt: skip
        high = max(high, limit * scale)
    for share, text in ((0.1, "p90"), (0.01, "p99"), (0.001, "p99.9")):
        ax.annotate(
            text, (1.0, share), xycoords=("axes fraction", "data"), xytext=(4, 0), fontsize=9,
            textcoords="offset points", va="center", color=_style.QUIET, annotation_clip=False,
        )  # fmt: skip
    ax.set_yscale("log")
    ax.set_ylim(TAIL_LEAST, 1.0)
    _style.plain_log(ax.yaxis, [TAIL_LEAST, 1.0])
    if 0 < low < high / 8:
        ax.set_xscale("log")
        ax.set_xlim(low, high * 1.15)
        _style.plain_log(ax.xaxis, [low, high])
    else:
        ax.set_xlim(0, high * 1.05)
        _style.plain_ticks(ax.xaxis)
    ax.set_xlabel(_units.axis_label(field))
    ax.set_ylabel(f"Share with a larger {_units.words(name)}")
    _style.legend(ax)
    note = f"{result.model.name} · all repetitions of each variant together"
    return _style.finish(figure, ax, note, f"{result.model.name}: tail of {_units.words(name)}")


def _asks(verdict: Any, metric: str) -> bool:
    return verdict.what == "value" and verdict.column.startswith(metric + "_")
