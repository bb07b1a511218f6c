"""queueing.station against theory, wherever theory reaches: means, quantiles, losses, goodput.

Four standard errors allowed, fixed seeds. Quantiles come from the merged histogram, so its bucket width is
allowed beside the statistical error.
"""

import numpy as np
import pytest

import distlab as dl

CASES = {
    "M/M/1": {"arrival_rate": 80},
    "M/M/1, deadline": {"arrival_rate": 70, "deadline": "50ms"},
    "M/M/3": {"arrival_rate": 250, "servers": 3},
    "M/M/20": {"arrival_rate": 1700, "servers": 20, "deadline": "20ms"},
    "M/M/1/10": {"arrival_rate": 80, "capacity": 10, "deadline": "40ms"},
    "M/M/1/10 overloaded": {"arrival_rate": 120, "capacity": 10},
    "M/M/5/20": {"arrival_rate": 600, "servers": 5, "capacity": 20},
    "M/M/4/4": {"arrival_rate": 300, "servers": 4, "capacity": 4},
    "M/G/4/4": {"arrival_rate": 300, "servers": 4, "capacity": 4, "service": "uniform(low=0, high=20ms)"},
    "M/D/1": {"arrival_rate": 80, "service": "10ms", "deadline": "30ms"},
    "M/D/3": {"arrival_rate": 240, "servers": 3, "service": "10ms"},
    "M/D/1/5": {"arrival_rate": 95, "capacity": 5, "service": "10ms"},
    "M/H2/1": {"arrival_rate": 70, "service": "hyperexponential(mean=10ms, scv=4)"},
    "M/lognormal/1": {"arrival_rate": 60, "service": "lognormal(mean=10ms, scv=2)"},
    "D/M/1": {"arrival_rate": 80, "interarrival": "1", "deadline": "30ms"},
    "E4/M/1": {"arrival_rate": 80, "interarrival": "erlang(k=4, mean=1)"},
    "G/G/2": {"arrival_rate": 150, "servers": 2, "interarrival": "gamma(shape=0.5, scale=1)",
              "service": "weibull(shape=0.7, mean=10ms)"},
}  # fmt: skip
# Columns of which theory must not be silent.
EXPECTED = {
    "M/M/1": 16, "M/M/1, deadline": 16, "M/M/3": 16, "M/M/20": 16, "M/M/1/10": 16, "M/M/1/10 overloaded": 16,
    "M/M/5/20": 16, "M/M/4/4": 16, "M/G/4/4": 16, "M/D/1": 16, "M/D/3": 11, "M/D/1/5": 10, "M/H2/1": 11,
    "M/lognormal/1": 11, "D/M/1": 16, "E4/M/1": 16, "G/G/2": 6,
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_simulation_meets_theory(name):
    sweep = dl.sweep("queueing.station", jobs=40_000, reps=32, seed=3, **CASES[name])
    known = 0
    for column in sweep.model.theory_columns:
        expected = float(sweep.theory(column))
        if np.isnan(expected):
            continue
        known += 1
        s = sweep.stats(column)
        rounding = expected / 256 if "_p" in column else 1e-9 * abs(expected)
        error = 4 * float(s["se"]) + rounding
        assert abs(float(s["mean"]) - expected) <= error, (
            f"{name}: {column} = {float(s['mean']):.6g} +- {float(s['se']):.2g}, theory says {expected:.6g}"
        )
    assert known >= EXPECTED[name], f"theory answers {known} columns"


def test_no_steady_state_is_said_and_no_theory_offered():
    with pytest.warns(dl.DistlabWarning, match="no steady state"):
        run = dl.run("queueing.station", arrival_rate=150, jobs=2000)
    assert "latency_mean" not in run.theory
    assert run.theory["offered"] == 150


def test_little_law_holds_on_every_run():
    """Time integral of the series (counted) against rate times mean time, of the very same jobs."""
    stations = [{}, {"servers": 3, "arrival_rate": 200}, {"capacity": 4, "arrival_rate": 150}]
    for seed, options in enumerate(stations):
        run = dl.run("queueing.station", jobs=3000, warmup_fraction=0, seed=seed, keep=True, **options)
        jobs, series = run.tables["jobs"], run.series["queue_length"]
        served = jobs[jobs["outcome"] == 0]
        for column, spent in (
            ("queue_length", served["start"] - served["arrival"]),
            ("in_system", served["departure"] - served["arrival"]),
        ):
            integral = np.sum(series[column][:-1] * np.diff(series["time"]))
            assert integral == pytest.approx(spent.sum(), rel=1e-12)
        horizon = jobs["arrival"][-1]
        assert run.queue_length_mean == pytest.approx(
            np.sum(served["start"] - served["arrival"]) / horizon, rel=1e-9
        )
