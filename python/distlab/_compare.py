"""Differences between variants, with intervals.

Under common random numbers repetition k of two variants saw the same arrivals and the same luck, so the
difference of a pair is far less noisy than either value: the interval is Student's t over the differences of
pairs. Without common random numbers there are no pairs, and the interval is Welch's; the result says which.
Points are those of ``stats`` (ratios by parts, quantiles of merged histograms); the interval of the values of
single repetitions is moved onto them, as the core does for one column. Exact models need no interval.
"""

import numpy as np

from . import _core, _design, _units
from ._common import boolean, is_nan, need, real, short, text_table, unknown
from ._results import STATS, Sweep

ROWS_SHOWN = 40


class Comparison:
    """Differences of variants from a baseline.

    Attributes
    ----------
    model : Model
    over : str
        What differs: a dimension, or "sweep" when two sweeps were compared.
    baseline : label of the baseline; labels : those of the variants compared with it.
    dims, coords, shape
        (over, *other dimensions) of every array returned.
    paired : bool
        Differences of pairs under common random numbers; False: Welch intervals of independent means.
    confidence, reps
    """

    def __init__(self, model, over, baseline, labels, dims, coords, about, a, b, points, paired, confidence):
        self.model, self.over, self.baseline, self.labels = model, over, baseline, labels
        self.dims, self.coords, self._about = (over, *dims), {over: labels, **coords}, about
        self.shape = tuple(len(self.coords[d]) for d in self.dims)
        self.paired, self.confidence = paired, confidence
        self.reps = a.shape[-1] if a.shape[-1] == b.shape[-1] else (a.shape[-1], b.shape[-1])
        self._a, self._b, self._points, self._cache = a, b, points, {}

    def field(self, name):
        """Metadata of a dimension (dict)."""
        return self._about.get(name) or {"name": name, "unit": None, "display": None, "doc": name}

    def column(self, name):
        """Metadata of a column (dict)."""
        return self.model.column(name)

    def difference(self, column):
        """variant - baseline of one column, SI units: dict mean low high se n of arrays of shape
        ``shape``."""
        return self._each("difference", column)

    def ratio(self, column):
        """variant / baseline of one column: dict mean low high se n of arrays of shape ``shape``."""
        return self._each("ratio", column)

    def means(self, column):
        """(baseline, variants): points merged over repetitions, shapes (*shape[1:],) and ``shape``."""
        name = self.column(column)["name"]
        base, value = self._points
        return base[name].copy(), value[name].copy()

    def differs(self, column):
        """Where the interval of the difference excludes zero: bool array of shape ``shape``.

        At the confidence asked for; with many cells some exclude zero by chance alone. Exact models: where
        the difference is not zero.
        """
        d = self.difference(column)
        return (d["low"] > 0) | (d["high"] < 0)

    def _each(self, what, column):
        name = self.column(column)["name"]
        if (what, name) not in self._cache:
            base, value = self.means(name)
            with np.errstate(divide="ignore", invalid="ignore"):
                point = value / base if what == "ratio" else value - base
            out = self._exact(point) if self.model.exact else self._intervals(what, name)
            with np.errstate(invalid="ignore"):
                shift = np.where(np.isfinite(out[..., 0]), point - out[..., 0], 0.0)
            out[..., 1] += shift
            out[..., 2] += shift
            out[..., 0] = point
            self._cache[what, name] = {s: out[..., i] for i, s in enumerate(STATS)}
        return {k: v.copy() for k, v in self._cache[what, name].items()}

    def _exact(self, point):
        """No luck, no width: shape (*shape, 5)."""
        known = np.where(np.isnan(point), np.nan, 0.0)
        return np.stack([point, point, point, known, np.full(self.shape, float(self._b.shape[-1]))], axis=-1)

    def _intervals(self, what, name):
        """mean low high se n of the values of single repetitions: shape (*shape, 5)."""
        a, b = self._a[name], self._b[name]
        a = np.broadcast_to(a, (*self.shape, a.shape[-1])).reshape(-1, a.shape[-1])
        b = b.reshape(-1, b.shape[-1])
        rule = _PAIRED[what] if self.paired else _UNPAIRED[what]
        out = np.array([rule(x, y, self.confidence) for x, y in zip(a, b, strict=True)], np.float64)
        return out.reshape(*self.shape, len(STATS))

    def table(self, column=None):
        """Rows as dicts: the variant, other coordinates, baseline, value, difference low high, ratio,
        differs."""
        name = self.column(column or self.model.main_column)["name"]
        base, value = self.means(name)
        base = np.broadcast_to(base, self.shape).reshape(-1)
        d, r, hit = self.difference(name), self.ratio(name), self.differs(name).reshape(-1)
        rows = []
        for k, at in enumerate(np.ndindex(self.shape)):
            row = {dim: self.coords[dim][i].item() for dim, i in zip(self.dims, at, strict=True)}
            row |= {"baseline": float(base[k]), "value": float(value.reshape(-1)[k])}
            row |= {
                "difference": float(d["mean"][at]),
                "low": float(d["low"][at]),
                "high": float(d["high"][at]),
            }
            row |= {"ratio": float(r["mean"][at]), "differs": bool(hit[k])}
            rows.append(row)
        return rows

    def frame(self, column=None):
        """``table`` as a pandas DataFrame (needs the sweep extra)."""
        return need("pandas", "sweep").DataFrame(self.table(column))

    def plot(self, column=None, ax=None, **style):
        """Differences with their intervals and a line at zero; returns a picture or the axes."""
        from ._plot import plot_compare

        return plot_compare(self, column, ax=ax, **style)

    def summary(self, column=None):
        """The table as text, in display units."""
        name = self.column(column or self.model.main_column)["name"]
        meta, lines = self.column(name), []
        rows, same = self.table(name), "equal" if self.model.exact else "not told apart"
        for row in rows[:ROWS_SHOWN]:
            half = (row["high"] - row["low"]) / 2
            at = ", ".join(f"{d}={_units.value_text(row[d], self.field(d))}" for d in self.dims)
            text = _units.value_text(row["difference"], meta)
            if not (is_nan(half) or self.model.exact):
                text += f" ± {_units.value_text(half, meta, digits=2)}"
            lines.append(
                (at, text, f"x {_units.number(row['ratio'], 4)}", "" if row["differs"] else same)
            )
        kind = "paired, common random numbers" if self.paired else "unpaired (Welch)"
        kind = "exact" if self.model.exact else f"{kind}, {100 * self.confidence:g} %"
        head = f"{name}: difference from {self.over}={self.baseline} ({kind})"
        more = f"\n... and {len(rows) - ROWS_SHOWN} more" if len(rows) > ROWS_SHOWN else ""
        return head + "\n" + text_table(lines) + more

    def __repr__(self):
        kind = "paired" if self.paired else "unpaired"
        text = f"<distlab comparison of {self.model.name} over {self.over}, baseline {self.baseline}, {kind}>"
        return text if len(text) <= 100 else text[:97] + "..."

    def _repr_html_(self):
        from ._html import compare_html

        return compare_html(self)


def _welch(a, b, confidence):
    mean = b.mean() - a.mean()
    if min(a.size, b.size) < 2:
        return mean, np.nan, np.nan, np.nan, min(a.size, b.size)
    va, vb = a.var(ddof=1) / a.size, b.var(ddof=1) / b.size
    se = np.sqrt(va + vb)
    if not se > 0:
        return mean, mean, mean, se, min(a.size, b.size)
    df = (va + vb) ** 2 / (va**2 / (a.size - 1) + vb**2 / (b.size - 1))
    half = _core.t_quantile((1 + confidence) / 2, df) * se
    return mean, mean - half, mean + half, se, min(a.size, b.size)


def _welch_ratio(a, b, confidence):
    """Delta method on independent means."""
    n = min(a.size, b.size)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = b.mean() / a.mean()
    if n < 2 or not np.isfinite(ratio):
        return ratio, np.nan, np.nan, np.nan, n
    _, low, high, se, _ = _welch(a * ratio, b, confidence)
    se, half = se / abs(a.mean()), (high - low) / 2 / abs(a.mean())
    return ratio, ratio - half, ratio + half, se, n


def _paired_ratio(a, b, confidence):
    return _core.ratio_interval(np.ascontiguousarray(b), np.ascontiguousarray(a), confidence)


def _paired_difference(a, b, confidence):
    return _core.paired_interval(np.ascontiguousarray(a), np.ascontiguousarray(b), confidence)


_PAIRED = {"difference": _paired_difference, "ratio": _paired_ratio}
_UNPAIRED = {"difference": _welch, "ratio": _welch_ratio}


def compare(a, b=None, /, *, over=None, baseline=None, confidence=None, paired=None):
    """Differences between the variants of a sweep, or between two sweeps, with intervals.

    Parameters
    ----------
    a, b : Sweep
        One sweep and ``over=``, or two sweeps of the same model on the same grid (a is the baseline).
    over : str
        The dimension whose values are compared, such as "policy".
    baseline : value on that dimension, optional
        By default its first value.
    confidence : float in (0, 1), optional
        By default that of the sweep.
    paired : bool, optional
        By default pairs are used exactly where common random numbers make them; True then demands them
        (ValueError if there are none), False asks for Welch intervals.

    Returns a Comparison. Columns are compared repetition by repetition; TypeError, ValueError or
    UnknownNameError say what does not fit.
    """
    for name, value in (("first argument", a), ("second argument", b)):
        if not isinstance(value, Sweep) and not (name[0] == "s" and value is None):
            raise TypeError(f"compare: the {name} must be a Sweep, not {short(value)}")
    confidence = a.confidence if confidence is None else real("confidence", confidence, 0, 1, closed=False)
    if b is not None:
        if over is not None or baseline is not None:
            raise ValueError("compare takes over= and baseline= with one sweep only")
        return _two(a, b, confidence, paired)
    if not isinstance(over, str) or over not in a.dims:
        raise unknown("compare: over, a dimension of the sweep,", over, a.dims)
    k, values = a.dims.index(over), a.coords[over]
    if len(values) < 2:
        raise ValueError(f"compare: {over} has one value only, so there is nothing to compare")
    base = 0 if baseline is None else _design.locate(over, values, baseline)
    array, points = np.moveaxis(a.array, k, 0), np.moveaxis(a.mean(), k, 0)
    rest = [i for i in range(len(values)) if i != base]
    dims = [d for d in a.dims if d != over]
    return Comparison(
        a.model,
        over,
        values[base].item(),
        values[rest],
        dims,
        {d: a.coords[d] for d in dims},
        a.about,
        array[base],
        array[rest],
        (points[base], points[rest]),
        _pairs(paired, a.crn, "crn=False"),
        confidence,
    )


def _pairs(asked, possible, why):
    if asked is None:
        return possible
    if boolean("paired", asked) and not possible:
        raise ValueError(f"compare: there are no pairs ({why}); leave paired out for Welch intervals")
    return bool(asked)


def _two(a, b, confidence, paired):
    if a.model is not b.model:
        raise ValueError(f"compare: the sweeps are of different models, {a.model.name} and {b.model.name}")
    same = a.dims == b.dims and all(np.array_equal(a.coords[d], b.coords[d]) for d in a.dims)
    if not same:
        raise ValueError(f"compare: the grids differ ({a!r} and {b!r}); use sel() to make them equal")
    matched = a.reps == b.reps and np.array_equal(a._keys, b._keys)
    labels = np.array(["second"])
    return Comparison(
        a.model,
        "sweep",
        "first",
        labels,
        a.dims,
        a.coords,
        a.about,
        a.array,
        b.array[None],
        (a.mean(), b.mean()[None]),
        _pairs(paired, matched, "the sweeps have different keys"),
        confidence,
    )
