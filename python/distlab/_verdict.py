"""Is a history linearizable, or sequentially consistent? The question in Python, and the answer as people
read it: yes with an order, no with what could not be placed and why, or unknown with what ran out."""

import os
import time
from typing import NamedTuple

from . import _core
from ._common import boolean, integer, one_of, real, short, size, unknown
from ._history import History, is_iterable, read_history
from ._operation import BOOL, INT, NIL, OUTCOMES, TEXT, describe

CRITERIA = {"linearizable": "linearizability", "sequential": "sequential"}
WORDS = {"linearizable": "linearizable", "sequential": "sequentially consistent"}
FAIL = ("never", "mismatch", "maybe")
MEMORY = "4GiB"
STATES_SHOWN = 8
STATES_MAX = 2**63


def specifications():
    """Names of the specifications `check_linearizable` knows, and the functions of each."""
    return {name: text for name, text in _core.specifications().items() if name != "user"}


def check_linearizable(
    history,
    spec="register",
    *,
    fail="never",
    initial=None,
    seconds=None,
    states=None,
    memory=MEMORY,
    explain=True,
    shrink=True,
    token=None,
):
    """Is there an order of the operations, each between its call and its answer, that the spec allows?

    Parameters
    ----------
    history : History, path, or events
        A history; a file of one; or what `History.from_events` takes.
    spec : str or object
        register, cas_register, multi_register, key_value, set, queue, stack, counter, mutex, list_append
        (where operations have keys, each key is an object of its own); or an object with `init()`, the first
        state, and `step(state, op)`, the next state or None where op is not possible: op has f, key,
        argument, result and outcome, "ok" or "info" (then its result is not known); with fail="mismatch" also
        "fail". States are hashable and never None; equal states are one. On the object may be:
        `by_key = True`, every key is an object of its own; `reads = ["read"]`, functions that never change a
        state; `describe(state)`, a state in words.
    fail : {"never", "mismatch", "maybe"}
        What `fail` says: it did not happen; nor did it, because of what was there (a cas that met another
        value, a dequeue of an empty queue); or it may have happened.
    initial : None, int, bool or str
        Value of every register and key at the beginning.
    seconds, states, memory : number, int, bytes or text
        Budgets; beyond them the verdict is unknown. memory is 4GiB unless given.
    explain, shrink : bool
        Keep the order of a yes, find the window of a no; and a small part of it that shows the no.
    token : Token
        Cancels the check from another thread.

    Returns a Verdict. ValueError for an operation the specification does not know.
    """
    return _check(
        history,
        spec,
        "linearizable",
        fail=fail,
        initial=initial,
        seconds=seconds,
        states=states,
        memory=memory,
        explain=explain,
        shrink=shrink,
        token=token,
    )


def check_sequential(
    history,
    spec="register",
    *,
    fail="never",
    initial=None,
    seconds=None,
    states=None,
    memory=MEMORY,
    explain=True,
    shrink=True,
    token=None,
):
    """Is there an order of the operations that the spec allows and that keeps the order in which each process
    asked? Arguments as in `check_linearizable`; time plays no part. Objects cannot be checked one by
    one, so this takes longer."""
    return _check(
        history,
        spec,
        "sequential",
        fail=fail,
        initial=initial,
        seconds=seconds,
        states=states,
        memory=memory,
        explain=explain,
        shrink=shrink,
        token=token,
    )


def _check(
    history, spec, criterion, *, fail="never", initial=None, seconds=None, states=None, memory=MEMORY,
    explain=True, shrink=True, token=None,
):  # fmt: skip
    history = as_history(history)
    if criterion not in CRITERIA:
        raise unknown("criterion", criterion, CRITERIA)
    core, start = history._core, _cell(history, initial)
    if start is None:
        extended = [*history.texts, initial]
        core = _core.history_open(history.array, history.elements, extended, True, history.parts["timed"])
        start = (_core.history_parts(core)["texts"].index(initial), 0, TEXT)
    options = {
        "criterion": CRITERIA[criterion], "fail": one_of("fail", fail, FAIL), "initial": start,
        "states": 0 if states is None else integer("states", states, 1, STATES_MAX),
        "seconds": 0.0 if seconds is None else real("seconds", seconds, 0, 1e9, closed=False),
        "memory": size("memory", memory), "explain": boolean("explain", explain),
        "shrink": boolean("shrink", shrink), "token": token,
    }  # fmt: skip
    name, user = spec_name(spec)
    if user is not None:
        options |= user.options(history)
    began = time.perf_counter()
    found = _core.history_check(core, name, **options)
    return Verdict(history, user.name if user else name, criterion, fail, found, time.perf_counter() - began)


def as_history(history):
    """A History of what was handed in."""
    if isinstance(history, History):
        return history
    if isinstance(history, (str, os.PathLike)):
        return read_history(history)
    if is_iterable(history):
        return History.from_events(history)
    raise TypeError(f"history must be a History, a path or events, not {short(history)}")


def spec_name(spec):
    """(name of the core's specification, the user's own or None)."""
    if isinstance(spec, str):
        name = spec.replace("-", "_")
        if name not in specifications():
            raise unknown("spec", spec, specifications())
        return name, None
    if isinstance(spec, type):
        spec = spec()
    if not callable(getattr(spec, "init", None)) or not callable(getattr(spec, "step", None)):
        raise TypeError(
            f"spec must be one of {', '.join(specifications())}, or an object with init() and "
            "step(state, op), not "
            f"{short(spec)}"
        )
    return "user", User(spec)


def _cell(history, value):
    """A value as (number, count, kind); None where its text is not in the history."""
    if value is None:
        return (0, 0, NIL)
    if isinstance(value, bool):
        return (int(value), 0, BOOL)
    if isinstance(value, str):
        return (history.texts.index(value), 0, TEXT) if value in history.texts else None
    return (integer("initial", value, -(2**63), 2**63 - 1), 0, INT)


class Asked(NamedTuple):
    """An operation as a specification sees it."""

    f: str
    key: object
    argument: object
    result: object
    outcome: str


class User:
    """A specification written in Python: its states get numbers, equal states the same one."""

    def __init__(self, spec):
        self.spec = spec
        self.name = getattr(spec, "name", None) or type(spec).__name__
        self.states, self.ids = [], {}
        self.number(spec.init(), "init()")

    def number(self, state, what):
        if state is None:
            raise TypeError(f"{self.name}.{what} gave None, which stands for 'not possible'; use () or 'nil'")
        try:
            known = self.ids.get(state)
        except TypeError:
            raise TypeError(
                f"{self.name}.{what} gave {short(state)}, which is not hashable; use tuples and frozensets"
            ) from None
        if known is None:
            known = self.ids[state] = len(self.states)
            self.states.append(state)
        return known

    def options(self, history):
        """What the core needs: step, describe, which functions only read."""
        import numpy as np

        dtype = history.array.dtype["key"]
        cells = {}

        def value(cell):
            if cell not in cells:
                cells[cell] = history.value(np.array(cell, dtype))
            return cells[cell]

        def step(state, f, outcome, key, argument, result):
            info = OUTCOMES[outcome] == "info"
            op = Asked(
                history.texts[f],
                value(key),
                value(argument),
                None if info else value(result),
                OUTCOMES[outcome],
            )
            after = self.spec.step(self.states[state], op)
            return -1 if after is None else self.number(after, f"step(..., {op.f})")

        words = getattr(self.spec, "describe", None) or short
        reads = getattr(self.spec, "reads", ())
        return {
            "step": step, "describe": lambda state: str(words(self.states[state])),
            "by_key": bool(getattr(self.spec, "by_key", False)),
            "reads": [k for k, text in enumerate(history.texts) if text in reads],
        }  # fmt: skip


class Verdict:
    """The answer about a history.

    valid : True, False, or None where a budget ran out (`reason` says which)
    order : operations in a legal order (no: the longest legal beginning that was found)
    stuck : the operation that could not be placed (no), or None
    window : the operations called before `stuck` was answered, of its object (no)
    witness : a small part of the window that already fails (no); `dl.check_linearizable` of it says no too
    states : what the object's state could be when `stuck` had to take effect, as texts (no)
    explored, seconds, memory : states looked at, time, and bytes at most
    """

    def __init__(self, history, spec, criterion, fail, found, seconds):
        self.history, self.spec, self.criterion, self.fail = history, spec, criterion, fail
        self.valid, self.reason = found["valid"], found["reason"]
        self.explored, self.seconds, self.memory = found["states"], seconds, found["peak_bytes"]
        self.objects, self.details = found["objects"], found
        no = self.valid is False
        self.stuck = history[found["stuck"]] if no and found["stuck"] < len(history) else None
        self.states = list(found["pending"])
        self._lists = {}

    def _operations(self, name):
        if name not in self._lists:
            self._lists[name] = [self.history[int(k)] for k in self.details[name]]
        return self._lists[name]

    @property
    def order(self):
        """Operations in a legal order."""
        return self._operations("order")

    @property
    def window(self):
        """Operations of the object that were called before `stuck` was answered."""
        return self._operations("window")

    @property
    def witness(self):
        """The smallest part that was found to fail."""
        return self._operations("shrunk") or self._operations("window")

    def __bool__(self):
        if self.valid is None:
            raise ValueError(f"the verdict is unknown (budget of {self.reason}); look at .valid")
        return self.valid

    @property
    def words(self):
        """linearizable, not sequentially consistent, unknown."""
        word = WORDS[self.criterion]
        return f"unknown whether {word}" if self.valid is None else word if self.valid else f"not {word}"

    def __repr__(self):
        text = f"<distlab verdict: {self.words} ({self.spec}); {len(self.history)} operations, "
        text += f"{self.explored} states, {self.seconds:.3g} s"
        if self.valid is None:
            text += f"; out of {self.reason}"
        return (text if len(text) < 99 else text[:98] + "…") + ">"

    def explain(self):
        """What was found, in sentences."""
        count = len(self.history)
        head = f"{self.words} as {self.spec}: {count} operation{'s' if count != 1 else ''}"
        cost = f"{self.explored} states, {self.seconds:.3g} s"
        if self.valid is None:
            return (
                f"{head}. The budget of {self.reason} ran out after {cost}; nothing was decided. Raise it, "
                "or check a part: history.select(key=...)."
            )
        if self.valid and count == 0:
            return f"{head}. The history is empty, and an empty one keeps every promise: was it recorded?"
        if self.valid:
            open_ = self.history.outcomes["info"]
            placed = sum(1 for op in self.order if op.outcome == "info") if open_ else 0
            more = f", {placed} of {open_} unknown ones taken as done" if open_ else ""
            return f"{head}{more}, {self.objects} object{'s' if self.objects != 1 else ''} ({cost})."
        return "\n".join([f"{head} ({cost}).", *(self._why() if self.stuck else [])])

    def _why(self):
        op = self.stuck
        lines = [f"{describe(op)} cannot be placed: {self._when(op)}."]
        if self.states:
            many = "; ".join(self.states[:STATES_SHOWN]) + (
                "; ..." if len(self.states) > STATES_SHOWN else ""
            )
            lines.append(f"When it had to take effect, what the search had reached was: {many}.")
        shown = self.witness[:40]
        lines.append(f"Already these {len(self.witness)} operations have no legal order:")
        lines += [f"  {describe(o)}  [{self._when(o)}]" for o in shown]
        if len(self.witness) > len(shown):
            lines.append(f"  and {len(self.witness) - len(shown)} more")
        return lines

    def _when(self, op):
        if not self.history.parts["timed"]:
            ret = f"answered by event {op.ret + 1}" if op.ret is not None else "no answer"
            return f"called by event {op.call + 1}, {ret}"
        ret = f"answered at {time_text(op.ret)}" if op.ret is not None else "no answer"
        return f"called at {time_text(op.call)}, {ret}"

    def _repr_html_(self):
        from ._html_history import verdict_html

        return verdict_html(self)

    def plot(self, ax=None, *, limit=200):
        """The operations as bars, one line per process: the part that fails in red, with a yes the instants
        at which operations can take effect. Returns a Picture, or ax where it is given."""
        from ._plot_history import plot_verdict

        return plot_verdict(self, ax, integer("limit", limit, 1, 10_000))

    def to_html(self, path=None):
        """One page without any link to elsewhere: the verdict, why, the picture; text, or written to path."""
        from ._html_history import verdict_page

        page = verdict_page(self)
        if path is None:
            return page
        with open(path, "w", encoding="utf-8") as file:
            file.write(page)
        return None


def time_text(ns):
    """A time in the unit that suits it."""
    for unit, factor in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if abs(ns) >= factor:
            return f"{ns / factor:.6g} {unit}"
    return f"{ns} ns"
