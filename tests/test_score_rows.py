"""Averages, subsets and the scores file, by hand."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from fer_bench import score_file
from fer_bench.examples import choose
from fer_bench.expressions import EXPRESSIONS
from fer_bench.score_rows import Averaging, classification_rows, map_rows, row
from fer_bench.targets import action_units_present

LABELS = np.array([0, 1, 1, 1, 2, 2])
PREDICTED = np.array([0, 1, 1, 2, 2, 1])
SCORES = np.array([math.nan, 0.9, 0.7, 0.2, 0.4, 0.6])


def found(rows, **keys):
    match = [r for r in rows if all(r[key] == value for key, value in keys.items())]
    assert len(match) == 1, match
    return match[0]


def averages(minimum: int = 1):
    averaging = Averaging(LABELS, PREDICTED, EXPRESSIONS, minimum)
    return averaging.rows("cam_cos", SCORES, {"pairing": "pred_pred"}, ("all", "correct", "wrong"))


def test_macro_is_the_mean_of_class_means():
    # happiness (0.9 + 0.7 + 0.2) / 3 = 0.6, surprise (0.4 + 0.6) / 2 = 0.5; neutral has no map
    assert found(averages(), metric="cam_cos", subset="all", average="macro")["value"] == pytest.approx(0.55)
    micro = found(averages(), metric="cam_cos", subset="all", average="micro")
    assert (micro["value"], micro["n"]) == (pytest.approx(0.56), 5)


def test_subsets_of_correct_and_wrong_images():
    correct = found(averages(), metric="cam_cos", subset="correct", average="micro")
    wrong = found(averages(), metric="cam_cos", subset="wrong", average="micro")
    assert (correct["value"], correct["n"]) == (pytest.approx((0.9 + 0.7 + 0.4) / 3), 3)
    assert (wrong["value"], wrong["n"]) == (pytest.approx(0.4), 2)


def test_undefined_images_are_counted():
    assert found(averages(), metric="cam_cos_undefined")["value"] == 1


def test_classes_with_few_test_images_leave_the_macro_average_whole():
    rows = averages(minimum=3)
    assert found(rows, metric="cam_cos", subset="all", average="macro")["value"] == pytest.approx(0.6)
    # Two of three happy faces are correct: fewer than the minimum, but the class still counts.
    assert found(rows, metric="cam_cos", subset="correct", average="macro")["value"] == pytest.approx(0.8)
    assert found(rows, metric="cam_cos", subset="all", average="micro")["n"] == 5


def test_only_the_map_that_was_trained_on_is_marked():
    columns = {"att_cos.5.paper.true_true": SCORES, "att_cos.4.paper.true_true": SCORES}
    rows = map_rows(columns, Averaging(LABELS, PREDICTED, EXPRESSIONS, 1), {"att_cos.5.paper.true_true"})
    assert {r["layer"] for r in rows if r["optimised"]} == {"5"}
    assert all(r["target"] == "paper" and r["pairing"] == "true_true" for r in rows)


def test_classification_by_hand():
    probabilities = np.eye(7)[PREDICTED]
    rows = classification_rows(["accuracy", "recall", "att_cos"], LABELS, probabilities, EXPRESSIONS, 1)
    assert found(rows, metric="accuracy")["value"] == pytest.approx(100 * 4 / 6, abs=1e-5)
    assert found(rows, metric="recall_happiness")["value"] == pytest.approx(100 * 2 / 3, abs=1e-5)
    assert found(rows, metric="recall_sadness")["value"] is None
    assert not any(r["metric"].startswith("att") for r in rows)


def test_scores_file_comes_back_as_written(tmp_path):
    rows = [row("accuracy", 50.0, 6, subset="all"), row("att_cos", math.nan, 0, layer="5", optimised=True)]
    document = {"accuracy": 50.0, "rows": rows, "cell": [{"seed": 0}], "skipped": [], "files": []}
    score_file.write(tmp_path / "a.json", document)
    assert score_file.read(tmp_path / "a.json") == document
    numbers = {k: v for k, v in json.loads((tmp_path / "a.json").read_text()).items() if not isinstance(v, list)}
    assert numbers == {"accuracy": 50.0}  # all that `dvc metrics show` sees


def test_examples_are_the_first_of_each_class():
    assert choose(np.array([2, 0, 2, 1, 0, 0]), 2).tolist() == [1, 4, 3, 0, 2]


def test_action_units_present_from_intensities():
    truth = pd.DataFrame({"au_1": [0.0, 0.6], "au_12": [0.1, 0.05], "au_12_left": [1.0, 1.0], "age": [3, 4]})
    assert action_units_present(truth) == [frozenset({12}), frozenset({1})]
