"""Metrics of consensus.raft beside what they must be: a closed form, a count, a look at the history."""

import random

import numpy as np
import pytest

import distlab as dl

NO = 1  # the second verdict
CALM = {"heal_time": 0, "warmup": 0.5, "duration": 3, "check_history": False}


@pytest.mark.parametrize("nodes", [2, 3, 5, 8])
@pytest.mark.parametrize("delay, fsync", [(0.005, 0.001), (0.0, 0.004), (0.002, 0.0)])
def test_a_commit_takes_a_round_trip_and_a_write(nodes, delay, fsync):
    """The leader writes its own disk meanwhile (thesis 10.2.1); one entry at a time."""
    run = dl.run(
        "consensus.raft", nodes=nodes, delay=delay, fsync=fsync, clients=1, client_rate=5.0, read_fraction=0,
        **CALM,
    )  # fmt: skip
    assert run.commit_latency_p50 == pytest.approx(2 * delay + fsync, rel=0.01)
    assert run.latency_p50 == pytest.approx(4 * delay + fsync, rel=0.01)


def test_a_single_server_waits_for_its_own_disk():
    run = dl.run("consensus.raft", nodes=1, fsync=0.004, clients=1, client_rate=5.0, read_fraction=0, **CALM)
    assert run.commit_latency_p50 == pytest.approx(0.004, rel=0.01)


@pytest.mark.parametrize("entries, terms", [(1, 1), (100, 4), (1000, 1)])
def test_every_entry_that_disagrees_is_cut_once(entries, terms):
    run = dl.run(
        "consensus.raft", divergence=entries, divergent_terms=terms, delay="5ms", clients=0, heal_time=0
    )
    assert run.divergent_entries == entries


def certainly_stale(history):
    """Reads that return a value replaced for sure: another write began after its write had ended, and ended
    before the read was invoked. Register by register, from the history alone."""
    begun, writes, reads = {}, {}, []
    for e in history:
        process, key = int(e["process"]), int(e["key"])
        if e["type"] == 0:
            begun[process] = e["time"]
        elif e["f"] == 0 and e["type"] == 1:
            reads.append((key, int(e["value"]), begun[process]))
        elif e["f"] == 1:
            ended = e["time"] if e["type"] == 1 else np.inf
            writes.setdefault(key, []).append((int(e["value"]), begun[process], ended))
    stale = 0
    for key, value, invoked in reads:
        own = [end for v, _, end in writes.get(key, ()) if v == value] or [-1.0]
        stale += any(start > own[0] and end < invoked for _, start, end in writes.get(key, ()))
    return stale


def test_stale_reads_are_those_of_the_history():
    seen = 0
    for seed in range(12):
        run = dl.run(
            "consensus.raft", read_mode="local", reads_anywhere=True, keys=2, clients=4, client_rate=60.0,
            delay="exponential(3ms)", partition_rate=0.5, heal_time=0, duration=5, warmup=0, seed=seed,
            stop_on_violation=False, keep="history",
        )  # fmt: skip
        history = run.tables["history"]
        least = certainly_stale(history)
        # The order of writes that overlap is in the log, not in the history: rare at this rate.
        assert least <= run.stale_reads <= least + 2
        assert run.stale_reads == 0 or run.linearizable == NO
        seen += run.stale_reads
    assert seen > 50


@pytest.mark.parametrize("mode", ["log", "read_index", "lease"])
def test_no_read_is_stale_that_should_not_be(mode):
    runs = dl.sweep(
        "consensus.raft", read_mode=mode, keys=1, clients=20, client_rate=1000.0, partition_rate=0.5,
        crash_rate=0.2, duration=3, heal_time=0, reps=20, progress=False,
    )  # fmt: skip
    assert not runs.array["stale_reads"].any()


def test_a_person_may_crash_servers_only():
    """A client that crashed would invoke an operation while its last one is open: no history has that."""
    draw = random.Random(1)
    for _ in range(10):
        run = dl.run(
            "consensus.raft", nodes=3, clients=2, duration=0.4, heal_time=0,
            ask=lambda options: draw.randrange(len(options)), budget={"steps": 20000},
        )  # fmt: skip
        assert run.violations == 0


@pytest.mark.parametrize("nodes", [1, 2, 3, 16])
@pytest.mark.parametrize("when", [2, 9.99, 12])
def test_a_leader_that_crashed_is_back_when_faults_end(nodes, when):
    """Else one, two or three servers could not go on, which breaks no promise; 12 s is after the end."""
    run = dl.run(
        "consensus.raft", nodes=nodes, leader_crash=when, stale_followers=min(nodes, 15), duration=10
    )
    assert (run.violations, run.stuck) == (0, 0)
    if when == 2:
        assert run.leaders >= 2


@pytest.mark.parametrize("stale", [0, 5, 15])
def test_so_many_voters_miss_an_entry_and_no_outsider(stale):
    run = dl.run(
        "consensus.raft", nodes=12 if stale < 12 else 16, outsiders=4 if stale < 12 else 0, clients=0,
        leader_crash=1, stale_followers=stale, duration=4, warmup=0, heal_time=0, sample_interval=0.01,
        keep=["cluster", "servers"],
    )  # fmt: skip
    cluster, servers = run.tables["cluster"], run.tables["servers"]
    dead = cluster["time"][cluster["running"] == 15][0]
    old = cluster["leader"][(cluster["time"] < dead) & (cluster["leader"] >= 0)][-1]
    voters = (servers["server"] < run.params["nodes"]) & (servers["server"] != old)
    last = servers["last"][(servers["time"] == dead) & voters]
    assert np.unique(last).size == min(stale, 14) + 1 or stale == 15
    assert (last.max() - last.min(), (last < last.max()).sum()) == (
        (stale, stale) if stale < 15 else (14, 14)
    )


def test_without_clients_nobody_misses_an_answer():
    assert np.isnan(dl.run("consensus.raft", clients=0, duration=2).unavailability)
    assert dl.run("consensus.raft", clients=1, duration=2).unavailability == 0


def test_what_belongs_to_leader_crash_is_nothing_without_it():
    for alone in ({"stop_at_leader": True}, {"stale_followers": 1}):
        with pytest.warns(UserWarning, match="do nothing without leader_crash"):
            dl.run("consensus.raft", duration=1, warmup=0, heal_time=0, **alone)


def test_a_leader_that_is_to_crash_after_the_run_is_a_mistake():
    with pytest.warns(UserWarning, match=r"leader_crash = 3 s is not before duration = 1 s"):
        dl.run("consensus.raft", duration=1, warmup=0, heal_time=0, leader_crash=3)


@pytest.mark.parametrize("asks", [{"client_rate": 0.01}, {"read_fraction": 1.0}, {"clients": 0}])
def test_a_cluster_nobody_waits_for_is_not_stuck(asks):
    """Nothing is committed where nobody asks, or where everybody reads."""
    run = dl.run("consensus.raft", duration=2, heal_time=1, **asks)
    assert (run.stuck, run.violations) == (0, 0)


def test_a_cluster_without_a_majority_is_stuck():
    """A leader that no quorum check stops leads on alone; clients that give up count like those that wait."""
    for patience in (0.2, 20):
        run = dl.run(
            "consensus.raft",
            duration=2,
            heal_time=4,
            op_timeout=patience,
            bug="pre_vote_without_quorum_check",
        )
        assert (run.stuck, run.violations) == (1, 1)
