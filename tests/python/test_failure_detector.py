"""links.failure_detector through Python: Chen's law, and every detector redone from its heartbeats."""

import math
from statistics import NormalDist

import numpy as np
import pytest

import distlab as dl

DETECTOR = "links.failure_detector"
QUIET = {"pause_rate": 0, "loss": 0}
HARD = {
    "pause_rate": 0,
    "loss": 0.1,
    "heartbeat_interval": 0.5,
    "delay": "exponential(200ms)",
    "duration": 300,
}


def trusted_at(table, observer, times):
    """Trust at some times, read off the table of suspicions."""
    rows = table[table["observer"] == observer]
    ends = np.where(np.isnan(rows["end"]), np.inf, rows["end"])
    return ~((times[:, None] >= rows["start"]) & (times[:, None] < ends)).any(axis=1)


def deadlines(arrivals, settings):
    """(arrival, deadline) after each arrival, from the definitions of the detectors and nothing else."""
    interval, kind = settings["heartbeat_interval"], settings["detector"]
    newest, offsets, gaps, before, out = 0, [], [], None, []
    for at, number in arrivals:
        if kind == "fixed" and settings["timer_from"] == "send":
            until = (number + 1) * interval + settings["timeout"]
            until = max(until, out[-1][1]) if out else until
        elif kind == "fixed":
            until = at + settings["timeout"]
        elif kind == "chen":
            if number > newest:
                offsets = [*offsets, at - number * interval][-settings["window"] :]
                until = (number + 1) * interval + np.mean(offsets) + settings["margin"]
            else:
                until = out[-1][1]
        else:
            if before is not None:
                gaps = [*gaps, at - before][-settings["window"] :]
            mean, deviation = (np.mean(gaps), np.std(gaps)) if gaps else (interval, interval / 4)
            z = -NormalDist().inv_cdf(10 ** -settings["phi"])
            until = at + mean + z * max(deviation, settings["deviation_min"])
        newest, before = max(newest, number), at
        out.append((at, until))
    return np.array(out)


@pytest.mark.parametrize(
    "settings",
    [
        {"detector": "fixed", "timer_from": "send", "timeout": 0.3},
        {"detector": "fixed", "timer_from": "last_arrival", "timeout": 0.8},
        {"detector": "chen", "margin": 0.3, "window": 20},
        {"detector": "phi", "phi": 2, "window": 20, "deviation_min": 0.05},
    ],
    ids=["send", "last_arrival", "chen", "phi"],
)
def test_each_detector_redone_from_its_heartbeats(settings):
    run = dl.run(DETECTOR, **HARD, **settings, observers=2, seed=3, keep=["beats", "suspicions"])
    times = np.random.default_rng(1).uniform(0, 310, 5000)
    for observer in range(2):
        beats = run.tables["beats"]
        beats = beats[(beats["observer"] == observer) & ~np.isnan(beats["arrived"])]
        order = np.lexsort((beats["number"], beats["arrived"]))
        arrivals = [(float(b["arrived"]), int(b["number"])) for b in beats[order]]
        steps = deadlines(arrivals, HARD | settings)
        last = np.searchsorted(steps[:, 0], times, side="right") - 1
        expected = (last >= 0) & (times < steps[np.maximum(last, 0), 1])
        near = np.abs(times[:, None] - steps.ravel()).min(axis=1) < 1e-6  # rounding to whole nanoseconds
        seen = trusted_at(run.tables["suspicions"], observer, times)
        assert (seen == expected)[~near].all() and near.sum() < 10
        assert 0.05 < seen.mean() < 0.999


def test_ten_medians_are_wrong_once_in_94_heartbeats():
    """Lognormal delay of median 20 ms and sigma 1: P(delay > 200 ms) = 1.07 %, counted from the send time."""
    s = dl.sweep(DETECTOR, timeout=[0.04, 0.2, 1.0], **QUIET, duration=5000, reps=20, seed=1)
    tail = [1 - NormalDist().cdf(math.log(t / 0.02)) for t in (0.04, 0.2, 1.0)]
    assert 1 / tail[1] == pytest.approx(94, abs=0.5)
    stats = s.stats("false_suspicion")
    assert (np.abs(stats["mean"] - tail) <= 4 * stats["se"]).all()


@pytest.mark.parametrize("timeout", [0.05, 0.3, 0.8])
def test_the_theorem_of_chen_toueg_and_aguilera(timeout):
    s = dl.sweep(DETECTOR, **(HARD | {"duration": 2000}), timeout=timeout, reps=30, seed=2)
    theory = s.replay(0, 0).theory
    for column in ("false_suspicion", "mistake_rate", "mistake_duration_mean", "accuracy"):
        mean, se = (float(s.stats(column)[name].item()) for name in ("mean", "se"))
        assert abs(mean - theory[column]) <= 4 * se, column
    assert theory["mistake_rate"] * theory["mistake_duration_mean"] == pytest.approx(1 - theory["accuracy"])


def test_a_short_timeout_from_the_last_arrival_always_suspects():
    """200 ms after each arrival, a heartbeat a second: trusted a fifth of the time, exactly."""
    with pytest.warns(UserWarning, match="is over before the next heartbeat is due"):
        run = dl.run(DETECTOR, timer_from="last_arrival", timeout=0.2, delay="10ms", **QUIET, duration=10_000)
    assert run.accuracy == pytest.approx(0.2, abs=1e-4) and run.mistake_rate == pytest.approx(1, abs=1e-3)
    assert math.isnan(run.false_suspicion)


def test_detection_takes_a_timeout_and_half_an_interval():
    """The crash falls anywhere in an interval: at most timeout + interval after the last heartbeat."""
    s = dl.sweep(DETECTOR, timeout=3, **QUIET, duration=20, observers=1, reps=2000, seed=3)
    stats = s.stats("detection_time_mean")
    assert abs(float(stats["mean"].item()) - 3.5) <= 4 * float(stats["se"].item())
    assert s.array["detection_time_max"].max() <= 4 and s.array["detection_time_mean"].min() >= 3


def test_who_disagrees():
    """A pause silences the process for all; a cut link is one observer's; gray is the clients'."""
    common = {"timeout": 1, "delay": "10ms", "loss": 0, "duration": 20_000, "observers": 3, "seed": 4}
    paused = dl.run(DETECTOR, **common, pause_rate=0.01, pause="exponential(20s)")
    assert paused.disagreement == 0 and paused.suspected_by_all > 0.05
    assert paused.suspected_by_all == pytest.approx(1 - paused.accuracy)
    cut = dl.run(DETECTOR, **common, pause_rate=0, link_cut_rate=0.001, link_cut="exponential(60s)")
    assert cut.disagreement > 0.05 > cut.suspected_by_all
    gray = {"pause_rate": 0, "gray_rate": 0.001, "gray": "exponential(300s)"}
    assert dl.run(DETECTOR, **common, **gray).accuracy == 1
    hidden = dl.run(DETECTOR, **common, **gray, client_observers=1)
    assert hidden.gray_hidden > 0.95 and hidden.suspected_by_all == 0
    assert dl.run(DETECTOR, **common, **gray, client_observers=1, gray_loss=0).gray_hidden == 0


def test_metrics_are_those_of_the_table():
    run = dl.run(DETECTOR, **HARD, timeout=0.2, observers=2, warmup=0, seed=5, keep=["suspicions", "beats"])
    rows = run.tables["suspicions"]
    over = rows[~np.isnan(rows["end"])]
    assert np.isnan(rows["end"]).sum() == 2
    assert run.mistake_duration_mean == pytest.approx((over["end"] - over["start"]).mean(), rel=0.02)
    lived = 2 * (300 + 0.25)  # the crash falls within the interval after 300 s
    assert run.accuracy == pytest.approx(1 - (over["end"] - over["start"]).sum() / lived, abs=0.01)
    assert run.mistake_rate == pytest.approx(len(over) / lived, rel=0.02)
    assert run.messages == len(run.tables["beats"]) in (1200, 1201, 1202)


@pytest.mark.parametrize(
    "wrong, text",
    [
        ({"observers": 2, "client_observers": 3}, "client_observers = 3 is above observers = 2"),
        ({"heartbeat_interval": 0.001, "duration": 1000}, "1e\\+06 heartbeats; at most 200000"),
        ({"pause_rate": 1000}, "at most 200000"),
        ({"warmup": 1000, "duration": 1000}, "warmup = 1000 s must be below duration"),
    ],
)
def test_what_cannot_be_is_refused(wrong, text):
    with pytest.raises(ValueError, match=text):
        dl.run(DETECTOR, **wrong)
