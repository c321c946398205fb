"""Pointing game: whether the largest value of a map lies inside the region of the action units."""

import numpy as np
import torch

from fer_bench.metrics._compared import Pair
from fer_bench.metrics.base import ComparedMetric


class Metric(ComparedMetric):
    """Pointing game of Zhang et al. 2018, without the tolerance of 15 pixels around the region.

    Of several largest pixels the share that lies inside, so that a constant map scores the region's share of the
    pixels.
    """

    id = "pointing_game"
    label = "pointing game"
    direction = "higher"
    bounds = (0.0, 1.0)
    citation = "10.1007/s11263-017-1059-x"

    def per_image(self, pair: Pair) -> torch.Tensor:
        """(N,): 1 where the maximum is a hit, else 0; between them on a tie."""
        largest = pair.found.largest
        hits = np.count_nonzero(largest & pair.wanted.region, axis=(1, 2))
        return pair.defined(hits / np.count_nonzero(largest, axis=(1, 2)))
