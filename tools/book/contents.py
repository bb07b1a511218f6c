"""The pages made from notebooks/curriculum.toml: lessons by chapter, gallery, skill map, topics, terms."""

from __future__ import annotations

import html
import re
from typing import Any

PITCH, TILE, LABEL, ROW, TOP = 47, 40, 205, 46, 10
DASH = "—"


def page_of(entry: dict[str, Any]) -> str:
    """Where a lesson's page is, from the root of the book, without its suffix."""
    return "lessons/" + entry["path"].removesuffix(".ipynb")


def by_chapter(curriculum: dict[str, Any]) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    lessons: dict[int, list[dict[str, Any]]] = {}
    for lesson in curriculum["lesson"]:
        lessons.setdefault(int(lesson["id"][1:3]), []).append(lesson)
    return [(chapter, lessons.get(chapter["number"], [])) for chapter in curriculum["chapter"]]


def cell(text: str) -> str:
    """Text as a cell of a Markdown table."""
    return re.sub(r"([|*_<>\[\]`])", r"\\\1", " ".join(text.split()))


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines) + "\n"


def raw(body: str) -> str:
    return f"```{{raw}} html\n{body}\n```\n"


def toctree(pages: list[str], *options: str) -> str:
    return "```{toctree}\n" + "".join(f":{o}\n" for o in options) + "\n" + "\n".join(pages) + "\n```\n"


class Book:
    """What the pages have in common: the curriculum, and which of its lessons are in this book."""

    def __init__(self, curriculum: dict[str, Any], entries: list[dict[str, Any]]) -> None:
        self.curriculum, self.entries = curriculum, entries
        self.lesson = {entry["id"]: entry for entry in curriculum["lesson"]}
        self.here = {entry["id"] for entry in entries}

    def link(self, name: str, up: str = "", title: bool = True) -> str:
        """A lesson as a Markdown link; planned ones as words."""
        entry = self.lesson[name]
        words = f"{name} {cell(entry['title'])}" if title else name
        return f"[{words}]({up}{page_of(entry)}.ipynb)" if name in self.here else words

    def lessons(self) -> str:
        """The list of lessons that are in the book, by chapter."""
        parts = [
            "# Lessons\n\nEach asks one question, lets you guess, and then measures.\n",
            f"{len(self.entries)} of {len(self.lesson)} planned lessons are written; ",
            "the [skill map](../map.md) shows all of them.\n",
        ]
        for chapter, lessons in by_chapter(self.curriculum):
            mine = [e for e in lessons if e["id"] in self.here]
            if mine:
                rows = [
                    [self.link(e["id"], "../"), cell(e["question"]), e["level"], f"{e['minutes']} min"]
                    for e in mine
                ]
                parts.append(
                    f"\n## {chapter['number']} {chapter['title']}\n\n{chapter['arc']}\n\n"
                    + table(["lesson", "question", "level", "time"], rows)
                )
        pages = [page_of(e).removeprefix("lessons/") for e in self.entries]
        return "".join(parts) + "\n" + toctree(pages, "hidden:")

    def gallery(self) -> str:
        """One picture for each lesson, with its question."""
        parts = ["# Gallery\n\nOne picture for each lesson, and the question that it answers.\n"]
        for chapter, lessons in by_chapter(self.curriculum):
            mine = [e for e in lessons if e["id"] in self.here]
            if mine:
                cards = "\n".join(map(self.card, mine))
                parts.append(f"\n## {chapter['title']}\n\n" + raw(f'<div class="bk-cards">\n{cards}\n</div>'))
        return "".join(parts)

    @staticmethod
    def card(entry: dict[str, Any]) -> str:
        question, title = html.escape(entry["question"]), html.escape(f"{entry['id']} {entry['title']}")
        return (
            f'<a class="bk-card" href="{page_of(entry)}.html">'
            f'<img loading="lazy" src="_static/gallery/{entry["id"]}.png" alt="{title}">'
            f'<span class="bk-question">{question}</span><span class="bk-title">{title}</span></a>'
        )

    def topics(self, titles: dict[str, str]) -> str:
        """Lessons by the topics of published curricula; the same title in two of them is one row."""
        carriers: dict[str, list[str]] = {}
        for entry in self.curriculum["lesson"]:
            for tag in entry["topics"]:
                found = carriers.setdefault(titles[tag], [])
                if entry["id"] not in found:
                    found.append(entry["id"])
        rows = [
            [cell(title[0].upper() + title[1:]), ", ".join(map(self.link, names))]
            for title, names in sorted(carriers.items(), key=lambda item: item[0].lower())
        ]
        return (
            "# Topics\n\nWhere a topic is taught. The list is that of five published curricula; words "
            "without a link are lessons that are planned.\n\n" + table(["topic", "lessons"], rows)
        )

    def terms(self, glossary: dict[str, Any]) -> str:
        """The glossary, with the lessons that teach or use each term."""
        users: dict[str, list[str]] = {}
        for entry in self.curriculum["lesson"]:
            for term in entry["terms"]:
                users.setdefault(term, []).append(entry["id"])
        parts = ["# Terms\n\nEvery term that a lesson teaches or uses.\n"]
        for key, term in glossary.items():
            unit = f" Unit: {term['unit']}." if term.get("unit", "1") != "1" else ""
            lessons = ", ".join(self.link(name, title=name in self.here) for name in users.get(key, []))
            see = ", ".join(
                f"[{cell(glossary[k]['name'])}](#term-{k.replace('_', '-')})" for k in term.get("see", [])
            )
            parts.append(
                f"\n(term-{key.replace('_', '-')})=\n"
                f"**{cell(term['name'])}.** {cell(term['definition'])}{unit}\n"
                f"{f'See {see}. ' if see else ''}Lessons: {lessons}.\n"
            )
        return "".join(parts)

    def map(self) -> str:
        """The skill map: a drawing, and the same as a table for those who do not see it."""
        head = (
            "# Skill map\n\nAll lessons, a row for each chapter. A lesson builds on those it needs. Point at "
            "one to see what it needs (blue) and what it leads to (orange); tick what you have learned, in "
            "this browser, and the next ones open.\n"
        )
        key = (
            '<p><span class="bk-key ready"></span> written &nbsp; <span class="bk-key"></span> planned '
            '&nbsp; <span class="bk-key learned"></span> learned &nbsp; '
            '<span class="bk-key next"></span> next</p>'
            '<div class="bk-chosen" aria-live="polite"><p>Point at a lesson or choose it.</p></div>'
        )
        parts = [head, raw(key + self.svg() + '<script src="_static/map.js" defer></script>')]
        for chapter, lessons in by_chapter(self.curriculum):
            rows = [
                [
                    self.link(e["id"]),
                    e["level"],
                    f"{e['minutes']}",
                    ", ".join(e["needs"]) or DASH,
                    ", ".join(e["leads_to"]) or DASH,
                    "written" if e["id"] in self.here else "planned",
                ]
                for e in lessons
            ]
            parts.append(
                f"\n## {chapter['number']} {chapter['title']}\n\n"
                + table(["lesson", "level", "min", "needs", "leads to", "state"], rows)
            )
        return "".join(parts)

    def svg(self) -> str:
        """Tiles in rows, and an edge from each lesson to those that need it."""
        chapters = by_chapter(self.curriculum)
        place = {
            e["id"]: (LABEL + PITCH * x, TOP + ROW * y)
            for y, (_, lessons) in enumerate(chapters)
            for x, e in enumerate(lessons)
        }
        wide = max(x for x, _ in place.values()) + PITCH
        edges = "".join(edge(place, need, e["id"]) for e in self.curriculum["lesson"] for need in e["needs"])
        labels = "".join(
            f'<text x="0" y="{TOP + ROW * y + 17}">{c["number"]} {html.escape(c["title"])}</text>'
            for y, (c, _) in enumerate(chapters)
        )
        tiles = "".join(self.tile(e, *place[e["id"]]) for e in self.curriculum["lesson"])
        return (
            f'<svg class="bk-map" viewBox="0 0 {wide} {TOP + ROW * len(chapters)}" role="group" '
            f'aria-label="Skill map of {len(place)} lessons">{edges}{labels}{tiles}</svg>'
        )

    def tile(self, entry: dict[str, Any], x: int, y: int) -> str:
        here = entry["id"] in self.here
        page = f"{page_of(entry)}.html" if here else f"#{entry['id']}"
        facts = {
            "id": entry["id"], "title": entry["title"], "question": entry["question"], "page": page,
            "needs": " ".join(entry["needs"]), "leads": " ".join(entry["leads_to"]),
        }  # fmt: skip
        data = "".join(f' data-{k}="{html.escape(v, quote=True)}"' for k, v in facts.items())
        title = html.escape(f"{entry['id']} {entry['title']}")
        return (
            f'<a id="{entry["id"]}" class="tile{" ready" if here else ""}" href="{page}"{data}>'
            f"<title>{title}</title>"
            f'<rect x="{x}" y="{y}" width="{TILE}" height="24" rx="5"/>'
            f'<text x="{x + TILE // 2}" y="{y + 16}">{entry["id"][1:]}</text></a>'
        )


def edge(place: dict[str, tuple[int, int]], start: str, end: str) -> str:
    """A curve from below one tile to above another; within a row it hangs below the row."""
    (x0, y0), (x1, y1) = place[start], place[end]
    x0, x1, y0 = x0 + TILE // 2, x1 + TILE // 2, y0 + 24
    if y1 < y0:
        path = f"M{x0} {y0}C{x0} {y0 + 18} {x1} {y0 + 18} {x1} {y1 + 24}"
    else:
        bend = max(14, (y1 - y0) // 2)
        path = f"M{x0} {y0}C{x0} {y0 + bend} {x1} {y1 - bend} {x1} {y1}"
    return f'<path class="edge" data-from="{start}" data-to="{end}" d="{path}"/>'
