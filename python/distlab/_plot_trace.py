"""The space-time diagram as a still picture: lanes, messages by kind, losses, states, crashes and pauses."""

from __future__ import annotations

from typing import Any

import numpy as np

from distlab import _trace_data
from distlab._style import COLOURS, INK, QUIET, canvas, finish

BAD = "#C1121F"
BAND = (0.07, 0.15)  # below its line: where it begins, how high, in lanes
STATES = ("#8A8A8A", *(COLOURS[k] for k in (4, 2, 0, 3, 1, 5)))
UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))
DENSE = 1500
MARKS = {"request": "v", "reply": "^", "apply": "D", "note": "s"}


def unit_of(span: float) -> tuple[str, float]:
    """The unit in which a span of time reads well, and what it is in seconds."""
    return next((u for u in UNITS if span >= 5 * u[1]), UNITS[-1])


def plot_trace(trace: Any, ax: Any, start: Any, stop: Any) -> Any:
    """See Trace.plot."""
    low, high = trace.window(start, stop)
    lanes = len(trace.nodes)
    figure, ax = canvas(ax, (9.5, min(9.0, max(2.6, 1.5 + 0.62 * lanes))))
    unit, one = unit_of(high - low)
    flights = _trace_data.Flights(trace.array, trace.names)
    count = _messages(ax, trace, flights, low, high, one)
    _lanes(ax, trace, one)
    _faults(ax, trace, low, high, one)
    _states(ax, trace, one, dense=count >= DENSE)
    _marks(ax, trace, low, high, one, 22 if count < 300 else 8)
    pad = 0.01 * (high - low) or 1e-9
    ax.set_xlim((low - pad) / one, (high + pad) / one)
    ax.set_ylim(lanes - 0.55, -0.6)
    ax.set_yticks(range(lanes), trace.nodes)
    ax.tick_params(axis="y", length=0)
    ax.grid(False)
    ax.grid(True, axis="x", color="#ECECEC", linewidth=0.8)
    ax.set_xlabel(f"Time ({unit})")
    ax.set_ylabel("Node")
    _legend(ax)
    return finish(figure, ax, "", f"space-time diagram of {trace.model}: {lanes} nodes, {count} messages")


def _lanes(ax: Any, trace: Any, one: float) -> None:
    """A line for each node with gaps where it is down, hatched where it is paused."""
    rows, names, (first, end) = trace.array, trace.names, trace.span
    down = _trace_data.stretches(rows, names, ("crash",), ("restart",), end)
    for node in range(len(trace.nodes)):
        x = first
        for _, low, high, _, _ in (stretch for stretch in down if stretch[0] == node):
            ax.plot([x / one, low / one], [node, node], color=QUIET, lw=1.2, zorder=2)
            x = high
        ax.plot([x / one, end / one], [node, node], color=QUIET, lw=1.2, zorder=2)
    for k, (node, low, high, _, _) in enumerate(down):
        label = "_" if k else "down"
        ax.plot(
            [low / one, high / one], [node, node], color=BAD, lw=1.2, ls=(0, (1, 3)), zorder=2, label=label
        )
        ax.plot(low / one, node, "x", color=BAD, ms=7, mew=2, zorder=5)
    for k, (node, low, high, _, _) in enumerate(
        _trace_data.stretches(rows, names, ("pause",), ("wake", "crash"), end)
    ):
        ax.barh(
            node, (high - low) / one, 0.2, left=low / one, facecolor="white", edgecolor="#B98900",
            hatch="//////", lw=0.8, zorder=4, label="_" if k else "paused",
        )  # fmt: skip


def _faults(ax: Any, trace: Any, start: float, stop: float, one: float) -> None:
    """Faults of the plan, shaded, and promises that were broken, as far as the picture shows them."""
    rows, names, end = trace.array, trace.names, trace.span[1]
    for label, node, _, begin, until in _trace_data.faults(rows, names, end):
        low, high = max(begin, start), min(until, stop)
        if low > high:
            continue
        lane = (-0.6, len(trace.nodes)) if node < 0 else (node - 0.45, node + 0.45)
        ax.fill_between([low / one, high / one], *lane, color=BAD, alpha=0.06, lw=0, zorder=0)
        text = names.row("fault", label)[0].replace("_", " ")
        corner = (low / one, max(lane[0], -0.6))
        ax.annotate(text, corner, (3, -3), textcoords="offset points", fontsize=8, color=BAD, va="top")
    broken = (rows["type"] == names.code["broken"]) & (rows["time"] >= start) & (rows["time"] <= stop)
    for k in np.flatnonzero(broken).tolist():
        x, text = float(rows["time"][k]) / one, names.row("broken", int(rows["label"][k]))[0]
        ax.axvline(x, color=BAD, lw=1.6, zorder=6)
        ax.annotate(
            f"{text} broken", (x, 0), (-4, 2), xycoords=("data", "axes fraction"), ha="right", zorder=7,
            textcoords="offset points", fontsize=8, color=BAD, fontweight="bold",
        )  # fmt: skip


def _states(ax: Any, trace: Any, one: float, dense: bool) -> None:
    """Bands under the lines; over the messages where they are too many to look through."""
    stretches = _trace_data.stretches(trace.array, trace.names, ("state",), ("crash",), trace.span[1])
    for label in sorted({s[3] for s in stretches}):
        mine = [s for s in stretches if s[3] == label]
        ax.barh(
            [s[0] + BAND[0] + BAND[1] / 2 for s in mine], [(s[2] - s[1]) / one for s in mine], BAND[1],
            left=[s[1] / one for s in mine], color=STATES[0 if label == 0 else 1 + (label - 1) % 6], lw=0,
            alpha=0.25 if label == 0 else 0.55, zorder=3.5 if dense else 1,
            label=trace.names.row("state", label)[0],
        )  # fmt: skip


def _messages(ax: Any, trace: Any, flights: Any, low: float, high: float, one: float) -> int:
    """Lines by kind; losses dashed with a cross. Returns how many."""
    from matplotlib.collections import LineCollection

    x0, x1, part = flights.drawn(trace.span[1])
    shown = (x1 >= low) & (x0 <= high)
    many = int(shown.sum())
    width = 1.1 if many < 300 else 0.8 if many < DENSE else 0.4
    y1 = flights.origin + (flights.goal - flights.origin) * part
    lines = np.stack([np.stack([x0 / one, flights.origin], 1), np.stack([x1 / one, y1], 1)], 1)
    for kind in np.unique(flights.kind[shown]).tolist():
        colour, name = COLOURS[kind % len(COLOURS)], trace.names.row("send", kind)[0]
        for hit, style in ((~flights.dropped & ~flights.copy, "-"), (~flights.dropped & flights.copy, ":")):
            some = shown & hit & (flights.kind == kind)
            label = name if style == "-" else "_"
            ax.add_collection(
                LineCollection(lines[some], colors=colour, lw=width, ls=style, zorder=3, label=label)
            )
            if many < DENSE:
                ax.scatter(x1[some] / one, y1[some], s=14 if many < 300 else 5, color=colour, lw=0, zorder=4)
        some = shown & flights.dropped & (flights.kind == kind)
        ax.add_collection(LineCollection(lines[some], colors=colour, lw=width, ls=(0, (4, 3)), zorder=3))
    lost = shown & flights.dropped
    if lost.any():
        size = 36 if many < 300 else 12
        ax.scatter(x1[lost] / one, y1[lost], marker="x", s=size, color=BAD, lw=1.4, zorder=5, label="lost")
    return int(np.unique(flights.sent[shown & (flights.sent >= 0)]).size)


def _marks(ax: Any, trace: Any, low: float, high: float, one: float, size: float) -> None:
    """Requests, replies, decisions and notes, just above their lane."""
    rows, code = trace.array, trace.names.code
    inside = (rows["time"] >= low) & (rows["time"] <= high) & (rows["node"] >= 0)
    for kind, marker in MARKS.items():
        some = inside & (rows["type"] == code[kind])
        size = size if some.sum() < DENSE else 2
        if some.any():
            face = "none" if kind == "note" else COLOURS[2] if kind == "apply" else INK
            ax.scatter(
                rows["time"][some] / one, rows["node"][some] - 0.17, marker=marker, s=size, facecolor=face,
                edgecolor=COLOURS[2] if kind == "apply" else INK, lw=0.7, zorder=5, label=kind,
            )  # fmt: skip


def _legend(ax: Any) -> None:
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        ax.legend(
            handles, labels, loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=min(len(labels), 7),
            frameon=False, fontsize=9, handlelength=1.6, columnspacing=1.3, borderaxespad=0.2, labelcolor=INK,
        )  # fmt: skip
