"""Coverage of every action unit by the attention of a training, as the evaluations of a grid wrote it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fer_bench.report.results import Pair, Results

FILE = "unit_coverage.npz"
IDEAL = "ideal"


@dataclass(frozen=True)
class Coverage:
    """Coverage of U regions by the attention of the last layer and by its ideal, for K expressions.

    units: U names. own: (K, U) bool, the expression's codebook has the unit. layer: whose attention. by_seed: guidance
    -> seed -> (K, U). ideal: (K, U), the action unit map at the grid of the attention; NaN where there is none.
    """

    units: list[str]
    own: np.ndarray
    layer: str
    by_seed: Mapping[str, Mapping[int, np.ndarray]]
    ideal: np.ndarray

    def mean(self, guidance: str) -> np.ndarray:
        """(K, U) mean over the seeds of a guidance."""
        return np.asarray(np.mean(list(self.by_seed[guidance].values()), axis=0))


def coverage(results: Results, pair: Pair, model: str) -> Coverage | None:
    """Read the coverage of a model's attention for the map of the main tables; None where no cell has it."""
    variant, found = results.target, dict[str, dict[int, np.ndarray]]()
    first: dict[str, np.ndarray] = {}
    key = ""
    for arm in results.guidances:
        for document in results.found(pair, model, arm):
            if FILE not in document.files:
                continue
            with np.load(document.files[FILE]) as file:
                keys = [n for n in file.files if n.startswith("att.") and n.endswith(f".{variant}")]
                if not keys:
                    continue
                key = keys[0]
                first = first or {name: file[name] for name in file.files}
                found.setdefault(arm, {})[int(document.entry["seed"])] = file[key]
    if not found:
        return None
    units = [str(name) for name in first[f"units.{variant}"]]
    ideal = first[f"{IDEAL}.{variant}"]
    return Coverage(units, first[f"own.{variant}"], key.split(".")[1], found, ideal)
