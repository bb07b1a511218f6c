"""Laws made from what was measured: samples or buckets, and an honest word about the tail.

A measurement ends somewhere: at its largest sample, or where its last open bucket begins. What lies beyond is
an assumption, and queues are about tails, so every law made here carries a Source: how much was measured,
which share lies beyond, and how it was filled.

Within a bucket values are taken as uniform. A bucketed law becomes equally likely values: the quantiles
(i + 1/2) / m of that piecewise linear curve, so a quantile is off by at most 1 / (2 m) in probability.

Where a measurement has no open bucket, the share beyond its largest value is 1 / (n + 1): the chance that the
next of n + 1 exchangeable values is the largest.
"""

import math
import re
from dataclasses import dataclass, replace

import numpy as np

from . import _core, _units
from ._common import integer, short, warn
from ._distribution import _EMPIRICAL, SAMPLES_MAX, Distribution, mixture, own, pareto

POINTS = 100_000
OFF_MUCH = 0.05  # of the mean
ENOUGH = 1000  # values, so that p99.9 is measured
TAILS = 'tail must be "last", "pareto(alpha)" such as "pareto(1.5)", or "refuse"'
SHOWN = ((0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p99.9"))


@dataclass(frozen=True)
class Source:
    """Where a law comes from.

    Attributes
    ----------
    reader : "from_csv", "from_prometheus", "from_hdr" or "from_buckets"
    origin : what was read, such as "latency.csv, column ms"
    count : values measured
    beyond : the last measured value, or the edge where the open bucket begins (SI units)
    share : of the values that lie beyond it; open: whether they were counted in an open bucket
    tail : how that share was filled; within : how values lie inside a bucket
    notes : further remarks
    mean_off : mean of the law over the mean that the measurement itself kept, less 1 (0: none kept)
    """

    reader: str
    origin: str
    count: float
    beyond: float
    share: float
    open: bool
    tail: str
    within: str
    unit: str | None
    notes: tuple[str, ...] = ()
    mean_off: float = 0.0

    @property
    def measured_to(self):
        """The highest quantile that was measured, such as 0.988."""
        return 1 - self.share

    @property
    def serious(self):
        """Does the tail deserve a warning: values beyond the last edge, or too few for p99.9?"""
        return self.open or self.count < ENOUGH

    @property
    def remarks(self):
        """What a reader must know before believing the law (list of str)."""
        coarse = [self.notes[-1]] if abs(self.mean_off) > OFF_MUCH else []
        return ([self.sentence] if self.serious else []) + coarse

    @property
    def sentence(self):
        """What is not measured, and what stands in its place."""
        edge, to = pretty(self.beyond, self.unit), _quantile_name(self.measured_to)
        many = f"{_units.number(self.count, 12)} values"
        if self.open:
            lies = f"{_percent(self.share)} of {many} lie in the open bucket beyond {edge}"
        else:
            lies = f"nothing was measured beyond {edge}, the largest of {many}"
        if self.tail == "last":
            done = f'tail="last" ends the law there: above {to} it is too light'
        else:
            done = f'tail="{self.tail}" continues from there: above {to} it is an assumption'
        return f"{lies}; {done}"

    def moved(self, factor, shift):
        """The same source after every value was multiplied and shifted."""
        done = [f"multiplied by {factor:g}"] if factor != 1 else []
        done += [f"shifted by {pretty(shift, self.unit)}"] if shift else []
        return replace(self, beyond=self.beyond * factor + shift, notes=(*done, *self.notes))


def _percent(share):
    return f"{_units.number(100 * share, 3)} %"


def _quantile_name(q):
    return f"p{100 * q:.{4 if q > 0.999 else 2}f}".rstrip("0").rstrip(".")


def pretty(value, unit):
    """A value with the unit that gives readable digits."""
    size = abs(float(value))
    if unit == "s" and 0 < size < np.inf:
        return _units.quantity(
            value, "s", "s" if size >= 1 else "ms" if size >= 1e-3 else "us" if size >= 1e-6 else "ns"
        )
    return _units.quantity(value, unit)


def unit_of(name):
    """(SI unit, factor) of the unit of a file's numbers."""
    for unit, table in (("s", _units._TIME), ("byte", _units._SIZE)):
        if name in table:
            return unit, table[name]
    if name is None:
        return None, 1.0
    known = [*_units._TIME, *_units._SIZE]
    near = _core.nearest(name, known) if isinstance(name, str) else None
    hint = f"; did you mean {near!r}?" if near else ""
    raise ValueError(f"unit must be None or one of {', '.join(known)}, not {short(name)}{hint}")


def check_tail(tail):
    """("last" | "refuse" | "pareto", alpha or None)."""
    if tail in ("last", "refuse"):
        return tail, None
    found = re.fullmatch(r"\s*pareto\(\s*(?:alpha\s*=\s*)?([0-9.eE+-]+)\s*\)\s*", str(tail))
    try:
        alpha = float(found[1]) if found else 0.0
    except ValueError:
        alpha = 0.0
    if not 0 < alpha < np.inf:
        raise ValueError(f"{TAILS}, not {short(tail)}")
    return "pareto", alpha


class Bins:
    """Counts between edges: low and high of each bucket, and how many values lie beyond all of them."""

    def __init__(self, low, high, count, beyond=0.0):
        low, high, count = (np.asarray(v, np.float64) for v in (low, high, count))
        kept = count > 0
        self.low, self.high, self.count = low[kept], high[kept], count[kept]
        self.edge = float(high[-1]) if beyond > 0 and high.size else None
        self.open = float(beyond)
        if self.edge is None:
            self.edge = float(self.high[-1]) if self.high.size else np.nan
        self.total = float(self.count.sum()) + self.open

    def values(self, points):
        """Equally likely values of the closed buckets."""
        below = np.concatenate([[0.0], np.cumsum(self.count)])
        at = (np.arange(points) + 0.5) / points * below[-1]
        k = np.clip(np.searchsorted(below, at, side="right") - 1, 0, self.count.size - 1)
        inside = np.clip((at - below[k]) / self.count[k], 0.0, 1.0)
        return np.sort(self.low[k] + (self.high[k] - self.low[k]) * inside)


def from_bins(bins, about, tail, points):
    """The Distribution of a bucketed measurement; about: reader, origin, unit, notes of its Source."""
    points = integer("points", points, 1, SAMPLES_MAX)
    kind, alpha = check_tail(tail)
    reader, told = about["reader"], about.pop("told", math.nan)
    if not bins.total > 0:
        raise ValueError(f"{reader}: {about['origin']}: there is not one value in it")
    if not bins.count.size:
        raise ValueError(
            f"{reader}: {about['origin']}: every value lies in the open bucket; nothing is measured"
        )
    is_open = bins.open > 0
    share = bins.open / bins.total if is_open else 1 / (bins.total + 1)
    source = Source(
        count=bins.total, beyond=bins.edge, share=share, open=is_open, tail=_tail_text(kind, alpha),
        within="uniform inside each bucket", **about,
    )  # fmt: skip
    _judge(source, kind)
    body = Bins(bins.low, bins.high, bins.count)
    if kind == "last" and is_open:
        body = Bins(
            *(
                np.append(a, b)
                for a, b in ((bins.low, bins.edge), (bins.high, bins.edge), (bins.count, bins.open))
            )
        )
    law = _filled(body.values(points), source, alpha)
    return law if math.isnan(told) else _weighed(law, told)


def _weighed(law, told):
    """The mean of the law beside the one the measurement itself kept, which needs no buckets."""
    s, off = law.source, law.mean / told - 1 if told else 0.0
    text = f"its own sum gives the mean {pretty(told, s.unit)}"
    if abs(off) > OFF_MUCH:
        text += f", the law {pretty(law.mean, s.unit)} ({100 * off:+.2g} %): buckets or tail are coarse"
        warn(f"{s.reader}: {s.origin}: {text}")
    return named(law, replace(s, notes=(*s.notes, text), mean_off=off))


def from_values(values, about, tail):
    """The Distribution of single measured values."""
    kind, alpha = check_tail(tail)
    values = np.sort(values)
    source = Source(
        count=values.size, beyond=float(values[-1]), share=1 / (values.size + 1), open=False,
        tail=_tail_text(kind, alpha), within="every measured value as it is", **about,
    )  # fmt: skip
    _judge(source, kind)
    return _filled(values, source, alpha)


def _tail_text(kind, alpha):
    return f"pareto({alpha:g})" if kind == "pareto" else "last"


def _judge(source, kind):
    if kind == "refuse" and source.serious:
        few = "" if source.open else f", fewer than the {ENOUGH} that p99.9 needs"
        text = source.sentence.partition(";")[0]
        raise ValueError(f'{source.reader}: {source.origin}: {text}{few}, and tail="refuse" was asked for')
    if source.serious:
        warn(f"{source.reader}: {source.origin}: {source.sentence}")


def _filled(values, source, alpha):
    """Values with equal odds, and a power law in the place of the share beyond them."""
    values.setflags(write=False)
    record = np.zeros((), _core.DISTRIBUTION_DTYPE)
    record["kind"], record["count"] = _EMPIRICAL, values.size
    body = Distribution(record, (values,), unit=source.unit)
    if alpha is None:
        return named(body, source)
    if not source.beyond > 0:
        raise ValueError(f"{source.reader}: a Pareto tail needs a positive last value, not {source.beyond:g}")
    tail = pareto(alpha, source.beyond, unit=source.unit)
    return named(mixture((1 - source.share, body), (source.share, tail)), source)


def named(law, source):
    """The law with its source, and a text that says where it comes from."""
    mean = pretty(law.mean, source.unit)
    text = f"empirical({source.origin}: {_units.number(source.count, 12)} values, mean {mean})"
    return Distribution(law.record, law._pool, text, source.unit, source)


def scaled(law, factor):
    """Every draw of a measured law times a positive factor."""
    if law.source is None:
        raise ValueError(f"only a measured law can be multiplied, not {short(law)}")
    pool = [rows.copy() for rows in law._pool]
    record = own(law.record)
    record["shift"] *= factor
    if law.samples is not None:
        pool[int(record["table"])] *= factor
    else:
        for row in pool[0]:
            part = row["distribution"]
            if part["kind"] == _EMPIRICAL:
                pool[int(part["table"])] *= factor
            else:
                part["p"][1:3] *= factor  # pareto: alpha, low, high
            part["shift"] *= factor
    for rows in pool:
        rows.setflags(write=False)
    source = law.source.moved(factor, 0.0)
    return named(Distribution(record, pool, "", law.unit), source)


def line(law):
    """One line: how many values, mean, quantiles, tail."""
    s = law.source
    parts = [f"mean {pretty(law.mean, s.unit)}"]
    parts += [f"{name} {pretty(law.quantile(q), s.unit)}{mark(s, q)}" for q, name in SHOWN]
    return f"{s.origin}: {_units.number(s.count, 12)} values, {', '.join(parts)}"


def mark(source, q):
    """What is written beside a quantile that was not measured."""
    return "?" if q > source.measured_to else ""


def summary(law):
    """The whole story as text."""
    s = law.source
    rest = [f"{s.reader}: {line(law)}", f"tail: {s.sentence}", f"inside: {s.within}", *s.notes]
    if any(mark(s, q) for q, _ in SHOWN):
        rest.append("?: not measured")
    return "\n".join(rest)


def html(source):
    """The lines under a law's table."""
    from ._html import _quiet, _text

    word = "<b>Tail:</b> " if source.serious else "Tail: "
    told = [
        f"{_text(source.reader)} · {_text(source.origin, 200)} · {_units.number(source.count, 12)} values"
    ]
    told += [f"{word}{_text(source.sentence)}", _text(f"Inside: {source.within}")]
    return "".join(map(_quiet, [*told, *map(_text, source.notes)]))
