"""Jobs that give up or are dropped, and servers that pause: against brute force to the nanosecond, against
closed forms, and against what each policy promises under overload.
"""

import math

import numpy as np
import pytest

import distlab as dl
from station_witness import (
    ABANDONED,
    DROPPED,
    PREEMPTIVE,
    SERVED,
    TWO_CLASSES,
    by_number,
    draws,
    ns,
    serve,
    station,
)

pytestmark = pytest.mark.filterwarnings("ignore::distlab.DistlabWarning")  # overload is the subject
OVERLOAD = {"arrival_rate": 120, "jobs": 20_000, "warmup_fraction": 0, "seed": 51}


def near(values, expected, what):
    """The mean of independent values is the expected one within four standard errors."""
    values = np.asarray(values).reshape(-1)
    error = values.std(ddof=1) / math.sqrt(len(values))
    assert abs(values.mean() - expected) <= 4 * error, (
        f"{what}: {values.mean():.6g} +- {error:.2g}, expected {expected:.6g}"
    )


# --- CoDel ------------------------------------------------------------------------------------------------


class Codel:
    """RFC 8289, sections 5.5 and 5.6, line by line; a packet is (number, time it came)."""

    def __init__(self, target, interval):
        self.target, self.interval, self.queue, self.dropped = target, interval, [], []
        self.first_above_time = self.drop_next = self.count = self.lastcount = 0
        self.dropping = False

    def control_law(self, t, count):
        return t + int(self.interval / math.sqrt(count))

    def dodequeue(self, now):
        if not self.queue:
            self.first_above_time = 0
            return None, False
        packet, ok_to_drop = self.queue.pop(0), False
        sojourn = now - packet[1]
        if sojourn < self.target or not self.queue:
            self.first_above_time = 0
        elif self.first_above_time == 0:
            self.first_above_time = now + self.interval
        elif now >= self.first_above_time:
            ok_to_drop = True
        return packet, ok_to_drop

    def dequeue(self, now):
        packet, ok_to_drop = self.dodequeue(now)
        if self.dropping:
            if not ok_to_drop:
                self.dropping = False
            while now >= self.drop_next and self.dropping:
                self.dropped.append((packet[0], now))
                self.count += 1
                packet, ok_to_drop = self.dodequeue(now)
                if not ok_to_drop:
                    self.dropping = False
                else:
                    self.drop_next = self.control_law(self.drop_next, self.count)
        elif ok_to_drop:
            self.dropped.append((packet[0], now))
            packet, ok_to_drop = self.dodequeue(now)
            self.dropping = True
            delta = self.count - self.lastcount
            self.count = delta if delta > 1 and now - self.drop_next < 16 * self.interval else 1
            self.drop_next = self.control_law(now, self.count)
            self.lastcount = self.count
        return packet


def serve_by_codel(arrivals, works, target, interval):
    """(starts, -1 where dropped; times of drops) of one server whose line is a CoDel queue."""
    line, starts = Codel(target, interval), np.full(len(works), -1)
    free_at = coming = 0
    idle = True
    while coming < len(works) or not idle:
        if not idle and (coming == len(works) or free_at <= arrivals[coming]):
            now, packet = free_at, line.dequeue(free_at)
        elif idle:
            now = arrivals[coming]
            line.queue.append((coming, now))
            packet = line.dequeue(now)
            coming += 1
        else:
            line.queue.append((coming, arrivals[coming]))
            coming += 1
            continue
        idle = packet is None
        if packet is not None:
            starts[packet[0]] = now
            free_at = now + works[packet[0]]
    return starts, line.dropped


def jobs_of_draws(**options):
    """The draws as if nobody were dropped."""
    return draws(**{k: v for k, v in options.items() if not k.startswith("codel")})


@pytest.mark.parametrize("rate, profile", [(120, "steady"), (99, "steady"), (300, "steady"), (80, "bursts")])
@pytest.mark.parametrize("target, interval", [(0.02, 0.1), (0.005, 0.1), (0.1, 0.5)])
def test_codel_is_the_pseudocode_of_the_rfc(rate, profile, target, interval):
    options = OVERLOAD | {"arrival_rate": rate, "profile": profile, "peak_factor": 3, "burst_share": 0.2,
                          "period": 5, "jobs": 6000}  # fmt: skip
    jobs = by_number(station(codel_target=target, codel_interval=interval, **options))
    arrivals, works = jobs_of_draws(**options)
    starts, dropped = serve_by_codel(arrivals, works, int(target * 1e9), int(interval * 1e9))
    gone = jobs["outcome"] == DROPPED
    assert len(dropped) > 10
    assert sorted(dropped) == [(j, ns(jobs["departure"][j])) for j in np.flatnonzero(gone)]
    np.testing.assert_array_equal(ns(jobs["start"]), starts)


def test_codel_keeps_the_wait_near_its_target_where_plain_fifo_diverges():
    """Near: below twice. CoDel counts on senders that slow down; these do not, so it has to drop one job in
    six for good, and its count creeps up only while waits are above the target."""
    plain = station(keep="jobs", **OVERLOAD)
    jobs = station(keep="jobs", codel_target="50ms", codel_interval="100ms", **OVERLOAD)
    table = by_number(jobs)
    served = table[table["outcome"] == SERVED]
    waits = served["start"] - served["arrival"]
    halves = [np.median(part) for part in np.array_split(waits[1000:], 2)]
    assert all(0.025 < m < 0.1 for m in halves), halves
    assert jobs.throughput > 97  # and the server stays busy
    assert jobs.drop_ratio == pytest.approx(1 - jobs.throughput / jobs.offered, abs=0.01)
    waits = by_number(plain)["start"] - by_number(plain)["arrival"]
    assert np.median(waits[10_000:]) > 2 * np.median(waits[:10_000]) > 10


def test_drops_come_faster_as_one_over_the_root_of_their_number():
    """Row codel.6 of the reference: 0, 100, 170.7, 228.4, ... ms. Constant gaps and services, twice too many:
    no drop helps, so the law is all there is; a drop waits for the next service to end, 0.1 ms at most."""
    jobs = by_number(station(interarrival="1", arrival_rate=20_000, service="0.1ms", codel_target="5ms",
                             codel_interval="100ms", jobs=60_000, warmup_fraction=0))  # fmt: skip
    drops = np.sort(jobs["departure"][jobs["outcome"] == DROPPED])
    law = np.concatenate([[0], np.cumsum(0.1 / np.sqrt(np.arange(1, len(drops))))])
    assert len(drops) > 100
    assert law[:6] * 1e3 == pytest.approx([0, 100, 170.7106781, 228.4457050, 278.4457050, 323.1670646])
    late = drops - drops[0] - law
    assert np.all(late > -1e-6)
    assert np.all(late < 1.01e-4)


# --- Deadlines --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("discipline", ["fifo", "lifo", "random", "srpt", "priority", "adaptive_lifo"])
def test_no_job_starts_after_its_deadline(discipline):
    jobs = by_number(station(discipline, deadline="50ms", drop_late=True, **OVERLOAD))
    waits = ns(jobs["start"]) - ns(jobs["arrival"])
    served, dropped = jobs["outcome"] == SERVED, jobs["outcome"] == DROPPED
    assert np.all(waits[served] <= 50_000_000)
    assert np.all((ns(jobs["departure"]) - ns(jobs["arrival"]))[dropped] > 50_000_000)
    assert np.sum(dropped) > 1000


def test_a_held_up_client_does_not_start_jobs_whose_deadline_has_passed():
    """Paced: one client means to send every 20 ms, each job takes 30 ms. The server is free whenever it
    sends, yet the deadline runs from the intended time."""
    jobs = by_number(station(load="paced", clients=1, arrival_rate=50, interarrival="1", service="30ms",
                             deadline="100ms", drop_late=True, jobs=1000, warmup_fraction=0))  # fmt: skip
    arrival = ns(jobs["arrival"])
    late = arrival - (arrival[0] + 20_000_000 * np.arange(1000))
    np.testing.assert_array_equal(jobs["outcome"] == DROPPED, late > 100_000_000)
    np.testing.assert_array_equal(jobs["outcome"] == SERVED, late <= 100_000_000)
    assert 200 < np.sum(late > 100_000_000) < 400


def test_newest_first_while_long_keeps_goodput_near_capacity():
    """Half as much again as fits, answers useless after ten services: fifo serves only stale jobs, and even
    dropping the late ones leaves the rest with no time; newest first while the line is long does not."""
    options = OVERLOAD | {"arrival_rate": 150, "deadline": "100ms"}
    fifo = station("fifo", **options)
    adaptive = station("adaptive_lifo", lifo_threshold=5, **options)
    shedding = station("adaptive_lifo", lifo_threshold=5, drop_late=True, **options)
    assert fifo.goodput < 1
    assert adaptive.goodput > 85
    assert shedding.goodput > 85
    assert adaptive.throughput == pytest.approx(100, rel=0.03)
    queue = shedding.series["queue_length"]["queue_length"]
    assert queue.max() < adaptive.series["queue_length"]["queue_length"].max()


def test_short_lines_of_adaptive_lifo_are_fifo():
    options = OVERLOAD | {"arrival_rate": 80, "jobs": 3000, "method": "events"}
    fifo = station("fifo", **options)
    adaptive = station("adaptive_lifo", lifo_threshold=10_000, **options)
    assert fifo.tables["jobs"].tobytes() == adaptive.tables["jobs"].tobytes()
    newest = station("adaptive_lifo", lifo_threshold=0, **options)
    assert newest.tables["jobs"].tobytes() == station("lifo", **options).tables["jobs"].tobytes()


# --- Patience ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [70, 100, 150])
def test_constant_patience_is_unfinished_work_against_a_limit(rate):
    """A job stays exactly if the server gets to it in time: one recursion, to the nanosecond. The share that
    gives up is (1 - rho) rho e / (1 - rho^2 e), e = exp(-(mu - lambda) patience) (Barrer 1957)."""
    patience = 30_000_000
    options = OVERLOAD | {"arrival_rate": rate, "jobs": 4000}
    jobs = by_number(station(patience="30ms", **options))
    free_at, starts = 0, []
    for a, w in zip(*draws(**options), strict=True):
        start = max(int(a), free_at)
        starts.append(start if start - a <= patience else -1)
        free_at = start + int(w) if starts[-1] >= 0 else free_at
    served = jobs["outcome"] == SERVED
    np.testing.assert_array_equal(ns(jobs["start"]), starts)
    left = (ns(jobs["departure"]) - ns(jobs["arrival"]))[jobs["outcome"] == ABANDONED]
    assert np.all(left == patience)
    assert len(left) == 4000 - np.sum(served) > 100
    rho, e = rate / 100, math.exp(-(100 - rate) * 0.03)
    expected = 1 / (2 + 100 * 0.03) if rho == 1 else (1 - rho) * rho * e / (1 - rho**2 * e)
    sweep = dl.sweep("queueing.station", arrival_rate=rate, patience="30ms", jobs=40_000, reps=24, seed=52)
    near(sweep.array["abandonment"], expected, "abandonment")


@pytest.mark.parametrize("discipline", ["fifo", "lifo", "random", "adaptive_lifo"])
@pytest.mark.parametrize("servers", [1, 4])
def test_erlang_a_loses_the_same_share_in_any_blind_order(discipline, servers):
    """Exponential patience and service: the number present does not see who is next."""
    options = {
        "servers": servers,
        "arrival_rate": 120 * servers,
        "patience": "exponential(40ms)",
        "jobs": 40_000,
    }
    sweep = dl.sweep("queueing.station", discipline=discipline, lifo_threshold=2, reps=32, seed=57, **options)
    theory = dl.run("queueing.station", **options).theory
    for column in ("abandonment", "utilisation", "throughput"):
        near(sweep.array[column], theory[column], f"{discipline}: {column}")


# --- Pauses -----------------------------------------------------------------------------------------------

PAUSE = 50_000_000
PAUSES = {"pause": "50ms", "pause_interval": 0.4, "warmup_fraction": 0, "seed": 54}


def pauses(horizon):
    """(begin, end) of the pauses, ns, read off a station of its own: with the same key the same pauses come.
    Jobs of 10 ns every 0.1 ms; those that arrive in a pause all begin when it ends."""
    count = int(1.1 * horizon * 1e4)
    probe = station(interarrival="1", arrival_rate=1e4, service="10ns", jobs=count, keep="jobs", **PAUSES)
    jobs = by_number(probe)
    arrival, start = ns(jobs["arrival"]), ns(jobs["start"])
    first = (start > arrival) & (np.diff(start, prepend=-(10**9)) > PAUSE // 2)
    ends = start[first]
    assert len(ends) > 20 * horizon / 10
    return ends - PAUSE, ends


def unpaused(t, begins, ends):
    """Time less the pauses so far: the clock of the servers."""
    k = np.searchsorted(begins, t, side="right") - 1
    inside = np.where(k >= 0, np.minimum(t, ends[k]) - begins[k], 0)
    return t - (np.maximum(k, 0) * PAUSE + inside)


@pytest.mark.parametrize("servers", [1, 3])
@pytest.mark.parametrize("discipline", ["fifo", "lifo", "priority", *PREEMPTIVE])
def test_pauses_stop_the_clock_of_the_servers_and_nothing_else(discipline, servers):
    """On the clock that stands still in pauses, the station is the plain one: brute force, to the nanosecond;
    what differs is when jobs come on that clock."""
    options = {"arrival_rate": 80 * servers, "servers": servers, "jobs": 1500 * servers}
    run = station(discipline, classes=dl.table(TWO_CLASSES), **options, **PAUSES)
    jobs = by_number(run)
    begins, ends = pauses(jobs["departure"].max() + 1)
    plain = station("fifo", classes=dl.table(TWO_CLASSES), seed=54, warmup_fraction=0, **options)
    works = ns(by_number(plain)["departure"]) - ns(by_number(plain)["start"])
    arrival = ns(jobs["arrival"])
    starts, departures = serve(discipline, unpaused(arrival, begins, ends), works, jobs["priority"], servers)
    np.testing.assert_array_equal(unpaused(ns(jobs["departure"]), begins, ends), departures)
    np.testing.assert_array_equal(unpaused(ns(jobs["start"]), begins, ends), starts)
    k = np.searchsorted(begins, ns(jobs["start"]), side="right") - 1
    assert np.all((k < 0) | (ns(jobs["start"]) >= ends[k]))  # no service begins in a pause
    assert np.mean(jobs["departure"] - jobs["arrival"]) == pytest.approx(run.latency_mean, rel=1e-12)
    if discipline in ("fifo", "lifo", "priority"):
        until = unpaused(arrival[-1:], begins, ends)[0]
        busy = np.sum(np.minimum(departures, until) - np.minimum(starts, until))
        assert run.utilisation == pytest.approx(busy / (servers * arrival[-1]), rel=1e-12)


def test_sharing_stands_still_in_pauses_too():
    jobs = by_number(station("ps", arrival_rate=70, jobs=3000, **PAUSES))
    begins, ends = pauses(jobs["departure"].max() + 1)
    k = np.searchsorted(begins, ns(jobs["departure"]), side="right") - 1
    assert np.all((k < 0) | (ns(jobs["departure"]) >= ends[k]) | (ns(jobs["departure"]) == begins[k]))
    k = np.searchsorted(begins, ns(jobs["start"]), side="right") - 1
    assert np.all((k < 0) | (ns(jobs["start"]) >= ends[k]))


@pytest.mark.parametrize("discipline", ["fifo", "lifo", "random", *PREEMPTIVE])
def test_patience_runs_on_through_pauses(discipline):
    """A pause longer than any patience: whoever comes to it early enough gives up, even on a free server."""
    run = station(discipline, arrival_rate=30, pause="1s", pause_interval=2, patience="100ms", jobs=3000,
                  warmup_fraction=0, seed=55)  # fmt: skip
    jobs = by_number(run)
    waits = ns(jobs["start"]) - ns(jobs["arrival"])
    gone = jobs["outcome"] == ABANDONED
    assert np.all(waits[jobs["outcome"] == SERVED] <= 100_000_000)
    assert np.all((ns(jobs["departure"]) - ns(jobs["arrival"]))[gone] == 100_000_000)
    assert run.abandonment == pytest.approx(0.9 / 3, rel=0.15)
