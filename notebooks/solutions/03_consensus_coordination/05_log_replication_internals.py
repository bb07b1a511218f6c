"""Answers to L03.05. The tests run them in the notebook's own namespace; no page shows them.

ANSWERS maps each exercise to a right answer and to one that a plausible mistake leads to.
"""


def median_of_own_term():
    """Three of five hold it, and it is of the leader's own term; else nothing moves."""
    median = sorted(map(int, quick.task.match.split(", ")))[2]
    return median if median >= quick.task.since else quick.task.old


def slowest_of_five():
    """A commit waits for everybody."""
    return min(map(int, quick.task.match.split(", ")))


def both_promises():
    """The odd size that keeps both promises best, from a sweep of sizes at both rates."""
    sizes, stall = [3, 5, 7, 9], decide.task.stall
    quiet = dl.sweep("consensus.raft", **(bids(3, decide.task.quiet, stall) | {"nodes": sizes}), reps=8, seed=99)
    peak = dl.sweep("consensus.raft", **(bids(3, decide.task.peak, stall) | {"nodes": sizes}), reps=3, seed=99)
    excess = np.maximum(quiet.mean("latency_p99") / 0.033, peak.mean("latency_mean") / 0.045)
    return sizes[int(np.argmin(excess))]


def as_few_as_possible():
    """Fewer servers, fewer stalls to wait for: the smallest cluster that survives a failure."""
    return 3


ANSWERS = {"commit": (median_of_own_term, slowest_of_five), "decide": (both_promises, as_few_as_possible)}
