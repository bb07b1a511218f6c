"""A run as one line: ``distlab replay queueing.station arrival_rate=90 seed=7 rep=3``, pasted into a shell to
make the run again.

Parameters at their defaults are left out. A value is written as people write it wherever that text is
read back exactly; tables, and distributions that have no exact text, are compact JSON: a list of rows,
or an object with kind, p, shift and samples or parts.
"""

import json
import shlex

import numpy as np

from . import _core, _design, _distribution, _params
from ._choices import Choices
from ._common import SEED_MAX, integer, short, unknown
from ._distribution import Distribution
from ._model import find
from ._table import table

TEXT_MAX = 100_000
HEAD = ("distlab", "replay")
WORDS = ("seed", "rep", "point", "crn", "key", "choices", "budget")


def recipe(model, row, pool, key, seed, at, choices=None, steps=0):
    """The line of a run: row and pool of its parameters, key, seed, (point, rep), Choices that decide, and
    the budget in steps (0: none)."""
    words = [*HEAD, model.name]
    own = _params.Pool()
    base = _params.base_row(model, own)
    for field in model.fields:
        if _params.written(model, field, row, pool) != _params.written(model, field, base, own.arrays):
            words.append(f"{field['name']}={_value_text(model, field, row, pool)}")
    words += _place(seed, at, int(key))
    if choices is not None:
        words.append(f"choices={choices}")
    if steps:
        words.append(f"budget={steps}")
    text = shlex.join(words)
    if len(text) > TEXT_MAX:
        raise ValueError(
            f"{model.name}: the recipe would be longer than {TEXT_MAX} characters: save the result to a "
            "file, `distlab replay FILE` runs its rows again"
        )
    return text


def maybe(*args, **more):
    """The recipe, or nothing where it would be too long."""
    try:
        return recipe(*args, **more)
    except ValueError:
        return None


def _place(seed, at, key):
    """The shortest words that give this key."""
    point, rep = at
    if int(_core.row_keys(seed, 1, 1, True, 0, rep).flat[0]) == key:
        return [f"seed={seed}", f"rep={rep}"]
    if int(_core.row_keys(seed, 1, 1, False, point, rep).flat[0]) == key:
        return [f"seed={seed}", f"rep={rep}", f"point={point}", "crn=false"]
    return [f"seed={seed}", f"rep={rep}", f"key={key:x}"]  # a part of a sweep: its points are counted anew


# Values as text


def _value_text(model, field, row, pool):
    kind = field["type"]
    exact = _exact(field, row, pool)
    if kind == "table":
        return _compact(exact)
    tries = [lambda: _core.format(model.name, field["name"], row, pool)]
    if kind in ("double", "int") and _params.decode(model, field, row, pool) is not None:
        tries.insert(0, lambda: repr(row[field["name"]].item()).removesuffix(".0"))
    for attempt in tries:
        try:
            text = attempt()
            if "\n" not in text and _exact(field, *_read_back(model, field, text)) == exact:
                return text
        except (TypeError, ValueError):
            continue
    return _compact(exact)


def _read_back(model, field, text):
    """A row that has this text in one field, and its pool."""
    pool = _params.Pool()
    row = np.array(_core.defaults(model.name))
    _params.put(model, row, field, _params.convert(model, field, text), pool)
    return row, pool.arrays


def _compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _exact(field, row, pool):
    """One field as plain values, exactly: what two equal runs share."""
    if field["type"] == "distribution":
        return _law(row[field["name"]], pool)
    if field["type"] != "table":
        value = row[field["name"]].item()
        return repr(value) if isinstance(value, float) else value
    ref = row[field["name"]]
    first, count = int(ref["first"]), int(ref["count"])
    rows = pool[int(ref["table"])][first : first + count] if count else []
    return [_cells(field["table"]["columns"], line, pool) for line in rows]


def _cells(columns, line, pool):
    """A row of a table as a dict; blank cells are left out."""
    out = {}
    for spec in columns:
        name, kind, value = spec["name"], spec["type"], line[spec["name"]]
        if kind == "distribution":
            law = _law(value, pool)
            if law is not None:
                out[name] = law
        elif kind == "choice":
            if value >= 0:
                out[name] = spec["choices"][int(value)]
        elif kind == "flags":
            out[name] = "|".join(_params.flag_names(spec, value))
        elif not (kind == "int" and value == _params.INT_BLANK or kind == "double" and np.isnan(value)):
            off = spec["optional"] and value == spec["off"]
            out[name] = None if off else value.item()
    return out


def _law(record, pool):
    """A distribution as plain values; None: off or blank."""
    if record["kind"] < 0:
        return None
    made = _distribution.from_row(record, pool)
    out, p = {"kind": made.kind}, np.trim_zeros(made.record["p"], "b").tolist()
    if p:
        out["p"] = p
    if made.record["shift"]:
        out["shift"] = float(made.record["shift"])
    if made.samples is not None:
        out["samples"] = made.samples.tolist()
    elif made.parts is not None:
        out["parts"] = [
            {"weight": float(part["weight"]), **_law(part["distribution"], made._pool)} for part in made.parts
        ]
    return out


# Texts as values


def _law_from(name, value, unit):
    """The Distribution that `_law` wrote."""
    known = _core.DISTRIBUTION_NAMES
    if not isinstance(value, dict) or value.get("kind") not in known:
        raise ValueError(f"{name}: {short(value)} is no distribution: its kind is one of {', '.join(known)}")
    record = np.zeros((), _core.DISTRIBUTION_DTYPE)
    try:
        p = np.array(value.get("p", []), np.float64)
        record["kind"], record["shift"] = known.index(value["kind"]), float(value.get("shift", 0))
        record["p"][: p.size] = p
        if "samples" in value:
            samples = np.sort(np.array(value["samples"], np.float64).reshape(-1))
            record["count"] = samples.size
            return Distribution(record, (samples,), unit=unit)
        if "parts" in value:
            rows, tables = np.zeros(len(value["parts"]), _core.PART_DTYPE), []
            for line, part in zip(rows, value["parts"], strict=True):
                inner = _law_from(name, part, unit)
                line["weight"], line["distribution"] = float(part["weight"]), inner.record
                if inner.samples is not None:
                    tables.append(inner.samples)
                    line["distribution"]["table"] = len(tables)
            record["count"] = len(rows)
            return Distribution(record, (rows, *tables), unit=unit)
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(f"{name}: {short(value)} is no distribution: {error}") from None
    return Distribution(record, unit=unit)


def value_of(model, name, text):
    """The value of one word of a recipe: text, but for what is JSON (rows of tables, exact distributions)."""
    field = model.field(name)
    if field["type"] not in ("table", "distribution") or text[:1] not in ("[", "{"):
        return text
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{name}={short(text)} is no JSON: {error}") from None
    if field["type"] == "distribution":
        return _law_from(name, value, field["unit"])
    if not isinstance(value, list) or not all(isinstance(line, dict) for line in value):
        raise ValueError(f'{name}={short(text)} must be a list of rows such as [{{"column":1}}]')
    units = {c["name"]: c["unit"] for c in field["table"]["columns"]}
    rows = [
        {k: _law_from(f"{name}: {k}", v, units.get(k)) if isinstance(v, dict) else v for k, v in line.items()}
        for line in value
    ]
    return table(rows) if rows else None


def words_of(recipe):
    """The words of a recipe without its head: (model name, {name: text})."""
    words = shlex.split(recipe) if isinstance(recipe, str) else list(recipe)
    while words and words[0] in ("python", "python3", "-m", *HEAD):
        words.pop(0)
    if not words:
        raise ValueError("a recipe names a model, for example: distlab replay queueing.station seed=7 rep=3")
    given = {}
    for word in words[1:]:
        name, equals, text = word.partition("=")
        if not equals:
            raise ValueError(f"recipe: {short(word)} is not name=value")
        if name in given:
            raise ValueError(f"recipe: {name} is given twice")
        given[name] = text
    return words[0], given


def run_recipe(recipe, **more):
    """Make the run of a recipe (text, or its words) again; more: keep, trace, token."""
    from ._run import check_warnings, run_row

    name, given = words_of(recipe)
    model = find(name)
    how = {word: given.pop(word) for word in WORDS if word in given and word not in model.fields}
    for word in given:
        if word not in model.fields:
            raise unknown(f"recipe: {model.name}: parameter", word, [*model.fields.names, *WORDS])
    plan = _design.plan(model, (), {word: value_of(model, word, text) for word, text in given.items()})
    row = plan.rows.reshape(())
    check_warnings(model, row.reshape(1), plan.pool)
    place = (("seed", "1"), ("rep", "0"), ("point", "0"))
    seed, rep, point = (_whole(word, how.get(word, default)) for word, default in place)
    shared = how.get("crn", "true")
    if shared not in ("true", "false"):
        raise ValueError(f"recipe: crn is true or false, not {short(shared)}")
    key = int(_core.row_keys(seed, 1, 1, shared == "true", point, rep).flat[0])
    key = _whole("key", how["key"], 16) if "key" in how else key
    decide = {"choices": Choices(how["choices"]) if "choices" in how else None, "record": False}
    budget = {"steps": _whole("budget", how["budget"])} if "budget" in how else None
    options = {"keep": None, "trace": False, "token": None} | more
    return run_row(
        model, row, plan.pool, key, seed, budget=budget, mutant=plan.mutant, at=(point, rep), decide=decide,
        **options,
    )  # fmt: skip


def _whole(name, text, base=10):
    try:
        number = int(text, base)
    except ValueError:
        kind = "an integer" if base == 10 else "a hexadecimal number"
        raise ValueError(f"recipe: {name} = {short(text)} must be {kind} from 0 to {SEED_MAX}") from None
    return integer(f"recipe: {name}", number, 0, SEED_MAX)
