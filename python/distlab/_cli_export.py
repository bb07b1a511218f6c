"""`distlab export`: a saved result, the trace of one of its rows or a table of it, in another format.

The ending of the file says which; the tables of endings belong to `_save` and `_trace_export`. A trace or
table that was not kept is made again from the row, which is compared with what was saved.

Exit codes: 0 done, 1 done, but the row made again differs from the saved one, 2 a user's mistake, 3 as 1, but
another version of distlab made the file.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from distlab import _cli_replay, _core, _model, _recipe, _save, _trace, _trace_export
from distlab._common import need, unknown
from distlab.cli import EXIT_BROKEN, EXIT_DONE, EXIT_UNKNOWN, PROG, Mistake, Parser, _complain, _near

TABLES = (".csv", ".json", ".xlsx", ".parquet", ".npy")
EXAMPLE = f"for example: {PROG} export sweep.npz sweep.csv"


class Rows:
    """A table of a result, with what the writers of results ask for."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def frame(self) -> Any:
        """The rows as a pandas DataFrame."""
        return need("pandas", "sweep").DataFrame(self.array)


def command(argv: list[str]) -> int:
    """Write one file."""
    parser = _parser()
    args, strange = parser.parse_known_intermixed_args(argv)
    if strange:
        known = [s for a in parser._actions for s in a.option_strings]
        raise Mistake(f"export does not know {strange[0]}{_near(strange[0].partition('=')[0], known)}")
    if len(args.what) < 2:
        raise Mistake(f"export needs a result and the file to write, {EXAMPLE}")
    if args.trace and args.table is not None:
        raise Mistake("--trace and --table exclude each other: one file holds one of them")
    *words, out = args.what
    ending = _ending(out, args)
    _check_out(out)
    first = words[0].strip()
    if _cli_replay._is_file(first, words):
        if os.path.exists(out) and os.path.exists(first) and os.path.samefile(first, out):
            raise Mistake(f"{out}: this is the file to read; name another one to write")
        thing, code = _of_file(first, args)
    else:
        thing, code = _of_line(words, args), EXIT_DONE
    ways = _trace_export.WAYS if args.trace else _save.WAYS
    _write(ways[ending][1], thing, out, ending)
    print(f"wrote {out}")
    return code


def _parser() -> Parser:
    def listed(ways: Any) -> str:
        return "\n".join(f"  {ending:<14} {words}" for ending, (words, _) in ways.items())

    parser = Parser(
        prog=f"{PROG} export",
        usage="%(prog)s FILE OUT\n"
        "       %(prog)s FILE OUT --trace | --table NAME [--point P] [--rep R]\n"
        "       %(prog)s MODEL [name=value ...] OUT [--trace | --table NAME]",
        description="Write a saved result (or the run of a printed line) in another format; the ending of "
        "OUT says which.",
        epilog=f"endings of results, and the call in Python that writes the same:\n{listed(_save.WAYS)}\n\n"
        f"endings with --trace:\n{listed(_trace_export.WAYS)}\n\n"
        f"endings with --table: {', '.join(TABLES)}\n\n"
        "examples:\n"
        f"  {PROG} export sweep.npz sweep.csv\n"
        f"  {PROG} export sweep.npz jobs.csv --table jobs --point 3\n"
        f"  {PROG} export raft.npz run.html --trace --point 1 --rep 4\n"
        f"  {PROG} export consensus.raft nodes=3 seed=7 raft.perfetto.json --trace\n\n"
        "exit codes: 0 done, 1 done, but the row made again differs from the saved one (3: another version\n"
        "made the file), 2 a mistake",
    )
    parser.add_argument(
        "what", nargs="*", metavar="FILE | RECIPE, OUT", help="a saved result or a printed line; the new file"
    )
    parser.add_argument("--trace", action="store_true", help="what happened in one row")
    parser.add_argument("--table", metavar="NAME", help="an output table: the kept one, or that of one row")
    parser.add_argument("--point", metavar="P", help="number of the row's point, from 0 (default 0)")
    parser.add_argument("--rep", metavar="R", help="number of the row's repetition, from 0 (default 0)")
    return parser


# The file to write


def _ending(out: str, args: argparse.Namespace) -> str:
    """The ending of the file as its writer is listed."""
    ways = list(_trace_export.WAYS) if args.trace else list(_save.WAYS)
    ways = list(TABLES) if args.table is not None else ways
    name = Path(out).name.lower()
    known = {*_save.WAYS, *_trace_export.WAYS}
    ending = max((e for e in known if name.endswith(e) and name != e), key=len, default="")
    if ending in ways:
        return ending
    option = " with --trace" if args.trace else " with --table" if args.table is not None else ""
    odd = ending or Path(out).suffix
    hint = _near(odd, ways) if odd and not ending else ""
    if ending in _trace_export.WAYS and not args.trace:
        hint = f"; {ending} goes with --trace"
    raise Mistake(
        f"export{option} cannot write {out}: {odd or 'no ending'} is not among {', '.join(ways)}{hint}"
    )


def _check_out(out: str) -> None:
    """What cannot be written is refused before anything runs."""
    path = Path(out)
    if path.is_dir():
        raise Mistake(f"{out}: this is a directory, not a file")
    if not path.parent.is_dir():
        raise Mistake(f"{out}: there is no directory {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise Mistake(f"{out}: it cannot be written")


def _write(writer: Any, thing: Any, out: str, ending: str) -> None:
    """Beside it first: a file that was there stays whole until the new one is. Some writers look at the
    ending and know small letters only."""
    partial = f"{out}.partial{ending}"
    try:
        writer(thing, partial)
        os.replace(partial, out)
    finally:
        if os.path.exists(partial):
            os.remove(partial)


# What it holds


def _of_line(words: list[str], args: argparse.Namespace) -> Any:
    for option in ("point", "rep"):
        if getattr(args, option) is not None:
            raise Mistake(f"--{option} picks a row of a file; a line says it itself, as {option}=N")
    recipe = words if len(words) > 1 else words[0]
    name, _ = _recipe.words_of(recipe)
    if name not in _core.models():
        near = _near(name, _core.models())
        raise Mistake(f"there is no file {name}, and no model is called that{near}")
    _check_table(_model.find(name), args)
    keep = None if args.table is None else [args.table]
    run = _recipe.run_recipe(recipe, trace=args.trace, keep=keep)
    return run.trace if args.trace else run if keep is None else Rows(run.tables[args.table])


def _of_file(path: str, args: argparse.Namespace) -> tuple[Any, int]:
    """What is to be written, and the exit code."""
    import distlab

    if not os.path.exists(path):
        raise Mistake(f"{path}: there is no such file")
    saved = distlab.load(path)
    one = isinstance(saved, distlab.Run)
    picks = [f"--{name}" for name in ("point", "rep") if getattr(args, name) is not None]
    if picks and one:
        raise Mistake(f"{path} holds one run: {picks[0]} picks a row of a sweep")
    if args.trace:
        _trace.require(saved.model)
        if one and _trace.NAME in saved.tables:
            return saved.trace, EXIT_DONE
        run, code = _row(saved, args, trace=True)
        return run.trace, code
    if args.table is None:
        if picks:
            raise Mistake(f"{picks[0]} picks the row of --trace or --table; a result is written whole")
        return saved, EXIT_DONE
    _check_table(saved.model, args)
    if args.table in saved.tables and not picks:
        return Rows(saved.tables[args.table]), EXIT_DONE
    if not one and not picks:
        kept = ", ".join(saved.tables) or "none"
        raise Mistake(
            f"{path} does not keep the table {args.table} (kept: {kept}); --point P --rep R makes that of "
            "one row again"
        )
    run, code = _row(saved, args, keep=[args.table])
    return Rows(run.tables[args.table]), code


def _check_table(model: Any, args: argparse.Namespace) -> None:
    if args.table is not None and args.table not in model.outputs:
        raise unknown(f"--table: output of {model.name}", args.table, model.outputs.names)


def _row(saved: Any, args: argparse.Namespace, **more: Any) -> tuple[Any, int]:
    """One row made again, and 0 if it is the one that was saved."""
    import distlab

    if isinstance(saved, distlab.Run):
        place, run = (0, 0), saved.replay(**more)
    else:
        place = _cli_replay._place(saved, args)
        run = saved.replay(*place, **more)
    before, now = _cli_replay._values(saved, *place), _cli_replay._values(run, 0, 0)
    if _cli_replay.agree(before, now):
        return run, EXIT_DONE
    told = _cli_replay._differences(saved.model, before, now)[0]
    version = saved.provenance["distlab"]
    made = "" if version == _core.VERSION else f" (made by distlab {version}, this is {_core.VERSION})"
    return run, _complain(
        f"warning: the row made again differs from the saved one{made}: {told}",
        EXIT_BROKEN if version == _core.VERSION else EXIT_UNKNOWN,
    )
