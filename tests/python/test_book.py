"""The book: a small one is built without a warning, everything in it resolves, and nothing is fetched."""

import inspect
import json
import os
import re
import struct
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

import distlab
from test_diagram_browser import driver  # noqa: F401, the browser

ROOT = Path(__file__).resolve().parents[2]
LESSON = "L00.01"
CURRICULUM = tomllib.loads((ROOT / "notebooks/curriculum.toml").read_text())
LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "object": "data"}
sys.path.insert(0, str(ROOT / "tools"))


class Page(HTMLParser):
    """What a page loads, where it links to, and the places inside it."""

    def __init__(self, path):
        super().__init__()
        self.loads, self.links, self.ids, self.styles = [], [], set(), []
        self.text = path.read_text()
        self.feed(self.text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids.update(found[k] for k in ("id", "name") if found.get(k))
        if found.get(LOADING.get(tag)):
            self.loads.append(found[LOADING[tag]])
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        self.styles.append(found.get("style") or "")


def build(folder):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DISTLAB_")}
    package = str(Path(distlab.__file__).resolve().parents[1])  # the one that is under test here
    command = [sys.executable, ROOT / "tools/book", folder / "book", "--lessons", LESSON]
    return subprocess.run(
        list(map(str, command)),
        env=kept | {"DISTLAB_FAST": "1", "PYTHONPATH": package, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The folder of a book with one lesson, and what its build printed."""
    for name in ("sphinx", "myst_nb", "furo"):
        pytest.importorskip(name, reason=f"optional: {name} is not installed")
    folder = tmp_path_factory.mktemp("library")
    done = build(folder)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return folder / "book", done


@pytest.fixture(scope="module")
def pages(book):
    return {path: Page(path) for path in book[0].rglob("*.html")}


def test_the_build_warns_of_nothing(book):
    assert "WARNING: " not in book[1].stderr and "ERROR" not in book[1].stderr, book[1].stderr
    assert "1 lessons executed" in book[1].stdout


def test_nothing_is_fetched(book, pages):
    for path, page in pages.items():
        outside = [url for url in page.loads if re.match(r"(https?:)?//", url)]
        assert not outside, f"{path.name} loads {outside}"
        assert not [s for s in page.styles if re.search(r"url\(\s*['\"]?(https?:)?//", s)]
        assert not re.search(r"@import|cdn\.|unpkg|googleapis", page.text), path.name
    for path in book[0].rglob("*.css"):
        assert not re.search(r"url\(\s*['\"]?(https?:)?//|@import", path.read_text()), path.name
    for path in book[0].rglob("*.js"):
        assert not re.search(r"(fetch|import|importScripts)\(\s*['\"](https?:)?//", path.read_text()), path


def test_links_resolve(book, pages):
    """Every relative link leads to a file of the book, every fragment to a place on that page."""
    count = 0
    for path, page in pages.items():
        for url in [*page.links, *page.loads]:
            if re.match(r"[a-z]+:|//", url):
                continue
            name, fragment = urldefrag(url)
            target = (path.parent / unquote(name.partition("?")[0])).resolve() if name else path
            assert target.is_file(), f"{path.relative_to(book[0])}: {url}"
            if fragment and target.suffix == ".html" and target in pages:
                assert unquote(fragment) in pages[target].ids, f"{path.relative_to(book[0])}: {url}"
            count += 1
    assert count > 1000


def test_every_page_of_docs_and_every_model_is_there(book, pages):
    names = {path.relative_to(book[0]).as_posix() for path in pages}
    pages_by_hand = (ROOT / "docs").rglob("*.md")
    wanted = {f"{p.relative_to(ROOT / 'docs').with_suffix('')}.html" for p in pages_by_hand}
    for name in re.findall(r"X\(dlab_(\w+)\)", (ROOT / "csrc/app/registry.c").read_text()):
        family, _, leaf = name.partition("_")
        wanted |= {f"reference/{kind}/{family}.{leaf}.html" for kind in ("models", "source")}
    assert wanted <= names, wanted - names
    assert "fifo" in pages[book[0] / "reference/models/queueing.station.html"].text


def test_the_gallery_has_a_picture_and_the_question_of_each_lesson(book, pages):
    page = pages[book[0] / "gallery.html"]
    assert '<a class="bk-card" href="lessons/00_start_here/01_run_sweep_plot.html">' in page.text
    assert page.text.count('class="bk-card"') == 1
    assert "What can you learn from one run?" in page.text
    png = (book[0] / f"_static/gallery/{LESSON}.png").read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", png[16:24]) == (1280, 720)


def test_a_full_gallery_has_every_ready_lesson():
    """The page as `make book` writes it, before anything is executed."""
    sys.path.insert(0, str(ROOT / "tools/book"))
    import contents

    ready = [entry for entry in CURRICULUM["lesson"] if entry["status"] == "ready"]
    text = contents.Book(CURRICULUM, ready).gallery()
    assert [text.count(f'"_static/gallery/{e["id"]}.png"') for e in ready] == [1] * len(ready)


def test_the_skill_map_shows_every_lesson_and_every_need(book, pages):
    text = pages[book[0] / "map.html"].text
    tiles = dict(re.findall(r'<a id="(L\d\d\.\d\d)" class="tile([^"]*)"', text))
    assert set(tiles) == {entry["id"] for entry in CURRICULUM["lesson"]}
    assert [name for name, marks in tiles.items() if "ready" in marks] == [LESSON]
    edges = sorted(re.findall(r'data-from="(L[\d.]+)" data-to="(L[\d.]+)"', text))
    assert edges == sorted((need, e["id"]) for e in CURRICULUM["lesson"] for need in e["needs"])


def test_topics_and_terms_are_complete(book, pages):
    titles = tomllib.loads((ROOT / "docs/topics.toml").read_text())
    sources = CURRICULUM["sources"]
    tags = {tag for kind in ("topics", "subtopics") for listed in sources[kind].values() for tag in listed}
    assert set(titles) == tags
    text = pages[book[0] / "topics.html"].text
    assert "Latency vs Throughput" in text and "Eventual Consistency" in text
    glossary = tomllib.loads((ROOT / "notebooks/glossary.toml").read_text())
    assert {f"term-{key.replace('_', '-')}" for key in glossary} <= pages[book[0] / "terms.html"].ids


def test_the_python_page_has_every_public_name(book, pages):
    found = pages[book[0] / "reference/python.html"]
    names = [n for n in distlab.__all__ if n not in ("__version__", "lesson")]
    missing = [n for n in names if f"<h3>{n}<" not in found.text]
    assert not missing
    code = "import sys; sys.path.insert(0, sys.argv[1]); import api, pathlib\n"
    code += "api.text(pathlib.Path(sys.argv[2])); print(sorted(sys.modules))"
    words = [sys.executable, "-c", code, str(ROOT / "tools/book"), str(Path(distlab.__file__).parent)]
    loaded = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert "'numpy'" not in loaded and "'distlab'" not in loaded


@pytest.mark.parametrize("name", ["Run", "Enumeration", "Sweep", "Comparison", "Catalogue"])
def test_the_python_page_has_every_member_also_inherited_ones(name):
    from book import api

    listed = [
        written.split("(")[0] for written, _ in api.read(Path(distlab.__file__).parent)[name][1].members
    ]
    every = {n: getattr(getattr(distlab, name), n) for n in dir(getattr(distlab, name)) if n[0] != "_"}
    ours = [n for n, m in every.items() if isinstance(m, property) or inspect.isfunction(m)]
    assert sorted(listed) == sorted(ours)


def test_prose_cells_are_hidden_and_code_is_shown(book, pages):
    text = pages[book[0] / "lessons/00_start_here/01_run_sweep_plot.html"].text
    assert "lesson.incident" not in re.sub(r"<[^>]+>", "", text)
    assert "Ana ran the load test" in text and "checkout" in text


def test_only_changed_lessons_are_executed(tmp_path, monkeypatch):
    """What is kept of a lesson is found as long as source, neighbours and package are the same."""
    pytest.importorskip("nbformat", reason="optional: nbformat is not installed")
    sys.path.insert(0, str(ROOT / "tools/book"))
    import shelf as library

    monkeypatch.delenv("DISTLAB_FAST", raising=False)
    home, package = tmp_path / "home", tmp_path / "package"
    package.mkdir()
    (package / "a.py").write_text("1")
    (package / "cli.py").write_text("1")

    def key(names=("L00.01", "L00.02")):
        entries = library.gather(ROOT / "notebooks", home, list(names), CURRICULUM)
        return library.Shelf(tmp_path, home, CURRICULUM, package), entries[0]

    shelf, entry = key()
    first = shelf.key(entry)
    (package / "cli.py").write_text("2")
    shelf, entry = key()
    assert shelf.key(entry) == first
    assert key(["L00.01"])[0].key(entry) != first, "a link to the next lesson appears or goes"
    shelf, entry = key()
    notebook = home / entry["path"]
    notebook.write_text(notebook.read_text().replace("seed=23", "seed=24"))
    assert shelf.key(entry) != first
    (package / "a.py").write_text("2")
    shelf, entry = key()
    assert shelf.key(entry) != first
    shelf.place(entry).write_text(json.dumps({"cells": []}))
    assert shelf.fill([entry]) == 0, "it is there already"
    with pytest.raises(ValueError, match="ends without a slide"):
        library.slide(shelf.place(entry))


@pytest.mark.browser
def test_the_map_works_in_a_browser_without_a_network(book, driver):  # noqa: F811
    driver.get((book[0] / "map.html").as_uri())
    tile = driver.find_element("id", LESSON)
    assert "next" in tile.get_attribute("class")
    driver.execute_script("arguments[0].dispatchEvent(new MouseEvent('mouseenter'))", tile)
    box = driver.find_element("css selector", ".bk-chosen")
    assert "What can you learn from one run?" in box.text and "L00.02" in box.text
    box.find_element("css selector", "input").click()
    assert "learned" in tile.get_attribute("class")
    driver.get((book[0] / "gallery.html").as_uri())
    assert driver.execute_script("return document.querySelector('.bk-card img').naturalWidth") == 1280
    fetched = "return performance.getEntriesByType('resource').map(e => e.name)"
    assert all(name.startswith("file:") for name in driver.execute_script(fetched))
    assert not [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
