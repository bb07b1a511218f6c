"""What-if: the answers of dl.compare, exit codes, mistakes with line and key, a page without a network."""

import html.parser
import json
import math
import re
import shlex
import warnings
from pathlib import Path

import numpy as np
import pytest

import distlab as dl
from distlab import _whatif_assert, cli
from distlab._whatif_base import line_of

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "whatif" / "checkout.toml"
STATION = "queueing.station"
BASE = {
    "model": STATION,
    "seed": 3,
    "reps": 8,
    "parameters": {"arrival_rate": "80/s", "jobs": 2000},
}
TOML = """# a comment
model = "queueing.station"
seed = 3
reps = 8

[parameters]
arrival_rate = "80/s"   # of requests
jobs = 2000
"""


@pytest.fixture
def write(tmp_path):
    def written(text=TOML, name="base.toml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return written


@pytest.fixture
def inside(capsys):
    def run(*words):
        code = cli.main(["whatif", *map(str, words)])
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


# The numbers


def test_the_numbers_are_those_of_compare():
    w = dl.whatif(BASE, {"servers": 2})
    s = dl.sweep(STATION, servers=[1, 2], arrival_rate=80, jobs=2000, reps=8, seed=3)
    c = dl.compare(s, over="servers")
    assert w.labels == ["servers=2"] and w.comparison.paired
    for name in ("latency_mean", "latency_p99", "utilisation", "wait"):
        want = c.difference(name)
        assert w.difference(name) == tuple(float(want[k][0]) for k in ("mean", "low", "high"))
        ratio = c.ratio(name)
        assert w.ratio(name) == tuple(float(ratio[k][0]) for k in ("mean", "low", "high"))
        stats = s.stats(name)
        assert w.value(name) == tuple(float(stats[k][0]) for k in ("mean", "low", "high"))
    row = next(r for r in w.table() if r["metric"] == "latency_p99")
    assert row["difference"] == w.difference("latency_p99")[0] and row["differs"]


def test_a_file_and_a_dict_are_the_same(write):
    one, two = dl.whatif(write(), {"servers": 2}), dl.whatif(BASE, {"servers": "2"})
    assert one.table() == two.table() and one.sweep.provenance == two.sweep.provenance
    assert one.summary() == two.summary()


def test_mm1_with_a_faster_server_agrees_with_the_closed_form():
    """E[T] = 1 / (mu - lambda): from 1/(100 - 60) to 1/(125 - 60)."""
    base = {"model": STATION, "parameters": {"arrival_rate": 60, "jobs": 20_000, "warmup_fraction": 0.2}}
    w = dl.whatif(base, {"service": "exponential(8ms)"}, reps=30, seed=11, confidence=0.999)
    want = 1 / 65 - 1 / 40
    mean, low, high = w.difference("latency_mean")
    assert low < want < high and mean == pytest.approx(want, rel=0.05)
    pairs = w.sweep.array["latency_mean"]
    apart = 3.29 * math.sqrt(pairs[0].var(ddof=1) / 30 + pairs[1].var(ddof=1) / 30)
    assert (high - low) / 2 < 0.8 * apart  # pairs are sharper than two independent means


def test_exact_models_have_no_interval():
    base = {"model": "queueing.analytic", "parameters": {"arrival_rate": 80}}
    w = dl.whatif(base, {"arrival_rate": 50}, asserts=["wait < 40ms", "wait < base", "wait < 0.5 * base"])
    assert w.verdict == "holds" and "exact" in w.summary() and "±" not in w.summary()
    mean, low, high = w.difference("wait")
    assert mean == low == high < 0


@pytest.mark.parametrize(
    "variants, labels",
    [
        ({}, []),
        ({"servers": 2}, ["servers=2"]),
        ([{"servers": 2}, {"servers": 3, "jobs": 1000}], ["servers=2", "servers=3, jobs=1000"]),
        ({"big": {"servers": 4}, "fast": {"service": "1ms"}}, ["big", "fast"]),
    ],
)
def test_variants_however_written(variants, labels):
    w = dl.whatif(BASE, variants, reps=3, metrics=["latency_mean"])
    assert w.labels == labels and len(w.table()) == max(len(labels), 1)
    assert len(w.frame()) == len(w.table()) and repr(w).startswith("<distlab what-if")
    assert all(label in w.summary() for label in labels) and "http" not in w._repr_html_()
    assert len(w._repr_html_()) < 12_000


def test_columns_that_never_move_are_left_out():
    w = dl.whatif(BASE, {"servers": 2}, reps=3)
    assert "loss" in w.idle and "loss" not in w.metrics and "loss" in w.summary()
    assert dl.whatif(BASE, {"servers": 2}, reps=3, metrics=["loss"]).metrics == ["loss"]


# Asserts


@pytest.mark.parametrize(
    "sign, limit, interval, want",
    [
        ("<", 5, (3, 2, 4), "holds"), ("<", 2, (3, 2, 4), "fails"), ("<", 3, (3, 2, 4), "undecided"),
        ("<", 4, (3, 2, 4), "undecided"), ("<=", 4, (3, 2, 4), "holds"), ("<=", 2, (3, 2, 4), "undecided"),
        (">", 1, (3, 2, 4), "holds"), (">", 4, (3, 2, 4), "fails"), (">=", 2, (3, 2, 4), "holds"),
        (">=", 4, (3, 2, 4), "undecided"), ("<", 5, (math.inf, math.nan, math.nan), "fails"),
        (">", 5, (math.inf, math.nan, math.nan), "holds"), ("<", 5, (3, math.nan, math.nan), "undecided"),
        ("<", 3, (3, 3, 3), "fails"), ("<=", 3, (3, 3, 3), "holds"), ("<", 5, (math.nan,) * 3, "undecided"),
    ],
)  # fmt: skip
def test_verdicts_are_about_the_interval(sign, limit, interval, want):
    asked = _whatif_assert.Assert("", None, "x", sign, "value", limit)
    assert _whatif_assert.judge(asked, interval) == want


def test_what_asserts_may_say():
    model = dl.models()[STATION]

    def parsed(text):
        a = _whatif_assert.parse(model, text, ["base", "two: b", "fast"])
        return a.label, a.column, a.sign, a.what, a.limit

    assert parsed("latency_p99<200ms") == (None, "latency_p99", "<", "value", 0.2)
    assert parsed("fast: utilisation >= 5%") == ("fast", "utilisation", ">=", "value", 0.05)
    assert parsed("throughput > 2k/s") == (None, "throughput", ">", "value", 2000)
    assert parsed("wait < base") == (None, "wait", "<", "difference", 0)
    assert parsed("wait < base - 1ms") == (None, "wait", "<", "difference", -0.001)
    assert parsed("wait <= 1.05 * base") == (None, "wait", "<=", "ratio", 1.05)
    for bad, words in {
        "latency_p99": "cannot be read",
        "latency_p99 = 2": "cannot be read",
        "latency_q99 < 2s": "did you mean",
        "latency_p99 < 2 parsecs": "latency_p99",
        "latency_p99 < 2/s": "latency_p99",
        "fats: wait < 1s": "did you mean 'fast'",
        "wait < 2 * base + 1s": "a factor and a sum",
        "wait < inf": "finite",
    }.items():
        with pytest.raises((ValueError, TypeError, KeyError), match=re.escape(words)):
            parsed(bad)


def test_exit_codes(write, inside):
    path, two = write(), ["--set", "servers=2"]
    assert inside(path, *two, "--assert", "latency_p99 < 1s", "--assert", "latency_p99 < base")[0] == 0
    assert inside(path, *two)[0] == 0
    code, out, _ = inside(path, *two, "--assert", "latency_p99 < 1ms", "--assert", "latency_p99 < 1s")
    assert code == 1 and "fails" in out and "holds" in out
    mean = dl.whatif(path, {"servers": 2}).value("latency_mean", "servers=2")[0]
    code, out, _ = inside(path, *two, "--assert", f"latency_mean < {mean!r}")
    assert code == 3 and "undecided" in out
    assert inside(path, "--assert", "latency_mean < 1s")[0] == 0  # the base alone
    code, _, err = inside(path, *two, "--assert", "latency < ")
    assert code == 2 and err.count("\n") == 1 and "an assert is" in err


def test_variants_of_the_command_line(write, inside):
    path = write()
    code, out, _ = inside(
        path, "--set", "servers=2", "--set", "servers=3", "--set", "jobs=1000", "--variant",
        "fast: service=uniform(1ms, 2ms), servers=1", "--variant", "capacity=5", "--reps", "3",
        "--format", "json", "--metrics", "latency_mean,loss",
    )  # fmt: skip
    got = json.loads(out)
    labels = list(dict.fromkeys(r["variant"] for r in got["rows"]))
    assert code == 0 and got["reps"] == 3
    assert labels == ["servers=2, jobs=1000", "servers=3, jobs=1000", "fast", "capacity=5"]
    rows = {(r["variant"], r["metric"]): r for r in got["rows"]}
    assert rows["capacity=5", "loss"]["changed"] > 0 and rows["fast", "latency_mean"]["changed"] < 0.0021
    out = inside(path, "--set", "servers=2", "--reps", "3", "--format", "csv")[1]
    assert out.startswith("variant,metric,base,changed,difference,low,high,ratio,differs\n")
    out = inside(path, "--set", "servers=2", "--reps", "3")[1]
    assert max(map(len, out.split("\n"))) <= 120 and "ms" in out and "*" in out


# Mistakes


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("arrival_rate =", "arival_rate =", ["line 7", "parameters", "did you mean 'arrival_rate'"]),
        ('"80/s"', '"80 apples"', ["line 7", "arrival_rate", "apples"]),
        ('"80/s"', '"-1/s"', ["line 7", "arrival_rate"]),
        ("jobs = 2000", "jobs = 1.5", ["line 8", "jobs", "1.5"]),
        ("queueing.station", "queueing.staton", ["line 2", "did you mean 'queueing.station'"]),
        ("seed = 3", "sed = 3", ["line 3", "did you mean 'seed'"]),
        ("seed = 3", 'seed = "3"', ["line 3", "seed must be an integer"]),
        ("reps = 8", "reps = 0", ["line 4", "reps = 0 is outside"]),
        ("jobs = 2000", "jobs = 2000\nwarmup_jobs = -1", ["line 9", "warmup_jobs"]),
        ("reps = 8", "reps = 8\nmetrics = ['latency_q']", ["line 5", "latency_q"]),
        ("reps = 8", "reps = 8\nasserts = ['wait < 1 mile']", ["line 5", "mile"]),
        ("reps = 8", "reps = 8\nasserts = ['wait < 1/s']", ["line 5", "'1/s' is a rate"]),
        ("[parameters]", "[parameters", ["no TOML", "line 6"]),
        ('model = "queueing.station"', "", ["it must name a model"]),
        ('"80/s"', '"80/s"\nservice = "data.x"', ["line 8", "parameters.service", "data 'x' is not known"]),
        (
            "2000",
            '2000\nservice = "data.x"\n[data.x]\nkind = "cvs"',
            ["line 11", "data.x", "did you mean 'csv'"],
        ),
        (
            "2000",
            '2000\nservice = "data.x"\n[data.x]\nkind = "csv"\npth = "a"',
            ["line 12", "did you mean 'path'"],
        ),
        ("2000", '2000\nservice = "data.x"\n[data.x]\nkind = "hdr"', ["line 10", "hdr data needs path"]),
        ("2000", '2000\nservice = "data.x"\n[data.x]\nkind = "hdr"\npath = "n"', ["line 12", "no file"]),
        ("2000", "2000\n[variants.big]\nserver = 2", ["line 10", "variants.big", "did you mean 'servers'"]),
        ("2000", "2000\n[variants]\nbig = 2", ["line 10", "a variant is a table"]),
    ],
)
def test_mistakes_in_the_file_name_line_and_key(write, inside, old, new, words):
    assert old in TOML
    code, out, err = inside(write(TOML.replace(old, new)))
    assert code == 2 and out == "" and err.count("\n") == 1
    missing = [w for w in ["base.toml", *words] if w not in err]
    assert not missing, err


@pytest.mark.parametrize(
    "words, text",
    [
        (["none.toml"], "no file none.toml"),
        (["{}", "--set", "servers"], "write name=value"),
        (["{}", "--set", "server=2"], "did you mean 'servers'"),
        (["{}", "--variant", "servers=2, servers=3"], "set twice"),
        (["{}", "--variant", "servers=2", "--variant", "servers=2"], "two variants are called"),
        (["{}", "--reps", "0"], "reps = 0 is outside"),
        (["{}", "--confidence", "2"], "confidence = 2"),
        (["{}", "--reps", "few"], "--reps takes an integer"),
        (["{}", "--html", "nowhere/a.html"], "--html nowhere/a.html"),
        (["{}", "--set", "service=data.x * 2"], "data 'x' is not known"),
        (["{}", "--assert", "wait < base"], "no variant to ask"),
    ],
)
def test_mistakes_on_the_command_line(write, inside, words, text):
    code, out, err = inside(*(w.format(write()) for w in words))
    assert code == 2 and out == "" and text in err and err.count("\n") == 1


def test_lines_are_those_of_their_section():
    text = 'a = 1\n[b]\na = 2\n[c."d e"]\n"a" = 3\n'
    assert [line_of(text, "", "a"), line_of(text, "b", "a"), line_of(text, "c.d e", "a")] == [1, 3, 5]
    assert line_of(text, "b", "z") == 2 and line_of(text, "q", "a") is None


# Data


def test_data_is_read_beside_the_file_and_may_be_stretched(write, tmp_path):
    values = np.random.default_rng(2).gamma(4, 2.0, 3000)
    (tmp_path / "a.csv").write_text("ms\n" + "".join(f"{v:.6f}\n" for v in values))
    text = (
        TOML + 'service = "data.now"\n[data.now]\nkind = "csv"\npath = "a.csv"\ncolumn = "ms"\nunit = "ms"\n'
    )
    w = dl.whatif(write(text), {"half": {"service": "data.now * 0.5"}, "late": {"service": "data.now + 1ms"}})
    now = w.base.parameters["service"]
    assert now.mean == pytest.approx(values.mean() * 1e-3, rel=1e-5)
    assert w.changes["half"]["service"].mean == pytest.approx(now.mean / 2)
    assert w.changes["late"]["service"].mean == pytest.approx(now.mean + 1e-3)
    assert w.value("utilisation", "half")[0] == pytest.approx(w.value("utilisation")[0] / 2, rel=1e-3)
    assert "half: service=data.now * 0.5" in w.summary() and w.warnings == []


# The page


class Links(html.parser.HTMLParser):
    """Every address in a page, and its tags."""

    def __init__(self):
        super().__init__()
        self.found, self.tags = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.found += [v for k, v in attributes if k in ("src", "href", "action", "poster", "srcset", "data")]


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """(code, page) of the shipped example."""
    page = tmp_path_factory.mktemp("page") / "checkout.html"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        code = cli.main(["whatif", str(EXAMPLE), "--html", str(page)])
    return code, page.read_text()


def test_the_page_needs_no_network(example):
    pytest.importorskip("matplotlib")
    code, page = example
    links = Links()
    links.feed(page)
    assert code == 3 and links.tags.count("img") == 2 and "script" not in links.tags
    assert all(src.startswith("data:image/png;base64,") for src in links.found)
    words = re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)
    assert not re.search(r"https?:|//[a-z]|@import|url\(", words) and len(page) < 600_000


def test_the_page_says_what_matters(example):
    _, page = example
    for words in (
        "Checkout: new build, or a third worker?", "Undecided", "p99.77", "pareto(2.5)", "data.canary",
        "distlab whatif", "params_sha256", "third worker", "[data.canary]", "sha256",
        "largest of 1500 values",
    ):  # fmt: skip
        assert words in page, words
    for name in ("Mean latency", "Latency p99.9", "Utilisation"):
        assert name in page


def test_a_page_escapes_what_it_was_given(write, tmp_path):
    text = 'title = "<b>&"\nnote = "<script>"\n' + TOML
    w = dl.whatif(write(text), {"<i>": {"servers": 2}}, reps=2)
    page = Path(w.save(tmp_path / "a.html", "distlab whatif '<x>'")).read_text()
    assert "<script>" not in page and "<i>" not in page and "&lt;i&gt;" in page and "&lt;x&gt;" in page
    with pytest.raises(ValueError, match=r"'a.png' says otherwise: plot\(\).save\(path\) writes that"):
        w.save(tmp_path / "a.png")


def test_the_recipe_runs_again(example, write, tmp_path, inside):
    page = tmp_path / "again.html"
    path = write()
    assert inside(path, "--set", "servers=2", "--reps", "3", "--html", page)[0] == 0
    line = next(m for m in re.findall(r"<pre>(distlab whatif [^<]*)</pre>", page.read_text()))
    words = shlex.split(line.replace("&#x27;", "'"))
    first = page.read_text()
    assert cli.main(words[1:]) == 0 and page.read_text() == first


# The guide


def test_the_guide_says_what_happens(capsys, monkeypatch):
    """Every command of docs/whatif.md that is followed by its output prints just that."""
    text = (ROOT / "docs" / "whatif.md").read_text()
    blocks = re.findall(r"```console\n\$ (distlab [^\n]*)\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 2
    monkeypatch.chdir(EXAMPLE.parent)
    for command, output in blocks:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = cli.main(shlex.split(command)[1:])
        said = capsys.readouterr().out
        shown, _, status = output.partition("$ echo $?\n")
        assert said.rstrip() == shown.rstrip(), said
        assert code == int(status)


def test_the_python_of_the_guide_runs(monkeypatch):
    text = (ROOT / "docs" / "whatif.md").read_text()
    monkeypatch.chdir(EXAMPLE.parent)
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for block in blocks:
            exec(compile(block, "whatif.md", "exec"), {})  # noqa: S102 - our own text
