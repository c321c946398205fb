"""Scores of groups, worst-group gaps and the gap of equal groups, by hand and as properties."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest
import recorded_results as recorded

from fer_bench.metrics.expected_calibration_error import Metric as Calibration
from fer_bench.report import groups, table_groups, tables
from fer_bench.report.groups import UNKNOWN, Score
from fer_bench.report.results import load


def test_means_counts_and_gaps_by_hand():
    score = Score(np.array([100.0, 0.0, 100.0, 100.0, np.nan, 0.0]))
    two = np.array([[0, 0, 1, 1, 1, UNKNOWN], [0, 1, 1, 0, 1, 1]])
    found, count = score.of_groups(two, 3)
    np.testing.assert_allclose(found, [[50, 100, np.nan], [100, 100 / 3, np.nan]])
    assert count.tolist() == [[2, 2, 0], [2, 3, 0]]
    np.testing.assert_allclose(score.gap(two, 3, least=2), [50, 200 / 3])
    assert np.isnan(score.gap(two, 3, least=3)).all()  # only one group is large enough


@pytest.mark.parametrize("seed", range(3))
def test_calibration_of_a_group_is_that_of_its_images_alone(seed):
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(4), 200)
    labels, number = rng.integers(0, 4, 200), rng.integers(0, 3, 200)
    frame = pd.DataFrame(p, columns=[f"p_{k}" for k in range(4)]).assign(label=labels, predicted=p.argmax(axis=1))
    found, _ = groups.calibration(frame).of_groups(number[None], 3)
    for group in range(3):
        own = number == group
        assert found[0, group] == pytest.approx(Calibration().scores(labels[own], p[own], list("abcd"))[0].value)
        right, _ = groups.accuracy(frame).of_groups(number[None], 3)
        assert right[0, group] == pytest.approx(100 * (p[own].argmax(axis=1) == labels[own]).mean())


def test_dealing_keeps_how_many_of_a_group_show_an_expression():
    rng = np.random.default_rng(0)
    labels, number = rng.integers(0, 5, 300), rng.integers(-1, 3, 300)
    dealt = groups.shuffled(number, labels, number=20)
    for one in dealt:
        pd.testing.assert_frame_equal(pd.crosstab(labels, one), pd.crosstab(labels, number), check_names=False)
        np.testing.assert_array_equal(one == UNKNOWN, number == UNKNOWN)  # who is unknown stays unknown
    assert len({one.tobytes() for one in dealt}) == 20
    np.testing.assert_array_equal(dealt, groups.shuffled(number, labels, number=20))


def test_equal_groups_show_the_gap_that_sampling_gives():
    """Two groups of n images with deviation s: E|difference| = 2 s / sqrt(pi n)."""
    rng = np.random.default_rng(1)
    values, number = rng.normal(size=2000), np.arange(2000) % 2
    dealt = groups.shuffled(number, np.zeros(2000, dtype=int), number=2000)
    expected = 2 * values.std() / np.sqrt(np.pi * 1000)
    assert Score(values).gap(dealt, 2, 20).mean() == pytest.approx(expected, rel=0.05)


def test_a_gap_that_expressions_explain_is_left_in_the_expected_one():
    """All faces of the first group show the easy expression: dealing within expressions changes nothing."""
    labels = number = np.repeat([0, 1], 50)
    score = Score(100.0 * (labels == 0))
    dealt = groups.shuffled(number, labels)
    np.testing.assert_array_equal(score.gap(dealt, 2, 20), 100.0)


def test_what_belongs_to_a_subject_is_dealt_among_subjects():
    subjects = np.repeat(["a", "b", "c", "d"], 5)
    number, labels = np.repeat([0, 0, 1, UNKNOWN], 5), np.tile(np.arange(5), 4)
    dealt = groups.dealt(number, labels, subjects)
    assert all((one.reshape(4, 5) == one[::5, None]).all() for one in dealt)  # a subject stays whole
    assert {tuple(one[::5]) for one in dealt} == {(0, 0, 1, -1), (0, 1, 0, -1), (1, 0, 0, -1)}
    # Scores that are those of the subjects: groups of two and one subject differ by one subject, not by five images.
    score = Score(np.repeat([0.0, 30.0, 60.0, 0.0], 5))
    gaps = score.gap(dealt, 2, 5)
    assert set(gaps.tolist()) == {0.0, 45.0}
    np.testing.assert_array_equal(groups.dealt(number, labels, np.full(20, "")), groups.shuffled(number, labels))
    torn = np.where(np.arange(20) == 0, 1, number)  # the first subject is in two groups
    np.testing.assert_array_equal(groups.dealt(torn, labels, subjects), groups.shuffled(torn, labels))


def test_groups_stand_in_order():
    ages = pd.Series(["70 and older", "4-19", "", "20-39"])
    numbers, names = groups.encoded(ages)
    assert names == ["4-19", "20-39", "70 and older"]
    assert numbers.tolist() == [2, 0, UNKNOWN, 1]
    assert groups.encoded(pd.Series(["5-10", "below 5", "20 and more"]))[1] == ["below 5", "5-10", "20 and more"]
    assert groups.encoded(pd.Series(["dark", "light", "medium"]))[1] == ["light", "medium", "dark"]


def cell_files(root, cell, test="synthetic"):
    """Sixty images: men are all recognised, of the women as many as `right` says; three faces wear glasses."""
    folder = root / "results/runs" / cell["cell"] / "evaluate" / test
    folder.mkdir(parents=True, exist_ok=True)
    ids = [f"i{n:02}" for n in range(60)]
    right = 21 + 3 * cell["seed"] + 6 * (cell["guidance"] == "au")
    label = np.arange(60) % 6
    predicted = np.where(np.arange(60) < 30 + right, label, (label + 1) % 6)
    sex = np.where(np.arange(60) < 30, "male", "female")
    glasses = np.where(np.arange(60) < 3, "yes", "no")
    status = np.where(np.arange(60) < 3, "no_face", "ok")
    identity = pd.DataFrame({"id": ids, "label": label, "predicted": predicted})
    files = {
        "predictions": identity,
        "scores": identity.assign(
            **{"att_cos.5.paper.true_true": np.where(label == 0, np.nan, 0.5 + 0.1 * (sex == "male"))}
        ),
        "attributes": pd.DataFrame(
            {"id": ids, "subject": "", "landmark status": status, "sex": sex, "glasses": glasses}
        ),
    }
    for name, frame in files.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    return sorted(folder.glob("*.parquet"))


@pytest.fixture
def results(tmp_path):
    models = {"resnet_small": recorded.MODELS["resnet_small"]}
    plan = recorded.plan(models=models)
    recorded.write(tmp_path, plan, cached=False)
    for cell in plan["cells"]:
        path = tmp_path / "results/metrics/synthetic" / f"{cell['cell']}.json"
        named = [
            {"path": str(file.relative_to(tmp_path)), "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
            for file in cell_files(tmp_path, cell)
        ]
        content = json.loads(path.read_text())
        path.write_text(json.dumps(content | {"files": named}))
    write_index(tmp_path / "data/faces/synthetic/index.csv")
    return load(plan, tmp_path)


def write_index(path):
    """Every face is a person of its own."""
    path.parent.mkdir(parents=True)
    ids = [f"i{n:02}" for n in range(60)]
    pd.DataFrame({"id": ids, "split": "test", "subject": ids}).to_csv(path, index=False)


def test_the_gap_is_paired_by_seed_and_names_the_worst_group(results):
    gaps, every = table_groups.build(results)
    names = [column.title for column in gaps.columns]
    place = names.index("CL (%), gap")
    by_word = {
        (row.contents[names.index("Attribute")], row.contents[names.index("Training")]): row for row in gaps.rows
    }
    without, with_au = by_word["sex", "without AU"].contents, by_word["sex", "with AU"].contents
    assert without[place].text() == "20.0 ± 10.0"  # women 70, 80, 90 %, men 100 %
    assert with_au[place].by_seed == pytest.approx({0: 10.0, 1: 0.0, 2: 10.0 - 10.0 * 1})
    assert without[place + 2] == "female"
    assert by_word["sex", "difference"].contents[place].mean == pytest.approx(np.mean([-20, -20, -10]))
    assert 0 < without[place + 1].mean < 20  # equal groups: some images fall in one, some in the other
    cosine = names.index("ATT-COS, gap")
    assert without[cosine].mean == pytest.approx(0.1)  # over the fifty images that have one
    assert without[cosine].optimised is False
    assert with_au[cosine].optimised is True
    failed = names.index("landmarks not found (%), gap")
    assert without[failed].mean == pytest.approx(10.0)
    assert without[failed + 2] == "male"
    assert by_word["glasses", "without AU"].contents[place] == "too few images"
    assert [column.name for column in every.columns].count("images") == 1


def test_small_groups_are_shown_and_marked(results):
    every = table_groups.build(results)[1]
    names = [column.title for column in every.columns]
    glasses = next(row for row in every.rows if row.contents[names.index("Group")] == "yes")
    assert glasses.contents[names.index("images")] == "3"
    assert glasses.contents[names.index("CL (%)")] == "100.0 ± 0.0‡"


def test_the_tables_are_among_all_tables_and_absent_without_attributes(results, tmp_path, monkeypatch):
    monkeypatch.setattr(tables.table_significance, "build", lambda _: None)  # it wants the recorded faces
    assert {"group_gaps", "groups"} <= {table.name for table in tables.build(results)}
    plan = recorded.plan()
    recorded.write(tmp_path / "other", plan, cached=False)
    assert table_groups.build(load(plan, tmp_path / "other")) == []
