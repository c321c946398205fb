"""Intersection over union of the region of the action units with what a map shows above Otsu's threshold."""

import numpy as np
import torch

from fer_bench.metrics._compared import Pair
from fer_bench.metrics.base import ComparedMetric


class Metric(ComparedMetric):
    """Jaccard index at the threshold that each map sets itself (Otsu 1979); nothing of a constant map is above it."""

    id = "otsu_iou"
    label = "IoU at Otsu's threshold"
    direction = "higher"
    bounds = (0.0, 1.0)
    citation = "10.1109/TSMC.1979.4310076"

    def per_image(self, pair: Pair) -> torch.Tensor:
        """(N,) in [0, 1]."""
        above = pair.found.above
        both = np.count_nonzero(above & pair.wanted.region, axis=(1, 2))
        either = np.count_nonzero(above, axis=(1, 2)) + pair.wanted.area - both
        return pair.defined(both / either.clip(1))
