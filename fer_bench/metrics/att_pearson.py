"""ATT-r: Pearson correlation of the attention of a layer with the action-unit map."""

import torch

from fer_bench.metrics._maps import attention_cosine, pearson
from fer_bench.metrics.base import MapMetric


class Metric(MapMetric):
    """As ATT-COS, blind to an offset and to a shift: layers of different kinds can be compared; chance is 0."""

    id = "att_pearson"
    label = "ATT-r"
    direction = "higher"
    citation = "10.1109/TPAMI.2018.2815601"
    needs = "attention"

    def per_image(
        self, maps: torch.Tensor, targets: torch.Tensor, resize: str, shift: bool | None = None
    ) -> torch.Tensor:
        """See `fer_bench.metrics.attention_cosine` with `pearson`."""
        return attention_cosine(maps, targets, resize, shift, similarity=pearson)
