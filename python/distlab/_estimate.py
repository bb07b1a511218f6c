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
    seconds, cells, kept = _trial(model, rows, plan.pool, steps, keep, check_seed(seed))
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
    """(seconds, histogram cells, kept bytes) of an average row, from the row of median length, cut short."""
    known = np.isfinite(steps).all()
    middle = int(np.argsort(steps)[steps.size // 2]) if known else rows.size // 2
    budget = {"steps": TRIAL_STEPS, "memory": 0}
    keys = np.asarray(_core.row_keys(seed, 1, 1, True)).reshape(1, 1)
    job = Job(model, rows[middle : middle + 1], pool, keys, keep, budget, threads=1)
    start = time.perf_counter()
    try:
        block = _block.run_block(job, (0, 1, 0, 1))
        cells, done = block.buckets.size, steps[middle] if known else 1.0
        kept = sum(out[0].nbytes for out in block.outputs.values())
    except BudgetError:
        cells, done, kept = HISTOGRAM_CELLS * _histograms(model) // 4, float(TRIAL_STEPS), 0
    seconds = time.perf_counter() - start
    return seconds * (float(np.mean(steps)) / max(done, 1.0) if known else 1.0), cells, kept


def _histograms(model):
    return sum(m["type"] == "histogram" for m in model.metrics)


def check_memory(model, rows, pool, reps, keep, budget):
    """Refuse a sweep whose metrics alone would not fit; says what to reduce."""
    total = rows.size * reps
    fixed, most = total * _row_bytes(model), total * HISTOGRAM_CELLS * _histograms(model) * 8
    for grid in keep.values():
        count = grid.size if isinstance(grid, np.ndarray) else grid or _block.GRID_POINTS
        fixed += total * count * 8
    if fixed + most <= min(SURE, budget["total"]):
        return
    need = fixed
    if fixed <= budget["total"] < fixed + most:
        steps = np.asarray(_core.steps(model.name, rows, pool), float)
        _, cells, _ = _trial(model, rows, pool, steps, {}, 1)
        need = fixed + total * 8 * cells
    if need > budget["total"]:
        raise ValueError(
            f"{model.name}: {rows.size} points x {reps} reps need about {readable(need)}, more than "
            f"{readable(budget['total'])}: take fewer points or reps, or raise the budget, "
            f"budget={{'total': '{_next(need)}'}}"
        )


def _next(need):
    return f"{int(np.ceil(need / GIB * 1.25))}GiB"
