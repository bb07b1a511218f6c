"""Answers to L01.06. The tests run them in the notebook's own namespace; no page shows them.

ANSWERS maps each exercise to a right answer and to one that a plausible mistake leads to.
"""


def swept_boxes():
    """The one number that keeps both promises, found by sweeping the boxes."""
    task = decide.task
    boxes = np.arange(3, 16)
    runs = dl.sweep(PROBE, **fog(boxes, task.q), seed=99)
    can, near = 100 * runs.mean("leader"), 100 * runs.mean("clients_served")
    return int(boxes[np.argmax((can >= task.lead) & (near >= task.reach))])


def connected_is_enough():
    """The least number of boxes whose majority is connected often enough: forgets that a leader needs direct links."""
    task = decide.task
    boxes = np.arange(3, 16)
    runs = dl.sweep(PROBE, **fog(boxes, task.q), seed=99)
    return int(boxes[np.argmax(100 * runs.mean("majority") >= task.lead)])


ANSWERS = {"decide": (swept_boxes, connected_is_enough)}
