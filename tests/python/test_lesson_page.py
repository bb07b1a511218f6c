"""Words of a lesson on their way to the page."""

from distlab.lesson import _page


def test_lines_are_joined_and_no_break_spaces_stay():
    text = _page.inline("the\n    first  {n} of\t60\u202f000", n="10\u202f000")
    assert text == "the first 10\u202f000 of 60\u202f000"
    assert _page.inline(" 5 % ") == "5\u00a0%"
