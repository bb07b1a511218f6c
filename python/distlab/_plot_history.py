"""The picture of a checked history: operations as bars, one line per process."""

from . import _style
from ._timeline import bars, label

OUTCOME_COLOURS = {"ok": "#56B4E9", "info": "#E69F00", "fail": "#BBBBBB"}
RED = "#C62828"
OUTCOME_WORDS = {"ok": "ok", "info": "unknown outcome", "fail": "failed"}
UNITS = (("s", 1e9), ("ms", 1e6), ("us", 1e3), ("ns", 1.0))
HEIGHT = 0.62  # of a bar, in lanes
LETTERS = 80  # of a name, along the whole axis


def plot_verdict(verdict, ax=None, limit=200):
    """Bars over time, coloured by outcome; the failing part outlined in red, instants as black marks."""
    _style.require()
    drawn, lanes, _ = bars(verdict, limit, by="time")
    timed = verdict.history.parts["timed"]
    span = max([b.end for b in drawn], default=1.0) - min([b.start for b in drawn], default=0.0)
    unit, scale = next(((u, f) for u, f in UNITS if span >= f), UNITS[-1]) if timed else ("", 1.0)
    figure, ax = _style.canvas(ax, (_style.SIZE[0], max(2.2, 1.4 + 0.34 * len(lanes))))
    said = set()
    for bar in drawn:
        _bar(ax, bar, scale, said)
    _names(ax, drawn, scale, span / scale)
    ax.set_yticks(range(len(lanes)), lanes)
    ax.set_ylim(len(lanes) - 0.4, -0.8)
    ax.grid(False, axis="y")
    ax.set_xlabel(f"Time ({unit})" if timed else "Order of events (number)")
    ax.set_ylabel("Process (number)")
    _style.plain_ticks(ax.xaxis)
    _style.legend(ax)
    note = f"{verdict.words} as {verdict.spec} · {len(verdict.history)} operations"
    if len(drawn) < len(verdict.history):
        note += f", {len(drawn)} shown"
    return _style.finish(figure, ax, note, f"{verdict.words}: operations of each process over time")


def _bar(ax, bar, scale, said):
    colour, role = OUTCOME_COLOURS[bar.op.outcome], bar.role
    red = role in ("stuck", "witness")
    width = max(bar.end - bar.start, 0.0) / scale
    words = OUTCOME_WORDS[bar.op.outcome]
    ax.barh(
        bar.lane, width, left=bar.start / scale, height=HEIGHT, color=colour, alpha=0.45 if bar.open else 0.9,
        edgecolor=RED if red else "none", linewidth=2.2 if red else 0,
        hatch="///" if role == "stuck" else None,
        label=words if words not in said else None, zorder=4 if red else 2,
    )  # fmt: skip
    said.add(words)
    if red and "red" not in said:
        ax.plot(
            [], [], color="white", marker="s", markersize=10, linestyle="none", markeredgecolor=RED,
            markeredgewidth=2.2, label="no legal order",
        )  # fmt: skip
        said.add("red")
    if bar.point is not None:
        name = "takes effect" if "point" not in said else None
        ax.plot(
            [bar.point / scale], [bar.lane], color=_style.INK, marker="|", markersize=13, linestyle="none",
            markeredgewidth=1.8, zorder=5, label=name,
        )  # fmt: skip
        said.add("point")


def _names(ax, drawn, scale, span):
    """What fits stands inside the bar; what matters and does not fit, in red above it."""
    for bar in drawn:
        text, red = label(bar.op), bar.role in ("stuck", "witness")
        room = int((bar.end - bar.start) / scale / span * LETTERS) if span > 0 else 0
        inside = len(text) <= room
        if not inside and not red:
            text = text[: room - 1] + "…" if room > 4 else ""
        if text:
            above = red and not inside
            ax.annotate(
                text, (bar.start / scale, bar.lane - above * HEIGHT / 2), xytext=(0, 7) if above else (3, 0),
                textcoords="offset points", va="center", fontsize=8, zorder=6,
                color=RED if above else _style.INK,
            )  # fmt: skip
