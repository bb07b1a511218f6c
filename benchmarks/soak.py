"""Raft under random schedules: `python benchmarks/soak.py --runs 1000000` (or `make soak`).

Every run is a schedule of raft_schedules.py. Without a bug no promise may break: the count stands beside the
upper bound that a simulated zero allows (the rule of three). Then each planted bug is looked for by the very
same schedules: its rate per schedule. With --state FILE what is done is kept; a second call goes on from it.
"""

import argparse
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

import raft_schedules

import distlab as dl
from distlab import _core

MODEL = "consensus.raft"
POINTS, REPS = 100, 10  # schedules of one batch: so many points, so many runs of each


def field(name, table="params"):
    """The description of one field of the model."""
    return next(f for f in _core.describe(MODEL)[table] if f["name"] == name)


def batch(bug, seed, number):
    """Counts of the broken promises in batch `number` of a seed, by name."""
    design = raft_schedules.schedules(seed, number * POINTS, POINTS)
    runs = dl.sweep(MODEL, bug=bug, design=design, reps=REPS, seed=1 + number, progress=False, keep=None)
    names = field("broken", "metrics")["choices"]
    return Counter(names[int(k)] for k in runs.array["broken"].ravel() if k > 0)


def search(bug, seed, runs, kept, save):
    """Run batches until `runs` are done, counting what was done before (`kept`)."""
    begun, first = time.monotonic(), kept["runs"]
    while kept["runs"] < runs:
        kept["broken"] = dict(Counter(kept["broken"]) + batch(bug, seed, kept["runs"] // (POINTS * REPS)))
        kept["runs"] += POINTS * REPS
        save()
        speed = (kept["runs"] - first) / (time.monotonic() - begun)
        if sys.stderr.isatty():
            print(
                f"\r{bug}: {kept['runs']} of {runs} runs, {speed:.0f}/s ", end="", file=sys.stderr, flush=True
            )
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    return kept


def tell(bug, kept):
    """One line of the report."""
    found = sum(kept["broken"].values())
    said = ", ".join(f"{name} {n}" for name, n in sorted(kept["broken"].items(), key=lambda x: -x[1]))
    if found == 0:
        return f"{bug:36} 0 of {kept['runs']} schedules: below {3 / kept['runs']:.1e} (95 %)"
    return f"{bug:36} {found} of {kept['runs']} schedules: {found / kept['runs']:.2e} ({said})"


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=1_000_000, help="schedules without a bug")
    parser.add_argument("--bug-runs", type=int, default=20_000, help="schedules with each bug")
    parser.add_argument("--seed", type=int, default=1, help="which schedules")
    parser.add_argument("--state", type=Path, help="keep what is done in this file, and go on from it")
    parser.add_argument("--bugs", nargs="*", help="only these; none is the protocol as it should be")
    given = parser.parse_args(words)
    bugs = given.bugs or field("bug")["choices"]
    identity = {"seed": given.seed, "version": dl.__version__}
    state = json.loads(given.state.read_text()) if given.state and given.state.exists() else dict(identity)
    if any(state.get(k) != v for k, v in identity.items()):
        sys.exit(f"{given.state} is of another seed or version: {state.get('seed')}, {state.get('version')}")

    def save():
        if given.state:
            whole = given.state.with_suffix(".part")
            whole.write_text(json.dumps(state))
            os.replace(whole, given.state)

    for bug in bugs:
        kept = state.setdefault(bug, {"runs": 0, "broken": {}})
        print(
            tell(bug, search(bug, given.seed, given.runs if bug == "none" else given.bug_runs, kept, save)),
            flush=True,
        )
    return 1 if state.get("none", {}).get("broken") else 0


if __name__ == "__main__":
    sys.exit(main())
