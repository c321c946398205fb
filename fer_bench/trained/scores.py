"""Scores of a network and of its repetitions with other seeds, from the tidy tables of the grids."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from fer_bench.cells import Cell
from fer_bench.errors import InputError
from fer_bench.report import labels
from fer_bench.stats import t_interval
from fer_bench.trained.about import Score, Scores

PREDICTIONS = ("accuracy", "balanced_accuracy", "macro_f1", "expected_calibration_error")
MAPS = {"att_cos": "att_cos_chance_constant", "cam_cos": "cam_cos_chance_random"}  # score -> its chance level
LAST = 5  # number of the last layer
TABLES = "metrics.csv"


def scores_of(cell: Cell, root: Path, grid: str | None, active: str) -> Scores | None:
    """Read the scores of a cell on the test split of its own dataset; None where no grid holds it.

    Args:
        cell: which network.
        root: of the repository.
        grid: name of the grid to read; None: the active one, else the first in the alphabet that holds the cell.
        active: name of the active grid.
    """
    for name in [grid] if grid else _grids(root, active):
        path = root / "results" / name / TABLES
        if grid and not path.is_file():
            raise InputError(f"grid {grid}: {path} is not there; grids with results: {', '.join(_grids(root, active))}")
        found = _rows(path, cell)
        if (found["seed"] == cell.seed).any():
            return Scores(grid=name, rows=tuple(_scores(found, cell.seed)))
    if grid:
        raise InputError(f"grid {grid}: its metrics.csv has no scores of {cell.name}")
    return None


def _grids(root: Path, active: str) -> list[str]:
    folder = root / "results"
    names = sorted(path.parent.relative_to(folder).as_posix() for path in folder.rglob(TABLES))
    return sorted(names, key=lambda name: name != active)


def _rows(path: Path, cell: Cell) -> pd.DataFrame:
    """Rows of the cell and of its repetitions with other seeds, tested on the dataset that they were trained on."""
    table = pd.read_csv(path, dtype={"layer": "string", "optimised": "string"}, low_memory=False)
    same = (table["dataset"] == cell.dataset) & (table["test_dataset"] == cell.dataset)
    same &= (table["model"] == cell.model) & (table["guidance"] == cell.guidance)
    return table[same & table["value"].notna()]


def _scores(rows: pd.DataFrame, seed: int) -> Iterator[Score]:
    """Scores of predictions, then of the last attention, then of each explainer's map of the true class."""
    for metric in PREDICTIONS:
        of_metric = rows[(rows["metric"] == metric) & (rows["subset"] == "all")]
        if (of_metric["seed"] == seed).any():
            yield _score(of_metric, seed, labels.metric(metric), _chance(rows, metric), None)
    of_maps = rows[(rows["subset"] == "all") & (rows["average"] == "macro")]
    for metric in MAPS:
        named = of_maps[(of_maps["metric"] == metric) & (of_maps["pairing"] == "true_true")]
        named = named[named["layer"] == str(LAST)] if metric == "att_cos" else named
        for (target, explainer), found in named.groupby(["target", "explainer"], dropna=False, sort=False):
            if (found["seed"] == seed).any():
                yield _map_score(of_maps, found, seed, metric, str(target), explainer)


def _map_score(
    rows: pd.DataFrame, found: pd.DataFrame, seed: int, metric: str, target: str, explainer: object
) -> Score:
    beside = rows[rows["target"] == target]
    levels = []
    for name in (MAPS[metric], f"{metric}_ceiling"):
        level = beside[beside["metric"] == name]
        for column, value in (("layer", str(LAST)), ("explainer", explainer)):
            if isinstance(value, str) and (level[column] == value).any():
                level = level[level[column] == value]
        levels.append(None if level.empty else round(float(level["value"].mean()), 6))
    words = "attention of the last layer" if metric == "att_cos" else labels.explainer(str(explainer))
    label = f"{labels.metric(metric)}, {words}, {labels.target(target)}"
    return _score(found, seed, label, levels[0], levels[1])


def _score(rows: pd.DataFrame, seed: int, label: str, chance: float | None, ceiling: float | None) -> Score:
    own = rows[rows["seed"] == seed].iloc[0]
    values = rows.sort_values("seed")["value"].to_numpy(dtype=float)
    between = t_interval(values)
    return Score(
        metric=str(own["metric"]),
        label=label,
        unit=str(own["unit"]) if isinstance(own["unit"], str) else "",
        direction="lower" if own["direction"] == "lower" else "higher",
        own=float(own["value"]),
        mean=round(float(values.mean()), 6),
        deviation=round(float(np.std(values, ddof=1)), 6) if len(values) > 1 else None,
        interval=None if between is None else (round(between[0], 6), round(between[1], 6)),
        seeds=len(values),
        images=int(own["n"]),
        chance=chance,
        ceiling=ceiling,
        optimised=str(own["optimised"]) == "True",
    )


def _chance(rows: pd.DataFrame, metric: str) -> float | None:
    """Chance level in percent: the share of the largest class for accuracy, one class in K for balanced accuracy."""
    recall = rows[rows["metric"].str.startswith("recall_") & (rows["subset"] == "all")].drop_duplicates("metric")
    if recall.empty or metric not in ("accuracy", "balanced_accuracy"):
        return None
    share = recall["n"].max() / recall["n"].sum() if metric == "accuracy" else 1 / len(recall)
    return round(100 * float(share), 6)
