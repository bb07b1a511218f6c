"""`python -m distlab check`: exit codes 0 yes, 1 no, 3 unknown, 2 a mistake; what it prints and writes."""

import subprocess
import sys

import pytest

import distlab as dl
from distlab.cli import main

GOOD = """\
{:process 0, :type :invoke, :f :write, :value 1}
{:process 0, :type :ok, :f :write, :value 1}
{:process 1, :type :invoke, :f :read, :value nil}
{:process 1, :type :ok, :f :read, :value 1}
"""


@pytest.fixture
def files(tmp_path):
    texts = {
        "good.edn": GOOD,
        "bad.edn": GOOD.replace(":read, :value 1", ":read, :value 2"),
        "broken.edn": GOOD[:-3],
        "keys.edn": GOOD.replace("value 1", "value [7 1]").replace("value nil", "value [7 nil]"),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    dl.generate_history("cas_register", ops=400, clients=8, values=3, seed=1).to_jsonl(
        tmp_path / "long.jsonl"
    )
    return tmp_path


def check(capsys, *words):
    code = main(["check", *map(str, words)])
    out = capsys.readouterr()
    return code, out.out, out.err


def test_exit_codes(files, capsys):
    code, out, err = check(capsys, files / "good.edn", "--spec", "register")
    assert (code, err) == (0, "") and out.startswith("linearizable as register: 2 operations")
    code, out, err = check(capsys, files / "bad.edn")
    assert (code, err) == (1, "") and out.startswith("not linearizable as register: 2 operations")
    assert "process 1 read = 2 cannot be placed" in out
    code, out, err = check(capsys, files / "long.jsonl", "--spec", "cas-register", "--states", 2)
    assert (code, err) == (3, "") and "nothing was decided" in out
    assert check(capsys, files / "long.jsonl", "--spec", "cas_register", "--quiet") == (0, "", "")
    assert check(capsys, files / "bad.edn", "--criterion", "sequential")[0] == 1
    assert check(capsys, files / "keys.edn", "--independent", "--format", "edn")[0] == 0
    assert check(capsys, files / "bad.edn", "--spec", "cas_register", "--fail-may-have-happened")[0] == 1


def test_an_empty_file_is_an_empty_history(tmp_path, capsys):
    path = tmp_path / "empty.jsonl"
    path.write_text("")
    code, out, err = check(capsys, path, "--spec", "register")
    verdict = dl.check_linearizable([])
    assert code == 0 and verdict.valid is True and "0 operations" in out and "is empty" in out
    assert out.strip() == verdict.explain()
    assert err.count("\n") == 1 and "empty.jsonl: no event of a client" in err
    assert check(capsys, path, "--criterion", "sequential")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["good.edn", "--spec", "registr"], "unknown spec 'registr', did you mean 'register'?"),
        (["nothing.edn"], "there is no such file"),
        (["good.edn", "--sec", "5"], "check does not know --sec"),
        (["good.edn", "--secnds", "5"], "check does not know --secnds, did you mean '--seconds'?"),
        (["good.edn", "--seconds", "soon"], "--seconds takes a number, not 'soon'"),
        (["good.edn", "--states", "0"], "states = 0 is outside 1"),
        (
            ["good.edn", "--spec", "queue"],
            "specification queue does not know write; it knows enqueue, dequeue",
        ),
        (["broken.edn"], "broken.edn: line 4, column 42: the text ends inside the map that began in line 4"),
        (["good.edn", "--format", "jsonl"], "good.edn: line 1, column 2: expected a name in quotes"),
        (["good.edn", "--independent"], "line 1: value is 1; with independent keys expected [key value]"),
        (["good.edn", "--html", "no/where/x.html"], "there is no directory"),
        ([], "check needs a file"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(files, capsys, words, said):
    words = [files / words[0], *words[1:]] if words else []
    code, out, err = check(capsys, *words)
    assert code == 2 and out == "" and err.count("\n") == 1 and said in err, err


def test_the_page_is_written(files, capsys):
    assert check(capsys, files / "bad.edn", "--html", files / "out.html", "--quiet")[0] == 1
    page = (files / "out.html").read_text()
    assert "not linearizable" in page and "<svg" in page and "process 1 read = 2" in page


def test_help_lists_the_specifications(capsys):
    assert main(["check", "--help"]) == 0
    out = capsys.readouterr().out
    for word in ("cas_register", "list_append", "exit codes: 0 yes, 1 no, 3 unknown"):
        assert word in out
    assert "user " not in out


def test_as_a_process(files):
    command = [sys.executable, "-m", "distlab", "check", str(files / "bad.edn"), "--spec", "cas-register"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "cannot be placed" in done.stdout and done.stderr == ""
