"""What an explorer shows: a small table of numbers, a picture with the current setting, the line of code.

The page holds everything twice: as widgets for whoever has a kernel, and as a plain output that travels with
the notebook. The widgets bring one rule of style with them that hides the plain output, so it is seen exactly
where widgets are not.
"""

from __future__ import annotations

import base64
import math
import re
import textwrap
from html import escape
from typing import Any

import numpy as np

from distlab import _style, _units
from distlab._html import _block, _code, _Number, _quiet, _table, _text
from distlab._literal import literal

PIXELS = 760  # width of the picture
DOTS = 110  # dots an inch
LINE = 96  # characters of a line of code
WIDGET = "application/vnd.jupyter.widget-view+json"

STYLE = (
    "<style>"
    ".dlab-live{max-width:1240px}"
    ".dlab-live .widget-label,.dlab-live .dlab-name{text-overflow:ellipsis;font-size:12.5px}"
    ".dlab-live .dlab-name{text-align:right;padding-right:4px}"
    ".dlab-live .widget-readout{min-width:46px;font-size:12.5px}"
    ".dlab-live .jupyter-widget-Collapse-contents,.dlab-live .jupyter-widget-Accordion-child"
    " .jupyter-widget-Collapse-contents{padding:6px 8px 6px 4px}"
    ".dlab-live .widget-checkbox .widget-label-basic,.dlab-live .widget-checkbox label{align-items:center}"
    ".dlab-live img{background:#fff;border-radius:4px}"
    ".dlab-live .dlab-old{opacity:.35}"
    ".dlab-said{font-size:13px;line-height:1.4;min-height:1.4em;padding:2px 8px;"
    "border-left:3px solid transparent}"
    ".dlab-said.bad{border-color:#d6453d;background:rgba(214,69,61,.11)}"
    ".dlab-said.mind{border-color:#d98300;background:rgba(217,131,0,.11)}"
    ".dlab-said.quiet{opacity:.65}"
    ".dlab-line{font-family:var(--jp-code-font-family,monospace);font-size:12.5px;line-height:1.45;"
    "white-space:pre-wrap;margin:2px 0 0;padding:4px 8px;border:1px solid rgba(128,128,128,.35);"
    "border-radius:3px;user-select:all}"
    "</style>"
)


def said(text: str, kind: str = "") -> str:
    """One sentence below the picture: bad, mind, quiet or plain."""
    return f'<div class="dlab-said {kind}">{escape(text)}</div>'


def code_html(line: str) -> str:
    """The line that makes what is seen."""
    return f'<div class="dlab-line" title="Makes what is seen; click to select.">{escape(line)}</div>'


def call(function: str, model: str, arguments: list[tuple[str, str]]) -> str:
    """A call with keywords, folded where it is long."""
    words = [f'"{model}"', *(f"{name}={text}" for name, text in arguments)]
    line = f"dl.{function}({', '.join(words)})"
    if len(line) <= LINE:
        return line
    body = textwrap.fill(
        ", ".join(_foldable(word) if len(word) > LINE - 8 else word.replace(" ", "\0") for word in words),
        LINE,
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"dl.{function}(\n{body.replace(chr(0), ' ')},\n)"


def _foldable(word: str) -> str:
    """A line may end between the parts of a value, never inside of a text or behind a key."""
    return re.sub(r'"(?:[^"\\]|\\.)*"(: )?', lambda text: text[0].replace(" ", "\0"), word)


def arguments(model: Any, values: dict[str, Any]) -> list[tuple[str, str]]:
    """(name, text) of the values that are not the defaults."""
    out = []
    for name, value in values.items():
        field = model.field(name)
        default = frozenset(field["default"]) if field["type"] == "flags" else field["default"]
        same = type(value) in (bool, int, float, str, frozenset, type(None)) and value == default
        if not same and not (field["type"] == "table" and value is None):
            out.append((name, literal(value, name)))
    return out


def numbers_html(sweep: Any) -> str:
    """Every metric at one setting: value, half-width of its interval, unit, closed form."""
    model, rows, missing = sweep.model, [], 0
    shown = [c for c in model.columns if c["part"] != "se" and c["q"] not in (0.9, 0.95)]
    stats = {c["name"]: {k: float(v) for k, v in sweep.stats(c["name"]).items()} for c in shown}
    theory = {n: float(sweep.theory(n)) for n in model.theory_columns if n in stats}
    closed = not model.exact and any(math.isfinite(v) for v in theory.values())
    for column in shown:
        name, scale = column["name"], _units.field_factor(column)
        value, half = stats[name]["mean"] * scale, (stats[name]["high"] - stats[name]["low"]) / 2 * scale
        if math.isnan(value):
            missing += 1
            continue
        form = theory.get(name, math.nan) * scale
        text = _units.number(value) if model.exact else _units.with_error(value, half)
        row = [f'<span title="{escape(column["doc"])}">{_code(name)}</span>', _Number(text)]
        row.append(_text(_units.field_unit(column)))
        rows.append([*row, _Number("" if math.isnan(form) else _units.number(form))] if closed else row)
    head = ["metric", _Number("value"), "unit", *([_Number("closed form")] if closed else [])]
    level = _units.number(100 * sweep.confidence)
    how = "exact" if model.exact else f"{sweep.reps} repetitions, ± half the width of the {level} % interval"
    more = f" · {missing} metric{'s' if missing != 1 else ''} without a value here" if missing else ""
    return _block(_table(head, rows), _quiet(how + more))


def picture(sweep: Any, y: str, here: Any) -> _style.Picture:
    """The curve of one column along the axis of the sweep, with a mark at the current setting (SI)."""
    drawn = sweep.plot(x=sweep.dims[0], y=y)
    values = np.asarray(sweep.coords[sweep.dims[0]], float)
    if here is not None and values.min() <= here <= values.max():
        ax, at = drawn.axes, here * _units.field_factor(sweep.field(sweep.dims[0]))
        ax.axvline(at, color=_style.COLOURS[1], linewidth=1.3, alpha=0.75, zorder=1.5)
    return drawn


def picture_html(png: bytes, caption: str) -> str:
    """A picture that travels inside the page."""
    data = base64.b64encode(png).decode()
    return (
        f'<img alt="{escape(caption)}" style="width:{PIXELS}px;max-width:100%;background:#fff" '
        f'src="data:image/png;base64,{data}">'
    )


class Still:
    """What stays on a page without a kernel: the last picture, or the last table, and its line of code."""

    def __init__(self, mark: str, body: str, png: bytes | None, line: str) -> None:
        self.mark, self.body, self.png, self.line = mark, body, png, line

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        page = f'<div id="{self.mark}">{STYLE}{self.body}{code_html(self.line)}</div>'
        bundle = {"text/plain": self.line, "text/html": page}
        if self.png is not None:
            bundle["image/png"] = base64.b64encode(self.png).decode()
        return bundle


def live_bundle(box: Any, name: str) -> dict[str, Any]:
    """The widgets, and words for a page that cannot show them."""
    bundle = dict(box._repr_mimebundle_())
    words = f"{name}: the controls need a running kernel; this is the last picture."
    return bundle | {"text/plain": words, "text/html": f'<p style="opacity:.7">{escape(words)}</p>'}
