"""Everything a notebook of the course needs, so that no notebook rolls its own.

    from distlab.lesson import start
    lesson = start("L00.01", decide="how many runs a load test needs")

The steps of a lesson are methods of the object that `start` returns, in the order in which a page uses
them: `incident`, `recall`, `predict`, `see` and `diagrams`, `reveal` and `feedback` of the prediction, `why`,
`check`, `knob`, `broken`, `exercise`, `limits`, `in_your_system`, `load_samples`, `next`, and at the end of a
chapter `calibration`.

Environment: DISTLAB_FAST=1 picks small sizes, DISTLAB_BOOK=1 makes pages for readers without a kernel,
DISTLAB_LIVE=0 or 1 overrules the guess whether somebody is there, DISTLAB_LEARNER=name varies the exercises,
DISTLAB_PREDICTIONS=off keeps no predictions.
"""

from distlab._core import t_quantile
from distlab.lesson._export import page
from distlab.lesson._figure import BAD, EXACT, GOOD, GUESS, MUTED, SIMULATED, direct, log_axis
from distlab.lesson._grade import Check, Exercise, Verdict
from distlab.lesson._knob import Knob
from distlab.lesson._lesson import Lesson, start
from distlab.lesson._predict import Guess, Prediction

__all__ = [
    "BAD",
    "EXACT",
    "GOOD",
    "GUESS",
    "MUTED",
    "SIMULATED",
    "Check",
    "Exercise",
    "Guess",
    "Knob",
    "Lesson",
    "Prediction",
    "Verdict",
    "direct",
    "log_axis",
    "page",
    "start",
    "t_quantile",
]
