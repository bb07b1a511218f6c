"""docs/reference/models.md: what every model takes and gives; in the book a page for each model."""

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
    return HEAD + _list(models, "#{}") + "".join("\n" + _model(m) for m in models)


def pages(models: list[dict[str, Any]]) -> dict[str, str]:
    """File name -> text: a list of all, and a page for each with a link to its source."""
    listed = "\n".join(f"models/{m['name']}" for m in models)
    out = {"models.md": f"{HEAD}{_list(models, 'models/{}.md')}\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"}
    for m in models:
        link = f"\n[Its source in C](../source/{m['name']}.md)\n"
        out[f"models/{m['name']}.md"] = (
            _model(m, 1).replace("\n### Parameters", link + "\n### Parameters", 1).replace("\n### ", "\n## ")
        )
    return out


def _list(models: list[dict[str, Any]], link: str) -> str:
    """The table of models; `link` says where one is, by its name or its anchor."""
    rows = []
    for m in models:
        place = link.format(_anchor(m["name"]) if link.startswith("#") else m["name"])
        kind = "exact" if m["exact"] else "simulation"
        rows.append([f"[`{m['name']}`]({place})", _escape(m["title"]), kind])
    return _table(["model", "what it is", "kind"], rows)


def _anchor(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum() or c in "-_")


def _escape(value: Any) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines) + "\n"


def _model(model: dict[str, Any], level: int = 2) -> str:
    parts = [f"{'#' * level} {model['name']}\n\n**{model['title'].rstrip('.')}.** {model['doc']}\n"]
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
