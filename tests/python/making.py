"""`make` for tests: those that build in the tree take turns, however many workers run them."""

import fcntl
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def make(*words, **options):
    """The finished process; stdout and stderr are text."""
    (ROOT / "build").mkdir(exist_ok=True)
    with open(ROOT / "build" / "make.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return subprocess.run(
            ["make", "-s", *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False, **options
        )
