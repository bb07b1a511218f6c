"""Laws read from files: every file here is written by an encoder of its own, from the format's description.

Known samples go in; the quantiles that come out must be those of the samples, as finely as the format keeps
them. Broken files get one error with file and line.
"""

import base64
import pickle
import struct
import sys
import zlib

import numpy as np
import pytest

import distlab as dl
from distlab import _measured

PROBS = [0.01, 0.1, 0.5, 0.9, 0.99, 0.999]
quiet = pytest.mark.filterwarnings("ignore::distlab.DistlabWarning")


@pytest.fixture(scope="module")
def samples():
    """Latencies in whole microseconds, 20 000 of them, heavy on the right."""
    return np.sort(np.random.default_rng(5).lognormal(9, 1.2, 20_000).astype(np.int64) + 1)


def exactly(values, p):
    """The p-quantile of samples: the least value with at least the share p at or below it."""
    return np.sort(values)[np.ceil(np.asarray(p) * len(values)).astype(int) - 1]


# An encoder of the interval log, cell by cell with whole numbers


def cell_of(value, digits):
    """The cell of a value: grow the width of a cell until its number fits among the sub-buckets."""
    many = 1
    while many < 2 * 10**digits:
        many *= 2
    width, doublings = 1, 0
    while value // width >= many:
        width, doublings = 2 * width, doublings + 1
    return value // width + doublings * (many // 2)


def leb128(number):
    number = number * 2 if number >= 0 else -number * 2 - 1
    out = bytearray()
    while len(out) < 8 and number > 127:
        out.append(128 + number % 128)
        number //= 128
    out.append(number)
    return bytes(out)


def hdr_word(values, digits=3, cookie=0x1C849313, outer=0x1C849314, offset=0, extra=b""):
    cells = {}
    for value in values:
        at = cell_of(int(value), digits)
        cells[at] = cells.get(at, 0) + 1
    body, next_cell = b"", 0
    for at in sorted(cells):
        if at > next_cell:
            body += leb128(-(at - next_cell))
        body += leb128(cells[at])
        next_cell = at + 1
    body += extra
    head = struct.pack(">iiiiqqd", cookie, len(body), offset, digits, 1, 2**62, 1.0)
    packed = zlib.compress(head + body)
    return base64.b64encode(struct.pack(">ii", outer, len(packed)) + packed).decode()


def hdr_log(path, *words, tags=None):
    lines = [
        "#[Histogram log format version 1.3]",
        "#[StartTime: 1441812279.474 (seconds since epoch), Wed Sep 09 08:24:39 PDT 2015]",
        '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    ]
    for k, word in enumerate(words):
        tag = f"Tag={tags[k]}," if tags and tags[k] else ""
        lines.append(f"{tag}{k}.000,1.000,2.769,{word}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("digits", [2, 3])
def test_hdr_log_gives_the_samples_back(tmp_path, samples, digits):
    shuffled = np.random.default_rng(1).permutation(samples)
    log = hdr_log(tmp_path / "a.hlog", *(hdr_word(part, digits) for part in np.split(shuffled, 4)))
    d = dl.empirical.from_hdr(log, unit="us")
    assert d.unit == "s" and d.source.count == samples.size and d.source.notes[0] == "4 intervals merged"
    got, want = d.quantile(PROBS), exactly(samples, PROBS) * 1e-6
    assert (np.abs(got - want) <= np.maximum(want * 10.0**-digits, 1e-6)).all()  # a cell is at least 1 us
    assert d.mean == pytest.approx(samples.mean() * 1e-6, rel=10.0**-digits)
    assert dl.empirical.from_hdr(log).mean == pytest.approx(samples.mean() * 1e-9, rel=10.0**-digits)


def test_small_values_of_an_hdr_log_are_exact_cells(tmp_path):
    values = np.repeat(np.arange(1, 101), 20)
    d = dl.empirical.from_hdr(hdr_log(tmp_path / "a.hlog", hdr_word(values)), unit="s")
    edges = np.arange(1.0, 102)
    assert d.cdf(edges) == pytest.approx(np.arange(101) / 100, abs=1e-9)


def test_large_counts_and_values_survive(tmp_path):
    """LEB128 of every length: counts up to 2**62 need nine bytes, the last of eight bits."""
    from distlab._read_hdr import _counts, edges

    numbers = [1, 63, 64, 8191, 8192, 2**20, 2**34, 2**41, 2**48, 2**55, 2**56, 2**62]
    data = b"".join(leb128(-5) + leb128(n) for n in numbers)
    assert _counts(data, "x") == [(5 + 6 * k, n) for k, n in enumerate(numbers)]
    for digits in (1, 2, 3):
        for value in (1, 2, 1000, 4095, 4096, 123456789, 2**40 + 17, 2**52):
            low, high = (float(e[0]) for e in edges(np.array([cell_of(value, digits)]), (digits, 0, 1.0)))
            assert low <= value < high and (high - low == 1 or (high - low) / low <= 10.0**-digits)


def test_tags_of_a_log(tmp_path):
    log = hdr_log(tmp_path / "a.hlog", hdr_word([5] * 2000), hdr_word([9] * 2000), tags=["read", "write"])
    assert dl.empirical.from_hdr(log, tag="write", unit="ms").quantile(0.5) == pytest.approx(9.5e-3, rel=0.05)
    with pytest.raises(ValueError, match="read, write"):
        dl.empirical.from_hdr(log)
    one = hdr_log(tmp_path / "b.hlog", hdr_word([5] * 2000), hdr_word([9] * 2000), tags=[None, "write"])
    assert dl.empirical.from_hdr(one, unit="ms").source.count == 2000


def test_hdr_log_as_another_library_writes_it(tmp_path, samples):
    histogram = pytest.importorskip("hdrh.histogram", reason="optional: hdrhistogram is not installed")
    oracle = histogram.HdrHistogram(1, 3_600_000_000, 3)
    for value in samples[:5000]:
        oracle.record_value(int(value))
    log = hdr_log(tmp_path / "a.hlog", oracle.encode().decode())
    d = dl.empirical.from_hdr(log, unit="us")
    for p in PROBS:
        want = oracle.get_value_at_percentile(100 * p) * 1e-6
        assert d.quantile(p) == pytest.approx(want, rel=1e-3, abs=1e-6)
    again = histogram.HdrHistogram.decode(hdr_word(samples[:5000]))
    assert again.get_total_count() == 5000
    assert again.get_value_at_percentile(99) == oracle.get_value_at_percentile(99)


@pytest.mark.parametrize(
    "word, message",
    [
        ("?!", "line 4: the histogram is not base64"),
        ("AAAA", "line 4: the histogram is cut off after 3 bytes"),
        (hdr_word([5], outer=0x1C849309), "line 4: cookie 0x1c849309 is no compressed V2"),
        (hdr_word([5], cookie=0x1C849301), "line 4: inflated cookie 0x1c849301"),
        (hdr_word([5], offset=3), "normalizing offset 3"),
        (hdr_word([5], digits=3, extra=b"\x80"), "line 4: the last count is cut off"),
        (hdr_word([5])[:-8], "line 4: the histogram has .* compressed bytes"),
    ],
)
def test_broken_hdr_lines_are_named(tmp_path, word, message):
    with pytest.raises(ValueError, match=message):
        dl.empirical.from_hdr(hdr_log(tmp_path / "a.hlog", word))


def test_a_log_that_inflates_without_end_is_stopped(tmp_path):
    packed = zlib.compress(bytes(80 * 2**20))
    word = base64.b64encode(struct.pack(">ii", 0x1C849314, len(packed)) + packed).decode()
    with pytest.raises(ValueError, match="line 4: the histogram is larger than"):
        dl.empirical.from_hdr(hdr_log(tmp_path / "a.hlog", word))


def hgrm(path, samples, before="", after=""):
    probs = 1 - 1 / np.geomspace(1, samples.size, 120)
    rows = [(exactly(samples, max(p, 1e-9)) / 1000, p) for p in probs] + [(samples[-1] / 1000, 1.0)]
    text = before + "       Value     Percentile TotalCount 1/(1-Percentile)\n\n"
    for value, p in rows:
        total = int((samples <= round(value * 1000)).sum())
        text += f"{value:12.3f} {p:2.12f} {total:10d} {1 / (1 - p) if p < 1 else np.inf:14.2f}\n"
    text += f"#[Mean    = {samples.mean() / 1000:12.3f}, StdDeviation   = {samples.std() / 1000:12.3f}]\n"
    path.write_text(text + f"#[Max     = {samples[-1] / 1000:12.3f}, Total count = {samples.size}]\n" + after)
    return path


def test_percentile_text(tmp_path, samples):
    page = hgrm(tmp_path / "a.hgrm", samples, "Running 30s test\n  Detailed Percentile spectrum:\n", "done\n")
    d = dl.empirical.from_hdr(page)
    assert d.source.count == samples.size and d.unit == "s"
    probs = 1 - 1 / np.geomspace(1.2, 1000, 40)
    near = [exactly(samples, [max(p - 0.04 * (1 - p), 0), p + 0.04 * (1 - p)]) * 1e-6 for p in probs]
    for value, (low, high) in zip(d.quantile(probs), near, strict=True):
        assert low * 0.999 <= value <= high * 1.001
    assert "its own sum gives the mean" in d.summary()
    broken = (tmp_path / "a.hgrm").read_text().replace("0.000000000000", "zero")
    (tmp_path / "b.hgrm").write_text(broken)
    with pytest.raises(ValueError, match=r"b.hgrm: line 5: .* is no row"):
        dl.empirical.from_hdr(tmp_path / "b.hgrm")


# Prometheus

EDGES = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]


def scrape(values, edges=EDGES, labels='job="api"', name="request_seconds"):
    """The exposition of samples in seconds."""
    text = f"# HELP {name} How long, in \\n seconds.\n# TYPE {name} histogram\n"
    for edge in edges:
        text += f'{name}_bucket{{{labels},le="{edge}"}} {int((values <= edge).sum())}\n'
    text += f'{name}_bucket{{{labels},le="+Inf"}} {values.size} 1395066363000\n'
    return text + f"{name}_sum{{{labels}}} {values.sum():.9g}\n{name}_count{{{labels}}} {values.size}\n"


@quiet
def test_prometheus_buckets_hold_the_quantiles(samples, tmp_path):
    values = samples * 1e-6
    path = tmp_path / "metrics.prom"
    path.write_text("up 1\n" + scrape(values))
    for d in (
        dl.empirical.from_prometheus(path, "request_seconds"),
        dl.empirical.from_prometheus(scrape(values), "request_seconds_bucket", {"job": "api"}),
    ):
        assert d.unit == "s" and d.source.count == samples.size
        inside = np.array([0, *EDGES])
        for p in PROBS:
            got, want = d.quantile(p), exactly(values, p)
            k = np.searchsorted(inside, want)
            assert inside[k - 1] <= got <= inside[k]
        assert np.asarray(d.cdf(EDGES)) == pytest.approx(
            [(values <= e).mean() for e in EDGES[:-1]] + [1.0], abs=2e-5
        )
        assert "its own sum gives the mean" in d.summary()


def test_buckets_too_coarse_for_the_mean_are_warned_about():
    """All values at 1.1 in the bucket from 1 to 2: uniform inside it says 1.5."""
    text = 'a_bucket{le="1"} 0\na_bucket{le="2"} 2000\na_bucket{le="+Inf"} 2000\na_sum 2200\na_count 2000\n'
    with pytest.warns(dl.DistlabWarning, match=r"its own sum gives the mean 1.1, the law 1.5 \(\+36 %\)"):
        d = dl.empirical.from_prometheus(text, "a")
    assert d.source.mean_off == pytest.approx(1.5 / 1.1 - 1) and len(d.source.remarks) == 1


@quiet
def test_prometheus_interpolates_as_its_own_function_does():
    """histogram_quantile: linear in the bucket, the last finite edge for what lies in +Inf."""
    text = 'a_seconds_bucket{le="1"} 200\na_seconds_bucket{le="2"} 800\na_seconds_bucket{le="+Inf"} 1000\n'
    d = dl.empirical.from_prometheus(text, "a_seconds")
    assert d.quantile([0.1, 0.5, 0.8, 0.95]) == pytest.approx([0.5, 1.5, 2.0, 2.0], abs=2e-4)
    assert d.source.share == 0.2 and d.source.open and d.source.beyond == 2


@quiet
def test_series_are_added_and_earlier_scrapes_subtracted(samples):
    one, two = samples[:8000] * 1e-6, samples[8000:16000] * 1e-6
    edges = [*EDGES, 100]
    a, b = scrape(one, edges, 'job="api",pod="1"'), scrape(two, edges, 'job="api",pod="2"')
    both = dl.empirical.from_prometheus(a + b, "request_seconds", {"job": "api"})
    direct = dl.empirical.from_prometheus(scrape(np.concatenate([one, two]), edges), "request_seconds")
    assert both == direct and "2 series added" in both.source.notes
    first = dl.empirical.from_prometheus(a + b, "request_seconds", {"pod": "1"})
    assert first == dl.empirical.from_prometheus(scrape(one, edges), "request_seconds")
    later = scrape(np.concatenate([one, two]), edges, 'job="api",pod="1"')
    since = dl.empirical.from_prometheus(later, "request_seconds", since=a)
    assert since == dl.empirical.from_prometheus(scrape(two, edges), "request_seconds")
    with pytest.warns(dl.DistlabWarning, match="1 series started again"):
        reset = dl.empirical.from_prometheus(
            scrape(two[:5000], edges), "request_seconds", since=scrape(one, edges)
        )
    assert reset.source.count == 5000


GOOD = 'a_bucket{le="1"} 2\na_bucket{le="2"} 5\na_bucket{le="+Inf"} 5\n'


@pytest.mark.parametrize(
    "text, metric, message",
    [
        (GOOD.replace("5", "1"), "a", "line 2: a must be cumulative, but le=2 counts 1"),
        (GOOD.replace('"+Inf"', '"3"'), "a", r"line 3: a has no bucket le=.\+Inf"),
        (GOOD + "a_count 7\n", "a", "a_count is 7, but le=.Inf counts 5"),
        (GOOD + 'a_bucket{le="2"} 5\n', "a", "line 4: the bucket le=2 is there twice, first in line 2"),
        (GOOD + "a_bucket{le=2} 5\n", "a", "line 4: the labels .* cannot be read"),
        (GOOD + "a_bucket 5\n", "a", "line 4: a bucket without the label le"),
        (GOOD + "!\n", "a", "line 4: '!' is no sample"),
        (GOOD.replace(" 2\n", " two\n"), "a", "line 1: 'two' is not a number"),
        (GOOD.replace("a_", "waits_"), "wait", "no histogram wait; did you mean 'waits'"),
        (GOOD.replace(" 2\n", " -2\n"), "a", "line 1: a bucket counts from 0 up"),
        ('a_bucket{le="1"} 0\na_bucket{le="+Inf"} 4\n', "a", "every value lies in the open bucket"),
        ('a_bucket{le="1"} 0\na_bucket{le="+Inf"} 0\n', "a", "not one value"),
    ],
)
def test_broken_scrapes_are_named(text, metric, message):
    with pytest.raises(ValueError, match=message):
        dl.empirical.from_prometheus(text, metric)


def test_labels_that_are_not_there(samples):
    text = scrape(samples * 1e-6)
    with pytest.raises(ValueError, match="no label jb; did you mean 'job'"):
        dl.empirical.from_prometheus(text, "request_seconds", {"jb": "api"})
    with pytest.raises(ValueError, match="job='web'.*there are api"):
        dl.empirical.from_prometheus(text, "request_seconds", {"job": "web"})


# CSV


def test_csv_column(tmp_path, samples):
    path = tmp_path / "a.csv"
    path.write_text("time,latency ms\n" + "".join(f"{k},{v / 1000}\n" for k, v in enumerate(samples)))
    d = dl.empirical.from_csv(path, "latency ms", unit="ms")
    assert d.samples == pytest.approx(samples * 1e-6) and d.unit == "s"
    assert d == dl.empirical.from_csv(str(path), 1, unit="ms")
    (tmp_path / "b.csv").write_text("".join(f"{v};\n" for v in samples))
    assert dl.empirical.from_csv(tmp_path / "b.csv", 0, unit="us", delimiter=";").samples.size == samples.size
    with pytest.raises(ValueError, match="samples_max = 100"):
        dl.empirical.from_csv(path, 1, unit="ms", samples_max=100)
    with pytest.raises(ValueError, match="did you mean 'latency ms'"):
        dl.empirical.from_csv(path, "latency", unit="ms")
    with pytest.raises(ValueError, match="unit must be .* not 'msec'"):
        dl.empirical.from_csv(path, 1, unit="msec")
    with pytest.raises(FileNotFoundError, match="no file"):
        dl.empirical.from_csv(tmp_path / "none.csv", 1, unit="ms")


@pytest.mark.parametrize("cell", ["fast", "", "nan", "inf"])
def test_a_cell_that_is_no_number_is_named(tmp_path, cell):
    (tmp_path / "a.csv").write_text(f"n,ms\n1,5\n2,{cell}\n3,7\n")
    with pytest.raises(ValueError, match=f"a.csv: line 3: '{cell}' is not a finite number"):
        dl.empirical.from_csv(tmp_path / "a.csv", "ms", unit="ms")


# Tails


def test_the_open_bucket_is_warned_about():
    with pytest.warns(dl.DistlabWarning, match=r"2 % of 10\D?000 values lie in the open bucket beyond 5 ms"):
        last = dl.empirical.from_buckets([0, 1, 5, np.inf], [4000, 5800, 200], unit="ms")
    assert last.quantile([0.98, 0.99, 1.0]) == pytest.approx([5e-3] * 3, rel=1e-3)
    assert last.source.share == 0.02 and "too light" in last.source.sentence
    with pytest.warns(dl.DistlabWarning, match="above p98 it is an assumption"):
        heavy = dl.empirical.from_buckets([0, 1, 5, np.inf], [4000, 5800, 200], unit="ms", tail="pareto(2)")
    for p in (0.985, 0.99, 0.999):
        assert heavy.quantile(p) == pytest.approx(5e-3 * (0.02 / (1 - p)) ** (1 / 2), rel=1e-3)
    assert heavy.mean == pytest.approx(0.4 * 0.5e-3 + 0.58 * 3e-3 + 0.02 * 10e-3, rel=1e-4)
    with pytest.raises(ValueError, match='open bucket beyond 5 ms, and tail="refuse"'):
        dl.empirical.from_buckets([0, 1, 5, np.inf], [4000, 5800, 200], unit="ms", tail="refuse")


def test_the_largest_sample_is_the_end_of_what_is_known(tmp_path, recwarn):
    (tmp_path / "a.csv").write_text("ms\n" + "".join(f"{k}\n" for k in range(1, 2000)))
    d = dl.empirical.from_csv(tmp_path / "a.csv", "ms", unit="ms", tail="refuse")
    assert not recwarn and d.source.share == 1 / 2000 and not d.source.serious
    heavy = dl.empirical.from_csv(tmp_path / "a.csv", "ms", unit="ms", tail="pareto(1)")
    assert heavy.cdf(1.999) == pytest.approx(1 - 1 / 2000) and heavy.mean == np.inf
    (tmp_path / "b.csv").write_text("ms\n" + "5\n" * 50)
    with pytest.warns(dl.DistlabWarning, match="largest of 50 values"):
        dl.empirical.from_csv(tmp_path / "b.csv", "ms", unit="ms")
    with pytest.raises(ValueError, match="fewer than the 1000"):
        dl.empirical.from_csv(tmp_path / "b.csv", "ms", unit="ms", tail="refuse")


@pytest.mark.parametrize(
    "tail", ["first", "pareto", "pareto()", "pareto(0)", "pareto(-1)", "pareto(x)", None, 2]
)
def test_tails_that_are_none(tail):
    with pytest.raises(ValueError, match="tail must be"):
        dl.empirical.from_buckets([0, 1], [2000], tail=tail)


@pytest.mark.parametrize(
    "edges, counts, message",
    [
        ([0, 1], [1, 2], "shape"),
        ([0, 2, 1], [1, 2], "edges must rise"),
        ([0, np.inf, np.inf], [1, 2], "edges must rise"),
        ([-np.inf, 0, 1], [1, 2], "edges must rise"),
        ([0, 1, 2], [1, -2], "counts must be 0 or more"),
        ([0, 1, 2], [0, 0], "not one value"),
    ],
)
def test_buckets_that_are_none(edges, counts, message):
    with pytest.raises(ValueError, match=message):
        dl.empirical.from_buckets(edges, counts)


# The law that comes out


@quiet
def test_what_a_measured_law_says_of_itself():
    d = dl.empirical.from_buckets([0, 1, 5, np.inf], [4000, 5800, 200], unit="ms", tail="pareto(2)")
    assert "p99 7.07" in repr(d) and "?" in repr(d) and "mean 2.14 ms" in repr(d)
    page = d._repr_html_()
    assert "<b>Tail:</b>" in page and "from_buckets" in page and len(page) < 8000
    assert "http" not in page and "uniform inside each bucket" in page
    again = pickle.loads(pickle.dumps(d))
    assert (
        again == d and again.source == d.source and pickle.loads(pickle.dumps(dl.empirical)) is dl.empirical
    )
    later = d + "1ms"
    assert later.source.beyond == pytest.approx(6e-3) and later.quantile(0.5) == pytest.approx(
        d.quantile(0.5) + 1e-3
    )
    twice = _measured.scaled(d, 2.0)
    assert twice.quantile(PROBS) == pytest.approx(2 * np.asarray(d.quantile(PROBS)))
    assert twice.mean == pytest.approx(2 * d.mean) and "multiplied by 2" in twice.source.notes
    assert "p50" in dl.exponential("10ms").summary() and dl.exponential("10ms").source is None


@quiet
def test_a_measured_law_drives_a_model():
    d = dl.empirical.from_buckets([0, 5, 10, np.inf], [4000, 5800, 200], unit="ms", tail="pareto(2.5)")
    run = dl.run("queueing.station", service=d, arrival_rate=10, jobs=20_000, servers=100)
    assert run.latency_mean == pytest.approx(d.mean, rel=0.05)
    assert run.params["service"] == d


def test_readers_do_not_load_with_the_package():
    import subprocess

    code = "import sys, distlab; assert not [m for m in sys.modules if 'distlab._read' in m]"
    subprocess.run([sys.executable, "-c", code], check=True)
