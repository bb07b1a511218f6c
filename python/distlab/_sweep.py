"""Sweeps: a plan of points, a key for every (point, repetition), the core, and a labelled result."""

import contextlib

import numpy as np

from . import _block, _core, _design, _estimate, _executor
from ._common import GIB, REPS_MAX, boolean, check_budget, check_seed, integer, one_of, real, size, warn
from ._model import find
from ._progress import Progress
from ._recipe import maybe
from ._results import Sweep
from ._run import Job, check_token, check_warnings

REPS, REPS_MOST = 20, 1000
KEYS_AT_ONCE = 1_000_000


def sweep(model, /, *axes, reps=None, seed=1, crn=True, threads=None, confidence=0.95, errors="raise",
          keep=None, precision=None, reps_max=REPS_MOST, keep_max=GIB, design=None, progress=None, token=None,
          budget=None, executor=None, checkpoint=None, **params):  # fmt: skip
    """Run a model at every point of a grid or design, several times each, on every core.

    Parameters
    ----------
    model : str or Model
    *axes : Axis
        Coordinates made by ``dl.axis(name, values, fn)``.
    reps : int, default 20 (1 for exact models)
    seed : int in 0..2**64-1, or None
        Root seed; None draws one and records it.
    crn : bool
        Common random numbers: repetition k has the same key at every point, so differences between points
        are sharp. False: a key for every (point, rep).
    threads : int, optional
        Default: one for each core this process may use. The result does not depend on it.
    executor : "threads", "processes" or anything with ``.submit``, optional
        Who runs the rows, such as ``client.get_executor()`` of Dask; default: the core's own threads. The
        result does not depend on it. Rows go out in tasks of about half a second.
    checkpoint : path, optional
        An SQLite file that gets every finished task. The same call goes on where the file ends, with more
        reps too; a file of another sweep is refused. Rows in it are never run again.
    confidence : float in (0, 1)
    errors : "raise" or "mask"
        A failing row ends the sweep, or becomes NaN and an entry of ``.failures``.
    keep : True, str, list of str or dict, optional
        Output tables to keep. A series is resampled on 200 common times (dimension time, s) or on
        ``{name: times or how many}``; other tables become one with columns row, point, rep.
    precision : float or {column: float}, optional
        Add repetitions until the half-width of every interval is at most this fraction of its mean: they
        double from reps on, up to reps_max. Keys belong to positions, so the first repetitions are those of a
        shorter sweep. A rule that looks at intervals to stop makes them cover a little less than promised.
    keep_max : int or str
        Most bytes of kept output rows, such as "2GiB".
    design : list of dict, structured array, DataFrame or (names, array), optional
        Points from any sampler: dimension point.
    progress : bool or callable(done, total), optional
        By default a bar appears when more than ten seconds are ahead.
    token : Token, optional
        ``token.cancel()`` in another thread stops the sweep within 100 ms.
    budget : dict, optional
        {"steps": per run, "memory": bytes of one run, "total": bytes of the whole result, default 8 GiB}.
        Steps have no limit by default.
    **params
        Parameters. A list, tuple, range or array is an axis; a dict is an axis with labels.

    Returns a Sweep whose dimensions are ``*axes``, point, ``**params`` in this order. TypeError, ValueError
    and UnknownNameError (a KeyError) name the parameter, the value, what is accepted and the nearest name.
    """
    model = find(model)
    reps = (1 if model.exact else REPS) if reps is None else integer("reps", reps, 1, REPS_MAX)
    rule = _Rule(model, precision, integer("reps_max", reps_max, 1, REPS_MAX))
    state = {"seed": check_seed(seed), "crn": boolean("crn", crn)}
    state["confidence"] = real("confidence", confidence, 0, 1, closed=False)
    job = Job(model, None, None, None, _block.parse_keep(model, keep), check_budget(budget))
    job.threads = 0 if threads is None else integer("threads", threads, 1, 256)
    job.mask = one_of("errors", errors, ("raise", "mask")) == "mask"
    job.keep_max, job.token, job.seed = size("keep_max", keep_max), check_token(token), state["seed"]
    job.executor = _executor.check_executor(executor, job.threads)
    if checkpoint is not None and seed is None:
        raise ValueError("checkpoint needs a seed: with seed=None the next call would be another sweep")
    bar = Progress(progress)
    state["plan"] = _design.plan(model, axes, params, design, check=not job.mask)
    return _with_workers(job, state, reps, rule, bar, checkpoint)


def _with_workers(job, state, reps, rule, bar, checkpoint):
    """Open what the sweep needs for its time, the checkpoint and the executor, and run it."""
    plan = state["plan"]
    job.rows, job.pool = np.ascontiguousarray(plan.rows.reshape(-1)), plan.pool
    if not job.mask:
        check_warnings(job.model, job.rows, job.pool, plan.dims)
    if checkpoint is None and job.executor in (None, "threads"):
        job.executor = None
        return _execute(job, state, reps, rule, bar)
    with contextlib.ExitStack() as stack:
        if checkpoint is not None:
            from ._checkpoint import Checkpoint

            wrong = _estimate.check_memory(
                job.model, job.rows, job.pool, reps, job.keep, job.budget, job.keep_max
            )
            if wrong:
                raise wrong  # before there is a file

            job.store = stack.enter_context(Checkpoint(checkpoint, job, state["crn"]))
        job.executor = stack.enter_context(_executor.workers(job.executor, job.threads))
        return _execute(job, state, reps, rule, bar)


def _execute(job, state, reps, rule, bar):
    """Run the first repetitions, then as many more as the precision asks for."""
    model, points, blocks, done, missed = job.model, len(job.rows), [], 0, 0
    with bar:
        while True:
            wrong = _estimate.check_memory(
                model, job.rows, job.pool, reps, job.keep, job.budget, job.keep_max
            )
            if wrong and not done:
                raise wrong
            if wrong:
                warn(f"{wrong}; the result has {done} repetitions, and {missed} points miss the precision")
                break
            more = _keys(state, points, done, reps)
            job.keys = more if job.keys is None else np.concatenate([job.keys, more], axis=1)
            bar.more(more.size)
            run = run_blocks if job.executor is None else _executor.run_round
            blocks += run(job, done, reps, bar)
            done = reps
            if not rule.targets or not (missed := rule.unmet(_result(job, blocks, done, state, final=False))):
                break
            if done >= rule.most:
                warn(f"{model.name}: {missed} of {points} points miss the precision with {done} repetitions")
                break
            reps = min(2 * done, rule.most)
    return _result(job, blocks, done, state, final=True)


def _keys(state, points, r0, r1):
    """Keys of repetitions r0..r1 of every point, in pieces between which Ctrl-C is heard."""
    keys = np.empty((points, r1 - r0), np.uint64)
    step = max(1, KEYS_AT_ONCE // (r1 - r0))
    for p in range(0, points, step):
        part = keys[p : p + step]
        part[...] = np.asarray(
            _core.row_keys(state["seed"], len(part), r1 - r0, state["crn"], p, r0)
        ).reshape(part.shape)
    return keys


class _Rule:
    """The sequential rule: {column: relative half-width} and the most repetitions."""

    def __init__(self, model, precision, most):
        if precision is not None and not isinstance(precision, dict):
            precision = {model.main_column: precision}
        given = {
            model.column(k)["name"]: real("precision", v, 0, 1, closed=False)
            for k, v in (precision or {}).items()
        }
        self.targets, self.most = {} if model.exact else given, most

    def unmet(self, result):
        """How many points have a wider interval than asked for; a mean that is NaN asks for nothing."""
        open_points = np.zeros(result.shape, bool)
        for name, target in self.targets.items():
            s = result.stats(name)
            with np.errstate(invalid="ignore"):
                half = (s["high"] - s["low"]) / 2
                open_points |= ~(half <= target * np.abs(s["mean"])) & np.isfinite(s["mean"])
        return int(open_points.sum())


def run_blocks(job, r0, r1, bar):
    """Run repetitions r0..r1 of every point; in several blocks only where series are kept on given times."""
    points = len(job.rows)
    fixed = {name: grid for name, grid in job.keep.items() if isinstance(grid, np.ndarray)}
    blocks = []
    for where in _rectangles(job, points, r0, r1, cut=bool(fixed)):
        try:
            block = _block.run_block(job, where, bar.block())
        except (ValueError, TypeError, KeyError, MemoryError, RuntimeError) as error:
            if not hasattr(error, "row"):
                raise
            raise named(job, where, error) from None
        bar.block_done(block.metrics.size)
        for name, grid in fixed.items():
            _block.resample(job.model, block, name, grid)
        blocks.append(block)
    return blocks


def named(job, where, error):
    """The error of a row with its place in the whole sweep, and the line that runs it again."""
    p0, _, r0, r1 = where
    p, r = p0 + error.row // (r1 - r0), r0 + error.row % (r1 - r0)
    text = str(error)
    text = text.partition(": ")[2] if text.startswith("row ") else text
    place = f"row {p * job.keys.shape[1] + r} (point {p}, rep {r}): " if job.keys.size > 1 else ""
    steps = job.budget["steps"]
    again = maybe(job.model, job.rows[p], job.pool, job.keys[p, r], job.seed, (p, r), steps=steps)
    return type(error)(f"{place}{text}" + (f"; to run it again: {again}" if again else ""))


def _rectangles(job, points, r0, r1, cut):
    """Whole, or cut into pieces of some 16 rows per core so that raw series are never all there at once."""
    rows = 16 * (job.threads or _core.cores())
    if not cut:
        yield (0, points, r0, r1)
    elif r1 - r0 >= rows:
        for p in range(points):
            for r in range(r0, r1, rows):
                yield (p, p + 1, r, min(r + rows, r1))
    else:
        step = max(1, rows // (r1 - r0))
        for p in range(0, points, step):
            yield (p, min(p + step, points), r0, r1)


def _result(job, blocks, reps, state, final):
    plan, model, points = state["plan"], job.model, len(job.rows)
    metrics, fingerprints, buckets = _block.join(model, blocks, points, reps)
    series, tables = {}, {}
    if final and job.keep:
        series = _block.finish_series(model, blocks, job.keep, points, reps)
        tables = _block.finish_tables(model, blocks, job.keep, reps)
    return Sweep(
        model=model, rows=job.rows, pool=job.pool, dims=plan.dims, coords=plan.coords, about=plan.about,
        aux=plan.aux, varied=plan.varied, keys=job.keys, metrics=metrics, buckets=buckets, series=series,
        fingerprints=fingerprints, tables=tables, seed=state["seed"],
        failures=sorted(f for block in blocks for f in block.failures),
        crn=state["crn"], confidence=state["confidence"], mutant=plan.mutant,
    )  # fmt: skip
