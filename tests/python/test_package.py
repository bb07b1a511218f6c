"""What is shipped: the source distribution is complete, the wheel built from it stands alone with NumPy."""

import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_SHIPPED = (".ci/", ".gitignore", ".clang-format", "notebooks/.gitignore")


ALONE = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "DISTLAB"))}


def run(*words, **options):
    command = [str(w) for w in words]
    out = subprocess.run(command, capture_output=True, text=True, check=False, env=ALONE, **options)
    assert out.returncode == 0, f"{words}: {out.stdout[-1500:]}\n{out.stderr[-1500:]}"
    return out.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """(sdist, wheel): the wheel is built from the sdist, in an environment of its own."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


def test_the_source_distribution_is_complete(built):
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    if not listed:
        pytest.skip("optional: not a git checkout")
    with tarfile.open(built[0]) as archive:
        shipped = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    missing = [
        f for f in listed if f not in shipped and not f.startswith(NOT_SHIPPED) and (ROOT / f).exists()
    ]
    assert not missing, f"not in the source distribution: {missing}"
    strange = [f for f in shipped if f.endswith((".so", ".o", ".a", ".pyc"))]
    assert not strange, f"built files in the source distribution: {strange}"


def test_the_wheel_holds_what_users_need(built):
    with zipfile.ZipFile(built[1]) as archive:
        names = archive.namelist()
    for wanted in (
        "distlab/py.typed",
        "distlab/__init__.pyi",
        "distlab/include/distlab/distlab.h",
        "distlab/include/distlab/models.h",
        "distlab/lib/libdistlab.a",
        "distlab/_notebooks/curriculum.toml",
        "distlab/_notebooks/glossary.toml",
    ):
        assert wanted in names, wanted
    assert not [n for n in names if n.startswith(("tests/", "csrc/", "benchmarks/"))]


PROGRAM = """
import json, sys
before = set(sys.modules)
import distlab as dl
run = dl.run("queueing.station", jobs=2000)
tops = sorted({m.split(".")[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names))
print(json.dumps({"tops": tops, "latency": run.latency_mean, "file": dl.__file__}))
"""

PLAIN_C = """
#include <distlab/distlab.h>
#include <stdio.h>
int main(void)
{
    dlab_error err = { 0 };
    const dlab_model *m = dlab_model_find("queueing.station", &err);
    printf("%s %s\\n", DLAB_VERSION, m != NULL ? m->name : err.text);
    return 0;
}
"""


def test_the_wheel_stands_alone(built, tmp_path):
    """An empty environment gets distlab and NumPy and nothing else; results are those of this build."""
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env/bin/python"
    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", built[1])
    said = json.loads(run(python, "-c", PROGRAM, cwd=tmp_path))
    assert set(said["tops"]) <= {"distlab", "numpy"}, said["tops"]
    assert str(tmp_path) in said["file"]
    import distlab as dl

    assert said["latency"] == dl.run("queueing.station", jobs=2000).latency_mean
    run(python, "-m", "distlab", "doctor", cwd=tmp_path)
    run(python, "-m", "distlab", "notebooks", tmp_path / "lessons", cwd=tmp_path)
    assert list((tmp_path / "lessons").rglob("*.ipynb"))
    (tmp_path / "plain.c").write_text(PLAIN_C)
    flags = run(python, "-m", "distlab", "config", "--cflags", "--libs", cwd=tmp_path).split()
    run("cc", "-std=gnu11", tmp_path / "plain.c", *flags, "-o", tmp_path / "plain", cwd=tmp_path)
    assert run(tmp_path / "plain").split() == [dl.__version__, "queueing.station"]
