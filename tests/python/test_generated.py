"""Derived files are those of the descriptors, and they say what the descriptors say."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import distlab as dl
from distlab import _core

ROOT = Path(__file__).resolve().parents[2]
NAMES = [name for name in _core.models() if name != "lab.probe"]
HEADER = ROOT / "csrc" / "include" / "distlab" / "models.h"
sys.path.insert(0, str(ROOT / "tools"))


def test_nothing_is_stale():
    done = subprocess.run(
        [sys.executable, "tools/generate.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_shows_the_difference(tmp_path):
    for name in ("tools", "python", "csrc", "docs"):
        if name == "tools":
            shutil.copytree(ROOT / name, tmp_path / name)
    done = subprocess.run(
        [sys.executable, "tools/generate.py", "--check"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (
        done.returncode == 1 and "make generate" in done.stderr and "+#ifndef DISTLAB_MODELS_H" in done.stdout
    )
    assert not (tmp_path / "docs").exists()
    subprocess.run([sys.executable, "tools/generate.py"], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "csrc/include/distlab/models.h").read_text() == HEADER.read_text()


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_header_compiles_and_agrees_with_the_structs(compiler, tmp_path):
    if shutil.which(compiler) is None:
        pytest.skip(f"optional: no {compiler} here")
    source = tmp_path / "use.c"
    uses = "".join(
        f"const dlab_model *use_{i}(dlab_{n.replace('.', '_')}_params *p);\n"
        f"const dlab_model *use_{i}(dlab_{n.replace('.', '_')}_params *p)\n"
        f"{{ (void)p; return &dlab_{n.replace('.', '_')}; }}\n"
        for i, n in enumerate(NAMES)
    )
    source.write_text(f"#include <distlab/models.h>\n{uses}")
    flags = ["-std=gnu11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
    done = subprocess.run(
        [compiler, *flags, f"-I{ROOT}/csrc/include", str(source)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_header_has_every_member(name):
    text, about = HEADER.read_text(), _core.describe(name)
    for kind, rows in (("params", about["params"]), ("metrics", about["metrics"])):
        struct = f"dlab_{name.replace('.', '_')}_{kind}"
        dtype = about[f"{kind}_dtype"]
        assert f"_Static_assert(sizeof({struct}) == {dtype.itemsize}" in text
        for row in rows:
            assert f"offsetof({struct}, {row['name']}) == {dtype.fields[row['name']][1]}," in text
    for row in about["params"]:
        for i, choice in enumerate(row["choices"] or ()):
            word = re.sub(r"\W", "_", f"DLAB_{name}_{row['name']}_{choice}").upper()
            assert re.search(rf"\b{word} = {'1 << ' if row['type'] == 'flags' else ''}{i},", text), word


@pytest.mark.parametrize("name", NAMES)
def test_reference_page_names_everything(name):
    page = (ROOT / "docs" / "reference" / "models.md").read_text()
    part = page[page.index(f"\n## {name}\n") :]
    model = dl.models()[name]
    for row in (*model.fields, *model.columns, *model.outputs, *model.bugs):
        assert f"`{row['name']}`" in part, row["name"]
    for line in part.split("\n"):
        if line.startswith("| `"):
            assert re.sub(r"\\\|", "", line).count("|") in (5, 8), line


def test_every_type_of_field_compiles(tmp_path):
    """The probe has them all; the asserts of its header hold for what the compiler makes of it."""
    import generate_header
    import generate_reference

    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler here")
    probe = pytest.importorskip("probe")
    probe.register()
    (tmp_path / "probe.h").write_text(generate_header.text([_core.describe(probe.NAME)]))
    command = [compiler, "-std=gnu11", "-fsyntax-only", f"-I{ROOT}/csrc/include", "-x", "c"]
    done = subprocess.run([*command, str(tmp_path / "probe.h")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = generate_reference.text([_core.describe(probe.NAME)])
    for part in (
        "Columns of the table `classes`",
        "alpha \\| gamma",
        "`off_by_one`",
        "Output `queue_length`",
    ):
        assert part in page


def test_padding_is_spelled_out():
    import numpy as np

    import generate_header

    field = {
        "type": "bool",
        "name": "b",
        "unit": None,
        "min": 0.0,
        "max": 1.0,
        "optional": False,
        "doc": "A doc.",
    }
    fields = [field, {**field, "type": "double", "name": "d"}]
    layout = np.dtype({"names": ["b", "d"], "formats": ["?", "<f8"], "offsets": [0, 16], "itemsize": 32})
    text = generate_header._struct("s", fields, layout)
    assert "unsigned char padding_0[15];" in text and "unsigned char padding_1[8];" in text
    bad = np.dtype({"names": ["b", "d"], "formats": ["?", "<f8"], "offsets": [0, 4], "itemsize": 12})
    with pytest.raises(ValueError, match="overlapping"):
        generate_header._struct("s", fields, bad)
