"""A result as one line, and rows of files once more: what is printed makes the run again, bit for bit."""

import json
import shlex
import shutil

import numpy as np
import pytest

import distlab as dl
import probe
from distlab import _core, _recipe, cli

STATION, LETTERS, PROBE = "queueing.station", "lab.letters", "lab.probe"


@pytest.fixture(autouse=True, scope="module")
def models():
    probe.register()
    dl.register(probe.address("probe_letters"))


@pytest.fixture
def inside(capsys):
    """A command in this process: (code, stdout, stderr)."""

    def run(*words):
        code = cli.main(["replay", *map(str, words)])
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


def same(a, b):
    return a.array.tobytes() == b.array.tobytes() and a.fingerprint == b.fingerprint


# Lines


def test_the_line_is_the_one_people_read():
    run = dl.sweep(LETTERS, loss=0.1, seed=7, reps=4).replay(0, 3)
    assert run.recipe == "distlab replay lab.letters loss=0.1 seed=7 rep=3"
    assert dl.run(STATION, jobs=100).recipe == "distlab replay queueing.station jobs=100 seed=1 rep=0"


SAMPLES = np.random.default_rng(5).exponential(0.01, 1500)
LAW = dl.empirical(SAMPLES)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"rate": 1 / 7, "timeout": "10ms", "capacity": 7, "verbose": True, "policy": "random"},
        {"bug": "off_by_one", "jobs": 3},
        {"features": set(), "pause": "exponential(3ms)", "timeout": None},
        {"features": {"alpha", "beta"}, "retry_delay": 1e-7, "rate": 345.678},
        {"service": "lognormal(median=5ms, p99=80ms) + 1ms"},
        {"service": dl.lognormal(mean=1 / 3, scv=3) + 1 / 7},
        {"service": dl.hyperexponential(mean=0.3, scv=1.7)},
        {"service": dl.empirical(SAMPLES)},
        {"service": dl.empirical(SAMPLES, shift=1 / 3)},
        {"service": dl.mixture((0.3, "exponential(5ms)"), (1 / 3, dl.empirical(SAMPLES[:1200])))},
        {"service": "mixture(0.25: uniform(1ms, 3ms), 0.75: pareto(alpha=2.5, low=1ms))"},
        {"classes": dl.table([{"weight": 1 / 3, "rate": 7}, {"jobs": 3, "policy": "lifo", "fast": True}])},
        {"classes": dl.table([{"service": dl.mixture((1, "uniform(1ms, 2ms)"), (2, LAW))}, {}])},
        {"classes": dl.table([{"service": dl.empirical(SAMPLES)}, {"service": "constant(4ms)"}])},
    ],
)  # fmt: skip
def test_every_kind_of_value_survives_its_line(given):
    run = dl.run(PROBE, seed=11, **{"jobs": 20, **given})
    again = _recipe.run_recipe(run.recipe)
    assert same(again, run) and again.recipe == run.recipe
    # Not only the results: the parameters are the same, to the last bit.
    assert again.provenance == run.provenance


def test_what_is_at_its_default_is_left_out():
    names = [w.partition("=")[0] for w in shlex.split(dl.run(PROBE, rate=10, jobs=7).recipe)[3:]]
    assert names == ["jobs", "seed", "rep"]


def test_keys_of_every_kind_of_row():
    shared = dl.sweep(LETTERS, loss=[0.1, 0.3], reps=3, seed=5)
    own = dl.sweep(LETTERS, loss=[0.1, 0.3], reps=3, seed=5, crn=False)
    part = own.sel(loss=0.3)
    for s, p, words in ((shared, 1, "rep=2"), (own, 1, "rep=2 point=1 crn=false"), (part, 0, "rep=2 key=")):
        run = s.replay(p, 2)
        assert words in run.recipe and run.recipe == s.recipe(p, 2)
        assert same(_recipe.run_recipe(run.recipe), run)


def test_choices_are_part_of_the_line():
    run = dl.run(LETTERS, choices="deliver:1,coin.1:10000", seed=3)
    assert "choices=deliver:1,coin.1:10000" in run.recipe
    assert same(_recipe.run_recipe(run.recipe), run)
    assert "choices" not in dl.run(LETTERS, record=True).recipe  # the seed says it
    asked = dl.run(LETTERS, ask=lambda options: len(options) - 1)
    assert same(_recipe.run_recipe(asked.recipe), asked)


def test_a_line_that_would_be_too_long():
    run = dl.run(STATION, jobs=10, service=dl.empirical(np.random.default_rng(1).random(20_000) / 100))
    with pytest.raises(ValueError, match="longer than 100000 characters: save the result"):
        run.recipe  # noqa: B018 - a property that computes


def test_lines_in_the_shell(inside):
    run = dl.run(LETTERS, loss=0.1, letters=5, seed=7)
    for words in (
        [run.recipe],
        ["python -m " + run.recipe],
        shlex.split(run.recipe),
        shlex.split(run.recipe)[2:],
    ):
        code, out, err = inside(*words)
        assert code == 0 and err == ""
        assert f"fingerprint {run.fingerprint:016x}" in out
        assert next(line for line in out.split("\n") if line.startswith("sent")).split()[1] == f"{run.sent:g}"
    code, out, _ = inside(LETTERS, "choices=deliver:9")
    assert code == 0 and "1 choices were not on offer" in out


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["lab.letter"], "did you mean 'lab.letters'"),
        (["nothing"], "no file nothing"),
        (["missing.npz"], "missing.npz"),
        ([LETTERS, "loss"], "'loss' is not name=value"),
        ([LETTERS, "los=1"], "did you mean 'loss'"),
        ([LETTERS, "loss=1", "loss=1"], "loss is given twice"),
        ([LETTERS, "loss=7"], "loss = 7"),
        ([LETTERS, "rep=-1"], "rep = -1 is outside 0"),
        ([LETTERS, "rep=x"], "rep = 'x'"),
        ([LETTERS, "crn=maybe"], "crn is true or false"),
        ([LETTERS, "key=xyz"], "hexadecimal"),
        ([LETTERS, "choices=boo:1"], "no kind of choice"),
        ([LETTERS, "--point", "1"], "--point picks a row of a file"),
        ([LETTERS, "--trace"], "lab.letters has no trace"),
        ([LETTERS, "--html", "no/where.html"], "existing directory"),
        ([PROBE, "classes=[1]"], "list of rows"),
        ([PROBE, "classes=[{"], "no JSON"),
        ([PROBE, 'classes=[{"wight":1}]'], "did you mean 'weight'"),
        ([PROBE, 'service={"kind":"expo"}'], "its kind is one of"),
        ([PROBE, 'service={"kind":"exponential","p":["a"]}'], "no distribution"),
        ([PROBE, 'service={"kind":"mixture","parts":[3]}'], "no distribution"),
        (["distlab replay"], "a recipe names a model"),
    ],
)
def test_mistakes_in_lines(inside, words, part):
    code, out, err = inside(*words)
    assert code == 2 and out == "" and err.count("\n") == 1 and part in err


# Rows that fail


def test_a_failing_row_names_its_line(inside):
    given = {"letters": 4, "loss": [0.01, 0.6], "attempts": 1, "insist": True, "reps": 30, "seed": 4}
    with pytest.raises(ValueError, match="row 3[0-9] .point 1, rep") as error:
        dl.sweep(LETTERS, **{**given, "loss": [0.0, 0.6]})
    text, _, line = str(error.value).partition("; to run it again: ")
    assert line.startswith("distlab replay lab.letters letters=4 attempts=1 loss=0.6 insist=true seed=4 rep=")
    with pytest.raises(ValueError) as again:
        _recipe.run_recipe(line)
    assert text.endswith(str(again.value))
    code, _, err = inside(line)
    assert code == 2 and str(again.value) in err


def test_a_budget_belongs_to_the_line():
    with pytest.raises(dl.BudgetError) as error:
        dl.sweep(LETTERS, letters=[1, 9], attempts=9, loss=0.9, reps=2, budget={"steps": 30})
    line = str(error.value).partition("again: ")[2]
    assert "budget=30" in line
    with pytest.raises(dl.BudgetError):
        _recipe.run_recipe(line)


def test_rows_in_blocks_are_named_by_their_place_in_the_sweep():
    with pytest.raises(ValueError) as whole:
        dl.sweep(PROBE, fail=["never", "range"], jobs=20, reps=40, threads=1)
    with pytest.raises(ValueError) as cut:
        dl.sweep(PROBE, fail=["never", "range"], jobs=20, reps=40, threads=1, keep={"queue_length": [0.1]})
    assert "row 40 (point 1, rep 0)" in str(whole.value) and str(cut.value) == str(whole.value)


def test_masked_rows_say_their_line():
    s = dl.sweep(LETTERS, loss=0.6, attempts=1, insist=True, reps=30, errors="mask")
    first = s.failures[0]
    assert s.recipe(first["point"], first["rep"]) in s.summary()


# Rows of files


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    s = dl.sweep(STATION, arrival_rate=[50, 90], method="events", jobs=400, reps=5, seed=3)
    return s, s.save(tmp_path_factory.mktemp("saved") / "sweep.npz")


def changed(path, tmp_path, change):
    """A copy of the file with something else in it."""
    with np.load(path) as archive:
        members = {name: archive[name] for name in archive.files}
    header = json.loads(bytes(members["header"]).decode())
    change(members, header)
    members["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    out = tmp_path / "changed.npz"
    np.savez_compressed(out, **members)
    return out


def test_a_row_of_a_file_is_the_same(inside, saved):
    s, path = saved
    for p, r in ((0, 0), (1, 4)):
        code, out, err = inside(path, "--point", p, "--rep", r)
        assert (code, err) == (0, "") and "the same result" in out
        assert f"{s.fingerprints[p, r]:016x}" in out


def test_a_file_with_one_run(inside, tmp_path):
    run = dl.run(LETTERS, choices="deliver:1,coin.1:10000")
    path = run.save(tmp_path / "run.npz")
    code, out, _ = inside(path)
    assert code == 0 and f"{run.fingerprint:016x}" in out
    assert inside(path, "--rep", 1)[0] == 2


def worse(members, _header):
    members["metrics"]["queue_length_mean"]["num"][1, 2] *= 1 + 2**-52


def other_events(members, _header):
    members["fingerprints"][1, 2] += np.uint64(1)


def other_bucket(members, _header):
    h = members["metrics"]["latency"][1, 2]
    at = int(h["at"])
    last = at + int(h["used"]) - 1
    assert members["buckets"][at] > 0 and last > at
    members["buckets"][at] -= np.uint64(1)  # one latency moves to where the longest are
    members["buckets"][last] += np.uint64(1)


@pytest.mark.parametrize(
    ("change", "part"),
    [(worse, "queue_length_mean: saved"), (other_events, "fingerprint: saved"), (other_bucket, "")],
)
def test_a_row_that_differs_is_noticed(inside, saved, tmp_path, change, part):
    path = changed(saved[1], tmp_path, change)
    code, out, _ = inside(path, "--point", 1, "--rep", 2)
    assert code == 1 and "a different result" in out and part in out
    assert inside(path, "--point", 1, "--rep", 1)[0] == 0  # the others are as they were


def test_another_version_cannot_be_judged(inside, saved, tmp_path):
    def older(members, header):
        header["provenance"]["distlab"] = "0.0.9"

    def both(members, header):
        older(members, header)
        worse(members, header)

    code, out, _ = inside(changed(saved[1], tmp_path, older), "--point", 1, "--rep", 2)
    assert code == 0 and "made by distlab 0.0.9" in out and _core.VERSION in out
    code, out, _ = inside(changed(saved[1], tmp_path, both), "--point", 1, "--rep", 2)
    assert code == 3 and "results may differ" in out and "queue_length_mean" in out


def test_a_row_that_failed_fails_again(inside, tmp_path):
    s = dl.sweep(LETTERS, loss=0.6, attempts=1, insist=True, reps=10, errors="mask")
    path = s.save(tmp_path / "masked.npz")
    bad = s.failures[0]["rep"]
    good = next(r for r in range(10) if r not in {f["rep"] for f in s.failures})
    code, out, _ = inside(path, "--rep", bad)
    assert code == 0 and "it fails as it did" in out and "unknown" in out
    assert inside(path, "--rep", good)[0] == 0

    def healed(members, header):
        header["failures"] = []

    code, out, _ = inside(changed(path, tmp_path, healed), "--rep", bad)
    assert code == 1 and "now:" in out and "unknown" in out


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--point", "2"], "point = 2 is outside 0 to 1"),
        (["--rep", "5"], "rep = 5 is outside 0 to 4"),
        (["--rep", "x"], "--rep takes an integer"),
        (["--trace"], "has no trace"),
    ],
)
def test_mistakes_about_rows(inside, saved, words, part):
    code, out, err = inside(saved[1], *words)
    assert code == 2 and out == "" and part in err


def test_a_file_that_is_not_ours(inside, tmp_path, saved):
    path = tmp_path / "text.npz"
    path.write_text("no archive")
    code, _, err = inside(path)
    assert code == 2 and "not a result saved by distlab" in err
    shutil.copy(saved[1], tmp_path / "no_ending")
    assert inside(tmp_path / "no_ending")[0] == 0


def test_the_trace_is_printed_where_there_is_one(inside, tmp_path):
    path = dl.sweep(PROBE, jobs=3, reps=2).save(tmp_path / "probe.npz")
    page = tmp_path / "page.html"
    code, out, err = inside(path, "--rep", 1, "--trace", "--html", page)
    assert (code, err) == (0, "")
    assert dl.load(path).replay(0, 1, trace=True).trace.text() in out
    assert "<html" in page.read_text()
    assert inside(PROBE, "jobs=3", "rep=1", "--trace")[0] == 0
