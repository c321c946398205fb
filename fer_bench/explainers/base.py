"""What an explainer promises, and what it is given: the evidence of one forward pass about one class per image."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch

from fer_bench.classifier_output import Output
from fer_bench.errors import InputError


@dataclass
class Evidence:
    """One class per image, asked of one forward pass; everything is detached.

    classes: (B,) long. output: the forward pass. head_weight: (K, C) where the head is average pooling and a linear
    layer, else None. differentiate: computes the gradients (B, C, h, w) of the class logits by autograd.
    method: the head, for maps that it makes only when asked.
    """

    classes: torch.Tensor
    output: Output
    head_weight: torch.Tensor | None
    differentiate: Callable[[torch.Tensor], torch.Tensor]
    method: Any = None

    @property
    def features(self) -> torch.Tensor:
        """The last layer's features, (B, C, h, w), those that feed the head."""
        return self.output.features[max(self.output.features)]

    @property
    def cells(self) -> int:
        """Number of positions of the map, h * w."""
        return self.features.shape[-2] * self.features.shape[-1]

    @cached_property
    def gradients(self) -> torch.Tensor:
        """Gradient of each image's class logit to its last features: (B, C, h, w), or (B, C, 1, 1) where constant.

        Behind average pooling and a linear layer it is the weight over the number of positions, everywhere the same.
        """
        if self.head_weight is None:
            return self.differentiate(self.classes)
        return (self.head_weight[self.classes] / self.cells)[:, :, None, None]

    def class_map(self) -> torch.Tensor:
        """(B, h, w) map of the class, from a head that makes class maps."""
        maps = self.output.class_maps
        if maps is None:
            raise InputError("explainers: this classifier's head makes no class maps")
        return self.of_class(maps)

    def of_class(self, maps: torch.Tensor) -> torch.Tensor:
        """Pick the class of each image: (B, K, h, w) -> (B, h, w)."""
        return maps[torch.arange(len(self.classes), device=maps.device), self.classes]

    def attention(self) -> torch.Tensor:
        """(B, h, w) attention of the class token."""
        if self.output.attention is None:
            raise InputError("explainers: this classifier returns no attention of a class token")
        return self.output.attention


class ExplainerBase(ABC):
    """One explainer; a subclass named `Explainer` in its own file is found by that file's name.

    label: how tables call it. citation: DOI or arXiv number.
    """

    label: ClassVar[str]
    citation: ClassVar[str]

    def supports(self, classifier: Any) -> str | None:
        """Return why this explainer cannot be applied to the classifier, or None when it can."""
        return None

    @abstractmethod
    def explain(self, evidence: Evidence) -> torch.Tensor:
        """Return (B, h, w) maps at the native grid, before min-max."""


class GradientExplainer(ExplainerBase):
    """ReLU of the features summed with weights made from gradients; a subclass says which weights."""

    def explain(self, evidence: Evidence) -> torch.Tensor:
        """ReLU( Σ_c weight_c · F_c ); the weights are per channel, or per channel and position."""
        weights, features = self.weights(evidence), evidence.features
        if weights.shape[-2:] == (1, 1):
            return torch.einsum("bchw,bc->bhw", features, weights[:, :, 0, 0]).relu()
        return (weights * features).sum(dim=1).relu()

    @abstractmethod
    def weights(self, evidence: Evidence) -> torch.Tensor:
        """Return the weights, (B, C, 1, 1) or (B, C, h, w)."""
