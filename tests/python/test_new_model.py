"""docs/add_a_model.md is followed word for word: in an empty folder and in a copy of the sources."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import distlab
from distlab import _new_model, cli

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/add_a_model.md").read_text()
COPIED = ("csrc", "python", "tests", "tools", "docs", "notebooks", "Makefile", "setup.py", "pyproject.toml")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.so", ".ipynb_checkpoints", "_notebooks")


def commands(heading):
    """The shell blocks below a heading of the page, as one script."""
    part = PAGE[PAGE.index(f"## {heading}\n") :]
    part = part[: part.index("\n## ", 4)]
    return "\n".join(re.findall(r"```sh\n(.*?)```", part, re.DOTALL))


def follow(script, folder, tmp_path, **more):
    """Run a script as a reader would, with `python3` the Python of these tests."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tools / "python3").chmod(0o755)
    # other flags than those of the objects taken along would compile everything again
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DISTLAB", "PYTEST", "CFLAGS"))}
    env = kept | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "MAKEFLAGS": ""} | more
    done = subprocess.run(
        ["sh", "-ex"], input=script, cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def execute_lesson(folder, **more):
    import nbformat
    from nbclient import NotebookClient

    node = nbformat.read(folder / "lesson.ipynb", as_version=4)
    nbformat.validate(node)
    node.cells.append(nbformat.v4.new_code_cell("import json; print(json.dumps(lesson.report()))"))
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DISTLAB")}
    client = NotebookClient(
        node, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env=kept | {"DISTLAB_FAST": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"} | more)
    return json.loads(node.cells[-1].outputs[0].text)


def test_a_library_of_its_own(tmp_path):
    package = str(Path(distlab.__file__).resolve().parents[1])  # the one that is under test here
    folder = tmp_path / "mailbox"
    folder.mkdir()
    said = follow(commands("A library of your own"), folder, tmp_path, PYTHONPATH=package)
    assert "6 passed" in said and "distlab run of lab.mailbox" in said
    example = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1]
    script = tmp_path / "example.py"
    script.write_text(example + "print(sweep.mean('success_ratio').shape)\n")
    env = os.environ | {"PYTHONPATH": os.pathsep.join([package, str(folder)])}
    done = subprocess.run([sys.executable, script], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "(3, 3)" in done.stdout, done.stderr
    report = execute_lesson(folder, PYTHONPATH=package)
    assert {"header", "incident", "predict", "picture", "why", "check", "next"} <= set(report["steps"])
    assert report["checks"] and all(check["ok"] for check in report["checks"])
    mutant = execute_lesson(folder, PYTHONPATH=package, DISTLAB_MUTANT="lab.mailbox:last_retry_forgotten")
    assert not all(check["ok"] for check in mutant["checks"])


def test_in_a_checkout(tmp_path):
    """Objects that were built before are taken along: only what the new model touches is compiled."""
    copy = tmp_path / "distlab"
    copy.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=LEFT_OUT)
        else:
            shutil.copy2(ROOT / name, copy / name)
    for built in (*ROOT.glob("build/temp.*"), *ROOT.glob("build/c/asan/csrc")):
        shutil.copytree(built, copy / built.relative_to(ROOT))
    said = follow(commands("In a checkout of distlab"), copy, tmp_path, MAKEFLAGS="-j2")
    assert "messaging.mailbox last_retry_forgotten: theory.success_ratio" in said
    assert re.search(r"\d+ passed", said) and not re.search(r"\d+ failed", said)
    assert "dlab_messaging_mailbox_params" in (copy / "csrc/include/distlab/models.h").read_text()
    tidy = "sizes or story or include or registry or formatted"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "tests/python/test_tidy.py",
        "-k",
        tidy,
        "-p",
        "no:xdist",
    ]
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)
    assert "mailbox.c" not in done.stdout and "registry.c" not in done.stdout, done.stdout[-3000:]
    assert (copy / "drafts/messaging_mailbox/lesson.ipynb").is_file()


@pytest.mark.parametrize("name", ["mailbox", "Lab.Box", "lab.", "lab.a b", "lab." + "x" * 50, "../lab.box"])
def test_wrong_names_are_refused(name, tmp_path, capsys):
    assert cli.main(["new-model", name, "--dir", str(tmp_path)]) == cli.EXIT_MISTAKE
    assert "family.name" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_names_that_are_taken_are_refused(tmp_path, capsys):
    assert cli.main(["new-model", "queueing.station", "--dir", str(tmp_path)]) == cli.EXIT_MISTAKE
    assert "exists already" in capsys.readouterr().err
    (tmp_path / "lab_box.py").write_text("mine\n")
    assert cli.main(["new-model", "lab.box", "--dir", str(tmp_path)]) == cli.EXIT_MISTAKE
    assert "lab_box.py" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["lab_box.py"]


def test_a_family_of_the_checkout_must_exist(tmp_path, capsys):
    registry = tmp_path / "csrc/app/registry.c"
    registry.parent.mkdir(parents=True)
    registry.write_text("nothing\n")
    assert cli.main(["new-model", "queuing.box", "--dir", str(tmp_path)]) == cli.EXIT_MISTAKE
    assert "did you mean 'queueing'" in capsys.readouterr().err
    assert cli.main(["new-model", "queueing.box", "--dir", str(tmp_path)]) == cli.EXIT_MISTAKE
    assert "DLAB_MODELS" in capsys.readouterr().err


def test_the_line_of_the_registry_stands_in_order():
    before = (ROOT / "csrc/app/registry.c").read_text()
    names = re.findall(r"X\((dlab_\w+)\)", before)
    after = _new_model.registered(before, "dlab_links_aaa")
    assert re.findall(r"X\((dlab_\w+)\)", after) == sorted([*names, "dlab_links_aaa"])
    assert _new_model.registered(before, names[0]) == before
    assert re.sub(r" +\\", r" \\", after).count("\\\n") == before.count("\\\n") + 1
