"""MLflow's store locked, deleted or replaced under a run: the training ends well, one warning, a sync catches up."""

import sqlite3

import pytest
from small_pipeline import TRAIN, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def watched(pipeline):
    """The pipeline with MLflow's mirror on, its training begun: (pipeline, what runs)."""
    pipeline.edit("params.yaml", "  mlflow: false", "  mlflow: true")
    started = pipeline.start("dvc", "repro", "train")
    until(pipeline.states)
    return pipeline, started


def ends_well(pipeline, started, undisturbed, warnings):
    output = started.communicate(timeout=300)[0]
    assert started.returncode == 0 and pipeline.hashes(TRAIN) == undisturbed.hashes(TRAIN)
    assert output.count("MLflow mirror switched off") == warnings, output
    assert "Traceback" not in output


def runs(pipeline):
    with sqlite3.connect(pipeline.folder / "mlflow.db") as store:
        return store.execute("SELECT count(*) FROM runs WHERE status = 'FINISHED'").fetchone()[0]


def test_a_locked_store(watched, undisturbed):
    pipeline, started = watched
    other = sqlite3.connect(pipeline.folder / "mlflow.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    ends_well(pipeline, started, undisturbed, warnings=1)
    other.rollback()
    other.close()
    assert "1 MLflow runs made or completed" in pipeline.run("fer_bench.cli", "mlflow-sync")
    assert runs(pipeline) == 1


def test_a_deleted_store(watched, undisturbed):
    pipeline, started = watched
    for path in pipeline.folder.glob("mlflow.db*"):
        path.unlink()
    ends_well(pipeline, started, undisturbed, warnings=1)
    assert "1 MLflow runs made or completed" in pipeline.run("fer_bench.cli", "mlflow-sync")
    assert runs(pipeline) == 1
