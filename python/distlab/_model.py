"""Models as Python sees them: a view over the descriptor that the C core tells us, and the catalogue of all.

Nothing here is written per model: fields, units, ranges, signature and docstring are derived.
"""

import numpy as np

from . import _core, _units
from ._common import RESERVED, short, text_table, unknown
from ._core import UnknownNameError

RUN_WORDS = ("seed", "keep", "trace", "budget", "token")
ONE_RUN_WORDS = ("choices", "record", "ask")
_cache: dict[str, "Model"] = {}

_KINDS = {"double": "float", "table": "dl.table(...)", "flags": "set of names"}


class Fields(tuple):
    """Descriptor rows (dicts), by position or by name."""

    __slots__ = ()

    def __getitem__(self, key):
        if isinstance(key, str):
            for row in self:
                if row["name"] == key:
                    return row
            raise unknown("name", key, self.names)
        return tuple.__getitem__(self, key)

    def __contains__(self, key):
        return key in self.names if isinstance(key, str) else tuple.__contains__(self, key)

    @property
    def names(self):
        """Names in order."""
        return [row["name"] for row in self]

    def get(self, name, default=None):
        """The row of this name, or default."""
        return next((row for row in self if row["name"] == name), default)


class _Doc:
    """A docstring built when somebody reads it; the class keeps its own."""

    def __get__(self, instance, owner):
        return _CLASS_DOC if instance is None else instance.docstring()


_CLASS_DOC = """A model of the core, as its descriptor tells.

    Calling it runs it: ``dl.queueing.station(arrival_rate=90)`` is ``dl.run("queueing.station", ...)``.

    Attributes: name, title, doc, source (text); exact (bool: no randomness); fields, metrics, outputs, bugs,
    columns (sequences of dicts, also by name); theory_columns (names with a closed form); params_dtype,
    metrics_dtype (NumPy dtypes whose memory is the C struct).
    """


class Model:
    __doc__ = _Doc()

    def __init__(self, name):
        about = _core.describe(name)
        self.name, self.title, self.text = about["name"], about["title"], about["doc"]
        self.source, self.exact = about["source"], about["exact"]
        self.family, _, self.leaf = self.name.rpartition(".")
        self.__name__ = self.__qualname__ = self.leaf
        self.fields = Fields(about["params"])
        self.metrics = Fields(about["metrics"])
        self.outputs = Fields(about["outputs"])
        self.bugs = Fields(about["bugs"])
        self.columns = Fields(about["columns"])
        self.theory_columns = tuple(about["theory_columns"])
        self.params_dtype, self.metrics_dtype = about["params_dtype"], about["metrics_dtype"]
        self._by_name = {row["name"]: row for row in self.fields}
        self._columns = {row["name"]: row for row in self.columns}

    doc = property(lambda self: self.text, doc="What it models and assumes.")

    def __call__(self, **params):
        from ._run import run

        return run(self, **params)

    def sweep(self, *axes, **params):
        """``dl.sweep`` of this model."""
        from ._sweep import sweep

        return sweep(self, *axes, **params)

    def field(self, name):
        """Metadata of a parameter (dict). UnknownNameError names the nearest one."""
        name = name if isinstance(name, str) else short(name)
        found = self._by_name.get(name)
        if found is None:
            if name in RESERVED:
                call = "dl.run or dl.sweep" if name in RUN_WORDS else "dl.sweep"
                call = "dl.run" if name in ONE_RUN_WORDS else "dl.enumerate" if name == "runs_max" else call
                raise UnknownNameError(f"{name} is an argument of {call}, not a parameter of {self.name}")
            raise unknown(f"{self.name}: parameter", name, self._by_name)
        return found

    def column(self, name):
        """Metadata of a column (dict name metric part q unit display doc).

        The name of a histogram or estimate stands for its mean.
        """
        if isinstance(name, str):
            for wanted in (name, f"{name}_mean"):
                if wanted in self._columns:
                    return self._columns[wanted]
        raise unknown(f"{self.name}: column", name, self._columns)

    def histogram(self, name):
        """The name of a histogram metric, checked."""
        known = [metric["name"] for metric in self.metrics if metric["type"] == "histogram"]
        if not isinstance(name, str) or name not in known:
            raise unknown(f"{self.name}: histogram", name, known)
        return name

    @property
    def main_column(self):
        """The column shown first: the mean of the first histogram, else the first column."""
        for metric in self.metrics:
            if metric["type"] == "histogram":
                return f"{metric['name']}_mean"
        return self.columns[0]["name"]

    @property
    def __signature__(self):
        return self.signature()

    def signature(self):
        """inspect.Signature: each parameter keyword-only with its default, then the arguments of dl.run."""
        from inspect import Parameter, Signature

        kind = Parameter.KEYWORD_ONLY
        call = [("seed", 1), ("keep", None), ("trace", False), ("budget", None), ("token", None)]
        known = [(row["name"], _default(row)) for row in self.fields]
        return Signature([Parameter(name, kind, default=value) for name, value in known + call])

    def docstring(self):
        """The numpydoc text: parameters with units, ranges and defaults, metrics, outputs, bugs,
        literature."""
        return _docstring(self)

    def __reduce__(self):
        return find, (self.name,)

    def __repr__(self):
        return f"<distlab model {self.name}: {self.title}>"[:100]

    def _repr_html_(self):
        from ._html import model_html

        return model_html(self)


def _default(row):
    value = row["default"]
    if isinstance(value, list):
        return frozenset(value)
    return int(value) if row["type"] == "int" and value is not None else value


def accepted(row):
    """What a parameter takes, in words: kind, range with unit, choices, None."""
    kind, unit = row["type"], row.get("unit")
    if kind == "choice":
        text = "one of " + ", ".join(row["choices"])
    elif kind == "flags":
        text = "a set out of " + ", ".join(row["choices"])
    elif kind == "bool":
        text = "True or False"
    elif kind == "table":
        columns = ", ".join(c["name"] for c in row["table"]["columns"])
        text = f"dl.table(...), or its rows as text, with columns {columns}"
    else:
        what = {"int": "an integer", "double": "a number"}.get(kind, "a distribution")
        text = what + (f" in {unit}" if unit else "")
        if row["min"] is not None and not np.isnan(row["min"]):
            mean = "with a mean " if kind == "distribution" else ""
            text += f" {mean}from {row['min']:g} to {row['max']:g}"
    return text + (", or None (off)" if row["optional"] else "")


def _show(value, row):
    return _units.quantity(value, row["unit"], row["display"])


def _field_lines(row, wrap):
    kind = (
        "{" + ", ".join(row["choices"]) + "}"
        if row["type"] == "choice"
        else _KINDS.get(row["type"], row["type"])
    )
    default = _default(row)
    if row["type"] in ("double", "int") and default is not None:
        default = _show(default, row)
    head = f"{row['name']} : {kind}" + (f" [{row['unit']}]" if row.get("unit") else "")
    lines = wrap(f"{head}, default {default}", "", "    ")
    text = row["doc"]
    if row["type"] not in ("choice", "bool"):
        text += f" Takes {accepted(row)}."
    elif row["optional"]:
        text += " None: off."
    if row.get("low") is not None and row["type"] in ("double", "int") and row["low"] < row["high"]:
        text += f" Typical: {_show(row['low'], row)} to {_show(row['high'], row)}."
    return lines + wrap(text, "    ", "    ")


def _docstring(model):
    from textwrap import wrap as fold

    def wrap(text, first, rest):
        return fold(text, 88, initial_indent=first, subsequent_indent=rest) or [first.rstrip()]

    lines = [model.title.rstrip(".") + ".", "", *wrap(model.doc, "", ""), "", "Parameters", "----------"]
    group = None
    for row in model.fields:
        if row["group"] and row["group"] != group:
            group = row["group"]
        lines += _field_lines(row, wrap)
    lines += [
        "",
        "Returns",
        "-------",
        "Run",
        "    With these columns, in SI units (*: has a closed form):",
        "",
    ]
    for metric in model.metrics:
        names = [row["name"] for row in model.columns if row["metric"] == metric["name"]]
        names = ", ".join(name + ("*" if name in model.theory_columns else "") for name in names)
        unit = f" [{metric['unit']}]" if metric.get("unit") else ""
        lines += wrap(f"{names}{unit}: {metric['doc']}", "    ", "        ")
    for title, rows in (("Output tables (keep=)", model.outputs), ("Planted bugs (bug=)", model.bugs)):
        if rows:
            lines += ["", "    " + title + ":", ""]
        for row in rows:
            lines += wrap(f"{row['name']}: {row['doc']}", "    ", "        ")
    if model.source:
        lines += ["", "References", "----------", *wrap(model.source, "", "")]
    return "\n".join(lines)


class Family:
    """The models of one family: ``dl.queueing.station``. Built when first touched."""

    def __init__(self, name):
        self.__name__ = name

    def _leaves(self):
        start = self.__name__ + "."
        return [name[len(start) :] for name in _core.models() if name.startswith(start)]

    def __getattr__(self, leaf):
        if leaf.startswith("_"):
            raise AttributeError(leaf)
        if leaf not in self._leaves():
            near = _core.nearest(leaf, self._leaves())
            hint = f"; did you mean {near!r}?" if near else f" (it has {', '.join(self._leaves())})"
            raise AttributeError(f"family {self.__name__} has no model {leaf!r}{hint}")
        return find(f"{self.__name__}.{leaf}")

    def __dir__(self):
        return self._leaves()

    def __iter__(self):
        return (find(f"{self.__name__}.{leaf}") for leaf in self._leaves())

    def __repr__(self):
        return f"<distlab family {self.__name__}: {', '.join(self._leaves())}>"

    def _repr_html_(self):
        return Catalogue(self)._repr_html_()


class Catalogue(Fields):
    """Models in order: by position, by name, iterable; a table in a notebook."""

    __slots__ = ()

    def __getitem__(self, key):
        return find(key) if isinstance(key, str) else tuple.__getitem__(self, key)

    @property
    def names(self):
        """Names of the models."""
        return [model.name for model in self]

    def get(self, name, default=None):
        """The model of this name, or default."""
        return next((model for model in self if model.name == name), default)

    def __repr__(self):
        return text_table((model.name, model.title) for model in self)

    def _repr_html_(self):
        from ._html import models_html

        return models_html(self)


def find(model):
    """A Model by name (or itself). UnknownNameError names the nearest one."""
    if isinstance(model, Model):
        return model
    if not isinstance(model, str):
        raise TypeError(f"model must be a name such as 'queueing.station', not {type(model).__name__}")
    if model not in _cache:
        if model not in _core.models():
            raise unknown("model", model, _core.models())
        _cache[model] = Model(model)
    return _cache[model]


def models(text=None, /):
    """The catalogue of models, those whose name or title contains text when given (TypeError if not text).

    Returns a Catalogue: iterate it, index it by position or name, or show it in a notebook.
    """
    if text is not None and not isinstance(text, str):
        raise TypeError(f"models takes a piece of text to look for, not {type(text).__name__}")
    every = (find(name) for name in _core.models())
    wanted = (text or "").lower()
    return Catalogue(
        model for model in every if wanted in model.name.lower() or wanted in model.title.lower()
    )


def register(address, /):
    """Add a model written outside of this package: the address of its ``dlab_model`` in a loaded library.

    Returns the Model. TypeError or ValueError when there is no valid descriptor at that address.
    """
    from ._common import integer

    name = _core.register(integer("address", address, 1, 2**64 - 1))
    _cache.pop(name, None)  # the model may be a new version of one seen before
    return find(name)
