"""A trace as files that other tools read: Perfetto, ShiViz, JSON lines; and as a pandas DataFrame."""

import json
import os

import numpy as np

from . import _trace_data
from ._common import need
from ._save import _path

SHIVIZ = r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)"
EVENTS, STATES, DOWN, PAUSED = 1, 2, 3, 4  # threads of a node in Perfetto
THREADS = {EVENTS: "events", STATES: "state", DOWN: "down", PAUSED: "paused"}


def _write(path, parts):
    path = _path(path)
    partial = f"{path}.partial"
    try:
        with open(partial, "w", encoding="utf-8") as file:
            file.writelines(parts)
        os.replace(partial, path)
    finally:
        if os.path.exists(partial):
            os.remove(partial)
    return path


def frame(trace):
    """The DataFrame of a trace; see Trace.frame."""
    pandas = need("pandas", "sweep")
    names, rows = trace.names, trace._plain(slice(None))
    kinds = [names.types[row[1]] for row in rows]
    nodes = [*trace.nodes, None]
    out = {
        "time": trace.array["time"],
        "type": pandas.Categorical(kinds, names.types),
        "label": [names.row(kind, row[2])[0] or None for kind, row in zip(kinds, rows, strict=True)],
        "node": [nodes[row[3]] for row in rows],
        "peer": [nodes[row[4]] for row in rows],
        "id": trace.array["id"],
        "a": trace.array["a"],
        "b": trace.array["b"],
        "says": [
            _trace_data.sentence(names.payload(kind, row[2], *row[5:]))
            for kind, row in zip(kinds, rows, strict=True)
        ],
    }
    result = pandas.DataFrame(out)
    result.attrs.update({"model": trace.model, "seed": trace.about.get("seed"), "units": {"time": "s"}})
    return result


def to_jsonl(trace, path):
    """See Trace.to_jsonl."""
    names = trace.names
    rows = (_trace_data.decoded(names, row) for row in trace._plain(slice(None)))
    return _write(path, (json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def _title(names, row):
    """What an event is called in another tool."""
    kind = names.types[row[1]]
    label = names.row(kind, row[2])[0]
    return f"{kind} {label}" if label else kind


def to_shiviz(trace, path):
    """See Trace.to_shiviz. Files begin with the parser's expression and an empty delimiter of executions."""
    hosts = [name.replace(" ", "-") for name in trace.nodes]
    clocks, rows, names = trace.clocks(), trace._plain(slice(None)), trace.names
    flights = _trace_data.Flights(trace.array, names)
    gone = flights.dropped & (flights.sent >= 0)
    lost = dict(zip(flights.sent[gone].tolist(), flights.reason[gone].tolist(), strict=True))

    def events():
        yield f"{SHIVIZ}\n\n"
        for k in trace._lived().tolist():
            row, known = rows[k], np.flatnonzero(clocks[k])
            clock = {hosts[i]: n for i, n in zip(known.tolist(), clocks[k][known].tolist(), strict=True)}
            kind = names.types[row[1]]
            says = _trace_data.sentence(names.payload(kind, row[2], *row[5:]))
            text = f"{row[0]:.9f} s {_title(names, row)}"
            if row[4] >= 0:
                text += f" {'from' if kind == 'deliver' else 'to'} {hosts[row[4]]}"
            text += f" ({says})" if says else ""
            text += f", lost: {_trace_data._pick(names.drops, lost[k])}" if k in lost else ""
            yield f"{hosts[row[3]]} {json.dumps(clock)}\n{text}\n"

    return _write(path, events())


def to_perfetto(trace, path):
    """See Trace.to_perfetto."""
    events = [*_threads(trace), *_slices(trace), *_arrows(trace), *_stretches(trace)]
    other = {"model": trace.model} | {k: trace.about.get(k) for k in ("parameters", "seed", "recipe")}
    text = json.dumps(
        {"traceEvents": events, "displayTimeUnit": "ms", "otherData": other}, ensure_ascii=False
    )
    return _write(path, [text])


def _threads(trace):
    for node, name in enumerate(trace.nodes):
        yield {"ph": "M", "name": "process_name", "pid": node + 1, "args": {"name": name}}
        yield {"ph": "M", "name": "process_sort_index", "pid": node + 1, "args": {"sort_index": node}}
        for thread, title in THREADS.items():
            yield {"ph": "M", "name": "thread_name", "pid": node + 1, "tid": thread, "args": {"name": title}}


def _ns(times):
    return np.rint(np.asarray(times) / _trace_data.NS).astype(np.int64)


def _micro(time):
    """Microseconds with three digits: whole nanoseconds."""
    return round(time / _trace_data.NS) / 1000


def _lengths(trace):
    """How long the slice of each event may be (ns) without reaching the next at its node: a slice inside
    another must end inside it."""
    times, nodes = _ns(trace.array["time"]), trace.array["node"]
    longest = max(int(_ns(trace.span[1] - trace.span[0])) // 2000, 1)
    out = np.full(len(trace), longest)
    for node in range(len(trace.nodes)):
        at = np.flatnonzero(nodes == node)
        own, place = np.unique(times[at], return_inverse=True)
        gaps = np.append(np.diff(own), 2 * longest)
        out[at] = np.minimum(longest, gaps[place] * 9 // 10)
    return out


def _slices(trace):
    """A slice for each event at a node; a mark across all nodes for a broken invariant, faults and heals."""
    names = trace.names
    for row, length in zip(trace._plain(slice(None)), _lengths(trace).tolist(), strict=True):
        kind = names.types[row[1]]
        event = {
            "name": _title(names, row),
            "cat": kind,
            "ts": _micro(row[0]),
            "pid": row[3] + 1,
            "tid": EVENTS,
        }
        args = dict(names.payload(kind, row[2], *row[5:]))
        if row[4] >= 0:
            args["peer"] = trace.nodes[row[4]]
        if kind in ("send", "deliver", "drop", "duplicate"):
            args["message"] = row[5]
        if row[3] < 0 or kind == "broken":
            yield event | {"ph": "i", "s": "g", "args": args}
        else:
            yield event | {"ph": "X", "dur": length / 1000, "args": args}


def _arrows(trace):
    """An arrow for each arrival whose sending is in the trace; a lost message has its drop instead."""
    flights, names = _trace_data.Flights(trace.array, trace.names), trace.names
    whole = (flights.sent >= 0) & (flights.arrived >= 0) & ~flights.dropped
    columns = (flights.kind, flights.origin, flights.goal, flights.departure, flights.arrival)
    rows = zip(*(column[whole].tolist() for column in columns), strict=True)
    for number, (kind, origin, goal, departure, arrival) in enumerate(rows):
        base = {"name": names.row("send", kind)[0], "cat": "message", "id": number, "tid": EVENTS}
        yield base | {"ph": "s", "pid": origin + 1, "ts": _micro(departure)}
        yield base | {"ph": "f", "bp": "e", "pid": goal + 1, "ts": _micro(arrival)}


def _stretches(trace):
    names, rows, (_, end) = trace.names, trace.array, trace.span
    lanes = (
        (STATES, ("state",), ("crash",), None),
        (DOWN, ("crash",), ("restart",), "down"),
        (PAUSED, ("pause",), ("wake", "crash"), "paused"),
    )
    for thread, begins, ends, title in lanes:
        for node, low, high, label, k in _trace_data.stretches(rows, names, begins, ends, end):
            about = rows[k]
            args = (
                dict(names.payload("state", label, 0, int(about["a"]), int(about["b"]))) if not title else {}
            )
            yield {
                "ph": "X", "name": title or names.row("state", label)[0], "cat": "state", "pid": node + 1,
                "tid": thread, "ts": _micro(low), "dur": _micro(high) - _micro(low), "args": args,
            }  # fmt: skip


def _picture(trace, path):
    return trace.plot().save(path)


# Files by their ending: the call that makes them, in words and as a function.
WAYS = {
    ".txt": ("text()", lambda trace, path: _write(path, [trace.text(), "\n"])),
    ".jsonl": ("to_jsonl(path)", to_jsonl),
    ".perfetto.json": ("to_perfetto(path)", to_perfetto),
    ".shiviz": ("to_shiviz(path)", to_shiviz),
    ".csv": ("frame().to_csv(path)", lambda trace, path: frame(trace).to_csv(path)),
    ".html": ("diagram().save(path)", lambda trace, path: trace.diagram().save(path)),
    **dict.fromkeys((".png", ".svg", ".pdf"), ("plot().save(path)", _picture)),
}
