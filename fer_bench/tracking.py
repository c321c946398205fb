"""MLflow as a mirror of the result files: written here, never read back, and never able to stop the work."""

import tempfile
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from fer_bench import _mlflow_drawings as drawings
from fer_bench import _mlflow_names as names
from fer_bench import _mlflow_sync as files
from fer_bench import _mlflow_views as views
from fer_bench._mlflow_store import PARENT, Store, tracking_uri
from fer_bench._mlflow_sync import PARTIAL, Content
from fer_bench.cells import Cell
from fer_bench.errors import InputError

if TYPE_CHECKING:
    from fer_bench._mlflow_model import Logged


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
        """Log one row of the history, if it ends an epoch: MLflow's steps are whole."""
        if float(row["epoch"]).is_integer():
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
        self._store = Store(self.root)
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


def sync(root: Path, plan: Mapping[str, Any], watched: Callable[[list[Any]], Iterable[Any]] = iter) -> Summary:
    """Make or complete every run of the plan's cells that is missing; a second call finds nothing to do.

    Args:
        root: of the repository.
        plan: content of data/plan/grid.json.
        watched: wraps the list of cells, for a progress bar.
    """
    summary = Summary()

    def work() -> None:
        mirror = _Mirror(root, summary)
        for entry in watched(plan["cells"]):
            cell = Cell.parse(entry["cell"])
            parent = mirror.train(cell)
            summary.without_results += not parent
            for test in plan["test_datasets"]:
                mirror.evaluate(cell, test, parent)

    guard = _Guard()
    guard(work)
    summary.failed = not guard.enabled
    return summary


def view_addresses(port: int, root: Path = Path()) -> dict[str, str]:
    """Name -> address of the views that `fer-bench ui` shows on a port; empty where there are no runs yet."""
    found: dict[str, str] = {}
    database = tracking_uri(root).removeprefix("sqlite:///")

    def work() -> None:
        store = Store(root)
        found.update(views.addresses(store.tags, store.experiment, port))

    _Guard("://" in database or Path(database).is_file())(work)  # looking must not make an empty database
    return found


def log_model(cell: str, folder: Path, root: Path = Path()) -> "Logged":
    """Log the export of a trained cell as a model of its training run, which is made if it is not there.

    Args:
        cell: DATASET-MODEL-GUIDANCE-sSEED.
        folder: what `fer_bench.export.export` wrote.
        root: of the repository.

    Raises:
        InputError: no training run can be made of the cell's files, or MLflow cannot be written.
    """
    from fer_bench import _mlflow_model as models  # noqa: PLC0415  MLflow takes seconds

    try:
        mirror = _Mirror(root, Summary())
        run = mirror.train(Cell.parse(cell))
        if run:
            return models.log(mirror.store, run, cell, folder)
    except Exception as error:  # whatever MLflow, its database or its server may raise
        reason = str(error).strip().splitlines() or [""]
        said = f"{type(error).__name__}: {reason[0]}"
        raise InputError(f"MLflow at {tracking_uri(root)}: {said}; MLFLOW_TRACKING_URI names another server") from error
    raise InputError(
        f"cell {cell}: no training log here, so no run to link a model to; `dvc repro` or `dvc pull` has it"
    )


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
        self.root, self.store, self.summary = root, Store(root), summary

    def train(self, cell: Cell) -> str:
        """Return the cell's training run, made or completed if need be; empty without results."""
        content = files.training(self.root, cell)
        return self._ensure(cell, content, {})[0] if content else ""

    def evaluate(self, cell: Cell, test: str, parent: str) -> None:
        """Make the run of a cell's scores, nested in its training run."""
        content = files.evaluation(self.root, cell, test)
        if content is None or not parent:
            return
        _, changed = self._ensure(cell, content, {PARENT: parent})
        if changed:
            self.store.log(parent, files.headlines(self.root, cell, test))
            if not content.partial:
                self._show(cell, test, parent)
            self.store.offer(views.views(test))

    def _show(self, cell: Cell, test: str, run: str) -> None:
        """Lay the faces of a test dataset beside the scores in a training run, where they may be shown."""
        with tempfile.TemporaryDirectory() as folder:
            drawn = drawings.pictures(self.root, cell, test, Path(folder))
            self.store.show(run, {names.picture(test, kind): path for kind, path in drawn.items()})

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
