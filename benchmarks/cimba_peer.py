"""Finds a Python that has PyPI's `cimba` and keeps its process (cimba_mm1.py) open for questions."""

import os
import subprocess
import sys
from pathlib import Path

VARIABLE = "DISTLAB_CIMBA_PYTHON"
FORMS = ("processes", "events")
IMPORT_LIMIT_S = 120


class Absent(Exception):
    """Why there is nothing to measure."""


def find():
    """The interpreter that imports cimba: the one named in the environment, else this one."""
    named = os.environ.get(VARIABLE)
    python = named or sys.executable
    try:
        out = subprocess.run(
            [python, "-c", "import cimba"],
            capture_output=True,
            text=True,
            check=False,
            timeout=IMPORT_LIMIT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as err:
        raise Absent(f"{VARIABLE} = {named}: {err}") from err
    if out.returncode != 0:
        last = (out.stderr.strip().splitlines() or [f"it ended with {out.returncode}"])[-1]
        whose = f"{VARIABLE} = {named}" if named else "this Python"
        raise Absent(f"{whose} cannot import cimba: {last} (pip install cimba, or set {VARIABLE})")
    return python


class Peer:
    """cimba in its own process, compiled and warm; `with Peer() as peer` ends it."""

    def __enter__(self):
        program = Path(__file__).with_name("cimba_mm1.py")
        self.process = subprocess.Popen(
            [find(), str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def ask(self, *words, means):
        """Seconds of one call; the mean sojourn it found is added to `means`."""
        try:
            print(*words, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass  # it has ended: the empty line read below says so
        line = self.process.stdout.readline()
        if not line:
            raise Absent(f"cimba's process ended with {self.process.wait()}; what it said stands above")
        seconds, mean = map(float, line.split())
        means.append(mean)
        return seconds
