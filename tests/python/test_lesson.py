"""distlab.lesson without a notebook: what is refused, what is graded, what is kept, what is drawn."""

import json
import re
import threading

import numpy as np
import pytest

import distlab as dl
from distlab.lesson import Check, Guess, Lesson, _page, _predict, _sources, _store, _system, start

pytest.importorskip("matplotlib")

CURVES = {"A": ("flat", lambda x: 1 + 0 * x), "B": ("up", lambda x: x), "C": ("down", lambda x: 10 - x),
          "D": ("hump", lambda x: x * (10 - x))}  # fmt: skip


@pytest.fixture
def shown(monkeypatch, tmp_path):
    """What the lesson would put on the page; nobody is there."""
    monkeypatch.chdir(tmp_path)
    for name in ("DISTLAB_LIVE", "DISTLAB_FAST", "DISTLAB_BOOK", "DISTLAB_LEARNER", "DISTLAB_PREDICTIONS"):
        monkeypatch.delenv(name, raising=False)
    bodies = []
    monkeypatch.setattr(_page, "show", bodies.append)
    return bodies


@pytest.fixture
def lesson(shown):
    return Lesson("L00.01")


@pytest.fixture
def live(shown, monkeypatch):
    """A person sits there, without ipywidgets."""
    monkeypatch.setenv("DISTLAB_LIVE", "1")
    return shown


def ask(lesson, **more):
    how = {"x": ("load (%)", np.linspace(0, 10, 11)), "y": "delay (ms)", "curves": CURVES, "right": "B",
           "interval": "the delay at load 5", "unit": "ms", "sample": ("A", 1, 2)}  # fmt: skip
    return lesson.predict("What happens?", **how | more)


def paint(ax, guess):
    ax.plot([0, 10], [0, 10])
    guess.bar(ax, 5, 0.4, label=(2, 8))
    guess.band(ax, 1)
    guess.span(ax, 9)
    ax.set_xlabel("load (%)")
    ax.set_ylabel("delay (ms)")


# header and texts


def test_header_names_level_terms_and_decision(shown):
    lesson = start("L00.02", decide="whether to **sign**")
    (header,) = shown
    assert "beginner" in header and "35 min" in header and "whether to <strong>sign</strong>" in header
    assert "Run, sweep, plot" in header
    for key in lesson.entry["terms"]:
        assert f">{_sources.term(key)['name']}</abbr>" in header
    assert '<abbr title="' in header


def test_unknown_lesson_names_the_nearest():
    with pytest.raises(KeyError, match=r"did you mean 'L00"):
        Lesson("L00.0l")


@pytest.mark.parametrize(("step", "limit"), [("incident", 80), ("why", 120)])
def test_long_texts_are_refused(lesson, step, limit):
    def call(n):
        text = "word " * n
        return lesson.incident(text) if step == "incident" else lesson.why(text, "a = b")

    call(limit)
    assert lesson.words[step] == limit
    with pytest.raises(ValueError, match=f"{limit} is the limit"):
        call(limit + 1)


def test_numbers_are_rendered_and_escaped(lesson, shown):
    lesson.say("at {load:.0f} % **{name}** costs `{x}`", load=90.4, name="<b>", x=1)
    assert shown[-1] == "<p>at 90\u00a0% <strong>&lt;b&gt;</strong> costs <code>1</code></p>"
    with pytest.raises(KeyError, match="known values: load"):
        lesson.say("{laod}", load=1)


def test_recall_replies_to_every_option(lesson, shown):
    lesson.recall("Why?", {"so": "because", "no": "never"}, answer="so")
    assert shown[-1].count("<details>") == 2 and "✓ because" in shown[-1] and "✗ never" in shown[-1]
    with pytest.raises(ValueError, match="not among"):
        lesson.recall("Why?", {"so": "because"}, answer="perhaps")


def test_fast_picks_the_size(lesson, monkeypatch):
    assert lesson.fast(100, 5) == 100
    monkeypatch.setenv("DISTLAB_FAST", "1")
    assert lesson.fast(100, 5) == 5


# prediction


def test_page_without_a_reader_folds_the_reveal_and_labels_the_sample(lesson, shown):
    p = ask(lesson)
    assert "sample guess" in shown[-1] and shown[-1].count("data:image/png") == 1
    p.reveal(
        paint, truth=5.0, caption="it is {v:.1f} ms", v=5.0, about="{held:.0f} of 100.", such=[1, 1.5, 3, 4]
    )
    body = shown[-1]
    assert (
        body.startswith("<details>") and "it is 5.0 ms" in body and "outside the interval. 50 of 100." in body
    )
    assert "The sample guess: curve A" in body
    p.feedback(dict.fromkeys(CURVES, "because {v}"), v=3)
    assert shown[-1].count("If you chose") == 4 and "because 3" in shown[-1]
    assert _store.load() == []


def test_nothing_is_shown_before_a_commit(live, shown):
    lesson = Lesson("L00.01")
    p = ask(lesson)
    shown.clear()
    p.reveal(paint, truth=5.0, caption="secret")
    p.feedback(dict.fromkeys(CURVES, "secret"))
    lesson.say("secret")
    lesson.why("secret", "secret")
    lesson.check("secret", 1, 1, se=1)
    lesson.see(lambda ax: None, "secret")
    lesson.diagrams("see", {"secret": traced()})
    assert all("Commit to a guess first" in body and "secret" not in body for body in shown)
    p.commit("C", 4, 6)
    p.reveal(paint, truth=5.0, caption="the answer")
    assert "the answer" in shown[-1] and "Your guess: curve C, 4 to 6 ms. Measured: 5 ms, inside" in shown[-1]
    assert "<details>" not in shown[-1]
    p.feedback(dict.fromkeys(CURVES, "reply"))
    assert "You chose <b>C</b>" in shown[-1]


def traced():
    return dl.run("links.rpc_ambiguity", calls=1, trace=True)


def test_diagrams_stand_one_under_another(lesson, shown):
    lesson.diagrams("break", {"one & all": traced(), "two": traced()}, start=0, stop=0.01, height=200)
    (body,) = shown
    assert body.count("<iframe") == 2 and body.count("height:200px") == 2
    assert body.index("one &amp; all") < body.index("<iframe") < body.index("two</p>")
    assert lesson.steps == ["break"]


def test_panels_may_stand_in_rows(lesson):
    places = []
    lesson.see(lambda axes: places.extend(ax.get_subplotspec() for ax in axes), "four", panels=(2, 2))
    assert [(p.rowspan.start, p.colspan.start) for p in places] == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_first_commit_counts_and_is_stored(live):
    p = ask(Lesson("L00.01"))
    p.commit("C", 4, 6)
    p.commit("B", 1, 2)
    assert (p.guess.choice, p.guess.low, p.guess.high, p.guess.sample) == ("C", 4.0, 6.0, False)
    p.reveal(paint, truth=7.0, caption="x")
    (entry,) = _store.load()
    assert (entry["lesson"], entry["choice"], entry["right"], entry["truth"]) == ("L00.01", "C", "B", 7.0)


BAD_GUESSES = [
    ("E", 1, 2), ("", 1, 2), (None, 1, 2), ("A", 2, 2), ("A", 3, 1), ("A", 1, np.nan), ("A", 1, np.inf),
    ("A", -1, 2), ("A", 1, 101),
]  # fmt: skip


@pytest.mark.parametrize("guess", BAD_GUESSES)
def test_a_bad_commit_is_refused(live, guess):
    p = ask(Lesson("L00.01"), low=0, high=100)
    with pytest.raises(ValueError):
        p.commit(*guess)
    assert p.committed is None


def test_a_prediction_has_four_curves_and_four_replies(lesson):
    with pytest.raises(ValueError, match="4 curves"):
        ask(lesson, curves={"A": CURVES["A"]})
    with pytest.raises(ValueError, match="right"):
        ask(lesson, right="Z")
    with pytest.raises(ValueError, match="one reply for each"):
        ask(lesson).feedback({"A": "x"})


def test_the_picture_is_painted_when_its_cell_runs_and_the_guess_later(live):
    """A later cell may change what the picture was made of."""
    p = ask(Lesson("L00.01"))
    seen = []
    p.reveal(lambda ax, guess: (paint(ax, guess), seen.append(True)), truth=5.0, caption="x")
    assert seen == [True, True]  # page and slide
    p.commit("A", 4, 6)
    assert len(seen) == 2


def test_holders_are_filled_by_the_commit(shown, monkeypatch):
    tools = pytest.importorskip("ipywidgets")
    import IPython.display

    displayed = []
    monkeypatch.setenv("DISTLAB_LIVE", "1")
    monkeypatch.setattr(_page, "widgets", lambda: tools)
    monkeypatch.setattr(IPython.display, "display", displayed.append)
    lesson = Lesson("L00.01")
    p = ask(lesson)
    p.reveal(paint, truth=5.0, caption="the answer")
    (form, holder) = displayed
    assert "Commit to a guess first" in holder.value
    pick, row, status = form.children
    low, high, button = (row.children[k] for k in (1, 3, 5))
    button.click()
    assert status.value == "The interval needs two numbers."
    low.value, high.value = "4", "6,5"
    button.click()
    assert "choose one of the curves" in status.value
    pick.value = "B"
    button.click()
    assert "Committed" in status.value and button.disabled and p.guess.high == 6.5
    assert "the answer" in holder.value and "data:image/png" in holder.value


def test_predictions_file(shown, monkeypatch, tmp_path):
    entry = {"lesson": "L00.01", "question": "q", "low": 1, "high": 2, "truth": 1.5}
    assert _store.save(entry).name == "predictions.json"
    _store.save(entry | {"low": 0})
    _store.save(entry | {"question": "r"})
    assert [(e["question"], e["low"]) for e in _store.load()] == [("q", 0), ("r", 1)]
    _store.place().write_text("{broken")
    assert _store.load() == []
    _store.place().write_text(json.dumps({"predictions": [3, {"lesson": "x"}, entry]}))
    assert _store.load() == [entry]
    monkeypatch.setenv("DISTLAB_PREDICTIONS", "off")
    assert _store.save(entry) is None and _store.load() == []
    monkeypatch.setenv("DISTLAB_PREDICTIONS", str(tmp_path / "deep" / "mine.json"))
    assert _store.save(entry) == tmp_path / "deep" / "mine.json"


def test_calibration_counts_the_chapter(lesson, shown):
    lesson.calibration()
    assert "No prediction" in shown[-1]
    for k, low in enumerate((1, 2, 30)):
        _store.save({"lesson": f"L00.0{k + 1}", "low": low, "high": low + 10, "truth": 5.0})
    _store.save({"lesson": "L01.01", "low": 0, "high": 1, "truth": 5.0})
    lesson.calibration()
    assert "% intervals held 2 of 3" in shown[-1]
    assert lesson.figures[-1]["axes"] == [{"x": "your interval (multiples of the measured answer)",
                                           "y": "prediction (lesson)"}]  # fmt: skip


def test_guess_holds():
    guess = Guess("A", 1, 2)
    assert list(guess.holds([0.9, 1, 2, 2.1])) == [False, True, True, False]


# grading


@pytest.mark.parametrize(("measured", "ok"), [(10.0, True), (10.29, True), (10.31, False), (np.nan, False)])
def test_check_is_a_z_test(measured, ok):
    check = Check("mean", 10.0, measured, se=0.1, unit="ms")
    assert check.ok is ok
    assert ("✓ holds" if ok else "✗ fails") in check.body()


def test_check_of_many_points_allows_each_a_little_more():
    assert not Check("x", np.zeros(10), [0] * 9 + [3.7], se=1).ok
    assert Check("x", np.zeros(10), [0] * 9 + [3.3], se=1).ok
    assert not Check("x", 0, 3.3, se=1).ok
    assert "the worst of 10" in Check("x", np.zeros(10), [0] * 9 + [3.3], se=1).body()


def test_check_by_tolerance():
    assert Check("x", 200, 201.9, tolerance=0.01).ok and not Check("x", 200, 202.1, tolerance=0.01).ok
    assert Check("exact", 3, 3, se=0).ok and not Check("exact", 3, 3.001, se=0).ok
    for wrong in ({}, {"se": 1, "tolerance": 1}):
        with pytest.raises(ValueError, match="either se= "):
            Check("x", 1, 1, **wrong)


def exercise(lesson):
    return lesson.exercise("decide", "load {load}", task=lambda rng: {"load": int(rng.integers(1000))},
                           grade=lambda answer, seed, load: [(answer > load, f"{answer:g} > {load}")],
                           hints=["think", "load is {load}"], unit="runs")  # fmt: skip


def test_exercise_grades_and_takes_anything(lesson, shown):
    made = exercise(lesson)
    assert f"load {made.task.load}" in shown[-1] and "Hint 2" in shown[-1]
    assert made.answer(None).ok is None and "None" in repr(made.verdict)
    assert made.answer(5000).ok is True and bool(made.verdict)
    assert made.answer(-1).ok is False
    for odd in ("many", [1, 2], np.nan, np.inf, object()):
        assert made.answer(odd).ok is False
    assert lesson.report()["exercises"]["decide"]["ok"] is False


def test_an_exercise_may_read_words(lesson, shown):
    made = lesson.exercise("word", "?", task=lambda rng: {"word": "yes"}, read=str.lower, hints=["think"],
                           grade=lambda answer, seed, word: [(answer == word, answer)])  # fmt: skip
    assert "put your answer" in repr(made.answer(None)) and "✓ yes" in repr(made.answer("YES"))
    assert (made.answer("YES").ok, made.answer("no").ok, made.answer(1).ok) == (True, False, False)


def test_exercise_varies_with_the_learner(lesson, monkeypatch):
    same = {exercise(lesson).task.load for _ in range(3)}
    seeds = {exercise(lesson)._seed}
    others = set()
    for name in ("ana", "ben", "eva", "kim"):
        monkeypatch.setenv("DISTLAB_LEARNER", name)
        made = exercise(lesson)
        others.add(made.task.load)
        seeds.add(made._seed)
    assert len(same) == 1 and len(others - same) >= 3 and len(seeds) == 5


def knob(lesson, measure=None):
    return lesson.knob(
        "at least 9",
        values=[1, 2, 3, 4, 5],
        start=1,
        limit=9,
        x="turns (count)",
        y="output (ms)",
        measure=measure or (lambda values, seed, token=None: np.asarray(values) ** 2.0),
        met=lambda v, y, best: [(y >= 9, f"{y:g}"), (v < 5, "cheap")],
    )


def test_knob_without_a_kernel_shows_the_sweep(lesson, shown):
    made = knob(lesson)
    assert made.solutions() == [3, 4] and "Met at 3 to 4." in shown[-1] and "data:image/png" in shown[-1]
    assert made.grade(4).ok is True and made.grade(5).ok is False and made.grade(2).ok is False


def test_knob_cancels_the_run_before(lesson):
    started, finished = [], []

    def measure(values, seed, token=None):
        if token is not None:
            from distlab import Cancelled

            started.append(values[0])
            for _ in range(500):
                if token.cancelled:
                    raise Cancelled("stopped")
                if values[0] == 4:
                    break
                threading.Event().wait(0.01)
            finished.append(values[0])
        return np.asarray(values) ** 2.0

    made = knob(lesson, measure)
    made.image, made.status = (type("Holder", (), {"value": None})() for _ in range(2))
    threads = []
    for value in (1, 2, 3, 4):
        made._moved({"new": value})
        threads.append(made._thread)
    for thread in threads:
        thread.join(10)
    assert len(started) == 4 and finished == [4.0]
    assert made.image.value.startswith(b"\x89PNG") and "That works" in made.status.value


def test_knob_reports_an_error_of_its_run(lesson):
    def measure(values, seed, token=None):
        if token is not None:
            raise RuntimeError("out of <luck>")
        return np.asarray(values) * 1.0

    made = knob(lesson, measure)
    made.image, made.status = (type("Holder", (), {"value": None})() for _ in range(2))
    made._moved({"new": 2})
    made._thread.join(10)
    assert "RuntimeError: out of &lt;luck&gt;" in made.status.value and made.image.value is None


# system, next, page


def test_settings_are_rendered_as_vendors_spell_them(lesson, shown):
    lesson.in_your_system("queueing.station.servers", "call.reps", text="Names:")
    assert "<code>maxThreads</code>" in shown[-1] and "hyperfine" in shown[-1]
    with pytest.raises(KeyError, match="queueing.station.color"):
        lesson.in_your_system("queueing.station.color")


@pytest.mark.filterwarnings("ignore::distlab.DistlabWarning")  # so few samples
def test_samples_from_a_file(lesson, shown, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("when,ms\n1,5\n2,15\n3,oops\n4,-1\n5,10\n")
    mine = lesson.load_samples(path, column="ms", unit="ms")
    assert mine.mean == pytest.approx(0.010) and "3 values" in shown[-1] and "(2 rows left out)" in shown[-1]
    path.write_text("0.5\n1.5\n")
    assert lesson.load_samples(path).mean == pytest.approx(1.0)


@pytest.mark.parametrize(("text", "column", "says"), [
    ("", None, "empty"), ("a,b\n1,2\n2,3\n", "c", "it has a, b"), ("1,2\n3,4\n", "a", "no column"),
    ("a\nx\n", "a", "two are needed"), ("1\n2\n", 3, "columns 0 to 0"),
])  # fmt: skip
def test_a_bad_file_is_named(lesson, tmp_path, text, column, says):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=re.escape("t.csv")) as caught:
        lesson.load_samples(path, column=column)
    assert says in str(caught.value)


def test_samples_by_default_are_generated_and_say_so(lesson, shown):
    mine = lesson.load_samples("nowhere.csv", column="ms", unit="ms")
    assert mine.mean == pytest.approx(_system.default_samples().mean())
    assert "generated service times" in shown[-1] and "nowhere.csv" in shown[-1]


def test_next_links_and_exports_a_slide(lesson, shown):
    p = ask(lesson)
    with pytest.raises(ValueError, match="reveal first"):
        lesson.next(slide="Title")
    p.reveal(paint, truth=5.0, caption="x")
    lesson.next(slide="Title")
    assert "Can you trust a simulator?" in shown[-1] and 'download="L00.01.png"' in shown[-1]


def test_limits_fold_the_model_answer(lesson, shown):
    lesson.limits("When?", "Never on {day}.", day="Sunday")
    assert "Write one sentence first" in shown[-1]
    assert "<summary>Compare with a model answer</summary><div><p>Never on Sunday.</p>" in shown[-1]


def test_pages_need_no_network(lesson, shown):
    ask(lesson).reveal(paint, truth=5.0, caption="x")
    knob(lesson)
    lesson.in_your_system("queueing.station.servers")
    for body in shown:
        page = _page.page(body)
        assert "http" not in page and "<script" not in page and "url(" not in page
    assert "prefers" not in _page.CSS and "color:inherit" in _page.CSS


def test_an_exported_page_is_alone_and_shows_experiments_only():
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("nbconvert")
    from distlab.lesson import page

    hidden = nbformat.v4.new_code_cell("lesson.secret()", metadata={"tags": ["hide-input"]})
    hidden.outputs = [nbformat.v4.new_output("display_data", {"text/html": _page.page("<p>seen</p>")})]
    html = page(nbformat.v4.new_notebook(cells=[hidden, nbformat.v4.new_code_cell("dl.run()")]))
    assert "secret" not in html and "<p>seen</p>" in html and "run" in html
    assert not re.search(r"(src|href)=.https?:|import.{1,60}https?:", html)


def test_links_lead_from_page_to_page_in_a_book(shown, monkeypatch):
    monkeypatch.setenv("DISTLAB_BOOK", "1")
    start("L00.02", decide="x")
    assert 'href="01_run_sweep_plot.html"' in shown[-1]


def test_person(monkeypatch):
    for name in ("DISTLAB_LIVE", "DISTLAB_FAST", "DISTLAB_BOOK"):
        monkeypatch.delenv(name, raising=False)
    kernel = type("Kernel", (), {"_allow_stdin": True})()
    monkeypatch.setattr(_page, "shell", lambda: type("Shell", (), {"kernel": kernel})())
    assert _page.person()
    kernel._allow_stdin = False  # nbclient and nbconvert
    assert not _page.person()
    kernel._allow_stdin = True
    monkeypatch.setenv("DISTLAB_BOOK", "1")
    assert not _page.person()
    monkeypatch.setenv("DISTLAB_LIVE", "1")
    assert _page.person()
    monkeypatch.setattr(_page, "shell", lambda: None)
    assert _page.widgets() is None


def test_report_is_plain_data(lesson):
    ask(lesson).reveal(paint, truth=5.0, caption="x")
    lesson.check("a", 1, 1, se=1)
    knob(lesson)
    exercise(lesson)
    report = json.loads(json.dumps(lesson.report()))
    assert report["id"] == "L00.01" and report["checks"][0]["ok"] is True
    assert report["steps"] == ["predict", "picture", "check", "knob", "decide"]
    assert {"x": "load (%)", "y": "delay (ms)"} in report["figures"][1]["axes"]
    assert _predict.REFUSAL
