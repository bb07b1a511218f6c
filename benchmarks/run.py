"""Speed as ratios, measured side by side in one run: `make bench`, or `python benchmarks/run.py [NAME...]`.

Each figure is the median over interleaved rounds of (distlab's time / the limit's time) with the quartiles,
because absolute figures move from machine to machine. Limits are plain C (benchmarks/limits.c), built here
with -O3 -march=native; distlab runs as installed.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROUNDS = 15


def build_limits(folder):
    program = Path(folder) / "limits"
    flags = ["-O3", "-march=native", "-std=gnu11"]
    source = str(HERE / "limits.c")
    subprocess.run([os.environ.get("CC", "cc"), *flags, source, "-lm", "-pthread", "-o", program], check=True)
    return program


def limit(program, *words):
    out = subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=True)
    return float(out.stdout.split()[0])


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def paired(ours, theirs, rounds=ROUNDS):
    """Ratios and times of the two, interleaved; the first round warms up."""
    pairs = [(ours(), theirs()) for _ in range(rounds + 1)][1:]
    ratios = sorted(a / b for a, b in pairs)
    quarter = len(ratios) // 4
    return (
        statistics.median(ratios),
        ratios[quarter],
        ratios[-1 - quarter],
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
    )


def show(name, figures, goal, unit, scale):
    median, low, high, ours, theirs = figures
    print(
        f"{name:<58} {median:5.2f}x  ({low:.2f} .. {high:.2f})  goal {goal:<8} "
        f"{ours * scale:9.3f} against {theirs * scale:.3f} {unit}"
    )


def recursion(program):
    """M/M/1 at load 0.9, 1e6 customers, one Python call that keeps the latency histogram."""
    import distlab as dl

    seeds = iter(range(1, 10000))
    ours = paired(
        lambda: timed(lambda: dl.run("queueing.station", arrival_rate=90, jobs=1_000_000, seed=next(seeds))),
        lambda: limit(program, "lindley", 1_000_000, next(seeds)),
    )
    show("exact recursion, 1e6 customers / plain-C Lindley", ours, "<= 1.25", "ns a customer", 1e3)


def sweep(program):
    """Rows of 10 000 customers on two threads, and the scaling from one to two, both against plain C."""
    import numpy as np

    import distlab as dl

    rates = np.linspace(50, 95, 64)
    reps = 32
    rows = len(rates) * reps

    def ours(threads):
        return timed(
            lambda: dl.sweep(
                "queueing.station",
                arrival_rate=rates,
                jobs=10_000,
                reps=reps,
                threads=threads,
                progress=False,
            )
        )

    figures = paired(lambda: ours(2), lambda: limit(program, "sweep", rows, 2), 9)
    show(
        "sweep of 10 000-customer rows, 2 threads / plain-C threads",
        figures,
        "<= 1.25",
        "us a row",
        1e6 / rows,
    )
    one = paired(lambda: ours(1), lambda: limit(program, "sweep", rows, 1), 5)
    two = paired(lambda: ours(2), lambda: limit(program, "sweep", rows, 2), 5)
    own, plain = one[3] / two[3], one[4] / two[4]
    print(
        f"{'  its scaling from 1 to 2 threads / that of plain C':<58} {own / plain:5.2f}x  "
        f"({own:.2f} / {plain:.2f})  goal >= 0.95"
    )


def startup(_):
    """A process that imports distlab and has its first 10 000-customer result, against `import numpy`."""
    first = "import distlab as dl; dl.run('queueing.station', jobs=10_000)"

    def process(code):
        return timed(lambda: subprocess.run([sys.executable, "-c", code], check=True))

    figures = paired(lambda: process(first), lambda: process("import numpy"), 21)
    show("process start to the first result / import numpy", figures, "<= 1.35", "ms", 1e3)


def closed_forms(_):
    """M/M/c with all its quantiles at 1e5 points, up to 100 servers, one call on one thread."""
    import numpy as np

    import distlab as dl

    servers = np.tile(np.arange(1, 101), 1000)
    points = np.column_stack([servers, servers * np.linspace(10, 95, servers.size)])
    names = ["servers", "arrival_rate"]

    def call():
        dl.sweep("queueing.analytic", system="mmc", design=(names, points), threads=1, progress=False)

    times = [timed(call) for _ in range(5)]
    print(
        f"{'M/M/c with ten quantiles, 1e5 points, 1 thread':<58} {statistics.median(times) * 1e3:7.1f} ms"
    )


def scheduler(_):
    """Hold, and hold plus one re-armed timer, against the best plain-C structure for that size (hold.c)."""
    import distlab as dl

    home = Path(dl.__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "hold"
        flags = ["-O3", "-march=native", "-std=gnu11", f"-I{home / 'include'}"]
        library = str(home / "lib/libdistlab.a")
        source = str(HERE / "hold.c")
        command = [os.environ.get("CC", "cc"), *flags, source, library, "-lm", "-pthread", "-o", str(program)]
        subprocess.run(command, check=True)
        for n, rearm in [(2, 0), (100, 0), (10_000, 0), (1_000_000, 0), (100, 1), (10_000, 1)]:
            rounds = [hold(program, n, rearm) for _ in range(5)]
            ratios = sorted(r["scheduler"] / min(v for k, v in r.items() if k != "scheduler") for r in rounds)
            ours = statistics.median(r["scheduler"] for r in rounds)
            best = statistics.median(min(v for k, v in r.items() if k != "scheduler") for r in rounds)
            name = f"{'hold and re-arm' if rearm else 'hold'}, {n} pending / best plain-C structure"
            goal = "<= 1.2" if rearm else "<= 1.5"
            show(name, (ratios[2], ratios[1], ratios[3], ours * 1e-9, best * 1e-9), goal, "ns", 1e9)


def hold(program, n, rearm):
    words = [str(program), str(n), "1000000", str(rearm)]
    out = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return {name: float(value) for name, value in (line.split() for line in out.splitlines())}


def events(program):
    """M/M/1 at load 0.9, 1e6 customers, simulated event by event: against a plain-C heap loop, and SimPy."""
    import distlab as dl

    seeds = iter(range(1, 10000))
    options = {"arrival_rate": 90, "jobs": 1_000_000, "method": "events"}
    figures = paired(
        lambda: timed(lambda: dl.run("queueing.station", seed=next(seeds), **options)),
        lambda: limit(program, "heap", 1_000_000, next(seeds)),
    )
    show("event simulation, 1e6 customers / plain-C heap loop", figures, "<= 1.35", "ns a customer", 1e3)
    try:
        import simpy
    except ImportError:
        print(f"{'  SimPy / event simulation':<58} not measured: SimPy is not installed (pip install simpy)")
        return
    per_customer = simpy_mm1(simpy, 20_000) / 20_000
    ratio = per_customer / (figures[3] / 1_000_000)
    print(f"{'  SimPy (Store and two processes) / event simulation':<58} {ratio:5.0f}x  goal >= 140")


def simpy_mm1(simpy, customers):
    """Seconds for M/M/1 in SimPy's faster form: one Store, a source and a server process."""
    import random

    def source(env, store):
        for _ in range(customers):
            yield env.timeout(random.expovariate(0.9))
            yield store.put(env.now)

    def server(env, store, latencies):
        for _ in range(customers):
            came = yield store.get()
            yield env.timeout(random.expovariate(1.0))
            latencies.append(env.now - came)

    env, latencies = simpy.Environment(), []
    store = simpy.Store(env)
    env.process(source(env, store))
    done = env.process(server(env, store, latencies))
    return timed(lambda: env.run(done))


BENCHMARKS = {
    "recursion": recursion,
    "sweep": sweep,
    "startup": startup,
    "closed_forms": closed_forms,
    "scheduler": scheduler,
    "events": events,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or list(BENCHMARKS)
    unknown = [n for n in names if n not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark is called {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    with tempfile.TemporaryDirectory() as folder:
        program = build_limits(folder)
        for name in names:
            BENCHMARKS[name](program)


if __name__ == "__main__":
    main()
