"""What every module of the package needs: arguments checked by name, units shown, extras asked for.

Each check raises TypeError, ValueError or UnknownNameError (a KeyError) whose text names the argument, the
value and what is accepted.
"""

import importlib
import os
import sys
import warnings

import numpy as np

from . import _core
from ._core import UnknownNameError

HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
SEED_MAX = 2**64 - 1
REPS_MAX = 1_000_000
GIB = 2**30

# Arguments of run and sweep; no model may use these names for a parameter (DESIGN, "Python surface").
RESERVED = frozenset(
    ["seed", "reps", "crn", "trace", "keep", "threads", "executor", "errors", "progress", "checkpoint",
     "confidence", "precision", "budget", "design", "token", "reps_max", "keep_max", "choices",
     "record", "ask", "runs_max"]
)  # fmt: skip


class DistlabWarning(UserWarning):
    """Something to know before believing a result, such as a load without a steady state."""


def warn(text):
    """Warn at the line of the user's code, however deep in the package we are."""
    depth, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(HERE):
        frame, depth = frame.f_back, depth + 1
    warnings.warn(text, DistlabWarning, stacklevel=depth)


def short(value, width=60):
    """repr() of anything a user may pass, cut to one line."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a broken __repr__ must not hide our own message
        text = f"<{type(value).__name__}>"
    text = " ".join(text.split())
    return text if len(text) <= width else text[: width - 3] + "..."


def nearest(name, known):
    """The nearest known name, or None; whatever name is."""
    if not isinstance(name, str) or len(name) > 200:
        return None
    try:
        return _core.nearest(name, list(known))
    except ValueError:  # a NUL or half a surrogate pair
        return None


def unknown(what, name, known):
    """UnknownNameError that names the nearest known name, and all of them where they are few."""
    known = list(known)
    near = nearest(name, known)
    hint = f"; did you mean {near!r}?" if near else ""
    every = f" (known: {', '.join(known)})" if 0 < len(known) <= 12 else ""
    return UnknownNameError(f"{what} {short(name)} is not known{hint}{every}")


class Named(dict):
    """A dict by name whose missing names are mistakes with a hint."""

    def __init__(self, what, items):
        super().__init__(items)
        self._what = what

    def __missing__(self, name):
        raise unknown(self._what, name, list(self))

    def __reduce__(self):
        return Named, (self._what, dict(self))


class naming:
    """Put a name before the text of a mistake that does not have it yet."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None or not issubclass(kind, (TypeError, ValueError, KeyError, OverflowError)):
            return False
        text = str(error)
        if self.name in text and kind is not OverflowError:
            return False
        kind = ValueError if kind is OverflowError else UnknownNameError if kind is KeyError else kind
        raise kind(f"{self.name}: {text}") from None


def one_of(name, value, known):
    """A word out of a few."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be one of {', '.join(known)}, not {short(value)}")
    if value not in known:
        near = nearest(value, known)
        hint = f"; did you mean {near!r}?" if near else ""
        raise ValueError(f"{name} must be one of {', '.join(known)}, not {short(value)}{hint}")
    return value


def integer(name, value, low, high):
    """An integer in low..high; bool and fractions are refused."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer from {low} to {high}, not {short(value)}")
    value = int(value)
    if not low <= value <= high:
        raise ValueError(f"{name} = {short(value)} is outside {low} to {high}")
    return value


def boolean(name, value):
    """True or False, nothing else."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, not {short(value)}")
    return bool(value)


def real(name, value, low, high, closed=True):
    """A finite number in low..high (open interval unless closed)."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be a number from {low:g} to {high:g}, not {short(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = float("nan")
    if not (low <= number <= high if closed else low < number < high):
        kind = "outside" if closed else "not strictly inside"
        raise ValueError(f"{name} = {short(value)} is {kind} {low:g} to {high:g}")
    return number


def size(name, value, high=2**50):
    """Bytes, as a number or as text such as "2GiB"."""
    if isinstance(value, str):
        with naming(name):
            value = _core.quantity(value, "byte")
    return int(real(name, value, 1, high))


def pieces(text, separator):
    """A list written as text, cut at a separator that stands outside of parentheses; as the core does it."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        if c == separator and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
        depth += (c == "(") - (c == ")" and depth > 0)
    return [*parts, text[start:].strip()]


def check_ending(path, writes, others):
    """A file's name must not promise a format that another method writes; others: {ending: that method}."""
    name = os.path.basename(os.fspath(path))
    method = others.get(os.path.splitext(name)[1].lower())
    if method is not None:
        raise ValueError(f"save writes {writes}, and {short(name)} says otherwise: {method} writes that")


def check_seed(seed):
    """The root seed; None draws one from the operating system, and the result records it."""
    if seed is None:
        return int.from_bytes(os.urandom(6), "little")
    return integer("seed", seed, 0, SEED_MAX)


def check_budget(budget):
    """{"steps": per run, "memory": bytes of one run, "total": bytes of the whole call}; a number means
    steps."""
    out = {"steps": 0, "memory": 0, "total": 8 * GIB}
    if budget is None:
        return out
    if not isinstance(budget, dict):
        budget = {"steps": budget}
    for key, value in budget.items():
        if key not in out:
            raise unknown("budget", key, out)
        out[key] = (
            int(real("budget steps", value, 1, 2**63)) if key == "steps" else size(f"budget {key}", value)
        )
    return out


def need(module, extra):
    """Import an optional library, or say which extra brings it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if error.name and error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        text = f'this needs {module}, which is not installed: pip install "distlab[{extra}]"'
        raise ImportError(text, name=module) from None


def is_nan(value):
    """Is this number no number?"""
    return bool(np.isnan(value))


def text_table(rows, header=None, width=100):
    """Aligned columns of text, no line longer than width."""
    lines = [list(map(str, row)) for row in ([header] if header else []) + list(rows)]
    if not lines:
        return ""
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    done = ("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)
    return "\n".join(line if len(line) <= width else line[: width - 3] + "..." for line in done)
