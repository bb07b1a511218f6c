"""Traces: names, messages paired, causal order against reachability, files for other tools, pictures."""

import html
import itertools
import json
import re
import sys
import time

import numpy as np
import pytest

import distlab as dl
import probe
import trace_maker as maker
from distlab import _core, _trace_data
from distlab._trace import Trace, has_trace

CODE = maker.CODE


@pytest.fixture(autouse=True)
def plain_lines(monkeypatch):
    """The core knows no schema of the imitation: lines of text are the numbers."""
    monkeypatch.setattr(
        _core, "trace_lines", lambda model, rows: [f"{model} {row}" for row in rows], raising=False
    )


def imitation(rows):
    about = {"parameters": "nodes 5, loss 5 %", "seed": 3}
    return Trace(rows, maker.SCHEMA, model="consensus.imitation", about=about)


@pytest.fixture(scope="module")
def story():
    return imitation(maker.story())


@pytest.fixture(scope="module")
def trouble():
    return imitation(maker.trouble())


@pytest.fixture(scope="module")
def large():
    return imitation(maker.large(5000))


def test_what_it_is(story, trouble):
    assert len(story) == len(story.array) > 100 and story.nodes == ("server 0", "server 1", "server 2")
    assert len(repr(trouble)) <= 100 and "5 nodes" in repr(trouble)
    assert trouble.span == (0, trouble.array["time"][-1])
    empty = imitation(story.array[:0])
    assert len(empty) == 0 and empty.nodes == () and empty.text() == "" and "nothing" in repr(empty)
    assert "<iframe" in empty._repr_html_()
    with pytest.raises(TypeError, match="columns time, type"):
        Trace(np.zeros(3), maker.SCHEMA, model="x")


def test_records_are_decoded(story):
    names, rows = story.names, story.array
    k = int(np.flatnonzero(rows["type"] == CODE["send"])[0])
    assert (
        story[k]["type"] == "send" and story[k]["label"] == "request vote" and story[k]["says"] == {"term": 1}
    )
    k = int(np.flatnonzero(rows["type"] == CODE["drop"])[0])
    assert story[k]["says"]["reason"] in maker.SCHEMA["drops"]
    k = int(np.flatnonzero(rows["type"] == CODE["set"])[0])
    assert (
        story[k]["says"]["due"] == pytest.approx(rows["b"][k] * 1e-9)
        and story[k]["says"]["due"] > rows["time"][k]
    )
    k = int(np.flatnonzero(rows["type"] == CODE["request"])[0])
    assert story[k]["says"] == {"key": 7, "value": 2**60 + 7, "ticket": 1}
    k = int(np.flatnonzero(rows["type"] == CODE["persisted"])[0])
    assert story[k]["says"] == {"bytes": 64, "status": "ok", "ticket": 1}
    k = int(np.flatnonzero(rows["type"] == CODE["crash"])[0])
    assert story[k] | {"time": 0} == {
        "time": 0, "type": "crash", "label": None, "node": 1, "peer": None, "id": 0, "a": 0, "b": 0,
        "says": {"disk": "kept"},
    }  # fmt: skip
    assert names.row("send", 99) == ("#99", "a", "b")
    with pytest.raises(ValueError, match="index = 9999 is outside 0 to"):
        story[9999]


def test_frame(trouble):
    frame = trouble.frame()
    assert list(frame.columns) == ["time", "type", "label", "node", "peer", "id", "a", "b", "says"]
    assert len(frame) == len(trouble) and frame.attrs["units"] == {"time": "s"}
    counts = frame["type"].value_counts()
    for kind, code in CODE.items():
        assert counts[kind] == (trouble.array["type"] == code).sum()
    first = frame[frame["type"] == "send"].iloc[0]
    assert (
        first["label"] == "request vote" and first["node"].startswith("server ") and first["says"] == "term 1"
    )


def paired_by_hand(rows):
    """(sent, arrived, dropped, copy) of each arrival and of what never arrived, by a walk with a dict."""
    out, sent, seen, ended = [], {}, set(), set()
    for k, (kind, number) in enumerate(zip(rows["type"].tolist(), rows["id"].tolist(), strict=True)):
        if kind == CODE["send"]:
            sent[number] = k
        elif kind in (CODE["deliver"], CODE["drop"]):
            s = sent.get(number, -1)
            ended.add(s)
            whole = kind == CODE["deliver"]
            out.append((s, k, not whole, whole and s >= 0 and s in seen))
            seen |= {s} if whole else set()
    return sorted(out + [(s, -1, False, False) for s in sent.values() if s not in ended])


@pytest.mark.parametrize("cut", [0, 150])
def test_messages_are_paired(trouble, cut):
    rows = trouble.array[cut:]
    f = _trace_data.Flights(rows, trouble.names)
    found = zip(f.sent.tolist(), f.arrived.tolist(), f.dropped.tolist(), f.copy.tolist(), strict=True)
    assert sorted(found) == paired_by_hand(rows)
    assert f.copy.any() and f.dropped.any() and (f.arrived < 0).any() and (f.sent < 0).any() == bool(cut)
    for k in np.flatnonzero((f.sent >= 0) & (f.arrived >= 0)).tolist():
        send = rows[f.sent[k]]
        assert (f.origin[k], f.goal[k], f.kind[k]) == (send["node"], send["peer"], send["label"])
    lone = np.flatnonzero(f.sent < 0)
    for k in lone.tolist():
        arrival = rows[f.arrived[k]]
        ends = (arrival["peer"], arrival["node"])
        assert (f.origin[k], f.goal[k]) == (ends if not f.dropped[k] else ends[::-1])
    x0, x1, part = f.drawn(trouble.span[1])
    assert np.isfinite(x0).all() and np.isfinite(x1).all() and (x1 >= x0).all()
    assert ((part < 1) == (f.dropped | (f.arrived < 0))).all() and (part > 0).all()


def test_a_message_lost_where_none_arrived_has_a_slope():
    """Nobody knows how long a message takes there: a tenth of the trace, of which it covers half."""
    run = dl.run("links.rpc_ambiguity", calls=1, request_loss=1, timeout="200ms", trace=True)
    f = _trace_data.Flights(run.trace.array, run.trace.names)
    assert f.dropped.tolist() == [True]
    x0, x1, part = f.drawn(run.trace.span[1])
    assert (x0[0], part[0]) == (0, 0.5) and x1[0] == pytest.approx(0.01)


def test_ids_may_come_round_again(story):
    rows = np.concatenate([story.array, story.array])
    rows["time"][len(story) :] += 1
    f, once = _trace_data.Flights(rows, story.names), _trace_data.Flights(story.array, story.names)
    assert len(f) == 2 * len(once)
    both = (f.sent >= 0) & (f.arrived >= 0)
    assert (f.arrival[both] - f.departure[both] < 0.1).all()


def test_stretches(trouble):
    rows, names, end = trouble.array, trouble.names, trouble.span[1]
    down = _trace_data.stretches(rows, names, ("crash",), ("restart",), end)
    assert [(s[0], round(s[1], 6), round(s[2], 6)) for s in down] == [(2, 0.2, 0.36)]
    paused = _trace_data.stretches(rows, names, ("pause",), ("wake", "crash"), end)
    assert [(s[0], round(s[1], 6), round(s[2], 6)) for s in paused] == [(3, 0.15, 0.24)]
    states = _trace_data.stretches(rows, names, ("state",), ("crash",), end)
    for node in range(5):
        mine = [s for s in states if s[0] == node]
        assert mine[0][1] == 0 and mine[-1][2] == end
        gaps = [(a[2], b[1]) for a, b in itertools.pairwise(mine) if a[2] != b[1]]
        assert [(round(a, 6), round(b, 6)) for a, b in gaps] == ([(0.2, 0.36)] if node == 2 else [])
    jump, cut = _trace_data.faults(rows, names, end)
    assert cut[:3] == (3, -1, -1) and cut[3:] == (pytest.approx(0.4), pytest.approx(0.52))
    assert jump[:3] == (5, 4, -1) and jump[3:] == (pytest.approx(0.3), pytest.approx(0.3))


def test_parts_by_time_node_and_kind(trouble):
    rows = trouble.array
    late = trouble.chosen(start="200ms", stop=0.3)
    assert ((rows["time"][late] >= 0.2) & (rows["time"][late] <= 0.3)).all() and 50 < late.size < len(rows)
    assert (
        set(rows["node"][trouble.chosen(node="server 2")]) == {2} == set(rows["node"][trouble.chosen(node=2)])
    )
    assert set(rows["type"][trouble.chosen(kinds="drop")]) == {CODE["drop"]}
    votes = rows[trouble.chosen(kinds=["append", "leader"])]
    assert set(votes["type"]) == {CODE[k] for k in ("send", "deliver", "drop", "duplicate", "state")}
    assert trouble.text(kinds="leader").count("\n") == (rows[trouble.chosen(kinds="leader")].size - 1)
    for wrong, error, text in [
        ({"kinds": "dropp"}, _core.UnknownNameError, "did you mean 'drop'"),
        ({"node": "server 9"}, _core.UnknownNameError, "server 4"),
        ({"node": 5}, ValueError, "0 to 4"),
        ({"start": 0.3, "stop": 0.2}, ValueError, "before start"),
        ({"start": "soon"}, TypeError, "start: .* not a number"),
        ({"stop": float("nan")}, ValueError, "stop"),
    ]:
        with pytest.raises(error, match=text):
            trouble.text(**wrong)


@pytest.mark.parametrize("name", ["story", "trouble"])
def test_causal_order_is_reachability(name, request):
    trace = request.getfixturevalue(name)
    before, clocks = maker.closure(trace.array), trace.clocks()
    assert np.array_equal(clocks, maker.clocks(trace.array, len(trace.nodes)))
    assert clocks.shape == (len(trace), len(trace.nodes)) and not clocks.flags.writeable
    lived = trace._lived().tolist()
    for k in lived[::7]:
        past, future = trace.cone(k)
        assert past.tolist() == np.flatnonzero(before[:, k]).tolist()
        assert future.tolist() == np.flatnonzero(before[k]).tolist()
        for j in lived[::31]:
            assert trace.before(j, k) == before[j, k] and trace.before(k, j) == before[k, j]
    done_to = [CODE[kind] for kind in _trace_data.DONE_TO]
    assert sorted(done_to) == sorted(maker.OUTSIDE)
    for k in np.flatnonzero(np.isin(trace.array["type"], done_to)).tolist():
        kind = trace[k]["type"]
        with pytest.raises(ValueError, match=f"event {k} is a {kind}, which no node does"):
            trace.cone(k)
    with pytest.raises(TypeError, match="j must be an integer"):
        trace.before(0, 1.5)


def test_jsonl_round_trip(trouble, tmp_path):
    path = trouble.to_jsonl(tmp_path / "t.jsonl")
    back = np.zeros(len(trouble), maker.DTYPE)
    labels = {
        kind: [row[0] for row in trouble.names.lists[name]] for kind, name in _trace_data.LABELS.items()
    }
    with open(path, encoding="utf-8") as file:
        for k, line in enumerate(file):
            row = json.loads(line)
            label = labels[row["type"]].index(row["label"]) if row["label"] else 0
            ends = [-1 if row[end] is None else row[end] for end in ("node", "peer")]
            back[k] = (row["time"], CODE[row["type"]], label, *ends, row["id"], row["a"], row["b"])
    assert k + 1 == len(trouble) and all(np.array_equal(back[c], trouble.array[c]) for c in back.dtype.names)


def test_perfetto(large, tmp_path):
    begun = time.perf_counter()
    path = large.to_perfetto(tmp_path / "t.json")
    print(f"Perfetto: {time.perf_counter() - begun:.2f} s")
    with open(path, encoding="utf-8") as file:
        events = json.load(file)["traceEvents"]
    starts = {e["id"]: e for e in events if e["ph"] == "s"}
    ends = {e["id"]: e for e in events if e["ph"] == "f"}
    assert starts.keys() == ends.keys()
    assert len(starts) == (large.array["type"] == CODE["deliver"]).sum()
    assert all(e["bp"] == "e" and e["ts"] >= starts[k]["ts"] for k, e in ends.items())
    slices = [e for e in events if e["ph"] == "X"]
    cover = {}
    for e in slices:
        low, long = (round(1000 * e[name]) for name in ("ts", "dur"))  # ns, as Perfetto reads them
        cover.setdefault((e["pid"], e["tid"]), []).append((low, low + long))
    begun_at = {(pid, tid, ts) for (pid, tid), rows in cover.items() for ts, _ in rows}
    arrows = (*starts.values(), *ends.values())
    assert all((e["pid"], e["tid"], round(1000 * e["ts"])) in begun_at for e in arrows)
    for rows in cover.values():  # slices of a thread lie one after another or one inside another
        rows.sort(key=lambda row: (row[0], -row[1]))
        open_until = []
        for low, high in rows:
            while open_until and open_until[-1] <= low:
                open_until.pop()
            assert not open_until or high <= open_until[-1]
            open_until.append(high)
    sent = sum(e["cat"] == "send" for e in slices)
    f = _trace_data.Flights(large.array, large.names)
    assert sent == 5000 and sum(e["cat"] == "drop" for e in slices) == f.dropped.sum()
    assert {e["name"] for e in slices if e["tid"] == 2} == {"follower", "candidate", "leader"}
    assert [e["name"] for e in slices if e["tid"] > 2] == ["down", "paused"]
    assert {e["args"]["name"] for e in events if e["name"] == "process_name"} == set(large.nodes)


def test_shiviz(trouble, tmp_path):
    with open(trouble.to_shiviz(tmp_path / "t.log"), encoding="utf-8") as file:
        expression, delimiter, log = file.read().split("\n", 2)
    assert delimiter == ""
    parser = re.compile(expression.replace("(?<", "(?P<"))
    found = list(parser.finditer(log))
    assert len(found) == trouble._lived().size == log.count("\n") / 2
    last, previous = {}, {}
    for match in found:
        host, clock = match["host"], json.loads(match["clock"])
        assert clock[host] == last.get(host, 0) + 1
        assert all(clock[other] >= n for other, n in previous.get(host, {}).items())
        assert all(n <= last[other] for other, n in clock.items() if other != host)
        last[host], previous[host] = clock[host], clock
    assert set(last) == {name.replace(" ", "-") for name in trouble.nodes}
    assert ", lost: partition" in log and "deliver append from server-" in log


def test_exports_are_quick(large, tmp_path):
    """How long 5000 messages take is printed, not judged; their sizes are judged."""
    for name in ("to_perfetto", "to_shiviz", "to_jsonl"):
        begun = time.perf_counter()
        size = (tmp_path / getattr(large, name)(tmp_path / name).split("/")[-1]).stat().st_size
        print(f"{name}: {time.perf_counter() - begun:.2f} s, {size / 1e6:.1f} MB")
        assert 5e5 < size < 1e7


def test_diagram_page(story, trouble, large):
    page = trouble._repr_html_()
    assert (
        page.startswith("<iframe") and "sandbox='allow-scripts'" in page and "allow-same-origin" not in page
    )
    assert not re.search(r"https?://|src=|@import|url\(", page) and "<details>" in page
    assert "aria-label='Space-time diagram. consensus.imitation: 5 nodes, 228 messages" in page
    sizes = [len(trace.diagram().html()) for trace in (story, trouble, large)]
    assert sizes[0] < 60_000 and sizes[2] < 320_000, sizes
    assert len(repr(trouble.diagram())) <= 100
    odd = imitation(story.array)
    odd.about["parameters"] = "<b>'\"&</script>"
    inner = odd.diagram().html()
    assert "<b>" not in inner and inner.count("</script>") == 1


def test_diagram_columns_hold_every_record(trouble):
    data = trouble.diagram().data()
    rows = trouble.array
    kinds = [(row[0], row[2]) for row in data["kinds"]]
    assert [(CODE[kinds[k][0]], kinds[k][1]) for k in data["kind"]] == list(
        zip(rows["type"].tolist(), rows["label"].tolist(), strict=True)
    )
    times = data["start"] + np.cumsum(data["time"]) * data["tick"]
    assert np.abs(times - rows["time"]).max() <= data["tick"] and data["tick"] <= 1e-7
    assert len(data["away"]) == np.isin(rows["type"], [CODE["deliver"], CODE["drop"]]).sum()
    assert json.loads(json.dumps(data))["b"].count(str(2**60 + 5)) == 1, "too large for JavaScript: as text"


def test_a_window_is_sent_when_there_is_too_much(large):
    whole, part = large.diagram(), large.diagram(limit=1000)
    assert whole.shown == 5000 and "of" not in whole.caption.split(" · ")[0]
    assert (
        part.shown == 1000
        and "1\u202f000 messages of 5\u202f000" in part.caption
        and "start=" in part.caption
    )
    sends = (large.array["type"][part.events] == CODE["send"]).sum()
    assert sends == 1000 and part.high < large.span[1]
    later = large.diagram(start=1.1, stop=2.1)
    data = later.data()
    assert (
        data["down0"] == [1]
        and data["states0"]
        and data["paused0"] == []
        and "; the rest" not in later.caption
    )
    assert large.diagram(start=2.1, stop="2.5s").data()["paused0"] == [2]
    with pytest.raises(ValueError, match="limit = 0"):
        large.diagram(limit=0)
    with pytest.raises(TypeError, match="height"):
        large.diagram(height="tall")


def test_picture(story, trouble, large, tmp_path):
    from matplotlib.figure import Figure

    picture = trouble.plot()
    axes = picture.axes
    assert axes.get_xlabel() == "Time (ms)" and axes.get_ylabel() == "Node"
    assert [t.get_text() for t in axes.get_yticklabels()] == list(trouble.nodes)
    legend = {t.get_text() for t in axes.get_legend().get_texts()}
    assert legend >= {"request vote", "append", "lost", "down", "paused", "leader", "apply"}
    assert "one leader per term broken" in {t.get_text() for t in axes.texts}
    early = trouble.plot(stop=0.45).axes
    assert {t.get_text() for t in early.texts} == {"clock jump", "partition"}
    ax = Figure().add_subplot()
    assert story.plot(ax, start=0.1, stop="200ms") is ax and ax.get_xlim()[0] > 95
    assert large.plot().save(tmp_path / "t.png").stat().st_size > 10_000
    with pytest.raises(
        ValueError, match=r"a page \(.html\), and 'd.png' says otherwise: trace.plot\(\).save"
    ):
        story.diagram().save(tmp_path / "d.png")
    assert "matplotlib.pyplot" not in sys.modules


def test_models_without_a_trace():
    probe.register()
    assert not has_trace(dl.queueing.station)
    with pytest.raises(ValueError, match=r"queueing.station has no trace \(models with one: .*lab.probe"):
        dl.run("queueing.station", jobs=10, trace=True)
    sweep = dl.sweep("queueing.station", jobs=[10, 20], reps=2)
    with pytest.raises(ValueError, match="has no trace"):
        sweep.replay(point=1, rep=1, trace=True)
    with pytest.raises(ValueError, match="has no trace"):
        _ = dl.run("queueing.station", jobs=10).trace
    with pytest.raises(TypeError, match="trace must be True or False"):
        dl.run("queueing.station", jobs=10, trace="yes")


@pytest.mark.parametrize("name", sorted({*_core.models(), probe.NAME}))
def test_models_with_a_trace(name, monkeypatch, tmp_path):
    """The run keeps it, a replay gives the same, and so does a file; text has a line for each event."""
    monkeypatch.undo()
    probe.register()
    model = dl.models()[name]
    if not has_trace(model):
        return
    run = dl.run(model, trace=True)
    trace = run.trace
    assert isinstance(trace, dl.Trace) and run.trace is trace and len(trace) and list(run.tables) == ["trace"]
    lines = trace.text().split("\n")
    assert len(lines) == len(trace) and trace.lines([len(trace) - 1]) == lines[-1:]
    assert all(line.startswith("[") for line in lines) and html.escape(lines[0]) in trace._repr_html_()
    sweep = dl.sweep(model, reps=2, keep=["trace"])
    assert np.array_equal(sweep.replay(rep=0, trace=True).trace.array, trace.array)
    part = sweep.tables["trace"]
    assert np.array_equal(Trace(part[part["rep"] == 0], trace.schema, model=name).array, trace.array)
    assert dl.load(run.save(tmp_path / "run.npz")).trace.text() == trace.text()
    both = dl.run(model, trace=True, keep=[o["name"] for o in model.outputs][:1])
    assert set(both.tables) == {model.outputs[0]["name"], "trace"}
    with pytest.raises(ValueError, match="kept no trace"):
        _ = dl.run(model).trace
