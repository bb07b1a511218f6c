"""What comes back from the core for a block of a sweep, and how blocks become one result.

A block is the rectangle points p0..p1 by repetitions r0..r1 of a sweep. Keys belong to positions, so any cut
into blocks gives the same rows; only the cells of histograms have to be numbered anew when blocks are joined.
"""

import numpy as np

from . import _core, _trace
from ._common import integer, short, unknown

GRID_POINTS = 200
GRID_MAX = 1_000_000
ROWS_AT_ONCE = 4096


class Block:
    """Rows of a rectangle: metrics and fingerprints (points, reps), buckets, outputs {name: (rows, offsets)},
    failures."""

    def __init__(self, where, metrics, fingerprints, buckets, outputs, failures):
        self.where, self.metrics, self.fingerprints, self.buckets = where, metrics, fingerprints, buckets
        self.outputs, self.failures, self.series = outputs, failures, {}
        self.decided = {}  # of one run: choices, skipped, incomplete


def run_block(job, where, progress=None):
    """Run the rows of one rectangle; job is the sweep's _Job."""
    p0, p1, r0, r1 = where
    out = _core.sweep(
        job.model.name,
        job.rows[p0:p1],
        np.ascontiguousarray(job.keys[p0:p1, r0:r1]).reshape(-1),
        pool=job.pool,
        wanted=list(job.keep),
        threads=job.threads,
        steps_max=job.budget["steps"],
        memory_max=job.budget["memory"],
        keep_max=job.keep_max,
        mask_errors=job.mask,
        token=job.token,
        progress=progress,
        **job.decide,
    )
    metrics = np.asarray(out["metrics"]).reshape(p1 - p0, r1 - r0)
    fingerprints = np.asarray(out["fingerprints"]).reshape(metrics.shape)
    failures = [
        (p0 + row // (r1 - r0), r0 + row % (r1 - r0), code, text) for row, code, text in out["failures"]
    ]
    block = Block(where, metrics, fingerprints, out["buckets"], dict(out["outputs"]), failures)
    block.decided = {name: out[name] for name in ("choices", "skipped", "incomplete") if name in out}
    return block


def to_plain(block):
    """A block as a dict of plain data: what crosses to another process, and goes into a checkpoint."""
    return {
        "where": tuple(block.where), "metrics": block.metrics, "fingerprints": block.fingerprints,
        "buckets": block.buckets, "outputs": block.outputs, "series": block.series,
        "failures": block.failures,
    }  # fmt: skip


def from_plain(plain):
    """The block that ``to_plain`` took apart."""
    names = ("where", "metrics", "fingerprints", "buckets", "outputs", "failures")
    block = Block(*(plain[name] for name in names))
    block.series = plain["series"]
    return block


def join(model, blocks, points, reps):
    """(metrics and fingerprints (points, reps), buckets) of all blocks, as one block would have them."""
    if len(blocks) == 1:
        return blocks[0].metrics, blocks[0].fingerprints, blocks[0].buckets
    histograms = [m["name"] for m in model.metrics if m["type"] == "histogram"]
    metrics, base = np.zeros((points, reps), model.metrics_dtype), 0
    fingerprints = np.zeros((points, reps), np.uint64)
    for block in blocks:
        p0, p1, r0, r1 = block.where
        part = block.metrics.copy()
        for name in histograms:
            part[name]["at"] += np.uint64(base)
        metrics[p0:p1, r0:r1] = part
        fingerprints[p0:p1, r0:r1] = block.fingerprints
        base += block.buckets.size
    metrics, buckets = ordered(model, metrics, np.concatenate([block.buckets for block in blocks]))
    return metrics, fingerprints, buckets


def ordered(model, metrics, buckets):
    """The same metrics with the histogram cells that belong to them alone, in row order as the core has
    them."""
    histograms = [m["name"] for m in model.metrics if m["type"] == "histogram"]
    if not histograms:
        return metrics, buckets
    used, at = (
        np.stack([metrics[name][part].astype(np.int64).reshape(-1) for name in histograms], axis=1)
        for part in ("used", "at")
    )
    start = (np.cumsum(used) - used.reshape(-1)).reshape(used.shape)
    metrics, cells = metrics.copy(), np.empty(int(used.sum()), buckets.dtype)
    for k in range(0, len(used), ROWS_AT_ONCE):
        count = used[k : k + ROWS_AT_ONCE].reshape(-1)
        first, shift = start[k, 0], (at - start)[k : k + ROWS_AT_ONCE].reshape(-1)
        here = slice(first, first + int(count.sum()))
        cells[here] = buckets[np.repeat(shift, count) + np.arange(here.start, here.stop)]
    for k, name in enumerate(histograms):
        metrics[name]["at"] = np.where(used[:, k] > 0, start[:, k], 0).reshape(metrics.shape)
    return metrics, cells


def compact(model, metrics, buckets):
    """The same metrics with those histogram cells only that belong to them."""
    histograms = [m["name"] for m in model.metrics if m["type"] == "histogram"]
    if sum(int(metrics[name]["used"].astype(np.int64).sum()) for name in histograms) == buckets.size:
        return metrics, buckets
    return ordered(model, metrics, buckets)


def cut(model, block, r0, r1):
    """The part of a block in repetitions r0..r1; None where there is none."""
    p0, p1, b0, b1 = block.where
    low, high = max(b0, r0), min(b1, r1)
    if (low, high) == (b0, b1):
        return block
    if low >= high:
        return None
    here = np.s_[:, low - b0 : high - b0]
    metrics, buckets = ordered(model, block.metrics[here], block.buckets)
    mine = np.zeros(block.metrics.shape, bool)
    mine[here] = True
    outputs = {}
    for name, (rows, offsets) in block.outputs.items():
        counts = np.diff(np.asarray(offsets).astype(np.int64))
        kept = np.concatenate([[0], np.cumsum(counts[mine.reshape(-1)])]).astype(np.uint64)
        outputs[name] = rows[np.repeat(mine.reshape(-1), counts)], kept
    failures = [f for f in block.failures if low <= f[1] < high]
    part = Block((p0, p1, low, high), metrics, block.fingerprints[here], buckets, outputs, failures)
    part.series = {
        name: {c: np.ascontiguousarray(v[here]) for c, v in columns.items()}
        for name, columns in block.series.items()
    }
    return part


def parse_keep(model, keep, trace=False):
    """{output: None or times} from None, True, a name, names, or {name: times or how many}."""
    if keep is True:
        keep = model.outputs.names
    if trace:
        _trace.require(model)
    if keep is None or keep is False:
        return {_trace.NAME: None} if trace else {}
    if isinstance(keep, str):
        keep = [keep]
    if not isinstance(keep, (dict, list, tuple, set, frozenset)):
        raise TypeError(
            f"keep must be True, names of outputs, or a dict of name and times, not {short(keep)}"
        )
    times = keep if isinstance(keep, dict) else {}
    out = {}
    for name in keep:
        if not isinstance(name, str) or name not in model.outputs:
            raise unknown(f"keep: output of {model.name}", name, model.outputs.names)
        out[name] = _times(name, times.get(name))
        if out[name] is not None and not model.outputs[name]["series"]:
            raise ValueError(f"keep: {name} is no series, so it takes no times")
    if trace:
        out.setdefault(_trace.NAME, None)
    return {name: out[name] for name in model.outputs.names if name in out}


def _times(name, times):
    if times is None:
        return None
    if isinstance(times, (int, np.integer)) and not isinstance(times, bool):
        return integer(f"keep: points of {name}", times, 2, GRID_MAX)
    try:
        grid = np.asarray(times, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"keep: times of {name} must be seconds, not {short(times)}") from None
    if (
        grid.ndim != 1
        or not 1 <= grid.size <= GRID_MAX
        or not np.isfinite(grid).all()
        or (np.diff(grid) < 0).any()
    ):
        raise ValueError(f"keep: times of {name} must be 1 to {GRID_MAX} finite seconds in ascending order")
    return grid


def value_columns(output):
    """The columns of a series that can be resampled: all but time."""
    return [
        c
        for c in output["columns"]
        if c["name"] != "time" and c["type"] in ("double", "int", "bool", "choice")
    ]


def resample(model, block, name, times):
    """Replace the raw rows of a series by its values at these times: {column: (points, reps, times)}."""
    rows, offsets = block.outputs.pop(name)
    shape = (*block.metrics.shape, len(times))
    block.series[name] = {
        column["name"]: np.asarray(
            _core.resample(model.name, name, rows, offsets, column["name"], times)
        ).reshape(shape)
        for column in value_columns(model.outputs[name])
    }


def finish_series(model, blocks, keep, points, reps):
    """{output: {"time": times, column: (points, reps, times)}}; grids not given are common to all series."""
    series = [name for name in keep if model.outputs[name]["series"]]
    open_ended = [name for name in series if not isinstance(keep[name], np.ndarray)]
    end = 0.0
    for block in blocks:
        for name in open_ended:
            rows = block.outputs[name][0]
            end = max(end, float(rows["time"].max())) if rows.size else end
    result = {}
    for name in series:
        grid = keep[name]
        if not isinstance(grid, np.ndarray):
            grid = np.linspace(0.0, end, grid or GRID_POINTS)
        result[name] = {"time": grid}
        for column in value_columns(model.outputs[name]):
            result[name][column["name"]] = np.full((points, reps, len(grid)), np.nan)
        for block in blocks:
            if name in block.outputs:
                resample(model, block, name, grid)
            p0, p1, r0, r1 = block.where
            for column, values in block.series[name].items():
                result[name][column][p0:p1, r0:r1] = values
    return result


def finish_tables(model, blocks, keep, reps):
    """{output: structured array with row, point, rep before its own columns}, in row order."""
    result = {}
    for name in keep:
        if model.outputs[name]["series"]:
            continue
        parts = []
        for block in blocks:
            rows, offsets = block.outputs[name]
            p0, _, r0, r1 = block.where
            counts = np.diff(np.asarray(offsets).astype(np.int64))
            local = np.repeat(np.arange(counts.size), counts)
            part = np.zeros(rows.size, table_dtype(rows.dtype))
            part["point"], part["rep"] = p0 + local // (r1 - r0), r0 + local % (r1 - r0)
            part["row"] = part["point"] * reps + part["rep"]
            for column in rows.dtype.names:
                part[column] = rows[column]
            parts.append(part)
        table = np.concatenate(parts)
        result[name] = table if len(parts) == 1 else table[np.argsort(table["row"], kind="stable")]
    return result


def table_dtype(dtype):
    """The dtype of a kept table: row, point, rep, then the columns of the output."""
    own = [(name, dtype.fields[name][0]) for name in dtype.names]
    return np.dtype([(name, np.int64) for name in ("row", "point", "rep")] + own)
