"""Results of sweeps: merging, selecting, replaying, saving, exporting, showing."""

import itertools
import json
import re

import numpy as np
import pytest

import distlab as dl
import probe
from distlab import _core

STATION = "queueing.station"


@pytest.fixture(scope="module")
def sweep():
    probe.register()
    service = {
        "steady": "exponential(10ms)",
        "mixed": dl.mixture((0.9, "exponential(5ms)"), (0.1, _samples())),
    }
    return dl.sweep(STATION, arrival_rate=[20, 50, 80], service=service, jobs=500, reps=6, keep=True, seed=3)


def _samples():
    return dl.empirical(np.random.default_rng(1).gamma(2, 0.02, 2000))


def same(a, b):
    """Two sweeps are equal in everything a user can see."""
    assert a.array.dtype == b.array.dtype and a.array.tobytes() == b.array.tobytes()
    assert (a.dims, a.shape, a.reps, a.seed, a.crn, a.confidence) == (
        b.dims,
        b.shape,
        b.reps,
        b.seed,
        b.crn,
        b.confidence,
    )
    assert a.provenance == b.provenance and a.failures == b.failures and a.picked == b.picked
    assert a.params == b.params or str(a.params) == str(b.params)
    for name in a.coords:
        assert a.coords[name].dtype == b.coords[name].dtype and np.array_equal(a.coords[name], b.coords[name])
        assert a.field(name) == b.field(name)
    for name, columns in a.series.items():
        assert all(np.array_equal(v, b.series[name][c], equal_nan=True) for c, v in columns.items())
    assert all(a.tables[name].tobytes() == b.tables[name].tobytes() for name in a.tables)
    assert a.quantile("latency", [0.1, 0.99]).tobytes() == b.quantile("latency", [0.1, 0.99]).tobytes()
    assert repr(a.stats("latency_p99")) == repr(b.stats("latency_p99"))


def test_merging_is_the_core_s(sweep):
    stats = sweep.stats("latency_mean")
    assert set(stats) == {"mean", "low", "high", "se", "n"} and stats["mean"].shape == (3, 2)
    pooled = sweep.array["latency_mean"].mean(axis=-1)
    assert stats["mean"] == pytest.approx(pooled) and (stats["n"] == 6).all()
    one = _core.mean_interval(np.ascontiguousarray(sweep.array["latency_mean"][1, 0]), 0.95)
    assert [stats[k][1, 0] for k in ("mean", "low", "high", "se")] == pytest.approx(one[:4])
    wide, narrow = sweep.stats("latency_mean", 0.99), sweep.stats("latency_mean", 0.5)
    assert (wide["high"] > stats["high"]).all() and (narrow["high"] < stats["high"]).all()
    assert np.array_equal(sweep.mean("latency"), stats["mean"])
    assert np.array_equal(sweep.mean()["latency_p99"], sweep.mean("latency_p99"))
    assert sweep.ci("latency_p99").shape == (3, 2, 2) and sweep.ci()["latency_p99"].shape == (3, 2, 2)
    for bad in (0, 1, 2, "a", True):
        with pytest.raises((TypeError, ValueError), match="confidence"):
            sweep.stats("latency_mean", bad)
    with pytest.raises(KeyError, match="latency_mean"):
        sweep.stats("latency_maen")


def test_quantiles_are_those_of_all_values(sweep):
    rows = sweep.tables["jobs"]
    mine = rows[(rows["point"] == 2) & (rows["job"] >= 50)]
    values = np.sort(mine["departure"] - mine["arrival"])
    q = np.array([0.1, 0.5, 0.99])
    got = sweep.quantile("latency", q)
    assert got.shape == (3, 2, 3)
    assert got[1, 0] == pytest.approx(values[np.ceil(q * values.size).astype(int) - 1], rel=0.01)
    assert sweep.quantile("latency", 0.5).shape == (3, 2)
    assert sweep.quantile("latency", 0.99) == pytest.approx(sweep.mean("latency_p99"))
    edges, counts = sweep.histogram("latency", {"arrival_rate": 50, "service": "steady"})
    assert counts.sum() == values.size and len(edges) == len(counts) + 1
    with pytest.raises(KeyError, match="'latency'"):
        sweep.quantile("latencies", 0.5)


def test_closed_forms(sweep):
    theory = sweep.theory("latency_mean")
    assert theory.shape == (3, 2) and theory[:, 0] == pytest.approx([1 / 80, 1 / 50, 1 / 20])
    assert sweep.theory("latency_max") is None
    assert sweep.theory("latency") == pytest.approx(theory, nan_ok=True)


def test_replay_is_bit_identical(sweep):
    for p, r in itertools.product(range(6), range(2)):
        assert sweep.replay(point=p, rep=r).array == sweep.array.reshape(6, 6)[p, r]
    run = sweep.replay({"arrival_rate": 80, "service": "mixed"}, 5, keep=True)
    assert run.array == sweep.array[2, 1, 5] and run.point == 5 and run.rep == 5
    assert run.params["service"].samples is None and len(run.params["service"].parts) == 2
    assert run.replay().array == run.array
    assert sweep.replay((2, 1), -1).array == run.array
    for bad in (
        6,
        -7,
        (1,),
        (3, 0),
        1.5,
        "a",
        {"arrival_rate": 20},
        {"arrival_rate": 21, "service": "mixed"},
    ):
        with pytest.raises((TypeError, ValueError)):
            sweep.replay(bad)
    with pytest.raises(KeyError, match="'service'"):
        sweep.replay({"servise": "mixed"})


def test_selecting(sweep):
    part = sweep.sel(service="mixed", arrival_rate=[80, 20])
    assert part.dims == ("arrival_rate",) and part.picked == {"service": "mixed"}
    assert np.array_equal(part.array, sweep.array[[2, 0], 1])
    assert np.array_equal(part.mean("latency_p99"), sweep.mean("latency_p99")[[2, 0], 1])
    assert part.replay(0, 3).array == sweep.array[2, 1, 3]
    assert np.array_equal(
        part.series["queue_length"]["queue_length"], sweep.series["queue_length"]["queue_length"][[2, 0], 1]
    )
    assert part.tables["jobs"]["point"].max() == 1 and (np.diff(part.tables["jobs"]["row"]) >= 0).all()
    assert sweep.sel(arrival_rate=slice(30, None)).coords["arrival_rate"].tolist() == [50, 80]
    alone = part.sel(arrival_rate=20.0)
    assert alone.dims == () and alone.array.shape == (6,) and alone.params["arrival_rate"] == 20
    assert same(sweep.sel(), sweep) is None
    for bad in (
        {"arrival_rate": 21},
        {"service": 3},
        {"service": slice(0, 1)},
        {"arrival_rate": slice(81, 90)},
        {"service": []},
    ):
        with pytest.raises((TypeError, ValueError)):
            sweep.sel(**bad)
    with pytest.raises(KeyError, match="'service'"):
        sweep.sel(servise="mixed")


def test_saving_is_bit_exact(sweep, tmp_path):
    first, second = tmp_path / "a.npz", tmp_path / "b.npz"
    sweep.save(first)
    again = dl.load(first)
    same(sweep, again)
    assert again.replay(5, 5).array == sweep.array[2, 1, 5]
    again.save(second)
    assert first.read_bytes() == second.read_bytes()
    part = sweep.sel(service="steady", arrival_rate=slice(40, 90))
    part.save(str(second))
    same(part, dl.load(str(second)))
    assert second.stat().st_size < first.stat().st_size
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.npz", "b.npz"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: dl.sweep(STATION, servers=[0, 1], errors="mask", jobs=100, reps=2),
        lambda: dl.sweep(STATION, jobs=100, reps=1, crn=False, seed=2**64 - 1, confidence=0.9),
        lambda: dl.sweep(
            STATION, dl.axis("load", [0.1, 0.5], lambda r: {"arrival_rate": 100 * r}), jobs=50, reps=2
        ),
        lambda: dl.sweep(STATION, design=[{"servers": 1}, {"servers": 2}], jobs=50, reps=2),
    ],
)
def test_saving_every_kind_of_sweep(make, tmp_path):
    sweep = make()
    sweep.save(tmp_path / "s")
    same(sweep, dl.load(tmp_path / "s"))
    assert dl.load(tmp_path / "s").aux.keys() == sweep.aux.keys()


def test_saving_tables_of_parameters(tmp_path):
    probe.register()
    tables = [
        dl.table([{"service": dl.mixture((1, "1ms"), (1, _samples()))}]),
        dl.table([{"rate": 3}, {"fast": True}]),
    ]
    sweep = dl.sweep(probe.NAME, classes=tables, reps=2)
    sweep.save(tmp_path / "s")
    again = dl.load(tmp_path / "s")
    assert again.array.tobytes() == sweep.array.tobytes()
    for p in range(2):
        assert again.replay(p).array.tobytes() == sweep.array[p, 0].tobytes()


def test_saving_a_run(tmp_path):
    run = dl.run(STATION, jobs=300, keep=True, arrival_rate=10, service=_samples())
    run.save(tmp_path / "run.npz")
    again = dl.load(tmp_path / "run.npz")
    assert again.array == run.array and again.provenance == run.provenance and again.params == run.params
    assert all(np.array_equal(again.tables[k], run.tables[k]) for k in run.tables)
    assert again.replay().array == run.array


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("x.csv", "frame().to_csv(path)"),
        ("x.CSV", "frame().to_csv(path)"),
        ("x.json", "frame().to_json(path, double_precision=15)"),
        ("x.nc", 'dataset.to_netcdf(path, engine="h5netcdf")'),
        ("x.png", "plot().save(path)"),
    ],
)
def test_a_name_that_promises_another_format_is_refused(sweep, tmp_path, name, method):
    run = dl.run(STATION, jobs=100)
    for result in (sweep, run):
        with pytest.raises(ValueError, match=re.escape(name)) as refused:
            result.save(tmp_path / name)
        assert "a NumPy archive (.npz)" in str(refused.value) and method in str(refused.value)
    assert list(tmp_path.iterdir()) == []
    pytest.importorskip("h5netcdf", reason="optional: netCDF")
    for result in (sweep, run):  # the method that is named writes it
        assert eval(f"result.{method}", {"result": result, "path": tmp_path / name}) is not result
        assert list(tmp_path.iterdir()) == [tmp_path / name]


def test_names_without_a_format_are_taken(tmp_path):
    run = dl.run(STATION, jobs=100)
    for name in ("plain", "run.2026", "a.npz"):
        assert dl.load(run.save(tmp_path / name)).array == run.array


def test_files_that_are_not_ours(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    (tmp_path / "text").write_text("hello")
    (tmp_path / "empty").write_bytes(b"")
    header = np.frombuffer(json.dumps({"format": 99}).encode(), np.uint8)
    np.savez(tmp_path / "future.npz", header=header)
    header = np.frombuffer(
        json.dumps({"format": 1, "kind": "sweep", "model": STATION, "dims": []}).encode(), np.uint8
    )
    np.savez(tmp_path / "short.npz", header=header)
    for name in ("other.npz", "text", "empty", "future.npz", "short.npz"):
        with pytest.raises(ValueError, match=name.partition(".")[0]):
            dl.load(tmp_path / name)
    with pytest.raises(OSError):
        dl.load(tmp_path / "nothing")
    for bad in (3, None, "", b"x"):
        with pytest.raises((TypeError, ValueError)):
            dl.load(bad)


def test_a_changed_byte_is_an_error_or_changes_nothing(sweep, tmp_path):
    sweep.save(tmp_path / "whole")
    whole, rng = (tmp_path / "whole").read_bytes(), np.random.default_rng(3)
    refused = 0
    for _ in range(300):
        data = bytearray(whole)
        data[rng.integers(len(data))] = rng.integers(256)
        (tmp_path / "bent").write_bytes(data)
        try:
            same(sweep, dl.load(tmp_path / "bent"))
        except ValueError as error:
            assert "bent" in str(error)
            refused += 1
    assert refused > 150


def test_provenance_says_what_makes_it_again(sweep):
    p = sweep.provenance
    assert p["model"] == STATION and p["distlab"] == dl.__version__ and p["seed"] == 3 and p["points"] == 6
    assert len(p["params_sha256"]) == 64 and "mutant" not in p
    mixed = dl.mixture((0.9, "exponential(5ms)"), (0.1, _samples()))
    call = {"arrival_rate": [20, 50, 80], "jobs": 500, "reps": 6, "seed": 3}
    again = dl.sweep(STATION, **call, service={"a": dl.exponential("10ms"), "b": mixed})
    assert again.provenance["params_sha256"] == p["params_sha256"] and again.provenance == p
    other = dl.sweep(STATION, **call, service=["exponential(10ms)", "9ms"])
    assert other.provenance["params_sha256"] != p["params_sha256"]


def test_dataset_and_frame(sweep, tmp_path):
    xarray = pytest.importorskip("xarray")
    data = sweep.dataset
    assert data["latency_mean"].dims == ("arrival_rate", "service", "rep")
    assert data["latency_mean"].attrs == {
        "units": "s",
        "long_name": data["latency_mean"].attrs["long_name"],
        "display": "ms",
    }
    assert data["arrival_rate"].attrs["units"] == "1/s" and data["time"].attrs["units"] == "s"
    assert data["queue_length"].dims == ("arrival_rate", "service", "rep", "time")
    assert data.attrs["params_sha256"] == sweep.provenance["params_sha256"]
    assert np.array_equal(data["latency_p99"].values, sweep.array["latency_p99"])
    sweep.to_netcdf(tmp_path / "s.nc")
    with xarray.open_dataset(tmp_path / "s.nc", engine="h5netcdf") as back:
        assert np.array_equal(back["latency_p99"].values, sweep.array["latency_p99"])
        assert back.attrs["model"] == STATION
    frame = sweep.frame()
    assert len(frame) == 36 and list(frame.columns[:3]) == ["arrival_rate", "service", "rep"]
    row = frame[(frame.arrival_rate == 50) & (frame.service == "mixed") & (frame.rep == 4)]
    assert row["latency_p99"].item() == sweep.array["latency_p99"][1, 1, 4]
    merged = sweep.frame(per="point")
    assert len(merged) == 6 and np.array_equal(merged["latency_p99"], sweep.mean("latency_p99").reshape(-1))
    with pytest.raises(ValueError, match="'point'"):
        sweep.frame(per="pont")
    aux = dl.sweep(
        STATION, dl.axis("load", [0.1, 0.5], lambda r: {"arrival_rate": 100 * r}), jobs=50, reps=2
    ).dataset
    assert aux["arrival_rate"].dims == ("load",)


def test_what_people_see(sweep):
    assert len(repr(sweep)) <= 100 and "arrival_rate: 3 x service: 2" in repr(sweep)
    many = dl.sweep(
        STATION, *[dl.axis(f"a_rather_long_name_{k}", [1], lambda v: {}) for k in range(6)], jobs=10, reps=1
    )
    assert len(repr(many)) <= 100
    text = sweep.summary()
    assert (
        "common random numbers" in text
        and "closed form" in text
        and all(len(t) <= 110 for t in text.split("\n"))
    )
    assert len(sweep._repr_html_().encode()) <= 8192
    assert len(sweep) == 6 and sweep.point(3) == {"arrival_rate": 50, "service": "mixed"}


def test_results_cannot_be_changed_by_accident(sweep):
    before = sweep.stats("latency_mean")["mean"]
    before[:] = 0
    assert (sweep.stats("latency_mean")["mean"] > 0).all()
    with pytest.raises(ValueError):
        sweep._rows["servers"] = 2
    params = sweep.replay(1).params["service"]
    assert params == sweep.replay(1).params["service"]


def test_plots_are_drawn(sweep):
    pytest.importorskip("matplotlib")
    assert sweep.plot() is not None and sweep.replay(0, keep=True).plot() is not None


def test_names_and_axes_that_do_not_fit(sweep):
    run = sweep.replay(0, 0, keep=True)
    name = next(iter(run.series))
    for kept in (run.series, run.tables, sweep.series):
        with pytest.raises(dl.UnknownNameError, match=f"did you mean '{name}'"):
            kept[name + "z"]
    with pytest.raises(dl.UnknownNameError, match="zz"):
        sweep.tables["zz"]
    pytest.importorskip("matplotlib")
    with pytest.raises(TypeError, match=r"\bax\b.*5"):
        sweep.plot(ax=5)
    with pytest.raises(TypeError, match=r"\by\b.*5"):
        sweep.plot(y=5)
