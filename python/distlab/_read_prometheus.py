"""Histograms in Prometheus' text exposition format: cumulative `le` buckets, counters that restart at 0.

A line is `name{label="value",...} number [timestamp]`; OpenMetrics puts an exemplar after ` # `. A histogram
is the series name_bucket with the label le, name_sum and name_count. Source: Prometheus, "Exposition
formats".

Between two scrapes the increase of a series is the difference of its counters. A counter that went down was
reset by a restart; then the increase since the restart is the later value, the least that is known.
"""

import math
import re
from pathlib import Path

import numpy as np

from ._common import nearest, short, warn
from ._measured import Bins, unit_of

BYTES_MAX = 256 * 2**20
LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|$)')
SAMPLE = re.compile(
    r'([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?\s+(\S+)(?:\s+(\S+))?\s*'
)
SUFFIXES = (("_seconds", "s"), ("_milliseconds", "ms"), ("_microseconds", "us"), ("_bytes", "byte"))


class Series:
    """The buckets of one series (labels without le): {edge: (count, line)}, and its sum and count."""

    def __init__(self):
        self.buckets, self.sum, self.count = {}, math.nan, math.nan


def text_of(source, what):
    """(text, name) of a path, or of text itself: text has a line break."""
    if isinstance(source, str) and ("\n" in source or "{" in source):
        return source, "text"
    if not isinstance(source, (str, Path)):
        raise TypeError(f"from_prometheus: {what} must be text or a path, not {short(source)}")
    path = Path(source)
    if not path.is_file():
        raise FileNotFoundError(f"from_prometheus: {what}: there is no file {path}")
    if path.stat().st_size > BYTES_MAX:
        raise ValueError(f"from_prometheus: {path} is larger than {BYTES_MAX} bytes")
    return path.read_text(encoding="utf-8", errors="replace"), path.name


def _number(text, where):
    try:
        return float(text.replace("Inf", "inf"))
    except ValueError:
        raise ValueError(f"{where}: {short(text)} is not a number") from None


def _labels(text, where):
    out, at = {}, 0
    text = (text or "").strip()
    while at < len(text):
        found = LABEL.match(text, at)
        if not found:
            raise ValueError(f"{where}: the labels {{{short(text)[1:-1]}}} cannot be read")
        value = re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), found[2])
        if found[1] in out:
            raise ValueError(f"{where}: the label {found[1]} appears twice")
        out[found[1]], at = value, found.end()
    return out


def read(source, metric, labels, what):
    """{labels without le: Series} of the series that match, and the name of the source."""
    text, name = text_of(source, what)
    metric = metric.removesuffix("_bucket")
    out, seen, values = {}, set(), {}
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        where = f"{name}: line {number}"
        found = SAMPLE.match(line)
        rest = line[found.end() :] if found else ""
        if not found or (rest and not rest.startswith("#")):
            raise ValueError(f'{where}: {short(line)} is no sample: name{{label="value"}} number')
        base, part = _base(found[1])
        if part == "_bucket":
            seen.add(base)
        if base != metric or part is None:
            continue
        given = _labels(found[2], where)
        for label, value in given.items():
            values.setdefault(label, set()).add(value)
        if all(given.get(k) == v for k, v in labels.items()):
            _keep(out, given, part, _number(found[3], where), where)
    if not any(series.buckets for series in out.values()):
        raise ValueError(_none(name, metric, labels, seen, values))
    return out, name


def _base(name):
    for part in ("_bucket", "_sum", "_count"):
        if name.endswith(part):
            return name.removesuffix(part), part
    return name, None


def _keep(out, given, part, value, where):
    edge = given.pop("le", None)
    series = out.setdefault(frozenset(given.items()), Series())
    if part == "_bucket":
        if edge is None:
            raise ValueError(f"{where}: a bucket without the label le")
        edge = _number(edge, f"{where}: le")
        if not 0 <= value < math.inf or math.isnan(edge):
            raise ValueError(f"{where}: a bucket counts from 0 up, not {value:g} at le={edge:g}")
        if edge in series.buckets:
            raise ValueError(
                f"{where}: the bucket le={edge:g} is there twice, first in line {series.buckets[edge][1]}; "
                "give two scrapes as two texts"
            )
        series.buckets[edge] = (value, int(where.rpartition(" ")[2]))
    elif part == "_sum":
        series.sum = value
    else:
        series.count = value


def _none(name, metric, labels, seen, values):
    if metric in seen:
        for key, value in labels.items():
            if key not in values:
                near = nearest(key, values)
                hint = f"; did you mean {near!r}?" if near else ""
                return f"{name}: {metric} has no label {key}{hint} (it has {', '.join(sorted(values))})"
            if value not in values[key]:
                some = ", ".join(sorted(values[key])[:8])
                return f"{name}: no series of {metric} has {key}={value!r} (there are {some})"
        return f"{name}: no series of {metric} has all of {labels}"
    near = nearest(metric, seen)
    hint = f"; did you mean {near!r}?" if near else ""
    some = ", ".join(sorted(seen)[:8]) or "none"
    return f"{name}: there is no histogram {metric}{hint} (histograms with le buckets: {some})"


def _checked(series, name, metric):
    """Edges and counts of one series: +Inf there, counts rising."""
    edges = np.array(sorted(series.buckets))
    if not np.isposinf(edges[-1]):
        last = series.buckets[edges[-1]][1]
        raise ValueError(f'{name}: line {last}: {metric} has no bucket le="+Inf", which holds every value')
    counts = np.array([series.buckets[e][0] for e in edges])
    falls = np.flatnonzero(np.diff(counts) < 0)
    if falls.size:
        edge = edges[falls[0] + 1]
        raise ValueError(
            f"{name}: line {series.buckets[edge][1]}: {metric} must be cumulative, but le={edge:g} counts "
            f"{counts[falls[0] + 1]:g}, less than the {counts[falls[0]]:g} below it"
        )
    if not math.isnan(series.count) and series.count != counts[-1]:
        line = series.buckets[edges[-1]][1]
        raise ValueError(
            f"{name}: line {line}: {metric}_count is {series.count:g}, but le=+Inf counts {counts[-1]:g}"
        )
    return edges, counts


def bins(source, metric, labels, since, unit):
    """(Bins, about) of the histogram, summed over the series that match, less what `since` had counted."""
    now, name = read(source, metric, labels, "the source")
    before = read(since, metric, labels, "since")[0] if since is not None else {}
    metric = metric.removesuffix("_bucket")
    shared, total, sums, resets = None, 0.0, 0.0, 0
    for key, series in now.items():
        if not series.buckets:
            continue
        edges, counts = _checked(series, name, metric)
        if shared is not None and not np.array_equal(edges, shared):
            raise ValueError(f"{name}: series of {metric} have different buckets; pick one by its labels")
        shared, value = edges, series.sum
        if key in before and before[key].buckets:
            old_edges, old = _checked(before[key], "since", metric)
            if not np.array_equal(old_edges, edges):
                raise ValueError(f"{name}: {metric} has other buckets than in the earlier scrape")
            reset = bool((counts < old).any())
            resets += reset
            counts = counts if reset else counts - old
            value = value if reset else value - before[key].sum
            if (np.diff(counts) < 0).any():
                raise ValueError(
                    f"{name}: the scrapes of {metric} do not follow each other: are they swapped?"
                )
        total, sums = total + counts, sums + value
    if resets:
        warn(f"from_prometheus: {resets} series started again between the scrapes: counted since then")
    return _result(name, metric, labels, unit, shared, np.asarray(total), sums, len(now), since, resets)


def _result(name, metric, labels, unit, edges, total, sums, many, since, resets):
    if unit is None:
        unit = next((u for end, u in SUFFIXES if metric.endswith(end)), None)
    si, factor = unit_of(unit)
    counts = np.diff(total, prepend=0.0)
    finite = edges[:-1] * factor
    if not finite.size:
        raise ValueError(f"{name}: {metric} has no bucket but +Inf, so nothing is measured")
    low = np.concatenate([[min(0.0, finite[0])], finite[:-1]])
    made = Bins(low, finite, counts[:-1], counts[-1])
    notes = [f"{many} series added"] if many > 1 else []
    notes += ["increase between two scrapes"] if since is not None else []
    notes += [f"{resets} series reset between the scrapes"] if resets else []
    told = sums * factor / total[-1] if total[-1] > 0 else math.nan
    wanted = ",".join(f'{k}="{v}"' for k, v in labels.items())
    origin = f"{name}, {metric}" + (f"{{{wanted}}}" if wanted else "")
    return made, {
        "reader": "from_prometheus",
        "origin": origin,
        "unit": si,
        "notes": tuple(notes),
        "told": told,
    }
