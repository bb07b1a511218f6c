"""Only the newest request counts: the one that waits is dropped, the one that runs is cancelled.

A slider that is dragged asks many times a second, from a thread that must not be held up. Each request waits
until nothing newer has come for a moment; then it runs in the background, one at a time, and is stopped by
its token as soon as another arrives. At most one timer and one worker are alive, none while nobody asks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from distlab._core import Cancelled, Token

DELAY = 0.12  # seconds without a newer request before one is run


class Latest:
    """Runs ``work(request, token)`` for the newest request; work raises Cancelled when its token stops it.

    started, finished and cancelled count runs; dropped counts requests that never ran. `timer` has the
    signature of threading.Timer, and calls from a thread of its own.
    """

    def __init__(
        self,
        work: Callable[[Any, Token], None],
        delay: float = DELAY,
        timer: Callable[..., Any] = threading.Timer,
    ) -> None:
        self.delay, self.asked, self.started, self.finished, self.cancelled, self.dropped = (
            delay,
            0,
            0,
            0,
            0,
            0,
        )
        self._work, self._make = work, timer
        self._lock, self._idle = threading.Lock(), threading.Event()
        self._idle.set()
        self._waiting: tuple[Any] | None = None
        self._timer: Any = None
        self._token: Token | None = None
        self._due = self._busy = self._closed = False

    def ask(self, request: Any) -> None:
        """Take a new request and return at once; everything older is given up."""
        with self._lock:
            if self._closed:
                return
            self.asked += 1
            self._give_up()
            self._waiting = (request,)
            self._idle.clear()
            self._timer = self._make(self.delay, self._ring, (self.asked,))
            self._timer.daemon = True
            self._timer.start()

    def _give_up(self) -> None:
        self.dropped += self._waiting is not None
        self._waiting, self._due = None, False
        if self._token is not None:
            self._token.cancel()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self, number: int) -> None:
        """The timer's thread: the request is due; this thread becomes the worker unless there is one."""
        with self._lock:
            if number != self.asked or self._closed:
                return  # a timer that rang while it was cancelled
            self._timer, self._due = None, True
            if self._busy:
                return
            self._busy = True
        while self._step():
            pass

    def _step(self) -> bool:
        """Run what is due; False when there is nothing."""
        with self._lock:
            if not self._due or self._waiting is None:
                self._busy = False
                if self._waiting is None:
                    self._idle.set()
                return False
            (request,), self._waiting, self._due = self._waiting, None, False
            token = self._token = Token()
            self.started += 1
        done = False
        try:
            self._work(request, token)
            done = True
        except Cancelled:
            done = True
        finally:
            with self._lock:
                self._token = None
                self.cancelled += token.cancelled
                self.finished += not token.cancelled
                if not done:  # our own mistake: the next request must find a worker
                    self._busy = False
                    self._idle.set()
        return True

    @property
    def idle(self) -> bool:
        """Is nothing waiting and nothing running?"""
        return self._idle.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until everything asked for has been answered; False after timeout seconds."""
        return self._idle.wait(timeout)

    def stop(self) -> None:
        """Give up what waits and runs."""
        with self._lock:
            self._give_up()
            if not self._busy:
                self._idle.set()

    def close(self) -> None:
        """Stop, and take no further requests."""
        self._closed = True
        self.stop()
