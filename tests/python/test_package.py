"""What is shipped: the source distribution is complete, the wheel built from it stands alone with NumPy."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
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


def test_the_wheel_runs_on_any_machine_of_its_kind(built, tmp_path):
    """What auditwheel asks: only libraries of the system, and no instruction beyond the base of x86-64."""
    if shutil.which("objdump") is None:
        pytest.skip("optional: objdump is not installed")
    with zipfile.ZipFile(built[1]) as archive:
        (name,) = [n for n in archive.namelist() if n.startswith("distlab/_core.") and n.endswith(".so")]
        core = Path(archive.extract(name, tmp_path))
    needed = set(re.findall(r"NEEDED\s+(\S+)", run("objdump", "-p", core)))
    system = re.compile(r"(libc|libm|libpthread|libdl|librt)\.so\.\d+|ld-linux\S*")
    assert needed and all(map(system.fullmatch, needed)), needed
    code = run("objdump", "-d", core)
    assert "xmm" in code or "aarch64" in run("objdump", "-f", core)
    assert "%ymm" not in code and "%zmm" not in code
    for path in ("setup.py", "Makefile", "pyproject.toml"):
        assert not re.search(r"-m(arch|tune)=|fast-math", (ROOT / path).read_text()), path


def test_wheels_are_configured_for_what_the_guide_says():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheels, page = project["tool"]["cibuildwheel"], (ROOT / "docs/install.md").read_text()
    versions = [c.rpartition(" ")[2] for c in project["project"]["classifiers"] if re.search(r":: 3\.\d", c)]
    assert wheels["build"] == [f"cp{v.replace('.', '')}-*" for v in versions]
    assert wheels["linux"]["archs"] == ["x86_64", "aarch64"] and wheels["macos"]["archs"] == [
        "x86_64",
        "arm64",
    ]
    for word in ("manylinux_2_28", "aarch64", "arm64", "macosx_11_0", f"{versions[0]} to {versions[-1]}"):
        assert word in page, word
    assert wheels["linux"]["manylinux-x86_64-image"] == "manylinux_2_28"


def test_clang_builds_it_too(built, tmp_path):
    """From the source distribution; the simulation has the same events, its means agree to rounding."""
    compiler = next(filter(None, map(shutil.which, ("clang", "clang-16", "clang-15", "clang-14"))), None)
    if compiler is None:
        pytest.skip("optional: clang is not installed")
    with tarfile.open(built[0]) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    env = {**ALONE, "CC": compiler, "LDSHARED": f"{compiler} -shared"}
    command = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
    done = subprocess.run(command, cwd=source, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    code = "import distlab as dl; r = dl.run('queueing.station', jobs=2000, method='events');"
    code += "print(r.fingerprint, r.latency_mean)"
    env = {**ALONE, "PYTHONPATH": str(source / "python")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    import distlab as dl

    here = dl.run("queueing.station", jobs=2000, method="events")
    fingerprint, mean = done.stdout.split()
    assert fingerprint == str(here.fingerprint)
    assert float(mean) == pytest.approx(here.latency_mean, rel=1e-12)
