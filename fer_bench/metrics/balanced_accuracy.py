"""Balanced accuracy: the mean over expressions of the share of their images that is recognised."""

from collections.abc import Sequence

import numpy as np

from fer_bench.metrics._classification import counted_classes
from fer_bench.metrics.base import PredictionMetric, Score
from fer_bench.metrics.recall import recalls


class Metric(PredictionMetric):
    """Macro-averaged recall (Brodersen et al. 2010); chance is 100 / K whatever the class frequencies."""

    id = "balanced_accuracy"
    label = "Balanced accuracy"
    direction = "higher"
    unit = "%"
    citation = "10.1109/ICPR.2010.764"

    def scores(
        self, labels: np.ndarray, probabilities: np.ndarray, expressions: Sequence[str], minimum: int = 1
    ) -> list[Score]:
        """Mean of the recalls of the expressions with enough images."""
        counted, left_out = counted_classes(labels, expressions, minimum)
        value = float(recalls(labels, probabilities, counted).mean()) if counted else float("nan")
        return [Score(self.id, value, int(np.isin(labels, counted).sum()), "macro", left_out)]
