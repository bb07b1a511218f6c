"""The lesson object: one method for each step of the anatomy, and a record of what happened for the tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from distlab import _style
from distlab.lesson import _figure, _grade, _page, _predict, _sources, _store, _system
from distlab.lesson._knob import Knob

INCIDENT_WORDS, WHY_WORDS = 80, 120


def start(name: str, decide: str) -> Lesson:
    """Open a lesson: shows its header and returns the object that has all its steps."""
    lesson = Lesson(name)
    lesson.header(decide)
    return lesson


class Lesson:
    """A lesson while it runs."""

    def __init__(self, name: str) -> None:
        self.entry = _sources.lesson(name)
        self.id: str = self.entry["id"]
        self.steps: list[str] = []
        self.checks: list[_grade.Check] = []
        self.exercises: dict[str, _grade.Exercise] = {}
        self.knobs: list[Knob] = []
        self.predictions: list[dict[str, Any]] = []
        self.figures: list[dict[str, Any]] = []
        self.words: dict[str, int] = {}
        self.prediction: _predict.Prediction | None = None
        self._waiting: list[tuple[Any, Callable[[], str]]] = []  # what is shown once the guess is in

    # what every step uses

    def step(self, name: str) -> None:
        """Remember that a step of the anatomy was reached."""
        if name not in self.steps:
            self.steps.append(name)

    def note(self, step: str, picture: _style.Picture) -> bytes:
        """Render a picture, and remember it with the labels of its axes."""
        self.step(step)
        png = picture.png()  # ticks exist only once drawn
        self.figures.append({"step": step, "caption": picture.caption, "axes": _figure.axes_of(picture)})
        return png

    def fast(self, full: Any, fast: Any) -> Any:
        """The size of a run: the second one where DISTLAB_FAST is set."""
        return fast if _page.flag("DISTLAB_FAST") else full

    def say(self, text: str, **numbers: Any) -> None:
        """A paragraph whose numbers come from results: `say("{cv:.0%} scatter", cv=...)`."""
        body = _page.paragraphs(text, **numbers)
        self.gated(lambda: body)

    def gated(self, render: Callable[[], str]) -> None:
        """Show now, or, while a person has not committed to the prediction, as soon as that is done."""
        if self.prediction is None or self.prediction.open:
            _page.show(render())
            return
        refusal = _page.box(_page.inline(_predict.REFUSAL), "blue")
        tools = _page.widgets()
        if tools is None:
            _page.show(refusal)
            return
        from IPython.display import display

        holder = tools.HTML(_page.page(refusal))
        self._waiting.append((holder, render))
        display(holder)

    def open_gate(self) -> None:
        """The prediction is on record: fill every place that waited for it."""
        waiting, self._waiting = self._waiting, []
        for holder, render in waiting:
            try:
                body = render()
            except Exception as error:  # noqa: BLE001, one bad cell must not keep the others shut
                body = _page.box(_page.inline(f"{type(error).__name__}: {error}"), "red")
            holder.value = _page.page(body)

    def draw(
        self,
        step: str,
        paint: Callable[..., Any],
        caption: str,
        size: tuple[float, float],
        panels: int | tuple[int, int],
        numbers: Mapping[str, Any],
    ) -> None:
        """A picture with its rendered caption."""
        text = _page.inline(caption, **numbers)
        picture = _figure.draw(paint, size=size, panels=panels, caption=_page.plain(text))
        png = self.note(step, picture)
        body = _page.image(png, picture.caption, 100 * size[0]) + f'<p class="dl-head">{text}</p>'
        self.gated(lambda: body)

    # 1 header, 2 incident, 3 recall

    def header(self, decide: str) -> None:
        """Level, minutes, needs, terms with their definitions, and what can be decided afterwards."""
        self.step("header")
        entry = self.entry
        facts = [
            f"{entry['level']}",
            f"{entry['minutes']} min",
            f"needs {self._links(entry['needs']) or 'nothing'}",
        ]
        terms = [_sources.term(key) for key in entry["terms"]]
        hover = [
            f'<abbr title="{_attribute(t["definition"])}">{_page.inline(t["name"])}</abbr>' for t in terms
        ]
        meanings = "".join(
            f"<p><b>{_page.inline(t['name'])}</b>: {_page.inline(t['definition'])}</p>" for t in terms
        )
        body = (
            f'<p class="dl-head">{_page.inline(entry["question"])}</p>'
            f'<p class="dl-row"><span>{entry["id"]}</span>'
            + "".join(f"<span>{f}</span>" for f in facts)
            + "</p>"
            f"<p>After this you can decide {_page.inline(decide)}.</p>"
            + _page.fold(f"Terms: {', '.join(hover)}", meanings)
        )
        _page.show(_page.box(body))

    def _links(self, names: Sequence[str]) -> str:
        out = []
        for name in names:
            entry = _sources.lesson(name)
            title = f"{name} {_page.inline(entry['title'])}"
            there = _sources.written(entry)
            out.append(f'<a href="{_sources.link(entry, self.entry)}">{title}</a>' if there else title)
        return ", ".join(out)

    def incident(self, text: str, **numbers: Any) -> None:
        """Somebody must choose now; at most 80 words."""
        self._short("incident", text, INCIDENT_WORDS)
        _page.show(_page.box(_page.paragraphs(text, **numbers), "red"))

    def _short(self, step: str, text: str, limit: int) -> None:
        count = _page.words(text)
        if count > limit:
            raise ValueError(f"{step} has {count} words; {limit} is the limit")
        self.step(step)
        self.words[step] = count

    def recall(self, question: str, options: Mapping[str, str], answer: str) -> None:
        """One question from earlier; every option opens its own reply at once."""
        if answer not in options:
            raise ValueError(f"the answer {answer!r} is not among the options")
        self.step("recall")
        folds = "".join(
            _page.fold(_page.inline(option), ("✓ " if option == answer else "✗ ") + _page.inline(reply))
            for option, reply in options.items()
        )
        _page.show(_page.box(f'<p class="dl-head">{_page.inline(question)}</p>{folds}'))

    # 4 predict, 5 see, 6 and 7 are methods of the prediction

    def predict(self, question: str, **how: Any) -> _predict.Prediction:
        """Ask for a curve and an interval; the returned prediction has `commit`, `reveal` and `feedback`."""
        self.step("predict")
        self.prediction = _predict.Prediction(self, question, **how)
        self.prediction.ask()
        return self.prediction

    def see(
        self,
        paint: Callable[..., Any],
        caption: str,
        size: tuple[float, float] = (7.0, 3.0),
        panels: int | tuple[int, int] = 1,
        **numbers: Any,
    ) -> None:
        """One run, looked at closely."""
        self.draw("see", paint, caption, size, panels, numbers)

    def diagrams(self, step: str, runs: Mapping[str, Any], **window: Any) -> None:
        """Space-time diagrams of runs to zoom and to click; `window` is as for `Trace.diagram`."""
        self.step(step)
        body = "".join(
            f'<p class="dl-head">{_page.inline(name)}</p>{run.trace.diagram(**window)._repr_html_()}'
            for name, run in runs.items()
        )
        self.gated(lambda: body)

    # 8 why and check, 9 knob, 10 break

    def why(self, text: str, formula: str, **numbers: Any) -> None:
        """The explanation, at most 120 words, and one formula or counter-example."""
        self._short("why", text, WHY_WORDS)
        body = _page.paragraphs(text, **numbers) + f'<div class="dl-formula">{formula}</div>'
        self.gated(lambda: body)

    def check(
        self,
        name: str,
        expected: Any,
        measured: Any,
        se: Any = None,
        tolerance: float | None = None,
        unit: str = "",
        scale: float = 1.0,
    ) -> _grade.Check:
        """A badge: expected, measured, verdict. Nothing is raised; `.ok` says what happened."""
        self.step("check")
        made = _grade.Check(name, expected, measured, se, tolerance, unit, scale)
        self.checks.append(made)
        self.gated(made.body)
        return made

    def knob(self, goal: str, **how: Any) -> Knob:
        """A slider with a goal; see `Knob`."""
        self.step("knob")
        made = Knob(self, goal, **how)
        self.knobs.append(made)
        made.place()
        return made

    def broken(
        self,
        paint: Callable[..., Any],
        caption: str,
        size: tuple[float, float] = (7.0, 3.8),
        panels: int | tuple[int, int] = 1,
        **numbers: Any,
    ) -> None:
        """The guarantee removed, or the assumption broken: the picture of the witness."""
        self.draw("break", paint, caption, size, panels, numbers)

    # 11 decide, 12 limits, 13 system, 14 next

    def exercise(self, name: str, text: str, **how: Any) -> _grade.Exercise:
        """A new case; its `.answer(value)` is graded by simulation. See `Exercise`."""
        self.step("decide")
        made = self.exercises[name] = _grade.Exercise(self, name, text, **how)
        made.ask()
        return made

    def limits(self, question: str, answer: str, **numbers: Any) -> None:
        """When is this false? The learner writes a sentence, then opens the model answer."""
        self.step("limits")
        head = f'<p class="dl-head">{_page.inline(question)}</p>'
        model = _page.fold("Compare with a model answer", _page.paragraphs(answer, **numbers))
        tools = _page.widgets()
        if tools is None:
            _page.show(_page.box(head + "<p>Write one sentence first.</p>" + model))
            return
        from IPython.display import display

        _page.show(_page.box(head))
        field = tools.Textarea(placeholder="One sentence of yours, then compare", layout={"width": "700px"})
        display(tools.VBox([field, tools.HTML(_page.page(model))]))

    def in_your_system(self, *names: str, text: str = "", **numbers: Any) -> None:
        """What the parameters are called in real systems."""
        self.step("system")
        _page.show(_page.box(_page.paragraphs(text, **numbers) + _system.settings_table(names)))

    def load_samples(self, path: str | Path, column: str | int | None = None, unit: str = "s") -> Any:
        """The learner's own measurements as a distribution; generated ones while the file is not there."""
        import distlab as dl

        self.step("system")
        if Path(path).is_file():
            samples, skipped = _system.read_samples(path, column, unit)
            source = f"Your {_page.inline(str(path))}" + (f" ({skipped} rows left out)" if skipped else "")
        else:
            samples = _system.default_samples()
            name = f"<code>{_page.inline(str(path))}</code>"
            source = f"There is no {name} here, so these are generated service times"
        _page.show(_page.box(_system.samples_text(samples, source)))
        return dl.empirical(samples)

    def slide(self, title: str) -> tuple[str, bytes]:
        """The picture of the lesson, without the guess, as a PNG of 1280 x 720."""
        if self.prediction is None or self.prediction.slide is None:
            raise ValueError("a slide shows the picture of the lesson: call reveal first")
        (made, note), self.prediction.slide = self.prediction.slide, None
        credit = f"distlab {self.id} · {self.entry['title']}"
        return f"{self.id}.png", _figure.slide_png(made, title, note, credit)

    def next(self, slide: str) -> None:
        """The way back, the way on, and the slide."""
        self.step("next")
        name, png = self.slide(slide)
        if _page.person():
            target = Path(".distlab") / name
            try:
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(png)
            except OSError:
                pass  # a read-only folder: the link below still works
        import base64

        data = base64.b64encode(png).decode()
        known = list(_sources.lessons())
        at = known.index(self.id)
        back = (self.entry["needs"] or known[max(at - 1, 0) : at])[:1]
        same = [n for n in known[at + 1 : at + 2] if n.partition(".")[0] == self.id.partition(".")[0]]
        onward = [*same, *self.entry["leads_to"], *known[at + 1 : at + 2]]
        onward.sort(key=lambda n: not _sources.written(_sources.lesson(n)))
        parts = [
            f"← {self._links(back)}" if back else "",
            f"→ {self._links(onward[:1])}" if onward else "",
            f'<a download="{name}" href="data:image/png;base64,{data}">this lesson on one slide</a>',
        ]
        _page.show(
            _page.box('<p class="dl-row">' + "".join(f"<span>{p}</span>" for p in parts if p) + "</p>")
        )

    def calibration(self) -> None:
        """Every prediction of the chapter: how often did a 90 % interval hold the answer?"""
        here = {entry["id"] for entry in _sources.chapter(self.id)}
        entries = [e for e in _store.load() if e["lesson"] in here and e["truth"]]
        sample = not entries
        entries = entries or [e for e in self.predictions if e["truth"]]
        self.step("calibration")
        if not entries:
            _page.show(_page.box("No prediction of this chapter is on record yet."))
            return
        picture = _predict.calibration_picture(entries)
        png = self.note("calibration", picture)
        hits = sum(e["low"] <= e["truth"] <= e["high"] for e in entries)
        whose = "Sample guesses" if sample else "Your 90 % intervals"
        text = f"{whose} held {hits} of {len(entries)} answers; well-judged ones hold nine of ten."
        self.gated(lambda: _page.image(png, text, 700) + f'<p class="dl-head">{text}</p>')

    # for the tests

    def report(self) -> dict[str, Any]:
        """Everything a test wants to know, as plain data."""
        checks = [
            {"name": c.name, "ok": c.ok, "distance": float(np.max(c.distance)), "limit": c.limit}
            for c in self.checks
        ]
        exercises = {
            name: {"ok": e.verdict.ok, "text": repr(e.verdict), "task": _plain(e.values)}
            for name, e in self.exercises.items()
        }
        knobs = [
            {"solutions": _plain(k.solutions()), "start": float(k.start), "start_ok": k.grade(k.start).ok}
            for k in self.knobs
        ]
        return {
            "id": self.id,
            "size": self.entry["size"],
            "steps": self.steps,
            "words": self.words,
            "checks": checks,
            "exercises": exercises,
            "knobs": knobs,
            "figures": self.figures,
            "predictions": self.predictions,
        }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value


def _attribute(text: str) -> str:
    import html

    return html.escape(" ".join(text.split()), quote=True)
