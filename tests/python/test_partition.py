"""links.partition_probe through Python: exhaustive answers, networkx, windows of probes redone in NumPy."""

import itertools
import math

import networkx
import numpy as np
import pytest

import distlab as dl

PROBE = "links.partition_probe"
QUIET = {"probe_loss": 0, "zones": None, "duration": 10}


def matrices(run):
    """Truth and verdict of every cut of a run: arrays (cut, from, to); a node reaches itself."""
    rows, nodes = run.tables["matrix"], run.params["nodes"]
    cuts = int(rows["cut"].max()) + 1
    truth, said = np.ones((cuts, nodes, nodes), bool), np.zeros((cuts, nodes, nodes), int)
    truth[rows["cut"], rows["from"], rows["to"]] = rows["reachable"]
    said[rows["cut"], rows["from"], rows["to"]] = rows["verdict"]
    return truth, said


def test_998_of_the_1024_link_sets_of_five_nodes_keep_a_majority():
    run = dl.run(PROBE, nodes=5, cut_links=None, method="exhaustive", keep=["cuts", "matrix"], **QUIET)
    assert run.link_sets == 1024
    assert run.majority * 1024 == run.leader * 1024 == 998
    assert run.transitive * 1024 == 52  # Bell number of 5
    assert run.connected * 1024 == 728
    truth, _ = matrices(run)
    for row, matrix in zip(run.tables["cuts"], truth, strict=True):
        graph = networkx.from_numpy_array(matrix & ~np.eye(5, dtype=bool))
        parts = sorted(map(len, networkx.connected_components(graph)))
        assert (row["components"], row["largest"]) == (len(parts), parts[-1])
        assert row["transitive"] == all(
            graph.subgraph(part).size() == math.comb(len(part), 2)
            for part in networkx.connected_components(graph)
        )
        degrees = [degree for _, degree in graph.degree]
        assert row["quorum_nodes"] == sum(degree >= 2 for degree in degrees)
        assert (row["leader"] < 0) == (max(degrees) < 2)
        if row["leader"] >= 0:
            assert row["leader"] == int(np.argmax(degrees)) and row["served"] == max(degrees) + 1


def test_a_connected_majority_of_six_may_be_without_a_leader():
    """Four nodes in a row are a majority of six, and none of them reaches four directly."""
    run = dl.run(PROBE, nodes=6, cut_links=None, method="exhaustive", probe_interval=10, **QUIET)
    assert (run.link_sets, run.majority * 2**15, run.leader * 2**15) == (32768, 32212, 30910)


@pytest.mark.parametrize("kind, losses", [("partial", [0.5, 0.6, 0.7]), ("one_way", [0.3, 0.4, 0.45])])
def test_the_sample_agrees_with_the_law_of_random_graphs(kind, losses):
    common = {"nodes": 7, "zones": None, "kind": kind, "cut_links": None, "probe_interval": 30}
    s = dl.sweep(PROBE, cut_probability=losses, trials=500, **common, reps=20, seed=1)
    for column in ("connected", "majority", "quorum_nodes"):
        stats = s.stats(column)
        for point in range(3):
            theory = s.replay(point, 0).theory[column]
            assert abs(stats["mean"][point] - theory) <= 4 * stats["se"][point] + 1e-12


@pytest.mark.parametrize("cut_links", range(7))
def test_a_given_number_of_links_is_a_combination(cut_links):
    """Against itertools: which choices of links of K4 leave a connected majority of three."""
    links = list(itertools.combinations(range(4), 2))
    kept = 0
    for gone in itertools.combinations(links, cut_links):
        graph = networkx.Graph(set(links) - set(gone))
        kept += max(map(len, networkx.connected_components(graph)), default=1) >= 3
    run = dl.run(PROBE, nodes=4, cut_links=cut_links, method="exhaustive", **QUIET)
    assert run.link_sets == math.comb(6, cut_links)
    assert run.majority * run.link_sets == pytest.approx(kept, abs=1e-9)


def test_k_probes_err_with_the_power_of_the_loss():
    ks = [1, 2, 3]
    s = dl.sweep(PROBE, probes_per_verdict=ks, probe_loss=0.1, trials=2000, reps=20, seed=2)
    stats = s.stats("false_cut")
    expected = np.array([0.1, 0.01, 0.001])
    assert (np.abs(stats["mean"] - expected) <= 4 * stats["se"]).all()
    for point in range(3):
        assert s.replay(point, 0).theory["false_cut"] == pytest.approx(expected[point], rel=1e-12)
    assert (s.mean("missed_cut") == 0).all()


def test_each_kind_looks_as_it_should():
    """Without losses agents are right wherever a probe can be; two kinds fool them."""
    for kind, shape, cut_links in (("complete", 1, 1), ("partial", 2, 2), ("one_way", 3, 1)):
        run = dl.run(PROBE, kind=kind, cut_links=cut_links, keep=["cuts", "matrix"], trials=50, **QUIET)
        truth, said = matrices(run)
        assert (truth == (said == 0)).all()
        assert set(run.tables["cuts"]["shape"]) == set(run.tables["cuts"]["diagnosis"]) == {shape}
        assert run.recovered == run.diagnosed == run.verdict_accuracy == 1
        assert (truth == truth.transpose(0, 2, 1)).all() == (kind != "one_way")
        if kind != "complete":
            assert ((~truth).sum(axis=(1, 2)) == {"partial": 4, "one_way": 1}[kind]).all()
    with pytest.warns(UserWarning, match="probes of 64 byte pass"):
        hole = dl.run(PROBE, kind="mtu", **QUIET)
    assert hole.missed_cut == 1 and hole.cuts_found == 0 and math.isnan(hole.time_to_verdict_mean)
    assert dl.run(PROBE, kind="mtu", probe_size=1460, **QUIET).missed_cut == 0
    small = dl.run(PROBE, kind="mtu", message_size=1280, **QUIET)
    assert small.connected == small.verdict_accuracy == 1 and math.isnan(small.missed_cut)


def test_a_flapping_link_by_a_simulation_of_its_own():
    """Down half the time, three probes in a row: how often are they fooled at a random moment?"""
    rng = np.random.default_rng(1)
    runs, period = 400_000, 10.0
    last, shift = 30 - rng.random(runs), rng.random(runs) * period  # the last probe, s
    lost = ((last[:, None] - np.arange(3) + shift[:, None]) % period < period / 2).all(axis=1)
    down = (30 + shift) % period < period / 2
    flapping = {"kind": "flapping", "flap_period": period, "zones": None, "probe_loss": 0, "trials": 500}
    s = dl.sweep(PROBE, **flapping, reps=40, seed=3)
    # of the 30 directions 2 flap; a verdict that is late calls one cut that is up again
    expected = {"missed_cut": (~lost)[down].mean(), "false_cut": 2 * (lost & ~down).mean() / (28 + 2 * 0.5)}
    for column, share in expected.items():
        mean, se = (float(s.stats(column)[name].item()) for name in ("mean", "se"))
        assert share > 0.003 and abs(mean - share) <= 4 * math.hypot(se, math.sqrt(2 * share / runs))


@pytest.mark.parametrize("agents, seen", [(1, 8), (2, 14), (3, 18), (4, 20), (5, 20)])
def test_vantage_points(agents, seen):
    """Of the 20 directions of five nodes one agent sees 8, two 14, three 18, four all."""
    run = dl.run(PROBE, nodes=5, vantage_points=agents, keep=["matrix"], **QUIET)
    assert run.coverage * 20 == pytest.approx(seen)
    assert (run.tables["matrix"]["verdict"] != 2).sum() == seen * run.link_sets
    assert run.theory["coverage"] * 20 == pytest.approx(seen)


def test_one_cut_of_three_nodes():
    """The first verdict comes with the third lost probe and its timeout: 2.5 to 3.5 s."""
    run = dl.run(PROBE, nodes=3, method="exhaustive", timeout=0.5, keep=["cuts"], **QUIET)
    assert run.link_sets == 3 and run.leader == 1 and run.transitive == 0
    assert run.clients_served == 1 and run.quorum_nodes == 1
    assert 2.5 <= run.time_to_verdict_mean <= run.time_to_verdict_max <= 3.5
    assert (run.tables["cuts"]["missing"] == 2).all()


@pytest.mark.parametrize(
    "wrong, text",
    [
        ({"nodes": 5, "zones": 6}, "zones = 6 is above nodes = 5"),
        ({"vantage_points": 7}, "vantage_points = 7 is above nodes = 6"),
        ({"cut_links": 13}, "cut_links = 13; between these zones are 12 links that can be cut"),
        ({"kind": "one_way", "cut_links": 25}, "24 directions of links"),
        ({"nodes": 9, "zones": None, "cut_links": None, "method": "exhaustive"}, "take method = sample"),
        ({"probe_interval": 0.001, "duration": 2000}, "at most 1000000"),
    ],
)
def test_what_cannot_be_is_refused(wrong, text):
    with pytest.raises(ValueError, match=text):
        dl.run(PROBE, **wrong)


def test_warnings():
    with pytest.warns(UserWarning, match="probes of 64 byte pass where messages of 1460 byte vanish"):
        dl.run(PROBE, kind="mtu")
    with pytest.warns(UserWarning, match="a link is down for 0.5 s at a time"):
        dl.run(PROBE, kind="flapping", flap_period=1)


def test_a_set_that_never_happens_has_no_time_to_verdict():
    run = dl.run(PROBE, nodes=4, zones=None, cut_links=None, cut_probability=0, method="exhaustive")
    assert math.isnan(run.time_to_verdict_mean) and run.link_sets == 64


@pytest.mark.parametrize(
    ("setting", "absent"),
    [
        ({"cut_links": 0}, {"missed_cut", "time_to_verdict_mean"}),
        ({"kind": "complete", "nodes": 2, "zones": None}, {"false_cut"}),
        ({"nodes": 2, "zones": None}, {"false_cut"}),
    ],
)
def test_nothing_is_expected_of_what_cannot_be_seen(setting, absent):
    """Without a direction that is cut, or one that is up, there is no share of them."""
    run = dl.run(PROBE, probe_loss=0.5, **setting)
    assert all(math.isnan(getattr(run, name)) for name in absent)
    assert not absent & run.theory.keys()
    assert {"false_cut", "missed_cut", "time_to_verdict_mean", "coverage"} == absent | run.theory.keys()
