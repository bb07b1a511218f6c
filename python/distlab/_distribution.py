"""Distributions as values: made from numbers, text or samples; moments, CDF, quantiles and draws come from C.

Every number is in SI units (seconds for times) unless it is text with its own unit: ``exponential("10ms")``.
A distribution made from bare numbers fits a field of any unit; one made from "10ms" fits a field in seconds
only.
"""

import numpy as np

from . import _core
from ._common import check_seed, integer, naming, short

SAMPLES_MAX = 100_000_000
PARTS_MAX = 64
TEXT_MAX = 16384
_EMPIRICAL = _core.DISTRIBUTION_NAMES.index("empirical")
_MIXTURE = _core.DISTRIBUTION_NAMES.index("mixture")
_UNITS = ("s", "byte", "1/s", "byte/s", "ppm")


class Distribution:
    """An immutable distribution.

    Attributes
    ----------
    text : str
        As it was written; ``dl.distribution(d.text)`` gives it back, unless it was made from samples.
    unit : str or None
        SI unit of its draws; None fits every field.
    record : structured array of shape ()
        What C sees. parts : rows of a mixture or None; samples : sorted float64 array or None.
    source : Source or None
        Where a measured law comes from and what stands for its tail (``dl.empirical.from_csv`` and others).
    """

    __slots__ = ("_pool", "record", "source", "text", "unit")

    def __init__(self, record, pool=(), text=None, unit=None, source=None):
        record = own(record)
        record.setflags(write=False)
        given = (("record", record), ("_pool", tuple(pool)), ("unit", unit), ("source", source))
        for name, value in given:
            object.__setattr__(self, name, value)
        if text is None:
            text = self._describe()
        object.__setattr__(self, "text", text)

    def __setattr__(self, name, value):
        raise AttributeError(f"a Distribution cannot be changed (tried to set {name!r})")

    def __reduce__(self):
        return Distribution, (np.asarray(self.record), self._pool, self.text, self.unit, self.source)

    def _describe(self):
        if self.samples is not None:
            shift = float(self.record["shift"])
            tail = f" + {shift:g}" if shift else ""
            return f"empirical({self.samples.size} samples, mean {self.mean:.4g}){tail}"
        if self.parts is not None and (self.parts["distribution"]["kind"] == _EMPIRICAL).any():
            parts = (f"{row['weight']:g}: {from_row(row['distribution'], self._pool)}" for row in self.parts)
            return f"mixture({', '.join(parts)})"
        return _core.format_distribution(self.record, self._pool)

    @property
    def kind(self):
        """Name of the kind, such as "lognormal"."""
        return _core.DISTRIBUTION_NAMES[int(self.record["kind"])]

    @property
    def parts(self):
        """Rows (weight, distribution) of a mixture, or None."""
        return self._rows() if self.record["kind"] == _MIXTURE else None

    @property
    def samples(self):
        """Sorted samples of an empirical distribution, or None."""
        return self._rows() if self.record["kind"] == _EMPIRICAL else None

    def _rows(self):
        first, count = int(self.record["first"]), int(self.record["count"])
        return self._pool[int(self.record["table"])][first : first + count]

    @property
    def mean(self):
        """Mean, SI units; may be inf."""
        return _core.distribution_moments(self.record, self._pool)[0]

    @property
    def variance(self):
        """Variance, SI units squared; may be inf."""
        return _core.distribution_moments(self.record, self._pool)[1]

    @property
    def scv(self):
        """Squared coefficient of variation: variance / mean**2 (1 for an exponential)."""
        mean, variance = _core.distribution_moments(self.record, self._pool)
        return variance / mean**2 if mean else float("nan")

    def cdf(self, x):
        """P(draw <= x); same shape as x."""
        return self._map(_core.distribution_cdf, "x", x)

    def quantile(self, p):
        """The p-quantile, 0 <= p <= 1; same shape as p."""
        array = _numbers("p", p)
        if not np.all((array >= 0) & (array <= 1)):
            raise ValueError(f"p = {short(p)} is outside 0 to 1")
        return self._map(_core.distribution_quantile, "p", p)

    def _map(self, function, name, value):
        array = _numbers(name, value)
        out = np.asarray(function(self.record, np.ascontiguousarray(array.ravel()), self._pool))
        return out.reshape(array.shape) if array.ndim else float(out.reshape(-1)[0])

    def sample(self, n, seed=1):
        """n draws (float64, SI units); the same seed gives the same draws."""
        n = integer("n", n, 1, SAMPLES_MAX)
        key = int(_core.row_keys(check_seed(seed), 1, 1, True).flat[0])
        return _core.distribution_sample(self.record, n, key, self._pool)

    def summary(self):
        """Mean and quantiles as text; of a measured law also what was measured and what stands for its
        tail."""
        from ._measured import SHOWN, pretty, summary

        if self.source is not None:
            return summary(self)
        shown = (f"{name} {pretty(self.quantile(q), self.unit)}" for q, name in SHOWN)
        return f"{self.text}: mean {pretty(self.mean, self.unit)}, {', '.join(shown)}"

    def plot(self, ax=None, **style):
        """Density and tail on matplotlib axes (needs the notebooks extra); returns the axes."""
        from ._plot import plot_distribution

        return plot_distribution(self, ax=ax, **style)

    def __add__(self, shift):
        """The same law, every draw later by a shift (a number, or text such as "1ms")."""
        if isinstance(shift, str):
            shift = _core.quantity(shift, self.unit or "s")
        if isinstance(shift, (bool, np.bool_)) or not isinstance(
            shift, (int, float, np.integer, np.floating)
        ):
            return NotImplemented
        if not np.isfinite(shift):
            raise ValueError(f"shift = {shift} must be finite")
        record = own(self.record)
        record["shift"] += float(shift)
        text = None if " + " in self.text else f"{self.text} + {float(shift)!r}"
        source = None if self.source is None else self.source.moved(1.0, float(shift))
        return Distribution(record, self._pool, text, self.unit, source)

    def key(self):
        """A hashable value that two distributions share exactly when they are the same law."""
        record = self.record
        head = (int(record["kind"]), tuple(record["p"].tolist()), float(record["shift"]))
        if self.samples is not None:
            return (*head, self.samples.tobytes())
        if self.parts is None:
            return head
        parts = (
            (float(row["weight"]), Distribution(row["distribution"], self._pool, "").key())
            for row in self.parts
        )
        return (*head, *parts)

    def __eq__(self, other):
        return self.key() == other.key() if isinstance(other, Distribution) else NotImplemented

    def __hash__(self):
        return hash(self.key())

    def __str__(self):
        return self.text

    def __repr__(self):
        if self.source is not None:
            from ._measured import line

            return f"<{self.source.reader} {line(self)}>"
        text = self.text if len(self.text) <= 70 else self.text[:67] + "..."
        return f"dl.{text}" if self.samples is not None else f"dl.distribution({text!r})"

    def _repr_html_(self):
        from ._html import distribution_html

        return distribution_html(self)


def own(record):
    """A copy of a record; np.array of an element of a structured array would share its memory."""
    out = np.zeros((), _core.DISTRIBUTION_DTYPE)
    out[...] = record
    return out


def from_row(record, pool):
    """The Distribution that a record inside a params row stands for (None: off); pool is that of the call."""
    if record["kind"] < 0:
        return None
    if record["kind"] not in (_EMPIRICAL, _MIXTURE):
        return Distribution(record)
    record = own(record)
    first, count = int(record["first"]), int(record["count"])
    rows = pool[int(record["table"])][first : first + count]
    record["table"] = record["first"] = 0
    if record["kind"] == _EMPIRICAL:
        return Distribution(record, (rows,))
    rows, tables = rows.copy(), []
    for part in rows:
        inner = part["distribution"]
        if inner["kind"] == _EMPIRICAL:
            tables.append(
                pool[int(inner["table"])][int(inner["first"]) : int(inner["first"]) + int(inner["count"])]
            )
            inner["table"], inner["first"] = len(tables), 0
    return Distribution(record, (rows, *tables))


def _numbers(name, value):
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":
            raise TypeError
        array = array.astype(np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number or an array of numbers, not {short(value)}") from None
    if np.isnan(array).any():
        raise ValueError(f"{name} must not be NaN")
    return array


def _check_unit(unit):
    if unit is not None and (not isinstance(unit, str) or unit not in _UNITS):
        raise ValueError(f"unit must be None or one of {', '.join(_UNITS)}, not {short(unit)}")
    return unit


def distribution(text, unit=None):
    """A distribution from its text form, such as ``"lognormal(median=5ms, p99=80ms) + 1ms"``.

    A number is a constant; a Distribution is returned as it is. unit: SI unit of its draws (s, byte, 1/s,
    byte/s, ppm); by default none for bare numbers, else seconds. ValueError names what cannot be read.
    """
    _check_unit(unit)
    if isinstance(text, Distribution):
        return text
    if isinstance(text, (int, float, np.integer, np.floating)) and not isinstance(text, (bool, np.bool_)):
        return _make("constant", {"value": text}, unit=unit)
    if not isinstance(text, str):
        hint = "; samples go through dl.empirical(...)" if np.ndim(text) else ""
        raise TypeError(f"a distribution is text such as 'exponential(10ms)', not {short(text)}{hint}")
    return _parse(text.strip(), unit)


def _parse(text, unit):
    if len(text) > TEXT_MAX:
        raise ValueError(f"a distribution's text is longer than {TEXT_MAX} characters")
    if unit is None:
        try:  # bare numbers fit every field
            record, parts = _core.parse_distribution(text, None)
        except (TypeError, ValueError):
            unit = "s"
    if unit is not None:
        record, parts = _core.parse_distribution(text, unit)
    return Distribution(record, () if parts is None else (parts,), text, unit)


def _make(name, given, shift=0, unit=None):
    """name(key=value, ...) + shift as text, read by the core: one parser, one set of rules."""
    words = []
    for key, value in given.items():
        if value is None:
            continue
        if isinstance(value, (bool, np.bool_)) or not isinstance(
            value, (str, int, float, np.integer, np.floating)
        ):
            raise TypeError(f"{name}: {key} must be a number or text such as '10ms', not {short(value)}")
        if isinstance(value, str) and any(c in value for c in ",()=+:"):
            raise ValueError(f"{name}: {key} must be one quantity such as '10ms', not {short(value)}")
        words.append(f"{key}={value.strip() if isinstance(value, str) else _text(name, key, value)}")
    if not words:
        raise TypeError(f"{name} needs a number or text such as '10ms'")
    text = f"{name}({', '.join(words)})" if name != "constant" else f"constant({words[0].partition('=')[2]})"
    _check_unit(unit)
    with naming(name):
        made = _parse(text, unit)
    return (
        made
        if isinstance(shift, (int, float)) and not isinstance(shift, bool) and shift == 0
        else _shifted(made, shift)
    )


def _text(name, key, value):
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(f"{name}: {key} = {short(value)} is too large") from None
    return repr(int(value)) if isinstance(value, (int, np.integer)) and abs(number) < 2**53 else repr(number)


def _shifted(made, shift):
    out = made.__add__(shift)
    if out is NotImplemented:
        raise TypeError(f"shift must be a number or text such as '1ms', not {short(shift)}")
    return out


def constant(value, *, unit=None):
    """Always the same value."""
    return _make("constant", {"value": value}, unit=unit)


def uniform(low, high, *, shift=0, unit=None):
    """Equally likely anywhere between low and high."""
    return _make("uniform", {"low": low, "high": high}, shift, unit)


def exponential(mean, *, shift=0, unit=None):
    """Memoryless: scv 1."""
    return _make("exponential", {"mean": mean}, shift, unit)


def hyperexponential(mean=None, scv=None, *, p=None, mean1=None, mean2=None, shift=0, unit=None):
    """Two exponentials: by mean and scv >= 1 (balanced means), or by p, mean1, mean2."""
    given = {"mean": mean, "scv": scv, "p": p, "mean1": mean1, "mean2": mean2}
    return _make("hyperexponential", given, shift, unit)


def gamma(mean=None, scv=None, *, shape=None, scale=None, shift=0, unit=None):
    """Gamma by mean and scv, or by shape and scale."""
    return _make("gamma", {"mean": mean, "scv": scv, "shape": shape, "scale": scale}, shift, unit)


def erlang(k, mean, *, shift=0, unit=None):
    """Sum of k exponentials with this mean in all: scv 1/k."""
    return _make("erlang", {"k": k, "mean": mean}, shift, unit)


def normal(mean, sd, low=0, high=None, *, shift=0, unit=None):
    """Normal, truncated to low..high (by default to what is not negative)."""
    return _make("normal", {"mean": mean, "sd": sd, "low": low, "high": high}, shift, unit)


def lognormal(median=None, sigma=None, *, p99=None, mean=None, scv=None, shift=0, unit=None):
    """Lognormal by median and sigma, by median and p99, or by mean and scv."""
    given = {"median": median, "sigma": sigma, "p99": p99, "mean": mean, "scv": scv}
    return _make("lognormal", given, shift, unit)


def weibull(shape, scale=None, *, mean=None, shift=0, unit=None):
    """Weibull by shape and scale, or by shape and mean; shape < 1 is heavier than exponential."""
    return _make("weibull", {"shape": shape, "scale": scale, "mean": mean}, shift, unit)


def pareto(alpha, low, high=None, *, shift=0, unit=None):
    """Power law from low on; bounded where high is given. The mean is infinite for alpha <= 1 without it."""
    return _make("pareto", {"alpha": alpha, "low": low, "high": high}, shift, unit)


def bimodal(fast, slow, p, *, shift=0, unit=None):
    """Constant slow with probability p, else constant fast."""
    return _make("bimodal", {"fast": fast, "slow": slow, "p": p}, shift, unit)


def mixture(*parts, shift=0, unit=None):
    """Pairs (weight, distribution): ``dl.mixture((0.9, "exponential(5ms)"), (0.1, dl.empirical(a)))``.

    Weights are positive and normalised; a part may be anything but a mixture.
    """
    if not 1 <= len(parts) <= PARTS_MAX:
        raise ValueError(f"mixture takes 1 to {PARTS_MAX} pairs (weight, distribution), not {len(parts)}")
    rows, tables, texts, units = np.zeros(len(parts), _core.PART_DTYPE), [], [], {_check_unit(unit)}
    for row, pair in zip(rows, parts, strict=True):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError(f"mixture takes pairs (weight, distribution), not {short(pair)}")
        weight = _numbers("weight", pair[0])
        if weight.ndim or not 0 < weight < np.inf:
            raise ValueError(f"mixture: weight must be a positive number, not {short(pair[0])}")
        with naming("mixture"):
            part = distribution(pair[1], unit)
        if part.parts is not None:
            raise ValueError("mixture: a part must not be a mixture itself")
        row["weight"], row["distribution"] = weight, part.record
        if part.samples is not None:
            tables.append(part._pool[0])
            row["distribution"]["table"] = len(tables)
        texts.append(f"{float(weight)!r}: {part.text}")
        units.add(part.unit)
    units.discard(None)
    if len(units) > 1:
        raise ValueError(f"mixture: parts differ in unit ({', '.join(sorted(units))})")
    record = np.zeros((), _core.DISTRIBUTION_DTYPE)
    record["kind"], record["count"] = _MIXTURE, len(rows)
    made = Distribution(
        record, (rows, *tables), f"mixture({', '.join(texts)})", units.pop() if units else None
    )
    _core.distribution_moments(made.record, made._pool)  # the core's own rules on parts
    return made if isinstance(shift, (int, float)) and shift == 0 else _shifted(made, shift)
