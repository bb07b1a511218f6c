"""Every way the coins of a run can fall: probabilities instead of samples."""

import math

import numpy as np

from . import _core, _design, _units
from ._choices import Choices
from ._common import check_budget, check_seed, integer, need, text_table
from ._model import find
from ._run import OneRow, check_one, check_token, check_warnings, run_row

RUNS_MAX = 1_000_000
RUNS_MOST = 100_000_000
ROWS_SHOWN = 12
COLUMNS_BY = 4


class Enumeration(OneRow):
    """Every run that the coins allow, each once, with its probability.

    Attributes
    ----------
    model : Model
    params, changed : dict
        Every parameter; those that are not at their default.
    weights : float64 array (runs,)
        Probability of each run; they add up to 1. Run 0 is the one where every coin falls quietly.
    metrics : structured array (runs,)
        Every column of every run, SI units.
    fingerprints : uint64 array (runs,)
        Of the events of each run; 0: none.
    seed : int
        What is no coin is drawn from it, the same in every run.
    """

    def __init__(self, model, row, pool, key, seed, mutant, out):
        self.model, self.seed, self.mutant = model, seed, mutant
        self._row, self._pool, self._key = row, pool, key
        self.weights, self.fingerprints = out["weights"], out["fingerprints"]
        self._rows, self._buckets = out["metrics"], out["buckets"]
        self._choices, self._offsets = out["choices"], out["offsets"]
        self.metrics = _core.columns(model.name, self._rows, self._buckets)
        for array in (self.weights, self.fingerprints, self.metrics):
            array.setflags(write=False)

    def __len__(self):
        return self.weights.size

    def expect(self, column):
        """The exact expectation of a column, SI units; NaN when the column is NaN in some run."""
        return math.fsum(self.weights * self.metrics[self.model.column(column)["name"]])

    def outcomes(self, by=None):
        """The probability of every combination of values of some columns.

        by: a column or a list of them; by default the first few that differ between runs. Returns a
        structured array with these columns and `probability`, in the order of the values.
        """
        names = self._by(by)
        if not names:
            return np.array([(1.0,)], [("probability", np.float64)])
        each = [np.unique(self.metrics[name], return_inverse=True) for name in names]
        places, where = np.unique(np.stack([place for _, place in each], axis=1), axis=0, return_inverse=True)
        out = np.zeros(len(places), [(name, np.float64) for name in (*names, "probability")])
        for name, (values, _), place in zip(names, each, places.T, strict=True):
            out[name] = values[place]
        out["probability"] = np.bincount(where.reshape(-1), self.weights, len(places))
        return out

    def _by(self, by):
        if by is None:
            every = self.metrics.dtype.names
            return [n for n in every if np.unique(self.metrics[n]).size > 1][:COLUMNS_BY]
        if isinstance(by, (list, tuple)):
            return list(dict.fromkeys(self.model.column(name)["name"] for name in by))
        if isinstance(by, str):
            return [self.model.column(by)["name"]]
        raise TypeError(f"by must be a column or a list of columns, not {type(by).__name__}")

    def frame(self, by=None):
        """``outcomes`` as a pandas DataFrame (needs the sweep extra)."""
        return need("pandas", "sweep").DataFrame(self.outcomes(by))

    def choices(self, run):
        """The Choices of one run: the coins that fell loud, and its events."""
        k = integer("run", run, 0, len(self) - 1)
        return Choices(self._choices[int(self._offsets[k]) : int(self._offsets[k + 1])])

    def replay(self, run, *, keep=None, trace=False, budget=None, token=None):
        """One of the runs again, as a Run, keeping output tables."""
        return run_row(
            self.model, self._row, self._pool, self._key, self.seed, keep=keep, trace=trace, budget=budget,
            token=token, mutant=self.mutant, at=(0, 0),
            decide={"choices": self.choices(run), "record": True},
        )  # fmt: skip

    def summary(self):
        """A few lines of text: the expectation of every column, and the probabilities of the outcomes."""
        rows = [
            (name, _units.value_text(self.expect(name), self.column(name)))
            for name in self.metrics.dtype.names
        ]
        table, names = self.outcomes(), self._by(None)
        shown = sorted(table.tolist(), key=lambda row: -row[-1])[:ROWS_SHOWN]
        lines = [repr(self)[1:-1], text_table(rows, ("column", "expectation"))]
        if names:
            texts = (
                [*map(_units.value_text, row[:-1], map(self.column, names)), f"{row[-1]:.6g}"]
                for row in shown
            )
            lines.append(text_table(texts, (*names, "probability")))
        return "\n".join(lines)

    def __repr__(self):
        every = (self.model.main_column, *self.metrics.dtype.names)
        main = next((name for name in every if not math.isnan(self.expect(name))), every[0])
        text = _units.value_text(self.expect(main), self.model.column(main))
        return f"<distlab enumeration of {self.model.name}: {len(self)} runs, expected {main} = {text}>"[:100]

    def _repr_html_(self):
        from ._html import enumeration_html

        return enumeration_html(self)


def enumerate(model, /, *, seed=1, runs_max=RUNS_MAX, budget=None, token=None, **params):
    """Run a model once for every way its coins can fall, and weigh each run with its probability.

    Parameters
    ----------
    model : str or Model
    seed : int in 0..2**64-1, or None
        What is no coin (delays, service times) is drawn from it, the same in every run: expectations are
        exact where coins are the only randomness, and given these draws elsewhere.
    runs_max : int
        More ways than this raise BudgetError.
    budget : dict, optional
        {"steps": most steps of a run, "memory": bytes of a run, "total": bytes of all runs kept, 8 GiB}.
    token : Token, optional
        ``token.cancel()`` in another thread stops it within 100 ms.
    **params
        The model's parameters, as in ``dl.run``.

    Returns an Enumeration. A run has at most 64 coins.
    """
    model, seed = find(model), check_seed(seed)
    plan = _design.plan(model, (), check_one(model, params, "dl.enumerate"))
    row, limits = plan.rows.reshape(()), check_budget(budget)
    check_warnings(model, row.reshape(1), plan.pool)
    key = int(_core.row_keys(seed, 1, 1, True).flat[0])
    out = _core.enumerate(
        model.name,
        row.reshape(1),
        key,
        pool=plan.pool,
        runs_max=integer("runs_max", runs_max, 1, RUNS_MOST),
        steps_max=limits["steps"],
        memory_max=limits["memory"],
        keep_max=limits["total"],
        token=check_token(token),
    )
    return Enumeration(model, row, plan.pool, key, seed, plan.mutant, out)
