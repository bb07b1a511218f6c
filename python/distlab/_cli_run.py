"""`distlab run` and `distlab sweep`: flags from the descriptor, results as a table, CSV or JSON."""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from distlab import _core, _model, _units
from distlab._common import pieces
from distlab._recipe import value_of
from distlab._save import OTHERS
from distlab.cli import (
    EXIT_DONE,
    FORMATS,
    PROG,
    VALUES_MAX,
    Mistake,
    Parser,
    _near,
    write_json,
    write_rows,
)

COLUMNS_SHOWN = 6
SHORTHANDS = ("threads", "processes")
PICTURES = (".png", ".svg", ".pdf")


def command(name: str, argv: list[str]) -> int:
    """Parse the options of `run` or `sweep` and do it."""
    if not argv:
        raise Mistake(f"{name} needs a model, for example: {PROG} {name} queueing.station")
    if argv[0] in ("-h", "--help"):
        _parser(name, None).print_help()
        return EXIT_DONE
    if argv[0].startswith("-"):
        raise Mistake(f"{name} needs the model first, for example: {PROG} {name} queueing.station {argv[0]}")
    model = _model.find(argv[0])
    parser = _parser(name, model)
    args, unknown = parser.parse_known_intermixed_args(argv[1:])
    if unknown:
        known = [s for a in parser._actions for s in a.option_strings]
        word = unknown[0].partition("=")[0]
        raise Mistake(f"{name} {model.name} has no option {word}{_near(word, known)}")
    given = _given(model, args)
    _check_files(args)
    return (_run if name == "run" else _sweep)(model, given, args)


def _check_files(args: argparse.Namespace) -> None:
    """What cannot be written is refused before anything runs."""
    for option in ("save", "plot"):
        text = getattr(args, option, None)
        if text is None:
            continue
        path = Path(text)
        folder = path.parent
        if option == "plot" and path.suffix.lower() not in PICTURES:
            raise Mistake(f"--plot {text}: the file must end in {', '.join(PICTURES)}")
        if option == "save" and path.suffix.lower() in OTHERS:
            raise Mistake(
                f"--save {text}: it writes a NumPy archive (.npz); --format csv or json prints those, "
                f"`{PROG} export` makes other formats from the archive"
            )
        if path.is_dir() or not path.name:
            raise Mistake(f"--{option} {text}: this is a directory, not a file")
        if not folder.is_dir():
            raise Mistake(f"--{option} {text}: there is no directory {folder}")
        if not os.access(path if path.exists() and option == "plot" else folder, os.W_OK):
            raise Mistake(f"--{option} {text}: it cannot be written")


def _parser(name: str, model: Any) -> Parser:
    """Common options, and one flag for each parameter of the model."""
    title = (
        f"{model.name}: {model.title}"
        if model
        else f"{name} a model; `{name} MODEL --help` lists its parameters"
    )
    parser = Parser(
        prog=f"{PROG} {name} {model.name if model else 'MODEL'}",
        description=title,
        usage="%(prog)s [name=value ...] [options]",
    )
    parser.add_argument(
        "pairs", nargs="*", metavar="name=value", help="parameters, as an alternative to flags"
    )
    call = parser.add_argument_group("the call")
    call.add_argument("--seed", default="1", metavar="N", help="root of all randomness (default 1)")
    call.add_argument("--format", choices=FORMATS, default="table", help="how to print (default table)")
    call.add_argument("--plot", metavar="FILE.png", help="draw the result (png, svg or pdf)")
    call.add_argument("--columns", metavar="A,B", help="columns to print (default: the main ones)")
    if name == "sweep":
        _sweep_options(call)
    if model:
        _model_options(parser, model, name)
    return parser


def _sweep_options(call: Any) -> None:
    call.add_argument("--reps", default=None, metavar="N", help="repetitions of each point (default 20)")
    call.add_argument(
        "--crn",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="common random numbers at all points (default)",
    )
    call.add_argument("--threads", default=None, metavar="N", help="threads (default: every core)")
    call.add_argument("--confidence", default=None, metavar="P", help="level of intervals (default 0.95)")
    call.add_argument("--save", metavar="FILE.npz", help="save the result; dl.load reads it")
    call.add_argument("--executor", choices=SHORTHANDS, default=None, help="who runs the rows")
    call.add_argument("--checkpoint", metavar="FILE", help="keep finished rows; the same command goes on")
    call.add_argument("--progress", action="store_true", help="show a progress bar")
    call.add_argument("--x", metavar="NAME", help="parameter along the x axis of --plot")
    call.add_argument("--y", metavar="A,B", help="columns of --plot")
    call.add_argument("--hue", metavar="NAME", help="parameter told apart by colour in --plot")


def _model_options(parser: Parser, model: Any, name: str) -> None:
    groups: dict[str, Any] = {}
    for field in model.fields:
        heading = field.get("group") or "parameters"
        if heading not in groups:
            groups[heading] = parser.add_argument_group(heading)
        unit = f" [{_units.field_unit(field)}]" if _units.field_unit(field) else ""
        default = _units.value_text(field["default"], field)
        text = f"{field['doc']}{unit} (default {default})".replace("%", "%%")
        shape = "{" + ",".join(field["choices"]) + "}" if field["type"] == "choice" else "VALUE"
        shape = "ROWS" if field["type"] == "table" else shape
        shape += "[,...]" if name == "sweep" and shape != "ROWS" else ""
        try:
            groups[heading].add_argument(
                "--" + field["name"].replace("_", "-"),
                dest=f"param {field['name']}",
                metavar=shape,
                help=text,
            )
        except argparse.ArgumentError:
            continue  # the flag is taken; name=value still sets it


def _given(model: Any, args: argparse.Namespace) -> dict[str, str]:
    """Parameters as texts, from flags and pairs."""
    given = {k[6:]: v for k, v in vars(args).items() if k.startswith("param ") and v is not None}
    for pair in args.pairs:
        name, equals, value = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not equals:
            raise Mistake(f"{pair!r} is not name=value{_near(name, model.fields.names)}")
        if name in given:
            raise Mistake(f"{name} is given twice")
        model.field(name)
        given[name] = value.strip()
    return given


def _integer(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Mistake(f"--{name} takes an integer, not {text!r}") from None


def _real(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Mistake(f"--{name} takes a number, not {text!r}") from None


def axis_values(field: Any, text: str) -> Any:
    """What a parameter's text means in a sweep: several values of it, or one."""
    plain = field["type"] in ("double", "int") and "(" not in text
    if plain and ":" in text:
        return _range(field, text)
    parts = pieces(text, ",")
    if len(parts) == 1:
        return text
    if any(not p for p in parts):
        raise Mistake(f"{field['name']}={text}: there is an empty value between the commas")
    return parts


def _sweep_value(model: Any, name: str, text: str) -> Any:
    """JSON, as in a recipe, is one value with commas of its own; so are the rows of a table."""
    field = model.field(name)
    if field["type"] == "table" or text[:1] in ("[", "{"):
        return value_of(model, name, text)
    return axis_values(field, text)


def _range(field: Any, text: str) -> Any:
    """`low:high:count`, or `log:low:high:count`."""
    parts = text.split(":")
    geometric = parts[0] == "log"
    parts = parts[1:] if geometric else parts
    name = field["name"]
    if len(parts) != 3 or not parts[2].strip().isdigit() or not 2 <= int(parts[2]) <= VALUES_MAX:
        raise Mistake(
            f"{name}={text}: a range is low:high:count or log:low:high:count, count from 2 to {VALUES_MAX}"
        )
    low, high = (_core.quantity(p.strip(), field.get("unit")) for p in parts[:2])
    count = int(parts[2])
    if not (math.isfinite(low) and math.isfinite(high)) or (geometric and min(low, high) <= 0):
        raise Mistake(
            f"{name}={text}: the ends of a {'log ' if geometric else ''}range must be finite"
            f"{' and positive' if geometric else ''}"
        )
    values = np.geomspace(low, high, count) if geometric else np.linspace(low, high, count)
    return np.unique(np.round(values).astype(np.int64)) if field["type"] == "int" else values


def _wanted(model: Any, args: argparse.Namespace, default: list[str]) -> list[str]:
    names = [n.strip() for n in args.columns.split(",")] if args.columns else default
    return [model.column(n)["name"] for n in names]


def _run(model: Any, given: dict[str, str], args: argparse.Namespace) -> int:
    import distlab

    values = {n: value_of(model, n, text) for n, text in given.items()}
    call: dict[str, Any] = {**values, "seed": _integer("seed", args.seed)}
    run = distlab.run(model.name, **call)
    names = _wanted(model, args, [c["name"] for c in model.columns])
    theory = dict(run.theory or {})
    if args.format == "json":
        write_json(
            {
                "model": model.name,
                "seed": run.seed,
                "params": _texts(model, run.params),
                "metrics": {n: float(run.metrics[n]) for n in names},
                "theory": {n: float(v) for n, v in theory.items() if n in names},
            }
        )
    else:
        print_run(run, names, args.format)
    if args.plot:
        from distlab import _plot

        _plot.plot_run(run).save(args.plot)
    return EXIT_DONE


def print_run(run: Any, names: list[str], form: str) -> None:
    """One row for each column: value, unit, closed form."""
    model, theory = run.model, dict(run.theory or {})
    rows = [
        [n, float(run.metrics[n]), model.column(n).get("unit") or "", float(theory.get(n, math.nan))]
        for n in names
    ]
    if form == "table":
        rows = [_display(model, row) for row in rows]
    write_rows(form, ["column", "value", "unit", "closed_form"], rows)


def _display(model: Any, row: list[Any]) -> list[Any]:
    column = model.column(row[0])
    scale = _units.field_factor(column)
    return [row[0], row[1] * scale, _units.field_unit(column), row[3] * scale]


def _texts(model: Any, params: Any) -> dict[str, Any]:
    return {f["name"]: params[f["name"]] for f in model.fields if f["name"] in params}


def _sweep(model: Any, given: dict[str, str], args: argparse.Namespace) -> int:
    import distlab

    values = {n: _sweep_value(model, n, text) for n, text in given.items()}
    call: dict[str, Any] = {"seed": _integer("seed", args.seed), "crn": args.crn}
    for name, read in (("reps", _integer), ("threads", _integer), ("confidence", _real)):
        if getattr(args, name) is not None:
            call[name] = read(name, getattr(args, name))
    if args.progress:
        call["progress"] = True
    for name in ("executor", "checkpoint"):
        if getattr(args, name) is not None:
            call[name] = getattr(args, name)
    from distlab._html import main_columns

    names = _wanted(model, args, main_columns(model, COLUMNS_SHOWN))
    sweep = distlab.sweep(model.name, **call, **values)
    _print_sweep(sweep, names, args.format)
    if args.save:
        sweep.save(args.save)
    if args.plot:
        from distlab import _plot

        y = [n.strip() for n in args.y.split(",")] if args.y else None
        _plot.plot_sweep(sweep, x=args.x, y=y, hue=args.hue).save(args.plot)
    return EXIT_DONE


def _print_sweep(sweep: Any, names: list[str], form: str) -> None:
    """One row for each point: its coordinates, then each column with its interval."""
    dims, shape = list(sweep.dims), tuple(sweep.shape)
    stats = {n: sweep.stats(n) for n in names}
    head, bounds = list(dims), not sweep.model.exact
    for n in names:
        head += [n, f"{n}_low", f"{n}_high"] if bounds and form != "table" else [n]
    rows = []
    for i in range(math.prod(shape)):
        place = np.unravel_index(i, shape) if shape else ()
        row: list[Any] = [_item(sweep.coords[d][k]) for d, k in zip(dims, place, strict=True)]
        for n in names:
            mean, low, high = (float(stats[n][key][place]) for key in ("mean", "low", "high"))
            if form == "table":
                scale = _units.field_factor(sweep.column(n))
                row.append(_units.with_error(mean * scale, (high - low) / 2 * scale if bounds else math.nan))
            else:
                row += [mean, low, high] if bounds else [mean]
        rows.append(row)
    if form == "json":
        write_json(
            {
                "model": sweep.model.name,
                "dims": dims,
                "reps": sweep.reps,
                "confidence": sweep.confidence,
                "provenance": dict(sweep.provenance),
                "points": [dict(zip(head, r, strict=True)) for r in rows],
            }
        )
        return
    if form == "table":
        units = [_units.field_unit(sweep.column(n)) for n in names]
        note = ", ".join(f"{n} in {u}" for n, u in zip(names, units, strict=True) if u)
        level = f"{100 * sweep.confidence:g}"
        how = "exact" if sweep.model.exact else f"{sweep.reps} repetitions, ± half the {level} % interval"
        print(f"{sweep.model.name}: {how}" + (f"; {note}" if note else ""))
    write_rows(form, head, rows, right=names)


def _item(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
