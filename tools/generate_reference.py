"""docs/reference/models.md: what every model takes and gives."""

from __future__ import annotations

import math
from typing import Any

from distlab import _units

HEAD = """\
<!-- Generated from the descriptors by tools/generate.py: do not edit. -->
# The models

Values are shown in display units; everything you pass and get is in SI units, or text with a unit such as
`"10ms"`. `off` is written `None`.

"""


def text(models: list[dict[str, Any]]) -> str:
    """The whole page."""
    rows = [
        [
            f"[`{m['name']}`](#{_anchor(m['name'])})",
            _escape(m["title"]),
            "exact" if m["exact"] else "simulation",
        ]
        for m in models
    ]
    return HEAD + _table(["model", "what it is", "kind"], rows) + "".join(_model(m) for m in models)


def _anchor(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum() or c in "-_")


def _escape(value: Any) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines) + "\n"


def _model(model: dict[str, Any]) -> str:
    parts = [f"\n## {model['name']}\n\n**{model['title'].rstrip('.')}.** {model['doc']}\n"]
    if model["source"]:
        parts.append(f"\nSource: {model['source']}\n")
    parts.append(
        "\n### Parameters\n\n"
        + _table(
            ["name", "type", "unit", "default", "accepts", "typical", "meaning"],
            [_parameter(f) for f in model["params"]],
        )
    )
    for field in model["params"]:
        if field["type"] == "table" and field["table"]:
            parts.append(
                f"\nColumns of the table `{field['name']}`:\n\n" + _columns(field["table"]["columns"])
            )
    closed = set(model["theory_columns"])
    rows = [
        [f"`{c['name']}`", _units.field_unit(c), "yes" if c["name"] in closed else "", _escape(c["doc"])]
        for c in model["columns"]
    ]
    parts.append("\n### Columns\n\n" + _table(["name", "unit", "closed form", "meaning"], rows))
    for output in model["outputs"] or ():
        kind = "a series over time" if output["series"] else "a table"
        parts.append(
            f'\n### Output `{output["name"]}`\n\n{output["doc"]} ({kind}; `keep="{output["name"]}"`)\n\n'
            + _columns(output["columns"])
        )
    bugs = [b for b in model["bugs"] or () if b["name"] != "none"]
    if bugs:
        rows = [[f"`{b['name']}`", _escape(b["doc"]), f"`{b['violation']}`", f"`{b['scope']}`"] for b in bugs]
        parts.append(
            "\n### Planted bugs\n\n" + _table(["`bug=`", "what is wrong", "shows as", "where"], rows)
        )
    return "".join(parts)


def _columns(columns: list[dict[str, Any]]) -> str:
    rows = [[f"`{c['name']}`", c["type"], _units.field_unit(c), _escape(c["doc"])] for c in columns]
    return _table(["column", "type", "unit", "meaning"], rows)


def _parameter(field: dict[str, Any]) -> list[str]:
    return [
        f"`{field['name']}`",
        field["type"],
        _units.field_unit(field),
        _escape(_units.value_text(field["default"], field, unit=False)),
        _accepts(field),
        _typical(field),
        _escape(field["doc"]),
    ]


def _span(field: dict[str, Any], low: Any, high: Any) -> str:
    if low is None or high is None or math.isnan(low) or math.isnan(high) or low >= high:
        return ""
    scale = _units.field_factor(field)
    return f"{_units.number(low * scale)} to {_units.number(high * scale)}"


def _accepts(field: dict[str, Any]) -> str:
    kind = field["type"]
    if kind in ("choice", "flags"):
        words = ", ".join(f"`{c}`" for c in field["choices"])
    elif kind == "bool":
        words = "true, false"
    elif kind == "table":
        words = "a table"
    else:
        words = _span(field, field["min"], field["max"])
        if kind == "distribution":
            words = f"mean {words}" if words else "a distribution"
    return f"{words}, off" if field["optional"] and kind != "table" else words


def _typical(field: dict[str, Any]) -> str:
    if field["type"] not in ("double", "int"):
        return ""
    return _span(field, field["low"], field["high"])
