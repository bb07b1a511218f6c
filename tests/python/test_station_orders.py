"""Orders of service: the event-driven station against a brute-force station, against laws that hold on every
single run, and against theory.

What holds for each run is asserted to the nanosecond. What holds for means gets four standard errors over
independent repetitions with fixed seeds.
"""

import math

import numpy as np
import pytest
import scipy.stats

import distlab as dl
from station_witness import by_number, draws, ns, serve, share, station

ORDERS = (
    "fifo",
    "lifo",
    "lifo_preemptive",
    "adaptive_lifo",
    "random",
    "srpt",
    "priority",
    "priority_preemptive",
)
PLAIN = {"jobs": 1500, "warmup_fraction": 0, "arrival_rate": 90, "method": "events"}


def agree(values, expected, what):
    """The mean of independent values is the expected one within four standard errors."""
    values = np.asarray(values)
    error = values.std(ddof=1) / math.sqrt(len(values))
    assert abs(values.mean() - expected) <= 4 * error, (
        f"{what}: {values.mean():.6g} +- {error:.2g}, expected {expected:.6g}"
    )


# --- Each run: another station, to the nanosecond ---------------------------------------------------------


@pytest.mark.parametrize("servers", [1, 3])
@pytest.mark.parametrize("discipline", [d for d in ORDERS if d != "random"])
@pytest.mark.parametrize("service", ["exponential(10ms)", "hyperexponential(mean=10ms, scv=9)"])
def test_every_job_starts_and_leaves_when_brute_force_says(discipline, servers, service):
    options = PLAIN | {"arrival_rate": 90 * servers, "servers": servers, "service": service}
    options |= {"lifo_threshold": 3} if discipline == "adaptive_lifo" else {}
    jobs = by_number(station(discipline, seed=11, **options))
    arrivals, works = draws(seed=11, **options)
    starts, departures = serve(discipline, arrivals, works, jobs["priority"], servers, threshold=3)
    np.testing.assert_array_equal(ns(jobs["arrival"]), arrivals)
    np.testing.assert_array_equal(ns(jobs["start"]), starts)
    np.testing.assert_array_equal(ns(jobs["departure"]), departures)


@pytest.mark.parametrize("servers", [1, 3])
def test_sharing_lets_every_job_go_when_brute_force_says(servers):
    """Departures are whole nanoseconds, rounded up: less than one each, so less than one a job of a run."""
    options = PLAIN | {"arrival_rate": 90 * servers, "servers": servers}
    jobs = by_number(station("ps", seed=12, **options))
    late = ns(jobs["departure"]) - share(*draws(seed=12, **options), servers)
    assert np.all(late > -1e-3)
    assert np.all(late < len(jobs))


def test_random_order_takes_anybody_alike():
    """Whenever a service ends, the place of the chosen one among those who wait is uniform."""
    jobs = by_number(station("random", **PLAIN | {"jobs": 40_000, "arrival_rate": 95}))
    arrival, start = ns(jobs["arrival"]), ns(jobs["start"])
    waited = np.flatnonzero(start > arrival)
    order = waited[np.argsort(start[waited])]
    u = []
    waiting, coming = [], 0
    for j in order:
        while coming < len(jobs) and arrival[coming] < start[j]:
            if start[coming] > arrival[coming]:
                waiting.append(coming)
            coming += 1
        if len(waiting) > 4:
            u.append((waiting.index(j) + np.random.default_rng(len(u)).random()) / len(waiting))
        waiting.remove(j)
    assert len(u) > 10_000
    assert scipy.stats.kstest(u, "uniform").pvalue > 1e-4
    assert abs(np.corrcoef(u[1:], u[:-1])[0, 1]) < 4 / math.sqrt(len(u))


# --- Each run: laws ---------------------------------------------------------------------------------------


def ends_of_busy_periods(run):
    series = run.series["queue_length"]
    return ns(series["time"][series["in_system"] == 0])


@pytest.mark.parametrize("service", ["exponential(10ms)", "pareto(alpha=1.5, low=3.4ms, high=1s)", "10ms"])
@pytest.mark.parametrize("discipline", [*ORDERS[1:], "ps"])
def test_work_in_the_station_does_not_depend_on_the_order(discipline, service):
    """One server that never rests while there is work: the same jobs make the same busy periods."""
    options = PLAIN | {"jobs": 4000, "service": service, "seed": 5}
    expected = ends_of_busy_periods(station("fifo", **options))
    ends = ends_of_busy_periods(station(discipline, **options))
    assert len(expected) > 50
    if discipline != "ps":
        np.testing.assert_array_equal(ends, expected)
        return
    assert len(ends) == len(expected)
    rounding = ends - expected  # each departure up to a nanosecond late
    assert rounding.min() >= -1
    assert rounding.max() <= 4000


@pytest.mark.parametrize("discipline", ["lifo", "random", "adaptive_lifo", "priority"])
def test_conservation_law_of_kleinrock_holds_on_every_run(discipline):
    """Unbroken service: the sum of service times waits is the same whatever the order, to the last unit."""
    options = PLAIN | {"jobs": 4000, "service": "hyperexponential(mean=10ms, scv=4)", "seed": 6}

    def product(run):
        jobs = by_number(run)
        start = ns(jobs["start"])
        works = ns(jobs["departure"]) - start
        return works, sum(int(s) * int(w) for s, w in zip(works, start - ns(jobs["arrival"]), strict=True))

    works, waited = product(station("fifo", **options))
    same, other = product(station(discipline, **options))
    np.testing.assert_array_equal(works, same)
    assert other == waited


@pytest.mark.parametrize("rate", [50, 80, 95])
@pytest.mark.parametrize(
    "service", ["exponential(10ms)", "uniform(low=0, high=20ms)", "weibull(shape=0.5, mean=10ms)"]
)
def test_shortest_remaining_time_is_best_on_every_run(rate, service):
    """Schrage (1968): no order has a smaller sum of latencies for the same jobs, not only in the mean."""
    for seed in range(5):
        options = {"jobs": 3000, "warmup_fraction": 0, "arrival_rate": rate, "service": service, "seed": seed}
        sums = {}
        for discipline in (*ORDERS, "ps"):
            jobs = station(discipline, keep="jobs", **options).tables["jobs"]
            sums[discipline] = int(np.sum(ns(jobs["departure"]) - ns(jobs["arrival"])))
        assert min(sums, key=sums.get) == "srpt", sums


# --- Theory: the columns the model offers -----------------------------------------------------------------

EXPONENTIAL = {"arrival_rate": 80}
H2, PARETO = "hyperexponential(mean=10ms, scv=4)", "pareto(alpha=1.5, low=3.4894ms, high=1s)"
# name: (options, how many columns theory must answer)
CASES = {
    "M/M/1 lifo": (EXPONENTIAL | {"discipline": "lifo"}, 11),
    "M/M/1 random": (EXPONENTIAL | {"discipline": "random"}, 11),
    "M/M/1 adaptive_lifo": (EXPONENTIAL | {"discipline": "adaptive_lifo", "lifo_threshold": 4}, 11),
    "M/M/1 ps": (EXPONENTIAL | {"discipline": "ps"}, 10),
    "M/M/1 srpt": (EXPONENTIAL | {"discipline": "srpt"}, 10),
    "M/M/1 lifo_preemptive": (
        {"discipline": "lifo_preemptive", "arrival_rate": 70, "deadline": "50ms"}, 15,
    ),
    "M/M/1 fifo": (EXPONENTIAL | {"method": "events", "deadline": "60ms"}, 16),
    "M/M/3 lifo": ({"discipline": "lifo", "arrival_rate": 250, "servers": 3}, 11),
    "M/M/3 random": ({"discipline": "random", "arrival_rate": 250, "servers": 3}, 11),
    "M/M/1/8 lifo": ({"discipline": "lifo", "arrival_rate": 110, "capacity": 8}, 11),
    "M/M/2/6 random": ({"discipline": "random", "arrival_rate": 210, "servers": 2, "capacity": 6}, 11),
    "M/H2/1 lifo": ({"discipline": "lifo", "arrival_rate": 70, "service": H2}, 11),
    "M/D/1 random": (EXPONENTIAL | {"discipline": "random", "service": "10ms"}, 11),
    "M/D/1 ps": (EXPONENTIAL | {"discipline": "ps", "service": "10ms"}, 10),
    "M/H2/1 ps": ({"discipline": "ps", "arrival_rate": 70, "service": H2}, 10),
    "M/Pareto/1 ps": ({"discipline": "ps", "arrival_rate": 60, "service": PARETO}, 10),
    "M/D/1 lifo_preemptive": (EXPONENTIAL | {"discipline": "lifo_preemptive", "service": "10ms"}, 10),
    "M/H2/1 lifo_preemptive": (
        {"discipline": "lifo_preemptive", "arrival_rate": 70, "service": H2}, 10,
    ),
    "M/Pareto/1 lifo_preemptive": (
        {"discipline": "lifo_preemptive", "arrival_rate": 50, "service": PARETO}, 10,
    ),
    "M/M/1+M": (EXPONENTIAL | {"patience": "exponential(50ms)"}, 6),
    "M/M/1+M overloaded": ({"arrival_rate": 150, "patience": "exponential(20ms)"}, 6),
    "M/M/5+M": ({"arrival_rate": 550, "servers": 5, "patience": "exponential(10ms)"}, 6),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_every_order_meets_theory(name):
    options, answered = CASES[name]
    sweep = dl.sweep("queueing.station", jobs=40_000, reps=32, seed=3, **options)
    known = 0
    for column in sweep.model.theory_columns:
        expected = float(sweep.theory(column))
        if np.isnan(expected):
            continue
        known += 1
        bucket = expected / 256 if "_p" in column else 1e-9 * abs(expected)
        s = sweep.stats(column)
        distance = abs(float(s["mean"]) - expected)
        assert distance <= 4 * float(s["se"]) + bucket, (
            f"{name}: {column} = {float(s['mean']):.6g} +- {float(s['se']):.2g}, theory says {expected:.6g}"
        )
    assert known >= answered, f"theory answers {known} columns"


# --- Theory: beyond the columns ---------------------------------------------------------------------------


def kept(reps=24, jobs=20_000, warmup=2000, **options):
    """Kept jobs after the warm-up, one array a repetition."""
    sweep = dl.sweep("queueing.station", jobs=jobs, reps=reps, keep="jobs", **options)
    rows = sweep.tables["jobs"]
    rows = rows[rows["job"] >= warmup]
    return [rows[rows["rep"] == r] for r in range(reps)]


@pytest.mark.parametrize("service, cube", [("exponential(10ms)", 6), ("10ms", 1)])
def test_waits_spread_more_the_less_the_order_follows_arrival(service, cube):
    """M/G/1 (Takacs 1963, Fuhrmann 1985): E[W^2] (1 - rho) of lifo = E[W^2] (1 - rho/2) of random = E[W^2]
    of fifo, which is 2 W^2 + rate E[S^3] / (3 (1 - rho))."""
    rate, mean = 70, 0.01
    rho, square = rate * mean, (2 if cube == 6 else 1) * mean**2
    wait = rate * square / 2 / (1 - rho)
    fifo = 2 * wait**2 + rate * cube * mean**3 / (3 * (1 - rho))
    expected = {"fifo": fifo, "random": fifo / (1 - rho / 2), "lifo": fifo / (1 - rho)}
    assert expected["fifo"] < expected["random"] < expected["lifo"]
    for discipline, value in expected.items():
        runs = kept(arrival_rate=rate, service=service, discipline=discipline, seed=21, jobs=40_000)
        squares = [np.mean((j["start"] - j["arrival"]) ** 2) for j in runs]
        agree(squares, value, f"second moment of the wait, {discipline}")


# shares of the arrivals, and mean and second moment of the service of each class (s)
EXP, DET, HYPER = ("exponential(10ms)", 0.01, 2e-4), ("5ms", 0.005, 2.5e-5), (
    "hyperexponential(mean=20ms, scv=4)", 0.02, 5 * 4e-4,
)  # fmt: skip
CLASSES = {
    "two alike": (80, [(1, EXP), (3, EXP)]),
    "three alike": (90, [(2, EXP), (3, EXP), (4, EXP)]),
    "short first": (70, [(4, DET), (3, EXP)]),
    "long first": (60, [(1, HYPER), (3, DET), (2, EXP)]),
}


def cobham(rate, classes, preemptive):
    """Mean wait (unbroken; Cobham 1954) or latency (preemptive resume; Kleinrock II, 3.4) of each class."""
    total = sum(share for share, _ in classes)
    rates = [rate * share / total for share, _ in classes]
    load = np.cumsum([r * law[1] for r, (_, law) in zip(rates, classes, strict=True)])
    residual = np.cumsum([r * law[2] / 2 for r, (_, law) in zip(rates, classes, strict=True)])
    before = np.concatenate([[0], load[:-1]])
    if not preemptive:
        return residual[-1] / ((1 - before) * (1 - load))
    return np.array([law[1] for _, law in classes]) / (1 - before) + residual / ((1 - before) * (1 - load))


@pytest.mark.parametrize("discipline", ["priority", "priority_preemptive"])
@pytest.mark.parametrize("name", CLASSES)
def test_priorities_meet_the_formulas_of_cobham(name, discipline):
    rate, classes = CLASSES[name]
    table = dl.table([{"share": s, "service": law[0]} for s, law in classes])
    expected = cobham(rate, classes, discipline == "priority_preemptive")
    until = "start" if discipline == "priority" else "departure"
    runs = kept(arrival_rate=rate, classes=table, discipline=discipline, seed=22, reps=32, jobs=30_000)
    for c, value in enumerate(expected):
        means = [np.mean((j[until] - j["arrival"])[j["priority"] == c]) for j in runs]
        agree(means, value, f"{name}, {discipline}: class {c}")
        shares = [np.mean(j["priority"] == c) for j in runs]
        agree(shares, classes[c][0] / sum(s for s, _ in classes), f"{name}: share of class {c}")


def test_priorities_of_two_servers_split_the_wait_of_one_line():
    """M/M/c, classes alike: Erlang's C / (c mu) over (1 - load before) (1 - load with this class)."""
    servers, rate, mean = 2, 160, 0.01
    a = rate * mean
    c = a**2 / (2 * (1 - a / 2)) / (1 + a + a**2 / (2 * (1 - a / 2)))
    load = np.cumsum([0.25, 0.75]) * a / servers
    runs = kept(arrival_rate=rate, servers=servers, discipline="priority", seed=23,
                classes=dl.table([{"share": 1}, {"share": 3}]))  # fmt: skip
    for k, before in enumerate([0, load[0]]):
        means = [np.mean((j["start"] - j["arrival"])[j["priority"] == k]) for j in runs]
        agree(means, c * mean / servers / ((1 - before) * (1 - load[k])), f"class {k} of two servers")


@pytest.mark.filterwarnings("ignore::distlab.DistlabWarning")
@pytest.mark.parametrize("rate, expected", [(150, 0.9595645760130632), (110, 0.8639695283984852)])
def test_newest_first_keeps_its_goodput_under_overload(rate, expected):
    """Rows goodput.lifo of the reference: deadline of ten services, of a capacity of 1."""
    sweep = dl.sweep("queueing.station", discipline="lifo_preemptive", arrival_rate=rate, deadline="100ms",
                     jobs=100_000, reps=32, seed=24)  # fmt: skip
    assert float(sweep.theory("goodput")) == pytest.approx(100 * expected, rel=1e-9)
    agree(sweep.array["goodput"].reshape(-1), 100 * expected, "goodput")
    agree(sweep.array["throughput"].reshape(-1), 100, "throughput is the capacity")
    fifo = dl.run("queueing.station", arrival_rate=rate, deadline="100ms", seed=24)
    assert fifo.goodput < 2


# --- Departures, and the bound of Kingman -----------------------------------------------------------------


def departures(**options):
    jobs = dl.run("queueing.station", jobs=200_000, seed=25, keep="jobs", method="events", **options).tables[
        "jobs"
    ]
    return np.sort(jobs["departure"])[20_000:]


def dispersion(times, window):
    """Index of dispersion of counts, and its z for a Poisson process."""
    counts = np.bincount(((times - times[0]) / window).astype(int))[:-1]
    index = counts.var(ddof=1) / counts.mean()
    return index, (index - 1) * math.sqrt((len(counts) - 1) / 2)


@pytest.mark.parametrize("servers, rate", [(1, 80), (2, 150)])
def test_departures_of_markov_stations_are_poisson(servers, rate):
    """Burke (1956)."""
    times = departures(servers=servers, arrival_rate=rate)
    gaps = np.diff(times)
    assert scipy.stats.kstest(gaps, "expon", (0, 1 / rate)).pvalue > 1e-4
    assert abs(np.corrcoef(gaps[1:], gaps[:-1])[0, 1]) < 4 / math.sqrt(len(gaps))
    assert abs(dispersion(times, 50 / rate)[1]) < 4


def test_departures_of_constant_service_are_not_poisson():
    """The same tests see the difference: they are not blind."""
    times = departures(arrival_rate=80, service="10ms")
    assert scipy.stats.kstest(np.diff(times), "expon", (0, 1 / 80)).pvalue < 1e-9
    assert dispersion(times, 0.1)[1] < -4


@pytest.mark.parametrize(
    "gaps, service, scv_gap, scv_service",
    [
        ("erlang(k=2, mean=1)", "hyperexponential(mean=10ms, scv=3)", 0.5, 3),
        ("uniform(low=0, high=2)", "gamma(mean=10ms, scv=0.5)", 1 / 3, 0.5),
        ("hyperexponential(mean=1, scv=4)", "10ms", 4, 0),
    ],
)
def test_bound_of_kingman_holds_and_is_reached_in_heavy_traffic(gaps, service, scv_gap, scv_service):
    """W <= rate (var A + var S) / (2 (1 - rho)), and W over the bound goes to 1."""
    ratios, errors = [], []
    for rho in (0.5, 0.8, 0.95, 0.99):
        bound = 0.01 * (scv_gap / rho**2 + scv_service) * rho / (2 * (1 - rho))
        sweep = dl.sweep("queueing.station", interarrival=gaps, service=service, arrival_rate=100 * rho,
                         jobs=2_500_000, reps=16, seed=26)  # fmt: skip
        ratio = sweep.array["wait"].reshape(-1) / bound
        ratios.append(ratio.mean())
        errors.append(ratio.std(ddof=1) / 4)
        assert ratios[-1] <= 1 + 4 * errors[-1]
    assert ratios[0] < ratios[1] < ratios[2]
    assert abs(ratios[3] - 1) < 0.01 + 4 * errors[3]
