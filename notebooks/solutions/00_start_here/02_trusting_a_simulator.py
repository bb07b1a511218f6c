"""Answers to L00.02. The tests run them in the notebook's own namespace; no page shows them.

ANSWERS maps each exercise to a right answer and to one that a plausible mistake leads to.
"""


def effect():
    """The shift that the planted bug causes, in standard deviations of one run."""
    load, jobs = decide.task.load, decide.task.jobs
    exact = 0.010 * (1 + load / (2 * (1 - load)))
    means = dl.sweep("queueing.station", **faulty(load, jobs), reps=2000, seed=98).array["latency_mean"]
    return abs(means.mean() - exact) / means.std(ddof=1)


def powerful_test():
    """Least R with effect·√R at least t + 1.28."""
    d = effect()
    return next(R for R in range(2, 1000) if d * R**0.5 >= t_quantile(0.975, R - 1) + 1.28)


def shift_equals_half_width():
    """The shift set equal to the half-width: caught only every second time."""
    d = effect()
    return next(R for R in range(2, 1000) if d * R**0.5 >= t_quantile(0.975, R - 1))


ANSWERS = {"decide": (powerful_test, shift_equals_half_width)}
