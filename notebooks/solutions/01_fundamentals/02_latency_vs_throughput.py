"""Answers to L01.02. The tests run them in the notebook's own namespace; no page shows them.

ANSWERS maps each exercise to a right answer and to one that a plausible mistake leads to.
"""


def simulated_pairs():
    """The highest rate of one pair that keeps the promise, found by sweeping this pair."""
    total, scv = decide.task.total, decide.task.scv
    pairs = np.arange(int(total / 70), int(total / 20))
    runs = dl.sweep("queueing.station", **pair(total / pairs, scv), jobs=100_000, warmup_jobs=5_000, reps=20, seed=99)
    return int(pairs[np.argmax(runs.mean("latency_p99") <= 0.2)])


def shown_formula():
    """Ten service times at p99: the load that one server with exponential work may have, used for a pair."""
    return int(np.ceil(decide.task.total * 0.020 / (2 * allowed)))


ANSWERS = {"decide": (simulated_pairs, shown_formula)}
