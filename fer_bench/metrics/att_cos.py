"""ATT-COS: cosine of the attention of a layer with the action-unit map."""

import torch

from fer_bench.metrics._maps import attention_cosine
from fer_bench.metrics.base import MapMetric


class Metric(MapMetric):
    """ATT-COS of Belharbi et al., Table 2; chance is the score of a constant map, near 0.45, not 0."""

    id = "att_cos"
    label = "ATT-COS"
    direction = "higher"
    citation = "arXiv:2402.00281"
    needs = "attention"

    def per_image(
        self, maps: torch.Tensor, targets: torch.Tensor, resize: str, shift: bool | None = None
    ) -> torch.Tensor:
        """See `fer_bench.metrics.attention_cosine`."""
        return attention_cosine(maps, targets, resize, shift)
