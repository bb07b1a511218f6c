"""One operation of a history, and its values in words."""

import json
import re
from typing import NamedTuple

OUTCOMES = ("invoke", "ok", "fail", "info")
NIL, INT, BOOL, TEXT, LIST = range(5)  # kinds of values, as the core numbers them
NEVER = 2**63 - 1  # the time of an answer that did not come


class Operation(NamedTuple):
    """One operation: what was asked, when, and what came back.

    `outcome` is "ok", "fail" or "info" (unknown: it may have happened, at any time from its call on, or
    never); `call` and `ret` are nanoseconds, `ret` is None where no answer came.
    """

    index: int
    process: int
    f: str
    key: object
    argument: object
    result: object
    outcome: str
    call: int
    ret: int | None

    def __str__(self):
        return describe(self)


def describe(op):
    """An operation in words: process 3 write 7 (key 1): ok."""
    words = f"process {op.process} {op.f}"
    words += f" {value_text(op.argument)}" if op.argument is not None else ""
    words += f" (key {value_text(op.key)})" if op.key is not None else ""
    if op.outcome == "ok" and op.result is not None and op.result != op.argument:
        return f"{words} = {value_text(op.result)}"
    if op.outcome == "ok" and op.argument is None and op.result is None:
        return f"{words} = nil" if op.f in ("read", "get", "dequeue", "pop") else f"{words}: ok"
    return f"{words}: {'no answer' if op.outcome == 'info' else op.outcome}"


def value_text(value, width=40):
    """A value as people read it: nil, 3, true, "x", [1 2]."""
    if value is None:
        text = "nil"
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str):
        text = value if re.fullmatch(r"[:'\w./+-]+", value) else json.dumps(value, ensure_ascii=False)
    elif isinstance(value, list):
        text = f"[{' '.join(value_text(v) for v in value[:20])}{' ...' if len(value) > 20 else ''}]"
    else:
        text = str(value)
    return text if len(text) <= width else text[: width - 1] + "…"


def plain(text):
    """An interned text as Python has it: a fraction where it stands for one."""
    if text.startswith("##") and "/" not in text and not text.endswith("M"):
        body = text[2:]
        try:
            return int(body) if body.lstrip("-").isdigit() else float(body)
        except ValueError:
            return text
    if text.startswith('"') and text.lstrip('"\\').startswith("##"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
