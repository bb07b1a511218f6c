"""Answers to L01.01. The tests run them in the notebook's own namespace; no page shows them.

ANSWERS maps each exercise to a right answer and to one that a plausible mistake leads to.
"""


def solved():
    """(1 - p) / (2 - p) = goal, solved for p."""
    goal = by_loss.task.goal
    return (1 - 2 * goal) / (1 - goal)


def complement():
    """Carried out 40 %, so not carried out 60 %, so 60 % lost: forgets that a reply can be lost only if it is sent."""
    return 1 - by_loss.task.goal


def swept_meters():
    """The fewest retries that keep both promises, found by sweeping them."""
    task = decide.task
    runs = dl.sweep(RPC, **meter(task.loss, task.backoff, list(range(9))), calls=20_000, reps=5, seed=99)
    return int(np.argmax((runs.mean("lost") <= 0.005) & (runs.mean("duplicated") <= 0.002)))


def keys_are_harmless():
    """With a key a retry does no harm, so more are better: forgets that the key is forgotten."""
    return 8


ANSWERS = {"loss": (solved, complement), "decide": (swept_meters, keys_are_harmless)}
