"""Choices: what was decided in a run, as a list that replays.

An entry names what happened (a message delivered, a coin that fell loud), never its place among the
options, so the list still means the same when entries are taken out: what is missing goes quietly, what
is not on offer is passed over. As text an entry is its kind and a number in hexadecimal,
``deliver:3f2a``; a coin also says what it decided, ``coin.1:3f``, and ends in ``-`` where it fell
quietly.
"""

import re

import numpy as np

from . import _core
from ._common import integer, nearest, short

KINDS = {name: number for number, name in enumerate(_core.CHOICE_KINDS)}
COIN = KINDS["coin"]
WHAT = 2**56 - 1
ABOUT_BITS = 47
SHOWN = 40
_ENTRY = re.compile(r"([a-z]+|[0-9]+)(?:\.([0-9]+))?:([0-9a-f]+)(-?)", re.ASCII)


def entry_text(entry):
    """One choice (an int) as text."""
    entry = int(entry)
    kind, what = entry >> 56, entry & WHAT
    name = _core.CHOICE_KINDS[kind] if kind < len(_core.CHOICE_KINDS) else str(kind)
    if kind != COIN:
        return f"{name}:{what:x}"
    decides, about = what >> (ABOUT_BITS + 1), (what >> 1) & (2**ABOUT_BITS - 1)
    return f"{name}.{decides}:{about:x}{'' if what & 1 else '-'}"


def entry_of(text):
    """The choice (an int) that a text names."""
    found = _ENTRY.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"choices: {short(text)} is no choice; one looks like deliver:3f2a or coin.1:3f")
    name, decides, what, quiet = found.groups()
    kind = int(name) if name.isdigit() else KINDS.get(name, 0)
    if not 0 < kind < 256:
        near = nearest(name, KINDS)
        hint = f"; did you mean {near!r}?" if near else ""
        raise ValueError(f"choices: {short(text)}: no kind of choice is called {name!r}{hint}")
    what = int(what, 16)
    most = 2**ABOUT_BITS - 1 if kind == COIN else WHAT
    if (kind == COIN) != (decides is not None) or (quiet and kind != COIN) or what > most:
        form = "coin.DECIDES:ABOUT" if kind == COIN else f"{name}:WHAT"
        raise ValueError(f"choices: {short(text)} must look like {form}, with at most {most:x} in the end")
    if kind != COIN:
        return kind << 56 | what
    if int(decides) > 255:
        raise ValueError(f"choices: {short(text)}: what a coin decides is a number from 0 to 255")
    return kind << 56 | int(decides) << (ABOUT_BITS + 1) | what << 1 | (not quiet)


class Choices:
    """A list of choices, in order: recorded by ``dl.run(..., record=True)``, replayed by
    ``dl.run(..., choices=...)``.

    It has a length and can be indexed (an entry is text), sliced and joined with ``+``; ``without`` takes
    entries out. ``str(choices)`` is a text on one line that ``dl.Choices`` reads back.

    Attributes
    ----------
    array : uint64 array
        The entries as the core sees them: kind << 56 | what.
    incomplete : bool
        The run made more choices than were kept.
    """

    __slots__ = ("array", "incomplete")

    def __init__(self, choices=(), *, incomplete=False):
        self.array = _array(choices)
        self.array.setflags(write=False)
        self.incomplete = bool(incomplete or getattr(choices, "incomplete", False))

    def __len__(self):
        return self.array.size

    def __iter__(self):
        return map(entry_text, self.array.tolist())

    def __getitem__(self, index):
        if isinstance(index, slice):
            return Choices(self.array[index])
        return entry_text(self.array[integer("index", index, -len(self), len(self) - 1)])

    def without(self, index):
        """The same list without one entry (an index), or without several (a slice or list of indices)."""
        if not isinstance(index, slice):
            several = [index] if np.ndim(index) == 0 else list(index)
            index = [integer("index", k, -len(self), len(self) - 1) for k in several]
        return Choices(np.delete(self.array, index))

    def __add__(self, other):
        return Choices(np.concatenate([self.array, Choices(other).array]))

    def __eq__(self, other):
        return np.array_equal(self.array, other.array) if isinstance(other, Choices) else NotImplemented

    def __hash__(self):
        return hash(self.array.tobytes())

    def __reduce__(self):
        return _again, (np.array(self.array), self.incomplete)

    @property
    def text(self):
        """One entry a line."""
        return "\n".join(self)

    def __str__(self):
        return ",".join(self)

    def __repr__(self):
        text = f"<distlab choices, {len(self)}: {', '.join(self[:SHOWN])}"
        return f"{text}>" if len(self) <= SHOWN and len(text) < 100 else f"{text[:96]}...>"


def _again(array, incomplete):
    return Choices(array, incomplete=incomplete)


def _array(choices):
    if isinstance(choices, Choices):
        return choices.array
    if isinstance(choices, str):
        choices = [c for c in choices.replace("\n", ",").split(",") if c.strip()]
    if isinstance(choices, np.ndarray) and choices.dtype == np.uint64 and choices.ndim == 1:
        return choices.copy()
    if not isinstance(choices, (list, tuple)):
        raise TypeError(
            f"choices must be text, a list of texts, a uint64 array or dl.Choices, not {short(choices)}"
        )
    for c in choices:
        if not isinstance(c, str):
            raise TypeError(f"choices: an entry is text such as deliver:3f2a, not {short(c)}")
    return np.array([entry_of(c) for c in choices], np.uint64)
