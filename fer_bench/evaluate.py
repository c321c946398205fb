"""Evaluate one cell on one test dataset: predictions, per-image scores, mean maps and the averaged rows."""

import hashlib
from pathlib import Path
from typing import Any

import torch

from fer_bench import score_file
from fer_bench.cells import Cell
from fer_bench.evaluate_facts import facts
from fer_bench.evaluation import Evaluation
from fer_bench.score_rows import Row
from fer_bench.scoring import TRUE_TRUE
from fer_bench.train_settings import RuntimeSettings

MAIN = {"target": "paper", "pairing": TRUE_TRUE, "subset": "all"}


def evaluate_cell(entry: dict[str, Any], runtime: RuntimeSettings, root: Path = Path()) -> None:
    """Evaluate the cell of a plan entry (data/plan/evaluate/TEST/CELL.json).

    Writes results/runs/CELL/evaluate/TEST/ and results/metrics/TEST/CELL.json; a skipped cell gets its reason only.
    """
    cell, test = Cell.parse(entry["cell"]), str(entry["test_dataset"]["name"])
    folder, metrics = root / cell.evaluation(test), root / cell.metrics(test)
    for path in (folder, metrics.parent):
        path.mkdir(parents=True, exist_ok=True)
    if entry["skip"]:
        score_file.write(metrics, {"rows": [], "cell": [facts(entry, None)], "skipped": [{"reason": entry["skip"]}]})
        return
    torch.set_num_threads(runtime.threads)
    evaluation = Evaluation(entry, root)
    rows = evaluation.run(folder)
    faces = evaluation.write_examples(folder, root / cell.private(test))
    files = sorted([*folder.glob("*"), root / cell.log / "history.csv"])
    private = [path for path in faces if path not in files]
    score_file.write(
        metrics,
        {
            **_headlines(rows),
            "rows": rows,
            "cell": [facts(entry, root / cell.log / "history.csv")],
            "skipped": [],
            "flags": evaluation.flags,
            "files": [_named(path, root) for path in files],
            **({"private_files": [_named(path, root) for path in private]} if private else {}),
        },
    )


def _headlines(rows: list[Row]) -> dict[str, float]:
    """The numbers that `dvc metrics show` prints: classification, last attention, the first explainer."""
    wanted = {
        "accuracy": {"metric": "accuracy"},
        "macro_f1": {"metric": "macro_f1"},
        "att_cos": {"metric": "att_cos", "layer": max(row["layer"] for row in rows), "average": "macro", **MAIN},
        "cam_cos": {"metric": "cam_cos", "average": "macro", **MAIN},
    }
    found = {}
    for name, keys in wanted.items():
        match = next((row for row in rows if all(row[key] == value for key, value in keys.items())), None)
        if match is not None and match["value"] is not None:
            found[name] = match["value"]
    return found


def _named(path: Path, root: Path) -> dict[str, str]:
    """A file as the scores name it: path below the root, hash of its content."""
    return {"path": path.relative_to(root).as_posix(), "sha256": _sha256(path)}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
