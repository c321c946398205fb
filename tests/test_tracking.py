"""The MLflow mirror, against a real MLflow store in a temporary folder."""

import copy
import json
import shutil
import warnings
from pathlib import Path

import pytest
import recorded_results as recorded

from fer_bench import _mlflow_drawings, _mlflow_store, tracking
from fer_bench.cells import Cell

SEEDS = (0,)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A repository with results and an empty, migrated database; made once because the migration takes a second."""
    root = tmp_path_factory.mktemp("tracking")
    plan = recorded.plan(seeds=SEEDS)
    plan["cells"] = [entry for entry in plan["cells"] if entry["model"] == "resnet_small"]
    recorded.write(root, plan)
    _mlflow_store.create_database(f"sqlite:///{root / 'mlflow.db'}", root)
    return root, plan


@pytest.fixture
def repository(template, tmp_path, monkeypatch, request):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if "artifacts" not in request.node.name:
        for name in ("history", "evaluation", "pictures"):  # seconds, and looked at where the name says so
            monkeypatch.setattr(_mlflow_drawings, name, lambda *_: {})
    root, plan = template
    shutil.copytree(root, tmp_path, dirs_exist_ok=True)
    return tmp_path, copy.deepcopy(plan)


def client(root):
    from mlflow import MlflowClient

    return MlflowClient(_mlflow_store.tracking_uri(root))


def runs(root, query=""):
    found = client(root)
    experiment = found.get_experiment_by_name(_mlflow_store.EXPERIMENT)
    return found.search_runs([experiment.experiment_id], query) if experiment else []


def entry_of(plan, index=0, **more):
    return {"cell": plan["cells"][index]["cell"], "skip": ""} | more


def artifacts(root, run):
    return {file.path for file in client(root).list_artifacts(run.info.run_id)}


def test_sync_makes_runs_once(repository):
    root, plan = repository
    first, second = tracking.sync(root, plan), tracking.sync(root, plan)
    assert (first.made, first.unchanged) == (4, 0)  # two cells, each a training and an evaluation
    assert (second.made, second.unchanged) == (0, 4)
    assert len(runs(root)) == 4
    assert str(second) == "0 MLflow runs made or completed, 4 were there already"


def test_training_run_shows_settings_epochs_scores_and_artifacts(repository):
    root, plan = repository
    cell = Cell.parse(plan["cells"][1]["cell"])
    settings = {"train": {"epochs": 3, "augmentation": {"rotation": 6.0}}, "sources": {"a": "1"}, "skip": ""}
    (root / cell.log / "settings.json").write_text(json.dumps(settings))
    tracking.sync(root, plan)
    run = runs(root, f"tags.cell = '{cell.name}' and tags.`fer_bench.kind` = 'training'")[0]
    assert run.info.run_name == cell.name
    assert run.info.status == "FINISHED"
    assert run.data.params == {"train.epochs": "3", "train.augmentation.rotation": "6.0", "skip": ""}
    tags = run.data.tags
    assert tags["pair"] == "synthetic-resnet_small-s0"
    assert tags["dvc_stage"] == "train@synthetic-resnet_small-au-0"
    assert tags["fer_bench.partial"] == "false"
    assert (tags["mlflow.source.name"], tags["mlflow.source.type"]) == (f"dvc repro {tags['dvc_stage']}", "LOCAL")
    history = client(root).get_metric_history(run.info.run_id, "val/att_cos")
    assert [(point.step, round(point.value, 4)) for point in history] == [(1, 0.6), (2, 0.65), (3, 0.6667)]
    assert run.data.metrics["test/synthetic/accuracy"] == 85.5
    faces = {"attention-synthetic.png", "cam-synthetic.png"}
    assert artifacts(root, run) == {"history.csv", "training_curves.png", "images"} | faces
    charted = [Path(file.path).name for file in client(root).list_artifacts(run.info.run_id, "images")]
    assert {name.partition("+")[0] for name in charted} == {"test~synthetic~attention", "test~synthetic~cam"}
    assert len(charted) == 4  # each with a small copy that MLflow makes
    inputs = run.inputs.dataset_inputs
    assert [(one.dataset.name, one.tags[0].value) for one in inputs] == [("synthetic", "training")]


def test_evaluation_is_nested_with_artifacts(repository):
    root, plan = repository
    tracking.sync(root, plan)
    parents = {run.info.run_id: run for run in runs(root, "tags.`fer_bench.kind` = 'training'")}
    children = runs(root, "tags.`fer_bench.kind` = 'evaluation'")
    assert len(children) == 2
    for child in children:
        assert parents[child.data.tags["mlflow.parentRunId"]].data.tags["cell"] == child.data.tags["cell"]
        assert child.data.metrics["att_cos/layer 5 paper"] == pytest.approx(
            0.935 if child.data.tags["guidance"] == "au" else 0.74
        )
        assert artifacts(root, child) == {"scores.json", "confusion.png", "overlays.png"}


def test_private_faces_are_no_artifacts(repository):
    root, plan = repository
    private = recorded.plan(seeds=SEEDS, publishable=False)
    (root / "data/plan/grid.json").write_text(json.dumps(private))
    plan["cells"] = plan["cells"][:1]
    tracking.sync(root, plan)
    child = runs(root, "tags.`fer_bench.kind` = 'evaluation'")[0]
    parent = runs(root, "tags.`fer_bench.kind` = 'training'")[0]
    assert artifacts(root, child) == {"scores.json", "confusion.png"}
    assert artifacts(root, parent) == {"history.csv", "training_curves.png"}


def test_deleted_runs_come_back(repository):
    root, plan = repository
    tracking.sync(root, plan)
    parent = runs(root, "tags.`fer_bench.kind` = 'training'")[0]
    client(root).delete_run(parent.info.run_id)
    assert tracking.sync(root, plan).made == 1
    again = runs(root, f"tags.cell = '{parent.data.tags['cell']}'")
    assert len(again) == 2
    kinds = {run.data.tags["fer_bench.kind"]: run for run in again}
    assert kinds["evaluation"].data.tags["mlflow.parentRunId"] == kinds["training"].info.run_id
    assert kinds["training"].data.metrics["test/synthetic/accuracy"] > 80


def test_new_results_make_new_runs_and_retire_the_old(repository):
    root, plan = repository
    tracking.sync(root, plan)
    cell = Cell.parse(plan["cells"][0]["cell"])
    history = root / cell.log / "history.csv"
    history.write_text(history.read_text().replace("0.001", "0.002"))
    assert tracking.sync(root, plan).made == 1  # the scores on disk belong to the older training
    kept = runs(root, f"tags.cell = '{cell.name}' and tags.`fer_bench.kind` = 'training'")
    assert sorted(run.data.tags["fer_bench.current"] for run in kept) == ["false", "true"]


def test_fresh_clone_gets_partial_runs_that_are_completed_later(repository, tmp_path):
    root, plan = repository
    hidden = root / "elsewhere"
    shutil.move(root / "results/runs", hidden)
    assert tracking.sync(root, plan).made == 4
    assert {run.data.tags["fer_bench.partial"] for run in runs(root)} == {"true"}
    assert tracking.sync(root, plan).made == 0
    shutil.move(hidden, root / "results/runs")
    assert tracking.sync(root, plan).made == 4
    assert len(runs(root)) == 4
    assert {run.data.tags["fer_bench.partial"] for run in runs(root)} == {"false"}


def test_runs_of_a_fresh_clone_have_no_artifacts_that_need_the_cache(repository):
    root, plan = repository
    shutil.move(root / "results/runs", root / "elsewhere")
    plan["cells"] = plan["cells"][:1]
    assert tracking.sync(root, plan).made == 2
    found = {run.data.tags["fer_bench.kind"]: artifacts(root, run) for run in runs(root)}
    assert found == {"training": set(), "evaluation": {"scores.json"}}


def test_views_are_offered_and_a_changed_one_is_left_alone(repository):
    root, plan = repository
    tracking.sync(root, plan)
    found = client(root)
    experiment = found.get_experiment_by_name(_mlflow_store.EXPERIMENT)
    ours = [tag for tag in experiment.tags if tag.startswith("mlflow.sharedViewState.")]
    assert sorted(ours) == [f"mlflow.sharedViewState.{name}-synthetic" for name in ("means", "pairs")]
    found.set_experiment_tag(experiment.experiment_id, ours[0], "mine")
    found.delete_run(runs(root)[0].info.run_id)
    assert tracking.sync(root, plan).made == 1
    assert found.get_experiment(experiment.experiment_id).tags[ours[0]] == "mine"


def test_looking_for_views_makes_no_database(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking.view_addresses(5000, tmp_path) == {}
    assert not list(tmp_path.iterdir())


def test_cells_without_results_are_counted(repository):
    root, _ = repository
    more = recorded.plan(seeds=(0, 5))
    assert tracking.sync(root, more).without_results == 6


def test_live_run_logs_epochs_and_is_completed(repository):
    root, plan = repository
    cell = Cell.parse(plan["cells"][0]["cell"])
    with tracking.LiveRun(entry_of(plan), root=root) as live:
        live.log_epoch({"epoch": 1.0, "train_loss": 2.0, "val_att_cos": float("nan")})
        live.log_epoch({"epoch": 1.5, "train_loss": 1.5})  # within an epoch: in history.csv alone
        assert [run.info.status for run in runs(root)] == ["RUNNING"]
    run = runs(root)[0]
    assert run.info.status == "FINISHED"
    losses = client(root).get_metric_history(run.info.run_id, "train/loss")
    assert [point.step for point in losses] == [1, 2, 3]  # the first from the live log, the others from history.csv
    assert run.data.tags["fer_bench.key"].startswith(f"{cell.name}:")
    tracking.mirror_train(entry_of(plan), root)
    assert len(runs(root)) == 1
    tracking.mirror_evaluate(entry_of(plan, test_dataset={"name": "synthetic"}), root)
    assert len(runs(root)) == 2


def test_a_training_that_fails_leaves_a_failed_run(repository):
    root, plan = repository
    with pytest.raises(ValueError, match="loss"), tracking.LiveRun(entry_of(plan), root=root):
        raise ValueError("loss is not finite")
    assert [run.info.status for run in runs(root)] == ["FAILED"]
    assert tracking.sync(root, plan).made == 4  # it does not count as the cell's run


@pytest.mark.parametrize("change", [{"enabled": False}, {"entry": {"skip": "too coarse"}}])
def test_disabled_or_skipped_touches_nothing(repository, change):
    root, plan = repository
    entry = entry_of(plan) | change.get("entry", {})
    with tracking.LiveRun(entry, enabled=change.get("enabled", True), root=root) as live:
        live.log_epoch({"epoch": 1.0, "train_loss": 2.0})
    assert runs(root) == []


def test_a_server_that_is_down_only_warns_once(repository, monkeypatch):
    root, plan = repository
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with tracking.LiveRun(entry_of(plan), root=root) as live:
            live.log_epoch({"epoch": 1.0, "train_loss": 2.0})
    assert sum("MLflow mirror switched off" in str(item.message) for item in caught) == 1
    with pytest.warns(RuntimeWarning, match="MLflow mirror switched off"):
        assert "could not be written" in str(tracking.sync(root, plan))


def test_a_broken_database_only_warns(repository):
    root, plan = repository
    (root / "mlflow.db").write_bytes(b"this is no database" * 100)
    with pytest.warns(RuntimeWarning, match="MLflow mirror switched off"):
        tracking.mirror_train(entry_of(plan), root)


def test_the_database_is_made_once_and_whole(tmp_path):
    for _ in range(2):
        _mlflow_store.create_database(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} - {"mlflow.db.lock"} == {"mlflow.db"}
