"""`python -m distlab export`: results, traces and tables as files of other formats, by their endings."""

import json
import math

import numpy as np
import pytest

import distlab as dl
from distlab import _core, _save, _trace_export, cli

STATION, RAFT = "queueing.station", "consensus.raft"
SHORT = {"nodes": 3, "duration": 1.0}
pandas = pytest.importorskip("pandas", reason="optional: pandas")


@pytest.fixture
def inside(capsys):
    """A command in this process: (code, stdout, stderr)."""

    def run(*words):
        code = cli.main(["export", *map(str, words)])
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    s = dl.sweep(STATION, arrival_rate=[50, 90], method="events", jobs=300, reps=3, seed=3, keep="jobs")
    return s, s.save(tmp_path_factory.mktemp("saved") / "sweep.npz")


@pytest.fixture(scope="module")
def raft(tmp_path_factory):
    s = dl.sweep(RAFT, loss=[0.0, 0.1], reps=2, seed=7, **SHORT)
    return s, s.save(tmp_path_factory.mktemp("raft") / "raft.npz")


def same_numbers(frame, array, relative):
    """Every column of the result, row after row."""
    for name in array.dtype.names:
        found, known = np.asarray(frame[name], np.float64), array[name].reshape(-1)
        finite = np.isfinite(known)
        assert not np.isfinite(found[~finite]).any(), name
        error = np.abs(found[finite] - known[finite])
        assert (error <= relative * np.abs(known[finite]) + (1e-15 if relative else 0)).all(), name


# Results


def test_csv_gives_back_every_bit(inside, saved, tmp_path):
    s, path = saved
    out = tmp_path / "s.csv"
    assert inside(path, out) == (0, f"wrote {out}\n", "")
    frame = pandas.read_csv(out, index_col=0)
    same_numbers(frame, s.array, 0)
    assert frame["arrival_rate"].tolist() == [50] * 3 + [90] * 3 and frame["rep"].tolist() == [0, 1, 2] * 2


def test_json_gives_back_fifteen_decimals(inside, saved, tmp_path):
    s, path = saved
    assert inside(path, tmp_path / "s.json")[0] == 0
    columns = json.loads((tmp_path / "s.json").read_text())
    frame = {n: [math.nan if v is None else v for v in c.values()] for n, c in columns.items()}
    same_numbers(frame, s.array, 2**-50)


def test_netcdf_and_npy_give_back_every_bit(inside, saved, tmp_path):
    xarray = pytest.importorskip("xarray", reason="optional: netCDF")
    pytest.importorskip("h5netcdf", reason="optional: netCDF")
    s, path = saved
    assert inside(path, tmp_path / "s.nc")[0] == inside(path, tmp_path / "s.npy")[0] == 0
    with xarray.open_dataset(tmp_path / "s.nc", engine="h5netcdf") as data:
        assert data.attrs["model"] == STATION and data["latency_mean"].attrs["units"] == "s"
        for name in s.array.dtype.names:
            assert np.array_equal(data[name].values, s.array[name], equal_nan=True), name
    assert np.load(tmp_path / "s.npy").tobytes() == s.array.tobytes()


def test_each_ending_is_what_the_call_named_by_save_writes(inside, saved, tmp_path):
    s, path = saved
    run = dl.run(STATION, jobs=100)
    single = run.save(tmp_path / "run.npz")
    for ending, words in _save.OTHERS.items():
        for result, file in ((s, path), (run, single)):
            out, direct = tmp_path / f"exported{ending.upper()}", tmp_path / f"direct{ending}"
            code, _, err = inside(file, out)
            try:
                eval(words if words.startswith("numpy") else f"result.{words}",
                     {"result": result, "path": direct, "numpy": np})  # fmt: skip
            except ImportError as missing:  # an extra that is not installed
                assert (
                    code == 2 and err == f"distlab: {' '.join(str(missing).split())}\n" and not out.exists()
                )
                continue
            assert (code, err) == (0, "")
            if ending in (".csv", ".json", ".html", ".npy", ".png"):
                assert out.read_bytes() == direct.read_bytes()
            assert out.stat().st_size > 0 and not list(tmp_path.glob("*.partial*"))


def test_a_line_is_run_and_written(inside, tmp_path):
    run = dl.run(STATION, jobs=100, seed=7)
    for words in (run.recipe.split(), [run.recipe], [STATION, "jobs=100", "seed=7"]):
        assert inside(*words, tmp_path / "run.csv")[0] == 0
        frame = pandas.read_csv(tmp_path / "run.csv", index_col=0)
        assert frame["value"]["latency_mean"] == run.latency_mean and list(frame.index) == list(run.metrics)


# Traces and tables


def test_each_form_of_a_trace_is_what_its_method_writes(inside, raft, tmp_path):
    s, path = raft
    trace = s.replay(1, 0, trace=True).trace
    for ending, (words, _) in _trace_export.WAYS.items():
        out, direct = tmp_path / f"exported{ending}", tmp_path / f"direct{ending}"
        code, _, err = inside(path, out, "--trace", "--point", 1)
        assert (code, err) == (0, ""), ending
        made = eval(f"trace.{words}", {"trace": trace, "path": direct})
        if words == "text()":
            direct.write_text(f"{made}\n", encoding="utf-8")
        assert out.stat().st_size > 0 and direct.stat().st_size > 0
        if ending not in (".svg", ".pdf"):  # where matplotlib makes up names anew each time
            assert out.read_bytes() == direct.read_bytes(), ending
    assert len((tmp_path / "exported.jsonl").read_text().splitlines()) == len(trace)


def test_traces_of_lines_and_of_runs(inside, tmp_path):
    run = dl.run(RAFT, seed=7, trace=True, **SHORT)
    kept = run.save(tmp_path / "kept.npz")
    bare = dl.run(RAFT, seed=7, **SHORT).save(tmp_path / "bare.npz")
    for words in ([kept], [bare], [RAFT, "nodes=3", "duration=1s", "seed=7"]):
        assert inside(*words, tmp_path / "run.txt", "--trace")[0] == 0
        assert (tmp_path / "run.txt").read_text(encoding="utf-8") == run.trace.text() + "\n"


def test_tables(inside, saved, tmp_path):
    s, path = saved
    assert inside(path, tmp_path / "all.csv", "--table", "jobs")[0] == 0
    whole = pandas.read_csv(tmp_path / "all.csv", index_col=0)
    assert list(whole.columns) == list(s.tables["jobs"].dtype.names)
    for name in whole.columns:
        assert np.array_equal(whole[name], s.tables["jobs"][name], equal_nan=True)
    assert inside(path, tmp_path / "one.npy", "--table", "jobs", "--point", 1, "--rep", 2)[0] == 0
    row = s.replay(1, 2, keep="jobs").tables["jobs"]
    assert np.load(tmp_path / "one.npy").tobytes() == row.tobytes() and len(row) == 300
    assert inside(STATION, "jobs=50", tmp_path / "line.json", "--table", "jobs")[0] == 0
    line = pandas.read_json(tmp_path / "line.json")
    known = dl.run(STATION, jobs=50, keep="jobs").tables["jobs"]
    assert np.allclose(line["departure"], known["departure"], rtol=0, atol=1e-15 + 2**-50)
    bare = dl.sweep(STATION, jobs=50, reps=2).save(tmp_path / "bare.npz")
    code, _, err = inside(bare, tmp_path / "no.csv", "--table", "jobs")
    assert code == 2 and "kept: none" in err and "--point P" in err
    assert inside(bare, tmp_path / "no.csv", "--table", "jobs", "--rep", 1)[0] == 0


@pytest.mark.parametrize(("version", "expected"), [(None, 1), ("0.0.9", 3)])
def test_a_row_that_is_no_longer_what_was_saved_is_told(inside, raft, tmp_path, version, expected):
    with np.load(raft[1]) as archive:
        members = {name: archive[name] for name in archive.files}
    members["fingerprints"][1, 0] += np.uint64(1)
    header = json.loads(bytes(members["header"]).decode())
    header["provenance"]["distlab"] = version or _core.VERSION
    members["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    np.savez(tmp_path / "changed.npz", **members)
    code, _, err = inside(tmp_path / "changed.npz", tmp_path / "t.txt", "--trace", "--point", 1)
    assert code == expected and "differs from the saved one" in err and "fingerprint" in err
    assert ("0.0.9" in err) == (version is not None)
    assert inside(tmp_path / "changed.npz", tmp_path / "t.txt", "--trace")[0] == 0


# Mistakes


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "export needs a result and the file to write"),
        (["S"], "export needs a result and the file to write"),
        (["S", "T/s.cvs"], ".cvs is not among .csv, .json, .xlsx, .parquet, .html, .nc, .npy"),
        (["S", "T/s.cvs"], "did you mean '.csv'?"),
        (["S", "T/s"], "no ending is not among"),
        (["S", "T/.csv"], "no ending is not among"),
        (["S", "T/s.npz"], ".npz is not among"),
        (["S", "T/s.jsonl"], ".jsonl goes with --trace"),
        (["S", "T/s.perfetto.json"], ".perfetto.json goes with --trace"),
        (["R", "T/s.parquet", "--trace"], ".parquet is not among .txt, .jsonl, .perfetto.json, .shiviz"),
        (["R", "T/s.shivis", "--trace"], "did you mean '.shiviz'?"),
        (["S", "T/s.png", "--table", "jobs"], "export with --table cannot write"),
        (["S", "T/s.csv", "--table", "job"], "did you mean 'jobs'?"),
        (["S", "T/s.csv", "--trace", "--table", "jobs"], "exclude each other"),
        (["S", "T/s.txt", "--trace"], "queueing.station has no trace (models with one: "),
        (["S", "T/s.csv", "--trac"], "did you mean '--trace'?"),
        (["S", "T/s.csv", "--rep", "1"], "--rep picks the row of --trace or --table"),
        (["R", "T/s.txt", "--trace", "--rep", "2"], "rep = 2 is outside"),
        (["R", "T/s.txt", "--trace", "--point", "x"], "--point takes an integer"),
        (["S", "T/no/such/s.csv"], "there is no directory"),
        (["S", "T"], "is not among"),
        (["T/nothing.npz", "T/s.csv"], "nothing.npz: there is no such file"),
        (["nothing", "T/s.csv"], "there is no file nothing, and no model is called that"),
        (["queueing.staton", "T/s.csv"], "did you mean 'queueing.station'?"),
        ([STATION, "jbs=3", "T/s.csv"], "did you mean 'jobs'?"),
        ([STATION, "T/s.csv", "--table", "job"], "did you mean 'jobs'?"),
        ([STATION, "T/s.csv", "--rep", "3"], "a line says it itself, as rep=N"),
        (["O", "T/s.csv"], "is not a result saved by distlab, or damaged"),
        (["T", "T/s.csv"], "Is a directory"),
    ],
)
def test_mistakes_are_one_line_and_leave_no_file(inside, saved, raft, tmp_path, words, part):
    other = tmp_path / "other.npz"
    other.write_bytes(b"no archive")
    names = {"S": saved[1], "R": raft[1], "O": other, "T": tmp_path}
    given = [str(names.get(w, w)).replace("T/", f"{tmp_path}/", w.startswith("T/")) for w in words]
    code, out, err = inside(*given)
    assert code == 2 and out == "" and err.count("\n") == 1 and part in err, err
    assert list(tmp_path.iterdir()) == [other]


def test_a_file_is_never_written_over_itself_and_others_are(inside, saved, tmp_path):
    s, _ = saved
    s.save(tmp_path / "s.npz")
    (tmp_path / "s.npz").rename(tmp_path / "s.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "s.csv")
    before = (tmp_path / "s.csv").read_bytes()
    for out in ("s.csv", "link.csv"):
        code, _, err = inside(tmp_path / "s.csv", tmp_path / out)
        assert code == 2 and "this is the file to read" in err
    assert (tmp_path / "s.csv").read_bytes() == before
    (tmp_path / "old.csv").write_text("old")
    assert inside(tmp_path / "s.csv", tmp_path / "old.csv")[0] == 0
    assert len(pandas.read_csv(tmp_path / "old.csv")) == 6


def test_a_writer_that_fails_leaves_the_old_file(inside, saved, tmp_path, monkeypatch):
    def half(_result, path):
        with open(path, "w") as file:
            file.write("half")
        raise OSError("the disk is full")

    monkeypatch.setitem(_save.WAYS, ".csv", ("", half))
    (tmp_path / "s.csv").write_text("old")
    assert inside(saved[1], tmp_path / "s.csv") == (2, "", "distlab: the disk is full\n")
    assert (tmp_path / "s.csv").read_text() == "old" and list(tmp_path.iterdir()) == [tmp_path / "s.csv"]


def test_help_lists_every_ending(inside):
    code, out, _ = inside("--help")
    assert code == 0 and "examples:" in out
    for ending, (words, _) in [*_save.WAYS.items(), *_trace_export.WAYS.items()]:
        assert ending in out and words in out
