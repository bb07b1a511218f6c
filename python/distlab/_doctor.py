"""What `distlab config`, `doctor` and `notebooks` know about this installation."""

from __future__ import annotations

import math
import platform
import shlex
import sys
from pathlib import Path
from typing import Any

from distlab import _core

PACKAGE = Path(__file__).resolve().parent
LINK = "-lm -pthread"
EXTRAS = {
    "sweep": ("xarray", "pandas", "h5netcdf", "tqdm"),
    "notebooks": ("matplotlib", "ipywidgets", "ipykernel", "nbclient", "jupyterlab"),
}
SKIPPED = {"__pycache__", ".ipynb_checkpoints", "solutions"}


def config() -> dict[str, Any]:
    """Version, directories, flags, models; an exception in the place of what this installation lacks.

    Flags are quoted for a shell where a directory needs it.
    """
    headers = next(
        (
            d
            for d in (PACKAGE / "include", *_source("csrc", "include"))
            if (d / "distlab" / "model.h").is_file()
        ),
        None,
    )
    library = PACKAGE / "lib" / "libdistlab.a"
    absent = FileNotFoundError(
        "this installation has no C headers: install distlab from its wheel or with make install"
    )
    no_library = FileNotFoundError(
        "this installation has no libdistlab.a: install distlab from its wheel, "
        "or run make install PREFIX=..."
    )
    return {
        "version": _core.VERSION,
        "prefix": str(PACKAGE) if library.is_file() else no_library,
        "includedir": str(headers) if headers else absent,
        "cflags": shlex.quote(f"-I{headers}") if headers else absent,
        "libs": f"{shlex.quote(f'-L{library.parent}')} -ldistlab {LINK}" if library.is_file() else no_library,
        "models": "\n".join(f"dlab_{name.replace('.', '_')}" for name in _core.models()),
    }


def _source(*parts: str) -> list[Path]:
    """A directory of the source tree this package is imported from, if it is."""
    root = PACKAGE.parent.parent
    found = root.joinpath(*parts)
    return [found] if (root / "csrc").is_dir() and found.is_dir() else []


def report() -> tuple[list[str], bool]:
    """The doctor's lines, and whether all is well."""
    import numpy

    facts = [
        ("distlab", _core.VERSION),
        ("python", f"{platform.python_version()} ({sys.executable})"),
        ("numpy", numpy.__version__),
        ("system", f"{platform.system()} {platform.machine()}"),
        ("cores", f"{_core.cores()} for this process"),
        ("models", str(len(_core.models()))),
    ]
    flags = getattr(_core, "BUILD", None)
    if flags:
        facts.append(("build", str(flags)))
    lines = [f"{name:<9} {value}" for name, value in facts]
    lines += [f"{'extra ' + extra:<16} {_extra(extra, names)}" for extra, names in EXTRAS.items()]
    for name, value in config().items():
        if isinstance(value, Exception):
            lines.append(f"C {name:<10} {value}")
    checks = [("known stream", _stream), ("theory", _station)]
    healthy = True
    for name, check in checks:
        text, good = check()
        healthy &= good
        lines.append(f"check {name}: {'ok' if good else 'FAILED'}, {text}")
    return lines, healthy


def _extra(extra: str, names: tuple[str, ...]) -> str:
    from importlib.metadata import PackageNotFoundError, version

    have, missing = [], []
    for name in names:
        try:
            have.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if not missing:
        return ", ".join(have)
    return f"missing {', '.join(missing)}: pip install 'distlab[{extra}]'"


def _stream() -> tuple[str, bool]:
    """The key and the draws that every build of distlab gives for seed 1."""
    key = int(_core.row_keys(1, 1, 1, True).reshape(-1)[0])
    record, _ = _core.parse_distribution("exponential(1)", None)
    first = float(_core.distribution_sample(record, 1, key)[0])
    good = key == KNOWN_KEY and first.hex() == KNOWN_DRAW
    return f"key {key:016x}, first draw {first:.6f}", good


KNOWN_KEY = 0xC7A36CE90D9F67DE
KNOWN_DRAW = "0x1.587a8143eaadfp-4"


def _station() -> tuple[str, bool]:
    """A small simulated station against its closed form: within five standard errors."""
    import numpy as np

    name, column = "queueing.station", "latency_mean"
    if name not in _core.models():
        return f"{name} is not in this build", False
    about = _core.describe(name)
    row = np.array(_core.defaults(name))
    row["jobs"] = 20_000
    rows = np.ascontiguousarray(row.reshape(1))
    reps = 8
    out = _core.sweep(name, rows, np.ascontiguousarray(_core.row_keys(1, 1, reps, True).reshape(-1)))
    merged = _core.merge(name, out["metrics"], out["buckets"], np.arange(reps), np.array([0, reps]), 0.95)
    place = [c["name"] for c in about["columns"]].index(column)
    mean, _, _, error, _ = merged[0, place]
    expected = float(_core.theory(name, rows)[0, list(about["theory_columns"]).index(column)])
    good = math.isfinite(expected) and abs(mean - expected) <= 5 * error
    return f"mean latency {1e3 * mean:.2f} ms simulated, {1e3 * expected:.2f} ms by closed form", good


def lessons_home() -> Path:
    """Where the lessons are: in the package, or in the source tree."""
    for home in (PACKAGE / "_notebooks", *_source("notebooks")):
        if any(home.rglob("*.ipynb")):
            return home
    raise FileNotFoundError(
        "this installation has no lessons: install distlab from its wheel or its source tree"
    )


def copy_notebooks(directory: str, force: bool = False) -> list[str]:
    """Copy the lessons; files that differ are kept unless forced. Returns what was done."""
    home, target = lessons_home(), Path(directory)
    if target.exists() and not target.is_dir():
        raise ValueError(f"{directory} is a file, not a directory")
    copied, same, kept = 0, 0, []
    for source in sorted(home.rglob("*")):
        inside = source.relative_to(home)
        if not source.is_file() or any(p in SKIPPED or p.startswith(".") for p in inside.parts):
            continue
        place, data = target / inside, source.read_bytes()
        if place.exists() and place.read_bytes() == data:
            same += 1
        elif place.exists() and not force:
            kept.append(str(inside))
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            copied += 1
    lines = [f"{copied} files copied to {directory}" + (f", {same} already there" if same else "")]
    if kept:
        lines.append(
            f"{len(kept)} changed files kept (--force overwrites them): {', '.join(kept[:8])}"
            + (" …" if len(kept) > 8 else "")
        )
    return [*lines, f"next: jupyter lab {directory}"]
