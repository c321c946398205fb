"""Average precision per pixel: area under the curve of precision over recall as the map's threshold falls."""

import torch

from fer_bench.metrics._compared import Pair
from fer_bench.metrics.base import ComparedMetric


class Metric(ComparedMetric):
    """PxAP of Choe et al. 2020, per image: Σ (recall_n - recall_n-1) precision_n over the map's levels.

    No threshold has to be chosen. A constant map scores the region's share of the pixels. Pixels of one of the 512
    levels of a map are taken together.
    """

    id = "pixel_average_precision"
    label = "pixel AP"
    direction = "higher"
    bounds = (0.0, 1.0)
    citation = "10.1109/CVPR42600.2020.00320"

    def per_image(self, pair: Pair) -> torch.Tensor:
        """(N,) in (0, 1]."""
        inside = pair.levels_inside[:, ::-1]
        precision = inside.cumsum(axis=1) / pair.found.pixels[:, ::-1].cumsum(axis=1).clip(1)
        return pair.defined((inside * precision).sum(axis=1) / pair.wanted.area.clip(1))
