"""Reads what the cells of a grid say of groups of faces: scores and gaps per attribute, training and seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from fer_bench.report import groups, methods
from fer_bench.report.collect import Document
from fer_bench.report.groups import Score
from fer_bench.report.results import Pair, Results, select
from fer_bench.report.value import Value

ATTRIBUTES, PREDICTIONS, SCORES = "attributes.parquet", "predictions.parquet", "scores.parquet"
STATUS, FOUND = "landmark status", "ok"
# Score -> its heading and decimals, in the order of print.
MEASURES = {
    "accuracy": ("CL (%)", 1),
    "calibration": ("calibration error (%)", 1),
    "att_cos": ("ATT-COS", 3),
    "cam_cos": ("CAM-COS", 3),
    "landmarks": ("landmarks not found (%)", 1),
}
LOWER = ("calibration", "landmarks")


@dataclass(frozen=True)
class Grouping:
    """One attribute of a test set: words of its G groups, group of each of N images, and the groups dealt anew."""

    attribute: str
    names: list[str]
    groups: np.ndarray
    dealt: np.ndarray

    @property
    def counts(self) -> list[int]:
        """Images per group."""
        return [int(n) for n in np.bincount(self.groups[self.groups != groups.UNKNOWN], minlength=len(self.names))]

    @property
    def unknown(self) -> int:
        """Images of no known group."""
        return int((self.groups == groups.UNKNOWN).sum())


@dataclass(frozen=True)
class Found:
    """Scores of one training for one attribute: per measure a value per group, the gap and that of equal groups.

    counted: measure -> (G,) whether a group has enough images with that score.
    """

    of_groups: Mapping[str, list[Value]]
    gap: Mapping[str, Value]
    chance: Mapping[str, Value]
    counted: Mapping[str, np.ndarray]

    def worst(self, measure: str, names: list[str]) -> str:
        """Word of the worst group among those with enough images; empty without one."""
        means = np.array([value.mean for value in self.of_groups[measure]])
        usable = np.isfinite(means) & self.counted[measure]
        if not usable.any():
            return ""
        worse = means if measure in LOWER else -means
        return names[int(np.where(usable, worse, -np.inf).argmax())]


def least_images(results: Results) -> int:
    """Images from which on a group enters a gap: as many as an expression needs for a macro average."""
    return int(results.plan.get("evaluate", {}).get("minimum_class_images", 20))


def groupings(results: Results, pair: Pair) -> list[Grouping]:
    """Attributes of a pair's test set; none where no cell has them. They do not depend on the network."""
    for document in results.documents:
        own = Pair(document.entry["dataset"], document.test_dataset) == pair
        if own and {ATTRIBUTES, PREDICTIONS} <= set(document.files):
            return _groupings(document.files[ATTRIBUTES], document.files[PREDICTIONS])
    return []


@cache
def _groupings(attributes: Path, predictions: Path) -> list[Grouping]:
    frame, labels = _read(attributes), _read(predictions)["label"].to_numpy(dtype=np.int64)
    subjects = frame["subject"].to_numpy(dtype=str)
    found = []
    for name in groups.attributes_of(frame):
        numbers, names = groups.encoded(frame[name])
        found.append(Grouping(name, names, numbers, groups.dealt(numbers, labels, subjects)))
    return found


@cache
def _read(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path)


def measure(results: Results, pair: Pair, model: str, guidance: str, grouping: Grouping) -> Found:
    """Score the groups of one attribute with every seed of a training."""
    documents = [d for d in results.found(pair, model, guidance) if {ATTRIBUTES, PREDICTIONS} <= set(d.files)]
    scored = {int(d.entry["seed"]): _scores(results, d, model) for d in documents}
    least, number = least_images(results), len(grouping.names)
    of_groups, gap, chance, counted = {}, {}, {}, {}
    for name in MEASURES:
        digits = MEASURES[name][1]
        per_seed = {seed: found[name] for seed, found in scored.items() if name in found}
        marked = _optimised(results, pair, model, guidance, name)
        tables = {seed: score.of_groups(grouping.groups[None], number) for seed, score in per_seed.items()}
        of_groups[name] = [
            _value(results, {seed: float(table[0][0, g]) for seed, table in tables.items()}, digits, name, marked)
            for g in range(number)
        ]
        counts = [table[1][0] >= least for table in tables.values()]
        counted[name] = np.all(counts, axis=0) if counts else np.zeros(number, dtype=bool)
        gaps = {s: float(score.gap(grouping.groups[None], number, least)[0]) for s, score in per_seed.items()}
        equal = {s: _expected(score.gap(grouping.dealt, number, least)) for s, score in per_seed.items()}
        gap[name] = _value(results, gaps, digits, "gap", marked)
        chance[name] = _value(results, equal, digits, "gap", False)
    return Found(of_groups, gap, chance, counted)


def _scores(results: Results, document: Document, model: str) -> dict[str, Score]:
    predictions, attributes = _read(document.files[PREDICTIONS]), _read(document.files[ATTRIBUTES])
    if list(predictions["id"].astype(str)) != list(attributes["id"]):
        raise ValueError(f"{document.entry['cell']}: {ATTRIBUTES} and {PREDICTIONS} hold different images")
    failed = 100.0 * (attributes[STATUS] != FOUND).to_numpy(dtype=float)
    found = {"accuracy": groups.accuracy(predictions), "landmarks": Score(failed, lower_is_better=True)}
    calibration = groups.calibration(predictions)
    if calibration is not None:
        found["calibration"] = calibration
    if SCORES in document.files:
        frame = _read(document.files[SCORES])
        columns = {"att_cos": _last_attention(results, frame), "cam_cos": _first_map(results, frame, model)}
        for name, column in columns.items():
            if column in frame:
                found[name] = Score(frame[column].to_numpy(dtype=float))
    return found


def _last_attention(results: Results, frame: pd.DataFrame) -> str:
    ending = f".{results.target}.true_true"
    return max((n for n in frame.columns if n.startswith("att_cos.") and n.endswith(ending)), default="")


def _first_map(results: Results, frame: pd.DataFrame, model: str) -> str:
    """The column of the first class activation map that Table 1 shows of a model."""
    shown = [row.explainer for network in methods.networks(results) for row in methods.rows(results, network)
             if row.model == model and row.explainer]  # fmt: skip
    names = [f"cam_cos.{name}.{results.target}.true_true" for name in shown]
    return next((name for name in names if name in frame), "")


def _optimised(results: Results, pair: Pair, model: str, guidance: str, name: str) -> bool:
    if name != "att_cos":
        return False
    rows = select(results.of_model(pair, model), metric="att_cos", guidance=guidance, target=results.target)
    layers = sorted(set(rows["layer"]) - {""})
    return bool(layers and select(rows, layer=layers[-1])["optimised"].any())


def _expected(gaps: np.ndarray) -> float:
    """Mean gap of the dealt groups; NaN where none of them has two groups with enough images."""
    usable = gaps[np.isfinite(gaps)]
    return float(usable.mean()) if len(usable) else float("nan")


def _value(results: Results, by_seed: Mapping[int, float], digits: int, name: str, optimised: bool) -> Value:
    known = {seed: number for seed, number in sorted(by_seed.items()) if np.isfinite(number)}
    lower = name == "gap" or name in LOWER
    return Value(known, len(results.seeds), digits, optimised=optimised, lower_is_better=lower)
