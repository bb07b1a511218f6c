"""Where does a closed form reach a target? A bracket refined by whole rows of the core, for exact models
only."""

import math

import numpy as np

from . import _block, _core, _design, _params, _units
from ._common import check_budget, real, short
from ._model import find
from ._run import Job, run

ROUND = 65
ROUNDS = 60


class Solution:
    """The answer of :func:`solve`: value (SI units; also float(solution)), reached (the column there), run (a
    Run)."""

    def __init__(self, model, vary, column, target, value, run):
        self.model, self.vary, self.column, self.target, self.run = model, vary, column, target, run
        self.value, self.reached = value, run.metrics[column]

    def __float__(self):
        return float(self.value)

    def __repr__(self):
        at = _units.value_text(self.value, self.model.field(self.vary))
        reached = _units.value_text(self.reached, self.model.column(self.column))
        return f"<distlab solution of {self.model.name}: {self.vary} = {at} gives {self.column} = {reached}>"[
            :100
        ]


def solve(model, /, *, vary, between, column, target, **params):
    """The value of one parameter at which a column of an exact model reaches a target.

    Parameters
    ----------
    vary : str
        A number parameter of the model.
    between : (low, high)
        Where to look, SI units or text with units. The column must be below the target at one end and above
        it at the other; of several crossings the one nearest to low is found.
    column : str
        A column of the model.
    target : float
        SI units.

    For an integer parameter the value is the first integer at or past the crossing. Returns a Solution.
    ValueError when the model is random, when the target is not bracketed (the text gives both ends), and for
    values out of range.
    """
    model = find(model)
    if not model.exact:
        raise ValueError(
            f"solve needs an exact model; {model.name} is random: use dl.sweep and read the crossing"
        )
    field, name = model.field(vary), model.column(column)["name"]
    if field["type"] not in ("double", "int"):
        raise ValueError(f"solve can vary numbers only, and {vary} is a {field['type']}")
    if vary in params:
        raise ValueError(f"{vary} is what solve varies; it cannot be given too")
    target = real("target", target, -math.inf, math.inf)
    if not isinstance(between, (tuple, list)) or len(between) != 2:
        raise TypeError(f"between must be a pair (low, high), not {short(between)}")
    low, high = (_params.convert(model, field, end) for end in between)
    if not low < high:
        raise ValueError(f"between = {short(between)} must be a pair with low < high")
    for word, value in params.items():
        if _params.is_axis(value) or isinstance(value, _design.Axis):
            raise TypeError(f"solve: {word} takes one value, not {short(value)}")
    refine = _integers if field["type"] == "int" else _reals
    value = refine(_Column(model, field, name, params), target, low, high)
    return Solution(model, vary, name, target, value, run(model, **params, **{vary: value}))


class _Column:
    """The column as a function of the varied parameter, over whole arrays."""

    def __init__(self, model, field, column, params):
        self.model, self.field, self.column, self.params = model, field, column, params

    def __call__(self, values):
        plan = _design.plan(self.model, (), {**self.params, self.field["name"]: values})
        rows = np.ascontiguousarray(plan.rows)
        keys = np.asarray(_core.row_keys(1, len(rows), 1, True)).reshape(-1, 1)
        job = Job(self.model, rows, plan.pool, keys, {}, check_budget(None), threads=1)
        block = _block.run_block(job, (0, len(rows), 0, 1))
        return _core.columns(self.model.name, block.metrics[:, 0], block.buckets)[self.column]


def _bracket(column, target, grid):
    """The first interval of the grid in which the column crosses the target."""
    values = column(grid)
    side = np.sign(values - target)
    at = np.flatnonzero(side == 0)
    change = np.flatnonzero(side[:-1] * side[1:] < 0)
    if at.size and (not change.size or at[0] <= change[0]):
        return grid[at[0]], grid[at[0]]
    if not change.size:
        about, field = column.model.column(column.column), column.field
        ends = [
            f"{_units.value_text(v, about)} at {_units.value_text(x, field)}"
            for x, v in ((grid[0], float(values[0])), (grid[-1], float(values[-1])))
        ]
        raise ValueError(
            f"{column.column} does not reach {_units.value_text(target, about)} between them: "
            f"it is {ends[0]} and {ends[1]} ({field['name']})"
        )
    return grid[change[0]], grid[change[0] + 1]


def _reals(column, target, low, high):
    for _ in range(ROUNDS):
        grid = np.unique(np.linspace(low, high, ROUND))
        if grid.size < 3:
            break
        low, high = _bracket(column, target, grid)
        if low == high or high - low <= 2 * np.spacing(max(abs(low), abs(high))):
            break
    ends = np.unique([low, high])
    return float(ends[np.argmin(np.abs(column(ends) - target))])


def _integers(column, target, low, high):
    while True:
        grid = np.unique(np.linspace(low, high, ROUND).round().astype(np.int64))
        left, right = _bracket(column, target, grid)
        if right - left <= 1:
            return int(right)
        low, high = int(left), int(right)
