"""Progress of a sweep: a bar where one is wanted, a callable where one is given, silence otherwise.

By default a bar appears only when the rows done in the first second say that the sweep takes more than ten
seconds, and only where somebody can see it (a notebook or a terminal).
"""

import importlib
import sys
import time

from ._common import short

LOOK_AFTER = 1.0
WORTH_IT = 10.0


class Progress:
    """One bar over all blocks of a sweep. Context manager; ``block()`` gives the callback for the next
    block."""

    def __init__(self, wanted):
        if not (wanted is None or isinstance(wanted, bool) or callable(wanted)):
            raise TypeError(
                f"progress must be True, False, None or a callable(done, total), not {short(wanted)}"
            )
        self.wanted, self.total, self.done, self.base = wanted, 0, 0, 0
        self._bar, self._start, self._made = None, time.monotonic(), False
        self.found = 0  # rows that were there before: they say nothing about the rate

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self._bar is not None:
            self._bar.close()

    def more(self, rows):
        """The sweep grew by this many rows."""
        self.total += rows
        if self._bar is not None:
            self._bar.total = self.total

    def block(self):
        """The callback of the next block, or None when nobody listens."""
        self.base = self.done
        return None if self.wanted is False else self._update

    def find(self, rows):
        """So many rows of the block that begins are in the checkpoint; call it after ``block``."""
        self.found += rows
        if rows and self.wanted is not False:
            self._update(rows, None)

    def block_done(self, rows):
        """A block is complete."""
        self.done = self.base
        if self.wanted is not False:
            self._update(rows, rows)
        self.done = self.base + rows

    def _update(self, done, _total):
        new = self.base + done
        if callable(self.wanted):
            if new != self.done or new == self.total:
                self.done = new
                self.wanted(new, self.total)
            return
        if not self._made:
            self._consider(new)
        if self._bar is not None:
            self._bar.update(new - self._bar.n)
        self.done = new

    def _consider(self, done):
        spent = time.monotonic() - self._start
        if self.wanted is None:
            if spent < LOOK_AFTER or done >= self.total:
                return
            left = self.total - self.found
            if spent * left / max(done - self.found, 0.5) < WORTH_IT or not _visible():
                return
        self._made = True
        try:
            tqdm = importlib.import_module("tqdm.auto")
        except ImportError:
            return
        self._bar = tqdm.tqdm(total=self.total, initial=self.found, unit="run", leave=False)


def _visible():
    return "ipykernel" in sys.modules or sys.stderr.isatty()
