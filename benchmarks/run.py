"""Speed as ratios, measured side by side in one run: `make bench`, or `python benchmarks/run.py [NAME...]`.

Each figure is the median over interleaved rounds of (distlab's time / the limit's time) with the quartiles,
because absolute figures move from machine to machine. Limits are plain C (benchmarks/limits.c), built here
with -O3 -march=native; distlab runs as installed. A peer that is not installed is "not measured"; cimba and
happysim may live in other Pythons, which DISTLAB_CIMBA_PYTHON and DISTLAB_HAPPYSIM_PYTHON name (peer.py).
"""

import argparse
import itertools
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from peer import Absent, Peer

HERE = Path(__file__).resolve().parent
ROUNDS = 15
CIMBA_FORMS = ("processes", "events")
LOADS = 64  # of the rows of a sweep, from 0.50 to 0.95


def build_limits(folder):
    program = Path(folder) / "limits"
    flags = ["-O3", "-march=native", "-std=gnu11"]
    source = str(HERE / "limits.c")
    subprocess.run([os.environ.get("CC", "cc"), *flags, source, "-lm", "-pthread", "-o", program], check=True)
    return program


def limit(program, *words, means=None):
    """Seconds of a plain-C limit; the mean it found is added to `means`."""
    out = subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=True)
    seconds, mean = map(float, out.stdout.split())
    if means is not None:
        means.append(mean)
    return seconds


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def interleaved(calls, rounds):
    """Times of each call over the rounds, one after the other in each; the first round warms up."""
    return list(zip(*[[call() for call in calls] for _ in range(rounds + 1)][1:], strict=True))


def compared(ours, theirs):
    """Median ratio of two lists of times with its quartiles, and the median times."""
    ratios = sorted(a / b for a, b in zip(ours, theirs, strict=True))
    quarter = len(ratios) // 4
    return (
        statistics.median(ratios),
        ratios[quarter],
        ratios[-1 - quarter],
        statistics.median(ours),
        statistics.median(theirs),
    )


def paired(ours, theirs, rounds=ROUNDS):
    """Ratios and times of the two, interleaved."""
    return compared(*interleaved([ours, theirs], rounds))


def as_speed(figures, work):
    """Ratio of the speeds, and work done per second, from a ratio of times."""
    median, low, high, ours, theirs = figures
    return 1 / median, 1 / high, 1 / low, work / ours, work / theirs


def disagreement(ours, theirs):
    """Why two lists of means cannot be of one model, or "": five standard errors are no bad luck.

    A single number in place of a list is an exact value.
    """
    (a, a_error), (b, b_error) = map(mean_and_error, (ours, theirs))
    if abs(a - b) <= 5 * math.hypot(a_error, b_error):
        return ""
    return f"means {a:.4f} +- {a_error:.4f} and {b:.4f} +- {b_error:.4f} are not of one model"


def mean_and_error(values):
    if isinstance(values, (int, float)):
        return values, 0.0
    return statistics.mean(values), statistics.stdev(values) / math.sqrt(len(values))


def not_measured(name, reason):
    print(f"{name:<58} not measured: {reason}")


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


def sweep_rows(threads, reps, seed, method, means):
    """Seconds for a sweep of 10 000-customer rows; its grand mean, in service times, is added to `means`."""
    import numpy as np

    import distlab as dl

    start = time.perf_counter()
    result = dl.sweep(
        "queueing.station",
        arrival_rate=np.linspace(50, 95, LOADS),
        jobs=10_000,
        method=method,
        reps=reps,
        seed=seed,
        threads=threads,
        progress=False,
    )
    seconds = time.perf_counter() - start
    means.append(100 * float(result.array["latency_mean"].mean()))
    return seconds


def against_threads(program, word, method, reps, rounds):
    """Our times and plain C's on 2 threads, then on 1, interleaved on the same rows."""
    seeds = itertools.count(1)
    ours, plain = [], []
    calls = [
        call
        for threads in (2, 1)
        for call in (
            lambda threads=threads: sweep_rows(threads, reps, next(seeds), method, ours),
            lambda threads=threads: limit(program, word, LOADS * reps, threads, next(seeds), means=plain),
        )
    ]
    times = interleaved(calls, rounds)
    reason = disagreement(ours, plain)
    if reason:
        raise SystemExit(f"{word}: {reason}")
    return times


def show_scaling(two, plain_two, one, plain_one):
    """Time on 1 thread by time on 2, ours against plain C's: a ratio of such ratios in each round."""
    own = [a / b for a, b in zip(one, two, strict=True)]
    plain = [a / b for a, b in zip(plain_one, plain_two, strict=True)]
    show("  its scaling from 1 to 2 threads / that of plain C", compared(own, plain), ">= 0.95", "times", 1)


def sweep(program):
    """Rows of 10 000 customers on two threads, and the scaling from one to two, both against plain C."""
    reps = 32
    times = against_threads(program, "sweep", "auto", reps, 9)
    name = "sweep of 10 000-customer rows, 2 threads / plain-C threads"
    show(name, compared(*times[:2]), "<= 1.25", "us a row", 1e6 / (LOADS * reps))
    show_scaling(*times)


def sweep_events(program):
    """The same rows event by event: against a plain-C heap loop on threads, its scaling, and cimba."""
    reps = 16
    rows = LOADS * reps
    times = against_threads(program, "heap_sweep", "events", reps, 9)
    name = "speed of the sweep by events / plain-C heap, 2 threads"
    show(name, as_speed(compared(*times[:2]), rows), ">= 0.83", "rows/s", 1)
    show_scaling(*times)

    def against(peer, form):
        seeds = itertools.count(1)
        ours, theirs = [], []
        figures = paired(
            lambda: sweep_rows(2, reps, next(seeds), "events", ours),
            lambda: peer.ask(form, "sweep", 2, reps, next(seeds), found=theirs),
            7,
        )
        return as_speed(figures, rows), disagreement(ours, theirs)

    against_cimba("  speed of the sweep by events / {}", against, ">= 5", "rows/s on 2 workers", 1)


def against_cimba(title, measure, goal, unit, scale):
    """Both forms of cimba's M/M/1. The goal is for the one cimba shows, the other is its fastest."""
    for form in CIMBA_FORMS:
        name = title.format(f"cimba by {form}")
        try:
            with Peer("cimba") as peer:
                figures, reason = measure(peer, form)
        except Absent as err:
            reason = str(err)
        if reason:
            not_measured(name, reason)
        else:
            show(name, figures, goal if form == "processes" else "none", unit, scale)


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
    print(f"{'M/M/c with ten quantiles, 1e5 points, 1 thread':<58} {statistics.median(times) * 1e3:7.1f} ms")


def build_against_distlab(name, folder):
    """A C benchmark that calls the library as installed, with the headers of the core from this tree."""
    import distlab as dl

    program = Path(folder) / name
    flags = [
        "-O3",
        "-march=native",
        "-std=gnu11",
        f"-I{HERE.parent / 'csrc'}",
        f"-I{HERE.parent / 'csrc/include'}",
    ]
    library = str(Path(dl.__file__).parent / "lib/libdistlab.a")
    source = str(HERE / f"{name}.c")
    command = [os.environ.get("CC", "cc"), *flags, source, library, "-lm", "-pthread", "-o", str(program)]
    subprocess.run(command, check=True)
    return program


def scheduler(_):
    """Hold, and hold plus one re-armed timer, against the best plain-C structure for that size (hold.c)."""
    with tempfile.TemporaryDirectory() as folder:
        program = build_against_distlab("hold", folder)
        for n, rearm in [(2, 0), (100, 0), (10_000, 0), (1_000_000, 0), (100, 1), (10_000, 1)]:
            rounds = [named_times(program, n, 1_000_000, rearm) for _ in range(5)]
            ratios = sorted(r["scheduler"] / min(v for k, v in r.items() if k != "scheduler") for r in rounds)
            ours = statistics.median(r["scheduler"] for r in rounds)
            best = statistics.median(min(v for k, v in r.items() if k != "scheduler") for r in rounds)
            name = f"{'hold and re-arm' if rearm else 'hold'}, {n} pending / best plain-C structure"
            goal = "<= 1.2" if rearm else "<= 1.5"
            show(name, (ratios[2], ratios[1], ratios[3], ours * 1e-9, best * 1e-9), goal, "ns", 1e9)


def message(_):
    """A message through the network (delay and loss drawn, partitions seen) / one event of the kernel."""
    goals = {"message_loss": ("trace off", "<= 2.5"), "message_trace": ("trace on", "<= 3.5")}
    with tempfile.TemporaryDirectory() as folder:
        program = build_against_distlab("message", folder)
        rounds = [named_times(program, 1_000_000, 1) for _ in range(ROUNDS)]
        for key, (title, goal) in goals.items():
            figures = compared([r[key] * 1e-9 for r in rounds], [r["event"] * 1e-9 for r in rounds])
            show(f"message through the network, {title} / kernel event", figures, goal, "ns", 1e9)


def raft(_):
    """Messages a second of a loaded cluster (raft.c), bare and with all invariants; and Raft of happysim.

    Both ends of a ratio are of the same round. What happysim does is written in happysim_raft.py.
    """
    with tempfile.TemporaryDirectory() as folder:
        program = build_against_distlab("raft", folder)
        kernel = build_against_distlab("message", folder)
        rounds = [named_times(program, 20, 1) | named_times(kernel, 500_000, 1) for _ in range(ROUNDS)]
    bare, checked = ([r[key] / 1e6 for r in rounds] for key in ("bare", "invariants"))
    low, middle, high = statistics.quantiles(bare, n=4)
    name = "loaded Raft, 5 servers, random delays, 1 % loss, one core"
    print(f"{name:<58} {middle:5.2f} M  ({low:.2f} .. {high:.2f})  goal >= 3 M     messages/s of wall time")
    figures = compared([1e-6 / n for n in bare], [r["event"] * 1e-9 for r in rounds])
    show("  its time a message / kernel event", figures, "none", "ns", 1e9)
    figures = compared(checked, bare)
    show("  its speed with all invariants after every event / without", figures, ">= 0.5", "M messages/s", 1)
    speeds = [loaded_run(seed) / 1e6 for seed in range(ROUNDS + 1)][1:]
    low, middle, high = statistics.quantiles(speeds, n=4)
    name = "  as one call of dl.run: disks, invariants, history judged"
    print(f"{name:<58} {middle:5.2f} M  ({low:.2f} .. {high:.2f})  goal none       messages/s of wall time")
    name = "  Raft of happysim / consensus.raft, idle, a message"
    try:
        with Peer("happysim") as peer:
            figures, counts = against_happysim(peer)
    except Absent as err:
        not_measured(name, err)
    else:
        show(name, figures, ">= 75", "us", 1e6)
        print(f"    messages per simulated second: happysim {counts[0]:.1f}, consensus.raft {counts[1]:.1f}")


def loaded_run(seed):
    """Messages per second of wall time of the model as it comes, with 5000 operations a second offered."""
    import distlab as dl

    start = time.perf_counter()
    result = dl.run("consensus.raft", clients=16, client_rate=5000, duration=10, seed=seed)
    return result.messages / (time.perf_counter() - start)


def against_happysim(peer):
    """Wall time of a message in both, at equal heartbeat, timeouts, delays and loss; messages per second.

    Nobody asks anything: what is sent is heartbeats and their answers. One call of `dl.run` is timed, which
    looks at every invariant after every event; of happysim only its run, without what was built before.
    """
    import distlab as dl

    heartbeat, timeout, delay, loss, simulated = 0.05, 0.15, 0.001, 0.01, 300
    seeds = itertools.count(1)
    sent = ([], [])

    def theirs():
        seconds = peer.ask(simulated, heartbeat, timeout, delay, loss, next(seeds), found=sent[0])
        return seconds / sent[0][-1]

    def ours():
        options = {"election_timeout": timeout, "election_spread": timeout, "heartbeat_interval": heartbeat}
        options |= {"nodes": 5, "clients": 0, "delay": dl.exponential(delay), "loss": loss, "heal_time": 0}
        start = time.perf_counter()
        result = dl.run("consensus.raft", duration=simulated, warmup=0, seed=next(seeds), **options)
        seconds = time.perf_counter() - start
        sent[1].append(result.messages)
        return seconds / result.messages

    figures = paired(theirs, ours, 7)
    counts = [statistics.mean(n) / simulated for n in sent]
    if abs(counts[0] / counts[1] - 1) > 0.05:
        raise SystemExit(f"raft: {counts[0]} and {counts[1]} messages per simulated second are not one load")
    return figures, counts


def named_times(program, *words):
    command = [str(program), *map(str, words)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {name: float(value) for name, value in (line.split() for line in out.splitlines())}


def events(program):
    """M/M/1 at load 0.9, 1e6 customers, event by event: against a plain-C heap loop, SimPy and cimba."""
    import distlab as dl

    seeds = itertools.count(1)
    customers = 1_000_000

    def ours(means, **options):
        options |= {"arrival_rate": 90, "jobs": customers, "method": "events"}
        start = time.perf_counter()
        result = dl.run("queueing.station", seed=next(seeds), **options)
        seconds = time.perf_counter() - start
        means.append(100 * result.latency_mean)
        return seconds

    figures = paired(lambda: ours([]), lambda: limit(program, "heap", customers, next(seeds)))
    show("event simulation, 1e6 customers / plain-C heap loop", figures, "<= 1.35", "ns a customer", 1e3)
    # A capacity that is never reached takes the loop that knows every rule of a station.
    general = paired(
        lambda: ours([], capacity=customers), lambda: limit(program, "heap", customers, next(seeds))
    )
    show("  the same by the station's general loop", general, "none", "ns a customer", 1e3)
    try:
        import simpy
    except ImportError:
        not_measured("  SimPy / event simulation", "SimPy is not installed (pip install simpy)")
    else:
        ratio = simpy_mm1(simpy, 20_000) / 20_000 / (figures[3] / customers)
        print(f"{'  SimPy (Store and two processes) / event simulation':<58} {ratio:5.0f}x  goal >= 140")

    def against(peer, form):
        own, theirs = [], []
        figures = paired(
            lambda: peer.ask(form, "run", customers, next(seeds), found=theirs), lambda: ours(own)
        )
        return figures, disagreement(own, 10) or disagreement(theirs, 10)

    against_cimba("  {} / event simulation", against, ">= 4", "ns a customer", 1e3)


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


def linearizability(_):
    """Processor time, explored states and memory of the checker on made-up histories (linearizability.c)."""
    import distlab as dl

    home = Path(dl.__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "linearizability"
        flags = ["-O3", "-march=native", "-std=gnu11", f"-I{home / 'include'}"]
        library = str(home / "lib/libdistlab.a")
        source = str(HERE / "linearizability.c")
        command = [os.environ.get("CC", "cc"), *flags, source, library, "-lm", "-pthread", "-o", str(program)]
        subprocess.run(command, check=True)
        subprocess.run([str(program), "9"], check=True)


BENCHMARKS = {
    "recursion": recursion,
    "sweep": sweep,
    "sweep_events": sweep_events,
    "startup": startup,
    "closed_forms": closed_forms,
    "scheduler": scheduler,
    "events": events,
    "message": message,
    "raft": raft,
    "linearizability": linearizability,
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
