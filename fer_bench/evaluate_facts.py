"""Identity of an evaluated cell, as tables need it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

from fer_bench.cells import Cell
from fer_bench.protocols import PROTOCOLS


def facts(entry: dict[str, Any], history: Path | None) -> dict[str, Any]:
    """Identity of the cell as tables need it."""
    cell = Cell.parse(entry["cell"])
    best: float | None = None
    if history is not None:
        frame = pd.read_csv(history)
        epoch = float(frame.loc[frame["best"] == 1, "epoch"].iloc[0])
        best = int(epoch) if epoch.is_integer() else epoch
    return {
        "dataset": cell.dataset,
        "model": cell.model,
        "backbone": entry["model"]["backbone"],
        "method": entry["model"]["method"],
        "guidance": cell.guidance,
        "seed": cell.seed,
        "test_dataset": entry["test_dataset"]["name"],
        "protocol": entry["protocol"],
        "selection": _selection(entry) if history is not None else "",
        "best_epoch": None if _taken_over(entry) else best,
        "settings_hash": hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()[:16],
    }


def _selection(entry: dict[str, Any]) -> str:
    """Which epoch was kept, in words."""
    if _taken_over(entry):
        return "chosen where the network was trained"
    rule, split = entry["train"]["selection"], PROTOCOLS[entry["protocol"]].selection_split
    return "last epoch" if rule == "last" else f"{rule.replace('_', ' ')} on the {split} split"


def _taken_over(entry: dict[str, Any]) -> bool:
    """Whether the network was trained elsewhere and is kept as it is."""
    return bool(entry["model"].get("checkpoint")) and not entry["train"]["epochs"]
