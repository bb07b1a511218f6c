"""Loads: where jobs come from, against laws that hold on every run and against exact chains.

Little's law and the bookkeeping of outcomes hold to the nanosecond and to the job, so they are asserted on
every discipline and load. Closed stations are held against their birth-death chain, partly open ones against
Jackson's theorem, rate profiles against their own integral, bursts against the theory of MMPP(2).
"""

import math

import numpy as np
import pytest
import scipy.stats

import distlab as dl
from station_witness import ABANDONED, DROPPED, LOST, SERVED, by_number, draws, ns, station

DISCIPLINES = (
    "fifo",
    "lifo",
    "lifo_preemptive",
    "adaptive_lifo",
    "random",
    "ps",
    "srpt",
    "priority",
    "priority_preemptive",
)
UNBROKEN = ("fifo", "lifo", "adaptive_lifo", "random", "priority")
LOADS = {
    "open": {"arrival_rate": 90},
    "closed": {"load": "closed", "clients": 12, "think_time": "exponential(80ms)"},
    "partly_open": {"load": "partly_open", "arrival_rate": 30, "session_jobs": 3, "think_time": "20ms"},
    "paced": {"load": "paced", "clients": 20, "arrival_rate": 90},
    "bursts": {"arrival_rate": 80, "profile": "bursts", "peak_factor": 4, "burst_share": 0.2, "period": 2},
    "three servers": {"arrival_rate": 280, "servers": 3},
    "full room": {"arrival_rate": 130, "capacity": 6},
    "pauses": {"arrival_rate": 70, "pause": "exponential(60ms)", "pause_interval": 0.5},
}
IMPATIENT = {
    "patience": {"arrival_rate": 120, "patience": "exponential(40ms)"},
    "patience, pauses": {"arrival_rate": 90, "patience": "30ms", "pause": "100ms", "pause_interval": 0.4},
    "late": {"arrival_rate": 120, "deadline": "50ms", "drop_late": True},
    "codel": {"arrival_rate": 120, "codel_target": "20ms", "codel_interval": "100ms"},
    "everything": {"load": "closed", "clients": 30, "think_time": "50ms", "capacity": 20, "servers": 2,
                   "patience": "exponential(80ms)", "deadline": "60ms", "drop_late": True,
                   "codel_target": "30ms", "pause": "50ms", "pause_interval": 1},
}  # fmt: skip
EVERY = [(d, name) for d in DISCIPLINES for name in LOADS] + [
    (d, name) for d in DISCIPLINES if d != "ps" for name in IMPATIENT
]


def near(values, expected, what):
    """The mean of independent values is the expected one within four standard errors."""
    values = np.asarray(values).reshape(-1)
    error = values.std(ddof=1) / math.sqrt(len(values))
    distance = abs(values.mean() - expected)
    assert distance <= 4 * error + 1e-12 * abs(expected), (
        f"{what}: {values.mean():.6g} +- {error:.2g}, expected {expected:.6g}"
    )


# --- Every run --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("discipline, name", EVERY)
def test_little_law_and_bookkeeping_hold_on_every_run(discipline, name):
    """From empty to empty: the integral of what is present is the sum of what each was there, in whole
    nanoseconds; every arrival leaves once, one way or another, and the metrics say so."""
    options = {**LOADS, **IMPATIENT}[name]
    run = station(discipline, jobs=3000, warmup_fraction=0, seed=31, method="events", **options)
    jobs, series = by_number(run), run.series["queue_length"]
    np.testing.assert_array_equal(jobs["job"], np.arange(3000))
    outcome, arrival = jobs["outcome"], ns(jobs["arrival"])
    inside = outcome != LOST
    left = ns(np.where(inside, jobs["departure"], jobs["arrival"]))
    time = np.diff(ns(series["time"]))
    assert series["in_system"][-1] == series["queue_length"][-1] == 0
    assert np.sum(series["in_system"][:-1] * time) == np.sum(left - arrival)
    assert np.all(np.isnan(jobs["departure"]) == ~inside)
    assert np.all(np.isnan(jobs["start"]) == (outcome != SERVED))
    assert np.all(left >= arrival)
    if discipline in UNBROKEN:
        began = ns(np.where(outcome == SERVED, jobs["start"], 0)) * (outcome == SERVED)
        until = np.where(outcome == SERVED, began, left)
        assert np.all(until >= arrival)
        assert np.sum(series["queue_length"][:-1] * time) == np.sum(until - arrival)
    counts = [int(np.sum(outcome == code)) for code in (SERVED, LOST, ABANDONED, DROPPED)]
    assert sum(counts) == 3000
    shares = [run.success_ratio, run.loss, run.abandonment, run.drop_ratio]
    if "deadline" not in options:
        np.testing.assert_allclose(shares, np.array(counts) / 3000, rtol=1e-12)
    np.testing.assert_allclose(shares[1:], np.array(counts[1:]) / 3000, rtol=1e-12)
    assert (counts[1] > 0) <= ("capacity" in options)
    assert (counts[2] > 0) <= ("patience" in options)
    if name in ("patience", "patience, pauses") and discipline != "lifo_preemptive":
        assert counts[2] > 10  # the newest is served at once, so only pauses try its patience


@pytest.mark.parametrize("discipline", ["lifo_preemptive", "srpt", "priority_preemptive", "ps"])
@pytest.mark.parametrize("servers", [1, 2])
def test_little_law_of_the_line_holds_where_service_is_broken(discipline, servers):
    """Whoever is not in service waits: the integral of the line is latencies less the work done."""
    options = {
        "jobs": 3000,
        "warmup_fraction": 0,
        "seed": 32,
        "arrival_rate": 90 * servers,
        "servers": servers,
    }
    run = station(discipline, **options)
    jobs, series = by_number(run), run.series["queue_length"]
    work = int(np.sum(draws(**options)[1]))
    waited = int(np.sum(ns(jobs["departure"]) - ns(jobs["arrival"]))) - work
    integral = int(np.sum(series["queue_length"][:-1] * np.diff(ns(series["time"]))))
    assert abs(integral - waited) <= (3000 * servers if discipline == "ps" else 0)


@pytest.mark.parametrize("name", ["open", "three servers", "full room"])
def test_a_run_from_empty_to_empty_reports_the_little_numbers_it_kept(name):
    run = station("lifo", jobs=3000, warmup_fraction=0, seed=33, **LOADS[name])
    jobs = by_number(run)
    jobs = jobs[jobs["outcome"] == SERVED]
    horizon = by_number(run)["arrival"][-1]
    waits = np.sum(jobs["start"] - jobs["arrival"])
    assert run.queue_length_mean == pytest.approx(waits / horizon, rel=1e-12)
    assert run.in_system_mean == pytest.approx(
        np.sum(jobs["departure"] - jobs["arrival"]) / horizon, rel=1e-12
    )
    assert run.in_system_mean == pytest.approx(run.offered * (1 - run.loss) * run.latency_mean, rel=1e-9)
    left = np.sum(jobs["departure"] <= horizon)
    if name == "full room":
        assert run.throughput == pytest.approx(left / horizon, rel=1e-12)


# --- Closed -----------------------------------------------------------------------------------------------


def repairman(clients, servers, think, service):
    """(throughput, utilisation, latency) of M/M/c//N, from its birth-death chain."""
    n = np.arange(clients)
    up, down = (clients - n) / think, np.minimum(n + 1, servers) / service
    p = np.concatenate([[1], np.cumprod(up / down)])
    p /= p.sum()
    busy = np.sum(p * np.minimum(np.arange(clients + 1), servers))
    throughput = busy / service
    return throughput, busy / servers, clients / throughput - think


@pytest.mark.parametrize(
    "clients, servers, think", [(1, 1, 0.03), (5, 1, 0.05), (20, 1, 0.1), (30, 3, 0.1), (50, 4, 0.02)]
)
@pytest.mark.parametrize(
    "discipline, service, thinking",
    [
        ("fifo", "exponential(10ms)", "exponential"),
        ("fifo", "exponential(10ms)", "constant"),
        ("random", "exponential(10ms)", "gamma"),
        ("ps", "hyperexponential(mean=10ms, scv=4)", "exponential"),
        ("ps", "10ms", "gamma"),
    ],
)
def test_closed_stations_meet_their_chain(clients, servers, think, discipline, service, thinking):
    """Machine repairmen. The law of thinking does not matter, nor that of service under sharing (BCMP)."""
    law = {"exponential": f"exponential({think}s)", "constant": f"{think}s",
           "gamma": f"gamma(mean={think}s, scv=3)"}[thinking]  # fmt: skip
    sweep = dl.sweep("queueing.station", load="closed", clients=clients, servers=servers, think_time=law,
                     discipline=discipline, service=service, jobs=20_000, reps=16, seed=34)  # fmt: skip
    throughput, utilisation, latency = repairman(clients, servers, think, 0.01)
    near(sweep.array["throughput"], throughput, "throughput")
    near(sweep.array["utilisation"], utilisation, "utilisation")
    near(sweep.array["latency_mean"], latency, "latency")


LAWS = ["exponential(10ms)", "10ms", "pareto(alpha=2.5, low=6ms)"]


@pytest.mark.parametrize("servers", [1, 3])
@pytest.mark.parametrize("service", LAWS)
def test_throughput_of_a_closed_station_stays_below_its_asymptotes(servers, service):
    """X <= min(c / S, N / (Z + S)), and both lines are reached at their end."""
    sweep = dl.sweep("queueing.station", load="closed", clients=[1, 2, 5, 10, 20, 50, 100], servers=servers,
                     think_time="exponential(100ms)", service=service, jobs=20_000, reps=16,
                     seed=35)  # fmt: skip
    bounds = [min(servers / 0.01, n / 0.11) for n in (1, 2, 5, 10, 20, 50, 100)]
    s = sweep.stats("throughput")
    assert np.all(s["mean"] <= bounds + 4 * s["se"])
    assert np.all(sweep.array["utilisation"] <= 1)
    near(sweep.array["throughput"][0], bounds[0], "one client")
    near(sweep.array["throughput"][-1], bounds[-1], "a hundred clients")


# --- Partly open ------------------------------------------------------------------------------------------


def test_sessions_of_one_job_are_an_open_load_to_the_last_bit():
    one = {"jobs": 3000, "warmup_fraction": 0, "seed": 36, "discipline": "random"}
    a = station(load="partly_open", session_jobs=1, **one)
    b = station(load="open", **one)
    assert a.tables["jobs"].tobytes() == b.tables["jobs"].tobytes()
    assert a.metrics == pytest.approx(b.metrics, rel=0, abs=0, nan_ok=True)


@pytest.mark.parametrize("mean", [1.5, 4, 20])
def test_lengths_of_sessions_are_geometric(mean):
    """Sessions so rare, and jobs and thoughts so short, that each session is one cluster of arrivals."""
    jobs = by_number(station(load="partly_open", arrival_rate=1e-3, session_jobs=mean, think_time="1us",
                             service="1us", jobs=60_000, warmup_fraction=0, seed=37))  # fmt: skip
    begins = np.flatnonzero(np.diff(jobs["arrival"], prepend=-1) > 1e-3)
    lengths = np.diff(begins)
    near(lengths, mean, "jobs of a session")
    bins = np.arange(1, int(4 * mean) + 1)
    observed = [np.sum(lengths == k) for k in bins] + [np.sum(lengths > bins[-1])]
    shares = [(1 - 1 / mean) ** (k - 1) / mean for k in bins]
    expected = np.array([*shares, 1 - sum(shares)]) * len(lengths)
    assert scipy.stats.chisquare(observed, expected).pvalue > 1e-4
    near(np.diff(jobs["arrival"][begins]), 1e3, "time between sessions")


@pytest.mark.parametrize("think", ["exponential(1s)", "constant(0.3s)", "0"])
@pytest.mark.parametrize("discipline, service", [("fifo", "exponential(10ms)"), ("ps", "10ms")])
def test_a_station_with_sessions_is_a_jackson_network(think, discipline, service):
    """Its numbers are those of M/M/1 at session_jobs times the rate, whatever the law of thinking."""
    sessions = {"load": "partly_open", "arrival_rate": 25, "session_jobs": 3, "think_time": think}
    options = sessions | {"service": service, "discipline": discipline}
    sweep = dl.sweep("queueing.station", jobs=60_000, reps=24, seed=38, **options)
    near(sweep.array["offered"], 75, "jobs per second")
    near(sweep.array["utilisation"], 0.75, "utilisation")
    near(sweep.array["in_system_mean"], 3, "mean number")
    near(sweep.array["latency_mean"], 0.04, "latency")


# --- Paced: coordinated omission --------------------------------------------------------------------------

PACED = {"load": "paced", "clients": 4, "arrival_rate": 40, "interarrival": "1", "jobs": 60_000, "seed": 39}


def test_measuring_from_the_send_hides_pauses():
    """Four clients mean to send every 0.1 s; now and then the server stops for a second. From the intended
    time one job in 21 arrives into a pause and waits for the rest of it: P(latency > t) is (1 - t) / 21.
    From the time of sending only the four jobs that were under way saw the pause."""
    pauses = {"pause": "1s", "pause_interval": 20, "service": "exponential(4ms)"}
    intended = station(**PACED, **pauses)
    sent = station(**PACED, **pauses, measure_from="sent")
    assert intended.tables["jobs"].tobytes() == sent.tables["jobs"].tobytes()  # only the ruler differs
    assert intended.throughput == sent.throughput
    assert intended.latency_p99 == pytest.approx(1 - 0.21, rel=0.1)
    assert sent.latency_p99 < 0.1
    assert intended.latency_p99 > 8 * sent.latency_p99
    assert intended.latency_p50 == pytest.approx(sent.latency_p50, rel=0.1)


def test_without_pauses_and_load_both_rulers_agree():
    light = PACED | {"service": "exponential(1ms)"}
    assert station(**light).metrics == pytest.approx(
        station(**light, measure_from="sent").metrics, nan_ok=True
    )


def test_paced_clients_keep_their_schedule_and_never_overlap_themselves():
    run = station(**PACED | {"clients": 1, "arrival_rate": 50, "jobs": 3000}, service="exponential(15ms)")
    jobs = by_number(run)
    arrival, departure = ns(jobs["arrival"]), ns(jobs["departure"])
    intended = arrival[0] + 20_000_000 * np.arange(3000)
    np.testing.assert_array_equal(arrival[1:], np.maximum(intended[1:], departure[:-1]))


# --- Profiles of the rate ---------------------------------------------------------------------------------


def integral(profile, rate, peak, period, t):
    """Expected arrivals up to t: the rate is linear between knots, so trapezoids are exact."""
    if profile == "steady":
        return rate * t
    swing = rate * (peak - 1)
    if profile == "ramp":
        inside = np.minimum(t, period)
        return rate * t + swing * (inside**2 / (2 * period) + np.maximum(t - period, 0))
    knots = np.sin(2 * np.pi * np.arange(25) / 24)
    area = np.concatenate([[0], np.cumsum((knots[1:] + knots[:-1]) / 2)]) * period / 24
    at = (t % period) / period * 24
    k = at.astype(int)
    part = at - k
    within = (knots[k] * part + (knots[np.minimum(k + 1, 24)] - knots[k]) * part**2 / 2) * period / 24
    return rate * t + swing * (area[k] + within)


PROFILES = [("steady", 1, 60), ("ramp", 3, 50), ("ramp", 1, 50), ("diurnal", 2, 40), ("diurnal", 1.5, 7)]


@pytest.mark.parametrize("profile, peak, period", PROFILES)
def test_a_clock_on_operational_time_shows_the_profile_exactly(profile, peak, period):
    """With gaps of exactly 1 the k-th arrival is where the integral of the rate is k."""
    jobs = by_number(station(profile=profile, peak_factor=peak, period=period, interarrival="1",
                             arrival_rate=40, jobs=10_000, warmup_fraction=0, service="1us"))  # fmt: skip
    counted = integral(profile, 40, peak, period, jobs["arrival"])
    np.testing.assert_allclose(counted, np.arange(1, 10_001), rtol=0, atol=1e-3)


@pytest.mark.parametrize("profile, peak, period", PROFILES[1:])
def test_poisson_arrivals_follow_the_rate(profile, peak, period):
    """Counts per bin against the integral of the rate over it: chi-square, and Poisson in each bin."""
    jobs = by_number(station(profile=profile, peak_factor=peak, period=period, arrival_rate=40, jobs=40_000,
                             warmup_fraction=0, service="1us", seed=40))  # fmt: skip
    edges = np.arange(0, jobs["arrival"][-1], period / 16)
    expected = np.diff(integral(profile, 40, peak, period, edges))
    observed = np.histogram(jobs["arrival"], edges)[0]
    z = (observed - expected) / np.sqrt(expected)
    assert abs(np.sum(z**2) - len(z)) < 4 * math.sqrt(2 * len(z))
    assert np.abs(z).max() < 5.5


@pytest.mark.filterwarnings("ignore::distlab.DistlabWarning")
def test_one_stream_of_draws_serves_every_rate_and_profile():
    """Common random numbers: the k-th arrival comes at the same operational time, with the same work."""
    expected = None
    for profile, peak, period in PROFILES:
        for rate in (10, 40):
            options = {"profile": profile, "peak_factor": peak, "period": period, "arrival_rate": rate}
            arrivals, works = draws(jobs=5000, warmup_fraction=0, seed=41, **options)
            times = integral(profile, rate, peak, period, arrivals * 1e-9)
            if expected is None:
                expected = times, works
            np.testing.assert_allclose(times, expected[0], rtol=0, atol=1e-3)
            np.testing.assert_array_equal(works, expected[1])


@pytest.mark.parametrize("peak, share, period", [(4, 0.2, 1), (9, 0.1, 2), (10, 0.1, 0.5)])
def test_bursts_keep_the_mean_rate_and_disperse_as_mmpp(peak, share, period):
    """Index of dispersion of MMPP(2) (Fischer and Meier-Hellstern 1993): 1 + 2 (r1 - r2)^2 p1 p2 / (r s)
    (1 - (1 - exp(-s t)) / (s t)), s the sum of the switching rates."""
    rate, reps, horizon = 50, 24, 600
    burst, calm = rate * peak, rate * (1 - share * peak) / (1 - share)
    s = 1 / (share * period) + 1 / ((1 - share) * period)
    sweep = dl.sweep("queueing.station", profile="bursts", peak_factor=peak, burst_share=share, period=period,
                     arrival_rate=rate, jobs=40_000, warmup_fraction=0, service="1us", keep="jobs", reps=reps,
                     seed=42)  # fmt: skip
    rows = sweep.tables["jobs"]
    arrivals = [rows["arrival"][rows["rep"] == r] for r in range(reps)]
    assert min(a[-1] for a in arrivals) > horizon
    near([np.sum(a < horizon) / horizon for a in arrivals], rate, "mean rate")
    for t in (0.1, 1, 5):
        expected = 1 + 2 * (burst - calm) ** 2 * share * (1 - share) / (rate * s) * (
            1 - (1 - math.exp(-s * t)) / (s * t)
        )
        counts = [np.histogram(a, np.arange(0, horizon + t / 2, t))[0] for a in arrivals]
        near([np.mean((c - rate * t) ** 2) / (rate * t) for c in counts], expected, f"dispersion over {t} s")


def test_a_profile_needs_arrivals_from_outside():
    for load in ("closed", "paced"):
        with pytest.raises(ValueError, match=f"load = {load} has none"):
            dl.run("queueing.station", load=load, profile="ramp")
