"""The lesson in the learner's own system: what the parameters are called there, and own measurements."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from distlab import _core, _units
from distlab.lesson import _page, _sources

SAMPLES_MAX = 2_000_000
DEFAULT_COUNT = 4000


def settings_table(names: Iterable[str]) -> str:
    """Rows: a parameter (`queueing.station.servers`), and what vendors call it."""
    rows, missing = [], []
    for name in names:
        parameter = name.rpartition(".")[2]
        found = _sources.settings(name)
        if not found:
            missing.append(name)
            continue
        for k, entry in enumerate(found):
            label = f"<code>{parameter}</code>" if k == 0 else ""
            rows.append(
                [
                    label,
                    _page.inline(entry["system"]),
                    f"<code>{_page.inline(entry['setting'])}</code>",
                    _page.inline(entry.get("note", "")),
                ]
            )
    if missing:
        raise KeyError(f"settings.toml has no entry for {', '.join(missing)}")
    return _page.table(rows, ["here", "there", "setting", "mind"])


def default_samples() -> np.ndarray:
    """Generated service times, s: most around 8 ms, one in fifty a slow one."""
    rng = np.random.default_rng(2026)
    usual = rng.lognormal(math.log(0.008), 0.45, DEFAULT_COUNT)
    return np.where(rng.random(DEFAULT_COUNT) < 0.02, usual + rng.exponential(0.06, DEFAULT_COUNT), usual)


def read_samples(path: str | Path, column: str | int | None, unit: str) -> tuple[np.ndarray, int]:
    """One column of a CSV file in SI units, and how many rows were no positive number."""
    factor = _core.quantity(f"1{unit}", "s")
    kept: list[float] = []
    skipped = 0
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file)
        first = next(rows, None)
        if first is None:
            raise ValueError(f"{path} is empty")
        titled = any(_number(cell) is None for cell in first)
        place = _column(first, column, titled, path)
        for row in rows if titled else (first, *rows):
            value = _number(row[place]) if place < len(row) else None
            if value is None or not (value > 0 and math.isfinite(value)):
                skipped += 1
            else:
                kept.append(value * factor)
            if len(kept) > SAMPLES_MAX:
                raise ValueError(f"{path} has more than {SAMPLES_MAX} rows; a sample of them is enough")
    if len(kept) < 2:
        raise ValueError(
            f"{path}: column {column!r} has {len(kept)} positive numbers; two are needed at least"
        )
    return np.array(kept), skipped


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _column(first: list[str], column: str | int | None, titled: bool, path: Any) -> int:
    if column is None:
        return 0
    if isinstance(column, int):
        if not 0 <= column < len(first):
            raise ValueError(f"{path} has columns 0 to {len(first) - 1}, not {column}")
        return column
    names = [name.strip() for name in first]
    if not titled or column not in names:
        raise ValueError(
            f"{path} has no column {column!r}" + (f"; it has {', '.join(names)}" if titled else "")
        )
    return names.index(column)


def samples_text(samples: np.ndarray, source: str) -> str:
    """What a learner should know about the numbers just loaded."""
    p50, p99 = np.quantile(samples, [0.5, 0.99])
    scv = samples.var() / samples.mean() ** 2
    shown = [
        ("mean", _units.quantity(samples.mean(), "s", "ms", 3)),
        ("p50", _units.quantity(p50, "s", "ms", 3)),
        ("p99", _units.quantity(p99, "s", "ms", 3)),
        ("squared coefficient of variation", f"{scv:.2g}"),
    ]
    return f"<p>{source}: {samples.size} values, " + ", ".join(f"{k} <b>{v}</b>" for k, v in shown) + ".</p>"
