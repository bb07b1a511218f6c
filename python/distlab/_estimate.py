"""What a sweep will cost, before it runs: rows, steps, seconds and bytes."""

import time

import numpy as np

from . import _block, _core, _design, _units
from ._common import GIB, REPS_MAX, check_budget, check_seed, integer
from ._core import BudgetError
from ._model import find
from ._run import Job

HISTOGRAM_CELLS = 57 * 128
TRIAL_STEPS = 2_000_000
SURE = GIB // 4


class Estimate:
    """Rows, points, reps, steps (NaN: the model does not say), seconds (wall, on this machine), bytes."""

    def __init__(self, model, points, reps, steps, seconds, bytes_, cores):
        self.model, self.points, self.reps, self.rows = model, points, reps, points * reps
        self.steps, self.seconds, self.bytes, self.cores = steps, seconds, bytes_, cores

    def __repr__(self):
        steps = f", {self.steps:.3g} steps" if self.steps == self.steps else ""
        return (
            f"<distlab estimate: {self.points} points x {self.reps} reps = {self.rows} rows{steps}, "
            f"about {self.seconds:.2g} s on {self.cores} cores, {readable(self.bytes)}>"
        )


def readable(count):
    """Bytes for people: "1.2 GiB"."""
    for unit, one in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= one:
            return f"{_units.number(count / one, 3)} {unit}"
    return f"{int(count)} bytes"


def estimate(model, /, *axes, reps=None, seed=1, design=None, keep=None, threads=None, budget=None, **params):
    """What ``dl.sweep`` with these arguments would cost; runs one row, of middling length, to find out.

    Returns an Estimate with rows, points, reps, steps, seconds and bytes. Errors are those of ``dl.sweep``.
    """
    model = find(model)
    reps = (1 if model.exact else 20) if reps is None else integer("reps", reps, 1, REPS_MAX)
    threads = _core.cores() if threads is None else integer("threads", threads, 1, 256)
    keep = _block.parse_keep(model, keep)
    plan = _design.plan(model, axes, params, design)
    rows = np.ascontiguousarray(plan.rows.reshape(-1))
    check_budget(budget)
    steps = np.asarray(_core.steps(model.name, rows, plan.pool), float)
    seconds, cells, raw = _trial(model, rows, plan.pool, steps, keep, check_seed(seed))
    kept = _final_bytes(model, keep) + sum(_kept_bytes(model, name, n) for name, n in raw.items())
    total = rows.size * reps
    used = min(threads, total)
    return Estimate(
        model,
        rows.size,
        reps,
        float(steps.sum() * reps),
        seconds * total / used,
        total * (_row_bytes(model) + 8 * cells + kept),
        used,
    )


def _row_bytes(model):
    return model.metrics_dtype.itemsize + 8 * len(model.columns) + 8


def _trial(model, rows, pool, steps, keep, seed):
    """(seconds, histogram cells, {output: bytes}) of an average row, from one row that is cut short.

    It is the row of median length; where that one is too long and outputs are kept, the shortest.
    """
    known = np.isfinite(steps).all()
    middle = int(np.argpartition(steps, steps.size // 2)[steps.size // 2]) if known else rows.size // 2
    if known and keep and steps[middle] > TRIAL_STEPS:
        middle = int(np.argmin(steps))
    budget = {"steps": TRIAL_STEPS, "memory": 0}
    keys = np.asarray(_core.row_keys(seed, 1, 1, True)).reshape(1, 1)
    job = Job(model, rows[middle : middle + 1], pool, keys, keep, budget, threads=1)
    start = time.perf_counter()
    try:
        block = _block.run_block(job, (0, 1, 0, 1))
        cells, done = block.buckets.size, steps[middle] if known else 1.0
        raw = {name: out[0].nbytes for name, out in block.outputs.items()}
    except BudgetError:
        cells, done, raw = HISTOGRAM_CELLS * _histograms(model) // 4, float(TRIAL_STEPS), {}
    seconds = time.perf_counter() - start
    longer = float(np.mean(steps)) / max(done, 1.0) if known else 1.0
    return seconds * longer, cells, {name: n * longer for name, n in raw.items() if _whole(keep[name])}


def _whole(grid):
    """Do the raw rows of this output stay until the end? Not where the times are given."""
    return not isinstance(grid, np.ndarray)


def _kept_bytes(model, name, raw):
    """Bytes at the end for raw ones: a table is copied with row, point and rep before its columns."""
    output = model.outputs[name]
    return raw if output["series"] else raw * (2 + 24 / output["dtype"].itemsize)


def _final_bytes(model, keep):
    """Bytes of the resampled series of one row."""
    count = 0
    for name, grid in keep.items():
        if model.outputs[name]["series"]:
            times = grid or _block.GRID_POINTS if _whole(grid) else grid.size
            count += 8 * times * len(_block.value_columns(model.outputs[name]))
    return count


def _histograms(model):
    return sum(m["type"] == "histogram" for m in model.metrics)


def row_steps(model, rows, pool):
    """About how many steps a row of each point takes; NaN where the model does not say, or where a row that a
    mask lets through is wrong."""
    try:
        return np.asarray(_core.steps(model.name, rows, pool), float)
    except (ValueError, TypeError, KeyError):
        return np.full(rows.size, np.nan)


def check_memory(model, rows, pool, reps, keep, budget, keep_max=GIB):
    """What is wrong with a sweep that would not fit (an exception that says what to reduce), or None."""
    total = rows.size * reps
    fixed = total * (_row_bytes(model) + _final_bytes(model, keep))
    most, limit = total * HISTOGRAM_CELLS * _histograms(model) * 8, budget["total"]
    whole = [name for name, grid in keep.items() if _whole(grid)]
    steps = row_steps(model, rows, pool) if whole else None
    raw_most = _raw_most(model, whole, steps, reps)
    if fixed + most + 3 * raw_most <= min(SURE, limit) and raw_most <= keep_max:
        return None
    need, raw = fixed, {}
    if fixed <= limit and (fixed + most > limit or whole):
        steps = row_steps(model, rows, pool) if steps is None else steps
        try:
            _, cells, raw = _trial(model, rows, pool, steps, {name: keep[name] for name in whole}, 1)
        except (ValueError, ArithmeticError, RuntimeError):
            cells = 0  # the sweep itself says at which row
        need += total * (8 * cells + sum(_kept_bytes(model, name, n) for name, n in raw.items()))
    what = f"{model.name}: {rows.size} points x {reps} reps"
    if total * sum(raw.values()) > keep_max:
        size = readable(total * sum(raw.values()))
        return BudgetError(
            f"{what}: the rows of {', '.join(whole)} take about {size}, more than keep_max = "
            f"{readable(keep_max)}: keep fewer outputs, points or reps, or raise keep_max"
        )
    if need > limit:
        return ValueError(
            f"{what} need about {readable(need)}, more than {readable(limit)}: take fewer points or reps"
            f"{', keep fewer outputs' if keep else ''}, or raise the budget, "
            f"budget={{'total': '{_next(need)}'}}"
        )
    return None


def _raw_most(model, whole, steps, reps):
    """A bound on the bytes of raw rows: four rows of every output in every step."""
    if not whole:
        return 0
    each = 4 * sum(model.outputs[name]["dtype"].itemsize for name in whole)
    return each * float(np.sum(steps)) * reps if np.isfinite(steps).all() else np.inf


def _next(need):
    return f"{int(np.ceil(need / GIB * 1.25))}GiB"
