"""Raft begins with logs that disagree: how a leader finds the last entry it shares with a follower.

The witness is a walk along two lists of terms, written from the sentences of the paper alone.
"""

import numpy as np
import pytest

import distlab as dl

RTT = 0.01
# One message at a time decides, so nothing else is under way: no clients, no heartbeat before the end.
QUIET = {
    "clients": 0, "delay": RTT / 2, "fsync": 0, "heal_time": 0, "warmup": 0, "check_history": False,
    "log_capacity": 65536, "snapshot_every": 60000, "election_timeout": 300, "election_spread": 10,
    "heartbeat_interval": 299,
}  # fmt: skip


def logs(divergence, terms, rival=None):
    """Terms along the logs of leader and follower: the first entry is shared, then odd and even terms."""
    rival = divergence if rival is None else rival

    def written(count, last):
        blocks = min(terms, count)
        return [last - 2 * (blocks - 1 - k * blocks // count) for k in range(count)]

    return [1, *written(rival, 2 * terms + 1)], [1, *written(divergence, 2 * terms)]


def term(log, index):
    return log[index - 1] if 1 <= index <= len(log) else 0


def walk(leader, follower, by_term):
    """The values of nextIndex after each refusal, until an append is accepted."""
    following, path = len(leader) + 1, []
    while True:
        before = following - 1  # prevLogIndex
        if before == 0 or (before <= len(follower) and term(follower, before) == term(leader, before)):
            return path
        hint = before - 1
        if by_term:
            # "the follower can include the term of the conflicting entry and the first index it stores for
            # that term. With this information, the leader can decrement nextIndex to bypass all of the
            # conflicting entries in that term": both sides skip what cannot agree.
            ends = [
                i for i in range(min(before, len(follower)) + 1) if term(follower, i) <= term(leader, before)
            ]
            known = ends[-1]
            hint = max(
                i for i in range(min(known, len(leader)) + 1) if term(leader, i) <= term(follower, known)
            )
        following = min(hint + 1, before)
        path.append(following)


def shipping(entries, batch, pipeline):
    """Round trips for what is left behind the first append that is accepted: the window opens, fills."""
    left, window, rounds = entries - batch, min(3, pipeline), 0
    while left > 0:
        left -= window * batch
        window = min(2 * window, pipeline)
        rounds += 1
    return rounds


def run(seed=1, rounds=None, **how):
    return dl.run("consensus.raft", duration=310 + RTT * (rounds or 1), seed=seed, **QUIET, **how)


@pytest.mark.parametrize("rule", ["by_term", "one_by_one"])
@pytest.mark.parametrize(
    ("divergence", "terms", "rival"),
    [
        (0, 1, 0), (1, 1, None), (4, 2, None), (10, 1, None), (10, 4, None), (12, 4, None), (12,
        12, None), (1000, 4, None),
        (1000, 10, None), (60, 6, 12), (12, 6, 60), (0, 1, 40), (40, 8, 1), (1, 1, 500),
    ],
)  # fmt: skip
def test_back_offs_are_those_of_a_walk(rule, divergence, terms, rival):
    path = walk(*logs(divergence, terms, rival), rule == "by_term")
    made = run(
        rounds=len(path) + 2, divergence=divergence, divergent_terms=terms, rival_entries=rival, batch=1024,
        log_backtrack=rule, trace=True,
    )  # fmt: skip
    labels = [
        line.split("next ")[1].rstrip(")") for line in made.trace.text().splitlines() if "backs off" in line
    ]
    assert [int(label.split(",")[0]) for label in labels] == path
    assert made.back_offs == len(path)
    assert made.repair_time == pytest.approx(RTT * (len(path) + 1), rel=1e-9)
    assert made.violations == 0


def test_the_two_rules_of_the_lesson():
    """1000 entries: one by one needs 1000 round trips, by term one for each conflicting term: exactly."""
    for terms in (1, 2, 4, 8, 40, 1000):
        leader, follower = logs(1000, terms)
        assert len(walk(leader, follower, by_term=True)) == terms
        assert len(walk(leader, follower, by_term=False)) == 1000


def test_never_more_than_the_conflicting_terms():
    """By brute force over all pairs of logs of up to four entries that two leaders can have written."""
    tails = [[]]
    for length in range(1, 5):
        tails += [
            [*t, new]
            for t in tails
            if len(t) == length - 1
            for new in range(2, 8)
            if new >= max(t, default=2)
        ]
    for mine in tails:
        for other in tails:
            if set(mine) & set(other):
                continue  # a term has one leader, so entries of one term come from one log
            path = walk([1, *mine], [1, *other], by_term=True)
            assert len(path) <= max(len(set(mine)), 1)
            assert len(path) <= len(set(other)) + 1  # one more where the follower's log is merely short
            assert len(path) <= len(walk([1, *mine], [1, *other], by_term=False))


@pytest.mark.parametrize(
    ("batch", "pipeline"), [(1, 1), (1, 8), (7, 1), (16, 4), (64, 8), (256, 64), (1024, 1)]
)
def test_shipping_takes_rounds_of_a_window(batch, pipeline):
    entries = 700  # and the leader's no-op
    expected = 2 + shipping(entries + 1, batch, pipeline)
    made = run(rounds=expected + 2, divergence=entries, batch=batch, pipeline=pipeline)
    assert made.repair_time == pytest.approx(RTT * expected, rel=1e-9)


def test_logs_are_equal_afterwards():
    made = run(rounds=20, divergence=100, divergent_terms=5, keep="servers", sample_interval=1)
    last = made.tables["servers"][-5:]
    assert set(last["last"]) == set(last["match"]) == set(last["commit"]) == {102}
    assert made.terms == 2 * 5 + 2


def test_no_promise_breaks_when_faults_strike_as_well():
    storm = dict.fromkeys(("crash_rate", "partition_rate", "pause_rate"), 0.5)
    runs = dl.sweep(
        "consensus.raft", divergence=[6, 60], divergent_terms=[1, 6], loss=0.05,
        log_backtrack=["by_term", "one_by_one"], reorder=0.1, duplicate=0.1, batch=4, duration=3,
        reps=25, keep=None, progress=False, **storm,
    )  # fmt: skip
    assert runs.array["violations"].sum() == 0
    assert np.isfinite(runs.array["repair_time"]).mean() > 0.9


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"divergence": 5, "nodes": 2}, "nodes >= 3"),
        ({"divergence": 5, "divergent_terms": 6}, "at most divergence = 5"),
        ({"divergence": 5000}, "log_capacity of at least 5016"),
        ({"rival_entries": 5000}, "log_capacity of at least 5016"),
        ({"divergence": -1}, "divergence"),
    ],
)
def test_what_cannot_be_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        dl.run("consensus.raft", **wrong)
