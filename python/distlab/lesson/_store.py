"""Predictions kept from lesson to lesson, so that a chapter can end with how well its reader was calibrated.

One JSON file beside the notebooks, `.distlab/predictions.json`. `DISTLAB_PREDICTIONS=off` keeps nothing,
another value names another file. Only what a person committed is stored, never a sample guess.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

ENTRIES_MAX = 2000


def place() -> Path | None:
    """The file, or None where the reader does not want one."""
    wanted = os.environ.get("DISTLAB_PREDICTIONS", "").strip()
    if wanted.lower() in ("off", "0", "no", "false"):
        return None
    return Path(wanted) if wanted else Path(".distlab") / "predictions.json"


def load() -> list[dict[str, Any]]:
    """Every stored prediction; an unreadable file counts as empty."""
    path = place()
    if path is None or not path.is_file():
        return []
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["predictions"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    keys = {"lesson", "low", "high", "truth"}
    return [entry for entry in found if isinstance(entry, dict) and keys <= set(entry)]


def save(entry: dict[str, Any]) -> Path | None:
    """Store one prediction; the latest for a lesson and question replaces the one before."""
    path = place()
    if path is None:
        return None
    same = (entry["lesson"], entry.get("question"))
    kept = [old for old in load() if (old["lesson"], old.get("question")) != same]
    text = json.dumps({"version": 1, "predictions": [*kept, entry][-ENTRIES_MAX:]}, indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        os.replace(fresh, path)
    except OSError:
        return None  # a read-only folder must not stop a lesson
    return path
