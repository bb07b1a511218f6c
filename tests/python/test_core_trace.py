"""Traces through the binding: the schema, lines of text and vector clocks of the probe's little story."""

import re

import numpy as np
import pytest

import distlab as dl
from distlab import _core
from probe import NAME, address, params, register, sweep

TYPES = 22


def story(jobs=3):
    return sweep(params(jobs=jobs), wanted=["trace"])["outputs"]["trace"][0]


def test_schema():
    register()
    schema = _core.trace_schema(NAME)
    assert list(schema) == [
        *("types", "drops", "keeps", "faults", "statuses", "messages", "timers", "requests"),
        *("applies", "notes", "states", "roles", "invariants"),
    ]
    assert schema["types"][:4] == ["send", "deliver", "drop", "duplicate"] and len(schema["types"]) == TYPES
    assert schema["drops"][:2] == ["loss", "partition"] and schema["keeps"][0] == "kept"
    assert schema["faults"][:2] == ["crash", "pause"] and schema["statuses"] == ["ok", "error", "full"]
    assert schema["messages"] == [("job", "number", "size"), ("done", "number", None)]
    assert schema["notes"] == [("worked", None, "size")]
    assert schema["timers"] == schema["requests"] == schema["applies"] == schema["states"] == []
    assert schema["roles"] == ["client", "worker"] and schema["invariants"] == ["every job is done"]
    table = _core.describe(NAME)["outputs"][2]
    assert table["columns"][1]["choices"] == schema["types"]
    assert table["dtype"].names == ("time", "type", "label", "node", "peer", "id", "a", "b")


def test_a_model_without_a_trace():
    name = _core.register(address("probe_tiny"))
    assert _core.trace_schema(name) is None
    with pytest.raises(ValueError, match=f"{name} has no trace"):
        _core.trace_lines(name, story())


STORY = """\
[    0.000 ms] client 0 starts
[    0.000 ms] worker 1 starts
[    0.000 ms] client 0 > job to 1 (number 0, size 0)
[    0.000 ms] worker 1 < job from 0 (number 0, size 0)
[    1.000 ms] worker 1 notes worked (size 0)
[    1.000 ms] worker 1 > done to 0 (number 0)
[    1.000 ms] client 0 < done from 1 (number 0)
[   10.000 ms] client 0 > job to 1 (number 1, size 1)
[   10.000 ms] worker 1 < job from 0 (number 1, size 1)
[   12.000 ms] worker 1 notes worked (size 1)
[   12.000 ms] worker 1 > done to 0 (number 1)
[   12.000 ms] worker 1 x done to 0: loss
[   20.000 ms] client 0 > job to 1 (number 2, size 2)
[   20.000 ms] worker 1 < job from 0 (number 2, size 2)
[   23.000 ms] worker 1 notes worked (size 2)
[   23.000 ms] worker 1 > done to 0 (number 2)
[   23.000 ms] client 0 < done from 1 (number 2)
"""


def test_lines():
    rows = story()
    assert _core.trace_lines(NAME, rows) == STORY.splitlines()
    assert _core.trace_lines(NAME, rows[:0]) == []
    # Other memory, the same rows: packed, strided, read-only, byte-swapped.
    packed = np.zeros(len(rows), [(name, rows.dtype[name]) for name in rows.dtype.names])
    packed[...] = rows
    twice = np.repeat(rows, 2)[::2]
    twice.flags.writeable = False
    for other in (packed, twice, rows.astype(packed.dtype.newbyteorder())):
        assert _core.trace_lines(NAME, other) == STORY.splitlines()
    # A part does not say who the nodes are.
    assert _core.trace_lines(NAME, rows[11:12]) == ["[   12.000 ms] node 1 x done to 0: loss"]


def test_numbers_without_names():
    rows = story()[2:3].copy()
    rows["label"], rows["node"], rows["peer"], rows["b"] = 9, 65534, -1, -1
    assert _core.trace_lines(NAME, rows) == ["[    0.000 ms] node 65534 > #9 (a 0, b 18446744073709551615)"]


def test_long_names():
    name = _core.register(address("probe_wordy"))
    line = _core.trace_lines(name, story()[2:3])
    assert line == [f"[    0.000 ms] node 0 > {'long ' * 100} to 1 (ä 0, \ufffd 0)"]
    assert _core.trace_schema(name)["messages"] == [("long " * 100, "ä", "\ufffd")]


def closure(rows):
    """How many events of each node happened before each row or are it: by walking all paths."""
    kind = [_core.trace_schema(NAME)["types"][k] for k in rows["type"]]
    counts = [k not in ("drop", "duplicate", "fault", "heal", "broken") for k in kind]
    past = []
    for k, row in enumerate(rows):
        known = {k} if counts[k] else set()
        for j in range(k):
            sent = kind[j] == "send" and kind[k] == "deliver" and rows["id"][j] == row["id"]
            if counts[j] and (rows["node"][j] == row["node"] or sent):
                known |= past[j]
        past.append(known)
    return [[sum(rows["node"][j] == i for j in known) for i in range(2)] for known in past]


def test_clocks():
    rows = story(20)
    clocks = _core.trace_clocks(rows, 2)
    assert clocks.dtype == np.uint32 and clocks.shape == (102, 2) and clocks.flags.writeable
    assert clocks.tolist() == closure(rows)
    assert clocks[:7].tolist() == [[1, 0], [0, 1], [2, 0], [2, 2], [2, 3], [2, 4], [3, 4]]
    # Without its beginning the first answers come from nowhere; nodes nobody heard of stay at 0.
    assert _core.trace_clocks(rows[6:], 2).tolist() == closure(rows[6:])
    wide = _core.trace_clocks(rows, 1000)
    assert wide.shape == (102, 1000) and (wide[:, :2] == clocks).all() and not wide[:, 2:].any()
    assert _core.trace_clocks(rows[:0], 2).shape == (0, 2)
    assert _core.trace_clocks(rows[:0], 0).shape == (0, 0)


def changed(column, value):
    rows = story()
    rows[column][3] = value
    return rows


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("time", np.nan, "row 3: time = nan s is outside"),
        ("type", TYPES, r"row 3: type = 22 is outside \[0, 21\]"),
        ("label", -1, r"row 3: label = -1 is outside \[0, 65535\]"),
        ("node", 65535, r"row 3: node = 65535 is outside \[-1, 65534\]"),
        ("peer", -2, r"row 3: peer = -2 is outside"),
        ("id", 2**32, r"row 3: id = 4294967296 is outside \[0, 4294967295\]"),
        ("a", -5, r"row 3: a = -5 is outside"),
    ],
)
def test_numbers_no_record_holds(column, value, text):
    for call in (lambda rows: _core.trace_lines(NAME, rows), lambda rows: _core.trace_clocks(rows, 2)):
        with pytest.raises(ValueError, match=text):
            call(changed(column, value))


def test_what_is_refused():
    rows = story()
    with pytest.raises(ValueError, match="record 2 is of node 7, but there are 2 nodes"):
        _core.trace_clocks(np.concatenate([rows[:2], changed("node", 7)[3:4]]), 2)
    for nodes, text in ((-1, "nodes = -1"), (65536, r"nodes = 65536 is outside \[0, 65535\]")):
        with pytest.raises(ValueError, match=text):
            _core.trace_clocks(rows, nodes)
    with pytest.raises(_core.BudgetError, match="more than 268435456 numbers"):
        _core.trace_clocks(np.repeat(rows, 250), 65535)
    with pytest.raises(ValueError, match="1 dimension, not 2"):
        _core.trace_lines(NAME, rows[None])
    for bad in (rows["time"], rows[["time", "node"]], [1, 2], None):
        with pytest.raises(TypeError, match="rows must be a structured array"):
            _core.trace_lines(NAME, bad)
    for call in (_core.trace_schema, lambda name: _core.trace_lines(name, rows)):
        with pytest.raises(_core.UnknownNameError, match=r"lab.prob.*lab.probe"):
            call("lab.prob")
    with pytest.raises(TypeError):
        _core.trace_clocks(rows, 2.0)


@pytest.mark.parametrize("storage", ["async", "sync"])
def test_a_timer_fires_when_its_line_said_it_is_due(storage):
    run = dl.run("consensus.raft", seed=3, duration=2, storage=storage, trace=True)
    due, fired, late = {}, 0, 0
    for line in run.trace.text(kinds=["set", "fire"]).splitlines():
        at, who = re.match(r"\[ *([\d.]+) ms\] (\w+ \d+) ", line).groups()
        if put := re.search(r"sets (.+) timer, due at ([\d.]+) ms$", line):
            due[who, put[1]] = float(put[2])
            continue
        fired += 1
        promised = due[who, re.search(r"ms\] \w+ \d+ (.+) timer fires$", line)[1]]
        assert float(at) >= promised
        late += float(at) > promised
    assert fired > 20 and (late > 0) == (storage == "sync")  # a server that waits for its disk is late
