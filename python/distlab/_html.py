"""Results as they show themselves in a notebook: small tables, at most 8 kB each, no script and no URL.

Colours are inherited from the page (`currentColor`, `opacity`), so light and dark themes both work, and text
is escaped. What does not fit is cut by rows, and the page says how to see the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

import numpy as np

from distlab import _units
from distlab._spark import curve, lines

BYTES_MAX = 8000
ROWS_SHOWN = 8
COLUMNS_SHOWN = 4
SPARK_LINES = 6
PARTS = ("mean", "p50", "p90", "p95", "p99", "p999", "max")

_STYLE = (
    "<style>.dlab{max-width:60em;line-height:1.35}.dlab.dlab table{border-collapse:collapse;margin:.4em 0;"
    "font-size:.92em}.dlab.dlab table th,.dlab.dlab table td{padding:.16em .75em .16em .3em;text-align:left;"
    "vertical-align:top}.dlab.dlab table thead th{border-bottom:1px solid currentColor;font-weight:600}"
    ".dlab.dlab table .n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}"
    ".dlab.dlab code{background:none;padding:0;color:inherit;white-space:nowrap}.dlab .q{opacity:.7}"
    ".dlab.dlab p{margin:.25em 0}.dlab summary{cursor:pointer}</style>"
)


def _block(*parts: str) -> str:
    return f'<div class="dlab">{_STYLE}{"".join(p for p in parts if p)}</div>'


def _text(value: Any, limit: int = 0) -> str:
    text = str(value)
    return escape(text if not limit or len(text) <= limit else text[: limit - 1] + "…")


def _prose(value: Any, limit: int = 0) -> str:
    """Text of a descriptor: words between backquotes are code, the full stop stays only inside."""
    pieces = _text(str(value).rstrip("."), limit).split("`")
    if len(pieces) % 2 == 0:
        return "`".join(pieces)
    return "".join(f"<code>{p}</code>" if k % 2 else p for k, p in enumerate(pieces))


def _code(value: Any) -> str:
    return f"<code>{_text(value)}</code>"


def _quiet(markup: str) -> str:
    return f'<p class="q">{markup}</p>' if markup else ""


class _Number(str):
    """A cell that is set flush right."""


def _cell(tag: str, value: str) -> str:
    return f"<{tag} class=n>{value}</{tag}>" if isinstance(value, _Number) else f"<{tag}>{value}</{tag}>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of ready markup."""
    rows = list(rows)
    if not rows:
        return ""
    top = "".join(_cell("th", h) for h in head)
    body = "".join("<tr>" + "".join(_cell("td", c) for c in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _fit(build: Callable[[int], str], levels: Sequence[int]) -> str:
    """The first level of detail that fits into the limit, else the last."""
    page = ""
    for level in levels:
        page = build(level)
        if len(page.encode()) <= BYTES_MAX:
            return page
    return page


def _unit_note(field: Any) -> str:
    unit = _units.field_unit(field)
    return f" <span class=q>({_text(unit)})</span>" if unit else ""


def models_html(models: Iterable[Any]) -> str:
    """The catalogue: name, what it is, how much there is to set and to read."""
    models = list(models)

    def build(count: int) -> str:
        rows = [
            (
                _code(m.name),
                _text(m.title, 90),
                _Number(len(m.fields)),
                _Number(len(m.metrics)),
                "exact" if m.exact else "simulation",
            )
            for m in models[:count]
        ]
        more = len(models) - count
        rest = f"and {more} more: <code>list(dl.models())</code>. " if more > 0 else ""
        return _block(
            f"<p><b>{len(models)} model{'s' if len(models) != 1 else ''}</b></p>",
            _table(("model", "what it is", _Number("parameters"), _Number("metrics"), "kind"), rows),
            _quiet(rest + (f"Show one: <code>dl.{_text(models[0].name)}</code>" if models else "")),
        )

    return _fit(build, [len(models), 60, 40, 25, 10])


def _range(field: Any) -> str:
    """What a parameter accepts, in display units."""
    kind = field["type"]
    if kind in ("choice", "flags"):
        return ", ".join(_text(c) for c in field["choices"])
    if kind == "bool":
        return "true, false"
    if kind == "table":
        return "a table"
    low, high = field.get("min"), field.get("max")
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return "a distribution" if kind == "distribution" else ""
    scale = _units.field_factor(field)
    text = f"{_units.number(low * scale)} … {_units.number(high * scale)}"
    return f"mean {text}" if kind == "distribution" else text


def model_html(model: Any) -> str:
    """A model: story, parameters with unit, default and range, metrics, outputs, planted bugs, source.

    What does not fit goes in this order: sentences about metrics, the ends of sentences about parameters, all
    of them, parameters after the fortieth.
    """

    def build(level: int) -> str:
        docs = (10_000, 10_000, 100, 70, 45, 0, 0)[level]
        story = (10_000, 900, 600, 500, 400, 300, 200)[level]
        shown = list(model.fields)[: 40 if level == 6 else None]
        rows, group = [], None
        for field in shown:
            if field.get("group") and field["group"] != group:
                group = field["group"]
                if level < 5:
                    rows.append((f"<i>{_text(group)}</i>", "", "", "")[: 4 if docs else 3])
            default = _units.value_text(field["default"], field)
            row = [_code(field["name"]), _text(default, 60), _range(field) + _unit_note(field)]
            rows.append((*row, _prose(field["doc"], docs)) if docs else tuple(row))
        head = ("parameter", "default", "accepts", "meaning")[: 4 if docs else 3]
        more = len(model.fields) - len(shown)
        rest = f"and {more} more parameters; " if more > 0 else ""
        return _block(
            f"<p><b>{_text(model.name)}</b>: {_text(model.title)}</p>",
            f"<p>{_prose(model.doc, story)}.</p>",
            _table(head, rows),
            _metrics(model, docs if level == 0 else 0),
            _extras(model, docs if level == 0 else 0),
            _quiet(
                f"{rest}everything: <code>help(dl.{_text(model.name)})</code>"
                + (f" · source: {_text(model.source, 300)}" if model.source and level < 5 else "")
            ),
        )

    return _fit(build, range(7))


def _metrics(model: Any, docs: int) -> str:
    if not docs:
        names = ", ".join(_code(m["name"]) for m in list(model.metrics)[:40])
        return f"<p>metrics: {names}</p>"
    closed = set(model.theory_columns)
    rows = [
        (
            _code(m["name"]) + _unit_note(m),
            _text(m["type"]) if m["type"] in ("histogram", "estimate") else "",
            _prose(m["doc"], docs) + (" <i>closed form</i>" if _known(m["name"], closed) else ""),
        )
        for m in model.metrics
    ]
    return (
        f"<details><summary>{len(rows)} metrics</summary>{_table(('metric', '', 'meaning'), rows)}</details>"
    )


def _known(metric: str, closed: set[str]) -> bool:
    return any(c == metric or c.startswith(metric + "_") for c in closed)


def _extras(model: Any, docs: int) -> str:
    """Output tables and planted bugs, one line each."""
    text = ""
    for word, rows in (("keep", model.outputs), ("bug", model.bugs)):
        items = [
            f"{_code(r['name'])}" + (f" {_prose(r['doc'], docs)}" if docs else "")
            for r in rows
            if r["name"] != "none"
        ]
        if items:
            text += _quiet(f"<code>{word}=</code> " + "; ".join(items))
    return text


def _changed(result: Any) -> str:
    """The parameters that are not at their default."""
    from distlab._run import changed

    given = result.changed if hasattr(result, "changed") else changed(result.model, result._row, result._pool)
    parts = [
        f"{_code(k)} {_text(_units.value_text(v, result.field(k)), 60)}" for k, v in list(given.items())[:12]
    ]
    if len(given) > 12:
        parts.append(f"{len(given) - 12} more")
    return ", ".join(parts) + "; the rest at defaults" if parts else "every other parameter at its default"


def _histograms(model: Any, values: Any, theory: Any) -> str:
    """One row for each histogram: its mean, quantiles and maximum; closed forms below."""
    rows = []
    for metric in model.metrics:
        if metric["type"] != "histogram":
            continue
        scale = _units.field_factor(metric)
        names = [f"{metric['name']}_{p}" for p in PARTS]
        rows.append(
            (
                _code(metric["name"]) + _unit_note(metric),
                *(_Number(_units.number(values.get(n, math.nan) * scale)) for n in names),
            )
        )
        if any(math.isfinite(theory.get(n, math.nan)) for n in names):
            rows.append(
                (
                    "<span class=q>closed form</span>",
                    *(_Number(_optional(theory.get(n, math.nan) * scale)) for n in names),
                )
            )
    heads = [_Number("p99.9" if p == "p999" else p) for p in PARTS]
    return _table(("", *heads), rows)


def _optional(value: float) -> str:
    return "" if math.isnan(value) else _units.number(value)


def run_html(run: Any) -> str:
    """One run: what was set, its metrics with units, closed forms beside them."""
    model, values, theory = run.model, dict(run.metrics), dict(run.theory or {})
    closed = any(math.isfinite(v) for v in theory.values())

    def build(docs: int) -> str:
        rows = []
        for metric in model.metrics:
            if metric["type"] == "histogram" or metric["name"] not in values:
                continue
            name, scale = metric["name"], _units.field_factor(metric)
            inside = run.stats(name)
            half = (inside["high"] - inside["low"]) / 2 if metric["type"] == "estimate" else math.nan
            cell = _units.with_error(values[name] * scale, half * scale)
            row = [_code(name), _Number(cell), _text(_units.field_unit(metric))]
            row += [_Number(_optional(theory.get(name, math.nan) * scale))] if closed else []
            rows.append([*row, f"<span class=q>{_prose(metric['doc'], docs)}</span>"] if docs else row)
        head = [
            "metric",
            _Number("value"),
            "unit",
            *([_Number("closed form")] if closed else []),
            *(["meaning"] if docs else []),
        ]
        seed = "exact" if model.exact else f"one run, seed {_text(run.seed)}"
        if run.fingerprint is not None:
            seed += f" · events {_code(f'{run.fingerprint:016x}')}"
        kept = ", ".join(_code(n) for n in (*(run.series or {}), *(run.tables or {})))
        return _block(
            f"<p><b>{_text(model.name)}</b> · {seed}</p>",
            _quiet(_changed(run)),
            _histograms(model, values, theory),
            _table(head, rows),
            _quiet(f"kept: {kept}" if kept else ""),
        )

    return _fit(build, [200, 80, 40, 0])


def _dim_line(sweep: Any, dim: str) -> str:
    values = list(sweep.coords[dim])
    field = _field(sweep, dim)
    shown = values if len(values) <= 6 else [*values[:3], "…", *values[-2:]]
    text = ", ".join(
        "…" if v == "…" and isinstance(v, str) else _text(_units.value_text(v, field, unit=False), 50)
        for v in shown
    )
    return f"{_code(dim)}{_unit_note(field)}: {len(values)} value{'s' if len(values) != 1 else ''}, {text}"


def _field(sweep: Any, dim: str) -> Any:
    try:
        return sweep.field(dim)
    except (KeyError, ValueError):
        return {"name": dim}


def main_columns(model: Any, limit: int = COLUMNS_SHOWN) -> list[str]:
    """The columns to show first: mean and p99 of the first histogram, then the first other metrics."""
    names: list[str] = []
    for metric in model.metrics:
        if metric["type"] == "histogram":
            if not names or names[0].rpartition("_")[0] == "":
                names[:0] = [f"{metric['name']}_mean", f"{metric['name']}_p99"]
            continue
        names.append(metric["name"])
    return names[:limit]


def sweep_html(sweep: Any) -> str:
    """A sweep: its dims, its main columns in the first rows, a sparkline of the first of them."""
    model, names = sweep.model, main_columns(sweep.model)
    columns = [sweep.column(n) for n in names]
    stats = [sweep.stats(n) for n in names]
    dims = list(sweep.dims)
    points = int(np.prod(sweep.shape)) if dims else 1

    def build(count: int) -> str:
        rows = []
        for i in range(min(points, count)):
            place = np.unravel_index(i, sweep.shape) if dims else ()
            row = [
                _Number(_text(_units.value_text(sweep.coords[d][k], _field(sweep, d), unit=False), 40))
                for d, k in zip(dims, place, strict=True)
            ]
            for column, s in zip(columns, stats, strict=True):
                scale = _units.field_factor(column)
                half = 0.5 * (float(s["high"][place]) - float(s["low"][place])) * scale
                row.append(
                    _Number(
                        _units.with_error(float(s["mean"][place]) * scale, math.nan if model.exact else half)
                    )
                )
            rows.append(row)
        head = [_Number(_code(d) + _unit_note(_field(sweep, d))) for d in dims]
        head += [_Number(_code(n) + _unit_note(c)) for n, c in zip(names, columns, strict=True)]
        more = points - min(points, count)
        how = (
            "exact"
            if model.exact
            else (
                f"{sweep.reps} repetitions, ± is the half-width of the "
                f"{_units.number(100 * sweep.confidence)} % interval"
            )
        )
        failed = f" · {len(sweep.failures)} runs failed" if sweep.failures else ""
        return _block(
            f"<p><b>{_text(model.name)}</b> · {points} point{'s' if points != 1 else ''} · {how}{failed}</p>",
            *(_quiet(_dim_line(sweep, d)) for d in dims),
            _quiet(_changed(sweep)),
            _spark(sweep, names[0]),
            _table(head, rows),
            _quiet(
                (f"and {more} more; " if more else "") + "<code>.frame()</code> <code>.dataset</code> "
                "<code>.plot()</code>"
            ),
        )

    return _fit(build, [ROWS_SHOWN, 5, 3, 1, 0])


def _spark(sweep: Any, name: str) -> str:
    """The first column along the longest dim, one line for each other combination (at most six)."""
    if not sweep.dims or max(sweep.shape) < 3:
        return ""
    along = int(np.argmax(sweep.shape))
    scale = _units.field_factor(sweep.column(name))
    values = np.moveaxis(np.asarray(sweep.stats(name)["mean"], float), along, -1).reshape(
        -1, sweep.shape[along]
    )
    text = f"{_units.column_label(sweep.column(name))} along {_units.words(sweep.dims[along])}"
    return lines(values[:SPARK_LINES] * scale, text)


def distribution_html(distribution: Any) -> str:
    """A distribution: its text, moments, quantiles and cumulative curve."""
    unit = distribution.unit
    median = float(distribution.quantile(0.5))
    shown = _display(unit, abs(median))
    cells = [
        ("mean", distribution.mean),
        *(
            (label, distribution.quantile(q))
            for q, label in ((0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p99.9"))
        ),
    ]
    head = [_Number(name) for name, _ in cells] + [_Number("scv")]
    row = [_Number(_text(_units.quantity(float(v), unit, shown))) for _, v in cells]
    row.append(_Number(_units.number(float(distribution.scv), 3)))
    low, high = (float(distribution.quantile(p)) for p in (0.001, 0.995))
    picture = ""
    if high > low:
        x = np.geomspace(low, high, 60) if low > 0 and high > 30 * low else np.linspace(low, high, 60)
        picture = curve(np.asarray(distribution.cdf(x), float), "fraction at or below, up to p99.5")
    told = ""
    if distribution.source is not None:
        from distlab._measured import html as told_html

        told = told_html(distribution.source)
    return _block(f"<p><b>{_text(distribution, 200)}</b></p>", _table(head, [row]), picture, told)


def _display(unit: str | None, size: float) -> str | None:
    if unit != "s" or not 0 < size < math.inf:
        return unit
    return "s" if size >= 1 else "ms" if size >= 1e-3 else "us"


def compare_html(comparison: Any) -> str:
    """A comparison: each difference with its interval, the ratio, and whether they are told apart."""
    about = comparison.column(comparison.model.main_column)
    every = comparison.table(about["name"])
    scale, dims = _units.field_factor(about), list(comparison.dims)

    def build(count: int) -> str:
        rows = []
        for row in every[:count]:
            half = (row["high"] - row["low"]) / 2 * scale
            rows.append(
                (
                    *(_text(_units.value_text(row[d], comparison.field(d)), 40) for d in dims),
                    _Number(_units.number(row["value"] * scale)),
                    _Number(_units.with_error(row["difference"] * scale, half)),
                    _Number(_units.number(row["ratio"], 3)),
                    "yes" if row["differs"] else "no",
                )
            )
        head = (
            *map(_code, dims),
            _Number(_code(about["name"]) + _unit_note(about)),
            _Number("difference"),
            _Number("ratio"),
            "told apart",
        )
        kind = "paired by common random numbers" if comparison.paired else "Welch intervals, no pairs"
        level = _units.number(100 * comparison.confidence)
        how = f"{comparison.reps} repetitions, {level} % intervals, {kind}"
        how = "exact" if comparison.model.exact else how
        base = _units.value_text(comparison.baseline, comparison.field(comparison.over))
        more = len(every) - min(count, len(every))
        return _block(
            f"<p><b>{_text(comparison.model.name)}</b> · difference from {_text(comparison.over)} "
            f"{_text(base, 60)}</p>",
            _table(head, rows),
            _quiet(
                (f"and {more} more · " if more else "") + f"{_text(how)} · "
                "other columns: <code>.table(column)</code> <code>.plot(column)</code>"
            ),
        )

    return _fit(build, [24, 16, 10, 5, 2])


def enumeration_html(walk: Any) -> str:
    """Every way the coins fall: the likeliest outcomes with their probabilities, expectations below."""
    model, names = walk.model, walk._by(None)
    table = sorted(walk.outcomes().tolist(), key=lambda row: -row[-1])

    def build(count: int) -> str:
        rows = []
        for *values, probability in table[:count] if names else []:
            cells = [v * _units.field_factor(walk.column(n)) for n, v in zip(names, values, strict=True)]
            rows.append([*(_Number(_units.number(c)) for c in cells), _Number(_units.number(probability, 6))])
        head = [_Number(_code(n) + _unit_note(walk.column(n))) for n in names] + [_Number("probability")]
        expected = [
            (
                _code(n) + _unit_note(walk.column(n)),
                _Number(_units.number(walk.expect(n) * _units.field_factor(walk.column(n)), 6)),
            )
            for n in walk.metrics.dtype.names[: 4 * count]
        ]
        more = len(table) - min(count, len(table))
        return _block(
            f"<p><b>{_text(model.name)}</b> · every way the coins fall · {len(walk)} "
            f"run{'s' if len(walk) != 1 else ''}</p>",
            _quiet(_changed(walk)),
            _table(head, rows),
            _table(("column", _Number("expectation")), expected),
            _quiet(
                (f"and {more} more outcomes · " if more else "")
                + "<code>.outcomes(by=[...])</code> <code>.expect(column)</code> <code>.replay(run)</code>"
            ),
        )

    return _fit(build, [24, 16, 10, 5, 2])
