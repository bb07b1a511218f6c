"""Checkpoints: what is killed goes on, nothing is run twice or lost, and foreign files are left alone."""

import json
import os
import random
import shutil
import signal
import sqlite3
import stat
import tempfile
import time
from pathlib import Path

import pytest

import distlab as dl
import probe
from distlab import _checkpoint, _executor
from sweep_driver import digest
from test_executors import EVERYTHING, STATION, end, lines_of, spawn, start


def sweep(**more):
    return dl.sweep(STATION, **(EVERYTHING | more))


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "sweep.sqlite")


@pytest.fixture
def ran(monkeypatch):
    """The rows that are run, as rectangles."""
    inner, seen = _executor.run_task, []

    def noted(task):
        seen.append(task["where"])
        return inner(task)

    monkeypatch.setattr(_executor, "run_task", noted)
    return seen


def rows_in(path):
    """The rows a file holds, read behind the package's back: a list of (point, rep)."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        every = db.execute("SELECT point, rep, points, reps FROM tasks").fetchall()
    finally:
        db.close()
    return [(p, r) for p0, r0, n, m in every for p in range(p0, p0 + n) for r in range(r0, r0 + m)]


def cells(rectangles):
    return [(p, r) for p0, p1, r0, r1 in rectangles for p in range(p0, p1) for r in range(r0, r1)]


# Going on


def test_the_same_result_with_a_file_and_from_it(path, ran):
    expected = digest(sweep())
    assert digest(sweep(checkpoint=path)) == expected and sorted(cells(ran)) == sorted(rows_in(path))
    ran.clear()
    before = Path(path).read_bytes()
    assert digest(sweep(checkpoint=path)) == expected and not ran
    assert digest(sweep(checkpoint=path, executor="processes", threads=1)) == expected and not ran
    assert Path(path).read_bytes() == before


@pytest.mark.parametrize("least", ["keep", "whole"])
def test_more_and_fewer_repetitions_use_what_is_there(path, ran, least):
    keep = {"queue_length": 5, "jobs": None} if least == "whole" else EVERYTHING["keep"]
    sweep(checkpoint=path, reps=5, keep=keep)
    ran.clear()
    assert digest(sweep(checkpoint=path, reps=3, keep=keep)) == digest(sweep(reps=3, keep=keep)) and not ran
    assert digest(sweep(checkpoint=path, reps=8, keep=keep)) == digest(sweep(reps=8, keep=keep))
    assert sorted(cells(ran)) == [(p, r) for p in range(6) for r in (5, 6, 7)]


@pytest.mark.filterwarnings("ignore:.*miss the precision")
def test_a_precision_goes_on_too(path, ran):
    how = {"precision": 1e-4, "reps": 2, "keep": None}
    sweep(checkpoint=path, reps_max=4, **how)
    ran.clear()
    assert digest(sweep(checkpoint=path, reps_max=7, **how)) == digest(sweep(keep=None))
    assert sorted(cells(ran)) == [(p, r) for p in range(6) for r in (4, 5, 6)]


def test_masked_errors_are_kept(path, ran):
    broken = {"servers": [0, 1], "errors": "mask"}
    first = sweep(checkpoint=path, **broken)
    ran.clear()
    again = sweep(checkpoint=path, **broken)
    assert not ran and again.failures == first.failures == sweep(**broken).failures
    assert len(again.failures) == 21 and digest(again) == digest(first)
    out = {"jobs": [600, 60_000], "budget": {"steps": 9000}, "keep": None}
    other = path + "2"
    sweep(checkpoint=other, errors="mask", **out)
    with pytest.raises(ValueError, match=r"holds 42 rows that failed: go on with errors='mask'"):
        sweep(checkpoint=other, **out)


def test_what_is_finished_stays_when_a_row_fails_and_the_mask_goes_on(path, ran):
    out = {"jobs": [600, 60_000], "budget": {"steps": 9000}, "keep": None, "servers": 1, "arrival_rate": 50}
    with pytest.raises(dl.BudgetError, match="to run it again"):
        sweep(checkpoint=path, **out)
    there = set(rows_in(path))
    assert there == {(0, r) for r in range(7)}
    ran.clear()
    assert digest(sweep(checkpoint=path, errors="mask", **out)) == digest(sweep(errors="mask", **out))
    assert not there & set(cells(ran))


def test_an_empty_histogram_says_nothing_of_its_worker(path):
    """A call never answered has no latency; where its cells would lie must not depend on who ran it."""
    lost = {"request_loss": [0.5, 1.0], "calls": 50, "reps": 30, "seed": 3}
    one = dl.sweep("links.rpc_ambiguity", threads=1, **lost)
    assert (one._metrics["latency"]["used"] == 0).any()
    for how in ({"threads": 2}, {"checkpoint": path}):
        assert digest(dl.sweep("links.rpc_ambiguity", **lost, **how)) == digest(one)


def test_progress_begins_where_the_file_ends(path):
    sweep(checkpoint=path, reps=5)
    seen = []
    sweep(checkpoint=path, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (30, 42) and seen[-1] == (42, 42)


# Killed


@pytest.fixture
def server():
    child = spawn()
    yield child
    end(child)


def killed_at(server, log, tasks, delay, **given):
    """What a driver printed that is killed some time after so many tasks (nothing: it was in the middle)."""
    server.stdin.write(json.dumps({"log": str(log), **given}) + "\n")
    server.stdin.flush()
    pid, said = server.stdout.readline().strip(), [""]
    while sum(what != "begin" for _, what, _ in lines_of(log)) <= tasks:
        time.sleep(0.002)
    time.sleep(delay)
    os.kill(int(pid), signal.SIGKILL)
    while said[-1] != "ended":
        said.append(server.stdout.readline().strip())
    return [line for line in said if line not in ("", "ready", "ended")]


def test_twenty_kills_and_no_row_twice(tmp_path, server):
    """kill -9 of the driver at random moments of a sweep: what the file held then is never begun again."""
    rng, path = random.Random(11), str(tmp_path / "sweep.sqlite")
    how = {
        "arrival_rate": [50, 60, 70, 80, 90], "jobs": 3000, "method": "events", "reps": 200, "seed": 3,
        "keep": {"queue_length": 9}, "checkpoint": path,
    }  # fmt: skip
    there, grown = set(), 0
    for kill in range(20):
        kind = "processes" if kill % 5 == 4 else "threads"
        log = tmp_path / f"log{kill}"  # its own: a worker outlives its driver by some milliseconds
        moment = {"tasks": rng.randrange(8), "delay": rng.uniform(0, 0.02)}
        assert not killed_at(server, log, executor=kind, task=0.004, **moment, **how)
        begun = cells(where for _, what, where in lines_of(log) if what == "begin")
        held = rows_in_after_a_kill(path)
        assert len(begun) == len(set(begun)) and not there & set(begun)
        assert len(held) == len(set(held)) and there <= set(held) <= there | set(begun)
        grown, there = grown + (len(held) > len(there)), set(held)
    assert grown >= 10 and len(there) < 1000
    again = dl.sweep(STATION, **how)
    assert sorted(rows_in(path)) == [(p, r) for p in range(5) for r in range(200)]
    assert digest(again) == digest(dl.sweep(STATION, **{**how, "checkpoint": None}))


def rows_in_after_a_kill(path):
    """The rows a file holds for the next driver, which rolls back what was being written: in a copy."""
    with tempfile.TemporaryDirectory() as folder:
        for name in (path, path + "-journal"):
            if os.path.exists(name):
                shutil.copy(name, folder)
        if not os.path.exists(path):
            return []
        db = sqlite3.connect(os.path.join(folder, os.path.basename(path)))
        if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            db.close()
            return []
        db.close()
        return rows_in(os.path.join(folder, os.path.basename(path)))


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_an_interrupt_loses_nothing_that_is_finished(tmp_path, kind):
    path, log = str(tmp_path / "sweep.sqlite"), tmp_path / "log"
    how = {"jobs": 20_000, "method": "events", "reps": 4000}
    child = start(executor=kind, log=str(log), task=0.02, checkpoint=path, **how)
    try:
        while sum(what == "done" for _, what, _ in lines_of(log)) < 5:
            time.sleep(0.01)
        os.kill(child.pid, signal.SIGINT)
        assert float(child.stdout.readline()) > 0
    finally:
        end(child)
    finished = set(cells(where for _, what, where in lines_of(log) if what == "done"))
    assert 5 <= len(finished) < 4000 and finished <= set(rows_in(path))


# Refused


def test_another_sweep_is_refused(path):
    sweep(checkpoint=path, keep=None)
    before = Path(path).read_bytes()
    for words, more in (
        ("seed is 3 there and 4 here", {"seed": 4}),
        ("jobs is 600 there and 601 here", {"jobs": 601}),
        ("points is 6 there and 4 here; arrival_rate is", {"arrival_rate": [50, 90]}),
        ("crn is True there and False here", {"crn": False}),
        ("keep is {} there and {'jobs': True} here", {"keep": "jobs"}),
        ("budget steps is 0 there and 100000 here", {"budget": {"steps": 100_000}}),
        ("service is", {"service": "lognormal(median=5ms, p99=80ms)"}),
    ):
        with pytest.raises(ValueError, match="belongs to another sweep") as caught:
            sweep(**{"keep": None, "checkpoint": path, **more})
        assert words in str(caught.value) and path in str(caught.value)
    dl.register(probe.address("probe_tiny"))
    with pytest.raises(ValueError, match="model is queueing.station there and lab.tiny here$"):
        dl.sweep("lab.tiny", checkpoint=path)
    assert Path(path).read_bytes() == before
    assert digest(sweep(checkpoint=path, keep=None)) == digest(sweep(keep=None))


def test_another_version_or_build_is_refused(path, monkeypatch):
    sweep(checkpoint=path, keep=None)
    with monkeypatch.context() as patch:
        patch.setattr(_checkpoint, "_build", lambda: "feedfeedfeedfeed")
        with pytest.raises(ValueError, match="another build of distlab"):
            sweep(checkpoint=path, keep=None)
    db = sqlite3.connect(path)
    with db:
        db.execute("UPDATE sweep SET value = '0.0.9' WHERE name = 'version'")
    db.close()
    with pytest.raises(ValueError, match=r"version is 0.0.9 there and .* here$"):
        sweep(checkpoint=path, keep=None)


def test_foreign_and_damaged_files_are_refused_and_left_alone(tmp_path, path):
    sweep(checkpoint=path)
    good = bytearray(Path(path).read_bytes())
    foreign = tmp_path / "foreign.sqlite"
    db = sqlite3.connect(foreign)
    with db:
        db.execute("CREATE TABLE tasks (point INTEGER)")
    db.close()
    middle, newer = bytearray(good), bytearray(good)
    middle[len(good) // 2 : len(good) // 2 + 3000] = bytes(3000)
    newer[63] = 9
    cases = {
        "text": (b"not a database, but somebody's thesis", "no SQLite file"),
        "foreign": (foreign.read_bytes(), "SQLite file that distlab did not write"),
        "head": (bytes(good[:60]), "SQLite file that distlab did not write"),
        "short": (bytes(good[: len(good) // 2 // 4096 * 4096]), "damaged and left as it is"),
        "middle": (bytes(middle), "damaged and left as it is"),
        "newer": (bytes(newer), "has format 9; this version reads format 1"),
    }
    for name, (content, words) in cases.items():
        file = tmp_path / name
        file.write_bytes(content)
        with pytest.raises(ValueError, match=words) as caught:
            sweep(checkpoint=file)
        assert str(file) in str(caught.value)
        assert file.read_bytes() == content, name
        assert not (tmp_path / f"{name}-journal").exists()
    (tmp_path / "empty").touch()
    assert digest(sweep(checkpoint=tmp_path / "empty")) == digest(sweep())


def test_every_byte_matters_or_does_not_change_the_result(path):
    """Junk in a file gives the same result, or a refusal: never another result, never a crash."""
    few = {"keep": None, "servers": 1, "reps": 2}
    expected = digest(sweep(checkpoint=path, **few))
    good, rng, refused = Path(path).read_bytes(), random.Random(3), 0
    for _ in range(60):
        bad = bytearray(good)
        for _ in range(rng.choice([1, 8])):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        Path(path).write_bytes(bad)
        try:
            assert digest(sweep(checkpoint=path, **few)) == expected
        except (ValueError, OSError) as error:
            refused += 1
            assert path in str(error)
    assert refused > 5


def test_what_is_no_place_for_a_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no directory"):
        sweep(checkpoint=tmp_path / "none" / "sweep.sqlite")
    for bad in (tmp_path, "/dev/null"):
        with pytest.raises(ValueError, match="no ordinary file"):
            sweep(checkpoint=bad)
    for bad in (3, True, b"\xff", "", "a\0b"):
        with pytest.raises((TypeError, ValueError), match="checkpoint"):
            sweep(checkpoint=bad)
    with pytest.raises(ValueError, match="checkpoint needs a seed"):
        sweep(checkpoint=tmp_path / "x", seed=None)
    assert not list(tmp_path.iterdir())


def test_two_sweeps_cannot_share_a_file(path):
    sweep(checkpoint=path)

    def inner(done, total):
        with pytest.raises(BlockingIOError, match="is in use by another sweep"):
            sweep(checkpoint=path)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sweep(checkpoint=path, reps=9, progress=inner)


# The disk


def test_a_full_disk_keeps_what_it_has(tmp_path):
    path, log = str(tmp_path / "sweep.sqlite"), str(tmp_path / "log")
    how = {"arrival_rate": [50, 90], "jobs": 3000, "method": "events", "reps": 100, "seed": 3}
    child = start(executor="threads", log=log, task=0.02, checkpoint=path, file_size=200_000, **how)
    try:
        text = child.stdout.readline()
    finally:
        end(child)
    held = set(rows_in_after_a_kill(path))
    assert text.startswith(f"OSError: checkpoint {path} cannot be written: ") and 0 < len(held) < 200
    assert f"it holds {len(held)} finished rows, and the same call goes on from there" in text
    assert digest(dl.sweep(STATION, checkpoint=path, **how)) == digest(dl.sweep(STATION, **how))


def test_a_file_that_cannot_be_written():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sweep.sqlite")
        few = {"arrival_rate": [50], "jobs": 300, "method": "events", "seed": 3}
        dl.sweep(STATION, checkpoint=path, reps=2, **few)
        os.chmod(path, stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
        os.chmod(folder, 0o555)
        user = 65534 if os.geteuid() == 0 else None
        child = start(executor="threads", log=os.devnull, checkpoint=path, reps=4, user=user, **few)
        try:
            text = child.stdout.readline()
        finally:
            end(child)
        os.chmod(folder, 0o755)
        assert text.startswith(f"OSError: checkpoint {path} cannot be written: attempt to write a readonly")
        assert len(rows_in(path)) == 2


def test_a_refused_sweep_leaves_no_file_and_an_empty_one_is_taken_over(path):
    with pytest.raises(ValueError, match="take fewer points or reps"):
        sweep(checkpoint=path, reps=1000, budget={"total": "1MiB"})
    assert not os.path.exists(path)
    with pytest.raises(dl.BudgetError):
        sweep(checkpoint=path, budget={"steps": 1})
    assert rows_in(path) == []
    assert digest(sweep(checkpoint=path)) == digest(sweep())
