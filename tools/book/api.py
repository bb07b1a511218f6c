"""The page of the Python interface, read from the stub and the sources: nothing is imported."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import NamedTuple

ORDER = (
    "Running",
    "Results",
    "Values",
    "Distributions",
    "Networks and faults",
    "Histories and checks",
    "Errors",
    "Everything else",
)
GROUPS = {
    "Running": ("run", "sweep", "estimate", "solve", "compare", "enumerate", "explore", "load"),
    "Results": ("Run", "Sweep", "Comparison", "Solution", "Enumeration", "Trace", "Choices",
                "Explorer"),
    "Values": ("models", "Model", "Catalogue", "axis", "Axis", "table", "Table", "register", "Token"),
    "Networks and faults": ("topology", "fault", "faults"),
    "Histories and checks": (
        "read_history", "generate_history", "check_linearizable", "check_sequential", "History", "Recorder",
        "Verdict",
    ),
    "Errors": (
        "BrokenInvariantError", "BudgetError", "Cancelled", "DistlabWarning", "UnknownNameError",
    ),
}  # fmt: skip
LAWS = ("_distribution", "_empirical")


class Thing(NamedTuple):
    """A public name: its signature, its words, and of a class what can be called and read."""

    name: str
    signature: str
    doc: str
    members: list[tuple[str, str]]


def documented(body: list[ast.stmt], name: str) -> ast.FunctionDef | ast.ClassDef | None:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            return node
    return None


def signature(node: ast.FunctionDef) -> str:
    """As the stub has it, on as many lines as there are arguments when it is long."""
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    flat = ast.unparse(node.args)
    if len(flat) + len(node.name) < 90:
        return f"{node.name}({flat}){returns}"
    parts, depth, word = [], 0, ""
    for letter in flat:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append(word.strip())
            word = ""
        else:
            word += letter
    lines = ",\n    ".join([*parts, word.strip()])
    return f"{node.name}(\n    {lines},\n){returns}"


def members(node: ast.ClassDef) -> list[tuple[str, str]]:
    """Public methods and properties that have a docstring: (how to write it, first paragraph)."""
    found = []
    for item in node.body:
        if not isinstance(item, ast.FunctionDef) or item.name.startswith("_"):
            continue
        doc = ast.get_docstring(item)
        if not doc:
            continue
        marks = {d.id for d in item.decorator_list if isinstance(d, ast.Name)}
        property_like = bool(marks & {"property", "cached_property"}) or any(
            isinstance(d, ast.Attribute) and d.attr == "cached_property" for d in item.decorator_list
        )
        names = [a.arg for a in (*item.args.posonlyargs, *item.args.args)][1:]
        keys = [a.arg for a in item.args.kwonlyargs]
        shown = [*names, *(["*"] if keys and not item.args.vararg else []), *keys]
        if item.args.vararg:
            shown.insert(len(names), f"*{item.args.vararg.arg}")
        if item.args.kwarg:
            shown.append(f"**{item.args.kwarg.arg}")
        written = item.name if property_like else f"{item.name}({', '.join(shown)})"
        found.append((written, " ".join(doc.split("\n\n")[0].split())))
    return found


def inherited(node: ast.ClassDef, sources: dict[str, list[ast.stmt]]) -> list[tuple[str, str]]:
    """The members of a class, then those that it has from classes of the package and does not replace."""
    found = members(node)
    for base in node.bases:
        parents = (documented(body, base.id) for body in sources.values() if isinstance(base, ast.Name))
        for parent in filter(lambda n: isinstance(n, ast.ClassDef), parents):
            own = {written.split("(")[0] for written, _ in found}
            found += [m for m in inherited(parent, sources) if m[0].split("(")[0] not in own]
    return found


def read(package: Path) -> dict[str, tuple[str, Thing]]:
    """Public name -> (module, what is known of it)."""
    stub = ast.parse((package / "__init__.pyi").read_text(encoding="utf-8"))
    homes = {
        alias.asname: node.module.removeprefix("distlab.")
        for node in stub.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("distlab.")
        for alias in node.names
        if alias.asname
    }
    signatures = {n.name: signature(n) for n in stub.body if isinstance(n, ast.FunctionDef)}
    sources = {}
    for path in [*package.glob("_*.py"), package / "_core.pyi"]:
        sources[path.stem] = ast.parse(path.read_text(encoding="utf-8")).body
    out = {}
    for name in [*homes, *signatures]:
        wanted = homes.get(name)
        for module, body in sources.items():
            node = documented(body, name)
            if node is None or (wanted is not None and module != wanted):
                continue
            doc = inspect.cleandoc(ast.get_docstring(node) or "")
            inner = inherited(node, sources) if isinstance(node, ast.ClassDef) else []
            out[name] = (module, Thing(name, signatures.get(name, ""), doc, inner))
            break
    for name, call, methods in objects(stub):
        for module, body in sources.items():
            node = documented(body, name.capitalize())
            if isinstance(node, ast.ClassDef):
                doc = inspect.cleandoc(ast.get_docstring(node) or "")
                shown = [
                    (written, words) for written, words in members(node) if written.split("(")[0] in methods
                ]
                out[name] = (module, Thing(name, call, doc, shown))
    return out


def objects(stub: ast.Module) -> list[tuple[str, str, set[str]]]:
    """Public names that are objects to call, as (name, signature, methods); families of models are not."""
    classes = {node.name: node for node in stub.body if isinstance(node, ast.ClassDef)}
    found = []
    for node in stub.body:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.annotation, ast.Name):
            continue
        declared = classes.get(node.annotation.id)
        call = documented(declared.body, "__call__") if declared else None
        if declared and isinstance(call, ast.FunctionDef) and isinstance(node.target, ast.Name):
            call.name = node.target.id
            call.args.args = call.args.args[1:]  # without self
            methods = {item.name for item in declared.body if isinstance(item, ast.FunctionDef)}
            found.append((node.target.id, signature(call), methods))
    return found


def prose(doc: str) -> str:
    """A docstring as Markdown: headed lists become lists, indented blocks stay as they are."""
    blocks = []
    for block in re.split(r"\n\s*\n", doc.replace("``", "`")):
        head = re.match(r"(\w+)\n-+\n", block)
        if head:
            blocks.append(f"**{head[1]}**\n\n{arguments(block[head.end() :])}")
        elif block.startswith("    ") or re.search(r"\n {4,}\S", block):
            blocks.append(f"```text\n{block}\n```")
        else:
            blocks.append(quoted(block))
    return "\n\n".join(blocks)


def quoted(text: str) -> str:
    """Text whose own marks mean nothing to Markdown, but for what stands in backquotes."""
    parts = text.split("`")
    parts[::2] = [re.sub(r"([<>*_\[\]])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def arguments(block: str) -> str:
    """`name : type` with its indented words, as a list."""
    items: list[str] = []
    for line in block.split("\n"):
        if line.startswith(" ") and items:
            items[-1] += " " + quoted(line.strip())
        else:
            name, _, kind = line.partition(" : ")
            items.append(f"- `{name}`" + (f" ({quoted(kind)})" if kind else "") + ":")
    return "\n".join(items)


def section(thing: Thing) -> str:
    parts = [f"\n### {thing.name}\n"]
    if thing.signature:
        parts.append(f"\n```python\n{thing.signature}\n```\n")
    if thing.doc:
        parts.append(f"\n{prose(thing.doc)}\n")
    if thing.members:
        rows = "".join(f"| `{w}` | {prose(d).replace('|', chr(92) + '|')} |\n" for w, d in thing.members)
        parts.append(f"\n| member | what it is |\n| --- | --- |\n{rows}")
    return "".join(parts)


def text(package: Path) -> str:
    """The whole page."""
    known = read(package)
    groups: dict[str, list[str]] = {title: [] for title in ORDER}
    for name in sorted(known, key=str.lower):
        title = next((t for t, names in GROUPS.items() if name in names), "")
        if not title:
            title = "Distributions" if known[name][0] in LAWS else "Everything else"
        groups[title].append(name)
    for title, names in GROUPS.items():
        groups[title].sort(key=lambda n, order=names: order.index(n))
    parts = [
        "# Python interface\n",
        "\n`import distlab as dl` loads NumPy and the core, nothing else. Every argument after the\n",
        "model's name is a keyword. Models have pages of their own: [the models](models.md).\n",
    ]
    for title, names in groups.items():
        if names:
            parts.append(f"\n## {title}\n" + "".join(section(known[name][1]) for name in names))
    return "".join(parts)
