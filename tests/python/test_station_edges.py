"""queueing.station at the edges.

Budgets are obeyed wherever work hides, limits have names, nothing is claimed that is not known, and what fits
into a budget does not depend on threads.
"""

import numpy as np
import pytest

import distlab as dl

STATION = "queueing.station"


def test_a_changing_rate_is_charged():
    """Millions of days or phases pass between two arrivals: skipped or charged, never an endless loop."""
    with pytest.raises(dl.BudgetError, match="146 years"):
        dl.run(STATION, profile="diurnal", period=1, arrival_rate=1e-5, jobs=100_000)
    rare = dl.run(STATION, profile="diurnal", period="1ms", arrival_rate=0.01, jobs=2000)
    assert rare.offered == pytest.approx(0.01, rel=0.1)
    with pytest.raises(dl.BudgetError, match="budget of 3000 steps"):
        dl.run(STATION, profile="bursts", period="1ms", arrival_rate=1e-3, jobs=100, budget={"steps": 3000})


def test_whole_days_are_skipped_exactly():
    """A rate that is the same at noon and midnight is steady, whether days are skipped or walked."""
    flat = dl.run(
        STATION, profile="diurnal", peak_factor=1, period="1ms", arrival_rate=2, jobs=500, keep="jobs"
    )
    steady = dl.run(STATION, arrival_rate=2, jobs=500, keep="jobs")
    assert np.allclose(flat.tables["jobs"]["arrival"], steady.tables["jobs"]["arrival"], rtol=0, atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*whole nanoseconds")
def test_long_sessions_are_drawn_at_once():
    long = {"load": "partly_open", "session_jobs": 1e6, "arrival_rate": 1e7, "service": "1s", "capacity": 100}
    run = dl.run(STATION, jobs=3000, budget={"steps": 9000}, **long)
    assert run.offered > 0


def test_a_schedule_beyond_time_is_named():
    with pytest.raises(dl.BudgetError, match="146 years"):
        dl.run(STATION, load="paced", clients=10**6, arrival_rate=1e-6, jobs=10)


@pytest.mark.parametrize(
    "options",
    [
        {"discipline": "priority", "classes": dl.table([{"share": 1}]), "arrival_rate": 200},
        {"arrival_rate": 95, "pause": "10s", "pause_interval": 10},
    ],
)
def test_overload_is_said_with_classes_and_pauses(options):
    with pytest.warns(dl.DistlabWarning, match="no steady state"):
        dl.run(STATION, jobs=500, **options)


def test_what_is_not_known_is_not_claimed():
    short = dl.run(STATION, jobs=10)
    assert np.isnan(short.wait_se) and short.wait > 0
    nobody = dl.run(STATION, jobs=10, warmup_fraction=0.9, patience="1us", arrival_rate=10_000)
    assert np.isnan(nobody.wait) and np.isnan(nobody.latency_mean)


def test_what_may_be_kept_does_not_depend_on_threads():
    options = {"arrival_rate": [50], "keep": ["jobs"], "jobs": 20_000, "keep_max": 16 * 2**20}
    row = dl.run(STATION, jobs=20_000, keep="jobs").tables["jobs"].nbytes
    fits = 16 * 2**20 // row
    for threads in (1, 2):
        assert dl.sweep(STATION, reps=fits, threads=threads, **options).tables["jobs"].size == fits * 20_000
        with pytest.raises((dl.BudgetError, ValueError), match="keep|kept"):
            dl.sweep(STATION, reps=fits + 1, threads=threads, **options)
