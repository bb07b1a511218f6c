"""What a lesson puts on the page: boxes of plain HTML that need no network, no kernel and no script.

Every box carries its own small style sheet, because a notebook drops the outputs it does not show. Colours
are half transparent or inherited, so the same box works on a light and on a dark page. Whether a person sits
in front of the page decides how a box behaves: `person()` knows.
"""

from __future__ import annotations

import base64
import html
import os
import re
import string
from typing import Any

CSS = (
    "<style>"
    ".dl{margin:.5em 0;line-height:1.5;max-width:780px;font-size:1em;color:inherit}"
    ".dl p{margin:.35em 0}.dl ul,.dl ol{margin:.35em 0;padding-left:1.6em}"
    ".dl .dl-box{border-left:4px solid #8b93a1;background:rgba(139,147,161,.12);"
    "padding:.55em .9em;border-radius:4px}"
    ".dl .dl-blue{border-color:#2f81d6;background:rgba(47,129,214,.10)}"
    ".dl .dl-amber{border-color:#d98300;background:rgba(217,131,0,.11)}"
    ".dl .dl-green{border-color:#1a9a5c;background:rgba(26,154,92,.11)}"
    ".dl .dl-red{border-color:#d6453d;background:rgba(214,69,61,.11)}"
    ".dl .dl-small{font-size:.87em;opacity:.85}.dl .dl-head{font-weight:600}"
    ".dl .dl-row{display:flex;flex-wrap:wrap;gap:.2em 1.6em}"
    ".dl details{margin:.35em 0}.dl summary{cursor:pointer;padding:.15em 0}"
    ".dl details>div{padding:.1em 0 .3em 1.1em}"
    ".dl img{display:block;width:100%;height:auto;background:#fff;border-radius:6px;margin:.3em 0}"
    ".dl .dl-formula{text-align:center;font-size:1.12em;margin:.6em 0;"
    "font-family:Georgia,'Times New Roman',serif}"
    ".dl table{border-collapse:collapse;margin:.4em 0;font-size:.92em}"
    ".dl tr{background:none!important}"
    ".dl th,.dl td{border:0;border-bottom:1px solid rgba(139,147,161,.4);"
    "padding:.25em .9em .25em 0!important;text-align:left!important;vertical-align:top!important;"
    "background:none!important;max-width:none;color:inherit}"
    ".dl abbr{text-decoration:underline dotted;cursor:help}"
    "</style>"
)


def flag(name: str) -> bool:
    """Is this environment variable switched on?"""
    return os.environ.get(name, "").strip().lower() not in ("", "0", "no", "off", "false")


def person() -> bool:
    """Is somebody there to press a button? Front ends allow questions, executors such as nbclient do not."""
    if os.environ.get("DISTLAB_LIVE"):
        return flag("DISTLAB_LIVE")
    if flag("DISTLAB_FAST") or flag("DISTLAB_BOOK"):
        return False
    kernel = getattr(shell(), "kernel", None)
    return bool(getattr(kernel, "_allow_stdin", False))


def shell() -> Any:
    """The running IPython, or None."""
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    return get_ipython()


def widgets() -> Any:
    """ipywidgets where a person can use them, else None."""
    if not person() or shell() is None:
        return None
    try:
        import ipywidgets
    except ImportError:
        return None
    return ipywidgets


class Box:
    """A piece of a page."""

    def __init__(self, body: str) -> None:
        self.body = body

    def _repr_html_(self) -> str:
        return page(self.body)

    def __repr__(self) -> str:
        return plain(self.body)


def page(body: str) -> str:
    """A body as it goes to the notebook."""
    return f'{CSS}<div class="dl">{body}</div>'


def plain(body: str) -> str:
    """The words of a body, for a terminal."""
    text = re.sub(r"<(br|/p|/li|/div|/tr|/summary)[^>]*>", "\n", body)
    text = html.unescape(re.sub(r"<[^>]+>", "", text))
    return re.sub(r"\n\s*\n+", "\n", text).strip()


def show(body: str) -> None:
    """Put a body on the page; outside a notebook nothing is shown."""
    if shell() is None:
        return
    from IPython.display import display

    display(Box(body))


class _Plain(string.Formatter):
    """str.format whose fields escape what they insert; an unknown name says which names there are."""

    def get_value(self, key: Any, args: Any, kwargs: Any) -> Any:
        if isinstance(key, str) and key not in kwargs:
            raise KeyError(f"the text asks for {{{key}}}; known values: {', '.join(kwargs) or 'none'}")
        return super().get_value(key, args, kwargs)


def inline(text: str, **values: Any) -> str:
    """Light markup to HTML: values filled in, then `code`, **bold**, *emphasis*."""
    filled = _Plain().format(text, **values) if values else text
    line = re.sub(r"[ \t\r\n]+", " ", filled).strip()  # a no-break space stays one
    marked = html.escape(line, quote=False)
    marked = re.sub(r"(?<=\d) ?%", "\u00a0%", marked)  # one way to write per cent, and never alone on a line
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", marked)
    marked = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", marked)
    return re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*", r"<em>\1</em>", marked)


def paragraphs(text: str, **values: Any) -> str:
    """Each block between blank lines as a paragraph."""
    return "".join(f"<p>{inline(block, **values)}</p>" for block in re.split(r"\n\s*\n", text.strip()))


def words(text: str) -> int:
    """Number of words, as a reader counts them."""
    return len(re.findall(r"[^\s]*\w[^\s]*", text))


def box(body: str, colour: str = "") -> str:
    """A coloured strip."""
    return f'<div class="dl-box{" dl-" + colour if colour else ""}">{body}</div>'


def fold(summary: str, body: str) -> str:
    """Something the reader opens; works without a kernel."""
    return f"<details><summary>{summary}</summary><div>{body}</div></details>"


def image(png: bytes, alt: str = "", width: float | None = None) -> str:
    """A PNG that travels inside the page."""
    data = base64.b64encode(png).decode()
    limit = f' style="max-width:{width:.0f}px"' if width else ""
    return f'<img alt="{html.escape(alt)}"{limit} src="data:image/png;base64,{data}">'


def table(rows: list[list[str]], head: list[str]) -> str:
    """A table of finished HTML cells."""
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"
