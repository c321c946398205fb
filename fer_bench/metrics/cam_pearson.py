"""CAM-r: Pearson correlation of the class activation map with the action-unit map."""

import torch

from fer_bench.metrics._maps import cam_cosine, pearson
from fer_bench.metrics.base import MapMetric


class Metric(MapMetric):
    """As CAM-COS, blind to an offset: explainers can be compared with one another; chance is 0."""

    id = "cam_pearson"
    label = "CAM-r"
    direction = "higher"
    citation = "10.1109/TPAMI.2018.2815601"
    needs = "cams"

    def per_image(
        self, maps: torch.Tensor, targets: torch.Tensor, resize: str, shift: bool | None = None
    ) -> torch.Tensor:
        """See `fer_bench.metrics.cam_cosine` with `pearson`."""
        return cam_cosine(maps, targets, resize, similarity=pearson)
