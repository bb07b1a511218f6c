"""How every picture looks: colours a colour-blind reader can tell apart, a line style and a marker of their
own for each series, quiet axes, text that can be read on a projector.

Nothing here touches matplotlib's global state: figures are made of `matplotlib.figure.Figure` and styled one
by one, so pictures may be drawn from any thread, for example from a slider's callback.
"""

from __future__ import annotations

import io
import math
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1a1a1a"  # closed forms, text
QUIET = "#666666"  # footnotes, spines
GRID = "#e4e4e4"
# Okabe and Ito's palette without its yellow, which is too light for lines on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#4D4D4D")
LINES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (7, 2, 1.5, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
SIZE = (7.0, 4.3)  # inches
DPI = 150
NOTE_WIDTH = 100  # characters
_render_lock = threading.Lock()


class Look(NamedTuple):
    """What tells one series from the others."""

    colour: Any
    line: Any
    marker: str


def look(index: int, count: int) -> Look:
    """The look of series `index` of `count`; many ordered series get a colour scale."""
    marker = MARKERS[index % len(MARKERS)]
    if count <= len(COLOURS):
        return Look(COLOURS[index], "-", marker)
    import matplotlib

    scale = matplotlib.colormaps["viridis"]
    return Look(scale(0.92 * index / (count - 1)), LINES[index % len(LINES)], marker)


def require() -> None:
    """Say what to install where matplotlib is missing."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install 'distlab[notebooks]'") from error


class Picture:
    """A finished figure that shows itself in a notebook; `.figure` and `.axes` are matplotlib's."""

    def __init__(self, figure: Figure, caption: str = "") -> None:
        self.figure = figure
        self.caption = caption
        self.svg = False  # True: notebooks get vector graphics instead

    @property
    def axes(self) -> Axes | list[Axes]:
        """The axes, or a list where the figure has several."""
        found = list(self.figure.axes)
        return found[0] if len(found) == 1 else found

    def png(self, dpi: float = DPI) -> bytes:
        """The picture as PNG; the same figure gives the same bytes."""
        return self._render("png", dpi, {"Software": None})

    def _render(self, form: str, dpi: float, metadata: dict[str, Any]) -> bytes:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        target = io.BytesIO()
        with _render_lock:
            if type(self.figure.canvas).__name__ == "FigureCanvasBase":
                FigureCanvasAgg(self.figure)
            self.figure.savefig(target, format=form, dpi=dpi, metadata=metadata, facecolor="white")
        return target.getvalue()

    def _repr_png_(self) -> tuple[bytes, dict[str, Any]] | None:
        if self.svg:
            return None
        width, height = self.figure.get_size_inches()
        return self.png(), {"width": round(100 * width), "height": round(100 * height), "alt": self.caption}

    def _repr_svg_(self) -> str | None:
        return self._render("svg", 72, {"Date": None}).decode() if self.svg else None

    def save(self, path: str | Path) -> Path:
        """Write the picture to a file; the ending says how (png, svg, pdf)."""
        target = Path(path)
        form = target.suffix.lstrip(".").lower()
        metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
        if form not in metadata:
            raise ValueError(
                f"cannot save a picture as {target.name!r}: the file must end in .png, .svg or .pdf"
            )
        target.write_bytes(self._render(form, DPI, metadata[form]))
        return target

    def __repr__(self) -> str:
        text = f"<Picture {self.caption}"
        return (text if len(text) < 96 else text[:95] + "…") + ">"


def canvas(ax: Axes | None, size: tuple[float, float] = SIZE) -> tuple[Figure | None, Axes]:
    """A styled Axes: the caller's, or one on a new figure (then the figure comes along)."""
    require()
    if ax is not None:
        if not (hasattr(ax, "plot") and hasattr(ax, "set_xlabel")):
            raise TypeError(f"ax must be matplotlib axes, not {ax!r:.60}")
        return None, ax
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, facecolor="white")
    figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08)
    ax = figure.add_subplot()
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(QUIET)
    ax.tick_params(colors=INK, labelsize=10, color=QUIET)
    ax.grid(True, color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    return figure, ax


def finish(figure: Figure | None, ax: Axes, note: str, caption: str) -> Any:
    """The Axes where the caller brought one, else the picture with its footnote."""
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set_fontsize(11)
        axis.label.set_color(INK)
    if figure is None:
        return ax
    if note:
        figure.supxlabel(_folded(note), x=0.012, ha="left", fontsize=8, color=QUIET)
    return Picture(figure, caption)


def _folded(note: str) -> str:
    """A footnote in lines that fit under the axes, broken between its parts."""
    import textwrap

    lines = [""]
    for part in note.split(" · "):
        longer = f"{lines[-1]} · {part}" if lines[-1] else part
        if len(longer) <= NOTE_WIDTH:
            lines[-1] = longer
        else:
            lines += textwrap.wrap(part, NOTE_WIDTH)
    return "\n".join(line for line in lines if line)


def legend(ax: Axes, heading: str | None = None) -> None:
    """A legend above the axes, where it can hide nothing; beside them when it is long."""
    handles, labels = ax.get_legend_handles_labels()
    if not handles:
        return
    below = len(handles) <= 8
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (-0.01, 1.0), "ncols": _columns(labels)}
    if not below:
        place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.02), "ncols": 1 + len(handles) // 19}
    box = ax.legend(
        handles,
        labels,
        title=heading,
        frameon=False,
        fontsize=10,
        title_fontsize=10,
        alignment="left",
        handlelength=2.4,
        columnspacing=1.4,
        borderaxespad=0.2,
        **place,
    )
    for text in (*box.get_texts(), box.get_title()):
        text.set_color(INK)


def _columns(labels: list[str]) -> int:
    """As many columns as fit over the axes."""
    widths = [len(label) + 7 for label in labels]
    return len(labels) if sum(widths) <= 84 else max(1, min(len(labels), 84 // max(widths)))


def minus(text: str) -> str:
    """A number as print sets it: with a minus sign in the place of the hyphen."""
    return text.replace("-", "\u2212")


def plain_log(axis: Any, values: Any) -> None:
    """Ticks of a logarithmic axis as plain numbers: 0.1, 1, 10, with 2 and 5 between where it is short."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

    from distlab._units import number

    low, high = min(values), max(values)
    decades = math.log10(high / low) if low > 0 else 1.0
    if decades < 0.5:
        from matplotlib.ticker import MaxNLocator

        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.set_minor_locator(FixedLocator([]))
    else:
        inner = (1.0, 2.0, 5.0) if decades <= 2.6 else (1.0,)
        axis.set_major_locator(LogLocator(10, subs=inner, numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda v, _: minus(number(v, 3))))
    axis.set_minor_formatter(NullFormatter())


def plain_ticks(axis: Any) -> None:
    """Ticks of a linear axis without an offset or a factor in the corner."""
    from matplotlib.ticker import FuncFormatter

    from distlab._units import number

    axis.set_major_formatter(FuncFormatter(lambda v, _: minus(number(v, 6))))
