"""links.rpc_ambiguity through Python: closed forms over simulation, enumeration, trace, faults."""

import collections
import math

import numpy as np
import pytest

import distlab as dl

RPC = "links.rpc_ambiguity"
QUIET = {"calls": 1, "delay": "1ms", "service": "10ms", "crash_before": 0, "crash_after": 0}
LOSS = np.array([0.001, 0.01, 0.05, 0.2])


@pytest.fixture(scope="module")
def by_loss():
    both = dl.axis("loss", LOSS, lambda p: {"request_loss": p, "reply_loss": p})
    return dl.sweep(RPC, loss=both, calls=20_000, crash_before=0, crash_after=0, reps=10, seed=1)


def test_a_timeout_is_a_coin_toss(by_loss):
    """(1 - p) p / (1 - (1 - p)^2): 0.4975 at 1 %, 0.4444 at 20 %."""
    stats = by_loss.stats("executed_given_timeout")
    expected = (1 - LOSS) * LOSS / (1 - (1 - LOSS) ** 2)
    np.testing.assert_allclose(expected[[1, 3]], [0.4975, 0.4444], atol=1e-4)
    assert (np.abs(stats["mean"] - expected) <= 4 * stats["se"]).all()
    for point, p in enumerate(expected):
        theory = by_loss.replay(point, 0).theory
        assert theory["executed_given_timeout"] == pytest.approx(p, abs=1e-12)
        assert theory["success_ratio"] == pytest.approx((1 - LOSS[point]) ** 2, abs=1e-12)


def test_keys_make_retries_harmless():
    """The same losses and crashes with and without keys: paired differences."""
    s = dl.sweep(
        RPC, dedup=["none", "key"], retries=3, request_loss=0.1, reply_loss=0.1, calls=2000, reps=10, seed=2
    )
    stats = s.stats("duplicated")
    assert stats["mean"][0] > 0.1 and stats["mean"][1] == 0
    assert dl.compare(s, over="dedup").difference("duplicated")["high"][0] < 0
    for point in range(2):
        assert s.replay(point, 0).theory["duplicated"] == pytest.approx(
            stats["mean"][point], abs=4 * stats["se"][point] + 1e-12
        )


@pytest.mark.parametrize("medium", ["call", "queue", "log"])
def test_every_way_the_coins_can_fall(medium):
    """The hand-over stays a coin toss whatever stands behind it."""
    e = dl.enumerate(RPC, medium=medium, request_loss=0.1, reply_loss=0.1, max_deliveries=2, **QUIET)
    weights, columns = e.weights, e.metrics
    assert math.fsum(weights) == pytest.approx(1, abs=1e-12)
    timeout = columns["timeout_ratio"] == 1
    executed = columns["executions_mean"] > 0
    got = weights[timeout & executed].sum() / weights[timeout].sum()
    delivered = 1 if medium == "call" else 1 - 0.1**2  # one of two deliveries
    assert got == pytest.approx(0.9 * 0.1 / (1 - 0.9**2) * delivered, abs=1e-12)


def test_the_trace_is_decoded():
    run = dl.run(
        RPC, request_loss=0, reply_loss=1, retries=1, dedup="key", keep=["calls"], trace=True, **QUIET
    )
    text = run.trace.text()
    assert "client 0 > keyed request to 1 (call 0, attempt 2)" in text
    assert "server 1 notes key is known (call 0)" in text
    assert "client 0 answers timeout (call 0, attempts 2, ticket 1)" in text
    kinds = collections.Counter(run.tables["trace"]["type"].tolist())
    assert sum(kinds.values()) == len(run.trace)
    calls = run.tables["calls"]
    assert len(calls) == 1 and calls["executions"][0] == 1 and calls["attempts"][0] == 2
    assert "<svg" in run.trace._repr_html_() or "<script" in run.trace._repr_html_()


def test_a_plan_of_faults_strikes():
    """While the server is unreachable nothing is executed; a client that is down makes no calls."""
    calls = QUIET | {"calls": 10, "request_loss": 0, "reply_loss": 0, "keep": ["calls"]}
    plan = dl.faults(dl.fault("crash", node=1, at="2.5s", lasts="3s"))
    run = dl.run(RPC, faults=plan, **calls)
    names = [["ok", "error", "timeout", "abandoned"][k] for k in run.tables["calls"]["outcome"]]
    assert names[:3] == ["ok"] * 3 and names[3:5] == ["timeout"] * 2 and names[-1] == "ok"
    plan = dl.faults(dl.fault("crash", node=0, at="1.5s", lasts="3s"))
    run = dl.run(RPC, faults=plan, **calls)
    assert [int(k) for k in run.tables["calls"]["outcome"][:2]] == [0, 0]
    assert 3 in run.tables["calls"]["outcome"] and run.tables["calls"]["outcome"][-1] == 0
    # What a queue has confirmed is carried out when the worker can be reached again: when all calls are made.
    cut = dl.faults(dl.fault("partition", members=[0, 1], at="1.5s"))
    run = dl.run(RPC, faults=cut, medium="queue", **calls)
    assert run.metrics["lost"] == run.metrics["set_aside"] == 0 and run.success_ratio == 1
    with pytest.raises(ValueError, match=r"node = 5, but nodes are 0 \.\. 1"):
        dl.run(RPC, faults=dl.faults(dl.fault("crash", node=5, at="1s")))


def test_the_family_is_not_hidden():
    """A public function named like a family would hide its models."""
    assert dl.links.rpc_ambiguity(**QUIET).messages >= 1
    families = {model.name.partition(".")[0] for model in dl.models()}
    assert not families & set(dl.__all__)


def test_a_long_trace_still_knows_who_is_who():
    trace = dl.run("links.rpc_ambiguity", calls=20_000, seed=1, trace=True).trace
    assert trace.nodes == ("client 0", "server 1")
    assert trace.text(node="client 0")
