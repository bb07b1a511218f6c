"""Topologies and fault plans as rows: ``dl.topology`` turns a matrix of delays into the table ``links`` of
a model with a network, ``dl.fault`` and ``dl.faults`` write the table ``faults``.

The columns of a fault, their names and their ranges are the core's. ``dl.fault`` refuses at once what no
model can take; whether the nodes it names exist is for the model to say.
"""

import math
from types import SimpleNamespace

import numpy as np

from . import _core, _params
from ._common import integer, naming, one_of, real, short
from ._table import Table, table

_FAULTS = _core.fault_table()
COLUMNS = {column["name"]: column for column in _FAULTS["columns"]}
KINDS, TARGETS, KEEPS = (tuple(COLUMNS[name]["choices"]) for name in ("kind", "target", "disk"))
_NOBODY = SimpleNamespace(name="dl.fault", fields={})  # no parameter stands in for a blank cell
ORDERINGS = ("none", "fifo")
NODES_MAX, MEMBERS_MAX, LINKS_MAX = 1024, 62, 2**20
_EXTRAS = {"loss": None, "duplicate": None, "reorder": None, "corrupt": None, "bandwidth": "byte/s",
           "link_queue": "byte"}  # fmt: skip


def topology(
    matrix,
    /,
    *,
    unit="ms",
    measure="rtt",
    nodes=None,
    scv=0,
    loss=None,
    duplicate=None,
    reorder=None,
    corrupt=None,
    bandwidth=None,
    link_queue=None,
    ordering=None,
    label=None,
):
    """Rows for the table ``links`` from a matrix of delays between places.

    Parameters
    ----------
    matrix : square array, list of lists, or pandas DataFrame with the same names on both sides
        Entry [i, j] is the delay from place i to place j; NaN: the model's own delay.
    unit : str
        Unit of the entries.
    measure : "rtt" or "one_way"
        What the entries are; half of a round trip is one way.
    nodes : list of names or indices of places, optional
        Where node 0, 1, ... stands; without it node i is place i. Nodes at one place are as far from each
        other as the diagonal says.
    scv : float
        Squared coefficient of variation of each delay: 0 constant, else lognormal with the entry as mean.
    loss, duplicate, reorder, corrupt, bandwidth, link_queue : number, text with unit, or matrix, optional
        The same columns of the table, for all these links or by place; NaN: the model's own.
    ordering : "none" or "fifo", optional
    label : str, optional
        Name on axes and in legends.

    Returns a Table. TypeError or ValueError for a matrix that is not square, for names that differ, for
    negative or infinite delays.
    """
    one_of("measure", measure, ("rtt", "one_way"))
    scv = real("scv", scv, 0, 1e6)
    entries, names = _square("matrix", matrix)
    with naming("unit"):
        scale = _core.quantity(f"1{unit}", "s") if isinstance(unit, str) else _not_text("unit", unit)
    entries = entries * (scale / 2 if measure == "rtt" else scale)
    places = _places(nodes, names, len(entries))
    given = (loss, duplicate, reorder, corrupt, bandwidth, link_queue)  # in the order of _EXTRAS
    extras = {
        name: _by_place(name, value, names, len(entries))
        for name, value in zip(_EXTRAS, given, strict=True)
        if value is not None
    }
    columns = {"from": [], "to": [], "delay": [], **{name: [] for name in extras}}
    for i, here in enumerate(places):
        for j, there in enumerate(places):
            cells = [entries[here, there], *(values[here, there] for values in extras.values())]
            if i == j or all(map(math.isnan, cells)):
                continue
            for name, cell in zip(columns, [i, j, _delay(cells[0], scv), *cells[1:]], strict=True):
                columns[name].append("" if isinstance(cell, float) and math.isnan(cell) else cell)
    count = len(columns["from"])
    if not 1 <= count <= LINKS_MAX:
        raise ValueError(f"these places make {count} links that differ; 1 to {LINKS_MAX} are possible")
    if ordering is not None:
        columns["ordering"] = [one_of("ordering", ordering, ORDERINGS)] * count
    return table(columns, label=label)


def _not_text(name, value):
    raise TypeError(f"{name} must be text such as 'ms', not {short(value)}")


def _delay(mean, scv):
    if scv == 0 or math.isnan(mean) or mean == 0:
        return mean
    from ._distribution import lognormal

    return lognormal(mean=mean, scv=scv, unit="s")


def _square(name, matrix):
    """The entries as floats, none negative or infinite, and the names of the places or None."""
    names = None
    if hasattr(matrix, "columns") and hasattr(matrix, "index"):
        names = [str(n) for n in matrix.index]
        there = [str(n) for n in matrix.columns]
        if len(set(names)) != len(names) or len(set(there)) != len(there) or set(names) != set(there):
            raise ValueError(
                f"{name}: rows and columns must name the same places, once each, not {short(names)} and "
                f"{short(there)}"
            )
        matrix = matrix.to_numpy()[:, [there.index(n) for n in names]]
    try:
        entries = np.array(matrix, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a square array of numbers, not {short(matrix)}") from None
    if entries.ndim != 2 or entries.shape[0] != entries.shape[1] or len(entries) == 0:
        raise ValueError(f"{name} must be square, not of shape {entries.shape}")
    wrong = np.argwhere((entries < 0) | np.isinf(entries))
    if len(wrong):
        i, j = map(int, wrong[0])
        raise ValueError(f"{name}[{i}, {j}] = {entries[i, j]:g} must not be negative or infinite")
    return entries, names


def _places(nodes, names, count):
    """The place of each node, as an index."""
    if nodes is None:
        return list(range(_at_most_nodes(count)))
    if isinstance(nodes, (str, bytes)) or not hasattr(nodes, "__iter__"):
        raise TypeError(f"nodes must be a list of places, not {short(nodes)}")
    known = names or []
    places = []
    for node in nodes:
        if isinstance(node, str):
            if names is None:
                raise ValueError(f"nodes: {short(node)} is a name, but the matrix has none; give indices")
            places.append(known.index(one_of("nodes", node, known)))
        else:
            places.append(integer("nodes", node, 0, count - 1))
    _at_most_nodes(len(places))
    return places


def _at_most_nodes(count):
    if count > NODES_MAX:
        raise ValueError(f"{count} nodes: at most {NODES_MAX} are possible")
    return count


def _by_place(name, value, names, count):
    """One column of all links, by place: from a number, text with a unit, or a matrix."""
    unit = _EXTRAS[name]
    if isinstance(value, str):
        with naming(name):
            value = _core.quantity(value, unit)
    high = 1 if unit is None else 1e15
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        return np.full((count, count), real(name, value, 0, high))
    values, own = _square(name, value)
    if len(values) != count or (own is not None and names is not None and set(own) != set(names)):
        raise ValueError(f"{name} must have the places of the matrix, {count} of them")
    if own is not None and names is not None:
        order = [own.index(n) for n in names]
        values = values[np.ix_(order, order)]
    if np.nanmax(values, initial=0) > high:
        raise ValueError(f"{name} has {np.nanmax(values):g}, which is above {high:g}")
    return values


def fault(
    kind,
    /,
    *,
    node=None,
    at=None,
    every=None,
    rate=None,
    lasts=None,
    peer=None,
    members=None,
    amount=None,
    message=None,
    disk=None,
):
    """One row of a fault plan; put rows together with ``dl.faults``.

    Parameters
    ----------
    kind : str
        crash, pause, slow, partition, isolate, one_way, partial, bridge, majority_ring, flapping, clog,
        slow_link, degrade, gray, clock_jump, clock_drift, disk_full, disk_error, disk_slow or disk_rot.
    node : int, "random", "each" or "leader", optional
        Whom it strikes: one node, one drawn for each fault, every node by a process of its own, or whoever
        leads at that moment.
    at : float or text such as "30s", optional
        When the (first) fault begins.
    every : float or text such as "10min", optional
        Mean time without the fault before the next one, exponential.
    rate : float or text such as "0.1/s", optional
        The same as a rate; give one of them. Each fault is work: at 1e6/s, the most, a second of the
        model's time takes many seconds; ``budget`` of the run puts an end to it.
    lasts : float, text or Distribution, optional
        How long it lasts; None: until the run ends.
    peer : int, optional
        The other end of a link (one_way, partial, clog, slow_link, degrade, gray); None: all others.
    members : list of int, optional
        The nodes on one side (partition, bridge).
    amount : float, optional
        How much: a factor (slow, slow_link, disk_slow), a share (degrade, gray), seconds (flapping,
        clock_jump), ppm (clock_drift), sectors (disk_rot).
    message : int, optional
        The kind of message that a gray node loses; None: all.
    disk : "kept", "lost", "torn" or "cached", optional
        What a crash leaves on the disk.

    Returns a dict, a row for ``dl.faults``. TypeError or ValueError for what is missing or out of range.
    """
    row = {"kind": one_of("kind", kind, KINDS), **_when(kind, at, every, rate)}
    if isinstance(node, str):
        row["target"] = one_of("node", node, TARGETS[1:])
    elif node is not None:
        row["node"] = _number("node", "node", node)
    if peer is not None:
        row["peer"] = _number("peer", "peer", peer)
    if members is not None:
        row["members"] = _side(members)
    if lasts is not None:
        with naming("lasts"):
            _params.read_cell(_NOBODY, dict(COLUMNS["duration"], name="lasts"), lasts)
        row["duration"] = lasts
    if amount is not None:
        row["amount"] = _number("amount", "amount", amount)
    if message is not None:
        row["message"] = _number("message", "message", message)
    if disk is not None:
        row["disk"] = one_of("disk", disk, KEEPS)
    _check(row)
    return row


def _when(kind, at, every, rate):
    """The columns time and rate."""
    row = {}
    if at is None and every is None and rate is None:
        raise ValueError(f"{kind}: when? Give at (a time), every (a mean time between faults) or rate")
    if every is not None and rate is not None:
        raise ValueError(f"{kind}: every and rate say the same; give one of them")
    if at is not None:
        row["time"] = _number("at", "time", at)
    if every is not None:
        limits = COLUMNS["rate"]
        row["rate"] = 1 / _quantity("every", every, "s", 1 / limits["max"], 1 / limits["min"])
    if rate is not None:
        row["rate"] = _number("rate", "rate", rate)
    return row


def _number(name, column, value):
    """A cell of a fault, called so by the user, in the range of its column."""
    about = COLUMNS[column]
    if about["type"] == "int":
        return integer(name, value, about["min"], about["max"])
    return _quantity(name, value, about["unit"], about["min"], about["max"])


def _quantity(name, value, unit, low, high):
    if isinstance(value, str) and unit is not None:
        with naming(name):
            value = _core.quantity(value, unit)
    return real(name, value, low, high)


def _check(row):
    """What no model can take is refused here, by the core."""
    pool = _params.Pool()
    cells = _params.table_rows(_NOBODY, {"name": "fault", "table": _FAULTS}, table([row]), pool)
    _core.fault_check(cells, {"duration": "lasts"}, pool.arrays)


def _side(members):
    """Nodes as the bits of a number."""
    if isinstance(members, (str, bytes)) or not hasattr(members, "__iter__"):
        raise TypeError(f"members must be a list of nodes, not {short(members)}")
    side = 0
    for node in members:
        side |= 1 << integer("members", node, 0, MEMBERS_MAX - 1)
    if side == 0:
        raise ValueError("members must name at least one node")
    return side


def faults(*rows, label=None):
    """A fault plan: rows from ``dl.fault``, or several plans joined.

    Parameters
    ----------
    rows : dicts from ``dl.fault``, or Tables
    label : str, optional
        Name on axes and in legends.

    Returns a Table for a parameter ``faults``. TypeError or ValueError for anything else.
    """
    out = []
    for row in rows:
        if isinstance(row, Table):
            names = list(row.columns)
            out += [dict(zip(names, cells, strict=True)) for cells in zip(*row.columns.values(), strict=True)]
        elif isinstance(row, dict):
            out.append(row)
        else:
            raise TypeError(f"a fault plan is made of rows from dl.fault(...), not {short(row)}")
    if not out:
        raise ValueError("a fault plan needs at least one row; None stands for no faults")
    for row in out:
        for name in row:
            one_of("a column of a fault", name, tuple(COLUMNS))
    return table(out, label=label)
