"""Answers to L03.03. The tests run them in the notebook's own namespace; no page shows them.

ANSWERS maps each exercise to a right answer and to one that a plausible mistake leads to.
"""


def smallest_spread():
    """Between 20 and 120 ms the p99 falls below the goal once: halve the interval, with 10 000 trials each."""
    low, high = 20.0, 120.0
    while high > 1.03 * low:
        middle = (low * high) ** 0.5
        if p99_of(middle, decide.task.delay, 99) < decide.task.goal:
            high = middle
        else:
            low = middle
    return round((low * high) ** 0.5, 1)


def no_rival_in_99_of_100():
    """The shown formula: a second candidate within a delay of the first in one failover of a hundred."""
    return round(decide.task.delay / (1 - 0.99 ** (1 / 4)))


ANSWERS = {"decide": (smallest_spread, no_rival_in_99_of_100)}
