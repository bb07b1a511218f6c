"""The binding at work: values of lab.probe followed from Python into C and back."""

import gc
import math

import numpy as np
import pytest

import probe
from distlab import _core
from probe import NAME, class_rows, keys, params, sweep


@pytest.fixture(autouse=True)
def registered():
    probe.register()


def columns(result):
    return _core.columns(NAME, result["metrics"], result["buckets"])


def test_every_type_of_parameter_and_metric():
    row = params(
        rate=20,
        timeout=0.25,
        jobs=20,
        verbose=True,
        policy=2,
        features=6,
        bug=1,
        retry_attempts=5,
        retry_delay=0.5,
        hedge_delay=0.25,
    )
    row["service"] = _core.parse(NAME, "service", "7ms")[0]
    row["pause"] = _core.parse(NAME, "pause", "uniform(1s, 3s)")[0]
    result = sweep(row)
    m = result["metrics"]
    assert m.shape == (1,) and m.dtype == _core.describe(NAME)["metrics_dtype"]
    assert result["outputs"] == {} and result["failures"] == []
    m = m[0]
    assert (m["total"], m["timeout"], m["pause_mean"], m["count"], m["mask"]) == (400, 0.25, 2, 21, 6)
    assert m["drawn"] == pytest.approx(0.007, rel=1e-12)
    assert m["violations"] == 1 and m["verbose"] == 1 and m["retry_delay"] == 3
    assert m["share"].tolist() == (5, 20) and m["wait"].tolist() == (0.05, 0.005, 20)
    assert m["latency"]["count"] == 20 and m["latency"]["min"] == 10**6 and m["latency"]["max"] == 2 * 10**7
    assert result["buckets"].dtype == np.uint64 and result["buckets"].sum() == 40
    c = columns(result)
    assert c.shape == (1,) and set(c.dtype.names) == {x["name"] for x in _core.describe(NAME)["columns"]}
    c = c[0]
    assert (c["share"], c["wait"], c["wait_se"], c["count"], c["verbose"]) == (0.25, 0.05, 0.005, 21, 1)
    assert c["latency_mean"] == pytest.approx(0.0105, rel=1e-12) and c["latency_max"] == pytest.approx(0.02)
    assert c["latency_p50"] == pytest.approx(0.010, rel=1 / 128)
    assert c["size_mean"] == 4.5 and c["size_p90"] == 8 and c["size_max"] == 9


def test_off_is_nan():
    c = columns(sweep(params()))[0]
    assert math.isnan(c["timeout"]) and math.isnan(c["pause_mean"])


def test_tables_with_blank_cells():
    pool = [
        class_rows(
            {},
            {"weight": 2, "rate": 5, "jobs": 3, "policy": 0},
            {"service": _core.parse(NAME, "service", "2s")[0]},
        ),
        np.array([0.5, 1.5]),
    ]
    row = params(rate=10, jobs=4, policy=2)
    row["service"] = (_core.DISTRIBUTION_NAMES.index("empirical"), 1, 0, 2, [0] * 4, 0)
    row["classes"] = (0, 0, 3)
    m = sweep(row, pool=pool)["metrics"][0]
    assert (m["class_weight"], m["class_rate"], m["class_jobs"], m["class_policy"]) == (2, 25, 11, 4)
    assert m["class_service"] == 1 + 1 + 2
    assert 0.5 <= m["drawn"] <= 1.5


def test_outputs():
    rows = params(3, jobs=[2, 0, 60], policy=1, features=5)
    rows["jobs"][1] = 1
    result = sweep(rows, reps=2, wanted=["jobs", "queue_length"])
    assert list(result["outputs"]) == ["queue_length", "jobs"]
    trace, offsets = result["outputs"]["jobs"]
    assert offsets.dtype == np.uint64 and offsets.tolist() == [0, 2, 4, 5, 6, 66, 126]
    assert trace.dtype == _core.describe(NAME)["outputs"][1]["dtype"]
    assert trace["job"].tolist() == [0, 1, 0, 1, 0, 0, *range(60), *range(60)]
    assert trace["took"][-1] == 0.06 and trace["last"].sum() == 6 and (trace["features"] == 5).all()
    assert (trace["policy"] == 1).all()
    offsets = result["outputs"]["queue_length"][1]
    assert offsets.tolist() == [0, 2, 4, 5, 6, 56, 106]
    trace["job"] = 0  # the caller's own memory
    assert trace.flags.writeable and trace.flags.aligned and trace.flags.c_contiguous
    assert sweep(params(0), wanted=("jobs",))["outputs"]["jobs"][1].tolist() == [0]


def test_outputs_outlive_everything():
    trace, offsets = sweep(params(jobs=1000), wanted=["jobs"])["outputs"]["jobs"]
    part = trace[10:20]
    del trace
    gc.collect()
    assert part["job"].tolist() == list(range(10, 20)) and offsets[1] == 1000


def test_row_order_and_keys():
    rows = params(2, rate=[1, 2])
    k = _core.row_keys(1, 2, 3, False)
    m = _core.sweep(NAME, rows, k, threads=1)["metrics"]
    assert m["total"].tolist() == [100] * 3 + [200] * 3
    assert len(set(m["drawn"].tolist())) == 6
    one = _core.sweep(NAME, rows[1], k[1, 2:3], threads=1)["metrics"]
    assert one["drawn"] == m["drawn"][5]
    wide = params(4)
    wide[::2] = rows
    swapped = k.byteswap().view(k.dtype.newbyteorder())
    for again in ((rows, k.T.copy().T), (wide[::2], k), (rows.reshape(1, 2), swapped)):
        assert _core.sweep(NAME, *again, threads=1)["metrics"].tobytes() == m.tobytes()
    assert _core.sweep(NAME, rows, [1, 2], threads=1)["metrics"].size == 2


def test_threads_do_not_matter():
    rows = params(37, jobs=np.arange(37) + 1)
    results = [sweep(rows, reps=3, threads=n, wanted=["jobs", "queue_length"]) for n in (1, 2, 4, 0)]
    for other in results[1:]:
        assert other["metrics"].tobytes() == results[0]["metrics"].tobytes()
        assert np.array_equal(other["buckets"], results[0]["buckets"])
        for name, (table, offsets) in results[0]["outputs"].items():
            assert np.array_equal(other["outputs"][name][0], table)
            assert np.array_equal(other["outputs"][name][1], offsets)


def test_no_rows():
    for rows in (params(0), params(3)):
        result = _core.sweep(NAME, rows, np.zeros(0, np.uint64), wanted=["jobs"])
        assert result["metrics"].shape == (0,) and result["buckets"].shape == (0,)
        assert columns(result).shape == (0,)


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"keys": np.zeros(3, np.uint64)}, ValueError, "3 keys cannot be shared out evenly among 2 rows"),
        ({"params": "none"}, TypeError, "params must be"),
        ({"keys": [1.5, 2]}, TypeError, None),
        ({"keys": np.zeros(2, np.int64)}, TypeError, None),
        ({"keys": np.array(["a", "b"])}, (TypeError, ValueError), None),
        ({"model": "lab.prob"}, _core.UnknownNameError, "lab.probe"),
        ({"threads": -1}, ValueError, "threads = -1"),
        ({"threads": 5000}, ValueError, "threads = 5000"),
        ({"threads": 1.5}, TypeError, None),
        ({"steps_max": -1}, ValueError, "steps_max"),
        ({"memory_max": 2**64}, ValueError, "memory_max"),
        ({"keep_max": "x"}, TypeError, None),
        ({"wanted": "jobs"}, TypeError, "sequence of names"),
        ({"wanted": ["trac"]}, _core.UnknownNameError, "did you mean 'trace'"),
        ({"wanted": [1]}, TypeError, None),
        ({"token": 1}, TypeError, "token must be"),
        ({"progress": 1}, TypeError, "progress must be"),
        ({"pool": [3]}, (TypeError, ValueError), None),
        ({"fail_at": -1}, ValueError, "fail_at"),
        ({"nonsense": 1}, TypeError, None),
    ],
)
def test_sweep_refuses(change, error, message):
    call = {"model": NAME, "params": params(2), "keys": keys(2), "threads": 1, **change}
    with pytest.raises(error, match=message):
        _core.sweep(**call)


def test_sweep_of_nothing_but_keys():
    with pytest.raises(ValueError, match="4 keys cannot"):
        _core.sweep(NAME, params(0), np.zeros(4, np.uint64))
    with pytest.raises(TypeError):
        _core.sweep(NAME, params(), keys(), (), ())  # what follows the star is by name only


def test_columns_keep_their_shape():
    result = sweep(params(4, rate=[1, 2, 3, 4]), reps=3)
    c = _core.columns(NAME, result["metrics"].reshape(4, 3)[::-1], result["buckets"])
    assert c.shape == (4, 3) and c["total"][:, 0].tolist() == [400, 300, 200, 100]
    assert _core.columns(NAME, result["metrics"][0], result["buckets"]).shape == ()


def test_merge():
    rows = params(3, jobs=[10, 20, 30], rate=[1, 2, 3])
    result = sweep(rows, reps=2)
    names = [c["name"] for c in _core.describe(NAME)["columns"]]
    merged = _core.merge(NAME, result["metrics"], result["buckets"], [0, 2, 4, 4], [0, 3, 3, 4], 0.9)
    assert merged.shape == (3, len(names), 5)
    at = {name: merged[:, i] for i, name in enumerate(names)}
    assert at["total"][0, 0] == pytest.approx((10 + 40 + 90) / 3) and at["total"][0, 4] == 3
    assert at["share"][0, 0] == 9 / 60  # by parts
    assert at["latency_max"][2, 0] == pytest.approx(0.03)
    assert at["latency_mean"][0, 0] == pytest.approx(1e-3 * (55 + 210 + 465) / 60)
    low, high = at["total"][0, 1:3]
    assert low < at["total"][0, 0] < high
    assert np.isnan(merged[1, :, 0]).all()  # an empty group
    assert at["wait"][2, 3] == pytest.approx(0.1 / 3)  # one repetition of an estimate brings its own
    wide = _core.merge(NAME, result["metrics"], result["buckets"], [0, 2, 4], [0, 3], 0.99)
    assert wide[0, names.index("total"), 2] > high
    assert _core.merge(NAME, result["metrics"], result["buckets"], [], [0], 0.9).shape == (0, len(names), 5)


def test_quantiles_and_buckets():
    result = sweep(params(2, jobs=[1000, 3000]), reps=2)
    m, b = result["metrics"], result["buckets"]
    values = 1e-3 * np.r_[np.arange(1, 1001), np.arange(1, 3001)]
    q = [0.0, 0.1, 0.5, 0.99, 1.0]
    got = _core.quantiles(NAME, m, b, "latency", q, [0, 2, 1], [0, 2, 2, 3])
    assert got.shape == (3, 5) and np.isnan(got[1]).all()
    assert got[0] == pytest.approx(np.quantile(values, q, method="inverted_cdf"), rel=1 / 128)
    edges, counts = _core.buckets(NAME, m, b, "latency", [0, 2])
    assert len(edges) == len(counts) + 1 and counts.sum() == 4000 and counts.dtype == np.uint64
    assert np.array_equal(np.histogram(values + 1e-10, edges)[0], counts)
    edges, counts = _core.buckets(NAME, m, b, "size", np.array([0]))
    assert edges.tolist() == list(range(11)) and counts.tolist() == [100] * 10
    edges, counts = _core.buckets(NAME, m, b, "size", [])
    assert len(edges) == 1 and len(counts) == 0


@pytest.mark.parametrize(
    "index, offsets, message",
    [
        ([0, 4], [0, 2], r"index\[1\] = 4 is outside \[0, 3\]"),
        ([-1], [0, 1], "index"),
        ([0], [0, 2], "offsets"),
        ([0], [1, 0], "offsets"),
        ([0], [-1, 1], "offsets"),
        ([0], [], "offsets"),
        ([[0]], [0, 1], "dimension"),
    ],
)
def test_groups_are_checked(index, offsets, message):
    result = sweep(params(4))
    for call in (
        lambda *a: _core.merge(NAME, *a, 0.95),
        lambda m, b, i, o: _core.quantiles(NAME, m, b, "latency", [0.5], i, o),
    ):
        with pytest.raises(ValueError, match=message):
            call(result["metrics"], result["buckets"], np.array(index, np.int64), np.array(offsets, np.int64))


BROKEN_HISTOGRAMS = [
    ("first", 5000),
    ("used", 2**32 - 1),
    ("used", 0),
    ("at", 2**63),
    ("at", 90),
    ("count", -1),
    ("min", 2**62),
    ("max", -5),
    ("first", 2**32 - 1),
    ("count", 0),
]


@pytest.mark.parametrize("name, value", BROKEN_HISTOGRAMS)
def test_histograms_are_checked(name, value):
    result = sweep(params(2))
    m, b = result["metrics"], result["buckets"]
    m["latency"][name][1] = value
    b.flags.writeable = False
    for call in (
        lambda: _core.columns(NAME, m, b),
        lambda: _core.merge(NAME, m, b, [0, 1], [0, 2], 0.95),
        lambda: _core.quantiles(NAME, m, b, "size", [0.5], [0, 1], [0, 2]),
        lambda: _core.buckets(NAME, m, b, "latency", [0, 1]),
    ):
        with pytest.raises(ValueError, match=r"metrics\[1\].latency does not belong"):
            call()
    with pytest.raises(ValueError, match="does not belong"):
        _core.columns(NAME, sweep(params())["metrics"], np.zeros(3, np.uint64))
    with pytest.raises(ValueError, match="does not belong"):
        _core.columns(NAME, sweep(params())["metrics"], b + np.uint64(1))


def test_histogram_calls_refuse():
    result = sweep(params())
    m, b = result["metrics"], result["buckets"]
    with pytest.raises(TypeError, match="metric total .* is not a histogram"):
        _core.buckets(NAME, m, b, "total", [0])
    with pytest.raises(_core.UnknownNameError, match="latency"):
        _core.quantiles(NAME, m, b, "latncy", [0.5], [0], [0, 1])
    for q in ([1.5], [math.nan], [-0.1]):
        with pytest.raises(ValueError, match="outside"):
            _core.quantiles(NAME, m, b, "latency", q, [0], [0, 1])
    for confidence in (0, 1, math.nan):
        with pytest.raises(ValueError, match="confidence"):
            _core.merge(NAME, m, b, [0], [0, 1], confidence)
    with pytest.raises(TypeError, match="metrics must be"):
        _core.columns(NAME, params(), b)
    with pytest.raises(TypeError):
        _core.columns(NAME, m, b.astype(float) + 0.5)
    with pytest.raises(TypeError):
        _core.buckets(NAME, m, b, "size", 3)


def test_odd_bools_do_no_harm():
    result = sweep(params())
    result["metrics"].view(np.uint8)[result["metrics"].dtype.fields["verbose"][1]] = 200
    assert columns(result)["verbose"] == 1


def test_resample():
    rows, offsets = sweep(params(2, jobs=[3, 5]), wanted=["queue_length"])["outputs"]["queue_length"]
    grid = [-1, 0, 0.15, 0.2, 10]
    values = _core.resample(NAME, "queue_length", rows, offsets, "length", grid)
    assert np.array_equal(values, [[math.nan, 0, 1, 4, 4], [math.nan, 0, 1, 4, 16]], equal_nan=True)
    assert _core.resample(NAME, "queue_length", rows, offsets, "level", [0.4]).tolist() == [[2], [4]]
    assert _core.resample(NAME, "queue_length", rows, [0, 0, 8], "level", [0.4])[1] == 4
    assert _core.resample(NAME, "queue_length", rows[:0], [0], "level", grid).shape == (0, 5)
    for args, error in [
        (("queue", rows, offsets, "level", grid), _core.UnknownNameError),
        (("queue_length", rows, offsets, "lengt", grid), _core.UnknownNameError),
        (("queue_length", rows, [0, 9], "level", grid), ValueError),
        (("queue_length", rows, [3, 2], "level", grid), ValueError),
        (("queue_length", rows, [], "level", grid), ValueError),
        (("queue_length", rows, offsets, "level", [1, 0]), ValueError),
        (("queue_length", rows["time"], offsets, "level", grid), TypeError),
    ]:
        with pytest.raises(error):
            _core.resample(NAME, *args)
    trace, offsets = sweep(params(), wanted=["jobs"])["outputs"]["jobs"]
    with pytest.raises(TypeError, match="not a series"):
        _core.resample(NAME, "jobs", trace, offsets, "took", grid)


def test_errors_say_where():
    rows = params(3, fail=[0, 1, 0])
    with pytest.raises(ValueError, match=r"row 2 \(point 1, rep 0\): .*jobs = 100 out of range"):
        sweep(rows, reps=2)
    with pytest.raises(_core.BudgetError, match="used up its queue"):
        sweep(params(fail=2))
    with pytest.raises(_core.BrokenInvariantError, match=r"probe_model.c:\d+"):
        sweep(params(fail=3))
    with pytest.raises(_core.BudgetError, match="steps"):
        sweep(params(cost=5), steps_max=499)
    assert sweep(params(cost=5), steps_max=501)["metrics"].size == 1
    with pytest.raises(_core.BudgetError, match="memory budget"):
        sweep(params(memory=10**6), memory_max=10**6)
    with pytest.raises(_core.BudgetError):
        sweep(params(jobs=1000), keep_max=100, wanted=["jobs"])
    with pytest.raises((MemoryError, _core.BudgetError)):
        sweep(params(memory=10**15), memory_max=2**60)
    with pytest.raises(ValueError, match="rate = -1"):
        sweep(params(rate=-1))
    with pytest.raises(ValueError, match="capacity = 1 holds fewer"):
        sweep(params(capacity=1))


@pytest.mark.parametrize("threads", [1, 3])
def test_masked_errors(threads):
    rows = params(6, fail=[0, 1, 0, 2, 3, 0])
    rows["rate"][5] = math.nan
    result = sweep(rows, reps=2, mask_errors=True, threads=threads, wanted=["jobs"])
    assert [(row, code) for row, code, _ in result["failures"]] == [
        (2, "ERANGE"),
        (3, "ERANGE"),
        (6, "ELIMIT"),
        (7, "ELIMIT"),
        (8, "EBROKEN"),
        (9, "EBROKEN"),
        (10, "ERANGE"),
        (11, "ERANGE"),
    ]
    assert "out of range" in result["failures"][0][2]
    assert result["metrics"]["total"].tolist() == [1000, 1000, 0, 0, 1000, 1000] + [0] * 6
    offsets = result["outputs"]["jobs"][1]
    assert np.diff(offsets.astype(int)).tolist() == [100, 100, 0, 0, 100, 100] + [0] * 6
    assert math.isnan(columns(result)["latency_p50"][2])


def test_each_allocation_fails_once():
    expected = sweep(params(2, jobs=10), wanted=["jobs"])["metrics"]
    for n in range(1, 200):
        try:
            result = sweep(params(2, jobs=10), wanted=["jobs"], fail_at=n)
        except MemoryError as error:
            assert f"request {n} " in str(error)
            continue
        assert n > 5 and result["metrics"].tobytes() == expected.tobytes()
        break
    else:
        pytest.fail("some allocation fails for ever")
