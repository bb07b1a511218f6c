"""lab.probe, the model made to be looked through, and lab.letters: compiled from tests/c and registered."""

import ctypes
import functools
import math
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path

import numpy as np

from distlab import _core

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(_core.__file__).parent
NAME = "lab.probe"


@functools.cache
def library():
    """The shared library, linked with the static library that came with the package, as a user would."""
    sources = [ROOT / "tests" / "c" / name for name in ("probe_model.c", "probe_letters.c")]
    out = Path(tempfile.mkdtemp(prefix="distlab-probe-")) / "probe.so"
    compiler = shutil.which("cc") or shutil.which("gcc") or sysconfig.get_config_var("CC").split()[0]
    command = [
        compiler,
        "-std=gnu11",
        "-O2",
        "-ffp-contract=off",
        "-shared",
        "-fPIC",
        "-pthread",
        f"-I{PACKAGE / 'include'}",
        *map(str, sources),
        str(PACKAGE / "lib" / "libdistlab.a"),
        "-lm",
        "-o",
        str(out),
    ]
    subprocess.run(command, check=True)
    loaded = ctypes.CDLL(str(out))
    shutil.rmtree(out.parent)
    return loaded


def address(symbol="probe_model"):
    return ctypes.addressof(ctypes.c_char.in_dll(library(), symbol))


@functools.cache
def register():
    return _core.register(address())


def params(n=(), **values):
    """n rows of defaults with some fields set."""
    register()
    rows = np.zeros(n, _core.describe(NAME)["params_dtype"])
    rows[...] = _core.defaults(NAME)
    for name, value in values.items():
        rows[name] = value
    return rows


def keys(points=1, reps=1, seed=1):
    return _core.row_keys(seed, points, reps, True)


def sweep(rows, reps=1, **kwargs):
    kwargs.setdefault("threads", 1)
    return _core.sweep(NAME, rows, keys(rows.size, reps), **kwargs)


def field(name, kind="params"):
    return next(f for f in _core.describe(NAME)[kind] if f["name"] == name)


def class_rows(*rows):
    """Rows of the table `classes`, blank but for what is given."""
    out = np.zeros(len(rows), field("classes")["table"]["dtype"])
    out["rate"], out["jobs"], out["policy"], out["service"]["kind"] = (
        math.nan,
        np.iinfo(np.int64).min,
        -1,
        -1,
    )
    for row, values in zip(out, rows, strict=True):
        for name, value in values.items():
            row[name] = value
    return out
