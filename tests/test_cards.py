"""The cards beside the tables: every number in them is that of the run."""

import json
from pathlib import Path

import pytest
import recorded_results

from fer_bench.report import cards, data_card, model_card
from fer_bench.report import results as report_results
from fer_bench.report.hygiene import Hygiene
from fer_bench.report.results import Results
from fer_bench.report.table import Column, Row, Table
from fer_bench.report.value import Value

DATASET = recorded_results.DATASET
SPLIT = {
    "images": 90, "subjects": 12, "without_subject": 0, "identical": 4, "identical_leaks": 3, "near": 0,
    "near_leaks": 0, "subject_leaks": 0, "conflicts": 2, "near_conflicts": 0, "classes": {"fear": 10, "anger": 80},
    "no_landmarks": {"fear": 5, "anger": 4},
}  # fmt: skip


@pytest.fixture
def results(tmp_path: Path) -> Results:
    plan = recorded_results.plan(seeds=(0, 1, 2))
    path = recorded_results.write(tmp_path, plan, cached=False)
    found = report_results.load(json.loads(path.read_text()), tmp_path)
    found.hygiene[DATASET] = Hygiene({"test": SPLIT}, 4, frozenset())
    return found


def line(text: str, *words: str) -> str:
    (found,) = [one for one in text.splitlines() if all(word in one for word in words)]
    return found


def test_the_model_card_prints_the_scores_of_the_run(results: Results) -> None:
    text = model_card.render(results, [])
    model = results.models[0]
    rows = results.frame[(results.frame["model"] == model) & (results.frame["guidance"] == "au")]
    accuracy = rows[rows["metric"] == "accuracy"].set_index("seed")["value"]
    printed = Value(accuracy.to_dict(), 3, 1).text()
    recalls = rows[rows["metric"].str.startswith("recall_")].groupby("metric")["value"].mean()
    cells = [cell.strip() for cell in line(text, f"| {results.model_label(model)} ", "with AU").split("|")[1:-1]]
    assert cells[3:5] == [printed, "14.3"]
    assert cells[6] == recalls.idxmin().removeprefix("recall_") and cells[5].startswith(f"{recalls.min():.1f}")
    assert results.fingerprint in text and "grid recorded" in text and "protocol clean" in text
    assert f"0 of {len(results.documents)} evaluations were checked" in text
    assert "no attribute of the test faces" in text
    for heading in ("Intended use", "Limits", "For whom less well", "What was flagged"):
        assert f"## {heading}\n" in text


def test_the_largest_gap_of_each_attribute_is_named(results: Results) -> None:
    titles = ("Attribute", model_card.GAP, model_card.EQUAL, model_card.WORST)
    rows = [
        Row(("skin tone", Value({0: 4.0}, 1, 1), Value({0: 3.0}, 1, 1), "dark")),
        Row(("skin tone", Value({0: 9.0}, 1, 1), Value({0: 3.5}, 1, 1), "light")),
        Row(("skin tone", Value({0: 99.0}, 1, 1, signed=True), "", "")),  # a difference of two trainings
        Row(("sex", Value({}, 1, 1), "", "too few images")),
    ]
    table = Table(model_card.GAPS, "t", "c", tuple(map(Column, titles)), tuple(rows), 1)
    text = model_card.render(results, [table])
    assert "skin tone: 9.0 points between the best and the worst group (light); equal groups: 3.5" in text
    assert "99.0" not in text and "sex:" not in text


def test_the_data_card_counts_what_hygiene_counted(results: Results) -> None:
    text = data_card.render(results)
    row = [cell.strip() for cell in line(text, "| test").split("|")[1:-1]]
    assert row == ["test", "90", "12", "fear (10)", "anger (80)", "3", "2"]
    assert "not found in 9 of 90 faces (10.0 %), from 5.0 % of anger to 50.0 % of fear" in text
    assert "Licence: MIT. Cite: not given." in text and "used for training and testing" in text
    assert "Images: drawn by a program" not in text  # the recorded plan does not say so


def test_unknown_counts_and_whole_sets_of_landmarks(results: Results) -> None:
    results.hygiene[DATASET] = Hygiene({"test": {**SPLIT, "no_landmarks": {"fear": 0}}}, 4, frozenset())
    assert "Landmarks were found in all of 90 faces." in data_card.render(results)
    results.hygiene.clear()
    assert "not counted yet" in data_card.render(results)


def test_both_are_written_beside_the_tables_and_twice_alike(results: Results, tmp_path: Path) -> None:
    for name in ("first", "second"):
        cards.write(results, [], tmp_path / name)
    for name in ("model_card.md", "data_card.md"):
        text = (tmp_path / "first" / name).read_text(encoding="utf-8")
        assert text == (tmp_path / "second" / name).read_text(encoding="utf-8")
        assert text.endswith("\n") and "nan" not in text.lower().split()
