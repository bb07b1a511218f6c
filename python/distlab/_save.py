"""One file for one result: a NumPy .npz archive with a JSON header. No pickle, no dates: equal
results, equal bytes.

Members: header (JSON as bytes), rows, keys, metrics, fingerprints, buckets, coord_K, aux_K, pool_K,
series_K_COLUMN, table_K. Structs are stored field by field under their names, so a file survives a change of
layout that keeps the names.
"""

import json
import os

import numpy as np

from . import _block, _core
from ._choices import Choices
from ._common import check_ending, short
from ._export import to_netcdf
from ._model import find
from ._results import Sweep
from ._run import Run

FORMAT = 1


def _picture(result, path):
    return result.plot().save(path)


# Other formats by the ending of a file: the call that writes them, in words and as a function.
WAYS = {
    ".csv": ("frame().to_csv(path)", lambda result, path: result.frame().to_csv(path)),
    ".json": (
        "frame().to_json(path, double_precision=15)",
        lambda result, path: result.frame().to_json(path, double_precision=15),
    ),
    ".xlsx": ("frame().to_excel(path)", lambda result, path: result.frame().to_excel(path)),
    ".parquet": ("frame().to_parquet(path)", lambda result, path: result.frame().to_parquet(path)),
    ".html": ("frame().to_html(path)", lambda result, path: result.frame().to_html(path)),
    ".nc": ('dataset.to_netcdf(path, engine="h5netcdf")', to_netcdf),
    ".npy": ("numpy.save(path, result.array)", lambda result, path: np.save(path, result.array)),
    **dict.fromkeys((".png", ".svg", ".pdf"), ("plot().save(path)", _picture)),
}
OTHERS = {ending: words for ending, (words, _) in WAYS.items()}


def save(result, path):
    """Write a Sweep or a Run; returns the path. See Sweep.save."""
    path = _path(path)
    check_ending(path, "a NumPy archive (.npz)", OTHERS)
    header, arrays = _of_run(result) if isinstance(result, Run) else _of_sweep(result)
    arrays |= {f"pool_{k}": rows for k, rows in enumerate(result._pool)}
    arrays |= {f"table_{k}": rows for k, rows in enumerate(result.tables.values())}
    arrays["metrics"], arrays["buckets"] = _block.compact(result.model, arrays["metrics"], result._buckets)
    header |= {
        "format": FORMAT, "model": result.model.name, "pool": len(result._pool), "seed": result.seed,
        "tables": list(result.tables), "mutant": result.mutant, "provenance": result.provenance,
    }  # fmt: skip
    text = json.dumps(header).encode()
    partial = f"{path}.partial"
    try:
        with open(partial, "wb") as file:
            members = {name: _packed(array) for name, array in arrays.items()}
            np.savez_compressed(file, header=np.frombuffer(text, np.uint8), **members)
        os.replace(partial, path)
    finally:
        if os.path.exists(partial):
            os.remove(partial)
    return path


def _of_sweep(sweep):
    arrays = {"rows": sweep._rows, "keys": sweep._keys, "metrics": sweep._metrics}
    arrays["fingerprints"] = sweep._fingerprints
    arrays |= {f"coord_{k}": sweep.coords[d] for k, d in enumerate(sweep.dims)}
    arrays |= {f"aux_{k}": values for k, (_, values) in enumerate(sweep.aux.values())}
    for k, columns in enumerate(sweep._flat_series.values()):
        arrays |= {f"series_{k}_{name}": values for name, values in columns.items()}
    header = {
        "kind": "sweep", "dims": sweep.dims, "about": sweep.about, "varied": sweep._varied, "crn": sweep.crn,
        "aux": [[name, dim] for name, (dim, _) in sweep.aux.items()], "failures": sweep._failed,
        "series": {n: list(c) for n, c in sweep._flat_series.items()}, "confidence": sweep.confidence,
        "picked": sweep.picked,
    }  # fmt: skip
    return header, arrays


def _of_run(run):
    arrays = {"rows": run._row.reshape(1), "metrics": run._metrics.reshape(1)}
    return {
        "kind": "run", "key": int(run._key), "point": run.point, "rep": run.rep,
        "fingerprint": run.fingerprint, "choices": _choices_text(run.choices), "skipped": run.skipped,
        "decided_by": _choices_text(run._decided_by),
    }, arrays  # fmt: skip


def _choices_text(choices):
    return None if choices is None else [str(choices), choices.incomplete]


def _packed(array):
    """The same array with its fields one after another, as the file format wants them."""
    if array.dtype.names is None:
        return array
    out = np.empty(array.shape, _packed_dtype(array.dtype))
    for name in array.dtype.names:
        out[name] = array[name]
    return out


def _packed_dtype(dtype):
    if dtype.subdtype is not None:
        return np.dtype((_packed_dtype(dtype.subdtype[0]), dtype.shape))
    if dtype.names is None:
        return dtype
    return np.dtype([(name, _packed_dtype(dtype.fields[name][0])) for name in dtype.names])


def _path(path):
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"path must be text or a Path, not {short(path)}")
    path = os.fspath(path)
    if not isinstance(path, str) or not path or "\0" in path:
        raise ValueError(f"path = {short(path)} is not the name of a file")
    return path


def load(path):
    """Read what ``Sweep.save`` or ``Run.save`` wrote.

    Returns the Sweep or Run, bit for bit, with its provenance. ValueError when the file is not ours, or when
    the model has changed so much that its fields are no longer those of the file; OSError when it cannot be
    opened.
    """
    path = _path(path)
    from tokenize import TokenError
    from zipfile import BadZipFile
    from zlib import error as ZlibError

    # A changed byte may look like encryption, a packer nobody has, or a place before the file's beginning.
    odd = (KeyError, TypeError, AttributeError, RuntimeError, OSError, TokenError)
    with open(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                header = json.loads(bytes(archive["header"]).decode())
                arrays = {name: archive[name] for name in archive.files if name != "header"}
        except (ValueError, EOFError, BadZipFile, ZlibError, *odd):
            raise ValueError(f"{path} is not a result saved by distlab, or damaged") from None
    if header.get("format") != FORMAT:
        raise ValueError(
            f"{path} has format {short(header.get('format'))}; this version reads format {FORMAT}"
        )
    try:
        return (_run if header["kind"] == "run" else _sweep)(path, header, arrays)
    except (IndexError, TypeError) as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    except KeyError as error:
        raise (
            error if isinstance(error, _core.UnknownNameError) else ValueError(f"{path} lacks {error}")
        ) from None


def _run(path, header, arrays):
    model = find(header["model"])
    pool = [_pool(path, model, arrays[f"pool_{k}"]) for k in range(header["pool"])]
    row = _as(path, arrays["rows"], model.params_dtype).reshape(())
    metrics = _as(path, arrays["metrics"], model.metrics_dtype).reshape(())
    outputs = {name: arrays[f"table_{k}"] for k, name in enumerate(header["tables"])}
    run = Run(
        model, row, pool, header["key"], header["seed"], outputs, metrics, arrays["buckets"],
        header["mutant"], (header["point"], header["rep"]), header.get("fingerprint"),
    )  # fmt: skip
    run.choices, run._decided_by = (
        None if header.get(name) is None else Choices(header[name][0], incomplete=header[name][1])
        for name in ("choices", "decided_by")
    )
    run.skipped = header.get("skipped")
    return run


def _sweep(path, header, arrays):
    model = find(header["model"])
    dims = tuple(header["dims"])
    pool = [_pool(path, model, arrays[f"pool_{k}"]) for k in range(header["pool"])]
    result = Sweep(
        model=model,
        rows=_as(path, arrays["rows"], model.params_dtype),
        pool=pool,
        dims=dims,
        coords={d: arrays[f"coord_{k}"] for k, d in enumerate(dims)},
        about=header["about"],
        aux={name: (dim, arrays[f"aux_{k}"]) for k, (name, dim) in enumerate(header["aux"])},
        varied=header["varied"],
        keys=arrays["keys"],
        metrics=_as(path, arrays["metrics"], model.metrics_dtype),
        fingerprints=arrays.get("fingerprints", np.zeros(arrays["keys"].shape, np.uint64)),
        buckets=arrays["buckets"],
        series={
            name: {c: arrays[f"series_{k}_{c}"] for c in columns}
            for k, (name, columns) in enumerate(header["series"].items())
        },
        tables={name: arrays[f"table_{k}"] for k, name in enumerate(header["tables"])},
        failures=[tuple(f) for f in header["failures"]],
        seed=header["seed"],
        crn=header["crn"],
        confidence=header["confidence"],
        mutant=header["mutant"],
        picked=header["picked"],
    )
    result._cache["provenance"] = header["provenance"]
    return result


def _pool(path, model, rows):
    if rows.dtype == np.float64:
        return rows
    kinds = [_core.PART_DTYPE] + [f["table"]["dtype"] for f in model.fields if f["type"] == "table"]
    for dtype in kinds:
        if dtype.names == rows.dtype.names:
            return _as(path, rows, dtype)
    raise ValueError(
        f"{path}: a table with columns {', '.join(rows.dtype.names or ())} fits nothing in {model.name}"
    )


def _as(path, array, dtype):
    """The same fields in the layout of this build."""
    if array.dtype.names is None or set(array.dtype.names) != set(dtype.names):
        odd = sorted(set(array.dtype.names or ()) ^ set(dtype.names))
        raise ValueError(
            f"{path} was written by another version of the model: fields {', '.join(odd)} differ"
        )
    out = np.zeros(array.shape, dtype)
    for name in dtype.names:
        out[name] = array[name]
    return out
