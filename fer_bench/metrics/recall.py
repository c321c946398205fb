"""Recall of each expression: the share of its images that is recognised."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import recall_score

from fer_bench.metrics._classification import counted_classes, predicted_classes
from fer_bench.metrics.base import PredictionMetric, Score


def recalls(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[int]) -> np.ndarray:
    """Percent recognised of each class listed, which must have images."""
    predicted = predicted_classes(probabilities)
    return 100.0 * np.asarray(recall_score(labels, predicted, labels=list(classes), average=None))


class Metric(PredictionMetric):
    """The diagonal of the row-normalised confusion matrix; ids are `recall_<expression>`."""

    id = "recall"
    label = "Recall"
    direction = "higher"
    unit = "%"
    citation = "10.1016/j.ipm.2009.03.002"

    def scores(
        self, labels: np.ndarray, probabilities: np.ndarray, expressions: Sequence[str], minimum: int = 1
    ) -> list[Score]:
        """One score per expression, NaN where it has no image; `minimum` hides nothing, n is printed."""
        labels = np.asarray(labels)
        counted, _ = counted_classes(labels, expressions, 1)
        values = dict(zip(counted, recalls(labels, probabilities, counted), strict=True)) if counted else {}
        return [
            Score(f"{self.id}_{name}", float(values.get(k, np.nan)), int((labels == k).sum()), "micro")
            for k, name in enumerate(expressions)
        ]
