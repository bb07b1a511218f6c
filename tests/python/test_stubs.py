"""The stubs agree with the package, and a type checker learns from them what the descriptors say."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CONFIG = HERE / "stubtest.ini"

GOOD = """
import distlab as dl

run: dl.Run = dl.queueing.station(arrival_rate="90/s", servers=2, capacity=None, seed=3)
sweep: dl.Sweep = dl.queueing.station.sweep(arrival_rate=[10, 90], servers=range(1, 3), reps=5, crn=False)
other: dl.Sweep = dl.sweep("queueing.station", dl.axis("load", [0.5, 0.9]), reps=5, keep=["queue_length"])
law: dl.Distribution = dl.lognormal(median="5ms", p99="80ms")
file: dl.Distribution = dl.empirical.from_csv("a.csv", 0, unit="ms", tail="pareto(1.5)")
what: dl.WhatIf = dl.whatif("base.toml", {"servers": 2}, asserts=["latency_p99 < 200ms"])
samples: dl.Distribution = dl.empirical([1.0, 2.0])
comparison: dl.Comparison = dl.compare(sweep, over="servers")
"""
WRONG = {
    "dl.queueing.station(arival_rate=90)": "arival_rate",
    "dl.queueing.station(bug='none_of_these')": "bug",
    "dl.queueing.station(servers=[1, 2])": "servers",
    "dl.queueing.stations()": "stations",
    "dl.sweep('queueing.station', errors='ignore')": "errors",
    "dl.queueing.station.sweep(reps='many')": "reps",
}


def test_stubtest():
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy.stubtest", "distlab", "--mypy-config-file", str(CONFIG)]
    allowed = ["--allowlist", str(HERE / "stubtest_allowlist.txt")]
    done = subprocess.run([*command, *allowed], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_type_checker_knows_the_parameters(tmp_path):
    pytest.importorskip("mypy")
    wrong = "import distlab as dl\n" + "".join(f"{line}\n" for line in WRONG)
    (tmp_path / "good.py").write_text(GOOD)
    (tmp_path / "wrong.py").write_text(wrong)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--ignore-missing-imports", "--cache-dir", str(tmp_path / "cache"),
         "--follow-imports=silent", str(tmp_path / "good.py"), str(tmp_path / "wrong.py")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = [line for line in done.stdout.split("\n") if ": error:" in line]
    assert not [line for line in lines if "good.py" in line], done.stdout
    for number, (call, word) in enumerate(WRONG.items(), 2):
        assert any(f"wrong.py:{number}:" in line and word in line for line in lines), (call, done.stdout)
