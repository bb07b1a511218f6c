"""Raft under random schedules: no promise breaks, and the very same schedules show planted bugs."""

import sys
from pathlib import Path

import pytest

import distlab as dl

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
soak = pytest.importorskip("soak", reason="optional: benchmarks are not here")


def broken(bug, batches):
    """Broken promises over so many batches of 1000 schedules each."""
    found = {}
    for number in range(batches):
        for name, n in soak.batch(bug, 11, number).items():
            found[name] = found.get(name, 0) + n
    return found


def test_nothing_breaks_over_random_schedules():
    assert broken("none", 2) == {}


@pytest.mark.parametrize(
    ("bug", "promise"),
    [
        ("vote_not_persisted", "election safety"),
        ("skip_log_up_to_date_check", "leader completeness"),
        ("retry_without_session", "a command is executed once"),
        ("read_index_before_first_commit", "linearizable"),
    ],
)
def test_the_same_schedules_show_bugs(bug, promise):
    assert broken(bug, 1).get(promise, 0) > 0


# Settings under which this model once said too much, or stopped, without any bug.
ONCE_WRONG = {
    "a candidate that slept over a later term": {
        "nodes": 5, "election_timeout": 0.05, "election_spread": 0.01, "heartbeat_interval": 0.01,
        "pre_vote": False,
        "check_quorum": False, "duplicate": 0.1, "reorder": 0.2, "delay": "exponential(200us)",
        "fsync": "exponential(10ms)", "partition_rate": 1.0, "partition": "exponential(150ms)",
        "pause_rate": 1.0,
        "pause": "exponential(200ms)", "client_rate": 1000.0, "batch": 4, "pipeline": 1, "duration": 3.0,
        "heal_time": 0.0,
    },
    "entries of an earlier leader that become durable": {
        "nodes": 3, "election_timeout": 0.05, "election_spread": 0.01, "heartbeat_interval": 0.03,
        "reorder": 0.2,
        "delay": "exponential(200us)", "fsync": "exponential(20ms)", "storage": "async", "crash_rate": 0.5,
        "restart": "exponential(300ms)", "partition_rate": 10.0, "partition": "exponential(50ms)", "batch": 1,
        "client_rate": 30.0, "clients": 20, "pipeline": 1, "retry_timeout": 0.02, "duration": 3.0,
        "heal_time": 0.0,
    },
    "a ring that is full, or begins right behind what a follower has": {
        "nodes": 3, "outsiders": 1, "change_rate": 2.0, "election_timeout": 0.1, "election_spread": 0.1,
        "heartbeat_interval": 0.03, "delay": "exponential(1ms)", "duplicate": 0.1, "reorder": 0.2,
        "crash_rate": 2.0,
        "restart": "exponential(300ms)", "partition_rate": 4.0, "partition": "exponential(400ms)",
        "clients": 20,
        "retry_timeout": 0.02, "snapshot_every": 8, "log_capacity": 32, "read_mode": "log", "duration": 1.5,
        "heal_time": 3.0,
    },
}  # fmt: skip


@pytest.mark.parametrize("what", ONCE_WRONG)
def test_what_was_wrong_once(what):
    runs = dl.sweep("consensus.raft", reps=200, progress=False, keep=None, **ONCE_WRONG[what])
    assert runs.array["violations"].sum() == 0


def test_torn_entries_that_name_nobody_are_passed_over():
    """Without a look at checksums an entry may name a client that does not exist; the run goes on."""
    runs = dl.sweep(
        "consensus.raft",
        bug="torn_tail_taken_as_durable",
        stop_on_violation=False,
        crash_rate=2,
        restart=dl.exponential("100ms"),
        crash_disk="torn",
        fsync=dl.exponential("10ms"),
        sector=64,
        loss=0.05,
        duration=5,
        heal_time=0,
        reps=60,
        seed=8,
        progress=False,
    )
    assert (runs.array["violations"] > 0).sum() > 5
