"""Answers to L00.01. The tests run them in the notebook's own namespace; no page shows them.

ANSWERS maps each exercise to a right answer and to one that a plausible mistake leads to.
"""


def enough_runs():
    """The model is free: 2000 runs know their standard deviation well; two runs more pay for t."""
    case = search(decide.task.load, decide.task.scv)
    means = dl.sweep("queueing.station", **case, reps=2000, seed=99).array["latency_mean"].reshape(-1)
    return np.ceil((1.96 * means.std(ddof=1) / (0.02 * means.mean())) ** 2) + 2


def double_for_half():
    """Ten runs are within so many percent, so so many times as many: the width taken to shrink like 1/R."""
    case = search(decide.task.load, decide.task.scv)
    means = dl.sweep("queueing.station", **case, reps=10, seed=99).array["latency_mean"].reshape(-1)
    return np.ceil(10 * t_quantile(0.975, 9) * means.std(ddof=1) / 10**0.5 / (0.02 * means.mean()))


ANSWERS = {"decide": (enough_runs, double_for_half)}
