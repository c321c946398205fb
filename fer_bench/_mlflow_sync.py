"""What the runs of a cell contain, read from its result files; knows nothing of MLflow itself."""

import hashlib
import json
import math
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fer_bench import _mlflow_drawings as drawings
from fer_bench import _mlflow_names as names
from fer_bench import score_file
from fer_bench.cells import METRICS, PLAN, PROVENANCE, Cell, faces_folder
from fer_bench.provenance import git_commit

KEY, CELL, KIND, CURRENT, PARTIAL = (f"fer_bench.{name}" for name in ("key", "cell", "kind", "current", "partial"))
TRAINING, EVALUATION = "training", "evaluation"
LAYOUT = 2  # of what a run shows; part of its key, so that a newer layout makes the runs anew
Number = tuple[str, float, int]  # name, value, step


@dataclass(frozen=True)
class Data:
    """The dataset a run was made with; digest: of its index, at most 36 characters; purpose: training or test."""

    name: str
    digest: str
    path: str
    purpose: str


@dataclass(frozen=True)
class Content:
    """Everything one run shows.

    key: cell and hash of the content, the same for the same results. draw: writes the artifacts into a folder.
    """

    key: str
    name: str
    tags: dict[str, str]
    params: dict[str, str]
    metrics: list[Number]
    data: Data | None
    draw: Callable[[Path], None]

    @property
    def partial(self) -> bool:
        """Whether a part is missing here, such as the epochs of a training whose log is not in this clone."""
        return self.tags[PARTIAL] == "true"


def common_tags(cell: Cell, root: Path) -> dict[str, str]:
    """Tags of every run of a cell; `pair` is the same with and without guidance."""
    index = root / faces_folder(cell.dataset) / "index.csv"
    return {
        CELL: cell.name,
        "cell": cell.name,
        "dataset": cell.dataset,
        "model": cell.model,
        "guidance": cell.guidance,
        "seed": str(cell.seed),
        "pair": f"{cell.dataset}-{cell.model}-s{cell.seed}",
        "dataset_hash": _sha256(index) if index.is_file() else "",
    }


def live_tags(cell: Cell, root: Path) -> dict[str, str]:
    """Tags of a training that is about to start."""
    commit = git_commit()
    own = {KIND: TRAINING, CURRENT: "true", PARTIAL: "true", **_stage("train", cell)}
    return common_tags(cell, root) | own | _commit_tags(commit)


def training(root: Path, cell: Cell) -> Content | None:
    """Content of a cell's training run; None when there is neither a log nor a scores file that names one."""
    path = root / cell.log / "history.csv"
    digest = _sha256(path) if path.is_file() else _named_history(root, cell)
    if not digest:
        return None
    history = pd.read_csv(path) if path.is_file() else pd.DataFrame()
    own = {KIND: TRAINING, CURRENT: "true", PARTIAL: str(history.empty).lower(), **_stage("train", cell)}
    tags = common_tags(cell, root) | own | _provenance(root, f"train/{cell.name}")

    def draw(folder: Path) -> None:
        if not history.empty:
            shutil.copy(path, folder / "history.csv")
            drawings.history(history, cell, folder)

    key = f"{cell.name}:{LAYOUT}:{digest[:16]}"
    shown = names.parameters(_settings(root, cell)), epoch_metrics(history), _data(root, cell.dataset, "training")
    return Content(key, cell.name, tags, *shown, draw)


def evaluation(root: Path, cell: Cell, test: str) -> Content | None:
    """Content of a cell's evaluation run on a test dataset; None without scores, or with those of an older training."""
    path = root / cell.metrics(test)
    document = _document(path)
    if not document.get("rows") or _outdated(root, cell, document):
        return None
    incomplete = not all((root / file["path"]).is_file() for file in document.get("files", []))
    own = {KIND: EVALUATION, CURRENT: "true", PARTIAL: str(incomplete).lower(), "test_dataset": test}
    own |= _stage("evaluate", cell, test)
    tags = common_tags(cell, root) | own | _provenance(root, f"evaluate/{test}/{cell.name}")

    def draw(folder: Path) -> None:
        shutil.copy(path, folder / "scores.json")
        if not incomplete:
            drawings.evaluation(root, cell, test, folder)

    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    key = f"{cell.name}:{test}:{LAYOUT}:{digest[:16]}"
    shown = names.parameters(document["cell"][0]), _scores(document), _data(root, test, "test")
    return Content(key, f"{cell.name} on {test}", tags, *shown, draw)


def headlines(root: Path, cell: Cell, test: str) -> list[Number]:
    """The main scores on a test dataset, shown in the training run too, so that runs compare without unfolding."""
    document = _document(root / cell.metrics(test))
    scores = {name: value for name, value in document.items() if isinstance(value, int | float)}
    return [(names.headline(test, name), float(value), 0) for name, value in sorted(scores.items())]


def numbers(row: Mapping[str, Any]) -> list[tuple[str, float]]:
    """The finite numbers of one row of a history under their names in MLflow, but for the epoch itself.

    Validation accuracy comes first: MLflow's comparison page draws the first metric that it knows.
    """
    found = [(names.epoch(str(name)), float(value)) for name, value in row.items() if name not in ("epoch", "best")]
    finite = [(name, value) for name, value in found if math.isfinite(value)]
    return sorted(finite, key=lambda pair: (not pair[0].startswith("val/"), pair[0]))


def epoch_metrics(history: pd.DataFrame) -> list[Number]:
    """Every finite number of a history with its epoch; validations within epochs are in history.csv alone."""
    rows = history[history["epoch"] % 1 == 0].to_dict("records") if len(history) else []
    return [
        (name, value, int(row["epoch"])) for row in rows for name, value in numbers({str(k): v for k, v in row.items()})
    ]


def _scores(document: Mapping[str, Any]) -> list[Number]:
    found = {name: row["value"] for name, row in names.scores(document["rows"]).items() if row["value"] is not None}
    return [(name, float(value), 0) for name, value in found.items() if math.isfinite(value)]


def _data(root: Path, dataset: str, purpose: str) -> Data | None:
    """The dataset, where its index is in this clone."""
    path = faces_folder(dataset) / "index.csv"
    known = (root / path).is_file()
    return Data(dataset, _sha256(root / path)[:32], path.as_posix(), purpose) if known else None


def _settings(root: Path, cell: Cell) -> dict[str, Any]:
    """The settings a cell was trained with: from its log, else from the plan."""
    return _read(root / cell.log / "settings.json") or _read(root / PLAN / "train" / f"{cell.name}.json")


def _named_history(root: Path, cell: Cell) -> str:
    """Hash of the training log as the cell's scores name it."""
    documents = [_document(path) for path in sorted((root / METRICS).glob(f"*/{cell.name}.json"))]
    return next((digest for document in documents if (digest := _history_of(document))), "")


def _history_of(document: Mapping[str, Any]) -> str:
    named = [file["sha256"] for file in document.get("files", []) if file["path"].endswith("history.csv")]
    return str(named[0]) if named else ""


def _outdated(root: Path, cell: Cell, document: Mapping[str, Any]) -> bool:
    """Whether the cell was trained again since it was scored."""
    path, named = root / cell.log / "history.csv", _history_of(document)
    return bool(named) and path.is_file() and _sha256(path) != named


def _stage(stage: str, cell: Cell, *more: str) -> dict[str, str]:
    """The stage of DVC that made the result, also under the names that MLflow's pages show as "Source"."""
    name = f"{stage}@{'-'.join((cell.dataset, cell.model, cell.guidance, str(cell.seed), *more))}"
    return {"dvc_stage": name, "mlflow.source.name": f"dvc repro {name}", "mlflow.source.type": "LOCAL"}


def _provenance(root: Path, name: str) -> dict[str, str]:
    """Commit and device of the machine that made the result, where this clone has the record."""
    record = _read(root / PROVENANCE / f"{name}.json")
    tags = _commit_tags(str(record.get("commit", "")))
    return tags | ({"device": str(record["device"])} if record.get("device") else {})


def _commit_tags(commit: str) -> dict[str, str]:
    # The second name is the one that MLflow's pages show as "Version".
    return {"git_commit": commit, "mlflow.source.git.commit": commit.removesuffix("-dirty")} if commit else {}


def _document(path: Path) -> dict[str, Any]:
    return score_file.read(path) if path.is_file() else {}


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
