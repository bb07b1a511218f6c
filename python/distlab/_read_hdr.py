"""HdrHistogram files: the interval log with compressed V2 histograms, and the percentile text (`.hgrm`).

A line of the log is `[Tag=name,]start,length,max,base64`. The payload is big-endian: cookie 0x1c849314,
length, zlib data; inflated: cookie 0x1c849313, payload length, normalizing offset, significant digits, lowest
and highest value (64 bits each), ratio to doubles; then the counts, each as ZigZag LEB128 of at most nine
bytes (the ninth holds eight bits), where a negative number is that many empty cells. Cell i belongs to the
values that share its leading digits: with s sub-buckets a doubling, cells 0 .. 2 s - 1 are linear, each later
s cells are twice as wide as those before. Source: HdrHistogram's published format (Tene; public domain); the
reader was written here.
"""

import base64
import binascii
import math
import re
import struct
import zlib

import numpy as np

from ._common import short
from ._measured import Bins, unit_of

COMPRESSED, PLAIN = 0x1C849304, 0x1C849303  # their low byte's upper half is the word size
HEADER = struct.Struct(">iiiiqqd")
INFLATED_MAX = 64 * 2**20
LINES_MAX = 1_000_000
CELLS_MAX = 8_000_000
PERCENTILE_HEAD = re.compile(r'"?\s*Value"?[\s,]+"?Percentile"?[\s,]+"?TotalCount"?')


def bins(path, unit, tag):
    """(Bins, about) of a log or a percentile text; which of them is seen from its lines."""
    lines = _lines(path)
    if any(PERCENTILE_HEAD.match(line) for _, line in lines):
        return _percentiles(path, lines, "ms" if unit is None else unit)
    return _log(path, lines, "ns" if unit is None else unit, tag)


def _lines(path):
    out = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if number > LINES_MAX:
                raise ValueError(f"from_hdr: {path.name} has more than {LINES_MAX} lines")
            if line.strip():
                out.append((number, line.strip()))
    return out


# The interval log


def _log(path, lines, unit, tag):
    name, chosen, tags = path.name, [], {}
    for number, line in lines:
        if line.startswith(("#", '"')):
            continue
        where, words = f"{name}: line {number}", line.split(",")
        label = words.pop(0)[4:] if words[0].startswith("Tag=") else None
        if len(words) != 4:
            raise ValueError(
                f"{where}: {short(line)} is no line of a log: [Tag=name,]start,length,max,histogram"
            )
        tags[label] = tags.get(label, 0) + 1
        chosen.append((where, label, words[3]))
    if not chosen:
        raise ValueError(f"{name}: it holds no histogram: neither interval log nor percentile text")
    tag = _tag(name, tags, tag)
    cells, shape, used = {}, None, 0
    for where, label, payload in chosen:
        if label != tag:
            continue
        this, counts = decode(payload, where)
        if shape is not None and this != shape:
            raise ValueError(f"{where}: its digits or lowest value differ from those of the lines before")
        shape, used = this, used + 1
        for index, count in counts:
            cells[index] = cells.get(index, 0) + count
    low, high = edges(np.array(sorted(cells), np.int64), shape)
    si, factor = unit_of(unit)
    made = Bins(low * factor, high * factor, [cells[i] for i in sorted(cells)])
    notes = (f"{used} interval{'s' if used != 1 else ''} merged", f"numbers read as {unit}")
    notes += (f"{shape[0]} significant digits",)
    origin = name if tag is None else f"{name}, tag {tag}"
    return made, {"reader": "from_hdr", "origin": origin, "unit": si, "notes": notes}


def _tag(name, tags, tag):
    """The tag to read: the one asked for, the lines without a tag, or the only one there is."""
    if tag is None and (None in tags or len(tags) == 1):
        return None if None in tags else next(iter(tags))
    if tag not in tags:
        have = ", ".join(sorted(t for t in tags if t)) or "none"
        raise ValueError(f"{name}: tag={tag!r}: pick one of the tags of this log ({have})")
    return tag


def decode(payload, where):
    """((digits, lowest, ratio), [(cell, count)]) of one base64 word."""
    try:
        raw = base64.b64decode(payload.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"{where}: the histogram is not base64") from None
    if len(raw) < 8:
        raise ValueError(f"{where}: the histogram is cut off after {len(raw)} bytes")
    cookie, length = struct.unpack(">ii", raw[:8])
    if cookie & ~0xF0 != COMPRESSED:
        raise ValueError(
            f"{where}: cookie {cookie & 0xFFFFFFFF:#x} is no compressed V2 histogram (0x1c849314)"
        )
    if length != len(raw) - 8:
        raise ValueError(
            f"{where}: the histogram has {len(raw) - 8} compressed bytes, not the {length} it names"
        )
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(raw[8:], INFLATED_MAX)
    except zlib.error as error:
        raise ValueError(f"{where}: the histogram cannot be inflated ({error})") from None
    if inflater.unconsumed_tail:
        raise ValueError(f"{where}: the histogram is larger than {INFLATED_MAX} bytes")
    return _header(data, where)


def _header(data, where):
    if len(data) < HEADER.size:
        raise ValueError(f"{where}: the inflated histogram is cut off after {len(data)} bytes")
    cookie, length, offset, digits, lowest, _, ratio = HEADER.unpack_from(data)
    if cookie & ~0xF0 != PLAIN:
        raise ValueError(f"{where}: inflated cookie {cookie & 0xFFFFFFFF:#x} is no V2 histogram (0x1c849313)")
    if length != len(data) - HEADER.size:
        raise ValueError(
            f"{where}: {len(data) - HEADER.size} bytes of counts, not the {length} the header names"
        )
    if not 0 <= digits <= 5 or lowest < 1 or not 0 < ratio < math.inf:
        raise ValueError(f"{where}: {digits} digits, lowest value {lowest}, ratio {ratio:g}: out of range")
    if offset:
        raise ValueError(f"{where}: a shifted histogram (normalizing offset {offset}) is not read here")
    return (digits, lowest.bit_length() - 1, ratio), _counts(data[HEADER.size :], where)


def _counts(data, where):
    """Cells that are not empty, in order."""
    out, cell, at = [], 0, 0
    while at < len(data):
        word, shift = 0, 0
        while True:
            if at >= len(data):
                raise ValueError(f"{where}: the last count is cut off")
            byte = data[at]
            at += 1
            if shift == 56:
                word |= byte << 56
                break
            word |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        value = (word >> 1) ^ -(word & 1)
        if value < 0:
            cell -= value
        else:
            if value:
                out.append((cell, value))
            cell += 1
        if cell > CELLS_MAX:
            raise ValueError(f"{where}: more than {CELLS_MAX} cells")
    return out


def edges(cells, shape):
    """Lower and upper edges of cells, in the recorded unit."""
    digits, unit_bits, ratio = shape
    half_bits = max(math.ceil(math.log2(2 * 10**digits)), 1) - 1
    half = 1 << half_bits
    bucket = (cells >> half_bits) - 1
    sub = np.where(bucket < 0, cells, (cells & (half - 1)) + half)
    width = np.exp2(np.maximum(bucket, 0) + unit_bits)
    low = sub * width
    return low * ratio, (low + width) * ratio


# The percentile text


def _percentiles(path, lines, unit):
    """Value, percentile, cumulative count: the curve is linear between the rows."""
    name, at, count, started, told = path.name, [], [], False, math.nan
    for number, line in lines:
        if PERCENTILE_HEAD.match(line):
            started = True
            continue
        if not started:
            continue
        if line.startswith("#"):
            found = re.search(r"Mean\s*=\s*([0-9.eE+-]+)", line)
            told = float(found[1]) if found else told
            continue
        words = line.replace(",", " ").split()
        try:
            value, _, total = (float(w) for w in words[:3])
        except ValueError:
            if at and not line[0].isdigit():
                break  # what a load generator prints after the table
            raise ValueError(
                f"{name}: line {number}: {short(line)} is no row: value percentile count"
            ) from None
        if at and (value < at[-1] or total < count[-1]):
            raise ValueError(f"{name}: line {number}: values and counts must rise, but {short(line)} falls")
        at.append(value)
        count.append(total)
    if not at:
        raise ValueError(f"{name}: there is no row under the head of the percentiles")
    si, factor = unit_of(unit)
    at = np.array(at) * factor
    made = Bins(np.concatenate([at[:1], at[:-1]]), at, np.diff(count, prepend=0.0))
    notes = (f"numbers read as {unit}", "a percentile text is coarser than its histogram")
    return made, {"reader": "from_hdr", "origin": name, "unit": si, "notes": notes, "told": told * factor}
