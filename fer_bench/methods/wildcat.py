"""WILDCAT: several modalities per class, scored by the highest and the lowest regions of their mean."""

from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from fer_bench.methods.base import MethodBase, xavier
from fer_bench.settings import Settings as Section


class Settings(Section):
    """Options of WILDCAT; numbers are the defaults of arXiv 2402.00281's code, `pooling: paper` is what it computes.

    Its line that adds the lowest values works on a copy that is dropped: the score is the mean of the highest alone,
    not halved, and kmin and alpha have no effect.
    """

    modalities: int = Field(5, ge=1)  # maps per class
    kmax: float = Field(0.5, gt=0, le=1)  # share of the positions that count as highest; at least one does
    kmin: float = Field(0.1, ge=0, le=1)  # share of the positions that count as lowest; may be none
    alpha: float = Field(0.6, ge=0)  # weight of the lowest
    pooling: Literal["correct", "paper"] = "correct"  # paper: the highest alone, whatever kmin and alpha say


class Method(MethodBase):
    """Durand et al., CVPR 2017.

    1x1 convolution to `modalities` maps per class (channel = class * modalities + modality), Xavier-uniform weights and
    bias 0; their mean is the class map. Score: half of (mean of the k+ highest values + alpha * mean of the k- lowest),
    k+ = kmax * h * w and k- = kmin * h * w rounded half to even; without lowest values, and with `pooling: paper`, the
    mean of the highest alone.
    """

    label: ClassVar[str] = "WILDCAT"
    citation: ClassVar[str] = "Durand et al. 2017, WILDCAT: Weakly Supervised Learning of Deep ConvNets, CVPR"

    def __init__(self, channels: int, num_classes: int, settings: Any) -> None:
        super().__init__(channels, num_classes, settings)
        self.head = nn.Conv2d(channels, num_classes * settings.modalities, kernel_size=1)
        xavier(self.head)

    def score(self, last: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, C, h, w) -> logits (B, K), class maps (B, K, h, w)."""
        class_maps = self.head(last).unflatten(1, (self.num_classes, -1)).mean(2)
        return self._pool(class_maps.flatten(2)), class_maps

    def _pool(self, values: torch.Tensor) -> torch.Tensor:
        """(B, K, n) -> (B, K)."""
        count, chosen = values.shape[2], self.settings
        highest, lowest = max(round(chosen.kmax * count), 1), round(chosen.kmin * count)
        ordered = values.sort(dim=2, descending=True).values
        top = ordered[:, :, :highest].mean(2)
        if lowest == 0 or chosen.alpha == 0 or chosen.pooling == "paper":
            return top
        return (top + chosen.alpha * ordered[:, :, -lowest:].mean(2)) / 2
