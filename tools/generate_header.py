"""<distlab/models.h>: the parameter and metric structs of every model as a C program sees them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

HEAD = """\
/* The models of this build as C structs. Generated from the descriptors by tools/generate.py: do not edit.
 *
 * Every struct has the memory of the model's own: fill one with dlab_params_default, change what you like and
 * give it to a dlab_sweep. Units are SI; "off" is the number that switches a parameter off. */
#ifndef DISTLAB_MODELS_H
#define DISTLAB_MODELS_H
#include <distlab/sweep.h>

/* clang-format off */
"""
# descriptor type -> (C type, alignment); sizes are those of the dtype
MEMBERS = {
    "double": ("double", 8),
    "int": ("int64_t", 8),
    "bool": ("bool", 1),
    "choice": ("int32_t", 4),
    "flags": ("uint32_t", 4),
    "distribution": ("dlab_distribution", 8),
    "table": ("dlab_ref", 4),
    "ratio": ("dlab_ratio", 8),
    "estimate": ("dlab_estimate", 8),
    "histogram": ("dlab_histogram", 8),
}
LINE = 110


def text(models: list[dict[str, Any]]) -> str:
    """The whole header."""
    return HEAD + "".join(_model(m) for m in models) + "\n#endif\n"


def symbol(name: str) -> str:
    """queueing.station -> dlab_queueing_station."""
    return "dlab_" + name.replace(".", "_")


def _model(model: dict[str, Any]) -> str:
    name = symbol(model["name"])
    parts = [f"\n/* {model['name']}: {_comment(model['title'])} */\n"]
    parts += [_enum(name, f) for f in model["params"] if f["type"] in ("choice", "flags")]
    parts.append(_struct(f"{name}_params", model["params"], model["params_dtype"]))
    parts.append(_struct(f"{name}_metrics", model["metrics"], model["metrics_dtype"]))
    for output in model["outputs"] or ():
        parts.append(_struct(f"{name}_{output['name']}_row", output["columns"], output["dtype"]))
    for field in model["params"]:
        if field["type"] == "table" and field["table"]:
            table = field["table"]
            parts.append(_struct(f"{name}_{field['name']}_cell", table["columns"], table["dtype"]))
    parts.append(f"extern const dlab_model {name};\n")
    return "".join(parts)


def _comment(words: Any) -> str:
    return str(words).replace("*/", "* /")


def _enum(name: str, field: dict[str, Any]) -> str:
    """Choices as constants, flags as bits."""
    bits = field["type"] == "flags"
    lines, line = [], "   "
    for i, choice in enumerate(field["choices"]):
        word = "".join(c if c.isalnum() else "_" for c in f"{name}_{field['name']}_{choice}").upper()
        item = f" {word} = {f'1 << {i}' if bits else i},"
        if len(line) + len(item) > LINE:
            lines.append(line)
            line = "   "
        line += item
    return "enum {\n" + "\n".join([*lines, line]) + "\n};\n"


def _number(value: float) -> str:
    return f"{value:g}"


def _note(field: dict[str, Any]) -> str:
    """Unit, range and meaning of a member, as a comment."""
    facts = [field["unit"]] if field.get("unit") else []
    low, high = field.get("min"), field.get("max")
    ranged = field["type"] not in ("bool", "choice", "flags", "table")
    if ranged and low is not None and high is not None and not math.isnan(low + high) and low < high:
        facts.append(f"{_number(low)} .. {_number(high)}")
    if field.get("optional") and field.get("off") is not None and field["type"] in ("double", "int"):
        facts.append(f"{_number(field['off'])}: off")
    about = f"[{', '.join(facts)}] " if facts else ""
    return _comment(about + (field.get("doc") or ""))


def _wrapped(note: str) -> str:
    import textwrap

    lines = textwrap.wrap(note, LINE - 10) or [""]
    return "    /* " + "\n     * ".join(lines) + " */\n"


def _struct(name: str, fields: list[dict[str, Any]], dtype: np.dtype[Any]) -> str:
    """One struct with its members in the order of memory, and asserts that it is the model's own."""
    known = {f["name"]: f for f in fields}
    assert dtype.names is not None and dtype.fields is not None
    places = sorted((dtype.fields[n][1], n) for n in dtype.names)
    out, asserts, at, pads = [f"typedef struct {name} {{\n"], [], 0, 0
    widest = 1
    for offset, member in places:
        kind, align = MEMBERS[known[member]["type"]]
        widest = max(widest, align)
        natural = -(-at // align) * align
        if natural > offset:
            raise ValueError(f"{name}.{member} lies at {offset}, before {natural}: overlapping members")
        if natural < offset:
            out.append(f"    unsigned char padding_{pads}[{offset - at}];\n")
            pads += 1
        out += [_wrapped(_note(known[member])), f"    {kind} {member};\n"]
        asserts.append(f'_Static_assert(offsetof({name}, {member}) == {offset}, "{member}");\n')
        at = offset + dtype.fields[member][0].itemsize
    if -(-at // widest) * widest < dtype.itemsize:
        out.append(f"    unsigned char padding_{pads}[{dtype.itemsize - at}];\n")
    asserts.append(f'_Static_assert(sizeof({name}) == {dtype.itemsize}, "{name}");\n')
    return "".join([*out, f"}} {name};\n", *asserts])
