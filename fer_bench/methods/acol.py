"""ACoL: a second branch learns from what is left when the region that the first one found is erased."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import nn

from fer_bench.classifier_output import Output
from fer_bench.methods.base import LAST, MethodBase, cross_entropy, xavier
from fer_bench.minmax import min_max
from fer_bench.settings import Settings as Section


class Settings(Section):
    """Options of ACoL; the defaults are those of arXiv 2402.00281's code."""

    threshold: float = Field(0.1, gt=0, le=1)  # erased where the map of the first branch, in [0, 1], reaches it
    width: int = Field(1024, ge=1)  # channels between the convolutions of a branch


class Method(MethodBase):
    """Zhang et al., CVPR 2018.

    Branches A and B: 3x3 convolution, ReLU, 3x3 convolution, ReLU, 1x1 convolution (Xavier-uniform, bias 0) -> class
    maps, whose average is a logit. B sees the features where A's map of the label is low. Cross-entropy of both,
    equally weighted; A alone predicts. B's maps depend on the class asked for: the label in training, later the class
    that is explained.
    """

    label: ClassVar[str] = "ACoL"
    citation: ClassVar[str] = "Zhang et al. 2018, Adversarial Complementary Learning for Object Localization, CVPR"

    def __init__(self, channels: int, num_classes: int, settings: Any) -> None:
        super().__init__(channels, num_classes, settings)
        self.branch_a = _branch(channels, settings.width, num_classes)
        self.branch_b = _branch(channels, settings.width, num_classes)

    def score(self, last: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, C, h, w) -> logits (B, K) and class maps (B, K, h, w) of branch A."""
        class_maps = self.branch_a(last)
        return class_maps.mean((2, 3)), class_maps

    def second_class_maps(self, last: torch.Tensor, found: torch.Tensor) -> torch.Tensor:
        """Class maps (B, K, h, w) of branch B.

        last: features (B, C, h, w). found: (B, h, w), branch A's map of the class whose region is erased.
        """
        kept = min_max(found.detach()) < self.settings.threshold
        return self.branch_b(last * kept[:, None])

    def loss(
        self, output: Output, batch: Mapping[str, torch.Tensor], class_weights: torch.Tensor | None = None
    ) -> dict[str, torch.Tensor]:
        """Sum of the cross-entropies of both branches; B's region is erased by A's map of the label."""
        assert output.class_maps is not None  # `score` makes them
        labels = batch["labels"]
        found = output.class_maps[torch.arange(len(labels), device=labels.device), labels]
        second = self.second_class_maps(output.features[LAST], found).mean((2, 3))
        parts = super().loss(output, batch, class_weights)
        parts["second_cross_entropy"] = cross_entropy(second, labels, class_weights)
        return {**parts, "loss": parts["cross_entropy"] + parts["second_cross_entropy"]}


def _branch(channels: int, width: int, num_classes: int) -> nn.Sequential:
    layers = nn.Sequential(
        nn.Conv2d(channels, width, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, width, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, num_classes, kernel_size=1),
    )
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            xavier(layer)
    return layers
