"""docs/reference/c_api.md: every public function of the C library, from the comments of its headers.

A header is read as items at its outermost level: comments, preprocessor lines, declarations. A comment
belongs to the declarations that follow it until the next blank line or comment; one behind a declaration on
the same line belongs to that one alone.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

HEAD = """\
<!-- Generated from the headers by tools/generate.py: do not edit. -->
# The C library

`#include <distlab/distlab.h>` brings everything below. [Plain C](../plain_c.md) is the guide;
`<distlab/models.h>` has the structs of all models and is not repeated here.

"""
LEFT_OUT = {"distlab", "models"}
ITEM = re.compile(
    r"(?P<comment>/\*.*?\*/)|(?P<macro>#(?:\\\n|[^\n])*)|(?P<blank>\n[ \t]*\n)|\s+", re.DOTALL
)
FUNCTION = re.compile(r"[^=]*?\b(dlab_\w+)\s*\(.*\)", re.DOTALL)
NO_FUNCTION = ("typedef", "enum", "struct", "extern", "_Static_assert", "__extension__ typedef", "union")


@dataclass
class Group:
    """Declarations that share a comment."""

    comment: str
    signatures: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def text(include: Path) -> str:
    """The whole page."""
    headers = [p for p in sorted(include.glob("*.h")) if p.stem not in LEFT_OUT]
    pages = [(p.stem, *read(p.read_text(encoding="utf-8"))) for p in headers]
    lines = [f"- [`distlab/{name}.h`](#distlab{name}h): {_first_sentence(story)}" for name, story, _ in pages]
    return HEAD + "\n".join(lines) + "\n" + "".join(_page(*page) for page in pages)


def read(source: str) -> tuple[str, list[Group]]:
    """The story a header begins with, and its groups of functions and macros."""
    story, groups, current, at, ended = "", [], Group(""), 0, -1
    while at < len(source):
        found = ITEM.match(source, at)
        if found is None:
            end = _statement_end(source, at)
            _add(current, source[at:end], groups)
            at = ended = end
            continue
        if found["comment"] and ended >= 0 and "\n" not in source[ended : found.start()]:
            _add_note(current, _plain(found["comment"]))
        elif found["comment"] and found["comment"].startswith("/* ---"):
            current = Group("")  # a heading inside of the file
        elif found["comment"]:
            story = story or _plain(found["comment"])
            current = Group(_plain(found["comment"])) if found.start() > 0 else Group("")
        elif found["macro"]:
            _add_macro(current, found["macro"], groups)
        elif found["blank"]:
            current = Group("")
        at = found.end()
    return story, groups


def _statement_end(source: str, at: int) -> int:
    """Behind the semicolon, or behind the body of a function."""
    depth, i = 0, at
    while i < len(source):
        if source.startswith("/*", i):
            i = source.index("*/", i) + 2
            continue
        c = source[i]
        depth += (c in "({[") - (c in ")}]")
        body = c == "}" and source[at : source.index("{", at)].rstrip().endswith(")")
        if depth == 0 and (c == ";" or body):
            return i + 1
        i += 1
    return i


def _add(group: Group, statement: str, groups: list[Group]) -> None:
    code = re.sub(r"/\*.*?\*/", "", statement, flags=re.DOTALL)
    code = " ".join(code.partition("{")[0].replace("static inline ", "").rstrip("; \n").split())
    code = re.sub(r"__attribute__\(\(.*?\)\)\)? ", "", code)
    found = FUNCTION.fullmatch(code)
    if found is None or code.startswith(NO_FUNCTION):
        return
    _put(group, code + ";", found[1], groups)


def _add_macro(group: Group, macro: str, groups: list[Group]) -> None:
    """Macros that take something and are explained; lists that take an X are not for users."""
    found = re.match(r"#define (DLAB_\w+)\(([^)]*)\)", macro)
    if found and group.comment and found[2] != "X":
        _put(group, found[0].removeprefix("#define "), found[1], groups)


def _put(group: Group, signature: str, name: str, groups: list[Group]) -> None:
    if not group.signatures:
        groups.append(group)
    group.signatures.append(signature)
    group.names.append(name)


def _add_note(group: Group, note: str) -> None:
    if group.signatures and note:
        group.signatures[-1] += f" /* {note} */"


def _plain(comment: str) -> str:
    """The text of a comment, without its stars."""
    lines = comment.removeprefix("/*").removesuffix("*/").split("\n")
    return "\n".join(
        [lines[0].strip(), *(re.sub(r"^\s*\* ?", "", line).rstrip() for line in lines[1:])]
    ).strip()


def _first_sentence(story: str) -> str:
    return _escape(re.split(r"(?<=[a-z)][.?])\s", " ".join(story.split()) + " ")[0])


def _escape(prose: str) -> str:
    """What Markdown would take for its own; names of ours as code."""
    prose = prose.replace("<", "&lt;").replace("*", "\\*")
    return re.sub(r"(?<![\w`])((?:dlab|DLAB)_\w+)", r"`\1`", prose)


def _prose(comment: str) -> str:
    """Paragraphs; lines that are indented stay as they are."""
    out: list[str] = []
    for paragraph in re.split(r"\n\s*\n", comment):
        lines = paragraph.split("\n")
        code = [line.startswith("  ") for line in lines]
        start = 0
        for i in range(1, len(lines) + 1):
            if i < len(lines) and code[i] == code[start]:
                continue
            part = lines[start:i]
            out.append(_fence(part) if code[start] else _escape(" ".join(part)))
            start = i
    return "\n\n".join(part for part in out if part.strip())


def _fence(lines: list[str]) -> str:
    return "```text\n" + textwrap.dedent("\n".join(lines)) + "\n```"


def _page(name: str, story: str, groups: list[Group]) -> str:
    parts = [f"\n## distlab/{name}.h\n\n{_prose(story)}\n"]
    for group in groups:
        names = ", ".join(f"`{n}`" for n in group.names)
        code = "\n".join("\n".join(textwrap.wrap(s, 100, subsequent_indent="    ")) for s in group.signatures)
        parts.append(f"\n### {names}\n\n```c\n{code}\n```\n")
        if group.comment:
            parts.append(f"\n{_prose(group.comment)}\n")
    return "".join(parts)
