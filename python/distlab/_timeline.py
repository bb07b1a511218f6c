"""Where the bars of a history's picture go: a lane per process, more where an operation without an answer
still lies under later ones; and the instants at which operations can take effect."""

from typing import NamedTuple

import numpy as np

from ._operation import describe, value_text

CONTEXT = 200


class Bar(NamedTuple):
    """One operation in the picture."""

    op: object
    lane: int
    start: float
    end: float
    open: bool  # no answer: it may take effect at any time from its start on
    role: str  # "stuck", "witness", "window", ""
    point: float | None


def chosen(verdict, limit):
    """The operations to draw: with a no the witness and what went on meanwhile, else the first ones."""
    if verdict.valid is not False:
        return list(range(min(limit, len(verdict.history))))
    witness = {op.index for op in verdict.witness} | ({verdict.stuck.index} if verdict.stuck else set())
    rows = verdict.history.array
    first = min((int(rows[k]["called"]) for k in witness), default=0)
    near = [op.index for op in verdict.window if rows[op.index]["returned"] >= first]
    room = max(limit - len(witness), 0)
    others = [k for k in sorted(near, reverse=True) if k not in witness][:room]
    return sorted([*sorted(witness)[:limit], *others])


def points_of(verdict, places):
    """With a yes: an instant for each operation, as early as the order allows, in places of events."""
    if verdict.valid is not True or verdict.criterion != "linearizable":
        return {}
    rows, last, points = verdict.history.array, {}, {}
    for rank, index in enumerate(verdict.details["order"]):
        row = rows[index]
        group = row["key"].item() if verdict.objects > 1 else ()
        at = max(last.get(group, -1.0), float(row["called"]) + 0.25)
        last[group] = at + 1e-6
        points[int(index)] = (at, rank)
    return {k: points[k] for k in places if k in points}


def bars(verdict, limit=CONTEXT, by="order"):
    """(bars, names of lanes, end of the axis); by order of events or by time in nanoseconds."""
    history, places = verdict.history, chosen(verdict, limit)
    rows = history.array
    witness = {op.index for op in verdict.witness} if verdict.valid is False else set()
    stuck = verdict.stuck.index if verdict.stuck else -1
    spots = points_of(verdict, places)
    compact = _compact(rows, places)
    drawn, lanes, ends = [], {}, {}
    top = max([compact(rows[k]["called"]) for k in places] + [0]) + 2
    if by == "time":
        top = _last_time(rows, places)
    for k in sorted(places, key=lambda k: (int(rows[k]["process"]), int(rows[k]["called"]))):
        row, op = rows[k], history[k]
        unanswered = op.outcome == "info"
        start = float(op.call) if by == "time" else compact(row["called"])
        end = float(top) if unanswered else float(op.ret) if by == "time" else compact(row["returned"])
        sub = 0
        while ends.get((op.process, sub), -np.inf) > start:
            sub += 1
        ends[op.process, sub] = end
        lanes.setdefault((op.process, sub), None)
        role = "stuck" if k == stuck else "witness" if k in witness else "window"
        spot = spots.get(k)
        point = None
        if spot is not None:
            point = min(max(_at(spot[0], rows, by, compact), start), end)
        drawn.append(((op.process, sub), op, start, end, unanswered, role, point))
    names = sorted(lanes)
    place = {lane: i for i, lane in enumerate(names)}
    top = max([top, *(end for _, _, _, end, *_ in drawn)])
    labels = [f"process {p}" if sub == 0 else "" for p, sub in names]
    return [Bar(op, place[lane], s, e, u, r, p) for lane, op, s, e, u, r, p in drawn], labels, top


def _compact(rows, places):
    """Places of events that are shown, without the gaps between them."""
    seen = sorted({int(rows[k][n]) for k in places for n in ("called", "returned")} - {2**32 - 1})
    return lambda place: float(np.searchsorted(seen, place))


def _last_time(rows, places):
    known = [int(rows[k]["ret"]) for k in places if rows[k]["ret"] < 2**63 - 1]
    calls = [int(rows[k]["call"]) for k in places]
    last, first = max(known + calls, default=1), min(calls, default=0)
    return last + max(1, (last - first) // 20)


def _at(place, rows, by, compact):
    """A place between events as the axis has it."""
    if by != "time":
        return compact(int(place)) + place - int(place)
    times = np.sort(np.concatenate([rows["call"], rows["ret"][rows["ret"] < 2**63 - 1]]))
    return float(times[min(int(place), len(times) - 1)])


def label(op):
    """What stands in a bar: the function and its value."""
    value = op.argument
    if op.outcome == "ok" and op.result is not None and op.result != op.argument:
        value = op.result
    asks = value is None and op.f in ("read", "get", "dequeue", "pop", "contains")
    text = op.f if value is None and not asks else f"{op.f} {value_text(value, 18)}"
    text = f"{op.f} ?" if asks and op.outcome != "ok" else text
    return text if op.key is None else f"{text} @{value_text(op.key, 10)}"


def title(op):
    """What a bar says when it is pointed at."""
    return describe(op)
