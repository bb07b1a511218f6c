"""Verdicts in Python: published histories, a brute force over all orders, a user's own specification against
the built-in one, budgets, and what a person gets to see."""

import itertools
import random
import time

import pytest

import distlab as dl
from distlab import _core

# Histories as Herlihy and Wing draw them (ACM TOPLAS 12(3), 1990, figures 1 and 2): process, function, value,
# call, return; a return of None: no answer.
QUEUE_GOOD = [  # their figure 1(a): Enq(x) A, Enq(y) B overlap; the dequeues give y, then x
    ("A", "enqueue", "x", 0, 4),
    ("B", "enqueue", "y", 2, 6),
    ("B", "dequeue", "x", 8, 10),
    ("A", "dequeue", "y", 9, 13),
    ("A", "enqueue", "z", 14, 16),
]
QUEUE_BAD = [  # 1(b): x was there before y was asked for, and y comes out
    ("A", "enqueue", "x", 0, 2),
    ("B", "enqueue", "y", 3, 5),
    ("A", "dequeue", "y", 6, 8),
]
QUEUE_GOOD_OPEN = [  # 1(c): the enqueue has no answer yet, its element is out already
    ("A", "enqueue", "x", 0, None),
    ("B", "dequeue", "x", 2, 4),
]
QUEUE_BAD_TWICE = [  # 1(d): y comes out twice
    ("A", "enqueue", "x", 0, 4),
    ("B", "enqueue", "y", 1, 5),
    ("A", "dequeue", "y", 6, 8),
    ("B", "dequeue", "y", 7, 9),
]
REGISTER_GOOD = [  # figure 2(a): reads overlap a write and see it in turn
    ("A", "write", 0, 0, 2),
    ("B", "write", 1, 3, 9),
    ("A", "read", 1, 4, 6),
    ("C", "write", 0, 7, 12),
    ("A", "read", 0, 10, 11),
]
REGISTER_BAD = [  # 2(b): the second reader sees the older value after the first saw the newer one
    ("A", "write", 0, 0, 2),
    ("B", "write", 1, 3, 12),
    ("A", "read", 1, 4, 6),
    ("C", "read", 0, 7, 9),
]
REGISTER_SEQUENTIAL = [  # a read of what was there before; each process's own order is kept
    ("A", "write", 1, 0, 2),
    ("B", "write", 2, 3, 5),
    ("C", "read", 1, 6, 8),
]
PUBLISHED = [
    (QUEUE_GOOD, "queue", True, True),
    (QUEUE_BAD, "queue", False, True),
    (QUEUE_GOOD_OPEN, "queue", True, True),
    (QUEUE_BAD_TWICE, "queue", False, False),
    (REGISTER_GOOD, "register", True, True),
    (REGISTER_BAD, "register", False, True),
    (REGISTER_SEQUENTIAL, "register", False, True),
]


def written(rows):
    takes = ("read", "dequeue")
    return dl.History.from_operations(
        {
            "process": ord(p) - ord("A"),
            "f": f,
            "call": call,
            "ret": ret,
            "argument": None if f in takes else value,
            "result": value if f in takes else None,
            "outcome": "ok" if ret is not None else "info",
        }
        for p, f, value, call, ret in rows
    )


@pytest.mark.parametrize(("rows", "spec", "linearizable", "sequential"), PUBLISHED)
def test_published_histories(rows, spec, linearizable, sequential):
    history = written(rows)
    assert dl.check_linearizable(history, spec).valid is linearizable
    assert dl.check_sequential(history, spec).valid is sequential
    assert brute(history, spec, True) is linearizable
    assert brute(history, spec, False) is sequential


def step(spec, state, op):
    """The textbook objects: the next state, or None."""
    if spec == "queue":
        if op.f == "enqueue":
            return (*state, op.argument)
        if op.outcome == "info":
            return state[1:]
        return (state if not state else None) if op.result is None else (
            state[1:] if state and state[0] == op.result else None
        )  # fmt: skip
    if op.f == "write":
        return (op.argument,)
    if op.f == "cas":
        old, new = op.argument
        return (new,) if state == (old,) else state if op.outcome == "info" else None
    return state if op.outcome == "info" or state == (op.result,) else None


def brute(history, spec, real_time):
    """Every order of the operations, one by one: slow and obviously right."""
    ops = [op for op in history if op.outcome != "fail"]
    rows = history.array

    def before(a, b):
        if real_time:
            return a.outcome == "ok" and rows[a.index]["returned"] < rows[b.index]["called"]
        return a.process == b.process and a.call < b.call

    def search(left, state):
        if all(op.outcome == "info" for op in left):
            return True
        for op in left:
            rest = [o for o in left if o is not op]
            if any(before(o, op) for o in rest):
                continue
            after = step(spec, state, op)
            if after is not None and search(rest, after):
                return True
            if op.outcome == "info" and search(rest, state):  # it never happened
                return True
        return False

    return search(ops, () if spec == "queue" else (None,))


class Register:
    """The register and cas register as a user would write them."""

    reads = ("read",)

    def init(self):
        return ("nil",)

    def step(self, state, op):
        value = None if state == ("nil",) else state[0]
        after = step("register", (value,), op)
        return after if after is None or after != (None,) else ("nil",)


def random_history(rng, clients, count):
    """Made-up answers: sometimes right, sometimes not."""
    events, open_, value = [], {}, [None]
    while count or open_:
        process = rng.randrange(clients)
        if process in open_:
            f, argument = open_.pop(process)
            kind = rng.choice(["ok"] * 5 + ["info", "fail"])
            result = argument
            if f == "read":
                result = rng.choice([value[0], value[0], rng.randint(1, 3)])
            elif kind == "ok" or rng.random() < 0.5:
                value[0] = argument if f == "write" else argument[1]
            events.append((process, kind, f, result))
        elif count:
            count -= 1
            f = rng.choice(["read", "read", "write", "cas"])
            argument = {
                "read": None,
                "write": rng.randint(1, 3),
                "cas": [rng.randint(1, 3), rng.randint(1, 3)],
            }[f]
            open_[process] = (f, argument)
            events.append((process, "invoke", f, argument))
    return dl.History.from_events(events)


def test_all_agree_on_random_histories():
    """The C search, the same search over a user's specification, and every order tried in turn."""
    rng, seen = random.Random(5), {True: 0, False: 0}
    for _ in range(250):
        history = random_history(rng, 3, 5)
        fast = dl.check_linearizable(history, "cas_register")
        assert dl.check_linearizable(history, Register).valid is fast.valid
        assert brute(history, "cas_register", True) is fast.valid, history.to_jsonl()
        if len(history) <= 5:
            own = dl.check_sequential(history, "cas_register").valid
            assert brute(history, "cas_register", False) is own
            assert own or not fast.valid, "linearizable histories are sequentially consistent"
        seen[fast.valid] += 1
    assert min(seen.values()) > 30, seen


def test_the_order_of_a_yes_is_one():
    rng = random.Random(8)
    for _ in range(100):
        history = random_history(rng, 4, 8)
        verdict = dl.check_linearizable(history, "cas_register")
        if not verdict.valid:
            continue
        state, rows = (None,), history.array
        for op in verdict.order:
            state = step("cas_register", state, op)
            assert state is not None
        placed = {op.index: k for k, op in enumerate(verdict.order)}
        assert {op.index for op in history if op.outcome == "ok"} <= set(placed)
        for a, b in itertools.permutations(placed, 2):
            if rows[a]["returned"] < rows[b]["called"] and rows[a]["outcome"] == 1:
                assert placed[a] < placed[b]


def test_the_witness_of_a_no_fails_by_itself():
    for seed in range(5):
        history = dl.generate_history("register", ops=300, clients=5, values=4, bug_rate=0.05, seed=seed)
        verdict = dl.check_linearizable(history, "register")
        assert verdict.valid is False and verdict.stuck in verdict.witness
        assert len(verdict.witness) <= len(verdict.window) <= len(history)
        part = dl.History.from_array(
            history.array[[op.index for op in verdict.witness]],
            texts=history.texts,
            elements=history.elements,
        )
        assert dl.check_linearizable(part, "register").valid is False
        assert f"{verdict.stuck.f}" in verdict.explain()


def test_what_fail_says_is_an_argument():
    """A cas that failed, and whose value is seen all the same."""
    history = dl.History.from_events(
        [(0, "invoke", "write", 1), (0, "ok", "write", 1), (1, "invoke", "cas", [1, 2]),
         (1, "fail", "cas", [1, 2]), (2, "invoke", "read", None), (2, "ok", "read", 2)]
    )  # fmt: skip
    assert dl.check_linearizable(history, "cas_register").valid is False
    assert dl.check_linearizable(history, "cas_register", fail="maybe").valid is True
    seen = dl.History.from_events(
        [
            (0, "invoke", "write", 1),
            (0, "ok", "write", 1),
            (1, "invoke", "cas", [1, 2]),
            (1, "fail", "cas", [1, 2]),
        ]
    )
    assert dl.check_linearizable(seen, "cas_register").valid is True
    assert dl.check_linearizable(seen, "cas_register", fail="mismatch").valid is False


def test_initial_values():
    history = dl.History.from_events([(0, "invoke", "read", None), (0, "ok", "read", "a")])
    assert dl.check_linearizable(history, "register").valid is False
    assert dl.check_linearizable(history, "register", initial="a").valid is True
    assert dl.check_linearizable(history, "register", initial="b").valid is False
    assert dl.check_linearizable(history, "register", initial=3).valid is False


def hard(count=14):
    """Increments without an answer, and reads that no subset of them explains but many nearly do."""
    events = [(k, "invoke", "add", 2**k) for k in range(count)]
    for k in range(count):
        events += [(100, "invoke", "read", None), (100, "ok", "read", 2 ** (k + 1) - 1)]
    return dl.History.from_events([*events, (100, "invoke", "read", None), (100, "ok", "read", 2)])


class Slow:
    """A specification that takes its time."""

    def init(self):
        return 0

    def step(self, state, op):
        time.sleep(0.002)
        if op.f == "add":
            return state + op.argument
        return state if op.outcome == "info" or op.result == state else None


def test_budgets_give_unknown():
    verdict = dl.check_linearizable(hard(), Slow, states=3)
    assert verdict.valid is None and verdict.reason
    with pytest.raises(ValueError, match="the verdict is unknown"):
        bool(verdict)
    assert "nothing was decided" in verdict.explain() and "unknown" in repr(verdict)
    assert verdict._repr_html_() and "unknown" in verdict.to_html()
    late = dl.check_linearizable(hard(), Slow, seconds=0.02)  # each step takes a tenth of that
    assert late.valid is None and late.reason == "seconds"


def test_cancelled_before_it_begins_or_decided():
    token = dl.Token()
    token.cancel()
    history = dl.generate_history("counter", ops=20_000, clients=10, crash_rate=0.01, seed=1)
    try:
        verdict = dl.check_linearizable(history, "counter", token=token)
    except dl.Cancelled as error:
        assert "cancelled" in str(error)
    else:
        assert verdict.valid is not None  # so few states that nobody asked


class Bad:
    def __init__(self, gives):
        self.gives = gives

    def init(self):
        return ()

    def step(self, state, op):
        return self.gives(op)


def test_mistakes_of_a_specification():
    history = dl.History.from_events([(0, "invoke", "read", None), (0, "ok", "read", 1)])
    with pytest.raises(ZeroDivisionError):
        dl.check_linearizable(history, Bad(lambda op: 1 / 0))
    with pytest.raises(TypeError, match=r"Bad.step\(..., read\) gave \[\], which is not hashable"):
        dl.check_linearizable(history, Bad(lambda op: []))
    with pytest.raises(TypeError, match="or an object with init"):
        dl.check_linearizable(history, 7)
    with pytest.raises(KeyError, match="did you mean 'cas_register'"):
        dl.check_linearizable(history, "cas-registr")
    with pytest.raises(TypeError, match="history must be a History, a path or events"):
        dl.check_linearizable(7)
    with pytest.raises(ValueError, match=r"seconds = 0 is not strictly inside"):
        dl.check_linearizable(history, seconds=0)
    with pytest.raises(KeyError, match="register does not know enqueue; it knows read, write"):
        dl.check_linearizable([(0, "invoke", "enqueue", 1)], "register")


def test_specifications_are_those_of_the_core():
    assert set(_core.specifications()) >= {"register", "cas_register", "queue", "user"}


def test_pictures_and_pages():
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    bad = dl.generate_history("cas_register", ops=200, clients=4, values=3, keys=2, bug_rate=0.05, seed=2)
    good = dl.generate_history("queue", ops=60, clients=3, crash_rate=0.1, seed=2)
    for history, spec in ((bad, "cas_register"), (good, "queue"), (written(QUEUE_BAD), "queue")):
        verdict = dl.check_linearizable(history, spec)
        assert len(repr(verdict)) <= 100
        assert len(verdict._repr_html_().encode()) <= 8000
        assert verdict.plot().png().startswith(b"\x89PNG")
        ax = Figure().add_subplot()
        assert verdict.plot(ax=ax) is ax
        assert (
            ax.get_xlabel() in ("Time (ms)", "Time (us)", "Time (ns)")
            and ax.get_ylabel() == "Process (number)"
        )
        page = verdict.to_html()
        assert page.startswith("<!doctype html>") and "</svg>" in page and "src=" not in page
        assert ("No legal order" in page or "no legal order" in page) is (verdict.valid is False)
        bars = page.count("<rect")
        assert 0 < bars <= 200
        assert ('#C62828" stroke' in page) is (verdict.valid is False)


def test_a_page_escapes_what_the_history_says():
    events = [(0, "invoke", "write", "<script>"), (0, "ok", "write", "<script>"), (0, "invoke", "read", None),
              (0, "ok", "read", "<b>")]  # fmt: skip
    page = dl.check_linearizable(events, "register").to_html()
    assert "<script>" not in page and "&lt;" in page
