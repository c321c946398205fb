"""PRM: class maps whose local maxima are averaged."""

from typing import Any, ClassVar

import torch
from torch import nn

from fer_bench.methods.base import LAST, BackboneFacts, MethodBase, xavier
from fer_bench.settings import Settings as Section

WINDOW = 3  # side of the pooling window


class Settings(Section):
    """PRM has no options."""


class Method(MethodBase):
    """Zhou et al., CVPR 2018, as arXiv 2402.00281's code has it: max pooling, no search for peaks, no peak response.

    1x1 convolution (Xavier-uniform, bias 0) -> class maps, bias included; logits are the average of their maxima over
    3x3 windows, stride 1, no padding.
    """

    label: ClassVar[str] = "PRM"
    citation: ClassVar[str] = (
        "Zhou et al. 2018, Weakly Supervised Instance Segmentation using Class Peak Response, CVPR"
    )

    def __init__(self, channels: int, num_classes: int, settings: Any) -> None:
        super().__init__(channels, num_classes, settings)
        self.head = nn.Conv2d(channels, num_classes, kernel_size=1)
        xavier(self.head)

    @classmethod
    def unsuitable(cls, backbone: BackboneFacts, settings: Any) -> str | None:
        """PRM needs a last map that holds a whole window."""
        height, width = backbone.map_sizes[LAST]
        if min(height, width) >= WINDOW:
            return None
        return (
            f"PRM pools over {WINDOW}x{WINDOW} windows, but the last map of {backbone.name} is {height}x{width}; "
            "a larger input_size, `large_maps` or `output_stride` makes it larger"
        )

    def score(self, last: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, C, h, w) -> logits (B, K), class maps (B, K, h, w)."""
        class_maps = self.head(last)
        return nn.functional.max_pool2d(class_maps, WINDOW, stride=1).mean((2, 3)), class_maps
