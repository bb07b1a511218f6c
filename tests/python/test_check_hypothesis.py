"""Text that is not a history, and histories out of anything: nothing crashes, nothing broken is called valid,
every refusal names a line; what is written is read back."""

import json
import re

import pytest

import distlab as dl

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given, settings
from hypothesis import strategies as st

BASE = dl.generate_history("cas_register", ops=12, clients=3, keys=2, values=3, crash_rate=0.2, seed=4)
TEXTS = {
    "edn": BASE.to_edn() + '{:process :nemesis, :type :info, :f :x, :value #{[1 "a"] {:b \\c} ##NaN}}\n',
    "jsonl": BASE.to_jsonl(),
}
READ = {"edn": dl.History.from_edn, "jsonl": dl.History.from_jsonl}
many = settings(derandomize=True, deadline=None, max_examples=200)
few = settings(derandomize=True, deadline=None, max_examples=50)

numbers = st.integers(-(2**80), 2**80) | st.floats()
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(st.characters(codec="utf-8"), max_size=8)
    | st.sampled_from(["##1.5", ":k", '":k"', "{:a 1}", "#{1}", "'x", "\\a", '"', "##NaN", "#t 1", "[1]"]),
    lambda inner: st.lists(inner, max_size=3), max_leaves=6,
)  # fmt: skip


def attempt(form, text):
    """The history, or None where it is refused as it should be."""
    try:
        return READ[form](text)
    except ValueError as error:
        assert re.match(r"line \d+(, column \d+)?: ", str(error)), error
        return None


@many
@given(st.binary(max_size=200), st.sampled_from(["edn", "jsonl"]))
def test_bytes_are_read_or_refused(data, form):
    history = attempt(form, data)
    assert history is None or len(history) == 0


@many
@given(st.text(alphabet='{}[]()#_:;"\\ ,\n1a.-/nil0', max_size=40))
def test_brackets_are_read_or_refused(text):
    history = attempt("edn", text.encode())
    assert history is None or len(history) == 0


@many
@given(st.data(), st.sampled_from(["edn", "jsonl"]))
def test_a_cut_text_is_never_a_whole_history(data, form):
    """What is cut inside an event is refused; what is cut between two is a shorter history."""
    text = TEXTS[form]
    cut = data.draw(st.integers(1, len(text) - 1))
    history = attempt(form, text[:cut].encode())
    whole = text[:cut].endswith(("}", "}\n"))
    lines = [line for line in text[:cut].split("\n") if line]
    complete = whole and lines[-1] in text.split("\n")
    assert (history is not None) is complete


@many
@given(st.data(), st.sampled_from(["edn", "jsonl"]))
def test_changed_text_is_read_or_refused_and_comes_back(data, form):
    text = TEXTS[form]
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(text) - 1))
        piece = data.draw(
            st.sampled_from(["", "{", "}", "[", '"', "\\", "#", ":", "1", "x", "\n", "nil", ";", ","])
        )
        text = text[:place] + piece + text[place + data.draw(st.integers(0, 4)) :]
    history = attempt(form, text.encode())
    if history is None:
        return
    assert attempt(form, getattr(history, f"to_{form}")().encode()) == history
    try:
        verdict = dl.check_linearizable(history, "cas_register", states=10_000)
    except (ValueError, KeyError, TypeError):
        return
    assert verdict.valid in (True, False, None)


def same(a, b):
    """Equal, also where both are not a number, and 1 is not True."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and (repr(a) == repr(b))


@few
@given(st.lists(st.tuples(values, values, values), max_size=4))
def test_any_value_survives_every_form(rows):
    events = []
    for k, (key, argument, result) in enumerate(rows):
        events.append({"process": k, "type": "invoke", "f": "write", "key": key, "value": argument})
        events.append({"process": k, "type": "ok", "f": "write", "key": key, "value": result})
    history = dl.History.from_events(events)
    for (key, argument, result), op in zip(rows, history, strict=True):
        assert same(op.key, key) and same(op.argument, argument) and same(op.result, result)
    for form in ("edn", "jsonl"):
        again = READ[form](getattr(history, f"to_{form}")())
        for a, b in zip(history, again, strict=True):
            assert same(list(a[1:6]), list(b[1:6])), form
    copied = dl.History.from_array(history.array, texts=history.texts, elements=history.elements, timed=False)
    assert copied == history


@few
@given(st.dictionaries(st.sampled_from(["process", "type", "f", "key", "value", "time", "x"]), values))
def test_any_event_is_taken_or_refused(event):
    try:
        history = dl.History.from_events([event])
    except (ValueError, TypeError) as error:
        assert "event 1" in str(error), error
        return
    assert history[0].outcome == "info" and json.loads(history.to_jsonl())["process"] == event["process"]


@few
@given(values, values, values)
def test_any_argument_of_a_check(spec, seconds, states):
    try:
        verdict = dl.check_linearizable(BASE, spec, seconds=seconds, states=states)
    except (ValueError, TypeError, KeyError) as error:
        assert re.search(r"spec|seconds|states", str(error))
        return
    assert verdict.valid in (True, False, None)
