"""The station against ciw (Palmer, Knight, Harper and Hawa, J. Simulation 13(1), 2019), a simulator by other
people with other random numbers: ten configurations, means within joint intervals of four standard errors.
"""

import math

import numpy as np
import pytest

import distlab as dl

ciw = pytest.importorskip("ciw", reason="optional: ciw, the other simulator, is not installed")

REPS, JOBS, WARMUP = 16, 5000, 500
EXP = ciw.dists.Exponential
SERVE = {"service_distributions": [EXP(100)]}
PS = {"node_class": ciw.PSNode, "number_of_servers": [math.inf], "ps_thresholds": [1]}
TWO = {"arrival_distributions": {"high": [EXP(20)], "low": [EXP(50)]},
       "service_distributions": {"high": [EXP(100)], "low": [EXP(100)]}}  # fmt: skip
CLASSES = {"arrival_rate": 70, "classes": dl.table([{"share": 2}, {"share": 5}])}
# name: (options of queueing.station, of ciw.create_network beside one server and Poisson arrivals)
CASES = {
    "M/M/1": ({"arrival_rate": 70}, SERVE),
    "M/M/3": ({"arrival_rate": 220, "servers": 3}, SERVE | {"number_of_servers": [3]}),
    "M/D/1": ({"arrival_rate": 75, "service": "10ms"},
              {"service_distributions": [ciw.dists.Deterministic(0.01)]}),
    "M/G/1": ({"arrival_rate": 70, "service": "uniform(low=0, high=20ms)"},
              {"service_distributions": [ciw.dists.Uniform(0, 0.02)]}),
    "M/M/2/5": ({"arrival_rate": 200, "servers": 2, "capacity": 5},
                SERVE | {"number_of_servers": [2], "queue_capacities": [3]}),
    "lifo": ({"arrival_rate": 60, "discipline": "lifo"},
             SERVE | {"service_disciplines": [ciw.disciplines.LIFO]}),
    "random": ({"arrival_rate": 65, "discipline": "random"},
               SERVE | {"service_disciplines": [ciw.disciplines.SIRO]}),
    "ps": ({"arrival_rate": 60, "discipline": "ps", "service": "uniform(low=0, high=20ms)"},
           {"service_distributions": [ciw.dists.Uniform(0, 0.02)]} | PS),
    "priority": (CLASSES | {"discipline": "priority"}, TWO | {"priority_classes": {"high": 0, "low": 1}}),
    "priority_preemptive": (CLASSES | {"discipline": "priority_preemptive"},
                            TWO | {"priority_classes": ({"high": 0, "low": 1}, ["resume"])}),
    "reneging": ({"arrival_rate": 120, "patience": "exponential(20ms)"},
                 SERVE | {"reneging_time_distributions": [EXP(50)]}),
}  # fmt: skip


def simulate(rate, network, seed):
    """One run of ciw: numbers of the jobs that came after the warm-up and well before the end."""
    ciw.seed(seed)
    options = {"arrival_distributions": [EXP(rate)], "number_of_servers": [1]} | network
    node_class = options.pop("node_class", None)
    run = ciw.Simulation(ciw.create_network(**options), node_class=node_class)
    run.simulate_until_max_time(JOBS / rate)
    jobs = {}  # a preempted job leaves several records, the last one when it leaves
    for r in run.get_all_records():
        arrival = min(r.arrival_date, jobs[r.id_number][0] if r.id_number in jobs else math.inf)
        jobs[r.id_number] = (arrival, r.exit_date, r.record_type, r.customer_class)
    arrival, left, kind, group = (np.array(column) for column in zip(*jobs.values(), strict=True))
    measured = (arrival > WARMUP / rate) & (arrival < (JOBS - WARMUP) / rate)  # nearly all of these left
    return numbers((left - arrival)[measured], kind[measured], (group == "low")[measured])


def numbers(latency, kind, low):
    served = kind == "service"
    out = {"latency": latency[served].mean()}
    out |= {"loss": np.mean(kind == "rejection"), "abandonment": np.mean(kind == "renege")}
    for name, some in (("high", served & ~low), ("low", served & low)):
        out[f"latency, {name}"] = latency[some].mean() if some.any() else 0.0
    return out


def ours(options):
    sweep = dl.sweep("queueing.station", jobs=20_000, reps=20, seed=61, keep="jobs", **options)
    rows = sweep.tables["jobs"]
    rows = rows[rows["job"] >= 2000]
    kinds = np.array(["service", "rejection", "renege"])
    reps = [rows[rows["rep"] == r] for r in range(20)]
    return [numbers(j["departure"] - j["arrival"], kinds[j["outcome"]], j["priority"] == 1) for j in reps]


@pytest.mark.parametrize("name", CASES)
def test_two_simulators_agree(name):
    options, network = CASES[name]
    a, b = ours(options), [simulate(options["arrival_rate"], network, seed) for seed in range(REPS)]
    for what in a[0]:
        x, y = np.array([run[what] for run in a]), np.array([run[what] for run in b])
        error = math.sqrt(x.var(ddof=1) / len(x) + y.var(ddof=1) / len(y))
        assert abs(x.mean() - y.mean()) <= 4 * error, (
            f"{name}: {what} {x.mean():.4g}, ciw says {y.mean():.4g}"
        )
