"""Published, closed-form and independently computed results, one test a row; tests/reference_map.toml says
which call computes what. Tolerances are the rows' own and are never widened. Rows that no model of this build
answers are counted as "not yet", one line a topic in the summary of the run."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import reference_rows

if reference_rows.path() is None:
    pytest.skip(
        "optional: no reference results; set DISTLAB_REFERENCE to the file of rows", allow_module_level=True
    )

ANSWERS = reference_rows.answers()
ANSWERED = [row for row in reference_rows.rows() if reference_rows.answer_to(row, ANSWERS) is not None]


COVERAGE = reference_rows.coverage()


@pytest.mark.parametrize("topic", COVERAGE)
def test_coverage(topic):
    """Passes when every row of the topic is answered; else says how many are not."""
    answered, missing = COVERAGE[topic]
    if missing:
        pytest.skip(f"optional: not yet: {missing} of {answered + missing} reference rows on {topic}")


@pytest.mark.parametrize("row", ANSWERED, ids=[row["id"] for row in ANSWERED])
def test_reference(row):
    answer = reference_rows.answer_to(row, ANSWERS)
    value, error = reference_rows.compute(row, answer)
    miss = reference_rows.worst_miss(row, value, row["expected"], error)
    assert miss <= 1, (
        f"{row['model']} {row['params']}: {row['quantity']} is {value}, expected {row['expected']} "
        f"({row['source']}); off by {miss:.3g} tolerances"
    )


def test_the_map_names_what_exists():
    """A typing mistake in the map would look like a row that is not built yet."""
    pairs = {(row["model"], row["quantity"]) for row in reference_rows.rows()}
    if reference_rows.path().name != "public.jsonl":
        pytest.skip("optional: only meaningful with the public rows")
    wanted = {}
    for (model, quantity), answers in ANSWERS.items():
        for answer in answers:
            wanted.setdefault(id(answer), (answer, set()))[1].add((model, quantity) in pairs)
    for answer, met in wanted.values():
        assert True in met, f"no reference row asks for {answer['models']} {list(answer['quantities'])}"
    for model in {model for model, _ in ANSWERS}:
        assert model in {m for m, _ in pairs}, f"no reference row has the model {model!r}"


def test_a_wrong_number_would_be_seen():
    row = {"rel_tol": 1e-9, "expected": [1.0, [2.0]]}
    assert reference_rows.worst_miss(row, [1.0, [2.0]], row["expected"], 0) == 0
    assert reference_rows.worst_miss(row, [1.0, [2.0 + 1e-8]], row["expected"], 0) > 1
    assert reference_rows.worst_miss({"abs_tol": 0}, 3.0, 3, 0) == 0
    assert reference_rows.worst_miss({"abs_tol": 0}, 3.1, 3, 0) > 1
    assert reference_rows.worst_miss({"abs_tol": 0.1}, 3.2, 3, 0.05) < 1
    with pytest.raises(AssertionError):
        reference_rows.worst_miss(row, [1.0], row["expected"], 0)
