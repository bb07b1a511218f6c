"""Recording what clients of a real system see, in the form `dl.read_history` reads: one event a line, in the
order in which things happened, with monotonic times.

An operation's call is written before the client may send anything, its answer after it is there; both under
one lock, so the order of lines is an order of real time, whatever the threads do.
"""

import contextlib
import json
import os
import threading
import time

from ._common import boolean, integer, short
from ._history import _json
from ._operation import OUTCOMES

PROCESS_MAX = 2**62
READERS = ("read", "get", "contains", "dequeue", "pop")  # their result must be said: nil means "empty"


class Recorder:
    """Writes a history to a file, from any number of threads.

    >>> with dl.Recorder("history.jsonl") as recorder:
    ...     with recorder.operation(0, "write", key=1, value=3) as op:
    ...         client.put(1, 3)
    ...     with recorder.operation(0, "read", key=1) as op:
    ...         op.ok(client.get(1))

    A block that ends without a word is ok, with the value that was asked for (a read must say its result). A
    block that raises is `info`: the operation may have happened or not, and the exception goes on.
    `failed=(NotSent,)` names exceptions after which it surely did not happen: they are recorded as `fail`.

    Parameters
    ----------
    path : str, path or text file
        Where to write; an existing file is an error unless overwrite=True.
    failed : exception classes
        What says "it did not happen".
    overwrite : bool
        May an existing file be replaced?
    sync : bool
        Hand every line to the disk (fsync), so that it survives a crash of this machine too.
    """

    def __init__(self, path, *, failed=(), overwrite=False, sync=False):
        self._failed = tuple(failed) if isinstance(failed, (tuple, list)) else (failed,)
        for kind in self._failed:
            if not (isinstance(kind, type) and issubclass(kind, BaseException)):
                raise TypeError(f"failed must hold exception classes, not {short(kind)}")
        self._sync = boolean("sync", sync)
        self._own = not hasattr(path, "write")
        mode = "w" if boolean("overwrite", overwrite) else "x"
        self._file = open(path, mode, encoding="utf-8") if self._own else path  # noqa: SIM115
        self._lock, self._open, self._next = threading.Lock(), {}, 0
        self._start = time.monotonic_ns()
        self.events = 0

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def close(self):
        """No more events. Operations still open have an unknown outcome."""
        with self._lock:
            if self._file is not None and self._own:
                self._file.close()
            self._file = None

    def process(self):
        """A process number nobody has: one for each client or thread."""
        with self._lock:
            self._next += 1
            return self._next - 1

    @contextlib.contextmanager
    def operation(self, process, f, *, key=None, value=None):
        """One operation, from before it is sent until its outcome is known."""
        op = self.invoke(process, f, key=key, value=value)
        try:
            yield op
        except BaseException as error:
            if not op.done:
                op.fail() if isinstance(error, self._failed) else op.info(error=short(error))
            raise
        if op.done:
            return
        if value is None and f in READERS:
            op.info(error="no result was recorded")
            raise ValueError(f"the {f} of process {process} ended without its result; expected op.ok(result)")
        op.ok(value)

    def record(self, f, *, process=None):
        """A decorator for a client's method: its first argument after self is the key, the next the value;
        what it returns is the result. Each thread is a process unless one is given."""

        def wrap(call):
            import functools

            @functools.wraps(call)
            def recorded(self_, key=None, value=None):
                number = self._thread() if process is None else process
                with self.operation(number, f, key=key, value=value) as op:
                    result = call(self_, *[a for a in (key, value) if a is not None])
                    op.ok(value if result is None else result)
                return result

            return recorded

        return wrap

    def _thread(self):
        local = self.__dict__.setdefault("_local", threading.local())
        if not hasattr(local, "process"):
            local.process = self.process()
        return local.process

    def invoke(self, process, f, *, key=None, value=None):
        """The call alone, for clients a `with` block does not fit; answer with ok, fail or info of it."""
        if not isinstance(f, str) or not f:
            raise TypeError(f"f must be the name of an operation, not {short(f)}")
        process = integer("process", process, -PROCESS_MAX, PROCESS_MAX)
        op = Pending(self, process, f, key, value)
        with self._lock:
            if process in self._open:
                raise ValueError(
                    f"process {process} invokes {f} while its {self._open[process].f} has no answer; "
                    "expected one operation of a process at a time"
                )
            self._write(process, "invoke", f, key, value)
            self._open[process] = op
            self._next = max(self._next, process + 1)
        return op

    def _answer(self, op, kind, value, error):
        with self._lock:
            if op.done:
                raise ValueError(f"this {op.f} of process {op.process} has its answer already; expected one")
            self._write(op.process, kind, op.f, op.key, value, error)
            op.done = True
            self._open.pop(op.process, None)

    def _write(self, process, kind, f, key, value, error=None):
        if self._file is None:
            raise ValueError("this recorder is closed")
        event = {"process": process, "type": kind, "f": f, "key": key, "value": value}
        event |= {"time": time.monotonic_ns() - self._start, "index": self.events}
        if key is None:
            del event["key"]
        if error:
            event["error"] = error
        self._file.write(json.dumps(event, default=_json) + "\n")
        self._file.flush()
        if self._sync:
            os.fsync(self._file.fileno())
        self.events += 1

    def __repr__(self):
        name = getattr(self._file, "name", None)
        state = "closed" if self._file is None else f"to {os.path.basename(str(name))}" if name else "open"
        return f"<distlab recorder {state}: {self.events} events, {len(self._open)} open>"[:100]


class Pending:
    """An operation that was called and has no answer yet."""

    def __init__(self, recorder, process, f, key, value):
        self._recorder, self.process, self.f, self.key, self.value = recorder, process, f, key, value
        self.done = False

    def ok(self, value=None):
        """It happened; value is what came back."""
        self._recorder._answer(self, OUTCOMES[1], value, None)

    def fail(self, value=None):
        """It surely did not happen."""
        self._recorder._answer(self, OUTCOMES[2], self.value if value is None else value, None)

    def info(self, value=None, *, error=None):
        """Nobody knows whether it happened."""
        self._recorder._answer(self, OUTCOMES[3], self.value if value is None else value, error)
