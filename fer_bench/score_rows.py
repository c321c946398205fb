"""From per-image scores to the rows of a cell's JSON: averages, subsets, chance levels, references and ceilings."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fer_bench import registry
from fer_bench.metrics import macro, micro, subsets
from fer_bench.metrics.base import PredictionMetric, Score

Row = dict[str, Any]


@dataclass(frozen=True)
class Averaging:
    """How scores of a split are averaged.

    labels, predicted: (N,) class ids. minimum: classes with fewer test images are left out of macro averages.
    """

    labels: np.ndarray
    predicted: np.ndarray
    expressions: Sequence[str]
    minimum: int

    @property
    def counted(self) -> np.ndarray:
        """(N,) images of classes that have enough of them to count in a macro average."""
        counts = np.bincount(self.labels, minlength=len(self.expressions))
        return counts[self.labels] >= self.minimum

    def rows(self, metric: str, scores: np.ndarray, identity: Mapping[str, Any], parts: Iterable[str]) -> list[Row]:
        """Macro and micro averages of per-image scores (N,) over the named subsets (all, correct, wrong)."""
        masks = subsets(self.labels, self.predicted)
        found = []
        for part in parts:
            chosen = masks[part]
            # Whether a class has enough images is decided on the whole split, so a subset cannot change the classes.
            inside = chosen & self.counted
            averages = {
                "macro": macro(scores[inside], self.labels[inside], self.expressions),
                "micro": micro(scores[chosen]),
            }
            for average, result in averages.items():
                where = {**identity, "subset": part, "average": average}
                found.append(row(metric, result.value, result.n, **where))
                if part == "all" and average == "micro" and identity.get("pairing") == "pred_pred":
                    # A face taken for neutral has no map to be compared with.
                    found.append(row(f"{metric}_undefined", result.undefined, len(scores), **where, unit="images"))
        return found


def row(metric: str, value: float, n: int, **identity: Any) -> Row:
    """Build one row; keys that do not apply are empty."""
    texts = dict.fromkeys(("explainer", "layer", "target", "pairing", "subset", "average"), "")
    number = None if math.isnan(value) else round(float(value), 6)  # NaN has no place in JSON
    fixed = {"metric": metric, "value": number, "n": int(n), "direction": "higher", "unit": "", "optimised": False}
    return {**texts, **fixed, **identity}


def classification_rows(
    names: Sequence[str], labels: np.ndarray, probabilities: np.ndarray, expressions: Sequence[str], minimum: int
) -> list[Row]:
    """Score the predictions (N, K) with those of the named metrics that are metrics of predictions."""
    rows = []
    for name in names:
        metric = registry.plugin("metrics", name)()
        if isinstance(metric, PredictionMetric):
            rows += [_score_row(metric, score) for score in metric.scores(labels, probabilities, expressions, minimum)]
    return rows


def _score_row(metric: PredictionMetric, score: Score) -> Row:
    identity = {"subset": "all", "average": score.average, "direction": metric.direction, "unit": metric.unit}
    return row(score.metric, score.value, score.n, **identity)


def map_rows(
    columns: Mapping[str, np.ndarray],
    averaging: Averaging,
    optimised: set[str],
    parts: Sequence[str] = ("all", "correct", "wrong"),
) -> list[Row]:
    """Average every per-image column over the named subsets of images.

    `optimised` names those scored against the very map that was trained on.
    """
    rows = []
    for column, scores in columns.items():
        metric, source, target, pairing = column.split(".")
        place = {"layer": source} if metric.startswith("att") else {"explainer": source}
        identity = {**place, "target": target, "pairing": pairing, "optimised": column in optimised}
        rows += averaging.rows(metric, scores, identity, parts)
    return rows
