"""Numbers that cannot be trusted are errors, or flags that reach the tables."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import recorded_results
import torch

from fer_bench import registry, soundness
from fer_bench.classifier_output import Output
from fer_bench.errors import InputError
from fer_bench.expressions import EXPRESSIONS
from fer_bench.report import captions, flags, table_flags
from fer_bench.report import results as report_results
from fer_bench.score_rows import row
from fer_bench.soundness import CONSTANT, ONE_CLASS, SEEN, UNSEEN


def output() -> Output:
    return Output(torch.zeros(3, 7), {4: torch.zeros(3, 2, 4, 4), 5: torch.ones(3, 2, 2, 2)})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_features_and_logits_must_be_finite(value: float) -> None:
    soundness.require_finite(output(), "cell")
    hurt = output()
    hurt.features[4][1, 0, 2, 2] = value
    with pytest.raises(InputError, match=r"cell: the features of layer 4 are not finite for 1 of 3 .*number 1\)"):
        soundness.require_finite(hurt, "cell")
    hurt = output()
    hurt.logits[1:, 3] = value
    with pytest.raises(InputError, match="cell: the logits are not finite for 2 of 3 images"):
        soundness.require_finite(hurt, "cell")


def every_metric() -> list[soundness.MetricBase]:
    return [registry.plugin("metrics", name)() for name in registry.names("metrics")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accuracy", 100.1),
        ("accuracy", -0.1),
        ("att_cos", 1.01),
        ("cam_cos_ceiling", 1.2),
        ("cam_pearson", -1.5),
        ("cam_energy_chance_random", -0.01),
        ("recall_fear", 120.0),
        ("att_cos", float("inf")),
    ],
)
def test_a_score_that_its_metric_cannot_have(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"cell: {name} is {value}, outside"):
        soundness.require_in_range([row(name, value, 5)], every_metric(), "cell")


def test_scores_within_bounds_and_scores_without_any() -> None:
    names = {"accuracy": 100.0, "att_cos": -1.0, "cam_cos_undefined": 204.0, "att_cos_normalised_blind": -2.9}
    rows = [row(name, value, 5) for name, value in names.items()]
    soundness.require_in_range([*rows, row("macro_f1", float("nan"), 0)], every_metric(), "cell")


def test_every_metric_knows_its_bounds() -> None:
    for metric in every_metric():
        low, high = metric.bounds
        assert low < high <= (100 if metric.unit == "%" else 1), metric.id
        assert (metric.unit == "%") == (high == 100), metric.id


def test_committed_scores_lie_within_their_bounds() -> None:
    root = Path(__file__).parent.parent / "results" / "metrics"
    files = sorted(root.rglob("*.json"))[:40]
    rows = [dict(zip(d["columns"], r, strict=True)) for d in map(_json, files) for r in d["rows"]]
    assert len(rows) > 1000
    soundness.require_in_range(rows, every_metric(), "committed")


def _json(path: Path) -> dict:
    return json.loads(path.read_text())


def test_maps_without_a_shape_are_counted() -> None:
    maps = torch.rand(4, 3, 3, generator=torch.Generator().manual_seed(0))
    flat = maps.clone()
    flat[1], flat[3] = 0.0, 0.7
    found = soundness.constant_maps({"cam.cam": maps, "cam.gradcam": flat})
    assert found == [{"flag": CONSTANT, "where": "cam.gradcam", "count": 2, "of": 4}]


def test_one_answer_to_everything() -> None:
    labels = np.array([0, 1, 2])
    found = soundness.one_class(np.array([3, 3, 3]), labels, EXPRESSIONS)
    assert found == [{"flag": ONE_CLASS, "where": "fear", "count": 3, "of": 3}]
    assert soundness.one_class(np.array([3, 3, 2]), labels, EXPRESSIONS) == []
    assert soundness.one_class(np.array([3, 3, 3]), np.array([3, 3, 3]), EXPRESSIONS) == []  # it may be right


def test_classes_that_selection_never_saw() -> None:
    index = pd.DataFrame({"label": ["fear", "anger", "fear"], "split": ["val", "test", "train"]})
    found = soundness.unseen_in_selection(index, "val", ("fear", "anger"))
    assert found == [{"flag": UNSEEN, "where": "anger", "count": 0, "of": 1}]
    assert len(soundness.unseen_in_selection(index, "test", EXPRESSIONS)) == 6


def test_test_images_that_were_trained_on() -> None:
    trained_on = pd.DataFrame({"split": ["train", "train", "val"], "sha256": ["a", "b", "c"]})
    test = pd.DataFrame({"split": ["test"] * 3, "sha256": ["b", "c", "d"]})
    assert soundness.seen_in_training(test, trained_on) == [{"flag": SEEN, "where": "same file", "count": 1, "of": 3}]
    assert soundness.seen_in_training(test[1:], trained_on) == []


def test_flags_reach_the_tables(tmp_path: Path) -> None:
    plan = recorded_results.plan(seeds=(0, 1))
    path = recorded_results.write(tmp_path, plan, cached=False)
    cells = [cell for cell in plan["cells"] if cell["model"] == plan["cells"][0]["model"]]
    flagged = next(cell for cell in cells if cell["guidance"] == "au" and cell["seed"] == 1)
    one = {"flag": CONSTANT, "where": "cam.gradcam", "count": 9, "of": 560}
    two = {"flag": ONE_CLASS, "where": "fear", "count": 560, "of": 560}
    for cell in cells:
        more = {"flags": [one, two] if cell is flagged else []}
        recorded_results.write_cell(tmp_path, cell, cached=False, **more)
    results = report_results.load(json.loads(path.read_text()), tmp_path)
    table = table_flags.build(results)
    assert [row.contents[2:] for row in table.rows] == [
        ("with AU", CONSTANT, "GradCAM", "9 of 560 (seed 1)"),
        ("with AU", ONE_CLASS, "fear", "560 of 560 (seed 1)"),
    ]
    assert len(flags.checked(results)) == len(cells)  # the others were written before there were flags
    noted = captions.notes(results, results.pairs)
    assert "Flagged, see table flags: 1 of 4 cells: constant map (1), one class predicted (1)." in noted


def test_nothing_flagged_makes_no_table(tmp_path: Path) -> None:
    plan = recorded_results.plan(seeds=(0,))
    path = recorded_results.write(tmp_path, plan, cached=False)
    results = report_results.load(json.loads(path.read_text()), tmp_path)
    assert table_flags.build(results) is None
    assert flags.note(results, results.pairs) == []
