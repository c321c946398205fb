"""CAM-COS: cosine of the class activation map with the action-unit map."""

import torch

from fer_bench.metrics._maps import cam_cosine
from fer_bench.metrics.base import MapMetric


class Metric(MapMetric):
    """CAM-COS of Belharbi et al., Table 1; chance is the score of random smooth maps, near 0.45, not 0."""

    id = "cam_cos"
    label = "CAM-COS"
    direction = "higher"
    citation = "arXiv:2402.00281"
    needs = "cams"

    def per_image(
        self, maps: torch.Tensor, targets: torch.Tensor, resize: str, shift: bool | None = None
    ) -> torch.Tensor:
        """See `fer_bench.metrics.cam_cosine`."""
        return cam_cosine(maps, targets, resize)
