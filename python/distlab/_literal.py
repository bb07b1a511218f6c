"""Values as Python text that makes them again, for lines of code that are shown to be copied."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from distlab import _distribution
from distlab._distribution import Distribution
from distlab._table import BLANK, Table

LENGTH_MAX = 10_000  # of one value; nobody wants to copy more


def literal(value: Any, name: str = "") -> str:
    """A value as Python text; samples and tables too long to be copied are called by their parameter's
    name."""
    if isinstance(value, (bool, np.bool_)) or value is None:
        return repr(value if value is None else bool(value))
    if isinstance(value, (int, np.integer)):
        return repr(int(value))
    if isinstance(value, (float, np.floating)):
        text = repr(float(value))
        return text.removesuffix(".0") if math.isfinite(value) else f'float("{text}")'
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (frozenset, set)):
        return "{" + ", ".join(literal(v) for v in sorted(value)) + "}" if value else "set()"
    make = _law if isinstance(value, Distribution) else _rows if isinstance(value, Table) else None
    text = make(value) if make is not None else None
    return name if text is None else text


def _law(law: Distribution) -> str | None:
    """Its text where that is the same law again, its samples where they are few."""
    if law.samples is None:
        try:
            same = _distribution.distribution(law.text, law.unit) == law
        except (TypeError, ValueError, KeyError):  # the text of a mixture of samples is for people
            same = False
        return literal(law.text) if same and len(law.text) <= LENGTH_MAX else None
    if law.samples.size > LENGTH_MAX // 2:
        return None
    given = [f"[{', '.join(map(literal, law.samples.tolist()))}]"]
    shift = float(law.record["shift"])
    given += [f"shift={literal(shift)}"] if shift else []
    given += [f"unit={literal(law.unit)}"] if law.unit is not None else []
    text = f"dl.empirical({', '.join(given)})"
    return text if len(text) <= LENGTH_MAX else None


def _rows(table: Table) -> str | None:
    """The call of dl.table; blank cells are left out."""
    rows, length = [], 0
    for k in range(len(table)):
        cells = []
        for column, every in table.columns.items():
            if every[k] is BLANK:
                continue
            cell = literal(every[k])
            if not cell:
                return None
            cells.append(f"{literal(column)}: {cell}")
        rows.append("{" + ", ".join(cells) + "}")
        length += len(rows[-1])
        if length > LENGTH_MAX:
            return None
    label = "" if table.label is None else f", label={literal(table.label)}"
    return f"dl.table([{', '.join(rows)}]{label})"
