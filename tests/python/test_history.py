"""Histories in Python: read from what Jepsen, Maelstrom and people's own tests write, given back unchanged,
taken apart; broken ones refused with file, line and what was expected; recorded by clients in threads."""

import io
import json
import threading

import numpy as np
import pytest

import distlab as dl
from distlab import _history

EDN = """\
{:type :invoke, :f :write, :value 3, :process 0, :time 100, :index 0}
{:type :info, :f :start-partition, :value {"n1" #{"n2"}}, :process :nemesis, :time 150, :index 1}
{:type :invoke, :f :cas, :value [3 4], :process 1, :time 200, :index 2}
{:type :ok, :f :write, :value 3, :process 0, :time 300, :index 3}
{:type :fail, :f :cas, :value [3 4], :process 1, :time 400, :error :not-equal, :index 4}
{:type :invoke, :f :read, :value nil, :process 0, :time 500, :index 5}
{:type :info, :f :read, :value nil, :process 0, :time 900, :error [:timeout "n1"], :index 6}
"""
EVENTS = [
    {"process": 0, "type": "invoke", "f": "write", "key": "x", "value": [1, None, True, "a", 1.5], "time": 5},
    {"process": 1, "type": "invoke", "f": "read", "key": "x", "time": 6},
    {"process": 1, "type": "ok", "f": "read", "key": "x", "value": 2**70, "time": 7},
    {"process": 0, "type": "info", "f": "write", "key": "x", "value": -0.0, "time": 8},
]
KINDS = [
    "register",
    "cas_register",
    "multi_register",
    "key_value",
    "set",
    "queue",
    "stack",
    "counter",
    "mutex",
    "list_append",
]


@pytest.fixture
def jepsen():
    return dl.History.from_edn(EDN)


def test_what_jepsen_writes(jepsen):
    assert len(jepsen) == 3
    write, cas, read = jepsen
    assert (write.f, write.argument, write.outcome, write.call, write.ret) == ("write", 3, "ok", 100, 300)
    assert (cas.f, cas.argument, cas.outcome, cas.process) == ("cas", [3, 4], "fail", 1)
    assert (read.outcome, read.result, read.ret) == ("info", None, 900)
    assert jepsen.nemesis == [
        {"time": 150, "type": "info", "f": "start-partition", "value": '{"n1" #{"n2"}}', "after": 1}
    ]
    assert jepsen.functions == {"read": 1, "write": 1, "cas": 1}
    assert jepsen.outcomes == {"ok": 1, "fail": 1, "info": 1}
    assert jepsen.processes == [0, 1]
    assert str(write) == "process 0 write 3: ok"
    assert str(read) == "process 0 read: no answer"


def test_edn_comes_out_as_it_went_in(jepsen):
    again = dl.History.from_edn(jepsen.to_edn())
    assert again == jepsen
    assert again.nemesis == jepsen.nemesis
    vector = f"[{EDN}]"
    assert dl.History.from_edn(vector) == jepsen
    assert dl.History.from_edn(vector.encode()) == jepsen
    assert dl.History.from_edn(io.StringIO(EDN)) == jepsen
    assert dl.History.from_edn(EDN.replace("{:type", "#jepsen.history.Op{:type")) == jepsen


@pytest.mark.parametrize("kind", KINDS)
def test_every_form_gives_the_history_back(kind, tmp_path):
    history = dl.generate_history(
        kind, ops=200, clients=4, keys=3, values=5, crash_rate=0.05, bug_rate=0.02, seed=3
    )
    assert len(history) == 200
    for form, read in (("edn", dl.History.from_edn), ("jsonl", dl.History.from_jsonl)):
        text = getattr(history, f"to_{form}")()
        assert read(text) == history, form
        getattr(history, f"to_{form}")(tmp_path / f"h.{form}")
        assert dl.read_history(tmp_path / f"h.{form}") == history
    assert dl.History.from_array(history.array, texts=history.texts, elements=history.elements) == history
    events = [json.loads(line) for line in history.to_jsonl().splitlines()]
    assert dl.History.from_events(events) == history
    assert dl.History.from_operations(list(history)) == history
    if kind != "multi_register":
        pairs = history.to_edn(independent=True)
        assert dl.History.from_edn(pairs, independent=True) == history


def test_frames_give_the_history_back():
    pytest.importorskip("pandas")
    history = dl.generate_history("cas_register", ops=100, clients=4, values=3, crash_rate=0.1, seed=2)
    frame = history.frame()
    assert list(frame.columns) == list(_history.COLUMNS)
    assert frame["ret"].isna().sum() == sum(op.ret is None for op in history)
    assert dl.History.from_frame(frame) == history
    lines = [json.loads(line) for line in history.to_jsonl().splitlines()]
    import pandas

    events = pandas.DataFrame(lines).astype({"value": object})
    assert dl.History.from_frame(events) == history
    with pytest.raises(KeyError, match="did you mean 'process'"):
        dl.History.from_frame(frame.rename(columns={"process": "proces"}))


def test_arrays_of_ones_own():
    rows = np.array(
        [(0, "write", 1, 0, 10), (1, "read", 0, 5, 15)],
        dtype=[("process", int), ("f", "U8"), ("argument", int), ("call", int), ("ret", int)],
    )
    history = dl.History.from_array(rows)
    assert [(op.f, op.call, op.ret) for op in history] == [("write", 0, 10), ("read", 5, 15)]
    with pytest.raises(TypeError, match="structured array of one dimension"):
        dl.History.from_array(np.arange(3))


def test_arrays_are_checked(jepsen):
    array, texts = jepsen.array.copy(), jepsen.texts
    for field, value, words in (
        ("f", 99, "operation 1: function 99 is none of the"),
        ("outcome", 7, "type 7 is none of invoke, ok, fail, info"),
    ):
        bad = array.copy()
        bad[field][0] = value
        with pytest.raises(ValueError, match=words):
            dl.History.from_array(bad, texts=texts, elements=jepsen.elements)
    bad = array.copy()
    bad["argument"]["kind"][0] = 9
    with pytest.raises(ValueError, match=r"kind 9 is outside \[0, 4\]"):
        dl.History.from_array(bad, texts=texts, elements=jepsen.elements)
    with pytest.raises(ValueError, match="a list has elements"):
        dl.History.from_array(array, texts=texts)
    loop = jepsen.elements.copy()
    loop["kind"], loop["number"], loop["count"] = 4, 0, len(loop)
    with pytest.raises(ValueError, match="holds itself"):
        dl.History.from_array(array, texts=texts, elements=loop)


def test_values_of_python():
    history = dl.History.from_events(EVENTS)
    write, read = history
    assert write.argument == [1, None, True, "a", 1.5] and write.key == "x"
    assert read.result == 2**70 and isinstance(read.result, int)
    assert str(write.result) == "-0.0"
    odd = ["##1.5", '"##1.5"', ":k", '":k"', "{", "#{1}", "'x", "\x00é😀", "", float("inf"), [[], [[]]]]
    events = [(0, "invoke", "write", odd), (0, "ok", "write", {3, 1, 2})]
    history = dl.History.from_events(events)
    assert history[0].argument == odd
    assert history[0].result == [1, 2, 3]
    assert dl.History.from_edn(history.to_edn())[0].argument == odd
    assert dl.History.from_jsonl(history.to_jsonl()) == history
    assert "time" not in history.to_jsonl()


def test_independent_keys():
    text = (
        '{:process 0 :type :invoke :f :read :value ["a" nil]}{:process 0 :type :ok :f :read :value ["a" 1]}'
    )
    history = dl.History.from_edn(text, independent=True)
    assert history[0].key == "a" and history[0].result == 1 and history.keys == ["a"]
    with pytest.raises(
        ValueError, match=r"line 1: value is nil; with independent keys expected \[key value\]"
    ):
        dl.History.from_edn("{:process 0 :type :invoke :f :read :value nil}", independent=True)


BROKEN = [  # (name of the file, its text, the error)
    ("h.edn", EDN[:-3], r"h\.edn: line \d, column \d+: the text ends inside the map that began in line 7"),
    (
        "h.edn",
        EDN + EDN.splitlines()[3],
        r"line 8: time 300 ns lies before that of the event in front, 900 ns",
    ),
    (
        "h.edn",
        EDN.replace(":info, :f :read", ":info, :f :write"),
        "line 7: process 0 has info of write; expected read",
    ),
    (
        "h.edn",
        EDN.replace(":process 1, :time 400", ":process 2, :time 400"),
        "line 5: process 2 has fail of cas but nothing open; expected an invoke",
    ),
    (
        "h.edn",
        EDN.replace(":fail", ":failed"),
        "line 5, column 8: type is :failed; expected invoke, ok, fail or info",
    ),
    (
        "h.jsonl",
        '{"process": 0, "type": "invoke", "f": "read"}\n{"process": 0, "typo": "ok", "f": "read"}',
        "h.jsonl: line 2: the event has no type; expected invoke, ok, fail or info",
    ),
    (
        "h.jsonl",
        '{"process": 0, "type": "invoke", "f": "read"}\n{"process": 0, "type": "ok", "f": "read", ',
        "line 2, column 43: the text ends inside the map that began in line 2, column 1",
    ),
    (
        "h.jsonl",
        '{"process": 0, "type": "invoke", "f": "read"}\n{"process": 0, "type": "invoke", "f": "read"}',
        "line 2: process 0 invokes read while its read of line 1 has no answer; expected ok, fail or info",
    ),
]


@pytest.mark.parametrize(("name", "text", "words"), BROKEN)
def test_broken_files_are_named_with_their_line(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=words) as caught:
        dl.read_history(tmp_path / name)
    assert str(caught.value).startswith(str(tmp_path / name))


@pytest.mark.parametrize(
    ("name", "text"),
    [("h.jsonl", ""), ("h.edn", " \n"), ("h.edn", "{:process :nemesis :type :info :f :kill}")],
)
def test_a_file_without_operations_is_an_empty_history_and_says_so(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.warns(dl.DistlabWarning, match="no event of a client: the history is empty"):
        history = dl.read_history(tmp_path / name)
    assert len(history) == 0 and dl.check_linearizable(history).valid is True


def test_broken_events_are_named():
    with pytest.raises(ValueError, match=r"event 2: process 0 has ok of read but nothing open|event 1:"):
        dl.History.from_events([(0, "ok", "read", 1)])
    with pytest.raises(ValueError, match="event 1: 'proces' is none of .*did you mean 'process'"):
        dl.History.from_events([{"proces": 0}])
    with pytest.raises(TypeError, match="event 1: .* is no value of a history"):
        dl.History.from_events([(0, "invoke", "write", object())])
    with pytest.raises(ValueError, match="operation 1 has outcome ok and no ret"):
        dl.History.from_operations([{"process": 0, "f": "read", "call": 1}])
    with pytest.raises(ValueError, match="operation 1: ret = 0 is outside 1"):
        dl.History.from_operations([{"process": 0, "f": "read", "call": 1, "ret": 0}])
    with pytest.raises(TypeError, match="read from a path, text, bytes or a file"):
        dl.History.from_edn(7)


def test_order_of_lines_and_times():
    text = EDN.replace(":time 300", ":time 190")
    with pytest.raises(ValueError, match=r"line 4: time 190 ns lies before .*, or order=\"lines\""):
        dl.History.from_edn(text)
    assert [op.ret for op in dl.History.from_edn(text, order="lines")] == [200, 400, 900]
    assert [op.ret for op in dl.History.from_edn(text, order="times")] == [190, 400, 900]


def test_the_content_says_what_a_file_is():
    for text, form in (
        ('{"process": 0}', "jsonl"),
        (' [ {"process": 0}]', "jsonl"),
        ("{:process 0}", "edn"),
        ("[{:a 1}]", "edn"),
        ("; x\n{:a 1}", "edn"),
        ("[]", "jsonl"),
        ('\ufeff{"a": 1}', "jsonl"),
    ):
        assert _history.guess(text.encode()) == form, text


def test_parts_of_a_history():
    history = dl.generate_history("cas_register", ops=300, clients=5, keys=4, values=3, seed=5)
    one = history.select(key=2)
    assert len(one) == sum(op.key == 2 for op in history) and one.keys == [2]
    some = history.select(process=[0, 1], f="read", outcome="ok")
    expected = [op[1:] for op in history if op.process in (0, 1) and op.f == "read" and op.outcome == "ok"]
    assert [op[1:] for op in some] == expected
    early = history.select(between=(0, "10ms"))
    assert 0 < len(early) < 300 and all(op.call <= 10_000_000 for op in early)
    with pytest.raises(KeyError, match="did you mean 'read'"):
        history.select(f="raed")


def test_how_a_history_shows_itself(jepsen):
    assert (
        repr(jepsen).startswith("<distlab history: 3 operations of 2 processes;") and len(repr(jepsen)) <= 100
    )
    page = jepsen._repr_html_()
    assert len(page.encode()) <= 8000 and "http" not in page and "cas" in page
    long = dl.History.from_events([(k, "invoke", f"f{k}" * 30, "<b>" * 99) for k in range(300)])
    assert len(long._repr_html_().encode()) <= 8000 and "<b><b>" not in long._repr_html_()
    assert repr(dl.History.from_events([])) == "<distlab history: 0 operations>"


class Lost(Exception):
    pass


def test_a_recorder_writes_what_happened(tmp_path):
    path = tmp_path / "h.jsonl"
    with dl.Recorder(path, failed=Lost) as recorder:
        with recorder.operation(0, "write", key=1, value=3):
            pass
        with recorder.operation(0, "read", key=1) as op:
            op.ok(3)
        with pytest.raises(TimeoutError), recorder.operation(0, "write", key=1, value=4):
            raise TimeoutError("no answer")
        with pytest.raises(Lost), recorder.operation(0, "write", key=1, value=5):
            raise Lost
        pending = recorder.invoke(1, "read", key=1)
        with pytest.raises(ValueError, match="process 1 invokes read while its read has no answer"):
            recorder.invoke(1, "read")
        with pytest.raises(ValueError, match="ended without its result"), recorder.operation(2, "read"):
            pass
        assert "open>" in repr(recorder)
    with pytest.raises(ValueError, match="closed"):
        pending.ok(3)
    history = dl.read_history(path)
    assert [(op.f, op.argument, op.result, op.outcome) for op in history] == [
        ("write", 3, 3, "ok"),
        ("read", None, 3, "ok"),
        ("write", 4, 4, "info"),
        ("write", 5, 5, "fail"),
        ("read", None, None, "info"),
        ("read", None, None, "info"),
    ]
    with pytest.raises(FileExistsError):
        dl.Recorder(path)


def test_a_recorder_in_many_threads():
    """The order of lines is real time: every line's time is at least that of the line before."""
    target = io.StringIO()
    recorder = dl.Recorder(target)
    cell, lock = [None], threading.Lock()

    class Client:
        @recorder.record("write")
        def write(self, key, value):
            with lock:
                cell[0] = value

        @recorder.record("read")
        def read(self, key):
            with lock:
                return cell[0] or 0

    def work(k):
        client = Client()
        for i in range(50):
            client.write("x", 1000 * k + i + 1)
            client.read("x")

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = dl.History.from_jsonl(target.getvalue())
    assert len(history) == 400 and len(history.processes) == 4
    assert history.outcomes == {"ok": 400, "fail": 0, "info": 0}
    assert all(op.ret >= op.call >= 0 for op in history)
