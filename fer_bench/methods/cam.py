"""CAM: global average pooling and one linear layer, whose weights turn features into class maps."""

from typing import Any, ClassVar

import torch
from torch import nn

from fer_bench.methods.base import MethodBase, xavier
from fer_bench.settings import Settings as Section


class Settings(Section):
    """CAM has no options."""


class Method(MethodBase):
    """Zhou et al., CVPR 2016; on a transformer the pooling runs over the patch tokens.

    Class maps: M[k] = sum_c w[k, c] F[c], bias left out, no ReLU. Xavier-uniform weights, bias 0.
    """

    label: ClassVar[str] = "CAM"
    citation: ClassVar[str] = "Zhou et al. 2016, Learning Deep Features for Discriminative Localization, CVPR"

    def __init__(self, channels: int, num_classes: int, settings: Any) -> None:
        super().__init__(channels, num_classes, settings)
        self.head = nn.Linear(channels, num_classes)
        xavier(self.head)

    @property
    def head_weight(self) -> torch.Tensor | None:
        """(K, C)."""
        return self.head.weight

    def score(self, last: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, C, h, w) -> logits (B, K), class maps (B, K, h, w)."""
        return self.head(last.mean((2, 3))), self.class_maps(last)

    def class_maps(self, features: torch.Tensor) -> torch.Tensor:
        """(B, C, h, w) -> (B, K, h, w)."""
        return nn.functional.conv2d(features, self.head.weight[:, :, None, None])
