"""The base of a what-if: a TOML file (or a dict of the same shape) that names model, parameters and data.

Every mistake is one error that names the file, the line where it can be found, the key, and the nearest name.

    model = "queueing.station"      # seed, reps, confidence, title, note, metrics, asserts: optional
    [parameters]
    arrival_rate = "80/s"
    service = "data.measured * 0.8"  # a measured law, faster; "data.measured + 1ms" shifts it
    [data.measured]
    kind = "csv"                     # csv, prometheus, hdr, buckets: the arguments of dl.empirical.from_...
    path = "latency.csv"             # relative to this file
    column = "ms"
    unit = "ms"
    [variants.two_servers]           # optional
    servers = 2
"""

import hashlib
import re
import tomllib
from pathlib import Path

from . import _core, _measured, _params, _units
from ._common import short, unknown
from ._empirical import empirical
from ._model import find
from ._table import Table, table

BYTES_MAX = 2**20
VARIANTS_MAX = 64
KEYS = {
    "model": str, "title": str, "note": str, "seed": int, "reps": int, "confidence": (int, float),
    "metrics": list, "asserts": list, "parameters": dict, "data": dict, "variants": dict,
}  # fmt: skip
READERS = {
    "csv": ("path", "column", "unit", "tail", "delimiter", "samples_max"),
    "prometheus": ("path", "metric", "labels", "since", "unit", "tail", "points"),
    "hdr": ("path", "unit", "tag", "tail", "points"),
    "buckets": ("edges", "counts", "unit", "tail", "points"),
}
NEEDED = {
    "csv": ("path", "column", "unit"),
    "prometheus": ("path", "metric"),
    "hdr": ("path",),
    "buckets": ("edges", "counts"),
}
DATA = re.compile(r"data\.([A-Za-z0-9_-]+)\s*(?:\*\s*([0-9.eE+-]+?))?\s*(?:\+\s*(\S+))?")
WORDS = {str: "text", int: "an integer", (int, float): "a number", list: "a list", dict: "a table"}


class Base:
    """A base that was read: model, settings, parameters of each variant as the library takes them.

    Attributes
    ----------
    model, settings : the model, and what the file says but for parameters, data and variants
    parameters : dict; variants : dict label -> dict
    laws : dict name -> (Distribution, kind, {file name: sha256}) of the data that was used
    path, text : where it was read and what it says; None and "" for a dict
    """

    def __init__(self, given):
        self.path, self.text, self.folder = None, "", Path()
        raw = self._load(given)
        for key, value in raw.items():
            if key not in KEYS:
                raise self.mistake(unknown("key", key, KEYS), "", key)
            if not isinstance(value, KEYS[key]) or isinstance(value, bool):
                raise self.mistake(
                    TypeError(f"{key} must be {WORDS[KEYS[key]]}, not {short(value)}"), "", key
                )
        if "model" not in raw:
            raise self.mistake(ValueError('it must name a model, such as model = "queueing.station"'))
        try:
            self.model = find(raw["model"])
        except (KeyError, ValueError) as error:
            raise self.mistake(error, "", "model") from None
        self.settings = {k: v for k, v in raw.items() if k not in ("parameters", "data", "variants")}
        self._data, self.laws, self._spelled = raw.get("data", {}), {}, {}
        self.parameters = self.values(raw.get("parameters", {}), "parameters")
        self.variants = {}
        for label, changes in raw.get("variants", {}).items():
            if not isinstance(changes, dict):
                text = f"a variant is a table of parameters, not {short(changes)}"
                raise self.mistake(TypeError(text), "variants", label)
            self.variants[label] = self.values(changes, f"variants.{label}")

    def _load(self, given):
        if isinstance(given, dict):
            return given
        if not isinstance(given, (str, Path)):
            raise TypeError(f"base must be the path of a TOML file, or a dict like one, not {short(given)}")
        path = Path(given)
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {path}")
        if path.stat().st_size > BYTES_MAX:
            raise ValueError(f"{path} is larger than {BYTES_MAX} bytes: data goes into files of its own")
        self.path, self.folder = path, path.parent
        try:
            self.text = path.read_text(encoding="utf-8")
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"{path.name}: this is no TOML: {error}") from None
        except UnicodeDecodeError:
            raise ValueError(f"{path.name}: this is no text in UTF-8") from None

    def mistake(self, error, section="", key=None):
        """The same mistake with file, line and section in front."""
        text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
        kind = type(error) if type(error) in (TypeError, ValueError, FileNotFoundError) else ValueError
        if isinstance(error, KeyError):
            kind = _core.UnknownNameError
        place = []
        if self.path is not None:
            place.append(self.path.name)
            line = line_of(self.text, section, key)
            place += [f"line {line}"] if line else []
        if section:
            place.append(section if key is None or key in text else f"{section}.{key}")
        return kind(": ".join([*place, text]))

    def blame(self, error):
        """A mistake that the sweep found, put where its text points: a parameter, or a setting."""
        for section, names in (("parameters", self.parameters), ("", self.settings)):
            for name in names:
                if re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", str(error)):
                    return self.mistake(error, section, name)
        return self.mistake(error)

    def values(self, given, section):
        """Parameters as the library takes them, each one checked."""
        out = {}
        for name, value in given.items():
            try:
                out[name] = self.value(name, value)
                if isinstance(value, str) and not isinstance(out[name], str):
                    self._spelled[id(out[name])] = (out[name], value)  # kept, so that its id stays its own
            except (TypeError, ValueError, KeyError, OSError) as error:
                raise self.mistake(error, section, name) from None
        return out

    def value(self, name, value):
        """One value: data by its name, rows as a table, names as a set; text and numbers as they are."""
        field = self.model.field(name)
        if isinstance(value, str) and field["type"] == "distribution" and value.strip().startswith("data."):
            value = self.law(value.strip())
        elif isinstance(value, list) and field["type"] == "table":
            value = table(value)
        elif isinstance(value, list) and field["type"] == "flags":
            value = frozenset(value)
        stored = _params.convert(self.model, field, value)
        return value if not isinstance(stored, Table) else stored

    def shown(self, name, value):
        """A value as people read it: a law by the words that named it."""
        if id(value) in self._spelled:
            return self._spelled[id(value)][1]
        return _units.value_text(value, self.model.field(name))

    def law(self, text):
        """A measured law, multiplied and shifted as the text says."""
        found = DATA.fullmatch(text)
        if not found:
            raise ValueError(
                f"{short(text)} cannot be read: write data.NAME, data.NAME * 0.8 or data.NAME + 1ms"
            )
        name, times, plus = found.groups()
        if name not in self._data:
            raise unknown("data", name, self._data)
        if name not in self.laws:
            self.laws[name] = self._read(name)
        law = self.laws[name][0]
        if times is not None:
            factor = float(times)
            if not 0 < factor < 1e9:
                raise ValueError(f"{short(text)}: the factor must be positive, not {factor:g}")
            law = _measured.scaled(law, factor)
        return law if plus is None else law + plus

    def _read(self, name):
        section, given = f"data.{name}", dict(self._data[name])
        kind = given.pop("kind", None)
        if kind not in READERS:
            error = (
                unknown("kind", kind, READERS)
                if kind
                else ValueError(f"it needs a kind: {', '.join(READERS)}")
            )
            raise self.mistake(error, section, "kind" if kind else None)
        for key in given:
            if key not in READERS[kind]:
                raise self.mistake(unknown(f"{kind} data: key", key, READERS[kind]), section, key)
        for key in NEEDED[kind]:
            if key not in given:
                raise self.mistake(ValueError(f"{kind} data needs {key}"), section)
        files = {}
        for key in ("path", "since"):
            if key in given:
                path = self.folder / str(given[key])
                if not path.is_file():
                    raise self.mistake(FileNotFoundError(f"{key}: there is no file {path}"), section, key)
                given[key], files[path.name] = path, _sha256(path)
        if kind == "prometheus":
            given["source"] = given.pop("path")
        try:
            return getattr(empirical, f"from_{kind}")(**given), kind, files
        except (TypeError, ValueError, OSError) as error:
            raise self.mistake(error, section) from None


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sets(line, key):
    return re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[.=]", line) is not None


def line_of(text, section, key):
    """The line of a key (or of the head of its section), as the eye finds it; None where it is not plain."""
    here, head = "", None
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r"\s*\[+\s*([^\[\]]+?)\s*\]+\s*(#.*)?$", line)
        if found:
            here = re.sub(r"[\s\"']", "", found[1])
            head = number if here == re.sub(r"[\s\"']", "", section) else head
        elif here == section.replace(" ", "") and key is not None and _sets(line, key):
            return number
    return head
