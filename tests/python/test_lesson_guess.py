"""Where a picture names the guess that was committed to."""

import pytest

pytest.importorskip("matplotlib", reason="optional: matplotlib is not installed")

from distlab.lesson import _figure
from distlab.lesson._predict import Guess

WHOSE = "your 90 % interval"


@pytest.mark.parametrize(
    ("low", "high", "text", "x", "side"),
    [
        (20, 40, WHOSE, 40, "left"),
        (2e4, 6e4, WHOSE, 2e4, "right"),
        (20, 6e4, WHOSE, 20, "right"),
        (0, 5, f"← {WHOSE}", 10, "left"),
        (2e5, 3e5, f"{WHOSE} →", 1e5, "right"),
        (0, 6e4, WHOSE, 1e3, "left"),
    ],
)
def test_the_name_of_a_span_stays_on_the_picture(low, high, text, x, side):
    (ax,) = _figure.figure((5, 3))[1]
    ax.set_xscale("log")
    ax.set_xlim(10, 1e5)
    Guess("A", low, high).span(ax, 20)
    (name,) = ax.texts
    assert (name.get_text(), name.get_ha()) == (text, side)
    assert name.get_position() == (pytest.approx(x), 20)
    assert ax.get_xlim() == (10, 1e5)
