"""A what-if as one page that needs no network: the answer first, then tables, pictures, data, how to redo it.

Pictures are inlined as PNG; there is no script and no address in it. Where matplotlib is missing the page
says so and has its tables alone.
"""

from __future__ import annotations

import base64
import math
from html import escape
from pathlib import Path
from typing import Any

from distlab import _core, _measured, _units
from distlab._html import _block, _Number, _quiet, _table, _text

SENTENCES_MAX = 3
RECIPE_MAX = 2000
DPI = 160
ANSWERS = {
    "holds": "Yes: every assert holds.",
    "fails": "No: an assert fails.",
    "undecided": "Undecided: a limit lies inside its interval. More repetitions narrow it.",
}


def page(result: Any, recipe: str | None) -> str:
    """The whole document."""
    title = str(result.base.settings.get("title") or f"What if? {result.model.name}")
    style = (Path(__file__).parent / "whatif.css").read_text(encoding="utf-8")
    parts = [
        _opening(result, title),
        _answer(result),
        _tables(result),
        _pictures(result),
        _data(result),
        _changes(result),
        _again(result, recipe),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>\n{style}</style></head><body><main>\n"
        + "\n".join(p for p in parts if p)
        + f"\n<footer>distlab {escape(_core.VERSION)} · this page needs no network</footer>"
        "</main></body></html>\n"
    )


def _opening(result: Any, title: str) -> str:
    note = result.base.settings.get("note")
    told = f"<p>{escape(note)}</p>" if note else ""
    head = f"{escape(result.head())} · {escape(result.model.title)}"
    return f"<h1>{escape(title)}</h1><p class=quiet>{head}</p>{told}"


def _answer(result: Any) -> str:
    """Verdicts first, then what changed most, in sentences."""
    parts = []
    if result.verdicts:
        parts.append(
            f'<div class="banner {result.verdict}"><b>{ANSWERS[result.verdict]}</b></div>'
            + _grid(
                ("assert", "variant", "interval", "verdict"),
                [
                    (f"<code>{escape(t)}</code>", escape(v), escape(i), f'<span class="tag {w}">{w}</span>')
                    for t, v, i, w in result.verdict_rows()
                ],
            )
        )
    parts += [f"<p class=lead>{_sentence(result, label)}</p>" for label in result.labels[:SENTENCES_MAX]]
    parts += [f"<p class=note>{escape(text)}</p>" for text in result.warnings]
    return "".join(parts)


def _sentence(result: Any, label: str) -> str:
    """What a variant does to the first metrics that are told apart."""
    told = []
    asked = [v.column for v in result.verdicts if v.variant == label]
    for name in dict.fromkeys([*asked, *result.metrics]):
        ratio, difference = result.ratio(name, label), result.difference(name, label)
        if (difference[1] > 0 or difference[2] < 0) and all(map(math.isfinite, ratio)) and ratio[0] > 0:
            column, value = result.model.column(name), result.value(name, label)[0]
            half = 100 * (ratio[2] - ratio[1]) / 2
            change = _units.with_error(100 * abs(ratio[0] - 1), math.nan if result.model.exact else half)
            word = "falls" if ratio[0] < 1 else "rises"
            told.append(
                f"<b>{escape(_units.column_title(column))}</b> {word} by {change} % to "
                f"{escape(_units.value_text(value, column, digits=3))}"
            )
    if not told:
        return f"<b>{escape(label)}</b>: nothing in the table is told apart from the base."
    return f"With <b>{escape(label)}</b>: {'; '.join(told[:SENTENCES_MAX])}."


def _grid(head: Any, rows: Any, classes: Any = None) -> str:
    """A table; cells that are _Number are set flush right."""

    def cell(tag: str, text: str, more: str = "") -> str:
        return f"<{tag} class='{'n ' if isinstance(text, _Number) else ''}{more}'>{text}</{tag}>"

    top = "".join(cell("th", h) for h in head)
    body = "".join(
        f"<tr class='{classes[k] if classes else ''}'>"
        + "".join(cell("td", c, "change" if classes and i >= len(row) - 2 else "") for i, c in enumerate(row))
        + "</tr>"
        for k, row in enumerate(rows)
    )
    return f"<div class=scroll><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"


def _tables(result: Any) -> str:
    parts = ["<h2>Base and variants</h2>" if result.labels else "<h2>The base</h2>"]
    for label in result.labels or [None]:
        head = ["metric", "", _Number("base")]
        if label is not None:
            head += [_Number("changed"), _Number("difference"), _Number("change")]
            parts.append(f"<h3>{escape(label)}</h3>")
        rows, classes = [], []
        for name in result.metrics:
            unit, *cells = result.cells(name, label)
            star = cells.pop() if label is not None else "*"
            classes.append("told" if star == "*" else "same")
            title = escape(_units.column_title(result.model.column(name)))
            title = f"<span title='{escape(name)}'>{title}</span>"
            rows.append([title, escape(unit), *(_Number(escape(_signed(c))) for c in cells)])
        parts.append(_grid(head, rows, classes))
    if result.labels and not result.model.exact:
        many = len(result.metrics) * len(result.labels)
        level = _units.number(100 * result.confidence)
        chance = _units.number(many * (1 - result.confidence), 2)
        parts.append(
            f"<p class=quiet>± is half the {level} % interval; that of a difference is over pairs of runs "
            "with the same luck. Grey rows are not told apart from the base. "
            f"Of {many} rows about {chance} would look different by chance alone.</p>"
        )
    if result.idle:
        names = ", ".join(f"<code>{escape(n)}</code>" for n in result.idle)
        parts.append(f"<p class=quiet>The same in every run: {names}.</p>")
    return "".join(parts)


def _signed(text: str) -> str:
    return text.replace("-", "\u2212")


def _pictures(result: Any) -> str:
    from distlab._plot_whatif import plot_change, plot_tail, tail_metric

    try:
        drawn = [plot_change(result)] if result.labels else []
        drawn += [plot_tail(result)] if tail_metric(result) else []
    except ImportError as error:
        return f"<p class=quiet>No pictures: {escape(str(error))}</p>"
    return "<h2>Pictures</h2>" + "".join(map(_picture, drawn)) if drawn else ""


def _picture(picture: Any) -> str:
    data = base64.b64encode(picture.png(DPI)).decode()
    text = escape(picture.caption, quote=True)
    return f'<figure><img alt="{text}" src="data:image/png;base64,{data}"></figure>'


def _data(result: Any) -> str:
    """Every measured law: how much, where from, and what stands for its tail."""
    parts = []
    for name, (law, kind, files) in result.base.laws.items():
        s = law.source
        cells = [_Number(escape(_measured.pretty(law.mean, s.unit)))]
        cells += [
            _Number(escape(_measured.pretty(law.quantile(q), s.unit) + _measured.mark(s, q)))
            for q, _ in _measured.SHOWN
        ]
        head = [_Number(h) for h in ("values", "mean", *(n for _, n in _measured.SHOWN))]
        hashes = ", ".join(f"{escape(n)} sha256 {h[:16]}…" for n, h in files.items())
        tail = f"Tail: {escape(s.sentence)}."
        parts.append(
            f"<h3><code>data.{escape(name)}</code>: {escape(s.origin)}</h3>"
            + _grid(head, [[_Number(_units.number(s.count, 12)), *cells]])
            + (f"<p class=note>{tail}</p>" if s.serious else f"<p>{tail}</p>")
            + f"<p class=quiet>{escape(' · '.join([f'inside: {s.within}', *s.notes]))}</p>"
            + (f"<p class=quiet>{escape(kind)} · {hashes}</p>" if hashes else "")
        )
        if any(_measured.mark(s, q) for q, _ in _measured.SHOWN):
            parts.append("<p class=quiet>?: above what was measured.</p>")
    return "<h2>What was measured</h2>" + "".join(parts) if parts else ""


def _changes(result: Any) -> str:
    """What the base sets, and what each variant sets instead."""
    model, base = result.model, result.base.parameters
    names = list(dict.fromkeys([*base, *(n for c in result.changes.values() for n in c)]))
    rows, shown = [], result.base.shown
    for name in names:
        here = base.get(name, model.field(name)["default"])
        row = [f"<code>{escape(name)}</code>", escape(shown(name, here))]
        row += [
            f"<b>{escape(shown(name, c[name]))}</b>" if name in c else "" for c in result.changes.values()
        ]
        rows.append(row)
    if not rows:
        return ""
    return (
        "<h2>What was set</h2>"
        + _grid(["parameter", "base", *map(escape, result.labels)], rows)
        + "<p class=quiet>Every other parameter is at its default.</p>"
    )


def _again(result: Any, recipe: str | None) -> str:
    """How to make this page again, and what it was made of."""
    parts = ["<h2>To make it again</h2>"]
    if recipe:
        parts.append(f"<pre>{escape(recipe)}</pre>")
    if result.base.text:
        name = escape(result.base.path.name)
        parts.append(
            f"<details open><summary>{name}</summary><pre>{escape(result.base.text)}</pre></details>"
        )
    lines = _rows(result)
    if lines:
        parts.append(
            "<details><summary>Single runs: the first repetition of each variant</summary><pre>"
            + escape("\n".join(lines))
            + "</pre></details>"
        )
    facts = "".join(f"{k}: {v}\n" for k, v in result.sweep.provenance.items())
    parts.append(f"<details><summary>Provenance</summary><pre>{escape(facts)}</pre></details>")
    return "".join(parts)


def _rows(result: Any) -> list[str]:
    out = []
    for k in range(1 + len(result.labels)):
        try:
            line = result.sweep.recipe(k, 0)
        except ValueError:
            continue
        if len(line) <= RECIPE_MAX:
            out.append(line)
    return out


def fragment(result: Any) -> str:
    """The tables as they show themselves in a notebook."""
    parts = [f"<p><b>{_text(result.model.name)}</b> · {_text(result.head().partition(': ')[2])}</p>"]
    if result.verdicts:
        rows = [(_text(t), _text(v), _text(i), _text(w)) for t, v, i, w in result.verdict_rows()]
        parts.append(_table(("assert", "variant", "interval", "verdict"), rows[:12]))
    for label in (result.labels or [None])[:4]:
        rows = []
        for name in result.metrics[:8]:
            unit, *cells = result.cells(name, label)
            rows.append((_text(name), _text(unit), *(_Number(_text(_signed(c))) for c in cells)))
        head = ("metric", "", *map(_Number, ("base", "changed", "difference", "change", "")))
        parts += [_quiet(_text(label or "")), _table(head if label else head[:3], rows)]
    parts += [_quiet(_text(text)) for text in result.warnings]
    more = "everything: <code>.table()</code> <code>.frame()</code> <code>.save('page.html')</code>"
    return _block(*parts, _quiet(more))
