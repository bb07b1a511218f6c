"""queueing.analytic: every system against its second route, limits where systems meet, the numbers of the
lessons, agreement with the simulated station, and what it says when asked for what it cannot know."""

import math

import numpy as np
import pytest

import distlab as dl

MODEL = "queueing.analytic"
SYSTEMS = dl.models()[MODEL].field("system")["choices"]
# What each system is tried with; the second route must know something of all but those in SILENT.
CASES = {
    "mm1": {},
    "mmc": {"servers": 5, "arrival_rate": 430},
    "mmck": {"servers": 3, "capacity": 12, "arrival_rate": [150, 300, 600]},
    "mmc_patience": {"servers": 4, "patience_mean": 0.02, "arrival_rate": [100, 400, 900]},
    "mgcc": {"servers": 8, "arrival_rate": [200, 900], "scv_service": 4},
    "mginf": {"arrival_rate": 900},
    "mg1": {"scv_service": [0, 0.04, 0.5, 1, 3, 100]},
    "md1": {},
    "mdc": {"servers": 3, "arrival_rate": 240},
    "gim1": {"scv_arrival": [0, 0.1, 1, 6]},
    "ggc": {"servers": 2, "scv_arrival": 0.5, "scv_service": 2},
    "mg1_ps": {"scv_service": 20},
    "mg1_srpt": {"scv_service": [0, 1, 20]},
    "mm1_lifo": {},
    "priority_nonpreemptive": {},
    "priority_preemptive": {},
    "batch_arrivals": {"batch": [1, 10], "scv_service": 2},
    "batch_service": {"batch": [1, 32], "arrival_rate": 90},
}
SILENT = {"mdc", "ggc", "mg1_srpt", "priority_nonpreemptive", "priority_preemptive"}


def ask(**params):
    return dl.run(MODEL, **params)


@pytest.mark.parametrize("system", SYSTEMS)
def test_two_routes_to_every_system(system):
    sweep = dl.sweep(MODEL, system=system, **CASES[system])
    known = 0
    for column in sweep.model.theory_columns:
        value, expected = np.asarray(sweep.mean(column)), np.asarray(sweep.theory(column))
        both = ~np.isnan(expected) & ~np.isnan(value)
        np.testing.assert_allclose(value[both], expected[both], rtol=1e-9, err_msg=f"{system}: {column}")
        known += both.sum()
    assert (known > 0) == (system not in SILENT)


@pytest.mark.parametrize("system", SYSTEMS)
def test_little_and_conservation(system):
    sweep = dl.sweep(MODEL, system=system, **CASES[system])
    column = {name: np.asarray(sweep.mean(name)) for name in sweep.array.dtype.names}
    stay = column["throughput"] * column["latency_mean"]
    if system == "mmc_patience":  # its means are over all arrivals
        stay = column["offered"] * column["latency_mean"]
    np.testing.assert_allclose(column["in_system_mean"], stay, rtol=1e-9)
    gone = column["offered"] * (1 - column["loss"] - column["abandonment"])
    np.testing.assert_allclose(column["throughput"], gone, rtol=1e-9)
    np.testing.assert_allclose(column["goodput"], column["throughput"], rtol=1e-12)
    assert (column["wait"] <= column["wait_bound"] * (1 + 1e-12))[~np.isnan(column["wait_bound"])].all()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"system": "mmc"}, {"system": "mm1"}),
        ({"system": "mmck"}, {"system": "mm1"}),
        ({"system": "mmck", "capacity": 2000}, {"system": "mm1"}),
        ({"system": "mmck", "servers": 4, "capacity": 4}, {"system": "mgcc", "servers": 4}),
        ({"system": "mmc_patience", "servers": 2}, {"system": "mmc", "servers": 2}),
        ({"system": "mg1", "scv_service": 1}, {"system": "mm1"}),
        ({"system": "mg1", "scv_service": 0}, {"system": "md1"}),
        ({"system": "mdc"}, {"system": "md1"}),
        ({"system": "md1", "capacity": 5000}, {"system": "md1"}),
        ({"system": "gim1", "scv_arrival": 1}, {"system": "mm1"}),
        ({"system": "ggc", "servers": 3}, {"system": "mmc", "servers": 3}),
        ({"system": "ggc", "scv_service": 3}, {"system": "mg1", "scv_service": 3}),
        ({"system": "mg1_srpt", "scv_service": 0}, {"system": "md1"}),
        ({"system": "priority_nonpreemptive", "scv_service": 3}, {"system": "mg1", "scv_service": 3}),
        ({"system": "priority_preemptive"}, {"system": "mm1"}),
        ({"system": "batch_arrivals", "scv_service": 3}, {"system": "mg1", "scv_service": 3}),
        ({"system": "batch_service", "scv_service": 3}, {"system": "mg1", "scv_service": 3}),
        ({"system": "mginf"}, {"system": "mgcc", "servers": 60}),
        ({"system": "mg1_ps", "scv_service": 9}, {"system": "mm1_lifo"}),
    ],
    ids=lambda case: " ".join(str(value) for value in case.values()),
)
def test_systems_meet_at_their_limits(one, other):
    one, other = ask(**one), ask(**other)
    for column in ("wait", "latency_mean", "throughput", "in_system_mean", "loss", "latency_p99", "wait_p99"):
        if not (math.isnan(one[column]) or math.isnan(other[column])):
            assert one[column] == pytest.approx(other[column], rel=1e-9, abs=1e-12), column


def test_numbers_of_the_lessons():
    busy = ask(arrival_rate=90)
    assert busy["latency_mean"] == pytest.approx(0.1)
    assert busy["latency_p99"] == pytest.approx(0.4605, abs=1e-4)
    # L01.02: the largest load with p99 below ten service times.
    assert ask(arrival_rate=53.9)["latency_p99"] < 0.1 < ask(arrival_rate=54.0)["latency_p99"]
    # L01.02: batches of 1 ms + 0.1 ms an item.
    batching = {"system": "batch_service", "service_rate": 10_000, "batch_overhead": "1ms", "scv_service": 0}
    alone, many = ask(**batching, arrival_rate=909), ask(**batching, arrival_rate=7619, batch=32)
    assert alone["utilisation"] == pytest.approx(1, abs=2e-4)
    assert many["utilisation"] == pytest.approx(1, abs=2e-4)
    assert ask(**batching, arrival_rate=10, batch=32)["latency_mean"] > 1.5
    # L04.03: replica lag; L06.02: a timeout for 0.1 %; L09.02: one fast machine or ten slow.
    assert ask(service_rate=1000, arrival_rate=950)["latency_p99"] == pytest.approx(0.092, abs=5e-4)
    assert ask(arrival_rate=50)["latency_p999"] == pytest.approx(0.138, abs=5e-4)
    fast = ask(arrival_rate=5, service_rate=10)
    slow = ask(system="mmc", servers=10, arrival_rate=5, service_rate=1)
    assert fast["latency_mean"] == pytest.approx(0.2)
    assert slow["latency_mean"] == pytest.approx(1.007, abs=1e-3)
    # L09.10: servers for P(wait) < 20 %.
    plan = dl.sweep(
        MODEL, system="mmc", service_rate=1, servers=2000, arrival_rate=[10, 100, 1000], target=0.2
    )
    assert list(plan.mean("servers_at_target")) == [14, 111, 1034]


@pytest.mark.parametrize(
    ("analytic", "station"),
    [
        ({}, {}),
        ({"system": "mmck", "capacity": 8, "servers": 2}, {"capacity": 8, "servers": 2}),
        ({"system": "md1"}, {"service": "10ms"}),
        ({"system": "gim1", "scv_arrival": 0.25}, {"interarrival": "erlang(k=4, mean=1)"}),
        ({"system": "mm1_lifo", "deadline": 0.05}, {"discipline": "lifo_preemptive", "deadline": 0.05}),
        ({"system": "mg1_srpt"}, {"discipline": "srpt"}),
        ({"system": "mg1_ps"}, {"discipline": "ps"}),
        ({"system": "mmc_patience", "patience_mean": 0.03}, {"patience": "exponential(30ms)"}),
    ],
    ids=lambda case: " ".join(str(value) for value in case.values()) or "default",
)
def test_agrees_with_the_simulated_station(analytic, station):
    exact = ask(arrival_rate=70, **analytic)
    sweep = dl.sweep("queueing.station", arrival_rate=70, jobs=30_000, reps=24, seed=5, **station)
    columns = ["throughput", "utilisation", "goodput", "loss", "abandonment"]
    if "patience" not in station:  # the station's means are over the served, Erlang A's over all
        columns += ["latency_mean", "wait", "in_system_mean"]
    for column in columns:
        if math.isnan(exact[column]):
            continue
        stats = sweep.stats(column)
        error = 4.5 * float(stats["se"]) + 1e-9 * abs(exact[column])
        assert abs(float(stats["mean"]) - exact[column]) <= error, column


def test_priority_classes():
    classes = dl.table({"share": [1, 3], "service_rate": [200, 100]})
    run = dl.run(MODEL, system="priority_nonpreemptive", classes=classes, scv_service=0, keep=True)
    rows = run.tables["class_latency"]
    assert list(rows["arrival_rate"]) == pytest.approx([20, 60])
    assert rows["wait"][0] < rows["wait"][1]
    # Kleinrock's conservation law: load times wait, summed, is that of first come first served.
    residual = (20 / 200**2 + 60 / 100**2) / 2
    assert (rows["utilisation"] * rows["wait"]).sum() == pytest.approx(0.7 * residual / 0.3, rel=1e-12)
    preempting = dl.run(MODEL, system="priority_preemptive", classes=classes, keep=True)
    assert preempting.tables["class_latency"]["latency"][0] == pytest.approx(1 / (200 - 20))
    with pytest.raises(ValueError, match="classes has 17 rows; at most 16"):
        ask(system="priority_preemptive", classes=dl.table({"share": [1] * 17}))


def test_states_add_up():
    for system in ("mm1", "mmck", "mgcc", "md1", "gim1", "mg1_ps", "mginf"):
        params = {"capacity": 20} if system in ("mmck", "md1") else {}
        run = dl.run(MODEL, system=system, keep="states", **params)
        states = run.tables["states"]
        assert states["probability"].sum() == pytest.approx(1, abs=1e-9)
        mean = (states["n"] * states["probability"]).sum()
        assert mean == pytest.approx(run["in_system_mean"], rel=1e-9)
        assert ask(system=system, state=1, **params)["state_probability"] == states["probability"][1]
    unknown = dl.run(MODEL, system="mdc", servers=2, keep="states")
    assert len(unknown.tables["states"]) == 0


def test_no_steady_state_is_said():
    with pytest.warns(dl.DistlabWarning, match="load 1.2 on 1 server: no steady state"):
        run = ask(arrival_rate=120, deadline="1s")
    assert math.isinf(run["wait"])
    assert math.isinf(run["latency_p50"])
    assert (run["utilisation"], run["throughput"], run["goodput"]) == (1, 100, 0)
    with pytest.warns(dl.DistlabWarning, match="no steady state"):
        newest_first = ask(system="mm1_lifo", arrival_rate=150, deadline=0.1)
    assert newest_first["goodput"] == pytest.approx(95.95645760130632)


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"servers": 4}, "system = mm1 has no use for servers = 4; mmc has"),
        ({"capacity": 9}, "system = mm1 has no use for capacity = 9; mmck has"),
        ({"system": "mg1", "servers": 2, "scv_service": 3}, "has no use for servers = 2; mgcc has"),
        ({"system": "md1", "scv_service": 2}, "system = md1 has no use for scv_service = 2"),
        ({"batch_overhead": "1ms"}, "batch_service has"),
        ({"patience_mean": 1}, "mmc_patience has"),
        ({"system": "mmck", "servers": 5, "capacity": 4}, "capacity = 4 is below servers = 5"),
    ],
    ids=lambda case: "" if isinstance(case, str) else " ".join(case),
)
def test_a_parameter_without_meaning_is_refused(params, text):
    with pytest.raises(ValueError, match=text):
        ask(**params)


def test_the_planted_bug_shortens_waits():
    honest = ask(system="mmc", servers=5, arrival_rate=400)
    wrong = ask(system="mmc", servers=5, arrival_rate=400, bug="erlang_b_for_c")
    assert wrong["wait"] < honest["wait"] / 2
    assert ask(system="mgcc", servers=5, arrival_rate=400)["loss"] == pytest.approx(wrong["wait_probability"])
