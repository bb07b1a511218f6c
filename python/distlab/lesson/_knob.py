"""One slider with a goal, graded by simulation.

With a kernel every new position starts a run in the background and cancels the one before. Without one the
page shows the whole sweep and where in it the goal is met, so it teaches all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from distlab import _style
from distlab.lesson import _figure, _grade, _page, _predict


class Knob:
    """A parameter to turn: `measure(values, seed, token)` gives one number for each value.

    `met(value, y, best)` gives the sentences of the verdict: (holds, text) pairs; `best` is the pair of
    arrays (values, y) of the sweep on the page.
    """

    def __init__(
        self,
        lesson: Any,
        goal: str,
        values: Sequence[float],
        start: float,
        measure: Callable[..., Any],
        met: Callable[..., Any],
        x: str,
        y: str,
        show: Callable[[float], str] = "{:g}".format,
        paint: Callable[..., None] | None = None,
        limit: float | None = None,
        logx: bool = False,
        logy: bool = False,
        sweep: Sequence[float] | None = None,
        seed: int = 1,
    ) -> None:
        self.lesson, self.goal, self.values, self.start = lesson, goal, np.asarray(values), start
        self.measure, self.met, self.x, self.y, self.show = measure, met, x, y, show
        self.paint, self.limit, self.logx, self.logy = paint, limit, logx, logy
        self._hidden = _grade.secret(lesson.id, "knob", _grade.learner(), "hidden")
        self.swept = np.asarray(values if sweep is None else sweep)
        self.envelope = np.asarray(measure(self.swept, seed, None), dtype=float)
        self.verdict = _grade.Verdict(None)
        self._lock = threading.Lock()
        self._token: Any = None
        self._thread: threading.Thread | None = None

    def _ipython_display_(self) -> None:
        """Nothing more: `place` has shown it."""

    # grading

    def _run(self, value: float, token: Any = None) -> tuple[float, _grade.Verdict]:
        y = float(np.asarray(self.measure(np.array([value]), self._hidden, token)).reshape(-1)[0])
        return y, _grade.judged(self.met(value, y, (self.swept, self.envelope)))

    def grade(self, value: float) -> _grade.Verdict:
        """Grade a position of the slider by a run of its own."""
        self.verdict = self._run(value)[1]
        return self.verdict

    def solutions(self) -> list[float]:
        """The positions of the sweep on the page that meet the goal."""
        pairs = zip(self.swept, self.envelope, strict=True)
        return [v for v, y in pairs if _grade.judged(self.met(v, y, (self.swept, self.envelope))).ok]

    # pictures

    def picture(self, value: float | None = None, y: float | None = None) -> _style.Picture:
        """The sweep, the goal, and where the learner stands."""

        def paint(ax: Any) -> None:
            ax.plot(
                self.swept, self.envelope, color=_figure.SIMULATED, linewidth=2, marker="o", markersize=4.5
            )
            if self.logx:
                ax.set_xscale("log")
                _style.plain_log(ax.xaxis, self.swept)
            if self.logy:
                ax.set_yscale("log")
                _style.plain_log(ax.yaxis, self.envelope)
            if self.limit is not None:
                ax.axhline(self.limit, color=_figure.GOOD, linewidth=1.5, linestyle=(0, (6, 2)))
                _figure.direct(ax, self.swept[-1], self.limit, "goal", _figure.GOOD, ha="right", va="bottom")
            if self.paint:
                self.paint(ax)
            if value is not None and y is not None:
                ax.plot(
                    [value],
                    [y],
                    marker="o",
                    markersize=13,
                    color=_figure.GUESS,
                    markeredgecolor=_figure.EXACT,
                    zorder=8,
                )
                middle = float(np.sqrt(np.prod(ax.get_xlim())) if self.logx else np.mean(ax.get_xlim()))
                away = -13 if value > middle else 13
                ax.annotate(
                    "you are here",
                    (value, y),
                    (away, 13),
                    textcoords="offset points",
                    weight="bold",
                    color=_predict.DARK,
                    ha="right" if away < 0 else "left",
                    fontsize=10,
                    zorder=9,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85},
                )
            ax.set_xlabel(self.x)
            ax.set_ylabel(self.y)

        return _figure.draw(paint, size=(7.0, 3.6), caption=_page.plain(_page.inline(self.goal)))

    def place(self) -> None:
        """Put the slider, or the sweep where there is no kernel, on the page."""
        head = f'<p class="dl-head">Goal: {_page.inline(self.goal)}</p>'
        tools = _page.widgets()
        if tools is None:
            picture = self.picture()
            png = self.lesson.note("knob", picture)
            found = [self.show(v) for v in self.solutions()]
            where = (
                f"Met at {found[0]} to {found[-1]}."
                if len(found) > 1
                else f"Met at {found[0]} only."
                if found
                else "No position of this sweep meets it."
            )
            body = head + _page.image(png, picture.caption, 700) + _page.fold("Where is the goal met?", where)
            how = (
                "With a kernel this is a slider; here is the whole sweep."
                if not _page.person()
                else "No ipywidgets here: use <code>knob.grade(value)</code>."
            )
            _page.show(_page.box(body + f'<p class="dl-small">{how}</p>', "amber"))
            return
        self._build(tools, head)

    def _build(self, tools: Any, head: str) -> None:
        from IPython.display import display

        _page.show(_page.box(head, "amber"))
        options = [(self.show(float(v)), float(v)) for v in self.values]
        nearest = min((v for _, v in options), key=lambda v: abs(v - self.start))
        self.slider = tools.SelectionSlider(
            options=options,
            value=nearest,
            continuous_update=False,
            layout={"width": "620px"},
            description=" ",
        )
        self.image = tools.Image(format="png", width=700)
        self.status = tools.HTML()
        first = self.picture()
        self.image.value = self.lesson.note("knob", first)
        self.slider.observe(self._moved, names="value")
        display(tools.VBox([self.slider, self.image, self.status]))
        self._moved({"new": nearest})

    def _moved(self, change: dict[str, Any]) -> None:
        """A new position: stop the run in flight, start another, return at once."""
        from distlab import Token

        with self._lock:
            if self._token is not None:
                self._token.cancel()
            token = self._token = Token()
        self._thread = threading.Thread(target=self._work, args=(float(change["new"]), token), daemon=True)
        self._thread.start()

    def _work(self, value: float, token: Any) -> None:
        from distlab import Cancelled

        try:
            y, verdict = self._run(value, token)
            picture = self.picture(value, y).png()
        except Cancelled:
            return
        except Exception as error:  # noqa: BLE001, a thread must not lose what went wrong
            self.status.value = _page.page(_page.box(_page.inline(f"{type(error).__name__}: {error}"), "red"))
            return
        with self._lock:
            if token.cancelled:
                return
            self.verdict = verdict
            self.image.value = picture
            self.status.value = _page.page(verdict.body())
