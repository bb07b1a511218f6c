"""A checkpoint: one SQLite file with the finished tasks of one sweep, written by the driver alone.

The key of a row is (model, version, parameters, seed, point, repetition). What all rows of a sweep share
stands once, in the table `sweep`; a task is a rectangle of points and repetitions in the table `tasks`.
Every write is one transaction, so a driver that is killed loses nothing it had written. A file is looked at
before anything is written: what is foreign, damaged or of another sweep stays as it is.
"""

import functools
import hashlib
import json
import os
import sqlite3
import stat
import zlib

import numpy as np

from . import _block, _core, _provenance
from ._common import short

FORMAT = 1
MARK = 0x444C4142  # application_id of our files: "DLAB"
MAGIC = b"SQLite format 3\0"
TEXT_SHOWN = 60
LEVEL = 1
WAIT_SECONDS = 1.0
SWEEP_TABLE = "CREATE TABLE sweep (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
TASKS_TABLE = """CREATE TABLE tasks (point INTEGER, rep INTEGER, points INTEGER NOT NULL,
    reps INTEGER NOT NULL, head TEXT NOT NULL, body BLOB NOT NULL, sum TEXT NOT NULL,
    PRIMARY KEY (point, rep))"""


def _path(path):
    """The path of a checkpoint as text."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"checkpoint must be the name of a file, not {short(path)}")
    path = os.fspath(path)
    if not isinstance(path, str) or not path or "\0" in path:
        raise ValueError(f"checkpoint = {short(path)} is not the name of a file")
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"checkpoint {path}: there is no directory {folder}")
    return path


# What makes two sweeps the same


@functools.cache
def _build():
    """The core this process runs, so that rows of two builds are never mixed."""
    with open(_core.__file__, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()[:16]


def identity(job, crn):
    """{name: text} of everything a row depends on; long texts are replaced by their hash."""
    model = job.model
    layout = [repr(model.params_dtype), repr(model.metrics_dtype)]
    layout += [[output["name"], repr(output["dtype"])] for output in model.outputs]
    keep = {
        name: grid.tolist() if isinstance(grid, np.ndarray) else grid is None or int(grid)
        for name, grid in job.keep.items()
    }
    out = {
        "model": model.name, "version": _core.VERSION, "build": _build(), "layout": _short(repr(layout)),
        "seed": str(job.seed), "crn": str(crn), "points": str(len(job.rows)), "keep": _short(repr(keep)),
        "budget steps": str(job.budget["steps"]), "budget memory": str(job.budget["memory"]),
    }  # fmt: skip
    for field in model.fields:
        text = _provenance.field_text(model, field, job.rows, job.pool)
        out[f"parameter {field['name']}"] = _short(text)
    return out


def _short(text):
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return text if len(text) <= TEXT_SHOWN else f"{text[: TEXT_SHOWN - 30]}... (sha256 {digest})"


def _differences(there, here):
    """What differs, in words."""
    names = [name for name in here | there if there.get(name) != here.get(name)]
    told = [name for name in ("model", "version") if name in names]
    if not told and ("build" in names or "layout" in names):
        return f"it was written by another build of distlab {here['version']}"
    lines = [
        f"{name.removeprefix('parameter ')} is {there.get(name, 'unknown')} there and {here[name]} here"
        for name in told or names
        if name in here
    ]
    return "; ".join(lines[:4]) + (f"; and {len(lines) - 4} more" if len(lines) > 4 else "")


# Blocks as bytes


def _pack(block):
    """(head, body): JSON that says which arrays there are, and their bytes one after another."""
    plain = _block.to_plain(block)
    arrays = [("metrics", plain["metrics"]), ("fingerprints", plain["fingerprints"])]
    arrays.append(("buckets", plain["buckets"]))
    for name, (rows, offsets) in plain["outputs"].items():
        arrays += [(f"rows/{name}", rows), (f"offsets/{name}", offsets)]
    for name, columns in plain["series"].items():
        arrays += [(f"series/{name}/{column}", values) for column, values in columns.items()]
    head = {"arrays": [[name, list(a.shape)] for name, a in arrays], "failures": plain["failures"]}
    return json.dumps(head), zlib.compress(b"".join(a.tobytes() for _, a in arrays), LEVEL)


def _unpack(model, where, head, body):
    """The block of a task."""
    head, body = json.loads(head), bytearray(zlib.decompress(body))
    plain, at = {"where": where, "outputs": {}, "series": {}}, 0
    for name, shape in head["arrays"]:
        kind, _, rest = name.partition("/")
        dtype = _dtype(model, kind, rest)
        count = int(np.prod(shape))
        array = np.frombuffer(body, dtype, count, at).reshape(shape)
        at += count * dtype.itemsize
        if kind in ("rows", "offsets"):
            plain["outputs"].setdefault(rest, [None, None])[kind == "offsets"] = array
        elif kind == "series":
            output, _, column = rest.partition("/")
            plain["series"].setdefault(output, {})[column] = array
        else:
            plain[kind] = array
    plain["outputs"] = {name: tuple(pair) for name, pair in plain["outputs"].items()}
    plain["failures"] = [tuple(failure) for failure in head["failures"]]
    return _block.from_plain(plain)


def _sum(*columns):
    """A sum over everything a row of the file says, because SQLite has none."""
    digest = hashlib.sha256(repr(columns[:-1]).encode("utf-8", "surrogateescape"))
    digest.update(columns[-1] if isinstance(columns[-1], bytes) else b"")
    return digest.hexdigest()[:32]


def _dtype(model, kind, name):
    if kind == "metrics":
        return model.metrics_dtype
    if kind == "rows":
        return model.outputs[name]["dtype"]
    return np.dtype(np.float64 if kind == "series" else np.uint64)


# The file


class Checkpoint:
    """The file of a sweep, open and locked. Context manager."""

    def __init__(self, path, job, crn):
        self.path, self.model, self._mask = _path(path), job.model, job.mask
        self._mine = identity(job, crn)
        self._total, self._blocks = 0, []

    def __enter__(self):
        try:
            self._look()
            try:
                self._db = sqlite3.connect(self.path, timeout=WAIT_SECONDS, isolation_level=None)
            except sqlite3.Error as error:
                raise self._told(error) from None
            try:
                self._open()
            except BaseException:
                self._db.close()
                raise
        except OSError as error:
            if error.filename is None:
                raise
            raise type(error)(f"checkpoint {self.path} cannot be opened: {error.strerror}") from None
        return self

    def __exit__(self, *exc):
        self._db.close()

    def _look(self):
        """Refuse what is no file of ours by its first bytes, before SQLite touches it."""
        try:
            mode = os.stat(self.path).st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISREG(mode):
            raise ValueError(f"checkpoint {self.path} is no ordinary file")
        with open(self.path, "rb") as file:
            head = file.read(100)
        if not head:
            return
        if not head.startswith(MAGIC):
            raise ValueError(f"checkpoint {self.path} is no SQLite file: it is left as it is")
        if len(head) < 100 or int.from_bytes(head[68:72], "big") != MARK:
            raise ValueError(f"checkpoint {self.path} is an SQLite file that distlab did not write: "
                             "it is left as it is")  # fmt: skip
        if (form := int.from_bytes(head[60:64], "big")) != FORMAT:
            raise ValueError(f"checkpoint {self.path} has format {form}; this version reads format {FORMAT}")

    def _open(self):
        try:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("BEGIN EXCLUSIVE")
            if self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                self._create()
            else:
                self._read()
            self._db.execute("COMMIT")
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise self._told(error) from None

    def _create(self):
        self._db.execute(f"PRAGMA application_id = {MARK}")
        self._db.execute(f"PRAGMA user_version = {FORMAT}")
        self._db.execute(SWEEP_TABLE)
        self._db.execute(TASKS_TABLE)
        self._db.executemany("INSERT INTO sweep VALUES (?, ?)", list(self._mine.items()))

    def _read(self):
        """Compare and load; a file without any rows is taken over, else nothing is written."""
        check = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if check != "ok":
            raise ValueError(f"checkpoint {self.path} is damaged and left as it is: {check}")
        there = dict(self._db.execute("SELECT name, value FROM sweep"))
        if there != self._mine and self._db.execute("SELECT count(*) FROM tasks").fetchone()[0] == 0:
            # A sweep that was refused or ended before its first task: there is nothing to lose.
            self._db.execute("DELETE FROM sweep")
            self._db.executemany("INSERT INTO sweep VALUES (?, ?)", list(self._mine.items()))
            return
        if there != self._mine:
            raise ValueError(
                f"checkpoint {self.path} belongs to another sweep: {_differences(there, self._mine)}"
            )
        for p, r, points, reps, head, body, told in self._db.execute(
            "SELECT * FROM tasks ORDER BY point, rep"
        ):
            if told != _sum(p, r, points, reps, head, body):
                raise ValueError(f"checkpoint {self.path} is damaged and left as it is: a sum does not agree")
            block = _unpack(self.model, (p, p + points, r, r + reps), head, body)
            self._blocks.append(block)
            self._total += block.metrics.size
        masked = sum(len(block.failures) for block in self._blocks)
        if masked and not self._mask:
            raise ValueError(
                f"checkpoint {self.path} holds {masked} rows that failed: go on with errors='mask'"
            )

    def blocks(self, r0, r1):
        """What the file holds of repetitions r0..r1; each row once."""
        parts = (_block.cut(self.model, block, r0, r1) for block in self._blocks)
        return [part for part in parts if part is not None]

    def add(self, blocks):
        """Write finished blocks in one transaction."""
        rows = []
        for block in blocks:
            p0, p1, r0, r1 = block.where
            row = (p0, r0, p1 - p0, r1 - r0, *_pack(block))
            rows.append((*row, _sum(*row)))
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            self._db.execute("COMMIT")
        except BaseException as error:
            self._back()
            if isinstance(error, sqlite3.Error):
                raise self._told(error) from None
            raise
        self._total += sum(block.metrics.size for block in blocks)

    def _back(self):
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except sqlite3.Error:
            return  # the error that brought us here says more

    def _told(self, error):
        """What SQLite says, as an exception that says what to do."""
        text, name = str(error), getattr(error, "sqlite_errorname", "") or ""
        if name.startswith("SQLITE_BUSY"):
            return BlockingIOError(f"checkpoint {self.path} is in use by another sweep")
        damaged = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR")
        if isinstance(error, UnicodeDecodeError) or name.startswith(damaged):
            return ValueError(f"checkpoint {self.path} is damaged and left as it is: {text}")
        return OSError(
            f"checkpoint {self.path} cannot be written: {text}; it holds {self._total} finished rows, "
            "and the same call goes on from there once it can be written"
        )
