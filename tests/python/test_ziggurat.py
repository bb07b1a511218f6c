"""The ziggurat tables in the repository are what tools/ziggurat.py prints."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_committed_tables_are_what_the_tool_prints():
    command = [sys.executable, ROOT / "tools/ziggurat.py"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed == (ROOT / "csrc/base/ziggurat.c").read_text()
