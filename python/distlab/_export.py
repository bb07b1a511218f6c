"""Results as xarray Datasets and pandas DataFrames; both libraries are optional and imported here only."""

import os

import numpy as np

from . import _block
from ._common import need, one_of


def _attrs(meta, long_name=None):
    about = {"units": meta.get("unit") or "1", "long_name": long_name or meta.get("doc") or meta["name"]}
    if meta.get("display"):
        about["display"] = meta["display"]
    return about


def _plain(provenance):
    """netCDF attributes know no bool and no uint64."""
    return {
        k: str(v) if isinstance(v, bool) or (isinstance(v, int) and v >= 2**63) else v
        for k, v in provenance.items()
    }


def sweep_dataset(sweep):
    """The Dataset of a sweep; see Sweep.dataset."""
    xarray = need("xarray", "sweep")
    dims = (*sweep.dims, "rep")
    coords = {d: (d, sweep.coords[d], _attrs(sweep.field(d))) for d in sweep.dims}
    coords["rep"] = ("rep", np.arange(sweep.reps), {"long_name": "Repetition."})
    for name, (dim, values) in sweep.aux.items():
        if name not in coords:
            coords[name] = (dim, values, _attrs(sweep.model.field(name)))
    for name, value in sweep.picked.items():
        coords[name] = (
            (),
            value,
            _attrs(sweep.field(name) if name in sweep.model.fields else {"name": name}),
        )
    array, data = sweep.array, {}
    for column in sweep.model.columns:
        data[column["name"]] = (dims, np.ascontiguousarray(array[column["name"]]), _attrs(column))
    _add_series(sweep, dims, data, coords)
    attrs = _plain(sweep.provenance)
    return xarray.Dataset(data, coords, attrs)


def _add_series(sweep, dims, data, coords):
    series = sweep.series
    grids = [columns["time"] for columns in series.values()]
    shared = all(np.array_equal(grids[0], grid) for grid in grids)
    for name, columns in series.items():
        time = "time" if shared else f"time_{name}"
        coords[time] = (time, columns["time"], {"units": "s", "long_name": "Simulated time."})
        known = _block.value_columns(sweep.model.outputs[name])
        for column in known:
            label = column["name"] if column["name"] not in data else f"{name}_{column['name']}_series"
            data[label] = ((*dims, time), columns[column["name"]], _attrs(column))


def sweep_frame(sweep, per):
    """The DataFrame of a sweep; see Sweep.frame."""
    pandas = need("pandas", "sweep")
    one_of("per", per, ("rep", "point"))
    reps = sweep.reps if per == "rep" else 1
    out = {}
    for k, dim in enumerate(sweep.dims):
        shape = [1] * (len(sweep.dims) + 1)
        shape[k] = -1
        out[dim] = np.broadcast_to(sweep.coords[dim].reshape(shape), (*sweep.shape, reps)).reshape(-1)
    if per == "rep":
        out["rep"] = np.tile(np.arange(reps), sweep.points)
        array = sweep.array
        out |= {name: array[name].reshape(-1) for name in array.dtype.names}
    else:
        for name in sweep.model.columns.names:
            s = sweep.stats(name)
            out |= {name: s["mean"].reshape(-1)}
            if not sweep.model.exact:
                out |= {f"{name}_low": s["low"].reshape(-1), f"{name}_high": s["high"].reshape(-1)}
    frame = pandas.DataFrame(out)
    if sweep._failed and per == "rep":
        codes, texts = np.full(len(frame), "", object), np.full(len(frame), "", object)
        for p, r, code, text in sweep._failed:
            codes[p * reps + r], texts[p * reps + r] = code, text
        frame["code"], frame["text"] = codes, texts
    frame.attrs.update(_plain(sweep.provenance))
    return frame


def to_netcdf(result, path):
    """Write the Dataset of a sweep or a run; returns the path."""
    need("h5netcdf", "sweep"), need("h5py", "sweep")
    path = os.fspath(path)
    result.dataset.to_netcdf(path, engine="h5netcdf")
    return path


def run_dataset(run):
    """The Dataset of a run; see Run.dataset."""
    xarray = need("xarray", "sweep")
    data = {column["name"]: ((), run.metrics[column["name"]], _attrs(column)) for column in run.model.columns}
    for name, rows in run.series.items():
        for column in _block.value_columns(run.model.outputs[name]):
            data[f"{name}_{column['name']}"] = (f"time_{name}", rows[column["name"]], _attrs(column))
    coords = {
        f"time_{name}": (f"time_{name}", rows["time"], {"units": "s", "long_name": "Simulated time."})
        for name, rows in run.series.items()
    }
    return xarray.Dataset(data, coords, _plain(run.provenance))


def run_frame(run):
    """The DataFrame of a run; see Run.frame."""
    pandas = need("pandas", "sweep")
    theory = run.theory
    rows = [
        {
            "column": c["name"],
            "value": run.metrics[c["name"]],
            "unit": c["unit"] or "",
            "theory": theory.get(c["name"], np.nan),
            "doc": c["doc"],
        }
        for c in run.model.columns
    ]
    return pandas.DataFrame(rows).set_index("column")
