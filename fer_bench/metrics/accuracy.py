"""Accuracy: the share of images whose most probable expression is the true one."""

from collections.abc import Sequence

import numpy as np

from fer_bench.metrics._classification import predicted_classes
from fer_bench.metrics.base import PredictionMetric, Score


class Metric(PredictionMetric):
    """Top-1 accuracy over all images of all classes, `CL` of Belharbi et al., Table 1."""

    id = "accuracy"
    label = "CL"
    direction = "higher"
    unit = "%"
    citation = "arXiv:2402.00281"

    def per_image(self, labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        """(N,): 100 where the prediction is right, else 0."""
        return 100.0 * (predicted_classes(probabilities) == np.asarray(labels))

    def scores(
        self, labels: np.ndarray, probabilities: np.ndarray, expressions: Sequence[str], minimum: int = 1
    ) -> list[Score]:
        """Mean over images."""
        value = float(self.per_image(labels, probabilities).mean()) if len(labels) else float("nan")
        return [Score(self.id, value, len(labels), "micro")]
