"""What the rows of a trace mean: names behind codes, messages paired by id, and the stretches of time in
which a node is down, paused or in one state.

The core writes a trace as numbers; the names behind them come from the model's schema. Rows are in the order
in which things happened, which at equal times says what came first, so positions in the trace stand for
events everywhere.
"""

import numpy as np

# Which list of the schema names the label of a record, by type; types not listed have no label.
LABELS = {
    "send": "messages", "deliver": "messages", "drop": "messages", "duplicate": "messages",
    "set": "timers", "cancel": "timers", "fire": "timers", "start": "roles", "restart": "roles",
    "pause": "faults", "wake": "faults", "fault": "faults", "heal": "faults", "apply": "applies",
    "request": "requests", "reply": "requests", "note": "notes", "state": "states", "broken": "invariants",
}  # fmt: skip
PLAIN = ("roles", "faults", "invariants")  # lists of names; the others hold (name, name of a, name of b)
# What is done to a node or to its messages: no event of the node's life, so without a place in causal order.
DONE_TO = ("drop", "duplicate", "fault", "heal", "broken")
INSTANT = ("clock_jump", "disk_rot")  # faults that are over when they have happened
COLUMNS = ("time", "type", "label", "node", "peer", "id", "a", "b")
ROW = np.dtype(
    [("time", np.float64), ("type", np.int32), *((name, np.int64) for name in COLUMNS[2:])], align=True
)  # dlab_trace_row
NS = 1e-9


class Names:
    """The names of a schema, by type of record."""

    def __init__(self, schema):
        self.types = tuple(schema["types"])
        self.code = {name: k for k, name in enumerate(self.types)}
        self.drops, self.keeps, self.statuses = (tuple(schema[k]) for k in ("drops", "keeps", "statuses"))
        self.lists = {}
        for name in sorted(set(LABELS.values())):
            rows = schema.get(name) or ()
            self.lists[name] = (
                [(row, None, None) for row in rows] if name in PLAIN else list(map(tuple, rows))
            )

    def row(self, kind, label):
        """(name, name of a, name of b) of a label of this type; a number where the schema has no name."""
        rows = self.lists.get(LABELS.get(kind), ())
        if 0 <= label < len(rows):
            return rows[label]
        return (f"#{label}", "a", "b") if kind in LABELS else ("", None, None)

    def says(self, kind, label):
        """(name of a, name of b, name of id) of what a record says; None where it says nothing there."""
        _, a, b = self.row(kind, label)
        fixed = {
            "start": (None, None, None), "crash": ("disk", None, None), "restart": ("disk", None, None),
            "persist": ("bytes", None, "ticket"), "persisted": ("bytes", "status", "ticket"),
            "set": (None, "due", None), "cancel": (None, None, None), "fire": (None, None, None),
            "drop": ("reason", b, None), "request": (a, b, "ticket"), "reply": (a, b, "ticket"),
        }  # fmt: skip
        if LABELS.get(kind) == "faults":
            return "row", None, None
        return fixed.get(kind, (a, b, None))

    def values(self, kind):
        """(column, names of its values) where a or b is a code: why a message was lost, what a disk kept."""
        if kind == "drop":
            return "a", self.drops
        if kind in ("crash", "restart"):
            return "a", self.keeps
        return ("b", self.statuses) if kind == "persisted" else (None, ())

    def payload(self, kind, label, number, a, b):
        """What a, b and id of a record say: [(name, value)], in the order people read them."""
        a_name, b_name, id_name = self.says(kind, label)
        coded, names = self.values(kind)
        if coded == "a":
            a = _pick(names, a)
        elif coded == "b":
            b = _pick(names, b)
        elif kind == "set":
            b *= NS
        if kind == "persisted" and not a:
            a_name = None
        out = [(a_name, a), (b_name, b), (id_name if number else None, number)]
        return [(name, value) for name, value in out if name]


def _pick(names, k):
    return names[k] if 0 <= k < len(names) else f"#{k}"


def decoded(names, row):
    """One record as a dict of plain values: time, type, label, node, peer, id, a, b, and what they say."""
    time, code, label, node, peer, number, a, b = row
    kind = names.types[code]
    out = {"time": time, "type": kind, "label": names.row(kind, label)[0] or None}
    out["node"], out["peer"] = (None if node < 0 else node), (None if peer < 0 else peer)
    return out | {"id": number, "a": a, "b": b, "says": dict(names.payload(kind, label, number, a, b))}


def sentence(pairs):
    """What a payload says, in words: "term 2, index 5"."""
    return ", ".join(f"{name} {value:g} s" if name == "due" else f"{name} {value}" for name, value in pairs)


def node_names(rows, names):
    """One name for each node: its role and its number."""
    count = 1 + max((int(rows[end].max()) for end in ("node", "peer") if rows.size), default=-1)
    roles = [name for name, _, _ in names.lists["roles"]]
    default = roles[0] if len(roles) == 1 else "node"
    out = [f"{default} {k}" for k in range(count)]
    born = np.isin(rows["type"], [names.code["start"], names.code["restart"]]) & (rows["node"] >= 0)
    for label, node in zip(rows["label"][born].tolist(), rows["node"][born].tolist(), strict=True):
        if 0 <= label < len(roles):
            out[node] = f"{roles[label]} {node}"
    return out


class Flights:
    """Messages on their way, one entry for each arrival and for each message that never arrived.

    sent, arrived: positions of the records (-1: none); origin, goal: nodes; kind: message; departure,
    arrival: s (NaN: outside of the trace); dropped, copy: bool. A copy keeps the id of its message, so its
    arrival is paired with the same sending.
    """

    def __init__(self, rows, names):
        code, kinds = names.code, rows["type"]
        sends = np.flatnonzero(kinds == code["send"])
        ends = np.flatnonzero((kinds == code["deliver"]) | (kinds == code["drop"]))
        # The last sending of the id before the arrival: ids may come round again, copies share one.
        ids = rows["id"].astype(np.uint64) << np.uint64(32)
        keys = ids[sends] | sends.astype(np.uint64)
        order = np.argsort(keys)
        place = np.searchsorted(keys[order], ids[ends] | ends.astype(np.uint64)) - 1
        found = sends[order][place] if sends.size else np.zeros(ends.size, int)
        known = (
            (place >= 0) & (rows["id"][found] == rows["id"][ends])
            if sends.size
            else np.zeros(ends.size, bool)
        )
        source = np.where(known, found, -1)
        lone = np.setdiff1d(sends, source)
        sent, arrived = np.concatenate([source, lone]), np.concatenate([ends, np.full(lone.size, -1)])
        first = np.where(sent >= 0, sent, arrived)
        self._fill(rows, code, sent, arrived, np.lexsort((arrived, first)))

    def _fill(self, rows, code, sent, arrived, order):
        self.sent, self.arrived = sent[order], arrived[order]
        has, came = self.sent >= 0, self.arrived >= 0
        one = np.where(has, self.sent, self.arrived)  # the record that names both ends
        delivered = ~has & (rows["type"][one] == code["deliver"])
        self.kind = rows["label"][one]
        self.origin = np.where(delivered, rows["peer"][one], rows["node"][one])
        self.goal = np.where(delivered, rows["node"][one], rows["peer"][one])
        self.departure = np.where(has, rows["time"][self.sent], np.nan)
        self.arrival = np.where(came, rows["time"][self.arrived], np.nan)
        self.dropped = came & (rows["type"][self.arrived] == code["drop"])
        self.reason = np.where(self.dropped, rows["a"][self.arrived], -1)
        self.span = float(np.ptp(rows["time"])) if rows.size else 0.0
        again = np.zeros(self.sent.size, bool)
        whole = np.flatnonzero(has & came & ~self.dropped)
        again[whole[1:]] = np.diff(self.sent[whole]) == 0
        self.copy = again

    def __len__(self):
        return self.sent.size

    @property
    def usual(self):
        """The median time a message takes (s); where none arrived, a tenth of the trace stands in for it."""
        took = (self.arrival - self.departure)[~self.dropped]
        took = took[np.isfinite(took)]
        return float(np.median(took)) if took.size else self.span / 10

    def drawn(self, end):
        """(x0, x1, part): where the line of each message begins and ends in time, and how far it gets.

        A message lost at once is drawn as far as it would have come at half its way; one lost on arrival
        ends just short of the lane; one still on its way ends with the trace.
        """
        usual = self.usual
        x0 = np.where(np.isnan(self.departure), self.arrival - usual, self.departure)
        x1, part = self.arrival.copy(), np.ones(len(self))
        at_once = self.dropped & (self.arrival - x0 < 0.25 * usual)
        x1[at_once], part[at_once] = x0[at_once] + 0.5 * usual, 0.5
        part[self.dropped & ~at_once] = 0.85
        open_end = np.isnan(x1)
        x1[open_end] = np.minimum(x0[open_end] + usual, end) if usual else end
        part[open_end] = np.clip((x1 - x0)[open_end] / usual if usual else 0.5, 0.05, 0.9)
        return x0, x1, part


def stretches(rows, names, begins, ends, end):
    """[(node, from, to, label, position)] between records of some types and the next of others, per node."""
    code = names.code
    wanted = np.flatnonzero(np.isin(rows["type"], [code[k] for k in (*begins, *ends)]) & (rows["node"] >= 0))
    starting, out, open_at = {code[k] for k in begins}, [], {}
    for k in wanted.tolist():
        node, time = int(rows["node"][k]), float(rows["time"][k])
        if node in open_at:
            begun = open_at.pop(node)
            out.append((node, float(rows["time"][begun]), time, int(rows["label"][begun]), begun))
        if int(rows["type"][k]) in starting:
            open_at[node] = k
    for node, begun in open_at.items():
        out.append((node, float(rows["time"][begun]), end, int(rows["label"][begun]), begun))
    return sorted(out, key=lambda stretch: stretch[4])


def faults(rows, names, end):
    """[(label, node, peer, from, to)] of the plan's faults; crashes and pauses are seen on the lanes."""
    code = names.code
    lanes = {k for k, (name, _, _) in enumerate(names.lists["faults"]) if name in ("crash", "pause")}
    instant = {k for k, (name, _, _) in enumerate(names.lists["faults"]) if name in INSTANT}
    wanted = np.flatnonzero(np.isin(rows["type"], [code["fault"], code["heal"]]))
    out, open_at = [], {}
    for k in wanted.tolist():
        label, node = int(rows["label"][k]), int(rows["node"][k])
        if label in lanes:
            continue
        key, time = (label, node, int(rows["a"][k])), float(rows["time"][k])
        if label in instant:
            out.append((label, node, int(rows["peer"][k]), time, time))
        elif int(rows["type"][k]) == code["heal"]:
            begun = open_at.pop(key, None)
            out.append(
                (label, node, int(rows["peer"][k]), begun[1] if begun else float(rows["time"][0]), time)
            )
        else:
            open_at[key] = (int(rows["peer"][k]), time)
    out += [(label, node, peer, time, end) for (label, node, _), (peer, time) in open_at.items()]
    return sorted(out, key=lambda fault: fault[3:])
