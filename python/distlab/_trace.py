"""The trace of one run: what happened, in order, as text, table, causal order, picture and files.

Nothing is computed here that the core computes: lines of text and vector clocks come from it.
"""

import numpy as np

from . import _core, _trace_data
from ._common import integer, naming, nearest, real, short, unknown

NAME = "trace"


def has_trace(model):
    """Does this model tell what happens in a run?"""
    return _core.trace_schema(model.name) is not None


def require(model):
    """ValueError that names the models with a trace unless this one has one."""
    if has_trace(model):
        return
    from ._model import models

    known = [other.name for other in models() if has_trace(other)]
    which = f"models with one: {', '.join(known)}" if known else "no model of this version has one"
    raise ValueError(f"{model.name} has no trace ({which})")


def of_run(run):
    """The Trace of a Run that kept one."""
    require(run.model)
    if NAME not in run.tables:
        raise ValueError(
            "this run kept no trace: run it with trace=True, or take run.replay(trace=True).trace"
        )
    from . import _recipe, _units

    place = (run.point, run.rep)
    recipe = _recipe.maybe(run.model, run._row, run._pool, run._key, run.seed, place, run._decided_by)
    given = ", ".join(f"{k} {_units.value_text(v, run.field(k))}" for k, v in run.changed.items())
    about = {"parameters": given, "seed": run.seed, "recipe": recipe, "provenance": run.provenance}
    return Trace(run.tables[NAME], _core.trace_schema(run.model.name), model=run.model.name, about=about)


class Trace:
    """The trace of one run.

    Attributes
    ----------
    array : structured array
        One row for each event, in order: time (s), type, label, node, peer (-1: none), id, a, b.
    nodes : tuple of str
        Role and number of each node.
    model : str
    schema : dict
        The names behind type, label, a and b.
    about : dict
        parameters (text: what is not at its default), seed, recipe (the run as one line), provenance.
    """

    def __init__(self, rows, schema, *, model, about=None):
        missing = set(_trace_data.COLUMNS) - set(getattr(getattr(rows, "dtype", None), "names", None) or ())
        if missing or rows.ndim != 1:
            raise TypeError(
                f"a trace is rows with columns {', '.join(_trace_data.COLUMNS)}, not {short(rows)}"
            )
        if rows.dtype != _trace_data.ROW:  # read from a file, or part of the table of a sweep
            same = np.empty(len(rows), _trace_data.ROW)
            for name in _trace_data.COLUMNS:
                same[name] = rows[name]
            rows = same
        self.array, self.schema, self.model, self.about = rows, schema, model, dict(about or {})
        self.names = _trace_data.Names(schema)
        self.nodes = tuple(_trace_data.node_names(rows, self.names))
        self._clocks = None

    def __len__(self):
        return len(self.array)

    def __repr__(self):
        if not len(self):
            return f"<trace of {self.model}: nothing happened>"[:100]
        first, last = self.span
        sent = int((self.array["type"] == self.names.code["send"]).sum())
        return (
            f"<trace of {self.model}: {len(self)} events at {len(self.nodes)} nodes, {sent} messages, "
            f"{first:g} s to {last:g} s>"
        )[:100]

    def __getitem__(self, index):
        """Event `index` as a dict: time, type, label, node, peer, id, a, b, and `says` (a and b by name)."""
        k = self._event("index", index)
        return _trace_data.decoded(self.names, self._plain(slice(k, k + 1))[0])

    def _plain(self, part):
        """Rows as tuples of plain numbers."""
        columns = (self.array[name][part].tolist() for name in _trace_data.COLUMNS)
        return list(zip(*columns, strict=True))

    def _event(self, name, index):
        return integer(name, index, 0, len(self) - 1) if len(self) else _empty(name)

    @property
    def span(self):
        """(time of the first event, time of the last), s; (0, 0) of an empty trace."""
        times = self.array["time"]
        return (float(times[0]), float(times[-1])) if times.size else (0.0, 0.0)

    # Parts

    def chosen(self, start=None, stop=None, node=None, kinds=None):
        """Positions of the events from start to stop (s, or text such as "10ms"; both ends included), at a
        node (number or name), of some kinds (types such as "drop", or labels such as a kind of message)."""
        rows = self.array
        low, high = self.window(start, stop)
        keep = (rows["time"] >= low) & (rows["time"] <= high)
        if node is not None:
            keep &= rows["node"] == self._node(node)
        if kinds is not None:
            keep &= self._kinds(kinds)
        return np.flatnonzero(keep)

    def window(self, start, stop):
        """(start, stop) in s; where None, the ends of the trace. ValueError when stop is before start."""
        first, last = self.span
        low = first if start is None else _time("start", start)
        high = last if stop is None else _time("stop", stop)
        if high < low:
            raise ValueError(
                f"stop = {high:g} s is before start = {low:g} s (the trace: {first:g} to {last:g} s)"
            )
        return low, high

    def _node(self, node):
        if isinstance(node, str):
            if node not in self.nodes:
                raise unknown("node", node, self.nodes)
            return self.nodes.index(node)
        return integer("node", node, 0, len(self.nodes) - 1) if self.nodes else _empty("node")

    def _kinds(self, kinds):
        keep = np.zeros(len(self), bool)
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            hit = self._of_kind(kind)
            if hit is None:
                known = dict.fromkeys(
                    [*self.names.types, *(row[0] for v in self.names.lists.values() for row in v)]
                )
                near = nearest(kind, known)
                hint = f"; did you mean {near!r}?" if near else ""
                raise _core.UnknownNameError(
                    f"kinds: {short(kind)} is no type of event and no label{hint} "
                    f"(types: {', '.join(self.names.types)})"
                )
            keep |= hit
        return keep

    def _of_kind(self, kind):
        """Which events are of this type or have this label; None for a name that is neither."""
        rows, found = self.array, None
        if kind in self.names.code:
            found = rows["type"] == self.names.code[kind]
        for list_name, labels in self.names.lists.items():
            types = [self.names.code[t] for t, name in _trace_data.LABELS.items() if name == list_name]
            for k, (name, _, _) in enumerate(labels):
                if name == kind:
                    hit = (rows["label"] == k) & np.isin(rows["type"], types)
                    found = hit if found is None else found | hit
        return found

    def text(self, start=None, stop=None, node=None, kinds=None):
        """One line for each event that ``chosen`` picks: who did what, when and why."""
        return "\n".join(self.lines(self.chosen(start, stop, node, kinds)))

    def lines(self, events):
        """The lines of text of these events (positions)."""
        born = np.flatnonzero(
            np.isin(self.array["type"], [self.names.code["start"], self.names.code["restart"]])
        )
        part = self.array[np.concatenate([born, events])]  # the first lines only tell the roles of the nodes
        return list(_core.trace_lines(self.model, part))[born.size :]

    def frame(self):
        """A pandas DataFrame: one row per event, names in the place of codes (needs the sweep extra)."""
        from ._trace_export import frame

        return frame(self)

    # Causal order

    def clocks(self):
        """Vector clocks, uint32 (events, nodes): how many events of each node are known at each event."""
        if self._clocks is None:
            self._clocks = _core.trace_clocks(self.array, len(self.nodes))
            self._clocks.setflags(write=False)
        return self._clocks

    def _at_node(self, name, event):
        k = self._event(name, event)
        node, kind = int(self.array["node"][k]), self.names.types[self.array["type"][k]]
        if node < 0 or kind in _trace_data.DONE_TO:
            raise ValueError(
                f"{name}: event {k} is a {kind}, which no node does, so it has no place in causal order"
            )
        return k, node

    def _lived(self):
        """Positions of the events of nodes' lives."""
        outside = [self.names.code[kind] for kind in _trace_data.DONE_TO]
        return np.flatnonzero((self.array["node"] >= 0) & ~np.isin(self.array["type"], outside))

    def before(self, i, j):
        """Did event i happen before event j (Lamport's order)? Positions in the trace."""
        (i, node), (j, _) = self._at_node("i", i), self._at_node("j", j)
        clocks = self.clocks()
        return bool(i != j and clocks[i, node] <= clocks[j, node])

    def cone(self, event):
        """(past, future) of an event: positions of what may have caused it and of what it may have caused."""
        k, node = self._at_node("event", event)
        clocks, nodes = self.clocks(), self.array["node"]
        at = self._lived()
        future = at[clocks[at, node] >= clocks[k, node]]
        past = at[clocks[at, nodes[at]] <= clocks[k, nodes[at]]]
        return past[past != k], future[future != k]

    # Pictures

    def diagram(self, start=None, stop=None, *, limit=20_000, height=None):
        """The space-time diagram from start to stop (s, or text): zoom, pan, hover, click for causes.

        Shows itself in a notebook and in exported pages, offline. At most `limit` messages are sent to the
        page: what comes later is left out, and the caption says so. height: pixels.
        """
        from ._diagram import Diagram

        return Diagram(self, start, stop, limit=limit, height=height)

    def _repr_html_(self):
        return self.diagram()._repr_html_()

    def plot(self, ax=None, *, start=None, stop=None):
        """The diagram as a still picture (needs the notebooks extra); returns a picture or the axes given."""
        from ._plot_trace import plot_trace

        return plot_trace(self, ax, start, stop)

    # Files

    def to_perfetto(self, path):
        """Write Chrome trace JSON (ui.perfetto.dev, chrome://tracing): a process per node, arrows for
        messages, states as slices. Returns the path."""
        from ._trace_export import to_perfetto

        return to_perfetto(self, path)

    def to_shiviz(self, path):
        """Write a log with vector clocks for ShiViz, its parser's expression first. Returns the path."""
        from ._trace_export import to_shiviz

        return to_shiviz(self, path)

    def to_jsonl(self, path):
        """Write one JSON object per line and event, with names beside numbers. Returns the path."""
        from ._trace_export import to_jsonl

        return to_jsonl(self, path)


def _empty(name):
    raise ValueError(f"{name}: the trace is empty")


def _time(name, value):
    if isinstance(value, str):
        with naming(name):
            value = _core.quantity(value, "s")
    return real(name, value, -1e12, 1e12)
