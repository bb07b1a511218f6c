"""Elections against their closed forms, and against what must hold whatever is drawn."""

import itertools
import math

import numpy as np
import pytest

import distlab as dl

MODEL = "consensus.leader_election"
ALGORITHMS = ["bully", "ring", "hirschberg_sinclair", "lease", "lock", "static_priority"]


def sweep(reps=300, seed=1, **setting):
    return dl.sweep(MODEL, design=[setting], reps=reps, seed=seed, progress=False)


def column(name, reps=300, seed=1, **setting):
    return sweep(reps, seed, **setting).array[name].ravel().astype(float)


def harmonic(n):
    return sum(1 / k for k in range(1, n + 1))


def test_a_hundred_nodes_on_a_ring_take_519_messages():
    """Chang and Roberts: n H_n on average for random ids; the announcement takes 100 more."""
    found = sweep(2000, algorithm="ring", failure="cold_start", nodes=100).array
    counts = found["election_messages"].ravel()
    assert counts.mean() == pytest.approx(100 * harmonic(100), abs=4 * counts.std() / 2000**0.5)
    assert 100 * harmonic(100) == pytest.approx(519, abs=0.5)
    assert (found["announcements"] == 100).all() and (found["messages"].ravel() == counts + 100).all()


@pytest.mark.parametrize("order, count", [("ascending", 2 * 30 - 1), ("descending", 30 * 31 // 2)])
def test_the_order_around_the_ring_is_the_best_and_the_worst_case(order, count):
    assert (
        column("election_messages", 5, algorithm="ring", failure="cold_start", nodes=30, id_order=order)
        == count
    ).all()


@pytest.mark.parametrize("nodes", [3, 10, 50])
def test_the_bully_takes_up_to_the_square(nodes):
    """The second best alone: it asks the dead one. The worst, or all at once: everybody asks all above."""
    best = sweep(3, algorithm="bully", nodes=nodes, starters="highest").array
    assert (best["election_messages"] == 1).all() and (best["messages"] == nodes - 1).all()
    for starters in ("lowest", "all"):
        worst = sweep(3, algorithm="bully", nodes=nodes, starters=starters).array
        assert (worst["election_messages"] == (nodes - 1) ** 2).all()
        assert (worst["messages"] == nodes**2 - nodes - 1).all()


@pytest.mark.parametrize("nodes", [2, 3, 7, 16, 17, 100])
def test_both_ways_in_phases_stays_below_its_bound(nodes):
    bound = 8 * nodes * (1 + math.ceil(math.log2(nodes)))
    for order in ("random", "ascending", "descending"):
        setting = {"algorithm": "hirschberg_sinclair", "failure": "cold_start", "id_order": order}
        assert column("election_messages", 50, nodes=nodes, **setting).max() <= bound


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("failure", ["crash", "cold_start"])
def test_every_closed_form_is_met(algorithm, failure):
    known = 0
    for starters, order, nodes in itertools.product(
        ["all", "highest", "lowest", "random"], ["random", "ascending", "descending"], [2, 3, 12]
    ):
        setting = {
            "algorithm": algorithm, "failure": failure, "starters": starters, "id_order": order,
            "nodes": nodes,
        }  # fmt: skip
        found = sweep(100, 7, **setting)
        assert not found.array["violations"].any()
        assert algorithm == "lock" or np.ravel(found.mean("agreed"))[0] == 1
        for name, value in dl.run(MODEL, **setting).theory.items():
            got = found.array[name].ravel().astype(float)
            assert got.mean() == pytest.approx(value, abs=4 * got.std() / 10 + 1e-9), (setting, name)
            known += 1
    assert known >= (0 if (algorithm, failure) in [("lease", "cold_start"), ("lock", "cold_start")] else 36)


@pytest.mark.parametrize("algorithm, messages", [("lease", 4), ("lock", 2)])
@pytest.mark.parametrize("drift", [0, 1000])
def test_a_lease_leaves_a_gap_of_at_most_ttl_and_what_is_under_way(algorithm, messages, drift):
    """The store waits ttl on its clock from the last renewal it heard; that was sent up to `renew` before."""
    gap = column("unavailability", 500, algorithm=algorithm, drift=drift, clock_spread="worst")
    longest = 10 * (1 + drift / 1e6) + messages * 0.005
    assert gap.max() <= longest + 1e-9 and gap.max() > longest - 0.1
    assert gap.min() >= longest - 3 - 0.1


def test_a_lease_never_has_two_leaders_within_its_margin():
    for margin, drift in ((0.01, 5000), (0.1, 50_000)):
        setting = {"algorithm": "lease", "drift": drift, "lease_margin": margin, "delay": "exponential(20ms)"}
        for failure in ("crash", "cut_off"):
            found = sweep(100, failure=failure, outage="20s", loss=0.05, **setting).array
            assert not found["violations"].any() and not found["overlap"].any()
    bug = {"bug": "expiry_without_drift_margin", "clock_spread": "worst"}
    assert column("overlap", 30, failure="cut_off", **setting, **bug).max() > 0.5


def test_a_pause_is_longer_than_any_margin():
    """Clocks are perfect; the holder sleeps through its lease and wakes believing old time."""
    sleep = dl.faults(dl.fault("pause", node="leader", at="20s", lasts="15s"))
    run = dl.run(MODEL, algorithm="lease", failure="none", faults=sleep, lease_margin=0.5, seed=1)
    assert run.overlap > 4 and run.violations > 0


@pytest.mark.parametrize("rate, mistake", [(0.02, 1), (0.2, 3)])
def test_wrong_suspicions_of_a_list_make_two_leaders_as_a_chain_of_two_states_says(rate, mistake):
    setting = {
        "algorithm": "static_priority", "failure": "none", "false_suspicion": rate, "duration": 100,
        "mistake": f"exponential({mistake}s)",
    }  # fmt: skip
    share = rate * mistake / (1 + rate * mistake)
    theory = dl.run(MODEL, **setting).theory["overlap"]
    assert theory == pytest.approx(100 * share, rel=0.05)
    found = column("overlap", 1000, **setting)
    assert found.mean() == pytest.approx(theory, abs=4 * found.std() / 1000**0.5)


def test_the_bully_asks_before_it_takes_over_and_a_ring_does_not():
    """A suspected leader is asked too by the bully, and answers; on a ring its predecessor skips it."""
    setting = {"failure": "none", "false_suspicion": 0.02, "duration": 200}
    assert not column("overlap", 50, algorithm="bully", **setting).any()
    assert column("overlap", 50, algorithm="ring", **setting).mean() > 1


@pytest.mark.parametrize("algorithm", ["bully", "ring", "hirschberg_sinclair", "static_priority"])
def test_without_a_quorum_a_leader_cut_off_leads_on(algorithm):
    """Two lead from the election until both sides meet again; afterwards all agree on the best."""
    found = sweep(50, algorithm=algorithm, failure="cut_off", outage="15s", starters="random")
    overlap = found.array["overlap"].ravel()
    assert (overlap > 14).all() and (overlap < 16).all() and (found.array["unavailability"] == 0).all()
    assert np.ravel(found.mean("agreed"))[0] == 1


def test_a_lock_is_held_twice_until_its_old_holder_is_told():
    overlap = column("overlap", 50, algorithm="lock", failure="cut_off", outage="15s")
    assert (overlap > 15 - 10 - 0.1).all() and (overlap < 15 - 10 + 2 * 3 + 0.1).all()


@pytest.mark.parametrize("nodes", [2, 5])
def test_a_lock_whose_grant_was_lost_is_granted_again(nodes):
    """A session ends by chance when all renewals of a ttl are lost, about 0.3 ** 3 of them, and then
    nobody holds for a ttl or two, until a grant arrives; who missed its grant waits, and not for ever."""
    found = sweep(20, algorithm="lock", nodes=nodes, failure="none", loss=0.3, duration=5000).array
    assert found["churn"].min() > 0
    assert found["unavailability"].max() < 500


@pytest.mark.parametrize("algorithm", ["bully", "ring", "hirschberg_sinclair", "static_priority"])
def test_they_agree_whatever_the_delays_and_whoever_begins(algorithm):
    """With the bully nobody comes back: an announcement that was overtaken by a better one is believed."""
    back = None if algorithm == "bully" else "15s"
    for failure, starters in itertools.product(["crash", "cold_start"], ["all", "random"]):
        found = sweep(
            100, algorithm=algorithm, failure=failure, starters=starters, outage=back, duration=300,
            delay="exponential(5ms)", detection="exponential(1s)", timeout="0.2s",
        )  # fmt: skip
        assert np.ravel(found.mean("agreed"))[0] == 1


def test_a_ring_that_drops_its_own_id_begins_again_for_ever():
    bug = {"algorithm": "ring", "failure": "cold_start", "bug": "ring_drops_own_id"}
    found = sweep(20, **bug).array
    assert (found["unavailability"] == 60).all() and not found["announcements"].any()
    assert found["election_messages"].min() > 10 * 10 * harmonic(10)


def test_the_trace_tells_the_election():
    run = dl.run(MODEL, algorithm="bully", nodes=4, trace=True, seed=3)
    text = run.trace.text()
    assert "leads (id 4)" in text and "crashes" in text and "leads (id 3)" in text
    assert "coordinator" in run.trace.diagram()._repr_html_()
    cut = dl.run(MODEL, algorithm="lock", nodes=3, failure="cut_off", outage="30s", trace=True, seed=3)
    assert "fault isolate" in cut.trace.text() and "heal isolate" in cut.trace.text()


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="renew = 10 s must be below ttl = 10 s"):
        dl.run(MODEL, renew=10)
    with pytest.raises(ValueError, match="nodes"):
        dl.run(MODEL, nodes=513)
    with pytest.raises(ValueError, match="lease_margin = 0.75 leaves the holder 2.5 s of ttl = 10 s"):
        dl.run(MODEL, algorithm="lease", lease_margin=0.75)
    plan = dl.faults(dl.fault("crash", node="leader", at="5s"))
    with pytest.warns(UserWarning, match="no detector notices"):
        run = dl.run(MODEL, algorithm="bully", failure="none", faults=plan)
    assert run.unavailability == 55
    with pytest.warns(UserWarning, match="failure_time, 100 s on average, is not before duration = 60 s"):
        dl.run(MODEL, failure_time="100s")
    with pytest.warns(UserWarning, match="two may lead"):
        dl.run(MODEL, algorithm="lease", drift=10_000)
    with pytest.warns(UserWarning, match="begun again"):
        dl.run(MODEL, algorithm="bully", delay="40ms")
