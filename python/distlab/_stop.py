"""How the driver of a sweep stops its workers, wherever they are: a file of a few bytes, and one look at
it every 50 ms.

The core calls back while it runs (``progress=``), so a task can look whether it is still wanted without a
thread of its own. A worker in the driver's process looks at an object. One in another process of this
machine looks at the file: a row number in it stops the tasks from that row on, and a file that is gone, or
whose lock is free because the driver died, stops all. A worker that cannot see the file (another machine)
finishes its task, which is why tasks are short.
"""

import contextlib
import fcntl
import os
import tempfile

_here: dict[str, "Stop"] = {}  # of this process: workers that are threads find the driver's object


class Stopped(Exception):
    """The driver does not want this task any more."""


class Stop:
    """The driver's end. Context manager; ``name`` goes with every task."""

    def __init__(self):
        self.row = None  # tasks from this row on are to stop
        self.process = os.getpid()

    def __enter__(self):
        self._file, self.name = tempfile.mkstemp(prefix="distlab-stop-")
        with contextlib.suppress(OSError):  # a file system without locks: then its presence alone counts
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _here[self.name] = self
        return self

    def __exit__(self, *exc):
        self.row = 0
        del _here[self.name]
        with contextlib.suppress(OSError):
            os.unlink(self.name)
        os.close(self._file)

    def tell(self, row=0):
        """Stop the tasks whose first row is this one or a later one."""
        self.row = row
        os.pwrite(self._file, b"%020d\n" % row, 0)


class Watch:
    """The worker's end: ``look`` raises Stopped as soon as the task that begins at this row is not wanted."""

    def __init__(self, name, row):
        self.name, self.row = name, row
        driver = _here.get(name)
        self._driver = driver if driver is not None and driver.process == os.getpid() else None
        self._seen = self._driver is None and os.path.exists(name)

    def look(self, done=0, total=1):
        """The core's progress callback; what is finished is kept."""
        if done < total and self._told():
            raise Stopped

    def _told(self):
        if self._driver is not None:
            return self._driver.row is not None and self._driver.row <= self.row
        if not self._seen:
            return False
        try:
            file = os.open(self.name, os.O_RDWR)
        except FileNotFoundError:
            return True
        except OSError:  # not ours to read
            return False
        try:
            text = os.read(file, 32)
            if text.endswith(b"\n") and int(text) <= self.row:
                return True
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(file)
        with contextlib.suppress(OSError):  # we have the lock, so the driver is dead
            os.unlink(self.name)
        return True
