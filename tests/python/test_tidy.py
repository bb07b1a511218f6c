"""Style is a test: sizes, layers, names, formatting and completeness, so that reviews can be about ideas."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from making import make

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ["include", "base", "sim", "cores", "models", "app", "binding"]
INFRASTRUCTURE = {"include", "base", "sim", "check", "app", "binding"}
C_FILES = sorted(p for d in ("csrc", "tests/c", "examples", "benchmarks") for p in (ROOT / d).rglob("*.[ch]"))
PY_FILES = sorted(
    p for d in ("python", "tests", "tools", "benchmarks", "examples") for p in (ROOT / d).rglob("*.py")
)
WEB_FILES = sorted(
    p for d in ("python", "tools") for kind in ("*.js", "*.css") for p in (ROOT / d).rglob(kind)
)
GENERATED = {ROOT / "csrc/include/distlab/models.h"}
UNFINISHED = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error")))


def relative(path):
    return path.relative_to(ROOT).as_posix()


def functions_of_c(text):
    """(name, lines) of each function: from an opening brace in column 0 to the closing one."""
    lines = text.split("\n")
    start = None
    for i, line in enumerate(lines):
        if line == "{":
            start = i
        elif line == "}" and start is not None:
            yield lines[start - 1].strip(), i - start + 1
            start = None


def functions_of_python(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def functions_of_javascript(text):
    """From a line that opens a function or method to the brace that closes it, at the same depth."""
    lines = text.split("\n")
    for i, line in enumerate(lines):
        opened = re.match(
            r"( *)(?!(?:if|for|while|switch|else|do|try|catch|return)\b)\S.*(?:\)|=>) \{$", line
        )
        if opened:
            end = next(k for k in range(i + 1, len(lines)) if lines[k].startswith(opened[1] + "}"))
            yield line.strip(), end - i + 1


FUNCTIONS = {
    ".c": functions_of_c,
    ".h": functions_of_c,
    ".py": functions_of_python,
    ".js": functions_of_javascript,
    ".css": lambda text: [],
}


def test_long_functions_of_javascript_are_seen():
    body = "  f(x) {\n" + "    g();\n" * 80 + "    if (x) {\n    }\n  }\n"
    text = f"class A {{\n{body}}}\nconst h = () => {{\n  return 1;\n}};\n"
    assert list(functions_of_javascript(text)) == [("f(x) {", 84), ("const h = () => {", 3)]


@pytest.mark.parametrize("path", C_FILES + PY_FILES + WEB_FILES, ids=relative)
def test_sizes_and_marks(path):
    text = path.read_text()
    lines = text.split("\n")
    if path not in GENERATED and path.suffix != ".pyi":
        assert len(lines) <= 501, f"{len(lines)} lines; at most 500"
        long = [f"{name}: {n}" for name, n in FUNCTIONS[path.suffix](text) if n > 70]
        assert not long, f"functions over 70 lines: {long}"
        wide = [i + 1 for i, line in enumerate(lines) if len(line) > 110]
        assert not wide, f"lines over 110 columns: {wide}"
    marks = UNFINISHED.findall(text)
    assert not marks, f"unfinished marks: {marks}"
    assert text.endswith("\n") and not text.endswith("\n\n"), "one newline at the end"


@pytest.mark.parametrize("path", [p for p in C_FILES if p.suffix == ".c"], ids=relative)
def test_c_files_open_with_their_story(path):
    assert path.read_text().startswith("/*"), "a file begins with what it does and why"


def is_model(path):
    return re.search(r"^const dlab_model dlab_\w+ = \{", path.read_text(), re.MULTILINE) is not None


def layer_of(path):
    folder = relative(path).split("/")[1]
    if folder == "include":
        return "base"  # public headers of every layer lie together; their own order is checked below
    if folder in ("base", "sim", "app", "binding"):
        return folder
    return "models" if path.suffix == ".c" and is_model(path) else "cores"


@pytest.mark.parametrize("path", sorted((ROOT / "csrc").rglob("*.[ch]")), ids=relative)
def test_includes_point_down(path):
    for name in re.findall(r'^#include "([^"]+)"', path.read_text(), re.MULTILINE):
        target = ROOT / "csrc" / name
        assert target.exists(), f"{name}: write includes from csrc/"
        mine, other = layer_of(path), layer_of(target)
        assert LAYERS.index(other) <= LAYERS.index(mine), f"{mine} includes {other}: {name}"
        assert other != "models"
    if layer_of(path) != "binding":
        assert "Python.h" not in path.read_text()
    if path.name != "pool.c" and layer_of(path) != "binding":
        assert "pthread" not in path.read_text(), "csrc/app/pool.c is the only file with threads"


PUBLIC_ORDER = [
    "error",
    "checksum",
    "memory",
    "real",
    "random",
    "numerics",
    "distribution",
    "histogram",
    "statistics",
    "closed_forms",
    "scheduler",
    "history",
    "history_text",
    "check",
    "field",
    "chooser",
    "trace",
    "core",
    "model",
    "row",
    "sweep",
    "enumerate",
    "study",
    "models",
    "version",
    "distlab",
]


def test_public_headers_point_down():
    for path in (ROOT / "csrc/include/distlab").glob("*.h"):
        mine = PUBLIC_ORDER.index(path.stem)
        for name in re.findall(r"#include <distlab/(\w+)\.h>", path.read_text()):
            assert PUBLIC_ORDER.index(name) < mine or path.stem == "distlab", f"{path.name} includes {name}.h"


def test_every_model_is_in_the_registry():
    listed = re.findall(r"X\((dlab_\w+)\)", (ROOT / "csrc/app/registry.c").read_text())
    found = {}
    for path in (ROOT / "csrc").rglob("*.c"):
        for symbol in re.findall(r"^const dlab_model (dlab_\w+) = \{", path.read_text(), re.MULTILINE):
            found[symbol] = path
    assert sorted(listed) == sorted(found)
    for symbol, path in found.items():
        name = re.search(r'\.name = "([a-z_]+)\.([a-z_]+)",\n\s*\.title', path.read_text())
        assert name and symbol == f"dlab_{name[1]}_{name[2]}" and path == ROOT / f"csrc/{name[1]}/{name[2]}.c"


def test_symbols_carry_the_prefix(tmp_path):
    """Every global of the library starts with dlab_, and none can be written: models keep no state."""
    if shutil.which("nm") is None:
        pytest.skip("nm is not installed")
    assert make("lib").returncode == 0
    library = ROOT / "build/c/release/libdistlab.a"
    for line in subprocess.run(["nm", library], capture_output=True, text=True, check=True).stdout.split(
        "\n"
    ):
        parts = line.split()
        if len(parts) != 3:
            continue
        kind, name = parts[1:]
        if kind.isupper() and kind not in "U":
            assert name.startswith("dlab_"), f"{name} lacks the prefix"
        assert kind.lower() not in "bdc" or is_read_only(library, name), (
            f"{name} is data that can change ({kind})"
        )


def is_read_only(library, name):
    """Tables of pointers are relocated and then read only: section .data.rel.ro."""
    out = subprocess.run(["objdump", "-t", library], capture_output=True, text=True, check=True).stdout
    lines = [line for line in out.split("\n") if line.endswith(" " + name)]
    return bool(lines) and all(".data.rel.ro" in line or "*UND*" in line for line in lines)


def tool(name):
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is missing: pip install 'distlab[test]'")
    return found


def test_c_is_formatted():
    out = subprocess.run(
        [tool("clang-format"), "--dry-run", "-Werror", *map(str, C_FILES)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert out.returncode == 0, out.stderr[:2000] + "\nrun: make format"


def test_python_is_clean():
    out = subprocess.run(
        [tool("ruff"), "check", "python", "tests", "tools", "benchmarks", "examples"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert out.returncode == 0, out.stdout[:3000]


def test_nothing_names_a_machine():
    """No path of a home or work folder and no host of a package registry in what is shipped."""
    words = re.compile(
        "|".join(["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "pypi" + r"\.org", "deb" + "ian" + r"\.org"])
    )
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if files.returncode != 0:
        pytest.skip("optional: not a git checkout")
    for name in files.stdout.split():
        path = ROOT / name
        if path.is_file() and path.suffix not in (".png",):
            found = words.search(path.read_text(errors="replace"))
            assert found is None, f"{name}: {found and found[0]}"
