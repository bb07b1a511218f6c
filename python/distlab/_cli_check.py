"""`distlab check FILE --spec NAME`: exit 0 yes, 1 no, 3 unknown, 2 a user's mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from distlab import _verdict
from distlab.cli import EXIT_DONE, PROG, Mistake, Parser, _near

EXIT_NO, EXIT_UNKNOWN = 1, 3
FORMATS = ("edn", "jsonl")


def command(argv: list[str]) -> int:
    """Check one file."""
    parser = _parser()
    args, rest = parser.parse_known_args(argv)
    if rest:
        known = [s for a in parser._actions for s in a.option_strings]
        raise Mistake(f"check does not know {rest[0]}{_near(rest[0].partition('=')[0], known)}")
    if args.file is None:
        raise Mistake(f"check needs a file, for example: {PROG} check history.jsonl --spec register")
    spec = args.spec.replace("-", "_")
    specs = _verdict.specifications()
    if spec not in specs:
        raise Mistake(f"unknown spec {args.spec!r}{_near(spec, specs)}; there are {', '.join(specs)}")
    if not Path(args.file).is_file():
        raise Mistake(f"{args.file}: there is no such file")
    if args.html and not Path(args.html).parent.is_dir():
        raise Mistake(f"--html {args.html}: there is no directory {Path(args.html).parent}")
    from distlab._history import read_history

    history = read_history(args.file, format=args.format, independent=args.independent, order=args.order)
    options: dict[str, Any] = {"fail": "maybe" if args.fail_may_have_happened else args.fail}
    for name, kind in (("seconds", float), ("states", int)):
        if getattr(args, name) is not None:
            options[name] = _number(name, getattr(args, name), kind)
    if args.initial is not None:
        options["initial"] = _value(args.initial)
    verdict = _verdict._check(history, spec, args.criterion, **options)
    if args.html:
        verdict.to_html(args.html)
    if not args.quiet:
        print(verdict.explain())
    return EXIT_DONE if verdict.valid else EXIT_UNKNOWN if verdict.valid is None else EXIT_NO


def _parser() -> Parser:
    specs = "\n".join(f"  {name:<15} {text}" for name, text in _verdict.specifications().items())
    parser = Parser(
        prog=f"{PROG} check",
        description="Is a recorded history linearizable? Reads EDN of Jepsen, Maelstrom and Knossos, and "
        "JSON, one event a line.",
        epilog=f"specifications and the operations they know:\n{specs}\n\n"
        "exit codes: 0 yes, 1 no, 3 unknown (a budget ran out), 2 a mistake in the call or the file",
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="history")
    parser.add_argument(
        "--spec", default="register", metavar="NAME", help="what it should be (default register)"
    )
    parser.add_argument(
        "--criterion", choices=tuple(_verdict.CRITERIA), default="linearizable", help="(default linearizable)"
    )
    parser.add_argument("--format", choices=FORMATS, help="of the file (default: by its content)")
    parser.add_argument("--independent", action="store_true", help="values are pairs [key value]")
    parser.add_argument(
        "--order", choices=("strict", "lines", "times"), default="strict",
        help="order of events: lines and times agree (default), lines alone, or times alone",
    )  # fmt: skip
    parser.add_argument(
        "--fail", choices=_verdict.FAIL, default="never",
        help="what fail says: it never happened (default), nor matched, or maybe happened",
    )  # fmt: skip
    parser.add_argument("--fail-may-have-happened", action="store_true", help="the same as --fail maybe")
    parser.add_argument("--initial", metavar="VALUE", help="value of every register at first (default nil)")
    parser.add_argument("--seconds", metavar="S", help="stop after so many seconds, undecided")
    parser.add_argument("--states", metavar="N", help="stop after so many states, undecided")
    parser.add_argument("--html", metavar="OUT", help="write the verdict with its picture as a page")
    parser.add_argument("--quiet", action="store_true", help="no words, only the exit code")
    return parser


def _number(name: str, text: str, kind: Any) -> Any:
    try:
        return kind(text)
    except ValueError:
        word = "an integer" if kind is int else "a number"
        raise Mistake(f"--{name} takes {word}, not {text!r}") from None


def _value(text: str) -> Any:
    if text in ("nil", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    try:
        return int(text)
    except ValueError:
        return text
