"""Laws from measurements: ``dl.empirical(samples)``, and readers of the files that monitoring leaves behind.

Every reader returns a Distribution with a ``source``: how much was measured, which share lies beyond the last
measured value, and how that share was filled.
"""

import csv
import math
from pathlib import Path

import numpy as np

from . import _core, _measured
from ._common import integer, nearest, short, warn
from ._distribution import _EMPIRICAL, SAMPLES_MAX, Distribution, _check_unit, _numbers, _shifted

ROWS_MAX = 10_000_000
BUCKETS_MAX = 1_000_000


class Empirical:
    """Laws made from measurements: call it with samples, or use one of its readers.

    The readers take ``tail=``, what stands for the share that was not measured:

    - ``"last"``: the law ends at the last measured value (for an open bucket: at its edge). Too light.
    - ``"pareto(1.5)"``: a power law continues from there; alpha is your assumption.
    - ``"refuse"``: ValueError where values lie beyond the last edge, or where fewer than 1000 were measured.

    Where one of these two holds a DistlabWarning says how large the share is and what was done about it;
    ``law.source`` and ``law.summary()`` always do. Draws inside a bucket are uniform.
    """

    __slots__ = ()

    def __call__(self, samples, *, shift=0, unit=None):
        """A distribution that draws the given samples with equal odds.

        Parameters
        ----------
        samples : array of shape (n,), 1 <= n <= 1e8
            Finite numbers in SI units (seconds for times), in any order; a copy is kept, sorted.

        With n samples nothing is known above the quantile 1 - 1/n; below a thousand samples (p99.9) a
        DistlabWarning says so, because tails are what queues are about. TypeError or ValueError for anything
        else.
        """
        array = _numbers("samples", samples.to_numpy() if hasattr(samples, "to_numpy") else samples)
        if array.ndim != 1 or not 1 <= array.size <= SAMPLES_MAX:
            raise ValueError(
                f"samples must have shape (n,) with n from 1 to {SAMPLES_MAX}, not {array.shape}"
            )
        if not np.isfinite(array).all():
            raise ValueError(
                f"samples must be finite; {int((~np.isfinite(array)).sum())} of {array.size} are not"
            )
        array = np.sort(array)
        array.setflags(write=False)
        if array.size < _measured.ENOUGH:
            warn(
                f"empirical: {array.size} samples say nothing above p{100 - 100 / array.size:.4g}; "
                f"the largest draw will be {array[-1]:.4g}"
            )
        record = np.zeros((), _core.DISTRIBUTION_DTYPE)
        record["kind"], record["count"] = _EMPIRICAL, array.size
        made = Distribution(record, (array,), unit=_check_unit(unit))
        return made if isinstance(shift, (int, float)) and shift == 0 else _shifted(made, shift)

    def from_csv(self, path, column, *, unit, tail="last", delimiter=",", samples_max=ROWS_MAX):
        """A column of a CSV file, one value a row, every value with equal odds.

        Parameters
        ----------
        path : str or Path
        column : str or int
            Its name in the first row, or its number from 0 (then the first row may be a value already).
        unit : str or None
            Unit of the numbers in the file: "ms", "us", "s", "KiB", ...; None for plain numbers.
        tail : "last", "pareto(alpha)" or "refuse"
        delimiter : str, one character
        samples_max : int
            Most rows; a longer file is an error.

        Returns a Distribution. ValueError names the file and line of what is no finite number.
        """
        path = _file("from_csv", path)
        si, factor = _measured.unit_of(unit)
        limit = integer("samples_max", samples_max, 1, SAMPLES_MAX)
        if not isinstance(delimiter, str) or len(delimiter) != 1:
            raise ValueError(f"delimiter must be one character, not {short(delimiter)}")
        with open(path, newline="", encoding="utf-8-sig", errors="replace") as file:
            values = _column(path.name, csv.reader(file, delimiter=delimiter), column, limit)
        origin = f"{path.name}, column {column}"
        notes = (f"numbers read as {unit}",) if unit is not None else ()
        about = {"reader": "from_csv", "origin": origin, "unit": si, "notes": notes}
        return _measured.from_values(np.array(values) * factor, about, tail)

    def from_buckets(self, edges, counts, *, unit=None, tail="last", points=_measured.POINTS):
        """Counts between edges.

        Parameters
        ----------
        edges : array of shape (n + 1,)
            Rising; the last may be inf: an open bucket.
        counts : array of shape (n,)
            Values in each bucket, not cumulative.
        unit : str or None
            Unit of the edges: "ms", "us", "s", "KiB", ...
        tail : "last", "pareto(alpha)" or "refuse"
        points : int
            Equally likely values that stand for the buckets: a quantile is off by 1 / (2 points) at most.
        """
        edges, counts = _numbers("edges", edges), _numbers("counts", counts)
        if counts.ndim != 1 or edges.shape != (counts.size + 1,) or not 1 <= counts.size <= BUCKETS_MAX:
            raise ValueError(
                f"counts must have shape (n,) and edges (n + 1,), n from 1 to {BUCKETS_MAX}; not "
                f"{counts.shape} and {edges.shape}"
            )
        rises = edges[1:] > edges[:-1]
        if not np.isfinite(edges[:-1]).all() or not rises.all():
            k = int(np.argmin(rises))
            raise ValueError(
                f"edges must rise, and only the last may be inf: edges[{k}] = {edges[k]:g}, "
                f"edges[{k + 1}] = {edges[k + 1]:g}"
            )
        if not ((counts >= 0) & np.isfinite(counts)).all():
            raise ValueError(f"counts must be 0 or more: {counts[~(counts >= 0)][:1]} is not")
        si, factor = _measured.unit_of(unit)
        is_open = math.isinf(edges[-1])
        closed = slice(None, -1) if is_open else slice(None)
        low, high = edges[:-1] * factor, edges[1:] * factor
        bins = _measured.Bins(low[closed], high[closed], counts[closed], counts[-1] if is_open else 0.0)
        about = {"reader": "from_buckets", "origin": f"{counts.size} buckets", "unit": si}
        return _measured.from_bins(bins, about, tail, points)

    def from_prometheus(
        self, source, metric, labels=None, *, since=None, unit=None, tail="last", points=_measured.POINTS
    ):
        """A histogram of Prometheus' text format: cumulative buckets with the label le.

        Parameters
        ----------
        source : str or Path
            The text of a scrape, or the path of a file with it.
        metric : str
            Its name, with or without _bucket.
        labels : dict, optional
            Labels that a series must have; those that match are added up (as sum by (le) does).
        since : str or Path, optional
            An earlier scrape: what it had counted is subtracted, series by series. A series that was reset
            in between counts from its restart on, with a DistlabWarning.
        unit : str, optional
            Unit of le; by default that in the name of the metric (_seconds, _milliseconds, _bytes).
        tail : "last", "pareto(alpha)" or "refuse"
            For what lies above the last finite bucket; "last" is what histogram_quantile answers.
        points : int
        """
        from ._read_prometheus import bins

        if not isinstance(metric, str):
            raise TypeError(f"metric must be text such as 'request_seconds', not {short(metric)}")
        if not isinstance(labels or {}, dict):
            raise TypeError(f"labels must be a dict such as {{'job': 'api'}}, not {short(labels)}")
        made, about = bins(source, metric, {k: str(v) for k, v in (labels or {}).items()}, since, unit)
        return _measured.from_bins(made, about, tail, points)

    def from_hdr(self, path, *, unit=None, tag=None, tail="last", points=_measured.POINTS):
        """An HdrHistogram file: the interval log (compressed V2 histograms) or the percentile text (.hgrm).

        Parameters
        ----------
        path : str or Path
        unit : str, optional
            Unit of the recorded numbers, by default "ns" for a log and "ms" for a percentile text.
        tag : str, optional
            Which lines of a log with tags; by default those without one. All intervals are merged.
        tail : "last", "pareto(alpha)" or "refuse"
        points : int
        """
        from ._read_hdr import bins

        if tag is not None and not isinstance(tag, str):
            raise TypeError(f"tag must be text, not {short(tag)}")
        made, about = bins(_file("from_hdr", path), unit, tag)
        return _measured.from_bins(made, about, tail, points)

    def __repr__(self):
        return "<dl.empirical: samples, or .from_csv .from_prometheus .from_hdr .from_buckets>"

    def __reduce__(self):
        return "empirical"


def _file(reader, path):
    if not isinstance(path, (str, Path)):
        raise TypeError(f"{reader}: path must be text or a path, not {short(path)}")
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{reader}: there is no file {path}")
    return path


def _column(name, rows, column, limit):
    """The values of one column, by name or number."""
    place, out = None, []
    try:
        for row in rows:
            if not row or (len(row) == 1 and not row[0].strip()):
                continue
            if place is None:
                place = _place(name, row, column)
                if isinstance(column, str) or not _is_number(row[place]):
                    continue
            text = row[place].strip() if place < len(row) else ""
            value = float(text) if _is_number(text) else math.nan
            if not math.isfinite(value):
                raise ValueError(
                    f"{name}: line {rows.line_num}: {short(text)} is not a finite number (column {column})"
                )
            out.append(value)
            if len(out) > limit:
                raise ValueError(f"{name}: more than samples_max = {limit} rows; raise it, or thin the file")
    except csv.Error as error:
        raise ValueError(f"{name}: line {rows.line_num}: {error}") from None
    if not out:
        raise ValueError(f"{name}: there is no value in column {column}")
    return out


def _place(name, head, column):
    if isinstance(column, str):
        names = [cell.strip() for cell in head]
        if column in names:
            return names.index(column)
        near = nearest(column, names)
        hint = f"; did you mean {near!r}?" if near else ""
        raise ValueError(f"{name}: line 1: there is no column {column!r}{hint} ({', '.join(names[:20])})")
    return integer("column", column, 0, len(head) - 1)


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


empirical = Empirical()
