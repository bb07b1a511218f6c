"""From what a user writes to rows of a model's C struct, and back.

A value is a number (SI), text with a unit, None (off), a choice by name, a set of flags, a distribution, a
table. Types are judged here; ranges and rules across fields are judged by the core, once, for every caller.

``DISTLAB_MUTANT=model:bug`` in the environment sets the parameter ``bug`` of that model wherever the call
does not give it: a lesson's check must then fail. The provenance of every such result says so.
"""

import os

import numpy as np

from . import _core, _distribution
from ._common import is_nan, naming, short, unknown
from ._distribution import Distribution
from ._model import accepted
from ._table import BLANK, Table, check_columns, table_of_text

INT_BLANK = -(2**63)
_NUMBERS = (int, float, np.integer, np.floating)


class Pool:
    """The read-only tables of one call; records in rows refer to them by position."""

    def __init__(self, arrays=()):
        self.arrays = list(arrays)
        self._seen = {}

    def add(self, rows):
        """Put rows there; returns their position."""
        self.arrays.append(np.ascontiguousarray(rows))
        return len(self.arrays) - 1

    def record(self, value):
        """The record of a Distribution (None: off) with its references moved to this pool."""
        record = (
            _distribution.own(value.record) if value is not None else np.zeros((), _core.DISTRIBUTION_DTYPE)
        )
        if value is None:
            record["kind"] = -1
        elif value.samples is not None or value.parts is not None:
            key = value.key()
            if key not in self._seen:
                self._seen[key] = self._move(value)
            record["table"], record["first"] = self._seen[key], 0
        return record

    def _move(self, value):
        if value.samples is not None:
            return self.add(value.samples)
        rows = value.parts.copy()
        for part in rows:
            if part["distribution"]["kind"] == _distribution._EMPIRICAL:
                inner = _distribution.from_row(part["distribution"], value._pool)
                part["distribution"]["table"] = self.add(inner.samples)
                part["distribution"]["first"] = 0
        return self.add(rows)

    def reference(self, model, field, value):
        """The dlab_ref of a Table (None: no rows)."""
        if value is None:
            return (0, 0, 0)
        key = (field["name"], id(value.columns))
        if key not in self._seen:
            self._seen[key] = (self.add(table_rows(model, field, value, self)), value)
        return (self._seen[key][0], 0, len(value))


def is_axis(value):
    """Is this several values: a list, tuple, range, array, Series or labelled dict?"""
    if isinstance(value, (list, tuple, range, dict)):
        return True
    if isinstance(value, (str, bytes, set, frozenset, Distribution, Table)) or value is None:
        return False
    return getattr(value, "ndim", 0) > 0


def _wrong(field, value, hint=""):
    if not hint and is_axis(value):
        hint = (
            ": several values are an axis of dl.sweep, samples go through dl.empirical, rows through dl.table"
        )
    return TypeError(f"{field['name']} takes {accepted(field)}; not {short(value)}{hint}")


def convert(model, field, value):
    """One value as stored: a number, a choice's index, a flags word, a Distribution, a Table or None."""
    with naming(field["name"]):
        return _convert(model, field, value)


def _convert(model, field, value):
    if getattr(value, "ndim", None) == 0 and not isinstance(value, Distribution):
        value = value.item() if hasattr(value, "item") else value
    kind = field["type"]
    if value is None:
        return _none(field)
    if isinstance(value, str):
        return _from_text(model, field, value)
    if kind in ("double", "int"):
        return _number(field, value)
    if kind == "bool":
        if not isinstance(value, (bool, np.bool_)):
            raise _wrong(field, value)
        return bool(value)
    if kind == "flags" and isinstance(value, (set, frozenset, list, tuple)):
        return _flags(field, value)
    if kind == "distribution":
        return _as_distribution(field, value)
    if kind == "table" and isinstance(value, Table):
        return _known_columns(model, field, value)
    raise _wrong(field, value)


def _none(field):
    if field["type"] == "table" or (field["type"] == "distribution" and field["optional"]):
        return None
    if not field["optional"]:
        raise ValueError(f"{field['name']} cannot be off (None); it takes {accepted(field)}")
    return _stored_off(field)


def _stored_off(field):
    return int(field["off"]) if field["type"] != "double" else float(field["off"])


def _number(field, value):
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, _NUMBERS):
        raise _wrong(field, value)
    if field["type"] == "int":
        fraction = isinstance(value, (float, np.floating))
        if fraction and (not np.isfinite(value) or value != int(value)):
            none = "; write None for no limit" if field["optional"] and value == float("inf") else ""
            raise ValueError(f"{field['name']} takes {accepted(field)}; not {short(value)}{none}")
        value = int(value)
        if not -(2**63) < value < 2**63:
            raise ValueError(f"{field['name']} = {short(value)}: it takes {accepted(field)}")
        return value
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{field['name']} = {short(value)}: it takes {accepted(field)}") from None


def _flags(field, names):
    word = 0
    for name in names:
        if not isinstance(name, str):
            raise _wrong(field, names, f": {short(name)} is not a name")
        if name not in field["choices"]:
            raise unknown(f"{field['name']}:", name, field["choices"])
        word |= 1 << field["choices"].index(name)
    return word


def _as_distribution(field, value):
    if isinstance(value, _NUMBERS) and not isinstance(value, (bool, np.bool_)):
        return _distribution.constant(
            value, unit=field["unit"] if field["unit"] in _distribution._UNITS else None
        )
    if not isinstance(value, Distribution):
        raise _wrong(field, value)
    if value.unit is not None and value.unit != field["unit"]:
        raise ValueError(f"{field['name']} takes {accepted(field)}; {short(value)} is in {value.unit}")
    return value


def _from_text(model, field, text):
    if "\0" in text or len(text) > 100_000:
        raise ValueError(f"{field['name']} cannot be read from {short(text)}")
    if field["type"] == "distribution" and len(text) > _distribution.TEXT_MAX:
        raise ValueError(
            f"{field['name']}: a distribution's text is longer than {_distribution.TEXT_MAX} characters"
        )
    if field["type"] == "table":
        return _table_from_text(model, field, text)
    record, parts = _core.parse(model.name, field["name"], text)
    if field["type"] == "distribution":
        if record["kind"] < 0:
            return None
        return Distribution(record, () if parts is None else (parts,), text.strip(), field["unit"])
    return record.item()


def _table_from_text(model, field, text):
    if text.strip() in ("", "none", "None"):
        return None
    try:
        made = table_of_text(text)
    except ValueError as error:
        first = field["table"]["columns"][0]["name"]
        form = f'"{first}=1, ...; {first}=2, ...", in a shell also JSON, or none'
        raise ValueError(f"{field['name']}={short(text)}: {error}; rows are {form}") from None
    return _known_columns(model, field, made)


def _known_columns(model, field, made):
    known = [column["name"] for column in field["table"]["columns"]]
    check_columns(f"{model.name}: {field['name']}", made.columns, known)
    return made


def column(model, field, values, pool):
    """Values of one parameter along an axis: (array of the field's dtype, labels for the coordinate)."""
    dtype = model.params_dtype.fields[field["name"]][0]
    array = np.asarray(values) if isinstance(values, (np.ndarray, range)) else None
    if array is not None and array.dtype.kind in "fiu" and field["type"] in ("double", "int"):
        return _fast_column(field, array, dtype)
    stored = [convert(model, field, value) for value in values]
    out = np.zeros(len(stored), dtype)
    for k, value in enumerate(stored):
        out[k] = _cell(model, field, value, pool)
    return out, _labels(field, values, stored)


def _fast_column(field, array, dtype):
    if field["type"] == "int":
        bad = (array != np.floor(array)) | ~np.isfinite(array) | (np.abs(array.astype(np.float64)) >= 2.0**63)
        if bad.any():
            _number(field, array[bad.argmax()].item())
            raise ValueError(f"{field['name']} = {array[bad.argmax()]}: it takes {accepted(field)}")
    out = array.astype(dtype)
    return out, out


def _cell(model, field, value, pool):
    if field["type"] == "distribution":
        return pool.record(value)
    if field["type"] == "table":
        return pool.reference(model, field, value)
    return value


def _labels(field, values, stored):
    """The coordinate: numbers where all are numbers, else text."""
    kind = field["type"]
    if kind in ("double", "int") and not any(
        v is None or s == field["off"] for v, s in zip(values, stored, strict=True)
    ):
        return np.array(stored, np.int64 if kind == "int" else np.float64)
    if kind == "bool":
        return np.array(stored, bool)
    if kind == "distribution" and all(isinstance(v, _NUMBERS) for v in values):
        return np.array(values, np.float64)
    return np.array([label(field, v, s, k) for k, (v, s) in enumerate(zip(values, stored, strict=True))], str)


def label(field, value, stored, position):
    """Text for one value on an axis."""
    if isinstance(stored, Table):
        return stored.label or f"table {position}"
    if stored is None or (field["optional"] and isinstance(stored, (int, float)) and stored == field["off"]):
        return "off"
    if field["type"] == "choice":
        return field["choices"][stored]
    if field["type"] == "flags":
        return "|".join(flag_names(field, stored)) or "none"
    return str(value).strip() if isinstance(value, str) else str(stored)


def flag_names(field, word):
    """The names in a flags word."""
    return [name for bit, name in enumerate(field["choices"]) if int(word) >> bit & 1]


def put(model, rows, field, value, pool):
    """Store one converted value into a field of all rows."""
    rows[field["name"]] = _cell(model, field, value, pool)


def base_row(model, pool):
    """One row (shape ()) of defaults; default mixtures go to the pool."""
    row = np.array(_core.defaults(model.name))
    for field in model.fields:
        if field["type"] == "distribution" and field["default"] is not None:
            record = row[field["name"]]
            if record["kind"] in (_distribution._MIXTURE, _distribution._EMPIRICAL):
                put(model, row, field, _from_text(model, field, field["default"]), pool)
    return row


def decode(model, field, row, pool):
    """One field of one row as Python writes it: number, bool, name, frozenset, Distribution, Table rows or
    None."""
    value, kind = row[field["name"]], field["type"]
    if kind == "distribution":
        return _distribution.from_row(value, pool)
    if kind == "table":
        first, count = int(value["first"]), int(value["count"])
        return pool[int(value["table"])][first : first + count] if count else None
    if field["optional"] and (
        value == field["off"] or (kind == "double" and is_nan(value) and is_nan(field["off"]))
    ):
        return None
    if kind == "choice":
        return field["choices"][int(value)]
    if kind == "flags":
        return frozenset(flag_names(field, value))
    return value.item()


def written(model, field, row, pool):
    """One field of one row as canonical text: distributions and tables by their content."""
    value = decode(model, field, row, pool)
    if isinstance(value, np.ndarray):
        return repr(value.tolist())
    if isinstance(value, Distribution):
        return f"{value.kind} {value.key()[1:]!r}"
    return repr(sorted(value)) if isinstance(value, frozenset) else repr(value)


def table_rows(model, field, value, pool):
    """The rows of a Table as C sees them; blank cells by type."""
    about = field["table"]
    rows = np.zeros(len(value), about["dtype"])
    for spec in about["columns"]:
        cells = value.columns.get(spec["name"])
        owner = dict(spec, name=f"{field['name']}: {spec['name']}")
        blank = _blank(model, spec, pool)
        if cells is None:
            rows[spec["name"]] = blank
            continue
        for k, cell in enumerate(cells):
            nan = isinstance(cell, float) and is_nan(cell)
            if nan and not (spec["optional"] or spec["name"] in model.fields):
                raise ValueError(
                    f"{owner['name']}, row {k}: nan is no value, and no parameter of the same name stands in"
                )
            empty = cell is BLANK or nan or (cell is None and not spec["optional"])
            with naming(owner["name"]):
                rows[spec["name"]][k] = (
                    blank if empty else _cell(model, owner, read_cell(model, owner, cell), pool)
                )
    return rows


def _blank(model, spec, pool):
    """What a cell that says nothing holds: the column's default, else the mark that C knows as blank."""
    kind = spec["type"]
    if spec["default"] is not None and kind not in ("flags", "table"):
        return _cell(model, spec, read_cell(model, spec, spec["default"]), pool)
    if spec["optional"] and spec["name"] not in model.fields:
        return _cell(model, spec, _none(spec), pool)
    if kind == "distribution":
        return pool.record(None)
    return {"double": np.nan, "int": INT_BLANK, "choice": -1}.get(kind, 0)


def read_cell(model, spec, cell):
    """One cell as stored; text is read here because the core parses parameters only."""
    kind = spec["type"]
    if not isinstance(cell, str):
        return convert(model, spec, cell)
    text = cell.strip()
    if kind == "choice":
        if text not in spec["choices"]:
            raise unknown(f"{spec['name']}:", text, spec["choices"])
        return spec["choices"].index(text)
    if text in ("none", "off") and spec["optional"]:
        return _none(spec)
    if kind in ("double", "int"):
        return _number(spec, _core.quantity(text, spec["unit"]))
    if kind == "distribution":
        record, parts = _core.parse_distribution(text, spec["unit"])
        return Distribution(record, () if parts is None else (parts,), text, spec["unit"])
    if kind == "flags":
        return _flags(spec, [name.strip() for name in text.split("|") if name.strip()])
    if kind == "bool" and text in ("true", "false"):
        return text == "true"
    raise _wrong(spec, text)


def mutant(model):
    """The bug that DISTLAB_MUTANT plants in this model, or None."""
    asked = os.environ.get("DISTLAB_MUTANT")
    if not asked:
        return None
    from ._model import find

    name, colon, bug = asked.partition(":")
    if not colon:
        raise ValueError(f"DISTLAB_MUTANT = {asked!r} must be model:bug, such as queueing.station:NAME")
    if name not in _core.models():
        raise unknown("DISTLAB_MUTANT: model", name, _core.models())
    known = [row["name"] for row in find(name).bugs]
    if bug not in known:
        raise unknown(f"DISTLAB_MUTANT: bug of {name}", bug, known)
    return bug if name == model.name else None


def plant(model, rows, bug):
    """Set the parameter `bug` of every row."""
    rows["bug"] = model.field("bug")["choices"].index(bug)
