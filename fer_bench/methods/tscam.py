"""TS-CAM: class maps from a vision transformer's patch tokens, and its class token's attention beside them."""

from typing import Any, ClassVar

import torch
from torch import nn

from fer_bench.methods.base import BackboneFacts, MethodBase
from fer_bench.settings import Settings as Section


class Settings(Section):
    """TS-CAM has no options."""


class Method(MethodBase):
    """Gao et al., ICCV 2021; the class token does not feed the logits, its attention is class-agnostic.

    Patches after the final norm -> 3x3 convolution (padding 1, bias, torch's initial values) -> class maps; logits are
    their average. The attention of an image is the class token's soft-max row to the patches, averaged over heads and
    summed over blocks, without roll-out.
    """

    label: ClassVar[str] = "TS-CAM"
    citation: ClassVar[str] = "Gao et al. 2021, TS-CAM: Token Semantic Coupled Attention Map, ICCV"
    needs_attention: ClassVar[bool] = True

    def __init__(self, channels: int, num_classes: int, settings: Any) -> None:
        super().__init__(channels, num_classes, settings)
        self.head = nn.Conv2d(channels, num_classes, kernel_size=3, padding=1)

    @classmethod
    def unsuitable(cls, backbone: BackboneFacts, settings: Any) -> str | None:
        """TS-CAM needs a class token that attends to the patches."""
        problem = backbone.attention_problem()
        return f"TS-CAM cannot run on {backbone.name}: {problem}" if problem else None

    def score(self, last: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, C, h, w) -> logits (B, K), class maps (B, K, h, w) before any ReLU."""
        class_maps = self.head(last)
        return class_maps.mean((2, 3)), class_maps
