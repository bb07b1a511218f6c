"""The ziggurat tables in the repository are what tools/ziggurat.py prints."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_committed_tables_are_what_the_tool_prints():
    printed = subprocess.run([sys.executable, ROOT / "tools/ziggurat.py"], capture_output=True, text=True, check=True)
    assert printed.stdout == (ROOT / "csrc/base/ziggurat.c").read_text()
