"""The book: `make book`, or `python tools/book FOLDER [--lessons L00.01 ...]`.

Pages of docs/, a page for each model and its source, the Python interface, and every ready lesson,
executed; with a gallery, a skill map, topics and terms made from notebooks/curriculum.toml. Nothing on a page
is fetched from a network. Executed lessons are kept in build/book-cache and run again only when they, the
package or what they read changed. DISTLAB_FAST=1 runs them in their small sizes.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import api
import contents
import shelf

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


def load(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


def docs(source: Path) -> list[str]:
    """Pages written by hand; returns their names."""
    names = []
    for path in sorted((ROOT / "docs").glob("*.md")):
        shutil.copy2(path, source / path.name)
        if path.stem != "index":
            names.append(path.stem)
    for path in (ROOT / "docs").glob("*.png"):
        shutil.copy2(path, source / path.name)
    return names


def reference(source: Path) -> list[str]:
    """A page for each model and its source, the Python interface, and what else lies in docs/reference."""
    import distlab
    from distlab import _core

    sys.path.insert(0, str(ROOT / "tools"))
    import generate_reference

    folder = source / "reference"
    (folder / "models").mkdir(parents=True)
    (folder / "source").mkdir()
    names = [name for name in sorted(_core.models()) if (ROOT / code_of(name)).is_file()]
    models = [_core.describe(name) for name in names]
    for name, text in generate_reference.pages(models).items():
        (folder / name).write_text(text, encoding="utf-8")
    for name in names:
        target = folder / "source" / Path(code_of(name)).name
        target = target.with_name(f"{name}.c")
        shutil.copy2(ROOT / code_of(name), target)
        target.with_suffix(".md").write_text(
            f"---\norphan: true\n---\n# Source of {name}\n\n`{code_of(name)}`; [what it takes and gives]"
            f"(../models/{name}.md).\n\n```{{literalinclude}} {name}.c\n:language: c\n```\n",
            encoding="utf-8",
        )
    (folder / "python.md").write_text(api.text(Path(distlab.__file__).parent), encoding="utf-8")
    others = [path for path in sorted((ROOT / "docs/reference").glob("*.md")) if path.stem != "models"]
    for path in others:
        shutil.copy2(path, folder / path.name)
    return [f"reference/{name}" for name in ("models", "python", *(path.stem for path in others))]


def code_of(name: str) -> str:
    return f"csrc/{name.replace('.', '/')}.c"


def index(source: Path, names: list[str], references: list[str]) -> None:
    """docs/index.md, and below it what only the book has."""
    path = source / "index.md"
    text = path.read_text(encoding="utf-8")
    text += (
        "\n## In this book\n\n- [Lessons](lessons/index.md) and their [gallery](gallery.md).\n"
        "- [Skill map](map.md): what needs what, and what comes next.\n"
        "- [Topics](topics.md) and [terms](terms.md).\n"
        "- [Python interface](reference/python.md) and [models](reference/models.md).\n\n"
    )
    text += contents.toctree(
        ["map", "gallery", "lessons/index", "topics", "terms"], "hidden:", "caption: Learn", "maxdepth: 1"
    )
    text += contents.toctree(names, "hidden:", "caption: Use")
    text += contents.toctree(references, "hidden:", "caption: Reference", "maxdepth: 1")
    path.write_text(text, encoding="utf-8")


def assemble(work: Path, cache: Path, wanted: list[str] | None) -> int:
    """Write the source of the book; returns how many lessons were executed."""
    import distlab

    source = work / "source"
    shutil.rmtree(source, ignore_errors=True)
    static = source / "_static"
    (static / "gallery").mkdir(parents=True)
    for name in ("book.css", "map.js"):
        shutil.copy2(HERE / name, static / name)
    shutil.copy2(HERE / "conf.py", source / "conf.py")
    index(source, docs(source), reference(source))
    curriculum, glossary = load("notebooks/curriculum.toml"), load("notebooks/glossary.toml")
    home = work / "notebooks"
    entries = shelf.gather(ROOT / "notebooks", home, wanted, curriculum)
    kept = shelf.Shelf(cache, home, curriculum, Path(distlab.__file__).resolve().parent)
    executed = kept.fill(entries)
    for entry in entries:
        target = source / f"{contents.page_of(entry)}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(kept.place(entry), target)
        (static / "gallery" / f"{entry['id']}.png").write_bytes(shelf.slide(kept.place(entry)))
    book = contents.Book(curriculum, entries)
    (source / "lessons").mkdir(exist_ok=True)
    for name, text in {
        "lessons/index.md": book.lessons(),
        "gallery.md": book.gallery(),
        "map.md": book.map(),
        "topics.md": book.topics(load("docs/topics.toml")),
        "terms.md": book.terms(glossary),
    }.items():
        (source / name).write_text(text, encoding="utf-8")
    return executed


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the book.")
    parser.add_argument("folder", type=Path, help="where the pages go")
    parser.add_argument("--lessons", nargs="*", metavar="ID", help="only these lessons")
    parser.add_argument("--cache", type=Path, help="executed lessons (default: FOLDER-cache)")
    args = parser.parse_args()
    folder = args.folder.resolve()
    work = folder.with_name(folder.name + "-work")
    cache = (args.cache or folder.with_name(folder.name + "-cache")).resolve()
    executed = assemble(work, cache, args.lessons)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-j", "2"]
    command += ["-d", work / "doctrees", work / "source", folder]
    done = subprocess.run([str(word) for word in command], check=False)
    if done.returncode == 0:
        print(f"{executed} lessons executed; open {folder / 'index.html'}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
