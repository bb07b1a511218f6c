"""What is measured against what is known: check badges, exercises graded by simulation on a hidden seed."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from distlab import _units
from distlab.lesson import _page

Z_LIMIT = 3.0  # standard errors; a sound simulator exceeds it in 3 of 1000 checks


class Check:
    """One claim: expected, measured, and the verdict of a z-test or a tolerance."""

    def __init__(
        self,
        name: str,
        expected: Any,
        measured: Any,
        se: Any = None,
        tolerance: float | None = None,
        unit: str = "",
        scale: float = 1.0,
    ) -> None:
        if (se is None) == (tolerance is None):
            raise ValueError(
                f"check {name!r} needs either se= (a z-test) or tolerance= (a relative difference)"
            )
        self.name, self.unit, self.scale = name, unit, scale
        self.expected, self.measured = (
            np.atleast_1d(np.asarray(v, dtype=float)) for v in (expected, measured)
        )
        self.expected, self.measured = np.broadcast_arrays(self.expected, self.measured)
        gap = np.abs(self.measured - self.expected)
        if se is not None:
            error = np.broadcast_to(np.asarray(se, dtype=float), gap.shape)
            self.limit = z_limit(gap.size)
            with np.errstate(divide="ignore", invalid="ignore"):
                self.distance = np.where(gap == 0, 0.0, gap / error)
            self.kind = "standard errors"
        else:
            self.limit = float(tolerance or 0.0)
            self.distance = gap / np.maximum(np.abs(self.expected), 1e-300)
            self.kind = "relative"
        finite = np.isfinite(self.measured) & np.isfinite(self.expected) & np.isfinite(self.distance)
        self.worst = int(np.argmax(np.where(finite, self.distance, math.inf)))
        self.ok = bool(finite.all() and (self.distance <= self.limit).all())

    def body(self) -> str:
        """The badge."""
        k = self.worst
        pair = " · ".join(
            f"{word} <b>{self._number(values[k])}</b>"
            for word, values in (("expected", self.expected), ("measured", self.measured))
        )
        many = f" (the worst of {self.distance.size})" if self.distance.size > 1 else ""
        far = self.distance[k]
        gap = (
            f"{far:.2g} standard errors apart, allowed {self.limit:.2g}"
            if self.kind != "relative"
            else f"{far:.2%} apart, allowed {self.limit:.2%}"
        )
        mark, colour = ("✓ holds", "green") if self.ok else ("✗ fails", "red")
        text = f'<span class="dl-head">{mark}</span> · {_page.inline(self.name)}: {pair}{many}'
        return _page.box(f'{text}<br><span class="dl-small">{gap}</span>', colour)

    def _number(self, value: float) -> str:
        text = _units.number(value * self.scale)
        return f"{text} {self.unit}" if self.unit else text

    def _ipython_display_(self) -> None:
        """Nothing more: the lesson has shown the badge."""

    def __repr__(self) -> str:
        return f"<Check {self.name!r} {'holds' if self.ok else 'fails'}>"


def z_limit(count: int) -> float:
    """Standard errors allowed for each of `count` points: all together err as rarely as one at Z_LIMIT."""
    from statistics import NormalDist

    both = 2 * (1 - NormalDist().cdf(Z_LIMIT))
    return NormalDist().inv_cdf(1 - (1 - (1 - both) ** (1 / count)) / 2)


class Verdict:
    """The grade of one answer; `.ok` is None for a question left open."""

    def __init__(self, ok: bool | None, sentences: Sequence[tuple[bool, str]] = (), note: str = "") -> None:
        self.ok, self.sentences, self.note = ok, list(sentences), note

    def body(self) -> str:
        """The badge, one line for each condition."""
        if self.ok is None:
            return _page.box(_page.inline(self.note or "Not answered yet."))
        lines = "".join(f"<br>{'✓' if ok else '✗'} {_page.inline(text)}" for ok, text in self.sentences)
        head = "✓ That works." if self.ok else "✗ Not yet."
        tail = f"<br>{_page.inline(self.note)}" if self.note else ""
        return _page.box(f'<span class="dl-head">{head}</span>{lines}{tail}', "green" if self.ok else "red")

    def __bool__(self) -> bool:
        return bool(self.ok)

    def _repr_html_(self) -> str:
        return _page.page(self.body())

    def __repr__(self) -> str:
        return _page.plain(self.body())


def judged(sentences: Iterable[tuple[bool, str]]) -> Verdict:
    """A verdict from its conditions: all must hold."""
    found = [(bool(ok), text) for ok, text in sentences]
    return Verdict(all(ok for ok, _ in found), found)


def secret(*parts: str) -> int:
    """A number that follows from names and cannot be guessed from looking at the page."""
    digest = hashlib.sha256("/".join(("distlab", *parts)).encode()).digest()
    return int.from_bytes(digest[:6], "big")


def learner() -> str:
    """Who is learning; it varies the exercises. Empty: the standard ones."""
    return os.environ.get("DISTLAB_LEARNER", "").strip()


class Exercise:
    """A new case with its own numbers, hints to open one by one, an answer graded by simulation.

    An answer is one number; with `read`, whatever `read(value)` makes of it. A ValueError of `read` is shown.
    """

    def __init__(
        self,
        lesson: Any,
        name: str,
        text: str,
        task: Callable[[np.random.Generator], Mapping[str, Any]],
        grade: Callable[..., Iterable[tuple[bool, str]]],
        hints: Sequence[str],
        unit: str = "",
        read: Callable[[Any], Any] | None = None,
    ) -> None:
        if not 1 <= len(hints) <= 3:
            raise ValueError(f"an exercise has one to three hints, not {len(hints)}")
        self.lesson, self.name, self.text, self.hints, self.unit = lesson, name, text, list(hints), unit
        who = learner()
        self.values = dict(task(np.random.default_rng(secret(lesson.id, name, who, "task"))))
        self.task = SimpleNamespace(**self.values)
        self._seed = secret(lesson.id, name, who, "hidden")
        self._grade, self._read = grade, read
        self.verdict = Verdict(None)

    def _ipython_display_(self) -> None:
        """Nothing more: `ask` has shown it."""

    def ask(self) -> None:
        """Show the task and its folded hints."""
        hints = "".join(
            _page.fold(f"Hint {k}", _page.paragraphs(hint, **self.values))
            for k, hint in enumerate(self.hints, 1)
        )
        _page.show(_page.box(_page.paragraphs(self.text, **self.values) + hints, "amber"))

    def answer(self, value: Any) -> Verdict:
        """Grade an answer; None means that the question stays open."""
        if value is None or value is Ellipsis:
            what = "answer" if self._read else f"number{self._unit()}"
            self.verdict = Verdict(None, note=f"Not answered yet: put your {what} in place of `None`.")
        else:
            self.verdict = self._judge(value)
        return self.verdict

    def _unit(self) -> str:
        return f" of {self.unit}" if self.unit else ""

    def _judge(self, value: Any) -> Verdict:
        if self._read is not None:
            try:
                answer = self._read(value)
            except (TypeError, ValueError) as error:
                return Verdict(False, [(False, str(error))])
            return judged(self._grade(answer, self._seed, **self.values))
        try:
            number = float(value)
        except (TypeError, ValueError):
            return Verdict(False, [(False, f"an answer here is one number{self._unit()}, not `{value!r}`")])
        if not math.isfinite(number):
            return Verdict(False, [(False, f"{number} is not a number{self._unit()} anybody could use")])
        return judged(self._grade(number, self._seed, **self.values))
