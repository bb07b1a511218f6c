"""`distlab new-model family.name`: a model that runs, its test and the draft of its lesson, to be changed.

In a checkout of distlab the model becomes part of it: a C file, a line of the registry, a test, a draft.
Anywhere else it is a library of its own, with a Makefile and the few lines of Python that register it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from distlab import _core
from distlab.cli import EXIT_DONE, PROG, Mistake, Parser, _near

SKELETON = Path(__file__).resolve().parent / "skeleton"
FAMILIES = (
    "clocks", "links", "queueing", "services", "quorum", "consensus", "replication", "sharding", "caching",
    "messaging", "transactions", "batch", "observability", "check", "lab",
)  # fmt: skip
NAME = re.compile(r"([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)")
NAME_MAX = 40
REGISTRY = "csrc/app/registry.c"
ENTRY = re.compile(r"#define DLAB_MODELS\(X\).*?(?=\n\n)", re.DOTALL)
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def command(argv: list[str]) -> int:
    """Write the files and say what to do next."""
    parser = Parser(
        prog=f"{PROG} new-model",
        description="Write a model that runs, its test and the draft of a lesson. In a checkout it "
        "becomes part of it, elsewhere a library of its own.",
    )
    parser.add_argument("name", metavar="FAMILY.NAME", help="for example messaging.mailbox")
    parser.add_argument(
        "--dir", default=".", metavar="DIR", help="a checkout, or a folder (default: this one)"
    )
    args = parser.parse_args(argv)
    root = Path(args.dir)
    inside = (root / REGISTRY).is_file()
    family, leaf = checked(args.name, inside)
    files = (checkout if inside else plugin)(root, family, leaf)
    taken = [str(path) for path in files if path.exists() and path.name != "registry.c"]
    if taken:
        raise Mistake(f"{taken[0]} exists already; nothing was written")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path}")
    print(NEXT_INSIDE.format(family=family, leaf=leaf) if inside else NEXT_OUTSIDE)
    return EXIT_DONE


NEXT_INSIDE = """next: build it, let the registry walk try it, derive what is generated (docs/add_a_model.md)
  make VARIANT=asan build/c/asan/test_registry && build/c/asan/test_registry
  python setup.py -q build_ext --inplace
  python tools/generate.py
  python -m pytest -q tests/python/test_{family}_{leaf}.py"""
NEXT_OUTSIDE = """next: make && make test"""


def checked(name: str, inside: bool) -> tuple[str, str]:
    """(family, leaf) of a name that is free."""
    found = NAME.fullmatch(name)
    if found is None or len(name) > NAME_MAX:
        raise Mistake(
            f"a model is called family.name, in lower case and at most {NAME_MAX} letters, not {name!r}"
        )
    family, leaf = found.groups()
    if inside and family not in FAMILIES:
        raise Mistake(
            f"there is no family {family!r}{_near(family, FAMILIES)}; families: {', '.join(FAMILIES)}"
        )
    if name in _core.models():
        raise Mistake(f"a model {name!r} exists already")
    return family, leaf


def filled(template: str, family: str, leaf: str, imports: str = "") -> str:
    """A template with the names in their places."""
    text = (SKELETON / f"{template}.txt").read_text(encoding="utf-8")
    words = {
        "NAME": f"{family}.{leaf}",
        "FILE": f"{family}_{leaf}",
        "SYMBOL": f"dlab_{family}_{leaf}",
        "IMPORTS": imports,
    }
    return re.sub(r"@([A-Z]+)@", lambda found: words[found[1]], text)


def checkout(root: Path, family: str, leaf: str) -> dict[Path, str]:
    """Path -> text of everything that a model inside distlab needs."""
    drafts = root / "drafts" / f"{family}_{leaf}"
    registry = root / REGISTRY
    imports = "import numpy as np\nimport pytest\n\nimport distlab as dl\n"
    return {
        root / "csrc" / family / f"{leaf}.c": filled("model.c", family, leaf),
        registry: registered(registry.read_text(encoding="utf-8"), f"dlab_{family}_{leaf}"),
        root / "tests/python" / f"test_{family}_{leaf}.py": filled("test.py", family, leaf, imports),
        drafts / "lesson.ipynb": notebook(filled("lesson.py", family, leaf, "import distlab as dl\n")),
        **draft(drafts, family, leaf),
    }


def plugin(root: Path, family: str, leaf: str) -> dict[Path, str]:
    """Path -> text of a model that lives in a folder of its own."""
    name = f"{family}_{leaf}"
    loads = f"import {name}  # noqa: F401, registers the model\n"
    imports = f"import {name}  # noqa: F401, registers the model\nimport numpy as np\nimport pytest\n\n"
    return {
        root / f"{name}.c": filled("model.c", family, leaf),
        root / f"{name}.py": filled("load.py", family, leaf),
        root / "Makefile": filled("Makefile", family, leaf),
        root / f"test_{name}.py": filled("test.py", family, leaf, imports + "import distlab as dl\n"),
        root / "lesson.ipynb": notebook(
            filled("lesson.py", family, leaf, f"{loads}\nimport distlab as dl\n")
        ),
        **draft(root, family, leaf),
    }


def draft(folder: Path, family: str, leaf: str) -> dict[Path, str]:
    """What the draft of a lesson reads."""
    return {
        folder / f"{name}.toml": filled(f"{name}.toml", family, leaf) for name in ("curriculum", "glossary")
    }


def registered(text: str, symbol: str) -> str:
    """registry.c with one more line in its list, in order, the backslashes in one column."""
    found = ENTRY.search(text)
    if found is None:
        raise Mistake(f"{REGISTRY} has no list DLAB_MODELS; is this a checkout of distlab?")
    names = sorted({symbol, *re.findall(r"X\((dlab_\w+)\)", found[0])})
    lines = ["#define DLAB_MODELS(X)", *(f"    X({name})" for name in names)]
    width = max(map(len, lines[:-1])) + 1
    block = "\n".join([*(f"{line:<{width}}\\" for line in lines[:-1]), lines[-1]])
    return text[: found.start()] + block + text[found.end() :]


def notebook(text: str) -> str:
    """A script with `# %%` marks as a notebook: `# %% [markdown]`, `# %% ID`, `# %% ID hidden`."""
    cells = []
    for number, part in enumerate(re.split(r"^# %%", text, flags=re.MULTILINE)[1:]):
        mark, _, body = part.partition("\n")
        words = mark.split()
        if words == ["[markdown]"]:
            source = re.sub(r"^# ?", "", body.strip(), flags=re.MULTILINE)
            cells.append({"cell_type": "markdown", "id": f"words-{number}", "metadata": {}, "source": source})
            continue
        hidden = {"jupyter": {"source_hidden": True}, "tags": ["hide-input"]}
        cells.append(
            {
                "cell_type": "code",
                "execution_count": None,
                "id": words[0],
                "metadata": hidden if "hidden" in words else {},
                "outputs": [],
                "source": body.strip(),
            }
        )
    whole = {"cells": cells, "metadata": {"kernelspec": KERNEL}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
