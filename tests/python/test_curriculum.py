"""The curriculum and the glossary are true: nothing is listed that is not taught, nothing is taught unlisted.

curriculum.toml is the only list of lessons. The skill map, the header of each notebook and the coverage of
the source topics are read from it, so a wrong line there is a wrong promise to a learner. These tests read
the two files and the notebook tree; only the last one needs the package.
"""

import graphlib
import pathlib
import re
import tomllib
from collections import Counter

import pytest

NOTEBOOKS = pathlib.Path(__file__).parents[2] / "notebooks"
CURRICULUM = tomllib.loads((NOTEBOOKS / "curriculum.toml").read_text(encoding="utf-8"))
GLOSSARY = tomllib.loads((NOTEBOOKS / "glossary.toml").read_text(encoding="utf-8"))

LESSONS = CURRICULUM["lesson"]
CHAPTERS = CURRICULUM["chapter"]
BY_ID = {lesson["id"]: lesson for lesson in LESSONS}
MODELS = {name for family in CURRICULUM["catalogue"].values() for name in family}

FIELDS = [
    "id",
    "path",
    "title",
    "question",
    "size",
    "level",
    "minutes",
    "needs",
    "leads_to",
    "terms",
    "misconceptions",
    "models",
    "topics",
    "mutant",
    "status",
]
MINUTES = {"flagship": 35, "standard": 15, "card": 6}
LEVELS = ["beginner", "intermediate", "advanced"]


def tags(kind: str) -> list[str]:
    """All tags of the source topics or sub-topics, over all sources."""
    return [tag for listed in CURRICULUM["sources"][kind].values() for tag in listed]


def carriers(topic: str) -> set[str]:
    """The lessons that name a topic or one of its sub-topics: 003-02.a counts for 003-02."""
    of_topic = re.compile(re.escape(topic) + r"(\.[a-z])?")
    return {lesson["id"] for lesson in LESSONS if any(map(of_topic.fullmatch, lesson["topics"]))}


def notebooks_on_disk() -> set[str]:
    """Paths, relative to the notebooks folder, of all notebooks that belong to a chapter."""
    return {
        path.relative_to(NOTEBOOKS).as_posix()
        for path in NOTEBOOKS.glob("*/*.ipynb")
        if re.match(r"\d\d_", path.parent.name)
    }


def test_the_counts_are_those_of_the_plan():
    """147 lessons in 17 chapters; a lesson dropped by a careless edit must not go unnoticed."""
    assert Counter(lesson["size"] for lesson in LESSONS) == {"flagship": 30, "standard": 80, "card": 37}
    assert len(BY_ID) == len(LESSONS) == 147
    assert [chapter["number"] for chapter in CHAPTERS] == list(range(17))
    assert len(MODELS) == sum(map(len, CURRICULUM["catalogue"].values())) == 64
    assert len(CURRICULUM["catalogue"]) == 15


def test_every_lesson_has_every_field_filled():
    """The header of a notebook is made from these fields; a missing one would show as a hole on the page."""
    for lesson in LESSONS:
        assert list(lesson) == FIELDS, lesson.get("id")
        for field in ("title", "question"):
            assert lesson[field] == lesson[field].strip() != "", lesson["id"]
            assert not re.search(r"[`*\\]|<br>|\]\(", lesson[field]), f"{lesson['id']}: markup in {field}"
        assert lesson["minutes"] == MINUTES[lesson["size"]], lesson["id"]
        assert lesson["level"] in LEVELS, lesson["id"]
        assert lesson["status"] in ("planned", "ready"), lesson["id"]


def test_paths_agree_with_ids_and_chapters():
    """An id is an address: chapter and number must be those of the folder and the file."""
    slugs = {chapter["number"]: chapter["slug"] for chapter in CHAPTERS}
    for number, slug in slugs.items():
        assert re.fullmatch(rf"{number:02d}_[a-z0-9_]+", slug), slug
    for lesson in LESSONS:
        found = re.fullmatch(r"L(\d\d)\.(\d\d)", lesson["id"])
        assert found, lesson["id"]
        chapter, number = found.groups()
        name = rf"{slugs[int(chapter)]}/{number}_[a-z0-9_]+\.ipynb"
        assert re.fullmatch(name, lesson["path"]), lesson["id"]
    assert len({lesson["path"] for lesson in LESSONS}) == len(LESSONS)


def test_lessons_stand_in_order_without_gaps():
    """Links to the previous and the next lesson follow the order of this file."""
    for chapter in CHAPTERS:
        assert chapter["title"] and chapter["arc"].endswith("."), chapter["slug"]
        numbers = [int(lesson["id"][4:]) for lesson in LESSONS if int(lesson["id"][1:3]) == chapter["number"]]
        assert numbers == list(range(1, len(numbers) + 1)) and numbers, chapter["slug"]
    assert [lesson["id"] for lesson in LESSONS] == sorted(BY_ID)


def test_needs_point_back_and_never_up():
    """A lesson must be readable with its listed prerequisites: earlier ones, at most three, none harder."""
    for lesson in LESSONS:
        needs = lesson["needs"]
        assert len(needs) == len(set(needs)) <= 3, lesson["id"]
        for need in needs:
            assert need in BY_ID and need < lesson["id"], f"{lesson['id']} needs {need}"
            above = LEVELS.index(BY_ID[need]["level"]) > LEVELS.index(lesson["level"])
            assert not above, f"{lesson['id']} needs {need}, which is of a higher level"
    roots = [lesson["id"] for lesson in LESSONS if not lesson["needs"]]
    assert roots == ["L00.01"], "there is one place to start"


def test_the_graph_has_no_cycle():
    """Shown by a sort that does not know about ids, so it stays true if ids are ever renumbered."""
    graph = {lesson["id"]: lesson["needs"] for lesson in LESSONS}
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) == len(LESSONS)


def test_leads_to_is_the_inverse_of_needs():
    """The link forward is derived; a stale one would send a learner the wrong way."""
    for lesson in LESSONS:
        followers = [other["id"] for other in LESSONS if lesson["id"] in other["needs"]]
        assert lesson["leads_to"] == followers, lesson["id"]


def test_misconceptions_are_named_beliefs():
    """Each wrong option of a prediction is a named belief, so that its reply can say what was assumed."""
    names: Counter[str] = Counter()
    for lesson in LESSONS:
        beliefs = lesson["misconceptions"]
        assert 2 <= len(beliefs) <= 4 and (len(beliefs) > 2 or lesson["size"] == "card"), lesson["id"]
        for belief in beliefs:
            name, _, sentence = belief.partition(": ")
            assert name and sentence.endswith(".") and len(belief) <= 140, f"{lesson['id']}: {belief}"
        names.update(belief.partition(": ")[0] for belief in set(beliefs))
        assert len(set(beliefs)) == len(beliefs), lesson["id"]
    assert max(names.values()) <= 2, names.most_common(3)


def test_terms_and_glossary_match():
    """Every term of a lesson is explained, and every explanation is of a term that some lesson uses."""
    first: dict[str, str] = {}
    for lesson in LESSONS:
        terms = lesson["terms"]
        assert 2 <= len(terms) == len(set(terms)) <= 8, lesson["id"]
        for term in terms:
            assert term in GLOSSARY, f"{lesson['id']}: {term} is not in the glossary"
            first.setdefault(term, lesson["id"])
    assert set(GLOSSARY) == set(first), sorted(set(GLOSSARY) - set(first))
    for term, entry in GLOSSARY.items():
        assert entry["first"] == first[term], f"{term} is first listed by {first[term]}"


def test_glossary_entries_are_complete():
    """Sorted for whoever reads the file; links resolve; a definition is a sentence of bearable length."""
    assert list(GLOSSARY) == sorted(GLOSSARY)
    assert len({entry["name"].lower() for entry in GLOSSARY.values()}) == len(GLOSSARY)
    for term, entry in GLOSSARY.items():
        assert set(entry) <= {"name", "definition", "unit", "see", "first"}, term
        assert re.fullmatch(r"[a-z][a-z0-9_]*", term), term
        assert entry["definition"].endswith(".") and 30 <= len(entry["definition"]) <= 300, term
        assert "  " not in entry["definition"], f"{term}: two spaces"
        see = entry.get("see", [])
        assert term not in see and len(see) == len(set(see)), term
        assert set(see) <= set(GLOSSARY), f"{term}: {set(see) - set(GLOSSARY)}"


def test_models_are_catalogue_names():
    """Registry names are family.name; every lesson runs at least one model and every model has a lesson."""
    for family, names in CURRICULUM["catalogue"].items():
        assert all(re.fullmatch(rf"{family}\.[a-z0-9_]+", name) for name in names), family
    for lesson in LESSONS:
        assert lesson["models"] and set(lesson["models"]) <= MODELS, lesson["id"]
        assert len(lesson["models"]) == len(set(lesson["models"])), lesson["id"]
    assert {name for lesson in LESSONS for name in lesson["models"]} == MODELS


def test_each_mutant_breaks_a_model_of_its_lesson():
    """A planted bug in a model that the lesson does not run could not make the lesson's check fail."""
    for lesson in LESSONS:
        found = re.fullmatch(r"([a-z_.]+):([a-z][a-z0-9_]*)", lesson["mutant"])
        assert found and found[1] in lesson["models"], f"{lesson['id']}: {lesson['mutant']}"


def test_every_source_topic_is_carried_by_a_lesson():
    """142 topics and 71 sub-topics, each with at least one lesson; a lesson names no unknown topic."""
    topics, subtopics = tags("topics"), tags("subtopics")
    assert (len(topics), len(subtopics), len(set(topics + subtopics))) == (142, 71, 213)
    for kind in ("topics", "subtopics"):
        for source, listed in CURRICULUM["sources"][kind].items():
            assert all(tag.startswith(source.removeprefix("seed_") + "-") for tag in listed), source
    for topic in topics + subtopics:
        assert carriers(topic), f"{topic} has no lesson"
    for lesson in LESSONS:
        assert set(lesson["topics"]) <= set(topics + subtopics), lesson["id"]
        assert bool(lesson["topics"]) == (not lesson["id"].startswith("L00.")), lesson["id"]


def test_a_repeated_article_has_the_same_lessons_in_both_sources():
    """Seven articles appear twice: 142 topics are 135 different ones."""
    repeats = CURRICULUM["sources"]["repeats"]
    assert len(tags("topics")) - len(repeats) == 135
    for tag, original in repeats.items():
        assert carriers(tag) == carriers(original), f"{tag} and {original}"


def test_notebooks_on_disk_are_listed_and_not_called_planned():
    """A notebook that nobody lists is never tested; one that is called planned is not shown to learners."""
    listed = {lesson["path"]: lesson["status"] for lesson in LESSONS}
    found = notebooks_on_disk()
    assert found <= set(listed), sorted(found - set(listed))
    assert not [path for path in sorted(found) if listed[path] == "planned"]


def test_ready_lessons_have_a_notebook():
    """Ready is a promise: the page is there."""
    ready = {lesson["path"] for lesson in LESSONS if lesson["status"] == "ready"}
    assert ready <= notebooks_on_disk(), sorted(ready - notebooks_on_disk())


def test_ready_lessons_have_their_models_and_their_mutant():
    """Ready also means that the installed package has the models and knows the planted bug."""
    distlab = pytest.importorskip("distlab")
    installed = {model.name for model in distlab.models()}
    for lesson in LESSONS:
        if lesson["status"] != "ready":
            continue
        assert set(lesson["models"]) <= installed, lesson["id"]
        model, bug = lesson["mutant"].split(":")
        bugs = [row["name"] for row in distlab._core.describe(model)["bugs"]]
        assert bug in bugs, f"{lesson['id']}: {model} has no bug {bug}, only {bugs}"
