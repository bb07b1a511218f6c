"""One run of a model and what it leaves behind."""

import numpy as np

from . import _block, _core, _design, _params, _units
from ._choices import Choices
from ._common import GIB, Named, boolean, check_budget, check_seed, short, text_table, unknown, warn
from ._model import find


class Metrics(dict):
    """Columns by name (float, SI units); also as attributes."""

    def __init__(self, model, values):
        super().__init__(values)
        self._model = model

    def __getattr__(self, name):
        if name.startswith("_") or name not in self:
            raise AttributeError(name)
        return self[name]

    def __missing__(self, name):
        raise unknown(f"{self._model.name}: column", name, list(self))

    def __reduce__(self):
        return Metrics, (self._model, dict(self))

    def __repr__(self):
        return text_table((n, _units.value_text(v, self._model.column(n))) for n, v in self.items())


class OneRow:
    """A result of one row of parameters: ``model``, ``_row`` and the ``_pool`` that it refers to."""

    def field(self, name):
        """Metadata of a parameter (dict)."""
        return self.model.field(name)

    def column(self, name):
        """Metadata of a column (dict)."""
        return self.model.column(name)

    @property
    def params(self):
        """Every parameter by name, SI units, None where off."""
        return {f["name"]: _params.decode(self.model, f, self._row, self._pool) for f in self.model.fields}

    @property
    def changed(self):
        """The parameters that differ from their defaults (dict)."""
        return changed(self.model, self._row, self._pool)


class Run(OneRow):
    """The result of one run.

    Attributes
    ----------
    model : Model
    params : dict
        Every parameter as it was (SI units; None: off).
    metrics : dict
        Columns by name, floats in SI units; also ``run["latency_mean"]`` and ``run.latency_mean``.
    trace : Trace
        What happened, in order, where ``trace=True`` kept it.
    tables, series : dict name -> structured array
        Output tables that were kept (times in s); series is the part of them that hold values over time.
    seed, point, rep : int
        Where its key comes from; point and rep are 0 unless it replays a row of a sweep.
    fingerprint : int or None
        Of its events, in order: equal for equal runs, on every platform. None: the run had no events.
    choices : Choices or None
        What was decided in it, where somebody wanted to know (record, choices or ask).
    skipped : int or None
        Entries of the choices given that were passed over because they were not on offer.
    """

    choices = skipped = _decided_by = None

    def __init__(
        self, model, row, pool, key, seed, outputs, metrics, buckets, mutant=None, at=(0, 0), fingerprint=None
    ):
        self.model, self.seed, self.mutant, self.fingerprint = model, seed, mutant, fingerprint
        self.point, self.rep = at
        self._row, self._pool, self._key = row, pool, key
        self._metrics, self._buckets = metrics, buckets
        self._columns = _core.columns(model.name, metrics, buckets)
        names = self._columns.dtype.names
        self.metrics = Metrics(model, zip(names, self._columns.reshape(-1)[0].tolist(), strict=True))
        self.tables = Named("kept table", outputs)
        series = {name: rows for name, rows in outputs.items() if model.outputs[name]["series"]}
        self.series = Named("kept series", series)
        self._trace = None

    def __getattr__(self, name):
        metrics = self.__dict__.get("metrics")
        if metrics is None or name.startswith("_"):
            raise AttributeError(name)
        if name in metrics:
            return metrics[name]
        near = _core.nearest(name, list(metrics))
        raise AttributeError(
            f"run has no attribute or column {name!r}" + (f"; did you mean {near!r}?" if near else "")
        )

    def __getitem__(self, name):
        return self.metrics[self.model.column(name)["name"]]

    def __dir__(self):
        return [*super().__dir__(), *self.metrics]

    @property
    def array(self):
        """The columns as a structured array of shape ()."""
        return self._columns.reshape(())

    @property
    def theory(self):
        """{column: value} of the closed forms that hold for these parameters (dict, maybe empty)."""
        if not self.model.theory_columns:
            return {}
        values = np.asarray(_core.theory(self.model.name, self._row.reshape(1), self._pool)).reshape(-1)
        return {
            c: float(v) for c, v in zip(self.model.theory_columns, values, strict=True) if not np.isnan(v)
        }

    @property
    def provenance(self):
        """What makes this run again: version, model, hash of the parameters, seed, place of the row."""
        from ._provenance import provenance

        place = {"point": self.point, "rep": self.rep, "key": int(self._key)}
        if self.fingerprint is not None:
            place["fingerprint"] = f"{self.fingerprint:016x}"
        return (
            provenance(self.model, self._row.reshape(1), self._pool, self.seed, None, 1, self.mutant) | place
        )

    def stats(self, column, confidence=0.95):
        """{"mean", "low", "high", "se", "n"} of one column: the interval a single run can give (NaN:
        none)."""
        name = self.model.column(column)["name"]
        every = _core.merge(
            self.model.name,
            self._metrics.reshape(-1),
            self._buckets,
            np.array([0]),
            np.array([0, 1]),
            confidence,
        )
        five = every[0, self.model.columns.names.index(name)].tolist()
        return dict(zip(("mean", "low", "high", "se", "n"), five, strict=True))

    def histogram(self, metric):
        """(edges (n + 1), counts (n)) of a histogram metric, SI units."""
        rows = self._metrics.reshape(-1)
        return _core.buckets(
            self.model.name, rows, self._buckets, self.model.histogram(metric), np.array([0])
        )

    def quantile(self, metric, q):
        """The q-quantile of a histogram metric, SI units; same shape as q."""
        from ._results import quantiles

        return quantiles(
            self.model,
            self._metrics.reshape(-1),
            self._buckets,
            self.model.histogram(metric),
            q,
            np.array([0]),
            np.array([0, 1]),
            (),
        )

    @property
    def trace(self):
        """What happened, in order: a Trace (text, causal order, diagram, exports), where trace=True kept it.

        ValueError where this run kept none, or where the model has none.
        """
        if self._trace is None:
            from ._trace import of_run

            self._trace = of_run(self)
        return self._trace

    def series_data(self, name):
        """(times in s, values, metadata of the column) of a kept series, or of one column of it."""
        for output, rows in self.series.items():
            for column in _block.value_columns(self.model.outputs[output]):
                if name in (output, column["name"], f"{output}_{column['name']}"):
                    return rows["time"], rows[column["name"]], column
        raise unknown("kept series", name, list(self.series))

    def replay(self, *, keep=None, trace=False, budget=None, token=None):
        """The same run again, bit for bit, keeping more output tables.

        A run in which somebody was asked goes the way of the answers, and on quietly where it was ended.
        """
        decide = {"choices": self._decided_by, "record": self.choices is not None}
        return run_row(
            self.model,
            self._row,
            self._pool,
            self._key,
            self.seed,
            keep=keep,
            trace=trace,
            budget=budget,
            token=token,
            mutant=self.mutant,
            at=(self.point, self.rep),
            decide=decide,
        )

    @property
    def recipe(self):
        """One line that makes the run again in a shell: parameters that are not at their defaults, seed, rep.

        ValueError where it would be too long (large samples or tables): then ``save`` keeps the run.
        """
        from ._recipe import recipe

        place = (self.point, self.rep)
        return recipe(self.model, self._row, self._pool, self._key, self.seed, place, self._decided_by)

    @property
    def dataset(self):
        """The columns as an xarray Dataset without dimensions (needs the sweep extra)."""
        from ._export import run_dataset

        return run_dataset(self)

    def frame(self):
        """A pandas DataFrame, one row per column: value (SI), unit, theory (needs the sweep extra)."""
        from ._export import run_frame

        return run_frame(self)

    def save(self, path):
        """Write everything to one .npz file that ``dl.load`` reads back bit for bit (needs NumPy alone).

        ValueError for a name that ends like another format: .csv, .json, .parquet, .nc, .png and the like.
        """
        from ._save import save

        return save(self, path)

    def plot(self, what=None, ax=None, **style):
        """Draw it on matplotlib axes (needs the notebooks extra); returns the axes or a picture."""
        from ._plot import plot_run

        return plot_run(self, what, ax=ax, **style)

    def summary(self):
        """A few lines of text: what was run, every column in its display unit, closed forms beside it."""
        return _summary(self)

    def __repr__(self):
        main = self.model.main_column
        text = _units.value_text(self.metrics[main], self.model.column(main))
        mark = "" if self.fingerprint is None else f", fingerprint {self.fingerprint:016x}"
        return f"<distlab run of {self.model.name}, seed {self.seed}: {main} = {text}{mark}>"[:100]

    def _repr_html_(self):
        from ._html import run_html

        return run_html(self)


def changed(model, row, pool, but=()):
    """{name: value} of the parameters of a row that differ from their defaults, but for some."""
    own = _params.Pool()
    base = _params.base_row(model, own)
    out = {}
    for field in model.fields:
        if field["name"] in but:
            continue
        if _params.written(model, field, row, pool) != _params.written(model, field, base, own.arrays):
            out[field["name"]] = _params.decode(model, field, row, pool)
    return out


def _summary(run):
    given = run.changed
    head = ", ".join(f"{k}={_units.value_text(v, run.field(k))}" for k, v in given.items()) or "all defaults"
    theory, rows = run.theory, []
    for name, value in run.metrics.items():
        column, about = run.column(name), run.stats(name)
        half = (about["high"] - about["low"]) / 2
        text = _units.value_text(value, column)
        if half > 0:
            text += f" ± {_units.value_text(half, column, digits=2)}"
        rows.append((name, text, _units.value_text(theory[name], column) if name in theory else ""))
    header = ("column", "value", "closed form" if theory else "")
    return f"{run.model.name}: {short(head, 80)[1:-1] if len(head) > 80 else head}\n" + text_table(
        rows, header
    )


def check_warnings(model, rows, pool, dims=()):
    """Issue what the model has to say about its parameters as one DistlabWarning."""
    said = _core.warnings(model.name, rows, pool)
    if not said:
        return
    first = f" (at point {said[0][1]}" if dims else ""
    if first:
        more = f" and {len(said) - 1} more" if len(said) > 1 else ""
        first += f"{more})"
    warn(f"{model.name}: {said[0][0].rstrip('.')}{first}")


class Job:
    """Everything a call into the core needs but the rectangle; threads 0: one for each core."""

    def __init__(
        self, model, rows, pool, keys, keep, budget, *, threads=0, keep_max=GIB, mask=False, token=None
    ):
        self.model, self.rows, self.pool, self.keys = model, rows, pool, keys
        self.keep, self.budget, self.threads = keep, budget, threads
        self.keep_max, self.mask, self.token = keep_max, mask, token
        self.decide = {}  # of one run: choices (uint64 array), record, ask
        self.seed = None  # of a sweep: a row that fails is named by its recipe
        self.executor = self.store = None  # of a sweep: who runs the rows, and the checkpoint


def check_token(token):
    """A Token or None."""
    if token is not None and not isinstance(token, _core.Token):
        raise TypeError(f"token must be a dl.Token, not {short(token)}")
    return token


def run_row(model, row, pool, key, seed, *, keep, trace, budget, token, mutant, at, decide=None):
    """Run one row of parameters under one key; decide: who decides in it (choices, record, ask)."""
    wanted = _block.parse_keep(model, keep, boolean("trace", trace))
    keys = np.full((1, 1), key, np.uint64)
    job = Job(
        model, row.reshape(1), pool, keys, wanted, check_budget(budget), threads=1, token=check_token(token)
    )
    choices, ask = (decide or {}).get("choices"), (decide or {}).get("ask")
    if decide and (choices is not None or ask is not None or decide["record"]):
        job.decide = {"choices": None if choices is None else choices.array, "record": True, "ask": ask}
    block = _block.run_block(job, (0, 1, 0, 1))
    outputs = {name: rows for name, (rows, _) in block.outputs.items()}
    fingerprint = int(block.fingerprints[0, 0]) or None
    result = Run(
        model, row, pool, key, seed, outputs, block.metrics.reshape(()), block.buckets, mutant, at,
        fingerprint,
    )  # fmt: skip
    if job.decide:
        result.choices = Choices(block.decided["choices"], incomplete=block.decided["incomplete"])
        result.skipped = None if choices is None else block.decided["skipped"]
        result._decided_by = choices if ask is None else result.choices
    return result


def check_decide(choices, record, ask):
    """Who decides in a run, checked."""
    if ask is not None and not callable(ask):
        raise TypeError(f"ask must be a function of a list of texts that returns an index, not {short(ask)}")
    if choices is not None and ask is not None:
        raise TypeError("choices and ask exclude each other: either a list decides or a person does")
    choices = None if choices is None else Choices(choices)
    if choices is not None and choices.incomplete:
        warn("choices: the list is incomplete; where it ends the run goes on quietly")
    return {"choices": choices, "record": boolean("record", record), "ask": ask}


def check_one(model, params, call):
    """The parameters of a call that takes one value of each."""
    for name, value in params.items():
        field = model.field(name)
        if isinstance(value, _design.Axis) or (_params.is_axis(value) and not _is_set(field, value)):
            hint = "samples go through dl.empirical(...), rows through dl.table(...)"
            raise TypeError(
                f"{name} takes one value in {call}, not {short(value)}: several values are an axis of "
                f"dl.sweep; {hint}"
            )
    return {k: frozenset(v) if _is_set(model.field(k), v) else v for k, v in params.items()}


def run(model, /, *, seed=1, keep=None, trace=False, budget=None, token=None, record=False, choices=None,
        ask=None, **params):  # fmt: skip
    """Run a model once.

    Parameters
    ----------
    model : str or Model
        A name from ``dl.models()``.
    seed : int in 0..2**64-1, or None
        The same seed gives the same run, and is repetition 0 of a sweep with that seed. None draws one.
    keep : True, str or list of str, optional
        Output tables to keep; True: all.
    trace : bool
        Keep the output table "trace" as well: ``r.trace`` is then text, causal order, diagram and exports.
    budget : dict, optional
        {"steps": most steps of the run, "memory": most bytes of the run, as number or "2GiB"}. Steps have no
        limit by default: faults at a million a second, or answers of ``ask`` that never let time pass, go on
        until Ctrl-C or a token ends them. A budget of steps is the same on every machine.
    token : Token, optional
        ``token.cancel()`` in another thread stops the run within 100 ms.
    record : bool
        Write down what was decided: ``run.choices``.
    choices : Choices, list of str or str, optional
        Decide as this list says: its entries as they come on offer, the quiet option elsewhere.
    ask : callable, optional
        Decides: it is given the texts of the options (list of str; the first one is the quiet one) and
        returns the index of one. None ends the run: with what there is, or as Cancelled where the model
        cannot end early. What it raises ends the run too.
    **params
        The model's parameters: numbers in SI units, text with units ("10ms"), None for off, names for
        choices, sets for flags, distributions (text, ``dl.lognormal(...)``, a number for a constant),
        ``dl.table(...)`` or its rows as text ("kind=crash, node=1, time=5s; kind=pause, ...").

    Returns a Run. UnknownNameError (a KeyError), TypeError and ValueError name the parameter, the value, what
    is accepted and the nearest name; BudgetError and Cancelled say what they say.
    """
    model = find(model)
    given = check_one(model, params, "dl.run")
    seed, decide = check_seed(seed), check_decide(choices, record, ask)
    plan = _design.plan(model, (), given)
    row = plan.rows.reshape(())
    check_warnings(model, row.reshape(1), plan.pool)
    key = int(_core.row_keys(seed, 1, 1, True).flat[0])
    return run_row(
        model,
        row,
        plan.pool,
        key,
        seed,
        keep=keep,
        trace=trace,
        budget=budget,
        token=token,
        mutant=plan.mutant,
        at=(0, 0),
        decide=decide,
    )


def _is_set(field, value):
    """A list of flags is one value where there can be no axis."""
    return (
        field["type"] == "flags"
        and isinstance(value, (list, tuple))
        and all(isinstance(v, str) for v in value)
    )
