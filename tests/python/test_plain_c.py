"""The core from plain C: `make install` without Python, the same files from this installation, the examples.

Each example is compiled strictly against both and run; what it prints is compared with Python, bit for bit,
and with closed forms.
"""

import csv
import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import distlab as dl
from making import ROOT, make

EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.c"))
STRICT = ["-std=c11", "-pedantic", "-Wall", "-Wextra", "-Werror"]
CC = shutil.which("cc") or shutil.which("gcc")
TOOLS = [
    "sh",
    "make",
    "cc",
    "gcc",
    "as",
    "ld",
    "ar",
    "install",
    "sed",
    "find",
    "mkdir",
    "rm",
    "printf",
    "cat",
]
ALONE = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "DISTLAB"))}

if CC is None:
    pytest.skip("no C compiler here", allow_module_level=True)


def run(*words, code=0, **options):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False, **options)
    assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout if code == 0 else done.stderr


def pkg_config(prefix):
    """Flags as pkg-config gives them; read by hand as well, for machines without it."""
    lines = (prefix / "lib/pkgconfig/distlab.pc").read_text().split("\n")
    names = dict(line.split("=", 1) for line in lines if re.match(r"\w+=", line))
    fields = dict(line.split(": ", 1) for line in lines if ": " in line)
    text = f"{fields['Cflags']} {fields['Libs']}"
    for _ in range(2):
        text = re.sub(r"\$\{(\w+)\}", lambda found: names[found[1]], text)
    assert fields["Version"] == dl.__version__
    if shutil.which("pkg-config"):
        env = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}
        env |= {"PKG_CONFIG_ALLOW_SYSTEM_CFLAGS": "1", "PKG_CONFIG_ALLOW_SYSTEM_LIBS": "1"}
        assert run("pkg-config", "--cflags", "--libs", "distlab", env=env).split() == text.split()
    return text.split()


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Flags of a `make install` on a machine that has a compiler and make, but no Python."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "bin").mkdir()
    for name in TOOLS:
        if shutil.which(name):
            (folder / "bin" / name).symlink_to(shutil.which(name))
    done = make("install", f"PREFIX={folder / 'usr'}", env={"PATH": str(folder / "bin")})
    assert done.returncode == 0, done.stdout + done.stderr
    return pkg_config(folder / "usr")


@pytest.fixture(scope="module")
def packaged():
    """Flags of the installation these tests run in."""
    flags = run(sys.executable, "-m", "distlab", "config", "--cflags", "--libs")
    return flags.split()


@pytest.fixture(scope="module", params=["installed", "packaged"])
def programs(request, tmp_path_factory):
    """Every example, compiled strictly."""
    flags = request.getfixturevalue(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    for name in EXAMPLES:
        run(CC, "-O1", *STRICT, ROOT / f"examples/{name}.c", *flags, "-o", folder / name)
    run(CC, *STRICT, "-shared", "-fPIC", ROOT / "examples/own_model.c", *flags, "-o", folder / "own_model.so")
    return folder


def test_the_examples_are_short_and_listed():
    assert set(EXAMPLES) == {"run_model", "sweep_threads", "own_model", "own_histogram"}
    guide = (ROOT / "docs/plain_c.md").read_text()
    for name in EXAMPLES:
        assert len((ROOT / f"examples/{name}.c").read_text().split("\n")) <= 120
        assert f"{name}.c" in guide


def test_a_run_by_struct(programs):
    said = run(programs / "run_model")
    r = dl.run("queueing.station", arrival_rate=90, jobs=200_000, discipline="fifo", seed=1)
    assert f"wait {1e3 * r.wait:.3f} ms, standard error {1e3 * r.wait_se:.3f} ms" in said
    assert f"busy {r.utilisation:.4f} of the time" in said
    assert f"below {1e3 * r.latency_p50:.3f} ms" in said
    assert f"by formula {1e3 * math.log(2) / 10:.3f} ms" in said  # M/M/1: exponential with rate 100 - 90


@pytest.mark.parametrize(
    "values",
    [
        {"arrival_rate": "90", "jobs": "3k", "service": "lognormal(median=5ms, p99=40ms)"},
        {"service": "mixture(0.9: 1ms, 0.1: exponential(50ms) + 1ms)", "capacity": "5", "jobs": "2000"},
        {"discipline": "adaptive_lifo", "deadline": "20ms", "drop_late": "yes", "jobs": "2000"},
        {
            "classes": "share=0.3; share=0.7, service=2ms",
            "discipline": "priority_preemptive",
            "jobs": "2000",
        },
    ],
)
def test_a_run_by_text_is_that_of_python(programs, values):
    said = run(programs / "run_model", "queueing.station", *(f"{k}={v}" for k, v in values.items()))
    given = dict(values)
    if "classes" in given:
        given["classes"] = dl.table([{"share": 0.3}, {"share": 0.7, "service": "2ms"}])
    metrics = dl.run("queueing.station", seed=1, **given).metrics
    lines = dict(line.split()[:2] for line in said.split("\n\n")[1].strip().split("\n"))
    assert list(lines) == list(metrics)
    for name, text in lines.items():
        assert float(text) == metrics[name] or math.isnan(float(text)) and math.isnan(metrics[name]), name


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["queueing.staton"], "did you mean 'queueing.station'?"),
        (["queueing.station", "arrival_rat=3"], "did you mean 'arrival_rate'?"),
        (["queueing.station", "servers=0"], "servers = 0 is outside [1, 10000]"),
        (["queueing.station", "discipline=fif"], "did you mean 'fifo'?"),
        (["queueing.station", "service"], "service"),
    ],
)
def test_mistakes_are_one_clear_line(programs, words, message):
    said = run(programs / "run_model", *words, code=2)
    assert message in said and said.count("\n") == 1


def test_a_sweep_is_that_of_python(programs):
    """Same keys, same bits: on one thread, on two, and through NumPy."""
    one, two = (run(programs / "sweep_threads", "csv", n) for n in (1, 2))
    assert one == two
    s = dl.sweep(
        "queueing.station",
        arrival_rate=np.linspace(10, 95, 6),
        servers=[1, 2, 4],
        jobs=10_000,
        reps=20,
        seed=1,
    )
    rows = list(csv.DictReader(one.split("\n")))
    assert len(rows) == 18
    for key, expected in (("arrival_rate", np.repeat(np.linspace(10, 95, 6), 3)), ("servers", [1, 2, 4] * 6)):
        assert [float(r[key]) for r in rows] == list(expected)
    for column in ("wait", "latency_p99"):
        stats = s.stats(column)
        for part in ("mean", "low", "high"):
            name = column if part == "mean" else f"{column}_{part}"
            assert [float(r[name]) for r in rows] == stats[part].ravel().tolist(), name
    for r in rows[::3]:  # M/M/1 at service rate 100: rho / (mu - lambda)
        rate = float(r["arrival_rate"])
        assert math.isclose(float(r["theory"]), rate / 100 / (100 - rate), rel_tol=1e-12)


def test_a_sweep_as_a_table(programs):
    said = run(programs / "sweep_threads")
    lines = said.split("\n")
    assert lines[0].split() == [
        "arrival_rate",
        "[1/s]",
        "servers",
        "wait",
        "[ms]",
        "latency_p99",
        "[ms]",
        "utilisation",
    ]
    assert len({len(line) for line in lines[:19]}) == 1, "columns stand below each other"
    inside = int(re.search(r"(\d+) of 18 intervals hold", said)[1])
    assert inside >= 13  # points share their keys, so this is no binomial of 18; still, most of them hold it


REGISTER = """
import ctypes, json, sys
import distlab as dl
library = ctypes.CDLL(sys.argv[1])
dl.register(ctypes.addressof(ctypes.c_char.in_dll(library, "example_retry")))
s = dl.sweep("example.retry", bug=["none", "eager"], loss=[0.1, 0.3, 0.5], reps=10, seed=7)
columns = {c: [s.stats(c)[k].ravel().tolist() for k in ("mean", "low", "high")]
           for c in ("success", "tries", "latency_p50", "latency_p99")}
print(json.dumps([columns, [c.to_dict() if hasattr(c, "to_dict") else str(c) for c in dl.models("retry")]]))
"""


def interval_text(mean, low, high, scale):
    """As dlab_study_print writes it: as many decimals as two digits of half the interval have."""
    half = (high - low) / 2 * scale
    decimals = max(0, int(1 - math.floor(math.log10(half))))
    return f"{mean * scale:.{decimals}f} ± {half:.{decimals}f}"


def test_an_own_model_in_c_and_in_python(programs):
    said = run(programs / "own_model")
    table, verdicts = said.strip().split("\n\n")
    import json

    out = run(sys.executable, "-c", REGISTER, programs / "own_model.so")
    columns, _ = json.loads(out)
    for point, line in enumerate(table.split("\n")[1:]):
        cells = re.split(r"\s{2,}", line.strip())[2:]
        for cell, (name, values) in zip(cells, columns.items(), strict=True):
            scale = 1e3 if name.startswith("latency") else 1
            assert cell == interval_text(*(v[point] for v in values), scale), (line, name)
    for point, line in enumerate(verdicts.split("\n")):
        exact = 1 - (0.1, 0.3, 0.5)[point % 3] ** 3
        assert line == f"{exact:.6f} by formula: {'agrees' if point < 3 else 'BROKEN'}"


def test_own_latencies_meet_the_law(programs):
    said = run(programs / "own_histogram")
    assert "1000000 latencies of 20 runs" in said
    for q, point, half in re.findall(r"p([\d.]+) +([\d.]+) ms +\+- ([\d.]+)", said):
        exact = -10 * math.log(1 - float(q) / 100)
        error = float(half) / 2.093  # the 97.5th percentile of Student's t with 19 degrees of freedom
        assert abs(float(point) - exact) < 4 * error + exact / 128
    share = float(re.search(r"([\d.]+) of them take at most 20 ms", said)[1])
    assert abs(share - (1 - math.exp(-2))) < 4 * math.sqrt(0.135 * 0.865 / 1e6) + 1e-3


def test_own_latencies_from_files(programs, tmp_path):
    rng = np.random.default_rng(3)
    runs = [np.round(rng.lognormal(1, 1, 500), 6) for _ in range(3)]
    files = [tmp_path / f"run{i}.txt" for i in range(3)]
    for path, values in zip(files, runs, strict=True):
        path.write_text("\n".join(f"{v:.6f}" for v in values))
    said = run(programs / "own_histogram", *files)
    every = np.sort(np.concatenate(runs))
    assert f"1500 latencies of 3 runs, mean {every.mean():.3f} ms, longest {every[-1]:.3f} ms" in said
    for q, point in re.findall(r"p([\d.]+) +([\d.]+) ms", said):
        exact = every[math.ceil(round(float(q) * 15, 6)) - 1]
        assert abs(float(point) - exact) <= exact / 128 + 1e-3
    files[1].write_text("1.5\nfast\n")
    assert "run1.txt holds something that is not a number" in run(programs / "own_histogram", *files, code=1)
    assert "cannot read" in run(programs / "own_histogram", tmp_path / "none.txt", code=1)


@pytest.mark.parametrize("header", sorted(p.stem for p in (ROOT / "csrc/include/distlab").glob("*.h")))
def test_headers_stand_alone(header):
    """Each public header is enough for itself, in standard C."""
    source = f"#include <distlab/{header}.h>\nint main(void) {{ return 0; }}\n"
    include = f"-I{ROOT}/csrc/include"
    run(CC, *STRICT, include, "-fsyntax-only", "-x", "c", "-", input=source)


CPLUSPLUS = """
#include <distlab/distlab.h>
#include <vector>
int main()
{
    dlab_study study = {};
    study.model = &dlab_queueing_station;
    study.seed = 1;
    dlab_study_set(&study, "jobs", "2000");
    dlab_study_run(&study);
    std::printf("%.17g", dlab_study_value(&study, 0, 0, "latency_mean"));
    dlab_study_close(&study);
    return study.err.code;
}
"""


def test_from_cplusplus(packaged, tmp_path):
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("optional: no C++ compiler here")
    (tmp_path / "use.cpp").write_text(CPLUSPLUS.replace("<vector>", "<cstdio>"))
    run(compiler, "-std=c++17", "-Wall", "-Werror", tmp_path / "use.cpp", *packaged, "-o", tmp_path / "use")
    assert float(run(tmp_path / "use")) == dl.run("queueing.station", jobs=2000, seed=1).latency_mean


def test_install_for_packagers(installed, tmp_path):
    """DESTDIR, also with a space in it, is where files go; it is not in what they say."""
    staged = tmp_path / "a stage"
    done = make("install", f"DESTDIR={staged}", "PREFIX=/opt/lab")
    assert done.returncode == 0, done.stderr
    assert (staged / "opt/lab/lib/libdistlab.a").is_file()
    assert "prefix=/opt/lab\n" in (staged / "opt/lab/lib/pkgconfig/distlab.pc").read_text()
    headers = {p.name for p in (ROOT / "csrc/include/distlab").glob("*.h")}
    assert {p.name for p in (staged / "opt/lab/include/distlab").iterdir()} == headers
    assert make("uninstall", f"DESTDIR={staged}", "PREFIX=/opt/lab").returncode == 0
    assert not [p for p in staged.rglob("*") if p.is_file()]


def test_a_relative_prefix_is_here(installed):
    place = f"build/{Path(installed[0]).parent.parent.name}"
    done = make("install", f"PREFIX={place}")
    assert done.returncode == 0, done.stderr
    assert pkg_config(ROOT / place)[0] == f"-I{ROOT}/{place}/include"
    shutil.rmtree(ROOT / place)


@pytest.mark.parametrize(
    ("prefix", "message"),
    [("", "PREFIX is empty"), ("/a b/c", "has a space in it"), ("/it's", "has a quote in it")],
)
def test_a_prefix_that_cannot_work_is_refused(prefix, message):
    done = make("install", f"PREFIX={prefix}", "-n")
    assert done.returncode == 2 and message in done.stderr


def test_config_says_where_everything_is():
    words = ("--prefix", "--includedir", "--version", "--models")
    prefix, include, version, models = (
        run(sys.executable, "-m", "distlab", "config", w).strip() for w in words
    )
    assert (Path(prefix) / "lib/libdistlab.a").is_file() and Path(include) == Path(prefix) / "include"
    assert version == dl.__version__
    header = (Path(include) / "distlab/models.h").read_text()
    assert models.split() == re.findall(r"^extern const dlab_model (\w+);", header, re.MULTILINE)


def test_flags_of_a_directory_with_a_space_are_quoted(monkeypatch, tmp_path):
    from distlab import _doctor

    here = tmp_path / "my files"
    shutil.copytree(_doctor.PACKAGE / "include", here / "include")
    shutil.copytree(_doctor.PACKAGE / "lib", here / "lib")
    monkeypatch.setattr(_doctor, "PACKAGE", here)
    facts = _doctor.config()
    (tmp_path / "use.c").write_text(
        "#include <distlab/distlab.h>\nint main(void) { return dlab_cores() < 1; }\n"
    )
    run("sh", "-c", f"cc {tmp_path}/use.c {facts['cflags']} {facts['libs']} -o {tmp_path}/use")
    run(tmp_path / "use")


PLAN = """kind=crash, time=5, node=1, duration=2s; kind=pause, rate=20/min, target=random,
    duration=exponential(10ms)"""
PACKED = """kind=gray,node=0,amount=0.1,time=0;kind=crash,node=1,disk=torn,rate=1e-1,
    duration=mixture(0.5: 1s, 0.5: exponential(2s) + 1ms);"""
TABLES = (
    ("links.rpc_ambiguity", "faults", "calls=50", PLAN),
    ("links.rpc_ambiguity", "faults", "calls=50", PACKED),
    ("links.rpc_ambiguity", "faults", "calls=50", "none"),
    ("queueing.station", "classes", "jobs=2000", "share=0.3; share=0.7, service=2ms"),
    (
        "queueing.station",
        "classes",
        "jobs=2000",
        "share=0.1, service=; share=0.9, service=erlang(k=2, mean=5ms)",
    ),
)


@pytest.mark.parametrize(("model", "name", "size", "text"), TABLES)
def test_tables_that_c_writes_are_read_by_python(programs, model, name, size, text):
    """What dlab_get writes, given to the command line and to dl.run, is the table that C had."""
    said = run(programs / "run_model", model, size, f"{name}={text}").split("\n\n")
    params, columns = (dict(line.split(maxsplit=1) for line in part.splitlines()) for part in said)
    written = params[name].strip()
    assert written != text or written == "none"
    r = dl.run(model, seed=1, **dict([size.split("=")]), **{name: written})
    assert (r.params[name] is None) == (text == "none")
    assert r.params[name] is None or len(r.params[name]) == 1 + written.count(";")
    for column, value in r.metrics.items():
        assert float(columns[column].split()[0]) == value or math.isnan(value), column
    words = ["run", model, size, f"{name}={written}", "--format", "json"]
    told = json.loads(run(sys.executable, "-m", "distlab", *words))["metrics"]
    np.testing.assert_equal({k: math.nan if v is None else v for k, v in told.items()}, dict(r.metrics))


def test_the_guide_compiles(packaged, tmp_path):
    """The program in the guide, and the one in the header of studies, print the same table."""
    guide = re.search(r"```c\n(.*?)```", (ROOT / "docs/plain_c.md").read_text(), re.DOTALL)[1]
    (tmp_path / "guide.c").write_text(guide)
    run(CC, *STRICT, tmp_path / "guide.c", *packaged, "-o", tmp_path / "guide")
    said = run(tmp_path / "guide")
    assert said.count("\n") == 1 + 18 * 3
    header = (ROOT / "csrc/include/distlab/study.h").read_text()
    body = "\n".join(line[7:] for line in header.split("\n") if line.startswith(" *     "))
    (tmp_path / "header.c").write_text(f"#include <distlab/distlab.h>\nint main(void) {{\n{body}\n}}\n")
    run(CC, *STRICT, tmp_path / "header.c", *packaged, "-o", tmp_path / "header")
    assert run(tmp_path / "header") == said


def test_the_page_of_functions_has_every_one():
    """nm and the headers' own text are the second witness: what is declared is there, with a sentence."""
    page = (ROOT / "docs/reference/c_api.md").read_text()
    headers = [p for p in (ROOT / "csrc/include/distlab").glob("*.h") if p.stem != "models"]
    source = "\n".join(p.read_text() for p in headers)
    symbols = run("nm", Path(dl.__file__).parent / "lib/libdistlab.a") if shutil.which("nm") else ""
    exported = {line.split()[2] for line in symbols.split("\n") if re.search(r" T dlab_\w+$", line)}
    declared = {name for name in exported if re.search(rf"^\S.*\b{name}\(", source, re.MULTILINE)}
    declared |= set(re.findall(r"^static inline .*?(dlab_\w+)\(", source, re.MULTILINE))
    assert len(declared) > 150
    missing = [name for name in sorted(declared) if not re.search(rf"^### .*`{name}`", page, re.MULTILINE)]
    assert not missing, f"not in docs/reference/c_api.md: {missing}"
    for part in re.split(r"^### ", page, flags=re.MULTILINE)[1:]:
        text = re.sub(r"```c.*?```|^## .*", "", part.split("\n", 1)[1], flags=re.DOTALL | re.MULTILINE)
        assert text.strip() or "/*" in part, f"no sentence about {part.splitlines()[0]}"
