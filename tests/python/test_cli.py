"""The command line: what it prints, where, and with which exit code."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import distlab as dl
from distlab import _cli_run, _doctor, cli

STATION = "queueing.station"
QUICK = ["jobs=500"]


def call(*words, check=True, env=None):
    """(stdout, stderr) of one command; the code must be 0 unless it is to be looked at."""
    command = [sys.executable, "-m", "distlab", *words]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **(env or {})}, timeout=120
    )
    if check:
        assert done.returncode == 0, done.stderr
        return done.stdout
    return done


@pytest.fixture
def inside(capsys):
    """A command in this process: (code, stdout, stderr)."""

    def run(*words):
        code = cli.main(list(words))
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


def test_module_runs():
    assert STATION in call("list")
    assert call("--version").strip() == dl.__version__


def test_overview(inside):
    code, out, _ = inside("--help")
    assert code == 0 and all(name in out for name in cli.COMMANDS)
    code, _, err = inside()
    assert code == 2 and "name a command" in err


def test_list_filters_and_formats(inside):
    code, out, _ = inside("list", "station", "--format", "json")
    assert code == 0 and [m["model"] for m in json.loads(out)] == [STATION]
    code, _, err = inside("list", "nothing-like-this")
    assert code == 2 and "nothing-like-this" in err


def test_describe_is_the_docstring(inside):
    code, out, _ = inside("describe", STATION)
    assert code == 0 and out == f"{STATION}: {dl.models()[STATION].docstring()}\n"
    about = json.loads(inside("describe", STATION, "--format", "json")[1])
    assert [p["name"] for p in about["parameters"]] == dl.models()[STATION].fields.names


def test_run_gives_what_the_library_gives(inside):
    expected = dl.run(STATION, arrival_rate=90, jobs=500, seed=3)
    for words in (
        ["--arrival-rate", "90", "--jobs", "500"],
        ["arrival_rate=90", "jobs=500"],
        ["arrival-rate=90", "--jobs=500"],
    ):
        code, out, err = inside("run", STATION, *words, "--seed", "3", "--format", "json")
        assert code == 0 and err == ""
        result = json.loads(out)
        assert result["metrics"] == {k: v for k, v in expected.metrics.items()} and result["seed"] == 3
        assert result["params"]["arrival_rate"] == 90
        assert np.isclose(result["theory"]["latency_mean"], 0.1)


def test_run_table_has_display_units(inside):
    code, out, _ = inside("run", STATION, *QUICK, "--columns", "latency_mean,utilisation")
    lines = out.strip().split("\n")
    assert code == 0 and len(lines) == 3
    value = dl.run(STATION, jobs=500).metrics["latency_mean"]
    assert lines[1].split()[:3] == ["latency_mean", f"{1e3 * value:.5g}", "ms"]


def test_sweep_csv(inside):
    code, out, _ = inside(
        "sweep", STATION, "arrival_rate=10:90:3", "servers=1,2", *QUICK, "--reps", "3", "--format", "csv"
    )
    rows = list(csv.DictReader(io.StringIO(out)))
    expected = dl.sweep(STATION, arrival_rate=[10, 50, 90], servers=[1, 2], jobs=500, reps=3)
    assert code == 0 and [float(r["arrival_rate"]) for r in rows] == [10, 10, 50, 50, 90, 90]
    s = expected.stats("latency_mean")
    for key, name in (("mean", "latency_mean"), ("low", "latency_mean_low"), ("high", "latency_mean_high")):
        assert [float(r[name]) for r in rows] == s[key].ravel().tolist()


def test_sweep_json_is_strict(inside):
    code, out, _ = inside(
        "sweep", STATION, "servers=1,2", *QUICK, "--reps", "1", "--format", "json", "--no-crn"
    )
    result = json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert code == 0 and result["dims"] == ["servers"] and result["provenance"]["crn"] is False
    assert len(result["points"]) == 2 and result["points"][0]["latency_mean_low"] is None


def test_sweep_table_fits_a_terminal(inside):
    code, out, _ = inside("sweep", STATION, "arrival_rate=10,90", *QUICK, "--reps", "3")
    assert code == 0 and "3 repetitions" in out and "latency_mean in ms" in out and "±" in out
    assert max(map(len, out.split("\n")[1:])) <= 120


def test_sweep_saves_and_draws(inside, tmp_path):
    data, picture = tmp_path / "s.npz", tmp_path / "s.png"
    words = ["sweep", STATION, "arrival_rate=10:90:9", *QUICK, "--reps", "3", "--save", str(data)]
    assert inside(*words, "--plot", str(picture), "--y", "latency_p99,latency_p50")[0] == 0
    assert dl.load(data).shape == (9,) and picture.read_bytes()[:4] == b"\x89PNG"
    code, _, err = inside(*words, "--plot", str(tmp_path / "s.gif"))
    assert code == 2 and ".png" in err


FIELD = {"name": "arrival_rate", "type": "double", "unit": "1/s"}


@pytest.mark.parametrize(
    ("field", "text", "values"),
    [
        (FIELD, "10:95:18", np.linspace(10, 95, 18)),
        (FIELD, "log:1:100:3", [1, 10, 100]),
        (FIELD, "1,2,4", ["1", "2", "4"]),
        (FIELD, "7", "7"),
        ({**FIELD, "type": "int", "unit": None}, "1:10:4", [1, 4, 7, 10]),
        ({**FIELD, "type": "int", "unit": None}, "log:1:4:9", [1, 2, 3, 4]),
        ({**FIELD, "unit": "s"}, "1ms:3ms:3", [0.001, 0.002, 0.003]),
        ({**FIELD, "type": "distribution"}, "mixture(0.9: constant(1), 0.1: constant(2)),constant(3)",
         ["mixture(0.9: constant(1), 0.1: constant(2))", "constant(3)"]),
        ({**FIELD, "type": "choice"}, "fifo,lifo", ["fifo", "lifo"]),
    ],
)  # fmt: skip
def test_axis_texts(field, text, values):
    found = _cli_run.axis_values(field, text)
    if isinstance(found, np.ndarray):
        assert np.allclose(found, values)
    else:
        assert found == values


MISTAKES = [
    (["lst"], "did you mean 'list'"),
    (["run", "queueing.staton"], "did you mean 'queueing.station'"),
    (["run", "--seed", "3"], "needs the model first"),
    (["run", STATION, "--arival-rate", "90"], "did you mean '--arrival-rate'"),
    (["run", STATION, "arival_rate=90"], "did you mean 'arrival_rate'"),
    (["run", STATION, "arrival_rate"], "is not name=value"),
    (["run", STATION, "arrival_rate=1", "--arrival-rate", "2"], "given twice"),
    (["run", STATION, "arrival_rate=-5"], "arrival_rate = -5 is outside"),
    (["run", STATION, "arrival_rate=10ms"], "arrival_rate"),
    (["run", STATION, "service=exponental(5ms)"], "exponential"),
    (["run", STATION, "--seed", "x"], "--seed takes an integer"),
    (["run", STATION, "--seed"], "--seed"),
    (["run", STATION, "--format", "xml"], "invalid choice"),
    (["run", STATION, "--columns", "latency_p98"], "latency_p9"),
    (["sweep", STATION, "arrival_rate=1:2"], "low:high:count"),
    (["sweep", STATION, "arrival_rate=log:0:2:3"], "positive"),
    (["sweep", STATION, "arrival_rate=1,,2"], "empty value"),
    (["sweep", STATION, "arrival_rate=10,20", "--reps", "0"], "reps"),
    (["sweep", STATION, "--confidence", "2"], "confidence"),
    (["describe", "station"], "queueing.station"),
    (["list", "--frmat", "csv"], "--frmat"),
]


@pytest.mark.parametrize(
    ("words", "part"), MISTAKES, ids=lambda v: " ".join(v) if isinstance(v, list) else ""
)
def test_mistakes_are_one_line_and_code_2(inside, words, part):
    code, out, err = inside(*words)
    assert code == 2 and out == "" and len(err.strip().split("\n")) == 1, err
    assert err.startswith("distlab: ") and part in err


def test_mistake_in_a_process_of_its_own():
    done = call("run", STATION, "arrival_rate=-5", check=False)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1


def test_warning_is_one_line_on_stderr():
    done = call("run", STATION, "arrival_rate=120", "jobs=500", check=False)
    assert (
        done.returncode == 0 and done.stderr.startswith("distlab: warning: ") and done.stderr.count("\n") == 1
    )


def test_help_lists_the_parameters(inside):
    code, out, _ = inside("run", STATION, "--help")
    assert code == 0 and "--arrival-rate" in out and "--warmup-fraction" in out and "(default 80/s)" in out
    code, out, _ = inside("sweep", STATION, "-h")
    assert code == 0 and "--no-crn" in out and "--reps" in out


def test_tables_are_rows_as_text_or_json(inside):
    rpc, plan = "links.rpc_ambiguity", '[{"kind":"crash","node":1,"time":"5s","duration":"constant(2s)"}]'
    one = dl.faults(dl.fault("crash", node=1, at=5, lasts=2))
    expected = float(dl.run(rpc, calls=20, faults=one).metrics["success_ratio"])
    assert expected < float(dl.run(rpc, calls=20).metrics["success_ratio"])
    code, out, _ = inside("run", rpc, "--calls", "20", f"faults={plan}", "--format", "json")
    assert code == 0 and json.loads(out)["metrics"]["success_ratio"] == expected
    more = ("--reps", "3", "--format", "json", "--columns", "success_ratio")
    code, out, _ = inside("sweep", rpc, "calls=20", "request_loss=0,0.2", "--faults", plan, *more)
    sweep = dl.sweep(rpc, calls=20, request_loss=[0, 0.2], faults=one, reps=3)
    assert code == 0 and all(str(m) in out for m in sweep.mean("success_ratio"))
    short = "kind=crash, node=1, time=5s, duration=constant(value=2s);"
    for words in (("--faults", short), (f"faults={short}",)):
        code, out, _ = inside("run", rpc, "calls=20", *words, "--format", "json")
        assert code == 0 and json.loads(out)["metrics"]["success_ratio"] == expected
    code, out, _ = inside("sweep", rpc, "calls=20", "request_loss=0,0.2", "--faults", short, *more)
    assert code == 0 and all(str(m) in out for m in sweep.mean("success_ratio"))
    code, out, _ = inside("run", rpc, "calls=20", "faults=none", "--format", "json")
    assert code == 0 and json.loads(out)["metrics"]["success_ratio"] > expected
    for text, said in (
        ("crash", "'crash' is not column=value; rows are \"time=1"),
        ("kind=crash, kind=pause", "row 0: kind is given twice"),
        ("kid=crash", "did you mean 'kind'"),
        ("kind=crash, time=soon", "faults: time"),
        ('[{"kind":', "is no JSON"),
        ('[{"kid":"crash"}]', "did you mean 'kind'"),
    ):
        for command in ("run", "sweep"):
            code, _, err = inside(command, rpc, f"faults={text}")
            assert code == 2 and said in err and err.count("\n") == 1


def test_help_of_whatif_says_one_per_cent(inside):
    code, out, _ = inside("whatif", "--help")
    assert code == 0 and "loss < 1%'" in out


def test_replay_of_a_damaged_file_is_a_mistake(inside, tmp_path):
    file = tmp_path / "s.npz"
    dl.sweep(STATION, jobs=100, reps=2).save(file)
    data = bytearray(file.read_bytes())
    data[80:120] = bytes(40)  # inside of the first packed member
    file.write_bytes(data)
    code, _, err = inside("replay", str(file))
    assert code == 2 and "damaged" in err and err.count("\n") == 1


def test_interrupt_is_130():
    command = [sys.executable, "-m", "distlab", "sweep", STATION, "jobs=100000000", "--reps", "200"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(2)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    start = time.monotonic()
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130 and "interrupted" in err and time.monotonic() - start < 5


def test_closed_pipe_is_no_error():
    command = f"{sys.executable} -m distlab describe {STATION} | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert done.stderr == "" and done.stdout.startswith(STATION)


def test_start_up_imports_numpy_only():
    code = "import sys; from distlab.cli import main; main(['list']); print(sorted(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"matplotlib", "xarray", "pandas", "IPython", "tqdm", "scipy"} & set(
        out.replace("'", "").split()
    )


def test_config_names_what_is_there(inside):
    facts = _doctor.config()
    code, out, _ = inside("config")
    assert code == 0 and out.startswith(f"version: {dl.__version__}")
    assert inside("config", "--version")[1].strip() == dl.__version__
    if isinstance(facts["libs"], Exception):
        assert inside("config", "--libs")[0] == 2
        return
    flags = inside("config", "--cflags", "--libs")[1].split()
    assert any(f.startswith("-I") for f in flags) and {"-ldistlab", "-lm", "-pthread"} <= set(flags)
    assert os.path.exists(os.path.join(facts["includedir"], "distlab", "sweep.h"))


def test_doctor_is_content(inside):
    code, out, _ = inside("doctor")
    assert code == 0, out
    assert "check known stream: ok" in out and "check theory: ok" in out and "cores" in out and "numpy" in out


def test_doctor_notices_a_wrong_stream(inside, monkeypatch):
    monkeypatch.setattr(_doctor, "KNOWN_KEY", 1)
    code, out, _ = inside("doctor")
    assert code == 1 and "check known stream: FAILED" in out


def test_missing_extra_names_the_pip_line():
    assert _doctor._extra("sweep", ("numpy", "no_such_package")) == (
        "missing no_such_package: pip install 'distlab[sweep]'"
    )


def test_notebooks_never_overwrite_changes(inside, tmp_path):
    target = tmp_path / "lab"
    code, out, _ = inside("notebooks", str(target))
    lessons = sorted(target.rglob("*.ipynb"))
    assert code == 0 and lessons and "copied" in out
    assert not list(target.rglob(".*"))
    lessons[0].write_text("mine")
    code, out, _ = inside("notebooks", str(target))
    assert code == 0 and "1 changed files kept" in out and lessons[0].read_text() == "mine"
    code, out, _ = inside("notebooks", str(target), "--force")
    assert code == 0 and "1 files copied" in out and lessons[0].read_text() != "mine"
    (tmp_path / "file").write_text("")
    assert inside("notebooks", str(tmp_path / "file"))[0] == 2


def test_files_that_cannot_be_written_are_refused_before_the_sweep(inside, tmp_path, monkeypatch):
    monkeypatch.setattr(dl, "sweep", lambda *a, **k: pytest.fail("the sweep ran"))
    monkeypatch.setattr(dl, "run", lambda *a, **k: pytest.fail("the model ran"))
    missing = tmp_path / "no" / "such"
    for command, option, path, word in (
        ("sweep", "--save", missing / "s.npz", "no directory"),
        ("sweep", "--save", tmp_path, "is a directory"),
        ("sweep", "--save", tmp_path / "s.csv", "--format csv"),
        ("sweep", "--plot", missing / "s.png", "no directory"),
        ("sweep", "--plot", tmp_path / "s.gif", ".png"),
        ("run", "--plot", tmp_path / "s", ".png"),
    ):
        code, out, err = inside(command, STATION, "servers=1", option, str(path))
        assert code == 2 and out == "" and word in err and option in err


def test_pairs_may_stand_after_options(inside):
    words = ("--format", "json", "jobs=500", "--service", "exponential(mean=5ms)", "servers=2")
    code, out, err = inside("run", STATION, "arrival_rate=90", *words)
    params = json.loads(out)["params"]
    assert code == 0 and err == "" and (params["servers"], params["arrival_rate"]) == (2, 90)
    code, _, err = inside("run", STATION, "servers=2", "--sreed", "3", "jobs=500")
    assert code == 2 and "--sreed" in err and "--seed" in err


@pytest.mark.parametrize("command", ["run", "sweep"])
def test_a_model_is_needed(inside, command):
    code, out, err = inside(command)
    assert code == 2 and out == "" and "needs a model" in err and err.count("\n") == 1
