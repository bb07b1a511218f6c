"""Finds a Python that has a peer package, and keeps a process of it open for questions.

A peer may want another Python than distlab runs on, or packages of its own: DISTLAB_<PACKAGE>_PYTHON names
the interpreter of an environment in which `pip install <package>` was done.
"""

import os
import subprocess
import sys
from pathlib import Path

#: What pip installs: how Python imports it, and the program beside this file that answers for it.
PEERS = {"cimba": ("cimba", "cimba_mm1.py"), "happysim": ("happysimulator", "happysim_raft.py")}
IMPORT_LIMIT_S = 120


class Absent(Exception):
    """Why there is nothing to measure."""


def find(package):
    """The interpreter that imports the package: the one named in the environment, else this one."""
    variable = f"DISTLAB_{package.upper()}_PYTHON"
    named = os.environ.get(variable)
    python = named or sys.executable
    try:
        out = subprocess.run(
            [python, "-c", f"import {PEERS[package][0]}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=IMPORT_LIMIT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as err:
        raise Absent(f"{variable} = {named}: {err}") from err
    if out.returncode != 0:
        last = (out.stderr.strip().splitlines() or [f"it ended with {out.returncode}"])[-1]
        whose = f"{variable} = {named}" if named else "this Python"
        raise Absent(f"{whose} cannot import {package}: {last} (pip install {package}, or set {variable})")
    return python


class Peer:
    """A peer in its own process, warm; `with Peer(package) as peer` ends it."""

    def __init__(self, package):
        self.package = package

    def __enter__(self):
        program = Path(__file__).with_name(PEERS[self.package][1])
        self.process = subprocess.Popen(
            [find(self.package), str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def ask(self, *words, found):
        """Seconds of one call; what it found (a mean, a count) is added to `found`."""
        try:
            print(*words, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass  # it has ended: the empty line read below says so
        line = self.process.stdout.readline()
        if not line:
            raise Absent(f"{self.package} ended with {self.process.wait()}; what it said stands above")
        seconds, value = map(float, line.split())
        found.append(value)
        return seconds
