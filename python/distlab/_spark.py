"""Sparklines: a few hundred bytes of inline SVG in the colour of the page's own text."""

from __future__ import annotations

from html import escape

import numpy as np

from distlab._units import number

WIDTH, HEIGHT, PAD = 240, 52, 4
POINTS_MAX = 48


def lines(rows: np.ndarray, caption: str) -> str:
    """A line for each row of values, all on one scale; the extremes are written beside it."""
    rows = np.atleast_2d(np.asarray(rows, float))
    rows = rows[:, _pick(rows.shape[1])]
    finite = rows[np.isfinite(rows)]
    if finite.size < 2:
        return ""
    low, high = float(finite.min()), float(finite.max())
    paths = []
    for k, row in enumerate(rows):
        weight = 1.0 - 0.6 * k / max(len(rows) - 1, 1)
        paths.append(f'<path d="{_path(row, low, high)}" opacity="{weight:.2f}"/>')
    return _svg("".join(paths), caption, number(high, 3), number(low, 3))


def curve(values: np.ndarray, caption: str) -> str:
    """One curve from 0 to 1."""
    return _svg(f'<path d="{_path(np.asarray(values, float), 0.0, 1.0)}"/>', caption, "1", "0")


def _pick(count: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(count, POINTS_MAX)).round().astype(int))


def _path(row: np.ndarray, low: float, high: float) -> str:
    """An SVG path that is lifted where there is no value."""
    span = high - low or 1.0
    steps, down = [], False
    for i, value in enumerate(row):
        if not np.isfinite(value):
            down = False
            continue
        x = PAD + (WIDTH - 2 * PAD) * i / max(len(row) - 1, 1)
        y = HEIGHT - PAD - (HEIGHT - 2 * PAD) * (value - low) / span
        steps.append(f"{'L' if down else 'M'}{x:.0f} {y:.1f}")
        down = True
    return "".join(steps)


def _svg(paths: str, caption: str, high: str, low: str) -> str:
    text = f'<text x="{WIDTH + 4}" y="%d" font-size="11" fill="currentColor" stroke="none">%s</text>'
    labels = text % (12, escape(high)) + text % (HEIGHT - 3, escape(low))
    return (
        f'<div><svg width="{WIDTH + 48}" height="{HEIGHT}" role="img" fill="none" stroke="currentColor" '
        f'stroke-width="1.6"><title>{escape(caption)}</title>{paths}{labels}</svg>'
        f'<span class="q"> {escape(caption)}</span></div>'
    )
