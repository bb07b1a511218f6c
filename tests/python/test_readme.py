"""README and the first page of the documentation: their examples run, what they name exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = {"README.md": ROOT / "README.md", "index.md": ROOT / "docs/index.md"}


@pytest.mark.parametrize("name", PAGES)
def test_examples_run(name):
    pytest.importorskip("matplotlib", reason="optional: matplotlib is not installed")
    (code,) = re.findall(r"```python\n(.*?)```", PAGES[name].read_text(), re.DOTALL)
    assert len(code.strip().split("\n")) <= 6
    names = {}
    exec(compile(code, name, "exec"), names)  # noqa: S102, the example itself
    sweep = names.get("s", names.get("sweep"))
    assert sweep.mean("latency_mean").size > 1


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files(name):
    path = PAGES[name]
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_commands_of_make_exist():
    rules = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in PAGES.values():
        for target in re.findall(r"(?:^|`)make ([a-z]+)", path.read_text(), re.MULTILINE):
            assert target in rules, target


def test_every_ratio_names_a_benchmark():
    text = PAGES["README.md"].read_text()
    part = text[text.index("## How fast") : text.index("## Where to go next")]
    rows = [line for line in part.split("\n") if line.startswith("| ") and "---" not in line][1:]
    benchmarks = (ROOT / "benchmarks/run.py").read_text()
    known = re.findall(r'"(\w+)": \w+', benchmarks[benchmarks.index("BENCHMARKS = ") :])
    for row in rows:
        assert re.search(r"\| \d\.\d\d \(\d\.\d\d to \d\.\d\d\) \|", row), row
        assert re.search(r"`python benchmarks/run\.py (\w+)`", row)[1] in known, row
    assert len(rows) >= 5
