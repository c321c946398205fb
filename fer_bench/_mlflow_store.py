"""The few requests made of MLflow: find, make, fill, tag and end runs; make the local database once."""

import json
import logging
import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fer_bench._mlflow_sync import CELL, CURRENT, KEY, KIND, Content, Data, Number
from fer_bench.cells import Cell

EXPERIMENT = "fer-bench"
ABOUT_EXPERIMENT = {
    "mlflow.experimentKind": "custom_model_development",  # a page of training runs, not of language model traces
    "mlflow.note.content": "Views (above, on the right) has trainings with and without guidance side by side.",
}
PARENT = "mlflow.parentRunId"
_LONGEST_VALUE = 5000  # characters of a tag or parameter that every MLflow store takes
_BATCH = 900  # metrics in one request, MLflow takes at most 1000
_PARAMS = 100  # parameters in one request, the most that MLflow takes
_IMAGES = "images"  # where MLflow keeps pictures for its charts
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # a server that is down must not hold up the training
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}


class Store:
    """The few things that are asked of MLflow."""

    def __init__(self, root: Path) -> None:
        for name, value in _PATIENCE.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient  # noqa: PLC0415  seconds to import, and not needed where it is switched off

        # Whatever fails is raised too, and becomes one warning.
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
        self.uri = tracking_uri(root)
        if self.uri.startswith("sqlite:///"):
            create_database(self.uri, root)
        self.client = MlflowClient(self.uri)
        self.experiment = self._experiment(root)

    def _experiment(self, root: Path) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
        found = self.client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        here = "MLFLOW_TRACKING_URI" not in os.environ
        place = (root.resolve() / "mlruns" / name).as_uri() if here else None  # a server keeps its own artifacts
        try:
            return str(self.client.create_experiment(name, artifact_location=place, tags=ABOUT_EXPERIMENT))
        except Exception:
            found = self.client.get_experiment_by_name(name)  # another process was faster
            if found is None:
                raise
            return str(found.experiment_id)

    def find(self, key: str) -> Any:
        """The newest run with this key that was not deleted, or None."""
        return next(iter(self._search(f"tags.`{KEY}` = '{key}'")), None)

    def _search(self, query: str) -> list[Any]:
        return list(self.client.search_runs([self.experiment], query, order_by=["attributes.start_time DESC"]))

    def create(self, name: str, tags: Mapping[str, str]) -> str:
        """Start a run."""
        return str(self.client.create_run(self.experiment, run_name=name, tags=_short(tags)).info.run_id)

    def fill(self, run: str, content: Content, logged: Iterable[int] = ()) -> None:
        """Write everything a run shows; epochs that were `logged` live are not repeated. Its key is written last."""
        from mlflow.entities import Param  # noqa: PLC0415

        known = self.client.get_run(run).data.params
        missing = {name: value for name, value in _short(content.params).items() if name not in known}
        params = [Param(name, value) for name, value in missing.items()]
        for start in range(0, len(params), _PARAMS):
            self.client.log_batch(run, params=params[start : start + _PARAMS])
        if content.data:
            self._use(run, content.data)
        done = set(logged)
        self.log(run, [number for number in content.metrics if number[2] not in done])
        with tempfile.TemporaryDirectory() as folder:
            content.draw(Path(folder))
            for path in sorted(Path(folder).iterdir()):
                self.client.log_artifact(run, str(path))
        self.tag(run, content.tags | {KEY: content.key})

    def _use(self, run: str, data: Data) -> None:
        """Name the dataset of a run, for the column and the filter of MLflow's pages."""
        from mlflow.entities import Dataset, DatasetInput, InputTag  # noqa: PLC0415

        dataset = Dataset(data.name, data.digest, "local", json.dumps({"uri": data.path}))
        purpose = InputTag("mlflow.data.context", data.purpose)
        self.client.log_inputs(run, datasets=[DatasetInput(dataset, [purpose])])

    def show(self, run: str, pictures: Mapping[str, Path]) -> None:
        """Log pictures, key -> file: for the charts, once each, and as artifacts, which the comparison page shows.

        That page knows files at the top alone and has room for short names: test/rafdb/cam -> cam-rafdb.png.
        """
        from PIL import Image  # noqa: PLC0415

        charted = {Path(file.path).name.partition("+")[0] for file in self.client.list_artifacts(run, _IMAGES)}
        for key, path in pictures.items():
            with Image.open(path) as image:
                self.client.log_image(run, image, f"{'-'.join(reversed(key.split('/')[1:]))}.png")
                if key.replace("/", "~") not in charted:
                    self.client.log_image(run, image.convert("RGB"), key=key)

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the experiment."""
        return dict(self.client.get_experiment(self.experiment).tags)

    def offer(self, views: Mapping[str, str]) -> None:
        """Add views to the experiment; one that is there stays as its user has left it."""
        there = self.tags
        for name, value in views.items():
            if name not in there:
                self.client.set_experiment_tag(self.experiment, name, value)

    def log(self, run: str, numbers: list[Number]) -> None:
        """Write metrics."""
        from mlflow.entities import Metric  # noqa: PLC0415

        now = int(time.time() * 1000)
        for start in range(0, len(numbers), _BATCH):
            batch = [Metric(name, value, now, step) for name, value, step in numbers[start : start + _BATCH]]
            self.client.log_batch(run, metrics=batch)

    def tag(self, run: str, tags: Mapping[str, str]) -> None:
        """Set tags."""
        from mlflow.entities import RunTag  # noqa: PLC0415

        self.client.log_batch(run, tags=[RunTag(name, value) for name, value in _short(tags).items()])

    def retire(self, cell: Cell, content: Content) -> None:
        """Mark earlier runs of the same kind that hold other results as not current; they stay, to be compared with."""
        query = (
            f"tags.`{CELL}` = '{cell.name}' and tags.`{CURRENT}` = 'true' and tags.`{KIND}` = '{content.tags[KIND]}'"
        )
        for run in self._search(query):
            same_test = run.data.tags.get("test_dataset") == content.tags.get("test_dataset")
            if same_test and run.data.tags.get(KEY) != content.key:
                self.tag(run.info.run_id, {CURRENT: "false"})

    def end(self, run: str, status: str = "FINISHED") -> None:
        """Close a run."""
        self.client.set_terminated(run, status)


def _short(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value[:_LONGEST_VALUE] for name, value in values.items()}


def create_database(uri: str, root: Path) -> None:
    """Create the database once: several processes that open a new one at the same moment would all fail.

    It is made under another name and moved into place, so that a killed process leaves no half-made one.
    """
    path = Path(uri.removeprefix("sqlite:///"))
    if path.exists():
        return
    from filelock import FileLock  # noqa: PLC0415

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        if path.exists():
            return
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # noqa: PLC0415

        logging.getLogger("alembic").setLevel(logging.WARNING)
        draft = path.with_name(f"{path.name}.draft")
        draft.unlink(missing_ok=True)
        SqlAlchemyStore(f"sqlite:///{draft}", str(root.resolve() / "mlruns"))
        draft.replace(path)


def tracking_uri(root: Path) -> str:
    """Address of the store: MLFLOW_TRACKING_URI, else the database that a bare `mlflow ui` opens in the repository."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root.resolve() / 'mlflow.db'}"
