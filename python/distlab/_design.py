"""The plan of a sweep: a grid of axes in the order given, or a list of points, as rows of parameters.

An axis is a list of values of one parameter (a dict puts labels on them), or ``dl.axis(name, values, fn)``,
whose coordinate fn maps to one or several parameters. ``design=`` adds the axis `point`: any list of points a
sampler made.
"""

import numpy as np

from . import _core, _params
from ._common import RESERVED, naming, short, unknown

POINTS_MAX = 100_000_000
ROWS_AT_ONCE = 100_000
_TAKEN = ("rep", "time", "row")


class Axis:
    """One coordinate of a sweep, made by :func:`axis`."""

    def __init__(self, name, values, fn, unit, display, doc):
        self.name, self.values, self.fn = name, values, fn
        self.unit, self.display, self.doc = unit, display, doc

    def __len__(self):
        return len(self.values)

    def __repr__(self):
        return f"<distlab axis {self.name}: {len(self.values)} values>"


def axis(name, values, fn=None, *, unit=None, display=None, doc=None):
    """One coordinate that stands for several parameters, or for one under another name.

    Parameters
    ----------
    name : str
        Dimension of the result.
    values : sequence or dict label -> value
        What fn is called with, one after another.
    fn : callable, optional
        Returns a dict of parameters, or one value for the parameter whose keyword the axis is given to.
        Without fn the values are those of the parameter ``name`` (or of that keyword).
    unit, display, doc : str, optional
        SI unit, display unit and one sentence for labels.

    >>> dl.sweep("queueing.station", dl.axis("load", [0.5, 0.9], lambda rho: {"arrival_rate": 100 * rho}))

    Returns an Axis. TypeError or ValueError names what is wrong.
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise TypeError(f"an axis needs a name like load, not {short(name)}")
    if name in _TAKEN or name in RESERVED:
        raise ValueError(f"an axis cannot be called {name!r}: that word is taken")
    if fn is not None and not callable(fn):
        raise TypeError(f"axis {name}: fn must be callable, not {short(fn)}")
    for word, text in (("unit", unit), ("display", display), ("doc", doc)):
        if text is not None and not isinstance(text, str):
            raise TypeError(f"axis {name}: {word} must be text, not {short(text)}")
    if not _params.is_axis(values):
        raise TypeError(f"axis {name}: values must be a list, an array or a dict, not {short(values)}")
    return Axis(name, _sequence(name, values), fn, unit, display, doc)


def _sequence(name, values):
    """The values as dict, 1-D array or list; at least one."""
    if isinstance(values, dict):
        for text in values:
            if not isinstance(text, str):
                raise TypeError(f"{name}: a label must be text, not {short(text)}")
    elif isinstance(values, range):
        values = np.asarray(values)
    elif not isinstance(values, (list, tuple)):
        values = values.to_numpy() if hasattr(values, "to_numpy") else np.asarray(values)
        if values.ndim != 1:
            raise ValueError(f"{name}: an axis has one dimension, not shape {values.shape}")
        if values.dtype.kind not in "fiu":
            values = values.tolist()
    if not 1 <= len(values) <= POINTS_MAX:
        raise ValueError(f"{name}: an axis needs 1 to {POINTS_MAX} values, not {len(values)}")
    return values


class Dim:
    """A dimension of the plan: its coordinate and the columns of parameters it sets, each of length n."""

    def __init__(self, name, coords, columns, unit=None, display=None, doc=None, log_scale=False):
        self.name, self.coords, self.columns = name, coords, columns
        self.about = {
            "name": name,
            "unit": unit,
            "display": display,
            "doc": doc or name,
            "log_scale": log_scale,
        }

    def __len__(self):
        return len(self.coords)


def _param_dim(model, name, values, pool, rename=None, meta=None):
    field = model.field(name)
    values = _sequence(name, values)
    labels = None
    if isinstance(values, dict):
        labels, values = np.array(list(values), str), list(values.values())
    column, coords = _params.column(model, field, values, pool)
    labels = coords if labels is None else labels
    about = {k: field.get(k) for k in ("unit", "display", "doc", "log_scale")} | (meta or {})
    if labels.dtype.kind in "Ub":
        about.update(unit=None, display=None, log_scale=False)
    return Dim(rename or name, _distinct(rename or name, labels), {name: column}, **about)


def _distinct(name, coords):
    ordered = np.sort(coords)
    again = np.flatnonzero(ordered[1:] == ordered[:-1])
    if again.size:
        raise ValueError(f"axis {name} has the value {ordered[again[0]]} twice")
    return coords


def _axis_dim(model, keyword, given, pool):
    meta = {k: v for k in ("unit", "display", "doc") if (v := getattr(given, k)) is not None}
    target = keyword if keyword in model.fields else given.name
    if given.fn is None:
        return _param_dim(model, target, given.values, pool, given.name, meta)
    with naming(given.name):
        return _mapped_dim(model, keyword, given, pool, meta)


def _mapped_dim(model, keyword, given, pool, meta):
    """The axis whose function sets parameters."""
    labels = list(given.values)
    inputs = list(given.values.values()) if isinstance(given.values, dict) else labels
    points = []
    for value in inputs:
        try:
            out = given.fn(value)
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            raise ValueError(f"axis {given.name}: fn failed at {short(value)}: {text}") from error
        if not isinstance(out, dict):
            if keyword is None or keyword not in model.fields:
                raise TypeError(f"axis {given.name}: fn must return a dict of parameters, not {short(out)}")
            out = {keyword: out}
        points.append(out)
    coords = _coordinate(given.name, labels)
    return Dim(given.name, coords, _point_columns(model, given.name, points, pool), **meta)


def _coordinate(name, values):
    """Numbers stay numbers, everything else becomes text."""
    plain = (int, float, np.integer, np.floating)
    if all(isinstance(v, plain) and not isinstance(v, (bool, np.bool_)) for v in values):
        out = np.array(values)
        out = out if out.dtype.kind in "fi" else out.astype(np.float64)
    else:
        out = np.array([str(v) for v in values], str)
    return _distinct(name, out)


def _point_columns(model, name, points, pool):
    """One column per parameter out of a list of dicts that set the same parameters."""
    names = list(points[0])
    columns = {}
    for k, point in enumerate(points):
        if set(point) != set(names):
            odd = sorted(map(str, set(point) ^ set(names)))
            raise ValueError(f"{name}: point {k} differs in what it sets: {', '.join(odd)}")
    for word in names:
        columns[word] = _params.column(model, model.field(word), [p[word] for p in points], pool)[0]
    return columns


def _design_dim(model, design, pool):
    """The axis `point` from a list of dicts, a structured array, a DataFrame or (names, array)."""
    if isinstance(design, tuple) and len(design) == 2 and not isinstance(design[0], dict):
        names, array = design
        array = np.asarray(array)
        if not isinstance(names, (list, tuple)) or array.ndim != 2 or len(names) != array.shape[1]:
            raise ValueError(f"design: names {short(names)} and an array of shape {array.shape} do not fit")
        columns = {name: array[:, k] for k, name in enumerate(names)}
    elif isinstance(design, np.ndarray) and design.dtype.names and design.ndim == 1:
        columns = {name: design[name] for name in design.dtype.names}
    elif hasattr(design, "columns") and hasattr(design, "to_dict"):
        columns = {name: design[name].to_numpy() for name in design.columns}
    elif isinstance(design, (list, tuple)) and design and all(isinstance(p, dict) for p in design):
        made = _point_columns(model, "design", design, pool)
        return Dim("point", np.arange(len(design)), made, doc="Point of the design.")
    else:
        raise TypeError(
            "design must be a list of dicts, a structured array, a DataFrame or (names, array), "
            f"not {short(design)}"
        )
    if not columns or not 1 <= len(next(iter(columns.values()))) <= POINTS_MAX:
        raise ValueError("design needs at least one parameter and one point")
    made = {}
    for name, values in columns.items():
        values = np.asarray(values)
        values = values if values.dtype.kind in "fiu" else values.tolist()
        made[name] = _params.column(model, model.field(name), values, pool)[0]
    return Dim("point", np.arange(len(values)), made, doc="Point of the design.")


class Plan:
    """Everything a sweep needs of its parameters.

    rows (*shape) of params_dtype, pool (list of arrays), dims (names), coords, about (metadata per dim), aux
    (parameter -> (dim, values) for numeric parameters that a mapped axis or a design sets), fixed (names).
    """

    def __init__(self, model, dims, rows, pool, bug):
        self.model, self.rows, self.pool, self.mutant = model, rows, pool, bug
        self.dims = tuple(d.name for d in dims)
        self.shape = tuple(len(d) for d in dims)
        self.coords = {d.name: d.coords for d in dims}
        self.about = {d.name: d.about for d in dims}
        self.varied = {name: d.name for d in dims for name in d.columns}
        self.aux = {
            name: (d.name, values)
            for d in dims
            for name, values in d.columns.items()
            if name != d.name
            and values.dtype.kind in "fib"
            and not _same(values, d.coords)
            and model.field(name)["type"] in ("double", "int", "bool")
        }

    @property
    def points(self):
        """How many points."""
        return self.rows.size


def _same(a, b):
    return a.dtype.kind == b.dtype.kind and np.array_equal(a, b)


def plan(model, axes, given, design=None, check=True):
    """The Plan of these axes and parameters; the core checks every row unless told not to."""
    pool = _params.Pool()
    base, dims = _params.base_row(model, pool), []
    for one in axes:
        if not isinstance(one, Axis):
            raise TypeError(f"only dl.axis(...) may stand without a keyword, not {short(one)}")
        dims.append(_axis_dim(model, None, one, pool))
        _check_name(model, dims[-1])
    if design is not None:
        with naming("design"):
            dims.append(_design_dim(model, design, pool))
    for name, value in given.items():
        if isinstance(value, Axis):
            dims.append(_axis_dim(model, name, value, pool))
            _check_name(model, dims[-1])
        elif _params.is_axis(value):
            with naming(name):
                dims.append(_param_dim(model, name, value, pool))
        else:
            field = model.field(name)
            _params.put(model, base, field, _params.convert(model, field, value), pool)
    _check_dims(dims, given)
    shape = tuple(len(d) for d in dims)
    points = 1
    for n in shape:
        points *= n
    if points > POINTS_MAX:
        raise ValueError(f"the grid has {points} points, more than {POINTS_MAX}: shorten an axis of {shape}")
    rows = np.zeros(shape, model.params_dtype)
    _fill(rows, base)
    for k, dim in enumerate(dims):
        for name, column in dim.columns.items():
            rows[name] = column.reshape((-1,) + (1,) * (len(dims) - k - 1))
    bug = _params.mutant(model)
    if "bug" in given or any("bug" in dim.columns for dim in dims):
        bug = None
    if bug is not None:
        _params.plant(model, rows, bug)
    if check:
        _core.check(model.name, np.ascontiguousarray(rows.reshape(-1)), pool.arrays)
    return Plan(model, dims, rows, pool.arrays, bug)


def _check_name(model, dim):
    """The name of an axis must not say something else in the result."""
    if dim.name in model.columns.names:
        raise ValueError(f"an axis cannot be called {dim.name!r}: {model.name} has a column of that name")
    known = model.fields.get(dim.name)
    if known and known["type"] in ("double", "int") and dim.name not in dim.columns:
        raise ValueError(f"the axis {dim.name!r} does not set the parameter {dim.name}: call it otherwise")


def _fill(rows, base):
    """The same row everywhere: as bytes, which is fast, and in pieces between which Ctrl-C is heard."""
    kind = np.dtype((np.void, rows.dtype.itemsize))
    flat, one = rows.reshape(-1).view(kind), base.reshape(1).view(kind)
    for k in range(0, flat.size, ROWS_AT_ONCE):
        flat[k : k + ROWS_AT_ONCE] = one


def _check_dims(dims, given):
    seen, setters = set(), {name for name, value in given.items() if not _params.is_axis(value)}
    setters = {name for name in setters if not isinstance(given[name], Axis)}
    for dim in dims:
        if dim.name in seen:
            raise ValueError(f"two axes are called {dim.name!r}")
        seen.add(dim.name)
        for name in dim.columns:
            if name in setters:
                raise ValueError(f"{name} is set twice, once by the axis {dim.name!r}")
            setters.add(name)


def find_point(dims, coords, shape, point):
    """The flat index of a point given as an index, a tuple of indices, or {dim: coordinate}."""
    total = int(np.prod(shape))
    if isinstance(point, dict):
        index = []
        for name in point:
            if name not in dims:
                raise unknown("dimension", name, dims)
        for name, values in ((d, coords[d]) for d in dims):
            if name not in point and len(values) > 1:
                raise ValueError(f"point needs a coordinate for {name}")
            index.append(locate(name, values, point[name]) if name in point else 0)
        return int(np.ravel_multi_index(index, shape)) if shape else 0
    if isinstance(point, tuple):
        if len(point) != len(shape):
            raise ValueError(f"point needs {len(shape)} indices ({', '.join(dims)}), not {short(point)}")
        index = [_index(name, p, n) for name, p, n in zip(dims, point, shape, strict=True)]
        return int(np.ravel_multi_index(index, shape)) if shape else 0
    return _index("point", point, total)


def _index(name, value, count):
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an index from 0 to {count - 1}, not {short(value)}")
    if not -count <= value < count:
        raise ValueError(f"{name} = {value} is outside 0 to {count - 1}")
    return int(value) % count


def locate(name, values, wanted):
    """The index of a coordinate; numbers need only be equal to 9 digits."""
    if values.dtype.kind in "fi" and isinstance(wanted, (int, float, np.integer, np.floating)):
        with naming(name):
            wanted = float(wanted)
        hit = np.flatnonzero(np.isclose(values.astype(np.float64), wanted, rtol=1e-9, atol=0))
    else:
        hit = (
            np.flatnonzero(values == wanted)
            if isinstance(wanted, (str, bool, np.bool_))
            else np.array([], int)
        )
    if hit.size:
        return int(hit[0])
    few = ", ".join(str(v) for v in values[:12]) + (", ..." if len(values) > 12 else "")
    raise ValueError(f"{name} = {short(wanted)} is not on the axis ({few})")
