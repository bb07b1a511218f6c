"""Pictures of a lesson: drawn on `Figure` objects, dressed like all of distlab, listed for the tests."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

from distlab import _style

SIMULATED, BAD, GOOD, GUESS, MUTED = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#8A8F98"
EXACT = _style.INK
SLIDE = (12.8, 7.2)  # inches; 1280 x 720 at 100 dots an inch


def dress(ax: Any) -> None:
    """Quiet spines, a light grid."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(_style.QUIET)
    ax.tick_params(colors=_style.INK, labelsize=10, color=_style.QUIET)
    ax.grid(True, color=_style.GRID, linewidth=0.8)
    ax.set_axisbelow(True)


def figure(
    size: tuple[float, float], panels: int | tuple[int, int] = 1, **options: Any
) -> tuple[Any, list[Any]]:
    """A figure and its axes: so many side by side, or in (rows, columns)."""
    _style.require()
    from matplotlib.figure import Figure

    made: Any = Figure(figsize=size, layout="constrained", facecolor="white")
    made.get_layout_engine().set(w_pad=0.08, h_pad=0.08)
    rows, columns = panels if isinstance(panels, tuple) else (1, panels)
    axes = list(made.subplots(rows, columns, squeeze=False, **options).flat)
    for ax in axes:
        dress(ax)
    return made, axes


def draw(
    paint: Callable[..., Any],
    *args: Any,
    size: tuple[float, float] = _style.SIZE,
    panels: int | tuple[int, int] = 1,
    caption: str = "",
) -> _style.Picture:
    """A picture from a function `paint(ax, ...)`, or `paint([ax, ax], ...)` for several panels."""
    made, axes = figure(size, panels)
    paint(axes[0] if panels == 1 else axes, *args)
    for ax in axes:
        for axis in (ax.xaxis, ax.yaxis):
            axis.label.set_size(11)
            axis.label.set_color(_style.INK)
    return _style.Picture(made, caption)


def axes_of(picture: _style.Picture) -> list[dict[str, str]]:
    """The labels of every axis that shows numbers; the picture must have been rendered."""
    found = []
    for ax in picture.figure.axes:
        labels = {}
        for name, axis in (("x", ax.xaxis), ("y", ax.yaxis)):
            if axis.get_visible() and any(text.get_text() for text in axis.get_ticklabels()):
                labels[name] = axis.get_label_text()
        found.append(labels)
    return found


def slide(paint: Callable[..., Any], args: tuple[Any, ...], panels: int | tuple[int, int]) -> Any:
    """The picture of a lesson on the ground of a slide; `slide_png` adds the words."""
    made, axes = figure(SLIDE, panels)
    made.get_layout_engine().set(rect=(0.03, 0.16, 0.94, 0.71))
    paint(axes[0] if panels == 1 else axes, *args)
    for ax in axes:
        for item in (ax.xaxis.label, ax.yaxis.label, *ax.get_xticklabels(), *ax.get_yticklabels(), *ax.texts):
            item.set_fontsize(item.get_fontsize() * 1.35)
    return made


def slide_png(made: Any, title: str, note: str, credit: str) -> bytes:
    """The slide with what it says on top and the finding below."""
    made.text(0.045, 0.915, title, fontsize=25, weight="bold", color=_style.INK)
    made.text(0.045, 0.145, "\n".join(textwrap.wrap(note, 104)[:3]), fontsize=14, color=_style.INK, va="top")
    made.text(0.955, 0.02, credit, fontsize=10.5, color=_style.QUIET, ha="right")
    return _style.Picture(made, title).png(dpi=100)


def log_axis(axis: Any, values: Any) -> None:
    """A logarithmic axis (`ax.xaxis` or `ax.yaxis`) with plain numbers on it."""
    import numpy as np

    setter = axis.axes.set_xscale if axis.axis_name == "x" else axis.axes.set_yscale
    setter("log")
    found = np.asarray(values, dtype=float).reshape(-1)
    _style.plain_log(axis, found[found > 0])


def direct(ax: Any, x: float, y: float, text: str, colour: str = EXACT, **options: Any) -> None:
    """A label at the thing it names, on a white ground so that lines do not cross the letters."""
    place = {"fontsize": 10, "va": "center", "ha": "left", **options}
    ax.text(
        x,
        y,
        text,
        color=colour,
        zorder=9,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.85},
        **place,
    )
