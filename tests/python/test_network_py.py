"""dl.topology, dl.fault and dl.faults, followed into the core: a model made for it sends messages over every
link and hands back the fault plan as it was read."""

import ctypes
import functools
import inspect
import re
import shutil
import subprocess
import sysconfig
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest

import distlab as dl
from distlab import _core, _network

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(_core.__file__).parent


@functools.cache
def library():
    out = Path(tempfile.mkdtemp(prefix="distlab-network-")) / "probe.so"
    compiler = shutil.which("cc") or shutil.which("gcc") or sysconfig.get_config_var("CC").split()[0]
    flags = ["-std=gnu11", "-O1", "-ffp-contract=off", "-shared", "-fPIC", "-pthread"]
    includes = [f"-I{PACKAGE / 'include'}", f"-I{ROOT / 'csrc'}"]
    sources = [str(ROOT / "tests/c/network_probe.c"), str(PACKAGE / "lib/libdistlab.a")]
    subprocess.run([compiler, *flags, *includes, *sources, "-lm", "-o", str(out)], check=True)
    loaded = ctypes.CDLL(str(out))
    shutil.rmtree(out.parent)
    return loaded


@pytest.fixture(scope="module")
def model():
    return dl.register(ctypes.addressof(ctypes.c_char.in_dll(library(), "network_probe")))


def fates(model, **params):
    return dl.run(model, keep=["fates"], seed=3, **params).tables["fates"]


def delays(model, n, **params):
    """One delay for each ordered pair, in ms."""
    rows = fates(model, nodes=n, **params)
    out = np.full((n, n), np.nan)
    out[rows["from"], rows["to"]] = np.where(rows["lost"] < 0, rows["delay"] * 1e3, np.nan)
    return np.round(out, 6)  # whole nanoseconds


# --- links ---


def test_a_matrix_of_round_trips_becomes_half_of_it_each_way(model):
    rtt = np.array([[0, 10, 80], [10, 0, np.nan], [80, 90, 0]])
    got = delays(model, 3, links=dl.topology(rtt), delay="3ms")
    assert np.array_equal(got, [[3, 5, 40], [5, 3, 3], [40, 45, 3]])


def test_one_way_delays_and_units(model):
    got = delays(model, 2, links=dl.topology([[0, 250], [0.5, 0]], measure="one_way", unit="us"), delay="3ms")
    assert np.array_equal(got, [[3, 0.25], [0.0005, 3]])


def test_names_order_the_places_and_nodes_stand_at_them(model):
    pd = pytest.importorskip("pandas", reason="optional: pandas")
    rtt = pd.DataFrame([[2, 100], [120, 4]], index=["eu", "us"], columns=["eu", "us"])[["us", "eu"]]
    got = delays(model, 3, links=dl.topology(rtt, nodes=["eu", "us", "us"]), delay="9ms")
    assert np.array_equal(got, [[9, 50, 50], [60, 9, 2], [60, 2, 9]])
    assert np.array_equal(delays(model, 2, links=dl.topology(rtt), delay="9ms"), [[9, 50], [60, 9]])


def test_scv_draws_around_the_entries(model):
    table = dl.topology([[0, 10], [10, 0]], scv=0.25)
    rows = fates(model, nodes=2, links=table, messages=20000)
    there = rows["delay"][(rows["from"] == 0) & (rows["to"] == 1)] * 1e3
    assert abs(there.mean() - 5) < 4 * 5 * 0.5 / np.sqrt(len(there))
    assert there.std() == pytest.approx(2.5, rel=0.1)


def test_other_columns_by_number_text_and_matrix(model):
    lossy = dl.topology([[0, 10], [10, 0]], loss=[[0, 1], [np.nan, 0]])
    got = delays(model, 2, links=lossy, delay="3ms")
    assert np.isnan(got[0, 1]) and got[1, 0] == 5
    narrow = dl.topology([[0, 10], [np.nan, 0]], bandwidth="1MB/s", duplicate=1, ordering="fifo")
    rows = fates(model, nodes=2, links=narrow, delay="3ms")
    assert np.allclose(rows["delay"] * 1e3, [3, 6, 4, 3])  # 1000 bytes take 1 ms
    assert np.array_equal(rows["copy"] > 0, [False, True, True, False])


def test_a_table_may_hold_links_of_more_than_one_matrix_in_a_sweep(model):
    near, far = dl.topology([[0, 2], [2, 0]], label="near"), dl.topology([[0, 200], [200, 0]], label="far")
    s = dl.sweep(model, links=[near, far], loss=[0, 1], nodes=2, reps=1)
    assert s.array["lost"].ravel().tolist() == [0, 4, 0, 4]


@pytest.mark.parametrize(
    ("matrix", "options", "error", "text"),
    [
        ([[0, 1]], {}, ValueError, "matrix must be square, not of shape (1, 2)"),
        ([[0, -1], [1, 0]], {}, ValueError, "matrix[0, 1] = -1 must not be negative"),
        ([[0, "x"], [1, 0]], {}, TypeError, "matrix must be a square array of numbers"),
        ([[0, 1], [1, 0]], {"unit": "m"}, KeyError, "no unit is called 'm'"),
        ([[0, 1], [1, 0]], {"unit": 3}, TypeError, "unit must be text"),
        ([[0, 1], [1, 0]], {"measure": "rt"}, ValueError, "did you mean 'rtt'"),
        ([[0, 1], [1, 0]], {"nodes": ["eu"]}, ValueError, "the matrix has none; give indices"),
        ([[0, 1], [1, 0]], {"nodes": [0, 2]}, ValueError, "nodes = 2 is outside 0 to 1"),
        ([[0, 1], [1, 0]], {"nodes": "eu"}, TypeError, "nodes must be a list of places"),
        ([[0, 1], [1, 0]], {"loss": 1.5}, ValueError, "loss = 1.5 is outside 0 to 1"),
        ([[0, 1], [1, 0]], {"loss": [[0, 2], [0, 0]]}, ValueError, "loss has 2, which is above 1"),
        ([[0, 1], [1, 0]], {"bandwidth": "fast"}, TypeError, "bandwidth: 'fast'"),
        ([[0, 1], [1, 0]], {"loss": [[0.5]]}, ValueError, "loss must have the places of the matrix, 2"),
        ([[0, 1], [1, 0]], {"ordering": "lifo"}, ValueError, "did you mean 'fifo'"),
        ([[0, 1], [1, 0]], {"scv": -1}, ValueError, "scv = -1 is outside"),
        ([[0, np.nan], [np.nan, 0]], {}, ValueError, "make 0 links that differ"),
        ([[0, 1], [1, 0]], {"nodes": [0] * 1025}, ValueError, "1025 nodes: at most 1024"),
    ],
)
def test_mistakes_in_a_matrix_are_named(matrix, options, error, text):
    with pytest.raises(error, match=re.escape(text)):
        dl.topology(matrix, **options)


def test_names_that_differ_are_a_mistake():
    pd = pytest.importorskip("pandas", reason="optional: pandas")
    rtt = pd.DataFrame([[0, 1], [1, 0]], index=["eu", "us"], columns=["eu", "asia"])
    with pytest.raises(ValueError, match="rows and columns must name the same places"):
        dl.topology(rtt)
    good = pd.DataFrame([[0, 1], [1, 0]], index=["eu", "us"], columns=["eu", "us"])
    with pytest.raises(ValueError, match="did you mean 'us'"):
        dl.topology(good, nodes=["uss"])


def test_nodes_that_do_not_exist_are_found_by_the_model(model):
    with pytest.raises(ValueError, match=r"row 1 of table 'links': to = 2, but nodes are 0 .. 1"):
        dl.run(model, nodes=2, links=dl.topology(np.ones((3, 3)) - np.eye(3), nodes=[0, 1, 2]))


# --- faults ---


@pytest.mark.parametrize("name", ["links.rpc_ambiguity", "consensus.raft"])
def test_a_budget_or_a_token_ends_a_run_of_a_million_faults_a_second(name):
    storm = dl.faults(dl.fault("crash", node="random", rate=1e6, lasts=0))
    for _ in range(2):  # at the same step, whatever the machine
        with pytest.raises(dl.BudgetError, match=f"^{name}: the budget of 100000 steps is spent$"):
            dl.run(name, faults=storm, budget={"steps": 100_000})
    token = dl.Token()
    timer = threading.Timer(0.3, token.cancel)
    timer.start()
    with pytest.raises(dl.Cancelled):
        dl.run(name, faults=storm, token=token)
    timer.join()


def plan(model, *rows, **params):
    return dl.run(model, keep=["plan"], faults=dl.faults(*rows), nodes=5, **params).tables["plan"]


def test_a_plan_reaches_the_core(model):
    rows = plan(
        model,
        dl.fault("crash", node=2, at="30s", lasts="exponential(5s)", disk="torn"),
        dl.fault("partition", members=[0, 3], every="10min", lasts=30),
        dl.fault("gray", node="leader", rate="2/s", amount=0.25, message=7),
        dl.fault("slow_link", node=1, peer=4, at=0, amount=10, lasts=dl.uniform(1, 3, unit="s")),
    )
    assert rows["time"].tolist() == [30, -1, -1, 0]
    assert np.allclose(rows["rate"], [-1, 1 / 600, 2, -1])
    assert rows["kind"].tolist() == [
        _network.KINDS.index(k) for k in ("crash", "partition", "gray", "slow_link")
    ]
    assert rows["target"].tolist() == [0, 0, 3, 0]
    assert rows["node"].tolist() == [2, -1, -1, 1]
    assert rows["peer"].tolist() == [-1, -1, -1, 4]
    assert rows["members"].tolist() == [-1, 9, -1, -1]
    assert rows["duration"].tolist() == [5, 30, -1, 2]
    assert rows["amount"].tolist() == [np.inf, np.inf, 0.25, 10]
    assert rows["message"].tolist() == [-1, -1, 7, -1]
    assert rows["disk"].tolist() == [2, 0, 0, 0]


def test_plans_join(model):
    one, two = dl.faults(dl.fault("pause", node=1, at=1)), dl.fault("crash", node="each", every=60, lasts=5)
    assert plan(model, one, two)["kind"].tolist() == [1, 0]
    assert plan(model, dl.faults(one, two, label="both"), two)["target"].tolist() == [0, 2, 2]


def test_every_kind_is_accepted(model):
    needs = {"slow": 2, "flapping": 1, "slow_link": 2, "degrade": 0.5, "gray": 0.5, "clock_jump": -1,
             "clock_drift": 100, "disk_slow": 3, "disk_rot": 2}  # fmt: skip
    everywhere = ("partition", "majority_ring")
    rows = [
        dl.fault(k, at=1, node=None if k in everywhere else "random", amount=needs.get(k))
        for k in _network.KINDS
    ]
    assert plan(model, *rows)["kind"].tolist() == list(range(len(_network.KINDS)))


def test_names_are_those_of_the_core():
    header, disk = (ROOT / "csrc/sim/faults.h").read_text(), (ROOT / "csrc/sim/disk.h").read_text()
    network = (ROOT / "csrc/sim/network.h").read_text()

    def names(text, macro):
        listed = re.search(rf"#define {macro}\(X\)((?:.*\\\n)*.*\n)", text).group(1)
        return tuple(re.findall(r'X\(\w+, "(\w+)"\)', listed))

    assert names(network, "DLAB_ORDERINGS") == _network.ORDERINGS
    told = inspect.getdoc(dl.fault)
    assert [k for k in names(header, "DLAB_FAULTS") if not re.search(rf"\b{k}\b", told)] == []
    assert [k for k in names(disk, "DLAB_KEEPS") if f'"{k}"' not in told] == []


@pytest.mark.parametrize(
    ("kind", "options", "error", "text"),
    [
        ("crsh", {"at": 1}, ValueError, "did you mean 'crash'"),
        ("crash", {"node": 1}, ValueError, "crash: when?"),
        ("crash", {"every": 1, "rate": 1}, ValueError, "every and rate say the same"),
        ("crash", {"at": "5MB"}, TypeError, "at: '5MB'"),
        ("crash", {"at": -1}, ValueError, "at = -1 is outside"),
        ("crash", {"at": 1, "node": "leadr"}, ValueError, "did you mean 'leader'"),
        ("crash", {"at": 1, "node": -1}, ValueError, "node = -1 is outside"),
        ("crash", {"at": 1, "node": 1.5}, TypeError, "node must be an integer"),
        ("crash", {"at": 1, "disk": "broken"}, ValueError, "disk must be one of kept, lost"),
        ("partition", {"at": 1, "members": [70]}, ValueError, "members = 70 is outside 0 to 61"),
        ("partition", {"at": 1, "members": []}, ValueError, "members must name at least one node"),
        ("partition", {"at": 1, "members": "01"}, TypeError, "members must be a list of nodes"),
        ("gray", {"at": 1, "amount": "much"}, TypeError, "amount must be a number"),
        (
            "crash",
            {"at": 1, "node": 0, "lasts": -1},
            ValueError,
            "lasts: constant reaches down to -1, below 0",
        ),
        ("crash", {"at": 1, "node": 0, "lasts": "2e9s"}, ValueError, "= 2e+09 is outside [0, 1e+09]"),
        ("crash", {"at": 1, "node": 0, "lasts": "5MB"}, TypeError, "lasts: '5MB'"),
        ("crash", {"at": 1, "node": 0, "lasts": {}}, TypeError, "lasts takes a distribution in s"),
        ("crash", {"rate": 1e7, "node": 0}, ValueError, "rate = 10000000.0 is outside 1e-12 to 1e+06"),
        ("crash", {"every": 0, "node": 0}, ValueError, "every = 0 is outside 1e-06 to 1e+12"),
        ("crash", {"at": 1}, ValueError, "crash needs a node, or a target: random, each, leader"),
        ("crash", {"at": 1, "node": 0, "peer": 1}, ValueError, "crash takes no peer"),
        ("crash", {"at": 1, "node": 1024}, ValueError, "node = 1024 is outside 0 to 1023"),
        ("gray", {"at": 1, "node": 0}, ValueError, "gray needs an amount (a share)"),
        ("degrade", {"at": 1, "node": 0, "amount": 1.5}, ValueError, "amount = 1.5 is outside [0, 1]"),
        (
            "gray",
            {"at": 1, "node": 0, "amount": 1, "message": 65536},
            ValueError,
            "message = 65536 is outside",
        ),
    ],
)
def test_mistakes_in_a_fault_are_named(kind, options, error, text):
    with pytest.raises(error, match=re.escape(text)):
        dl.fault(kind, **options)


def test_mistakes_in_a_plan_are_named(model):
    with pytest.raises(TypeError, match="rows from dl.fault"):
        dl.faults("crash")
    with pytest.raises(ValueError, match="at least one row"):
        dl.faults()
    with pytest.raises(ValueError, match="did you mean 'kind'"):
        dl.faults({"kinds": "crash"})
    with pytest.raises(ValueError, match=r"row 1 of table 'faults': slow needs an amount \(a factor\)"):
        plan(model, dl.fault("crash", node=0, at=1), {"kind": "slow", "node": 0, "time": 1})
    with pytest.raises(ValueError, match="row 0 of table 'faults': node = 5, but nodes are 0 .. 4"):
        plan(model, dl.fault("crash", node=5, at=1))
    with pytest.raises(ValueError, match="kind is blank"):
        plan(model, {"time": 1, "node": 1})


def test_a_gray_fault_of_a_plan_concerns_its_peer_alone():
    """Server 2 hears nobody, so it asks for votes again and again, and both others answer into the void."""
    plan = dl.faults(*(dl.fault("gray", node=node, peer=2, amount=1.0, at=0) for node in (0, 1)))
    run = dl.run(
        "consensus.raft", nodes=3, clients=0, duration=2, heal_time=0, faults=plan, trace=True,
        pre_vote=False, check_quorum=False,
    )  # fmt: skip
    rows, code = run.trace.array, run.trace.names.code
    lost = rows[rows["type"] == code["drop"]]
    assert set(zip(lost["node"].tolist(), lost["peer"].tolist(), strict=True)) == {(0, 2), (1, 2)}
    heard = rows[(rows["type"] == code["deliver"]) & (rows["node"] == 2)]
    assert not heard.size
