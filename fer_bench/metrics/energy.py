"""Energy: the share of a map that lies inside the region of the action units."""

import torch

from fer_bench.metrics._compared import Pair
from fer_bench.metrics.base import ComparedMetric


class Metric(ComparedMetric):
    """Energy-based pointing game of Wang et al. 2020 (Score-CAM), with the region of the action units for the box.

    Σ found inside / Σ found; a constant map scores the region's share of the pixels.
    """

    id = "energy"
    label = "energy in AU regions"
    direction = "higher"
    bounds = (0.0, 1.0)
    citation = "10.1109/CVPRW50498.2020.00020"

    def per_image(self, pair: Pair) -> torch.Tensor:
        """(N,) in [0, 1]; 0 for a map that is zero everywhere."""
        inside = (pair.found.maps * torch.from_numpy(pair.wanted.region)).sum(dim=(1, 2))
        return pair.defined(torch.nan_to_num(inside / pair.found.total, nan=0.0))
