"""A repository with one trained cell: generated faces prepared, a small network of random weights, scores by hand."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from fer_bench import classifier as classifiers
from fer_bench.cells import Cell
from tests.prepared_faces import NAME, prepare

ROOT = Path(__file__).parent.parent
CELL = f"{NAME}-resnet10t-au-s0"
RESNET = {
    "backbone": "resnet10t",
    "kwargs": {"channels": [16, 16, 24, 32], "stem_width": 8, "large_maps": True},
    "method": "cam",
    "input_size": 64,
}
XCIT = {
    "backbone": "xcit_nano_12_p8_224",
    "kwargs": {"depth": 2, "embed_dim": 32, "num_heads": 2},
    "method": "cam",
    "normalisation": "imagenet",
    "input_size": 64,
}
ACCURACY = {0: 40.0, 1: 44.0, 2: 48.0}  # seed -> percent


def repository(root: Path) -> Path:
    """Make a repository below `root` with prepared faces and the trained cell CELL."""
    prepare(root, train=28, val=7, test=7)
    (root / "params.yaml").write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    add_cell(root, CELL, RESNET)
    folder = root / "results" / "handmade"
    folder.mkdir(parents=True)
    metrics().to_csv(folder / "metrics.csv", index=False)
    return root


def add_cell(root: Path, name: str, section: dict[str, Any]) -> None:
    """Write the weights and the settings of a cell, as the stage `train` leaves them."""
    cell = Cell.parse(name)
    torch.manual_seed(0)
    classifiers.save(classifiers.build(section), root / cell.weights)
    settings = {"preset": "smoke", "overrides": {"train": 28, "val": 7, "test": 7}, "landmarks": "dlib"}
    entry = {
        "cell": name,
        "dataset": {"name": cell.dataset, "plugin": "synthetic", "settings": settings},
        "model": {"name": cell.model, **section},
        "guidance": {"name": cell.guidance, "plugin": "au", "settings": {"label": "w/ AU"}},
        "protocol": "clean",
    }
    (root / cell.log).mkdir(parents=True)
    (root / cell.log / "settings.json").write_text(json.dumps(entry), encoding="utf-8")


def metrics() -> pd.DataFrame:
    """Three seeds of CELL: accuracy, recall of two expressions with 30 and 70 images, one cosine and its levels."""
    rows = []
    for seed, accuracy in ACCURACY.items():
        rows += [
            _row(seed, "accuracy", accuracy, 100, unit="%", average="micro"),
            _row(seed, "recall_neutral", 50.0, 30, unit="%", average="micro"),
            _row(seed, "recall_happiness", 40.0, 70, unit="%", average="micro"),
            _row(seed, "att_cos", 0.75, 90, layer="5", target="paper", pairing="true_true", optimised=True),
            _row(seed, "att_cos_chance_constant", 0.45, 90, target="paper"),
            _row(seed, "att_cos_ceiling", 0.95, 60, layer="5", target="paper"),
        ]
    return pd.DataFrame(rows)


def _row(seed: int, metric: str, value: float, n: int, **other: object) -> dict[str, object]:
    cell = Cell.parse(CELL)
    return {
        "dataset": cell.dataset, "model": cell.model, "guidance": cell.guidance, "seed": seed,
        "test_dataset": cell.dataset, "explainer": None, "layer": None, "target": None, "pairing": None,
        "subset": "all", "average": "macro", "metric": metric, "value": value, "n": n, "direction": "higher",
        "unit": None, "protocol": "clean", "optimised": False, **other,
    }  # fmt: skip
