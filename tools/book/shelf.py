"""Executed lessons: each in a kernel of its own, two at a time, and only if what it depends on changed."""

from __future__ import annotations

import base64
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

TIMEOUT = 300  # seconds for one cell
TOGETHER = 2
SLIDE = re.compile(r'download="[^"]+\.png" href="data:image/png;base64,([^"]+)"')


def package_hash(package: Path) -> str:
    """Of all that a lesson calls: the core and the Python around it, but for the command line."""
    total = hashlib.sha256()
    for path in sorted([*package.rglob("*.py"), *package.glob("_core.*so"), *package.glob("*.js")]):
        if "cli" not in path.stem and path.parent.name != "skeleton":
            total.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def neighbours(entry: dict[str, Any], lessons: list[dict[str, Any]]) -> list[str]:
    """The lessons a page may link to: what it needs, what it leads to, the one before and the one after."""
    ids = [lesson["id"] for lesson in lessons]
    at = ids.index(entry["id"])
    return [*entry["needs"], *entry["leads_to"], *ids[max(at - 1, 0) : at], *ids[at + 1 : at + 2]]


class Shelf:
    """Executed notebooks by the hash of everything that went into them."""

    def __init__(self, folder: Path, home: Path, curriculum: dict[str, Any], package: Path) -> None:
        self.folder, self.home, self.package = folder, home, package
        self.lessons, self.of_package = curriculum["lesson"], package_hash(package)
        self.titles = {lesson["id"]: lesson["title"] for lesson in self.lessons}
        self.shared = b"".join((home / name).read_bytes() for name in ("glossary.toml", "settings.toml"))

    def key(self, entry: dict[str, Any]) -> str:
        links = [(name, self.titles[name], self._written(name)) for name in neighbours(entry, self.lessons)]
        fast = os.environ.get("DISTLAB_FAST", "")
        facts = json.dumps([entry, links, fast, self.of_package, sys.version], sort_keys=True)
        source = (self.home / entry["path"]).read_bytes()
        return hashlib.sha256(source + b"\0" + self.shared + facts.encode()).hexdigest()[:32]

    def _written(self, name: str) -> bool:
        return any(e["id"] == name and (self.home / e["path"]).is_file() for e in self.lessons)

    def place(self, entry: dict[str, Any]) -> Path:
        return self.folder / f"{entry['id']}-{self.key(entry)}.ipynb"

    def fill(self, entries: list[dict[str, Any]]) -> int:
        """Execute what is not there; returns how many that were."""
        self.folder.mkdir(parents=True, exist_ok=True)
        jobs = [(e["id"], self.home / e["path"], self.place(e)) for e in entries]
        jobs = [job for job in jobs if not job[2].is_file()]
        if not jobs:
            return 0
        environment = {
            "DISTLAB_BOOK": "1",
            "DISTLAB_NOTEBOOKS": str(self.home),
            "DISTLAB_PREDICTIONS": "off",
            "PYTHONPATH": str(self.package.parent),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        with concurrent.futures.ProcessPoolExecutor(TOGETHER) as pool:
            for name in pool.map(execute, jobs, [environment] * len(jobs)):
                print(f"  executed {name}", flush=True)
        return len(jobs)


def execute(job: tuple[str, Path, Path], environment: dict[str, str]) -> str:
    """Run one notebook and store it with its outputs; cells that only hold prose lose their source."""
    import nbformat
    from nbclient import NotebookClient

    name, source, place = job
    node = nbformat.read(source, as_version=4)
    client = NotebookClient(
        node, timeout=TIMEOUT, kernel_name="python3", resources={"metadata": {"path": str(source.parent)}}
    )
    client.execute(env=os.environ | environment)
    for cell in node.cells:
        tags = cell.metadata.get("tags", [])
        if "hide-input" in tags:
            cell.metadata["tags"] = [*tags, "remove-input"]
    for old in place.parent.glob(f"{name}-*.ipynb"):
        old.unlink()
    part = place.with_suffix(".part")
    nbformat.write(node, part)
    part.replace(place)
    return name


def slide(path: Path) -> bytes:
    """The picture of an executed lesson: the slide that its last step offers."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for cell in reversed(cells):
        for output in cell.get("outputs", []):
            found = SLIDE.search("".join(output.get("data", {}).get("text/html", "")))
            if found:
                return base64.b64decode(found[1])
    raise ValueError(f"{path.name} ends without a slide: does its last cell call lesson.next?")


def gather(
    source: Path, home: Path, names: list[str] | None, curriculum: dict[str, Any]
) -> list[dict[str, Any]]:
    """Copy the chosen ready lessons with what they read to a folder of their own; returns their entries."""
    ready = [
        e for e in curriculum["lesson"] if e["status"] == "ready" and (names is None or e["id"] in names)
    ]
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    for name in ("curriculum.toml", "glossary.toml", "settings.toml"):
        shutil.copy2(source / name, home / name)
    for entry in ready:
        place = home / entry["path"]
        place.parent.mkdir(exist_ok=True)
        shutil.copy2(source / entry["path"], place)
    return ready
