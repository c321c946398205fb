"""MLflow as a mirror of the result files: written here, never read back, and never able to stop the work."""

import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from fer_bench import _mlflow_sync as files
from fer_bench._mlflow_sync import CELL, CURRENT, KEY, KIND, PARTIAL, Content, Number
from fer_bench.cells import Cell

EXPERIMENT = "fer-bench"
ABOUT_EXPERIMENT = {
    "mlflow.experimentKind": "custom_model_development",  # a page of training runs, not of language model traces
    "mlflow.note.content": "Group by the tag `pair`: training with and without guidance, side by side.",
}
_PARENT = "mlflow.parentRunId"
_LONGEST_VALUE = 5000  # characters of a tag or parameter that every MLflow store takes
_BATCH = 900  # metrics in one request, MLflow takes at most 1000
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # a server that is down must not hold up the training
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}


class LiveRun:
    """A training as it happens: `with LiveRun(entry) as run: train(..., on_epoch=run.log_epoch)`.

    history.csv must be written inside the `with`; on leaving, the run is completed from it.
    """

    def __init__(self, entry: Mapping[str, Any], enabled: bool = True, root: Path = Path()) -> None:
        """Prepare for the plan entry of a cell (data/plan/train/CELL.json); a skipped cell has no run."""
        self.cell, self.root = Cell.parse(entry["cell"]), root
        self._guard = _Guard(enabled and not entry.get("skip"))
        self._logged: set[int] = set()

    def __enter__(self) -> "LiveRun":
        self._guard(self._start)
        return self

    def log_epoch(self, row: Mapping[str, float]) -> None:
        """Log one row of the history."""
        self._guard(lambda: self._log(row))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._guard(self._complete)
        else:
            status = "FAILED" if issubclass(kind, Exception) else "KILLED"
            self._guard(lambda: self._store.end(self._run, status))

    def _start(self) -> None:
        self._store = _Store(self.root)
        self._run = self._store.create(self.cell.name, files.live_tags(self.cell, self.root))

    def _log(self, row: Mapping[str, float]) -> None:
        step = int(row["epoch"])
        self._store.log(self._run, [(name, value, step) for name, value in files.numbers(row)])
        self._logged.add(step)

    def _complete(self) -> None:
        content = files.training(self.root, self.cell)
        if content is not None:
            self._store.fill(self._run, content, self._logged)
            self._store.retire(self.cell, content)
        self._store.end(self._run)


@dataclass
class Summary:
    """What a sync did."""

    made: int = 0
    unchanged: int = 0
    without_results: int = 0
    failed: bool = False

    def __str__(self) -> str:
        if self.failed:
            return "MLflow could not be written, see the warning; results and tables are not affected"
        done = f"{self.made} MLflow runs made or completed, {self.unchanged} were there already"
        return done + (f", {self.without_results} cells have no results yet" if self.without_results else "")


def mirror_train(entry: Mapping[str, Any], root: Path = Path()) -> None:
    """Make the training run of a plan entry from its files, if it is not there."""
    _Guard()(lambda: _Mirror(root, Summary()).train(Cell.parse(entry["cell"])))


def mirror_evaluate(entry: Mapping[str, Any], root: Path = Path()) -> None:
    """Make the evaluation run of a plan entry (data/plan/evaluate/TEST/CELL.json), nested in its training run."""

    def work() -> None:
        mirror, cell = _Mirror(root, Summary()), Cell.parse(entry["cell"])
        mirror.evaluate(cell, str(entry["test_dataset"]["name"]), mirror.train(cell))

    _Guard()(work)


def sync(root: Path, plan: Mapping[str, Any]) -> Summary:
    """Make or complete every run of the plan's cells that is missing; a second call finds nothing to do."""
    summary = Summary()

    def work() -> None:
        mirror = _Mirror(root, summary)
        for entry in plan["cells"]:
            cell = Cell.parse(entry["cell"])
            parent = mirror.train(cell)
            summary.without_results += not parent
            for test in plan["test_datasets"]:
                mirror.evaluate(cell, test, parent)

    guard = _Guard()
    guard(work)
    summary.failed = not guard.enabled
    return summary


def tracking_uri(root: Path) -> str:
    """Address of the store: MLFLOW_TRACKING_URI, else the database that a bare `mlflow ui` opens in the repository."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root.resolve() / 'mlflow.db'}"


class _Guard:
    """Run a piece of mirroring; its first failure is one warning and the end of mirroring, never of the work."""

    def __init__(self, enabled: bool = True) -> None:
        self.enabled = enabled

    def __call__(self, work: Callable[[], object]) -> None:
        if not self.enabled:
            return
        try:
            work()
        except Exception as error:  # whatever MLflow, its database or its server may raise
            self.enabled = False
            reason = str(error).strip().splitlines() or [""]
            warnings.warn(
                f"MLflow mirror switched off ({type(error).__name__}: {reason[0]}); results are complete without it, "
                "`fer-bench mlflow-sync` catches up",
                RuntimeWarning,
                stacklevel=3,
            )


class _Mirror:
    """Makes the runs that are missing in a store."""

    def __init__(self, root: Path, summary: Summary) -> None:
        self.root, self.store, self.summary = root, _Store(root), summary

    def train(self, cell: Cell) -> str:
        """Return the cell's training run, made or completed if need be; empty without results."""
        content = files.training(self.root, cell)
        return self._ensure(cell, content, {})[0] if content else ""

    def evaluate(self, cell: Cell, test: str, parent: str) -> None:
        """Make the run of a cell's scores, nested in its training run."""
        content = files.evaluation(self.root, cell, test)
        if content is None or not parent:
            return
        _, changed = self._ensure(cell, content, {_PARENT: parent})
        if changed:
            self.store.log(parent, files.headlines(self.root, cell, test))

    def _ensure(self, cell: Cell, content: Content, more: Mapping[str, str]) -> tuple[str, bool]:
        """Return the run that shows this content, and whether it was made, completed or moved just now."""
        found = self.store.find(content.key)
        if found and (content.partial or found.data.tags.get(PARTIAL) == "false"):
            self.summary.unchanged += 1
            moved = not more.items() <= found.data.tags.items()  # the training run above it was made anew
            if moved:
                self.store.tag(found.info.run_id, more)
            return str(found.info.run_id), moved
        run = str(found.info.run_id) if found else self.store.create(content.name, content.tags | dict(more))
        self.store.fill(run, content)
        self.store.retire(cell, content)
        self.store.end(run)
        self.summary.made += 1
        return run, True


class _Store:
    """The few things that are asked of MLflow."""

    def __init__(self, root: Path) -> None:
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient  # noqa: PLC0415  seconds to import, and not needed where it is switched off

        uri = tracking_uri(root)
        if uri.startswith("sqlite:///"):
            _create_database(uri, root)
        self.client = MlflowClient(uri)
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
        self.client.log_batch(run, params=[Param(name, value) for name, value in missing.items()])
        done = set(logged)
        self.log(run, [number for number in content.metrics if number[2] not in done])
        with tempfile.TemporaryDirectory() as folder:
            content.draw(Path(folder))
            for path in sorted(Path(folder).iterdir()):
                self.client.log_artifact(run, str(path))
        self.tag(run, content.tags | {KEY: content.key})

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


def _create_database(uri: str, root: Path) -> None:
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

        for name in ("mlflow.store.db.utils", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        draft = path.with_name(f"{path.name}.draft")
        draft.unlink(missing_ok=True)
        SqlAlchemyStore(f"sqlite:///{draft}", str(root.resolve() / "mlruns"))
        draft.replace(path)
