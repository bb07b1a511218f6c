"""The page "Check your own system" is run from top to bottom: its Python as it stands, its shell command with
the output it shows, but for times and counts of states."""

import re
from pathlib import Path

from distlab.cli import main

PAGE = Path(__file__).resolve().parents[2] / "docs" / "check_your_system.md"


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def without_times(text):
    text = re.sub(r"called at .*?, answered at [^\].]*(\.\d+ \w+)?", "called, answered", text)
    return re.sub(r"\(\d+ states, .*? s\)", "(states)", text).strip()


def test_the_page_does_what_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    space = {}
    for block in blocks("python"):
        exec(compile(block, PAGE.name, "exec"), space)  # noqa: S102 - the page is ours
    explained = capsys.readouterr().out
    (shell,) = blocks("console")
    command, shown = shell.split("\n", 1)
    words = command.removeprefix("$ python -m distlab ").split()
    assert main(words) == 1
    printed = capsys.readouterr().out
    assert without_times(printed) == without_times(shown) == without_times(explained)
    assert "<svg" in (tmp_path / "verdict.html").read_text()


def test_the_lines_it_shows_are_a_history(tmp_path, capsys):
    (tmp_path / "h.jsonl").write_text(blocks("json")[0])
    assert main(["check", str(tmp_path / "h.jsonl")]) == 0
    assert "linearizable as register: 1 operation" in capsys.readouterr().out
