"""What if? A base and changed variants of it under the same luck, with intervals of the paired differences.

``dl.whatif("base.toml", {"servers": 2})`` runs both with common random numbers, repetition by repetition, and
hands the comparison to ``dl.compare``. It is `python -m distlab whatif` in Python.
"""

import math
import warnings
from pathlib import Path

import numpy as np

from . import _units, _whatif_assert
from ._common import need, short, text_table, unknown, warn
from ._compare import compare
from ._design import axis
from ._sweep import sweep
from ._whatif_base import VARIANTS_MAX, Base

BASE = "base"
METRICS_MAX = 14
PARTS = ("mean", "p50", "p99", "p999")


class WhatIf:
    """A base beside its variants.

    Attributes
    ----------
    model, base : the model, and the Base that was read
    labels : list of str
        Of the variants, the base not among them.
    changes : dict label -> dict of parameters
    sweep : Sweep over the dimension "variant"; comparison : Comparison, or None without variants
    metrics : list of columns in the table; idle : those left out because they are the same in every run
    verdicts : list of Answer, one for each assert and variant
    warnings : list of str
        What to know before believing the result: tails that were not measured, the model's own remarks.
    """

    def __init__(self, base, changes, swept, metrics, asserts, told, chosen=True):
        self.base, self.model, self.sweep = base, base.model, swept
        self.changes, self.labels, self.warnings = changes, list(changes), told
        self.comparison = compare(swept, over="variant") if changes else None
        self.metrics = metrics
        self.idle = []
        if not chosen:
            self.idle = [n for n in metrics if _idle(swept.array[n])]
            self.metrics = [n for n in metrics if n not in self.idle] or metrics[:1]
        self.verdicts = [v for a in asserts for v in self._verdicts(a)]

    @property
    def confidence(self):
        """Level of every interval."""
        return self.sweep.confidence

    @property
    def verdict(self):
        """ "holds" where every assert does, "fails" where one does, else "undecided"."""
        given = {v.verdict for v in self.verdicts}
        return "fails" if "fails" in given else "undecided" if "undecided" in given else "holds"

    @property
    def exit_code(self):
        """0 every assert holds, 1 one fails, 3 undecided."""
        return {"holds": 0, "fails": 1, "undecided": 3}[self.verdict]

    def value(self, column, label=BASE):
        """(mean, low, high) of a column of one variant, SI units."""
        labels = [BASE, *self.labels]
        if label not in labels:
            raise unknown("variant", label, labels)
        k, s = labels.index(label), self.sweep.stats(column)
        mean, low, high = (float(s[key].reshape(-1)[k]) for key in ("mean", "low", "high"))
        return (mean, mean, mean) if self.model.exact else (mean, low, high)

    def difference(self, column, label=None):
        """(mean, low, high) of variant - base of a column; by default of the first variant."""
        return self._paired("difference", column, label)

    def ratio(self, column, label=None):
        """(mean, low, high) of variant / base of a column."""
        return self._paired("ratio", column, label)

    def _paired(self, what, column, label):
        if self.comparison is None:
            raise ValueError("there is no variant to compare with the base")
        label = self.labels[0] if label is None else label
        if label not in self.labels:
            raise unknown("variant", label, self.labels)
        k, d = self.labels.index(label), getattr(self.comparison, what)(column)
        return tuple(float(d[key][k]) for key in ("mean", "low", "high"))

    def _verdicts(self, asked):
        labels = [asked.label] if asked.label else self.labels or [BASE]
        for label in labels:
            if asked.what != "value" and label == BASE:
                raise ValueError(
                    f"{asked.text!r}: the base is compared with itself; there is no variant to ask"
                )
            read = {"value": self.value, "difference": self.difference, "ratio": self.ratio}[asked.what]
            interval = read(asked.column, label)
            verdict = _whatif_assert.judge(asked, interval)
            yield _whatif_assert.Answer(
                asked.text, label, asked.column, asked.what, *interval, asked.limit, verdict
            )

    def table(self):
        """Rows as dicts: variant, metric, base, changed, difference low high, ratio, differs (SI units)."""
        rows = []
        for label in self.labels:
            for name in self.metrics:
                base, value = self.value(name)[0], self.value(name, label)[0]
                d, r = self.difference(name, label), self.ratio(name, label)
                row = {"variant": label, "metric": name, "base": base, "changed": value}
                row |= {"difference": d[0], "low": d[1], "high": d[2], "ratio": r[0]}
                rows.append(row | {"differs": d[1] > 0 or d[2] < 0})
        if not self.labels:
            rows = [
                dict(zip(("metric", "base", "low", "high"), (n, *self.value(n)), strict=True))
                for n in self.metrics
            ]
        return rows

    def frame(self):
        """``table`` as a pandas DataFrame (needs the sweep extra)."""
        return need("pandas", "sweep").DataFrame(self.table())

    def head(self):
        """One line: model, repetitions, seed, what the intervals are."""
        if self.model.exact:
            return f"{self.model.name}: exact, no interval"
        s, level = self.sweep, f"{_units.number(100 * self.confidence)} %"
        kind = "paired differences (common random numbers)" if self.labels else "the means"
        return f"{self.model.name}: {s.reps} repetitions, seed {s.seed}, {level} intervals of {kind}"

    def summary(self, notes=True):
        """The tables and verdicts as text, in display units; notes: what to know before believing it."""
        parts = [self.head()]
        for label in self.labels or [None]:
            changed = self.changes.get(label, {})
            told = ", ".join(f"{k}={self.base.shown(k, v)}" for k, v in changed.items())
            title = f"{label}: {told}" if label not in (None, told) else label
            parts.append(("" if title is None else f"{title}\n") + self._text(label))
        if self.labels and not self.model.exact:
            some = len(self.metrics) * len(self.labels)
            chance = _units.number(some * (1 - self.confidence), 2)
            parts.append(
                f"*: the interval of the difference excludes 0; of {some} rows about {chance} would by chance"
            )
        if self.idle:
            parts.append(f"the same in every run: {', '.join(self.idle)}")
        if self.verdicts:
            parts.append(text_table(self.verdict_rows(), ("assert", "variant", "interval", "verdict"), 120))
        parts += [f"note: {text}" for text in self.warnings if notes]
        return "\n\n".join(parts)

    def verdict_rows(self):
        """Texts of every verdict: assert, variant, interval, verdict."""
        return [
            (v.text, v.variant, _whatif_assert.interval_text(v, self.model.column(v.column)), v.verdict)
            for v in self.verdicts
        ]

    def _text(self, label):
        head = ("metric", "unit", "base") + (("changed", "difference", "change", "") if label else ())
        return text_table([(n, *self.cells(n, label)) for n in self.metrics], head, 120)

    def cells(self, name, label):
        """Texts of one row: unit, base, and of a variant its value, difference, change in %, mark."""
        column = self.model.column(name)
        scale, unit = _units.field_factor(column), _units.field_unit(column)

        def shown(interval):
            mean, low, high = (v * scale for v in interval)
            return _units.with_error(mean, math.nan if self.model.exact else (high - low) / 2)

        if label is None:
            return unit, shown(self.value(name))
        d, r = self.difference(name, label), self.ratio(name, label)[0]
        change = "" if not math.isfinite(r) else f"{100 * (r - 1):+.3g} %"
        star = "*" if d[1] > 0 or d[2] < 0 else "=" if d == (0, 0, 0) else ""
        return unit, shown(self.value(name)), shown(self.value(name, label)), shown(d), change, star

    def plot(self, what="change", ax=None):
        """Draw the relative "change" of every metric, or the "tail" of the first histogram; a picture or
        axes."""
        from ._plot_whatif import plot_change, plot_tail

        known = {"change": plot_change, "tail": plot_tail}
        if what not in known:
            raise unknown("what", what, known)
        return known[what](self, ax)

    def html(self, recipe=None):
        """The whole page as text: offline, pictures inlined; recipe: the command that makes it again."""
        from ._whatif_page import page

        return page(self, recipe)

    def save(self, path, recipe=None):
        """Write the page to a file; returns the path."""
        from ._common import check_ending
        from ._trace_export import _write

        check_ending(path, "a page (.html)", dict.fromkeys((".png", ".svg", ".pdf"), "plot().save(path)"))
        return _write(Path(path), [self.html(recipe)])

    def __repr__(self):
        many = f"{len(self.labels)} variant{'s' if len(self.labels) != 1 else ''}"
        told = f", asserts: {self.verdict}" if self.verdicts else ""
        return f"<distlab what-if of {self.model.name}: {many} beside the base{told}>"

    def _repr_html_(self):
        from ._whatif_page import fragment

        return fragment(self)


def whatif(base, variants=None, *, asserts=(), reps=None, seed=None, confidence=None, metrics=None,
           threads=None, progress=None):  # fmt: skip
    """Run a base and changed variants of it under the same luck, and say what differs.

    Parameters
    ----------
    base : path of a TOML file, or a dict like one
        {"model": ..., "parameters": {...}} and optionally seed, reps, confidence, metrics, asserts, data,
        variants, title, note; see docs/whatif.md.
    variants : dict, list of dict, or dict label -> dict, optional
        Parameters that differ from the base: ``{"servers": 2}``, ``[{"servers": 2}, {"servers": 4}]``,
        ``{"bigger": {"servers": 4}}``. By default the variants of the base; {} runs the base alone.
    asserts : list of str
        Questions such as "latency_p99 < 200ms", "latency_p99 <= 1.05 * base", "bigger: loss < base + 1%",
        asked of the interval; they come after those of the base.
    reps, seed, confidence, metrics
        Instead of those of the base (by default 20, 1, 0.95, the model's main columns).
    threads, progress
        As in ``dl.sweep``.

    Returns a WhatIf. TypeError, ValueError or UnknownNameError say what is wrong, with file, line and key.
    """
    base = base if isinstance(base, Base) else Base(base)
    model, settings = base.model, base.settings
    changes = _variants(base, variants)
    labels = [BASE, *changes]
    if isinstance(asserts, str):
        asserts = [asserts]
    asked = []
    for k, text in enumerate([*settings.get("asserts", []), *asserts]):
        try:
            asked.append(_whatif_assert.parse(model, text, labels))
        except (ValueError, TypeError, KeyError) as error:
            raise base.mistake(
                error, "", "asserts" if k < len(settings.get("asserts", [])) else None
            ) from None
    columns = _columns(base, metrics)
    call = {"seed": settings.get("seed", 1) if seed is None else seed}
    given = {"reps": reps, "confidence": confidence}
    call |= {k: settings.get(k) if v is None else v for k, v in given.items()}
    told = [f"{name}: {text}" for name, (law, _, _) in base.laws.items() for text in law.source.remarks]
    swept, more = _run(base, changes, {**call, "threads": threads, "progress": progress})
    return WhatIf(base, changes, swept, columns or default_metrics(model), asked, told + more, bool(columns))


def _idle(values):
    """Is a column the same in every run, or not there at all?"""
    return bool(np.isnan(values).all() or (values == values.flat[0]).all())


def _columns(base, metrics):
    """The columns asked for; None where nobody did."""
    model, given = base.model, base.settings.get("metrics") if metrics is None else metrics
    if given is None:
        return None
    try:
        return [model.column(n)["name"] for n in ([given] if isinstance(given, str) else given)]
    except (KeyError, TypeError) as error:
        raise base.mistake(error, "", "metrics" if metrics is None else None) from None


def default_metrics(model):
    """Mean, p50, p99 and p99.9 of histograms, and the other metrics."""
    names = []
    for metric in model.metrics:
        parts = PARTS if metric["type"] == "histogram" else ()
        names += [f"{metric['name']}_{p}" for p in parts] or [metric["name"]]
    return names[:METRICS_MAX]


def _variants(base, given):
    """{label: parameters}, each checked."""
    if given is None:
        found = base.variants
    elif isinstance(given, (list, tuple)):
        found = {_label(g): g for g in given}
        if len(found) < len(given):
            raise ValueError("variants: two of them are the same")
    elif isinstance(given, dict) and given and all(isinstance(v, dict) for v in given.values()):
        found = given
    elif isinstance(given, dict):
        found = {_label(given): given} if given else {}
    else:
        raise TypeError(f"variants must be a dict, a list of dicts or a dict of dicts, not {short(given)}")
    if len(found) > VARIANTS_MAX:
        raise ValueError(f"variants: at most {VARIANTS_MAX}, not {len(found)}")
    out = {}
    for label, changes in found.items():
        if not isinstance(label, str) or label == BASE or not label:
            raise ValueError(f"a variant cannot be called {label!r}")
        if not isinstance(changes, dict) or not changes:
            raise ValueError(f"variant {label}: it changes nothing; name a parameter, such as servers=2")
        out[label] = changes if given is None else base.values(changes, f"variant {label}")
    return out


def _label(changes):
    if not isinstance(changes, dict):
        raise TypeError(f"a variant is a dict of parameters, not {short(changes)}")
    return ", ".join(f"{k}={v}" for k, v in changes.items())


def _run(base, changes, call):
    """The sweep over the variants, and the warnings that came with it."""
    model = base.model
    names = list(dict.fromkeys(name for changed in changes.values() for name in changed))
    start = {n: base.parameters.get(n, model.field(n)["default"]) for n in names}
    points = {BASE: start} | {label: start | changed for label, changed in changes.items()}
    fixed = {k: v for k, v in base.parameters.items() if k not in start}
    call = {k: v for k, v in call.items() if v is not None}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            axes = [axis("variant", list(points), points.__getitem__)] if changes else []
            swept = sweep(model, *axes, **fixed, **call)
        except (TypeError, ValueError) as error:
            raise base.blame(error) from None
    told = [str(w.message) for w in said]
    for text in told:
        warn(text)
    return swept, told
