"""Commit first, look later: four drawn curves, a 90 % interval, and no reveal before both are on record.

Where nobody can answer (an exported page, a test) a sample guess stands in, says that it is one, and the
picture waits behind a fold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from distlab import _style
from distlab.lesson import _figure, _page, _store

DARK = "#8a5a00"  # of the guess, for letters
REFUSAL = "Commit to a guess first: it costs ten seconds, and a picture you did not predict teaches little."


class Pending:
    """Stands in for a guess while a picture is painted; remembers what the picture wants to show of it."""

    def __init__(self) -> None:
        self.wanted: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def bar(self, *args: Any, **how: Any) -> None:
        """See `Guess.bar`."""
        self.wanted.append(("bar", args, how))

    def band(self, *args: Any, **how: Any) -> None:
        """See `Guess.band`."""
        self.wanted.append(("band", args, how))

    def span(self, *args: Any, **how: Any) -> None:
        """See `Guess.span`."""
        self.wanted.append(("span", args, how))

    def draw(self, guess: Guess) -> None:
        """Show it."""
        for name, args, how in self.wanted:
            getattr(guess, name)(*args, **how)


class Guess:
    """What was committed; draws itself on a picture."""

    def __init__(self, choice: str, low: float, high: float, sample: bool = False) -> None:
        self.choice, self.low, self.high, self.sample = choice, low, high, sample

    @property
    def owner(self) -> str:
        """Whose guess it is, as a label."""
        return "sample guess" if self.sample else "your 90 % interval"

    def bar(self, ax: Any, x: float, width: float, label: tuple[float, float]) -> None:
        """The interval as a vertical bar around one x; its name stands at `label`, tied by a thin line."""
        edges = [x - width, x + width]
        ax.fill_between(edges, self.low, self.high, color=_figure.GUESS, alpha=0.5, zorder=6, linewidth=0)
        for end in (self.low, self.high):
            ax.plot(edges, [end, end], color=_figure.GUESS, linewidth=2.2, zorder=7)
        side = "right" if label[0] < x else "left"
        end = self.high if label[1] > (self.low + self.high) / 2 else self.low
        ax.annotate(
            self.owner,
            (x - width if side == "right" else x + width, end),
            label,
            color=DARK,
            zorder=9,
            fontsize=10,
            ha=side,
            va="center",
            arrowprops={"arrowstyle": "-", "color": DARK, "lw": 0.8},
        )

    def band(self, ax: Any, at: float) -> None:
        """The interval as a horizontal band, named at one x."""
        ax.axhspan(self.low, self.high, color=_figure.GUESS, alpha=0.28, zorder=1, linewidth=0)
        _figure.direct(ax, at, self.high, self.owner, DARK, va="bottom")

    def span(self, ax: Any, at: float) -> None:
        """The interval along the horizontal axis as a vertical band, named at one y.

        Its name stands where there is room; a band beside the axes is named at their edge, with an arrow.
        """
        ax.axvspan(self.low, self.high, color=_figure.GUESS, alpha=0.28, zorder=1, linewidth=0)
        left, right = ax.get_xlim()
        logarithmic = ax.get_xscale() == "log"
        middle = math.sqrt(left * right) if logarithmic else (left + right) / 2
        if self.high < left:
            _figure.direct(ax, left, at, f"← {self.owner}", DARK)
        elif self.low > right:
            _figure.direct(ax, right, at, f"{self.owner} →", DARK, ha="right")
        elif self.high <= middle or self.low <= left:
            _figure.direct(ax, min(self.high, middle), at, self.owner, DARK)
        else:
            _figure.direct(ax, self.low, at, self.owner, DARK, ha="right")

    def holds(self, value: Any) -> Any:
        """Is the value inside? Works on arrays."""
        return (np.asarray(value) >= self.low) & (np.asarray(value) <= self.high)


class Prediction:
    """One question, four drawn answers, one interval."""

    def __init__(
        self,
        lesson: Any,
        question: str,
        curves: Mapping[str, tuple[str, Any]],
        x: tuple[str, Sequence[float]],
        y: str,
        right: str,
        interval: str,
        unit: str,
        sample: tuple[str, float, float],
        low: float = -math.inf,
        high: float = math.inf,
        **look: Any,
    ) -> None:
        if len(curves) != 4:
            raise ValueError(f"a prediction offers 4 curves, not {len(curves)}")
        if right not in curves or sample[0] not in curves:
            raise ValueError(f"right and the sample's choice must be among {', '.join(curves)}")
        self.lesson, self.question, self.curves, self.right = lesson, question, dict(curves), right
        self.x, self.y, self.interval, self.unit, self.low, self.high = x, y, interval, unit, low, high
        self.look = look
        self.committed: Guess | None = None
        self.sample = Guess(*sample, sample=True)
        self.slide: tuple[Any, str] | None = None  # the figure without the guess, and its caption
        self._form: Any = None

    def _ipython_display_(self) -> None:
        """Nothing more: `ask` has shown it."""

    # the question

    def options(self) -> _style.Picture:
        """The four curves as small multiples."""
        made, axes = _figure.figure((9.2, 2.65), 4, sharey=True)
        x = np.asarray(self.x[1], dtype=float)
        for ax, (letter, (name, curve)) in zip(axes, self.curves.items(), strict=True):
            values = np.asarray(curve(x) if callable(curve) else curve, dtype=float)
            ax.plot(x, np.broadcast_to(values, x.shape), color=_figure.SIMULATED, linewidth=2.6)
            ax.set_title(f"{letter}", fontsize=15, weight="bold", loc="left", color=_style.INK)
            ax.set_title(name, fontsize=9, loc="right", color=_style.INK)
            ax.set_xlabel(self.x[0], fontsize=9)
            ax.tick_params(labelsize=8.5)
        axes[0].set_ylabel(self.y, fontsize=9)
        for name, value in self.look.items():
            getattr(axes[0], f"set_{name}")(value)
        return _style.Picture(made, "; ".join(f"{k}: {name}" for k, (name, _) in self.curves.items()))

    def ask(self) -> None:
        """Show the question, with buttons where a person can press them."""
        picture = self.options()
        png = self.lesson.note("predict", picture)
        body = (
            f'<p class="dl-head">{_page.inline(self.question)}</p>'
            + _page.image(png, picture.caption)
            + f"<p>Then a 90 % interval: {_page.inline(self.interval)}. Wide enough that you would be "
            "surprised only one time in ten.</p>"
        )
        tools = _page.widgets()
        if tools is not None:
            _page.show(_page.box(body, "blue"))
            self._build(tools)
            return
        if _page.person():
            how = 'Commit in a cell of its own, for example <code>p.commit("A", 10, 20)</code>.'
            _page.show(_page.box(body + f"<p>{how}</p>", "blue"))
            return
        how = (
            f"Decide now: a letter and two numbers, on paper. This page was made without a reader, so a "
            f"<b>sample guess</b> stands in: {self.describe(self.sample)}."
        )
        _page.show(_page.box(body + f"<p>{how}</p>", "blue"))

    def describe(self, guess: Guess) -> str:
        """A guess in words."""
        return f"curve {guess.choice}, {guess.low:g} to {guess.high:g} {self.unit}".rstrip()

    def _build(self, tools: Any) -> None:
        """Four buttons, two fields, one commit."""
        from IPython.display import display

        pick = tools.ToggleButtons(
            options=list(self.curves), value=None, description="curve", style={"button_width": "3.2em"}
        )
        low = tools.Text(placeholder="from", layout={"width": "6em"})
        high = tools.Text(placeholder="to", layout={"width": "6em"})
        button = tools.Button(description="Commit", button_style="primary", icon="check")
        status = tools.HTML()

        def press(_: Any) -> None:
            try:
                ends = [float(field.value.replace(",", ".")) for field in (low, high)]
            except ValueError:
                status.value = "The interval needs two numbers."
                return
            try:
                self.commit(pick.value, *ends)
            except ValueError as error:
                status.value = str(error)

        button.on_click(press)
        self._form = (status, [pick, low, high, button])
        row = tools.HBox(
            [tools.Label("90 % interval"), low, tools.Label("to"), high, tools.Label(self.unit), button]
        )
        display(tools.VBox([pick, row, status]))

    # the answer

    def commit(self, choice: str, low: float, high: float) -> None:
        """Put a guess on record; the first one counts."""
        if choice not in self.curves:
            raise ValueError(f"choose one of the curves {', '.join(self.curves)}; got {choice!r}")
        low, high = float(low), float(high)
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"an interval runs from a smaller to a larger number; got {low:g} to {high:g}")
        if not (self.low <= low and high <= self.high):
            raise ValueError(
                f"{low:g} to {high:g} is outside the possible {self.low:g} to {self.high:g} {self.unit}"
            )
        if self.committed is not None:
            first = self.describe(self.committed)
            self._tell(f"Already committed: {first}. The first guess is the one that teaches.")
            return
        self.committed = Guess(choice, low, high)
        self._tell(
            f"<b>Committed:</b> {self.describe(self.committed)}. Go on; what waited for you is shown below."
        )
        self.lesson.open_gate()

    def _tell(self, text: str) -> None:
        if self._form is None:
            _page.show(_page.box(text, "blue"))
            return
        status, controls = self._form
        status.value = text
        for control in controls:
            control.disabled = True

    @property
    def guess(self) -> Guess:
        """The committed guess, or the sample guess where nobody can commit."""
        return self.committed or self.sample

    @property
    def open(self) -> bool:
        """May the answer be shown?"""
        return self.committed is not None or not _page.person()

    def reveal(
        self,
        paint: Callable[..., Any],
        truth: float,
        caption: str,
        size: tuple[float, float] = _style.SIZE,
        panels: int | tuple[int, int] = 1,
        about: str = "",
        such: Any = None,
        **numbers: Any,
    ) -> None:
        """The picture, with the guess drawn on it by `paint(ax, guess)` and a caption rendered from results.

        `truth` is the number that the interval was to hold. `about` says more about the guess and stays off
        the slide; it may name `{held}`, the percentage of the values `such` inside the interval. All is
        painted now; only the guess is added later.
        """
        text = _page.inline(caption, **numbers)
        plain = _page.plain(text)
        pending = Pending()
        picture = _figure.draw(paint, pending, size=size, panels=panels, caption=plain)
        self.slide = (_figure.slide(paint, (Pending(),), panels), plain)
        self.lesson.step("picture")

        def render() -> str:
            guess = self.guess
            pending.draw(guess)
            png = self.lesson.note("picture", picture)
            inside = bool(guess.holds(truth))
            self._record(guess, truth, inside)
            whose = "The sample guess" if guess.sample else "Your guess"
            held = 100 * float(np.mean(guess.holds(such))) if such is not None else 0.0
            more = _page.inline(about, held=held, **numbers)
            verdict = (
                f"{whose}: {self.describe(guess)}. Measured: {truth:.3g} {self.unit}, "
                f"{'inside' if inside else 'outside'} the interval. {more}"
            )
            body = (
                _page.image(png, picture.caption, 100 * size[0])
                + f'<p class="dl-head">{text}</p>'
                + f'<p class="dl-small">{verdict}</p>'
            )
            return (
                body
                if self.committed
                else _page.fold("<b>Open this once you have written down your guess</b>", body)
            )

        self.lesson.gated(render)

    def _record(self, guess: Guess, truth: float, inside: bool) -> None:
        entry = {
            "lesson": self.lesson.id,
            "question": self.question,
            "choice": guess.choice,
            "right": self.right,
            "low": guess.low,
            "high": guess.high,
            "truth": float(truth),
            "unit": self.unit,
            "inside": inside,
        }
        self.lesson.predictions.append({**entry, "sample": guess.sample})
        if not guess.sample:
            _store.save(entry)

    def feedback(self, replies: Mapping[str, str], **numbers: Any) -> None:
        """One reply per curve; the learner's own comes first, the others stay a click away."""
        if set(replies) != set(self.curves):
            raise ValueError(f"feedback needs one reply for each of {', '.join(self.curves)}")
        self.lesson.step("feedback")

        def head(letter: str) -> str:
            return f"<b>{letter}</b> · {_page.inline(self.curves[letter][0])}"

        def render() -> str:
            every = {k: _page.paragraphs(text, **numbers) for k, text in replies.items()}
            if self.committed is None:
                return "".join(_page.fold(f"If you chose {head(k)}", text) for k, text in every.items())
            mine = self.committed.choice
            colour = "green" if mine == self.right else "amber"
            first = _page.box(f'<p class="dl-head">You chose {head(mine)}</p>{every[mine]}', colour)
            rest = "".join(_page.fold(head(k), text) for k, text in every.items() if k != mine)
            return first + _page.fold("What the other curves assume", rest)

        self.lesson.gated(render)


def calibration_picture(entries: list[dict[str, Any]]) -> _style.Picture:
    """Every interval beside the answer it was meant to hold."""
    rows = entries[-40:]

    def paint(ax: Any) -> None:
        for row, entry in enumerate(rows):
            ends = np.array([entry["low"], entry["high"]]) / entry["truth"]
            hit = entry["low"] <= entry["truth"] <= entry["high"]
            ax.plot(
                np.clip(ends, 1e-2, 1e2),
                [row, row],
                linewidth=5,
                solid_capstyle="butt",
                color=_figure.GOOD if hit else _figure.BAD,
            )
        ax.axvline(1, color=_figure.EXACT, linewidth=1.4)
        ax.set_xscale("log")
        _style.plain_log(ax.xaxis, (0.01, 100.0))
        ax.set_xlim(0.01, 100)
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.set_yticks(range(len(rows)), [entry["lesson"] for entry in rows])
        ax.set_xlabel("your interval (multiples of the measured answer)")
        ax.set_ylabel("prediction (lesson)")

    return _figure.draw(
        paint, size=(7.0, 2.0 + 0.34 * len(rows)), caption="calibration of the chapter's predictions"
    )
