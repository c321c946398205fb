"""Names of parameters and metrics in MLflow, and the views of its page of runs, against what its pages make of them."""

import json

import pytest

from fer_bench import _mlflow_names as names
from fer_bench import _mlflow_sync, _mlflow_views

ROW = {"metric": "cam_cos", "subset": "all", "pairing": "true_true", "layer": "", "explainer": "cam", "target": "facs"}


def section(metric):
    """Where MLflow's charts put a metric: its code takes everything before the last slash."""
    return metric.rpartition("/")[0]


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("train_cross_entropy", "train/cross_entropy"),
        ("val_att_cos", "val/att_cos"),
        ("learning_rate", "train/learning_rate"),
        ("momentum", "momentum"),
    ],
)
def test_epochs_have_a_section_for_training_and_one_for_validation(column, name):
    assert names.epoch(column) == name


def test_the_first_metric_of_an_epoch_is_the_one_that_a_comparison_draws():
    row = {"epoch": 2.0, "best": 1, "learning_rate": 0.1, "train_loss": 2.0, "val_loss": float("nan")}
    assert _mlflow_sync.numbers(row | {"val_accuracy": 30}) == [
        ("val/accuracy", 30.0),
        ("train/learning_rate", 0.1),
        ("train/loss", 2.0),
    ]


def test_scores_of_one_metric_share_a_section_and_the_macro_mean_is_the_one_shown():
    rows = [
        ROW | {"average": "macro", "value": 0.6},
        ROW | {"average": "micro", "value": 0.7},
        ROW | {"average": "macro", "value": 0.5, "pairing": "pred_pred"},
        ROW | {"average": "macro", "value": 0.4, "subset": "women"},
        ROW | {"average": "macro", "value": 0.3, "metric": "att_cos", "explainer": "", "layer": "5"},
        {"metric": "accuracy", "subset": "all", "pairing": "", "layer": "", "explainer": "", "target": "",
         "average": "micro", "value": 44.0},
    ]  # fmt: skip
    found = {name: row["value"] for name, row in names.scores(rows).items()}
    assert found == {"cam_cos/cam facs": 0.6, "att_cos/layer 5 facs": 0.3, "scores/accuracy": 44.0}
    assert {section(name) for name in found} == {"cam_cos", "att_cos", "scores"}


def test_parameters_are_flat_and_a_section_s_name_is_its_value():
    settings = {
        "cell": "synthetic-a-au-s0",
        "guidance": {"name": "au", "settings": {"weight": 4.0, "layers": ["last"]}},
        "sources": {"fer_bench.train": "0123"},
    }
    assert names.parameters(settings) == {
        "guidance": "au",
        "guidance.settings.weight": "4.0",
        "guidance.settings.layers": "['last']",
    }


@pytest.mark.parametrize("view", [_mlflow_views.pairs, _mlflow_views.means])
def test_views_are_what_mlflow_keeps_of_a_saved_view(view):
    saved = json.loads(_mlflow_views.views("rafdb")[f"mlflow.sharedViewState.{view('rafdb')}"])
    assert isinstance(saved["name"], str) and isinstance(saved["createdAt"], int)
    state = json.loads(saved["state"])
    sections = [one["uuid"] for one in state["compareRunSections"]]
    charts = state["compareRunCharts"]
    assert {one["metricSectionId"] for one in charts} == set(sections)
    assert len({one["uuid"] for one in charts}) == len(charts)
    shown = {one["metricKey"] for one in charts if "metricKey" in one}
    assert {"test/rafdb/accuracy", "test/rafdb/cam_cos", "val/accuracy"} <= shown
    assert bool(state["groupBy"]) == ("parallel" not in sections)  # MLflow draws no coordinates of groups


def test_the_address_of_a_view_names_the_experiment_and_shows_charts():
    tags = _mlflow_views.views("synthetic") | {"mlflow.note.content": "words"}
    tags |= {"mlflow.sharedViewState.0af3": "deflate;eJw="}  # what MLflow's button Share makes
    found = _mlflow_views.addresses(tags, "1", 5001)
    assert found["with and without guidance, scores on synthetic"] == (
        "http://127.0.0.1:5001/#/experiments/1/runs?viewStateShareKey=pairs-synthetic&compareRunsMode=CHART"
    )
    assert len(found) == 2
