"""The files of the stage: lists in CSV beside the data, counts as a small JSON that git can show."""

import hashlib
import json
from pathlib import Path

from fer_bench.cells import DATA
from fer_bench.hygiene.findings import Findings

LISTS = DATA / "hygiene"
SUMMARIES = Path("results/hygiene")
NEEDED = "without_landmarks"  # the list that the tables read too


def write_lists(findings: Findings, dataset: str, root: Path = Path()) -> Path:
    """Write data/hygiene/DATASET/NAME.csv, one row per image, and return the folder."""
    folder = root / LISTS / dataset
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in findings.lists.items():
        rows.to_csv(folder / f"{name}.csv", index=False, encoding="utf-8", lineterminator="\n")
    return folder


def write_summary(findings: Findings, dataset: str, distance: int, root: Path = Path()) -> Path:
    """Write results/hygiene/DATASET.json: counts per split, and the sha256 of the list that the tables read."""
    needed = LISTS / dataset / f"{NEEDED}.csv"
    digest = hashlib.sha256((root / needed).read_bytes()).hexdigest()
    content = {
        "dataset": dataset,
        "near_distance": distance,
        "splits": findings.facts,
        "files": [{"path": needed.as_posix(), "sha256": digest}],
    }
    path = root / SUMMARIES / f"{dataset}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path
