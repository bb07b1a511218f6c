"""A second station, in plain Python and exact integers, for tests: it shares nothing with the first but the
draws of the jobs. It is slow and short: at every event, sort everybody and serve whom the rule says.
"""

import numpy as np

import distlab as dl

PREEMPTIVE = ("lifo_preemptive", "srpt", "priority_preemptive")
TWO_CLASSES = [{"share": 1}, {"share": 2}]
SERVED, LOST, ABANDONED, DROPPED = range(4)


def ns(seconds):
    """Whole nanoseconds, as the simulation has them; -1 for what never happened."""
    return np.rint(np.nan_to_num(np.asarray(seconds) * 1e9, nan=-1)).astype(np.int64)


def station(discipline="fifo", keep=True, **options):
    """One run; the priority disciplines get two classes unless they are given some."""
    if discipline.startswith("priority"):
        options.setdefault("classes", dl.table(TWO_CLASSES))
    return dl.run("queueing.station", discipline=discipline, keep=keep, **options)


def by_number(run):
    """The kept jobs, in the order they came."""
    jobs = run.tables["jobs"]
    return jobs[np.argsort(jobs["job"])]


def draws(**options):
    """(arrivals, service times) in ns: first come first served tells both."""
    jobs = by_number(station("fifo", keep="jobs", **options))
    return ns(jobs["arrival"]), ns(jobs["departure"]) - ns(jobs["start"])


def rule_of(discipline, left, classes, threshold):
    """Who is served first: a key, lowest first, of a job given how many wait."""
    return {
        "fifo": lambda j, waiting: j,
        "lifo": lambda j, waiting: -j,
        "lifo_preemptive": lambda j, waiting: -j,
        "adaptive_lifo": lambda j, waiting: -j if waiting > threshold else j,
        "srpt": lambda j, waiting: (left[j], j),
        "priority": lambda j, waiting: (classes[j], j),
        "priority_preemptive": lambda j, waiting: (classes[j], j),
    }[discipline]


def serve(discipline, arrivals, works, classes=None, servers=1, threshold=10):
    """(starts, departures) of every job, ns; at one instant services end before jobs arrive."""
    arrivals, left = [int(t) for t in arrivals], [int(w) for w in works]
    key = rule_of(discipline, left, classes, threshold)
    starts, departures = [None] * len(left), [None] * len(left)
    waiting, serving = [], []
    now = coming = 0
    while coming < len(left) or serving:
        first = min(serving, key=lambda j: left[j]) if serving else None
        leaves = now + left[first] if serving else None
        departs = serving and (coming == len(left) or leaves <= arrivals[coming])
        then = leaves if departs else arrivals[coming]
        for j in serving:
            if starts[j] is None and then > now:  # who is displaced at once has not begun
                starts[j] = now
            left[j] -= then - now
        now = then
        if departs:
            serving.remove(first)
            departures[first] = now
        else:
            waiting.append(coming)
            coming += 1
        if discipline in PREEMPTIVE:
            everybody = sorted(serving + waiting, key=lambda j: key(j, 0))
            serving, waiting = everybody[:servers], everybody[servers:]
        while len(serving) < servers and waiting:
            chosen = min(waiting, key=lambda j: key(j, len(waiting)))
            waiting.remove(chosen)
            serving.append(chosen)
    return np.array(starts), np.array(departures)


def share(arrivals, works, servers=1):
    """Departures under processor sharing, ns, without any rounding to whole nanoseconds."""
    arrivals, works = np.asarray(arrivals, float), np.asarray(works, float)
    departures, left = np.full(len(works), np.nan), {}
    now, coming = 0.0, 0
    while coming < len(works) or left:
        rate = min(1.0, servers / len(left)) if left else 0.0
        first = min(left, key=left.get) if left else None
        leaves = now + left[first] / rate if left else np.inf
        then = min(leaves, arrivals[coming] if coming < len(works) else np.inf)
        for j in left:
            left[j] -= (then - now) * rate
        now = then
        if leaves <= then:
            del left[first]
            departures[first] = now
        else:
            left[coming] = works[coming]
            coming += 1
    return departures
