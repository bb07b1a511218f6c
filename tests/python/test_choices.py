"""Who decides in a run, and how a run is known again: fingerprints, recorded and replayed choices, questions
to a person, every way the coins can fall."""

import numpy as np
import pytest

import distlab as dl

STATION = "queueing.station"


@pytest.fixture(scope="module")
def by_events():
    return dl.sweep(STATION, arrival_rate=[50, 90], reps=7, method="events", jobs=500, threads=1)


def test_a_row_is_known_by_its_events(by_events):
    marks = by_events.fingerprints
    assert marks.shape == (2, 7) and marks.dtype == np.uint64 and marks.all()
    assert len(np.unique(marks)) == 14
    again = dl.sweep(STATION, arrival_rate=[50, 90], reps=7, method="events", jobs=500, threads=2)
    np.testing.assert_array_equal(again.fingerprints, marks)
    np.testing.assert_array_equal(by_events.sel(arrival_rate=90).fingerprints, marks[1])
    with pytest.raises(ValueError, match="read-only"):
        marks[0, 0] = 1


def test_a_replay_has_the_same_fingerprint(by_events):
    run = by_events.replay(1, 3)
    assert run.fingerprint == by_events.fingerprints[1, 3]
    assert run.provenance["fingerprint"] == f"{run.fingerprint:016x}" in run._repr_html_()
    assert run.provenance["fingerprint"] in repr(run)
    # Keeping the jobs takes another path through the station: the events are the same.
    assert by_events.replay(1, 3, keep=True).fingerprint == run.fingerprint
    assert dl.run(STATION, arrival_rate=90, method="events", jobs=500, seed=2).fingerprint != run.fingerprint


@pytest.mark.parametrize("servers", [1, 3])
def test_two_paths_of_the_station_see_the_same_events(servers):
    a = dl.run(STATION, arrival_rate=80 * servers, servers=servers, method="events", jobs=3000)
    b = dl.run(STATION, arrival_rate=80 * servers, servers=servers, method="events", jobs=3000, keep=True)
    assert a.fingerprint == b.fingerprint != 0
    assert a.array.tobytes() == b.array.tobytes()


def test_the_recursion_has_no_events():
    run = dl.run(STATION, method="recursion", jobs=100)
    assert run.fingerprint is None and "fingerprint" not in run.provenance and "fingerprint" not in repr(run)
    assert not dl.sweep(STATION, method="recursion", jobs=100, reps=2).fingerprints.any()


def test_masked_rows_have_none():
    s = dl.sweep(STATION, jobs=[10, 10_000], reps=1, budget={"steps": 100}, errors="mask", method="events")
    assert [f["point"] for f in s.failures] == [1]
    assert s.fingerprints[0].all() and not s.fingerprints[1].any()


def test_fingerprints_are_saved(by_events, tmp_path):
    again = dl.load(by_events.save(tmp_path / "sweep.npz"))
    np.testing.assert_array_equal(again.fingerprints, by_events.fingerprints)
    run = by_events.replay(0, 0)
    assert dl.load(run.save(tmp_path / "run.npz")).fingerprint == run.fingerprint


def test_series_on_given_times_are_run_in_blocks_with_the_same_fingerprints(by_events):
    cut = dl.sweep(
        STATION, arrival_rate=[50, 90], reps=7, method="events", jobs=500, threads=1,
        keep={"queue_length": [0.1, 0.2]},
    )  # fmt: skip
    np.testing.assert_array_equal(cut.fingerprints, by_events.fingerprints)
