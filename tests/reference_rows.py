"""Reference results and the calls that compute them: read the rows, find the answer in reference_map.toml,
compare.

The rows lie outside the repository: in the file named by the environment variable DISTLAB_REFERENCE, else in
../shared/reference/public.jsonl beside it.
"""

import collections
import json
import math
import os
import tomllib
import warnings
from pathlib import Path

import distlab as dl

ROOT = Path(__file__).resolve().parents[1]
MAP = ROOT / "tests" / "reference_map.toml"
REPS = 30  # of a simulation; its own four standard errors are added to the row's tolerance
HELPERS = {"sum": sum, "zip": zip, "range": range, "len": len, "min": min, "max": max, "math": math}


def path():
    """The file of reference rows, or None."""
    named = os.environ.get("DISTLAB_REFERENCE")
    found = Path(named) if named else ROOT.parent / "shared" / "reference" / "public.jsonl"
    return found if found.is_file() else None


def rows():
    """All reference rows, [] where there is no file."""
    file = path()
    return [json.loads(line) for line in file.read_text().splitlines() if line.strip()] if file else []


def answers():
    """(model, quantity) -> the answers of the map, in its order."""
    found = collections.defaultdict(list)
    for answer in tomllib.loads(MAP.read_text())["answer"]:
        for model in answer["models"]:
            for quantity in answer["quantities"]:
                found[model, quantity].append(answer)
    return found


def models():
    """name -> model of this build."""
    return {model.name: model for model in dl.models()}


def answer_to(row, known):
    """The answer that this build can give to a row, or None: not yet."""
    built = models()
    for answer in known.get((row["model"], row["quantity"]), ()):
        if answer["run"] in built:
            return answer
    return None


def evaluate(text, names):
    """An expression of the map over the given names."""
    return eval(text, {"__builtins__": {}, **HELPERS, **names})  # our own file, not a user's


def compute(row, answer):
    """(value, standard error) of a row's quantity; both nested like the row's expectation."""
    arguments = dict(answer.get("set", {}))
    for name, text in answer.get("params", {}).items():
        arguments[name] = evaluate(text, row["params"])
    for name, columns in answer.get("tables", {}).items():
        cells = {column: evaluate(text, row["params"]) for column, text in columns.items()}
        arguments[name] = dl.table(cells)
    wanted = answer["quantities"][row["quantity"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dl.DistlabWarning)  # an overloaded system is the point of some rows
        if answer.get("theory"):
            value = evaluate(wanted, dl.run(answer["run"], **arguments).theory)
            return plain(value), 0.0
        if models()[answer["run"]].exact:
            run = dl.run(answer["run"], keep=True, **arguments)
            value = evaluate(wanted, dict(run.metrics) | run.tables)
            return plain(value), 0.0
        sweep = dl.sweep(answer["run"], reps=answer.get("reps", REPS), seed=1, **arguments)
    stats = sweep.stats(wanted)
    return float(stats["mean"]), float(stats["se"])


def plain(value):
    """Numbers and lists of numbers."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return [plain(v) for v in value] if isinstance(value, (list, tuple)) else float(value)


def worst_miss(row, value, expected, error):
    """Largest distance over its tolerance in two values nested alike; at most 1 is a pass."""
    if isinstance(expected, list):
        assert isinstance(value, list), f"{value} is not shaped like {expected}"
        assert len(value) == len(expected), f"{value} is not shaped like {expected}"
        return max((worst_miss(row, v, e, error) for v, e in zip(value, expected)), default=0.0)
    allowed = row.get("abs_tol") or 0.0
    if row.get("rel_tol") is not None:
        allowed = max(allowed, row["rel_tol"] * abs(expected))
    miss = abs(value - expected)
    return 0.0 if miss == 0 else miss / (allowed + 4 * error) if allowed + error > 0 else math.inf


def coverage():
    """topic -> [rows this build answers, rows not yet]."""
    known = answers()
    counts = collections.defaultdict(lambda: [0, 0])
    for row in rows():
        counts[row["topic"]][answer_to(row, known) is None] += 1
    return dict(sorted(counts.items()))
