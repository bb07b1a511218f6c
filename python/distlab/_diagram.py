"""The space-time diagram as one HTML page inside a frame: it works live, exported and offline, and its script
cannot touch the page around it.

The trace goes along in columns of small integers: time in ticks since the record before, kinds as an index
into a table of (type, label), an arrival as its distance from the sending, and a or b only where they say
something.
"""

import html
import json
import math
import re
from pathlib import Path

import numpy as np

from . import _trace_data
from ._common import integer
from ._style import COLOURS

DARK = ("#56A8E8", "#F08A4B", "#2FC79A", "#E29CC6", "#F0BE4D", "#8FD0F5", "#B5B5B5")
SCRIPTS = ("diagram", "diagram_parts", "diagram_paint", "diagram_marks", "diagram_view")
FILES = ("diagram.css", *(f"{name}.js" for name in SCRIPTS))
LINES_SHOWN = 60
TICKS = 1e7  # of the span, at most
EXACT = 2**53  # JavaScript's integers


class Diagram:
    """A space-time diagram for notebooks and pages; `.html()` is its page, `.save(path)` writes it."""

    def __init__(self, trace, start=None, stop=None, *, limit=20_000, height=None):
        limit = integer("limit", limit, 1, 1_000_000)
        self.height = _height(trace) if height is None else integer("height", height, 120, 4000)
        self.trace, self.low, self.high = trace, *trace.window(start, stop)
        self.events = trace.chosen(start, stop)
        kinds = trace.array["type"]
        sends = np.flatnonzero(kinds == trace.names.code["send"])
        inside = sends[np.isin(sends, self.events)]
        self.total, self.shown = sends.size, inside.size
        self.cut = inside.size > limit
        if self.cut:
            self.shown = limit
            self.events = self.events[self.events < inside[limit]]
            self.high = float(trace.array["time"][self.events[-1]])

    @property
    def caption(self):
        """What is shown, and what is not."""
        trace = self.trace
        text = f"{trace.model}: {len(trace.nodes)} nodes, {_count(self.shown)} messages"
        if self.shown < self.total:
            text += f" of {_count(self.total)}, {_span(self.low, self.high)}"
            if self.cut:
                text += "; the rest: .diagram(start=…, stop=…)"
        if trace.about.get("parameters"):
            text += f" · {trace.about['parameters']}"
        if trace.about.get("seed") is not None:
            text += f" · seed {trace.about['seed']}"
        return text

    def html(self):
        """The whole page, self-contained."""
        texts = ((Path(__file__).parent / name).read_text(encoding="utf-8") for name in FILES)
        style, *scripts = (re.sub(r"^ +", "", text, flags=re.MULTILINE) for text in texts)
        data = json.dumps(self.data(), separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
        label = html.escape(f"Space-time diagram. {self.caption}")
        return (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{label}</title>'
            f"<style>{style}</style>"
            f'<body><div id="diagram" role="group" aria-label="{label}"></div><script>'
            f"{''.join(scripts)}distlabDiagram(document.getElementById('diagram'),{data})"
            "</script></body></html>"
        )

    def _repr_html_(self):
        label = html.escape(f"Space-time diagram. {self.caption}")
        frame = (
            f"<iframe class='distlab-diagram' sandbox='allow-scripts' title='{label}' aria-label='{label}' "
            f"style='width:100%;height:{self.height}px;border:0' srcdoc='{_attribute(self.html())}'></iframe>"
        )
        lines = self.trace.lines(self.events[:LINES_SHOWN])
        more = self.events.size - len(lines)
        if more > 0:
            lines.append(f"… and {_count(more)} more: .text()")
        text = html.escape("\n".join(lines))
        return f"{frame}<details><summary>The same as text</summary><pre>{text}</pre></details>"

    def save(self, path):
        """Write the page to a file; returns the path."""
        from ._common import check_ending
        from ._trace_export import _write

        check_ending(
            path, "a page (.html)", dict.fromkeys((".png", ".svg", ".pdf"), "trace.plot().save(path)")
        )
        return _write(path, [self.html()])

    def __repr__(self):
        return f"<Diagram {self.caption}"[:99] + ">"

    def data(self):
        """What the script gets (dict, plain values)."""
        trace, names, rows = self.trace, self.trace.names, self.trace.array[self.events]
        low = min(self.low, float(rows["time"][0])) if rows.size else self.low
        tick = _tick(self.high - low)
        ticks = np.rint((rows["time"] - low) / tick).astype(np.int64)
        pairs, kind = np.unique(np.stack([rows["type"], rows["label"]]), axis=1, return_inverse=True)
        kinds = [_kind(names, int(code), int(label)) for code, label in pairs.T]
        columns = _columns(names, rows, kinds, kind.reshape(-1), low, tick)
        return {
            "caption": self.caption,
            "recipe": trace.about.get("recipe") or "",
            "start": low,
            "stop": self.high,
            "tick": tick,
            "nodes": trace.nodes,
            "kinds": kinds,
            "states": [row[0] for row in names.lists["states"]],
            "messages": [row[0] for row in names.lists["messages"]],
            "instant": _trace_data.INSTANT,
            "light": COLOURS,
            "dark": DARK,
            "time": np.diff(ticks, prepend=0).tolist(),
            "kind": kind.reshape(-1).tolist(),
            **columns,
            **self._before(low),
        }

    def _before(self, low):
        """How the nodes were when the window begins: states, crashed and paused nodes, faults under way."""
        trace, names = self.trace, self.trace.names
        first = int(self.events[0]) if self.events.size else len(trace)
        if first == 0:
            return {"states0": [], "down0": [], "paused0": [], "faults0": []}
        old = trace.array[:first]
        open_at = [
            [s for s in _trace_data.stretches(old, names, begins, ends, math.inf) if s[2] == math.inf]
            for begins, ends in (
                (("state",), ("crash",)),
                (("crash",), ("restart",)),
                (("pause",), ("wake", "crash")),
            )
        ]
        under_way = [f for f in _trace_data.faults(old, names, math.inf) if f[4] == math.inf]
        return {
            "states0": [[s[0], s[3]] for s in open_at[0]],
            "down0": [s[0] for s in open_at[1]],
            "paused0": [s[0] for s in open_at[2]],
            "faults0": [[names.row("fault", f[0])[0], f[1], f[2]] for f in under_way],
        }


def _height(trace):
    """As many pixels as the lanes need, within reason."""
    lanes = len(trace.nodes)
    return round(
        150 + lanes * (74 if lanes <= 4 else 62 if lanes <= 8 else 36 if lanes <= 20 else 600 / lanes)
    )


def _count(n):
    return f"{n:,}".replace(",", "\u202f")


def _span(low, high):
    from ._units import number

    return f"{number(low)} s to {number(high)} s"


def _tick(span):
    """A round step of time that cuts the span into ten million pieces or fewer; not below 1 ns."""
    return max(1e-9, 10.0 ** math.ceil(math.log10(span / TICKS))) if span > 0 else 1e-9


def _kind(names, code, label):
    """[type, label, its number, name of a, of b, of id, which column is a code, the names of its values]."""
    kind = names.types[code]
    column, values = names.values(kind)
    if kind == "set":
        column = "time"
    return [kind, names.row(kind, label)[0], label, *names.says(kind, label), column, list(values)]


def _columns(names, rows, kinds, kind, low, tick):
    """The columns that only some records have, one after another in the order of the records."""
    code = names.code
    position = np.arange(rows.size)
    flights = _trace_data.Flights(rows, names)
    ends = flights.arrived >= 0
    sent = np.full(rows.size, -1)
    sent[flights.arrived[ends]] = flights.sent[ends]
    arrival = np.isin(rows["type"], [code["deliver"], code["drop"]])
    known = sent >= 0
    derived = known & (rows["type"] == code["deliver"])
    same = derived & (rows["a"] == rows["a"][sent]) & (rows["b"] == rows["b"][sent])
    away = np.where(known, position - sent, 0)
    away = np.where(derived & ~same, -away, away)
    b = rows["b"].astype(object)
    timers = np.flatnonzero(rows["type"] == code["set"])
    b[timers] = [round((value * _trace_data.NS - low) / tick) for value in rows["b"][timers].tolist()]
    has = [np.array([bool(row[3 + k]) for row in kinds], bool)[kind] & ~same for k in range(3)]
    two = np.isin(rows["type"], [code[k] for k in ("send", "deliver", "drop", "duplicate", "fault", "heal")])
    return {
        "away": away[arrival].tolist(),
        "node": rows["node"][~derived].tolist(),
        "peer": rows["peer"][two & ~derived].tolist(),
        "a": _numbers(rows["a"][has[0]].tolist()),
        "b": _numbers(b[has[1]].tolist()),
        "id": _numbers(rows["id"][has[2]].tolist()),
    }


def _numbers(values):
    """Integers as JavaScript can hold them: text where they are too large."""
    return [value if -EXACT < value < EXACT else str(value) for value in values]


def _attribute(page):
    """A page as the value of an attribute in single quotes."""
    return page.replace("&", "&amp;").replace("'", "&#39;")
