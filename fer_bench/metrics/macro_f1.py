"""Macro F1: the mean over expressions of the harmonic mean of precision and recall."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import f1_score

from fer_bench.metrics._classification import counted_classes, predicted_classes
from fer_bench.metrics.base import PredictionMetric, Score


class Metric(PredictionMetric):
    """F1 per expression, averaged without weights (Sokolova and Lapalme 2009)."""

    id = "macro_f1"
    label = "Macro F1"
    direction = "higher"
    unit = "%"
    citation = "10.1016/j.ipm.2009.03.002"

    def scores(
        self, labels: np.ndarray, probabilities: np.ndarray, expressions: Sequence[str], minimum: int = 1
    ) -> list[Score]:
        """Mean over the expressions with enough images; precision still counts every image of the split."""
        counted, left_out = counted_classes(labels, expressions, minimum)
        predicted = predicted_classes(probabilities)
        value = np.nan
        if counted:
            value = 100.0 * f1_score(labels, predicted, labels=counted, average="macro", zero_division=0)
        return [Score(self.id, float(value), int(np.isin(labels, counted).sum()), "macro", left_out)]
