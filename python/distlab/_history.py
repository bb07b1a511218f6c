"""Histories: who asked what of a system, when, and what came back; from Jepsen, Maelstrom or a test of one's
own, and back.

The operations live in the C core. Text goes in and out there (a million lines in a few seconds); Python sees
copies: `.array` (structured, times in nanoseconds), `.frame()`, or one `Operation` after the other.
"""

import json
import math
import os
import re
from collections.abc import Iterable

import numpy as np

from . import _core
from ._common import boolean, integer, nearest, one_of, real, short, unknown, warn
from ._operation import BOOL, INT, LIST, NEVER, OUTCOMES, TEXT, Operation, plain

FORMATS = ("edn", "jsonl")
ORDERS = ("strict", "lines", "times")
COLUMNS = ("process", "f", "key", "argument", "result", "outcome", "call", "ret")
EVENT_FIELDS = ("process", "type", "f", "key", "value", "time", "index")
SHOWN = 8
TEXTS_BEFORE_TEXT = ("{", "[", "(", ";", "#")


class History:
    """A history. Make one with `dl.read_history(path)`, `History.from_...` or a `dl.Recorder`."""

    def __init__(self, core, source=""):
        self._core, self.source = core, source
        self._parts = self._texts = None

    # What it holds

    @property
    def parts(self):
        """Its tables, copied from the core once: operations, elements, nemesis, texts, timed, events."""
        if self._parts is None:
            self._parts = _core.history_parts(self._core)
            for name in ("operations", "elements", "nemesis"):
                self._parts[name].flags.writeable = False
        return self._parts

    @property
    def array(self):
        """Operations in the order of their calls, a structured array (read only).

        process, call and ret (ns; 2**63 - 1: no answer), key, argument and result (kind: 0 nil, 1 integer,
        2 boolean, 3 text, 4 list; number; count), f (a text), outcome (1 ok, 2 fail, 3 info), called and
        returned (places in the order of events).
        """
        return self.parts["operations"]

    @property
    def texts(self):
        """The texts that `f` and values of kind 3 refer to."""
        return self.parts["texts"]

    @property
    def elements(self):
        """The values that lists consist of: `count` of them from `number` on."""
        return self.parts["elements"]

    @property
    def nemesis(self):
        """What the nemesis did, as dicts: time (ns), type, f, value, after (events of clients before it)."""
        rows = self.parts["nemesis"]
        return [
            {"time": int(r["time"]), "type": OUTCOMES[r["type"]], "f": self.texts[r["f"]],
             "value": self.value(r["value"]), "after": int(r["process"])}
            for r in rows
        ]  # fmt: skip

    def __len__(self):
        return len(self.array)

    def __iter__(self):
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, index):
        """The operation at an index, by the order of calls."""
        row = self.array[integer("index", index, -len(self), len(self) - 1)]
        ret = int(row["ret"])
        return Operation(
            int(index) % len(self), int(row["process"]), self.texts[row["f"]], self.value(row["key"]),
            self.value(row["argument"]), self.value(row["result"]), OUTCOMES[row["outcome"]],
            int(row["call"]), None if ret == NEVER else ret,
        )  # fmt: skip

    def value(self, cell):
        """A value as Python has it. Keywords and such are text in EDN: ":a", "{:a 1}"."""
        number, count, kind = int(cell["number"]), int(cell["count"]), int(cell["kind"])
        if kind == LIST:
            return [self.value(v) for v in self.elements[number : number + count]]
        if kind == TEXT:
            if self._texts is None:
                self._texts = [plain(t) for t in self.texts]
            return self._texts[number]
        return number if kind == INT else bool(number) if kind == BOOL else None

    @property
    def functions(self):
        """Names of its operations and how many there are of each."""
        ids, counts = np.unique(self.array["f"], return_counts=True)
        return {self.texts[i]: int(c) for i, c in zip(ids, counts, strict=True)}

    @property
    def outcomes(self):
        """How many operations ended how."""
        kinds = self.array["outcome"]
        return {name: int(np.count_nonzero(kinds == k)) for k, name in enumerate(OUTCOMES) if k > 0}

    @property
    def processes(self):
        """Numbers of the processes, sorted."""
        return [int(p) for p in np.unique(self.array["process"])]

    @property
    def keys(self):
        """The keys, in the order of their first use."""
        _, first = np.unique(self.array["key"], return_index=True)
        return [self.value(self.array["key"][k]) for k in np.sort(first)]

    def __eq__(self, other):
        if not isinstance(other, History):
            return NotImplemented
        return self.to_jsonl() == other.to_jsonl()

    __hash__ = None

    def __repr__(self):
        count = len(self)
        functions = ", ".join(f"{n} {name}" for name, n in self.functions.items())
        text = f"<distlab history: {count} operation{'s' if count != 1 else ''}"
        text += f" of {len(self.processes)} processes; {functions}" if count else ""
        text += f"; {self.outcomes['info']} unknown" if self.outcomes["info"] else ""
        return (text if len(text) < 99 else text[:98] + "…") + ">"

    def _repr_html_(self):
        from ._html_history import history_html

        return history_html(self)

    # Parts of it

    def select(self, *, process=None, key=None, f=None, outcome=None, between=None):
        """The operations that fit, as a history.

        process, f, outcome and key are one value or a list (`key=[1, 2]` means keys 1 and 2); between is a
        pair of times in seconds or text with units, and takes what overlaps it. A part of a history is not a
        smaller experiment: a read may need a write that was left out.
        """
        rows = self.array
        keep = np.ones(len(rows), bool)
        if process is not None:
            keep &= np.isin(rows["process"], _several(process))
        if f is not None:
            for name in _several(f):
                if name not in self.functions:
                    raise unknown("f", name, self.functions)
            keep &= np.isin(rows["f"], [self.texts.index(name) for name in _several(f)])
        if outcome is not None:
            keep &= np.isin(
                rows["outcome"],
                [OUTCOMES.index(one_of("outcome", o, OUTCOMES[1:])) for o in _several(outcome)],
            )
        if key is not None:
            kept = {k: _in(self.value(rows["key"][k]), _several(key)) for k in _firsts(rows["key"])}
            _, first, inverse = np.unique(rows["key"], return_index=True, return_inverse=True)
            keep &= np.array([kept[int(k)] for k in first], bool)[inverse]
        if between is not None:
            low, high = (_nanoseconds("between", t) for t in between)
            keep &= (rows["call"] <= high) & (rows["ret"] >= low)
        core = _core.history_open(rows[keep], self.elements, self.texts, True, self.parts["timed"])
        return History(core, self.source)

    def frame(self):
        """The operations as a pandas DataFrame (needs the sweep extra); times in nanoseconds."""
        from ._common import need

        pandas = need("pandas", "sweep")
        frame = pandas.DataFrame([op[1:] for op in self], columns=list(COLUMNS))
        for name in ("key", "argument", "result"):
            frame[name] = pandas.Series([op[COLUMNS.index(name) + 1] for op in self], dtype=object)
        return frame.astype({"process": "int64", "call": "int64", "ret": "Int64"})

    # Text in and out

    @classmethod
    def from_edn(cls, source, *, independent=False, order="strict"):
        """Read EDN as Jepsen and Knossos write it: one map a line, or a vector of maps.

        source is a path, text, bytes or an open file. independent=True: values are pairs [key value].
        order: "strict" (times must not go back), "lines" (lines are in order whatever the times say) or
        "times" (sort by time). ValueError with the line and what was expected where the text is broken.
        """
        return _read(*_source(source), "edn", independent, order)

    @classmethod
    def from_jsonl(cls, source, *, independent=False, order="strict"):
        """Read JSON: one event a line, or an array of events. Arguments as in `from_edn`.

        {"process": 0, "type": "invoke", "f": "write", "key": 1, "value": 3, "time": 125000}; key and time
        (nanoseconds) may be missing.
        """
        return _read(*_source(source), "jsonl", independent, order)

    def to_edn(self, path=None, *, independent=False):
        """As EDN, one map a line: text, or written to path. independent=True: values as [key value]."""
        return self._written("edn", path, independent)

    def to_jsonl(self, path=None, *, independent=False):
        """As JSON, one object a line: text, or written to path. independent=True: values as [key, value]."""
        return self._written("jsonl", path, independent)

    def _written(self, form, path, independent):
        data = _core.history_write(self._core, form, boolean("independent", independent))
        if path is None:
            return data.decode()
        with open(path, "wb") as file:
            file.write(data)
        return None

    # From Python

    @classmethod
    def from_events(cls, events):
        """From dicts in real-time order: process, type (invoke, ok, fail, info), f, value; key; time (ns).

        Or from tuples (process, type, f, value), with the key as a fifth item where there are keys.
        """
        lines = [_event_line(k, event) for k, event in enumerate(events, 1)]
        try:
            core = _core.history_read("\n".join(lines).encode(), "jsonl", False, "strict")
        except ValueError as error:
            raise ValueError(re.sub(r"line (\d+)(, column \d+)?", r"event \1", str(error))) from None
        return cls(core)

    @classmethod
    def from_operations(cls, operations):
        """From dicts of finished operations: process, f, call, ret (ns), argument, result, key, outcome.

        outcome is "ok" where it is missing; ret None says that no answer came. Operations that only touch
        (one returns when another is called) count as concurrent.
        """
        ends = []
        for k, op in enumerate(operations, 1):
            op = op._asdict() if isinstance(op, Operation) else op
            if not isinstance(op, dict):
                raise TypeError(f"operation {k} must be a dict, not {short(op)}")
            ends += _ends_of(k, op)
        ends.sort(key=lambda end: end[:3])
        return cls.from_events([event for *_, event in ends])

    @classmethod
    def from_array(cls, array, *, texts=None, elements=None, timed=True):
        """From a structured array: one like `.array` (with its texts and elements), or one whose fields are
        those of `from_events` (with a field "type") or `from_operations` (with a field "call"). timed=False:
        its times only number the events."""
        array = np.asarray(array)
        if array.ndim != 1 or not array.dtype.names:
            raise TypeError(f"a history is a structured array of one dimension, not {short(array)}")
        if array.dtype.names == _dtype().names:
            if texts is None:
                raise TypeError("texts must be given: those of the history the array is from")
            if elements is None:
                elements = np.zeros(0, _dtype()["key"])
            placed = len(array) > 0 and len(np.unique(array["called"])) == len(array)
            timed = boolean("timed", timed)
            return cls(_core.history_open(array, elements, list(texts), placed, timed))
        return cls._from_columns({n: [_item(c) for c in array[n]] for n in array.dtype.names})

    @classmethod
    def from_frame(cls, frame):
        """From a pandas DataFrame with the columns of `frame()`, or with those of `from_events`."""
        if not hasattr(frame, "columns") or not hasattr(frame, "to_dict"):
            raise TypeError(f"a history is made from a DataFrame, not {short(frame)}")
        return cls._from_columns({str(n): [_item(c) for c in frame[n]] for n in frame.columns})

    @classmethod
    def _from_columns(cls, columns):
        known = EVENT_FIELDS if "type" in columns else COLUMNS
        for name in columns:
            if name not in (*known, "index"):
                raise unknown("column", name, known)
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return cls.from_events(rows) if "type" in columns else cls.from_operations(rows)


def read_history(path, *, format=None, independent=False, order="strict"):
    """Read a history from a file; its content says whether it is EDN or JSON.

    Parameters
    ----------
    path : str or path
        A file of Jepsen, Maelstrom, Knossos (EDN), or one JSON object a line, as `dl.Recorder` writes.
    format : {"edn", "jsonl"}, optional
        What it is, where its content does not say.
    independent : bool
        Values are pairs [key value], as Jepsen's independent keys are.
    order : {"strict", "lines", "times"}
        What decides the order of events; see `History.from_edn`.

    Returns a History, empty (with a warning) where no client did anything. ValueError with file, line and
    what was expected where anything is wrong with it.
    """
    with open(path, "rb") as file:
        data = file.read()
    name = os.fspath(path)
    form = guess(data) if format is None else one_of("format", format, FORMATS)
    history = _read(data, name if isinstance(name, str) else os.fsdecode(name), form, independent, order)
    if len(history) == 0:
        warn(f"{history.source}: no event of a client: the history is empty")
    return history


def guess(data):
    """edn or jsonl, by the first characters: JSON has quotes behind its brackets."""
    head = data[:4096].decode(errors="replace").lstrip("\ufeff \t\r\n")
    return "jsonl" if re.match(r"(\[\s*)?\{\s*\"|\[\s*\]", head) else "edn"


def generate_history(
    kind, *, ops=1000, clients=5, keys=1, values=0, read_fraction=0.5, crash_rate=0.0, bug_rate=0.0,
    think=1.0, seed=1,
):  # fmt: skip
    """A made-up history that is linearizable, unless bug_rate plants defects in it; for tests and lessons.

    Parameters
    ----------
    kind : str
        register, cas_register, multi_register, key_value, set, queue, stack, counter, mutex or list_append.
    ops, clients, keys : int
        Operations; clients that ask at the same time; objects.
    values : int
        Written values are drawn from 1 to this; 0: each is written once.
    read_fraction, crash_rate, bug_rate : float
        Shares of operations that only read, that get no answer, that go wrong.
    think : float
        Mean pause of a client between two operations, in mean durations (1 ms).
    """
    if not isinstance(kind, str):
        raise TypeError(f"kind must be text, not {short(kind)}")
    core, _ = _core.history_generate(
        kind.replace("-", "_"), integer("seed", seed, 0, 2**64 - 1), integer("ops", ops, 0, 10**8),
        integer("clients", clients, 1, 10_000), integer("keys", keys, 1, 10**7),
        integer("values", values, 0, 2**40), real("read_fraction", read_fraction, 0, 1),
        real("crash_rate", crash_rate, 0, 1), real("bug_rate", bug_rate, 0, 1), real("think", think, 0, 1e6),
    )  # fmt: skip
    return History(core)


# Helpers


def _source(source):
    """(bytes, name) of a path, text, bytes or file."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source), ""
    if hasattr(source, "read"):
        data = source.read()
        return data.encode() if isinstance(data, str) else data, str(getattr(source, "name", ""))
    if isinstance(source, str) and (
        not source.strip() or "\n" in source or source.lstrip().startswith(TEXTS_BEFORE_TEXT)
    ):
        return source.encode("utf-8", "surrogatepass"), ""
    if isinstance(source, (str, os.PathLike)):
        with open(source, "rb") as file:
            return file.read(), os.fspath(source)
    raise TypeError(f"a history is read from a path, text, bytes or a file, not {short(source)}")


def _read(data, name, form, independent, order):
    try:
        core = _core.history_read(
            data, form, boolean("independent", independent), one_of("order", order, ORDERS)
        )
    except ValueError as error:
        text = f"{name}: {error}" if name else str(error)
        if "lies before that of the event in front" in text:
            text += ', or order="lines" (trust the lines) or "times" (sort by time)'
        raise ValueError(text) from None
    return History(core, name)


def _several(value):
    return list(value) if isinstance(value, (list, tuple, set, range, np.ndarray)) else [value]


def _in(value, wanted):
    return any(type(value) is type(w) and value == w for w in wanted)


def _firsts(cells):
    return [int(k) for k in np.unique(cells, return_index=True)[1]]


def _nanoseconds(name, time):
    if isinstance(time, str):
        time = _core.quantity(time, "s")
    return round(real(name, time, -9e9, 9e9) * 1e9)


def _dtype():
    empty = _core.history_read(b"", "edn", False, "strict")
    return _core.history_parts(empty)["operations"].dtype


def _item(cell):
    """A cell of a table: missing values are nil."""
    if isinstance(cell, np.generic):
        cell = cell.item()
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return None
    return None if isinstance(cell, float) and math.isnan(cell) else cell


def _json(value):
    """What json does not know by itself."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=lambda v: (isinstance(v, str), v))
    raise TypeError(f"{short(value)} is no value of a history; expected a number, text, list or None")


def _event_line(k, event):
    if isinstance(event, (tuple, list)) and len(event) in (4, 5):
        event = dict(zip(("process", "type", "f", "value", "key"), event, strict=False))
    if not isinstance(event, dict):
        raise TypeError(f"event {k} must be a dict or (process, type, f, value), not {short(event)}")
    for name in event:
        if name not in EVENT_FIELDS:
            near = nearest(name, EVENT_FIELDS)
            raise ValueError(
                f"event {k}: {short(name)} is none of {', '.join(EVENT_FIELDS)}"
                + (f"; did you mean {near!r}?" if near else "")
            )
    try:
        return json.dumps({n: v for n, v in event.items() if n != "key" or v is not None}, default=_json)
    except (TypeError, ValueError, RecursionError) as error:
        raise type(error)(f"event {k}: {error}") from None


def _ends_of(k, op):
    """The two events of an operation, each with what sorts it: time, calls first, place."""
    for name in op:
        if name not in (*COLUMNS, "index"):
            near = nearest(name, COLUMNS)
            raise ValueError(
                f"operation {k}: {short(name)} is none of {', '.join(COLUMNS)}"
                + (f"; did you mean {near!r}?" if near else "")
            )
    for name in ("process", "f", "call"):
        if op.get(name) is None:
            raise ValueError(f"operation {k} has no {name}")
    call = integer(f"operation {k}: call", op["call"], -(2**63), NEVER - 1)
    outcome = one_of(f"operation {k}: outcome", op.get("outcome") or "ok", OUTCOMES[1:])
    common = {"process": op["process"], "f": op["f"], "key": op.get("key")}
    yield call, 0, k, {**common, "type": "invoke", "value": op.get("argument"), "time": call}
    if op.get("ret") is None and outcome != "info":
        raise ValueError(f"operation {k} has outcome {outcome} and no ret; expected a time, or outcome info")
    if op.get("ret") is not None:
        ret = integer(f"operation {k}: ret", op["ret"], call, NEVER - 1)
        yield ret, 1, k, {**common, "type": outcome, "value": op.get("result"), "time": ret}


def is_iterable(value):
    """May events be taken from it?"""
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, dict))
