"""Expected calibration error: how far confidence is from accuracy, on average."""

from collections.abc import Sequence

import numpy as np

from fer_bench.metrics._classification import predicted_classes
from fer_bench.metrics.base import PredictionMetric, Score

BINS = 15


class Metric(PredictionMetric):
    """Guo et al. 2017: 15 equal-width bins (a, b] of the largest probability."""

    id = "expected_calibration_error"
    label = "ECE"
    direction = "lower"
    unit = "%"
    citation = "arXiv:1706.04599"

    def scores(
        self, labels: np.ndarray, probabilities: np.ndarray, expressions: Sequence[str], minimum: int = 1
    ) -> list[Score]:
        """Sum over bins of |accuracy - confidence| weighted by the bin's share of the images."""
        if len(labels) == 0:
            return [Score(self.id, float("nan"), 0, "micro")]
        confidence = np.asarray(probabilities, dtype=np.float64).max(axis=1)
        gap = (predicted_classes(probabilities) == np.asarray(labels)) - confidence
        bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
        # |Σ gap| of a bin is its count times its |accuracy - confidence|.
        total = np.abs(np.bincount(bins, weights=gap, minlength=BINS)).sum()
        return [Score(self.id, float(100 * total / len(labels)), len(labels), "micro")]
