"""A trained cell as an MLflow model: logged once, loaded and served by MLflow itself, the same answers as `explain`."""

import base64
import json
import subprocess
import sys
import urllib.request

import numpy as np
import pandas as pd
import pytest
from mlflow_server import serving
from typer.testing import CliRunner

from fer_bench import _mlflow_model, _mlflow_store, tracking
from fer_bench.commands import mlflow_log_model
from fer_bench.errors import InputError
from fer_bench.explanation import explain, trained
from fer_bench.explanation.answer import KEYS, answer
from tests.trained_cells import CELL, repository

pytest.importorskip("dlib", reason="needs fer_bench[landmarks-offline]")
HISTORY = "epoch,train_loss,val_accuracy\n1,2.0,20.0\n2,1.5,40.0\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = repository(tmp_path_factory.mktemp("repository"))
    (made / "results/runs" / CELL / "log/history.csv").write_text(HISTORY, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def photo():
    """A generated face as a PNG file's bytes: the example that is logged with a model."""
    return bytes(_mlflow_model.example()["image"][0])


@pytest.fixture(scope="module")
def logged(root):
    """Lines that the command prints, twice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        return [mlflow_log_model.log_model(CELL, root=root) for _ in range(2)]


@pytest.fixture(scope="module")
def uri(logged):
    return logged[0][0].split()[1].rstrip(",")


@pytest.fixture(scope="module")
def network(root):
    return trained(CELL, root=root)


def test_an_answer_is_what_explain_finds(network, photo, tmp_path):
    (tmp_path / "face.png").write_bytes(photo)
    found, wanted = answer(photo, network), explain(tmp_path / "face.png", model=network)
    assert (found["label"], found["problem"]) == (wanted.expression, "")
    assert found["probabilities"] == wanted.probabilities
    np.testing.assert_allclose(found["attention"], wanted.network.attention, atol=1e-6)
    np.testing.assert_allclose(found["map"], wanted.network.cams[found["explainer"]], atol=1e-6)
    np.testing.assert_allclose(found["crop"], wanted.face.corners, atol=1e-6)


@pytest.mark.parametrize(("file", "problem"), [(b"no image", "not an image"), (None, "no face found")])
def test_a_file_that_cannot_be_answered_says_why(network, photo, file, problem):
    if file is None:
        file = _flat_grey()
    found = answer(file, network)
    assert problem in found["problem"]
    assert [found[key] for key in KEYS if key != "problem"] == [None] * 6


def _flat_grey() -> bytes:
    from io import BytesIO

    from PIL import Image

    made = BytesIO()
    Image.new("RGB", (90, 90), (120, 120, 120)).save(made, format="PNG")
    return made.getvalue()


def test_an_explainer_that_does_not_exist_is_an_error(network, photo):
    with pytest.raises(InputError, match="did you mean 'gradcam'"):
        answer(photo, network, explainer="gradcm")


def test_a_second_call_logs_nothing(logged, uri):
    assert logged[0][0] == f"logged: {uri}, a model of the run {CELL}"
    assert logged[1][0] == f"there already: {uri}, a model of the run {CELL}"


def test_the_model_belongs_to_the_run_and_leaves_its_times_alone(root, uri):
    from mlflow import MlflowClient

    client = MlflowClient(_mlflow_store.tracking_uri(root))
    model = client.get_logged_model(uri.removeprefix("models:/"))
    run = client.get_run(model.source_run_id)
    assert run.data.tags["cell"] == model.name == CELL
    assert model.experiment_id == run.info.experiment_id
    assert run.info.status == "FINISHED"
    assert run.info.end_time <= model.creation_timestamp


def test_mlflow_loads_it_and_it_answers_as_the_cell_does(root, uri, network, photo):
    """In a process of its own, outside the repository, where nothing of it is imported yet."""
    code = (
        "import json, sys, mlflow, pandas\n"
        f"mlflow.set_tracking_uri({_mlflow_store.tracking_uri(root)!r})\n"
        f"model = mlflow.pyfunc.load_model({uri!r})\n"
        "photos = pandas.DataFrame({'image': [sys.stdin.buffer.read()]})\n"
        "rows = model.predict(photos, params={'explainer': 'gradcam'})\n"
        "print(json.dumps([rows.to_dict('records'), sys.modules['fer_bench'].__file__]))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], input=photo, capture_output=True, cwd=root, check=False)
    assert ended.returncode == 0, ended.stderr.decode()[-2000:]
    (row,), place = json.loads(ended.stdout)
    assert row == json.loads(json.dumps(answer(photo, network, "gradcam")))
    assert row["explainer"] == "gradcam"
    assert uri.removeprefix("models:/") in place  # the code that was logged with it


def test_nothing_of_it_is_pickled(root, uri):
    (folder,) = root.glob(f"mlruns/fer-bench/models/{uri.removeprefix('models:/')}/artifacts")
    assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle", ".pt", ".pth")]
    assert (folder / "artifacts/export/model.safetensors").is_file()
    described = (folder / "MLmodel").read_text(encoding="utf-8")
    assert '"type": "binary", "name": "image"' in described and '"name": "probabilities"' in described


def test_a_cell_without_a_training_log_has_no_run(root, tmp_path):
    with pytest.raises(InputError, match="no training log here"):
        tracking.log_model("synthetic-resnet10t-none-s7", tmp_path, root)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_mlflow_serves_it(root, uri, network, photo):
    asked = {"dataframe_records": [{"image": base64.b64encode(photo).decode()}], "params": {"whole": True}}
    arguments = ["models", "serve", "--model-uri", uri, "--env-manager", "local"]
    with serving(root, arguments, "/ping") as address:
        kind = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{address}/invocations", json.dumps(asked).encode(), kind)  # noqa: S310
        with urllib.request.urlopen(request, timeout=200) as reply:  # noqa: S310  our own address
            (row,) = json.load(reply)["predictions"]
    assert row == json.loads(json.dumps(answer(photo, network, whole=True)))


def test_the_command_names_what_is_trained(root, monkeypatch):
    from fer_bench import cli

    monkeypatch.chdir(root)
    result = CliRunner().invoke(cli.app, ["mlflow-log-model", CELL.replace("s0", "s9")])
    assert result.exit_code == 1
    assert CELL in result.output


def test_requirements_are_versions_that_are_installed():
    import torch

    found = dict(line.split("==") for line in _mlflow_model.requirements())
    assert found["torch"] == torch.__version__.partition("+")[0] or found["torch"] == torch.__version__
    assert "fer_bench" not in found and "pytest" not in found
    assert pd.__version__ == found["pandas"]
