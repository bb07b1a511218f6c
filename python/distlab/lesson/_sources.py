"""Where a lesson finds the curriculum, the glossary and the dictionary of settings."""

from __future__ import annotations

import functools
import os
import posixpath
import tomllib
from pathlib import Path
from typing import Any

from distlab.lesson import _page


def folder() -> Path:
    """The folder of notebooks: shipped inside the package, or the source tree around it."""
    package = Path(__file__).resolve().parent.parent
    tried = [package / "_notebooks", package.parent.parent / "notebooks"]
    if os.environ.get("DISTLAB_NOTEBOOKS"):
        tried.insert(0, Path(os.environ["DISTLAB_NOTEBOOKS"]))
    for place in tried:
        if (place / "curriculum.toml").is_file():
            return place
    names = " or ".join(str(place) for place in tried)
    raise FileNotFoundError(
        f"curriculum.toml is not in {names}; set DISTLAB_NOTEBOOKS to the folder that has it"
    )


@functools.lru_cache(maxsize=8)
def _read(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return tomllib.load(file)


def lessons() -> dict[str, dict[str, Any]]:
    """All lessons in their order, by id."""
    return {lesson["id"]: lesson for lesson in _read(folder() / "curriculum.toml")["lesson"]}


def lesson(name: str) -> dict[str, Any]:
    """One lesson; an unknown id names the nearest."""
    known = lessons()
    if name not in known:
        from difflib import get_close_matches

        near = get_close_matches(str(name), known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise KeyError(f"lesson {name!r} is not in curriculum.toml{hint}")
    return known[name]


def chapter(name: str) -> list[dict[str, Any]]:
    """The lessons of the chapter that this lesson belongs to."""
    prefix = name.partition(".")[0]
    return [entry for entry in lessons().values() if entry["id"].partition(".")[0] == prefix]


def term(key: str) -> dict[str, Any]:
    """One entry of the glossary."""
    known = _read(folder() / "glossary.toml")
    if key not in known:
        raise KeyError(f"term {key!r} is not in glossary.toml")
    return known[key]


def settings(name: str) -> list[dict[str, Any]]:
    """What a parameter (`queueing.station.servers`) is called in real systems; empty where nobody knows."""
    path = folder() / "settings.toml"
    found: Any = _read(path) if path.is_file() else {}
    for part in name.split("."):
        found = found.get(part, {}) if isinstance(found, dict) else {}
    return list(found) if isinstance(found, list) else []


def link(entry: dict[str, Any], start: dict[str, Any]) -> str:
    """The path from one lesson's notebook to another's; from page to page in a book."""
    path = posixpath.relpath(entry["path"], posixpath.dirname(start["path"]))
    return posixpath.splitext(path)[0] + ".html" if _page.flag("DISTLAB_BOOK") else path


def written(entry: dict[str, Any]) -> bool:
    """Does the notebook exist?"""
    return (folder() / entry["path"]).is_file()
