"""`distlab replay`: one row of a saved result again, compared with what was saved; or the run of a printed
line.

Exit codes: 0 the same result (or, for a line, done), 1 a different result, 2 a user's mistake, 3 unknown: it
differs, but another version of distlab made the file.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np

from distlab import _block, _cli_run, _core, _design, _recipe
from distlab.cli import EXIT_BROKEN, EXIT_DONE, EXIT_UNKNOWN, PROG, Mistake, Parser

COLUMNS_SHOWN = 8


def command(argv: list[str]) -> int:
    """Replay a row of a file, or a recipe."""
    parser = _parser()
    args = parser.parse_intermixed_args(argv)
    first = args.what[0].strip()
    if args.html is not None:
        _check_page(args.html)
    if _is_file(first, args.what):
        return _file(first, args)
    for option in ("point", "rep"):
        if getattr(args, option) is not None:
            raise Mistake(f"--{option} picks a row of a file; a line says it itself, as {option}=N")
    return _line(args)


def _parser() -> Parser:
    parser = Parser(
        prog=f"{PROG} replay",
        usage="%(prog)s FILE [--point P] [--rep R] [options]\n"
        "       %(prog)s MODEL [name=value ...] [options]",
        description="Run one row of a saved sweep again and compare it bit for bit, or make the run of a "
        "line printed with a result or an error.",
    )
    parser.add_argument("what", nargs="+", metavar="FILE | RECIPE", help="a saved result, or a printed line")
    parser.add_argument("--point", metavar="P", help="number of the point, from 0 (default 0)")
    parser.add_argument("--rep", metavar="R", help="number of the repetition, from 0 (default 0)")
    parser.add_argument("--trace", action="store_true", help="print what happened (models with a trace)")
    parser.add_argument("--html", metavar="OUT.html", help="write the space-time diagram as a page")
    return parser


def _is_file(first: str, words: list[str]) -> bool:
    return len(words) == 1 and " " not in first and (first.endswith(".npz") or os.path.exists(first))


def _check_page(text: str) -> None:
    path = Path(text)
    if path.is_dir() or not path.name or not path.parent.is_dir():
        raise Mistake(f"--html {text}: this is no file in an existing directory")


def _check_trace(name: str, args: argparse.Namespace) -> None:
    if (args.trace or args.html is not None) and name in _core.models() and _core.trace_schema(name) is None:
        raise Mistake(f"{name} has no trace")


# A line


def _line(args: argparse.Namespace) -> int:
    words = args.what if len(args.what) > 1 else args.what[0]
    name, _ = _recipe.words_of(words)
    if name not in _core.models() and "." not in name:
        raise Mistake(f"there is no file {name}, and no model is called that")
    _check_trace(name, args)
    run = _recipe.run_recipe(words, trace=args.trace or args.html is not None)
    _cli_run.print_run(run, [c["name"] for c in run.model.columns], "table")
    if run.fingerprint is not None:
        print(f"fingerprint {run.fingerprint:016x}")
    if run.skipped:
        print(f"{run.skipped} choices were not on offer and passed over")
    _show(run, args)
    return EXIT_DONE


# A file


def _file(path: str, args: argparse.Namespace) -> int:
    import distlab

    saved = distlab.load(path)
    _check_trace(saved.model.name, args)
    if isinstance(saved, distlab.Run):
        for option in ("point", "rep"):
            if getattr(args, option) is not None:
                raise Mistake(f"{path} holds one run: --{option} picks a row of a sweep")
        return _verdict(saved, _values(saved, 0, 0), None, saved.replay, args)
    p, r = _place(saved, args)
    failed = next(((code, text) for i, j, code, text in saved._failed if (i, j) == (p, r)), None)
    values = None if failed else _values(saved, p, r)
    return _verdict(saved, values, failed, lambda **more: saved.replay(p, r, **more), args)


def _place(sweep: Any, args: argparse.Namespace) -> tuple[int, int]:
    numbers = [
        _cli_run._integer(name, getattr(args, name)) if getattr(args, name) is not None else 0
        for name in ("point", "rep")
    ]
    p = _design.find_point(sweep.dims, sweep.coords, sweep.shape, numbers[0])
    return p, _design._index("rep", numbers[1], sweep.reps)


def _values(result: Any, p: int, r: int) -> tuple[bytes, bytes, int]:
    """Every bit that tells two results apart: columns, cells of histograms, fingerprint."""
    import distlab

    if isinstance(result, distlab.Run):
        rows, mark = result._metrics.reshape(1), result.fingerprint or 0
    else:
        rows, mark = result._metrics[p, r].reshape(1), int(result._fingerprints[p, r])
    _, cells = _block.compact(result.model, rows, result._buckets)
    columns = _core.columns(result.model.name, rows, result._buckets)
    return columns.tobytes(), cells.tobytes(), mark


def agree(saved: Any, now: Any) -> bool:
    """Are the `_values` of a result those that were saved? Old files have no fingerprints."""
    return bool(saved[:2] == now[:2] and saved[2] in (0, now[2]))


def _verdict(saved: Any, values: Any, failed: Any, replay: Any, args: argparse.Namespace) -> int:
    """Say whether the row is what it was; the exit code."""
    version, model = saved.provenance["distlab"], saved.model
    run, error = None, None
    try:
        run = replay()
    except (ValueError, TypeError, KeyError, MemoryError, RuntimeError) as told:
        if isinstance(told, _core.Cancelled) or (failed is None and not hasattr(told, "row")):
            raise
        error = str(told)
    if failed is not None or run is None:
        same = failed is not None and error == failed[1]
        lines = [f"saved: {failed[1] if failed else 'a result'}", f"now:   {error or 'a result'}"]
        what = f"it fails as it did: {error}"
    else:
        again = _values(run, 0, 0)
        same = agree(values, again)
        lines = _differences(model, values, again)
        what = f"every column and {'fingerprint ' + format(again[2], '016x') if again[2] else 'bucket'} agree"
    if same:
        print(f"{model.name}: the same result: {what}")
        code = EXIT_DONE
    else:
        print("\n".join([f"{model.name}: a different result", *lines]))
        code = EXIT_BROKEN if version == _core.VERSION else EXIT_UNKNOWN
    if version != _core.VERSION:
        print(f"the file was made by distlab {version}, this is {_core.VERSION}: results may differ")
    if run is not None and (args.trace or args.html is not None):
        _show(replay(trace=True), args)
    return code


def _differences(model: Any, saved: Any, now: Any) -> list[str]:
    """The columns that differ, as lines."""
    names = model.columns.names
    a, b = (np.frombuffer(v[0], np.float64) for v in (saved, now))
    odd = [k for k in range(len(names)) if a[k : k + 1].tobytes() != b[k : k + 1].tobytes()]
    lines = [f"{names[k]}: saved {a[k]!r}, now {b[k]!r}" for k in odd[:COLUMNS_SHOWN]]
    if len(odd) > COLUMNS_SHOWN:
        lines.append(f"and {len(odd) - COLUMNS_SHOWN} more columns")
    if saved[2] not in (0, now[2]):
        lines.append(f"fingerprint: saved {saved[2]:016x}, now {now[2]:016x}")
    return lines or ["the buckets of a histogram differ"]


def _show(run: Any, args: argparse.Namespace) -> None:
    """The trace as text, the diagram as a page."""
    if args.trace:
        print(run.trace.text())
    if args.html is not None:
        run.trace.diagram().save(args.html)
        print(f"wrote {args.html}")
