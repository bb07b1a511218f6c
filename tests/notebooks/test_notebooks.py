"""Every lesson on disk: what it must contain, and what must happen when it runs.

A lesson is executed in fast mode, as a page for readers without a kernel. Then the same kernel grades the
answers of the solutions tree, right and wrong. A second execution plants the bug that curriculum.toml names
for it: at least one check must fail, or the lesson would not notice.
"""

import json
import os
import re
import shutil
import tomllib
import warnings
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import distlab

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(p for p in FOLDER.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
LESSONS = {
    entry["path"]: entry for entry in tomllib.loads((FOLDER / "curriculum.toml").read_text())["lesson"]
}
SECONDS = 3  # of processor time in fast mode: a goal that is reported; no test depends on a clock

CARD = {"header", "incident", "predict", "picture", "why", "check", "next"}
STANDARD = CARD | {"recall", "feedback", "knob", "break", "decide", "limits", "system"}
ANATOMY = {"card": CARD, "standard": STANDARD, "flagship": STANDARD | {"see"}}

BEGIN = "import json, time; _began = time.process_time()"
REPORT = "print(json.dumps({'seconds': time.process_time() - _began, **lesson.report()}))"
ANSWER = "for _name, _pair in ANSWERS.items():\n    lesson.exercises[_name].answer(_pair[{which}]())"

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=[p.stem for p in NOTEBOOKS])


def lesson_of(path):
    return LESSONS[path.relative_to(FOLDER).as_posix()]


def solution_of(path):
    return FOLDER / "solutions" / path.relative_to(FOLDER).with_suffix(".py")


def execute(path, folder, extra=(), **environment):
    """Run a notebook and some more cells in fast mode; returns the reports it printed."""
    notebook = nbformat.read(path, 4)
    cells = [nbformat.v4.new_code_cell(source) for source in (REPORT, *extra)]
    notebook.cells = [nbformat.v4.new_code_cell(BEGIN), *notebook.cells, *cells]
    shutil.copy(path, folder)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DISTLAB_")}
    kept["DISTLAB_NOTEBOOKS"] = str(FOLDER)
    kept["PYTHONPATH"] = str(
        Path(distlab.__file__).resolve().parents[1]
    )  # the package that is under test here
    # one thread for NumPy's linear algebra, which no lesson uses: its workers would only spin
    env = kept | {"DISTLAB_FAST": "1", "OPENBLAS_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env=env | environment)
    printed = ["".join(o.text for o in c.outputs if o.output_type == "stream") for c in cells]
    return [json.loads(text) for text in printed if text.startswith("{")]


def test_there_are_lessons():
    assert NOTEBOOKS
    for path in NOTEBOOKS:
        assert lesson_of(path)["status"] == "ready", path


@every_notebook
def test_source(path):
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor >= 5) == (4, True)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code:
        assert not cell.outputs and cell.execution_count is None, f"{path.name}: {cell.id} has outputs"
        hidden = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        assert hidden == ("hide-input" in cell.metadata.get("tags", [])), cell.id
    text = "\n".join(cell.source for cell in notebook.cells)
    assert "pyplot" not in text and "%matplotlib" not in text
    assert not re.search(r"/(home|tmp|root|work)/", text)
    answers = [cell for cell in code if "answer" in cell.metadata.get("tags", [])]
    assert all(re.search(r"\.answer\(None\)", cell.source) for cell in answers)
    assert len(answers) == text.count("lesson.exercise("), "every exercise has its cell with .answer(None)"
    assert solution_of(path).is_file() or not answers


@every_notebook
def test_lesson(path, tmp_path):
    entry = lesson_of(path)
    more = []
    if solution_of(path).is_file():
        more = [solution_of(path).read_text(), ANSWER.format(which=0), REPORT, ANSWER.format(which=1), REPORT]
    report, *graded = execute(path, tmp_path, more)
    print(f"{entry['id']}: {report['seconds']:.1f} s of processor time")
    assert report["id"] == entry["id"]
    if report["seconds"] > SECONDS:
        warnings.warn(f"{entry['id']} took {report['seconds']:.1f} s of {SECONDS} in fast mode", stacklevel=1)
    missing = ANATOMY[entry["size"]] - set(report["steps"])
    assert not missing, f"steps missing: {', '.join(sorted(missing))}"
    assert report["checks"] and all(check["ok"] for check in report["checks"]), report["checks"]
    assert report["words"]["incident"] <= 80 and report["words"]["why"] <= 120
    assert all(e["ok"] is None for e in report["exercises"].values()), "an answer is filled in"
    assert all(knob["solutions"] and not knob["start_ok"] for knob in report["knobs"]), report["knobs"]
    assert [p["sample"] for p in report["predictions"]] == [True]
    assert not report["predictions"][0]["inside"], "the sample guess should be wrong: it shows the surprise"
    for figure in report["figures"]:
        for axes in figure["axes"]:
            for label in axes.values():
                assert re.search(r"\([^()]+\)$", label), f"{figure['step']}: no unit in axis label {label!r}"
    assert not list(tmp_path.glob(".distlab/predictions.json")), "a sample guess was stored"
    if "decide" in ANATOMY[entry["size"]]:
        right, wrong = graded
        assert right["exercises"] and all(e["ok"] is True for e in right["exercises"].values()), right[
            "exercises"
        ]
        assert all(e["ok"] is False for e in wrong["exercises"].values()), wrong["exercises"]


@every_notebook
def test_mutant(path, tmp_path):
    mutant = lesson_of(path)["mutant"]
    (report,) = execute(path, tmp_path, DISTLAB_MUTANT=mutant)
    failed = [check["name"] for check in report["checks"] if not check["ok"]]
    print(f"{mutant}: {failed}")
    assert failed, f"no check of {path.name} notices {mutant}"


def quoted_stories():
    """Blocks of a page that quote a story of Raft: (page, file, lines)."""
    pages = {path: path.read_text() for path in (ROOT / "docs").glob("*.md")}
    for path in NOTEBOOKS:
        cells = nbformat.read(path, 4).cells
        pages[path] = "\n".join(c.source for c in cells if c.cell_type == "markdown")
    for path, text in pages.items():
        for name, block in re.findall(r"`(tests/raft/\w+\.txt)`[^`]*```text\n(.*?)```", text, re.DOTALL):
            yield path.name, name, block.splitlines()


def test_quoted_stories_are_what_happens():
    """Line by line in the order of the story; "..." stands for lines that are left out."""
    quoted = list(quoted_stories())
    assert len(quoted) >= 2
    for page, name, lines in quoted:
        story = iter((ROOT / name).read_text().splitlines())
        for line in lines:
            assert line == "..." or line in story, f"{page}: not in {name}, or not there: {line}"


def test_the_stories_of_chapter_00_still_hold():
    """Two incidents are told with fixed seeds: the runs must disagree, the interval must miss the formula."""
    checkout = {"arrival_rate": 90, "service": "exponential(10ms)", "jobs": 10_000}
    ana, ben = (distlab.run("queueing.station", **checkout, seed=s).latency_mean for s in (23, 32))
    assert ana < 0.1 and ben > 0.11
    order = {"arrival_rate": 95, "service": "exponential(10ms)", "jobs": 2_000, "warmup_fraction": 0}
    low, high = distlab.sweep("queueing.station", **order, reps=20, seed=6).ci("latency_mean")
    assert low < high < 0.195
    forty = distlab.sweep("queueing.station", **checkout, reps=40, seed=2)
    assert forty.ci("latency_mean")[1] < 0.11
