"""`distlab whatif`: a base and changed variants under the same luck, with intervals, asserts and a page.

Exit codes: 0 every assert holds (or none was made), 1 one fails, 2 a user's mistake, 3 undecided: a limit
lies inside its interval, so more repetitions are needed.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shlex
from pathlib import Path
from typing import Any

from distlab import _cli_run
from distlab._common import pieces
from distlab.cli import FORMATS, PROG, Mistake, Parser, write_json, write_rows


def command(argv: list[str]) -> int:
    """Read the base, run it beside its variants, print, write the page."""
    args = _parser().parse_args(argv)
    _check_page(args.html)
    import distlab
    from distlab._whatif_base import Base

    base = Base(args.base)
    given = _variants(args)
    call: dict[str, Any] = {"asserts": args.asserts, "progress": args.progress or None}
    for name, read in (
        ("reps", _cli_run._integer),
        ("seed", _cli_run._integer),
        ("threads", _cli_run._integer),
        ("confidence", _cli_run._real),
    ):
        if getattr(args, name) is not None:
            call[name] = read(name, getattr(args, name))
    if args.metrics:
        call["metrics"] = [n.strip() for n in args.metrics.split(",")]
    result = distlab.whatif(base, given, **call)
    _show(result, args.format)
    if args.html:
        result.save(args.html, recipe(argv))
    return int(result.exit_code)


def _parser() -> Parser:
    parser = Parser(
        prog=f"{PROG} whatif",
        usage="%(prog)s BASE.toml [--set name=value ...] [--variant 'name=value, ...'] [options]",
        description="What changes if? Runs the base and each variant with common random numbers and prints "
        "the paired differences.",
        epilog="All --set make one variant; a name that is set twice makes one variant for each value. Each "
        "--variant\nmakes one more, under its own name if you write 'name: a=1, b=2'. Without either the "
        "variants of the file\nare run.\n\nAsserts: 'latency_p99 < 200ms', 'latency_p99 <= 1.05 * base', "
        "'wait < base - 1ms', 'name: loss < 1%'.\n"
        "Exit code 0: all hold, 1: one fails, 3: undecided, 2: a mistake.",
    )
    parser.add_argument("base", metavar="BASE.toml", help="model, parameters, data, seed and repetitions")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="change a parameter")
    parser.add_argument("--variant", action="append", default=[], metavar="TEXT", help="one more variant")
    parser.add_argument(
        "--assert", dest="asserts", action="append", default=[], metavar="TEXT", help="ask; may be repeated"
    )
    parser.add_argument("--metrics", metavar="A,B", help="columns of the table (default: the main ones)")
    parser.add_argument("--reps", metavar="N", help="repetitions (default: those of the file, else 20)")
    parser.add_argument(
        "--seed", metavar="N", help="root of all randomness (default: that of the file, else 1)"
    )
    parser.add_argument("--confidence", metavar="P", help="level of intervals (default 0.95)")
    parser.add_argument("--threads", metavar="N", help="threads (default: every core)")
    parser.add_argument("--format", choices=FORMATS, default="table", help="how to print (default table)")
    parser.add_argument("--html", metavar="OUT.html", help="write a page that works offline")
    parser.add_argument("--progress", action="store_true", help="show a progress bar")
    return parser


def _check_page(text: str | None) -> None:
    """A page that cannot be written is refused before anything runs."""
    if text is None:
        return
    path = Path(text)
    if path.is_dir() or not path.name or not path.parent.is_dir():
        raise Mistake(f"--html {text}: this is no file in an existing directory")
    if not os.access(path.parent, os.W_OK):
        raise Mistake(f"--html {text}: it cannot be written")


def _variants(args: argparse.Namespace) -> Any:
    """{label: parameters} of --set and --variant; None: those of the file."""
    if not args.set and not args.variant:
        return None
    out: dict[str, dict[str, str]] = {}
    alternatives: dict[str, list[str]] = {}
    for text in args.set:
        name, value = _pair("--set", text)
        alternatives.setdefault(name, []).append(value)
    if alternatives:
        for values in itertools.product(*alternatives.values()):
            _add(out, None, dict(zip(alternatives, values, strict=True)))
    for text in args.variant:
        label, colon, rest = text.partition(":")
        named = bool(colon) and "=" not in label
        pairs = [_pair("--variant", part) for part in pieces(rest if named else text, ",") if part]
        changes = dict(pairs)
        if len(changes) < len(pairs):
            raise Mistake(f"--variant {text}: a parameter is set twice")
        _add(out, label.strip() if named else None, changes)
    return out


def _pair(option: str, text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise Mistake(f"{option} {text}: write name=value")
    return name.strip().replace("-", "_"), value.strip()


def _add(out: dict[str, dict[str, str]], label: str | None, changes: dict[str, str]) -> None:
    label = label or ", ".join(f"{k}={v}" for k, v in changes.items())
    if label in out:
        raise Mistake(f"two variants are called {label!r}")
    out[label] = changes


def _show(result: Any, form: str) -> None:
    if form == "table":
        # Warnings went to stderr when they were made; the table need not repeat them.
        print(result.summary(notes=False))
        return
    rows = result.table()
    if form == "csv":
        write_rows(form, list(rows[0]), [list(row.values()) for row in rows])
        return
    write_json(
        {
            "model": result.model.name,
            "reps": result.sweep.reps,
            "confidence": result.confidence,
            "provenance": dict(result.sweep.provenance),
            "rows": rows,
            "asserts": [v._asdict() for v in result.verdicts],
            "verdict": result.verdict if result.verdicts else None,
            "warnings": result.warnings,
        }
    )


def recipe(argv: list[str]) -> str:
    """The command as one line for a shell."""
    return shlex.join([PROG, "whatif", *argv])
