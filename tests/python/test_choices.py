"""Who decides in a run, and how a run is known again: fingerprints, recorded and replayed choices, questions
to a person, every way the coins can fall."""

import inspect
import itertools
import pickle
import signal
import sys
import threading

import numpy as np
import pytest

import distlab as dl
import probe
from distlab import _core
from distlab._common import RESERVED

STATION = "queueing.station"
LETTERS = "lab.letters"


@pytest.fixture(autouse=True, scope="module")
def letters():
    dl.register(probe.address("probe_letters"))


@pytest.fixture(scope="module")
def by_events():
    return dl.sweep(STATION, arrival_rate=[50, 90], reps=7, method="events", jobs=500, threads=1)


def test_a_row_is_known_by_its_events(by_events):
    marks = by_events.fingerprints
    assert marks.shape == (2, 7) and marks.dtype == np.uint64 and marks.all()
    assert len(np.unique(marks)) == 14
    again = dl.sweep(STATION, arrival_rate=[50, 90], reps=7, method="events", jobs=500, threads=2)
    np.testing.assert_array_equal(again.fingerprints, marks)
    np.testing.assert_array_equal(by_events.sel(arrival_rate=90).fingerprints, marks[1])
    with pytest.raises(ValueError, match="read-only"):
        marks[0, 0] = 1


def test_a_replay_has_the_same_fingerprint(by_events):
    run = by_events.replay(1, 3)
    assert run.fingerprint == by_events.fingerprints[1, 3]
    assert run.provenance["fingerprint"] == f"{run.fingerprint:016x}" in run._repr_html_()
    assert run.provenance["fingerprint"] in repr(run)
    # Keeping the jobs takes another path through the station: the events are the same.
    assert by_events.replay(1, 3, keep=True).fingerprint == run.fingerprint
    assert dl.run(STATION, arrival_rate=90, method="events", jobs=500, seed=2).fingerprint != run.fingerprint


@pytest.mark.parametrize("servers", [1, 3])
def test_two_paths_of_the_station_see_the_same_events(servers):
    a = dl.run(STATION, arrival_rate=80 * servers, servers=servers, method="events", jobs=3000)
    b = dl.run(STATION, arrival_rate=80 * servers, servers=servers, method="events", jobs=3000, keep=True)
    assert a.fingerprint == b.fingerprint != 0
    assert a.array.tobytes() == b.array.tobytes()


def test_the_recursion_has_no_events():
    run = dl.run(STATION, method="recursion", jobs=100)
    assert run.fingerprint is None and "fingerprint" not in run.provenance and "fingerprint" not in repr(run)
    assert not dl.sweep(STATION, method="recursion", jobs=100, reps=2).fingerprints.any()


def test_masked_rows_have_none():
    s = dl.sweep(STATION, jobs=[10, 10_000], reps=1, budget={"steps": 100}, errors="mask", method="events")
    assert [f["point"] for f in s.failures] == [1]
    assert s.fingerprints[0].all() and not s.fingerprints[1].any()


def test_fingerprints_are_saved(by_events, tmp_path):
    again = dl.load(by_events.save(tmp_path / "sweep.npz"))
    np.testing.assert_array_equal(again.fingerprints, by_events.fingerprints)
    run = by_events.replay(0, 0)
    assert dl.load(run.save(tmp_path / "run.npz")).fingerprint == run.fingerprint


def test_series_on_given_times_are_run_in_blocks_with_the_same_fingerprints(by_events):
    cut = dl.sweep(
        STATION, arrival_rate=[50, 90], reps=7, method="events", jobs=500, threads=1,
        keep={"queue_length": [0.1, 0.2]},
    )  # fmt: skip
    np.testing.assert_array_equal(cut.fingerprints, by_events.fingerprints)


# Recorded and replayed


def same(a, b):
    return a.array.tobytes() == b.array.tobytes() and a.fingerprint == b.fingerprint


def test_a_recorded_run_is_the_same_run_and_replays():
    for seed in range(40):
        given = {"letters": 4, "attempts": 3, "loss": 0.4, "seed": seed}
        plain, noted = dl.run(LETTERS, **given), dl.run(LETTERS, record=True, **given)
        assert same(plain, noted) and plain.choices is None
        again = dl.run(LETTERS, choices=noted.choices, **given)
        assert same(again, plain) and again.choices == noted.choices and again.skipped == 0
        loud = [c for c in noted.choices if c.startswith("coin")]
        assert len(loud) == plain.sent - plain.answered  # each attempt but the answered lost one coin
        # The list decides, not the seed: only what is no coin is drawn from it.
        other = dl.run(LETTERS, choices=noted.choices, **given | {"seed": seed + 1000})
        assert other.fingerprint == plain.fingerprint and other.noise != plain.noise


def test_an_empty_list_is_the_quiet_run():
    run = dl.run(LETTERS, choices="", letters=5, loss=0.9)
    assert (run.answered, run.sent, run.unknown, run.skipped) == (5, 5, 0, 0)
    assert list(run.choices) == [f"deliver:{k}" for k in range(5)]


def test_entries_not_on_offer_are_passed_over_and_counted():
    run = dl.run(LETTERS, choices="deliver:1,deliver:7,deliver:0,deliver:9", letters=2)
    assert list(run.choices) == ["deliver:1", "deliver:0"] and run.skipped == 2


def test_shrinking_is_deleting():
    """From a run with unknown outcomes to the shortest list that still shows one."""
    given = {"letters": 6, "attempts": 2, "loss": 0.5, "seed": 3}
    run = dl.run(LETTERS, record=True, **given)
    assert run.unknown > 0
    choices, k = run.choices, 0
    while k < len(choices):
        shorter = choices.without(k)
        if dl.run(LETTERS, choices=shorter, **given).unknown > 0:
            choices = shorter
        else:
            k += 1
    # An answer lost in each of the two attempts; the events go by themselves.
    assert [c.partition(":")[0] for c in choices if c.startswith("coin")] == ["coin.1", "coin.1"]
    assert len(choices) <= 4 and dl.run(LETTERS, choices=choices, **given).unknown == 1


def test_a_replayed_run_is_saved_and_replayed(tmp_path):
    run = dl.run(LETTERS, choices="deliver:1,coin.1:10000,deliver:7")
    again = dl.load(run.save(tmp_path / "run.npz"))
    assert (again.choices, again.skipped, again.fingerprint) == (run.choices, 1, run.fingerprint)
    assert same(again.replay(), run) and again.replay().choices == run.choices
    assert dl.load(dl.run(LETTERS).save(tmp_path / "plain.npz")).choices is None


# The list itself


def test_choices_are_a_list_with_a_text():
    text = "deliver:3f2a,coin.1:3f,coin.16:0-,timer:10002,77:ff"
    c = dl.Choices(text)
    assert len(c) == 5 and str(c) == text and c.text.split("\n") == text.split(",")
    assert c == dl.Choices(c.array) == dl.Choices(list(c)) == dl.Choices(c.text) == dl.Choices(c)
    assert c[0] == "deliver:3f2a" and c[-1] == "77:ff" and str(c[1:3]) == "coin.1:3f,coin.16:0-"
    assert str(c.without(0)) == str(c[1:]) and str(c.without([0, -1])) == str(c[1:-1])
    assert c.without(slice(0, 3)) == c[3:] and c[:2] + c[2:] == c and len({c, dl.Choices(c)}) == 1
    assert pickle.loads(pickle.dumps(c)) == c
    assert c.array[0] == _core.CHOICE_KINDS.index("deliver") << 56 | 0x3F2A
    assert c.array[1] - 1 == c.array[1] & ~np.uint64(1)  # loud is the lowest bit
    assert len(repr(dl.Choices(["deliver:1"] * 1000))) <= 100
    assert len(dl.Choices()) == 0 and str(dl.Choices("")) == ""


@pytest.mark.parametrize("kind", range(1, 256))
def test_every_kind_survives_its_text(kind):
    rng = np.random.default_rng(kind)
    array = np.uint64(kind << 56) | rng.integers(0, 2**56, 50, dtype=np.uint64)
    np.testing.assert_array_equal(dl.Choices(str(dl.Choices(array))).array, array)


@pytest.mark.parametrize(
    ("bad", "kind", "part"),
    [
        ("delver:1", ValueError, "did you mean 'deliver'"),
        ("deliver", ValueError, "looks like deliver:3f2a"),
        ("deliver:xyz", ValueError, "looks like"),
        ("none:1", ValueError, "no kind"),
        ("256:1", ValueError, "no kind"),
        ("coin:1", ValueError, "coin.DECIDES:ABOUT"),
        ("deliver.1:1", ValueError, "deliver:WHAT"),
        ("deliver:1-", ValueError, "deliver:WHAT"),
        ("deliver:100000000000000", ValueError, "ffffffffffffff"),
        ("coin.256:1", ValueError, "0 to 255"),
        ([1, 2], TypeError, "an entry is text"),
        (3.5, TypeError, "not 3.5"),
        (np.zeros(3), TypeError, "uint64 array"),
    ],
)
def test_texts_that_are_no_choices(bad, kind, part):
    with pytest.raises(kind, match="choices") as error:
        dl.run(LETTERS, choices=bad)
    assert part in str(error.value)


def test_a_list_with_its_end_missing_warns():
    with pytest.warns(dl.DistlabWarning, match="incomplete"):
        dl.run(LETTERS, choices=dl.Choices("deliver:1", incomplete=True))


# Asking


def test_somebody_is_asked_for_every_choice():
    seen = []

    def ask(options):
        seen.append(options)
        return len(options) - 1

    run = dl.run(LETTERS, ask=ask)
    assert seen[0] == ["deliver 0", "deliver 1"]
    assert seen[1] == [
        "coin 1 about 10000: quiet (probability 0.8)",
        "coin 1 about 10000: loud (probability 0.2)",
    ]
    # The last option is the loudest: everything is lost.
    assert (run.sent, run.delivered, len(seen)) == (4, 0, 8) and run.skipped is None
    assert same(dl.run(LETTERS, choices=run.choices), run) and same(run.replay(), run)


def test_asking_and_drawing_agree_when_the_answers_do():
    drawn = dl.run(LETTERS, record=True, letters=3, loss=0.5, seed=9)
    left = list(drawn.choices)

    def ask(options):
        if options[0].startswith("deliver"):
            return [o.replace(" ", ":") for o in options].index(left.pop(0))
        about = options[1].split()[3].rstrip(":")
        loud = bool(left) and left[0] == f"coin.1:{about}"
        return left.pop(0) and 1 if loud else 0

    asked = dl.run(LETTERS, ask=ask, letters=3, loss=0.5, seed=9)
    assert not left and same(asked, drawn) and asked.choices == drawn.choices


def test_none_ends_the_run_and_nobody_is_asked_again():
    answers = [1, 0, 0, None]
    run = dl.run(LETTERS, ask=lambda options: answers.pop(0), letters=5)
    assert not answers and run.sent == 1 and list(run.choices) == ["deliver:1"]


@pytest.mark.parametrize(
    ("ask", "kind", "part"),
    [
        (lambda o: 1 / 0, ZeroDivisionError, "division"),
        (lambda o: 2, ValueError, "from 0 to 1.* not 2"),
        (lambda o: -1, ValueError, "not -1"),
        (lambda o: 10**30, ValueError, "from 0 to 1"),
        (lambda o: "0", TypeError, "index from 0 to 1"),
        (lambda: 0, TypeError, "positional"),
        (7, TypeError, "ask must be a function"),
    ],
)
def test_answers_that_do_not_do(ask, kind, part):
    with pytest.raises(kind, match=part):
        dl.run(LETTERS, ask=ask)


def test_an_exception_ends_a_long_run_soon():
    calls = []

    def ask(options):
        calls.append(options)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dl.run(LETTERS, ask=ask, letters=20, attempts=100)
    assert len(calls) == 1


def test_interrupted_while_somebody_thinks():
    def ask(options):
        signal.raise_signal(signal.SIGINT)
        return 0

    with pytest.raises(KeyboardInterrupt):
        dl.run(LETTERS, ask=ask)


def test_nothing_is_left_behind():
    def ask(options):
        held.append(sys.getrefcount(options))
        raise LookupError("enough")

    held, choices = [], dl.Choices("deliver:1,coin.1:10000")
    before = sys.getrefcount(ask), sys.getrefcount(choices.array)
    for _ in range(50):
        with pytest.raises(LookupError):
            dl.run(LETTERS, ask=ask)
        dl.run(LETTERS, choices=choices)
        dl.enumerate(LETTERS)
    assert (sys.getrefcount(ask), sys.getrefcount(choices.array)) == before and len(set(held)) == 1


def test_a_run_inside_an_answer():
    inner = []

    def ask(options):
        inner.append(dl.run(LETTERS, ask=lambda o: 0).answered)
        return 0

    assert dl.run(LETTERS, ask=ask).answered == 2 and set(inner) == {2}


def test_people_in_several_threads():
    out = {}

    def play(k):
        out[k] = dl.run(LETTERS, ask=lambda options: k % len(options), letters=20).fingerprint

    threads = [threading.Thread(target=play, args=(k,)) for k in (0, 1, 0, 1)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert out[0] != out[1] and out[0] == dl.run(LETTERS, choices="", letters=20).fingerprint


def test_choices_are_for_one_run():
    with pytest.raises(dl.UnknownNameError, match="choices is an argument of dl.run"):
        dl.sweep(LETTERS, choices="deliver:1")
    with pytest.raises(TypeError, match="exclude each other"):
        dl.run(LETTERS, choices="", ask=lambda options: 0)
    with pytest.raises(TypeError, match="record must be True or False"):
        dl.run(LETTERS, record=1)
    rows = np.repeat(np.asarray(_core.defaults(LETTERS)).reshape(1), 2)
    with pytest.raises(ValueError, match="choices belong to one run, not to 2 rows"):
        _core.sweep(LETTERS, rows, probe.keys(2), record=True)


# Every way


def unknown_outcomes(letters, attempts, loss):
    """Nobody answered, though one of the attempts arrived: independent attempts of independent letters."""
    return letters * ((1 - (1 - loss) ** 2) ** attempts - loss**attempts)


@pytest.mark.parametrize("loss", [0.1, 0.5, 0.93])
@pytest.mark.parametrize(("letters", "attempts"), [(1, 1), (2, 2), (1, 8), (3, 3)])
def test_expectations_are_those_of_the_closed_form(letters, attempts, loss):
    walk = dl.enumerate(LETTERS, letters=letters, attempts=attempts, loss=loss)
    assert walk.expect("unknown") == pytest.approx(unknown_outcomes(letters, attempts, loss), rel=1e-12)
    assert walk.expect("delivered") == pytest.approx(letters * (1 - loss**attempts), rel=1e-12)
    # A letter is lost, or its answer is, or neither: at most three ways for each attempt.
    one = 1 + 2 * sum(2**k for k in range(attempts)) if attempts < 2 else None
    assert one is None or len(walk) == one**letters
    assert abs(walk.weights.sum() - 1) < 1e-12


def test_outcomes_are_binomial():
    walk = dl.enumerate(LETTERS, letters=3, attempts=1, loss=0.25)
    table = walk.outcomes(by="delivered")
    assert table.dtype.names == ("delivered", "probability")
    expected = [0.25**3, 3 * 0.75 * 0.25**2, 3 * 0.75**2 * 0.25, 0.75**3]
    np.testing.assert_allclose(table["probability"], expected, rtol=1e-12)
    both = walk.outcomes(["delivered", "answered"])
    assert len(both) == 10 and both["probability"].sum() == pytest.approx(1)
    frame = walk.frame(["delivered"])
    assert list(frame.columns) == ["delivered", "probability"] and len(frame) == 4
    # A column without a value in some run (nobody tried) is an outcome of its own, and has no expectation.
    tries = walk.outcomes("tries")
    assert np.isnan(tries["tries_mean"][-1]) and np.isnan(walk.expect("tries"))
    assert tries["probability"][-1] == pytest.approx((1 - 0.75**2) ** 3)


def test_expectations_agree_with_sampling():
    walk = dl.enumerate(LETTERS, letters=2, attempts=3, loss=0.3)
    s = dl.sweep(LETTERS, letters=2, attempts=3, loss=0.3, reps=4000)
    for column in ("unknown", "sent", "answered"):
        about = s.stats(column)
        assert abs(about["mean"] - walk.expect(column)) <= 4 * about["se"]


def test_every_run_of_the_walk_replays():
    walk = dl.enumerate(LETTERS, loss=0.3, seed=4)
    assert len(np.unique(walk.fingerprints)) == len(walk)
    for k in range(len(walk)):
        run = walk.replay(k)
        assert run.array.tobytes() == walk.metrics[k].tobytes()
        assert run.fingerprint == walk.fingerprints[k] and run.choices == walk.choices(k)
    assert list(walk.choices(0)) == ["deliver:0", "deliver:1"]


def test_a_model_without_coins_has_one_run():
    walk = dl.enumerate(STATION, jobs=50)
    assert len(walk) == 1 and walk.weights.tolist() == [1.0]
    assert walk.expect("latency") == dl.run(STATION, jobs=50).latency_mean
    assert walk.outcomes().tolist() == [(1.0,)]


def test_walks_show_themselves():
    for walk in (dl.enumerate(LETTERS), dl.enumerate(STATION, jobs=20)):
        assert len(repr(walk)) <= 100 and len(walk._repr_html_()) <= 8000
        assert max(map(len, walk.summary().split("\n"))) <= 100
    assert "0.4096" in dl.enumerate(LETTERS)._repr_html_()
    assert "0.1792" in dl.enumerate(LETTERS).summary()


def test_walks_that_are_too_long():
    with pytest.raises(dl.BudgetError, match="more than 48 ways"):
        dl.enumerate(LETTERS, runs_max=48)
    assert len(dl.enumerate(LETTERS, runs_max=49)) == 49
    with pytest.raises(dl.BudgetError, match="more than 64 coins"):
        dl.enumerate(LETTERS, letters=20, attempts=100, loss=0.5)
    with pytest.raises(dl.BudgetError, match="bytes"):
        dl.enumerate(LETTERS, letters=3, attempts=3, budget={"total": 10_000})
    with pytest.raises(ValueError, match="way [0-9]+: .*outcomes are unknown"):
        dl.enumerate(LETTERS, insist=True)
    with pytest.raises(ValueError, match="runs_max = 0 is outside 1"):
        dl.enumerate(LETTERS, runs_max=0)
    with pytest.raises(TypeError, match="one value in dl.enumerate"):
        dl.enumerate(LETTERS, loss=[0.1, 0.2])


def test_a_token_stops_a_walk():
    token = dl.Token()
    threading.Timer(0.05, token.cancel).start()
    with pytest.raises(dl.Cancelled):
        dl.enumerate(LETTERS, letters=20, attempts=1, runs_max=100_000_000, token=token)


def test_arguments_of_calls_are_reserved_words():
    """Else a parameter of that name could not be set."""
    words = set()
    for call in (dl.run, dl.sweep, dl.enumerate):
        words |= set(inspect.signature(call).parameters) - {"model", "axes", "params"}
    assert words <= RESERVED and {"choices", "record", "ask", "runs_max"} <= words
    for model in dl.models():
        assert not RESERVED & set(model.fields.names), model.name


@pytest.mark.parametrize("name", ["links.rpc_ambiguity", "consensus.raft"])
def test_answers_that_let_no_time_pass_are_ended_by_a_budget_or_by_none(name):
    asked = []

    def again_and_again(options):
        asked.append(options[-1])
        return len(options) - 1 if len(asked) < 100_000 else pytest.fail("nobody ended it")

    with pytest.raises(dl.BudgetError, match="the budget of 20000 steps is spent"):
        dl.run(name, ask=again_and_again, budget={"steps": 20_000})
    assert 500 < len(asked) <= 20_001 and len(set(asked[-50:])) <= 2  # one node crashes and restarts
    answers = itertools.chain(itertools.repeat(-1, 1000), [None])
    run = None
    try:
        run = dl.run(name, ask=lambda options: None if (k := next(answers)) is None else len(options) + k)
    except dl.Cancelled:
        pass  # this model cannot end early
    assert next(answers, "all") == "all" and (run is None or len(run.choices) > 900)
