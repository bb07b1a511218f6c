"""The result of a sweep: rows with labels, merged over repetitions by the core and never by Python.

Points are kept flat in the order of the grid; dims, coords and shape say how to fold them.
"""

import numpy as np

from . import _core, _design, _params, _units
from ._common import Named, real, short, text_table, unknown

STATS = ("mean", "low", "high", "se", "n")


class Sweep:
    """The result of a sweep.

    Attributes
    ----------
    model : Model
    dims, shape : tuple
        Names and lengths of the point dimensions, in the order given; repetitions are the last dimension
        `rep`.
    coords : dict dim -> array
        Numbers in SI units, or labels.
    aux : dict parameter -> (dim, array)
        Numbers that a mapped axis or a design sets along its dimension.
    params : dict
        Every parameter that does not vary (SI units, None: off).
    reps, seed, crn, confidence, mutant
        As the sweep was run.
    series : dict output -> {"time": (times,), column: (*shape, rep, times)}
    tables : dict output -> structured array with columns row, point, rep and its own
    """

    def __init__(
        self,
        *,
        model,
        rows,
        pool,
        dims,
        coords,
        about,
        aux,
        varied,
        keys,
        metrics,
        fingerprints,
        buckets,
        series,
        tables,
        failures,
        seed,
        crn,
        confidence,
        mutant,
        picked=None,
    ):
        self.model, self.dims, self.coords, self.about, self.aux = model, tuple(dims), coords, about, aux
        self.shape = tuple(len(coords[d]) for d in self.dims)
        self.reps, self.seed, self.crn, self.mutant = metrics.shape[1], seed, crn, mutant
        self.confidence, self.picked = confidence, picked or {}
        self.tables = Named("kept table", tables)
        self._rows, self._pool, self._keys, self._varied = rows, pool, keys, varied
        self._metrics, self._buckets, self._flat_series, self._failed = metrics, buckets, series, failures
        self._cache = {}
        self._fingerprints = fingerprints
        for array in (rows, keys, metrics, fingerprints, buckets):
            array.setflags(write=False)

    # What it is

    def field(self, name):
        """Metadata (dict name unit display doc ...) of a dimension, or of a parameter."""
        if isinstance(name, str) and name in self.about:
            return dict(self.model.fields.get(name) or {}, **self.about[name])
        return self.model.field(name)

    def column(self, name):
        """Metadata of a column (dict name metric part q unit display doc)."""
        return self.model.column(name)

    @property
    def params(self):
        """Every parameter that does not vary, SI units, None where off (dict)."""
        row = self._rows[0]
        return {
            f["name"]: _params.decode(self.model, f, row, self._pool)
            for f in self.model.fields
            if f["name"] not in self._varied
        }

    @property
    def changed(self):
        """The fixed parameters that differ from their defaults (dict)."""
        from ._run import changed

        return changed(self.model, self._rows[0], self._pool, self._varied)

    @property
    def points(self):
        """How many points."""
        return len(self._rows)

    @property
    def provenance(self):
        """Version, model, hash of the parameters, seed and rule of the keys (dict); equal for equal
        sweeps."""
        if "provenance" not in self._cache:
            from ._provenance import provenance

            self._cache["provenance"] = provenance(
                self.model, self._rows, self._pool, self.seed, self.crn, self.reps, self.mutant
            )
        return dict(self._cache["provenance"])

    @property
    def failures(self):
        """Masked rows: a list of dicts with point, rep, the coordinates, code and text; the line that runs
        one again is ``recipe(point, rep)``."""
        return [
            {"point": p, "rep": r, **self.point(p), "code": code, "text": text}
            for p, r, code, text in self._failed
        ]

    def point(self, index):
        """{dim: coordinate} of a point given by its flat index."""
        at = np.unravel_index(index, self.shape) if self.shape else ()
        return {d: self.coords[d][k].item() for d, k in zip(self.dims, at, strict=True)}

    @property
    def _mask(self):
        mask = np.zeros(self._metrics.shape, bool)
        for p, r, _, _ in self._failed:
            mask[p, r] = True
        return mask

    # Numbers

    @property
    def fingerprints(self):
        """Fingerprint of the events of each row: uint64 array of shape (*shape, reps); 0: no events."""
        return self._fingerprints.reshape(*self.shape, self.reps)

    @property
    def array(self):
        """Every column of every row: structured array of shape (*shape, reps), SI units, NaN where masked."""
        if "array" not in self._cache:
            array = _core.columns(self.model.name, self._metrics, self._buckets)
            if self._failed:
                array[self._mask] = np.full((), np.nan, np.float64)
            self._cache["array"] = array.reshape(*self.shape, self.reps)
        return self._cache["array"]

    def _groups(self):
        """(index, offsets) of the rows of each point that did not fail."""
        good = ~self._mask
        return np.flatnonzero(good.reshape(-1)), np.concatenate([[0], np.cumsum(good.sum(axis=1))])

    def _merged(self, confidence):
        if confidence is None:
            confidence = self.confidence
        confidence = real("confidence", confidence, 0, 1, closed=False)
        if confidence not in self._cache:
            index, offsets = self._groups()
            out = np.array(
                _core.merge(
                    self.model.name, self._metrics.reshape(-1), self._buckets, index, offsets, confidence
                )
            )
            out[np.diff(offsets) == 0, :, :4] = np.nan
            if self.model.exact:
                out[:, :, 1:4] = np.nan
            self._cache[confidence] = out.reshape(*self.shape, len(self.model.columns), 5)
        return self._cache[confidence]

    def _position(self, column):
        return self.model.columns.names.index(self.model.column(column)["name"])

    def stats(self, column, confidence=None):
        """One column merged over repetitions.

        Returns a dict of arrays of shape ``shape``: mean (ratios by parts, quantiles of merged histograms),
        low and high (interval of the confidence, NaN where there is none), se, n. Histogram and estimate
        names mean their means. UnknownNameError for an unknown column.
        """
        k = self._position(column)
        five = self._merged(confidence)[..., k, :]
        return {name: five[..., i].copy() for i, name in enumerate(STATS)}

    def mean(self, column=None):
        """The point estimate of one column, shape ``shape``; of all columns as a structured array without
        one."""
        if column is not None:
            return self.stats(column)["mean"]
        out = np.empty(self.shape, [(name, np.float64) for name in self.model.columns.names])
        merged = self._merged(None)
        for k, name in enumerate(out.dtype.names):
            out[name] = merged[..., k, 0]
        return out

    def ci(self, column=None, confidence=None):
        """The interval (low, high) of one column, shape (*shape, 2); of all as a structured array without
        one."""
        merged = self._merged(confidence)
        if column is not None:
            return merged[..., self._position(column), 1:3].copy()
        out = np.empty(self.shape, [(name, np.float64, (2,)) for name in self.model.columns.names])
        for k, name in enumerate(out.dtype.names):
            out[name] = merged[..., k, 1:3]
        return out

    def quantile(self, metric, q):
        """Quantiles of a histogram metric merged over repetitions: shape (*shape, *shape of q), SI units."""
        index, offsets = self._groups()
        return quantiles(
            self.model,
            self._metrics.reshape(-1),
            self._buckets,
            self.model.histogram(metric),
            q,
            index,
            offsets,
            self.shape,
        )

    def histogram(self, metric, point=0):
        """(edges (n + 1), counts (n)) of a histogram metric at one point, merged over repetitions, SI
        units."""
        p = _design.find_point(self.dims, self.coords, self.shape, point)
        index = p * self.reps + np.flatnonzero(~self._mask[p])
        name = self.model.histogram(metric)
        return _core.buckets(self.model.name, self._metrics.reshape(-1), self._buckets, name, index)

    def theory(self, column):
        """The closed form of a column, shape ``shape``, NaN where none holds; None where there is none at
        all."""
        name = self.model.column(column)["name"]
        if name not in self.model.theory_columns:
            return None
        if "theory" not in self._cache:
            alive = ~self._mask.all(axis=1)
            out = np.full((self.points, len(self.model.theory_columns)), np.nan)
            if alive.any():
                out[alive] = _core.theory(
                    self.model.name, np.ascontiguousarray(self._rows[alive]), self._pool
                )
            self._cache["theory"] = out
        return self._cache["theory"][:, self.model.theory_columns.index(name)].reshape(self.shape).copy()

    @property
    def series(self):
        """{output: {"time": (times,) in s, column: (*shape, reps, times)}} of the series that were kept."""
        folded = {
            name: {c: v if c == "time" else v.reshape(*self.shape, self.reps, -1) for c, v in columns.items()}
            for name, columns in self._flat_series.items()
        }
        return Named("kept series", folded)

    # Parts

    def recipe(self, point=0, rep=0):
        """One line that makes a row again in a shell, without this result; see ``Run.recipe``."""
        from ._recipe import recipe

        p = _design.find_point(self.dims, self.coords, self.shape, point)
        r = _design._index("rep", rep, self.reps)
        return recipe(self.model, self._rows[p], self._pool, self._keys[p, r], self.seed, (p, r))

    def replay(self, point=0, rep=0, *, keep=None, trace=False, budget=None, token=None):
        """Run one row again, bit for bit, keeping output tables, with trace=True its trace; returns a Run.

        point: flat index, tuple of indices, or dict of coordinates. rep: index of the repetition.
        """
        from ._run import run_row

        p = _design.find_point(self.dims, self.coords, self.shape, point)
        r = _design._index("rep", rep, self.reps)
        return run_row(
            self.model,
            self._rows[p],
            self._pool,
            int(self._keys[p, r]),
            self.seed,
            keep=keep,
            trace=trace,
            budget=budget,
            token=token,
            mutant=self.mutant,
            at=(p, r),
        )

    def sel(self, **coords):
        """The part of the sweep at these coordinates.

        One value drops its dimension, a list keeps several, ``slice(low, high)`` keeps the numbers in between
        (both ends included). Intervals and provenance are those of the rows that remain.
        """
        keep, dropped = {d: np.arange(n) for d, n in zip(self.dims, self.shape, strict=True)}, {}
        for name, wanted in coords.items():
            if name not in keep:
                raise unknown("dimension", name, self.dims)
            keep[name] = _select(name, self.coords[name], wanted)
            if np.ndim(keep[name]) == 0:
                dropped[name] = self.coords[name][keep[name]].item()
                keep[name] = keep[name][None]
        return self._part(keep, dropped)

    def _part(self, keep, dropped):
        grid = np.arange(self.points).reshape(self.shape)
        flat = (grid[np.ix_(*keep.values())] if keep else grid).reshape(-1)
        place = {int(p): k for k, p in enumerate(flat)}
        tables = {}
        for name, table in self.tables.items():
            table = table[np.isin(table["point"], flat)].copy()
            table["point"] = [place[int(p)] for p in table["point"]]
            table["row"] = table["point"] * self.reps + table["rep"]
            tables[name] = table[np.argsort(table["row"], kind="stable")]
        series = {
            name: {c: v if c == "time" else v[flat] for c, v in columns.items()}
            for name, columns in self._flat_series.items()
        }
        return Sweep(
            model=self.model,
            rows=np.ascontiguousarray(self._rows[flat]),
            pool=self._pool,
            dims=[d for d in self.dims if d not in dropped],
            coords={d: self.coords[d][k] for d, k in keep.items() if d not in dropped},
            about={d: a for d, a in self.about.items() if d not in dropped},
            aux={n: (d, v[keep[d]]) for n, (d, v) in self.aux.items() if d not in dropped},
            varied={n: d for n, d in self._varied.items() if d not in dropped},
            keys=self._keys[flat],
            metrics=self._metrics[flat],
            fingerprints=self._fingerprints[flat],
            buckets=self._buckets,
            series=series,
            tables=tables,
            failures=[(place[p], r, c, t) for p, r, c, t in self._failed if p in place],
            seed=self.seed,
            crn=self.crn,
            confidence=self.confidence,
            mutant=self.mutant,
            picked={**self.picked, **dropped},
        )

    def compare(self, over, baseline=None, **options):
        """``dl.compare`` of this sweep: paired differences along one dimension."""
        from ._compare import compare

        return compare(self, over=over, baseline=baseline, **options)

    # Ways out

    @property
    def dataset(self):
        """An xarray Dataset: dims are the axes, rep (and time); units in attrs (needs the sweep extra)."""
        from ._export import sweep_dataset

        return sweep_dataset(self)

    def frame(self, per="rep"):
        """A tidy pandas DataFrame: one row per point and repetition, or per="point" with merged means and
        intervals."""
        from ._export import sweep_frame

        return sweep_frame(self, per)

    def save(self, path):
        """Write everything to one .npz file that ``dl.load`` reads back bit for bit (needs NumPy alone).

        ValueError for a name that ends like another format: .csv, .json, .parquet, .nc, .png and the like.
        """
        from ._save import save

        return save(self, path)

    def to_netcdf(self, path):
        """Write ``.dataset`` as netCDF through xarray and h5netcdf (needs the sweep extra)."""
        from ._export import to_netcdf

        return to_netcdf(self, path)

    def plot(self, x=None, y=None, hue=None, ax=None, **style):
        """Draw columns y against dimension x, one line per value of hue; returns a picture or the axes."""
        from ._plot import plot_sweep

        return plot_sweep(self, x=x, y=y, hue=hue, ax=ax, **style)

    def plot_convergence(self, column=None, point=None, ax=None):
        """Draw the running mean and its interval against the number of repetitions, at one point."""
        from ._plot import plot_convergence

        return plot_convergence(self, column, point=point, ax=ax)

    def summary(self):
        """A few lines of text: what was swept, and the main column at the first, middle and last point."""
        return _summary(self)

    def __len__(self):
        return self.points

    def __repr__(self):
        grid = " x ".join(f"{d}: {n}" for d, n in zip(self.dims, self.shape, strict=True)) or "one point"
        failed = f", {len(self._failed)} failed" if self._failed else ""
        return short(_Text(f"<distlab sweep of {self.model.name}: {grid}, {self.reps} reps{failed}>"), 100)

    def _repr_html_(self):
        from ._html import sweep_html

        return sweep_html(self)


class _Text(str):
    __slots__ = ()
    __repr__ = str.__str__


def _select(name, values, wanted):
    """Indices of the wanted coordinates: 0-d for one value, 1-d for several."""
    if isinstance(wanted, slice):
        if values.dtype.kind not in "fi" or wanted.step is not None:
            raise ValueError(f"{name}: slice(low, high) needs numbers on the axis and no step")
        low = -np.inf if wanted.start is None else real(name, wanted.start, -np.inf, np.inf)
        high = np.inf if wanted.stop is None else real(name, wanted.stop, -np.inf, np.inf)
        hit = np.flatnonzero((values >= low) & (values <= high))
        if not hit.size:
            raise ValueError(f"{name}: nothing lies between {low:g} and {high:g}")
        return hit
    if _params.is_axis(wanted) and not isinstance(wanted, dict):
        if not len(wanted):
            raise ValueError(f"{name}: at least one coordinate is needed")
        return np.array([_design.locate(name, values, w) for w in wanted])
    return np.array(_design.locate(name, values, wanted))


def quantiles(model, metrics, buckets, metric, q, index, offsets, shape):
    """Quantiles of merged histograms, shape (*shape, *shape of q)."""
    from ._distribution import _numbers

    array = _numbers("q", q)
    if not np.all((array >= 0) & (array <= 1)):
        raise ValueError(f"q = {short(q)} is outside 0 to 1")
    out = np.asarray(_core.quantiles(model.name, metrics, buckets, metric, array.reshape(-1), index, offsets))
    out = out.reshape((*shape, *array.shape))
    return out if out.ndim else float(out)


def _summary(sweep):
    from ._recipe import maybe

    names = [sweep.model.main_column]
    lines = [repr(sweep)[1:-1]]
    spots = sorted({0, sweep.points // 2, sweep.points - 1})
    rows = []
    for name in names:
        s, known, column = sweep.stats(name), sweep.theory(name), sweep.column(name)
        for p in spots:
            half = (s["high"].flat[p] - s["low"].flat[p]) / 2
            text = _units.value_text(float(s["mean"].flat[p]), column)
            if half > 0:
                text += f" ± {_units.value_text(float(half), column, digits=2)}"
            closed = "" if known is None or np.isnan(known.flat[p]) else float(known.flat[p])
            at = ", ".join(f"{d}={_units.value_text(v, sweep.field(d))}" for d, v in sweep.point(p).items())
            rows.append(
                (at or "one point", text, closed if closed == "" else _units.value_text(closed, column))
            )
        lines.append(text_table(rows, ("point", name, "closed form" if known is not None else "")))
    if not sweep.model.exact and sweep.reps > 1:
        random = "common random numbers" if sweep.crn else "independent points"
        lines.append(
            f"{sweep.reps} repetitions, {100 * sweep.confidence:g} % intervals, seed {sweep.seed}, {random}"
        )
    if sweep._failed:
        p, r, code, text = sweep._failed[0]
        lines.append(f"{len(sweep._failed)} rows failed; the first: point {p}, rep {r}: {code}: {text}")
        again = maybe(sweep.model, sweep._rows[p], sweep._pool, sweep._keys[p, r], sweep.seed, (p, r))
        lines += [f"to run it again: {again}"] if again else []
    return "\n".join(lines)
