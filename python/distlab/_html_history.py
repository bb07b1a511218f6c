"""Histories and verdicts as they show themselves in a notebook, and a verdict as a page of its own: tables
and one SVG, no script, no link to elsewhere."""

from html import escape

from . import _html
from ._operation import describe, value_text
from ._timeline import bars, label, title

LANE, BAR, STEP, LEFT = 26, 18, 34, 86
WIDTH_MAX = 6000
COLOURS = {"ok": "#56B4E9", "info": "#E69F00", "fail": "#BBBBBB"}
RED = "#C62828"
SHOWN = 8  # operations of a history
INLINE_BARS = 14  # in a notebook's cell, 8 kB
ROWS_ON_PAGE = 500
PAGE = (
    "<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title><style>"
    "body{{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:75em;padding:0 1em}}"
    "table{{border-collapse:collapse}}td,th{{padding:.15em .8em .15em 0;text-align:left;vertical-align:top}}"
    "th{{border-bottom:1px solid #888}}.red{{color:#C62828;font-weight:600}}.q{{color:#666}}"
    ".scroll{{overflow-x:auto;border:1px solid #ddd;padding:.5em;background:#fff;color:#111}}"
    "pre{{white-space:pre-wrap}}</style></head><body>{body}</body></html>"
)


def history_html(history):
    """A history: how much of what, and the first operations."""

    def build(count):
        rows = [
            (str(op.index), str(op.process), _html._code(op.f), _cell(op.key), _cell(op.argument),
             _cell(op.result), op.outcome)
            for op in map(history.__getitem__, range(min(count, len(history))))
        ]  # fmt: skip
        how = history.outcomes
        counts = ", ".join(f"{n} {escape(f)}" for f, n in list(history.functions.items())[:12])
        source = f" · {escape(history.source[-60:])}" if history.source else ""
        more, processes = len(history) - len(rows), len(history.processes)
        return _html._block(
            f"<p><b>history</b> · {len(history)} operations of {processes} processes{source}</p>",
            _html._quiet(f"{counts} · ok {how['ok']}, fail {how['fail']}, unknown {how['info']}"),
            _html._table(("", "process", "f", "key", "argument", "result", "outcome"), rows),
            _html._quiet(
                (f"and {more} more; " if more > 0 else "")
                + "<code>.frame()</code> <code>.select(...)</code> "
                "<code>dl.check_linearizable(history, spec)</code>"
            ),
        )

    return _html._fit(build, [SHOWN, 4, 0])


def _cell(value):
    return "" if value is None else escape(value_text(value, 30))


def timeline_svg(verdict, limit):
    """Operations as bars in the order of events, one lane per process."""
    drawn, lanes, top = bars(verdict, limit)
    step = min(STEP, max(6, (WIDTH_MAX - LEFT) / (top + 1)))
    width, height = LEFT + step * (top + 1), LANE * len(lanes) + 30
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" font-size="11" '
    head += 'font-family="sans-serif" role="img" aria-label="operations of each process in order of events">'
    parts = [head]
    for i, lane in enumerate(lanes):
        parts.append(f'<text x="2" y="{LANE * i + 17}" fill="currentColor">{escape(lane)}</text>')
    for bar in drawn:
        parts.append(_bar(bar, step))
    place = f'x="{LEFT}" y="{height - 6}" fill="currentColor" opacity=".7"'
    parts.append(f"<text {place}>order of events (number) →</text></svg>")
    return "".join(parts)


def _bar(bar, step):
    x, w = LEFT + step * bar.start, max(step * (bar.end - bar.start), 2)
    y = LANE * bar.lane + 4
    red = bar.role in ("stuck", "witness")
    frame = f' stroke="{RED}" stroke-width="{3 if bar.role == "stuck" else 2}"' if red else ""
    dash = ' stroke-dasharray="4 2"' if red and bar.open else ""
    text = label(bar.op)
    fits = int(w / 6)
    text = text if len(text) <= fits else text[: max(fits - 1, 0)] + "…" if fits > 2 else ""
    mark = ""
    if bar.point is not None:
        at = LEFT + step * bar.point
        mark = f'<path d="M{at:.1f} {y - 2}v{BAR + 4}" stroke="currentColor" stroke-width="2"/>'
    return (
        f'<g><title>{escape(title(bar.op))}</title><rect x="{x:.1f}" y="{y}" width="{w:.1f}" height="{BAR}" '
        f'rx="2" fill="{COLOURS[bar.op.outcome]}" opacity="{0.5 if bar.open else 1}"{frame}{dash}/>'
        f'<text x="{x + 3:.1f}" y="{y + 13}" fill="#111">{escape(text)}</text>{mark}</g>'
    )


def verdict_html(verdict):
    """A verdict: what it is, why, and a small picture."""

    def build(count):
        lines = verdict.explain().split("\n")
        head = f"<p><b>{escape(lines[0])}</b></p>"
        why = "".join(f"<p>{escape(line)}</p>" for line in lines[1:4])
        picture = f'<div style="overflow-x:auto">{timeline_svg(verdict, count)}</div>' if count else ""
        return _html._block(
            head, why, picture, _html._quiet("<code>.witness .window .order .plot() .to_html(path)</code>")
        )

    return _html._fit(build, [INLINE_BARS, 8, 4, 0])


def verdict_page(verdict):
    """Everything about a verdict, as one HTML file."""
    lines = verdict.explain().split("\n")
    red = " class=red" if verdict.valid is False else ""
    parts = [f"<h1{red}>{escape(verdict.words)}</h1>", f"<p>{escape(lines[0])}</p>"]
    if verdict.history.source:
        parts.append(f"<p class=q>{escape(verdict.history.source)}</p>")
    parts += [f"<p>{escape(line)}</p>" for line in lines[1:3]]
    parts.append(f"<div class=scroll>{timeline_svg(verdict, 200)}</div>")
    parts.append(
        "<p class=q>Blue: ok. Orange: outcome unknown, it may take effect at any time from its call on. "
        "Grey: failed. "
        + ("Red frame: these operations have no legal order. " if verdict.valid is False else "")
        + ("Black mark: an instant at which the operation can take effect." if verdict.valid else "")
        + "</p>"
    )
    shown = verdict.witness if verdict.valid is False else verdict.order
    heading = "Operations without a legal order" if verdict.valid is False else "A legal order"
    if shown:
        parts.append(f"<h2>{heading}</h2><table><tr><th></th><th>operation</th><th>when</th></tr>")
        for k, op in enumerate(shown[:ROWS_ON_PAGE], 1):
            mark = " class=red" if verdict.stuck and op.index == verdict.stuck.index else ""
            cells = "</td><td>".join((str(k), escape(describe(op)), escape(verdict._when(op))))
            parts.append(f"<tr{mark}><td>{cells}</td></tr>")
        parts.append("</table>")
        if len(shown) > ROWS_ON_PAGE:
            parts.append(f"<p class=q>and {len(shown) - ROWS_ON_PAGE} more</p>")
    return PAGE.format(title=escape(verdict.words), body="".join(parts))
