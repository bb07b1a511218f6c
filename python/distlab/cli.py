"""The command line: `python -m distlab COMMAND`: list, describe, run, sweep, whatif, replay, check, export,
config, doctor, notebooks, new-model.

Names and values are those of the library: `--arrival-rate 90` and `arrival_rate=90` set the same parameter,
and the flags of `run` and `sweep` are made from the model's descriptor. In `sweep` a parameter may take
several values: `10:95:18` (18 values, evenly spaced), `log:1:100:10` (geometrically), `1,2,4` (these).
Exit codes: 0 done, 1 no (a replay differs), 2 a user's mistake (one line on stderr), 3 unknown, 130
interrupted.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

PROG = "distlab"
EXIT_DONE, EXIT_BROKEN, EXIT_MISTAKE, EXIT_UNKNOWN, EXIT_INTERRUPTED = 0, 1, 2, 3, 130
VALUES_MAX = 1_000_000
DIGITS = 5  # of numbers in tables
FORMATS = ("table", "csv", "json")


class Mistake(Exception):
    """Something the user wrote that cannot be done; its text is the one line they see."""


class Parser(argparse.ArgumentParser):
    """argparse whose mistakes are one line and exit code 2."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("allow_abbrev", False)
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(**options)

    def error(self, message: str) -> NoReturn:
        raise Mistake(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    try:
        code = _dispatch(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return code
    except SystemExit as stop:  # --help and --version
        return int(stop.code or 0)
    except KeyboardInterrupt:
        return _complain("interrupted", EXIT_INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_DONE
    except (Mistake, ValueError, TypeError, OSError, ImportError, MemoryError) as error:
        return _complain(str(error) or type(error).__name__, EXIT_MISTAKE)
    except KeyError as error:
        return _complain(str(error.args[0] if error.args else error), EXIT_MISTAKE)
    except RuntimeError as error:
        kinds = {"Cancelled": EXIT_INTERRUPTED, "BudgetError": EXIT_MISTAKE}
        return _complain(str(error), kinds.get(type(error).__name__, EXIT_BROKEN))


def _complain(text: str, code: int) -> int:
    """One line on stderr."""
    print(f"{PROG}: {' '.join(text.split())}", file=sys.stderr)
    return code


def _show_warning(message: Any, *_rest: Any, **_more: Any) -> None:
    _complain(f"warning: {message}", 0)


COMMANDS = {
    "list": "the models",
    "describe": "a model: parameters with units, ranges and defaults, metrics, source",
    "run": "one run of a model",
    "sweep": "a model over ranges of its parameters",
    "whatif": "a base and changed variants of it: paired differences, asserts, a page",
    "replay": "a row of a saved sweep, or the line printed with a result, once more",
    "check": "is a recorded history linearizable?",
    "export": "a saved result as CSV, JSON, netCDF and others; the trace of a row as text, page, picture",
    "config": "flags for compiling against the C library",
    "doctor": "versions, extras, cores, and a self-check",
    "notebooks": "copy the lessons into a directory",
    "new-model": "write a model of your own to start from, in a checkout or as a library",
}


def _dispatch(argv: list[str]) -> int:
    import warnings

    warnings.showwarning = _show_warning
    if not argv or argv[0] in ("-h", "--help", "help"):
        _overview()
        return EXIT_DONE if argv else _complain("name a command, for example: distlab list", EXIT_MISTAKE)
    command, rest = argv[0], argv[1:]
    if command in ("-V", "--version"):
        import distlab

        print(distlab.__version__)
        return EXIT_DONE
    if command in ("run", "sweep"):
        from distlab import _cli_run

        return _cli_run.command(command, rest)
    if command == "whatif":
        from distlab import _cli_whatif

        return _cli_whatif.command(rest)
    if command == "replay":
        from distlab import _cli_replay

        return _cli_replay.command(rest)
    if command == "check":
        from distlab import _cli_check

        return _cli_check.command(rest)
    if command == "export":
        from distlab import _cli_export

        return _cli_export.command(rest)
    if command == "new-model":
        from distlab import _new_model

        return _new_model.command(rest)
    if command not in COMMANDS:
        raise Mistake(
            f"unknown command {command!r}{_near(command, COMMANDS)}; there are {', '.join(COMMANDS)}"
        )
    return {
        "list": _list,
        "describe": _describe,
        "config": _config,
        "doctor": _doctor,
        "notebooks": _notebooks,
    }[command](rest)


def _near(wanted: str, names: Any) -> str:
    """The hint at the nearest name, or nothing."""
    from distlab import _core

    near = _core.nearest(wanted, list(names))
    return f", did you mean {near!r}?" if near else ""


def _overview() -> None:
    import distlab

    width = max(map(len, COMMANDS))
    lines = "\n".join(f"  {name:<{width}}  {text}" for name, text in COMMANDS.items())
    print(
        f"distlab {distlab.__version__}: a laboratory for distributed systems\n\n"
        f"usage: python -m distlab COMMAND ...\n\n{lines}\n\n"
        "Each command has --help; `run MODEL --help` lists the parameters of a model.\n\n"
        "examples:\n"
        "  python -m distlab run queueing.station --arrival-rate 90\n"
        "  python -m distlab sweep queueing.station arrival_rate=10:95:18 servers=1,2 --plot wait.png"
    )


def _model_argument(text: str) -> Any:
    """A model by name; a wrong name raises with the nearest one."""
    from distlab import _model

    return _model.find(text)


def _list(argv: list[str]) -> int:
    parser = Parser(
        prog=f"{PROG} list", description="List the models, or those with a text in name or title."
    )
    parser.add_argument("text", nargs="?", default="", help="part of a name or title")
    parser.add_argument("--format", choices=FORMATS, default="table")
    args = parser.parse_args(argv)
    from distlab import _model

    models = [m for m in _model.models() if args.text.lower() in f"{m.name} {m.title}".lower()]
    if not models:
        raise Mistake(
            f"no model has {args.text!r} in its name or title{_near(args.text, _model.models().names)}"
        )
    write_rows(
        args.format,
        ["model", "title", "kind"],
        [[m.name, m.title, "exact" if m.exact else "simulation"] for m in models],
    )
    return EXIT_DONE


def _describe(argv: list[str]) -> int:
    parser = Parser(prog=f"{PROG} describe", description="Describe a model, as its docstring does.")
    parser.add_argument("model")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    args = parser.parse_args(argv)
    model = _model_argument(args.model)
    if args.format == "json":
        write_json(
            {
                "name": model.name,
                "title": model.title,
                "doc": model.doc,
                "source": model.source,
                "exact": model.exact,
                "parameters": [_plain(f) for f in model.fields],
                "metrics": [_plain(f) for f in model.metrics],
                "columns": [_plain(f) for f in model.columns],
                "outputs": [{"name": o["name"], "doc": o["doc"]} for o in model.outputs],
                "bugs": [_plain(b) for b in model.bugs],
                "theory_columns": list(model.theory_columns),
            }
        )
    else:
        print(f"{model.name}: {model.docstring()}")
    return EXIT_DONE


def _plain(row: Any) -> dict[str, Any]:
    """A descriptor row as JSON can hold it."""
    kept = {k: v for k, v in row.items() if k not in ("dtype", "off", "scale") and v is not None}
    if kept.get("table"):
        kept["table"] = {
            "name": row["table"]["name"],
            "columns": [c["name"] for c in row["table"]["columns"]],
        }
    return kept


def _config(argv: list[str]) -> int:
    parser = Parser(prog=f"{PROG} config", description="Where the C library is; without a flag, everything.")
    for name, text in (
        ("cflags", "flags for the compiler"),
        ("libs", "flags for the linker"),
        ("prefix", "directory of include/ and lib/"),
        ("includedir", "directory of <distlab/...>"),
        ("version", "version of the library"),
        ("models", "the models as <distlab/models.h> declares them, one a line"),
    ):
        parser.add_argument(f"--{name}", action="store_true", help=text)
    args = parser.parse_args(argv)
    from distlab import _doctor

    facts = _doctor.config()
    wanted = [name for name in facts if getattr(args, name)]
    for name in wanted or facts:
        if isinstance(facts[name], Exception):
            if wanted:
                raise facts[name]
            print(f"{name}: {facts[name]}")
            continue
        print(facts[name] if wanted else f"{name}: {' '.join(facts[name].split(chr(10)))}")
    return EXIT_DONE


def _doctor(argv: list[str]) -> int:
    parser = Parser(
        prog=f"{PROG} doctor", description="Versions, extras, cores, and a check of known answers."
    )
    parser.parse_args(argv)
    from distlab import _doctor

    lines, healthy = _doctor.report()
    print("\n".join(lines))
    return EXIT_DONE if healthy else EXIT_BROKEN


def _notebooks(argv: list[str]) -> int:
    parser = Parser(
        prog=f"{PROG} notebooks",
        description="Copy the lessons into a directory. Files that you "
        "changed are kept unless --force is given.",
    )
    parser.add_argument("directory", metavar="DIR")
    parser.add_argument("--force", action="store_true", help="overwrite changed files")
    args = parser.parse_args(argv)
    from distlab import _doctor

    print("\n".join(_doctor.copy_notebooks(args.directory, args.force)))
    return EXIT_DONE


def write_rows(form: str, head: list[str], rows: list[list[Any]], right: Sequence[str] = ()) -> None:
    """Rows as an aligned table (numbers and the columns named in `right` flush right), CSV or JSON."""
    if form == "json":
        write_json([dict(zip(head, row, strict=True)) for row in rows])
        return
    if form == "csv":
        import csv

        out = csv.writer(sys.stdout, lineterminator="\n")
        out.writerow(head)
        out.writerows([["" if isinstance(c, float) and math.isnan(c) else c for c in row] for row in rows])
        return
    texts = [[_cell(c) for c in row] for row in rows]
    widths = [max(len(h), *(len(t[i]) for t in texts)) if texts else len(h) for i, h in enumerate(head)]
    flush = [h in right or all(isinstance(row[i], (int, float)) for row in rows) for i, h in enumerate(head)]
    for line in (head, *texts):
        cells = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, flush, strict=True))
        print("  ".join(cells).rstrip())


def _cell(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int):
        return str(value)
    return "-" if math.isnan(value) else f"{value:.{DIGITS}g}"


def write_json(value: Any) -> None:
    """Strict JSON: NaN is null, infinities are the texts "inf" and "-inf"."""
    import json

    def clean(v: Any) -> Any:
        if isinstance(v, dict):
            return {str(k): clean(x) for k, x in v.items()}
        if isinstance(v, (set, frozenset)):
            return sorted(map(str, v))
        if isinstance(v, (list, tuple)):
            return [clean(x) for x in v]
        if hasattr(v, "tolist"):
            return clean(v.tolist())
        if isinstance(v, float) and not math.isfinite(v):
            return None if math.isnan(v) else "inf" if v > 0 else "-inf"
        return v if isinstance(v, (int, float, str, bool, type(None))) else str(v)

    print(json.dumps(clean(value), indent=1, allow_nan=False))
